"""Say what a delivery holds, before anything is touched: its layers and a verdict on each, with the evidence."""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from django.utils.translation import gettext as _

from importers import opening
from importers.checking import Problem
from importers.problems import KINDS, WARN
from importers.profiles import Match, best
from importers.reading_dbf import Table
from importers.reading_shp import POLYGONS, Shapes
from importers.sniffing_crs import Box, ReferenceSystem, crs_of, degrees_box
from importers.sniffing_encoding import Encoding, encoding_of
from units import codes
from units.errors import InputUnreadable
from units.models import District, Street

# Metres by which shapes may lie beyond the boundary of their district, and beyond an approximate box of it.
BEYOND, BEYOND_APPROXIMATE = 100, 1_000


@dataclass
class Inspected:
    """One layer, opened and judged; `problems` are those of the layer as a whole."""

    layer: opening.Layer
    table: Table
    shapes: Shapes
    encoding: Encoding
    crs: ReferenceSystem
    problems: list[Problem] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return max(self.table.rows, self.shapes.rows)


def inspected(layer: opening.Layer, district: Box | None = None, *, encoding=None, crs=None) -> Inspected:
    """Open a layer and give the verdicts on its encoding and reference system."""
    table = Table(layer.parts["dbf"], layer.place)
    shapes = Shapes(layer.parts["shp"], layer.parts["shx"], layer.place)
    found = Inspected(
        layer,
        table,
        shapes,
        encoding_of(table, layer.text("cpg"), encoding),
        crs_of(layer.text("prj"), shapes.extent(bulk=True), district, crs),
    )
    if table.held != table.declared:
        found.problems.append(Problem(-1, "1-rows-declared", WARN, "", str(table.declared), str(table.held)))
    if shapes.rows != table.rows:
        found.problems.append(Problem(-1, "1-fewer-rows", WARN, "", str(shapes.rows), str(table.rows)))
    if shapes.shape_type != 5:
        found.problems.append(Problem(-1, "1-z-dropped", WARN, "", POLYGONS[shapes.shape_type]))
    return found


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
        "rows": max(seen.shapes.rows, seen.table.rows),
        "deleted": deleted,
        "counts": {"shp": seen.shapes.rows, "dbf": seen.table.held, "dbf_declared": seen.table.declared},
        "geometry": POLYGONS[seen.shapes.shape_type],
        "extent": seen.shapes.extent(),
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
