"""A district with one record that may be put into any state, and people of every role, for tests about moving it."""

from datetime import date

from django.contrib.auth.models import Group

from tests.town import square
from units import forms
from units.models import (
    CheckRun,
    CriteriaEdition,
    Department,
    Determination,
    District,
    FactSheet,
    Flag,
    FlagRun,
    FormTask,
    Parcel,
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
