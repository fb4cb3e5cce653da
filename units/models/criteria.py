"""Criteria sets that a district wrote here: drafts, and what was approved and never changes again."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.place import District
from units.models.record import Document


@versions_kept
class CriteriaText(models.Model):
    """One criteria set of a district, as text. `name` is the id of the set; a new edition gets a new name.

    A draft may have faults, which are kept beside it. An approved one carries the digest of its whole text with its
    parents, and the database refuses to change or delete it: it can only be retired.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        RETIRED = "retired", _("Retired")

    name = models.CharField(_("Name"), max_length=60, unique=True)
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="criteria_texts")
    title = models.CharField(_("Title"), max_length=200, blank=True)
    parent = models.CharField(_("Parent"), max_length=60, blank=True)
    status = OneOf(_("Status"), max_length=8, choices=Status, default=Status.DRAFT)
    text = models.TextField(_("Text"))
    based_on = models.CharField(_("Digest of the set that it was made from"), max_length=64, blank=True)
    reason = models.TextField(_("Why it was made"))
    faults = models.JSONField(_("Faults"), default=list, blank=True)
    version = models.PositiveIntegerField(_("Version"), default=1)
    made_by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("Made by"), related_name="+")
    made_at = models.DateTimeField(_("Made at"), auto_now_add=True)
    edited_by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("Edited by"), related_name="+")
    edited_at = models.DateTimeField(_("Edited at"), auto_now=True)
    whole = models.TextField(_("Text, with its parents"), blank=True)
    digest = models.CharField(_("Digest"), max_length=64, blank=True)
    approved_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Approved by"), related_name="+"
    )
    approved_at = models.DateTimeField(_("Approved at"), null=True, blank=True)
    approval = models.TextField(_("Reason of the approval"), blank=True)
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, verbose_name=_("Document"), related_name="+"
    )
    retired_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Retired by"), related_name="+"
    )
    retired_at = models.DateTimeField(_("Retired at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Text of criteria")
        verbose_name_plural = _("Texts of criteria")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft", digest="", whole="", approved_by__isnull=True)
                | (
                    Q(status__in=["approved", "retired"], faults=[], approved_by__isnull=False)
                    & Q(approved_at__isnull=False, document__isnull=False)
                    & ~Q(digest="")
                    & ~Q(approval="")
                ),
                name="criteria_approved_by_somebody_on_paper",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="criteria_made_for_a_reason"),
        ]

    def __str__(self):
        return self.name
