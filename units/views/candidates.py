"""List what the criteria say, a page at a time for the panel beside the map, or whole as a table to take along."""

import csv
import io
from collections.abc import Iterator

from django.http import JsonResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.asof import read_moment
from units.classing import Theme, classes, members
from units.collections import COLLECTIONS
from units.criteria import sets
from units.criteria.measures import FACTS
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import Category, Department, Determination, Flag, Street
from units.spatial import in_mu
from units.views.asking import asked, grants, only, visible
from units.views.legend import UNKNOWN
from units.views.paging import page
from units.views.runs import shown_set

PAGE = 40  # rows beside the map
TABLE_PAGE = 2000  # rows that are read at a time for the table
COLUMNS = "code, address, outcome, category, fired, missing, criteria, area_m2, street_id, district_id, kind"
THEME = ("measure", "method", "classes", "class")  # what was measured: of which classes (units/classing.py)
FILTERS = ("criteria", "outcome", "category", "street", "rule", "owner", "state", "bbox", *THEME)
ORDERS = {"area": gettext_lazy("largest first"), "code": gettext_lazy("by code")}
# The state of the record that people keep of the flagged subject; the flag itself has none.
RECORDED = (
    "EXISTS (SELECT FROM units_flag f JOIN units_determination d ON d.parcel_id IS NOT DISTINCT FROM f.parcel_id"
    " AND d.building_id IS NOT DISTINCT FROM f.building_id WHERE f.id = seen.fid AND d.state = %(state)s)"
)
RISKY = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula


@require_safe
@cache_control(private=True, no_cache=True)
def candidates(request):
    """{items, next, criteria, counts} of one outcome; `after` is the `next` of the page before.

    Filters: criteria (one set; that of the latest run where none is named), outcome, category, street, rule (met),
    owner (of a missing fact), state (of the record), class (of a `measure`, as `map/values.json` parts it by `method`
    into `classes`), bbox (west,south,east,north); `sort` orders. `counts` has every outcome under the other filters
    and comes with the first page.
    """
    only(request, *FILTERS, "sort", "after", "as_of")
    source, params = _source(request)
    wanted, values = filters(request)
    by = order(request.GET, "area")
    after = request.GET.get("after", "")
    outcome = request.GET.get("outcome", "")
    if outcome and outcome not in Flag.Outcome:
        raise UnknownName(outcome, Flag.Outcome.values, _("outcome"))
    of_outcome = ["outcome = %(outcome)s"] if outcome else []
    params |= values | {"outcome": outcome}
    rows, following = page(source, params, COLUMNS, wanted + of_outcome, by, after, PAGE)
    answer = {"items": _titled(rows), "next": following, "criteria": values["criteria"]}
    if not after:
        answer["counts"] = {
            row["outcome"]: row["count"]
            for row in asked(
                f"SELECT outcome, count(*) AS count FROM {source} AS seen"
                f" WHERE {' AND '.join(wanted) or 'TRUE'} GROUP BY outcome",
                params,
            )
        }
    return JsonResponse(answer)


@require_safe
@cache_control(private=True, no_cache=True)
def candidates_table(request):
    """The whole list under the same filters as CSV, with no cell that a spreadsheet would run as a formula."""
    only(request, *FILTERS, "sort", "as_of")
    source, params = _source(request)
    wanted, values = filters(request)
    by = order(request.GET, "code")
    outcome = request.GET.get("outcome", "")
    if outcome:
        if outcome not in Flag.Outcome:
            raise UnknownName(outcome, Flag.Outcome.values, _("outcome"))
        wanted.append("outcome = %(outcome)s")
    lines = table(source, params | values | {"outcome": outcome}, wanted, by)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{outcome or "candidates"}.csv"'
    return answer


def order(query, first: str) -> str:
    """The order that a query asks for, `first` where it asks for none."""
    by = query.get("sort") or first
    if by not in ORDERS:
        raise UnknownName(by, ORDERS, _("order"))
    return by


def filters(request) -> tuple[list[str], dict]:
    """The conditions of a request's filters and their values; UnknownName for a value that is none."""
    query = request.GET
    wanted, values = ["criteria = %(criteria)s"], {"criteria": shown_set(query, grants(request))}
    if category := query.get("category"):
        if category != UNKNOWN and category not in Category:
            raise UnknownName(category, [*Category.values, UNKNOWN], _("category"))
        wanted.append("category = %(category)s")
        values["category"] = "" if category == UNKNOWN else category
    if street := query.get("street"):
        wanted.append("street_id = %(street)s")
        values["street"] = street
    if rule := query.get("rule"):
        wanted.append("%(rule)s = ANY(fired)")
        values["rule"] = rule
    if owner := query.get("owner"):
        wanted.append("missing && %(facts)s::varchar[]")
        values["facts"] = [fact.name for fact in FACTS.values() if fact.owner == owner]
    if state := query.get("state"):
        if state not in Determination.State:
            raise UnknownName(state, Determination.State.values, _("state"))
        wanted.append(RECORDED)
        values["state"] = state
    if query.get("measure") and (chosen := query.get("class")):
        theme = Theme.read(query["measure"], query.get("method", ""), query.get("classes", ""))
        wanted.append("fid = ANY(%(classed)s)")
        values["classed"] = members(classes(theme, values["criteria"], grants(request)), chosen)
    if written := query.get("bbox"):
        wanted.append("geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)")
        values |= box_of(written)
    return wanted, values


def box_of(written: str) -> dict[str, float]:
    """`west,south,east,north` in degrees as values of a question; UsageError for anything else."""
    try:
        west, south, east, north = (float(side) for side in written.split(","))
    except ValueError:
        west = south = east = north = 181.0
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise UsageError(_("A box is west,south,east,north in degrees."))
    return {"west": west, "south": south, "east": east, "north": north}


def table(source: str, params: dict, wanted: list[str], by: str) -> Iterator[str]:
    """The lines of the CSV; rows are read some at a time. The byte order mark tells Excel that it is UTF-8."""
    streets = dict(Street.objects.values_list("code", "name"))
    departments = Department.objects.values_list("district", "code", "name")
    owners = {(district, code): name for district, code, name in departments}
    head = [_("Code"), _("Location"), _("Street"), _("Outcome"), _("Category"), _("Measured area (m²)"), _("mu")]
    head += [_("Rules met"), _("Facts missing"), _("Criteria")]
    yield "\ufeff" + line(head)
    after = ""
    while after is not None:
        rows, after = page(source, params, COLUMNS, wanted, by, after, TABLE_PAGE)
        for row in _titled(rows):
            yield line(
                [
                    row["code"],
                    row["address"],
                    streets.get(row["street_id"], row["street_id"]),
                    Flag.Outcome(row["outcome"]).label,
                    Category(row["category"]).label if row["category"] in Category else _("Category unknown"),
                    f"{row['area_m2']:.2f}",
                    str(in_mu(row["area_m2"])),
                    "；".join(row["fired"]),
                    "；".join(owed(name, row["district_id"], owners) for name in row["missing"]),
                    row["criteria"],
                ]
            )


def owed(fact: str, district: str, owners: dict[tuple[str, str], str]) -> str:
    """A missing fact with the department of that district that owns it."""
    if fact not in FACTS:
        return fact
    one = FACTS[fact]
    return f"{one.title} — {owners.get((district, one.owner), one.owner)}"


def line(cells: list) -> str:
    written = io.StringIO()
    texts = ["" if cell is None else str(cell) for cell in cells]
    csv.writer(written).writerow([f"'{text}" if text.startswith(RISKY) else text for text in texts])
    return written.getvalue()


def _source(request) -> tuple[str, dict]:
    view = COLLECTIONS["candidates"].seen_by(grants(request))
    if view.rows.never:
        raise NotAllowed(
            _("What the criteria suspect is open to the departments that decide on it."),
            _("Sign in with an account of one of them."),
        )
    return visible(COLLECTIONS["candidates"].at(read_moment(request.GET.get("as_of", ""))), view)


def _titled(rows: list[dict]) -> list[dict]:
    titles = {name: rule_titles(name) for name in {row["criteria"] for row in rows}}
    for row in rows:
        row["fired"] = [titles[row["criteria"]].get(rule, rule) for rule in row["fired"]]
    return rows


def rule_titles(criteria: str) -> dict[str, str]:
    """Rule → title of a set; a set that has been taken away since it ran leaves its rules' names."""
    try:
        return {rule.id: sets.in_words(rule.title, rule.title_en) for rule in sets.load(criteria).rules}
    except UsageError:
        return {}
