"""Time a map tile as of a past day against the tile of today, and what history and its indexes cost a bulk load."""

import argparse
import json
import math
import os
import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

import django

AIM = 3.0  # times the tile of today
DISTRICT = "120104"
STEP = 0.0007  # degrees between parcels
ZOOMS = (13, 14, 15, 16)
INSERT = """
INSERT INTO units_parcel (survey_id, district_id, code, unit_code, address, registered_use, use_scheme, right_type,
                          right_nature, right_holder, owner_wish, version, extra, geom)
SELECT %(survey)s, %(district)s::text, %(district)s::text || '001001GB' || lpad(n::text, 5, '0'), '', 'No. ' || n,
       '0601', 'sandiao', '', '', 'Holder Ltd', '{}', 1, '{}',
       ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(117.0 + (n %% %(wide)s::int) * %(step)s::float8,
                                                  39.0 + (n / %(wide)s::int) * %(step)s::float8), 4490), 0.0003, 12))
FROM generate_series(1, %(count)s::int) n
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=60_000, help="of each of the two rounds")
    parser.add_argument("--edits", type=float, default=0.5, help="later versions, as a share of the parcels")
    parser.add_argument("--tiles", type=int, default=16, help="of each zoom")
    parser.add_argument("--rounds", type=int, default=5, help="the best of so many is taken")
    options = parser.parse_args()
    os.environ["GEOINV_DEBUG"] = "0"
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    django.setup()
    result = {"parcels": options.parcels, "aim": AIM, **filled(options), **measured(options), **compared(options)}
    print(json.dumps(result, indent=1))


def owner():
    import psycopg

    return psycopg.connect(os.environ["GEOINV_BENCH_OWNER_URL"], autocommit=True)


def filled(options) -> dict:
    """Two rounds and edits of the second, on four days of a year; how long a load takes with history and without."""
    from tests.clock import Clock
    from units.models import District, Survey

    connection = owner()
    place = District.objects.create(code=DISTRICT, name="Bench", srid=4548)
    wide = math.ceil(math.sqrt(options.parcels))
    clock, found = Clock(connection), {}
    told = {"district": DISTRICT, "wide": wide, "step": STEP, "count": options.parcels}
    for number, year in enumerate((2022, 2024)):
        survey = Survey.objects.create(district=place, year=year)
        began = time.perf_counter()
        connection.execute(INSERT, told | {"survey": survey.pk})
        found[f"load_{year}_s"] = round(time.perf_counter() - began, 2)
        Survey.objects.filter(state="in_force").update(state="retired")
        Survey.objects.filter(pk=survey.pk).update(state="in_force", activated_at=datetime.now(UTC))
        clock.note(DAYS[number])
    for number in range(2):
        connection.execute(
            "UPDATE units_parcel SET geom = ST_Translate(geom, 0.00002, 0), version = version + 1"
            " WHERE survey_id = %s AND random() < %s",
            [survey.pk, options.edits / 2],
        )
        clock.note(DAYS[2 + number])
    clock.set()
    # What a load costs without history, and with each index of the history.
    connection.execute("CREATE TABLE bare (LIKE units_parcel INCLUDING ALL)")
    began = time.perf_counter()
    connection.execute(INSERT.replace("units_parcel", "bare"), told | {"survey": survey.pk})
    found["load_without_history_s"] = round(time.perf_counter() - began, 2)
    connection.execute("DROP TABLE bare")
    began = time.perf_counter()
    connection.execute("CREATE INDEX bench_code ON units_parcelevent (code)")
    found["code_index_built_s"] = round(time.perf_counter() - began, 2)
    found["code_index_mb"] = round(connection.execute("SELECT pg_relation_size('bench_code')").fetchone()[0] / 2**20, 1)
    connection.execute("DROP INDEX bench_code")
    connection.execute("ANALYZE")
    found["versions"] = connection.execute("SELECT count(*) FROM units_parcelevent").fetchone()[0]
    return found


DAYS = [datetime(2025, 1, 10, tzinfo=UTC) + timedelta(days=90 * number) for number in range(4)]
# As of a day of the first round, of the second as it was loaded, between its edits, and after all.
PASTS = {"first round": 30, "second round": 120, "between edits": 210, "after all": 300}


def measured(options) -> dict:
    import psycopg

    from tiles import layers, rendering
    from units.rights import Grant, Role

    raw = psycopg.connect(os.environ["GEOINV_BENCH_URL"], autocommit=True)
    raw.execute("SET max_parallel_workers_per_gather = 0")
    chooser = random.Random(1)
    wide = math.ceil(math.sqrt(options.parcels))

    def seconds(statement, params) -> tuple[float, int]:
        best, size = math.inf, 0
        for _round in range(options.rounds):
            began = time.perf_counter()
            with raw.cursor() as cursor:
                size = len(bytes(cursor.execute(statement, params).fetchone()[0] or b""))
            best = min(best, time.perf_counter() - began)
        return best, size

    found = {}
    times = {name: [] for name in ("today", *PASTS)}
    for zoom in ZOOMS:
        here = {name: [] for name in times}
        for _tile in range(options.tiles):
            lng = 117.0 + chooser.randrange(wide) * STEP
            lat = 39.0 + chooser.randrange(wide) * STEP
            x = int((lng + 180) / 360 * 2**zoom)
            y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom)
            for name in times:
                layer = layers.layer("parcels")
                if name != "today":
                    layer = layer.at(datetime(2025, 1, 10, tzinfo=UTC) + timedelta(days=PASTS[name]))
                view = layer.collection.seen_by((Grant(Role.BUREAU),))
                best, _size = seconds(*rendering.statement(layer, view, zoom, x, y))
                here[name].append(best)
        found[f"z{zoom}"] = {name: round(statistics.median(some) * 1000, 1) for name, some in here.items()}
        for name, some in here.items():
            times[name] += some
    ratios = {name: round(sum(times[name]) / sum(times["today"]), 2) for name in PASTS}
    return {"tile_ms": found, "ratio_to_today": ratios, "worst_ratio": max(ratios.values())}


def compared(options) -> dict:
    """How long the whole district takes: counted as of a day, compared between two days, and one row's history."""
    from units.differing import between_days, between_rounds
    from units.rights import Grant, Role
    from units.versions import versions

    bureau = (Grant(Role.BUREAU),)
    days = [(DAYS[0] + timedelta(days=number)).date() for number in (100, 250)]
    found = {}
    for name, doing in (
        ("two_days_s", lambda: between_days("parcels", DISTRICT, *days, bureau).totals()),
        ("two_days_page_s", lambda: between_days("parcels", DISTRICT, *days, bureau).rows()),
        ("two_rounds_s", lambda: between_rounds("parcels", DISTRICT, 2022, 2024, bureau).totals()),
        ("one_row_s", lambda: versions("parcels", f"{DISTRICT}001001GB00077", bureau)),
    ):
        began = time.perf_counter()
        doing()
        found[name] = round(time.perf_counter() - began, 3)
        print(f"{name}: {found[name]}", file=sys.stderr)
    return found


if __name__ == "__main__":
    main()
