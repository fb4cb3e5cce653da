"""Read a place that somebody typed: degrees in any usual form, or Gauss–Krüger X and Y, and say how it was read."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from django.utils.translation import gettext as _
from pyproj import Transformer

from units.spatial import CHINA, STORAGE_SRID

NUMBER = r"[-+]?\d+(?:\.\d+)?"
# Degrees, and minutes and seconds where they are written; N, S, E, W or their Chinese before or after.
SIDES = {"北": "N", "N": "N", "东": "E", "E": "E"}
ANGLE = re.compile(
    r"(?P<before>北|东|[NE])?\s*(?P<d>\d{1,3}(?:\.\d+)?)\s*(?:°|º|度|[dD])"
    r"(?:\s*(?P<m>\d{1,2}(?:\.\d+)?)\s*(?:′|'|’|分|[mM]))?"
    r"(?:\s*(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:″|\"|”|''|′′|秒))?\s*(?P<after>北|东|[NE])?"
)
DECIMAL = re.compile(rf"(?P<before>北|东|[NE])?\s*[:=]?\s*(?P<d>{NUMBER})\s*(?:°|º|度)?\s*(?P<after>北|东|[NE])?")
PLANE = re.compile(rf"^\s*(?:[XYENxyen]\s*[:=]?\s*)?({NUMBER})[\s,;、/]+(?:[XYENxyen]\s*[:=]?\s*)?({NUMBER})\s*$")
WEST, SOUTH, EAST, NORTH = CHINA
LEAST_NORTHING, MOST_NORTHING = 300_000, 6_100_000  # metres from the equator that China spans
LEAST_EASTING, MOST_EASTING = 150_000, 850_000  # metres; 500,000 on the central meridian
ZONE_STEP = 1_000_000  # the zone's number stands before the six digits of the easting
THREE_DEGREE, SIX_DEGREE = range(25, 46), range(13, 24)  # zone numbers of China; the two never meet
THREE_DEGREE_SRID, SIX_DEGREE_SRID = 4534, 4502  # CGCS2000 without the zone's number, of the first zone


@dataclass(frozen=True)
class Typed:
    """A place: degrees, and the sentence that says how what was typed was read."""

    lng: float
    lat: float
    told: str


def read(text: str, district_srid: int | None = None) -> Typed | None:
    """The place that `text` names, or None where it is no place in China.

    Longitude and latitude may stand in either order: in China their ranges do not meet. X is the northing and Y the
    easting, as surveyors here write them, in either order too; an easting without the number of its zone is read in
    the zone of `district_srid` (an EPSG code between 4513 and 4554).
    """
    plain = unicodedata.normalize("NFKC", text).replace("经", "").replace("纬", "")
    return _in_degrees(plain) or _in_metres(plain, district_srid)


def _in_degrees(text: str) -> Typed | None:
    angles = list(ANGLE.finditer(text))
    rest = ANGLE.sub("", text) if len(angles) == 2 else None
    if rest is None:
        angles = list(DECIMAL.finditer(text))
        rest = DECIMAL.sub("", text)
    if len(angles) != 2 or rest.strip(" ,;、/"):
        return None
    values, sides = zip(*(_degrees(one.groupdict()) for one in angles), strict=True)
    if None in values:
        return None
    first, second = values
    # N and E settle the order; without them the ranges do.
    turned = (sides[0] == "N" or sides[1] == "E") or (not any(sides) and first <= NORTH)
    lat, lng = (first, second) if turned else (second, first)
    if not (WEST <= lng <= EAST and SOUTH <= lat <= NORTH):
        return None
    return Typed(lng, lat, _("longitude %(lng).6f°, latitude %(lat).6f°") % {"lng": lng, "lat": lat})


def _degrees(parts: dict) -> tuple[float | None, str | None]:
    minutes, seconds = float(parts.get("m") or 0), float(parts.get("s") or 0)
    side = SIDES.get(parts["before"] or parts["after"] or "")
    if minutes >= 60 or seconds >= 60:
        return None, side
    return float(parts["d"]) + minutes / 60 + seconds / 3600, side


def _in_metres(text: str, district_srid: int | None) -> Typed | None:
    found = PLANE.match(text)
    if not found:
        return None
    numbers = [float(one) for one in found.groups()]
    # The northing is the one of seven digits; an easting has six, or eight with its zone.
    for x, y in (numbers, numbers[::-1]):
        zone, easting = divmod(y, ZONE_STEP)
        zone = int(zone)
        if not (LEAST_NORTHING <= x <= MOST_NORTHING and LEAST_EASTING <= easting <= MOST_EASTING):
            continue
        if zone in THREE_DEGREE:
            srid = THREE_DEGREE_SRID + zone - THREE_DEGREE.start
            how = _("3° zone %(zone)s, whose number is written before Y") % {"zone": zone}
        elif zone in SIX_DEGREE:
            srid = SIX_DEGREE_SRID + zone - SIX_DEGREE.start
            how = _("6° zone %(zone)s, whose number is written before Y") % {"zone": zone}
        elif zone == 0 and district_srid:
            zone = zone_of(district_srid)
            srid = THREE_DEGREE_SRID + zone - THREE_DEGREE.start
            how = _("3° zone %(zone)s, the district's own: Y is written without a zone") % {"zone": zone}
        else:
            continue
        lng, lat = _to_degrees(srid).transform(easting, x)
        if WEST <= lng <= EAST and SOUTH <= lat <= NORTH:
            told = _("CGCS2000 Gauss–Krüger X %(x).3f, Y %(y).3f; %(how)s") % {"x": x, "y": y, "how": how}
            return Typed(lng, lat, told)
    return None


def zone_of(srid: int) -> int:
    """The number of the 3° zone of an EPSG code between 4513 and 4554."""
    return (srid - 4513) % len(THREE_DEGREE) + THREE_DEGREE.start


@cache
def _to_degrees(srid: int) -> Transformer:
    return Transformer.from_crs(srid, STORAGE_SRID, always_xy=True)
