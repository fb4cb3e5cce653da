"""Where things are and whose they are: districts, streets and the departments that own facts."""

from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.history import versions_kept
from units.spatial import STORAGE_SRID


def begins_with(column: str, start: str) -> models.Func:
    """The text of one column begins with that of another; unknown when either is null, which a CHECK lets pass."""
    return models.Func(models.F(column), models.F(start), function="starts_with", output_field=models.BooleanField())


@versions_kept
class District(models.Model):
    """A county-level tenant, keyed by its six-digit administrative code (GB/T 2260)."""

    code = models.CharField(_("Code"), max_length=6, primary_key=True)
    name = models.CharField(_("Name"), max_length=60)
    srid = models.IntegerField(_("Gauss–Krüger zone (EPSG)"), help_text=_("Lengths and topology are judged in it."))
    geom = models.MultiPolygonField(_("Boundary"), srid=STORAGE_SRID, null=True, blank=True)

    class Meta:
        verbose_name = _("District")
        verbose_name_plural = _("Districts")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^\d{6}$"), name="district_code_six_digits"),
            models.CheckConstraint(condition=Q(srid__range=(4513, 4554)), name="district_srid_is_gauss_kruger"),
        ]

    def __str__(self):
        return self.name


@versions_kept
class Street(models.Model):
    """A street office's area (街道), by its nine-digit code; rights are scoped by it."""

    code = models.CharField(_("Code"), max_length=9, primary_key=True)
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="streets")
    name = models.CharField(_("Name"), max_length=60)
    geom = models.MultiPolygonField(_("Boundary"), srid=STORAGE_SRID, null=True, blank=True)

    class Meta:
        verbose_name = _("Street")
        verbose_name_plural = _("Streets")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^\d{9}$"), name="street_code_nine_digits"),
            models.CheckConstraint(condition=begins_with("code", "district"), name="street_code_begins_with_district"),
        ]

    def __str__(self):
        return self.name


class Department(models.Model):
    """A body that leads, fills in or confirms: a bureau of the district, a street office, the municipal bureau."""

    code = models.SlugField(_("Code"), max_length=40)
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="departments")
    street = models.OneToOneField(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="office"
    )
    name = models.CharField(_("Name"), max_length=80)

    class Meta:
        verbose_name = _("Department")
        verbose_name_plural = _("Departments")
        ordering = ["district", "code"]
        constraints = [
            models.UniqueConstraint(fields=["district", "code"], name="department_code_once_a_district"),
        ]

    def __str__(self):
        return self.name


class DepartmentAlias(models.Model):
    """Another name of the same body in the texts: 区城管委 is 区城市管理委 (NK018)."""

    department = models.ForeignKey(Department, models.CASCADE, verbose_name=_("Department"), related_name="aliases")
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    name = models.CharField(_("Name"), max_length=80)

    class Meta:
        verbose_name = _("Name of a department")
        verbose_name_plural = _("Names of departments")
        constraints = [models.UniqueConstraint(fields=["district", "name"], name="alias_once_a_district")]

    def __str__(self):
        return self.name
