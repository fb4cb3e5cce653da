"""What a page asks while somebody works at it: who else has it open, and drafts that are kept."""

import re

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from units import conflicting, keeping, leasing
from units.errors import NotAllowed, UsageError
from units.models import KeptDraft
from units.views.asking import grants, only
from units.views.body import told
from units.views.conditions import required_version

VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})")


@require_http_methods(["GET", "HEAD", "POST", "DELETE"])
@cache_control(private=True, no_store=True)
def leases(request):
    """GET ?register= tells what others have open; POST {register, code} holds a lease, DELETE ends it."""
    by = _person(request)
    if request.method in ("GET", "HEAD"):
        only(request, "register")
        return JsonResponse({"leases": leasing.listed(by, _text(request.GET.get("register", "")))})
    only(request)
    given = told(request, register=str, code=str, district=str)
    words = [_text(given.get(name, "")) for name in ("register", "code", "district")]
    if request.method == "DELETE":
        leasing.leave(by, *words)
        return HttpResponse(status=204)
    return JsonResponse({"others": leasing.hold(by, *words), "seconds": leasing.LASTS.seconds})


@require_safe
@cache_control(private=True, no_store=True)
def drafts(request):
    """The drafts of one kind that are kept for whoever asks, the latest first."""
    by = _person(request)
    only(request, "kind")
    return JsonResponse({"drafts": [_told(one) for one in keeping.kept(by, _text(request.GET.get("kind", "")))]})


@require_http_methods(["PUT", "DELETE"])
@cache_control(private=True, no_store=True)
def draft(request, key: str):
    """PUT {kind, version, content} keeps a draft of one's own (version 0: a new one); DELETE throws it away."""
    by = _person(request)
    only(request)
    given = told(request, kind=str, version=int, content=dict)
    kind, version = _text(given.get("kind", "")), required_version(request, given.get("version"))
    if request.method == "DELETE":
        keeping.forget(by, kind, _text(key), version)
        return HttpResponse(status=204)
    made = keeping.keep(by, kind, _text(key), given.get("content", {}), version)
    response = JsonResponse({"key": made.key, "version": made.version, "kept_at": made.kept_at.isoformat()})
    response["ETag"] = f'"{made.version}"'
    return response


@require_safe
@cache_control(private=True, no_store=True)
def unit_since(request, code: str):
    """What a unit was in `?version=edition.version`, and what it is now: for who had that one before him."""
    _person(request)
    only(request, "version", "district")
    match = VERSION.fullmatch(request.GET.get("version", ""))
    if match is None:
        raise UsageError(_("A version of a unit is written as edition and number: 1.3."))
    where = _text(request.GET.get("district", ""))
    return JsonResponse(conflicting.since(grants(request), _text(code), int(match[1]), int(match[2]), where))


def _told(one: KeptDraft) -> dict:
    return {"key": one.key, "version": one.version, "kept_at": one.kept_at.isoformat(), "content": one.content}


def _person(request):
    if not request.user.is_authenticated:
        raise NotAllowed(_("Sign in first."))
    return request.user


def _text(text: str) -> str:
    """A text as the database can be asked for it."""
    return text if text.isprintable() else "?"
