"""Two criteria sets, or two runs, side by side: counts, hectares, who changes, and a map of each."""

from django.http import JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.criteria import sets
from units.errors import GeoinvError, NotAllowed, UsageError
from units.models import Category, Flag, FlagRun
from units.trying import OUTCOMES, compare_sets
from units.views import legend
from units.views.asking import asked, grants, only, visible
from units.views.land_classes import BY_PREFIX
from units.views.map import START
from units.views.places import districts_of
from units.views.runs import latest_runs
from units.views.whatif import PAGE, listed, table, with_names
from units.views.words import map_words

RUNS = 40  # runs to choose from, the latest first
STATUSES = {"draft": gettext_lazy("draft"), "approved": gettext_lazy("approved"), "retired": gettext_lazy("retired")}
SIDES = ("before", "after", "in", "out")


@require_safe
@cache_control(private=True, no_cache=True)
def compare(request):
    """The page: what to compare, and once it is said, how it differs."""
    only(request, "district", "a", "b", "page")
    held = grants(request)
    refuse_strangers(held)
    districts = list(districts_of(held))
    query = request.GET
    district = query.get("district") or (districts[0].code if districts else "")
    a, b = query.get("a", ""), query.get("b", "")
    found, refused = None, None
    if district and a and b:
        try:
            found = compare_sets(district, a, b, grants=held)
        except GeoinvError as error:
            refused = error
    context = {
        "districts": districts,
        "district": district,
        "choices": choices(district, held, (a, b)),
        "a": a,
        "b": b,
        "sides": (("a", a or in_use(district, held), _("A: before")), ("b", b, _("B: after"))),
        "refused": refused,
        "found": found,
    }
    if found:
        trial = found["trial"]
        rows = listed(trial, found["titles"], "", "change", number(query.get("page", "1")))
        context |= {
            "outcomes": [
                {
                    "outcome": name,
                    "title": Flag.Outcome(name).label,
                    "sides": [(found["counts"][side][name], found["hectares"][side][name]) for side in SIDES],
                }
                for name in OUTCOMES
            ],
            "tables": [
                (_("Candidates by category"), _("Category"), part(found["by_category"], category)),
                (_("Candidates by street"), _("Street"), part(with_names(found["by_street"]), street)),
            ],
            "moves": [
                row | {"from_title": Flag.Outcome(row["from"]).label, "to_title": Flag.Outcome(row["to"]).label}
                for row in found["changes"]
            ],
            "rows": [
                row
                | {
                    "from_title": Flag.Outcome(row["from"]).label,
                    "to_title": Flag.Outcome(row["to"]).label,
                    "category_title": category(row),
                }
                for row in rows["codes"]
            ],
            "heads": [
                (letter.upper(), found[letter] | {"status_title": STATUSES[found[letter]["status"]]}) for letter in "ab"
            ],
            "previous": rows["page"] - 1,
            "next": rows["page"] + 1,
            "page": rows["page"],
            "pages": rows["pages"],
            "total": rows["total"],
            "size": PAGE,
            "told": told(request, district, a, b),
        }
    return render(request, "units/compare.html", context, status=status(refused))


@require_safe
@cache_control(private=True, no_cache=True)
def compare_changes(request):
    """For the maps: {shown, box, outcomes: {flag: [before, after]}} of the subjects that differ."""
    found = _compared(request)
    trial = found["trial"]
    moved = {one.flag: [one.before, one.after] for one in trial.changes if one.before != one.after and one.flag}
    view = COLLECTIONS["candidates"].seen_by(grants(request))
    source, params = visible(COLLECTIONS["candidates"], view)
    (row,) = asked(
        f"SELECT ST_XMin(b) AS w, ST_YMin(b) AS s, ST_XMax(b) AS e, ST_YMax(b) AS n FROM (SELECT ST_Extent(geom) AS b"
        f" FROM {source} AS seen WHERE district_id = %(district)s AND criteria = %(criteria)s) AS extent",
        params | {"district": found["district"], "criteria": found["shown"]},
    )
    box = None if row["w"] is None else [row["w"], row["s"], row["e"], row["n"]]
    return JsonResponse({"shown": found["shown"], "box": box, "outcomes": moved})


@require_safe
@cache_control(private=True, no_cache=True)
def compare_table(request):
    """All that differ as CSV."""
    found = _compared(request)
    name = f"{found['a']['criteria']} / {found['b']['criteria']}"
    rows = sorted(found["trial"].changes, key=lambda one: one.code)
    response = StreamingHttpResponse(table(rows, found["titles"], name), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="comparison.csv"'
    return response


def _compared(request) -> dict:
    only(request, "district", "a", "b")
    held = grants(request)
    refuse_strangers(held)
    values = {name: request.GET.get(name, "") for name in ("district", "a", "b")}
    for name, value in values.items():
        if not value:
            raise UsageError(_("The parameter “%(name)s” is missing.") % {"name": name})
    return compare_sets(**values, grants=held)


def refuse_strangers(held) -> None:
    if COLLECTIONS["candidates"].seen_by(held).rows.never:
        raise NotAllowed(
            _("What the criteria suspect is open to the departments that decide on it."),
            _("Sign in with an account of one of them."),
        )


def in_use(district: str, held) -> str:
    """The set by which the district was judged last, with which a comparison most likely begins."""
    return next((run.edition.name for run in latest_runs(held) if run.district_id == district), "")


def choices(district: str, held, chosen: tuple[str, ...] = ()) -> dict[str, list[tuple[str, str]]]:
    """What may be compared in a district: the sets that flag, what is compared now, and the latest runs."""
    heads = [
        one
        for one in sets.headings()
        if one.district in ("", district) and not one.faults and (one.flags or one.name in chosen)
    ]
    runs = FlagRun.objects.filter(district_id=district).select_related("edition").order_by("-pk")
    if district not in {run.district_id for run in latest_runs(held)}:
        runs = runs.none()
    return {
        "sets": [(one.name, f"{one.name} · {sets.in_words(one.title, one.title_en)}") for one in heads],
        "runs": [
            (str(run.pk), f"{run.pk} · {run.edition.name} {run.edition_id[:8]} · {run.ran_at:%Y-%m-%d %H:%M}")
            for run in runs[:RUNS]
        ],
    }


def part(rows: list[dict], title) -> list[dict]:
    return [
        {"title": title(row), "sides": [(row["subjects"][side], row["hectares"][side]) for side in SIDES]}
        for row in rows
    ]


def category(row: dict) -> str:
    return Category(row["category"]).label if row["category"] in Category else _("Category unknown")


def street(row: dict) -> str:
    return row["name"] or _("without a street")


def number(written: str) -> int:
    if not written.isdecimal() or not 1 <= int(written[:9]) <= 1_000_000:
        raise UsageError(_("“%(page)s” is no page of the list.") % {"page": written[:20]})
    return int(written[:9])


def status(refused: GeoinvError | None) -> int:
    return 200 if refused is None else 403 if isinstance(refused, NotAllowed) else 400


def told(request, district: str, a: str, b: str) -> dict:
    """What the scripts of the two maps are told."""
    layers = [one for one in legend.LAYERS if one.id in ("parcels", "candidates")]
    return {
        "layers": [{"id": one.id, "tilejson": reverse("tilejson", kwargs={"layer": one.id})} for one in layers],
        "legend": legend.as_told(layers),
        "changes": f"{reverse('compare-changes')}?{request.GET.copy().urlencode()}".split("&page=")[0],
        "card": reverse("parcel", kwargs={"code": "CODE"}),
        "building": reverse("building", kwargs={"code": "CODE"}),
        "landGroups": BY_PREFIX,
        "start": START,
        "words": map_words(),
        "language": get_language(),
    }
