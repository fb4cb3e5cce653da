"""Cut, unite and divide polygons anew, so that a vertex that was not moved keeps its very numbers.

Lines are crossed in the plane of the zone, and a new vertex is put onto the geodesic of the stored edge that it
divides: so the ground on either side stays what it was, and whoever else has the edge can take the same vertex.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import shapely

from units.geometry import GEOD, Position, flat
from units.spatial import CLUSTER_TOLERANCE

LOST = 1e-9  # of the degrees that a rim encloses; more is no rounding
UNFELT = 0.001  # square metres that a vertex beside an edge's geodesic may move from the one side to the other
Edge = tuple[Position, Position]


class Uncut(ValueError):
    """What was asked for cannot be done with these shapes; `reason` is one of the names below, `at` where."""

    REASONS = (
        "line-too-short",
        "line-crosses-itself",
        "line-does-not-cross",
        "ring-outside",
        "ring-holds-all",
        "edge-not-common",
        "edge-held-twice",
        "edge-crosses",
        "edge-turns-over",
        "edge-leaves-nothing",
    )

    def __init__(self, reason: str, at: Position | None = None):
        super().__init__(reason)
        self.reason = reason
        self.at = at


def ground(shape: shapely.Geometry) -> float:
    """Square metres on the ellipsoid, as the database's own columns have them."""
    if shape.is_empty:
        return 0.0
    return abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))[0])


def split(shape: shapely.MultiPolygon, line: Sequence[Position], srid: int) -> list[shapely.MultiPolygon]:
    """The pieces into which the line cuts the shape, the largest first; parts that it leaves whole stay with that one.

    Ends of the line that lie inside count for nothing. Raises Uncut where it does not cut the shape in two.
    """
    line = _without_repeats(line)
    if len(line) < 2:
        raise Uncut("line-too-short")
    if not shapely.LineString(line).is_simple:
        raise Uncut("line-crosses-itself")
    whole, cut = _faces(shape, [line], srid)
    if not cut:
        raise Uncut("line-does-not-cross")
    cut.sort(key=lambda face: (-face.area, face.bounds))
    return [_together([cut[0], *whole]), *(_together([face]) for face in cut[1:])]


def cut_out(
    shape: shapely.MultiPolygon, ring: Sequence[Position], srid: int
) -> tuple[shapely.MultiPolygon, shapely.MultiPolygon]:
    """(what stays, what is cut out) of the shape by a closed ring. Raises Uncut where one of the two is nothing."""
    ring = _without_repeats(ring)
    if ring and ring[0] != ring[-1]:
        ring.append(ring[0])
    if len(ring) < 4:
        raise Uncut("line-too-short")
    if not shapely.LineString(ring).is_simple:
        raise Uncut("line-crosses-itself")
    by = shapely.Polygon(ring)
    whole, cut = _faces(shape, [ring], srid)
    stays, leaves = [], []
    for face in [*whole, *cut]:
        (leaves if by.contains(face.point_on_surface()) else stays).append(face)
    if not leaves:
        raise Uncut("ring-outside")
    if not stays:
        raise Uncut("ring-holds-all")
    return _together(stays), _together(leaves)


def moved(
    shapes: Sequence[shapely.MultiPolygon], edge: Sequence[Position], to: Sequence[Position], srid: int
) -> list[shapely.MultiPolygon]:
    """The shapes, in the same order, with the vertices `edge` of their common boundary moved `to` where they shall go.

    A vertex inside all of them goes there exactly; one on their outer rim slides along it. What all of them cover
    together stays the same. Raises Uncut where a vertex is on no common edge, or the boundary would cross another.
    """
    inner, rim = _boundaries(shapes)
    common = {end for pair in inner for end in pair}
    outer = {end for pair in rim for end in pair}
    goes = dict(zip(_as_stored(edge, common, srid), to, strict=True))
    slides = [start for start in goes if start in outer]
    nodes = _on_edges([goes[start] for start in slides], list(rim), srid)
    goes |= {start: position for start, (_edge, position) in zip(slides, nodes, strict=True)}
    rim = _with_nodes(rim, nodes)
    lines = {}
    for (start, end), number in inner.items():
        start, end = goes.get(start, start), goes.get(end, end)
        if start != end:
            lines[start, end] = number
    fresh = [pair for pair in lines if pair[0] < pair[1] and (pair not in inner)]
    rim, paths = _noded(rim, [list(pair) for pair in fresh], srid)
    for pair, path in zip(fresh, paths, strict=True):
        there, back = lines.pop(pair), lines.pop((pair[1], pair[0]))
        for one, other in zip(path[:-1], path[1:], strict=True):
            lines[one, other], lines[other, one] = there, back
    lines = {pair: number for pair, number in lines.items() if pair not in rim and (pair[1], pair[0]) not in rim}
    _refuse_crossings(lines, [one for path in paths for one in zip(path[:-1], path[1:], strict=True)], rim)
    found = defaultdict(list)
    for face in _polygons([*lines, *rim]):
        number = _whose(face, lines, rim)
        if number is not None:
            found[number].append(face)
    if len(found) < len(shapes):
        raise Uncut("edge-leaves-nothing")
    before, after = _enclosed(rim), sum(face.area for faces in found.values() for face in faces)
    if abs(before - after) > LOST * before:
        raise Uncut("edge-crosses")
    return [_as_before(_together(found[number]), shape) for number, shape in enumerate(shapes)]


def noded_alike(shapes: Sequence[shapely.MultiPolygon], srid: int) -> list[shapely.MultiPolygon]:
    """The shapes with the vertices of each other in the edges that they share; earlier ones keep theirs."""
    found = list(shapes)
    for number in range(1, len(found)):
        points = shapely.get_coordinates(np.array(found[:number], dtype=object))
        found[number] = with_vertices(found[number], points, srid, replace=True)
    for number in range(len(found) - 1):
        points = shapely.get_coordinates(np.array(found[number + 1 :], dtype=object))
        found[number] = with_vertices(found[number], points, srid)
    return found


# --- neighbours --------------------------------------------------------------------------------------------------


def with_vertices(
    shape: shapely.MultiPolygon, points: np.ndarray, srid: int, *, replace: bool = False
) -> shapely.MultiPolygon:
    """The shape with those of the points (n, 2) put into its edges that lie on them within CLUSTER_TOLERANCE.

    With `replace` its own vertices that are as near to a point become that point. It is the same object where
    nothing changed, and where the change would make it invalid.
    """
    points = np.unique(points, axis=0)
    rings, polygon_of_ring = shapely.get_rings(shapely.get_parts(shape), return_index=True)
    coordinates, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    at, place = flat(coordinates, srid), flat(points, srid)
    follows = np.flatnonzero(ring_of_point[:-1] == ring_of_point[1:])
    if not len(points) or not len(follows):
        return shape
    own = dict.fromkeys(map(tuple, coordinates.tolist()))
    theirs = set(map(tuple, points.tolist()))
    near_vertex, vertex = shapely.STRtree(shapely.points(at)).query(
        shapely.points(place), predicate="dwithin", distance=CLUSTER_TOLERANCE
    )
    becomes: dict[Position, Position] = {}
    for one, other in zip(near_vertex.tolist(), vertex.tolist(), strict=True):
        new, old = tuple(points[one].tolist()), tuple(coordinates[other].tolist())
        if old not in theirs and new not in own and old not in becomes:
            becomes[old] = new
    taken = set(near_vertex.tolist())
    lines = shapely.linestrings(np.stack([at[follows], at[follows + 1]], axis=1))
    near, on = shapely.STRtree(lines).query(shapely.points(place), predicate="dwithin", distance=CLUSTER_TOLERANCE)
    into = defaultdict(list)
    for one, which in zip(near.tolist(), on.tolist(), strict=True):
        if one not in taken:
            along = shapely.line_locate_point(lines[which], shapely.Point(place[one]))
            into[int(follows[which])].append((along, tuple(points[one].tolist())))
    if not into and not (replace and becomes):
        return shape
    made = defaultdict(list)
    for number in range(len(rings)):
        walked: list[Position] = []
        for where in np.flatnonzero(ring_of_point == number).tolist():
            position = tuple(coordinates[where].tolist())
            walked.append(becomes.get(position, position) if replace else position)
            walked += [position for _along, position in sorted(into.get(where, ()))]
        made[int(polygon_of_ring[number])].append(_without_repeats(walked))
    if any(len(ring) < 4 for rings in made.values() for ring in rings):
        return shape
    changed = shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in made.values()])
    return changed if shapely.is_valid(changed) else shape


# --- the parts of it ---------------------------------------------------------------------------------------------


def _without_repeats(positions: Iterable[Position]) -> list[Position]:
    found: list[Position] = []
    for one in positions:
        if not found or found[-1] != tuple(one):
            found.append(tuple(one))
    return found


def _faces(shape: shapely.MultiPolygon, paths: list[list[Position]], srid: int) -> tuple[list, list]:
    """(parts that the paths leave whole, faces of those that they cut)."""
    parts = list(shape.geoms)
    rim = {}
    for number, part in enumerate(shapely.orient_polygons(np.array(parts, dtype=object))):
        rim |= dict.fromkeys(_edges_of(part), number)
    rim, paths = _noded(rim, paths, srid)
    lines = {pair for path in paths for pair in zip(path[:-1], path[1:], strict=True)}
    lines = {pair for pair in lines if pair not in rim and (pair[1], pair[0]) not in rim}
    faces = _polygons([*lines, *rim])
    tree = shapely.STRtree(parts)
    inner, owner = tree.query(shapely.point_on_surface(faces), predicate="within")
    of_part = defaultdict(list)
    for face, part in zip(inner.tolist(), owner.tolist(), strict=True):
        of_part[part].append(faces[face])
    whole = [parts[number] for number, own in of_part.items() if len(own) == 1]
    cut = [face for own in of_part.values() if len(own) > 1 for face in own]
    return whole, cut


def _edges_of(polygon: shapely.Polygon) -> list[Edge]:
    """Directed edges with the polygon on their left, when it is oriented."""
    found = []
    for ring in (polygon.exterior, *polygon.interiors):
        points = list(map(tuple, shapely.get_coordinates(ring).tolist()))
        found += zip(points[:-1], points[1:], strict=True)
    return found


def _boundaries(shapes: Sequence[shapely.MultiPolygon]) -> tuple[dict[Edge, int], dict[Edge, int]]:
    """(inner, rim): directed edges with the number of the shape on their left; inner ones are there both ways."""
    whose: dict[Edge, int] = {}
    for number, shape in enumerate(shapes):
        for part in shapely.orient_polygons(shape).geoms:
            for pair in _edges_of(part):
                if pair in whose:
                    raise Uncut("edge-held-twice", pair[0])
                whose[pair] = number
    inner = {pair: number for pair, number in whose.items() if (pair[1], pair[0]) in whose}
    return inner, {pair: number for pair, number in whose.items() if pair not in inner}


def _as_stored(positions: Sequence[Position], vertices: set[Position], srid: int) -> list[Position]:
    """Of each position the vertex that it is, within CLUSTER_TOLERANCE: who writes numbers may round them."""
    names = sorted(vertices)
    at = flat(np.array(names).reshape(-1, 2), srid)
    found = []
    for one in positions:
        apart = np.hypot(*(at - flat(np.array([one]), srid)).T)
        if one not in vertices and (not len(apart) or apart.min() > CLUSTER_TOLERANCE):
            raise Uncut("edge-not-common", one)
        found.append(one if one in vertices else names[int(apart.argmin())])
    return found


def _on_edges(points: list[Position], edges: list[Edge], srid: int) -> list[tuple[Edge, Position]]:
    """For each point the edge that is nearest and the place on it; within CLUSTER_TOLERANCE of its end, that end."""
    if not points:
        return []
    if not edges:
        raise Uncut("edge-not-common", points[0])
    at = flat(np.array(edges).reshape(-1, 2), srid).reshape(-1, 2, 2)
    place = flat(np.array(points), srid)
    lines = shapely.linestrings(at)
    nearest = shapely.STRtree(lines).query_nearest(shapely.points(place), all_matches=False)[1]
    return [
        (edges[which], _node(edges[which], at[which], point))
        for point, which in zip(place, nearest.tolist(), strict=True)
    ]


def _node(edge: Edge, at: np.ndarray, place: np.ndarray) -> Position:
    """The vertex of `edge` (in the plane: `at`) at the foot of `place`: an end of it, or a new one on its geodesic."""
    way = at[1] - at[0]
    length = float(np.hypot(*way))
    along = float(np.dot(place - at[0], way)) / length
    if along <= CLUSTER_TOLERANCE:
        return edge[0]
    if along >= length - CLUSTER_TOLERANCE:
        return edge[1]
    start, end = sorted(edge)  # the same numbers, whichever way the edge is gone
    share = along / length if start == edge[0] else 1 - along / length
    azimuth, _back, metres = GEOD.inv(*start, *end)
    longitude, latitude, _back = GEOD.fwd(*start, azimuth, metres * share)
    return float(longitude), float(latitude)


def _with_nodes(edges: dict[Edge, int], nodes: Iterable[tuple[Edge, Position]]) -> dict[Edge, int]:
    """The edges with the nodes in those that hold them, each part still with its number."""
    into = defaultdict(set)
    for edge, position in nodes:
        if position not in edge:
            into[edge].add(position)
    found = {}
    for edge, number in edges.items():
        walked = _in_order(edge, into.get(edge, ()))
        found |= dict.fromkeys(zip(walked[:-1], walked[1:], strict=True), number)
    return found


def _in_order(edge: Edge, between: Iterable[Position]) -> list[Position]:
    """The ends of an edge with what lies between them, in the order in which it is gone."""
    way = np.subtract(edge[1], edge[0])
    return [edge[0], *sorted(between, key=lambda one: float(np.dot(np.subtract(one, edge[0]), way))), edge[1]]


def _noded(
    rim: dict[Edge, int], paths: list[list[Position]], srid: int
) -> tuple[dict[Edge, int], list[list[Position]]]:
    """The rim and the paths with a common vertex wherever they meet, within CLUSTER_TOLERANCE.

    Vertices of the rim stay; those of a path go onto a vertex of the rim, else onto its edge, that is so near.
    """
    if not paths or not rim:
        return rim, paths
    rim, paths = _paths_onto_rim(rim, paths, srid)
    return _rim_and_paths_crossed(rim, _rim_into_paths(rim, paths, srid), srid)


def _paths_onto_rim(rim, paths, srid):
    edges = list(rim)
    at = flat(np.array(edges).reshape(-1, 2), srid).reshape(-1, 2, 2)
    names = list(dict.fromkeys(position for path in paths for position in path))
    place = flat(np.array(names), srid)
    corners = shapely.STRtree(shapely.points(at[:, 0]))
    beside = shapely.STRtree(shapely.linestrings(at))
    onto: dict[Position, Position] = {}
    for one, other in corners.query_nearest(
        shapely.points(place), max_distance=CLUSTER_TOLERANCE, all_matches=False
    ).T.tolist():
        onto[names[one]] = edges[other][0]
    nodes = []
    for one, other in beside.query_nearest(
        shapely.points(place), max_distance=CLUSTER_TOLERANCE, all_matches=False
    ).T.tolist():
        if names[one] not in onto:
            position = _node(edges[other], at[other], place[one])
            if math.dist(*at[other]) * _metres(names[one], position) / 2 <= UNFELT:
                position = names[one]  # snapped before: it keeps its numbers
            position = next((node for edge, node in nodes if edge == edges[other] and _near(node, position)), position)
            onto[names[one]] = position
            nodes.append((edges[other], position))
    paths = [_without_repeats(onto.get(position, position) for position in path) for path in paths]
    return _with_nodes(rim, nodes), paths


def _metres(one: Position, other: Position) -> float:
    return GEOD.inv(*one, *other)[2]


def _near(one: Position, other: Position) -> bool:
    return _metres(one, other) <= CLUSTER_TOLERANCE


def _rim_into_paths(rim, paths, srid):
    """The paths with the vertices of the rim that lie on their edges."""
    names = list(dict.fromkeys(start for start, _end in rim))
    tree = shapely.STRtree(shapely.points(flat(np.array(names), srid)))
    found = []
    for path in paths:
        if len(path) < 2:
            found.append(path)
            continue
        at = flat(np.array(path), srid)
        lines = shapely.linestrings(np.stack([at[:-1], at[1:]], axis=1))
        into = defaultdict(list)
        for which, one in tree.query(lines, predicate="dwithin", distance=CLUSTER_TOLERANCE).T.tolist():
            if names[one] not in path[which : which + 2]:
                into[which].append(names[one])
        walked = []
        for which in range(len(path) - 1):
            walked += _in_order((path[which], path[which + 1]), into[which])[:-1]
        found.append(_without_repeats([*walked, path[-1]]))
    return found


def _rim_and_paths_crossed(rim, paths, srid):
    """Both with a new vertex where an edge of the one crosses an edge of the other between their ends."""
    edges = list(rim)
    at = flat(np.array(edges).reshape(-1, 2), srid).reshape(-1, 2, 2)
    tree = shapely.STRtree(shapely.linestrings(at))
    nodes, found = [], []
    for path in paths:
        if len(path) < 2:
            found.append(path)
            continue
        place = flat(np.array(path), srid)
        lines = shapely.linestrings(np.stack([place[:-1], place[1:]], axis=1))
        into = defaultdict(list)
        for which, one in tree.query(lines, predicate="crosses").T.tolist():
            if set(edges[one]) & {path[which], path[which + 1]}:
                continue
            where = shapely.get_coordinates(shapely.intersection(lines[which], tree.geometries[one]))
            if len(where) != 1:
                continue
            position = _node(edges[one], at[one], where[0])
            nodes.append((edges[one], position))
            if position not in (path[which], path[which + 1]):
                into[which].append(position)
        walked = []
        for which in range(len(path) - 1):
            walked += _in_order((path[which], path[which + 1]), dict.fromkeys(into[which]))[:-1]
        found.append(_without_repeats([*walked, path[-1]]))
    # An edge that two shapes of the rim share would be there both ways; the rim has each once.
    return _with_nodes(rim, nodes), found


def _polygons(edges: Iterable[Edge]) -> list[shapely.Polygon]:
    """The polygons that the edges enclose, outer rings against the clock, with the very numbers of the edges."""
    once = {(min(pair), max(pair)) for pair in edges}
    lines = shapely.linestrings(np.array(sorted(once)))
    return list(shapely.orient_polygons(np.array(shapely.polygonize(lines).geoms, dtype=object)))


def _refuse_crossings(lines: Iterable[Edge], fresh: list[Edge], rim: Iterable[Edge]) -> None:
    """Raise Uncut where an edge that was moved meets another elsewhere than in a common vertex."""
    if not fresh:
        return
    once = sorted({(min(pair), max(pair)) for pair in (*lines, *rim)})
    tree = shapely.STRtree(shapely.linestrings(np.array(once)))
    moved_lines = shapely.linestrings(np.array(fresh))
    for which, one in tree.query(moved_lines, predicate="intersects").T.tolist():
        if set(once[one]) & set(fresh[which]):
            continue
        where = shapely.get_coordinates(shapely.intersection(moved_lines[which], tree.geometries[one]))
        raise Uncut("edge-crosses", tuple(where[0].tolist()) if len(where) else fresh[which][0])


def _whose(face: shapely.Polygon, lines: dict[Edge, int], rim: dict[Edge, int]) -> int | None:
    """The number of the shape to which a face belongs by the edges around it; None for a hole in all of them."""
    edges = _edges_of(face)
    told = {lines[pair] for pair in edges if pair in lines}
    if len(told) > 1:
        raise Uncut("edge-turns-over", edges[0][0])
    told = told or {rim[pair] for pair in edges if pair in rim}
    if len(told) > 1:  # nothing lies any more between the rims of two
        raise Uncut("edge-leaves-nothing", edges[0][0])
    return told.pop() if told else None


def _enclosed(rim: Iterable[Edge]) -> float:
    """Square degrees within directed edges that have the inside on their left."""
    edges = np.array(list(rim))
    (x1, y1), (x2, y2) = (edges - edges[0, 0]).transpose(1, 2, 0)
    return float((x1 * y2 - x2 * y1).sum() / 2)


def _together(polygons: Sequence[shapely.Polygon]) -> shapely.MultiPolygon:
    return shapely.orient_polygons(shapely.MultiPolygon(list(polygons)))


def _as_before(shape: shapely.MultiPolygon, before: shapely.MultiPolygon) -> shapely.MultiPolygon:
    """The stored shape itself where it is the same in another order."""
    return before if shapely.equals_exact(shape, before, normalize=True) else shape
