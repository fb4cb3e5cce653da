"""The outlines and names of the reader's districts and streets, which lie over the grey ground of the map."""

import json

from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.models import District, Survey
from units.rights import Grant
from units.views.asking import asked, grants, only

FINE = 0.00002  # degrees, about 2 m: outlines are to be looked at and never measured
OUTLINES = """
SELECT code, name, ST_AsGeoJSON(ST_SimplifyPreserveTopology(ST_Boundary(geom), %(fine)s), 6) AS outline,
       ST_X(ST_PointOnSurface(geom)) AS lng, ST_Y(ST_PointOnSurface(geom)) AS lat,
       ST_XMin(geom) AS west, ST_YMin(geom) AS south, ST_XMax(geom) AS east, ST_YMax(geom) AS north
FROM {table} WHERE geom IS NOT NULL AND {district} = ANY(%(districts)s) ORDER BY code
"""


@require_safe
@cache_control(private=True, no_cache=True)
def places(request):
    """{districts, streets}: each {code, name, outline, label, box}; none for who works in no district."""
    only(request)
    codes = [one.code for one in districts_of(grants(request))]
    return JsonResponse(
        {
            "districts": _outlines("units_district", "code", codes),
            "streets": _outlines("units_street", "district_id", codes),
        }
    )


def districts_of(held: tuple[Grant, ...]):
    """The districts somebody with these grants works in; every one for a grant that holds everywhere."""
    codes = {grant.district or (grant.street or "")[:6] or None for grant in held}
    districts = District.objects.order_by("code")
    if None not in codes:
        districts = districts.filter(code__in=codes)
    return districts if held else districts.none()


def with_surveys(held: tuple[Grant, ...]) -> list[dict]:
    """The districts of the reader with the year of the survey in force in each."""
    years = dict(Survey.objects.filter(state=Survey.State.IN_FORCE).values_list("district_id", "year"))
    return [{"code": one.code, "name": one.name, "survey": years.get(one.code)} for one in districts_of(held)]


def _outlines(table: str, district: str, codes: list[str]) -> list[dict]:
    rows = asked(OUTLINES.format(table=table, district=district), {"fine": FINE, "districts": codes}) if codes else []
    return [
        {
            "code": row["code"],
            "name": row["name"],
            "outline": json.loads(row["outline"]),
            "label": [row["lng"], row["lat"]],
            "box": [row["west"], row["south"], row["east"], row["north"]],
        }
        for row in rows
    ]
