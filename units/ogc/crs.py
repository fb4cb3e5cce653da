"""The reference systems that features are served in, each with its address and its axis order on the wire."""

from dataclasses import dataclass
from functools import cache

from django.utils.translation import gettext as _
from pyproj import Transformer

from units.errors import UsageError
from units.spatial import MAP_SRID, STORAGE_SRID

WGS84_SRID = 4326  # numerically equal to storage (DESIGN part 4)
DEGREE_DECIMALS = 9  # 0.1 mm
METRE_DECIMALS = 4  # 0.1 mm


@dataclass(frozen=True)
class Crs:
    """One reference system. `north_first` is the axis order of the EPSG definition; storage is always east first."""

    uri: str
    srid: int
    north_first: bool
    decimals: int

    @property
    def stored(self) -> bool:
        """Whether its numbers are those of storage, but for the order of the axes."""
        return self.srid in {STORAGE_SRID, WGS84_SRID}

    def written(self, geometry: str) -> str:
        """SQL that turns a stored geometry into this system's numbers, right-hand rings, no `crs` member.

        The rings are turned before the axes are: outer rings run counter-clockwise on the ground in every system.
        """
        shape = f"ST_ForcePolygonCCW({geometry})"
        if not self.stored:
            shape = f"ST_Transform({shape}, {self.srid})"
        if self.north_first:
            shape = f"ST_FlipCoordinates({shape})"
        return f"ST_AsGeoJSON({shape}, {self.decimals}, 0)"

    def stored_bounds(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """The box in degrees, east first, that holds all of `box` (west, south, east, north in this system)."""
        if self.stored:
            return box
        found = _to_storage(self.srid).transform_bounds(*box, densify_pts=21)
        if not all(-1000 < number < 1000 for number in found):
            raise UsageError(_("The bbox lies outside what its reference system can express."))
        return found


@cache
def _to_storage(srid: int) -> Transformer:
    return Transformer.from_crs(srid, STORAGE_SRID, always_xy=True)


def _epsg(srid: int, north_first: bool, decimals: int) -> Crs:
    return Crs(f"http://www.opengis.net/def/crs/EPSG/0/{srid}", srid, north_first, decimals)


CRS84 = Crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84", WGS84_SRID, False, DEGREE_DECIMALS)
STORAGE = _epsg(STORAGE_SRID, True, DEGREE_DECIMALS)
# EPSG:4513 to 4554 are the 3° Gauss–Krüger zones of CGCS2000, with and without zone number; northing comes first.
SYSTEMS = {
    system.uri: system
    for system in (
        CRS84,
        STORAGE,
        _epsg(WGS84_SRID, True, DEGREE_DECIMALS),
        _epsg(MAP_SRID, False, METRE_DECIMALS),
        *(_epsg(srid, True, METRE_DECIMALS) for srid in range(4513, 4555)),
    )
}


def system(uri: str) -> Crs:
    """The system of that address, with or without angle brackets; UsageError for any other."""
    try:
        return SYSTEMS[uri.removeprefix("<").removesuffix(">")]
    except KeyError:
        raise UsageError(
            _("The reference system “%(uri)s” is not served.") % {"uri": uri[:200]},
            _("The collection lists those that are, under crs."),
        ) from None
