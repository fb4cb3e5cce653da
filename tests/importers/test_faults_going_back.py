"""Faults go back as files, are mended in a desktop GIS, and come in again as a supplement."""

import io
import json
import struct
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from types import SimpleNamespace

import numpy as np
import openpyxl
import pytest
import shapely
from django.core.management import call_command
from django.utils import translation

from importers import consenting
from importers.faults import problems, refused, refused_zip, workbook
from importers.handing_back import _file_name
from importers.loading import load
from importers.models import Repair
from importers.picturing import picture
from importers.undoing import undo
from tests.importers.containers import area, database
from tests.importers.containers import workbook as workbook_of
from tests.importers.shapefiles import PATCH_FIELDS, dbf, parts, patch, prj, shapefile, shp, square, zipped
from tests.importers.test_repairing import BOW_TIE, BOX, at
from tests.importers.test_undoing import held
from units.errors import Refused, UsageError
from units.models import ControlArea, Delivery, Finding, LandUsePatch, Refusal

pytestmark = pytest.mark.usefixtures("nankai")
FORMULA = '=HYPERLINK("http://example.org")'


@pytest.fixture
def english():
    with translation.override("en"):
        yield


def into(path, profile="dltb", **options):
    return load(path, profile, "120104", 2022, **options)


def faulty(tmp_path, **options):
    """A zip as Chinese Windows packs it: four whole rows, an open ring, a bow-tie, one without land class, one damaged.

    Its text is GBK, its LDID says so, and it has no .cpg.
    """
    shapes = [[square(column=number)] for number in range(4)]
    shapes += [
        [at(((0, 0), (0, 10), (10, 10), (10, 0), (3, 0)), 4)],
        [at(BOW_TIE, 5)],
        [at(BOX, 6)],
        struct.pack("<i4d2i", 5, 0, 0, 1, 1, 9_999, 9_999) + b"damaged!",
    ]
    rows = [patch(1), patch(2, DLMC=FORMULA), patch(3), patch(4), patch(5), patch(6), patch(7, DLBM=""), patch(8)]
    path = shapefile(tmp_path / "made", rows=rows, shapes=shapes, ldid=0x4D, **options)
    return zipped(tmp_path / "交付.zip", parts(path, "交付/".encode("gbk")))


def delivered(tmp_path, **options):
    return Delivery.objects.get(pk=into(faulty(tmp_path, **options))["delivery"])


def sheet(body: bytes, number=1):
    return openpyxl.load_workbook(io.BytesIO(body)).worksheets[number]


def members(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name.rpartition(".")[2]: archive.read(name) for name in archive.namelist()}


def test_the_workbook_has_one_row_a_problem_with_its_place_twice_and_no_formula(tmp_path, english):
    delivery = delivered(tmp_path)
    page = sheet(workbook(delivery))
    head, *rows = page.iter_rows(values_only=True)
    assert head[:6] == ("Row of the file", "Identifier", "Code", "Severity", "Field", "Value")
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == f"A1:L{len(rows) + 1}"
    assert len(rows) == Finding.objects.count() == len(problems(delivery))
    told = {(row[0], row[2]): row for row in rows}
    assert {number for number, _code in told} >= {2, 5, 6, 7, 8}
    where = told[6, "4-invalid-shape"]
    assert where[1:4] == (patch(6)["BSM"], "4-invalid-shape", "Error")
    assert where[10:12] == (pytest.approx(at([(5, 5)], 5)[0][0]), pytest.approx(at([(5, 5)], 5)[0][1]))
    assert 117 < where[8] < 118
    quoted = next(cell for line in page.iter_rows() for cell in line if cell.value == FORMULA)
    assert (quoted.data_type, quoted.hyperlink) == ("s", None)


def test_the_workbook_speaks_the_language_of_who_reads_it(tmp_path, english):
    delivery = delivered(tmp_path)
    with translation.override("zh-hans"):
        assert sheet(workbook(delivery)).cell(1, 1).value != "Row of the file"
        said = next(one["sentence"] for one in problems(delivery) if one["code"] == "4-invalid-shape")
        assert "shape" not in said


def test_what_a_later_delivery_tells_again_still_stands_in_the_workbook_of_the_first(tmp_path, english):
    delivery = delivered(tmp_path)
    before = problems(delivery)
    mended = shapefile(tmp_path / "b", rows=[patch(number) for number in range(1, 9)])
    into(mended, replace=True)
    assert problems(delivery) == before


def test_refused_rows_come_back_byte_for_byte_in_the_form_they_had(tmp_path):
    delivery = delivered(tmp_path)
    source = {path.suffix[1:]: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    body = refused_zip(delivery)
    back = members(body)
    assert back.keys() == {"shp", "shx", "dbf", "prj"}
    assert back["prj"] == source["prj"]
    size = struct.unpack_from("<2H", source["dbf"], 8)
    assert struct.unpack_from("<I2H", back["dbf"], 4) == (4, *size)
    assert back["dbf"][29] == 0x4D
    assert back["dbf"][8 : size[0]] == source["dbf"][8 : size[0]]  # the fields, in their order and widths
    records = [source["dbf"][size[0] + row * size[1] :][: size[1]] for row in (4, 5, 6, 7)]
    assert back["dbf"][size[0] : -1] == b"".join(records)
    for row in (4, 5, 6, 7):
        offset, length = (2 * word for word in struct.unpack_from(">2i", source["shx"], 100 + 8 * row))
        there, same = (2 * word for word in struct.unpack_from(">2i", back["shx"], 100 + 8 * (row - 4)))
        assert back["shp"][there + 8 : there + 8 + same] == source["shp"][offset + 8 : offset + 8 + length]


def test_a_cpg_goes_back_as_it_came(tmp_path):
    assert members(refused_zip(delivered(tmp_path, cpg="GBK\r\n")))["cpg"] == b"GBK\r\n"


def test_other_programs_open_what_goes_back(tmp_path):
    path = tmp_path / "back.zip"
    path.write_bytes(refused_zip(delivered(tmp_path, cpg="GBK")))
    said = subprocess.run(["ogrinfo", "-al", f"/vsizip/{path}"], capture_output=True, text=True).stdout
    assert "Feature Count: 4" in said
    assert patch(6)["BSM"] in said
    assert "工业用地" in said


def test_rows_of_a_geopackage_go_back_as_a_shapefile_and_what_it_cannot_hold_is_told(tmp_path, english):
    rows = [
        {**patch(1), "很长的列名之一": "甲" * 100, "数": 1.5},
        {**patch(2), "很长的列名之一": "乙", "数": -2.25},
    ]
    shapes = [shapely.Polygon(at(BOW_TIE, 0)), shapely.Polygon(at(BOW_TIE, 1))]
    delivery = into(database(tmp_path / "a.gpkg", {"DLTB": rows}, shapes=shapes))["delivery"]
    back = refused(Delivery.objects.get(pk=delivery))
    assert back.notes == [
        "Values of 很长的列名之一 are longer than the 254 bytes that a shapefile has; they are cut.",
        "The column 很长的列名之一 is called 很长的 here.",
    ]
    path = tmp_path / back.name
    path.write_bytes(back.body)
    assert members(back.body)["cpg"] == b"UTF-8"
    again = into(path, replace=True)
    assert (again["rows"], again["refused"]) == (2, 2)
    attributes = Refusal.objects.filter(delivery=again["delivery"]).last().attributes
    assert (attributes["BSM"], attributes["很长的"], attributes["数"]) == (patch(2)["BSM"], "乙", "-2.25")


def test_rows_of_a_workbook_go_back_as_a_workbook_with_the_same_columns(tmp_path, english):
    head = [["统一社会信用代码", "年度", "税收（万元）", "备注"]]
    path = workbook_of(
        tmp_path / "b.xlsx", {"企业年度数据": [*head, ["91120104MA0000000X", "二〇二二", "12", FORMULA]]}
    )
    delivery = Delivery.objects.get(pk=into(path, "enterprise_year")["delivery"])
    assert delivery.refused == 1
    closed = refused(delivery)
    assert (closed.name.rpartition(".")[2], len(closed.notes)) == ("xlsx", 1)
    assert list(sheet(closed.body, 0).values) == [tuple(head[0]), ("91120104MA0000000X", "二〇二二", None, FORMULA)]
    opened = sheet(refused(delivery, figures=True).body, 0)
    assert list(opened.values)[1] == ("91120104MA0000000X", "二〇二二", "12", FORMULA)
    assert {cell.data_type for cell in opened[2]} == {"s"}


# --- the whole way -----------------------------------------------------------------------------------------------


def corrected(body: bytes, folder, mend: dict[int, list]) -> object:
    """What a desktop GIS makes of the returned zip: it reads the rows, mends shapes by number, writes them plainly."""
    back = members(body)
    header, size = struct.unpack_from("<2H", back["dbf"], 8)
    rows = []
    for at_row in range(struct.unpack_from("<I", back["dbf"], 4)[0]):
        raw, place, row = back["dbf"][header + at_row * size :][:size], 1, {}
        for name, _kind, width, _decimals in PATCH_FIELDS:
            row[name] = raw[place : place + width].decode("gbk").strip()
            place += width
        rows.append(row)
    shapes = []
    for at_row in range(len(rows)):
        there, length = (2 * word for word in struct.unpack_from(">2i", back["shx"], 100 + 8 * at_row))
        shapes.append(mend.get(at_row) or back["shp"][there + 8 : there + 8 + length])
    folder.mkdir()
    main, index = shp(shapes)
    (folder / "DLTB.shp").write_bytes(main)
    (folder / "DLTB.shx").write_bytes(index)
    (folder / "DLTB.dbf").write_bytes(dbf(PATCH_FIELDS, rows, encoding="gbk", ldid=0x4D))
    (folder / "DLTB.prj").write_bytes(back["prj"])
    return folder / "DLTB.shp"


@pytest.mark.rows("NK011")
def test_refused_rows_are_mended_delivered_as_a_supplement_and_nothing_else_changes(tmp_path, english):
    first = delivered(tmp_path)
    before = held("units_landusepatch")
    mended = {0: [at(BOX, 4)], 1: [at(BOX, 5)]}
    path = corrected(refused_zip(first), tmp_path / "mended", mended)
    result = into(path, supplement=first.pk)
    counted = {name: result[name] for name in ("rows", "taken", "changed", "unchanged", "refused", "deleted", "gone")}
    assert counted == {"rows": 4, "taken": 2, "changed": 0, "unchanged": 0, "refused": 2, "deleted": 0, "gone": 0}
    assert result["supplement"] == first.pk
    after = held("units_landusepatch")
    assert set(before) < set(after)
    assert set(LandUsePatch.objects.values_list("bsm", flat=True)) == {patch(number)["BSM"] for number in range(1, 7)}
    open_ones = Finding.objects.exclude(state="resolved")
    open_ring = open_ones.filter(subjects=[patch(5)["BSM"]], code="4-ring-not-closed")
    assert not open_ring.exists()  # mended
    assert open_ones.filter(subjects=[patch(2)["BSM"]]).exists()  # not spoken of
    assert open_ones.filter(subjects=[patch(7)["BSM"]], delivery=result["delivery"]).exists()  # told again
    assert into(path, supplement=first.pk)["already"]
    told = undo(result["delivery"])
    assert (told["deleted"], told["restored"], told["returned"]) == (2, 0, 0)
    assert held("units_landusepatch") == before
    assert open_ring.exists()


@pytest.mark.rows("NK011")
def test_a_second_row_of_a_key_that_comes_back_as_it_was_does_not_take_the_place_of_the_first(tmp_path, english):
    rows = [patch(1), patch(2), patch(3), patch(1, TBBH="other")]
    first = Delivery.objects.get(pk=into(shapefile(tmp_path / "a", rows=rows))["delivery"])
    before = held("units_landusepatch")
    (tmp_path / "back.zip").write_bytes(refused_zip(first))
    result = into(tmp_path / "back.zip", supplement=first.pk)
    counted = {name: result[name] for name in ("rows", "taken", "changed", "unchanged", "refused")}
    assert counted == {"rows": 1, "taken": 0, "changed": 0, "unchanged": 0, "refused": 1}
    assert "stands in row 1 already" in Refusal.objects.get(delivery=result["delivery"]).reasons[0]["message"]
    assert held("units_landusepatch") == before
    # All of it once more, with a number of its own for the second row: the first one is the one that is held.
    rows[3] = patch(4, TBBH="other")
    result = into(shapefile(tmp_path / "b", rows=rows), supplement=first.pk)
    assert (result["taken"], result["unchanged"], result["refused"]) == (1, 3, 0)


def test_a_supplement_may_change_a_row_that_was_taken(tmp_path):
    first = into(shapefile(tmp_path / "a", rows=[patch(1), patch(2)]))["delivery"]
    before = held("units_landusepatch")
    path = shapefile(tmp_path / "b", rows=[patch(2, DLMC="别的")], shapes=[[square(column=1)]])
    result = into(path, supplement=first)
    assert (result["rows"], result["changed"], result["gone"]) == (1, 1, 0)
    undo(result["delivery"])
    assert held("units_landusepatch") == before


def test_a_supplement_completes_what_is_held_of_its_own_layer_only(tmp_path, english):
    first = into(shapefile(tmp_path / "a", rows=[patch(1), patch(2)]))["delivery"]
    second = into(shapefile(tmp_path / "b", rows=[patch(1), patch(2), patch(3)]))["delivery"]
    path = shapefile(tmp_path / "c", rows=[patch(4)])
    with pytest.raises(Refused, match=f"{second} of the same layer came after {first}"):
        into(path, supplement=first)
    with pytest.raises(UsageError, match="not of this one"):
        load(path, "dltb", "120104", 2023, supplement=second)
    one = into(path, supplement=second)["delivery"]
    other = into(shapefile(tmp_path / "d", rows=[patch(5)]), supplement=one)
    assert (other["supplement"], LandUsePatch.objects.count()) == (second, 5)
    with pytest.raises(Refused, match=f"later delivery {other['delivery']}"):
        undo(one)


def test_a_supplement_of_a_control_layer_is_of_the_edition_that_it_completes(tmp_path, english):
    first = into(database(tmp_path / "a.gpkg", {"GYYQ": [area(1), area(2)]}), "control")["delivery"]
    aside = [shapely.Polygon(square(column=7))]
    other = database(tmp_path / "b.gpkg", {"GYYQ": [area(3, BB="2030版")]}, shapes=aside)
    with pytest.raises(Refused, match="is the edition 2024版; the rows of the supplement say 2030版"):
        into(other, "control", supplement=first)
    third = into(database(tmp_path / "c.gpkg", {"GYYQ": [area(3, BB="")]}, shapes=aside), "control", supplement=first)
    assert (third["taken"], third["gone"]) == (1, 0)
    assert set(ControlArea.objects.values_list("edition", "in_force")) == {("2024版", True)}
    undo(third["delivery"])
    assert set(ControlArea.objects.values_list("code", "in_force")) == {("K1", True), ("K2", True)}


# --- pictures and commands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [5, 6])
def test_a_picture_shows_before_and_after_and_asks_for_nothing_from_elsewhere(tmp_path, english, row):
    delivery = delivered(tmp_path)
    repair = Repair.objects.get(delivery=delivery, row_number=row)
    repair.key = "<img onerror=x>"
    drawn = picture(repair)
    root = ET.fromstring(drawn)
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"As delivered", "As proposed"} <= set(texts)
    assert any(one.endswith(" m") for one in texts)
    assert any("m²" in one for one in texts)
    assert "http" not in drawn.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "<img" not in drawn


def test_the_commands_go_the_whole_way(tmp_path, english, capsys):
    def run(*words):
        code = 0
        try:
            call_command(*map(str, words))
        except SystemExit as error:
            code = error.code
        return code, capsys.readouterr().out

    first = delivered(tmp_path).pk
    out = tmp_path / "out"
    code, said = run("faults", first, "--out", out, "--pictures", "--format", "json")
    told = json.loads(said)
    assert (code, told["refused"], len(told["files"])) == (1, 4, 4)
    assert {path.suffix for path in out.iterdir()} == {".xlsx", ".zip", ".svg"}
    code, said = run("repairs", first)
    assert code == 1
    assert "close a ring" in said
    assert "make it valid" in said
    listed = {one["row_number"]: one["id"] for one in consenting.proposals(first)}
    code, said = run("repairs", first, "--accept", listed[6], "--decline", listed[5], "--again", "--format", "json")
    told = json.loads(said)
    assert (told["accepted"], told["declined"], told["waiting"], told["again"]["taken"]) == (1, 1, 0, 1)
    code, said = run("delivered_row", first, 1, "--format", "json", "--out", tmp_path / "row")
    assert (code, json.loads(said)["stored"]) == (0, True)
    assert np.frombuffer((tmp_path / "row" / "row-1.wkb").read_bytes()[13:], "<f8").reshape(-1, 2).tolist() == [
        list(point) for point in square()
    ]
    assert run("repairs", first, "--accept", 0)[0] == 2
    assert run("faults", 0, "--out", out)[0] == 2


def test_a_reference_system_of_degrees_goes_back_as_it_came(tmp_path):
    ring = [(117.1, 39.1), (117.2, 39.2), (117.2, 39.1), (117.1, 39.2), (117.1, 39.1)]
    path = shapefile(tmp_path / "a", rows=[patch(1), patch(2)], crs=4490, shapes=[[ring], [ring]])
    delivery = Delivery.objects.get(pk=into(path)["delivery"])
    assert members(refused_zip(delivery))["prj"].decode() == prj(4490)
    assert picture(Repair.objects.filter(delivery=delivery).select_related("delivery__district")[0])


def test_what_goes_back_is_called_so_that_every_system_unpacks_it():
    layer = SimpleNamespace(name='a/宗"地\r\n:\u202e')
    assert _file_name(SimpleNamespace(layer=layer)) == "宗_地____"
