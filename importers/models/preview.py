"""What a dry run found: every row of the file, every held row that would leave, and every problem."""

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.utils.translation import gettext_lazy as _

from units.spatial import STORAGE_SRID


class PreviewRow(models.Model):
    """One row of a file, or one held row that would leave, and what would become of it. Nothing of it is stored yet.

    `changes` are {field: [before, after]}. Rows that share `together` are one split, merging or regrouping. A held row
    has no row number, and only the shape before.
    """

    class Kind(models.TextChoices):
        NEW = "new", _("New")
        ATTRIBUTES = "attributes", _("Attributes changed")
        MOVED = "moved", _("Shape changed")
        RENUMBERED = "renumbered", _("Renumbered")
        SPLIT = "split", _("Split")
        MERGED = "merged", _("Merged")
        REGROUPED = "regrouped", _("Regrouped")
        GONE = "gone", _("Gone")
        UNCHANGED = "unchanged", _("Unchanged")
        REFUSED = "refused", _("Not taken")

    preview = models.UUIDField(_("Preview"))
    row_number = models.PositiveIntegerField(_("Row of the file"), null=True)
    key = models.CharField(_("Identifier"), max_length=80, blank=True)
    kind = models.CharField(_("Kind"), max_length=10, choices=Kind)
    codes = ArrayField(models.CharField(max_length=40), verbose_name=_("Codes"), default=list)
    severity = models.CharField(_("Severity"), max_length=10, blank=True)
    changes = models.JSONField(_("Changes: field, before and after"), default=dict)
    together = models.PositiveIntegerField(_("Split or merged with the rows of this number"), null=True)
    geom = models.GeometryField(_("Shape"), srid=STORAGE_SRID, null=True, spatial_index=False)
    before = models.GeometryField(_("Shape before"), srid=STORAGE_SRID, null=True, spatial_index=False)

    class Meta:
        verbose_name = _("Row of a preview")
        verbose_name_plural = _("Rows of previews")
        indexes = [
            models.Index(fields=["preview", "kind", "row_number"], name="preview_row_kind"),
            models.Index(fields=["preview", "row_number"], name="preview_row_number"),
            GistIndex(fields=["preview", "geom"], name="preview_row_shape"),
            GistIndex(
                fields=["preview", "before"], name="preview_row_before", condition=models.Q(before__isnull=False)
            ),
        ]

    def __str__(self):
        return f"{self.row_number or '–'} {self.key}: {self.kind}"


class PreviewProblem(models.Model):
    """One thing wrong with one row of a dry run, as a finding of the delivery would tell it."""

    preview = models.UUIDField(_("Preview"))
    row_number = models.PositiveIntegerField(_("Row of the file"))
    key = models.CharField(_("Identifier"), max_length=80, blank=True)
    code = models.CharField(_("Code"), max_length=40)
    severity = models.CharField(_("Severity"), max_length=10)
    field = models.CharField(_("Field"), max_length=80, blank=True)
    value = models.CharField(_("Value"), max_length=200, blank=True)
    sentence = models.TextField(_("Sentence"))
    fix = models.TextField(_("Fix"), blank=True)
    details = models.JSONField(_("Details"), default=dict)
    geom = models.PointField(_("Place"), srid=STORAGE_SRID, null=True, spatial_index=False)

    class Meta:
        verbose_name = _("Problem of a preview")
        verbose_name_plural = _("Problems of previews")
        indexes = [
            models.Index(fields=["preview", "code", "row_number"], name="preview_problem_code"),
            models.Index(fields=["preview", "row_number"], name="preview_problem_row"),
            GistIndex(fields=["preview", "geom"], name="preview_problem_place"),
        ]

    def __str__(self):
        return f"{self.row_number} {self.key}: {self.code}"
