"""Describe the API in OpenAPI 3.0, for the collections and columns that the caller sees.

Built by hand, because QGIS reads the page size from `components.parameters.limit` and sends a filter on a property
only where its parameter is of the style `form` and not exploded.
"""

from django.utils.translation import gettext as _

from units.collections import Collection, Column
from units.ogc.asking import FILTER_LANGUAGE, LIMIT, LIMIT_AT_MOST, UNASKED
from units.ogc.crs import CRS84, SYSTEMS
from units.ogc.rendering import shown
from units.rights import View

VERSION = "1.0.0"


def description(root: str, seen: list[tuple[Collection, View]]) -> dict:
    """The document; `root` is the address of the landing page."""
    paths = {
        "/": _read("landing", _("Landing page")),
        "/conformance": _read("conformance", _("Conformance classes")),
        "/api": _read("api", _("This description")),
        "/collections": _read("collections", _("Collections")),
    }
    for collection, view in seen:
        paths |= _of_collection(collection, view)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": _("Inventory of low-efficiency land"),
            "description": _("OGC API – Features, parts 1 and 2. What is listed is what the caller may see."),
            "version": VERSION,
            "license": {"name": "MIT"},
        },
        "servers": [{"url": root}],
        "paths": paths,
        "components": {
            "parameters": _PARAMETERS | {"crs": _crs("crs"), "bbox-crs": _crs("bbox-crs")},
            "responses": {
                "problem": {
                    "description": _("What went wrong, as RFC 9457 has it"),
                    "content": {"application/problem+json": {"schema": {"type": "object"}}},
                }
            },
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
        "security": [{}, {"basic": []}],
    }


_PARAMETERS = {
    "f": {"name": "f", "in": "query", "schema": {"type": "string", "enum": ["json", "html"]}},
    "limit": {
        "name": "limit",
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_AT_MOST, "default": LIMIT},
        "style": "form",
        "explode": False,
    },
    "bbox": {
        "name": "bbox",
        "in": "query",
        "required": False,
        "schema": {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        },
        "style": "form",
        "explode": False,
    },
    "datetime": {
        "name": "datetime",
        "in": "query",
        "description": "An instant, a day (in China) or an interval, RFC 3339. Collections whose versions are kept are "
        "read as they stood then, of an interval at its end; findings, as far as they had been seen by then.",
        "required": False,
        "schema": {"type": "string"},
        "style": "form",
        "explode": False,
    },
    "filter": {"name": "filter", "in": "query", "required": False, "schema": {"type": "string"}},
    "filter-lang": {
        "name": "filter-lang",
        "in": "query",
        "required": False,
        "schema": {"type": "string", "enum": [FILTER_LANGUAGE], "default": FILTER_LANGUAGE},
    },
    "count": {"name": "count", "in": "query", "schema": {"type": "string", "enum": ["exact"]}},
    "page": {"name": "page", "in": "query", "schema": {"type": "string"}},
    "featureId": {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}},
}
_JSON_TYPES = {
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "array": {"type": "array", "items": {"type": "string"}},
}


def _crs(name: str) -> dict:
    schema = {"type": "string", "format": "uri", "enum": list(SYSTEMS), "default": CRS84.uri}
    return {"name": name, "in": "query", "required": False, "schema": schema, "style": "form", "explode": False}


def _of_collection(collection: Collection, view: View) -> dict:
    path = f"/collections/{collection.id}"
    names = ("f", "limit", "bbox", "bbox-crs", "crs", "datetime", "count", "page", "filter", "filter-lang")
    common = [_ref(name) for name in names]
    columns = shown(collection, view)
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "integer"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "properties": {column.name: _schema(column) for column in columns}},
        },
    }
    page = {"type": "object", "properties": {"features": {"type": "array", "items": schema}}}
    title = str(collection.title)
    identifier = collection.id.replace("-", "_")
    features = _read(f"{identifier}_items", title, "application/geo+json", page)
    features["get"]["parameters"] = common + [_filter(column) for column in columns if column.type not in UNASKED]
    one = _read(f"{identifier}_item", title, "application/geo+json", schema)
    one["get"]["parameters"] = [_ref("featureId"), _ref("f"), _ref("crs")]
    if collection.kept:
        one["get"]["parameters"].append(_ref("datetime"))
    return {path: _read(identifier, title), f"{path}/items": features, f"{path}/items/{{featureId}}": one}


def _read(identifier: str, summary: str, media_type: str = "application/json", schema: dict | None = None) -> dict:
    good = {"description": summary, "content": {media_type: {"schema": schema or {"type": "object"}}, "text/html": {}}}
    return {
        "get": {
            "operationId": identifier,
            "summary": summary,
            "parameters": [_ref("f")],
            "responses": {"200": good, "default": {"$ref": "#/components/responses/problem"}},
        }
    }


def _ref(name: str) -> dict:
    return {"$ref": f"#/components/parameters/{name}"}


def _schema(column: Column) -> dict:
    told = _JSON_TYPES.get(column.type, {"type": column.type}) | {"title": str(column.title)}
    return told | ({"x-ogc-unit": column.uom} if column.uom else {})


def _filter(column: Column) -> dict:
    schema = {"type": "string"} if column.type == "array" else _JSON_TYPES.get(column.type, {"type": column.type})
    return {
        "name": column.name,
        "in": "query",
        "description": str(column.title),
        "required": False,
        "schema": schema,
        "style": "form",
        "explode": False,
    }
