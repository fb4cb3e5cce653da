"""Turn rings as delivered into stored shapes: judged valid, measured on the ellipsoid, written as EWKB, not mended."""

import re
import struct
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely

from importers.arrays import binaries, fixed, flags
from importers.conformal import Conformal, fitted
from importers.reading_shp import FINE, Rings, polygons
from units.spatial import CGCS2000_A, CGCS2000_INVERSE_FLATTENING, CHINA, STORAGE_SRID

MULTIPOLYGON, POLYGON, WITH_SRID = 6, 3, 0x20000000
# Square metres by which the fast measure may differ from the geodesic one; a shape that might is measured exactly.
MEASURE_TOLERANCE = 0.0002
LONGEST_EDGE = 1e6  # metres; a shape with a longer one is large enough to be measured exactly anyway
GEOD = pyproj.Geod(a=CGCS2000_A, rf=CGCS2000_INVERSE_FLATTENING)
ECCENTRICITY = 2 / CGCS2000_INVERSE_FLATTENING - 1 / CGCS2000_INVERSE_FLATTENING**2

SWAP = "proj=pipeline step proj=axisswap order=2,1"  # what turns latitude, longitude around

# The fixed bytes before the points of a MultiPolygon of one ring, after the length of the field.
ONE_RING = np.dtype(
    [
        ("length", ">i4"),
        ("order", "u1"),
        ("kind", "<u4"),
        ("srid", "<u4"),
        ("parts", "<u4"),
        ("order_2", "u1"),
        ("kind_2", "<u4"),
        ("rings", "<u4"),
        ("points", "<u4"),
    ]
)


@dataclass
class Shaped:
    """The shapes of a run of rows: which are good, their area, centre, and the two halves of their COPY field.

    `invalid` maps a row to (reason, place in the layer's own system).
    """

    good: np.ndarray
    area: np.ndarray
    centre: np.ndarray
    head: pa.Array
    body: pa.Array
    invalid: dict[int, tuple[str, tuple[float, float] | None]]
    outside: np.ndarray
    empty: np.ndarray


def to_degrees(way: int | str) -> pyproj.Transformer | None:
    """The transformer from a system to degrees of CGCS2000; None where the numbers are such degrees already."""
    if way in (STORAGE_SRID, 4326):  # WGS 84 differs by less than a survey can tell
        return None
    if isinstance(way, str):
        return pyproj.Transformer.from_pipeline(way)
    return pyproj.Transformer.from_crs(way, STORAGE_SRID, always_xy=True)


class Projection:
    """The ways between a layer's system, degrees of CGCS2000 and metres; pyproj keeps one context a thread.

    `way` is an EPSG code, or a PROJ pipeline to degrees, whose layers are measured in the zone of the district.
    """

    def __init__(self, way: int | str, zone_srid: int):
        self.way = way
        self.to_storage = to_degrees(way)
        self.degrees = self.to_storage is None or way == SWAP  # are the layer's own numbers degrees?
        self.by_degrees = not isinstance(way, int) or self.degrees  # is it measured by way of its degrees?
        self.metric = zone_srid if self.by_degrees else way
        self.to_metric = pyproj.Transformer.from_crs(STORAGE_SRID, self.metric, always_xy=True)
        operation = pyproj.CRS.from_epsg(self.metric).coordinate_operation
        self.easting = next(one.value for one in operation.params if one.name == "False easting")
        self.polynomial: Conformal | None = None

    def __reduce__(self):
        return _projection, (self.way, self.metric, self.polynomial)

    def hasten(self, extent: tuple[float, float, float, float]):
        """Prepare for very many points in an extent of the layer's own system."""
        if self.to_storage is not None:
            self.polynomial = fitted(self.to_storage, extent)

    def stored(self, points: np.ndarray) -> np.ndarray:
        if self.to_storage is None:
            return points
        if self.polynomial is not None and len(points) and self.polynomial.covers(points):
            return self.polynomial.degrees(points)
        found = np.empty_like(points)
        found[:, 0], found[:, 1] = self.to_storage.transform(points[:, 0], points[:, 1])
        return found

    def place(self, x: float, y: float) -> tuple[float, float] | None:
        """One point in degrees, or None where it cannot be placed in China."""
        lon, lat = (x, y) if self.to_storage is None else self.to_storage.transform(x, y)
        return (lon, lat) if CHINA[0] <= lon <= CHINA[2] and CHINA[1] <= lat <= CHINA[3] else None


def _projection(way: int | str, metric: int, polynomial: Conformal | None) -> Projection:
    """The same in another process, which has transformers of its own."""
    made = Projection(way, metric)
    made.polynomial = polynomial
    return made


def shaped(rings: Rings, projection: Projection, *, twice: bool = False) -> Shaped:
    """Judge, measure and encode the rows of a run.

    A shape is judged as delivered; `twice` judges it in degrees as well, for tables that refuse invalid ones.
    """
    n = len(rings.faults)
    good = rings.faults == FINE
    rows = np.flatnonzero(good)
    made = polygons(rings, rows)
    stored = projection.stored(rings.points)
    valid = shapely.is_valid(made)
    if twice and len(rows):
        valid &= shapely.is_valid(polygons(Rings(stored, rings.starts, rings.firsts, rings.faults), rows))
    invalid = {}
    for at in np.flatnonzero(~valid):
        reason = shapely.is_valid_reason(made[at])
        found = re.search(r"\[\s*(\S+)\s+(\S+?)\s*\]", reason)
        place = (float(found[1]), float(found[2])) if found else None
        invalid[int(rows[at])] = ("" if reason == "Valid Geometry" else reason.split("[")[0], place)
    good[rows[~valid]] = False

    outside = np.zeros(n, bool)
    if len(stored) and not _within(stored):
        owner = np.repeat(np.arange(n), np.diff(rings.starts[rings.firsts]))
        bad = ~_inside(stored)
        outside[np.unique(owner[bad])] = True
        outside &= good
        good &= ~outside

    area = np.full(n, np.nan)
    centre = np.full((n, 2), np.nan)
    kept = good[rows]
    if kept.any():
        area[rows[kept]], centre[rows[kept]] = _measured(rings, stored, rows[kept], made[kept], projection)
    with np.errstate(invalid="ignore"):
        empty = good & ~(area > 0)
    good &= ~empty
    head, body = _encoded(rings, stored, good)
    return Shaped(good, area, centre, head, body, invalid, outside, empty)


def _within(points: np.ndarray) -> bool:
    x, y = points[:, 0], points[:, 1]  # one column at a time: numpy is slow along an axis of two
    return bool(x.min() >= CHINA[0] and y.min() >= CHINA[1] and x.max() <= CHINA[2] and y.max() <= CHINA[3])


def _inside(points: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        x, y = points[:, 0], points[:, 1]
        return (x >= CHINA[0]) & (x <= CHINA[2]) & (y >= CHINA[1]) & (y <= CHINA[3])


def _measured(rings: Rings, stored, rows, made, projection: Projection) -> tuple[np.ndarray, np.ndarray]:
    """Square metres on the CGCS2000 ellipsoid (as ST_Area(geom::geography)) and the centre in degrees.

    The planar area over the areal scale at the centre is within MEASURE_TOLERANCE for shapes of ordinary size and
    edge length; for the others the geodesic area is computed.
    """
    if projection.by_degrees:
        metres = np.empty_like(stored)
        metres[:, 0], metres[:, 1] = projection.to_metric.transform(stored[:, 0], stored[:, 1])
        made = polygons(Rings(metres, rings.starts, rings.firsts, rings.faults), rows)
    else:
        metres = rings.points
    planar = shapely.area(made)
    middle = shapely.centroid(made)
    x, y = shapely.get_x(middle), shapely.get_y(middle)
    centre = np.empty((len(rows), 2))
    if projection.by_degrees:
        centre[:, 0], centre[:, 1] = projection.to_metric.transform(x, y, direction="INVERSE")
    else:
        centre[:, 0], centre[:, 1] = projection.to_storage.transform(x, y)
    offset = x - projection.easting
    sine = np.sin(np.radians(centre[:, 1])) ** 2
    radius_2 = CGCS2000_A**2 * (1 - ECCENTRICITY) / (1 - ECCENTRICITY * sine) ** 2
    t = offset**2 / radius_2
    scale = 1 + t / 2 + t**2 / 24
    area = planar / scale**2

    # How far the fast measure may be off: long edges bend, and the scale changes across a large shape.
    with np.errstate(over="ignore", invalid="ignore"):  # rows that were refused may hold any number
        step = metres[1:] - metres[:-1]
        square = step[:, 0] ** 2 + step[:, 1] ** 2
        square[~(square < LONGEST_EDGE**2)] = 0.0
    square[rings.starts[1:-1] - 1] = 0.0  # from one ring to the next there is no edge
    first, last = rings.starts[rings.firsts[rows]], rings.starts[rings.firsts[rows + 1]]
    bend = (last - first) * np.max(square, initial=0.0) ** 1.5 * (np.abs(offset) + 1) / (12 * radius_2)
    if (bend > MEASURE_TOLERANCE / 2).any():  # the longest edge of the batch does not settle it for all
        total = np.concatenate(([0.0], np.cumsum(square * np.sqrt(square)), [0.0]))
        total[-1] = total[-2]
        bend = (total[last] - total[first]) * (np.abs(offset) + 1) / (12 * radius_2)
    box = shapely.bounds(made)
    size = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    doubt = bend + planar * size**2 / (12 * radius_2)
    for at in np.flatnonzero(doubt > MEASURE_TOLERANCE):
        area[at] = _geodesic(rings, metres, stored, rows[at], made[at])
    return area, centre


def _geodesic(rings: Rings, metres, stored, row: int, made) -> float:
    """The area of one row by its points in degrees; `made` is its shape in metres."""
    if made.geom_type == "Polygon" and not made.interiors:
        part = stored[rings.starts[rings.firsts[row]] : rings.starts[rings.firsts[row + 1]]]
        return abs(GEOD.polygon_area_perimeter(part[:, 0], part[:, 1])[0])
    # Ring by ring, holes taken off: which ring is which is told by the shape that was made of them.
    found = 0.0
    ring_of = {}
    for ring in range(rings.firsts[row], rings.firsts[row + 1]):
        points = metres[rings.starts[ring] : rings.starts[ring + 1]]
        ring_of.setdefault(points.tobytes(), ring)
    holes = {shapely.get_coordinates(hole).tobytes() for part in shapely.get_parts(made) for hole in part.interiors}
    for raw, ring in ring_of.items():
        part = stored[rings.starts[ring] : rings.starts[ring + 1]]
        ring_area = abs(GEOD.polygon_area_perimeter(part[:, 0], part[:, 1])[0])
        found += -ring_area if raw in holes else ring_area
    return found


def _encoded(rings: Rings, stored, good) -> tuple[pa.Array, pa.Array]:
    n = len(good)
    count = np.diff(rings.firsts)
    points = np.diff(rings.starts[rings.firsts])
    head = np.zeros(n, ONE_RING)
    head["length"] = ONE_RING.itemsize - 4 + points * 16
    head["order"] = head["order_2"] = 1
    head["kind"], head["srid"], head["parts"] = MULTIPOLYGON | WITH_SRID, STORAGE_SRID, 1
    head["kind_2"], head["rings"], head["points"] = POLYGON, 1, points
    offsets = (rings.starts[rings.firsts] * 16).astype(np.int32)
    body = pa.Array.from_buffers(
        pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(stored))]
    )
    first = fixed(head.view(np.uint8).reshape(n, -1))
    manifold = np.flatnonzero(good & (count > 1))
    if len(manifold):
        plain = Rings(stored, rings.starts, rings.firsts, rings.faults)
        # Nesting is read from the source, where it was judged; the same rings are then taken in degrees.
        shapes = [_in_degrees(rings, plain, row) for row in manifold]
        wkb = shapely.to_wkb(shapely.set_srid(np.array(shapes, object), STORAGE_SRID), include_srid=True, byte_order=1)
        whole = np.full(n, b"", object)
        for row, raw in zip(manifold, wkb, strict=True):
            whole[row] = struct.pack(">i", len(raw)) + raw
        several = np.zeros(n, bool)
        several[manifold] = True
        mask = flags(several)
        first = pc.if_else(mask, binaries(whole.tolist()), first)
        body = pc.if_else(mask, pa.scalar(b"", pa.binary()), body)
    return first, body


def _in_degrees(rings: Rings, stored: Rings, row: int):
    made = polygons(rings, np.array([row]))[0]
    turned = {
        rings.points[rings.starts[ring] : rings.starts[ring + 1]].tobytes(): stored.points[
            rings.starts[ring] : rings.starts[ring + 1]
        ]
        for ring in range(rings.firsts[row], rings.firsts[row + 1])
    }
    look = lambda ring: turned[shapely.get_coordinates(ring).tobytes()]  # noqa: E731
    parts = [
        shapely.Polygon(look(part.exterior), [look(hole) for hole in part.interiors])
        for part in shapely.get_parts(made)
    ]
    return shapely.MultiPolygon(parts)


def as_delivered(rings: Rings, row: int) -> bytes | None:
    """The rings of one row as a WKB polygon, byte for byte, broken or not; None where there are none."""
    first, last = rings.firsts[row], rings.firsts[row + 1]
    if first == last:
        return None
    found = [struct.pack("<BII", 1, POLYGON, last - first)]
    for ring in range(first, last):
        points = rings.points[rings.starts[ring] : rings.starts[ring + 1]]
        found += [struct.pack("<I", len(points)), points.tobytes()]
    return b"".join(found)
