"""Unpack a zip into a work folder: plain files only, no more than is bearable, nothing where it contradicts itself."""

import re
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from importers.formats import START
from units.errors import InputUnreadable

# A province's survey layer fits; what is larger is an attack or a mistake.
MAX_ENTRIES = 10_000
MAX_DIRECTORY = 8 * 1024**2  # bytes of the list of entries, which is read as a whole
MAX_BYTES = 8 * 1024**3  # of all entries unpacked
MAX_RATIO = 400  # deflate reaches 1,032; blank-padded DBF columns of real deliveries stay below 100
RATIO_COUNTS_FROM = 16 * 1024**2  # bytes; small files may be as compressible as they like
MAX_DEPTH = 20  # folders within folders
MAX_NAME = 255  # bytes of one name, as file systems have it
SPARE = 512 * 1024**2  # bytes of the disk that unpacking leaves free
BLOCK = 1024 * 1024
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, UnicodeError, RuntimeError, ValueError)
MEMBER, LOCAL = 46, 30  # bytes of the fixed parts of an entry in the list and before its data
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
WRITTEN_AFTER = 0x8  # flag: the sizes stand behind the data


@dataclass(frozen=True)
class Entry:
    """One plain file of a zip: its name in Unicode, and what zipfile knows of it."""

    place: PurePosixPath
    info: zipfile.ZipInfo

    @property
    def part(self) -> str:
        """The ending of its name, in lower case."""
        return self.place.suffix[1:].casefold()


class Zip:
    """A zip that was found safe to unpack; its entries in their order, folders left out."""

    def __init__(self, path: Path, name: str):
        self.name = name
        _bounded(path, name)
        try:
            self.archive = zipfile.ZipFile(path)
            self.entries = [Entry(place, info) for place, info in _checked(self.archive, name)]
        except DAMAGED as error:
            raise _damaged(name, str(error)) from error
        free = shutil.disk_usage(path.parent).free
        if (wanted := sum(entry.info.file_size for entry in self.entries)) + SPARE > free:
            raise InputUnreadable(
                _("%(name)s unpacks to %(size)d bytes, and the disk has %(free)d left.")
                % {"name": name, "size": wanted, "free": free},
                _("Make room in the folder for temporary files, or deliver less at once."),
            )

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.archive.close()

    def start(self, entry: Entry) -> bytes:
        """The first bytes of an entry."""
        try:
            with self.archive.open(entry.info) as source:
                return source.read(START)
        except DAMAGED as error:
            raise _damaged(self.name, str(error)) from error

    def extract(self, entry: Entry, target: Path) -> Path:
        """Write an entry as the file `target`, which must be new."""
        written = 0
        try:
            with self.archive.open(entry.info) as source, target.open("xb") as sink:
                while block := source.read(BLOCK):
                    written += len(block)
                    if written > entry.info.file_size:
                        raise zipfile.BadZipFile("an entry is longer than it says")
                    sink.write(block)
            if written != entry.info.file_size:
                raise zipfile.BadZipFile("an entry is shorter than it says")
        except DAMAGED as error:
            raise _damaged(self.name, str(error)) from error
        return target


def names_of(path: Path, name: str) -> list[str]:
    """The names of the entries of a zip of which nothing is unpacked here."""
    _bounded(path, name)
    try:
        with zipfile.ZipFile(path) as archive:
            return [_member_name(member) for member in archive.infolist()]
    except DAMAGED as error:
        raise _damaged(name, str(error)) from error


def _bounded(path: Path, name: str):
    """Refuse a list of entries that is too long before it is read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 66_000))
        end = file.read()
        at = end.rfind(b"PK\x05\x06")
        if at < 0 or len(end) < at + 22:
            raise _damaged(name, _("its end is missing"))
        count, length = struct.unpack_from("<HI", end, at + 10)
        locator = at - 20
        if locator >= 0 and end[locator : locator + 4] == b"PK\x06\x07":
            file.seek(min(struct.unpack_from("<Q", end, locator + 8)[0], size))
            record = file.read(56)
            if len(record) == 56 and record[:4] == b"PK\x06\x06":
                count, length = struct.unpack_from("<QQ", record, 32)
    if count > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise _too_many(name, max(count, length // MEMBER))


def _too_many(name: str, count: int) -> InputUnreadable:
    return InputUnreadable(
        _("%(name)s has %(count)d entries; %(most)d are read at most.")
        % {"name": name, "count": count, "most": MAX_ENTRIES},
        _("Pack one delivery a zip."),
    )


def _checked(archive: zipfile.ZipFile, name: str):
    """The plain files of the zip with their names; raises InputUnreadable for the first thing that is not safe."""
    members = archive.infolist()
    if len(members) > MAX_ENTRIES:
        raise _too_many(name, len(members))
    total, seen = 0, set()
    for member in members:
        place = _member_name(member)
        _safe(member, place)
        if member.is_dir() or place.endswith("/"):
            continue
        alike = unicodedata.normalize("NFC", place).casefold()
        if alike in seen:
            raise InputUnreadable(
                _("The zip holds %(name)s twice.") % {"name": place}, _("Nobody can say which is meant: pack it again.")
            )
        seen.add(alike)
        total += member.file_size
        ratio = member.file_size / max(member.compress_size, 1)
        if total > MAX_BYTES or (member.file_size > RATIO_COUNTS_FROM and ratio > MAX_RATIO):
            raise InputUnreadable(
                _("%(name)s would unpack to %(size)d bytes, %(ratio)d times its packed size.")
                % {"name": name, "size": max(member.file_size, total), "ratio": ratio},
                _("No survey compresses like that; the zip is not opened."),
            )
        yield PurePosixPath(place), member
    _hold_together(archive, members, name)


def _hold_together(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str):
    """Refuse a zip whose list of entries says other than what stands before their data, or whose data overlap."""
    end, file = 0, archive.fp
    for member in sorted(members, key=lambda one: one.header_offset):
        file.seek(max(member.header_offset, 0))
        head = file.read(LOCAL)
        if len(head) < LOCAL or head[:4] != b"PK\x03\x04" or member.header_offset < end:
            raise _damaged(name, _("its list of entries leads astray"))
        _version, flags, method, _date, _crc, packed, size, names, extra = struct.unpack_from("<HHHIIIIHH", head, 4)
        end = member.header_offset + LOCAL + names + extra + member.compress_size
        sized = not flags & WRITTEN_AFTER and 0xFFFFFFFF not in (packed, size)
        if method != member.compress_type or (sized and (packed, size) != (member.compress_size, member.file_size)):
            raise InputUnreadable(
                _("%(name)s contradicts itself: its list and its data say other things of %(member)s.")
                % {"name": name, "member": ascii(_member_name(member))},
                _("Pack and send it again."),
            )


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name of an entry. Chinese Windows writes it in GBK and says nothing; zipfile then reads it as cp437."""
    name = member.orig_filename
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
    parts, kind = PurePosixPath(name).parts, stat.S_IFMT(member.external_attr >> 16)
    why = None
    if name.startswith("/") or re.match(r"^[A-Za-z]:", name):
        why = _("is an absolute path")
    elif ".." in parts:
        why = _("leads out of the folder")
    elif kind == stat.S_IFLNK:
        why = _("is a link")
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        why = _("is a device or a pipe")
    elif "\x00" in name:
        why = _("holds a zero byte in its name")
    elif not parts:
        why = _("has no name")
    elif len(parts) > MAX_DEPTH:
        why = _("lies more than %(most)d folders deep") % {"most": MAX_DEPTH}
    elif any(len(part.encode("utf-8", "replace")) > MAX_NAME for part in parts):
        why = _("has a name of more than %(most)d bytes") % {"most": MAX_NAME}
    elif member.flag_bits & 0x1:
        why = _("is encrypted")
    elif member.compress_type not in METHODS and not member.is_dir():
        why = _("is packed in a way that is not read here")
    if why:
        raise InputUnreadable(
            _("The zip is refused: its entry %(name)s %(why)s.") % {"name": _short(ascii(name)), "why": why},
            _("Pack the plain files of the delivery again."),
        )


def _short(name: str) -> str:
    return name if len(name) <= 120 else f"{name[:80]}…{name[-30:]}"


def _damaged(name: str, why: str) -> InputUnreadable:
    return InputUnreadable(
        _("%(name)s is a damaged zip: %(why)s.") % {"name": name, "why": why or _("it cannot be read")},
        _("Pack and send it again."),
    )
