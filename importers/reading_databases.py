"""Read layers of a GeoPackage or a file geodatabase, by GDAL in a process of its own with one driver and limits."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pyarrow as pa
from django.utils.translation import gettext as _

from importers.problems import REFUSE
from importers.reading_laid import Curve, Laid, NotPolygon, rings_of_wkb, texts, write_shapes
from importers.reading_shp import Shapes
from units.errors import InputUnreadable

DRIVERS = {"gpkg": "GPKG", "gdb": "OpenFileGDB"}
CHILD = Path(__file__).with_name("reading_child.py")
SECONDS = 900


def layers_of(path: Path, kind: str) -> list[str]:
    """The names of the layers of polygons and of the tables without shapes."""
    told = _child(path, kind)
    return [one["name"] for one in told["layers"] if one["kind"] is None or _of_polygons(one["kind"])]


def read_layer(path: Path, kind: str, layer: str, folder: Path, place: str) -> tuple[Laid, Shapes | None, str | None]:
    """One layer as a table and shapes; and what it says of its reference system."""
    out = folder / f"{abs(hash((str(path), layer)))}.arrow"
    told = _child(path, kind, layer, out)
    with pa.memory_map(str(out)) as source:
        table = pa.ipc.open_file(source).read_all()
        laid = Laid(
            [
                (name, _kind(table.schema.field(name).type), texts(table[name]))
                for name in table.column_names
                if name != told["shape"]
            ],
            table.num_rows,
            place,
        )
        shapes = _shapes(table[told["shape"]].to_pylist(), laid, out, place) if told["shape"] else None
    out.unlink()
    return laid, shapes, told["crs"]


def _shapes(wkbs: list[bytes | None], laid: Laid, out: Path, place: str) -> Shapes:
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
    environment |= {"OGR_SKIP": skipped, "GDAL_SKIP": skipped, "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(CHILD), driver, str(path.resolve()), layer, str(out or "")],
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
    return json.loads(done.stdout)


@cache
def _drivers() -> tuple[str, ...]:
    """Every driver of the GDAL that the reading process will load."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import pyogrio, json; print(json.dumps(list(pyogrio.list_drivers())))"],
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
