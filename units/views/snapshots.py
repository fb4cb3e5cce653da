"""Sealed sets for people: the list, one set with what became of its records, and the package that is handed up."""

import hashlib

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.errors import NotAllowed
from units.models import Determination, LegacyLand, Move, Snapshot
from units.sealing import DOWNLOADERS, READERS, again, codes_of, package, snapshot_of, visible
from units.views.asking import grants, only

LISTED = 200  # sets on the page


@require_safe
@cache_control(private=True, no_cache=True)
def snapshots(request):
    """All sets that the reader may see, the latest first."""
    only(request)
    held = _readers(request)
    rows = visible(held).select_related("district", "by", "document", "replaced_by").order_by("-pk")[:LISTED]
    return render(request, "units/snapshots.html", {"rows": rows})


@require_safe
@cache_control(private=True, no_cache=True)
def snapshot(request, district: str, register: str, number: int):
    """One set: its checksum looked at again, and what became of its records."""
    only(request)
    held = _readers(request)
    one = snapshot_of(held, _printable(district), _printable(register), number)
    codes = codes_of(one)
    model = LegacyLand if register == Snapshot.Register.LEGACY else Determination
    states = dict(model.objects.filter(district=one.district_id, code__in=codes).values_list("code", "state"))
    returned = Move.objects.filter(
        register=register, district=one.district_id, subject__in=codes, details__snapshot=number
    ).exclude(comment="")
    comments = {move.subject: move for move in returned.select_related("by").order_by("pk")}
    context = {
        "set": one,
        "rows": [
            {
                "code": code,
                "state": model.State(states[code]).label if code in states else "",
                "move": comments.get(code),
            }
            for code in codes
        ],
        "same": hashlib.sha256(again(one)).hexdigest() == one.sha256,
        "downloads": visible(held, DOWNLOADERS).filter(pk=one.pk).exists(),
        "land": "legacy-land" if register == Snapshot.Register.LEGACY else "determination",
    }
    return render(request, "units/snapshot.html", context)


@require_safe
@cache_control(private=True, no_store=True)
def snapshot_package(request, district: str, register: str, number: int):
    """The package of a set (NK053); the same bytes each time."""
    only(request)
    held = _readers(request)
    one = snapshot_of(held, _printable(district), _printable(register), number)
    if not visible(held, DOWNLOADERS).filter(pk=one.pk).exists():
        raise NotAllowed(
            _("A sealed set holds what is closed to your role."), _("Its page tells what was sealed, and the checksum.")
        )
    response = HttpResponse(package(one), content_type="application/zip")
    name = f"{one.district_id}-{one.register}-{one.number}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _readers(request):
    held = grants(request)
    if not any(one.role in READERS and one.street is None for one in held):
        raise NotAllowed(
            _("Sealed sets are open to those who make, consent to and review them."),
            _("Sign in with an account of one of them."),
        )
    return held


def _printable(text: str) -> str:
    return text if text.isprintable() else "?"
