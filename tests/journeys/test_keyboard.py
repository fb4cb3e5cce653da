"""Everything on the map is done once by keyboard alone, in one sitting; the page tells that no pointer touched it.

What others walk by keyboard is not walked again here: units united from pasted codes and ticks, a drawing by the
crosshair, its edit and deletion in test_composing.py; trace, shared edge, merge, cut out, typed points and the table of
keys in test_drawing_lines.py; codes and pages of the list in test_planner.py; the days on which something happened in
test_past_days.py; the figures behind a slider in test_whatif.py; every step of an import in test_importing.py.
"""

import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.clock import Clock
from tests.journeys import signing
from tests.journeys.test_composing import PATIENCE, a_block, answered, rows, settled, stored, tab_to

PASSWORD = "demo-password-1"
NAME = "全程键盘"
LOADED = datetime.now(UTC) - timedelta(days=30)
# Counted before anything else hears of it; keys make clicks of their own, but never a pointer that is pressed.
HANDS_OFF = """
    window.pointed = 0;
    for (const kind of ['pointerdown', 'mousedown', 'touchstart', 'wheel'])
        window.addEventListener(kind, () => { window.pointed += 1; }, {capture: true, passive: true});
"""


@pytest.fixture(scope="module")
def month_old_site(demo_site):
    """The demo district, loaded a month ago, so that there is an earlier day to look at."""
    with psycopg.connect(demo_site.owner_url, autocommit=True) as owner:
        clock = Clock(owner)
        clock.last = dict.fromkeys(clock.last, 0)
        clock.note(LOADED)
        owner.execute("UPDATE units_delivery SET imported_at = %s", [LOADED])
        clock.set()
    return demo_site


def press(page: Page, *keys: str, times: int = 1) -> None:
    for _time in range(times):
        for key in keys:
            page.keyboard.press(key)


def go(page: Page, selector: str, *keys: str, back: bool = False) -> None:
    """To the element by Tab, and what is pressed there."""
    tab_to(page, selector, back)
    press(page, *keys)


def choose(page: Page, selector: str, value: str, back: bool = False) -> None:
    """A choice of a list, with the arrows."""
    tab_to(page, selector, back)
    places = page.evaluate(
        "([selector, value]) => { const one = document.querySelector(selector);"
        " return [...one.options].findIndex((option) => option.value === value) - one.selectedIndex; }",
        [selector, value],
    )
    press(page, "ArrowDown" if places > 0 else "ArrowUp", times=abs(places))
    expect(page.locator(selector)).to_have_value(value)


def place_of(page: Page) -> tuple[float, float, float]:
    return tuple(float(part) for part in page.evaluate("location.hash").split("&")[0][1:].split("/"))


def listed(page: Page) -> None:
    expect(page.locator("#list")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)


@pytest.mark.rows("NK011", "NK024")
def test_everything_on_the_map_is_done_without_a_mouse(month_old_site, page):
    site = month_old_site
    page.add_init_script(HANDS_OFF)
    _code, corners = a_block(site)
    lng, lat = (sum(corner[axis] for corner in corners) / 4 for axis in (0, 1))
    signing.sign_in(page, site, "office", PASSWORD)
    page.goto("about:blank")
    page.goto(f"{site.base_url}/#16/{lat:.5f}/{lng:.5f}")
    settled(page)

    past_the_frame_and_over_the_map(page)
    legend_and_theme(page)
    lists_and_card(page)
    measured(page)
    earlier_day_beside_today(page)
    other_values(page)
    view_kept_link_and_sheet(page)
    composed_taken_back_split_saved_and_opened_again(page, site)
    assert page.evaluate("window.pointed") == 0


def past_the_frame_and_over_the_map(page: Page) -> None:
    press(page, "Tab")
    expect(page.locator(".skip")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#search")).to_be_focused()
    tab_to(page, "#map", back=True)
    zoom, lat, lng = place_of(page)
    press(page, "ArrowRight")
    page.wait_for_function(f"() => Number(location.hash.split('/')[2].split('&')[0]) > {lng}")
    press(page, "ArrowLeft")
    page.wait_for_function(f"() => Math.abs(location.hash.split('/')[2].split('&')[0] - {lng}) < 3e-5")
    press(page, "+")
    page.wait_for_function(f"() => Number(location.hash.slice(1).split('/')[0]) > {zoom}")
    press(page, "-")
    page.wait_for_function(f"() => Number(location.hash.slice(1).split('/')[0]) === {zoom}")
    settled(page)
    assert place_of(page)[1:] == pytest.approx((lat, lng), abs=6e-5)
    # Enter opens what lies in the middle: the parcel that the address looks at.
    press(page, "Enter")
    expect(page.locator("#card")).to_be_focused(timeout=PATIENCE)
    expect(page.locator("#card h1")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("#card-view")).to_be_hidden()


def legend_and_theme(page: Page) -> None:
    go(page, "[data-layer-toggle=legacy]", "Space", back=True)
    expect(page.locator("[data-layer-toggle=legacy]")).to_be_checked()
    go(page, "[data-fold=candidates]", "Enter", back=True)
    folded = page.locator("[data-fold=candidates]")
    expect(folded).to_have_attribute("aria-expanded", "false")
    press(page, "Enter")
    expect(folded).to_have_attribute("aria-expanded", "true")
    go(page, "[data-facet=outcome][data-value=not_low]", "Space")
    expect(page.locator("[data-facet=outcome][data-value=not_low]")).to_be_checked()
    settled(page)
    assert "show=" in page.url

    first = page.locator("#theme-measure option[data-type=number]").first.get_attribute("value")
    choose(page, "#theme-measure", first, back=True)
    expect(page.locator(".theme-class").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#theme")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    go(page, "[data-class='0']", "Space")
    expect(page).to_have_url(re.compile("class="))
    listed(page)
    go(page, "#theme-off", "Enter", back=True)
    expect(page.locator(".theme-class")).to_have_count(0)
    expect(page.locator("#theme-measure")).to_be_focused()
    assert "theme=" not in page.url


def lists_and_card(page: Page) -> None:
    listed(page)
    whole = page.locator("#list-told").inner_text()
    street = page.locator("#street option").nth(1).get_attribute("value")
    choose(page, "#street", street)
    listed(page)
    expect(page.locator("#list-told")).not_to_have_text(whole)
    go(page, "#in-view", "Space", back=True)
    listed(page)
    go(page, "#list-reset", "Enter")
    listed(page)
    expect(page.locator("#list-told")).to_have_text(whole)
    go(page, ".list-row", "ArrowDown", "Enter")
    expect(page.locator("#card")).to_be_focused(timeout=PATIENCE)
    code = page.locator("#card h1").inner_text()
    go(page, "#card-back", "Enter", back=True)
    expect(page.locator(f".list-row[data-code='{code}']")).to_be_focused()


def measured(page: Page) -> None:
    go(page, "#tool-area", "Enter", back=True)
    expect(page.locator("#map")).to_be_focused()
    press(page, "ArrowRight", "Enter")
    press(page, "ArrowRight", times=4)
    press(page, "Enter")
    press(page, "ArrowDown", times=4)
    press(page, "Enter")
    expect(page.locator("#measure")).to_have_attribute("data-exact", "yes", timeout=PATIENCE)
    expect(page.locator("#measure dd").first).to_contain_text("m²")
    press(page, "Escape")
    expect(page.locator("#measure")).to_be_hidden()


def earlier_day_beside_today(page: Page) -> None:
    go(page, "#tool-date", "Enter")
    expect(page.locator("#asof-slider")).to_be_focused(timeout=PATIENCE)
    press(page, "Home")
    expect(page).to_have_url(re.compile("at="))
    go(page, "#asof-compare", "Space")
    expect(page.locator("#swipe-right")).to_be_visible(timeout=PATIENCE)
    go(page, "#swipe-handle", "ArrowLeft")
    expect(page.locator("#swipe-handle")).to_have_attribute("aria-valuenow", "48")
    go(page, "#asof-close", "Enter", back=True)
    expect(page.locator("#tool-date")).to_be_focused()
    expect(page.locator("#swipe-right")).to_be_hidden()
    settled(page)


def other_values(page: Page) -> None:
    go(page, "#tool-whatif", "Enter", back=True)
    expect(page.locator("#whatif-title")).to_be_focused(timeout=PATIENCE)
    tab_to(page, "#whatif-slides input[type=range]")
    press(page, "ArrowRight", times=8)
    expect(page.locator("li.slide.moved")).to_have_count(1)
    expect(page.locator("#whatif-sum")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    go(page, "#whatif-tab-values", "ArrowRight", back=True)
    expect(page.locator("#whatif-tab-counts")).to_be_focused()
    go(page, "#whatif-close", "Enter", back=True)
    expect(page.locator("#tool-whatif")).to_be_focused()


def view_kept_link_and_sheet(page: Page) -> None:
    go(page, "#tool-views", "Enter")
    expect(page.locator("#views-name")).to_be_focused(timeout=PATIENCE)
    page.keyboard.insert_text("键盘视图")
    press(page, "Enter")
    expect(page.locator(".views-name")).to_have_text("键盘视图", timeout=PATIENCE)
    go(page, ".views-name", "Enter")
    expect(page.locator("#views-told")).to_contain_text("键盘视图")
    go(page, ".views-acts .close", "Enter")
    expect(page.locator(".views-name")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("#views-name")).to_be_focused()
    press(page, "Escape")
    expect(page.locator("#tool-views")).to_be_focused()

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    go(page, "#tool-link", "Enter", back=True)
    expect(page.locator("#told-once")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url

    go(page, "#tool-print", "Enter")
    expect(page.locator("#print-bar")).to_be_visible()
    page.wait_for_selector("html[data-sheet=ready]", timeout=PATIENCE)
    choose(page, "#print-paper", "a3", back=True)
    page.wait_for_selector("html[data-sheet=ready]", timeout=PATIENCE)
    go(page, "#print-close", "Enter")
    expect(page.locator("#tool-print")).to_be_focused()
    settled(page)


def composed_taken_back_split_saved_and_opened_again(page: Page, site) -> None:
    chosen = page.locator("#compose-chosen li")
    go(page, "#compose-open", "Enter")
    expect(page.locator("#compose-title")).to_be_focused()
    tab_to(page, "#map", back=True)

    # One parcel under the crosshair, others by a box between two presses; each is a step, taken back and done again.
    press(page, "Space")
    expect(chosen).to_have_count(1, timeout=PATIENCE)
    press(page, "Control+z")
    expect(chosen).to_have_count(0)
    press(page, "Control+y")
    expect(chosen).to_have_count(1)
    press(page, "b", "Control+ArrowLeft", "Control+ArrowUp", "Space")
    press(page, "Control+ArrowRight", "Control+ArrowDown", times=2)
    press(page, "Space")
    expect(chosen.nth(1)).to_be_visible(timeout=PATIENCE)
    answered(page)
    press(page, "Control+z")
    expect(chosen).to_have_count(1)
    answered(page)

    # Parted by a line through its middle: one piece stays, the other is set aside; the way back leads to the line.
    press(page, "v", "s")
    press(page, "Control+ArrowLeft", times=1)
    press(page, "Control+ArrowUp", times=3)
    press(page, "Space")
    press(page, "Control+ArrowDown", times=6)
    press(page, "Space", "Enter")
    expect(page.locator("#compose-pieces li")).to_have_count(1, timeout=PATIENCE)
    press(page, "Control+z")
    expect(page.locator("#compose-pieces")).to_be_hidden()
    press(page, "Escape")
    expect(page.locator("#compose-drop")).to_be_disabled()
    answered(page)
    expect(chosen).to_have_count(1)

    for code in [box.get_attribute("data-confirm") for box in page.locator("[data-confirm]").all()]:
        go(page, f"[data-confirm={code}]", "Space")
    tab_to(page, "#compose-name")
    page.keyboard.insert_text(NAME)
    press(page, "Enter")
    expect(page.locator("#unit-body h2")).to_be_focused(timeout=PATIENCE)
    unit = stored(site, NAME)
    assert len(unit["members"]) == 1

    # Found again by its name after the page was opened anew, and edited from there.
    assert page.evaluate("window.pointed") == 0
    page.goto("about:blank")
    page.goto(f"{site.base_url}/")
    settled(page)
    press(page, "Tab", "Enter")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.insert_text(NAME)
    expect(page.locator("#search-found [role=option]").first).to_contain_text(NAME, timeout=PATIENCE)
    press(page, "ArrowDown", "Enter")
    expect(page.locator("#unit-body h2")).to_have_text(NAME, timeout=PATIENCE)
    go(page, "[data-does=unitEdit]", "Enter")
    expect(page.locator("#compose-title")).to_be_focused(timeout=PATIENCE)
    answered(page)
    expect(chosen).to_have_count(1)
    go(page, "#compose-leave", "Enter")
    expect(page.locator("#unit-body h2")).to_have_text(NAME, timeout=PATIENCE)
    assert rows(site, "SELECT version FROM units_redevelopmentunit WHERE code = %(code)s", code=unit["code"]) == [(1,)]
