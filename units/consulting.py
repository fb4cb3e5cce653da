"""Ask departments for their opinion on a unit before it is approved, and keep what they reply (征求意见, NK076)."""

from collections.abc import Iterable
from datetime import date

import pghistory
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from units.amending import digest
from units.collections import CHINA_TIME, COLLECTIONS
from units.errors import NotAllowed, NotFound, Refused, Stale, UnknownName, UsageError
from units.models import Consultation, Department, RedevelopmentUnit, User
from units.rights import Grant, Role, may

ASKERS = frozenset({Role.OFFICE})
REPLIERS = frozenset({Role.LEAD, Role.CO})
LONGEST = 2000  # letters of a question or a reply
LONGEST_PAPER = 80
MOST = 40  # departments asked at once
Opinion = Consultation.Opinion
State = RedevelopmentUnit.State


def today() -> date:
    """The day in China: an opinion is due to the end of it."""
    return timezone.now().astimezone(CHINA_TIME).date()


def ask(
    by: User, unit: RedevelopmentUnit, departments: Iterable[str], due_on: date, question: str = ""
) -> list[Consultation]:
    """One consultation a department, all due on the same day; the unit must be checked, so that it stands still.

    Raises NotAllowed to all but the task-force office of the district, Refused where one of them was asked already.
    """
    check_asker(by.grants(), unit)
    codes = list(dict.fromkeys(departments))
    known = {one.code: one for one in Department.objects.filter(district=unit.district_id, code__in=codes)}
    if not codes:
        raise UsageError(_("Choose the departments that are to be asked."), code="departments")
    if len(codes) > MOST:
        raise UsageError(_("At most %(most)d departments are asked at once.") % {"most": MOST}, code="departments")
    for code in codes:
        if code not in known:
            raise UnknownName(code[:40], known or [_("none")], _("department"))
    if due_on < today():
        raise UsageError(_("The day by which they reply has passed already."), _("Give a later one."), code="due_on")
    question = _text(question, LONGEST)
    with transaction.atomic():
        unit = RedevelopmentUnit.objects.select_for_update(of=("self",)).get(pk=unit.pk)
        _is_checked(unit)
        about = digest(unit)
        asked_before = Consultation.objects.filter(unit=unit, about=about, department__in=known.values())
        if again := [one.department.name for one in asked_before.select_related("department")]:
            raise Refused(
                _("These were asked about this version already: %(names)s.") % {"names": _(", ").join(again)},
                _("Take them off the list."),
                code="asked",
            )
        with pghistory.context(user=by.pk, unit=unit.code, action="asked"):
            return [
                Consultation.objects.create(
                    unit=unit, department=known[code], about=about, question=question, asked_by=by, due_on=due_on
                )
                for code in codes
            ]


def reply(by: User, number: int, version: int | None, opinion: str, text: str, paper: str = "") -> Consultation:
    """The opinion of a department, given by whoever acts for it, or by the office with the number of the paper.

    A reply after the day is taken as long as the unit is being checked. What was replied stays as it was given.
    """
    if opinion not in Opinion.values:
        raise UnknownName(str(opinion)[:40], Opinion.values, _("opinion"))
    text, paper = _text(text, LONGEST), _text(paper, LONGEST_PAPER)
    if opinion != Opinion.AGREES and not text:
        raise UsageError(
            _("Say under which conditions, or why not."), _("The office has to answer to it."), code="reply"
        )
    with transaction.atomic():
        one = found(by.grants(), number, lock=True)
        grant = check_replier(by.grants(), one)
        if grant.role in ASKERS and not paper:
            raise UsageError(
                _("What the office enters for a department needs the number of its paper."),
                _("Or have the department reply itself."),
                code="paper",
            )
        if version is None:
            raise UsageError(
                _("Say which version you have before you: “version”, or the header If-Match."),
                _("Load the page again."),
                code="version",
            )
        if version != one.version or one.opinion:
            raise Stale(
                _("The opinion was given meanwhile: %(opinion)s.") % {"opinion": one.get_opinion_display()},
                _("Look at it; what was replied stays."),
                theirs={"version": one.version, "opinion": one.opinion, "reply": one.reply},
            )
        _is_checked(one.unit)
        if one.about != digest(one.unit):
            raise Refused(
                _("The unit was changed since it was asked about."), _("The office asks again."), code="changed"
            )
        one.opinion, one.reply, one.paper = opinion, text, paper
        one.replied_by, one.replied_at, one.version = by, timezone.now(), one.version + 1
        with pghistory.context(user=by.pk, unit=one.unit.code, action="replied"):
            one.save(update_fields=["opinion", "reply", "paper", "replied_by", "replied_at", "version"])
    return one


def found(grants: tuple[Grant, ...], number: int, lock: bool = False) -> Consultation:
    """One consultation on a unit that these grants see from inside."""
    rows = Consultation.objects.select_related("unit", "department")
    if lock:
        rows = rows.select_for_update(of=("self",))
    one = rows.filter(pk=number).first()
    inside = COLLECTIONS["units"].seen_by(grants).rows.q()
    if one is None or not grants or not RedevelopmentUnit.objects.filter(inside, pk=one.unit_id).exists():
        raise NotFound(_("There is no such consultation, or none that you may see."))
    return one


def role_for(grants: tuple[Grant, ...], one: Consultation) -> Grant | None:
    """The grant under which somebody replies: for the department itself before the office's."""
    of_district = [grant for grant in grants if grant.district in (None, one.unit.district_id)]
    for grant in of_district:
        acts = grant.role in REPLIERS and grant.department == one.department.code
        if acts or (grant.role == Role.STREET and grant.street and grant.street == one.department.street_id):
            return grant
    return next((grant for grant in of_district if grant.role in ASKERS and grant.street is None), None)


def check_asker(grants: tuple[Grant, ...], unit: RedevelopmentUnit) -> None:
    """NotAllowed to all but the task-force office of the unit's district."""
    if not may(grants, ASKERS, unit.district_id):
        raise NotAllowed(
            _("Opinions are asked for by the task-force office of the district."), _("Ask it to begin the round.")
        )


def check_replier(grants: tuple[Grant, ...], one: Consultation) -> Grant:
    """The grant under which somebody replies; NotAllowed where there is none."""
    grant = role_for(grants, one)
    if grant is None:
        raise NotAllowed(
            _("%(name)s was asked, and you do not act for it.") % {"name": one.department.name},
            _("Its lead or co role replies, or the task-force office with its paper."),
        )
    return grant


def of(unit: RedevelopmentUnit) -> list[Consultation]:
    """All that were asked for on this edition, also on what it said before; the latest first."""
    rows = Consultation.objects.filter(unit=unit).select_related("department", "asked_by", "replied_by")
    return list(rows.order_by("-asked_at", "department__code"))


def current(unit: RedevelopmentUnit) -> list[Consultation]:
    """Those about what the unit says now."""
    asked_for = of(unit)
    says = (unit.digest or digest(unit)) if asked_for else ""
    return [one for one in asked_for if one.about == says]


def open_for(unit: RedevelopmentUnit) -> list[Consultation]:
    """Those that nobody replied to and whose day has not passed: the round is closed when there is none (NK076)."""
    return [one for one in current(unit) if not one.opinion and one.due_on >= today()]


def asked(unit: RedevelopmentUnit) -> bool:
    """Whether anybody was asked about what the unit says now."""
    return bool(current(unit))


def objections(unit: RedevelopmentUnit) -> list[Consultation]:
    """Those who object to what the unit says now: they bind nobody, and whoever approves is told."""
    return [one for one in current(unit) if one.opinion == Opinion.OBJECTS]


def waiting_for(grants: tuple[Grant, ...]) -> QuerySet[Consultation]:
    """The consultations that wait for a reply of the departments for which these grants act, by day."""
    acting = Q(pk__in=[])
    for grant in grants:
        if grant.role in REPLIERS and grant.department:
            acting |= Q(department__code=grant.department) & (
                Q(unit__district=grant.district) if grant.district else Q()
            )
        elif grant.role == Role.STREET and grant.street:
            acting |= Q(department__street=grant.street)
    return (
        Consultation.objects.filter(acting, opinion="", due_on__gte=today(), unit__state=State.CHECKED)
        .select_related("unit", "department", "asked_by")
        .defer("unit__geom")
        .order_by("due_on", "id")
    )


def _is_checked(unit: RedevelopmentUnit) -> None:
    if unit.state != State.CHECKED:
        raise Refused(
            _("Opinions are asked for and given while the unit %(code)s is checked; it is “%(state)s” now.")
            % {"code": unit.code, "state": unit.get_state_display()},
            _("Have it checked first.") if unit.state == State.DRAFT else "",
            code="not-checked",
        )


def _text(value, most: int) -> str:
    value = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
    if len(value) > most or not value.replace("\n", "").isprintable():
        raise UsageError(_("A text here has at most %(most)d letters.") % {"most": most})
    return value
