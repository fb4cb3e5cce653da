"""Load criteria sets: dated texts of parameters and rules, each set on top of its parent, some with sub-areas."""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from units.criteria.compiler import SMALLEST, Compiled, Param, compile_text, meant, nearest, type_of, unseen
from units.criteria.formulas import MAX_NUMBER, formula_of, resolved
from units.criteria.measures import BOOLEAN, BOTH, MEASURES, NUMBER, PARCELS, TEXT, TYPE_TITLES
from units.criteria.messages import ENGLISH, compile_message
from units.criteria.places import Places
from units.errors import CriteriaError, UnknownName, UsageError
from units.models.criteria import CriteriaText

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
STREET_CODE = re.compile(r"\d{9}")
PLACE_IN_TOML = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
MARK = "# geoinv criteria file: "  # between the files of a stored text
MAX_NAME = 60  # characters of the name of a set, as the database keeps it
MAX_RULES = 80
MAX_DECIMALS = 30
MAX_AREAS = 20
MAX_TEXT = 200_000  # characters of one file; the largest shipped one has 40,000

# The keys of each table: name → (type, needed).
HEAD_KEYS = {
    "id": (str, True),
    "title": (str, True),
    "title_en": (str, False),
    "parent": (str, False),
    "valid_from": (date, True),
    "status": (str, True),
    "official": (bool, True),
    "example": (bool, False),  # off by default: listed and tried, but no flag is stored by it
    "lead": (str, False),  # the department that wrote it, and those that it wrote it with (NJ023)
    "co": (list, False),
    "approved_by": (str, False),
    "people": (list, False),
}
PARAM_KEYS = {
    "value": ((Decimal, int, str, bool, list), True),
    "uom": (str, True),
    "note": (str, True),
    "note_en": (str, False),
    "source": (str, False),
    "confidence": (str, False),
    "reason": (str, False),
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
REFINING = ("params", "rule", "disable")  # what a set, or a sub-area of it, changes
AREA_KEYS = {
    "id": (str, True),
    "title": (str, True),
    "title_en": (str, False),
    "streets": (list, True),
    "params": (dict, False),
    "rule": (list, False),
    "disable": (list, False),
}
TABLES = ("criteria", *REFINING, "area")
NOTHING = Compiled("", {}, (), ())


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
    area: str = ""  # the sub-area that wrote it
    before: "Rule | None" = None  # the parent's rule in whose place it stands; `replaces` says why


@dataclass(frozen=True)
class Area:
    """Streets of a district in which the set differs: what it changes there, and the set as it applies there."""

    id: str
    title: str
    title_en: str
    streets: tuple[str, ...]
    origin: str  # the set that wrote it
    tables: dict  # what it changes, as written: it is applied again over what a child set changes
    criteria: "Criteria"


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
    example: bool = False
    lead: str = ""
    co: tuple[str, ...] = ()
    area: str = ""  # the sub-area that this is a part for (`parts`)
    areas: tuple[Area, ...] = ()
    district: str = ""  # of a set of the database, which holds there alone
    strict: bool = field(default=True, compare=False)  # whether it was held to all that a new text is held to

    @property
    def flags(self) -> bool:
        """Whether a rule of the set flags anything: a set without one is a frame for others and judges nothing."""
        return any(rule.effect == "flag" for rule in self.rules)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text of the set with its parents."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def written(self) -> tuple[Rule, ...]:
        """All rules that cases prove: those of the set and those that its sub-areas wrote."""
        return (*self.rules, *(rule for area in self.areas for rule in area.criteria.rules if rule.area == area.id))

    def rule(self, name: str) -> Rule:
        return next(rule for rule in self.rules if rule.id == name)

    def with_values(self, overrides: dict[str, str]) -> "Criteria":
        """The what-if: the same rules with other values of parameters, given as text.

        What follows from them by a formula follows. A sub-area keeps the values that it sets itself.
        Raises UnknownName for a parameter that is not there, UsageError for a value of another type and CriteriaError
        for one that a rule divides by and that is 0. The digest stays that of the text: a run keeps the overrides
        beside it.
        """
        changed = dict(self.params)
        for name, text in overrides.items():
            if name not in changed:
                raise UnknownName(name, changed, _("parameter"))
            changed[name] = replace(changed[name], value=_typed(changed[name], text), formula="", parent=changed[name])
        if not overrides:
            return self
        whole = self.over(changed)
        areas = []
        for area in self.areas:
            own = {
                name: param
                for name, param in area.criteria.params.items()
                if param.origin == f"{area.origin}/{area.id}"
            }
            areas.append(replace(area, criteria=area.criteria.over({**changed, **own})))
        return replace(whole, areas=tuple(areas))

    def over(self, params: dict[str, Param]) -> "Criteria":
        """The same rules over these parameters."""
        params = resolved(params, f"{self.id}.toml", self.strict)
        return replace(
            self,
            params=params,
            rules=tuple(
                _compiled(rule, params, place, self.strict, self.params) for place, rule in enumerate(self.rules)
            ),
        )


@dataclass(frozen=True)
class Part:
    """A set for some streets: its rules, and the condition on `measured` (as `m`) of the subjects that they judge."""

    criteria: Criteria
    sql: str
    values: dict[str, object]


@dataclass(frozen=True)
class Heading:
    """What a list of sets says of one."""

    name: str
    title: str
    title_en: str
    status: str
    official: bool
    example: bool
    district: str
    parent: str
    digest: str
    valid_from: date | None
    file: bool
    flags: bool | None  # None: not known while it has faults
    faults: int


def speaks_chinese() -> bool:
    """Whether the language now spoken is Chinese, in which every set is written."""
    return (get_language() or "zh").startswith("zh")


def in_words(chinese: str, english: str) -> str:
    """A text of a set in the language now spoken: where a set has no English text, the Chinese one."""
    return chinese if speaks_chinese() or not english else english


def shipped(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of the sets that are files."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def available(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of the sets that are there: files, and texts of the database, drafts too."""
    kept = CriteriaText.objects.values_list("name", flat=True) if folder == FOLDER else ()
    return tuple(sorted({*shipped(folder), *kept}))


def load(name: str, folder: Path = FOLDER) -> Criteria:
    """The set of that name with its parents: a file, else a text of the database.

    An approved text stands on its parents as they were when it was approved. Cheap: what was built of the same texts
    before is the same object; nobody may change it. UnknownName when there is none, CriteriaError when it may not be
    used; `details["faults"]` of that has all that is wrong.
    """
    chain, row = _chain(name, folder)
    criteria = _built(chain)
    if row is None:
        return criteria
    if row.digest and row.digest != criteria.digest:
        raise CriteriaError(
            f"{name}: " + _("The stored text is not the one that was approved."),
            _("Somebody changed the database by hand: restore it from a backup."),
            file=name,
        )
    official = criteria.official and row.status == CriteriaText.Status.APPROVED
    return replace(criteria, status=row.status, district=row.district_id, official=official)


def restore(text: str) -> Criteria:
    """A set from the text that a run stored: what `Criteria.text` holds, so that an old card is computed again.

    It is not held to what new texts are held to, and a parameter keeps its meaning where a measure took its name since.
    """
    return _built(_split(text))


def headings(folder: Path = FOLDER) -> tuple[Heading, ...]:
    """What lists say of every set that is there, in the order of their names; one with faults is among them."""
    found = []
    rows = CriteriaText.objects.defer("text", "whole").in_bulk(field_name="name") if folder == FOLDER else {}
    for name in sorted({*shipped(folder), *rows}):
        row = rows.get(name) if not (folder / f"{name}.toml").exists() else None
        try:
            one = load(name, folder)
        except CriteriaError as error:
            faults = len(error.details.get("faults", ())) or 1
            found.append(
                Heading(
                    name,
                    row.title if row else name,
                    "",
                    row.status if row else "draft",
                    False,
                    False,
                    row.district_id if row else "",
                    row.parent if row else "",
                    "",
                    None,
                    row is None,
                    None,
                    faults,
                )
            )
            continue
        found.append(
            Heading(
                name,
                one.title,
                one.title_en,
                one.status,
                one.official,
                one.example,
                one.district,
                one.parent,
                one.digest,
                one.valid_from,
                row is None,
                one.flags,
                0,
            )
        )
    return tuple(found)


def parts(criteria: Criteria) -> tuple[Part, ...]:
    """The set for each of its sub-areas and for all other streets; every subject is in exactly one part."""
    rest = replace(criteria, areas=())
    if not criteria.areas:
        return (Part(rest, "TRUE", {}),)
    found = [
        Part(area.criteria, f"m.street_id = ANY(%(area_{place})s::text[])", {f"area_{place}": list(area.streets)})
        for place, area in enumerate(criteria.areas)
    ]
    special = [street for area in criteria.areas for street in area.streets]
    sql = "(m.street_id IS NULL OR m.street_id <> ALL(%(area_others)s::text[]))"
    return (*found, Part(rest, sql, {"area_others": special}))


def changes(criteria: Criteria) -> list[dict]:
    """What a set, or the part of one for a sub-area, changes of its parents: before, after, why and by whom."""
    found = []
    for name, param in criteria.params.items():
        if param.parent:
            found.append(_change("param", name, param.parent.value, param.value, param.reason, param.origin, param))
    for rule in criteria.rules:
        if rule.before:
            found.append(_change("rule", rule.id, rule.before.when, rule.when, rule.replaces, rule.origin))
        elif criteria.parent and rule.origin == criteria.id:
            found.append(_change("added", rule.id, "", rule.when, rule.basis, rule.origin))
    for name, reason in criteria.disabled.items():
        found.append(_change("disabled", name, name, "", reason, criteria.id))
    return found


def _change(kind: str, name: str, before, after, reason: str, origin: str, param: Param | None = None) -> dict:
    return {
        "kind": kind,
        "name": name,
        "before": before,
        "after": after,
        "reason": reason,
        "origin": origin,
        "approved_by": param.approved_by if param else "",
    }


def canonical(text: str) -> str:
    """A file without what an editor or a version control may change: byte order mark, line ends, trailing blanks."""
    return "\n".join(line.rstrip() for line in _lines(text)).strip("\n") + "\n"


def _lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


# --- from names to texts ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """One text of a chain of parents; one that was stored is read again without being held to what is new."""

    name: str
    text: str
    stored: bool = False


Chain = tuple[Source, ...]  # the oldest ancestor first


def _split(text: str) -> Chain:
    found = []
    for part in text.split(MARK)[1:]:
        name, body = part.split("\n", 1)
        found.append(Source(name, body, stored=True))
    return tuple(found)


def _chain(name: str, folder: Path) -> tuple[Chain, CriteriaText | None]:
    """The texts of a set and its parents, and its row where it is one of the database."""
    own = _source(name, folder)
    if own is None:
        raise UnknownName(name, available(folder), _("criteria set"))
    if isinstance(own, CriteriaText):
        if own.status != CriteriaText.Status.DRAFT:
            return _split(own.whole), own
        return above(Source(name, own.text), folder), own
    return above(own, folder), None


def above(source: Source, folder: Path = FOLDER) -> Chain:
    """The text and those of its parents."""
    chain, names = [source], {source.name}
    while True:
        child = chain[0]
        parent = _parent_of(child.name, child.text)
        if not parent:
            return tuple(chain)
        at = At(f"{child.name}.toml", "[criteria] parent", ("criteria", "parent"))
        if parent in names:
            raise _told(at, child.text, at.wrong(_("The set is its own ancestor.")))
        found = _source(parent, folder)
        if found is None:
            known = set(available(folder)) - names
            fault = _("There is no criteria set “%(name)s”.") % {"name": parent}
            raise _told(at, child.text, at.wrong(fault, meant(parent, known), nearest(parent, known)))
        if isinstance(found, CriteriaText):
            if found.status != CriteriaText.Status.DRAFT:
                return (*_split(found.whole), *chain)
            found = Source(found.name, found.text)
        names.add(parent)
        chain.insert(0, found)


def _source(name: str, folder: Path) -> Source | CriteriaText | None:
    """The file of that name, else the text of the database."""
    if not SET_NAME.fullmatch(name):
        path = None
    else:
        path = folder / f"{name}.toml"
    if path and path.exists():
        try:
            return Source(name, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            at = At(f"{name}.toml", _("byte %(place)d") % {"place": error.start})
            raise at.wrong(_("This is not UTF-8.")) from None
    if folder != FOLDER:
        return None
    return CriteriaText.objects.filter(name=name).first()


@lru_cache(maxsize=256)
def _parent_of(name: str, text: str) -> str:
    """The parent that a text names; empty where it names none, or where nobody can read it: that is told later."""
    try:
        head = tomllib.loads(canonical(text[:MAX_TEXT])).get("criteria")
    except (ValueError, RecursionError):
        return ""
    parent = head.get("parent") if isinstance(head, dict) else None
    return parent if isinstance(parent, str) else ""


def read(chain: Chain) -> Criteria:
    """The set of these texts, of which the last is read now: what is typed is not worth keeping."""
    *older, own = chain
    return _joined(_built(tuple(older)) if older else None, own)


@lru_cache(maxsize=128)
def _built(chain: Chain) -> Criteria:
    """The set of these texts. Kept: the same texts give the same object."""
    *older, own = chain
    return _joined(_built(tuple(older)) if older else None, own)


# --- from text to a set -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class At:
    """A place of a file: how it is told, and the path to it in the tables."""

    file: str
    label: str
    path: tuple[str | int, ...] = ()
    rule: str = ""

    def key(self, name: str | int) -> "At":
        return replace(self, label=f"{self.label} {name}", path=(*self.path, name))

    def wrong(self, fault: str, hint: str = "", meant: str = "") -> CriteriaError:
        return CriteriaError(
            f"{self.file}, {self.label}: {fault}",
            hint,
            file=self.file,
            place=self.label,
            path=self.path,
            rule=self.rule,
            fault=fault,
            meant=meant,
        )

    def located(self, error: CriteriaError, key: str = "") -> CriteriaError:
        """An error of the compiler with the place of the file that it stands at."""
        told = {
            "path": (*self.path, key) if key else self.path,
            "rule": self.rule,
            "file": self.file,
            "place": self.label,
            "fault": str(error.message),
            "meant": "",
            "key": key,
        }
        return CriteriaError(error.message, error.hint, **{**told, **error.details})


class Reading:
    """One file while it is read: what is wrong with it, as far as it was read."""

    def __init__(self, file: str, text: str):
        self.file, self.text = file, text
        self.errors: list[CriteriaError] = []
        self.doubtful: set[str] = set()  # parameters that are faulty: what is said of their rules would mislead

    @contextmanager
    def going_on(self) -> Iterator[None]:
        try:
            yield
        except CriteriaError as error:
            self.errors.append(error)

    def end(self) -> None:
        """Raise the first fault, which tells all of them."""
        if self.errors:
            raise _joint(self.errors, self.text)


def _told(at: At, text: str, error: CriteriaError) -> CriteriaError:
    return _joint([error], text)


def _joint(errors: list[CriteriaError], text: str) -> CriteriaError:
    """The first error, whose details have a list of all, each with its line and column."""
    faults = faults_of(errors, text)
    first, told = errors[0], faults[0]
    message = str(first.message)
    if told["line"]:
        where = _("line %(line)d, column %(column)d") % {"line": told["line"], "column": told["column"]}
        message = message.replace(f"{told['file']}, ", f"{told['file']}, {where}, ", 1)
    placed = {key: value for key, value in told.items() if key not in ("message", "hint")}
    return CriteriaError(message, first.hint, **{**first.details, **placed, "faults": faults})


def faults_of(errors: list[CriteriaError], text: str) -> list[dict]:
    """What is wrong with a text, as programs read it, each fault with its line and column."""
    if not errors:
        return []
    lines = _lines(text)
    skipped = next((number for number, line in enumerate(lines) if line.strip()), 0)
    try:
        places = Places("\n".join(lines[skipped:]) + "\n")
    except (ValueError, IndexError, TypeError, AttributeError, RecursionError):
        places = None  # what is no TOML has its place from the parser
    return [_fault(error, places, skipped) for error in errors]


def fault_of(error: UsageError) -> dict:
    """The same of an error that stands at no place of a text."""
    return _fault(error, None, 0)


def _fault(error: UsageError, places: Places | None, skipped: int) -> dict:
    """What is wrong, as a program reads it: file, place, line and column, rule, what it is and what was meant."""
    details = error.details
    line, column = details.get("line"), None
    if line:
        column = details.get("column")
    elif places and details.get("path"):
        at = details.get("column")
        found = places.place(tuple(details["path"]), at - 1 if at else None)
        if found:
            line, column = found[0] + skipped, found[1]
    return {
        "file": details.get("file", ""),
        "place": str(details.get("place", "")),
        "line": line,
        "column": column,
        "rule": details.get("rule", ""),
        "key": details.get("key", "") or str(next(reversed(details.get("path", ())), "")),
        "at": details.get("column") if not details.get("line") else None,
        "message": str(details.get("fault") or error.message),
        "hint": str(error.hint),
        "meant": details.get("meant", ""),
    }


def _parsed(file: str, text: str) -> dict:
    """The tables of a text. Raises the CriteriaError of what is no TOML, with its line and column."""
    at = At(file, "TOML")
    if len(text) > MAX_TEXT:
        raise at.wrong(
            _("The file has %(length)d characters; at most %(limit)d may be.")
            % {"length": len(text), "limit": MAX_TEXT}
        )
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise at.wrong(_("Lists are nested too deeply.")) from None
    except (ValueError, InvalidOperation) as error:  # TOMLDecodeError is one; a number of 5,000 digits gives another
        found = PLACE_IN_TOML.search(str(error))
        wrong = at.wrong(PLACE_IN_TOML.sub("", str(error)))
        if found and found[1]:
            wrong.details |= {"line": int(found[1]), "column": int(found[2])}
        elif found:
            wrong.details |= {"line": text.count("\n"), "column": 1}
        raise wrong from None


def _joined(parent: Criteria | None, source: Source) -> Criteria:
    name, strict = source.name, not source.stored
    file, text = f"{name}.toml", canonical(source.text)
    skipped = next((number for number, line in enumerate(_lines(source.text)) if line.strip()), 0)
    reading = Reading(file, source.text)
    with reading.going_on():
        if strict:
            _legible(file, source.text)
        tables = _parsed(file, text)
    for error in reading.errors:
        if error.details.get("line") and error.details.get("place") == "TOML" and not error.details.get("seen"):
            error.details["line"] += skipped
    reading.end()
    head, at = {}, At(file, "[criteria]", ("criteria",))
    with reading.going_on():
        for key in tables:
            if key not in TABLES:
                raise At(file, f"[{key}]", (key,)).wrong(
                    _("There is no such table."), meant(key, TABLES), nearest(key, TABLES)
                )
        if not isinstance(tables.get("criteria"), dict):
            raise at.wrong(_("The table is missing."))
        if strict and MARK.strip() in text:
            raise At(file, MARK.strip()).wrong(_("This comment is reserved."))
    with reading.going_on():
        if isinstance(tables.get("criteria"), dict):
            head = _head(at, name, tables["criteria"])
    params, rules, disabled = _refined(reading, At(file, ""), name, tables, parent, strict)
    with reading.going_on():
        if not reading.errors:
            _classified(file, rules)
    given = {category for rule in rules if rule.effect == "classify" for category in rule.categories}
    people = tuple(head.get("people", parent.people if parent else ()))
    with reading.going_on():
        if not reading.errors:
            for category in people:
                _among(at.key("people"), category, given)
    reading.end()
    criteria = Criteria(
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
        example=head.get("example", False),
        lead=head.get("lead", ""),
        co=tuple(head.get("co", ())),
        text=(parent.text if parent else "") + f"{MARK}{name}\n{text}",
        strict=strict,
    )
    areas = _areas(reading, file, criteria, tables, parent)
    reading.end()
    return replace(criteria, areas=areas)


def _legible(file: str, text: str) -> None:
    """Refuse characters that a reader does not see: what is read must be what is run."""
    for number, line in enumerate(_lines(text), 1):
        place = unseen(line)
        if place is not None:
            at = At(file, "TOML")
            error = at.wrong(
                _("A character that is not seen (%(code)s).") % {"code": f"U+{ord(line[place]):04X}"}, _("Delete it.")
            )
            error.details |= {"line": number, "column": place + 1, "seen": True}
            raise error


def _head(at: At, name: str, table: dict) -> dict:
    head = _checked(at, table, HEAD_KEYS)
    if head["id"] != name or not SET_NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise at.key("id").wrong(
            _("The id “%(id)s” is not the name of the file.") % {"id": head["id"]}, _("Names are like “nankai-2024”.")
        )
    _among(at.key("status"), head["status"], STATUSES)
    for key in ("co", "people"):
        if not all(isinstance(one, str) for one in head.get(key, ())):
            raise at.key(key).wrong(_("A list of texts."))
    return head


def _refined(reading: Reading, at: At, name: str, tables: dict, parent: Criteria | None, strict: bool, area: str = ""):
    """Parameters, rules and switched-off rules of a set on its parent, or of a sub-area on its set."""
    params = _params(reading, at, f"{name}/{area}" if area else name, tables.get("params", {}), parent, strict)
    with reading.going_on():
        try:
            params = resolved(params, at.file, strict)
        except CriteriaError as error:
            reading.doubtful |= set(params)
            place = replace(at, label=f"[params] {error.details.get('name', '')}".strip())
            path = (*at.path, "params", error.details.get("name", ""))
            raise replace(place, path=path).located(error, error.details.get("key", "")) from None
    rules, disabled = _rules(reading, at, name, tables, params, parent, strict, area)
    with reading.going_on():
        if len(rules) > MAX_RULES:
            raise replace(at, label="[[rule]]").wrong(_("At most %(limit)d rules.") % {"limit": MAX_RULES})
    if reading.errors:
        return params, rules, disabled
    # Rules of the parent are compiled again where the parameters that they read have changed, or their place has.
    compiled = []
    for place, rule in enumerate(rules):
        with reading.going_on():
            kept = parent is not None and place < len(parent.rules) and parent.rules[place] is rule
            try:
                compiled.append(_compiled(rule, params, place, strict, parent.params if kept else None))
            except CriteriaError as error:
                named = [one for one in tables.get("params", ()) if re.search(rf"\b{re.escape(one)}\b", rule.when)]
                told = replace(at, label=f"rule {rule.id}", path=(*at.path, "params", *named[:1]), rule=rule.id)
                raise told.wrong(
                    _("With the values of this set the rule of “%(origin)s” cannot be run: %(fault)s")
                    % {"origin": rule.origin, "fault": error.details.get("fault", error.message)}
                ) from None
    return params, tuple(compiled), disabled


def _classified(file: str, rules: tuple[Rule, ...]) -> None:
    given = {category for rule in rules if rule.effect == "classify" for category in rule.categories}
    for rule in rules:
        for category in rule.categories:
            if category not in given:
                raise At(file, f"rule {rule.id}", rule=rule.id).wrong(
                    _("No rule classifies subjects as “%(category)s”, so it would never run.") % {"category": category},
                )


def _areas(reading: Reading, file: str, criteria: Criteria, tables: dict, parent: Criteria | None) -> tuple[Area, ...]:
    """The sub-areas of a set: its parent's, applied to what it says now, and its own."""
    found: dict[str, Area] = {}
    for area in parent.areas if parent else ():
        found[area.id] = _area(reading, At(file, f"area {area.id}", ("area",)), criteria, area)
    written, streets = set(), {}
    with reading.going_on():
        listed = _list(At(file, "[area]", ("area",)), tables.get("area", []))
        if len(listed) > MAX_AREAS:
            raise At(file, "[[area]]", ("area",)).wrong(_("At most %(limit)d areas.") % {"limit": MAX_AREAS})
        for place, table in enumerate(listed):
            at = At(file, f"[[area]] {place + 1}", ("area", place))
            with reading.going_on():
                _checked(at, table, AREA_KEYS)
                at = replace(at, label=f"area {table['id']}")
                if not SET_NAME.fullmatch(table["id"]) or len(table["id"]) > MAX_NAME:
                    raise at.key("id").wrong(_("Names of areas are like “riverside”."))
                if table["id"] in written:
                    raise at.key("id").wrong(_("The id stands twice."))
                written.add(table["id"])
                if not table["streets"]:
                    raise at.key("streets").wrong(_("Name the streets by their codes of nine digits."))
                for street in table["streets"]:
                    if not isinstance(street, str) or not STREET_CODE.fullmatch(street):
                        raise at.key("streets").wrong(
                            _("“%(value)s” is no code of a street.") % {"value": street},
                            _("Name the streets by their codes of nine digits."),
                        )
                    if street in streets:
                        raise at.key("streets").wrong(
                            _("The street %(street)s is in two areas: %(one)s and %(other)s.")
                            % {"street": street, "one": streets[street], "other": table["id"]}
                        )
                    streets[street] = table["id"]
                own = {key: table[key] for key in REFINING if key in table}
                area = Area(
                    table["id"],
                    table["title"],
                    table.get("title_en", ""),
                    tuple(table["streets"]),
                    criteria.id,
                    own,
                    criteria,
                )
                found[area.id] = _area(reading, at, criteria, area)
    for area in found.values():
        if area.id not in written and set(area.streets) & set(streets):
            with reading.going_on():
                raise At(file, f"area {area.id}", ("area",)).wrong(
                    _("The parent's area %(area)s has streets that an area of this set has.") % {"area": area.id},
                    _("Write an area of the same id in its place."),
                )
    return tuple(found.values())


def _area(reading: Reading, at: At, criteria: Criteria, area: Area) -> Area:
    """The sub-area on top of its set."""
    params, rules, disabled = _refined(reading, at, area.origin, area.tables, criteria, criteria.strict, area.id)
    with reading.going_on():
        if not reading.errors:
            _classified(at.file, rules)
    own = replace(criteria, params=params, rules=rules, disabled=disabled, area=area.id)
    return replace(area, criteria=own)


def _checked(at: At, table, keys: dict, inherited: frozenset = frozenset()) -> dict:
    """The table when it has every needed key, no other, and each of its type and not empty."""
    if not isinstance(table, dict):
        raise at.wrong(_("This is no table."))
    for key in table:
        if key not in keys:
            raise at.key(key).wrong(_("There is no such key."), meant(key, keys), nearest(key, keys))
    for key, (kind, needed) in keys.items():
        if key not in table:
            if needed and key not in inherited:
                raise at.wrong(_("“%(key)s” is missing.") % {"key": key})
            continue
        value = table[key]
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool) or bool in _kinds(kind))
        if not fits:
            raise at.key(key).wrong(_("The value is of the wrong type."))
        if isinstance(value, str) and not value.strip():
            raise at.key(key).wrong(_("The text is empty."))
    return table


def _kinds(kind) -> tuple:
    return kind if isinstance(kind, tuple) else (kind,)


def _among(at: At, value, known) -> None:
    known = tuple(known)
    if value not in known:
        raise at.wrong(
            _("“%(value)s” is not known here.") % {"value": value}, meant(str(value), known), nearest(str(value), known)
        )


def _params(reading: Reading, at: At, origin: str, tables, parent: Criteria | None, strict: bool) -> dict[str, Param]:
    params = dict(parent.params) if parent else {}
    at = replace(at, label="[params]", path=(*at.path, "params"))
    with reading.going_on():
        if not isinstance(tables, dict):
            raise at.wrong(_("This is no table."))
        for key, table in tables.items():
            with reading.going_on():
                reading.doubtful.add(key)
                params[key] = _param(at.key(key), origin, key, table, params.get(key), strict)
                reading.doubtful.discard(key)
    return params


def _param(at: At, origin: str, key: str, table, before: Param | None, strict: bool) -> Param:
    if not PARAM_NAME.fullmatch(key):
        raise at.wrong(_("Names of parameters are like “far_min”."))
    if strict and key in MEASURES:
        raise at.wrong(_("A measure has this name."))
    _checked(at, table, PARAM_KEYS, frozenset({"uom"}) if before else frozenset())
    formula = formula_of(table["value"])
    value = Decimal(0) if formula else _value(at.key("value"), table["value"])
    uom = table.get("uom", before.uom if before else "")
    if "confidence" in table:
        _among(at.key("confidence"), table["confidence"], CONFIDENCES)
    made = Param(
        key,
        value,
        uom,
        table["note"],
        origin,
        before,
        table.get("note_en", ""),
        formula=formula,
        source=table.get("source", ""),
        confidence=table.get("confidence", ""),
        approved_by=table.get("approved_by", ""),
        why=table.get("reason", ""),
    )
    if before and (made.type != before.type or made.many != before.many):
        raise at.key("value").wrong(_("The parent's value is of another type."))
    if before and uom != before.uom:
        raise at.key("uom").wrong(
            _("Wrong unit: the parent's is “%(uom)s”.") % {"uom": before.uom}, _("Leave it out."), before.uom
        )
    return made


def _value(at: At, value):
    if isinstance(value, list):
        items = tuple(_value(at, one) for one in value)
        if any(isinstance(one, tuple | bool) for one in items) or len({type_of(one) for one in items}) > 1:
            raise at.wrong(_("A list holds numbers, or texts."))
        return items
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if too_large(number):
            raise at.wrong(_("The number is too large."), _("A code is text: put it in quotes."))
        if too_fine(number):
            raise at.wrong(_("A number this near to 0 is a slip."))
        return number
    if not isinstance(value, str | bool):
        raise at.wrong(_("A list holds numbers, or texts."))
    return value


def too_large(number: Decimal) -> bool:
    """Whether a rule may not hold it. Its exponent is asked: to work with a very large one is refused by Python."""
    return not number.is_finite() or bool(number) and number.adjusted() >= MAX_NUMBER.adjusted()


def too_fine(number: Decimal) -> bool:
    """Whether it has more decimals than the database divides by, or anybody measures."""
    return number.as_tuple().exponent < -MAX_DECIMALS or bool(number) and number.adjusted() < SMALLEST.adjusted()


def _typed(param: Param, text: str):
    """The value of a what-if, given as text on a command line."""

    def one(text: str):
        if param.type == NUMBER:
            try:
                number = Decimal(text.strip())
            except InvalidOperation:
                number = Decimal("NaN")
            if too_large(number) or too_fine(number):
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


def _rules(
    reading: Reading,
    at: At,
    name: str,
    tables: dict,
    params: dict[str, Param],
    parent: Criteria | None,
    strict: bool,
    area: str,
):
    rules = {rule.id: rule for rule in parent.rules} if parent else {}
    disabled = dict(parent.disabled) if parent else {}
    with reading.going_on():
        listed = _list(replace(at, label="[disable]", path=(*at.path, "disable")), tables.get("disable", []))
        for place, table in enumerate(listed):
            with reading.going_on():
                here = replace(at, label=f"[[disable]] {place + 1}", path=(*at.path, "disable", place))
                _checked(here, table, DISABLE_KEYS)
                if table["rule"] not in rules:
                    raise here.key("rule").wrong(
                        _("The parent has no rule “%(rule)s”.") % {"rule": table["rule"]},
                        meant(table["rule"], rules),
                        nearest(table["rule"], rules),
                    )
                del rules[table["rule"]]
                disabled[table["rule"]] = table["reason"]
    written: set[str] = set()
    with reading.going_on():
        listed = _list(replace(at, label="[rule]", path=(*at.path, "rule")), tables.get("rule", []))
        for place, table in enumerate(listed):
            known = table.get("id") if isinstance(table, dict) else None
            known = known if isinstance(known, str) and known else ""
            here = replace(at, label=f"rule {known or place + 1}", path=(*at.path, "rule", place), rule=known)
            with reading.going_on():
                rule = _rule(reading, here, name, table, params, strict, area)
                if rule.id in written:
                    raise here.key("id").wrong(_("The id stands twice."))
                written.add(rule.id)
                if rule.id in rules and not rule.replaces:
                    raise here.wrong(
                        _("The parent has this rule."), _('Write replaces = "the reason", or give another id.')
                    )
                if rule.id not in rules and rule.replaces:
                    raise here.key("replaces").wrong(
                        _("There is no rule of the parent to replace."), meant(rule.id, rules), nearest(rule.id, rules)
                    )
                rules[rule.id] = replace(rule, before=rules.get(rule.id))
    return tuple(rules.values()), disabled


def _list(at: At, found) -> list:
    if not isinstance(found, list):
        raise at.wrong(_("Write [[%(key)s]].") % {"key": at.path[-1]})
    return found


def _rule(reading: Reading, at: At, name: str, table, params: dict[str, Param], strict: bool, area: str) -> Rule:
    _checked(at, table, RULE_KEYS)
    if not RULE_NAME.fullmatch(table["id"]) or len(table["id"]) > 40:
        raise at.key("id").wrong(_("Ids of rules are like “IND-FAR”."))
    _among(at.key("effect"), table["effect"], EFFECTS)
    _among(at.key("confidence"), table["confidence"], CONFIDENCES)
    categories = tuple(table.get("category", ()))
    for one in categories:
        _among(at.key("category"), one, CATEGORIES)
    if table["effect"] == "classify" and len(categories) != 1:
        raise at.key("category").wrong(_("A rule that classifies names the one category it gives."))
    subjects = tuple(table.get("subject", (PARCELS,)))
    for one in subjects:
        _among(at.key("subject"), one, BOTH)
    if not subjects or len(set(subjects)) != len(subjects):
        raise at.key("subject").wrong(_("Name parcel, building or both, each once."))
    before, cases = len(reading.errors), []
    for number, case in enumerate(table["case"]):
        with reading.going_on():
            place = replace(at, label=f"{at.label}, case {number + 1}", path=(*at.path, "case", number))
            cases.append(_case(place, case))
    if len(reading.errors) == before:
        for expected, meaning in NEEDED_CASES.items():
            if strict and EXPECTED[expected] not in [case.expect for case in cases]:
                with reading.going_on():
                    raise at.wrong(_("It lacks %(case)s.") % {"case": meaning}, _("Write one: it proves the rule."))
    rule = Rule(
        id=table["id"],
        categories=categories,
        effect=table["effect"],
        title=table["title"],
        basis=table["basis"],
        confidence=table["confidence"],
        when=table["when"],
        message=table["message"],
        cases=tuple(cases),
        origin=name,
        replaces=table.get("replaces", ""),
        params=params,
        condition=NOTHING,
        shown=NOTHING,
        title_en=table.get("title_en", ""),
        message_en=table.get("message_en", ""),
        subjects=subjects,
        area=area,
    )
    words = set(re.findall(r"\w+", " ".join((rule.when, rule.message, rule.message_en))))
    if reading.doubtful & words:
        return rule
    compiled = {}
    for key, one in _texts(rule, params, 0, strict):
        with reading.going_on():
            try:
                compiled[key] = one()
            except CriteriaError as error:
                raise at.located(error, key) from None
    read = compiled["when"].measures if "when" in compiled else ()
    for one in read:
        if not set(subjects) <= set(MEASURES[one].subjects):
            raise at.key("subject").wrong(
                _("“%(name)s” is no measure of every subject that the rule judges.") % {"name": one},
            )
    return rule


def _texts(rule: Rule, params: dict[str, Param], place: int, strict: bool):
    """The texts of a rule, each with what compiles it."""
    where = f"{rule.origin}.toml, " + (f"area {rule.area}, " if rule.area else "") + f"rule {rule.id}"
    # A parameter of a stored text keeps its meaning where a measure took its name since.
    measures = MEASURES if strict else {name: one for name, one in MEASURES.items() if name not in params}
    yield "when", lambda: compile_text(rule.when, params, f"r{place}_", where, measures, strict)
    yield "message", lambda: compile_message(rule.message, params, f"r{place}_", where, measures=measures)
    if rule.message_en:
        yield (
            "message_en",
            lambda: compile_message(rule.message_en, params, f"r{place}_en_", where, ENGLISH, measures),
        )


def _compiled(
    rule: Rule, params: dict[str, Param], place: int, strict: bool = True, before: dict[str, Param] | None = None
) -> Rule:
    """The rule over these parameters. With `before` it was compiled for this place over those, and if what it reads of
    them is the same it is so still."""
    if before is not None and rule.condition.sql:
        read = {*rule.condition.params, *rule.shown.params, *(rule.shown_en.params if rule.shown_en else ())}
        if all(name in before and before[name].value == params[name].value for name in read):
            return rule
    found = {key: one() for key, one in _texts(rule, params, place, strict)}
    return replace(rule, condition=found["when"], shown=found["message"], shown_en=found.get("message_en"))


def _case(at: At, table) -> Case:
    _checked(at, table, CASE_KEYS)
    _among(at.key("expect"), table["expect"], EXPECTED)
    given: dict[str, object] = {}
    for key, value in table["given"].items():
        here = replace(at, label=f"{at.label} given", path=(*at.path, "given", key))
        if key not in MEASURES:
            raise here.wrong(
                _("There is no measure “%(name)s”.") % {"name": key}, meant(key, MEASURES), nearest(key, MEASURES)
            )
        here = replace(here, label=f"{here.label} {key}")
        value = _value(here, value)
        if isinstance(value, tuple) or not isinstance(value, str | bool | Decimal):
            raise here.wrong(_("The value is of the wrong type."))
        if type_of(value) != MEASURES[key].type:
            raise here.wrong(
                _("The measure is a %(type)s.") % {"type": TYPE_TITLES[MEASURES[key].type]},
                _("A code is text: put it in quotes.") if MEASURES[key].type == TEXT else "",
            )
        given[key] = value
    return Case(table["name"], given, EXPECTED[table["expect"]])
