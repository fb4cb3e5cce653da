"""The card of one parcel or building: what it is, who uses it, and why it was flagged or not."""

from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units.collections import COLLECTIONS
from units.criteria.measures import SOURCE_TITLES
from units.criteria.turning import SIGNED
from units.errors import NotAllowed, NotFound, UsageError
from units.explaining import explain, last_used
from units.lineage import resolve
from units.models import Building, Flag, Occupancy, Parcel, Scheme, Street, Survey
from units.printing import printed
from units.rights import Grant, sees_figures
from units.templatetags.land import mu, square_metres, use_name
from units.views.asking import BOX, asked, box, grants, only, visible
from units.views.determinations import determination_block
from units.views.economy import contracts, firms
from units.views.field import field_block
from units.views.land_classes import land_group
from units.views.runs import named_set
from units.views.sketch import sketch
from units.wording import against, category_title, written

SQL = Path(__file__).parent.parent / "sql" / "pages"
PARAMETERS = ("fragment", "criteria")
FEW = 12  # buildings that are listed; all are counted
EFFECTS = {
    "flag": gettext_lazy("condition"),
    "exclude": gettext_lazy("exclusion"),
    "exempt": gettext_lazy("exemption"),
    "classify": gettext_lazy("classification"),
    "warn": gettext_lazy("warning"),
    "require": gettext_lazy("requirement"),
}
# What the rules that led to an outcome did, in the order in which they are told.
LED = {
    "candidate": ("flag",),
    "excluded": ("exclude",),
    "exempted": ("flag", "exempt"),
}
WAYS = ("not_low", "candidate", "exempted", "excluded", "undecided")  # to other outcomes, in the order of telling
MIX_WIDTH = 100.0  # the bar of land classes is drawn in per cent


@require_safe
@cache_control(private=True, no_cache=True)
def parcel(request, code: str):
    """The card as a page of its own, or with `?fragment=1` as the part that the map puts beside itself.

    `?criteria=` names the set by which it is judged, as the map shows it; without it, the one that ran last.
    A code of an earlier round leads to the parcel that has its ground now, or tells which have.
    """
    only(request, *PARAMETERS)
    try:
        return _answer(request, card(code, grants(request), named_set(request.GET)))
    except NotFound as gone:
        return successors(request, code, gone)


def successors(request, code: str, gone: NotFound) -> HttpResponse:
    """Where the ground of a parcel went whose code stands no longer; `gone` again where nobody knows."""
    held = grants(request)
    reached = resolve("parcel", code[:6], code) if "\0" not in code else []
    seen = COLLECTIONS["parcels"].seen_by(held).rows.q()
    codes = [one for one in reached if one != code and _standing(one).filter(seen).exists()]
    if not codes:
        raise gone
    if "fragment" in request.GET:  # the map shows a sentence
        raise NotFound(
            _("The parcel %(code)s stands no longer. Its ground is now that of: %(codes)s.")
            % {"code": code, "codes": ", ".join(codes)},
            code="succeeded",
        ) from gone
    if len(codes) == 1:
        return HttpResponseRedirect(reverse("parcel", args=codes))
    return render(request, "units/parcel_gone.html", {"code": code, "codes": codes})


def _standing(code: str):
    return Parcel.objects.filter(code=code, survey__state=Survey.State.IN_FORCE)


@require_safe
@cache_control(private=True, no_cache=True)
def building(request, code: str):
    """The card of a building (楼宇), as a page or as the part that the map puts beside itself."""
    only(request, *PARAMETERS)
    return _answer(request, building_card(code, grants(request), named_set(request.GET)))


@require_safe
@cache_control(private=True, no_cache=True)
def parcel_pdf(request, code: str):
    """The card of a parcel as a PDF file: the same facts and rules give the same file."""
    only(request, "criteria")
    return _file(request, card(code, grants(request), named_set(request.GET)))


@require_safe
@cache_control(private=True, no_cache=True)
def building_pdf(request, code: str):
    """The card of a building as a PDF file."""
    only(request, "criteria")
    return _file(request, building_card(code, grants(request), named_set(request.GET)))


def _file(request, context: dict) -> HttpResponse:
    page = render_to_string("units/print_card.html", context | _printed(context))
    name = f"card-{context['code']}.pdf"
    headers = {"Content-Disposition": content_disposition_header(True, name)}
    return HttpResponse(printed(page), content_type="application/pdf", headers=headers)


def _printed(context: dict) -> dict:
    """What only the printed card says: the land in a few lines, all rules in one order, the files behind them."""
    told = context["told"]
    rules = [*context["met"], *context["unknown"], *context["not_met"], *context["classifying"]] if told else []
    return {
        "printed_facts": _land(context),
        "printed_rules": [rule for rule in rules if rule["effect"] != "classify" or rule["verdict"] is not False],
        "printed_sources": [
            {"title": SOURCE_TITLES.get(source, source), **one}
            for source, found in (told["sources"] if told else {}).items()
            for one in found
        ],
        "place": context["parcel"]["address"] if "parcel" in context else context["building"].name,
    }


def _land(context: dict) -> list[tuple[str, str]]:
    """Areas, use, street and survey, each with its title; what is not known is said to be."""
    blank = _("not stated")

    def area(value) -> str:
        return f"{square_metres(value)} m² ({mu(value)} {_('mu')})" if value is not None else blank

    street = context["street"] or blank
    if "building" in context:
        building = context["building"]
        return [
            (_("Footprint"), area(building.area_m2)),
            (_("Floor area"), area(building.floor_area_m2)),
            (_("On parcel"), "、".join(one["code"] for one in context["parcels"]) or blank),
            (_("Year built"), building.built_year or blank),
            (_("Street"), street),
            (_("Base survey"), context["base_survey"]),
        ]
    parcel = context["parcel"]
    use = parcel["registered_use"]
    named_use = f"{use_name(use, parcel['use_scheme'])} {use} {context['scheme_title']}" if use else blank
    return [
        (_("Measured"), area(parcel["area_m2"])),
        (_("Surveyed"), area(context["surveyed_m2"])),
        (_("Documentary"), area(parcel["documented_m2"])),
        (_("Registered use"), named_use),
        *([(_("Right holder"), parcel["right_holder"] or blank)] if parcel["holder_open"] else []),
        (_("Street"), street),
        (_("Base survey"), parcel["base_survey"]),
    ]


def _answer(request, context: dict):
    fragment = request.GET.get("fragment") == "1"
    return render(request, context["body"] if fragment else "units/parcel.html", context | {"fragment": fragment})


def card(code: str, held: tuple[Grant, ...], criteria: str | None = None) -> dict:
    """Everything the card says of a parcel, by one set; NotFound when there is none that these grants may see."""
    found = facts("parcels", code, held)
    parcel_row = Parcel.objects.get(pk=found["fid"])
    ground = under(found["fid"], held)
    buildings = on(found["fid"], held, criteria or stated(found["district_id"]))
    surveyed = [row["surveyed_m2"] for row in ground if row["surveyed_m2"] is not None]
    figures = sees_figures(held, found["district_id"], found["street_id"])
    told = why(code, held, criteria)
    return {
        "body": "units/_card.html",
        "kind": "parcel",
        "code": code,
        "box": ",".join(map(str, found["box"])),
        "parcel": found,
        "street": Street.objects.filter(code=found["street_id"]).first(),
        "scheme_title": Scheme(found["use_scheme"]).label if found["use_scheme"] in Scheme else "",
        "ground": ground,
        "surveyed_m2": sum(surveyed) if surveyed else None,
        "buildings": buildings,
        "building_count": buildings[0]["all_of_them"] if buildings else 0,
        "figures": figures,
        "firms": firms(Occupancy.objects.filter(parcel=found["fid"]), figures),
        "contracts": contracts(found["fid"]),
        **determination_block(parcel_row, held),
        **field_block(parcel_row, held),
        **drawn(found["fid"], "parcel", held, told),
    } | told


def building_card(code: str, held: tuple[Grant, ...], criteria: str | None = None) -> dict:
    """Everything the card says of a building, by one set; NotFound when there is none that these grants may see."""
    found = facts("buildings", code, held)
    figures = sees_figures(held, found["district_id"], found["street_id"])
    row = Building.objects.get(pk=found["fid"])
    parcels = _overlay("under_building", "parcels", held, {"fid": row.pk}, of="buildings")
    # A firm on the parcel that names no building is spread over all of them.
    used = Q(building=row) | Q(building=None, parcel__in=[one["fid"] for one in parcels[:1]])
    told = why(code, held, criteria)
    return {
        "body": "units/_building.html",
        "kind": "building",
        "code": code,
        "box": ",".join(map(str, found["box"])),
        "building": row,
        "base_survey": found["base_survey"],
        "street": Street.objects.filter(code=found["street_id"]).first(),
        "parcels": parcels,
        "vacant": row.vacant_m2 / row.floor_area_m2 if row.vacant_m2 is not None and row.floor_area_m2 else None,
        "figures": figures,
        "vacant_since": day(row.extra.get("KZQSSJ")),
        "firms": firms(Occupancy.objects.filter(used), figures),
        **determination_block(row, held),
        **field_block(row, held),
        **drawn(row.pk, "building", held, told),
    } | told


def drawn(fid: int, kind: str, held: tuple[Grant, ...], told: dict) -> dict:
    """The small map of the subject with the pieces that the rules found on it."""
    overlay = told["told"]["overlay"] if told["told"] else {}
    return {"drawing": sketch(fid, kind, held, overlay)}


def day(delivered) -> str:
    """A date of eight digits as a delivery has it, written like all others; anything else as it is."""
    text = str(delivered or "")
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def facts(name: str, code: str, held: tuple[Grant, ...]) -> dict:
    """The own columns of a parcel or building; one that the reader may not see is None."""
    collection = COLLECTIONS[name]
    view = collection.seen_by(held)
    if view.rows.never:
        raise NotAllowed(
            _("Parcels are open to the departments that work on them."), _("Sign in with an account of one of them.")
        )
    source, params = visible(collection, view)
    columns = ", ".join(collection.names)
    rows = asked(
        f"SELECT fid, {columns}, {BOX} FROM {source} AS seen WHERE code = %(code)s ORDER BY fid LIMIT 1",
        params | {"code": code},
    )
    if not rows:
        raise NotFound(
            _("There is no building %(code)s, or none that you may see.") % {"code": code}
            if name == "buildings"
            else _("There is no parcel %(code)s, or none that you may see.") % {"code": code},
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


def stated(district: str) -> str | None:
    """The set by which a district is judged where none is named; None where nobody could say."""
    try:
        return last_used(district)
    except UsageError:
        return None


def on(fid: int, held: tuple[Grant, ...], criteria: str | None) -> list[dict]:
    """The largest buildings on the parcel, each with the number of all of them and what the set says of it."""
    rows = _overlay("on_parcel", "buildings", held, {"fid": fid, "limit": FEW})
    flags = Flag.objects.filter(building__in=[row["fid"] for row in rows], criteria=criteria or "")
    outcomes = dict(flags.values_list("building", "outcome"))
    for row in rows:
        outcome = outcomes.get(row["fid"])
        row["outcome"], row["outcome_title"] = outcome, Flag.Outcome(outcome).label if outcome else ""
        known = row["vacant_m2"] is not None and row["floor_area_m2"]
        row["vacant"] = row["vacant_m2"] / row["floor_area_m2"] if known else None
    return rows


def why(code: str, held: tuple[Grant, ...], criteria: str | None) -> dict:
    """What the rules say of the subject; where no criteria can be asked, the sentence that says so."""
    # Cards that are linked to from one that was asked for by a set are of that set too.
    named = {"named_set": criteria or "", "by_set": f"?{urlencode({'criteria': criteria})}" if criteria else ""}
    try:
        told = explain(code, criteria, grants=held)
    except UsageError as error:
        return named | {"told": None, "untold": error}
    rules = [_readable(rule, told) for rule in told["rules"]]
    judging = [rule for rule in rules if rule["effect"] != "classify"]
    led = LED.get(told["outcome"], ())
    for rule in judging:
        rule["led"] = met(rule) and rule["effect"] in led  # told at the top, with its words
    return named | {
        "told": told,
        "outcome_title": Flag.Outcome(told["outcome"]).label,
        "category_title": category_title(told["category"]),
        "because": [
            {
                "effect_title": EFFECTS[effect],
                "rules": [rule for rule in judging if met(rule) and rule["effect"] == effect],
            }
            for effect in led
        ],
        "asked": by_owner(told["missing"]),
        "turning": turning(told),
        "met": [rule for rule in judging if met(rule)],
        "unknown": [rule for rule in judging if rule["verdict"] is None],
        "not_met": [rule for rule in judging if rule["verdict"] is False],
        "classifying": [rule for rule in rules if rule["effect"] == "classify"],
    }


def met(rule: dict) -> bool:
    return rule["verdict"] is True


def by_owner(missing: list[dict]) -> list[dict]:
    """The facts to ask for under the department that owns them, so that one letter a department will do."""
    owners: dict[str, list[str]] = {}
    for fact in missing:
        owners.setdefault(fact["owner_name"], []).append(fact["title"])
    return [{"owner": owner, "facts": facts} for owner, facts in owners.items()]


def _readable(rule: dict, told: dict) -> dict:
    """A rule with its comparisons written for people: what was read, from where, against what, and what that says."""
    params = told["params"]
    return rule | {
        "effect_title": EFFECTS.get(rule["effect"], rule["effect"]),
        "lines": [
            line
            | {
                "read": written(line["value"], line["uom"], line["decimals"], line["measure"] or ""),
                "source_title": f"{SOURCE_TITLES.get(line['source'], line['source'])} {line['as_of'] or ''}".strip(),
                "against": against(line),
                "note": params[line["param"]]["note"] if line["param"] in params else "",
                "known": line["value"] is not None or line["op"] in ("is null", "is not null"),
            }
            for line in rule["thresholds"]
        ],
    }


def turning(told: dict) -> list[dict]:
    """The ways to each other outcome in words, those by facts of the land before those by another limit or category."""
    outcomes: dict[str, dict] = {}
    for way in told["would_change"]:
        if way["outcome"] == "undecided" and told["outcome"] != "excluded":
            continue  # facts that would only be asked for are no way out
        outcome = outcomes.setdefault(
            way["outcome"],
            {
                "outcome": way["outcome"],
                "title": Flag.Outcome(way["outcome"]).label,
                "facts": [],
                "limits": [],
                "else": [],
            },
        )
        kinds = {change["kind"] for change in way["changes"]}
        place = "else" if not way["same_category"] else "limits" if "parameter" in kinds else "facts"
        outcome[place].append(
            {
                "category_title": category_title(way["category"]),
                "rules": way["rules"],
                "changes": [
                    {
                        "title": change["title"],
                        "note": told["params"][change["name"]]["note"] if change["kind"] == "parameter" else "",
                        "now": written(change["now"], change["uom"], change["decimals"], change["name"]),
                        "then": _then(change),
                    }
                    for change in way["changes"]
                ],
            }
        )
    return sorted(outcomes.values(), key=lambda one: WAYS.index(one["outcome"]))


def _then(change: dict) -> str:
    """The values of a change in words: “1.00 or more”."""
    least, most = (written(change[side], change["uom"], change["decimals"]) for side in ("least", "most"))
    if change["one_of"]:
        return _("or").join(f" {written(one, '', measure=change['name'])} " for one in change["one_of"]).strip()
    if change["none_of"]:
        texts = "、".join(written(one, "", measure=change["name"]) for one in change["none_of"])
        return _("anything but %(texts)s") % {"texts": texts}
    if least and most:
        return least if least == most else _("%(least)s to %(most)s") % {"least": least, "most": most}
    if least:
        return _("%(least)s or more") % {"least": least}
    if most and change["most"] == 0 and change["name"] not in SIGNED:
        return most  # there is nothing below it
    if most:
        return _("%(most)s or less") % {"most": most}
    return _("any value")


def _overlay(question: str, name: str, held: tuple[Grant, ...], values: dict, of: str = "parcels") -> list[dict]:
    """The rows of the collection `name` over one of the collection `of`, both as far as these grants see them."""
    ours, params = visible(COLLECTIONS[of], COLLECTIONS[of].seen_by(held))
    others, other_params = visible(COLLECTIONS[name], COLLECTIONS[name].seen_by(held))
    # Both number their rights from nought; the second set gets a name of its own.
    others = others.replace("%(", "%(other_")
    params = params | {f"other_{key}": value for key, value in other_params.items()} | values
    return asked(_read(question).format(**{of.removesuffix("s"): ours, name: others}), params)


@cache
def _read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
