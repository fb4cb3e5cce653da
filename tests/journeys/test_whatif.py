"""A planner moves a slider: counts and map follow, the link opens it again, and it is kept as a draft."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.signing import sign_in

PASSWORD = "demo-password-1"
# What is painted on the map, as one number: it looks at a copy of each tile.
PAINT = """() => {
    const copy = Object.assign(document.createElement('canvas'), {width: 128, height: 128});
    const brush = copy.getContext('2d', {willReadFrequently: true});
    let sum = 0;
    for (const tile of document.querySelectorAll('#map canvas')) {
        brush.clearRect(0, 0, 128, 128);
        if (tile.width) brush.drawImage(tile, 0, 0, 128, 128);
        sum += brush.getImageData(0, 0, 128, 128).data.reduce((all, part) => all + part, 0);
    }
    return sum;
}"""


def settled(page: Page) -> None:
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#whatif-sum")).to_have_attribute("aria-busy", "false")
    page.wait_for_timeout(100)
    page.wait_for_selector("#map[aria-busy=false]")


def before_and_after(page: Page) -> list[int]:
    return [int(one.replace(",", "")) for one in re.findall(r"[\d,]+", page.locator("#whatif-count").inner_text())]


@pytest.mark.rows("NK050")
def test_counts_and_map_follow_a_slider_and_the_values_become_a_draft(demo_site, page, allowed_errors):
    asked = []
    page.on("request", lambda request: asked.append(request) if "/map/whatif.json" in request.url else None)
    sign_in(page, demo_site, "office", PASSWORD)
    page.wait_for_selector("html[data-ready]")
    page.click("#tool-whatif")
    settled(page)
    expect(page.locator("#whatif-title")).to_be_focused()
    (stored,) = before_and_after(page)
    drawn = page.evaluate(PAINT)

    # With the keyboard alone: the slider of the FAR, up.
    slide = page.locator("li.slide", has=page.locator("#value-far_min"))
    slide.locator("input[type=range]").focus()
    begun = len(asked)
    for _step in range(60):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#value-far_min")).to_have_value("1.6")
    expect(slide).to_have_class(re.compile("moved"))
    expect(page.locator("#whatif-count")).to_contain_text("→")
    settled(page)
    assert len(asked) - begun < 30, "every step asked the server"
    before, after = before_and_after(page)
    assert before == stored
    assert after > before
    assert str(after - before) in page.locator("#whatif-heard").inner_text().replace(",", "")
    assert page.evaluate(PAINT) != drawn

    # The tables and the list tell the same.
    page.click("#whatif-tab-counts")
    row = page.locator("#whatif-counts table").first.locator("tbody tr").first
    cells = [int(one.replace(",", "").strip(" ▲▼")) for one in row.locator("td b").all_inner_texts()]
    assert cells[:2] == [before, after]
    assert cells[2] - cells[3] == after - before
    page.locator("#whatif-tab-counts").press("ArrowRight")
    expect(page.locator("#whatif-tab-list")).to_be_focused()
    page.select_option("#whatif-way", "in")
    expect(page.locator("#whatif-rows .list-row:not(.change-in)")).to_have_count(0)
    expect(page.locator("#whatif-rows .change-in")).to_have_count(min(cells[2], 50))
    code = page.locator("#whatif-rows .code").first.inner_text()
    with page.expect_download() as table:
        page.click("#whatif-table")
    assert code in table.value.path().read_text(encoding="utf-8-sig")

    # A row opens its card in the place of the panel, and one goes back to it.
    page.locator("#whatif-rows .list-row").first.click()
    expect(page.locator("#card h1")).to_have_text(code)
    expect(page.locator("#whatif")).to_be_hidden()
    page.click("#card-back")
    expect(page.locator("#whatif")).to_be_visible()

    # The link opens it again, with the same counts.
    address = page.url
    assert "try=far_min" in address
    page.goto("about:blank")
    page.goto(address)
    settled(page)
    assert before_and_after(page) == [before, after]
    expect(page.locator("#value-far_min")).to_have_value("1.6")

    # A value that is none is answered by a sentence, and nothing stale stays.
    allowed_errors.append("500")
    broken = {"status": 500, "body": "{}", "content_type": "application/json"}
    page.route("**/map/whatif.json*", lambda route: route.fulfill(**broken))
    page.fill("#value-far_min", "1.7")
    expect(page.locator("#whatif-notices [data-notice=unreached]")).to_be_visible()
    expect(page.locator("#whatif-count")).to_have_text("")
    page.unroute("**/map/whatif.json*")
    page.click("#whatif-notices [data-notice=unreached] button")
    settled(page)
    assert before_and_after(page)[0] == before

    page.click("#whatif-save")
    page.fill("#whatif-reason", "容积率下限再高一些")
    page.locator("#whatif-draft").get_by_role("button").first.click()
    expect(page.locator("#whatif-notices [data-notice=draft].notice-moss")).to_be_visible()

    page.click("#whatif-reset")
    settled(page)
    assert before_and_after(page) == [before]
    expect(page.locator("#value-far_min")).to_have_value("1")
    page.click("#whatif-close")
    expect(page.locator("#whatif")).to_be_hidden()
    expect(page.locator("#tool-whatif")).to_be_focused()
    assert "try=" not in page.url


def test_an_overtaken_question_is_taken_back_and_its_answer_never_shown(demo_site, page):
    sign_in(page, demo_site, "office", PASSWORD)
    page.wait_for_selector("html[data-ready]")
    page.click("#tool-whatif")
    settled(page)
    held, failed = [], []
    page.on("requestfailed", lambda request: failed.append(request.url))

    def hold(route):
        if "far_min%3D1.9" in route.request.url:
            held.append(route)  # answered by nobody until it is overtaken
        else:
            route.continue_()

    page.route("**/map/whatif.json*", hold)
    page.fill("#value-far_min", "1.9")
    page.wait_for_timeout(400)
    assert held
    page.fill("#value-far_min", "1.2")
    settled(page)
    assert any("1.9" in url for url in failed), "the first question was not taken back"
    assert "1.2" in page.url
    page.unroute("**/map/whatif.json*")


def test_who_may_not_read_figures_sees_why_a_slider_is_closed_and_saves_no_draft(demo_site, page):
    sign_in(page, demo_site, "analyst", PASSWORD)
    page.wait_for_selector("html[data-ready]")
    page.click("#tool-whatif")
    settled(page)
    shut = page.locator("li.slide", has=page.locator("#value-tax_ratio_min"))
    expect(shut.locator("input[type=range]")).to_be_disabled()
    expect(shut.locator("#value-tax_ratio_min")).to_be_disabled()
    expect(shut.locator(".slide-why")).to_be_visible()
    expect(page.locator("#value-far_min")).to_be_enabled()
    expect(page.locator("#whatif-save")).to_be_hidden()


@pytest.mark.rows("NK050")
def test_two_sets_stand_side_by_side_with_a_map_of_each(demo_site, page):
    sign_in(page, demo_site, "office", PASSWORD, path="/compare/")
    page.select_option("#a", "nankai-2024")
    page.select_option("#b", "nanjing-2019")
    page.click(".compare-choose button")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator(".compare-map[aria-busy=false]")).to_have_count(2)
    rows = page.locator(".compare-table").first.locator("tbody tr")
    counts = [[int(one) for one in row.locator("b").all_inner_texts()] for row in rows.all()]
    assert sum(row[0] for row in counts) == sum(row[1] for row in counts)
    assert counts[0][0] != counts[0][1]
    assert page.evaluate(PAINT.replace("#map canvas", ".compare-map canvas")) > 0
