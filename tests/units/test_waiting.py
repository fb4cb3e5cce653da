"""The work list tells each person exactly what he may do next, since when and by when."""

import datetime

import pytest
from django.utils import timezone

from tests import records
from tests.records import HERE, person
from units import waiting
from units.amending import digest
from units.models import Consultation, Department, Determination, FactSheet, FormTask, RedevelopmentUnit
from units.moving import move
from units.rights import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def several():
    """A record in each of these states, a legacy polygon and a unit."""
    states = ("suspect", "assigned", "filling", "co_check", "checked", "determined", "mapped", "submitted", "in_force")
    made = {}
    for parcel, state in zip(records.build(len(states)), states, strict=True):
        made[state] = records.record_of(parcel)
        records.put(made[state], state, "mapped" if state == "determined" else "")
    records.legacy_in("confirmed")
    return made


def told(role: Role, **more) -> set[tuple[str, str, str]]:
    turns = waiting.for_user(person(role, HERE if role == Role.STREET else None, **more))
    return {(one.register, one.to, entry.code) for one in turns for entry in one.entries}


def test_each_role_is_told_what_waits_for_it_and_nothing_else(several):
    code = {state: record.code for state, record in several.items()}
    assert told(Role.ANALYST) == {("record", "checked", code["co_check"]), ("record", "mapped", code["determined"])}
    assert told(Role.STREET) == {("record", "filling", code["assigned"])}
    assert told(Role.LEAD) == {("record", "filling", code["assigned"]), ("record", "co_check", code["filling"])}
    assert told(Role.OFFICE) == {
        ("record", "assigned", code["suspect"]),
        ("record", "determined", code["checked"]),
    }
    assert told(Role.DISTRICT) == {("record", "district_ok", code["mapped"]), ("legacy", "district_ok", "L1")}
    assert told(Role.BUREAU, district=None) == {("record", "in_force", code["submitted"])}
    for role in (Role.CITY, Role.DEVELOPER, Role.PUBLIC):
        assert told(role) == set()


def test_the_number_in_the_navigation_is_that_of_the_rows_that_wait(several):
    for role in Role:
        user = person(role, HERE if role == Role.STREET else None)
        rows = {(one.register, entry.code) for one in waiting.for_user(user) for entry in one.entries}
        assert waiting.count(user) == len(rows), role


def test_a_record_waits_since_its_last_step_and_by_the_day_of_its_form(several):
    office = person(Role.OFFICE)
    made = move(several["suspect"].code, "assigned", office)
    (turn,) = [one for one in waiting.for_user(person(Role.STREET, HERE)) if one.to == "filling"]
    entry = next(one for one in turn.entries if one.code == several["suspect"].code)
    assert (entry.since, entry.due_on) == (made.at, FactSheet.objects.get(determination=several["suspect"]).due_on)


def test_what_is_late_is_counted_over_all_rows_not_only_over_those_that_are_shown(several):
    records.put(several["filling"], "assigned")
    FactSheet.objects.filter(determination__state="assigned").update(due_on="2024-01-01")
    (turn,) = waiting.for_user(person(Role.STREET, HERE), most=1)
    assert (len(turn.entries), turn.count, turn.late) == (1, 2, 2)
    FactSheet.objects.filter(determination__state="assigned").update(due_on=timezone.localdate())  # its day is not over
    (turn,) = waiting.for_user(person(Role.STREET, HERE), most=1)
    assert turn.late == 0


def test_a_co_department_is_asked_until_it_has_said_yes_to_every_group(several):
    FormTask.objects.filter(department__code="tax").update(verdict={})
    assert told(Role.CO) == {("record", "confirm", several["co_check"].code)}
    FormTask.objects.filter(department__code="tax").update(verdict={"economy": {"verdict": "returned"}})
    assert told(Role.CO) == {("record", "confirm", several["co_check"].code)}
    FormTask.objects.filter(department__code="tax").update(verdict={"economy": {"verdict": "confirmed"}})
    assert told(Role.CO) == set()


def test_land_determined_as_not_low_efficiency_waits_for_the_office_to_drop_it(several):
    Determination.objects.filter(pk=several["determined"].pk).update(result="not_low")
    assert ("record", "dropped", several["determined"].code) in told(Role.OFFICE)
    assert ("record", "mapped", several["determined"].code) not in told(Role.ANALYST)


def test_a_disposal_waits_for_who_takes_its_next_step(several):
    from_l2, from_l1 = records.legacy_in("accepted", "L2", 31), records.legacy_in("accepted", "L3", 32)
    records.put_stage(from_l2, "district_consent", "L2")
    records.put_stage(from_l1, "district_consent", "L1")
    assert told(Role.CITY) == {("disposal", "city_approval", "L2")}
    assert {one for one in told(Role.OFFICE) if one[0] == "disposal"} == {("disposal", "title", "L3")}


def test_an_opinion_waits_for_the_department_that_is_asked(several):
    unit = RedevelopmentUnit.objects.get(pk=records.unit_in("checked").pk)
    tax = Department.objects.get(code="tax")
    Consultation.objects.create(
        unit=unit,
        department=tax,
        about=digest(unit),
        asked_by=person(Role.OFFICE),
        due_on="2999-01-01",
    )
    assert ("unit", "reply", unit.code) in told(Role.CO)
    assert ("unit", "consulted", unit.code) in told(Role.OFFICE)
    # Until that day the office waits for others.
    (entry,) = next(one for one in waiting.for_user(person(Role.OFFICE)) if one.to == "consulted").entries
    assert entry.due_on == datetime.date(2999, 1, 1)


def test_of_two_districts_each_is_a_turn_of_its_own(several):
    """What is gone at once is of one district: a set that is sealed is, too."""
    records.Parcel.objects.filter(pk=several["submitted"].parcel_id).update(street=None)
    Determination.objects.filter(pk=several["submitted"].pk).update(street=None, district_id=records.HEPING)
    records.put(several["mapped"], "submitted")
    turns = waiting.for_user(person(Role.BUREAU, district=None))
    assert sorted((one.district, one.count) for one in turns) == [(records.HEPING, 1), (records.NANKAI, 1)]
