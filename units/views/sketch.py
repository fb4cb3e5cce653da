"""Draw a parcel or building with what lies over and around it as a small map: the parts of one SVG drawing."""

import json
import math
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _

from units.collections import COLLECTIONS
from units.criteria.measures import CONTROL_LAYERS
from units.rights import Grant
from units.views.asking import asked, visible

QUESTION = Path(__file__).parent.parent / "sql" / "pages" / "sketch.sql"
WIDTH = 320.0  # of the drawing; it scales with the page
LEAST, MOST = 120.0, 260.0  # its height
MARGIN = 0.18  # of the larger side, around the subject
DEGREE = 111_320.0  # metres along a meridian, near enough for a drawing
RULERS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000)  # metres


def sketch(fid: int, kind: str, held: tuple[Grant, ...], overlay: dict) -> dict | None:
    """The drawing of a subject: outlines around it, buildings, the pieces that rules spoke of, a ruler.

    `overlay` is that of the evidence: name → GeoJSON. None where the reader may not see the subject's shape.
    """
    parcels, params = visible(COLLECTIONS["parcels"], COLLECTIONS["parcels"].seen_by(held))
    buildings, others = visible(COLLECTIONS["buildings"], COLLECTIONS["buildings"].seen_by(held))
    buildings = buildings.replace("%(", "%(other_")
    params = params | {f"other_{key}": value for key, value in others.items()}
    rows = asked(
        _question().format(parcels=parcels, buildings=buildings),
        params | {"fid": fid, "kind": kind, "margin": MARGIN},
    )
    shapes = [(row["part"], json.loads(row["shape"])) for row in rows]
    own = [shape for part, shape in shapes if part == "own"]
    if not own:
        return None
    plane = _Plane.around(own[0])
    return {
        "width": f"{WIDTH:.0f}",
        "height": f"{plane.height:.0f}",
        "around": [plane.path(shape) for part, shape in shapes if part == "parcel"],
        "buildings": [plane.path(shape) for part, shape in shapes if part == "building"],
        "own": plane.path(own[0]),
        "pieces": [
            {"name": name, "title": title(name), "path": plane.path(shape), "shape": shape}
            for name, shape in sorted(overlay.items())
            if shape.get("coordinates")
        ],
        **plane.ruler(),
    }


def title(name: str) -> str:
    """What a piece of the evidence is, in words."""
    if name == "mismatch":
        return _("Use that differs from the registered one")
    if name == "development_boundary":
        return _("Outside the urban development boundary")
    return str(CONTROL_LAYERS.get(name, name))


class _Plane:
    """From degrees to the units of the drawing, north up, true to scale at the subject."""

    def __init__(self, west: float, south: float, east: float, north: float):
        self.shrink = math.cos(math.radians((south + north) / 2))
        wide, high = (east - west) * self.shrink, north - south
        pad = max(wide, high, 1e-6) * MARGIN
        wide, high = wide + 2 * pad, high + 2 * pad
        self.height = min(MOST, max(LEAST, WIDTH * high / wide))
        self.scale = min(WIDTH / wide, self.height / high)  # units a degree
        self.left = (west + east) / 2 - WIDTH / 2 / self.scale / self.shrink
        self.top = (south + north) / 2 + self.height / 2 / self.scale

    @classmethod
    def around(cls, shape: dict) -> "_Plane":
        points = list(_points(shape["coordinates"]))
        lngs, lats = [point[0] for point in points], [point[1] for point in points]
        return cls(min(lngs), min(lats), max(lngs), max(lats))

    def path(self, shape: dict) -> str:
        """A polygon or several as the path of an SVG."""
        polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        rings = (ring for polygon in polygons for ring in polygon)
        return " ".join("M" + "L".join(self.point(*point[:2]) for point in ring[:-1]) + "Z" for ring in rings)

    def point(self, lng: float, lat: float) -> str:
        x = (lng - self.left) * self.shrink * self.scale
        y = (self.top - lat) * self.scale
        return f"{x:.1f} {y:.1f}"

    def ruler(self) -> dict:
        """The longest round length that takes at most a third of the drawing."""
        metre = self.scale / DEGREE
        length = max((one for one in RULERS if one * metre <= WIDTH / 3), default=RULERS[0])
        return {
            "ruler": f"{length * metre:.1f}",
            "ruler_title": f"{length} m",
            "ruler_y": f"{self.height - 8:.1f}",
            "ruler_text_y": f"{self.height - 13:.1f}",
        }


def _points(coordinates):
    if coordinates and isinstance(coordinates[0], int | float):
        yield coordinates
    else:
        for one in coordinates:
            yield from _points(one)


@cache
def _question() -> str:
    return QUESTION.read_text(encoding="utf-8")
