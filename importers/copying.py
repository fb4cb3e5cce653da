"""Write columns as the binary form of COPY, whole batches at once."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from importers.arrays import fixed, flags

SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
EMPTY_OBJECT = b"\x01{}"  # jsonb, version 1
GROUPS = 5  # base-10000 digits of a numeric: four before the point, one after it


def constant(value: bytes | int | bool | None, size: int = 8) -> bytes:
    """One value as it stands in every row: its length and its bytes."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        raw = bytes([value])
    elif isinstance(value, int):
        raw = value.to_bytes(size, "big", signed=True)
    else:
        raw = value
    return len(raw).to_bytes(4, "big", signed=True) + raw


def numbers(values: np.ndarray, kind: str) -> np.ndarray:
    """Numbers of a fixed size (">i4", ">f8" …) that are never null, as (n, 4 + size) bytes."""
    size = np.dtype(kind).itemsize
    found = np.empty(len(values), [("length", ">i4"), ("value", kind)])
    found["length"], found["value"] = size, values
    return found.view(np.uint8).reshape(len(values), 4 + size)


def digests(values: list[bytes]) -> np.ndarray:
    """Values of one size as (n, 4 + size) bytes."""
    size = len(values[0]) if values else 32
    found = np.empty((len(values), 4 + size), np.uint8)
    found[:, :4] = np.frombuffer(size.to_bytes(4, "big"), np.uint8)
    found[:, 4:] = np.frombuffer(b"".join(values), np.uint8).reshape(-1, size)
    return found


def text(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Text or bytes, nulls kept, as (lengths, contents)."""
    raw = values if values.type == pa.binary() else values.view(pa.binary())
    lengths = pc.fill_null(pc.binary_length(raw), -1).to_numpy(zero_copy_only=False).astype(">i4")
    if raw.null_count:
        raw = pc.fill_null(raw, b"")
    return fixed(lengths.view(np.uint8).reshape(-1, 4)), raw


def nullable(block: np.ndarray, present: np.ndarray) -> pa.Array:
    """Fixed-size fields of which some are null; block is (n, 4 + size) bytes."""
    values = fixed(block)
    if present.all():
        return values
    return pc.if_else(flags(present), values, pa.scalar(NULL, pa.binary()))


def numeric(values: np.ndarray, decimals: int) -> pa.Array:
    """Floats as PostgreSQL numeric, rounded half away from zero to at most four decimals; NaN is null.

    The layout is the same for all rows; PostgreSQL itself strips the leading zeros.
    """
    present = np.isfinite(values)
    scaled = np.abs(np.where(present, values, 0.0)) * 10.0**decimals
    # 2.675 is 267.49999999999997 hundredths: what is within a millionth of a half counts as the half.
    units = np.floor(np.round(scaled, 6) + 0.5).astype(np.int64) * 10 ** (4 - decimals)
    found = np.zeros(len(values), [("length", ">i4"), ("head", ">i2", 4), ("digits", ">i2", GROUPS)])
    found["length"] = 8 + 2 * GROUPS
    found["head"] = (GROUPS, GROUPS - 2, 0, decimals)
    found["head"][:, 2] = np.where((values < 0) & (units > 0), 0x4000, 0)
    for group in range(GROUPS - 1, -1, -1):
        units, found["digits"][:, group] = np.divmod(units, 10_000)
    return nullable(found.view(np.uint8).reshape(len(values), -1), present)


def integers(values: np.ndarray, kind: str) -> pa.Array:
    """Whole numbers given as floats, NaN is null."""
    present = np.isfinite(values)
    return nullable(numbers(np.where(present, values, 0).astype(np.int64), kind), present)


def dates(values: list[int | None]) -> pa.Array:
    """Days since 2000-01-01, None is null."""
    whole = np.array([0 if value is None else value for value in values])
    return nullable(numbers(whole, ">i4"), np.array([value is not None for value in values], bool))


def json_objects(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """JSON text as jsonb; null is the empty object."""
    filled = pc.binary_join_element_wise(
        pa.scalar(b"\x01", pa.binary()), pc.fill_null(values, "{}").view(pa.binary()), pa.scalar(b"", pa.binary())
    )
    return text(filled)


def tuples(columns: int, head: list[bytes | np.ndarray], tail: list[pa.Array], n: int, keep: np.ndarray) -> memoryview:
    """The rows of `keep` as COPY tuples: fixed columns first, then the pieces of the others, in order."""
    blocks = [np.broadcast_to(np.frombuffer(columns.to_bytes(2, "big"), np.uint8), (n, 2))]
    for part in head:
        if isinstance(part, bytes):
            part = np.broadcast_to(np.frombuffer(part, np.uint8), (n, len(part)))
        blocks.append(part)
    pieces = [fixed(np.concatenate(blocks, axis=1)), *tail]
    rows = pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.binary()))
    if not keep.all():
        rows = rows.filter(flags(keep))
    offsets = np.frombuffer(rows.buffers()[1], np.int32)[rows.offset : rows.offset + len(rows) + 1]
    if not len(rows):
        return memoryview(b"")
    return memoryview(rows.buffers()[2])[int(offsets[0]) : int(offsets[-1])]
