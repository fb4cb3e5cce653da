"""Layers and tables that come as text: GeoJSON, CSV and boundary points, alone and inside a zip."""

import json
import re

import pyproj
import pytest
from django.utils import translation

from importers import reading_geojson
from importers.inspecting import inspect
from importers.loading import load
from importers.reading_geojson import lay_features
from tests.importers.containers import area, boundary_points, csv_table, feature, geojson, polygon, workbook
from tests.importers.shapefiles import PARCEL_FIELDS, SOUTH, WEST, parcel, parts, patch, shapefile, square, zipped
from tests.importers.test_registers import CONTRACT_HEAD, FIRM, FIRM_HEAD, PARCEL, YEAR_HEAD
from units.models import ControlArea, Enterprise, EnterpriseYear, Finding, LandUsePatch, SupplyContract

pytestmark = pytest.mark.usefixtures("nankai")


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(path, profile="dltb", **options):
    result = load(path, profile, "120104", 2022, **options)
    assert result["rows"] == sum(result[name] for name in ("taken", "changed", "unchanged", "refused", "deleted"))
    return result


def refused(result) -> dict:
    return {one["code"]: one["rows"] for one in result["refusals"]}


def degrees(ring, epsg=4490):
    """A ring of metres as degrees, as GeoJSON wants it."""
    made = pyproj.Transformer.from_crs(4527, epsg, always_xy=True)
    return [list(made.transform(x, y)) for x, y in ring]


# --- GeoJSON --------------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK011")
def test_a_feature_collection_with_a_named_system_is_taken(tmp_path):
    rows = [feature(patch(at, TBMJ=9999.99, SJNF=2022), polygon(square(at))) for at in (1, 2)]
    path = geojson(tmp_path / "DLTB.geojson", rows)
    told = inspect(path)["layers"][0]
    assert (told["rows"], told["crs"]["epsg"], told["encoding"]["name"]) == (2, 4527, "UTF-8")
    assert {one["name"]: one["type"] for one in told["columns"]}["TBMJ"] == "N"
    result = into(path)
    assert result["taken"] == 2
    one = LandUsePatch.objects.get(bsm=patch(1)["BSM"])
    assert (one.dlmc, float(one.tbmj)) == ("工业用地", 9999.99)
    assert into(path)["already"]


@pytest.mark.parametrize("crs", [None, "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4490"])
def test_degrees_are_degrees_whether_the_system_is_named_or_not(tmp_path, crs):
    path = geojson(tmp_path / "DLTB.json", [feature(patch(1), polygon(degrees(square())))], crs=crs)
    assert into(path)["taken"] == 1
    assert LandUsePatch.objects.get().area_m2 == pytest.approx(10_000, rel=1e-3)


def test_metres_without_a_named_system_are_no_degrees(tmp_path):
    path = geojson(tmp_path / "DLTB.json", [feature(patch(1), polygon(square()))], crs=None)
    told = inspect(path, district="120104")["layers"][0]["crs"]
    assert any("no degrees" in one for one in told["evidence"]) or told["epsg"] == 4527
    assert told["epsg"] in (None, 4527)


def test_each_shape_that_is_none_is_told_of_its_row_and_the_others_are_taken(tmp_path):
    nan = [[WEST, float("nan")], *[list(one) for one in square()[1:]]]
    path = geojson(
        tmp_path / "DLTB.geojson",
        [
            feature(patch(1), polygon(square(1))),
            feature(patch(2), {"type": "Point", "coordinates": [WEST, SOUTH]}),
            feature(patch(3), {"type": "Polygon", "coordinates": [nan]}),
            feature(patch(4), polygon(square(4)[:-1])),
            feature(patch(5), {"type": "Polygon", "coordinates": [[["117.1", "39.1"]] * 4]}),
            feature(patch(6), None),
            feature(patch(7), {"type": "Polygon", "coordinates": 5}),
            {"type": "Polygon"},
            feature(patch(9), polygon([(x, y, 3.5) for x, y in square(9)])),
            feature(patch(10), {"type": "Polygon", "coordinates": [[[WEST, SOUTH], [WEST, SOUTH]]]}),
        ],
    )
    assert "NaN" in path.read_text()
    result = into(path)
    assert (result["rows"], result["taken"]) == (10, 2)
    assert refused(result) == {
        "1-not-polygon": [2],
        "2-not-finite": [3],
        "4-ring-not-closed": [4],
        "1-shape-damaged": [5, 7],
        "4-no-shape": [6],
        "1-no-feature": [8],
        "4-ring-too-short": [10],
    }
    assert "1-z-dropped" in {one["code"] for one in result["warnings"]}


def test_codes_of_18_digits_that_were_written_as_numbers_keep_every_digit(tmp_path):
    row = patch(1) | {"BSM": 120104210100000001}
    into(geojson(tmp_path / "DLTB.geojson", [feature(row, polygon(square()))]))
    assert LandUsePatch.objects.get().bsm == "120104210100000001"


def test_a_multipolygon_keeps_its_parts_and_holes(tmp_path):
    hole = [(x * 0.5 + (WEST + 50) * 0.5, y * 0.5 + (SOUTH + 50) * 0.5) for x, y in square()]
    shape = {"type": "MultiPolygon", "coordinates": [[square(), hole], [square(column=5)]]}
    into(geojson(tmp_path / "GYYQ.geojson", [feature(area(1), shape)]), "control")
    one = ControlArea.objects.get()
    assert (len(one.geom), one.geom.num_coords) == (2, 15)
    assert one.area_m2 == pytest.approx(17_500, rel=1e-3)


def test_gbk_text_of_a_careless_program_is_read_and_told(tmp_path):
    path = geojson(tmp_path / "DLTB.geojson", [feature(patch(1), polygon(square()))], encoding="gb18030")
    assert inspect(path)["layers"][0]["encoding"]["name"] == "GB18030"
    into(path)
    assert LandUsePatch.objects.get().dlmc == "工业用地"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type": "FeatureCollection", "features": [', "damaged as JSON"),
        ('{"type": "FeatureCollection", "features": [{"type": "Feature"} {}]}', "damaged as JSON"),
        ('{"type": "FeatureCollection", "features": [' + "[" * 100_000, "nested too deeply"),
        ('{"type": "FeatureCollection", "features": []} {"type": "more"}', "more follows"),
        ('{"type": "FeatureCollection", "features": [], "features": []}', "twice"),
        ('{"type": "Topology", "arcs": []}', "TopoJSON"),
        ('{"geometryType": "esriGeometryPolygon", "features": []}', "Esri JSON"),
        ('{"type": "gdal_streamed_alg", "command_line": "gdal vector read /etc/passwd"}', "no GeoJSON"),
        ('{"type": "FeatureCollection", "features": [1e999999, ' + "9" * 5_000 + "]}", "damaged as JSON"),
    ],
)
def test_json_that_is_no_collection_is_a_sentence(tmp_path, text, said):
    path = tmp_path / "DLTB.geojson"
    path.write_text(text)
    (layer,) = inspect(path)["layers"]
    assert said in layer["unreadable"]


def test_a_collection_is_read_feature_by_feature_however_it_falls_on_the_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_geojson, "BLOCK", 7)
    path = geojson(tmp_path / "a.geojson", [feature(patch(at), polygon(square(at))) for at in range(1, 30)])
    made = lay_features(path, "a", "a", tmp_path, "a")
    assert (made["rows"], made["system"]) == (29, "urn:ogc:def:crs:EPSG::4527")
    monkeypatch.setattr(reading_geojson, "MOST_FEATURE", 100)
    with pytest.raises(Exception, match="longer than 100 characters"):
        lay_features(path, "a", "a", tmp_path, "b")


# --- CSV ------------------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK052")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_of_firms_is_read_in_every_way_that_excel_saves_it(tmp_path, encoding, delimiter):
    rows = [
        [FIRM, "甲公司，“示例”\n厂区", "3311", "GB/T 4754-2017", "是", "2010-05-01", "=1+1"],
        [""] * 7,
    ]
    rows.append(["91120104MA00000002", "乙,公司", "3311", "GB/T 4754-2017", "否", "", "a;b"])
    path = csv_table(tmp_path / "企业.csv", [FIRM_HEAD, *rows], encoding=encoding, delimiter=delimiter)
    result = into(path, "enterprise")
    assert (result["rows"], result["taken"], result["deleted"]) == (3, 2, 1)
    names = Enterprise.objects.order_by("credit_code").values_list("name", flat=True)
    assert [re.sub(r"\s", "", name) for name in names] == ["甲公司，“示例”厂区", "乙,公司"]
    assert Enterprise.objects.get(credit_code=FIRM).extra["备注"] == "=1+1"


def test_rows_of_a_csv_are_told_by_their_number_and_rows_of_other_lengths_are_told(tmp_path):
    into(csv_table(tmp_path / "企业.csv", [FIRM_HEAD, [FIRM, "甲公司"]]), "enterprise")
    text = "统一社会信用代码,年度,税收（万元）,综合能耗（吨标准煤）,评价等级\r\n"
    text += f"{FIRM},2021,1,234.5,B,too,many\r\n{FIRM},2022,5\r\n"
    path = tmp_path / "年度数据.csv"
    path.write_text(text, encoding="gb18030")
    result = into(path, "enterprise_year")
    assert refused(result) == {"1-cells-beyond": [2]}
    assert EnterpriseYear.objects.get().year == 2022
    assert Finding.objects.filter(code="1-cells-missing", row_number=3).exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('A,B\n"x,1\ny,2\n', "damaged at line"),
        ('A,B\n"x"y,1\n', "damaged at line 2"),
        ("A,B\n" + "x" * 200_000 + ",1\n", "damaged at line 2"),
        (",".join(f"C{at}" for at in range(300)) + "\n", "more than 255 columns"),
    ],
)
def test_a_csv_that_cannot_be_told_apart_is_a_sentence(tmp_path, text, said):
    (tmp_path / "合同.csv").write_text(text)
    (layer,) = inspect(tmp_path / "合同.csv")["layers"]
    assert said in layer["unreadable"]


# --- boundary points ------------------------------------------------------------------------------------------------


def test_several_plots_with_holes_and_further_heads_are_read_as_the_bureaus_program_writes_them(tmp_path):
    """The header of the exchange text in full; rings of one number that close are parts, those of others holes."""
    lines = ["[属性描述]", "格式版本号=1.01版本", "数据产生单位=南开分局", "数据产生日期=2024-5-1"]
    lines += ["坐标系=2000国家大地坐标系", "几度分带=3", "投影类型=高斯克吕格", "计量单位=米", "带号=39", "精度=0.01"]
    lines += ["转换参数=0,0,0,0,0,0,0", "[地块坐标]", "10,2.0000,A1,甲地块,面,,工业,0601,,1,B,C,备注,@"]
    for column in (0, 5):
        lines += [f"J{at},1,{y:.3f},{x:.3f}" for at, (x, y) in enumerate(square(column), 1)]
    lines += ["5,1.0000,A2,乙线,线,,,,@", *[f"J{at},1,{y},{x}" for at, (x, y) in enumerate(square(9), 1)]]
    path = tmp_path / "重点区域.txt"
    path.write_bytes("\r\n".join(lines).encode("gbk"))
    told = inspect(path)["layers"][0]
    assert (told["crs"]["epsg"], "精度=0.01" in told["encoding"]["evidence"]) == (4527, True)
    result = into(path, "control")
    assert (result["taken"], refused(result)) == (1, {"1-not-polygon": [2]})
    one = ControlArea.objects.get()
    assert (len(one.geom), one.name, one.extra["YCXX5"]) == (2, "甲地块", "备注")


def test_the_zone_of_a_boundary_text_may_stand_in_its_coordinates_only(tmp_path):
    path = boundary_points(tmp_path / "重点区域.txt", [("A1", [square()])])
    path.write_bytes(path.read_bytes().replace("带号=39".encode("gbk"), "带号=".encode("gbk")))
    assert inspect(path, district="120104")["layers"][0]["crs"]["epsg"] == 4527


# --- inside a zip ---------------------------------------------------------------------------------------------------


def test_workbooks_texts_csv_and_geojson_inside_a_zip_are_read_and_the_rest_is_told(tmp_path):
    made = [
        geojson(tmp_path / "a" / "DLTB.geojson", [feature(patch(1), polygon(square()))]),
        boundary_points(tmp_path / "a" / "重点区域.txt", [("A1", [square()])]),
        csv_table(tmp_path / "a" / "出让合同.csv", [CONTRACT_HEAD, [PARCEL, "C1", "", "0601", "", "", ""]]),
        workbook(
            tmp_path / "a" / "企业.xlsx", {"企业": [FIRM_HEAD, [FIRM, "甲"]], "年度数据": [YEAR_HEAD, [FIRM, 2021]]}
        ),
    ]
    inner = zipped(tmp_path / "inner.zip", parts(shapefile(tmp_path / "b")))
    zd = shapefile(tmp_path / "zd", "ZD", rows=[parcel(1)], shapes=[[square()]], fields=PARCEL_FIELDS)
    members = {f"成果/{one.name}".encode("gbk"): one.read_bytes() for one in (*made, inner)}
    members |= {"底图.rar": b"Rar!\x1a\x07\x00", **parts(zd, "成果/")}
    path = zipped(tmp_path / "x.zip", members)
    told = inspect(path)
    assert [one["place"] for one in told["layers"]] == [
        "成果/ZD.shp", "成果/DLTB.geojson", "成果/重点区域.txt", "成果/出让合同.csv",
        "成果/企业.xlsx/企业", "成果/企业.xlsx/年度数据",
    ]  # fmt: skip
    assert [note.partition(" – ")[0] for note in told["notes"]] == ["成果/inner.zip", "底图.rar"]
    assert "zip inside the zip" in told["notes"][0]
    assert "Unpack it" in told["notes"][1]
    into(path, "zd", layer="ZD")
    assert into(path, "dltb", layer="DLTB")["taken"] == 1
    assert into(path, "control", layer="重点区域")["taken"] == 1
    assert into(path, "contract", layer="出让合同")["taken"] == 1
    assert SupplyContract.objects.get().number == "C1"
    assert json.loads(json.dumps(told))["kind"] == "zip"
