"""Write tiny shapefiles byte by byte, so that a test can make each fault that real deliveries have."""

import struct
import zipfile
from pathlib import Path

import pyproj

WEST, SOUTH = 39_510_000.0, 4_330_000.0  # EPSG:4527, in Nankai


def square(column=0, row=0, size=100.0, west=WEST, south=SOUTH):
    """A closed clockwise ring of a grid of squares."""
    x, y = west + column * size, south + row * size
    return [(x, y), (x, y + size), (x + size, y + size), (x + size, y), (x, y)]


def prj(epsg: int) -> str:
    return pyproj.CRS.from_epsg(epsg).to_wkt("WKT1_ESRI")


PATCH_FIELDS = [
    ("BSM", "C", 18, 0),
    ("YSDM", "C", 10, 0),
    ("TBBH", "C", 8, 0),
    ("DLBM", "C", 5, 0),
    ("DLMC", "C", 60, 0),
    ("QSXZ", "C", 2, 0),
    ("QSDWDM", "C", 19, 0),
    ("QSDWMC", "C", 60, 0),
    ("ZLDWDM", "C", 19, 0),
    ("ZLDWMC", "C", 60, 0),
    ("TBMJ", "N", 15, 2),
    ("KCMJ", "N", 15, 2),
    ("TBDLMJ", "N", 15, 2),
    ("SJNF", "N", 4, 0),
    ("MSSM", "C", 2, 0),
]


def patch(number=1, **other) -> dict:
    """A faultless row of DLTB."""
    row = {
        "BSM": f"1201042101{number:08d}",
        "YSDM": "2001010100",
        "TBBH": str(number),
        "DLBM": "0601",
        "DLMC": "工业用地",
        "QSXZ": "20",
        "QSDWDM": "1201040010010000000",
        "QSDWMC": "长虹街道",
        "ZLDWDM": "1201040010010000000",
        "ZLDWMC": "长虹街道",
        "TBMJ": "9999.99",
        "KCMJ": "0.00",
        "SJNF": "2022",
        "MSSM": "00",
    }
    row |= other
    return {"TBDLMJ": row["TBMJ"], **row}


PARCEL_FIELDS = [
    ("BSM", "N", 10, 0),
    ("YSDM", "C", 10, 0),
    ("ZDDM", "C", 19, 0),
    ("BDCDYH", "C", 28, 0),
    ("ZDTZM", "C", 2, 0),
    ("ZL", "C", 200, 0),
    ("ZDMJ", "N", 15, 4),
    ("MJDW", "C", 4, 0),
    ("YT", "C", 20, 0),
    ("QLLX", "C", 2, 0),
    ("QLXZ", "C", 4, 0),
    ("QLSDFS", "C", 2, 0),
    ("ZDSZD", "C", 20, 0),
    ("ZDSZN", "C", 20, 0),
    ("ZDSZX", "C", 20, 0),
    ("ZDSZB", "C", 20, 0),
    ("JZMD", "N", 6, 2),
    ("ZT", "N", 2, 0),
]


def parcel(number=1, **other) -> dict:
    """A faultless row of ZDJBXX."""
    code = f"120104001001GB{number:05d}"
    row = {
        "BSM": str(number),
        "YSDM": "6001010000",
        "ZDDM": code,
        "BDCDYH": f"{code}W00000000",
        "ZDTZM": "GB",
        "ZL": f"南开区示例路{number}号",
        "ZDMJ": "9999.99",
        "MJDW": "1",
        "YT": "0601",
        "QLLX": "3",
        "QLXZ": "102",
        "QLSDFS": "2",
        "ZDSZD": "示例路",
        "ZDSZN": "示例道",
        "ZDSZX": "示例街",
        "ZDSZB": "示例里",
        "JZMD": "0.35",
        "ZT": "1",
    }
    row |= other
    if "ZDDM" in other and "BDCDYH" not in other:
        row["BDCDYH"] = f"{row['ZDDM']}W00000000"
    return row


def dbf(fields, rows, *, encoding="gb18030", ldid=0, deleted=(), declared=None) -> bytes:
    size = 1 + sum(width for _name, _kind, width, _decimals in fields)
    head = struct.pack(
        "<B3BIHH16xBBxx",
        3,
        126,
        1,
        1,
        len(rows) if declared is None else declared,
        32 + 32 * len(fields) + 1,
        size,
        0,
        ldid,
    )
    for name, kind, width, decimals in fields:
        raw = name if isinstance(name, bytes) else name.encode("gbk")
        head += struct.pack("<11sc4xBB14x", raw, kind.encode(), width, decimals)
    body = b""
    for number, row in enumerate(rows):
        body += b"*" if number in deleted else b" "
        for name, kind, width, _decimals in fields:
            value = row.get(name, "")
            raw = value if isinstance(value, bytes) else str(value).encode(encoding)
            body += raw[:width].rjust(width) if kind in "NF" else raw[:width].ljust(width)
    return head + b"\r" + body + b"\x1a"


def shp(shapes, kind=5) -> tuple[bytes, bytes]:
    """The .shp and .shx of shapes, each a list of rings, None for a null shape, or the bytes of a whole record."""
    records, index, at = b"", b"", 100
    points = [point for shape in shapes if isinstance(shape, list) for ring in shape for point in ring]
    for number, shape in enumerate(shapes):
        content = shape if isinstance(shape, bytes) else _record(shape, kind)
        records += struct.pack(">2i", number + 1, len(content) // 2) + content
        index += struct.pack(">2i", at // 2, len(content) // 2)
        at += 8 + len(content)
    box = _box(points) if points else (0.0,) * 4

    def header(length):
        return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, length // 2) + struct.pack("<2i8d", 1000, kind, *box, 0, 0, 0, 0)

    return header(100 + len(records)) + records, header(100 + len(index)) + index


def _record(shape, kind) -> bytes:
    if shape is None:
        return struct.pack("<i", 0)
    points = [point for ring in shape for point in ring]
    starts, at = [], 0
    for ring in shape:
        starts.append(at)
        at += len(ring)
    found = struct.pack("<i4d2i", kind, *_box(points), len(shape), len(points))
    found += struct.pack(f"<{len(starts)}i", *starts)
    found += b"".join(struct.pack("<2d", *point) for point in points)
    if kind == 15:
        found += struct.pack(f"<{4 + 2 * len(points)}d", *([0.0] * (4 + 2 * len(points))))
    return found


def _box(points):
    x, y = zip(*points, strict=True)
    return min(x), min(y), max(x), max(y)


def shapefile(
    folder: Path, name="DLTB", *, rows=None, shapes=None, fields=PATCH_FIELDS, crs=4527, cpg=None, kind=5, **table
) -> Path:
    """Write a shapefile of squares; the path of its .shp."""
    folder.mkdir(parents=True, exist_ok=True)
    if rows is None:
        rows = [patch(1), patch(2)]
    if shapes is None:
        shapes = [[square(column=number)] for number in range(len(rows))]
    main, index = shp(shapes, kind)
    (folder / f"{name}.shp").write_bytes(main)
    (folder / f"{name}.shx").write_bytes(index)
    (folder / f"{name}.dbf").write_bytes(dbf(fields, rows, **table))
    if crs is not None:
        (folder / f"{name}.prj").write_text(prj(crs) if isinstance(crs, int) else crs)
    if cpg is not None:
        (folder / f"{name}.cpg").write_text(cpg)
    return folder / f"{name}.shp"


class RawName(zipfile.ZipInfo):
    """A member whose name is written byte for byte, without the flag that says UTF-8."""

    def _encodeFilenameFlags(self):  # noqa: N802
        return self.filename.encode("cp437"), self.flag_bits & ~0x800


def zipped(path: Path, files: dict[bytes | str, bytes]) -> Path:
    """A zip with members of these names; a name of bytes is written as it is, as Chinese Windows does."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name) if isinstance(name, str) else RawName(name.decode("cp437"))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return path


def parts(path: Path, folder: str | bytes = "") -> dict:
    """The files of a shapefile as members of a zip, in a folder."""
    found = {}
    for part in sorted(path.parent.glob(f"{path.stem}.*")):
        name = f"{folder}{part.name}" if isinstance(folder, str) else folder + part.name.encode("gbk")
        found[name] = part.read_bytes()
    return found
