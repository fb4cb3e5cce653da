"""Take the condition of a rule apart into its comparisons: what each reads, how it compares and against which limit."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import cql2

from units.criteria.compiler import Compiled, Param, compile_text
from units.criteria.measures import MEASURES
from units.criteria.sets import Rule

SIGNS = {"+": "+", "-": "\N{MINUS SIGN}", "*": "\N{MULTIPLICATION SIGN}", "/": "\N{DIVISION SIGN}"}
OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "<>", "<>": "="}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
OF_ONE = {"in": "not in", "between": "not between", "like": "not like", "isNull": "is not null"}


@dataclass(frozen=True)
class Threshold:
    """One comparison of a condition, with a NOT before it already taken in.

    `left` and `limits` are CQL2 JSON: the side that reads measures, and what it is held against. `compiled` is its SQL.
    """

    op: str  # < <= > >= = <> in, not in, between, not between, like, not like, is null, is not null
    left: object
    limits: tuple
    text: str
    compiled: Compiled

    @property
    def measure(self) -> str | None:
        """The one measure that stands alone on its side; None where the side is a calculation."""
        name = named(self.left)
        return name if name in MEASURES else None

    @property
    def param(self) -> str | None:
        """The one parameter that stands alone as the limit."""
        name = named(self.limits[0]) if len(self.limits) == 1 else None
        return name if name and name not in MEASURES else None


@dataclass(frozen=True)
class Joined:
    """An AND or OR of comparisons. NOT is taken into them: that changes no value of three-valued logic."""

    op: str  # and, or
    parts: tuple["Joined | Threshold", ...]


def tree(rule: Rule, params: Mapping[str, Param], prefix: str) -> Joined | Threshold:
    """The condition of a rule that has been compiled already, as comparisons joined by AND and OR.

    `prefix` keeps the literals of its comparisons apart from those of other rules.
    """
    node = cql2.parse_text(rule.when).to_json()
    return _Reader(rule.id, dict(params), prefix).read(node, False)


def thresholds(one: Joined | Threshold) -> Iterator[Threshold]:
    """The comparisons of a condition, in the order in which they are written."""
    if isinstance(one, Threshold):
        yield one
    else:
        for part in one.parts:
            yield from thresholds(part)


def named(node) -> str | None:
    """The name that a side consists of, or None where it is a literal or a calculation."""
    return node.get("property") if isinstance(node, dict) else None


def names(node) -> set[str]:
    """Every name that stands in a part of a condition."""
    if isinstance(node, list | tuple):
        return set().union(*map(names, node))
    if isinstance(node, dict):
        return {node["property"]} if "property" in node else names(node["args"])
    return set()


def number(value) -> Decimal:
    """A number of CQL2 JSON as it was written."""
    return Decimal(repr(float(value)))


@dataclass
class _Reader:
    where: str
    params: dict[str, Param]
    prefix: str
    count: int = 0

    def read(self, node, negated: bool) -> Joined | Threshold:
        op, args = (node.get("op"), node.get("args")) if isinstance(node, dict) else (None, None)
        if op == "not":
            return self.read(args[0], not negated)
        if op in ("and", "or"):
            joined = op if not negated else "or" if op == "and" else "and"
            return Joined(joined, tuple(self.read(one, negated) for one in args))
        if op in OPPOSITES:
            op, (left, right) = OPPOSITES[op] if negated else op, args
            if not names(left) & set(MEASURES):
                op, left, right = MIRRORED[op], right, left
            return self.made({"op": op, "args": [left, right]}, op, left, (right,))
        if op in OF_ONE:
            written = {"op": "not", "args": [node]} if negated else node
            plain = "is null" if op == "isNull" else op
            limits = tuple(args[1]) if op == "in" and isinstance(args[1], list) else tuple(args[1:])
            return self.made(written, OF_ONE[op] if negated else plain, args[0], limits)
        # a truth value by itself
        written = {"op": "not", "args": [node]} if negated else node
        return self.made(written, "=", node, (not negated,))

    def made(self, node, op: str, left, limits: tuple) -> Threshold:
        self.count += 1
        text = cql2.parse_json(json.dumps(node)).to_text()
        compiled = compile_text(text, self.params, f"{self.prefix}{self.count}_", self.where)
        return Threshold(op, left, limits, text, compiled)
