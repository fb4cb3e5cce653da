"""Measure what somebody clicks on the map: length and area on the ellipsoid, as every area here is measured."""

import json
import math

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST

from units.errors import UsageError
from units.spatial import CHINA, SQUARE_METRES_PER_HECTARE, STORAGE_SRID, in_mu, rounded
from units.views.asking import asked, only

MOST = 2000  # points
LONGEST = 200_000  # bytes of a question
# ST_Length and ST_Area of a geography are those of GeographicLib on the ellipsoid of CGCS2000 (Karney 2013).
QUESTION = f"""
WITH line AS (SELECT ST_SetSRID(ST_GeomFromGeoJSON(%(line)s), {STORAGE_SRID}) AS geom),
     ring AS (SELECT CASE WHEN %(closed)s THEN ST_AddPoint(geom, ST_StartPoint(geom)) ELSE geom END AS geom FROM line)
SELECT ST_Length(geom::geography) AS length_m, ST_IsSimple(geom) AS simple,
       CASE WHEN %(closed)s AND ST_IsSimple(geom) THEN ST_Area(ST_MakePolygon(geom)::geography) END AS area_m2
FROM ring
"""


@require_POST
@cache_control(private=True, no_store=True)
def measuring(request):
    """{length_m, simple, area_m2, area_mu, area_ha} of `points` [[lng, lat], …]; `closed` makes them a ring.

    The length of a ring is its perimeter. A ring that crosses itself has no area: null.
    """
    only(request)
    points, closed = _points(request)
    (found,) = asked(QUESTION, {"line": json.dumps({"type": "LineString", "coordinates": points}), "closed": closed})
    area = found["area_m2"]
    return JsonResponse(
        found
        | {
            "area_mu": None if area is None else float(in_mu(area)),
            "area_ha": None if area is None else float(rounded(area / float(SQUARE_METRES_PER_HECTARE), 4)),
        }
    )


def _points(request) -> tuple[list, bool]:
    if len(request.body) > LONGEST:
        raise UsageError(_("At most %(most)s points can be measured.") % {"most": MOST})
    try:
        told = json.loads(request.body)
        points, closed = [[float(lng), float(lat)] for lng, lat in told["points"]], bool(told.get("closed"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError(_("A measurement is {points: [[longitude, latitude], …], closed: true or false}.")) from None
    west, south, east, north = CHINA
    inside = all(math.isfinite(lng + lat) and west <= lng <= east and south <= lat <= north for lng, lat in points)
    if not (3 if closed else 2) <= len(points) <= MOST or not inside:
        raise UsageError(
            _("Two points make a line and three an area, at most %(most)s, all in China.") % {"most": MOST}
        )
    return points, closed
