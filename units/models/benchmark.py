"""What firms and land are held against: control indices, lists of sectors, open violations, and how land is used."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.parcel import Building, Enterprise, Parcel
from units.models.place import Department, District
from units.models.shapes import Delivered
from units.models.survey import Survey


class Benchmark(Delivered):
    """A published or agreed figure of a sector (控制指标): of a district, from a year on, until a later one follows.

    Those that hold everywhere are facts of a data file (`units/data/benchmarks.csv`); a district's own stand here and
    come before them. A figure of confidence M was never checked: it is kept to be seen, and never judged by.
    """

    class Figure(models.TextChoices):
        FAR = "far", _("FAR")
        COVERAGE = "coverage", _("Coverage")
        TAX = "tax_per_mu", _("Tax per mu")
        OUTPUT = "output_per_mu", _("Output per mu")
        INVESTMENT = "investment_per_mu", _("Investment per mu")

    class Confidence(models.TextChoices):
        PRIMARY = "P", _("the issuing text was read")
        SECONDARY = "S", _("read in a copy")
        MEMORY = "M", _("general knowledge, not checked")
        DEMO = "D", _("a demonstration value, no policy")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="benchmarks")
    figure = OneOf(_("Figure"), max_length=20, choices=Figure)
    sector = models.CharField(_("Sector code, or its beginning; blank for all"), max_length=8, blank=True)
    sector_edition = models.CharField(_("Edition of the sector code"), max_length=20, blank=True)
    year = models.PositiveSmallIntegerField(_("From the year"))
    value = models.DecimalField(_("Value"), max_digits=14, decimal_places=4)
    uom = models.CharField(_("Unit of measure"), max_length=20)
    source = models.CharField(_("Source"), max_length=200)
    confidence = OneOf(_("Confidence"), max_length=1, choices=Confidence, default=Confidence.DEMO)

    class Meta:
        verbose_name = _("Benchmark")
        verbose_name_plural = _("Benchmarks")
        constraints = [
            models.UniqueConstraint(
                fields=["district", "figure", "sector_edition", "sector", "year"], name="benchmark_once"
            ),
            models.CheckConstraint(condition=Q(value__gt=0), name="benchmark_above_nought"),
            models.CheckConstraint(
                condition=Q(sector="") | ~Q(sector_edition=""), name="benchmark_sector_has_an_edition"
            ),
        ]

    def __str__(self):
        return f"{self.get_figure_display()} {self.sector} {self.year}"


class SectorClass(Delivered):
    """A sector on a list of what is banned, to be eliminated or restricted (NJ004), by the list's edition and year."""

    class Grade(models.TextChoices):
        BANNED = "banned", _("Banned")
        ELIMINATED = "eliminated", _("To be eliminated")
        RESTRICTED = "restricted", _("Restricted")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="sector_classes")
    edition = models.CharField(_("Edition of the list"), max_length=60)
    year = models.PositiveSmallIntegerField(_("From the year"))
    sector = models.CharField(_("Sector code, or its beginning"), max_length=8)
    sector_edition = models.CharField(_("Edition of the sector code"), max_length=20)
    grade = OneOf(_("Class"), max_length=12, choices=Grade)
    title = models.CharField(_("What it is"), max_length=200, blank=True)
    source = models.CharField(_("Source"), max_length=200)

    class Meta:
        verbose_name = _("Sector on a list")
        verbose_name_plural = _("Sectors on lists")
        constraints = [
            models.UniqueConstraint(
                fields=["district", "edition", "sector_edition", "sector"], name="sector_class_once_a_list"
            ),
            models.CheckConstraint(condition=~Q(sector="") & ~Q(sector_edition=""), name="sector_class_has_a_sector"),
        ]

    def __str__(self):
        return f"{self.sector} {self.get_grade_display()}"


@versions_kept
class Violation(Delivered):
    """A breach of a firm that an authority established (NJ005): by which paper, of which day, and whether put right."""

    class Field(models.TextChoices):
        SAFETY = "safety", _("Safety at work")
        ENVIRONMENT = "environment", _("Environment")

    enterprise = models.ForeignKey(Enterprise, models.CASCADE, verbose_name=_("Enterprise"), related_name="violations")
    field = OneOf(_("Field"), max_length=12, choices=Field)
    authority = models.CharField(_("Authority"), max_length=120)
    document = models.CharField(_("Number of the decision"), max_length=120)
    happened_on = models.DateField(_("Decided on"))
    rectified = models.BooleanField(_("Put right"), null=True, blank=True)
    rectified_on = models.DateField(_("Put right on"), null=True, blank=True)
    version = models.PositiveIntegerField(_("Version"), default=1)

    class Meta:
        verbose_name = _("Violation")
        verbose_name_plural = _("Violations")
        constraints = [
            models.UniqueConstraint(fields=["enterprise", "document"], name="violation_once"),
            models.CheckConstraint(
                condition=Q(rectified_on__isnull=True) | Q(rectified=True, rectified_on__gte=F("happened_on")),
                name="violation_put_right_after_it_was_decided",
            ),
        ]

    def __str__(self):
        return self.document


@versions_kept
class UseState(Delivered):
    """How a parcel or building is used today (使用状况): in use, in part or idle; since when, whose, and what is done.

    With a building it is the building's, else the parcel's. `measures` are codes (NK036); null where nobody said.
    """

    class State(models.TextChoices):
        IN_USE = "in_use", _("In use")
        PARTLY = "partly", _("Used in part")
        IDLE = "idle", _("Idle")

    class Measure(models.TextChoices):
        INVESTMENT = "investment_promotion", _("Investment promotion")
        SUBSIDY = "rent_subsidy", _("Rent subsidy")
        UPGRADING = "upgrading", _("Upgrading")

    survey = models.ForeignKey(Survey, models.PROTECT, verbose_name=_("Survey"), related_name="use_states")
    parcel = models.ForeignKey(
        Parcel, models.CASCADE, null=True, blank=True, verbose_name=_("Parcel"), related_name="use_states"
    )
    building = models.ForeignKey(
        Building, models.CASCADE, null=True, blank=True, verbose_name=_("Building"), related_name="use_states"
    )
    state = OneOf(_("State of use"), max_length=8, choices=State, blank=True)
    idle_since = models.DateField(_("Idle since"), null=True, blank=True)
    idle_m2 = models.DecimalField(_("Idle area (m²)"), max_digits=15, decimal_places=2, null=True, blank=True)
    owner_department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("Department in charge"), related_name="+"
    )
    measures = models.JSONField(_("Measures taken"), null=True, blank=True)
    document = models.CharField(_("Paper"), max_length=200, blank=True)
    told_on = models.DateField(_("Told on"), null=True, blank=True)
    version = models.PositiveIntegerField(_("Version"), default=1)

    class Meta:
        verbose_name = _("State of use")
        verbose_name_plural = _("States of use")
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "parcel", "building"], nulls_distinct=False, name="use_state_once_a_subject"
            ),
            models.CheckConstraint(
                condition=Q(parcel__isnull=False) | Q(building__isnull=False), name="use_state_has_a_subject"
            ),
            models.CheckConstraint(
                condition=Q(idle_m2__isnull=True) | Q(idle_m2__gte=0), name="use_state_area_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(idle_since__isnull=True) | ~Q(state="in_use"), name="use_state_is_idle_since"
            ),
        ]

    def __str__(self):
        return f"{self.building or self.parcel}: {self.get_state_display()}"
