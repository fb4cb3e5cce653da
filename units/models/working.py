"""What people are at right now: who edits what, and drafts that are kept until they are saved."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf


class Register(models.TextChoices):
    """What people have open to edit it, by the names that pages and scripts use."""

    UNIT = "unit", _("Redevelopment unit")
    FORM = "form", _("Survey form")
    RECORD = "record", _("Determination")
    LEGACY = "legacy", _("Legacy land")
    CRITERIA = "criteria", _("Criteria set")


class Lease(models.Model):
    """A soft lease (正在编辑): somebody has a record open to edit it. It tells others and never stops anybody.

    A script renews it while the page is open; one that was not renewed has ended, and is deleted by the next.
    """

    register = OneOf(_("Register"), max_length=8, choices=Register)
    code = models.CharField(_("Code"), max_length=80)
    district = models.CharField(_("District"), max_length=6, blank=True)  # a unit's code is unique in one alone
    user = models.ForeignKey("units.User", models.CASCADE, verbose_name=_("User"), related_name="leases")
    since = models.DateTimeField(_("Since"))
    until = models.DateTimeField(_("Until"))

    class Meta:
        verbose_name = _("Lease")
        verbose_name_plural = _("Leases")
        constraints = [
            models.UniqueConstraint(fields=["register", "code", "district", "user"], name="lease_once_a_person")
        ]
        indexes = [models.Index(fields=["until"], name="lease_until")]

    def __str__(self):
        return f"{self.register} {self.code}"


class KeptDraft(models.Model):
    """Work that is not saved yet, kept for the person who is at it; nobody else reads it, and no history keeps it.

    `kind` says what it is of, `key` which piece of work it is (the browser's own name for it); `version` counts the
    times it was kept, so that two windows at one piece cannot overwrite each other.
    """

    user = models.ForeignKey("units.User", models.CASCADE, verbose_name=_("User"), related_name="kept_drafts")
    kind = OneOf(_("Kind"), max_length=8, choices=Register)
    key = models.CharField(_("Key"), max_length=60)
    version = models.PositiveIntegerField(_("Version"), default=1)
    content = models.JSONField(_("Content"))
    kept_at = models.DateTimeField(_("Kept at"), auto_now=True)

    class Meta:
        verbose_name = _("Kept draft")
        verbose_name_plural = _("Kept drafts")
        ordering = ["-kept_at"]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "key"], name="kept_draft_once_a_key")]

    def __str__(self):
        return f"{self.kind} {self.key}"
