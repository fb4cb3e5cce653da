"""Each check of one row tells its fault, is silent exactly at its limit, and says nothing of a good row."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from django.contrib.gis.geos import Point
from django.utils import translation

from importers import opening
from importers.checking import Batch, Layerwide
from importers.inspecting import inspected
from importers.loading import load
from importers.pairing import check_pairs
from importers.problems import KINDS, WARN, basis, checks
from importers.profiles import match, profile, profiles
from importers.provenance import digests
from importers.shapechecks import check_geometry
from importers.shaping import Projection, shaped
from importers.structure import check_structure
from tests.importers.shapefiles import PARCEL_FIELDS, PATCH_FIELDS, SOUTH, WEST, parcel, patch, shapefile, square
from units.codes import domain
from units.errors import Refused
from units.models import Finding, LandUsePatch

CODES = [
    ("KCDLBM", "C", 5, 0),
    ("KCXS", "N", 6, 4),
    ("GDLX", "C", 2, 0),
    ("GDPDJB", "C", 2, 0),
    ("XZDWKD", "N", 5, 1),
    ("TBXHDM", "C", 4, 0),
    ("TBXHMC", "C", 20, 0),
    ("ZZSXDM", "C", 6, 0),
    ("ZZSXMC", "C", 10, 0),
    ("GDDB", "N", 2, 0),
    ("CZCSXM", "C", 4, 0),
]
CZCDYD_FIELDS = [
    ("BSM", "C", 18, 0),
    ("YSDM", "C", 10, 0),
    ("CZCLX", "C", 4, 0),
    ("CZCDM", "C", 19, 0),
    ("CZCMC", "C", 60, 0),
    ("CZCMJ", "N", 15, 2),
]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def problems(path, name, *, epsg=4527) -> dict[int, list]:
    """The problems of each row, from 1, after the checks of fields, pairs and shapes; without a database."""
    with opening.opened(path) as container:
        seen = inspected(container.layer(None), encoding="gb18030", crs=f"EPSG:{epsg}")
        found = match(profile(name), seen.layer.name, [column.name for column in seen.table.columns])
        batch = Batch(seen.table, found, "gb18030", slice(0, seen.table.rows), Layerwide("120104", frozenset()))
        rings = seen.shapes.rings(0, seen.table.rows)
        projection = Projection(epsg, 4527)
        shape = shaped(rings, projection)
        for one in found.profile.fields:
            if one.kind == "number":
                batch.check_number(one)
            elif one.kind == "text":
                batch.check(one)
        check_pairs(batch)
        check_geometry(batch, rings, shape, projection.degrees)
    told: dict[int, list] = {}
    for one in batch.problems:
        told.setdefault(one.row + 1, []).append(one)
    return told


def codes_of(told, row) -> list:
    return sorted((one.code, one.field) for one in told.get(row, []))


# --- fields against one another --------------------------------------------------------------------------------

TILLED = {"DLBM": "0103", "DLMC": "旱地"}
WORKS = {"DLBM": "0601", "DLMC": "工业用地", "CZCSXM": "201A"}
ROAD = {"DLBM": "1004", "DLMC": "城镇村道路用地", "CZCSXM": "201"}
PAIRS = [
    # A08
    (TILLED | {"KCDLBM": "1203", "KCXS": "0.1000", "KCMJ": "1000.00", "TBDLMJ": "8999.99"}, []),
    (WORKS | {"KCDLBM": "1203"}, [("3-goes-not-with", "KCDLBM")]),
    (TILLED | {"KCDLBM": "1202"}, [("3-constant", "KCDLBM")]),
    (
        WORKS | {"KCXS": "0.0001", "KCMJ": "1.00", "TBDLMJ": "9998.99"},
        [("3-goes-not-with", "KCXS")],
    ),
    (WORKS | {"KCXS": "0.0000"}, []),
    # A09
    (TILLED | {"GDPDJB": "5", "GDLX": "TT", "GDDB": "15"}, []),
    (TILLED | {"GDPDJB": "6"}, [("3-code-unknown", "GDPDJB")]),
    (WORKS | {"GDPDJB": "1"}, [("3-goes-not-with", "GDPDJB")]),
    (WORKS | {"GDLX": "PD"}, [("3-goes-not-with", "GDLX")]),
    (TILLED | {"GDDB": "16"}, [("3-out-of-range", "GDDB")]),
    # A10
    (ROAD | {"XZDWKD": "12.5"}, []),
    (WORKS | {"XZDWKD": "0.1"}, [("3-goes-not-with", "XZDWKD")]),
    (WORKS | {"XZDWKD": "0.0"}, []),
    ({"DLBM": "1107A", "DLMC": "干渠", "XZDWKD": "8.0"}, []),
    # A11
    (WORKS | {"TBXHDM": "HDGY", "TBXHMC": "火电工业用地"}, []),
    (WORKS | {"TBXHDM": "HDGD", "TBXHMC": "河道耕地"}, [("3-goes-not-with", "TBXHDM")]),
    (WORKS | {"TBXHDM": "HDGY", "TBXHMC": "钢铁工业用地"}, [("3-name-differs", "TBXHMC")]),
    ({"DLBM": "0602", "DLMC": "采矿用地", "CZCSXM": "204", "TBXHDM": "FQ"}, []),
    ({"DLBM": "0602", "DLMC": "采矿用地", "CZCSXM": "204", "TBXHDM": "HDGY"}, [("3-goes-not-with", "TBXHDM")]),
    (WORKS | {"ZZSXDM": "LS"}, [("3-goes-not-with", "ZZSXDM")]),
    (TILLED | {"ZZSXDM": "LS", "ZZSXMC": "种植粮食作"}, []),  # ten bytes have no room for the sixth character
    (TILLED | {"ZZSXDM": "LS", "ZZSXMC": "种植"}, [("3-name-differs", "ZZSXMC")]),
    # A12
    (WORKS | {"CZCSXM": ""}, [("3-needed-with", "CZCSXM")]),
    ({"DLBM": "09", "DLMC": "特殊用地", "CZCSXM": ""}, [("3-needed-with", "CZCSXM")]),
    (TILLED | {"CZCSXM": ""}, []),
    ({"DLBM": "1003", "DLMC": "公路用地", "CZCSXM": ""}, []),
    # A13
    (WORKS | {"CZCSXM": "201"}, []),
    (ROAD | {"CZCSXM": "201A"}, [("3-goes-not-with", "CZCSXM")]),
    (WORKS | {"CZCSXM": "204"}, [("3-goes-not-with", "CZCSXM")]),
    ({"DLBM": "09", "DLMC": "特殊用地", "CZCSXM": "205"}, []),
    (WORKS | {"CZCSXM": "205"}, [("3-goes-not-with", "CZCSXM")]),
    ({"DLBM": "1006", "DLMC": "农村道路", "CZCSXM": "203"}, [("3-goes-not-with", "CZCSXM")]),
    ({"DLBM": "1006", "DLMC": "农村道路", "CZCSXM": "202"}, [("3-goes-not-with", "CZCSXM")]),
    ({"DLBM": "0702", "DLMC": "农村宅基地", "CZCSXM": "203"}, []),
    # S01: off by exactly a square centimetre-hundred is still right, by two it is not
    (TILLED | {"KCDLBM": "1203", "KCXS": "0.1000", "KCMJ": "1000.01", "TBDLMJ": "8999.99"}, []),
    (
        TILLED | {"KCDLBM": "1203", "KCXS": "0.1000", "KCMJ": "1000.02", "TBDLMJ": "8999.97"},
        [("3-sum-differs", "KCMJ")],
    ),
    (WORKS | {"TBDLMJ": "9999.97"}, [("3-sum-differs", "TBDLMJ")]),
    (WORKS | {"TBDLMJ": "10000.00"}, []),
    # A value that is wrong in itself is not held against others.
    (WORKS | {"DLBM": "9999", "GDPDJB": "1"}, [("3-code-unknown", "DLBM")]),
]


@pytest.mark.rows("NK011")
def test_what_does_not_go_together_in_a_patch_is_told(tmp_path):
    rows = [patch(number, **changes) for number, (changes, _codes) in enumerate(PAIRS, 1)]
    told = problems(shapefile(tmp_path, rows=rows, fields=PATCH_FIELDS + CODES), "dltb")
    for number, (changes, expected) in enumerate(PAIRS, 1):
        assert codes_of(told, number) == expected, changes
    one = told[2][0]
    assert (one.value, one.more, one.severity) == ("1203", "DLBM 0601 (✓ 0101, 0102, 0103)", WARN)


def test_a_rule_of_a_column_that_is_not_there_is_not_asked(tmp_path):
    assert problems(shapefile(tmp_path, rows=[patch(1)]), "dltb") == {}


PARCELS = [
    ({}, []),
    ({"QLXZ": "100"}, []),
    ({"QLXZ": "201"}, [("3-goes-not-with", "QLXZ")]),
    ({"ZDDM": "120104001001JB00004", "ZDTZM": "JB", "QLXZ": "205"}, []),
    ({"ZDDM": "120104001001JB00005", "ZDTZM": "JB"}, [("3-goes-not-with", "QLXZ")]),
    ({"ZDDM": "120104001001ZB00006", "ZDTZM": "ZB", "QLXZ": "201"}, []),
    ({"BDCDYH": "120104001001GB00001F00010001"}, [("3-begins-otherwise", "BDCDYH")]),
    ({"BDCDYH": "120104001001GB00008X00010001"}, [("3-malformed", "BDCDYH")]),
    ({"ZDDM": "120104001001GB0009", "BDCDYH": "120104001001GB00009W00000000"}, [("3-key-malformed", "ZDDM")]),
    ({"ZDSZD": "", "QLLX": ""}, [("3-required", "QLLX"), ("3-required", "ZDSZD")]),
    ({"ZDTZM": "XB"}, [("3-malformed", "ZDTZM")]),
]


@pytest.mark.rows("NK011")
def test_codes_and_rights_of_a_parcel_are_held_against_each_other(tmp_path):
    rows = [parcel(number, **changes) for number, (changes, _codes) in enumerate(PARCELS, 1)]
    told = problems(shapefile(tmp_path, "ZD", rows=rows, fields=PARCEL_FIELDS), "zd")
    for number, (changes, expected) in enumerate(PARCELS, 1):
        assert codes_of(told, number) == expected, changes


def place_of_town(number, kind, code):
    return {
        "BSM": f"1201042931{number:08d}",
        "YSDM": "2099030100",
        "CZCLX": kind,
        "CZCDM": code,
        "CZCMC": "南开区",
        "CZCMJ": "10000.00",
    }


def test_the_code_of_a_town_is_as_long_as_its_kind_says(tmp_path):
    cases = [
        ("201", "1201040000000000000", []),
        ("201A", "1201040010000000000", [("3-malformed-for", "CZCDM")]),
        ("202", "1201040010000000000", []),
        ("202", "1201040010010000000", [("3-malformed-for", "CZCDM")]),
        ("203", "1201040010010000000", []),
        ("204", "1201040010010000001", [("3-malformed-for", "CZCDM")]),
        ("205", "12010400100100", [("3-malformed", "CZCDM")]),
        ("206", "1201040010010000000", [("3-code-unknown", "CZCLX")]),
    ]
    rows = [place_of_town(number, kind, code) for number, (kind, code, _codes) in enumerate(cases, 1)]
    hole = list(reversed(square(0, 5, 20, WEST + 40, SOUTH)))
    shapes = [[square(number)] for number in range(7)] + [[square(7, 0), [(x + 700, y - 60) for x, y in hole]]]
    told = problems(shapefile(tmp_path, "CZCDYD", rows=rows, fields=CZCDYD_FIELDS, shapes=shapes), "czcdyd")
    for number, (_kind, _code, expected) in enumerate(cases, 1):
        assert codes_of(told, number) == sorted(expected + ([("4-hole", "")] if number == 8 else []))


# --- shapes ----------------------------------------------------------------------------------------------------


def at(points, column=0):
    """A ring of these points in metres beside the corner of a square of the grid, closed."""
    return [(WEST + column * 300 + x, SOUTH + y) for x, y in [*points, points[0]]]


def box(width, height):
    return [(0, 0), (0, height), (width, height), (width, 0)]


def spike(degrees):
    """A square from whose top a spike of so many degrees rises."""
    half = math.tan(math.radians(degrees / 2)) * 20
    return [(0, 0), (0, 50), (25 - half, 50), (25, 70), (25 + half, 50), (50, 50), (50, 0)]


TWO = [box(50, 50), [(x + 100, y) for x, y in box(50, 50)]]
SHAPES = [
    (box(100, 100), "", []),
    # T07
    (box(10**0.5, 10**0.5), "1003", ["4-below-minimum"]),
    (box(3.16, 3.16), "1003", ["4-small-area"]),
    # T09, of which roads and water are told as well
    (box(20, 10), "0601", []),
    (box(20, 9.99), "0601", ["4-below-minimum"]),
    (box(20, 20), "0101", []),
    (box(20, 19.99), "0101", ["4-below-minimum"]),
    (box(30, 20), "1101", []),
    (box(30, 19.99), "1101", ["4-below-minimum"]),
    # T13
    (spike(10), "", []),
    (spike(9.99), "", ["4-sharp-angle"]),
    ([(0, 50), (25, 70), (50, 50), (50, 0), (0, 0)], "", []),
    # T16
    ([(0, 0), (0, 100), (0.1, 100), (100, 100), (100, 0)], "", []),
    ([(0, 0), (0, 100), (0.0999, 100), (100, 100), (100, 0)], "", ["4-crowded-vertex"]),
    ([(0, 0), (0, 100), (0.001, 100), (100, 100), (100, 0)], "", ["4-crowded-vertex"]),
    ([(0, 0), (0, 100), (0.0009, 100), (100, 100), (100, 0)], "", ["4-doubled-vertex"]),
    ([(0, 0), (0, 100), (0, 100), (100, 100), (100, 0)], "", ["4-doubled-vertex"]),
    # T14: 8 times longer than wide is perimeter² / area = 40.5, 7.8 times is 39.7
    (box(89.44, 11.18), "", ["4-sliver"]),
    (box(88.4, 11.33), "", []),
    (box(90, 11.25), "", []),  # 1,012 m², and more than 5 m wide
    (box(300, 5.05), "", ["4-sliver"]),  # 2A/P is 4.97 m
    (box(300, 5.1), "", []),
    (box(300, 5.05), "1006", []),  # a road is narrow by its nature
    # short teeth on a square of 20 m: no box is long, and the outline says it all the same
    ([(0, 0), (0, 20), *[(x / 2, 20 if x % 4 < 2 else 2) for x in range(1, 40)], (20, 0)], "", ["4-sliver"]),
    # T05
    (TWO, "", ["4-several-parts"]),
]


def drawn(folder, shapes=SHAPES):
    rows = [
        patch(number, DLBM=code or "0601", DLMC="", CZCSXM="") for number, (_ring, code, _codes) in enumerate(shapes, 1)
    ]
    rings = [
        [at(part, number) for part in (ring if isinstance(ring[0], list) else [ring])]
        for number, (ring, _code, _codes) in enumerate(shapes)
    ]
    return shapefile(folder, rows=rows, shapes=rings)


@pytest.mark.rows("NK011")
def test_odd_shapes_are_told_and_those_exactly_at_a_limit_are_not(tmp_path):
    told = problems(drawn(tmp_path), "dltb")
    for number, (ring, code, expected) in enumerate(SHAPES, 1):
        found = sorted(one.code for one in told.get(number, []) if one.code.startswith("4"))
        assert found == expected, (ring, code)
        assert all(one.severity == WARN for one in told[number])


def test_the_fault_of_a_shape_is_told_with_its_place_its_measure_and_how_often_it_is_there(tmp_path):
    ring = [(0, 0), (0, 100), (0.05, 100), (60, 100), (60.02, 100), (100, 100), (100, 0)]
    told = problems(drawn(tmp_path, [(ring, "0601", [])]), "dltb")[1]
    (one,) = (one for one in told if one.code == "4-crowded-vertex")
    assert (one.value, one.more, one.place) == ("0.020", "2", (WEST + 60, SOUTH + 100))
    (one,) = (one for one in problems(drawn(tmp_path / "b", [(spike(5), "0601", [])]), "dltb")[1] if one.code[0] == "4")
    assert (one.code, one.value, one.more) == ("4-sharp-angle", "5.00", "1")
    assert one.place == pytest.approx((WEST + 25, SOUTH + 70), abs=1e-6)


def test_a_spike_is_seen_where_its_ring_begins_and_between_rings_there_is_no_edge(tmp_path):
    ring = spike(5)
    turned = [*ring[3:], *ring[:3]]  # begins in the tip
    close = [[(0, 0), (0, 50), (50, 50), (50, 0)], [(50.01, 0), (50.01, 50), (100, 50), (100, 0)]]
    told = problems(drawn(tmp_path, [(turned, "0601", []), (close, "0601", [])]), "dltb")
    assert [one.code for one in told[1] if one.code[0] == "4"] == ["4-sharp-angle"]
    assert [one.code for one in told[2] if one.code[0] == "4"] == ["4-several-parts"]


def test_a_layer_in_degrees_is_judged_in_metres(tmp_path):
    lon, lat = 117.15, 39.1
    metre = 1 / 111_320
    for name, step, expected in (("a", 0.05, ["4-crowded-vertex"]), ("b", 0.2, [])):
        ring = [(0, 0), (0, 100), (step, 100), (100, 100), (100, 0), (0, 0)]
        shape = [(lon + x * metre / math.cos(math.radians(lat)), lat + y * metre) for x, y in ring]
        path = shapefile(tmp_path / name, rows=[patch(1)], shapes=[[shape]], crs=4490)
        told = problems(path, "dltb", epsg=4490)
        assert [one.code for one in told.get(1, []) if one.code[0] == "4"] == expected


def test_a_shape_that_is_refused_is_not_looked_at(tmp_path):
    bowtie = [(0, 0), (20, 20), (20, 0), (0, 20), (0, 20)]
    nan = [(0, 0), (0, 0.01), (float("nan"), 5), (5, 0)]
    told = problems(drawn(tmp_path, [(bowtie, "0601", []), (nan, "0601", []), (box(3, 3), "0601", [])]), "dltb")
    assert [sorted({one.code for one in told.get(row, []) if one.code[0] == "4"}) for row in (1, 2, 3)] == [
        [],
        [],
        ["4-small-area"],
    ]


@pytest.mark.usefixtures("nankai")
def test_a_warning_of_a_shape_is_a_finding_with_its_place_on_the_map_and_the_row_is_taken(tmp_path):
    result = load(drawn(tmp_path, [(spike(5), "0601", []), (box(50, 50), "0601", [])]), "dltb", "120104", 2022)
    assert (result["taken"], result["refused"]) == (2, 0)
    one = Finding.objects.get(code="4-sharp-angle")
    assert (one.severity, one.row_number, one.subjects) == ("warning", 1, ["120104210100000001"])
    assert one.sentence == "1 corners are sharper than 10°; the sharpest has 5.00°."
    tip = Point(WEST + 25, SOUTH + 70, srid=4527)
    tip.transform(4490)
    assert one.geom.distance(tip) < 1e-8
    assert LandUsePatch.objects.count() == 2


@pytest.mark.usefixtures("nankai")
def test_a_shape_without_an_area_on_the_ground_is_refused(tmp_path):
    lon, beside = 117.15, float(np.nextafter(117.15, 180))
    ring = [(lon, 39.1), (lon, 39.1001), (beside, 39.1001), (lon, 39.1)]
    good = [(lon, 39.1), (lon, 39.101), (lon + 0.001, 39.101), (lon, 39.1)]
    path = shapefile(tmp_path, rows=[patch(1), patch(2)], shapes=[[ring], [good]], crs=4490)
    result = load(path, "dltb", "120104", 2022)
    assert [(one["code"], one["rows"]) for one in result["refusals"]] == [("4-no-area", [1])]
    assert (result["taken"], result["refused"]) == (1, 1)


@pytest.mark.usefixtures("nankai")
def test_a_text_longer_than_its_field_is_cut_told_and_kept_in_full(tmp_path):
    fields = [(name, kind, 40 if name == "TBBH" else width, digits) for name, kind, width, digits in PATCH_FIELDS]
    result = load(shapefile(tmp_path, rows=[patch(1, TBBH="123456789")], fields=fields), "dltb", "120104", 2022)
    assert {one["code"] for one in result["warnings"]} == {"3-too-long"}
    one = LandUsePatch.objects.get()
    assert (one.tbbh, one.extra["TBBH"]) == ("12345678", "123456789")


# --- columns ---------------------------------------------------------------------------------------------------


def structure(folder, fields, rows, name="dltb", layer="DLTB"):
    with opening.opened(shapefile(folder, layer, fields=fields, rows=rows)) as container:
        seen = inspected(container.layer(None), encoding="gb18030", crs="EPSG:4527")
        found = match(profile(name), seen.layer.name, [column.name for column in seen.table.columns])
        return [(one.code, one.field, one.value) for one in check_structure(seen, found)]


def with_field(name, kind, width, decimals=0):
    return [(name, kind, width, decimals) if one[0] == name else one for one in PATCH_FIELDS]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (PATCH_FIELDS, []),
        ([one for one in PATCH_FIELDS if one[0] != "QSXZ"], [("3-field-missing", "", "QSXZ 权属性质")]),
        (with_field("DLBM", "N", 5), [("3-type-differs", "DLBM", "a number")]),
        (with_field("TBMJ", "C", 15), [("3-type-differs", "TBMJ", "text")]),
        (with_field("TBMJ", "N", 15), [("3-type-differs", "TBMJ", "a whole number")]),
        (with_field("TBMJ", "F", 24, 15), []),
        (with_field("DLBM", "C", 4), [("3-width-differs", "DLBM", "4")]),
        (with_field("ZLDWDM", "C", 12), [("3-width-differs", "ZLDWDM", "12")]),
        (with_field("ZLDWDM", "C", 80), []),
        (with_field("SJNF", "C", 4), [("3-type-differs", "SJNF", "text")]),
    ],
)
def test_a_column_of_another_type_or_width_is_told_once(tmp_path, fields, expected):
    assert structure(tmp_path, fields, [patch(1)]) == expected


@pytest.mark.rows("NK011")
@pytest.mark.parametrize(
    "codes",
    [
        [str(int(float(f"1201042101{number:08d}"))) for number in range(100, 130)],  # by way of double precision
        [f"120104210{number}00000000"[:15] + "000" for number in range(100, 130)],  # by way of a spreadsheet
        ["1.20104210100000E+17", *[f"1201042101{number:08d}" for number in range(20)]],
    ],
)
def test_codes_that_lost_their_last_digits_as_numbers_are_refused_as_a_whole(tmp_path, codes):
    fields = with_field("BSM", "N", 20)
    rows = [patch(number, BSM=code) for number, code in enumerate(codes)]
    with pytest.raises(Refused, match="last digits of its codes are lost") as error:
        structure(tmp_path, fields, rows)
    assert error.value.code == "3-digits-lost"


def test_codes_delivered_as_numbers_with_all_their_digits_are_taken_with_a_word(tmp_path):
    fields = with_field("BSM", "N", 18)
    for count in (1, 40):
        rows = [patch(number) for number in range(1, count + 1)]
        assert structure(tmp_path / str(count), fields, rows) == [("3-type-differs", "BSM", "a number")]


# --- the standards ---------------------------------------------------------------------------------------------

STANDARDS = Path(__file__).parent / "standards"
LAYOUTS = {
    "dltb": ("fields_dltb", "field"),
    "dltb2": ("fields_dltb_2nd_survey", "field"),
    "zd": ("fields_zdjbxx", "field"),
    "czcdyd": ("fields_czcdyd", "field"),
    "dcdytb": ("fields_zhejiang_dcdytb", "gdb_field"),
    "hebei_lowuse": ("fields_hebei_lowuse", "field"),
}
# What we hold otherwise than the standard says, and why.
OTHERWISE = {
    ("zd", "BSM"): "registers give more than ten digits",
    ("zd", "YT"): "several uses stand in one field, parted by commas",
    ("zd", "RJL"): "a plot ratio above 9.99 is there",
    ("zd", "JZMD"): "written as per cent too",
}


def standard(name: str) -> list[dict]:
    with (STANDARDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_every_field_of_a_standard_is_a_field_of_its_profile_or_known(name):
    file, column = LAYOUTS[name]
    one = profile(name)
    fields = {each.name: each for each in one.fields}
    for row in standard(file):
        for said in row[column].split("/"):
            field = fields.get(said.upper())
            assert field is not None or said.upper() in one.known, said
            if field is None or (name, field.name) in OTHERWISE or "length" not in row:
                continue
            number = row["type"] in ("Float", "Int")
            assert (field.kind in ("number", "integer")) == number or field.numeric, said
            if row["length"] and field.width and not number:
                assert field.width == int(row["length"]), said
            if row["type"] == "Char" and row["length"]:
                assert field.width, said
            if row["decimals"] and field.kind == "number":
                assert field.decimals == int(row["decimals"]), said
            if row["constraint"] == "M" and said != "ZDT":
                assert field.required, said


def test_the_survey_areas_have_the_fields_of_the_real_file():
    names = {row["field"] for row in standard("fields_other_layers") if row["layer"] == "XZQ"}
    one = profile("district")
    assert names <= {each.name for each in one.fields} | one.known
    (row,) = (row for row in standard("fields_other_layers") if row["layer"] == "CJDCQ")
    assert set(row["field"].split("/")) <= {each.name for each in profile("cjdcq").fields}


def test_a_coded_field_has_the_codes_of_the_standard():
    table: dict[str, set] = {}
    for row in standard("codes_domains"):
        table.setdefault(row["domain"], set()).add(row["code"])
    checked = 0
    for told in profiles().values():
        for one in told.fields:
            if one.domain:
                assert set(domain(one.domain)) == table[one.domain], (told.name, one.name)
                checked += 1
    assert checked >= 15


def test_every_check_of_the_list_is_told_by_a_code_or_made_elsewhere():
    listed = {row["id"]: row for row in standard("checks")}
    ours = checks()
    assert set(listed) <= set(ours)
    for name, one in ours.items():
        assert one.codes or one.refusals or one.place, name
        assert set(one.codes) <= set(KINDS), name
        assert one.origin in ("official", "provincial", "tool", "proposed")
        if name in listed and listed[name]["origin"] != one.origin:
            assert (name, one.origin) in {("M03", "proposed"), ("S02", "proposed"), ("T16", "proposed")}
    rules = {pair.check for one in profiles().values() for pair in one.pairs}
    rules |= {each.check for one in profiles().values() for each in (*one.sums, *one.beginnings)}
    assert rules == {"A08", "A09", "A10", "A11", "A12", "A13", "A14", "S01", "P02", "P03"}


def test_a_code_says_whose_rule_it_is():
    assert [(one.id, one.origin, one.limit) for one in basis("4-sharp-angle")] == [("T13", "tool", {"degrees": 10.0})]
    assert [one.id for one in basis("3-area-differs")] == ["S02", "S02E"]
    assert basis("1-z-dropped") == []


def test_another_layout_has_other_rules_and_the_same_one_the_same():
    assert digests(profile("dltb")) == digests(profile("dltb"))
    assert digests(profile("dltb"))["rules_sha256"] != digests(profile("zd"))["rules_sha256"]
    assert digests(profile("dltb"))["code_sha256"] == digests(profile("zd"))["code_sha256"]
