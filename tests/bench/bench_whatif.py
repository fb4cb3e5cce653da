"""Time a what-if on 100,000 measured subjects, and hold it to a full judgement of them all.

A drawn district of a few thousand parcels is loaded, flagged and then copied side by side: parcels, office buildings,
what was measured of them, and their flags. So the subjects are real ones, and nothing is measured a second time.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench_flag import CRITERIA, DISTRICT, drawn, load, manage

AIM = 1.0  # seconds for the counts and the changed list
APART = 0.4  # degrees from one copy to the next; a district is smaller
TRIALS = (
    {"far_min": "0.8"},
    {"far_min": "1.5"},
    {"mismatch_max": "0.2"},
    {"tax_ratio_min": "0.8"},
    {"coverage_min": "0.4", "unsafe_min": "0.3"},
    {"exempt_tax": "4", "exempt_divisions": "17,20"},
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=100_000)
    parser.add_argument("--parcels", type=int, default=1500, help="of the district that is drawn and copied")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        load(drawn(Path(scratch) / "drawn", options.parcels, options.parcels * 3))
        manage("flag", "--district", DISTRICT, "--criteria", CRITERIA)
        subjects = copied(options.subjects)
    print(json.dumps({"subjects": subjects, "aim": AIM, **timed(options.rounds)}, indent=1))


def copied(wanted: int) -> int:
    """Copy what is judged until there are so many subjects; how many there are then."""
    import psycopg

    began = time.perf_counter()
    with psycopg.connect(os.environ["GEOINV_BENCH_OWNER_URL"]) as connection:
        connection.execute("SET session_replication_role = replica") if superuser(connection) else quiet(connection)
        first = connection.execute("SELECT count(*) FROM units_measured").fetchone()[0]
        times = -(-wanted // first) - 1
        step = connection.execute(
            "SELECT GREATEST((SELECT max(id) FROM units_parcel), (SELECT max(id) FROM units_building)) + 1"
        ).fetchone()[0]
        for table, moved in (
            ("parcel", {"id": "t.id + n * %(step)s", "code": CODE, "geom": SHIFTED}),
            ("building", {"id": "t.id + n * %(step)s", "code": CODE, "geom": SHIFTED}),
            ("measured", {"subject": "t.subject + sign(t.subject)::int * n * %(step)s", **KEYS}),
            ("flag", {"id": None, **KEYS}),
        ):
            names = connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
                [f"units_{table}"],
            ).fetchall()
            names = [name for (name,) in names if moved.get(name, "") is not None]
            only = "WHERE t.survey_id = (SELECT survey_id FROM units_measured LIMIT 1)" if table != "flag" else ""
            if table == "building":
                only += " AND t.id IN (SELECT building_id FROM units_measured)"
            if "parcel_id" in names and table == "building":
                moved = moved | {"parcel_id": "t.parcel_id + n * %(step)s"}
            connection.execute(
                f"INSERT INTO units_{table} ({', '.join(names)}) "
                f"SELECT {', '.join(moved.get(name) or f't.{name}' for name in names)} "
                f"FROM units_{table} t, generate_series(1, %(times)s) AS n {only}",
                {"step": step, "times": times, "apart": APART},
            )
        connection.execute("DELETE FROM units_stale")  # they were measured where they came from
        total = connection.execute("SELECT count(*) FROM units_measured").fetchone()[0]
    with psycopg.connect(os.environ["GEOINV_BENCH_OWNER_URL"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE units_parcel, units_building, units_measured, units_flag")
    print(f"copied it to {total} subjects in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return total


CODE = "lpad((t.id + n * %(step)s)::text, 19, '0')"
SHIFTED = "ST_Translate(t.geom, n %% 40 * %(apart)s, n / 40 * %(apart)s)"
KEYS = {"parcel_id": "t.parcel_id + n * %(step)s", "building_id": "t.building_id + n * %(step)s"}


def superuser(connection) -> bool:
    return connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0]


def quiet(connection) -> None:
    """Without the history and the tracking of a million rows, which the bench does not look at."""
    for table in ("parcel", "building", "measured", "flag"):
        connection.execute(f"ALTER TABLE units_{table} DISABLE TRIGGER USER")


def timed(rounds: int) -> dict:
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    import django

    django.setup()
    from django.core.cache import cache
    from django.db import connection, transaction

    from units.criteria import judging, sets
    from units.measuring import at_ease
    from units.rights import Grant, Role
    from units.trying import try_values

    grants = (Grant(Role.OFFICE, DISTRICT),)
    cache.clear()
    began = time.perf_counter()
    try_values(DISTRICT, CRITERIA, {}, grants=grants)
    opened = time.perf_counter() - began
    trials = []
    for values in TRIALS:
        seconds = []
        for _round in range(rounds):
            began = time.perf_counter()
            found = try_values(DISTRICT, CRITERIA, values, grants=grants)
            seconds.append(time.perf_counter() - began)
        mine = {one.subject: (one.before, one.after) for one in found["trial"].changes if one.before != one.after}
        began = time.perf_counter()
        folded = []
        with transaction.atomic(), connection.cursor() as cursor:
            at_ease(cursor)
            for criteria in (sets.load(CRITERIA), sets.load(CRITERIA).with_values(values)):
                asked = judging.judgement(criteria)
                cursor.execute(
                    "WITH measured AS (SELECT * FROM units_measured) "
                    f"SELECT subject, outcome FROM ({asked.sql}) AS judged",
                    asked.values,
                )
                folded.append(dict(cursor.fetchall()))
        full = time.perf_counter() - began
        theirs = {one: (was, folded[1][one]) for one, was in folded[0].items() if was != folded[1][one]}
        counts = {name: list(folded[1].values()).count(name) for name in found["counts"]["after"]}
        trials.append(
            {
                "values": values,
                "changed": len(found["trial"].changes),
                "other_outcome": len(mine),
                "seconds": [round(one, 2) for one in seconds],
                "full_judgement_seconds": round(full, 2),
                "equal": mine == theirs and counts == found["counts"]["after"],
            }
        )
    best = [min(one["seconds"]) for one in trials]
    return {
        "first_seconds": round(opened, 2),
        "median_seconds": round(statistics.median(best), 2),
        "slowest_seconds": max(best),
        "all_equal": all(one["equal"] for one in trials),
        "trials": trials,
    }


if __name__ == "__main__":
    main()
