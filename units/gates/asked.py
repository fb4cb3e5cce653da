"""One step that somebody asks for with all he says to it, and the gates that every register has in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from units.errors import NotAllowed, Refused, UnknownName, UsageError
from units.models import Document, Move, User
from units.rights import TITLES, Grant
from units.workflow import Step, step, steps_from

LONGEST = 2000  # letters of a reason or comment
LISTED = 8  # names in one sentence


@dataclass(frozen=True)
class Told:
    """What somebody says to a step; each gate reads what it asks for, and the rest may be left empty."""

    reason: str = ""
    comment: str = ""
    document: Any = None  # one that is kept, its number, or {title, number, issuer, dated} of a paper
    result: str = ""
    subtype: str = ""
    warned: frozenset[str] = frozenset()
    form: dict | None = None  # {lead, due_on} of a form that has neither yet
    change: str = ""  # add, change or remove, of what is updated
    plan: str = ""  # the number of the plan item
    after: dict | None = None  # values after redevelopment
    on: date | None = None  # the day on which something was done
    opinion: Any = None  # the province's review opinion, told as a document is


class Asked:
    """A step of one row, locked: its gates by the names the table has for them, and what the row is afterwards."""

    register = ""
    State: type[models.TextChoices]

    def __init__(self, row, way: Step, grant: Grant, by: User, told: Told):
        self.row, self.way, self.grant, self.by, self.told = row, way, grant, by, told
        self.document: Document | None = None
        self.details: dict = {}

    # --- the row: what a register says otherwise, it overrides ----------------------------------------------------

    @classmethod
    def visible(cls, grants: Iterable[Grant]) -> models.QuerySet:
        raise NotImplementedError("each register says which of its rows someone sees")

    @classmethod
    def found(cls, subject, grants: tuple[Grant, ...], district: str):
        """The row of this code, or this row as its reader may see it; NotFound otherwise."""
        raise NotImplementedError("each register finds its rows")

    @classmethod
    def locked(cls, row):
        return type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)

    @classmethod
    def state_of(cls, row) -> str:
        return row.state

    @classmethod
    def version_of(cls, row) -> int:
        return row.version

    @classmethod
    def title_of(cls, state: str) -> str:
        """What a state is called."""
        return str(cls.State(state).label)

    @classmethod
    def ways(cls, row) -> tuple[Step, ...]:
        """The steps that leave the state in which the row is."""
        return steps_from(cls.state_of(row), cls.register)

    @classmethod
    def way(cls, row, to: str) -> Step:
        """The step that leads there; Refused where there is none, for no state may be skipped."""
        start = cls.state_of(row)
        if to == start:
            raise Refused(
                _("The record %(code)s is “%(state)s” already.") % {"code": row.code, "state": cls.title_of(start)},
                _("Nothing needs to be done."),
                code="already",
            )
        found = step(start, to, cls.register)
        if found is None:
            ways = [cls.title_of(one.to) for one in cls.ways(row)]
            raise Refused(
                _("No state may be skipped: from “%(start)s” there is no way to “%(to)s”.")
                % {"start": cls.title_of(start), "to": cls.title_of(to)},
                _("From here it goes to: %(ways)s.") % {"ways": listed(ways)} if ways else _("Its way ends here."),
                code="no-way",
            )
        return found

    @classmethod
    def grants_for(cls, row, way: Step, grants: Iterable[Grant], parts=None) -> list[Grant]:
        """Those of the grants that go this step with this row."""
        return [
            one
            for one in grants
            if one.role in way.roles and one.district in (None, row.district_id) and one.street in (None, row.street_id)
        ]

    @classmethod
    def not_theirs(cls, way: Step) -> NotAllowed:
        """What is said to somebody who holds no role that goes this step here."""
        return NotAllowed(
            _("A record goes from “%(start)s” to “%(to)s” by: %(roles)s, in its own place.")
            % {
                "start": cls.title_of(way.start),
                "to": cls.title_of(way.to),
                "roles": ", ".join(str(TITLES[role]) for role in sorted(way.roles)),
            },
            _("Ask them, and say why it may go on."),
        )

    # --- the step -------------------------------------------------------------------------------------------------

    def pass_gates(self) -> None:
        """The first gate that does not open raises Refused; `details` is what the move keeps beside the states."""
        if self.told.result and "result" not in self.way.needs:
            raise UsageError(_("A result is given with a determination alone."))
        if "document" not in self.way.needs:  # it may rest on a paper all the same
            self.document = kept(self.told.document, self.row.district_id, self.by)
        for name in self.way.needs:
            self.details |= getattr(self, f"_{name}")() or {}

    def enter(self) -> None:
        """Bring the row into its new state."""
        self.row.state, self.row.version = self.way.to, self.row.version + 1
        self.row.save()

    def move(self) -> Move:
        """The step as it is kept, not stored yet."""
        return Move(
            register=self.register,
            subject=self.row.code,
            district_id=self.row.district_id,
            street_id=self.row.street_id,
            from_state=self.way.start,
            to_state=self.way.to,
            by=self.by,
            role=self.grant.role,
            document=self.document,
            comment="\n".join(filter(None, (self.told.reason, self.told.comment))),
            details=self.details,
        )

    @classmethod
    def together(cls, asked: list["Asked"]) -> None:
        """What holds of all that go this way at once, after each has entered its state; it may still refuse."""

    @classmethod
    def after(cls, asked: list["Asked"], moves: list[Move]) -> None:
        """What follows from the moves once they are kept."""

    # --- the gates that more than one register has ---------------------------------------------------------------

    def _reason(self):
        if not self.told.reason:
            raise Refused(_("This step needs a written reason."), _("Say why, in a sentence."), code="reason")

    def _comment(self):
        if not self.told.comment:
            raise Refused(
                _("Who sends a record back says why."),
                _("Write a comment: it is kept with the record."),
                code="comment",
            )

    def _document(self):
        self.document = kept(self.told.document, self.row.district_id, self.by)
        if self.document is None:
            raise Refused(
                _("This step needs a document."), _("Name the paper it rests on: title, number, date."), code="document"
            )

    def _on(self):
        if not isinstance(self.told.on, date):
            raise Refused(_("This step needs the day on which it was done."), _("Write it as 2027-01-31."), code="on")
        if self.told.on > timezone.localdate():
            raise Refused(
                _("%(day)s lies in the future.") % {"day": self.told.on.isoformat()},
                _("Record the step when it is done."),
                code="on",
            )
        return {"on": self.told.on.isoformat()}


def kept(given, district: str, by: User) -> Document | None:
    """The document that was named, one of this district; made where a paper is described."""
    if given is None or isinstance(given, Document):
        found = given
    elif isinstance(given, dict):
        title = text(given.get("title") or "", _("title"), 200)
        if not title:
            return None
        found = Document.objects.create(
            district_id=district,
            title=title,
            number=text(given.get("number") or "", _("number"), 80),
            issuer=text(given.get("issuer") or "", _("issuer"), 120),
            dated=given.get("dated") or None,
            added_by=by,
        )
    else:
        # One's own, or one that a step rests on: a paper of a form may be closed to who names its number.
        named = Q(added_by=by) | Q(pk__in=Move.objects.filter(document=given).values("document"))
        found = Document.objects.filter(named, pk=given, district_id=district).first()
    if given is not None and (found is None or found.district_id != district):
        raise UsageError(
            _("There is no such document in district %(district)s.") % {"district": district},
            _("Name the paper by its title instead."),
        )
    return found


def text(given: str, name: str, most: int = LONGEST) -> str:
    """A text without its margins; UsageError where it is none or too long."""
    if not isinstance(given, str) or "\0" in given:
        raise UsageError(_("“%(name)s” is not what it should be.") % {"name": name})
    given = given.strip()
    if len(given) > most:
        raise UsageError(
            _("“%(name)s” is longer than %(most)d letters.") % {"name": name, "most": most}, _("Shorten it.")
        )
    return given


def known(name: str, names, kind: str) -> None:
    """Raise UnknownName for a name that is none of these."""
    if name not in names:
        raise UnknownName(str(name)[:100], names, kind)


def listed(names: Iterable[str]) -> str:
    """Names in one sentence, the first few of them."""
    names = [str(name) for name in names]
    return "、".join(names[:LISTED]) + ("…" if len(names) > LISTED else "")
