"""The card of one parcel: what it is, how large by which count, what lies under it, and why it was flagged or not."""

from decimal import Decimal
from functools import cache
from pathlib import Path

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.criteria.landuse import NONE
from units.criteria.measures import SOURCE_TITLES
from units.errors import NotAllowed, NotFound, UsageError
from units.explaining import explain
from units.models import Category, Flag, Scheme, Street
from units.rights import Grant
from units.spatial import rounded
from units.views.asking import BOX, asked, box, grants, visible
from units.views.land_classes import land_group

SQL = Path(__file__).parent.parent / "sql" / "pages"
FEW = 12  # buildings that are listed; all are counted
NO_UNIT = {"", "1", "geoinv", "use_scheme"}  # shares and codes are shown without a unit
EFFECTS = {
    "flag": gettext_lazy("condition"),
    "exclude": gettext_lazy("exclusion"),
    "exempt": gettext_lazy("exemption"),
    "classify": gettext_lazy("classification"),
    "warn": gettext_lazy("warning"),
    "require": gettext_lazy("requirement"),
}
MIX_WIDTH = 100.0  # the bar of land classes is drawn in per cent


@require_safe
@cache_control(private=True, no_cache=True)
def parcel(request, code: str):
    """The card as a page of its own, or with `?fragment=1` as the part that the map puts beside itself."""
    held = grants(request)
    context = card(code, held)
    fragment = request.GET.get("fragment") == "1"
    return render(request, "units/_card.html" if fragment else "units/parcel.html", context)


def card(code: str, held: tuple[Grant, ...]) -> dict:
    """Everything the card says of a parcel; NotFound when there is none that these grants may see."""
    found = facts(code, held)
    ground = under(found["fid"], held)
    buildings = on(found["fid"], held)
    surveyed = [row["surveyed_m2"] for row in ground if row["surveyed_m2"] is not None]
    return {
        "parcel": found,
        "box": ",".join(map(str, found["box"])),
        "street": Street.objects.filter(code=found["street_id"]).first(),
        "scheme_title": Scheme(found["use_scheme"]).label if found["use_scheme"] in Scheme else "",
        "ground": ground,
        "surveyed_m2": sum(surveyed) if surveyed else None,
        "buildings": buildings,
        "building_count": buildings[0]["all_of_them"] if buildings else 0,
    } | why(code, held)


def facts(code: str, held: tuple[Grant, ...]) -> dict:
    """The parcel's own columns; one that the reader may not see is None."""
    collection = COLLECTIONS["parcels"]
    view = collection.seen_by(held)
    if view.rows.never:
        raise NotAllowed(
            _("Parcels are open to the departments that work on them."), _("Sign in with an account of one of them.")
        )
    source, params = visible(collection, view)
    columns = ", ".join(collection.names)
    rows = asked(f"SELECT fid, {columns}, {BOX} FROM {source} AS seen WHERE code = %(code)s", params | {"code": code})
    if not rows:
        raise NotFound(
            _("There is no parcel %(code)s, or none that you may see.") % {"code": code},
            _("Find it on the map by its code or location."),
        )
    found = rows[0]
    found["box"] = box(found)
    found["holder_open"] = view.sees("right_holder")
    return found


def under(fid: int, held: tuple[Grant, ...]) -> list[dict]:
    """The land classes under the parcel, the largest first, each with its part of the bar."""
    rows = _overlay("under_parcel", "patches", held, {"fid": fid})
    start = 0.0
    for row in rows:
        row["group"] = land_group(row["dlbm"])
        # Written as text: a number would take the language's own decimal sign into the drawing.
        row["start"], row["width"] = f"{start:.2f}", f"{row['share'] * MIX_WIDTH:.2f}"
        start += row["share"] * MIX_WIDTH
    return rows


def on(fid: int, held: tuple[Grant, ...]) -> list[dict]:
    """The largest buildings on the parcel, each with the number of all of them."""
    return _overlay("on_parcel", "buildings", held, {"fid": fid, "limit": FEW})


def why(code: str, held: tuple[Grant, ...]) -> dict:
    """What the rules say of the parcel; where no criteria can be asked, the sentence that says so."""
    try:
        told = explain(code, grants=held)
    except UsageError as error:
        return {"told": None, "untold": error}
    # What is met comes first, then what nobody can say; the rest is there to be checked.
    rules = sorted(told["rules"], key=lambda rule: (rule["verdict"] is not True, rule["verdict"] is not None))
    rules = [_readable(rule, told) for rule in rules]
    category = told["category"]
    return {
        "told": told,
        "outcome_title": Flag.Outcome(told["outcome"]).label,
        "category_title": _category_title(category),
        "judging": [rule for rule in rules if rule["effect"] != "classify"],
        "classifying": [rule for rule in rules if rule["effect"] == "classify"],
    }


def _readable(rule: dict, told: dict) -> dict:
    """A rule with its inputs and limits written for people: title, value, source."""
    measures, params = told["measures"], told["params"]
    return rule | {
        "effect_title": EFFECTS.get(rule["effect"], rule["effect"]),
        "shown": [
            {
                "title": measures[name]["title"],
                "value": _written(one["value"], one["uom"], measures[name]["decimals"]),
                "source": f"{SOURCE_TITLES.get(one['source'], one['source'])} {one['as_of'] or ''}".strip(),
            }
            for name, one in rule["inputs"].items()
        ],
        "limits": [
            {"name": name, "note": params[name]["note"], "value": _written(one["value"], one.get("uom", ""))}
            for name, one in rule["params"].items()
        ],
    }


def _written(value, uom: str, decimals: int | None = None) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "、".join(str(one) for one in value)
    if isinstance(value, int | float | Decimal):
        number = f"{value}" if decimals is None else f"{rounded(value, decimals)}"
        return number if uom in NO_UNIT else f"{number} {uom}"
    return _category_title(value) if value == NONE or value in Category else value


def _category_title(category: str) -> str:
    if category == NONE:
        return _("None of the four categories")
    return str(Category(category).label) if category in Category else _("Category unknown")


def _overlay(question: str, name: str, held: tuple[Grant, ...], values: dict) -> list[dict]:
    parcels, params = visible(COLLECTIONS["parcels"], COLLECTIONS["parcels"].seen_by(held))
    others, other_params = visible(COLLECTIONS[name], COLLECTIONS[name].seen_by(held))
    # Both number their rights from nought; the second set gets a name of its own.
    others = others.replace("%(", "%(other_")
    params = params | {f"other_{key}": value for key, value in other_params.items()} | values
    return asked(_read(question).format(parcel=parcels, **{name: others}), params)


@cache
def _read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
