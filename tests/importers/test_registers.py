"""Legacy land goes in while its register is open; firms, their years, places and contracts come as sheets."""

import datetime
import importlib
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import translation

from importers.loading import load
from tests.importers.containers import workbook
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, shapefile, square
from units.errors import Refused
from units.models import (
    Building,
    Delivery,
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
    return shapefile(tmp_path, "LSYLYD", rows=list(rows), fields=LEGACY_FIELDS, cpg="GBK")


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
    assert (refusal.code, refusal.row_number, refusal.identifier) == (code, 3, identifier)  # as Excel counts
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
    assert (result["taken"], result["deleted"], Enterprise.objects.get(credit_code=OTHER).row_number) == (2, 1, 4)


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
    assert {one["code"]: one["rows"] for one in result["refusals"]} == {"3-no-parcel": [4], "3-key-missing": [5]}
    one = SupplyContract.objects.get(number="津2010-1")
    assert (one.parcel.code, one.use_scheme, one.far_min) == (PARCEL, "sandiao", Decimal("1.00"))
    assert one.investment_agreed_cny == Decimal("5000000.00")
    assert Finding.objects.get(severity="warning").row_number == 3


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
    into(shapefile(tmp_path, "JZW", rows=rows, fields=fields, cpg="GBK"), "building")
    one, other = Building.objects.order_by("code")
    assert (one.built_year, one.temporary) == (1998, True)
    assert one.vacant_by_floor == {"3": 120.5, "15-20": 300.0}
    assert other.vacant_by_floor == {}
    assert Finding.objects.get().code == "3-malformed"


# --- what a sheet says of a row that is held --------------------------------------------------------------------


@pytest.mark.usefixtures("parcels")
def test_a_refused_row_of_a_sheet_leaves_what_is_held_of_it(tmp_path):
    sheets = firms()
    sheets["占用"].append([FIRM, PARCEL, None, 10, "否", "2019-01-01", None])
    into(workbook(tmp_path / "a" / "企业.xlsx", sheets), "enterprise")
    # The second row names a building that is not there: it is refused, and what was held of it is not gone.
    sheets["占用"][2] = [FIRM, PARCEL, "F99", 10, "否", "2019-01-01", None]
    result = into(workbook(tmp_path / "b" / "企业.xlsx", sheets), "enterprise")
    assert (result["refused"], result["gone"], Occupancy.objects.count()) == (1, 0, 2)
    rows = [[PARCEL, f"C{number}", None, "0601", "", None, None] for number in range(6)]
    into(workbook(tmp_path / "a.xlsx", {"出让合同": [CONTRACT_HEAD, *rows]}), "contract")
    rows[1][0] = "坏"  # its parcel cannot be read, its number can
    del rows[5]  # and this one is gone indeed
    result = into(workbook(tmp_path / "b.xlsx", {"出让合同": [CONTRACT_HEAD, *rows]}), "contract")
    assert (result["refused"], result["gone"]) == (1, 1)
    assert sorted(SupplyContract.objects.values_list("number", flat=True)) == ["C0", "C1", "C2", "C3", "C4"]


@pytest.mark.usefixtures("parcels")
def test_a_longer_value_in_one_row_changes_no_other(tmp_path):
    rows = [[PARCEL, f"C{number}", None, "0601", "", None, None] for number in range(3)]
    into(workbook(tmp_path / "a.xlsx", {"出让合同": [CONTRACT_HEAD, *rows]}), "contract")
    rows.append([PARCEL, "一份编号长得多的合同", None, "0601", "", None, None])
    wider = [[*CONTRACT_HEAD, "备注"], *rows]  # and a column that nobody filled in
    result = into(workbook(tmp_path / "b.xlsx", {"出让合同": wider}), "contract")
    assert (result["taken"], result["unchanged"], result["changed"]) == (1, 3, 0)


# --- numbers as people write them -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "tax", "kept"),
    [
        ("1,234.5", Decimal("12345000.00"), None),
        ("１２３．４", Decimal("1234000.00"), None),
        ("1，234", Decimal("12340000.00"), None),
        ("123.4万元", Decimal("1234000.00"), None),
        ("123.4 万元", Decimal("1234000.00"), None),
        ("123.4元", None, "123.4元"),
        ("1.5亿元", None, "1.5亿元"),
        ("1,23", None, "1,23"),
        ("1_000", None, "1_000"),
        ("约100", None, "约100"),
        ("-5", None, "-5"),
    ],
)
@pytest.mark.usefixtures("parcels")
def test_a_number_is_read_as_people_write_it_or_kept_as_it_is_and_told(tmp_path, said, tax, kept):
    sheets = firms()
    sheets["年度数据"][1] = [FIRM, 2021, said, None, "B"]
    into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise")
    year = EnterpriseYear.objects.get()
    assert year.tax_cny == tax
    assert year.extra == ({"税收（万元）": kept} if kept else {})
    told = list(Finding.objects.values_list("code", "row_number"))
    expected = "3-out-of-range" if said == "-5" else "3-not-a-number"
    assert told == ([(expected, 2)] if kept else [])


@pytest.mark.rows("NK017")
@pytest.mark.usefixtures("parcels")
def test_no_finding_quotes_a_figure_of_a_firm_whatever_the_file_calls_its_column(tmp_path):
    """Who reads findings is not who may read tax, energy and grades (workflow 4.1)."""
    sheets = firms()
    sheets["年度数据"][0] = ["信用代码", "年度", "实缴税收（万元）", "综合能耗", "等级"]
    sheets["年度数据"] += [[FIRM, 2020, -31415, "约92653", "劣"], [FIRM, "去年", -27182, None, None]]
    into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise")
    told = list(Finding.objects.order_by("row_number", "code"))
    assert [(one.row_number, one.code) for one in told[:3]] == [
        (3, "3-malformed"),
        (3, "3-not-a-number"),
        (3, "3-out-of-range"),
    ]
    assert told[2].sentence.startswith("实缴税收（万元） is (closed; it is in the file); it must lie in ")
    for one in told:
        with translation.override("zh-hans"):
            words = one.in_words()
        said = f"{one.sentence} {words} {one.details} {one.subjects}"
        assert not any(figure in said for figure in ("31415", "92653", "劣", "27182")), said
        assert ("closed" in one.sentence) == (one.details["name"] != "年度")
    assert "去年" in next(one.sentence for one in told if one.details["name"] == "年度")
    for delivery in Delivery.objects.all():
        assert not any(figure in f"{delivery.warnings}" for figure in ("31415", "92653", "劣", "27182"))


@pytest.mark.usefixtures("parcels")
def test_what_earlier_imports_quoted_of_a_figure_is_taken_out(tmp_path):
    sheets = firms()
    sheets["年度数据"] += [[FIRM, 2020, -31415, None, None], [FIRM, "去年", None, None, None]]
    into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise")
    before = Finding.objects.get(code="3-out-of-range")
    before.sentence = "税收（万元） is -31415; it must lie in 0 …"
    before.details["told"]["parts"]["value"] = before.details["value"] = "-31415"
    before.save()
    other = Finding.objects.exclude(pk=before.pk).get()
    migration = importlib.import_module("importers.migrations.0003_closed_figures")
    with connection.cursor() as cursor:
        cursor.execute(migration.CLOSE)
    told = Finding.objects.get(pk=before.pk)
    assert told.sentence == "税收（万元） is …; it must lie in 0 …"
    assert "31415" not in f"{told.details} {told.in_words()}"
    assert Finding.objects.get(pk=other.pk).sentence == other.sentence


@pytest.mark.usefixtures("parcels")
def test_no_text_that_a_column_cannot_hold_is_lost(tmp_path):
    sheets = firms()
    sheets["年度数据"][0] = [*YEAR_HEAD, "从业人数"]
    sheets["年度数据"][1] = [FIRM, 2021, 1, None, "优", 12.5]
    sheets["占用"][1] = [FIRM, PARCEL, None, "10㎡", "也许", "2015-01-01", "2014-01-01"]
    sheets["企业"][1] = [FIRM, "甲公司", "3311", "GB/T 4754-2017", "大概", "去年", None]
    into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise")
    year, place, firm = EnterpriseYear.objects.get(), Occupancy.objects.get(), Enterprise.objects.get()
    assert (year.grade, year.employees, year.extra) == ("", None, {"评价等级": "优", "从业人数": "12.5"})
    assert (place.floor_area_m2, place.extra) == (Decimal(10), {"是否承租": "也许", "终止日期": "2014-01-01"})
    assert firm.extra == {"是否规上": "大概", "投产日期": "去年"}


@pytest.mark.usefixtures("parcels")
def test_a_year_that_is_none_is_the_reason_why_its_row_is_not_taken(tmp_path):
    sheets = firms()
    sheets["年度数据"] += [[FIRM, "去年"], [FIRM, 2021.5], [FIRM, 1066]]
    into(workbook(tmp_path / "企业.xlsx", sheets), "enterprise")
    told = Refusal.objects.order_by("row_number").values_list("row_number", "code")
    assert list(told) == [(3, "3-not-a-number"), (4, "3-not-a-number"), (5, "3-out-of-range")]
