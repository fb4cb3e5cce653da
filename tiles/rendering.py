"""Ask the database for one vector tile, with the rows and columns that its reader may see."""

from functools import cache
from pathlib import Path

from django.db import OperationalError, connection
from django.utils.translation import gettext_lazy as _
from psycopg.errors import QueryCanceled

from tiles.layers import Layer
from units.errors import Busy
from units.rights import View

SQL = Path(__file__).parent / "sql"
EXTENT = 4096  # steps of the grid along a tile's edge
THIN_EXTENT = 1024
BUFFER = 1 / 64  # of a tile's edge, drawn beyond it so that outlines meet
PIXELS = 256  # along a tile's edge on the screen
EQUATOR = 40_075_016.686  # metres round the Earth in EPSG:3857
STATEMENT_MILLISECONDS = 5000  # a tile that takes longer is given up; it must not hold the others up
# A parallel worker is a new process that reads PROJ's database anew: dearer than the shapes of a tile.
SETTINGS = (
    "SELECT set_config('statement_timeout', %(limit)s, true), set_config('max_parallel_workers_per_gather', '0', true)"
)


def render(layer: Layer, view: View, z: int, x: int, y: int) -> bytes:
    """The tile z/x/y of `layer` as `view` allows it; empty when nothing of it lies there."""
    if z < layer.minzoom or view.rows.never:
        return b""
    asked, params = statement(layer, view, z, x, y)
    params["limit"] = str(STATEMENT_MILLISECONDS)
    try:
        with connection.cursor() as cursor:
            # Both in one message, which PostgreSQL runs as one transaction: the settings end with it, and a tile costs
            # one round trip instead of four.
            cursor.execute(f"{SETTINGS};\n{asked}", params)
            cursor.nextset()
            return bytes(cursor.fetchone()[0] or b"")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Busy(_("This tile takes too long to draw."), _("Zoom in, or try again later.")) from error
        raise


def statement(layer: Layer, view: View, z: int, x: int, y: int) -> tuple[str, dict]:
    """The SQL of one tile with all its values."""
    asked, params = question(layer, view, z)
    thin = z < layer.full_from
    return asked, params | {
        "z": z,
        "x": x,
        "y": y,
        "layer": layer.id,
        "extent": THIN_EXTENT if thin else EXTENT,
        "buffer": round(BUFFER * (THIN_EXTENT if thin else EXTENT)),
        "margin": BUFFER,
        "pixel_m2": (EQUATOR / 2**z / PIXELS) ** 2,
    }


def question(layer: Layer, view: View, z: int) -> tuple[str, dict]:
    """The SQL for a tile of this layer at this zoom, and the values of its row and column rights."""
    rights, params = view.rows.sql("source")
    columns = []
    for name in layer.attributes_at(z):
        condition = view.columns[name]
        if condition.never:
            continue
        if condition == view.rows:
            columns.append(f", source.{name}")
        else:
            written, values = condition.sql("source")
            # Each condition numbers its values from nought; the column's name keeps them apart.
            columns.append(f", CASE WHEN {written.replace('%(', f'%({name}_')} THEN source.{name} END AS {name}")
            params |= {f"{name}_{key}": value for key, value in values.items()}
    shape = "source.geom" if z >= layer.shapes_from else "ST_PointOnSurface(source.geom)"
    collection = layer.collection
    statement = _read("tile").format(
        source=collection.source(),
        shape=f"ST_Transform({shape}, 3857)",
        columns="".join(columns),
        large_enough="source.area_m2 >= %(pixel_m2)s" if z < layer.full_from else "TRUE",
        rights=rights,
    )
    return statement, params | collection.values


@cache
def _read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
