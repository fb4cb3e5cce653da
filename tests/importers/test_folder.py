"""A folder of deliveries goes in in the right order, with one report, and stops where a delivery is refused whole."""

import contextlib
import json
import re
import shutil
import sqlite3

import pytest
from django.utils import translation

from importers.folder import load_folder
from tests.importers.containers import area, boundary_points, csv_table, database, feature, geojson, polygon, workbook
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, parts, patch, shapefile, square, zipped
from tests.importers.test_registers import CONTRACT_HEAD, FIRM, PARCEL, firms
from units.errors import InputUnreadable, NotFound, UsageError
from units.models import ControlArea, Delivery, Finding, LandUsePatch, Occupancy, Parcel, SupplyContract


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
    (made / "~$A出让合同.xlsx").write_bytes(b"x")  # as Excel leaves behind while it is open
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
    told = [re.split("[:：]", line, maxsplit=1)[1] for line in done.stdout.splitlines() if "→" in line]
    assert len(told) > 1
    for line in told:
        rows, *parts = map(int, re.findall(r"\d+", line)[:6])
        assert rows == sum(parts), line


# --- sheets, folders and archives of other names ---------------------------------------------------------------------


@pytest.mark.usefixtures("nankai")
def test_sheets_of_a_workbook_are_known_by_their_columns(folder):
    sheets = firms()
    named = {"Sheet1": sheets["企业"], "2021": sheets["年度数据"], "厂房": sheets["占用"], "Sheet4": []}
    workbook(folder / "B企业.xlsx", named)
    result = load_folder(folder, "120104", 2022)
    assert (result["not_read"], result["stopped"]) == ([], None)  # an empty sheet is nothing that could be read
    of_book = {one["layer"]: one["profile"] for one in result["deliveries"] if one["file"] == "B企业.xlsx"}
    assert of_book == {"Sheet1": "enterprise", "2021": "enterprise_year", "厂房": "occupancy"}
    assert Occupancy.objects.count() == 1


@pytest.mark.usefixtures("nankai")
def test_sub_folders_are_looked_into_and_nothing_else_is_passed_over_in_silence(folder, tmp_path):
    (folder / "2022" / "企业").mkdir(parents=True)
    (folder / "B企业.xlsx").rename(folder / "2022" / "企业" / "B.xlsx")
    (folder / "读我.pdf").write_bytes(b"%PDF-1.7")
    (folder / "DLTB.shp.xml").write_text("<metadata/>")  # goes with DLTB.shp
    (folder / "孤儿.dbf").write_bytes(b"\x03" + bytes(40))
    (folder / "Thumbs.db").write_bytes(b"x")
    sheets = firms() | {"说明": [["填表人", "电话"], ["甲", "1"]]}
    workbook(folder / "2022" / "企业" / "B.xlsx", sheets)
    inner = zipped(tmp_path / "inner.zip", {"x.txt": b"x"})
    zd = shapefile(tmp_path / "again", "ZD", rows=[parcel(1)], shapes=[[square()]], fields=PARCEL_FIELDS)
    more = {"附件/图.zip": inner.read_bytes(), "ZD.shp.xml": b"<x/>", "表.xlsx": b"PK", "__MACOSX/._a": b"x"}
    zipped(folder / "C宗地.zip", parts(zd, b"") | more)
    result = load_folder(folder, "120104", 2022)
    assert Occupancy.objects.count() == 1
    assert {(one["file"], one["layer"]) for one in result["not_read"]} == {
        ("2022/企业/B.xlsx", "说明"),
        ("C宗地.zip", "附件/图.zip"),
        ("C宗地.zip", "表.xlsx"),
        ("孤儿.dbf", None),
        ("读我.pdf", None),
    }
    assert all(one["why"] for one in result["not_read"])


def test_a_folder_with_something_unread_ends_with_1(manage, folder):
    manage("found_district", "--district", "120104")
    (folder / "读我.pdf").write_bytes(b"%PDF-1.7")
    done = manage("load_folder", str(folder), "--district", "120104", "--survey", "2022")
    assert done.returncode == 1
    assert "读我.pdf" in done.stdout


def test_a_workbook_imported_by_itself_says_which_sheet_was_not_read(manage, folder, tmp_path):
    manage("found_district", "--district", "120104")
    manage("load_folder", str(folder), "--district", "120104", "--survey", "2022")
    path = workbook(tmp_path / "企业.xlsx", firms() | {"说明": [["填表人"], ["甲"]]})
    done = manage("import_layer", str(path), "--profile", "enterprise", "--district", "120104", "--survey", "2022")
    assert done.returncode == 1
    assert "说明" in done.stdout


# --- one delivery in several files -----------------------------------------------------------------------------------

SECOND = "91120104MA00000002"


@pytest.fixture
def two_workbooks(folder):
    """A district whose firms fill two workbooks."""
    rest = {
        "企业": [firms()["企业"][0], [SECOND, "乙公司", "3311", "GB/T 4754-2017", "否", None, None]],
        "占用": [firms()["占用"][0], [SECOND, PARCEL, None, 80, "保密", "2016-01-01", None]],
    }
    workbook(folder / "B企业2.xlsx", rest)
    return folder


@pytest.mark.usefixtures("nankai")
def test_two_workbooks_of_one_delivery_do_not_take_each_others_rows_away(two_workbooks):
    result = load_folder(two_workbooks, "120104", 2022)
    assert (result["stopped"], result["gone"], Occupancy.objects.count()) == (None, 0, 2)
    told = Finding.objects.get(code="3-malformed")
    again = load_folder(two_workbooks, "120104", 2022)
    assert all(one["already"] for one in again["deliveries"])
    sheets = firms()
    sheets["占用"][1][3] = 130
    workbook(two_workbooks / "B企业.xlsx", sheets)
    later = load_folder(two_workbooks, "120104", 2022)
    assert (later["changed"], later["gone"], Occupancy.objects.count()) == (1, 0, 2)
    told.refresh_from_db()
    assert told.state != "resolved"  # what was told of the other workbook stays told


@pytest.mark.usefixtures("nankai")
def test_what_none_of_the_workbooks_holds_any_more_is_gone(two_workbooks):
    load_folder(two_workbooks, "120104", 2022)
    sheets = firms()
    sheets["占用"][1][5] = "2018-01-01"
    workbook(two_workbooks / "B企业.xlsx", sheets)
    later = load_folder(two_workbooks, "120104", 2022, replace=True)
    assert (later["taken"], later["gone"], Occupancy.objects.count()) == (1, 1, 2)


@pytest.mark.usefixtures("nankai")
def test_a_survey_layer_in_two_files_is_one_cover(folder, tmp_path):
    two = shapefile(tmp_path / "east", "DLTB", rows=[patch(3), patch(4)], shapes=[[square(8)], [square(9)]])
    zipped(folder / "东片.zip", parts(two, b""))
    for _time in range(2):
        result = load_folder(folder, "120104", 2022)
        assert (result["stopped"], result["gone"], LandUsePatch.objects.count()) == (None, 0, 4)
    assert all(one["already"] for one in result["deliveries"])


@pytest.mark.usefixtures("nankai")
def test_two_sheets_of_one_workbook_do_not_take_each_others_rows_away(folder):
    more = [firms()["占用"][0], [FIRM, PARCEL, None, 80, "是", "2016-01-01", None]]
    workbook(folder / "B企业.xlsx", firms() | {"占用（续）": more})
    for _time in range(2):
        result = load_folder(folder, "120104", 2022)
        assert (result["stopped"], result["gone"], Occupancy.objects.count()) == (None, 0, 2)
    assert all(one["already"] for one in result["deliveries"])


# --- why something was not read --------------------------------------------------------------------------------------


def not_read(folder) -> dict[tuple, str]:
    result = load_folder(folder, "120104", 2022)
    assert result["stopped"] is None
    return {(one["file"], one["layer"]): one["why"] for one in result["not_read"]}


@pytest.mark.usefixtures("nankai")
def test_a_view_is_told_as_one(folder):
    path = database(folder / "X.gpkg", {"T": [area(1)]})
    with contextlib.closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("CREATE VIEW 看 AS SELECT * FROM T")
        raw.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id)"
            " SELECT '看', data_type, '看', srs_id FROM gpkg_contents WHERE table_name = 'T'"
        )
        raw.execute(
            "INSERT INTO gpkg_geometry_columns SELECT '看', 'geom', 'POLYGON', srs_id, 0, 0 FROM"
            " gpkg_geometry_columns WHERE table_name = 'T'"
        )
    assert "view" in not_read(folder)["X.gpkg", "看"]


@pytest.mark.usefixtures("nankai")
def test_a_zip_of_nothing_but_a_zip_is_told_as_one(folder):
    zipped(folder / "套.zip", {"内.zip": b"PK\x05\x06" + bytes(18)})
    why = not_read(folder)["套.zip", None]
    assert "内.zip" in why
    assert "a zip inside the zip" in why


@pytest.mark.usefixtures("nankai")
def test_links_are_listed_and_never_followed(folder, tmp_path):
    """A link to a file, to a folder, to a geodatabase, to a part of a shapefile, within a geodatabase, to nothing."""
    outside = tmp_path / "outside"
    shapefile(outside, "ZD", rows=[parcel(2)], shapes=[[square(3)]], fields=PARCEL_FIELDS)
    shapefile(outside, "LSYLYD", rows=[{"LSBH": "L1"}], fields=[("LSBH", "C", 40, 0)])
    geodatabase = database(outside / "规划.gdb", {"ZXGH": [area(7)]})
    secret = outside / "secret.txt"
    boundary_points(secret, [("A9", [square(5)])])
    (folder / "链接.txt").symlink_to(secret)
    (folder / "文件夹").symlink_to(outside, target_is_directory=True)
    (folder / "规划.gdb").symlink_to(geodatabase, target_is_directory=True)
    (folder / "nowhere.zip").symlink_to(outside / "nothing.zip")
    for part in (".shp", ".shx", ".prj"):
        shutil.copy(outside / f"LSYLYD{part}", folder)
    (folder / "LSYLYD.dbf").symlink_to(outside / "LSYLYD.dbf")
    inner = folder / "乙.gdb"
    inner.mkdir()
    for one in geodatabase.iterdir():
        (inner / one.name).symlink_to(one)
    told = not_read(folder)
    links = {"链接.txt", "文件夹", "规划.gdb", "nowhere.zip", "LSYLYD.dbf"}
    assert {file for (file, _layer), why in told.items() if "It is a link" in why} == links
    assert "without .dbf" in told["LSYLYD.shp", None]
    assert "links" in told["乙.gdb", None]
    assert len(told) == len(links) + 2
    assert ControlArea.objects.count() == 3
    assert Parcel.objects.count() == 1


@pytest.mark.usefixtures("nankai")
def test_geojson_and_csv_of_a_folder_go_in_like_layers_and_workbooks(tmp_path):
    made = tmp_path / "deliveries"
    geojson(made / "DLTB.geojson", [feature(patch(1), polygon(square()))])
    for name, rows in firms().items():
        csv_table(made / f"{name}.csv", [["" if cell is None else cell for cell in row] for row in rows])
    zd = shapefile(tmp_path / "zd", "ZD", rows=[parcel(1)], shapes=[[square()]], fields=PARCEL_FIELDS)
    zipped(made / "宗地.zip", parts(zd))
    (made / "说明.txt").write_text("请先看本说明。")
    result = load_folder(made, "120104", 2022)
    assert (result["stopped"], result["taken"]) == (None, 5)
    assert [one["profile"] for one in result["deliveries"]] == [
        "dltb", "zd", "enterprise", "enterprise_year", "occupancy",
    ]  # fmt: skip
    assert [one["file"] for one in result["not_read"]] == ["说明.txt"]
    assert Occupancy.objects.count() == 1
