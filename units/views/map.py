"""The map: layers, legend, the list of candidates and the card of one parcel."""

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.models import Category, District, Flag, Survey
from units.views.asking import grants
from units.views.land_classes import BY_PREFIX, LAND_GROUPS
from units.views.words import map_words

# From the ground up, as they are painted; a reader gets those whose rows are open to him.
LAYERS = ("patches", "parcels", "buildings", "candidates", "units")
# What asks for work comes first; what is settled is there to be looked up, and hidden on the map until asked for.
OUTCOMES = (
    Flag.Outcome.CANDIDATE,
    Flag.Outcome.UNDECIDED,
    Flag.Outcome.EXEMPTED,
    Flag.Outcome.EXCLUDED,
    Flag.Outcome.NOT_LOW,
)
SHOWN_AT_FIRST = OUTCOMES[:3]
START = (39.12, 117.15, 11)  # latitude, longitude, zoom: Tianjin, until something is loaded


@require_safe
@ensure_csrf_cookie
@cache_control(private=True, no_cache=True)
def map_page(request):
    """The page; what it shows it asks for itself, so it opens before anything is counted."""
    held = grants(request)
    layers = [name for name in LAYERS if not COLLECTIONS[name].seen_by(held).rows.never]
    told = {
        "layers": [{"id": name, "tilejson": reverse("tilejson", kwargs={"layer": name})} for name in layers],
        "overview": reverse("map-overview"),
        "candidates": reverse("map-candidates"),
        "search": reverse("map-search"),
        "signIn": reverse("login"),
        "card": reverse("parcel", kwargs={"code": "CODE"}),
        "start": START,
        "inside": "parcels" in layers,
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
            "layers": layers,
            "land_groups": LAND_GROUPS,
            "outcomes": [(outcome.value, outcome.label, outcome in SHOWN_AT_FIRST) for outcome in OUTCOMES],
            "categories": Category.choices,
            "inside": "parcels" in layers,
            "places": places(held),
            "scoped": bool(held),
        },
    )


def places(held) -> list[dict]:
    """The districts of the reader with the year of the survey in force in each."""
    if not held:
        return []
    codes = {grant.district or (grant.street or "")[:6] or None for grant in held}
    districts = District.objects.order_by("code")
    if None not in codes:
        districts = districts.filter(code__in=codes)
    years = dict(Survey.objects.filter(state=Survey.State.IN_FORCE).values_list("district_id", "year"))
    return [{"code": one.code, "name": one.name, "survey": years.get(one.code)} for one in districts]
