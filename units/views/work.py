"""What waits for whoever is signed in: his next steps in every register, since when and by when, to be gone at once."""

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units import drafting, listing, waiting
from units.errors import GeoinvError, NotAllowed, NotFound, UnknownName
from units.moving import move
from units.views.asking import grants, only
from units.views.conditions import refused_status, required_version
from units.views.moves import answered_for, together
from units.views.places import with_surveys
from units.views.steps import action, said
from units.views.units import render_unit
from units.workflow import RECORD, REGISTERS, UNIT


@require_safe
@cache_control(private=True, no_cache=True)
def work(request):
    """The work list of the reader."""
    only(request)
    held = _readers(request)
    today = timezone.localdate()
    turns = waiting.for_user(request.user)
    context = {
        "turns": [_turn(one, today) for one in turns],
        "total": waiting.count(request.user),
        "progress": _progress(held),
        "today": today,
    }
    return render(request, "units/work.html", context)


@require_POST
def work_moves(request):
    """Many rows of a register by one step, from the work list or from the register's own list."""
    _readers(request)
    register = request.POST.get("register", "")
    if register not in REGISTERS:
        raise UnknownName(register[:40], REGISTERS, _("register"))
    back = "legacy" if request.POST.get("from") == "legacy" else "work"
    return together(request, register, reverse(back))


@require_POST
def unit_move(request, code: str):
    """One step of the latest version of a unit, then its page again; what is refused is told there."""
    held = grants(request)
    if not request.user.is_authenticated:  # an approved unit is seen by everybody, and moved by nobody unknown
        raise NotAllowed(_("Sign in first."))
    district = request.POST.get("district", "")
    code = code if code.isprintable() else "?"
    unit = drafting.found(held, code, district)
    try:
        given = said(request.POST) | {"version": required_version(request, request.POST.get("version"))}
        answered_for(request, UNIT, unit, given["to"])
        move(unit, by=request.user, register=UNIT, **given)
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        now = drafting.found(held, code, district)
        return render_unit(request, now, error, refused_status(request, error), given=request.POST)
    return HttpResponseRedirect(f"{reverse('unit', args=[unit.code])}?district={unit.district_id}#moves")


def _readers(request):
    """The grants of whoever has work here; the public and redevelopers have none."""
    held = grants(request)
    if not request.user.is_authenticated or not any(one.role not in ("R9", "R10") for one in held):
        raise NotAllowed(
            _("The work list is of those who keep the inventory."), _("Sign in with an account of theirs.")
        )
    return held


def _turn(one: waiting.Turn, today) -> dict:
    title = action(one.step)["title"] if one.step else one.title
    listed = f"{reverse('determinations')}?state={one.step.start}" if one.step and one.register == RECORD else ""
    return {
        "turn": one,
        "title": title,
        "more": one.count - len(one.entries),
        "all": listed,
        "late": one.late,
        "rows": [
            {
                "entry": entry,
                "late": bool(entry.due_on and entry.due_on < today),
                "days": (today - timezone.localtime(entry.since).date()).days if entry.since else None,
            }
            for entry in one.entries
        ],
    }


def _progress(held) -> list[dict]:
    """How far the mapping and entry is in each district that the reader may see as a whole."""
    whole = {grant.district for grant in held if not grant.street}
    return [one | listing.progress(one["code"]) for one in with_surveys(held) if whole & {None, one["code"]}]
