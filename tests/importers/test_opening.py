"""A delivery is recognised by its bytes; nothing hostile is opened, and nothing is left behind."""

import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest
from django.utils import translation

from importers import opening, unpacking
from importers.inspecting import inspect
from tests.importers.shapefiles import PATCH_FIELDS, parts, patch, shapefile, shp, square, zipped
from units.errors import InputUnreadable, UnknownName, UsageError


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
    return folder


def test_layers_in_sub_folders_with_gbk_names_are_found_and_macosx_is_not(tmp_path, work):
    made = shapefile(tmp_path / "a")
    files = {**parts(made, "120104国土变更调查2022/".encode("gbk")), **parts(made, "__MACOSX/a/"), "a/._DLTB.shp": b"x"}
    with opening.opened(zipped(tmp_path / "x.zip", files)) as container:
        assert [layer.place for layer in container.layers] == ["120104国土变更调查2022/DLTB.shp"]
        assert container.layer(None).name == "DLTB"
    assert list(work.iterdir()) == []


def test_several_layers_must_be_named(tmp_path):
    files = {**parts(shapefile(tmp_path / "a")), **parts(shapefile(tmp_path / "b", "XZQ"))}
    with opening.opened(zipped(tmp_path / "x.zip", files)) as container:
        assert container.layer("xzq").name == "XZQ"
        with pytest.raises(UsageError, match="DLTB, XZQ"):
            container.layer(None)
        with pytest.raises(UnknownName, match="ZD"):
            container.layer("ZD")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource>', "OGR VRT"),
        (b"SQLite format 3\x00" + bytes(60), "GeoPackage"),
        (b"Rar!\x1a\x07\x00", "RAR"),
        (b"Datamark: LANDUSE-VCT", "VCT"),
        (b"", "empty"),
        (b"what is this", "no table"),
        (b"\x01\x02\x03\x04", "unknown"),
    ],
)
def test_what_is_no_shapefile_is_refused_whatever_it_is_called(tmp_path, content, kind):
    path = tmp_path / "DLTB.shp"
    path.write_bytes(content)
    with pytest.raises(InputUnreadable, match=kind), opening.opened(path):
        pass


def test_a_vrt_named_dltb_inside_a_zip_is_refused(tmp_path, work):
    files = {"DLTB.shp": b"<OGRVRTDataSource>", "DLTB.shx": bytes(100), "DLTB.dbf": bytes(100)}
    with pytest.raises(InputUnreadable, match="bytes are not one"), opening.opened(zipped(tmp_path / "x.zip", files)):
        pass
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../DLTB.shp", "leads out"),
        ("/etc/DLTB.shp", "absolute"),
        ("C:/x/DLTB.shp", "absolute"),
        ("a\\..\\..\\b.shp", "leads out"),
    ],
)
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path, work, name, why):
    with pytest.raises(InputUnreadable, match=why), opening.opened(zipped(tmp_path / "x.zip", {name: b"x"})):
        pass
    assert list(work.iterdir()) == []


def test_a_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("DLTB.shp")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputUnreadable, match="is a link"), opening.opened(tmp_path / "x.zip"):
        pass


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("DLTB.dbf", b"1")
        archive.writestr("DLTB.dbf", b"2")
    with pytest.raises(InputUnreadable, match="twice"), opening.opened(tmp_path / "x.zip"):
        pass


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, work):
    path = zipped(tmp_path / "x.zip", {"DLTB.shp": bytes(64 * 1024**2)})
    with pytest.raises(InputUnreadable, match="times its packed size"), opening.opened(path):
        pass
    assert list(work.iterdir()) == []


def test_too_many_entries_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_ENTRIES", 3)
    path = zipped(tmp_path / "x.zip", {f"{number}.txt": b"" for number in range(4)})
    with pytest.raises(InputUnreadable, match="4 entries"), opening.opened(path):
        pass


def test_a_damaged_zip_is_told(tmp_path, work):
    path = zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "a")))
    raw = bytearray(path.read_bytes())
    raw[60:90] = bytes(30)
    path.write_bytes(raw)
    with pytest.raises(InputUnreadable, match="damaged"), opening.opened(path):
        pass
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("part", ["shx", "dbf"])
def test_a_missing_part_is_named(tmp_path, part):
    path = shapefile(tmp_path)
    path.with_suffix(f".{part}").unlink()
    with pytest.raises(InputUnreadable, match=rf"\.{part}"), opening.opened(path):
        pass


def test_points_are_refused_as_a_layer(tmp_path):
    path = shapefile(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[32:36] = struct.pack("<i", 1)
    path.write_bytes(raw)
    (layer,) = inspect(path)["layers"]
    assert "Point, not polygons" in layer["unreadable"]


def test_a_table_that_lies_about_itself_is_told_not_believed(tmp_path):
    path = shapefile(tmp_path, declared=2_000_000_000)
    (layer,) = inspect(path)["layers"]
    assert layer["rows"] == 2
    assert [problem["code"] for problem in layer["problems"]] == ["1-rows-declared"]


def test_fewer_rows_than_shapes_are_told(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1)], shapes=[[square(0)], [square(1)]])
    (layer,) = inspect(path)["layers"]
    assert layer["counts"] == {"shp": 2, "shx": 2, "dbf": 1, "dbf_declared": 1}
    assert layer["problems"][0]["message"] == "The .shp has 2 shapes, the DBF 1 rows."


def test_the_digest_of_a_loose_shapefile_changes_with_any_of_its_parts(tmp_path):
    path = shapefile(tmp_path)
    with opening.opened(path) as container:
        before = opening.digest(container)
    path.with_suffix(".cpg").write_text("GBK")
    with opening.opened(path) as container:
        assert opening.digest(container) != before


def test_an_index_of_nonsense_gives_no_crash(tmp_path):
    path = shapefile(tmp_path)
    main, index = shp([[square(0)], [square(1)]])
    path.with_suffix(".shx").write_bytes(index[:100] + struct.pack(">4i", 2**30, 2**30, -5, 8))
    (layer,) = inspect(path)["layers"]
    assert layer["counts"]["shp"] == 2
    assert len(PATCH_FIELDS) == len(layer["columns"])
    assert Path(path).read_bytes() == main
