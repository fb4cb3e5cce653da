"""Read a table of text (CSV) as bytes, so that its encoding is judged like that of a DBF."""

import csv
from pathlib import Path

from importers.confining import CannotRead, Words
from importers.confining import untranslated as _
from importers.formats import START, separator_of
from importers.problems import REFUSE, WARN
from importers.reading_dbf import MAX_FIELDS
from importers.reading_laid import AT_ONCE, AT_ONCE_BYTES, Laying

MOST_ROWS = 5_000_000
MOST_CELL = 128 * 1024  # bytes of one cell
UTF8_MARK = b"\xef\xbb\xbf"
UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
SAVE = _("Save the table again as .xlsx, or as CSV in UTF-8.")


def lay_csv(path: Path, _layer: str, place: str, folder: Path, stem: str) -> dict:
    """The rows of a CSV, its cells in the bytes of the file; UTF-16 is turned into UTF-8.

    The first row names the columns. Rows without any value are no rows, as in a workbook. Rows are told by their
    number in the table, the row of names being 1. Raises CannotRead.
    """
    with path.open("rb") as file:
        start = file.read(START)
    encoding = UTF16.get(start[:2], "")
    begins = UTF8_MARK if start.startswith(UTF8_MARK) else b""
    # Latin-1 gives every byte a character of its own: the separators are ASCII in all encodings that are read.
    separator, lines = separator_of(start.decode(encoding or "latin-1", "ignore").removeprefix("ï»¿"))
    with Laying(folder, stem, place, before=1) as laying:
        csv.field_size_limit(MOST_CELL)
        with path.open("r", encoding=encoding or "latin-1", newline="", errors="strict") as file:
            file.read(1 if encoding else len(begins))
            if len(lines) < len(start.decode(encoding or "latin-1", "ignore").lstrip("\ufeff").splitlines()):
                file.readline()  # sep=;
            reader = csv.reader(file, delimiter=separator or ",", strict=True)
            try:
                _rows(reader, laying, "utf-8" if encoding else "latin-1", place)
            except (csv.Error, UnicodeDecodeError) as error:
                raise CannotRead(
                    _("%(place)s is damaged at line %(line)d: %(why)s."),
                    SAVE,
                    place=place,
                    line=reader.line_num,
                    why=str(error)[:100],
                ) from error
        told = [Words(_("It begins with the mark of UTF-8."))] if begins else []
        return {**laying.laid(), "system": None, "encoding": encoding, "evidence": told}


def _rows(reader, laying: Laying, encoding: str, place: str):
    names: list[bytes] = []
    held: list[list[bytes]] = []
    row, size = -1, 0
    for cells in reader:
        raw = [cell.strip().encode(encoding) for cell in cells]
        if not names:
            if not any(raw):
                laying.before += 1
                continue
            while raw and not raw[-1]:
                raw.pop()
            if len(raw) > MAX_FIELDS:
                raise CannotRead(
                    _("%(place)s has more than %(most)d columns."),
                    _("Leave the columns out that nobody needs."),
                    place=place,
                    most=MAX_FIELDS,
                )
            names = _named(raw)
            continue
        row += 1
        if row >= MOST_ROWS:
            raise CannotRead(
                _("%(place)s has more than %(most)d rows."),
                _("Deliver it in several files of one folder."),
                place=place,
                most=MOST_ROWS,
            )
        if not any(raw):
            laying.deleted.append(row)
        elif any(raw[len(names) :]):
            laying.told[row] = ("1-cells-beyond", REFUSE, str(len(raw)), str(len(names)))
        elif len(raw) < len(names):
            laying.told[row] = ("1-cells-missing", WARN, str(len(raw)), str(len(names)))
        held.append((raw + [b""] * len(names))[: len(names)])
        size += sum(map(len, raw))
        if len(held) >= AT_ONCE or size >= AT_ONCE_BYTES:
            _flush(names, held, laying)
            size = 0
    if not names:
        raise CannotRead(
            _("%(place)s has no names of columns in its first row."),
            _("Put the names of the columns into the first row."),
            place=place,
        )
    _flush(names, held, laying)
    while laying.deleted and laying.deleted[-1] == laying.rows - 1:  # blank lines at the end are none of the table
        laying.deleted.pop()
        laying.rows -= 1


def _flush(names: list[bytes], held: list[list[bytes]], laying: Laying):
    laying.take({name: [row[at] for row in held] for at, name in enumerate(names)}, len(held))
    held.clear()


def _named(raw: list[bytes]) -> list[bytes]:
    """Each column by another name; one without any by its place."""
    names: list[bytes] = []
    for at, name in enumerate(raw):
        name = name.replace(b"\x1f", b" ") or f"column {at + 1}".encode()
        while name in names:
            name += b"_"
        names.append(name)
    return names
