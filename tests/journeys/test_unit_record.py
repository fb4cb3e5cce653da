"""A planner fills in the record of a unit, has departments asked, and amends what is approved: all on its own pages."""

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import axe_faults
from tests.journeys.signing import sign_in

PASSWORD = "demo-password-1"


def value(site, question: str, **values):
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(question, values).fetchone()[0]


def code(site, state: str, which: str = "min") -> str:
    return value(
        site,
        f"SELECT {which}(code) FROM units_redevelopmentunit WHERE state = %(state)s AND incentives = '[]'",
        state=state,
    )


@pytest.mark.rows("NK025", "NK026", "NK033", "NK067")
def test_a_record_is_filled_in_with_its_sums_and_what_is_wrong_is_told_beside_the_field(
    page: Page, demo_site, allowed_errors
):
    allowed_errors.append("422")
    mine = code(demo_site, "draft")
    other = value(
        demo_site, "SELECT code FROM units_redevelopmentunit WHERE state = 'draft' AND incentives <> '[]' LIMIT 1"
    )
    sign_in(page, demo_site, "office", PASSWORD, path=f"/units/{mine}/")
    expect(page.locator(".unit-missing")).to_contain_text("尚未选择再开发模式")
    page.get_by_role("link", name="编辑档案").click()
    page.get_by_label("再开发模式").select_option("old_town")
    page.get_by_label("协议置换").check()
    page.get_by_label("城市更新").check()
    page.get_by_role("button", name="添加地块").click()
    row = page.locator('[data-list="plots"] tbody tr')
    for name, text in (("plot", "甲"), ("use", "0901"), ("m2", "10,000"), ("far", "2")):
        row.locator(f'[data-name="{name}"]').fill(text)
    expect(row.locator(".use-name")).to_have_text("商业用地")
    page.get_by_label("单元建筑总量").fill("19000")
    expect(page.locator('[data-sum="left"]')).to_have_class("over")
    page.get_by_role("button", name="保存").click()
    expect(page.locator('[data-wrong="total_floor_m2"]')).to_contain_text("超出 1,000.0 平方米")
    expect(page.get_by_label("单元建筑总量")).to_be_focused()
    page.get_by_label("单元建筑总量").fill("18000")
    page.get_by_role("button", name="添加激励事项").click()
    row = page.locator('[data-list="incentives"] tbody tr')
    row.locator('[data-name="type"]').select_option("transfer")
    for name, text in (("quantity", "2000"), ("basis", "统筹方案"), ("other_unit", other)):
        row.locator(f'[data-name="{name}"]').fill(text)
    expect(row.locator(".use-name")).to_contain_text("从对方调入")
    page.get_by_role("button", name="保存").click()
    # The other unit has no floor area to give: nothing is saved in either.
    expect(page.locator("#record-trouble, [data-wrong='total_floor_m2']").filter(has_text=other)).not_to_have_count(0)
    row.locator("[data-take-away]").click()
    page.get_by_label("单元建筑总量").fill("20500")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"**/units/{mine}/")
    expect(page.locator("#record")).to_contain_text("商业用地")
    expect(page.locator("#budget")).to_contain_text("尚余 500.0 平方米")
    expect(page.locator(".badges").first).to_contain_text("城市更新")


@pytest.mark.rows("NK026")
def test_of_two_who_write_a_record_the_second_sees_both_and_chooses(page: Page, demo_site, allowed_errors):
    allowed_errors.append("409")
    mine = code(demo_site, "draft", "max")
    sign_in(page, demo_site, "office", PASSWORD, path=f"/units/{mine}/record/")
    page.get_by_label("功能布局").fill("甲方案")
    with psycopg.connect(demo_site.database_url) as connection:
        connection.execute(
            "UPDATE units_redevelopmentunit SET version = version + 1, mode = 'innovation',"
            ' requirements = requirements || \'{"functions": "乙方案"}\' WHERE code = %s',
            [mine],
        )
    page.get_by_role("button", name="保存").click()
    view = page.locator("#record-trouble")
    expect(view.locator("tr", has_text="甲方案")).to_contain_text("乙方案")
    assert axe_faults(page) == []
    view.locator("tr", has_text="甲方案").locator('input[value="mine"]').check()
    view.get_by_role("button").click()
    expect(page.get_by_label("再开发模式")).to_have_value("innovation")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"**/units/{mine}/")
    expect(page.locator(".unit-card")).to_contain_text("甲方案")
    expect(page.locator(".badges").first).to_contain_text("城市创新")


@pytest.mark.rows("NK027", "NK076")
def test_a_department_replies_on_the_page_and_an_approved_unit_is_amended_by_a_new_draft(
    page: Page, demo_site, allowed_errors
):
    allowed_errors.append("422")
    asked = value(demo_site, "SELECT code FROM units_redevelopmentunit WHERE state = 'checked'")
    sign_in(page, demo_site, "lead", PASSWORD, path=f"/units/{asked}/#consultations")
    mine = page.locator(".consulted > li", has_text="区商务局")
    mine.get_by_label("附条件同意").check()
    mine.get_by_role("button", name="提交意见").click()
    expect(page.locator("#refused")).to_contain_text("附加条件")
    mine.get_by_label("答复", exact=True).fill("保留沿街商业")
    mine.get_by_role("button", name="提交意见").click()
    expect(mine).to_contain_text("保留沿街商业")
    expect(page.locator(".consulted form")).to_have_count(0)

    approved = code(demo_site, "approved")
    sign_in(page, demo_site, "office", PASSWORD, path=f"/units/{approved}/")
    page.get_by_role("button", name="启动修订").click()
    expect(page.get_by_role("status").filter(has_text="第 2 版")).to_be_visible()
    page.locator("#editions").get_by_role("link", name="第 1 版").click()
    expect(page.locator(".notice-amber").first).to_contain_text("已批准")
    expect(page.get_by_role("link", name="编辑档案")).to_have_count(0)
