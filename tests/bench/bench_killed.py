"""Kill an import at random moments, and look each time whether the tables are as before and what is left of it."""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.drawn import draw_patches
from tests.bench.watching import say
from tests.importers.killing import MANAGE, Importing, state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000)
    parser.add_argument("--drawn", type=Path, help="a folder with a DLTB.shp that was drawn before")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        folder = options.drawn or Path(scratch) / "drawn"
        path = folder / "DLTB.shp"
        if not path.exists():
            draw_patches(folder, options.patches)
        print(json.dumps(tried(path, Path(scratch), options), indent=1))


def tried(path: Path, scratch: Path, options) -> dict:
    subprocess.run(
        [sys.executable, str(MANAGE), "found_district", "--district", "120104"], check=True, stdout=subprocess.DEVNULL
    )
    importing = Importing(os.environ["GEOINV_BENCH_OWNER_URL"], scratch)
    whole = importing.through(path, 2001)
    say(f"undisturbed: {whole:.1f} s")
    before = state(importing.database)
    rng = random.Random(options.seed)
    trials = []
    while len(trials) < options.times:
        after = rng.uniform(0.05, 1.0) * whole
        importing.killed(path, 2002, after)
        now = state(importing.database)
        if now["units_delivery"][0] > before["units_delivery"][0]:
            say(f"after {after:.1f} s all was written: not counted")
            undone(importing)
            before = state(importing.database)
            continue
        kept, work = importing.left_behind()
        trials.append(
            {
                "after_seconds": round(after, 2),
                "tables_as_before": now == before,
                "differing": sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name)),
                "unfinished_copies": len(kept),
                "finished_copies": len([one for one in kept if not one.startswith(".")]),
                "work_folders": len(work),
            }
        )
        say(str(trials[-1]))
        importing.grow_old()
    began = time.perf_counter()
    importing.through(path, 2002)
    kept, work = importing.left_behind()
    return {
        "seed": options.seed,
        "undisturbed_seconds": round(whole, 1),
        "trials": trials,
        "all_as_before": all(one["tables_as_before"] for one in trials),
        "restart_seconds": round(time.perf_counter() - began, 1),
        "left_after_restart": kept + work,
    }


def undone(importing: Importing):
    """Take the last import back: it was not meant to come through."""
    listed = subprocess.run(
        ["psql", "-X", "-At", importing.database, "-c", "SELECT max(id) FROM units_delivery WHERE state = 'loaded'"],
        check=True,
        capture_output=True,
        text=True,
    )
    subprocess.run([sys.executable, str(MANAGE), "undo_import", listed.stdout.strip()], check=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
