"""The map: layers, legend, the lists beside it, and what its scripts are told."""

from django.conf import settings
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from units.classing import FEWEST, METHODS, MOST, offered
from units.collections import COLLECTIONS
from units.models import Category, Flag
from units.rights import INSIDE, TITLES, Role
from units.views import legend, registers
from units.views.asking import grants
from units.views.land_classes import BY_PREFIX
from units.views.places import districts_of, with_surveys
from units.views.values import by_source
from units.views.words import map_words

START = (39.12, 117.15, 11)  # latitude, longitude, zoom: Tianjin, until something is loaded
KINDS = "control-areas"  # a list of so many kinds that they are chosen from a menu
DRAWERS = {Role.ANALYST, Role.STREET, Role.OFFICE}  # who draws units (workflow 4.1)
# The national map, in Web Mercator (w) like our tiles: ground and names are two layers. It is of CGCS2000, not shifted.
TIANDITU = (
    "https://t{s}.tianditu.gov.cn/%(layer)s_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&STYLE=default"
    "&FORMAT=tiles&TILEMATRIXSET=w&LAYER=%(layer)s&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=%(key)s"
)
GROUNDS = {"vec": (_("Tianditu, map"), ("vec", "cva")), "img": (_("Tianditu, imagery"), ("img", "cia"))}


@require_safe
@ensure_csrf_cookie
@cache_control(private=True, no_cache=True)
def map_page(request):
    """The page; what it shows it asks for itself, so it opens before anything is counted."""
    held = grants(request)
    layers = [one for one in legend.LAYERS if not COLLECTIONS[one.id].seen_by(held).rows.never]
    names = [one.id for one in layers]
    inside = "parcels" in names
    grounds = base_maps() if inside else []
    draw = drawing(held)
    told = {
        "layers": [
            {
                "id": name,
                "tilejson": reverse("tilejson", kwargs={"layer": name}),
                "title": str(COLLECTIONS[name].title),
                "kept": COLLECTIONS[name].kept,
            }
            for name in names
        ],
        "legend": legend.as_told(layers),
        "lists": [name for name in registers.TITLES if name in names] if inside else [],
        "overview": reverse("map-overview"),
        "candidates": reverse("map-candidates"),
        "table": reverse("map-candidates-table"),
        "registers": reverse("map-registers"),
        "registersTable": reverse("map-registers-table"),
        "search": reverse("map-search"),
        "here": reverse("map-here"),
        "measure": reverse("map-measure"),
        "places": reverse("map-places"),
        "signIn": reverse("login"),
        "card": reverse("parcel", kwargs={"code": "CODE"}),
        "building": _address("building", code="CODE"),
        "draw": draw,
        "whatif": trying() if inside else None,
        "theme": {"values": reverse("map-values"), "table": reverse("map-values-table")} if inside else None,
        "grounds": grounds,
        "views": saving(held) if inside else None,
        "dates": reverse("map-dates") if inside else None,
        "history": reverse("history"),
        "surveys": [{"name": one["name"], "survey": one["survey"]} for one in with_surveys(held)] if inside else [],
        "reader": called(request.user, held) if held else "",
        "approval": settings.MAP_APPROVAL,
        "start": START,
        "inside": inside,
        "landGroups": BY_PREFIX,
        "categories": dict(Category.choices),
        "outcomes": dict(Flag.Outcome.choices),
        "words": map_words(),
        "language": get_language(),
    }
    return render(
        request,
        "units/map.html",
        {
            "told": told,
            "layers": sorted(layers, key=lambda one: legend.ORDER.index(one.id)),
            "lists": [(name, title) for name, title in registers.TITLES.items() if name in told["lists"]],
            "parts": [
                (name, () if name == KINDS else one.titles.choices)
                for name, one in registers.LISTS.items()
                if name in told["lists"]
            ],
            "kinds": registers.LISTS[KINDS].titles.choices,
            "grounds": grounds,
            "theme": themes(held) if inside else None,
            "outcomes": [(outcome.value, outcome.label) for outcome in legend.OUTCOMES],
            "categories": Category.choices,
            "inside": inside,
            "places": with_surveys(held),
            "scoped": bool(held),
        },
    )


def base_maps() -> list[dict]:
    """The base maps that the deployer has switched on by a key; none as a rule.

    The key is one for browsers, bound to the site's address by Tianditu; it is told to who works here and not to
    the public.
    """
    if not settings.TIANDITU_KEY:
        return []
    return [
        {
            "id": name,
            "title": str(title),
            "tiles": [TIANDITU % {"layer": layer, "key": settings.TIANDITU_KEY} for layer in layers],
        }
        for name, (title, layers) in GROUNDS.items()
    ]


def drawing(held) -> dict | None:
    """The addresses that drawing a unit needs, for who may draw one."""
    drawers = tuple(grant for grant in held if grant.role in DRAWERS)
    addresses = {name: _address(f"map-{name}") for name in ("compose", "pick", "outlines")}
    units, unit, own = _address("units"), _address("unit-json", code="CODE"), _address("unit", code="CODE")
    if not drawers or None in (*addresses.values(), units, unit, own):
        return None
    districts = [{"code": one.code, "name": one.name} for one in districts_of(drawers)]
    working = {
        "leases": _address("working-leases"),
        "since": _address("unit-since", code="CODE"),
        "kept": {"drafts": _address("working-drafts"), "draft": _address("working-draft", key="KEY")},
    }
    lines = {name: _address(f"map-{name}") for name in ("snap", "trace", "reshape", "taken", "corners", "neighbours")}
    lines["reshapeUnits"] = _address("units-reshape")
    return addresses | lines | working | {"units": units, "unit": unit, "page": own, "districts": districts}


def themes(held) -> dict:
    """What a theme of the map is chosen from: measures by the layer they are from, methods and numbers of classes."""
    return {
        "groups": by_source(offered(held)),
        "methods": METHODS.items(),
        "numbers": range(FEWEST, MOST + 1),
    }


def saving(held) -> dict:
    """What saving views of the map needs: the addresses, and the district that one may be shared in."""
    own = districts_of(tuple(grant for grant in held if grant.role in INSIDE))
    return {
        "all": reverse("map-views"),
        "one": reverse("map-view", kwargs={"number": 0}),
        "districts": [{"code": one.code, "name": one.name} for one in own] if len(own) == 1 else [],
    }


def called(user, held) -> str:
    """Who prints a map, with his roles."""
    name, roles = user.get_full_name() or user.get_username(), sorted({str(TITLES[grant.role]) for grant in held})
    return name if roles == [name] else f"{name} ({'、'.join(roles)})"


def trying() -> dict:
    """The addresses that trying other values of parameters needs."""
    names = {"try": "map-whatif", "list": "map-whatif-list", "table": "map-whatif-table", "draft": "map-whatif-draft"}
    names |= {"parameters": "map-whatif-parameters", "compare": "compare"}
    return {word: _address(name) for word, name in names.items()}


def _address(name: str, **parts) -> str | None:
    """The address of a page, or None where this site has none such."""
    try:
        return reverse(name, kwargs=parts)
    except NoReverseMatch:
        return None
