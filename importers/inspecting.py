"""Say what a delivery holds, before anything is touched: its layers and a verdict on each, with the evidence."""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from django.utils.translation import gettext as _

from importers import opening
from importers.checking import Problem, column_text
from importers.garbled import shown
from importers.placing import weigh_place
from importers.probing import Probe, probed
from importers.problems import KINDS, WARN
from importers.profiles import Match, best, profiles
from importers.reading_dbf import Table
from importers.reading_laid import Laid
from importers.reading_others import laid_out
from importers.reading_shp import FAR_DEGREES, FAR_METRES, POLYGONS, Shapes
from importers.sniffing_crs import Box, ReferenceSystem, crs_of, degrees_box
from importers.sniffing_encoding import ASK, LIKELY, SURE, Encoding, encoding_of, named
from units import codes
from units.errors import InputUnreadable
from units.models import District, Street
from units.spatial import METRES_OF_A_DEGREE

STRAY_AT_MOST = 10  # one row in so many may lie far from the others
SAMPLED, SAMPLES = 200, 3  # rows that are looked at for values to show, and values that are shown
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


def inspected(
    layer: opening.Layer, district: Box | None = None, *, encoding=None, crs=None, place: District | None = None
) -> Inspected:
    """Open a layer and give the verdicts on its encoding and reference system.

    `district` is a box in degrees in which the layer should lie; with `place`, the district itself, the layer is also
    held against what is known of it.
    """
    if layer.kind == "shp":
        table = Table(layer.parts["dbf"], layer.place)
        shapes = Shapes(layer.parts["shp"], layer.parts["shx"], layer.place)
        written, declared = encoding_of(table, layer.text("cpg"), encoding), layer.text("prj")
        table.columns = named(table.columns, written.python)
    else:
        table, shapes, written, declared = laid_out(layer, encoding)
    if shapes is None:
        system = ReferenceSystem(None, SURE, [_("There are no shapes in it.")])
    else:
        suits = best(layer.name, [column.name for column in table.columns])
        probe = probed(table, shapes, suits, written.python)
        extent, stray = _bulk(shapes, probe)
        system = crs_of(declared, extent, district, crs, probe)
        _weigh_stray(system, stray, shapes.rows)
        if None not in (place, suits, extent, system.way):  # an empty layer lies nowhere
            weigh_place(system, suits.profile.table, place, district if is_exact(place) else None, extent, probe)
    found = Inspected(layer, table, shapes, written, system)
    found.problems += [Problem(-1, code, WARN, "", *said) for code, *said in (*written.warnings, *system.warnings)]
    if table.held != table.declared:
        found.problems.append(Problem(-1, "1-rows-declared", WARN, "", str(table.declared), str(table.held)))
    if shapes is not None and shapes.rows != table.rows:
        found.problems.append(Problem(-1, "1-fewer-rows", WARN, "", str(shapes.rows), str(table.rows)))
    if shapes is not None:
        found.problems += [Problem(-1, code, WARN, "", *said) for code, *said in shapes.index_problems()]
    if shapes is not None and shapes.shape_type != 5:
        found.problems.append(Problem(-1, "1-z-dropped", WARN, "", POLYGONS[shapes.shape_type]))
    return found


def _bulk(shapes: Shapes, probe: Probe) -> tuple[Box | None, int]:
    """The extent of the layer but for rows gone astray, and how many those are.

    The boxes that records claim are quick to read; where some points contradict them, the points are taken.
    """
    extent, whole, seen = shapes.extent(bulk=True), shapes.extent(), probe.extent
    if extent is None or seen is None:
        return extent, 0
    slack = max(whole[2] - whole[0], whole[3] - whole[1]) * 1e-6
    beyond = (whole[0] - seen[0], whole[1] - seen[1], seen[2] - whole[2], seen[3] - whole[3])
    if max(beyond) > slack:
        return seen, 0
    if whole == extent:
        far = FAR_DEGREES if max(map(abs, whole)) < 1000 else FAR_METRES
        wide = max(whole[2] - whole[0], whole[3] - whole[1]) > 2 * far  # so the middle of all rows is near none
        return extent, shapes.rows if wide else 0
    boxes = shapes.boxes()
    with np.errstate(invalid="ignore"):
        away = (boxes[:, :2] < extent[:2]).any(axis=1) | (boxes[:, 2:] > extent[2:]).any(axis=1)
    return extent, int(away.sum())


def _weigh_stray(system: ReferenceSystem, stray: int, rows: int):
    """Tell rows that lie far from the others; where they are many, the layer is of two systems and nobody guesses."""
    if not stray:
        return
    system.evidence.append(
        _("%(stray)d of %(rows)d rows lie far from the others; they are judged one by one.")
        % {"stray": stray, "rows": rows}
    )
    if stray > 1 and stray * STRAY_AT_MOST > rows and system.verdict in (SURE, LIKELY, ASK):
        system.evidence.append(_("They are so many that the layer may be of two systems: export it in one."))
        system.verdict, system.epsg = ASK, None


def profile_of(layer: opening.Layer) -> str | None:
    """The profile of a layer: by its name, else by its columns; None where none fits."""
    return recognised(layer)[0]


def recognised(layer: opening.Layer) -> tuple[str | None, str]:
    """The profile of a layer, as `profile_of` finds it, and where there is none, why."""
    for one in profiles().values():
        if layer.name.upper() in {name.upper() for name in one.layers}:
            return one.name, ""
    try:
        columns = [column.name for column in inspected(layer).table.columns]
    except InputUnreadable as error:
        return None, str(error)
    found = best(layer.name, columns)
    return (found.profile.name, "") if found and not found.missing else (None, _("No profile fits the layer."))


def inspect(path, *, district: str | None = None) -> dict:
    """The layers of the delivery at `path`. A layer that cannot be read is listed with the reason."""
    box = place = None
    if district:
        place = District.objects.filter(pk=district).first()
        box = district_box(place) if place else _approximate().get(district)
    with opening.opened(path) as container:
        layers = [_told(layer, box, place) for layer in container.layers]
        return {
            "file": container.path.name,
            "kind": container.kind,
            "sha256": opening.digest(container),
            "layers": layers,
            "notes": container.notes,
        }


def _told(layer: opening.Layer, box: Box | None, place: District | None) -> dict:
    head = {"name": layer.name, "place": layer.place}
    try:
        seen = inspected(layer, box, place=place)
    except InputUnreadable as error:
        return {**head, "rows": 0, "profile": None, "encoding": None, "crs": None, "unreadable": str(error)}
    if box is None and seen.crs.verdict == ASK:
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
            "shp": seen.shapes.counted if seen.shapes else 0,
            "shx": seen.shapes.rows if seen.shapes else 0,
            "dbf": seen.table.held,
            "dbf_declared": seen.table.declared,
        },
        "geometry": POLYGONS[seen.shapes.shape_type] if seen.shapes else None,
        "extent": _extent_told(seen),
        "bounds": seen.shapes.extent() if seen.shapes else None,
        "columns": [
            {
                "name": one.name,
                "type": one.kind,
                "width": one.width,
                "decimals": one.decimals,
                "samples": _column_samples(seen, one.name),
            }
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


def _extent_told(seen: Inspected) -> list[float] | None:
    """West, south, east, north in degrees of the layer, but for rows gone astray; None where nobody can say."""
    extent = seen.shapes.extent(bulk=True) if seen.shapes and seen.crs.way is not None else None
    box = None if extent is None else degrees_box(extent, seen.crs.way)
    return list(box) if box is not None and all(map(math.isfinite, box)) else None


def _column_samples(seen: Inspected, column: str) -> list[str]:
    """The first different values of a column, as they read."""
    values, _bad = column_text(seen.table, column, seen.encoding.python, slice(0, SAMPLED))
    return list(dict.fromkeys(shown(value) for value in values.to_pylist() if value))[:SAMPLES]


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


def is_exact(place: District) -> bool:
    """Whether the box of a district is that of a boundary, and not an approximate one."""
    return place.geom is not None or Street.objects.filter(district=place, geom__isnull=False).exists()


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
    if extent is None or box is None or seen.crs.way is None:
        return ""
    exact = is_exact(place)
    west, south, east, north = degrees_box(extent, seen.crs.way)
    across = METRES_OF_A_DEGREE * np.cos(np.radians((box[1] + box[3]) / 2))
    beyond = {
        _("west"): (box[0] - west) * across,
        _("south"): (box[1] - south) * METRES_OF_A_DEGREE,
        _("east"): (east - box[2]) * across,
        _("north"): (north - box[3]) * METRES_OF_A_DEGREE,
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
