"""Say what a delivery holds, before anything is touched: its layers and a verdict on each, with the evidence."""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pyproj
from django.utils.translation import gettext as _

from importers import opening
from importers.checking import Problem
from importers.problems import KINDS, WARN
from importers.profiles import Match, best, profiles
from importers.reading_boundary_points import read_points
from importers.reading_databases import read_layer
from importers.reading_dbf import Table
from importers.reading_laid import Laid, write_shapes
from importers.reading_shp import POLYGONS, Shapes
from importers.reading_workbook import columns_of, read_sheet
from importers.sniffing_crs import Box, ReferenceSystem, crs_of, degrees_box
from importers.sniffing_encoding import GB, SURE, UTF8, Encoding, encoding_of
from units import codes
from units.errors import InputUnreadable
from units.models import District, Street

# Metres by which shapes may lie beyond the boundary of their district, and beyond an approximate box of it.
BEYOND, BEYOND_APPROXIMATE = 100, 1_000


@dataclass
class Inspected:
    """One layer, opened and judged; `problems` are those of the layer as a whole."""

    layer: opening.Layer
    table: Table | Laid
    shapes: Shapes | None
    encoding: Encoding
    crs: ReferenceSystem
    problems: list[Problem] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return max(self.table.rows, self.shapes.rows if self.shapes else 0)


def inspected(layer: opening.Layer, district: Box | None = None, *, encoding=None, crs=None) -> Inspected:
    """Open a layer and give the verdicts on its encoding and reference system."""
    if layer.kind == "shp":
        table = Table(layer.parts["dbf"], layer.place)
        shapes = Shapes(layer.parts["shp"], layer.parts["shx"], layer.place)
        written, declared = encoding_of(table, layer.text("cpg"), encoding), layer.text("prj")
    else:
        table, shapes, written, declared = _laid_out(layer)
    if shapes is None:
        system = ReferenceSystem(None, SURE, [_("There are no shapes in it.")])
    else:
        system = crs_of(declared, shapes.extent(bulk=True), district, crs)
    found = Inspected(layer, table, shapes, written, system)
    if table.held != table.declared:
        found.problems.append(Problem(-1, "1-rows-declared", WARN, "", str(table.declared), str(table.held)))
    if shapes is not None and shapes.rows != table.rows:
        found.problems.append(Problem(-1, "1-fewer-rows", WARN, "", str(shapes.rows), str(table.rows)))
    if shapes is not None and shapes.shape_type != 5:
        found.problems.append(Problem(-1, "1-z-dropped", WARN, "", POLYGONS[shapes.shape_type]))
    return found


def profile_of(layer: opening.Layer) -> str | None:
    """The profile of a layer: by its name, else by its columns; None where none fits."""
    return recognised(layer)[0]


def recognised(layer: opening.Layer) -> tuple[str | None, str]:
    """The profile of a layer, as `profile_of` finds it, and where there is none, why."""
    for one in profiles().values():
        if layer.name.upper() in {name.upper() for name in one.layers}:
            return one.name, ""
    try:
        if layer.kind == "xlsx":
            columns = columns_of(layer.parts["source"], layer.name, layer.place)
        else:
            columns = [column.name for column in inspected(layer).table.columns]
    except InputUnreadable as error:
        return None, str(error)
    found = best(layer.name, columns)
    return (found.profile.name, "") if found and not found.missing else (None, _("No profile fits the layer."))


def _laid_out(layer: opening.Layer) -> tuple[Laid, Shapes | None, Encoding, str | None]:
    """A layer of another container, laid out like a shapefile; its encoding, and what it says of its system as WKT."""
    source, folder = layer.parts["source"], layer.parts["folder"]
    if layer.kind == "xlsx":
        laid = read_sheet(source, layer.name, layer.place)
        return laid, None, Encoding(UTF8, SURE, [_("A workbook holds Unicode.")]), None
    if layer.kind == "txt":
        laid, rings, system, encoding, about = read_points(source)
        paths = write_shapes(rings, folder, "points")
        name = UTF8 if encoding.startswith("utf") else GB
        told = [_("All of the text is strict %(name)s.") % {"name": name}, *about]
        # The table is laid out in UTF-8, whatever the text was written in.
        return laid, Shapes(*paths, layer.place), Encoding(name, SURE, told, laid_in="utf-8"), system
    laid, shapes, system = read_layer(source, layer.kind, layer.name, folder, layer.place)
    told = [_("A GeoPackage holds UTF-8.") if layer.kind == "gpkg" else _("A file geodatabase holds Unicode.")]
    try:
        wkt = pyproj.CRS.from_user_input(system).to_wkt() if system else None
    except pyproj.exceptions.CRSError:
        wkt = None
    return laid, shapes, Encoding(UTF8, SURE, told), wkt


def inspect(path, *, district: str | None = None) -> dict:
    """The layers of the delivery at `path`. A layer that cannot be read is listed with the reason."""
    box = None
    if district:
        place = District.objects.filter(pk=district).first()
        box = district_box(place) if place else _approximate().get(district)
    with opening.opened(path) as container:
        layers = [_told(layer, box) for layer in container.layers]
        return {
            "file": container.path.name,
            "kind": container.kind,
            "sha256": opening.digest(container),
            "layers": layers,
            "notes": container.notes,
        }


def _told(layer: opening.Layer, box: Box | None) -> dict:
    head = {"name": layer.name, "place": layer.place}
    try:
        seen = inspected(layer, box)
    except InputUnreadable as error:
        return {**head, "rows": 0, "profile": None, "encoding": None, "crs": None, "unreadable": str(error)}
    if box is None and seen.crs.epsg is None and seen.crs.verdict == "ask":
        guess = _district_of(seen)
        if guess:
            seen = inspected(layer, guess)
    columns = [column.name for column in seen.table.columns]
    suits = best(layer.name, columns)
    deleted = int(seen.table.deleted.sum())
    return {
        **head,
        "rows": seen.rows,
        "deleted": deleted,
        "counts": {
            "shp": seen.shapes.rows if seen.shapes else 0,
            "dbf": seen.table.held,
            "dbf_declared": seen.table.declared,
        },
        "geometry": POLYGONS[seen.shapes.shape_type] if seen.shapes else None,
        "extent": seen.shapes.extent() if seen.shapes else None,
        "columns": [
            {"name": one.name, "type": one.kind, "width": one.width, "decimals": one.decimals}
            for one in seen.table.columns
        ],
        "profile": _told_profile(suits),
        "encoding": seen.encoding.told(),
        "crs": seen.crs.told(),
        "problems": [
            {"code": one.code, "message": str(KINDS[one.code].sentence) % vars(one), "fix": str(KINDS[one.code].fix)}
            for one in seen.problems
        ],
    }


def _told_profile(suits: Match | None) -> dict | None:
    if suits is None:
        return None
    return {
        "name": suits.profile.name,
        "title": suits.profile.title,
        "verdict": suits.verdict,
        "matched": suits.columns,
        "aliases": suits.aliases,
        "missing": suits.missing,
        "extra": suits.extra,
        "reason": str(KINDS[suits.refused].sentence) if suits.refused else "",
    }


def _district_of(seen: Inspected) -> Box | None:
    """The approximate box of the district whose code begins the identifiers of the first rows."""
    for name in ("ZDDM", "BSM", "ZLDWDM", "XZQDM"):
        for column in seen.table.columns:
            if column.name.upper() == name and seen.table.rows:
                said = seen.table.raw(column, slice(0, 1)).tobytes()[:6].decode("ascii", "replace")
                if said in _approximate():
                    return _approximate()[said]
    return None


def district_box(place: District) -> Box | None:
    """The box of a district in degrees: of its boundary, or of its streets, or an approximate one from our data."""
    if place.geom is not None:
        return tuple(place.geom.extent)
    boxes = [street.geom.extent for street in Street.objects.filter(district=place, geom__isnull=False)]
    if boxes:
        found = np.array(boxes)
        return tuple(map(float, (*found[:, :2].min(axis=0), *found[:, 2:].max(axis=0))))
    return _approximate().get(place.code)


@cache
def _approximate() -> dict[str, Box]:
    return {
        row["code"]: tuple(float(row[side]) for side in ("west", "south", "east", "north"))
        for row in codes.rows("extents")
    }


def reach(seen: Inspected, place: District) -> str:
    """How far a layer reaches beyond its district, as a sentence, or nothing where it fits."""
    extent, box = seen.shapes.extent(), district_box(place)
    if extent is None or box is None or seen.crs.epsg is None:
        return ""
    exact = place.geom is not None or Street.objects.filter(district=place, geom__isnull=False).exists()
    west, south, east, north = degrees_box(extent, seen.crs.epsg)
    across = 111_320 * np.cos(np.radians((box[1] + box[3]) / 2))
    beyond = {
        _("west"): (box[0] - west) * across,
        _("south"): (box[1] - south) * 111_320,
        _("east"): (east - box[2]) * across,
        _("north"): (north - box[3]) * 111_320,
    }
    limit = BEYOND if exact else BEYOND_APPROXIMATE
    far = {side: metres for side, metres in beyond.items() if metres > limit}
    if not far:
        return ""
    said = ", ".join(f"{side} {metres / 1000:.1f} km" for side, metres in far.items())
    sentence = _(
        "its extent, %(width).1f × %(height).1f km, reaches beyond that of %(name)s,"
        " %(own_width).1f × %(own_height).1f km: %(sides)s"
    ) % {
        "width": (east - west) * across / 1000,
        "height": (north - south) * 111.32,
        "name": place.name,
        "own_width": (box[2] - box[0]) * across / 1000,
        "own_height": (box[3] - box[1]) * 111.32,
        "sides": said,
    }
    return sentence if exact else sentence + _(" (the district's extent is approximate: no boundary is loaded)")
