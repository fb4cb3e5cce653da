"""Land goes from suspected to determined on the pages, each step by the one whose it is, each refusal in words."""

import base64
import json
import re
import urllib.request

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.signing import sign_in

PASSWORD = "demo-password-1"
STREET = "120104001"  # of the demo's street office
PAPER = ("专班会议纪要", "南低效办〔2024〕9号")

pytestmark = [pytest.mark.rows("NK070", "NJ009", "NJ024")]


def rows(site, question: str, **values) -> list[tuple]:
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(question, values).fetchall()


def changed(site, statement: str, **values) -> None:
    with psycopg.connect(site.database_url) as connection:
        connection.execute(statement, values)


def asked(site, who: str, path: str, body: dict | None = None) -> dict:
    """What the API answers a program of that person."""
    word = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"{site.base_url}/api/v1{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Basic {word}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def raised(demo_site) -> str:
    """The number of a record that the street office raised by hand, of land that the rules call not low."""
    return by_hand(demo_site)


def by_hand(site) -> str:
    """One more such record."""
    ((parcel,),) = rows(
        site,
        """SELECT p.code FROM units_flag f JOIN units_parcel p ON p.id = f.parcel_id
           WHERE f.outcome = 'not_low' AND f.category = 'industrial' AND p.street_id = %(street)s
             AND NOT EXISTS (SELECT FROM units_determination d WHERE d.parcel_id = p.id)
             AND NOT EXISTS (SELECT FROM units_finding g WHERE p.code = ANY (g.subjects) AND g.severity = 'error')
           ORDER BY p.code LIMIT 1""",
        street=STREET,
    )
    told = {"subject": parcel, "category": "industrial", "reason": "厂房闲置多年，院内堆放杂物"}
    return asked(site, "street", "/determinations", told)["code"]


def answered(site, code: str) -> None:
    """Every fact of the record's form answered, and every co department content."""
    ((form,),) = rows(
        site,
        "SELECT f.id FROM units_factsheet f JOIN units_determination d ON d.id = f.determination_id"
        " WHERE d.code = %(code)s",
        code=code,
    )
    while missing := asked(site, "analyst", f"/forms/{form}")["missing"]:
        for one in missing:
            answer = json.dumps({one["cell"]: {"unknown_reason": "无法联系企业"}})
            changed(
                site,
                f"UPDATE units_factsheet SET {one['group']} = {one['group']} || %(answer)s::jsonb WHERE id = %(form)s",
                answer=answer,
                form=form,
            )
    confirmed = {group: {"verdict": "confirmed"} for group in ("land", "construction", "economy")}
    changed(
        site,
        "UPDATE units_formtask SET verdict = %(said)s WHERE sheet_id = %(form)s AND part <> 'lead'",
        said=json.dumps(confirmed),
        form=form,
    )


def at(page: Page, site, who: str, code: str) -> None:
    """The record's page, before that person."""
    page.context.clear_cookies()
    sign_in(page, site, who, PASSWORD, path=f"/determinations/{code}/")
    expect(page.locator("h1")).to_have_text(code)


def step(page: Page, to: str):
    """The form of a step, opened."""
    form = page.locator(f"details.step:has(input[name=to][value={to}])")
    if form.get_attribute("open") is None:
        form.locator("summary").click()
    return form


def state(page: Page) -> str:
    return page.locator(".record-head [data-state]").get_attribute("data-state")


def test_land_raised_by_hand_is_determined_step_by_step_by_the_right_people(page, demo_site, raised, allowed_errors):
    allowed_errors.append("status of 422")  # what is refused is answered so, and the browser says it
    at(page, demo_site, "lead", raised)
    expect(page.locator("#steps .notice")).to_contain_text("专班办公室")  # whose turn it is
    expect(page.locator("#steps form")).to_have_count(0)

    at(page, demo_site, "office", raised)
    expect(page.locator(".sides")).to_contain_text("厂房闲置多年")
    form = step(page, "assigned")
    form.locator("select[name=lead]").select_option("commerce")
    form.locator("input[name=due_on]").fill("2024-02-29")
    form.locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("1")
    assert state(page) == "assigned"

    at(page, demo_site, "lead", raised)
    step(page, "filling").locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("2")
    step(page, "co_check").locator("button").click()
    refusal = page.locator("[role=alert]")  # the facts are not there yet, and the page says which
    expect(refusal).to_contain_text("无法取得")
    assert state(page) == "filling"
    answered(demo_site, raised)
    step(page, "co_check").locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("3")

    at(page, demo_site, "co", raised)
    form = step(page, "filling")
    form.locator("textarea[name=comment]").fill("税收数据与申报不符，请核实")
    form.locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("2")

    at(page, demo_site, "lead", raised)
    expect(page.locator("#moves")).to_contain_text("税收数据与申报不符")  # a return keeps its comment
    answered(demo_site, raised)
    step(page, "co_check").locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("3")

    at(page, demo_site, "analyst", raised)
    step(page, "checked").locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("4")
    expect(page.locator("details.step:has(input[value=determined])")).to_have_count(0)  # only the office determines

    at(page, demo_site, "office", raised)
    form = step(page, "determined")
    form.locator("input[name=result][value=low]").check()
    form.locator("textarea[name=reason]").fill("现场核查：主厂房停产，利用粗放")
    form.locator("input[name=title]").fill(PAPER[0])
    form.locator("input[name=number]").fill(PAPER[1])
    form.locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("5")
    decided = page.locator(".side").nth(1)
    expect(decided).to_contain_text("现场核查：主厂房停产")
    expect(decided).to_contain_text(PAPER[1])
    expect(decided.locator(".badge-result-low")).to_be_visible()
    expect(page.locator(".side").first.locator(".badge-not_low")).to_be_visible()  # the rules say otherwise: both stand
    moves = page.locator(".moves > li")
    expect(moves).to_have_count(8)

    page.get_by_role("button", name="EN").click()
    expect(page.locator("h2").first).to_have_text(re.compile("What the rules say"))


def test_a_decision_shows_what_has_changed_since_and_may_then_be_opened_again(page, demo_site, raised):
    """It runs after the one above: the record is determined, and then the land is built up."""
    at(page, demo_site, "office", raised)
    expect(page.locator("#changes")).to_have_count(0)
    assert asked(demo_site, "office", f"/determinations/{raised}")["changed_since"] is False
    changed(
        demo_site,
        """UPDATE units_building b SET floor_area_m2 = b.floor_area_m2 * 3
           FROM units_determination d JOIN units_parcel p ON p.id = d.parcel_id
           WHERE d.code = %(code)s AND b.survey_id = p.survey_id AND ST_Intersects(b.geom, p.geom)""",
        code=raised,
    )
    page.reload()
    expect(page.locator("#changes")).to_contain_text("容积率")
    told = asked(demo_site, "office", f"/determinations/{raised}")
    (far,) = [one for one in told["changes"] if one["name"] == "far"]
    assert far["now"] > far["before"]
    form = step(page, "filling")
    form.locator("textarea[name=comment]").fill("容积率已变化，请重新核实")
    form.locator("button").click()
    expect(page.locator(".way .here")).to_contain_text("2")
    expect(page.locator(".side").nth(1)).not_to_contain_text("现场核查")  # it waits for the next decision …
    expect(page.locator("#moves")).to_contain_text("现场核查")  # … and what was decided is kept


def test_the_list_counts_the_states_and_moves_many_after_one_question(page, demo_site, raised):
    for _more in range(3):  # the campaign of the demo has sent out what the rules raised
        by_hand(demo_site)
    page.context.clear_cookies()
    sign_in(page, demo_site, "office", PASSWORD, path="/determinations/")
    page.locator("form.raise button").first.click()
    expect(page.locator("[role=status]").first).to_be_visible()
    page.goto(f"{demo_site.base_url}/determinations/?state=suspect")
    boxes = page.locator('.records input[name="code"]')
    codes = [boxes.nth(number).get_attribute("value") for number in range(2)]
    for code in codes:
        page.locator(f'input[value="{code}"]').check()
    assert page.locator("#all").evaluate("box => box.indeterminate")
    page.locator('.batch button[value="dropped"]').click()
    expect(page.locator(".chosen li")).to_have_count(2)
    page.locator("textarea[name=reason]").fill("不在试点范围")
    page.locator("input[name=title]").fill(PAPER[0])
    page.locator("form.step-open button").click()
    expect(page.locator(".chosen li")).to_have_count(2)
    page.locator("main .button-main").click()
    for code in codes:
        expect(page.locator(f'input[value="{code}"]')).to_have_count(0)  # the list is of suspects, and these are none
    found = rows(demo_site, "SELECT state FROM units_determination WHERE code = ANY (%(codes)s)", codes=codes)
    assert found == [("dropped",), ("dropped",)]


def test_the_description_of_the_api_is_shown_and_tried_out_as_whoever_is_signed_in(page, demo_site):
    """No request goes to another host and no script is refused: the page is watched for both."""
    page.context.clear_cookies()
    sign_in(page, demo_site, "office", PASSWORD, path="/api/docs/")
    operations = page.locator(".opblock")
    expect(operations.first).to_be_visible()
    assert operations.count() == sum(map(len, described(demo_site).values()))
    workflow = page.locator(".opblock", has_text="/api/v1/workflow")
    workflow.locator(".opblock-summary").click()
    workflow.get_by_role("button", name="Try it out").click()
    workflow.get_by_role("button", name="Execute").click()
    expect(workflow.locator(".live-responses-table .response-col_status").nth(1)).to_contain_text("200")
    expect(workflow.locator(".live-responses-table")).to_contain_text("determined")


def described(site) -> dict:
    with urllib.request.urlopen(f"{site.base_url}/api/schema") as answer:
        return json.load(answer)["paths"]
