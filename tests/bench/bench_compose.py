"""Time one answer of /map/compose.json for a unit of some hundred parcels, with everything that is told of it."""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django
import numpy as np

AIM_MS = 100
STEP = 100.0  # metres a side of a parcel
BENDS = 12  # vertices on each side
TOKEN = "b" * 32  # in cookie and header: all that stands against a forged request is that both are the same


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=400)
    parser.add_argument("--around", type=int, default=30, help="parcels a side of the drawn district")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    os.environ["GEOINV_DEBUG"] = ""  # as it is served; debug keeps every statement
    os.environ["GEOINV_SECRET_KEY"] = "of a benchmark"
    django.setup()
    client, codes, outline = drawn(options.parcels, options.around)
    result = {"parcels": options.parcels, "vertices_a_parcel": 4 * BENDS, "aim_ms": AIM_MS}
    for name, body in (
        ("united", {"parcels": codes}),
        ("drawn", {"geometry": outline}),
        ("drawn_and_snapped", {"geometry": outline, "snap": True}),
    ):
        times, here, there, answer = asked(client, {"district": "120104"} | body, options.rounds)
        told = json.loads(answer.content)
        result[name] = {
            "median_ms": round(statistics.median(times), 1),
            # Processor times: what other work on the machine changes little.
            "of_it_in_python_ms": round(here, 1),
            "of_it_in_database_ms": round(there, 1),
            "best_ms": round(min(times), 1),
            "worst_ms": round(max(times), 1),
            "answer_kb": round(len(answer.content) / 1000),
            "members": len(told["members"]),
            "overlaps": len(told["overlaps"]),
            "planned_uses": sum(len(level["uses"]) for level in told["planned"]),
            "buildings": told["budget"]["now"]["buildings"],
            "vertices": told["vertices"],
            "snapped": len(told["snapped"]),
        }
        result[name]["over_http_median_ms"] = round(statistics.median(over_http(client, body, options.rounds)), 1)
    print(json.dumps(result, indent=1))


def over_http(client, body, rounds) -> list[float]:
    """The times of as many answers of the server that the site runs on, each with its connection kept open (ms)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "gunicorn", "geoinv.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    served = subprocess.Popen([sys.executable, *words, "--workers", "1", "--threads", "2", "--log-level", "error"])
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        session = client.cookies["sessionid"].value
        headers = {
            "Host": "localhost",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
        }
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        times = []
        for _turn in range(rounds + 2):
            began = time.perf_counter()
            connection.request("POST", "/map/compose.json", json.dumps({"district": "120104"} | body), headers)
            answer = connection.getresponse()
            content = answer.read()
            times.append((time.perf_counter() - began) * 1000)
            assert answer.status == 200, content[:500]
        return times[2:]
    finally:
        served.terminate()
        served.wait()


def asked(client, body, rounds):
    """The times of so many answers, the processor times of one here and in the database, and the last answer (ms)."""
    times = []
    for turn in range(rounds + 2):
        if turn == 2:  # the first fill caches of the process
            busy, at_work = time.process_time(), database_ms()
        began = time.perf_counter()
        answer = client.post("/map/compose.json", json.dumps(body), content_type="application/json")
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.content[:500]
    here = (time.process_time() - busy) * 1000 / rounds
    return times[2:], here, (database_ms() - at_work) / rounds, answer


def database_ms() -> float:
    """Processor time that the server has spent for this connection; not a number where it is on another machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    try:
        spent = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return float("nan")
    return (int(spent[11]) + int(spent[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def drawn(parcels: int, around: int):
    """A district of bent parcels, patches half a parcel beside them, and things to overlap; and a client that asks."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from tests import quarter
    from units.models import (
        Building,
        ControlArea,
        Delivery,
        District,
        LandUsePatch,
        Parcel,
        Scope,
        Street,
        Survey,
        User,
    )

    cells = grid(around, 0.0)
    district = District.objects.create(
        code="120104",
        name="南开区",
        srid=quarter.SRID,
        geom=quarter.stored(quarter.rectangle(-500, -500, STEP * around + 500, STEP * around + 500)),
    )
    street = Street.objects.create(code="120104001", district=district, name="街道")
    survey = Survey.objects.create(district=district, year=2022)
    delivery = Delivery.objects.create(
        survey=survey,
        district=district,
        profile="dltb",
        file_name="a",
        layer="DLTB",
        sha256="0" * 64,
        size=1,
        encoding={},
        crs={},
    )
    Parcel.objects.bulk_create(
        Parcel(survey=survey, district=district, street=street, code=quarter.code(number), geom=quarter.stored(cell))
        for number, cell in enumerate(cells)
    )
    LandUsePatch.objects.bulk_create(
        LandUsePatch(
            delivery=delivery,
            survey=survey,
            district=district,
            street=street,
            row_number=number + 1,
            row_digest=bytes(32),
            bsm=f"120104{number:012d}",
            dlbm=("0701", "0601", "05H1")[number % 3],
            geom=quarter.stored(cell),
            area_m2=10_000,
        )
        for number, cell in enumerate(grid(around, 0.5))
    )
    survey.state, survey.activated_at = "in_force", datetime(2023, 1, 1, tzinfo=UTC)
    survey.save()
    middle = STEP * around / 2
    for number, kind in enumerate(("heritage", "reservation", "development_boundary")):
        for part in range(5):
            west = middle - 600 + 220 * part
            quarter.control(kind, quarter.rectangle(west, middle - 900 + 300 * number, west + 180, middle + 500), kind)
    for number in range(20):
        west = middle - 900 + 90 * number
        quarter.legacy(quarter.rectangle(west, middle, west + 60, middle + 70), name=f"L{number}")
    # Both levels of plan, with limits: block by block of four parcels, plot by plot a third of a parcel beside them.
    for level, wide, uses in (
        ("block_plan", 2, ("0701", "0804", "1001")),
        ("plot_plan", 1, ("070102", "1001", "0901")),
    ):
        ControlArea.objects.bulk_create(
            ControlArea(
                district=district,
                kind=level,
                edition="2024",
                in_force=True,
                code=f"{level}{row}-{column}",
                use=uses[(row + column) % 3],
                use_scheme="ydyh2023",
                extra={"RJLSX": 2.0},
                geom=quarter.stored(
                    quarter.rectangle(
                        column * wide * STEP + 33,
                        row * wide * STEP + 33,
                        (column + 1) * wide * STEP + 33,
                        (row + 1) * wide * STEP + 33,
                    )
                ),
            )
            for row in range(around // wide)
            for column in range(around // wide)
        )
    Building.objects.bulk_create(
        Building(
            survey=survey,
            district=district,
            street=street,
            code=f"B{number}-{part}",
            floors=3,
            floor_area_m2=None if number % 7 == 0 else 900,
            geom=quarter.stored(
                quarter.rectangle(
                    (number % around) * STEP + 10 + 30 * part,
                    (number // around) * STEP + 10,
                    (number % around) * STEP + 30 + 30 * part,
                    (number // around) * STEP + 40,
                )
            ),
        )
        for number in range(around * around)
        for part in range(3)
    )
    user = User.objects.create_user("bench")
    Scope.objects.create(user=user, group=Group.objects.get(name="R5"), district=district)
    client = Client(headers={"Accept": "application/json"}, HTTP_HOST="localhost")
    client.force_login(user)
    side = round(parcels**0.5)
    first = (around - side) // 2
    codes = [
        quarter.code(row * around + column)
        for row in range(first, first + side)
        for column in range(first, first + side)
    ]
    west = STEP * first
    east = STEP * (first + side)
    parts = np.linspace(0, 1, 50, endpoint=False)
    corners = [(west + (east - west) * part, west + 7 * np.sin(20 * part)) for part in parts]
    corners += [(east, west), (east + 0.2, east + 0.2), (west - 0.2, east + 0.1)]
    return client, codes, {"type": "Polygon", "coordinates": [quarter.ring(*corners)]}


def grid(count: int, shift: float) -> list:
    """Parcels of a cover whose edges are bent: neighbours share each vertex."""
    import shapely

    from tests import quarter

    def edge(a, b):
        if a > b:
            return edge(b, a)[::-1]
        random = np.random.default_rng([int(a[0] + 10**6), int(a[1] + 10**6), int(b[0] + 10**6), int(b[1] + 10**6)])
        part = np.linspace(0, 1, BENDS + 1)[:, None]
        line = (1 - part) * np.array(a) + part * np.array(b)
        line[1:-1] += random.uniform(-2, 2, (BENDS - 1, 2))
        return line

    made = []
    for row in range(count):
        for column in range(count):
            west, south = (column + shift) * STEP, (row + shift) * STEP
            corners = [(west, south), (west + STEP, south), (west + STEP, south + STEP), (west, south + STEP)]
            line = np.vstack([edge(corners[side], corners[(side + 1) % 4])[:-1] for side in range(4)])
            made.append(shapely.Polygon(quarter.ring(*map(tuple, line))))
    return made


if __name__ == "__main__":
    main()
