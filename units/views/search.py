"""Find parcels by the beginning of their code, a part of it, or a part of their location."""

from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.views.asking import BOX, asked, box, grants, visible

FEW = 8  # suggestions
LONGEST = 60  # letters of a search


@require_safe
@cache_control(private=True, no_cache=True)
def search(request):
    """{items} of at most eight parcels, those whose code begins so first; empty for a reader who sees no parcels."""
    words = request.GET.get("q", "").strip()[:LONGEST]
    view = COLLECTIONS["parcels"].seen_by(grants(request))
    if not words or view.rows.never:
        return JsonResponse({"items": []})
    source, params = visible(COLLECTIONS["parcels"], view)
    literal = words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    params |= {"begins": f"{literal.upper()}%", "part": f"%{literal}%", "limit": FEW}
    rows = asked(
        f"SELECT code, address, area_m2, {BOX} FROM {source} AS seen"
        " WHERE code LIKE %(begins)s OR code ILIKE %(part)s OR address ILIKE %(part)s"
        " ORDER BY (code LIKE %(begins)s) DESC, code LIMIT %(limit)s",
        params,
    )
    for row in rows:
        row["box"] = box(row)
    return JsonResponse({"items": rows})
