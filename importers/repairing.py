"""Propose how a shape that cannot be stored could be stored, and measure what that would change of it.

Pure: no models, no database, no translation. The delivered rings are only read; every number is measured against them.
"""

import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from importers.arrays import binaries, flags
from importers.checking import Batch
from importers.problems import REFUSE, WARN
from importers.reading_shp import TOO_FEW, UNCLOSED, Rings, nested
from importers.shaping import GEOD, Projection, Shaped, as_delivered
from importers.straightening import CHORD, chords, in_metres
from units.spatial import AREA_CHANGE, CHINA, CLUSTER_TOLERANCE, STORAGE_SRID

# What a proposal does, in the order in which it does it.
LINEARISE, CLOSE, DROP_RINGS, DROP_SPIKES, MAKE_VALID = "linearise", "close", "drop-rings", "drop-spikes", "make-valid"
# Point-in-ring tests that measuring one shape may cost; a shape that needs more waits for a person unmeasured.
MOST_TESTS = 10_000_000
# Pairs of edges of one shape that may cross, as far as their boxes tell: where there are more, nothing is proposed.
MOST_PAIRS, SAMPLED = 5_000, 256
# Milliseconds of processor time that the repairs of a batch may cost, by its rows' vertices and not by a clock, so that
# the same file always gives the same; ours, as measured, and far below what a batch may take altogether.
BUDGET, BUDGET_A_VERTEX = 1_500.0, 0.006
PLAIN, PLAIN_A_VERTEX, COSTLY, COSTLY_A_VERTEX, A_PAIR = 0.35, 0.01, 0.8, 0.05, 0.02
COSTLY_A_CURVE_BYTE = 0.05  # some hundred chords stand for the three points of an arc
LAST_DIGITS = 1e-5  # square metres: what two ways to the area of a parcel may differ by
CHUNK = 4_000_000  # of them at once
REPAIRED = "4-repaired"


@dataclass(frozen=True)
class Proposal:
    """One way to store one row's shape; `before` is the shape as delivered in WKB, byte for byte.

    `after` is EWKB in EPSG:4490. Areas are square metres on the ellipsoid. `area_before` is None where the rings bound
    no certain area: then, and where `change` is above AREA_CHANGE, a person decides. `change` is the area on which any
    reading of the delivered rings differs from the result: never less than their symmetric difference. None: not
    measured. `displacement` and `gap` are metres, `place` is in the layer's own system. `result` is the digest of what
    would be stored, whatever the projection: a consent is to this result only.
    """

    steps: tuple[str, ...]
    before: bytes
    after: bytes
    area_before: float | None
    area_after: float
    change: float | None
    vertices_before: int
    vertices_after: int
    parts_before: int
    parts_after: int
    displacement: float
    gap: float
    dropped: int
    result: str
    centre: tuple[float, float]
    place: tuple[float, float] | None = None

    @property
    def method(self) -> str:
        return "+".join(self.steps)

    @property
    def automatic(self) -> bool:
        """Whether it may be taken unasked: what the rings bound is certain, and hardly changes."""
        return self.area_before is not None and self.change is not None and self.change <= AREA_CHANGE


@dataclass
class _Source:
    """The rings of a row on their way to a shape, and what was seen of them."""

    rings: list[np.ndarray]
    steps: list[str] = field(default_factory=list)
    gap: float = 0.0  # metres, the widest
    moved: float = 0.0  # metres by which a last vertex goes onto the first
    uncertain: bool = False  # whether what the rings bound cannot be told from them
    doubtful: float = 0.0  # square metres in doubt that no ring shows
    dropped: int = 0
    place: tuple[float, float] | None = None
    vertices: int = 0  # of curved rings, as delivered

    def step(self, name: str):
        if name not in self.steps:
            self.steps.append(name)


# --- the rows of a batch -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Repaired:
    """A proposal for one row, counted from 0 in the file; `digest` is that of the row as delivered.

    `taken` says that the row is stored with it, `consented` that a person agreed to it before.
    """

    row: int
    key: str
    digest: bytes
    proposal: Proposal
    taken: bool
    consented: bool


def mend(
    batch: Batch, rings: Rings, shape: Shaped, plan, start: int, digests: list[bytes]
) -> tuple[list[Repaired], int]:
    """Propose a repair for each live row whose shape cannot be stored; put those that may be taken into `shape`.

    `plan.consents` are the (digest of the row, method, digest of the result) that people agreed to. A valid row is not
    looked at. `rings` stay as they are: the refused rows keep what was delivered. With the repairs comes how many rows
    were not looked at any more, because so many of the batch are broken.
    """
    curves = getattr(batch.table, "curves", {})
    budget = BUDGET + BUDGET_A_VERTEX * len(rings.points)
    wrong = np.isin(rings.faults, (UNCLOSED, TOO_FEW))
    wrong[list(shape.invalid)] = True
    wrong &= batch.live & ~batch.refused
    curved = [row for row in range(batch.n) if start + row in curves and batch.live[row]] if curves else []
    found, stored, left = [], {}, 0
    for row in sorted({*np.flatnonzero(wrong).tolist(), *curved}):
        own = range(rings.firsts[row], rings.firsts[row + 1])
        whole = [rings.points[rings.starts[ring] : rings.starts[ring + 1]] for ring in own]
        if row in curved:
            budget -= COSTLY + COSTLY_A_CURVE_BYTE * len(curves[start + row])
        else:
            budget -= _cost(whole, plain=rings.faults[row] == UNCLOSED and len(own) == 1)
        if budget < 0:
            left += 1
            continue
        if row in curved:
            proposal = straightened(curves[start + row], plan.projection)
        else:
            proposal = proposed(whole, plan.projection, as_delivered(rings, row))
        if proposal is None:
            continue
        consented = (digests[row], proposal.method, proposal.result) in plan.consents
        taken = proposal.automatic or consented
        found.append(Repaired(start + row, "", digests[row], proposal, taken, consented and not proposal.automatic))
        if taken:
            stored[row] = proposal
    _take(batch, shape, stored, curved)
    return found, left


def _cost(rings: list[np.ndarray], *, plain: bool) -> float:
    """About how many milliseconds the repair of a shape takes."""
    vertices = sum(map(len, rings))
    if plain:
        return PLAIN + PLAIN_A_VERTEX * vertices
    return COSTLY + COSTLY_A_VERTEX * vertices + A_PAIR * min(crossings(rings), MOST_PAIRS)


def _take(batch: Batch, shape: Shaped, stored: dict[int, Proposal], curved: list[int]):
    if not stored:
        return
    mask, whole = np.zeros(batch.n, bool), np.full(batch.n, b"", object)
    for row, proposal in stored.items():
        mask[row] = True
        whole[row] = struct.pack(">i", len(proposal.after)) + proposal.after
        shape.good[row], shape.area[row], shape.centre[row] = True, proposal.area_after, proposal.centre
        shape.invalid.pop(row, None)
    where = flags(mask)
    shape.head = pc.if_else(where, binaries(whole.tolist()), shape.head)
    shape.body = pc.if_else(where, pa.scalar(b"", pa.binary()), shape.body)
    # What the reader said of a curve is settled; anything else that it said of the row still stands.
    if straight := stored.keys() & set(curved):
        batch.problems = [one for one in batch.problems if one.row not in straight or one.code != "4-curve"]
        still = {one.row for one in batch.problems if one.severity == REFUSE}
        for row in straight:
            batch.refused[row] = row in still
    said = [""] * batch.n
    for row, proposal in stored.items():
        said[row] = "?" if proposal.change is None else f"{proposal.change:.5f}"
    batch.tell(mask, REPAIRED, WARN, values=said, place=lambda row: stored[int(row)].place)


def settled(repairs: list[Repaired], refused: np.ndarray, keys, start: int) -> list[Repaired]:
    """The same after all checks of the batch, with each row's identifier: a row refused for something else is none
    that was taken, and what would be taken unasked anyway is no proposal."""
    found = []
    for one in repairs:
        taken = one.taken and not refused[one.row - start]
        if taken or not one.proposal.automatic:
            key = keys[one.row - start].as_py()
            found.append(Repaired(one.row, key, one.digest, one.proposal, taken, one.consented))
    return found


# --- the proposal ------------------------------------------------------------------------------------------------


def proposed(rings: Sequence[np.ndarray], projection: Projection, before: bytes) -> Proposal | None:
    """The proposal for rings, (n, 2) each in the layer's system, that make no shape to be stored; None where there is
    none: a coordinate that is no number, nothing with an area, a place outside China."""
    source = _Source([np.ascontiguousarray(ring, float) for ring in rings if len(ring)])
    return _proposed(source, projection, before)


def straightened(wkb: bytes, projection: Projection) -> Proposal | None:
    """The proposal for a surface with curved edges, given as WKB; None where it is not one or makes no shape."""
    try:
        found = chords(wkb, projection)
    except (struct.error, ValueError, IndexError):
        return None
    source = _Source(found.rings, [LINEARISE], doubtful=found.between, vertices=found.vertices, moved=CHORD)
    return _proposed(source, projection, wkb)


def _proposed(source: _Source, projection: Projection, before: bytes) -> Proposal | None:
    try:
        return _made(source, projection, before)
    except shapely.errors.GEOSException:  # nothing that its library cannot get on with is proposed
        return None


def _made(source: _Source, projection: Projection, before: bytes) -> Proposal | None:
    if not source.rings or not all(np.isfinite(ring).all() for ring in source.rings):
        return None
    if not _in_china(projection.stored(np.concatenate(source.rings))):
        return None
    if crossings(source.rings) > MOST_PAIRS:
        return None
    closed, wanted = _closed(source, projection)
    kept = _kept(source, wanted)
    if not kept:
        return None
    made = nested(np.array([shapely.LinearRing(ring) for ring in kept], object))
    if not shapely.is_valid(made):
        source.place = source.place or place_of(made)
        source.step(MAKE_VALID)
        made = mended(made)
    if made.is_empty:
        return None
    plain = _only_closed(closed, wanted, made) if source.steps in ([CLOSE], [LINEARISE]) else None
    doubt = plain or in_doubt(closed, made)
    stored, narrow = _stored(source, made, projection)
    if stored.is_empty or not source.steps:
        return None
    area = measured(stored)
    if not area > 0:
        return None
    size = lambda shape: measured(_moved(shape, projection.stored))  # noqa: E731
    change = None
    if doubt is not None and narrow is not None:
        change = _upwards(size(doubt.differs) + narrow + source.doubtful)
    certain = change is not None and not source.uncertain and change <= AREA_CHANGE
    centre = shapely.centroid(stored)
    return Proposal(
        steps=tuple(source.steps),
        before=before,
        after=shapely.to_wkb(shapely.set_srid(stored, STORAGE_SRID), include_srid=True, byte_order=1),
        area_before=round(area - size(doubt.added) + size(doubt.taken), 4) if certain else None,
        area_after=area,
        change=change,
        vertices_before=source.vertices or sum(map(len, source.rings)),
        vertices_after=int(shapely.get_num_coordinates(stored)),
        parts_before=len(source.rings),
        parts_after=int(shapely.get_num_geometries(stored)),
        displacement=_displacement(closed, made, projection) if plain is None else source.moved,
        gap=round(source.gap, 4),
        dropped=source.dropped,
        result=_digest(source, made, projection),
        centre=(centre.x, centre.y),
        place=source.place,
    )


def _upwards(change: float) -> float:
    """A change of area that is no less than it is, whatever is lost among the last digits of a geodesic area."""
    return round((math.ceil(change / LAST_DIGITS) + 1) * LAST_DIGITS, 5) if change > 0 else 0.0


def _stored(source: _Source, made: shapely.Geometry, projection: Projection):
    """A valid shape in degrees, and the area in doubt where it had to be made valid there once more.

    A shape can be so narrow that it breaks on the way to degrees.
    """
    stored, narrow = _moved(made, projection.stored), 0.0
    if not shapely.is_valid(stored):
        source.step(MAKE_VALID)
        parts = shapely.get_parts(stored)
        broken = [shapely.get_coordinates(ring) for part in parts for ring in (part.exterior, *part.interiors)]
        stored = mended(stored)
        doubt = in_doubt(broken, stored)
        narrow = None if doubt is None else measured(doubt.differs)
    return (stored if stored.geom_type == "MultiPolygon" else shapely.MultiPolygon([stored])), narrow


def _closed(source: _Source, projection: Projection) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The rings, each closed by the straight line from its end to its beginning, twice: as they are measured, and as
    they are wanted, where a last point within CLUSTER_TOLERANCE of the first is the first."""
    closed, wanted = [], []
    for ring in source.rings:
        if (ring[0] == ring[-1]).all() and len(ring) > 1:
            closed.append(ring)
            wanted.append(ring)
            continue
        source.step(CLOSE)
        closed.append(np.vstack((ring, ring[:1])))
        first, second, before, last = in_metres(ring[[0, min(1, len(ring) - 1), max(len(ring) - 2, 0), -1]], projection)
        gap = float(np.hypot(*(first - last)))
        if gap >= source.gap:
            source.gap, source.place = gap, (float(ring[-1, 0]), float(ring[-1, 1]))
        if gap <= CLUSTER_TOLERANCE and len(ring) >= 4:
            wanted.append(np.vstack((ring[:-1], ring[:1])))
            source.moved = max(source.moved, round(gap, 4))
            continue
        wanted.append(closed[-1])
        # Whether its last point was to be its first, or comes before it, cannot be told from the ring. What the two
        # answers differ by is in doubt; that it may be little does not make the ring a closed one.
        source.uncertain = True
        if len(ring) >= 3:
            (ax, ay), (bx, by), (cx, cy) = last - first, second - first, before - first
            # In the plane; a zone shows no area smaller than it is.
            source.doubtful += max(abs(ax * by - ay * bx), abs(ax * cy - ay * cx)) / 2
    return closed, wanted


def _kept(source: _Source, closed: list[np.ndarray]) -> list[np.ndarray]:
    """The rings that bound an area, without the vertices at which they go out and back on the same line."""
    found, seen = [], set()
    for ring in closed:
        points = ring
        if len(ring) < 4 or not shapely.is_valid(shapely.Polygon(ring)):
            points = _without_spikes(ring)
            if len(points) < 4:
                source.step(DROP_RINGS)
                source.dropped += 1
                continue
            if len(points) < len(_without_repeats(ring)):
                source.step(DROP_SPIKES)
            else:
                points = ring
        same = shapely.normalize(shapely.Polygon(points)).wkb
        if same in seen:
            source.step(DROP_RINGS)
            source.dropped += 1
            continue
        seen.add(same)
        found.append(points)
    return found


def _without_repeats(ring: np.ndarray) -> np.ndarray:
    """The closed ring without vertices that repeat the one before."""
    return ring[np.append(True, (ring[1:] != ring[:-1]).any(axis=1))]


def _without_spikes(ring: np.ndarray) -> np.ndarray:
    """The closed ring without repeated vertices and without those from which it returns on the very line it came."""
    plain = _without_repeats(ring)
    after = plain[1:] - plain[:-1]
    before = np.roll(after, 1, axis=0)
    back = (before[:, 0] * after[:, 1] == before[:, 1] * after[:, 0]) & ((before * after).sum(axis=1) < 0)
    if len(plain) > 3 and not back.any():
        return plain
    points = list(map(tuple, plain[:-1]))
    kept: list[tuple[float, float]] = []
    todo = 2  # rounds: the beginning of the ring is itself the end of a spike perhaps
    while todo:
        kept = []
        for point in points:
            kept.append(point)
            while len(kept) >= 2 and kept[-1] == kept[-2] or len(kept) >= 3 and _returns(*kept[-3:]):
                if kept[-1] == kept[-2]:
                    kept.pop()
                else:
                    del kept[-2]
        # Round the closing vertex.
        changed = True
        while changed and len(kept) >= 3:
            changed = False
            if kept[0] == kept[-1] or _returns(kept[-2], kept[-1], kept[0]):
                kept.pop()
                changed = True
            elif _returns(kept[-1], kept[0], kept[1]):
                kept.pop(0)
                changed = True
        todo = todo - 1 if len(kept) == len(points) else 2
        points = kept
        if len(points) < 3:
            break
    return np.array([*kept, kept[0]]) if len(kept) >= 3 else np.empty((0, 2))


def _returns(a, b, c) -> bool:
    """Whether a path a, b, c goes back at b on the very line it came."""
    (ux, uy), (vx, vy) = (b[0] - a[0], b[1] - a[1]), (c[0] - b[0], c[1] - b[1])
    return ux * vy == uy * vx and ux * vx + uy * vy < 0


def crossings(rings: Sequence[np.ndarray]) -> int:
    """About how many pairs of edges may cross, by the boxes of some of them; those that follow each other left out."""
    if not rings:
        return 0
    low = np.concatenate([np.minimum(ring[1:], ring[:-1]) for ring in rings])
    high = np.concatenate([np.maximum(ring[1:], ring[:-1]) for ring in rings])
    if not len(low):
        return 0
    some = np.linspace(0, len(low) - 1, min(SAMPLED, len(low))).astype(int)
    step = max(1, CHUNK // len(low))
    met = 0
    with np.errstate(invalid="ignore"):
        for at in range(0, len(some), step):
            one = some[at : at + step, None]
            here = (low[:, 0] <= high[one, 0]) & (high[:, 0] >= low[one, 0])
            met += int((here & (low[:, 1] <= high[one, 1]) & (high[:, 1] >= low[one, 1])).sum())
    return max(0, int((met / len(some) - 3) * len(low) / 2))


def mended(made: shapely.Geometry) -> shapely.Geometry:
    """A shape made valid, of which only what has an area is kept."""
    found = shapely.make_valid(made, method="structure", keep_collapsed=False)
    flat = shapely.get_parts(shapely.get_parts(found))
    parts = [part for part in flat if part.geom_type == "Polygon" and part.area > 0]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def place_of(made: shapely.Geometry) -> tuple[float, float] | None:
    """Where a shape is not valid, as GEOS says it."""
    said = shapely.is_valid_reason(made).rpartition("[")[2].rstrip("]").split()
    try:
        x, y = float(said[0]), float(said[1])
    except (IndexError, ValueError):
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _digest(source: _Source, made: shapely.Geometry, projection: Projection) -> str:
    head = f"{projection.way} {'+'.join(source.steps)} {source.dropped}".encode()
    return hashlib.sha256(head + shapely.to_wkb(shapely.normalize(made), byte_order=1)).hexdigest()


# --- measuring ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Doubt:
    """Polygons: where any reading of the rings differs from a result, what it adds to them, what it takes from them."""

    differs: shapely.MultiPolygon
    added: shapely.MultiPolygon
    taken: shapely.MultiPolygon


def in_doubt(closed: list[np.ndarray], after: shapely.Geometry) -> Doubt | None:
    """Where any reading of closed rings differs from `after`, in the plane of both; None: too much to measure.

    Rings that cross or repeat themselves can be read as bounding what they go round an odd number of times, at all, or
    in their own direction; several of them as cutting each other out in turn, or as parts and their holes.
    """
    lines = [shapely.LineString(ring) for ring in closed if len(ring) > 1]
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.unary_union([*lines, after.boundary]))))
    if len(faces) * sum(map(len, closed)) > MOST_TESTS:
        return None
    inner = shapely.point_on_surface(faces)
    points = shapely.get_coordinates(inner)
    around = np.array([_windings(points, ring) for ring in closed])  # (rings, faces)
    sides = np.array([np.sign(_turn(ring)) for ring in closed])[:, None]
    depths = _depths(closed)[:, None]
    odd, at_all, own = around % 2 != 0, around != 0, around * sides > 0
    shapely.prepare(after)
    there = shapely.contains(after, inner)
    readings = [np.logical_xor.reduce(one) for one in (odd, at_all, own)]
    # Parts and holes, in whatever direction they are drawn: a ring inside an odd number of others cuts out.
    deepest = np.where(at_all, depths, -1).max(axis=0)
    readings += [(deepest >= 0) & (deepest % 2 == 0), (around * sides * np.where(depths % 2, -1, 1)).sum(axis=0) > 0]
    differs = np.logical_or.reduce([one != there for one in readings])
    some = lambda mask: shapely.MultiPolygon(list(faces[mask]))  # noqa: E731
    return Doubt(some(differs), some(there & ~readings[0]), some(readings[0] & ~there))


def _only_closed(closed: list[np.ndarray], wanted: list[np.ndarray], made: shapely.Geometry) -> Doubt | None:
    """The same for valid rings that only lacked their ends, as all readings agree on them; None where they do not."""
    nothing = shapely.MultiPolygon()
    if all(one is other for one, other in zip(closed, wanted, strict=True)):
        return Doubt(nothing, nothing, nothing)
    if len(closed) > 1 or not shapely.is_valid(before := shapely.Polygon(closed[0])):
        return None
    corner = shapely.MultiPolygon([shapely.Polygon(closed[0][-3:])])
    more = shapely.area(made) > shapely.area(before)
    return Doubt(corner, corner if more else nothing, nothing if more else corner)


def _windings(points: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """How often a closed ring goes round each point, anticlockwise counted up."""
    found = np.zeros(len(points), int)
    x0, y0, x1, y1 = ring[:-1, 0], ring[:-1, 1], ring[1:, 0], ring[1:, 1]
    step = max(1, CHUNK // max(len(x0), 1))
    for at in range(0, len(points), step):
        x, y = points[at : at + step, :1], points[at : at + step, 1:]
        side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        up, down = (y0 <= y) & (y1 > y), (y0 > y) & (y1 <= y)
        found[at : at + step] = (up & (side > 0)).sum(axis=1) - (down & (side < 0)).sum(axis=1)
    return found


def _turn(ring: np.ndarray) -> float:
    """Twice the area that a closed ring goes round in the plane, below zero where it goes clockwise."""
    points = ring - ring[0]
    return float((points[:-1, 0] * points[1:, 1] - points[1:, 0] * points[:-1, 1]).sum())


def _depths(closed: list[np.ndarray]) -> np.ndarray:
    """In how many larger rings each ring lies, judged by one point inside it."""
    if len(closed) == 1:
        return np.zeros(1, int)
    sizes = [abs(_turn(ring)) for ring in closed]
    found = np.zeros(len(closed), int)
    for one, ring in enumerate(closed):
        if sizes[one] == 0:
            continue
        inner = shapely.get_coordinates(shapely.point_on_surface(shapely.Polygon(ring)))
        for other, around in enumerate(closed):
            larger = sizes[other] > sizes[one] or sizes[other] == sizes[one] and other < one
            found[one] += other != one and larger and bool(_windings(inner, around)[0] != 0)
    return found


def measured(shape: shapely.Geometry) -> float:
    """The area of polygons in degrees on the ellipsoid, in square metres: shells less their holes."""
    found = 0.0
    for part in shapely.get_parts(shape):
        for ring, sign in ((part.exterior, 1), *((hole, -1) for hole in part.interiors)):
            points = shapely.get_coordinates(ring)
            if len(points):
                found += sign * abs(GEOD.polygon_area_perimeter(points[:, 0], points[:, 1])[0])
    return found


def _displacement(closed: list[np.ndarray], made: shapely.Geometry, projection: Projection) -> float:
    """Metres from the delivered line to the new one and back, at the vertex where they are farthest apart."""
    before = [in_metres(ring, projection) for ring in closed if len(ring) > 1]
    rings = shapely.get_rings(shapely.get_parts(made))
    after = [in_metres(shapely.get_coordinates(ring), projection) for ring in rings]
    return round(float(max(_farthest(before, after), _farthest(after, before))), 4)


def _farthest(lines: list[np.ndarray], others: list[np.ndarray]) -> float:
    """How far the vertex of the lines is from the other lines that is farthest from them."""
    edges = np.concatenate([np.stack((line[:-1], line[1:]), axis=1) for line in others])
    tree = shapely.STRtree(shapely.linestrings(edges))
    points = shapely.points(np.concatenate(lines))
    _pairs, distance = tree.query_nearest(points, return_distance=True, all_matches=False)
    return float(distance.max())


def _moved(shape: shapely.Geometry, way) -> shapely.Geometry:
    """A shape whose points are taken another way, as one array."""
    return shapely.transform(shape, way) if not shape.is_empty else shape


def _in_china(points: np.ndarray) -> bool:
    west, south, east, north = CHINA
    x, y = points[:, 0], points[:, 1]
    return bool((x >= west).all() and (x <= east).all() and (y >= south).all() and (y <= north).all())
