"""A form filled in the browser as the lead, the tax bureau and the street, each refused what is another's."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import signing

PASSWORD = "demo-password-1"
FIGURE = re.compile(r"年度税收")


def at(page: Page, site, who: str, path: str) -> Page:
    signing.sign_in(page, site, who, PASSWORD, path=path)
    expect(page.locator("main h1")).to_be_visible()
    return page


def first_form(page: Page, site, who: str, state: str, owed_by: str = "") -> str:
    """The address of the first industrial form in that state in which this department still owes something."""
    at(page, site, who, "/campaigns/")
    page.locator(".campaign-row a").first.click()
    page.select_option("#state", state)
    page.select_option("#category", "industrial")
    page.get_by_role("button", name="显示").click()
    link = page.locator(".forms-table tbody tr").filter(has_text=owed_by).locator("a.code").first
    expect(link).to_be_visible()
    return link.get_attribute("href")


def cell(page: Page, field: str):
    return page.locator(f'.cell[data-field="{field}"]').first


@pytest.mark.rows("NK082", "NK012")
def test_a_form_is_filled_by_each_as_his_part_is_and_refused_where_it_is_anothers(
    demo_site, page, new_page, allowed_errors
):
    allowed_errors.append(r"status of 4(03|22)")
    address = first_form(page, demo_site, "lead", "assigned", "区税务局")
    page.goto(demo_site.base_url + address)
    # What is missing is told first, and whose it is; the tax figure is shown to the lead and not his to write.
    expect(page.locator(".missing-mine")).to_contain_text("现状实际用途")
    expect(page.locator(".missing-block")).to_contain_text("区税务局")
    tax = cell(page, "tax_cny")
    expect(tax).to_contain_text(FIGURE)
    expect(tax.locator("input, select")).to_have_count(0)
    said = page.evaluate(
        """async ([cell]) => (await fetch(location.pathname, {method: "POST",
            headers: {"Content-Type": "application/json", Accept: "application/json",
                "X-CSRFToken": document.cookie.match(/csrftoken=([^;]+)/)[1]},
            body: JSON.stringify({version: 1, values: {[cell]: {value: "1"}}})})).status""",
        [tax.get_attribute("data-cell")],
    )
    assert said == 403

    # The tax bureau has the form open at the same time.
    bureau = at(new_page(), demo_site, "co", address)
    expect(cell(bureau, "use_state").locator("input, select")).to_have_count(0)

    cell(page, "use_state").locator("select").select_option("idle")
    expect(cell(page, "idle_since")).to_be_visible()
    cell(page, "idle_since").locator("input").first.fill("2021-06-30")
    cell(page, "actual_use").locator("input").first.fill("停产厂房")
    cell(page, "employees").locator("input").first.fill("many")
    page.keyboard.press("Control+s")
    wrong = cell(page, "employees").locator(".cell-wrong")
    expect(wrong).to_be_visible()
    expect(cell(page, "actual_use").locator("input").first).to_have_value("停产厂房")
    cell(page, "employees").locator("input").first.fill("12")
    page.locator("#save").click()
    expect(page.locator(".form-head .badges")).to_contain_text("填报中")
    expect(cell(page, "actual_use")).to_contain_text("区商务局")

    # What it saves now, with the page of before, takes nothing away.
    cell(bureau, "tax_cny").locator("[data-unknown]").check()
    cell(bureau, "tax_cny").locator("[data-reason]").fill("企业已注销")
    bureau.locator("#save").click()
    expect(cell(bureau, "tax_cny")).to_contain_text("区税务局")
    expect(cell(bureau, "actual_use")).to_contain_text("停产厂房")


def test_two_who_write_the_same_field_are_told_of_each_other(demo_site, page, new_page, allowed_errors):
    allowed_errors.append(r"409|Conflict")
    address = first_form(page, demo_site, "lead", "filling")
    page.goto(demo_site.base_url + address)
    other = at(new_page(), demo_site, "lead", address)
    cell(page, "actual_use").locator("input").first.fill("仓库")
    cell(other, "actual_use").locator("input").first.fill("车间")
    page.locator("#save").click()
    expect(cell(page, "actual_use").locator("input").first).to_have_attribute("data-was", "仓库")
    # Somebody else has the form open, too; the second sees what it was, his and theirs, and chooses.
    expect(other.locator(".lease-told")).to_have_count(1)
    other.locator("#save").click()
    conflict = other.locator("#form-conflict")
    expect(conflict.locator("h2")).to_be_focused()
    expect(conflict.locator("tbody tr")).to_have_count(1)
    assert [one.strip() for one in conflict.locator("tbody td").all_inner_texts()][1:] == ["车间", "仓库"]
    expect(cell(other, "actual_use").locator("input").first).to_have_value("车间")
    conflict.locator("button").click()
    expect(conflict.locator("input").first).to_be_focused()  # nothing is chosen for him where both have written
    conflict.locator("input[value=mine]").check()
    conflict.locator("button").click()
    expect(cell(other, "actual_use").locator("input").first).to_have_attribute("data-was", "车间")

    # What was typed and not saved is offered when the page comes again.
    other.on("dialog", lambda dialog: dialog.accept())
    cell(other, "actual_use").locator("input").first.fill("尚未保存的车间")
    other.goto("about:blank")
    other.goto(demo_site.base_url + address)
    other.locator("#form-kept [data-does=keptResume]").click()
    expect(cell(other, "actual_use").locator("input").first).to_have_value("尚未保存的车间")
    other.locator("#save").click()
    expect(cell(other, "actual_use").locator("input").first).to_have_attribute("data-was", "尚未保存的车间")
    expect(other.locator("#form-kept")).to_be_hidden()


def test_the_co_department_confirms_and_the_street_sees_no_figure(demo_site, page, new_page):
    address = first_form(page, demo_site, "co", "co_check", "区税务局")
    page.goto(demo_site.base_url + address)
    block = page.locator("#group-economy")
    block.locator('[name="comment"]').fill("与入库数据一致")
    block.locator('button[value="confirm"]').click()
    expect(block.locator(".notice").filter(has_text="与入库数据一致")).to_be_visible()
    expect(block.locator('button[value="confirm"]')).to_have_count(0)
    page = new_page()
    address = first_form(page, demo_site, "street", "assigned", "区税务局")
    page.goto(demo_site.base_url + address)
    expect(cell(page, "tax_cny").locator(".cell-closed")).to_be_visible()
    expect(cell(page, "use_state").locator("select")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
