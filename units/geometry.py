"""Read, unite, snap and judge polygons in memory, so that edges which two of them share stay shared."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import pyproj
import shapely

from units.spatial import (
    ADJACENT_EDGE,
    CGCS2000_A,
    CGCS2000_INVERSE_FLATTENING,
    CHINA,
    CLUSTER_TOLERANCE,
    OVERLAP_AREA,
    OVERLAP_WIDTH,
    STORAGE_SRID,
)

BAND = 0.5  # metres: t_len of queries.md; edges that run side by side nearer than this are one boundary
SIDE_BY_SIDE = 0.9  # |cos| of the angle between two edges from which on they run side by side
SLIVER = 0.01  # square metres; less is the noise of the last digits of a coordinate
FILLED = 0.4  # of its box that a part covers; a thinner one is looked for in cells
CELLS = 8  # a side
ZONE_SCALE = 0.001  # a metre of a zone is one of the ellipsoid to 3 parts in 10,000, at its edge; generous
ON_EDGE = CLUSTER_TOLERANCE / 10  # metres; nearer than this a point lies on the edge
GEOD = pyproj.Geod(a=CGCS2000_A, rf=CGCS2000_INVERSE_FLATTENING)
Position = tuple[float, float]  # longitude, latitude; degrees


class Malformed(ValueError):
    """A value that is no GeoJSON polygon of ours; `reason` is one of the names below."""

    REASONS = ("type", "empty", "position", "dimension", "number", "vertices")

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class Fault(NamedTuple):
    """What is wrong with a drawn ring, and where (degrees) when there is a place."""

    code: str  # not-closed, too-few-corners, self-crossing, hole-outside, no-area, outside-china
    at: Position | None = None


@cache
def plane_of(srid: int) -> pyproj.Transformer:
    """Degrees of storage to metres of a Gauss–Krüger zone, longitude and easting first."""
    return pyproj.Transformer.from_crs(STORAGE_SRID, srid, always_xy=True)


@cache
def degrees_of(srid: int) -> pyproj.Transformer:
    """The way back."""
    return pyproj.Transformer.from_crs(srid, STORAGE_SRID, always_xy=True)


def flat(points: np.ndarray, srid: int) -> np.ndarray:
    """Points (n, 2) of degrees in metres of the zone `srid`."""
    if not len(points):
        return np.empty((0, 2))
    return np.column_stack(plane_of(srid).transform(points[:, 0], points[:, 1]))


# --- reading -----------------------------------------------------------------------------------------------------


def rings_of(value, most: int) -> list[list[list[Position]]]:
    """The parts of a GeoJSON Polygon or MultiPolygon: rings of positions, as they were sent, closed or not.

    Raises Malformed for anything else: wrong types, a third dimension, numbers that are none, more than `most`
    vertices. Nothing is repaired here.
    """
    if not isinstance(value, dict) or value.get("type") not in ("Polygon", "MultiPolygon"):
        raise Malformed("type")
    parts = value.get("coordinates")
    if value["type"] == "Polygon":
        parts = [parts]
    if not isinstance(parts, list) or not parts:
        raise Malformed("empty")
    count = 0
    read = []
    for part in parts:
        if not isinstance(part, list) or not part:
            raise Malformed("empty")
        rings = []
        for ring in part:
            if not isinstance(ring, list) or not ring:
                raise Malformed("empty")
            count += len(ring)
            if count > most:
                raise Malformed("vertices")
            rings.append([_position(one) for one in ring])
        read.append(rings)
    return read


def _position(value) -> Position:
    if not isinstance(value, list) or len(value) < 2:
        raise Malformed("position")
    if len(value) > 2:
        raise Malformed("dimension")
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in value):
        raise Malformed("number")
    try:
        x, y = float(value[0]), float(value[1])
    except OverflowError:
        raise Malformed("number") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise Malformed("number")
    return x, y


def polygons(parts: list[list[list[Position]]]) -> tuple[shapely.MultiPolygon | None, list[Fault]]:
    """The shape of rings as drawn, or None with what is wrong; only numerically equal neighbours are left out.

    Outer rings turn against the clock, as RFC 7946 wants them.
    """
    faults = []
    west, south, east, north = CHINA
    made = []
    for rings in parts:
        closed = []
        for ring in rings:
            away = next((one for one in ring if not (west <= one[0] <= east and south <= one[1] <= north)), None)
            once = [one for number, one in enumerate(ring) if number == 0 or one != ring[number - 1]]
            if away is not None:
                faults.append(Fault("outside-china", away))
            elif len(set(once)) < 3:
                faults.append(Fault("too-few-corners", ring[0]))
            elif once[0] != once[-1]:
                faults.append(Fault("not-closed", once[-1]))
            else:
                closed.append(once)
        if len(closed) == len(rings):
            made.append(shapely.Polygon(closed[0], closed[1:]))
    if faults:
        return None, faults
    shape = shapely.MultiPolygon(made)
    if not shapely.is_valid(shape):
        return None, [_why_invalid(shape)]
    if shape.area <= 0:
        return None, [Fault("no-area", parts[0][0][0])]
    return shapely.orient_polygons(shape), []


INVALID = {"Hole lies outside shell": "hole-outside", "Holes are nested": "hole-outside"}


def _why_invalid(shape) -> Fault:
    told = re.fullmatch(r"(.*?)(?:\[(\S+) (\S+)\])?", shapely.is_valid_reason(shape))
    place = (float(told[2]), float(told[3])) if told[2] else None
    return Fault(INVALID.get(told[1].strip(), "self-crossing"), place)


# --- uniting -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class United:
    """What became of several polygons: the shape, who adjoins whom, and what does not fit together."""

    shape: shapely.MultiPolygon
    groups: list[list[int]]  # numbers of the polygons that hang together over ADJACENT_EDGE metres or more
    overlapping: list[tuple[int, int]] = field(default_factory=list)  # pairs that cover the same ground
    gaps: list[float] = field(default_factory=list)  # square metres of each closed gap


def united(shapes: Sequence[shapely.Geometry], srid: int) -> United:
    """The union of stored polygons (degrees) whose every vertex is one of theirs, exactly.

    Edges that two polygons share cancel; a vertex of one that lies on a straight edge of another (a T-junction,
    within CLUSTER_TOLERANCE) is first put into that edge, so that no gap of its width is left. Where two polygons run
    side by side within OVERLAP_WIDTH, their edges were mis-snapped in the source, and there is no land between them:
    the one side is put onto the other, at vertices that are stored, and what is gained so is told in `gaps`, as are
    holes narrower than that. Only where polygons overlap by more does the result get new vertices, where their
    boundaries cross.
    """
    mesh = _Mesh(shapes, srid)
    mesh.join()
    pieces = mesh.shapes()
    if slits := mesh.contacts():
        before = pieces
        mesh.join(OVERLAP_WIDTH, slits)
        pieces = mesh.shapes()
        broken = ~shapely.is_valid(pieces)  # a polygon as thin as the slit is left as it was
        pieces[broken] = before[broken]
        closed = _gained(pieces, before, srid)
    else:
        closed = []
    whole = None
    try:
        whole = shapely.coverage_union_all(pieces)
    except shapely.GEOSException:
        overlapping = True
    else:
        total = float(shapely.area(pieces).sum())
        overlapping = not shapely.is_valid(whole) or abs(whole.area - total) > total * 1e-9
    pairs = []
    if overlapping:
        whole = shapely.union_all(pieces)
        pairs = mesh.pairs(_overlapping(pieces, srid))
    kept, gaps = _without_gaps(whole, srid)
    return United(shapely.orient_polygons(kept), mesh.groups(pairs), pairs, closed + gaps)


def _gained(after: np.ndarray, before: np.ndarray, srid: int) -> list[float]:
    """Square metres of each piece that polygons cover after they were snapped and did not cover before."""
    moved = ~shapely.equals_exact(after, before)
    gained = shapely.difference(shapely.union_all(after[moved]), shapely.union_all(before))
    area, _width = measures(np.array([part for part in shapely.get_parts(gained) if part.area], dtype=object), srid)
    return [float(one) for one in area if one > SLIVER]


def edges_of(shapes: Sequence[shapely.Geometry], srid: int) -> tuple[np.ndarray, np.ndarray]:
    """(vertices, edges): the boundaries of the shapes as a network, with the very numbers of the stored vertices.

    `edges` (n, 2) are numbers of vertices, each edge once. A vertex on the straight edge of another shape divides it.
    """
    mesh = _Mesh(shapes, srid)
    mesh.join()
    return mesh.vertices, np.unique(np.sort(np.stack([mesh.start, mesh.end], axis=1), axis=1), axis=0)


class _Mesh:
    """The vertices and edges of several polygons, each vertex numbered once."""

    def __init__(self, shapes, srid: int):
        shapes = np.asarray(shapes, dtype=object)
        self.count = len(shapes)
        self.srid = srid
        polygons, self.shape_of_polygon = shapely.get_parts(shapes, return_index=True)
        rings, self.polygon_of_ring = shapely.get_rings(polygons, return_index=True)
        points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
        self.rings = rings
        self.ring_of_point = ring_of_point
        stacked = np.ascontiguousarray(points).view(np.complex128)[:, 0]
        found, first, self.points = np.unique(stacked, return_index=True, return_inverse=True)
        self.vertices = found.view(np.float64).reshape(-1, 2)
        self.order = first  # the lower, the earlier the polygon that brought it
        self.changed = False
        self.beside: dict[int, float] = {}  # metres of common boundary, by lower number * count + higher number
        self._edges()

    def _edges(self) -> None:
        follows = self.ring_of_point[:-1] == self.ring_of_point[1:]
        start, end = self.points[:-1][follows], self.points[1:][follows]
        ring = self.ring_of_point[:-1][follows]
        apart = start != end
        self.start, self.end, self.ring = start[apart], end[apart], ring[apart]
        low, high = np.minimum(self.start, self.end), np.maximum(self.start, self.end)
        self.key = low.astype(np.int64) * len(self.vertices) + high
        _keys, self.edge, times = np.unique(self.key, return_inverse=True, return_counts=True)
        self.times = times[self.edge]

    def contacts(self) -> list[tuple[int, int]]:
        """Measure how long a boundary each two shapes have: edges they share, and edges side by side within BAND.

        Returns the pairs of shapes that run side by side within OVERLAP_WIDTH without sharing the edge.
        """
        self.beside = self._shared()
        loose = np.flatnonzero(self.times == 1)
        if not len(loose) or self.count < 2:
            return []
        names, places = np.unique(np.concatenate([self.start[loose], self.end[loose]]), return_inverse=True)
        at = flat(self.vertices[names], self.srid)
        start, end = at[places[: len(loose)]], at[places[len(loose) :]]
        shape = self.shape_of_edges()[loose]
        lines = shapely.linestrings(np.stack([start, end], axis=1))
        one, other = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=BAND)
        apart = shape[one] < shape[other]
        one, other = one[apart], other[apart]
        way = end - start
        length = np.hypot(*way.T)
        cosine = np.abs((way[one] * way[other]).sum(axis=1)) / (length[one] * length[other])
        one, other = one[cosine >= SIDE_BY_SIDE], other[cosine >= SIDE_BY_SIDE]
        pairs = shape[one].astype(np.int64) * self.count + shape[other]
        slits = defaultdict(float)
        for width in (BAND, OVERLAP_WIDTH):
            strips = shapely.buffer(lines[other], width, cap_style="flat")
            span = shapely.length(shapely.intersection(lines[one], strips))
            for pair, metres in zip(pairs.tolist(), span.tolist(), strict=True):
                into = self.beside if width == BAND else slits
                into[pair] = into.get(pair, 0.0) + metres
        return [divmod(pair, self.count) for pair, metres in slits.items() if metres >= BAND]

    def _shared(self) -> dict[int, float]:
        """Metres of the edges that two shapes share, by pair."""
        shape = self.shape_of_edges()
        twice = np.flatnonzero(self.times == 2)
        twice = twice[np.argsort(self.edge[twice], kind="stable")]
        one, other = twice[::2], twice[1::2]
        apart = shape[one] != shape[other]
        one, other = one[apart], other[apart]
        if not len(one):
            return {}
        names, places = np.unique(np.concatenate([self.start[one], self.end[one]]), return_inverse=True)
        at = flat(self.vertices[names], self.srid)
        span = np.hypot(*(at[places[: len(one)]] - at[places[len(one) :]]).T)
        pairs = np.sort(np.stack([shape[one], shape[other]]), axis=0)
        key, which = np.unique(pairs[0].astype(np.int64) * self.count + pairs[1], return_inverse=True)
        return dict(zip(key.tolist(), np.bincount(which, weights=span).tolist(), strict=True))

    def shape_of_edges(self) -> np.ndarray:
        return self.shape_of_polygon[self.polygon_of_ring[self.ring]]

    def join(self, tolerance: float = CLUSTER_TOLERANCE, between: Iterable[tuple[int, int]] | None = None) -> None:
        """Number as one what lies within the tolerance, and put vertices into the edges they lie on.

        `between` names the pairs of shapes that alone are joined, each to the other and not to itself.
        """
        loose = np.flatnonzero(self.times == 1)
        if not len(loose):
            return
        names = np.unique(np.concatenate([self.start[loose], self.end[loose]]))
        place = flat(self.vertices[names], self.srid)
        at = np.empty((len(self.vertices), 2))
        at[names] = place
        tree = shapely.STRtree(shapely.linestrings(np.stack([at[self.start[loose]], at[self.end[loose]]], axis=1)))
        near, on = tree.query(shapely.points(place), predicate="dwithin", distance=tolerance)
        vertex, edge = names[near], loose[on]
        foreign = (vertex != self.start[edge]) & (vertex != self.end[edge])
        vertex, edge = vertex[foreign], edge[foreign]
        if between is not None:
            self._close(vertex, edge, at, tolerance, between)
            return
        if not len(vertex):
            return
        to_start = np.hypot(*(at[vertex] - at[self.start[edge]]).T)
        to_end = np.hypot(*(at[vertex] - at[self.end[edge]]).T)
        same = np.minimum(to_start, to_end) <= tolerance
        ends = np.where(to_start <= to_end, self.start[edge], self.end[edge])
        chief = _chiefs(zip(vertex[same].tolist(), ends[same].tolist(), strict=True), self.order)
        inside = defaultdict(list)
        for one, where, along in zip(vertex[~same].tolist(), edge[~same].tolist(), to_start[~same], strict=True):
            inside[where].append((along, chief.get(one, one)))
        self._rebuild(chief, inside)

    def _close(self, vertex, edge, at, tolerance: float, between: Iterable[tuple[int, int]]) -> None:
        """Put the sides of slits onto each other: corners of two shapes become one, others go into the edge beside.

        A corner becomes one with the nearest of each other shape at most, so that no edge of a shape collapses.
        """
        beside = defaultdict(set)
        for a, b in between:
            beside[a].add(b)
            beside[b].add(a)
        shape = self.shape_of_edges()
        holders = defaultdict(set)  # the shapes that have a vertex
        for name, number in zip(self.start.tolist(), shape.tolist(), strict=True):
            holders[name].add(number)
        ends, inner = [], []
        for name, where in zip(vertex.tolist(), edge.tolist(), strict=True):
            number = int(shape[where])
            if number in holders[name] or not beside[number] & holders[name]:
                continue
            first, last = int(self.start[where]), int(self.end[where])
            to_first, to_last = math.dist(at[name], at[first]), math.dist(at[name], at[last])
            if min(to_first, to_last) <= tolerance:
                ends.append((min(to_first, to_last), name, first if to_first <= to_last else last))
            else:
                inner.append((name, where, number, to_first))
        group = {}  # vertex: all that become one with it
        for _distance, name, end in sorted(ends):
            mine, theirs = group.get(name, {name}), group.get(end, {end})
            if mine is theirs or any(holders[a] & holders[b] for a in mine for b in theirs):
                continue
            group |= dict.fromkeys(mine | theirs, mine | theirs)
        chief = {name: min(names, key=lambda one: (self.order[one], one)) for name, names in group.items()}
        inside = defaultdict(list)
        for name, where, number, along in inner:
            if not any(number in holders[one] for one in group.get(name, ())):
                inside[where].append((along, chief.get(name, name)))
        if chief or inside:
            self._rebuild(chief, inside)

    def _rebuild(self, chief: dict[int, int], inside: dict[int, list]) -> None:
        if chief:
            renamed = np.arange(len(self.vertices))
            renamed[list(chief)] = list(chief.values())
        touched = {int(self.ring[edge]) for edge in inside}
        points, ring_of_point = [], []
        starts = np.searchsorted(self.ring_of_point, np.arange(len(self.rings) + 1))
        first_edge = np.searchsorted(self.ring, np.arange(len(self.rings) + 1))
        for ring in range(len(self.rings)):
            own = self.points[starts[ring] : starts[ring + 1]]
            if ring in touched:
                walked = []
                for edge in range(first_edge[ring], first_edge[ring + 1]):
                    walked.append(int(self.start[edge]))
                    walked += [name for _along, name in sorted(inside.get(edge, ()))]
                walked.append(walked[0])
                own = np.array(walked)
            if chief:
                own = renamed[own]
                merged = own[np.append(True, own[1:] != own[:-1])]
                own = merged if len(merged) > 3 else self.points[starts[ring] : starts[ring + 1]]
            points.append(own)
            ring_of_point.append(np.full(len(own), ring))
        self.points, self.ring_of_point = np.concatenate(points), np.concatenate(ring_of_point)
        self.changed = True
        self._edges()

    def shapes(self) -> np.ndarray:
        """The polygons (not the multipolygons) as they now stand."""
        rings = self.rings
        if self.changed:
            rings = shapely.linearrings(self.vertices[self.points], indices=self.ring_of_point)
        return shapely.polygons(rings, indices=self.polygon_of_ring)

    def pairs(self, of_polygons: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The same pairs as numbers of shapes, each once."""
        shape = self.shape_of_polygon.tolist()
        return sorted({(shape[a], shape[b]) for a, b in of_polygons if shape[a] != shape[b]})

    def groups(self, overlapping: list[tuple[int, int]]) -> list[list[int]]:
        """Numbers of the shapes that hang together by a boundary of ADJACENT_EDGE metres, or because they overlap.

        Boundary is what two of them share, and what of their other edges runs side by side within BAND.
        """
        long = [pair for pair, metres in self.beside.items() if metres >= ADJACENT_EDGE]
        links = [divmod(pair, self.count) for pair in long]
        chief = _chiefs(links + overlapping, range(self.count))
        found = defaultdict(list)
        for number in range(self.count):
            found[chief.get(number, number)].append(number)
        return sorted(found.values(), key=lambda group: (-len(group), group))


def _chiefs(pairs: Iterable[tuple[int, int]], order) -> dict[int, int]:
    """For each number that is linked to another: the earliest, by `order`, of all it is linked with."""
    above: dict[int, int] = {}

    def chief(one: int) -> int:
        while above.get(one, one) != one:
            above[one] = above.get(above[one], above[one])
            one = above[one]
        return one

    for a, b in pairs:
        first, last = sorted((chief(a), chief(b)), key=lambda one: (order[one], one))
        above.setdefault(first, first)
        above[last] = first
    return {one: chief(one) for one in above}


def _overlapping(pieces: np.ndarray, srid: int) -> list[tuple[int, int]]:
    """Pairs of polygons whose overlap counts."""
    tree = shapely.STRtree(pieces)
    a, b = tree.query(pieces, predicate="intersects")
    once = a < b
    a, b = a[once], b[once]
    common = areal(shapely.intersection(pieces[a], pieces[b]))
    return [(int(one), int(other)) for one, other, is_one in zip(a, b, counts(common, srid), strict=True) if is_one]


def measures(shapes, srid: int) -> tuple[np.ndarray, np.ndarray]:
    """Area (m²) and mean width 2A/P (m) of each shape in the plane of the zone; of one shape, or of many at once."""
    plane = shapely.transform(np.asarray(shapes, dtype=object), lambda points: flat(points, srid))
    area, length = shapely.area(plane), shapely.length(plane)
    return area, np.divide(2 * area, length, out=np.zeros_like(area), where=length > 0)


def counts(shapes, srid: int) -> np.ndarray:
    """Whether each overlap is one: above OVERLAP_AREA and above OVERLAP_WIDTH."""
    area, width = measures(shapes, srid)
    return (area > OVERLAP_AREA) & (width > OVERLAP_WIDTH)


def _without_gaps(whole: shapely.Geometry, srid: int) -> tuple[shapely.MultiPolygon, list[float]]:
    parts, gaps = [], []
    for part in shapely.get_parts(whole):
        if part.geom_type != "Polygon":
            continue
        kept = []
        for ring in part.interiors:
            area, width = measures(shapely.Polygon(ring), srid)
            if width <= OVERLAP_WIDTH:
                gaps.append(float(area))
            else:
                kept.append(ring)
        parts.append(shapely.Polygon(part.exterior, kept) if len(kept) < len(part.interiors) else part)
    return shapely.MultiPolygon(parts), gaps


# --- overlaying --------------------------------------------------------------------------------------------------


def boxes(shape: shapely.MultiPolygon) -> shapely.MultiPolygon:
    """A few boxes that hold the shape, for an index to look in: one a part, or the cells that a thin part meets.

    They may overlap, so the result is a list of boxes rather than a shape.
    """
    found = []
    for part in shapely.get_parts(shape):
        west, south, east, north = part.bounds
        if part.area >= FILLED * (east - west) * (north - south):
            found.append(shapely.box(west, south, east, north))
            continue
        x, y = np.linspace(west, east, CELLS + 1), np.linspace(south, north, CELLS + 1)
        cells = shapely.box(*(side.ravel() for side in (*np.meshgrid(x[:-1], y[:-1]), *np.meshgrid(x[1:], y[1:]))))
        shapely.prepare(part)
        found += list(cells[shapely.intersects(part, cells)])
    return shapely.MultiPolygon(found)


def valid(shapes: Sequence[shapely.Geometry]) -> tuple[np.ndarray, np.ndarray]:
    """(shapes, mended): those that are not valid made so for measuring, and which: layers of others hold such."""
    shapes = np.asarray(shapes, dtype=object)
    mended = ~shapely.is_valid(shapes)
    if mended.any():
        shapes = shapes.copy()
        shapes[mended] = shapely.make_valid(shapes[mended])
    return shapes, mended


def areal(shapes: np.ndarray) -> np.ndarray:
    """Of each shape its polygons alone: what an intersection leaves besides are lines and points of the edge."""
    mixed = np.flatnonzero(~np.isin(shapely.get_type_id(shapes), (3, 6)))
    for number in mixed:
        parts = shapely.get_parts(shapes[number])
        shapes[number] = shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
    return shapes


def inside(shapes: Sequence[shapely.Geometry], by: shapely.Geometry) -> tuple[np.ndarray, np.ndarray]:
    """(pieces, whole): of each shape the part inside `by`, perhaps empty, and whether that is all of it."""
    shapes = np.asarray(shapes, dtype=object)
    shapely.prepare(by)
    meets = shapely.intersects(by, shapes)
    whole = meets.copy()
    whole[meets] = shapely.covers(by, shapes[meets])
    pieces = np.full(len(shapes), shapely.MultiPolygon(), dtype=object)
    pieces[whole] = shapes[whole]
    cut = meets & ~whole
    pieces[cut] = areal(shapely.intersection(shapes[cut], by))
    return pieces, whole


# --- snapping ----------------------------------------------------------------------------------------------------


class Snap(NamedTuple):
    """One vertex that was moved: its place in the shape, from where to where (degrees), how far (m) and onto what."""

    index: int  # over all rings in order, without each ring's closing vertex
    path: tuple[int, int, int]
    start: Position
    end: Position
    distance: float
    source: int  # the number of the shape it was moved onto
    kind: str  # vertex, edge


class Near(NamedTuple):
    """What a point is near to: the place, how far (m on the ellipsoid), the number of the shape, corner or edge."""

    at: Position
    metres: float
    source: int
    kind: str  # vertex, edge


def nearest(points: Sequence[Position], shapes: Sequence[shapely.Geometry], srid: int, reach: float):
    """For each point the vertex of `shapes` within `reach` metres that is nearest, else the place on an edge; or None.

    Metres are those of the ellipsoid. Of what is equally near, to the micrometre, the first of the shapes counts,
    and of one shape what comes first in it: so that which shapes lie farther off makes no difference.
    """
    found: list[Near | None] = [None] * len(points)
    if not len(points) or not len(shapes):
        return found
    drawn = np.asarray(points, dtype=float)
    at = flat(drawn, srid)
    places = shapely.points(at)
    rings, shape_of_ring = _all_rings(shapes)
    corners, ring_of_corner = shapely.get_coordinates(rings, return_index=True)
    corners_at = flat(corners, srid)
    wide = reach * (1 + ZONE_SCALE)
    point, corner = shapely.STRtree(shapely.points(corners_at)).query(places, predicate="dwithin", distance=wide)
    for one, other, metres in _first(point, corner, drawn[point], corners[corner], reach):
        found[one] = Near(tuple(corners[other].tolist()), metres, int(shape_of_ring[ring_of_corner[other]]), "vertex")
    follows = np.flatnonzero(ring_of_corner[:-1] == ring_of_corner[1:])
    edges = shapely.linestrings(np.stack([corners_at[follows], corners_at[follows + 1]], axis=1))
    free = np.array([number for number, one in enumerate(found) if one is None], dtype=int)
    if not len(free):
        return found
    point, edge = shapely.STRtree(edges).query(places[free], predicate="dwithin", distance=wide)
    point = free[point]
    lines = edges[edge]
    feet = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, places[point]))
    )
    feet = np.column_stack(degrees_of(srid).transform(feet[:, 0], feet[:, 1])) if len(feet) else np.empty((0, 2))
    order = {pair: number for number, pair in enumerate(zip(point.tolist(), edge.tolist(), strict=True))}
    for one, other, metres in _first(point, edge, drawn[point], feet, reach):
        source = int(shape_of_ring[ring_of_corner[follows[other]]])
        found[one] = Near(tuple(feet[order[one, other]].tolist()), metres, source, "edge")
    return found


def _first(point, other, start, end, reach: float) -> list[tuple[int, int, float]]:
    """(point, other, metres) of the nearest within reach of each point; of equals the one with the lowest number."""
    if not len(point):
        return []
    metres = np.asarray(GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2])
    order = np.lexsort((other, np.round(metres, 6), point))
    order = order[metres[order] <= reach]
    _points, first = np.unique(point[order], return_index=True)
    return [(int(point[one]), int(other[one]), float(metres[one])) for one in order[first].tolist()]


def snapped(parts, shapes: Sequence[shapely.Geometry], srid: int, reach: float):
    """The rings with each vertex within `reach` metres of a vertex of `shapes`, else of an edge, moved onto it.

    Returns (parts, snaps). A vertex gets the very numbers of the stored one.
    """
    places = []  # (part, ring, vertex) without closing vertices
    for p, rings in enumerate(parts):
        for r, ring in enumerate(rings):
            last = len(ring) - 1 if len(ring) > 1 and ring[0] == ring[-1] else len(ring)
            places += [(p, r, v) for v in range(last)]
    moved = [[list(ring) for ring in rings] for rings in parts]
    snaps = []
    onto = nearest([parts[p][r][v] for p, r, v in places], shapes, srid, reach)
    for number, ((p, r, v), near) in enumerate(zip(places, onto, strict=True)):
        start = parts[p][r][v]
        if not moves(start, near):
            continue
        ring = moved[p][r]
        closing = len(ring) > 1 and parts[p][r][0] == parts[p][r][-1]
        ring[v] = near.at
        if v == 0 and closing:
            ring[-1] = near.at
        snaps.append(Snap(number, (p, r, v), start, near.at, near.metres, near.source, near.kind))
    return (moved, snaps) if snaps else (parts, [])


def moves(start: Position, near: Near | None) -> bool:
    """Whether snapping moves the point; one that lies on an edge already, as near as degrees can say, stays."""
    return near is not None and near.at != tuple(start) and (near.kind != "edge" or near.metres >= ON_EDGE)


def _all_rings(shapes) -> tuple[np.ndarray, np.ndarray]:
    parts, shape_of_part = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    return rings, shape_of_part[part_of_ring]
