"""Read boundary points (界址点) that somebody pasted: a table of numbered places, or the TXT of a land survey.

The TXT is the exchange format of survey reports (勘测定界): `[属性描述]` says zone and datum, `[地块坐标]` begins the
points, a line that ends with “@” begins a plot, and each point is number, ring, X, Y.
"""

import re
import unicodedata
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from units import coordinates
from units.errors import UsageError
from units.geometry import Position

LONGEST = 500_000  # letters
MOST = 5_000  # points
TOLD = 5  # lines with faults that the sentence spells out
SEPARATED = re.compile(r"[\s,;、|]+")
ZONE = range(25, 46)  # of the 3° zones of China
FIRST_SRID = 4513  # CGCS2000, 3° zone 25 with the zone's number before Y
OWN_DATUM = re.compile(r"2000|CGCS", re.IGNORECASE)
COLUMNS = 6  # of a line: number, ring, X, Y, length of the edge, remark


@dataclass
class Boundary:
    """Polygons of degrees, rings open, the first of each its outside; and how the first point was read."""

    polygons: list[list[list[Position]]] = field(default_factory=list)
    points: int = 0
    told: str = ""

    @property
    def point(self) -> Position | None:
        """The only point, where there is one alone."""
        return self.polygons[0][0][0] if self.points == 1 else None

    @property
    def geometry(self) -> dict:
        """A GeoJSON MultiPolygon with closed rings."""
        closed = [
            [[list(one) for one in (*ring, *ring[:1])] for ring in polygon] for polygon in self.polygons if polygon
        ]
        return {"type": "MultiPolygon", "coordinates": closed}


def read(text: str, district_srid: int) -> Boundary:
    """The shape that the pasted `text` describes.

    A line is one point: its number first where it has one, then X (northing) and Y, or longitude and latitude, in any
    form that `coordinates.read` knows. An empty line, another ring's number or a return to the first point ends a
    ring; a ring with a number above 1 is a hole of its plot. Raises UsageError with the numbers of lines that are no
    points.
    """
    if len(text) > LONGEST:
        raise UsageError(_("The pasted text is longer than %(most)d letters.") % {"most": LONGEST})
    reader = _Reader(district_srid)
    for number, line in enumerate(unicodedata.normalize("NFKC", text).splitlines(), start=1):
        reader.take(number, line.strip())
    return reader.ended()


class _Reader:
    def __init__(self, district_srid: int):
        self.srid, self.zone = district_srid, None
        self.made, self.ring, self.ring_number = Boundary(), [], ""
        self.closed = False  # the ring has come back to where it began
        self.section, self.faults = "", []

    def take(self, number: int, line: str) -> None:
        if line.startswith("[") and line.endswith("]"):
            self.section = line[1:-1]
        elif self.section == "属性描述" and "=" in line:
            self._property(*line.split("=", 1))
        elif not line:
            self._end_ring()
        elif line.endswith("@"):
            self._end_ring()
            self.made.polygons.append([])
        else:
            self._point(number, line)

    def _property(self, name: str, value: str) -> None:
        if name == "坐标系" and value.strip() and not OWN_DATUM.search(value):
            raise UsageError(
                _("The points are in “%(datum)s”, not in CGCS2000.") % {"datum": value.strip()[:40]},
                _("Have them converted with the local parameters first: no general formula exists."),
            )
        if name == "带号" and value.strip().isdigit():
            self.zone = int(value)
            if self.zone in ZONE:
                self.srid = FIRST_SRID + self.zone - ZONE.start

    def _point(self, number: int, line: str) -> None:
        found = self._place(line)
        if found is None:
            if not self.made.points and not re.search(r"\d", line):
                return  # the head of a table
            self.faults.append((number, line))
            return
        ring_number, place = found
        at = (place.lng, place.lat)
        if self.ring and (self.closed or ring_number != self.ring_number):
            self._end_ring()
        if not self.made.polygons:
            self.made.polygons.append([])
        self.ring_number = ring_number
        if self.ring and at == self.ring[0]:
            self.closed = True
            return
        self.made.points += 1
        if self.made.points > MOST:
            raise UsageError(_("These are more than %(most)d points.") % {"most": MOST})
        self.made.told = self.made.told or place.told
        self.ring.append(at)

    def _place(self, line: str) -> tuple[str, coordinates.Typed] | None:
        """The ring's number, where the line has one, and the place: two numbers side by side, the last that fit."""
        words = [word for word in SEPARATED.split(line) if word]
        for start in range(min(len(words), COLUMNS) - 2, -1, -1):
            pair = words[start : start + 2]
            if place := coordinates.read(" ".join(self._with_zone(pair)), self.srid):
                return (words[1] if start == 2 and words[1].isdigit() else ""), place
        label, _space, rest = line.partition(" ")
        for text in (line, rest):  # degrees, minutes and seconds may be apart themselves
            if place := coordinates.read(text, self.srid):
                return "", place
        return None

    def _with_zone(self, pair: list[str]) -> list[str]:
        """Six digits of an easting in the zone that the head of the file names."""
        if self.zone is None:
            return pair
        return [f"{self.zone}{word}" if re.fullmatch(r"\d{6}(\.\d+)?", word) else word for word in pair]

    def _end_ring(self) -> None:
        ring, self.ring, self.closed = self.ring, [], False
        if not ring:
            return
        polygons = self.made.polygons
        hole = polygons[-1] and self.ring_number.isdigit() and int(self.ring_number) > 1
        if polygons[-1] and not hole:
            polygons.append([])
        polygons[-1].append(ring)

    def ended(self) -> Boundary:
        self._end_ring()
        made = self.made
        if self.faults:
            lines = _("; ").join(f"{number}: {line[:40]}" for number, line in self.faults[:TOLD])
            raise UsageError(
                ngettext(
                    "%(count)d line is no point in China: %(lines)s",
                    "%(count)d lines are no points in China: %(lines)s",
                    len(self.faults),
                )
                % {"count": len(self.faults), "lines": lines},
                _("Write one point a line: number, X, Y, or number, longitude, latitude."),
            )
        if not made.points:
            raise UsageError(
                _("There is no point in the text."),
                _("Write one point a line: number, X, Y, or number, longitude, latitude."),
            )
        made.polygons = [polygon for polygon in made.polygons if polygon]
        short = next((ring for polygon in made.polygons for ring in polygon if len(ring) < 3), None)
        if made.points > 1 and short is not None:
            raise UsageError(
                _("A ring of %(count)d points is no outline.") % {"count": len(short)},
                _("An outline has three points at least; an empty line begins another ring."),
            )
        if made.points == 1:
            return made
        rings = sum(len(polygon) for polygon in made.polygons)
        made.told = _("%(points)d points in %(rings)d rings. The first was read as: %(how)s") % {
            "points": made.points,
            "rings": rings,
            "how": made.told,
        }
        return made
