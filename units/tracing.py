"""Find the way along the edges of parcels from one point to another, with the very numbers of their vertices."""

import heapq
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely
from django.db import connection
from django.utils.translation import gettext as _

from units.collections import COLLECTIONS
from units.errors import UsageError
from units.geometry import GEOD, Position, edges_of, flat
from units.models import District
from units.rights import Grant
from units.snapping import Snapped, snapped
from units.spatial import METRES_OF_A_DEGREE

SQL = (Path(__file__).parent / "sql" / "tracing" / "parcels.sql").read_text(encoding="utf-8")
FARTHEST = 3_000.0  # metres between the two ends
AROUND = (60.0, 400.0)  # metres around the two ends in which a way is looked for: first near, then wide
MOST_PARCELS = 4_000  # in that box
MOST_WAYS = 3


class Way(NamedTuple):
    """A way: its positions from end to end, and its length on the ellipsoid."""

    line: list[Position]
    metres: float


def traced(grants: tuple[Grant, ...], district: District, start: Position, end: Position, ways: int = 2) -> list[Way]:
    """The shortest way along parcels' edges, then others that share no edge with those before; perhaps none.

    Both ends are first put onto the parcel's corner or edge within `snapping.SNAP`; UsageError where there is none.
    """
    ends = snapped(grants, district, [start, end])
    for one, name in zip(ends, (_("The beginning"), _("The end")), strict=True):
        if one.kind is None:
            raise UsageError(
                _("%(end)s of the way is on no parcel's edge.") % {"end": name},
                _("Begin and end it on the edge of a parcel, or beside it within half a metre."),
            )
    apart = GEOD.inv(*ends[0].at, *ends[1].at)[2]
    if apart > FARTHEST:
        raise UsageError(
            _("The two ends are more than %(most)d m apart.") % {"most": FARTHEST}, _("Trace in shorter pieces.")
        )
    for around in AROUND:
        shapes = _parcels(grants, district, [one.at for one in ends], max(around, apart / 2))
        found = _Network(shapes, district.srid, ends).ways(max(1, min(ways, MOST_WAYS)))
        if found:
            return found
    return []


def _parcels(grants, district: District, ends: list[Position], around: float) -> list[shapely.Geometry]:
    west, south, east, north = shapely.MultiPoint(ends).bounds
    high = around / METRES_OF_A_DEGREE
    wide = high / np.cos(np.radians(north))
    seen, rights = COLLECTIONS["parcels"].seen_by(grants).rows.sql("p", "parcels")
    values = {
        "district": district.code,
        "west": west - wide,
        "south": south - high,
        "east": east + wide,
        "north": north + high,
        "most": MOST_PARCELS,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL.format(seen=seen), values | rights)
        rows = cursor.fetchall()
    if len(rows) == MOST_PARCELS:
        raise UsageError(
            _("There are %(most)d parcels or more between the two ends.") % {"most": MOST_PARCELS},
            _("Trace in shorter pieces."),
        )
    return list(shapely.from_wkb([bytes(wkb) for (wkb,) in rows]))


class _Network:
    """Vertices and edges of parcels, with the two ends among them."""

    def __init__(self, shapes: list[shapely.Geometry], srid: int, ends: list[Snapped]):
        self.ends = [tuple(one.at) for one in ends]
        self.numbers: list[int] = []  # of the two ends
        if not shapes:
            self.vertices, edges = np.array(self.ends), np.empty((0, 2), dtype=int)
        else:
            self.vertices, edges = edges_of(shapes, srid)
            edges = self._with_ends(edges, srid)
        here, there = self.vertices[edges[:, 0]], self.vertices[edges[:, 1]]
        metres = GEOD.inv(here[:, 0], here[:, 1], there[:, 0], there[:, 1])[2] if len(edges) else np.empty(0)
        self.beside: dict[int, list[tuple[int, float]]] = {}
        for (a, b), length in zip(edges.tolist(), np.asarray(metres).tolist(), strict=True):
            self.beside.setdefault(a, []).append((b, length))
            self.beside.setdefault(b, []).append((a, length))
        lengths = GEOD.inv(
            self.vertices[:, 0],
            self.vertices[:, 1],
            np.full(len(self.vertices), self.ends[1][0]),
            np.full(len(self.vertices), self.ends[1][1]),
        )[2]
        self.left = np.asarray(lengths).tolist()  # as the crow flies to the end: no way is shorter

    def _with_ends(self, edges: np.ndarray, srid: int) -> np.ndarray:
        """The edges with the two ends as vertices: one that is there already, or a new one in the edge it lies on."""
        for position in self.ends:
            same = np.flatnonzero((self.vertices == position).all(axis=1))
            if len(same) and (edges == same[0]).any():
                self.numbers.append(int(same[0]))
                continue
            at = flat(self.vertices, srid)
            place = shapely.points(flat(np.array([position]), srid)[0])
            lines = shapely.linestrings(np.stack([at[edges[:, 0]], at[edges[:, 1]]], axis=1))
            nearest = int(np.argmin(shapely.distance(lines, place)))
            number = len(self.vertices)
            self.vertices = np.vstack([self.vertices, position])
            a, b = edges[nearest].tolist()
            edges = np.vstack([np.delete(edges, nearest, axis=0), [[a, number], [number, b]]])
            self.numbers.append(number)
        return edges

    def ways(self, most: int) -> list[Way]:
        found: list[Way] = []
        if not self.beside or self.ends[0] == self.ends[1]:
            return found
        walked: set[tuple[int, int]] = set()
        while len(found) < most:
            path = self._shortest(walked)
            if path is None:
                break
            numbers, metres = path
            walked |= {(min(pair), max(pair)) for pair in zip(numbers[:-1], numbers[1:], strict=True)}
            line = [tuple(one) for one in self.vertices[numbers].tolist()]
            line[0], line[-1] = self.ends  # the numbers that snapping gave
            found.append(Way(line, metres))
        return found

    def _shortest(self, without: set[tuple[int, int]]) -> tuple[list[int], float] | None:
        """A* over the edges that are not in `without`."""
        start, end = self.numbers
        best, came = {start: 0.0}, {}
        waiting = [(self.left[start], start)]
        while waiting:
            _guess, here = heapq.heappop(waiting)
            if here == end:
                numbers = [end]
                while numbers[-1] != start:
                    numbers.append(came[numbers[-1]])
                return numbers[::-1], best[end]
            for there, length in self.beside.get(here, ()):
                if (min(here, there), max(here, there)) in without:
                    continue
                metres = best[here] + length
                if metres < best.get(there, np.inf):
                    best[there], came[there] = metres, here
                    heapq.heappush(waiting, (metres + self.left[there], there))
        return None
