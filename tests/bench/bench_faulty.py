"""Measure the memory of an import in which every row has two problems: what is told of rows may not be held in it."""

import argparse
import json
import os
import tempfile
from pathlib import Path

import django
import numpy as np

from tests.bench.bench_import import AIM_MB, by_geoinv, drawn
from tests.bench.watching import say


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=300_000)
    parser.add_argument("--refused", action="store_true", help="both problems are such that the row is not taken")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
        django.setup()
        path = drawn(Path(scratch) / "drawn", options.patches)
        spoil(path.with_suffix(".dbf"), {"BSM": b"", "DLBM": b""} if options.refused else {"YSDM": b"9", "QSXZ": b"99"})
        found = by_geoinv(path, 2001)
    told = sum(one["count"] or 0 for one in found["warnings"])
    say(f"{told} warnings, {found['refused']} rows refused, {found['peak_mb']} MB at most of {AIM_MB}")
    print(json.dumps({name: found[name] for name in ("rows", "taken", "refused", "peak_mb", "seconds")}, indent=1))


def spoil(dbf: Path, values: dict[str, bytes]):
    """Write the same values into every row of a table."""
    raw = np.memmap(dbf, np.uint8, "r+")
    header, size = int(raw[8:10].view("<u2")[0]), int(raw[10:12].view("<u2")[0])
    rows = int(raw[4:8].view("<u4")[0])
    records = raw[header : header + rows * size].reshape(rows, size)
    start = 1
    for at in range(32, header - 1, 32):
        name, width = bytes(raw[at : at + 11]).split(b"\0")[0].decode(), int(raw[at + 16])
        if name in values:
            records[:, start : start + width] = np.frombuffer(values[name].ljust(width), np.uint8)
        start += width
    raw.flush()


if __name__ == "__main__":
    main()
