"""One delivery in, in one transaction: what is taken, what is refused and why, and what a second delivery changes."""

import datetime
import hashlib
import json
import struct
from decimal import Decimal

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from django.db import connection
from django.utils import translation

from importers import loading, opening, taking
from importers.loading import load
from importers.reading_shp import Shapes, polygons
from importers.telling import Telling
from tests.importers.shapefiles import (
    PARCEL_FIELDS,
    SOUTH,
    WEST,
    parcel,
    parts,
    patch,
    shapefile,
    square,
    zipped,
)
from units.errors import InputUnreadable, NotFound, Refused, UnknownName, UsageError
from units.models import Building, Delivery, District, Finding, LandUsePatch, Parcel, Refusal, Street, Survey

pytestmark = pytest.mark.usefixtures("nankai")

KEYS = {
    "delivery", "rows", "taken", "changed", "unchanged", "refused", "deleted", "gone", "warnings", "encoding", "crs",
    "dry_run",
}  # fmt: skip


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(path, year=2022, profile="dltb", **options):
    result = load(path, profile, "120104", year, **options)
    assert result["rows"] == sum(result[name] for name in ("taken", "changed", "unchanged", "refused", "deleted"))
    return result


def refused(tmp_path, *, rows=None, shapes=None, **options):
    """Import two good rows and one that is not; its refusal."""
    rows = rows or [patch(1), patch(2), patch(3)]
    result = into(shapefile(tmp_path, rows=rows, shapes=shapes, **options))
    assert (result["taken"], result["refused"]) == (2, 1)
    refusal = Refusal.objects.get()
    assert refusal.row_number == 3
    assert refusal.code == refusal.reasons[0]["code"] == result["refusals"][0]["code"]
    assert refusal.reasons[0]["message"]
    assert refusal.reasons[0]["fix"]
    finding = Finding.objects.get(code=refusal.code)
    assert (finding.severity, finding.row_number, finding.sentence) == ("error", 3, refusal.reasons[0]["message"])
    return refusal


# --- what is taken ---------------------------------------------------------------------------------------------


@pytest.mark.rows("NK011")
def test_a_delivery_becomes_patches_with_their_chinese_and_their_source(tmp_path, kept):
    path = shapefile(tmp_path / "d", rows=[patch(1, TBMJ="9999.99", BZ="x"), patch(2, SJNF="")])
    result = into(path)
    assert result.keys() >= KEYS
    assert (result["taken"], result["refused"], result["gone"]) == (2, 0, 0)
    one = LandUsePatch.objects.order_by("bsm").first()
    assert (one.bsm, one.dlbm, one.dlmc, one.scheme) == ("120104210100000001", "0601", "工业用地", "sandiao")
    assert (one.street_id, one.sjnf, one.row_number) == ("120104001", 2022, 1)
    assert LandUsePatch.objects.order_by("bsm").last().sjnf is None
    assert (one.survey.year, one.survey.state) == (2022, "loaded")
    delivery = Delivery.objects.get()
    assert (delivery.rows, delivery.taken, delivery.layer) == (2, 2, "DLTB.shp")
    assert json.loads(json.dumps(result))["crs"]["epsg"] == 4527
    folder = kept / delivery.sha256
    assert {one.name for one in folder.iterdir()} == {"DLTB.shp", "DLTB.shx", "DLTB.dbf", "DLTB.prj"}
    assert (folder / "DLTB.dbf").read_bytes() == path.with_suffix(".dbf").read_bytes()
    assert all(one.stat().st_mode & 0o222 == 0 for one in folder.iterdir())


def test_a_row_digest_is_that_of_its_bytes_so_that_its_source_is_found_again(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2)])
    into(path)
    raw, table = path.read_bytes(), path.with_suffix(".dbf").read_bytes()
    size = struct.unpack("<H", table[10:12])[0]
    header = struct.unpack("<H", table[8:10])[0]
    length = struct.unpack(">i", raw[104:108])[0] * 2
    expected = hashlib.sha256(table[header : header + size] + raw[108 : 108 + length]).digest()
    assert bytes(LandUsePatch.objects.get(row_number=1).row_digest) == expected


@pytest.mark.parametrize("epsg", [4527, 4548, 4490])
def test_a_shape_lies_where_pyproj_puts_it_and_measures_what_postgis_measures(tmp_path, epsg):
    to = pyproj.Transformer.from_crs(4527, epsg, always_xy=True)
    ring = [to.transform(*point) for point in square(size=730.0)]
    hole = [to.transform(*point) for point in square(size=200.0, west=WEST + 100, south=SOUTH + 100)[::-1]]
    other = [to.transform(*point) for point in square(column=3, size=300.0)]
    into(shapefile(tmp_path, rows=[patch(1), patch(2)], shapes=[[ring, hole, other], [other]], crs=epsg))
    one = LandUsePatch.objects.get(row_number=1)
    assert (one.geom.num_geom, len(one.geom[0]), one.geom.srid) == (2, 2, 4490)
    x, y = pyproj.Transformer.from_crs(epsg, 4490, always_xy=True).transform(*ring[0])
    assert one.geom[0][0][0] == (x, y)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(abs(area_m2 - ST_Area(geom::geography))), min(ST_NPoints(geom)) FROM units_landusepatch"
        )
        worst, points = cursor.fetchone()
    assert worst < 0.001
    assert points == 5


def test_areas_of_every_size_and_place_in_the_zone_equal_those_of_postgis(tmp_path):
    shapes, rows = [], []
    for number, (size, east, north) in enumerate(
        (size, east, north)
        for size in (3.0, 60.0, 400.0, 5_000.0)
        for east in (39_390_000.0, 39_500_000.0, 39_620_000.0)
        for north in (2_500_000.0, 4_325_000.0, 5_900_000.0)
    ):
        west = east - size
        shapes.append(
            [[(west, north), (west + size * 0.3, north + size), (west + size, north + size * 0.8), (west, north)]]
        )
        rows.append(patch(number))
    result = into(shapefile(tmp_path, rows=rows, shapes=shapes), crs="EPSG:4527")  # no district lies so far apart
    assert result["refused"] == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(abs(area_m2 - ST_Area(geom::geography))) FROM units_landusepatch")
        assert cursor.fetchone()[0] < 0.001


def test_columns_without_a_place_of_their_own_are_kept(tmp_path):
    fields = [("BSM", "C", 18, 0), ("DLBM", "C", 5, 0), ("DLMC", "C", 60, 0), ("村名", "C", 40, 0)]
    fields += [("MONEY", "N", 12, 2), ("OBJECTID", "N", 9, 0)]
    rows = [patch(1, 村名="长虹“村”\\", MONEY="12.50", OBJECTID="7"), patch(2)]
    into(shapefile(tmp_path, rows=rows, fields=fields))
    assert LandUsePatch.objects.get(row_number=1).extra == {"村名": "长虹“村”\\", "MONEY": 12.5}
    assert LandUsePatch.objects.get(row_number=2).extra == {}


def test_foreign_names_of_fields_are_matched_and_told(tmp_path):
    fields = [("标识码", "C", 18, 0), ("地类编码", "C", 5, 0), ("dlmc", "C", 60, 0)]
    rows = [{"标识码": "120104210100000001", "地类编码": "0601", "dlmc": "工业用地"}]
    assert into(shapefile(tmp_path, rows=rows, fields=fields))["taken"] == 1
    assert Delivery.objects.get().settings["columns"]["BSM"] == "标识码"


def test_heights_are_dropped_and_told(tmp_path):
    result = into(shapefile(tmp_path, kind=15))
    assert result["taken"] == 2
    assert [one["code"] for one in result["warnings"]] == ["1-z-dropped"]


def test_rows_marked_deleted_are_counted_apart(tmp_path):
    result = into(shapefile(tmp_path, rows=[patch(1), patch(1), patch(2)], deleted={0}))
    assert (result["rows"], result["taken"], result["deleted"]) == (3, 2, 1)


def test_the_layer_is_found_by_name_inside_a_zip_of_gbk_names(tmp_path):
    path = zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "a"), "年度成果/".encode("gbk")))
    assert into(path, layer="DLTB")["layer"] == "年度成果/DLTB.shp"


def test_an_analyst_sees_progress(tmp_path, monkeypatch):
    monkeypatch.setattr(taking, "BATCH", 2)
    seen = []
    into(
        shapefile(tmp_path, rows=[patch(n) for n in range(5)]), progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(2, 5), (4, 5), (5, 5)]


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"BSM": ""}, "3-key-missing"),
        ({"BSM": "1.20104E+17"}, "3-key-malformed"),
        ({"BSM": "120104210100000001"}, "3-key-duplicate"),
        ({"DLBM": ""}, "3-required"),
        ({"DLBM": "0599"}, "3-code-unknown"),
        ({"DLBM": "05"}, "3-code-unknown"),
        ({"DLMC": b"\xb9\xa4\xff\xff"}, "3-undecodable"),
    ],
)
def test_a_row_that_cannot_be_known_is_refused(tmp_path, row, code):
    good = [patch(1), patch(2)] + [patch(9, **row)]
    refusal = refused(tmp_path, rows=good)
    assert refusal.code == code
    assert refusal.attributes["TBBH"] == "9"
    assert shapely.from_wkb(bytes(refusal.wkb)).equals(shapely.Polygon(square(column=2)))
    assert refusal.srid == 4527


def test_which_row_has_the_key_already_is_said(tmp_path):
    refusal = refused(tmp_path, rows=[patch(1), patch(2), patch(1)])
    assert refusal.reasons[0]["message"] == "BSM “120104210100000001” stands in row 1 already."


BOW_TIE = [(WEST, SOUTH), (WEST + 100, SOUTH + 100), (WEST + 100, SOUTH), (WEST, SOUTH + 100), (WEST, SOUTH)]


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (None, "4-no-shape"),
        ([BOW_TIE], "4-invalid-shape"),
        ([square()[:-1] + [(WEST + 1, SOUTH)]], "4-ring-not-closed"),
        ([square()[:2] + square()[:1]], "4-ring-too-short"),
        ([[*square()[:2], (WEST, float("nan")), *square()[2:]]], "2-not-finite"),
        ([[*square()[:2], (float("inf"), SOUTH), *square()[2:]]], "2-not-finite"),
        ([[(x, y + 3_000_000) for x, y in square()]], "2-outside-china"),
        (struct.pack("<i4d2i", 5, 0, 0, 1, 1, 2**31 - 1, 2**31 - 1), "1-shape-damaged"),
        (struct.pack("<i4d2i2i", 5, 0, 0, 1, 1, 2, 4, 0, 9) + bytes(64), "1-shape-damaged"),
        ([square(), square(column=0, size=50)[::-1][:-1] + [(WEST, SOUTH + 1)]], "4-ring-not-closed"),
        ([square(), [(WEST + 200, SOUTH), (WEST + 250, SOUTH + 50), (WEST + 250, SOUTH), (WEST + 200, SOUTH + 50),
                     (WEST + 200, SOUTH)]], "4-invalid-shape"),
    ],
)  # fmt: skip
def test_a_shape_that_is_broken_is_refused_and_not_mended(tmp_path, shape, code):
    assert refused(tmp_path, shapes=[[square(5)], [square(6)], shape]).code == code


def test_a_bow_tie_is_refused_with_the_place_where_it_crosses(tmp_path):
    refused(tmp_path, shapes=[[square(5)], [square(6)], [BOW_TIE]])
    finding = Finding.objects.get()
    assert "crosses itself" in finding.sentence
    assert 117.11 < finding.geom.x < 117.12
    assert 39.09 < finding.geom.y < 39.12


def test_an_open_ring_is_kept_as_it_came(tmp_path):
    ring = square()[:-1] + [(WEST + 1, SOUTH)]
    refusal = refused(tmp_path, shapes=[[square(5)], [square(6)], [ring]])
    count = struct.unpack("<I", bytes(refusal.wkb)[9:13])[0]
    assert list(struct.iter_unpack("<2d", bytes(refusal.wkb)[13:])) == ring
    assert count == 5


def test_a_shapefile_that_ends_too_early_loses_no_row_without_a_word(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2), patch(3)])
    path.write_bytes(path.read_bytes()[:-20])
    result = into(path)
    assert (result["taken"], result["refused"]) == (2, 1)
    assert Refusal.objects.get().code == "1-shape-cut-off"


@pytest.mark.parametrize(("rows", "shapes", "code"), [(3, 2, "1-no-record"), (2, 3, "1-no-attributes")])
def test_rows_that_only_one_of_the_files_has_are_refused(tmp_path, rows, shapes, code):
    drawn = [[square(number)] for number in range(shapes)]
    result = into(shapefile(tmp_path, rows=[patch(number) for number in range(rows)], shapes=drawn))
    assert (result["rows"], result["taken"], result["refused"]) == (3, 2, 1)
    assert Refusal.objects.get().code == code
    assert "1-fewer-rows" in {one["code"] for one in result["warnings"]}


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ({"DLMC": "住宅"}, "3-name-differs", "which is “工业用地”"),
        ({"QSXZ": "99"}, "3-code-unknown", "QSXZ"),
        ({"ZLDWDM": "120104"}, "3-malformed", "ZLDWDM"),
        ({"TBMJ": "12000.00"}, "3-area-differs", "12000.00 m²"),
        ({"TBMJ": "-5"}, "3-out-of-range", "TBMJ is -5"),
        ({"TBMJ": "*" * 15}, "3-not-a-number", "TBMJ"),
        ({"YSDM": "1000600100"}, "3-constant", "2001010100"),
        ({"BSM": "120106210100000003"}, "3-key-district", "120106210100000003"),
        ({"TBBH": ""}, "3-required", "TBBH"),
    ],
)
def test_a_doubtful_value_is_taken_with_a_warning(tmp_path, row, code, said):
    values = {"TBMJ": "9999.99", **row}
    result = into(shapefile(tmp_path, rows=[patch(3, **values)]))
    assert (result["taken"], result["refused"]) == (1, 0)
    assert code in {one["code"] for one in result["warnings"]}
    finding = Finding.objects.get(code=code, details__field=next(iter(row)))
    assert finding.severity == "warning"
    assert said in finding.sentence
    assert finding.fix
    assert finding.subjects == [values.get("BSM", "120104210100000003")]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"crs": 2363}, "2-crs"),
        ({"crs": 4214}, "2-crs"),
        ({"crs": 4548}, "2-crs"),
        ({"name": "DLTBGX"}, "1-update-layer"),
        ({"name": "DLTBGXGC"}, "1-update-layer"),
        ({"fields": [("XZDWMJ", "N", 15, 2), ("BSM", "C", 18, 0), ("DLBM", "C", 5, 0)]}, "1-second-survey"),
        ({"fields": [("NAME", "C", 18, 0)]}, "3-fields-missing"),
        ({"rows": [patch(n, DLMC=b"\xff\xfe\x81\xff") for n in range(6)]}, "1-encoding"),
    ],
)
def test_a_delivery_that_cannot_be_right_is_refused_whole(tmp_path, kept, options, code):
    with pytest.raises(Refused) as error:
        into(shapefile(tmp_path / "d", **options))
    assert error.value.code == code
    assert str(error.value.hint) or code == "2-crs"
    assert not Survey.objects.exists()
    assert not kept.exists()


def test_a_given_crs_and_encoding_are_used_and_recorded(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1, DLMC="工业用地".encode())], crs=None, encoding="utf-8")
    result = into(path, crs="EPSG:4527", encoding="utf-8")
    assert (result["crs"]["verdict"], result["encoding"]["verdict"]) == ("given", "given")
    assert Delivery.objects.get().settings["crs_given"] == "EPSG:4527"
    assert LandUsePatch.objects.get().dlmc == "工业用地"


def test_a_given_crs_that_the_numbers_contradict_is_refused(tmp_path):
    with pytest.raises(Refused, match="do not carry the zone number"):
        into(
            shapefile(tmp_path, shapes=[[square(west=510_000.0)], [square(1, west=510_000.0)]], crs=None),
            crs="EPSG:4527",
        )


def test_what_is_not_known_is_named(tmp_path):
    path = shapefile(tmp_path)
    with pytest.raises(UnknownName, match="dltb"):
        load(path, "dtlb", "120104", 2022)
    with pytest.raises(NotFound, match="120199"):
        load(path, "dltb", "120199", 2022)
    with pytest.raises(UsageError, match="1022"):
        load(path, "dltb", "120104", 1022)
    with pytest.raises(UsageError, match="EPSG:2363"):
        load(path, "dltb", "120104", 2022, crs="EPSG:2363")
    with pytest.raises(InputUnreadable):
        load(tmp_path / "none.zip", "dltb", "120104", 2022)


def test_a_layer_larger_than_its_district_is_taken_with_a_warning(tmp_path):
    result = into(shapefile(tmp_path, shapes=[[square()], [square(column=150)]]))
    (warning,) = result["warnings"]
    assert warning["code"] == "2-not-the-district"
    assert "reaches beyond that of 南开区" in warning["message"]
    assert "approximate" in warning["message"]


# --- a second delivery -----------------------------------------------------------------------------------------


def test_the_same_file_again_writes_nothing_and_says_so(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2, DLBM="xx")])
    first = into(path)
    before = list(LandUsePatch.objects.values())
    again = into(path)
    assert again["already"]
    assert (again["delivery"], again["unchanged"], again["taken"], again["refused"]) == (first["delivery"], 1, 0, 1)
    assert list(LandUsePatch.objects.values()) == before
    assert Delivery.objects.count() == Refusal.objects.count() == 1


def test_the_same_rows_in_another_file_change_no_row(tmp_path):
    into(shapefile(tmp_path / "a"))
    before = list(LandUsePatch.objects.values())
    result = into(zipped(tmp_path / "x.zip", parts(shapefile(tmp_path / "b"))))
    assert (result["already"], result["unchanged"], result["taken"]) == (False, 2, 0)
    assert list(LandUsePatch.objects.values()) == before


@pytest.mark.rows("NK011")
def test_a_corrected_delivery_changes_only_what_changed(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(n) for n in range(1, 6)]))
    before = {one.bsm[-1]: one for one in LandUsePatch.objects.all()}
    rows = [patch(1), patch(2, DLBM="0701", DLMC="城镇住宅用地"), patch(3), patch(6), patch(5)]
    shapes = [[square(0)], [square(1)], [square(2, size=101.0)], [square(9)], [square(4)]]
    result = into(shapefile(tmp_path / "b", rows=rows, shapes=shapes))
    counted = {name: result[name] for name in ("taken", "changed", "unchanged", "gone")}
    assert counted == {"taken": 1, "changed": 2, "unchanged": 2, "gone": 1}
    after = {one.bsm[-1]: one for one in LandUsePatch.objects.all()}
    assert sorted(after) == ["1", "2", "3", "5", "6"]
    assert after["1"].delivery_id == before["1"].delivery_id
    assert (after["2"].pk, after["2"].dlbm, after["2"].delivery_id) == (before["2"].pk, "0701", result["delivery"])
    assert after["3"].area_m2 > before["3"].area_m2


def test_a_row_that_is_refused_in_the_correction_keeps_what_was_there(tmp_path):
    into(shapefile(tmp_path / "a"))
    result = into(shapefile(tmp_path / "b", rows=[patch(1), patch(2, DLBM="")]))
    assert (result["unchanged"], result["refused"], result["gone"]) == (1, 1, 0)
    assert LandUsePatch.objects.get(row_number=2).dlbm == "0601"


def test_findings_are_seen_again_or_resolved(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(1, QSXZ="98"), patch(2, QSXZ="99")]))
    into(shapefile(tmp_path / "b", rows=[patch(1, QSXZ="98"), patch(2)]))
    states = dict(Finding.objects.values_list("subjects__0", "state"))
    assert states == {"120104210100000001": "open", "120104210100000002": "resolved"}


def test_another_year_leaves_this_one_untouched(tmp_path):
    path = shapefile(tmp_path)
    into(path)
    before = list(LandUsePatch.objects.values())
    assert into(path, 2023)["taken"] == 2
    assert list(LandUsePatch.objects.filter(survey__year=2022).values()) == before


@pytest.mark.parametrize("state", ["in_force", "retired"])
def test_nothing_is_delivered_into_a_survey_that_was_put_in_force(tmp_path, state):
    into(shapefile(tmp_path / "a"))
    Survey.objects.update(state=state, activated_at=datetime.datetime.now(datetime.UTC))
    before = list(LandUsePatch.objects.values())
    with pytest.raises(Refused, match="next round"):
        into(shapefile(tmp_path / "b", rows=[patch(1), patch(3)]))
    assert list(LandUsePatch.objects.values()) == before
    assert into(tmp_path / "a" / "DLTB.shp")["already"]


def test_a_dry_run_tells_all_and_keeps_nothing(tmp_path, kept):
    path = shapefile(tmp_path / "d", rows=[patch(1), patch(2, DLBM="")])
    result = into(path, dry_run=True)
    assert (result["taken"], result["refused"], result["delivery"], result["dry_run"]) == (1, 1, None, True)
    for model in (Survey, Delivery, LandUsePatch, Refusal, Finding):
        assert not model.objects.exists()
    assert not kept.exists()


@pytest.mark.parametrize("where", ["note", "authored"])
def test_a_crash_in_the_middle_leaves_nothing(tmp_path, kept, monkeypatch, where):
    monkeypatch.setattr(taking, "BATCH", 2)
    module = Telling if where == "note" else loading
    calls, real = [], getattr(module, where)

    def crash(*args, **options):
        calls.append(1)
        if len(calls) == (3 if where == "note" else 1):
            raise MemoryError("the machine gave up")
        return real(*args, **options)

    monkeypatch.setattr(module, where, crash)
    path = shapefile(tmp_path / "d", rows=[patch(n) for n in range(8)])
    with pytest.raises(MemoryError):
        into(path)
    for model in (Survey, Delivery, LandUsePatch, Refusal, Finding):
        assert not model.objects.exists()
    assert not kept.exists() or not list(kept.iterdir())
    monkeypatch.undo()
    with translation.override("en"):
        assert load(path, "dltb", "120104", 2022)["taken"] == 8


# --- parcels, buildings, boundaries ----------------------------------------------------------------------------


@pytest.mark.rows("NK012")
def test_a_parcel_is_taken_with_its_facts_and_its_author(tmp_path, django_user_model):
    by = django_user_model.objects.create(username="analyst")
    street = Street.objects.get()
    to_degrees = shapely.box(117.0, 39.0, 117.3, 39.3).wkb
    Street.objects.filter(pk=street.pk).update(geom=f"SRID=4490;MULTIPOLYGON({shapely.from_wkb(to_degrees).wkt[8:]})")
    path = shapefile(tmp_path, "ZD", rows=[parcel(1, ZDMJ="9999.9900")], shapes=[[square()]], fields=PARCEL_FIELDS)
    assert into(path, profile="zd", by=by)["taken"] == 1
    one = Parcel.objects.get()
    assert (one.code, one.registered_use, one.use_scheme) == ("120104001001GB00001", "0601", "sandiao")
    assert (one.documented_m2, one.registered_coverage) == (Decimal("9999.9900"), Decimal("0.3500"))
    assert (one.address, one.street_id, one.version) == ("南开区示例路1号", "120104001", 1)
    assert one.area_m2 == pytest.approx(9999.7, abs=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('units_parcelinsertevent'), to_regclass('units_parcelevent')")
        table = next(name for name in cursor.fetchone() if name)
        cursor.execute(f"SELECT c.metadata FROM {table} e JOIN pghistory_context c ON c.id = e.pgh_context_id")
        metadata = cursor.fetchone()[0]
    metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
    assert metadata["user"] == by.pk
    assert metadata["delivery"] == Delivery.objects.get().pk


@pytest.mark.parametrize(
    ("unit", "area", "square_metres"),
    [("1", "9999.7", "9999.7000"), ("2", "15", "10000.0000"), ("3", "1", "10000.0000"), ("亩", "15", "10000.0000")],
)
def test_a_documented_area_is_converted_from_its_unit(tmp_path, unit, area, square_metres):
    path = shapefile(tmp_path, "ZD", rows=[parcel(1, ZDMJ=area, MJDW=unit)], fields=PARCEL_FIELDS)
    into(path, profile="zd")
    assert Parcel.objects.get().documented_m2 == Decimal(square_metres)


def test_coverage_in_per_cent_is_told_from_shares_by_the_whole_layer(tmp_path):
    path = shapefile(tmp_path, "ZD", rows=[parcel(1, JZMD="35"), parcel(2, JZMD="0.5")], fields=PARCEL_FIELDS)
    result = into(path, profile="zd")
    assert list(Parcel.objects.order_by("code").values_list("registered_coverage", flat=True)) == [
        Decimal("0.3500"),
        Decimal("0.0050"),
    ]
    assert "3-percent" in {one["code"] for one in result["warnings"]}


@pytest.mark.parametrize(
    ("use", "scheme"),
    [
        ("0601", "sandiao"), ("05H1", "sandiao"), ("0810A", "sandiao"), ("100101", "ydyh2023"), ("0904", "ydyh2023"),
        ("061", "gbt21010"), ("61", "gbt21010"), ("0601,0701", "sandiao"), ("0601/100101", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_the_scheme_of_a_registered_use_is_stored_beside_it(tmp_path, use, scheme):
    into(shapefile(tmp_path, "ZD", rows=[parcel(1, YT=use)], fields=PARCEL_FIELDS), profile="zd")
    assert (Parcel.objects.get().registered_use, Parcel.objects.get().use_scheme) == (use, scheme)


def test_only_current_parcels_are_taken(tmp_path):
    path = shapefile(tmp_path, "ZD", rows=[parcel(1), parcel(2, ZT="2"), parcel(3, ZT="")], fields=PARCEL_FIELDS)
    result = into(path, profile="zd")
    assert (result["taken"], result["refused"]) == (2, 1)
    assert Refusal.objects.get().code == "3-not-current"


def test_a_parcel_code_is_held_to_its_form(tmp_path):
    path = shapefile(tmp_path, "ZD", rows=[parcel(1), parcel(2, ZDDM="120104001001XX00002")], fields=PARCEL_FIELDS)
    assert into(path, profile="zd")["refusals"][0]["code"] == "3-key-malformed"


def test_a_right_that_ends_before_it_begins_is_told(tmp_path):
    fields = [*PARCEL_FIELDS, ("SYQQSSJ", "D", 8, 0), ("SYQJSSJ", "C", 20, 0)]
    rows = [parcel(1, SYQQSSJ="20100131", SYQJSSJ="2060年1月30日"), parcel(2, SYQQSSJ="20100131", SYQJSSJ="2009-1-1"),
            parcel(3, SYQQSSJ="20101331")]  # fmt: skip
    result = into(shapefile(tmp_path, "ZD", rows=rows, fields=fields), profile="zd")
    assert {"3-dates-reversed", "3-not-a-date"} <= {one["code"] for one in result["warnings"]}
    one = Parcel.objects.get(row_number=1)
    assert (one.right_from, one.right_until) == (datetime.date(2010, 1, 31), datetime.date(2060, 1, 30))


BUILDING_FIELDS = [
    ("JZWBH", "C", 20, 0),
    ("JZWMC", "C", 60, 0),
    ("GD", "N", 6, 1),
    ("CS", "N", 4, 0),
    ("JZMJ", "N", 12, 2),
    ("JCNF", "N", 4, 0),
    ("LSJZ", "C", 2, 0),
]


def test_a_building_is_taken_with_its_floors(tmp_path):
    rows = [
        {"JZWBH": "J1", "JZWMC": "东方银座", "GD": "26", "CS": "9", "JZMJ": "4200.555", "JCNF": "1998"},
        {"JZWBH": "J2", "CS": "900", "LSJZ": "是"},
    ]
    result = into(shapefile(tmp_path, "JZW", rows=rows, fields=BUILDING_FIELDS), profile="building")
    assert (result["taken"], result["refused"]) == (2, 0)
    one, two = Building.objects.order_by("code")
    assert (one.name, one.floors, one.height_m, one.floor_area_m2) == ("东方银座", 9, 26, Decimal("4200.56"))
    assert (one.built_year, one.temporary) == (1998, False)
    assert (two.floors, two.temporary, two.vacant_by_floor) == (None, True, {})


def test_parcels_that_are_gone_leave_the_survey_and_stay_in_history(tmp_path):
    into(shapefile(tmp_path / "a", "ZD", rows=[parcel(1), parcel(2)], fields=PARCEL_FIELDS), profile="zd")
    path = shapefile(tmp_path / "b", "ZD", rows=[parcel(1, YT="0701")], fields=PARCEL_FIELDS)
    result = into(path, profile="zd", replace=True)
    assert (result["changed"], result["gone"]) == (1, 1)
    one = Parcel.objects.get()
    assert (one.registered_use, one.version) == ("0701", 2)


XZQ_FIELDS = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 60, 0)]


def test_boundaries_dissolve_exclaves_and_shape_the_district(tmp_path):
    rows = [
        {"XZQDM": "120104001", "XZQMC": "长虹街道"},
        {"XZQDM": "120104001", "XZQMC": "长虹街道"},
        {"XZQDM": "120104002000", "XZQMC": "鼓楼街道"},
        {"XZQDM": "120106001", "XZQMC": "别区"},
    ]
    shapes = [[square(0)], [square(5)], [square(1)], [square(2)]]
    path = shapefile(tmp_path / "a", "XZQ", rows=rows, shapes=shapes, fields=XZQ_FIELDS)
    result = into(path, profile="district")
    assert (result["taken"], result["refused"]) == (3, 1)
    assert Refusal.objects.get().code == "3-other-district"
    assert Street.objects.get(pk="120104001").geom.num_geom == 2
    assert Street.objects.get(pk="120104002").name == "鼓楼街道"
    assert District.objects.get().geom.num_geom == 2
    assert into(path, profile="district")["already"]
    again = into(zipped(tmp_path / "x.zip", parts(path)), profile="district")
    assert (again["unchanged"], again["changed"], again["taken"]) == (3, 0, 0)


def test_a_patch_of_very_many_holes_is_taken_in_no_time(tmp_path):
    holes = [
        square(column, row, size=2.0, west=WEST + 1, south=SOUTH + 1)[::-1] for column in range(48) for row in range(48)
    ]
    holes = [[(WEST + 1 + (x - WEST - 1) * 2, SOUTH + 1 + (y - SOUTH - 1) * 2) for x, y in hole] for hole in holes]
    apart = [[(x - (x - hole[0][0]) / 2, y - (y - hole[0][1]) / 2) for x, y in hole] for hole in holes]
    into(shapefile(tmp_path, rows=[patch(1)], shapes=[[square(size=200.0), *apart]]))
    one = LandUsePatch.objects.get()
    assert len(one.geom[0]) == 1 + 48 * 48
    with connection.cursor() as cursor:
        cursor.execute("SELECT abs(area_m2 - ST_Area(geom::geography)), ST_IsValid(geom) FROM units_landusepatch")
        assert cursor.fetchone() == (pytest.approx(0, abs=0.001), True)


# --- reading as others read ------------------------------------------------------------------------------------


def test_shapes_read_by_us_equal_those_read_by_gdal(tmp_path):
    hole = square(size=20, west=WEST + 30, south=SOUTH + 30)[::-1]
    island = square(size=5, west=WEST + 36, south=SOUTH + 36)
    touching = [(WEST + 500, SOUTH), (WEST + 550, SOUTH + 50), (WEST + 550, SOUTH), (WEST + 500, SOUTH)][::-1]
    shapes = [
        [square(), hole, island],
        [square(5), touching],
        [hole, square()],
        [square(1), square(2, 2)],
        [square(3)],
    ]
    path = shapefile(tmp_path, rows=[patch(n) for n in range(5)], shapes=shapes)
    with opening.opened(path) as container:
        layer = container.layer(None)
        rings = Shapes(layer.parts["shp"], layer.parts["shx"], layer.place).rings(0, 5)
        ours = polygons(rings, np.arange(5))
    theirs = pyogrio.read_dataframe(path).geometry.values
    for one, other in zip(ours, theirs, strict=True):
        assert shapely.equals_exact(shapely.normalize(one), shapely.normalize(other))
