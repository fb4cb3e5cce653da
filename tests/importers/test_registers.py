"""Legacy land goes in while its register is open; firms, their years, places and contracts come as sheets."""

import datetime
from decimal import Decimal

import pytest
from django.utils import translation

from importers.loading import load
from tests.importers.containers import workbook
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, shapefile, square
from units.errors import Refused
from units.models import (
    Building,
    Enterprise,
    EnterpriseYear,
    Finding,
    LegacyLand,
    Occupancy,
    Parcel,
    Refusal,
    SupplyContract,
)

pytestmark = pytest.mark.usefixtures("nankai")

LEGACY_FIELDS = [
    ("LSBH", "C", 40, 0),
    ("YDSJ", "C", 8, 0),
    ("QSXZ", "C", 2, 0),
    ("XCQF", "C", 1, 0),
    ("BLJZ", "C", 1, 0),
    ("GXBZ", "C", 1, 0),
    ("CFWH", "C", 80, 0),
]
FIRM = "91120104MA00000001"
OTHER = "91120104MA00000002"
PARCEL = "120104001001GB00001"
FIRM_HEAD = ["统一社会信用代码", "企业名称", "行业代码", "行业分类版本", "是否规上", "投产日期", "备注"]
YEAR_HEAD = ["统一社会信用代码", "年度", "税收（万元）", "综合能耗（吨标准煤）", "评价等级"]
PLACE_HEAD = [
    "统一社会信用代码",
    "宗地代码",
    "建筑物编号",
    "使用建筑面积（平方米）",
    "是否承租",
    "起始日期",
    "终止日期",
]
CONTRACT_HEAD = ["宗地代码", "合同编号", "签订日期", "约定用途", "用途分类", "容积率下限", "约定投资（万元）"]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(path, profile, **options):
    result = load(path, profile, "120104", 2022, **options)
    assert result["rows"] == sum(result[name] for name in ("taken", "changed", "unchanged", "refused", "deleted"))
    return result


@pytest.fixture
def parcels(tmp_path, nankai):
    into(shapefile(tmp_path / "zd", "ZD", rows=[parcel(1)], shapes=[[square()]], fields=PARCEL_FIELDS), "zd")


def firms(**sheets) -> dict:
    return {
        "企业": [FIRM_HEAD, [FIRM, "甲公司", "3311", "GB/T 4754-2017", "是", datetime.date(2010, 5, 1), "=1+1"]],
        "年度数据": [YEAR_HEAD, [FIRM, 2021, 12.34, None, "B"]],
        "占用": [PLACE_HEAD, [FIRM, PARCEL, None, 120.5, "否", "2015-01-01", None]],
        **sheets,
    }


# --- legacy -----------------------------------------------------------------------------------------------------


def legacy(tmp_path, *rows):
    return shapefile(tmp_path, "LSYLYD", rows=list(rows), fields=LEGACY_FIELDS)


@pytest.mark.rows("NK022")
def test_legacy_land_is_taken_as_a_draft_and_unknown_stays_unknown(tmp_path):
    row = {"LSBH": "L1", "YDSJ": "19850301", "QSXZ": "30", "XCQF": "0", "BLJZ": "", "GXBZ": "1", "CFWH": "津罚1号"}
    assert into(legacy(tmp_path, row), "legacy")["taken"] == 1
    one = LegacyLand.objects.get()
    assert (one.used_since, one.small_property_housing, one.worth_keeping) == (datetime.date(1985, 3, 1), False, None)
    assert (one.state, one.route, one.base_survey_year, one.penalty_number) == ("draft", "", 2022, "津罚1号")
    assert one.extra == {"GXBZ": "1"}


def test_a_doubtful_answer_is_told_and_kept_as_unknown(tmp_path):
    into(legacy(tmp_path, {"LSBH": "L1", "XCQF": "9", "YDSJ": "19861301"}), "legacy")
    assert LegacyLand.objects.get().small_property_housing is None
    assert set(Finding.objects.values_list("code", flat=True)) == {"3-malformed", "3-not-a-date"}


def test_a_second_delivery_of_legacy_land_is_a_delta(tmp_path):
    into(legacy(tmp_path / "a", {"LSBH": "L1"}, {"LSBH": "L2"}, {"LSBH": "L3"}), "legacy")
    result = into(legacy(tmp_path / "b", {"LSBH": "L1"}, {"LSBH": "L2", "QSXZ": "30"}), "legacy", replace=True)
    assert (result["taken"], result["changed"], result["unchanged"], result["gone"]) == (0, 1, 1, 1)


def test_a_frozen_register_refuses_a_delivery_before_its_rows_are_read(tmp_path, monkeypatch):
    class Frozen:
        frozen_at = datetime.datetime(2024, 3, 31, tzinfo=datetime.UTC)

    monkeypatch.setattr("importers.registers.Freeze.objects.filter", lambda **_what: _First(Frozen()))
    monkeypatch.setattr("importers.opening.opened", lambda _path: pytest.fail("the file was opened"))
    with pytest.raises(Refused, match="frozen since 2024-03-31"):
        into(tmp_path / "does not exist.zip", "legacy")


class _First:
    def __init__(self, one):
        self.one = one

    def first(self):
        return self.one


# --- sheets -----------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK015")
@pytest.mark.usefixtures("parcels")
def test_the_three_sheets_of_a_workbook_go_in_together(tmp_path):
    result = into(workbook(tmp_path / "企业.xlsx", firms()), "enterprise")
    assert [(one["layer"], one["profile"], one["taken"]) for one in result["layers"]] == [
        ("企业", "enterprise", 1),
        ("年度数据", "enterprise_year", 1),
        ("占用", "occupancy", 1),
    ]
    firm = Enterprise.objects.get()
    assert (firm.name, firm.sector, firm.above_scale, firm.strategic) == ("甲公司", "3311", True, None)
    assert firm.extra == {"备注": "=1+1"}  # a formula is text, never evaluated
    year = EnterpriseYear.objects.get()
    assert (year.tax_cny, year.energy_tce, year.grade) == (Decimal("123400.00"), None, "B")
    place = Occupancy.objects.get()
    assert (place.parcel.code, place.building, place.is_tenant, place.since.year) == (PARCEL, None, False, 2015)


@pytest.mark.usefixtures("parcels")
def test_one_sheet_that_is_refused_leaves_none_of_the_workbook(tmp_path):
    path = workbook(tmp_path / "企业.xlsx", firms(占用=[["统一社会信用代码", "其他"], [FIRM, "x"]]))
    with pytest.raises(Refused, match="宗地代码"):
        into(path, "enterprise")
    assert not Enterprise.objects.exists()


@pytest.mark.usefixtures("parcels")
def test_a_dry_run_of_a_workbook_tells_all_sheets_and_keeps_nothing(tmp_path, kept):
    result = into(workbook(tmp_path / "企业.xlsx", firms()), "enterprise", dry_run=True)
    assert (result["taken"], result["delivery"], result["dry_run"]) == (3, None, True)
    assert not Enterprise.objects.exists()


@pytest.mark.usefixtures("parcels")
def test_the_same_workbook_again_writes_nothing_and_a_new_year_adds_to_it(tmp_path):
    path = workbook(tmp_path / "企业.xlsx", firms())
    into(path, "enterprise")
    assert into(path, "enterprise")["already"]
    newer = firms(年度数据=[YEAR_HEAD, [FIRM, 2022, 15, 3.5, "A"]])
    result = into(workbook(tmp_path / "b" / "企业.xlsx", newer), "enterprise")
    assert (result["taken"], result["unchanged"], result["gone"]) == (1, 2, 0)
    assert list(EnterpriseYear.objects.order_by("year").values_list("year", flat=True)) == [2021, 2022]


@pytest.mark.usefixtures("parcels")
@pytest.mark.parametrize(
    ("sheet", "row", "code", "identifier"),
    [
        ("企业", ["", "乙公司"], "3-key-missing", ""),
        ("企业", ["123", "乙公司"], "3-key-malformed", "123"),
        ("企业", [FIRM, "乙公司"], "3-key-duplicate", FIRM),
        ("企业", [OTHER, ""], "3-required", OTHER),
        ("年度数据", [OTHER, 2021], "3-no-enterprise", f"{OTHER} 2021"),
        ("年度数据", [FIRM, None], "3-required", FIRM),
        ("年度数据", [FIRM, 2021], "3-key-duplicate", f"{FIRM} 2021"),
        ("占用", [FIRM, "120104001001GB99999"], "3-no-parcel", f"{FIRM} 120104001001GB99999"),
        ("占用", [FIRM, PARCEL, "F99"], "3-no-building", f"{FIRM} {PARCEL}"),
    ],
)
def test_a_row_that_names_nobody_is_refused_with_its_number(tmp_path, sheet, row, code, identifier):
    sheets = firms()
    sheets[sheet].append(row)
    result = into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise")
    assert (result["taken"], result["refused"]) == (3, 1)
    refusal = Refusal.objects.get()
    assert (refusal.code, refusal.row_number, refusal.identifier) == (code, 2, identifier)
    assert Finding.objects.get(severity="error").code == code


@pytest.mark.usefixtures("parcels")
def test_doubtful_values_of_a_sheet_are_told_and_left_out(tmp_path):
    sheets = firms()
    sheets["年度数据"][1] = [FIRM, 2021, "保密", -1, "优"]
    sheets["占用"][1] = [FIRM, PARCEL, None, 10, "也许", "2015-01-01", "2014-01-01"]
    sheets["企业"][1] = [FIRM, "甲公司", "3311", None, "是", "去年", None]
    assert into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise")["taken"] == 3
    told = sorted(Finding.objects.values_list("code", "severity"))
    assert told == [
        ("3-dates-reversed", "warning"),
        ("3-malformed", "warning"),
        ("3-malformed", "warning"),
        ("3-not-a-date", "warning"),
        ("3-not-a-number", "warning"),
        ("3-out-of-range", "warning"),
        ("3-required", "warning"),
    ]
    assert Enterprise.objects.get().sector == ""
    assert Occupancy.objects.get().until is None


@pytest.mark.usefixtures("parcels")
def test_empty_rows_of_a_sheet_are_no_rows(tmp_path):
    sheets = firms()
    sheets["企业"] += [[None] * 7, [OTHER, "乙公司"]]
    result = into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise", layer="企业")
    assert (result["taken"], result["deleted"], Enterprise.objects.get(credit_code=OTHER).row_number) == (2, 1, 3)


@pytest.mark.usefixtures("parcels")
def test_one_sheet_of_a_workbook_may_be_empty_but_not_all(tmp_path):
    path = workbook(tmp_path / "a" / "企业.xlsx", firms(年度数据=[YEAR_HEAD], 占用=[PLACE_HEAD]))
    assert into(path, "enterprise")["taken"] == 1
    empty = workbook(tmp_path / "b" / "企业.xlsx", {"企业": [FIRM_HEAD], "年度数据": [YEAR_HEAD]})
    for layer in (None, "企业"):
        with pytest.raises(Refused) as error:
            into(empty, "enterprise", layer=layer)
        assert error.value.code == "1-empty"


@pytest.mark.usefixtures("parcels")
def test_a_sheet_that_lacks_most_of_what_is_held_is_refused_unless_that_is_meant(tmp_path):
    rows = [[PARCEL, f"C{number}", None, "0601", "", None, None] for number in range(4)]
    into(workbook(tmp_path / "a.xlsx", {"出让合同": [CONTRACT_HEAD, *rows]}), "contract")
    short = workbook(tmp_path / "b.xlsx", {"出让合同": [CONTRACT_HEAD, *rows[:2]]})
    with pytest.raises(Refused, match="2 of the 4 rows"):
        into(short, "contract")
    result = into(short, "contract", replace=True)
    assert (result["unchanged"], result["gone"]) == (2, 2)
    assert [one["count"] for one in result["warnings"] if one["code"] == "1-rows-gone"] == [2]


def test_a_register_of_the_district_holds_what_came_last_with_whichever_survey(tmp_path):
    first = legacy(tmp_path / "a", {"LSBH": "L1", "QSXZ": "20"})
    into(first, "legacy")
    load(legacy(tmp_path / "b", {"LSBH": "L1", "QSXZ": "30"}), "legacy", "120104", 2023)
    back = into(first, "legacy")
    assert (back["already"], back["changed"]) == (False, 1)
    assert into(first, "legacy")["already"]


@pytest.mark.rows("NK016")
@pytest.mark.usefixtures("parcels")
def test_contracts_join_their_parcel_and_say_their_scheme(tmp_path):
    rows = [
        CONTRACT_HEAD,
        [PARCEL, "津2010-1", datetime.date(2010, 1, 2), "0601", "sandiao", 1.0, 500],
        [PARCEL, "津2010-2", None, "9999", "sandiao", None, None],
        ["120104001001GB00009", "津2010-3", None, "0601", "", None, None],
        [PARCEL, "", None, "0601", "", None, None],
    ]
    result = into(workbook(tmp_path / "出让合同.xlsx", {"出让合同": rows}), "contract")
    assert {one["code"]: one["rows"] for one in result["refusals"]} == {"3-no-parcel": [3], "3-key-missing": [4]}
    one = SupplyContract.objects.get(number="津2010-1")
    assert (one.parcel.code, one.use_scheme, one.far_min) == (PARCEL, "sandiao", Decimal("1.00"))
    assert one.investment_agreed_cny == Decimal("5000000.00")
    assert Finding.objects.get(severity="warning").row_number == 2


def test_a_sheet_is_no_layer_of_parcels(tmp_path):
    path = workbook(tmp_path / "宗地.xlsx", {"ZD": [["ZDDM"], [PARCEL]]})
    with pytest.raises(Refused, match="no shapes"):
        into(path, "zd")


# --- wishes and floors ------------------------------------------------------------------------------------------


def test_the_holders_wish_is_kept_with_its_paper(tmp_path):
    fields = [*PARCEL_FIELDS, ("GZYY", "C", 10, 0), ("GZFS", "C", 20, 0), ("YYRQ", "C", 8, 0), ("YYWJ", "C", 60, 0)]
    rows = [
        parcel(1, GZYY="愿意", GZFS="自主改造", YYRQ="20240301", YYWJ="意愿书1"),
        parcel(2, GZYY="也许"),
        parcel(3),
    ]
    into(shapefile(tmp_path, "ZD", rows=rows, fields=fields), "zd")
    wishes = dict(Parcel.objects.values_list("row_number", "owner_wish"))
    wish = {"willing": "yes", "mode": "自主改造", "date": "2024-03-01", "paper": "意愿书1"}
    assert wishes == {1: wish, 2: {}, 3: {}}
    assert Finding.objects.filter(code="3-malformed").get().row_number == 2


def test_vacancy_by_floor_and_temporary_buildings_are_read(tmp_path):
    fields = [("JZWBH", "C", 28, 0), ("JCNF", "N", 4, 0), ("LSJZ", "N", 1, 0), ("KZLC", "C", 100, 0)]
    rows = [
        {"JZWBH": "F1", "JCNF": "1998", "LSJZ": "1", "KZLC": "3:120.50;15-20:300"},
        {"JZWBH": "F2", "KZLC": "三层空"},
    ]
    into(shapefile(tmp_path, "JZW", rows=rows, fields=fields), "building")
    one, other = Building.objects.order_by("code")
    assert (one.built_year, one.temporary) == (1998, True)
    assert one.vacant_by_floor == {"3": 120.5, "15-20": 300.0}
    assert other.vacant_by_floor == {}
    assert Finding.objects.get().code == "3-malformed"
