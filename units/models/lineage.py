"""What became of shapes and of the codes they had: operations on units, and which code came from which."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.place import District
from units.models.survey import Delivery, Survey


class Reshaping(models.Model):
    """One operation on the shapes of units, kept for ever: what each of them was before, and is after.

    `before` and `after` list {code, edition, version, state, digest, members, noded}: which version of the history
    holds the shape, the digest of all that an undoing must bring back, and [row of the parcel, share] of the members.
    Neighbours that only got a vertex in a common edge are `noded`. An undoing is an operation of its own.
    """

    class Kind(models.TextChoices):
        DRAWN = "drawn", _("Drawn")
        EDITED = "edited", _("Edited")
        SPLIT = "split", _("Split by a line")
        CUT_OUT = "cut_out", _("Cut out")
        MERGED = "merged", _("Merged")
        EDGE_MOVED = "edge_moved", _("Common edge moved")
        UNDONE = "undone", _("Undone")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    kind = OneOf(_("Kind"), max_length=12, choices=Kind)
    by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("By"), related_name="+")
    at = models.DateTimeField(_("At"), auto_now_add=True)
    before = models.JSONField(_("Before"), default=list)
    after = models.JSONField(_("After"), default=list)
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, verbose_name=_("Undoes"), related_name="undone_by"
    )

    class Meta:
        verbose_name = _("Operation on units")
        verbose_name_plural = _("Operations on units")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="undone", undoes__isnull=False) | ~Q(kind="undone") & Q(undoes__isnull=True),
                name="reshaping_undoes_one",
            ),
        ]

    def __str__(self):
        return f"{self.pk} {self.kind}"


class Lineage(models.Model):
    """That the ground of one code went to another, wholly or in part; rows are only ever added.

    A code that goes on is told beside those that came of it, so that the shares of one split add up to 1.
    """

    class Register(models.TextChoices):
        UNIT = "unit", _("Redevelopment unit")
        PARCEL = "parcel", _("Parcel")

    class Kind(models.TextChoices):
        SPLIT = "split", _("Split")
        MERGE = "merge", _("Merged")
        RENUMBERED = "renumbered", _("Renumbered")

    register = OneOf(_("Register"), max_length=8, choices=Register)
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    from_code = models.CharField(_("From the code"), max_length=40)
    to_code = models.CharField(_("To the code"), max_length=40)
    kind = OneOf(_("Kind"), max_length=12, choices=Kind)
    share = models.DecimalField(_("Share of the ground"), max_digits=7, decimal_places=6, null=True, blank=True)
    at = models.DateTimeField(_("At"), auto_now_add=True)
    by = models.ForeignKey("units.User", models.PROTECT, null=True, blank=True, verbose_name=_("By"), related_name="+")
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, verbose_name=_("Delivery"), related_name="+"
    )
    survey = models.ForeignKey(
        Survey, models.PROTECT, null=True, blank=True, verbose_name=_("Survey"), related_name="+"
    )
    reshaping = models.ForeignKey(
        Reshaping, models.PROTECT, null=True, blank=True, verbose_name=_("Operation on units"), related_name="lineage"
    )

    class Meta:
        verbose_name = _("Descent of a code")
        verbose_name_plural = _("Descents of codes")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["register", "district", "from_code"], name="lineage_from"),
            models.Index(fields=["register", "district", "to_code"], name="lineage_to"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(share__isnull=True) | Q(share__gte=0, share__lte=1), name="lineage_share"
            ),
            models.CheckConstraint(
                condition=~Q(kind="renumbered") | ~Q(to_code=F("from_code")), name="lineage_renumbered_goes_on"
            ),
        ]

    def __str__(self):
        return f"{self.register} {self.from_code} → {self.to_code}"
