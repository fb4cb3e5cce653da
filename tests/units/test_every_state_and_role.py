"""Every state of every register by every role: exactly the steps of workflow 4.2–4.4 succeed, no state is skipped."""

import pytest
from django.db import transaction

from tests import records
from tests.records import HERE, person, said
from tests.workflow_table import STATES, TABLE
from units import amending, consulting
from units.errors import NotAllowed, NotFound, Refused
from units.gates import unit as unit_gates
from units.models import Disposal, Freeze, LegacyLand, Move, RedevelopmentUnit
from units.moving import KINDS, allowed, move
from units.rights import Role
from units.workflow import STEPS, states_of, steps_of

pytestmark = [pytest.mark.django_db, pytest.mark.rows("NK070", "NK051")]

NEVER_ASKED = {("unit", "approved", "amended")}  # follows from the approval of the next version


@pytest.fixture
def rows(monkeypatch):
    """One row of every register; of units the gates are open, they have tests of their own."""
    record = records.record_of(records.build()[0])
    land = records.legacy_in()
    for name in ("blocking_now", "missing"):
        monkeypatch.setattr(unit_gates, name, lambda unit: [])
    monkeypatch.setattr(amending, "standing_against", lambda unit: [])
    monkeypatch.setattr(consulting, "asked", lambda unit: True)
    monkeypatch.setattr(consulting, "open_for", lambda unit: [])
    monkeypatch.setattr(consulting, "objections", lambda unit: [])
    return {"record": record, "legacy": land, "disposal": land, "unit": records.unit_in()}


@pytest.fixture
def people():
    return {role.value: person(role, HERE if role == Role.STREET else None) for role in Role}


@pytest.fixture
def everybody(people):
    """Somebody with every role, whom nothing is refused for his role."""
    user = person(Role.OFFICE, name="everybody")
    for role in set(Role) - {Role.OFFICE}:
        group = records.Group.objects.get(name=role.value)
        records.Scope.objects.create(user=user, group=group, district_id="120104")
    return user


def put(register: str, row, state: str, to: str = ""):
    """The row in a state; of units one of its own for each, for what was approved cannot be put back."""
    match register:
        case "record":
            records.put(row, state, to)
        case "legacy":
            Disposal.objects.filter(legacy=row).delete()
            records.put_legacy(row, state)
        case "disposal":
            records.put_stage(row, state, "L1" if (state, to) == ("district_consent", "title") else "L2")
        case "unit":
            number = STATES["unit"].index(state) + 2
            code = f"120104DY{number:04}"
            known = RedevelopmentUnit.objects.filter(code=code).first()
            return known or records.unit_in(state, code, 40 + number)
    return row


def tried(register: str, row, to: str, by, start: str = "checked") -> str:
    """How it ends when somebody moves the row there: moved, or the code of the refusal. It is put back."""
    with transaction.atomic():
        try:
            move(row.code, to, by, register=register, **said(to, start))
            return "moved"
        except (NotAllowed, NotFound, Refused) as error:
            return error.code
        finally:
            transaction.set_rollback(True)


@pytest.mark.parametrize("register", TABLE)
def test_from_each_state_each_role_goes_exactly_the_steps_of_the_workflow(register, rows, people):
    row, wrong = rows[register], []
    for (start, to), roles in TABLE[register].items():
        row = put(register, row, start, to)
        for role, by in people.items():
            ended = tried(register, row, to, by, start)
            if (ended == "moved") != (role in roles):
                wrong.append((start, to, role, ended))
    assert not wrong


@pytest.mark.parametrize("register", TABLE)
def test_no_state_is_skipped_whatever_the_role(register, rows, everybody):
    row, wrong = rows[register], []
    for start in STATES[register]:
        row = put(register, row, start)
        others = [to for to in STATES[register] if to and (start, to) not in TABLE[register]]
        wrong += [(start, to) for to in others if tried(register, row, to, everybody, start) == "moved"]
    assert not wrong


@pytest.mark.parametrize("register", TABLE)
def test_the_steps_that_are_offered_are_those_of_the_role(register, rows, people):
    row, wrong = rows[register], []
    for start in STATES[register]:
        row = put(register, row, start)
        stands = type(row).objects.get(pk=row.pk)
        for role, by in people.items():
            offered = {one.to for one in allowed(stands, by.grants(), register=register)}
            offered -= {to for kind, state, to in NEVER_ASKED if (kind, state) == (register, start)}
            expected = {to for (state, to), roles in TABLE[register].items() if state == start and role in roles}
            if offered != expected:
                wrong.append((start, role, offered, expected))
    assert not wrong


def test_the_program_has_the_states_and_steps_of_the_workflow_and_no_other():
    for register, expected in TABLE.items():
        assert list(states_of(register)) == STATES[register]
        steps = {(one.start, one.to): set(one.roles) for one in steps_of(register)}
        assert steps == expected | {(start, to): {"R6"} for kind, start, to in NEVER_ASKED if kind == register}
    assert {one.register for one in STEPS} == set(KINDS)


def test_every_return_asks_for_a_comment_and_nothing_else_is_called_a_return():
    back = {(one.register, one.start, one.to) for one in STEPS if one.back}
    assert back == {(one.register, one.start, one.to) for one in STEPS if "comment" in one.needs}


def test_an_office_of_another_district_moves_nothing_here(rows):
    stranger = person(Role.OFFICE, district=records.HEPING)
    for register, row in rows.items():
        to = next(to for (start, to) in TABLE[register] if start == STATES[register][0])
        assert tried(register, row, to, stranger) in ("not-found", "not-allowed"), register
    assert not Move.objects.exists()


@pytest.mark.rows("NK055")
def test_the_acceptance_of_the_register_freezes_it_and_its_disposal_goes_on_beside(rows, people):
    land = rows["legacy"]
    records.put_legacy(land, "submitted")
    made = move(land.code, "accepted", people["R7"], register="legacy", **said("accepted"))
    assert (made.role, made.document.title) == ("R7", records.PAPER["title"])
    freeze = Freeze.objects.get(district="120104")
    assert (freeze.rows, freeze.move.register, freeze.move.by) == (1, "legacy_register", people["R7"])
    with pytest.raises(Exception, match="frozen"), transaction.atomic():
        LegacyLand.objects.filter(pk=land.pk).update(address="x")
    move(land.code, "opened", people["R5"], register="disposal", **said("opened"))
    assert Disposal.objects.get().stage == "opened"


def test_the_register_is_accepted_as_a_whole_or_not_at_all(rows, people):
    records.legacy_in("confirmed", "L2", 31)
    records.put_legacy(rows["legacy"], "submitted")
    with pytest.raises(Refused) as refused:
        move("L1", "accepted", people["R7"], register="legacy", **said("accepted"))
    assert (refused.value.code, "L2" in refused.value.message) == ("whole", True)
    assert not Freeze.objects.exists()
    assert LegacyLand.objects.get(code="L1").state == "submitted"


def test_disposal_takes_the_city_for_class_l2_alone_and_none_for_land_without_a_route(rows, people):
    land = rows["disposal"]
    records.put_stage(land, "district_consent", "L2")
    assert tried("disposal", land, "title", people["R5"]) == "by_district"
    records.put_stage(land, "district_consent", "L1")
    assert tried("disposal", land, "city_approval", people["R8"]) == "by_city"
    records.put_stage(land, "", "none")
    assert tried("disposal", land, "opened", people["R5"]) == "eligible"


@pytest.mark.rows("NJ027")
def test_in_nanjing_a_unit_is_approved_after_the_opinion_of_the_province(rows, people, monkeypatch):
    monkeypatch.setattr(unit_gates, "PROVINCE_REVIEW", ("1201",))  # as if Nankai were a district of Nanjing
    unit = rows["unit"]
    unit = put("unit", unit, "consulted")
    assert tried("unit", unit, "approved", people["R6"]) == "province"
    opinion = {"title": "省级评审意见", "number": "苏自然资函〔2021〕1号", "dated": None}
    made = move(unit.code, "approved", people["R6"], register="unit", opinion=opinion, document=records.PAPER)
    assert made.details["opinion"]["title"] == "省级评审意见"
