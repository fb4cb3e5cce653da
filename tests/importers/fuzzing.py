"""A seeded mutator of small deliveries, and what must hold of each that is read: a verdict, or numbers that add up."""

import csv
import io
import json
import logging
import multiprocessing.util
import os
import random
import struct
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.utils import translation

from importers.inspecting import inspect
from importers.loading import load
from tests.importers.containers import area, boundary_points, csv_table, database, feature, geojson, polygon, workbook
from tests.importers.shapefiles import patch, shapefile, square
from units.errors import GeoinvError

LONGEST = 10  # seconds
ABSURD = (0, 1, -1, 2**15, 2**16 - 1, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, 0x7F800000, 0x7FF80000)
FIRM_HEAD = ["统一社会信用代码", "企业名称", "行业代码", "行业分类版本", "投产日期", "备注"]
HOSTILE = (
    '=HYPERLINK("http://x")',
    "<img src=x onerror=alert(1)>",
    "\x00",
    "﷽" * 50,
    "'; DROP TABLE x;--",
    "NaN",
    "1e999",
)
COUNTS = ("taken", "changed", "unchanged", "refused", "deleted")
TABLES = ("LandUsePatch", "ControlArea", "Enterprise", "Delivery", "Refusal", "Finding", "Survey")
LOADED = TABLES[:3]  # those that the seeds fill


@dataclass(frozen=True)
class Seed:
    """A faultless delivery to be spoiled: its file (the .shp of a loose shapefile) and the profile it is of."""

    kind: str
    profile: str
    files: dict[str, bytes]  # by name; the first is the one that is opened


def seeds(folder: Path) -> list[Seed]:
    """One delivery of each kind."""
    multiprocessing.util.get_temp_dir()  # made once a process, and not where the files of a case must go again
    rows = [patch(number) for number in (1, 2, 3)]
    made = shapefile(folder / "shp", rows=rows, cpg="GBK")
    loose = {one.name: one.read_bytes() for one in sorted(made.parent.iterdir(), key=lambda one: one.suffix != ".shp")}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in loose.items():
            archive.writestr(f"成果/{name}", content)
    features = [feature(row, polygon(square(at))) for at, row in enumerate(rows)]
    firms = [
        FIRM_HEAD,
        *[[f"91120104MA0000000{n}", f"公司{n}", "3311", "GB/T 4754-2017", "2010-05-01", "无"] for n in "123"],
    ]
    single = [
        ("geojson", "dltb", geojson(folder / "DLTB.geojson", features)),
        (
            "txt",
            "control",
            boundary_points(folder / "重点区域.txt", [("A1", [square()]), ("A2", [square(3), square(3)])]),
        ),
        ("csv", "enterprise", csv_table(folder / "企业.csv", firms, encoding="gb18030")),
        ("xlsx", "enterprise", workbook(folder / "企业.xlsx", {"企业": firms})),
        ("gpkg", "control", database(folder / "GYYQ.gpkg", {"GYYQ": [area(1), area(2)]})),
    ]
    return [
        Seed("shp", "dltb", loose),
        Seed("zip", "dltb", {"DLTB.zip": packed.getvalue()}),
        *[Seed(kind, profile, {path.name: path.read_bytes()}) for kind, profile, path in single],
    ]


# --- spoiling -------------------------------------------------------------------------------------------------------


def spoiled(seed: Seed, chance: random.Random) -> dict[str, bytes]:
    """The files of a seed with some faults in them."""
    files = dict(seed.files)
    of_kind = {"zip": _zip, "xlsx": _workbook, "geojson": _geojson, "csv": _csv, "txt": _text}.get(seed.kind)
    for _round in range(chance.choice((1, 1, 1, 2, 4))):
        name = chance.choice(list(files))
        if seed.kind == "shp" and chance.random() < 0.6:
            files[name] = _shapefile(name, files[name], chance)
        elif of_kind and chance.random() < 0.6:
            files[name] = of_kind(files[name], chance)
        else:
            files[name] = _bytes(files[name], chance)
    if seed.kind == "shp" and chance.random() < 0.1:
        files.pop(chance.choice(list(files)[1:]))
    return files


def _bytes(raw: bytes, chance: random.Random) -> bytes:
    """Flipped, cut off, doubled, filled or inserted bytes."""
    if not raw:
        return bytes(chance.randrange(256) for _at in range(20))
    made = bytearray(raw)
    at = chance.randrange(len(made))
    match chance.randrange(7):
        case 0:
            for _flip in range(chance.choice((1, 5, 40))):
                made[chance.randrange(len(made))] = chance.randrange(256)
        case 1:
            del made[at:]
        case 2:
            del made[at : at + chance.choice((1, 4, 100))]
        case 3:
            made[at:at] = made[at : at + 500] * chance.choice((1, 30))
        case 4:
            made[at : at + 8] = struct.pack(chance.choice("<>") + "q", chance.choice(ABSURD[:9]))
        case 5:
            made[at : at + chance.choice((1, 16, 200))] = bytes([chance.choice((0, 0xFF, 0x20, 0x41))]) * 50
        case _:
            made[at:at] = bytes(chance.randrange(256) for _at in range(chance.choice((1, 100))))
    return bytes(made)


def _put(raw: bytes, at: int, form: str, value: int) -> bytes:
    """A number written over others, cut to its width."""
    size = struct.calcsize(form)
    if at < 0 or at + size > len(raw):
        return raw
    packed = (value & (2 ** (8 * size) - 1)).to_bytes(size, "big" if form[0] == ">" else "little")
    return raw[:at] + packed + raw[at + size :]


def _shapefile(name: str, raw: bytes, chance: random.Random) -> bytes:
    """Counts, lengths, offsets and coordinates made absurd where they stand."""
    absurd = chance.choice(ABSURD)
    match name.rpartition(".")[2]:
        case "dbf":
            at, form = chance.choice(((4, "<I"), (8, "<H"), (10, "<H"), (29, "<B"), (32 + 16, "<B"), (32 + 11, "<B")))
            return _put(raw, at, form, absurd if chance.random() < 0.7 else chance.randrange(256))
        case "shx":
            return _put(raw, 100 + 4 * chance.randrange(8), ">i", chance.choice((absurd, 50, 54, 10**6)))
        case "shp":
            record = 100 + 144 * chance.randrange(3)
            place = chance.choice((0, 4, 8, 12, 20, 28, 36, 44, 48, 52, 56, 64, 72, 80))
            if place >= 56 or place in (12, 20, 28, 36):
                value = chance.choice((float("nan"), float("inf"), -1e300, 1e-300, 0.0, 4e7))
                at = record + place
                return raw[:at] + struct.pack("<d", value) + raw[at + 8 :]
            return _put(raw, record + place, ">i" if place < 8 else "<i", absurd)
        case "prj" | "cpg":
            return chance.choice((b"<html>404</html>", b"", b"\xff" * 300, b"UTF-8", b"\x00", raw * 50, b"BIG5"))
    return _bytes(raw, chance)


def _zip(raw: bytes, chance: random.Random) -> bytes:
    """The list or a member of a zip spoiled; members added that lead astray."""
    choice = chance.randrange(4)
    if choice == 0:  # within the list of entries, at its end
        at = max(0, len(raw) - chance.randrange(1, 500))
        return _put(raw, at, "<I", chance.choice(ABSURD))
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = {one: archive.read(one) for one in archive.namelist()}
    except Exception:  # noqa: BLE001  (spoiled before)
        return _bytes(raw, chance)
    if choice == 1:
        name = chance.choice(list(members))
        members[name] = _shapefile(name, members[name], chance)
    elif choice == 2:
        name = chance.choice(
            ("../x", "/etc/x", "a/" * 40 + "b", "DLTB.SHP", "x" * 300, "成果/dltb.DBF", "a.gdb/x", "y.zip")
        )
        members[name] = chance.choice((b"x", b"PK\x05\x06" + bytes(18), b"<OGRVRTDataSource>"))
    else:
        members.pop(chance.choice(list(members)), None)
    return _packed(members)


def _packed(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def _workbook(raw: bytes, chance: random.Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = {one: archive.read(one) for one in archive.namelist()}
    except Exception:  # noqa: BLE001  (spoiled before)
        return _bytes(raw, chance)
    name = chance.choice(list(members))
    match chance.randrange(4):
        case 0:
            members.pop(name)
        case 1:
            members[name] = _bytes(members[name], chance)
        case 2:
            members[name] = members[name].replace(b"<", b'<!DOCTYPE a [<!ENTITY b "cccc">]><', 1)
        case _:
            for part in (one for one in members if "sheet" in one):
                old = chance.choice((b'r="A1"', b't="inlineStr"', b't="n"', b"</row>", b"3311", b"<v>"))
                new = chance.choice((b'r="ZZZZ99999999"', b't="s"', b't="d"', b"", b"1e999", b'<v foo="'))
                members[part] = members[part].replace(old, new)
    return _packed(members)


def _geojson(raw: bytes, chance: random.Random) -> bytes:
    try:
        told = json.loads(raw)
    except ValueError:
        return _bytes(raw, chance)
    odd = chance.choice((None, [], {}, "NaN", float("nan"), 1e308, -5, "x" * 5000, [[[]]], True, HOSTILE[1]))
    features = told.get("features")
    one = chance.choice(features) if isinstance(features, list) and features else {}
    match chance.randrange(6):
        case 0:
            told[chance.choice(("type", "features", "crs", "bbox"))] = odd
        case 1 if isinstance(one, dict):
            one[chance.choice(("type", "properties", "geometry", "id"))] = odd
        case 2 if isinstance(one, dict) and isinstance(one.get("geometry"), dict):
            one["geometry"][chance.choice(("type", "coordinates"))] = odd
        case 3 if isinstance(one, dict) and isinstance(one.get("properties"), dict):
            one["properties"][chance.choice(("BSM", "TBMJ", "新", "", "a\x1f\x00b"))] = odd
        case 4:
            told["crs"] = {
                "type": "name",
                "properties": {"name": chance.choice(("EPSG:999999", "/etc/passwd", "EPSG:2360", odd))},
            }
        case _:
            return _bytes(raw, chance)
    return json.dumps(told, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")


def _csv(raw: bytes, chance: random.Random) -> bytes:
    text = raw.decode("gb18030", "replace")
    rows = list(csv.reader(io.StringIO(text, newline=""))) or [[""]]
    row = chance.choice(rows)
    if row:
        row[chance.randrange(len(row))] = chance.choice((*HOSTILE, '"', "\n", ",,,", "x" * 10_000, ""))
    if chance.random() < 0.3:
        row += ["z"] * chance.choice((1, 300))
    made = io.StringIO()
    csv.writer(made, quoting=chance.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)), escapechar="\\").writerows(rows)
    return made.getvalue().encode(chance.choice(("gb18030", "utf-8", "utf-16", "big5hkscs")), "replace")


def _text(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\r\n")
    at = chance.randrange(len(lines))
    odd = (
        b"",
        b"J1,1,nan,inf",
        b"@",
        b"99999999999999999999,1,,,,,,,@",
        b"J1,1",
        b"J1,1,1e400,-1e400",
        b"[\xb5",
        b",,,," * 900,
    )
    match chance.randrange(4):
        case 0:
            lines[at] = chance.choice(odd)
        case 1:
            lines.insert(at, chance.choice(odd))
        case 2:
            del lines[at]
        case _:
            lines[at] = lines[at].replace(b",", chance.choice((b";", b"\xa3\xac", b",,", b"")))
    return b"\r\n".join(lines)


# --- holding the outcome against what must be so ---------------------------------------------------------------------


@dataclass
class Outcome:
    """What became of one spoiled delivery: "verdict" or "taken", and how long it took."""

    what: str
    seconds: float
    faults: list[str]


def tried(files: dict[str, bytes], profile: str, place: Path) -> Outcome:
    """Inspect and load the files from a folder that is new; the faults found, which should be none.

    To be called within a transaction that is rolled back afterwards. Work folders and kept files must lie in `place`.
    """
    folder, work, kept = place / "in", place / "work", place / "kept"
    for one in (folder, work, kept):
        one.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = folder / next(iter(files))
    before, faults, began = _rows(), [], time.perf_counter()
    held, settings.DELIVERIES_DIR = settings.DELIVERIES_DIR, kept
    temporary, tempfile.tempdir = tempfile.tempdir, str(work)
    what = "verdict"
    watching = _Watching(faults)
    logging.getLogger("importers").addHandler(watching)
    try:
        told = None
        try:
            told = inspect(path, district="120104")
            json.dumps(told)
        except GeoinvError as error:
            _sentence(error, faults)
        try:
            layers = told["layers"] if told else [None]
            result = load(path, profile, "120104", 2022, layer=layers[0] and layers[0]["place"])
            what = "taken"
            json.dumps(result)
            if result["rows"] != sum(result[name] for name in COUNTS):
                faults.append(f"the numbers do not add up: {result}")
            after = _rows()
            grown = sum(after[name] - before[name] for name in LOADED)
            if grown != result["taken"]:
                faults.append(f"{grown} rows are there, {result['taken']} are told as taken")
        except GeoinvError as error:
            _sentence(error, faults)
            if _rows() != before:
                faults.append(f"half loaded after {error.code}: {_rows()}")
            if left := list(kept.rglob("*")):
                faults.append(f"kept after {error.code}: {left[:3]}")
    except Exception as error:  # noqa: BLE001  (this is what is looked for)
        faults.append(f"{type(error).__name__}: {str(error)[:300]} at {_where(error)}")
    finally:
        logging.getLogger("importers").removeHandler(watching)
        settings.DELIVERIES_DIR, tempfile.tempdir = held, temporary
    seconds = time.perf_counter() - began
    if left := list(work.rglob("*")):
        faults.append(f"left behind: {left[:3]}")
    if sorted(one.name for one in folder.iterdir()) != sorted(files):
        faults.append("the folder of the delivery was changed")
    if any((folder / name).read_bytes() != content for name, content in files.items()):
        faults.append("a delivered file was changed")
    return Outcome(what, seconds, faults)


def held(seed: Seed, files: dict[str, bytes], place: Path) -> Outcome:
    """`tried` in a transaction that is rolled back; what took too long is tried again, as a hang would be one again."""
    for again in ("", "-again"):
        with translation.override("en"), transaction.atomic():
            outcome = tried(files, seed.profile, Path(f"{place}{again}"))
            transaction.set_rollback(True)
        if outcome.faults or outcome.seconds <= LONGEST:
            return outcome
    outcome.faults.append(f"took {outcome.seconds:.1f} s, twice")
    return outcome


class _Watching(logging.Handler):
    """Notes what a worker process failed of: the person is told of unreadable rows, and the fault is ours."""

    def __init__(self, faults: list[str]):
        super().__init__(logging.ERROR)
        self.faults = faults

    def emit(self, record):
        self.faults.append(f"logged: {record.getMessage()} {getattr(record, 'traceback', '')[-400:]}")


def _sentence(error: GeoinvError, faults: list[str]):
    if len(str(error)) < 20 or "%(" in str(error) or "Traceback" in str(error):
        faults.append(f"no sentence: {error!r}")


def _where(error: BaseException) -> str:
    at = error.__traceback__
    frames = []
    while at:
        frames.append(f"{os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}")
        at = at.tb_next
    return " ".join(frames[-4:])


def _rows() -> dict[str, int]:
    """How many rows the tables of deliveries have."""
    return {name: apps.get_model("units", name).objects.count() for name in TABLES}
