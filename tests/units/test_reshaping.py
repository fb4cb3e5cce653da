"""Units are split, cut out, merged and divided anew in one transaction, with their lineage, and each step goes back."""

import numpy as np
import pytest
import quarter
import shapely
import town
from django.db import DatabaseError, connection, transaction
from quarter import DISTRICT, OTHER_STREET, STREET, code, corners, degrees, rectangle

from units import lineage, reshaping
from units.adjoining import shape_of
from units.drafting import Drawing, delete, edit, restore, save, versions, whole
from units.errors import Impossible, NotAllowed, NotFound, Refused, Stale, Unfit, UsageError
from units.models import Lineage, RedevelopmentUnit, Reshaping
from units.reshaping import Named, cut, cut_out, merge, move_edge, undo
from units.rights import Role

pytestmark = pytest.mark.rows("NK024", "NK027", "NK054")
State = RedevelopmentUnit.State


@pytest.fixture
def land(db):
    quarter.build()


@pytest.fixture
def office(land):
    return town.scoped_user(Role.OFFICE, DISTRICT)


def metres(*points) -> list[tuple[float, float]]:
    return [tuple(one) for one in degrees(points).tolist()]


def united(by, name, *numbers) -> RedevelopmentUnit:
    return save(by, DISTRICT, name, Drawing(parcels=[code(number) for number in numbers]))


def now(unit) -> RedevelopmentUnit:
    return RedevelopmentUnit.objects.get(pk=unit.pk)


def members(unit) -> list[str]:
    return sorted(one.parcel.code[-1] for one in unit.members.select_related("parcel"))


def all_of_it(*units) -> list[tuple]:
    return [
        (one.code, one.name, one.state, bytes(one.geom.wkb), sorted(one.members.values_list("parcel", "share")))
        for one in map(now, units)
    ]


def is_coverage(*units) -> bool:
    return bool(shapely.coverage_is_valid(np.array([shape_of(now(one)) for one in units], dtype=object)))


# --- split -------------------------------------------------------------------------------------------------------


def test_a_split_keeps_the_code_for_the_largest_piece_and_the_others_get_codes_and_members_of_their_own(office):
    unit = united(office, "one", 0, 1, 2)
    made = cut(office, unit.code, 1, metres((100, 0), (100, 100)))
    kept, new = made.units
    assert (kept.code, kept.version, kept.name) == (unit.code, 2, "one")
    assert (new.code, new.version, new.name) == (f"{DISTRICT}DY0002", 1, "one-2")
    assert (members(kept), members(new)) == (["1", "2"], ["0"])
    # The line ran along the parcels' edge, so both are made of whole parcels still, with edges inherited.
    assert (whole(now(kept)), whole(now(new))) == ([code(1), code(2)], [code(0)])
    assert shape_of(now(new)).normalize() == shapely.MultiPolygon([rectangle(0, 0, 100, 100)]).normalize()
    assert kept.area_m2 + new.area_m2 == pytest.approx(unit.area_m2, abs=0.001)
    assert versions(now(kept))[0]["action"] == versions(now(new))[0]["action"] == "split"


def test_a_line_across_a_parcel_leaves_each_unit_its_share_of_it(office):
    unit = united(office, "one", 0, 1)
    made = cut(office, unit.code, 1, metres((130, -5), (130, 105)), names=["east"])
    assert [one.name for one in made.units] == ["one", "east"]
    shares = [float(one.members.get(parcel__code=code(1)).share) for one in made.units]
    assert shares == [pytest.approx(0.3, abs=1e-4), pytest.approx(0.7, abs=1e-4)]
    assert [problem.code for problem in made.problems] == ["split", "split"]


def test_snapping_puts_the_line_onto_the_parcels_edge(office):
    unit = united(office, "one", 0, 1)
    made = cut(office, unit.code, 1, metres((100.3, -0.2), (99.8, 100.2)), snap=True)
    assert [members(one) for one in made.units] in ([["0"], ["1"]], [["1"], ["0"]])
    assert is_coverage(*made.units)


def test_the_neighbours_edge_gets_the_vertex_of_the_cut_and_its_ground_stays(office):
    unit, above = united(office, "one", 0, 1), united(office, "above", 3, 4)
    made = cut(office, unit.code, 1, metres((130, -5), (130, 105)))
    assert [one.code for one in made.noded] == [above.code]
    assert now(above).version == 2
    assert now(above).area_m2 == pytest.approx(above.area_m2, abs=0.001)
    assert is_coverage(*made.units, above)
    assert versions(now(above))[0]["action"] == "noded"


def test_an_approved_neighbour_stays_as_it_was_approved(office):
    unit, above = united(office, "one", 0, 1), united(office, "above", 3, 4)
    RedevelopmentUnit.objects.filter(pk=above.pk).update(state=State.APPROVED)
    before = all_of_it(above)
    cut(office, unit.code, 1, metres((130, -5), (130, 105)))
    assert all_of_it(above) == before


@pytest.mark.parametrize("line", [((130, -5), (130, 50)), ((-50, 0), (-50, 100))])
def test_a_line_that_does_not_cut_is_refused_with_a_sentence_and_nothing_changes(office, line):
    unit = united(office, "one", 0, 1)
    with pytest.raises(Impossible) as caught:
        cut(office, unit.code, 1, metres(*line))
    assert caught.value.code == "reshape"
    assert str(caught.value.message)
    assert str(caught.value.hint)
    assert now(unit).version == 1
    assert Reshaping.objects.count() == 1


def test_a_piece_too_small_to_be_a_unit_is_refused_and_nothing_changes(office):
    unit = united(office, "one", 0, 1)
    before = all_of_it(unit)
    with pytest.raises(Unfit) as caught, transaction.atomic():
        cut(office, unit.code, 1, metres((0.01, -5), (0.01, 105)))
    assert caught.value.details["problems"][0]["code"] == "too-small"
    assert all_of_it(unit) == before
    assert RedevelopmentUnit.objects.count() == 1


def test_who_has_another_version_before_him_is_told_and_who_may_not_draw_here_is_refused(office):
    unit = united(office, "one", 0, 1)
    line = metres((130, -5), (130, 105))
    for wrong in ({"version": 2}, {"version": 1, "edition": 2}):
        with pytest.raises(Stale) as caught:
            cut(office, unit.code, line=line, **wrong)
        assert caught.value.details["theirs"]["version"] == 1
    with pytest.raises(UsageError):
        cut(office, unit.code, None, line)
    with pytest.raises((NotAllowed, NotFound)):
        cut(town.scoped_user(Role.STREET, DISTRICT, OTHER_STREET), unit.code, 1, line)
    with pytest.raises(NotAllowed):
        cut(town.scoped_user(Role.DISTRICT, DISTRICT), unit.code, 1, line)
    delete(office, unit.code, 1, "no")
    with pytest.raises(Refused):
        cut(office, unit.code, 2, line)


def test_a_street_office_splits_the_units_of_its_street(office):
    unit = united(office, "one", 0, 1)
    street = town.scoped_user(Role.STREET, DISTRICT, STREET)
    assert len(cut(street, unit.code, 1, metres((130, -5), (130, 105))).units) == 2


# --- cut out, merge, move ----------------------------------------------------------------------------------------


def test_what_is_cut_out_becomes_a_unit_where_it_is_named_and_else_leaves(office):
    unit = united(office, "one", 0, 1)
    made = cut_out(office, unit.code, 1, metres(*corners(40, 40, 60, 60)), name="yard")
    assert [one.name for one in made.units] == ["one", "yard"]
    assert sum(one.area_m2 for one in made.units) == pytest.approx(unit.area_m2, abs=0.001)
    assert len(shape_of(now(unit)).geoms[0].interiors) == 1
    assert is_coverage(*made.units)
    again = cut_out(office, unit.code, 2, metres(*corners(150, 50, 250, 120)))
    assert [one.code for one in again.units] == [unit.code]
    assert again.units[0].area_m2 == pytest.approx(unit.area_m2 - 400 - 2_500, abs=0.1)


def test_merging_keeps_the_first_and_deletes_the_others_which_are_kept(office):
    first, other = united(office, "one", 0), united(office, "two", 1, 2)
    made = merge(office, [Named(other.code, 1), Named(first.code, 1)], "both")
    assert (made.gone, [one.code for one in made.units]) == ([first.code], [other.code])
    assert (now(other).name, now(other).state, now(first).state) == ("both", "draft", "deleted")
    assert members(other) == ["0", "1", "2"]
    assert now(other).area_m2 == pytest.approx(first.area_m2 + other.area_m2, abs=0.001)
    assert whole(now(other)) == [code(0), code(1), code(2)]


def test_units_that_lie_apart_are_merged_only_when_that_is_meant(office):
    first, other = united(office, "one", 0), united(office, "two", 2)
    named = [Named(first.code, 1), Named(other.code, 1)]
    with pytest.raises(Unfit) as caught:
        merge(office, named)
    assert caught.value.details["problems"][0]["code"] == "parts"
    assert len(shape_of(merge(office, named, confirmed=["parts"]).units[0]).geoms) == 2


def test_a_code_with_an_approved_edition_does_not_end_in_another(office):
    first, other = united(office, "one", 0), united(office, "two", 1)
    RedevelopmentUnit.objects.filter(pk=other.pk).update(state=State.APPROVED)
    draft = now(other)
    draft.pk, draft.state, draft.edition, draft.version = None, State.DRAFT, 2, 1
    draft.save()
    with pytest.raises(Refused) as caught:
        merge(office, [Named(first.code, 1), Named(other.code, 1, 2)])
    assert caught.value.code == "approved"
    assert merge(office, [Named(other.code, 1, 2), Named(first.code, 1)]).units[0].edition == 2


def test_a_common_edge_is_moved_for_both_neighbours_and_their_ground_together_stays(office):
    left, right = united(office, "left", 0), united(office, "right", 1)
    made = move_edge(
        office,
        [Named(left.code, 1), Named(right.code, 1)],
        metres((100, 0), (100, 100)),
        metres((120, 0), (110, 100)),
    )
    assert [round(one.area_m2, 0) for one in made.units] == [11_500, 8_500]
    assert sum(one.area_m2 for one in made.units) == pytest.approx(left.area_m2 + right.area_m2, abs=0.001)
    assert is_coverage(left, right)
    assert members(left) == ["0", "1"]
    with pytest.raises(Impossible):
        move_edge(office, [Named(left.code, 2), Named(right.code, 2)], metres((0, 0)), metres((5, 5)))
    with pytest.raises(UsageError):
        move_edge(office, [Named(left.code, 2), Named(right.code, 2)], metres((120, 0)), [])
    with pytest.raises(UsageError):
        move_edge(office, [Named(left.code, 2), Named(left.code, 2)], metres((120, 0)), metres((110, 0)))


def test_a_unit_composed_beside_one_whose_parcels_are_finer_takes_and_gives_the_vertices(office):
    quarter.parcel(20, rectangle(300, 0, 400, 30))
    quarter.parcel(21, rectangle(300, 30, 400, 100))
    fine = united(office, "fine", 20, 21)
    coarse = united(office, "coarse", 2)
    assert is_coverage(fine, coarse)
    assert now(fine).version == 1  # it had the vertex; the new one took it
    delete(office, coarse.code, 1, "once more")
    delete(office, fine.code, 1, "once more")
    coarse = united(office, "coarse", 2)
    fine = united(office, "fine", 20, 21)
    assert now(coarse).version == 2  # a draft that stood gets the vertex of the new one
    assert is_coverage(fine, coarse)


# --- undo --------------------------------------------------------------------------------------------------------


def test_each_step_goes_back_to_the_last_byte_and_forward_again(office):
    left, right, above = united(office, "left", 0, 1), united(office, "right", 2), united(office, "above", 3, 4)
    start = all_of_it(left, right, above)
    steps = [cut(office, left.code, 1, metres((130, -5), (130, 105)))]
    first, second = steps[0].units
    steps.append(merge(office, [Named(second.code, second.version), Named(right.code, now(right).version)], "new"))
    pair = [now(first), now(second)]
    steps.append(
        move_edge(
            office,
            [Named(one.code, one.version) for one in pair],
            metres((130, 0)),
            metres((140, 0)),
        )
    )
    end = all_of_it(left, right, above, second)
    taken_back = [undo(office, step.operation.pk) for step in reversed(steps)]
    assert all_of_it(left, right, above) == start
    assert now(second).state == State.DELETED
    for step in reversed(taken_back):
        undo(office, step.operation.pk)
    assert all_of_it(left, right, above, second) == end


def test_drawing_and_editing_can_be_undone_too(office):
    unit = united(office, "one", 0)
    edit(office, unit.code, 1, "two", Drawing(parcels=[code(0), code(1)]))
    last, first = Reshaping.objects.order_by("-pk")[:2]
    undo(office, last.pk)
    assert (now(unit).name, members(unit)) == ("one", ["0"])
    assert undo(office, first.pk).gone == [unit.code]
    assert now(unit).state == State.DELETED


def test_what_was_changed_since_is_not_undone_and_nothing_is_undone_twice(office):
    unit = united(office, "one", 0, 1)
    step = cut(office, unit.code, 1, metres((130, -5), (130, 105))).operation
    edit(office, unit.code, 2, "other", Drawing())
    with pytest.raises(Refused) as caught:
        undo(office, step.pk)
    assert caught.value.code == "changed-since"
    edit(office, unit.code, 3, "one", Drawing())
    undo(office, step.pk)
    with pytest.raises(Refused) as caught:
        undo(office, step.pk)
    assert caught.value.code == "undone"
    with pytest.raises(NotFound):
        undo(office, 10**9)
    with pytest.raises(NotAllowed):
        undo(town.scoped_user(Role.STREET, DISTRICT, OTHER_STREET), Reshaping.objects.latest("pk").pk)


def test_a_unit_drawn_beside_meanwhile_keeps_the_coverage_valid_when_a_split_is_undone(office):
    unit = united(office, "one", 0, 1)
    step = cut(office, unit.code, 1, metres((130, -5), (130, 105))).operation
    above = united(office, "above", 3, 4)  # it takes the vertex of the cut
    undo(office, step.pk)
    assert is_coverage(unit, above)


def test_the_last_operations_say_who_did_what_and_whether_it_can_be_undone(office):
    unit = united(office, "one", 0, 1)
    cut(office, unit.code, 1, metres((130, -5), (130, 105)))
    told = reshaping.latest(office.grants(), DISTRICT, 10)
    assert [(one["kind"], one["undoable"], len(one["units"])) for one in told] == [
        ("split", True, 2),
        ("drawn", False, 1),
    ]
    assert told[0]["by"] == office.username
    assert reshaping.latest(town.scoped_user(Role.STREET, DISTRICT, OTHER_STREET).grants(), DISTRICT, 10) == []


# --- lineage -----------------------------------------------------------------------------------------------------


def test_a_code_resolves_to_what_stands_through_splits_merges_and_undoings(office):
    unit, other = united(office, "one", 0, 1), united(office, "two", 2)

    def of(one):
        return lineage.resolve("unit", DISTRICT, one.code)

    assert of(unit) == [unit.code]
    made = cut(office, unit.code, 1, metres((130, -5), (130, 105)))
    new = made.units[1]
    assert of(unit) == [unit.code, new.code]
    assert of(new) == [new.code]
    assert lineage.origins("unit", DISTRICT, new.code) == [unit.code]
    shares = Lineage.objects.filter(from_code=unit.code).values_list("share", flat=True)
    assert float(sum(shares)) == pytest.approx(1, abs=2e-6)
    step = merge(office, [Named(other.code, 1 if now(other).version == 1 else 2), Named(new.code, 1)])
    assert of(new) == [other.code]
    assert of(unit) == [unit.code, other.code]
    assert sorted(lineage.origins("unit", DISTRICT, other.code)) == sorted([unit.code, new.code])
    undo(office, step.operation.pk)
    assert (of(new), of(other)) == ([new.code], [other.code])
    undo(office, made.operation.pk)
    assert (of(unit), of(new)) == ([unit.code], [])


def test_a_code_that_is_used_again_is_not_mixed_up_with_what_came_of_it_before(land):
    for rows in ([("A", "B", "renumbered", 1)], [("C", "A", "renumbered", 1)]):
        lineage.note("parcel", DISTRICT, rows)
    codes = {"A": code(0), "B": code(1)}
    rows = [("X", codes["A"], "split", 0.5), ("X", codes["B"], "split", 0.5), (codes["A"], codes["B"], "merge", 1)]
    lineage.note("parcel", DISTRICT, rows)
    assert lineage._walk("parcel", DISTRICT, "C", forward=True) == ["C", "A"]
    assert lineage.resolve("parcel", DISTRICT, "X") == [codes["A"], codes["B"]]
    assert lineage.resolve("parcel", DISTRICT, "nothing") == []


@pytest.mark.parametrize("table", ["units_reshaping", "units_lineage"])
@pytest.mark.parametrize("change", ["UPDATE {} SET kind = kind", "DELETE FROM {}"])
def test_what_was_done_is_kept_for_ever(office, table, change):
    unit = united(office, "one", 0, 1)
    cut(office, unit.code, 1, metres((130, -5), (130, 105)))
    with (
        pytest.raises(DatabaseError, match="kept for ever|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(table))


def test_a_unit_that_is_brought_back_takes_the_vertices_that_came_meanwhile(office):
    unit, above = united(office, "one", 0, 1), united(office, "above", 3, 4)
    delete(office, unit.code, 1, "no")
    made = cut(office, above.code, 1, metres((130, 95), (130, 205)))
    restore(office, unit.code, 2)
    assert is_coverage(unit, *made.units)
