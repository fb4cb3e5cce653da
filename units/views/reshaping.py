"""Answer the tools of the drawing desk: snap and trace, and split, cut out, merge and move edges, tried or saved."""

import math

import shapely
from django.http import JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from units import geometry, reshaping
from units.adjoining import shape_of
from units.collections import COLLECTIONS
from units.composing import MOST_VERTICES, drawing_districts, geojson, required_district
from units.cutting import ground
from units.errors import UsageError
from units.geometry import Position
from units.models import District, RedevelopmentUnit
from units.reshaping import Named, Reshaped
from units.rights import Grant
from units.snapping import Snapped, snapped
from units.spatial import rounded
from units.tracing import MOST_WAYS, traced
from units.views.asking import grants, only
from units.views.body import texts, told
from units.views.composing import plain

OPERATIONS = ("split", "cut_out", "union", "move_edge")  # on shapes that are not saved
STEPS = ("split", "cut_out", "merge", "move_edge", "undo")  # on units
LATEST = 50  # operations that are listed
MILLIMETRES = 3  # decimals of a metre that are told


# --- vertices ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_store=True)
def snap(request):
    """{at, kind, code, metres} of one point: the parcel's corner or edge it goes onto on saving. POST: of many."""
    held = _drawer(request)
    if request.method == "POST":
        body = told(request, district=str, points=list)
        place = _place(held, body.get("district", ""))
        points = _positions(body.get("points"))
        return JsonResponse({"points": [_told(one) for one in snapped(held, place, points)]})
    only(request, "district", "lng", "lat")
    place = _place(held, request.GET.get("district", ""))
    try:
        point = float(request.GET.get("lng", "")), float(request.GET.get("lat", ""))
    except ValueError:
        point = (math.nan, math.nan)
    if not all(map(math.isfinite, point)):
        raise UsageError(_("Say which point: “lng” and “lat”, in degrees."))
    return JsonResponse(_told(snapped(held, place, [point])[0]))


def _told(one: Snapped) -> dict:
    return {
        "at": list(one.at),
        "kind": one.kind,
        "code": one.code,
        "metres": float(rounded(f"{one.metres:.9f}", MILLIMETRES)),
    }


@require_POST
@cache_control(private=True, no_store=True)
def trace(request):
    """{ways: [{line, metres}], sentence}: along parcels' edges from one point to another, the shortest first."""
    held = _drawer(request)
    body = told(request, district=str, **{"from": list, "to": list}, ways=int)
    place = _place(held, body.get("district", ""))
    start, end = _positions([body.get("from"), body.get("to")])
    found = traced(held, place, start, end, max(1, min(body.get("ways", 2), MOST_WAYS)))
    return JsonResponse(
        {
            "ways": [
                {
                    "line": {"type": "LineString", "coordinates": [list(one) for one in way.line]},
                    "metres": float(rounded(f"{way.metres:.9f}", MILLIMETRES)),
                }
                for way in found
            ],
            "sentence": "" if found else _("No edges of parcels lead from the one point to the other."),
        }
    )


# --- shapes ------------------------------------------------------------------------------------------------------


@require_POST
@cache_control(private=True, no_store=True)
def reshape(request):
    """{pieces: [{geometry, area_m2}], area_m2_before, problems} of an operation on shapes as given; nothing stored."""
    held = _drawer(request)
    body = told(
        request,
        district=str,
        op=str,
        geometry=dict,
        geometries=list,
        line=dict,
        ring=dict,
        edge=list,
        to=list,
        snap=bool,
    )
    place = _place(held, body.get("district", ""))
    problems = []
    match body.get("op"):
        case "split":
            shapes = [_shape(body.get("geometry"))]
            pieces = reshaping.pieces_of_split(shapes[0], _line(held, place, body), place.srid)
        case "cut_out":
            shapes = [_shape(body.get("geometry"))]
            pieces = reshaping.pieces_of_cut(shapes[0], _ring(held, place, body), place.srid)
        case "union":
            shapes = _shapes(body.get("geometries"), 2)
            whole, problems = reshaping.united(shapes, place.srid)
            pieces = [whole]
        case "move_edge":
            shapes = _shapes(body.get("geometries"), 1)
            edge, to = _positions(body.get("edge")), _positions(body.get("to"))
            pieces = reshaping.pieces_moved(shapes, edge, to, place.srid)
        case _:
            raise UsageError(_("“op” is one of %(names)s.") % {"names": ", ".join(OPERATIONS)})
    return JsonResponse(
        {
            "pieces": [{"geometry": geojson(piece), "area_m2": _area(piece)} for piece in pieces],
            "area_m2_before": sum(_area(shape) for shape in shapes),
            "problems": [problem.told() for problem in problems],
        }
    )


def _area(shape: shapely.MultiPolygon) -> float:
    return float(rounded(ground(shape), MILLIMETRES))


# --- units -------------------------------------------------------------------------------------------------------


@require_POST
@cache_control(private=True, no_store=True)
def units_reshape(request):
    """{operation, kind, units, noded, gone, problems} of a step on saved units: all of it is done, or nothing."""
    held = _drawer(request)
    body = told(
        request,
        district=str,
        op=str,
        units=list,
        line=dict,
        ring=dict,
        edge=list,
        to=list,
        snap=bool,
        name=str,
        names=list,
        confirm=list,
        operation=int,
    )
    place = _place(held, body.get("district", ""))
    by, here = request.user, {"district": place.code}
    confirmed = {"confirmed": texts(body, "confirm", 100) or []}
    match body.get("op"):
        case "split":
            one = _one(body)
            names = texts(body, "names", 100) or []
            line = _line(held, place, body)
            made = reshaping.cut(by, one.code, one.version, line, edition=one.edition, names=names, **here, **confirmed)
        case "cut_out":
            one = _one(body)
            ring, name = _ring(held, place, body), body.get("name", "")
            made = reshaping.cut_out(
                by, one.code, one.version, ring, edition=one.edition, name=name, **here, **confirmed
            )
        case "merge":
            made = reshaping.merge(by, _named(body), body.get("name", ""), **here, **confirmed)
        case "move_edge":
            edge, to = _positions(body.get("edge")), _positions(body.get("to"))
            made = reshaping.move_edge(by, _named(body), edge, to, **here, **confirmed)
        case "undo":
            if body.get("operation") is None:
                raise UsageError(_("Say which operation is to be undone: “operation”."))
            made = reshaping.undo(by, body["operation"], **here)
        case _:
            raise UsageError(_("“op” is one of %(names)s.") % {"names": ", ".join(STEPS)})
    return JsonResponse(_reshaped(made, held))


def _reshaped(made: Reshaped, held) -> dict:
    nodes = RedevelopmentUnit.objects.filter(pk__in=[unit.pk for unit in made.noded])
    seen = set(nodes.filter(COLLECTIONS["units"].seen_by(held).rows.q()).values_list("pk", flat=True))
    return {
        "operation": made.operation.pk,
        "kind": made.operation.kind,
        "units": [
            {
                "code": unit.code,
                "edition": unit.edition,
                "version": unit.version,
                "name": unit.name,
                "state": unit.state,
                "area_m2": unit.area_m2,
                "url": reverse("unit", kwargs={"code": unit.code}),
                "geometry": geojson(shape_of(unit)),
            }
            for unit in made.units
        ],
        # Neighbours whose edge got a vertex, as far as they may be seen: who has one before him has a new version.
        "noded": [
            {"code": unit.code, "edition": unit.edition, "version": unit.version}
            for unit in made.noded
            if unit.pk in seen
        ],
        "gone": made.gone,
        "problems": [problem.told() for problem in made.problems],
    }


@require_safe
@cache_control(private=True, no_store=True)
def reshapings(request):
    """{operations: […]} of a district, the latest first: what was done by whom, and whether it can be undone."""
    held = _drawer(request)
    only(request, "district")
    place = _place(held, request.GET.get("district", ""))
    return JsonResponse({"operations": reshaping.latest(held, place.code, LATEST)})


# --- reading what is asked ---------------------------------------------------------------------------------------


def _drawer(request) -> tuple[Grant, ...]:
    """The grants of whoever asks, who draws somewhere; NotAllowed before anything else that he sends is looked at."""
    held = grants(request)
    if not drawing_districts(held):
        required_district(held, "")
    return held


def _place(held: tuple[Grant, ...], code: str) -> District:
    """The district that is named, when these grants draw somewhere in it."""
    if not code:
        raise UsageError(_("Say which district: its code of six digits."))
    return required_district(held, plain(code))


def _one(body: dict) -> Named:
    named = _named(body)
    if len(named) != 1:
        raise UsageError(_("This is done to one unit at a time."))
    return named[0]


def _named(body: dict) -> list[Named]:
    units = body.get("units") or []
    named = []
    for one in units:
        kinds = {"code": str, "version": int, "edition": int}
        if not isinstance(one, dict) or not set(one) <= set(kinds):
            raise UsageError(_("“units” is a list of {code, version, edition}."))
        if any(not isinstance(one[name], kinds[name]) or isinstance(one[name], bool) for name in one):
            raise UsageError(_("“units” is a list of {code, version, edition}."))
        named.append(Named(plain(one.get("code", "")), one.get("version"), one.get("edition")))
    if not named:
        raise UsageError(_("“units” is a list of {code, version, edition}."))
    return named


def _positions(value) -> list[Position]:
    """A list of [longitude, latitude] as pairs of numbers."""
    try:
        ((found,),) = geometry.rings_of({"type": "Polygon", "coordinates": [value]}, MOST_VERTICES)
    except geometry.Malformed as error:
        if error.reason == "vertices":
            raise UsageError(_("At most %(most)d points are taken at once.") % {"most": MOST_VERTICES}) from None
        raise UsageError(_("Points are pairs of finite numbers: longitude and latitude in degrees.")) from None
    return found


def _shape(value) -> shapely.MultiPolygon:
    """A shape as drawn, valid; UsageError else."""
    try:
        shape, faults = geometry.polygons(geometry.rings_of(value, MOST_VERTICES))
    except geometry.Malformed:
        raise UsageError(_("A unit's shape is a GeoJSON Polygon or MultiPolygon."), code="geometry") from None
    if faults:
        raise UsageError(
            _("A shape is not closed, or crosses itself, or lies outside China."),
            _("Put it right first: the panel says where."),
            code="geometry",
        )
    return shape


def _shapes(values, least: int) -> list[shapely.MultiPolygon]:
    if not isinstance(values, list) or not least <= len(values) <= reshaping.MOST_UNITS:
        raise UsageError(
            _("“geometries” is a list of %(least)d to %(most)d shapes.")
            % {"least": least, "most": reshaping.MOST_UNITS}
        )
    return [_shape(value) for value in values]


def _line(held, place: District, body: dict) -> list[Position]:
    line = body.get("line") or {}
    if line.get("type") != "LineString":
        raise UsageError(_("“line” is a GeoJSON LineString."))
    return _snapped(held, place, body, _positions(line.get("coordinates")))


def _ring(held, place: District, body: dict) -> list[Position]:
    ring = body.get("ring") or {}
    coordinates = ring.get("coordinates")
    if ring.get("type") != "Polygon" or not isinstance(coordinates, list) or len(coordinates) != 1:
        raise UsageError(_("“ring” is a GeoJSON Polygon of one ring."))
    return _snapped(held, place, body, _positions(coordinates[0]))


def _snapped(held, place: District, body: dict, line: list[Position]) -> list[Position]:
    return reshaping.snapped_line(held, place, line) if body.get("snap") else line
