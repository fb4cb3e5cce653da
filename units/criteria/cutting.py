"""Cut the parcels of a district by its other layers, in memory: the pieces that `sql/measures/` tells of one parcel."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import psycopg
import shapely

from units.geometry import areal

BATCH = 5_000  # shapes that are read at once
THREADS = 2  # GEOS works without Python's lock
AHEAD = 2 * THREADS  # batches that wait to be cut; memory does not grow with the layer
NOTHING = 1e-4  # square metres; shapes that share an edge have some 1e-6 in common, for numbers end somewhere
EMPTY = r"\N"


class Parcels:
    """The parcels that are measured, in metres. They are never prepared: several threads ask them."""

    def __init__(self, raw: psycopg.Connection):
        asked = "SELECT subject, geom::bytea FROM pg_temp.parcel ORDER BY subject"
        rows = psycopg.Cursor(raw).execute(asked, binary=True).fetchall()
        self.subjects = np.array([subject for subject, _shape in rows], dtype=np.int64)
        self.shapes = np.array(shapely.from_wkb([shape for _subject, shape in rows]), dtype=object)
        self.srid = int(shapely.get_srid(self.shapes).max(initial=0))
        self.tree = shapely.STRtree(self.shapes)
        self.tree.query(shapely.Point(0, 0))  # it is built by the first question


class Pieces(NamedTuple):
    """What a batch of shapes covers of parcels, one place in each array a piece. Of a whole one no shape is kept."""

    names: np.ndarray  # the columns that tell one shape of the layer from another, as COPY reads them
    parcels: np.ndarray
    whole: np.ndarray
    areas: np.ndarray
    shapes: np.ndarray


def cut(
    raw: psycopg.Connection, parcels: Parcels, asked: str, relation: str, columns: tuple[str, ...], held: bool
) -> None:
    """Fill the temporary `relation` with what the rows of `asked` cover of each parcel.

    `asked` yields `columns` and, as the last, a shape in the parcels' plane. A piece is whole where the shape holds the
    parcel or, with `held`, where the parcel holds the shape.
    """
    found = list(_batches(raw, parcels, asked, held))
    if not found:
        return
    names, rows, whole, areas, shapes = (np.concatenate(part) for part in zip(*found, strict=True))
    # In one order whatever was read first, so that a run adds up the same numbers as the run before.
    order = np.lexsort((areas, names, rows))
    written = f"COPY pg_temp.{relation} ({', '.join(columns)}, subject, whole, area, geom) FROM STDIN"
    with raw.cursor() as cursor, cursor.copy(written) as copy:
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            told = (names[some], parcels.subjects[rows[some]], whole[some], areas[some], shapes[some])
            lines = zip(*(column.tolist() for column in told), strict=True)
            copy.write("".join(f"{a}\t{b}\t{c}\t{d!r}\t{e}\n" for a, b, c, d, e in lines))


def _batches(raw: psycopg.Connection, parcels: Parcels, asked: str, held: bool) -> Iterator[Pieces]:
    """The pieces of all batches in their order: the server makes the next rows while two threads cut the last."""
    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(THREADS) as threads, raw.cursor(name="geoinv_cut", binary=True) as cursor:
        cursor.execute(asked)
        while rows := cursor.fetchmany(BATCH):
            waiting.append(threads.submit(_pieces, rows, parcels, held))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _pieces(rows: list[tuple], parcels: Parcels, held: bool) -> Pieces:
    """The pieces of one batch. What is prepared here is this thread's own."""
    shapes = np.array(shapely.from_wkb([row[-1] for row in rows]), dtype=object)
    ours, theirs = parcels.tree.query(shapes)
    one, other = shapes[ours], parcels.shapes[theirs]
    if held:
        whole = shapely.covered_by(one, other)
    else:
        shapely.prepare(shapes)
        whole = shapely.covers(one, other)
    crossing = np.flatnonzero(~whole)
    if held:
        shapely.prepare(shapes)
    crossing = crossing[shapely.intersects(one[crossing], other[crossing])]
    # neighbours that share an edge or a corner are many, and have nothing to be cut
    crossing = crossing[~shapely.touches(one[crossing], other[crossing])]
    pieces = shapely.intersection(other[crossing], one[crossing])
    areas = np.zeros(len(ours))
    areas[whole] = shapely.area((one if held else other)[whole])
    areas[crossing] = shapely.area(pieces)
    kept = areas > NOTHING
    pieces, crossing = pieces[kept[crossing]], crossing[kept[crossing]]
    mixed = shapely.get_type_id(pieces) == shapely.GeometryType.GEOMETRYCOLLECTION
    pieces[mixed] = areal(pieces[mixed])
    written = np.full(len(ours), EMPTY, dtype=object)
    # a plain polygon lost its system in the cutting
    written[crossing] = shapely.to_wkb(shapely.set_srid(pieces, parcels.srid), hex=True, include_srid=True)
    names = np.array(["\t".join(map(_text, row[:-1])) for row in rows], dtype=object)
    return Pieces(names[ours[kept]], theirs[kept], whole[kept], areas[kept], written[kept])


def _text(value) -> str:
    """A value as COPY reads it."""
    if value is None:
        return EMPTY
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
