"""Find parcels by the beginning of their code, or by parts of their code and location."""

import re
import unicodedata

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.errors import NotAllowed
from units.views.asking import BOX, asked, box, grants, visible

FEW = 8  # suggestions
LONGEST = 60  # letters of a search
TERMS = 6  # words of a search that are looked for
SHORT = 3  # a shorter term is looked for in the location alone: nearly every code has its digits


@require_safe
@cache_control(private=True, no_cache=True)
def search(request):
    """{items, more}: at most eight parcels, those whose code begins so first, and whether there are others."""
    view = COLLECTIONS["parcels"].seen_by(grants(request))
    if view.rows.never:
        raise NotAllowed(
            _("Parcels are open to the departments that work on them."), _("Sign in with an account of one of them.")
        )
    # Full-width letters and digits, as Chinese input methods write them, become plain ones.
    terms = unicodedata.normalize("NFKC", request.GET.get("q", "")[:LONGEST]).split()[:TERMS]
    if not terms:
        return JsonResponse({"items": [], "more": False})
    source, params = visible(COLLECTIONS["parcels"], view)
    rows = beginning(source, params, terms)
    if len(rows) <= FEW:
        rows += containing(source, params, terms, [row["fid"] for row in rows])
    more = len(rows) > FEW
    rows = rows[:FEW]
    for row in rows:
        row["box"] = box(row)
    return JsonResponse({"items": rows, "more": more})


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
        literal = re.sub(r"([\\%_])", r"\\\1", term)
        values[name] = f"%{literal}%"
        places = ["address"] if len(term) < SHORT else ["code", "address"]
        wanted.append("(" + " OR ".join(f"{place} ILIKE %({name})s" for place in places) + ")")
    return _found(source, " AND ".join(wanted), params | values)


def _found(source: str, condition: str, params: dict) -> list[dict]:
    return asked(
        f"SELECT fid, code, address, area_m2, {BOX} FROM {source} AS seen"
        f" WHERE {condition} ORDER BY code LIMIT %(limit)s",
        params | {"limit": FEW + 1},
    )
