"""Decide in which reference system a layer lies: by the parameters of its .prj and by the numbers themselves."""

import math
import re
from dataclasses import dataclass, field

import numpy as np
import pyproj
from django.utils.translation import gettext as _
from pyproj.exceptions import CRSError, ProjError

from importers.frames import Frame, asked
from importers.garbled import shown
from importers.probing import Probe
from importers.shaping import SWAP, to_degrees
from importers.sniffing_encoding import ASK, GIVEN, LIKELY, REFUSED, SURE
from units.errors import UsageError
from units.spatial import CGCS2000_A, CGCS2000_INVERSE_FLATTENING, CHINA, METRES_OF_A_DEGREE, STORAGE_SRID

PARAMETER_TOLERANCE = 1e-6
OLD_NAMES = re.compile(
    r"Xian[ _]?(?:19)?80|Beijing[ _]?(?:19)?54|西安(?:19)?80|北京(?:19)?54|1980年?[ _]?西安|1954年?[ _]?北京",
    re.IGNORECASE,
)
MERIDIAN_TOLERANCE = 1e-9  # degrees, a tenth of a millimetre
DATUMS = {  # semi-major axis, inverse flattening
    "CGCS2000": (CGCS2000_A, CGCS2000_INVERSE_FLATTENING),
    "WGS 84": (6378137.0, 298.257223563),
    "Xian 1980": (6378140.0, 298.257),
    "Beijing 1954": (6378245.0, 298.3),
}
WGS84 = 4326
WEB_MERCATOR = 3857
EDGE = 21  # points along each edge of an extent
MARGIN = 5_000  # metres; a layer may reach this far beyond its district before its system is doubted (checks M03)


@dataclass
class ReferenceSystem:
    """A verdict: the EPSG code (None where nobody can say), how sure, and the sentences it rests on."""

    epsg: int | None
    verdict: str
    evidence: list[str] = field(default_factory=list)
    swapped: bool = False  # the file has north first, and each point is read the other way round
    frame: Frame | None = None  # a local system, instead of an EPSG code
    given: str | dict | None = None  # what the user said, as it is recorded
    warnings: list[tuple[str, str, str]] = field(default_factory=list)  # (code, value, more) of the layer as a whole

    @property
    def way(self) -> int | str | None:
        """How the numbers are read: an EPSG code, or a PROJ pipeline to degrees; None where nobody can say."""
        if self.frame is not None:
            return None if self.verdict == REFUSED else self.frame.pipeline
        return turned(self.epsg) if self.swapped and self.epsg is not None else self.epsg

    @property
    def srid(self) -> int | None:
        """The EPSG code that the numbers have as they stand; None of what is turned around or a local system."""
        return self.way if isinstance(self.way, int) else None

    @property
    def name(self) -> str:
        """How the system is called where people read it; empty where nobody can say."""
        if self.frame is not None:
            return self.frame.name
        if self.epsg is None:
            return ""
        return f"EPSG:{self.epsg}" + (_(", axes swapped") if self.swapped else "")

    @property
    def read_as(self) -> int | str | None:
        """What tells one reading of the same numbers from another, without saying what a local system is."""
        if self.frame is not None:
            return f"file {self.frame.sha256}"
        return f"{self.epsg} swapped" if self.swapped else self.epsg

    def told(self) -> dict:
        return {
            "epsg": self.epsg,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "name": self.name,
            "swapped": self.swapped,
            "file": self.frame.told() if self.frame else None,
        }


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


def crs_of(
    prj: str | None,
    extent: Box | None,
    district: Box | None,
    given: str | Frame | None = None,
    probe: Probe | None = None,
) -> ReferenceSystem:
    """The system of a layer from its .prj text, its extent (x, y as stored) and its district's box in degrees.

    `given` is the user's word ("EPSG:4527", the name of a local system, or one that was read); `probe` are some rows,
    whose declared areas tell one scale from another. Whatever is said is held against the numbers.
    """
    if given is not None:
        return _said(given, prj, extent, district, probe)
    if not prj:
        found = ReferenceSystem(None, ASK, [_("There is no .prj.") if prj is None else _("The .prj is empty.")])
        if extent is not None:
            _by_numbers(found, extent, district, probe)
        return found
    found = by_parameters(prj)
    if found.epsg is None or extent is None:
        if found.verdict == ASK and extent is not None:
            _suggest(found, extent, district)
        return found
    doubtful = found.verdict == ASK  # its name and its parameters contradict each other
    why = _contradiction(found.epsg, extent)
    if why and _lies_swapped(found.epsg, extent, district):
        _take_swapped(found, why)
    elif why:
        return _ask(found, why, extent, district)
    else:
        found.evidence.append(_agreement(found.epsg, extent))
        away = None if district is None else _distance(degrees_box(extent, found.epsg), district)
        if away is not None and away > MARGIN:
            return _ask(found, _away_sentence(away), extent, district)
        if away is not None:
            found.evidence.append(_("Read so, the layer lies at the district."))
        if doubtful:
            if away is None:
                found.epsg = None
                found.evidence.append(_("Nothing here says which is right: say it with --crs."))
                return found
            found.verdict = LIKELY
    _weigh_areas(found, extent, district, probe)
    return found


def by_parameters(prj: str) -> ReferenceSystem:
    """What a .prj says by its ellipsoid and projection parameters; its names and vague matches are not used."""
    try:
        crs = pyproj.CRS.from_wkt(prj)
    except CRSError:
        return ReferenceSystem(
            None, ASK, [_("The .prj is no coordinate system: “%(text)s…”.") % {"text": shown(prj[:60])}]
        )
    moved = False
    while crs.is_bound or crs.is_compound:  # heights are not kept
        moved |= crs.is_bound and _moves(crs.coordinate_operation)
        crs = crs.source_crs if crs.is_bound else crs.sub_crs_list[0]
    ellipsoid = crs.ellipsoid
    own = re.match(r'\s*\w+\["([^"]*)"', prj)
    evidence = [_("The .prj calls itself %(name)s.") % {"name": shown(own[1] if own else crs.name)}]
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
                _("Ask the deliverer for CGCS2000, or give a PROJ pipeline that says the way with --crs FILE."),
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
        found = ReferenceSystem(
            STORAGE_SRID if datum == "CGCS2000" else WGS84, SURE, [*evidence, _("Longitude and latitude in degrees.")]
        )
    else:
        found = _by_projection(crs, datum, evidence)
    if found.epsg is not None and moved:
        found.evidence.append(
            _("It says how its numbers are moved to WGS 84 (TOWGS84 or a grid), so they are not those of CGCS2000.")
        )
        found.evidence.append(_("Ask the deliverer which is right, or say it with --crs."))
        found.verdict, found.epsg = ASK, None
    if found.epsg is not None and (other := _otherwise_named(prj, BY_EPSG.get(found.epsg))):
        found.evidence.append(
            _("A name in it says %(name)s, and its parameters say otherwise.") % {"name": shown(other)}
        )
        found.verdict = ASK
        if OLD_NAMES.search(other):  # the place cannot tell: the two lie a hundred metres apart
            found.evidence.append(_("Ask the deliverer which is right, or say it with --crs."))
            found.epsg = None
    return found


def _moves(operation) -> bool:
    """Whether the way to another datum that a .prj gives is more than TOWGS84[0,0,0,0,0,0,0], which changes nothing."""
    return operation is None or not operation.towgs84 or any(operation.towgs84)


def _otherwise_named(prj: str, zone: Kruger | None) -> str:
    """What the names in a .prj say that its parameters do not; empty where they agree or say nothing."""
    names = " ".join(re.findall(r'"([^"]*)"', prj))
    if found := OLD_NAMES.search(names):
        return found[0]
    if zone is None:
        return ""
    if (found := re.search(r"(?:CM|中央经线|中央子午线)[ _]*(\d{2,3})", names)) and int(found[1]) != zone.meridian:
        return found[0]
    numbers = {zone.meridian // 3, *([(zone.meridian + 3) // 6] if zone.meridian % 6 == 3 else [])}
    if (found := re.search(r"(?:[Zz]one|带号)[ _]*(\d{2})\b", names)) and int(found[1]) not in numbers:
        return found[0]
    return ""


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
    angles = crs.geodetic_crs.axis_info if crs.geodetic_crs else ()
    if angles and abs(angles[0].unit_conversion_factor - math.radians(1)) > 1e-9:
        return ReferenceSystem(None, REFUSED, [*evidence, _("Its angles are not in degrees.")])
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    if abs(unit - 1) > 1e-9:
        return ReferenceSystem(None, REFUSED, [*evidence, _("Its unit is not the metre.")])
    same = lambda a, b: abs(a - b) <= PARAMETER_TOLERANCE  # noqa: E731
    if not (same(scale, 1) and same(latitude, 0) and same(northing, 0)):
        return ReferenceSystem(
            None,
            REFUSED,
            [
                *evidence,
                _("National zones have scale 1 and begin at the equator: this is a local system."),
                _("Ask the deliverer for CGCS2000, or give its PROJ pipeline with --crs FILE."),
            ],
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
                    " Ask the deliverer for CGCS2000 in its 3° zone, or give its PROJ pipeline with --crs FILE."
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
    return ReferenceSystem(int(text), GIVEN, [_("Given by the user: EPSG:%(epsg)s.") % {"epsg": text}], given=given)


def _said(
    given: str | Frame, prj: str | None, extent: Box | None, district: Box | None, probe: Probe | None
) -> ReferenceSystem:
    """The user's word: taken with a warning against evidence, and not at all where it is certainly wrong."""
    given = asked(given) if isinstance(given, str) else given
    if isinstance(given, Frame):
        found = ReferenceSystem(None, GIVEN, frame=given, given=given.told())
        found.evidence.append(
            _("Given by the user: the local reference system %(name)s (SHA-256 %(digest)s…).")
            % {"name": given.name, "digest": given.sha256[:12]}
        )
    else:
        found = _as_given(given)
    if extent is None:
        return found
    why = "" if found.frame else _contradiction(found.epsg, extent)
    if why and _lies_swapped(found.epsg, extent, district):
        _take_swapped(found, why)
        found.verdict = GIVEN
    elif why or not _in_china(degrees_box(extent, found.way)):
        found.evidence += [
            why or _("Read so, the layer lies outside China."),
            _("So it is certainly wrong, and the layer is not read by it."),
        ]
        found.verdict, found.epsg = REFUSED, None
        _suggest(found, extent, district)
        return found
    against = []
    if prj and (other := _other_prj(prj, found)):
        against.append(other)
    if district is not None:
        away = _distance(degrees_box(extent, found.way), district)
        if away > MARGIN:
            against.append(_away_sentence(away))
        else:
            found.evidence.append(_("Read so, the layer lies at the district."))
    if against:
        found.evidence += against
        found.warnings.append(("2-crs-overridden", found.name, " ".join(against)))
    _weigh_areas(found, extent, district, probe)
    return found


def _other_prj(prj: str, found: ReferenceSystem) -> str:
    """What the .prj says where it is another system than the one that was given."""
    own = by_parameters(prj)
    if own.epsg is None:
        return _("The .prj says: %(said)s") % {"said": " ".join(own.evidence)} if found.frame is None else ""
    same = own.epsg == found.epsg or {own.epsg, found.epsg} == {STORAGE_SRID, WGS84}
    return "" if same else _("The .prj says EPSG:%(epsg)d.") % {"epsg": own.epsg}


def _looks_like_degrees(box: Box) -> bool:
    return CHINA[0] <= box[0] <= box[2] <= CHINA[2] and CHINA[1] <= box[1] <= box[3] <= CHINA[3]


def _northing(low: float, high: float) -> bool:
    return 1.9e6 <= low <= high <= 6.0e6


def _numbers(extent: Box) -> str:
    west, south, east, north = extent
    return _("x %(west)s to %(east)s, y %(south)s to %(north)s") % {
        "west": _short(west),
        "east": _short(east),
        "south": _short(south),
        "north": _short(north),
    }


def _flipped(extent: Box) -> Box:
    return extent[1], extent[0], extent[3], extent[2]


def _contradiction(epsg: int, extent: Box) -> str:
    """Why the numbers cannot be of this system; empty where they can."""
    west, south, east, north = extent
    numbers = {"numbers": _numbers(extent)}
    if epsg in (STORAGE_SRID, WGS84):
        if _looks_like_degrees(extent):
            return ""
        if _looks_like_degrees(_flipped(extent)):
            why = _("The coordinates are %(numbers)s: latitude stands before longitude, the axes are swapped.")
        else:
            why = _("The coordinates are %(numbers)s: these are no degrees in China.")
        return why % numbers
    zone = BY_EPSG[epsg]
    if _looks_like_degrees(extent) or _looks_like_degrees(_flipped(extent)):
        return _("The coordinates are %(numbers)s: degrees, though metres are declared.") % numbers
    if _northing(west, east) and not _northing(south, north):
        return _("The coordinates are %(numbers)s: the northing stands first, the axes are swapped.") % numbers
    if not _northing(south, north):
        return _("The coordinates are %(numbers)s: no northing in China.") % numbers
    if zone.zone and not zone.zone * 1e6 <= west <= east <= (zone.zone + 1) * 1e6:
        return (
            _("The coordinates are %(numbers)s: their eastings do not carry the zone number that is declared.")
            % numbers
        )
    if not zone.zone and east > 1e6:
        return _("The coordinates are %(numbers)s: their eastings carry a zone number, and none is declared.") % numbers
    return ""


def _agreement(epsg: int, extent: Box) -> str:
    if epsg in (STORAGE_SRID, WGS84):
        return _("The coordinates are degrees in China: %(numbers)s.") % {"numbers": _numbers(extent)}
    return _("The coordinates agree: %(numbers)s.") % {"numbers": _numbers(extent)}


def _lies_swapped(epsg: int, extent: Box, district: Box | None) -> bool:
    """Whether the numbers are of this system and lie at the district once they are read the other way round."""
    if district is None or _contradiction(epsg, _flipped(extent)):
        return False
    return _distance(degrees_box(extent, turned(epsg)), district) <= MARGIN


def _take_swapped(found: ReferenceSystem, why: str):
    # The ranges of eastings and northings in China do not overlap, so this is no guess; yet the file is wrong.
    found.swapped, found.verdict = True, LIKELY
    found.evidence += [why, _("Read the other way round, the layer lies at the district: it is read so.")]
    found.warnings.append(("2-axes-swapped", f"EPSG:{found.epsg}", ""))


def _ask(found: ReferenceSystem, why: str, extent: Box, district: Box | None) -> ReferenceSystem:
    found.evidence += [why, _("Nobody guesses here: correct the .prj or the file, or say it with --crs.")]
    found.verdict, found.epsg = ASK, None
    _suggest(found, extent, district)
    return found


def _suggest(found: ReferenceSystem, extent: Box, district: Box | None):
    """Name the systems in which the layer would lie at its district; none of them is taken for it."""
    if district is None:
        return
    near = [epsg for epsg in _candidates(extent, district) if _distance(degrees_box(extent, epsg), district) <= MARGIN]
    if near:
        found.evidence.append(
            _("Read as %(systems)s it would lie at the district.")
            % {"systems": _(" or ").join(f"EPSG:{epsg}" for epsg in near)}
        )
    elif not any(_lies_swapped(epsg, extent, district) for epsg in _candidates(_flipped(extent), district)):
        found.evidence.append(_("In no national system does it lie at the district: is it another district's layer?"))


def _away_sentence(away: float) -> str:
    if not math.isfinite(away):
        return _("Read so, the layer lies nowhere on earth.")
    return _("Read so, the layer lies %(km)d km away from the district.") % {"km": round(away / 1000)}


def _candidates(extent: Box, district: Box | None) -> list[int]:
    """The national systems whose numbers look like these; without a zone number, those around the district."""
    west, south, east, north = extent
    if _looks_like_degrees(extent):
        return [STORAGE_SRID]
    if not _northing(south, north):
        return []
    number = int(west / 1e6)
    if number == int(east / 1e6) and 25 <= number <= 45:
        return [4513 + number - 25]
    if number == int(east / 1e6) and 13 <= number <= 23:
        return [4491 + number - 13]
    if not 1.7e5 <= west <= east <= 8.3e5:
        return []
    zones = [zone for zone in ZONES if zone.width == 3 and not zone.zone]
    if district is not None:
        zones = [zone for zone in zones if district[0] - 4 <= zone.meridian <= district[2] + 4]
    return [zone.epsg for zone in zones]


def _by_numbers(found: ReferenceSystem, extent: Box, district: Box | None, probe: Probe | None):
    """No .prj: read the ranges. Numbers cannot tell CGCS2000 from Xian 1980, so this is never sure."""
    candidates, numbers = _candidates(extent, district), {"numbers": _numbers(extent)}
    zoned = bool(candidates) and candidates[0] in BY_EPSG and BY_EPSG[candidates[0]].zone
    swapped = False
    if candidates == [STORAGE_SRID]:
        found.evidence.append(_("The coordinates are degrees: %(numbers)s.") % numbers)
    elif zoned and BY_EPSG[candidates[0]].width == 3:
        found.evidence.append(
            _("The eastings begin with %(zone)d, a 3° zone: %(numbers)s.") % {"zone": zoned, **numbers}
        )
    elif zoned:
        found.evidence.append(
            _("The eastings begin with %(zone)d, a 6° zone or Web Mercator: %(numbers)s.") % {"zone": zoned, **numbers}
        )
    elif candidates:
        found.evidence.append(
            _("The eastings carry no zone number: %(numbers)s. The district decides the zone.") % numbers
        )
    elif candidates := _candidates(_flipped(extent), district):
        swapped = True
        found.evidence.append(
            _("The coordinates are %(numbers)s: the northing stands first, the axes are swapped.") % numbers
        )
    else:
        found.evidence.append(_("The coordinates are %(numbers)s: they fit no system that is known.") % numbers)
    ways = {epsg: turned(epsg) if swapped else epsg for epsg in candidates}
    near = [epsg for epsg in candidates if district and _distance(degrees_box(extent, ways[epsg]), district) <= MARGIN]
    if len(near) == 1 and _stands(found, near[0], ways[near[0]], extent, district, probe):
        found.epsg, found.verdict, found.swapped = near[0], LIKELY, swapped
        found.evidence.append(
            _("Read as EPSG:%(epsg)d the layer lies at the district; numbers cannot tell CGCS2000 from Xian 1980.")
            % {"epsg": near[0]}
        )
        found.warnings.append(("1-no-prj", found.name, ""))
        if swapped:
            found.warnings.append(("2-axes-swapped", f"EPSG:{near[0]}", ""))
        return
    if not near and candidates and district:
        found.evidence.append(_("Read so, it does not lie at the district."))
    elif len(candidates) == 1:
        found.evidence.append(_("It would be EPSG:%(epsg)d; nothing here confirms it.") % {"epsg": candidates[0]})
    found.evidence.append(_("Say it with --crs."))


def _stands(found: ReferenceSystem, epsg: int, way, extent: Box, district: Box, probe: Probe | None) -> bool:
    """Whether the areas that rows declare bear a reading out, which only the place of the district says so far.

    Degrees and eastings with a zone number have no double; without one, UTM has nearly the same numbers.
    """
    plane = epsg in BY_EPSG
    agrees = None if probe is None else probe.agrees(way, plane=plane)
    if agrees:
        found.evidence.append(_("The areas that the rows give are those measured so."))
        return True
    if agrees is False:
        found.evidence.append(
            _("The areas that the rows give are %(ratio)s times those measured as EPSG:%(epsg)d.")
            % {"ratio": _factor(probe.ratio(way)), "epsg": epsg}
        )
        _name_by_areas(found, extent, district, probe)
        return False
    if not plane or BY_EPSG[epsg].zone:
        return True
    found.evidence.append(
        _(
            "It may be EPSG:%(epsg)d, or UTM, which lies up to two kilometres beside it; no areas in the rows tell"
            " which."
        )
        % {"epsg": epsg}
    )
    return False


def _weigh_areas(found: ReferenceSystem, extent: Box, district: Box | None, probe: Probe | None):
    """Hold the areas that rows declare against those measured in the system: they tell a wrong scale."""
    if probe is None or found.way is None:
        return
    agrees = probe.agrees(found.way, plane=found.epsg in BY_EPSG or found.frame is not None)
    if agrees is None:
        return
    if agrees:
        found.evidence.append(_("The areas that the rows give are those measured so."))
        return
    ratio = _factor(probe.ratio(found.way))
    found.evidence.append(_("The areas that the rows give are %(ratio)s times those measured so.") % {"ratio": ratio})
    if _name_by_areas(found, extent, district, probe) and found.verdict != GIVEN:
        found.evidence.append(_("Nobody guesses here: correct the .prj or the file, or say it with --crs."))
        found.verdict, found.epsg, found.swapped = ASK, None, False
        found.warnings.clear()
        return
    found.warnings.append(("2-areas-contradict", ratio, str(len(probe.rings))))
    if found.verdict == SURE:
        found.verdict = LIKELY


def _name_by_areas(found: ReferenceSystem, extent: Box, district: Box | None, probe: Probe) -> bool:
    """Tell in which other system the declared areas would be right and the layer in its place, if in any."""
    named = False
    for epsg, name in _foreign(extent, district):
        box = degrees_box(extent, epsg)
        near = _in_china(box) if district is None else _distance(box, district) <= MARGIN
        if near and probe.agrees(epsg, plane=False):
            found.evidence.append(
                _("They would be right in %(name)s (EPSG:%(epsg)d), which is no system of a survey.")
                % {"name": name, "epsg": epsg}
            )
            named = True
    return named


def _foreign(extent: Box, district: Box | None) -> list[tuple[int, str]]:
    """Systems of web maps and satellite receivers that are mistaken for a national one."""
    zones = range(43, 54)
    if district is not None:
        zones = {int((side + 180) // 6) + 1 for side in (district[0] - 1, district[2] + 1)}
    return [*((32600 + zone, f"UTM {zone}N") for zone in sorted(zones)), (WEB_MERCATOR, "Web Mercator")]


def _factor(ratio: float | None) -> str:
    return "?" if ratio is None else f"{ratio:.5g}"


def turned(epsg: int) -> str:
    """The pipeline to degrees for numbers of a system that stand the other way round."""
    transformer = to_degrees(epsg)
    steps = "" if transformer is None else transformer.definition.removeprefix("proj=pipeline")
    return SWAP + steps


def degrees_box(extent: Box, way: int | str) -> Box:
    """The box of an extent in degrees of CGCS2000; infinite where it cannot be placed on earth."""
    transformer = to_degrees(way)
    if transformer is None:
        return extent
    try:
        if isinstance(way, int):
            return transformer.transform_bounds(*extent, errcheck=True)
        # A pipeline says nothing of its axes, so pyproj gives no bounds: the edges are walked along.
        x, y = np.linspace(extent[0], extent[2], EDGE), np.linspace(extent[1], extent[3], EDGE)
        along = np.concatenate([x, x, np.full(EDGE, x[0]), np.full(EDGE, x[-1])])
        up = np.concatenate([np.full(EDGE, y[0]), np.full(EDGE, y[-1]), y, y])
        lon, lat = transformer.transform(along, up, errcheck=True)
    except ProjError:
        return (math.inf,) * 4
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _in_china(box: Box) -> bool:
    """Whether any part of a box in degrees lies in China."""
    return all(map(math.isfinite, box)) and (
        box[0] <= CHINA[2] and box[2] >= CHINA[0] and box[1] <= CHINA[3] and box[3] >= CHINA[1]
    )


def _distance(box: Box, district: Box) -> float:
    """Metres between two boxes in degrees; 0 where they meet."""
    if not all(map(math.isfinite, box)):
        return math.inf
    across = max(district[0] - box[2], box[0] - district[2], 0) * math.cos(math.radians(district[1]))
    along = max(district[1] - box[3], box[1] - district[3], 0)
    return math.hypot(across, along) * METRES_OF_A_DEGREE


def _short(number: float) -> str:
    return f"{number:.6f}" if abs(number) < 1000 else f"{number:.1f}"
