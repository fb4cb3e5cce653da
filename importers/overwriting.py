"""Tell which rows that people edited since their delivery are set to what a later one says, or leave with it."""

from pathlib import Path

SQL = Path(__file__).parent / "sql"
IN_VERSIONS_SQL, NOTED_SQL = (
    (SQL / f"edits_{name}.sql").read_text(encoding="utf-8") for name in ("in_versions", "noted")
)
# What a delivery says of its own rows, and nobody edits.
OF_DELIVERY = ("delivery_id", "survey_id", "district_id", "row_number", "row_digest", "version")


def overwritten(cursor, target, columns: list[str]) -> list[dict]:
    """Rows of `differing` and `leaving` with which work of people is lost: {key, what: changed or gone, who, when}.

    They are laid out as well, as the temporary table `overwritten (id, row_number, key, what, who, at)`. `columns` are
    those that the delivery fills. Empty are `who` where nobody was signed in and `when` where it is not known.
    """
    table = target.table
    cursor.execute("DROP TABLE IF EXISTS overwritten")
    cursor.execute(
        "CREATE TEMP TABLE overwritten (id bigint, row_number int, key text, what text, who text, at timestamptz)"
        " ON COMMIT DROP"
    )
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{table}event"])
    versions = cursor.fetchone()[0]
    edited = "(b.pgh_id IS NULL OR t.{0} IS DISTINCT FROM b.{0}) AND " if versions else ""
    lost = " OR ".join(
        f"({edited}t.{{0}} IS DISTINCT FROM s.{{0}})".format(column) for column in columns if column not in OF_DELIVERY
    )
    joins, key = "", target.keyed("t")
    if target.named:
        joins, one, other = target.named
        key = f"concat_ws(' ', {one}, {other})"
    query = IN_VERSIONS_SQL if versions else NOTED_SQL
    cursor.execute(query.format(table=table, key=key, joins=joins, lost=f"({lost})"), {"table": table})
    if not cursor.rowcount:
        return []
    cursor.execute("SELECT key, what, who, at FROM overwritten ORDER BY key, id")
    return [
        {"key": key, "what": what, "who": who, "when": at.isoformat() if at else ""}
        for key, what, who, at in cursor.fetchall()
    ]
