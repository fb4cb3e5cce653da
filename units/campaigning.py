"""Run a survey campaign: open it, fill its forms, confirm or return them, and see how far everybody is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pghistory
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from units import distributing, entering, forms, moving
from units.errors import NotAllowed, NotFound, Refused, Stale, Unfit, UnknownName, UsageError
from units.forms import GROUPS, KIND, LEAD, Cell, Field, Wrong
from units.models import (
    Campaign,
    Category,
    Department,
    Determination,
    District,
    FactSheet,
    FormTask,
    Survey,
    User,
)
from units.rights import Grant, Role, may, sees_figures
from units.workflow import ASSIGNED, CO_CHECK, FILLING, SUSPECT

PROGRESS = (Path(__file__).parent / "sql" / "campaign" / "progress.sql").read_text(encoding="utf-8")
LONGEST = 500  # characters of a reason or comment
YEARS = range(2000, 2101)
# Who reads every form of his place; street offices read those of their streets, departments those they are asked.
READERS = frozenset({Role.ANALYST, Role.OFFICE, Role.DISTRICT, Role.BUREAU})
FILLERS = frozenset({Role.LEAD, Role.CO})
OPEN = (ASSIGNED, FILLING)  # states in which everybody fills what is his


# --- the campaign ------------------------------------------------------------------------------------------------


def open_campaign(
    district_code: str, by: User, *, year: int | None = None, title: str = "", due_on: date | None = None
) -> Campaign:
    """Open the campaign of a district over its survey in force, with a form for each suspect that rules raised.

    What an earlier campaign left unfinished goes on in this one. Without a day the forms are due when their data files
    say (NK081). Raises NotAllowed, UnknownName, and Refused where
    a campaign is open or no survey is in force.
    """
    district = District.objects.filter(code=district_code).first()
    if district is None:
        raise UnknownName(district_code[:20], District.objects.values_list("code", flat=True), _("district"))
    _office(by, district_code)
    survey = Survey.objects.filter(district=district, state=Survey.State.IN_FORCE).first()
    if survey is None:
        raise Refused(
            _("The district %(district)s has no survey in force.") % {"district": district_code},
            _("Put one in force first."),
        )
    year = year or survey.year
    if year not in YEARS:
        raise UsageError(_("%(year)d is no year of a survey campaign.") % {"year": year}, _("Look at the year."))
    with transaction.atomic(), pghistory.context(user=by.pk, action="campaign opened"):
        try:
            with transaction.atomic():
                campaign = Campaign.objects.create(
                    district=district,
                    survey=survey,
                    year=year,
                    title=_text(title, 120) or _("Survey of low-efficiency land %(year)d") % {"year": year},
                    due_on=due_on or max(form.due for form in forms.forms().values()),
                    opened_by=by,
                )
        except IntegrityError:
            raise Refused(
                _("A survey campaign is open in district %(district)s already.") % {"district": district_code},
                _("Close it first, or distribute further forms in it."),
                code="already",
            ) from None
        distribute(campaign, by)
    return campaign


def version_of(campaign: Campaign) -> int:
    """A number that is another one after every step of the campaign: its history grew, or its forms did."""
    kept = Campaign.pgh_event_model.objects.filter(pgh_obj_id=campaign.pk).count()
    return kept + campaign.sheets.count()


def _check_campaign(campaign: Campaign, version: int | None) -> None:
    """Lock the campaign; Stale where somebody closed it or distributed forms since that version."""
    row = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    if version is not None and version != version_of(row):
        raise Stale(
            _("Somebody else has distributed forms of this campaign, or closed it, meanwhile."),
            _("Look at the campaign again, and repeat the step if it is still right."),
            theirs={"version": version_of(row), "state": row.state},
        )
    campaign.state = row.state


@transaction.atomic
def distribute(
    campaign: Campaign, by: User, codes: Iterable[str] | None = None, version: int | None = None
) -> list[FactSheet]:
    """Make and send out the forms of suspects that have none: all that rules raised, or the records of these codes.

    What a person raised by hand is sent out by its code alone: that is its approval (NJ009). Without codes, forms that
    a closed campaign left unfinished, or whose record was opened again since, go on in this one.
    """
    _office(by, campaign.district_id)
    _check_campaign(campaign, version)
    _is_open(campaign)
    if codes is None:
        _go_on(campaign, by)
    waiting = Determination.objects.filter(
        district=campaign.district_id, state=SUSPECT, category__in=forms.forms()
    ).order_by("code")
    waiting = waiting.filter(raised_by=None) if codes is None else waiting.filter(code__in=list(codes))
    with transaction.atomic(), pghistory.context(user=by.pk, action="forms distributed"):
        records = list(waiting.select_for_update(of=("self",)))
        sheets = distributing.all_formed(records, by=by, campaign=campaign)
        for sheet in sheets:
            moving.move(sheet.determination, ASSIGNED, by)
            sheet.state = ASSIGNED
    return sheets


def _go_on(campaign: Campaign, by: User) -> None:
    """Take over what closed campaigns left unfinished: a record that is being surveyed never waits for nobody."""
    with transaction.atomic(), pghistory.context(user=by.pk, action="form taken over"):
        unfinished = FactSheet.objects.filter(state__in=(*OPEN, CO_CHECK))
        distributing.taken_over(unfinished.filter(determination__district=campaign.district_id), campaign)


@transaction.atomic
def close(campaign: Campaign, by: User, version: int | None = None) -> Campaign:
    """End a campaign: its forms stay as they are and take nothing any more, until another campaign takes them over."""
    _office(by, campaign.district_id)
    _check_campaign(campaign, version)
    _is_open(campaign)
    with transaction.atomic(), pghistory.context(user=by.pk, action="campaign closed"):
        campaign.state, campaign.closed_by, campaign.closed_at = Campaign.State.CLOSED, by, timezone.now()
        campaign.save(update_fields=["state", "closed_by", "closed_at"])
    return campaign


def campaigns(grants: Iterable[Grant]) -> QuerySet[Campaign]:
    """The campaigns of the districts in which these grants read or fill forms."""
    found = Q(pk__in=[])
    for grant in grants:
        if grant.role in READERS | FILLERS | {Role.STREET}:
            district = grant.district or (grant.street[:6] if grant.street else None)
            found |= Q(district=district) if district else Q()
            if not district:
                return Campaign.objects.all()
    return Campaign.objects.filter(found)


def may_read(grants: Iterable[Grant]) -> bool:
    """Whether someone with these grants has anything to do with survey forms."""
    return any(one.role in READERS | FILLERS | {Role.STREET} for one in grants)


def campaign_of(number: int, grants: Iterable[Grant]) -> Campaign:
    """The campaign with this number; NotFound where there is none that these grants see."""
    found = campaigns(grants).select_related("district", "survey").filter(pk=number).first()
    if found is None:
        raise NotFound(
            _("There is no such survey campaign, or none that you may see."), _("Choose one of the list of campaigns.")
        )
    return found


def progress(campaign: Campaign, grants: Iterable[Grant]) -> dict:
    """How far the forms that these grants see are: {total, state{}, department[], street[], category[]}.

    Of each department, street and category: forms, done, overdue, and checked. Every number is a count of rows.
    """
    told: dict = {"total": 0, "state": {}, "department": [], "street": [], "category": []}
    sheets = list(visible(grants).filter(campaign=campaign).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        values = {"campaign": campaign.pk, "sheets": sheets, "today": timezone.localdate()}
        cursor.execute(PROGRESS, values)
        for of, code, name, part, count, done, overdue, checked in cursor.fetchall():
            if of == "state":
                told["state"][code] = count
                told["total"] += count
                continue
            row = {"code": code, "name": name, "forms": count, "done": done, "overdue": overdue}
            if of == "department":
                row["part"] = part
            else:
                row["checked"] = checked
            told[of].append(row)
    told["category"].sort(key=lambda row: Category.values.index(row["code"]))
    for row in told["category"]:
        row["name"] = str(Category(row["code"]).label)
    return told


# --- who sees and writes what ------------------------------------------------------------------------------------


def visible(grants: Iterable[Grant]) -> QuerySet[FactSheet]:
    """The forms that someone with these grants sees.

    A department sees those it has a part in, so the education bureau sees no facility but its own (NK085); a street
    office sees its street's; the office, the analyst, the district and the bureau all of their district.
    """
    found = Q(pk__in=[])
    for grant in grants:
        place = Q(determination__isnull=False)
        district = grant.district or (grant.street[:6] if grant.street else None)
        if district:
            place &= Q(determination__district=district)
        if grant.street:
            place &= Q(street=grant.street)
        if grant.role in READERS or grant.role == Role.STREET:
            found |= place
        elif grant.role in FILLERS and grant.department:
            asked = FormTask.objects.filter(sheet=OuterRef("pk"), department__code=grant.department)
            found |= place & Q(Exists(asked))
    return FactSheet.objects.filter(found)


def sheet_of(number: int, grants: Iterable[Grant]) -> FactSheet:
    """The form with this number; NotFound where there is none that these grants see."""
    found = (
        visible(grants)
        .select_related(
            "campaign__survey",
            "campaign__district",
            "determination",
            "parcel__survey",
            "building__survey",
            "street",
            "lead",
        )
        .defer("parcel__geom", "building__geom")
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise NotFound(
            _("There is no such survey form, or none that you may see."), _("Choose one of the list of the campaign.")
        )
    return found


@dataclass(frozen=True)
class Hand:
    """What somebody with some grants may do with one form."""

    sheet: FactSheet
    tasks: tuple[FormTask, ...]  # the parts of the departments he acts for
    figures: bool  # whether he may read what firms pay
    office: bool

    @classmethod
    def of(cls, sheet: FactSheet, grants: Iterable[Grant]) -> "Hand":
        grants = tuple(grants)
        district = sheet.determination.district_id if sheet.determination_id else sheet.subject.district_id
        mine = [one for one in grants if one.district in (None, district) and one.street in (None, sheet.street_id)]

        def acts(task: FormTask) -> bool:
            named = {one.department for one in mine if one.role in FILLERS}
            street = task.department.street_id
            at_the_street = any(one.role == Role.STREET for one in mine)
            return task.department.code in named or bool(street and street == sheet.street_id and at_the_street)

        return cls(
            sheet,
            tuple(one for one in sheet.tasks.select_related("department").order_by("pk") if acts(one)),
            sees_figures(grants, district, sheet.street_id),
            may(grants, {Role.OFFICE}, district, sheet.street_id),
        )

    def reads(self, cell: Cell) -> bool:
        """Figures of firms are for R3–R5 of the district and the bureau (workflow 4.1)."""
        return self.figures or not cell.field.restricted

    def writer(self, cell: Cell) -> FormTask | None:
        """The part by which he may write this cell, as far as departments go; None where it is another's."""
        if not self.reads(cell):
            return None
        owner = self.sheet.kind if cell.field.owner == KIND else cell.field.owner
        for task in self.tasks:
            if owner == LEAD:
                added = task.part == FormTask.Part.ADDED and cell.field.group in task.groups
                if task.part == FormTask.Part.LEAD or (added and not cell.field.restricted):
                    return task
            elif owner and task.department.code == owner:
                return task
        return None

    def open(self, cell: Cell) -> bool:
        """Whether the form still takes this cell: while it is filled, and a co department's also while it confirms."""
        if self.sheet.campaign_id and self.sheet.campaign.state != Campaign.State.OPEN:
            return False
        return self.sheet.state in OPEN or (self.sheet.state == CO_CHECK and cell.field.owner != LEAD)

    def writes(self, cell: Cell) -> bool:
        return self.open(cell) and self.writer(cell) is not None

    def answers_for(self, group: str) -> list[FormTask]:
        """His parts as a co department, or an added one, in this group."""
        return [one for one in self.tasks if one.part != FormTask.Part.LEAD and group in one.groups]

    @property
    def leads(self) -> bool:
        return any(one.part == FormTask.Part.LEAD for one in self.tasks)


# --- one form ----------------------------------------------------------------------------------------------------


def reading(sheet: FactSheet, grants: Iterable[Grant]) -> dict:
    """One form as these grants see it: its three groups cell by cell, what is missing and whose, its parts and papers.

    Plain values. A figure that may not be read has `hidden` and no value, but it is told that it is missing.
    """
    grants = tuple(grants)
    hand = Hand.of(sheet, grants)
    form = forms.of(sheet.category)
    there = entering.register_values([sheet])[sheet.pk]
    names = forms.owner_names(sheet)
    absent = forms.missing(sheet)
    without = {one.cell for one in absent}
    groups: dict[str, list[dict]] = {group: [] for group in GROUPS}
    for cell in forms.cells(sheet):
        given, field = forms.answer(sheet, cell), cell.field
        hidden = not hand.reads(cell)
        owner = forms.owner_of(sheet, field)
        told = {
            "cell": cell.key,
            "field": field.name,
            "title": str(field),
            "part": cell.part and {"id": cell.part["id"], "name": cell.part["name"] or cell.part["code"]},
            "each": field.each,
            "type": field.type,
            "uom": field.uom,
            "unit": field.unit,
            "hint": field.help,
            "choices": [{"value": one.value, "title": str(one)} for one in field.choices],
            "decimals": field.decimals if field.type == "number" else 0,
            "required": forms.wanted(sheet, cell),
            "asked": forms.asked(sheet, cell),
            "when": dict(field.when),
            "owner": owner,
            "owner_name": names.get(owner, owner),
            "hidden": hidden,
            "missing": cell.key in without,
            "may_write": hand.writes(cell),
            "mine": hand.writer(cell) is not None,
        }
        if not hidden:
            told |= {
                "value": given.get("value"),
                "shown": field.shown(given.get("value")),
                "unknown_reason": given.get("unknown_reason", ""),
                "register": there[cell.key],
                "register_shown": field.shown(there[cell.key]),
            }
            if given:
                told |= {name: given.get(name, "") for name in ("by_name", "department", "at")}
        groups[field.group].append(told)
    state = FactSheet.State(sheet.state)
    runs = not sheet.campaign_id or sheet.campaign.state == Campaign.State.OPEN
    return {
        "id": sheet.pk,
        "version": sheet.version,
        "category": sheet.category,
        "form": str(form),
        "remark": form.remark,
        "basis": form.basis,
        "subject": sheet.subject.code,
        "kind_of_subject": "parcel" if sheet.parcel_id else "building",
        "record": sheet.determination.code if sheet.determination_id else "",
        "state": sheet.state,
        "state_title": str(state.label),
        "due_on": sheet.due_on and sheet.due_on.isoformat(),
        "overdue": bool(sheet.due_on and sheet.due_on < timezone.localdate() and sheet.state in OPEN),
        "street": sheet.street.name if sheet.street_id else "",
        "lead": sheet.lead.name if sheet.lead_id else "",
        "groups": [
            {"name": name, "title": str(title), "cells": groups[name], "tasks": _verdicts(hand, name)}
            for name, title in GROUPS.items()
        ],
        "missing": [
            {"cell": one.cell, "title": one.title, "group": one.group, "owner": one.owner, "owner_name": one.owner_name}
            for one in absent
        ],
        "tasks": [_task(one, hand) for one in sheet.tasks.select_related("department", "assigned_by").order_by("pk")],
        "may": {
            "submit": runs and hand.leads and sheet.state == FILLING and _filler(grants, Role.LEAD, hand),
            "confirm": runs and sheet.state == CO_CHECK and any(one.part != FormTask.Part.LEAD for one in hand.tasks),
            "assign": runs and hand.office and sheet.state in OPEN,
            "attach": runs and bool(hand.tasks) and sheet.state in (*OPEN, CO_CHECK),
        },
    }


def _filler(grants: tuple[Grant, ...], role: Role, hand: Hand) -> bool:
    codes = {one.department.code for one in hand.tasks if one.part == FormTask.Part.LEAD}
    return any(one.role == role and one.department in codes for one in grants)


def _name(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def _task(task: FormTask, hand: Hand) -> dict:
    return {
        "department": task.department.code,
        "name": task.department.name,
        "part": task.part,
        "part_title": str(FormTask.Part(task.part).label),
        "groups": task.groups,
        "due_on": task.due_on and task.due_on.isoformat(),
        "mine": task in hand.tasks,
        "reason": task.reason,
        "asked_by": _name(task.assigned_by) if task.part == FormTask.Part.ADDED else "",
        "unconfirmed": [] if task.part == FormTask.Part.LEAD else forms.unconfirmed(task),
    }


def _verdicts(hand: Hand, group: str) -> list[dict]:
    told = []
    for task in hand.sheet.tasks.select_related("department").exclude(part=FormTask.Part.LEAD).order_by("pk"):
        if group in task.groups:
            said = task.verdict.get(group, {})
            told.append(
                {
                    "department": task.department.code,
                    "name": task.department.name,
                    "verdict": said.get("verdict", ""),
                    "comment": said.get("comment", ""),
                    "by_name": said.get("by_name", ""),
                    "at": said.get("at", ""),
                    "mine": task in hand.tasks,
                }
            )
    return told


def fill(sheet: FactSheet, values: dict, by: User, version: int | None = None) -> list[str]:
    """Write some cells of a form; the keys of those that changed.

    `values` is {cell: {"value": …} | {"unknown_reason": "…"} | None}: a value, the reason why none can be had
    (无法取得), or nothing again. `version` is that of the form as the writer saw it: what others wrote since in
    *other* cells stays, and only where the same cell was written since, nothing is saved and Stale tells what it is
    now. Raises NotAllowed for a cell that is another department's, Unfit with every value that is wrong; then nothing
    is saved.
    """
    with transaction.atomic(), pghistory.context(user=by.pk, action="form filled"):
        if sheet.determination_id:  # the order in which a move locks, too
            Determination.objects.select_for_update().get(pk=sheet.determination_id)
        row = FactSheet.objects.select_for_update(of=("self",)).select_related("campaign__survey").get(pk=sheet.pk)
        changed = _written(row, values, by, version)
        if changed and row.state == ASSIGNED and row.determination_id:
            roles = {one.role for one in by.grants()}
            if roles & {Role.STREET, Role.LEAD} and Hand.of(row, by.grants()).leads:
                moving.move(row.determination, FILLING, by)
    sheet.refresh_from_db()
    return changed


def _written(row: FactSheet, values: dict, by: User, version: int | None) -> list[str]:
    hand = Hand.of(row, by.grants())
    known = {cell.key: cell for cell in forms.cells(row)}
    for key in values:
        if key not in known:
            raise UnknownName(str(key)[:80], known, _("field of the form"))
    _refuse_others([known[key] for key in values], hand)
    news, wrong = {}, []
    for key, told in values.items():
        try:
            news[key] = _news(known[key], told)
        except Wrong as error:
            wrong.append(_problem(known[key], error))
    for key in news:
        try:
            _compare(row, known[key], news, known)
        except Wrong as error:
            wrong.append(_problem(known[key], error))
    if wrong:
        raise Unfit(
            _("%(count)d answers cannot be taken.") % {"count": len(wrong)},
            _("Nothing was saved yet: put them right and save again."),
            problems=wrong,
        )
    changed = {key: new for key, new in news.items() if not _same(forms.answer(row, known[key]), new)}
    if version is not None:
        theirs = {
            key: _told(known[key], forms.answer(row, known[key]))
            for key in changed
            if forms.answer(row, known[key]).get("v", 0) > version
        }
        if theirs:
            raise Stale(
                _("Somebody else wrote %(count)d of these answers meanwhile.") % {"count": len(theirs)},
                _("Look at what stands there now, and save again what is still right."),
                theirs={"version": row.version, "cells": theirs},
            )
    if not changed:
        return []
    row.version += 1
    now = timezone.localtime().isoformat(timespec="seconds")
    for key, new in changed.items():
        task = hand.writer(known[key])
        about = {"by": by.pk, "by_name": _name(by), "at": now, "v": row.version}
        getattr(row, known[key].field.group)[key] = new | about | {"department": task.department.name}
    if "facility_kind" in changed:
        distributing.ask_kind(row, changed["facility_kind"].get("value") or "", by)
    _ask_again(row, {known[key].field.group for key in changed})
    row.save()
    return list(changed)


def _ask_again(row: FactSheet, groups: set[str]) -> None:
    """What was confirmed of a group holds no longer once the group says something else."""
    for task in row.tasks.exclude(part=FormTask.Part.LEAD):
        before = {g: one for g, one in task.verdict.items() if g in groups and one.get("verdict") == "confirmed"}
        if before:
            task.verdict = {g: one for g, one in task.verdict.items() if g not in before}
            task.save(update_fields=["verdict"])


def still_open(sheet: FactSheet) -> None:
    """Raise Refused where the campaign of the form is closed: it takes nothing any more."""
    if sheet.campaign_id and sheet.campaign.state != Campaign.State.OPEN:
        raise Refused(_("The survey campaign is closed."), _("Its forms take nothing any more."), code="closed")


def _refuse_others(wanted: list[Cell], hand: Hand) -> None:
    row = hand.sheet
    still_open(row)
    for cell in wanted:
        if hand.writer(cell) is None:
            names = forms.owner_names(row)
            owner = forms.owner_of(row, cell.field)
            raise NotAllowed(
                _("“%(field)s” is written by %(owner)s alone.")
                % {"field": cell.title, "owner": names.get(owner, owner)},
                _("Ask them, or leave it out."),
            )
        if not hand.open(cell):
            raise Refused(
                _("The form is “%(state)s”: “%(field)s” is not filled in now.")
                % {"state": FactSheet.State(row.state).label, "field": cell.title},
                _("A co department or the office can send it back to be filled."),
                code="state",
            )


def _news(cell: Cell, told) -> dict:
    if told is None:
        return {"value": None}
    if not isinstance(told, dict) or len(told) != 1 or set(told) - {"value", "unknown_reason"}:
        raise Wrong(_("It is neither a value nor a reason."), _('Write {"value": …} or {"unknown_reason": "…"}.'))
    if "unknown_reason" in told:
        reason = told["unknown_reason"]
        if not isinstance(reason, str) or not reason.strip():
            raise Wrong(_("无法取得 needs a reason."), _("Say in a sentence why it cannot be had."))
        if len(reason.strip()) > LONGEST or "\0" in reason:
            raise Wrong(_("It is longer than %(most)d characters.") % {"most": LONGEST}, _("Shorten it."))
        return {"unknown_reason": reason.strip()}
    value = told["value"]
    if isinstance(value, dict):
        raise Wrong(_("It is neither a value nor a reason."), _('Write {"value": …} or {"unknown_reason": "…"}.'))
    return {"value": forms.parsed(cell.field, value)}


def _compare(row: FactSheet, cell: Cell, news: dict, known: dict[str, Cell]) -> None:
    """No more of a building can be vacant than there is, whichever of the two is written."""

    def at(field: Field) -> str:
        return f"{field.name}@{cell.part['id']}" if cell.part else field.name

    def told(field: Field) -> Decimal | None:
        given = (news.get(at(field)) or forms.answer(row, known[at(field)])).get("value")
        return None if given is None else Decimal(given)

    form = forms.of(row.category)
    for part in form.fields:
        if not part.most or cell.field.name not in (part.name, part.most):
            continue
        whole = form.field(part.most)
        if cell.field is whole and at(part) in news:  # then it is told of the part
            continue
        less, more = told(part), told(whole)
        if less is None or more is None or less <= more:
            continue
        if cell.field is part:
            message = _("It is more than “%(other)s”, which is %(limit)s.") % {"other": whole, "limit": f"{more:f}"}
        else:
            message = _("It is less than “%(other)s”, which is %(limit)s.") % {"other": part, "limit": f"{less:f}"}
        raise Wrong(message, _("Look at both again."))


def _same(given: dict, new: dict) -> bool:
    return (given.get("value"), given.get("unknown_reason")) == (new.get("value"), new.get("unknown_reason"))


def _told(cell: Cell, given: dict) -> dict:
    told = {name: given.get(name, "") for name in ("by_name", "department", "at", "unknown_reason")}
    return told | {"value": given.get("value"), "shown": cell.field.shown(given.get("value"))}


def _problem(cell: Cell, error: Wrong) -> dict:
    return {"cell": cell.key, "title": cell.title, "message": error.message, "hint": error.hint}


def _check_version(sheet: FactSheet, version: int | None) -> None:
    """Raise Stale where the form says something else by now than what somebody says yes or no to."""
    if version in (None, sheet.version):
        return
    raise Stale(
        _("Somebody else has written in this form meanwhile."),
        _("Look at what stands there now, and repeat the step if it is still right."),
        theirs={"version": sheet.version, "state": sheet.state},
    )


@transaction.atomic
def submit(sheet: FactSheet, by: User, comment: str = "", version: int | None = None) -> None:
    """A lead department hands the form to the co departments: state co_check, when nothing is missing."""
    still_open(sheet)
    Determination.objects.select_for_update().get(pk=sheet.determination_id)
    _check_version(FactSheet.objects.select_for_update(of=("self",)).get(pk=sheet.pk), version)
    moving.move(sheet.determination, CO_CHECK, by, comment=_text(comment))
    sheet.refresh_from_db()


def confirm(sheet: FactSheet, group: str, by: User, comment: str = "", version: int | None = None) -> None:
    """A co department's yes to what the form says in a group."""
    _said(sheet, group, by, "confirmed", _text(comment), version)


def send_back(sheet: FactSheet, group: str, by: User, comment: str, version: int | None = None) -> None:
    """A co department's no, with what is wrong: the form goes back to be filled."""
    comment = _text(comment)
    if not comment:
        raise Refused(_("Who sends a form back says what is wrong with it."), _("Write a comment."), code="comment")
    with transaction.atomic():
        _said(sheet, group, by, "returned", comment, version)
        moving.move(sheet.determination, FILLING, by, comment=f"{GROUPS[group]}: {comment}")
    sheet.refresh_from_db()


def _said(sheet: FactSheet, group: str, by: User, verdict: str, comment: str, version: int | None) -> None:
    if group not in GROUPS:
        raise UnknownName(group[:40], GROUPS, _("group of facts"))
    with transaction.atomic(), pghistory.context(user=by.pk, action=f"group {verdict}"):
        if sheet.determination_id:
            Determination.objects.select_for_update().get(pk=sheet.determination_id)
        row = FactSheet.objects.select_for_update(of=("self",)).get(pk=sheet.pk)
        tasks = Hand.of(row, by.grants()).answers_for(group)
        still_open(row)
        if not tasks:
            raise NotAllowed(
                _("“%(group)s” of this form is not yours to confirm.") % {"group": GROUPS[group]},
                _("Co departments confirm or return the groups they answer for."),
            )
        if row.state != CO_CHECK:
            raise Refused(
                _("The form is “%(state)s”: there is nothing to confirm now.")
                % {"state": FactSheet.State(row.state).label},
                _("A lead department submits it first."),
                code="state",
            )
        _check_version(row, version)
        about = {"by_name": _name(by), "v": row.version}
        about["at"] = timezone.localtime().isoformat(timespec="seconds")
        for task in tasks:
            task.verdict = task.verdict | {group: {"verdict": verdict, "comment": comment} | about}
            task.save(update_fields=["verdict"])


def assign(
    sheet: FactSheet,
    department: str,
    groups: Iterable[str],
    by: User,
    *,
    reason: str,
    due_on: date | None = None,
    version: int | None = None,
) -> FormTask:
    """Ask another department for some groups of a form as the case needs it (NK086); the history names who did."""
    hand = Hand.of(sheet, by.grants())
    groups = [group for group in GROUPS if group in set(groups)]
    district = sheet.determination.district_id
    found = Department.objects.filter(district=district, code=department).first()
    if not hand.office:
        raise NotAllowed(_("Forms are distributed by the task-force office."), _("Ask it, and say why."))
    if found is None:
        known = Department.objects.filter(district=district).values_list("code", flat=True)
        raise UnknownName(str(department)[:40], known, _("department"))
    if not groups:
        raise UsageError(_("Name the groups of facts that the department is asked for."))
    reason = _text(reason)
    if not reason:
        raise Refused(_("This step needs a written reason."), _("Say why, in a sentence."), code="reason")
    if sheet.state not in OPEN:
        raise Refused(
            _("The form is “%(state)s”: no department can be added now.")
            % {"state": FactSheet.State(sheet.state).label},
            _("It can be sent back to be filled first."),
            code="state",
        )
    still_open(sheet)
    with transaction.atomic(), pghistory.context(user=by.pk, action="department added", reason=reason):
        row = FactSheet.objects.select_for_update(of=("self",)).get(pk=sheet.pk)  # two at once: one part
        _check_version(row, version)
        if sheet.tasks.filter(department=found).exists():
            raise Refused(
                _("%(department)s has a part in this form already.") % {"department": found.name},
                _("Look at the parts of the form."),
                code="already",
            )
        return FormTask.objects.create(
            sheet=sheet,
            department=found,
            part=FormTask.Part.ADDED,
            groups=groups,
            reason=reason,
            due_on=due_on or sheet.due_on,
            assigned_by=by,
        )


# --- inside ------------------------------------------------------------------------------------------------------


def _office(by: User, district: str) -> None:
    if not may(by.grants(), {Role.OFFICE}, district):
        raise NotAllowed(_("Forms are distributed by the task-force office."), _("Ask it, and say why."))


def _is_open(campaign: Campaign) -> None:
    if campaign.state != Campaign.State.OPEN:
        raise Refused(_("The survey campaign is closed."), _("Open a new one."), code="closed")


def _text(text: str, most: int = LONGEST) -> str:
    if not isinstance(text, str) or "\0" in text:
        raise UsageError(_("The text cannot be read."), _("Type it anew."))
    text = text.strip()
    if len(text) > most:
        raise UsageError(_("The text is longer than %(most)d characters.") % {"most": most}, _("Shorten it."))
    return text
