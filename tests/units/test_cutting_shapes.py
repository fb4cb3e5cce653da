"""Polygons are cut, and divided anew, so that what was not moved keeps its numbers and neighbours share each vertex."""

import numpy as np
import pytest
import shapely
from quarter import SRID, corners, degrees, rectangle, ring

from units.cutting import Uncut, cut_out, ground, moved, noded_alike, split, with_vertices
from units.spatial import CLUSTER_TOLERANCE

pytestmark = pytest.mark.rows("NK024")


def block(*box) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([rectangle(*box)])


def metres(*points) -> list[tuple[float, float]]:
    return [tuple(one) for one in degrees(points).tolist()]


def vertices(*shapes) -> set[tuple[float, float]]:
    return set(map(tuple, shapely.get_coordinates(np.array(shapes, dtype=object)).tolist()))


def sound(before, after) -> None:
    """A valid coverage of the same ground, to less than a tenth of what is asked."""
    assert shapely.is_valid(np.array(after, dtype=object)).all()
    assert shapely.coverage_is_valid(np.array(after, dtype=object))
    assert sum(map(ground, after)) == pytest.approx(sum(map(ground, before)), abs=0.001)


# --- split -------------------------------------------------------------------------------------------------------


def test_a_line_cuts_a_shape_in_two_and_only_where_it_crosses_are_there_new_vertices():
    whole = block(0, 0, 300, 200)
    bend = metres((120, 80))[0]
    pieces = split(whole, [*metres((50, -10)), bend, *metres((130, 230))], SRID)
    sound([whole], pieces)
    assert ground(pieces[0]) > ground(pieces[1])
    assert len(vertices(*pieces) - vertices(whole)) == 3
    assert bend in vertices(pieces[0]) & vertices(pieces[1])


def test_a_long_edge_that_is_divided_encloses_the_same_ground():
    # A straight line in degrees and the geodesic of an edge of two kilometres lie 6 cm apart in the middle.
    whole = block(0, 0, 2000, 2000)
    sound([whole], split(whole, metres((700, -10), (900, 2100)), SRID))


def test_a_line_along_stored_corners_gives_no_vertex_of_its_own():
    left, right = block(0, 0, 100, 100), block(100, 0, 250, 100)
    whole = shapely.MultiPolygon([shapely.coverage_union(left, right)])
    pieces = split(whole, metres((100, 0), (100, 100)), SRID)
    assert {piece.normalize().wkb for piece in pieces} == {left.normalize().wkb, right.normalize().wkb}


def test_a_line_that_crosses_three_times_makes_more_than_two_pieces():
    whole = shapely.MultiPolygon(
        [shapely.Polygon(ring((0, 0), (300, 0), (300, 100), (200, 100), (200, 50), (100, 50), (100, 100), (0, 100)))]
    )
    pieces = split(whole, metres((-10, 75), (310, 75)), SRID)
    assert len(pieces) == 3
    sound([whole], pieces)


def test_a_line_through_a_hole_leaves_two_pieces_and_no_hole():
    whole = shapely.MultiPolygon([shapely.Polygon(ring(*corners(0, 0, 100, 100)), [ring(*corners(40, 40, 60, 60))])])
    pieces = split(whole, metres((50, -5), (50, 105)), SRID)
    assert [len(part.interiors) for piece in pieces for part in piece.geoms] == [0, 0]
    sound([whole], pieces)


def test_parts_that_the_line_leaves_whole_stay_with_the_largest_piece_byte_for_byte():
    far = rectangle(500, 500, 520, 520)
    pieces = split(shapely.MultiPolygon([rectangle(0, 0, 100, 100), far]), metres((30, -5), (30, 105)), SRID)
    assert [len(piece.geoms) for piece in pieces] == [2, 1]
    assert far in list(pieces[0].geoms)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (((50, 50),), "line-too-short"),
        (((50, -10), (50, 60)), "line-does-not-cross"),
        (((-50, -10), (-50, 160)), "line-does-not-cross"),
        (((0, 0), (100, 0)), "line-does-not-cross"),
        (((10, -10), (90, 110), (90, -10), (10, 110)), "line-crosses-itself"),
    ],
)
def test_a_line_that_cuts_nothing_off_is_told_as_that(line, reason):
    with pytest.raises(Uncut) as caught:
        split(block(0, 0, 100, 100), metres(*line), SRID)
    assert caught.value.reason == reason
    assert reason in Uncut.REASONS


# --- cut out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "holes"), [((50, 50, 100, 80), 1), ((250, 150, 350, 250), 0), ((100, -10, 200, 210), 0)]
)
def test_what_a_ring_cuts_out_and_what_stays_fit_together(box, holes):
    whole = block(0, 0, 300, 200)
    stays, leaves = cut_out(whole, metres(*corners(*box)), SRID)
    sound([whole], [stays, leaves])
    assert sum(len(part.interiors) for part in stays.geoms) == holes


def test_a_ring_around_all_of_it_or_beside_it_is_told_as_that():
    with pytest.raises(Uncut, match="ring-holds-all"):
        cut_out(block(0, 0, 100, 100), metres(*corners(-10, -10, 110, 110)), SRID)
    with pytest.raises(Uncut, match="ring-outside"):
        cut_out(block(0, 0, 100, 100), metres(*corners(200, 0, 300, 100)), SRID)


# --- move an edge ------------------------------------------------------------------------------------------------


def test_a_common_edge_is_moved_for_both_and_its_ends_slide_along_the_outer_rim():
    left, right = block(0, 0, 100, 100), block(100, 0, 250, 100)
    after = moved([left, right], metres((100, 0), (100, 100)), metres((120, 7), (130, 90)), SRID)
    sound([left, right], after)
    assert list(map(ground, after)) == pytest.approx([12_500, 12_500], abs=0.1)
    assert vertices(left, right) <= vertices(*after)  # the outline of both together is as it was


def test_a_corner_that_three_units_share_goes_where_it_is_put_to_the_last_digit():
    left, right = block(0, 0, 100, 100), block(100, 0, 250, 100)
    above = with_vertices(block(0, 100, 250, 200), degrees([(100, 100)]), SRID)
    (to,) = metres((110, 120))
    after = moved([left, right, above], metres((100, 100)), [to], SRID)
    sound([left, right, above], after)
    assert all(to in vertices(one) for one in after)


def test_an_edge_may_be_moved_beyond_the_middle_of_its_neighbour():
    left, right = block(0, 0, 100, 100), block(100, 0, 110, 100)
    after = moved([left, right], metres((100, 0), (100, 100)), metres((5, 0), (5, 100)), SRID)
    assert list(map(ground, after)) == pytest.approx([500, 10_500], abs=0.1)
    sound([left, right], after)


@pytest.mark.parametrize(
    ("edge", "to", "reason"),
    [
        (((0, 0),), ((5, 5),), "edge-not-common"),
        (((100, 0), (100, 50)), ((400, 50), (400, 60)), "edge-crosses"),
        (((100, 0), (100, 50), (100, 100)), ((0, 50), (0, 60), (0, 70)), "edge-leaves-nothing"),
    ],
)
def test_an_edge_that_cannot_be_moved_so_is_told_as_that(edge, to, reason):
    middle = degrees([(100, 50)])
    shapes = [with_vertices(one, middle, SRID) for one in (block(0, 0, 100, 100), block(100, 0, 250, 100))]
    with pytest.raises(Uncut) as caught:
        moved(shapes, metres(*edge), metres(*to), SRID)
    assert caught.value.reason == reason


def test_units_that_overlap_have_no_common_edge():
    with pytest.raises(Uncut, match="edge-held-twice"):
        moved([block(0, 0, 100, 100), block(0, 0, 100, 100)], metres((0, 0)), metres((5, 5)), SRID)


# --- neighbours --------------------------------------------------------------------------------------------------


def test_a_vertex_of_the_one_is_put_into_the_straight_edge_of_the_other():
    whole, parts = block(0, 0, 100, 100), [block(100, 0, 200, 40), block(100, 40, 200, 100)]
    assert not shapely.coverage_is_valid(np.array([whole, *parts], dtype=object))
    after = noded_alike([whole, *parts], SRID)
    sound([whole, *parts], after)
    assert after[1:] == parts


def test_a_vertex_a_hair_beside_another_becomes_it_and_one_farther_off_stays():
    near = CLUSTER_TOLERANCE / 2
    one, other = block(0, 0, 100, 100), block(100 + near, 0, 200, 100)
    assert shapely.coverage_is_valid(np.array(noded_alike([one, other], SRID), dtype=object))
    far = block(100 + 5 * CLUSTER_TOLERANCE, 0, 200, 100)
    assert noded_alike([one, far], SRID) == [one, far]


def test_a_shape_that_gets_no_vertex_is_the_very_object():
    shape = block(0, 0, 100, 100)
    assert with_vertices(shape, degrees([(50, 50), (300, 0), (0, 0)]), SRID) is shape
