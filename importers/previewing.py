"""Keep what a dry run found, row by row, so that it can be looked at before anything is written.

Inside the transaction of the dry run its rows are copied out to an unnamed temporary file; when the transaction is
rolled back, they are copied into tables of their own, which say nothing of any survey.
"""

import tempfile
import uuid

import numpy as np
import shapely
from django.core.paginator import Paginator
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from importers.merging import TARGETS
from importers.models import PreviewProblem, PreviewRow
from importers.problems import KINDS, REFUSE
from importers.telling import SQL, Telling
from units.models import Delivery, Finding, Refusal
from units.spatial import STORAGE_SRID

TILE_SQL = (SQL / "preview_tile.sql").read_text(encoding="utf-8")
COLUMNS = "preview, row_number, key, kind, codes, severity, changes, together, geom, before"
PIXELS = 256  # a side of a tile
AROUND = 2 * 20_037_508.342789244  # metres of the map's equator
DEEPEST = 24
PAGE = 100
CHUNK = 1 << 20


class Preview:
    """What one dry run found, on its way to the tables of previews. A run of several sheets has a telling for each."""

    def __init__(self, number: uuid.UUID | str):
        self.number = uuid.UUID(str(number))
        self.files: list = []
        self.tellings: list[Telling] = []
        self.before: list[Delivery] = []

    def begin(self, telling: Telling):
        """Say whose rows come next."""
        self.tellings.append(telling)

    @property
    def telling(self) -> Telling:
        return self.tellings[-1]

    def first(self, cursor, target):
        """Take the rows of a delivery that met none of its layer: every one is new."""
        self._noted(cursor)
        shape = "t.geom" if target.shaped else "NULL"
        self._out(
            cursor,
            f"SELECT %(preview)s::uuid, t.row_number, left({target.keyed('t')}::text, 80), 'new',"
            " coalesce(n.codes, '{}'), coalesce(n.severity, ''), '{}'::jsonb, NULL::int,"
            f" {shape}::geometry, NULL::geometry"
            f" FROM {target.table} t LEFT JOIN noted n USING (row_number) WHERE t.delivery_id = %(delivery)s",
            {"delivery": self.telling.delivery.pk},
        )

    def delta(self, cursor, target, about: dict, columns: list[str]):
        """Take the staged rows and the held ones that would leave, as `matching` tells them apart."""
        self._noted(cursor)
        shape, before = ("s.geom", "t.geom") if target.shaped else ("NULL", "NULL")
        changes = _changes({one.column: one.name for one in self.telling.match.profile.fields if one.column in columns})
        noted = "coalesce(n.codes, '{}'), coalesce(n.severity, '')"
        edits = "CASE WHEN w.id IS NULL THEN '{}' ELSE '{1-edits-overwritten}' END::text[]"
        warned = "CASE WHEN w.id IS NULL THEN '' ELSE 'warning' END"
        self._out(
            cursor,
            f"SELECT %(preview)s::uuid, s.row_number, left(d.key, 80), d.kind, {edits} || coalesce(n.codes, '{{}}'),"
            f" coalesce(n.severity, {warned}), {changes}, d.together,"
            f" {shape}::geometry, CASE WHEN NOT d.same THEN {before}::geometry END"
            f" FROM differing d JOIN staged s USING (row_number) LEFT JOIN {target.table} t ON t.id = d.held"
            " LEFT JOIN noted n ON n.row_number = s.row_number"
            " LEFT JOIN overwritten w ON w.id = d.held AND w.what = 'changed'"
            f" UNION ALL SELECT %(preview)s, s.row_number, left({target.keyed('s')}::text, 80), 'unchanged', {noted},"
            f" '{{}}', NULL, {shape}, NULL FROM staged s LEFT JOIN noted n USING (row_number)"
            " WHERE NOT EXISTS (SELECT FROM differing d WHERE d.row_number = s.row_number)"
            " UNION ALL SELECT %(preview)s, NULL, left(l.key, 80),"
            " coalesce((SELECT d.kind FROM differing d WHERE d.together = l.together LIMIT 1), 'gone'),"
            f" {edits}, {warned}, '{{}}', l.together, NULL, {before} FROM leaving l JOIN {target.table} t USING (id)"
            " LEFT JOIN overwritten w ON w.id = l.id AND w.what = 'gone'",
            {},
        )

    def boundaries(self):
        """Take the boundaries that a delivery drew: those that had none are new, the others moved."""
        cursor = connection.connection.cursor()
        for table in ("units_district", "units_street"):
            before = f"(b.row::{table}).geom"
            self._out(
                cursor,
                f"SELECT %(preview)s::uuid, NULL::int, t.code, CASE WHEN {before} IS NULL THEN 'new' ELSE 'moved' END,"
                f" '{{}}'::text[], '', '{{}}'::jsonb, NULL::int, t.geom::geometry, {before}::geometry"
                f" FROM {table} t LEFT JOIN importers_replaced b"
                ' ON b.key = t.code AND b.delivery_id = %(delivery)s AND b."table" = %(table)s'
                " WHERE b.key IS NOT NULL OR t.code = ANY (%(made)s)",
                {
                    "delivery": self.telling.delivery.pk,
                    "table": table,
                    "made": self.telling.delivery.settings.get("streets_made", []),
                },
            )

    def already(self, table: str, delivery: Delivery):
        """Take what is held of the layer that the delivery brought before: the same file changes nothing."""
        self.before.append(delivery)
        if table == "district":
            return
        target = TARGETS[table]
        shape = "t.geom" if target.shaped else "NULL"
        about = {name: delivery.settings.get(name) for name in ("layer", "kind", "edition")}
        about |= {"survey": delivery.survey_id, "district": delivery.district_id}
        with connection.connection.cursor() as cursor:
            self._out(cursor, self._held(target, shape), about)

    def _held(self, target, shape: str) -> str:
        return (
            f"SELECT %(preview)s::uuid, t.row_number, left({target.keyed('t')}::text, 80), 'unchanged', '{{}}'::text[],"
            f" '', '{{}}'::jsonb, NULL::int, {shape}::geometry, NULL::geometry"
            f" FROM {target.table} t WHERE {target.held('t')}"
        )

    def keep_after(self, error, *_about) -> None:
        """Write down what was taken, after the dry run was rolled back and unless it failed."""
        try:
            if error is None:
                self.keep()
        finally:
            for file in self.files:
                file.close()

    def keep(self):
        """Write down what was taken; after the dry run was rolled back."""
        with transaction.atomic(), connection.cursor() as cursor:
            forget(self.number)
            raw = cursor.connection.cursor()
            for file in self.files:
                file.seek(0)
                with raw.copy(f"COPY importers_previewrow ({COLUMNS}) FROM STDIN (FORMAT binary)") as copy:
                    while chunk := file.read(CHUNK):
                        copy.write(chunk)
            for telling in self.tellings:
                self._refused(raw, telling)
                self._problems(raw, telling)
            for delivery in self.before:
                self._told_before(delivery)
            # A problem without a place of its own is shown where its row is.
            raw.execute(
                "UPDATE importers_previewproblem p SET geom = ST_PointOnSurface(r.geom) FROM importers_previewrow r"
                " WHERE p.preview = %(preview)s AND p.geom IS NULL AND r.preview = p.preview"
                " AND r.row_number = p.row_number AND r.geom IS NOT NULL AND ST_IsValid(r.geom)",
                {"preview": self.number},
            )

    def _out(self, cursor, query: str, about: dict):
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `keep_after`
        self.files.append(file)
        # The binary form is read back by the types of the columns, so they are given here.
        typed = COLUMNS.replace("codes", "codes::varchar[]")
        query = f"COPY (SELECT {typed} FROM ({query}) AS found ({COLUMNS})) TO STDOUT (FORMAT binary)"
        with cursor.copy(query, {**about, "preview": self.number}) as copy:
            for chunk in copy:
                file.write(chunk)

    def _noted(self, cursor):
        """Lay out which codes are told of which row, to be joined to the rows."""
        cursor.execute("DROP TABLE IF EXISTS told, noted")
        cursor.execute("CREATE TEMP TABLE told (row_number int, code text, severity text) ON COMMIT DROP")
        with cursor.copy("COPY told FROM STDIN") as copy:
            for problem, _key, number, _sentence, _fix in self.telling.pending:
                copy.write_row((number, problem.code, _severity(problem)))
        cursor.execute(
            "CREATE TEMP TABLE noted ON COMMIT DROP AS"
            ' SELECT row_number, array_agg(DISTINCT code COLLATE "C") AS codes, min(severity) AS severity'
            " FROM told GROUP BY row_number"  # the first of error and warning
        )
        cursor.execute("ANALYZE noted")

    def _refused(self, cursor, telling: Telling):
        with cursor.copy(f"COPY importers_previewrow ({COLUMNS}) FROM STDIN") as copy:
            for number, code, key, _attributes, reasons, wkb in telling.refusals:
                shape = _pictured(wkb, telling.projection)
                some = sorted({reason["code"] for reason in reasons} or {code})
                copy.write_row((self.number, number, key, "refused", some, "error", Jsonb({}), None, shape, None))

    def _problems(self, cursor, telling: Telling):
        with cursor.copy(
            "COPY importers_previewproblem (preview, row_number, key, code, severity, field, value, sentence, fix,"
            " details, geom) FROM STDIN"
        ) as copy:
            for problem, key, number, sentence, fix in telling.pending:
                point = telling.projection.place(*problem.place) if problem.place else None
                details = telling.details(problem)
                copy.write_row(
                    (
                        self.number,
                        number,
                        key[:80],
                        problem.code,
                        _severity(problem),
                        problem.field[:80],
                        str(details.get("value", ""))[:200],
                        sentence,
                        fix,
                        Jsonb(details),
                        f"SRID={STORAGE_SRID};POINT({point[0]} {point[1]})" if point else None,
                    )
                )

    def _told_before(self, delivery: Delivery):
        PreviewRow.objects.bulk_create(
            PreviewRow(
                preview=self.number,
                row_number=one.row_number,
                key=one.identifier,
                kind=PreviewRow.Kind.REFUSED,
                codes=sorted({reason["code"] for reason in one.reasons}) or [one.code],
                severity="error",
            )
            for one in Refusal.objects.filter(delivery=delivery)
        )
        PreviewProblem.objects.bulk_create(
            PreviewProblem(
                preview=self.number,
                row_number=one.row_number,
                key=one.subjects[0] if one.subjects else "",
                code=one.code,
                severity=one.severity,
                field=one.details.get("field", "")[:80],
                value=str(one.details.get("value", ""))[:200],
                sentence=one.sentence,
                fix=one.fix,
                details=one.details,
                geom=one.geom.point_on_surface if one.geom else None,
            )
            for one in Finding.objects.unresolved().filter(delivery=delivery, row_number__isnull=False)
        )


def _severity(problem) -> str:
    return "error" if problem.severity == REFUSE else "warning"


def _changes(named: dict[str, str]) -> str:
    """SQL that gives the fields that differ between the held row t and the staged row s: {field: [before, after]}."""
    pairs = ", ".join(f"('{name}', to_jsonb(t.{column}), to_jsonb(s.{column}))" for column, name in named.items())
    values = f"SELECT * FROM (VALUES {pairs}) c(name, old, new) UNION ALL " if pairs else ""
    return (
        f"CASE WHEN t.id IS NULL THEN '{{}}' ELSE (SELECT coalesce(jsonb_object_agg(c.name,"
        f" jsonb_build_array(c.old, c.new)), '{{}}') FROM ({values}"
        " SELECT coalesce(o.key, n.key), o.value, n.value FROM jsonb_each(t.extra) o FULL JOIN jsonb_each(s.extra) n"
        " ON o.key = n.key) c(name, old, new) WHERE c.old IS DISTINCT FROM c.new) END"
    )


def _pictured(wkb: bytes | None, projection) -> str | None:
    """A shape that was not taken, in degrees, only to be looked at, or None where it cannot be drawn."""
    if wkb is None or projection is None:
        return None
    with np.errstate(invalid="ignore"):  # coordinates that are no numbers are looked at below
        made = shapely.from_wkb(wkb, on_invalid="ignore")
    if made is None or made.is_empty or not np.isfinite(shapely.get_coordinates(made)).all():
        return None
    made = shapely.make_valid(shapely.transform(shapely.force_2d(made), projection.stored))
    areas = [one for one in shapely.get_parts(shapely.get_parts(made)) if one.geom_type == "Polygon"]
    if not areas or not np.isfinite(shapely.get_coordinates(areas)).all():
        return None
    made = shapely.multipolygons(areas)
    return shapely.to_wkb(shapely.set_srid(made, STORAGE_SRID), hex=True, include_srid=True)


def forget(preview: uuid.UUID | str):
    """Keep a preview no longer."""
    for model in (PreviewRow, PreviewProblem):
        rows = model.objects.filter(preview=preview)
        rows._raw_delete(rows.db)


def tile(preview: uuid.UUID | str, z: int, x: int, y: int) -> bytes:
    """The layers `preview` (rows), `before` (shapes as they were) and `problems` (places) of one map tile."""
    if not (0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z):
        return b""
    about = {"preview": uuid.UUID(str(preview)), "z": z, "x": x, "y": y}
    about |= {"pixel": 360 / (PIXELS * 2**z), "fine": AROUND / (PIXELS * 2**z) / 4}
    with connection.cursor() as cursor:
        cursor.execute(TILE_SQL, about)
        return bytes(cursor.fetchone()[0])


def counts(preview: uuid.UUID | str) -> dict[str, dict[str, int]]:
    """How many rows are of which kind, and how many problems of which code."""
    rows = PreviewRow.objects.filter(preview=preview).values_list("kind").annotate(count=Count("pk")).order_by()
    problems = PreviewProblem.objects.filter(preview=preview).values_list("code").annotate(count=Count("pk")).order_by()
    return {"kind": dict(rows), "code": dict(problems)}


def rows(preview, *, kind="", code="", severity="", q="", row=None, page_of=None, page=1, size=PAGE) -> dict:
    """A page of the rows: those that change first by their number, then the held rows that leave.

    `q` is a part of an identifier, `page_of` the number of a row whose page is wanted.
    """
    found = PreviewRow.objects.filter(preview=preview)
    for name, value in (("kind", kind), ("severity", severity), ("row_number", row)):
        if value not in ("", None):
            found = found.filter(**{name: value})
    if code:
        found = found.filter(codes__contains=[code])
    if q:
        found = found.filter(key__icontains=q)
    found = found.order_by("row_number", "pk")
    if page_of not in ("", None):
        page = 1 + found.filter(row_number__lt=page_of).count() // size
    pages = Paginator(found.defer("geom", "before"), size)
    chosen = pages.get_page(page)
    boxes = _boxes([one.pk for one in chosen])
    worst = _worst(preview, [one.row_number for one in chosen])
    return {
        "total": pages.count,
        "page": chosen.number,
        "pages": pages.num_pages,
        "counts": counts(preview),
        "rows": [
            {
                name: getattr(one, name)
                for name in ("row_number", "key", "kind", "severity", "codes", "changes", "together")
            }
            | {"box": boxes.get(one.pk), "problem": worst.get(one.row_number)}
            for one in chosen
        ],
    }


def _worst(preview, numbers: list[int]) -> dict[int, str]:
    """What is told of each of these rows; of several things the one that keeps it out."""
    told = PreviewProblem.objects.filter(preview=preview, row_number__in=[one for one in numbers if one is not None])
    # "warning" comes before "error" here, and the last one of a row stands.
    return dict(told.order_by("-severity", "-pk").values_list("row_number", "sentence"))


def _boxes(rows: list[int]) -> dict[int, list[float]]:
    """West, south, east, north of what a row is or was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, ARRAY[ST_XMin(shape), ST_YMin(shape), ST_XMax(shape), ST_YMax(shape)]"
            " FROM (SELECT id, coalesce(geom, before) AS shape FROM importers_previewrow WHERE id = ANY (%s)) r"
            " WHERE shape IS NOT NULL",
            [rows],
        )
        return dict(cursor.fetchall())


def problems(preview, *, code="", severity="", row=None, page=1, size=PAGE) -> dict:
    """A page of the problems, and all their groups whatever is asked for."""
    every = PreviewProblem.objects.filter(preview=preview)
    chosen = Q()
    for name, value in (("code", code), ("severity", severity), ("row_number", row)):
        if value not in ("", None):
            chosen &= Q(**{name: value})
    groups = every.values_list("code", "severity").annotate(count=Count("pk")).order_by("severity", "-count", "code")
    pages = Paginator(every.filter(chosen).order_by("row_number", "pk"), size)
    shown = pages.get_page(page)
    return {
        "total": pages.count,
        "page": shown.number,
        "pages": pages.num_pages,
        "groups": [
            {"code": code, "severity": severity, "count": count, **_general(code)} for code, severity, count in groups
        ],
        "problems": [
            {name: getattr(one, name) for name in ("row_number", "key", "code", "severity", "field", "value")}
            | {"sentence": one.sentence, "fix": one.fix, "point": list(one.geom.coords) if one.geom else None}
            for one in shown
        ],
    }


def _general(code: str) -> dict[str, str]:
    """The sentence of a code with its places left open, and its fix."""
    kind = KINDS.get(code)
    if kind is None:
        return {"sentence": code, "fix": ""}
    return {"sentence": str(kind.sentence) % {"field": _("A field"), "value": "…", "more": "…"}, "fix": str(kind.fix)}
