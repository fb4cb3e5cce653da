"""Tell what became of each row: a finding for each problem, a refusal for each row that is not taken."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_noop, override
from psycopg.types.json import Jsonb

from importers.batching import Done
from importers.checking import Problem, key_text
from importers.inspecting import Inspected
from importers.matching import Delta
from importers.models import Repair
from importers.problems import KINDS, REFUSE, WARN
from importers.profiles import Match
from importers.renaming import fingerprint, rename
from importers.repairing import Repaired
from importers.shaping import Projection
from importers.sniffing_crs import Box, degrees_box
from importers.spooling import Spool
from units.checks.identity import REGISTERS, row_identity
from units.models import Delivery
from units.spatial import STORAGE_SRID

# Which collection the rows of a table are served in.
LAYERS = {
    "patch": "patches",
    "parcel": "parcels",
    "building": "buildings",
    "legacy": "legacy",
    "control": "control-areas",
    "district": "district",
}
REASONS = {
    "": gettext_noop("it is so narrow that it breaks when it is reprojected"),
    "Self-intersection": gettext_noop("it crosses itself"),
    "Ring Self-intersection": gettext_noop("a ring touches itself"),
    "Hole lies outside shell": gettext_noop("a hole lies outside"),
    "Nested shells": gettext_noop("parts lie in each other"),
    "Duplicate Rings": gettext_noop("a ring is there twice"),
    "Too few points in geometry component": gettext_noop("a ring has too few points"),
    "Interior is disconnected": gettext_noop("its holes cut it apart"),
}
# In the place of a value that not everybody who reads findings may know; the file and the row say where it is.
CLOSED = gettext_noop("(closed; it is in the file)")
NAMED = 10  # rows of one code that are named with the result; the findings name them all
SQL = Path(__file__).parent / "sql"
FINDINGS_SQL = (SQL / "findings.sql").read_text(encoding="utf-8")
FINDINGS_BEFORE_SQL = (SQL / "findings_before.sql").read_text(encoding="utf-8")


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


class Telling:
    """What is said of the rows of one delivery while they are read; `settle` writes it down."""

    def __init__(self, delivery: Delivery, seen: Inspected, found: Match, projection: Projection | None):
        self.delivery, self.seen, self.match, self.projection = delivery, seen, found, projection
        self.table = seen.table
        self.counts = Counts(rows=seen.rows)
        self.warned: Counter = Counter()
        self.warned_example: dict = {}
        self.refused_codes: Counter = Counter()
        self.refused_rows: dict[str, list[int]] = {}
        self.refused_keys: set[str] = set()  # of rows that the file speaks of, though they are not taken
        self.delta: Delta | None = None
        self.pending: Spool[tuple[Problem, str, int, str, str]] = Spool()
        self.refusals: Spool[tuple] = Spool()
        self.extents: list[Box] = []
        self.without_street = 0
        self.repairs: Spool[Repaired] = Spool()
        self.not_mended = 0
        self.beside: list[str] = []  # digests of the other files of the delivery
        self.completes: list[int] | None = None  # of a supplement: the deliveries whose findings it may resolve,
        self.spoken: list[str] | None = None  # and the identifiers of the rows that it speaks of
        self.named = {column: name for name, column in found.columns.items()}
        closed = {one.name for one in found.profile.fields if one.restricted}
        self.closed = closed | {found.columns[name] for name in closed & found.columns.keys()}

    @property
    def refused_by_code(self) -> list[dict]:
        return [
            {"code": code, "count": count, "message": _general(code), "rows": self.refused_rows[code]}
            for code, count in self.refused_codes.most_common()
        ]

    def warn_layer(self, code: str, *, count: int | None = None, **parts):
        """A warning about the layer as a whole, or about so many of its rows."""
        kind = KINDS[code]
        filled = {"field": "", "value": "", "more": "", **parts}
        self.delivery.warnings.append(
            {"code": code, "count": count, "message": str(kind.sentence) % filled, "fix": str(kind.fix)}
        )

    def note(self, done: Done):
        """Keep the findings and refusals of a batch, and count them."""
        self.counts.deleted += done.deleted
        self.counts.refused += len(done.refusals)
        self.without_street += done.without_street
        self.repairs.extend(done.repairs)
        self.not_mended += done.not_mended
        if done.extent is not None:
            self.extents.append(done.extent)
        for said in done.ambiguous:
            self.warned_example.setdefault("3-use-ambiguous", ("YT", said, self.match.profile.default_scheme))
            self.warned["3-use-ambiguous"] += 1
        reasons: dict[int, list[dict]] = {}
        refused = {row for row, _wkb in done.refusals}
        for problem, key, number in done.problems:
            sentence, fix = _said(problem, problem.field in self.closed)
            if number - 1 in refused:
                self.refused_keys.add(key)
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
            self.pending.append((problem, key, number + self.table.before, sentence, fix))
        for row, wkb in done.refusals:
            self._refuse(row, wkb, reasons.get(row, []))

    def details(self, problem: Problem) -> dict:
        """What a finding of the problem keeps beside its sentence, for a reader of any language."""
        closed = problem.field in self.closed
        return {
            "field": problem.field,
            "name": self.named.get(problem.field, problem.field),
            **({} if closed else {"value": problem.value}),
            "told": _in_any_language(problem, closed),
        }

    def lone_rows(self, rows: int):
        """Rows that only one of .shp and .dbf has: each is refused and told."""
        for row in range(rows, self.counts.rows):
            if row < self.table.rows and self.table.deleted[row]:
                self.counts.deleted += 1
                continue
            code = "1-no-record" if row < self.table.rows else "1-no-attributes"
            key = ""
            if row < self.table.rows:
                key = key_text(self.table, self.match, self.seen.encoding.python, slice(row, row + 1))[0].as_py()
            problem = Problem(row, code, REFUSE)
            self.note(Done(row + 1, memoryview(b""), 0, 0, [(problem, key, row + 1)], [(row, None)]))

    def _refuse(self, number: int, wkb: bytes | None, reasons: list[dict]):
        decisive = next((one for one in reasons if one["severity"] == REFUSE), None)
        code = decisive["code"] if decisive else "4-invalid-shape"
        self.refused_codes[code] += 1
        number_in_file = number + 1 + self.table.before
        if self.refused_codes[code] <= NAMED:
            self.refused_rows.setdefault(code, []).append(number_in_file)
        attributes = {}
        if number < self.table.rows:
            raw = self.table.records[number]
            for column in self.table.columns:
                value = raw[column.start : column.start + column.width].tobytes()
                attributes[column.name] = (
                    value.decode(self.seen.encoding.python, "replace").strip(" \x00").replace("\x00", "�")
                )
        profile = self.match.profile
        parts = (attributes.get(self.match.columns.get(name, ""), "") for name in profile.key_shown)
        key = " ".join(part for part in parts if part)
        self.refusals.append((number_in_file, code, key[:60], attributes, reasons, wkb))

    def settle(self):
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
                            self.seen.crs.srid,
                        )
                    )
            self._write_findings(cursor)
        self.delivery.settings["repairs"] = Repair.objects.keep(self.delivery, self.repairs, self.table.before)
        if self.not_mended:
            self.warn_layer("4-repairs-left", count=self.not_mended)
        if self.without_street:
            self.warn_layer("3-no-street", count=self.without_street)
        self.delivery.settings["extent"] = self._extent()
        for key, count in self.warned.most_common():
            if isinstance(key, str):
                one, said, more = self.warned_example[key]
                self.warn_layer(key, field=one, value=said, more=more)
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

    def _extent(self) -> list[float] | None:
        """West, south, east, north of the rows that were good, in degrees: what the delivery says something about."""
        if not self.extents:
            return None
        boxes = np.array(self.extents)
        extent = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
        return list(degrees_box(extent, self.seen.crs.way))

    def _write_findings(self, cursor):
        now = timezone.now()
        times: Counter[int] = Counter()
        delivery = self.delivery
        layer = delivery.layer if self.match.profile.table == "control" else None  # one profile, many layers
        survey = None if self.match.profile.name in REGISTERS else delivery.survey_id
        cursor.execute("DROP TABLE IF EXISTS told_by_file")
        cursor.execute("CREATE TEMP TABLE told_by_file (LIKE units_finding INCLUDING DEFAULTS) ON COMMIT DROP")
        with cursor.copy(
            "COPY told_by_file (id, district_id, street_id, survey_id, delivery_id, identity, code, layer, severity,"
            " state, subjects, row_number, sentence, fix, measure, uom, details, fingerprint, geom, first_seen,"
            " last_seen, resolved_at) FROM STDIN"
        ) as copy:
            for problem, key, number, sentence, fix in self.pending:
                # In no language: the same fault is the same one whoever delivers it.
                subject = key or f"#{number}"
                # The profile's own name of the field, whatever the file calls its column: a check of the stored rows
                # knows no file, and tells the same fault under the same identity.
                name = self.named.get(problem.field, problem.field)
                identity = (survey, self.match.profile.name, problem.code, name, subject, layer)
                digest = row_identity(*identity)
                half = int(digest[:16], 16)  # of it says which one it is as well, and is small
                times[half] += 1
                if times[half] > 1:
                    digest = row_identity(*identity, times[half])
                point = self.projection.place(*problem.place) if problem.place else None
                copy.write_row(
                    (
                        0,
                        delivery.district_id,
                        None,
                        survey,
                        delivery.pk,
                        digest,
                        problem.code,
                        LAYERS.get(self.match.profile.table, ""),
                        "error" if problem.severity == REFUSE else "warning",
                        "new",
                        [subject[:80]],
                        number,
                        sentence,
                        fix,
                        None,
                        "",
                        Jsonb(self.details(problem)),
                        fingerprint(digest, problem.code, problem.value, problem.more, point),
                        f"SRID={STORAGE_SRID};POINT({point[0]} {point[1]})" if point else None,
                        now,
                        now,
                        None,
                    )
                )
        about = {
            "delivery": delivery.pk,
            "district": delivery.district_id,
            "survey": survey,
            "profile": delivery.profile,
            "layer": layer,
            "beside": self.beside,
            "completes": self.completes,
            "spoken": self.spoken,
        }
        cursor.execute("ANALYZE told_by_file")
        cursor.execute(FINDINGS_BEFORE_SQL, about)
        if self.delta and self.delta.renumbered:
            rename(cursor, about, LAYERS[self.match.profile.table])
        cursor.execute(FINDINGS_SQL, about)


def _said(problem: Problem, closed: bool) -> tuple[str, str]:
    kind = KINDS[problem.code]
    parts, words = _parts(problem, closed)
    # Worker threads do not know the reader's language: what is translated is translated here.
    return str(kind.sentence) % (parts | {name: translated(parts[name]) for name in words}), str(kind.fix)


def _parts(problem: Problem, closed: bool) -> tuple[dict, list[str]]:
    """What fills the places of a sentence, and which of it are messages; the value of a closed field is none."""
    parts = {"field": problem.field, "value": problem.value, "more": problem.more}
    if problem.code == "4-invalid-shape":
        return parts | {"value": _reason(problem)}, ["value"]
    if closed:
        return parts | {"value": CLOSED}, ["value"]
    return parts, []


def _in_any_language(problem: Problem, closed: bool) -> dict:
    """What `_said` says, as the messages and what fills their places, for a reader of another language."""
    sentence, fix = _messages(problem.code)
    parts, words = _parts(problem, closed)
    return {"sentence": sentence, "fix": fix, "parts": parts} | ({"words": words} if words else {})


@cache
def _messages(code: str) -> tuple[str, str]:
    """The sentence and the fix of a code as they are written, in no language but their own."""
    with override(None):
        return str(KINDS[code].sentence), str(KINDS[code].fix)


def _general(code: str) -> str:
    """The sentence of a code with its places left open."""
    return str(KINDS[code].sentence) % {"field": "…", "value": "…", "more": "…"}


def _reason(problem: Problem) -> str:
    return REASONS.get(problem.value, problem.value)
