"""Time map tiles through the whole web stack against the bare SQL of the same tile, on one machine and in one run."""

import argparse
import io
import json
import math
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import django

AIM = 1.3
DISTRICT, YEAR = "120104", 2022
# Zooms a planner looks at, from the whole district to a plot; what is one tile of a layer there is never empty.
LAYERS = {"patches": (12, 13, 14, 15, 16), "parcels": (13, 14, 15, 16)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parcels", type=int, default=60_000, help="of the drawn district; it has three times the patches"
    )
    parser.add_argument("--deliveries", type=Path, help="a drawn district's deliveries, so that none is drawn")
    parser.add_argument("--tiles", type=int, default=24, help="of each layer and zoom")
    parser.add_argument("--rounds", type=int, default=5, help="the best of so many is taken, of both")
    options = parser.parse_args()
    os.environ["GEOINV_DEBUG"] = "0"  # with it Django keeps every query
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        django.setup()
        held = loaded(options, Path(scratch))
        result = {**held, "aim": AIM, **measured(options)}
    print(json.dumps(result, indent=1))


def loaded(options, scratch: Path) -> dict:
    """Take the cover and the parcels of a drawn district in, unless the database holds them."""
    from fixtures.demo import make_demo
    from importers.loading import load
    from units.activating import activate
    from units.founding import found
    from units.models import LandUsePatch, Parcel

    if not Parcel.objects.exists():
        folder = options.deliveries
        if folder is None:
            make_demo(options.parcels, scratch / "demo")
            folder = scratch / "demo" / "deliveries"
        found(DISTRICT)
        for name, pattern in (("dltb", f"{DISTRICT}*.zip"), ("zd", "宗地.zip")):
            told = load(next(folder.glob(pattern)), name, DISTRICT, YEAR, layer={"dltb": "DLTB", "zd": "ZD"}[name])
            print(f"took {told['taken']} rows of {name} in {told['seconds']} s", file=sys.stderr)
        activate(DISTRICT, YEAR)
    return {"parcels": Parcel.objects.count(), "patches": LandUsePatch.objects.count()}


def measured(options) -> dict:
    from django.contrib.auth.models import Group
    from django.core.wsgi import get_wsgi_application
    from django.test import Client

    from units.models import Scope, User
    from units.rights import Role

    user, _new = User.objects.get_or_create(username="bench-office")
    group, _new = Group.objects.get_or_create(name=Role.OFFICE.value)
    Scope.objects.get_or_create(user=user, group=group, district_id=DISTRICT)
    client = Client()
    client.force_login(user)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    application = get_wsgi_application()
    asked = Asked(application, cookie)
    chooser = random.Random(1)
    found, all_bare, all_stack, again = {}, [], [], []
    for layer, zooms in LAYERS.items():
        for zoom in zooms:
            bare, stack, sizes = [], [], []
            for x, y in some_tiles(layer, zoom, options.tiles, chooser):
                path = f"/tiles/{layer}/{zoom}/{x}/{y}.mvt"
                statement, params = asked.question(layer, user, zoom, x, y)
                answers = [(asked.sql(statement, params), asked.tile(path)) for _round in range(options.rounds)]
                # PostgreSQL gives the features in any order, and their values then take more or fewer bytes.
                assert all(abs(len(one[1]) - len(other[1])) <= 0.02 * len(one[1]) for one, other in answers), path
                sizes.append(len(answers[0][0][1]))
                bare.append(min(one[0] for one, _other in answers))
                stack.append(min(other[0] for _one, other in answers))
                again.append(asked.unchanged(path))
            found[f"{layer}/{zoom}"] = {
                "tiles": len(bare), "kb": round(statistics.median(sizes) / 1024, 1), **compared(bare, stack)
            }  # fmt: skip
            all_bare += bare
            all_stack += stack
    return {
        "by_zoom": found,
        "all": compared(all_bare, all_stack),
        "unchanged_ms": round(statistics.median(again) * 1000, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def compared(bare: list[float], stack: list[float]) -> dict:
    def at(values: list[float], share: float) -> float:
        return round(sorted(values)[min(int(len(values) * share), len(values) - 1)] * 1000, 2)

    return {
        "sql_ms": {"p50": at(bare, 0.5), "p95": at(bare, 0.95)},
        "stack_ms": {"p50": at(stack, 0.5), "p95": at(stack, 0.95)},
        "ratio": {
            "p50": round(at(stack, 0.5) / at(bare, 0.5), 2),
            "p95": round(at(stack, 0.95) / at(bare, 0.95), 2),
            "sum": round(sum(stack) / sum(bare), 2),
        },
        "more_ms": round(statistics.median(two - one for one, two in zip(bare, stack, strict=True)) * 1000, 2),
    }


def some_tiles(layer: str, zoom: int, count: int, chooser: random.Random) -> list[tuple[int, int]]:
    """Tiles that features of the layer lie in, each as often as it has features, none twice."""
    from django.db import connection

    table = {"patches": "units_landusepatch", "parcels": "units_parcel"}[layer]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_Centroid(geom) AS c FROM {table} ORDER BY id) s")
        places = cursor.fetchall()
    chooser.shuffle(places)
    found = {}
    for lng, lat in places:
        x = (lng + 180) / 360 * 2**zoom
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
        found[int(x), int(y)] = None
        if len(found) == count:
            break
    return list(found)


class Asked:
    """Ask for a tile in both ways, and say how long it took and what came."""

    def __init__(self, application, cookie: str):
        import psycopg

        self.application, self.cookie = application, cookie
        self.raw = psycopg.connect(os.environ["GEOINV_BENCH_URL"], autocommit=True)
        self.raw.execute("SET max_parallel_workers_per_gather = 0")  # as the stack asks it
        self.etags: dict[str, str] = {}

    def question(self, layer: str, user, z: int, x: int, y: int) -> tuple[str, dict]:
        """The statement of the tile and its values, as the stack itself asks it."""
        from tiles import layers, rendering

        found = layers.layer(layer)
        return rendering.statement(found, found.collection.seen_by(user.grants()), z, x, y)

    def sql(self, statement: str, params: dict) -> tuple[float, bytes]:
        began = time.perf_counter()
        with self.raw.cursor() as cursor:
            body = bytes(cursor.execute(statement, params).fetchone()[0] or b"")
        return time.perf_counter() - began, body

    def tile(self, path: str) -> tuple[float, bytes]:
        seconds, status, headers, body = self.request(path)
        assert status in {"200 OK", "204 No Content"}, (status, body)
        self.etags[path] = headers["ETag"]
        return seconds, body

    def unchanged(self, path: str) -> float:
        seconds, status, _headers, _body = self.request(path, HTTP_IF_NONE_MATCH=self.etags[path])
        assert status.startswith("304"), status
        return seconds

    def request(self, path: str, **more) -> tuple[float, str, dict, bytes]:
        """One request as a web server makes it; only what goes over the wire is left out."""
        environ = {**ENVIRON, "PATH_INFO": path, "HTTP_COOKIE": self.cookie, **more}
        told = {}

        def start(status, headers, _error=None):
            told.update(status=status, headers=dict(headers))

        began = time.perf_counter()
        answer = self.application(environ, start)
        body = b"".join(answer)
        seconds = time.perf_counter() - began
        answer.close()
        return seconds, told["status"], told["headers"], body


ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "QUERY_STRING": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "localhost:8000",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}

if __name__ == "__main__":
    main()
