"""The gates of low-efficiency records (workflow.md 4.2)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units import distributing, entering, forms, records
from units.errors import Refused, UnknownName, UsageError
from units.explaining import IDLE
from units.gates.asked import known, listed, text
from units.gates.sealed import Sealed
from units.models import CheckRun, Department, Determination, FactSheet, Finding, LandUsePatch, Move, Survey
from units.records import flag_of, form_of, parts_of, subject_code
from units.rights import Grant, Role
from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH
from units.staleness import changed_since
from units.workflow import (
    CHANGES,
    CHECKED,
    DETERMINED,
    DISTRICT_OK,
    DROPPED,
    FILLING,
    FORM_STATES,
    IN_FORCE,
    IN_PROJECT,
    LOW,
    MAPPED,
    RECORD,
    REDEVELOPED,
    RESULTS,
    SUBMITTED,
    SUBTYPES,
    UNDECIDED,
    UPDATING,
    Step,
)

OVERLAPS = (Path(__file__).parent.parent / "sql" / "overlaps_in_the_set.sql").read_text(encoding="utf-8")
# The states of what is in the set, so that nothing else may be mapped over it.
IN_THE_SET = (MAPPED, DISTRICT_OK, SUBMITTED, IN_FORCE, UPDATING, IN_PROJECT)
# The parts in a form by which a department goes the steps that are a lead's or a co department's, by the gate's name.
PARTS = {"lead": ("lead",), "department": ("co", "added")}
# A department that leads one form is a co department of another (区投促局 of a facility's, NK085), or is added to it
# (NK086): whoever holds R3 for it stands there as R4 does.
ALSO = {Role.CO: Role.LEAD}
# What is told of land after its redevelopment (4.2, state 12: after-values); the first three always.
AFTER = {
    "use": gettext_lazy("Use after redevelopment"),
    "floor_m2": gettext_lazy("Floor area after redevelopment (m²)"),
    "completed_on": gettext_lazy("Completed on"),
    "investment_wan": gettext_lazy("Investment (10,000 yuan)"),
}
OPTIONAL = frozenset({"investment_wan"})
LONGEST_NUMBER = 80  # letters of a plan item's number


class RecordStep(Sealed):
    """One step of a low-efficiency record, with its survey form."""

    register = RECORD
    model = Determination
    State = Determination.State

    def __init__(self, *args):
        super().__init__(*args)
        self.sheet = form_of(self.row)
        self.computed: dict = {}
        self.after_values: dict = {}
        if self.told.form is not None and "approver" in self.way.needs:
            self.sheet = self._formed()

    @classmethod
    def visible(cls, grants: Iterable[Grant]):
        return records.visible(grants).select_related("parcel", "building", "street")

    @classmethod
    def found(cls, subject, grants, district):
        if not isinstance(subject, Determination):
            return records.determination_of(subject, grants)
        if not records.visible(grants).filter(pk=subject.pk).exists():
            raise records.nothing_here(subject.code)
        return subject

    @classmethod
    def grants_for(cls, row, way: Step, grants: Iterable[Grant], parts=None) -> list[Grant]:
        """Of departments only those that have that part in the record's form, as `parts` or the form itself says."""
        wanted = [part for need in way.needs for part in PARTS.get(need, ())]
        roles = way.roles | {ALSO[role] for role in way.roles if wanted and role in ALSO}
        here = [
            one
            for one in grants
            if one.role in roles and one.district in (None, row.district_id) and one.street in (None, row.street_id)
        ]
        if not wanted or not any(one.role in (Role.LEAD, Role.CO) for one in here):
            return here
        mine = (parts_of([row]) if parts is None else parts).get(row.pk, set())
        return [
            one
            for one in here
            if one.role not in (Role.LEAD, Role.CO) or any((part, one.department) in mine for part in wanted)
        ]

    # --- what it is afterwards ------------------------------------------------------------------------------------

    def enter(self) -> None:
        record, to, way = self.row, self.way.to, self.way
        today = timezone.localdate()
        if "approver" in way.needs and record.raised_by_id:
            record.approved_by = self.by
        if to == DETERMINED and not way.back:
            self._decide()
        elif way.start == DETERMINED and to == FILLING:
            # The decision stays in the history and in its move; the record waits for the next one.
            record.result, record.reason, record.document = "", "", None
            record.decided_by = record.decided_at = None
        elif to == MAPPED:
            record.base_survey_year = (record.parcel or record.building).survey.year
        elif to == IN_FORCE:
            # The clock of NJ101 starts at the first acceptance and is not started again by an update.
            record.listed_since = record.listed_since or today
            record.listed_in_id, record.change = record.sealed_id, ""
            self.details |= {"snapshot": record.sealed.number} if record.sealed_id else {}
        elif to == UPDATING:
            record.change = self.told.change
        elif to == IN_PROJECT:
            record.plan_item = self.details["plan"]
        elif to == REDEVELOPED:
            record.after, record.listed_until = self.after_values, max(today, record.listed_since or today)
            record.listed_until = record.listed_until if record.listed_since else None
        elif to == DROPPED:
            if self._is_idle():
                record.procedure = Determination.Procedure.IDLE
            if record.listed_since:
                record.listed_until, record.change = max(today, record.listed_since), ""
        super().enter()
        self._with_its_form()

    def _with_its_form(self) -> None:
        record, to = self.row, self.way.to
        if self.sheet is not None and (to in FORM_STATES or to == DROPPED):
            FactSheet.objects.filter(pk=self.sheet.pk).update(state=to)
            if to == FILLING:  # a form of a closed campaign takes nothing; the one that is open now takes it over
                distributing.taken_over(
                    FactSheet.objects.filter(pk=self.sheet.pk), distributing.under_way(record.district_id)
                )
        if to == CHECKED:
            entering.enter(self.sheet, self.by)

    def _decide(self) -> None:
        record = self.row
        record.result, record.reason, record.document = self.told.result, self.told.reason, self.document
        record.decided_by, record.decided_at = self.by, timezone.now()
        record.evidence = self.computed
        record.subtype = self.told.subtype or record.subtype
        record.reason_codes = records.reason_codes(record, self.computed)
        idle = self._is_idle() and self.told.result != LOW
        record.procedure = Determination.Procedure.IDLE if idle else ""

    def _formed(self) -> FactSheet:
        """The record's form with this lead department and day: made, or given what it lacks."""
        lead, due = self.told.form.get("lead"), self.told.form.get("due_on")
        if not isinstance(due, date):
            raise UsageError(_("A form needs the day on which it is due."), _("Write it as 2027-01-31."))
        departments = Department.objects.filter(district_id=self.row.district_id)
        found = departments.filter(code=lead).first() if str(lead).isprintable() else None
        if found is None:
            raise UnknownName(str(lead), departments.values_list("code", flat=True), _("department"))
        if self.sheet is None:
            return distributing.formed(self.row, by=self.by, lead=found, due_on=due)
        self.sheet.lead, self.sheet.due_on = found, due
        self.sheet.save(update_fields=["lead", "due_on"])
        return self.sheet

    # --- gates: from the suspect to the determination -------------------------------------------------------------

    def _approver(self):
        record = self.row
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
                % {"code": self.row.code},
                _("Open a survey campaign for the district, or name the lead department and the day."),
                code="form",
            )
        return {"form": self.sheet.pk}

    def _lead(self):
        """That a lead department's grant is of this form's, `grants_for` has looked."""

    def _department(self):
        """And that a co department's is."""

    def _complete(self):
        absent = forms.missing(self.sheet)
        if absent:
            names = [f"{one.title} ({one.owner_name})" for one in absent]
            raise Refused(
                _("The form is not complete, %(count)d facts are wanting: %(names)s.")
                % {"count": len(absent), "names": listed(names)},
                _("Give each required fact, or mark it 无法取得 with the reason."),
                code="complete",
            )

    def _confirmed(self):
        waiting = [str(task.department) for task in forms.awaited(self.sheet)]
        if waiting:
            raise Refused(
                _("Co departments have not confirmed their part of the form: %(names)s.") % {"names": listed(waiting)},
                _("Ask them to confirm it, or to send it back."),
                code="confirmed",
            )

    def _valid(self):
        """The checks have looked at the district, and no error of theirs stands about this land, unless waived."""
        record = self.row
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
                % {"code": subject_code(record), "names": listed(codes)},
                _("Mend them or have them waived; they stand on the page of findings."),
                code="valid",
            )
        return {"checks": run.pk}

    def _result(self):
        known(self.told.result, RESULTS, _("result"))
        return {"result": self.told.result}

    def _run(self):
        self.computed = records.computed(self.row)
        return {name: self.computed[name] for name in ("run", "criteria", "digest", "outcome")}

    def _subtype(self):
        names = SUBTYPES.get(self.row.category)
        if self.told.subtype:
            known(self.told.subtype, names or (), _("sub-type"))
        if names and self.told.result == LOW and not (self.told.subtype or self.row.subtype):
            raise Refused(
                _("Low-efficiency land of this category needs its sub-type."),
                _("Choose one of: %(known)s.") % {"known": ", ".join(str(title) for title in names.values())},
                code="subtype",
            )

    def _idle(self):
        """Idle land (闲置土地) has a procedure of its own, and enters this inventory only after a warning (C31)."""
        if self.told.result != LOW or not self._is_idle():
            return {}
        if "idle" not in self.told.warned:
            raise Refused(
                _("%(code)s is idle land by the rules %(rules)s: it belongs to the idle-land procedure.")
                % {"code": subject_code(self.row), "rules": listed(self._idle_rules())},
                _("Determine it as not low-efficiency; or confirm the warning if it is to be listed all the same."),
                code="idle",
            )
        return {"warned": ["idle"], "idle": self._idle_rules()}

    def _open(self):
        if self.row.result != UNDECIDED and not self._was_returned() and not changed_since(self.row):
            raise Refused(
                _("The determination of %(code)s stands: neither its facts nor its criteria have changed since.")
                % {"code": self.row.code},
                _("It may be opened again when it is undecided, returned, or when something has changed."),
                code="open",
            )

    def _was_returned(self) -> bool:
        """Whether the district or the bureau sent it back and nobody has determined it since."""
        last = Move.objects.filter(register=RECORD, subject=self.row.code, district_id=self.row.district_id)
        last = last.order_by("-pk").first()
        return last is not None and last.to_state == DETERMINED and last.from_state in (DISTRICT_OK, SUBMITTED)

    def _is_idle(self) -> bool:
        return bool(self._idle_rules())

    def _idle_rules(self) -> list[str]:
        if not self.computed:
            flag = flag_of(self.row)
            return _idle(flag.fired if flag else ())
        return _idle(self.computed["fired"])

    # --- gates: from the determination into the inventory and out of it -------------------------------------------

    def _low(self):
        if self.row.result != LOW:
            raise Refused(
                _("%(code)s is determined as “%(result)s”: only low-efficiency land is mapped and entered.")
                % {"code": self.row.code, "result": self.row.get_result_display()},
                _("Drop it with reason and evidence, or open its determination again."),
                code="low",
            )

    def _shape(self):
        land = self.row.parcel or self.row.building
        if not land.code or land.geom.empty or not land.geom.valid or not land.area_m2 > OVERLAP_AREA:
            raise Refused(
                _("The land of %(code)s has no valid polygon.") % {"code": self.row.code},
                _("Have its layer delivered again with a shape that is valid."),
                code="shape",
            )
        return {"area_m2": round(land.area_m2, 2)}

    def _apart(self):
        values = {
            "record": self.row.pk,
            "states": list(IN_THE_SET),
            "area": OVERLAP_AREA,
            "width": OVERLAP_WIDTH,
        }
        with connection.cursor() as cursor:
            # One at a time in a district: of two that would cover each other the second sees the first.
            place = f"records of the set in {self.row.district_id}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [place])
            cursor.execute(OVERLAPS, values)
            found = cursor.fetchall()
        if found:
            names = [f"{code} ({area:.1f} m²)" for code, area in found]
            raise Refused(
                _("The land of %(code)s overlaps records of the set: %(names)s.")
                % {"code": self.row.code, "names": listed(names)},
                _("Only one record may hold the same ground: drop one, or have the layer put right."),
                code="apart",
            )

    def _attributes(self):
        record = self.row
        wanting = [
            title
            for title, there in (
                (_("Street"), record.street_id),
                (_("Reason codes"), record.reason_codes),
                (_("Reason"), record.reason),
                (_("Document"), record.document_id),
                (_("Sub-type"), record.subtype or record.category not in SUBTYPES),
                (_("Survey form"), self.sheet is not None),
            )
            if not there
        ]
        wanting += [str(one.title) for one in forms.missing(self.sheet)] if self.sheet is not None else []
        if wanting:
            raise Refused(
                _("The attributes of %(code)s are not complete: %(names)s.")
                % {"code": record.code, "names": listed(wanting)},
                _("Open the record again and have them filled in."),
                code="attributes",
            )

    def _base(self):
        """The links to the base survey: land of the survey in force, on its land-use patches where they are there."""
        land = self.row.parcel or self.row.building
        patches = LandUsePatch.objects.filter(survey=land.survey_id)
        if land.survey.state != Survey.State.IN_FORCE:
            raise Refused(
                _("%(code)s is land of the survey %(year)d, which is not in force.")
                % {"code": subject_code(self.row), "year": land.survey.year},
                _("Have its determination opened again with the land of the survey in force."),
                code="base",
            )
        if patches.exists() and not patches.filter(geom__intersects=land.geom).exists():
            raise Refused(
                _("%(code)s lies on no land-use patch of the survey %(year)d.")
                % {"code": subject_code(self.row), "year": land.survey.year},
                _("Look at its place on the map: the base map and the parcel layer do not meet."),
                code="base",
            )
        return {"survey": land.survey.year}

    def _change(self):
        if not self.told.change:
            raise Refused(
                _("An update says whether something is added, changed or removed."), _("Choose one."), code="change"
            )
        known(self.told.change, CHANGES, _("reason of the update"))
        return {"change": self.told.change}

    def _plan(self):
        number = text(self.told.plan, _("Number of the plan item"), LONGEST_NUMBER)
        if not number:
            raise Refused(
                _("A record is taken into a plan under the number of its approved item."),
                _("Write the number of the plan item."),
                code="plan",
            )
        return {"plan": number}

    def _after(self):
        given = self.told.after or {}
        if not isinstance(given, dict):
            raise UsageError(_("“%(name)s” is not what it should be.") % {"name": "after"})
        for name in given:
            known(name, AFTER, _("value after redevelopment"))
        values = {name: _after(name, given.get(name)) for name in AFTER}
        wanting = [str(AFTER[name]) for name, value in values.items() if value is None and name not in OPTIONAL]
        if wanting:
            raise Refused(
                _("The values after redevelopment are not complete: %(names)s.") % {"names": listed(wanting)},
                _("They stand in the acceptance papers."),
                code="after",
            )
        self.after_values = {name: value for name, value in values.items() if value is not None}
        return {"after": self.after_values}


def _after(name: str, value):
    if value in (None, ""):
        return None
    if name == "use":
        return text(str(value), str(AFTER[name]), 60) or None
    if name == "completed_on":
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            raise UsageError(
                _("“%(text)s” is no day.") % {"text": str(value)[:20]}, _("Write it as 2027-01-31.")
            ) from None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0 or number >= 10**12:
        raise UsageError(_("“%(text)s” is no number of this kind.") % {"text": str(value)[:20]}, _("Write 1234.5."))
    return str(number)


def _idle(fired: Iterable[str]) -> list[str]:
    return [name for name in fired if name.startswith(IDLE)]
