"""What waits for one person: each step he may go next in every register, since when, and by when."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import BooleanField, Count, Exists, F, Func, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from units import consulting
from units.eligibility import REFUSED
from units.gates.record import ALSO, PARTS
from units.models import (
    Campaign,
    Determination,
    Disposal,
    FactSheet,
    FormTask,
    LegacyLand,
    Move,
    RedevelopmentUnit,
    User,
)
from units.moving import KINDS
from units.records import subject_code
from units.rights import Grant, Role, grants_of
from units.workflow import (
    ACCEPTED,
    AMENDED,
    APPROVED,
    ASSIGNED,
    CHECKED,
    CITY_APPROVAL,
    CO_CHECK,
    DETERMINED,
    DISPOSAL,
    DISTRICT_CONSENT,
    DRAFT,
    DROPPED,
    EXEMPT,
    FILLING,
    IN_FORCE,
    IN_PROJECT,
    LEGACY,
    LOW,
    MAPPED,
    NOT_LOW,
    RECORD,
    REGISTERS,
    STAGES,
    STEPS,
    SUSPECT,
    TITLE,
    UNIT,
    Step,
)

SHOWN = 50  # rows of one step on the page; the list of the register has them all
MODELS: dict[str, type[Model]] = {
    RECORD: Determination,
    LEGACY: LegacyLand,
    DISPOSAL: LegacyLand,
    UNIT: RedevelopmentUnit,
}
CONFIRM, REPLY = "confirm", "reply"  # what waits and is no move: a co department's yes, a department's opinion
# Where somebody may go on but nobody waits: what is in force rests there until there is a reason; a draft is drawn on;
# a record is dropped, or taken into a plan, when somebody decides so.
RESTING = {(RECORD, IN_FORCE), (RECORD, IN_PROJECT), (UNIT, DRAFT), (UNIT, APPROVED)}
FILLED = (ASSIGNED, FILLING, CO_CHECK)  # of records: while the day of the form binds somebody


class Unconfirmed(Func):
    """Whether a part in a form has a group it was asked for and has not said yes to."""

    template = (
        "EXISTS (SELECT FROM (SELECT %(expressions)s) AS asked (groups, verdict),"
        " jsonb_array_elements_text(asked.groups) AS one"
        " WHERE asked.verdict -> one ->> 'verdict' IS DISTINCT FROM 'confirmed')"
    )
    output_field = BooleanField()


@dataclass
class Entry:
    """One row that waits."""

    code: str
    title: str
    address: str
    state: str
    version: int
    since: datetime | None
    due_on: date | None
    district: str
    street: str = ""


@dataclass
class Turn:
    """All that waits for the same step of the same register: a step of the table, or an answer that is no move."""

    register: str
    register_title: str
    district: str  # its code; a step is gone for the rows of one district at once
    to: str
    title: str
    count: int
    moves: bool  # whether it is a step that may be gone for many at once
    late: int = 0  # of all of them, not only of the entries
    step: Step | None = None
    entries: list[Entry] = field(default_factory=list)

    @property
    def earliest(self) -> date | None:
        """The first day by which one of them is due."""
        return min((one.due_on for one in self.entries if one.due_on), default=None)


def for_user(user: User, most: int = SHOWN) -> list[Turn]:
    """What waits for this person, what is due first first; each turn with the first `most` of its rows."""
    grants = grants_of(user)
    turns = []
    for one in _forward(grants):
        rows = _waiting(one, grants)
        for district, number in rows.order_by("district_id").values_list("district_id").annotate(Count("pk")):
            here = rows.filter(district=district)
            late, entries = _late(one, here), _entries(one, here, most)
            turns.append(
                Turn(one.register, str(REGISTERS[one.register]), district, one.to, "", number, True, late, one, entries)
            )
    turns += _answers(grants, most)
    return sorted(turns, key=lambda turn: (turn.earliest or date.max, turn.register, turn.to))


def count(user: User) -> int:
    """How many rows wait for this person; one that waits for two of his steps counts once."""
    grants = grants_of(user)
    pairs: dict[tuple[str, str], Q] = {}
    found = 0
    for one in _forward(grants):
        pairs[one.register, one.start] = pairs.get((one.register, one.start), Q(pk__in=[])) | _condition(one, grants)
    by_register: dict[str, Q] = {}
    for (register, _start), where in pairs.items():
        by_register[register] = by_register.get(register, Q(pk__in=[])) | where
    for register, where in by_register.items():
        found += _base(register).filter(where).count()
    return found + _to_confirm(grants).count() + consulting.waiting_for(grants).count()


def codes_of(grants: tuple[Grant, ...], register: str, to: str, district: str) -> list[str]:
    """The codes of all rows of a district that wait for this step of someone with these grants."""
    found: set[str] = set()
    for one in _forward(grants):
        if (one.register, one.to) == (register, to):
            found.update(_waiting(one, grants).filter(district=district).values_list("code", flat=True))
    return sorted(found)


# --- moves -------------------------------------------------------------------------------------------------------


def _forward(grants: Iterable[Grant]) -> list[Step]:
    """The steps forward that one of these grants could go somewhere."""
    roles = {one.role for one in grants}
    return [
        one
        for one in STEPS
        if not one.back
        and one.to != AMENDED
        and (one.start, one.to) != (SUSPECT, DROPPED)
        and (one.register, one.start) not in RESTING
        and any(role in roles or ALSO.get(role) in roles for role in one.roles)
    ]


def _base(register: str) -> QuerySet:
    rows = MODELS[register].objects.all()
    if register == DISPOSAL:
        return (
            rows.filter(state=ACCEPTED)
            .exclude(route=LegacyLand.Route.NONE)
            .exclude(worksheet__contains={"verdict": REFUSED})
        )
    return rows


def _condition(one: Step, grants: Iterable[Grant]) -> Q:
    """Which rows wait for this step of someone with these grants: their state, place, and his part in their form."""
    return _stands(one) & _mine(one, grants)


def _stands(one: Step) -> Q:
    if (one.register, one.start) == (RECORD, DETERMINED):  # low-efficiency land is mapped, what is not is dropped
        return Q(state=one.start, result__in=[LOW] if one.to == MAPPED else [NOT_LOW, EXEMPT])
    if one.register != DISPOSAL:
        return Q(state=one.start)
    stages = Disposal.objects.filter(legacy=OuterRef("pk"))
    reached = Q(Exists(stages.filter(stage=one.start))) if one.start else ~Q(Exists(stages))
    later = [stage for stage in STAGES if one.start and STAGES.index(stage) > STAGES.index(one.start)]
    where = reached & ~Q(Exists(stages.filter(stage__in=later)))
    if (one.start, one.to) == (DISTRICT_CONSENT, CITY_APPROVAL):
        where &= Q(route=LegacyLand.Route.L2)
    elif (one.start, one.to) == (DISTRICT_CONSENT, TITLE):
        where &= Q(route=LegacyLand.Route.L1)
    return where


def _mine(one: Step, grants: Iterable[Grant]) -> Q:
    wanted = [part for need in one.needs for part in PARTS.get(need, ())]
    found = Q(pk__in=[])
    for grant in grants:
        if grant.role not in one.roles:
            continue
        everywhere = Q(pk__isnull=False)  # an empty condition would be dropped from the disjunction
        where = Q(district=grant.district) if grant.district else everywhere
        where = Q(street=grant.street) if grant.street else where
        if wanted and grant.role in (Role.LEAD, Role.CO):
            parts = FormTask.objects.filter(
                sheet__determination=OuterRef("pk"), part__in=wanted, department__code=grant.department
            )
            where &= Q(Exists(parts))
        found |= where
    return found


def _waiting(one: Step, grants: tuple[Grant, ...]) -> QuerySet:
    return _base(one.register).filter(_condition(one, grants))


def _with_due(rows: QuerySet) -> QuerySet:
    """Records with the day by which the latest of their forms is due."""
    last = FactSheet.objects.filter(determination=OuterRef("pk")).order_by("-pk")
    return rows.annotate(due=last.values("due_on")[:1])


def _late(one: Step, rows: QuerySet) -> int:
    """How many of these rows should have gone the step before today."""
    if one.register != RECORD or one.start not in FILLED:
        return 0
    return _with_due(rows).filter(due__lt=timezone.localdate()).count()


def _entries(one: Step, rows: QuerySet, most: int) -> list[Entry]:
    if one.register == RECORD:
        rows = _with_due(rows).select_related("parcel", "building")
        rows = rows.order_by(F("due").asc(nulls_last=True), "code")
    else:
        rows = rows.order_by("code")
    found = list(rows.select_related("street")[:most])
    since = _since(one.register, [row.code for row in found], one.start)
    return [_entry(one, row, since.get((row.district_id, row.code))) for row in found]


def _since(register: str, codes: list[str], state: str) -> dict[tuple[str, str], datetime]:
    """When each of these came into its state, by the move that brought it there."""
    moves = Move.objects.filter(register=register, subject__in=codes, to_state=state).order_by("pk")
    return {(district, code): at for district, code, at in moves.values_list("district_id", "subject", "at")}


def _entry(one: Step, row, since: datetime | None) -> Entry:
    kind = KINDS[one.register]
    state = kind.state_of(row)
    return Entry(
        code=row.code,
        title=_title(one.register, row),
        address=_address(one.register, row),
        state=kind.title_of(state),
        version=kind.version_of(row),
        since=since or getattr(row, "created_at", None),
        due_on=_due(one.register, row, state),
        district=row.district_id,
        street=row.street.name if row.street_id else "",
    )


def _due(register: str, row, state: str) -> date | None:
    """By when: the day of the form; of a unit in consultation the last day on which a reply may still come."""
    if register == UNIT:
        return max((asked.due_on for asked in consulting.open_for(row)), default=None) if state == CHECKED else None
    return getattr(row, "due", None) if state in FILLED else None


def _title(register: str, row) -> str:
    if register == RECORD:
        return f"{subject_code(row)} {row.parcel.address if row.parcel_id else row.building.name}".strip()
    return row.name if register == UNIT else row.address


def _address(register: str, row) -> str:
    if register == RECORD:
        return reverse("determination", args=[row.code])
    name = "unit" if register == UNIT else "legacy-land"
    return f"{reverse(name, args=[row.code])}?district={row.district_id}"


# --- answers that are no moves -----------------------------------------------------------------------------------


def _to_confirm(grants: Iterable[Grant]) -> QuerySet:
    """The forms that wait for the yes or no of a co department for which these grants act."""
    where = Q(pk__in=[])
    for one in grants:
        if one.role in (Role.CO, Role.LEAD) and one.department:
            place = Q(sheet__street=one.street) if one.street else Q()
            place &= Q(department__district=one.district) if one.district else Q()
            where |= place & Q(department__code=one.department)
    tasks = FormTask.objects.filter(where, sheet__determination__state=CO_CHECK, part__in=PARTS["department"])
    return tasks.exclude(sheet__campaign__state=Campaign.State.CLOSED).filter(Unconfirmed("groups", "verdict"))


def _answers(grants: tuple[Grant, ...], most: int) -> list[Turn]:
    turns = []
    tasks = _to_confirm(grants)
    number = tasks.count()
    if number:
        rows = tasks.select_related("sheet__determination", "sheet__parcel", "sheet__building", "sheet__street")
        rows = list(rows.order_by("due_on", "pk")[:most])
        since = _since(RECORD, [one.sheet.determination.code for one in rows], CO_CHECK)
        entries = [_to_confirm_entry(one, since) for one in rows]
        due = tasks.annotate(day=Coalesce("due_on", "sheet__due_on"))
        late = due.filter(day__lt=timezone.localdate()).count()
        turns.append(
            Turn(RECORD, _("Survey form"), "", CONFIRM, _("Confirm or return"), number, False, late, None, entries)
        )
    asked = consulting.waiting_for(grants)
    number = asked.count()
    if number:
        entries = [
            Entry(
                code=one.unit.code,
                title=one.unit.name,
                address=f"{reverse('unit', args=[one.unit.code])}?district={one.unit.district_id}",
                state=str(one.unit.get_state_display()),
                version=one.version,
                since=one.asked_at,
                due_on=one.due_on,
                district=one.unit.district_id,
            )
            for one in asked[:most]
        ]
        turns.append(Turn(UNIT, _("Consultation"), "", REPLY, _("Give an opinion"), number, False, 0, None, entries))
    return turns


def _to_confirm_entry(task: FormTask, since: dict) -> Entry:
    sheet, record = task.sheet, task.sheet.determination
    return Entry(
        code=record.code,
        title=f"{sheet.subject.code} {sheet.place}".strip(),
        address=reverse("form", args=[sheet.pk]),
        state=str(record.get_state_display()),
        version=sheet.version,
        since=since.get((record.district_id, record.code)),
        due_on=task.due_on or sheet.due_on,
        district=record.district_id,
        street=sheet.street.name if sheet.street_id else "",
    )
