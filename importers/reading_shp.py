"""Read polygons from a .shp by its bytes, as delivered: nothing is closed, dropped or mended on the way."""

import mmap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely
from django.utils.translation import gettext as _

from units.errors import InputUnreadable

POLYGONS = {5: "Polygon", 15: "PolygonZ", 25: "PolygonM"}
OTHERS = {
    1: "Point",
    3: "PolyLine",
    8: "MultiPoint",
    11: "PointZ",
    13: "PolyLineZ",
    18: "MultiPointZ",
    31: "MultiPatch",
}
FAR_METRES, FAR_DEGREES = 300_000, 3
POLYGON = shapely.GeometryType.POLYGON
HEADER = 100  # bytes
FIXED_WORDS = 13  # of four bytes before the part list: record header 2, type, box 8, counts 2

# What can be wrong with a record; the names are the codes of `problems`.
FINE, NULL, TRUNCATED, DAMAGED, NOT_FINITE, UNCLOSED, TOO_FEW = range(7)
FAULT_CODES = {
    NULL: "4-no-shape",
    TRUNCATED: "1-shape-cut-off",
    DAMAGED: "1-shape-damaged",
    NOT_FINITE: "2-not-finite",
    UNCLOSED: "4-ring-not-closed",
    TOO_FEW: "4-ring-too-short",
}


@dataclass
class Rings:
    """The rings of a run of rows; ring r is points[starts[r]:starts[r+1]], row i has rings firsts[i] to firsts[i+1].

    `faults` says for each row what is wrong with its record; a faulty row may have no rings.
    """

    points: np.ndarray
    starts: np.ndarray
    firsts: np.ndarray
    faults: np.ndarray

    def extent(self, rows: np.ndarray) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the rows of a mask, by their points; None where they have none."""
        points = self.points
        if not rows.all():
            points = points[np.repeat(rows, np.diff(self.starts[self.firsts]))]
        if not len(points):
            return None
        x, y = points[:, 0], points[:, 1]  # one column at a time: numpy is slow along an axis of two
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def place(self, row: int) -> tuple[float, float] | None:
        """Where to look for the fault of a row: the end of its first open ring, or its first point."""
        for ring in range(self.firsts[row], self.firsts[row + 1]):
            points = self.points[self.starts[ring] : self.starts[ring + 1]]
            if len(points) and np.isfinite(points[-1]).all() and (points[0] != points[-1]).any():
                return float(points[-1, 0]), float(points[-1, 1])
        points = self.points[self.starts[self.firsts[row]] : self.starts[self.firsts[row + 1]]]
        points = points[np.isfinite(points).all(axis=1)]
        return (float(points[0, 0]), float(points[0, 1])) if len(points) else None


class Shapes:
    """A polygon shapefile mapped into memory: where its records lie, and the box of each."""

    def __init__(self, shp: Path, shx: Path, place: str):
        self.size = shp.stat().st_size
        if self.size < HEADER or shx.stat().st_size < HEADER:
            raise _damaged(place, _("it ends inside its header"))
        self.paths = shp, shx
        self._map()
        self.shape_type = int.from_bytes(self.bytes[32:36].tobytes(), "little")
        if self.shape_type not in POLYGONS:
            raise InputUnreadable(
                _("%(place)s holds %(kind)s, not polygons.")
                % {"place": place, "kind": OTHERS.get(self.shape_type, self.shape_type)},
                _("Deliver the polygon layer."),
            )
        self._index()
        self.declared_size = int.from_bytes(self.bytes[24:28].tobytes(), "big") * 2
        self._found = self._along()

    def _map(self):
        with self.paths[0].open("rb") as file:
            self.raw_bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self.bytes = np.frombuffer(self.raw_bytes, np.uint8)

    def _index(self):
        """Where each record lies, as the .shx says, and which of them lie in the file."""
        index = np.fromfile(self.paths[1], ">u4", offset=HEADER)
        index = index[: len(index) // 2 * 2].reshape(-1, 2).astype(np.int64) * 2
        self.offsets, self.lengths = index[:, 0], index[:, 1]
        self.rows = len(index)
        ends = self.offsets + 8 + self.lengths
        self.whole = (self.offsets >= HEADER) & (ends <= self.size) & (self.lengths >= 4)

    def __getstate__(self) -> dict:
        """What another process needs to map the files anew."""
        mapped = ("raw_bytes", "bytes", "offsets", "lengths", "whole", "_found")
        return {name: value for name, value in vars(self).items() if name not in mapped}

    def __setstate__(self, state: dict):
        vars(self).update(state)
        self._map()
        self._index()

    @property
    def counted(self) -> int:
        """How many records the .shp itself holds, one after the other, whatever its index lists."""
        return self.rows if self._found is None else len(self._found)

    def _along(self) -> np.ndarray | None:
        """Where the records begin that lie one after the other in the .shp; None where the index lists just those."""
        ends = self.offsets + 8 + self.lengths
        whole = self.rows and self.whole.all() and self.offsets[0] == HEADER and ends[-1] == self.size
        if whole and (self.offsets[1:] == ends[:-1]).all():
            return None
        found, at = [], HEADER
        while at + 12 <= self.size:
            length = int.from_bytes(self.raw_bytes[at + 4 : at + 8], "big") * 2
            if length < 4 or at + 8 + length > self.size:
                break
            found.append(at)
            at += 8 + length
        return np.array(found, np.int64)

    def index_problems(self) -> list[tuple[str, str, str]]:
        """What the .shx says other than the .shp, as (code, value, more), in numbers."""
        found = []
        if self._found is not None:
            listed = np.isin(self._found, self.offsets)
            astray = ~np.isin(self.offsets, self._found)
            if not listed.all():
                found.append(("1-index-misses", str(int((~listed).sum())), str(len(self._found))))
            if astray.any():
                found.append(("1-index-astray", str(int(astray.sum())), str(self.rows)))
            order = np.sort(self.offsets[self.whole])
            if twice := int((order[1:] == order[:-1]).sum()):
                found.append(("1-index-twice", str(twice), str(self.rows)))
            if back := int((np.diff(self.offsets) < 0).sum()):
                found.append(("1-index-order", str(back), str(self.rows)))
        if self.declared_size != self.size:
            found.append(("1-size-declared", str(self.declared_size), str(self.size)))
        return found

    def boxes(self) -> np.ndarray:
        """The box each record claims, (n, 4) as west, south, east, north; NaN where there is none."""
        found = np.full((self.rows, 4), np.nan)
        good = np.flatnonzero(self.whole & (self.lengths >= 44))
        if len(good):
            # A box at every byte of the file, of which those are taken where one stands: quicker than byte by byte.
            anywhere = np.ndarray(self.size - 31, "V32", self.raw_bytes, strides=1)
            found[good] = np.frombuffer(anywhere[self.offsets[good] + 12].tobytes(), "<f8").reshape(-1, 4)
        return found

    def extent(self, *, bulk: bool = False) -> tuple[float, float, float, float] | None:
        """West, south, east, north over all records that have a finite box.

        `bulk` leaves out what lies farther from the middle than any county is wide: single rows gone astray are
        told one by one and must not decide what the layer is.
        """
        return self._extents[bulk]

    @cached_property
    def _extents(self) -> tuple[tuple[float, float, float, float] | None, ...]:
        """The extent of all rows, and of the bulk of them."""
        west, south, east, north = self.boxes().T  # one side at a time: numpy is slow along an axis of four
        finite = np.isfinite(west) & np.isfinite(south) & np.isfinite(east) & np.isfinite(north)
        if not finite.all():
            west, south, east, north = west[finite], south[finite], east[finite], north[finite]
        if not len(west):
            return None, None
        x, y = (west + east) / 2, (south + north) / 2
        middle = np.median(x), np.median(y)
        far = FAR_DEGREES if max(map(abs, middle)) < 1000 else FAR_METRES
        near = (np.abs(x - middle[0]) <= far) & (np.abs(y - middle[1]) <= far)
        whole = tuple(map(float, (west.min(), south.min(), east.max(), north.max())))
        if near.all() or not near.any():
            return whole, whole
        some = west[near].min(), south[near].min(), east[near].max(), north[near].max()
        return whole, tuple(map(float, some))

    def record(self, row: int) -> bytes:
        """The bytes of one record as delivered, without its header; empty where the file ends before it."""
        if not self.whole[row]:
            return b""
        start = int(self.offsets[row]) + 8
        return self.bytes[start : start + int(self.lengths[row])].tobytes()

    def rings(self, start: int, stop: int) -> Rings:
        """The rings of rows start to stop, and the fault of each row whose record cannot be one."""
        words, at = self._words(start, stop)
        n = stop - start
        faults = np.where(self.whole[start:stop], FINE, TRUNCATED).astype(np.int8)
        length = self.lengths[start:stop] // 4
        kind = np.zeros(n, np.int64)
        ok = faults == FINE
        # Each record says its own number: an index that leads to another's would pair shapes with the wrong rows.
        numbered = np.zeros(n, np.int64)
        numbered[ok] = words[at[ok]].byteswap()
        faults[ok & (numbered != np.arange(start + 1, stop + 1))] = DAMAGED
        ok = faults == FINE
        kind[ok] = words[at[ok] + 2]
        faults[ok & (kind == 0)] = NULL
        faults[ok & (kind != 0) & ~np.isin(kind, list(POLYGONS))] = DAMAGED
        ok = faults == FINE
        faults[ok & (length < FIXED_WORDS - 2)] = DAMAGED
        ok = faults == FINE
        parts, points = np.zeros(n, np.int64), np.zeros(n, np.int64)
        parts[ok], points[ok] = words[at[ok] + 11], words[at[ok] + 12]
        fits = (parts > 0) & (points > 0) & (FIXED_WORDS - 2 + parts + points * 4 <= length)
        faults[ok & (parts == 0) & (points == 0)] = NULL
        faults[(faults == FINE) & ~fits] = DAMAGED
        good = faults == FINE
        parts[~good] = points[~good] = 0

        owner = np.repeat(np.arange(n), parts)
        first_of_row = np.concatenate(([0], np.cumsum(parts)))
        inside = np.arange(len(owner)) - first_of_row[owner]
        begin = words[at[owner] + FIXED_WORDS + inside].astype(np.int64)
        ends = np.append(begin[1:], 0)
        last = first_of_row[1:][good] - 1
        ends[last] = points[good]
        bad = (begin < 0) | (ends <= begin) | ((inside == 0) & (begin != 0)) | (ends > points[owner])
        if bad.any():
            faults[np.unique(owner[bad])] = DAMAGED
            keep = faults[owner] == FINE
            good = faults == FINE
            parts[~good] = points[~good] = 0
            begin, ends, owner = begin[keep], ends[keep], owner[keep]
            first_of_row = np.concatenate(([0], np.cumsum(parts)))

        first_point = np.concatenate(([0], np.cumsum(points)))
        starts = np.append(first_point[:-1][owner] + begin, first_point[-1])
        where = at[good] + FIXED_WORDS + parts[good]
        flips = np.zeros(len(words) + 1, np.int8)
        flips[where] += 1
        np.add.at(flips, where + points[good] * 4, -1)
        coordinates = words[np.cumsum(flips[:-1], dtype=np.int8).view(bool)].view("<f8").reshape(-1, 2)
        rings = Rings(coordinates, starts, first_of_row, faults)
        self._judge(rings)
        return rings

    def _judge(self, rings: Rings):
        """Mark the rows whose points are not finite, whose rings are open, or too short."""
        if not len(rings.points):
            return
        size = np.diff(rings.starts)
        owner = np.repeat(np.arange(len(rings.faults)), np.diff(rings.firsts))
        head, tail = rings.points[rings.starts[:-1]], rings.points[rings.starts[1:] - 1]
        with np.errstate(invalid="ignore"):
            open_ring = (head != tail).any(axis=1)
        rings.faults[owner[size < 4]] = TOO_FEW
        rings.faults[owner[open_ring]] = UNCLOSED
        finite = np.isfinite(rings.points)
        if not finite.all():
            finite = finite.all(axis=1)
            ring = np.searchsorted(rings.starts, np.flatnonzero(~finite), "right") - 1
            rings.faults[np.unique(owner[ring])] = NOT_FINITE

    def _words(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The records of rows start to stop as 32-bit words, and the word where each begins."""
        offsets, lengths, whole = self.offsets[start:stop], self.lengths[start:stop], self.whole[start:stop]
        at = np.zeros(stop - start, np.int64)
        if not whole.any():
            return np.zeros(1, "<i4"), at
        low, high = int(offsets[whole].min()), int((offsets + 8 + lengths)[whole].max())
        in_order = (np.diff(offsets[whole]) >= (lengths[whole] + 8)[:-1]).all()
        aligned = ((offsets[whole] - low) % 4 == 0).all() and (lengths[whole] % 4 == 0).all()
        if in_order and aligned and high - low <= 2 * int((lengths[whole] + 8).sum()):
            block = np.array(self.bytes[low : low + (high - low) // 4 * 4])
            at[whole] = (offsets[whole] - low) // 4
            return block.view("<i4"), at
        pieces, position = [], 0
        for row in np.flatnonzero(whole):
            size = int(lengths[row]) // 4 * 4 + 8
            pieces.append(self.bytes[int(offsets[row]) : int(offsets[row]) + size])
            at[row] = position
            position += size // 4
        return np.concatenate(pieces).view("<i4"), at


def polygons(rings: Rings, rows: np.ndarray) -> np.ndarray:
    """Shapely shapes of the given rows, whose faults must be FINE: a Polygon, or a MultiPolygon where it has parts."""
    count = np.diff(rings.firsts)[rows]
    found = np.empty(len(rows), object)
    simple = np.flatnonzero(count == 1)
    if len(simple):
        ring = rings.firsts[rows[simple]]
        size = rings.starts[ring + 1] - rings.starts[ring]
        starts = np.concatenate(([0], np.cumsum(size)))
        points = rings.points if len(ring) == len(rings.starts) - 1 else _points(rings, ring, size)
        found[simple] = shapely.from_ragged_array(POLYGON, points, (starts, np.arange(len(ring) + 1)))
    for place in np.flatnonzero(count > 1):
        row = rows[place]
        ring = np.arange(rings.firsts[row], rings.firsts[row + 1])
        found[place] = nested(_linear(rings, ring, rings.starts[ring + 1] - rings.starts[ring]))
    return found


def _linear(rings: Rings, ring: np.ndarray, size: np.ndarray) -> np.ndarray:
    return shapely.linearrings(_points(rings, ring, size), indices=np.repeat(np.arange(len(ring)), size))


def _points(rings: Rings, ring: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The points of some of the rings, one after the other."""
    begin = np.repeat(rings.starts[ring] - np.concatenate(([0], np.cumsum(size)[:-1])), size)
    return rings.points[begin + np.arange(int(size.sum()))]


def nested(rings: np.ndarray):
    """One shape from many rings. A ring inside an odd number of others is a hole, whatever its direction says."""
    faces = shapely.polygons(rings)
    order = np.argsort(-shapely.area(faces), kind="stable")
    faces, rings = faces[order], rings[order]
    inner, outer = shapely.STRtree(faces).query(shapely.point_on_surface(faces), predicate="within")
    around = outer < inner  # only a larger ring can be around another; a hole may hold the middle of its own shell
    inner, outer = inner[around], outer[around]
    depth = np.bincount(inner, minlength=len(rings))
    near = depth[outer] == depth[inner] - 1
    shell_of = np.full(len(rings), -1)
    shell_of[inner[near]] = outer[near]
    holes: dict[int, list] = {}
    for ring in range(len(rings)):
        shell = int(shell_of[ring]) if depth[ring] % 2 else -1
        if shell >= 0:
            holes.setdefault(shell, []).append(rings[ring])
        else:
            holes.setdefault(ring, [])
    made = [shapely.Polygon(rings[shell], inside) for shell, inside in holes.items()]
    return made[0] if len(made) == 1 else shapely.MultiPolygon(made)


def _damaged(place: str, why: str) -> InputUnreadable:
    return InputUnreadable(
        _("The shapes of %(place)s are damaged: %(why)s.") % {"place": place, "why": why}, _("Export the layer again.")
    )
