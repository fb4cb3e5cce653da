"""The survey form of one subject: filled field by field, confirmed or returned, with its papers."""

import json
from urllib.parse import quote

from django.core.exceptions import RequestDataTooBig
from django.http import FileResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST

from units import attaching, campaigning, records
from units.errors import GeoinvError, NotAllowed, NotFound, UnknownName, UsageError
from units.models import Department, Determination, Document, FactSheet
from units.views.asking import only
from units.views.body import told
from units.views.campaigns import readers
from units.views.conditions import refused_status, required_version
from units.views.findings import parse_day

STEPS = ("submit", "confirm", "return", "assign")
# What a kept file may do in a browser: nothing.
INERT = "default-src 'none'; sandbox"


@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def form(request, number: int):
    """The page; a POST of {version, values} fills cells: what changed, or 403, 409, 422 with what stands against it."""
    held = readers(request)
    only(request)
    sheet = campaigning.sheet_of(number, held)
    if request.method != "POST":
        return _page(request, sheet, held)
    given = told(request, version=int, values=dict)
    version = required_version(request, given.get("version"))
    changed = campaigning.fill(sheet, given.get("values", {}), request.user, version)
    return JsonResponse({"changed": changed, "version": sheet.version, "state": sheet.state})


@require_POST
@cache_control(private=True, no_store=True)
def form_step(request, number: int):
    """Submit, confirm or return a group, or ask another department; then the page again."""
    held = readers(request)
    sheet = campaigning.sheet_of(number, held)
    step, given = request.POST.get("step", ""), request.POST
    if step not in STEPS:
        raise UnknownName(step[:40], STEPS, _("step"))
    version, comment = required_version(request, given.get("version")), given.get("comment", "")
    try:
        if step == "submit":
            campaigning.submit(sheet, request.user, comment, version)
        elif step == "confirm":
            campaigning.confirm(sheet, given.get("group", ""), request.user, comment, version)
        elif step == "return":
            campaigning.send_back(sheet, given.get("group", ""), request.user, comment, version)
        else:
            due = given.get("due_on", "").strip()
            campaigning.assign(
                sheet,
                given.get("department", ""),
                given.getlist("groups"),
                request.user,
                reason=given.get("reason", ""),
                due_on=parse_day(due) if due else None,
                version=version,
            )
    except (NotAllowed, NotFound):
        raise
    except GeoinvError as error:
        return _page(request, campaigning.sheet_of(number, held), held, error, refused_status(request, error))
    return HttpResponseRedirect(reverse("form", args=[number]))


@require_POST
@cache_control(private=True, no_store=True)
def form_papers(request, number: int):
    """A photo or paper put to the form, or with `take_away` taken from it; then the page again."""
    held = readers(request)
    sheet = campaigning.sheet_of(number, held)
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > attaching.LARGEST + 100_000:
            raise attaching.too_large()
        if request.POST.get("take_away", "").isdecimal():
            attaching.take_away(sheet, int(request.POST["take_away"]), request.user)
        else:
            sent = request.FILES.get("file")
            if sent is None:
                raise UsageError(_("No file was sent."), _("Choose a photo or a PDF."))
            given = request.POST
            attaching.attach(
                sheet,
                sent.name,
                sent.read(attaching.LARGEST + 1),
                request.user,
                title=given.get("title", ""),
                cell=given.get("cell", ""),
            )
    except (NotAllowed, NotFound, RequestDataTooBig):
        raise
    except GeoinvError as error:
        return _page(request, sheet, held, error, 422)
    return HttpResponseRedirect(reverse("form", args=[number]) + "#papers")


@require_http_methods(["GET", "HEAD"])
@cache_control(private=True, no_store=True)
def form_paper(request, number: int, paper: int):
    """One paper, as a file to keep: never shown in a page of ours, never run."""
    held = readers(request)
    return as_file(attaching.paper_of(campaigning.sheet_of(number, held), paper, held).document)


def as_file(document: Document) -> FileResponse:
    """A kept paper or photo as an attachment that no browser runs."""
    response = FileResponse(document.file.open("rb"), content_type=document.media_type)
    ending = document.file.name.rpartition(".")[2]
    name = attaching.plain(document.title).removesuffix(f".{ending}") + f".{ending}"
    plain_name = f'filename="{document.sha256[:12]}.{ending}"'
    response["Content-Disposition"] = f"attachment; {plain_name}; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = INERT
    return response


def _page(request, sheet: FactSheet, held, refused=None, status=200):
    read = campaigning.reading(sheet, held)
    for group in read["groups"]:
        for one in group["cells"]:
            one["when"] = json.dumps(one["when"]) if one["when"] else ""
        group["plain"] = [one for one in group["cells"] if not one["part"]]
        parts: dict[int, dict] = {}
        for one in group["cells"]:
            if one["part"]:
                part = parts.setdefault((one["each"], one["part"]["id"]), {"name": one["part"]["name"], "cells": []})
                part["cells"].append(one)
        group["parts"] = list(parts.values())
        group["confirming"] = read["may"]["confirm"] and any(
            one["mine"] and one["verdict"] != "confirmed" for one in group["tasks"]
        )
    cells = {one["cell"]: one for group in read["groups"] for one in group["cells"]}
    whose: dict[str, dict] = {}
    for gap in read["missing"]:
        told_first = {"name": gap["owner_name"], "mine": cells[gap["cell"]]["mine"], "gaps": []}
        owner = whose.setdefault(gap["owner"], told_first)
        owner["gaps"].append(gap)
    asked = {one["department"] for one in read["tasks"]}
    context = {
        "form": read,
        "sheet": sheet,
        "subject": sheet.subject,
        "whose": sorted(whose.values(), key=lambda one: not one["mine"]),
        "writes": any(one["may_write"] for one in cells.values()),
        "papers": attaching.papers(sheet, held),
        "moves": [
            {"move": one, "to": Determination.State(one.to_state).label}
            for one in records.moves_of(sheet.determination)
        ],
        "others": [
            one
            for one in Department.objects.filter(district=sheet.determination.district_id)
            if one.code not in asked and not one.street_id
        ]
        if read["may"]["assign"]
        else [],
        "refused": refused,
        "told": {
            "kept": {"drafts": reverse("working-drafts"), "draft": reverse("working-draft", args=["KEY"])},
            "language": get_language(),
            "signIn": reverse("login"),
            "version": read["version"],
            "words": words(),
        },
    }
    return render(request, "units/form.html", context, status=status)


def words() -> dict[str, str]:
    """The sentences that the page's script says."""
    return {
        "saved": _("Saved."),
        "saving": _("Saving …"),
        "nothing": _("Nothing has changed."),
        "unsaved": _("Not saved yet: {count}"),
        "wrong": _("{count} answers cannot be taken; nothing was saved yet."),
        "threeWay": _("What it was, mine and theirs"),
        "threeField": _("Field"),
        "threeBase": _("Before"),
        "threeMine": _("Mine"),
        "takeMine": _("{field}: take mine"),
        "takeTheirs": _("{field}: take what {who} saved"),
        "threeHow": _("Choose for each field what is saved. The other stays in the history of the form."),
        "threeSave": _("Save what is chosen"),
        "threeChoose": _("Choose for “{field}” first."),
        "keptHere": _("The server does not answer. Go on: what you type is kept in this browser."),
        "keptForm": _("{count} answers of yours were not saved ({when})."),
        "keptResume": _("Put them back"),
        "keptForget": _("Throw them away"),
        "noAnswer": _("The server does not answer. Nothing is lost: try again."),
        "signInAgain": _("You are signed out. Sign in in another window, then save again."),
        "signIn": _("Sign in"),
    }
