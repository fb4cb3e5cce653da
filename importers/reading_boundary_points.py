"""Read boundary-point text (报部坐标): plots as lists of points, X to the north, in GBK."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from importers.confining import CannotRead, Words
from importers.confining import untranslated as _
from importers.formats import SECTIONS
from importers.problems import REFUSE, WARN
from importers.reading_laid import Laying, RowsAtOnce

MOST_BYTES = 512 * 1024**2  # of the text, which is read as a whole
MOST_LINE = 4_000  # characters
# 点数,面积(公顷),编号,名称,面,图幅号,用途,地类; some writers add 图斑类型, 质量等别 and 备注 before the @
HEAD = ("", "MJGQ", "BH", "MC", "", "TFH", "YTMC", "DL")
FORM = 4  # where the head line says 面, 线 or 点
FURTHER = "YCXX{}"  # what stands between the land class and the @
NO_AREA = {"线": "线", "点": "点"}
CGCS2000 = ("2000国家大地坐标系", "CGCS2000", "国家2000", "2000")
EASTING_WITH_ZONE = 1e7
ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass
class Plot:
    """One plot: its head line by column, its rings as (east, north), and how many points it declares."""

    columns: dict[str, str]
    declared: int | None
    form: str = ""
    rings: list[list[tuple[float, float]]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    damaged: str = ""

    def point(self, number: str, east: float, north: float):
        """One more point of the ring of that number; a ring that came back to its first point is at its end."""
        if not self.rings or self.numbers[-1] != number or _closed(self.rings[-1]):
            self.rings.append([])
            self.numbers.append(number)
        self.rings[-1].append((east, north))


def _closed(ring: list[tuple[float, float]]) -> bool:
    return len(ring) > 3 and ring[0] == ring[-1]


def lay_points(path: Path, _layer: str, place: str, folder: Path, stem: str) -> dict:
    """The plots, laid out; with what the head says of the reference system. Raises CannotRead."""
    text, encoding = _decoded(path, place)
    about, plots = _parsed(text, place)
    with Laying(folder, stem, place) as laying:
        rows = RowsAtOnce(laying)
        ways = set()
        for row, plot in enumerate(plots):
            rows.add(plot.columns, ("MJGQ",))
            rings = [np.array(points) for points in plot.rings]
            shape = NO_AREA.get(plot.form, "")
            counted = sum(map(len, rings))
            if plot.damaged:
                laying.told[row] = ("1-points-damaged", REFUSE, plot.damaged, "")
            elif shape:
                laying.other_shapes.add(shape)
                laying.told[row] = ("1-not-polygon", REFUSE, shape, "")
            elif plot.declared is not None and plot.declared not in (counted, counted - len(rings)):
                # Some writers count the point at which a ring closes, some do not.
                laying.told[row] = ("1-points-declared", WARN, str(plot.declared), str(counted))
            taken = not plot.damaged and not shape and rings
            laying.shape(rings if taken else None)
            if taken:
                ways |= {ring[0, 0] > EASTING_WITH_ZONE for ring in rings}
        rows.flush()
        evidence = [Words("%(name)s=%(value)s", {"name": name, "value": value[:80]}) for name, value in about.items()]
        return {**laying.laid(), "system": _system(about, ways), "encoding": encoding, "evidence": evidence}


def _decoded(path: Path, place: str) -> tuple[str, str]:
    if path.stat().st_size > MOST_BYTES:
        raise CannotRead(
            _("%(place)s is a text of more than %(most)d bytes."),
            _("Deliver it in several files of one folder."),
            place=place,
            most=MOST_BYTES,
        )
    raw = path.read_bytes()
    for name in (ENCODINGS.get(raw[:2], "utf-8-sig"), "gb18030"):
        try:
            return raw.decode(name), name
        except UnicodeDecodeError:
            continue
    raise CannotRead(_("%(name)s is neither UTF-8 nor GB18030 throughout."), _("Save it again as GBK."), name=place)


def _parsed(text: str, name: str) -> tuple[dict[str, str], list[Plot]]:
    about: dict[str, str] = {}
    plots: list[Plot] = []
    section = ""
    for line in _lines(text):
        if found := SECTIONS.match(line):
            section = found[1]
        elif section == "属性描述" and "=" in line:
            key, value = line.split("=", 1)
            about[key.strip()] = value.strip()
        elif section == "地块坐标" and line:
            _take(line, plots, name)
    if not plots:
        raise CannotRead(_("%(name)s holds no plot."), _("Export the boundary points again."), name=name)
    return about, plots


def _lines(text: str) -> Iterator[str]:
    """The lines one by one: a list of them all would be as large as the text again."""
    for found in re.finditer(r"[^\r\n]+", text):
        yield found[0][:MOST_LINE].strip("\ufeff \t")


def _take(line: str, plots: list[Plot], name: str):
    line = line.replace("，", ",").replace("＠", "@")
    parts = [part.strip() for part in line.split(",")]
    if parts[-1] == "@":
        declared = int(parts[0]) if re.fullmatch(r"[0-9]{1,9}", parts[0]) else None
        columns = {column: part for column, part in zip(HEAD, parts[:-1], strict=False) if column}
        further = {FURTHER.format(at): part for at, part in enumerate(parts[len(HEAD) : -1], 1) if part}
        plots.append(Plot(columns | further, declared, "".join(parts[FORM : FORM + 1])))
        return
    if not plots:
        raise CannotRead(
            _("%(name)s has points before its first plot: “%(line)s”."),
            _("Each plot begins with a line that ends with @."),
            name=name,
            line=line[:60],
        )
    try:
        north, east = float(parts[2]), float(parts[3])
    except (IndexError, ValueError):
        plots[-1].damaged = plots[-1].damaged or line[:60]
        return
    if north > EASTING_WITH_ZONE > east:  # some writers swap the columns: with a zone before it, the larger is east
        north, east = east, north
    plots[-1].point(parts[1], east, north)


def _system(about: dict[str, str], ways: set[bool]) -> str | None:
    """The Gauss–Krüger system that the head names, by its EPSG code, or None where it names none of CGCS2000.

    Without a number of the zone, the coordinates say it themselves where it stands before them.
    """
    named, width = about.get("坐标系", ""), about.get("几度分带", "3").strip().rstrip("度带 分") or "3"
    zone = about.get("带号", "").strip().rstrip("带号 ")
    if not any(one in named for one in CGCS2000) or not re.fullmatch(r"[0-9]{2}", zone) or width not in ("3", "6"):
        return None
    prefixed = True in ways
    if len(ways) > 1:
        return None
    first, last = (25, 45) if width == "3" else (13, 23)
    if not first <= int(zone) <= last:
        return None
    with_zone, with_middle = (4513, 4534) if width == "3" else (4491, 4502)
    return f"EPSG:{(with_zone if prefixed else with_middle) + int(zone) - first}"
