"""A delivery is taken back whole, or refused with everything that stands in the way."""

import pytest
from django.db import connection
from django.utils import translation

from importers.loading import load
from importers.models import Replaced
from importers.undoing import undo
from tests.importers.containers import area, database, workbook
from tests.importers.shapefiles import PARCEL_FIELDS, WEST, parcel, patch, shapefile, square
from tests.importers.test_registers import CONTRACT_HEAD, PARCEL, firms
from units.activating import activate
from units.errors import NotFound, Refused
from units.models import (
    ControlArea,
    Delivery,
    District,
    FactSheet,
    Finding,
    LandUsePatch,
    Parcel,
    Refusal,
    Street,
    SupplyContract,
)

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
