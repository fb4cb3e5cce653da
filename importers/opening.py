"""Open a delivery: recognise the container by its bytes and lay its layers out in a private work folder."""

import hashlib
import re
import stat
import tempfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from importers.reading_boundary_points import is_boundary_points
from importers.reading_databases import layers_of
from importers.reading_workbook import MARK, sheets_of
from units.errors import InputUnreadable, UnknownName, UsageError

# A province's survey layer fits; what is larger is an attack or a mistake.
MAX_ENTRIES = 10_000
MAX_BYTES = 8 * 1024**3
MAX_RATIO = 400  # deflate reaches 1,032; blank-padded DBF columns of real deliveries stay below 100
RATIO_COUNTS_FROM = 16 * 1024**2  # bytes; small files may be as compressible as they like

PARTS = ("shp", "shx", "dbf", "prj", "cpg")
NEEDED = ("shp", "shx", "dbf")
# Indexes and descriptions that programs write beside a shapefile.
COMPANIONS = {
    *PARTS[1:],
    *("sbn", "sbx", "qix", "qpj", "qmd", "fbn", "fbx", "ain", "aih", "atx", "ixs", "mxs", "xml", "lock"),
}
LEFTOVERS = {"thumbs.db", "desktop.ini"}
SHAPEFILE = b"\x00\x00\x27\x0a"
SQLITE, GEOPACKAGE = b"SQLite format 3\x00", (b"GPKG", b"GP10", b"GP11")  # the second at byte 68
GEODATABASE = "a00000001.gdbtable"  # the catalogue that every file geodatabase has
START = 4096  # bytes that say what a file is
BLOCK = 1024 * 1024
NAMED = 5  # how many of what a zip holds are named where nothing of it is read

# First bytes → what the file is. Those of a .zip and a .shp are not here: they are read.
OTHERS = (
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\x00\x01\x00\x00Standard Jet DB", "Access MDB"),
    (b"\x00\x01\x00\x00Standard ACE DB", "Access MDB"),
    (b"\xd0\xcf\x11\xe0", "Excel 97 / OLE"),
    (b"Datamark", "VCT"),
    (b"%PDF", "PDF"),
)


@dataclass(frozen=True)
class Layer:
    """One layer: its name as delivered and where its parts lie now.

    `kind` is shp, gpkg, gdb, xlsx or txt; but for a shapefile, `parts` holds the container as "source" and a folder in
    which the layer is laid out as "folder".
    """

    name: str
    place: str
    parts: dict[str, Path]
    kind: str = "shp"

    def text(self, part: str) -> str | None:
        """The text of a small part (.prj, .cpg), or None where it was not delivered."""
        path = self.parts.get(part)
        if path is None:
            return None
        raw = path.read_bytes()[:100_000]
        return raw.decode("utf-8-sig", "replace").strip("\x00 \r\n\t")


@dataclass
class Container:
    """A delivery that was opened: its kind, its layers, and what else was found in it."""

    path: Path
    kind: str
    files: list[Path]
    layers: list[Layer] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)  # what else is in it: its name, and why it is not read

    @property
    def notes(self) -> list[str]:
        """What is in the container and was not read, in sentences."""
        return [f"{name} – {why}" for name, why in self.unread]

    def layer(self, name: str | None) -> Layer:
        """The layer of that name, or the only one."""
        if name is None:
            if len(self.layers) == 1:
                return self.layers[0]
            raise UsageError(
                _("%(file)s holds %(count)d layers: %(names)s.")
                % {
                    "file": self.path.name,
                    "count": len(self.layers),
                    "names": ", ".join(layer.name for layer in self.layers),
                },
                _("Name one with --layer."),
            )
        found = [layer for layer in self.layers if layer.name.casefold() == name.casefold() or layer.place == name]
        if not found:
            raise UnknownName(name, [layer.name for layer in self.layers], _("layer"))
        if len(found) > 1:
            raise UsageError(
                _("%(file)s holds more than one layer %(name)s: %(places)s.")
                % {"file": self.path.name, "name": name, "places": ", ".join(layer.place for layer in found)},
                _("Name one with its folder, as listed."),
            )
        return found[0]


@contextmanager
def opened(path: str | Path) -> Iterator[Container]:
    """The delivery at `path`. What is unpacked lies in one private folder, which is gone afterwards.

    Raises InputUnreadable where the bytes are not a shapefile or a safe zip of shapefiles, whatever the name says.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / GEODATABASE).is_file():
            raise InputUnreadable(
                _("%(path)s is a folder.") % {"path": path},
                _("Name the .shp file, a .gdb folder, or a .zip of the whole delivery; load_folder takes a folder."),
            )
        if links := sorted(one.name for one in path.iterdir() if one.is_symlink()):
            raise InputUnreadable(
                _("%(path)s holds links, which are not followed: %(names)s.")
                % {"path": path.name, "names": ", ".join(links[:5])},
                _("Copy the whole geodatabase."),
            )
        with tempfile.TemporaryDirectory(prefix="geoinv-") as folder:
            files = sorted(one for one in path.iterdir() if one.is_file())
            yield _database(Container(path, "gdb", files), path, "gdb", Path(folder))
        return
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except OSError as error:
        raise InputUnreadable(
            _("%(path)s cannot be read: %(why)s.") % {"path": path, "why": error.strerror or error},
            _("Check the path and the rights on the file."),
        ) from error
    if start.startswith(SHAPEFILE):
        yield _shapefile(path)
        return
    with tempfile.TemporaryDirectory(prefix="geoinv-") as name:
        folder = Path(name)
        if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield _workbook(path, folder) if _is_workbook(path) else _unpacked(path, folder)
        elif start.startswith(SQLITE) and start[68:72] in GEOPACKAGE:
            yield _database(Container(path, "gpkg", [path]), path, "gpkg", folder)
        elif is_boundary_points(start):
            container = Container(path, "txt", [path])
            container.layers.append(Layer(path.stem, path.name, {"source": path, "folder": folder}, "txt"))
            yield container
        else:
            raise InputUnreadable(
                _("%(name)s is nothing that is read here: its first bytes are those of %(kind)s.")
                % {"name": path.name, "kind": _kind(start)},
                _("Shapefiles, file geodatabases, GeoPackages, .zip of them, .xlsx and boundary-point text are read."),
            )


def _database(container: Container, path: Path, kind: str, folder: Path, before: str = "") -> Container:
    container.layers += [
        Layer(name, f"{before}{name}", {"source": path, "folder": folder}, kind) for name in layers_of(path, kind)
    ]
    return container


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return MARK in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, EOFError, UnicodeError):
        return False


def _workbook(path: Path, folder: Path) -> Container:
    container = Container(path, "xlsx", [path])
    container.layers = [Layer(name, name, {"source": path, "folder": folder}, "xlsx") for name in sheets_of(path)]
    return container


def digest(container: Container) -> str:
    """The SHA-256 of a delivered file, or of the list of digests of the parts of a loose shapefile."""
    digests = {path.name: _file_digest(path) for path in container.files}
    if len(digests) == 1:
        return next(iter(digests.values()))
    listed = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(listed.encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kind(start: bytes) -> str:
    for magic, name in OTHERS:
        if start.startswith(magic):
            return name
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(SQLITE):
        return "SQLite"
    if text[:10].upper() == b"<OGRVRTDAT":
        return "OGR VRT"
    if text[:1] in (b"{", b"["):
        return "JSON"
    if text[:1] == b"<":
        return "XML / HTML"
    return _("an empty file") if not start else _("an unknown format")


def _shapefile(path: Path) -> Container:
    stem = path.stem.casefold()
    parts = {}
    for sibling in sorted(path.parent.iterdir()):
        part = sibling.suffix[1:].casefold()
        if sibling.stem.casefold() == stem and part in PARTS and sibling.is_file() and not sibling.is_symlink():
            if part in parts and sibling != path:
                continue
            parts[part] = sibling
    parts["shp"] = path
    layer = Layer(path.stem, path.name, parts)
    _complete(layer)
    return Container(path, "shp", [parts[part] for part in PARTS if part in parts], [layer])


def _complete(layer: Layer):
    missing = [f".{part}" for part in NEEDED if part not in layer.parts]
    if missing:
        raise InputUnreadable(
            _("%(place)s came without %(missing)s.") % {"place": layer.place, "missing": ", ".join(missing)},
            _("A shapefile is .shp, .shx and .dbf together: deliver them all."),
        )
    with layer.parts["shp"].open("rb") as file:
        if file.read(4) != SHAPEFILE:
            raise InputUnreadable(
                _("%(place)s is named like a shapefile, but its bytes are not one.") % {"place": layer.place},
                _("Export the layer again."),
            )


def _unpacked(path: Path, folder: Path) -> Container:
    container = Container(path, "zip", [path])
    try:
        with zipfile.ZipFile(path) as archive:
            _unpack(archive, container, folder)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, UnicodeError) as error:
        raise InputUnreadable(
            _("%(name)s is a damaged zip: %(why)s.") % {"name": path.name, "why": error},
            _("Pack and send it again."),
        ) from error
    if not container.layers:
        raise InputUnreadable(
            " ".join([_("%(name)s holds no layer that is read here.") % {"name": path.name}, *container.notes[:NAMED]]),
            _("A .zip of shapefiles, file geodatabases or GeoPackages is read, in any folder of it."),
        )
    return container


def _unpack(archive: zipfile.ZipFile, container: Container, folder: Path):
    members = archive.infolist()
    if len(members) > MAX_ENTRIES:
        raise InputUnreadable(
            _("%(name)s has %(count)d entries; %(most)d are read at most.")
            % {"name": container.path.name, "count": len(members), "most": MAX_ENTRIES},
            _("Pack one delivery a zip."),
        )
    total, seen, sets, databases, packages = 0, {}, defaultdict(dict), defaultdict(dict), []
    others: list[PurePosixPath] = []
    for member in members:
        name = _member_name(member)
        _safe(member, name)
        if member.is_dir():
            continue
        if name.casefold() in seen:
            raise InputUnreadable(
                _("The zip holds %(name)s twice.") % {"name": name}, _("Nobody can say which is meant: pack it again.")
            )
        seen[name.casefold()] = member
        total += member.file_size
        ratio = member.file_size / max(member.compress_size, 1)
        if total > MAX_BYTES or (member.file_size > RATIO_COUNTS_FROM and ratio > MAX_RATIO):
            raise InputUnreadable(
                _("%(name)s would unpack to %(size)d bytes, %(ratio)d times its packed size.")
                % {"name": name, "size": member.file_size, "ratio": ratio},
                _("No survey compresses like that; the zip is not opened."),
            )
        place = PurePosixPath(name)
        if "__MACOSX" in place.parts or place.name.startswith("._"):
            continue
        part = place.suffix[1:].casefold()
        if part in PARTS:
            sets[str(place.with_suffix("")).casefold()][part] = (place, member)
        elif place.parent.suffix.casefold() == ".gdb":
            databases[str(place.parent)][place.name] = member
        elif part == "gpkg":
            packages.append((place, member))
        elif part == "zip":
            container.unread.append((name, _("It is a zip inside the zip, which is not opened; deliver it by itself.")))
        else:
            others.append(place)
    for place in others:
        if not is_leftover(place.name) and not is_companion(place.name, _stems(sets, place.parent)):
            container.unread.append((str(place), _("It is nothing that is read from a zip; deliver it by itself.")))
    for parts in sets.values():
        if "shp" not in parts:
            place, _member = next(iter(parts.values()))
            container.unread.append((str(place), _("It came without its .shp.")))
    for number, parts in enumerate(group for group in sets.values() if "shp" in group):
        place = parts["shp"][0]
        laid = {part: folder / f"{number}.{part}" for part in parts}
        for part, target in laid.items():
            _extract(archive, parts[part][1], target)
        layer = Layer(place.stem, str(place), laid)
        _complete(layer)
        container.layers.append(layer)
    for number, (place, parts) in enumerate(databases.items()):
        if GEODATABASE not in parts:
            raise InputUnreadable(
                _("%(place)s is named like a geodatabase, but its catalogue is missing.") % {"place": place},
                _("Pack the whole folder."),
            )
        target = folder / f"{number}.gdb"
        target.mkdir()
        for at, (name, member) in enumerate(parts.items()):
            # The names of a geodatabase's files are plain; what is named otherwise is no part of it.
            plain = name if re.fullmatch(r"[\w.]{1,64}", name, re.ASCII) else f"other{at}"
            _extract(archive, member, target / plain)
        _database(container, target, "gdb", folder, f"{place}/")
    for number, (place, member) in enumerate(packages):
        target = folder / f"{number}.gpkg"
        _extract(archive, member, target)
        with target.open("rb") as file:
            start = file.read(72)
        if not (start.startswith(SQLITE) and start[68:72] in GEOPACKAGE):
            raise InputUnreadable(
                _("%(place)s is named like a GeoPackage, but its bytes are not one.") % {"place": place},
                _("Export the layer again."),
            )
        _database(container, target, "gpkg", folder, f"{place}/")


def _stems(sets: dict[str, dict], folder: PurePosixPath) -> set[str]:
    """The names, without their endings, of the shapefiles of one folder of a zip."""
    places = (parts["shp"][0] for parts in sets.values() if "shp" in parts)
    return {place.stem.casefold() for place in places if place.parent == folder}


def is_leftover(name: str) -> bool:
    """Whether a file is one that an operating system or Excel leaves in a folder, and nobody's delivery."""
    return name.startswith((".", "~$")) or name.casefold() in LEFTOVERS


def is_companion(name: str, stems: set[str]) -> bool:
    """Whether a file goes with a shapefile beside it; `stems` are the names of those, without their endings."""
    stem, _dot, ending = name.casefold().rpartition(".")
    return ending in COMPANIONS and (stem in stems or stem.removesuffix(".shp") in stems)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path):
    written = 0
    with archive.open(member) as source, target.open("xb") as sink:
        while block := source.read(BLOCK):
            written += len(block)
            if written > member.file_size:
                raise zipfile.BadZipFile("an entry is longer than it says")
            sink.write(block)


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name of an entry. Chinese Windows writes it in GBK and says nothing; zipfile then reads it as cp437."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            raw = None
        if raw is not None:
            for encoding in ("utf-8", "gb18030"):
                try:
                    name = raw.decode(encoding)
                    break
                except UnicodeDecodeError:
                    continue
    return name.replace("\\", "/")


def _safe(member: zipfile.ZipInfo, name: str):
    why = None
    if name.startswith("/") or re.match(r"^[A-Za-z]:", name):
        why = _("is an absolute path")
    elif ".." in PurePosixPath(name).parts:
        why = _("leads out of the folder")
    elif stat.S_ISLNK(member.external_attr >> 16):
        why = _("is a link")
    elif "\x00" in name:
        why = _("holds a zero byte in its name")
    elif member.flag_bits & 0x1:
        why = _("is encrypted")
    if why:
        raise InputUnreadable(
            _("The zip is refused: its entry %(name)s %(why)s.") % {"name": ascii(name), "why": why},
            _("Pack the plain files of the delivery again."),
        )


def kept_copy(container: Container, target: Path):
    """Copy the files as they were delivered into the folder `target`, readable and not writable."""
    target.mkdir(parents=True)
    for path in container.files:
        copy = target / path.name
        with path.open("rb") as source, copy.open("xb") as sink:
            while block := source.read(8 * BLOCK):
                sink.write(block)
        copy.chmod(0o440)
