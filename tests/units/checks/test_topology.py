"""What of shapes is a fault and what is not: broken ones, overlaps, shapes in each other, holes, and noise."""

import numpy as np
import pytest
import shapely

from tests.units.checks.drawn import Ground, box, metres, open_findings
from units.checks.looking import Sight, counting
from units.checks.topology import pairs
from units.checks.validating import validate
from units.errors import UnknownName, UsageError
from units.models import Finding, Parcel

DISTRICT = "120104"


def told(*codes):
    validate(DISTRICT, codes)
    return open_findings()


@pytest.mark.rows("G-22")
def test_an_overlap_is_told_with_its_piece_alone(bare_ground):
    pair = bare_ground.parcel(box(0, 0, 100, 100)), bare_ground.parcel(box(98, 0, 200, 100))
    assert told("4-overlap", "4-contained", "4-equal") == {("4-overlap", "parcels", pair)}
    found = Finding.objects.get()
    assert found.measure == pytest.approx(200, rel=1e-3)
    assert (found.uom, found.severity, found.street_id) == ("m2", "error", "120104001")
    assert shapely.hausdorff_distance(metres(found.geom), box(98, 0, 100, 100)) < 0.001


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (box(100, 100, 200, 200), "a corner touch"),
        (box(99.99, 0, 200, 100), "a mis-snap of 1 cm along 100 m: 1 m² that is 1 cm wide"),
        (box(99.5, 0, 101, 1.9), "0.95 m² that are wide enough"),
        (box(100, 0, 200, 100), "a shared edge"),
    ],
)
def test_noise_between_neighbours_is_no_finding(bare_ground, other, why):
    bare_ground.parcel(box(0, 0, 100, 100))
    bare_ground.parcel(other)
    assert told("4-overlap", "4-contained", "4-equal") == set(), why


def test_a_t_junction_on_a_straight_edge_is_neither_overlap_nor_gap(bare_ground):
    bare_ground.patch(
        shapely.Polygon([(510_000, 4_330_000), (510_900, 4_330_050), (510_900, 4_330_300), (510_000, 4_330_300)])
    )
    bare_ground.patch(
        shapely.Polygon([(510_000, 4_329_800), (510_450, 4_329_800), (510_450, 4_330_025), (510_000, 4_330_000)])
    )
    bare_ground.patch(
        shapely.Polygon([(510_450, 4_329_800), (510_900, 4_329_800), (510_900, 4_330_050), (510_450, 4_330_025)])
    )
    assert told("4-overlap", "4-contained", "4-equal", "4-gap") == set()


def test_a_shape_inside_another_and_the_same_shape_twice_are_told_as_such_and_only_so(bare_ground):
    outer, inner = bare_ground.parcel(box(0, 0, 100, 100)), bare_ground.parcel(box(40, 40, 60, 60))
    twins = bare_ground.parcel(box(300, 0, 400, 100)), bare_ground.parcel(box(300, 0, 400, 100))
    speck = bare_ground.parcel(box(10, 10, 10.5, 10.5))
    assert told("4-overlap", "4-contained", "4-equal") == {
        ("4-contained", "parcels", (outer, inner)),
        ("4-contained", "parcels", (outer, speck)),
        ("4-equal", "parcels", twins),
    }
    said = Finding.objects.get(subjects=[outer, inner])
    assert said.details["told"]["parts"]["one"] == inner
    assert said.measure == pytest.approx(400, rel=1e-3)


def test_a_shape_inside_another_that_shares_an_edge_or_pokes_out_a_centimetre_is_inside(bare_ground):
    outer, inner = bare_ground.parcel(box(0, 0, 100, 100)), bare_ground.parcel(box(80, 0, 100.01, 20))
    assert told("4-overlap", "4-contained") == {("4-contained", "parcels", (outer, inner))}


def test_overlaps_of_buildings_and_control_areas_warn_and_of_two_kinds_say_nothing(bare_ground):
    houses = bare_ground.building(box(0, 0, 20, 20)), bare_ground.building(box(15, 0, 30, 20))
    parks = bare_ground.control(box(0, 0, 100, 100)), bare_ground.control(box(90, 0, 200, 100))
    bare_ground.control(box(0, 0, 100, 100), kind="hazard")
    bare_ground.control(box(0, 0, 100, 100), edition="2")
    assert told("4-overlap", "4-equal", "4-contained") == {
        ("4-overlap", "buildings", houses),
        ("4-overlap", "control-areas", parks),
    }
    assert set(Finding.objects.values_list("severity", flat=True)) == {"warning"}
    assert validate(DISTRICT, ["4-overlap"])["errors"] == 0


def test_overlapping_units_and_legacy_land_are_errors(bare_ground):
    units = [bare_ground.unit(box(0, 0, 100, 100)).code, bare_ground.unit(box(50, 0, 200, 100)).code]
    bare_ground.unit(box(50, 0, 200, 100), state="deleted")
    lands = bare_ground.legacy(box(0, 0, 50, 50)), bare_ground.legacy(box(40, 0, 90, 50))
    assert told("4-overlap", "4-equal") == {
        ("4-overlap", "units", tuple(units)),
        ("4-overlap", "legacy", lands),
    }
    assert set(Finding.objects.values_list("severity", flat=True)) == {"error"}


def test_a_broken_shape_is_told_and_stops_no_other_check(bare_ground):
    cover = bare_ground.cover(2, 2)
    bow = shapely.Polygon(
        [(510_300, 4_330_000), (510_400, 4_330_100), (510_400, 4_330_000), (510_300, 4_330_100), (510_300, 4_330_000)]
    )
    broken = bare_ground.patch(bow, area_m2=5000)
    over = bare_ground.patch(box(0, 0, 50, 50))
    assert told("4-invalid", "4-overlap", "4-contained", "4-gap", "4-equal") == {
        ("4-invalid", "patches", (broken,)),
        ("4-contained", "patches", tuple(sorted((cover[0, 0], over)))),
    }
    found = Finding.objects.get(code="4-invalid")
    assert "自相交" in found.sentence or "crosses itself" in found.sentence
    assert found.geom.geom_type == "Point"


@pytest.mark.rows("G-25")
def test_a_hole_of_the_cover_is_told_once_with_the_patches_around_it(ground):
    cover = ground.cover(10, 10, without={(5, 5)})
    around = tuple(sorted(cover[at] for at in ((4, 5), (6, 5), (5, 4), (5, 6))))
    assert told("4-gap", "5-uncovered") == {("4-gap", "patches", around)}
    assert Finding.objects.get().measure == pytest.approx(10_000, rel=1e-3)


def test_a_bay_at_the_edge_of_the_district_is_told_as_uncovered_and_not_as_a_hole(ground):
    cover = ground.cover(10, 10, without={(0, 5)})
    around = tuple(sorted(cover[at] for at in ((1, 5), (0, 4), (0, 6))))
    assert told("4-gap", "5-uncovered") == {("5-uncovered", "patches", around)}


def test_a_slit_does_not_open_a_hole_to_the_edge(ground):
    """A mis-snap of 2 cm runs from the rim to the hole: the hole stays a hole, and the slit is nothing."""
    cover = ground.cover(10, 10, without={(5, 5), (5, 6), (5, 7), (5, 8), (5, 9)})
    for row in (6, 7, 8, 9):
        cover[5, row] = ground.patch(box(500.02, row * 100, 600, row * 100 + 100))
    around = tuple(sorted(cover[at] for at in ((4, 5), (6, 5), (5, 4), (5, 6))))
    assert told("4-gap", "5-uncovered", "4-overlap") == {("4-gap", "patches", around)}


def test_an_island_in_a_hole_leaves_a_ring_of_gap(ground):
    ground.cover(10, 10, without={(5, 5)})
    ground.patch(box(520, 520, 580, 580))
    validate(DISTRICT, ["4-gap"])
    assert Finding.objects.get().measure == pytest.approx(10_000 - 3_600, rel=1e-3)


def test_what_reaches_out_of_the_district_is_told_with_the_piece_outside(ground):
    ground.parcel(box(0, 0, 100, 100))
    ground.parcel(box(-0.01, 200, 100, 300))  # 1 cm is noise
    out = ground.parcel(box(-10, 400, 100, 500))
    land = ground.legacy(box(990, 0, 1010, 20))
    assert told("5-outside-district") == {
        ("5-outside-district", "parcels", (out,)),
        ("5-outside-district", "legacy", (land,)),
    }
    assert Finding.objects.get(layer="parcels").measure == pytest.approx(1000, rel=1e-3)


def test_a_check_that_cannot_look_says_so_and_resolves_nothing(ground):
    ground.parcel(box(-10, 400, 100, 500))
    validate(DISTRICT)
    ground.district.geom = None
    ground.district.save()
    result = validate(DISTRICT)
    assert {"5-outside-district parcels", "5-uncovered patches", "4-gap patches"} <= set(result["skipped"])
    assert {one[0] for one in open_findings()} == {"5-outside-district"}


def test_names_that_are_no_check_no_layer_or_fit_each_other_not_are_errors(ground):
    with pytest.raises(UnknownName, match="4-overlpa"):
        validate(DISTRICT, ["4-overlpa"])
    with pytest.raises(UnknownName, match="parcel"):
        validate(DISTRICT, [], ["parcel"])
    with pytest.raises(UsageError):
        validate(DISTRICT, ["4-gap"], ["parcels"])
    with pytest.raises(UnknownName):
        validate("999999")


@pytest.mark.parametrize("seed", range(6))
def test_every_pair_that_a_comparison_of_all_with_all_finds_is_found(db, seed):
    """Rectangles thrown on a heap, some equal, some in each other, some only touching."""
    rng = np.random.default_rng(seed)
    ground = Ground()
    corners = rng.integers(0, 30, (60, 2)) * 10.0
    sizes = rng.integers(1, 5, (60, 2)) * 10.0
    shapes = [box(*low, *(low + size)) for low, size in zip(corners, sizes, strict=True)]
    ground.numbers["parcel"] = 0
    for shape in shapes:
        ground.parcel(shape)
    found = pairs(Sight(ground.district, ground.survey), "parcels")
    codes = list(Parcel.objects.order_by("code").values_list("code", flat=True))
    wanted = {
        (codes[one], codes[other])
        for one in range(60)
        for other in range(one + 1, 60)
        if shapely.area(shapely.intersection(shapes[one], shapes[other])) > 1
    }
    assert wanted
    assert {(codes[one], codes[other]) for one, other in zip(found.one, found.other, strict=True)} == wanted


def test_what_counts_is_wider_than_five_centimetres_and_more_than_a_square_metre():
    assert counting(shapely.box(0, 0, 100, 0.06)) is not None
    assert counting(shapely.box(0, 0, 100, 0.05)) is None
    assert counting(shapely.box(0, 0, 1, 1)) is None
    assert counting(shapely.box(0, 0, 1.001, 1)) is not None
    assert counting(shapely.MultiPolygon([shapely.box(0, 0, 1, 0.9), shapely.box(5, 0, 6, 0.9)])) is not None
