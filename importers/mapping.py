"""How the columns and values of a foreign layer become the fields and codes of a profile."""

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from importers.profiles import profile
from units.errors import UnknownName, UsageError

MOST_BYTES = 1_000_000  # of a mapping file
MOST_VALUES = 2_000  # foreign values of one field
PARTS = ("profile", "name", "kind", "fields", "values", "constants")


@dataclass(frozen=True)
class Mapping:
    """Which column is which field, what foreign values mean, and what holds for every row.

    `fields` is profile field → column, where "" says that no column is this field, whatever its name; `values` is
    profile field → {what the file says: what it means}; `constants` is profile field → the value of every row, for a
    field that the layer does not have. `kind` says what a layer is where only its name would (control layers).
    """

    profile: str
    fields: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    name: str = ""
    kind: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of what the mapping does; the name under which it is kept does nothing."""
        said = [self.profile, self.fields, self.values, self.constants, self.kind]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def told(self) -> dict:
        """As JSON; `of_json` reads it back."""
        return {
            "profile": self.profile,
            "name": self.name,
            "kind": self.kind,
            "fields": self.fields,
            "values": self.values,
            "constants": self.constants,
        }

    def __bool__(self) -> bool:
        return bool(self.fields or self.values or self.constants or self.kind)


def read_mapping(path) -> Mapping:
    """The mapping in a TOML or JSON file; raises UsageError where it is none."""
    path = Path(path)
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8-sig") if size <= MOST_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            _("The mapping %(path)s cannot be read: %(why)s.") % {"path": path.name, "why": error},
            _("Give a TOML or JSON file in UTF-8."),
        ) from error
    if size > MOST_BYTES:
        raise UsageError(
            _("The mapping %(path)s is larger than %(most)d kB.") % {"path": path.name, "most": MOST_BYTES // 1000},
            _("Give a TOML or JSON file in UTF-8."),
        )
    try:
        said = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            _("The mapping %(path)s is neither TOML nor JSON: %(why)s.") % {"path": path.name, "why": error},
            _("Correct it at that place."),
        ) from error
    return of_json(said)


def of_json(said) -> Mapping:
    """A mapping as a program or the page says it; raises UsageError, with a sentence, where it cannot be one."""
    if not isinstance(said, dict) or not isinstance(said.get("profile"), str):
        raise UsageError(
            _("A mapping names its profile and has the parts fields, values and constants."),
            _('Such as: profile = "dltb", and under [fields] DLBM = "地类".'),
        )
    for part in said:
        if part not in PARTS:
            raise UnknownName(part, PARTS, _("part of a mapping"))
    wanted = profile(said["profile"])
    names = {one.name: one for one in wanted.fields}
    values = {str(key): _table(f"values.{key}", one) for key, one in _table("values", said.get("values")).items()}
    found = Mapping(
        wanted.name,
        {str(key): _text("fields", key, value) for key, value in _table("fields", said.get("fields")).items()},
        {key: {str(said): _text("values", key, ours) for said, ours in one.items()} for key, one in values.items()},
        {str(key): _text("constants", key, value) for key, value in _table("constants", said.get("constants")).items()},
        _text("name", "name", said.get("name") or ""),
        _text("kind", "kind", said.get("kind") or ""),
    )
    for name in (*found.fields, *found.values, *found.constants):
        if name not in names:
            raise UnknownName(name, names, _("field of the profile %(profile)s") % {"profile": wanted.name})
    if found.kind and found.kind not in {one["kind"] for one in wanted.kinds}:
        raise UnknownName(found.kind, [one["kind"] for one in wanted.kinds], _("kind of layer"))
    for name, one in found.values.items():
        for said in one:
            _text("values", name, said)
        if len(one) > MOST_VALUES:
            raise UsageError(
                _("The mapping gives %(field)s more than %(most)d values.") % {"field": name, "most": MOST_VALUES},
                _("Map the codes only, not texts that differ from row to row."),
            )
    _contradicts_itself(found)
    return found


def _contradicts_itself(found: Mapping):
    """Raise UsageError where one part of a mapping speaks against another."""
    for name, value in found.constants.items():
        if found.fields.get(name) or name in found.values:
            raise UsageError(
                _("The mapping gives %(field)s both a column or values and a value for every row.") % {"field": name},
                _("Say one of them."),
            )
        if not value:
            raise UsageError(
                _("The mapping gives %(field)s no value for every row.") % {"field": name},
                _("Give the value, or leave the field out."),
            )
    serving: dict[str, list[str]] = {}
    for name, column in found.fields.items():
        if column:
            serving.setdefault(column.upper(), []).append(name)
    for column, fields in serving.items():
        plain = [name for name in fields if name not in found.values]
        if len(plain) > 1:
            raise UsageError(
                _("The mapping gives the column %(column)s to %(fields)s alike.")
                % {"column": found.fields[plain[0]] or column, "fields": ", ".join(plain)},
                _("Give it to one of them, or say by values what it means for the others."),
            )


def _table(part: str, said) -> dict:
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise UsageError(
            _("The part %(part)s of the mapping is no table of names and values.") % {"part": part},
            _('Such as: profile = "dltb", and under [fields] DLBM = "地类".'),
        )
    return said


def _text(part: str, name, value) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(
            _("In the part %(part)s of the mapping %(name)s is no text.") % {"part": part, "name": name},
            _("Write it in quotation marks."),
        )
    text = str(value).strip()
    if len(text) > 254 or "\x00" in text:
        raise UsageError(
            _("In the part %(part)s of the mapping %(name)s has more than 254 characters or a NUL.")
            % {"part": part, "name": name},
            _("Shorten it."),
        )
    return text
