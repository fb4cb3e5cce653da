"""Read the layers of one district once, as arrays of shapes, for all checks that look at them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyproj
import shapely
from django.db import connection

from units.models import District, Survey
from units.spatial import CGCS2000_A, CGCS2000_INVERSE_FLATTENING, OVERLAP_AREA, OVERLAP_WIDTH, STORAGE_SRID

SQL = Path(__file__).parent / "sql"
BATCH = 20_000  # rows that are read at once
THREADS = 2  # GEOS works without Python's lock
METRES_PER_DEGREE = 111_700.0  # more than a degree of either axis ever has
ELLIPSOID = pyproj.Geod(a=CGCS2000_A, rf=CGCS2000_INVERSE_FLATTENING)


def question(name: str) -> str:
    """The text of one of the checks' SQL questions."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


@dataclass
class Fault:
    """One thing that a check saw.

    parts fill the places of the sentence; those named in `words` are texts to be translated. shape is the fault's own
    place (the piece, not the whole record), in degrees. `seen` is given where not the shape tells one fault from
    another: what was judged, as text; `row` then says which profile and field an import would tell it of.
    """

    subjects: tuple[str, ...]
    parts: dict[str, str]
    shape: object = None
    street: str | None = None
    measure: float | None = None
    uom: str = ""
    words: tuple[str, ...] = ()
    sentence: str | None = None
    severity: str | None = None
    seen: str | None = None
    row: tuple | None = None
    details: dict = field(default_factory=dict)


@dataclass
class Layer:
    """The rows of one layer in the order of their codes; shapes are as stored, in degrees."""

    name: str
    codes: np.ndarray
    streets: np.ndarray
    kinds: np.ndarray
    shapes: np.ndarray
    valid: np.ndarray
    plane: "Plane"

    def __len__(self):
        return len(self.codes)

    @cached_property
    def sound(self) -> np.ndarray:
        """The shapes with the broken ones mended, for looking at only: one broken shape stops no other check."""
        if self.valid.all():
            return self.shapes
        shapes = self.shapes.copy()
        shapes[~self.valid] = [mended(shape) for shape in shapes[~self.valid]]
        return shapes

    @cached_property
    def tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.sound)

    @cached_property
    def loose(self) -> np.ndarray:
        """Which shapes have an edge that is not the same, vertex by vertex, as a neighbour's, or lies inside one.

        Where two shapes overlap, are the same or lie in each other, at least one is loose: only pairs with a loose one
        need to be compared.
        """
        if not len(self):
            return np.zeros(0, bool)
        edges = shapely.coverage_invalid_edges(self.sound, gap_width=0.0)
        return ~shapely.is_empty(edges)

    def street(self, *rows: int) -> str | None:
        """The street of the first of the rows that has one."""
        return next((self.streets[row] for row in rows if self.streets[row]), None)


class Plane:
    """The Gauss–Krüger zone in which a district's topology is judged."""

    def __init__(self, srid: int):
        self.there = pyproj.Transformer.from_crs(STORAGE_SRID, srid, always_xy=True)
        self.back = pyproj.Transformer.from_crs(srid, STORAGE_SRID, always_xy=True)

    def metres(self, shapes):
        """Shapes in degrees as valid shapes in metres."""
        shapes = np.atleast_1d(np.asarray(shapes, dtype=object))
        moved = shapely.transform(shapes, lambda points: np.column_stack(self.there.transform(*points.T)))
        broken = ~shapely.is_valid(moved)
        if broken.any():
            moved[broken] = [mended(shape) for shape in moved[broken]]
        return moved

    def degrees(self, shapes):
        """Shapes in metres as shapes in degrees."""
        shapes = np.atleast_1d(np.asarray(shapes, dtype=object))
        return shapely.transform(shapes, lambda points: np.column_stack(self.back.transform(*points.T)))


class Sight:
    """What one run looks at: a district, one of its surveys, and their layers, each read once."""

    def __init__(self, district: District, survey: Survey | None, progress: Callable[[str], None] = lambda text: None):
        self.district, self.survey, self.progress = district, survey, progress
        self.plane = Plane(district.srid)
        self.layers: dict[str, Layer] = {}
        self.found: dict[str, object] = {}  # what several checks tell different parts of

    @property
    def values(self) -> dict:
        """What the SQL questions bind."""
        return {
            "district": self.district.code,
            "survey": self.survey.pk if self.survey else None,
            "srid": self.district.srid,
        }

    @cached_property
    def boundary(self):
        """The district's boundary in degrees, mended where it is broken; None where nobody delivered it."""
        if self.district.geom is None:
            return None
        shape = shapely.from_wkb(bytes(self.district.geom.wkb))
        return shape if shapely.is_valid(shape) else mended(shape)

    @cached_property
    def boundary_metres(self):
        return None if self.boundary is None else self.plane.metres(self.boundary)[0]

    def layer(self, name: str) -> Layer:
        if name not in self.layers:
            self.layers[name] = self._read(name)
        return self.layers[name]

    def size(self, name: str) -> int:
        """How many rows a layer has, whether or not its shapes were read."""
        if name in self.layers:
            return len(self.layers[name])
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM (\n{question(name)}\n) counted", self.values)
            return cursor.fetchone()[0]

    def rows(self, name: str, values: dict | None = None) -> Iterator[tuple]:
        """The rows of one of the questions, in binary, a batch at a time."""
        raw = connection.connection
        with raw.cursor(name=f"geoinv_{name.replace('-', '_')}", binary=True) as cursor:
            cursor.execute(question(name), self.values | (values or {}))
            while batch := cursor.fetchmany(BATCH):
                yield from batch

    def _read(self, name: str) -> Layer:
        codes, streets, kinds, shapes, valid = [], [], [], [], []
        raw = connection.connection
        with (
            ThreadPoolExecutor(1) as judging,
            raw.cursor(name=f"geoinv_{name.replace('-', '_')}", binary=True) as cursor,
        ):
            cursor.execute(question(name), self.values)
            while batch := cursor.fetchmany(BATCH):
                some = shapely.from_wkb([row[3] for row in batch])
                codes += [row[0] for row in batch]
                streets += [row[1] for row in batch]
                kinds += [row[2] for row in batch]
                shapes.append(some)
                # The next batch is read meanwhile.
                valid.append(judging.submit(shapely.is_valid, some))
        empty = np.empty(0, object)
        return Layer(
            name,
            np.array(codes, dtype=object),
            np.array(streets, dtype=object),
            np.array(kinds, dtype=object),
            np.concatenate(shapes) if shapes else empty,
            np.concatenate([one.result() for one in valid]) if valid else np.zeros(0, bool),
            self.plane,
        )


def mended(shape):
    """The polygons of a broken shape, made valid by keeping what its rings enclose."""
    return areal(shapely.make_valid(shape))


def areal(shape):
    """The polygons of a shape as one MultiPolygon, without lines and points."""
    pieces = [piece for piece in shapely.get_parts(shape) if piece.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.multipolygons(shapely.get_parts(pieces)) if pieces else shapely.MultiPolygon()


def counting(shape):
    """What of a shape in metres is more than noise: its polygons over 5 cm of mean width, if over 1 m² together.

    None where nothing is. The mean width is 2A/P.
    """
    pieces = shapely.get_parts(shape)
    pieces = pieces[shapely.get_dimensions(pieces) == 2]
    if not len(pieces):
        return None
    pieces = shapely.get_parts(pieces)
    areas = shapely.area(pieces)
    if areas.sum() <= OVERLAP_AREA:
        return None
    pieces = pieces[2 * areas > OVERLAP_WIDTH * shapely.length(pieces)]
    if shapely.area(pieces).sum() <= OVERLAP_AREA:
        return None
    return shapely.multipolygons(pieces)


def measured(shape) -> float:
    """Square metres on the ellipsoid of a shape in degrees."""
    return abs(ELLIPSOID.geometry_area_perimeter(shapely.orient_polygons(shape))[0])


def in_threads(work: Callable, *arrays) -> np.ndarray:
    """A function of shapely over arrays of one length, cut into runs that several threads do at once.

    No prepared shape may be among them, and of shapes that stand in several runs the box must have been asked for:
    GEOS makes both when they are first needed, and two threads that make the same one end the process.
    """
    length = len(arrays[0])
    if length < 2_000:
        return work(*arrays)
    cuts = np.linspace(0, length, 4 * THREADS + 1).astype(int)
    runs = list(zip(cuts[:-1], cuts[1:], strict=True))
    with ThreadPoolExecutor(THREADS) as pool:
        return np.concatenate(list(pool.map(lambda run: work(*(one[slice(*run)] for one in arrays)), runs)))
