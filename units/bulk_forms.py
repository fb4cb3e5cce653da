"""Fill many survey forms by one Excel workbook a department: written, taken back row by row, and its errors told."""

import io
import re
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError

import openpyxl
import xlsxwriter
from django.db import transaction
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from units import campaigning, entering, forms
from units.campaigning import Hand
from units.errors import GeoinvError, InputUnreadable, NotAllowed, Stale, Unfit, UsageError
from units.forms import Cell
from units.models import Campaign, Department, Determination, FactSheet, User
from units.rights import Role

LARGEST = 10_000_000  # bytes of an uploaded workbook
MOST_UNPACKED = 200_000_000
MOST_ROWS = 20_000  # of one sheet
ABOUT = "_geoinv"  # the sheet that says whose workbook it is
KEYS = ("form", "version", "part")  # hidden columns before those that people read
SHOWN = ("subject", "place", "street", "state")
UNKNOWN = "无法取得"
REASON = re.compile(rf"{UNKNOWN}\s*[:：,，]?\s*(.*)", re.DOTALL)
# What openpyxl and zipfile raise over damaged, encrypted or crafted files.
DAMAGED = (
    *(LookupError, ValueError, TypeError, AttributeError, OverflowError, OSError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
HEAD = 2  # rows above the data: keys (hidden), titles


@dataclass
class Taken:
    """What became of the rows of a workbook."""

    rows: int = 0  # with anything new in them
    taken: int = 0
    refused: int = 0
    problems: list[dict] = field(default_factory=list)  # {sheet, row, place, title, value, message, hint}

    def workbook(self) -> bytes:
        """The problems as .xlsx, each with its sheet, row and cell; empty bytes where there is none."""
        if not self.problems:
            return b""
        buffer = io.BytesIO()
        titles = {
            "sheet": _("Sheet"),
            "row": _("Row"),
            "place": _("Cell"),
            "title": _("Fact"),
            "value": _("Filled in"),
            "message": _("What is wrong"),
            "hint": _("What to do"),
        }
        with xlsxwriter.Workbook(buffer, SAFE) as book:
            bold = book.add_format({"bold": True, "bottom": 1})
            sheet = book.add_worksheet(_("Problems"))
            sheet.freeze_panes(1, 0)
            for at, (name, title) in enumerate(titles.items()):
                sheet.set_column(at, at, 44 if name in ("message", "hint") else 18)
                sheet.write_string(0, at, title, bold)
                for line, one in enumerate(self.problems, 1):
                    if name == "row" and one["row"]:
                        sheet.write_number(line, at, one["row"])
                    else:
                        sheet.write_string(line, at, str(one[name] or ""))
        return buffer.getvalue()


SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def departments(campaign: Campaign, by: User) -> list[Department]:
    """The departments of the campaign's district for which somebody fills forms."""
    found = []
    for one in Department.objects.filter(district=campaign.district_id):
        for grant in by.grants():
            if grant.district not in (None, campaign.district_id):
                continue
            named = grant.role in (Role.LEAD, Role.CO) and grant.department == one.code
            office = grant.role == Role.STREET and one.street_id and grant.street in (None, one.street_id)
            if (named or office) and one not in found:
                found.append(one)
    return found


def department_of(campaign: Campaign, code: str, by: User) -> Department:
    """The department of this code, or the only one, for which `by` fills; NotAllowed otherwise."""
    mine = departments(campaign, by)
    for one in mine:
        if one.code == code or (not code and len(mine) == 1):
            return one
    raise NotAllowed(
        _("You do not fill the forms of this department."), _("A workbook is for the department that fills it.")
    )


def _mine(campaign: Campaign, department: Department, by: User) -> list[tuple[FactSheet, Hand]]:
    rows = (
        campaigning.visible(by.grants())
        .filter(campaign=campaign, tasks__department=department, state__in=(*campaigning.OPEN, "co_check"))
        .select_related("campaign__survey", "determination", "parcel", "building", "street", "lead")
        .defer("parcel__geom", "building__geom")
        .order_by("category", "street", "pk")
    )
    return [(one, Hand.of(one, by.grants())) for one in rows]


def bulk_workbook(campaign: Campaign, department: Department, by: User) -> bytes:
    """One sheet a category, one row a form, and a sheet more for what is asked of each building or firm.

    Columns are the facts that the department writes, each with what the register says beside it; all else is
    protected. A blank cell means “as it stands”. Texts stay texts: no value becomes a formula or a link.
    """
    mine = _mine(campaign, department, by)
    there = entering.register_values([one for one, _hand in mine])
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, SAFE) as book:
        look = {
            "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#EDEAE0"}),
            "fixed": book.add_format({"font_color": "#666C71"}),
            "open": book.add_format({"locked": False, "bg_color": "#FFFFFF", "border": 1, "num_format": "@"}),
        }
        about = book.add_worksheet(ABOUT)
        lists = _Lists(about)
        for line, value in enumerate((str(campaign.pk), department.code)):
            about.write_string(line, 0, value)
        _guide(book, campaign, department)
        for form in forms.forms().values():
            rows = [(sheet, hand) for sheet, hand in mine if sheet.category == form.category]
            for each in ("", *forms.PARTS):
                columns = [one for one in form.fields if one.each == each]
                lines = []
                for sheet, hand in rows:
                    cells = [one for one in forms.cells(sheet) if one.field.each == each and hand.writes(one)]
                    parts = {one.part["id"] if one.part else None: one.part for one in cells}
                    lines += [
                        (sheet, part, {c.field.name: c for c in cells if (c.part or {}).get("id") == number})
                        for number, part in parts.items()
                    ]
                used = [one for one in columns if any(one.name in cells for _s, _p, cells in lines)]
                if lines and used:
                    name = f"{form.category}{f'.{each}' if each else ''}"
                    _write_sheet(book.add_worksheet(name), look, lists, used, lines, there)
        about.very_hidden()
        if len(book.worksheets()) > 1:
            book.worksheets()[1].activate()
            book.worksheets()[1].set_first_sheet()
    return buffer.getvalue()


class _Lists:
    """Where the drop-down lists of a workbook stand: Excel takes no more than 255 characters in the cell itself."""

    def __init__(self, sheet):
        self.sheet, self.known, self.column = sheet, {}, 1

    def of(self, choices) -> str:
        values = tuple(str(one) for one in choices)
        if values not in self.known:
            for line, value in enumerate(values):
                self.sheet.write_string(line, self.column, value)
            letter = get_column_letter(self.column + 1)
            self.known[values] = f"='{ABOUT}'!${letter}$1:${letter}${len(values)}"
            self.column += 1
        return self.known[values]


def _guide(book, campaign: Campaign, department: Department) -> None:
    sheet = book.add_worksheet(_("How to fill it in"))
    sheet.set_column(0, 0, 100)
    for line, text in enumerate(
        (
            f"{campaign.title} · {department.name}",
            _("One sheet a category, one row a form; white cells are yours to fill in."),
            _("A blank cell leaves what stands there as it is."),
            _("Where a fact cannot be had, write 无法取得：and the reason."),
            _("Several answers of a list are divided by 、"),
            _("Formulas are not worked out: paste their values."),
        )
    ):
        sheet.write_string(line, 0, text)
    sheet.protect()


def _write_sheet(sheet, look: dict, lists: _Lists, columns: list, lines: list, there: dict) -> None:
    heads = [(name, name) for name in KEYS] + [
        ("subject", _("Code")),
        ("place", _("Building or firm")),
        ("street", _("Street")),
        ("state", _("State")),
    ]
    for one in columns:
        title = f"{one} ({one.unit})" if one.unit else str(one)
        heads.append((one.name, f"{title} *" if one.required else title))
        if one.writes:
            heads.append((f"register:{one.name}", _("Register: %(title)s") % {"title": one}))
    sheet.set_row(0, None, None, {"hidden": True})
    sheet.set_column(0, len(KEYS) - 1, None, None, {"hidden": True})
    sheet.set_column(len(KEYS), len(heads) - 1, 18)
    sheet.freeze_panes(HEAD, len(KEYS) + 1)
    for at, (key, title) in enumerate(heads):
        sheet.write_string(0, at, key)
        sheet.write_string(1, at, title, look["head"])
    for line, (row, part, cells) in enumerate(lines, HEAD):
        fixed = (
            str(row.pk),
            str(row.version),
            str(part["id"]) if part else "",
            row.subject.code,
            (part["name"] or part["code"]) if part else "",
            row.street.name if row.street_id else "",
            str(FactSheet.State(row.state).label),
        )
        for at, value in enumerate(fixed):
            sheet.write_string(line, at, value, look["fixed"])
        for at, (key, _title) in enumerate(heads[len(fixed) :], len(fixed)):
            cell = cells.get(key.removeprefix("register:"))
            if cell is None:
                continue
            if key.startswith("register:"):
                sheet.write_string(line, at, cell.field.shown(there[row.pk][cell.key]), look["fixed"])
            else:
                given = forms.answer(row, cell)
                text = cell.field.shown(given.get("value"))
                if given.get("unknown_reason"):
                    text = f"{UNKNOWN}：{given['unknown_reason']}"
                sheet.write_string(line, at, text, look["open"])
                if cell.field.type == "choice":
                    source = {"validate": "list", "source": lists.of(cell.field.choices), "error_type": "warning"}
                    sheet.data_validation(line, at, line, at, source)
    sheet.protect("", {"format_columns": True, "autofilter": True, "sort": True})


@dataclass(frozen=True)
class Row:
    """One row of a workbook: which form and part, as of which version, and what its open cells say."""

    sheet: str
    line: int
    form: int
    version: int
    part: str
    values: dict  # field: (value, place)


class Undone(Exception):
    """Raised to take everything back where all or nothing is wanted."""


def take_workbook(
    campaign: Campaign, department: Department, body: bytes, by: User, *, all_or_nothing: bool = False
) -> Taken:
    """Take what is new in the rows of a workbook; a row with an error is not taken, or with `all_or_nothing` none is.

    Each row tells the version of its form when the workbook was written: what somebody else wrote since in the same
    cell refuses the row. Raises InputUnreadable for what is no workbook of this campaign and department.
    """
    rows = _rows(campaign, department, body)
    mine = {sheet.pk: (sheet, hand) for sheet, hand in _mine(campaign, department, by)}
    taken = Taken()
    try:
        with transaction.atomic():
            # All at once and in one order: two departments that send theirs together would else wait for each other.
            records = [mine[row.form][0].determination_id for row in rows if row.form in mine]
            list(Determination.objects.select_for_update().filter(pk__in=records).order_by("pk").values_list("pk"))
            for row in rows:
                _take(row, mine, by, taken)
            if all_or_nothing and taken.problems:
                raise Undone
    except Undone:
        taken.refused, taken.taken = taken.rows, 0
    return taken


def _take(row: Row, mine: dict, by: User, taken: Taken) -> None:
    def tell(message, hint, place="", title="", value=""):
        taken.problems.append(
            {
                "sheet": row.sheet,
                "row": row.line,
                "place": place,
                "title": title,
                "value": str(value)[:100],
                "message": str(message),
                "hint": str(hint),
            }
        )

    before = len(taken.problems)
    if row.form not in mine:
        if any(value not in (None, "") for value, _place in row.values.values()):
            taken.rows += 1
            taken.refused += 1
            tell(_("The form of this row is not open for your department."), _("Download the workbook again."))
        return
    sheet, _hand = mine[row.form]
    cells = {cell.key: cell for cell in forms.cells(sheet)}
    values, places = {}, {}
    for name, (value, place) in row.values.items():
        key = f"{name}@{row.part}" if row.part else name
        if value in (None, ""):
            continue
        if key not in cells:
            tell(_("The form has no such field."), _("Download the workbook again."), place, name, value)
            continue
        if isinstance(value, Formula):
            hint = _("Paste its value instead.")
            tell(_("It is a formula, and formulas are not worked out."), hint, place, cells[key].title, value)
            continue
        told = _as_told(value)
        if not _stands(sheet, cells[key], told):
            values[key], places[key] = told, (place, value)
    if not values and len(taken.problems) == before:
        return
    taken.rows += 1
    if len(taken.problems) == before:
        try:
            with transaction.atomic():
                campaigning.fill(sheet, values, by, row.version)
            taken.taken += 1
            return
        except Unfit as error:
            for one in error.details["problems"]:
                place, value = places[one["cell"]]
                tell(one["message"], one["hint"], place, one["title"], value)
        except Stale as error:
            for key, theirs in error.details["theirs"]["cells"].items():
                place, value = places[key]
                message = _("%(who)s wrote it meanwhile: %(what)s.") % {
                    "who": theirs["department"] or theirs["by_name"],
                    "what": theirs["shown"] or theirs["unknown_reason"] or "–",
                }
                tell(message, _("Download the workbook again."), place, cells[key].title, value)
        except GeoinvError as error:
            tell(error.message, error.hint)
    taken.refused += 1


def _as_told(value) -> dict:
    if isinstance(value, str) and (found := REASON.fullmatch(value.strip())):
        return {"unknown_reason": found[1]}
    return {"value": value}


def _stands(sheet: FactSheet, cell: Cell, told: dict) -> bool:
    """Whether the form says so already: what was written into the workbook and not touched is nothing new."""
    given = forms.answer(sheet, cell)
    if "unknown_reason" in told:
        return given.get("unknown_reason") == told["unknown_reason"].strip()
    try:
        return given.get("value") is not None and forms.parsed(cell.field, told["value"]) == given["value"]
    except forms.Wrong:
        return False


class Formula(str):
    """The text of a formula, or of the error that one left (#N/A); it is never worked out."""

    __slots__ = ()


def _rows(campaign: Campaign, department: Department, body: bytes) -> list[Row]:
    if len(body) > LARGEST:
        raise UsageError(
            _("The workbook is larger than %(most)d MB.") % {"most": LARGEST // 1_000_000},
            _("Send back the workbook that was downloaded, with nothing added."),
            code="too-large",
        )
    try:
        _bounded(body)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that nobody reads here
            book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=False, keep_links=False)
            try:
                sheets = {one.title: one for one in book.worksheets}  # sheets of charts hold no rows
                if ABOUT not in sheets:
                    raise _no_workbook()
                said = [row[0].value for row in sheets[ABOUT].iter_rows(max_row=2, max_col=1) if row]
                if said[:2] != [str(campaign.pk), department.code]:
                    raise InputUnreadable(
                        _("The workbook is of another campaign or another department."),
                        _("Download the one of this campaign and fill that in."),
                        code="other-workbook",
                    )
                return [row for name, sheet in sheets.items() if name != ABOUT for row in _of_sheet(sheet)]
            finally:
                book.close()
    except (ParseError, InvalidFileException, *DAMAGED) as error:
        if isinstance(error, GeoinvError):
            raise
        raise _no_workbook() from error


def _of_sheet(sheet) -> list[Row]:
    sheet.reset_dimensions()
    lines = sheet.iter_rows(max_row=MOST_ROWS + HEAD + 1, max_col=200)
    keys = [cell.value for cell in next(lines, ())]
    if keys[: len(KEYS)] != list(KEYS):
        return []
    next(lines, None)
    found = []
    for line, cells in enumerate(lines, HEAD + 1):
        if line > MOST_ROWS + HEAD:
            raise UsageError(
                _("The sheet %(name)s has more than %(most)d rows.") % {"name": sheet.title, "most": MOST_ROWS}
            )
        texts = [cell.value for cell in cells[: len(KEYS)]]
        if len(texts) < len(KEYS) or not str(texts[0] or "").isdecimal() or not str(texts[1] or "").isdecimal():
            continue
        values = {
            key: (Formula(cell.value) if cell.data_type in ("f", "e") else cell.value, f"{get_column_letter(at)}{line}")
            for at, (key, cell) in enumerate(zip(keys, cells, strict=False), 1)
            if key and at > len(KEYS) + len(SHOWN) and not str(key).startswith("register:")
        }
        found.append(Row(sheet.title, line, int(texts[0]), int(texts[1]), str(texts[2] or ""), values))
    return found


def _bounded(body: bytes) -> None:
    """Raise InputUnreadable where a workbook would unpack to too much, or declares entities of its own."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
            raise _no_workbook()
        for member in archive.infolist():
            if member.filename.endswith((".xml", ".rels")):
                with archive.open(member) as part:
                    start = part.read(4096).replace(b"\x00", b"")
                if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                    raise _no_workbook()


def _no_workbook() -> InputUnreadable:
    return InputUnreadable(
        _("The file is no workbook of a survey campaign."),
        _("Download the workbook of the campaign, fill it in and send that back."),
        code="no-workbook",
    )
