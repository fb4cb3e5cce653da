"""Write rows of a layer as they were delivered: raw records of a shapefile, or a shapefile or sheet of their values."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyproj
import xlsxwriter
from django.utils.translation import gettext as _

from importers.inspecting import Inspected
from importers.reading_dbf import Table
from importers.reading_shp import HEADER
from importers.shaping import Projection
from importers.straightening import CHORD, chords

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"
NULL_SHAPE = struct.pack("<i", 0)
MAX_NAME, MAX_WIDTH, MAX_NUMBER = 10, 254, 32  # bytes that a DBF has for the name of a field and for its value
NO_NAME = '<>:"|?*'  # letters that Windows has in no name of a file
MOST_CHARACTERS = 32_767  # of a cell


def refused_shapes(seen: Inspected, numbers: list[int], zone: int) -> tuple[bytes, list[str]]:
    """Rows, by their numbers in the file, as a zipped shapefile; and notes on what is not as it was delivered.

    `zone` is the Gauss–Krüger zone in which curves given in degrees are measured.
    """
    rows = [number - 1 - seen.table.before for number in numbers]
    notes: list[str] = []
    raw = isinstance(seen.table, Table)
    shapes = [_shape(seen, row, zone, notes) for row in rows]
    kind = seen.shapes.shape_type if raw else 5
    shp, shx = _shp(shapes, kind)
    parts = {"shp": shp, "shx": shx}
    if raw:
        parts["dbf"] = _raw_table(seen, rows)
        parts |= {part: path.read_bytes() for part, path in seen.layer.parts.items() if part in ("prj", "cpg")}
    else:
        parts |= {"dbf": _made_table(seen, rows, notes), "cpg": b"UTF-8", "prj": _prj(seen, notes)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            if content is not None:
                archive.writestr(f"{_file_name(seen)}.{part}", content)
    return buffer.getvalue(), list(dict.fromkeys(notes))


def refused_sheet(seen: Inspected, numbers: list[int], hidden: set[str]) -> tuple[bytes, list[str]]:
    """Rows of a table as a workbook with the same columns; those of `hidden` are left empty."""
    notes = []
    if hidden:
        notes.append(_("These columns are closed to you and are left empty: %(names)s.") % {"names": ", ".join(hidden)})
    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet(_sheet_name(seen.layer.name))
        sheet.freeze_panes(1, 0)
        for column, one in enumerate(seen.table.columns):
            sheet.write_string(0, column, one.name)
        for line, number in enumerate(numbers, 1):
            for column, one in enumerate(seen.table.columns):
                value = "" if one.name in hidden else _value(seen, one, number - 1 - seen.table.before)
                if value:
                    sheet.write_string(line, column, value[:MOST_CHARACTERS])
    return buffer.getvalue(), notes


def _file_name(seen: Inspected) -> str:
    name = Path(seen.layer.name.replace("\\", "/")).name or "layer"
    return "".join(letter if letter.isprintable() and letter not in NO_NAME else "_" for letter in name)


def _sheet_name(name: str) -> str:
    plain = "".join("_" if letter in "[]:*?/\\'" else letter for letter in name)
    return plain[:31] or "Sheet1"


def _shape(seen: Inspected, row: int, zone: int, notes: list[str]) -> bytes:
    """The record of one row, byte for byte; a null shape where the file has none."""
    curve = getattr(seen.table, "curves", {}).get(row)
    if curve is not None and seen.crs.way is not None:
        try:
            found = chords(curve, Projection(seen.crs.way, zone))
        except (struct.error, ValueError, IndexError):
            notes.append(_("A curved shape that cannot be read is left empty."))
            return NULL_SHAPE
        notes.append(
            _("A shapefile has no curves: chords at most %(metres)s m from the arcs stand for them.")
            % {"metres": f"{CHORD:g}"}
        )
        return _record(found.rings)
    content = seen.shapes.record(row) if row < seen.shapes.rows else b""
    return content if len(content) >= 4 else NULL_SHAPE


def _record(rings: list[np.ndarray]) -> bytes:
    points = np.concatenate(rings)
    starts = np.concatenate(([0], np.cumsum([len(ring) for ring in rings])[:-1])).astype("<i4")
    head = struct.pack("<i4d2i", 5, *points.min(axis=0), *points.max(axis=0), len(rings), len(points))
    return head + starts.tobytes() + np.ascontiguousarray(points, "<f8").tobytes()


def _shp(contents: list[bytes], kind: int) -> tuple[bytes, bytes]:
    records, index, at = [], [], HEADER
    boxes = [struct.unpack_from("<4d", one, 4) for one in contents if len(one) >= 44]
    boxes = np.array([box for box in boxes if np.isfinite(box).all()] or [(0.0,) * 4])
    box = (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))
    for number, content in enumerate(contents, 1):
        content += bytes(-len(content) % 2)
        records.append(struct.pack(">2i", number, len(content) // 2) + content)
        index.append(struct.pack(">2i", at // 2, len(content) // 2))
        at += 8 + len(content)

    def whole(parts: list[bytes]) -> bytes:
        body = b"".join(parts)
        head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, (HEADER + len(body)) // 2)
        return head + struct.pack("<2i8d", 1000, kind, *box, 0, 0, 0, 0) + body

    return whole(records), whole(index)


def _raw_table(seen: Inspected, rows: list[int]) -> bytes:
    """The DBF with its own header (fields, LDID) and only these records."""
    table = seen.table
    head = bytearray(table.raw_bytes[: table.header_size])
    head[4:8] = len(rows).to_bytes(4, "little")
    blank = b" " * table.record_size
    records = [
        bytes(table.raw_bytes[start : start + table.record_size]) if row < table.rows else blank
        for row in rows
        for start in [table.header_size + row * table.record_size]
    ]
    return bytes(head) + b"".join(records) + b"\x1a"


def _made_table(seen: Inspected, rows: list[int], notes: list[str]) -> bytes:
    """A DBF in UTF-8 with the columns of a layer that came in another container."""
    columns = []
    names: set[str] = set()
    for one in seen.table.columns:
        values = [_value(seen, one, row).encode() for row in rows]
        number = one.kind in "NF" and all(_is_plain(value) for value in values)
        width = max(map(len, values), default=0) or 1
        most = MAX_NUMBER if number else MAX_WIDTH
        if width > most:
            notes.append(
                _("Values of %(name)s are longer than the %(most)d bytes that a shapefile has; they are cut.")
                % {"name": one.name, "most": most}
            )
            values = [_cut(value, most) for value in values]
            width = most
        decimals = max((len(value.partition(b".")[2]) for value in values), default=0) if number else 0
        columns.append((_short(one.name, names, notes), "N" if number else "C", width, decimals, values))
    size = 1 + sum(width for _name, _kind, width, _decimals, _values in columns)
    head = struct.pack("<B3BIHH20x", 3, 126, 1, 1, len(rows), 33 + 32 * len(columns), size)
    for name, kind, width, decimals, _values in columns:
        head += struct.pack("<11sc4xBB14x", name, kind.encode(), width, decimals)
    body = b"".join(
        b" " + b"".join(v[at].rjust(width) if kind == "N" else v[at].ljust(width) for _n, kind, width, _d, v in columns)
        for at in range(len(rows))
    )
    return head + b"\r" + body + b"\x1a"


def _short(name: str, names: set[str], notes: list[str]) -> bytes:
    """A name of at most ten bytes that no other column has."""
    raw = _cut(name.encode(), MAX_NAME)
    at = 1
    while raw.upper() in names:
        raw = _cut(name.encode(), MAX_NAME - 1 - len(str(at))) + f"_{at}".encode()
        at += 1
    names.add(raw.upper())
    if raw != name.encode():
        notes.append(_("The column %(name)s is called %(short)s here.") % {"name": name, "short": raw.decode()})
    return raw


def _cut(raw: bytes, most: int) -> bytes:
    """The first bytes of a UTF-8 text, without the rest of a character that does not fit."""
    return raw[:most].decode("utf-8", "ignore").encode()


def _is_plain(value: bytes) -> bool:
    return not value or value.lstrip(b"-").replace(b".", b"", 1).isdigit()


def _value(seen: Inspected, column, row: int) -> str:
    if not 0 <= row < seen.table.rows:
        return ""
    raw = seen.table.raw(column, slice(row, row + 1)).tobytes()
    return raw.decode(seen.encoding.python, "replace").strip(" \x00")


def _prj(seen: Inspected, notes: list[str]) -> bytes | None:
    if seen.crs.epsg is None:
        notes.append(_("The reference system has no code: the shapefile has no .prj."))
        return None
    return pyproj.CRS.from_epsg(seen.crs.epsg).to_wkt("WKT1_ESRI").encode()
