"""The survey campaign (摸底调查): its forms, who is asked for which part of each, and the papers put to them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.judgement import Determination
from units.models.parcel import Building, Category, Parcel
from units.models.place import Department, District, Street
from units.models.record import Document
from units.models.survey import Survey


@versions_kept
class Campaign(models.Model):
    """One round of forms over the suspected land of a district, from one survey, due on one day (NK081)."""

    class State(models.TextChoices):
        OPEN = "open", _("Under way")
        CLOSED = "closed", _("Closed")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="campaigns")
    survey = models.ForeignKey(Survey, models.PROTECT, verbose_name=_("Survey"), related_name="campaigns")
    year = models.PositiveSmallIntegerField(_("Year"))
    title = models.CharField(_("Title"), max_length=120)
    due_on = models.DateField(_("Due on"))
    state = OneOf(_("State"), max_length=8, choices=State, default=State.OPEN)
    opened_by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("Opened by"), related_name="+")
    opened_at = models.DateTimeField(_("Opened at"), auto_now_add=True)
    closed_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Closed by"), related_name="+"
    )
    closed_at = models.DateTimeField(_("Closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Survey campaign")
        verbose_name_plural = _("Survey campaigns")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["district"], condition=Q(state="open"), name="campaign_one_open_a_district")
        ]

    def __str__(self):
        return self.title


@versions_kept
class FactSheet(models.Model):
    """The survey form (调查表) of one subject: three groups of facts, filled and confirmed by departments.

    Each group is {cell: {value | unknown_reason, by, by_name, department, at, v}}. A cell is a field of the form's
    data file, or `field@id` for one that is asked for each building or firm of `parts`; `v` is the version of the form
    that wrote it. `state` is that of the determination (workflow 4.2); field-level rights are those of workflow 4.1.
    """

    class State(models.TextChoices):
        ASSIGNED = "assigned", _("Assigned")
        FILLING = "filling", _("Being filled")
        CO_CHECK = "co_check", _("With the co departments")
        CHECKED = "checked", _("Checked")
        DETERMINED = "determined", _("Determined")
        DROPPED = "dropped", _("Not taken up")

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name=_("Survey campaign"), related_name="sheets"
    )
    determination = models.ForeignKey(
        Determination, models.PROTECT, null=True, blank=True, verbose_name=_("Determination"), related_name="forms"
    )
    parcel = models.ForeignKey(
        Parcel, models.PROTECT, null=True, blank=True, verbose_name=_("Parcel"), related_name="fact_sheets"
    )
    building = models.ForeignKey(
        Building, models.PROTECT, null=True, blank=True, verbose_name=_("Building"), related_name="fact_sheets"
    )
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    category = OneOf(_("Category"), max_length=12, choices=Category)
    kind = models.CharField(
        _("Kind of facility"), max_length=40, blank=True, help_text=_("The code of the department that owns its kind")
    )
    parts = models.JSONField(_("Buildings and firms that are asked about"), default=dict, blank=True)
    state = OneOf(_("State"), max_length=12, choices=State, default=State.ASSIGNED)
    lead = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("Lead department"), related_name="+"
    )
    due_on = models.DateField(_("Due on"), null=True, blank=True)
    land = models.JSONField(_("Land"), default=dict, blank=True)
    construction = models.JSONField(_("Buildings"), default=dict, blank=True)
    economy = models.JSONField(_("Economy"), default=dict, blank=True)
    entered_at = models.DateTimeField(_("Taken into the registers at"), null=True, blank=True)
    version = models.PositiveIntegerField(_("Version"), default=1)

    class Meta:
        verbose_name = _("Survey form")
        verbose_name_plural = _("Survey forms")
        constraints = [
            models.CheckConstraint(
                condition=Q(parcel__isnull=True, building__isnull=False)
                | Q(parcel__isnull=False, building__isnull=True),
                name="fact_sheet_one_subject",
            ),
            models.UniqueConstraint(
                fields=["campaign", "parcel", "building", "category"],
                nulls_distinct=False,
                name="fact_sheet_once_a_campaign",
            ),
        ]
        indexes = [models.Index(fields=["campaign", "category", "state"], name="fact_sheet_progress")]

    def __str__(self):
        return f"{self.get_category_display()} · {self.parcel or self.building}"

    @property
    def subject(self) -> Parcel | Building:
        """What the form is about."""
        return self.parcel if self.parcel_id else self.building

    @property
    def place(self) -> str:
        """Where that is, in words: the location of a parcel, the name of a building."""
        return self.parcel.address if self.parcel_id else self.building.name


@versions_kept
class FormTask(models.Model):
    """One department's part in one form: lead, co department, or added by the office as the case asks (NK086).

    `verdict` is a co department's word on each group it answers for: {group: {verdict, comment, by_name, at, v}};
    it is wiped when a group is filled again.
    """

    class Part(models.TextChoices):
        LEAD = "lead", _("Lead")
        CO = "co", _("Co department")
        ADDED = "added", _("Added")

    sheet = models.ForeignKey(FactSheet, models.CASCADE, verbose_name=_("Survey form"), related_name="tasks")
    department = models.ForeignKey(Department, models.PROTECT, verbose_name=_("Department"), related_name="form_tasks")
    part = OneOf(_("Part"), max_length=8, choices=Part)
    groups = models.JSONField(_("Groups of facts"), default=list)
    due_on = models.DateField(_("Due on"), null=True, blank=True)
    verdict = models.JSONField(_("Confirmed or returned"), default=dict, blank=True)
    reason = models.TextField(_("Reason"), blank=True)
    assigned_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Assigned by"), related_name="+"
    )
    assigned_at = models.DateTimeField(_("Assigned at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Part of a survey form")
        verbose_name_plural = _("Parts of survey forms")
        constraints = [
            models.UniqueConstraint(fields=["sheet", "department"], name="form_task_once_a_department"),
            models.CheckConstraint(condition=~Q(part="added") | ~Q(reason=""), name="form_task_added_for_a_reason"),
        ]

    def __str__(self):
        return f"{self.department} · {self.get_part_display()}"


@versions_kept
class FormPaper(models.Model):
    """A photo or paper put to a form, of the whole of it or of one fact; taken away again it stays in the history."""

    sheet = models.ForeignKey(FactSheet, models.CASCADE, verbose_name=_("Survey form"), related_name="papers")
    document = models.ForeignKey(Document, models.PROTECT, verbose_name=_("Document"), related_name="+")
    cell = models.CharField(_("Fact it proves"), max_length=80, blank=True)
    restricted = models.BooleanField(_("Holds figures of firms"), default=False)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("Department"), related_name="+"
    )
    removed_at = models.DateTimeField(_("Taken away at"), null=True, blank=True)
    removed_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Taken away by"), related_name="+"
    )

    class Meta:
        verbose_name = _("Paper of a survey form")
        verbose_name_plural = _("Papers of survey forms")

    def __str__(self):
        return str(self.document)
