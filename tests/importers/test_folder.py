"""A folder of deliveries goes in in the right order, with one report, and stops where a delivery is refused whole."""

import json

import pytest
from django.utils import translation

from importers.folder import load_folder
from tests.importers.containers import area, boundary_points, database, workbook
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, parts, patch, shapefile, square, zipped
from tests.importers.test_registers import CONTRACT_HEAD, PARCEL, firms
from units.errors import InputUnreadable, NotFound, UsageError
from units.models import ControlArea, Delivery, LandUsePatch, Occupancy, Parcel, SupplyContract


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def folder(tmp_path):
    """Deliveries whose names sort in another order than they are needed."""
    made = tmp_path / "deliveries"
    made.mkdir()
    workbook(made / "A出让合同.xlsx", {"出让合同": [CONTRACT_HEAD, [PARCEL, "C1", None, "0601", "", None, None]]})
    workbook(made / "B企业.xlsx", firms())
    zd = shapefile(tmp_path / "zd", "ZD", rows=[parcel(1)], shapes=[[square()]], fields=PARCEL_FIELDS)
    zipped(made / "C宗地.zip", parts(zd, "宗地/".encode("gbk")))
    database(made / "D规划.gpkg", {"JQKG": [area(1)], "GYYQ": [area(2)]})
    boundary_points(made / "重点区域.txt", [("A1", [square()])])
    shapefile(made, "DLTB", rows=[patch(1), patch(2)])
    (made / "answers.json").write_text("{}")
    return made


@pytest.mark.usefixtures("nankai")
def test_deliveries_go_in_in_the_order_in_which_one_needs_the_other(folder):
    seen = []
    result = load_folder(folder, "120104", 2022, progress=lambda *told: seen.append(told))
    assert [one["profile"] for one in result["deliveries"]] == [
        "dltb", "zd", "control", "control", "control", "enterprise", "enterprise_year", "occupancy", "contract",
    ]  # fmt: skip
    assert (result["refused"], result["stopped"], result["not_read"]) == (0, None, [])
    assert (result["rows"], result["taken"]) == (11, 11) or result["rows"] == result["taken"]
    for model, count in ((LandUsePatch, 2), (Parcel, 1), (ControlArea, 3), (Occupancy, 1), (SupplyContract, 1)):
        assert model.objects.count() == count
    assert json.loads(json.dumps(result))["district"] == "120104"
    assert {told[1] for told in seen} == {7}
    again = load_folder(folder, "120104", 2022)
    assert all(one["already"] for one in again["deliveries"])
    assert Delivery.objects.count() == 9


@pytest.mark.usefixtures("nankai")
def test_a_delivery_refused_whole_stops_the_loading_and_those_before_it_stay(folder):
    database(folder / "E规划.gpkg", {"ZXGH": [area(1), area(2, BB="旧版")]})
    result = load_folder(folder, "120104", 2022)
    stopped = result["stopped"]
    assert (stopped["file"], stopped["code"], stopped["left"]) == ("E规划.gpkg", "3-several-editions", 3)
    assert LandUsePatch.objects.count() == 2
    assert not Occupancy.objects.exists()
    (folder / "E规划.gpkg").unlink()
    assert load_folder(folder, "120104", 2022)["stopped"] is None


@pytest.mark.usefixtures("nankai")
def test_what_cannot_be_read_is_told_beside_what_was(folder):
    (folder / "坏.zip").write_bytes(b"PK\x03\x04 no zip")
    database(folder / "X.gpkg", {"NOBODY": [{"A": "1"}]})
    result = load_folder(folder, "120104", 2022)
    assert [(one["file"], one["layer"]) for one in result["not_read"]] == [("X.gpkg", "NOBODY"), ("坏.zip", None)]
    assert len(result["deliveries"]) == 9


@pytest.mark.usefixtures("nankai")
def test_a_folder_without_deliveries_is_an_error(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputUnreadable):
        load_folder(tmp_path / "empty", "120104", 2022)
    with pytest.raises(UsageError):
        load_folder(tmp_path / "nowhere", "120104", 2022)
    with pytest.raises(NotFound):
        load_folder(tmp_path / "empty", "999999", 2022)


def test_the_commands_print_one_report_and_end_with_1_when_a_row_was_refused(manage, folder):
    manage("found_district", "--district", "120104")
    done = manage("load_folder", str(folder), "--district", "120104", "--survey", "2022", "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    contract = next(one for one in told["deliveries"] if one["profile"] == "contract")
    zd = next(one for one in told["deliveries"] if one["profile"] == "zd")
    refused = manage("undo_import", str(zd["delivery"]))
    assert refused.returncode == 1
    assert "C1" in refused.stderr
    done = manage("undo_import", str(contract["delivery"]), "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["deleted"]) == (0, 1)
    workbook(folder / "A出让合同.xlsx", {"出让合同": [CONTRACT_HEAD, ["坏", "C1", None, "", "", None, None]]})
    done = manage("load_folder", str(folder), "--district", "120104", "--survey", "2022")
    assert done.returncode == 1
    assert "A出让合同.xlsx" in done.stdout
