"""Change only what differs from what is held already: by business key, then by the digest of the row."""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from django.db import connection
from django.utils.translation import gettext as _

from importers.matching import Delta, match
from importers.overwriting import overwritten
from importers.problems import KINDS
from importers.profiles import Profile
from importers.resting import model_of, resting
from importers.telling import Counts
from units.errors import Refused

# The share of what is held of a layer that may leave it with one delivery. Ours: no rule names one; a yearly change
# takes a few in a hundred away, and a file cut short or filtered far more.
GONE_AT_MOST = 0.2
READ_ALIKE = "t.delivery_id IN (SELECT d.id FROM units_delivery d WHERE d.reading = %(reading)s)"
SAME = f"t.row_digest = s.row_digest AND {READ_ALIKE}"
SHAPE = ("geom", "area_m2")
# Eighteen digits, as a BSM has; no division of the country begins with 99.
PARKED = "'99' || lpad(t.id::text, 16, '0')"
OF_PARCELS = "{t}.parcel_id IN (SELECT id FROM units_parcel WHERE survey_id = %(survey)s)"


@dataclass(frozen=True)
class Target:
    """The table a profile fills; {t} stands for the name by which a query calls it.

    `within` is what a delivery covers in full, `key` what identifies a row there, `leaves` whether rows that are no
    longer in the file leave. Where the file identifies a row otherwise than the table, `named` says how to get there:
    the joins of the table t, and the two columns that stand for the identifiers a row shows.
    `shaped`: its rows have shapes, by which they are known again where keys fail. `numbered`: the key is a number that
    a program gave, not a code that somebody issued; the same shape is the same row, whatever its number.
    """

    table: str
    key: str
    within: str = "{t}.survey_id = %(survey)s"
    leaves: bool = True
    named: tuple[str, str, str] | None = None
    shaped: bool = False
    numbered: bool = False

    @property
    def unique(self) -> bool:
        """Whether the table holds each key once at any moment, and rows may be given one another's keys."""
        return self.numbered and self.of_survey

    @property
    def of_survey(self) -> bool:
        """Whether each survey holds rows of its own, else the district does."""
        return "%(survey)s" in self.within

    def keyed(self, name: str) -> str:
        return self.key.format(t=name)

    def held(self, name: str) -> str:
        return self.within.format(t=name)


TARGETS = {
    "patch": Target("units_landusepatch", "{t}.bsm", shaped=True, numbered=True),
    "parcel": Target("units_parcel", "{t}.code", shaped=True),
    "building": Target("units_building", "{t}.code", shaped=True),
    "legacy": Target("units_legacyland", "{t}.code", "{t}.district_id = %(district)s", shaped=True),
    "control": Target(
        "units_controlarea",
        "{t}.code",
        "{t}.district_id = %(district)s AND {t}.kind = %(kind)s AND {t}.edition = %(edition)s"
        " AND {t}.delivery_id IN (SELECT id FROM units_delivery WHERE settings ->> 'layer' = %(layer)s)",
        shaped=True,
        numbered=True,
    ),
    # A workbook of one year brings figures and firms; it does not say which firms are gone.
    "enterprise": Target("units_enterprise", "{t}.credit_code", "{t}.district_id = %(district)s", leaves=False),
    "enterprise_year": Target(
        "units_enterpriseyear",
        "concat_ws(' ', {t}.enterprise_id, {t}.year)",
        "{t}.enterprise_id IN (SELECT id FROM units_enterprise WHERE district_id = %(district)s)",
        leaves=False,
    ),
    "occupancy": Target(
        "units_occupancy",
        "concat({t}.enterprise_id, ' ', {t}.parcel_id, ' ', {t}.building_id, ' ', {t}.since)",
        OF_PARCELS,
        named=(
            "JOIN units_enterprise e ON e.id = t.enterprise_id JOIN units_parcel p ON p.id = t.parcel_id",
            "e.credit_code",
            "p.code",
        ),
    ),
    "contract": Target(
        "units_supplycontract",
        "concat({t}.parcel_id, ' ', {t}.number)",
        OF_PARCELS,
        named=("JOIN units_parcel p ON p.id = t.parcel_id", "p.code", "t.number"),
    ),
    # Registers that grow: a list of this year does not say that last year's was none.
    "benchmark": Target(
        "units_benchmark",
        "concat_ws(' ', {t}.figure, {t}.sector_edition, {t}.sector, {t}.year)",
        "{t}.district_id = %(district)s",
        leaves=False,
    ),
    "sector_list": Target(
        "units_sectorclass",
        "concat_ws(' ', {t}.edition, {t}.sector_edition, {t}.sector)",
        "{t}.district_id = %(district)s",
        leaves=False,
    ),
    "violation": Target(
        "units_violation",
        "concat({t}.enterprise_id, ' ', {t}.document)",
        "{t}.enterprise_id IN (SELECT id FROM units_enterprise WHERE district_id = %(district)s)",
        leaves=False,
    ),
    "use_state": Target("units_usestate", "concat({t}.parcel_id, ' ', {t}.building_id)", leaves=False),
}


def one_at_a_time(district: str, year: int, wanted: Profile):
    """Hold the layer for the running transaction: two deliveries of it, or one and an undoing, follow each other.

    Registers of the district are shared by its surveys; whoever asks holds the survey already, always in this order.
    """
    of_survey = wanted.table != "district" and TARGETS[wanted.table].of_survey
    name = f"import {district} {year if of_survey else ''} {wanted.name}"
    number = struct.unpack(">q", hashlib.sha256(name.encode()).digest()[:8])[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def stage(cursor, target: Target):
    """A table beside the target for the rows of the file."""
    cursor.execute("DROP TABLE IF EXISTS staged")
    cursor.execute(f"CREATE TEMP TABLE staged (LIKE {target.table} INCLUDING DEFAULTS) ON COMMIT DROP")
    cursor.execute("ALTER TABLE staged ALTER id DROP NOT NULL")


def merge(
    cursor,
    target: Target,
    about: dict,
    columns: list[str],
    counts: Counts,
    keys: Iterable[str] | None = None,
    spoken: list[tuple] = (),
) -> Delta:
    """Bring the staged rows into the table; what they replace is kept, so that the delivery can be taken back.

    `about` are the values of the target's conditions, the delivery, its `reading` and whether it is to `replace`; of a
    `supplement` nothing leaves and its rows are known by their keys alone. A `preview` looks at it before it is done.
    `keys` are the further keys of the file, those of refused rows and of files beside: what was held of them stays.
    Where the file identifies rows otherwise, `spoken` are the identifiers of the refused ones, as `target.named` finds
    them; an empty part may be anything. A row is unchanged where its bytes are those held and were read alike.
    Raises Refused where more than GONE_AT_MOST of what was held is not in the file, or only its number is, and nothing
    there explains it, unless it is to replace it.
    """
    table, here, same = target.table, target.held("t"), f"{target.keyed('t')} = {target.keyed('s')}"
    if target.key == "{t}.code" or target.key == "{t}.bsm":
        cursor.execute(f"CREATE UNIQUE INDEX ON staged ({target.key.removeprefix('{t}.')})")
    # Not of the shapes, which take longest and which no plan asks about.
    cursor.execute(f"ANALYZE staged ({', '.join(one for one in columns if one not in ('geom', 'extra'))})")
    cursor.execute("SET LOCAL work_mem = '64MB'")  # of the server: joins and sorts of a layer stay off its disk
    if target.leaves and not about.get("supplement"):
        _keys(cursor, target, about, keys, spoken)
    delta = match(cursor, target, about, here, same, SAME)
    cursor.execute("SELECT count(*) FILTER (WHERE held IS NULL), count(held) FROM differing")
    counts.taken, counts.changed = cursor.fetchone()
    counts.unchanged = delta.unchanged
    delta.edited = overwritten(cursor, target, columns)
    if about.get("preview"):
        about["preview"].delta(cursor, target, about, columns)
    _may_leave(cursor, target, about, delta)
    _keep_before(cursor, target, about)
    _leave(cursor, target, counts)
    if delta.renumbered:
        cursor.execute("DROP TABLE IF EXISTS renamed")
        cursor.execute(
            f"CREATE TEMP TABLE renamed ON COMMIT DROP AS SELECT {target.keyed('t')} AS old, d.key AS new"
            f" FROM differing d JOIN {table} t ON t.id = d.held WHERE d.kind = 'renumbered'"
        )
        cursor.execute("CREATE INDEX ON renamed (old)")
        cursor.execute("ANALYZE renamed")
        free_keys(cursor, target, "SELECT held AS id, key FROM differing WHERE held IS NOT NULL")
    _change(cursor, target, columns)
    names = ", ".join(columns)
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(f's.{one}' for one in columns)}"
        " FROM staged s JOIN differing d USING (row_number) WHERE d.held IS NULL"
    )
    _settled(cursor)
    return delta


def _keep_before(cursor, target: Target, about: dict):
    """Keep what is going to change or leave; of a row whose shape stays, the shape is not written a second time."""
    table, alike = target.table, "d.same" if target.shaped else "false"
    cursor.execute(
        'INSERT INTO importers_replaced (delivery_id, "table", key, row)'
        f" SELECT %(delivery)s, '{table}', t.id, jsonb_populate_record(t, '{{\"geom\": null}}')::text"
        f" FROM {table} t JOIN differing d ON d.held = t.id WHERE {alike}",
        about,
    )
    keep(cursor, about, f"SELECT t.* FROM {table} t JOIN differing d ON d.held = t.id WHERE NOT {alike}", table)
    keep(cursor, about, f"SELECT t.* FROM {table} t JOIN leaving l ON l.id = t.id", table)


def _change(cursor, target: Target, columns: list[str]):
    """Bring the held rows to what the file says of them; a shape that is the same is not written again."""
    version = ", version = t.version + 1" if "version" in columns else ""
    for same in (True, False) if target.shaped else (True,):
        kept = ("version", *SHAPE) if target.shaped and same else ("version",)
        changing = ", ".join(f"{column} = s.{column}" for column in columns if column not in kept)
        cursor.execute(
            f"UPDATE {target.table} t SET {changing}{version} FROM staged s JOIN differing d USING (row_number)"
            f" WHERE t.id = d.held AND d.same = {same}"
        )


def free_keys(cursor, target: Target, wanted: str):
    """Give the rows whose key another one is to have a number that nobody has: keys are unique at any moment.

    `wanted` is a query of (id, key): the keys that rows of the table are going to have.
    """
    if not target.unique:
        return
    column = target.key.removeprefix("{t}.")
    cursor.execute(
        f"WITH wanted AS ({wanted}) UPDATE {target.table} t SET {column} = {PARKED} FROM wanted own"
        f" WHERE own.id = t.id AND own.key <> t.{column}"
        f" AND EXISTS (SELECT FROM wanted w WHERE w.key = t.{column} AND w.id <> t.id)"
    )


def keep(cursor, about: dict, rows: str, table: str, key: str = "id"):
    """Keep the rows of a query of the table as they are, before the delivery changes them."""
    cursor.execute(
        'INSERT INTO importers_replaced (delivery_id, "table", key, row)'
        f" SELECT %(delivery)s, '{table}', r.{key}, (r.*)::text FROM ({rows}) r",
        about,
    )


def forget(cursor, delivery: int, keys: list[str]):
    """Keep rows of these keys no longer: the delivery changed nothing of them after all."""
    cursor.execute("DELETE FROM importers_replaced WHERE delivery_id = %s AND key = ANY(%s)", [delivery, keys])


def _may_leave(cursor, target: Target, about: dict, delta: Delta):
    """Refuse a delivery that lacks too much of what is held, and has nothing in the place of it."""
    if about["replace"]:
        return
    cursor.execute(f"SELECT count(*) FROM {target.table} t WHERE {target.held('t')}", about)
    held = cursor.fetchone()[0]
    elsewhere = _elsewhere(cursor, target) if delta.moved else 0
    if delta.gone + elsewhere <= GONE_AT_MOST * held:
        return
    kind = KINDS["1-too-many-gone"]
    sentence = str(kind.sentence) % {"value": delta.gone, "more": held}
    if elsewhere:
        sentence += " " + _("The numbers of %(count)d are there, but on quite other land.") % {"count": elsewhere}
    raise Refused(sentence, kind.fix, code="1-too-many-gone")


def _elsewhere(cursor, target: Target) -> int:
    """How many held rows are in the file by their mere number only: the row of that number has nothing of their land.

    The very same row of a file, read in another reference system, is the same row wherever it lies.
    """
    if not target.numbered:
        return 0
    cursor.execute(
        f"SELECT count(*) FROM differing d JOIN staged s USING (row_number) JOIN {target.table} t ON t.id = d.held"
        " WHERE d.kind = 'moved' AND NOT s.geom && t.geom AND s.row_digest <> t.row_digest"
    )
    return cursor.fetchone()[0]


def _keys(cursor, target: Target, about: dict, keys: Iterable[str] | None, spoken: list[tuple]):
    """Lay out the keys of the held rows that the file speaks of, whether they could be taken or not.

    With an index: what the planner knows of the table whose rows just came in is old, and it may look up row by row.
    """
    cursor.execute("DROP TABLE IF EXISTS in_file")
    cursor.execute("CREATE TEMP TABLE in_file (key text) ON COMMIT DROP")
    _lay_keys(cursor, target, about, keys, spoken)
    cursor.execute("CREATE INDEX ON in_file (key)")
    cursor.execute("ANALYZE in_file")


def _lay_keys(cursor, target: Target, about: dict, keys: Iterable[str] | None, spoken: list[tuple]):
    cursor.execute(f"INSERT INTO in_file SELECT {target.keyed('s')} FROM staged s")
    if keys is not None:
        with cursor.copy("COPY in_file FROM STDIN") as copy:
            for one in keys:
                copy.write_row((one,))
    if target.named is None or not spoken:
        return
    joins, one, other = target.named
    cursor.execute("DROP TABLE IF EXISTS spoken")
    cursor.execute("CREATE TEMP TABLE spoken (one text, other text) ON COMMIT DROP")
    with cursor.copy("COPY spoken FROM STDIN") as copy:
        for row in sorted(set(spoken)):
            copy.write_row(row)
    cursor.execute("ANALYZE spoken")
    for condition in (
        f"s.one = {one} AND s.other = {other}",
        f"s.one = {one} AND s.other = ''",
        f"s.other = {other} AND s.one = ''",
    ):
        cursor.execute(
            f"INSERT INTO in_file SELECT {target.keyed('t')} FROM {target.table} t {joins}"
            f" JOIN spoken s ON {condition} WHERE {target.held('t')}",
            about,
        )


def _leave(cursor, target: Target, counts: Counts):
    table = target.table
    cursor.execute("SELECT id FROM leaving")
    leaving = [row for (row,) in cursor.fetchall()]
    needed = [one.sentence for one in resting(model_of(table), leaving)] if leaving else []
    if needed:
        raise Refused(
            _("Rows that are no longer in the file are still needed by other records:")
            + "".join(f"\n· {one}" for one in needed),
            _("Keep them in the delivery, or settle those records first."),
            code="still-used",
        )
    if table in ("units_parcel", "units_building"):
        owner = "parcel_id" if table == "units_parcel" else "building_id"
        cursor.execute(f"DELETE FROM units_flag f USING leaving l WHERE f.{owner} = l.id")
    cursor.execute(f"DELETE FROM {table} t USING leaving l WHERE t.id = l.id")
    counts.gone = cursor.rowcount


def _settled(cursor):
    """Refuse a delivery that takes away what other records rest on."""
    try:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.errors.ForeignKeyViolation as error:
        raise Refused(
            _("Rows that are no longer in the file are still needed by other records: %(why)s")
            % {"why": str(error).splitlines()[0]},
            _("Keep them in the delivery, or settle those records first."),
            code="still-used",
        ) from error
