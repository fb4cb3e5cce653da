"""Read a small file of polygons as one shape in degrees of CGCS2000, for whoever draws a unit by it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from django.utils.translation import gettext as _

from importers import frames
from importers.inspecting import district_box, inspected
from importers.opening import Container, opened
from importers.reading_shp import FINE, polygons
from importers.shaping import Projection
from importers.sniffing_crs import ASK, REFUSED
from units.errors import InputUnreadable, Refused, UsageError
from units.geometry import united
from units.models import District
from units.spatial import CHINA

MOST_ROWS = 1_000  # of a layer that is to be one shape
MOST_VERTICES = 20_000  # as of a drawn shape


class LayerWanted(UsageError):
    """The file holds several layers, and none was named; `details["layers"]` are their names."""

    code = "layers"
    told = ("layers",)


@dataclass
class Outline:
    """What was read: the shape, of which layer and how many rows, the verdict on its reference system, and remarks."""

    shape: shapely.MultiPolygon
    layer: str
    rows: int
    crs: dict
    layers: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def outline(files: list[Path], place: District, *, layer: str = "", crs: str = "") -> Outline:
    """The polygons of one layer of the delivery, united where they adjoin; a single row keeps its very rings.

    Raises InputUnreadable, UsageError where a layer must be named, Refused where the system cannot be told.
    """
    with opened(_main(files)) as container:
        return _outline(container, place, layer, crs)


def _main(files: list[Path]) -> Path:
    """The file that stands for all that were sent: a shapefile's .shp, else the only one."""
    main = [one for one in files if one.suffix.casefold() == ".shp"] or files
    if len(main) != 1:
        raise UsageError(
            _("%(count)d files were sent, and one shape is made of one of them.") % {"count": len(files)},
            _("Send one file, or the .shp, .shx, .dbf and .prj of one shapefile."),
        )
    return main[0]


def _outline(container: Container, place: District, layer: str, crs: str) -> Outline:
    names = [one.name for one in container.layers]
    if not layer and len(names) > 1:
        raise LayerWanted(
            _("%(file)s holds %(count)d layers: %(names)s.")
            % {"file": container.path.name, "count": len(names), "names": ", ".join(names)},
            _("Choose one of them."),
            layers=names,
        )
    chosen = container.layer(layer or None)
    seen = inspected(chosen, district_box(place), crs=frames.asked(crs.strip() or None), place=place)
    if seen.shapes is None or not seen.shapes.rows:
        raise InputUnreadable(
            _("The layer %(layer)s has no polygons.") % {"layer": chosen.name},
            _("A unit is drawn by polygons; lines and points cannot be taken."),
        )
    if seen.crs.way is None or seen.crs.verdict in (ASK, REFUSED):
        raise Refused(
            _("The reference system of the file cannot be told.") + " " + " ".join(seen.crs.evidence),
            _("Name it: EPSG:4490, or a CGCS2000 Gauss–Krüger zone (EPSG:4491 to 4554)."),
            code="crs",
        )
    if seen.shapes.rows > MOST_ROWS:
        raise UsageError(
            _("The layer %(layer)s has %(count)d rows; one shape is made of %(most)d at most.")
            % {"layer": chosen.name, "count": seen.shapes.rows, "most": MOST_ROWS},
            _("Export just the polygons that are meant."),
        )
    shapes, remarks = _shapes(seen, Projection(seen.crs.way, place.srid))
    if not len(shapes):
        raise InputUnreadable(" ".join([_("No polygon of the file can be taken."), *remarks]), _("Export it again."))
    if len(shapes) == 1:
        whole = shapely.MultiPolygon(list(shapely.get_parts(shapes[0])))
    else:
        joined = united(shapes, place.srid)
        whole = joined.shape
        if joined.overlapping:
            remarks.append(_("Polygons of the file overlap each other; that ground is taken once."))
    return Outline(shapely.orient_polygons(whole), chosen.name, len(shapes), seen.crs.told(), names, remarks)


def _shapes(seen, projection: Projection) -> tuple[np.ndarray, list[str]]:
    """(shapes in degrees, what is to be said of rows that are left out)."""
    rings = seen.shapes.rings(0, seen.shapes.rows)
    good = rings.faults == FINE
    deleted = np.asarray(seen.table.deleted[: len(good)], dtype=bool)
    good[: len(deleted)] &= ~deleted
    rows = np.flatnonzero(good)
    if int(np.diff(rings.starts[rings.firsts])[rows].sum()) > MOST_VERTICES:
        raise UsageError(
            _("The polygons of the file have more than %(most)d corners.") % {"most": MOST_VERTICES},
            _("Export fewer of them, or simplify them first."),
        )
    made = shapely.transform(polygons(rings, rows), projection.stored) if len(rows) else np.empty(0, dtype=object)
    valid = shapely.is_valid(made)
    west, south, east, north = CHINA
    inside = shapely.covers(shapely.box(west, south, east, north), made)
    remarks = [
        _("Row %(row)d is left out: its outline crosses or touches itself.") % {"row": row + 1}
        for row in rows[~valid].tolist()
    ]
    broken = np.flatnonzero(rings.faults != FINE).tolist()
    remarks += [_("Row %(row)d is left out: its outline is broken.") % {"row": row + 1} for row in broken]
    if (valid & ~inside).any():
        remarks.append(_("Polygons outside China are left out: %(count)d.") % {"count": int((valid & ~inside).sum())})
    return made[valid & inside], remarks
