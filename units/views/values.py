"""Tell the map how a measure's values part into classes, and which subject is in which."""

import math
from collections.abc import Iterator

from django.http import JsonResponse, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.classing import Class, Classes, Theme, called, classes, judged, members, readable, stamp
from units.collections import COLLECTIONS
from units.criteria.measures import NUMBER, SOURCE_TITLES, Measure
from units.explaining import UOM_TITLES
from units.models import Street
from units.spatial import rounded
from units.views.asking import asked as asked_rows
from units.views.asking import grants, only, visible
from units.views.candidates import line
from units.views.runs import shown_set

TABLE_PAGE = 2000  # rows that are read at a time
# Only our own text is put in: the collection as the reader sees it, and the column of a measure.
TABLE = (
    "SELECT seen.fid, seen.code, seen.address, seen.street_id, seen.area_m2, m.{column} AS value FROM {source} AS seen"
    " JOIN units_flag f ON f.id = seen.fid JOIN units_measured m ON m.subject = COALESCE(f.parcel_id, -f.building_id)"
    " WHERE seen.fid = ANY(%(fids)s) ORDER BY seen.fid"
)
NAMES = ("measure", "method", "classes", "criteria")


@require_safe
@cache_control(private=True, no_cache=True)
def values(request):
    """{measure, criteria, classes, unknown, closed, packed} of `measure`, parted by `method` into `classes`.

    `packed` has runs [first number of a flag, signs]: the first sign is that of the first number, the next that of the
    next; a digit is a class, `?` not known, `-` closed to this reader, a blank nobody.
    """
    only(request, *NAMES)
    held = grants(request)
    judged(held)
    theme, criteria = asked(request)
    readable(theme, held)
    tag = f'"{stamp(theme, criteria, held)}"'
    answer = get_conditional_response(request, etag=tag)
    if answer is None:
        found = classes(theme, criteria, held)
        answer = JsonResponse(
            {
                "measure": described(theme.measure),
                "method": theme.method,
                "criteria": criteria,
                "classes": [_told(one) for one in found.classes],
                "unknown": _told(found.unknown),
                "closed": found.closed,
                "packed": found.packed,
            }
        )
    answer["ETag"] = tag
    return answer


@require_safe
@cache_control(private=True, no_cache=True)
def values_table(request):
    """Every subject of the theme as CSV, with its value and its class; those of the classes `class` alone if named."""
    only(request, *NAMES, "class")
    held = grants(request)
    view = judged(held)
    theme, criteria = asked(request)
    found = classes(theme, criteria, held)
    chosen = members(found, request.GET.get("class") or ",".join(found.signs))
    source, params = visible(COLLECTIONS["candidates"], view)
    answer = StreamingHttpResponse(_lines(theme, found, source, params, chosen), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{theme.measure.name}.csv"'
    return answer


def asked(request) -> tuple[Theme, str]:
    """The theme and the set of flags that a request names."""
    query = request.GET
    theme = Theme.read(query.get("measure", ""), query.get("method", ""), query.get("classes", ""))
    return theme, shown_set(query, grants(request))


def described(measure: Measure) -> dict:
    """A measure as the legend heads it."""
    return {
        "name": measure.name,
        "title": str(measure.title),
        "definition": str(measure.definition),
        "type": measure.type,
        "uom": str(UOM_TITLES.get(measure.uom, "" if measure.uom in ("1", "geoinv") else measure.uom)),
        "decimals": measure.decimals,
        "source": str(SOURCE_TITLES[measure.source]),
    }


def by_source(measures: list[Measure]) -> list[tuple[str, list[Measure]]]:
    """Measures as one chooses among them: by the layer they are taken from, in the order of the layers."""
    found = {source: [] for source in SOURCE_TITLES}
    for one in measures:
        found[one.source].append(one)
    return [(str(SOURCE_TITLES[source]), those) for source, those in found.items() if those]


def _lines(theme: Theme, found: Classes, source: str, params: dict, chosen: list[int]) -> Iterator[str]:
    head = described(theme.measure)
    titles = dict(Street.objects.values_list("code", "name"))
    name = f"{head['title']} ({head['uom']})" if head["uom"] else head["title"]
    yield "\ufeff" + line([_("Code"), _("Location"), _("Street"), name, _("Class"), _("Measured area (m²)")])
    question = TABLE.format(source=source, column=theme.measure.name)
    for begin in range(0, len(chosen), TABLE_PAGE):
        for row in asked_rows(question, params | {"fids": chosen[begin : begin + TABLE_PAGE]}):
            value, street = row["value"], titles.get(row["street_id"], row["street_id"])
            written = "" if value is None else called(theme.measure, value) if theme.measure.type != NUMBER else value
            cells = [row["code"], row["address"], street, written, found.of(value), f"{row['area_m2']:.2f}"]
            yield line(cells)


def _told(one: Class) -> dict:
    bounds = {"low": one.low, "high": one.high, "least": one.least, "most": one.most}
    return {"count": one.count, "hectares": float(rounded(one.area_m2 / 10_000, 2)), "title": one.title} | {
        name: value if value is not None and math.isfinite(value) else None for name, value in bounds.items()
    }
