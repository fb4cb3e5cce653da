"""Read boundary-point text (报部坐标): plots as lists of points, X to the north, in GBK."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyproj
from django.utils.translation import gettext as _

from importers.problems import REFUSE, WARN
from importers.reading_laid import Laid
from units.errors import InputUnreadable

SECTIONS = re.compile(r"^\s*\[(属性描述|地块坐标)\]", re.M)
# 点数,面积(公顷),编号,名称,面,图幅号,用途,地类,@
HEAD = ("", "MJGQ", "BH", "MC", "", "TFH", "YTMC", "DL")
CGCS2000 = ("2000国家大地坐标系", "CGCS2000", "国家2000", "2000")
EASTING_WITH_ZONE = 1e7


@dataclass
class Plot:
    """One plot: its head line by column, its rings as (east, north), and how many points it declares."""

    columns: dict[str, str]
    declared: int | None
    rings: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    damaged: str = ""


def is_boundary_points(start: bytes) -> bool:
    """Whether a file begins as such a text does."""
    return any(SECTIONS.search(start.decode(encoding, "ignore")) for encoding in ("utf-8-sig", "gb18030"))


def read_points(path: Path) -> tuple[Laid, list[list[np.ndarray] | None], str | None, str, list[str]]:
    """The plots as a table and rings, their reference system as WKT, the encoding, and the head's lines as evidence."""
    raw = path.read_bytes()
    for name in ("utf-8-sig", "gb18030"):
        try:
            text, encoding = raw.decode(name), name
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputUnreadable(
            _("%(name)s is neither UTF-8 nor GB18030 throughout.") % {"name": path.name}, _("Save it again as GBK.")
        )
    about, plots = _parsed(text, path.name)
    laid = Laid(
        [
            (name, "N" if name == "MJGQ" else "C", [plot.columns.get(name, "") for plot in plots])
            for name in HEAD
            if name
        ],
        len(plots),
        path.name,
    )
    rings = []
    for row, plot in enumerate(plots):
        found = [np.array(points) for points in plot.rings.values()]
        rings.append(None if plot.damaged or not found else found)
        counted = sum(map(len, found))
        if plot.damaged:
            laid.told[row] = ("1-points-damaged", REFUSE, plot.damaged, "")
        elif plot.declared is not None and plot.declared != counted:
            laid.told[row] = ("1-points-declared", WARN, str(plot.declared), str(counted))
    return laid, rings, _system(about, rings), encoding, [f"{name}={value}" for name, value in about.items()]


def _parsed(text: str, name: str) -> tuple[dict[str, str], list[Plot]]:
    about: dict[str, str] = {}
    plots: list[Plot] = []
    section = ""
    for line in map(str.strip, text.splitlines()):
        if found := SECTIONS.match(line):
            section = found[1]
        elif section == "属性描述" and "=" in line:
            key, value = line.split("=", 1)
            about[key.strip()] = value.strip()
        elif section == "地块坐标" and line:
            _take(line, plots, name)
    if not plots:
        raise InputUnreadable(_("%(name)s holds no plot.") % {"name": name}, _("Export the boundary points again."))
    return about, plots


def _take(line: str, plots: list[Plot], name: str):
    parts = [part.strip() for part in line.replace("，", ",").split(",")]
    if line.endswith("@"):
        declared = int(parts[0]) if parts[0].isdigit() else None
        plots.append(Plot({column: part for column, part in zip(HEAD, parts, strict=False) if column}, declared))
        return
    if not plots:
        raise InputUnreadable(
            _("%(name)s has points before its first plot: “%(line)s”.") % {"name": name, "line": line[:60]},
            _("Each plot begins with a line that ends with @."),
        )
    try:
        north, east = float(parts[2]), float(parts[3])
    except (IndexError, ValueError):
        plots[-1].damaged = plots[-1].damaged or line[:60]
        return
    if north > EASTING_WITH_ZONE > east:  # some writers swap the columns: with a zone before it, the larger is east
        north, east = east, north
    plots[-1].rings.setdefault(parts[1], []).append((east, north))


def _system(about: dict[str, str], rings) -> str | None:
    """The WKT of the Gauss–Krüger system that the head names, or None where it names none of CGCS2000."""
    named, zone, width = about.get("坐标系", ""), about.get("带号", ""), about.get("几度分带", "3")
    if not any(one in named for one in CGCS2000) or not zone.isdigit():
        return None
    prefixed = any(ring[0][0] > EASTING_WITH_ZONE for plot in rings if plot for ring in plot)
    first, middle = (4513 - 25, 4534 - 25) if width.strip() == "3" else (4491 - 13, 4502 - 13)
    try:
        return pyproj.CRS.from_epsg((first if prefixed else middle) + int(zone)).to_wkt("WKT1_ESRI")
    except pyproj.exceptions.CRSError:
        return None
