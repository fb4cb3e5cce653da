"""Which criteria sets have judged what a reader sees, and which of them is shown where none is named."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from units.collections import COLLECTIONS
from units.criteria import sets
from units.errors import UnknownName
from units.models import FlagRun
from units.rights import Grant


def latest_runs(held: tuple[Grant, ...]) -> list[FlagRun]:
    """The latest run of each district and criteria set that this reader may see, the latest of all first.

    Runs of a set that flags nothing, as earlier versions stored them, and of one that is there no more come last.
    """
    view = COLLECTIONS["candidates"].seen_by(held)
    if view.rows.never:
        return []
    runs = FlagRun.objects.select_related("edition", "survey", "district").order_by(
        "district_id", "edition__name", "-ran_at"
    )
    if not view.rows.always:
        runs = runs.filter(district__in={dict(scope)["district_id"] for scope in view.rows.alternatives})
    latest = list(runs.distinct("district_id", "edition__name"))
    judging = {name for name in {run.edition.name for run in latest} & set(sets.available()) if sets.load(name).flags}
    return sorted(latest, key=lambda run: (run.edition.name in judging, run.ran_at), reverse=True)


def shown_set(query: Mapping[str, str], held: tuple[Grant, ...]) -> str:
    """The set that a request names, else the one that the map shows: that of the latest run; "" where none ran.

    Two sets judge every subject twice, so a list is always of one of them.
    """
    named = named_set(query)
    if named is not None:
        return named
    runs = latest_runs(held)
    return runs[0].edition.name if runs else ""


def named_set(query: Mapping[str, str]) -> str | None:
    """The set that a request names by `criteria`, or None; UnknownName for one that is not there and never ran."""
    named = query.get("criteria") or None
    if named is not None and named not in sets.available():
        ran = set(FlagRun.objects.order_by().values_list("edition__name", flat=True).distinct())
        if named not in ran:
            raise UnknownName(named[:100], ran | set(sets.available()), _("criteria set"))
    return named
