"""Look for what is wrong with good shapes: parts, doubled and crowded vertices, spikes, slivers, crumbs.

All rows of a batch at once, on the arrays of their points; a shape that is refused is not looked at. A fault is told
once a row, with how often it is there and where it is worst.
"""

import numpy as np
import shapely

from importers.checking import Batch
from importers.problems import WARN, limits
from importers.reading_shp import Rings, polygons
from importers.shaping import Shaped
from units.spatial import METRES_OF_A_DEGREE

# A shape of which 4πA/P² is at most 0.25 has P/(2√(πA)) of at least 2 and P²/A of at least 40 as well.
EVERY_INDEX_BUT_ONE = 4 * np.pi / limits("T14")["compactness"]


def check_geometry(batch: Batch, rings: Rings, shape: Shaped, degrees: bool):
    """Tell what is wrong with the good shapes of a batch, with its place in the layer's own system."""
    if not shape.good.any() or len(rings.points) < 2:
        return
    _check_parts(batch, rings, shape)
    x, y = _metres(rings, degrees)
    dx, dy = np.diff(x), np.diff(y)
    between = rings.starts[1:-1] - 1  # from one ring to the next there is no edge
    dx[between] = dy[between] = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # refused rows may hold any number
        square = dx * dx
        square += dy * dy
        edge = np.zeros(len(x))
        np.sqrt(square, out=edge[:-1])
        _check_vertices(batch, rings, shape, edge, between)
        _check_angles(batch, rings, shape, dx, dy, square)
        first = rings.starts[rings.firsts]
        drawn = np.flatnonzero(np.diff(first))
        around = np.full(batch.n, np.nan)
        around[drawn] = np.add.reduceat(edge, first[drawn])
        small = _check_size(batch, rings, shape)
        _check_slivers(batch, rings, shape, around, (x, y), small)


def _metres(rings: Rings, degrees: bool) -> tuple[np.ndarray, np.ndarray]:
    """The points in metres; those in degrees near enough for lengths of some metres and for angles."""
    x, y = np.ascontiguousarray(rings.points[:, 0]), np.ascontiguousarray(rings.points[:, 1])
    if degrees:
        middle = np.nanmedian(np.where(np.isfinite(y), y, np.nan))
        x, y = x * (METRES_OF_A_DEGREE * np.cos(np.radians(middle))), y * METRES_OF_A_DEGREE
    return x, y


def _check_parts(batch: Batch, rings: Rings, shape: Shaped):
    profile = batch.match.profile
    if not (profile.single_part or profile.no_holes):
        return
    count = np.diff(rings.firsts)
    parts = np.ones(batch.n, np.int64)
    for row in np.flatnonzero(shape.good & (count > 1)):
        parts[row] = int.from_bytes(shape.head[int(row)].as_py()[13:17], "little")  # of the EWKB behind its length
    if profile.single_part:
        batch.tell(shape.good & (parts > 1), "4-several-parts", WARN, values=parts, place=rings.place)
    if profile.no_holes:
        holes = count - parts
        batch.tell(shape.good & (holes > 0), "4-hole", WARN, values=holes, place=rings.place)


def _check_vertices(batch: Batch, rings: Rings, shape: Shaped, edge: np.ndarray, between: np.ndarray):
    """Consecutive vertices that are one, or all but one."""
    same, near = limits("T16")["same_m"], limits("T16")["near_m"]
    at = np.flatnonzero(edge[:-1] < near)
    if len(between):
        at = at[~np.isin(at, between)]
    length = np.round(edge[at], 4)  # the resolution at which surveys keep coordinates
    doubled = length < same
    _tell_worst(batch, rings, shape, at[doubled], length[doubled], "4-doubled-vertex", "{:.4f}")
    crowded = ~doubled & (length < near)
    _tell_worst(batch, rings, shape, at[crowded], length[crowded], "4-crowded-vertex", "{:.3f}")


def _check_angles(batch: Batch, rings: Rings, shape: Shaped, dx, dy, square):
    """Vertices at which a ring turns back on itself more sharply than the limit."""
    limit = limits("T13")["degrees"]
    least = np.cos(np.radians(limit + 0.01)) ** 2
    turn = dx[:-1] * dx[1:]
    turn += dy[:-1] * dy[1:]
    at = np.flatnonzero(turn < 0)  # edges run on where an angle is wide, and back where it is below 90°
    at = at[turn[at] ** 2 > least * square[at] * square[at + 1]]
    before, after = at, at + 1
    # The vertex in which a ring begins lies between its last edge and its first.
    head, tail = rings.starts[:-1], rings.starts[1:] - 2
    whole = (tail > head) & (head < len(dx)) & (tail < len(dx))
    head, tail = head[whole], tail[whole]
    closing = dx[head] * dx[tail] + dy[head] * dy[tail]
    sharp = (closing < 0) & (closing**2 > least * square[head] * square[tail])
    before, after = np.concatenate((before, tail[sharp])), np.concatenate((after, head[sharp]))
    if not len(after):
        return
    cosine = -(dx[before] * dx[after] + dy[before] * dy[after]) / np.sqrt(square[before] * square[after])
    angle = np.round(np.degrees(np.arccos(np.minimum(cosine, 1.0))), 4)
    under = angle < limit
    _tell_worst(batch, rings, shape, after[under], angle[under], "4-sharp-angle", "{:.2f}")


def _tell_worst(
    batch: Batch, rings: Rings, shape: Shaped, points: np.ndarray, measure: np.ndarray, code: str, form: str
):
    """Tell each row of these points once: how many there are, the least measure, and the point that has it."""
    if not len(points):
        return
    row = np.searchsorted(rings.starts[rings.firsts], points, side="right") - 1
    good = shape.good[row]
    points, measure, row = points[good], measure[good], row[good]
    order = np.lexsort((measure, row))
    rows, first, count = np.unique(row[order], return_index=True, return_counts=True)
    if not len(rows):
        return
    worst = dict(zip(rows.tolist(), order[first].tolist(), strict=True))
    times = dict(zip(rows.tolist(), count.tolist(), strict=True))
    mask = np.zeros(batch.n, bool)
    mask[rows] = True
    values, more = np.full(batch.n, "", object), np.full(batch.n, "", object)
    for one, at in worst.items():
        values[one], more[one] = form.format(measure[at]), str(times[one])
    batch.tell(
        mask, code, WARN, "", values, more, place=lambda one: tuple(map(float, rings.points[points[worst[one]]]))
    )


def _check_size(batch: Batch, rings: Rings, shape: Shaped) -> np.ndarray:
    """Shapes too small to be more than a crumb, and those below the least area of their class."""
    least, area = limits("T07")["m2"], np.round(shape.area, 2)
    small = shape.good & (area < least)
    if small.any():
        _tell_area(batch, rings, small, "4-small-area", shape.area, f"{least:g}")
    for one in batch.match.profile.minima:
        under = shape.good & ~small & (area < one.least)
        if under.any() and batch.match.has(one.when.field):
            _tell_area(batch, rings, under & batch.where(one.when), "4-below-minimum", shape.area, f"{one.least:g}")
    return small


def _tell_area(batch: Batch, rings: Rings, mask: np.ndarray, code: str, area: np.ndarray, more: str):
    said = np.full(batch.n, "", object)
    for row in np.flatnonzero(mask):
        said[row] = f"{area[row]:.2f}"
    batch.tell(mask, code, WARN, "", said, more, place=rings.place)


def _check_slivers(batch: Batch, rings: Rings, shape: Shaped, around: np.ndarray, points, small: np.ndarray):
    """Long narrow leftovers: small or narrow ones of which two of four indices of shape say so (T14).

    Two of the four are one, and its limit is beyond that of the third: only between the two the box of the shape, which
    costs more, has to be asked.
    """
    limit = limits("T14")
    area = shape.area
    narrow = (area <= limit["m2"]) | (2 * area <= limit["width_m"] * around)
    long = shape.good & ~small & narrow & (around * around >= limit["perimeter2_per_area"] * area)
    if not long.any():
        return
    for side in batch.match.profile.narrow:
        if batch.match.has(side.field):
            long &= ~batch.where(side)
    certain = around * around >= EVERY_INDEX_BUT_ONE * area
    asked = np.flatnonzero(long & ~certain)
    if len(asked):
        metres = Rings(np.column_stack(points), rings.starts, rings.firsts, rings.faults)
        long[asked] = _sides(polygons(metres, asked)) >= limit["length_per_width"]
    said = np.full(batch.n, "", object)
    for row in np.flatnonzero(long):
        said[row] = f"{2 * area[row] / around[row]:.2f}"
    batch.tell(long, "4-sliver", WARN, "", said, place=rings.place)


def _sides(shapes: np.ndarray) -> np.ndarray:
    """How many times longer than wide the least rectangle around each shape is."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(len(shapes), 5, 2)
    one = np.hypot(*(corners[:, 1] - corners[:, 0]).T)
    other = np.hypot(*(corners[:, 2] - corners[:, 1]).T)
    return np.maximum(one, other) / np.minimum(one, other)
