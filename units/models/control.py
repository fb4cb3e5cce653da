"""Every other polygon layer that a rule overlays: control lines, plans, the second survey's construction land."""

from django.contrib.gis.db import models
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.history import versions_kept
from units.models.place import District
from units.models.shapes import Delivered, in_china, measured_area, shape


@versions_kept
class ControlArea(Delivered):
    """One polygon of a control layer, by kind and version. A layer never loaded is unknown, not empty."""

    class Kind(models.TextChoices):
        RED_LINE = "ecological_red_line", _("Ecological red line")
        FARMLAND = "basic_farmland", _("Permanent basic farmland")
        BOUNDARY = "development_boundary", _("Urban development boundary")
        MASTER_PLAN = "master_plan", _("Land-use master plan")
        SPECIAL_PLAN = "special_plan", _("Special plan of redevelopment")
        BLOCK_PLAN = "block_plan", _("Detailed plan, street-block level")
        PLOT_PLAN = "plot_plan", _("Detailed plan, plot level")
        SECOND_SURVEY = "second_survey_construction", _("Construction land of the second survey")
        INDUSTRIAL_LINE = "industrial_line", _("Industrial control line")
        PARK = "park", _("Industrial park")
        HERITAGE = "heritage", _("Heritage and historic area")
        RELICS = "buried_relics", _("Buried relics")
        HAZARD = "hazard", _("Geological hazard")
        RESERVATION = "reservation", _("Road, river, green, utility reservation")
        KEY_AREA = "key_area", _("Key area of redevelopment")
        RENEWAL_PLAN = "renewal_plan", _("Urban renewal plan")
        APPROVED_BATCH = "approved_batch", _("Approved, not supplied")
        URBAN_LAND = "urban_land", _("Land of towns and villages")
        VILLAGE_SURVEY = "village_survey", _("Survey area of a village")
        LOW_USE_UNIT = "low_use_unit", _("Survey unit of low-efficiency land")
        URBAN_VILLAGE = "urban_village", _("Urban village")
        INDUSTRY_EXIT = "industry_exit", _("Area that industry leaves")
        INDUSTRY_PLAN = "industry_plan", _("Area planned for industry")
        METRO = "metro_station", _("Metro station")
        SCHOOL = "school", _("School")
        POLLUTER = "polluter", _("Polluting works")

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="control_areas")
    kind = OneOf(_("Kind"), max_length=30, choices=Kind)
    edition = models.CharField(_("Version"), max_length=60)
    in_force = models.BooleanField(_("In force"), default=False)
    code = models.CharField(_("Code"), max_length=60, blank=True)
    name = models.CharField(_("Name"), max_length=200, blank=True)
    use = models.CharField(_("Planned use"), max_length=20, blank=True)
    use_scheme = models.CharField(_("Code scheme of the use"), max_length=20, default="unknown")
    geom = shape()
    area_m2 = measured_area()

    class Meta:
        verbose_name = _("Control area")
        verbose_name_plural = _("Control areas")
        indexes = [models.Index(fields=["district", "kind", "edition"], name="control_kind_edition")]
        constraints = [in_china("control")]

    def __str__(self):
        return self.name or self.code or self.get_kind_display()
