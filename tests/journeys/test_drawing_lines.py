"""A planner draws as on a desktop: the server snaps corners, lines are traced, shapes split, cut, merged and moved."""

import json
import math
import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_composing import (
    CLOSE,
    PATIENCE,
    a_block,
    answered,
    click_at,
    confirm_all,
    corners_of,
    look_at,
    on_screen,
    rows,
    save,
    settled,
    sign_in,
    snapping,
    stored,
    tab_to,
)

METRE = 1 / 111_000  # degrees of latitude, roughly
ALIKE = 1e-6  # of an area in square degrees, whose edges are not quite those of the ellipsoid
STEP, FAR = 16, 96  # pixels that an arrow moves the crosshair, alone and with Ctrl


# --- what the page holds -----------------------------------------------------------------------------------------


def held(page: Page) -> dict:
    """The state that is worked at, with every digit: as it is kept in the browser."""
    page.wait_for_timeout(50)
    kept = page.evaluate(
        """() => Object.keys(localStorage).filter((one) => one.startsWith('geoinv.unsaved.'))
                 .map((one) => JSON.parse(localStorage[one])).sort((a, b) => b.kept - a.kept)[0]"""
    )
    return kept["now"]


def server_heard(page: Page) -> None:
    """Every corner has been answered by the server."""
    page.wait_for_function("() => ['0', undefined].includes(document.querySelector('#map').dataset.settling)")
    page.wait_for_function("() => document.querySelector('#map').dataset.tracing !== 'asking'")


def extent(rings: list) -> float:
    """What a polygon covers, in square degrees: enough to compare."""

    def ring(corners):
        following = corners[1:] + corners[:1]
        return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, following, strict=True))) / 2

    # From its own first corner, or the last digits are lost.
    x, y = rings[0][0]
    rings = [[(one[0] - x, one[1] - y) for one in corners] for corners in rings]
    return ring(rings[0]) - sum(map(ring, rings[1:]))


def total(state: dict) -> float:
    return sum(extent(polygon) for shape in (state["shape"], *state["aside"]) for polygon in shape)


def alike(shape: list) -> set:
    """Polygons as sets of rings, whichever corner and way they begin with."""
    return {frozenset(frozenset(map(tuple, ring)) for ring in polygon) for polygon in shape}


def outline_of(site, code: str) -> set[tuple[float, float]]:
    ((shape,),) = rows(site, "SELECT ST_AsGeoJSON(geom, 15) FROM units_parcel WHERE code = %(code)s", code=code)
    return set(corners_of(shape))


def middle(corners) -> tuple[float, float]:
    return sum(lng for lng, _lat in corners) / 4, sum(lat for _lng, lat in corners) / 4


def begun(page: Page, site, corners, tool: str = "draw") -> None:
    """A new composition at zoom 18, the tool chosen."""
    sign_in(page, site)
    look_at(page, *middle(corners), 18)
    page.click("#compose-open")
    page.click(f"[data-tool={tool}]")
    snapping(page)


def square(page: Page, lng: float, lat: float, dx: int, dy: int, side: int) -> None:
    """Four free corners by clicks, beside a place on the screen."""
    page.keyboard.down("Alt")
    for east, north in ((0, 0), (side, 0), (side, side), (0, side)):
        click_at(page, lng, lat, dx + east, dy - north)
        page.wait_for_timeout(40)
    page.keyboard.up("Alt")


# --- snapping, holes and parts -----------------------------------------------------------------------------------


@pytest.mark.rows("NK024")
def test_a_drawing_with_a_hole_and_two_parts_snaps_and_is_saved_reloaded_and_equal(demo_site, page):
    code, corners = a_block(demo_site)
    lng, lat = middle(corners)
    begun(page, demo_site, corners)
    for place, (dx, dy) in zip(corners, ((4, -2), (-3, 3), (2, 4), (-4, -3)), strict=True):
        click_at(page, *place, dx, dy)
    # How far the corner lies from the hand is told: some pixels of a third to two thirds of a metre.
    server_heard(page)
    told = re.search(r"([\d.]+) m", page.inner_text("#compose-status"))
    assert 1 < float(told[1]) < 6
    assert code in page.inner_text("#compose-status")
    page.keyboard.press("Enter")
    square(page, lng, lat, -20, 10, 30)
    page.keyboard.press("Enter")
    square(page, *min(corners, key=lambda one: one[1]), -20, 160, 50)
    page.keyboard.press("Enter")
    server_heard(page)
    answered(page)
    drawn = held(page)["shape"]
    assert [[len(ring) for ring in polygon] for polygon in drawn] == [[4, 4], [4]]
    vertices = outline_of(demo_site, code)
    for corner in drawn[0][0]:
        assert min(max(abs(corner[0] - x), abs(corner[1] - y)) for x, y in vertices) <= CLOSE
        assert tuple(corner) in vertices  # the very numbers
    confirm_all(page)
    save(page, "带孔两部分")
    unit = stored(demo_site, "带孔两部分")
    assert set(unit["corners"]) == {tuple(corner) for polygon in drawn for ring in polygon for corner in ring}

    # Reloaded: the server hands out the same numbers, and what the editor holds is what is saved: no new version.
    page.goto("about:blank")
    page.goto(f"{demo_site.base_url}/#&unit={unit['code']}")
    settled(page)
    expect(page.locator("#unit-body h2")).to_have_text("带孔两部分", timeout=PATIENCE)
    found = page.evaluate("async (code) => (await (await fetch(`/units/${code}.json`)).json()).geometry", unit["code"])
    assert alike([[ring[:-1] for ring in polygon] for polygon in found["coordinates"]]) == alike(drawn)
    page.click("[data-does=unitEdit]")
    answered(page)
    assert [page.locator(".verdict-facts dd").nth(number).inner_text() for number in (0, 1)] == ["2", "1"]
    confirm_all(page)
    save(page, "带孔两部分")
    assert stored(demo_site, "带孔两部分")["version"] == unit["version"]


def test_coordinates_are_put_on_the_parcels_corner_by_the_server_at_any_zoom_and_kept_when_it_is_silent(
    demo_site, page, allowed_errors
):
    allowed_errors.append(r"ERR_FAILED|400|Bad Request")
    code, corners = a_block(demo_site)
    (lng, lat), others = corners[0], corners[1:]
    begun(page, demo_site, corners)
    fold = page.locator(".compose-bring details")
    fold.locator("summary").click()
    for zoom in (16, 18):
        look_at(page, lng, lat, zoom)
        page.fill("#compose-boundary", f"J1 {lng:.9f} {lat + 0.3 * METRE:.9f}")
        page.click("#compose-points .button")
        expect(page.locator("#compose-corner-count")).to_contain_text("1")
        server_heard(page)
        assert held(page)["growing"] == [[lng, lat]]
        expect(page.locator("#compose-status")).to_contain_text(code)
        assert re.search(r"0\.(29|30|31) m", page.inner_text("#compose-status"))
        page.click("#compose-undo")
        expect(page.locator("#compose-undo")).to_be_disabled()
    # Far from every edge it stays where it was put.
    inside = [round((lng + 4 * middle(corners)[0]) / 5, 9), round((lat + 4 * middle(corners)[1]) / 5, 9)]
    page.fill("#compose-boundary", f"{inside[0]}, {inside[1]}")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#compose-corner-count")).to_contain_text("1")
    server_heard(page)
    assert held(page)["growing"] == [inside]
    page.click("#compose-undo")
    expect(page.locator("#compose-undo")).to_be_disabled()

    # A whole table: the shape as it was surveyed is one step, what was snapped another.
    table = "\n".join(f"J{i} {x:.9f} {y + 0.2 * METRE:.9f}" for i, (x, y) in enumerate(corners))
    page.fill("#compose-boundary", table)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#compose-status")).to_contain_text(re.compile(r"4 .*0\.2\d m"), timeout=PATIENCE)
    assert alike(held(page)["shape"]) == alike([[corners]])
    page.click("#compose-undo")
    assert alike(held(page)["shape"]) != alike([[corners]])
    page.click("#compose-redo")
    answered(page)
    # What is no point is refused with its line, and nothing is lost of the text.
    page.fill("#compose-boundary", "J1 117.1 39.1\nJ2 没有\nJ3 12")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-notice=file]")).to_contain_text("3: J3 12")
    expect(page.locator("#compose-boundary")).to_have_value(re.compile("J3 12"))

    # A file dropped onto the panel, and one that is chosen: its hole is kept, its corners are snapped likewise.
    for way in (dropped, chosen):
        before = held(page)["shape"]
        hole = [[lng + (x - lng) * 0.4 + 0.0001, lat + (y - lat) * 0.4 + 0.0001] for x, y in corners]
        way(page, geojson([[x, y + 0.2 * METRE] for x, y in corners], hole))
        expect(page.locator("#compose-status")).to_contain_text(re.compile(r"4 .*0\.2\d m"), timeout=PATIENCE)
        ((outer, inner),) = held(page)["shape"]
        assert {tuple(corner) for corner in outer} == set(corners)
        assert len(inner) == 4
        expect(page.locator("#compose-brought")).to_contain_text("plan.geojson")
        page.click("#compose-undo")
        page.click("#compose-undo")
        assert held(page)["shape"] == before
        answered(page)

    # A silent server stops nobody: the corner of the screen stays.
    page.route(re.compile(r"/map/(snap|trace)\.json"), lambda route: route.abort())
    while page.locator("#compose-undo").is_enabled():
        page.click("#compose-undo")
    page.click("#compose-trace")
    for place in others:
        click_at(page, *place, 2, 2)
    page.keyboard.press("Enter")
    page.wait_for_selector("#map[data-settled=silent]")
    assert {tuple(corner) for corner in held(page)["shape"][0][0]} == set(others)


def geojson(*rings: list) -> str:
    """A file of one polygon in degrees."""
    closed = [[*map(list, ring), list(ring[0])] for ring in rings]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": closed}}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]})


def chosen(page: Page, text: str) -> None:
    file = {"name": "plan.geojson", "mimeType": "application/geo+json", "buffer": text.encode()}
    page.set_input_files("#compose-file", file)


def dropped(page: Page, text: str) -> None:
    page.evaluate(
        """(text) => {
            const held = new DataTransfer(), panel = document.querySelector('#compose-view');
            held.items.add(new File([text], 'plan.geojson', { type: 'application/geo+json' }));
            for (const kind of ['dragenter', 'dragover', 'drop'])
                panel.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: held }));
        }""",
        text,
    )


# --- every tool, once by mouse and once by keyboard --------------------------------------------------------------


def test_traced_split_moved_merged_cut_and_taken_back_with_the_mouse(demo_site, page):
    code, corners = a_block(demo_site)
    lng, lat = middle(corners)
    begun(page, demo_site, corners)

    # Traced: three clicks take in the whole parcel, the last one on the first corner.
    page.click("#compose-trace")
    click_at(page, *corners[0], 3, 2)
    click_at(page, *corners[2], -3, 2)
    server_heard(page)
    page.wait_for_selector("#map[data-tracing=done]")
    one_way = held(page)["growing"]
    assert len(one_way) > 3
    page.focus("#map")
    page.keyboard.press("o")
    other_way = held(page)["growing"]
    assert other_way != one_way
    assert {tuple(one) for one in (*one_way, *other_way)} >= outline_of(demo_site, code)
    page.click("#compose-undo")
    assert held(page)["growing"] == one_way
    click_at(page, *corners[0], 2, 2)
    expect(page.locator("#compose-drop")).to_be_disabled()
    answered(page)
    traced = held(page)
    assert {tuple(corner) for corner in traced["shape"][0][0]} >= outline_of(demo_site, code)
    assert [page.locator(".verdict-facts dd").nth(number).inner_text() for number in (2, 3)] == ["1", "0"]
    page.click("#compose-trace")

    # Split by a line; the larger piece stays, the other is set aside, and no ground is lost.
    west, north = (corners[0][0] + corners[1][0]) / 2 - 0.0002, max(y for _x, y in corners) + 0.0003
    page.click("[data-tool=split]")
    click_at(page, west, min(y for _x, y in corners) - 0.0003)
    click_at(page, west, north)
    page.click("#compose-finish")
    expect(page.locator("#compose-pieces li")).to_have_count(1)
    parted = held(page)
    assert math.isclose(total(parted), total(traced), rel_tol=ALIKE)
    assert extent(parted["shape"][0]) > extent(parted["aside"][0][0])
    page.locator("[data-does=pieceTake]").click()
    assert held(page)["shape"] == parted["aside"][0]
    page.click("#compose-undo")

    # The edge that the two share is dragged: what one gains the other loses.
    page.click("[data-tool=edge]")
    page.wait_for_selector("#map[data-handles]:not([data-handles='0'])")
    box = page.locator("path.shared-handle").last.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=4)
    page.mouse.up()
    page.wait_for_function("before => document.querySelector('#compose-area b')?.textContent !== before", arg="")
    expect(page.locator("#compose-status")).to_contain_text(re.compile(r"\d m"), timeout=PATIENCE)
    moved = held(page)
    assert not math.isclose(extent(moved["shape"][0]), extent(parted["shape"][0]), rel_tol=1e-3)
    assert math.isclose(total(moved), total(parted), rel_tol=ALIKE)

    # Merged again by a click on the piece; a ring cut out of it leaves a hole.
    page.click("[data-tool=merge]")
    piece = held(page)["aside"][0][0][0]
    click_at(page, sum(one[0] for one in piece) / len(piece), sum(one[1] for one in piece) / len(piece))
    expect(page.locator("#compose-pieces")).to_be_hidden()
    assert math.isclose(total(held(page)), total(traced), rel_tol=ALIKE)
    page.click("[data-tool=cut]")
    square(page, lng, lat, -15, 0, 30)
    page.click("#compose-finish")
    answered(page)
    expect(page.locator(".verdict-facts dd").nth(1)).to_have_text("1")
    cut = held(page)
    assert [len(polygon) for polygon in cut["shape"]] == [2]
    assert total(cut) < total(traced)

    # All of it is taken back, and again.
    while page.locator("#compose-undo").is_enabled():
        page.click("#compose-undo")
    expect(page.locator("#compose-none")).to_be_visible()
    while page.locator("#compose-redo").is_enabled():
        page.click("#compose-redo")
    assert held(page) == cut
    answered(page)
    save(page, "鼠标各工具")
    assert set(stored(demo_site, "鼠标各工具")["corners"]) == {tuple(one) for ring in cut["shape"][0] for one in ring}


def carried(page: Page, here: list[float], lng: float, lat: float) -> None:
    """Bring the crosshair from `here` to a place by arrows alone."""
    target = on_screen(page, lng, lat)
    for axis, (less, more) in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
        away = round(target[axis] - here[axis])
        key = more if away > 0 else less
        far, rest = divmod(abs(away), FAR)
        near, fine = divmod(rest, STEP)
        for held_down, presses in (("Control+", far), ("", near), ("Shift+", fine)):
            for _press in range(presses):
                page.keyboard.press(f"{held_down}{key}")
        here[axis] += away


def test_every_tool_by_the_keyboard_alone(demo_site, page):
    _code, corners = a_block(demo_site)
    lng, lat = middle(corners)
    sign_in(page, demo_site)
    look_at(page, lng, lat, 18)
    page.focus(".skip")
    tab_to(page, "#compose-open")
    page.keyboard.press("Enter")
    tab_to(page, "#map", back=True)
    box = page.locator("#map").bounding_box()
    here = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]

    # The keys are shown by “?”, and the focus comes back.
    page.keyboard.press("?")
    expect(page.locator("#compose-help")).to_be_visible()
    assert page.locator("#compose-help dt").count() >= 20
    page.keyboard.press("Escape")
    expect(page.locator("#compose-help")).to_be_hidden()
    expect(page.locator("#map")).to_be_focused()

    page.keyboard.press("d")
    expect(page.locator("[data-tool=draw]")).to_have_attribute("aria-pressed", "true")
    snapping(page)
    page.keyboard.press("t")
    expect(page.locator("#compose-trace")).to_have_attribute("aria-pressed", "true")
    for place in (corners[0], corners[2], corners[0]):
        carried(page, here, *place)
        page.keyboard.press("Space")
        server_heard(page)
    expect(page.locator("#compose-drop")).to_be_disabled()
    answered(page)
    page.keyboard.press("t")
    whole = held(page)
    assert len(whole["shape"]) == 1
    assert not whole["growing"]

    page.keyboard.press("s")
    west = (corners[0][0] + corners[1][0]) / 2 - 0.0002
    for y in (min(y for _x, y in corners) - 0.0003, max(y for _x, y in corners) + 0.0003):
        carried(page, here, west, y)
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#compose-pieces li")).to_have_count(1)
    parted = held(page)

    page.keyboard.press("e")
    page.wait_for_selector("#map[data-handles]:not([data-handles='0'])")
    page.keyboard.press("n")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#compose-status")).to_contain_text(re.compile(r"\d m"), timeout=PATIENCE)
    assert held(page)["shape"] != parted["shape"]
    assert math.isclose(total(held(page)), total(whole), rel_tol=ALIKE)
    page.keyboard.press("Escape")  # the tool is let go
    expect(page.locator("[data-tool=pick]")).to_have_attribute("aria-pressed", "true")

    # The crosshair hopped to a handle meanwhile: from its place it is carried on.
    mark = page.locator(".compose-crosshair").bounding_box()
    here = [mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2]
    page.keyboard.press("m")
    piece = held(page)["aside"][0][0][0]
    carried(page, here, sum(one[0] for one in piece) / len(piece), sum(one[1] for one in piece) / len(piece))
    page.keyboard.press("Space")
    expect(page.locator("#compose-pieces")).to_be_hidden()
    assert math.isclose(total(held(page)), total(whole), rel_tol=ALIKE)

    page.keyboard.press("c")
    for east, north in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        carried(page, here, lng + east * 0.00008, lat + north * 0.00006)
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator(".verdict-facts dd").nth(1)).to_have_text("1")

    page.keyboard.press("d")
    page.keyboard.press("g")
    expect(page.locator("#compose-boundary")).to_be_focused()
    page.keyboard.insert_text(f"{lng + 0.003:.6f} {lat:.6f}")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#compose-drop")).to_be_enabled()
    tab_to(page, "#compose-undo", back=True)
    page.keyboard.press("Enter")
    expect(page.locator("#compose-drop")).to_be_disabled()
    tab_to(page, "#compose-name")
    page.keyboard.insert_text("键盘各工具")
    confirm_all(page)
    page.keyboard.press("Enter")
    expect(page.locator("#unit-body h2")).to_have_text("键盘各工具", timeout=PATIENCE)


# --- saved units -------------------------------------------------------------------------------------------------


def test_a_saved_unit_is_split_its_shared_edge_moved_for_both_and_the_two_merged(demo_site, page):
    _code, corners = a_block(demo_site)
    lng, lat = middle(corners)
    begun(page, demo_site, corners, "pick")
    click_at(page, lng, lat)
    answered(page)
    confirm_all(page)
    save(page, "待拆分")
    whole = stored(demo_site, "待拆分")

    page.click("[data-does=unitEdit]")
    answered(page)
    page.click("[data-tool=split]")
    west = (corners[0][0] + corners[1][0]) / 2 - 0.0002
    click_at(page, west, min(y for _x, y in corners) - 0.0003)
    click_at(page, west, max(y for _x, y in corners) + 0.0003)
    page.keyboard.press("Enter")
    page.locator("#compose-promise .button-main").click()
    expect(page.locator("#unit-body h2")).to_have_text("待拆分", timeout=PATIENCE)
    larger = stored(demo_site, "待拆分")
    assert larger["code"] == whole["code"]
    new = json.loads(page.evaluate("JSON.stringify(document.querySelector('#unit-body .notice').textContent)"))
    second = next(code for code in re.findall(r"\d{6}DY\d{4,}", new) if code != whole["code"])

    def areas() -> list[float]:
        found = rows(
            demo_site,
            """SELECT area_m2 FROM units_redevelopmentunit WHERE code = ANY (%(codes)s) AND state = 'draft'
               ORDER BY code""",
            codes=[whole["code"], second],
        )
        return [float(area) for (area,) in found]

    before = areas()
    assert abs(sum(before) - whole["area"]) < 0.01

    # Moved for both at once: nothing else may be changed before it is saved, and to save is to do it.
    page.click("[data-does=unitEdit]")
    answered(page)
    page.click("[data-tool=edge]")
    page.wait_for_selector("#map[data-handles]:not([data-handles='0'])", timeout=PATIENCE)
    box = page.locator("path.shared-handle").last.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=4)
    page.mouse.up()
    expect(page.locator("#compose-promise")).to_contain_text(second, timeout=PATIENCE)
    answered(page)
    page.click("#compose-save")
    expect(page.locator("#unit-body .notice")).to_contain_text(second, timeout=PATIENCE)
    after = areas()
    assert abs(after[0] - before[0]) > 100
    assert abs(sum(after) - sum(before)) < 0.01
    page.click("#compose-reshaped [data-undo]")
    expect(page.locator("#compose-reshaped")).to_be_hidden()
    assert areas() == before

    # Merged: the first keeps its code, the other is gone.
    page.click("[data-does=unitEdit]")
    answered(page)
    page.click("[data-tool=merge]")
    settled(page)
    ((inside_x, inside_y),) = rows(
        demo_site,
        """SELECT ST_X(ST_PointOnSurface(geom)), ST_Y(ST_PointOnSurface(geom)) FROM units_redevelopmentunit
           WHERE code = %(code)s AND state = 'draft'""",
        code=second,
    )
    click_at(page, inside_x, inside_y)
    expect(page.locator("#compose-promise")).to_contain_text(second, timeout=PATIENCE)
    answered(page)
    page.click("#compose-save")
    expect(page.locator("#unit-body .notice")).to_contain_text(whole["code"], timeout=PATIENCE)
    assert abs(areas()[0] - whole["area"]) < 0.01
    assert len(areas()) == 1


# --- a tablet, and a hundred steps -------------------------------------------------------------------------------


def test_on_a_tablet_a_finger_draws_and_a_hundred_steps_are_taken_back(demo_site, new_page):
    page = new_page(width=820, height=1180, has_touch=True)
    _code, corners = a_block(demo_site)
    begun(page, demo_site, corners)
    for place in (*corners, corners[0]):  # the first again: closed
        across, down = on_screen(page, *place)
        page.touchscreen.tap(across + 9, down - 8)
        page.wait_for_timeout(60)
    answered(page)
    assert {tuple(corner) for corner in held(page)["shape"][0][0]} == set(corners)
    for button in page.locator(".compose-lines button, .compose-doing button").all():
        assert min(button.bounding_box()["height"], button.bounding_box()["width"]) >= 24

    # Corner by corner past a hundred: told once, and exactly a hundred are taken back.
    lng, lat = middle(corners)
    page.keyboard.down("Alt")
    for number in range(104):
        click_at(page, lng, lat, -150 + 14 * (number % 23), 100 + 14 * (number // 23))
    page.keyboard.up("Alt")
    expect(page.locator("[data-notice=fallen]")).to_contain_text("100")
    back = page.evaluate(
        """() => { let steps = 0; const undo = document.querySelector('#compose-undo');
                   while (!undo.disabled) { undo.click(); steps++; } return steps; }"""
    )
    assert back == 100
