"""The process in which GDAL reads a geodatabase or GeoPackage: one driver, little memory, no way to anything else.

Run as a program by `reading_databases`, with OGR_SKIP in its environment before GDAL is loaded. It prints one JSON
object.
"""

import json
import resource
import sys

import pyarrow
import pyogrio

MEMORY, SECONDS, FILE_SIZE = 6 * 1024**3, 600, 8 * 1024**3


def main():
    driver, path, layer, out = sys.argv[1:5]
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
    about, table = pyogrio.read_arrow(path, layer=layer)
    shape = next(
        (name for name in (about["geometry_name"] or "wkb_geometry", "wkb_geometry") if name in table.column_names),
        None,
    )
    with pyarrow.OSFile(out, "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    print(json.dumps({"crs": about["crs"], "shape": shape if about["geometry_type"] else None}))


if __name__ == "__main__":
    main()
