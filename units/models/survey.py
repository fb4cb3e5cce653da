"""The land-change survey: rounds, the deliveries that fill them, what was refused, and the patches."""

from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.place import District, Street
from units.models.shapes import Delivered, Digits, in_china, shape


@versions_kept
class Survey(models.Model):
    """The survey of one district and year (调查成果): loaded, inspected, put in force, never overwritten.

    Its versions tell which survey was in force at a moment, whichever was put in force again later.
    """

    class State(models.TextChoices):
        LOADED = "loaded", _("Loaded")
        IN_FORCE = "in_force", _("In force")
        RETIRED = "retired", _("Retired")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="surveys")
    year = models.PositiveSmallIntegerField(_("Year"))
    state = OneOf(_("State"), max_length=10, choices=State, default=State.LOADED)
    created_at = models.DateTimeField(_("Opened at"), auto_now_add=True)
    activated_at = models.DateTimeField(_("In force since"), null=True, blank=True)
    activated_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Put in force by"), related_name="+"
    )

    class Meta:
        verbose_name = _("Survey")
        verbose_name_plural = _("Surveys")
        ordering = ["district", "-year"]
        constraints = [
            models.UniqueConstraint(fields=["district", "year"], name="survey_once_a_year"),
            models.UniqueConstraint(
                fields=["district"], condition=Q(state="in_force"), name="survey_one_in_force_a_district"
            ),
            models.CheckConstraint(condition=Q(year__range=(1996, 2100)), name="survey_year_plausible"),
            models.CheckConstraint(
                condition=Q(state="loaded") | Q(activated_at__isnull=False), name="survey_in_force_has_a_date"
            ),
        ]

    def __str__(self):
        return f"{self.district_id} {self.year}"


class Delivery(models.Model):
    """One import of one layer (交付): the file, its digest, the verdicts on it and the counts of its rows.

    rows = taken + changed + unchanged + refused + deleted. `deleted` are marked so in the DBF; `gone` were in the
    earlier delivery and are not in this file. The file itself is kept under its digest and never altered.
    """

    class State(models.TextChoices):
        LOADED = "loaded", _("Loaded")
        UNDONE = "undone", _("Taken back")

    survey = models.ForeignKey(Survey, models.PROTECT, verbose_name=_("Survey"), related_name="deliveries")
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="deliveries")
    profile = models.CharField(_("Profile"), max_length=40)
    file_name = models.CharField(_("File"), max_length=255)
    layer = models.CharField(_("Layer"), max_length=255)
    sha256 = models.CharField(_("Digest of the file"), max_length=64)
    size = models.PositiveBigIntegerField(_("Bytes"))
    # Of reference system, encoding, profile and columns: the same bytes read otherwise are another delivery.
    reading = models.CharField(_("Digest of how the file was read"), max_length=64, blank=True)
    state = OneOf(_("State"), max_length=10, choices=State, default=State.LOADED)
    encoding = models.JSONField(_("Encoding"), help_text=_("Name, verdict and evidence"))
    crs = models.JSONField(_("Reference system"), help_text=_("EPSG code, verdict and evidence"))
    settings = models.JSONField(_("Digests of profile, mapping and code, and overrides"), default=dict)
    rows = models.PositiveIntegerField(_("Rows"), default=0)
    taken = models.PositiveIntegerField(_("Taken"), default=0)
    changed = models.PositiveIntegerField(_("Changed"), default=0)
    unchanged = models.PositiveIntegerField(_("Unchanged"), default=0)
    refused = models.PositiveIntegerField(_("Not taken"), default=0)
    deleted = models.PositiveIntegerField(_("Marked deleted"), default=0)
    gone = models.PositiveIntegerField(_("Gone"), default=0)
    warnings = models.JSONField(_("Warnings"), default=list, blank=True)
    imported_at = models.DateTimeField(_("Imported at"), auto_now_add=True)
    imported_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Imported by"), related_name="+"
    )
    seconds = models.FloatField(_("Seconds"), default=0)

    class Meta:
        verbose_name = _("Delivery")
        verbose_name_plural = _("Deliveries")
        ordering = ["-imported_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    rows=models.F("taken")
                    + models.F("changed")
                    + models.F("unchanged")
                    + models.F("refused")
                    + models.F("deleted")
                ),
                name="delivery_rows_add_up",
            ),
            models.UniqueConstraint(fields=["id", "survey", "district"], name="delivery_with_its_survey"),
        ]

    def __str__(self):
        return f"{self.file_name} · {self.layer}"


class Refusal(models.Model):
    """One row that was not taken (未入库记录), with what it held and every reason.

    `reasons` is a list of {code, field, value, message, fix}. `wkb` is the shape as delivered, in `srid`, byte for
    byte: it may be broken, so it is no geometry column.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, verbose_name=_("Delivery"), related_name="refusals")
    row_number = models.PositiveIntegerField(_("Row of the file"))
    code = models.CharField(_("Code"), max_length=40)
    identifier = models.CharField(_("Identifier"), max_length=60, blank=True)
    attributes = models.JSONField(_("Attributes as delivered"))
    reasons = models.JSONField(_("Reasons"))
    wkb = models.BinaryField(_("Shape as delivered"), null=True, blank=True)
    srid = models.IntegerField(_("Reference system as delivered"), null=True, blank=True)

    class Meta:
        verbose_name = _("Row not taken")
        verbose_name_plural = _("Rows not taken")
        ordering = ["delivery", "row_number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "row_number"], name="refusal_once_a_row")]

    def __str__(self):
        return f"{self.row_number}: {self.code}"


class LandUsePatch(Delivered):
    """A polygon of the survey layer DLTB (地类图斑). Columns carry the standard's own names in lower case.

    `area_m2` is measured on the ellipsoid by the importer in bulk and held to ST_Area(geom::geography) within
    0.001 m² by a test and by the nightly job; `tbmj` is the surveyed area. The two are never confused.
    """

    # Foreign keys are checked row by row and would cost a bulk load a third of its time. Triggers of the migration
    # hold the same once a statement: every (delivery, survey, district) here is a delivery of that survey.
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, verbose_name=_("Delivery"), related_name="+", db_constraint=False, db_index=False
    )
    survey = models.ForeignKey(
        Survey, models.PROTECT, verbose_name=_("Survey"), related_name="patches", db_constraint=False, db_index=False
    )
    district = models.ForeignKey(
        District, models.PROTECT, verbose_name=_("District"), related_name="+", db_constraint=False, db_index=False
    )
    street = models.ForeignKey(
        Street,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("Street"),
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    bsm = models.CharField("BSM", max_length=18)
    tbbh = models.CharField("TBBH", max_length=8, blank=True)
    dlbm = models.CharField("DLBM", max_length=5)
    dlmc = models.CharField("DLMC", max_length=60, blank=True)
    scheme = models.CharField(_("Code scheme of DLBM"), max_length=20, default="sandiao")
    qsxz = models.CharField("QSXZ", max_length=2, blank=True)
    qsdwdm = models.CharField("QSDWDM", max_length=19, blank=True)
    qsdwmc = models.CharField("QSDWMC", max_length=60, blank=True)
    zldwdm = models.CharField("ZLDWDM", max_length=19, blank=True)
    zldwmc = models.CharField("ZLDWMC", max_length=60, blank=True)
    tbmj = models.DecimalField("TBMJ", max_digits=15, decimal_places=2, null=True)
    kcdlbm = models.CharField("KCDLBM", max_length=5, blank=True)
    kcxs = models.DecimalField("KCXS", max_digits=6, decimal_places=4, null=True)
    kcmj = models.DecimalField("KCMJ", max_digits=15, decimal_places=2, null=True)
    tbdlmj = models.DecimalField("TBDLMJ", max_digits=15, decimal_places=2, null=True)
    czcsxm = models.CharField("CZCSXM", max_length=4, blank=True)
    sjnf = models.PositiveSmallIntegerField("SJNF", null=True)
    mssm = models.CharField("MSSM", max_length=2, blank=True)
    bz = models.CharField("BZ", max_length=254, blank=True)
    geom = shape(spatial_index=True)
    area_m2 = models.FloatField(_("Measured area (m²)"))

    class Meta:
        verbose_name = _("Land-use patch")
        verbose_name_plural = _("Land-use patches")
        constraints = [
            models.UniqueConstraint(fields=["survey", "bsm"], name="patch_bsm_once_a_survey"),
            models.CheckConstraint(condition=Digits("bsm", 18), name="patch_bsm_18_digits"),
            models.CheckConstraint(condition=Q(area_m2__gt=0), name="patch_area_positive"),
            models.CheckConstraint(condition=Q(scheme__in=["sandiao", "erdiao"]), name="patch_scheme_known"),
            in_china("patch"),
        ]
        indexes = [models.Index(fields=["delivery", "survey", "district"], name="patch_of_delivery")]

    def __str__(self):
        return f"{self.bsm} {self.dlbm}"
