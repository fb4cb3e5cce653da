"""Keep units noded alike along the edges that they share, so that all of them together stay one coverage."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry, Polygon

from units.cutting import with_vertices
from units.models import RedevelopmentUnit
from units.spatial import STORAGE_SRID

State = RedevelopmentUnit.State
NEAR = 1e-7  # degrees, a centimetre: wider than any tolerance below


def neighbours(district: str, shapes: Iterable[shapely.Geometry], codes: Iterable[str]) -> list[RedevelopmentUnit]:
    """The units at the shapes, locked in the order of their numbers, without those with these codes."""
    west, south, east, north = shapely.total_bounds(np.array(list(shapes), dtype=object)).tolist()
    box = Polygon.from_bbox((west - NEAR, south - NEAR, east + NEAR, north + NEAR))
    box.srid = STORAGE_SRID
    found = RedevelopmentUnit.objects.filter(district=district, geom__bboverlaps=box).exclude(code__in=codes)
    return list(found.exclude(state__in=(State.DELETED, State.AMENDED)).select_for_update(of=("self",)).order_by("id"))


def shape_of(unit: RedevelopmentUnit) -> shapely.MultiPolygon:
    return shapely.from_wkb(bytes(unit.geom.wkb))


def stored(shape: shapely.MultiPolygon) -> GEOSGeometry:
    """The shape as the database takes it."""
    return GEOSGeometry(memoryview(shapely.to_wkb(shape)), srid=STORAGE_SRID)


def adjoined(
    shapes: Sequence[shapely.MultiPolygon], beside: Sequence[RedevelopmentUnit], srid: int
) -> tuple[list[shapely.MultiPolygon], list[tuple[RedevelopmentUnit, shapely.MultiPolygon]]]:
    """(shapes, changed): the shapes with the vertices of what lies beside, and drafts beside that got some of theirs.

    Stored vertices stay where they are. What is no draft takes no vertex: an approved shape is as it was approved.
    """
    theirs = [shape_of(unit) for unit in beside]
    fresh = list(shapes)
    if theirs:
        # Of all at once: three that meet in a point must agree about it.
        points = shapely.get_coordinates(np.array(theirs, dtype=object))
        fresh = [with_vertices(shape, _around(points, shape), srid, replace=True) for shape in fresh]
    if not theirs:
        return fresh, []
    points = shapely.get_coordinates(np.array(fresh, dtype=object))
    changed = []
    for unit, shape in zip(beside, theirs, strict=True):
        if unit.state != State.DRAFT:
            continue
        noded = with_vertices(shape, _around(points, shape), srid)
        if noded is not shape:
            changed.append((unit, noded))
    return fresh, changed


def _around(points: np.ndarray, shape: shapely.Geometry) -> np.ndarray:
    """Those of the points that lie in the box of the shape."""
    west, south, east, north = shape.bounds
    x, y = points.T
    return points[(x >= west - NEAR) & (x <= east + NEAR) & (y >= south - NEAR) & (y <= north + NEAR)]
