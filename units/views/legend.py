"""What the map's legend holds: the layers from the ground up, which are shown at first, and the toggles of each."""

from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from units.models import Category, ControlArea, Finding, Flag, LegacyLand, RedevelopmentUnit
from units.views.land_classes import LAND_GROUPS

UNKNOWN = "unknown"  # the category that no rule could tell


@dataclass(frozen=True)
class Row:
    """One toggle: a value of the facet, what it is called, the swatch of the style sheet, and whether it is on."""

    value: str
    title: object
    swatch: str
    on: bool = True


@dataclass(frozen=True)
class Facet:
    """One way to part a layer: by `attribute` of its features, with a toggle for each value."""

    name: str
    rows: tuple[Row, ...]
    title: object = ""
    hides_none: bool = False  # a value of which there is none is not listed


@dataclass(frozen=True)
class LegendLayer:
    """A layer as the legend tells it. `shown` is whether it is painted before anybody asked for it."""

    id: str
    title: object
    shown: bool = True
    open: bool = False
    facets: tuple[Facet, ...] = field(default=())
    swatch: str = ""


# What asks for work comes first; what is settled is there to be looked up, and hidden on the map until asked for.
OUTCOMES = (
    Flag.Outcome.CANDIDATE,
    Flag.Outcome.UNDECIDED,
    Flag.Outcome.EXEMPTED,
    Flag.Outcome.EXCLUDED,
    Flag.Outcome.NOT_LOW,
)
_OUTCOMES_SHOWN = OUTCOMES[:3]
# Covers of the whole district lie over everything else, so they wait until somebody asks for them.
_COVERS = {
    ControlArea.Kind.MASTER_PLAN,
    ControlArea.Kind.BLOCK_PLAN,
    ControlArea.Kind.PLOT_PLAN,
    ControlArea.Kind.SECOND_SURVEY,
    ControlArea.Kind.URBAN_LAND,
    ControlArea.Kind.VILLAGE_SURVEY,
    ControlArea.Kind.RENEWAL_PLAN,
}
_UNIT_STATES = tuple(
    state
    for state in RedevelopmentUnit.State
    if state not in (RedevelopmentUnit.State.AMENDED, RedevelopmentUnit.State.DELETED)
)

# As they are painted, from the ground up.
LAYERS = (
    LegendLayer(
        "patches",
        _("Land-use patches"),
        open=True,
        facets=(Facet("land", tuple(Row(one.id, one.title, f"land-{one.id}") for one in LAND_GROUPS), "", True),),
    ),
    LegendLayer("buildings", _("Buildings"), swatch="swatch-building"),
    LegendLayer("parcels", _("Parcels"), swatch="swatch-parcel"),
    LegendLayer(
        "control-areas",
        _("Control areas"),
        shown=False,
        facets=(
            Facet(
                "kind",
                tuple(
                    Row(kind.value, kind.label, f"control-{kind.value}", kind not in _COVERS)
                    for kind in ControlArea.Kind
                ),
                "",
                True,
            ),
        ),
    ),
    LegendLayer(
        "legacy",
        _("Legacy land"),
        shown=False,
        facets=(
            Facet(
                "legacy", tuple(Row(one.value, one.label, f"legacy-{one.value}") for one in LegacyLand.State), "", True
            ),
        ),
    ),
    LegendLayer(
        "candidates",
        _("Judged by the criteria"),
        open=True,
        facets=(
            Facet(
                "outcome",
                tuple(Row(one.value, one.label, f"swatch-{one.value}", one in _OUTCOMES_SHOWN) for one in OUTCOMES),
            ),
            Facet(
                "category",
                (
                    *(Row(one.value, one.label, f"category-{one.value}") for one in Category),
                    Row(UNKNOWN, _("Category unknown"), "category-unknown"),
                ),
                _("Colour: category"),
            ),
        ),
    ),
    LegendLayer(
        "units",
        _("Redevelopment units"),
        open=True,
        facets=(
            Facet("unit", tuple(Row(one.value, one.label, f"unit-{one.value}") for one in _UNIT_STATES), "", True),
        ),
    ),
    LegendLayer(
        "findings",
        _("Findings"),
        shown=False,
        facets=(
            Facet("severity", tuple(Row(one.value, one.label, f"finding-{one.value}") for one in Finding.Severity)),
        ),
    ),
)
# In the legend what asks for work is on top, and the ground below.
ORDER = ("candidates", "units", "findings", "legacy", "control-areas", "parcels", "buildings", "patches")


def as_told(layers: list[LegendLayer]) -> dict:
    """For the scripts: layer → {shown, facets: {facet: {value: on}}}."""
    return {
        one.id: {
            "shown": one.shown,
            "facets": {facet.name: {row.value: row.on for row in facet.rows} for facet in one.facets},
        }
        for one in layers
    }
