"""Drafts are saved, edited, deleted and brought back by whom they may, with their members and their author kept."""

import threading

import pghistory
import psycopg
import pytest
import quarter
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import IntegrityError, OperationalError, connection, transaction
from quarter import DISTRICT, OTHER_STREET, STREET, code, geojson, rectangle

from units.drafting import Drawing, delete, edit, found, may_change, restore, save, versions, whole
from units.errors import NotAllowed, NotFound, Refused, Stale, Unfit, UsageError
from units.models import Parcel, RedevelopmentUnit, Survey, UnitParcel
from units.moving import move
from units.recording import record
from units.rights import Grant, Role
from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH

pytestmark = pytest.mark.rows("NK024", "NK027", "NK054")
NOTHING = Drawing()


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second


@pytest.fixture
def land(db):
    quarter.build()


@pytest.fixture
def office(land):
    return town.scoped_user(Role.OFFICE, DISTRICT)


@pytest.fixture
def street_office(land):
    return town.scoped_user(Role.STREET, DISTRICT, STREET)


def parcels(*numbers, **options) -> Drawing:
    return Drawing(parcels=[code(number) for number in numbers], **options)


def shape(*box, **options) -> Drawing:
    return Drawing(drawn=geojson(*box), **options)


def members(unit) -> dict[str, float]:
    return {one.parcel.code[-1]: float(one.share) for one in unit.members.select_related("parcel")}


# --- saving ------------------------------------------------------------------------------------------------------


def test_a_draft_keeps_its_shape_its_parcels_its_street_its_survey_and_who_drew_it(office):
    quarter.control("plot_plan", rectangle(0, 0, 300, 300))
    unit = save(office, DISTRICT, "  一号单元 ", parcels(0, 1))
    unit = RedevelopmentUnit.objects.get(pk=unit.pk)
    assert (unit.state, unit.edition, unit.version, unit.name) == ("draft", 1, 1, "一号单元")
    assert members(unit) == {"0": 1.0, "1": 1.0}
    assert (unit.street_id, unit.base_survey_year, unit.created_by) == (STREET, 2022, office)
    assert unit.plan_editions == {"plot_plan": "2024"}
    stored = {point for one in Parcel.objects.filter(code__in=[code(0), code(1)]) for point in one.geom.coords[0][0]}
    assert set(unit.geom.coords[0][0]) == stored
    assert whole(unit) == [code(0), code(1)]
    (version,) = versions(unit)
    assert (version["by"], version["action"], version["edition"], version["version"]) == (
        office.username,
        "drawn",
        1,
        1,
    )


def test_a_drawn_unit_holds_what_it_covers_above_tolerance_with_the_share(office):
    unit = save(office, DISTRICT, "drawn", shape(0, 0, 150.0, 100.01))
    assert members(unit) == {"0": pytest.approx(1, abs=1e-4), "1": pytest.approx(0.5, abs=1e-4)}
    assert whole(unit) == []


def test_what_was_drawn_is_stored_to_the_last_digit(office):
    drawing = geojson(3.3, 4.4, 155.5, 96.6)
    unit = save(office, DISTRICT, "drawn", Drawing(drawn=drawing))
    ring = [list(point) for point in RedevelopmentUnit.objects.get(pk=unit.pk).geom.coords[0][0]]
    assert ring == drawing["coordinates"][0]


def test_codes_are_the_district_two_letters_and_a_number_that_is_never_given_twice(office):
    first, second = save(office, DISTRICT, "a", parcels(0)), save(office, DISTRICT, "b", parcels(1))
    assert (first.code, second.code) == (f"{DISTRICT}DY0001", f"{DISTRICT}DY0002")
    delete(office, second.code, 1, "wrong")
    assert save(office, DISTRICT, "c", parcels(2)).code == f"{DISTRICT}DY0003"


def test_a_code_of_ones_own_begins_with_the_district_and_is_taken_once(office):
    assert save(office, DISTRICT, "a", parcels(0), f"{DISTRICT}-A1").code == f"{DISTRICT}-A1"
    with pytest.raises(Refused):
        save(office, DISTRICT, "b", parcels(1), f"{DISTRICT}-A1")
    for wrong in ("A1", "120103-A1", f"{DISTRICT}", f"{DISTRICT}/A1", f"{DISTRICT}" + "x" * 40):
        with pytest.raises(UsageError):
            save(office, DISTRICT, "b", parcels(1), wrong)


@pytest.mark.parametrize("serial", ["DY999999999", "DY0001", "dy7", "DY" + "9" * 30, "DYX"])
def test_codes_that_are_given_here_cannot_be_taken(office, serial):
    with pytest.raises(UsageError):
        save(office, DISTRICT, "a", parcels(0), DISTRICT + serial)
    assert save(office, DISTRICT, "a", parcels(0)).code == f"{DISTRICT}DY0001"


@pytest.mark.parametrize("serial", ["999999999", "9999999999", "9" * 32, "999999"])
def test_an_odd_code_that_stands_already_does_not_stop_the_numbering(office, serial):
    first = save(office, DISTRICT, "a", parcels(0))
    RedevelopmentUnit.objects.filter(pk=first.pk).update(code=f"{DISTRICT}DY{serial}")
    codes = [save(office, DISTRICT, "b", parcels(1)).code for _time in range(3)]
    start = 1_000_000 if serial == "999999" else 1
    assert codes == [f"{DISTRICT}DY{number:04d}" for number in range(start, start + 3)]


def test_a_street_office_cannot_feel_for_codes_of_units_that_it_may_not_see(office, street_office):
    save(office, DISTRICT, "a", parcels(8), f"{DISTRICT}-A1")
    for own in (f"{DISTRICT}-A1", f"{DISTRICT}-A2"):
        with pytest.raises(NotAllowed):
            save(street_office, DISTRICT, "b", parcels(0), own)


def test_a_code_that_is_taken_is_told_as_that_and_not_as_a_fault_of_the_shape(office, monkeypatch):
    first = save(office, DISTRICT, "a", parcels(0))
    monkeypatch.setattr("units.drafting.next_code", lambda district: first.code)
    with pytest.raises(Refused) as caught:
        save(office, DISTRICT, "b", parcels(1))
    assert caught.value.code == "taken"
    assert "units_" not in str(caught.value)


def test_a_shape_that_the_database_refuses_is_told_without_its_words(office, monkeypatch):
    monkeypatch.setattr("units.composing._without_size", lambda made: False)
    with pytest.raises(Unfit) as caught:
        save(office, DISTRICT, "dot", shape(10, 10, 10.5, 10.5))
    assert "unit_has_size" in str(caught.value)
    assert "violates" not in str(caught.value)


@pytest.mark.parametrize("box", [(10, 10, 10.9, 10.9), (10, 10, 200, 10.04)])
def test_a_unit_without_size_is_saved_by_nobody(office, box):
    with pytest.raises(Unfit):
        save(office, DISTRICT, "dot", shape(*box))
    unit = save(office, DISTRICT, "land", parcels(0))
    with pytest.raises(IntegrityError, match="unit_has_size"), transaction.atomic():
        RedevelopmentUnit.objects.filter(pk=unit.pk).update(geom=quarter.stored(rectangle(*box)))


def test_a_unit_of_parcels_that_lie_two_centimetres_apart_is_still_one_of_parcels(office):
    quarter.parcel(20, rectangle(300.02, 0, 400, 100))
    quarter.parcel(21, rectangle(399.99, 0, 500, 100))
    assert whole(save(office, DISTRICT, "a", parcels(2, 20, 21))) == [code(2), code(20), code(21)]


def test_two_who_save_at_once_get_two_codes(own_database):
    quarter.build()
    user = town.scoped_user(Role.OFFICE, DISTRICT)
    made, started = [], threading.Barrier(2)

    def draw(number):
        try:
            started.wait(10)
            made.append(save(user, DISTRICT, f"unit {number}", parcels(number)).code)
        finally:
            connection.close()

    threads = [threading.Thread(target=draw, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [f"{DISTRICT}DY0001", f"{DISTRICT}DY0002"]


def test_who_moves_a_unit_or_gives_floor_area_away_waits_for_who_draws(own_database):
    """Who draws locks one unit, then its neighbours: whoever held one of these and wanted that one would never end."""
    quarter.build()
    user = town.scoped_user(Role.OFFICE, DISTRICT)
    one, other = save(user, DISTRICT, "a", parcels(0)), save(user, DISTRICT, "b", parcels(1))
    given = {"type": "transfer", "quantity": -5, "uom": "m2", "basis": "b", "other_unit": other.code}
    steps = [
        lambda: move(one, "checked", user, register="unit"),
        lambda: record(user, one.code, one.version, {"incentives": [given]}),
    ]

    @transaction.atomic
    def impatiently(step):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
        step()

    url = connection.settings_dict
    with psycopg.connect(dbname=url["NAME"], user=url["USER"], host=url["HOST"]) as drawer:
        drawer.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"units of {DISTRICT}"])
        for step in steps:
            with pytest.raises(OperationalError, match="lock timeout"):
                impatiently(step)
    with pytest.raises(Refused):
        steps[0]()


def test_a_problem_that_blocks_keeps_the_draft_out_and_confirming_lets_it_in(office):
    with pytest.raises(Unfit) as caught:
        save(office, DISTRICT, "two islands", parcels(0, 2))
    assert [problem["code"] for problem in caught.value.details["problems"]] == ["parts"]
    assert not RedevelopmentUnit.objects.exists()
    unit = save(office, DISTRICT, "two islands", parcels(0, 2, confirmed=["parts"]))
    assert len(unit.geom) == 2


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\0b", "\ud800", "line\nbreak", None, 7])
def test_a_name_is_a_line_of_text(office, name):
    with pytest.raises(UsageError):
        save(office, DISTRICT, name, parcels(0))


def test_neither_parcels_nor_shape_is_no_unit(office):
    with pytest.raises(UsageError):
        save(office, DISTRICT, "x", NOTHING)


# --- editing -----------------------------------------------------------------------------------------------------


def test_an_edit_changes_shape_and_members_and_keeps_the_one_before(office):
    unit = save(office, DISTRICT, "a", parcels(0, 1))
    edited = edit(office, unit.code, 1, "b", parcels(1, 2))
    assert (edited.version, edited.name) == (2, "b")
    assert members(edited) == {"1": 1.0, "2": 1.0}
    assert [(one["version"], one["action"]) for one in versions(edited)] == [(2, "edited"), (1, "drawn")]
    before = RedevelopmentUnit.pgh_event_model.objects.filter(version=1).first()
    assert before.geom.equals(unit.geom)
    kept = UnitParcel.pgh_event_model.objects.filter(pgh_label="delete").values_list("parcel__code", flat=True)
    assert list(kept) == [code(0)]


def test_an_edit_of_the_name_alone_leaves_shape_and_members_as_they_are(office):
    unit = save(office, DISTRICT, "a", parcels(0, 1))
    edited = edit(office, unit.code, 1, "b", NOTHING)
    assert edited.geom.equals_exact(unit.geom)
    assert members(edited) == {"0": 1.0, "1": 1.0}


def test_an_edit_that_changes_nothing_makes_no_version(office):
    unit = save(office, DISTRICT, "a", parcels(0, 1))
    for name, drawing in (("a", NOTHING), (None, NOTHING), (" a ", parcels(1, 0)), (None, parcels(0, 1))):
        assert edit(office, unit.code, 1, name, drawing).version == 1
    assert edit(office, unit.code, 1, "a", shape(0, 0, 150, 100)).version == 2
    assert len(versions(unit)) == RedevelopmentUnit.objects.get().version


def test_the_same_shape_looked_at_against_another_plan_is_another_version(office):
    unit = save(office, DISTRICT, "a", parcels(0, 1))
    quarter.control("plot_plan", rectangle(0, 0, 300, 300))
    edited = edit(office, unit.code, 1, None, parcels(0, 1))
    assert (edited.version, edited.plan_editions) == (2, {"plot_plan": "2024"})


def test_a_member_whose_share_changes_is_the_same_row(office):
    unit = save(office, DISTRICT, "a", shape(0, 0, 150, 100))
    before = set(unit.members.values_list("pk", flat=True))
    edited = edit(office, unit.code, 1, None, shape(0, 0, 180, 100))
    assert set(edited.members.values_list("pk", flat=True)) == before
    assert members(edited)["1"] == pytest.approx(0.8, abs=1e-4)


def test_a_version_that_is_not_the_one_that_stands_is_stale_and_says_whose_it_is(office, street_office):
    unit = save(office, DISTRICT, "a", parcels(0))
    edit(street_office, unit.code, 1, "theirs", NOTHING)
    for verb in (
        lambda: edit(office, unit.code, 1, "mine", NOTHING),
        lambda: delete(office, unit.code, 1, ""),
        lambda: restore(office, unit.code, 1),
    ):
        with pytest.raises(Stale) as caught:
            verb()
        theirs = caught.value.details["theirs"]
        assert (theirs["version"], theirs["name"], theirs["changed_by"]) == (2, "theirs", street_office.username)
    assert RedevelopmentUnit.objects.get().name == "theirs"
    with pytest.raises(UsageError):
        edit(office, unit.code, None, "mine", NOTHING)


def test_an_edit_that_is_refused_leaves_everything_as_it_was(office):
    unit = save(office, DISTRICT, "a", parcels(0, 1))
    with pytest.raises(Unfit):
        edit(office, unit.code, 1, "b", parcels(0, 2))
    again = RedevelopmentUnit.objects.get()
    assert (again.name, again.version) == ("a", 1)
    assert members(again) == {"0": 1.0, "1": 1.0}
    assert len(versions(again)) == 1


def test_a_unit_is_no_conflict_of_its_own_while_it_is_edited(office):
    unit = save(office, DISTRICT, "a", parcels(0, 1))
    RedevelopmentUnit.objects.update(state="approved")
    again = save(office, DISTRICT, "b", parcels(1))
    assert versions(again)
    assert found(office.grants(), unit.code).state == "approved"


# --- deleting and bringing back ----------------------------------------------------------------------------------


def test_deleting_is_a_state_with_a_reason_and_bringing_back_undoes_it(office):
    unit = save(office, DISTRICT, "a", parcels(0))
    gone = delete(office, unit.code, 1, "画错了")
    assert (gone.state, gone.version) == ("deleted", 2)
    assert members(gone) == {"0": 1.0}
    assert versions(gone)[0]["reason"] == "画错了"
    with pytest.raises(Refused):
        edit(office, unit.code, 2, "b", NOTHING)
    back = restore(office, unit.code, 2)
    assert (back.state, back.version) == ("draft", 3)
    assert [one["action"] for one in versions(back)] == ["restored", "deleted", "drawn"]
    with pytest.raises(Refused):
        restore(office, unit.code, 3)


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_unit_is_not_deleted_without_a_reason(office, reason):
    unit = save(office, DISTRICT, "a", parcels(0))
    with pytest.raises(Unfit) as caught:
        delete(office, unit.code, 1, reason)
    assert caught.value.code == "reason"
    assert RedevelopmentUnit.objects.get().state == "draft"


def test_only_who_may_bring_it_back_sees_a_deleted_unit(office):
    unit = save(office, DISTRICT, "a", parcels(0))
    delete(office, unit.code, 1, "wrong")
    assert found(office.grants(), unit.code).state == "deleted"
    for grants in ((Grant("R3", DISTRICT),), (Grant("R7"),), ()):
        with pytest.raises(NotFound):
            found(grants, unit.code)


@pytest.mark.parametrize("state", ["approved", "checked", "consulted"])
def test_what_is_no_draft_is_not_edited_here(office, state):
    unit = save(office, DISTRICT, "a", parcels(0))
    RedevelopmentUnit.objects.update(state=state)
    for verb in (
        lambda: edit(office, unit.code, 1, "b", NOTHING),
        lambda: edit(office, unit.code, 1, None, parcels(1)),
        lambda: delete(office, unit.code, 1, ""),
    ):
        with pytest.raises(Refused) as caught:
            verb()
        assert caught.value.code == "not-a-draft"
    assert may_change(office.grants(), RedevelopmentUnit.objects.get()) == dict.fromkeys(
        ("edit", "delete", "restore"), False
    )


# --- who may -----------------------------------------------------------------------------------------------------


def test_a_street_office_saves_in_its_own_street_alone(street_office):
    assert save(street_office, DISTRICT, "a", parcels(0)).street_id == STREET
    with pytest.raises(Unfit):
        save(street_office, DISTRICT, "b", shape(150, 250, 250, 300))
    with pytest.raises(Unfit):
        save(street_office, DISTRICT, "c", parcels(8))


def test_a_unit_over_two_streets_has_none_and_is_closed_to_each_street_office(office, street_office):
    unit = save(office, DISTRICT, "a", parcels(7, 8))
    assert unit.street_id is None
    with pytest.raises(NotFound):
        edit(street_office, unit.code, 1, "b", NOTHING)


def test_a_street_office_does_not_draw_its_unit_out_of_its_street(street_office):
    unit = save(street_office, DISTRICT, "a", parcels(7))
    with pytest.raises(Unfit):
        edit(street_office, unit.code, 1, None, shape(100, 200, 300, 300))


@pytest.mark.parametrize("role", [role for role in Role if role not in ("R1", "R2", "R5")])
def test_nobody_else_draws_units(office, role):
    unit = save(office, DISTRICT, "a", parcels(0))
    other = town.scoped_user(role, DISTRICT)
    with pytest.raises(NotAllowed):
        save(other, DISTRICT, "b", parcels(1))
    for verb in (lambda: edit(other, unit.code, 1, "b", NOTHING), lambda: delete(other, unit.code, 1, "")):
        with pytest.raises((NotAllowed, NotFound)):
            verb()
    assert RedevelopmentUnit.objects.get().name == "a"


# --- what the database itself guards -----------------------------------------------------------------------------


@pytest.fixture
def approved(office):
    unit = save(office, DISTRICT, "a", parcels(0, 1))
    with pghistory.context(user=office.pk):
        RedevelopmentUnit.objects.update(state="approved")
    return unit


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b"},
        {"edition": 2},
        {"requirements": {"far": 2}},
        {"geom": quarter.stored(rectangle(0, 0, 50, 50))},
        {"state": "draft"},
        {"state": "deleted"},
        {"state": "amended", "name": "b"},
        {"version": 9},
    ],
)
def test_an_approved_unit_stays_as_it_is_whoever_writes(approved, change):
    with pytest.raises(IntegrityError, match="approved and stays"), transaction.atomic():
        RedevelopmentUnit.objects.update(**change)


def test_an_approved_unit_and_its_parcels_are_not_deleted_moved_or_added_to(approved):
    for change in (
        lambda: RedevelopmentUnit.objects.filter(pk=approved.pk)._raw_delete("default"),
        lambda: UnitParcel.objects.all().delete(),
        lambda: UnitParcel.objects.update(share=0.5),
        lambda: UnitParcel.objects.create(unit=approved, parcel=Parcel.objects.get(code=code(5))),
    ):
        with pytest.raises(IntegrityError, match="approved and stays"), transaction.atomic():
            change()


def test_an_approved_unit_may_be_amended_by_a_later_version_and_then_stays_too(approved):
    RedevelopmentUnit.objects.update(state="amended", version=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        RedevelopmentUnit.objects.update(state="approved")


def test_a_second_approved_unit_over_the_same_ground_is_refused_by_the_database(office, approved):
    other = save(office, DISTRICT, "b", shape(150, 0, 300, 100))
    with pytest.raises(IntegrityError, match="overlaps the approved unit"), transaction.atomic():
        RedevelopmentUnit.objects.filter(pk=other.pk).update(state="approved")


def test_a_mis_snapped_neighbour_may_be_approved(office, approved):
    other = save(office, DISTRICT, "b", shape(199.99, 0, 300, 100))
    RedevelopmentUnit.objects.filter(pk=other.pk).update(state="approved")
    assert RedevelopmentUnit.objects.filter(state="approved").count() == 2


def test_of_two_approvals_at_once_over_the_same_ground_one_is_refused(own_database):
    quarter.build()
    user = town.scoped_user(Role.OFFICE, DISTRICT)
    units = [save(user, DISTRICT, "a", parcels(0, 1)), save(user, DISTRICT, "b", shape(50, 0, 150, 100))]
    started, outcomes = threading.Barrier(2), []

    def approve(unit):
        try:
            started.wait(10)
            RedevelopmentUnit.objects.filter(pk=unit.pk).update(state="approved")
            outcomes.append("approved")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=(unit,)) for unit in units]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved", "refused"]


def test_the_database_and_the_house_have_the_same_tolerance(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'geoinv_keep_units_apart'")
        (source,) = cursor.fetchone()
    assert f"> {OVERLAP_AREA}\n" in source
    assert f"> {OVERLAP_WIDTH}\n" in source


def test_a_survey_put_in_force_later_is_the_base_of_what_is_drawn_from_then_on(office):
    unit = save(office, DISTRICT, "a", parcels(0))
    old = Survey.objects.get()
    Survey.objects.filter(pk=old.pk).update(state="retired")
    new = Survey.objects.create(district_id=DISTRICT, year=2024, state="in_force", activated_at=old.activated_at)
    Parcel.objects.create(
        survey=new,
        district_id=DISTRICT,
        street_id=OTHER_STREET,
        code=code(0),
        geom=quarter.stored(rectangle(0, 0, 100, 100)),
    )
    assert edit(office, unit.code, 1, "b", NOTHING).base_survey_year == 2022
    edited = edit(office, unit.code, 2, None, parcels(0))
    assert (edited.base_survey_year, edited.street_id) == (2024, OTHER_STREET)
    assert [one.parcel.survey.year for one in edited.members.all()] == [2024]
