"""Look at some rows of a layer before all are read: their shapes, and the areas and keys that they give themselves."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from importers.checking import as_numbers, field_text, key_text
from importers.profiles import Match
from importers.reading_dbf import Table
from importers.reading_shp import FINE, Shapes
from importers.shaping import GEOD, to_degrees
from units.spatial import SQUARE_METRES_PER_HECTARE, SQUARE_METRES_PER_MU

BLOCKS, ROWS = 8, 32  # runs of rows, spread over the layer
ENOUGH = 5  # rows that must agree before their areas say anything of a reference system
TOGETHER = 0.6  # of the rows must have the same ratio …
SAME = 1e-4  # … within this share
AGREES = 2e-4  # share by which declared and measured areas may differ: a scale of 0.9996 makes 8e-4
SMALLEST = 200.0  # square metres, below which the rounding of an area field is as large as what is looked for
UNITS = (1.0, float(SQUARE_METRES_PER_MU), float(SQUARE_METRES_PER_HECTARE), 1e6)


@dataclass
class Probe:
    """Some rows of one ring each, as delivered: points, the area that each declares (NaN where none), and its key."""

    rings: list[np.ndarray]
    declared: np.ndarray
    keys: list[str]

    @property
    def extent(self) -> tuple[float, float, float, float] | None:
        if not self.rings:
            return None
        points = np.concatenate(self.rings)
        return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())

    def in_degrees(self, way: int | str) -> list[np.ndarray]:
        """The rings, read so, in degrees of CGCS2000; not finite where they cannot be."""
        transformer = to_degrees(way)
        if transformer is None or not self.rings:
            return self.rings
        points = np.concatenate(self.rings)
        found = np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
        return np.split(found, np.cumsum([len(ring) for ring in self.rings])[:-1])

    def ratio(self, way: int | str) -> float | None:
        """By what factor declared areas differ from the ellipsoidal ones, read so; None where they say nothing."""
        rings = self.in_degrees(way)
        measured = np.array(
            [
                abs(GEOD.polygon_area_perimeter(ring[:, 0], ring[:, 1])[0]) if np.isfinite(ring).all() else np.nan
                for ring in rings
            ]
        )
        return _ratio(self.declared, measured)

    @cached_property
    def planar_ratio(self) -> float | None:
        """The same against the areas in the plane of the layer's own numbers."""
        return _ratio(self.declared, np.array([_planar(ring) for ring in self.rings]))

    def agrees(self, way: int | str, *, plane: bool) -> bool | None:
        """Whether the declared areas are those of this reading, ellipsoidal or in the plane; None: they say nothing."""
        ratio = self.ratio(way)
        if ratio is None:
            return None
        tried = [ratio, self.planar_ratio] if plane and self.planar_ratio else [ratio]
        return any(abs(one * unit - 1) <= AGREES for one in tried for unit in UNITS)


def probed(table: Table, shapes: Shapes, match: Match | None, encoding: str) -> Probe:
    """Some rows of a layer; `match` says which of its columns are an area and the key."""
    rows = min(table.rows, shapes.rows)
    starts = sorted({int(at) for at in np.linspace(0, max(rows - ROWS, 0), BLOCKS)})
    if rows <= BLOCKS * ROWS:
        starts = list(range(0, rows, ROWS))
    area = None if match is None else next((one for one in match.profile.fields if one.area), None)
    if area is not None and area.name not in match.columns:
        area = None
    rings, declared, keys = [], [], []
    for start in starts:
        run = slice(start, min(start + ROWS, rows))
        found = shapes.rings(run.start, run.stop)
        live = ~table.deleted[run] & (found.faults == FINE) & (np.diff(found.firsts) == 1)
        said = np.full(len(live), np.nan)
        if area is not None:
            said = as_numbers(field_text(table, match, area.name, encoding, run)[0])[0]
        named = [""] * len(live) if match is None else key_text(table, match, encoding, run).to_pylist()
        for row in np.flatnonzero(live):
            ring = found.firsts[row]
            rings.append(found.points[found.starts[ring] : found.starts[ring + 1]])
            declared.append(said[row])
            keys.append(named[row])
    return Probe(rings, np.array(declared, float), keys)


def _ratio(declared: np.ndarray, measured: np.ndarray) -> float | None:
    with np.errstate(invalid="ignore", divide="ignore"):
        usable = np.isfinite(declared) & np.isfinite(measured) & (declared > 0) & (measured > 0)
        usable &= np.maximum(declared, measured) >= SMALLEST
        ratios = declared[usable] / measured[usable]
    if len(ratios) < ENOUGH:
        return None
    middle = float(np.median(ratios))
    return middle if (np.abs(ratios / middle - 1) <= SAME).mean() >= TOGETHER else None


def _planar(ring: np.ndarray) -> float:
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return abs(float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())) / 2
