"""Stream the rows of a layer of shapes through their checks into their table."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.compute as pc
from django.db import connection

from importers import copying
from importers.arrays import flags, strings
from importers.checking import Batch, Layerwide, as_numbers, field_text, key_text
from importers.inspecting import Inspected, reach
from importers.merging import TARGETS, merge, stage
from importers.problems import REFUSE
from importers.profiles import Match
from importers.reading_shp import FAULT_CODES, Rings
from importers.shaping import Shaped, as_delivered, shaped
from importers.storing import Storing
from importers.telling import Done, Telling, absolute
from units.models import District, Street

BATCH = 8_000  # rows; a few megabytes of points each
WORKERS = 2
AHEAD = 4  # batches that may be finished before they are written


def layerwide(telling: Telling, seen: Inspected, found: Match, place: District) -> Layerwide:
    """Decide once what holds for the whole layer: repeated keys, shares in per cent, whether it fits the district."""
    encoding, live = seen.encoding.python, ~seen.table.deleted
    first: dict[str, int] = {}
    if not found.profile.repeated_keys:
        key = key_text(seen.table, found, encoding, slice(None), shown=False).filter(flags(live))
        counted = key.value_counts()
        often = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
        if len(often):
            numbers = np.flatnonzero(live)
            for at in np.flatnonzero(pc.is_in(key, often).to_numpy(zero_copy_only=False)):
                first.setdefault(key[int(at)].as_py(), int(numbers[at]))
            first.pop("", None)
    per_cent = set()
    for one in found.profile.fields:
        if one.share and one.name in found.columns:
            values, _wrong = as_numbers(field_text(seen.table, found, one.name, encoding, slice(None))[0])
            said = values[live & np.isfinite(values) & (values != 0)]
            # The most say what the field is counted in; a single share above 1 is a fault of its own row.
            if len(said) and np.median(said) > 1:
                per_cent.add(one.name)
                telling.warn_layer("3-percent", field=one.name, value=f"{said.max():g}")
    for problem in seen.problems:
        telling.warn_layer(problem.code, value=problem.value, more=problem.more)
    if seen.shapes is not None and (beyond := reach(seen, place)):
        telling.warn_layer("2-not-the-district", value=beyond)
    streets = frozenset(Street.objects.filter(district=place).values_list("code", flat=True))
    return Layerwide(place.code, streets, first, frozenset(per_cent))


class Taking:
    """The rows of one layer of shapes on their way into one table."""

    def __init__(self, telling: Telling, storing: Storing, wide: Layerwide, about: dict, progress=None):
        self.telling, self.storing, self.wide, self.about, self.progress = telling, storing, wide, about, progress
        self.seen, self.match, self.profile = telling.seen, telling.match, telling.match.profile

    def take(self):
        """COPY the rows in, or into a table beside it where there are rows of the layer already."""
        target = TARGETS[self.profile.table]
        with connection.connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {target.table} t WHERE {target.held('t')})", self.about)
            delta = cursor.fetchone()[0]
            if delta:
                stage(cursor, target)
            columns = self.storing.columns()
            into = "staged" if delta else target.table
            with cursor.copy(f"COPY {into} ({', '.join(columns)}) FROM STDIN (FORMAT binary)") as copy:
                copy.write(copying.SIGNATURE)
                good = self._stream(copy.write)
                copy.write(copying.TRAILER)
            if delta:
                keys = self.telling.keys_in_file.union(
                    " ".join(key) for one in self.about["beside"] for key in one.identifiers()
                )
                merge(cursor, target, self.about, columns, self.telling.counts, keys)
            else:
                self.telling.counts.taken = good
            cursor.execute("SELECT geoinv_analyze(%s)", [target.table])

    def _stream(self, write) -> int:
        """Check batches on worker threads and write them in order; the good rows counted."""
        rows = min(self.seen.table.rows, self.seen.shapes.rows)
        starts = deque(range(0, rows, BATCH))
        running: deque = deque()
        good = 0
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                while starts or running:
                    while starts and len(running) < AHEAD:
                        start = starts.popleft()
                        running.append(pool.submit(self._batch, start, min(start + BATCH, rows)))
                    done = running.popleft().result()
                    if len(done.payload):
                        write(done.payload)
                    good += done.good
                    self.telling.note(done)
                    if self.progress:
                        self.progress(min(done.start + BATCH, rows), rows)
            except BaseException:
                for future in running:
                    future.cancel()
                raise
        self.telling.lone_rows(rows)
        return good

    def _batch(self, start: int, stop: int) -> Done:
        rows, encoding = slice(start, stop), self.seen.encoding.python
        batch = Batch(self.seen.table, self.match, encoding, rows, self.wide)
        rings = self.seen.shapes.rings(start, stop)
        shape = shaped(rings, self.telling.projection, twice=self.profile.table != "patch")
        check_shapes(batch, rings, shape)
        check_keys(batch, start)
        ambiguous: set[str] = set()
        payload = self.storing.tuples(batch, shape, start, ambiguous)
        keep = batch.live & ~batch.refused
        keys = key_text(self.seen.table, self.match, encoding, rows)
        refusals = [
            (start + int(row), as_delivered(rings, int(row))) for row in np.flatnonzero(batch.refused & batch.live)
        ]
        return Done(
            start,
            payload,
            int(keep.sum()),
            int((~batch.live).sum()),
            [absolute(problem, keys, start) for problem in batch.problems],
            refusals,
            keys.filter(flags(batch.live)).to_pylist(),
            ambiguous,
            rings.extent(keep),
            batch.without_street,
        )


def check_shapes(batch: Batch, rings: Rings, shape: Shaped):
    """Tell which shapes of a batch cannot be stored, and where to look."""
    told_already = batch.refused.copy()  # by the reader, of rows whose shape it could not lay out
    for fault, code in FAULT_CODES.items():
        mask = (rings.faults == fault) & ~told_already
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


def check_keys(batch: Batch, start: int):
    """Refuse a row whose key stands in an earlier row already."""
    first = batch.layerwide.first_row_of_key
    if not first:
        return
    keys = key_text(batch.table, batch.match, batch.encoding, batch.rows, shown=False)
    often = pc.is_in(keys, strings(list(first))).to_numpy(zero_copy_only=False)
    again = np.zeros(batch.n, bool)
    more = [""] * batch.n
    for row in np.flatnonzero(often):
        earlier = first[keys[int(row)].as_py()]
        if earlier != start + row:
            again[row] = True
            more[row] = str(earlier + 1 + batch.table.before)
    name = batch.match.columns.get(batch.match.profile.key, batch.match.profile.key)
    batch.tell(again, "3-key-duplicate", REFUSE, name, keys, more)
