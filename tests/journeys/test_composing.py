"""A planner composes units on the map: united from parcels or drawn by snapping, by mouse and by keyboard."""

import contextlib
import functools
import json
import math
import re
from collections import defaultdict

import psycopg
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from tests.journeys import signing

PLANNER = "office"
PASSWORD = "demo-password-1"
# No unit lies over the parcel yet: an approved one would rightly be in the way.
FREE = "NOT EXISTS (SELECT FROM units_redevelopmentunit u WHERE u.state <> 'deleted' AND ST_Intersects(u.geom, p.geom))"
CLOSE = 1e-9  # degrees: what a snapped corner may differ from the parcel's
PATIENCE = 15_000  # milliseconds, for a machine that does other things too


# --- the ground, asked of the database ---------------------------------------------------------------------------


def rows(site, question: str, **values) -> list[tuple]:
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(question, values).fetchall()


def candidates(site) -> list[tuple[str, float, float]]:
    """Five candidate parcels that lie near each other: (code, lng, lat) of a point inside each."""
    found = rows(
        site,
        f"""SELECT DISTINCT p.code, ST_X(ST_PointOnSurface(p.geom)), ST_Y(ST_PointOnSurface(p.geom))
            FROM units_flag f JOIN units_parcel p ON p.id = f.parcel_id
            WHERE f.outcome = 'candidate' AND p.street_id IS NOT NULL AND {FREE}
            ORDER BY 1""",
    )

    def neighbours(one):
        return sorted(found, key=lambda other: math.hypot(other[1] - one[1], other[2] - one[2]))[:5]

    groups = [neighbours(one) for one in found]
    return min(groups, key=lambda group: math.hypot(group[-1][1] - group[0][1], group[-1][2] - group[0][2]))


def corners_of(shape: str) -> list[tuple[float, float]]:
    """Every corner of a GeoJSON polygon, as numbers."""
    shape = json.loads(shape)
    polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return [tuple(corner) for polygon in polygons for ring in polygon for corner in ring[:-1]]


def four_corners(shape: str) -> list[tuple[float, float]]:
    """The outermost corners of a shape towards the south-west, south-east, north-east and north-west."""
    corners = corners_of(shape)
    ways = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [max(corners, key=lambda corner: corner[0] * east + corner[1] * north) for east, north in ways]


def a_block(site, question: str = "true") -> tuple[str, list[tuple[float, float]]]:
    """The code and four corners of a roomy parcel for which the condition holds."""
    found = rows(
        site,
        f"""SELECT p.code, ST_AsGeoJSON(p.geom, 15) FROM units_parcel p
            WHERE p.area_m2 BETWEEN 6000 AND 20000 AND ST_NumGeometries(p.geom) = 1
              AND ST_Area(p.geom) / ST_Area(ST_OrientedEnvelope(p.geom)) > 0.85 AND {question} AND {FREE}
            ORDER BY p.code""",
    )
    for code, shape in found:
        corners = four_corners(shape)
        sides = [math.hypot(a[0] - b[0], a[1] - b[1]) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]
        if len(set(corners)) == 4 and min(sides) > 0.0005 and all(alone(site, *corner) for corner in corners):
            return code, corners
    raise AssertionError("the demo district has no such parcel")


@functools.cache
def every_corner(database_url: str) -> dict[tuple[int, int], set[tuple[float, float]]]:
    """The corners of all parcels by squares of 0.0001°, about ten metres."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT ST_X(corner.geom), ST_Y(corner.geom) FROM units_parcel p, ST_DumpPoints(p.geom) AS corner"
        ).fetchall()
    squares = defaultdict(set)
    for lng, lat in found:
        squares[math.floor(lng * 10_000), math.floor(lat * 10_000)].add((lng, lat))
    return squares


def alone(site, lng: float, lat: float) -> bool:
    """Whether no other corner of a parcel is so near that a click beside this one might mean that one."""
    squares = every_corner(site.database_url)
    x, y = math.floor(lng * 10_000), math.floor(lat * 10_000)
    near = {corner for east in (-1, 0, 1) for north in (-1, 0, 1) for corner in squares.get((x + east, y + north), ())}
    near = {corner for corner in near if math.dist(corner, (lng, lat)) < 0.00006}
    return near == {(lng, lat)}


def stored(site, name: str) -> dict:
    """The latest row of the unit of that name."""
    found = rows(
        site,
        """SELECT code, state, version, ST_AsGeoJSON(geom, 15), area_m2, id FROM units_redevelopmentunit
           WHERE name = %(name)s ORDER BY edition DESC LIMIT 1""",
        name=name,
    )
    assert found, f"no unit is called {name}"
    code, state, version, shape, area, row = found[0]
    members = rows(
        site,
        """SELECT p.code FROM units_unitparcel m JOIN units_parcel p ON p.id = m.parcel_id
           WHERE m.unit_id = %(unit)s ORDER BY 1""",
        unit=row,
    )
    return {
        "code": code,
        "state": state,
        "version": version,
        "corners": corners_of(shape),
        "area": area,
        "members": [member for (member,) in members],
    }


# --- the page ----------------------------------------------------------------------------------------------------


def sign_in(page: Page, site, name: str = PLANNER) -> None:
    signing.sign_in(page, site, name, PASSWORD)
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(100)
    page.wait_for_selector("#map[aria-busy=false]")


def look_at(page: Page, lng: float, lat: float, zoom: int) -> None:
    """Open the map at a place."""
    page.evaluate("([zoom, lat, lng]) => { location.hash = `#${zoom}/${lat}/${lng}`; }", [zoom, lat, lng])
    page.wait_for_function("zoom => Number(location.hash.slice(1).split('/')[0]) === zoom", arg=zoom)
    settled(page)


def on_screen(page: Page, lng: float, lat: float) -> tuple[float, float]:
    """Where a place is in the window; the address says where the map looks, to about a metre."""
    zoom, middle_lat, middle_lng = (
        float(part) for part in page.evaluate("location.hash").split("&")[0][1:].split("/")[:3]
    )
    size = 256 * 2**zoom
    box = page.locator("#map").bounding_box()

    def mercator(degrees):
        return math.log(math.tan(math.pi / 4 + math.radians(degrees) / 2)) / (2 * math.pi)

    across = box["x"] + box["width"] / 2 + (lng - middle_lng) / 360 * size
    down = box["y"] + box["height"] / 2 - (mercator(lat) - mercator(middle_lat)) * size
    return across, down


def click_at(page: Page, lng: float, lat: float, dx: float = 0, dy: float = 0) -> None:
    across, down = on_screen(page, lng, lat)
    page.mouse.move(across + dx, down + dy)
    page.mouse.click(across + dx, down + dy)


def answered(page: Page) -> None:
    """The server has said what it thinks of the latest state."""
    page.wait_for_function(
        """() => document.querySelector('#compose-verdict').getAttribute('aria-busy') === 'false'
                 && document.querySelector('#compose-area .verdict-area')""",
        timeout=PATIENCE,
    )


def snapping(page: Page) -> None:
    page.wait_for_selector("#map[data-outlines=ready]", timeout=PATIENCE)


def confirm_all(page: Page) -> None:
    for code in [box.get_attribute("data-confirm") for box in page.locator("[data-confirm]").all()]:
        page.check(f"[data-confirm={code}]")


def save(page: Page, name: str) -> None:
    page.fill("#compose-name", name)
    page.click("#compose-save")
    expect(page.locator("#unit-body h2")).to_have_text(name, timeout=PATIENCE)
    settled(page)


def tab_to(page: Page, selector: str, back: bool = False) -> None:
    """Press Tab until the element has the focus: what cannot be reached so is out of reach without a mouse."""
    for _press in range(120):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


# --- by mouse ----------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK024")
def test_five_candidates_are_united_another_unit_is_drawn_by_snapping_and_both_are_there_after_a_reload(
    demo_site, page
):
    five = candidates(demo_site)
    sign_in(page, demo_site)
    look_at(page, sum(one[1] for one in five) / 5, sum(one[2] for one in five) / 5, 16)
    page.click("#compose-open")
    expect(page.locator("#compose-title")).to_be_focused()

    # Two by click, two by a box each, one by its code.
    for _code, lng, lat in five[:2]:
        look_at_if_needed(page, lng, lat)
        click_at(page, lng, lat)
        page.wait_for_timeout(100)
    expect(page.locator("#compose-chosen li")).to_have_count(2)
    for _code, lng, lat in five[2:4]:
        look_at_if_needed(page, lng, lat)
        across, down = on_screen(page, lng, lat)
        page.keyboard.down("Shift")
        page.mouse.move(across - 3, down - 3)
        page.mouse.down()
        page.mouse.move(across + 3, down + 3, steps=4)
        page.mouse.up()
        page.keyboard.up("Shift")
        page.wait_for_timeout(300)
    expect(page.locator("#compose-chosen li")).to_have_count(4)
    page.locator("summary").filter(has_text=re.compile("Paste codes|粘贴宗地代码")).click()
    page.fill("#compose-codes", f"{five[4][0]}，120104999999GB99999")
    page.locator("button[form=compose-paste]").click()
    expect(page.locator("#compose-chosen li")).to_have_count(5)
    expect(page.locator("[data-notice=unknown]")).to_contain_text("120104999999GB99999")
    assert {row.get_attribute("data-code") for row in page.locator("#compose-chosen li").all()} == {
        code for code, _lng, _lat in five
    }
    answered(page)

    # Taken out by its button and back by undo: steps.
    page.locator("#compose-chosen li .close").first.click()
    expect(page.locator("#compose-chosen li")).to_have_count(4)
    page.keyboard.press("Control+z")
    expect(page.locator("#compose-chosen li")).to_have_count(5)
    answered(page)

    # What is to be confirmed stands in the way until it is.
    page.fill("#compose-name", "五宗候选")
    if page.locator("[data-confirm]").count():
        page.click("#compose-save")
        expect(page.locator("[data-confirm]").first).to_be_focused()
        confirm_all(page)
    save(page, "五宗候选")
    united = stored(demo_site, "五宗候选")
    assert united["members"] == sorted(code for code, _lng, _lat in five)
    assert united["state"] == "draft"
    whole = rows(
        demo_site,
        "SELECT ST_Area(ST_Union(geom)::geography) FROM units_parcel WHERE code = ANY (%(codes)s)",
        codes=united["members"],
    )[0][0]
    assert abs(united["area"] - whole) < 0.01
    assert f"unit={united['code']}" in page.evaluate("location.hash")

    # Another, drawn: each corner is clicked some pixels beside the parcel's.
    code, corners = a_block(demo_site)
    page.click("#unit-close")
    look_at(page, sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4, 18)
    page.click("#compose-open")
    page.click("[data-tool=draw]")
    snapping(page)
    for (lng, lat), (dx, dy) in zip(corners, ((4, -2), (-3, 3), (2, 4), (-4, -3)), strict=True):
        click_at(page, lng, lat, dx, dy)
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator("#compose-corner-count")).to_contain_text("4")
    save(page, "逐点绘制")
    drawn = stored(demo_site, "逐点绘制")
    assert len(drawn["corners"]) == 4
    for lng, lat in drawn["corners"]:
        assert min(max(abs(lng - x), abs(lat - y)) for x, y in corners) <= CLOSE
    assert code in drawn["members"]

    # Both are there after a reload: in the panel by the link, and in the layer of the map.
    for unit, name in ((united, "五宗候选"), (drawn, "逐点绘制")):
        page.goto("about:blank")
        page.goto(f"{demo_site.base_url}/#&unit={unit['code']}")
        settled(page)
        expect(page.locator("#unit-body h2")).to_have_text(name, timeout=PATIENCE)
    page.click("#unit-close")
    look_at(page, corners[0][0], corners[0][1], 18)
    middle = sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4
    click_at(page, *middle)
    expect(page.locator("#unit-body h2")).to_have_text("逐点绘制", timeout=PATIENCE)


def look_at_if_needed(page: Page, lng: float, lat: float) -> None:
    """Drag the map until the place is well inside it."""
    box = page.locator("#map").bounding_box()
    for _drag in range(12):
        across, down = on_screen(page, lng, lat)
        over_x = min(0, across - box["x"] - 80) + max(0, across - box["x"] - box["width"] + 80)
        over_y = min(0, down - box["y"] - 80) + max(0, down - box["y"] - box["height"] + 80)
        if not over_x and not over_y:
            return
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - max(-250, min(250, over_x)), y - max(-250, min(250, over_y)), steps=4)
        page.wait_for_timeout(120)  # no fling
        page.mouse.up()
        page.wait_for_timeout(200)


@pytest.mark.rows("NK024")
def test_what_a_drawing_lies_over_is_told_and_hatched_before_anything_is_saved(demo_site, page):
    code, corners = a_block(
        demo_site,
        """EXISTS (SELECT FROM units_legacyland l WHERE l.geom && p.geom
                   AND ST_Area(ST_Intersection(l.geom, ST_Envelope(p.geom))::geography) > 50
                   AND NOT ST_Covers(l.geom, ST_Buffer(p.geom, -0.0001)))""",
    )
    sign_in(page, demo_site)
    look_at(page, sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4, 18)
    before = rows(demo_site, "SELECT count(*) FROM units_redevelopmentunit")
    page.click("#compose-open")
    page.click("[data-tool=draw]")
    snapping(page)
    west, east = min(lng for lng, _lat in corners) - 0.0006, max(lng for lng, _lat in corners) + 0.0006
    south, north = min(lat for _lng, lat in corners) - 0.0004, max(lat for _lng, lat in corners) + 0.0004
    for lng, lat in ((west, south), (east, south), (east, north), (west, north)):
        click_at(page, lng, lat)
        page.wait_for_timeout(60)
    page.keyboard.press("Enter")
    answered(page)
    legacy = page.locator(".overlap").filter(has=page.locator(".hatched-legacy"))
    expect(legacy.first).to_be_visible()
    assert re.search(r"\d", legacy.first.inner_text())
    assert page.locator("path.conflict-legacy").count() >= 1
    assert page.locator("path.conflict-legacy").first.get_attribute("fill") == "url(#hatch-legacy)"
    assert page.locator("#hatch-legacy path").count() == 1
    assert page.locator(".verdict-facts").is_visible()
    assert rows(demo_site, "SELECT count(*) FROM units_redevelopmentunit") == before
    # The row leads to its place, and the steps lead back to nothing.
    legacy.first.click()
    expect(page.locator("path.conflict-mark").first).to_be_attached()
    for _step in range(5):
        page.click("#compose-undo")
    expect(page.locator("#compose-undo")).to_be_disabled()
    expect(page.locator("path.conflict-legacy")).to_have_count(0)
    page.click("#compose-leave")
    expect(page.locator("#list-view")).to_be_visible()


def test_a_saved_drawing_is_edited_by_dragging_a_corner_which_snaps_and_is_deleted_as_a_state(demo_site, page):
    code, corners = a_block(demo_site, "p.code > '120104003'")
    sign_in(page, demo_site)
    draw_and_save(page, corners, "拖动拐点")
    first = stored(demo_site, "拖动拐点")
    page.click("[data-does=unitEdit]")
    answered(page)
    snapping(page)
    look_at_all = page.evaluate("location.hash")
    assert f"unit={first['code']}" in look_at_all

    # One corner is dragged out to a free place and back beside its parcel's corner, where it snaps.
    lng, lat = corners[0]
    start = on_screen(page, lng, lat)
    for to_x, to_y in ((-60, 50), (3, -3)):
        page.mouse.move(*start)
        page.mouse.down()
        start = tuple(a + b for a, b in zip(on_screen(page, lng, lat), (to_x, to_y), strict=True))
        page.mouse.move(*start, steps=6)
        page.mouse.up()
        page.wait_for_timeout(50)
    answered(page)
    page.keyboard.press("Control+z")  # the way back
    answered(page)
    page.fill("#compose-name", "拖动过的拐点")
    page.click("#compose-save")
    expect(page.locator("#unit-body h2")).to_have_text("拖动过的拐点", timeout=PATIENCE)
    second = stored(demo_site, "拖动过的拐点")
    assert second["code"] == first["code"]
    assert second["version"] > first["version"]
    same = [corner for corner in second["corners"] if corner in first["corners"]]
    assert len(same) == 3
    assert second["area"] > first["area"]

    page.click("[data-does=unitEdit]")
    answered(page)
    page.mouse.move(*start)
    settled(page)
    free = next(corner for corner in second["corners"] if corner not in first["corners"])
    snapping(page)
    page.mouse.move(*on_screen(page, *free))
    page.mouse.down()
    page.mouse.move(*(part + 4 for part in on_screen(page, lng, lat)), steps=6)
    page.mouse.up()
    answered(page)
    save(page, "拐点已还原")
    third = stored(demo_site, "拐点已还原")
    assert sorted(third["corners"]) == sorted(first["corners"])

    # Deleted with a reason: a state, not a loss; and brought back.
    page.click("[data-does=unitDelete]")
    page.click(".unit-reason .button-seal")
    expect(page.locator("#unit-reason")).to_be_focused()  # not without a reason
    page.fill("#unit-reason", "重复绘制")
    page.click(".unit-reason .button-seal")
    expect(page.locator(".state-deleted")).to_be_visible(timeout=PATIENCE)
    assert stored(demo_site, "拐点已还原")["state"] == "deleted"
    page.click("[data-does=unitRestore]")
    expect(page.locator(".state-draft")).to_be_visible(timeout=PATIENCE)
    assert stored(demo_site, "拐点已还原")["state"] == "draft"


def draw_and_save(page: Page, corners, name: str) -> None:
    """Draw the corners at zoom 18 by clicks, and save."""
    look_at(page, sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4, 18)
    page.click("#compose-open")
    page.click("[data-tool=draw]")
    snapping(page)
    for lng, lat in corners:
        click_at(page, lng, lat, 3, 2)
    page.keyboard.press("Enter")
    answered(page)
    save(page, name)


# --- by keyboard -------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK024")
def test_a_unit_is_united_and_another_drawn_with_the_keyboard_alone(demo_site, page):
    five = candidates(demo_site)
    sign_in(page, demo_site)
    look_at(page, five[0][1], five[0][2], 17)
    page.focus(".skip")
    tab_to(page, "#compose-open")
    page.keyboard.press("Enter")
    expect(page.locator("#compose-title")).to_be_focused()

    # Four by their codes, the fifth ticked in the list of what is in the window.
    tab_to(page, "#compose-parcels details:not([id]) summary")
    page.keyboard.press("Enter")
    tab_to(page, "#compose-codes")
    page.keyboard.insert_text("\n".join(code for code, _lng, _lat in five[1:]))
    tab_to(page, "button[form=compose-paste]")
    page.keyboard.press("Enter")
    expect(page.locator("#compose-chosen li")).to_have_count(4)
    tab_to(page, "#compose-inview summary")
    page.keyboard.press("Enter")
    page.locator(f"#compose-inview input[value='{five[0][0]}']").wait_for()
    tab_to(page, f"#compose-inview input[value='{five[0][0]}']")
    page.keyboard.press("Space")
    expect(page.locator("#compose-chosen li")).to_have_count(5)
    expect(page.locator(f"#compose-inview input[value='{five[0][0]}']")).to_be_focused()
    answered(page)
    for code in [box.get_attribute("data-confirm") for box in page.locator("[data-confirm]").all()]:
        tab_to(page, f"[data-confirm={code}]")
        page.keyboard.press("Space")
    tab_to(page, "#compose-name")
    page.keyboard.insert_text("键盘合并")
    page.keyboard.press("Enter")
    expect(page.locator("#unit-body h2")).to_be_focused(timeout=PATIENCE)
    assert stored(demo_site, "键盘合并")["members"] == sorted(code for code, _lng, _lat in five)

    # Drawn: arrows bring the crosshair near a corner, where Space puts one that snaps.
    _code, corners = a_block(demo_site, "p.code > '120104004'")
    page.keyboard.press("Escape")
    look_at(page, sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4, 18)
    page.focus(".skip")
    tab_to(page, "#compose-open")
    page.keyboard.press("Enter")
    tab_to(page, "[data-tool=draw]")
    page.keyboard.press("Space")
    tab_to(page, "#map", back=True)
    snapping(page)
    box = page.locator("#map").bounding_box()
    here = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    for lng, lat in corners:
        target = on_screen(page, lng, lat)
        for axis, (less, more) in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
            away = target[axis] - here[axis]
            key, steps = (more if away > 0 else less), divmod(abs(round(away)), 16)
            for _press in range(steps[0]):
                page.keyboard.press(key)
            for _press in range(steps[1]):
                page.keyboard.press(f"Shift+{key}")
            here[axis] = here[axis] + math.copysign(abs(round(away)), away)
        expect(page.locator("#map path.compose-ghost.corner")).to_be_attached()
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    answered(page)
    tab_to(page, "#compose-name")
    page.keyboard.insert_text("键盘绘制")
    page.keyboard.press("Enter")
    expect(page.locator("#unit-body h2")).to_have_text("键盘绘制", timeout=PATIENCE)
    drawn = stored(demo_site, "键盘绘制")
    assert len(drawn["corners"]) == 4
    for lng, lat in drawn["corners"]:
        assert min(max(abs(lng - x), abs(lat - y)) for x, y in corners) <= CLOSE

    # Edited: N goes to a corner of one's own, Delete takes it away; deleted, with the reason typed.
    tab_to(page, "[data-does=unitEdit]")
    page.keyboard.press("Enter")
    answered(page)
    tab_to(page, "#map", back=True)
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    expect(page.locator("#compose-corner-count")).to_contain_text("3")
    answered(page)
    page.keyboard.press("Control+z")
    expect(page.locator("#compose-corner-count")).to_contain_text("4")
    page.keyboard.press("Control+y")
    answered(page)
    tab_to(page, "#compose-save")
    page.keyboard.press("Enter")
    expect(page.locator("#unit-body h2")).to_be_focused(timeout=PATIENCE)
    assert len(stored(demo_site, "键盘绘制")["corners"]) == 3
    tab_to(page, "[data-does=unitDelete]")
    page.keyboard.press("Enter")
    page.keyboard.insert_text("键盘删除")
    tab_to(page, ".unit-reason .button-seal")
    page.keyboard.press("Enter")
    expect(page.locator(".state-deleted")).to_be_visible(timeout=PATIENCE)
    assert stored(demo_site, "键盘绘制")["state"] == "deleted"


# --- when things go wrong ----------------------------------------------------------------------------------------


def test_a_silent_server_loses_nothing_and_the_work_is_offered_again_after_a_reload(demo_site, page, allowed_errors):
    allowed_errors.append(r"ERR_FAILED")
    five = candidates(demo_site)
    sign_in(page, demo_site)
    look_at(page, five[0][1], five[0][2], 17)
    page.click("#compose-open")
    click_at(page, five[0][1], five[0][2])
    expect(page.locator("#compose-chosen li")).to_have_count(1)
    answered(page)
    page.fill("#compose-name", "没有丢")
    page.route(re.compile(r"/units/$"), lambda route: route.abort())
    page.click("#compose-save")
    expect(page.locator("[data-notice=unreached]")).to_be_visible()
    expect(page.locator("#compose-chosen li")).to_have_count(1)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("about:blank")
    page.unroute(re.compile(r"/units/$"))
    page.goto(demo_site.base_url)
    settled(page)
    expect(page.locator("#compose-resume")).to_contain_text("没有丢")
    page.click("[data-resume]")
    expect(page.locator("#compose-chosen li")).to_have_attribute("data-code", five[0][0])
    answered(page)
    expect(page.locator("#compose-name")).to_have_value("没有丢")
    page.click("#compose-save")
    expect(page.locator("#unit-body h2")).to_have_text("没有丢", timeout=PATIENCE)
    page.reload()
    settled(page)
    expect(page.locator("#compose-resume")).to_be_hidden()


def pick_first(page: Page, site, one, name: str) -> None:
    """Begin a unit with one parcel and a name."""
    look_at(page, one[1], one[2], 17)
    page.click("#compose-open")
    click_at(page, one[1], one[2])
    expect(page.locator("#compose-chosen li")).to_have_count(1)
    page.fill("#compose-name", name)
    answered(page)


def test_no_window_offers_or_throws_away_the_unsaved_work_of_another(demo_site, page):
    five = candidates(demo_site)
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, demo_site)
    pick_first(page, demo_site, five[0], "先前的编绘")
    page.reload()
    settled(page)
    expect(page.locator("#compose-resume")).to_contain_text("先前的编绘")
    pick_first(page, demo_site, five[1], "正在进行")  # which lets what is offered be

    other = page.context.new_page()
    other.goto(demo_site.base_url)
    settled(other)
    expect(other.locator("#compose-resume")).to_contain_text("先前的编绘")
    other.click("[data-resume]")
    expect(other.locator("#compose-chosen li")).to_have_attribute("data-code", five[0][0])
    expect(other.locator("#compose-name")).to_have_value("先前的编绘")

    page.click("#compose-leave")
    page.click("#compose-discard")
    expect(page.locator("#compose-resume")).to_be_hidden()  # the other window is at it
    other.click("#compose-leave")
    other.click("#compose-discard")
    page.reload()
    settled(page)
    expect(page.locator("#compose-resume")).to_be_hidden()
    other.close()


def test_what_is_changed_while_it_is_saved_and_an_answer_that_is_lost_make_no_loss_and_no_twin(
    demo_site, page, allowed_errors
):
    allowed_errors.append(r"ERR_FAILED|409|Conflict")
    five = candidates(demo_site)
    sign_in(page, demo_site)
    pick_first(page, demo_site, five[0], "保存途中")
    held = []
    page.route(re.compile(r"/units/$"), lambda route: held.append(route))
    page.click("#compose-save")
    page.wait_for_timeout(300)
    page.locator("summary").filter(has_text=re.compile("Paste codes|粘贴宗地代码")).click()
    page.fill("#compose-codes", five[1][0])
    page.locator("button[form=compose-paste]").click()
    expect(page.locator("#compose-chosen li")).to_have_count(2)
    held[0].continue_()
    page.unroute(re.compile(r"/units/$"))
    expect(page.locator("[data-notice=saved]")).to_be_visible(timeout=PATIENCE)
    first = stored(demo_site, "保存途中")
    assert first["members"] == [five[0][0]]
    expect(page.locator("#compose-title")).to_contain_text(first["code"])
    expect(page.locator("#compose-chosen li")).to_have_count(2)
    answered(page)
    confirm_all(page)
    save(page, "保存途中")
    assert stored(demo_site, "保存途中")["code"] == first["code"]
    assert stored(demo_site, "保存途中")["members"] == sorted([five[0][0], five[1][0]])

    # Somebody deletes the draft while it is edited: it is brought back with what was composed.
    page.click("[data-does=unitEdit]")
    answered(page)
    page.evaluate(
        """async ([address, version]) => fetch(address, {method: 'DELETE',
            body: JSON.stringify({version, reason: '误删'}),
            headers: {'Content-Type': 'application/json',
                      'X-CSRFToken': document.cookie.match(/csrftoken=([^;]+)/)[1]}})""",
        [f"/units/{first['code']}.json", stored(demo_site, "保存途中")["version"]],
    )
    page.fill("#compose-name", "恢复后保存")
    confirm_all(page)
    page.click("#compose-save")
    notice = page.locator("[data-notice=conflict]")
    expect(notice.locator("button")).to_have_count(2, timeout=PATIENCE)
    notice.locator("button").first.click()
    expect(page.locator("#unit-body h2")).to_have_text("恢复后保存", timeout=PATIENCE)
    assert stored(demo_site, "恢复后保存")["state"] == "draft"
    page.click("#unit-close")

    # The answer is lost on its way back: the second attempt finds what the first has made.
    pick_first(page, demo_site, five[2], "只存一次")

    def lose(route):
        route.fetch()
        route.abort()

    page.route(re.compile(r"/units/$"), lose)
    page.click("#compose-save")
    expect(page.locator("[data-notice=unreached]")).to_be_visible(timeout=PATIENCE)
    page.unroute(re.compile(r"/units/$"))
    page.locator("[data-notice=unreached] button").click()
    expect(page.locator("[data-notice=lost], #unit-body h2").first).to_be_visible(timeout=PATIENCE)
    if page.locator("[data-notice=lost]").count():
        page.locator("[data-notice=lost] button").first.click()
    expect(page.locator("#unit-body h2")).to_have_text("只存一次", timeout=PATIENCE)
    count = "SELECT count(*) FROM units_redevelopmentunit WHERE name = '只存一次'"
    assert rows(demo_site, count) == [(1,)]


def test_the_hand_lets_go_before_a_step_a_drawing_comes_back_and_a_ring_inside_is_a_hole(demo_site, page):
    _code, corners = a_block(demo_site)
    lng, lat = sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4
    sign_in(page, demo_site)
    look_at(page, lng + 0.5, lat, 17)
    page.click("#compose-open")
    page.locator("summary").filter(has_text=re.compile("Paste codes|粘贴宗地代码")).click()
    page.fill("#compose-codes", candidates(demo_site)[0][0])
    page.locator("button[form=compose-paste]").click()
    answered(page)
    # What was pasted is looked at.
    page.wait_for_function("far => Number(location.hash.slice(1).split('/')[2]) < far", arg=lng + 0.3)
    page.click("#compose-undo")
    look_at(page, lng, lat, 18)
    page.click("[data-tool=draw]")
    snapping(page)
    for place in corners:
        click_at(page, *place, 3, 2)
    page.keyboard.press("Enter")
    page.keyboard.down("Alt")
    for east, north in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        click_at(page, lng, lat, 20 * east, -20 * north)
        page.wait_for_timeout(60)
    page.keyboard.up("Alt")
    page.keyboard.press("Enter")
    answered(page)
    assert page.locator(".verdict-facts dd").nth(1).inner_text() == "1"  # holes
    expect(page.locator("#compose-corner-count")).to_contain_text("8")

    # A corner in the hand, and a step back: neither an error nor the corner of another state.
    for keys in (["n", "Space", "ArrowRight", "Control+z", "ArrowRight"], ["Control+y", "n", "Space", "Delete"]):
        for key in keys:
            page.keyboard.press(key)
    page.keyboard.press("Control+z")
    expect(page.locator("#compose-corner-count")).to_contain_text("8")

    # While one measures, the keys are the measure's.
    page.click("#tool-area")
    for key in ("ArrowRight", "Enter", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#compose-corner-count")).to_contain_text("8")
    page.click("[data-tool=draw]")
    expect(page.locator("#measure")).to_be_hidden()

    # Another tool's click puts parcels into its place, which is told and taken back.
    page.click("[data-tool=pick]")
    click_at(page, *corners[0], -4, -4)
    notice = page.locator("[data-notice=replaced]")
    if not notice.count():
        click_at(page, lng, lat)
    expect(notice).to_be_visible()
    notice.locator("button").click()
    expect(page.locator("#compose-corner-count")).to_contain_text("8")
    expect(notice).to_have_count(0)


def test_an_answer_to_an_older_question_is_dropped(demo_site, page):
    five = candidates(demo_site)
    sign_in(page, demo_site)
    look_at(page, five[0][1], five[0][2], 17)
    page.click("#compose-open")
    held = []

    def slowly(route):
        if len(json.loads(route.request.post_data)["parcels"]) == 1:
            held.append(route)  # answered after the later one
        else:
            route.continue_()

    page.route(re.compile(r"/map/compose\.json"), slowly)
    page.locator("summary").filter(has_text=re.compile("Paste codes|粘贴宗地代码")).click()
    page.fill("#compose-codes", five[0][0])
    page.locator("button[form=compose-paste]").click()
    expect(page.locator("#compose-chosen li")).to_have_count(1)
    page.wait_for_timeout(500)
    assert held
    page.fill("#compose-codes", five[1][0])
    page.locator("button[form=compose-paste]").click()
    answered(page)
    area = page.locator(".verdict-area b").inner_text()
    for route in held:
        with contextlib.suppress(PlaywrightError):  # the page may have taken the question back, which is as good
            route.fulfill(json={"geometry": None, "members": [], "overlaps": [], "problems": [], "area_m2": 1})
    page.wait_for_timeout(300)
    assert page.locator(".verdict-area b").inner_text() == area


def test_leaving_with_changes_asks_first_and_escape_takes_back_one_thing_at_a_time(demo_site, page):
    _code, corners = a_block(demo_site)
    sign_in(page, demo_site)
    look_at(page, sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4, 18)
    page.click("#compose-open")
    page.click("[data-tool=draw]")
    snapping(page)
    for lng, lat in corners[:2]:
        click_at(page, lng, lat)
    expect(page.locator("#compose-drop")).to_be_enabled()
    page.keyboard.press("Enter")  # two corners are no shape
    expect(page.locator("#compose-drop")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator("#compose-drop")).to_be_disabled()
    page.keyboard.press("Control+z")
    expect(page.locator("#compose-corner-count")).to_contain_text("2")
    page.click("#compose-leave")
    expect(page.locator("#compose-discard")).to_be_focused()
    page.click("#compose-stay")
    expect(page.locator("#compose-corner-count")).to_contain_text("2")
    page.click("#compose-leave")
    page.click("#compose-discard")
    expect(page.locator("#compose-open")).to_be_focused()
    page.reload()
    settled(page)
    expect(page.locator("#compose-resume")).to_be_hidden()


def test_far_out_nothing_is_drawn_and_the_page_says_why(demo_site, page):
    _code, corners = a_block(demo_site)
    sign_in(page, demo_site)
    look_at(page, *corners[0], 18)
    page.click("#compose-open")
    page.click("[data-tool=draw]")
    snapping(page)
    page.focus("#map")
    for _step in range(3):
        page.keyboard.press("-")
    page.wait_for_selector("#map[data-outlines=far]")
    click_at(page, *corners[0])
    expect(page.locator("#compose-status")).to_contain_text("16")
    expect(page.locator("#compose-undo")).to_be_disabled()


def test_no_drawn_corner_is_ever_taken_from_a_tile(demo_site, page):
    """The corners come from outlines.json in full precision: without it nothing snaps, and the page says so."""
    _code, corners = a_block(demo_site)
    sign_in(page, demo_site)
    page.route(re.compile(r"/map/outlines\.json"), lambda route: route.fulfill(json={"features": []}))
    look_at(page, sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4, 18)
    page.click("#compose-open")
    page.click("[data-tool=draw]")
    snapping(page)
    click_at(page, *corners[0], 4, 3)
    expect(page.locator("#map path.compose-corner")).to_have_count(1)
    expect(page.locator("#map path.compose-corner.on-corner")).to_have_count(0)


def test_who_may_not_draw_has_no_tool_for_it(demo_site, page):
    sign_in(page, demo_site, "lead")
    expect(page.locator("#compose-open")).to_have_count(0)
    expect(page.locator("#list-view")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "language"), [(820, 1180, "zh-hans"), (600, 900, "en")])
def test_on_a_tablet_the_panel_and_the_map_share_the_window(demo_site, new_page, width, height, language):
    page = new_page(width=width, height=height, has_touch=True)
    five = candidates(demo_site)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": demo_site.base_url}])
    sign_in(page, demo_site)
    look_at(page, five[0][1], five[0][2], 17)
    page.click("#compose-open")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    map_box, panel = page.locator("#map").bounding_box(), page.locator("#compose").bounding_box()
    assert map_box["width"] >= 400
    assert map_box["height"] >= 300
    apart = panel["x"] >= map_box["x"] + map_box["width"] - 1 or panel["y"] >= map_box["y"] + map_box["height"] - 1
    assert apart
    settled(page)
    across, down = on_screen(page, five[0][1], five[0][2])
    page.touchscreen.tap(across, down)
    expect(page.locator("#compose-chosen li")).to_have_attribute("data-code", five[0][0])
    expect(page.locator("#compose-save")).to_be_in_viewport()
    answered(page)
