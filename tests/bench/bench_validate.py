"""Time the checks of validity, overlap, gaps and duplicates against the same written straightforwardly in geopandas."""

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

AIM = 0.5
DISTRICT, YEAR = "120104", 2022
ROOT = Path(__file__).resolve().parents[2]
CODES = ("3-number-duplicate", "4-invalid", "4-overlap", "4-contained", "4-equal", "4-gap")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=60_000)
    parser.add_argument("--patches", type=int, default=200_000)
    parser.add_argument("--deliveries", type=Path, help="a drawn district's deliveries, so that none is drawn")
    parser.add_argument("--loose", type=int, default=50, help="in the second round each n-th patch is moved by 1 cm")
    parser.add_argument("--straightforward", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.straightforward:
        print(json.dumps(straightforward(os.environ["DATABASE_URL"])))
        return
    os.environ["GEOINV_DEBUG"] = "0"  # with it Django keeps every query
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        import django

        django.setup()
        held = loaded(options, Path(scratch))
        theirs = timed([sys.executable, __file__, "--straightforward"])
        result = {**held, "aim": AIM, "geopandas": theirs, "validate": ours(theirs)}
        # The same with a cover that is not clean; geopandas compares all with all, and takes as long for it.
        result[f"validate_with_{loosened(options.loose)}_patches_moved_by_1_cm"] = ours(theirs)
    print(json.dumps(result, indent=1))


def loaded(options, scratch: Path) -> dict:
    """Take the cover and the parcels of a drawn district in, unless the database holds them; not in force."""
    from fixtures.demo import make_demo
    from importers.loading import load
    from units.founding import found
    from units.models import LandUsePatch, Parcel

    if not Parcel.objects.exists():
        folder = options.deliveries
        if folder is None:
            make_demo(options.parcels, scratch / "demo", patches=options.patches)
            folder = scratch / "demo" / "deliveries"
        found(DISTRICT)
        for name, pattern, layer in (("dltb", f"{DISTRICT}*.zip", "DLTB"), ("zd", "宗地.zip", "ZD")):
            told = load(next(folder.glob(pattern)), name, DISTRICT, YEAR, layer=layer)
            print(f"took {told['taken']} rows of {name} in {told['seconds']} s", file=sys.stderr)
    return {"parcels": Parcel.objects.count(), "patches": LandUsePatch.objects.count()}


def loosened(nth: int) -> int:
    """Move each n-th patch by a centimetre: a mis-snap, which is no finding and must still be looked at."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE units_landusepatch SET geom = ST_Translate(geom, 1.2e-7, 0) WHERE id %% %s = 0", [nth])
        count = cursor.rowcount
        cursor.execute("SELECT geoinv_analyze('units_landusepatch')")
        return count


def ours(theirs: dict) -> dict:
    """The checks as a user starts them: a process of its own, so that its start and its memory count."""
    command = [sys.executable, str(ROOT / "manage.py"), "validate", "--district", DISTRICT, "--format", "json"]
    for code in CODES:
        command += ["--check", code]
    run = timed([*command, "--layer", "patches", "--layer", "parcels"])
    found = run.pop("found")
    return {
        **run,
        "ratio": round(run["seconds"] / theirs["seconds"], 3),
        "cpu_ratio": round(run["cpu_seconds"] / theirs["cpu_seconds"], 3),
        "found": {
            "invalid": count(found, "4-invalid"),
            "pairs": sum(count(found, code) for code in ("4-overlap", "4-contained", "4-equal")),
            "gaps": count(found, "4-gap"),
            "numbers": count(found, "3-number-duplicate"),
        },
    }


def count(result: dict, code: str) -> int:
    return result["by_code"][code]["new"] + result["by_code"][code]["open"]


def straightforward(url: str) -> dict:
    """What somebody writes in an afternoon: read, reproject, is_valid, sjoin, intersection, union_all, duplicated."""
    import warnings

    import geopandas
    import psycopg
    import shapely

    warnings.filterwarnings("ignore", message="pandas only supports SQLAlchemy")
    found = {"invalid": 0, "pairs": 0, "gaps": 0, "numbers": 0}
    with psycopg.connect(url) as connection:
        for table, columns in (("units_parcel", "code"), ("units_landusepatch", "bsm AS code, zldwdm, tbbh")):
            rows = geopandas.read_postgis(f"SELECT {columns}, geom FROM {table}", connection).to_crs(4548)
            found["invalid"] += int((~rows.is_valid).sum())
            pairs = geopandas.sjoin(rows[["code", "geom"]], rows[["code", "geom"]], predicate="intersects")
            pairs = pairs[pairs.index < pairs.index_right]
            shared = rows.geometry.loc[pairs.index].intersection(rows.geometry.loc[pairs.index_right], align=False)
            found["pairs"] += int(((shared.area > 1) & (2 * shared.area > 0.05 * shared.length)).sum())
            if "tbbh" in rows:
                found["numbers"] += len(rows[rows.duplicated(["zldwdm", "tbbh"])].groupby(["zldwdm", "tbbh"]))
                whole = rows.union_all()
                rings = [ring for part in shapely.get_parts(whole) for ring in part.interiors]
                holes = geopandas.GeoSeries([shapely.Polygon(ring) for ring in rings], crs=4548)
                found["gaps"] += int(((holes.area > 1) & (2 * holes.area > 0.05 * holes.length)).sum())
    return found


def timed(command: list[str]) -> dict:
    """What a process prints as JSON, its seconds by the clock and of the processor, and its highest private memory.

    The processor's seconds are the process's own; what the database server does meanwhile is in the clock's.
    """
    peak: dict = {}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        watch = threading.Thread(target=_peak, args=(process.pid, peak), daemon=True)
        watch.start()
        said = process.stdout.read()
    seconds = round(time.perf_counter() - began, 2)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{Path(command[1]).name} {command[2]}: {seconds} s {said.strip()[:300]}", file=sys.stderr)
    return {
        "seconds": seconds,
        "cpu_seconds": round(used, 2),
        "peak_mb": peak.get("mb", 0),
        "found": json.loads(said),
    }


def _peak(process: int, found: dict):
    while True:
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            return
        for line in lines:
            if line.startswith("RssAnon:"):
                found["mb"] = max(found.get("mb", 0), int(line.split()[1]) // 1024)
        time.sleep(0.1)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
