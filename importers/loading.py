"""Take one delivery into a survey, in one transaction: every row taken, refused with its reasons, or told unchanged."""

import hashlib
import os
import shutil
import struct
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from importers import copying, opening
from importers.arrays import flags, strings
from importers.checking import Batch, Layerwide, Problem, as_numbers, field_text
from importers.inspecting import Inspected, district_box, inspected, reach
from importers.problems import KINDS, REFUSE, WARN
from importers.profiles import Match, Profile, match, profile
from importers.reading_shp import FAULT_CODES, Rings
from importers.shaping import Projection, Shaped, as_delivered, shaped
from importers.sniffing_encoding import ASK
from units.errors import GeoinvError, InputUnreadable, NotFound, Refused, UsageError
from units.history import authored
from units.models import Delivery, District, Street, Survey
from units.spatial import STORAGE_SRID

BATCH = 8_000  # rows; a few megabytes of points each
WORKERS = 2
MANY = 20_000  # rows from which preparing a faster reprojection pays
AHEAD = 4  # batches that may be finished before they are written

FINDINGS_SQL = (Path(__file__).parent / "sql" / "findings.sql").read_text(encoding="utf-8")
TABLES = {"patch": "units_landusepatch", "parcel": "units_parcel", "building": "units_building"}
KEY_COLUMNS = {"patch": "bsm", "parcel": "code", "building": "code"}


@dataclass
class Counts:
    """The rows of a delivery; rows = taken + changed + unchanged + refused + deleted."""

    rows: int = 0
    taken: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    deleted: int = 0
    gone: int = 0


@dataclass
class Done:
    """One batch after its checks: the COPY bytes of its good rows, and what is told of the others."""

    start: int
    payload: memoryview
    good: int
    deleted: int
    problems: list[tuple[Problem, str, int]]
    refusals: list[tuple[int, bytes | None]]
    keys: list[str]
    ambiguous: set[str] = field(default_factory=set)


def load(
    path,
    profile_name: str,
    district: str,
    year: int,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    dry_run: bool = False,
    by=None,
    progress=None,
) -> dict:
    """Import one layer of the delivery at `path` into the survey of `district` and `year`; the result as told.

    `by` is the user who acts; `progress(done, total)` is called as rows are read. A file that was taken before writes
    nothing. Into a survey that holds rows of the layer already, a delivery is a delta by business key and row digest;
    as a delivery covers its layer in full, rows that are no longer in it leave the survey and are counted as gone.

    Raises InputUnreadable, UsageError, NotFound, and Refused where the delivery as a whole may not be taken.
    """
    began = time.perf_counter()
    wanted = profile(profile_name)
    place = District.objects.filter(pk=district).first()
    if place is None:
        raise NotFound(
            _("There is no district %(code)s.") % {"code": district},
            _("Found it first: manage.py found_district --district %(code)s.") % {"code": district},
        )
    if not 1996 <= year <= 2100:
        raise UsageError(_("%(year)s is no year of a survey.") % {"year": year}, _("Give four digits, such as 2022."))
    with ExitStack() as stack:
        container = stack.enter_context(opening.opened(path))
        chosen = container.layer(layer)
        digesting = stack.enter_context(ThreadPoolExecutor(1))
        digest = digesting.submit(opening.digest, container)
        seen = inspected(chosen, district_box(place), encoding=encoding, crs=crs)
        found = match(wanted, chosen.name, [column.name for column in seen.table.columns])
        _may_be_read(seen, found)
        stack.enter_context(transaction.atomic())
        lock = hashlib.sha256(f"import {district} {year} {wanted.name}".encode()).digest()[:8]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [struct.unpack(">q", lock)[0]])
        survey = Survey.objects.filter(district=place, year=year).first()
        delivery = Delivery(
            district=place,
            profile=wanted.name,
            file_name=Path(path).name[:255],
            layer=chosen.place[:255],
            sha256=digest.result(),
            size=sum(file.stat().st_size for file in container.files),
            encoding=seen.encoding.told(),
            crs=seen.crs.told(),
            settings={
                "profile_sha256": hashlib.sha256(wanted.text.encode()).hexdigest(),
                "columns": found.columns,
                "encoding_given": encoding,
                "crs_given": crs,
            },
            imported_by=by,
        )
        if survey is not None:
            delivery.survey = survey
            if earlier := _same(delivery):
                return _told(delivery, earlier, began, dry_run, already=True)
            _may_change(survey)
        else:
            survey = delivery.survey = Survey.objects.create(district=place, year=year)
        run = _Run(delivery, place, survey, seen, found, progress)
        with nullcontext() if dry_run else _kept(container, delivery.sha256):
            try:
                run.load()
            except (psycopg.IntegrityError, psycopg.DataError) as error:
                raise Refused(
                    _("The database does not take these rows: %(why)s") % {"why": str(error).splitlines()[0]},
                    _("Nothing was written. Correct the rows, or report this if they look right."),
                    code="database",
                ) from error
            delivery.seconds = time.perf_counter() - began
            delivery.save()
        result = _told(delivery, delivery, began, dry_run, refusals=run.refused_by_code)
        if dry_run:
            transaction.set_rollback(True)
    return result


def _may_be_read(seen: Inspected, found: Match):
    if found.refused:
        kind = KINDS[found.refused]
        raise Refused(
            _("The layer %(layer)s is not taken as %(profile)s.")
            % {"layer": seen.layer.name, "profile": found.profile.name}
            + " "
            + str(kind.sentence),
            kind.fix,
            code=found.refused,
        )
    if found.missing:
        raise Refused(
            _("The layer %(layer)s has no %(fields)s, which the profile %(profile)s needs; it has %(has)s.")
            % {
                "layer": seen.layer.name,
                "fields": ", ".join(found.missing),
                "profile": found.profile.name,
                "has": ", ".join(column.name for column in seen.table.columns),
            },
            _("Name another profile, or rename the fields."),
            code="3-fields-missing",
        )
    if seen.crs.epsg is None:
        raise Refused(
            _("The reference system cannot be told.") + " " + " ".join(seen.crs.evidence),
            "" if seen.crs.verdict == "refused" else _("Give it with --crs EPSG:…, if you know it."),
            code="2-crs",
        )
    if seen.encoding.verdict == ASK:
        raise Refused(
            _("The encoding cannot be told.") + " " + " ".join(seen.encoding.evidence),
            _("Samples: %(samples)s.") % {"samples": " · ".join(seen.encoding.samples)},
            code="1-encoding",
        )


def _may_change(survey: Survey):
    if survey.state == Survey.State.LOADED:
        return
    raise Refused(
        _("The survey %(year)d of %(district)s is %(state)s: nothing is delivered into it any more.")
        % {"year": survey.year, "district": survey.district.name, "state": survey.get_state_display()},
        _("Open the next round: import with another --survey, look at it, then activate_survey."),
        code="survey-in-force",
    )


def _same(delivery: Delivery) -> Delivery | None:
    """The delivery of the same file and layer that this survey holds already."""
    return (
        Delivery.objects.filter(
            survey=delivery.survey,
            profile=delivery.profile,
            sha256=delivery.sha256,
            layer=delivery.layer,
            state=Delivery.State.LOADED,
        )
        .order_by("pk")
        .first()
    )


def _told(delivery, counted, began, dry_run, *, already=False, refusals=None) -> dict:
    rows = counted.rows
    return {
        "delivery": None if dry_run and not already else counted.pk,
        "already": already,
        "file": delivery.file_name,
        "sha256": delivery.sha256,
        "layer": delivery.layer,
        "profile": delivery.profile,
        "district": delivery.district_id,
        "survey": delivery.survey.year,
        "rows": rows,
        "taken": 0 if already else counted.taken,
        "changed": 0 if already else counted.changed,
        "unchanged": rows - counted.refused - counted.deleted if already else counted.unchanged,
        "refused": counted.refused,
        "deleted": counted.deleted,
        "gone": 0 if already else counted.gone,
        "refusals": refusals or [],
        "warnings": counted.warnings,
        "encoding": delivery.encoding,
        "crs": delivery.crs,
        "dry_run": dry_run,
        "seconds": round(time.perf_counter() - began, 3),
    }


@contextmanager
def _kept(container: opening.Container, digest: str) -> Iterator[None]:
    """Keep the delivered files under their digest, copied beside the import; nothing stays where that fails."""
    folder = Path(settings.DELIVERIES_DIR)
    target = folder / digest
    if target.exists():
        yield
        return
    partial = folder / f".{digest[:16]}-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(1) as copying_files:
            copied = copying_files.submit(opening.kept_copy, container, partial)
            yield
            copied.result()
        partial.chmod(0o550)
        try:
            os.rename(partial, target)
        except OSError:
            if not target.exists():  # else another import of the same file was quicker
                raise
    except OSError as error:
        if isinstance(error, GeoinvError):
            raise
        raise InputUnreadable(
            _("The delivered file cannot be kept in %(folder)s: %(why)s.") % {"folder": folder, "why": error.strerror},
            _("Check the space and the rights of that folder."),
        ) from error
    finally:
        if partial.exists():
            partial.chmod(0o750)
            shutil.rmtree(partial, ignore_errors=True)


class _Run:
    """The rows of one layer on their way into one survey; one transaction around it."""

    def __init__(self, delivery, place: District, survey: Survey, seen: Inspected, found: Match, progress):
        self.delivery, self.place, self.survey = delivery, place, survey
        self.seen, self.match, self.progress = seen, found, progress
        self.profile: Profile = found.profile
        self.table, self.shapes = seen.table, seen.shapes
        self.counts = Counts(rows=max(self.table.rows, self.shapes.rows))
        self.projection = Projection(seen.crs.epsg, place.srid)
        if self.shapes.rows >= MANY and (extent := self.shapes.extent(bulk=True)):
            self.projection.hasten(extent)
        streets = list(Street.objects.filter(district=place))
        self.street_codes = frozenset(street.code for street in streets)
        with_shape = [street for street in streets if street.geom is not None]
        self.street_list = [street.code for street in with_shape]
        self.street_tree = shapely.STRtree([shapely.from_wkb(bytes(street.geom.wkb)) for street in with_shape])
        self.warned: Counter = Counter()
        self.warned_example: dict = {}
        self.refused_codes: Counter = Counter()
        self.refused_rows: dict[str, list[int]] = {}
        self.keys_in_file: set[str] = set()
        self.pending: list[tuple[Problem, str, int, str, str]] = []
        self.refusals: list[tuple] = []

    @property
    def refused_by_code(self) -> list[dict]:
        return [
            {"code": code, "count": count, "message": _general(code), "rows": self.refused_rows[code][:10]}
            for code, count in self.refused_codes.most_common()
        ]

    def load(self):
        """Save the delivery, stream the rows, then settle the counts."""
        self.layerwide = self._layerwide()
        self.delivery.rows = self.delivery.taken = self.counts.rows
        self.delivery.save()
        with connection.cursor() as cursor:
            authored(cursor, self.delivery.imported_by, delivery=self.delivery.pk)
            cursor.execute("DROP TABLE IF EXISTS told, staged, in_file")
            cursor.execute("CREATE TEMP TABLE told (LIKE units_finding INCLUDING DEFAULTS) ON COMMIT DROP")
        if self.profile.table == "district":
            self._load_district()
        else:
            self._load_rows()
        self._settle()

    # --- once for the whole layer -------------------------------------------------------------------------------

    def _layerwide(self) -> Layerwide:
        encoding, live = self.seen.encoding.python, ~self.table.deleted
        first: dict[str, int] = {}
        repeated: dict[str, int] = {}
        if not self.profile.repeated_keys:
            key, _bad = field_text(self.table, self.match, self.profile.key, encoding, slice(None))
            key = key.filter(flags(live))
            counted = key.value_counts()
            often = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
            if len(often):
                numbers = np.flatnonzero(live)
                for at in np.flatnonzero(pc.is_in(key, often).to_numpy(zero_copy_only=False)):
                    value = key[int(at)].as_py()
                    first.setdefault(value, int(numbers[at]))
                first.pop("", None)
                repeated = first
        per_cent = set()
        for one in self.profile.fields:
            if one.share and one.name in self.match.columns:
                values, _wrong = as_numbers(field_text(self.table, self.match, one.name, encoding, slice(None))[0])
                if len(values) and np.nanmax(np.append(values[live], 0)) > 1:
                    per_cent.add(one.name)
                    self._warn_layer("3-percent", field=one.name, value=f"{np.nanmax(values[live]):g}")
        for problem in self.seen.problems:
            self._warn_layer(problem.code, value=problem.value, more=problem.more)
        if beyond := reach(self.seen, self.place):
            self._warn_layer("2-not-the-district", value=beyond)
        return Layerwide(self.place.code, self.street_codes, repeated, frozenset(per_cent))

    def _warn_layer(self, code: str, **parts):
        kind = KINDS[code]
        filled = {"field": "", "value": "", "more": "", **parts}
        self.delivery.warnings.append(
            {"code": code, "count": None, "message": str(kind.sentence) % filled, "fix": str(kind.fix)}
        )

    # --- rows ---------------------------------------------------------------------------------------------------

    def _load_rows(self):
        table = TABLES[self.profile.table]
        key = KEY_COLUMNS[self.profile.table]
        raw = connection.connection
        with raw.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE survey_id = %s)", [self.survey.pk])
            delta = cursor.fetchone()[0]
            target = table
            if delta:
                target = "staged"
                cursor.execute(f"CREATE TEMP TABLE staged (LIKE {table} INCLUDING DEFAULTS) ON COMMIT DROP")
                cursor.execute("ALTER TABLE staged ALTER id DROP NOT NULL")
            columns = _columns(self.profile)
            with cursor.copy(f"COPY {target} ({', '.join(columns)}) FROM STDIN (FORMAT binary)") as copy:
                copy.write(copying.SIGNATURE)
                good = self._stream(copy.write)
                copy.write(copying.TRAILER)
            if delta:
                self._merge(cursor, table, key, columns)
            else:
                self.counts.taken = good
            cursor.execute("SELECT geoinv_analyze(%s)", [table])

    def _stream(self, write) -> int:
        """Check batches on worker threads and write them in order; the good rows counted."""
        rows = min(self.table.rows, self.shapes.rows)
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
                    self._note(done)
                    if self.progress:
                        self.progress(min(done.start + BATCH, rows), rows)
            except BaseException:
                for future in running:
                    future.cancel()
                raise
        self._lone_rows(rows)
        return good

    def _batch(self, start: int, stop: int) -> Done:
        rows = slice(start, stop)
        batch = Batch(self.table, self.match, self.seen.encoding.python, rows, self.layerwide)
        rings = self.shapes.rings(start, stop)
        shape = shaped(rings, self.projection, twice=self.profile.table != "patch")
        self._check_shapes(batch, rings, shape)
        self._check_keys(batch, start)
        ambiguous: set[str] = set()
        head, tail, columns = self._encode(batch, shape, start, ambiguous)
        keep = batch.live & ~batch.refused
        payload = copying.tuples(columns, head, tail, batch.n, keep)
        keys = batch.text(self.profile.key)
        refusals = [
            (start + int(row), as_delivered(rings, int(row))) for row in np.flatnonzero(batch.refused & batch.live)
        ]
        return Done(
            start,
            payload,
            int(keep.sum()),
            int((~batch.live).sum()),
            [self._absolute(problem, keys, start) for problem in batch.problems],
            refusals,
            keys.filter(flags(batch.live)).to_pylist(),
            ambiguous,
        )

    def _absolute(self, problem: Problem, keys: pa.Array, start: int) -> tuple[Problem, str, int]:
        return problem, keys[problem.row].as_py(), start + problem.row + 1

    def _check_shapes(self, batch: Batch, rings: Rings, shape: Shaped):
        for fault, code in FAULT_CODES.items():
            mask = rings.faults == fault
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

    def _check_keys(self, batch: Batch, start: int):
        first = self.layerwide.first_row_of_key
        if not first:
            return
        keys = batch.text(self.profile.key)
        often = pc.is_in(keys, strings(list(first))).to_numpy(zero_copy_only=False)
        again = np.zeros(batch.n, bool)
        more = [""] * batch.n
        for row in np.flatnonzero(often):
            earlier = first[keys[int(row)].as_py()]
            if earlier != start + row:
                again[row] = True
                more[row] = str(earlier + 1)
        name = self.match.columns.get(self.profile.key, self.profile.key)
        batch.tell(again, "3-key-duplicate", REFUSE, name, keys, more)

    def _encode(self, batch: Batch, shape: Shaped, start: int, ambiguous: set[str]):
        """The COPY columns of a batch in the order of `_columns`: those of fixed size first."""
        kind, n = self.profile.table, batch.n
        head = [
            copying.constant(self.delivery.pk),
            copying.constant(self.survey.pk),
            copying.constant(self.place.code.encode()),
            copying.numbers(np.arange(start + 1, start + n + 1), ">i4"),
            copying.digests(self._digests(start, start + n)),
        ]
        if kind == "patch":
            head.append(copying.numbers(np.nan_to_num(shape.area), ">f8"))
            head.append(copying.constant(self.profile.default_scheme.encode()))
        else:
            head.append(copying.constant(1, 4))  # version
        if kind == "parcel":
            head.append(copying.constant(copying.EMPTY_OBJECT))
        if kind == "building":
            head += [copying.constant(copying.EMPTY_OBJECT), copying.numbers(batch.check_flag("LSJZ"), "u1")]
        tail: list[pa.Array] = []
        street = None
        use = pa.nulls(n, pa.string())
        spans: dict[str, list] = {}
        for one in self.profile.fields:
            if one.kind == "number":
                values = batch.check_number(one)
                if one.area:
                    batch.check_areas(one, values, shape.area)
                if one.column:
                    tail.append(copying.numeric(values, one.decimals))
            elif one.kind == "integer":
                values = batch.check_number(one)
                tail.append(copying.integers(values, ">i2"))
            elif one.kind == "flag":
                continue  # among the columns of fixed size
            elif one.kind == "date":
                spans[one.name] = batch.check_date(one)
            else:
                values = batch.check(one)
                if one.street:
                    street = self._street_of(values)
                if one.use:
                    use, both = batch.uses(one.name)
                    ambiguous |= both
                if one.column:
                    tail += copying.text(values)
        if spans:
            begin, end = spans["SYQQSSJ"], spans["SYQJSSJ"]
            for row in range(n):
                if begin[row] is not None and end[row] is not None and end[row] < begin[row]:
                    one = np.zeros(n, bool)
                    one[row] = True
                    batch.tell(one, "3-dates-reversed", WARN, "SYQJSSJ", batch.text("SYQJSSJ"))
                    end[row] = None
            tail += [copying.dates(begin), copying.dates(end)]
        if street is None:
            street = self._street_around(shape)
        tail += copying.text(street)
        if kind == "parcel":
            tail += copying.text(use)
        tail += copying.json_objects(batch.further())
        tail += [shape.head, shape.body]
        batch.refused |= ~shape.good & batch.live
        return head, tail, len(_columns(self.profile))

    def _digests(self, start: int, stop: int) -> list[bytes]:
        """The SHA-256 of each row as delivered: its DBF record, then its record in the .shp."""
        table, shapes = self.table.raw_bytes, self.shapes.raw_bytes
        size, header = self.table.record_size, self.table.header_size
        begin = (self.shapes.offsets[start:stop] + 8).tolist()
        whole = self.shapes.whole[start:stop]
        end = np.where(whole, self.shapes.offsets[start:stop] + 8 + self.shapes.lengths[start:stop], 0).tolist()
        found = []
        for row, low, high in zip(range(start, stop), begin, end, strict=True):
            digest = hashlib.sha256(table[header + row * size : header + (row + 1) * size])
            digest.update(shapes[low:high])
            found.append(digest.digest())
        return found

    def _street_of(self, values: pa.Array) -> pa.Array:
        code = pc.utf8_slice_codeunits(values, 0, 9)
        known = pc.is_in(code, strings(sorted(self.street_codes)))
        return pc.if_else(known, code, None)

    def _street_around(self, shape: Shaped) -> pa.Array:
        """The street whose area holds the centre of each row, where streets have areas."""
        found: list[str | None] = [None] * len(shape.good)
        rows = np.flatnonzero(shape.good)
        if self.street_list and len(rows):
            at, street = self.street_tree.query(shapely.points(shape.centre[rows]), predicate="intersects")
            for row, number in zip(rows[at], street, strict=True):
                found[row] = self.street_list[number]
        return strings(found)

    def _lone_rows(self, rows: int):
        """Rows that only one of .shp and .dbf has: each is refused and told."""
        for row in range(rows, self.counts.rows):
            if row < self.table.rows and self.table.deleted[row]:
                self.counts.deleted += 1
                continue
            code = "1-no-record" if row < self.table.rows else "1-no-attributes"
            key = ""
            if row < self.table.rows:
                key = field_text(
                    self.table, self.match, self.profile.key, self.seen.encoding.python, slice(row, row + 1)
                )[0][0].as_py()
            problem = Problem(row, code, REFUSE)
            self._note(Done(row, memoryview(b""), 0, 0, [(problem, key, row + 1)], [(row, None)], [key]))

    # --- what is told -------------------------------------------------------------------------------------------

    def _note(self, done: Done):
        """Write the findings and refusals of a batch, and count them."""
        self.counts.deleted += done.deleted
        self.counts.refused += len(done.refusals)
        self.keys_in_file.update(done.keys)
        for said in done.ambiguous:
            self.warned_example.setdefault("3-use-ambiguous", ("YT", said, self.profile.default_scheme))
            self.warned["3-use-ambiguous"] += 1
        reasons: dict[int, list[dict]] = {}
        refused = {row for row, _wkb in done.refusals}
        for problem, key, number in done.problems:
            sentence, fix = _said(problem)
            if problem.severity == REFUSE or number - 1 in refused:
                reasons.setdefault(number - 1, []).append(
                    {
                        "code": problem.code,
                        "field": problem.field,
                        "value": problem.value,
                        "message": sentence,
                        "fix": fix,
                        "severity": problem.severity,
                    }
                )
            if problem.severity == WARN:
                self.warned[problem.code, problem.field] += 1
                self.warned_example.setdefault((problem.code, problem.field), sentence)
            self.pending.append((problem, key, number, sentence, fix))
        for row, wkb in done.refusals:
            self._refuse(row, wkb, reasons.get(row, []))

    def _refuse(self, number: int, wkb: bytes | None, reasons: list[dict]):
        decisive = next((one for one in reasons if one["severity"] == REFUSE), None)
        code = decisive["code"] if decisive else "4-invalid-shape"
        self.refused_codes[code] += 1
        self.refused_rows.setdefault(code, []).append(number + 1)
        attributes = {}
        if number < self.table.rows:
            raw = self.table.records[number]
            for column in self.table.columns:
                value = raw[column.start : column.start + column.width].tobytes()
                attributes[column.name] = (
                    value.decode(self.seen.encoding.python, "replace").strip(" \x00").replace("\x00", "�")
                )
        key = attributes.get(self.match.columns.get(self.profile.key, ""), "")
        self.refusals.append((number + 1, code, key[:60], attributes, reasons, wkb))

    def _settle(self):
        """Write refusals and findings, close those of earlier deliveries that are gone, and fill in the counts."""
        raw = connection.connection
        with raw.cursor() as cursor:
            with cursor.copy(
                "COPY units_refusal (delivery_id, row_number, code, identifier, attributes, reasons, wkb, srid)"
                " FROM STDIN"
            ) as copy:
                for number, code, key, attributes, reasons, wkb in self.refusals:
                    copy.write_row(
                        (
                            self.delivery.pk,
                            number,
                            code,
                            key,
                            Jsonb(attributes),
                            Jsonb(reasons),
                            wkb,
                            self.seen.crs.epsg,
                        )
                    )
            self._write_findings(cursor)
        for key, count in self.warned.most_common():
            if isinstance(key, str):
                one, said, more = self.warned_example[key]
                self._warn_layer(key, field=one, value=said, more=more)
                continue
            code, name = key
            self.delivery.warnings.append(
                {
                    "code": code,
                    "count": count,
                    "field": name,
                    "message": self.warned_example[key],
                    "fix": str(KINDS[code].fix),
                }
            )
        for name in ("rows", "taken", "changed", "unchanged", "refused", "deleted", "gone"):
            setattr(self.delivery, name, getattr(self.counts, name))

    def _write_findings(self, cursor):
        now = timezone.now()
        times: Counter = Counter()
        with cursor.copy(
            "COPY told (id, district_id, street_id, survey_id, delivery_id, identity, code, severity, state, subjects,"
            " row_number, sentence, fix, measure, uom, details, geom, first_seen, last_seen, resolved_at) FROM STDIN"
        ) as copy:
            for problem, key, number, sentence, fix in self.pending:
                subject = key or _("row %(number)d") % {"number": number}
                identity = (self.survey.pk, self.profile.name, problem.code, problem.field, subject)
                times[identity] += 1
                digest = hashlib.sha256("|".join(map(str, (*identity, times[identity]))).encode()).hexdigest()
                point = self.projection.place(*problem.place) if problem.place else None
                copy.write_row(
                    (
                        0,
                        self.place.code,
                        None,
                        self.survey.pk,
                        self.delivery.pk,
                        digest,
                        problem.code,
                        "error" if problem.severity == REFUSE else "warning",
                        "new",
                        [subject[:80]],
                        number,
                        sentence,
                        fix,
                        None,
                        "",
                        Jsonb({"field": problem.field, "value": problem.value}),
                        f"SRID={STORAGE_SRID};POINT({point[0]} {point[1]})" if point else None,
                        now,
                        now,
                        None,
                    )
                )
        cursor.execute(
            FINDINGS_SQL, {"delivery": self.delivery.pk, "survey": self.survey.pk, "profile": self.profile.name}
        )

    # --- delta --------------------------------------------------------------------------------------------------

    def _merge(self, cursor, table: str, key: str, columns: list[str]):
        """Change only what differs from what the survey holds: by business key, then by row digest."""
        cursor.execute(f"CREATE UNIQUE INDEX ON staged ({key})")
        cursor.execute("ANALYZE staged")
        parts = {"table": table, "key": key}
        cursor.execute(
            "SELECT count(*) FILTER (WHERE t.id IS NULL),"
            " count(*) FILTER (WHERE t.row_digest IS DISTINCT FROM s.row_digest AND t.id IS NOT NULL),"
            " count(*) FILTER (WHERE t.row_digest = s.row_digest)"
            " FROM staged s LEFT JOIN {table} t ON t.survey_id = s.survey_id AND t.{key} = s.{key}".format(**parts)
        )
        self.counts.taken, self.counts.changed, self.counts.unchanged = cursor.fetchone()
        changing = ", ".join(f"{column} = s.{column}" for column in columns if column != "version")
        if "version" in columns:
            changing += ", version = t.version + 1"
        cursor.execute(
            f"UPDATE {table} t SET {changing} FROM staged s"
            f" WHERE t.survey_id = s.survey_id AND t.{key} = s.{key} AND t.row_digest IS DISTINCT FROM s.row_digest"
        )
        names = ", ".join(columns)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM staged s"
            f" WHERE NOT EXISTS (SELECT FROM {table} t WHERE t.survey_id = s.survey_id AND t.{key} = s.{key})"
        )
        # Rows of the file that were refused are in it all the same: what the survey held of them stays.
        cursor.execute("CREATE TEMP TABLE in_file (key text) ON COMMIT DROP")
        with cursor.copy("COPY in_file FROM STDIN") as copy:
            for one in self.keys_in_file:
                copy.write_row((one,))
        if table != "units_landusepatch":
            owner = "parcel_id" if table == "units_parcel" else "building_id"
            cursor.execute(
                f"DELETE FROM units_flag f USING {table} t WHERE f.{owner} = t.id AND t.survey_id = %s"
                f" AND NOT EXISTS (SELECT FROM in_file i WHERE i.key = t.{key})",
                [self.survey.pk],
            )
        cursor.execute(
            f"DELETE FROM {table} t WHERE survey_id = %s AND NOT EXISTS (SELECT FROM in_file i WHERE i.key = t.{key})",
            [self.survey.pk],
        )
        self.counts.gone = cursor.rowcount
        try:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.errors.ForeignKeyViolation as error:
            raise _still_used(error) from error

    # --- boundaries ---------------------------------------------------------------------------------------------

    def _load_district(self):
        """Boundaries: rows of one code are dissolved, and District and Street take the shape where it differs."""
        rows = min(self.table.rows, self.shapes.rows)
        batch = Batch(self.table, self.match, self.seen.encoding.python, slice(0, rows), self.layerwide)
        rings = self.shapes.rings(0, rows)
        shape = shaped(rings, self.projection, twice=self.profile.table != "patch")
        self._check_shapes(batch, rings, shape)
        code, name = (batch.check(self.profile.field(one)).to_pylist() for one in ("XZQDM", "XZQMC"))
        batch.refused |= ~shape.good & batch.live
        keep = batch.live & ~batch.refused
        keys = batch.text(self.profile.key)
        self._note(
            Done(
                0,
                memoryview(b""),
                int(keep.sum()),
                int((~batch.live).sum()),
                [self._absolute(problem, keys, 0) for problem in batch.problems],
                [(int(row), as_delivered(rings, int(row))) for row in np.flatnonzero(batch.refused & batch.live)],
                [],
            )
        )
        self._lone_rows(rows)
        shapes: dict[str, list] = {}
        names: dict[str, str] = {}
        for row in np.flatnonzero(keep):
            wkb = shape.head[int(row)].as_py()[4:] + shape.body[int(row)].as_py()
            short = code[row][:9] if len(code[row]) > 6 else code[row]
            if short[6:] == "000":
                short = short[:6]
            shapes.setdefault(short, []).append(shapely.from_wkb(wkb))
            names[short] = name[row]
        whole = {short: _multi(shapely.union_all(parts)) for short, parts in shapes.items()}
        if self.place.code not in whole and whole:
            whole[self.place.code] = _multi(shapely.union_all(list(whole.values())))
        changed, new = set(), set()
        with connection.cursor() as cursor:
            for short, made in whole.items():
                outcome = self._store_boundary(cursor, short, names.get(short, ""), made)
                (changed if outcome == "changed" else new if outcome == "new" else set()).add(short)
        for row in np.flatnonzero(keep):
            short = code[row][:9] if len(code[row]) > 6 else code[row]
            short = short[:6] if short[6:] == "000" else short
            if short in new:
                self.counts.taken += 1
            elif short in changed:
                self.counts.changed += 1
            else:
                self.counts.unchanged += 1
        if self.progress:
            self.progress(rows, rows)

    def _store_boundary(self, cursor, code: str, name: str, made) -> str:
        geom = shapely.to_wkb(shapely.set_srid(made, STORAGE_SRID), include_srid=True)
        if len(code) == 9:
            street, created = Street.objects.get_or_create(
                code=code, defaults={"district": self.place, "name": name[:60]}
            )
            before = street.geom
            cursor.execute("UPDATE units_street SET geom = %s WHERE code = %s", [geom, code])
        else:
            before = self.place.geom
            cursor.execute("UPDATE units_district SET geom = %s WHERE code = %s", [geom, code])
        if before is None:
            return "new"
        same = shapely.equals_exact(shapely.from_wkb(bytes(before.wkb)), made, 0, normalize=True)
        return "unchanged" if same else "changed"


def _columns(one: Profile) -> list[str]:
    """The columns that COPY writes, in the order in which `_encode` gives them."""
    names = ["delivery_id", "survey_id", "district_id", "row_number", "row_digest"]
    names += {
        "patch": ["area_m2", "scheme"],
        "parcel": ["version", "owner_wish"],
        "building": ["version", "vacant_by_floor", "temporary"],
    }[one.table]
    names += [each.column for each in one.fields if each.column and each.kind not in ("date", "flag")]
    names += [each.column for each in one.fields if each.column and each.kind == "date"]
    names.append("street_id")
    if one.table == "parcel":
        names.append("use_scheme")
    return [*names, "extra", "geom"]


def _said(problem: Problem) -> tuple[str, str]:
    kind = KINDS[problem.code]
    # Worker threads do not know the reader's language: what is translated is translated here.
    value = _reason(problem.value) if problem.code == "4-invalid-shape" else problem.value
    filled = {"field": problem.field, "value": value, "more": problem.more}
    return str(kind.sentence) % filled, str(kind.fix)


def _general(code: str) -> str:
    """The sentence of a code with its places left open."""
    return str(KINDS[code].sentence) % {"field": "…", "value": "…", "more": "…"}


def _reason(said: str) -> str:
    return {
        "": _("it is so narrow that it breaks when it is reprojected"),
        "Self-intersection": _("it crosses itself"),
        "Ring Self-intersection": _("a ring touches itself"),
        "Hole lies outside shell": _("a hole lies outside"),
        "Nested shells": _("parts lie in each other"),
        "Duplicate Rings": _("a ring is there twice"),
        "Too few points in geometry component": _("a ring has too few points"),
        "Interior is disconnected": _("its holes cut it apart"),
    }.get(said, said)


def _still_used(error) -> Refused:
    return Refused(
        _("Rows that are no longer in the file are still needed by other records: %(why)s")
        % {"why": str(error).splitlines()[0]},
        _("Keep them in the delivery, or settle those records first."),
        code="still-used",
    )


def _multi(shape):
    return shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon(shapely.get_parts(shape).tolist())
