"""Redevelopment units for people and for the map: saved, edited, deleted, brought back, and told on a page."""

import re
from collections.abc import Iterable

import shapely
from django.http import JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from units import amending, budgeting, consulting, drafting, recording
from units.codes import YDYH
from units.composing import geojson, looked_at, may_draw
from units.errors import GeoinvError, NotAllowed, Outdated, Stale, UsageError
from units.geometry import flat
from units.models import Consultation, ControlArea, Department, Document, Move, RedevelopmentUnit
from units.planned import LEVELS, editions_in_force
from units.rights import may
from units.spatial import in_mu
from units.templatetags.land import use_name
from units.views.asking import grants
from units.views.body import told
from units.views.composing import drawing
from units.views.steps import unit_steps
from units.workflow import APPROVED, UNIT

MATCH = re.compile(r'(?:W/)?"(\d{1,9})\.(\d{1,9})"')  # edition and version, as the ETag of a unit says
MARGIN = 0.04  # of the longer side, around a sketch
FORM = {"name": str, "parcels": list, "geometry": dict, "snap": bool, "confirm": list}


@require_POST
@cache_control(private=True, no_store=True)
def units(request):
    """Save a new draft: 201 with its code, edition, version and address."""
    _signed_in(request)
    body = told(request, district=str, code=str, **FORM)
    unit = drafting.save(
        request.user, body.get("district", ""), body.get("name", ""), drawing(body), body.get("code", "")
    )
    response = JsonResponse(_saved(unit), status=201)
    response["Location"] = _saved(unit)["url"]
    response["ETag"] = _etag(unit)
    return response


@require_http_methods(["GET", "HEAD", "PUT", "POST", "DELETE"])
@cache_control(private=True, no_cache=True)
def unit_json(request, code: str):
    """One unit: GET it, PUT another shape or name, DELETE it, POST {restore: true} to bring it back."""
    district = request.GET.get("district", "")
    if request.method in {"GET", "HEAD"}:
        held = grants(request)
        unit = drafting.found(held, _code(code), _code(district))
        response = JsonResponse(as_told(unit, held))
        response["ETag"] = _etag(unit)
        return response
    _signed_in(request)
    try:
        unit = _changed(request, (_code(code), _code(district)))
    except Stale as error:
        if "If-Match" not in request.headers:
            raise
        raise Outdated(error.message, error.hint, **error.details) from error
    response = JsonResponse(_saved(unit))
    response["ETag"] = _etag(unit)
    return response


def _changed(request, here: tuple[str, str]) -> RedevelopmentUnit:
    """The unit (code, district) as it is after what the request does with it."""
    match request.method:
        case "PUT":
            body = told(request, version=int, **FORM)
            version = _version(request, body, *here)
            return drafting.edit(request.user, here[0], version, body.get("name"), drawing(body), here[1])
        case "DELETE":
            body = told(request, version=int, reason=str)
            version = _version(request, body, *here)
            return drafting.delete(request.user, here[0], version, body.get("reason", ""), here[1])
        case _:
            body = told(request, version=int, restore=bool)
            if body.get("restore") is not True:
                raise UsageError(_("A unit that was deleted is brought back with {restore: true}."))
            return drafting.restore(request.user, here[0], _version(request, body, *here), here[1])


@require_safe
@ensure_csrf_cookie
@cache_control(private=True, no_cache=True)
def unit_page(request, code: str):
    """The page of a unit: what it is, what it holds, what it overlaps, and what was done with it by whom."""
    held = grants(request)
    return render_unit(request, drafting.found(held, _code(code), _code(request.GET.get("district", ""))))


def render_unit(request, unit: RedevelopmentUnit, refused: GeoinvError | None = None, status: int = 200, **more):
    """The page of one edition of a unit; `refused` is told at its top, and `more` is put beside its context."""
    held = grants(request)
    shape = shapely.from_wkb(bytes(unit.geom.wkb))
    rows = amending.editions(held, unit.code, unit.district_id)
    context = {
        "unit": unit,
        "cite": request.build_absolute_uri(reverse("unit-edition", args=[unit.code, unit.edition])),
        "inside": drafting.is_inside(held, unit),
        "sketch": sketch(shape, unit.district.srid),
        "editions": rows,
        "latest": drafting.found(held, unit.code, unit.district_id).edition == unit.edition,
        "mode": _choice("mode", unit.mode),
        "refused": refused,
    }
    if context["inside"]:
        context |= _inside(unit, held) | {"turn": unit_steps(unit, held, request), "paper": _approving_paper(unit)}
    return render(request, "units/unit.html", context | more, status=status)


def _approving_paper(unit: RedevelopmentUnit) -> Document | None:
    """What the district government approved this edition by; None where it did not, or not by a move."""
    moves = Move.objects.filter(register=UNIT, subject=unit.code, district=unit.district_id, to_state=APPROVED)
    move = moves.filter(details__edition=unit.edition).select_related("document").order_by("pk").last()
    return move.document if move else None


def _choice(name: str, code: str):
    """An entry of a list of the record, or the code where the list does not have it (any more)."""
    return recording.choices(name).get(code, code)


def as_told(unit: RedevelopmentUnit, held) -> dict:
    """The unit as JSON: everything to who works with it, the public columns to everybody else."""
    shape = shapely.from_wkb(bytes(unit.geom.wkb))
    public = {
        "code": unit.code,
        "name": unit.name,
        "edition": unit.edition,
        "state": unit.state,
        "state_title": str(unit.get_state_display()),
        "mode": unit.mode,
        "district": unit.district_id,
        "district_name": unit.district.name,
        "area_m2": unit.area_m2,
        "area_mu": float(in_mu(unit.area_m2)),
        "geometry": geojson(shape),
        "url": _address(unit),
    }
    if not drafting.is_inside(held, unit):
        return public
    parcels = drafting.whole(unit)
    history = drafting.versions(unit)
    return public | {
        "version": unit.version,
        "street": unit.street_id,
        "street_name": unit.street.name if unit.street else None,
        "base_survey_year": unit.base_survey_year,
        "plan_editions": unit.plan_editions,
        "record": recording.told(unit),
        "editions": [one.edition for one in amending.editions(held, unit.code, unit.district_id)],
        "digest": unit.digest,
        "how": "parcels" if parcels else "drawn",
        "parcels": parcels,
        "members": [
            {"code": one.parcel.code, "address": one.parcel.address, "share": float(one.share)}
            for one in drafting.parcels_of(unit, held)
        ],
        "drawn_by": drafting.called(unit.created_by),
        "drawn_at": unit.created_at.isoformat(),
        "changed_by": history[0]["by"] if history else drafting.called(unit.created_by),
        "changed_at": (history[0]["at"] if history else unit.created_at).isoformat(),
        "may": drafting.may_change(held, unit),
        "versions": [one | {"at": one["at"].isoformat()} for one in history],
    }


def sketch(shape: shapely.MultiPolygon, srid: int, parcels: Iterable[shapely.Geometry] = ()) -> dict:
    """{box, unit, parcels}: the view box and the paths of a drawing in metres, north up."""
    west, south, east, north = shapely.transform(shape, lambda points: flat(points, srid)).bounds
    margin = max(east - west, north - south) * MARGIN

    def path(one: shapely.Geometry) -> str:
        told = []
        for ring in shapely.get_rings(shapely.get_parts(one)):
            points = flat(shapely.get_coordinates(ring)[:-1], srid)
            told.append("M" + "L".join(f"{x - west:.1f} {north - y:.1f}" for x, y in points.tolist()) + "Z")
        return "".join(told)

    sides = (-margin, -margin, east - west + 2 * margin, north - south + 2 * margin)
    return {
        "box": " ".join(f"{side:.1f}" for side in sides),
        "unit": path(shape),
        "parcels": [path(one) for one in parcels],
    }


def _inside(unit: RedevelopmentUnit, held) -> dict:
    kinds = dict(ControlArea.Kind.choices)
    in_force = editions_in_force(unit.district_id)
    found = looked_at(held, unit)
    now = {} if found is None else {member.code: member for member in found.members}
    members = drafting.parcels_of(unit, held)
    shape = shapely.from_wkb(bytes(unit.geom.wkb))
    outlines = [shapely.from_wkb(bytes(one.parcel.geom.wkb)) for one in members]
    return {
        "sketch": sketch(shape, unit.district.srid, outlines),
        "members": [
            {
                "code": one.parcel.code,
                "address": one.parcel.address,
                "share": one.share,
                "now": now.get(one.parcel.code),
            }
            for one in members
        ],
        "found": found,
        "steps": _steps(unit),
        "versions": drafting.versions(unit),
        "missing": recording.missing(unit),
        "record": _record(unit),
        "sums": budgeting.of_record(unit.requirements or {}, unit.incentives or []),
        "consulted": _consulted(unit, held),
        "departments": _askable(unit, held),
        "may_amend": unit.state == RedevelopmentUnit.State.APPROVED
        and may_draw(held, unit.district_id, unit.street_id),
        "opinions": Consultation.Opinion.choices,
        "tomorrow": consulting.today(),
        "may": drafting.may_change(held, unit),
        "levels": [
            {
                "title": level.label,
                "then": unit.plan_editions.get(level),
                "now": in_force.get(level),
                "planned": next((one for one in (found.planned if found else ()) if one["level"] == level), None),
            }
            for level in LEVELS
        ],
        "plans": [
            (kinds.get(kind, kind), edition) for kind, edition in unit.plan_editions.items() if kind not in LEVELS
        ],
    }


def _steps(unit: RedevelopmentUnit) -> list[dict]:
    """The states of 4.4 up to approval, and which of them the unit has passed."""
    state = RedevelopmentUnit.State
    way = (state.DRAFT, state.CHECKED, state.CONSULTED, state.APPROVED)
    now = way.index(unit.state) if unit.state in way else len(way)
    return [
        {"title": one.label, "now": number == now, "passed": number < now and unit.state != state.DELETED}
        for number, one in enumerate(way)
    ]


def _record(unit: RedevelopmentUnit) -> dict:
    """The record as people read it: names for codes, the sums beside the rows."""
    wanted = unit.requirements or {}
    return {
        "methods": [_choice("method", code) for code in unit.methods or []],
        "programmes": [_choice("programme", code) for code in unit.programmes or []],
        "plots": [
            plot | {"title": use_name(plot["use"], YDYH), "floor": budgeting.floor_of(plot)}
            for plot in wanted.get("plots") or []
        ],
        "infrastructure": [
            row | {"title": _choice("infrastructure", row["kind"])} for row in wanted.get("infrastructure") or []
        ],
        "facilities": [row | {"title": _choice("facility", row["kind"])} for row in wanted.get("facilities") or []],
        "incentives": [
            row | {"title": _choice("incentive", row["type"]), "uom_title": recording.UOMS.get(row["uom"], row["uom"])}
            for row in unit.incentives or []
        ],
        "texts": {name: wanted.get(name, "") for name in recording.TEXTS},
        "total_floor_m2": wanted.get("total_floor_m2"),
    }


def _consulted(unit: RedevelopmentUnit, held) -> list[dict]:
    """Each consultation, whether it is about what the unit says now, is open, and whether the reader may reply."""
    rows = consulting.of(unit)
    about = (unit.digest or amending.digest(unit)) if rows else ""
    told = []
    for one in rows:
        current = one.about == about
        may_reply = current and not one.opinion and unit.state == RedevelopmentUnit.State.CHECKED
        grant = consulting.role_for(held, one) if may_reply else None
        told.append(
            {
                "row": one,
                "current": current,
                "late": not one.opinion and one.due_on < consulting.today(),
                "reply": grant is not None,
                "on_paper": grant is not None and grant.role in consulting.ASKERS,
            }
        )
    return told


def _askable(unit: RedevelopmentUnit, held) -> list[Department]:
    """The departments that the reader may ask now; those that were asked about this content already are not."""
    if unit.state != RedevelopmentUnit.State.CHECKED or not may(held, consulting.ASKERS, unit.district_id):
        return []
    asked = {one.department_id for one in consulting.current(unit)}
    return list(Department.objects.filter(district=unit.district_id).exclude(pk__in=asked).order_by("street", "code"))


def _saved(unit: RedevelopmentUnit) -> dict:
    return {
        "code": unit.code,
        "edition": unit.edition,
        "version": unit.version,
        "name": unit.name,
        "state": unit.state,
        "area_m2": unit.area_m2,
        "url": _address(unit),
    }


def _address(unit: RedevelopmentUnit) -> str:
    return reverse("unit", kwargs={"code": unit.code})


def _etag(unit: RedevelopmentUnit) -> str:
    return f'"{unit.edition}.{unit.version}"'


def _version(request, body: dict, code: str, district: str) -> int | None:
    """The version that the caller has before him, by the body or by If-Match; one of another edition is never right."""
    header = request.headers.get("If-Match")
    if header is None:
        return body.get("version")
    match = MATCH.fullmatch(header.strip())
    if match is None:
        raise UsageError(_("If-Match is the ETag of the unit, in quotes."))
    unit = drafting.found(grants(request), code, district)
    return int(match[2]) if int(match[1]) == unit.edition else 0


def _code(code: str) -> str:
    """A code as the database can be asked for it."""
    return code if code.isprintable() else "?"


def _signed_in(request) -> None:
    if not request.user.is_authenticated:
        raise NotAllowed(_("Sign in first."))
