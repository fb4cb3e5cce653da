"""Historical-legacy land: the register that freezes, and what lives beside it."""

from django.contrib.gis.db import models
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.place import District, Street
from units.models.shapes import Delivered, in_china, measured_area, shape, valid_shape


@versions_kept
class LegacyLand(Delivered):
    """A polygon of historical-legacy land (历史遗留用地).

    From the municipal bureau's acceptance on, `ENABLE ALWAYS` triggers refuse every INSERT, UPDATE, DELETE and
    TRUNCATE for its district (NK055). Disposals and notes live in tables of their own.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        EVIDENCE = "evidence", _("Evidence collected")
        TESTED = "tested", _("Tested")
        CONFIRMED = "confirmed", _("Confirmed")
        DISTRICT_OK = "district_ok", _("District consents")
        SUBMITTED = "submitted", _("Submitted")
        ACCEPTED = "accepted", _("Accepted")

    class Route(models.TextChoices):
        L1 = "L1", _("Used until 1986: title registration")
        L2 = "L2", _("Used 1987–2009: agreement transfer")
        NONE = "none", _("No route in the text")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="legacy_lands")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    code = models.CharField(_("Code"), max_length=40)
    address = models.CharField(_("Location"), max_length=200, blank=True)
    state = OneOf(_("State"), max_length=12, choices=State, default=State.DRAFT)
    used_since = models.DateField(_("Land used since"), null=True, blank=True)
    route = OneOf(_("Route"), max_length=4, choices=Route, blank=True)
    ownership = models.CharField(_("Ownership (QSXZ)"), max_length=2, blank=True)
    small_property_housing = models.BooleanField(_("Collective small-property housing"), null=True, blank=True)
    worth_keeping = models.BooleanField(_("Buildings judged worth keeping"), null=True, blank=True)
    in_scope = models.BooleanField(_("Within a redevelopment scope"), null=True, blank=True)
    user_name = models.CharField(_("Used by"), max_length=200, blank=True)
    penalty_number = models.CharField(_("Penalty number"), max_length=80, blank=True)
    penalty_closed_on = models.DateField(_("Penalty carried out on"), null=True, blank=True)
    worksheet = models.JSONField(_("Verdict of each gate"), default=dict, blank=True)
    base_survey_year = models.PositiveSmallIntegerField(_("Base survey"), null=True, blank=True)
    sealed = models.ForeignKey(
        "units.Snapshot", models.PROTECT, null=True, blank=True, verbose_name=_("Sealed in"), related_name="+"
    )
    version = models.PositiveIntegerField(_("Version"), default=1, db_default=1)
    geom = shape()
    area_m2 = measured_area()

    class Meta:
        verbose_name = _("Legacy land")
        verbose_name_plural = _("Legacy land")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["district", "code"], name="legacy_code_once_a_district"),
            in_china("legacy"),
            valid_shape("legacy"),
        ]

    def __str__(self):
        return self.code


class Freeze(models.Model):
    """The moment a district's legacy register froze. The database writes it itself, on the accepting `Move`."""

    district = models.OneToOneField(District, models.PROTECT, primary_key=True, related_name="freeze")
    move = models.ForeignKey("units.Move", models.PROTECT, verbose_name=_("Accepted by"), related_name="+")
    frozen_at = models.DateTimeField(_("Frozen at"))
    rows = models.PositiveIntegerField(_("Rows"))
    digest = models.CharField(_("Digest of the frozen rows"), max_length=64)

    class Meta:
        verbose_name = _("Freeze")
        verbose_name_plural = _("Freezes")

    def __str__(self):
        return f"{self.district_id} {self.frozen_at:%Y-%m-%d}"


@versions_kept
class Disposal(models.Model):
    """One step of disposing of a legacy polygon. It goes on after the freeze and never touches the register."""

    class Stage(models.TextChoices):
        OPENED = "opened", _("Opened")
        VIOLATION_HANDLED = "violation_handled", _("Violation handled")
        DOCUMENTS_COMPLETE = "documents_complete", _("Documents complete")
        DISTRICT_CONSENT = "district_consent", _("District consents")
        CITY_APPROVAL = "city_approval", _("City approves")
        TITLE = "title", _("Title registered or transferred by agreement")
        CLOSED = "closed", _("Closed")

    legacy = models.ForeignKey(LegacyLand, models.PROTECT, verbose_name=_("Legacy land"), related_name="disposals")
    stage = OneOf(_("Stage"), max_length=20, choices=Stage)
    on = models.DateField(_("Date"))
    note = models.TextField(_("Note"), blank=True)
    document = models.ForeignKey(
        "units.Document", models.PROTECT, null=True, blank=True, verbose_name=_("Document"), related_name="+"
    )
    by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("By"), related_name="+")

    class Meta:
        verbose_name = _("Disposal")
        verbose_name_plural = _("Disposals")
        constraints = [
            models.UniqueConstraint(fields=["legacy", "stage"], name="disposal_stage_once"),
        ]

    def __str__(self):
        return f"{self.legacy} · {self.get_stage_display()}"


class LegacyNote(models.Model):
    """A mistake found after the freeze, told beside the record (workflow 4.3); the record is not edited."""

    legacy = models.ForeignKey(LegacyLand, models.PROTECT, verbose_name=_("Legacy land"), related_name="notes")
    text = models.TextField(_("Note"))
    document = models.ForeignKey(
        "units.Document", models.PROTECT, null=True, blank=True, verbose_name=_("Document"), related_name="+"
    )
    by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("By"), related_name="+")
    at = models.DateTimeField(_("At"), auto_now_add=True)

    class Meta:
        verbose_name = _("Note on legacy land")
        verbose_name_plural = _("Notes on legacy land")

    def __str__(self):
        return f"{self.legacy}: {self.text[:40]}"
