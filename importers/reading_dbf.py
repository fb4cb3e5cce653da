"""Read a DBF table by its bytes: the fields, the records as one array, and each column as delivered."""

import mmap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from importers.arrays import binaries, fixed, strings
from units.errors import InputUnreadable

MAX_FIELDS = 255
DELETED = 0x2A  # "*" before the record
BLANK = " \x00\t\r\n"


@dataclass(frozen=True)
class Column:
    """One field of the table: C text, N and F numbers, D a date, L a truth value; `start` is its place in a record."""

    name: str
    raw_name: bytes
    kind: str
    width: int
    decimals: int
    start: int


class Table:
    """A DBF file, mapped into memory. `declared` is the count its header gives, `rows` what the file really holds."""

    before = 0  # rows are counted from the first

    def __init__(self, path: Path, place: str):
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(32)
            if len(header) < 32:
                raise _damaged(place, _("it ends inside its header"))
            self.declared = int.from_bytes(header[4:8], "little")
            self.header_size = int.from_bytes(header[8:10], "little")
            self.record_size = int.from_bytes(header[10:12], "little")
            self.ldid = header[29]
            block = file.read(max(self.header_size - 32, 0))
        self.columns = _columns(block, place)
        width = 1 + sum(column.width for column in self.columns)
        if self.record_size < width or self.header_size < 33 or self.header_size > size:
            raise _damaged(place, _("its header does not fit its fields"))
        self.held = (size - self.header_size) // self.record_size
        self.rows = min(self.held, self.declared)
        self.path = path
        self._map()

    def _map(self):
        with self.path.open("rb") as file:
            self.raw_bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        flat = np.frombuffer(self.raw_bytes, np.uint8, self.rows * self.record_size, self.header_size)
        self.records = flat.reshape(self.rows, self.record_size)

    def __getstate__(self) -> dict:
        """What another process needs to map the file anew."""
        mapped = ("raw_bytes", "records", "deleted")
        return {name: value for name, value in vars(self).items() if name not in mapped}

    def __setstate__(self, state: dict):
        vars(self).update(state)
        self._map()

    @cached_property
    def deleted(self) -> np.ndarray:
        """Which records are marked deleted: they are still in the file, and no row of the layer."""
        return self.records[:, 0] == DELETED

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def raw(self, column: Column, rows: slice = slice(None)) -> np.ndarray:
        """The bytes of one column, (n, width)."""
        return np.ascontiguousarray(self.records[rows, column.start : column.start + column.width])


def trimmed(block: np.ndarray) -> pa.Array:
    """The values of a column as bytes without the blanks around them; block is (n, width) bytes.

    Trailing blanks are cut before Arrow sees the values, so that wide padded columns cost little.
    """
    n = len(block)
    filled = np.flatnonzero(np.bitwise_or.reduce(block ^ 32, axis=0)) if n else ()
    if not len(filled):
        return fixed(np.empty((n, 0), np.uint8))
    narrow = np.ascontiguousarray(block[:, : filled[-1] + 1])
    if narrow.size >= 2**31:
        raise ValueError("a column block must stay below 2 GiB; read fewer rows at once")
    values = fixed(narrow)
    if (np.bitwise_or.reduce(narrow, axis=0) < 128).all():
        return pc.ascii_trim(values.view(pa.string()), BLANK).view(pa.binary())
    # Not ASCII: a blank byte is never part of a longer character in GBK, GB18030, Big5 or UTF-8.
    unique = values.dictionary_encode()
    return binaries([value.as_py().strip(BLANK.encode()) for value in unique.dictionary]).take(unique.indices)


def decoded(values: pa.Array, encoding: str) -> tuple[pa.Array, np.ndarray]:
    """The values as text, and which of them did not decode. Those keep what could be read, marked with U+FFFD.

    A zero byte within a value is none of a text, and no database takes it.
    """
    _valid, offsets, buffer = values.buffers()
    if buffer is None:
        return values.view(pa.string()), np.zeros(len(values), bool)
    ends = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    used = np.frombuffer(buffer, np.uint8)[ends[0] : ends[-1]]
    if not (used >= 128).any() and used.all():
        return values.view(pa.string()), np.zeros(len(values), bool)
    unique = values.dictionary_encode()
    texts, bad = [], []
    for value in unique.dictionary:
        raw = value.as_py()
        try:
            text, wrong = raw.decode(encoding), False
        except UnicodeDecodeError:
            text, wrong = raw.decode(encoding, "replace"), True
        texts.append(text.replace("\x00", "\ufffd"))
        bad.append(wrong or "\x00" in text)
    indices = unique.indices.to_numpy()
    return strings(texts).take(unique.indices), np.array(bad, bool)[indices]


def _columns(block: bytes, place: str) -> list[Column]:
    found, start, names = [], 1, set()
    for at in range(0, len(block), 32):
        raw = block[at : at + 32]
        if raw[:1] == b"\x0d" or len(raw) < 32:
            break
        raw_name = raw[:11].split(b"\x00")[0].strip()
        name = _name(raw_name)
        while name.upper() in names:
            name += "_"
        names.add(name.upper())
        kind, width = chr(raw[11]).upper(), raw[16]
        if kind in "NFD" and width == 0:
            raise _damaged(place, _("field %(name)s has no width") % {"name": name})
        found.append(Column(name, raw_name, kind, width, raw[17], start))
        start += width
        if len(found) > MAX_FIELDS:
            raise _damaged(place, _("it has more than %(most)d fields") % {"most": MAX_FIELDS})
    if not found:
        raise _damaged(place, _("it has no fields"))
    return found


def _name(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("gb18030", "replace")


def _damaged(place: str, why: str) -> InputUnreadable:
    return InputUnreadable(
        _("The table of %(place)s is damaged: %(why)s.") % {"place": place, "why": why}, _("Export the layer again.")
    )
