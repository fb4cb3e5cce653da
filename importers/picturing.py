"""Draw a repair as one picture: the shape as delivered with its fault, as it is to be stored, and the fault near by."""

import struct
from html import escape

import numpy as np
import shapely
from django.utils.translation import gettext as _

from importers.consenting import sentence, titled
from importers.models import Repair
from importers.reading_wkb import Broken, Curve, NotPolygon, rings_of_wkb
from importers.shaping import Projection
from importers.straightening import chords, in_metres
from units.spatial import STORAGE_SRID

PANEL, GAP, TOP, FOOT = 300, 20, 54, 40  # pixels
MARGIN = 0.08  # of a panel's side around what it shows
NEAR = 0.05  # a fault smaller than this share of its shape is shown near by too
LEAST_WINDOW = 0.02  # metres across
TOLERANCE = 0.2  # pixels by which a drawn line may differ
BARS = (1, 2, 5)
LINE = 46  # characters of Chinese, or twice as many of Latin text, to a line of the head


def picture(repair: Repair) -> str:
    """The repair as SVG text in the reader's language; readable in grey, with nothing from elsewhere in it."""
    before, after = _plane(repair)
    mark = _mark(repair)
    whole = shapely.GeometryCollection([*before, after])
    west, south, east, north = whole.bounds
    side = max(east - west, north - south, LEAST_WINDOW)
    middle = ((west + east) / 2, (south + north) / 2)
    panels = [
        (_("As delivered"), middle, side, before, None, mark),
        (_("As stored") if repair.taken else _("As proposed"), middle, side, before, after, None),
    ]
    reach = max(repair.gap, repair.displacement, (repair.change_m2 or 0.0) ** 0.5)
    if mark is not None and reach < NEAR * side:
        near = max(6 * reach, LEAST_WINDOW, 0.002 * side)
        panels.append((_("Near the fault"), mark, near, before, after, mark))
    width = len(panels) * (PANEL + GAP) + GAP
    lines = _lines(f"{titled(repair.method)} · {sentence(repair)}", len(panels))
    top = TOP + 18 * (len(lines) - 1)
    height = top + PANEL + FOOT + 20
    said = " ".join(filter(None, (_("Row %(row)d") % {"row": repair.row_number}, repair.key)))
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(said)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{GAP}" y="20" font-weight="bold">{escape(said)}</text>',
        *(f'<text x="{GAP}" y="{40 + 18 * at}">{escape(line)}</text>' for at, line in enumerate(lines)),
    ]
    for number, panel in enumerate(panels):
        drawn.append(_panel(GAP + number * (PANEL + GAP), top + 14, f"r{repair.pk}p{number}", *panel))
    return "".join([*drawn, "</svg>"])


def _plane(repair: Repair) -> tuple[list[shapely.LineString], shapely.Geometry]:
    """The delivered rings as lines and the result, in metres of one plane; no lines where their system has no code."""
    zone = repair.delivery.district.srid
    projection = Projection(repair.srid or STORAGE_SRID, zone)
    flat = lambda points: np.column_stack(projection.to_metric.transform(points[:, 0], points[:, 1]))  # noqa: E731
    after = shapely.transform(shapely.from_wkb(bytes(repair.after.wkb)), flat)
    if repair.srid is None:
        return [], after
    wkb = bytes(repair.before)
    try:
        rings, _extra = rings_of_wkb(wkb)
    except Curve:
        rings = chords(wkb, projection).rings
    except (Broken, NotPolygon, struct.error):
        rings = []
    lines = [in_metres(np.array(ring, float), projection) for ring in rings or []]
    return [shapely.LineString(line) for line in lines if len(line) > 1 and np.isfinite(line).all()], after


def _mark(repair: Repair) -> tuple[float, float] | None:
    if repair.place is None or repair.srid is None:
        return None
    projection = Projection(repair.srid, repair.delivery.district.srid)
    return tuple(in_metres(np.array([repair.place], float), projection)[0].tolist())


def _panel(left, top, name, title, middle, side, before, after, mark) -> str:
    """One panel: `side` metres around `middle`, what was delivered as a line, the result filled."""
    scale = PANEL * (1 - 2 * MARGIN) / side
    window = shapely.box(*(np.array([*middle, *middle]) + np.array([-1, -1, 1, 1]) * side))

    def path(shape) -> str:
        points = shapely.get_coordinates(shape)
        x = left + PANEL / 2 + (points[:, 0] - middle[0]) * scale
        y = top + PANEL / 2 - (points[:, 1] - middle[1]) * scale
        return "M" + "L".join(f"{one:.2f} {other:.2f}" for one, other in zip(x, y, strict=True))

    def near(shape):
        return shapely.simplify(shapely.intersection(shape, window), TOLERANCE / scale)

    drawn = [
        f'<clipPath id="{name}"><rect x="{left}" y="{top}" width="{PANEL}" height="{PANEL}"/></clipPath>',
        f'<text x="{left}" y="{top - 5}" fill="#333">{escape(title)}</text>',
        f'<g clip-path="url(#{name})">',
    ]
    if after is not None:
        rings = [ring for part in shapely.get_parts(near(after)) for ring in shapely.get_rings(part)]
        if rings:
            outline = "".join(path(ring) + "Z" for ring in rings)
            drawn.append(f'<path d="{outline}" fill="#c8c8c8" fill-rule="evenodd" stroke="#777" stroke-width="2"/>')
    for line in before:
        for piece in shapely.get_parts(near(line)):
            if piece.geom_type == "LineString":
                dashes = ' stroke-dasharray="5 3"' if after is not None else ""
                drawn.append(f'<path d="{path(piece)}" fill="none" stroke="#111" stroke-width="1.4"{dashes}/>')
        if not line.is_closed:  # its two ends
            for end in (line.coords[0], line.coords[-1]):
                x, y = path(shapely.Point(end))[1:].split()
                drawn.append(f'<circle cx="{x}" cy="{y}" r="3.5" fill="#111"/>')
    if mark is not None:
        x, y = path(shapely.Point(mark))[1:].split()
        drawn.append(f'<circle cx="{x}" cy="{y}" r="12" fill="none" stroke="#b00020" stroke-width="2.5"/>')
    drawn.append("</g>")
    drawn.append(f'<rect x="{left}" y="{top}" width="{PANEL}" height="{PANEL}" fill="none" stroke="#999"/>')
    metres = _bar(side)
    length = metres * scale
    y = top + PANEL + 16
    drawn.append(f'<path d="M{left} {y - 4}V{y}H{left + length:.2f}V{y - 4}" fill="none" stroke="#111"/>')
    drawn.append(f'<text x="{left + length + 6:.2f}" y="{y + 1}">{escape(_length(metres))}</text>')
    return "".join(drawn)


def _bar(side: float) -> float:
    """A round length of about a quarter of the side."""
    power = 10.0 ** np.floor(np.log10(side / 4))
    return float(max(one * power for one in BARS if one * power <= side / 4))


def _length(metres: float) -> str:
    return _("%(length)s m") % {"length": f"{metres:g}"}


def _lines(text: str, panels: int) -> list[str]:
    """The text broken into lines as wide as so many panels."""
    most, found, width = LINE * panels, [""], 0
    for word in text.replace("。", "。 ").split(" "):
        size = sum(1 if ord(letter) < 0x2E80 else 2 for letter in word) + 1
        if width + size > most and found[-1]:
            found.append("")
            width = 0
        found[-1] += word if not found[-1] or found[-1].endswith("。") else f" {word}"
        width += size
    return found
