"""Time a run of the criteria with all measures against `geopandas.overlay` of its parcels and patches, in one run.

Then edit some parcels, time `flag --changed`, and see that a full run after it finds nothing else.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

AIM = 0.5
AIM_CHANGED = 2.0  # seconds, after EDITED parcels of 60,000
EDITED = 100
DISTRICT, YEAR, CRITERIA = "120104", 2022, "nankai-2024"
ROOT = Path(__file__).resolve().parents[2]
CLOCK = os.sysconf("SC_CLK_TCK")
FLAG = [sys.executable, "manage.py", "flag", "--district", DISTRICT, "--criteria", CRITERIA]
EDITS = {
    "papers": "UPDATE units_parcel SET documented_m2 = documented_m2 + 1 WHERE id IN ({some})",
    # 10 cm to the north: areas, shares and the means of their sectors change
    "shapes": "UPDATE units_parcel SET geom = ST_Translate(geom, 0, 0.0000009) WHERE id IN ({some})",
    "tax": "UPDATE units_enterpriseyear SET tax_cny = tax_cny * 1.5 WHERE enterprise_id IN "
    "(SELECT enterprise_id FROM units_occupancy WHERE parcel_id IN ({some}))",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=60_000)
    parser.add_argument("--patches", type=int, default=200_000)
    parser.add_argument("--keep", type=Path, help="draw the district here and leave it; what lies there is taken")
    parser.add_argument("--loaded", action="store_true", help="DATABASE_URL holds the district already: load nothing")
    parser.add_argument("--rounds", type=int, default=1, help="the best of so many is taken, of both")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        if not options.loaded:
            load(drawn(options.keep or Path(scratch) / "drawn", options.parcels, options.patches))
        theirs, ours = [], []
        for _round in range(options.rounds):
            theirs.append(run([sys.executable, __file__, "--overlay"]))
            ours.append(run(FLAG))
        # Once more with nothing changed: all is measured, and what is written of it is compared.
        again = run(FLAG)
        edits = {}
        for name, edit in EDITS.items():
            edited(edit)
            changed = run([*FLAG, "--changed"])
            proof = run(FLAG)
            edits[name] = {
                "seconds": changed["seconds"],
                "cpu_seconds": changed["cpu_seconds"],
                "kind": changed["kind"],
                "looked_at": changed["measured"]["looked_at"],
                "changed": changed["measured"]["changed"],
                "judged": changed["judged"],
                # what a full run found otherwise than the run of the changes
                "missed": proof["measured"]["changed"] + proof["judged"],
            }
    ours_best, theirs_best = min(ours, key=lambda one: one["seconds"]), min(theirs, key=lambda one: one["seconds"])
    told = {
        "parcels": theirs_best["parcels"],
        "patches": theirs_best["patches"],
        "subjects": ours_best["subjects"],
        "flag_seconds": [one["seconds"] for one in ours],
        "overlay_seconds": [one["seconds"] for one in theirs],
        "ratio": round(ours_best["seconds"] / theirs_best["seconds"], 2),
        "aim": AIM,
        "again_seconds": again["seconds"],
        "again_ratio": round(again["seconds"] / theirs_best["seconds"], 2),
        "again_cpu_seconds": again["cpu_seconds"],
        f"changed_after_{EDITED}_edits": edits,
        "aim_changed_seconds": AIM_CHANGED,
        # of processor time: what else the machine does then changes little
        "flag_cpu_seconds": ours_best["cpu_seconds"],
        "overlay_cpu_seconds": theirs_best["cpu_seconds"],
        "cpu_ratio": round(ours_best["cpu_seconds"] / theirs_best["cpu_seconds"], 2),
        "flag_peak_mb": {"command": ours_best["peak_mb"], "server": ours_best["server_peak_mb"]},
        "overlay_peak_mb": theirs_best["peak_mb"],
    }
    print(json.dumps(told, indent=1))


def edited(statement: str):
    """Edit EDITED parcels, the same each time, as a person does: past no trigger."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(
            statement.format(
                some="SELECT p.id FROM units_parcel p JOIN units_survey s ON s.id = p.survey_id "
                f"AND s.state = 'in_force' AND s.district_id = '{DISTRICT}' ORDER BY md5(p.code) LIMIT {EDITED}"
            )
        )


def drawn(folder: Path, parcels: int, patches: int) -> Path:
    if not (folder / "answers.json").exists():
        began = time.perf_counter()
        command = ["make_demo", "--parcels", str(parcels), "--patches", str(patches), "--out", str(folder)]
        manage(*command)
        print(f"drew it in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return folder / "deliveries"


def load(deliveries: Path):
    """Through the importers, as an analyst does."""
    began = time.perf_counter()
    manage("found_district", "--district", DISTRICT)
    # its end is 1: rows with planted faults are refused
    manage("load_folder", str(deliveries), "--district", DISTRICT, "--survey", str(YEAR), ends=(0, 1))
    manage("activate_survey", "--district", DISTRICT, "--survey", str(YEAR))
    print(f"loaded it in {time.perf_counter() - began:.1f} s", file=sys.stderr)


def manage(*command: str, ends: tuple[int, ...] = (0,)):
    done = subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, stdout=subprocess.DEVNULL)
    if done.returncode not in ends:
        raise SystemExit(f"{command[0]} ended with {done.returncode}")


def run(command: list[str]) -> dict:
    """What a command prints as JSON, with its seconds, processor time and private memory; the server's told apart."""
    found = {"peak_mb": 0, "server_peak_mb": 0, "cpu_seconds": 0.0, "server_cpu": {}}
    began = time.perf_counter()
    with subprocess.Popen([*command, "--format", "json"], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        watch = threading.Thread(target=_watch, args=(process, found), daemon=True)
        watch.start()
        told = json.loads(process.stdout.read())
        seconds = time.perf_counter() - began
        watch.join()
    told.setdefault("seconds", seconds)
    server = found.pop("server_cpu")
    cpu = told.get("cpu_seconds") or found["cpu_seconds"] + sum(last - first for first, last in server.values())
    return {**found, **told, "cpu_seconds": round(cpu, 1), "seconds": round(told["seconds"], 1)}


def _watch(process, found: dict):
    name = urlsplit(os.environ["DATABASE_URL"]).path[1:]
    while process.poll() is None:
        try:
            own = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            memory = _private_mb(process.pid) + sum(_private_mb(int(one)) for one in own if _there(one))
            found["peak_mb"] = max(found["peak_mb"], memory)
            found["cpu_seconds"] = _cpu(process.pid) + sum(_cpu(int(one)) for one in own if _there(one))
        except (OSError, IndexError):
            return
        memory = 0
        for backend in _backends(name):
            try:
                memory += _private_mb(backend)
                cpu = _cpu(backend)
            except (OSError, IndexError):
                continue
            first, _last = found["server_cpu"].get(backend, (cpu, cpu))
            found["server_cpu"][backend] = (first, cpu)
        found["server_peak_mb"] = max(found["server_peak_mb"], memory)
        time.sleep(0.2)


def _backends(database: str) -> list[int]:
    """The server's processes that work for this database: a connection's, and its parallel workers'."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
        except OSError:
            continue
        if words.startswith("postgres:") and (f" {database} " in words or "parallel worker" in words):
            found.append(int(entry.name))
    return found


def _private_mb(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) // 1024
    return 0


def _there(process: str) -> bool:
    return Path(f"/proc/{process}/stat").exists()


def _cpu(process: int) -> float:
    """Processor time of a process, and of those it began that are over."""
    parts = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, parts[11:15])) / CLOCK


def overlay():
    """Only `geopandas.overlay` is timed: reading the same shapes is not."""
    import geopandas
    import shapely

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        srid = connection.execute("SELECT srid FROM units_district WHERE code = %s", [DISTRICT]).fetchone()[0]

        def frame(table: str, column: str):
            rows = connection.execute(
                f"SELECT t.{column}, ST_AsBinary(ST_Transform(t.geom, %s)) FROM units_{table} t "
                "JOIN units_survey s ON s.id = t.survey_id AND s.state = 'in_force' AND s.district_id = %s",
                [srid, DISTRICT],
            ).fetchall()
            shapes = shapely.from_wkb([bytes(row[1]) for row in rows])
            return geopandas.GeoDataFrame({column: [row[0] for row in rows]}, geometry=shapes, crs=srid)

        parcels, patches = frame("parcel", "code"), frame("landusepatch", "dlbm")
    began, cpu = time.perf_counter(), time.process_time()
    pieces = geopandas.overlay(parcels, patches, how="intersection", keep_geom_type=True)
    shares = pieces.geometry.area.groupby([pieces["code"], pieces["dlbm"]]).sum()
    told = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "parcels": len(parcels),
        "patches": len(patches),
        "pieces": len(shares),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    overlay() if "--overlay" in sys.argv else main()
