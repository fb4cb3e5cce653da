"""Checks of shapes inside one layer: broken ones, overlaps, shapes in or on each other, and holes in a cover."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from django.utils.translation import gettext_noop as _

from units.checks.looking import METRES_PER_DEGREE, Fault, Layer, Sight, areal, counting, in_threads, measured
from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH

NOISE = 1e-4  # square metres; what two neighbours share by rounding alone
WHOLE = 0.01  # a shape lies in another if less than this share of it is outside; for shapes of any size
SHARED_EDGE = 0.05  # metres of its edge that a hole must share with a patch for the patch to be named
SNAP = 0.01  # metres within which two edges are the same
REASONS = {
    "Self-intersection": _("it crosses itself"),
    "Ring Self-intersection": _("a ring touches itself"),
    "Hole lies outside shell": _("a hole lies outside"),
    "Holes are nested": _("holes lie in each other"),
    "Nested shells": _("parts lie in each other"),
    "Duplicate Rings": _("a ring is there twice"),
    "Too few points in geometry component": _("a ring has too few points"),
    "Interior is disconnected": _("its holes cut it apart"),
    "Invalid Coordinate": _("a coordinate is no number"),
    "no area": _("it has no area"),
}


def number(value: float) -> str:
    return f"{value:.2f}"


def invalid(sight: Sight, name: str) -> Iterator[Fault]:
    """Shapes that are not valid (OGC 06-103r4), with the place where it shows; and shapes without an area."""
    layer = sight.layer(name)
    for row in np.flatnonzero(~layer.valid | ~(shapely.area(layer.shapes) > 0)):
        said, place = "no area", None
        if not layer.valid[row]:
            said, place = reason(layer.shapes[row])
        elif not shapely.is_empty(layer.shapes[row]):
            place = shapely.Point(shapely.get_coordinates(layer.shapes[row])[0])
        known = said in REASONS
        yield Fault(
            (layer.codes[row],),
            {"reason": REASONS.get(said, said)},
            place,
            layer.street(row),
            words=("reason",) if known else (),
        )


def reason(shape) -> tuple[str, object]:
    """What GEOS says is wrong with a shape, and where."""
    said = shapely.is_valid_reason(shape)
    found = re.fullmatch(r"(.*?)\[(\S+) (\S+)\]", said)
    if not found:
        return said, None
    point = np.array([float(found[2]), float(found[3])])
    return found[1].strip(), shapely.Point(point) if np.isfinite(point).all() else None


@dataclass
class Pairs:
    """Shapes of a layer of which two share more than noise: rows, and the shared piece in metres."""

    one: np.ndarray
    other: np.ndarray
    codes: np.ndarray
    pieces: np.ndarray


def pairs(sight: Sight, name: str) -> Pairs:
    """The pairs of a layer that overlap, lie in each other or are the same, each once; made once a run."""
    if name not in sight.found:
        sight.found[name] = _pairs(sight, sight.layer(name))
    return sight.found[name]


def _pairs(sight: Sight, layer: Layer) -> Pairs:
    one, other = neighbours(layer)
    nothing = np.empty(0, object)
    if not len(one):
        return Pairs(one, other, nothing, nothing)
    rows, where = np.unique(np.concatenate([one, other]), return_inverse=True)
    metres = in_threads(sight.plane.metres, layer.sound[rows])
    areas = shapely.area(metres)
    a, b = where[: len(one)], where[len(one) :]
    shapely.bounds(metres)  # GEOS keeps the box of a shape when it is first asked: not by two threads at once
    shared = in_threads(shapely.intersection, metres[a], metres[b])
    sizes = shapely.area(shared)
    keep = np.flatnonzero((sizes > NOISE) | (sizes > 0.99 * np.minimum(areas[a], areas[b])))
    found = []
    for at in keep:
        told = judged(metres[a[at]], metres[b[at]], shared[at])
        if told:
            found.append((at, *told))
    at = np.array([one[0] for one in found], int)
    return Pairs(
        one[at],
        other[at],
        np.array([row[1] for row in found], object),
        np.array([row[2] for row in found], object),
    )


def neighbours(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of rows that may share more than noise: one is loose, and their boxes share enough."""
    loose = np.flatnonzero(layer.loose)
    if not len(loose):
        return loose, loose
    one, other = layer.tree.query(layer.sound[loose])
    one = loose[one]
    one, other = np.minimum(one, other), np.maximum(one, other)
    kept = (one != other) & (layer.kinds[one] == layer.kinds[other])
    one, other = np.unique(np.stack([one[kept], other[kept]]), axis=1)
    boxes = shapely.bounds(layer.sound)
    shared = np.minimum(boxes[one, 2:], boxes[other, 2:]) - np.maximum(boxes[one, :2], boxes[other, :2])
    size = shared.prod(axis=1)
    least = np.minimum(*((boxes[row, 2:] - boxes[row, :2]).prod(axis=1) for row in (one, other)))
    kept = (size * METRES_PER_DEGREE**2 > OVERLAP_AREA) | (size > 0.5 * least)
    return one[kept], other[kept]


def judged(one, other, shared):
    """Which of overlap, containment or equality a pair in metres is, and the piece that counts; None for neither."""
    left = shapely.difference(one, shared), shapely.difference(other, shared)
    inside = tuple(nothing_left(rest, shapely.area(whole)) for rest, whole in zip(left, (one, other), strict=True))
    counts = counting(shared)
    if all(inside):
        return "4-equal", areal(shared)
    if any(inside):
        return "4-contained", areal(shared)
    return ("4-overlap", counts) if counts is not None else None


def nothing_left(rest, whole: float) -> bool:
    """Whether what remains of a shape of so many m² is noise: less than a hundredth, or all narrower than 5 cm."""
    left = shapely.area(rest)
    return left <= WHOLE * whole and (left <= OVERLAP_AREA or counting(rest) is None)


def overlaps(code: str):
    """The check of this code, of the three that pairs of one layer may be told under."""

    def told(sight: Sight, name: str) -> Iterator[Fault]:
        layer, found = sight.layer(name), pairs(sight, name)
        for at in np.flatnonzero(found.codes == code):
            rows = [found.one[at], found.other[at]]
            # Of one in another, the smaller is named first.
            if code == "4-contained" and shapely.area(layer.sound[rows[0]]) > shapely.area(layer.sound[rows[1]]):
                rows.reverse()
            shape = sight.plane.degrees(found.pieces[at])[0]
            area = measured(shape)
            parts = {"one": layer.codes[rows[0]], "other": layer.codes[rows[1]], "area": number(area)}
            yield Fault(tuple(sorted(layer.codes[rows])), parts, shape, layer.street(*rows), round(area, 2), "m2")

    return told


@dataclass
class Cover:
    """The union of all patches, in metres, and its outline with every hole and every slit filled."""

    union: object
    filled: object


def cover(sight: Sight) -> Cover | None:
    """What the patches of the survey cover together; None where there are none. Made once a run."""
    if "cover" not in sight.found:
        sight.found["cover"] = _cover(sight, sight.layer("patches")) if len(sight.layer("patches")) else None
    return sight.found["cover"]


def _cover(sight: Sight, layer: Layer) -> Cover:
    # Shapes whose every edge is a neighbour's or nobody's unite without a computation; only the loose ones need one.
    loose = layer.loose
    parts = [sight.plane.metres(shapely.coverage_union_all(layer.sound[~loose]))] if not loose.all() else []
    if loose.any():
        parts.append(in_threads(sight.plane.metres, layer.sound[loose]))
    union = shapely.union_all(np.concatenate(parts)) if len(parts) > 1 or loose.any() else parts[0][0]
    # Closed by the width under which an opening is noise, so that a slit does not open a hole to the outside.
    closed = shapely.buffer(
        shapely.buffer(union, OVERLAP_WIDTH / 2, join_style="mitre"), -OVERLAP_WIDTH / 2, join_style="mitre"
    )
    rings = shapely.get_exterior_ring(shapely.get_parts(closed))
    return Cover(union, shapely.union_all(shapely.polygons(rings)))


def bare(sight: Sight) -> list[tuple[object, bool]]:
    """The places that no patch covers and that are wider than 5 cm, in metres; and whether patches enclose each."""
    if "bare" not in sight.found:
        sight.found["bare"] = _bare(sight)
    return sight.found["bare"]


def _bare(sight: Sight) -> list[tuple[object, bool]]:
    found = cover(sight)
    if found is None:
        return []
    region = found.filled if sight.boundary is None else sight.boundary_metres
    rest = shapely.get_parts(shapely.difference(region, found.union))
    rest = rest[shapely.area(rest) > OVERLAP_AREA]
    if not len(rest):
        return []
    # What is narrower than 5 cm falls away, and places that only such a slit joins come apart.
    half = OVERLAP_WIDTH / 2
    opened = shapely.buffer(shapely.buffer(rest, -half, join_style="mitre"), half, join_style="mitre")
    pieces = shapely.get_parts(shapely.intersection(rest, opened))
    pieces = pieces[shapely.get_dimensions(pieces) == 2]
    pieces = [piece for piece in shapely.get_parts(pieces) if counting(piece) is not None]
    shapely.prepare(found.filled)
    return [(piece, bool(shapely.covers(found.filled, shapely.point_on_surface(piece)))) for piece in pieces]


def holes(enclosed: bool):
    """The check of places without a patch that patches enclose, or of those at the edge of the district."""

    def told(sight: Sight, name: str) -> Iterator[Fault]:
        layer = sight.layer(name)
        for piece, inside in bare(sight):
            if inside is not enclosed:
                continue
            shape = sight.plane.degrees(piece)[0]
            around = bordering(sight, layer, piece, shape)
            area = measured(shape)
            yield Fault(
                tuple(layer.codes[around]) or (sight.district.code,),
                {"area": number(area), "count": str(len(around))},
                shapely.multipolygons([shape]),
                layer.street(*around),
                round(area, 2),
                "m2",
            )

    return told


def bordering(sight: Sight, layer: Layer, piece, shape) -> np.ndarray:
    """The rows of the patches that share at least 5 cm of the edge of a piece, given in metres and in degrees."""
    west, south, east, north = shapely.bounds(shape)
    aside = 1 / METRES_PER_DEGREE
    near = np.sort(layer.tree.query(shapely.box(west - aside, south - aside, east + aside, north + aside)))
    wide = shapely.buffer(sight.plane.metres(layer.sound[near]), SNAP)
    shared = shapely.length(shapely.intersection(shapely.boundary(piece), wide))
    return near[shared >= SHARED_EDGE]
