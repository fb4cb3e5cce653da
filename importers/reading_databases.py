"""Read layers of a GeoPackage or a file geodatabase, by GDAL in a process of its own with one driver and limits."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pyarrow as pa
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from importers.confining import confined
from importers.problems import REFUSE
from importers.reading_laid import Laying, texts
from importers.reading_wkb import Broken, Curve, NotPolygon, rings_of_wkb
from units.errors import InputUnreadable

DRIVERS = {"gpkg": "GPKG", "gdb": "OpenFileGDB"}
CHILD = Path(__file__).with_name("reading_child.py")
SECONDS = 900
MOST_ROWS = 5_000_000  # that the reading process hands over of one layer
MOST_BYTES = 4 * 1024**3
WHY = {
    "view": gettext_lazy("it is a view or a virtual table, which may compute anything; only plain tables are read"),
    "rows": gettext_lazy("it has more than %(rows)d rows"),
    "bytes": gettext_lazy("it hands over more than %(bytes)d bytes"),
    "memory": gettext_lazy("the memory does not hold it"),
}


def layers_of(path: Path, kind: str) -> list[str]:
    """The names of the layers of polygons and of the tables without shapes."""
    told = _child(path, kind)
    return [one["name"] for one in told["layers"] if one["kind"] is None or _of_polygons(one["kind"])]


def lay_layer(path: Path, kind: str, layer: str, place: str, folder: Path, stem: str) -> dict:
    """One layer, laid out; with what it says of its reference system."""
    out = folder / f"{stem}.arrow"
    try:
        told = _child(path, kind, layer, out)
        return {**confined(lay_arrow, out, told["shape"], place, folder, stem, name=place), "system": told["crs"]}
    finally:
        out.unlink(missing_ok=True)


def lay_arrow(path: Path, shape: str | None, place: str, folder: Path, stem: str) -> dict:
    """The rows that the reading process handed over, laid out; `shape` is the column of the shapes."""
    with Laying(folder, stem, place) as laying:
        with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as reader:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                if shape:
                    for row, wkb in enumerate(batch.column(shape), laying.rows):
                        _take_shape(row, wkb.as_py(), laying)
                names = [name for name in batch.schema.names if name != shape]
                columns = {
                    name: [text.encode("utf-8", "replace") for text in texts(batch.column(name))] for name in names
                }
                kinds = {name.encode(): _kind(batch.schema.field(name).type) for name in names}
                laying.take({name.encode(): values for name, values in columns.items()}, batch.num_rows, kinds)
            if shape and not laying.rows:
                laying.begin_shapes()
        return laying.laid()


def _take_shape(row: int, wkb: bytes | None, laying: Laying):
    found = None
    try:
        found, more = rings_of_wkb(wkb)
        laying.heights |= more
    except Curve:
        laying.told[row] = ("4-curve", REFUSE, "", "")
        laying.curves[row] = wkb
    except NotPolygon as error:
        laying.other_shapes.add(str(error))
        laying.told[row] = ("1-not-polygon", REFUSE, str(error), "")
    except Broken:
        laying.told[row] = ("1-shape-damaged", REFUSE, "", "")
    laying.shape(found)


def _child(path: Path, kind: str, layer: str = "", out: Path | None = None) -> dict:
    driver = DRIVERS[kind]
    skipped = ",".join(name for name in _drivers() if name != driver)
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR", "HOME")}
    limits = [str(MOST_ROWS), str(MOST_BYTES)]
    environment |= {"OGR_SKIP": skipped, "GDAL_SKIP": skipped, "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(CHILD), driver, str(path.resolve()), layer, str(out or ""), *limits],
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            cwd=path.parent,
        )
    except subprocess.TimeoutExpired as error:
        raise _unreadable(path, _("reading it took longer than %(seconds)d s") % {"seconds": SECONDS}) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _unreadable(
            path, said[-1][:300] if said else _("the reader ended with %(code)d") % {"code": done.returncode}
        )
    told = json.loads(done.stdout)
    if why := told.get("refused"):
        raise _unreadable(path, f"{layer} – " + str(WHY[why]) % {"rows": MOST_ROWS, "bytes": MOST_BYTES})
    return told


@cache
def _drivers() -> tuple[str, ...]:
    """Every driver of the GDAL that the reading process will load."""
    done = subprocess.run(
        [sys.executable, "-I", str(CHILD), "drivers"],
        capture_output=True,
        check=True,
        timeout=SECONDS,
    )
    return tuple(json.loads(done.stdout))


def _of_polygons(kind: str) -> bool:
    return any(word in kind for word in ("Polygon", "Surface", "Unknown", "GeometryCollection"))


def _kind(one: pa.DataType) -> str:
    if pa.types.is_integer(one) or pa.types.is_floating(one) or pa.types.is_decimal(one):
        return "N"
    return "D" if pa.types.is_temporal(one) else "C"


def _unreadable(path: Path, why: str) -> InputUnreadable:
    return InputUnreadable(
        _("%(name)s cannot be read: %(why)s.") % {"name": path.name, "why": why}, _("Export the layer again.")
    )
