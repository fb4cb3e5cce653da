"""Answer for one tile, and for the TileJSON that tells a client which tiles there are."""

import hashlib
from urllib.parse import urlencode

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tiles import layers
from tiles.layers import DEEPEST, Layer
from tiles.rendering import render
from units.asof import read_moment
from units.callers import caller
from units.errors import NotAllowed, NotFound
from units.rights import View
from units.spatial import CHINA

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
KEPT_SECONDS = 24 * 3600  # a tile whose address carries the current version never changes


@require_safe
def tile(request, layer: str, z: int, x: int, y: int):
    """One vector tile, of today or of the day `as_of`: 200, 204 where nothing lies, 304 where the client has it."""
    found = asked(request, layer)
    view, revisions = seen(request, found)
    if z > DEEPEST or x >= 2**z or y >= 2**z:
        raise NotFound(
            _("There is no tile %(z)s/%(x)s/%(y)s.") % {"z": z, "x": x, "y": y},
            _("Zooms go from 0 to %(deepest)s, columns and rows from 0 to 2^zoom − 1.") % {"deepest": DEEPEST},
        )
    current = version(found, view, revisions)
    answer = get_conditional_response(request, etag=f'"{current}"')
    if answer is None:
        body = render(found, view, z, x, y)
        answer = HttpResponse(body, content_type=MEDIA_TYPE, status=200 if body else 204)
    answer["ETag"] = f'"{current}"'
    dated = request.GET.get("v") == current
    answer["Cache-Control"] = f"private, max-age={KEPT_SECONDS}, immutable" if dated else "private, no-cache"
    patch_vary_headers(answer, ["Cookie", "Authorization"])
    return answer


@require_safe
def tilejson(request, layer: str):
    """The TileJSON 3.0 of one layer; its tile address carries the version of the data, and the day that is asked."""
    found = asked(request, layer)
    view, revisions = seen(request, found)
    current = version(found, view, revisions)
    tag = f'"{current}-{get_language()}"'  # titles are in the reader's language
    answer = get_conditional_response(request, etag=tag)
    if answer is None:
        address = request.build_absolute_uri(reverse("tile", args=(found.id, 0, 0, 0)))
        day = f"{urlencode({'as_of': request.GET['as_of'].strip()})}&" if found.moment else ""
        answer = JsonResponse(
            {
                "tilejson": "3.0.0",
                "name": str(found.collection.title),
                "description": str(found.collection.description),
                "version": "1.0.0",
                "scheme": "xyz",
                "tiles": [f"{address.removesuffix('0/0/0.mvt')}{{z}}/{{x}}/{{y}}.mvt?{day}v={current}"],
                "minzoom": found.minzoom,
                "maxzoom": DEEPEST,
                "bounds": list(CHINA),
                "vector_layers": [
                    {
                        "id": found.id,
                        "description": str(found.collection.title),
                        "minzoom": found.minzoom,
                        "maxzoom": DEEPEST,
                        "fields": {
                            column.name: str(column.title)
                            for column in found.collection.columns
                            if column.name in found.attributes and view.sees(column.name)
                        },
                    }
                ],
            }
        )
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"
    patch_vary_headers(answer, ["Cookie", "Authorization"])
    return answer


def asked(request, name: str) -> Layer:
    """The layer of that name, as of the day that the address names; Refused where its past is not kept."""
    return layers.layer(name).at(read_moment(request.GET.get("as_of", "")))


def seen(request, found: Layer) -> tuple[View, tuple]:
    """What this reader sees of the layer, and the revisions behind it; NotAllowed when that is nothing at all."""
    grants, revisions = caller(request, found.collection.revisions)
    view = found.collection.seen_by(grants)
    if view.rows.never:
        raise NotAllowed(
            _("The layer “%(layer)s” is not open to you.") % {"layer": found.collection.title},
            _("Sign in with an account whose role may see it."),
        )
    return view, revisions


def version(found: Layer, view: View, revisions: tuple) -> str:
    """A short text that changes when the data behind the layer change, or what this reader may see of it."""
    told = (found, view, revisions, found.collection.day())
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
