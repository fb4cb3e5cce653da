"""Redevelopment units, composed by planners from parcels."""

from django.contrib.gis.db import models
from django.db.models import Q
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.parcel import Parcel
from units.models.place import Department, District, Street
from units.models.shapes import in_china, measured_area, shape, valid_shape
from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH


class Perimeter(models.Func):
    """The length of a shape's edges on the ellipsoid, in metres."""

    template = "ST_Perimeter(%(expressions)s::geography)"
    output_field = models.FloatField()


@versions_kept
class RedevelopmentUnit(models.Model):
    """A redevelopment spatial unit (再开发空间单元, NK024), one row a version; an approved version is immutable.

    `requirements` holds the groups of NK025 (land-use budget, functions, structure, infrastructure, public
    facilities, total floor area); `incentives` those of NK026, where a transfer stands in both units, once with each
    sign. `units/recording.py` says what they look like. `digest` is that of the content as it was approved.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        CHECKED = "checked", _("Checked")
        CONSULTED = "consulted", _("Consulted")
        APPROVED = "approved", _("Approved")
        AMENDED = "amended", _("Amended by a later version")
        DELETED = "deleted", _("Deleted")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="units")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    code = models.CharField(_("Code"), max_length=40)
    edition = models.PositiveIntegerField(_("Version"), default=1)
    name = models.CharField(_("Name"), max_length=120)
    state = OneOf(_("State"), max_length=10, choices=State, default=State.DRAFT)
    mode = models.CharField(_("Mode"), max_length=40, blank=True)
    methods = models.JSONField(_("Methods"), default=list, blank=True)
    requirements = models.JSONField(_("Requirements"), default=dict, blank=True)
    incentives = models.JSONField(_("Incentives"), default=list, blank=True)
    programmes = models.JSONField(_("Programmes"), default=list, blank=True)
    plan_editions = models.JSONField(_("Plan versions checked against"), default=dict, blank=True)
    parcels = models.ManyToManyField(
        Parcel, through="UnitParcel", verbose_name=_("Parcels"), related_name="redevelopment_units"
    )
    base_survey_year = models.PositiveSmallIntegerField(_("Base survey"), null=True, blank=True)
    created_by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("Drawn by"), related_name="+")
    created_at = models.DateTimeField(_("Drawn at"), auto_now_add=True)
    version = models.PositiveIntegerField(_("Edit count"), default=1)
    approved_at = models.DateTimeField(_("Approved at"), null=True, blank=True)
    digest = models.CharField(_("Digest"), max_length=64, blank=True)
    geom = shape()
    area_m2 = measured_area()

    class Meta:
        verbose_name = _("Redevelopment unit")
        verbose_name_plural = _("Redevelopment units")
        ordering = ["code", "-edition"]
        constraints = [
            models.UniqueConstraint(fields=["district", "code", "edition"], name="unit_edition_once"),
            models.UniqueConstraint(
                fields=["district", "code"], condition=Q(state="approved"), name="unit_one_approved_edition"
            ),
            in_china("unit"),
            valid_shape("unit"),
            models.CheckConstraint(
                condition=Q(area_m2__gt=OVERLAP_AREA)
                & Q(GreaterThan(2 * models.F("area_m2"), Perimeter("geom") * OVERLAP_WIDTH)),
                name="unit_has_size",
                violation_error_message=_("the shape has no size"),
            ),
        ]

    def __str__(self):
        return f"{self.code} {self.name}"


@versions_kept
class UnitParcel(models.Model):
    """A parcel in a unit: whole, or split by the unit's edge (G-14), with the share that lies inside."""

    unit = models.ForeignKey(RedevelopmentUnit, models.CASCADE, related_name="members")
    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="memberships")
    share = models.DecimalField(_("Share inside"), max_digits=7, decimal_places=6, default=1)

    class Meta:
        verbose_name = _("Parcel of a unit")
        verbose_name_plural = _("Parcels of a unit")
        constraints = [
            models.UniqueConstraint(fields=["unit", "parcel"], name="unit_parcel_once"),
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=1), name="unit_parcel_share"),
        ]

    def __str__(self):
        return f"{self.unit_id} · {self.parcel_id}"


@versions_kept
class Consultation(models.Model):
    """One department asked for its opinion on a unit before approval (征求意见, NK076), and what it replied.

    `about` is the digest of the content that was sent: an opinion on another shape or record is none on this one.
    """

    class Opinion(models.TextChoices):
        AGREES = "agrees", _("Agrees")
        CONDITIONS = "conditions", _("Agrees under conditions")
        OBJECTS = "objects", _("Objects")

    unit = models.ForeignKey(
        RedevelopmentUnit, models.PROTECT, verbose_name=_("Redevelopment unit"), related_name="consultations"
    )
    department = models.ForeignKey(Department, models.PROTECT, verbose_name=_("Department"), related_name="+")
    about = models.CharField(_("Digest"), max_length=64)
    question = models.TextField(_("Question"), blank=True)
    asked_by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("Asked by"), related_name="+")
    asked_at = models.DateTimeField(_("Asked at"), auto_now_add=True)
    due_on = models.DateField(_("Due on"))
    opinion = OneOf(_("Opinion"), max_length=10, choices=Opinion, blank=True)
    reply = models.TextField(_("Reply"), blank=True)
    paper = models.CharField(_("Number of the paper"), max_length=80, blank=True)
    replied_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Replied by"), related_name="+"
    )
    replied_at = models.DateTimeField(_("Replied at"), null=True, blank=True)
    version = models.PositiveIntegerField(_("Edit count"), default=1)

    class Meta:
        verbose_name = _("Consultation")
        verbose_name_plural = _("Consultations")
        ordering = ["due_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "department", "about"], name="consultation_once"),
            models.CheckConstraint(
                condition=Q(opinion="", replied_by__isnull=True, replied_at__isnull=True)
                | (~Q(opinion="") & Q(replied_by__isnull=False, replied_at__isnull=False)),
                name="consultation_replied_whole",
            ),
        ]

    def __str__(self):
        return f"{self.unit_id} · {self.department_id}"
