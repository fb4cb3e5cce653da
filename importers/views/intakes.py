"""One upload: its page, what is told of it while it is worked on, and the verbs that are asked of its layers."""

from functools import cache

import pyproj
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from importers import jobs
from importers.frames import offered
from importers.intake import confirm, discard, earlier, look_again, preview, settle, stop
from importers.models import Intake, IntakeLayer, MappingTemplate
from importers.profiles import profile, told
from importers.sniffing_encoding import PYTHON
from importers.views import seeing
from importers.views.words import import_words
from units.errors import UsageError
from units.models import Delivery, Survey
from units.rights import imports
from units.views import body
from units.views.asking import only
from units.views.map import START

State = IntakeLayer.State
LONGEST = 200  # letters of the name of an encoding or a reference system
FIRST_ZONE, LAST_ZONE = 25, 45  # of 3 degrees
# Of each datum, the EPSG codes of zone 25 with the zone before the easting, and of the meridian 75° without it.
DATUMS = ((4513, 4534), (2349, 2370), (2401, 2422))
GEOGRAPHIC = (4490, 4326, 4610, 4214)


@require_http_methods(["GET", "HEAD", "DELETE"])
@ensure_csrf_cookie
@cache_control(private=True, no_store=True)
def intake_page(request, number):
    """The page of an upload; DELETE discards it."""
    only(request)
    found = seeing.intake(request, number)
    if request.method == "DELETE":
        discard(found)
        return HttpResponse(status=204)
    base = reverse("intake", args=[number])
    context = {
        "intake": found,
        "told": {
            "language": get_language(),
            "words": import_words(),
            "signIn": reverse("login"),
            "json": reverse("intake-json", args=[number]),
            "base": base,
            "import": reverse("import"),
            "deliveries": reverse("deliveries"),
            "mappings": reverse("mappings-json"),
            "places": reverse("map-places"),
            "start": START,
        },
    }
    return render(request, "importers/intake.html", context)


@require_safe
@cache_control(private=True, no_store=True)
def intake_json(request, number):
    """Everything that is known of an upload, as of now."""
    only(request)
    return JsonResponse(_told(request, seeing.intake(request, number)))


@require_POST
def preview_json(request, number):
    """Have one layer gone through as it would be taken: 202 with the layer."""
    only(request)
    asked = body.told(
        request, layer=int, profile=str, encoding=str, crs=str, mapping=dict, replace=bool, template=int, supplement=int
    )
    layer = seeing.layer(request, number, _number(asked))
    name = profile(asked.get("profile", "")).name
    seeing.allowed(seeing.importer(request), layer.intake.district_id, name)
    for text in ("encoding", "crs"):
        if len(asked.get(text, "")) > LONGEST or "\0" in asked.get(text, ""):
            raise UsageError(_("“%(name)s” is not what it should be.") % {"name": text})
    how = {
        "profile": name,
        "encoding": asked.get("encoding", "").strip(),
        "crs": asked.get("crs", "").strip(),
        "mapping": asked.get("mapping"),
        "replace": asked.get("replace", False),
        "template": asked.get("template"),
        "supplement": seeing.delivery(request, asked["supplement"]).pk if "supplement" in asked else None,
    }
    return _layer(request, preview(layer, how, request.user))


@require_POST
def confirm_json(request, number):
    """Have one layer taken in as it was previewed: 202 with the layer, 409 where it was not or is out of date.

    `preview` is the one that whoever confirms has before his eyes.
    """
    only(request)
    asked = body.told(request, layer=int, preview=str)
    layer = seeing.layer(request, number, _number(asked))
    if layer.asked:
        seeing.allowed(seeing.importer(request), layer.intake.district_id, layer.asked["profile"])
    return _layer(request, confirm(layer, request.user, asked.get("preview")))


@require_POST
def stop_json(request, number):
    """Ask the job at work on a layer to stop: 202 with the layer."""
    only(request)
    return _layer(request, stop(seeing.layer(request, number, _number(body.told(request, layer=int)))))


@require_POST
def again_json(request, number):
    """Have the files of an upload looked at again, where that failed or was interrupted: 202."""
    only(request)
    body.told(request)
    found = seeing.intake(request, number)
    settle(found)
    look_again(found)
    found.refresh_from_db()
    return JsonResponse(_told(request, found), status=202)


def _number(asked: dict) -> int:
    if "layer" not in asked:
        raise UsageError(_("The request says of no layer."), _("Send its number as “layer”."))
    return asked["layer"]


def _layer(request, layer: IntakeLayer) -> JsonResponse:
    told_all = _told(request, seeing.intake(request, layer.intake_id))
    return JsonResponse(next(one for one in told_all["layers"] if one["number"] == layer.number), status=202)


def _told(request, intake: Intake) -> dict:
    held = seeing.importer(request)
    layers = settle(intake)
    district = intake.district
    for one in layers:
        one.intake = intake
    layers = [one for one in layers if seeing.shown(one, held, request.user)]
    before = earlier(layers, district.pk)
    survey = Survey.objects.filter(district=district, year=intake.year).first()
    profiles = imports(held, district.pk)
    held_already: dict[str, list[int]] = {}
    for pk, name in (
        Delivery.objects.filter(survey=survey, state=Delivery.State.LOADED).order_by("-pk").values_list("pk", "profile")
    ):
        held_already.setdefault(name, []).append(pk)
    return {
        "id": str(intake.pk),
        "state": intake.state,
        "error": intake.error,
        "progress": intake.progress,
        "files": [{"name": one["name"], "size": one["size"]} for one in intake.files],
        "sha256": intake.sha256,
        "district": {"code": district.code, "name": district.name},
        "survey": intake.year,
        "survey_state": survey and survey.state,
        "may_change": survey is None or survey.state == Survey.State.LOADED,
        "by": _name(intake.by),
        "received_at": intake.received_at.isoformat(),
        "notes": intake.notes,
        "worker": jobs.workers() > 0,
        "layers": [
            _told_layer(one, before.get(one.told.get("sha256"), []), held_already.get(one.recognised, []))
            for one in layers
        ],
        "profiles": [one for one in told() if one["name"] in profiles],
        "encodings": list(PYTHON)[:3],
        "systems": systems(district.srid),
        "frames": offered(),
    }


def _told_layer(layer: IntakeLayer, before: list, held: list[int]) -> dict:
    verdicts = {name: value for name, value in layer.told.items() if name not in ("name", "place", "sha256")}
    columns = [one["name"] for one in layer.told.get("columns", ())]
    templates = []
    if layer.recognised and columns:
        offered = MappingTemplate.objects.offered(layer.recognised, columns, layer.intake.district_id)
        templates = [{"id": one.pk, "name": one.name, "mapping": one.mapping} for one in offered]
    return {
        "number": layer.number,
        "file": layer.file,
        "place": layer.place,
        "name": layer.name,
        "unreadable": None,
        **verdicts,
        "templates": templates,
        "state": layer.told_state,
        "asked": layer.asked,
        "may_confirm": layer.basis is not None and layer.state in (State.PREVIEWED, State.INTERRUPTED),
        "progress": layer.progress,
        "result": layer.result,
        "error": layer.error,
        "delivery": layer.delivery_id,
        "preview": str(layer.preview) if layer.preview and layer.basis is not None else None,
        "completes": held,  # deliveries of the profile into this survey, which the layer may complete
        "earlier": [
            {
                "id": one.pk,
                "layer": one.layer,
                "survey": one.survey.year,
                "state": one.state,
                "imported_at": one.imported_at.isoformat(),
            }
            for one in before
            if one.layer == layer.place[:255]
        ],
    }


def _name(user) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


@cache
def systems(srid: int) -> list[dict]:
    """{epsg, title} of the reference systems that a delivery for a district of this zone is likely to be in."""
    zone = FIRST_ZONE + srid - (DATUMS[0][0] if srid < DATUMS[0][1] else DATUMS[0][1])
    near = [one for one in (zone, zone - 1, zone + 1) if FIRST_ZONE <= one <= LAST_ZONE]
    codes = [first + one - FIRST_ZONE for pair in DATUMS for one in near for first in pair]
    codes = [*codes[: 2 * len(near)], *GEOGRAPHIC, *codes[2 * len(near) :]]
    return [{"epsg": code, "title": pyproj.CRS.from_epsg(code).name} for code in codes]
