"""Answer the sliders of the map: what other values of parameters would change, the parcels, and a draft of it all."""

from collections.abc import Callable, Iterator

from django.http import JsonResponse, StreamingHttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units.collections import COLLECTIONS
from units.criteria import shelf
from units.errors import NotAllowed, UnknownName, UsageError
from units.explaining import UOM_TITLES
from units.models import Building, Category, Flag, Parcel, Street
from units.rights import may
from units.spatial import in_mu
from units.trying import CANDIDATE, Change, Ground, Trial, adjustable, headed, readable, try_values
from units.views.asking import grants
from units.views.body import told
from units.views.candidates import line

PAGE = 50  # rows of the list of changes
AT_MOST = 60  # values that one address may try
WAYS = {
    "": gettext_lazy("all"),
    "in": gettext_lazy("becomes a candidate"),
    "out": gettext_lazy("is a candidate no longer"),
    "other": gettext_lazy("another change of outcome"),
    "rules": gettext_lazy("the same outcome by other rules"),
}
ORDERS: dict[str, Callable[[Change], tuple]] = {
    "area": lambda one: (-one.area_m2, one.code),
    "code": lambda one: (one.code,),
    "street": lambda one: (one.street, one.code),
    "change": lambda one: (*map(Flag.Outcome.values.index, (one.after, one.before)), one.code),
}


@require_safe
@cache_control(private=True, no_cache=True)
def whatif(request):
    """Counts and hectares by other values, each changed subject as the map knows it, and the first page of them.

    `set` is NAME=VALUE, as for `flag --set`, and may be given often; without it the answer is how things stand.
    """
    query = _read(request, "district", "criteria")
    answer = _tried(request, query)
    trial, titles = answer.pop("trial"), answer.pop("titles")
    shown = by_outcome(trial)
    return JsonResponse(
        answer | {"by_street": with_names(answer["by_street"]), "changed": shown} | listed(trial, titles, "", "area", 1)
    )


@require_safe
@cache_control(private=True, no_cache=True)
def whatif_list(request):
    """A page of the changed subjects: {codes, page, pages, total, ways}; `way` narrows them, `sort` orders them."""
    query = _read(request, "district", "criteria", "page", "sort", "way")
    written = query.get("page", "1")
    if not written.isdecimal() or not 1 <= int(written[:9]) <= 1_000_000:
        raise UsageError(_("“%(page)s” is no page of the list.") % {"page": written[:20]})
    answer = _tried(request, query)
    found = listed(answer["trial"], answer["titles"], _way(query), _order(query), int(written[:9]))
    return JsonResponse(found | {"seconds": answer["seconds"]})


@require_safe
@cache_control(private=True, no_cache=True)
def whatif_table(request):
    """All changed subjects as CSV, under the same filter and order."""
    query = _read(request, "district", "criteria", "sort", "way")
    way, by = _way(query), _order(query)
    answer = _tried(request, query)
    rows = sorted((one for one in answer["trial"].changes if way in ("", way_of(one))), key=ORDERS[by])
    lines = table(rows, answer["titles"], answer["criteria"])
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="what-if.csv"'
    return response


@require_safe
@cache_control(private=True, no_cache=True)
def whatif_parameters(request):
    """What can be moved: the parameters of a set that an outcome hangs on, and which of them are closed to the reader.

    {criteria, title, official, status, stale, params, draft: {name} for who may save one}
    """
    query = _read(request, "district", "criteria", tries=False)
    held = grants(request)
    ground = Ground.of(query["district"], held)
    criteria = readable(query["criteria"], ground)
    return JsonResponse(
        headed(ground, criteria)
        | {
            "params": [
                one | {"uom_title": str(UOM_TITLES.get(one["uom"], ""))} for one in adjustable(criteria, ground)
            ],
            "draft": {"name": shelf.free_name(criteria.id)} if may(held, shelf.DRAFTERS, ground.district) else None,
        }
    )


@require_POST
def whatif_draft(request):
    """Save the values that were tried as a draft set of its own, with a reason: {name, address}."""
    body = told(request, district=str, criteria=str, name=str, reason=str, values=dict)
    values = body.get("values") or {}
    if not all(isinstance(value, str) for value in values.values()):
        raise UsageError(_("“%(name)s” is not what it should be.") % {"name": "values"})
    if not request.user.is_authenticated or not may(grants(request), shelf.DRAFTERS, body.get("district")):
        raise NotAllowed(
            _("Drafts of criteria are written by the task-force office of the district."),
            _("Copy the link and send it there: it opens with these values."),
        )
    if not values:
        raise UsageError(_("No value is other than that of the set: there is nothing to save."))
    made = shelf.draft(
        body.get("name") or shelf.free_name(body.get("criteria", "")),
        parent=body.get("criteria", ""),
        district=body.get("district", ""),
        by=request.user,
        reason=body.get("reason", ""),
        values=values,
    )
    return JsonResponse(
        {"name": made.name, "address": page_of(made.name), "next": shelf.free_name(body.get("criteria", ""))},
        status=201,
    )


def page_of(name: str) -> str | None:
    """The page on which a set is edited, else the one on which it is read."""
    for page in ("criteria-edit", "criteria-set"):
        try:
            return reverse(page, args=(name,))
        except NoReverseMatch:
            continue
    return None


def by_outcome(trial: Trial) -> dict[str, list[int]]:
    """Outcome after → the ids by which the map's tiles know the subjects that get it."""
    found: dict[str, list[int]] = {}
    for one in trial.changes:
        if one.before != one.after and one.flag is not None:
            found.setdefault(one.after, []).append(one.flag)
    return found


def way_of(one: Change) -> str:
    if one.before == one.after:
        return "rules"
    return "in" if one.after == CANDIDATE else "out" if one.before == CANDIDATE else "other"


def with_names(rows: list[dict]) -> list[dict]:
    """Rows by street with the streets' names."""
    names = street_names(row["street"] for row in rows)
    return [{"street": row["street"], "name": names.get(row["street"], row["street"]), **row} for row in rows]


def street_names(codes) -> dict[str, str]:
    return dict(Street.objects.filter(code__in=set(codes)).values_list("code", "name"))


def listed(trial: Trial, titles: dict[str, str], way: str, by: str, page: int) -> dict:
    ways = {name: 0 for name in WAYS if name}
    chosen = []
    for one in trial.changes:
        its = way_of(one)
        ways[its] += 1
        if way in ("", its):
            chosen.append(one)
    chosen.sort(key=ORDERS[by])
    rows = chosen[(page - 1) * PAGE : page * PAGE]
    return {
        "codes": _told(rows, titles),
        "page": page,
        "pages": -(-len(chosen) // PAGE),
        "total": len(chosen),
        "ways": ways,
    }


def _told(rows: list[Change], titles: dict[str, str]) -> list[dict]:
    streets = street_names(one.street for one in rows)
    places = dict(Parcel.objects.filter(pk__in=[one.subject for one in rows]).values_list("pk", "address"))
    names = Building.objects.filter(pk__in=[-one.subject for one in rows if one.subject < 0])
    places |= {-key: name for key, name in names.values_list("pk", "name")}
    return [
        {
            "code": one.code,
            "kind": one.kind,
            "address": places.get(one.subject) or "",
            "street": streets.get(one.street, one.street),
            "category": one.category,
            "area_m2": round(one.area_m2, 2),
            "from": one.before,
            "to": one.after,
            "way": way_of(one),
            "fired_before": [titles.get(name, name) for name in one.fired_before],
            "fired_after": [titles.get(name, name) for name in one.fired],
        }
        for one in rows
    ]


def table(rows: list[Change], titles: dict[str, str], name: str) -> Iterator[str]:
    """The lines of the CSV, with no cell that a spreadsheet would run as a formula."""
    head = [_("Code"), _("Location"), _("Street"), _("Category"), _("Measured area (m²)"), _("mu")]
    head += [_("Outcome before"), _("Outcome after"), _("Rules met before"), _("Rules met after"), _("Criteria")]
    yield "\ufeff" + line(head)
    for start in range(0, len(rows), 1000):
        for row in _told(rows[start : start + 1000], titles):
            yield line(
                [
                    row["code"],
                    row["address"],
                    row["street"],
                    Category(row["category"]).label if row["category"] in Category else _("Category unknown"),
                    f"{row['area_m2']:.2f}",
                    str(in_mu(row["area_m2"])),
                    Flag.Outcome(row["from"]).label,
                    Flag.Outcome(row["to"]).label,
                    "；".join(row["fired_before"]),
                    "；".join(row["fired_after"]),
                    name,
                ]
            )


def _tried(request, query: dict) -> dict:
    return try_values(query["district"], query["criteria"], query["values"], grants=grants(request))


def _read(request, *names: str, tries: bool = True) -> dict:
    """The parameters of the address, each known and given once; `set` often, as the values to be tried."""
    view = COLLECTIONS["candidates"].seen_by(grants(request))
    if view.rows.never:
        raise NotAllowed(
            _("What the criteria suspect is open to the departments that decide on it."),
            _("Sign in with an account of one of them."),
        )
    known = (*names, "set") if tries else names
    found: dict = {"values": {}}
    for name, values in request.GET.lists():
        if name not in known:
            raise UnknownName(name[:100], known, _("parameter"))
        if any("\0" in value for value in values):
            raise UsageError(_("The request cannot be understood."))
        if name == "set":
            found["values"] = pairs(values)
        elif len(values) > 1:
            raise UsageError(_("The parameter “%(name)s” is given more than once.") % {"name": name})
        else:
            found[name] = values[0]
    for name in ("district", "criteria"):
        if not found.get(name):
            raise UsageError(_("The parameter “%(name)s” is missing.") % {"name": name})
    return found


def pairs(written: list[str]) -> dict[str, str]:
    """NAME=VALUE texts as a dictionary; UsageError for one without `=` and for a name given twice."""
    found: dict[str, str] = {}
    for pair in written:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip() or name.strip() in found or len(pair) > 2000 or len(found) >= AT_MOST:
            raise UsageError(
                _("“set” takes NAME=VALUE, each name once; “%(pair)s” is not so.") % {"pair": pair[:100]},
            )
        found[name.strip()] = value
    return found


def _way(query: dict) -> str:
    way = query.get("way", "")
    if way not in WAYS:
        raise UnknownName(way[:100], [name for name in WAYS if name], _("kind of change"))
    return way


def _order(query: dict) -> str:
    by = query.get("sort", "area")
    if by not in ORDERS:
        raise UnknownName(by[:100], ORDERS, _("order"))
    return by
