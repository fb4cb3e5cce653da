"""Load criteria sets: dated TOML files of parameters and rules, each set on top of its parent."""

import hashlib
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from units.criteria.compiler import Compiled, Param, compile_text, meant, type_of
from units.criteria.measures import BOOLEAN, BOTH, MEASURES, NUMBER, PARCELS, TEXT, TYPE_TITLES
from units.criteria.messages import ENGLISH, compile_message
from units.errors import CriteriaError, UnknownName, UsageError

FOLDER = Path(__file__).parent
CATEGORIES = ("industrial", "office", "residential", "facility")
EFFECTS = ("flag", "exclude", "exempt", "classify", "warn", "require")
STATUSES = ("draft", "approved", "retired")
CONFIDENCES = ("P", "S", "M", "D")  # how well the basis is known: domain/criteria.md
EXPECTED = {"yes": True, "no": False, "unknown": None}
NEEDED_CASES = {
    "yes": gettext_lazy('a case that must be met (expect = "yes")'),
    "no": gettext_lazy('a case that must not be met (expect = "no")'),
    "unknown": gettext_lazy('a case that nobody can say (expect = "unknown")'),
}

SET_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RULE_NAME = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
PARAM_NAME = re.compile(r"[a-z][a-z0-9_]*")
MARK = "# geoinv criteria file: "  # between the files of a stored text
MAX_RULES = 80
MAX_NUMBER = Decimal(10) ** 15

# The keys of each table: name → (type, needed).
HEAD_KEYS = {
    "id": (str, True),
    "title": (str, True),
    "title_en": (str, False),
    "parent": (str, False),
    "valid_from": (date, True),
    "status": (str, True),
    "official": (bool, True),
    "approved_by": (str, False),
    "people": (list, False),
}
PARAM_KEYS = {
    "value": ((Decimal, int, str, bool, list), True),
    "uom": (str, True),
    "note": (str, True),
    "note_en": (str, False),
    "approved_by": (str, False),
}
RULE_KEYS = {
    "id": (str, True),
    "category": (list, False),
    "subject": (list, False),
    "effect": (str, True),
    "title": (str, True),
    "title_en": (str, False),
    "basis": (str, True),
    "confidence": (str, True),
    "when": (str, True),
    "message": (str, True),
    "message_en": (str, False),
    "replaces": (str, False),
    "case": (list, True),
}
CASE_KEYS = {"name": (str, True), "given": (dict, True), "expect": (str, True)}
DISABLE_KEYS = {"rule": (str, True), "reason": (str, True)}
TABLES = ("criteria", "params", "rule", "disable")


@dataclass(frozen=True)
class Case:
    """Known measures of an imagined subject, and what the rule must say of it: True, False or None (unknown)."""

    name: str
    given: dict[str, object]
    expect: bool | None


@dataclass(frozen=True)
class Rule:
    """One rule. `params` are those of the set that wrote it: its cases hold for them, whatever a child changes."""

    id: str
    categories: tuple[str, ...]  # empty: every category
    effect: str
    title: str
    basis: str
    confidence: str
    when: str
    message: str
    cases: tuple[Case, ...]
    origin: str
    replaces: str
    params: dict[str, Param]
    condition: Compiled
    shown: Compiled
    title_en: str = ""  # the English texts are for people; a set may lack them
    message_en: str = ""
    shown_en: Compiled | None = None
    subjects: tuple[str, ...] = (PARCELS,)


@dataclass(frozen=True)
class Criteria:
    """A set as it applies: its own and its parents' parameters and rules, and the exact text they come from."""

    id: str
    title: str
    parent: str
    valid_from: date
    status: str
    official: bool
    approved_by: str
    params: dict[str, Param]
    rules: tuple[Rule, ...]
    disabled: dict[str, str]  # rule → reason
    text: str
    title_en: str = ""
    people: tuple[str, ...] = ()  # categories that people judge beside the rules: none is not low by rules alone

    @property
    def flags(self) -> bool:
        """Whether a rule of the set flags anything: a set without one is a frame for others and judges nothing."""
        return any(rule.effect == "flag" for rule in self.rules)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text of the set with its parents."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def rule(self, name: str) -> Rule:
        return next(rule for rule in self.rules if rule.id == name)

    def with_values(self, overrides: dict[str, str]) -> "Criteria":
        """The what-if: the same rules with other values of parameters, given as text.

        Raises UnknownName for a parameter that is not there and UsageError for a value of another type. The digest
        stays that of the text: a run keeps the overrides beside it.
        """
        changed = dict(self.params)
        for name, text in overrides.items():
            if name not in changed:
                raise UnknownName(name, changed, _("parameter"))
            changed[name] = replace(changed[name], value=_typed(changed[name], text), parent=changed[name])
        rules = tuple(_compiled(rule, changed, place) for place, rule in enumerate(self.rules))
        return replace(self, params=changed, rules=rules)


def speaks_chinese() -> bool:
    """Whether the language now spoken is Chinese, in which every set is written."""
    return (get_language() or "zh").startswith("zh")


def in_words(chinese: str, english: str) -> str:
    """A text of a set in the language now spoken: where a set has no English text, the Chinese one."""
    return chinese if speaks_chinese() or not english else english


def available(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of the sets that are there."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load(name: str, folder: Path = FOLDER) -> Criteria:
    """The set of that name with its parents. UnknownName when there is none, CriteriaError when it may not be used."""
    if name not in available(folder):
        raise UnknownName(name, available(folder), _("criteria set"))
    texts: dict[str, str] = {}
    while name:
        if name in texts:
            raise _wrong(f"{name}.toml", "[criteria] parent", _("The set is its own ancestor."))
        if name not in available(folder):
            child = next(reversed(texts))
            raise _wrong(
                f"{child}.toml",
                "[criteria] parent",
                _("There is no criteria set “%(name)s”.") % {"name": name},
                meant(name, set(available(folder)) - {child}),
            )
        try:
            texts[name] = (folder / f"{name}.toml").read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise _wrong(
                f"{name}.toml", _("byte %(place)d") % {"place": error.start}, _("This is not UTF-8.")
            ) from None
        name = _parsed(f"{name}.toml", texts[name])["criteria"].get("parent", "")
    return _built(dict(reversed(texts.items())))


def restore(text: str) -> Criteria:
    """A set from the text that a run stored: what `Criteria.text` holds, so that an old card is computed again."""
    texts: dict[str, str] = {}
    for part in text.split(MARK)[1:]:
        name, body = part.split("\n", 1)
        texts[name] = body
    return _built(texts)


def canonical(text: str) -> str:
    """A file without what an editor or a version control may change: line ends and trailing blanks."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") + "\n"


def _wrong(file: str, place: str, fault: str, hint: str = "") -> CriteriaError:
    return CriteriaError(f"{file}, {place}: {fault}", hint, file=file, place=place)


def _parsed(file: str, text: str) -> dict:
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(file, "TOML", str(error)) from None
    for name in tables:
        if name not in TABLES:
            raise _wrong(file, f"[{name}]", _("There is no such table."), meant(name, TABLES))
    if not isinstance(tables.get("criteria"), dict):
        raise _wrong(file, "[criteria]", _("The table is missing."))
    return tables


def _built(texts: dict[str, str]) -> Criteria:
    """The set from its files, the oldest ancestor first."""
    built: Criteria | None = None
    for name, text in texts.items():
        built = _joined(built, name, text)
    return built


def _joined(parent: Criteria | None, name: str, text: str) -> Criteria:
    file = f"{name}.toml"
    if MARK.strip() in text:
        raise _wrong(file, MARK.strip(), _("This comment is reserved."))
    tables = _parsed(file, text)
    head = _checked(file, "[criteria]", tables["criteria"], HEAD_KEYS)
    if head["id"] != name or not SET_NAME.fullmatch(name):
        raise _wrong(
            file,
            "[criteria] id",
            _("The id “%(id)s” is not the name of the file.") % {"id": head["id"]},
            _("Names are like “nankai-2024”."),
        )
    _among(file, "[criteria] status", head["status"], STATUSES)
    params = _params(file, name, tables.get("params", {}), parent)
    rules, disabled = _rules(file, name, tables, params, parent)
    if len(rules) > MAX_RULES:
        raise _wrong(file, "[[rule]]", _("At most %(limit)d rules.") % {"limit": MAX_RULES})
    given = {category for rule in rules if rule.effect == "classify" for category in rule.categories}
    for rule in rules:
        for category in rule.categories:
            if category not in given:
                raise _wrong(
                    file,
                    f"rule {rule.id}",
                    _("No rule classifies subjects as “%(category)s”, so it would never run.") % {"category": category},
                )
    people = tuple(head.get("people", parent.people if parent else ()))
    for category in people:
        _among(file, "[criteria] people", category, given)
    # Rules of the parent are compiled again, over the parameters that hold now.
    rules = tuple(_compiled(rule, params, place) for place, rule in enumerate(rules))
    return Criteria(
        id=name,
        title=head["title"],
        parent=head.get("parent", ""),
        valid_from=head["valid_from"],
        status=head["status"],
        official=head["official"],
        approved_by=head.get("approved_by", ""),
        params=params,
        rules=rules,
        disabled=disabled,
        title_en=head.get("title_en", ""),
        people=people,
        text=(parent.text if parent else "") + f"{MARK}{name}\n{canonical(text)}",
    )


def _checked(file: str, place: str, table, keys: dict, inherited: frozenset = frozenset()) -> dict:
    """The table when it has every needed key, no other, and each of its type and not empty."""
    if not isinstance(table, dict):
        raise _wrong(file, place, _("This is no table."))
    for key in table:
        if key not in keys:
            raise _wrong(file, f"{place} {key}", _("There is no such key."), meant(key, keys))
    for key, (kind, needed) in keys.items():
        if key not in table:
            if needed and key not in inherited:
                raise _wrong(file, place, _("“%(key)s” is missing.") % {"key": key})
            continue
        value = table[key]
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool) or bool in _kinds(kind))
        if not fits:
            raise _wrong(file, f"{place} {key}", _("The value is of the wrong type."))
        if isinstance(value, str) and not value.strip():
            raise _wrong(file, f"{place} {key}", _("The text is empty."))
    return table


def _kinds(kind) -> tuple:
    return kind if isinstance(kind, tuple) else (kind,)


def _among(file: str, place: str, value, known) -> None:
    if value not in known:
        raise _wrong(file, place, _("“%(value)s” is not known here.") % {"value": value}, meant(str(value), known))


def _params(file: str, name: str, tables, parent: Criteria | None) -> dict[str, Param]:
    if not isinstance(tables, dict):
        raise _wrong(file, "[params]", _("This is no table."))
    params = dict(parent.params) if parent else {}
    for key, table in tables.items():
        place = f"[params] {key}"
        if not PARAM_NAME.fullmatch(key):
            raise _wrong(file, place, _("Names of parameters are like “far_min”."))
        if key in MEASURES:
            raise _wrong(file, place, _("A measure has this name."))
        before = params.get(key)
        inherited = frozenset({"uom"}) if before else frozenset()
        _checked(file, place, table, PARAM_KEYS, inherited)
        value = _value(file, place, table["value"])
        uom = table.get("uom", before.uom if before else "")
        made = Param(key, value, uom, table["note"], name, before, table.get("note_en", ""))
        if before and (made.type != before.type or made.many != before.many):
            raise _wrong(file, place, _("The parent's value is of another type."))
        if before and uom != before.uom:
            raise _wrong(file, place, _("The parent's unit is “%(uom)s”.") % {"uom": before.uom})
        params[key] = made
    return params


def _value(file: str, place: str, value):
    if isinstance(value, list):
        items = tuple(_value(file, place, one) for one in value)
        if any(isinstance(one, tuple | bool) for one in items) or len({type_of(one) for one in items}) > 1:
            raise _wrong(file, f"{place} value", _("A list holds numbers, or texts."))
        return items
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if not number.is_finite() or abs(number) >= MAX_NUMBER:
            raise _wrong(file, f"{place} value", _("The number is too large."), _("A code is text: put it in quotes."))
        return number
    return value


def _typed(param: Param, text: str):
    """The value of a what-if, given as text on a command line."""

    def one(text: str):
        if param.type == NUMBER:
            try:
                number = Decimal(text.strip())
            except InvalidOperation:
                number = Decimal("NaN")
            if not number.is_finite() or abs(number) >= MAX_NUMBER:
                raise UsageError(
                    _("“%(name)s” is a number; “%(text)s” is none.") % {"name": param.name, "text": text},
                )
            return number
        if param.type == BOOLEAN:
            if text not in ("true", "false"):
                raise UsageError(_("“%(name)s” is true or false.") % {"name": param.name})
            return text == "true"
        return text

    if param.many:
        return tuple(one(item.strip()) for item in text.split(",") if item.strip())
    return one(text)


def _rules(file: str, name: str, tables: dict, params: dict[str, Param], parent: Criteria | None):
    rules = {rule.id: rule for rule in parent.rules} if parent else {}
    disabled = dict(parent.disabled) if parent else {}
    for place, table in enumerate(_list(file, "disable", tables), 1):
        label = f"[[disable]] {place}"
        _checked(file, label, table, DISABLE_KEYS)
        if table["rule"] not in rules:
            raise _wrong(
                file,
                label,
                _("The parent has no rule “%(rule)s”.") % {"rule": table["rule"]},
                meant(table["rule"], rules),
            )
        del rules[table["rule"]]
        disabled[table["rule"]] = table["reason"]
    written: set[str] = set()
    for place, table in enumerate(_list(file, "rule", tables), 1):
        rule = _rule(file, name, place, table, params)
        label = f"rule {rule.id}"
        if rule.id in written:
            raise _wrong(file, label, _("The id stands twice."))
        written.add(rule.id)
        if rule.id in rules and not rule.replaces:
            raise _wrong(
                file,
                label,
                _("The parent has this rule."),
                _('Write replaces = "the reason", or give another id.'),
            )
        if rule.id not in rules and rule.replaces:
            raise _wrong(file, label, _("There is no rule of the parent to replace."), meant(rule.id, rules))
        rules[rule.id] = rule
    return tuple(rules.values()), disabled


def _list(file: str, key: str, tables: dict) -> list:
    found = tables.get(key, [])
    if not isinstance(found, list):
        raise _wrong(file, f"[{key}]", _("Write [[%(key)s]].") % {"key": key})
    return found


def _rule(file: str, name: str, place: int, table, params: dict[str, Param]) -> Rule:
    known = table.get("id") if isinstance(table, dict) else None
    label = f"rule {known if isinstance(known, str) and known else place}"
    _checked(file, label, table, RULE_KEYS)
    if not RULE_NAME.fullmatch(table["id"]) or len(table["id"]) > 40:
        raise _wrong(file, f"{label} id", _("Ids of rules are like “IND-FAR”."))
    _among(file, f"{label} effect", table["effect"], EFFECTS)
    _among(file, f"{label} confidence", table["confidence"], CONFIDENCES)
    categories = tuple(table.get("category", ()))
    for one in categories:
        _among(file, f"{label} category", one, CATEGORIES)
    if table["effect"] == "classify" and len(categories) != 1:
        raise _wrong(file, f"{label} category", _("A rule that classifies names the one category it gives."))
    subjects = tuple(table.get("subject", (PARCELS,)))
    for one in subjects:
        _among(file, f"{label} subject", one, BOTH)
    if not subjects or len(set(subjects)) != len(subjects):
        raise _wrong(file, f"{label} subject", _("Name parcel, building or both, each once."))
    cases = tuple(_case(file, label, number, case) for number, case in enumerate(table["case"], 1))
    for expected, meaning in NEEDED_CASES.items():
        if EXPECTED[expected] not in [case.expect for case in cases]:
            raise _wrong(file, label, _("It lacks %(case)s.") % {"case": meaning})
    empty = Compiled("", {}, (), ())
    rule = Rule(
        id=table["id"],
        categories=categories,
        effect=table["effect"],
        title=table["title"],
        basis=table["basis"],
        confidence=table["confidence"],
        when=table["when"],
        message=table["message"],
        cases=cases,
        origin=name,
        replaces=table.get("replaces", ""),
        params=params,
        condition=empty,
        shown=empty,
        title_en=table.get("title_en", ""),
        message_en=table.get("message_en", ""),
        subjects=subjects,
    )
    rule = _compiled(rule, params, 0)
    for one in rule.condition.measures:
        if not set(subjects) <= set(MEASURES[one].subjects):
            raise _wrong(
                file,
                f"{label} subject",
                _("“%(name)s” is no measure of every subject that the rule judges.") % {"name": one},
            )
    return rule


def _compiled(rule: Rule, params: dict[str, Param], place: int) -> Rule:
    where = f"{rule.origin}.toml, " + f"rule {rule.id}"
    return replace(
        rule,
        condition=compile_text(rule.when, params, f"r{place}_", where),
        shown=compile_message(rule.message, params, f"r{place}_", where),
        shown_en=compile_message(rule.message_en, params, f"r{place}_en_", where, ENGLISH) if rule.message_en else None,
    )


def _case(file: str, label: str, number: int, table) -> Case:
    label = f"{label}, case {number}"
    _checked(file, label, table, CASE_KEYS)
    _among(file, f"{label} expect", table["expect"], EXPECTED)
    given: dict[str, object] = {}
    for key, value in table["given"].items():
        if key not in MEASURES:
            raise _wrong(
                file, f"{label} given", _("There is no measure “%(name)s”.") % {"name": key}, meant(key, MEASURES)
            )
        value = _value(file, f"{label} given {key}", value)
        if isinstance(value, tuple) or not isinstance(value, str | bool | Decimal):
            raise _wrong(file, f"{label} given {key}", _("The value is of the wrong type."))
        if type_of(value) != MEASURES[key].type:
            raise _wrong(
                file,
                f"{label} given {key}",
                _("The measure is a %(type)s.") % {"type": TYPE_TITLES[MEASURES[key].type]},
                _("A code is text: put it in quotes.") if MEASURES[key].type == TEXT else "",
            )
        given[key] = value
    return Case(table["name"], given, EXPECTED[table["expect"]])
