"""What is surveyed and judged: parcels, the buildings and enterprises on them, and the facts collected."""

from django.contrib.gis.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.place import District, Street, begins_with
from units.models.shapes import Delivered, in_china, measured_area, shape, valid_shape
from units.models.survey import Survey


class Category(models.TextChoices):
    """The four categories of Nankai (NK020). Sub-types and other levels' names map to them by data."""

    INDUSTRIAL = "industrial", _("Industrial")
    OFFICE = "office", _("Office and commercial")
    RESIDENTIAL = "residential", _("Residential")
    FACILITY = "facility", _("Facility")


class Scheme(models.TextChoices):
    """The code system a land-use code belongs to; the same digits mean different things in each."""

    SANDIAO = "sandiao", _("Third survey working classes (TD/T 1055)")
    YDYH = "ydyh2023", _("Land and sea use classes (2023)")
    GBT21010 = "gbt21010", _("GB/T 21010")
    UNKNOWN = "unknown", _("Not stated")


@versions_kept
class Parcel(Delivered):
    """The parcel (宗地), the unit that is surveyed and judged (NK012); one row a survey round.

    Three areas, never confused: `area_m2` measured on the ellipsoid, `documented_m2` by its papers (ZDMJ, converted
    from its unit MJDW), and the surveyed areas of the patches below it.
    """

    survey = models.ForeignKey(Survey, models.PROTECT, verbose_name=_("Survey"), related_name="parcels")
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    code = models.CharField(_("Parcel code (ZDDM)"), max_length=19)
    unit_code = models.CharField(_("Real-estate unit (BDCDYH)"), max_length=28, blank=True)
    address = models.CharField(_("Location (ZL)"), max_length=200, blank=True)
    registered_use = models.CharField(_("Registered use (YT)"), max_length=20, blank=True)
    use_scheme = OneOf(_("Code scheme of the use"), max_length=20, choices=Scheme, default=Scheme.UNKNOWN)
    documented_m2 = models.DecimalField(
        _("Documented area (m²)"), max_digits=15, decimal_places=4, null=True, blank=True
    )
    right_type = models.CharField(_("Type of right (QLLX)"), max_length=2, blank=True)
    right_nature = models.CharField(_("Nature of right (QLXZ)"), max_length=4, blank=True)
    right_holder = models.CharField(_("Right holder"), max_length=200, blank=True)
    registered_far = models.DecimalField(
        _("Registered FAR (RJL)"), max_digits=6, decimal_places=2, null=True, blank=True
    )
    registered_coverage = models.DecimalField(
        _("Registered coverage (JZMD), a share"), max_digits=5, decimal_places=4, null=True, blank=True
    )
    right_from = models.DateField(_("Right from"), null=True, blank=True)
    right_until = models.DateField(_("Right until"), null=True, blank=True)
    owner_wish = models.JSONField(_("Owner's wish: willing, mode, date, paper"), default=dict, blank=True)
    version = models.PositiveIntegerField(_("Version"), default=1)
    geom = shape()
    area_m2 = measured_area()

    class Meta:
        verbose_name = _("Parcel")
        verbose_name_plural = _("Parcels")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "code"], name="parcel_code_once_a_survey"),
            models.CheckConstraint(
                condition=Q(registered_coverage__isnull=True) | Q(registered_coverage__range=(0, 1)),
                name="parcel_coverage_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(right_until__isnull=True)
                | Q(right_from__isnull=True)
                | Q(right_until__gte=F("right_from")),
                name="parcel_right_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=begins_with("street", "district"),
                name="parcel_street_in_district",
            ),
            in_china("parcel"),
            valid_shape("parcel"),
        ]

    def __str__(self):
        return self.code


@versions_kept
class Building(Delivered):
    """A building footprint (建筑物). `floor_area_m2` is the countable (计容) area above ground as recorded."""

    class Grade(models.TextChoices):
        A = "A", "A"
        B = "B", "B"
        C = "C", "C"
        D = "D", "D"

    survey = models.ForeignKey(Survey, models.PROTECT, verbose_name=_("Survey"), related_name="buildings")
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    code = models.CharField(_("Building code"), max_length=40)
    name = models.CharField(_("Name"), max_length=200, blank=True)
    use = models.CharField(_("Use of the building (FWYT)"), max_length=20, blank=True)
    floors = models.DecimalField(_("Floors above ground"), max_digits=5, decimal_places=1, null=True, blank=True)
    height_m = models.DecimalField(_("Height (m)"), max_digits=7, decimal_places=2, null=True, blank=True)
    floor_area_m2 = models.DecimalField(_("Floor area (m²)"), max_digits=15, decimal_places=2, null=True, blank=True)
    underground_m2 = models.DecimalField(
        _("Floor area below ground (m²)"), max_digits=15, decimal_places=2, null=True, blank=True
    )
    vacant_m2 = models.DecimalField(_("Vacant floor area (m²)"), max_digits=15, decimal_places=2, null=True, blank=True)
    vacant_by_floor = models.JSONField(_("Vacancy by floor"), default=dict, blank=True)
    built_year = models.PositiveSmallIntegerField(_("Year built"), null=True, blank=True)
    safety_grade = models.CharField(_("Safety grade (JGJ 125)"), max_length=1, choices=Grade, blank=True)
    temporary = models.BooleanField(_("Temporary"), default=False)
    version = models.PositiveIntegerField(_("Version"), default=1)
    geom = shape()
    area_m2 = measured_area()

    class Meta:
        verbose_name = _("Building")
        verbose_name_plural = _("Buildings")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "code"], name="building_code_once_a_survey"),
            models.CheckConstraint(
                condition=Q(floors__isnull=True) | Q(floors__range=(0, 300)), name="building_floors_plausible"
            ),
            models.CheckConstraint(
                condition=(Q(floor_area_m2__isnull=True) | Q(floor_area_m2__gte=0))
                & (Q(underground_m2__isnull=True) | Q(underground_m2__gte=0))
                & (Q(vacant_m2__isnull=True) | Q(vacant_m2__gte=0)),
                name="building_areas_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(built_year__isnull=True) | Q(built_year__range=(1400, 2100)),
                name="building_year_plausible",
            ),
            in_china("building"),
            valid_shape("building"),
        ]

    def __str__(self):
        return self.name or self.code


class Enterprise(Delivered):
    """A firm of the district. Its parcels are in `Occupancy`, its yearly figures in `EnterpriseYear`."""

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="enterprises")
    credit_code = models.CharField(_("Unified social credit code"), max_length=18, blank=True)
    name = models.CharField(_("Name"), max_length=200)
    sector = models.CharField(_("Sector code"), max_length=8, blank=True)
    sector_edition = models.CharField(_("Edition of the sector code"), max_length=20, blank=True)
    above_scale = models.BooleanField(_("Above scale"), null=True, blank=True)
    strategic = models.BooleanField(_("Strategic emerging industry"), null=True, blank=True)
    started_on = models.DateField(_("In production since"), null=True, blank=True)
    registered_in = models.CharField(_("Registered in (code of the county)"), max_length=6, blank=True)

    class Meta:
        verbose_name = _("Enterprise")
        verbose_name_plural = _("Enterprises")
        constraints = [
            models.UniqueConstraint(
                fields=["district", "credit_code"], condition=~Q(credit_code=""), name="enterprise_once_a_district"
            ),
            models.CheckConstraint(
                condition=Q(credit_code="") | Q(credit_code__regex=r"^[0-9A-Z]{18}$"), name="enterprise_credit_code"
            ),
            models.CheckConstraint(
                condition=Q(sector="") | ~Q(sector_edition=""), name="enterprise_sector_has_an_edition"
            ),
        ]

    def __str__(self):
        return self.name


class EnterpriseYear(Delivered):
    """One firm's figures of one year. A missing figure is null: unknown, never nought (NJ021)."""

    class Grade(models.TextChoices):
        A = "A", "A"
        B = "B", "B"
        C = "C", "C"
        D = "D", "D"
        T = "T", _("Not rated")

    enterprise = models.ForeignKey(Enterprise, models.CASCADE, verbose_name=_("Enterprise"), related_name="years")
    year = models.PositiveSmallIntegerField(_("Year"))
    tax_cny = models.DecimalField(_("Tax (CNY)"), max_digits=18, decimal_places=2, null=True, blank=True)
    sales_cny = models.DecimalField(_("Sales (CNY)"), max_digits=18, decimal_places=2, null=True, blank=True)
    output_cny = models.DecimalField(_("Output value (CNY)"), max_digits=18, decimal_places=2, null=True, blank=True)
    energy_tce = models.DecimalField(_("Energy (tce)"), max_digits=15, decimal_places=3, null=True, blank=True)
    power_kwh = models.DecimalField(_("Electricity (kWh)"), max_digits=18, decimal_places=2, null=True, blank=True)
    water_m3 = models.DecimalField(_("Water (m³)"), max_digits=15, decimal_places=2, null=True, blank=True)
    investment_cny = models.DecimalField(
        _("Investment in the year (CNY)"), max_digits=18, decimal_places=2, null=True, blank=True
    )
    employees = models.PositiveIntegerField(_("Employees"), null=True, blank=True)
    grade = OneOf(_("Grade of the yearly evaluation"), max_length=2, choices=Grade, blank=True)

    class Meta:
        verbose_name = _("Year of an enterprise")
        verbose_name_plural = _("Years of enterprises")
        constraints = [
            models.UniqueConstraint(fields=["enterprise", "year"], name="enterprise_year_once"),
        ]

    def __str__(self):
        return f"{self.enterprise} {self.year}"


class Occupancy(Delivered):
    """A firm on a parcel: many firms share one parcel, one firm holds several (一地多企, 一企多地)."""

    enterprise = models.ForeignKey(Enterprise, models.CASCADE, verbose_name=_("Enterprise"), related_name="occupancies")
    parcel = models.ForeignKey(Parcel, models.CASCADE, verbose_name=_("Parcel"), related_name="occupancies")
    building = models.ForeignKey(
        Building, models.CASCADE, null=True, blank=True, verbose_name=_("Building"), related_name="occupancies"
    )
    floor_area_m2 = models.DecimalField(
        _("Floor area used (m²)"), max_digits=15, decimal_places=2, null=True, blank=True
    )
    land_area_m2 = models.DecimalField(_("Land used (m²)"), max_digits=15, decimal_places=2, null=True, blank=True)
    is_tenant = models.BooleanField(_("Rents"), null=True, blank=True)
    since = models.DateField(_("Since"), null=True, blank=True)
    until = models.DateField(_("Until"), null=True, blank=True)

    class Meta:
        verbose_name = _("Occupancy")
        verbose_name_plural = _("Occupancies")
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise", "parcel", "building", "since"], nulls_distinct=False, name="occupancy_once"
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(since__isnull=True) | Q(until__gte=F("since")),
                name="occupancy_ends_after_it_begins",
            ),
        ]

    def __str__(self):
        return f"{self.enterprise} · {self.parcel}"


class SupplyContract(Delivered):
    """A land supply contract (出让合同), with agreed and actual dates side by side."""

    parcel = models.ForeignKey(Parcel, models.CASCADE, verbose_name=_("Parcel"), related_name="contracts")
    number = models.CharField(_("Contract number"), max_length=60)
    signed_on = models.DateField(_("Signed on"), null=True, blank=True)
    supplemented_on = models.DateField(_("Supplement signed on"), null=True, blank=True)
    area_m2 = models.DecimalField(_("Contract area (m²)"), max_digits=15, decimal_places=2, null=True, blank=True)
    use = models.CharField(_("Agreed use"), max_length=20, blank=True)
    use_scheme = OneOf(_("Code scheme of the use"), max_length=20, choices=Scheme, default=Scheme.UNKNOWN)
    mode = models.CharField(_("Mode of supply"), max_length=40, blank=True)
    start_agreed = models.DateField(_("Start agreed"), null=True, blank=True)
    start_actual = models.DateField(_("Start"), null=True, blank=True)
    stopped_on = models.DateField(_("Work stopped on"), null=True, blank=True)
    completion_agreed = models.DateField(_("Completion agreed"), null=True, blank=True)
    completion_actual = models.DateField(_("Completion"), null=True, blank=True)
    far_min = models.DecimalField(_("Least FAR agreed"), max_digits=6, decimal_places=2, null=True, blank=True)
    investment_agreed_cny = models.DecimalField(
        _("Investment agreed (CNY)"), max_digits=18, decimal_places=2, null=True, blank=True
    )
    investment_actual_cny = models.DecimalField(
        _("Investment made (CNY)"), max_digits=18, decimal_places=2, null=True, blank=True
    )
    tax_agreed_cny_mu = models.DecimalField(
        _("Tax agreed (CNY per mu and year)"), max_digits=14, decimal_places=2, null=True, blank=True
    )

    class Meta:
        verbose_name = _("Supply contract")
        verbose_name_plural = _("Supply contracts")
        constraints = [
            models.UniqueConstraint(fields=["parcel", "number"], name="contract_once_a_parcel"),
        ]

    def __str__(self):
        return self.number
