"""Many rows moved by one step after one question: all of them, or none with the reason of each in the way."""

from urllib.parse import parse_qsl, urlencode

from django.shortcuts import render
from django.utils.translation import gettext as _

from units import waiting
from units.errors import GeoinvError, NotAllowed, Refused, UnknownName, UsageError
from units.models import RedevelopmentUnit
from units.moving import KINDS, MOST, allowed, move_all
from units.records import parts_of, subject_code
from units.second_factor import asks, confirm
from units.views.asking import grants
from units.views.steps import ACTIONS, BACK, action, asked, number, said
from units.workflow import DISPOSAL, RECORD, UNIT, Step, steps_of


def together(request, register: str, back: str, query: str = ""):
    """Ask before many rows of a register are moved, then move them; `back` is the list they come from."""
    held = grants(request)
    to, district = request.POST.get("to", ""), request.POST.get("district", "")
    known = {*ACTIONS[register], *(one for kind, one in BACK if kind == register)}
    if to not in known:
        raise UnknownName(to[:100], known, _("state"))
    if request.POST.get("whole") == "1":  # more wait than a page shows, and a sealed set goes its way whole
        codes = waiting.codes_of(held, register, to, district if district.isprintable() else "?")[:MOST]
    else:
        codes = request.POST.getlist("code")[: MOST + 1]
        if not all(code.isprintable() for code in codes):
            raise UsageError(_("The request cannot be understood."))
    question = _question(_rows(register, codes, held, district), register, to, held)
    context = question | {"query": query, "back": back, "register": register, "district": district}
    context |= {"given": request.POST, "asks_code": asks(request), "action": request.path}
    if request.POST.get("confirmed") == "1":
        context |= _moved(request, register, to, district, question)
    return render(request, "units/moves.html", context, status=422 if "refused" in context else 200)


def answered_for(request, register: str, row, to: str) -> None:
    """Ask an account with a second factor for it before a step by which somebody answers for the whole."""
    way = next((one for one in KINDS[register].ways(row) if one.to == to), None)
    if way is not None and way.approves:
        confirm(request, request.POST.get("otp", ""))


def again(query: str, names: tuple[str, ...]) -> str:
    """The filters of an address, written anew: nothing else of it is taken."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    return urlencode({name: given[name] for name in names if name in given})


def _moved(request, register: str, to: str, district: str, question: dict) -> dict:
    ready = [one["code"] for one in question["rows"] if one["way"]]
    post = request.POST
    comments = {code: post.get(f"comment-{code}", "").strip() for code in ready}
    versions = {code: number(post.get(f"version-{code}", ""), "version") for code in ready}
    try:
        if ready and None in versions.values():
            raise UsageError(
                _("Say which version of each record you have before you."),
                _("Go back to the list and mark them again."),
                code="version",
            )
        if any(one["way"].approves for one in question["rows"] if one["way"]):
            confirm(request, post.get("otp", ""))
        given = {name: value for name, value in said(post).items() if name not in ("to", "version")}
        done = move_all(
            ready,
            to,
            request.user,
            register=register,
            district=district,
            comments={code: text for code, text in comments.items() if text},
            versions=versions,
            **given,
        )
    except NotAllowed:
        raise
    except GeoinvError as error:
        return {"refused": error}
    if not done["refused"]:
        return {"done": done}
    # None was moved: whoever stands in the way is named, and the same step is offered for the others.
    reasons = {one["code"]: one for one in done["refused"]}
    everybody = len(reasons) == len(ready)
    for one in question["rows"]:
        one["reason"] = reasons.get(one["code"])
        if one["reason"] and not everybody:
            one["way"] = None
    message = _("Nothing was moved: %(count)d of them cannot go this way.") % {"count": len(reasons)}
    hint = "" if everybody else _("You may go on with the others.")
    return {"refused": Refused(message, hint), "ready": sum(bool(one["way"]) for one in question["rows"])}


def _rows(register: str, codes: list[str], held, district: str) -> list:
    rows = KINDS[register].visible(held).filter(code__in=codes).order_by("code")
    if district:
        rows = rows.filter(district=district)
    if register == UNIT:  # the latest version that is not history
        State = RedevelopmentUnit.State
        rows = rows.exclude(state__in=[State.AMENDED, State.DELETED]).order_by("code", "-edition")
        return list({one.code: one for one in reversed(rows)}.values())
    return list(rows)


def _question(rows: list, register: str, to: str, held) -> dict:
    """What is asked before many are moved: which of them can go there, and what the step needs."""
    told, form = [], {}
    parts = parts_of(rows) if register == RECORD else None
    step: Step | None = None
    for one in rows:
        way = next((step for step in allowed(one, held, parts, register=register) if step.to == to), None)
        kind = KINDS[register]
        told.append(
            {
                "code": one.code,
                "subject": subject_code(one) if register == RECORD else getattr(one, "name", one.code),
                "state": kind.title_of(kind.state_of(one)),
                "version": kind.version_of(one),
                "way": way,
            }
        )
        if way is not None:
            step = step or way
            wanted = asked(one, way)
            form = {name: form.get(name) or wanted.get(name) for name in {*form, *wanted}}
    step = step or next(one for one in steps_of(register) if one.to == to)
    return {
        "rows": told,
        "to": to,
        "title": action(step)["title"],
        "ready": sum(one["way"] is not None for one in told),
        "form": form,
        "each": step.back and register != DISPOSAL,
    }
