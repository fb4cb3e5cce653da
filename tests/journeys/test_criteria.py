"""A planner reads why land was flagged or not, in every outcome, and writes a draft that is checked live."""

import re

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import axe_faults
from tests.journeys.signing import sign_in

PASSWORD = "demo-password-1"


def one_of_each(site) -> dict[str, str]:
    with psycopg.connect(site.database_url) as connection:
        rows = connection.execute(
            "SELECT DISTINCT ON (f.outcome) f.outcome, p.code"
            " FROM units_flag f JOIN units_parcel p ON p.id = f.parcel_id"
            " WHERE f.criteria = 'nankai-2024' ORDER BY f.outcome, p.code"
        ).fetchall()
    return dict(rows)


@pytest.mark.rows("NK011", "NK012", "NK020")
def test_a_card_of_each_outcome_says_why_and_what_would_have_to_change(demo_site, page):
    subjects = one_of_each(demo_site)
    assert set(subjects) == {"candidate", "excluded", "exempted", "undecided", "not_low"}
    sign_in(page, demo_site, "office", PASSWORD, path=f"/parcels/{subjects['candidate']}/")
    for outcome, code in subjects.items():
        page.goto(f"{demo_site.base_url}/parcels/{code}/")
        expect(page.locator("h1")).to_have_text(code)
        expect(page.locator(f".card-head .badge-{outcome}")).to_be_visible()
        expect(page.locator(".sketch .sketch-own")).to_be_attached()
        assert page.locator(".rule .against").count() >= 3
        if outcome == "undecided":
            expect(page.locator(".ask")).to_be_visible()
        ways = page.locator(".turn").evaluate_all("ways => ways.map(way => way.dataset.outcome)")
        assert ways
        assert outcome not in ways
    answer = page.context.request.get(f"{demo_site.base_url}/parcels/{subjects['candidate']}/card.pdf")
    assert (answer.status, answer.body()[:5]) == (200, b"%PDF-")


def test_a_piece_that_a_rule_found_is_drawn_on_the_big_map_and_taken_away(demo_site, page):
    with psycopg.connect(demo_site.database_url) as connection:
        (code,) = connection.execute(
            "SELECT p.code FROM units_flag f JOIN units_parcel p ON p.id = f.parcel_id"
            " WHERE 'D-RED-LINE' = ANY(f.fired) ORDER BY p.code LIMIT 1"
        ).fetchone()
    sign_in(page, demo_site, "office", PASSWORD, path=f"/#///{code}")
    piece = page.locator("#card button.piece").first
    piece.click()
    expect(page.locator("path.card-piece")).to_have_count(1)
    expect(piece).to_have_attribute("aria-pressed", "true")
    piece.click()
    expect(page.locator("path.card-piece")).to_have_count(0)


def written(page: Page) -> str:
    return page.locator("#text").input_value()


@pytest.mark.rows("NK011", "NK050")
def test_a_draft_with_a_misspelt_measure_is_marked_corrected_and_saved(demo_site, page, allowed_errors):
    sign_in(page, demo_site, "office", PASSWORD, path="/criteria/")
    page.select_option("#draft-base", "nankai-2024")
    page.select_option("#draft-how", "copy")
    page.fill("#draft-name", "nankai-journey")
    page.fill("#draft-reason", "试写")
    page.click(".new-draft button")
    page.wait_for_url(re.compile("/criteria/nankai-journey/edit/"))
    expect(page.locator("#state")).to_contain_text(re.compile(r"\d"))
    expect(page.locator("#faults li")).to_have_count(0)
    assert axe_faults(page) == []

    page.locator("#text").evaluate(
        """(text) => {
            const at = text.value.indexOf('coverage < coverage_min');
            text.focus();
            text.setSelectionRange(at, at + 'coverage'.length);
        }"""
    )
    page.keyboard.type("coverge")
    fault = page.locator("#faults li").first
    expect(fault).to_contain_text("coverge")
    expect(page.locator("#marks mark").first).to_have_text("coverge")
    expect(page.locator("#gutter .bad").first).to_be_attached()
    page.click("#save")
    expect(page.locator("#state")).to_have_attribute("data-saved", "2")  # with its fault

    fault.locator("button.meant").click()
    assert 'when = "coverage < coverage_min"' in written(page)
    expect(page.locator("#faults li")).to_have_count(0)
    page.click("#save")
    expect(page.locator("#state")).to_have_attribute("data-saved", "3")

    # Somebody else saves meanwhile: the lines that both have changed are shown, and one of the two is chosen.
    allowed_errors.append(r"409|Conflict")
    page.evaluate(
        """async (text) => fetch(location.pathname, {method: 'POST', body: JSON.stringify({text, version: 3}),
            headers: {'Content-Type': 'application/json',
                      'X-CSRFToken': document.cookie.match(/csrftoken=([^;]+)/)[1]}})""",
        written(page) + "\n# theirs\n",
    )
    page.focus("#text")
    page.keyboard.press("Control+End")
    page.keyboard.type("\n# mine\n")
    page.click("#save")
    conflict = page.locator("#text-conflict")
    expect(conflict.locator("h2")).to_be_focused()
    assert ["# mine" in cell for cell in conflict.locator("tbody td").all_inner_texts()] == [False, True, False]
    assert ["# theirs" in cell for cell in conflict.locator("tbody td").all_inner_texts()] == [False, False, True]
    conflict.locator("input[value=mine]").check()
    conflict.locator("[data-does=threeSave]").click()
    expect(page.locator("#state")).to_have_attribute("data-saved", "5")
    expect(conflict).to_be_hidden()

    # What is typed and not saved is there again when the page comes back.
    page.on("dialog", lambda dialog: dialog.accept())
    page.focus("#text")
    page.keyboard.press("Control+End")
    page.keyboard.type("\n# not saved\n")
    page.reload()
    page.click("#text-kept [data-does=keptResume]")
    assert written(page).endswith("# not saved\n")
    page.click("#save")
    expect(page.locator("#state")).to_have_attribute("data-saved", "6")

    page.goto(f"{demo_site.base_url}/criteria/nankai-journey/")
    expect(page.locator("#IND-COVERAGE .sentence")).to_be_visible()
    expect(page.locator("#IND-FAR .hits")).to_have_attribute("data-met", re.compile(r"[1-9]\d*"))
