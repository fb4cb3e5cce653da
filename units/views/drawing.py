"""Answer the drawing of units: boundary points that were pasted, and the drafts beside a unit."""

import shapely
from django.contrib.gis.geos import Polygon
from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units import boundary, drafting
from units.collections import COLLECTIONS
from units.composing import geojson, may_draw, required_district
from units.models import RedevelopmentUnit
from units.spatial import STORAGE_SRID
from units.views.asking import grants, only
from units.views.body import told
from units.views.composing import plain

BESIDE = 2.0 / 111_320  # degrees of latitude, two metres: whatever lies nearer may share an edge


@require_POST
@cache_control(private=True, no_store=True)
def corners(request):
    """{geometry, points, told} of a pasted `text`, and {point} where it names one alone; nothing is stored."""
    only(request)
    body = told(request, district=str, text=str)
    place = required_district(grants(request), body.get("district", ""))
    made = boundary.read(body.get("text", ""), place.srid)
    return JsonResponse(
        {"geometry": made.geometry, "points": made.points, "told": made.told}
        if made.point is None
        else {"point": list(made.point), "points": 1, "told": made.told}
    )


@require_safe
@cache_control(private=True, no_store=True)
def neighbours(request):
    """{units: [{code, name, version, edition, geometry}]} of the drafts within reach of `unit` that one may change."""
    only(request, "district", "unit")
    held = grants(request)
    place = required_district(held, plain(request.GET.get("district", "")))
    unit = drafting.found(held, plain(request.GET.get("unit", "")), place.code)
    west, south, east, north = unit.geom.extent
    around = Polygon.from_bbox((west - BESIDE, south - BESIDE, east + BESIDE, north + BESIDE))
    around.srid = STORAGE_SRID
    rows = (
        RedevelopmentUnit.objects.filter(COLLECTIONS["units"].seen_by(held).rows.q())
        .filter(district=place, state=RedevelopmentUnit.State.DRAFT, geom__bboverlaps=around)
        .exclude(code=unit.code)
        .order_by("code", "-edition")
    )
    own = shapely.from_wkb(bytes(unit.geom.wkb))
    shapes = [(row, shapely.from_wkb(bytes(row.geom.wkb))) for row in rows if may_draw(held, place.code, row.street_id)]
    return JsonResponse(
        {
            "units": [
                {
                    "code": row.code,
                    "name": row.name,
                    "version": row.version,
                    "edition": row.edition,
                    "geometry": geojson(shape),
                }
                for row, shape in shapes
                if shapely.dwithin(own, shape, BESIDE)
            ]
        }
    )
