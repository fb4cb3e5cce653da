"""Lay the rows that another container held out as a table and a .shp, so that one reader checks them all."""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from importers.reading_dbf import Column
from units.errors import InputUnreadable

MOST_BYTES = 1024**3  # of a table laid out; a column is as wide as its longest value
BLANK = 32
POLYGON, MULTIPOLYGON = 3, 6
CURVES = {8, 9, 10, 11, 12, 13, 14}
HAS_Z, HAS_M, HAS_SRID = 0x80000000, 0x40000000, 0x20000000


class Laid:
    """A table in memory, in UTF-8, with what `reading_dbf.Table` offers; no row of it is marked deleted but empty ones.

    `told` holds problems that only the reader could see: row → (code, severity, value, more). `before` are the lines
    of the file above the first row, so that a row is told by the number that its program shows.
    Raises InputUnreadable, before it takes the memory, where the table would be larger than MOST_BYTES.
    """

    ldid = 0
    header_size = 0

    def __init__(self, columns: Iterable[tuple[str, str, list[str]]], rows: int, place: str, *, before: int = 0):
        self.columns: list[Column] = []
        self.rows = self.held = self.declared = rows
        self.before = before
        blocks, start = [np.full((rows, 1), BLANK, np.uint8)], 1
        for name, kind, values in columns:
            # A workbook writes a text once and names it a million times: it is held once here too.
            encoded = {value: value.encode("utf-8", "replace") for value in set(values)}
            width = max(map(len, encoded.values()), default=0) or 1
            if (start + width) * max(rows, 1) > MOST_BYTES:
                raise InputUnreadable(
                    _("%(place)s holds values too long to lay out: %(name)s.") % {"place": place, "name": name},
                    _("Shorten them, or leave the column out."),
                )
            raw = np.array([encoded[value] for value in values], f"S{width}")
            block = raw.view(np.uint8).reshape(rows, width)
            block[block == 0] = BLANK
            blocks.append(block)
            self.columns.append(Column(name, name.encode(), kind, width, 0, start))
            start += width
        self.record_size = start
        self.records = np.ascontiguousarray(np.concatenate(blocks, axis=1))
        self.raw_bytes = memoryview(self.records.reshape(-1))
        self.deleted = np.zeros(rows, bool)
        self.told: dict[int, tuple[str, str, str, str]] = {}

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def raw(self, column: Column, rows: slice = slice(None)) -> np.ndarray:
        """The bytes of one column, (n, width)."""
        return np.ascontiguousarray(self.records[rows, column.start : column.start + column.width])

    def written(self, rows: slice) -> list[bytes]:
        """Each row as its values and their names, whatever the width, the order and the number of empty columns."""
        said = []
        for column in sorted(self.columns, key=lambda one: one.raw_name):
            values = self.raw(column, rows).view(f"S{column.width}")[:, 0].tolist()
            before = column.raw_name + b"\x1f"
            said.append([before + value if (value := one.rstrip()) else b"" for one in values])
        return [b"\x1e".join(filter(None, row)) for row in zip(*said, strict=True)]


def texts(values: pa.Array | pa.ChunkedArray) -> list[str]:
    """The values of an Arrow column as text: numbers as short as they are exact, dates as ISO."""
    kind = values.type
    found = values.to_pylist()
    if pa.types.is_floating(kind):
        return ["" if one is None else number(one) for one in found]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return ["" if one is None else one.hex() for one in found]
    return ["" if one is None else str(one) for one in found]


def number(value: float) -> str:
    """A number as text; whole ones without a point."""
    return str(int(value)) if value == value and abs(value) < 2**53 and value == int(value) else repr(value)


class Curve(Exception):
    """A shape has curved edges, which nobody may straighten unasked."""


class NotPolygon(Exception):
    """A shape is a point, a line or something else without an area."""


def write_shapes(
    rings_of: list[list[np.ndarray] | None], folder: Path, name: str, *, kind: int = 5
) -> tuple[Path, Path]:
    """Write rings, (n, 2) each, as a .shp and .shx; None is a null shape. `kind` 15 says that heights were left out."""
    records, index, at = [], [], 100
    for row, rings in enumerate(rings_of):
        content = _record(rings)
        records.append(struct.pack(">2i", row + 1, len(content) // 2) + content)
        index.append(struct.pack(">2i", at // 2, len(content) // 2))
        at += 8 + len(content)
    shp, shx = folder / f"{name}.shp", folder / f"{name}.shx"
    for path, parts in ((shp, records), (shx, index)):
        body = b"".join(parts)
        head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, (100 + len(body)) // 2)
        path.write_bytes(head + struct.pack("<2i8d", 1000, kind, *([0.0] * 8)) + body)
    return shp, shx


def _record(rings: list[np.ndarray] | None) -> bytes:
    if not rings:
        return struct.pack("<i", 0)
    points = np.concatenate(rings)
    box = (*points.min(axis=0), *points.max(axis=0)) if len(points) else (0.0,) * 4
    starts = np.concatenate(([0], np.cumsum([len(ring) for ring in rings])[:-1])).astype("<i4")
    head = struct.pack("<i4d2i", 5, *box, len(rings), len(points))
    return head + starts.tobytes() + np.ascontiguousarray(points, "<f8").tobytes()


def rings_of_wkb(wkb: bytes | None) -> tuple[list[np.ndarray] | None, bool]:
    """The rings of a WKB polygon as they are, closed or not, and whether heights or measures were left out.

    GEOS is not asked: it refuses what is not closed. Raises Curve and NotPolygon.
    """
    if wkb is None:
        return None, False
    rings: list[np.ndarray] = []
    _at, extra = _read(wkb, 0, rings)
    return rings or None, extra


def _read(wkb: bytes, at: int, rings: list[np.ndarray]) -> tuple[int, bool]:
    order = "<" if wkb[at] == 1 else ">"
    (kind,) = struct.unpack_from(order + "I", wkb, at + 1)
    at += 5
    extra = bool(kind & HAS_Z) + bool(kind & HAS_M)
    if kind & HAS_SRID:
        at += 4
    kind &= 0x0FFFFFFF
    extra += {0: 0, 1: 1, 2: 1, 3: 2}.get(kind // 1000, 0)
    kind %= 1000
    if kind in CURVES:
        raise Curve
    (count,) = struct.unpack_from(order + "I", wkb, at)
    at += 4
    if kind == POLYGON:
        size = 2 + extra
        for _ring in range(count):
            (points,) = struct.unpack_from(order + "I", wkb, at)
            at += 4
            found = np.frombuffer(wkb, order + "f8", points * size, at).reshape(points, size)
            rings.append(found[:, :2])
            at += points * size * 8
    elif kind == MULTIPOLYGON:
        for _part in range(count):
            at, more = _read(wkb, at, rings)
            extra += more
    else:
        raise NotPolygon
    return at, bool(extra)
