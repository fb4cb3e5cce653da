"""Tell the map what there is: counts for its legend and lists, where it lies, and which criteria ran."""

import hashlib
from collections import Counter, defaultdict

from django.core.cache import cache
from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.asof import read_moment
from units.collections import COLLECTIONS, Collection
from units.criteria.measures import FACTS
from units.models import Department, Determination, Revision, Street
from units.rights import View
from units.views.asking import BOX, asked, box, grants, only, visible
from units.views.candidates import rule_titles
from units.views.land_classes import land_group
from units.views.legend import LAYERS, UNKNOWN
from units.views.runs import latest_runs

NOTHING = {"count": 0, "groups": {}, "box": None, "narrowed": []}
KEPT_SECONDS = 3600  # a count is kept this long while its tables do not change
# By what the legend parts a layer: the columns, and the name of the facet.
GROUPED_BY = {
    "patches": ("dlbm", "land"),
    "control-areas": ("kind", "kind"),
    "legacy": ("state", "legacy"),
    "units": ("state", "unit"),
    "findings": ("severity", "severity"),
    "candidates": ("criteria, outcome, category", ""),
}
# What the list of candidates may be narrowed to.
NARROWED_BY = {"rule": "unnest(fired)", "fact": "unnest(missing)", "street": "street_id"}


@require_safe
@cache_control(private=True, no_cache=True)
def overview(request):
    """Counts and the box of everything this reader may see; each is counted again only when its tables changed.

    `as_of` is a day of the past; of a layer whose past is not kept nothing is counted then.
    {box, counts: {layer}, groups: {layer: {facet: {value: number}}}, outcomes: {set: {outcome: {category}}},
    narrow: {set: {rules, owners, streets}}, runs}
    """
    only(request, "as_of")
    held = grants(request)
    moment = read_moment(request.GET.get("as_of", ""))
    told = {}
    for layer in LAYERS:
        collection = COLLECTIONS[layer.id]
        view = collection.seen_by(held)
        if not view.rows.never:
            kept = moment is None or collection.kept
            told[layer.id] = counted(collection.at(moment), view) if kept else dict(NOTHING)
    boxes = [one["box"] for one in told.values() if one["box"]]
    judged = told.get("candidates", {})
    return JsonResponse(
        {
            "box": _around(boxes),
            "counts": {name: one["count"] for name, one in told.items()},
            "groups": {name: _facets(name, one["groups"]) for name, one in told.items() if name != "candidates"},
            "outcomes": _outcomes(judged.get("groups", {})),
            "narrow": _narrow(judged.get("narrowed", [])),
            "states": _states() if judged else [],
            "runs": _runs(held),
        }
    )


def counted(collection: Collection, view: View) -> dict:
    """{count, box, groups, narrowed} of what `view` shows of the collection."""
    revisions = Revision.objects.filter(name__in=collection.revisions).order_by("name").values_list("number", flat=True)
    told = (view.rows, tuple(revisions), *collection.values.values())
    digest = hashlib.sha256(repr(told).encode()).hexdigest()
    key = f"overview-by-district-{collection.id}-{digest}"
    found = cache.get(key)
    if found is None:
        source, params = visible(collection, view)
        columns, _facet = GROUPED_BY.get(collection.id, ("''", ""))
        rows = asked(
            f"SELECT name, count, {BOX} FROM (SELECT concat_ws('/', {columns}) AS name, count(*) AS count,"
            f" ST_Extent(geom) AS geom FROM {source} AS seen GROUP BY 1) AS grouped",
            params,
        )
        boxes = [box(row) for row in rows]
        found = {
            "count": sum(row["count"] for row in rows),
            "groups": {row["name"]: row["count"] for row in rows},
            "box": _around([one for one in boxes if one]),
        }
        if collection.id == "candidates":
            parts = (
                f"SELECT '{by}' AS by, criteria, district_id AS district, {value} AS value, count(*) AS count"
                f" FROM {source} AS seen GROUP BY 2, 3, 4"
                for by, value in NARROWED_BY.items()
            )
            found["narrowed"] = asked(" UNION ALL ".join(parts), params)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _around(boxes: list[list[float]]) -> list[float] | None:
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _facets(layer: str, groups: dict[str, int]) -> dict[str, dict[str, int]]:
    if layer not in GROUPED_BY:
        return {}
    facet = GROUPED_BY[layer][1]
    if layer != "patches":
        return {facet: groups}
    counts = Counter()
    for dlbm, count in groups.items():
        counts[land_group(dlbm)] += count
    return {facet: counts}


def _outcomes(groups: dict[str, int]) -> dict[str, dict[str, dict[str, int]]]:
    counts = defaultdict(lambda: defaultdict(dict))
    for name, count in groups.items():
        criteria, outcome, category = name.split("/")
        counts[criteria][outcome][category or UNKNOWN] = count
    return counts


def _narrow(rows: list[dict]) -> dict[str, dict[str, list[dict]]]:
    """For each set: the rules that were met, the owners of what is missing, and the streets, each with its count."""
    found = defaultdict(lambda: {"rules": [], "owners": [], "streets": []})
    streets = dict(
        Street.objects.filter(code__in=[row["value"] for row in rows if row["by"] == "street"]).values_list(
            "code", "name"
        )
    )
    titles = {name: rule_titles(name) for name in {row["criteria"] for row in rows}}
    counts: dict[tuple, Counter] = defaultdict(Counter)  # (set, list) → value → number
    owed = defaultdict(set)  # (set, owner) → the districts whose department of that code it is
    for row in rows:
        criteria, value = row["criteria"], row["value"]
        if value is None:
            continue
        if row["by"] != "fact":
            counts[criteria, row["by"]][value] += row["count"]
        elif value in FACTS:
            owner = FACTS[value].owner
            counts[criteria, "owner"][owner] += row["count"]
            owed[criteria, owner].add(row["district"])
    departments = Department.objects.values_list("district", "code", "name") if rows else []
    names = {(district, code): name for district, code, name in departments}
    for (criteria, by), numbers in counts.items():
        for value, count in numbers.items():
            if by == "rule":
                title = titles[criteria].get(value, value)
            elif by == "street":
                title = streets.get(value, value)
            else:
                # The code of a department is one only within its district: another calls it by another name.
                called = {names.get((district, value), value) for district in owed[criteria, value]}
                title = "、".join(sorted(called))
            found[criteria][f"{by}s"].append({"id": value, "title": title, "count": count})
    for one in found.values():
        one["rules"].sort(key=lambda rule: (-rule["count"], rule["id"]))
        one["owners"].sort(key=lambda owner: owner["id"])
        one["streets"].sort(key=lambda street: street["id"])
    return found


def _states() -> list[dict]:
    """The states of records that people keep; none while nobody has begun to determine."""
    there = set(Determination.objects.order_by().values_list("state", flat=True).distinct())
    return [{"id": one.value, "title": str(one.label)} for one in Determination.State if one.value in there]


def _runs(held) -> list[dict]:
    """The latest runs, for the legend."""
    return [
        {
            "district": run.district.name,
            "code": run.district_id,
            "survey": run.survey.year,
            "criteria": run.edition.name,
            "title": run.edition.title,
            "official": run.edition.official,
            "ran_at": run.ran_at.isoformat(),
        }
        for run in latest_runs(held)
    ]
