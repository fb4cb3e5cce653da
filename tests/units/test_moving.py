"""Moves of workflow 4.2 up to the determination: their gates, their places, and that they are kept for ever."""

from datetime import date

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests import records
from tests.records import HERE, PAPER, SAID, person, put, said
from tests.workflow_table import RECORD
from units.errors import NotAllowed, NotFound, Refused, Stale, UnknownName, UsageError
from units.models import CheckRun, Determination, Document, FactSheet, Finding, Flag, FlagRun, FormTask, Move
from units.moving import allowed, move, move_all
from units.rights import Role
from units.staleness import changed_by_the_last_run
from units.suspecting import by_hand, suspects
from units.workflow import NUMBERS, STATES, step, steps_from, steps_of

pytestmark = [pytest.mark.django_db, pytest.mark.rows("NK070")]

EXPECTED = RECORD


@pytest.fixture
def parcel():
    return records.build()[0]


@pytest.fixture
def record(parcel):
    return records.record_of(parcel)


def test_only_the_office_determines(record):
    put(record, "checked")
    for role in Role:
        if role != Role.OFFICE:
            with pytest.raises((NotAllowed, NotFound)):
                move(record, "determined", person(role, HERE if role == Role.STREET else None), **said("determined"))
    made = move(record, "determined", person(Role.OFFICE), **said("determined"))
    record.refresh_from_db()
    assert (record.state, record.result, record.reason, record.document.number) == (
        "determined",
        "low",
        "长期空置",
        "南资规〔2024〕7号",
    )
    assert (made.role, made.from_state, made.details["result"], made.details["digest"]) == (
        "R5",
        "checked",
        "low",
        "0" * 64,
    )


def test_no_state_is_skipped_and_the_refusal_says_where_the_way_goes(record):
    with pytest.raises(Refused) as refused:
        move(record, "checked", person(Role.OFFICE), **SAID)
    assert refused.value.code == "no-way"
    assert all(str(Determination.State(to).label) in str(refused.value) for to in ("assigned", "dropped"))


def test_the_steps_that_are_offered_are_those_that_succeed(record):
    for state in STATES:
        put(record, state)
        record.refresh_from_db()
        for role in Role:
            offered = {one.to for one in allowed(record, person(role, HERE if role == Role.STREET else None).grants())}
            expected = {to for (start, to), roles in EXPECTED.items() if start == state and role in roles}
            assert offered == expected, (state, role)


# --- place and department -----------------------------------------------------------------------------------------


def test_a_street_office_moves_records_of_its_own_street_alone(record):
    put(record, "assigned")
    with pytest.raises(NotFound):  # it does not even see them
        move(record, "filling", person(Role.STREET, records.ELSEWHERE))
    assert move(record, "filling", person(Role.STREET, HERE)).street_id == HERE


def test_an_office_of_another_district_sees_and_moves_nothing_here(record):
    with pytest.raises(NotFound):
        move(record, "dropped", person(Role.OFFICE, district=records.HEPING), **SAID)
    assert not Move.objects.exists()


def test_only_a_lead_department_of_the_form_submits_it_and_only_its_co_departments_return_it(record):
    put(record, "filling")
    FormTask.objects.all().delete()
    FactSheet.objects.update(lead=records.Department.objects.get(code="finance"))
    with pytest.raises(NotAllowed):
        move(record, "co_check", person(Role.LEAD))
    FormTask.objects.create(
        sheet=FactSheet.objects.get(), department=records.Department.objects.get(code="commerce"), part="lead"
    )
    move(record, "co_check", person(Role.LEAD))
    with pytest.raises(NotAllowed):
        move(record, "filling", person(Role.CO), comment="税收有误")
    FormTask.objects.create(
        sheet=FactSheet.objects.get(),
        department=records.Department.objects.get(code="tax"),
        part="added",
        reason="按实际情况",
    )
    move(record, "filling", person(Role.CO), comment="税收有误")


def test_a_department_that_leads_other_forms_returns_one_to_which_it_was_added(record):
    put(record, "co_check")
    with pytest.raises(NotAllowed):
        move(record, "filling", person(Role.LEAD), comment="commerce leads this one")
    FormTask.objects.filter(department__code="commerce").update(part="added", reason="按实际情况")
    move(record, "filling", person(Role.LEAD), comment="面积有误")
    assert Move.objects.get().role == "R3"


def test_a_fact_that_was_emptied_while_departments_confirm_keeps_the_form_from_being_checked(record):
    put(record, "co_check")
    FactSheet.objects.update(land={})
    with pytest.raises(Refused) as refused:
        move(record, "checked", person(Role.ANALYST))
    assert refused.value.code == "complete"


# --- gates --------------------------------------------------------------------------------------------------------


def test_each_gate_refuses_by_its_name_what_lacks_it(record):
    office, analyst, lead = person(Role.OFFICE), person(Role.ANALYST), person(Role.LEAD)
    sheet = FactSheet.objects.get()

    def gate(state, to, by, **told) -> str:
        put(record, state)
        with pytest.raises(Refused) as refused:
            move(record, to, by, **told)
        assert refused.value.hint
        return refused.value.code

    assert gate("suspect", "dropped", office, document=PAPER) == "reason"
    assert gate("suspect", "dropped", office, reason="x") == "document"
    assert gate("suspect", "dropped", office, reason="  ", document={"title": " "}) == "reason"
    assert gate("co_check", "filling", office) == "comment"
    assert gate("checked", "determined", office, result="low", document=PAPER) == "reason"
    assert gate("checked", "determined", office, result="low", reason="x") == "document"
    FactSheet.objects.update(due_on=None)
    assert gate("suspect", "assigned", office) == "form"
    FactSheet.objects.update(due_on=sheet.due_on, economy={})
    assert gate("filling", "co_check", lead) == "complete"
    FactSheet.objects.update(economy=sheet.economy)
    FormTask.objects.filter(part="co").update(verdict={})
    assert gate("co_check", "checked", analyst) == "confirmed"
    FormTask.objects.filter(part="co").update(verdict={"economy": {"verdict": "confirmed"}})
    CheckRun.objects.all().delete()
    assert gate("co_check", "checked", analyst) == "valid"
    Flag.objects.all().delete()
    FlagRun.objects.all().delete()
    assert gate("checked", "determined", office, **said("determined")) == "run"
    with pytest.raises(UnknownName):
        move(record, "determined", office, **SAID | {"result": "rather low"})
    put(record, "suspect")
    with pytest.raises(UsageError):
        move(record, "dropped", office, **SAID | {"result": "low"})
    assert not Move.objects.exists()
    assert not Document.objects.exists()  # what was refused leaves no paper behind


def test_an_open_error_about_the_land_keeps_it_from_being_checked_and_a_warning_does_not(record):
    put(record, "co_check")
    about = {
        "district_id": "120104",
        "code": "4-overlap",
        "subjects": [record.parcel.code],
        "sentence": "x",
        "fix": "y",
    }
    Finding.objects.create(**about, identity="1", severity="warning")
    Finding.objects.create(**about, identity="2", severity="error", state="resolved")
    fault = Finding.objects.create(**about, identity="3", severity="error")
    with pytest.raises(Refused) as refused:
        move(record, "checked", person(Role.ANALYST))
    assert refused.value.code == "valid"
    assert "4-overlap" in refused.value.message
    Finding.objects.filter(pk=fault.pk).update(state="resolved")
    made = move(record, "checked", person(Role.ANALYST))
    assert made.details["checks"] == CheckRun.objects.get().pk


def test_residential_land_is_low_efficiency_only_with_its_sub_type(record):
    """NK037."""
    put(record, "checked")
    Determination.objects.update(category="residential")
    with pytest.raises(Refused) as refused:
        move(record, "determined", person(Role.OFFICE), **said("determined"))
    assert refused.value.code == "subtype"
    move(record, "determined", person(Role.OFFICE), **said("determined"), subtype="old_estate")
    assert Determination.objects.get().subtype == "old_estate"


@pytest.mark.rows("NJ025")
def test_idle_land_goes_to_its_own_procedure_and_into_the_inventory_only_after_a_warning(record):
    """C31: the rules see idle land; determining it low-efficiency warns first, and the move keeps that it did."""
    run = FlagRun.objects.get()
    records.flagged(run, record.parcel, outcome="excluded", fired=["IDLE-NOT-STARTED"])
    put(record, "checked")
    office = person(Role.OFFICE)
    with pytest.raises(Refused) as refused:
        move(record, "determined", office, **said("determined"))
    assert refused.value.code == "idle"
    assert "IDLE-NOT-STARTED" in refused.value.message
    with transaction.atomic():
        made = move(record, "determined", office, **said("determined"), warned=["idle"])
        assert made.details["warned"] == ["idle"]
        assert made.details["idle"] == ["IDLE-NOT-STARTED"]
        assert Determination.objects.get().procedure == ""
        transaction.set_rollback(True)
    move(record, "determined", office, **SAID, result="not_low")
    assert Determination.objects.get().procedure == "idle"


def test_idle_land_that_is_dropped_goes_to_the_idle_procedure(record):
    records.flagged(FlagRun.objects.get(), record.parcel, outcome="excluded", fired=["IDLE-STOPPED"])
    move(record, "dropped", person(Role.OFFICE), **SAID)
    record.refresh_from_db()
    assert (record.state, record.procedure) == ("dropped", "idle")


# --- what a decision keeps ----------------------------------------------------------------------------------------


@pytest.mark.rows("NJ024", "NK019", "NK010")
def test_a_decision_stands_over_the_computed_result_and_both_are_kept(record):
    records.flagged(FlagRun.objects.get(), record.parcel, outcome="not_low", fired=[])
    put(record, "checked")
    move(record, "determined", person(Role.OFFICE), **said("determined"))
    record.refresh_from_db()
    assert record.result == "low"
    assert record.evidence["outcome"] == "not_low"
    assert record.evidence["evidence"]["inputs"]["far"]["value"] == 0.4
    assert (record.evidence["criteria"], record.evidence["digest"]) == ("town", "0" * 64)
    Flag.objects.all().delete()  # the next run may say what it likes: the record keeps what was said then
    record.refresh_from_db()
    assert record.evidence["outcome"] == "not_low"


@pytest.mark.rows("NJ003")
def test_a_determined_record_names_the_rules_that_flag_it(record):
    put(record, "checked")
    move(record, "determined", person(Role.OFFICE), **said("determined"))
    assert Determination.objects.get().reason_codes == ["IND-FAR"]


def test_an_undecided_record_is_opened_again_and_a_decided_one_only_when_something_changed(record):
    put(record, "checked")
    office = person(Role.OFFICE)
    move(record, "determined", office, **SAID, result="undecided")
    assert move(record, "filling", office, comment="税务数据已到").from_state == "determined"
    record.refresh_from_db()
    assert (record.result, record.reason, record.document, record.decided_by) == ("", "", None, None)
    assert [one.details.get("result") for one in Move.objects.all()] == ["undecided", None]


def test_a_list_says_which_decisions_the_last_run_no_longer_bears_out(record):
    put(record, "checked")
    move(record, "determined", person(Role.OFFICE), **said("determined"))
    record.refresh_from_db()
    assert changed_by_the_last_run([record]) == {record.pk: []}
    edition = records.CriteriaEdition.objects.create(digest="1" * 64, name="town", title="T", official=False, text="x")
    run = FlagRun.objects.create(district_id="120104", survey=record.parcel.survey, edition=edition)
    records.flagged(run, record.parcel, outcome="not_low", fired=[], far=1.2)
    changes = {one["what"]: (one["before"], one["now"]) for one in changed_by_the_last_run([record])[record.pk]}
    assert changes == {
        "criteria": ("0" * 12, "1" * 12),
        "facts": (0.4, 1.2),
        "outcome": ("candidate", "not_low"),
    }


def test_the_form_stands_where_the_record_does(record):
    lead, analyst, office = person(Role.LEAD), person(Role.ANALYST), person(Role.OFFICE)
    for to, by in (("assigned", office), ("filling", lead), ("co_check", lead), ("checked", analyst)):
        move(record, to, by)
        assert FactSheet.objects.get().state == to
    move(record, "filling", office, comment="再核面积")
    assert FactSheet.objects.get().state == "filling"
    comments = [one.comment for one in Move.objects.all()]
    assert comments == ["", "", "", "", "再核面积"]  # a return keeps what was said before


def test_assigning_may_name_the_lead_department_and_the_day_where_no_campaign_made_a_form(parcel):
    record = Determination.objects.create(
        district_id="120104",
        street_id=HERE,
        parcel=parcel,
        code="120104DX000001",
        category="industrial",
        base_survey_year=2022,
        criteria="town",
    )
    office = person(Role.OFFICE)
    with pytest.raises(UnknownName):
        move(record, "assigned", office, form={"lead": "nobody", "due_on": date(2024, 2, 29)})
    assert not FactSheet.objects.exists()
    move(record, "assigned", office, form={"lead": "commerce", "due_on": date(2024, 2, 29)})
    sheet = FactSheet.objects.get()
    assert (sheet.lead.code, sheet.due_on, sheet.state, sheet.determination) == (
        "commerce",
        date(2024, 2, 29),
        "assigned",
        record,
    )


# --- at once, and for ever ----------------------------------------------------------------------------------------


def test_a_version_that_is_not_the_one_that_stands_is_stale(record):
    move(record, "assigned", person(Role.OFFICE), version=1)
    with pytest.raises(Stale) as stale:
        move(record, "filling", person(Role.LEAD), version=1)
    assert stale.value.details["theirs"] == {"version": 2, "state": "assigned"}


def test_many_are_moved_at_once_and_those_that_cannot_are_named(record):
    others = [
        records.record_of(
            records.Parcel.objects.create(
                survey=record.parcel.survey,
                district_id="120104",
                street_id=HERE,
                code=f"120104001001GB{number:05d}",
                geom=records.square(number),
            )
        )
        for number in (7, 8)
    ]
    put(others[1], "filling")
    codes = [record.code, *(one.code for one in others), "nothing"]
    told = move_all(codes, "dropped", person(Role.OFFICE), **SAID)
    assert told["moved"] == []  # all or none, each that stands in the way named with its reason
    assert {one["code"]: one["error"] for one in told["refused"]} == {others[1].code: "no-way", "nothing": "not-found"}
    assert not Move.objects.exists()
    assert not Document.objects.exists()
    told = move_all(codes[:2], "dropped", person(Role.OFFICE), comments={codes[1]: "另见附件"}, **SAID)
    assert (told["moved"], told["refused"]) == (codes[:2], [])
    assert Document.objects.count() == 1  # one paper for all of them
    assert set(Move.objects.values_list("document", flat=True)) == {Document.objects.get().pk}
    assert dict(Move.objects.values_list("subject", "comment"))[codes[1]] == "长期空置\n另见附件"


def test_a_move_is_neither_changed_nor_deleted_by_anybody(record):
    move(record, "dropped", person(Role.OFFICE), **SAID)
    for statement in ("UPDATE units_move SET comment = 'x'", "DELETE FROM units_move", "TRUNCATE units_move"):
        with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert isinstance(refused.value.__cause__, psycopg.errors.Error), statement
    assert Move.objects.get().comment == "长期空置\n请补充面积"


def test_nobody_but_the_night_moves_without_a_person_and_the_night_raises_suspects_only(record):
    told = {"register": "record", "subject": "x", "district_id": "120104", "from_state": "checked"}
    for to, role in (("determined", "R11"), ("suspect", "R5")):
        with pytest.raises(IntegrityError, match="move_is_by_a_person"), transaction.atomic():
            Move.objects.create(**told, to_state=to, role=role, by=None)


def test_each_move_and_version_names_who_made_it(record):
    office = person(Role.OFFICE)
    move(record, "dropped", office, **SAID)
    event = Determination.pgh_event_model.objects.order_by("-pgh_id").first()
    assert event.state == "dropped"
    assert event.pgh_context.metadata["user"] == office.pk


# --- suspects -----------------------------------------------------------------------------------------------------


def test_every_candidate_becomes_a_suspect_once(db):
    parcels = records.build(3)
    run = FlagRun.objects.get()
    records.flagged(run, parcels[2], outcome="not_low", fired=[])
    told = suspects("120104", "town", person(Role.ANALYST))
    assert (told["made"], told["known"], told["candidates"]) == (2, 0, 2)
    found = list(Determination.objects.order_by("code"))
    assert [one.code for one in found] == ["120104DX000001", "120104DX000002"]
    assert [one.parcel for one in found] == parcels[:2]
    assert {(one.state, one.category, one.base_survey_year, one.criteria) for one in found} == {
        ("suspect", "industrial", 2022, "town")
    }
    moves = Move.objects.values_list("subject", "from_state", "to_state", "role", "details__digest")
    assert list(moves) == [(one.code, "", "suspect", "R1", "0" * 64) for one in found]
    records.flagged(run, parcels[2])
    again = suspects("120104", "town")  # the night
    assert (again["made"], again["known"]) == (1, 2)
    assert Move.objects.get(subject="120104DX000003").role == "R11"
    assert suspects("120104", "town")["made"] == 0


def test_what_was_dropped_is_not_raised_again(record):
    move(record, "dropped", person(Role.OFFICE), **SAID)
    assert suspects("120104", "town")["made"] == 0


@pytest.mark.parametrize("role", [one for one in Role if one not in (Role.ANALYST, Role.OFFICE)])
def test_nobody_else_raises_the_candidates_of_a_district(db, role):
    records.build()
    with pytest.raises(NotAllowed):
        suspects("120104", "town", person(role))
    assert not Determination.objects.exists()


@pytest.mark.rows("NJ009")
def test_land_raised_by_hand_needs_a_written_reason_and_another_person_who_approves(parcel):
    street = person(Role.STREET, HERE)
    for reason in ("", "   "):
        with pytest.raises(Refused) as refused:
            by_hand(parcel.code, street, "industrial", reason)
        assert refused.value.code == "reason"
    record = by_hand(parcel.code, street, "industrial", "厂房闲置多年")
    assert (record.state, record.reason_codes, record.raised_by) == ("suspect", ["NJ009"], street)
    with pytest.raises(Refused) as refused:
        by_hand(parcel.code, street, "industrial", "again")
    assert refused.value.code == "already"
    # The same person in two roles is no approver of himself.
    records.Scope.objects.create(
        user=street, group=records.Group.objects.get(name="R5"), district_id="120104", street_id=None
    )
    records.form_for(record)
    with pytest.raises(Refused) as refused:
        move(record, "assigned", records.User.objects.get(pk=street.pk))
    assert refused.value.code == "approver"
    office = person(Role.OFFICE)
    made = move(record, "assigned", office)
    record.refresh_from_db()
    assert record.approved_by == office
    assert made.details["approver"] == office.username
    with pytest.raises(IntegrityError, match="flag_by_hand_has_an_approver"), transaction.atomic():
        Determination.objects.update(approved_by=None)


@pytest.mark.parametrize("role", [one for one in Role if one != Role.STREET])
def test_nobody_but_a_street_office_raises_land_by_hand(parcel, role):
    with pytest.raises((NotAllowed, NotFound)):
        by_hand(parcel.code, person(role), "industrial", "x")


def test_the_table_is_that_of_the_workflow():
    assert {(one.start, one.to): set(one.roles) for one in steps_of("record")} == EXPECTED
    assert [NUMBERS[name] for name in STATES] == [*map(str, range(13)), "X"]
    assert step("suspect", "filling") is None
    assert {one.to for one in steps_from("in_force")} == {"updating", "in_project", "redeveloped"}
