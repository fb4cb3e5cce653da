"""Write small deliveries in the other containers: geodatabases, GeoPackages, workbooks and boundary-point text."""

import csv
import json
import warnings
from pathlib import Path

import geopandas
import openpyxl
import shapely

from tests.importers.shapefiles import square

DRIVERS = {".gpkg": "GPKG", ".gdb": "OpenFileGDB"}


def area(number=1, **other) -> dict:
    """A faultless row of a control layer."""
    return {"BH": f"K{number}", "MC": f"示例{number}", "BB": "2024版", "YT": "1001", **other}


def database(path: Path, layers: dict[str, list[dict]], *, shapes=None, crs=4527) -> Path:
    """A GeoPackage or geodatabase with layers of squares side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, rows in layers.items():
        made = shapes or [shapely.Polygon(square(column=at)) for at in range(len(rows))]
        frame = geopandas.GeoDataFrame(rows, geometry=made, crs=crs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of whole numbers in geodatabases
            frame.to_file(path, layer=name, driver=DRIVERS[path.suffix], engine="pyogrio")
    return path


def workbook(path: Path, sheets: dict[str, list[list]]) -> Path:
    """A workbook whose sheets hold these rows; the first names the columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def boundary_points(path: Path, plots: list[tuple[str, list[list[tuple[float, float]]]]], *, head="", encoding="gbk"):
    """A 报部坐标 text of plots: (number, rings of (east, north))."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["[属性描述]", "坐标系=2000国家大地坐标系", "几度分带=3", "投影类型=高斯克吕格", "计量单位=米", "带号=39"]
    lines += ["精度=0.001", "转换参数=,,,,,,", "[地块坐标]"]
    for number, rings in plots:
        points = sum(map(len, rings))
        lines.append(head or f"{points},1.0000,{number},地块{number},面,,商服,,@")
        for ring, corners in enumerate(rings, 1):
            lines += [f"J{at},{ring},{y:.3f},{x:.3f}" for at, (x, y) in enumerate(corners, 1)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def feature(row: dict, geometry) -> dict:
    return {"type": "Feature", "properties": row, "geometry": geometry}


def polygon(*rings) -> dict:
    return {"type": "Polygon", "coordinates": [[list(point) for point in ring] for ring in rings]}


def geojson(path: Path, features: list[dict], *, crs="urn:ogc:def:crs:EPSG::4527", encoding="utf-8", **members) -> Path:
    """A FeatureCollection as GDAL writes it, with the name of its reference system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head: dict = {"type": "FeatureCollection", "name": path.stem}
    if crs:
        head["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_bytes(json.dumps(head | members | {"features": features}, ensure_ascii=False).encode(encoding))
    return path


def csv_table(path: Path, rows: list[list], *, encoding="utf-8", delimiter=",") -> Path:
    """Rows as lines of a CSV; the first names the columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path
