"""Time the import of a survey against `ogr2ogr` with COPY and the same reprojection, on one machine and in one run."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import django

AIM = 0.8


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many is taken, of both")
    parser.add_argument("--keep", type=Path, help="draw the patches here and leave them")
    options = parser.parse_args()
    # The database server of a private cluster runs as another user: only what it need not see lies here.
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
        django.setup()
        path = drawn(options.keep or Path(scratch) / "drawn", options.patches)
        ours, theirs = [], []
        for turn in range(options.rounds):
            theirs.append(by_ogr2ogr(path, f"bench_ogr_{turn}"))
            ours.append(by_geoinv(path, 2001 + turn))
        again = by_geoinv(path, 2001)
        best, other = min(ours, key=lambda run: run["seconds"]), min(theirs)
        result = {
            "patches": options.patches,
            "bytes": sum(part.stat().st_size for part in path.parent.glob("DLTB.*")),
            "ogr2ogr_seconds": [round(seconds, 2) for seconds in theirs],
            "import_seconds": [run["seconds"] for run in ours],
            "ratio": round(best["seconds"] / other, 2),
            "aim": AIM,
            "peak_mb": max(run["peak_mb"] for run in ours),
            "again_seconds": again["seconds"],
            "again_unchanged": again["unchanged"],
            "taken": best["taken"],
            "refused": best["refused"],
        }
    print(json.dumps(result, indent=1))


def drawn(folder: Path, patches: int) -> Path:
    from tests.bench.drawn import draw_patches

    made = folder / "DLTB.shp"
    if not made.exists():
        began = time.perf_counter()
        draw_patches(folder, patches)
        print(f"drew {patches} patches in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return made


def by_ogr2ogr(path: Path, table: str) -> float:
    """Seconds of ogr2ogr into a fresh table: COPY, 4527 → 4490, multipolygons, all columns, a spatial index."""
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
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def by_geoinv(path: Path, year: int) -> dict:
    """One import as a user starts it: a process of its own, so that its start and its memory count."""
    script = Path(__file__).resolve().parents[2] / "manage.py"
    command = [sys.executable, str(script), "import_layer", str(path), "--format", "json"]
    command += ["--profile", "dltb", "--district", "120104", "--survey", str(year)]
    found: dict = {}
    subprocess.run(
        [sys.executable, str(script), "found_district", "--district", "120104"], check=True, stdout=subprocess.DEVNULL
    )
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        watch = threading.Thread(target=_peak, args=(process.pid, found), daemon=True)
        watch.start()
        said = process.stdout.read()
    seconds = time.perf_counter() - began
    result = json.loads(said)
    print(f"{year}: {seconds:.2f} s from start to end, {result['seconds']} s of it in load()", file=sys.stderr)
    return {**result, "seconds": round(seconds, 2), "peak_mb": found.get("peak_mb", 0)}


def _peak(process: int, found: dict):
    """The highest private memory of a process; pages of the mapped files are the system's, not its own."""
    while True:
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            return
        for line in lines:
            if line.startswith("RssAnon:"):
                found["peak_mb"] = max(found.get("peak_mb", 0), int(line.split()[1]) // 1024)
        time.sleep(0.1)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
