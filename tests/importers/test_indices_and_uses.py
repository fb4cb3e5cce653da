"""Control indices, lists of sectors, violations and states of use come as sheets and are held to what they mean."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import translation

from importers.loading import load
from importers.undoing import undo
from tests.importers.containers import workbook
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, shapefile, square
from units.errors import Refused
from units.history import authored
from units.models import Benchmark, Delivery, Department, Enterprise, Finding, SectorClass, UseState, Violation

pytestmark = pytest.mark.usefixtures("nankai")

PARCEL = "120104001001GB00001"
FIRM = "91120104MA00000001"
INDEX_HEAD = ["指标", "行业代码", "行业分类版本", "起始年份", "指标值", "计量单位", "来源", "可信度"]
LIST_HEAD = ["来源", "目录版本", "起始年份", "行业代码", "行业分类版本", "类别", "名称"]
FAULT_HEAD = ["统一社会信用代码", "领域", "处罚机关", "处罚文号", "处罚日期", "是否整改", "整改日期"]
USE_HEAD = [
    "宗地代码",
    "建筑物编号",
    "使用状态",
    "空闲起始日期",
    "空闲面积（平方米）",
    "主管部门",
    "盘活措施",
    "依据材料",
]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(folder, profile, head, *rows):
    title = {"benchmark": "对照指标", "sector_list": "产业目录", "violation": "违法违规", "use_state": "使用状况"}
    path = workbook(folder / f"{profile}{len(rows)}.xlsx", {title[profile]: [head, *rows]})
    return load(path, profile, "120104", 2022)


def codes():
    return sorted(Finding.objects.values_list("code", flat=True))


@pytest.mark.rows("NJ007")
def test_an_index_comes_with_its_sector_edition_year_unit_and_source_or_not_at_all(tmp_path):
    result = into(
        tmp_path,
        "benchmark",
        INDEX_HEAD,
        ["地均税收", "29", "GB/T 4754-2017", 2020, 12.5, "万元/亩", "演示", "D"],
        ["容积率", None, None, 2021, 1.1, 1, "演示", "D"],
        ["容积率", None, None, 2022, 1.1, "万元/亩", "演示", "D"],  # not the unit of a FAR
        ["地均税收", "30", None, 2020, 9, "万元/亩", "演示", "D"],  # of which edition?
        ["地均税收", "31", "GB/T 4754-2017", 2020, 0, "万元/亩", "演示", "D"],
        ["地均税收", "32", "GB/T 4754-2017", 2020, 5, "元", "演示", "D"],
    )
    assert (result["taken"], result["refused"]) == (2, 4)
    one = Benchmark.objects.get(figure="tax_per_mu")
    assert (one.sector, one.sector_edition, one.year, one.value) == ("29", "GB/T 4754-2017", 2020, Decimal("12.5"))
    assert (one.uom, one.confidence, one.district_id) == ("10k CNY/mu", "D", "120104")
    assert {"3-malformed", "3-required", "3-out-of-range"} <= set(codes())


@pytest.mark.rows("NJ004")
def test_a_list_of_sectors_keeps_its_edition_and_a_corrected_one_changes_only_what_differs(tmp_path):
    old = ["演示目录", "2019年本", 2019, "1713", "GB/T 4754-2017", "淘汰类", "印染"]
    assert into(tmp_path, "sector_list", LIST_HEAD, old, [*old[:5], "无", ""])["refused"] == 1
    new = [*old[:5], "限制类", "印染"]
    result = into(tmp_path, "sector_list", LIST_HEAD, new)
    assert (result["changed"], SectorClass.objects.get().grade) == (1, "restricted")
    undo(result["delivery"])
    assert SectorClass.objects.get().grade == "eliminated"


@pytest.mark.rows("NJ005")
def test_a_violation_names_authority_paper_and_day_and_whether_it_was_put_right(tmp_path):
    firm = Enterprise.objects.create(district_id="120104", credit_code=FIRM, name="甲公司")
    result = into(
        tmp_path,
        "violation",
        FAULT_HEAD,
        [FIRM, "安全生产", "某局", "罚1号", "2021-03-01", "否", None],
        [FIRM, "生态环境", "某局", "罚2号", "2020-02-29", None, "2020-06-01"],
        [FIRM, "生态环境", "某局", "罚3号", "2020-02-30", "是", None],  # no day of the calendar
        ["91120104MA00000009", "安全生产", "某局", "罚4号", "2021-03-01", "否", None],
    )
    assert (result["taken"], result["refused"]) == (2, 2)
    open_one, closed = Violation.objects.order_by("document")
    assert (open_one.enterprise, open_one.field, open_one.rectified) == (firm, "safety", False)
    assert (closed.happened_on, closed.rectified) == (datetime.date(2020, 2, 29), True)  # who names the day has said so
    assert {"3-required", "3-no-enterprise"} <= set(codes())


@pytest.mark.rows("NK036", "NK038")
def test_a_state_of_use_has_its_department_by_any_of_its_names_and_the_measures_taken(tmp_path):
    zd = shapefile(tmp_path / "zd", "ZD", rows=[parcel(1)], shapes=[[square()]], fields=PARCEL_FIELDS)
    load(zd, "zd", "120104", 2022)
    education = Department.objects.create(district_id="120104", code="education", name="区教育局")
    row = [PARCEL, None, "空闲", "2020-06-01", 1200.5, "区教育局", "招商引资；提升改造"]
    result = into(tmp_path, "use_state", USE_HEAD, row, [None, None, "空闲", None, None, None, None])
    assert (result["taken"], result["refused"]) == (1, 1)
    one = UseState.objects.get()
    assert (one.parcel.code, one.building, one.state, one.idle_since) == (
        PARCEL,
        None,
        "idle",
        datetime.date(2020, 6, 1),
    )
    assert (one.owner_department, one.measures) == (education, ["investment_promotion", "upgrading"])
    into(tmp_path / "b", "use_state", USE_HEAD, [*row[:2], "在用", "2020-06-01", None, "某局", "无"])
    one.refresh_from_db()
    # what is in use is idle since no day; a department that nobody knows is told and its name is kept
    assert (one.state, one.idle_since, one.owner_department, one.measures) == ("in_use", None, None, [])
    assert one.extra == {"主管部门": "某局", "空闲起始日期": "2020-06-01"}
    assert "3-no-department" in codes()
    assert Delivery.objects.filter(profile="use_state").count() == 2


def test_a_delivery_of_uses_is_taken_back_unless_somebody_went_on_from_it(tmp_path):
    zd = shapefile(tmp_path / "zd", "ZD", rows=[parcel(1)], shapes=[[square()]], fields=PARCEL_FIELDS)
    load(zd, "zd", "120104", 2022)
    row = [PARCEL, None, "空闲", "2020-06-01", None, None, "无"]
    first = into(tmp_path, "use_state", USE_HEAD, row)
    undo(first["delivery"])
    assert not UseState.objects.exists()
    second = into(tmp_path / "b", "use_state", USE_HEAD, row)
    with connection.cursor() as cursor:
        authored(cursor)  # not the delivery: a department wrote it since
        UseState.objects.update(state="partly")
    with pytest.raises(Refused) as refused:
        undo(second["delivery"])
    assert str(UseState.objects.get().pk) in str(refused.value)
    assert UseState.objects.get().state == "partly"
