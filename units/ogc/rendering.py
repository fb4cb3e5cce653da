"""Ask the database for features, and have it write them as GeoJSON."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import replace

from django.db import DataError, connection, transaction
from django.utils.translation import gettext as _

from units.collections import Collection, Column
from units.errors import UsageError
from units.models import Revision
from units.ogc import filtering
from units.ogc.asking import Asked
from units.ogc.crs import CRS84, Crs
from units.rights import View
from units.spatial import STORAGE_SRID

COUNTED = 100_000  # up to here the features that match are counted; beyond, only when asked
KEPT = 500  # extents and counts held in memory, a few hundred bytes each

# What filters compare with; arrays hold the value, everything else is it.
_CASTS = {
    "string": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "date": "date",
    "date-time": "timestamptz",
}


def state(collection: Collection, view: View, *more: object) -> str:
    """A digest that changes whenever what `view` shows of the collection may have: for ETags and for caches."""
    revisions = sorted(Revision.objects.filter(name__in=collection.revisions).values_list("name", "number"))
    asked = (collection.id, collection.moment, collection.day())
    told = (asked, revisions, view.rows, sorted(view.columns.items()), more)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def features(
    collection: Collection, view: View, asked: Asked
) -> tuple[list[str], int | None, tuple[float, float, float, float] | None]:
    """One page: the features as GeoJSON text, the fid after which the next page begins, if there is one, and its box.

    The box is in degrees, east first, and there is none where no feature of the page has a shape.
    """
    where, params = _where(collection, view, asked)
    sql = f"""
        SELECT v.fid, {_written(collection, view, asked.crs)},
               ST_XMin(v.geom), ST_YMin(v.geom), ST_XMax(v.geom), ST_YMax(v.geom)
        FROM ({_seen(collection, view, params)}) v{filtering.joined(asked.filter, "v")}
        WHERE {where}
        ORDER BY v.fid
        LIMIT %(limit)s"""
    rows = _answered(sql, params | {"limit": asked.limit + 1}, asked)
    more = len(rows) > asked.limit
    del rows[asked.limit :]
    west, south, east, north = ([value for value in values if value is not None] for values in _boxes(rows))
    box = (min(west), min(south), max(east), max(north)) if west else None
    return [row[1] for row in rows], rows[-1][0] if more else None, box


def _answered(sql: str, params: dict, asked: Asked) -> list[tuple]:
    """The rows of a question; what its filter makes of some row that no number can hold is the caller's mistake."""
    if asked.filter is None:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()
    except DataError as error:
        raise UsageError(_("The filter asks for a number that is too large to compute."), parameter="filter") from error


def _boxes(rows: list[tuple]) -> list[tuple]:
    return list(zip(*(row[2:] for row in rows), strict=True)) or [(), (), (), ()]


def feature(collection: Collection, view: View, fid: int, crs: Crs = CRS84) -> str | None:
    """One feature as GeoJSON text; None where there is none that the view shows."""
    params: dict = {"fid": fid}
    sql = f"""
        SELECT {_written(collection, view, crs)}
        FROM ({_seen(collection, view, params)}) v
        WHERE v.fid = %(fid)s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
    return row and row[0]


def matched(collection: Collection, view: View, asked: Asked) -> int | None:
    """How many features match on all pages; None above COUNTED unless the request asks to count all."""
    question = replace(asked, limit=0, after=None, crs=CRS84)
    key = ("count", state(collection, view, question))
    if key not in kept:
        where, params = _where(collection, view, asked, paged=False)
        most = "" if asked.count_all else f"LIMIT {COUNTED + 1}"
        sql = f"""
            SELECT count(*)
            FROM (
                SELECT 1 FROM ({_seen(collection, view, params)}) v{filtering.joined(asked.filter, "v")}
                WHERE {where} {most}
            ) counted"""
        ((found,),) = _answered(sql, params, asked)
        kept[key] = found if asked.count_all or found <= COUNTED else None
    return kept[key]


def extent(collection: Collection, view: View) -> tuple[float, float, float, float] | None:
    """The box around what the view shows, in degrees, east first; None around nothing.

    The planner's estimate would be cheaper and would show where restricted shapes lie.
    """
    key = ("extent", state(collection, view))
    if key not in kept:
        params: dict = {}
        sql = f"""
            SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)
            FROM (SELECT ST_Extent(v.geom) AS e FROM ({_seen(collection, view, params)}) v) boxed"""
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            row = cursor.fetchone()
        kept[key] = None if row[0] is None else row
    return kept[key]


def shown(collection: Collection, view: View) -> tuple[Column, ...]:
    """The columns that the view shows in at least some rows, in the collection's order."""
    return tuple(column for column in collection.columns if view.sees(column.name))


class Kept:
    """The answers last asked for, the oldest dropped first. Keys hold the revisions, so nothing in it is stale."""

    def __init__(self, size: int):
        self.size = size
        self.answers: OrderedDict = OrderedDict()
        self.lock = threading.Lock()

    def __contains__(self, key) -> bool:
        return key in self.answers

    def __getitem__(self, key):
        return self.answers.get(key)

    def __setitem__(self, key, answer) -> None:
        with self.lock:
            self.answers[key] = answer
            while len(self.answers) > self.size:
                self.answers.popitem(last=False)


kept = Kept(KEPT)


def _seen(collection: Collection, view: View, params: dict) -> str:
    """The rows and columns that the view shows, as a sub-query; its values are added to `params`.

    A column that is seen in some rows only is null in the others, here, where filters already find it so.
    """
    rows, values = view.rows.sql("s", "row")
    params |= values | collection.values
    columns = []
    for column in shown(collection, view):
        condition = view.columns[column.name]
        if condition == view.rows:
            columns.append(f"s.{column.name}")
            continue
        seen, values = condition.sql("s", f"see_{column.name}")
        params |= values
        columns.append(f"CASE WHEN {seen} THEN s.{column.name} END AS {column.name}")
    return f"SELECT {', '.join(['s.fid', 's.geom', *columns])}\nFROM ({collection.source()}) s\nWHERE {rows}"


def _written(collection: Collection, view: View, crs: Crs) -> str:
    """SQL for one feature as GeoJSON text. `ST_AsGeoJSON(record)` would write a `crs` member, and no id before 3.5."""
    properties = ", ".join(_json_value(column) for column in shown(collection, view))
    return f"""
        '{{"type":"Feature","id":' || v.fid
        || ',"geometry":' || COALESCE({crs.written("v.geom")}, 'null')
        || ',"properties":' || (SELECT row_to_json(p) FROM (SELECT {properties}) p) || '}}'"""


def _json_value(column: Column) -> str:
    if column.type != "number":
        return f"v.{column.name}"
    # JSON has no word for these; a client would get the text "NaN" where it expects a number.
    strange = "'NaN', 'Infinity', '-Infinity'"
    return f"CASE WHEN v.{column.name}::text NOT IN ({strange}) THEN v.{column.name} END AS {column.name}"


def _where(collection: Collection, view: View, asked: Asked, *, paged: bool = True) -> tuple[str, dict]:
    parts, params = ["TRUE"], {}
    if paged and asked.after is not None:
        parts.append("v.fid > %(after)s")
        params["after"] = asked.after
    if asked.box is not None:
        names = ("west", "south", "east", "north")
        bounds = asked.box_crs.stored_bounds(asked.box)
        params |= dict(zip(names, bounds, strict=True))
        box = f"ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, {STORAGE_SRID})"
        if asked.box_crs.stored:
            within = f"v.geom && {box} AND ST_Intersects(v.geom, {box})"
        else:
            # A box of the plane is no box in degrees: what the larger box let through is asked in the plane.
            params |= {f"plane_{name}": number for name, number in zip(names, asked.box, strict=True)}
            plane = ", ".join(f"%(plane_{name})s" for name in names)
            srid = asked.box_crs.srid
            planar = f"ST_Intersects(ST_Transform(v.geom, {srid}), ST_MakeEnvelope({plane}, {srid}))"
            within = f"v.geom && {box} AND {planar}"
        # A box matches what has no shape, too (Part 1, /req/core/fc-bbox-response).
        parts.append(f"(v.geom IS NULL OR ({within}))" if collection.shapeless else within)
    if asked.until is not None:
        parts.append(f"(v.{collection.since} IS NULL OR v.{collection.since} < %(until)s)")
        params["until"] = asked.until
    if asked.filter is not None:
        parts.append(asked.filter.sql)
        params |= dict(asked.filter.literals)
    for number, (column, value) in enumerate(asked.filters):
        params[f"filter_{number}"] = value
        if column.type == "array":
            parts.append(f"%(filter_{number})s::text = ANY(v.{column.name}::text[])")
        else:
            parts.append(f"v.{column.name} = %(filter_{number})s::{_CASTS[column.type]}")
    return " AND ".join(parts), params
