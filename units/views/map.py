"""The map: layers, legend, the lists beside it, and what its scripts are told."""

from django.conf import settings
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.models import Category, Flag
from units.rights import Role
from units.views import legend, registers
from units.views.asking import grants
from units.views.land_classes import BY_PREFIX
from units.views.places import districts_of, with_surveys
from units.views.words import map_words

START = (39.12, 117.15, 11)  # latitude, longitude, zoom: Tianjin, until something is loaded
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
        "layers": [{"id": name, "tilejson": reverse("tilejson", kwargs={"layer": name})} for name in names],
        "legend": legend.as_told(layers),
        "lists": [name for name in registers.TITLES if name in names] if inside else [],
        "overview": reverse("map-overview"),
        "candidates": reverse("map-candidates"),
        "table": reverse("map-candidates-table"),
        "registers": reverse("map-registers"),
        "search": reverse("map-search"),
        "here": reverse("map-here"),
        "measure": reverse("map-measure"),
        "places": reverse("map-places"),
        "signIn": reverse("login"),
        "card": reverse("parcel", kwargs={"code": "CODE"}),
        "building": _address("building", code="CODE"),
        "draw": draw,
        "whatif": trying() if inside else None,
        "grounds": grounds,
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
            "parts": [(name, one.titles.choices) for name, one in registers.LISTS.items() if name in told["lists"]],
            "grounds": grounds,
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
    return addresses | {"units": units, "unit": unit, "page": own, "districts": districts}


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
