"""Figures beside the land: what a whole district makes in a year, and how its firms score by a published scheme."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.parcel import Enterprise
from units.models.place import District


@versions_kept
class DistrictFigure(models.Model):
    """A figure of a whole district and year, with the source that states it; what nobody entered is unknown (NK008)."""

    class Figure(models.TextChoices):
        GDP = "gdp", _("Gross domestic product (CNY)")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="figures")
    figure = OneOf(_("Figure"), max_length=12, choices=Figure)
    year = models.PositiveSmallIntegerField(_("Year"))
    value = models.DecimalField(_("Value"), max_digits=20, decimal_places=2)
    source = models.CharField(_("Source"), max_length=200)
    entered_by = models.ForeignKey(
        "units.User", models.PROTECT, null=True, blank=True, verbose_name=_("Entered by"), related_name="+"
    )
    entered_at = models.DateTimeField(_("Entered at"), auto_now=True)

    class Meta:
        verbose_name = _("Figure of a district")
        verbose_name_plural = _("Figures of districts")
        ordering = ["district", "figure", "-year"]
        constraints = [
            models.UniqueConstraint(fields=["district", "figure", "year"], name="district_figure_once_a_year"),
            models.CheckConstraint(condition=Q(value__gt=0), name="district_figure_above_nought"),
            models.CheckConstraint(condition=~Q(source=""), name="district_figure_has_a_source"),
        ]

    def __str__(self):
        return f"{self.district_id} {self.figure} {self.year}"


class Score(models.Model):
    """What a scoring scheme says of one firm and year; it stands beside the official grade and never replaces it.

    A firm that is not rated, or of which a figure is missing, has no grade and the reason why. A run of a scheme
    replaces its rows of the district and year; `digest` is that of the scheme's text.
    """

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    enterprise = models.ForeignKey(Enterprise, models.CASCADE, verbose_name=_("Enterprise"), related_name="scores")
    year = models.PositiveSmallIntegerField(_("Year"))
    scheme = models.CharField(_("Scoring scheme"), max_length=60)
    digest = models.CharField(_("Digest"), max_length=64)
    group = models.CharField(_("Group of firms"), max_length=40, blank=True)
    score = models.DecimalField(_("Score"), max_digits=12, decimal_places=4, null=True, blank=True)
    place = models.PositiveIntegerField(_("Rank"), null=True, blank=True)
    rated = models.PositiveIntegerField(_("Firms rated in its group"), default=0)
    grade = models.CharField(_("Computed grade"), max_length=4, blank=True)
    reason = models.CharField(_("Why there is none"), max_length=60, blank=True)
    details = models.JSONField(_("Items"), default=dict, blank=True)
    scored_at = models.DateTimeField(_("Scored at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Computed score")
        verbose_name_plural = _("Computed scores")
        ordering = ["scheme", "-year", "group", "place"]
        constraints = [
            models.UniqueConstraint(fields=["enterprise", "year", "scheme"], name="score_once_a_scheme"),
            models.CheckConstraint(
                condition=Q(score__isnull=False, place__isnull=False, reason="") & ~Q(grade="")
                | Q(score__isnull=True, place__isnull=True) & ~Q(reason=""),
                name="score_or_the_reason_why_not",
            ),
        ]
        indexes = [models.Index(fields=["district", "scheme", "year"], name="score_of_a_year")]

    def __str__(self):
        return f"{self.enterprise_id} {self.scheme} {self.year}: {self.grade or self.reason}"
