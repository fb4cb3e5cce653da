"""Move a row of any register from one state to the next, when role and gates allow it (workflow.md 4.2–4.4).

One verb for page, API and command. Which steps there are is said in `workflow`; what each gate wants, and what a step
does to its row, in a module a register under `gates`.
"""

from collections.abc import Iterable
from datetime import date

import pghistory
from django.db import transaction
from django.utils.translation import gettext as _

from units.errors import GeoinvError, Refused, Stale, UsageError
from units.gates.asked import Asked, Told, known, text
from units.gates.disposal import DisposalStep
from units.gates.legacy import LegacyStep
from units.gates.record import RecordStep
from units.gates.unit import UnitStep
from units.models import Document, Move, User
from units.rights import Grant
from units.workflow import DISPOSAL, LEGACY, RECORD, REGISTERS, UNIT, Step, states_of

KINDS: dict[str, type[Asked]] = {RECORD: RecordStep, LEGACY: LegacyStep, DISPOSAL: DisposalStep, UNIT: UnitStep}
WARNINGS = ("idle",)  # what may be done only by who says that he has read the warning
MOST = 2_000  # rows moved at once: a legacy register is accepted whole, and a sealed set goes up whole


def move(subject, to: str, by: User, *, register: str = RECORD, district: str = "", version=None, **said) -> Move:
    """Move one row to the state `to`, as one transaction with the row locked; the step is kept for ever.

    `subject` is a row or its code; of a record that of its parcel or building will do; of two districts that have the
    code, `district` says which. `said` is what `Told` takes: reason, comment, document, result, subtype, warned, form,
    change, plan, after, on, opinion. Raises NotFound, UsageError, Stale where `version` is not the one that stands,
    NotAllowed where no grant of `by` goes this step here, and Refused, with the name of the gate as its code, where
    something is wanting.
    """
    told = _told(said)
    with transaction.atomic():
        return _finished([_gone(register, subject, to, by, told, district, version)])[0]


def move_all(
    codes: Iterable[str],
    to: str,
    by: User,
    *,
    register: str = RECORD,
    district: str = "",
    comments: dict[str, str] | None = None,
    versions: dict[str, int] | None = None,
    version: int | None = None,
    document: Document | int | dict | None = None,
    **said,
) -> dict:
    """Move many rows the same way, all or none: {to, moved: [code], refused: [{code, error, message, hint}]}.

    One transaction, in which one paper is made for all of them. Where one is refused, none is moved, and each that
    stands in the way is named with its reason. `comments` are those of single rows beside the one for all; `versions`
    the versions of the rows as they were seen.
    """
    codes = sorted(set(codes))
    if not codes:
        raise UsageError(_("No record was chosen."), _("Mark those that are to be moved."))
    if len(codes) > MOST:
        raise UsageError(_("At most %(most)d records are moved at once.") % {"most": MOST})
    gone: list[Asked] = []
    refused: list[dict] = []
    with transaction.atomic():
        for code in codes:
            own = (comments or {}).get(code, "")
            told = _told(said | {"document": document} | ({"comment": own} if own else {}))
            try:
                with transaction.atomic():
                    gone.append(_gone(register, code, to, by, told, district, (versions or {}).get(code, version)))
            except UsageError:
                raise
            except GeoinvError as error:
                refused.append(_refusal(code, error))
            else:
                document = gone[-1].document or document
        if not refused:
            try:
                moves = _finished(gone)
            except Refused as error:
                refused = [_refusal(code, error) for code in error.details.get("codes", codes)]
        if refused:
            transaction.set_rollback(True)
    return {"to": to, "moved": [] if refused else [one.subject for one in moves], "refused": refused}


def allowed(row, grants: Iterable[Grant], parts=None, *, register: str = RECORD) -> list[Step]:
    """The steps that someone with these grants may ask for now; whether the gates open is seen when he does.

    `parts` is what `records.parts_of` says of many records at once; without it this one's form is asked.
    """
    kind, grants = KINDS[register], tuple(grants)
    return [one for one in kind.ways(row) if kind.grants_for(row, one, grants, parts)]


def kept_moves(register: str, subject: str, district: str):
    """What happened to a row, the latest last."""
    kept = Move.objects.filter(register=register, subject=subject, district_id=district)
    return kept.select_related("by", "document")


# --- inside ------------------------------------------------------------------------------------------------------


def _told(said: dict) -> Told:
    texts = {"reason": _("reason"), "comment": _("comment")}
    read = {name: text(said.get(name, ""), title) for name, title in texts.items()}
    if said.get("on") is not None and not isinstance(said["on"], date):
        raise UsageError(_("“%(name)s” is not what it should be.") % {"name": "on"}, _("Write it as 2027-01-31."))
    return Told(**(said | read | {"warned": frozenset(said.get("warned", ()))}))


def _gone(register: str, subject, to: str, by: User, told: Told, district: str, version: int | None) -> Asked:
    """The step of one row, its gates passed and the row in its new state."""
    known(register, REGISTERS, _("register"))
    known(to, states_of(register), _("state"))
    kind, grants = KINDS[register], by.grants()
    row = kind.locked(kind.found(subject, grants, district))
    if version is not None and version != kind.version_of(row):
        state = kind.state_of(row)
        raise Stale(
            _("The record %(code)s was moved by somebody else meanwhile: it is “%(state)s” now.")
            % {"code": row.code, "state": kind.title_of(state)},
            _("Look at it again, and repeat the step if it is still right."),
            theirs={"version": kind.version_of(row), "state": state},
        )
    way = kind.way(row, to)
    mine = kind.grants_for(row, way, grants)
    if not mine:
        raise kind.not_theirs(way)
    about = {"determination" if register == RECORD else register: row.code}
    with pghistory.context(user=by.pk, **about, action=f"{way.start} → {to}"):
        asked = kind(row, way, mine[0], by, told)
        asked.pass_gates()
        asked.enter()
    return asked


def _finished(asked: list[Asked]) -> list[Move]:
    """What holds of all of them, and then the moves that are kept."""
    kind = type(asked[0])
    by = asked[0].by
    with pghistory.context(user=by.pk, action=f"{asked[0].way.start} → {asked[0].way.to}"):
        kind.together(asked)
        moves = Move.objects.bulk_create(one.move() for one in asked)
        kind.after(asked, moves)
    return moves


def _refusal(code: str, error: GeoinvError) -> dict:
    return {"code": code, "error": error.code, "message": str(error.message), "hint": str(error.hint)}
