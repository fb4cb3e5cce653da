"""Make Arrow arrays of plain bytes and flags by their buffers: `pa.array` would load pandas for it."""

import numpy as np
import pyarrow as pa


def fixed(block: np.ndarray) -> pa.Array:
    """Rows of equally many bytes, (n, k), as one binary array without copying."""
    n, width = block.shape
    offsets = np.arange(n + 1, dtype=np.int64) * width
    block = np.ascontiguousarray(block)
    return pa.Array.from_buffers(pa.binary(), n, [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(block)])


def binaries(values: list[bytes]) -> pa.Array:
    """Byte strings, none of them null."""
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, values), np.int64, len(values)), out=offsets[1:])
    data = pa.py_buffer(b"".join(values))
    return pa.Array.from_buffers(pa.binary(), len(values), [None, pa.py_buffer(offsets.astype(np.int32)), data])


def strings(values) -> pa.Array:
    """Texts; None is null."""
    values = list(values)
    found = binaries([b"" if value is None else value.encode("utf-8", "surrogatepass") for value in values])
    buffers = found.buffers()
    if None in values:
        buffers[0] = _bits(np.array([value is not None for value in values], bool))
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def flags(mask: np.ndarray) -> pa.Array:
    """A boolean mask."""
    return pa.Array.from_buffers(pa.bool_(), len(mask), [None, _bits(np.asarray(mask, bool))])


def whole(values: np.ndarray) -> pa.Array:
    """Row numbers, for take."""
    values = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def floats(values: pa.Array) -> np.ndarray:
    """The numbers of a column of floats; null is NaN."""
    if not len(values):  # Arrow gives it no buffer then
        return np.empty(0)
    found = np.array(np.frombuffer(values.buffers()[1], np.float64)[values.offset : values.offset + len(values)])
    if values.null_count:
        found[~truths(values.is_valid())] = np.nan
    return found


def truths(values: pa.Array) -> np.ndarray:
    """The flags of a column without nulls."""
    if not len(values):
        return np.empty(0, bool)
    bits = np.unpackbits(np.frombuffer(values.buffers()[1], np.uint8), bitorder="little")
    return bits[values.offset : values.offset + len(values)].astype(bool)


def _bits(mask: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little").tobytes())


# A plain value that is handed to Arrow makes it load pandas too, to see whether it is one of its own.
EMPTY, NOTHING, ONE = strings([""])[0], pa.nulls(1, pa.string())[0], whole(np.array([1]))[0]
