"""Polygons in memory: united so that edges are inherited, snapped, read as drawn, cut by each other."""

import math
from itertools import pairwise

import numpy as np
import pytest
import quarter
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quarter import SRID, rectangle

from units.geometry import (
    Malformed,
    boxes,
    counts,
    degrees_of,
    flat,
    inside,
    measures,
    polygons,
    rings_of,
    snapped,
    united,
)

pytestmark = pytest.mark.rows("NK024", "G-14")


def vertices(*shapes) -> set[tuple[float, float]]:
    return {tuple(point) for point in shapely.get_coordinates(list(shapes)).tolist()}


def exterior(shape) -> list[list[float]]:
    return shapely.get_coordinates(shape.exterior).tolist()


def polygon(*corners) -> shapely.Polygon:
    return shapely.Polygon(quarter.ring(*corners))


# --- uniting -----------------------------------------------------------------------------------------------------


def test_two_neighbours_become_one_polygon_of_their_own_vertices():
    a, b = rectangle(0, 0, 100, 100), rectangle(100, 0, 200, 100)
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert vertices(made.shape) == vertices(a, b)
    assert made.shape.area == pytest.approx(a.area + b.area, rel=1e-12)
    assert made.groups == [[0, 1]]
    assert not made.overlapping
    assert not made.gaps


def test_a_vertex_on_a_neighbours_straight_edge_leaves_no_gap():
    """Straight in metres is not straight in degrees: the corner of c lies 0.1 mm beside the long edge of a."""
    a = rectangle(0, 0, 1000, 100)
    b, c = rectangle(0, 100, 437, 200), rectangle(437, 100, 1000, 200)
    assert len(shapely.get_parts(shapely.union_all([a, b, c]))) > 1, "a plain union would do: this test shows nothing"
    made = united([a, b, c], SRID)
    assert len(made.shape.geoms) == 1
    assert not made.shape.geoms[0].interiors
    assert vertices(made.shape) <= vertices(a, b, c)
    assert made.groups == [[0, 1, 2]]
    assert not made.gaps


def test_vertices_nearer_than_the_cluster_tolerance_are_one_and_the_first_parcels_is_kept():
    a = rectangle(0, 0, 100, 100)
    b = polygon((100.0004, 0), (200, 0), (200, 100), (100.0004, 100))
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert vertices(made.shape) <= vertices(a, b)
    assert set(map(tuple, quarter.degrees([(100, 0), (100, 100)]).tolist())) <= vertices(made.shape)
    assert made.groups == [[0, 1]]


def test_a_sliver_of_two_centimetres_between_parcels_is_closed_and_told():
    ring = [
        rectangle(0, 0, 300, 100),
        rectangle(0, 200, 300, 300),
        rectangle(0, 100, 150, 200),
        rectangle(150.02, 100, 300, 200),
    ]
    made = united(ring, SRID)
    assert len(made.shape.geoms) == 1
    assert not made.shape.geoms[0].interiors
    assert made.gaps == [pytest.approx(2.0, rel=0.01)]
    assert vertices(made.shape) <= vertices(*ring)


def test_a_hole_that_is_land_is_kept():
    ring = [rectangle(x, y, x + 100, y + 100) for x in (0, 100, 200) for y in (0, 100, 200) if (x, y) != (100, 100)]
    made = united(ring, SRID)
    assert [len(part.interiors) for part in made.shape.geoms] == [1]
    assert not made.gaps
    assert vertices(made.shape) == vertices(*ring)


def test_islands_and_corner_touches_are_parts_of_their_own():
    a, b, c = rectangle(0, 0, 100, 100), rectangle(100, 100, 200, 200), rectangle(500, 0, 600, 100)
    made = united([a, b, c], SRID)
    assert len(made.shape.geoms) == 3
    assert made.groups == [[0], [1], [2]]


@pytest.mark.parametrize(("metres", "groups"), [(4.9, 2), (5.1, 1)])
def test_parcels_adjoin_by_five_metres_of_common_edge(metres, groups):
    a = rectangle(0, 0, 100, 100)
    b = polygon((100, 100 - metres), (200, 50), (200, 200), (100, 200))
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert len(made.groups) == groups


def test_parcels_that_overlap_are_told_and_covered_once():
    a, b = rectangle(0, 0, 100, 100), rectangle(90, 0, 200, 100)
    made = united([a, b], SRID)
    assert made.overlapping == [(0, 1)]
    assert made.shape.area == pytest.approx(shapely.union(a, b).area, rel=1e-12)
    assert made.groups == [[0, 1]]


def test_equal_parcels_are_told_as_overlapping():
    a = rectangle(0, 0, 100, 100)
    made = united([a, a], SRID)
    assert made.overlapping == [(0, 1)]
    assert made.shape.area == pytest.approx(a.area)


def test_a_parcel_of_two_parts_with_a_hole_is_united_whole():
    a = shapely.MultiPolygon(
        [
            shapely.Polygon(exterior(rectangle(0, 0, 100, 100)), [exterior(rectangle(20, 20, 60, 60))]),
            rectangle(300, 0, 400, 100),
        ]
    )
    b = rectangle(100, 0, 300, 100)
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert len(made.shape.geoms[0].interiors) == 1
    assert vertices(made.shape) == vertices(a, b)
    assert made.groups == [[0, 1]]


def test_one_parcel_alone_is_itself():
    a = rectangle(0, 0, 100, 100)
    assert united([a], SRID).shape.equals(shapely.MultiPolygon([a]))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_choice_of_a_cover_is_united_exactly(data):
    """A cover with bent edges and T-junctions: the union has stored vertices alone and the area of its parcels."""
    columns = data.draw(st.lists(st.integers(2, 40), min_size=2, max_size=5), label="widths")
    rows = data.draw(st.lists(st.integers(2, 40), min_size=2, max_size=4), label="heights")
    shift = data.draw(st.integers(0, 9), label="shift")
    cells = []
    south = 0.0
    for number, height in enumerate(rows):
        west = shift * (number % 2) * 1.0  # rows are shifted against each other: T-junctions
        for width in columns:
            cells.append(rectangle(west * 10, south * 10, (west + width) * 10, (south + height) * 10))
            west += width
        south += height
    chosen = [cells[one] for one in sorted(data.draw(st.sets(st.integers(0, len(cells) - 1), min_size=1)))]
    made = united(chosen, SRID)
    assert made.shape.is_valid
    assert not made.overlapping
    assert not made.gaps
    assert vertices(made.shape) <= vertices(*chosen)
    # In the plane, where these edges are straight; in degrees a vertex put into one moves it by a millimetre or two.
    assert measures(made.shape, SRID)[0] == pytest.approx(measures(chosen, SRID)[0].sum(), rel=1e-9)


# --- edges that were mis-snapped ---------------------------------------------------------------------------------


def test_two_parcels_two_centimetres_apart_are_one_part_and_the_gap_is_told():
    a, b = rectangle(0, 0, 100, 100), rectangle(100.02, 0, 200, 100)
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert made.groups == [[0, 1]]
    assert made.gaps == [pytest.approx(2.0, rel=0.01)]
    assert vertices(made.shape) <= vertices(a, b)


def test_an_edge_bent_by_two_centimetres_between_common_corners_is_closed_and_told():
    a = rectangle(0, 0, 100, 100)
    b = polygon((100, 0), (200, 0), (200, 100), (100, 100), (100.02, 50))
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert not made.shape.geoms[0].interiors
    assert made.groups == [[0, 1]]
    assert made.gaps == [pytest.approx(1.0, rel=0.01)]
    assert vertices(made.shape) <= vertices(a, b)


@pytest.mark.parametrize("metres", [-0.01, -0.04, 0.01, 0.04])
def test_a_common_edge_of_fifty_metres_that_is_off_by_centimetres_is_one(metres):
    a, b = rectangle(0, 0, 100, 100), rectangle(100 + metres, 25, 200, 75)
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert made.groups == [[0, 1]]
    assert not made.overlapping
    assert bool(made.gaps) == (metres > 0)


def test_a_slit_wider_than_five_centimetres_is_land():
    made = united([rectangle(0, 0, 100, 100), rectangle(100.08, 0, 200, 100)], SRID)
    assert len(made.shape.geoms) == 2
    assert not made.gaps


def test_three_parcels_that_meet_within_centimetres_are_one_without_a_hole():
    three = [rectangle(0, 0, 100, 100), rectangle(100.02, 0.01, 200, 100), rectangle(0.01, 100.02, 200, 200)]
    made = united(three, SRID)
    assert len(made.shape.geoms) == 1
    assert not made.shape.geoms[0].interiors
    assert made.groups == [[0, 1, 2]]
    assert made.gaps
    assert vertices(made.shape) <= vertices(*three)


def test_a_tapering_slit_is_closed_where_it_is_narrow_and_what_lies_beyond_keeps_its_corners():
    a = rectangle(0, 0, 100, 100)
    b = polygon((100, 0), (200, 0), (200, 150), (100.03, 150), (100.03, 100))
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert not made.shape.geoms[0].interiors
    assert vertices(made.shape) <= vertices(a, b)
    assert measures(made.shape, SRID)[0] == pytest.approx(measures([a, b], SRID)[0].sum(), abs=3)


def test_corners_that_are_not_mis_snapped_keep_their_place_beside_a_closed_slit():
    """b has corners every three centimetres along its top, where nothing adjoins."""
    a = rectangle(0, 0, 100, 100)
    b = polygon((100.02, 0), (200, 0), (200, 100), *((100.5 - 0.03 * n, 100 + 0.001 * (n % 2)) for n in range(17)))
    made = united([a, b], SRID)
    assert len(made.shape.geoms) == 1
    assert len(vertices(b) - vertices(made.shape)) <= 2
    assert made.shape.is_valid


def test_a_parcel_as_thin_as_a_slit_is_left_as_it_is():
    three = [rectangle(0, 0, 100, 100), rectangle(100.01, 0, 100.04, 100), rectangle(100.05, 0, 200, 100)]
    made = united(three, SRID)
    assert made.shape.is_valid
    assert made.shape.geoms[0].area > 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), min_size=24, max_size=24))
def test_a_cover_whose_every_corner_is_off_by_two_centimetres_is_one_part_without_a_hole(moves):
    moves = iter(moves)

    def off(*corners):
        return polygon(*((x + dx, y + dy) for (x, y), (dx, dy) in zip(corners, moves, strict=False)))

    cells = [
        off(*quarter.corners(x, y, x + 50, y + 40))
        for x, y in ((0, 0), (50, 0), (100, 0), (20, 40), (70, 40), (120, 40))
    ]
    made = united(cells, SRID)
    assert made.shape.is_valid
    assert len(made.shape.geoms) == 1
    assert not made.shape.geoms[0].interiors
    assert made.groups == [[0, 1, 2, 3, 4, 5]]
    assert measures(made.shape, SRID)[0] == pytest.approx(12_000, abs=25)


# --- snapping ----------------------------------------------------------------------------------------------------


def drawn(*corners) -> list:
    return [[[tuple(point) for point in quarter.ring(*corners)]]]


def test_a_vertex_near_a_corner_gets_the_very_numbers_of_the_corner():
    parcel = rectangle(0, 0, 100, 100)
    moved, snaps = snapped(drawn((0.3, 0.2), (99.8, -0.1), (100, 100.4), (0, 100)), [parcel], SRID, 0.5)
    assert {point for ring in moved[0] for point in ring} == vertices(parcel)
    assert [(one.index, one.kind) for one in snaps] == [(0, "vertex"), (1, "vertex"), (2, "vertex")]
    assert snaps[0].distance == pytest.approx(math.hypot(0.3, 0.2), abs=1e-4)
    assert moved[0][0][0] == moved[0][0][-1], "the ring stays closed"


def test_a_corner_is_preferred_to_an_edge_that_is_nearer():
    parcel = rectangle(0, 0, 100, 100)
    _moved, (snap,) = snapped(drawn((0.4, 0.01), (50, -50), (60, -50)), [parcel], SRID, 0.5)
    assert snap.kind == "vertex"
    assert snap.end in vertices(parcel)


def test_a_vertex_near_an_edge_lands_on_it_and_one_further_away_stays():
    parcel = rectangle(0, 0, 100, 100)
    moved, (snap,) = snapped(drawn((50, 0.4), (60, -0.6), (40, -30)), [parcel], SRID, 0.5)
    assert snap.kind == "edge"
    assert snap.distance == pytest.approx(0.4, abs=1e-3)
    landed = flat(np.array([snap.end]), SRID)[0] - quarter.ORIGIN
    assert landed == pytest.approx([50, 0], abs=1e-4)
    assert moved[0][0][1:3] == drawn((50, 0.4), (60, -0.6), (40, -30))[0][0][1:3]


def test_what_lies_on_a_corner_or_edge_already_is_left_alone():
    parcel = rectangle(0, 0, 100, 100)
    outline = [[[tuple(point) for point in exterior(parcel)]]]
    again, snaps = snapped(outline, [parcel], SRID, 0.5)
    assert not snaps
    assert again == outline
    once, (_snap,) = snapped(drawn((50, 0.4), (60, -30), (40, -30)), [parcel], SRID, 0.5)
    assert snapped(once, [parcel], SRID, 0.5) == (once, [])


def test_indices_count_over_parts_and_holes_without_closing_vertices():
    parts = [
        [quarter.ring((0, 0), (500, 0), (500, 500), (0, 500)), quarter.ring((100, 100), (200, 100), (200, 200))],
        [quarter.ring((600, 0), (700.2, 0.2), (650, 100))],
    ]
    parts = [[[tuple(point) for point in ring] for ring in rings] for rings in parts]
    _moved, (snap,) = snapped(parts, [rectangle(700, 0, 800, 100)], SRID, 0.5)
    assert (snap.index, snap.path) == (8, (1, 0, 1))


# --- reading -----------------------------------------------------------------------------------------------------

SQUARE = [[117.1, 39.1], [117.2, 39.1], [117.2, 39.2], [117.1, 39.1]]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "type"),
        ([], "type"),
        ("POLYGON((0 0))", "type"),
        ({"type": "Point", "coordinates": [1, 2]}, "type"),
        ({"type": "GeometryCollection", "geometries": []}, "type"),
        ({"type": "Polygon"}, "empty"),
        ({"type": "Polygon", "coordinates": []}, "empty"),
        ({"type": "Polygon", "coordinates": {}}, "empty"),
        ({"type": "Polygon", "coordinates": [[]]}, "empty"),
        ({"type": "MultiPolygon", "coordinates": []}, "empty"),
        ({"type": "MultiPolygon", "coordinates": [SQUARE]}, "position"),
        ({"type": "Polygon", "coordinates": SQUARE}, "position"),
        ({"type": "Polygon", "coordinates": [[[1]]]}, "position"),
        ({"type": "Polygon", "coordinates": [["a"]]}, "position"),
        ({"type": "Polygon", "coordinates": [[[117.1, 39.1, 3.0]]]}, "dimension"),
        ({"type": "Polygon", "coordinates": [[["117.1", 39.1]]]}, "number"),
        ({"type": "Polygon", "coordinates": [[[True, 39.1]]]}, "number"),
        ({"type": "Polygon", "coordinates": [[[None, 39.1]]]}, "number"),
        ({"type": "Polygon", "coordinates": [[[math.nan, 39.1]]]}, "number"),
        ({"type": "Polygon", "coordinates": [[[math.inf, 39.1]]]}, "number"),
        ({"type": "Polygon", "coordinates": [[[10**400, 39.1]]]}, "number"),
        ({"type": "Polygon", "coordinates": [SQUARE * 30]}, "vertices"),
    ],
)
def test_what_is_no_polygon_is_refused_with_its_reason(value, reason):
    with pytest.raises(Malformed) as caught:
        rings_of(value, 100)
    assert caught.value.reason == reason


def told(*rings) -> list[str]:
    shape, faults = polygons([[[tuple(point) for point in ring] for ring in rings]])
    assert (shape is None) == bool(faults)
    return [fault.code for fault in faults]


def test_an_outline_that_is_not_closed_is_not_closed_for_the_drawer():
    assert told(SQUARE[:-1] + [[117.1, 39.15]]) == ["not-closed"]


@pytest.mark.parametrize("ring", [SQUARE[:2], [SQUARE[0]] * 5, [SQUARE[0], SQUARE[1], SQUARE[0]]])
def test_two_corners_are_too_few(ring):
    assert told(ring) == ["too-few-corners"]


def test_a_bowtie_is_told_with_the_place_where_it_crosses():
    shape, (fault,) = polygons([[[(117.1, 39.1), (117.2, 39.2), (117.2, 39.1), (117.1, 39.2), (117.1, 39.1)]]])
    assert shape is None
    assert fault.code == "self-crossing"
    assert fault.at == pytest.approx((117.15, 39.15))


def test_a_hole_outside_its_outline_is_told():
    away = [[x + 1, y] for x, y in SQUARE]
    assert told(SQUARE, away) == ["hole-outside"]


def test_a_line_there_and_back_has_no_area():
    assert told([[117.1, 39.1], [117.2, 39.1], [117.3, 39.1], [117.1, 39.1]]) in (["no-area"], ["self-crossing"])


@pytest.mark.parametrize("corner", [(39.1, 117.1), (500_000.0, 4_330_000.0), (-117.1, 39.1)])
def test_swapped_axes_and_metres_are_outside_china(corner):
    assert told([corner, *SQUARE[1:3], corner]) == ["outside-china"]


def test_overlapping_parts_are_no_polygon():
    shape, faults = polygons([[exterior_tuples(0, 0, 100, 100)], [exterior_tuples(50, 50, 150, 150)]])
    assert shape is None
    assert faults[0].code == "self-crossing"


def exterior_tuples(*box):
    return [tuple(point) for point in exterior(rectangle(*box))]


def test_numerically_equal_neighbours_are_left_out_and_nothing_else_is():
    outline = exterior_tuples(0, 0, 100, 100)
    doubled = [point for point in outline for _twice in range(2)]
    shape, faults = polygons([[doubled]])
    assert not faults
    assert exterior(shape.geoms[0]) == [list(point) for point in outline]


def test_outer_rings_turn_against_the_clock_and_keep_their_vertices():
    outline = exterior_tuples(0, 0, 100, 100)[::-1]
    shape, _faults = polygons([[outline]])
    ring = exterior(shape.geoms[0])
    assert shapely.LinearRing(ring).is_ccw
    assert set(map(tuple, ring)) == set(outline)


# --- overlaying --------------------------------------------------------------------------------------------------


def test_a_touch_along_an_edge_leaves_nothing_inside():
    pieces, whole = inside([rectangle(100, 0, 200, 100)], rectangle(0, 0, 100, 100))
    assert pieces[0].is_empty
    assert not whole[0]


def test_pieces_are_polygons_alone_and_whole_is_said():
    by = shapely.MultiPolygon([rectangle(0, 0, 100, 100)])
    pieces, whole = inside([rectangle(1, 1, 50, 99), rectangle(50, 50, 150, 150), rectangle(300, 0, 310, 10)], by)
    assert whole.tolist() == [True, False, False]
    assert [piece.geom_type for piece in pieces] == ["Polygon", "Polygon", "MultiPolygon"]
    assert counts(pieces[1], SRID)


def test_the_boxes_of_a_shape_hold_all_of_it_and_a_thin_one_has_small_ones():
    long = polygon((0, 0), (1000, 980), (1000, 1000), (980, 1000))
    square = rectangle(2000, 0, 2100, 100)
    held = boxes(shapely.MultiPolygon([long, square]))
    assert shapely.union_all(list(held.geoms)).buffer(1e-9).covers(shapely.MultiPolygon([long, square]))
    assert held.geoms[-1].equals(shapely.box(*square.bounds))
    assert 8 <= len(held.geoms) <= 8 * 3 + 1


@pytest.mark.parametrize(("width", "counted"), [(0.01, False), (0.049, False), (0.12, True)])
def test_a_mis_snapped_edge_is_no_overlap(width, counted):
    """1 cm along 300 m is 3 m²: above the area, below the width (G-22, G-26)."""
    assert counts(rectangle(0, 0, 300, width), SRID) == counted


def test_a_square_below_one_square_metre_is_no_overlap():
    assert not counts(rectangle(0, 0, 0.99, 0.99), SRID)
    assert counts(rectangle(0, 0, 1.01, 1.01), SRID)


def test_degrees_and_metres_are_there_and_back():
    points = quarter.degrees([(0, 0), (123.456, 654.321)])
    back = np.column_stack(degrees_of(SRID).transform(*flat(points, SRID).T))
    assert np.abs(back - points).max() < 1e-12
    assert all(a != b for a, b in pairwise(map(tuple, points.tolist())))
