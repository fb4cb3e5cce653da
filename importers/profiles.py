"""The profiles of layers: which fields a delivery must have, by which names, and what each may hold."""

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext_lazy as _

from units import codes
from units.errors import UnknownName, UsageError

LAYOUTS = Path(__file__).parent / "layouts"
SURE_SHARE = 0.6  # of a profile's fields that make its name certain where the layer's own name agrees


@dataclass(frozen=True)
class Field:
    """One field of a profile. Severities are "refuse" (the row is not taken) and "warn".

    `pattern` is a full match; `scheme` and `domain` name code tables; `name_of` pairs a name with the code field it
    belongs to; `only` lists the values with which a row is taken; `area` is held against the measured area; `factor`
    turns the unit of the field into that of its column. `wish` names a fact of the holder's wish, `means` what words
    stand for ("word=meaning"), `of` the register in which the row that a code names is looked up, `headings` says
    that a code may be one that has others below it, and what a `restricted` field holds is quoted in no finding.
    A `numeric` text may be delivered as a number too.
    """

    name: str
    title: str = ""
    column: str = ""
    aliases: tuple[str, ...] = ()
    kind: str = "text"
    width: int = 0
    decimals: int = 0
    required: str = ""
    constant: str = ""
    pattern: str = ""
    pattern_code: str = "3-malformed"
    pattern_severity: str = "warn"
    pattern_blanks: bool = False
    scheme: str = ""
    scheme_severity: str = "warn"
    domain: str = ""
    name_of: str = ""
    undecodable: str = "warn"
    least: float | None = None
    most: float | None = None
    only: tuple[str, ...] = ()
    area: bool = False
    unit_field: str = ""
    share: bool = False
    use: bool = False
    street: bool = False
    in_district: bool = False
    scheme_code: str = "3-code-unknown"
    wish: str = ""
    means: tuple[str, ...] = ()
    factor: float = 1.0
    of: str = ""
    headings: bool = False
    restricted: bool = False
    numeric: bool = False

    @property
    def said(self) -> str:
        """The field's name in Chinese: its own, or the first of its other names that is."""
        return self.title or next(filter(_chinese, (self.name, *self.aliases)), self.name)


@dataclass(frozen=True)
class Side:
    """What a rule says of a field: its value, or its character `at` (from 1), is `among` these, `like` that, or not 0.

    Among them "05*" stands for all that begin so, "+" for anything at all and "" for nothing.
    """

    field: str
    among: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    like: str = ""
    nonzero: bool = False
    at: int = 0

    def part(self, value: str) -> str:
        """What of the value is looked at."""
        return value[self.at - 1 : self.at] if self.at else value

    def holds(self, value: str) -> bool:
        """Whether the rule's side is true of a value of its field."""
        said = self.part(value)
        if self.nonzero:
            return any(digit in "123456789" for digit in said)
        if self.like:
            return re.fullmatch(self.like, said) is not None
        if self.but:
            return not _among(said, self.but)
        return _among(said, self.among)

    @property
    def told(self) -> str:
        """The values that are right."""
        return ", ".join(value for value in self.among if value not in ("", "+"))


def _among(said: str, values: tuple[str, ...]) -> bool:
    return any(
        said == value or (value == "+" and bool(said)) or (value.endswith("*") and said.startswith(value[:-1]))
        for value in values
    )


@dataclass(frozen=True)
class Pair:
    """A row in which `when` holds must have what `then` says; `tell` is the side whose field is wrong otherwise."""

    check: str
    code: str
    when: Side
    then: Side
    tell: str = "then"


@dataclass(frozen=True)
class Sum:
    """`result` is `of` less `by`, or `of` times `by`, rounded to two decimals."""

    check: str
    result: str
    of: str
    by: str
    product: bool = False
    tolerance: float = 0.01


@dataclass(frozen=True)
class Beginning:
    """The first `length` characters of `field` are `by`."""

    check: str
    field: str
    by: str
    length: int


@dataclass(frozen=True)
class Minimum:
    """The least area, in square metres, of the rows in which `when` holds."""

    when: Side
    least: float


@dataclass(frozen=True)
class Profile:
    """A layout file, read. `text` is its exact content, kept by digest with every delivery.

    Where one field does not identify a row, `key_parts` do together; `key_shown` are those that are told. `kinds` say
    what a layer is by its name, and how its fields differ then; `kind` is that of the layer at hand.
    `pairs`, `sums` and `beginnings` are what the fields of a row are to each other, `minima` the least areas by class,
    and `narrow` the rows that may be narrow (roads, rivers).
    """

    name: str
    title: str
    table: str
    key: str
    layers: tuple[str, ...]
    fields: tuple[Field, ...]
    known: frozenset[str]
    ignore: frozenset[str]
    refuse: tuple[dict, ...] = ()
    default_scheme: str = "unknown"
    repeated_keys: bool = False
    key_parts: tuple[str, ...] = ()
    key_shown: tuple[str, ...] = ()
    kinds: tuple[dict, ...] = ()
    kind: str = ""
    pairs: tuple[Pair, ...] = ()
    sums: tuple[Sum, ...] = ()
    beginnings: tuple[Beginning, ...] = ()
    minima: tuple[Minimum, ...] = ()
    narrow: tuple[Side, ...] = ()
    single_part: bool = False
    no_holes: bool = False
    text: str = ""

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


class Mapped(Protocol):
    """What a match asks of a mapping (`mapping.Mapping`)."""

    profile: str
    fields: dict[str, str]
    values: dict[str, dict[str, str]]
    constants: dict[str, str]
    kind: str


@dataclass
class Match:
    """How a layer's columns serve a profile: field → (column, by which name), what is missing, what is further."""

    profile: Profile
    columns: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    refused: str = ""
    by_layer: bool = False
    mapping: Mapped | None = None

    def has(self, name: str) -> bool:
        """Whether the layer says anything of a field: by a column, or by a value that is given for every row."""
        return name in self.columns or (self.mapping is not None and name in self.mapping.constants)

    @property
    def share(self) -> float:
        return len(self.columns) / len(self.profile.fields)

    @property
    def verdict(self) -> str:
        if self.refused:
            return "refused"
        if self.missing:
            return "ask"
        return "sure" if self.by_layer and self.share >= SURE_SHARE else "likely"


@cache
def profiles() -> dict[str, Profile]:
    """Every profile by name."""
    return {path.stem: _read(path) for path in sorted(LAYOUTS.glob("*.toml"))}


def profile(name: str) -> Profile:
    try:
        return profiles()[name]
    except KeyError:
        raise UnknownName(name, profiles(), _("profile")) from None


def told() -> list[dict]:
    """Every profile with its fields and what each may hold, for a page on which columns are mapped."""
    return [
        {
            "name": one.name,
            "title": one.title,
            "kinds": [
                {"kind": each["kind"], "title": next(filter(_chinese, each["layers"]), each["kind"])}
                for each in one.kinds
            ],
            "fields": [
                {
                    "name": each.name,
                    "title": each.said,
                    "aliases": list(each.aliases),
                    "required": each.required,
                    "kind": each.kind,
                    "width": each.width,
                    "decimals": each.decimals,
                    "domain": each.domain,
                    "scheme": each.scheme,
                    "values": _values(each),
                }
                for each in one.fields
            ],
        }
        for one in profiles().values()
    ]


def _values(one: Field) -> dict[str, str]:
    """Code → name of what a field may hold; empty where it may hold anything."""
    if one.domain:
        return dict(codes.domain(one.domain))
    if one.scheme:
        return (
            {code: use.name for code, use in codes.land_use(one.scheme).items()}
            if one.headings
            else dict(codes.usable(one.scheme))
        )
    return dict(pair.split("=")[::-1] for pair in one.means)


def _chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def match(one: Profile, layer: str, columns: list[str], mapping: Mapped | None = None) -> Match:
    """Hold the columns of a layer against a profile: as a mapping says, else by name and alias, whatever their case.

    Raises UsageError where the mapping is of another profile, or names a column that the layer does not have.
    """
    upper = {column.upper(): column for column in columns}
    given = _given(one, layer, upper, mapping)
    one = _of_layer(one, layer, mapping.kind if mapping else "")
    found = Match(one, mapping=mapping or None)
    used = {column for column in given.values() if column}
    for wanted in one.fields:
        if wanted.name in given:
            column = given[wanted.name]
        else:
            names = (wanted.name, *wanted.aliases)
            said = (upper.get(alias.upper()) or upper.get(_cut(alias)) for alias in names)
            column = next((column for column in said if column is not None and column not in used), "")
        if column:
            used.add(column)
            found.columns[wanted.name] = column
            if column.upper() != wanted.name:
                found.aliases[wanted.name] = column
        elif wanted.required == "refuse" and not found.has(wanted.name):
            found.missing.append(wanted.name)
    if mapping:
        _may_translate(mapping, found, layer)
    found.extra = [column for column in columns if column not in used and column.upper() not in one.ignore]
    found.by_layer = layer.upper() in {name.upper() for name in one.layers}
    for rule in one.refuse:
        by_name = "layer" in rule and re.match(rule["layer"], layer, re.IGNORECASE)
        if by_name or ("field" in rule and rule["field"] in upper):
            found.refused = rule["code"]
    return found


def _given(one: Profile, layer: str, upper: dict[str, str], mapping: Mapped | None) -> dict[str, str]:
    """What a mapping says of fields: the layer's own column of each, "" where no column is to be this field."""
    if not mapping:
        return {}
    if mapping.profile != one.name:
        raise UsageError(
            _("The mapping is of the profile %(mapped)s, not %(profile)s.")
            % {"mapped": mapping.profile, "profile": one.name},
            _("Name the profile of the mapping, or give another mapping."),
        )
    found = {}
    for name, column in mapping.fields.items():
        if column and column.upper() not in upper:
            raise UsageError(
                _("The mapping names the column %(column)s, which the layer %(layer)s does not have; it has %(has)s.")
                % {"column": column, "layer": layer, "has": ", ".join(upper.values())},
                _("Correct the mapping, or give that of this layer."),
            )
        found[name] = upper[column.upper()] if column else ""
    for name in mapping.constants:
        if name in upper and upper[name] not in found.values():
            raise UsageError(
                _("The mapping gives %(field)s a value for every row, and the layer %(layer)s has that field.")
                % {"field": name, "layer": layer},
                _("Leave the value out, or say which field that column is."),
            )
        found[name] = ""
    return found


def _may_translate(mapping: Mapped, found: Match, layer: str):
    for name in mapping.values:
        if name not in found.columns:
            raise UsageError(
                _("The mapping says what values of %(field)s mean, and the layer %(layer)s has no such field.")
                % {"field": name, "layer": layer},
                _("Say under [fields] which column it is."),
            )


def _of_layer(one: Profile, layer: str, given: str = "") -> Profile:
    """The profile as it is for a layer of that name, or of the given kind, where that says what the layer is."""
    for kind in one.kinds:
        if kind["kind"] == given or (not given and layer.upper() in {name.upper() for name in kind["layers"]}):
            differing = kind.get("fields", {})
            made = tuple(replace(each, **differing.get(each.name, {})) for each in one.fields)
            return replace(one, fields=made, kind=kind["kind"], default_scheme=kind.get("scheme", one.default_scheme))
    return one


def best(layer: str, columns: list[str]) -> Match | None:
    """The profile that suits a layer best, or None where none has its required fields or its name."""
    matches = [match(one, layer, columns) for one in profiles().values()]
    matches = [found for found in matches if found.refused or found.by_layer or not found.missing]
    # What a control layer is, only its name says: its few fields fit many layers.
    matches = [found for found in matches if found.by_layer or not found.profile.kinds]
    # A reason against a layer is what is told of it, but where its name says that it is another one.
    return max(
        matches,
        key=lambda found: (found.by_layer and not found.refused, bool(found.refused), found.by_layer, found.share),
        default=None,
    )


def _cut(alias: str) -> str:
    """A Chinese name as a DBF of ten bytes keeps it: five characters in GBK."""
    return alias.encode("gb18030")[:10].decode("gb18030", "ignore").upper()


def _read(path: Path) -> Profile:
    text = path.read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    allowed = {one.name for one in fields(Field)}
    for entry in raw["field"]:
        if unknown := entry.keys() - allowed:
            raise ValueError(f"{path.name}: field {entry.get('name')} has unknown keys {sorted(unknown)}")
    made = tuple(
        Field(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})
        for entry in raw["field"]
    )
    head = dict(raw["profile"])
    kinds = tuple(raw.get("kind", ()))
    head["layers"] = tuple(head.get("layers", ())) + tuple(name for one in kinds for name in one["layers"])
    head["refuse"] = tuple(head.pop("refuse", ()))
    head["key_parts"] = tuple(head.get("key_parts", (head["key"],)))
    head["key_shown"] = tuple(head.get("key_shown", head["key_parts"]))
    known = raw.get("known", {})
    pairs = tuple(
        Pair(**{**one, "when": _side(one["when"]), "then": _side(one["then"])}) for one in raw.get("pair", ())
    )
    found = Profile(
        fields=made,
        known=frozenset(known.get("fields", ())),
        ignore=frozenset(known.get("ignore", ())),
        kinds=kinds,
        pairs=pairs,
        sums=tuple(Sum(**one) for one in raw.get("sum", ())),
        beginnings=tuple(Beginning(**one) for one in raw.get("beginning", ())),
        minima=tuple(Minimum(_side(one["when"]), one["least"]) for one in raw.get("minimum", ())),
        narrow=tuple(_side(one) for one in raw.get("narrow", ())),
        text=text,
        **head,
    )
    _holds_together(found, path.name)
    return found


def _side(said: dict) -> Side:
    return Side(**{key: tuple(value) if isinstance(value, list) else value for key, value in said.items()})


def _holds_together(one: Profile, name: str):
    """Raise ValueError where a rule speaks of a field that the layout does not have: it would check nothing."""
    fields = {each.name for each in one.fields}
    sides = [side for pair in one.pairs for side in (pair.when, pair.then)]
    sides += [minimum.when for minimum in one.minima] + list(one.narrow)
    named = {side.field for side in sides}
    named |= {field for each in one.sums for field in (each.result, each.of, each.by)}
    named |= {field for each in one.beginnings for field in (each.field, each.by)}
    if unknown := named - fields:
        raise ValueError(f"{name}: rules speak of unknown fields {sorted(unknown)}")
