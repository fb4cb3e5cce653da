"""A delivery is taken back whole, or refused with everything that stands in the way."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone, translation

from importers import undoing
from importers.loading import load
from importers.models import Replaced
from importers.undoing import undo
from tests.importers.containers import area, database, workbook
from tests.importers.shapefiles import PARCEL_FIELDS, WEST, parcel, patch, shapefile, square
from tests.importers.test_registers import CONTRACT_HEAD, PARCEL, firms
from tests.town import scoped_user
from units.activating import activate
from units.checks.validating import validate
from units.checks.waiving import waive
from units.errors import NotFound, Refused
from units.models import (
    ControlArea,
    Delivery,
    District,
    FactSheet,
    Finding,
    LandUsePatch,
    LegacyLand,
    Move,
    Parcel,
    Refusal,
    Street,
    SupplyContract,
    User,
)
from units.rights import Role

pytestmark = pytest.mark.usefixtures("nankai")


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(path, profile="dltb", **options):
    return load(path, profile, "120104", 2022, **options)["delivery"]


def held(table: str) -> list[str]:
    """Every row of a table, byte for byte."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {table} t ORDER BY id")
        return [row for (row,) in cursor.fetchall()]


def parcels(tmp_path, *rows):
    return shapefile(tmp_path, "ZD", rows=list(rows), fields=PARCEL_FIELDS)


@pytest.mark.rows("NK052")
def test_a_first_delivery_leaves_nothing_but_its_record(tmp_path):
    number = into(shapefile(tmp_path, rows=[patch(1), patch(2), patch(3, DLBM="")]))
    result = undo(number)
    assert (result["deleted"], result["restored"], result["returned"], result["findings_closed"]) == (2, 0, 0, 1)
    assert not LandUsePatch.objects.exists()
    assert Delivery.objects.get().state == "undone"
    assert Refusal.objects.count() == 1  # what was refused stays told with its delivery
    assert Finding.objects.get().state == "resolved"


def test_a_correction_is_taken_back_to_what_was_there_byte_for_byte(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(1), patch(2), patch(3)]))
    before = held("units_landusepatch")
    shapes = [[square(column=0, size=70.0)], [square(column=1)], [square(column=5)]]
    number = into(shapefile(tmp_path / "b", rows=[patch(1), patch(2), patch(4)], shapes=shapes), replace=True)
    assert held("units_landusepatch") != before
    result = undo(number)
    assert (result["deleted"], result["restored"], result["returned"]) == (1, 1, 1)
    assert held("units_landusepatch") == before
    assert not Replaced.objects.exists()


def test_what_was_taken_back_can_be_delivered_again(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1)])
    undo(into(path))
    assert into(path) is not None
    assert LandUsePatch.objects.count() == 1


def test_the_later_delivery_of_a_layer_stands_in_the_way(tmp_path):
    first = into(shapefile(tmp_path / "a", rows=[patch(1)]))
    second = into(shapefile(tmp_path / "b", rows=[patch(1), patch(2)]))
    with pytest.raises(Refused, match=f"the later delivery {second}, DLTB.shp"):
        undo(first)
    undo(second)
    undo(first)
    assert not LandUsePatch.objects.exists()


def test_what_rests_on_its_rows_stands_in_the_way_and_is_named(tmp_path):
    number = into(parcels(tmp_path, parcel(1)), "zd")
    FactSheet.objects.create(parcel=Parcel.objects.get(), category="industrial")
    with pytest.raises(Refused, match="1 × "):
        undo(number)
    assert Parcel.objects.count() == 1


def test_a_survey_in_force_stands_in_the_way(tmp_path):
    number = into(shapefile(tmp_path, rows=[patch(1)]))
    activate("120104", 2022)
    with pytest.raises(Refused, match="In force"):
        undo(number)


def test_contracts_stand_in_the_way_of_their_parcels_until_they_are_taken_back(tmp_path):
    zd = into(parcels(tmp_path, parcel(1)), "zd")
    book = workbook(tmp_path / "c.xlsx", {"出让合同": [CONTRACT_HEAD, [PARCEL, "C1", None, "0601", "", None, None]]})
    contracts = into(book, "contract")
    with pytest.raises(Refused, match="C1"):
        undo(zd)
    undo(contracts)
    undo(zd)
    assert not Parcel.objects.exists()
    assert not SupplyContract.objects.exists()


def test_the_sheets_of_a_workbook_are_taken_back_from_the_last(tmp_path):
    into(parcels(tmp_path, parcel(1)), "zd")
    into(workbook(tmp_path / "企业.xlsx", firms()), "enterprise")
    numbers = dict(Delivery.objects.values_list("profile", "pk"))
    with pytest.raises(Refused, match="甲公司"):
        undo(numbers["enterprise"])
    for name in ("occupancy", "enterprise_year", "enterprise"):
        assert undo(numbers[name])["deleted"] == 1


def test_taking_back_an_edition_puts_the_one_before_in_force_again(tmp_path):
    into(database(tmp_path / "a.gpkg", {"JQKG": [area(1)]}), "control")
    number = into(database(tmp_path / "b.gpkg", {"JQKG": [area(1, BB="2025版")]}), "control")
    undo(number)
    assert list(ControlArea.objects.values_list("edition", "in_force")) == [("2024版", True)]


def test_boundaries_return_to_what_they_were(tmp_path):
    fields = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 100, 0)]
    rows = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}, {"XZQDM": "120104099", "XZQMC": "新街道"}]
    shapes = [[square(size=500.0)], [square(column=1, size=500.0, west=WEST)]]
    number = into(shapefile(tmp_path, "XZQ", rows=rows, shapes=shapes, fields=fields), "district")
    assert District.objects.get().geom is not None
    assert Street.objects.count() == 2
    undo(number)
    assert District.objects.get().geom is None
    assert list(Street.objects.values_list("code", "geom")) == [("120104001", None)]


def test_a_delivery_is_taken_back_once(tmp_path):
    number = into(shapefile(tmp_path, rows=[patch(1)]))
    undo(number)
    with pytest.raises(Refused, match="already"):
        undo(number)
    with pytest.raises(NotFound):
        undo(number + 1000)


def test_a_freeze_that_lands_while_a_delivery_is_taken_back_is_a_sentence(tmp_path, monkeypatch):
    number = into(shapefile(tmp_path, "LSYLYD", rows=[{"LSBH": "L1"}], fields=[("LSBH", "C", 40, 0)]), "legacy")
    bureau = User.objects.create_user("bureau")
    facts = {"register": "legacy_register", "subject": "120104", "district_id": "120104", "role": "R7"}
    looked = undoing._closed

    def accepted_just_now(delivery, table):
        found = looked(delivery, table)
        Move.objects.create(**facts, from_state="submitted", to_state="accepted", by=bureau)
        return found

    monkeypatch.setattr(undoing, "_closed", accepted_just_now)
    with pytest.raises(Refused, match="L1 is refused: the register of district 120104 is frozen") as error:
        undo(number)
    assert error.value.code == "edited-since"
    assert LegacyLand.objects.count() == 1
    assert Delivery.objects.get().state == "loaded"


def test_what_a_delivery_replaced_is_changed_by_nobody(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(1), patch(2)]))
    into(shapefile(tmp_path / "b", rows=[patch(1), patch(2, DLBM="0301", DLMC="乔木林地")]))
    assert Replaced.objects.count() == 1
    for statement in ("UPDATE importers_replaced SET row = ''", "TRUNCATE importers_replaced"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


# --- findings --------------------------------------------------------------------------------------------------------


def told() -> list[tuple]:
    """Every finding as it stands, but for what is rounded by a clock."""
    names = (
        "identity",
        "code",
        "state",
        "delivery_id",
        "run_id",
        "row_number",
        "sentence",
        "fingerprint",
        "resolved_at",
    )
    return list(Finding.objects.order_by("identity").values_list(*names))


FAULTY = (patch(1, DLMC="盐田"), patch(2, YSDM="9"), patch(3, DLBM=""), patch(4))
CORRECTED = (patch(1), patch(2, YSDM="8"), patch(3), patch(4))


def test_taking_a_correction_back_gives_back_what_was_told_of_the_file_before(tmp_path):
    first = shapefile(tmp_path / "a", rows=list(FAULTY))
    into(first)
    before = told()
    assert len(before) == 3
    corrected = into(shapefile(tmp_path / "b", rows=list(CORRECTED)))
    assert Finding.objects.unresolved().count() == 1  # told again, of the other file
    result = undo(corrected)
    assert (result["findings_returned"], result["findings_closed"]) == (2, 0)
    assert told() == before
    assert into(first) == before[0][3]  # imported before: and its findings stand
    assert told() == before
    assert not Replaced.objects.exists()


def test_what_only_the_file_taken_back_told_is_closed_and_what_both_told_stays(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(1, YSDM="9"), patch(2)]))
    later = into(shapefile(tmp_path / "b", rows=[patch(1, YSDM="9"), patch(2, YSDM="9")]))
    result = undo(later)
    assert (result["findings_returned"], result["findings_closed"]) == (0, 1)
    assert Finding.objects.unresolved().get().subjects == [patch(1)["BSM"]]


def test_a_file_taken_back_twice_closes_its_findings_twice_and_opens_none(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1, YSDM="9"), patch(2, YSDM="9"), patch(3)])
    load(path, "dltb", "120104", 2021)
    of_2021 = told()
    for _time in range(2):
        number = into(path)
        assert Finding.objects.unresolved().filter(delivery=number).count() == 2
        result = undo(number)
        assert (result["findings_returned"], result["findings_closed"]) == (0, 2)
        assert [one for one in told() if one[2] != "resolved"] == of_2021
        assert not Replaced.objects.exists()
    assert Finding.objects.filter(survey__year=2022, state="resolved").count() == 2


def test_what_a_check_saw_after_the_correction_stands_when_that_is_taken_back(tmp_path):
    first = into(shapefile(tmp_path / "a", rows=[patch(1, DLMC="盐田"), patch(2)]))
    later = into(shapefile(tmp_path / "b", rows=[patch(1, DLMC="盐田"), patch(2, DLMC="盐田")]))
    validate("120104", checks=["3-name-differs"], survey=2022)
    undo(later)
    one = Finding.objects.get(subjects=[patch(1)["BSM"]])
    assert (one.state, one.delivery_id, one.run_id is None) == ("open", first, False)
    assert validate("120104", checks=["3-name-differs"], survey=2022)["open"] == 1
    assert Finding.objects.unresolved().count() == 1


def test_what_a_check_had_taken_over_and_a_correction_resolved_is_open_again(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(1, DLMC="盐田"), patch(2)]))
    validate("120104", checks=["3-name-differs"], survey=2022)
    before = told()
    later = into(shapefile(tmp_path / "b", rows=[patch(1), patch(2)]))
    assert not Finding.objects.unresolved().exists()
    undo(later)
    assert told() == before


# --- what a finding is -----------------------------------------------------------------------------------------------


def test_a_waiver_wakes_when_another_value_is_delivered(tmp_path):
    office = scoped_user(Role.OFFICE, "120104")
    today = timezone.localdate()
    into(shapefile(tmp_path / "a", rows=[patch(1, YSDM="9")]))
    waive(Finding.objects.get(), office, office.grants(), "agreed", today)
    into(shapefile(tmp_path / "b", rows=[patch(1, YSDM="9", TBBH="77")]))
    assert Finding.objects.waived(today).count() == 1  # the same value, in another file
    into(shapefile(tmp_path / "c", rows=[patch(1, YSDM="7")]))
    assert Finding.objects.count() == 1
    assert Finding.objects.unwaived(today).count() == 1


def test_a_row_without_an_identifier_is_the_same_fault_in_every_language(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(1), patch(2, BSM="")]))
    one = Finding.objects.get()
    assert (one.subjects, one.row_number) == (["#2"], 2)
    with translation.override("zh-hans"):
        into(shapefile(tmp_path / "b", rows=[patch(1, TBBH="77"), patch(2, BSM="")]))
    assert Finding.objects.get().state == "open"


def test_what_is_told_of_a_register_of_the_district_is_one_fault_in_every_round(tmp_path):
    fields = [("LSBH", "C", 40, 0), ("YDSJ", "C", 8, 0)]
    rows = [{"LSBH": "L1", "YDSJ": "19991399"}, {"LSBH": "L2", "YDSJ": "19991299"}]
    into(shapefile(tmp_path / "a", "LSYLYD", rows=rows, fields=fields), "legacy")
    assert set(Finding.objects.values_list("survey", "state")) == {(None, "new")}
    rows[1]["YDSJ"] = ""
    load(shapefile(tmp_path / "b", "LSYLYD", rows=rows, fields=fields), "legacy", "120104", 2023)
    stands = list(Finding.objects.order_by("subjects").values_list("subjects", "state"))
    assert stands == [(["L1"], "open"), (["L2"], "resolved")]


def test_boundaries_of_another_round_are_told_where_a_survey_is_in_force(tmp_path):
    fields = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 100, 0)]
    rows = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}]

    def boundaries(name, size):
        path = shapefile(tmp_path / name, "XZQ", rows=rows, shapes=[[square(size=size)]], fields=fields)
        told = load(path, "district", "120104", 2023)
        return told["delivery"], [one for one in told["warnings"] if one["code"] == "1-boundary-in-force"]

    assert boundaries("a", 900.0)[1] == []  # nothing is in force
    into(shapefile(tmp_path, rows=[patch(1)]))
    activate("120104", 2022)
    number, (warning,) = boundaries("b", 950.0)
    assert "南开区" in warning["message"]
    assert "长虹街道" in warning["message"]
    assert "2022" in warning["message"]
    assert "undo_import" in warning["fix"]
    undo(number)
    assert boundaries("c", 900.0)[1] == []  # they are as they were


def test_what_a_check_has_taken_over_keeps_its_waiver_when_the_same_is_delivered_again(tmp_path):
    office = scoped_user(Role.OFFICE, "120104")
    today = timezone.localdate()
    into(shapefile(tmp_path / "a", rows=[patch(1, DLMC="盐田")]))
    waive(Finding.objects.get(), office, office.grants(), "agreed", today)
    validate("120104", checks=["3-name-differs"], survey=2022)
    into(shapefile(tmp_path / "b", rows=[patch(1, DLMC="盐田", TBBH="77")]))
    assert Finding.objects.waived(today).count() == Finding.objects.count() == 1


def test_a_fault_of_a_register_is_the_same_for_its_import_and_for_a_check_of_any_round(tmp_path):
    path = shapefile(
        tmp_path, "LSYLYD", rows=[{"LSBH": "L1", "QSXZ": "99"}], fields=[("LSBH", "C", 40, 0), ("QSXZ", "C", 2, 0)]
    )
    into(path, "legacy")
    into(shapefile(tmp_path / "b", rows=[patch(1)]))
    load(shapefile(tmp_path / "c", rows=[patch(1)]), "dltb", "120104", 2023)
    for year in (2022, 2023):
        validate("120104", checks=["3-code-unknown"], survey=year)
        one = Finding.objects.get(layer="legacy")
        assert (one.state, one.survey, one.row_number) == ("open", None, 1)
