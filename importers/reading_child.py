"""The process in which GDAL reads a geodatabase or GeoPackage: one driver, limits, and none of the house's secrets.

Run as a program by `reading_databases`, with OGR_SKIP in its environment before GDAL is loaded. It prints one JSON
object; "refused" in it says why a layer is not handed over. With the one argument `drivers` it prints which there are.
"""

import ctypes
import json
import resource
import signal
import sqlite3
import sys
from contextlib import closing
from urllib.parse import quote

# pyogrio looks for these to offer data frames, which nobody asks for here; loading them takes longer than reading.
for unused in ("geopandas", "pandas", "pyproj", "shapely"):
    sys.modules[unused] = None

import pyarrow  # noqa: E402
import pyogrio  # noqa: E402

MEMORY, SECONDS, FILE_SIZE = 6 * 1024**3, 600, 8 * 1024**3
PR_SET_PDEATHSIG = 1


def main():
    if sys.argv[1:] == ["drivers"]:
        print(json.dumps(list(pyogrio.list_drivers())))
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody waits for it where its parent was killed
    driver, path, layer, out = sys.argv[1:5]
    most_rows, most_bytes = map(int, sys.argv[5:7])
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    if set(pyogrio.list_drivers()) - {driver}:
        raise SystemExit(f"other drivers than {driver} are there: {sorted(pyogrio.list_drivers())[:5]}")
    if not layer:
        layers = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
        print(json.dumps({"layers": [{"name": name, "kind": kind} for name, kind in layers]}))
        return
    if driver == "GPKG" and not _is_table(path, layer):
        refuse("view")
    with pyogrio.open_arrow(path, layer=layer, use_pyarrow=True) as (about, reader):
        rows = handed = 0
        with pyarrow.OSFile(out, "wb") as sink, pyarrow.ipc.new_file(sink, reader.schema) as writer:
            for batch in reader:
                rows, handed = rows + batch.num_rows, handed + batch.nbytes
                if rows > most_rows:
                    refuse("rows")
                if handed > most_bytes:
                    refuse("bytes")
                writer.write_batch(batch)
        names = reader.schema.names
        shape = next(
            (name for name in (about["geometry_name"] or "wkb_geometry", "wkb_geometry") if name in names), None
        )
    print(json.dumps({"crs": about["crs"], "shape": shape if about["geometry_type"] else None}))


def refuse(why: str):
    print(json.dumps({"refused": why}))
    raise SystemExit(0)


def _is_table(path: str, layer: str) -> bool:
    """Whether SQLite itself holds the rows: a view or a virtual table makes them up when it is asked."""
    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)) as database:
        found = database.execute(
            "SELECT type, coalesce(sql, '') FROM sqlite_master WHERE name = ? COLLATE NOCASE", [layer]
        ).fetchall()
    return [kind for kind, _sql in found] == ["table"] and not found[0][1].upper().startswith("CREATE VIRTUAL")


if __name__ == "__main__":
    try:
        main()
    except MemoryError:
        refuse("memory")
