"""A row stays the same row through a delta: by its key, by its shape when renumbered; and parts are told of a whole."""

import random

import pytest
import shapely
from django.db import connection
from django.utils import timezone, translation

from importers.loading import load
from importers.matching import Group, Overlap, judged
from importers.undoing import undo
from tests.importers.shapefiles import PARCEL_FIELDS, SOUTH, WEST, parcel, patch, shapefile, square
from tests.town import scoped_user
from units.checks.validating import validate
from units.checks.waiving import waive
from units.errors import Refused
from units.models import Building, Enterprise, Finding, LandUsePatch, Occupancy, Parcel
from units.rights import Role

pytestmark = pytest.mark.usefixtures("nankai")
SIDE = 40.0  # metres of a cell


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(path, profile="dltb", **options):
    return load(path, profile, "120104", 2022, **options)


def delta(told) -> dict[str, int]:
    """What is not nought."""
    return {name: count for name, count in told["delta"].items() if count}


def adds_up(told):
    assert told["rows"] == told["taken"] + told["changed"] + told["unchanged"] + told["refused"] + told["deleted"]
    one = told["delta"]
    assert one["new"] + one["attributes"] + one["moved"] + one["renumbered"] + one["parts"] == (
        told["taken"] + told["changed"]
    )


def held(columns="t::text", order="id") -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM units_landusepatch t ORDER BY {order}")
        return cursor.fetchall()


def land(folder, cells: dict, **options):
    """A shapefile of cells {number of the BSM: polygon in metres from the corner, or (polygon, attributes)}."""
    rows, shapes = [], []
    for number, cell in cells.items():
        shape, other = cell if isinstance(cell, tuple) else (cell, {})
        rows.append(patch(number, **{"TBMJ": f"{shape.area:.2f}", **other}))
        ring = shapely.get_coordinates(shapely.orient_polygons(shape, exterior_cw=True))
        shapes.append([[(WEST + x, SOUTH + y) for x, y in ring.tolist()]])
    return shapefile(folder, rows=rows, shapes=shapes, **options)


def cell(column, row, wide=1, high=1):
    return shapely.box(column * SIDE, row * SIDE, (column + wide) * SIDE, (row + high) * SIDE)


# --- the rules alone -------------------------------------------------------------------------------------------------


def test_two_halves_in_the_place_of_one_are_a_split_and_the_other_way_round_a_merging():
    halves = [Overlap(1, 7, 50, 50, 100), Overlap(2, 7, 50, 50, 100)]
    assert judged(halves) == ([Group("split", (7,), (1, 2))], [])
    whole = [Overlap(7, 1, 50, 100, 50), Overlap(7, 2, 50, 100, 50)]
    assert judged(whole) == ([Group("merged", (1, 2), (7,))], [])


def test_a_part_may_keep_the_key_of_the_whole_but_another_row_of_old_is_no_part():
    kept = Overlap(1, 7, 70, 70, 100, own=True, new=False, leaves=False)
    assert judged([kept, Overlap(2, 7, 30, 30, 100, leaves=False)])[0] == [Group("split", (7,), (1, 2))]
    neighbour = Overlap(2, 7, 30, 30, 100, own=False, new=False, leaves=False)
    assert judged([kept, neighbour]) == ([], [])


def test_parts_that_leave_a_hole_are_no_split():
    assert judged([Overlap(1, 7, 50, 50, 100), Overlap(2, 7, 40, 40, 100)]) == ([], [])


def test_one_shape_drawn_anew_is_the_same_row_unless_another_is_as_near():
    assert judged([Overlap(1, 7, 97, 98, 100)]) == ([], [(1, 7)])
    assert judged([Overlap(1, 7, 80, 98, 100)]) == ([], [])
    assert judged([Overlap(1, 7, 97, 98, 100), Overlap(2, 7, 97, 98, 100)])[1] == []


def test_two_cut_anew_into_three_are_regrouped():
    cut = [
        Overlap(1, 7, 60, 60, 100),
        Overlap(2, 7, 40, 80, 100),
        Overlap(2, 8, 40, 80, 100),
        Overlap(3, 8, 60, 60, 100),
    ]
    assert judged(cut) == ([Group("regrouped", (7, 8), (1, 2, 3))], [])
    assert judged(cut[:3]) == ([], [])


# --- on the tables ---------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK011")
@pytest.mark.parametrize("numbering", ["others", "shifted", "shuffled"])
def test_renumbered_patches_keep_their_rows_and_no_shape_is_written(tmp_path, numbering):
    cells = {10 * row + column + 1: cell(column, row) for row in range(10) for column in range(10)}
    into(land(tmp_path / "a", cells))
    before = held("id, ST_AsEWKB(geom)::text, area_m2, tbmj")
    numbers = list(cells)
    if numbering == "others":
        anew = [number + 5000 for number in numbers]
    elif numbering == "shifted":
        anew = [number + 1 for number in numbers]
    else:
        anew = random.Random(3).sample(numbers, len(numbers))
    told = into(land(tmp_path / "b", dict(zip(anew, cells.values(), strict=True))))
    adds_up(told)
    same = sum(old == new for old, new in zip(numbers, anew, strict=True))
    found = {"renumbered": 100 - same, **({"unchanged": same} if same else {})}
    assert delta(told) == found
    assert (told["changed"], told["taken"], told["gone"]) == (100 - same, 0, 0)
    assert held("id, ST_AsEWKB(geom)::text, area_m2, tbmj") == before
    keys = [f"1201042101{number:08d}" for number in anew]
    assert [key for (key,) in held("bsm")] == keys
    undo(told["delivery"])
    assert [key for (key,) in held("bsm")] == [f"1201042101{number:08d}" for number in numbers]


def test_a_row_that_is_renumbered_and_drawn_a_little_otherwise_is_the_same_row(tmp_path):
    into(land(tmp_path / "a", {1: cell(0, 0), 2: cell(1, 0), 3: cell(2, 0), 4: cell(3, 0), 5: cell(4, 0)}))
    pk = LandUsePatch.objects.get(bsm__endswith="05").pk
    anew = {1: cell(0, 0), 2: cell(1, 0), 3: cell(2, 0), 4: cell(3, 0), 99: shapely.box(160, 0, 201, 40)}
    told = into(land(tmp_path / "b", anew))
    assert delta(told) == {"renumbered": 1, "unchanged": 4}
    assert LandUsePatch.objects.get(bsm__endswith="99").pk == pk
    assert abs(LandUsePatch.objects.get(pk=pk).area_m2 - 41 * 40) < 3


@pytest.mark.parametrize("beside", [{}, {90: cell(20, 0)}], ids=["nothing else", "a new row"])
def test_numbers_that_are_swapped_while_a_shape_is_redrawn_lose_no_row(tmp_path, beside):
    rest = {number: cell(number, 2) for number in range(10, 22)}
    into(land(tmp_path / "a", {1: cell(0, 0), 2: cell(2, 0), **rest}))
    before, pks = held(), dict(LandUsePatch.objects.values_list("bsm", "pk"))
    first, second = (f"1201042101{number:08d}" for number in (1, 2))
    told = into(land(tmp_path / "b", {1: shapely.box(80, 0, 121, 40), 2: cell(0, 0), **rest, **beside}))
    adds_up(told)
    assert delta(told) == {"renumbered": 2, "unchanged": 12} | ({"new": 1} if beside else {})
    now = dict(LandUsePatch.objects.values_list("bsm", "pk"))
    assert (now[first], now[second]) == (pks[second], pks[first])
    assert told["gone"] == 0
    assert len(now) == 14 + len(beside)
    undo(told["delivery"])
    assert held() == before


def test_keys_of_parcels_say_who_they_are_even_when_two_are_swapped(tmp_path):
    def parcels(folder, numbers):
        rows = [parcel(number) for number in numbers]
        return shapefile(tmp_path / folder, "ZD", rows=rows, fields=PARCEL_FIELDS)

    into(parcels("a", (1, 2, 3)), "zd")
    before = dict(Parcel.objects.values_list("code", "pk"))
    told = into(parcels("b", (2, 1, 3)), "zd")
    assert delta(told) == {"moved": 2, "unchanged": 1}
    assert dict(Parcel.objects.values_list("code", "pk")) == before
    told = into(parcels("c", (2, 1, 7)), "zd")  # a code that nobody had: the same land under another code
    assert delta(told) == {"renumbered": 1, "unchanged": 2}
    assert Parcel.objects.get(code__endswith="7").pk == before["120104001001GB00003"]
    assert Parcel.objects.get(code__endswith="7").version == 2


def test_what_rests_on_a_renumbered_parcel_stays_on_it(tmp_path):
    into(shapefile(tmp_path / "a", "ZD", rows=[parcel(1), parcel(2)], fields=PARCEL_FIELDS), "zd")
    one = Parcel.objects.get(row_number=1)
    firm = Enterprise.objects.create(district_id="120104", name="甲公司", credit_code="")
    Occupancy.objects.create(enterprise=firm, parcel=one)
    into(shapefile(tmp_path / "b", "ZD", rows=[parcel(9), parcel(2)], fields=PARCEL_FIELDS), "zd")
    assert Occupancy.objects.get().parcel.code == "120104001001GB00009"


def test_a_parcel_that_others_rest_on_is_not_split_away_under_them(tmp_path):
    whole = [square(size=100.0)], [square(column=1, size=100.0)]
    into(shapefile(tmp_path / "a", "ZD", rows=[parcel(1), parcel(2)], shapes=list(whole), fields=PARCEL_FIELDS), "zd")
    firm = Enterprise.objects.create(district_id="120104", name="甲公司", credit_code="")
    Occupancy.objects.create(enterprise=firm, parcel=Parcel.objects.get(row_number=1))
    x, y = WEST, SOUTH
    halves = [
        [[(x, y), (x, y + 100), (x + 50, y + 100), (x + 50, y), (x, y)]],
        [[(x + 50, y), (x + 50, y + 100), (x + 100, y + 100), (x + 100, y), (x + 50, y)]],
    ]
    rows, shapes = [parcel(11), parcel(12), parcel(2)], [*halves, whole[1]]
    path = shapefile(tmp_path / "b", "ZD", rows=rows, shapes=shapes, fields=PARCEL_FIELDS)
    with pytest.raises(Refused, match="甲公司") as error:
        into(path, "zd")
    assert error.value.code == "still-used"
    Occupancy.objects.all().delete()
    told = into(path, "zd")
    assert delta(told) == {"split": 1, "parts": 2, "unchanged": 1}
    code = "120104001001GB000"
    assert told["groups"] == [{"kind": "split", "held": [f"{code}01"], "rows": [f"{code}11", f"{code}12"]}]


def test_what_was_merged_is_explained_and_what_is_missing_is_not(tmp_path):
    cells = {number: cell(number, 0) for number in range(1, 9)}
    into(land(tmp_path / "a", cells))
    told = into(land(tmp_path / "b", {90: cell(1, 0, 4), 91: cell(5, 0, 4)}))  # all eight left, none without reason
    assert delta(told) == {"merged": 2, "parts": 2}
    assert told["gone"] == 8
    with pytest.raises(Refused, match="1 of the 2 rows"):
        into(land(tmp_path / "c", {90: cell(1, 0, 4)}))


def test_a_boundary_between_two_that_is_drawn_anew_is_neither_split_nor_merging(tmp_path):
    into(land(tmp_path / "a", {1: cell(0, 0), 2: cell(1, 0), 3: cell(2, 0)}))
    moved = {1: shapely.box(0, 0, 55, 40), 2: shapely.box(55, 0, 80, 40), 3: cell(2, 0)}
    told = into(land(tmp_path / "b", moved))
    assert delta(told) == {"moved": 2, "unchanged": 1}
    noise = {1: shapely.box(0, 0, 55.03, 40), 2: shapely.box(55.03, 0, 80, 40), 3: shapely.box(80, 0, 120, 40.02)}
    told = into(land(tmp_path / "c", noise | {4: cell(3, 0)}))
    assert delta(told) == {"moved": 3, "new": 1}


def test_a_new_road_across_two_takes_land_from_both(tmp_path):
    into(land(tmp_path / "a", {1: cell(0, 0), 2: cell(1, 0)}))
    road = {1: shapely.box(0, 0, 30, 40), 2: shapely.box(50, 0, 80, 40), 3: shapely.box(30, 0, 50, 40)}
    told = into(land(tmp_path / "b", road))
    assert delta(told) == {"regrouped": 1, "parts": 3}
    adds_up(told)


def test_a_part_of_a_renumbered_row_is_told_with_the_whole(tmp_path):
    into(land(tmp_path / "a", {number: cell(number, 0) for number in range(1, 5)}))
    anew = {11: cell(1, 0), 12: cell(2, 0), 13: cell(3, 0), 14: shapely.box(160, 0, 197, 40)}
    told = into(land(tmp_path / "b", anew | {15: shapely.box(197, 0, 200, 40)}))
    assert delta(told) == {"renumbered": 3, "split": 1, "parts": 2}
    assert told["groups"][0]["rows"] == ["120104210100000014", "120104210100000015"]


def test_the_held_row_of_a_refused_row_is_nobody_elses(tmp_path):
    into(land(tmp_path / "a", {1: cell(0, 0), 2: cell(1, 0), 3: cell(2, 0)}))
    refused = cell(9, 9), {"DLBM": ""}
    told = into(land(tmp_path / "b", {1: cell(0, 0), 2: refused, 3: cell(2, 0), 4: shapely.box(40, 0, 80, 39)}))
    assert delta(told) == {"new": 1, "unchanged": 2}
    assert told["refused"] == 1
    assert LandUsePatch.objects.filter(bsm__endswith="02").exists()


def test_buildings_are_told_apart_by_the_same_rules(tmp_path):
    fields = [("JZWBH", "C", 40, 0), ("JZWMC", "C", 60, 0)]

    def buildings(folder, codes):
        rows = [{"JZWBH": code, "JZWMC": "厂房"} for code in codes]
        return shapefile(tmp_path / folder, "JZW", rows=rows, fields=fields, encoding="utf-8", cpg="UTF-8")

    into(buildings("a", ("J1", "J2")), "building")
    before = Building.objects.get(code="J2").pk
    assert delta(into(buildings("b", ("J1", "K2")), "building")) == {"renumbered": 1, "unchanged": 1}
    assert Building.objects.get(code="K2").pk == before


def test_no_shape_is_told_moved_because_another_reprojection_differs_in_its_noise(tmp_path):
    into(land(tmp_path / "a", {1: cell(0, 0), 2: cell(1, 0)}))
    with connection.cursor() as cursor:
        # As if it had come by another way through PROJ: 3e-12 of a degree, a third of a micrometre.
        cursor.execute("UPDATE units_landusepatch SET geom = ST_Translate(geom, 3e-12, -3e-12)")
    before = held("id, ST_AsEWKB(geom)::text")
    told = into(land(tmp_path / "b", {1: (cell(0, 0), {"TBBH": "77"}), 22: cell(1, 0)}))
    assert delta(told) == {"attributes": 1, "renumbered": 1}
    assert held("id, ST_AsEWKB(geom)::text") == before


# --- drawn by chance -------------------------------------------------------------------------------------------------


def town(seed: int):
    """A hundred cells, and what became of them: the file after, and what has to be told.

    Of blocks of four by four cells (with space for what happens inside) each meets one fate; boundaries that are drawn
    anew by centimetres run through all of it.
    """
    rng = random.Random(seed)
    before, after = {}, {}
    told = {
        "split": 0,
        "merged": 0,
        "regrouped": 0,
        "renumbered": 0,
        "new": 0,
        "attributes": 0,
        "unchanged": 0,
        "gone": 0,
    }
    told |= {"parts": 0}
    fates = ["split", "split kept", "merged", "merged kept", "renumbered", "renumbered split", "swapped", "regrouped"]
    fates += ["attributes", "gone", "new"]
    numbers = iter(rng.sample(range(10, 90_000), 600))
    blocks = [(column, row) for row in range(10) for column in range(10)]
    for column, row in blocks:
        fate = rng.choice(fates) if rng.random() < 0.45 else "unchanged"
        west, south = column * 2 * SIDE, row * SIDE
        one, two = (
            shapely.box(west, south, west + SIDE, south + SIDE),
            shapely.box(west + SIDE, south, west + 2 * SIDE, south + SIDE),
        )
        a, b, c, d, e = (next(numbers) for _number in range(5)) if column or row else (1, 2, 3, 4, 5)
        before |= {a: one} if fate in ("gone",) else {a: one, b: two}
        at = west + SIDE * rng.uniform(0.25, 0.75)
        low, high = shapely.box(west, south, at, south + SIDE), shapely.box(at, south, west + SIDE, south + SIDE)
        both = shapely.box(west, south, west + 2 * SIDE, south + SIDE)
        match fate:
            case "split":
                after |= {c: low, d: high, b: two}
                told["split"] += 1
                told["parts"] += 2
                told["unchanged"] += 1
            case "split kept":
                after |= {a: low, d: high, b: two}
                told["split"] += 1
                told["parts"] += 2
                told["unchanged"] += 1
            case "merged":
                after |= {c: both}
                told["merged"] += 1
                told["parts"] += 1
            case "merged kept":
                after |= {b: both}
                told["merged"] += 1
                told["parts"] += 1
            case "renumbered":
                after |= {c: one, b: two}
                told["renumbered"] += 1
                told["unchanged"] += 1
            case "renumbered split":
                third = shapely.box(at, south, west + SIDE, south + SIDE / 2)
                rest = shapely.box(at, south + SIDE / 2, west + SIDE, south + SIDE)
                after |= {c: low, d: third, e: rest, b: two}
                told["split"] += 1
                told["parts"] += 3
                told["unchanged"] += 1
            case "swapped":
                after |= {b: one, a: two}
                told["renumbered"] += 2
            case "regrouped":
                half = south + SIDE / 2
                after |= {c: shapely.box(west, south, west + 2 * SIDE, half)}
                after |= {d: shapely.box(west, half, west + 2 * SIDE, south + SIDE)}
                told["regrouped"] += 1
                told["parts"] += 2
            case "attributes":
                after |= {a: (one, {"DLBM": "0301", "DLMC": "乔木林地"}), b: two}
                told["attributes"] += 1
                told["unchanged"] += 1
            case "gone":
                told["gone"] += 1
            case "new":
                del before[b]
                after |= {a: one, b: two}
                told["new"] += 1
                told["unchanged"] += 1
            case "unchanged":
                after |= {a: one, b: two}
                told["unchanged"] += 2
    return before, after, told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_a_town_goes_through_is_told_and_nothing_else(tmp_path, seed):
    before, after, expected = town(seed)
    into(land(tmp_path / "a", before))
    start = held()
    told = into(land(tmp_path / "b", after), replace=True)
    assert delta(told) == dict(expected)
    adds_up(told)
    assert len(told["groups"]) == expected["split"] + expected["merged"] + expected["regrouped"]
    with connection.cursor() as cursor:  # what is held is what the file says, whatever way it came there
        cursor.execute("SELECT bsm, round(area_m2) FROM units_landusepatch ORDER BY bsm")
        stands = dict(cursor.fetchall())
    shapes = {f"1201042101{n:08d}": one[0] if isinstance(one, tuple) else one for n, one in after.items()}
    assert stands.keys() == shapes.keys()
    assert all(abs(area - shapes[key].area) <= 2 for key, area in stands.items())
    undo(told["delivery"])
    assert held() == start


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_boundaries_drawn_anew_by_centimetres_hide_no_split_and_make_none(tmp_path, seed):
    rng = random.Random(seed)
    wide = [[rng.uniform(-0.02, 0.02) for _column in range(11)] for _row in range(11)]
    first = {10 * row + column + 1: cell(column, row) for row in range(10) for column in range(10)}

    def jittered(column, row):
        corners = [(column, row), (column, row + 1), (column + 1, row + 1), (column + 1, row)]
        return shapely.Polygon([(x * SIDE + wide[y][x], y * SIDE - wide[y][x]) for x, y in corners])

    into(land(tmp_path / "a", first))
    after = {number: jittered((number - 1) % 10, (number - 1) // 10) for number in first}
    split, merged = rng.sample(range(0, 10, 2), 2)
    one = after.pop(10 * split + 1)
    west, south, east, north = one.bounds
    middle = (west + east) / 2
    after |= {901: one.intersection(shapely.box(west, south, middle, north))}
    after |= {902: one.intersection(shapely.box(middle, south, east, north))}
    parts = [after.pop(10 * merged + 5), after.pop(10 * merged + 6)]
    after |= {903: shapely.union_all(parts)}
    told = into(land(tmp_path / "b", after))
    assert delta(told) == {"split": 1, "merged": 1, "parts": 3, "moved": 97}


@pytest.mark.rows("NK011")
def test_an_identical_file_and_a_corrected_one_write_only_what_differs(tmp_path):
    cells = {number: cell(number % 10, number // 10) for number in range(100)}
    path = land(tmp_path / "a", cells)
    into(path)
    before = held("bsm, xmin::text, ctid::text")
    told = into(path)
    assert (told["already"], delta(told)) == (True, {"unchanged": 100})
    assert held("bsm, xmin::text, ctid::text") == before
    cells[50] = cells[50], {"TBBH": "甲"}
    told = into(land(tmp_path / "b", cells))
    assert delta(told) == {"attributes": 1, "unchanged": 99}
    assert len(set(held("bsm, xmin::text, ctid::text")) - set(before)) == 1
    assert not Finding.objects.filter(state="resolved").exists()


# --- what is said of rows --------------------------------------------------------------------------------------------


def test_findings_and_waivers_follow_the_rows_that_are_renumbered_and_come_back_with_them(tmp_path):
    office = scoped_user(Role.OFFICE, "120104")
    today = timezone.localdate()
    cells = {number: cell(number, 0) for number in range(1, 7)}
    faulty = {2: (cells[2], {"DLMC": "盐田"}), 3: (cells[3], {"YSDM": "9"}), 4: (cells[4], {"YSDM": "9"})}
    into(land(tmp_path / "a", cells | faulty))
    validate("120104", checks=["3-name-differs"], survey=2022)
    first = {one.subjects[0][-1]: one.pk for one in Finding.objects.all()}
    assert first.keys() == {"2", "3", "4"}
    for pk in first.values():
        waive(Finding.objects.get(pk=pk), office, office.grants(), "agreed", today)
    names = ("pk", "identity", "fingerprint", "subjects", "state", "delivery_id", "waivers__fingerprint")
    before = list(Finding.objects.order_by("pk").values_list(*names))

    anew = {number + 1: value for number, value in (cells | faulty).items()}  # each has the number of the next
    anew[3] = anew[3][0], {"DLMC": "盐田", "YSDM": "9"}  # and the first of them a fault more
    told = into(land(tmp_path / "b", anew))
    assert delta(told) == {"renumbered": 6}
    now = {one.pk: one.subjects[0][-1] for one in Finding.objects.unresolved() if one.pk in first.values()}
    assert now == {first["2"]: "3", first["3"]: "4", first["4"]: "5"}
    assert Finding.objects.unresolved().count() == 4
    assert Finding.objects.waived(today).count() == 3
    validate("120104", checks=["3-name-differs"], survey=2022)
    assert Finding.objects.waived(today).count() == 3
    assert Finding.objects.count() == 4

    undo(told["delivery"])
    after = list(Finding.objects.filter(pk__in=first.values()).order_by("pk").values_list(*names))
    assert [(*one[:4], *one[5:]) for one in after] == [(*one[:4], *one[5:]) for one in before]
    assert Finding.objects.waived(today).count() == 3
    assert Finding.objects.unresolved().count() == 3
