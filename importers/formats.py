"""What a file is, told by its bytes and never by its name; and what to deliver instead of what is not read here."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext_lazy as _

SHAPEFILE = b"\x00\x00\x27\x0a"
SQLITE, GEOPACKAGE = b"SQLite format 3\x00", (b"GPKG", b"GP10", b"GP11")  # the second at byte 68
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
START = 8192  # bytes that say what a file is
SECTIONS = re.compile(r"^\s*[\[【](属性描述|地块坐标)[\]】]", re.M)
SEPARATORS = ",\t;"  # no byte of them is part of a longer character in GB18030, Big5 or UTF-8
LONGEST_NAME = 60  # characters of the name of a column; longer ones are sentences
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
TEXTS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True)
class Foreign:
    """A format that is not read here, and what to do about it."""

    name: str
    fix: str


EXPORT = _("Export the layer from the program that wrote it as a shapefile, a file geodatabase or a GeoPackage.")
UNPACK = _("Unpack it and deliver a .zip, or the files themselves.")
PICTURE = _("It is a picture or a printed page; deliver the layer that it was made from.")
CAD = _("It is a CAD drawing without a table; in the GIS, make polygons of it with their codes and deliver those.")
PROJECT = _("It is a map project, which only names its data; deliver the layers that it shows.")

RAR = Foreign(_("a RAR archive"), UNPACK)
ACCESS = Foreign(
    _("an Access database (.mdb, .accdb)"),
    _("In ArcGIS, copy its layers into a file geodatabase (.gdb) or export shapefiles; export a table as .xlsx."),
)
VCT = Foreign(
    _("VCT, the exchange format of land data"),
    _("In the survey's own software, convert the VCT to a file geodatabase or to shapefiles, and deliver those."),
)
OLD_EXCEL = Foreign(_("an Excel 97 workbook (.xls)"), _("Open it and save it as .xlsx, or as CSV in UTF-8."))
COMPOUND = Foreign(_("a compound file of Microsoft (Word 97 and others)"), _("Save tables as .xlsx, layers as .shp."))
MAP_DOCUMENT = Foreign(_("an ArcGIS map document or layer file (.mxd, .lyr)"), PROJECT)
QGIS = Foreign(_("a QGIS project (.qgz, .qgs)"), PROJECT)
KML = Foreign(
    _("KML or KMZ"),
    _("It carries display, not survey data: export the layer that it was made from as .shp, .gdb or .gpkg."),
)
VRT = Foreign("OGR VRT", _("It only points to other files; deliver those files themselves."))
HTML = Foreign(
    _("a web page (HTML)"),
    _("Something was saved from the browser instead of the file: download the file itself again."),
)
GML = Foreign("GML", EXPORT)
XML = Foreign("XML", _("It is a description or a setting, no layer; deliver the layer itself."))
SQLITE_ONLY = Foreign(_("a SQLite database that is no GeoPackage"), _("Export its layers as a GeoPackage (.gpkg)."))
WORD = Foreign(_("a document (.docx, .pptx)"), _("Copy its table into a workbook and save it as .xlsx."))
OTHER_BOOK = Foreign(_("a workbook of another program (.xlsb, .ods)"), _("Save it as .xlsx, or as CSV in UTF-8."))
EMPTY = Foreign(_("an empty file"), _("It holds nothing: export or copy it again."))
DXF = Foreign("DXF", CAD)
MAPINFO = Foreign(_("a layer of MapInfo (.tab, .mif)"), EXPORT)
PLAIN_TEXT = Foreign(_("text that is no table and no list of boundary points"), EXPORT)
UNKNOWN = Foreign(_("an unknown format"), EXPORT)

# First bytes → what the file is. Those of what is read are not here.
MAGIC = (
    (0, b"Rar!", RAR),
    (0, b"7z\xbc\xaf", Foreign(_("a 7-Zip archive"), UNPACK)),
    (0, b"\x1f\x8b", Foreign("gzip", UNPACK)),
    (0, b"BZh", Foreign("bzip2", UNPACK)),
    (0, b"\xfd7zXZ\x00", Foreign("xz", UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", Foreign("zstd", UNPACK)),
    (257, b"ustar", Foreign("tar", UNPACK)),
    (0, b"PK\x07\x08", Foreign(_("one volume of a split zip"), UNPACK)),
    (0, b"\x00\x01\x00\x00Standard Jet DB", ACCESS),
    (0, b"\x00\x01\x00\x00Standard ACE DB", ACCESS),
    (0, b"%PDF", Foreign("PDF", PICTURE)),
    (0, b"\x89PNG", Foreign("PNG", PICTURE)),
    (0, b"\xff\xd8\xff", Foreign("JPEG", PICTURE)),
    (0, b"II*\x00", Foreign("TIFF", PICTURE)),
    (0, b"MM\x00*", Foreign("TIFF", PICTURE)),
    (0, b"GIF8", Foreign("GIF", PICTURE)),
    (0, b"AC10", Foreign("DWG", CAD)),
    (0, b"AC1.", Foreign("DWG", CAD)),
    (0, b"AutoCAD Binary DXF", DXF),
    (0, b"CDF\x01", Foreign("CDF (netCDF)", EXPORT)),
    (0, b"CDF\x02", Foreign("CDF (netCDF)", EXPORT)),
    (0, b"CDF\x05", Foreign("CDF (netCDF)", EXPORT)),
    (0, b"\xcd\xf3\x00\x01", Foreign("CDF", EXPORT)),
    (0, b"\xcd\xf2\x60\x02", Foreign("CDF", EXPORT)),
    (0, b"\x89HDF", Foreign("HDF5", EXPORT)),
    (0, b"fgb\x03", Foreign("FlatGeobuf", EXPORT)),
    (0, b"PAR1", Foreign("GeoParquet", EXPORT)),
    (0, b"ARROW1", Foreign("Arrow", EXPORT)),
    (0, b"WMAP", Foreign("MapGIS", EXPORT)),
    (0, b"MZ", Foreign(_("a program"), _("Programs are not opened; deliver the data itself."))),
    (0, b"\x7fELF", Foreign(_("a program"), _("Programs are not opened; deliver the data itself."))),
)
# Where the bytes say nothing, what the ending of the name may be taken to mean; it never makes a file readable.
ENDINGS = {
    "cdf": _("A .cdf is read only by the program that wrote it: export the layer there as a shapefile or a .gpkg."),
    "vct": VCT.fix,
    "mdb": ACCESS.fix,
    "accdb": ACCESS.fix,
    "xls": OLD_EXCEL.fix,
    "wp": EXPORT,
    "wl": EXPORT,
    "wt": EXPORT,
    "udb": EXPORT,
    "udd": EXPORT,
}
# Members of a zip that say what it is; xl/workbook.xml is a workbook, which is read.
ZIPPED = (
    (re.compile(r"xl/workbook\.bin$"), OTHER_BOOK),
    (re.compile(r"(word/document|ppt/presentation)\.xml$"), WORD),
    (re.compile(r"content\.xml$"), OTHER_BOOK),
    (re.compile(r"[^/]+\.qgs$"), QGIS),
    (re.compile(r"doc\.kml$"), KML),
)
WORKBOOK = "xl/workbook.xml"


def kind_of(start: bytes, path: Path | None = None, *, whole: bool = False) -> str | Foreign:
    """What bytes are: "shp", "zip", "gpkg", "txt", "json" or "csv", or the Foreign format they are of.

    `start` are the first START bytes, or all of them where `whole`; `path` is the file they came from, looked into
    where they do not tell what a compound file holds.
    """
    if not start:
        return EMPTY
    if start.startswith(SHAPEFILE):
        return "shp"
    if start.startswith(ZIP):
        return "zip"
    if start.startswith(SQLITE):
        return "gpkg" if start[68:72] in GEOPACKAGE else SQLITE_ONLY
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return _compound(path)
    for at, magic, foreign in MAGIC:
        if start.startswith(magic, at):
            return foreign
    text = text_of(start, whole=whole or len(start) < START)
    return UNKNOWN if text is None else _text_kind(text)


def text_of(start: bytes, *, whole: bool) -> str | None:
    """The beginning of a text, whose last character may be cut off; None where it is none."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if start.startswith(mark):
            return _plain(start[2:].decode(encoding, "ignore"))
    for encoding in TEXTS:
        for less in range(1 if whole else 4):
            try:
                return _plain(start[: len(start) - less].decode(encoding))
            except UnicodeDecodeError:
                continue
    # A stray byte makes no text unreadable here: the readers tell which line it stands in.
    text = start.decode("gb18030", "replace")
    return _plain(text) if text.count("\ufffd") * 20 < len(text) else None


def _plain(text: str) -> str | None:
    return None if CONTROL.search(text) else text


def _text_kind(text: str) -> str | Foreign:
    if SECTIONS.search(text):
        return "txt"
    head = text.lstrip("\ufeff \r\n\t")
    lower = head[:2000].casefold()
    if head[:1] == "{":
        return "json"
    if head[:1] == "<":
        return _markup(lower)
    if lower.startswith(("datamark", "headbegin")):
        return VCT
    if re.match(r"0\s*\n\s*section", lower.replace("\r", "")):
        return DXF
    if lower.startswith("!table") or re.match(r"version\s+\d+\s", lower):
        return MAPINFO
    if lower.startswith("exp "):
        return Foreign("E00", EXPORT)
    return "csv" if _is_table(text) else PLAIN_TEXT


def _markup(lower: str) -> Foreign:
    for word, foreign in (
        ("<ogrvrtdat", VRT),
        ("<kml", KML),
        ("<!doctype qgis", QGIS),
        ("<qgis", QGIS),
        ("opengis.net/gml", GML),
        ("<!doctype html", HTML),
        ("<html", HTML),
    ):
        if word in lower:
            return foreign
    return XML


def _is_table(text: str) -> bool:
    """Whether lines are those of a table: a line of names, and further lines of as many cells."""
    separator, lines = separator_of(text)
    if not separator:
        return False
    try:
        rows = list(csv.reader(lines[:40], delimiter=separator))
    except csv.Error:
        return False
    rows = [row for row in rows if any(row)][:20]
    if not rows or len(rows[0]) < 2 or any(not name.strip() or len(name) > LONGEST_NAME for name in rows[0][:2]):
        return False
    return sum(len(row) > 1 for row in rows) * 2 >= len(rows)


def separator_of(text: str) -> tuple[str, list[str]]:
    """What parts the cells of a table, told from its first line, and the lines themselves; "" where nothing does."""
    lines = text.lstrip("\ufeff").splitlines()
    if lines and (said := re.fullmatch(r"sep=(.)", lines[0].strip())):
        return (said[1] if said[1] in SEPARATORS else ""), lines[1:]
    first = next((line for line in lines if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    found = max(SEPARATORS, key=bare.count)
    return (found if bare.count(found) else ""), lines


def _compound(path: Path | None) -> Foreign:
    """What a compound file of Microsoft holds, by the names of its streams."""
    if path is None:
        return COMPOUND
    with path.open("rb") as file:
        head = file.read(512)
        if len(head) < 52:
            return COMPOUND
        size = 1 << min(int.from_bytes(head[30:32], "little"), 16)
        file.seek((int.from_bytes(head[48:52], "little") + 1) * size)
        streams = file.read(max(size, 4096))
    for names, foreign in (
        (("Workbook", "Book"), OLD_EXCEL),
        (("Mx Document", "Maps", "Layer", "Mx Layer"), MAP_DOCUMENT),
    ):
        if any((name + "\0").encode("utf-16-le") in streams for name in names):
            return foreign
    return COMPOUND


def kind_of_zip(names: list[str]) -> str | Foreign:
    """What a zip is by its members: "xlsx", "zip", or the Foreign format that is packed as one."""
    if WORKBOOK in names:
        return "xlsx"
    if "[Content_Types].xml" in names or "mimetype" in names or not any(name.endswith(".shp") for name in names):
        for pattern, foreign in ZIPPED:
            if any(pattern.match(name) for name in names):
                return foreign
    return "zip"


def fix_of(foreign: Foreign, name: str) -> str:
    """What to deliver instead, as one reader is told who knows the file by that name."""
    if foreign in (UNKNOWN, PLAIN_TEXT):
        return ENDINGS.get(name.rpartition(".")[2].casefold(), foreign.fix)
    return foreign.fix
