"""The page of computed scores: each firm's score and rank by a scheme, beside the official grade; never over it."""

import re
from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.criteria import sets
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import District, EnterpriseYear, Score
from units.rights import FIGURE_READERS, sees_figures
from units.scoring import NOT_RATED, load, schemes
from units.views.asking import grants, only

PAGE = 100  # firms
PARAMETERS = ("district", "scheme", "year", "grade")


@require_safe
@cache_control(private=True, no_cache=True)
def scores(request):
    """What was kept of one scheme and year; only for who may read the figures of firms in the whole district."""
    only(request, *PARAMETERS, "page")
    held = grants(request)
    places = [one for one in District.objects.order_by("code") if sees_figures(held, one.code)]
    if not places or not any(grant.role in FIGURE_READERS for grant in held):
        raise NotAllowed(
            _("Scores are made of figures of firms: they are open to who may read those."),
            _("Sign in with such an account."),
        )
    wanted = request.GET.get("district") or places[0].code
    if wanted not in {one.code for one in places}:
        raise UnknownName(wanted[:12], [one.code for one in places], _("district"))
    name = request.GET.get("scheme", "")
    if name and name not in schemes():
        raise UnknownName(name[:60], schemes(), _("scoring scheme"))
    kept = Score.objects.filter(district=wanted)
    latest = kept.order_by("-scored_at", "-pk").values_list("scheme", "year").first() or (schemes()[0], None)
    name = name or latest[0]
    years = list(kept.filter(scheme=name).order_by("-year").values_list("year", flat=True).distinct())
    year = _number(request.GET.get("year") or (years[0] if years else 0), _("year"))
    rows = kept.filter(scheme=name, year=year)
    found = rows.filter(grade=request.GET["grade"]) if request.GET.get("grade") else rows
    page = _number(request.GET.get("page", "1"), _("page"))
    first = (max(page, 1) - 1) * PAGE
    scheme = load(name)
    listed = found.select_related("enterprise").order_by("group", "place", "enterprise__name", "pk")
    shown = [_row(one, scheme) for one in listed[first : first + PAGE]]
    official = dict(
        EnterpriseYear.objects.filter(year=year, enterprise__in=[one["enterprise"] for one in shown])
        .exclude(grade="")
        .values_list("enterprise_id", "grade")
    )
    for one in shown:
        one["official"] = official.get(one["enterprise"], "")
        one["differs"] = bool(one["official"] and one["grade"] and one["official"] != one["grade"])
    total = found.count()
    query = {key: value for key in PARAMETERS if (value := request.GET.get(key))}
    here = reverse("statistics-scores")
    context = {
        "scheme": scheme,
        "digest": rows.values_list("digest", flat=True).first(),
        "schemes": [{"value": one, "title": load(one).name, "chosen": one == name} for one in schemes()],
        "years": years,
        "year": year,
        "places": places,
        "district": wanted,
        "rows": shown,
        "total": total,
        "grades": _grades(rows, scheme),
        "grade": request.GET.get("grade", ""),
        "groups": [_group(one) for one in scheme.groups],
        "before": f"{here}?{urlencode(query | {'page': page - 1})}" if page > 1 else None,
        "after": f"{here}?{urlencode(query | {'page': page + 1})}" if first + PAGE < total else None,
    }
    return render(request, "units/scores.html", context)


def reason_text(reason: str) -> str:
    """Why a firm has no score, as a sentence."""
    kind, _colon, name = reason.partition(":")
    words = {
        "above_scale": _("whether it is above scale"),
        "land": _("the land it uses"),
        "land_mu_min": _("land below the least size"),
        "sector": _("its sector"),
        "sectors": _("a sector that is not rated"),
        "started_on": _("when it began production"),
        "production_years_min": _("in production for too short a time"),
        **figure_titles(),
    }
    word = words.get(name, name)
    sentences = {
        "missing": _("Not scored, not known: %(word)s"),
        "outside": _("Takes no part: %(word)s"),
        "unrated": _("Not rated (T): %(word)s"),
        "benchmark": _("Not scored, no benchmark: %(word)s"),
        "spread": _("Not scored, all alike or none known: %(word)s"),
    }
    return sentences[kind] % {"word": word}


def figure_titles() -> dict[str, str]:
    """What each figure is called."""
    return {
        "tax_per_mu": _("Tax per mu"),
        "sales_per_mu": _("Sales per mu"),
        "output_per_mu": _("Output per mu"),
        "output_per_tce": _("Output per tce"),
        "output_per_head": _("Output per employee"),
    }


def _row(one: Score, scheme) -> dict:
    titles = figure_titles()
    groups = {group.id: sets.in_words(group.title, group.title_en) for group in scheme.groups}
    return {
        "enterprise": one.enterprise_id,
        "name": one.enterprise.name,
        "code": one.enterprise.credit_code,
        "group": groups.get(one.group, one.group),
        "score": one.score,
        "place": one.place,
        "rated": one.rated,
        "grade": one.grade,
        "reason": reason_text(one.reason) if one.reason else "",
        "items": [item | {"title": titles.get(item["name"], item["name"])} for item in one.details.get("items", [])],
    }


def _grades(rows, scheme) -> list[dict]:
    counts = {grade: rows.filter(grade=grade).count() for grade in (*(one for one, _cut in scheme.cuts), NOT_RATED)}
    return [{"grade": grade, "count": count} for grade, count in counts.items()]


def _group(group) -> dict:
    titles = figure_titles()
    return {
        "title": sets.in_words(group.title, group.title_en),
        "items": [
            {"title": titles.get(item.name, item.name), "weight": item.weight, "benchmark": item.benchmark}
            for item in group.items
        ],
    }


def _number(text, kind: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", str(text)):
        raise UsageError(_("“%(text)s” is no %(kind)s.") % {"text": str(text)[:20], "kind": kind})
    return int(text)
