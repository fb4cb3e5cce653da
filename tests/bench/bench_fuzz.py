"""Spoil thousands of small deliveries and count what becomes of each: a verdict, an import that adds up, or a fault."""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import django


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0, help="the first case: its number is the seed of its chance")
    parser.add_argument("--kind", help="only deliveries of this kind: shp, zip, geojson, txt, csv, xlsx, gpkg")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    os.environ["GEOINV_DEBUG"] = ""
    os.environ["GEOINV_SECRET_KEY"] = "of a benchmark"
    os.environ["DATABASE_URL"] = os.environ["GEOINV_BENCH_URL"]
    django.setup()
    told = run(options.cases, options.first, options.kind)
    print(json.dumps(told, indent=1, ensure_ascii=False))
    return 1 if told["faults"] else 0


def run(cases: int, first: int, kind: str | None) -> dict:
    """Each case in a transaction that is rolled back."""
    from tests.importers import fuzzing
    from units.models import District, Street

    district = District.objects.create(code="120104", name="南开区", srid=4527)
    Street.objects.create(code="120104001", district=district, name="长虹街道")
    outcomes, faults, worst, began = Counter(), [], (0.0, 0), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="geoinv-fuzz-") as name:
        seeds = [one for one in fuzzing.seeds(Path(name) / "seeds") if kind in (None, one.kind)]
        for case in range(first, first + cases):
            seed = seeds[case % len(seeds)]
            files = fuzzing.spoiled(seed, random.Random(case))
            outcome = fuzzing.held(seed, files, Path(name) / str(case))
            outcomes[f"{seed.kind} {outcome.what}"] += 1
            worst = max(worst, (round(outcome.seconds, 2), case))
            if outcome.faults:
                faults.append({"case": case, "kind": seed.kind, "faults": outcome.faults})
                print(f"case {case} ({seed.kind}): {outcome.faults}", file=sys.stderr)
    return {
        "cases": cases,
        "outcomes": dict(sorted(outcomes.items())),
        "seconds": round(time.perf_counter() - began, 1),
        "slowest_s": worst[0],
        "slowest_case": worst[1],
        "faults": faults,
    }


if __name__ == "__main__":
    raise SystemExit(main())
