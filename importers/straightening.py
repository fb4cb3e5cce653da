"""Put chords for the arcs of a curved surface, and tell the area that lies between the two.

Pure: no models, no database, no translation.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

from importers.shaping import Projection
from units.spatial import CLUSTER_TOLERANCE

CHORD = CLUSTER_TOLERANCE  # metres by which a chord may lie from the arc it stands for; ours: no standard names one
LEAST_STEPS = 8  # chords of a full circle, however small it is
METRES_PER_DEGREE = (
    111_700.0  # the most there are anywhere, so that what is told of arcs in degrees is no less than it is
)
SMALL = 1e-3  # radians; below, the difference of an angle and its sine is lost among the last digits
MOST_CHORDS = 20_000  # of one surface; more is no curve of a survey
LINE, POLYGON, MULTIPOLYGON = 2, 3, 6
CIRCULAR_STRING, COMPOUND_CURVE, CURVE_POLYGON, MULTI_SURFACE = 8, 9, 10, 12
HAS_Z, HAS_M, HAS_SRID = 0x80000000, 0x40000000, 0x20000000


@dataclass(frozen=True)
class Chords:
    """Rings, (n, 2) each; the square metres between arcs and chords; and how many points the curves had."""

    rings: list[np.ndarray]
    between: float
    vertices: int


def in_metres(points: np.ndarray, projection: Projection) -> np.ndarray:
    """Points of the layer's system in metres of a plane."""
    if not projection.degrees:
        return points
    degrees = projection.stored(points)
    found = np.empty_like(degrees)
    found[:, 0], found[:, 1] = projection.to_metric.transform(degrees[:, 0], degrees[:, 1])
    return found


def chords(wkb: bytes, projection: Projection) -> Chords:
    """The rings of a curved surface, given as ISO or extended WKB, with chords for its arcs.

    Their points lie on the arcs, between which a chord is at most CHORD metres from its arc. Raises ValueError, or
    struct.error where the bytes end too early, for what is no surface.
    """
    reader = _CurveReader(wkb, projection)
    reader.surface()
    return Chords(reader.rings, reader.between, reader.vertices)


class _CurveReader:
    """A walk along ISO or extended WKB of a surface, whose arcs it replaces."""

    def __init__(self, wkb: bytes, projection: Projection):
        self.wkb, self.at, self.projection = wkb, 0, projection
        self.rings: list[np.ndarray] = []
        self.between, self.vertices, self.left = 0.0, 0, MOST_CHORDS

    def surface(self):
        kind, order, size = self._head()
        (count,) = self._read(order + "I")
        if kind in (MULTI_SURFACE, MULTIPOLYGON):
            for _part in range(count):
                self.surface()
        elif kind == CURVE_POLYGON:
            for _ring in range(count):
                self.rings.append(self._curve())
        elif kind == POLYGON:
            for _ring in range(count):
                self.rings.append(self._points(order, size))
        else:
            raise ValueError("no surface")

    def _head(self) -> tuple[int, str, int]:
        order = "<" if self.wkb[self.at] == 1 else ">"
        self.at += 1
        (kind,) = self._read(order + "I")
        extra = bool(kind & HAS_Z) + bool(kind & HAS_M)
        if kind & HAS_SRID:
            self.at += 4
        kind &= 0x0FFFFFFF
        extra += {0: 0, 1: 1, 2: 1, 3: 2}.get(kind // 1000, 0)
        return kind % 1000, order, 2 + extra

    def _read(self, form: str) -> tuple:
        found = struct.unpack_from(form, self.wkb, self.at)
        self.at += struct.calcsize(form)
        return found

    def _points(self, order: str, size: int) -> np.ndarray:
        (count,) = self._read(order + "I")
        self.vertices += count
        found = np.frombuffer(self.wkb, order + "f8", count * size, self.at).reshape(count, size)[:, :2].astype(float)
        self.at += count * size * 8
        return found

    def _curve(self) -> np.ndarray:
        kind, order, size = self._head()
        if kind == LINE:
            return self._points(order, size)
        if kind == CIRCULAR_STRING:
            return self._arcs(self._points(order, size))
        if kind != COMPOUND_CURVE:
            raise ValueError("no curve")
        (count,) = self._read(order + "I")
        pieces = [self._curve() for _piece in range(count)]
        joined = [
            piece if not at or (piece[0] != pieces[at - 1][-1]).any() else piece[1:] for at, piece in enumerate(pieces)
        ]
        return np.concatenate(joined)

    def _arcs(self, points: np.ndarray) -> np.ndarray:
        if len(points) < 3 or len(points) % 2 == 0:
            raise ValueError("an arc has three points")
        return np.concatenate([points[:1], *(self._arc(*points[at : at + 3]) for at in range(0, len(points) - 2, 2))])

    def _arc(self, begin: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The points of one arc after its first, its middle one among them."""
        if (begin == end).all():  # a whole circle; its middle point is the one across
            centre = (begin + middle) / 2
            starts = math.atan2(*(begin - centre)[::-1])
            sweeps = [math.pi, math.pi]
        else:
            (ax, ay), (bx, by) = middle - begin, end - begin
            cross = 2 * (ax * by - ay * bx)
            if cross == 0:  # on one line
                return np.array([middle, end])
            square_a, square_b = ax * ax + ay * ay, bx * bx + by * by
            centre = begin + np.array([by * square_a - ay * square_b, ax * square_b - bx * square_a]) / cross
            side = 1 if cross > 0 else -1
            angles = [math.atan2(*(point - centre)[::-1]) for point in (begin, middle, end)]
            sweeps = [side * ((side * (angles[at + 1] - angles[at])) % (2 * math.pi)) for at in (0, 1)]
            starts = angles[0]
        radius = float(np.hypot(*(begin - centre)))
        metres = radius * (METRES_PER_DEGREE if np.abs(begin).max() <= 360 else 1.0)
        widest = min(4 * math.asin(math.sqrt(min(CHORD / (2 * metres), 1.0))), 2 * math.pi / LEAST_STEPS)
        found = []
        for sweep, target in zip(sweeps, (middle, end), strict=True):
            steps = max(1, math.ceil(abs(sweep) / widest))
            self.left -= steps
            if self.left < 0:
                raise ValueError("too many chords")
            angle = starts + sweep * np.arange(1, steps) / steps
            found += [centre + radius * np.column_stack((np.cos(angle), np.sin(angle))), [target]]
            one = abs(sweep) / steps
            self.between += steps * metres**2 * (one - math.sin(one) if one > SMALL else one**3 / 6) / 2
            starts += sweep
        return np.concatenate(found)
