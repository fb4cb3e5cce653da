"""Legacy land for people: the list, the page of a polygon with its worksheet, its steps, its disposal and its notes."""

import re
from collections import Counter
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units import evidencing
from units.eligibility import GATES, route_by_date
from units.eligibility import VERDICTS as OUTCOMES
from units.errors import GeoinvError, NotAllowed, NotFound, UnknownName, UsageError
from units.gates.legacy import legacy_of, visible
from units.models import Freeze, LegacyLand, Street
from units.moving import allowed, kept_moves, move
from units.rights import view
from units.second_factor import asks
from units.spatial import in_mu
from units.views.asking import grants, only
from units.views.conditions import refused_status, required_version
from units.views.moves import answered_for
from units.views.steps import action, asked, path, said, told, whose_turn
from units.workflow import ACCEPTED, DISPOSAL, LEGACY, LEGACY_STATES, steps_of

PAGE = 50
FILTERS = {
    "state": gettext_lazy("State"),
    "route": gettext_lazy("Class"),
    "street": gettext_lazy("Street"),
    "code": gettext_lazy("Code contains"),
}
NONE = "none"
VERDICTS = {
    "yes": gettext_lazy("Yes"),
    "no": gettext_lazy("No"),
    "partly": gettext_lazy("In part"),
    "unknown": gettext_lazy("Not known"),
}


@require_safe
@cache_control(private=True, no_cache=True)
def legacy(request):
    """The legacy register of the reader's places, filtered, a page at a time."""
    only(request, *FILTERS, "page")
    held = _readers(request)
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    page = _checked(chosen, request.GET.get("page", "1"))
    seen = visible(held)
    found = seen
    for name in ("state", "route", "street"):
        value = chosen[name]
        if value == NONE and name != "route":
            found = found.filter(**{f"{name}": None})
        elif value:
            found = found.filter(**{name: "" if value == "untested" else value})
    if chosen["code"]:
        found = found.filter(code__icontains=chosen["code"])
    total = found.count()
    rows = list(found.select_related("street").order_by("district_id", "code")[(page - 1) * PAGE : page * PAGE])
    states = Counter(dict(seen.order_by().values_list("state").annotate(Count("pk"))))
    roles = {one.role for one in held}
    offered = {
        one.to: action(one)
        for one in steps_of(LEGACY)
        if {row.state for row in rows} & {one.start} and roles & one.roles
    }
    here = reverse("legacy")
    context = {
        "rows": [
            {
                "land": one,
                "mu": in_mu(one.area_m2),
                "by_date": _route(route_by_date(one.used_since)),
                "movable": bool(allowed(one, held, register=LEGACY)),
            }
            for one in rows
        ],
        "total": total,
        "first": (page - 1) * PAGE + 1,
        "last": (page - 1) * PAGE + len(rows),
        "chosen": chosen,
        "states": [
            {
                "title": LegacyLand.State(name).label,
                "count": states[name],
                "here": chosen["state"] == name,
                "value": name,
                "address": f"{here}?{_query(chosen, state='' if chosen['state'] == name else name)}",
            }
            for name in LEGACY_STATES
        ],
        "routes": [*LegacyLand.Route.choices, ("untested", _("not tested yet"))],
        "streets": Street.objects.filter(code__in=seen.values("street")).order_by("code"),
        "freezes": Freeze.objects.filter(district__in=seen.values("district")).select_related("district"),
        "actions": [offered[name] for name in (*LEGACY_STATES,) if name in offered],
        "before": f"{here}?{_query(chosen, page=page - 1)}" if page > 1 else None,
        "after": f"{here}?{_query(chosen, page=page + 1)}" if page * PAGE < total else None,
    }
    return render(request, "units/legacy.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def legacy_land(request, code: str):
    """The page of one polygon."""
    only(request, "district")
    held = _readers(request)
    return _page(request, _land(request, code, request.GET.get("district", ""), held), held)


@require_POST
def legacy_move(request, code: str):
    """One step of a polygon towards the acceptance, or of its disposal; then its page again."""
    held = _readers(request)
    land = _land(request, code, request.POST.get("district", ""), held)
    register = request.POST.get("register", LEGACY)
    if register not in (LEGACY, DISPOSAL):
        raise UnknownName(register[:40], (LEGACY, DISPOSAL), _("register"))

    def go():
        given = said(request.POST) | {"version": required_version(request, request.POST.get("version"))}
        answered_for(request, register, land, given["to"])
        move(land, by=request.user, register=register, **given)

    return _done(request, land, held, go, "moves" if register == LEGACY else "disposal")


@require_POST
def legacy_facts(request, code: str):
    """Write the evidence of a polygon: the date of land use, the penalty and what was judged."""
    held = _readers(request)
    land = _land(request, code, request.POST.get("district", ""), held)

    def go():
        version = required_version(request, request.POST.get("version"))
        evidencing.write(request.user, land, version, _values(request.POST))

    return _done(request, land, held, go, "facts")


@require_POST
def legacy_notes(request, code: str):
    """Note a mistake beside a polygon of a frozen register (workflow 4.3)."""
    held = _readers(request)
    land = _land(request, code, request.POST.get("district", ""), held)

    def go():
        evidencing.note(request.user, land, request.POST.get("text", ""), said(request.POST)["document"])

    return _done(request, land, held, go, "notes")


# --- inside ------------------------------------------------------------------------------------------------------


def _page(request, land: LegacyLand, held, refused: GeoinvError | None = None):
    seen = view(held, "legacy", ("user_name", "penalty_number"))
    steps = sorted(allowed(land, held, register=LEGACY), key=lambda one: one.back)
    disposal = allowed(land, held, register=DISPOSAL) if land.state == ACCEPTED else []
    sheet = land.worksheet if land.worksheet.get("gates") else None
    context = {
        "land": land,
        "mu": in_mu(land.area_m2),
        "by_date": _route(route_by_date(land.used_since)),
        "sheet": sheet,
        "verdict": OUTCOMES.get(sheet.get("verdict"), "") if sheet else "",
        "gates": [
            {
                "title": GATES[name],
                "verdict": one["verdict"],
                "said": VERDICTS[one["verdict"]],
                "area_m2": one.get("area_m2"),
            }
            for name, one in ([(name, sheet["gates"].get(name)) for name in GATES] if sheet else ())
            if one
        ],
        "path": path(land, LEGACY),
        "actions": [action(one) | asked(land, one) for one in steps],
        "nobody": whose_turn(land, LEGACY),
        "moves": [told(one) for one in kept_moves(LEGACY, land.code, land.district_id)],
        "stages": path(land, DISPOSAL) if land.state == ACCEPTED else [],
        "disposals": land.disposals.select_related("by", "document").order_by("on", "pk"),
        "disposal_version": land.disposals.count(),
        "disposal_actions": [action(one) | asked(land, one) for one in disposal],
        "disposal_nobody": whose_turn(land, DISPOSAL) if land.state == ACCEPTED else [],
        "notes": land.notes.select_related("by", "document").order_by("pk"),
        "freeze": Freeze.objects.filter(district=land.district_id).first(),
        "sees_user": seen.sees("user_name"),
        "sees_penalty": seen.sees("penalty_number"),
        "writes": evidencing.may_write(held, land),
        "notes_here": evidencing.may_note(held, land),
        "truths": (("", _("Not known")), ("yes", _("Yes")), ("no", _("No"))),
        "refused": refused,
        "given": request.POST,
        "asks_code": asks(request),
    }
    status = refused_status(request, refused) if refused else 200
    return render(request, "units/legacy_land.html", context, status=status)


def _done(request, land: LegacyLand, held, go, place: str):
    """Do it and show the page again; what is refused is told there, with what was written."""
    try:
        go()
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return _page(request, legacy_of(land.code, held, land.district_id), held, error)
    return HttpResponseRedirect(f"{reverse('legacy-land', args=[land.code])}?district={land.district_id}#{place}")


def _readers(request):
    """The grants of the caller, when they see any legacy land at all."""
    held = grants(request)
    if view(held, "legacy", ()).rows.never:
        raise NotAllowed(
            _("Legacy land is open to those who keep its register."), _("Sign in with an account of one of them.")
        )
    return held


def _land(request, code: str, district: str, held) -> LegacyLand:
    return legacy_of(code if code.isprintable() else "?", held, district if district.isprintable() else "?")


def _values(given) -> dict:
    truths = {"yes": True, "no": False}
    told = {name: given[name].strip() for name in evidencing.TEXTS if name in given}
    told |= {name: given[name].strip() for name in evidencing.DAYS if name in given}
    return told | {name: truths.get(given[name]) for name in evidencing.TRUTHS if name in given}


def _checked(chosen: dict[str, str], page: str) -> int:
    """The number of the page; an unknown word in a filter is an error, never an empty list."""
    known = {"state": LEGACY_STATES, "route": [*LegacyLand.Route.values, "untested"]}
    for name, words in known.items():
        if chosen[name] and chosen[name] not in words:
            raise UnknownName(chosen[name][:100], words, FILTERS[name])
    street = chosen["street"]
    if street and street != NONE and not (street.isprintable() and Street.objects.filter(code=street).exists()):
        raise UnknownName(street[:100], [], FILTERS["street"])
    if not chosen["code"].isprintable():
        raise UsageError(_("The request cannot be understood."))
    if not re.fullmatch(r"[1-9][0-9]{0,6}", page):
        raise UsageError(_("“%(page)s” is no page of the list.") % {"page": page[:20]})
    return int(page)


def _query(chosen: dict, **other) -> str:
    return urlencode({name: value for name, value in (chosen | other).items() if value})


def _route(name: str) -> str:
    return str(LegacyLand.Route(name).label) if name in LegacyLand.Route else ""
