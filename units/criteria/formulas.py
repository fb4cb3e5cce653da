"""Compute the parameters that follow from other parameters by a formula."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from graphlib import CycleError, TopologicalSorter

from django.utils.translation import gettext as _

from units.criteria.compiler import (
    MAX_NESTING,
    MAX_PRODUCTS,
    Param,
    Unit,
    meant,
    nearest,
    parsed,
    refusal,
    times,
    unit_of,
    uom_of,
)
from units.criteria.measures import MEASURES, NUMBER
from units.errors import CriteriaError

SIGN = "="  # a value that begins with it is a formula
DECIMALS = Decimal(10) ** -10  # to which what is computed is rounded, half up
AHEAD = "0 = ("  # the parser reads conditions only
MAX_NUMBER = Decimal(10) ** 15


def resolved(params: dict[str, Param], where: str, strict: bool = True) -> dict[str, Param]:
    """The parameters with every formula computed over the values that hold now.

    Raises CriteriaError for a circle (by the names that form it), a name that is none, a division by 0 and a unit that
    is not the one that the parameter says.
    """
    if not any(param.formula for param in params.values()):
        return params
    trees = {name: _tree(param, where, strict) for name, param in params.items() if param.formula}
    needs = {name: set(_names(tree)) & set(trees) for name, tree in trees.items()}
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        raise CriteriaError(
            f"{where}, [params] {circle[0]}: "
            + _("The formulas go in a circle: %(circle)s.") % {"circle": " → ".join(circle)},
            _("Give one of them a number."),
            place=f"[params] {circle[0]}",
            name=circle[0],
            fault=_("The formulas go in a circle: %(circle)s.") % {"circle": " → ".join(circle)},
        ) from None
    found = dict(params)
    for name in order:
        found[name] = _computed(found[name], trees[name], found, where, strict)
    return found


def formula_of(value) -> str:
    """The formula that a value of the file stands for; empty for a plain value."""
    return value[len(SIGN) :].strip() if isinstance(value, str) and value.startswith(SIGN) else ""


def _tree(param: Param, where: str, strict: bool):
    place = f"{where}, [params] {param.name}"
    try:
        tree = parsed(f"{AHEAD}{param.formula})", place, strict)
    except CriteriaError as error:
        column = max(1, error.details["column"] - len(AHEAD))
        raise _fault(param, place, column, error.details["fault"], error.hint) from None
    if not (isinstance(tree, dict) and tree.get("op") == "=" and tree["args"][0] == 0):
        raise _fault(param, place, 1, _("A formula is a number: names of parameters, + - * / and brackets."))
    return tree["args"][1]


def _fault(param: Param, where: str, column: int, fault: str, hint: str = "", near_to: str = "") -> CriteriaError:
    error = refusal(where, param.formula, column, fault, hint, near_to)
    return CriteriaError(
        str(error.message).replace("when:", "value:", 1),
        hint,
        **{**error.details, "name": param.name, "place": f"[params] {param.name}", "key": "value"},
    )


def _names(node):
    if isinstance(node, dict):
        if "property" in node:
            yield node["property"]
        for one in node.get("args", ()):
            yield from _names(one)


def _computed(param: Param, tree, params: dict[str, Param], where: str, strict: bool) -> Param:
    place = f"{where}, [params] {param.name}"
    products = 0

    def column(token: str) -> int:
        return max(1, param.formula.find(token) + 1)

    def value(node, depth: int) -> tuple[Decimal, Unit | None]:
        nonlocal products
        if depth > MAX_NESTING:
            raise _fault(param, place, 1, _("Operators are nested deeper than %(limit)d.") % {"limit": MAX_NESTING})
        if isinstance(node, int | float) and not isinstance(node, bool):
            number = Decimal(repr(float(node)))
            if not number.is_finite() or abs(number) >= MAX_NUMBER:
                raise _fault(param, place, 1, _("The number is too large."))
            return number, None
        if isinstance(node, dict) and "property" in node:
            return named(node["property"])
        if isinstance(node, dict) and node.get("op") in ("+", "-", "*", "/"):
            products += node["op"] in "*/"
            if products > MAX_PRODUCTS:
                raise _fault(
                    param,
                    place,
                    1,
                    _("At most %(limit)d multiplications and divisions may stand in one condition.")
                    % {"limit": MAX_PRODUCTS},
                )
            (left, one), (right, other) = (value(part, depth + 1) for part in node["args"])
            return worked_out(node["op"], left, one, right, other)
        raise _fault(param, place, 1, _("A formula is a number: names of parameters, + - * / and brackets."))

    def named(name: str) -> tuple[Decimal, Unit | None]:
        known = [one.name for one in params.values() if one.type == NUMBER and not one.many and one.name != param.name]
        if name not in params:
            fault = (
                _("“%(name)s” is a measure: a formula holds parameters, a condition measures.")
                if name in MEASURES
                else _("There is no parameter “%(name)s”.")
            )
            raise _fault(param, place, column(name), fault % {"name": name}, meant(name, known), nearest(name, known))
        if name not in known:
            raise _fault(param, place, column(name), _("“%(name)s” is no number.") % {"name": name})
        return params[name].value, unit_of(params[name].uom)

    def worked_out(op: str, left, one, right, other) -> tuple[Decimal, Unit | None]:
        if op in "+-":
            if strict and one is not None and other is not None and one != other:
                raise _fault(
                    param,
                    place,
                    column(op),
                    _("Wrong unit: “%(one)s” (%(left)s) is put beside “%(other)s” (%(right)s).")
                    % {"one": uom_of(one), "other": uom_of(other), "left": op, "right": op},
                )
            return (left + right if op == "+" else left - right), one if other is None else other
        if op == "*":
            return left * right, times(one, other)
        if not right:
            raise _fault(param, place, column(op), _("This divides by 0."))
        return left / right, times(one, other, -1)

    number, unit = value(tree, 0)
    if abs(number) >= MAX_NUMBER:
        raise _fault(param, place, 1, _("The number is too large."))
    if strict and unit is not None and unit != unit_of(param.uom):
        raise _fault(
            param,
            place,
            1,
            _("Wrong unit: the formula is in “%(one)s”, the parameter in “%(other)s”.")
            % {"one": uom_of(unit), "other": param.uom},
        )
    number = number.quantize(DECIMALS, ROUND_HALF_UP).normalize()
    return replace(param, value=number if number.as_tuple().exponent <= 0 else number.quantize(Decimal(1)))
