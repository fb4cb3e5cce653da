"""Time the import of a survey against `ogr2ogr` with COPY and the same reprojection, on one machine and in one run."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import django

from tests.bench.watching import say, watched

AIM, AIM_MB = 0.65, 600


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, nargs="+", default=[200_000], help="such as 200000 1000000")
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many is taken, of both")
    parser.add_argument("--keep", type=Path, help="draw the patches here and leave them")
    options = parser.parse_args()
    # The database server of a private cluster runs as another user: only what it need not see lies here.
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
        django.setup()
        found = []
        year = 1996
        for patches in options.patches:
            path = drawn((options.keep or Path(scratch)) / f"drawn-{patches}", patches)
            found.append(measured(path, patches, options.rounds, year))
            year += options.rounds
    print(json.dumps(found[0] if len(found) == 1 else found, indent=1))


def measured(path: Path, patches: int, rounds: int, year: int) -> dict:
    """Both peers in turn, so that what else the machine does falls on both."""
    ours, theirs = [], []
    for turn in range(rounds):
        theirs.append(by_ogr2ogr(path, f"bench_ogr_{year + turn}"))
        ours.append(by_geoinv(path, year + turn))
    again = by_geoinv(path, year + rounds - 1)
    best, other = (min(runs, key=lambda run: run["seconds"]) for runs in (ours, theirs))
    spent, spent_there = (run["client_seconds"] + run["server_seconds"] for run in (best, other))
    return {
        "patches": patches,
        "bytes": sum(part.stat().st_size for part in path.parent.glob("DLTB.*")),
        "ogr2ogr_seconds": [run["seconds"] for run in theirs],
        "import_seconds": [run["seconds"] for run in ours],
        "ratio": round(best["seconds"] / other["seconds"], 2),
        "aim": AIM,
        "ogr2ogr_processor_seconds": {"client": other["client_seconds"], "server": other["server_seconds"]},
        "import_processor_seconds": {"client": best["client_seconds"], "server": best["server_seconds"]},
        "processor_ratio": round(spent / spent_there, 2),
        "microseconds_a_row": round(best["seconds"] / patches * 1e6, 1),
        "processor_microseconds_a_row": round(spent / patches * 1e6, 1),
        "peak_mb": max(run["peak_mb"] for run in ours),
        "aim_mb": AIM_MB,
        "again_seconds": again["seconds"],
        "again_unchanged": again["unchanged"],
        "taken": best["taken"],
        "refused": best["refused"],
        "processors": os.cpu_count(),
        "load": [round(one, 1) for one in os.getloadavg()],
    }


def drawn(folder: Path, patches: int) -> Path:
    from tests.bench.drawn import draw_patches

    made = folder / "DLTB.shp"
    if not made.exists():
        began = time.perf_counter()
        draw_patches(folder, patches)
        say(f"drew {patches} patches in {time.perf_counter() - began:.1f} s")
    return made


def by_ogr2ogr(path: Path, table: str) -> dict:
    """ogr2ogr into a fresh table: COPY, 4527 → 4490, multipolygons, all columns, a spatial index."""
    url = urlsplit(os.environ["GEOINV_BENCH_OWNER_URL"])
    host = unquote(parse_qs(url.query).get("host", [url.hostname or ""])[0])
    target = f"PG:dbname={url.path[1:]} user={url.username} host='{host}'"
    if url.password:
        target += f" password={url.password}"
    command = ["ogr2ogr", "-f", "PostgreSQL", target, str(path), "-nln", table, "-t_srs", "EPSG:4490"]
    command += [
        "-nlt",
        "MULTIPOLYGON",
        "-oo",
        "ENCODING=GBK",
        "--config",
        "PG_USE_COPY",
        "YES",
        "-lco",
        "OVERWRITE=YES",
    ]
    cost, _said = watched(command, os.environ["GEOINV_BENCH_OWNER_URL"])
    say(f"ogr2ogr: {cost}")
    return cost


def by_geoinv(path: Path, year: int) -> dict:
    """One import as a user starts it: a process of its own, so that its start and its memory count."""
    script = Path(__file__).resolve().parents[2] / "manage.py"
    command = [sys.executable, str(script), "import_layer", str(path), "--format", "json"]
    command += ["--profile", "dltb", "--district", "120104", "--survey", str(year)]
    subprocess.run(
        [sys.executable, str(script), "found_district", "--district", "120104"], check=True, stdout=subprocess.DEVNULL
    )
    cost, said = watched(command, os.environ["GEOINV_BENCH_OWNER_URL"])
    result = json.loads(said)
    say(f"import into {year}: {cost}, {result['seconds']} s of it in load()")
    return {**result, **cost}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
