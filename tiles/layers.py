"""Which layers the map may ask for: of which collection, with which attributes, from which zoom."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from units.collections import COLLECTIONS, Collection
from units.errors import UnknownName

DEEPEST = 20  # the last zoom at which a tile is made; a screen pixel is then 15 cm


@dataclass(frozen=True)
class Layer:
    """A collection as the map needs it. Below `minzoom` a tile is empty: thousands of shapes would be specks.

    Below `full_from` shapes are thinned: on a coarser grid, with the `few` attributes only, and without those that
    are smaller than a pixel. Below `shapes_from` each shape is one point.
    """

    id: str
    attributes: tuple[str, ...]
    minzoom: int
    full_from: int = 0
    few: tuple[str, ...] = ()
    shapes_from: int = 0
    moment: datetime | None = None  # as it stood before this moment; None as it stands

    @property
    def collection(self) -> Collection:
        return COLLECTIONS[self.id].at(self.moment)

    def at(self, moment: datetime | None) -> "Layer":
        """The layer as it stood before a moment; Refused where its past is not kept."""
        return replace(self, moment=COLLECTIONS[self.id].at(moment).moment)

    def attributes_at(self, zoom: int) -> tuple[str, ...]:
        return self.attributes if zoom >= self.full_from else self.few


_ALL = (
    Layer("patches", ("bsm", "dlbm", "dlmc", "tbmj", "area_m2", "zldwmc"), minzoom=11, full_from=14, few=("dlbm",)),
    Layer("parcels", ("code", "registered_use", "area_m2"), minzoom=13),
    Layer("buildings", ("code", "name", "floors"), minzoom=15),
    Layer("candidates", ("code", "outcome", "category", "criteria", "kind"), minzoom=10, shapes_from=13),
    Layer("legacy", ("code", "state", "area_m2"), minzoom=10),
    Layer("units", ("code", "name", "state", "edition", "area_m2"), minzoom=8),
    Layer("control-areas", ("code", "name", "kind"), minzoom=10),
    Layer("findings", ("identity", "code", "severity", "waived"), minzoom=13),
)
LAYERS = {one.id: one for one in _ALL}


def layer(name: str) -> Layer:
    """The layer of that name; UnknownName otherwise."""
    try:
        return LAYERS[name]
    except KeyError:
        raise UnknownName(name, LAYERS, _("map layer")) from None
