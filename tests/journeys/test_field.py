"""A street office looks at a parcel on the spot, with a tablet: position, photo, note, and a dead spot in between."""

import io
import re

import psycopg
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.journeys.looking import axe_faults
from tests.journeys.signing import sign_in

PASSWORD = "demo-password-1"
TABLET = {"width": 820, "height": 1180}


@pytest.mark.rows("NK017")
def test_a_parcel_is_looked_at_with_a_tablet_and_a_dead_spot_loses_nothing(demo_site, page, allowed_errors):
    with psycopg.connect(demo_site.database_url) as connection:
        code, lng, lat = connection.execute(
            "SELECT p.code, ST_X(ST_PointOnSurface(p.geom)), ST_Y(ST_PointOnSurface(p.geom))"
            " FROM units_determination d JOIN units_parcel p ON p.id = d.parcel_id"
            " WHERE d.state IN ('assigned', 'filling') ORDER BY p.code DESC LIMIT 1"
        ).fetchone()
    photo = io.BytesIO()
    Image.new("RGB", (320, 240), "#557799").save(photo, "JPEG")
    page.set_viewport_size(TABLET)
    page.context.grant_permissions(["geolocation"], origin=demo_site.base_url)
    page.context.set_geolocation({"longitude": lng, "latitude": lat, "accuracy": 6})

    sign_in(page, demo_site, "office", PASSWORD, path="/field/")
    page.click("#near")
    page.wait_for_url(re.compile("lng="))
    first = page.locator(".field-row").first
    expect(first).to_contain_text(code)
    first.click()

    expect(page.locator("#position")).to_contain_text("6")  # who allowed it once is not asked again
    assert page.locator("#lng").input_value() == str(lng)
    page.check("input[name=verdict][value=differs]")
    page.fill("#note", "厂房已拆除，现为空地")
    page.set_input_files("#photos", {"name": "门前.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()})
    expect(page.locator("#photos-told")).to_contain_text("1")
    assert axe_faults(page) == []

    page.route("**/field/**", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    allowed_errors.append("net::ERR_FAILED")
    page.click("#send")
    expect(page.locator("#sent")).to_contain_text("服务器没有应答")
    assert page.locator("#note").input_value() == "厂房已拆除，现为空地"
    page.unroute("**/field/**")
    page.click("#send")
    made = page.locator(".field-check").first
    expect(made).to_contain_text("厂房已拆除，现为空地")
    expect(made.locator("img")).to_be_visible()
    assert made.locator("img").evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 320
    page.reload()
    expect(page.locator("#note")).to_have_value("")  # what was sent is no draft any more

    page.goto(f"{demo_site.base_url}/parcels/{code}/")
    expect(page.locator(".card-field")).to_contain_text("厂房已拆除，现为空地")
