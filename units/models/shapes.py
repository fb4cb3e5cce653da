"""What every table with a delivered or drawn shape has in common."""

from django.contrib.gis.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _

from units.spatial import CHINA, STORAGE_SRID


class EllipsoidalArea(Func):
    """ST_Area(geom::geography): square metres on the ellipsoid of the column's own reference system."""

    template = "ST_Area((%(expressions)s)::geography)"
    output_field = models.FloatField()


class Digits(Func):
    """A text column holds exactly so many digits; a tenth of the cost of a regular expression on each row."""

    output_field = models.BooleanField()

    def __init__(self, column: str, count: int):
        super().__init__(
            models.F(column),
            template=f"(length(%(expressions)s) = {count} AND ltrim(%(expressions)s, '0123456789') = '')",
        )
        self.column, self.count = column, count

    def deconstruct(self):
        return "units.models.shapes.Digits", (self.column, self.count), {}


def measured_area():
    """A column that the database fills with the shape's area in m² on the CGCS2000 ellipsoid."""
    return models.GeneratedField(
        expression=EllipsoidalArea("geom"),
        output_field=models.FloatField(),
        db_persist=True,
        verbose_name=_("Measured area (m²)"),
    )


def shape(**options):
    """A MultiPolygon in EPSG:4490, two dimensions, indexed."""
    return models.MultiPolygonField(_("Shape"), srid=STORAGE_SRID, **options)


def in_china(table: str) -> models.CheckConstraint:
    """Refuse shapes that cannot lie in China: swapped axes, metres for degrees, NaN, nothing at all.

    It compares boxes only, so that it costs a bulk load nothing.
    """
    west, south, east, north = CHINA
    # As text: a geometry object does not compare equal to the one read back from a migration.
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    box = f"SRID={STORAGE_SRID};POLYGON(({', '.join(f'{x:g} {y:g}' for x, y in corners)}))"
    return models.CheckConstraint(
        condition=Q(geom__contained=box), name=f"{table}_in_china", violation_error_message=_("outside China")
    )


def valid_shape(table: str) -> models.CheckConstraint:
    """Refuse a shape that is not valid (OGC 06-103r4): every measure and overlay relies on it."""
    return models.CheckConstraint(
        condition=Q(geom__isvalid=True), name=f"{table}_valid", violation_error_message=_("the shape is not valid")
    )


class Delivered(models.Model):
    """A row that came from a file: which delivery, which row of it (1 is the first), and its digest.

    All three are null for a row drawn or typed here. `row_digest` is the SHA-256 of the row as delivered.
    """

    delivery = models.ForeignKey(
        "units.Delivery", models.PROTECT, null=True, blank=True, verbose_name=_("Delivery"), related_name="+"
    )
    row_number = models.PositiveIntegerField(_("Row of the file"), null=True, blank=True)
    row_digest = models.BinaryField(_("Digest of the row"), max_length=32, null=True, blank=True)
    extra = models.JSONField(_("Further columns as delivered"), default=dict, blank=True)

    class Meta:
        abstract = True
