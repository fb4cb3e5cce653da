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
MOST_COLUMNS = 255
MARK = "xl/workbook.xml"


def sheets_of(path: Path) -> list[str]:
    """The names of the sheets."""
    return _workbook(path, lambda book: list(book.sheetnames))


def read_sheet(path: Path, sheet: str, place: str) -> Laid:
    """One sheet: its first row names the columns, every further row is a row. Rows without any value are not rows."""
    return _workbook(path, lambda book: _laid(book[sheet], place))


def _laid(sheet, place: str) -> Laid:
    rows = sheet.iter_rows(values_only=True)
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
    held = [[_text(value) for value in row[: len(names)]] for row in rows]
    while held and not any(held[-1]):
        held.pop()
    for row in held:
        row += [""] * (len(names) - len(row))
    laid = Laid([(name, "C", [row[at] for row in held]) for at, name in enumerate(names)], len(held), place)
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that nobody reads here
            book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
            try:
                return ask(book)
            finally:
                book.close()
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError, EOFError) as error:
        if isinstance(error, InputUnreadable):
            raise
        raise _unreadable(path, str(error)[:200]) from error


def _unreadable(path: Path, why: str) -> InputUnreadable:
    return InputUnreadable(
        _("%(name)s cannot be read: %(why)s.") % {"name": path.name, "why": why}, _("Save the workbook again.")
    )
