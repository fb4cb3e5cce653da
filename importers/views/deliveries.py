"""The deliveries that were taken in: their list, the report of one, and taking one back."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from importers import faults
from importers.handing_back import XLSX
from importers.models import IntakeLayer, Repair
from importers.problems import KINDS
from importers.profiles import profiles
from importers.undoing import blockers, undo
from importers.views import seeing
from importers.views.words import import_words
from units.errors import NotFound, UsageError
from units.models import Delivery, Finding
from units.rights import sees_figures
from units.views import body
from units.views.asking import only
from units.views.map import START

PAGE = 50  # deliveries
PROBLEMS = 100  # on a page of them
FILTERS = ("district", "survey", "profile")
COUNTS = ("rows", "taken", "changed", "unchanged", "refused", "deleted", "gone")


@require_safe
@cache_control(private=True, no_store=True)
def deliveries(request):
    """The list, the newest first, filtered, a page at a time."""
    only(request, *FILTERS, "page")
    seen = seeing.deliveries(seeing.importer(request)).order_by("-pk")
    chosen = {name: request.GET.get(name, "").strip() for name in FILTERS}
    listed = seen
    if chosen["district"]:
        listed = listed.filter(district=plain(chosen["district"]))
    if chosen["survey"]:
        listed = listed.filter(survey__year=natural("survey", chosen["survey"]))
    if chosen["profile"]:
        listed = listed.filter(profile=plain(chosen["profile"]))
    pages = Paginator(listed, PAGE)
    page = pages.get_page(natural("page", request.GET.get("page", "1")))

    def address(number: int) -> str:
        return "?" + urlencode({**{name: value for name, value in chosen.items() if value}, "page": number})

    bare = seen.order_by()
    context = {
        "deliveries": page.object_list,
        "filters": {
            "district": [
                {"value": code, "title": name}
                for code, name in bare.values_list("district", "district__name").distinct().order_by("district")
            ],
            "survey": [
                {"value": year, "title": year}
                for year in bare.values_list("survey__year", flat=True).distinct().order_by("-survey__year")
            ],
            "profile": [
                {"value": name, "title": title(name)}
                for name in bare.values_list("profile", flat=True).distinct().order_by("profile")
            ],
        },
        "chosen": chosen,
        "total": pages.count,
        "first": page.start_index(),
        "last": page.end_index(),
        "before": address(page.previous_page_number()) if page.has_previous() else None,
        "after": address(page.next_page_number()) if page.has_next() else None,
    }
    return render(request, "importers/deliveries.html", context)


@require_safe
@ensure_csrf_cookie
@cache_control(private=True, no_store=True)
def delivery_page(request, number):
    """The report of one delivery."""
    only(request)
    found = seeing.delivery(request, number)
    context = {
        "delivery": found,
        "told": {
            "language": get_language(),
            "words": import_words(),
            "signIn": reverse("login"),
            "json": reverse("delivery-json", args=[number]),
            "base": reverse("delivery", args=[number]),
            "import": reverse("import"),
            "places": reverse("map-places"),
            "start": START,
        },
    }
    return render(request, "importers/delivery.html", context)


@require_safe
@cache_control(private=True, no_store=True)
def delivery_json(request, number):
    """Everything that is known of one delivery."""
    only(request)
    found = seeing.delivery(request, number)
    layer = IntakeLayer.objects.filter(delivery=found).order_by("pk").first()
    result = (layer and layer.result) or {}
    return JsonResponse(
        {
            "id": found.pk,
            "state": found.state,
            "file": found.file_name,
            "sha256": found.sha256,
            "size": found.size,
            "layer": found.layer,
            "profile": {"name": found.profile, "title": title(found.profile)},
            "district": {"code": found.district_id, "name": found.district.name},
            "survey": found.survey.year,
            "survey_state": found.survey.state,
            "by": name_of(found.imported_by),
            "imported_at": found.imported_at.isoformat(),
            "seconds": round(found.seconds, 1),
            "encoding": found.encoding,
            "crs": found.crs,
            "mapping": found.settings.get("mapping"),
            "settings": {name: value for name, value in found.settings.items() if name.endswith(("_sha256", "_given"))},
            "result": {name: getattr(found, name) for name in COUNTS},
            "delta": found.settings.get("delta") or result.get("delta"),
            "repairs": found.settings.get("repairs") or result.get("repairs"),
            "problems": groups(found),
            "warnings": found.warnings,
            "intake": str(layer.intake_id) if layer else None,
            "undo": _undoing(found),
            "waiting": Repair.objects.filter(delivery=found, state=Repair.State.PROPOSED).count(),
        }
    )


def _undoing(delivery: Delivery) -> dict:
    """Whether the delivery can be taken back, and what stands in the way."""
    if delivery.state == Delivery.State.UNDONE:
        return {"possible": False, "blockers": []}
    found = blockers(delivery.pk)
    return {"possible": not found, "blockers": found}


@require_POST
def undo_json(request, number):
    """Take a delivery back; 409 with everything that stands in the way, which `keep_edited` lets stand.

    A form without scripts sends its fields, and is shown the report again.
    """
    only(request)
    found = seeing.delivery(request, number)
    if request.content_type == "application/x-www-form-urlencoded":
        undo(found.pk, by=request.user, keep_edited="keep_edited" in request.POST)
        return HttpResponseRedirect(reverse("delivery", args=[found.pk]))
    asked = body.told(request, keep_edited=bool)
    return JsonResponse(undo(found.pk, by=request.user, keep_edited=asked.get("keep_edited", False)))


@require_safe
@cache_control(private=True, no_store=True)
def faults_workbook(request, number):
    """Every problem of a delivery, as .xlsx."""
    only(request)
    found = seeing.delivery(request, number)
    figures = sees_figures(seeing.importer(request), found.district_id)
    name = f"{found.settings.get('layer', found.layer)}_{found.pk}.xlsx"
    return attached(faults.workbook(found, figures=figures), XLSX, name)


@require_safe
@cache_control(private=True, no_store=True)
def refused_rows(request, number):
    """The rows that were not taken, as they came: a shapefile, or of a table a workbook."""
    only(request)
    found = seeing.delivery(request, number)
    if not found.refused:
        raise NotFound(_("Every row of this delivery was taken."), _("There is nothing to send back."))
    made = faults.refused(found, figures=sees_figures(seeing.importer(request), found.district_id))
    return attached(made.body, made.media_type, made.name)


@require_safe
@cache_control(private=True, no_store=True)
def delivery_problems_json(request, number):
    """The problems of a delivery, a page at a time, and how many there are of each code."""
    only(request, "code", "severity", "row", "page")
    found = seeing.delivery(request, number)
    listed = findings(found)
    if code := request.GET.get("code"):
        listed = listed.filter(code=plain(code))
    if severity := request.GET.get("severity"):
        listed = listed.filter(severity=plain(severity))
    if row := request.GET.get("row"):
        listed = listed.filter(row_number=natural("row", row))
    pages = Paginator(listed.order_by("row_number", "pk"), PROBLEMS)
    page = pages.get_page(natural("page", request.GET.get("page", "1")))
    return JsonResponse(
        {
            "total": pages.count,
            "page": page.number,
            "pages": pages.num_pages,
            "groups": groups(found),
            "problems": [problem(one) for one in page.object_list],
        }
    )


def attached(content: bytes, kind: str, name: str) -> HttpResponse:
    """A file to be kept under a name."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(
        True, "".join(c if c.isprintable() else "_" for c in name)
    )
    return response


def findings(delivery: Delivery):
    """What an import saw in a delivery; what a later delivery was told again, or resolved, is with that one."""
    return Finding.objects.filter(delivery=delivery)


def groups(delivery: Delivery) -> list[dict]:
    """How many problems there are of each code, the errors first; the sentences in the reader's language."""
    counted = (
        findings(delivery).values("code", "severity").annotate(count=Count("pk")).order_by("severity", "-count", "code")
    )
    return [
        {"code": one["code"], "severity": one["severity"], "count": one["count"], **general(one["code"])}
        for one in counted
    ]


def general(code: str) -> dict:
    """The sentence of a code with its places left open, and what to do."""
    if code not in KINDS:
        return {"sentence": code, "fix": ""}
    kind = KINDS[code]
    return {"sentence": str(kind.sentence) % {"field": _("A field"), "value": "…", "more": "…"}, "fix": str(kind.fix)}


def problem(one: Finding) -> dict:
    sentence, fix = one.in_words()
    return {
        "row_number": one.row_number,
        "key": "、".join(one.subjects),
        "code": one.code,
        "severity": one.severity,
        "field": one.details.get("field", ""),
        "value": one.details.get("value", ""),
        "sentence": sentence,
        "fix": fix,
        "point": [one.geom.x, one.geom.y] if one.geom and one.geom.geom_type == "Point" else None,
    }


def title(name: str) -> str:
    return profiles()[name].title if name in profiles() else name


def name_of(user) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def natural(name: str, text: str) -> int:
    """A parameter that is a number of at most nine digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise UsageError(_("“%(name)s” is a number.") % {"name": name})
    return int(text)


def plain(text: str) -> str:
    """A parameter as the database can be asked for it."""
    return text if text.isprintable() else "?"
