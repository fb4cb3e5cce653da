"""The survey forms as data: what each asks, of whom, and what is still missing on one."""

import datetime
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from units.errors import UnknownName, UsageError
from units.models import Category, Department, FactSheet, FormTask

FOLDER = Path(__file__).parent / "data" / "forms"
GROUPS = {"land": gettext_lazy("Land"), "construction": gettext_lazy("Buildings"), "economy": gettext_lazy("Economy")}
TYPES = ("text", "long", "number", "integer", "date", "choice", "choices")
PARTS = ("building", "firm")  # what a field may be asked for each of
LEAD, STREETS, KIND = "lead", "streets", "kind"  # owners that are no department by name
MOST = {"text": 200, "long": 2000}  # characters
LARGEST = Decimal(10) ** 12  # of any number of a form, in the unit of the register: its columns hold no more
THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:[, ]\d{3})+(?:\.\d*)?")  # a comma anywhere else is a slip, or a decimal point
EARLIEST = datetime.date(1900, 1, 1)
LISTED = re.compile(r"[,，、;；\n]+")  # between the values of a list as people write one
UOMS = {
    "m2": "m²",
    "10k CNY": gettext_lazy("× 10,000 CNY"),
    "tce": gettext_lazy("tce"),
    "CNY/m2/day": gettext_lazy("CNY/m² and day"),
    "%": "%",
}


@dataclass(frozen=True)
class Choice:
    """One answer of a list, as it is stored and as it is read."""

    value: str
    title: str
    title_en: str

    def __str__(self):
        return spoken(self.title, self.title_en)


@dataclass(frozen=True)
class Field:
    """One thing a form asks.

    `min`, `max`: of a number; of a text the most characters. `owner`: the department that writes it, by code; "lead"
    for any lead department of the form, "kind" for the department in charge of the facility's kind. `each`: asked for
    every building or firm of the parcel. `instead_of`: asked only where there is none of these. `when`: required only
    where other fields say so. `writes`: where the fact goes when the form is checked. `scale`: how many of the
    register's unit one of the form's is.
    """

    name: str
    group: str
    title: str
    title_en: str
    type: str
    owner: str
    required: bool = False
    uom: str = ""
    min: Decimal | None = None
    max: Decimal | None = None
    decimals: int = 0
    scale: int = 1
    each: str = ""
    instead_of: str = ""
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()
    most: str = ""
    restricted: bool = False
    writes: str = ""
    fact: str = ""
    hint: str = ""
    hint_en: str = ""
    choices: tuple[Choice, ...] = ()

    def __str__(self):
        return spoken(self.title, self.title_en)

    @property
    def help(self) -> str:
        return spoken(self.hint, self.hint_en)

    @property
    def unit(self) -> str:
        return str(UOMS.get(self.uom, self.uom))

    def shown(self, value) -> str:
        """A stored value as people read it: the title of a choice, the value itself otherwise."""
        titles = {one.value: str(one) for one in self.choices}
        if isinstance(value, list):
            return "、".join(titles.get(one, one) for one in value)
        return "" if value is None else str(titles.get(value, value))


@dataclass(frozen=True)
class Form:
    """One of the four forms (NK082–NK085): who leads, who confirms, by when, and its fields."""

    category: str
    title: str
    title_en: str
    basis: str
    note: str
    note_en: str
    due: datetime.date
    lead: tuple[str, ...]
    co: tuple[str, ...]
    fields: tuple[Field, ...]
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __str__(self):
        return spoken(self.title, self.title_en)

    @property
    def remark(self) -> str:
        return spoken(self.note, self.note_en)

    def field(self, name: str) -> Field:
        """The field of that name; UnknownName otherwise."""
        for one in self.fields:
            if one.name == name:
                return one
        raise UnknownName(name[:60], [one.name for one in self.fields], _("field of the form"))

    def kind_of(self, use: str, scheme: str) -> str:
        """The kind of facility that a registered use of 用地用海 tells, or "" where it does not."""
        if scheme != "ydyh2023":
            return ""
        found = {kind for kind, uses in self.kinds if use.startswith(uses) and uses}
        return found.pop() if len(found) == 1 else ""

    def asked_of(self, department: str) -> tuple[str, ...]:
        """The groups in which a co department has a field of its own, in their order."""
        groups = {one.group for one in self.fields if one.owner in (department, KIND if department in self.co else "")}
        if KIND in self.co and department in dict(self.kinds):
            groups |= {one.group for one in self.fields if one.owner == KIND}
        return tuple(group for group in GROUPS if group in groups)


@dataclass(frozen=True)
class Cell:
    """One answer of one form: a field, and the building or firm it is asked for, if any."""

    key: str
    field: Field
    part: dict | None = None

    @property
    def title(self) -> str:
        return f"{self.field} · {self.part['name'] or self.part['code']}" if self.part else str(self.field)


@dataclass(frozen=True)
class Missing:
    """A required answer that is neither given nor marked 无法取得, and whose it is."""

    cell: str
    title: str
    group: str
    owner: str
    owner_name: str


class Wrong(ValueError):
    """A value that a field does not take: a sentence and what to do."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.message, self.hint = message, hint


def spoken(chinese: str, english: str) -> str:
    """Whichever of the two the reader speaks."""
    return english if (get_language() or "").startswith("en") else chinese


@cache
def forms() -> dict[str, Form]:
    """Every form by its category; UsageError names the file and the field that are wrong."""
    return {path.stem: load(path) for path in sorted(FOLDER.glob("*.toml"))}


def of(category: str) -> Form:
    """The form of a category; UnknownName otherwise."""
    try:
        return forms()[category]
    except KeyError:
        raise UnknownName(category, forms(), _("survey form")) from None


def load(path: Path) -> Form:
    """One form out of its file."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))

    def wrong(where: str, what: str):
        return UsageError(_("%(file)s, %(where)s: %(what)s") % {"file": path.name, "where": where, "what": what})

    head = told["form"]
    if head["category"] not in Category or head["category"] != path.stem:
        raise wrong("form", _("the category is not that of the file's name"))
    departments = {*head["lead"], *head["co"]}
    kinds = tuple((name, tuple(uses)) for name, uses in told.get("kinds", {}).items())
    fields = []
    for row in told["field"]:
        name = row.get("name", "?")
        numbers = {one: Decimal(str(row.pop(one))) for one in ("min", "max") if one in row}
        choices = tuple(Choice(**one) for one in row.pop("choices", ()))
        when = tuple((other, tuple(values)) for other, values in row.pop("when", {}).items())
        try:
            field = Field(**row, **numbers, choices=choices, when=when)
        except TypeError as error:
            raise wrong(name, str(error)) from error
        known = {one.name for one in fields}
        for right, what in (
            (field.name not in known, _("the name is there twice")),
            (field.group in GROUPS, _("no such group")),
            (field.type in TYPES, _("no such type")),
            (field.each in ("", *PARTS) and field.instead_of in ("", *PARTS), _("no such part")),
            (field.owner in (LEAD, *departments), _("its owner is no department of this form")),
            (bool(field.choices) == field.type.startswith("choice"), _("choices belong to a choice")),
            (not field.most or field.most in known, _("“most” names no field before it")),
            (all(other in known for other, _values in when), _("“when” names no field before it")),
        ):
            if not right:
                raise wrong(name, what)
        fields.append(field)
    return Form(**head | {"lead": tuple(head["lead"]), "co": tuple(head["co"])}, fields=tuple(fields), kinds=kinds)


def cells(sheet: FactSheet) -> Iterator[Cell]:
    """Every answer that a form asks for, in the order of its file."""
    for field in of(sheet.category).fields:
        if field.each:
            for part in sheet.parts.get(field.each, ()):
                yield Cell(f"{field.name}@{part['id']}", field, part)
        elif not (field.instead_of and sheet.parts.get(field.instead_of)):
            yield Cell(field.name, field)


def answer(sheet: FactSheet, cell: Cell) -> dict:
    """What stands in a cell: {value | unknown_reason, by, at …}; empty where nobody said anything."""
    return getattr(sheet, cell.field.group).get(cell.key) or {}


def known(given: dict) -> bool:
    """Whether an answer is one: a value, or the reason why none can be had."""
    return given.get("value") is not None or bool(given.get("unknown_reason"))


def asked(sheet: FactSheet, cell: Cell) -> bool:
    """Whether the cell has a meaning as the others stand: since when it is idle is asked of idle land alone."""
    form = of(sheet.category)
    for other, values in cell.field.when:
        field = form.field(other)
        key = f"{other}@{cell.part['id']}" if field.each else other
        if (getattr(sheet, field.group).get(key) or {}).get("value") not in values:
            return False
    return True


def wanted(sheet: FactSheet, cell: Cell) -> bool:
    """Whether the cell has to be answered, as the others stand."""
    return cell.field.required and asked(sheet, cell)


def missing(sheet: FactSheet) -> list[Missing]:
    """What has to be answered and is not, in the order of the form, and whose it is."""
    absent = [cell for cell in cells(sheet) if wanted(sheet, cell) and not known(answer(sheet, cell))]
    names = owner_names(sheet) if absent else {}
    return [
        Missing(cell.key, cell.title, cell.field.group, owner, names.get(owner, owner))
        for cell in absent
        for owner in [owner_of(sheet, cell.field)]
    ]


def owner_of(sheet: FactSheet, field: Field) -> str:
    """Who writes a field of this form: a department's code, or "lead"; of the kind's while nobody said which, lead."""
    return (sheet.kind or LEAD) if field.owner == KIND else field.owner


def owner_names(sheet: FactSheet) -> dict[str, str]:
    """What the owners of a form's fields are called: departments by code, and "lead"."""
    district = sheet.subject.district_id
    names = dict(Department.objects.filter(district=district).values_list("code", "name"))
    names[LEAD] = sheet.lead.name if sheet.lead_id else _("Lead department")
    return names


def awaited(sheet: FactSheet) -> list[FormTask]:
    """The parts of co departments that have not confirmed every group they answer for."""
    tasks = sheet.tasks.filter(part__in=[FormTask.Part.CO, FormTask.Part.ADDED]).select_related("department")
    return [task for task in tasks if unconfirmed(task)]


def unconfirmed(task: FormTask) -> list[str]:
    """The groups that a department has not said yes to."""
    return [group for group in task.groups if task.verdict.get(group, {}).get("verdict") != "confirmed"]


def parsed(field: Field, given):
    """A value as it is stored, out of what a person, a program or a cell of a workbook says; None for nothing.

    Numbers are stored as text, exactly; dates as YYYY-MM-DD; choices by their value, also when given by their title.
    Raises Wrong with a sentence.
    """
    if isinstance(given, str):
        given = unicodedata.normalize("NFC", given).strip()
        if any(unicodedata.category(sign) == "Cc" and sign not in "\n\r\t" for sign in given):
            raise Wrong(_("It holds signs that cannot be read."), _("Type it anew."))
    if given is None or given in ("", []):
        return None
    if field.type in MOST:
        if isinstance(given, list | tuple | dict | bool):
            raise Wrong(_("It should be a text."), _("Type it anew."))
        text, most = str(given), int(field.max or MOST[field.type])
        if len(text) > most:
            raise Wrong(_("It is longer than %(most)d characters.") % {"most": most}, _("Shorten it."))
        return text
    if field.type in ("number", "integer"):
        return _number(field, given)
    if field.type == "date":
        return _date(given)
    if field.type == "choice":
        return _choice(field, given)
    listed = LISTED.split(given) if isinstance(given, str) else given
    if not isinstance(listed, list | tuple):
        raise Wrong(_("It should be a list."), _("Choose among those of the list."))
    values = list(dict.fromkeys(_choice(field, one) for one in listed if one not in ("", None)))
    if "none" in values and len(values) > 1:
        raise Wrong(_("“None” cannot stand beside others."), _("Choose either."))
    return [one.value for one in field.choices if one.value in values] or None


def _number(field: Field, given) -> str:
    if isinstance(given, bool):
        raise Wrong(_("It is no number."), _("Write digits only."))
    try:
        if isinstance(given, float):
            number = Decimal(format(given, ".15g"))  # as many digits as Excel itself keeps
        else:
            text = unicodedata.normalize("NFKC", str(given)).strip()
            number = Decimal(re.sub("[, ]", "", text) if THOUSANDS.fullmatch(text) else text)
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise Wrong(_("“%(text)s” is no number.") % {"text": str(given)[:40]}, _("Write digits only, without a unit."))
    if number.adjusted() > 15:
        raise Wrong(_("The number is too large."), _("Look at the unit: %(uom)s.") % {"uom": field.unit or "1"})
    decimals = field.decimals if field.type == "number" else 0
    if number != round(number, decimals):
        if not decimals:
            raise Wrong(_("It must be a whole number."), _("Leave the decimals out."))
        raise Wrong(
            _("It has more than %(most)d decimals.") % {"most": decimals}, _("Round it, or look at the unit again.")
        )
    if field.min is not None and number < field.min:
        raise Wrong(_("It is less than %(least)s.") % {"least": field.min}, _("Look at the sign and the unit."))
    if field.max is not None and number > field.max:
        raise Wrong(_("It is more than %(most)s.") % {"most": field.max}, _("Look at the unit."))
    if abs(number) * field.scale >= LARGEST:
        raise Wrong(_("The number is too large."), _("Look at the unit: %(uom)s.") % {"uom": field.unit or "1"})
    text = format(number.normalize(), "f")
    return "0" if text in ("-0", "") else text


def _date(given) -> str:
    day = None
    if isinstance(given, datetime.datetime):
        day = given.date()
    elif isinstance(given, datetime.date):
        day = given
    else:
        text = unicodedata.normalize("NFKC", str(given))
        found = re.fullmatch(r"(\d{4})\D(\d{1,2})\D(\d{1,2})日?", text) or re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text)
        if found:
            try:
                day = datetime.date(*map(int, found.groups()))
            except ValueError:
                day = None
    if day is None:
        raise Wrong(_("“%(text)s” is no day.") % {"text": str(given)[:20]}, _("Write it as 2027-01-31."))
    if day > timezone.localdate():
        raise Wrong(_("The day is yet to come."), _("Look at the year."))
    if day < EARLIEST:
        raise Wrong(_("The day is before %(first)s.") % {"first": EARLIEST}, _("Look at the year."))
    return day.isoformat()


def _choice(field: Field, given) -> str:
    text = str(given).strip()
    for one in field.choices:
        if text in (one.value, one.title, one.title_en):
            return one.value
    raise Wrong(
        _("“%(text)s” is none of the answers.") % {"text": text[:40]},
        _("Possible are: %(known)s.") % {"known": ", ".join(str(one) for one in field.choices)},
    )
