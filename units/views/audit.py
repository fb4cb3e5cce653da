"""What people did, for administrators and the office of a district; and which role may see and do what."""

import io
import re
from urllib.parse import urlencode

import xlsxwriter
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.asof import FIRST_YEAR, LAST_YEAR
from units.auditing import ELSEWHERE, EVERYWHERE, MOST, audited, entries
from units.collections import COLLECTIONS
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import AuditEntry, Determination, LegacyLand, Move, RedevelopmentUnit, User
from units.rights import (
    FIGURE_READERS,
    IMPORTERS,
    PUBLIC,
    READERS,
    RESTRICTED,
    TITLES,
    Role,
)
from units.views.asking import only
from units.views.findings import XLSX, parse_day

PAGE = 100  # entries
FILTERS = ("person", "kind", "since", "until")
TITLES_ELSEWHERE = {
    "move": gettext_lazy("Move"),
    "criteria": gettext_lazy("Criteria approved or retired"),
    "scope": gettext_lazy("Role given or taken"),
    "import": gettext_lazy("Import"),
}
TITLES_OF_REST = {
    "determinations": gettext_lazy("Determinations"),
    "criteria": gettext_lazy("Criteria"),
    "statistics": gettext_lazy("Statistics"),
}
STATES = (Determination.State, LegacyLand.State, RedevelopmentUnit.State)
CHANGES = {"insert": gettext_lazy("given"), "update": gettext_lazy("changed"), "delete": gettext_lazy("taken")}
FACTS = {
    "role": gettext_lazy("Role"),
    "register": gettext_lazy("Register"),
    "from": gettext_lazy("From"),
    "to": gettext_lazy("To"),
    "change": gettext_lazy("Change"),
    "district": gettext_lazy("District"),
    "street": gettext_lazy("Street"),
    "layer": gettext_lazy("Layer"),
    "profile": gettext_lazy("Profile"),
    "rows": gettext_lazy("Rows"),
    "refused": gettext_lazy("Refused"),
    "asked": gettext_lazy("Asked"),
    "bytes": gettext_lazy("Bytes"),
    "token": gettext_lazy("Token"),
    "allows": gettext_lazy("Allows"),
    "days": gettext_lazy("Days"),
    "left": gettext_lazy("Left"),
    "second_factor": gettext_lazy("Second factor"),
    "known": gettext_lazy("Name known"),
    "fields": gettext_lazy("Fields"),
}


@require_safe
@cache_control(private=True, no_store=True)
def audit(request):
    """The list, the latest first, filtered, a page at a time."""
    only(request, *FILTERS, "page")
    districts = _districts(request)
    chosen, asked = _chosen(request.GET)
    number = request.GET.get("page", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", number):
        raise UsageError(_("“%(page)s” is no page of the list.") % {"page": number[:20]})
    start = (int(number) - 1) * PAGE
    rows, total = entries(districts, **asked, start=start, count=PAGE)
    here = reverse("audit")

    given = {name: value for name, value in chosen.items() if value}

    def page_at(wanted: int) -> str:
        return f"{here}?{urlencode(given | {'page': wanted})}"

    people = User.objects.all()
    if EVERYWHERE not in districts:
        people = people.filter(scopes__district__in=districts).distinct()
    context = {
        "rows": [_told(row) for row in rows],
        "total": total,
        "first": start + 1,
        "last": start + len(rows),
        "chosen": chosen,
        "kinds": list(_kinds().items()),
        "people": people.order_by("username").values_list("username", "first_name"),
        "workbook": f"{reverse('audit-workbook')}?{urlencode(given)}",
        "before": page_at(int(number) - 1) if int(number) > 1 else None,
        "after": page_at(int(number) + 1) if start + PAGE < total else None,
    }
    return render(request, "units/audit.html", context)


@require_safe
@cache_control(private=True, no_store=True)
def audit_workbook(request):
    """The same as .xlsx, all that the filters let through."""
    only(request, *FILTERS)
    _values, asked = _chosen(request.GET)
    rows, total = entries(_districts(request), **asked)
    if total > MOST:
        raise UsageError(
            _("There are more than %(most)d entries.") % {"most": MOST}, _("Choose a shorter time or one kind.")
        )
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        sheet = book.add_worksheet(_("Audit"))
        sheet.set_column(0, 5, 22)
        heads = (_("At"), _("What"), _("Person"), _("District"), _("Subject"), _("Details"))
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
        sheet.freeze_panes(1, 0)
        for line, row in enumerate(map(_told, rows), 1):
            at = timezone.localtime(row["at"]).strftime("%Y-%m-%d %H:%M:%S")
            cells = (at, row["title"], row["name"], row["district"] or "", row["subject"], row["facts"])
            for column, cell in enumerate(cells):
                sheet.write_string(line, column, str(cell))
        sheet.autofilter(0, 0, len(rows), len(heads) - 1)
    response = HttpResponse(buffer.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="audit-{timezone.localdate():%Y%m%d}.xlsx"'
    return response


@require_safe
@cache_control(private=True, no_cache=True)
def rights_table(request):
    """Which role sees which rows and columns and delivers what: read off the very tables that decide it."""
    only(request)
    _districts(request)
    roles = list(Role)
    seen = [
        {"name": name, "title": _title(name), "cells": [role in those for role in roles]}
        for name, those in READERS.items()
    ]
    columns = [
        {"name": f"{name}.{column}", "title": _title(name), "cells": [role in those for role in roles]}
        for name, closed in RESTRICTED.items()
        for column, those in closed.items()
    ]
    columns.append(
        {
            "name": _("tax, output, energy, grade"),
            "title": _("Figures of firms by year"),
            "cells": [role in FIGURE_READERS for role in roles],
        }
    )
    delivered = [
        {"name": profile, "title": "", "cells": [role in those for role in roles]}
        for profile, those in IMPORTERS.items()
    ]
    context = {
        "roles": [{"code": role.value, "title": TITLES[role]} for role in roles],
        "tables": [
            {"title": _("Who sees the rows of a register, in the places where the role holds"), "rows": seen},
            {"title": _("Who sees columns that are closed to others"), "rows": columns},
            {"title": _("Who delivers which profile"), "rows": delivered},
        ],
        "open": [
            {"title": _title(name), "columns": ", ".join(sorted(open_columns))}
            for name, (_rows, open_columns) in PUBLIC.items()
        ],
    }
    return render(request, "units/rights.html", context)


def _districts(request) -> frozenset[str]:
    districts = audited(request.user)
    if not districts:
        raise NotAllowed(
            _("The audit is open to administrators and to the task-force office of a district."),
            _("Sign in with such an account."),
        )
    return districts


def _kinds() -> dict[str, str]:
    return dict(AuditEntry.Kind.choices) | {name: TITLES_ELSEWHERE[name] for name in ELSEWHERE}


def _chosen(given) -> tuple[dict, dict]:
    """The filters as they were written, and as the question takes them; an unknown word is an error."""
    chosen = {name: given.get(name, "").strip() for name in FILTERS}
    if chosen["kind"] and chosen["kind"] not in _kinds():
        raise UnknownName(chosen["kind"][:100], _kinds(), _("kind of entry"))
    if not chosen["person"].isprintable() or len(chosen["person"]) > 150:
        raise UsageError(_("The request cannot be understood."))
    days = {name: _day(chosen[name]) if chosen[name] else None for name in ("since", "until")}
    return chosen, {"person": chosen["person"], "kind": chosen["kind"], **days}


def _day(text: str):
    day = parse_day(text)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(_("“%(text)s” is no day that the registers know.") % {"text": text[:20]})
    return day


def _told(row: dict) -> dict:
    details = row["details"] or {}
    named = sorted(details, key=lambda name: list(FACTS).index(name) if name in FACTS else len(FACTS))
    facts = [f"{FACTS.get(name, name)}: {_word(name, details[name])}" for name in named if _says(details[name])]
    return row | {"title": _kinds().get(row["kind"], row["kind"]), "facts": " · ".join(facts)}


def _says(value) -> bool:
    return value is not None and value != ""


def _word(name: str, value) -> str:
    match name:
        case "role" if value in set(Role):
            return f"{value} {TITLES[Role(value)]}"
        case "register" if value in Move.Register:
            return str(Move.Register(value).label)
        case "change":
            return str(CHANGES.get(value, value))
        case "from" | "to":
            return str(next((kind(value).label for kind in STATES if value in kind), value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _title(name: str) -> str:
    return str(COLLECTIONS[name].title if name in COLLECTIONS else TITLES_OF_REST.get(name, name))
