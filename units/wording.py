"""Write values, comparisons and conditions of criteria as people read them."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from units.criteria import sets
from units.criteria.landuse import NONE
from units.criteria.measures import MEASURES, VALUES
from units.criteria.sets import Criteria, Rule
from units.criteria.thresholds import SIGNS, Joined, Threshold, named, number, tree
from units.explaining import UOM_TITLES
from units.models import Category
from units.spatial import rounded

OPERATORS = {
    "<": gettext_lazy("below %(limit)s"),
    "<=": gettext_lazy("at most %(limit)s"),
    ">": gettext_lazy("above %(limit)s"),
    ">=": gettext_lazy("at least %(limit)s"),
    "=": gettext_lazy("equals %(limit)s"),
    "<>": gettext_lazy("not %(limit)s"),
    "in": gettext_lazy("one of %(limit)s"),
    "not in": gettext_lazy("none of %(limit)s"),
    "between": gettext_lazy("from %(limit)s to %(most)s"),
    "not between": gettext_lazy("not from %(limit)s to %(most)s"),
    "like": gettext_lazy("like %(limit)s"),
    "not like": gettext_lazy("not like %(limit)s"),
    "is null": gettext_lazy("not known"),
    "is not null": gettext_lazy("known"),
}


def against(line: dict) -> str:
    """What a comparison asks for, in words: “at least 0.50”."""
    limit, most = line["limit"], ""
    if line["op"].endswith("between"):
        limit, most = limit
    elif line["op"].endswith("in"):
        name = line.get("measure") or ""
        limit = [written(one, "", measure=name) for one in limit] or [_("an empty list")]
    elif limit is None and "null" not in line["op"]:
        limit = line["text"]  # it follows from facts that are not known
    name = line.get("measure") or ""
    limit = "、".join(map(str, limit)) if isinstance(limit, list) else written(limit, line["uom"], measure=name)
    return OPERATORS[line["op"]] % {"limit": limit, "most": written(most, line["uom"])}


def written(value, uom: str, decimals: int | None = None, measure: str = "") -> str | None:
    """A value as people read it: rounded, with its unit; a word of a measure by its title. None stays None."""
    if value is None:
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "、".join(str(one) for one in value)
    if isinstance(value, int | float | Decimal):
        number = _number(value) if decimals is None else f"{rounded(value, decimals)}"
        return f"{number}\N{NO-BREAK SPACE}{UOM_TITLES[uom]}" if uom in UOM_TITLES else number
    if value in VALUES.get(measure, {}):
        return str(VALUES[measure][value])
    return category_title(value) if value == NONE or value in Category else value


def category_title(category: str) -> str:
    if category == NONE:
        return _("None of the four categories")
    return str(Category(category).label) if category in Category else _("Category unknown")


UNSAID = frozenset({"1", "year", "grade", "geoinv"})  # units that a number or a word does not need


def uom_title(uom: str) -> str:
    """A unit in the reader's language; empty where a value is read without one."""
    return str(UOM_TITLES.get(uom, "" if uom in UNSAID else uom))


# --- a whole set, as a document ----------------------------------------------------------------------------------

CONFIDENCES = {
    "P": gettext_lazy("the issuing text was read"),
    "S": gettext_lazy("read in a mirror or a news item"),
    "M": gettext_lazy("not checked"),
    "D": gettext_lazy("demonstration, not policy"),
}
EFFECT_TITLES = {
    "flag": gettext_lazy("flags"),
    "exclude": gettext_lazy("excludes"),
    "exempt": gettext_lazy("exempts"),
    "classify": gettext_lazy("classifies"),
    "warn": gettext_lazy("warns"),
    "require": gettext_lazy("requires"),
}
EXPECTED = {True: gettext_lazy("met"), False: gettext_lazy("not met"), None: gettext_lazy("data missing")}
KINDS = {"parcel": gettext_lazy("parcels"), "building": gettext_lazy("office buildings")}


def condition(rule: Rule, criteria: Criteria) -> str:
    """The condition of a rule as a sentence with the values that hold: “FAR below 1.00 or coverage below 0.30”."""
    return _sentence(tree(rule, criteria.params, "w_"), criteria, top=True)


def _sentence(one: Joined | Threshold, criteria: Criteria, top: bool = False) -> str:
    if isinstance(one, Joined):
        word = pgettext("condition", " and ") if one.op == "and" else pgettext("condition", " or ")
        text = word.join(_sentence(part, criteria) for part in one.parts)
        return text if top else _("(%(text)s)") % {"text": text}
    uom = MEASURES[one.measure].uom if one.measure else ""
    limits = [_limit(side, criteria) for side in one.limits]
    several = one.op in ("in", "not in", "between", "not between")
    flat = [item for side in limits for item in (side if isinstance(side, list) else [side])]
    limit = flat if several else (flat or [None])[0]
    line = {"op": one.op, "limit": limit, "uom": uom, "text": one.text, "measure": one.measure}
    return pgettext("condition", "%(side)s %(comparison)s") % {
        "side": side_in_words(one.left),
        "comparison": against(line),
    }


def side_in_words(node) -> str:
    """A side of a comparison, with titles in the place of names."""
    if isinstance(node, dict) and "op" in node:
        return f" {SIGNS[node['op']]} ".join(side_in_words(side) for side in node["args"])
    name = named(node)
    if name is not None:
        return str(MEASURES[name].title) if name in MEASURES else name
    return _number(number(node).normalize()) if isinstance(node, int | float) else str(node)


def _limit(side, criteria: Criteria):
    name = named(side)
    if name in criteria.params:
        value = criteria.params[name].value
        return list(value) if isinstance(value, tuple) else value
    if isinstance(side, str | bool):
        return side
    return number(side).normalize() if isinstance(side, int | float) else side_in_words(side)


def plainly(value):
    """A parameter's value as it is written, numbers with their digits."""
    if isinstance(value, tuple):
        return [plainly(one) for one in value]
    return _number(value) if isinstance(value, Decimal) else value


def _number(value: int | float | Decimal) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else f"{value}"  # never 1E+1


def outline(criteria: Criteria) -> dict:
    """What a set says, in the order in which a planner audits it: head, parameters, rules with their cases, changes."""
    chinese = sets.speaks_chinese()
    return {
        "id": criteria.id,
        "title": sets.in_words(criteria.title, criteria.title_en),
        "parent": criteria.parent,
        "valid_from": criteria.valid_from,
        "status": criteria.status,
        "official": criteria.official,
        "example": criteria.example,
        "approved_by": criteria.approved_by,
        "digest": criteria.digest,
        "people": [category_title(one) for one in criteria.people],
        "params": [
            {
                "name": name,
                "value": written(plainly(one.value), one.uom)
                if not isinstance(one.value, tuple)
                else "、".join(str(each) for each in plainly(one.value)),
                "formula": one.formula,
                "uom": one.uom,
                "uom_title": uom_title(one.uom),
                "note": sets.in_words(one.note, one.note_en),
                "source": one.source,
                "confidence": one.confidence,
                "origin": one.origin,
                "own": one.origin == criteria.id,
                "before": written(plainly(one.parent.value), one.uom) if one.parent else None,
                "before_set": one.parent.origin if one.parent else "",
                "reason": one.reason,
                "approved_by": one.approved_by,
            }
            for name, one in criteria.params.items()
        ],
        "rules": [
            {
                "id": rule.id,
                "title": sets.in_words(rule.title, rule.title_en),
                "effect": rule.effect,
                "effect_title": str(EFFECT_TITLES[rule.effect]),
                "categories": [category_title(one) for one in rule.categories],
                "kinds": [str(KINDS[one]) for one in rule.subjects],
                "basis": rule.basis,
                "confidence": rule.confidence,
                "confidence_title": str(CONFIDENCES.get(rule.confidence, "")),
                "sentence": condition(rule, criteria),
                "when": rule.when,
                "message": rule.message if chinese or not rule.message_en else rule.message_en,
                "origin": rule.origin,
                "own": rule.origin == criteria.id,
                "replaces": rule.replaces,
                "before": condition(rule.before, criteria) if rule.before else "",
                "params": list(rule.condition.params),
                "measures": [
                    {
                        "name": name,
                        "title": str(MEASURES[name].title),
                        "definition": str(MEASURES[name].definition),
                        "uom": MEASURES[name].uom,
                    }
                    for name in rule.condition.measures
                ],
                "cases": [
                    {
                        "name": case.name,
                        "given": [
                            (str(MEASURES[name].title), written(plainly(value), "", measure=name))
                            for name, value in case.given.items()
                        ],
                        "expect": case.expect,
                        "expect_title": str(EXPECTED[case.expect]),
                    }
                    for case in rule.cases
                ],
            }
            for rule in criteria.rules
        ],
        "disabled": [{"rule": name, "reason": reason} for name, reason in criteria.disabled.items()],
        "areas": [
            {
                "id": area.id,
                "title": sets.in_words(area.title, area.title_en),
                "streets": list(area.streets),
                "changes": [
                    {**one, "before": plainly(one["before"]), "after": plainly(one["after"])}
                    for one in sets.changes(area.criteria)
                ],
            }
            for area in criteria.areas
        ],
    }
