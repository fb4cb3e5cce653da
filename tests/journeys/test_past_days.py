"""A planner looks at the map of an earlier day, lays two days side by side, and reads what changed, by keyboard."""

import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.clock import Clock
from tests.journeys.looking import axe_faults
from tests.journeys.signing import sign_in

PASSWORD = "demo-password-1"
NOW = datetime.now(UTC)
LOADED, EDITED = NOW - timedelta(days=60), NOW - timedelta(days=20)
GONE = 6  # legacy polygons


def day(moment: datetime) -> str:
    return (moment + timedelta(hours=8)).strftime("%Y-%m-%d")  # in China


@pytest.fixture(scope="module")
def past_site(demo_site):
    """The demo district, loaded two months ago; forty days later some legacy land was deleted and a unit renamed."""
    with psycopg.connect(demo_site.owner_url, autocommit=True) as owner:
        clock = Clock(owner)
        clock.last = dict.fromkeys(clock.last, 0)
        clock.note(LOADED)
        owner.execute("UPDATE units_delivery SET imported_at = %s", [LOADED])
        (unit,) = owner.execute(
            "UPDATE units_redevelopmentunit SET name = name || '改', version = version + 1"
            " WHERE id = (SELECT min(id) FROM units_redevelopmentunit WHERE state = 'draft') RETURNING code"
        ).fetchone()
        legacy = owner.execute(
            "DELETE FROM units_legacyland WHERE id IN (SELECT id FROM units_legacyland ORDER BY code LIMIT %s)"
            " RETURNING code",
            [GONE],
        ).fetchall()
        clock.note(EDITED)
        clock.set()
    demo_site.unit, demo_site.gone = unit, sorted(code for (code,) in legacy)
    return demo_site


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-ready]")
    page.wait_for_selector("#map[aria-busy=false]")


@pytest.mark.rows("NK054")
def test_the_map_of_an_earlier_day_two_days_beside_each_other_and_what_changed(past_site, page):
    sign_in(page, past_site, "office", PASSWORD)
    ready(page)
    page.focus("#tool-date")
    page.keyboard.press("Enter")
    expect(page.locator("#asof")).to_be_visible()
    expect(page.locator("#asof-slider")).to_be_focused()
    counts = page.request.get(f"{past_site.base_url}/map/overview.json").json()["counts"]

    # The first day: the slider's Home key. What was deleted since stands again, in the counts and in the address.
    page.keyboard.press("Home")
    expect(page.locator("#asof-told")).to_contain_text(day(LOADED))
    expect(page).to_have_url(re.compile(f"at={day(LOADED)}"))
    ready(page)
    then = page.request.get(f"{past_site.base_url}/map/overview.json?as_of={day(LOADED)}").json()["counts"]
    assert then["legacy"] == counts["legacy"] + GONE
    expect(page.locator("#legend")).to_contain_text(f"{then['legacy']}")

    # The next day on which something happened, by one key; the bar says what.
    page.focus("#asof-slider")
    page.keyboard.press("PageUp")
    expect(page.locator("#asof-told")).to_contain_text(day(EDITED))
    expect(page).to_have_url(re.compile(f"at={day(EDITED)}"))
    page.keyboard.press("PageDown")
    expect(page).to_have_url(re.compile(f"at={day(LOADED)}"))

    # Two days beside each other; the divider is moved by the keyboard.
    page.focus("#asof-compare")
    page.keyboard.press("Space")
    page.fill("#asof-other", day(EDITED))
    expect(page.locator("#swipe-right")).to_have_text(day(EDITED))
    page.focus("#swipe-handle")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#swipe-handle")).to_have_attribute("aria-valuenow", "52")
    expect(page.locator("#swipe-handle")).to_have_attribute("aria-valuetext", re.compile(day(EDITED)))
    clipped = "[...document.querySelectorAll('.leaflet-layer')].filter((one) => one.style.clipPath).length"
    assert page.evaluate(clipped) == 2
    assert axe_faults(page) == []

    # The link opens the same two days again.
    page.reload()
    ready(page)
    expect(page.locator("#asof-day")).to_have_value(day(LOADED))
    expect(page.locator("#swipe-right")).to_have_text(day(EDITED))

    # What changed between them, and the history of one row.
    page.locator("#asof-table").click()
    expect(page.locator("h1")).to_be_visible()
    page.locator(".history-sums tr", has=page.locator("a[href*='register=legacy']")).locator("td a").first.click()
    for code in past_site.gone:
        expect(page.locator("#changes")).to_contain_text(code)
    assert axe_faults(page) == []
    page.locator("#changes td a.code").first.click()
    expect(page.locator("h1")).to_contain_text(past_site.gone[0])
    assert axe_faults(page) == []


def test_closing_the_bar_leads_back_to_today(past_site, page):
    sign_in(page, past_site, "office", PASSWORD, path=f"/#14/39.11/117.15&at={day(LOADED)}")
    ready(page)
    expect(page.locator("#asof")).to_be_visible()
    page.focus("#asof-slider")
    page.keyboard.press("Escape")
    expect(page.locator("#asof")).to_be_hidden()
    expect(page.locator("#tool-date")).to_be_focused()
    expect(page).not_to_have_url(re.compile("at="))
