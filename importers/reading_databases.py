"""Read layers of a GeoPackage or a file geodatabase, by GDAL in a process of its own with one driver and limits."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from importers.problems import REFUSE
from importers.reading_laid import Curve, Laid, NotPolygon, rings_of_wkb, texts, write_shapes
from importers.reading_shp import Shapes
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


def read_layer(path: Path, kind: str, layer: str, folder: Path, place: str) -> tuple[Laid, Shapes | None, str | None]:
    """One layer as a table and shapes; and what it says of its reference system."""
    out = folder / f"{abs(hash((str(path), layer)))}.arrow"
    told = _child(path, kind, layer, out)
    try:
        with pa.memory_map(str(out)) as source:
            table = pa.ipc.open_file(source).read_all()
            columns = (
                (name, _kind(table.schema.field(name).type), texts(table[name]))
                for name in table.column_names
                if name != told["shape"]
            )
            laid = Laid(columns, table.num_rows, place)
            shapes = _shapes(_each(table[told["shape"]]), laid, out, place) if told["shape"] else None
    except (MemoryError, pa.ArrowMemoryError) as error:
        raise _unreadable(path, str(WHY["memory"])) from error
    finally:
        out.unlink(missing_ok=True)
    return laid, shapes, told["crs"]


def _each(shapes: pa.ChunkedArray) -> Iterator[bytes | None]:
    """The values one run of rows after the other, so that they are never all held twice."""
    for chunk in shapes.iterchunks():
        yield from chunk.to_pylist()


def _shapes(wkbs: Iterable[bytes | None], laid: Laid, out: Path, place: str) -> Shapes:
    rings, heights = [], False
    for row, wkb in enumerate(wkbs):
        found = None
        try:
            found, more = rings_of_wkb(wkb)
            heights |= more
        except Curve:
            laid.told[row] = ("4-curve", REFUSE, "", "")
        except NotPolygon as error:
            raise InputUnreadable(
                _("%(place)s holds shapes that are no polygons.") % {"place": place}, _("Deliver the polygon layer.")
            ) from error
        rings.append(found)
    shp, shx = write_shapes(rings, out.parent, out.stem, kind=15 if heights else 5)
    return Shapes(shp, shx, place)


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
