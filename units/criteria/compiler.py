"""Turn the CQL2 text of a rule into SQL over measures and parameters, every value bound.

The `cql2` package only parses; its `to_sql()` is never run, for it passes any function on to PostgreSQL. What may be
written is what `_Writer` knows: and, or, not, comparisons, between, in, like, is null and the four operations, over
names of measures and parameters. All else is refused with its place.
"""

import difflib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import cql2
from django.utils.translation import gettext as _

from units.criteria.measures import BOOLEAN, MEASURES, NUMBER, SQL_TYPES, TEXT, TYPE_TITLES, VALUES
from units.errors import CriteriaError

MAX_CHARACTERS = 2000
MAX_NESTING = 50  # brackets, and operators within operators; the parser's process dies of a few hundred brackets
EXACT_NUMBERS = 2**53  # a literal at or above it has lost digits in the parser: codes belong in quotes
EXACT_DIGITS = 15  # of a literal; the parser loses more
SMALLEST = Decimal(10) ** -15  # a literal nearer to 0 than this is a slip, and could make a quotient overflow
MAX_PRODUCTS = 8  # multiplications and divisions of one condition: with more a value could overflow in the database

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
ORDERINGS = ("<", "<=", ">", ">=")
CALCULATIONS = ("+", "-", "*", "/")
OWN_WORDS = "geoinv"  # the uom of texts that are words of ours: categories, states, grades
PLACE_IN_PARSER = re.compile(r"--> 1:(\d+)")
TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[^\W\d]\w*|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|<>|<=|>=|!=|.", re.DOTALL)
# Characters that are not seen, or change the order in which others are: what is read must be what is run.
# Letters of other alphabets that look like ours.
LOOKALIKES = str.maketrans("аеорсхуіѕјԁһкмтв", "aeopcxyisjdhkmtb")
UNSEEN = ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")


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
    formula: str = ""  # from which other parameters the value follows: "far_min * 0.8"
    source: str = ""  # where the number was read
    confidence: str = ""  # how well that is known: domain/criteria.md
    approved_by: str = ""
    why: str = ""  # what the set says of a value that is not its parent's

    @property
    def reason(self) -> str:
        """Why the value is not its parent's; empty where it is nobody's but its own."""
        return (self.why or self.note) if self.parent else ""

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


def compile_text(
    text: str, params: dict[str, Param], prefix: str, where: str, measures=MEASURES, strict: bool = True
) -> Compiled:
    """The SQL of a condition. `prefix` keeps its literals apart from other rules'; `where` names file and rule.

    Without `strict` the units of measure, the divisors and the look of the text are not held against it: so a set that
    was run once is read again, whatever became a fault since. What may stand in a rule is the same.
    Raises CriteriaError that says file, rule, place, what is wrong and what was meant.
    """
    tree = parsed(text, where, strict)
    writer = _Writer(text, params, prefix, where, measures, strict)
    written = writer.write(tree, 0)
    if written.type != BOOLEAN or written.many:
        raise refusal(where, text, 1, _("A condition is true or false; this is neither."))
    return Compiled(written.sql, writer.literals, tuple(writer.used_measures), tuple(writer.used_params))


def parsed(text: str, where: str, strict: bool = True):
    """The condition as CQL2 JSON."""
    scan(text, where, strict)
    try:
        return cql2.parse_text(text).to_json()
    except Exception as error:  # the parser raises bare Exceptions for shapes it cannot read
        found = PLACE_IN_PARSER.search(str(error))
        column = int(found[1]) if found else 1
        raise refusal(where, text, column, _("This is not CQL2.")) from None


def scan(text: str, where: str, strict: bool = True) -> None:
    """Refuse what is too long or too deep before the parser sees it: deep brackets kill its process.

    With `strict` also what does not look like what it is: characters that are not seen, letters of other alphabets in
    names, numbers that the parser would round.
    """
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
    if strict:
        for found in TOKEN.finditer(text):
            token, column = found[0], found.start() + 1
            if not token.isascii() and token[0] != "'":
                plain = unicodedata.normalize("NFKC", token).translate(LOOKALIKES).strip()
                raise refusal(
                    where,
                    text,
                    column,
                    _("“%(text)s” (%(code)s) may stand in quotes only.")
                    % {"text": token, "code": f"U+{ord(next(one for one in token if not one.isascii())):04X}"},
                    _("Did you mean “%(name)s”?") % {"name": plain} if plain.isascii() and plain else "",
                    plain if plain.isascii() else "",
                )
            if token[0].isdigit() and len(re.sub(r"[eE].*|\.", "", token).strip("0")) > EXACT_DIGITS:
                raise refusal(
                    where,
                    text,
                    column,
                    _("A number of so many digits would be rounded."),
                    _("A code is text: put it in quotes."),
                )


def unseen(text: str) -> int | None:
    """Where the first character stands that a reader does not see as it is; None when there is none."""
    for place, character in enumerate(text):
        if not character.isascii() and unicodedata.category(character) in UNSEEN:
            return place
        if character < " " and character not in "\t\n" or character == "\x7f":
            return place
    return None


def refusal(where: str, text: str, column: int, fault: str, hint: str = "", near_to: str = "") -> CriteriaError:
    """The error for one place of a condition; `near_to` is the word that was meant."""
    near = text[max(0, column - 1) : column + 19].strip()
    place = f"when:{column}"  # the key of the file, and the column of its text
    if near:
        place += f" «{near}»"
    return CriteriaError(
        f"{where}, {place}: {fault}", hint, where=where, column=column, place=place, fault=fault, meant=near_to
    )


def nearest(name: str, known) -> str:
    """The known name that looks most like this one; empty when none does."""
    plain = unicodedata.normalize("NFKC", name).lower()
    spelt = {str(one).lower(): str(one) for one in known}
    return next((spelt[one] for one in difflib.get_close_matches(plain, spelt, 1)), "")


def meant(name: str, known) -> str:
    """A hint that names the nearest known name, or all of them."""
    near = nearest(name, known)
    if near:
        return _("Did you mean “%(name)s”?") % {"name": near}
    return _("Known are: %(known)s.") % {"known": ", ".join(sorted(known))}


# --- units of measure ---------------------------------------------------------------------------------------------

Unit = tuple[tuple[str, int], ...]  # unit → exponent; of a share nothing


def unit_of(uom: str) -> Unit:
    """The factors of a unit: “10k CNY/mu” is one of money and one less of area. A share (“1”) has none."""
    over, *under = uom.split("/")
    counted = Counter({over: 1})
    counted.subtract(under)
    return tuple(sorted((name, power) for name, power in counted.items() if power and name not in ("", "1")))


def times(one: Unit | None, other: Unit | None, sign: int = 1) -> Unit | None:
    """The unit of a product, or with sign −1 of a quotient; None is that of a bare number, which takes any."""
    if one is None and other is None:
        return None
    counted = Counter(dict(one or ()))
    for name, power in other or ():
        counted[name] += sign * power
    return tuple(sorted((name, power) for name, power in counted.items() if power))


def uom_of(unit: Unit) -> str:
    """The unit as people write it."""
    over = "·".join(name if power == 1 else f"{name}^{power}" for name, power in unit if power > 0)
    under = "·".join(name if power == -1 else f"{name}^{-power}" for name, power in unit if power < 0)
    return (over or "1") + (f"/{under}" if under else "")


def same_codes(one: str, other: str) -> bool:
    """Whether two code systems are one: an edition may be named or not (“GB/T 4754”, “GB/T 4754-2017”).

    Our own words (geoinv) are no system of codes: what they are is told by the measure.
    """
    return OWN_WORDS in (one, other) or one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")


@dataclass(frozen=True)
class _Written:
    sql: str
    type: str
    many: bool = False  # a list: it may stand after IN only
    items: tuple[str, ...] = ()
    codes: str = ""  # of a text: the code system of a measure or parameter
    unit: Unit | None = None  # of a number; of a bare one none, and it takes any
    value: object = None  # of a literal
    literal: bool = False
    logical: bool = False  # the result of an operator, not a fact
    constant: Decimal | None = None  # of a number that follows from literals and parameters alone
    token: str = ""  # how it stands in the text


@dataclass
class _Writer:
    text: str
    params: dict[str, Param]
    prefix: str
    where: str
    measures: dict
    strict: bool = True
    products: int = 0
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
            if self.strict and bound and abs(bound) < SMALLEST:
                raise self.fault(None, _("A number this near to 0 is a slip."))
        key = f"{self.prefix}l{len(self.literals)}"
        self.literals[key] = bound
        kind = type_of(bound)
        constant = bound if kind == NUMBER else None
        return _Written(f"%({key})s::{SQL_TYPES[kind]}", kind, value=bound, literal=True, constant=constant)

    def name(self, name: str) -> _Written:
        if name in self.measures:
            measure = self.measures[name]
            self.used_measures[name] = None
            return _Written(f"m.{name}", measure.type, **self.of_uom(measure.type, measure.uom), token=name)
        if name in self.params:
            param = self.params[name]
            self.used_params[name] = None
            kind = SQL_TYPES[param.type]
            told = {**self.of_uom(param.type, param.uom), "token": name}
            if param.many:
                items = tuple(f"%({key})s::{kind}" for key in bindings({name: param}))
                return _Written("", param.type, many=True, items=items, **told)
            constant = param.value if param.type == NUMBER else None
            return _Written(f"%(p_{name})s::{kind}", param.type, constant=constant, **told)
        known = [*self.measures, *self.params]
        raise self.fault(
            name,
            _("“%(name)s” is neither a measure nor a parameter.") % {"name": name},
            meant(name, known),
            nearest(name, known),
        )

    def of_uom(self, kind: str, uom: str) -> dict:
        """What the unit means: of a number its factors, of a text its code system."""
        return {"unit": unit_of(uom)} if kind == NUMBER else {"codes": uom} if kind == TEXT else {}

    def operation(self, op: str, args: list, depth: int) -> _Written:
        if op in ("and", "or"):
            return self.joined(op, args, depth)
        if op == "not":
            return _Written(f"(NOT {self.truth(args[0], depth, op).sql})", BOOLEAN, logical=True)
        if op in COMPARISONS:
            return self.comparison(op, args, depth)
        if op == "between":
            value, low, high = (self.number(one, depth, op) for one in args)
            self.same_unit(op, value, low)
            self.same_unit(op, value, high)
            return _Written(f"({value.sql} BETWEEN {low.sql} AND {high.sql})", BOOLEAN, logical=True)
        if op == "in":
            return self.membership(args, depth)
        if op == "isNull":
            return self.absence(args[0], depth)
        if op == "like":
            return self.likeness(args, depth)
        if op in CALCULATIONS:
            return self.calculation(op, args, depth)
        raise self.fault(
            op,
            _("“%(op)s” may not be used in a rule.") % {"op": op},
            _("Allowed are AND, OR, NOT, = <> < <= > >=, BETWEEN, IN, LIKE, IS NULL and + - * /."),
        )

    def calculation(self, op: str, args: list, depth: int) -> _Written:
        left, right = (self.number(one, depth, op) for one in args)
        known = left.constant is not None and right.constant is not None
        if op in "+-":
            self.same_unit(op, left, right)
            unit = left.unit if right.unit is None else right.unit
        else:
            unit = times(left.unit, right.unit, 1 if op == "*" else -1)
            self.products += 1
            if self.strict and self.products > MAX_PRODUCTS:
                raise self.fault(
                    op,
                    _("At most %(limit)d multiplications and divisions may stand in one condition.")
                    % {"limit": MAX_PRODUCTS},
                )
        if op == "/":
            if self.strict and right.constant is not None and not right.constant:
                raise self.fault(
                    right.token or op,
                    _("This divides by “%(name)s”, which is 0.") % {"name": right.token}
                    if right.token
                    else _("This divides by 0."),
                )
            constant = left.constant / right.constant if known and right.constant else None
            # float8, so that integers are not truncated; back to numeric, so that 0.9 / 3 is 0.3
            sql = f"({left.sql}::float8 / NULLIF({right.sql}::float8, 0))::numeric"
            return _Written(sql, NUMBER, unit=unit, constant=constant)
        constant = None
        if known:
            constant = {
                "+": left.constant + right.constant,
                "-": left.constant - right.constant,
                "*": left.constant * right.constant,
            }[op]
        return _Written(f"({left.sql} {op} {right.sql})", NUMBER, unit=unit, constant=constant)

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
        self.same_unit(op, left, right)
        self.among_values(left, right)
        self.among_values(right, left)
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
                self.same_unit("in", value, written)
                self.among_values(value, written)
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

    def same_unit(self, op: str, left: _Written, right: _Written) -> None:
        """Refuse two units of measure, or codes of two systems, side by side; a bare number or text fits any."""
        if not self.strict:
            return
        told = {"left": left.token or op, "right": right.token or op}
        if left.codes and right.codes and not same_codes(left.codes, right.codes):
            raise self.fault(
                right.token or op,
                _("Wrong code system: “%(left)s” is in %(one)s and “%(right)s” in %(other)s.")
                % {**told, "one": left.codes, "other": right.codes},
                self.of_the_unit(left.codes, right.codes, TEXT),
            )
        if left.unit is not None and right.unit is not None and left.unit != right.unit:
            one, other = uom_of(left.unit), uom_of(right.unit)
            raise self.fault(
                right.token or left.token or op,
                _("Wrong unit: “%(one)s” (%(left)s) is put beside “%(other)s” (%(right)s).")
                % {**told, "one": one, "other": other},
                self.of_the_unit(one, other, NUMBER),
            )

    def among_values(self, measure: _Written, other: _Written) -> None:
        """Refuse a word that the measure never is: a rule that looks for it would never be met."""
        known = VALUES.get(measure.token) if measure.token in self.measures else None
        if not (self.strict and known):
            return
        param = self.params.get(other.token)
        told = [other.value] if other.literal else () if param is None else param.value if param.many else [param.value]
        for one in told:
            if one not in known:
                raise self.fault(
                    other.token or str(one),
                    _("“%(value)s” is no value of “%(name)s”.") % {"value": one, "name": measure.token},
                    meant(str(one), known),
                    nearest(str(one), known),
                )

    def of_the_unit(self, one: str, other: str, kind: str) -> str:
        """A hint that names the parameters which would fit."""
        fitting = [
            name for name, param in self.params.items() if param.type == kind and param.uom == one and one != other
        ]
        if not fitting:
            return _("Give the parameter in the unit of the measure.")
        return _("In %(uom)s are the parameters: %(known)s.") % {"uom": one, "known": ", ".join(fitting)}

    def fault(self, token: str | None, fault: str, hint: str = "", near_to: str = "") -> CriteriaError:
        return refusal(self.where, self.text, self.column(token), fault, hint, near_to)

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
