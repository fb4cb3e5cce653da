"""What is composed, what lies under it and what stands against it, on a drawn quarter."""

import json

import pytest
import quarter
import shapely
from django.utils import translation
from quarter import DISTRICT, OTHER_STREET, STREET, code, geojson, rectangle, ring

from units.composing import CONFIRMABLE, MOST_PARCELS, compose, drawing_districts, may_draw
from units.errors import NotAllowed, NotFound, UsageError
from units.models import Building, ControlArea, LandUsePatch, Parcel, RedevelopmentUnit, Survey, User
from units.rights import Grant

pytestmark = pytest.mark.rows("NK021", "NK024", "G-14", "G-22")

OFFICE = (Grant("R5", DISTRICT),)
STREET_OFFICE = (Grant("R2", DISTRICT, STREET),)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def land(db):
    quarter.build()


def united(*numbers, grants=OFFICE, **options):
    return compose(grants, DISTRICT, parcels=[code(number) for number in numbers], **options)


def drawn(*box, grants=OFFICE, **options):
    return compose(grants, DISTRICT, drawn=geojson(*box), **options)


def problems(made) -> dict[str, bool]:
    return {one.code: one.blocks for one in made.problems}


def states(made) -> dict[str, str]:
    return {member.code[-1]: member.state for member in made.members}


def unit(shape, state="draft", name="U1", street=STREET) -> RedevelopmentUnit:
    author, _made = User.objects.get_or_create(username="author")
    return RedevelopmentUnit.objects.create(
        district_id=DISTRICT,
        street_id=street,
        code=name,
        name=name,
        state=state,
        created_by=author,
        geom=quarter.stored(shape),
    )


# --- from parcels ------------------------------------------------------------------------------------------------


def test_five_parcels_are_united_and_exactly_these_are_listed_with_their_area(land):
    made = united(0, 1, 2, 3, 4)
    assert states(made) == dict.fromkeys("01234", "in")
    assert [member.share for member in made.members] == [1.0] * 5
    assert not any(member.cut for member in made.members)
    total = sum(Parcel.objects.filter(code__in=[code(n) for n in range(5)]).values_list("area_m2", flat=True))
    assert made.area_m2 == pytest.approx(total, abs=1e-3)
    assert problems(made) == {}
    assert made.street == STREET


def test_every_vertex_of_the_unit_is_one_that_is_stored(land):
    made = united(0, 1, 2, 3, 4, 5)
    stored = {
        point
        for shape in Parcel.objects.values_list("geom", flat=True)
        for part in shape.coords
        for line in part
        for point in line
    }
    told = made.told()["geometry"]["coordinates"]
    again = {tuple(point) for part in json.loads(json.dumps(told)) for line in part for point in line}
    assert again
    assert again <= stored


def test_an_island_is_refused_unless_it_is_confirmed(land):
    made = united(0, 2)
    assert problems(made) == {"parts": True}
    (problem,) = made.problems
    assert problem.parcels == (code(2),)
    assert problem.told()["confirm"]
    confirmed = united(0, 2, confirmed=["parts"])
    assert problems(confirmed) == {"parts": False}
    assert len(confirmed.shape.geoms) == 2


def test_a_corner_touch_is_an_island(land):
    assert problems(united(0, 4)) == {"parts": True}


def test_a_hole_names_the_parcel_that_lies_in_it(land):
    made = united(0, 1, 2, 3, 5, 6, 7, 8)
    assert problems(made) == {"holes": True}
    assert made.problems[0].parcels == (code(4),)
    assert code(4) in made.problems[0].sentence
    assert shapely.intersects(rectangle(100, 100, 200, 200), shapely.Point(made.problems[0].at))
    assert problems(united(0, 1, 2, 3, 5, 6, 7, 8, confirmed=["holes"])) == {"holes": False}


def test_a_neck_of_three_metres_is_told(land):
    quarter.parcel(20, shapely.Polygon(ring((300, 97), (400, 50), (400, 200), (300, 100))))
    made = united(2, 20)
    assert problems(made) == {"narrow": True}
    assert made.problems[0].parcels == (code(20),)


def test_a_parcel_that_is_itself_in_two_parts_is_named(land):
    two = shapely.MultiPolygon([rectangle(400, 0, 450, 50), rectangle(500, 0, 550, 50)])
    quarter.parcel(20, two)
    (problem,) = united(20).problems
    assert (problem.code, problem.parcels) == ("parts", (code(20),))
    assert "itself" in problem.sentence
    made = united(2, 20, confirmed=["parts"])
    assert [one.parcels for one in made.problems] == [(code(20),)]


def test_a_parcel_on_a_neck_does_not_lie_apart_and_is_asked_for_when_the_parts_are_confirmed(land):
    """0 and 1 adjoin, 20 hangs on 2 of the same row by a neck, 6 lies apart."""
    quarter.parcel(20, shapely.Polygon(ring((300, 97), (400, 50), (400, 200), (300, 100))))
    made = united(0, 1, 2, 20, 6)
    assert {one.code: one.parcels for one in made.problems} == {"parts": (code(6),), "narrow": (code(20),)}
    assert problems(united(0, 1, 2, 20, 6, confirmed=["parts"])) == {"parts": False, "narrow": True}
    assert problems(united(0, 1, 2, 20, 6, confirmed=["parts", "narrow"])) == {"parts": False, "narrow": False}


def test_the_largest_part_is_the_one_with_the_most_ground(land):
    quarter.parcel(20, rectangle(500, 0, 900, 400))
    assert united(0, 1, 2, 20).problems[0].parcels == (code(0), code(1), code(2))


def test_a_gap_of_two_centimetres_is_closed_told_and_blocks_nothing(land):
    quarter.parcel(20, rectangle(300.02, 0, 400, 100))
    made = united(2, 20)
    assert problems(made) == {"gaps": False}
    assert "1 gap" in made.problems[0].sentence
    assert "2.00 m²" in made.problems[0].sentence
    assert len(made.shape.geoms) == 1
    assert {member.share for member in made.held} == {1.0}


def test_an_overlap_of_a_centimetre_along_fifty_metres_is_no_reason_to_say_apart(land):
    quarter.parcel(20, rectangle(299.99, 25, 400, 75))
    assert problems(united(2, 20)) == {}


def test_what_cannot_be_confirmed_is_not_lifted_by_naming_it(land):
    made = united(0, 90, confirmed=["unknown-parcels", *CONFIRMABLE])
    assert problems(made) == {"unknown-parcels": True}
    assert made.unknown == [code(90)]


def test_a_parcel_of_another_street_is_as_unknown_to_a_street_office_as_one_that_is_not_there(land):
    made = united(7, 8, 90, grants=STREET_OFFICE)
    assert made.unknown == [code(8), code(90)]


def test_a_parcel_of_a_round_that_is_not_in_force_is_unknown(land):
    old = Survey.objects.create(district_id=DISTRICT, year=2021)
    Parcel.objects.create(survey=old, district_id=DISTRICT, code=code(70), geom=quarter.stored(rectangle(0, 0, 50, 50)))
    assert united(70).unknown == [code(70)]
    assert code(70) not in [member.code for member in united(0).members]


def test_no_parcel_at_all_is_a_problem_and_no_shape(land):
    made = united()
    assert problems(made) == {"no-parcels": True}
    assert made.told()["geometry"] is None


def test_overlapping_parcels_are_told_and_do_not_block(land):
    quarter.parcel(20, rectangle(290, 0, 400, 100))
    made = united(2, 20)
    assert problems(made) == {"parcels-overlap": False}
    assert made.area_m2 == pytest.approx(20_000, rel=1e-4)


def test_too_many_parcels_or_what_is_no_code_is_refused(land):
    with pytest.raises(UsageError):
        compose(OFFICE, DISTRICT, parcels=["A"] * (MOST_PARCELS + 1))
    for wrong in ("", "a b", "x" * 20, "1\0", 7):
        with pytest.raises(UsageError):
            compose(OFFICE, DISTRICT, parcels=[wrong])


# --- drawn -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("west", "state", "share"),
    [(40, "in", 0.6), (49, "in", 0.51), (51, "split", 0.49), (90, "split", 0.1)],
)
def test_a_parcel_is_in_with_its_centroid_and_half_of_it_else_split(land, west, state, share):
    made = drawn(west, 0, 100, 100)
    (member,) = (one for one in made.members if one.state != "touched")
    assert (member.state, member.cut) == (state, True)
    assert member.share == pytest.approx(share, abs=1e-4)
    assert problems(made) == {"split": False}
    assert member.inside_m2 == pytest.approx(member.share * member.parcel_m2, rel=1e-4)


def test_a_parcel_with_its_centroid_inside_and_less_than_half_is_split(land):
    """A cross through the middle of parcel 0 covers its centroid and 36 % of it."""
    arms = [(-50, 40), (40, 40), (40, -50), (60, -50), (60, 40), (150, 40), (150, 60), (60, 60), (60, 150)]
    arms += [(40, 150), (40, 60), (-50, 60)]
    made = compose(OFFICE, DISTRICT, drawn={"type": "Polygon", "coordinates": [ring(*arms)]})
    assert states(made)["0"] == "split"
    assert next(one.share for one in made.members if one.code == code(0)) == pytest.approx(0.36, abs=1e-3)


@pytest.mark.parametrize("size", [1e-5, 0.5, 0.99])
def test_a_shape_below_a_square_metre_is_none(land, size):
    assert problems(drawn(10, 10, 10 + size, 10 + size))["too-small"]


@pytest.mark.parametrize("side", [1e-10, 1e-13])
def test_a_dot_is_too_small_and_no_fault_of_ours(land, side):
    x, y = 117.125, 39.125
    dot = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    made = compose(OFFICE, DISTRICT, drawn={"type": "Polygon", "coordinates": [dot]})
    assert made.blocking
    json.dumps(made.told())


def test_a_thread_of_four_centimetres_is_too_small_and_so_is_one_beside_real_land(land):
    assert problems(drawn(0, 10, 300, 10.04))["too-small"]
    parts = [[ring(*quarter.corners(0, 0, 100, 100))], [ring(*quarter.corners(150, 0, 250, 0.04))]]
    made = compose(OFFICE, DISTRICT, drawn={"type": "MultiPolygon", "coordinates": parts})
    assert problems(made)["too-small"]
    assert "too-small" not in problems(drawn(10, 10, 11.1, 11.1))


def test_a_centimetre_over_the_edge_only_touches(land):
    made = drawn(0, 0, 100.01, 100)
    assert states(made)["0"] == "in"
    assert states(made)["1"] == "touched"
    assert made.held == [member for member in made.members if member.code == code(0)]
    assert problems(made) == {}


def test_shares_have_six_decimals_and_never_more_than_one(land):
    for made in (drawn(-10, -10, 233.3, 133.3), united(0, 1, 2)):
        for member in made.members:
            assert 0 <= member.share <= 1
            assert member.share == round(member.share, 6)


def test_holes_and_parts_that_were_drawn_are_kept_and_not_refused(land):
    outline = ring(*quarter.corners(0, 0, 300, 300))
    hole = ring(*quarter.corners(100, 100, 200, 200))
    island = ring(*quarter.corners(400, 0, 500, 100))
    made = compose(OFFICE, DISTRICT, drawn={"type": "MultiPolygon", "coordinates": [[outline, hole], [island]]})
    told = made.told()
    assert (told["parts"], told["holes"], told["vertices"]) == (2, 1, 12)
    assert not made.blocking
    assert made.area_m2 == pytest.approx(90_000, rel=1e-4)


def test_a_bowtie_is_told_with_its_place_and_has_no_shape(land):
    crossing = ring((0, 0), (100, 100), (100, 0), (0, 100))
    made = compose(OFFICE, DISTRICT, drawn={"type": "Polygon", "coordinates": [crossing]})
    assert problems(made) == {"self-crossing": True}
    assert made.shape is None
    assert made.told()["members"] == []
    middle = quarter.degrees([(50, 50)])[0]
    assert made.problems[0].at == pytest.approx(tuple(middle), abs=1e-7)


def test_what_lies_outside_the_district_blocks_a_drawn_shape_and_is_told_of_parcels(land):
    assert problems(drawn(900, 0, 1100, 100)) == {"outside-district": True}
    quarter.parcel(20, rectangle(950, 0, 1050, 100))
    assert problems(united(20)) == {"outside-district": False}
    assert "outside-district" not in problems(drawn(900, 0, 1000.02, 100)), "two centimetres are no overlap"


def test_the_land_use_below_is_shared_out_by_class(land):
    made = united(3, 6)
    assert [(row["dlbm"], row["dlmc"]) for row in made.land_use] == [("0601", "class 0601"), ("0701", "class 0701")]
    assert [row["share"] for row in made.land_use] == pytest.approx([0.5, 0.5], abs=1e-4)
    assert sum(row["area_m2"] for row in made.land_use) == pytest.approx(made.area_m2, rel=1e-4)


def test_patches_that_are_closed_to_the_reader_are_not_measured(land):
    surveys = Survey.objects.filter(state="in_force")
    surveys.update(state="loaded")
    LandUsePatch.objects.filter(dlbm="0601").update(street=OTHER_STREET)
    Survey.objects.update(state="in_force")
    assert [row["dlbm"] for row in united(3, 6, grants=STREET_OFFICE).land_use] == ["0701"]


def test_snapping_moves_onto_stored_corners_and_says_so(land):
    shape = {"type": "Polygon", "coordinates": [ring((0.3, 0.2), (99.8, -0.1), (100.2, 100.1), (-0.2, 99.9))]}
    made = compose(OFFICE, DISTRICT, drawn=shape, snap=True)
    assert states(made) == {"0": "in"}
    assert [one["kind"] for one in made.snaps] == ["vertex"] * 4
    stored = Parcel.objects.get(code=code(0)).geom.coords[0][0]
    assert {tuple(one["to"]) for one in made.snaps} == set(stored)
    assert {tuple(point) for point in shapely.get_coordinates(made.shape).tolist()} == set(stored)
    plain = compose(OFFICE, DISTRICT, drawn=shape)
    assert not plain.snaps
    assert shapely.get_coordinates(plain.shape).tolist() != shapely.get_coordinates(made.shape).tolist()


def test_a_street_office_snaps_to_no_parcel_that_it_may_not_see(land):
    shape = {"type": "Polygon", "coordinates": [ring((300.2, 300.2), (320, 310), (310, 320))]}
    assert compose(OFFICE, DISTRICT, drawn=shape, snap=True).snaps
    assert not compose(STREET_OFFICE, DISTRICT, drawn=shape, snap=True).snaps


# --- overlaps ----------------------------------------------------------------------------------------------------


def layers(made) -> list[tuple]:
    return [(one.layer, one.kind, one.code) for one in made.overlaps]


def test_a_quarter_is_a_conflict_and_a_centimetre_is_none(land):
    unit(rectangle(75, 0, 175, 100), name="U1")
    unit(rectangle(-50, 0, 0.01, 100), name="U2")
    made = united(0)
    assert layers(made) == [("units", "draft", "U1")]
    (overlap,) = made.overlaps
    assert overlap.area_m2 == pytest.approx(2500, rel=1e-3)
    assert overlap.share == pytest.approx(0.25, abs=1e-4)
    assert "2,500.0 m² (25.0%)" in overlap.sentence
    assert shapely.geometry.shape(overlap.geometry).area == pytest.approx(rectangle(75, 0, 100, 100).area, rel=1e-3)


def test_the_unit_that_is_edited_and_those_that_are_gone_are_no_conflict(land):
    shape = rectangle(0, 0, 100, 100)
    unit(shape, name="U1")
    unit(shape, name="U2", state="deleted")
    unit(shape, name="U3", state="amended")
    assert layers(united(0)) == [("units", "draft", "U1")]
    assert layers(united(0, unit="U1")) == []


def test_an_overlap_with_an_approved_unit_is_told_as_a_problem_that_does_not_block(land):
    unit(rectangle(50, 0, 150, 100), state="approved")
    assert problems(united(0)) == {"overlap-approved": False}


def test_a_unit_equal_to_or_containing_the_shape_is_an_overlap_too(land):
    unit(rectangle(0, 0, 100, 100), name="equal")
    unit(rectangle(-50, -50, 250, 250), name="around")
    unit(rectangle(10, 10, 20, 20), name="within")
    made = united(0)
    assert {one.code: round(one.share, 3) for one in made.overlaps} == {"equal": 1.0, "around": 1.0, "within": 0.01}


def test_legacy_land_is_told_with_its_code(land):
    quarter.legacy(rectangle(50, 50, 150, 150))
    made = united(0)
    assert layers(made) == [("legacy", "draft", "L1")]
    assert "L1" in made.overlaps[0].sentence


def test_what_the_reader_may_not_open_is_told_as_a_fact_and_nothing_more(land):
    quarter.legacy(rectangle(50, 50, 150, 150), street=OTHER_STREET, name="secret")
    quarter.legacy(rectangle(0, 0, 30, 30), street=OTHER_STREET, name="secret too")
    made = united(0, grants=STREET_OFFICE)
    (overlap,) = made.overlaps
    assert overlap.hidden
    assert overlap.layer == "legacy"
    assert {overlap.code, overlap.name, overlap.kind, overlap.area_m2, overlap.share, overlap.geometry} == {None}
    assert "secret" not in json.dumps(made.told())
    assert "by the river" not in json.dumps(made.told())
    assert not any(one.hidden for one in united(0).overlaps)


def test_who_draws_in_one_street_cannot_feel_for_what_lies_hidden_in_the_next(land):
    """Parcel 8, of another street, holds legacy land and a draft; a shape over it is told to lie outside alone."""
    bare = drawn(250, 250, 290, 290, grants=STREET_OFFICE).told()
    quarter.legacy(rectangle(210, 210, 290, 290), street=OTHER_STREET, name="secret")
    unit(rectangle(210, 210, 290, 290), name="secret", street=OTHER_STREET)
    assert drawn(250, 250, 290, 290, grants=STREET_OFFICE).told() == bare
    assert bare["overlaps"] == []
    both = drawn(150, 210, 250, 290, grants=STREET_OFFICE)
    assert problems(both)["outside-street"]
    assert both.overlaps == []
    assert {one.layer for one in drawn(250, 250, 290, 290).overlaps} == {"units", "legacy"}


def test_what_reaches_into_ones_own_street_is_told_as_a_fact(land):
    unit(rectangle(150, 210, 290, 290), name="secret", street=OTHER_STREET)
    assert [one.hidden for one in united(7, grants=STREET_OFFICE).overlaps] == [True]


def test_a_hidden_unit_is_not_found_out_by_naming_it_as_the_one_that_is_edited(land):
    unit(rectangle(50, 0, 150, 100), name="secret", street=OTHER_STREET)
    told = united(0, grants=STREET_OFFICE).told()
    assert united(0, grants=STREET_OFFICE, unit="secret").told() == told
    assert told["overlaps"]


def test_a_draft_of_the_next_district_is_not_felt_for_from_this_one(land):
    quarter.District.objects.create(code="120103", srid=quarter.SRID)
    author, _made = User.objects.get_or_create(username="author")
    RedevelopmentUnit.objects.create(
        district_id="120103",
        code="theirs",
        name="theirs",
        created_by=author,
        geom=quarter.stored(rectangle(1050, 0, 1150, 100)),
    )
    made = drawn(900, 0, 1100, 100)
    assert problems(made) == {"outside-district": True}
    assert made.overlaps == []


def test_control_areas_that_matter_and_are_in_force_are_told_by_kind(land):
    quarter.control("heritage", rectangle(50, 0, 300, 100), "old town")
    quarter.control("reservation", rectangle(0, 50, 100, 60), "road")
    quarter.control("heritage", rectangle(0, 0, 300, 100), "old edition", in_force=False)
    quarter.control("park", rectangle(0, 0, 300, 100), "no conflict")
    made = united(0)
    assert {(one.kind, one.name) for one in made.overlaps} == {("heritage", "old town"), ("reservation", "road")}
    unchecked = {kind.value for kind in made.unchecked}
    assert "ecological_red_line" in unchecked
    assert not unchecked & {"heritage", "reservation"}


@pytest.mark.rows("NK025")
def test_reservations_are_taken_off_the_net_area_once_where_they_overlap(land):
    assert united(0).net_m2 is None, "no reservation was delivered, so nobody can say"
    quarter.control("reservation", rectangle(0, 50, 100, 60), "road")
    quarter.control("reservation", rectangle(0, 55, 100, 65), "pipe")
    assert united(0).net_m2 == pytest.approx(8500, rel=1e-4)
    assert united(3).net_m2 == pytest.approx(united(3).area_m2)


def test_the_development_boundary_counts_where_the_unit_lies_outside_it(land):
    assert "development_boundary" in {kind.value for kind in united(0).unchecked}
    quarter.control("development_boundary", rectangle(-500, -500, 60, 500))
    quarter.control("development_boundary", rectangle(60, -500, 70, 500), "C2")
    (overlap,) = united(0).overlaps
    assert overlap.kind == "development_boundary"
    assert overlap.area_m2 == pytest.approx(3000, rel=1e-3)
    assert "outside" in overlap.sentence
    assert united(3, 6, 0, confirmed=[]).overlaps[0].area_m2 == pytest.approx(9000, rel=1e-3)
    quarter.control("development_boundary", rectangle(70, -500, 500, 500), "C3")
    assert not united(0).overlaps


def test_a_unit_wholly_outside_the_boundary_is_told_so(land):
    quarter.control("development_boundary", rectangle(-900, -900, -500, -500))
    (overlap,) = united(0).overlaps
    assert overlap.share == 1.0


def test_a_control_area_that_is_not_valid_is_measured_all_the_same(land):
    bowtie = shapely.Polygon(ring((0, 0), (100, 100), (100, 0), (0, 100)))
    quarter.control("hazard", bowtie, "slope")
    (overlap,) = united(0).overlaps
    assert overlap.area_m2 == pytest.approx(5000, rel=1e-3)


# --- who may -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grants", "may"),
    [
        ((), []),
        ((Grant("R1", DISTRICT),), [DISTRICT]),
        ((Grant("R1"),), [DISTRICT]),
        ((Grant("R2", DISTRICT, STREET),), [DISTRICT]),
        ((Grant("R2", None, STREET),), [DISTRICT]),
        ((Grant("R5", DISTRICT),), [DISTRICT]),
        ((Grant("R5", "120103"),), []),
        *(((Grant(f"R{number}", DISTRICT),), []) for number in (3, 4, 6, 7, 8, 9, 10)),
    ],
)
def test_analysts_street_offices_and_the_task_force_draw(land, grants, may):
    assert drawing_districts(grants) == may
    if may:
        assert compose(grants, DISTRICT, parcels=[code(0)]).shape is not None
    else:
        with pytest.raises(NotAllowed):
            compose(grants, DISTRICT, parcels=[code(0)])


def test_a_street_office_draws_in_its_own_street_alone():
    assert may_draw(STREET_OFFICE, DISTRICT, STREET)
    assert not may_draw(STREET_OFFICE, DISTRICT, OTHER_STREET)
    assert not may_draw(STREET_OFFICE, DISTRICT, None)
    assert may_draw(OFFICE, DISTRICT, None)
    assert not may_draw(OFFICE, "120103", None)


def test_a_shape_over_another_streets_parcel_blocks_a_street_office_and_hides_the_parcel(land):
    made = drawn(150, 250, 250, 300, grants=STREET_OFFICE)
    assert problems(made)["outside-street"]
    assert states(made) == {"7": "split"}
    assert made.told()["hidden"] == 1
    assert code(8) not in json.dumps(made.told())
    assert "outside-street" not in problems(drawn(150, 250, 250, 300))


def test_a_shape_without_parcels_belongs_to_the_street_whose_boundary_holds_it(land):
    quarter.Street.objects.filter(code=STREET).update(geom=quarter.stored(rectangle(400, 0, 900, 900)))
    assert drawn(500, 100, 600, 200).street == STREET
    assert problems(drawn(500, 100, 600, 200, grants=STREET_OFFICE)) == {}
    assert problems(drawn(350, 100, 600, 200, grants=STREET_OFFICE)) == {"outside-street": True}


def test_a_street_office_draws_over_its_own_road_and_not_over_the_next_streets(land):
    """Both streets have land without parcels, east of the quarter: a road."""
    quarter.Street.objects.filter(code=STREET).update(geom=quarter.stored(rectangle(0, 0, 500, 200)))
    quarter.Street.objects.filter(code=OTHER_STREET).update(geom=quarter.stored(rectangle(500, 0, 900, 300)))
    assert problems(drawn(200, 0, 450, 100, grants=STREET_OFFICE)) == {}
    assert problems(drawn(200, 0, 500.03, 100, grants=STREET_OFFICE)) == {}, "three centimetres are no other street"
    assert problems(drawn(200, 0, 700, 100, grants=STREET_OFFICE)) == {"outside-street": True}
    assert problems(drawn(400, 0, 500.03, 100, grants=STREET_OFFICE)) == {}
    assert problems(drawn(200, 0, 700, 100)) == {}


def test_a_parcel_of_ones_street_is_ones_own_where_it_reaches_over_the_boundary(land):
    quarter.Street.objects.filter(code=STREET).update(geom=quarter.stored(rectangle(0, 0, 290, 300)))
    assert problems(united(2, grants=STREET_OFFICE)) == {}
    assert problems(drawn(250, 0, 310, 100, grants=STREET_OFFICE))["outside-street"]


def test_where_no_boundary_of_the_street_is_known_only_its_parcels_are_its_ground(land):
    assert problems(united(2, grants=STREET_OFFICE)) == {}
    assert problems(drawn(200, 0, 350, 100, grants=STREET_OFFICE)) == {"outside-street": True}


def test_a_district_without_a_survey_in_force_says_so(land):
    Survey.objects.update(state="retired")
    with pytest.raises(NotFound):
        united(0)


# --- planned use, reservations, budget ---------------------------------------------------------------------------


def plan(kind, use, box, far=None, **more):
    area = quarter.control(kind, rectangle(*box), name=f"{use}-{box[0]}-{box[1]}", **more)
    ControlArea.objects.filter(pk=area.pk).update(
        use=use, use_scheme="ydyh2023", extra={"RJLSX": far} if far is not None else {}
    )


def planned_of(made, level):
    (found,) = [one for one in made.planned if one["level"] == level]
    return found


@pytest.mark.rows("G-11", "NK022")
def test_the_shares_of_planned_uses_are_told_by_level_and_what_was_not_delivered_is_said(land):
    made = united(0, 1, 2)
    assert [one["delivered"] for one in made.planned] == [False, False]
    assert made.budget["allowed"] is None
    plan("block_plan", "1001", (-100, -100, 150, 300))
    plan("plot_plan", "0701", (0, 0, 100, 300), far=2.0)
    plan("plot_plan", "1001", (100, 0, 200, 300), far=1.5)
    made = united(0, 1, 2)
    block, plots = planned_of(made, "block_plan"), planned_of(made, "plot_plan")
    assert block["editions"] == ["2024"]
    assert [(one["use"], one["share"]) for one in block["uses"]] == [("1001", pytest.approx(0.5, abs=1e-5))]
    assert {one["use"]: round(one["share"], 4) for one in plots["uses"]} == {"0701": 0.3333, "1001": 0.3333}
    assert [one["far"] for one in plots["uses"]] == [[2.0], [1.5]]
    assert plots["covered_share"] == pytest.approx(2 / 3, abs=1e-5)
    # The survey has 0701 below all of it: what is planned as 1001 is used otherwise.
    assert plots["differs_m2"] == pytest.approx(10_000, rel=1e-3)
    assert plots["conflicts"] is None, "nobody has proposed a use yet"
    assert made.budget["allowed"]["floor_m2"] == pytest.approx(35_000, rel=1e-3)
    assert made.budget["allowed"]["level"] == "plot_plan"


@pytest.mark.rows("G-11")
def test_a_conflict_is_ground_that_is_neither_used_nor_proposed_as_planned(land):
    plan("plot_plan", "1001", (0, 0, 100, 100))
    plan("plot_plan", "0901", (100, 0, 200, 100))
    drawn_one = unit(rectangle(0, 0, 200, 100))
    RedevelopmentUnit.objects.filter(pk=drawn_one.pk).update(
        requirements={"plots": [{"plot": "A", "use": "09", "m2": 10_000.0, "far": 1.0, "floor_m2": None}]}
    )
    plots = planned_of(united(0, 1, unit="U1"), "plot_plan")
    assert plots["differs_m2"] == pytest.approx(20_000, rel=1e-3)
    (conflict,) = plots["conflicts"]
    assert conflict["use"] == "1001"
    assert conflict["area_m2"] == pytest.approx(10_000, rel=1e-3)
    assert "neither used so nor proposed so" in conflict["sentence"]
    assert shapely.geometry.shape(conflict["geometry"]).area > 0
    assert {one["use"]: one["proposed"] for one in plots["uses"]} == {"1001": False, "0901": True}
    assert united(0, 1).budget["record"] is None, "of a unit that is not edited nothing is told"
    assert united(0, 1, unit="U1").budget["record"]["floor_m2"] == 10_000
    hidden = drawn(0, 0, 200, 100, unit="U1", grants=(Grant("R1", DISTRICT, OTHER_STREET),))
    assert hidden.budget["record"] is None, "nor to who may not see it"


@pytest.mark.rows("G-11")
def test_areas_of_a_plan_that_lie_over_each_other_count_once(land):
    plan("plot_plan", "0701", (0, 0, 100, 100), far=2.0)
    plan("plot_plan", "1001", (50, 0, 100, 100), far=1.5)
    made = united(0)
    plots = planned_of(made, "plot_plan")
    assert plots["twice_m2"] == pytest.approx(5_000, rel=1e-3)
    assert plots["covered_m2"] == pytest.approx(10_000, rel=1e-3)
    assert made.budget["allowed"]["ground_m2"] == pytest.approx(10_000, rel=1e-3)
    assert made.budget["allowed"]["floor_m2"] == pytest.approx(17_500, rel=1e-3), "the lower limit counts"


@pytest.mark.rows("G-12")
def test_what_is_reserved_is_told_by_kind_and_taken_off_the_ground_that_counts(land):
    plan("plot_plan", "0701", (0, 0, 100, 100), far=2.0)
    for kind, box in (("road", (0, 0, 10, 100)), ("road", (5, 0, 15, 100)), ("green", (90, 0, 100, 100))):
        area = quarter.control("reservation", rectangle(*box), name=f"{kind}{box[0]}")
        ControlArea.objects.filter(pk=area.pk).update(extra={"KZLX": kind})
    made = united(0)
    told = {one["kind"]: one for one in made.reservations}
    assert told["road"]["area_m2"] == pytest.approx(1_500, rel=1e-3)  # the two overlap
    assert told["green"]["area_m2"] == pytest.approx(1_000, rel=1e-3)
    assert "are reserved: road" in told["road"]["sentence"]
    assert told["road"]["geometry"]["type"] in ("Polygon", "MultiPolygon")
    assert made.net_m2 == pytest.approx(7_500, rel=1e-3)
    assert made.budget["allowed"]["ground_m2"] == pytest.approx(7_500, rel=1e-3)
    assert made.budget["allowed"]["floor_m2"] == pytest.approx(15_000, rel=1e-3)


@pytest.mark.rows("NK025")
def test_a_record_that_wants_more_floor_than_the_plan_allows_is_told_by_how_much(land):
    plan("plot_plan", "0701", (0, 0, 100, 100), far=2.0)
    drawn_one = unit(rectangle(0, 0, 100, 100))

    def beyond(total):
        RedevelopmentUnit.objects.filter(pk=drawn_one.pk).update(requirements={"total_floor_m2": total})
        return united(0, unit="U1").budget["beyond_m2"]

    assert beyond(21_000.0) == pytest.approx(1_000, abs=30)
    assert beyond(19_900.0) is None
    assert beyond(None) is None
    ControlArea.objects.update(extra={})  # no limit was delivered: nobody can say
    assert beyond(21_000.0) is None


@pytest.mark.rows("NK033")
def test_floor_area_now_is_of_the_buildings_whose_centre_lies_inside(land):
    assert united(0).budget["now"]["floor_m2"] is None, "no building layer was delivered"
    survey = Survey.objects.get(state="in_force")
    for name, box, known in (
        ("in", (10, 10, 30, 30), {"floor_area_m2": 1_000}),
        ("estimated", (40, 10, 60, 30), {"floors": 3}),
        ("unknown", (70, 10, 90, 30), {}),
        ("beside", (90, 50, 130, 70), {"floor_area_m2": 5_000}),
        ("shed", (10, 60, 30, 80), {"floor_area_m2": 400, "temporary": True}),
    ):
        Building.objects.create(
            survey=survey,
            district_id=DISTRICT,
            street_id=STREET,
            code=name,
            geom=quarter.stored(rectangle(*box)),
            **known,
        )
    now = united(0).budget["now"]
    assert (now["buildings"], now["unknown"]) == (3, 1)
    assert now["estimated_m2"] == pytest.approx(1_200, rel=1e-3)
    assert now["floor_m2"] == pytest.approx(2_200, rel=1e-3)
    assert now["far"] == 0.22
