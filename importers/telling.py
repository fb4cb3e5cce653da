"""Tell what became of each row: a finding for each problem, a refusal for each row that is not taken."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from importers.checking import Problem, key_text
from importers.inspecting import Inspected
from importers.problems import KINDS, REFUSE, WARN
from importers.profiles import Match
from importers.shaping import Projection
from importers.sniffing_crs import Box, degrees_box
from units.models import Delivery
from units.spatial import STORAGE_SRID

FINDINGS_SQL = (Path(__file__).parent / "sql" / "findings.sql").read_text(encoding="utf-8")


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
    extent: Box | None = None
    without_street: int = 0


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
        self.keys_in_file: set[str] = set()
        self.pending: list[tuple[Problem, str, int, str, str]] = []
        self.refusals: list[tuple] = []
        self.extents: list[Box] = []
        self.without_street = 0

    @property
    def refused_by_code(self) -> list[dict]:
        return [
            {"code": code, "count": count, "message": _general(code), "rows": self.refused_rows[code][:10]}
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
        if done.extent is not None:
            self.extents.append(done.extent)
        self.keys_in_file.update(done.keys)
        for said in done.ambiguous:
            self.warned_example.setdefault("3-use-ambiguous", ("YT", said, self.match.profile.default_scheme))
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
            self.note(Done(row, memoryview(b""), 0, 0, [(problem, key, row + 1)], [(row, None)], [key]))

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
        profile = self.match.profile
        parts = (attributes.get(self.match.columns.get(name, ""), "") for name in profile.key_shown)
        key = " ".join(part for part in parts if part)
        self.refusals.append((number + 1, code, key[:60], attributes, reasons, wkb))

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
                            self.seen.crs.epsg,
                        )
                    )
            self._write_findings(cursor)
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
        return list(degrees_box(extent, self.seen.crs.epsg))

    def _write_findings(self, cursor):
        now = timezone.now()
        times: Counter = Counter()
        delivery = self.delivery
        cursor.execute("DROP TABLE IF EXISTS told")
        cursor.execute("CREATE TEMP TABLE told (LIKE units_finding INCLUDING DEFAULTS) ON COMMIT DROP")
        with cursor.copy(
            "COPY told (id, district_id, street_id, survey_id, delivery_id, identity, code, severity, state, subjects,"
            " row_number, sentence, fix, measure, uom, details, geom, first_seen, last_seen, resolved_at) FROM STDIN"
        ) as copy:
            for problem, key, number, sentence, fix in self.pending:
                subject = key or _("row %(number)d") % {"number": number}
                identity = (delivery.survey_id, self.match.profile.name, problem.code, problem.field, subject)
                if self.match.profile.table == "control":  # one profile, many layers
                    identity = (*identity, delivery.layer)
                times[identity] += 1
                digest = hashlib.sha256("|".join(map(str, (*identity, times[identity]))).encode()).hexdigest()
                point = self.projection.place(*problem.place) if problem.place else None
                copy.write_row(
                    (
                        0,
                        delivery.district_id,
                        None,
                        delivery.survey_id,
                        delivery.pk,
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
            FINDINGS_SQL,
            {
                "delivery": delivery.pk,
                "survey": delivery.survey_id,
                "profile": delivery.profile,
                "layer": delivery.layer if self.match.profile.table == "control" else None,
            },
        )


def absolute(problem: Problem, keys, start: int) -> tuple[Problem, str, int]:
    """A problem of a batch with its row's identifier and its number in the file, from 1."""
    return problem, keys[problem.row].as_py(), start + problem.row + 1


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
