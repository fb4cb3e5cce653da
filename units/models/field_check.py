"""What people saw on the spot: field checks with their photos and where they were taken."""

from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.parcel import Building, Parcel
from units.models.place import District, Street
from units.models.record import Document
from units.spatial import STORAGE_SRID


class FieldCheck(models.Model):
    """One look at one subject on the spot (现场核查). Nobody changes it later: who looks again writes another.

    `position` is where the device said it was, in EPSG:4490 and numerically WGS 84, good to `accuracy_m`; `distance_m`
    is from there to the subject on the ellipsoid, 0 inside. Both are null where no position was given.
    """

    class Verdict(models.TextChoices):
        AS_RECORDED = "as_recorded", _("As recorded")
        DIFFERS = "differs", _("Differs from the record")
        NOT_SEEN = "not_seen", _("Could not be looked at")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    parcel = models.ForeignKey(
        Parcel, models.PROTECT, null=True, blank=True, verbose_name=_("Parcel"), related_name="field_checks"
    )
    building = models.ForeignKey(
        Building, models.PROTECT, null=True, blank=True, verbose_name=_("Building"), related_name="field_checks"
    )
    verdict = OneOf(_("Verdict"), max_length=12, choices=Verdict)
    note = models.TextField(_("Note"), blank=True)
    position = models.PointField(_("Position"), srid=STORAGE_SRID, null=True, blank=True)
    accuracy_m = models.FloatField(_("Good to (m)"), null=True, blank=True)
    distance_m = models.FloatField(_("Distance to the subject (m)"), null=True, blank=True)
    token = models.UUIDField(_("Sent once as"), unique=True, help_text=_("The same token twice is one check"))
    by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("By"), related_name="+")
    at = models.DateTimeField(_("At"), auto_now_add=True)

    class Meta:
        verbose_name = _("Field check")
        verbose_name_plural = _("Field checks")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(parcel__isnull=True, building__isnull=False)
                | Q(parcel__isnull=False, building__isnull=True),
                name="field_check_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(verdict="as_recorded") | ~Q(note=""), name="field_check_says_what_differs"
            ),
        ]
        indexes = [models.Index(fields=["district", "-id"], name="field_check_latest")]

    def __str__(self):
        return f"{self.subject} {self.at:%Y-%m-%d}"

    @property
    def subject(self) -> Parcel | Building:
        """What was looked at."""
        return self.parcel if self.parcel_id else self.building


class FieldPhoto(models.Model):
    """A photo of a field check; `taken_at` and `position` are what the camera wrote into it (EXIF), if anything."""

    looked = models.ForeignKey(FieldCheck, models.PROTECT, verbose_name=_("Field check"), related_name="photos")
    document = models.ForeignKey(Document, models.PROTECT, verbose_name=_("Document"), related_name="+")
    taken_at = models.CharField(_("Taken at, by the camera's clock"), max_length=19, blank=True)
    position = models.PointField(_("Position"), srid=STORAGE_SRID, null=True, blank=True)

    class Meta:
        verbose_name = _("Photo of a field check")
        verbose_name_plural = _("Photos of field checks")
        ordering = ["pk"]

    def __str__(self):
        return f"{self.looked_id} · {self.document_id}"
