"""Find a place on the map: parcels, streets, units, legacy land and buildings by code or name, or coordinates."""

import re
import unicodedata
from dataclasses import dataclass

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units import coordinates
from units.collections import COLLECTIONS
from units.errors import NotAllowed
from units.views.asking import BOX, asked, box, grants, only, visible
from units.views.places import districts_of

FEW = 8  # suggestions
OTHERS = 2  # of them that are no parcels, of each kind
LONGEST = 60  # letters of a search
TERMS = 6  # words of a search that are looked for
SHORT = 3  # a shorter term is looked for in the location alone: nearly every code has its digits
AROUND = 0.0015  # degrees about a place that was typed, so that the map shows its surroundings


@dataclass(frozen=True)
class Kind:
    """What else is found beside parcels: its name columns, and the column that says where it is."""

    collection: str
    columns: str
    named_by: tuple[str, ...]


KINDS = {
    "unit": Kind("units", "code, name AS title, '' AS address, area_m2", ("name",)),
    "legacy": Kind("legacy", "code, '' AS title, address, area_m2", ("address",)),
    "building": Kind("buildings", "code, name AS title, '' AS address, area_m2", ("name",)),
}


@require_safe
@cache_control(private=True, no_cache=True)
def search(request):
    """{items, more}: at most eight places, those whose code begins so first, and whether there are others.

    Each item is {kind, code, title, address, area_m2, box}; kind is parcel, street, unit, legacy, building or place.
    """
    only(request, "q")
    held = grants(request)
    view = COLLECTIONS["parcels"].seen_by(held)
    if view.rows.never:
        raise NotAllowed(
            _("Parcels are open to the departments that work on them."), _("Sign in with an account of one of them.")
        )
    # Full-width letters and digits, as Chinese input methods write them, become plain ones.
    words = unicodedata.normalize("NFKC", request.GET.get("q", "")[:LONGEST])
    terms = words.split()[:TERMS]
    if not terms:
        return JsonResponse({"items": [], "more": False})
    rows, cut = typed(words, held), False
    if not rows:
        source, params = visible(COLLECTIONS["parcels"], view)
        rows = beginning(source, params, terms)
        named = [streets(held, terms), *others(held, terms)]
        cut = any(len(found) > OTHERS for found in named)
        rows = [row for found in named for row in found[:OTHERS]] + rows
        if len(rows) <= FEW:
            known = [row["fid"] for row in rows if row["kind"] == "parcel"]
            rows += containing(source, params, terms, known)
    more = len(rows) > FEW or cut
    rows = rows[:FEW]
    for row in rows:
        row["box"] = box(row)
    return JsonResponse({"items": rows, "more": more})


def typed(words: str, held) -> list[dict]:
    """The place whose coordinates were typed, with the sentence that says how they were read."""
    srid = districts_of(held).values_list("srid", flat=True).first()
    place = coordinates.read(words, srid)
    if place is None:
        return []
    west, south, east, north = place.lng - AROUND, place.lat - AROUND, place.lng + AROUND, place.lat + AROUND
    title = f"{place.lng:.6f}°E {place.lat:.6f}°N"
    sides = {"west": west, "south": south, "east": east, "north": north}
    at = {"lng": round(place.lng, 8), "lat": round(place.lat, 8)}
    return [{"kind": "place", "code": "", "title": title, "address": place.told, "area_m2": None} | at | sides]


def streets(held, terms: list[str]) -> list[dict]:
    """Streets of the reader's districts by a part of their name, or by their whole code."""
    wanted, values = _everywhere(terms, ("name",))
    whole = "".join(terms)
    return asked(
        "SELECT 'street' AS kind, code, name AS title, '' AS address, NULL AS area_m2, "
        f"{BOX} FROM units_street WHERE district_id = ANY(%(districts)s) AND geom IS NOT NULL"
        f" AND (code = %(whole)s OR ({wanted})) ORDER BY code LIMIT {OTHERS + 1}",
        values | {"districts": [one.code for one in districts_of(held)], "whole": whole},
    )


def others(held, terms: list[str]) -> list[list[dict]]:
    """Units, legacy land and buildings by a part of their name, or by the whole of their code; a list of each kind."""
    found = []
    for kind, one in KINDS.items():
        view = COLLECTIONS[one.collection].seen_by(held)
        if view.rows.never:
            continue
        source, params = visible(COLLECTIONS[one.collection], view)
        wanted, values = _everywhere(terms, one.named_by)
        rows = asked(
            f"SELECT fid, '{kind}' AS kind, {one.columns}, {BOX} FROM {source} AS seen"
            f" WHERE upper(code) = %(whole)s OR ({wanted}) ORDER BY code LIMIT {OTHERS + 1}",
            params | values | {"whole": "".join(terms).upper()},
        )
        found.append(rows)
    return found


def beginning(source: str, params: dict, terms: list[str]) -> list[dict]:
    """Parcels whose code begins so, by the index; `containing` finds what another collation would hide."""
    code = "".join(terms).upper()  # a code is often written in groups
    if not re.fullmatch(r"[0-9A-Z]+", code):
        return []
    # PostgreSQL gives LIKE no ordinary index outside the collation “C”, so the range is spelled out; ~ follows Z.
    return _found(
        source,
        "code >= %(first)s AND code < %(past)s AND code LIKE %(begins)s",
        params | {"first": code, "past": f"{code}~", "begins": f"{code}%"},
    )


def containing(source: str, params: dict, terms: list[str], known: list[int]) -> list[dict]:
    """Other parcels that have every term in their code or location; every row of the reader's is looked at."""
    wanted, values = ["fid <> ALL(%(known)s)"], {"known": known}
    for number, term in enumerate(terms):
        name = f"term_{number}"
        values[name] = f"%{_literal(term)}%"
        places = ["address"] if len(term) < SHORT else ["code", "address"]
        wanted.append("(" + " OR ".join(f"{place} ILIKE %({name})s" for place in places) + ")")
    return _found(source, " AND ".join(wanted), params | values)


def _found(source: str, condition: str, params: dict) -> list[dict]:
    return asked(
        f"SELECT fid, 'parcel' AS kind, code, '' AS title, address, area_m2, {BOX} FROM {source} AS seen"
        f" WHERE {condition} ORDER BY code LIMIT %(limit)s",
        params | {"limit": FEW + 1},
    )


def _everywhere(terms: list[str], columns: tuple[str, ...]) -> tuple[str, dict]:
    """The condition that each term is a part of one of the columns; a single digit or letter names nothing."""
    if all(len(term) == 1 and term.isascii() for term in terms):
        return "FALSE", {}
    values = {f"name_{number}": f"%{_literal(term)}%" for number, term in enumerate(terms)}
    parts = ("(" + " OR ".join(f"{column} ILIKE %({name})s" for column in columns) + ")" for name in values)
    return " AND ".join(parts), values


def _literal(term: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", term)
