"""Read a local reference system from a file that stays outside the repository: what it says is used and never told."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pyproj
from django.conf import settings
from django.utils.translation import gettext as _
from pyproj.exceptions import CRSError, ProjError

from units.errors import InputUnreadable, Refused, UnknownName, UsageError
from units.spatial import CGCS2000_A, CGCS2000_INVERSE_FLATTENING

MOST_BYTES = 100_000
WGS84_INVERSE_FLATTENING = 298.257223563
FILES = {"grids", "nadgrids", "geoidgrids", "xy_grids", "z_grids", "file", "model"}  # parameters that name a file
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.,+\-]*")  # numbers and the names of operations, units and ellipsoids
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
PLAIN_PATH = re.compile(r"[\w/.\-]+", re.ASCII)
# In a WKT or PROJJSON a file is named in these ways only, and none of them may be.
NAMES_A_FILE = re.compile(r"grids|EXTENSION|PARAMETERFILE|parameter_?file|\.gsb|\.tif|\.gtx|\.ct2", re.I)
TOLERANCE = 1e-6

# Nothing is fetched while a delivery is read, whatever the environment says.
pyproj.network.set_network_enabled(active=False)


@dataclass(frozen=True)
class Frame:
    """A local system: the name and digest of its file, and the PROJ pipeline from it to degrees of CGCS2000."""

    name: str
    sha256: str
    pipeline: str = field(repr=False)

    def told(self) -> dict:
        return {"name": self.name, "sha256": self.sha256}


def asked(text: str | None, *, anywhere: bool = False) -> str | Frame | None:
    """What --crs says: EPSG:4527 as it is, else the file of that name in GEOINV_CRS_DIR; `anywhere` takes any path.

    Raises UsageError, UnknownName, InputUnreadable or Refused.
    """
    if text is None or re.fullmatch(r"\s*(EPSG:)?\d+\s*", text, re.IGNORECASE):
        return text
    if re.match(r"\s*(EPSG|ESRI|OGC|URN|\+|PROJ|GEOG)[:\s=+C]", text, re.IGNORECASE):
        raise UsageError(
            _("%(crs)s cannot be read.") % {"crs": text},
            _("Give EPSG:4490, a CGCS2000 Gauss–Krüger zone (EPSG:4491 to 4554), or a file with a PROJ pipeline."),
        )
    if anywhere and Path(text).exists():
        return read_frame(Path(text))
    known = offered()
    if text not in known:
        if not known:
            raise UsageError(
                _("%(crs)s is no reference system and no file.") % {"crs": text},
                _("Give EPSG:4527, or the path of a file with a PROJ pipeline."),
            )
        raise UnknownName(text, known, _("local reference system"))
    return read_frame(settings.CRS_DIR / text)


def offered() -> list[str]:
    """The names of the files in GEOINV_CRS_DIR that are local reference systems; grids that they use are not."""
    if settings.CRS_DIR is None or not settings.CRS_DIR.is_dir():
        return []
    return sorted(
        one.name
        for one in settings.CRS_DIR.iterdir()
        if one.suffix.casefold() in (".txt", ".proj", ".pipeline", ".wkt", ".prj", ".json")
        and one.is_file()
        and not one.is_symlink()
    )


def read_frame(path: Path) -> Frame:
    """The local system in a file: a PROJ pipeline to degrees of CGCS2000, or a system as WKT, PROJJSON or PROJ text."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputUnreadable(
            _("The local reference system %(name)s cannot be read: %(why)s.")
            % {"name": path.name, "why": error.strerror or error},
            _("Check the path and the rights on the file."),
        ) from error
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise _unfit(path, _("it is no text in UTF-8")) from error
    if not text or len(raw) > MOST_BYTES:
        raise _unfit(path, _("it is empty") if not text else _("it is too long"))
    digest = hashlib.sha256(raw)
    if text.startswith("{") or re.match(r"[A-Za-z_]+\s*[\[(]", text):
        pipeline = _of_system(path, text)
    else:
        steps = " ".join(line.split("#")[0] for line in text.splitlines())
        checked, files = _checked(path, steps)
        for one in files:
            digest.update(hashlib.sha256(one.read_bytes()).digest())
        pipeline = checked if re.search(r"(^|\s)\+?proj=pipeline(\s|$)", checked) else _of_system(path, checked)
    try:
        pyproj.Transformer.from_pipeline(pipeline)
    except ProjError as error:
        # PROJ's own words would quote the file.
        raise _unfit(path, _("PROJ does not understand its pipeline")) from error
    return Frame(path.name, digest.hexdigest(), pipeline)


def _checked(path: Path, text: str) -> tuple[str, list[Path]]:
    """A PROJ text whose every word is plain, its files replaced by their full paths in the folder of `path`."""
    words, files = [], []
    for word in text.split():
        key, _equals, value = word.removeprefix("+").partition("=")
        if not PLAIN_KEY.fullmatch(key) or key == "init" or (key == "datum" and value != "WGS84"):
            raise _unfit(path, _("it holds what is no parameter of a pipeline"))
        if key in FILES:
            found = [_beside(path, name) for name in value.split(",")]
            files += found
            value = ",".join(map(str, found))
        elif not PLAIN_VALUE.fullmatch(value):
            raise _unfit(path, _("it holds what is no parameter of a pipeline"))
        words.append(f"+{key}={value}" if value else f"+{key}")
    return " ".join(words), files


def _beside(path: Path, name: str) -> Path:
    """A grid that a pipeline names: a file in the same folder, and nothing else of this machine or another."""
    folder = path.resolve().parent
    found = folder / name
    if not PLAIN_NAME.fullmatch(name) or found.is_symlink() or not found.is_file():
        raise Refused(
            _("The local reference system %(name)s names a file that does not lie in its folder.")
            % {"name": path.name},
            _("Put the grid beside it and name it without a folder; nothing is fetched from a network."),
            code="crs-file",
        )
    if not PLAIN_PATH.fullmatch(str(found)):
        raise Refused(
            _("The folder of %(name)s has a name that PROJ cannot read.") % {"name": path.name},
            _("Use a folder whose path has plain letters, digits, - and _ only."),
            code="crs-file",
        )
    return found


def _of_system(path: Path, text: str) -> str:
    """The pipeline from a system that is described: a projection on the ellipsoid of CGCS2000 (or WGS 84)."""
    if NAMES_A_FILE.search(text):
        raise _unfit(path, _("it names further files, which only a pipeline may"))
    try:
        crs = pyproj.CRS.from_json(text) if text.startswith("{") else pyproj.CRS.from_user_input(text)
    except (CRSError, json.JSONDecodeError) as error:
        raise _unfit(path, _("it is no reference system")) from error
    while crs.is_bound or crs.is_compound:
        crs = crs.source_crs if crs.is_bound else crs.sub_crs_list[0]
    ellipsoid, geodetic = crs.ellipsoid, crs.geodetic_crs
    if not crs.is_projected or ellipsoid is None or geodetic is None:
        raise _unfit(path, _("it is no projected system"))
    flat = (CGCS2000_INVERSE_FLATTENING, WGS84_INVERSE_FLATTENING)
    if abs(ellipsoid.semi_major_metre - CGCS2000_A) > TOLERANCE or all(
        abs(ellipsoid.inverse_flattening - one) > TOLERANCE for one in flat
    ):
        raise _unfit(path, _("its ellipsoid is not that of CGCS2000, and only a pipeline says the way there"))
    found = pyproj.Transformer.from_crs(crs, geodetic, always_xy=True)
    if abs(found.target_crs.prime_meridian.longitude) > TOLERANCE:
        raise _unfit(path, _("its longitudes are not counted from Greenwich"))
    return found.definition


def _unfit(path: Path, why: str) -> Refused:
    return Refused(
        _("The local reference system %(name)s is not used: %(why)s.") % {"name": path.name, "why": why},
        _("Write a PROJ pipeline from the layer's coordinates to longitude and latitude of CGCS2000 in degrees."),
        code="crs-file",
    )
