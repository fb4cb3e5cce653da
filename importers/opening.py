"""Open a delivery: recognise the container by its bytes and lay its layers out in a private work folder."""

import hashlib
import os
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from importers import unpacking
from importers.confining import confined
from importers.formats import SHAPEFILE, START, Foreign, fix_of, kind_of, kind_of_zip
from importers.reading_databases import layers_of
from importers.reading_workbook import sheets_of
from importers.unpacking import Entry, Zip
from importers.workfolders import work_folder
from units.errors import GeoinvError, InputUnreadable, UnknownName, UsageError

MAX_BYTES = unpacking.MAX_BYTES  # of one delivered file
MAX_FILES = 2_000  # of a geodatabase: some hundred are many
PARTS = ("shp", "shx", "dbf", "prj", "cpg")
NEEDED = ("shp", "shx", "dbf")
# Indexes and descriptions that programs write beside a shapefile.
COMPANIONS = {
    *PARTS[1:],
    *("sbn", "sbx", "qix", "qpj", "qmd", "fbn", "fbx", "ain", "aih", "atx", "ixs", "mxs", "xml", "lock"),
}
LEFTOVERS = {"thumbs.db", "desktop.ini"}
GEODATABASE = "a00000001.gdbtable"  # the catalogue that every file geodatabase has
BLOCK = 8 * 1024 * 1024
NAMED = 5  # how many of what a zip holds are named where nothing of it is read
TEXTS = ("txt", "json", "csv")  # files that are one layer each


@dataclass(frozen=True)
class Layer:
    """One layer: its name as delivered and where its parts lie now.

    `kind` is shp, gpkg, gdb, xlsx, txt, json or csv; but for a shapefile, `parts` holds the container as "source" and
    a folder in which the layer is laid out as "folder". `memory` is what its reader keeps as long as it is open.
    """

    name: str
    place: str
    parts: dict[str, Path]
    kind: str = "shp"
    memory: dict = field(default_factory=dict, compare=False, repr=False)

    def text(self, part: str) -> str | None:
        """The text of a small part (.prj, .cpg), or None where it was not delivered."""
        path = self.parts.get(part)
        if path is None:
            return None
        with path.open("rb") as file:
            raw = file.read(100_000)
        return raw.decode("utf-8-sig", "replace").replace("\x00", " ").strip(" \r\n\t")


@dataclass
class Container:
    """A delivery that was opened: its kind, its layers, and what else was found in it.

    `path` is where it came from; `files` are private copies of it under the names as delivered, and what is read.
    """

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
    """The delivery at `path`, copied and unpacked into one private folder, which is gone afterwards.

    Nobody can change what is read while it is read, and its digest is that of what was read. Raises InputUnreadable
    where the bytes are nothing that is read here or nothing that is safe, whatever the name says.
    """
    path = Path(path)
    with work_folder() as folder:
        for name in ("delivered", "laid"):
            (folder / name).mkdir()
        try:
            container = _opened(path, folder / "delivered", folder / "laid")
        except OSError as error:
            if isinstance(error, GeoinvError):
                raise
            raise InputUnreadable(
                _("%(name)s cannot be copied or unpacked: %(why)s.")
                % {"name": path.name, "why": error.strerror or error},
                _("Make room in the folder for temporary files, or deliver less at once."),
            ) from error
        yield container


def _opened(path: Path, delivered: Path, folder: Path) -> Container:
    if path.is_dir():
        return _geodatabase(path, delivered, folder)
    if _start_of(path).startswith(SHAPEFILE):
        return _shapefile(path, delivered)
    copy = _fetched(path, delivered)
    kind = _kind(copy, path.name)
    container = Container(path, kind, [copy])
    _read(container, copy, kind, folder, path.stem, "")
    if not container.layers:
        raise InputUnreadable(
            " ".join([_("%(name)s holds no layer that is read here.") % {"name": path.name}, *container.notes[:NAMED]]),
            _("Shapefiles, geodatabases, GeoPackages, GeoJSON, workbooks, CSV and boundary-point text are read."),
        )
    return container


def _kind(path: Path, name: str) -> str:
    """What a delivered file is, by its bytes. Raises InputUnreadable for what is not read, with what to do instead."""
    start = _start_of(path)
    kind = kind_of(start, path)
    if kind == "zip":
        kind = kind_of_zip(unpacking.names_of(path, name))
    if isinstance(kind, Foreign):
        raise InputUnreadable(
            _("%(name)s is nothing that is read here: its first bytes are those of %(kind)s.")
            % {"name": name, "kind": kind.name},
            fix_of(kind, name),
        )
    if kind == "shp":
        raise InputUnreadable(
            _("%(place)s came without %(missing)s.") % {"place": name, "missing": ".shx, .dbf"},
            _("A shapefile is .shp, .shx and .dbf together: deliver them all."),
        )
    return kind


def _read(container: Container, path: Path, kind: str, folder: Path, stem: str, before: str):
    """Add the layers of one file; `before` is where it lies in the zip that it came in."""
    if kind == "zip":
        _unpacked(container, path, folder)
        return
    if kind in TEXTS:
        container.layers.append(Layer(stem, before or container.path.name, _parts(path, folder), kind))
        return
    # Of a file inside a zip, the layers are named with the file: two of them may hold layers of one name.
    within = f"{before}/" if before else ""
    if kind == "xlsx":
        place = before or container.path.name
        names = confined(sheets_of, path, place, name=place)
    else:
        names = layers_of(path, kind)
    container.layers += [Layer(name, f"{within}{name}", _parts(path, folder), kind) for name in names]


def _parts(path: Path, folder: Path) -> dict[str, Path]:
    return {"source": path, "folder": folder}


def _start_of(path: Path) -> bytes:
    with _plain(path) as file:
        return file.read(START)


@contextmanager
def _plain(path: Path):
    """A file to read, which is a plain one: opening a pipe would wait for ever, and a device never ends."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise InputUnreadable(
            _("%(path)s cannot be read: %(why)s.") % {"path": path, "why": getattr(error, "strerror", None) or error},
            _("Check the path and the rights on the file."),
        ) from error
    with open(number, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise InputUnreadable(
                _("%(path)s is no plain file: a pipe, a device or a socket is not read.") % {"path": path},
                _("Deliver a file."),
            )
        yield file


def _fetched(path: Path, folder: Path) -> Path:
    """A private copy of a delivered file under its name."""
    copy = folder / path.name
    with _plain(path) as source, copy.open("xb") as sink:
        before = os.fstat(source.fileno())
        if before.st_size > MAX_BYTES:
            raise InputUnreadable(
                _("%(name)s has %(size)d bytes; %(most)d are read at most.")
                % {"name": path.name, "size": before.st_size, "most": MAX_BYTES},
                _("Deliver it in several files of one folder."),
            )
        left = before.st_size
        while left and (sent := os.sendfile(sink.fileno(), source.fileno(), None, min(left, BLOCK))):
            left -= sent
        after = os.fstat(source.fileno())
    if left or (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise InputUnreadable(
            _("%(name)s was changed while it was read.") % {"name": path.name},
            _("Wait until it is written or copied to its end, and try again."),
        )
    return copy


def _geodatabase(path: Path, delivered: Path, folder: Path) -> Container:
    if not (path / GEODATABASE).is_file():
        raise InputUnreadable(
            _("%(path)s is a folder.") % {"path": path},
            _("Name the .shp file, a .gdb folder, or a .zip of the whole delivery; load_folder takes a folder."),
        )
    entries = sorted(path.iterdir())
    if links := [one.name for one in entries if one.is_symlink()]:
        raise InputUnreadable(
            _("%(path)s holds links, which are not followed: %(names)s.")
            % {"path": path.name, "names": ", ".join(links[:5])},
            _("Copy the whole geodatabase."),
        )
    if len(entries) > MAX_FILES or sum(one.stat().st_size for one in entries) > MAX_BYTES:
        raise InputUnreadable(
            _("%(path)s holds more than %(files)d files or %(bytes)d bytes.")
            % {"path": path.name, "files": MAX_FILES, "bytes": MAX_BYTES},
            _("Deliver the layers that are wanted in a geodatabase of their own."),
        )
    (delivered / "whole.gdb").mkdir()
    files = [_fetched(one, delivered / "whole.gdb") for one in entries if one.is_file()]
    container = Container(path, "gdb", files)
    _read(container, delivered / "whole.gdb", "gdb", folder, path.stem, "")
    return container


def digest(container: Container) -> str:
    """The SHA-256 of a delivered file, or of the list of digests of the parts of a loose shapefile."""
    digests = {path.name: _file_digest(path) for path in container.files}
    if len(digests) == 1:
        return next(iter(digests.values()))
    listed = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shapefile(path: Path, delivered: Path) -> Container:
    stem = path.stem.casefold()
    parts = {"shp": path}
    for sibling in sorted(path.parent.iterdir()):
        part = sibling.suffix[1:].casefold()
        if sibling.stem.casefold() != stem or part not in PARTS or sibling.name == path.name:
            continue
        if sibling.is_symlink() or not sibling.is_file():
            continue
        if part in parts:
            raise InputUnreadable(
                _("Beside %(name)s lies a second .%(part)s: %(other)s.")
                % {"name": path.name, "part": part, "other": sibling.name},
                _("Nobody can say which is meant: take the one away that does not belong to it."),
            )
        parts[part] = sibling
    fetched = {part: _fetched(one, delivered) for part, one in parts.items()}
    layer = Layer(path.stem, path.name, fetched)
    _complete(layer)
    return Container(path, "shp", [fetched[part] for part in PARTS if part in fetched], [layer])


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


def _unpacked(container: Container, path: Path, folder: Path):
    with Zip(path, container.path.name) as archive:
        sets: dict[str, dict[str, Entry]] = defaultdict(dict)
        databases: dict[str, dict[str, Entry]] = defaultdict(dict)
        others: list[Entry] = []
        for entry in archive.entries:
            place = entry.place
            if "__MACOSX" in place.parts or place.name.startswith("._"):
                continue
            if entry.part in PARTS:
                sets[str(place.with_suffix("")).casefold()][entry.part] = entry
            elif place.parent.suffix.casefold() == ".gdb":
                databases[str(place.parent)][place.name] = entry
            else:
                others.append(entry)
        _unpack_shapefiles(archive, container, folder, sets)
        _unpack_geodatabases(archive, container, folder, databases)
        _unpack_others(archive, container, folder, others, sets)


def _unpack_shapefiles(archive: Zip, container: Container, folder: Path, sets: dict[str, dict[str, Entry]]):
    for number, parts in enumerate(sets.values()):
        if "shp" not in parts:
            entry = next(iter(parts.values()))
            container.unread.append((str(entry.place), _("It came without its .shp.")))
            continue
        place = parts["shp"].place
        laid = {part: archive.extract(entry, folder / f"{number}.{part}") for part, entry in parts.items()}
        layer = Layer(place.stem, str(place), laid)
        _complete(layer)
        container.layers.append(layer)


def _unpack_geodatabases(archive: Zip, container: Container, folder: Path, databases: dict[str, dict[str, Entry]]):
    for number, (place, parts) in enumerate(databases.items()):
        if GEODATABASE not in parts:
            raise InputUnreadable(
                _("%(place)s is named like a geodatabase, but its catalogue is missing.") % {"place": place},
                _("Pack the whole folder."),
            )
        target = folder / f"{number}.gdb"
        target.mkdir()
        for at, (name, entry) in enumerate(parts.items()):
            # The names of a geodatabase's files are plain; what is named otherwise is no part of it.
            plain = name if re.fullmatch(r"[\w.]{1,64}", name, re.ASCII) else f"other{at}"
            archive.extract(entry, target / plain)
        _read(container, target, "gdb", folder, PurePosixPath(place).stem, place)


def _unpack_others(archive: Zip, container: Container, folder: Path, others: list[Entry], sets: dict):
    """What is no part of a shapefile or geodatabase: read where its bytes are those of a layer or table, else told."""
    for number, entry in enumerate(others):
        place = entry.place
        if is_leftover(place.name) or is_companion(place.name, _stems(sets, place.parent)):
            continue
        start = archive.start(entry)
        kind = kind_of(start, whole=entry.info.file_size <= len(start))
        target = folder / f"other{number}"
        if kind == "zip":
            archive.extract(entry, target)
            kind = kind_of_zip(unpacking.names_of(target, place.name))
            if kind == "zip":
                kind = None
        if kind is None:
            container.unread.append(
                (str(place), _("It is a zip inside the zip, which is not opened; deliver it by itself."))
            )
        elif isinstance(kind, Foreign):
            container.unread.append((str(place), _foreign(entry, kind)))
        else:
            if not target.exists():
                archive.extract(entry, target)
            try:
                _read(container, target, kind, folder, place.stem, str(place))
            except InputUnreadable as error:  # the rest of the zip may be good
                container.unread.append((str(place), str(error)))


def _foreign(entry: Entry, kind: Foreign) -> str:
    if entry.part == "gpkg":
        raise InputUnreadable(
            _("%(place)s is named like a GeoPackage, but its bytes are not one.") % {"place": entry.place},
            _("Export the layer again."),
        )
    return _("Its bytes are those of %(kind)s. %(fix)s") % {"kind": kind.name, "fix": fix_of(kind, entry.place.name)}


def _stems(sets: dict[str, dict[str, Entry]], folder: PurePosixPath) -> set[str]:
    """The names, without their endings, of the shapefiles of one folder of a zip."""
    places = (parts["shp"].place for parts in sets.values() if "shp" in parts)
    return {place.stem.casefold() for place in places if place.parent == folder}


def is_leftover(name: str) -> bool:
    """Whether a file is one that an operating system or Excel leaves in a folder, and nobody's delivery."""
    return name.startswith((".", "~$")) or name.casefold() in LEFTOVERS


def is_companion(name: str, stems: set[str]) -> bool:
    """Whether a file goes with a shapefile beside it; `stems` are the names of those, without their endings."""
    stem, _dot, ending = name.casefold().rpartition(".")
    return ending in COMPANIONS and (stem in stems or stem.removesuffix(".shp") in stems)


def kept_copy(container: Container, target: Path):
    """Put the files as they were delivered into the folder `target`, readable and not writable.

    They are private copies already: on one file system they only get a second name.
    """
    target.mkdir(parents=True, exist_ok=True)
    for path in container.files:
        copy = target / path.name
        try:
            os.link(path, copy)
        except OSError:
            shutil.copyfile(path, copy)
        copy.chmod(0o440)
