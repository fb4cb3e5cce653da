"""The repairs that were proposed for a delivery: look at them, agree or not, and have them taken."""

from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from importers.consenting import accept, accept_all, decline, proposals
from importers.intake import retake, settle_retake
from importers.models import Repair
from importers.picturing import picture
from importers.views import seeing
from units.errors import NotFound, UsageError
from units.views import body
from units.views.asking import only

MOST = 100_000  # proposals decided upon at once


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_store=True)
def repairs_json(request, number):
    """What was proposed for the rows of a delivery; POST {accept: [ids] or "all"} or {decline: [ids]} decides.

    What was agreed to is taken by a job: 202, and `job` says how far it is.
    """
    only(request)
    found = seeing.delivery(request, number)
    if request.method != "POST":
        return JsonResponse(_told(found))
    given = body.told(request, accept=(list, str), decline=list)
    if len(given) != 1:
        raise UsageError(_("Repairs are accepted or declined."), _("Send one of the two: “accept” or “decline”."))
    if "decline" in given:
        decline(_ids(found, given["decline"]), request.user)
        return JsonResponse(_told(found))
    with transaction.atomic():  # where the file cannot be taken just now, nothing is agreed to either
        if given["accept"] == "all":
            accept_all(found, request.user)
        else:
            accept(_ids(found, given["accept"]), request.user)
        retake(found, request.user)
    return JsonResponse(_told(found), status=202)


@require_safe
@cache_control(private=True, no_store=True)
def repair_picture(request, number, which):
    """One proposal, before and after, as SVG."""
    only(request)
    found = seeing.delivery(request, number)
    repair = Repair.objects.filter(delivery=found, pk=which).first() if which < 2**63 else None
    if repair is None:
        raise NotFound(_("There is no such repair in this delivery."), _("Look at the list of its repairs."))
    response = HttpResponse(picture(repair), content_type="image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _told(delivery) -> dict:
    listed = proposals(delivery)
    job = settle_retake(delivery)
    return {
        "repairs": listed,
        "total": len(listed),
        "waiting": sum(one["state"] == Repair.State.PROPOSED for one in listed),
        "job": job.progress if job and job.running else None,
        "error": job.error if job else None,
        "delivery": job.made_id if job else None,
    }


def _ids(delivery, given) -> list[int]:
    """The numbers that were sent, each of a proposal of this delivery."""
    if not isinstance(given, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in given):
        raise UsageError(_("Repairs are named by their numbers."), _("Send a list of them, or “all”."))
    if not 0 < len(given) <= MOST:
        raise UsageError(_("From 1 to %(most)d repairs are decided upon at once.") % {"most": MOST})
    own = set(
        Repair.objects.filter(delivery=delivery, pk__in=[one for one in given if 0 < one < 2**63]).values_list(
            "pk", flat=True
        )
    )
    if unknown := sorted(set(given) - own):
        raise NotFound(
            _("There is no repair %(number)d in this delivery.") % {"number": unknown[0]},
            _("Look at the list of its repairs."),
        )
    return given
