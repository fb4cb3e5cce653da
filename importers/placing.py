"""Hold a layer against what is known of its district: whether it lies beside it, as what is drawn on a web map does."""

import math

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _

from importers.probing import Probe
from importers.sniffing_crs import Box, ReferenceSystem, degrees_box
from units.models import District
from units.spatial import METRES_OF_A_DEGREE

KEYS = {
    "patch": ("units_landusepatch", "bsm"),
    "parcel": ("units_parcel", "code"),
    "building": ("units_building", "code"),
}
ENOUGH = 5  # rows whose place is known
TOGETHER = 0.6  # of them must lie beside it in the same way …
SAME = 10.0  # … within metres
SHIFTED = 20.0  # metres from which a layer lies beside what is held; a survey is right within one
WHOLE = 100.0  # metres within which two extents of one size may be the same extent, moved …
FARTHER = 3  # … by so many times what their sizes differ: scattered rows fill the district's extent nearly
# Checks M04: what the secret datum of Chinese web maps does to a place, in metres and degrees of azimuth.
GCJ_METRES, GCJ_AZIMUTH = (450, 700), (70, 120)
NEAR_FORMULA = 25.0  # metres from the shift that the formula gives
KRASOVSKY_A, KRASOVSKY_E2 = 6378245.0, 0.00669342162296594323


def weigh_place(found: ReferenceSystem, table: str, place: District, boundary: Box | None, extent: Box, probe: Probe):
    """Tell how far and whither a layer lies beside the rows that are held, or beside the district's boundary.

    `table` is the kind of the layer's rows, `boundary` the exact box of the district in degrees or None. The layer is
    taken as it is: a warning says what it looks like.
    """
    known, by = _by_rows(table, place, found, probe), _("the same rows of the survey")
    if known is None and boundary is not None:
        known, by = _by_extent(boundary, degrees_box(extent, found.way)), _("the district's boundary")
    if known is None:
        return
    east, north, at = known
    metres, azimuth = math.hypot(east, north), math.degrees(math.atan2(east, north)) % 360
    said = _("%(metres)d m at azimuth %(azimuth)d° from %(what)s") % {
        "metres": round(metres),
        "azimuth": round(azimuth),
        "what": by,
    }
    if metres < SHIFTED:
        found.evidence.append(_("It lies where %(what)s has it.") % {"what": by})
        return
    like = _looks_like(east, north, metres, azimuth, at)
    found.evidence += [_("The layer lies %(shift)s.") % {"shift": said}, *filter(None, [like])]
    found.warnings.append(("2-shifted", said, like))


def _looks_like(east: float, north: float, metres: float, azimuth: float, at: tuple[float, float]) -> str:
    for name, moved in (("GCJ-02", gcj02), ("BD-09", bd09)):
        lon, lat = moved(*at)
        expected = _metres(lon - at[0], lat - at[1], at[1])
        if math.hypot(east - expected[0], north - expected[1]) <= NEAR_FORMULA:
            return _("That is what %(name)s does here: its coordinates are those of a web map, not CGCS2000.") % {
                "name": name
            }
    if GCJ_METRES[0] <= metres <= GCJ_METRES[1] and GCJ_AZIMUTH[0] <= azimuth <= GCJ_AZIMUTH[1]:
        return _("That is about what %(name)s does: its coordinates may be those of a web map.") % {"name": "GCJ-02"}
    if metres <= 200:
        return _("That is about what another datum does: its coordinates may be of Xian 1980 or Beijing 1954.")
    return ""


def _by_rows(table: str, place: District, system: ReferenceSystem, probe: Probe) -> tuple | None:
    """The median shift (east, north) in metres against rows of the same keys, where most agree; and where it is."""
    if table not in KEYS or not any(probe.keys):
        return None
    name, key = KEYS[table]
    with connection.cursor() as cursor:
        # Where do the rows of these keys lie that are held of the district, in their latest survey?
        cursor.execute(
            f"SELECT DISTINCT ON ({key}) {key}, (ST_XMin(geom) + ST_XMax(geom)) / 2,"
            f" (ST_YMin(geom) + ST_YMax(geom)) / 2 FROM {name} WHERE district_id = %s AND {key} = ANY(%s)"
            f" ORDER BY {key}, id DESC",
            [place.pk, [one for one in probe.keys if one]],
        )
        held = {row[0]: row[1:] for row in cursor.fetchall()}
    shifts, places = [], []
    for ring, one in zip(probe.in_degrees(system.way), probe.keys, strict=True):
        if one in held and np.isfinite(ring).all():
            lon, lat = (ring.min(axis=0) + ring.max(axis=0)) / 2
            shifts.append(_metres(lon - held[one][0], lat - held[one][1], lat))
            places.append(held[one])
    if len(shifts) < ENOUGH:
        return None
    shifts = np.array(shifts)
    middle = np.median(shifts, axis=0)
    if (np.hypot(*(shifts - middle).T) <= SAME).mean() < TOGETHER:
        return None
    return (*middle.tolist(), tuple(np.median(np.array(places), axis=0).tolist()))


def _by_extent(boundary: Box, box: Box) -> tuple | None:
    """The shift of an extent that is the boundary's own, moved; None where it may be another part of the district."""
    middle = ((boundary[0] + boundary[2]) / 2, (boundary[1] + boundary[3]) / 2)
    west, south = _metres(box[0] - boundary[0], box[1] - boundary[1], middle[1])
    east, north = _metres(box[2] - boundary[2], box[3] - boundary[3], middle[1])
    if not all(map(math.isfinite, (west, south, east, north))):
        return None
    if abs(west - east) > WHOLE or abs(south - north) > WHOLE:
        return None
    shift = (west + east) / 2, (south + north) / 2
    if SHIFTED <= math.hypot(*shift) < FARTHER * math.hypot(west - east, south - north):
        return None
    return *shift, middle


def _metres(east: float, north: float, latitude: float) -> tuple[float, float]:
    return east * METRES_OF_A_DEGREE * math.cos(math.radians(latitude)), north * METRES_OF_A_DEGREE


def gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Where Chinese web maps draw a place of CGCS2000 (degrees), by the formula that is publicly known."""
    x, y = lon - 105.0, lat - 35.0
    wave = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    latitude = math.radians(lat)
    root = 1 - KRASOVSKY_E2 * math.sin(latitude) ** 2
    metres_north = KRASOVSKY_A * (1 - KRASOVSKY_E2) / (root * math.sqrt(root))
    metres_east = KRASOVSKY_A / math.sqrt(root) * math.cos(latitude)
    return lon + math.degrees(east / metres_east), lat + math.degrees(north / metres_north)


def bd09(lon: float, lat: float) -> tuple[float, float]:
    """Where Baidu's map draws a place of CGCS2000 (degrees): that of GCJ-02, moved once more."""
    x, y = gcj02(lon, lat)
    turn = math.pi * 3000 / 180
    far = math.hypot(x, y) + 0.00002 * math.sin(y * turn)
    angle = math.atan2(y, x) + 0.000003 * math.cos(x * turn)
    return far * math.cos(angle) + 0.0065, far * math.sin(angle) + 0.006
