"""What is said of the land: what rules suspect and people decide, what checks see and people report."""

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Q
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.parcel import Building, Category, Parcel
from units.models.place import Department, District, Street
from units.models.survey import Delivery, Survey
from units.spatial import STORAGE_SRID

ONE_SUBJECT = Q(parcel__isnull=True, building__isnull=False) | Q(parcel__isnull=False, building__isnull=True)


class CriteriaEdition(models.Model):
    """The exact text of a criteria set that was run, by its digest, so that every card can be computed again."""

    digest = models.CharField(_("Digest"), max_length=64, primary_key=True)
    name = models.CharField(_("Criteria"), max_length=60)
    title = models.CharField(_("Title"), max_length=200)
    official = models.BooleanField(_("Official"))
    text = models.TextField(_("Text, with its parents"))
    first_used = models.DateTimeField(_("First used"), auto_now_add=True)

    class Meta:
        verbose_name = _("Edition of criteria")
        verbose_name_plural = _("Editions of criteria")

    def __str__(self):
        return f"{self.name} {self.digest[:12]}"


class FlagRun(models.Model):
    """One run of `flag`: which survey, which criteria, with which parameters, and what came out.

    A full run measures and judges every subject. One of what has changed judges the subjects alone of which something
    else was measured since; the flags of the others stay those of the run before, and the counts are of all.
    """

    class Kind(models.TextChoices):
        FULL = "full", _("Full")
        CHANGED = "changed", _("Of what has changed")

    kind = OneOf(_("Kind"), max_length=8, choices=Kind, default=Kind.FULL)
    revision = models.BigIntegerField(_("Revision of what was measured"), null=True)
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="flag_runs")
    survey = models.ForeignKey(Survey, models.PROTECT, verbose_name=_("Survey"), related_name="+")
    edition = models.ForeignKey(CriteriaEdition, models.PROTECT, verbose_name=_("Criteria"), related_name="runs")
    params = models.JSONField(_("Parameters"), default=dict)
    counts = models.JSONField(_("Counts"), default=dict)
    subjects = models.PositiveIntegerField(_("Subjects"), default=0)
    ran_at = models.DateTimeField(_("Ran at"), auto_now_add=True)
    ran_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Started by"), related_name="+"
    )
    seconds = models.FloatField(_("Seconds"), default=0)

    class Meta:
        verbose_name = _("Run of the criteria")
        verbose_name_plural = _("Runs of the criteria")
        ordering = ["-ran_at"]

    def __str__(self):
        return f"{self.edition} {self.ran_at:%Y-%m-%d %H:%M}"


class Flag(models.Model):
    """What the rules say of one subject (疑似). A machine writes it; only people determine.

    `evidence` holds each rule's verdict with every input it read, its uom, source and date; `outcome` is the fold of
    the verdicts (DESIGN part 6). One row a subject and criteria set; a run replaces its district's rows at once.
    """

    class Outcome(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        EXCLUDED = "excluded", _("Excluded")
        EXEMPTED = "exempted", _("Exempted")
        UNDECIDED = "undecided", _("Undecided")
        NOT_LOW = "not_low", _("Not low")

    run = models.ForeignKey(FlagRun, models.PROTECT, verbose_name=_("Run"), related_name="flags")
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    criteria = models.CharField(_("Criteria"), max_length=60)
    parcel = models.ForeignKey(
        Parcel, models.CASCADE, null=True, blank=True, verbose_name=_("Parcel"), related_name="flags"
    )
    building = models.ForeignKey(
        Building, models.CASCADE, null=True, blank=True, verbose_name=_("Building"), related_name="flags"
    )
    category = OneOf(_("Category"), max_length=12, choices=Category, blank=True)
    outcome = OneOf(_("Outcome"), max_length=10, choices=Outcome)
    fired = ArrayField(models.CharField(max_length=40), verbose_name=_("Rules met"), default=list)
    missing = ArrayField(models.CharField(max_length=60), verbose_name=_("Facts missing"), default=list)
    evidence = models.JSONField(_("Evidence"))

    class Meta:
        verbose_name = _("Flag")
        verbose_name_plural = _("Flags")
        constraints = [
            models.CheckConstraint(condition=ONE_SUBJECT, name="flag_one_subject"),
            models.UniqueConstraint(
                fields=["parcel", "building", "criteria"], nulls_distinct=False, name="flag_once_a_subject_and_criteria"
            ),
        ]
        indexes = [models.Index(fields=["district", "criteria", "outcome"], name="flag_outcome")]

    def __str__(self):
        return f"{self.parcel or self.building}: {self.outcome}"


@versions_kept
class Determination(models.Model):
    """What people decide of one subject (认定), with reason and document; beside the computed result, never by it."""

    class Result(models.TextChoices):
        LOW = "low", _("Low-efficiency")
        NOT_LOW = "not_low", _("Not low-efficiency")
        EXEMPT = "exempt", _("Exempt")
        UNDECIDED = "undecided", _("Undecided")

    class State(models.TextChoices):
        SUSPECT = "suspect", _("Suspected")
        ASSIGNED = "assigned", _("Assigned")
        FILLING = "filling", _("Being filled")
        CO_CHECK = "co_check", _("With the co departments")
        CHECKED = "checked", _("Checked")
        DETERMINED = "determined", _("Determined")
        MAPPED = "mapped", _("Mapped and entered")
        DISTRICT_OK = "district_ok", _("District consents")
        SUBMITTED = "submitted", _("Submitted to the municipal bureau")
        IN_FORCE = "in_force", _("In the inventory")
        UPDATING = "updating", _("Being updated")
        IN_PROJECT = "in_project", _("In a plan")
        REDEVELOPED = "redeveloped", _("Redeveloped")
        DROPPED = "dropped", _("Not taken up")

    class Procedure(models.TextChoices):
        IDLE = "idle", _("Idle-land procedure")

    class Change(models.TextChoices):
        """Why a record of the inventory is updated (workflow 4.2, state 10)."""

        ADD = "add", _("Something is added")
        CHANGE = "change", _("Something has changed")
        REMOVE = "remove", _("It is to leave the inventory")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    code = models.CharField(_("Code"), max_length=40)
    parcel = models.ForeignKey(
        Parcel, models.PROTECT, null=True, blank=True, verbose_name=_("Parcel"), related_name="determinations"
    )
    building = models.ForeignKey(
        Building, models.PROTECT, null=True, blank=True, verbose_name=_("Building"), related_name="determinations"
    )
    category = OneOf(_("Category"), max_length=12, choices=Category)
    subtype = models.CharField(_("Sub-type"), max_length=40, blank=True)
    state = OneOf(_("State"), max_length=12, choices=State, default=State.SUSPECT)
    result = OneOf(_("Result"), max_length=10, choices=Result, blank=True)
    reason_codes = ArrayField(models.CharField(max_length=40), verbose_name=_("Reason codes"), default=list, blank=True)
    criteria = models.CharField(_("Criteria that raised it"), max_length=60, blank=True)
    raised_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Raised by hand by"), related_name="+"
    )
    raised_reason = models.TextField(_("Reason of the flag by hand"), blank=True)
    approved_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Approver of the flag"), related_name="+"
    )
    reason = models.TextField(_("Reason"), blank=True)
    document = models.ForeignKey(
        "units.Document", models.PROTECT, null=True, blank=True, verbose_name=_("Document"), related_name="+"
    )
    evidence = models.JSONField(_("Computed result at the time"), default=dict, blank=True)
    procedure = OneOf(_("Sent to another procedure"), max_length=8, choices=Procedure, blank=True)
    base_survey_year = models.PositiveSmallIntegerField(_("Base survey"))
    decided_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Decided by"), related_name="+"
    )
    decided_at = models.DateTimeField(_("Decided at"), null=True, blank=True)
    listed_since = models.DateField(_("Listed since"), null=True, blank=True)
    listed_until = models.DateField(_("Listed until"), null=True, blank=True)
    started_on = models.DateField(_("Redevelopment started on"), null=True, blank=True)
    started_document = models.ForeignKey(
        "units.Document", models.PROTECT, null=True, blank=True, verbose_name=_("Paper of the start"), related_name="+"
    )
    change = OneOf(_("Reason of the update"), max_length=8, choices=Change, blank=True)
    plan_item = models.CharField(_("Number of the plan item"), max_length=80, blank=True)
    after = models.JSONField(_("Values after redevelopment"), default=dict, blank=True)
    sealed = models.ForeignKey(
        "units.Snapshot", models.PROTECT, null=True, blank=True, verbose_name=_("Sealed in"), related_name="+"
    )
    listed_in = models.ForeignKey(
        "units.Snapshot", models.PROTECT, null=True, blank=True, verbose_name=_("Set in force"), related_name="+"
    )
    version = models.PositiveIntegerField(_("Version"), default=1)

    class Meta:
        verbose_name = _("Determination")
        verbose_name_plural = _("Determinations")
        constraints = [
            models.CheckConstraint(condition=ONE_SUBJECT, name="determination_one_subject"),
            models.UniqueConstraint(fields=["district", "code"], name="determination_code_once"),
            models.UniqueConstraint(
                fields=["parcel", "building"], nulls_distinct=False, name="determination_once_a_subject"
            ),
            models.CheckConstraint(
                condition=Q(result="") | (Q(decided_by__isnull=False) & Q(decided_at__isnull=False) & ~Q(reason="")),
                name="determination_is_by_a_person_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(raised_by__isnull=True) | ~Q(raised_reason=""), name="flag_by_hand_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(raised_by__isnull=True)
                | Q(state__in=["suspect", "dropped"])
                | (Q(approved_by__isnull=False) & ~Q(approved_by=F("raised_by"))),
                name="flag_by_hand_has_an_approver",
            ),
            models.CheckConstraint(
                condition=Q(listed_until__isnull=True) | Q(listed_until__gte=F("listed_since")),
                name="listed_before_it_is_not",
            ),
        ]
        indexes = [models.Index(fields=["district", "state"], name="determination_state")]

    def __str__(self):
        return self.code


class CheckRun(models.Model):
    """One run of the checks over a district: what was judged, by which checks, and what came out.

    `versions` are the revisions of the served tables before anything was read; a check whose tables still have them
    tells the same again (`validate --changed`). `skipped` says of each check that could not look, why.
    """

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="check_runs")
    survey = models.ForeignKey(
        Survey, models.PROTECT, null=True, blank=True, verbose_name=_("Survey"), related_name="check_runs"
    )
    codes = ArrayField(models.CharField(max_length=20), verbose_name=_("Checks"), default=list)
    looked = ArrayField(models.CharField(max_length=40), verbose_name=_("Checks that looked anew"), default=list)
    skipped = models.JSONField(_("Checks that could not look"), default=dict, blank=True)
    edition = models.CharField(_("Digest of the checks"), max_length=64)
    versions = models.JSONField(_("Versions of the tables"), default=dict, blank=True)
    checked = models.PositiveIntegerField(_("Records looked at"), default=0)
    counts = models.JSONField(_("Counts"), default=dict, blank=True)
    by_code = models.JSONField(_("Counts by check"), default=dict, blank=True)
    ran_at = models.DateTimeField(_("Ran at"))
    ran_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Started by"), related_name="+"
    )
    seconds = models.FloatField(_("Seconds"), default=0)

    class Meta:
        verbose_name = _("Run of the checks")
        verbose_name_plural = _("Runs of the checks")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["district", "-id"], name="check_run_latest")]

    def __str__(self):
        return f"{self.district_id} {self.ran_at:%Y-%m-%d %H:%M}"


class FindingQuerySet(models.QuerySet):
    def unresolved(self):
        return self.exclude(state=Finding.State.RESOLVED)

    def waived(self, today):
        """Findings with a waiver that holds on this day."""
        return self.filter(models.Exists(Waiver.objects.holding(today).filter(finding=models.OuterRef("pk"))))

    def unwaived(self, today):
        """Findings without a waiver that holds on this day."""
        return self.exclude(models.Exists(Waiver.objects.holding(today).filter(finding=models.OuterRef("pk"))))


class Finding(models.Model):
    """Bad data that a check saw (质检问题). Its identity is (survey, code, subjects, place of the fault).

    `sentence` and `fix` are in the language of the site, for SQL and programs; `in_words` says the same in the
    reader's. `state` is as of `run`, the last run of the checks that looked; `run` is null while only the import that
    is named by `delivery` has seen it.
    """

    class Severity(models.TextChoices):
        ERROR = "error", _("Error")
        WARNING = "warning", _("Warning")

    class State(models.TextChoices):
        NEW = "new", _("New")
        OPEN = "open", _("Still open")
        RESOLVED = "resolved", _("Resolved")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="findings")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    survey = models.ForeignKey(
        Survey, models.PROTECT, null=True, blank=True, verbose_name=_("Survey"), related_name="findings"
    )
    delivery = models.ForeignKey(
        Delivery, models.CASCADE, null=True, blank=True, verbose_name=_("Delivery"), related_name="findings"
    )
    run = models.ForeignKey(
        CheckRun, models.PROTECT, null=True, blank=True, verbose_name=_("Run of the checks"), related_name="findings"
    )
    identity = models.CharField(_("Identity"), max_length=64)
    code = models.CharField(_("Check"), max_length=20)
    layer = models.CharField(_("Layer"), max_length=20, blank=True)
    severity = OneOf(_("Severity"), max_length=8, choices=Severity)
    state = OneOf(_("State"), max_length=8, choices=State, default=State.NEW)
    subjects = ArrayField(models.CharField(max_length=80), verbose_name=_("Subjects"))
    row_number = models.PositiveIntegerField(_("Row of the file"), null=True, blank=True)
    sentence = models.TextField(_("What is wrong"))
    fix = models.TextField(_("What to do"))
    measure = models.FloatField(_("Size"), null=True, blank=True)
    uom = models.CharField(_("Unit of measure"), max_length=12, blank=True)
    details = models.JSONField(_("Details"), default=dict, blank=True)
    fingerprint = models.CharField(_("Digest of what was seen"), max_length=64, blank=True)
    geom = models.GeometryField(_("Place of the fault"), srid=STORAGE_SRID, null=True, blank=True)
    first_seen = models.DateTimeField(_("First seen"), auto_now_add=True)
    last_seen = models.DateTimeField(_("Last seen"), auto_now_add=True)
    resolved_at = models.DateTimeField(_("Resolved at"), null=True, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        verbose_name = _("Finding")
        verbose_name_plural = _("Findings")
        ordering = ["code", "id"]
        constraints = [
            models.UniqueConstraint(fields=["district", "identity"], name="finding_identity_once"),
        ]
        indexes = [models.Index(fields=["district", "code", "state"], name="finding_by_code")]

    def __str__(self):
        return f"{self.code}: {self.sentence}"

    def in_words(self) -> tuple[str, str]:
        """What is wrong and what to do, in the language of whoever reads now."""
        told = self.details.get("told")
        if not told:
            return self.sentence, self.fix
        return said(told), advised(told)


def said(told: dict) -> str:
    """A sentence kept as {sentence, parts, words}: msgid, what fills its places, and which of those are msgids."""
    words = {name: translated(told["parts"][name]) for name in told.get("words", ()) if told["parts"].get(name)}
    return translated(told["sentence"]) % (told["parts"] | words)


def advised(told: dict) -> str:
    """What to do, of the same."""
    return translated(told["fix"])


class WaiverQuerySet(models.QuerySet):
    def holding(self, today):
        """Waivers that hold on this day: not lifted, not over, and what was waived is still what is seen."""
        return self.filter(lifted_at__isnull=True, until__gte=today, fingerprint=F("finding__fingerprint"))


@versions_kept
class Waiver(models.Model):
    """A finding that a person accepts for a time, with a reason.

    It holds on its last day and not on the day after, and wakes when the shape (or value) that was waived changes:
    then the finding has another identity, or another fingerprint than the one kept here.
    """

    finding = models.ForeignKey(Finding, models.PROTECT, verbose_name=_("Finding"), related_name="waivers")
    fingerprint = models.CharField(_("Digest of what was waived"), max_length=64, blank=True)
    reason = models.TextField(_("Reason"))
    by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("By"), related_name="+")
    at = models.DateTimeField(_("At"), auto_now_add=True)
    until = models.DateField(_("Until"))
    lifted_at = models.DateTimeField(_("Lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Lifted by"), related_name="+"
    )

    objects = WaiverQuerySet.as_manager()

    class Meta:
        verbose_name = _("Waiver")
        verbose_name_plural = _("Waivers")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="waiver_has_a_reason"),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="waiver_is_lifted_by_somebody",
            ),
        ]

    def __str__(self):
        return f"{self.finding_id} {self.until}"


@versions_kept
class Problem(models.Model):
    """An obstacle that people report (问题清单, NK015): never bad data, which is a `Finding`."""

    class Kind(models.TextChoices):
        OWNERSHIP = "ownership", _("Ownership")
        PLAN = "plan", _("Planning")
        FUNDING = "funding", _("Funding")
        APPROVAL = "approval", _("Approval")
        LEGAL = "legal", _("Legal")
        ENVIRONMENT = "environment", _("Environment")
        POLICY = "policy", _("Policy")
        OTHER = "other", _("Other")

    class State(models.TextChoices):
        RAISED = "raised", _("Raised")
        JUDGED = "judged", _("Judged")
        ESCALATED = "escalated", _("Escalated")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    class Level(models.TextChoices):
        DISTRICT = "district", _("District")
        CITY = "city", _("City")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="problems")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    number = models.CharField(_("Number"), max_length=40)
    kind = OneOf(_("Kind"), max_length=12, choices=Kind)
    place = models.CharField(_("Place"), max_length=200, blank=True)
    description = models.TextField(_("Description"))
    ask = models.TextField(_("What is asked for"), blank=True)
    owner = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("Owner department"), related_name="+"
    )
    level = OneOf(_("Level"), max_length=8, choices=Level, default=Level.DISTRICT)
    state = OneOf(_("State"), max_length=10, choices=State, default=State.RAISED)
    raised_by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("Raised by"), related_name="+")
    raised_on = models.DateField(_("Raised on"))
    due_on = models.DateField(_("Due on"), null=True, blank=True)
    answer = models.TextField(_("Answer"), blank=True)
    closed_on = models.DateField(_("Closed on"), null=True, blank=True)
    parcels = models.ManyToManyField(Parcel, verbose_name=_("Parcels"), blank=True, related_name="problems")
    units = models.ManyToManyField(
        "units.RedevelopmentUnit", verbose_name=_("Redevelopment units"), blank=True, related_name="problems"
    )
    legacy_lands = models.ManyToManyField(
        "units.LegacyLand", verbose_name=_("Legacy land"), blank=True, related_name="problems"
    )

    class Meta:
        verbose_name = _("Problem")
        verbose_name_plural = _("Problems")
        constraints = [
            models.UniqueConstraint(fields=["district", "number"], name="problem_number_once"),
            models.CheckConstraint(
                condition=~Q(state="closed") | (Q(closed_on__isnull=False) & ~Q(answer="")),
                name="problem_closes_with_a_result",
            ),
        ]

    def __str__(self):
        return f"{self.number} {self.description[:40]}"
