"""Stream the rows of a layer of shapes through their checks into their table."""

import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.compute as pc
from django.db import connection
from django.utils.translation import gettext as _

from importers import copying, workers
from importers.arrays import ONE, flags
from importers.batching import Plan
from importers.checking import Layerwide, as_numbers, field_text, key_text
from importers.inspecting import Inspected, district_box, reach
from importers.merging import TARGETS, merge, stage
from importers.models import Consent
from importers.passing import MEMORY
from importers.profiles import Match
from importers.storing import Storing
from importers.telling import Telling
from units.errors import Broken, InputUnreadable
from units.models import District, Street

BATCH = 3_000  # rows; a few megabytes of points each
BATCH_BYTES = 16 * 1024**2  # of the files that a run of rows is at most
LOOK = 50  # how closely the table is looked at for its statistics: 300 rows for each of these, usually for 100
AHEAD = 6  # batches that may be finished before they are written

log = logging.getLogger(__name__)


def layerwide(telling: Telling, seen: Inspected, found: Match, place: District) -> Layerwide:
    """Decide once what holds for the whole layer: repeated keys, shares in per cent, whether it fits the district."""
    encoding, live = seen.encoding.python, ~seen.table.deleted
    first: dict[str, int] = {}
    if not found.profile.repeated_keys:
        key = key_text(seen.table, found, encoding, slice(None), shown=False).filter(flags(live))
        counted = key.value_counts()
        often = counted.field("values").filter(pc.greater(counted.field("counts"), ONE))
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
        telling.warn_layer(problem.code, field=problem.field, value=problem.value, more=problem.more)
    if seen.shapes is not None and (beyond := reach(seen, place)):
        telling.warn_layer("2-not-the-district", value=beyond)
    streets = frozenset(Street.objects.filter(district=place).values_list("code", flat=True))
    known = place.geom is not None or Street.objects.filter(district=place, geom__isnull=False).exists()
    box = district_box(place) if known else None  # an approximate one is too coarse to accuse a row by
    return Layerwide(place.code, streets, first, frozenset(per_cent), box=box)


class Taking:
    """The rows of one layer of shapes on their way into one table."""

    def __init__(self, telling: Telling, storing: Storing, wide: Layerwide, about: dict, progress=None):
        self.telling, self.storing, self.about, self.progress = telling, storing, about, progress
        self.seen, self.profile = telling.seen, telling.match.profile
        encoding = self.seen.encoding.python
        self.plan = Plan(
            self.seen.table,
            self.seen.shapes,
            telling.match,
            encoding,
            wide,
            telling.projection,
            storing,
            Consent.objects.known(telling.delivery),
        )

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
                keys = self.telling.refused_keys.union(
                    " ".join(key) for one in self.about["beside"] for key in one.identifiers()
                )
                self.telling.delta = merge(cursor, target, self.about, columns, self.telling.counts, keys)
            else:
                self.telling.counts.taken = good
                if self.about.get("preview"):
                    self.about["preview"].first(cursor, target)
            # A quick look settles how to ask for the rows; autovacuum looks more closely when they are committed.
            cursor.execute(f"SET LOCAL default_statistics_target = {LOOK}")
            cursor.execute("SELECT geoinv_analyze(%s)", [target.table])
            cursor.execute("SET LOCAL default_statistics_target TO DEFAULT")

    def _stream(self, write) -> int:
        """Have batches checked by workers and write them in order; the good rows counted."""
        rows = min(self.seen.table.rows, self.seen.shapes.rows)
        batches, running, good = deque(self._batches(rows)), deque(), 0
        count = max(1, min(workers.MOST, len(batches)))
        with workers.crew(self.plan, count) as crew, ThreadPoolExecutor(count) as threads:
            try:
                while batches or running:
                    while batches and len(running) < AHEAD:
                        running.append(threads.submit(crew.work, *batches.popleft()))
                    done = running.popleft().result()
                    if len(done.payload):
                        write(done.payload)
                    good += done.good
                    self.telling.note(done)
                    if self.progress:
                        self.progress(done.stop, rows)
            except workers.Died as died:
                raise self._ended(died) from died
            finally:
                for future in running:
                    future.cancel()
                crew.end()
        self.telling.lone_rows(rows)
        return good

    def _batches(self, rows: int) -> Iterator[tuple[int, int, int]]:
        """Runs of rows, first and last, and how many bytes of the files they are: not many rows, and not much of them.

        A single row may be larger than any run, and is one of its own then.
        """
        shapes, size = self.seen.shapes, self.seen.table.record_size
        weights = np.where(shapes.whole[:rows], shapes.lengths[:rows], 0) + size
        ends = np.concatenate(([0], np.cumsum(weights)))
        start = 0
        while start < rows:
            most = int(np.searchsorted(ends, ends[start] + BATCH_BYTES, "right")) - 1
            stop = min(rows, start + BATCH, max(most, start + 1))
            yield start, stop, int(ends[stop] - ends[start])
            start = stop

    def _ended(self, died: workers.Died) -> InputUnreadable | Broken:
        """What the user is told of rows at which the processes that read them came to an end, or a fault of our own."""
        before = self.seen.table.before
        parts = {"layer": self.seen.layer.place, "first": died.start + 1 + before, "last": died.stop + before}
        if died.why and died.why != MEMORY:
            log.error("Rows %(first)d to %(last)d of %(layer)s:\n%(why)s", parts | {"why": died.why})
            return Broken(
                _("Something broke here at the rows %(first)d to %(last)d of %(layer)s. It is in the log.") % parts,
                _("Nothing was written. Tell the administrator."),
            )
        if died.why:
            told = _("The rows %(first)d to %(last)d of %(layer)s cannot be read: the memory does not hold them.")
        else:
            told = _(
                "The rows %(first)d to %(last)d of %(layer)s cannot be read: the process that checks them crashed"
                " on them, or took too long."
            )
        return InputUnreadable(
            told % parts, _("Nothing was written. Look at the shapes of these rows, or export the layer again.")
        )
