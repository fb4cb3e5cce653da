"""Draw the charts and small maps of a page as plain SVG numbers: what a template needs, and nothing of the land."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

MOST_BARS = 12  # rows; more of them are read in the table
CLASSES = 5  # of a map's shading, each a hatch of its own, so that it is read without colour
WIDTH = 460.0  # of a map, in its own units


def bars(table: Mapping) -> dict | None:
    """The bars of the column that a table charts: each {label, text, width in per cent, y}; None without any."""
    name = table["chart"]
    column = next((one for one in table["columns"] if one["name"] == name), None)
    if column is None:
        return None
    # what lies outside all outlines would dwarf what lies in any of them
    outside = table["group"] == "distribution"
    rows = [row for row in table["rows"] if row.get(name) is not None and not (outside and row["key"] == "none")]
    most = max((row[name] for row in rows), default=0)
    if not most:
        return None
    shown = rows[:MOST_BARS]
    return {
        "column": column,
        "bars": [
            {
                "label": row["label"],
                "text": f"{row[name]:,}",
                "width": round(float(row[name] / most) * 100, 2),
                "y": number * 22,
            }
            for number, row in enumerate(shown)
        ],
        "height": len(shown) * 22,
        "more": len(rows) - len(shown),
    }


def choropleths(told: Mapping) -> list[dict]:
    """Two small maps of where the land lies, by street and by hexagon, shaded by the share of the ground it takes."""
    tables = {table["id"]: table for table in told["tables"]}
    found = []
    for kind, shapes, title in (
        ("street", told["streets"], _("Density by street")),
        ("hex", told["hexes"], _("Density by hexagon of 500 m")),
    ):
        table = tables.get(f"distribution-{kind}")
        rows = {row["key"]: row for row in table["rows"]} if table else {}
        drawn = [(shape, rows[shape["code"]]) for shape in shapes if shape["code"] in rows]
        if not drawn:
            continue
        frame = _Frame([shape for shape, _row in drawn] + list(told["streets"]))
        limits = breaks([row["density"] for _shape, row in drawn if row["density"]])
        places = []
        for shape, row in drawn:
            x, y = frame.inside(shape)
            places.append(
                {
                    "path": frame.path(shape),
                    "shade": shade(row["density"], limits),
                    "title": _("%(name)s: %(area)s ha, %(share)s of the ground")
                    % {
                        "name": row["label"],
                        "area": f"{row['area_ha']:,}",
                        "share": f"{(row['density'] or 0) * 100:.2f}%",
                    },
                    "label": row["label"] if kind == "street" else "",
                    "area": f"{row['area_ha']:,.1f}",
                    "x": x,
                    "y": y,
                }
            )
        found.append(
            {
                "id": kind,
                "title": title,
                "places": places,
                "outlines": [frame.path(shape) for shape in told["streets"]] if kind == "hex" else [],
                "width": round(frame.width, 1),
                "height": round(frame.height, 1),
                "legend": legend(limits),
                "table": f"distribution-{kind}",
            }
        )
    return found


def breaks(densities: list[Decimal]) -> list[Decimal]:
    """The upper limits of all classes but the last: equal steps to the greatest density, which is no policy."""
    most = max(densities, default=Decimal(0))
    return [most * step / CLASSES for step in range(1, CLASSES)] if most else []


def shade(density: Decimal | None, limits: list[Decimal]) -> int:
    """The class of a density: 0 for none, else 1 to 5; a limit is in the class above it."""
    if not density or not limits:
        return 0
    return 1 + sum(density >= limit for limit in limits)


def legend(limits: list[Decimal]) -> list[dict]:
    """Each class with the densities that it stands for."""
    if not limits:
        return [{"shade": 0, "text": _("none")}]
    edges = [f"{limit * 100:.1f}%" for limit in limits]
    texts = [f"< {edges[0]}", *(f"{low}–{high}" for low, high in zip(edges, edges[1:], strict=False)), f"≥ {edges[-1]}"]
    return [{"shade": 0, "text": _("none")}] + [
        {"shade": number + 1, "text": text} for number, text in enumerate(texts)
    ]


class _Frame:
    """Metres of the district's zone to the units of a drawing: north is up, and one metre is as long both ways."""

    def __init__(self, shapes: list[Mapping]):
        points = [point for shape in shapes for ring in shape["rings"] for point in ring]
        self.west, self.south = min(x for x, _y in points), min(y for _x, y in points)
        east, self.north = max(x for x, _y in points), max(y for _x, y in points)
        self.scale = WIDTH / max(east - self.west, 1.0)
        self.width, self.height = WIDTH, (self.north - self.south) * self.scale

    def path(self, shape: Mapping) -> str:
        rings = (" ".join(f"{self._x(x)},{self._y(y)}" for x, y in ring) for ring in shape["rings"])
        return "".join(f"M{ring}Z" for ring in rings)

    def inside(self, shape: Mapping) -> tuple[float, float]:
        """A point that is surely in the shape."""
        x, y = shape["inside"]
        return self._x(x), self._y(y)

    def _x(self, x: float) -> float:
        return round((x - self.west) * self.scale, 1)

    def _y(self, y: float) -> float:
        return round((self.north - y) * self.scale, 1)
