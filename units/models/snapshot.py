"""What the district consented to and handed up, sealed byte for byte."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.place import District
from units.models.record import Document


class Snapshot(models.Model):
    """A set of records as the district government consented to it (workflow 4.2, state 7), kept for ever.

    `content` is the set as lines of JSON in the order of their codes, `sha256` its digest, which the database itself
    holds to the content. `at` is the moment of the database: the history as it stood then gives the same bytes again.
    Where a record was returned before the set was handed up, the rest is sealed anew and `replaces` names the set that
    was; `beside` is the legacy register that goes up with a set of low-efficiency records.
    """

    class Register(models.TextChoices):
        RECORD = "record", _("Low-efficiency record")
        LEGACY = "legacy", _("Legacy polygon")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="snapshots")
    register = OneOf(_("Register"), max_length=8, choices=Register)
    number = models.PositiveIntegerField(_("Number"))
    at = models.DateTimeField(_("Sealed at"))
    by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("By"), related_name="+")
    document = models.ForeignKey(Document, models.PROTECT, verbose_name=_("Document"), related_name="+")
    rows = models.PositiveIntegerField(_("Rows"))
    content = models.BinaryField(_("Content"))
    sha256 = models.CharField(_("Checksum (SHA-256)"), max_length=64)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("Replaces"), related_name="replaced_by"
    )
    beside = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("Goes up with"), related_name="+"
    )

    class Meta:
        verbose_name = _("Sealed set")
        verbose_name_plural = _("Sealed sets")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["district", "register", "number"], name="snapshot_number_once"),
        ]

    def __str__(self):
        return f"{self.district_id} {self.register} {self.number}"
