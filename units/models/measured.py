"""What was measured of each subject of a survey in force, and what has changed since."""

from django.contrib.gis.db import models
from django.utils.translation import gettext_lazy as _

from units.criteria.measures import BOOLEAN, MEASURES, NUMBER, SQL_TYPES
from units.spatial import STORAGE_SRID


class Rounded(models.DecimalField):
    """A number with the decimals that its measure declares; the column is as wide as the number is."""

    def db_type(self, connection):
        return SQL_TYPES[NUMBER]


class Measured(models.Model):
    """One row a subject (a parcel or an office building) of a survey in force, with every measure as a column.

    Its key is the id of the parcel, or that of the building below nought. It is derived: `flag` fills it, nobody edits
    it, and no key of another table holds it. `gaps` names the fact that is missing of each measure that is null;
    `revision` is that of the `Measurement` which last found something else than before.
    """

    subject = models.BigIntegerField(_("Subject"), primary_key=True)
    survey_id = models.BigIntegerField(_("Survey"))
    district_id = models.CharField(_("District"), max_length=6)
    street_id = models.CharField(_("Street"), max_length=9, null=True)
    kind = models.CharField(_("Kind"), max_length=8)
    parcel_id = models.BigIntegerField(_("Parcel"), null=True)
    building_id = models.BigIntegerField(_("Building"), null=True)
    revision = models.BigIntegerField(_("Revision"))
    class_mix = models.JSONField(_("Shares of the land classes"), null=True)
    overlay = models.JSONField(_("Where something lies over it"), null=True)
    gaps = models.JSONField(_("Facts missing"), default=dict)

    class Meta:
        verbose_name = _("Measured subject")
        verbose_name_plural = _("Measured subjects")
        indexes = [models.Index(fields=["survey_id", "revision"], name="measured_revision")]

    def __str__(self):
        return f"{self.kind} {abs(self.subject)}"


for _one in MEASURES.values():
    if _one.type == NUMBER:
        _column = Rounded(max_digits=40, decimal_places=_one.decimals, null=True)
    else:
        _column = (models.BooleanField if _one.type == BOOLEAN else models.TextField)(null=True)
    Measured.add_to_class(_one.name, _column)


class Measurement(models.Model):
    """How the subjects of a survey were measured last: by which code, on what ground, how often it found a change."""

    survey_id = models.BigIntegerField(_("Survey"), primary_key=True)
    district_id = models.CharField(_("District"), max_length=6)
    edition = models.CharField(_("Digest of the measures"), max_length=64)
    standing = models.CharField(_("Digest of what all subjects stand on"), max_length=64)
    patches = models.JSONField(_("Patches seen: how many, and the highest id"), default=list)
    means = models.JSONField(_("Means of the district"), default=list)
    revision = models.BigIntegerField(_("Revision"), default=0)
    measured_at = models.DateTimeField(_("Measured at"))
    full_at = models.DateTimeField(_("Measured wholly at"))

    class Meta:
        verbose_name = _("Measurement")
        verbose_name_plural = _("Measurements")

    def __str__(self):
        return f"{self.district_id} {self.measured_at:%Y-%m-%d %H:%M}"


class Stale(models.Model):
    """Something that measures read was changed; written by the database, taken away when it was measured again.

    Rows are only ever added by writers, so that they never wait for each other. A statement that changes many rows
    leaves one that says `whole`: all of the district. Without a parcel, a building, an enterprise or a box it only
    says that somebody has to look.
    """

    district_id = models.CharField(_("District"), max_length=6)
    survey_id = models.BigIntegerField(_("Survey"), null=True)
    source = models.CharField(_("What was changed"), max_length=30)
    whole = models.BooleanField(_("All of the district"), default=False)
    parcel_id = models.BigIntegerField(_("Parcel"), null=True)
    building_id = models.BigIntegerField(_("Building"), null=True)
    enterprise_id = models.BigIntegerField(_("Enterprise"), null=True)
    box = models.PolygonField(_("Around it"), srid=STORAGE_SRID, null=True, spatial_index=False)

    class Meta:
        verbose_name = _("Change not yet measured")
        verbose_name_plural = _("Changes not yet measured")
        indexes = [models.Index(fields=["district_id"], name="stale_district")]

    def __str__(self):
        return f"{self.district_id} {self.source}"
