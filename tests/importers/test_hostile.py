"""Files made to do harm, and those that other readers lose rows of: each trap has a test, which is named here."""

import ast
import errno
import os
import re
import socket
import sqlite3
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.utils import translation

from importers import formats, opening, unpacking, workfolders
from importers.folder import load_folder
from importers.inspecting import inspect
from importers.loading import load
from importers.reading_dbf import MAX_FIELDS
from tests.importers.containers import area, boundary_points, database, feature, geojson, polygon, workbook
from tests.importers.shapefiles import (
    PATCH_FIELDS,
    SOUTH,
    WEST,
    parts,
    patch,
    shapefile,
    square,
    zipped,
)
from units.errors import GeoinvError, InputUnreadable
from units.models import Finding, LandUsePatch, Refusal

ROOT = Path(__file__).resolve().parent.parent
HERE = "importers/test_hostile.py"
# Every trap of “Reading files” and “Hostile files”, and the tests that prove that nothing of it gets past.
TRAPS = {
    # reading files
    "fewer DBF rows than shapes": [f"{HERE}::test_rows_that_one_part_has_and_another_has_not_are_each_told"],
    "deleted DBF rows": ["importers/test_loading.py::test_rows_marked_deleted_are_counted_apart"],
    "truncated .shp": [f"{HERE}::test_a_shp_that_was_cut_off_loses_no_row_without_a_word"],
    "absurd part counts": [f"{HERE}::test_absurd_counts_in_a_record_refuse_the_row"],
    "GBK with no .cpg and LDID 0": ["importers/test_encoding_matrix.py"],
    "a wrong UTF-8 .cpg over GBK": ["importers/test_encoding_matrix.py"],
    "UTF-8 forced to GBK": ["importers/test_encoding_matrix.py"],
    "a value cut inside a character": ["importers/test_encoding_matrix.py"],
    "false CRS pairings": ["importers/test_crs_matrix.py"],
    "Xian 1980 / Beijing 1954 is a silent no-op": ["importers/test_crs_matrix.py"],
    "low-confidence EPSG matching": ["importers/test_crs_matrix.py"],
    "unclosed rings": [f"{HERE}::test_unclosed_rings_are_refused_in_every_container"],
    "GBK names in Windows zips": [
        "importers/test_opening.py::test_layers_in_sub_folders_with_gbk_names_are_found_and_macosx_is_not"
    ],
    "layers in sub-folders and beside __MACOSX": [
        "importers/test_opening.py::test_layers_in_sub_folders_with_gbk_names_are_found_and_macosx_is_not"
    ],
    "a duplicate member name": [
        "importers/test_opening.py::test_a_name_twice_in_a_zip_is_refused",
        f"{HERE}::test_names_that_differ_in_case_or_form_only_are_refused",
    ],
    "some fiona errors are plain OSErrors": [f"{HERE}::test_every_error_of_a_reader_is_one_of_ours"],
    "18-digit BSM read as a number": [
        "importers/test_texts.py::test_codes_of_18_digits_that_were_written_as_numbers_keep_every_digit",
        f"{HERE}::test_an_18_digit_bsm_keeps_every_digit_in_every_container",
    ],
    "an exclave gives several rows with one XZQDM": [f"{HERE}::test_an_exclave_is_one_district_in_several_rows"],
    # hostile files
    "a VRT named DLTB.shp": [f"{HERE}::test_an_indirect_format_reads_no_other_file_whatever_it_is_called"],
    "a VRT inside a zip": [f"{HERE}::test_an_indirect_format_inside_a_zip_reads_no_other_file"],
    "OGR_SKIP before GDAL": [
        "importers/test_containers.py::test_the_reading_process_has_one_driver_and_opens_nothing_else"
    ],
    "a crash of a reader": [
        "importers/test_bounds.py::test_a_reader_that_crashes_is_a_sentence_and_the_next_file_is_read"
    ],
    "../ and absolute members": [
        "importers/test_opening.py::test_a_member_that_would_leave_the_folder_is_refused",
    ],
    "link members": [f"{HERE}::test_links_devices_and_pipes_in_a_zip_are_refused"],
    "bombs": [
        "importers/test_opening.py::test_a_bomb_is_refused_before_it_is_unpacked",
        f"{HERE}::test_an_entry_that_unpacks_to_more_than_it_says_is_refused",
        f"{HERE}::test_many_small_entries_that_are_too_much_together_are_refused",
        f"{HERE}::test_entries_that_share_their_data_are_refused",
    ],
    "nested zips": [f"{HERE}::test_a_zip_in_a_zip_is_told_and_not_opened"],
    "100,000 entries": [f"{HERE}::test_a_hundred_thousand_entries_are_refused_before_they_are_listed"],
    "9·10^18 features": [f"{HERE}::test_a_table_that_claims_ever_so_many_rows_is_held_to_what_it_has"],
    "NaN and inf coordinates": [f"{HERE}::test_coordinates_that_are_no_numbers_refuse_their_row_only"],
    "a ring of 200,000 vertices": [f"{HERE}::test_a_ring_of_200000_vertices_is_taken"],
    "255 fields": [f"{HERE}::test_255_fields_are_read_and_more_are_a_sentence"],
    "HTML saved as .prj": [f"{HERE}::test_a_web_page_saved_as_prj_or_cpg_is_no_declaration"],
    "=HYPERLINK(…) and <img onerror>": [f"{HERE}::test_formulas_and_markup_are_stored_as_text"],
}


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def work(tmp_path, monkeypatch):
    """The folder in which work folders are made, to see that they go."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.glob(f"{workfolders.PREFIX}*"))


def into(path, profile="dltb", **options):
    result = load(path, profile, "120104", 2022, **options)
    assert result["rows"] == sum(result[name] for name in ("taken", "changed", "unchanged", "refused", "deleted"))
    return result


def refused(result) -> dict:
    return {one["code"]: one["rows"] for one in result["refusals"]}


def told(result) -> set[str]:
    return {one["code"] for one in result["warnings"]}


def refusal(path) -> str:
    with pytest.raises(InputUnreadable) as error, opening.opened(path):
        pass
    assert error.value.hint
    return str(error.value)


def test_every_trap_has_a_test_that_is_there():
    for trap, tests in TRAPS.items():
        assert tests, trap
        for named in tests:
            file, _colons, name = named.partition("::")
            assert (ROOT / file).is_file(), f"{trap}: {file}"
            found = {node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if hasattr(node, "name")}
            assert name in found or (not name and any(one.startswith("test_") for one in found)), f"{trap}: {named}"


# --- what a shapefile may lose --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nankai")
@pytest.mark.rows("NK011")
@pytest.mark.parametrize(
    ("shapes", "rows", "codes", "row"),
    [(4, 3, {"1-fewer-rows"}, {"1-no-attributes": [4]}), (3, 4, {"1-fewer-rows"}, {"1-no-record": [4]})],
)
def test_rows_that_one_part_has_and_another_has_not_are_each_told(tmp_path, shapes, rows, codes, row):
    path = shapefile(
        tmp_path, rows=[patch(at) for at in range(1, rows + 1)], shapes=[[square(at)] for at in range(shapes)]
    )
    result = into(path)
    assert (result["rows"], result["taken"], refused(result)) == (4, 3, row)
    assert codes <= told(result)


def indexed(path: Path, *entries: int) -> Path:
    """Rewrite the .shx so that it lists these records of the .shp, numbered from 0."""
    raw = path.with_suffix(".shx").read_bytes()
    listed = b"".join(raw[100 + 8 * at : 108 + 8 * at] for at in entries)
    path.with_suffix(".shx").write_bytes(raw[:100] + listed)
    return path


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize(
    ("entries", "problems", "row"),
    [
        ((0, 1), {"1-index-misses": ("1", "3"), "1-fewer-rows": ("2", "3")}, {"1-no-record": [3]}),
        ((0, 0, 2), {"1-index-misses": ("1", "3"), "1-index-twice": ("1", "3")}, {"1-shape-damaged": [2]}),
        ((0, 2, 1), {"1-index-order": ("1", "3")}, {"1-shape-damaged": [2, 3]}),
        ((0, 1, 2, 2), {"1-index-twice": ("1", "4"), "1-fewer-rows": ("4", "3")}, {"1-no-attributes": [4]}),
    ],
)
def test_an_index_that_lists_other_records_than_there_are_is_told_in_numbers(tmp_path, entries, problems, row):
    path = indexed(shapefile(tmp_path, rows=[patch(at) for at in (1, 2, 3)]), *entries)
    (layer,) = inspect(path)["layers"]
    counts = {"shp": 3, "shx": len(entries), "dbf": 3, "dbf_declared": 3}
    assert layer["counts"] == counts
    said = {one["code"]: tuple(re.findall(r"\d+", one["message"])) for one in layer["problems"]}
    assert said.items() >= problems.items()
    assert refused(into(path)) == row


@pytest.mark.usefixtures("nankai")
def test_a_third_record_that_neither_index_nor_table_lists_is_told(tmp_path):
    """Two rows, two entries, three shapes: every plain reader reads two and says nothing."""
    path = indexed(shapefile(tmp_path, rows=[patch(1), patch(2)], shapes=[[square(at)] for at in range(3)]), 0, 1)
    result = into(path)
    assert (result["rows"], result["taken"], "1-index-misses" in told(result)) == (2, 2, True)
    assert "does not list 1 of the 3 records" in next(
        one["message"] for one in result["warnings"] if one["code"] == "1-index-misses"
    )


@pytest.mark.usefixtures("nankai")
def test_a_shp_that_was_cut_off_loses_no_row_without_a_word(tmp_path):
    path = shapefile(tmp_path, rows=[patch(at) for at in (1, 2, 3)])
    path.write_bytes(path.read_bytes()[:-60])
    result = into(path)
    assert (result["rows"], result["taken"], refused(result)) == (3, 2, {"1-shape-cut-off": [3]})
    assert "1-size-declared" in told(result)


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("count", [-1, 2**31 - 1, 0x10000000, 7])
@pytest.mark.parametrize("at", [44, 48])  # the number of parts, the number of points
def test_absurd_counts_in_a_record_refuse_the_row(tmp_path, at, count):
    path = shapefile(tmp_path, rows=[patch(1), patch(2)])
    raw = bytearray(path.read_bytes())
    struct.pack_into("<i", raw, 100 + at, count)
    path.write_bytes(raw)
    result = into(path)
    assert (result["taken"], refused(result)) == (1, {"1-shape-damaged": [1]})


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_coordinates_that_are_no_numbers_refuse_their_row_only(tmp_path, value):
    ring = square(1)
    shapes = [[square(0)], [[ring[0], (value, ring[1][1]), *ring[2:]]]]
    result = into(shapefile(tmp_path, rows=[patch(1), patch(2)], shapes=shapes))
    assert (result["taken"], refused(result)) == (1, {"2-not-finite": [2]})


@pytest.mark.usefixtures("nankai")
def test_unclosed_rings_are_refused_in_every_container(tmp_path):
    ring = square()[:-1]
    loose = shapefile(tmp_path / "a", rows=[patch(1)], shapes=[[ring]])
    made = [
        (loose, "dltb"),
        (zipped(tmp_path / "a.zip", parts(loose)), "dltb"),
        (geojson(tmp_path / "DLTB.geojson", [feature(patch(1), polygon(ring))]), "dltb"),
        (boundary_points(tmp_path / "重点区域.txt", [("A1", [ring])]), "control"),
    ]
    for path, profile in made:
        assert refused(into(path, profile)) == {"4-ring-not-closed": [1]}, path.name


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("declared", [2**32 - 1, 2**31, 1])
def test_a_table_that_claims_ever_so_many_rows_is_held_to_what_it_has(tmp_path, declared):
    path = shapefile(tmp_path, rows=[patch(1), patch(2)], declared=declared)
    result = into(path)
    assert (result["rows"], "1-rows-declared" in told(result)) == (2, True)
    assert result["taken"] == min(2, declared)


def test_a_database_that_claims_ever_so_many_features_is_held_to_what_it_has(tmp_path, nankai):
    path = database(tmp_path / "a.gpkg", {"GYYQ": [area(1), area(2)]})
    with sqlite3.connect(path) as made:
        made.execute("UPDATE gpkg_ogr_contents SET feature_count = 9000000000000000000")
    assert into(path, "control")["rows"] == 2


@pytest.mark.usefixtures("nankai")
def test_a_ring_of_200000_vertices_is_taken(tmp_path):
    angle = np.linspace(0, 2 * np.pi, 200_001)[:-1]
    ring = np.column_stack((WEST + 400 + 300 * np.cos(-angle), SOUTH + 400 + 300 * np.sin(-angle))).tolist()
    result = into(
        shapefile(tmp_path, rows=[patch(1, TBMJ="282743.34", TBDLMJ="282743.34")], shapes=[[[*ring, ring[0]]]])
    )
    assert (result["taken"], result["refused"]) == (1, 0)
    assert LandUsePatch.objects.get().geom.num_coords == 200_001


@pytest.mark.usefixtures("nankai")
def test_255_fields_are_read_and_more_are_a_sentence(tmp_path):
    more = [(f"X{at:03}", "C", 1, 0) for at in range(MAX_FIELDS - len(PATCH_FIELDS))]
    assert into(shapefile(tmp_path / "a", rows=[patch(1)], fields=[*PATCH_FIELDS, *more]))["taken"] == 1
    path = shapefile(tmp_path / "b", rows=[patch(1)], fields=[*PATCH_FIELDS, *more, ("ZZ", "C", 1, 0)])
    with pytest.raises(InputUnreadable, match="more than 255 fields"):
        into(path)
    wide = geojson(tmp_path / "DLTB.geojson", [feature({f"c{at}": 1 for at in range(300)}, polygon(square()))])
    with pytest.raises(InputUnreadable, match="more than 255 columns"):
        into(wide)


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("page", ["<!DOCTYPE html><html><body>404</body></html>", "\x00" * 500, "PROJCS[" * 5_000])
def test_a_web_page_saved_as_prj_or_cpg_is_no_declaration(tmp_path, page):
    path = shapefile(tmp_path, rows=[patch(1)], crs=page, cpg=page)
    (layer,) = inspect(path)["layers"]
    assert layer["crs"]["verdict"] in ("ask", "likely")
    assert layer["encoding"]["name"] == "GB18030"
    assert layer["crs"]["epsg"] in (None, 4527)  # by the numbers, or asked for; never by the page
    assert into(path, crs="EPSG:4527")["taken"] == 1


@pytest.mark.usefixtures("nankai")
def test_an_18_digit_bsm_keeps_every_digit_in_every_container(tmp_path):
    wanted = patch(1)["BSM"]
    row = patch(1) | {"TBMJ": 9999.99}
    for path in (
        shapefile(tmp_path / "a", rows=[patch(1)]),
        database(tmp_path / "b.gpkg", {"DLTB": [row]}),
        database(tmp_path / "c.gdb", {"DLTB": [row]}),
        geojson(tmp_path / "DLTB.geojson", [feature(row, polygon(square()))]),
    ):
        LandUsePatch.objects.all().delete()
        into(path, replace=True)
        assert LandUsePatch.objects.get().bsm == wanted, path.name


@pytest.mark.usefixtures("nankai")
def test_an_exclave_is_one_district_in_several_rows(tmp_path):
    fields = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 100, 0)]
    rows = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}] * 2
    result = into(shapefile(tmp_path, "XZQ", rows=rows, fields=fields), "district")
    assert (result["taken"] + result["changed"], result["refused"]) == (2, 0)


# --- what leads elsewhere -------------------------------------------------------------------------------------------

VRT = '<OGRVRTDataSource><OGRVRTLayer name="DLTB"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'


@pytest.mark.parametrize(
    "name", ["DLTB.shp", "DLTB.gpkg", "DLTB.geojson", "DLTB.csv", "DLTB.xlsx", "DLTB.txt", "a.gdb"]
)
@pytest.mark.parametrize("before", ["", "\ufeff", "<?xml version='1.0'?>\n<!-- -->\n"])
def test_an_indirect_format_reads_no_other_file_whatever_it_is_called(tmp_path, work, name, before):
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,geheim\n")
    path = tmp_path / name
    path.write_text(before + VRT.format(secret))
    said = refusal(path)
    assert "OGR VRT" in said
    assert "geheim" not in said


@pytest.mark.parametrize("name", ["DLTB.gpkg", "DLTB.geojson", "DLTB.csv", "DLTB.vrt"])
def test_an_indirect_format_inside_a_zip_reads_no_other_file(tmp_path, work, name):
    good = parts(shapefile(tmp_path / "a", "XZQ"))
    path = zipped(tmp_path / "x.zip", good | {name: VRT.format("/etc/passwd").encode()})
    if name.endswith("gpkg"):
        assert "bytes are not one" in refusal(path)
        return
    with opening.opened(path) as container:
        assert [layer.name for layer in container.layers] == ["XZQ"]
        assert "OGR VRT" in container.notes[0]


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_devices_and_pipes_in_a_zip_are_refused(tmp_path, work, mode):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        member = zipfile.ZipInfo("DLTB.shp")
        member.external_attr = (mode | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    assert ("is a link" if mode == stat.S_IFLNK else "is a device or a pipe") in refusal(tmp_path / "x.zip")


@pytest.mark.parametrize("name", ["a/" * 30 + "DLTB.shp", "n" * 300 + ".shp", "街" * 90 + ".shp", "", "a\x00b.shp"])
def test_names_that_no_file_system_has_are_refused(tmp_path, work, name):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("0", b"x")
    raw = (tmp_path / "x.zip").read_bytes()
    encoded = name.encode()
    raw = raw.replace(struct.pack("<HH", 1, 0) + b"0", struct.pack("<HH", len(encoded), 0) + encoded)  # before the data
    at = raw.index(b"PK\x01\x02")
    head = bytearray(raw[at : at + 46])
    struct.pack_into("<H", head, 28, len(encoded))
    struct.pack_into("<H", head, 8, 0x800)
    body = bytes(head) + encoded
    end = bytearray(raw[raw.index(b"PK\x05\x06") :])
    struct.pack_into("<II", end, 12, len(body), at)
    (tmp_path / "x.zip").write_bytes(raw[:at] + body + bytes(end))
    assert "zip" in refusal(tmp_path / "x.zip")


def test_names_that_differ_in_case_or_form_only_are_refused(tmp_path, work):
    for one, other in (("DLTB.dbf", "dltb.DBF"), ("caf\u00e9.dbf", "cafe\u0301.dbf")):
        path = zipped(tmp_path / "x.zip", {one: b"1", other: b"2"})
        assert "twice" in refusal(path)


def test_a_second_part_of_a_loose_shapefile_in_other_case_is_refused(tmp_path, work):
    path = shapefile(tmp_path / "a")
    (tmp_path / "a" / "dltb.DBF").write_bytes(path.with_suffix(".dbf").read_bytes())
    assert "a second .dbf" in refusal(path)


# --- what asks for too much -----------------------------------------------------------------------------------------


def test_an_entry_that_unpacks_to_more_than_it_says_is_refused(tmp_path, work):
    path = zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "a")))
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("DLTB.dbf").file_size
    path.write_bytes(raw.replace(struct.pack("<I", size), struct.pack("<I", size - 100)))  # in the list and before it
    assert "damaged zip" in refusal(path)


def test_a_list_of_entries_that_contradicts_their_data_is_refused(tmp_path, work):
    path = zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "a")))
    raw = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("DLTB.shp")
    at = raw.index(b"PK\x01\x02")
    listed = raw[at:].replace(struct.pack("<I", member.file_size), struct.pack("<I", member.file_size + 7))
    path.write_bytes(raw[:at] + listed)
    assert "contradicts itself" in refusal(path)


def test_many_small_entries_that_are_too_much_together_are_refused(tmp_path, work, monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_BYTES", 10_000)
    path = zipped(tmp_path / "x.zip", {f"{at}.dbf": bytes(3_000) for at in range(4)})
    assert "would unpack to 12000 bytes" in refusal(path)


def test_entries_that_share_their_data_are_refused(tmp_path, work):
    """A bomb without any ratio: the entries of the list all lead to the same packed bytes."""
    path = zipped(tmp_path / "x.zip", {"a.dbf": bytes(1_000), "b.dbf": bytes(1_000)})
    raw = bytearray(path.read_bytes())
    second = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, second + 42, 0)
    path.write_bytes(raw)
    assert "damaged zip" in refusal(path)


def test_a_hundred_thousand_entries_are_refused_before_they_are_listed(tmp_path, work):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"")
    raw = path.read_bytes()
    at = raw.index(b"PK\x01\x02")
    entry, end = raw[at : raw.index(b"PK\x05\x06")], bytearray(raw[raw.index(b"PK\x05\x06") :])
    listed = entry * 100_000
    struct.pack_into("<HHII", end, 8, 0xFFFF, 0xFFFF, len(listed), at)
    path.write_bytes(raw[:at] + listed + bytes(end))
    began = time.process_time()
    assert "entries; 10000 are read at most" in refusal(path)
    assert time.process_time() - began < 1


def test_a_zip_in_a_zip_is_told_and_not_opened(tmp_path, work):
    inner = zipped(tmp_path / "inner.zip", parts(shapefile(tmp_path / "a")))
    with opening.opened(
        zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "b", "XZQ")) | {"y.dat": inner.read_bytes()})
    ) as one:
        assert [layer.name for layer in one.layers] == ["XZQ"]
        assert one.notes == ["y.dat – It is a zip inside the zip, which is not opened; deliver it by itself."]
    assert "zip inside the zip" in refusal(zipped(tmp_path / "z.zip", {"inner.zip": inner.read_bytes()}))


def test_a_disk_that_is_too_small_is_told_before_it_is_full(tmp_path, work, monkeypatch):
    monkeypatch.setattr(unpacking, "SPARE", 2**60)
    assert "the disk has" in refusal(zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "a"))))


def test_a_disk_that_is_full_is_a_sentence(tmp_path, work, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "sendfile", full)
    assert "No space left" in refusal(shapefile(tmp_path / "a"))


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/workbook.xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_a_workbook_are_refused(tmp_path, work, part, encoding):
    """A billion laughs, and a file of the server as a text of a cell."""
    path = workbook(tmp_path / "a.xlsx", {"企业": [["A"], ["x"]]})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    text = members.get(part, b"<sst/>").decode()
    text = re.sub(r"^<\?xml.*?\?>", "", text)
    head = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
    members[part] = (head + text).encode(encoding)
    with pytest.raises(InputUnreadable, match="declares entities"), opening.opened(zipped(path, members)):
        pass


# --- what is no file, or changes ------------------------------------------------------------------------------------


def test_pipes_sockets_and_devices_are_no_files(tmp_path, work):
    os.mkfifo(tmp_path / "DLTB.shp")
    with socket.socket(socket.AF_UNIX) as made:
        held = os.getcwd()
        os.chdir(tmp_path)
        made.bind("s")
        os.chdir(held)
        for path in (tmp_path / "DLTB.shp", tmp_path / "s", Path("/dev/zero"), Path("/dev/null")):
            assert "read" in refusal(path)
    shapefile(tmp_path / "a")
    (tmp_path / "a" / "DLTB.dbf").unlink()
    os.mkfifo(tmp_path / "a" / "DLTB.dbf")
    assert "without .dbf" in refusal(tmp_path / "a" / "DLTB.shp")


def test_a_geodatabase_with_links_is_refused(tmp_path, work):
    folder = database(tmp_path / "a.gdb", {"GYYQ": [area(1)]})
    (folder / "a00000099.gdbtable").symlink_to("/etc/passwd")
    assert "links" in refusal(folder)


@pytest.mark.usefixtures("nankai")
def test_a_folder_that_leads_back_to_itself_is_walked_once(tmp_path):
    made = tmp_path / "deliveries"
    shapefile(made, rows=[patch(1)])
    (made / "again").symlink_to(made, target_is_directory=True)
    (made / "目录").mkdir()
    (made / "目录" / "up").symlink_to("..", target_is_directory=True)
    result = load_folder(made, "120104", 2022)
    assert result["taken"] == 1
    assert ["link" in one["why"] for one in result["not_read"]] == [True, True]


def test_a_file_that_grows_while_it_is_copied_is_told(tmp_path, work, monkeypatch):
    path = geojson(tmp_path / "DLTB.geojson", [feature(patch(1), polygon(square()))])
    sent = os.sendfile

    def meanwhile(*arguments):
        with path.open("ab") as file:
            file.write(b" ")
        return sent(*arguments)

    monkeypatch.setattr(os, "sendfile", meanwhile)
    assert "was changed while it was read" in refusal(path)


@pytest.mark.usefixtures("nankai")
def test_what_is_read_and_kept_is_one_copy_whatever_becomes_of_the_file(tmp_path, kept):
    """The file is replaced and cut off after it was opened: what was opened is read, kept, and told by its digest."""
    path = shapefile(tmp_path / "a", rows=[patch(1), patch(2)])
    delivered = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    with opening.opened(path) as container:
        for one in path.parent.iterdir():
            one.write_bytes(b"")
        result = into(path, container=container)
    assert result["taken"] == 2
    (folder,) = kept.iterdir()
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == delivered


def test_a_database_with_triggers_is_read_and_none_of_them_runs(tmp_path, work, nankai):
    path = database(tmp_path / "a.gpkg", {"GYYQ": [area(1)]})
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE noted(x)")
        for event in ("INSERT", "UPDATE", "DELETE"):
            made.execute(f"CREATE TRIGGER t{event} AFTER {event} ON GYYQ BEGIN INSERT INTO noted VALUES (1); END")
        made.execute("CREATE VIRTUAL TABLE texts USING fts5(a)")
        made.execute(
            "INSERT INTO gpkg_contents(table_name, data_type, identifier) VALUES ('texts', 'attributes', 'texts')"
        )
    before = path.read_bytes()
    assert into(path, "control", layer="GYYQ")["taken"] == 1
    assert path.read_bytes() == before
    said = [one.get("unreadable", "") for one in inspect(path)["layers"]]
    assert [bool(one) for one in said] == [False] + ["view or a virtual" in one for one in said[1:]]


# --- what stands in the cells ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nankai")
def test_formulas_and_markup_are_stored_as_text(tmp_path):
    """Pages escape what is stored and exports defuse it; that is proved where they are made."""
    formula, markup = '=HYPERLINK("http://x","y")', "<img src=x onerror=alert(1)>"
    fields = [*PATCH_FIELDS, ("BEIZHU", "C", 60, 0)]
    rows = [patch(1, BEIZHU=formula, ZLDWMC=markup), patch(2, DLMC=formula)]
    into(shapefile(tmp_path / "a", rows=rows, fields=fields))
    one = LandUsePatch.objects.get(bsm=rows[0]["BSM"])
    assert (one.extra["BEIZHU"], one.extra.get("ZLDWMC", markup)) == (formula, markup)
    assert any(formula in str(finding.details) for finding in Finding.objects.filter(row_number=2))


@pytest.mark.usefixtures("nankai")
def test_zero_bytes_within_a_text_are_told_and_kept_out_of_the_database(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2, DLMC="工业\x00用地", ZLDWMC=b"a\x00b")])
    result = into(path)
    assert (result["taken"], refused(result)) == (1, {"3-undecodable": [2]})
    assert "\x00" not in str(Refusal.objects.get().attributes)


# --- what is said -----------------------------------------------------------------------------------------------------

DIRECTORY = b"\xd0\xcf\x11\xe0" + bytes(26) + struct.pack("<H", 9) + bytes(16) + struct.pack("<I", 0) + bytes(460)


@pytest.mark.parametrize(
    ("content", "name", "kind", "fix"),
    [
        (b"Datamark: LANDUSE-VCT\nVersion:3.0", "2001H.vct", "VCT", "convert the VCT"),
        (b"\x00\x01\x00\x00Standard Jet DB\x00", "a.mdb", "Access", "file geodatabase"),
        (b"\x00\x01\x00\x00Standard ACE DB\x00", "a.accdb", "Access", "file geodatabase"),
        (DIRECTORY + "Workbook\0".encode("utf-16-le"), "企业.xls", "Excel 97", "save it as .xlsx"),
        (DIRECTORY + "Mx Document\0".encode("utf-16-le"), "图.mxd", "map document", "the layers that it shows"),
        (DIRECTORY + "WordDocument\0".encode("utf-16-le"), "a.doc", "compound file", ".xlsx"),
        (b"\x07\x08\x01\x02", "宗地.cdf", "an unknown format", "A .cdf is read only by the program that wrote it"),
        (b"CDF\x01\x00", "a.cdf", "netCDF", "Export the layer"),
        (b"Rar!\x1a\x07\x01\x00", "a.zip", "RAR", "Unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "a.zip", "7-Zip", "Unpack it"),
        (b"\x1f\x8b\x08\x00", "a.tar.gz", "gzip", "Unpack it"),
        (bytes(257) + b"ustar\x0000", "a.tar", "tar", "Unpack it"),
        (b"AC1032\x00\x00", "a.dwg", "DWG", "make polygons"),
        (b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n", "a.dxf", "DXF", "make polygons"),
        (b"%PDF-1.7", "a.pdf", "PDF", "picture"),
        (b'<?xml version="1.0"?><kml xmlns="x">', "a.kml", "KML", ".gpkg"),
        (b"<!DOCTYPE qgis PUBLIC><qgis>", "a.qgs", "QGIS", "project"),
        (b"<html><title>404", "DLTB.zip", "web page", "download"),
        (b"SQLite format 3\x00" + bytes(80), "a.db", "SQLite", "GeoPackage"),
        (b"PK\x07\x08", "a.z01", "split zip", "Unpack"),
        (b"MZ\x90\x00", "a.exe", "program", "not opened"),
        ("说明：本图层为示例，请勿使用。\n".encode("gbk") * 3, "说明.txt", "text that is no table", "Export"),
        (b"", "DLTB.shp", "an empty file", "again"),
    ],
)
def test_what_is_not_read_is_named_by_its_bytes_with_what_to_deliver_instead(tmp_path, work, content, name, kind, fix):
    path = tmp_path / name
    path.write_bytes(content)
    said = refusal(path)
    assert kind in said
    assert fix in said


@pytest.mark.parametrize(
    ("member", "kind"),
    [("项目.qgs", "QGIS"), ("doc.kml", "KML"), ("word/document.xml", "docx"), ("xl/workbook.bin", "xlsb")],
)
def test_what_comes_packed_as_a_zip_is_named_by_its_members(tmp_path, work, member, kind):
    assert kind in refusal(zipped(tmp_path / "DLTB.zip", {member: b"x"}))


def test_every_format_says_what_to_deliver_instead():
    for foreign in {one for _at, _magic, one in formats.MAGIC} | {one for _pattern, one in formats.ZIPPED}:
        assert len(str(foreign.fix)) > 20, foreign.name


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("cut", [10, 90, 400, 3_000, 20_000])
def test_every_error_of_a_reader_is_one_of_ours(tmp_path, work, cut):
    """Databases and workbooks that end early: fiona and GDAL raise this and that; a person gets one sentence."""
    for path in (
        database(tmp_path / "a.gpkg", {"GYYQ": [area(1)]}),
        workbook(tmp_path / "b.xlsx", {"企业": [["A", "B"], ["1", "2"]]}),
        zipped(tmp_path / "c.zip", parts(shapefile(tmp_path / "c"))),
    ):
        path.write_bytes(path.read_bytes()[:cut] if cut < path.stat().st_size else path.read_bytes()[:-40])
        with pytest.raises(GeoinvError) as error:
            into(path, "control")
        assert error.value.hint


# --- the work folder --------------------------------------------------------------------------------------------------


def test_a_work_folder_is_private_and_goes_also_after_an_error(tmp_path, work):
    path = zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "a")))

    def read():
        with opening.opened(path) as container:
            (folder,) = work.iterdir()
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert all(folder in part.parents for part in container.layers[0].parts.values())
            raise KeyError

    with pytest.raises(KeyError):
        read()


def test_what_a_killed_process_left_goes_with_the_next_run_and_what_is_in_use_stays(tmp_path, work, monkeypatch):
    monkeypatch.setattr(workfolders, "YOUNG", 0)
    code = (
        "import sys, time, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from importers.workfolders import work_folder\n"
        "with work_folder() as folder:\n"
        "    (folder / 'x').write_text('x'); print(folder.name, flush=True); time.sleep(60)\n"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", code, str(work)], stdout=subprocess.PIPE, cwd=ROOT.parent, text=True
    )
    left = work / killed.stdout.readline().strip()
    with workfolders.work_folder() as mine:
        assert left.exists()  # it is in use
        killed.kill()
        killed.wait()
        killed.stdout.close()
        with workfolders.work_folder():
            assert not left.exists()
            assert mine.exists()


def test_a_link_that_is_named_like_a_work_folder_is_not_followed(tmp_path, work, monkeypatch):
    monkeypatch.setattr(workfolders, "YOUNG", 0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("x")
    link = work / f"{workfolders.PREFIX}x"
    link.symlink_to(tmp_path / "mine", target_is_directory=True)
    with workfolders.work_folder():
        pass
    assert (tmp_path / "mine" / "x").exists()
    link.unlink()


def test_two_threads_may_open_at_once(tmp_path, work):
    paths = [workbook(tmp_path / f"{at}.xlsx", {"A": [["x", "y"], [str(at), "1"]]}) for at in range(4)]
    seen: list[str] = []

    def read(path):
        with opening.opened(path) as container:
            seen.append(container.layers[0].name)

    threads = [threading.Thread(target=read, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["A"] * 4
