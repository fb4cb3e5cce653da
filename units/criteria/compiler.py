"""Turn the CQL2 text of a rule into SQL over measures and parameters, every value bound.

The `cql2` package only parses; its `to_sql()` is never run, for it passes any function on to PostgreSQL. What may be
written is what `_Writer` knows: and, or, not, comparisons, between, in, like, is null and the four operations, over
names of measures and parameters. All else is refused with its place.
"""

import difflib
import re
from dataclasses import dataclass, field
from decimal import Decimal

import cql2
from django.utils.translation import gettext as _

from units.criteria.measures import BOOLEAN, MEASURES, NUMBER, SQL_TYPES, TEXT, TYPE_TITLES
from units.errors import CriteriaError

MAX_CHARACTERS = 2000
MAX_NESTING = 50  # brackets, and operators within operators; the parser's process dies of a few hundred brackets
EXACT_NUMBERS = 2**53  # a literal at or above it has lost digits in the parser: codes belong in quotes

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
ORDERINGS = ("<", "<=", ">", ">=")
CALCULATIONS = ("+", "-", "*", "/")
PLACE_IN_PARSER = re.compile(r"--> 1:(\d+)")
TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[^\W\d]\w*|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|<>|<=|>=|!=|.", re.DOTALL)


@dataclass(frozen=True)
class Param:
    """A parameter of a set: its value, unit and note; `origin` is the set that gave the value, `parent` what it was."""

    name: str
    value: object  # Decimal, str, bool or a tuple of Decimals or strs
    uom: str
    note: str
    origin: str = ""
    parent: "Param | None" = None
    note_en: str = ""

    @property
    def many(self) -> bool:
        return isinstance(self.value, tuple)

    @property
    def type(self) -> str:
        return type_of(self.value[0]) if self.many and self.value else TEXT if self.many else type_of(self.value)


def type_of(value) -> str:
    """The type of a literal as measures name theirs."""
    if isinstance(value, bool):
        return BOOLEAN
    return TEXT if isinstance(value, str) else NUMBER


@dataclass(frozen=True)
class Compiled:
    """SQL of a boolean over the alias `m`, the literals it binds, and the measures and parameters it names."""

    sql: str
    literals: dict[str, object]
    measures: tuple[str, ...]
    params: tuple[str, ...]


def compile_text(text: str, params: dict[str, Param], prefix: str, where: str, measures=MEASURES) -> Compiled:
    """The SQL of a condition. `prefix` keeps its literals apart from other rules'; `where` names file and rule.

    Raises CriteriaError that says file, rule, place, what is wrong and what was meant.
    """
    scan(text, where)
    try:
        tree = cql2.parse_text(text).to_json()
    except Exception as error:  # the parser raises bare Exceptions for shapes it cannot read
        found = PLACE_IN_PARSER.search(str(error))
        column = int(found[1]) if found else 1
        raise refusal(where, text, column, _("This is not CQL2.")) from None
    writer = _Writer(text, params, prefix, where, measures)
    written = writer.write(tree, 0)
    if written.type != BOOLEAN or written.many:
        raise refusal(where, text, 1, _("A condition is true or false; this is neither."))
    return Compiled(written.sql, writer.literals, tuple(writer.used_measures), tuple(writer.used_params))


def scan(text: str, where: str) -> None:
    """Refuse what is too long or too deep before the parser sees it: deep brackets kill its process."""
    if len(text) > MAX_CHARACTERS:
        raise refusal(
            where,
            text,
            MAX_CHARACTERS + 1,
            _("The condition has %(length)d characters; at most %(limit)d may be.")
            % {"length": len(text), "limit": MAX_CHARACTERS},
        )
    depth, quote = 0, ""
    for column, character in enumerate(text, 1):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
            if depth > MAX_NESTING:
                raise refusal(
                    where, text, column, _("Brackets are nested deeper than %(limit)d.") % {"limit": MAX_NESTING}
                )
        elif character in ")]}":
            depth -= 1
        elif character == "\0" or (ord(character) < 32 and character not in "\t\n\r"):
            raise refusal(where, text, column, _("A control character."))


def refusal(where: str, text: str, column: int, fault: str, hint: str = "") -> CriteriaError:
    """The error for one place of a condition."""
    near = text[max(0, column - 1) : column + 19].strip()
    place = f"when:{column}"  # the key of the file, and the column of its text
    if near:
        place += f" «{near}»"
    return CriteriaError(f"{where}, {place}: {fault}", hint, where=where, column=column)


def meant(name: str, known) -> str:
    """A hint that names the nearest known name, or all of them."""
    near = difflib.get_close_matches(name, list(known), 1)
    if near:
        return _("Did you mean “%(name)s”?") % {"name": near[0]}
    return _("Known are: %(known)s.") % {"known": ", ".join(sorted(known))}


@dataclass(frozen=True)
class _Written:
    sql: str
    type: str
    many: bool = False  # a list: it may stand after IN only
    items: tuple[str, ...] = ()
    uom: str = ""  # of a bare measure or parameter
    value: object = None  # of a literal
    literal: bool = False
    logical: bool = False  # the result of an operator, not a fact


@dataclass
class _Writer:
    text: str
    params: dict[str, Param]
    prefix: str
    where: str
    measures: dict
    literals: dict[str, object] = field(default_factory=dict)
    used_measures: dict[str, None] = field(default_factory=dict)
    used_params: dict[str, None] = field(default_factory=dict)

    def write(self, node, depth: int) -> _Written:
        if depth > MAX_NESTING:
            raise self.fault(None, _("Operators are nested deeper than %(limit)d.") % {"limit": MAX_NESTING})
        if isinstance(node, bool | str | int | float):
            return self.literal(node)
        if node is None:
            raise self.fault("null", _("Nothing equals null."), _("Write “name IS NULL”."))
        if isinstance(node, list):
            raise self.fault(None, _("A list may stand after IN only."))
        if "property" in node:
            return self.name(node["property"])
        if "op" in node:
            return self.operation(node["op"], node["args"], depth)
        if "coordinates" in node or "geometries" in node or "bbox" in node:
            raise self.fault(
                str(node.get("type", "BBOX")), _("Shapes may not stand in a rule."), _("Use a measure of the overlay.")
            )
        raise self.fault(
            next(iter(node), ""), _("Dates and intervals may not stand in a rule."), _("Use a measure of the age.")
        )

    def literal(self, value) -> _Written:
        if isinstance(value, bool | str):
            if isinstance(value, str) and "\0" in value:
                raise self.fault(None, _("A text may hold no NUL."))  # PostgreSQL has no such text
            bound = value
        else:
            bound = Decimal(repr(float(value)))
            if abs(bound) >= EXACT_NUMBERS:
                raise self.fault(
                    None, _("A number this large has lost digits."), _("A code is text: put it in quotes.")
                )
        key = f"{self.prefix}l{len(self.literals)}"
        self.literals[key] = bound
        kind = type_of(bound)
        return _Written(f"%({key})s::{SQL_TYPES[kind]}", kind, value=bound, literal=True)

    def name(self, name: str) -> _Written:
        if name in self.measures:
            measure = self.measures[name]
            self.used_measures[name] = None
            return _Written(f"m.{name}", measure.type, uom=measure.uom)
        if name in self.params:
            param = self.params[name]
            self.used_params[name] = None
            kind = SQL_TYPES[param.type]
            if param.many:
                items = tuple(f"%({key})s::{kind}" for key in bindings({name: param}))
                return _Written("", param.type, many=True, items=items, uom=param.uom)
            return _Written(f"%(p_{name})s::{kind}", param.type, uom=param.uom)
        raise self.fault(
            name,
            _("“%(name)s” is neither a measure nor a parameter.") % {"name": name},
            meant(name, [*self.measures, *self.params]),
        )

    def operation(self, op: str, args: list, depth: int) -> _Written:
        if op in ("and", "or"):
            return self.joined(op, args, depth)
        if op == "not":
            return _Written(f"(NOT {self.truth(args[0], depth, op).sql})", BOOLEAN, logical=True)
        if op in COMPARISONS:
            return self.comparison(op, args, depth)
        if op == "between":
            value, low, high = (self.number(one, depth, op) for one in args)
            self.same_uom(op, value, low)
            self.same_uom(op, value, high)
            return _Written(f"({value.sql} BETWEEN {low.sql} AND {high.sql})", BOOLEAN, logical=True)
        if op == "in":
            return self.membership(args, depth)
        if op == "isNull":
            return self.absence(args[0], depth)
        if op == "like":
            return self.likeness(args, depth)
        if op in CALCULATIONS:
            left, right = (self.number(one, depth, op) for one in args)
            if op == "/":
                # float8, so that integers are not truncated; back to numeric, so that 0.9 / 3 is 0.3
                return _Written(f"({left.sql}::float8 / NULLIF({right.sql}::float8, 0))::numeric", NUMBER)
            return _Written(f"({left.sql} {op} {right.sql})", NUMBER)
        raise self.fault(
            op,
            _("“%(op)s” may not be used in a rule.") % {"op": op},
            _("Allowed are AND, OR, NOT, = <> < <= > >=, BETWEEN, IN, LIKE, IS NULL and + - * /."),
        )

    def joined(self, op: str, args: list, depth: int) -> _Written:
        parts = [self.truth(one, depth, op).sql for one in args]
        return _Written("(" + f" {op.upper()} ".join(parts) + ")", BOOLEAN, logical=True)

    def comparison(self, op: str, args: list, depth: int) -> _Written:
        left, right = (self.write(one, depth + 1) for one in args)
        for one in (left, right):
            if one.many:
                raise self.fault(op, _("A list may stand after IN only."))
            if one.logical:
                raise self.fault(op, _("Two comparisons may not be compared."), _("Join them with AND."))
        self.same_type(op, left, right)
        self.same_uom(op, left, right)
        if op in ORDERINGS and left.type != NUMBER:
            raise self.fault(op, _("Only numbers have an order."))
        return _Written(f"({left.sql} {op} {right.sql})", BOOLEAN, logical=True)

    def membership(self, args: list, depth: int) -> _Written:
        value = self.write(args[0], depth + 1)
        if value.many or value.logical:
            raise self.fault("in", _("IN looks for one value in a list."))
        items = []
        for one in args[1] if isinstance(args[1], list) else [args[1]]:
            written = self.write(one, depth + 1)
            if written.items or not written.many:
                self.same_type("in", value, written)
                self.same_uom("in", value, written)
            items += written.items if written.many else [written.sql]
        if not items:
            return _Written("FALSE", BOOLEAN, logical=True)  # nothing is in an empty list, known or not
        return _Written(f"({value.sql} IN ({', '.join(items)}))", BOOLEAN, logical=True)

    def absence(self, arg, depth: int) -> _Written:
        if not (isinstance(arg, dict) and arg.get("property") in self.measures):
            raise self.fault("null", _("IS NULL asks whether a measure is known; this is no measure."))
        return _Written(f"({self.write(arg, depth + 1).sql} IS NULL)", BOOLEAN, logical=True)

    def likeness(self, args: list, depth: int) -> _Written:
        value, pattern = (self.write(one, depth + 1) for one in args)
        if value.type != TEXT or value.many or not (pattern.literal and pattern.type == TEXT):
            raise self.fault("like", _("LIKE compares a text with a pattern in quotes."))
        if (len(pattern.value) - len(pattern.value.rstrip("\\"))) % 2:
            raise self.fault("like", _("The pattern ends in a backslash that nothing follows."), _("Write it twice."))
        return _Written(f"({value.sql} LIKE {pattern.sql})", BOOLEAN, logical=True)

    def truth(self, node, depth: int, op: str) -> _Written:
        written = self.write(node, depth + 1)
        if written.type != BOOLEAN or written.many:
            raise self.fault(op, _("%(op)s joins conditions; one of them is a plain value.") % {"op": op.upper()})
        return written

    def number(self, node, depth: int, op: str) -> _Written:
        written = self.write(node, depth + 1)
        if written.type != NUMBER or written.many:
            raise self.fault(op, _("“%(op)s” needs numbers.") % {"op": op})
        return written

    def same_type(self, op: str, left: _Written, right: _Written) -> None:
        if left.type != right.type:
            raise self.fault(
                op,
                _("A %(left)s is compared with a %(right)s.")
                % {"left": TYPE_TITLES[left.type], "right": TYPE_TITLES[right.type]},
                _("A code is text: put it in quotes.") if TEXT in (left.type, right.type) else "",
            )

    def same_uom(self, op: str, left: _Written, right: _Written) -> None:
        if left.uom and right.uom and left.type == NUMBER and left.uom != right.uom:
            raise self.fault(
                op,
                _("“%(left)s” is compared with “%(right)s”: two units of measure.")
                % {"left": left.uom, "right": right.uom},
            )

    def fault(self, token: str | None, fault: str, hint: str = "") -> CriteriaError:
        return refusal(self.where, self.text, self.column(token), fault, hint)

    def column(self, token: str | None) -> int:
        """Where the token first stands in the text, outside quotes; 1 when it cannot be found."""
        if token is None:
            return 1
        wanted = token.lower()
        for found in TOKEN.finditer(self.text):
            if found[0].strip('"').lower() == wanted:
                return found.start() + 1
        position = self.text.lower().find(wanted)
        return position + 1 if position >= 0 else 1


def bindings(params: dict[str, Param]) -> dict[str, object]:
    """The values that compiled rules bind for parameters; a list is spread over numbered names."""
    bound: dict[str, object] = {}
    for name, param in params.items():
        if param.many:
            bound |= {f"p_{name}__{place}": value for place, value in enumerate(param.value)}
        else:
            bound[f"p_{name}"] = param.value
    return bound
