"""Check one batch of the rows of a layer and lay it out for its table: a pure function that any process may run.

No models, no database and no translation here: what is told is codes and parts, of which the importing process makes
sentences.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from importers.arrays import strings
from importers.checking import Batch, Layerwide, Problem, key_text
from importers.pairing import check_pairs
from importers.problems import REFUSE, WARN, limits
from importers.profiles import Match
from importers.reading_dbf import Table
from importers.reading_laid import Laid
from importers.reading_shp import FAULT_CODES, Rings, Shapes
from importers.repairing import Repaired, mend, settled
from importers.shapechecks import check_geometry
from importers.shaping import Projection, Shaped, as_delivered, shaped
from importers.storing import Storing
from units.spatial import METRES_OF_A_DEGREE

AWAY = limits("M03")["metres"]


@dataclass(frozen=True)
class Plan:
    """How the rows of one layer are to be read, checked and stored; it can be pickled, and maps its files anew then."""

    table: Table | Laid
    shapes: Shapes
    match: Match
    encoding: str
    wide: Layerwide
    projection: Projection
    storing: Storing
    consents: frozenset = frozenset()  # (digest of a row, method, digest of the result) that people agreed to


@dataclass
class Done:
    """One batch after its checks: the COPY bytes of its good rows, and what is told of the others."""

    stop: int
    payload: memoryview
    good: int
    deleted: int
    problems: list[tuple[Problem, str, int]]
    refusals: list[tuple[int, bytes | None]]
    ambiguous: set[str] = field(default_factory=set)
    extent: tuple[float, float, float, float] | None = None
    without_street: int = 0
    repairs: list[Repaired] = field(default_factory=list)
    not_mended: int = 0  # rows for which no repair was looked for, because so many are broken


def work(plan: Plan, start: int, stop: int) -> Done:
    """Rows `start` to `stop` of the layer, counted from 0 in the file."""
    rows = slice(start, stop)
    batch = Batch(plan.table, plan.match, plan.encoding, rows, plan.wide)
    rings = plan.shapes.rings(start, stop)
    shape = shaped(rings, plan.projection, twice=plan.match.profile.table != "patch")
    digests = row_digests(plan.table, plan.shapes, start, stop)
    repairs, left = mend(batch, rings, shape, plan, start, digests)
    check_shapes(batch, rings, shape)
    check_keys(batch, start, digests)
    check_place(batch, rings, shape)
    ambiguous: set[str] = set()
    payload = plan.storing.tuples(batch, shape, digests, start, ambiguous)
    check_pairs(batch)
    check_geometry(batch, rings, shape, plan.projection.degrees)
    keep = batch.live & ~batch.refused
    keys = key_text(plan.table, plan.match, plan.encoding, rows)
    refusals = [(start + int(row), as_delivered(rings, int(row))) for row in np.flatnonzero(batch.refused & batch.live)]
    return Done(
        stop,
        payload,
        int(keep.sum()),
        int((~batch.live).sum()),
        [absolute(problem, keys, start) for problem in batch.problems],
        refusals,
        ambiguous,
        rings.extent(keep),
        batch.without_street,
        settled(repairs, batch.refused, keys, start),
        left,
    )


def check_place(batch: Batch, rings: Rings, shape: Shaped):
    """Tell the rows whose centre lies more than AWAY metres outside the box of their district (check M03)."""
    if batch.layerwide.box is None:
        return
    west, south, east, north = batch.layerwide.box
    x, y = shape.centre[:, 0], shape.centre[:, 1]
    with np.errstate(invalid="ignore"):  # a shape that cannot be stored has no centre
        across = np.maximum(np.maximum(west - x, x - east), 0) * METRES_OF_A_DEGREE * np.cos(np.radians(y))
        along = np.maximum(np.maximum(south - y, y - north), 0) * METRES_OF_A_DEGREE
        metres = np.hypot(across, along)
        far = shape.good & (metres > AWAY)
    if far.any():
        said = [f"{one / 1000:.1f}" for one in np.nan_to_num(metres)]
        batch.tell(far, "2-far-away", WARN, values=said, place=rings.place)


def absolute(problem: Problem, keys, start: int) -> tuple[Problem, str, int]:
    """A problem of a batch with its row's identifier and its number in the table, from 1."""
    return problem, keys[problem.row].as_py(), start + problem.row + 1


def row_digests(table: Table | Laid, shapes: Shapes | None, start: int, stop: int) -> list[bytes]:
    """The SHA-256 of each row as delivered: its record in the table, then its record in the .shp.

    Of a table that was laid out here, what is written in the row, as the layout is none of the delivery's.
    """
    if isinstance(table, Laid):
        records = table.written(slice(start, stop))
    else:
        raw, size, header = table.raw_bytes, table.record_size, table.header_size
        records = [raw[header + row * size : header + (row + 1) * size] for row in range(start, stop)]
    if shapes is None:
        return [hashlib.sha256(record).digest() for record in records]
    raw, offsets = shapes.raw_bytes, shapes.offsets[start:stop] + 8
    ends = np.where(shapes.whole[start:stop], offsets + shapes.lengths[start:stop], 0).tolist()
    found = []
    for record, low, high in zip(records, offsets.tolist(), ends, strict=True):
        digest = hashlib.sha256(record)
        digest.update(raw[low:high])
        found.append(digest.digest())
    return found


def check_shapes(batch: Batch, rings: Rings, shape: Shaped):
    """Tell which shapes of a batch cannot be stored, and where to look."""
    told_already = batch.refused.copy()  # by the reader, of rows whose shape it could not lay out
    for fault, code in FAULT_CODES.items():
        mask = (rings.faults == fault) & ~told_already & ~shape.good  # what was repaired is good
        if mask.any():
            batch.tell(mask, code, REFUSE, place=rings.place)
    if shape.invalid:
        mask = np.zeros(batch.n, bool)
        mask[list(shape.invalid)] = True
        reasons = {row: reason for row, (reason, _place) in shape.invalid.items()}
        batch.tell(
            mask,
            "4-invalid-shape",
            REFUSE,
            values=[reasons.get(row, "") for row in range(batch.n)],
            place=lambda row: shape.invalid[int(row)][1],
        )
    if shape.outside.any():
        said = [""] * batch.n
        for row in np.flatnonzero(shape.outside):
            place = rings.place(row)
            said[row] = f"{place[0]:.3f}, {place[1]:.3f}" if place else ""
        batch.tell(shape.outside, "2-outside-china", REFUSE, values=said)
    batch.tell(shape.empty, "4-no-area", REFUSE, place=rings.place)


def check_keys(batch: Batch, start: int, digests: list[bytes]):
    """Refuse a row whose key stands in an earlier row already, also in one of the file that a supplement completes."""
    first, before = batch.layerwide.first_row_of_key, batch.layerwide.taken_before
    if not first and not before:
        return
    keys = key_text(batch.table, batch.match, batch.encoding, batch.rows, shown=False)
    often = pc.is_in(keys, strings([*first, *before])).to_numpy(zero_copy_only=False)
    again = np.zeros(batch.n, bool)
    more = [""] * batch.n
    for row in np.flatnonzero(often):
        key = keys[int(row)].as_py()
        earlier = first.get(key, start + row)
        if earlier != start + row:
            again[row] = True
            more[row] = str(earlier + 1 + batch.table.before)
        elif key in before and before[key][0] != digests[row]:  # the row itself may come once more
            again[row] = True
            more[row] = str(before[key][1])
    name = batch.match.columns.get(batch.match.profile.key, batch.match.profile.key)
    batch.tell(again, "3-key-duplicate", REFUSE, name, keys, more)
