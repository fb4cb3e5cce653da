"""Tell the map what there is: counts for its legend, where it lies, and which criteria ran."""

import hashlib
from collections import Counter, defaultdict

from django.core.cache import cache
from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS, Collection
from units.models import FlagRun, Revision
from units.rights import View
from units.views.asking import BOX, asked, box, grants, visible
from units.views.land_classes import land_group

KEPT_SECONDS = 3600  # a count is kept this long while its tables do not change
GROUPED_BY = {"patches": "dlbm", "candidates": "outcome || '/' || category"}


@require_safe
@cache_control(private=True, no_cache=True)
def overview(request):
    """Counts and the box of everything this reader may see; each is counted again only when its tables changed."""
    held = grants(request)
    told = {}
    for name in ("patches", "parcels", "buildings", "candidates", "units"):
        view = COLLECTIONS[name].seen_by(held)
        if not view.rows.never:
            told[name] = counted(COLLECTIONS[name], view)
    boxes = [one["box"] for one in told.values() if one["box"]]
    return JsonResponse(
        {
            "box": _around(boxes),
            "counts": {name: one["count"] for name, one in told.items()},
            "land": _land(told.get("patches", {}).get("groups", {})),
            "outcomes": _outcomes(told.get("candidates", {}).get("groups", {})),
            "runs": _runs(held),
        }
    )


def counted(collection: Collection, view: View) -> dict:
    """{count, box, groups} of what `view` shows of the collection."""
    revisions = Revision.objects.filter(name__in=collection.revisions).order_by("name").values_list("number", flat=True)
    digest = hashlib.sha256(repr((view.rows, tuple(revisions))).encode()).hexdigest()
    key = f"overview-{collection.id}-{digest}"
    found = cache.get(key)
    if found is None:
        source, params = visible(collection, view)
        group = GROUPED_BY.get(collection.id, "NULL::text")
        rows = asked(
            f"SELECT name, count, {BOX} FROM (SELECT {group} AS name, count(*) AS count, ST_Extent(geom) AS geom"
            f" FROM {source} AS seen GROUP BY 1) AS grouped",
            params,
        )
        boxes = [box(row) for row in rows]
        found = {
            "count": sum(row["count"] for row in rows),
            "groups": {row["name"]: row["count"] for row in rows},
            "box": _around([one for one in boxes if one]),
        }
        cache.set(key, found, KEPT_SECONDS)
    return found


def _around(boxes: list[list[float]]) -> list[float] | None:
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _land(groups: dict[str, int]) -> dict[str, int]:
    counts = Counter()
    for dlbm, count in groups.items():
        counts[land_group(dlbm)] += count
    return counts


def _outcomes(groups: dict[str, int]) -> dict[str, dict[str, int]]:
    counts = defaultdict(dict)
    for name, count in groups.items():
        outcome, _slash, category = name.partition("/")
        counts[outcome][category or "unknown"] = count
    return counts


def _runs(held) -> list[dict]:
    """The latest run of each district and criteria set that this reader may see."""
    view = COLLECTIONS["candidates"].seen_by(held)
    if view.rows.never:
        return []
    runs = FlagRun.objects.select_related("edition", "survey", "district").order_by(
        "district_id", "edition__name", "-ran_at"
    )
    if not view.rows.always:
        runs = runs.filter(district__in={dict(scope)["district_id"] for scope in view.rows.alternatives})
    return [
        {
            "district": run.district.name,
            "survey": run.survey.year,
            "criteria": run.edition.name,
            "title": run.edition.title,
            "official": run.edition.official,
            "ran_at": run.ran_at.isoformat(),
        }
        for run in runs.distinct("district_id", "edition__name")
    ]
