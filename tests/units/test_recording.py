"""The record of a unit: what it may say, transfers that net to zero, editions that stay, opinions of departments."""

from datetime import timedelta

import pytest
import quarter
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import translation
from quarter import DISTRICT, STREET, code

from units import amending, budgeting, consulting, drafting, recording
from units.composing import blocking_now
from units.drafting import Drawing
from units.errors import NotAllowed, NotFound, Refused, Stale, Unfit, UsageError
from units.models import Consultation, Department, RedevelopmentUnit, Scope, User

pytestmark = pytest.mark.django_db

PLOTS = [
    {"plot": "A-01", "use": "0901", "m2": 12_000, "far": 2.0},
    {"plot": "A-02", "use": "1401", "m2": 5_000, "floor_m2": 0},
]
WHOLE = {
    "mode": "industry",
    "methods": ["purchase", "second_to_third"],
    "programmes": ["urban_renewal", "urban_village"],
    "requirements": {
        "plots": PLOTS,
        "functions": "研发",
        "structure": "一街两组团",
        "infrastructure": [{"kind": "road", "name": "支路", "quantity": 300, "uom": "m"}],
        "facilities": [{"kind": "community", "name": "服务站", "m2": 500, "plot": "A-01"}],
        "total_floor_m2": 25_000,
    },
    "incentives": [],
}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def land(db):
    quarter.build()
    for name in ("education", "ecology"):
        Department.objects.create(code=name, district_id=DISTRICT, name=name.title())


@pytest.fixture
def office(land):
    return person("office", "R5")


def person(name: str, role: str, department: str | None = None, street: str | None = None) -> User:
    user = User.objects.create_user(name)
    Scope.objects.create(
        user=user,
        group=Group.objects.get(name=role),
        district_id=DISTRICT,
        street_id=street,
        department=Department.objects.get(code=department) if department else None,
    )
    return user


def drawn(by: User, *numbers: int, name: str = "One") -> RedevelopmentUnit:
    return drafting.save(by, DISTRICT, name, Drawing(parcels=[code(number) for number in numbers]))


def written(by: User, unit: RedevelopmentUnit, **values) -> RedevelopmentUnit:
    unit.refresh_from_db()
    return recording.record(by, unit.code, unit.version, values)


def put(unit: RedevelopmentUnit, state: str) -> RedevelopmentUnit:
    """The unit in a state, as a move would leave it; the moves themselves are tested elsewhere."""
    RedevelopmentUnit.objects.filter(pk=unit.pk).update(state=state)
    unit.refresh_from_db()
    return unit


def approved(unit: RedevelopmentUnit) -> RedevelopmentUnit:
    put(unit, "consulted")
    with transaction.atomic():
        amending.approve(RedevelopmentUnit.objects.select_for_update().get(pk=unit.pk))
    unit.refresh_from_db()
    return unit


def wrong(error) -> dict[str, str]:
    return {one["field"]: one["sentence"] for one in error.value.details["problems"]}


# --- the groups of NK025 -----------------------------------------------------------------------------------------


@pytest.mark.rows("NK025", "NK022")
def test_a_record_is_kept_whole_and_says_what_is_missing_until_nothing_is(office):
    unit = drawn(office, 0, 1)
    assert {"mode", "plots", "functions", "total_floor_m2"} <= {one.field for one in recording.missing(unit)}
    unit = written(office, unit, mode="industry")  # a draft may be incomplete
    assert unit.version == 2
    unit = written(office, unit, **WHOLE)
    assert recording.missing(unit) == []
    assert unit.requirements["plots"][0] == {"plot": "A-01", "use": "0901", "m2": 12_000, "far": 2.0, "floor_m2": None}
    assert recording.told(unit)["sums"]["floor_m2"] == 24_000
    same = written(office, unit, **WHOLE)
    assert same.version == unit.version, "what changes nothing is no new version"
    assert [one["action"] for one in drafting.versions(unit)][:2] == ["recorded", "recorded"]
    quarter.control("plot_plan", quarter.rectangle(0, 0, 200, 100))
    (stale,) = recording.missing(unit)
    assert stale.field == "plan_editions"
    assert written(office, unit, mode="industry").plan_editions == {"plot_plan": "2024"}


@pytest.mark.rows("NK025")
def test_plots_with_more_floor_area_than_the_unit_are_refused_and_the_excess_is_named(office):
    unit = drawn(office, 0, 1)
    with pytest.raises(Unfit) as error:
        written(office, unit, **WHOLE | {"requirements": WHOLE["requirements"] | {"total_floor_m2": 23_000}})
    assert wrong(error) == {
        "total_floor_m2": "The plots have 24,000.0 m² of floor area, 1,000.0 m² more than the 23,000.0 m² of the unit."
    }
    with pytest.raises(Unfit) as error:
        written(office, unit, requirements={"plots": [{"plot": "A", "m2": 30_000}]})
    assert "more than the" in wrong(error)["plots"]
    unit.refresh_from_db()
    assert (unit.version, unit.requirements) == (1, {})


def test_each_value_that_cannot_be_is_told_with_its_place(office):
    unit = drawn(office, 0)
    with pytest.raises(Unfit) as error:
        written(
            office,
            unit,
            mode="老城",
            methods=["purchase", 7],
            requirements={
                "plots": [
                    {"plot": "A", "use": "0601x", "m2": -1, "far": float("inf"), "floor_m2": True},
                    {"plot": "A", "m2": 100, "far": 1, "floor_m2": 150},
                    {"use": "0901"},
                ],
                "facilities": [{"kind": "community", "plot": "B"}, {"kind": ""}],
                "functions": "x" * 5000,
                "colour": "red",
            },
            incentives=[
                {"type": "far_bonus", "quantity": 0, "uom": "m2"},
                {"type": "mixed_use", "quantity": 120, "uom": "percent"},
                {"type": "composite", "quantity": 5, "uom": "far"},
                {"type": "transfer", "quantity": 5, "uom": "m2"},
            ],
        )
    assert set(wrong(error)) >= {
        "mode",
        "methods.1",
        "plots.0.use",
        "plots.0.m2",
        "plots.0.far",
        "plots.0.floor_m2",
        "plots.1.floor_m2",
        "plots.1.plot",
        "plots.2.plot",
        "facilities.0.plot",
        "facilities.1.kind",
        "functions",
        "requirements",
        "incentives.0.quantity",
        "incentives.1.quantity",
        "incentives.2.uom",
        "incentives.3.other_unit",
    }
    with pytest.raises(UsageError):
        recording.record(office, unit.code, unit.version, {"name": "other"})


def test_who_may_not_draw_there_writes_no_record_and_an_older_version_is_told_both_sides(office):
    unit = drawn(office, 0)
    before = unit.version
    written(office, unit, mode="innovation")
    with pytest.raises(Stale) as error:
        recording.record(office, unit.code, before, {"mode": "contiguous"})
    assert error.value.details["theirs"]["fields"]["mode"] == "innovation"
    assert error.value.details["base"]["fields"]["mode"] == ""
    with pytest.raises(NotAllowed):
        recording.record(person("lead", "R3", "education"), unit.code, 2, {"mode": "industry"})
    with pytest.raises(Refused):
        recording.record(office, put(unit, "checked").code, unit.version, {"mode": "industry"})


# --- incentives (NK026) ------------------------------------------------------------------------------------------


@pytest.mark.rows("NK026", "NK033")
def test_a_bonus_raises_the_cap_and_a_transfer_stands_in_both_units_and_nets_to_zero(office):
    one, other = drawn(office, 0, 1), drawn(office, 3, 4, name="Two")
    roomy = {"requirements": WHOLE["requirements"] | {"total_floor_m2": 30_000}}
    written(office, other, **WHOLE | roomy)
    bonus = {"type": "far_bonus", "quantity": 0.1, "uom": "far", "basis": "b"}
    transfer = {"type": "transfer", "quantity": 2_000, "uom": "m2", "basis": "b", "other_unit": other.code}
    tight = WHOLE | {"requirements": WHOLE["requirements"] | {"total_floor_m2": 21_000}}
    with pytest.raises(Unfit):
        written(office, one, **tight)
    one = written(office, one, **tight | {"incentives": [bonus, transfer]})
    other.refresh_from_db()
    assert budgeting.of_record(one.requirements, one.incentives)["cap_m2"] == 21_000 + 0.1 * 17_000 + 2_000
    (mirrored,) = other.incentives
    assert (mirrored["quantity"], mirrored["other_unit"]) == (-2_000, one.code)
    assert mirrored["transfer"] == one.incentives[1]["transfer"]
    assert other.version == 3, "whoever has the other unit open is told"

    # Changed from the other side, too, and never to more than the giver has.
    other = written(office, other, incentives=[mirrored | {"quantity": -2_500}])
    one.refresh_from_db()
    assert one.incentives[1]["quantity"] == 2_500
    with pytest.raises(Unfit) as error:
        written(office, other, incentives=[mirrored | {"quantity": -9_000}])
    assert "total_floor_m2" in wrong(error)
    with pytest.raises(Refused, match="Floor area is transferred"):
        drafting.delete(office, one.code, one.version, "why not")

    # What is not a draft cannot be given to, and a transfer that is taken out leaves both.
    put(one, "checked")
    with pytest.raises(Unfit) as error:
        written(office, other, incentives=[])
    assert "no draft" in wrong(error)["incentives"]
    put(one, "draft")
    with pytest.raises(Unfit) as error:
        written(office, other, incentives=[])
    assert one.code in wrong(error)["total_floor_m2"], "who takes it back must leave the other enough"
    written(office, one, **WHOLE | {"incentives": one.incentives})
    written(office, other, incentives=[])
    one.refresh_from_db()
    assert one.incentives == [bonus | {"quantity": 0.1}]


@pytest.mark.rows("NK026")
def test_the_database_refuses_a_transfer_that_does_not_net_to_zero(office):
    one, other = drawn(office, 0), drawn(office, 3, name="Two")
    side = {"type": "transfer", "quantity": 5, "uom": "m2", "basis": "", "other_unit": other.code, "transfer": "t"}

    def store(unit, *sides):
        RedevelopmentUnit.objects.filter(pk=unit.pk).update(incentives=list(sides))

    def ends(change):
        """The change as a transaction of its own, to its end."""
        with transaction.atomic():
            change()
            transaction.get_connection().check_constraints()

    for sides in ([], [side], [side | {"quantity": -4}]):
        with pytest.raises(IntegrityError, match="net to zero"):
            ends(lambda sides=sides: (store(one, side), store(other, *sides)))
    ends(lambda: (store(one, side), store(other, side | {"quantity": -5, "other_unit": one.code})))
    with pytest.raises(IntegrityError, match="net to zero"):
        ends(lambda: put(one, "deleted"))


# --- editions (NK027, NK024) -------------------------------------------------------------------------------------


@pytest.mark.rows("NK027", "NK024")
def test_an_approved_version_stays_citable_while_a_draft_amends_it(office):
    unit = written(office, drawn(office, 0, 1), **WHOLE)
    with pytest.raises(Refused, match="no approved version"):
        amending.amend(office, unit.code, unit.version)
    unit = approved(unit)
    assert unit.digest == amending.digest(unit)
    assert unit.approved_at
    with pytest.raises(Refused):
        written(office, unit, mode="innovation")
    with pytest.raises(IntegrityError), transaction.atomic():
        RedevelopmentUnit.objects.filter(pk=unit.pk).update(mode="innovation")
    with pytest.raises(Stale):
        amending.amend(office, unit.code, unit.version + 1)

    draft = amending.amend(office, unit.code, unit.version)
    assert (draft.edition, draft.state, draft.version, draft.digest) == (2, "draft", 1, "")
    assert draft.requirements == unit.requirements
    assert [one.parcel_id for one in draft.members.all()] == [one.parcel_id for one in unit.members.all()]
    with pytest.raises(Refused, match="worked on already"):
        amending.amend(office, unit.code, unit.version)
    draft = written(office, draft, mode="innovation")
    grants = office.grants()
    assert amending.edition(grants, unit.code, 1).mode == "industry"
    assert amending.edition((), unit.code, 1).digest == unit.digest, "everybody may cite what is approved"
    with pytest.raises(NotFound):
        amending.edition((), unit.code, 2)

    # A draft that is deleted does not hide the approved version; another begins after it.
    drafting.delete(office, unit.code, draft.version, "no need")
    assert drafting.found(grants, unit.code).edition == 1
    draft = approved(written(office, amending.amend(office, unit.code, unit.version), mode="contiguous"))
    unit.refresh_from_db()
    assert (draft.edition, draft.state, unit.state) == (3, "approved", "amended")
    assert amending.digest(unit) == unit.digest, "the earlier version still says what was approved"
    assert draft.digest != unit.digest


@pytest.mark.rows("NK024")
def test_two_approved_units_may_not_lie_on_the_same_ground(office):
    approved(written(office, drawn(office, 0, 1), **WHOLE))
    beside = written(office, drawn(office, 1, 2, name="Two"), **WHOLE)
    assert [one.code for one in blocking_now(beside)] == ["overlap-approved"]
    put(beside, "consulted")
    with pytest.raises(Refused, match="lie in the unit One"), transaction.atomic():
        amending.approve(beside)
    with pytest.raises(IntegrityError), transaction.atomic():
        RedevelopmentUnit.objects.filter(pk=beside.pk).update(state="approved")
    adjoining = written(office, drawn(office, 3, 4, name="Three"), **WHOLE)
    assert blocking_now(adjoining) == []
    assert approved(adjoining).state == "approved"


@pytest.mark.rows("NK026")
def test_a_unit_is_approved_only_when_the_other_side_of_its_transfer_is_checked(office):
    one, other = drawn(office, 0, 1), drawn(office, 3, 4, name="Two")
    written(office, other, **WHOLE | {"requirements": WHOLE["requirements"] | {"total_floor_m2": 30_000}})
    transfer = {"type": "transfer", "quantity": 10, "uom": "m2", "basis": "b", "other_unit": other.code}
    one = written(office, one, **WHOLE | {"incentives": [transfer]})
    assert [problem.field for problem in amending.standing_against(one)] == ["transfer"]
    put(other, "checked")
    assert amending.standing_against(one) == []


@pytest.mark.rows("NK026", "NK027")
def test_a_draft_beside_an_approved_version_goes_only_where_both_say_the_same_of_their_transfers(office):
    one, other = drawn(office, 0, 1), drawn(office, 3, 4, name="Two")
    written(office, other, **WHOLE | {"requirements": WHOLE["requirements"] | {"total_floor_m2": 30_000}})
    transfer = {"type": "transfer", "quantity": 10, "uom": "m2", "basis": "b", "other_unit": other.code}
    one = written(office, one, **WHOLE | {"incentives": [transfer]})
    put(other, "checked")
    approved(one)
    other = approved(other)
    with transaction.atomic():
        draft = amending.amend(office, one.code, one.version)
        drafting.delete(office, draft.code, draft.version, "begun by mistake")
        transaction.get_connection().check_constraints()
    assert drafting.found(office.grants(), one.code).state == "approved"

    # Ended in the drafts of both, it may not come back in one of them alone.
    draft, beside = amending.amend(office, one.code, one.version), amending.amend(office, other.code, other.version)
    draft = written(office, draft, incentives=[])
    beside.refresh_from_db()
    assert beside.incentives == []
    for unit in (draft, beside):
        with pytest.raises(Refused, match="this draft ends that"):
            drafting.delete(office, unit.code, unit.version, "begun by mistake")


# --- opinions (NK076) --------------------------------------------------------------------------------------------


@pytest.mark.rows("NK076")
def test_a_round_closes_when_all_have_replied_or_the_day_has_passed(office, monkeypatch, django_assert_num_queries):
    unit = written(office, drawn(office, 0, 1), **WHOLE)
    due_on = consulting.today() + timedelta(days=5)
    with pytest.raises(Refused, match="checked"):
        consulting.ask(office, unit, ["education"], due_on)
    put(unit, "checked")
    assert not consulting.asked(unit)
    teacher, street = person("teacher", "R4", "education"), person("street", "R2", street=STREET)
    with pytest.raises(NotAllowed):
        consulting.ask(teacher, unit, ["education"], due_on)
    with pytest.raises(UsageError):
        consulting.ask(office, unit, ["education"], consulting.today() - timedelta(days=1))
    school, air = consulting.ask(office, unit, ["education", "ecology"], due_on, "What do you think?")
    with pytest.raises(Refused, match="asked about this version already"):
        consulting.ask(office, unit, ["ecology"], due_on)
    assert consulting.asked(unit)
    with django_assert_num_queries(2):  # the consultations, and once what the unit says: not once for each of them
        assert len(consulting.open_for(unit)) == 2
    assert list(consulting.waiting_for(teacher.grants())) == [school]
    assert not consulting.waiting_for(street.grants())

    with pytest.raises(NotAllowed):
        consulting.reply(teacher, air.pk, 1, "agrees", "")
    with pytest.raises(UsageError):
        consulting.reply(teacher, school.pk, 1, "objects", "")
    with pytest.raises(UsageError, match="paper"):
        consulting.reply(office, air.pk, 1, "agrees", "")
    consulting.reply(teacher, school.pk, 1, "objects", "No room for a school.")
    with pytest.raises(Stale):
        consulting.reply(teacher, school.pk, 1, "agrees", "")
    with pytest.raises(IntegrityError), transaction.atomic():
        Consultation.objects.filter(pk=school.pk).update(opinion="agrees")
    assert [one.department.code for one in consulting.objections(unit)] == ["education"]
    assert consulting.open_for(unit) == [air]

    monkeypatch.setattr(consulting, "today", lambda: due_on)
    assert consulting.open_for(unit) == [air], "the day itself still counts"
    monkeypatch.setattr(consulting, "today", lambda: due_on + timedelta(days=1))
    assert consulting.open_for(unit) == []
    consulting.reply(office, air.pk, 1, "agrees", "", "No. 7")  # late, and kept all the same

    # Opinions are on what was sent: of another record they say nothing.
    written(office, put(unit, "draft"), mode="innovation")
    put(unit, "checked")
    assert not consulting.asked(unit)
    assert len(consulting.of(unit)) == 2


# --- programmes (NK067) ------------------------------------------------------------------------------------------


@pytest.mark.rows("NK067")
def test_a_parcel_in_two_programmes_appears_once_with_both(office):
    written(office, drawn(office, 0, 1), programmes=["urban_renewal", "urban_village"])
    written(office, drawn(office, 1, 2, name="Two"), programmes=["urban_renewal"])
    rows = recording.programmes_by_parcel(DISTRICT, office.grants())
    assert [(row["code"], row["programmes"], len(row["units"])) for row in rows] == [
        (code(0), ["urban_village", "urban_renewal"], 1),
        (code(1), ["urban_village", "urban_renewal"], 2),
        (code(2), ["urban_renewal"], 1),
    ]
    assert recording.programmes_by_parcel(DISTRICT, ()) == [], "drafts and parcels are no business of the public"
