"""Tell which row held is which row of a file: the same one changed, moved or renumbered, or several in the place of it.

A row is told by its key first. What is left over on both sides is told by its place: the same shape under another key
is the same row renumbered; a shape in the place of several is merged from them, several in the place of one are split
from it. The rules see areas only, so that they can be tested without a database; SQL measures them, over what is left.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from units.spatial import OVERLAP_AREA, OVERLAP_WIDTH

# Degrees; a micrometre. What reprojecting the same point twice may differ by (a polynomial is held to PROJ in 1e-12).
NOISE = 1e-11
# Shares of area, of 1. Ours: no rule names them. Deliveries of one survey agree far better, unlike land far worse.
LIES_IN = 0.95  # of a part that lies in the whole
COVERS = 0.95  # of the whole that its parts cover together
ALIKE = 0.9  # intersection over union from which one shape is another drawn anew, where no other one is as near
MEANT = 0.05  # of the smaller of two shapes; what they share below that is a boundary drawn anew, no regrouping

SQL = Path(__file__).parent / "sql"
SAME_PLACES_SQL = (SQL / "delta_same_places.sql").read_text(encoding="utf-8")
OVERLAPS_SQL = (SQL / "delta_overlaps.sql").read_text(encoding="utf-8")
NEAR = f"""(ST_NPoints({{s}}) = ST_NPoints({{t}}) AND {{s}} && ST_Expand({{t}}, {NOISE}) AND NOT EXISTS (
    SELECT FROM ST_DumpPoints({{s}}) a FULL JOIN ST_DumpPoints({{t}}) b ON a.path = b.path
    WHERE (abs(ST_X(a.geom) - ST_X(b.geom)) <= {NOISE} AND abs(ST_Y(a.geom) - ST_Y(b.geom)) <= {NOISE}) IS NOT TRUE))"""
SAME_SHAPE = f"({{s}} IS NOT DISTINCT FROM {{t}} OR ({NEAR}) IS TRUE)"
SOUND = "CASE WHEN ST_IsValid({g}) THEN {g} ELSE ST_MakeValid({g}) END"  # to be measured only; nothing of it is stored

KINDS = ("new", "attributes", "moved", "renumbered", "split", "merged", "regrouped", "gone", "unchanged")


@dataclass(frozen=True)
class Overlap:
    """A row of the file (its number) on a held row (its id): square metres they share, and that each has.

    `own`: they have the same key. `new`: the row of the file has no held row of its key; `leaves`: nor the other way.
    """

    row: int
    held: int
    common: float
    area: float
    held_area: float
    own: bool = False
    new: bool = True
    leaves: bool = True

    @property
    def alike(self) -> float:
        return self.common / (self.area + self.held_area - self.common)


@dataclass(frozen=True)
class Group:
    """Held rows and the rows of the file in their place."""

    kind: str
    held: tuple[int, ...]
    rows: tuple[int, ...]


@dataclass
class Delta:
    """What a delivery changes: rows of the file by kind, and of what is held, how many were split, merged or left.

    new + attributes + moved + renumbered + `parts` = taken + changed, where `parts` are the rows of the file that stand
    in the place of others. `split` counts held rows, `merged` rows of the file, `regrouped` groups, `gone` held rows
    that nothing explains.
    """

    new: int = 0
    attributes: int = 0
    moved: int = 0
    renumbered: int = 0
    split: int = 0
    merged: int = 0
    regrouped: int = 0
    parts: int = 0
    gone: int = 0
    unchanged: int = 0
    groups: list[dict] = field(default_factory=list)
    edited: list[dict] = field(default_factory=list)  # as `overwriting` tells them

    def told(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in (*KINDS, "parts")}


def judged(overlaps: list[Overlap]) -> tuple[list[Group], list[tuple[int, int]]]:
    """The groups that overlaps make, and the pairs (row, held) of shapes drawn anew under another key.

    A row of the file belongs to one group at most, and so does a held row.
    """
    of_row, of_held = defaultdict(list), defaultdict(list)
    for one in overlaps:
        of_row[one.row].append(one)
        of_held[one.held].append(one)
    groups: list[Group] = []
    rows, held = set(), set()  # those that are told already

    def tell(kind: str, some: list[Overlap]):
        groups.append(Group(kind, tuple(sorted({one.held for one in some})), tuple(sorted({one.row for one in some}))))
        rows.update(one.row for one in some)
        held.update(one.held for one in some)

    for number, all_of_it in of_held.items():
        parts = [
            one
            for one in all_of_it
            if one.row not in rows and (one.new or one.own) and one.common >= LIES_IN * one.area
        ]
        whole = number not in held and sum(one.common for one in parts) >= COVERS * all_of_it[0].held_area
        if whole and len(parts) > 1 and any(one.new for one in parts):
            tell("split", parts)
    for number, all_of_it in of_row.items():
        parts = [
            one
            for one in all_of_it
            if one.held not in held and (one.leaves or one.own) and one.common >= LIES_IN * one.held_area
        ]
        whole = number not in rows and sum(one.common for one in parts) >= COVERS * all_of_it[0].area
        if whole and len(parts) > 1 and any(one.leaves for one in parts):
            tell("merged", parts)
    left = [one for one in overlaps if one.row not in rows and one.held not in held]
    near = [one for one in left if one.new and one.leaves and one.alike >= ALIKE]
    alone_row = _once(one.row for one in near)
    alone_held = _once(one.held for one in near)
    anew = [(one.row, one.held) for one in near if one.row in alone_row and one.held in alone_held]
    rows.update(row for row, _held in anew)
    held.update(number for _row, number in anew)
    left = [one for one in left if one.row not in rows and one.held not in held]
    for some in _connected([one for one in left if one.common >= MEANT * min(one.area, one.held_area)]):
        areas = {one.row: one.area for one in some}
        held_areas = {one.held: one.held_area for one in some}
        common = sum(one.common for one in some)
        strangers = any(one.new for one in some) or any(one.leaves for one in some)
        covered = common >= COVERS * sum(areas.values()) and common >= COVERS * sum(held_areas.values())
        if len(areas) > 1 and len(held_areas) > 1 and strangers and covered:
            tell("regrouped", some)
    return groups, anew


def _once(values) -> set[int]:
    seen, again = set(), set()
    for one in values:
        (again if one in seen else seen).add(one)
    return seen - again


def _connected(overlaps: list[Overlap]) -> list[list[Overlap]]:
    """The overlaps in bundles that share neither a row nor a held row with each other."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(one):
        parent.setdefault(one, one)
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one in overlaps:
        parent[root(("row", one.row))] = root(("held", one.held))
    found = defaultdict(list)
    for one in overlaps:
        found[root(("row", one.row))].append(one)
    return list(found.values())


def match(cursor, target, about: dict, here: str, same_key: str, same_row: str) -> Delta:
    """Lay out in temporary tables what becomes of the staged rows that are not unchanged, and of the held rows.

    `differing (row_number, key, held, same, kind, together)` has each of them, with the held row that it is, whether
    its shape is the held one's, and the group it belongs to; `leaving (id, key, together)` has the held rows that are
    no longer in the file (of `in_file`). `here`, `same_key` and `same_row` are conditions on the target t and the
    staged s.
    """
    shape = SAME_SHAPE.format(s="s.geom", t="t.geom") if target.shaped else "true"
    _afresh(cursor, "differing", "leaving")
    cursor.execute(
        "CREATE TEMP TABLE differing ON COMMIT DROP AS"
        f" SELECT s.row_number, {target.keyed('s')} AS key, t.id AS held, t.id AS by_key,"
        f" t.id IS NOT NULL AND {shape} AS same, NULL::text AS kind, NULL::int AS together"
        f" FROM staged s LEFT JOIN {target.table} t ON {here} AND {same_key} WHERE ({same_row}) IS NOT TRUE",
        about,
    )
    absent = "false"
    if target.leaves and not about.get("supplement"):
        absent = f"NOT EXISTS (SELECT FROM in_file i WHERE i.key = {target.keyed('t')})"
    cursor.execute(
        "CREATE TEMP TABLE leaving ON COMMIT DROP AS"
        f" SELECT t.id, {target.keyed('t')} AS key, NULL::int AS together"
        f" FROM {target.table} t WHERE {here} AND {absent}",
        about,
    )
    cursor.execute("CREATE UNIQUE INDEX ON differing (row_number)")
    cursor.execute("CREATE INDEX ON staged (row_number)")
    cursor.execute("ANALYZE differing, leaving")
    if target.shaped and not about.get("supplement"):
        leaving, new, moved = _left_over(cursor)
        if (leaving and new) or (target.numbered and moved):
            _by_shape(cursor, target)
            leaving, new, _moved = _left_over(cursor)  # who lost a row of its key to another is left over now
        if new or leaving:
            _by_place(cursor, target)
    cursor.execute(
        "UPDATE differing SET kind = CASE WHEN held IS NULL THEN 'new' WHEN same THEN 'attributes' ELSE 'moved' END"
        " WHERE kind IS NULL"
    )
    cursor.execute("ANALYZE differing, leaving")
    return _counted(cursor)


def _left_over(cursor) -> tuple[bool, bool, bool]:
    """Whether held rows leave, rows of the file have no held one, rows have another shape than the held one."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM leaving), EXISTS (SELECT FROM differing WHERE held IS NULL),"
        " EXISTS (SELECT FROM differing WHERE held IS NOT NULL AND NOT same)"
    )
    return cursor.fetchone()


def _afresh(cursor, *names: str):
    for name in names:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")


def _by_shape(cursor, target):
    """Pair what is left over on both sides by the very same shape; it is the same row with another key.

    Where keys are mere numbers, also rows whose key is held by another shape: numbers were given anew.
    """
    others = " OR NOT d.same" if target.numbered else ""
    held = "SELECT id FROM leaving" + (
        " UNION SELECT held FROM differing WHERE held IS NOT NULL AND NOT same" if target.numbered else ""
    )
    _afresh(cursor, "claimed")
    # By digests: whole shapes would have to be sorted on disk.
    digest = "sha256(ST_AsEWKB({}.geom))"
    cursor.execute(
        "CREATE TEMP TABLE claimed ON COMMIT DROP AS"
        f" WITH n AS (SELECT row_number, {digest.format('s')} AS shape FROM differing d"
        f"   JOIN staged s USING (row_number) WHERE (d.held IS NULL{others}) AND s.geom IS NOT NULL),"
        f" h AS (SELECT t.id, {digest.format('t')} AS shape FROM {target.table} t"
        f"   WHERE t.id IN ({held}) AND t.geom IS NOT NULL),"
        " one AS (SELECT shape, min(row_number) AS row_number FROM n GROUP BY shape HAVING count(*) = 1),"
        " other AS (SELECT shape, min(id) AS id FROM h GROUP BY shape HAVING count(*) = 1)"
        " SELECT one.row_number, other.id FROM one JOIN other USING (shape)"
    )
    _claim(cursor, same=True)


def _claim(cursor, *, same: bool):
    """Say that the rows of `claimed` are the held ones; who had a key of theirs has it no longer."""
    cursor.execute("CREATE INDEX ON claimed (row_number)")
    cursor.execute("CREATE INDEX ON claimed (id)")
    cursor.execute("ANALYZE claimed")
    cursor.execute(
        "UPDATE differing d SET held = c.id, same = %s, kind = 'renumbered' FROM claimed c"
        " WHERE c.row_number = d.row_number",
        [same],
    )
    cursor.execute(
        "UPDATE differing d SET held = NULL FROM claimed c WHERE d.held = c.id AND d.row_number <> c.row_number"
    )
    cursor.execute(
        "INSERT INTO leaving SELECT d.by_key, d.key FROM differing d JOIN claimed c USING (row_number)"
        # Its former row may be another's by now, also by an earlier claim.
        " WHERE d.by_key IS NOT NULL AND NOT EXISTS (SELECT FROM differing o WHERE o.held = d.by_key)"
    )
    cursor.execute("DELETE FROM leaving l USING claimed c WHERE c.id = l.id")


def _by_place(cursor, target):
    """Measure what the shapes left over on both sides share, and tell what was drawn anew, split, merged, regrouped."""
    _afresh(cursor, "left_new", "left_held", "claimed")
    sound, held_sound = SOUND.format(g="s.geom"), SOUND.format(g="t.geom")
    cursor.execute(
        "CREATE TEMP TABLE left_new ON COMMIT DROP AS SELECT d.row_number, d.held, s.geom"
        " FROM differing d JOIN staged s USING (row_number) WHERE d.held IS NULL AND s.geom IS NOT NULL"
    )
    cursor.execute(
        "CREATE TEMP TABLE left_held ON COMMIT DROP AS SELECT t.id, NULL::int AS row_number, t.geom"
        f" FROM leaving l JOIN {target.table} t USING (id) WHERE t.geom IS NOT NULL"
    )
    for name in ("left_new", "left_held"):
        cursor.execute(f"CREATE INDEX ON {name} USING gist (geom)")
    cursor.execute("ANALYZE left_new, left_held")
    cursor.execute("CREATE TEMP TABLE claimed (row_number int, id bigint) ON COMMIT DROP")
    cursor.execute(SAME_PLACES_SQL, {"noise": NOISE})
    if cursor.rowcount:
        _claim(cursor, same=True)
        cursor.execute("DELETE FROM left_new n USING claimed c WHERE c.row_number = n.row_number")
        cursor.execute("DELETE FROM left_held h USING claimed c WHERE c.id = h.id")
    # Rows whose shape changed under the same key: those that lie where something came or went.
    cursor.execute(
        "CREATE TEMP TABLE reshaped ON COMMIT DROP AS SELECT d.row_number, t.id, s.geom AS new, t.geom AS old"
        f" FROM differing d JOIN staged s USING (row_number) JOIN {target.table} t ON t.id = d.held"
        " WHERE NOT d.same AND d.kind IS NULL AND s.geom IS NOT NULL AND t.geom IS NOT NULL"
        " AND (EXISTS (SELECT FROM left_held h WHERE h.geom && s.geom)"
        "      OR EXISTS (SELECT FROM left_new n WHERE n.geom && t.geom))"
    )
    cursor.execute("INSERT INTO left_new SELECT row_number, id, new FROM reshaped")
    cursor.execute("INSERT INTO left_held SELECT id, row_number, old FROM reshaped")
    cursor.execute("DROP TABLE reshaped")
    for name, shape in (("left_new", sound), ("left_held", held_sound)):
        alias = "s" if name == "left_new" else "t"
        cursor.execute(f"UPDATE {name} {alias} SET geom = {shape} WHERE NOT ST_IsValid(geom)")
    cursor.execute("ANALYZE left_new, left_held")
    cursor.execute(OVERLAPS_SQL, {"area": OVERLAP_AREA, "width": OVERLAP_WIDTH})
    overlaps = [
        Overlap(row, held, common, area, held_area, own, new, leaves)
        for row, held, own, new, leaves, common, area, held_area in cursor.fetchall()
    ]
    groups, anew = judged(overlaps)
    if anew:
        _afresh(cursor, "claimed")
        cursor.execute("CREATE TEMP TABLE claimed (row_number int, id bigint) ON COMMIT DROP")
        with cursor.copy("COPY claimed FROM STDIN") as copy:
            for pair in anew:
                copy.write_row(pair)
        _claim(cursor, same=False)
    if groups:
        _grouped(cursor, groups)


def _grouped(cursor, groups: list[Group]):
    _afresh(cursor, "grouped")
    cursor.execute("CREATE TEMP TABLE grouped (together int, kind text, row_number int, id bigint) ON COMMIT DROP")
    with cursor.copy("COPY grouped FROM STDIN") as copy:
        for number, one in enumerate(groups, 1):
            for row in one.rows:
                copy.write_row((number, one.kind, row, None))
            for held in one.held:
                copy.write_row((number, one.kind, None, held))
    cursor.execute("ANALYZE grouped")
    cursor.execute(
        "UPDATE differing d SET kind = g.kind, together = g.together FROM grouped g WHERE g.row_number = d.row_number"
    )
    cursor.execute("UPDATE leaving l SET together = g.together FROM grouped g WHERE g.id = l.id")


def _counted(cursor) -> Delta:
    delta = Delta()
    cursor.execute("SELECT kind, count(*) FROM differing WHERE together IS NULL GROUP BY 1")
    for kind, count in cursor.fetchall():
        setattr(delta, kind, count)
    cursor.execute("SELECT (SELECT count(*) FROM staged) - (SELECT count(*) FROM differing)")
    delta.unchanged = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM leaving WHERE together IS NULL")
    delta.gone = cursor.fetchone()[0]
    cursor.execute("SELECT count(*) FROM differing WHERE together IS NOT NULL")
    delta.parts = cursor.fetchone()[0]
    if delta.parts:
        delta.groups = _told(cursor)
        for one in delta.groups:
            setattr(delta, one["kind"], getattr(delta, one["kind"]) + 1)
    return delta


def _told(cursor) -> list[dict]:
    """Each group as the keys that were held and those of the file in their place."""
    cursor.execute(
        "SELECT g.kind, array_agg(l.key ORDER BY l.key) FILTER (WHERE l.key IS NOT NULL)"
        " || array_agg(k.key ORDER BY k.key) FILTER (WHERE k.key IS NOT NULL),"
        " array_agg(d.key ORDER BY d.key) FILTER (WHERE d.key IS NOT NULL)"
        " FROM grouped g LEFT JOIN differing d ON d.row_number = g.row_number LEFT JOIN leaving l ON l.id = g.id"
        # A held row that keeps its key is none of those that leave.
        " LEFT JOIN differing k ON k.held = g.id AND l.id IS NULL"
        " GROUP BY g.together, g.kind ORDER BY g.together"
    )
    return [{"kind": kind, "held": sorted(held), "rows": sorted(rows)} for kind, held, rows in cursor.fetchall()]
