"""Answer the map while a unit is drawn: what was composed, what there is to snap to, which parcels were picked."""

import math
import re
import unicodedata
from functools import cache
from pathlib import Path

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from units.collections import COLLECTIONS
from units.composing import CONFIRMABLE, MOST_PARCELS, compose, drawing_districts, required_district
from units.drafting import Drawing
from units.errors import NotAllowed, UsageError
from units.views.asking import asked, grants, visible
from units.views.body import texts, told

SQL = Path(__file__).parent.parent / "sql" / "pages"
WIDEST = 0.02  # degrees a side of the box in which outlines are handed out
MOST_OUTLINES = 10_000
FEW = 500  # parcels that a box hands out, unless more are asked for
LONGEST_TEXT = 200_000  # letters of pasted codes
SEPARATED = re.compile(r"[^0-9A-Z]+")
LONGEST_CODE = 19


@require_POST
@cache_control(private=True, no_store=True)
def composing(request):
    """What is to be said of parcels united or of a shape drawn: one question, one answer, nothing stored."""
    body = told(request, district=str, parcels=list, geometry=dict, snap=bool, unit=str, confirm=list)
    what = drawing(body)
    if not what.given:
        raise UsageError(_("A unit is drawn either from parcels or as a shape."), _("Send one of the two."))
    made = compose(
        grants(request),
        body.get("district", ""),
        parcels=what.parcels,
        drawn=what.drawn,
        snap=what.snap,
        unit=plain(body.get("unit", "")),
        confirmed=what.confirmed,
    )
    return JsonResponse(made.told())


def drawing(body: dict) -> Drawing:
    """What the body says the unit is drawn from."""
    parcels = texts(body, "parcels", 10 * MOST_PARCELS)
    drawn = body.get("geometry")
    if parcels is not None and drawn is not None:
        raise UsageError(_("A unit is drawn either from parcels or as a shape."), _("Send one of the two."))
    confirmed = texts(body, "confirm", 100) or []
    if unknown := set(confirmed) - CONFIRMABLE:
        raise UsageError(
            _("“%(name)s” is nothing that can be confirmed.") % {"name": min(unknown)[:40]},
            _("Known are: %(names)s.") % {"names": ", ".join(sorted(CONFIRMABLE))},
        )
    return Drawing(parcels, drawn, body.get("snap", False), confirmed)


def plain(code: str) -> str:
    """A code as a database can be asked for it; what cannot be one is none."""
    return code if code.isprintable() and len(code) <= 40 else "?"


@require_safe
@cache_control(private=True, no_store=True)
def outlines(request):
    """{features: [{code, rings}]} of the parcels in `bbox`, with the very numbers that are stored, never of a tile."""
    held = grants(request)
    if not drawing_districts(held):
        raise NotAllowed(
            _("Outlines are handed out to those who draw units."),
            _("Ask the task-force office of the district for the role."),
        )
    west, south, east, north = _box(request.GET.get("bbox", "").split(","))
    if east - west > WIDEST or north - south > WIDEST:
        raise UsageError(
            _("The box is wider than %(most)s degrees.") % {"most": WIDEST}, _("Zoom in, or ask for parts of it.")
        )
    source, params = visible(COLLECTIONS["parcels"], COLLECTIONS["parcels"].seen_by(held))
    rows = asked(
        _read("outlines").format(parcels=source),
        params | {"west": west, "south": south, "east": east, "north": north, "limit": MOST_OUTLINES + 1},
    )
    if len(rows) > MOST_OUTLINES:
        raise UsageError(
            _("More than %(most)d parcels lie in the box.") % {"most": MOST_OUTLINES}, _("Ask for parts of it.")
        )
    # The text of the database is passed on as it is: reading numbers to write them again would cost half a second.
    features = ",".join(f'{{"code":"{row["code"]}","rings":{_rings(row["shape"])}}}' for row in rows)
    return HttpResponse(f'{{"features":[{features}]}}', content_type="application/json")


def _rings(shape: str) -> str:
    """All rings of a MultiPolygon's GeoJSON as one list, still as text."""
    coordinates = shape[shape.index('"coordinates":') + 14 : -1]
    return coordinates[1:-1].replace("]]],[[[", "]],[[")


@require_POST
@cache_control(private=True, no_store=True)
def pick(request):
    """{parcels, unknown, more} of the parcels in a `box`, or with the `codes` of a pasted text.

    In a box are those whose inner point lies in it, with `touching` all that meet it.
    """
    body = told(request, district=str, box=list, codes=str, touching=bool, limit=int)
    held = grants(request)
    district = required_district(held, body.get("district", ""))
    if ("box" in body) == ("codes" in body):
        raise UsageError(_("Parcels are picked by a box or by codes."), _("Send one of the two."))
    codes = []
    if "codes" in body:
        codes = pasted(body["codes"])
        wanted, values, limit = "p.code = ANY (%(codes)s)", {"codes": codes}, MOST_PARCELS
    else:
        values = dict(zip(("west", "south", "east", "north"), _box(body["box"]), strict=True))
        box = "ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)"
        meets = "p.geom" if body.get("touching") else "ST_PointOnSurface(p.geom)"
        wanted = f"p.geom && {box} AND ST_Intersects({meets}, {box})"
        limit = max(1, min(body.get("limit", FEW), MOST_PARCELS))
    source, params = visible(COLLECTIONS["parcels"], COLLECTIONS["parcels"].seen_by(held))
    rows = asked(
        _read("pick").format(parcels=source, wanted=wanted),
        params | values | {"district": district.code, "limit": limit + 1},
    )
    known = {row["code"] for row in rows}
    return JsonResponse(
        {
            "parcels": rows[:limit],
            "unknown": [code for code in codes if code not in known],
            "more": len(rows) > limit,
        }
    )


def pasted(text: str) -> list[str]:
    """The codes of a pasted text, each once: out of a column, a list, a sentence; full-width digits are plain ones."""
    if len(text) > LONGEST_TEXT:
        raise UsageError(_("The pasted text is longer than %(most)d letters.") % {"most": LONGEST_TEXT})
    found = SEPARATED.split(unicodedata.normalize("NFKC", text).upper())
    codes = list(dict.fromkeys(code[: LONGEST_CODE + 1] for code in found if code))
    if len(codes) > MOST_PARCELS:
        raise UsageError(
            _("These are %(count)d codes; at most %(most)d can be picked at once.")
            % {"count": len(codes), "most": MOST_PARCELS}
        )
    return codes


def _box(values: list) -> tuple[float, float, float, float]:
    try:
        sides = tuple(float(value) for value in values if not isinstance(value, bool))
    except (TypeError, ValueError, OverflowError):
        sides = ()
    if len(sides) != 4 or len(values) != 4 or not all(map(math.isfinite, sides)):
        raise UsageError(_("A box is four numbers: west, south, east and north, in degrees."))
    west, south, east, north = sides
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise UsageError(_("A box is four numbers: west, south, east and north, in degrees."))
    return sides


@cache
def _read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
