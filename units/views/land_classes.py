"""How the map groups the land classes of the survey, in the order of its legend."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class LandGroup:
    """Land classes that share one colour; `prefixes` are beginnings of DLBM, the longest match wins."""

    id: str
    title: object
    prefixes: tuple[str, ...]


LAND_GROUPS = (
    LandGroup("residential", _("Residential land"), ("07",)),
    LandGroup("commercial", _("Commerce and services"), ("05",)),
    LandGroup("logistics", _("Logistics and storage"), ("0508",)),
    LandGroup("industrial", _("Industry and mining"), ("06",)),
    LandGroup("public", _("Public services"), ("08",)),
    LandGroup("park", _("Parks and green"), ("0810",)),
    LandGroup("special", _("Special land"), ("09",)),
    LandGroup("transport", _("Transport"), ("10",)),
    LandGroup("water", _("Water and wetland"), ("11", "00")),
    LandGroup("farm", _("Farm, forest and grass land"), ("01", "02", "03", "04")),
    LandGroup("other", _("Other land"), ("12",)),
)
BY_PREFIX = {prefix: group.id for group in LAND_GROUPS for prefix in group.prefixes}


def land_group(dlbm: str) -> str:
    """The group of a land-class code; `other` for one that begins like none of them."""
    return next((BY_PREFIX[dlbm[:size]] for size in (4, 2) if dlbm[:size] in BY_PREFIX), "other")
