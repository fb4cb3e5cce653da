"""Change only what differs from what is held already: by business key, then by the digest of the row."""

import hashlib
import struct
from dataclasses import dataclass

import psycopg
from django.db import connection
from django.utils.translation import gettext as _

from importers.problems import KINDS
from importers.profiles import Profile
from importers.telling import Counts
from units.errors import Refused

# The share of what is held of a layer that may leave it with one delivery. Ours: no rule names one; a yearly change
# takes a few in a hundred away, and a file cut short or filtered far more.
GONE_AT_MOST = 0.2
READ_ALIKE = "t.delivery_id IN (SELECT d.id FROM units_delivery d WHERE d.reading = %(reading)s)"
SAME = f"t.row_digest = s.row_digest AND {READ_ALIKE}"
OF_PARCELS = "{t}.parcel_id IN (SELECT id FROM units_parcel WHERE survey_id = %(survey)s)"


@dataclass(frozen=True)
class Target:
    """The table a profile fills; {t} stands for the name by which a query calls it.

    `within` is what a delivery covers in full, `key` what identifies a row there, `leaves` whether rows that are no
    longer in the file leave. Where the file identifies a row otherwise than the table, `named` says how to get there:
    the joins of the table t, and the two columns that stand for the identifiers a row shows.
    """

    table: str
    key: str
    within: str = "{t}.survey_id = %(survey)s"
    leaves: bool = True
    named: tuple[str, str, str] | None = None

    @property
    def of_survey(self) -> bool:
        """Whether each survey holds rows of its own, else the district does."""
        return "%(survey)s" in self.within

    def keyed(self, name: str) -> str:
        return self.key.format(t=name)

    def held(self, name: str) -> str:
        return self.within.format(t=name)


TARGETS = {
    "patch": Target("units_landusepatch", "{t}.bsm"),
    "parcel": Target("units_parcel", "{t}.code"),
    "building": Target("units_building", "{t}.code"),
    "legacy": Target("units_legacyland", "{t}.code", "{t}.district_id = %(district)s"),
    "control": Target(
        "units_controlarea",
        "{t}.code",
        "{t}.district_id = %(district)s AND {t}.kind = %(kind)s AND {t}.edition = %(edition)s"
        " AND {t}.delivery_id IN (SELECT id FROM units_delivery WHERE settings ->> 'layer' = %(layer)s)",
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
    keys: set[str] | None = None,
    spoken: list[tuple] = (),
):
    """Bring the staged rows into the table; what they replace is kept, so that the delivery can be taken back.

    `about` are the values of the target's conditions, the delivery, its `reading` and whether it is to `replace`.
    `keys` are all keys of the file, those of refused rows too: what was held of them stays. Where it is None the staged
    rows have theirs, and `spoken` are the identifiers of the refused ones, as `target.named` finds them; an empty part
    may be anything. A row is unchanged where its bytes are those held and were read alike.
    Raises Refused where more than GONE_AT_MOST of what was held is not in the file, unless it is to replace it.
    """
    table, here, same = target.table, target.held("t"), f"{target.keyed('t')} = {target.keyed('s')}"
    if target.key == "{t}.code" or target.key == "{t}.bsm":
        cursor.execute(f"CREATE UNIQUE INDEX ON staged ({target.key.removeprefix('{t}.')})")
    cursor.execute("ANALYZE staged")
    cursor.execute(
        "SELECT count(*) FILTER (WHERE t.id IS NULL),"
        f" count(*) FILTER (WHERE ({SAME}) IS NOT TRUE AND t.id IS NOT NULL),"
        f" count(*) FILTER (WHERE {SAME})"
        f" FROM staged s LEFT JOIN {table} t ON {here} AND {same}",
        about,
    )
    counts.taken, counts.changed, counts.unchanged = cursor.fetchone()
    differing = f"FROM staged s WHERE {here} AND {same} AND ({SAME}) IS NOT TRUE"
    keep(cursor, about, f"SELECT t.* FROM {table} t, {differing.removeprefix('FROM ')}", table)
    changing = ", ".join(f"{column} = s.{column}" for column in columns if column != "version")
    if "version" in columns:
        changing += ", version = t.version + 1"
    cursor.execute(f"UPDATE {table} t SET {changing} {differing}", about)
    names = ", ".join(columns)
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM staged s"
        f" WHERE NOT EXISTS (SELECT FROM {table} t WHERE {here} AND {same})",
        about,
    )
    if target.leaves:
        _keys(cursor, target, about, keys, spoken)
        _leave(cursor, target, about, counts)


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


def _may_leave(cursor, target: Target, about: dict, absent: str, counts: Counts):
    """Refuse a delivery that lacks too much of what was held before it; `absent` is the condition of what it lacks."""
    # Two counts, and no FILTER: there the planner believes that it looks for one row, and reads every key for each.
    cursor.execute(
        f"SELECT (SELECT count(*) FROM {target.table} t WHERE {absent}),"
        f" (SELECT count(*) FROM {target.table} t WHERE {target.held('t')})",
        about,
    )
    gone, held = cursor.fetchone()
    held -= counts.taken
    if gone > GONE_AT_MOST * held and not about["replace"]:
        kind = KINDS["1-too-many-gone"]
        raise Refused(str(kind.sentence) % {"value": gone, "more": held}, kind.fix, code="1-too-many-gone")


def _keys(cursor, target: Target, about: dict, keys: set[str] | None, spoken: list[tuple]):
    """Lay out the keys of the held rows that the file speaks of, whether they could be taken or not.

    With an index: what the planner knows of the table whose rows just came in is old, and it may look up row by row.
    """
    cursor.execute("DROP TABLE IF EXISTS in_file")
    cursor.execute("CREATE TEMP TABLE in_file (key text) ON COMMIT DROP")
    _lay_keys(cursor, target, about, keys, spoken)
    cursor.execute("CREATE INDEX ON in_file (key)")
    cursor.execute("ANALYZE in_file")


def _lay_keys(cursor, target: Target, about: dict, keys: set[str] | None, spoken: list[tuple]):
    if keys is not None:
        with cursor.copy("COPY in_file FROM STDIN") as copy:
            for one in keys:
                copy.write_row((one,))
        return
    cursor.execute(f"INSERT INTO in_file SELECT {target.keyed('s')} FROM staged s")
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


def _leave(cursor, target: Target, about: dict, counts: Counts):
    table = target.table
    absent = f"{target.held('t')} AND NOT EXISTS (SELECT FROM in_file i WHERE i.key = {target.keyed('t')})"
    _may_leave(cursor, target, about, absent, counts)
    keep(cursor, about, f"SELECT t.* FROM {table} t WHERE {absent}", table)
    if table in ("units_parcel", "units_building"):
        owner = "parcel_id" if table == "units_parcel" else "building_id"
        cursor.execute(f"DELETE FROM units_flag f USING {table} t WHERE f.{owner} = t.id AND {absent}", about)
    cursor.execute(f"DELETE FROM {table} t WHERE {absent}", about)
    counts.gone = cursor.rowcount
    try:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except psycopg.errors.ForeignKeyViolation as error:
        raise Refused(
            _("Rows that are no longer in the file are still needed by other records: %(why)s")
            % {"why": str(error).splitlines()[0]},
            _("Keep them in the delivery, or settle those records first."),
            code="still-used",
        ) from error
