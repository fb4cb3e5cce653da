"""The statistics page: tables, charts and a small map of what is chosen, as a workbook and as JSON too."""

from decimal import Decimal
from urllib.parse import urlencode

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units import codes
from units.charting import bars, choropleths
from units.errors import NotAllowed, NotFound, UnknownName
from units.models import Category
from units.rights import Grant, sees_figures, view
from units.statistics import (
    BASES,
    FILTERS,
    GROUPS,
    NONE,
    Chosen,
    base_titles,
    districts,
    filter_titles,
    sizes,
    statistics,
)
from units.views.asking import grants, only
from units.workbooks import workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONG = 14  # rows; a longer table is folded
PARAMETERS = ("district", "base", "as_of", "criteria", *FILTERS)


@require_safe
@cache_control(private=True, no_cache=True)
def statistics_page(request):
    """The page: who works on the land gets the figures of his places."""
    only(request, *PARAMETERS)
    held = grants(request)
    chosen = _chosen(request, held)
    told = statistics(chosen, held)
    groups = [
        {
            "id": name,
            "title": group_titles()[name],
            "tables": [_shown(one) for one in told["tables"] if one["group"] == name],
        }
        for name in GROUPS
    ]
    context = {
        "told": told,
        "groups": [one for one in groups if one["tables"]],
        "facts": facts(told),
        "filters": _filters(told, chosen),
        "districts": districts(held),
        "bases": [{"value": name, "title": base_titles()[name]} for name in BASES],
        "today": timezone.localdate(),
        "maps": choropleths(told),
        "query": _query(request),
        "workbook": f"{reverse('statistics-workbook')}?{_query(request)}",
        "figures": f"{reverse('statistics-figures')}?{_query(request)}",
        "chosen": chosen,
        "scores": reverse("statistics-scores") if sees_figures(held, told["district"]) else None,
    }
    return render(request, "units/statistics.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def statistics_figures(request):
    """The same tables for programs."""
    only(request, *PARAMETERS)
    held = grants(request)
    told = statistics(_chosen(request, held), held)
    plain = {name: value for name, value in told.items() if name not in ("hexes", "streets", "choices")}
    return JsonResponse(plain, encoder=Numbers)


@require_safe
@cache_control(private=True, no_cache=True)
def statistics_workbook(request):
    """The same tables as .xlsx, one sheet a table, each with its day, criteria and definition."""
    only(request, *PARAMETERS)
    held = grants(request)
    told = statistics(_chosen(request, held), held)
    response = HttpResponse(workbook(told, facts(told), group_titles()), content_type=XLSX)
    name = f"statistics-{told['district']}-{told['as_of'].replace('-', '')}.xlsx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class Numbers(DjangoJSONEncoder):
    """Numbers stay numbers: programs reckon with them."""

    def default(self, one):
        return float(one) if isinstance(one, Decimal) else super().default(one)


def group_titles() -> dict[str, str]:
    """What the groups of tables are called (G-28 to G-31, NK008)."""
    return {
        "scale": _("Scale"),
        "structure": _("Structure"),
        "distribution": _("Distribution"),
        "potential": _("Potential"),
        "intensity": _("Land and output"),
    }


def facts(told: dict) -> list[tuple[str, str]]:
    """What the head of the page and of each sheet says: what was counted, of when, and by which criteria."""
    titles = filter_titles()
    found = [
        (_("District"), f"{told['district_name']} {told['district']}"),
        (titles["base"], told["base_title"]),
        (titles["as_of"], told["as_of"]),
        (_("Survey"), str(told["survey"])),
    ]
    criteria = told["criteria"]
    if criteria["name"]:
        found += [
            (titles["criteria"], f"{criteria['title']} ({criteria['name']})"),
            (_("Digest of the criteria"), criteria["digest"]),
            (_("Run"), f"{criteria['run']}, {criteria['ran_at'].replace('T', ' ')}"),
        ]
    else:
        found.append((titles["criteria"], _("people decided; each record keeps what it was decided by")))
    measured = told["measured_at"].replace("T", " ") if told["measured_at"] else _("not yet")
    found.append((_("Measured at"), measured))
    for name, value in told["filters"].items():
        found.append((titles[name], _label(name, value, told)))
    return found


def _label(name: str, value: str, told: dict) -> str:
    """What a value of a filter is called."""
    if value == NONE:
        return _("not known")
    if name in ("street", "reason"):
        titles = {one["value"]: one.get("title", "") for one in told["choices"].get(name, ())}
        return " ".join(filter(None, (titles.get(value, ""), value)))
    known = {
        "category": dict(Category.choices),
        "size": sizes(),
        "owner": {"state": _("State-owned"), "collective": _("Collectively owned")},
        "right": codes.domain("QLXZ"),
    }
    return str(known.get(name, {}).get(value, value))


def _chosen(request, held: tuple[Grant, ...]) -> Chosen:
    """What the address asks for, in the district that it names or the first one that the reader sees."""
    if view(held, "statistics", ()).rows.never:
        raise NotAllowed(_("Statistics are open to those who work on the land."), _("Sign in with such an account."))
    seen = [one.code for one in districts(held)]
    if not seen:
        raise NotFound(
            _("There is no district with a survey in force that you may see."),
            _("Put one in force with activate_survey."),
        )
    wanted = request.GET.get("district", "").strip()
    if wanted and wanted not in seen:
        raise UnknownName(wanted[:12], seen, _("district"))
    return Chosen.of(request.GET, wanted or seen[0])


def _query(request) -> str:
    """The address's own words again, and nothing else."""
    return urlencode({name: request.GET[name] for name in PARAMETERS if request.GET.get(name)})


def _filters(told: dict, chosen: Chosen) -> list[dict]:
    """Each filter with its values; one that is chosen stays among them though nothing is left beside it."""
    titles = filter_titles()
    choices = told["choices"]
    rights = codes.domain("QLXZ")
    offered = {
        "street": [(one["value"], one["title"]) for one in choices["street"]],
        "category": [(value, str(title)) for value, title in Category.choices],
        "size": list(sizes().items()),
        "owner": [("state", _("State-owned")), ("collective", _("Collectively owned")), (NONE, _("not known"))],
        "right": [(one["value"], rights.get(one["value"], one["value"])) for one in choices["right"]],
        "decade": [(one["value"], one["value"]) for one in choices["decade"]] + [(NONE, _("not known"))],
        "reason": [(one["value"], one["title"]) for one in choices["reason"]],
    }
    found = []
    for name in FILTERS:
        value = getattr(chosen, name)
        values = offered[name]
        if value and value not in dict(values):
            values = [*values, (value, _label(name, value, told))]
        found.append(
            {
                "name": name,
                "title": titles[name],
                "values": [{"value": key, "title": title, "chosen": key == value} for key, title in values],
            }
        )
    return found


def _shown(table: dict) -> dict:
    """A table as the page writes it: cells as text, unknown as a word, long ones folded."""
    rows = [_line(row, table["columns"]) for row in table["rows"]]
    return {
        **{name: table[name] for name in ("id", "title", "definition", "head", "columns", "adds_up")},
        "rows": rows,
        "total": _line(table["total"], table["columns"]) if table["total"] else None,
        "bars": bars(table),
        "long": len(rows) > LONG,
    }


def _line(row: dict, columns: list[dict]) -> dict:
    cells = []
    for column in columns:
        value = row.get(column["name"])
        if column["name"] in row.get("withheld", ()):
            cells.append({"text": _("withheld"), "plain": True})
        elif value is None:
            cells.append({"text": _("unknown"), "plain": True})
        elif column["kind"] == "share":
            cells.append({"text": f"{value * 100:,.2f}%", "plain": False})
        else:
            cells.append({"text": f"{value:,}", "plain": False})
    return {"key": row["key"], "label": row["label"], "cells": cells}
