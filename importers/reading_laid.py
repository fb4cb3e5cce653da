"""Lay the rows that another container held out as a table and a .shp in files, so that one reader checks them all."""

import json
import os
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from importers.confining import CannotRead
from importers.confining import untranslated as _
from importers.formats import CONTROL
from importers.reading_dbf import MAX_FIELDS, Column

MOST_BYTES = 1024**3  # of a table laid out; a column is as wide as its longest value
MOST_SHAPES = 4 * 1024**3 - 200  # bytes of a .shp: what its index can count
AT_ONCE, AT_ONCE_BYTES = 5_000, 16 * 1024**2  # rows and their text that are held before they are written
LONGEST_NAME = 200  # characters of the name of a column
HEADER = 100
BLANK = 32


class Laid:
    """A table of records of one width in a file, with what `reading_dbf.Table` offers; none is marked deleted but
    empty ones.

    `told` holds problems that only the reader could see: row → (code, severity, value, more). `before` are the lines
    of the file above the first row, so that a row is told by the number that its program shows. `curves` are the WKB
    of shapes with curved edges, which no .shp holds. Pickled, it is its path and its columns.
    """

    ldid = None
    header_size = 0

    def __init__(self, path: Path, columns: list[Column], rows: int, *, before=0, deleted=(), told=None, curves=None):
        self.path, self.columns, self.before = path, columns, before
        self.told, self.curves = told or {}, curves or {}
        self.rows = self.held = self.declared = rows
        self.record_size = 1 + sum(column.width for column in columns)
        if rows:
            self.records = np.memmap(path, np.uint8, "r", shape=(rows, self.record_size))
        else:
            self.records = np.zeros((0, self.record_size), np.uint8)
        self.deleted = np.zeros(rows, bool)
        self.deleted[list(deleted)] = True

    def __reduce__(self):
        return _laid_again, (
            self.path,
            self.columns,
            self.rows,
            self.before,
            np.flatnonzero(self.deleted).tolist(),
            self.told,
            self.curves,
        )

    @property
    def raw_bytes(self) -> memoryview:
        return memoryview(self.records.reshape(-1))

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def raw(self, column: Column, rows: slice = slice(None)) -> np.ndarray:
        """The bytes of one column, (n, width)."""
        return np.array(self.records[rows, column.start : column.start + column.width])

    def written(self, rows: slice) -> list[bytes]:
        """Each row as its values and their names, whatever the width, the order and the number of empty columns."""
        said = []
        for column in sorted(self.columns, key=lambda one: one.raw_name):
            values = self.raw(column, rows).view(f"S{column.width}")[:, 0].tolist()
            before = column.raw_name + b"\x1f"
            said.append([before + value if (value := one.rstrip()) else b"" for one in values])
        found = [b"\x1e".join(filter(None, row)) for row in zip(*said, strict=True)]
        first, stop, _step = rows.indices(self.rows)
        for row, curve in self.curves.items():
            if first <= row < stop:
                found[row - first] += b"\x1e" + curve
        return found


def _laid_again(path, columns, rows, before, deleted, told, curves) -> Laid:
    return Laid(path, columns, rows, before=before, deleted=deleted, told=told, curves=curves)


class Laying:
    """Rows on their way into the files of a Laid and, where they have shapes, into a .shp and .shx beside it.

    Columns may come late; few rows are held at once. Raises CannotRead, before it takes the memory, where the table
    would be larger than MOST_BYTES or have more than MAX_FIELDS columns.
    """

    def __init__(self, folder: Path, stem: str, place: str, *, before: int = 0):
        self.folder, self.stem, self.place, self.before = folder, stem, place, before
        self.rows = self.rows_with_shape = 0
        self.kinds: dict[bytes, str] = {}
        self.widths: dict[bytes, int] = {}
        self.told: dict[int, tuple[str, str, str, str]] = {}
        self.deleted: list[int] = []
        self.curves: dict[int, bytes] = {}
        self.other_shapes: set[str] = set()  # names of what has no area
        self.heights = False
        self._chunks = (folder / f"{stem}.chunks").open("wb+")
        self._shapes = self._index = None
        self._end = HEADER

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self._close()

    def _close(self):
        for file in (self._chunks, self._shapes, self._index):
            if file is not None:
                file.close()
        (self.folder / f"{self.stem}.chunks").unlink(missing_ok=True)

    def take(self, columns: dict[bytes, list[bytes]], rows: int, kinds: dict[bytes, str] | None = None):
        """Further rows by column, as encoded; a column that is not named is empty in all of them."""
        for name, values in columns.items():
            self.widths[name] = max(self.widths.get(name, 1), max(map(len, values), default=0))
            kind = (kinds or {}).get(name, "C")
            self.kinds[name] = kind if self.kinds.get(name, kind) == kind else "C"
            if len(self.widths) > MAX_FIELDS:
                raise CannotRead(
                    _("%(place)s has more than %(most)d columns."),
                    _("Leave the columns out that nobody needs."),
                    place=self.place,
                    most=MAX_FIELDS,
                )
            if sum(self.widths.values(), 1) * (self.rows + rows) > MOST_BYTES:
                raise CannotRead(
                    _("%(place)s holds values too long to lay out: %(name)s."),
                    _("Shorten them, or leave the column out."),
                    place=self.place,
                    name=max(self.widths, key=self.widths.get).decode("utf-8", "replace"),
                )
        if rows:
            batch = pa.RecordBatch.from_arrays(
                [pa.array(values, pa.large_binary()) for values in columns.values()],
                [f"{at}" for at in range(len(columns))],
            )
            schema = batch.schema.with_metadata(
                {"names": json.dumps([name.decode("latin-1") for name in columns]), "rows": str(rows)}
            )
            with pa.ipc.new_stream(self._chunks, schema) as writer:
                writer.write_batch(batch.replace_schema_metadata(schema.metadata))
        self.rows += rows

    def begin_shapes(self):
        """Begin the .shp: there may be no shape to come, and the layer is still one of shapes."""
        if self._shapes is None:
            self._shapes = (self.folder / f"{self.stem}.shp").open("wb+")
            self._index = (self.folder / f"{self.stem}.shx").open("wb+")
            for file in (self._shapes, self._index):
                file.write(bytes(HEADER))

    def shape(self, rings: list[np.ndarray] | None):
        """The shape of one more row, which may be closed or not; None where it has none."""
        self.begin_shapes()
        content = _record(rings)
        number = (self._index.tell() - HEADER) // 8 + 1
        self._shapes.write(struct.pack(">2i", number, len(content) // 2) + content)
        self._index.write(struct.pack(">2I", self._end // 2, len(content) // 2))
        self._end += 8 + len(content)
        self.rows_with_shape += rings is not None
        if self._end > MOST_SHAPES:
            raise CannotRead(
                _("The shapes of %(place)s are more than %(most)d bytes."),
                _("Deliver it in several files of one folder."),
                place=self.place,
                most=MOST_SHAPES,
            )

    def laid(self) -> dict:
        """Write the table; what a Laid and the Shapes beside it are made of again, picklable."""
        if self.other_shapes and not self.rows_with_shape and len(self.told) >= self.rows:
            raise CannotRead(
                _("%(place)s holds %(kind)s, not polygons."),
                _("Deliver the polygon layer."),
                place=self.place,
                kind=", ".join(sorted(self.other_shapes)),
            )
        columns, start, taken = [], 1, set()
        for raw_name, width in self.widths.items():
            name = _name(raw_name)
            while name in taken:
                name += "_"
            taken.add(name)
            columns.append(Column(name, raw_name, self.kinds[raw_name], width, 0, start))
            start += width
        path = self.folder / f"{self.stem}.rows"
        with path.open("wb") as file:
            for block in self._blocks(columns, start):
                file.write(block.tobytes())
        shapes = None
        if self._shapes is not None:
            for file in (self._shapes, self._index):
                size = file.tell()
                file.seek(0)
                # A .shp beyond 2 GiB counts its words in a field that is signed elsewhere; nobody reads it here.
                file.write(struct.pack(">6iI", 9994, 0, 0, 0, 0, 0, size // 2))
                file.write(struct.pack("<2i8d", 1000, 15 if self.heights else 5, *([0.0] * 8)))
            shapes = (Path(self._shapes.name), Path(self._index.name))
        self._close()
        return {
            "path": path,
            "columns": columns,
            "rows": self.rows,
            "before": self.before,
            "deleted": self.deleted,
            "told": self.told,
            "curves": self.curves,
            "shapes": shapes,
        }

    def _blocks(self, columns: list[Column], size: int) -> Iterable[np.ndarray]:
        """The records of the chunks in order."""
        end = self._chunks.tell()
        self._chunks.seek(0)
        while self._chunks.tell() < end:
            with pa.ipc.open_stream(self._chunks) as reader:
                about = reader.schema.metadata
                names = [name.encode("latin-1") for name in json.loads(about[b"names"])]
                held = dict(zip(names, reader.read_all().columns, strict=True))
            block = np.full((int(about[b"rows"]), size), BLANK, np.uint8)
            for column in columns:
                if column.raw_name in held:
                    raw = np.array(held[column.raw_name].to_pylist(), f"S{column.width}")
                    raw = raw.view(np.uint8).reshape(len(block), column.width)
                    block[:, column.start : column.start + column.width] = np.where(raw == 0, BLANK, raw)
            yield block


class RowsAtOnce:
    """Gather single rows for a Laying, some thousands at a time."""

    def __init__(self, laying: Laying):
        self.laying, self.columns, self.held, self.size, self.number = laying, {}, 0, 0, {}

    def add(self, values: dict[str, str], numbers: Iterable[str] = ()):
        """One row: its values as text; `numbers` are the names of those that were numbers."""
        for name, value in values.items():
            column = self.columns.get(name)
            if column is None:
                column = self.columns[name] = [b""] * self.held
            column.append(value.encode("utf-8", "replace"))
            self.size += len(column[-1])
            if value:
                self.number[name] = self.number.get(name, True) and name in numbers
        self.held += 1
        for column in self.columns.values():
            if len(column) < self.held:
                column.append(b"")
        if self.held >= AT_ONCE or self.size >= AT_ONCE_BYTES:
            self.flush()

    @property
    def rows(self) -> int:
        """How many rows there are so far."""
        return self.laying.rows + self.held

    def flush(self):
        kinds = {name.encode("utf-8", "replace"): "N" if self.number.get(name) else "C" for name in self.columns}
        columns = {name.encode("utf-8", "replace"): values for name, values in self.columns.items()}
        self.laying.take(columns, self.held, kinds)
        self.columns, self.held, self.size = {name: [] for name in self.columns}, 0, 0


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


def _name(raw: bytes) -> str:
    """The name of a column as text, without what no database takes."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        name = raw.decode("gb18030", "replace")
    return CONTROL.sub(" ", name)[:LONGEST_NAME]


def _record(rings: list[np.ndarray] | None) -> bytes:
    if not rings:
        return struct.pack("<i", 0)
    points = np.concatenate(rings)
    box = (*points.min(axis=0), *points.max(axis=0)) if len(points) else (0.0,) * 4
    starts = np.concatenate(([0], np.cumsum([len(ring) for ring in rings])[:-1])).astype("<i4")
    head = struct.pack("<i4d2i", 5, *box, len(rings), len(points))
    return head + starts.tobytes() + np.ascontiguousarray(points, "<f8").tobytes()


def stem_of(folder: Path) -> str:
    """A name for the files of one more layer in the folder."""
    return f"laid{sum(name.endswith(('.chunks', '.rows')) for name in os.listdir(folder))}"
