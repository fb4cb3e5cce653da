"""Read the sheets of an Excel workbook as text: formulas are kept as they are written and never evaluated."""

import datetime
import warnings
import zipfile
import zlib
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from importers.confining import CannotRead, Words
from importers.confining import untranslated as _
from importers.reading_laid import AT_ONCE, AT_ONCE_BYTES, Laying, number

MOST_UNPACKED = 1024**3
MOST_SHARED = 256 * 1024**2  # bytes of the table of shared texts, which is read as a whole
MOST_ROWS = 1_048_576  # of a sheet, its first row included: as many as Excel has
MOST_COLUMNS = 255
MOST_CELLS = 20_000_000  # of the rows that hold anything
DECLARED_WITHIN = 4_096  # bytes of a part of XML in which a declaration of its own would stand
LOOKED_AT = 1_000  # rows that say whether a sheet holds anything at all
# What openpyxl raises of its own accord where a workbook contradicts itself.
DAMAGED = (LookupError, ValueError, TypeError, OverflowError, OSError, EOFError)
SHARED = "xl/sharedStrings.xml"
MARK = "xl/workbook.xml"


def sheets_of(path: Path, place: str) -> list[str]:
    """The names of the sheets that hold anything, or of all where none does; charts are no sheets."""

    def named(book):
        used = [one.title for one in book.worksheets if _is_used(one)]
        return used or [one.title for one in book.worksheets]

    return _workbook(path, place, named)


def _is_used(sheet) -> bool:
    """Whether a sheet has a value; new workbooks come with empty ones."""
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=LOOKED_AT, max_col=MOST_COLUMNS, values_only=True)
    return any(_text(value) for row in rows for value in row)


def lay_sheet(path: Path, sheet: str, place: str, folder: Path, stem: str) -> dict:
    """One sheet, laid out: its first row names the columns, every further row is a row, but for those without a value.

    Rows are told as Excel numbers them: the first below the names is row 2. Raises CannotRead.
    """
    return _workbook(path, place, lambda book: _laid(book[sheet], place, folder, stem))


def _rows(sheet):
    sheet.reset_dimensions()  # what the file says of its extent may be wrong, and rows beyond it would be lost
    return sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)


def _named(rows, place: str) -> list[str]:
    """The names of the columns, which the first of the rows gives; each is another."""
    head = [_text(value) for value in next(rows, ())]
    while head and not head[-1]:
        head.pop()
    if not head:
        raise CannotRead(
            _("The sheet %(place)s has no names of columns in its first row."),
            _("Put the names of the columns into the first row."),
            place=place,
        )
    if len(head) > MOST_COLUMNS:
        raise CannotRead(
            _("The sheet %(place)s has more than %(most)d columns."),
            _("Leave the empty columns out."),
            place=place,
            most=MOST_COLUMNS,
        )
    names: list[str] = []
    for at, name in enumerate(head):
        name = name.replace("\x1f", " ") or f"column {at + 1}"
        while name in names:
            name += "_"
        names.append(name)
    return names


def _laid(sheet, place: str, folder: Path, stem: str) -> dict:
    rows = _rows(sheet)
    names = _named(rows, place)
    with Laying(folder, stem, place, before=1) as laying:
        empty, used, size = [""] * len(names), 0, 0
        held: list[list[str]] = []
        blank = 0  # rows without a value since the last one with any: at the end of a sheet they are none
        for at, row in enumerate(rows, 2):
            if at > MOST_ROWS:
                raise _too_large(place, _("more than %(most)d rows"), MOST_ROWS)
            values = [_text(value) for value in row[: len(names)]]
            if not any(values):
                blank += 1
                continue
            for _row in range(blank):
                laying.deleted.append(laying.rows + len(held))
                held.append(empty)
            blank = 0
            held.append(values + empty[len(values) :])
            used += 1
            if used * len(names) > MOST_CELLS:
                raise _too_large(place, _("more than %(most)d cells"), MOST_CELLS)
            size += sum(map(len, values))
            if len(held) >= AT_ONCE or size >= AT_ONCE_BYTES:
                _flush(names, held, laying)
                size = 0
        _flush(names, held, laying)
        return laying.laid()


def _flush(names: list[str], held: list[list[str]], laying: Laying):
    columns = {name: [row[at].encode("utf-8", "replace") for row in held] for at, name in enumerate(names)}
    laying.take({name.encode("utf-8", "replace"): values for name, values in columns.items()}, len(held))
    held.clear()


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


def _workbook(path: Path, place: str, ask):
    try:
        with zipfile.ZipFile(path) as archive:
            _bounded(archive, place)
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that nobody reads here
            book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
            try:
                return ask(book)
            finally:
                book.close()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, InvalidFileException, ParseError, *DAMAGED) as error:
        raise _unreadable(place, str(error)[:200]) from error


def _bounded(archive: zipfile.ZipFile, place: str):
    """Raise CannotRead where a workbook would unpack to too much, or where its parts declare entities."""
    members = archive.infolist()
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise _unreadable(place, _("it would unpack to more than %(most)d bytes"), most=MOST_UNPACKED)
    for member in members:
        if member.filename.endswith(SHARED) and member.file_size > MOST_SHARED:
            raise _unreadable(place, _("its texts would unpack to more than %(most)d bytes"), most=MOST_SHARED)
        if member.filename.endswith((".xml", ".rels")):
            with archive.open(member) as part:
                start = part.read(DECLARED_WITHIN).replace(b"\x00", b"")
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                raise _unreadable(place, _("its part %(part)s declares entities, which no workbook does"), part=member)


def _too_large(place: str, why: str, most: int) -> CannotRead:
    return CannotRead(
        _("The sheet %(place)s has %(why)s."),
        _("Deliver it in several workbooks of one folder, or leave the columns out that nobody needs."),
        place=place,
        why=Words(why, {"most": most}),
    )


def _unreadable(place: str, why: str, **parts) -> CannotRead:
    parts = {name: getattr(part, "filename", part) for name, part in parts.items()}
    return CannotRead(
        _("%(name)s cannot be read: %(why)s."),
        _("Save the workbook again."),
        name=place,
        why=Words(why, parts) if parts else why,
    )
