"""Answer the requests of OGC API – Features for whoever asks, in JSON or as a page."""

import functools
import json
import re
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from units.collections import COLLECTIONS, Collection
from units.errors import NotAllowed, NotFound
from units.ogc import rendering
from units.ogc.asking import LARGEST_FID, asked, moment_of, only, page_after
from units.ogc.crs import CRS84, DEGREE_DECIMALS, STORAGE, SYSTEMS, system
from units.ogc.openapi import description
from units.ogc.words import meaning
from units.rights import View, grants_of

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
PAGE_LIMIT = 100  # rows of a page that people read, when they do not say
READ = ("GET", "HEAD", "OPTIONS")

CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
)


def readable(view):
    """Read only: answer OPTIONS, refuse what would write, and keep answers apart by who asked and how."""

    @functools.wraps(view)
    def answered(request, *args, **kwargs):
        if request.method not in READ:
            return HttpResponseNotAllowed(READ)
        response = view(request, *args, **kwargs)
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
            response["Allow"] = ", ".join(READ)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        # The language is in the cookie alone (geoinv/language.py): Accept-Language changes nothing here.
        response["Vary"] = "Accept, Authorization, Cookie"
        return response

    return csrf_exempt(answered)  # nothing can be written here: who tries is told the methods, not of a token


def as_page(request) -> bool:
    """Whether HTML is asked for: by `f=html`, or by an Accept header that prefers it."""
    if "f" in request.GET:
        return request.GET["f"] == "html"
    return request.get_preferred_type([JSON, GEOJSON, HTML]) == HTML


def visible(request, name: str) -> tuple[Collection, View]:
    """The collection, and what the caller sees of it.

    That a collection exists is no secret (the program is public), so nobody signed in is told 401 where signing in
    may help: GDAL, QGIS and browsers need that to send or ask for credentials. Who has signed in and sees no row of
    it gets 404, the same as for a name that stands for nothing.
    """
    collection = COLLECTIONS.get(name)
    if collection is not None:
        view = collection.seen_by(grants_of(request.user))
        if not view.rows.never:
            return collection, view
        if not request.user.is_authenticated:
            raise NotAllowed(_("The collection “%(name)s” is open to signed-in users only.") % {"name": name})
    raise NotFound(
        _("There is no collection “%(name)s” that you may see.") % {"name": name[:100]},
        _("/ogc/collections lists those that you may."),
    )


@readable
def landing(request):
    only(request.GET, "f")
    root = _address(request, "ogc")
    body = {
        "title": _("Inventory of low-efficiency land"),
        "description": _("Parcels, patches, candidates, redevelopment units and more, as their rights allow."),
        "links": [
            *_self_links(request, JSON),
            _link(f"{root}/api", "service-desc", OPENAPI, _("The API, described")),
            _link(f"{root}/api?f=html", "service-doc", HTML, _("The API, described")),
            _link(f"{root}/conformance", "conformance", JSON, _("Conformance classes")),
            _link(f"{root}/collections", "data", JSON, _("Collections")),
        ],
    }
    return _answer(request, body, "landing")


@readable
def conformance(request):
    only(request.GET, "f")
    return _answer(request, {"conformsTo": list(CONFORMANCE), "links": _self_links(request, JSON)}, "conformance")


@readable
def api(request):
    only(request.GET, "f")
    body = description(_address(request, "ogc"), _seen(request))
    if as_page(request):
        return _page(request, "api", {"api": body, "operations": sorted(body["paths"])})
    return HttpResponse(_written(body), content_type=OPENAPI)


@readable
def collections(request):
    only(request.GET, "f")
    body = {
        "links": _self_links(request, JSON),
        "collections": [_described(request, collection, view) for collection, view in _seen(request)],
    }
    return _answer(request, body, "collections")


@readable
def one_collection(request, name):
    collection, view = visible(request, name)
    only(request.GET, "f")
    body = _described(request, collection, view)
    body["links"] = _self_links(request, JSON) + [link for link in body["links"] if link["rel"] != "self"]
    return _answer(request, body, "collection", columns=rendering.shown(collection, view))


@readable
def items(request, name):
    collection, view = visible(request, name)
    if request.method == "OPTIONS":
        return HttpResponse()
    page = as_page(request)
    question = asked(request.GET, collection, view, **({"default_limit": PAGE_LIMIT} if page else {}))
    collection = collection.at(question.at)
    # The revisions are read before the rows: a change between the two makes the tag too old, never too new.
    tag = rendering.state(collection, view, question, page, get_language(), request.build_absolute_uri())
    unchanged = _unchanged(request, tag)
    if unchanged is not None:
        return unchanged
    found, last, box = rendering.features(collection, view, question)
    if question.after is None and last is None:
        count = len(found)
    else:
        count = rendering.matched(collection, view, question)
    links = _self_links(request, GEOJSON)
    if last is not None:
        links.append(_link(_again(request, page=page_after(last)), "next", GEOJSON, _("Next page")))
    links.append(_link(_address(request, "ogc-collection", name=name), "collection", JSON, str(collection.title)))
    if page:
        table = {
            "collection": {"id": name, "title": collection.title},
            "columns": rendering.shown(collection, view),
            "rows": [_row(name, json.loads(text)) for text in found],
            "matched": count,
            "next": _again(request, page=page_after(last)) if last is not None else "",
            "json": _again(request, f="json"),
        }
        response = _page(request, "items", table)
    else:
        head = {
            "type": "FeatureCollection",
            "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "numberReturned": len(found),
            **({"numberMatched": count} if count is not None else {}),
            **({"bbox": [round(number, DEGREE_DECIMALS) for number in box]} if box and question.crs == CRS84 else {}),
            "links": links,
        }
        body = "".join((_written(head)[:-1], ', "features": [\n', ",\n".join(found), "\n]}"))
        response = HttpResponse(body, content_type=GEOJSON)
        response["Content-Crs"] = f"<{question.crs.uri}>"
        response["Link"] = ", ".join(f'<{link["href"]}>; rel="{link["rel"]}"; type="{link["type"]}"' for link in links)
    response["ETag"] = _weak(tag)
    return response


@readable
def item(request, name, fid):
    collection, view = visible(request, name)
    if request.method == "OPTIONS":
        return HttpResponse()
    only(request.GET, "f", "crs", *(["datetime"] if collection.kept else []))
    collection = collection.at(moment_of(request.GET, collection))
    crs = system(request.GET["crs"]) if "crs" in request.GET else CRS84
    page = as_page(request)
    tag = rendering.state(collection, view, fid, crs, page, get_language(), request.build_absolute_uri())
    unchanged = _unchanged(request, tag)
    if unchanged is not None:
        return unchanged
    known = re.fullmatch(r"\d{1,19}", fid, re.ASCII) and int(fid) <= LARGEST_FID
    found = rendering.feature(collection, view, int(fid), crs) if known else None
    if found is None:
        raise NotFound(_("There is no feature “%(fid)s” that you may see.") % {"fid": fid[:100]})
    if page:
        row = _row(name, json.loads(found))
        told = zip(rendering.shown(collection, view), row["values"], strict=True)
        context = {"collection": {"id": name, "title": collection.title}, "row": row, "told": list(told)}
        response = _page(request, "item", context | {"json": _again(request, f="json")})
    else:
        links = _self_links(request, GEOJSON)
        links.append(_link(_address(request, "ogc-collection", name=name), "collection", JSON, str(collection.title)))
        response = HttpResponse(f'{found[:-1]},"links":{_written(links)}}}', content_type=GEOJSON)
        response["Content-Crs"] = f"<{crs.uri}>"
    response["ETag"] = _weak(tag)
    return response


def _seen(request) -> list[tuple[Collection, View]]:
    grants = grants_of(request.user)
    views = ((collection, collection.seen_by(grants)) for collection in COLLECTIONS.values())
    return [(collection, view) for collection, view in views if not view.rows.never]


def _described(request, collection: Collection, view: View) -> dict:
    here = _address(request, "ogc-collection", name=collection.id)
    there = _address(request, "ogc-items", name=collection.id)
    described = {
        "id": collection.id,
        "title": str(collection.title),
        "description": str(collection.description),
        "itemType": "feature",
        "crs": list(SYSTEMS),
        "storageCrs": STORAGE.uri,
        "links": [
            _link(here, "self", JSON, str(collection.title)),
            _link(there, "items", GEOJSON, str(collection.title)),
            _link(f"{there}?f=html", "items", HTML, str(collection.title)),
        ],
    }
    box = rendering.extent(collection, view)
    if box is not None:
        described["extent"] = {"spatial": {"bbox": [list(box)], "crs": CRS84.uri}}
    return described


def _row(name: str, feature: dict) -> dict:
    """A feature for a table: its values in the order of the columns, each with what its code means."""
    properties = feature["properties"]
    return {
        "fid": feature["id"],
        "address": reverse("ogc-item", kwargs={"name": name, "fid": feature["id"]}),
        "values": [
            {"shown": _readable_value(value), "means": meaning(name, column, properties)}
            for column, value in properties.items()
        ],
    }


def _readable_value(value):
    """A value as a table shows it; the full digits of a number are in the GeoJSON."""
    match value:
        case list():
            return ", ".join(value)
        case float():
            return f"{value:.4f}".rstrip("0").rstrip(".")
    return value


def _unchanged(request, tag: str):
    """The answer 304, when the caller has this state already."""
    response = get_conditional_response(request, etag=_weak(tag))
    if response is None or response.status_code != 304:
        return None
    response["ETag"] = _weak(tag)
    return response


def _weak(tag: str) -> str:
    return f'W/"{tag}"'


def _answer(request, body: dict, template: str, **context) -> HttpResponse:
    if as_page(request):
        return _page(request, template, {"body": body, **context})
    return HttpResponse(_written(body), content_type=JSON)


def _page(request, template: str, context: dict) -> HttpResponse:
    """A page in the site's own frame, or in a bare one where the site has none."""
    try:
        frame = get_template("base.html").template
    except TemplateDoesNotExist:
        frame = get_template("ogc/bare.html").template
    return render(request, f"ogc/{template}.html", {"frame": frame, **context})


def _written(body) -> str:
    return json.dumps(body, ensure_ascii=False, allow_nan=False)


def _address(request, view_name: str, **kwargs) -> str:
    return request.build_absolute_uri(reverse(view_name, kwargs=kwargs))


def _again(request, **changed) -> str:
    """The address of this request with some parameters changed."""
    query = {name: value for name, value in request.GET.items() if name not in changed} | changed
    return f"{request.build_absolute_uri(request.path)}?{urlencode(query, safe=',:/')}"


def _link(href: str, rel: str, media_type: str, title: str) -> dict:
    return {"href": href, "rel": rel, "type": media_type, "title": title, "hreflang": get_language()}


def _self_links(request, media_type: str) -> list[dict]:
    """Links to this document and to its other form; `self` is the form that is being answered."""
    titles = {media_type: "JSON", HTML: "HTML"}
    addresses = {media_type: _again(request, f="json"), HTML: _again(request, f="html")}
    chosen = HTML if as_page(request) else media_type
    return [_link(addresses[kind], "self" if kind == chosen else "alternate", kind, titles[kind]) for kind in titles]
