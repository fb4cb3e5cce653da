"""What else than a shapefile is read: geodatabases, GeoPackages, boundary-point text, and control layers in them."""

import struct

import numpy as np
import pyogrio
import pytest
import shapely
from django.utils import translation

from importers import opening
from importers.inspecting import inspect
from importers.loading import load
from importers.reading_databases import layers_of
from importers.registers import newer
from tests.importers.containers import area, boundary_points, database
from tests.importers.shapefiles import PATCH_FIELDS, WEST, parts, shapefile, square, zipped
from units.errors import InputUnreadable, Refused
from units.models import ControlArea, Delivery, Finding, Refusal

pytestmark = pytest.mark.usefixtures("nankai")


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(path, layer=None, year=2022, **options):
    result = load(path, "control", "120104", year, layer=layer, **options)
    assert result["rows"] == sum(result[name] for name in ("taken", "changed", "unchanged", "refused", "deleted"))
    return result


@pytest.mark.parametrize("name", ["规划.gpkg", "控制线.gdb"])
@pytest.mark.rows("NK018")
def test_a_layer_of_a_database_is_taken_with_its_chinese(tmp_path, name):
    path = database(tmp_path / name, {"STBHHX": [area(1, YT=""), area(2, YT="")], "GYYQ": [area(3)]})
    told = inspect(path)
    assert [(one["name"], one["profile"]["name"], one["crs"]["epsg"]) for one in told["layers"]] == [
        ("STBHHX", "control", 4527),
        ("GYYQ", "control", 4527),
    ]
    assert into(path, "STBHHX")["taken"] == 2
    one = ControlArea.objects.get(code="K1")
    assert (one.kind, one.edition, one.in_force, one.name) == ("ecological_red_line", "2024版", True, "示例1")
    assert one.area_m2 == pytest.approx(10_000, rel=1e-4)
    assert Delivery.objects.get().encoding["name"] == "UTF-8"


def test_a_zipped_geodatabase_is_found_in_its_folder(tmp_path, kept):
    folder = database(tmp_path / "控制线.gdb", {"CZKFBJ": [area(1)]})
    members = {f"控制线.gdb/{one.name}".encode("gbk"): one.read_bytes() for one in folder.iterdir()}
    path = zipped(tmp_path / "控制线.gdb.zip", members)
    assert into(path)["layer"] == "控制线.gdb/CZKFBJ"
    assert [one.name for one in (kept / Delivery.objects.get().sha256).iterdir()] == [path.name]


def test_what_a_layer_is_follows_from_its_name_and_from_nothing_else(tmp_path):
    with pytest.raises(Refused, match="cannot be told by its name"):
        into(database(tmp_path / "x.gpkg", {"LAYER1": [area(1)]}))


def test_curved_edges_are_refused_and_not_straightened(tmp_path):
    path = tmp_path / "curve.gpkg"
    wkb = shapely.to_wkb(shapely.Polygon(square()))
    pyogrio.raw.write(
        path,
        geometry=np.array([wkb, _arc()], object),
        field_data=[np.array(["K1", "K2"], object)],
        fields=["BH"],
        geometry_type="Unknown",
        crs="EPSG:4527",
        layer="GYYQ",
        driver="GPKG",
    )
    result = into(path)
    assert (result["taken"], [one["code"] for one in result["refusals"]]) == (1, ["4-curve"])


def _arc() -> bytes:
    """A CurvePolygon of one circular string, as WKB."""
    corners = [(WEST, 4_330_000.0), (WEST + 50, 4_330_050.0), (WEST + 100, 4_330_000.0), (WEST + 50, 4_329_950.0)]
    corners.append(corners[0])
    ring = struct.pack("<BII", 1, 8, len(corners)) + b"".join(struct.pack("<2d", *one) for one in corners)
    return struct.pack("<BII", 1, 10, 1) + ring


@pytest.mark.parametrize("name", ["x.gpkg", "x.gdb", "DLTB.shp"])
def test_an_indirect_format_is_not_opened_whatever_it_is_called(tmp_path, name):
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    path = tmp_path / name
    path.write_text(f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{tmp_path}/secret.csv</SrcDataSource>')
    with pytest.raises(InputUnreadable, match="VRT"), opening.opened(path):
        pass


@pytest.mark.parametrize("kind", ["gpkg", "gdb"])
def test_the_reading_process_has_one_driver_and_opens_nothing_else(tmp_path, kind):
    csv = tmp_path / "secret.csv"
    csv.write_text("a,b\n1,2\n")
    with pytest.raises(InputUnreadable, match="cannot be read"):
        layers_of(csv, kind)


def test_a_database_of_another_kind_inside_a_geopackage_name_is_a_verdict(tmp_path):
    good = database(tmp_path / "x.gpkg", {"GYYQ": [area(1)]})
    broken = tmp_path / "broken.gpkg"
    broken.write_bytes(good.read_bytes()[:3000])
    with pytest.raises(InputUnreadable, match="cannot be read"):
        into(broken)
    assert not Delivery.objects.exists()


@pytest.mark.rows("NK031")
def test_boundary_points_are_read_with_x_to_the_north(tmp_path):
    hole = [(x * 0.5 + (WEST + 50) * 0.5, y * 0.5 + 4_330_050 * 0.5) for x, y in square()]
    path = boundary_points(tmp_path / "重点区域.txt", [("A1", [square(), hole]), ("A2", [square(column=3)])])
    result = into(path)
    assert (result["taken"], result["crs"]["epsg"], result["encoding"]["name"]) == (2, 4527, "GB18030")
    one = ControlArea.objects.get(code="A1")
    assert (one.kind, one.name, len(one.geom[0])) == ("key_area", "地块A1", 2)
    assert 117 < one.geom.centroid.x < 117.3
    assert one.area_m2 == pytest.approx(7_500, rel=1e-4)


def test_a_plot_whose_ring_is_open_or_whose_lines_are_damaged_is_refused(tmp_path):
    path = boundary_points(tmp_path / "重点区域.txt", [("A1", [square()[:-1]]), ("A2", [square(column=3)])])
    path.write_bytes(path.read_bytes() + "\r\n5,1,A3,坏,面,,,,@\r\nJ1,1,甲,乙".encode("gbk"))
    result = into(path)
    assert {one["code"]: one["rows"] for one in result["refusals"]} == {
        "4-ring-not-closed": [1],
        "1-points-damaged": [3],
    }


def test_a_plot_with_other_points_than_it_declares_is_taken_and_told(tmp_path):
    path = boundary_points(tmp_path / "重点区域.txt", [("A1", [square()])], head="9,1.0,A1,甲,面,,,,@")
    assert into(path)["taken"] == 1
    assert Finding.objects.get().code == "1-points-declared"


def test_xian_1980_in_a_boundary_text_is_not_read_as_cgcs2000(tmp_path):
    path = boundary_points(tmp_path / "重点区域.txt", [("A1", [square()])])
    path.write_bytes(path.read_bytes().replace("2000国家大地坐标系".encode("gbk"), "1980西安坐标系".encode("gbk")))
    result = inspect(path)
    assert result["layers"][0]["crs"]["epsg"] is None


# --- editions ---------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK018")
def test_a_delivered_edition_is_in_force_and_the_older_one_no_more(tmp_path):
    into(database(tmp_path / "a.gpkg", {"JQKG": [area(1), area(2)]}))
    into(database(tmp_path / "b.gpkg", {"JQKG": [area(1, BB="2025版")]}))
    into(database(tmp_path / "c.gpkg", {"GYYQ": [area(1)]}))
    found = ControlArea.objects.order_by("kind", "edition", "code").values_list("kind", "edition", "in_force")
    assert list(found) == [
        ("block_plan", "2024版", False),
        ("block_plan", "2024版", False),
        ("block_plan", "2025版", True),
        ("park", "2024版", True),
    ]


def test_a_corrected_edition_changes_only_what_differs(tmp_path):
    into(database(tmp_path / "a.gpkg", {"JQKG": [area(1), area(2), area(3)]}))
    rows, shapes = [area(1), area(2, MC="改名"), area(4)], [shapely.Polygon(square(at)) for at in (0, 1, 7)]
    result = into(database(tmp_path / "b.gpkg", {"JQKG": rows}, shapes=shapes), replace=True)
    # K1 and K2 stand where they stood; K4 is new, and K3 is not in the file any more.
    assert (result["taken"], result["changed"], result["unchanged"], result["gone"]) == (1, 1, 1, 1)
    assert set(ControlArea.objects.values_list("code", flat=True)) == {"K1", "K2", "K4"}


def test_layers_of_one_kind_do_not_retire_each_other(tmp_path):
    path = database(tmp_path / "a.gpkg", {"DLHX": [area(1, YT="1207")], "HDLX": [area(1, YT="1701", BB="2020版")]})
    into(path, "DLHX")
    into(path, "HDLX")
    assert ControlArea.objects.filter(kind="reservation", in_force=True).count() == 2


def test_several_editions_in_one_layer_are_refused_as_a_whole(tmp_path):
    with pytest.raises(Refused, match="several editions"):
        into(database(tmp_path / "a.gpkg", {"JQKG": [area(1), area(2, BB="2023版")]}))
    assert not ControlArea.objects.exists()


def test_a_heading_is_a_planned_use_and_an_unknown_code_is_told(tmp_path):
    into(database(tmp_path / "a.gpkg", {"TDLYZTGH": [area(1, YT="10"), area(2, YT="9999")]}))
    assert list(Finding.objects.values_list("code", "row_number", "severity")) == [("3-code-unknown", 2, "warning")]
    assert ControlArea.objects.get(code="K1").use_scheme == "ydyh2023"


def test_the_second_survey_gives_construction_land_only(tmp_path):
    fields = [("BSM", "N", 10, 0), *PATCH_FIELDS[3:5]]
    rows = [{"BSM": "1", "DLBM": "203", "DLMC": "村庄"}, {"BSM": "2", "DLBM": "011", "DLMC": "水田"}]
    path = shapefile(tmp_path, "DLTB_2009", rows=rows, fields=fields)
    result = into(zipped(tmp_path / "二调.zip", parts(path, "二调/".encode("gbk"))))
    assert (result["taken"], result["refusals"][0]["code"]) == (1, "3-not-construction")
    one = ControlArea.objects.get()
    assert (one.kind, one.code, one.use, one.use_scheme) == ("second_survey_construction", "1", "203", "erdiao")
    assert Refusal.objects.get().identifier == "2"


def test_an_older_edition_takes_a_newer_one_out_of_force_only_where_that_is_said(tmp_path):
    into(database(tmp_path / "a.gpkg", {"JQKG": [area(1)]}))
    older = database(tmp_path / "b.gpkg", {"JQKG": [area(1, BB="2021版")]})
    with pytest.raises(Refused, match="2024版 is in force, which is newer than 2021版") as error:
        into(older)
    assert (error.value.code, "--replace" in str(error.value.hint)) == ("3-older-edition", True)
    assert list(ControlArea.objects.values_list("edition", "in_force")) == [("2024版", True)]
    into(older, replace=True)
    assert sorted(ControlArea.objects.values_list("edition", "in_force")) == [("2021版", True), ("2024版", False)]


def test_where_nobody_can_say_which_edition_is_newer_the_person_is_asked(tmp_path):
    into(database(tmp_path / "a.gpkg", {"JQKG": [area(1, BB="送审稿")]}))
    other = database(tmp_path / "b.gpkg", {"JQKG": [area(1, BB="批准稿")]})
    with pytest.raises(Refused, match="cannot be told") as error:
        into(other)
    assert error.value.code == "3-edition-unclear"
    into(other, replace=True)
    assert ControlArea.objects.get(in_force=True).edition == "批准稿"


@pytest.mark.parametrize(
    ("edition", "other", "said"),
    [
        ("2024版", "2021版", True),
        ("2021版", "2024版", False),
        ("2024年5月", "2023", True),
        ("20240501", "2024-04-30", True),
        ("2024-05", "2024", None),
        ("V2", "V1", True),
        ("第2版", "第10版", False),
        ("送审稿2024", "批准2023", None),
        ("旧版", "2024版", None),
    ],
)
def test_editions_compare_as_days_or_as_numbers_in_like_words(edition, other, said):
    assert newer(edition, other) is said
    assert newer(other, edition) is (None if said is None else not said)
