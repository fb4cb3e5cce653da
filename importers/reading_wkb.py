"""Read the rings of polygons from WKB as they are: nothing is closed, dropped or mended, and GEOS is not asked."""

import struct

import numpy as np

POLYGON, MULTIPOLYGON, COLLECTION = 3, 6, 7
CURVES = {8, 9, 10, 11, 12, 13, 14}
NAMES = {1: "Point", 2: "LineString", 4: "MultiPoint", 5: "MultiLineString", 15: "PolyhedralSurface", 16: "TIN"}
HAS_Z, HAS_M, HAS_SRID = 0x80000000, 0x40000000, 0x20000000
DEEPEST = 8  # collections within collections


class Curve(Exception):
    """A shape has curved edges, which nobody may straighten unasked."""


class NotPolygon(Exception):
    """A shape is a point, a line or something else without an area; its text is which."""


class Broken(Exception):
    """The bytes of a shape contradict themselves."""


def rings_of_wkb(wkb: bytes | None) -> tuple[list[np.ndarray] | None, bool]:
    """The rings of a WKB polygon as they are, closed or not, and whether heights or measures were left out.

    Raises Curve, NotPolygon and Broken.
    """
    if wkb is None:
        return None, False
    rings: list[np.ndarray] = []
    try:
        _at, extra = _read(wkb, 0, rings, 0)
    except (struct.error, ValueError, IndexError) as error:
        raise Broken from error
    return rings or None, extra


def _read(wkb: bytes, at: int, rings: list[np.ndarray], depth: int) -> tuple[int, bool]:
    if depth > DEEPEST:
        raise Broken
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
    elif kind in (MULTIPOLYGON, COLLECTION):
        for _part in range(count):
            at, more = _read(wkb, at, rings, depth + 1)
            extra += more
    else:
        raise NotPolygon(NAMES.get(kind, str(kind)))
    return at, bool(extra)
