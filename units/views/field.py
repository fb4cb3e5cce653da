"""The field desk (现场核查): what is to be looked at, nearest first, and a page for one look, made for a tablet."""

import math
import uuid
from urllib.parse import urlencode

from django.contrib.gis.db.models.functions import Distance
from django.contrib.gis.geos import Point
from django.core.exceptions import RequestDataTooBig
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_safe

from units import attaching, field_checking, photos
from units.errors import GeoinvError, NotAllowed, NotFound, UsageError
from units.explaining import seen
from units.models import Building, Determination, FieldCheck, Parcel
from units.rights import view
from units.views.asking import grants, only
from units.views.forms import as_file

PAGE = 50
PREVIEW_SECONDS = 86_400  # a photo never changes: its small picture may be kept for a day


@require_safe
@ensure_csrf_cookie
@cache_control(private=True, no_store=True)
def field_desk(request):
    """What is still under survey in the reader's places; with `lng` and `lat`, the nearest first."""
    only(request, "lng", "lat", "page", "all")
    held = _lookers(request)
    here = _here(request.GET)
    page = _page_number(request.GET.get("page", "1"))
    records = Determination.objects.filter(view(held, "determinations", ()).rows.q())
    if request.GET.get("all") != "1":
        records = field_checking.to_look_at(records)
    looked = FieldCheck.objects.filter(
        Q(parcel=OuterRef("parcel"), parcel__isnull=False) | Q(building=OuterRef("building"), building__isnull=False)
    ).order_by("-pk")
    records = records.annotate(looked_at=Subquery(looked.values("at")[:1]), saw=Subquery(looked.values("verdict")[:1]))
    if here is not None:
        away = Coalesce(Distance("parcel__geom", here), Distance("building__geom", here))
        records = records.annotate(away=away).order_by("away", "code")
    else:
        records = records.order_by("looked_at", "code")
    total = records.aggregate(total=Count("pk"))["total"]
    start = (page - 1) * PAGE
    rows = list(records.select_related("parcel", "building", "street")[start : start + PAGE])

    def turned(number: int) -> str:
        kept = {name: request.GET[name] for name in ("lng", "lat", "all") if name in request.GET}
        return "?" + urlencode(kept | {"page": number})

    context = {
        "rows": [_row(one, here is not None) for one in rows],
        "total": total,
        "here": here,
        "all": request.GET.get("all") == "1",
        "before": turned(page - 1) if page > 1 and rows else None,
        "after": turned(page + 1) if start + len(rows) < total else None,
        "told": {"words": words()},
    }
    return render(request, "units/field.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@ensure_csrf_cookie
@cache_control(private=True, no_store=True)
def field_check(request, code: str):
    """One subject on the spot: what was seen before, and a form for what is seen now."""
    only(request)
    held = _lookers(request)
    row = seen(code, held).row
    if not field_checking.may_look(held, row.district_id, row.street_id):
        raise NotAllowed(
            _("Field checks are written by the street office, the GIS analysts and the task-force office."),
            _("Ask one of them to look."),
        )
    if request.method != "POST":
        return _page(request, row)
    try:
        made = _taken(request, code)
    except (NotAllowed, NotFound, RequestDataTooBig):
        raise
    except GeoinvError as error:
        return _page(request, row, error, 422)
    return HttpResponseRedirect(f"{reverse('field-check', args=[code])}#check-{made.pk}")


@require_safe
@cache_control(private=True, no_store=True)
def field_photo(request, number: int):
    """A photo as it was taken, as a file to keep."""
    only(request)
    return as_file(field_checking.photo(number, _readers(request)).document)


@require_safe
@cache_control(private=True, max_age=PREVIEW_SECONDS)
def field_preview(request, number: int):
    """The photo small, painted anew: nothing of the file that was sent is in it but the picture."""
    only(request)
    document = field_checking.photo(number, _readers(request)).document
    with document.file.open("rb") as stored:
        made = photos.small(stored.read())
    if made is None:
        raise NotFound(_("No small picture can be made of this photo."), _("Open the photo itself."))
    return HttpResponse(made, content_type="image/jpeg", headers={"X-Content-Type-Options": "nosniff"})


def field_block(row: Parcel | Building, held) -> dict:
    """What a card says of the checks on the spot: the latest ones, and the way to write another."""
    may = field_checking.may_look(held, row.district_id, row.street_id)
    return {
        "field_checks": list(field_checking.checks(row)[:3]),
        "field_address": reverse("field-check", args=[row.code]) if may else None,
    }


def _taken(request, code: str) -> FieldCheck:
    given = request.POST
    try:
        token = uuid.UUID(given.get("token", ""))
    except ValueError as error:
        raise UsageError(_("The form is older than this page. Load it again."), _("Your note is kept.")) from error
    files = request.FILES.getlist("photos")
    return field_checking.look(
        code,
        request.user,
        token,
        verdict=given.get("verdict", ""),
        note=given.get("note", ""),
        position=_position(given),
        accuracy_m=_number(given.get("accuracy", "")),
        files=((one.name, one.read(attaching.LARGEST + 1)) for one in files),
    )


def _page(request, row: Parcel | Building, refused=None, status=200):
    given = request.POST if refused else {}
    context = {
        "row": row,
        "kind": "building" if isinstance(row, Building) else "parcel",
        "place": row.name if isinstance(row, Building) else row.address,
        "centre": row.geom.point_on_surface.coords,
        "checks": field_checking.checks(row),
        "verdicts": FieldCheck.Verdict.choices,
        "given": given,
        "token": given.get("token") or uuid.uuid4(),
        "refused": refused,
        "most": field_checking.MOST_PHOTOS,
        "told": {"words": words()},
    }
    return render(request, "units/field_check.html", context, status=status)


def _row(record: Determination, measured: bool) -> dict:
    subject = record.parcel or record.building
    return {
        "record": record,
        "code": subject.code,
        "place": record.parcel.address if record.parcel_id else record.building.name,
        "away": _away(record.away.m) if measured and record.away is not None else "",
        "saw": FieldCheck.Verdict(record.saw).label if record.saw else "",
    }


def _away(metres: float) -> str:
    if metres < 1:
        return _("here")
    if metres < 1000:
        return ngettext("%(metres)d metre away", "%(metres)d metres away", round(metres)) % {"metres": round(metres)}
    return _("%(kilometres).1f km away") % {"kilometres": metres / 1000}


def _lookers(request):
    """The grants of whoever may write checks somewhere; NotAllowed, which asks nobody signed in to sign in."""
    held = grants(request)
    if not any(one.role in field_checking.LOOKERS for one in held):
        raise NotAllowed(
            _("Field checks are written by the street office, the GIS analysts and the task-force office."),
            _("Ask one of them to look."),
        )
    return held


def _readers(request):
    held = grants(request)
    if view(held, "determinations", ()).rows.never:
        raise NotAllowed(_("Photos of field checks are open to the departments that work on them."))
    return held


def _here(query) -> Point | None:
    if "lng" not in query and "lat" not in query:
        return None
    position = _position(query)
    if position is None:
        raise UsageError(_("A place needs both lng and lat."), _("Send both, in degrees of WGS 84."))
    return field_checking.placed(position)


def _position(given) -> tuple[float, float] | None:
    lng, lat = _number(given.get("lng", "")), _number(given.get("lat", ""))
    return None if lng is None or lat is None else (lng, lat)


def _number(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(_("“%(text)s” is no number.") % {"text": text[:40]}, _("Send degrees as 117.15."))
    return value


def _page_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 1_000_000):
        raise UsageError(_("“%(text)s” is no number of a page.") % {"text": text[:40]})
    return int(text)


def words() -> dict[str, str]:
    """The sentences that the page's script says."""
    return {
        "asking": _("Asking the device where it is …"),
        "found": _("Position known to {metres} m."),
        "away": _("{away} m from the land."),
        "noPosition": _("The device does not say where it is: {why}. The check can be sent without a position."),
        "denied": _("the page may not ask it"),
        "unavailable": _("no signal"),
        "sending": _("Sending …"),
        "noAnswer": _("The server does not answer. Your note and photos stay here: try again."),
        "kept": _("The note you began here is still there."),
        "photos": _("{count} photos, {size} MB"),
        "tooLarge": _("{name} is larger than 20 MB."),
    }
