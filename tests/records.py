"""A district with one record that may be put into any state, and people of every role, for tests about moving it."""

from datetime import date

from django.contrib.auth.models import Group

from tests.town import square
from units import forms, sealing
from units.models import (
    CheckRun,
    CriteriaEdition,
    Department,
    Determination,
    Disposal,
    District,
    Document,
    FactSheet,
    Flag,
    FlagRun,
    FormTask,
    LegacyLand,
    Parcel,
    RedevelopmentUnit,
    Scope,
    Street,
    Survey,
    User,
)
from units.rights import Role

NANKAI, HEPING = "120104", "120103"
HERE, ELSEWHERE = "120104001", "120104002"
PAPER = {"title": "认定意见", "number": "南资规〔2024〕7号", "dated": date(2024, 3, 20)}
ANSWERED = {"unknown_reason": "企业已注销"}
# What anybody says to a step, more than any one needs, so that only the role and the state decide.
SAID = {
    "reason": "长期空置",
    "comment": "请补充面积",
    "document": PAPER,
    "change": "change",
    "plan": "2025-3",
    "after": {"use": "0601", "floor_m2": "1200", "completed_on": "2024-03-01"},
    "on": date(2024, 3, 20),
}
EARLY = ("suspect", "assigned", "filling", "co_check", "checked")  # nothing is decided yet
SEALED_IN = ("district_ok", "submitted")
DEPARTMENTS = {Role.LEAD: "commerce", Role.CO: "tax"}


def build(places: int = 1) -> list[Parcel]:
    """A district that was flagged and checked, with so many candidate parcels in the street HERE."""
    for code in (NANKAI, HEPING):
        District.objects.get_or_create(code=code, defaults={"name": code, "srid": 4548})
    for street in (HERE, ELSEWHERE):
        Street.objects.get_or_create(code=street, defaults={"district_id": NANKAI, "name": street})
    for code in ("commerce", "tax", "planning", "finance"):
        Department.objects.get_or_create(district_id=NANKAI, code=code, defaults={"name": code})
    survey = Survey.objects.create(district_id=NANKAI, year=2022, state="in_force", activated_at="2023-01-01T00:00Z")
    edition = CriteriaEdition.objects.create(digest="0" * 64, name="town", title="Town", official=False, text="")
    run = FlagRun.objects.create(district_id=NANKAI, survey=survey, edition=edition)
    CheckRun.objects.create(district_id=NANKAI, survey=survey, edition="", ran_at="2024-01-01T00:00Z")
    parcels = []
    for number in range(places):
        parcel = Parcel.objects.create(
            survey=survey,
            district_id=NANKAI,
            street_id=HERE,
            code=f"120104001001GB{number:05d}",
            address=f"No. {number}",
            registered_use="0601",
            geom=square(number),
        )
        parcels.append(parcel)
        flagged(run, parcel)
    return parcels


def flagged(run: FlagRun, parcel: Parcel, outcome: str = "candidate", fired=("IND-FAR",), **inputs) -> Flag:
    """The flag of a parcel, with evidence of one rule; the one that was there is replaced."""
    values = {"far": 0.4} | inputs
    evidence = {
        "params": {"far_min": {"value": 1.0, "uom": "1"}},
        "inputs": {name: {"value": value, "uom": "1"} for name, value in values.items()},
        "rules": [{"id": name, "effect": "flag", "verdict": True} for name in fired],
    }
    Flag.objects.filter(parcel=parcel, criteria="town").delete()
    return Flag.objects.create(
        run=run,
        district_id=parcel.district_id,
        street_id=parcel.street_id,
        criteria="town",
        parcel=parcel,
        category="industrial",
        outcome=outcome,
        fired=list(fired),
        evidence=evidence,
    )


def person(role: Role, street: str | None = None, district: str | None = NANKAI, name: str = "") -> User:
    """Somebody of one role there; lead and co departments are the commerce and the tax bureau. Made once."""
    name = name or ".".join(filter(None, (role.value, street or district)))
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create(username=name, password="!")
        department = Department.objects.filter(district_id=district, code=DEPARTMENTS.get(role, "")).first()
        Scope.objects.create(
            user=user,
            group=Group.objects.get(name=role.value),
            district_id=district,
            street_id=street,
            department=department,
        )
    return User.objects.get(pk=user.pk)  # grants are read once a request


def record_of(parcel: Parcel, state: str = "suspect", **more) -> Determination:
    """A record of the parcel in a state, with a survey form that is complete and confirmed."""
    number = Determination.objects.count() + 1
    values = {"category": "industrial", "criteria": "town", "base_survey_year": 2022, "code": f"120104DX{number:06d}"}
    record = Determination.objects.create(
        district_id=parcel.district_id, street_id=parcel.street_id, parcel=parcel, state=state, **values | more
    )
    form_for(record)
    return record


def said(to: str, start: str = "checked") -> dict:
    """What is said to a step: with a result where the record is determined, not where it is returned."""
    return SAID | ({"result": "low"} if (start, to) == ("checked", "determined") else {})


def put(record: Determination, state: str, to: str = "") -> None:
    """The record in a state, as if it had come there: decided, sealed and listed as far as that state wants it.

    Determined ones are low-efficiency land where they go on, else undecided, so that they may be opened again.
    """
    office, paper = person(Role.OFFICE), None
    if state not in EARLY:
        paper = Document.objects.get_or_create(district_id=record.district_id, title="认定意见", added_by=office)[0]
    values = {"result": "", "sealed": None, "listed_since": None, "listed_until": None, "listed_in": None}
    if state not in EARLY:
        low = state != "determined" or to == "mapped"
        values |= {"result": "low" if low else "undecided", "reason": "税收不详", "document": paper}
        values |= {"decided_at": "2024-03-20T00:00Z", "decided_by": office, "reason_codes": ["IND-FAR"]}
    if state in ("in_force", "updating", "in_project"):
        values["listed_since"] = "2024-03-31"
    Determination.objects.filter(pk=record.pk).update(state=state, **values)
    if state in SEALED_IN:
        made = sealing.seal("record", record.district_id, [record.code], person(Role.DISTRICT), paper)
        Determination.objects.filter(pk=record.pk).update(sealed=made)


def form_for(record: Determination) -> FactSheet:
    """The form of a record with a lead and a co department, every required fact answered and confirmed."""
    lead = Department.objects.get(district_id=record.district_id, code="commerce")
    state = record.state if record.state in FactSheet.State else "assigned"
    sheet = FactSheet.objects.create(
        determination=record,
        parcel_id=record.parcel_id,
        street_id=record.street_id,
        category=record.category,
        lead=lead,
        due_on=date(2024, 2, 29),
        state=state,
    )
    for cell in forms.cells(sheet):
        getattr(sheet, cell.field.group)[cell.key] = dict(ANSWERED)
    sheet.save()
    FormTask.objects.create(sheet=sheet, department=lead, part="lead", groups=list(forms.GROUPS))
    tax = Department.objects.get(district_id=record.district_id, code="tax")
    FormTask.objects.create(
        sheet=sheet,
        department=tax,
        part="co",
        groups=["economy"],
        verdict={"economy": {"verdict": "confirmed"}},
    )
    return sheet


# --- legacy land and units ----------------------------------------------------------------------------------------


def legacy_in(state: str = "draft", code: str = "L1", number: int = 30, **more) -> LegacyLand:
    """A legacy polygon of the street HERE, used since 1990 and tested as class L2 where it is that far."""
    values = {"used_since": date(1990, 5, 1), "penalty_number": "罚〔2018〕1号", "penalty_closed_on": date(2018, 6, 20)}
    land = LegacyLand.objects.create(
        district_id=NANKAI, street_id=HERE, code=code, geom=square(number), **values | more
    )
    put_legacy(land, state)
    return land


def put_legacy(land: LegacyLand, state: str, route: str = "L2") -> None:
    """The polygon in a state, as if it had come there."""
    values: dict = {"sealed": None, "route": "", "worksheet": {}}
    if state not in ("draft", "evidence"):
        values |= {"route": route, "worksheet": {"split": False, "gates": {}, "area_m2": 1.0, "eligible_m2": 1.0}}
    LegacyLand.objects.filter(pk=land.pk).update(state=state, **values)
    if state in SEALED_IN:
        office = person(Role.OFFICE)
        paper = Document.objects.get_or_create(district_id=land.district_id, title="同意意见", added_by=office)[0]
        made = sealing.seal("legacy", land.district_id, [land.code], person(Role.DISTRICT), paper)
        LegacyLand.objects.filter(pk=land.pk).update(sealed=made)


def put_stage(land: LegacyLand, stage: str, route: str = "L2") -> None:
    """The disposal of an accepted polygon at a stage: every stage before it was reached."""
    stages = ["opened", "violation_handled", "documents_complete", "district_consent", "city_approval", "title"]
    put_legacy(land, "accepted", route)
    Disposal.objects.filter(legacy=land).delete()
    reached = stages[: stages.index(stage) + 1] if stage in stages else [*stages, "closed"] if stage else []
    office = person(Role.OFFICE)
    Disposal.objects.bulk_create(
        Disposal(legacy=land, stage=one, on=date(2024, 5, 1), by=office)
        for one in reached
        if one != "city_approval" or route == "L2"
    )


def unit_in(state: str = "draft", code: str = "120104DY0001", number: int = 40) -> RedevelopmentUnit:
    """A unit of the street HERE, drawn by the office."""
    return RedevelopmentUnit.objects.create(
        district_id=NANKAI,
        street_id=HERE,
        code=code,
        name="单元",
        state=state,
        base_survey_year=2022,
        created_by=person(Role.OFFICE),
        geom=square(number),
    )
