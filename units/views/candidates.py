"""List what the criteria say, largest parcel first, a page at a time, for the panel beside the map."""

import re

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.criteria import sets
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import Category, Flag
from units.views.asking import BOX, asked, box, grants, visible

PLACE = re.compile(r"(\d{1,12}(?:\.\d{1,20})?(?:e-?\d{1,3})?)_(\d{1,18})")  # area in m² and number of the last row
PAGE = 40  # rows
UNKNOWN = "unknown"  # the category that no rule could tell


@require_safe
@cache_control(private=True, no_cache=True)
def candidates(request):
    """{items, next} of one outcome and category; `after` is the `next` of the page before."""
    view = COLLECTIONS["candidates"].seen_by(grants(request))
    if view.rows.never:
        raise NotAllowed(
            _("What the criteria suspect is open to the departments that decide on it."),
            _("Sign in with an account of one of them."),
        )
    source, params = visible(COLLECTIONS["candidates"], view)
    wanted = ["TRUE"]
    if outcome := request.GET.get("outcome"):
        if outcome not in Flag.Outcome:
            raise UnknownName(outcome, Flag.Outcome.values, _("outcome"))
        wanted.append("outcome = %(outcome)s")
    if category := request.GET.get("category"):
        if category != UNKNOWN and category not in Category:
            raise UnknownName(category, [*Category.values, UNKNOWN], _("category"))
        wanted.append("category = %(category)s")
    if after := request.GET.get("after"):
        params |= _place(after)
        wanted.append("(area_m2, fid) < (%(area)s, %(fid)s)")
    params |= {"outcome": outcome, "category": "" if category == UNKNOWN else category, "limit": PAGE + 1}
    rows = asked(
        "SELECT fid, code, address, outcome, category, fired, missing, criteria, area_m2, street_id, "
        f"{BOX} FROM {source} AS seen WHERE {' AND '.join(wanted)} ORDER BY area_m2 DESC, fid DESC LIMIT %(limit)s",
        params,
    )
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    titles = {name: _titles(name) for name in {row["criteria"] for row in rows}}
    for row in rows:
        row["box"] = box(row)
        row["fired"] = [titles[row["criteria"]].get(rule, rule) for rule in row["fired"]]
    last = f"{rows[-1]['area_m2']!r}_{rows[-1]['fid']}" if more else None
    return JsonResponse({"items": rows, "next": last})


def _titles(criteria: str) -> dict[str, str]:
    """Rule → title of a set; a set that has been taken away since it ran leaves its rules' names."""
    try:
        return {rule.id: rule.title for rule in sets.load(criteria).rules}
    except UsageError:
        return {}


def _place(after: str) -> dict[str, float | int]:
    written = PLACE.fullmatch(after)
    if written is None:
        raise UsageError(_("“%(after)s” is not the next page of any list.") % {"after": after[:40]})
    return {"area": float(written[1]), "fid": int(written[2])}
