"""The profiles of layers: which fields a delivery must have, by which names, and what each may hold."""

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from units.errors import UnknownName

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
    """

    name: str
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


@dataclass(frozen=True)
class Profile:
    """A layout file, read. `text` is its exact content, kept by digest with every delivery.

    Where one field does not identify a row, `key_parts` do together; `key_shown` are those that are told. `kinds` say
    what a layer is by its name, and how its fields differ then; `kind` is that of the layer at hand.
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
    text: str = ""

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


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


def match(one: Profile, layer: str, columns: list[str]) -> Match:
    """Hold the columns of a layer against a profile, by name and alias, whatever their case."""
    one = _of_layer(one, layer)
    found = Match(one)
    upper = {column.upper(): column for column in columns}
    used = set()
    for wanted in one.fields:
        for alias in (wanted.name, *wanted.aliases):
            column = upper.get(alias.upper()) or upper.get(_cut(alias))
            if column is not None and column not in used:
                used.add(column)
                found.columns[wanted.name] = column
                if column.upper() != wanted.name:
                    found.aliases[wanted.name] = column
                break
        else:
            if wanted.required == "refuse":
                found.missing.append(wanted.name)
    found.extra = [column for column in columns if column not in used and column.upper() not in one.ignore]
    found.by_layer = layer.upper() in {name.upper() for name in one.layers}
    for rule in one.refuse:
        by_name = "layer" in rule and re.match(rule["layer"], layer, re.IGNORECASE)
        if by_name or ("field" in rule and rule["field"] in upper):
            found.refused = rule["code"]
    return found


def _of_layer(one: Profile, layer: str) -> Profile:
    """The profile as it is for a layer of that name, where the name says what the layer is."""
    for kind in one.kinds:
        if layer.upper() in {name.upper() for name in kind["layers"]}:
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
    return max(matches, key=lambda found: (bool(found.refused), found.by_layer, found.share), default=None)


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
    return Profile(
        fields=made,
        known=frozenset(known.get("fields", ())),
        ignore=frozenset(known.get("ignore", ())),
        kinds=kinds,
        text=text,
        **head,
    )
