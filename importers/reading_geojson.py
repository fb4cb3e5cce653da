"""Read the polygons of a GeoJSON file feature by feature, as they are written, in little memory."""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from importers.confining import AGAIN, CannotRead, Words
from importers.confining import untranslated as _
from importers.problems import REFUSE
from importers.reading_laid import Laying, RowsAtOnce, number

BLOCK = 1024 * 1024  # characters read at once
MOST_FEATURE = 32 * 1024**2  # characters of one feature: a road patch of 500,000 vertices
MOST_FEATURES = 5_000_000
MOST_MEMBER = 4 * 1024**2  # characters of any other member of the collection
DEGREES = (180.0, 90.0)
SPACE = re.compile(r"[ \t\r\n]*")
CRS84 = "urn:ogc:def:crs:OGC::CRS84"
DECODER = json.JSONDecoder()


def lay_features(path: Path, _layer: str, place: str, folder: Path, stem: str) -> dict:
    """The features of a FeatureCollection, laid out; with the name of its reference system and its encoding.

    Raises CannotRead where the file is no FeatureCollection, or one that contradicts itself.
    """
    encoding = _encoding(path, place)
    with Laying(folder, stem, place) as laying:
        rows, reach = RowsAtOnce(laying), np.zeros(2)
        about: dict = {}
        with path.open("r", encoding=encoding, newline="") as file:
            for name, value in _members(_Text(file, place)):
                if name is None:
                    _take(value, rows, laying, reach)
                else:
                    about[name] = value
        rows.flush()
        _is_collection(about, rows, place)
        made = laying.laid()
        if not laying.rows_with_shape and not laying.told and not laying.other_shapes:
            made["shapes"] = None  # a table: every feature says that it has no geometry
    system, told = _system(about.get("crs"), reach)
    return {**made, "system": system, "encoding": encoding, "evidence": told}


def _encoding(path: Path, place: str) -> str:
    """UTF-8, as the standard demands, or GB18030, as some programs write all the same."""
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    decoder.decode(block)
                decoder.decode(b"", True)
            return encoding
        except UnicodeDecodeError:
            continue
    raise CannotRead(_("%(place)s is neither UTF-8 nor GB18030 throughout."), _("Save it again as UTF-8."), place=place)


class _Text:
    """The text of a file, a window of it at a time."""

    def __init__(self, file, place: str):
        self.file, self.place = file, place
        self.held, self.at, self.before, self.ended = "", 0, 0, False

    def _more(self, size: int):
        block = self.file.read(size)
        self.ended = len(block) < size
        self.held, self.before, self.at = self.held[self.at :] + block, self.before + self.at, 0

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            self.at = SPACE.match(self.held, self.at).end()
            if self.at < len(self.held):
                return self.held[self.at]
            if self.ended:
                return ""
            self._more(BLOCK)

    def skip(self, wanted: str):
        if self.peek() != wanted:
            raise self.broken(_("“%(wanted)s” is missing"), wanted=wanted)
        self.at += 1

    def value(self, most: int):
        """The next value, whole; of at most so many characters."""
        self.peek()
        size = BLOCK
        while True:
            try:
                value, end = DECODER.raw_decode(self.held, self.at)
            except (json.JSONDecodeError, ValueError) as error:
                if self.ended:
                    raise self.broken(_("a value is broken off or wrong")) from error
            except RecursionError as error:
                raise self.broken(_("brackets are nested too deeply")) from error
            else:
                if end < len(self.held) or self.ended:  # else a number may go on
                    self.at = end
                    return value
            if len(self.held) - self.at > most:
                raise self.broken(_("one value is longer than %(most)d characters, or wrong"), most=most)
            self._more(size)
            size *= 2

    def broken(self, why: str, **parts) -> CannotRead:
        return CannotRead(
            _("%(place)s is damaged as JSON at character %(at)d: %(why)s."),
            AGAIN,
            place=self.place,
            at=self.before + self.at,
            why=Words(why, parts),
        )


def _members(text: _Text) -> Iterator[tuple[str | None, object]]:
    """The members of the outermost object; the features one by one, without a name."""
    text.skip("{")
    seen = set()
    while text.peek() != "}":
        if seen:
            text.skip(",")
        name = text.value(MOST_MEMBER)
        if not isinstance(name, str) or name in seen:
            raise text.broken(_("the member %(name)s is no name, or comes twice"), name=str(name)[:40])
        seen.add(name)
        text.skip(":")
        if name == "features" and text.peek() == "[":
            text.skip("[")
            first = True
            while text.peek() != "]":
                if not first:
                    text.skip(",")
                first = False
                yield None, text.value(MOST_FEATURE)
            text.skip("]")
            yield name, True
        else:
            yield name, text.value(MOST_MEMBER)
    text.skip("}")
    if text.peek():
        raise text.broken(_("more follows after its end"))


def _is_collection(about: dict, rows: RowsAtOnce, place: str):
    if about.get("type") == "FeatureCollection" and about.get("features") is True:
        return
    kind = about.get("type")
    if kind == "Topology":
        fix = _("TopoJSON shares arcs between shapes; export it as GeoJSON or .gpkg.")
    elif "geometryType" in about or "spatialReference" in about:
        fix = _("This is Esri JSON: in ArcGIS, export it with Features To JSON as GeoJSON, or as a shapefile.")
    else:
        fix = _("Deliver a GeoJSON FeatureCollection of polygons, or a shapefile.")
    raise CannotRead(
        _("%(place)s is JSON, but no GeoJSON FeatureCollection: its type is %(kind)s."),
        fix,
        place=place,
        kind=json.dumps(kind, ensure_ascii=False)[:40],
    )


def _take(feature, rows: RowsAtOnce, laying: Laying, reach: np.ndarray):
    """One feature as a row; what is wrong with its shape is told of that row."""
    row = rows.rows
    if row >= MOST_FEATURES:
        raise CannotRead(
            _("%(place)s has more than %(most)d rows."),
            _("Deliver it in several files of one folder."),
            place=laying.place,
            most=MOST_FEATURES,
        )
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        laying.told[row] = ("1-no-feature", REFUSE, json.dumps(feature, ensure_ascii=False)[:60], "")
        feature = {}
    properties = feature.get("properties")
    properties = dict(properties) if isinstance(properties, dict) else {}
    if feature.get("id") is not None:
        properties.setdefault("id", feature["id"])
    numbers = [name for name, value in properties.items() if isinstance(value, int | float) and value is not True]
    rows.add({name: _text(value) for name, value in properties.items()}, numbers)
    rings = None
    try:
        rings = _rings(feature.get("geometry"), laying)
    except _OtherShape as error:
        laying.other_shapes.add(str(error)[:40])
        laying.told.setdefault(row, ("1-not-polygon", REFUSE, str(error)[:40], ""))
    except (ValueError, TypeError, OverflowError, LookupError):
        laying.told.setdefault(row, ("1-shape-damaged", REFUSE, "", ""))
    if rings:
        for ring in rings:
            if len(ring):
                with np.errstate(invalid="ignore"):
                    np.fmax(reach, np.nan_to_num(np.abs(ring), nan=0, posinf=0).max(axis=0), out=reach)
    laying.shape(rings)


class _OtherShape(Exception):
    """A geometry that is no polygon; its text is which."""


def _rings(geometry, laying: Laying) -> list[np.ndarray] | None:
    """The rings of a Polygon or MultiPolygon, or of a collection of nothing else; heights are left out."""
    if geometry is None:
        return None
    kind = geometry["type"]
    if kind == "Polygon":
        found = [_ring(ring, laying) for ring in geometry["coordinates"]]
    elif kind == "MultiPolygon":
        found = [_ring(ring, laying) for part in geometry["coordinates"] for ring in part]
    elif kind == "GeometryCollection":
        found = [ring for one in geometry["geometries"] for ring in _rings(one, laying) or ()]
    else:
        raise _OtherShape(str(kind))
    return found or None


def _ring(points: list, laying: Laying) -> np.ndarray:
    if not points:
        return np.zeros((0, 2))
    try:
        found = np.array(points)
    except ValueError:  # some points with heights, some without
        found = np.array([point[:2] for point in points])
        laying.heights = True
    if found.ndim != 2 or found.shape[1] < 2 or found.dtype.kind not in "if":
        raise ValueError("no points")
    laying.heights |= found.shape[1] > 2
    return found[:, :2].astype(float)


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).strip()


def _system(crs, reach: np.ndarray) -> tuple[str | None, list[Words]]:
    """The name of the reference system, and what it rests on."""
    if crs is None:
        if (reach <= DEGREES).all():
            return CRS84, [Words(_("It names no reference system: GeoJSON is then in degrees of WGS 84."))]
        return None, [Words(_("It names no reference system, and its coordinates are no degrees."))]
    named = crs.get("properties", {}) if isinstance(crs, dict) else {}
    named = named.get("name") if isinstance(named, dict) else None
    if not isinstance(named, str):
        return None, [Words(_("Its crs member names no reference system; links are not followed."))]
    return named, [Words(_("Its crs member says %(name)s."), {"name": named[:80]})]
