"""Move a low-efficiency record from one state to the next, when its role and its gates allow it (workflow.md 4.2)."""

from collections.abc import Iterable
from datetime import date

import pghistory
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units import distributing, entering, forms
from units.errors import GeoinvError, NotAllowed, NotFound, Refused, Stale, UnknownName, UsageError
from units.explaining import IDLE, last_used
from units.flagging import evidence_of
from units.models import (
    CheckRun,
    CriteriaEdition,
    Department,
    Determination,
    Document,
    FactSheet,
    Finding,
    Flag,
    FlagRun,
    FormTask,
    Move,
    User,
)
from units.rights import TITLES, Grant, Role, view
from units.staleness import changed_since
from units.workflow import (
    BY_HAND,
    CHECKED,
    DETERMINED,
    DROPPED,
    FILLING,
    FORM_STATES,
    LOW,
    RESULTS,
    STATES,
    SUBTYPES,
    UNDECIDED,
    Step,
    step,
    steps_from,
)

WARNINGS = ("idle",)  # what may be done only by who says that he has read the warning
LONGEST = 2000  # letters of a reason or comment
MOST = 500  # records moved at once
LISTED = 8  # names in one sentence
# The parts in a form by which a department goes the steps that are a lead's or a co department's, by the gate's name.
PARTS = {"lead": ("lead",), "department": ("co", "added")}
# A department that leads one form is a co department of another (区投促局 of a facility's, NK085), or is added to it
# (NK086): whoever holds R3 for it stands there as R4 does.
ALSO = {Role.CO: Role.LEAD}


def move(
    subject: Determination | str,
    to: str,
    by: User,
    *,
    reason: str = "",
    document: Document | int | dict | None = None,
    result: str = "",
    subtype: str = "",
    comment: str = "",
    version: int | None = None,
    warned: Iterable[str] = (),
    form: dict | None = None,
) -> Move:
    """Move one record to the state `to`, as one transaction with its row locked; the step is kept for ever.

    `subject` is a determination, its code, or the code of its parcel or building. `document` is one that is kept, its
    number here, or {title, number, issuer, dated} of a paper; `form` is {lead, due_on} of a form that has neither yet.
    Raises NotFound, UsageError, Stale where `version` is not the one that stands, NotAllowed where no grant of `by`
    goes this step here, and Refused, with the name of the gate as its code, where something is wanting.
    """
    grants = by.grants()
    reason, comment = _text(reason, _("reason")), _text(comment, _("comment"))
    _known(to, STATES, _("state"))
    with transaction.atomic():
        found = subject if isinstance(subject, Determination) else determination_of(subject, grants)
        record = Determination.objects.select_for_update().get(pk=found.pk)
        if not visible(grants).filter(pk=record.pk).exists():
            raise _nothing(record.code)
        if version is not None and version != record.version:
            raise Stale(
                _("The record %(code)s was moved by somebody else meanwhile: it is “%(state)s” now.")
                % {"code": record.code, "state": record.get_state_display()},
                _("Look at it again, and repeat the step if it is still right."),
                theirs={"version": record.version, "state": record.state},
            )
        way = _way(record, to)
        sheet = form_of(record)
        if form is not None and "approver" in way.needs:
            sheet = _formed(record, sheet, form, by)
        grant = _grant(record, way, grants)
        if way.later:
            raise Refused(
                _("A record cannot be moved to “%(state)s” yet: this version ends with the determination.")
                % {"state": Determination.State(to).label},
                _("Mapping and entry (上图入库) comes with a later version."),
                code="later",
            )
        told = Told(record, way, by, sheet, reason, comment, result, subtype, frozenset(warned), document)
        details = told.pass_gates()
        with pghistory.context(user=by.pk, determination=record.code, action=f"{record.state} → {to}"):
            return told.go(grant, details)


class Told:
    """One step that somebody asks for, with everything he says to it."""

    def __init__(self, record, way, by, sheet, reason, comment, result, subtype, warned, document):
        self.record, self.way, self.by, self.sheet = record, way, by, sheet
        self.reason, self.comment = reason, comment
        self.result, self.subtype, self.warned = result, subtype, warned
        self.document = document
        self.computed: dict = {}

    def pass_gates(self) -> dict:
        """What the move keeps beside the states; the first gate that does not open raises Refused."""
        if self.result and "result" not in self.way.needs:
            raise UsageError(_("A result is given with a determination alone."))
        details: dict = {}
        if "document" not in self.way.needs:  # it may rest on a paper all the same
            self.document = _document(self.document, self.record, self.by)
        for name in self.way.needs:
            details |= getattr(self, f"_{name}")() or {}
        return details

    def go(self, grant: Grant, details: dict) -> Move:
        """The record in its new state, its form with it, and the move that is kept."""
        record, to = self.record, self.way.to
        made = Move.objects.create(
            register=Move.Register.RECORD,
            subject=record.code,
            district_id=record.district_id,
            street_id=record.street_id,
            from_state=record.state,
            to_state=to,
            by=self.by,
            role=grant.role,
            document=self.document,
            comment="\n".join(filter(None, (self.reason, self.comment))),
            details=details,
        )
        record.state, record.version = to, record.version + 1
        if "approver" in self.way.needs and record.raised_by_id:
            record.approved_by = self.by
        if to == DETERMINED and not self.way.back:
            self._decide()
        elif self.way.start == DETERMINED and to == FILLING:
            # The decision stays in the history and in its move; the record waits for the next one.
            record.result, record.reason, record.document = "", "", None
            record.decided_by = record.decided_at = None
        elif to == DROPPED and self._is_idle():
            record.procedure = Determination.Procedure.IDLE
        record.save()
        if self.sheet is not None and (to in FORM_STATES or to == DROPPED):
            FactSheet.objects.filter(pk=self.sheet.pk).update(state=to)
            if to == FILLING:  # a form of a closed campaign takes nothing; the one that is open now takes it over
                distributing.taken_over(
                    FactSheet.objects.filter(pk=self.sheet.pk), distributing.under_way(record.district_id)
                )
        if to == CHECKED:
            entering.enter(self.sheet, self.by)
        return made

    def _decide(self) -> None:
        record = self.record
        record.result, record.reason, record.document = self.result, self.reason, self.document
        record.decided_by, record.decided_at = self.by, timezone.now()
        record.evidence = self.computed
        record.subtype = self.subtype or record.subtype
        record.reason_codes = reason_codes(record, self.computed)
        idle = self._is_idle() and self.result != LOW
        record.procedure = Determination.Procedure.IDLE if idle else ""

    # --- the gates, each by the name that the table has for it ----------------------------------------------------

    def _reason(self):
        if not self.reason:
            raise Refused(_("This step needs a written reason."), _("Say why, in a sentence."), code="reason")

    def _comment(self):
        if not self.comment:
            raise Refused(
                _("Who sends a record back says why."),
                _("Write a comment: it is kept with the record."),
                code="comment",
            )

    def _document(self):
        self.document = _document(self.document, self.record, self.by)
        if self.document is None:
            raise Refused(
                _("This step needs a document."), _("Name the paper it rests on: title, number, date."), code="document"
            )

    def _approver(self):
        record = self.record
        if record.raised_by_id is None:
            return {}
        if record.raised_by_id == self.by.pk:
            raise Refused(
                _("The record %(code)s was raised by you: another person has to approve it.") % {"code": record.code},
                _("Ask a colleague of the task-force office to assign it."),
                code="approver",
            )
        return {"approver": self.by.get_username()}

    def _form(self):
        if self.sheet is None or self.sheet.lead_id is None or self.sheet.due_on is None:
            raise Refused(
                _("The record %(code)s has no survey form with a lead department and a due date.")
                % {"code": self.record.code},
                _("Open a survey campaign for the district, or name the lead department and the day."),
                code="form",
            )
        return {"form": self.sheet.pk}

    def _lead(self):
        """That a lead department's grant is of this form's, _grant has looked."""

    def _department(self):
        """And that a co department's is."""

    def _complete(self):
        absent = forms.missing(self.sheet)
        if absent:
            names = [f"{one.title} ({one.owner_name})" for one in absent]
            raise Refused(
                _("The form is not complete, %(count)d facts are wanting: %(names)s.")
                % {"count": len(absent), "names": _listed(names)},
                _("Give each required fact, or mark it 无法取得 with the reason."),
                code="complete",
            )

    def _confirmed(self):
        waiting = [str(task.department) for task in forms.awaited(self.sheet)]
        if waiting:
            raise Refused(
                _("Co departments have not confirmed their part of the form: %(names)s.") % {"names": _listed(waiting)},
                _("Ask them to confirm it, or to send it back."),
                code="confirmed",
            )

    def _valid(self):
        """The checks have looked at the district, and no error of theirs stands about this land, unless waived."""
        record = self.record
        run = CheckRun.objects.filter(district_id=record.district_id).order_by("-pk").first()
        if run is None:
            raise Refused(
                _("The checks have not run in district %(district)s yet.") % {"district": record.district_id},
                _("Run “validate” for the district, or wait for the night."),
                code="valid",
            )
        about = {code for code in (subject_code(record), record.code) if code}
        errors = (
            Finding.objects.unresolved()
            .unwaived(timezone.localdate())
            .filter(district_id=record.district_id, severity=Finding.Severity.ERROR, subjects__overlap=sorted(about))
        )
        codes = sorted(set(errors.values_list("code", flat=True)))
        if codes:
            raise Refused(
                _("The checks see errors about %(code)s: %(names)s.")
                % {"code": subject_code(record), "names": _listed(codes)},
                _("Mend them or have them waived; they stand on the page of findings."),
                code="valid",
            )
        return {"checks": run.pk}

    def _result(self):
        _known(self.result, RESULTS, _("result"))
        return {"result": self.result}

    def _run(self):
        self.computed = computed(self.record)
        return {name: self.computed[name] for name in ("run", "criteria", "digest", "outcome")}

    def _subtype(self):
        known = SUBTYPES.get(self.record.category)
        if self.subtype:
            _known(self.subtype, known or (), _("sub-type"))
        if known and self.result == LOW and not (self.subtype or self.record.subtype):
            raise Refused(
                _("Low-efficiency land of this category needs its sub-type."),
                _("Choose one of: %(known)s.") % {"known": ", ".join(str(title) for title in known.values())},
                code="subtype",
            )

    def _idle(self):
        """Idle land (闲置土地) has a procedure of its own, and enters this inventory only after a warning (C31)."""
        if self.result != LOW or not self._is_idle():
            return {}
        if "idle" not in self.warned:
            raise Refused(
                _("%(code)s is idle land by the rules %(rules)s: it belongs to the idle-land procedure.")
                % {"code": subject_code(self.record), "rules": _listed(self._idle_rules())},
                _("Determine it as not low-efficiency; or confirm the warning if it is to be listed all the same."),
                code="idle",
            )
        return {"warned": ["idle"], "idle": self._idle_rules()}

    def _open(self):
        if self.record.result != UNDECIDED and not changed_since(self.record):
            raise Refused(
                _("The determination of %(code)s stands: neither its facts nor its criteria have changed since.")
                % {"code": self.record.code},
                _("It may be opened again when it is undecided, or when something has changed."),
                code="open",
            )

    def _is_idle(self) -> bool:
        return bool(self._idle_rules())

    def _idle_rules(self) -> list[str]:
        if not self.computed:
            flag = flag_of(self.record)
            return _idle(flag.fired if flag else ())
        return _idle(self.computed["fired"])


def move_all(codes: Iterable[str], to: str, by: User, **told) -> dict:
    """Move many records the same way, each for itself: {moved: [code], refused: [{code, error, message, hint}]}.

    All is one transaction, so that a document that is made for them is made once, and not where none was moved.
    """
    codes = sorted(set(codes))
    if not codes:
        raise UsageError(_("No record was chosen."), _("Mark those that are to be moved."))
    if len(codes) > MOST:
        raise UsageError(_("At most %(most)d records are moved at once.") % {"most": MOST})
    moved, refused = [], []
    kept = told.pop("document", None)
    with transaction.atomic():
        for code in codes:
            try:
                with transaction.atomic():
                    made = move(code, to, by, document=kept, **told)
            except UsageError:
                raise
            except GeoinvError as error:
                refused.append(
                    {"code": code, "error": error.code, "message": str(error.message), "hint": str(error.hint)}
                )
            else:
                moved.append(made.subject)
                kept = made.document or kept
    return {"to": to, "moved": moved, "refused": refused}


# --- reading -----------------------------------------------------------------------------------------------------


def visible(grants: Iterable[Grant]):
    """The determinations that these grants see, as a queryset."""
    return Determination.objects.filter(view(grants, "determinations", ()).rows.q())


def determination_of(code: str, grants: Iterable[Grant]) -> Determination:
    """The determination of this code, else the latest of the parcel or building of this code; NotFound otherwise."""
    seen = visible(grants).select_related("parcel", "building", "street", "district")
    found = (
        seen.filter(code=code).first()
        or seen.filter(parcel__code=code).order_by("-base_survey_year", "-pk").first()
        or seen.filter(building__code=code).order_by("-base_survey_year", "-pk").first()
    )
    if found is None:
        raise _nothing(code)
    return found


def subject_code(record: Determination) -> str:
    """The code of the parcel or building that the record is about."""
    return record.parcel.code if record.parcel_id else record.building.code


def form_of(record: Determination) -> FactSheet | None:
    """The latest survey form of the record."""
    return FactSheet.objects.filter(determination=record).order_by("-pk").first()


def flag_of(record: Determination) -> Flag | None:
    """What the rules say now of the record's land, by the set that raised it, else by the one of the district."""
    flags = Flag.objects.filter(parcel_id=record.parcel_id, building_id=record.building_id, criteria=_criteria(record))
    return flags.select_related("run").first()


def computed(record: Determination) -> dict:
    """The computed result as it is kept beside a decision: run, set and digest, outcome and the whole evidence.

    Land that the set does not judge has no outcome; Refused where the set was never run.
    """
    flag = flag_of(record)
    runs = FlagRun.objects.filter(district_id=record.district_id, edition__name=_criteria(record))
    run = flag.run if flag else runs.order_by("-pk").first()
    if run is None:
        raise Refused(
            _("The rules have not judged district %(district)s yet.") % {"district": record.district_id},
            _("Run “flag” for the district: a determination keeps what the rules say beside it."),
            code="run",
        )
    edition = CriteriaEdition.objects.get(pk=run.edition_id)
    return {
        "run": run.pk,
        "ran_at": run.ran_at.isoformat(),
        "criteria": edition.name,
        "digest": edition.digest,
        "title": edition.title,
        "official": edition.official,
        "outcome": flag.outcome if flag else None,
        "category": flag.category if flag else "",
        "fired": flag.fired if flag else [],
        "missing": flag.missing if flag else [],
        "evidence": evidence_of(flag) if flag else {},
    }


def reason_codes(record: Determination, told: dict) -> list[str]:
    """Why the land is in the list (NJ003): the rules met that flag it, and the code of what was raised by hand."""
    rules = told["evidence"].get("rules", ())
    flagging = [one["id"] for one in rules if one["effect"] == "flag" and one["verdict"] is True]
    return flagging + ([BY_HAND] if record.raised_by_id else [])


def allowed(
    record: Determination, grants: Iterable[Grant], parts: dict[int, set[tuple[str, str]]] | None = None
) -> list[Step]:
    """The steps that someone with these grants may ask for now; whether the gates open is seen when he does.

    `parts` is what `parts_of` says of many records at once; without it this one's form is asked.
    """
    grants = tuple(grants)
    found = parts_of([record]) if parts is None else parts
    mine = found.get(record.pk, set())
    return [one for one in steps_from(record.state) if not one.later and _grants(record, one, grants, mine)]


def parts_of(records: Iterable[Determination]) -> dict[int, set[tuple[str, str]]]:
    """Which department has which part in the latest form of each record: {record: {(lead|co|added, department)}}."""
    sheets = (
        FactSheet.objects.filter(determination__in=[one.pk for one in records])
        .order_by("determination_id", "-pk")
        .distinct("determination_id")
    )
    of = {}
    found: dict[int, set[tuple[str, str]]] = {}
    for sheet, record, lead in sheets.values_list("pk", "determination_id", "lead__code"):
        of[sheet] = record
        found[record] = {("lead", lead)} if lead else set()
    for sheet, part, department in FormTask.objects.filter(sheet__in=list(of)).values_list(
        "sheet_id", "part", "department__code"
    ):
        found[of[sheet]].add((part, department))
    return found


def moves_of(record: Determination):
    """What happened to the record, the latest last."""
    kept = Move.objects.filter(register=Move.Register.RECORD, subject=record.code, district_id=record.district_id)
    return kept.select_related("by", "document")


# --- inside ------------------------------------------------------------------------------------------------------


def _way(record: Determination, to: str) -> Step:
    if to == record.state:
        raise Refused(
            _("The record %(code)s is “%(state)s” already.")
            % {"code": record.code, "state": record.get_state_display()},
            _("Nothing needs to be done."),
            code="already",
        )
    way = step(record.state, to)
    if way is None:
        ways = [Determination.State(one.to).label for one in steps_from(record.state)]
        raise Refused(
            _("No state may be skipped: from “%(start)s” there is no way to “%(to)s”.")
            % {"start": record.get_state_display(), "to": Determination.State(to).label},
            _("From here it goes to: %(ways)s.") % {"ways": _listed(ways)} if ways else _("Its way ends here."),
            code="no-way",
        )
    return way


def _grants(record: Determination, way: Step, grants: tuple[Grant, ...], parts: set[tuple[str, str]]) -> list[Grant]:
    """Those of the grants that go this step with this record; of departments only those that have that part in it."""
    wanted = [part for need in way.needs for part in PARTS.get(need, ())]
    roles = way.roles | {ALSO[role] for role in way.roles if wanted and role in ALSO}
    here = [
        one
        for one in grants
        if one.role in roles and one.district in (None, record.district_id) and one.street in (None, record.street_id)
    ]
    named = {Role.LEAD, Role.CO} if wanted else ()
    return [one for one in here if one.role not in named or any((part, one.department) in parts for part in wanted)]


def _grant(record: Determination, way: Step, grants: tuple[Grant, ...]) -> Grant:
    mine = _grants(record, way, grants, parts_of([record]).get(record.pk, set()))
    if not mine:
        roles = ", ".join(str(TITLES[role]) for role in sorted(way.roles))
        raise NotAllowed(
            _("A record goes from “%(start)s” to “%(to)s” by: %(roles)s, in its own place.")
            % {
                "start": Determination.State(way.start).label,
                "to": Determination.State(way.to).label,
                "roles": roles,
            },
            _("Ask them, and say why it may go on."),
        )
    return mine[0]


def _formed(record: Determination, sheet: FactSheet | None, form: dict, by: User) -> FactSheet:
    """The record's form with this lead department and day: made, or given what it lacks."""
    lead, due = form.get("lead"), form.get("due_on")
    if not isinstance(due, date):
        raise UsageError(_("A form needs the day on which it is due."), _("Write it as 2027-01-31."))
    known = Department.objects.filter(district_id=record.district_id)
    found = known.filter(code=lead).first() if str(lead).isprintable() else None
    if found is None:
        raise UnknownName(str(lead), known.values_list("code", flat=True), _("department"))
    if sheet is None:
        return distributing.formed(record, by=by, lead=found, due_on=due)
    sheet.lead, sheet.due_on = found, due
    sheet.save(update_fields=["lead", "due_on"])
    return sheet


def _document(given, record: Determination, by: User) -> Document | None:
    """The document that was named, one of the record's district; made where a paper is described."""
    if given is None or isinstance(given, Document):
        found = given
    elif isinstance(given, dict):
        title = _text(given.get("title") or "", _("title"), 200)
        if not title:
            return None
        found = Document.objects.create(
            district_id=record.district_id,
            title=title,
            number=_text(given.get("number") or "", _("number"), 80),
            issuer=_text(given.get("issuer") or "", _("issuer"), 120),
            dated=given.get("dated") or None,
            added_by=by,
        )
    else:
        found = Document.objects.filter(pk=given, district_id=record.district_id).first()
    if given is not None and (found is None or found.district_id != record.district_id):
        raise UsageError(
            _("There is no such document in district %(district)s.") % {"district": record.district_id},
            _("Name the paper by its title instead."),
        )
    return found


def _criteria(record: Determination) -> str:
    return record.criteria or last_used(record.district_id)


def _idle(fired: Iterable[str]) -> list[str]:
    return [name for name in fired if name.startswith(IDLE)]


def _text(text: str, name: str, most: int = LONGEST) -> str:
    if not isinstance(text, str) or "\0" in text:
        raise UsageError(_("“%(name)s” is not what it should be.") % {"name": name})
    text = text.strip()
    if len(text) > most:
        raise UsageError(
            _("“%(name)s” is longer than %(most)d letters.") % {"name": name, "most": most}, _("Shorten it.")
        )
    return text


def _known(name: str, known, kind: str) -> None:
    if name not in known:
        raise UnknownName(str(name)[:100], known, kind)


def _listed(names: Iterable[str]) -> str:
    names = [str(name) for name in names]
    return "、".join(names[:LISTED]) + ("…" if len(names) > LISTED else "")


def _nothing(code: str) -> NotFound:
    return NotFound(
        _("There is no record “%(code)s”, or none that you may see.") % {"code": code[:100]},
        _("Records are listed under determinations."),
    )
