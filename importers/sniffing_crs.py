"""Decide in which reference system a layer lies: by the parameters of its .prj and by the numbers themselves."""

import math
import re
from dataclasses import dataclass, field

import pyproj
from django.utils.translation import gettext as _
from pyproj.exceptions import CRSError

from importers.sniffing_encoding import ASK, GIVEN, LIKELY, SURE
from units.errors import UsageError
from units.spatial import CGCS2000_A, CGCS2000_INVERSE_FLATTENING, STORAGE_SRID

PARAMETER_TOLERANCE = 1e-6
MERIDIAN_TOLERANCE = 1e-9  # degrees, a tenth of a millimetre
DATUMS = {  # semi-major axis, inverse flattening
    "CGCS2000": (CGCS2000_A, CGCS2000_INVERSE_FLATTENING),
    "WGS 84": (6378137.0, 298.257223563),
    "Xian 1980": (6378140.0, 298.257),
    "Beijing 1954": (6378245.0, 298.3),
}
REFUSED = "refused"
WGS84 = 4326
METRES_PER_DEGREE = 111_320
MARGIN = 5_000  # metres; a layer may reach this far beyond its district before its system is doubted (checks M03)


@dataclass
class ReferenceSystem:
    """A verdict: the EPSG code (None where nobody can say), how sure, and the sentences it rests on."""

    epsg: int | None
    verdict: str
    evidence: list[str] = field(default_factory=list)

    def told(self) -> dict:
        return {"epsg": self.epsg, "verdict": self.verdict, "evidence": self.evidence}


@dataclass(frozen=True)
class Kruger:
    """A Gauss–Krüger system by its numbers; `epsg` is that of CGCS2000."""

    epsg: int
    width: int
    zone: int
    meridian: int
    false_easting: float


def _known_zones() -> list[Kruger]:
    zones = []
    for number in range(13, 24):
        meridian = 6 * number - 3
        zones.append(Kruger(4491 + number - 13, 6, number, meridian, number * 1e6 + 500_000))
        zones.append(Kruger(4502 + number - 13, 6, 0, meridian, 500_000.0))
    for number in range(25, 46):
        zones.append(Kruger(4513 + number - 25, 3, number, 3 * number, number * 1e6 + 500_000))
        zones.append(Kruger(4534 + number - 25, 3, 0, 3 * number, 500_000.0))
    return zones


ZONES = _known_zones()
BY_EPSG = {zone.epsg: zone for zone in ZONES}

Box = tuple[float, float, float, float]


def crs_of(prj: str | None, extent: Box | None, district: Box | None, given: str | None = None) -> ReferenceSystem:
    """The system of a layer from its .prj text, its extent (x, y as stored) and its district's box in degrees.

    `given` is the user's word ("EPSG:4527"); its numbers are still held against the extent.
    """
    if given:
        found = _as_given(given)
    elif prj:
        found = by_parameters(prj)
    else:
        found = ReferenceSystem(None, ASK, [_("There is no .prj.")])
        if extent is not None:
            _by_numbers(found, extent, district)
        return found
    if found.verdict == REFUSED or extent is None:
        return found
    if found.epsg is None:
        return found
    _hold_against(found, extent, district)
    return found


def by_parameters(prj: str) -> ReferenceSystem:
    """What a .prj says by its ellipsoid and projection parameters; its names and vague matches are not used."""
    try:
        crs = pyproj.CRS.from_wkt(prj)
    except CRSError:
        return ReferenceSystem(None, ASK, [_("The .prj is no coordinate system: “%(text)s…”.") % {"text": prj[:60]}])
    ellipsoid = crs.ellipsoid
    own = re.match(r'\s*\w+\["([^"]*)"', prj)
    evidence = [_("The .prj calls itself %(name)s.") % {"name": own[1] if own else crs.name}]
    if ellipsoid is None:
        return ReferenceSystem(None, ASK, [*evidence, _("It has no ellipsoid.")])
    datum = _datum(ellipsoid)
    evidence.append(
        _("Ellipsoid a = %(a)s m, 1/f = %(f)s: %(datum)s.")
        % {
            "a": f"{ellipsoid.semi_major_metre:.3f}".rstrip("0").rstrip("."),
            "f": f"{ellipsoid.inverse_flattening:.12g}",
            "datum": datum or _("none that is known"),
        }
    )
    if datum in ("Xian 1980", "Beijing 1954"):
        return ReferenceSystem(
            None,
            REFUSED,
            [
                *evidence,
                _(
                    "%(datum)s has no public way to CGCS2000: software changes nothing and says nothing,"
                    " and shapes would lie tens of metres off."
                )
                % {"datum": datum},
                _("Ask the deliverer for CGCS2000."),
            ],
        )
    if datum is None:
        return ReferenceSystem(
            None, REFUSED, [*evidence, _("CGCS2000 is wanted (a = 6378137 m, 1/f = 298.257222101).")]
        )
    meridian = crs.prime_meridian
    if meridian is not None and abs(meridian.longitude) > MERIDIAN_TOLERANCE:
        return ReferenceSystem(
            None,
            REFUSED,
            [
                *evidence,
                _("Its longitudes are counted from %(name)s (%(longitude)s), not from Greenwich.")
                % {"name": meridian.name, "longitude": f"{meridian.longitude:.9g}"},
            ],
        )
    if crs.is_geographic:
        unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else math.radians(1)
        if abs(unit - math.radians(1)) > 1e-9:
            return ReferenceSystem(None, REFUSED, [*evidence, _("Its angles are not in degrees.")])
        return ReferenceSystem(
            STORAGE_SRID if datum == "CGCS2000" else WGS84, SURE, [*evidence, _("Longitude and latitude in degrees.")]
        )
    return _by_projection(crs, datum, evidence)


def _datum(ellipsoid) -> str | None:
    if not ellipsoid.inverse_flattening:
        return None
    for name, (a, f) in DATUMS.items():
        if (
            abs(ellipsoid.semi_major_metre - a) <= PARAMETER_TOLERANCE * 10
            and abs(ellipsoid.inverse_flattening - f) <= PARAMETER_TOLERANCE
        ):
            return name
    return None


def _by_projection(crs: pyproj.CRS, datum: str, evidence: list[str]) -> ReferenceSystem:
    operation = crs.coordinate_operation
    if operation is None or operation.method_name not in ("Transverse Mercator", "Gauss Kruger"):
        method = operation.method_name if operation else crs.type_name
        return ReferenceSystem(
            None, REFUSED, [*evidence, _("Its projection is %(method)s, not Gauss–Krüger.") % {"method": method}]
        )
    values = {
        parameter.name: parameter.value
        * (
            parameter.unit_conversion_factor
            if "easting" in parameter.name.lower() or "northing" in parameter.name.lower()
            else 1
        )
        for parameter in operation.params
    }
    meridian = values.get("Longitude of natural origin", math.nan)
    easting = values.get("False easting", math.nan)
    scale = values.get("Scale factor at natural origin", 1.0)
    latitude = values.get("Latitude of natural origin", 0.0)
    northing = values.get("False northing", 0.0)
    evidence.append(
        _(
            "Gauss–Krüger, central meridian %(meridian)s°, false easting %(easting)s m, scale %(scale)s,"
            " origin at latitude %(latitude)s°."
        )
        % {"meridian": f"{meridian:g}", "easting": f"{easting:.0f}", "scale": f"{scale:g}", "latitude": f"{latitude:g}"}
    )
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    if abs(unit - 1) > 1e-9:
        return ReferenceSystem(None, REFUSED, [*evidence, _("Its unit is not the metre.")])
    same = lambda a, b: abs(a - b) <= PARAMETER_TOLERANCE  # noqa: E731
    if not (same(scale, 1) and same(latitude, 0) and same(northing, 0)):
        return ReferenceSystem(
            None,
            REFUSED,
            [*evidence, _("National zones have scale 1 and begin at the equator: this is a local system.")],
        )
    fitting = [zone for zone in ZONES if same(zone.meridian, meridian) and same(zone.false_easting, easting)]
    if not fitting:
        return ReferenceSystem(
            None,
            REFUSED,
            [
                *evidence,
                _(
                    "No national zone has these: a local (city) system, or a mistake."
                    " Ask the deliverer for CGCS2000 in its 3° zone."
                ),
            ],
        )
    zone = min(fitting, key=lambda zone: zone.width)  # of 3° and 6° with one meridian the numbers are identical
    if datum == "WGS 84":
        evidence.append(_("WGS 84 and CGCS2000 differ by less than the survey can tell; it is read as CGCS2000."))
        return ReferenceSystem(zone.epsg, LIKELY, [*evidence, _epsg_sentence(zone)])
    return ReferenceSystem(zone.epsg, SURE, [*evidence, _epsg_sentence(zone)])


def _epsg_sentence(zone: Kruger) -> str:
    if zone.zone:
        return _(
            "These are EPSG:%(epsg)d: CGCS2000, %(width)d° zone %(zone)d, with the zone number before the easting."
        ) % {"epsg": zone.epsg, "width": zone.width, "zone": zone.zone}
    return _(
        "These are EPSG:%(epsg)d: CGCS2000, %(width)d° zone, central meridian %(meridian)d°E, without zone number."
    ) % {"epsg": zone.epsg, "width": zone.width, "meridian": zone.meridian}


def _as_given(given: str) -> ReferenceSystem:
    text = given.strip().upper().removeprefix("EPSG:")
    if not text.isdigit() or (int(text) not in BY_EPSG and int(text) not in (STORAGE_SRID, WGS84)):
        raise UsageError(
            _("%(crs)s cannot be read.") % {"crs": given},
            _("Give EPSG:4490, EPSG:4326 or a CGCS2000 Gauss–Krüger zone (EPSG:4491 to 4554)."),
        )
    return ReferenceSystem(int(text), GIVEN, [_("Given by the user: EPSG:%(epsg)s.") % {"epsg": text}])


def _looks_like_degrees(box: Box) -> bool:
    return 73 <= box[0] <= box[2] <= 136 and 3 <= box[1] <= box[3] <= 54


def _northing(low: float, high: float) -> bool:
    return 1.9e6 <= low <= high <= 6.0e6


def _hold_against(found: ReferenceSystem, extent: Box, district: Box | None):
    """Compare what the .prj says with the numbers; a contradiction is told, and nobody guesses."""
    west, south, east, north = extent
    numbers = _("x %(west)s to %(east)s, y %(south)s to %(north)s") % {
        "west": _short(west),
        "east": _short(east),
        "south": _short(south),
        "north": _short(north),
    }
    degrees = found.epsg in (STORAGE_SRID, WGS84)
    swapped = (south, west, north, east)
    if degrees:
        if _looks_like_degrees(extent):
            found.evidence.append(_("The coordinates are degrees in China: %(numbers)s.") % {"numbers": numbers})
            return _fit(found, extent, district)
        if _looks_like_degrees(swapped):
            why = _("The coordinates are %(numbers)s: latitude stands before longitude, the axes are swapped.")
        else:
            why = _("The coordinates are %(numbers)s: these are no degrees in China.")
        return _contradict(found, why % {"numbers": numbers})
    zone = BY_EPSG[found.epsg]
    if _looks_like_degrees(extent) or _looks_like_degrees(swapped):
        why = _("The coordinates are %(numbers)s: degrees, though metres are declared.")
    elif _northing(west, east) and not _northing(south, north):
        why = _("The coordinates are %(numbers)s: the northing stands first, the axes are swapped.")
    elif not _northing(south, north):
        why = _("The coordinates are %(numbers)s: no northing in China.")
    elif zone.zone and not zone.zone * 1e6 <= west <= east <= (zone.zone + 1) * 1e6:
        why = _("The coordinates are %(numbers)s: their eastings do not carry the zone number that is declared.")
    elif not zone.zone and east > 1e6:
        why = _("The coordinates are %(numbers)s: their eastings carry a zone number, and none is declared.")
    else:
        found.evidence.append(_("The coordinates agree: %(numbers)s.") % {"numbers": numbers})
        return _fit(found, extent, district)
    return _contradict(found, why % {"numbers": numbers})


def _contradict(found: ReferenceSystem, why: str):
    found.evidence += [why, _("Nobody guesses here: correct the .prj or the file, or say it with --crs.")]
    found.verdict = ASK
    found.epsg = None


def _fit(found: ReferenceSystem, extent: Box, district: Box | None):
    """Whether the layer lies at its district at all; a layer that only reaches beyond it is a warning elsewhere."""
    if district is None:
        return
    away = _distance(degrees_box(extent, found.epsg), district)
    if away > MARGIN:
        found.evidence.append(
            _("Read so, the layer lies %(km)d km away from the district.") % {"km": round(away / 1000)}
        )
        if found.verdict == SURE:
            found.verdict = LIKELY
    else:
        found.evidence.append(_("Read so, the layer lies at the district."))


def _by_numbers(found: ReferenceSystem, extent: Box, district: Box | None):
    """No .prj: read the ranges. Numbers cannot tell CGCS2000 from Xian 1980, so this is never sure."""
    west, south, east, north = extent
    numbers = _("x %(west)s to %(east)s, y %(south)s to %(north)s") % {
        "west": _short(west),
        "east": _short(east),
        "south": _short(south),
        "north": _short(north),
    }
    candidates: list[int] = []
    if _looks_like_degrees(extent):
        candidates = [STORAGE_SRID]
        found.evidence.append(_("The coordinates are degrees: %(numbers)s.") % {"numbers": numbers})
    elif _northing(south, north) and 25e6 <= west <= east <= 46e6 and int(west / 1e6) == int(east / 1e6):
        candidates = [4513 + int(west / 1e6) - 25]
        found.evidence.append(
            _("The eastings begin with %(zone)d, a 3° zone: %(numbers)s.")
            % {"zone": int(west / 1e6), "numbers": numbers}
        )
    elif _northing(south, north) and 13e6 <= west <= east <= 24e6 and int(west / 1e6) == int(east / 1e6):
        candidates = [4491 + int(west / 1e6) - 13]
        found.evidence.append(
            _("The eastings begin with %(zone)d, a 6° zone or Web Mercator: %(numbers)s.")
            % {"zone": int(west / 1e6), "numbers": numbers}
        )
    elif _northing(south, north) and 1.7e5 <= west <= east <= 8.3e5:
        candidates = [zone.epsg for zone in ZONES if zone.width == 3 and not zone.zone]
        found.evidence.append(
            _("The eastings carry no zone number: %(numbers)s. The district decides the zone.") % {"numbers": numbers}
        )
    elif _northing(west, east):
        found.evidence.append(
            _("The coordinates are %(numbers)s: the northing stands first, the axes are swapped.")
            % {"numbers": numbers}
        )
    else:
        found.evidence.append(
            _("The coordinates are %(numbers)s: they fit no system that is known.") % {"numbers": numbers}
        )
    near = [epsg for epsg in candidates if district and _distance(degrees_box(extent, epsg), district) <= MARGIN]
    if len(near) == 1:
        found.epsg, found.verdict = near[0], LIKELY
        found.evidence.append(
            _("Read as EPSG:%(epsg)d the layer lies at the district; numbers cannot tell CGCS2000 from Xian 1980.")
            % {"epsg": near[0]}
        )
        return
    if candidates and district:
        found.evidence.append(_("Read so, it does not lie at the district."))
    elif len(candidates) == 1:
        found.evidence.append(_("It would be EPSG:%(epsg)d; nothing here confirms it.") % {"epsg": candidates[0]})
    found.evidence.append(_("Say it with --crs."))


def degrees_box(extent: Box, epsg: int) -> Box:
    """The box of an extent in degrees of CGCS2000."""
    if epsg in (STORAGE_SRID, WGS84):
        return extent
    try:
        return pyproj.Transformer.from_crs(epsg, STORAGE_SRID, always_xy=True).transform_bounds(*extent, errcheck=True)
    except pyproj.exceptions.ProjError:
        return (math.inf,) * 4


def _distance(box: Box, district: Box) -> float:
    """Metres between two boxes in degrees; 0 where they meet."""
    if not all(map(math.isfinite, box)):
        return math.inf
    across = max(district[0] - box[2], box[0] - district[2], 0) * math.cos(math.radians(district[1]))
    along = max(district[1] - box[3], box[1] - district[3], 0)
    return math.hypot(across, along) * METRES_PER_DEGREE


def _short(number: float) -> str:
    return f"{number:.6f}" if abs(number) < 1000 else f"{number:.1f}"
