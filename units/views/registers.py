"""List what stands beside the candidates on the map: units, legacy land and findings, a page at a time."""

from dataclasses import dataclass

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.checks.registry import CHECKS
from units.collections import COLLECTIONS
from units.errors import NotAllowed, UnknownName
from units.models import Finding, LegacyLand, RedevelopmentUnit
from units.views.asking import asked, grants, only, visible
from units.views.candidates import box_of
from units.views.paging import page

PAGE = 40  # rows


@dataclass(frozen=True)
class Listed:
    """How a collection is listed: its columns, the column it is parted by with the values' titles, and its order."""

    columns: str
    parted_by: str
    titles: type
    by: str


LISTS = {
    "units": Listed("code, name, state, edition, area_m2", "state", RedevelopmentUnit.State, "code"),
    "legacy": Listed("code, address AS name, state, area_m2", "state", LegacyLand.State, "code"),
    "findings": Listed("identity, code, severity, state, sentence, subjects", "severity", Finding.Severity, "code"),
}
TITLES = {
    "candidates": gettext_lazy("Judged subjects"),
    "units": gettext_lazy("Redevelopment units"),
    "legacy": gettext_lazy("Legacy land"),
    "findings": gettext_lazy("Findings"),
}


@require_safe
@cache_control(private=True, no_cache=True)
def registers(request):
    """{items, next, counts} of `of` (units, legacy or findings); filters: part (state or severity), street, bbox."""
    only(request, "of", "part", "street", "bbox", "after")
    of = request.GET.get("of") or "units"
    if of not in LISTS:
        raise UnknownName(of, LISTS, _("list"))
    collection, listed = COLLECTIONS[of], LISTS[of]
    view = collection.seen_by(grants(request))
    if view.rows.never:
        raise NotAllowed(
            _("“%(list)s” is not open to you.") % {"list": TITLES[of]},
            _("Sign in with an account whose role may see it."),
        )
    source, params = visible(collection, view)
    wanted = []
    if street := request.GET.get("street"):
        if "street_id" not in collection.names:
            raise UnknownName("street", ("part", "bbox"), _("filter"))
        wanted.append("street_id = %(street)s")
        params |= {"street": street}
    if written := request.GET.get("bbox"):
        wanted.append("geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)")
        params |= box_of(written)
    parted = list(wanted)
    if part := request.GET.get("part"):
        if part not in listed.titles:
            raise UnknownName(part, listed.titles.values, listed.parted_by)
        parted.append(f"{listed.parted_by} = %(part)s")
    after = request.GET.get("after", "")
    # What has no place on the map comes after what has.
    placed = f"(SELECT listed.*, (geom IS NULL)::int || {listed.by} AS sorted FROM {source} AS listed)"
    columns = f"{listed.columns}, sorted"
    rows, following = page(placed, params | {"part": part}, columns, parted, "sorted", after, PAGE)
    said = Finding.objects.in_bulk([row["fid"] for row in rows]) if of == "findings" else {}
    for row in rows:
        row["part_title"] = str(listed.titles(row[listed.parted_by]).label)
        if finding := said.get(row["fid"]):
            row["sentence"], _fix = finding.in_words()
            check = CHECKS.get(row["code"])
            row["title"] = str(check.title) if check else row["code"]
    answer = {"items": rows, "next": following}
    if not after:
        answer["counts"] = {
            row["part"]: row["count"]
            for row in asked(
                f"SELECT {listed.parted_by} AS part, count(*) AS count FROM {source} AS seen"
                f" WHERE {' AND '.join(wanted) or 'TRUE'} GROUP BY 1",
                params,
            )
        }
    return JsonResponse(answer)
