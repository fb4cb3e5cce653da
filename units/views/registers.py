"""List what stands beside the candidates on the map: units, legacy land, control areas and findings."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import JsonResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.asof import read_moment
from units.checks.registry import CHECKS
from units.collections import COLLECTIONS, Column
from units.errors import NotAllowed, UnknownName
from units.models import ControlArea, Finding, LegacyLand, RedevelopmentUnit
from units.views.asking import asked, grants, only, visible
from units.views.candidates import box_of, line
from units.views.here import CHOICES
from units.views.paging import page

PAGE = 40  # rows
TABLE_PAGE = 2000  # rows that are read at a time for a table


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
    "control-areas": Listed("code, name, kind, edition, use, area_m2", "kind", ControlArea.Kind, "kind || ' ' || code"),
    "findings": Listed("identity, code, severity, state, sentence, subjects", "severity", Finding.Severity, "code"),
}
TITLES = {
    "candidates": gettext_lazy("Judged subjects"),
    "units": gettext_lazy("Redevelopment units"),
    "legacy": gettext_lazy("Legacy land"),
    "control-areas": gettext_lazy("Control areas"),
    "findings": gettext_lazy("Findings"),
}


@require_safe
@cache_control(private=True, no_cache=True)
def registers(request):
    """{items, next, counts} of `of` (a name of LISTS); filters: part (state, kind or severity), street, bbox.

    `as_of` is a day of the past: the register as it stood then.
    """
    only(request, "of", "part", "street", "bbox", "after", "as_of")
    of, source, params, wanted, parted = _narrowed(request)
    listed = LISTS[of]
    after = request.GET.get("after", "")
    # What has no place on the map comes after what has.
    placed = f"(SELECT listed.*, (geom IS NULL)::int || {listed.by} AS sorted FROM {source} AS listed)"
    columns = f"{listed.columns}, sorted"
    rows, following = page(placed, params, columns, parted, "sorted", after, PAGE)
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


@require_safe
@cache_control(private=True, no_cache=True)
def registers_table(request):
    """The whole list under the same filters as CSV: every column that the reader sees, in words where it has some."""
    only(request, "of", "part", "street", "bbox", "as_of")
    of, source, params, _wanted, parted = _narrowed(request)
    view = COLLECTIONS[of].seen_by(grants(request))
    columns = [one for one in COLLECTIONS[of].columns if view.sees(one.name)]
    answer = StreamingHttpResponse(_lines(of, columns, source, params, parted), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{of}.csv"'
    return answer


def _narrowed(request) -> tuple[str, str, dict, list[str], list[str]]:
    """The list that a request asks for: its name, rows as a sub-query, values, conditions without and with `part`."""
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
    source, params = visible(collection.at(read_moment(request.GET.get("as_of", ""))), view)
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
    return of, source, params | {"part": part}, wanted, parted


def _lines(of: str, columns: list[Column], source: str, params: dict, wanted: list[str]) -> Iterator[str]:
    yield "\ufeff" + line(
        [f"{one.title} ({one.uom})" if one.uom not in ("", "1") else str(one.title) for one in columns]
    )
    after = 0
    question = (
        f"SELECT fid, {', '.join(one.name for one in columns)} FROM {source} AS seen"
        f" WHERE {' AND '.join([*wanted, 'fid > %(after)s'])} ORDER BY fid LIMIT %(limit)s"
    )
    while rows := asked(question, params | {"after": after, "limit": TABLE_PAGE}):
        after = rows[-1]["fid"]
        said = Finding.objects.in_bulk([row["fid"] for row in rows]) if of == "findings" else {}
        for row in rows:
            if finding := said.get(row["fid"]):
                row["sentence"], row["fix"] = finding.in_words()
            yield line([_cell(of, one, row[one.name]) for one in columns])


def _cell(of: str, column: Column, value) -> object:
    choices = CHOICES.get((of, column.name))
    if choices is not None and value in choices.values:
        return choices(value).label
    if isinstance(value, list):
        return "、".join(map(str, value))
    return f"{value:.2f}" if column.uom == "m2" and value is not None else value
