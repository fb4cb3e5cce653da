"""Keep what was measured of every subject, and measure again only what a change has touched."""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from units import sharing
from units.criteria import measures
from units.measuring import Base, at_ease, forget, lock, measure
from units.models import Delivery, FlagRun, Measured, Measurement

SQL = Path(__file__).parent / "sql"
# What is compared and written, in the order of the table; the revision says when something of it changed last.
COLUMNS = tuple(one.column for one in Measured._meta.concrete_fields if one.column not in ("survey_id", "revision"))
# What a question binds of the rows of the survey themselves: a row with another use was changed, and is told.
OF_THE_ROWS = ("use_", "plan_")
MANY = 0.3  # share of the subjects above which it costs less to measure all of them
FEW = 500  # subjects that are never many
# Measures that compare a subject with others, as a relation of the whole district tells them: they may move though
# nothing of the subject was changed. The family is the one that the measures are of.
PEERS = {"sector_peer": ("economy", ("sector_tax_mean", "sector_peers", "tax_ratio"))}


@dataclass(frozen=True)
class Remeasured:
    """What was measured again: the revision it then has, whether all was, and of how many something else was found."""

    revision: int
    full: bool
    why: str  # all: asked, first, code, ground, whole, patches, many; else ""
    looked: int
    changed: int
    means: list


def remeasure(district_code: str) -> Remeasured:
    """Measure again what was changed since, so that what is stored is what measuring all would find.

    Raises UnknownName, Refused (no survey in force) and Busy.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock(cursor, district_code)
        at_ease(cursor)
        found = brought_up(cursor, Base.of(district_code))
        cursor.execute("DROP TABLE pg_temp.moved")
        return found


def brought_up(cursor, base: Base, full: bool = False) -> Remeasured:
    """The same inside a run that holds the district; with `full` all is measured whatever was changed.

    What is told as changed is taken away, and the ground looked at, before anything is measured: a change that commits
    while it is measured is told still, and is measured again the next time. The temporary relation `moved` then tells
    of which subjects only what compares them with others is told otherwise: the measures, and the revision before.
    """
    consume(cursor, base)
    cursor.execute("CREATE TEMP TABLE moved (subject bigint, before bigint, names text[]) ON COMMIT DROP")
    last = Measurement.objects.filter(survey_id=base.survey).first()
    patches, ground = patches_of(cursor, base), standing(cursor, base)
    why = "asked" if full else why_all(cursor, base, last, patches, ground)
    if not why:
        parcels, buildings = touched(cursor, base, last, patches)
        known = Measured.objects.filter(survey_id=base.survey).count()
        why = "many" if len(parcels) + len(buildings) > max(FEW, MANY * known) else ""
    if why:
        found = all_of_it(cursor, base, last, why)
    else:
        found = some_of_it(cursor, base, last, parcels, buildings)
    kept(base, last, found, patches, ground)
    cursor.execute("DROP TABLE pg_temp.stale")
    return found


def consume(cursor, base: Base) -> None:
    """Take away what is told as changed in the district, into the temporary relation `stale`."""
    cursor.execute("CREATE TEMP TABLE stale (LIKE units_stale) ON COMMIT DROP")
    cursor.execute(
        "WITH gone AS (DELETE FROM units_stale WHERE district_id = %s RETURNING *) "
        "INSERT INTO pg_temp.stale SELECT * FROM gone WHERE survey_id IS NULL OR survey_id = %s",
        [base.district, base.survey],
    )


def why_all(cursor, base: Base, last: Measurement | None, patches: list[int], ground: str) -> str:
    """Why all has to be measured: never measured, by other code, on other ground, or too much was changed at once."""
    if last is None:
        return "first"
    if last.edition != measures.edition():
        return "code"
    if last.standing != ground:
        return "ground"
    cursor.execute("SELECT EXISTS (SELECT FROM pg_temp.stale WHERE whole)")
    if cursor.fetchone()[0]:
        return "whole"
    cursor.execute(
        "SELECT count(*) FROM units_landusepatch WHERE survey_id = %s AND id > %s", [base.survey, last.patches[1]]
    )
    # patches that are not merely new: some were changed or are gone, whoever did it
    return "" if last.patches[0] + cursor.fetchone()[0] == patches[0] else "patches"


def standing(cursor, base: Base) -> str:
    """A digest of what all subjects stand on alike: what was delivered, and how far it reaches."""
    alike = {name: value for name, value in base.alike().items() if not name.startswith(OF_THE_ROWS)}
    cursor.execute(question("telling"), {"district": base.district})
    telling = [row[0] for row in cursor.fetchall()]
    delivered = Delivery.objects.filter(district_id=base.district, state=Delivery.State.LOADED)
    profiles = sorted(set(delivered.values_list("profile", flat=True)))
    told = json.dumps([alike, telling, profiles], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()


def patches_of(cursor, base: Base) -> list[int]:
    """How many patches the survey has, and their highest id."""
    cursor.execute("SELECT count(*), COALESCE(max(id), 0) FROM units_landusepatch WHERE survey_id = %s", [base.survey])
    return list(cursor.fetchone())


def touched(cursor, base: Base, last: Measurement, patches: list[int]) -> tuple[list[int], list[int]]:
    """The parcels and buildings that may be measured otherwise now."""
    cursor.execute(question("touched"), {"survey": base.survey, "patches_until": last.patches[1]})
    parcels, buildings = cursor.fetchone()
    return parcels, buildings


def all_of_it(cursor, base: Base, last: Measurement | None, why: str) -> Remeasured:
    """Measure every subject and write what differs."""
    revision = (last.revision if last else judged_until(base)) + 1
    parts = sharing.shares(cursor, base)
    if parts:
        changed, looked, mean = all_apart(cursor, base, parts, revision)
    else:
        measure(cursor, base)
        changed, mean = replaced(cursor, base, revision), means(cursor)
        cursor.execute("CREATE TEMP TABLE looked ON COMMIT DROP AS SELECT subject FROM pg_temp.measured")
        looked = cursor.rowcount
        forget(cursor)
    if changed > MANY * looked:
        cursor.execute("SELECT geoinv_analyze('units_measured')")
    cursor.execute("ANALYZE pg_temp.looked")  # else the two are compared row by row with all of each other
    cursor.execute(
        "DELETE FROM units_measured s WHERE s.district_id = %(district)s AND (s.survey_id <> %(survey)s "
        "OR NOT EXISTS (SELECT FROM pg_temp.looked l WHERE l.subject = s.subject))",
        {"district": base.district, "survey": base.survey},
    )
    changed += cursor.rowcount
    cursor.execute("DROP TABLE pg_temp.looked")
    Measurement.objects.filter(district_id=base.district).exclude(survey_id=base.survey).delete()
    return Remeasured(revision if changed or not last else last.revision, True, why, looked, changed, mean)


def judged_until(base: Base) -> int:
    """The latest revision that a run of the district has judged: what is measured from nothing is later than that."""
    return FlagRun.objects.filter(district_id=base.district).aggregate(last=Max("revision"))["last"] or 0


def all_apart(cursor, base: Base, parts: list[sharing.Part], revision: int) -> tuple[int, int, list]:
    """The same by several processes; how many rows differed, how many subjects there are, and the means."""
    cursor.execute(
        f"CREATE TEMP TABLE measured ON COMMIT DROP AS SELECT {', '.join(COLUMNS)} FROM units_measured WITH NO DATA"
    )
    cursor.execute("CREATE TEMP TABLE looked (subject bigint) ON COMMIT DROP")
    with sharing.processes(cursor, base, parts, COLUMNS) as started, connection.connection.cursor() as raw:
        for one in started:
            with raw.copy("COPY pg_temp.measured FROM STDIN (FORMAT binary)") as copy:
                for block in one.rows():
                    copy.write(block)
            subjects, mean = one.told()
            cursor.execute("INSERT INTO pg_temp.looked SELECT unnest(%s::bigint[])", [subjects])
    changed = replaced(cursor, base, revision)
    cursor.execute("SELECT count(*) FROM pg_temp.looked")
    looked = cursor.fetchone()[0]
    forget(cursor)
    return changed, looked, mean


def replaced(cursor, base: Base, revision: int) -> int:
    """Write the rows of `measured` that differ from those stored; how many."""
    names = ", ".join(COLUMNS)
    cursor.execute(
        f"""
        INSERT INTO units_measured (survey_id, revision, {names})
        SELECT %s, %s, differing.* FROM ({sharing.differing(COLUMNS)}) AS differing
        ON CONFLICT (subject) DO UPDATE
        SET (survey_id, revision, {names}) = (EXCLUDED.survey_id, EXCLUDED.revision,
                                              {", ".join(f"EXCLUDED.{name}" for name in COLUMNS)})
        """,
        [base.survey, revision, base.survey],
    )
    return cursor.rowcount


def some_of_it(cursor, base: Base, last: Measurement, parcels: list[int], buildings: list[int]) -> Remeasured:
    """Measure these again, and of the others what compares them with these; write what differs."""
    subjects = [*parcels, *(-one for one in buildings)]
    if not subjects:
        return Remeasured(last.revision, False, "", 0, 0, last.means)
    revision = last.revision + 1
    measure(cursor, base, base.around(parcels, buildings))
    changed = replaced(cursor, base, revision)
    cursor.execute(
        "DELETE FROM units_measured s WHERE s.subject = ANY(%s) "
        "AND NOT EXISTS (SELECT FROM pg_temp.measured m WHERE m.subject = s.subject)",
        [subjects],
    )
    changed += cursor.rowcount
    looked = len(subjects)
    for relation, (family, names) in PEERS.items():
        peers = carried(cursor, base, family, names, relation, revision)
        changed, looked = changed + peers, looked + peers
    mean = means(cursor)
    mean_moved = moved(mean, last.means)
    forget(cursor)
    if mean_moved:
        measure(cursor, base, families=("floor",))
        floor = tuple(one.name for one in measures.MEASURES.values() if one.family == "floor")
        changed += carried(cursor, base, "floor", floor, "floor", revision)
        cursor.execute("SELECT count(*) FROM pg_temp.floor")
        looked = cursor.fetchone()[0]
        forget(cursor)
    return Remeasured(
        revision if changed else last.revision, False, "", looked, changed, mean if mean_moved else last.means
    )


def means(cursor) -> list:
    """The means that every subject is compared with, as they were measured last."""
    cursor.execute("SELECT tax, peers FROM pg_temp.floor_mean")
    return [list(row) for row in cursor.fetchall()]


def moved(now: list, before: list) -> bool:
    """Whether means differ by more than the order in which numbers are added up."""
    if len(now) != len(before):
        return True
    pairs = [pair for one, other in zip(now, before, strict=True) for pair in zip(one, other, strict=True)]
    return any(
        a != b and (a is None or b is None or not math.isclose(a, b, rel_tol=1e-13, abs_tol=0)) for a, b in pairs
    )


def carried(cursor, base: Base, family: str, names: tuple[str, ...], relation: str, revision: int) -> int:
    """Write what the relation tells otherwise of these measures of the family, of subjects that are stored; how many.

    Those of which nothing else differs are told in `moved`, with the revision that they had.
    """
    told = ", ".join(f"{measures.rounded(measures.MEASURES[name])} AS {name}" for name in names)
    cursor.execute(
        f"""
        WITH carried AS (
            UPDATE units_measured s
            SET revision = %(revision)s, gaps = m.gaps, {", ".join(f"{name} = m.{name}" for name in names)}
            FROM (
                SELECT {family}.subject, {told}, o.revision AS before, o.gaps AS gaps_before,
                       (o.gaps - %(own)s::text[]) || COALESCE({family}.gaps, '{{}}') AS gaps
                FROM pg_temp.{relation} AS {family}
                JOIN units_measured o ON o.subject = {family}.subject AND o.survey_id = %(survey)s
            ) AS m
            WHERE m.subject = s.subject
              AND (m.gaps, {", ".join(f"m.{name}" for name in names)})
                  IS DISTINCT FROM (s.gaps, {", ".join(f"s.{name}" for name in names)})
            RETURNING s.subject, m.before, m.gaps = m.gaps_before AS as_before
        )
        INSERT INTO pg_temp.moved SELECT subject, before, %(own)s::text[] FROM carried WHERE as_before
        """,
        {"revision": revision, "survey": base.survey, "own": list(names)},
    )
    return cursor.rowcount


def kept(base: Base, last: Measurement | None, found: Remeasured, patches: list[int], ground: str) -> None:
    """Keep how it was measured, for the next time."""
    now = timezone.now()
    Measurement.objects.update_or_create(
        survey_id=base.survey,
        defaults={
            "district_id": base.district,
            "edition": measures.edition(),
            "standing": ground,
            "patches": patches,
            "means": found.means,
            "revision": found.revision,
            "measured_at": now,
            "full_at": now if found.full or not last else last.full_at,
        },
    )


@cache
def question(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
