"""Change only what differs from what is held already: by business key, then by the digest of the row."""

from dataclasses import dataclass

import psycopg
from django.utils.translation import gettext as _

from importers.problems import KINDS
from importers.telling import Counts
from units.errors import Refused

# The share of what a survey holds of a layer that may leave it with one delivery. Ours: no rule names one; a yearly
# change takes a few in a hundred away, and a file cut short or filtered far more.
GONE_AT_MOST = 0.2
SAME = "t.row_digest = s.row_digest AND t.delivery_id IN (SELECT d.id FROM units_delivery d WHERE d.reading = %s)"


@dataclass(frozen=True)
class Target:
    """The table a profile fills. `scope` are the columns within which a delivery covers its layer in full.

    `key` may be several columns. `leaves` is whether rows that are no longer in the file leave.
    """

    table: str
    key: str
    scope: tuple[str, ...] = ("survey_id",)
    leaves: bool = True

    def held(self, name: str, values: dict) -> tuple[str, list]:
        """The condition that a row of the table, by that name in the query, is within the delivery's scope."""
        return " AND ".join(f"{name}.{column} = %s" for column in self.scope), [values[one] for one in self.scope]


TARGETS = {
    "patch": Target("units_landusepatch", "bsm"),
    "parcel": Target("units_parcel", "code"),
    "building": Target("units_building", "code"),
}


def stage(cursor, target: Target):
    """A table beside the target for the rows of the file."""
    cursor.execute("DROP TABLE IF EXISTS staged")
    cursor.execute(f"CREATE TEMP TABLE staged (LIKE {target.table} INCLUDING DEFAULTS) ON COMMIT DROP")
    cursor.execute("ALTER TABLE staged ALTER id DROP NOT NULL")


def merge(
    cursor,
    target: Target,
    values: dict,
    columns: list[str],
    keys_in_file,
    counts: Counts,
    *,
    reading: str,
    replace: bool = False,
):
    """Bring the staged rows into the table; `values` are those of the scope, `keys_in_file` all keys of the file.

    A row is unchanged where its bytes are those held and were read alike, which is what `reading` tells.
    A row of the file that was refused is in it all the same: what was held of it stays.
    Raises Refused where more than GONE_AT_MOST of what was held is not in the file, unless it is to `replace` it.
    """
    table, key = target.table, target.key
    within, given = target.held("t", values)
    cursor.execute(f"CREATE UNIQUE INDEX ON staged ({key})")
    cursor.execute("ANALYZE staged")
    cursor.execute(
        "SELECT count(*) FILTER (WHERE t.id IS NULL),"
        f" count(*) FILTER (WHERE ({SAME}) IS NOT TRUE AND t.id IS NOT NULL),"
        f" count(*) FILTER (WHERE {SAME})"
        f" FROM staged s LEFT JOIN {table} t ON {within} AND t.{key} = s.{key}",
        [reading, reading, *given],
    )
    counts.taken, counts.changed, counts.unchanged = cursor.fetchone()
    changing = ", ".join(f"{column} = s.{column}" for column in columns if column != "version")
    if "version" in columns:
        changing += ", version = t.version + 1"
    cursor.execute(
        f"UPDATE {table} t SET {changing} FROM staged s WHERE {within} AND t.{key} = s.{key} AND ({SAME}) IS NOT TRUE",
        [*given, reading],
    )
    names = ", ".join(columns)
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM staged s"
        f" WHERE NOT EXISTS (SELECT FROM {table} t WHERE {within} AND t.{key} = s.{key})",
        given,
    )
    if target.leaves:
        _leave(cursor, target, within, given, keys_in_file, counts, replace)


def _leave(cursor, target: Target, within: str, given: list, keys_in_file, counts: Counts, replace: bool):
    table, key = target.table, target.key
    cursor.execute("DROP TABLE IF EXISTS in_file")
    cursor.execute("CREATE TEMP TABLE in_file (key text) ON COMMIT DROP")
    with cursor.copy("COPY in_file FROM STDIN") as copy:
        for one in keys_in_file:
            copy.write_row((one,))
    absent = f"{within} AND NOT EXISTS (SELECT FROM in_file i WHERE i.key = t.{key})"
    cursor.execute(f"SELECT count(*) FILTER (WHERE {absent}), count(*) FROM {table} t WHERE {within}", given + given)
    gone, held = cursor.fetchone()
    held -= counts.taken
    if gone > GONE_AT_MOST * held and not replace:
        kind = KINDS["1-too-many-gone"]
        raise Refused(str(kind.sentence) % {"value": gone, "more": held}, kind.fix, code="1-too-many-gone")
    if table in ("units_parcel", "units_building"):
        owner = "parcel_id" if table == "units_parcel" else "building_id"
        cursor.execute(f"DELETE FROM units_flag f USING {table} t WHERE f.{owner} = t.id AND {absent}", given)
    cursor.execute(f"DELETE FROM {table} t WHERE {absent}", given)
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
