"""Make the survey forms of suspected land and put each before the departments and the street that fill it."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from units import forms
from units.errors import UsageError
from units.forms import GROUPS, KIND, STREETS, Form
from units.models import Campaign, Department, Determination, FactSheet, FormTask, User

PARTS = (Path(__file__).parent / "sql" / "campaign" / "parts.sql").read_text(encoding="utf-8")


def formed(
    record: Determination,
    *,
    by: User,
    lead: Department | None = None,
    due_on: date | None = None,
    campaign: Campaign | None = None,
) -> FactSheet:
    """The form of one record, made with the parts of its departments; without a lead, the first of its category's.

    It belongs to the campaign that is open in the district, if one is.
    """
    campaign = campaign or under_way(record.district_id)
    return all_formed([record], by=by, lead=lead, due_on=due_on, campaign=campaign)[0]


@transaction.atomic
def all_formed(
    records: Iterable[Determination],
    *,
    by: User,
    lead: Department | None = None,
    due_on: date | None = None,
    campaign: Campaign | None = None,
) -> list[FactSheet]:
    """The forms of many records of one district, one for each of a category that has a form (NK081–NK085).

    The due date is the given one, else the campaign's, else that of the form's data file.
    """
    records = [one for one in records if one.category in forms.forms()]
    if not records:
        return []
    districts = {one.district_id for one in records}
    if len(districts) > 1:
        raise UsageError(_("Forms are made for one district at a time."))
    register = Departments(districts.pop())
    parts = parts_of(records)
    uses = {
        one.pk: (one.parcel.registered_use, one.parcel.use_scheme)
        for one in Determination.objects.filter(pk__in=[one.pk for one in records], parcel__isnull=False)
        .select_related("parcel")
        .only("pk", "parcel__registered_use", "parcel__use_scheme")
    }
    sheets = []
    for record in records:
        form = forms.of(record.category)
        sheets.append(
            FactSheet(
                campaign=campaign,
                determination=record,
                parcel_id=record.parcel_id,
                building_id=record.building_id,
                street_id=record.street_id,
                category=record.category,
                kind=form.kind_of(*uses[record.pk]) if record.pk in uses else "",
                parts=parts.get(record.pk, {}),
                lead=lead or register.first(form, record.street_id),
                due_on=due_on or (campaign.due_on if campaign else form.due),
            )
        )
    FactSheet.objects.bulk_create(sheets)
    tasks = [task for sheet in sheets for task in tasks_of(sheet, forms.of(sheet.category), register, by)]
    FormTask.objects.bulk_create(tasks)
    return sheets


def taken_over(sheets: QuerySet[FactSheet], campaign: Campaign | None) -> None:
    """Let those of these forms that stand in a closed campaign go on in one that is open, due on its day."""
    left = sheets.filter(campaign__state=Campaign.State.CLOSED).select_for_update(of=("self",))
    left = list(left.values_list("pk", flat=True)) if campaign is not None else []
    if left:
        FactSheet.objects.filter(pk__in=left).update(campaign=campaign, due_on=campaign.due_on)
        FormTask.objects.filter(sheet__in=left).update(due_on=campaign.due_on)


def under_way(district: str) -> Campaign | None:
    """The campaign that is open in a district."""
    return Campaign.objects.filter(district=district, state=Campaign.State.OPEN).first()


def tasks_of(sheet: FactSheet, form: Form, register: "Departments", by: User) -> list[FormTask]:
    """The parts of one form: its lead departments with the street's office, and the co departments it names."""
    given = {"sheet": sheet, "due_on": sheet.due_on, "assigned_by": by}
    leads = dict.fromkeys(filter(None, (sheet.lead, *register.of(form.lead, sheet.street_id))))
    tasks = [FormTask(department=one, part=FormTask.Part.LEAD, groups=list(GROUPS), **given) for one in leads]
    # Of the nine co departments of a facility only the one that owns its kind is asked, once the kind is known (NK085).
    names = [sheet.kind if name == KIND else name for name in form.co]
    for one in register.of(filter(None, names), sheet.street_id):
        if one not in leads:
            groups = list(form.asked_of(one.code))
            tasks.append(FormTask(department=one, part=FormTask.Part.CO, groups=groups, **given))
    return tasks


class Departments:
    """The departments of one district, by code, and the offices of its streets."""

    def __init__(self, district: str):
        known = list(Department.objects.filter(district=district))
        self.by_code = {one.code: one for one in known}
        self.by_street = {one.street_id: one for one in known if one.street_id}

    def of(self, codes: Iterable[str], street: str | None) -> list[Department]:
        """Those of these codes that the district has; “streets” stands for the office of the form's own street."""
        found = [self.by_street.get(street) if code == STREETS else self.by_code.get(code) for code in codes]
        return [one for one in found if one is not None]

    def first(self, form: Form, street: str | None) -> Department | None:
        """Who leads where the office names nobody: the first lead department of the form that the district has."""
        return next(iter(self.of(form.lead, street)), None)


def parts_of(records: Iterable[Determination]) -> dict[int, dict[str, list[dict]]]:
    """The buildings and firms that the form of each record asks about: {record: {building: […], firm: […]}}."""
    subjects = {
        ("parcel", one.parcel_id) if one.parcel_id else ("building", one.building_id): one.pk for one in records
    }
    found: dict[int, dict[str, list[dict]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            PARTS,
            {f"{kind}s": [subject for named, subject in subjects if named == kind] for kind in ("parcel", "building")},
        )
        for kind, subject, part, listed in cursor.fetchall():
            told = json.loads(listed) if isinstance(listed, str) else listed
            found.setdefault(subjects[kind, subject], {})[part] = told
    return found


def ask_kind(sheet: FactSheet, kind: str, by: User) -> None:
    """Ask the department that owns the kind of a facility instead of the one asked before."""
    if kind == sheet.kind:
        return
    sheet.tasks.filter(part=FormTask.Part.CO, department__code=sheet.kind).delete()
    sheet.kind = kind
    register = Departments(sheet.subject.district_id)
    known = set(sheet.tasks.values_list("department", flat=True))
    form = forms.of(sheet.category)
    FormTask.objects.bulk_create(
        [task for task in tasks_of(sheet, form, register, by) if task.department_id not in known]
    )
