"""Draw a land-use cover for benchmarks: any number of patches of 40 or more vertices with bent, shared edges."""

from pathlib import Path

import numpy as np
import shapely

from fixtures.drawing.sheet import Patches
from fixtures.fields import fields
from fixtures.shapefile import ShapefileWriter
from fixtures.tables import Serials, dltb

CELL = 70.0  # metres: the mean side of a patch
SEGMENTS = 12  # of each edge, so that a patch has 48 vertices
ORIGIN = (39_500_000.0, 4_318_000.0)  # EPSG:4527
CLASSES = ["0601", "0701", "05H1", "08H2", "0810", "0102", "1004", "1201"]


def draw_patches(folder: Path, count: int = 200_000, seed: int = 1) -> Path:
    """Write FOLDER/DLTB.shp (GBK, no .cpg, EPSG:4527) with exactly `count` patches; the path of the .shp."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = int(np.ceil(np.sqrt(count)))
    serials = Serials()
    rng = np.random.default_rng(seed)
    with ShapefileWriter(folder / "DLTB", fields("dltb"), "gbk", cpg=None) as layer:
        south = across(columns, 0, seed)
        left = count
        for row in range(int(np.ceil(count / columns))):
            north = across(columns, row + 1, seed)
            shapes = band(south, north, upright(columns, row, south, north, seed))[:left]
            patches = Patches(
                shapes,
                rng.choice(CLASSES, len(shapes)),
                np.full(len(shapes), row % 12 + 1),
                np.full(len(shapes), np.nan),
            )
            layer.write(shapes, dltb(patches, serials))
            left -= len(shapes)
            south = north
    return folder / "DLTB.shp"


def across(columns: int, row: int, seed: int):
    """The edges of one line from west to east: (columns, SEGMENTS + 1, 2) metres, to the millimetre."""
    rng = np.random.default_rng([seed, row])
    nodes = np.column_stack([np.arange(columns + 1), np.full(columns + 1, row)]) + rng.uniform(
        -0.22, 0.22, (columns + 1, 2)
    )
    return bent(nodes[:-1], nodes[1:], rng)


def upright(columns: int, row: int, south, north, seed: int):
    """The edges of one row from south to north: (columns + 1, SEGMENTS + 1, 2) metres, on the same nodes."""
    rng = np.random.default_rng([seed, row, 1])
    low = np.concatenate([south[:, 0], south[-1:, -1]])
    high = np.concatenate([north[:, 0], north[-1:, -1]])
    return bent((low - ORIGIN) / CELL, (high - ORIGIN) / CELL, rng)


def bent(start, end, rng):
    """Edges from start to end, bulging to one side or the other, with a small wave."""
    t = np.linspace(0, 1, SEGMENTS + 1)
    aside = (end - start)[:, ::-1] * [-1, 1]
    bulge = rng.uniform(-0.1, 0.1, (len(start), 1)) * np.sin(np.pi * t) + rng.uniform(
        -0.03, 0.03, (len(start), 1)
    ) * np.sin(3 * np.pi * t)
    line = start[:, None] + (end - start)[:, None] * t[:, None] + aside[:, None] * bulge[..., None]
    return np.rint((line * CELL + ORIGIN) * 1000) / 1000


def band(south, north, sides):
    """The patches between two lines and the edges that join them."""
    rings = np.concatenate([south[:, :-1], sides[1:, :-1], north[:, ::-1][:, :-1], sides[:-1, ::-1][:, :-1]], axis=1)
    return shapely.polygons(rings)
