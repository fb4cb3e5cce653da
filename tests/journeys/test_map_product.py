"""The map as a product: themes, labels, saved views, the lists of everything, the base map, and what is printed."""

import csv
import io
import re

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import serve
from tests.journeys import signing

PASSWORD = "demo-password-1"
CLOSE = "#16/39.10400/117.15000"
# The colours of what is painted, by how many of the looked-at pixels have them; tiles alone.
INKS = """() => {
    const copy = Object.assign(document.createElement('canvas'), {width: 256, height: 256});
    const brush = copy.getContext('2d', {willReadFrequently: true}), seen = {};
    for (const tile of document.querySelectorAll('#map canvas.leaflet-tile')) {
        if (!tile.width) continue;
        brush.clearRect(0, 0, 256, 256);
        brush.drawImage(tile, 0, 0, 256, 256);
        const data = brush.getImageData(0, 0, 256, 256).data;
        for (let i = 0; i < data.length; i += 4 * 13) {
            if (data[i + 3] < 200) continue;
            const ink = [data[i], data[i + 1], data[i + 2]].join();
            seen[ink] = (seen[ink] ?? 0) + 1;
        }
    }
    return seen;
}"""


def settled(page: Page) -> None:
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(100)
    page.wait_for_selector("#map[aria-busy=false]")


def opened(page: Page, site, hash_: str = CLOSE, name: str = "lead") -> None:
    """Be at a place of the map, as a link leads there; a lead department, who draws nothing, unless told otherwise."""
    signing.sign_in(page, site, name, PASSWORD)
    page.goto("about:blank")
    page.goto(f"{site.base_url}/{hash_}")
    settled(page)


def themed(page: Page) -> None:
    expect(page.locator("#theme")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".theme-class").first).to_be_visible()
    settled(page)
    expect(page.locator("#list")).to_have_attribute("aria-busy", "false")


def number(text: str) -> int:
    return int(text.replace(",", ""))


def rows(page: Page) -> dict[str, int]:
    """Sign → count of the legend of the theme."""
    boxes = page.locator("#theme-classes input").all()
    counts = page.locator("#theme-classes .count").all_inner_texts()
    return {box.get_attribute("data-class"): number(text) for box, text in zip(boxes, counts, strict=True)}


@pytest.mark.rows("NK010", "NK011")
def test_a_theme_parts_a_measure_and_its_classes_narrow_map_and_list_by_keyboard(demo_site, page):
    opened(page, demo_site)
    page.focus("#theme-measure")
    page.select_option("#theme-measure", "far")
    page.select_option("#theme-method", "natural")
    page.select_option("#theme-number", "4")
    themed(page)
    expect(page.locator("#theme-classes input")).to_have_count(5)
    counts = rows(page)
    # An independent count: every measured parcel is in one class, those without a value are told as unknown.
    with psycopg.connect(demo_site.database_url) as connection:
        known, unknown = connection.execute(
            "SELECT count(far), count(*) - count(far) FROM units_measured WHERE kind = 'parcel'"
        ).fetchone()
        answer = page.request.get(
            f"{demo_site.base_url}/map/values.json", params={"measure": "far", "method": "natural", "classes": "4"}
        ).json()
        for sign, one in enumerate(answer["classes"]):
            inside = connection.execute(
                "SELECT count(*) FROM units_measured WHERE far BETWEEN %s AND %s AND kind = 'parcel'",
                [one["least"], one["most"]],
            ).fetchone()[0]
            assert inside == one["count"] == counts[str(sign)]
    assert counts["?"] == unknown
    assert sum(counts.values()) == known + unknown
    assert sum(len(signs.replace(" ", "")) for _first, signs in answer["packed"]) == known + unknown

    # Each class has its colour on the map, and one that is unticked leaves map and list, by keyboard alone.
    colours = page.evaluate(
        "[...document.querySelectorAll('#theme-classes .swatch-class')].map(one => one.style.backgroundColor)"
    )
    assert len({one for one in colours if one}) == 4
    before = page.evaluate(INKS)
    whole = number(page.locator("[data-tab=candidate] .count").inner_text())
    page.focus("[data-class='0']")
    page.keyboard.press("Space")
    themed(page)
    expect(page.locator("[data-class='0']")).to_be_focused()
    assert "class=1,2,3,?" in page.url
    page.wait_for_function(f"before => JSON.stringify(({INKS})()) !== JSON.stringify(before)", arg=before)
    told = {name: number(page.locator(f"[data-tab={name}] .count").inner_text()) for name in ("candidate", "not_low")}
    assert told["candidate"] < whole
    page.locator(".theme-only").nth(3).focus()
    page.keyboard.press("Enter")
    themed(page)
    only = sum(number(text) for text in page.locator("[data-tabs=candidates] .count").all_inner_texts())
    assert only == counts["3"]
    with page.expect_download() as download:
        page.click("#theme-table")
    lines = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert len(lines) - 1 == counts["3"]
    assert {line[4] for line in lines[1:]} == {"4"}

    # The link opens the same theme, with the same class alone; what is not known is hatched, not merely pale.
    hash_ = page.evaluate("location.hash")
    opened(page, demo_site, hash_)
    themed(page)
    assert page.evaluate("location.hash") == hash_
    assert [box.is_checked() for box in page.locator("#theme-classes input").all()] == [
        False,
        False,
        False,
        True,
        False,
    ]
    expect(page.locator("#theme-classes .swatch-hatch-diagonal")).to_have_count(1)
    page.click("#list-reset")
    themed(page)
    assert "class=" not in page.url
    page.click("#theme-off")
    expect(page.locator(".theme-class")).to_have_count(0)
    assert "theme=" not in page.url


@pytest.mark.rows("NK017")
def test_figures_of_firms_are_a_theme_of_their_readers_alone(demo_site, new_page):
    readers, others = ("office",), ("street", "city")
    for name in (*readers, *others):
        page = new_page()
        opened(page, demo_site, CLOSE, name)
        there = page.locator("#theme-measure option[value=tax_per_mu]").count()
        address = f"{demo_site.base_url}/map/"
        accept = {"Accept": "application/json"}
        asked = [
            page.request.get(f"{address}values.json?measure=tax_per_mu", headers=accept),
            page.request.get(f"{address}values.csv?measure=tax_per_mu", headers=accept),
            page.request.get(f"{address}candidates.json?measure=tax_per_mu&class=0", headers=accept),
            page.request.get(f"{address}candidates.csv?measure=tax_per_mu&class=0", headers=accept),
        ]
        assert there == (1 if name in readers else 0), name
        assert [one.status for one in asked] == [200 if name in readers else 403] * 4, name
        # What is open to all is open to them, of their own places alone.
        free = page.request.get(f"{address}values.json?measure=far", headers=accept).json()
        counted = sum(one["count"] for one in free["classes"]) + free["unknown"]["count"]
        with psycopg.connect(demo_site.database_url) as connection:
            street = "120104001" if name == "street" else "%"
            whole = connection.execute(
                "SELECT count(*) FROM units_measured WHERE kind = 'parcel' AND street_id LIKE %s", [street]
            ).fetchone()[0]
        assert counted == whole, name


LABELS = """async () => {
    const { Labels } = await import('/static/geoinv/js/labels.js');
    const boxes = [];
    const place = Labels.prototype.place;
    window.labelBoxes = boxes;
    Labels.prototype.place = function (ctx, rule, one, taken, zoom) {
        const told = { text: null }, write = ctx.fillText;
        ctx.fillText = function (text, x, y) {
            const width = ctx.measureText(text).width, height = rule.font.size;
            boxes.push([text, x - width / 2, y - height / 2, x + width / 2, y + height / 2]);
            write.call(ctx, text, x, y);
        };
        const done = place.call(this, ctx, rule, one, taken, zoom);
        ctx.fillText = write;
        return done;
    };
}"""


def test_labels_never_lie_over_each_other_and_units_are_named_before_parcels(demo_site, page):
    with psycopg.connect(demo_site.database_url) as connection:
        name, lng, lat = connection.execute(
            "SELECT name, ST_X(ST_PointOnSurface(geom)), ST_Y(ST_PointOnSurface(geom)) FROM units_redevelopmentunit"
            " WHERE state = 'approved' ORDER BY id LIMIT 1"
        ).fetchone()
    opened(page, demo_site, f"#17/{lat:.5f}/{lng:.5f}&show=legacy,control-areas")
    page.evaluate(LABELS)
    page.evaluate("window.labelBoxes.length = 0")
    page.uncheck("[data-ground-toggle=labels]")
    page.check("[data-ground-toggle=labels]")
    page.wait_for_function("() => window.labelBoxes.length > 20")
    page.wait_for_timeout(300)
    boxes = page.evaluate("window.labelBoxes")
    last = boxes[-int(page.locator(".map-labels").get_attribute("data-placed")) :]
    for i, (text, left, top, right, bottom) in enumerate(last):
        for other, x0, y0, x1, y1 in last[:i]:
            assert left >= x1 or right <= x0 or top >= y1 or bottom <= y0, f"{text} over {other}"
    texts = [one[0] for one in last]
    assert name in texts
    assert any(re.fullmatch(r"GB\d{5}", text) for text in texts)
    assert texts.index(name) < next(i for i, text in enumerate(texts) if text.startswith("GB"))
    page.uncheck("[data-ground-toggle=labels]")
    expect(page.locator(".map-labels")).to_have_count(0)
    assert "ground=-labels" in page.url


def test_a_view_is_saved_shared_and_opened_by_another_as_it_was(demo_site, new_page):
    page = new_page()
    opened(
        page,
        demo_site,
        f"{CLOSE}&theme=coverage:equal:3&class=0,1&show=legacy&hide=buildings&street=120104002",
        "office",
    )
    themed(page)
    kept = page.evaluate("location.hash")
    page.focus("#tool-views")
    page.keyboard.press("Enter")
    expect(page.locator("#views-name")).to_be_focused()
    page.keyboard.type("覆盖率低的地块")
    page.check("#views-share")
    page.focus("#views-name")
    page.keyboard.press("Enter")
    expect(page.locator(".views-name", has_text="覆盖率低的地块")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#views")).to_be_hidden()
    expect(page.locator("#tool-views")).to_be_focused()

    other = new_page()
    opened(other, demo_site, "#14/39.12000/117.16000", "district")
    other.click("#tool-views")
    other.click(".views-name >> text=覆盖率低的地块")
    themed(other)
    expect(other.locator("#theme-measure")).to_have_value("coverage")
    words = [dict(one.split("=", 1) for one in text.split("&")[1:]) for text in (kept, other.evaluate("location.hash"))]
    assert words[0] == words[1]
    assert not other.locator("[data-layer-toggle=buildings]").is_checked()
    assert other.locator("[data-class='2']").is_checked() is False
    assert other.input_value("#street") == "120104002"
    expect(other.locator(".views-acts")).to_have_count(0)  # not theirs to change

    page.click("#tool-views")
    page.locator(".views-acts .close").click()
    expect(page.locator(".views-name")).to_have_count(0)


def test_every_register_of_the_map_is_a_list_and_a_table(demo_site, page):
    opened(page, demo_site, CLOSE, "office")
    with psycopg.connect(demo_site.database_url) as connection:
        areas = connection.execute("SELECT count(*) FROM units_controlarea WHERE in_force").fetchone()[0]
    for of, tab in (("units", ""), ("legacy", ""), ("findings", ""), ("control-areas", "")):
        page.select_option("#list-of", of)
        expect(page.locator("#list")).to_have_attribute("aria-busy", "false")
        expect(page.locator(f".list-row-{of}").first).to_be_visible()
        told = number(page.locator(f"[data-tabs={of}] [data-tab='{tab}'] .count").inner_text())
        with page.expect_download() as download:
            page.click("#list-table")
        lines = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
        assert len(lines) - 1 == told, of
        if of == "control-areas":
            assert told == areas
    page.select_option("#kind", "park")
    expect(page.locator("#list")).to_have_attribute("aria-busy", "false")
    page.locator(".list-row-control-areas").first.click()
    expect(page.locator("#patch-note .note-control-areas")).to_be_visible()
    assert page.locator("[data-layer-toggle=control-areas]").is_checked()


def test_what_one_sees_is_printed_on_one_sheet_with_all_that_a_map_must_say(demo_site, page, tmp_path):
    opened(page, demo_site, f"{CLOSE}&theme=far:quantile:5&show=control-areas")
    themed(page)
    seen = page.evaluate("location.hash")
    page.click("#tool-print")
    page.select_option("#print-paper", "a4")
    page.select_option("#print-way", "landscape")
    page.fill("#print-title", "南开区容积率图")
    page.wait_for_selector("html[data-sheet=ready]")
    sheet = page.locator(".workspace")
    for text in ("南开区容积率图", "CGCS2000", "EPSG:3857", "2022", "1:"):
        expect(sheet).to_contain_text(text)
    expect(page.locator(".print-north")).to_be_visible()
    assert page.locator("#print-bar-line").bounding_box()["width"] > 60
    texts = page.locator("#print-legend li span:nth-child(2)").all_inner_texts()
    assert len(texts) > 8
    assert "住宅用地" in texts
    assert "工业用地控制线" in texts
    assert page.locator(".panel-left, .panel-right, .tools").locator("visible=true").count() == 0
    # The scale that is told is that of the bar: its metres over its millimetres.
    told = number(re.search(r"1:([\d,]+)", page.locator("#print-ratio").inner_text())[1])
    metres = number(re.search(r"([\d,]+) m", page.locator("#print-bar-whole").inner_text())[1])
    bar = page.evaluate("document.querySelector('#print-bar-line').clientWidth") / 96 * 0.0254
    assert metres / bar == pytest.approx(told, rel=0.06)
    pdf = page.pdf(path=tmp_path / "sheet.pdf", prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    width, height = (float(one) for one in re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
    assert (width, height) == pytest.approx((297 / 25.4 * 72, 210 / 25.4 * 72), abs=1)
    page.focus("#print-now")
    page.keyboard.press("Escape")
    settled(page)
    expect(page.locator("#legend")).to_be_visible()
    expect(page.locator("#tool-print")).to_be_focused()
    now = page.evaluate("location.hash")
    assert now.split("&")[1:] == seen.split("&")[1:]
    place, was = ([float(one) for one in text[1:].split("&")[0].split("/")] for text in (now, seen))
    assert place == pytest.approx(was, abs=2e-5)  # a pixel is as much


def test_on_a_tablet_fingers_find_what_they_need_and_the_list_folds_away(demo_site, new_page):
    page = new_page(width=820, height=1180, has_touch=True, is_mobile=True)
    opened(page, demo_site, f"{CLOSE}&theme=far:equal:4")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in (".tool", ".leaflet-control-zoom-in", ".list-row", ".list-fold"):
        box = page.locator(name).first.bounding_box()
        assert min(box["width"], box["height"]) >= 32, name
    before = page.locator("#map").bounding_box()["width"]
    page.tap("#list-fold")
    expect(page.locator("#panel-lists")).to_be_hidden()
    assert page.locator("#map").bounding_box()["width"] > before + 200
    settled(page)
    page.tap("#map", position={"x": 410, "y": 560})
    page.tap("#map", position={"x": 440, "y": 620})
    page.tap(".legend-open")
    expect(page.locator("#theme-classes input").first).to_be_visible()
    page.tap("[data-class='0']")
    expect(page.locator("[data-class='0']")).not_to_be_checked()


# --- the national map, where a deployer has switched it on

KEY = "a-browser-key"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f0005000201"
    "a5d6a4a90000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def keyed_site(databases, demo_database, tmp_path_factory):
    """The site of a deployer who has a key of Tianditu."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEOINV_TIANDITU_KEY", KEY)
        yield from serve(databases, demo_database, tmp_path_factory)


def test_without_a_key_no_other_host_is_allowed_and_with_one_the_national_map_alone(demo_site, keyed_site, page):
    for site, allowed in ((demo_site, False), (keyed_site, True)):
        policy = page.request.get(f"{site.base_url}/accounts/login/").headers["content-security-policy"]
        assert ("tianditu" in policy) == allowed
        hosts = re.findall(r"https?://[^\s;]+", policy)
        assert hosts == (["https://*.tianditu.gov.cn"] if allowed else [])
        text = page.request.get(f"{site.base_url}/").text()
        assert KEY not in text  # nobody signed in is told the key
        assert not re.search(r"amap|autonavi|bdimg|baidu|gtimg|gcj|bd09", text, re.IGNORECASE)


def test_the_national_map_is_tried_first_told_when_it_fails_and_off_until_asked_for(keyed_site, page, allowed_errors):
    allowed_errors.extend([r"another host: https://t\d\.tianditu", r"ERR_FAILED|403|Failed to load"])
    asked, answers = [], {"status": 200}

    def tianditu(route):
        asked.append(route.request.url)
        if answers["status"] == 200:
            route.fulfill(status=200, content_type="image/png", body=PIXEL)
        else:
            route.fulfill(status=answers["status"], body="")

    page.route(re.compile(r"tianditu\.gov\.cn"), tianditu)
    opened(page, keyed_site, CLOSE)
    assert asked == []
    expect(page.locator("#attribution")).to_be_hidden()
    page.check("input[name=ground][value=vec]")
    expect(page.locator("#attribution")).to_contain_text("天地图")
    page.wait_for_function("() => document.querySelectorAll('#map img.leaflet-tile-loaded').length > 3")
    assert all(f"tk={KEY}" in url and "TILEMATRIXSET=w" in url for url in asked)
    assert {re.search(r"/(\w+)_w/", url)[1] for url in asked} == {"vec", "cva"}
    hash_ = page.evaluate("location.hash")
    assert "ground=vec" in hash_

    answers["status"] = 403  # the day's quota is used up: of what is asked from now on nothing comes
    page.goto("about:blank")
    page.goto(f"{keyed_site.base_url}/{hash_}")
    settled(page)
    expect(page.locator("#attribution")).to_contain_text("底图不可用")
    expect(page.locator("#map img.leaflet-tile")).to_have_count(0)
    assert page.locator("input[name=ground][value='']").is_checked()
    expect(page.locator(".graticule-label").first).to_be_attached()
    assert "ground=vec" not in page.url
