"""Snap points to the vertices and edges of parcels, in metres of the ellipsoid and whatever the zoom of a map.

The map asks here while somebody draws, and what is saved goes through the same function.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import shapely
from django.db import connection

from units import geometry
from units.collections import COLLECTIONS
from units.geometry import Position
from units.models import District
from units.rights import Grant
from units.spatial import CHINA

SQL = (Path(__file__).parent / "sql" / "snapping" / "near.sql").read_text(encoding="utf-8")
SNAP = 0.5  # metres: t_len of queries.md
# A degree of longitude is at least 56 km in China, one of latitude 110: generous, the metres are judged afterwards.
SNAP_DEGREES = SNAP / 55_000


class Snapped(NamedTuple):
    """Where a point goes: onto a parcel's corner or edge, how far (m), and whose; or it stays."""

    at: Position
    kind: str | None = None  # corner, edge
    code: str | None = None
    metres: float = 0.0


def snapped(grants: tuple[Grant, ...], district: District, points: Sequence[Position]) -> list[Snapped]:
    """Each point on the nearest parcel's corner within SNAP metres, else on the nearest edge, else where it is.

    Of parcels that share the corner or edge the first by code counts. Parcels that these grants do not open are none.
    """
    codes, shapes = near(grants, district, points)
    found = []
    for start, one in zip(points, geometry.nearest(points, shapes, district.srid, SNAP), strict=True):
        if one is None:
            found.append(Snapped(tuple(start)))
            continue
        at = one.at if geometry.moves(start, one) else tuple(start)
        found.append(Snapped(at, "corner" if one.kind == "vertex" else "edge", codes[one.source], one.metres))
    return found


def snapped_rings(grants: tuple[Grant, ...], district: District, parts):
    """(parts, snaps, codes): rings with each vertex where `snapped` puts it; a snap names the number of its code."""
    corners = [position for rings in parts for ring in rings for position in ring]
    codes, shapes = near(grants, district, corners)
    moved, snaps = geometry.snapped(parts, shapes, district.srid, SNAP)
    return moved, snaps, codes


def near(grants: tuple[Grant, ...], district: District, points: Sequence[Position]) -> tuple[list[str], list]:
    """(codes, shapes) of the parcels in whose reach the points lie, by code."""
    west, south, east, north = CHINA
    inside = [one for one in points if west <= one[0] <= east and south <= one[1] <= north]
    if not inside:
        return [], []
    seen, rights = COLLECTIONS["parcels"].seen_by(grants).rows.sql("p", "parcels")
    values = {"district": district.code, "points": shapely.to_wkb(shapely.MultiPoint(inside)), "reach": SNAP_DEGREES}
    with connection.cursor() as cursor:
        cursor.execute(SQL.format(seen=seen), values | rights)
        rows = cursor.fetchall()
    return [code for code, _wkb in rows], list(shapely.from_wkb([bytes(wkb) for _code, wkb in rows]))
