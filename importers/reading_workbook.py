"""Read the sheets of an Excel workbook as text: formulas are kept as they are written and never evaluated."""

import datetime
import warnings
import zipfile
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

from importers.reading_laid import Laid, number
from units.errors import InputUnreadable

MOST_UNPACKED = 1024**3
MOST_SHARED = 256 * 1024**2  # bytes of the table of shared texts, which is read as a whole
MOST_ROWS = 1_048_576  # of a sheet, its first row included: as many as Excel has
MOST_COLUMNS = 255
MOST_CELLS = 20_000_000  # of the rows that hold anything
LOOKED_AT = 1_000  # rows that say whether a sheet holds anything at all
# What openpyxl raises of its own accord where a workbook contradicts itself.
DAMAGED = (LookupError, ValueError, TypeError, OverflowError, OSError, EOFError)
SHARED = "xl/sharedStrings.xml"
MARK = "xl/workbook.xml"


def sheets_of(path: Path) -> list[str]:
    """The names of the sheets that hold anything, or of all where none does; charts are no sheets."""

    def named(book):
        used = [one.title for one in book.worksheets if _is_used(one)]
        return used or [one.title for one in book.worksheets]

    return _workbook(path, named)


def _is_used(sheet) -> bool:
    """Whether a sheet has a value; new workbooks come with empty ones."""
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=LOOKED_AT, max_col=MOST_COLUMNS, values_only=True)
    return any(_text(value) for row in rows for value in row)


def read_sheet(path: Path, sheet: str, place: str) -> Laid:
    """One sheet: its first row names the columns, every further row is a row. Rows without any value are not rows.

    Rows are told as Excel numbers them: the first below the names is row 2.
    """
    return _workbook(path, lambda book: _laid(book[sheet], place))


def columns_of(path: Path, sheet: str, place: str) -> list[str]:
    """The names of the columns of one sheet."""
    return _workbook(path, lambda book: _named(_rows(book[sheet]), place))


def _rows(sheet):
    sheet.reset_dimensions()  # what the file says of its extent may be wrong, and rows beyond it would be lost
    return sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)


def _named(rows, place: str) -> list[str]:
    """The names of the columns, which the first of the rows gives; each is another."""
    head = [_text(value) for value in next(rows, ())]
    while head and not head[-1]:
        head.pop()
    if not head:
        raise InputUnreadable(
            _("The sheet %(place)s has no names of columns in its first row.") % {"place": place},
            _("Put the names of the columns into the first row."),
        )
    if len(head) > MOST_COLUMNS:
        raise InputUnreadable(
            _("The sheet %(place)s has more than %(most)d columns.") % {"place": place, "most": MOST_COLUMNS},
            _("Leave the empty columns out."),
        )
    names: list[str] = []
    for at, name in enumerate(head):
        name = name or f"column {at + 1}"
        while name in names:
            name += "_"
        names.append(name)
    return names


def _laid(sheet, place: str) -> Laid:
    rows = _rows(sheet)
    names = _named(rows, place)
    empty, used = [""] * len(names), 0
    held: list[list[str]] = []
    for at, row in enumerate(rows, 2):
        if at > MOST_ROWS:
            raise _too_large(place, _("more than %(most)d rows") % {"most": MOST_ROWS})
        values = [_text(value) for value in row[: len(names)]]
        held.append(values + empty[len(values) :] if any(values) else empty)
        used += held[-1] is not empty
        if used * len(names) > MOST_CELLS:
            raise _too_large(place, _("more than %(most)d cells") % {"most": MOST_CELLS})
    while held and held[-1] is empty:
        held.pop()
    columns = ((name, "C", [row[at] for row in held]) for at, name in enumerate(names))
    laid = Laid(columns, len(held), place, before=1)
    for row, values in enumerate(held):
        laid.deleted[row] = not any(values)
    return laid


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    return str(value).strip()


def _workbook(path: Path, ask):
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
                raise _unreadable(path, _("it would unpack to more than %(most)d bytes") % {"most": MOST_UNPACKED})
            if SHARED in archive.namelist() and archive.getinfo(SHARED).file_size > MOST_SHARED:
                raise _unreadable(path, _("its texts would unpack to more than %(most)d bytes") % {"most": MOST_SHARED})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that nobody reads here
            book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
            try:
                return ask(book)
            finally:
                book.close()
    except (zipfile.BadZipFile, InvalidFileException, ParseError, *DAMAGED) as error:
        if isinstance(error, InputUnreadable):
            raise
        raise _unreadable(path, str(error)[:200]) from error
    except MemoryError as error:
        raise _unreadable(path, _("the memory does not hold it")) from error


def _too_large(place: str, why: str) -> InputUnreadable:
    return InputUnreadable(
        _("The sheet %(place)s has %(why)s.") % {"place": place, "why": why},
        _("Deliver it in several workbooks of one folder, or leave the columns out that nobody needs."),
    )


def _unreadable(path: Path, why: str) -> InputUnreadable:
    return InputUnreadable(
        _("%(name)s cannot be read: %(why)s.") % {"name": path.name, "why": why}, _("Save the workbook again.")
    )
