"""The record of a unit for people: its form, its editions, amending an approved one, and asking departments."""

from django.contrib import messages
from django.http import HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from units import amending, consulting, drafting, recording
from units.codes import YDYH, land_use
from units.composing import looked_at, may_draw
from units.errors import GeoinvError, NotAllowed, NotFound, Outdated, Stale, UsageError
from units.models import RedevelopmentUnit
from units.views.asking import grants, only
from units.views.body import told
from units.views.conditions import refused_status, required_version
from units.views.findings import parse_day
from units.views.units import as_told, render_unit
from units.views.words import unit_record_words

FIELDS = {"mode": str, "methods": list, "programmes": list, "requirements": dict, "incentives": list}
MOST_OTHERS = 200  # units that a transfer is offered with
State = RedevelopmentUnit.State


@require_http_methods(["GET", "HEAD", "POST"])
@ensure_csrf_cookie
@cache_control(private=True, no_cache=True)
def unit_record(request, code: str):
    """GET the form of a draft's record; POST fields of it as JSON: {version, record}, or what is wrong with each."""
    only(request, "district")
    held = grants(request)
    unit = _inside(request, held, code)
    drafting.check_drawer(held, unit)
    if request.method == "POST":
        return _written(request, unit)
    drafting.check_draft(unit)
    return render(request, "units/unit_record.html", _form(unit, held))


def _form(unit: RedevelopmentUnit, held) -> dict:
    found = looked_at(held, unit)
    others = RedevelopmentUnit.objects.filter(district=unit.district_id, state=State.DRAFT).exclude(code=unit.code)
    others = [one for one in others.order_by("code").defer("geom")[:MOST_OTHERS] if _draws(held, one)]
    return {
        "unit": unit,
        "record": recording.told(unit),
        "lists": {name: recording.choices(name).values() for name in recording.LISTS},
        "uses": [use for use in land_use(YDYH).values() if use.construction is not False],
        "others": others,
        "found": found,
        "uoms": recording.UOMS,
        "told": {
            "language": get_language(),
            "signIn": reverse("login"),
            "words": unit_record_words(),
            "record": recording.told(unit),
            "area_m2": unit.area_m2,
            "uoms": {one.code: one.uom for one in recording.choices("incentive").values()},
            "version": unit.version,
            "edition": unit.edition,
        },
    }


def _draws(held, unit: RedevelopmentUnit) -> bool:
    return may_draw(held, unit.district_id, unit.street_id)


def _written(request, unit: RedevelopmentUnit):
    body = told(request, version=int, **FIELDS)
    version = required_version(request, body.pop("version", None), edition=unit.edition)
    try:
        saved = recording.record(request.user, unit.code, version, body, unit.district_id)
    except Stale as error:
        if "If-Match" not in request.headers:
            raise
        raise Outdated(error.message, error.hint, **error.details) from error
    response = JsonResponse(
        {"code": saved.code, "edition": saved.edition, "version": saved.version, "record": recording.told(saved)}
    )
    response["ETag"] = f'"{saved.edition}.{saved.version}"'
    return response


@require_POST
def unit_amend(request, code: str):
    """A new draft edition of an approved unit, then the page of the unit."""
    held = grants(request)
    unit = _inside(request, held, code)
    drafting.check_drawer(held, unit)
    try:
        version = required_version(request, request.POST.get("version"), edition=unit.edition)
        draft = amending.amend(request.user, unit.code, version, unit.district_id)
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return render_unit(request, unit, error, refused_status(request, error))
    messages.success(
        request,
        _("Version %(edition)s was begun as a draft. The approved version stays in force until this one is approved.")
        % {"edition": draft.edition},
    )
    return HttpResponseRedirect(reverse("unit", kwargs={"code": unit.code}))


@require_safe
@ensure_csrf_cookie
@cache_control(private=True, no_cache=True)
def unit_edition(request, code: str, number: int):
    """The page of one edition, as it can be cited: it says the same for ever once it was approved."""
    held = grants(request)
    unit = amending.edition(held, _plain(code), number, _plain(request.GET.get("district", "")))
    return render_unit(request, unit, cited=True)


@require_safe
@cache_control(private=True, no_cache=True)
def unit_edition_json(request, code: str, number: int):
    """One edition as JSON; what was approved has its digest."""
    held = grants(request)
    unit = amending.edition(held, _plain(code), number, _plain(request.GET.get("district", "")))
    answer = as_told(unit, held)
    answer.pop("may", None)
    response = JsonResponse(answer | {"approved_at": unit.approved_at and unit.approved_at.isoformat()})
    response["ETag"] = f'"{unit.edition}.{unit.version}"'
    return response


@require_POST
def unit_consultations(request, code: str):
    """Ask departments for their opinion, then the page of the unit again."""
    held = grants(request)
    unit = _inside(request, held, code)
    consulting.check_asker(held, unit)
    given = request.POST
    try:
        due_on = parse_day(given.get("due_on", ""))
        if due_on is None:
            raise UsageError(_("Give the day by which they reply."), code="due_on")
        made = consulting.ask(request.user, unit, given.getlist("department"), due_on, given.get("question", ""))
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return render_unit(request, unit, error, refused_status(request, error), given=given)
    messages.success(
        request,
        ngettext("%(count)d department was asked.", "%(count)d departments were asked.", len(made))
        % {"count": len(made)},
    )
    return HttpResponseRedirect(f"{reverse('unit', kwargs={'code': unit.code})}#consultations")


@require_POST
def consultation_reply(request, number: int):
    """Reply for a department, then the page of the unit again."""
    held = grants(request)
    one = consulting.found(held, number)
    consulting.check_replier(held, one)
    given = request.POST
    try:
        version = required_version(request, given.get("version"))
        consulting.reply(
            request.user,
            number,
            version,
            given.get("opinion", ""),
            given.get("reply", ""),
            given.get("paper", ""),
        )
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        unit = drafting.found(held, one.unit.code, one.unit.district_id)
        return render_unit(request, unit, error, refused_status(request, error), given=given, replying=number)
    messages.success(request, _("The opinion of %(name)s is kept.") % {"name": one.department.name})
    return HttpResponseRedirect(f"{reverse('unit', kwargs={'code': one.unit.code})}#consultations")


def _inside(request, held, code: str) -> RedevelopmentUnit:
    """The unit, for who works with it; to everybody else there is no record."""
    unit = drafting.found(held, _plain(code), _plain(request.GET.get("district", "")))
    if not drafting.is_inside(held, unit):
        raise NotFound(
            _("There is no redevelopment unit %(code)s, or none that you may see.") % {"code": code[:40]},
            _("Find it on the map."),
        )
    return unit


def _plain(code: str) -> str:
    return code if code.isprintable() else "?"
