"""The criteria sets for people: listed, read as documents, drafted with live checking, compared, approved."""

from django.contrib import messages
from django.http import HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from units.criteria import sets, shelf
from units.criteria.hitting import hits
from units.criteria.measures import MEASURES, SOURCE_TITLES
from units.errors import CriteriaError, GeoinvError, NotAllowed, NotFound, Stale, UnknownName, UsageError
from units.explaining import betrays
from units.models import CriteriaText, District
from units.rights import Grant, Role, may, sees_figures, view
from units.second_factor import asks, confirm
from units.views.asking import grants, only
from units.views.body import told
from units.views.conditions import refused_status, required_version
from units.views.findings import parse_day
from units.wording import outline, uom_title

DRAFTERS = (Role.OFFICE,)
APPROVERS = (Role.DISTRICT, Role.BUREAU)
STATUSES = dict(CriteriaText.Status.choices)


@require_safe
@cache_control(private=True, no_cache=True)
def criteria_list(request):
    """Every set that the reader may see, with its state and where it was used; a form for a new draft."""
    only(request)
    return _list(request)


def _list(request, refused: GeoinvError | None = None):
    held = readers(request)
    rows = shelf.listed(held)
    for row in rows:
        row["status_title"] = STATUSES.get(row["status"], row["status"])
    context = {
        "rows": rows,
        "districts": _places(held, DRAFTERS),
        "refused": refused,
        "given": request.POST,
    }
    return render(request, "units/criteria/list.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def criteria_set(request, name: str):
    """One set as a document that a planner can audit; `?district=` says where the hits of its rules are counted."""
    only(request, "district")
    return _set(request, name)


def _set(request, name: str, refused: GeoinvError | None = None, status: int = 200):
    held = readers(request)
    text = shelf.seen(name, held)
    district = _district(request.GET.get("district"), held, text)
    context = {
        "name": name,
        "text": text,
        "refused": refused,
        "status_title": STATUSES.get(text.status if text else "", ""),
        "districts": _places(held, tuple(Role)),
        "district": district,
        "may_edit": bool(text) and text.status == "draft" and may(held, DRAFTERS, text.district_id),
        "may_approve": bool(text) and text.status == "draft" and may(held, APPROVERS, text.district_id),
        "may_retire": bool(text) and text.status == "approved" and may(held, APPROVERS, text.district_id),
        "given": request.POST,
        "asks_code": asks(request),
    }
    try:
        criteria = sets.load(name)
    except CriteriaError as error:
        faults = error.details.get("faults") or [{"message": str(error), "hint": "", "line": None, "column": None}]
        return render(request, "units/criteria/faulty.html", context | {"faults": faults}, status=status)
    document = outline(criteria)
    counted = hits(criteria, district.code, held) if district else None
    if counted is not None and not sees_figures(held, district.code):
        # of a draft, whose limits are whoever writes it, not even how many a rule meets
        rules = [rule for part in sets.parts(criteria) for rule in part.criteria.rules]
        shut = {rule.id for rule in rules if betrays(rule, criteria.status == "draft")}
        counted = {rule: one for rule, one in counted.items() if rule not in shut}
    for rule in document["rules"]:
        rule["hits"] = (counted or {}).get(rule["id"])
        rule["closed"] = counted is not None and rule["hits"] is None
        rule["limits"] = [one for one in document["params"] if one["name"] in rule["params"]]
    groups = {}
    for rule in document["rules"]:
        groups.setdefault(rule["effect"], {"title": rule["effect_title"], "rules": []})["rules"].append(rule)
    context |= {
        "document": document,
        "groups": [groups[effect] for effect in sets.EFFECTS if effect in groups],
        "status_title": STATUSES.get(document["status"], document["status"]),
        "counted": counted is not None,
        "changed": [one for one in document["params"] if one["before"] is not None],
    }
    return render(request, "units/criteria/set.html", context, status=status)


@require_safe
@cache_control(private=True, no_cache=True)
def criteria_diff(request, name: str):
    """What differs between a set and another one, by default its parent; also an edition that a run used."""
    only(request, "with")
    held = readers(request)
    shelf.seen(name, held)
    other = request.GET.get("with") or sets.load(name).parent
    if not other:
        raise UsageError(_("“%(name)s” has no parent.") % {"name": name}, _("Name another set with ?with=."))
    if len(other) != 64:
        shelf.seen(other, held)
    found = shelf.diff(other, name)
    context = {"name": name, "other": other, "diff": found, "others": shelf.listed(held)}
    return render(request, "units/criteria/diff.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def criteria_edit(request, name: str):
    """The editor of a draft; saved with its faults, which stand beside it."""
    only(request)
    held = readers(request)
    text = shelf.seen(name, held)
    if text is None or not may(held, DRAFTERS, text.district_id):
        raise NotAllowed(
            _("Only the task-force office of the district drafts criteria."), _("Make a draft on top of it.")
        )
    if request.method == "POST":
        body = told(request, text=str, version=int)
        version = required_version(request, body.get("version"))
        saved = shelf.save(name, body.get("text", ""), by=request.user, version=version)
        return JsonResponse({"version": saved.version, "faults": [_shown(one) for one in saved.faults]})
    context = {
        "name": name,
        "text": text,
        "words": _words(text),
        "editor": {
            "name": name,
            "version": text.version,
            "district": text.district_id,
            "user": request.user.pk,
            "kept": {"drafts": reverse("working-drafts"), "draft": reverse("working-draft", args=["KEY"])},
            "check": reverse("criteria-check"),
            "save": reverse("criteria-edit", args=[name]),
            "words": _sentences(),
        },
    }
    return render(request, "units/criteria/edit.html", context)


@require_POST
def criteria_check(request):
    """What is wrong with a text, as it is being written: nothing is stored and nothing is judged."""
    held = readers(request)
    body = told(request, text=str, name=str, district=str)
    if not may(held, (*DRAFTERS, *APPROVERS), body.get("district") or None):
        raise NotAllowed(_("Only the task-force office of the district drafts criteria."))
    found = shelf.check(body.get("text", ""), name=body.get("name", ""), district=body.get("district", ""))
    criteria = found["criteria"]
    return JsonResponse(
        {
            "faults": [_shown(one) for one in found["faults"]],
            "milliseconds": found["milliseconds"],
            "rules": len(criteria.rules) if criteria else None,
            "cases": sum(len(rule.cases) for rule in criteria.rules) if criteria else None,
        }
    )


@require_POST
def criteria_draft(request):
    """A new draft: on top of a set, or a copy of one; then its editor."""
    if not request.user.is_authenticated:
        raise NotAllowed(_("Sign in first."))
    given = request.POST
    try:
        name = given.get("name", "").strip()
        base = given.get("base", "")
        how = {"copy_of": base} if given.get("how") == "copy" else {"parent": base}
        row = shelf.draft(
            name,
            district=given.get("district", ""),
            by=request.user,
            reason=given.get("reason", ""),
            title=given.get("title", "").strip(),
            **how,
        )
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return _list(request, error)
    return HttpResponseRedirect(reverse("criteria-edit", args=[row.name]))


@require_POST
def criteria_act(request, name: str):
    """Approve, retire or discard a set; what is refused is told on its page."""
    held = readers(request)
    shelf.seen(name, held)
    given = request.POST
    act = given.get("act", "")
    version = required_version(request, given.get("version"))
    try:
        if act == "approve":
            document = {key: given.get(key, "").strip() for key in ("title", "number", "issuer")}
            if given.get("dated"):
                document["dated"] = parse_day(given["dated"])
            confirm(request, given.get("otp", ""))
            shelf.approve(name, by=request.user, document=document, reason=given.get("reason", ""), version=version)
            messages.success(request, _("The set is approved; its text never changes again."))
        elif act == "retire":
            shelf.retire(name, by=request.user, reason=given.get("reason", ""), version=version)
            messages.success(request, _("The set is retired; it stays readable."))
        elif act == "discard":
            shelf.discard(name, by=request.user, version=version)
            messages.success(request, _("The draft was deleted."))
            return HttpResponseRedirect(reverse("criteria"))
        else:
            raise UnknownName(act[:40], ("approve", "retire", "discard"), _("action"))
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return _set(request, name, error, refused_status(request, error) if isinstance(error, Stale) else 200)
    return HttpResponseRedirect(reverse("criteria-set", args=[name]))


def readers(request) -> tuple[Grant, ...]:
    held = grants(request)
    if not sees_criteria(held):
        raise NotAllowed(
            _("Criteria are open to the departments that work on them."), _("Sign in with an account of one of them.")
        )
    return held


def sees_criteria(held: tuple[Grant, ...]) -> bool:
    return not view(held, "criteria", ()).rows.never


def _places(held: tuple[Grant, ...], roles: tuple[Role, ...]) -> list[District]:
    return [one for one in District.objects.order_by("code") if any(_covers(grant, one, roles) for grant in held)]


def _covers(grant: Grant, district: District, roles: tuple[Role, ...]) -> bool:
    place = grant.district or (grant.street[:6] if grant.street else None)
    return grant.role in roles and place in (None, district.code)


def _district(code: str | None, held: tuple[Grant, ...], text: CriteriaText | None) -> District | None:
    """Where hits are counted: the district that is named, that of the set, else the first the reader has."""
    places = {one.code: one for one in _places(held, tuple(Role))}
    if code and code not in places:
        raise UnknownName(code[:20], places, _("district"))
    wanted = code or (text.district_id if text else None)
    return places.get(wanted) or next(iter(places.values()), None)


def _shown(fault: dict) -> dict:
    return {key: fault.get(key) for key in ("line", "column", "at", "rule", "key", "message", "hint", "meant", "place")}


def _words(text: CriteriaText) -> list[dict]:
    """What may stand in a condition, with what each means: measures, and the parameters of the set."""
    words = [
        {
            "name": one.name,
            "title": str(one.title),
            "uom": uom_title(one.uom),
            "definition": str(one.definition),
            "source": str(SOURCE_TITLES.get(one.source, one.source)),
        }
        for one in MEASURES.values()
    ]
    try:
        params = (
            sets.load(text.name if not text.faults else text.parent).params if text.parent or not text.faults else {}
        )
    except (CriteriaError, UnknownName):
        params = {}
    words += [
        {"name": name, "title": one.note, "uom": uom_title(one.uom), "definition": one.note, "source": _("parameter")}
        for name, one in params.items()
    ]
    return words


def _sentences() -> dict[str, str]:
    """What the editor's script says."""
    return {
        "checking": _("Checking …"),
        "clean": _("No fault. {rules} rules, {cases} cases proved in {ms} ms."),
        "faults": _("{count} faults"),
        "line": _("line {line}, column {column}"),
        "meant": _("Write “{meant}”"),
        "saved": _("Saved as version {version}."),
        "savedFaulty": _("Saved as version {version}, with its faults."),
        "unsaved": _("Not saved yet."),
        "threeWay": _("What it was, mine and theirs"),
        "threeField": _("Field"),
        "threeBase": _("Before"),
        "threeMine": _("Mine"),
        "takeMine": _("{field}: take mine"),
        "takeTheirs": _("{field}: take what {who} saved"),
        "threeHow": _("Choose what is saved. Only the lines that were changed are shown."),
        "threeSave": _("Save what is chosen"),
        "threeChoose": _("Choose for “{field}” first."),
        "fieldText": _("Text of the set"),
        "textBase": _("as both began"),
        "theirsTaken": _("Their text stands in the editor."),
        "mineBack": _("Bring mine back"),
        "keptHere": _("The server does not answer. Go on: what you type is kept in this browser."),
        "keptText": _("A text of yours was not saved ({when})."),
        "keptResume": _("Put it back"),
        "keptForget": _("Throw it away"),
        "noAnswer": _("The server does not answer. Try again soon."),
        "signInAgain": _("You are signed out. Sign in again in the other window that opens; your work stays here."),
    }
