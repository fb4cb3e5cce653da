"""Read the query of an items request; whatever it does not understand, it refuses."""

import base64
import binascii
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.http import QueryDict
from django.utils.translation import gettext as _

from units.asof import end_of
from units.collections import Collection, Column
from units.errors import UnknownName, UsageError
from units.ogc.crs import CRS84, Crs, system
from units.ogc.filtering import Filter, filtered
from units.rights import View

LIMIT = 1000
LIMIT_AT_MOST = 10_000
LARGEST_FID = 2**63 - 1
FORMATS = ("json", "geojson", "html")
RESERVED = ("f", "limit", "bbox", "bbox-crs", "crs", "datetime", "count", "page", "filter", "filter-lang")
FILTER_LANGUAGE = "cql2-text"
OPEN = ("", "..")
BEFORE_ALL, AFTER_ALL = "0000-", "9999-"  # the ends that QGIS writes for an open interval
UNASKED = ("object",)  # types of columns that no parameter compares with

_INSTANT = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?"
DATETIME = re.compile(rf"{_INSTANT}|({_INSTANT}|\.\.|)/({_INSTANT}|\.\.|)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Asked:
    """What an items request asks for; `box` is (west, south, east, north) in `box_crs`."""

    limit: int = LIMIT
    after: int | None = None  # the fid of the last feature of the page before
    box: tuple[float, float, float, float] | None = None
    box_crs: Crs = CRS84
    crs: Crs = CRS84
    filters: tuple[tuple[Column, object], ...] = field(default=())
    count_all: bool = False
    until: datetime | None = None  # features that were there before this moment
    at: datetime | None = None  # the collection as it stood before this moment
    filter: Filter | None = None


def only(query: QueryDict, *names: str) -> None:
    """Refuse parameters that are not among `names`, and any that is given twice."""
    for name, values in query.lists():
        if name not in names:
            raise UnknownName(name[:100], names, _("parameter"))
        if len(values) > 1:
            raise UsageError(_("The parameter “%(name)s” is given more than once.") % {"name": name})
    if "f" in query and query["f"] not in FORMATS:
        raise UnknownName(query["f"][:100], FORMATS, _("format"))


def asked(query: QueryDict, collection: Collection, view: View, default_limit: int = LIMIT) -> Asked:
    """The question that the query string puts. Raises UsageError with the parameter's name.

    Columns that the caller never sees are no parameters to them: a filter on one would tell its values.
    """
    seen = [column for column in collection.columns if view.sees(column.name)]
    columns = {column.name: column for column in seen if column.type not in UNASKED}
    only(query, *RESERVED, *columns)
    until = _until(query["datetime"], collection) if "datetime" in query and not collection.kept else None
    if query.get("filter-lang", FILTER_LANGUAGE) != FILTER_LANGUAGE:
        raise UnknownName(query["filter-lang"][:100], [FILTER_LANGUAGE], _("filter language"))
    if query.get("count", "exact") != "exact":
        raise UnknownName(query["count"][:100], ["exact"], _("count"))
    box_crs = system(query["bbox-crs"]) if "bbox-crs" in query else CRS84
    return Asked(
        limit=_limit(query["limit"]) if "limit" in query else default_limit,
        after=_after(query["page"]) if "page" in query else None,
        box=_box(query["bbox"], box_crs) if "bbox" in query else None,
        box_crs=box_crs,
        crs=system(query["crs"]) if "crs" in query else CRS84,
        filters=tuple((columns[name], _value(columns[name], query[name])) for name in query if name in columns),
        count_all="count" in query,
        until=until,
        at=moment_of(query, collection),
        filter=filtered(query["filter"], tuple(seen)) if "filter" in query else None,
    )


def page_after(fid: int) -> str:
    """The opaque text that `page=` takes for the features after `fid`."""
    return base64.urlsafe_b64encode(f"after {fid}".encode()).decode().rstrip("=")


def _after(text: str) -> int:
    try:
        word, _space, number = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(" ")
    except (binascii.Error, ValueError):
        word = number = ""
    if word != "after" or not re.fullmatch(r"-?\d{1,19}", number, re.ASCII) or abs(int(number)) > LARGEST_FID:
        raise _wrong("page", text, _("Follow the link “next” as it was given."))
    return int(number)


def _limit(text: str) -> int:
    """More than the largest page is no error: the largest page is served (Part 1, /req/core/fc-limit-response-1)."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII) or int(text) < 1:
        raise _wrong("limit", text, _("Give a whole number from 1 to %(most)d.") % {"most": LIMIT_AT_MOST})
    return min(int(text), LIMIT_AT_MOST)


def _box(text: str, crs: Crs) -> tuple[float, float, float, float]:
    hint = _("Give four or six finite numbers, the smaller corner first, separated by commas.")
    try:
        numbers = [float(part) for part in text.split(",")] if re.fullmatch(r"[-+.,eE\d\s]+", text, re.ASCII) else []
    except ValueError:
        numbers = []
    if len(numbers) not in {4, 6} or not all(map(math.isfinite, numbers)):
        raise _wrong("bbox", text, hint)
    half = len(numbers) // 2
    if any(low > high for low, high in zip(numbers[:half], numbers[half:], strict=True)):
        raise _wrong("bbox", text, hint)
    first, second, third, fourth = numbers[0], numbers[1], numbers[half], numbers[half + 1]
    return (second, first, fourth, third) if crs.north_first else (first, second, third, fourth)


def _until(text: str, collection: Collection) -> datetime | None:
    """The moment before which features must have been there to be there in an interval; None where all are.

    What is served is there now, since the moment that its column says. Where a collection has no such column, nothing
    of it is in time, and every interval matches all of it (Part 1, /req/core/fc-time-response). A collection whose past
    is kept is not asked so, but as of the end of the interval (`moment_of`).
    """
    if not text or not DATETIME.fullmatch(text):
        raise _wrong("datetime", text, _("Give an RFC 3339 date or time, or two with a slash between; .. is open."))
    ends = [end.upper() for end in text.split("/") if end not in {"", ".."}]
    if len(ends) == 2 and ends[0][:10] > ends[1][:10]:
        raise _wrong("datetime", text, _("The interval ends before it begins."))
    try:
        ends = _end(text)
    except ValueError:
        raise _wrong("datetime", text, _("There is no such day or time.")) from None
    return ends if collection.since else None


def moment_of(query: QueryDict, collection: Collection) -> datetime | None:
    """The moment as of which a collection is read whose past is kept: an instant, or the end of an interval or a day.

    A day is one in China. None where it is as things stand: an open end, or a collection whose past is not kept.
    """
    if "datetime" not in query or not collection.kept:
        return None
    _until(query["datetime"], collection)
    last = query["datetime"].upper().rpartition("/")[2]
    if last in OPEN or last.startswith(AFTER_ALL):
        return None
    if "T" not in last:
        return end_of(date.fromisoformat(last))
    return _moment(last) + timedelta(microseconds=1)


def _end(text: str) -> datetime | None:
    """The first moment after an interval, a day or an instant; None where it is open. Its beginning is read too."""
    first, _slash, last = text.upper().partition("/")
    last = last if "/" in text else first
    if first not in OPEN and not first.startswith(BEFORE_ALL):
        _moment(first)
    if last in OPEN or last.startswith(AFTER_ALL):
        return None
    return _moment(last) + (timedelta(microseconds=1) if "T" in last else timedelta(days=1))


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _value(column: Column, text: str):
    """The value of a filter in the column's own type."""
    try:
        match column.type:
            case "integer":
                number = int(text)
                if abs(number) > LARGEST_FID:
                    raise ValueError(text)
                return number
            case "number":
                number = float(text)
                if not math.isfinite(number):
                    raise ValueError(text)
                return number
            case "boolean":
                return {"true": True, "false": False}[text]
            case "date":
                return date.fromisoformat(text)
            case "date-time":
                moment = datetime.fromisoformat(text)
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, KeyError):
        raise _wrong(column.name, text, _("The property is of the type %(type)s.") % {"type": column.type}) from None
    if "\0" in text:
        raise _wrong(column.name, "", "")
    return text


def _wrong(name: str, text: str, hint) -> UsageError:
    sentence = _("“%(value)s” cannot be the parameter “%(name)s”.") % {"value": text[:100], "name": name}
    return UsageError(sentence, hint, parameter=name)
