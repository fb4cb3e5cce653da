"""Time what a later delivery of a survey costs against its first, and count what it writes.

The same file again, a file in which one row in a hundred is corrected, one in which every number is given anew, and one
in which forty patches are split or merged; and what taking the last one back costs, and a preview.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django
import numpy as np
import psycopg
import shapely

SIDE = 12  # segments of a side of a drawn patch, as tests.bench.drawn draws them
PLANTED = 40  # splits and merges, half of each


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="draw the patches here and leave them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
        django.setup()
        print(json.dumps(measured(Path(scratch), options), indent=1))


def measured(scratch: Path, options) -> dict:
    path = drawn((options.keep or scratch) / f"delta-{options.patches}", options.patches)
    layer = Layer(path)
    manage("found_district", "--district", "120104")
    first = imported(path)
    state = versions()
    again = imported(path)
    found = {
        "patches": options.patches,
        "first_seconds": first["wall"],
        "taken": first["taken"],
        "again": share(again, first) | {"already": again["already"], "tables_written": written(state)},
    }
    geometry = geometries()

    number = options.patches // 100
    corrected = imported(layer.corrected(scratch / "corrected", random.Random(options.seed), number))
    found["one_in_a_hundred"] = share(corrected, first) | {
        "delta": told(corrected),
        "rows_written": changed_rows(state),
        "geometries_alike": geometries() == geometry,
    }

    fresh = imported(layer.renumbered(scratch / "renumbered", 90_000_000))
    found["renumbered"] = share(fresh, first) | {"delta": told(fresh), "geometries_alike": geometries() == geometry}
    shifted = imported(layer.renumbered(scratch / "shifted", 90_000_001))
    found["renumbered_by_one"] = share(shifted, first) | {
        "delta": told(shifted),
        "geometries_alike": geometries() == geometry,
    }

    planted = layer.planted(scratch / "planted", random.Random(options.seed), PLANTED)
    cut = imported(planted.path)
    groups = {(one["kind"], tuple(one["held"]), tuple(one["rows"])) for one in cut["groups"]}
    found["split_and_merged"] = share(cut, first) | {
        "delta": told(cut),
        "planted": len(planted.groups),
        "told": len(groups & planted.groups),
        "told_and_not_planted": len(groups - planted.groups),
    }
    began = time.perf_counter()
    manage("undo_import", str(cut["delivery"]))
    found["undo_seconds"] = round(time.perf_counter() - began, 2)
    found["as_before"] = geometries() == geometry
    found["preview"] = previewed(path)
    return found


def share(run: dict, first: dict) -> dict:
    return {"seconds": run["wall"], "of_first": round(run["wall"] / first["wall"], 2)}


def told(run: dict) -> dict:
    return {name: count for name, count in run["delta"].items() if count}


# --- files -----------------------------------------------------------------------------------------------------------


def drawn(folder: Path, patches: int) -> Path:
    from tests.bench.drawn import draw_patches

    made = folder / "DLTB.shp"
    return made if made.exists() else draw_patches(folder, patches)


class Planted:
    """A file with groups (kind, keys before, keys after) that have to be told."""

    def __init__(self, path: Path, groups: set[tuple]):
        self.path, self.groups = path, groups


class Layer:
    """A shapefile as the bytes of its records, to be written again with some of them changed."""

    def __init__(self, path: Path):
        raw = path.with_suffix(".dbf").read_bytes()
        self.path, (count, header, size) = path, struct.unpack("<IHH", raw[4:12])
        self.header = raw[:header]
        self.rows = np.frombuffer(raw[header : header + count * size], np.uint8).reshape(count, size)
        self.fields, at = {}, 1
        for number in range((header - 33) // 32):
            told = raw[32 + 32 * number : 64 + 32 * number]
            self.fields[told[:11].split(b"\0")[0].decode()] = slice(at, at + told[16])
            at += told[16]
        self.shapes = path.read_bytes()
        index = np.frombuffer(path.with_suffix(".shx").read_bytes()[100:], ">i4").reshape(-1, 2).astype(np.int64) * 2
        self.offsets, self.lengths = index[:, 0], index[:, 1]

    def shape(self, row: int) -> bytes:
        return self.shapes[self.offsets[row] + 8 : self.offsets[row] + 8 + self.lengths[row]]

    def keys(self, rows: np.ndarray) -> list[str]:
        return [bytes(one).decode().strip() for one in rows[:, self.fields["BSM"]]]

    def corrected(self, folder: Path, rng: random.Random, number: int) -> Path:
        rows = self.rows.copy()
        for row in rng.sample(range(len(rows)), number):
            rows[row, self.fields["TBBH"]] = _text("B", self.fields["TBBH"])
        return self._same_shapes(folder, rows)

    def renumbered(self, folder: Path, start: int) -> Path:
        """Every BSM given anew, from the last row to the first."""
        rows = self.rows.copy()
        for row in range(len(rows)):
            rows[row, self.fields["BSM"]] = _text(f"1201042101{start - row:08d}", self.fields["BSM"])
        self.rows = rows
        return self._same_shapes(folder, rows)

    def _same_shapes(self, folder: Path, rows: np.ndarray) -> Path:
        folder.mkdir()
        for part in (".shp", ".shx", ".prj"):
            shutil.copy(self.path.with_suffix(part), folder)
        made = (folder / self.path.name).with_suffix(".dbf")
        made.write_bytes(self.header + rows.tobytes() + b"\x1a")
        return made.with_suffix(".shp")

    def planted(self, folder: Path, rng: random.Random, number: int) -> Planted:
        """Some patches cut in two along a line between their corners, some joined with the one to the east."""
        columns = int(np.ceil(np.sqrt(len(self.rows))))
        whole = [row for row in range(0, len(self.rows) - 2, 3) if row % columns < columns - 2]
        chosen = rng.sample(whole, number)
        keys, rows, shapes, groups = self.keys(self.rows), [], [], set()
        fates = {row: "split" if at % 2 else "merged" for at, row in enumerate(chosen)}
        skipped, fresh = set(), 1
        for row in range(len(self.rows)):
            if row in skipped:
                continue
            fate = fates.get(row)
            if fate is None:
                rows.append(self.rows[row])
                shapes.append(self.shape(row))
                continue
            parts = self._halves(row) if fate == "split" else [self._joined(row)]
            made = [f"1201042102{fresh + at:08d}" for at in range(len(parts))]
            fresh += len(parts)
            before = [keys[row]] if fate == "split" else [keys[row], keys[row + 1]]
            if fate == "merged":
                skipped.add(row + 1)
            groups.add((fate, tuple(sorted(before)), tuple(made)))
            for key, part in zip(made, parts, strict=True):
                one = self.rows[row].copy()
                one[self.fields["BSM"]] = _text(key, self.fields["BSM"])
                rows.append(one)
                shapes.append(_record(part))
        return Planted(self._written(folder, np.array(rows), shapes), groups)

    def _polygon(self, row: int):
        raw = self.shape(row)
        parts, points = struct.unpack("<2i", raw[36:44])
        return shapely.Polygon(np.frombuffer(raw[44 + 4 * parts :], "<f8", 2 * points).reshape(-1, 2))

    def _halves(self, row: int) -> list:
        whole = self._polygon(row)
        west, south, east, north = whole.bounds
        middle = (west + east) / 2
        halves = [shapely.box(west, south, middle, north), shapely.box(middle, south, east, north)]
        return [whole.intersection(half) for half in halves]

    def _joined(self, row: int):
        return shapely.union_all([self._polygon(row), self._polygon(row + 1)])

    def _written(self, folder: Path, rows: np.ndarray, shapes: list[bytes]) -> Path:
        folder.mkdir()
        shutil.copy(self.path.with_suffix(".prj"), folder)
        path = folder / self.path.name
        header = self.header[:4] + struct.pack("<I", len(rows)) + self.header[8:]
        path.with_suffix(".dbf").write_bytes(header + rows.tobytes() + b"\x1a")
        body, index, at = [], [], 100
        for number, one in enumerate(shapes, 1):
            body.append(struct.pack(">2i", number, len(one) // 2) + one)
            index.append(struct.pack(">2i", at // 2, len(one) // 2))
            at += 8 + len(one)
        head = self.shapes[:100]
        path.write_bytes(head[:24] + struct.pack(">i", at // 2) + head[28:] + b"".join(body))
        length = (100 + 8 * len(index)) // 2
        path.with_suffix(".shx").write_bytes(head[:24] + struct.pack(">i", length) + head[28:] + b"".join(index))
        return path


def _text(value: str, place: slice) -> np.ndarray:
    return np.frombuffer(value.encode().ljust(place.stop - place.start)[: place.stop - place.start], np.uint8)


def _record(polygon) -> bytes:
    points = shapely.get_coordinates(shapely.orient_polygons(polygon, exterior_cw=True))
    return struct.pack("<i4d3i", 5, *polygon.bounds, 1, len(points), 0) + points.astype("<f8").tobytes()


# --- runs and what they wrote ----------------------------------------------------------------------------------------


def manage(*arguments: str) -> str:
    script = Path(__file__).resolve().parents[2] / "manage.py"
    done = subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-4000:])
    return done.stdout


def imported(path: Path) -> dict:
    began = time.perf_counter()
    said = manage(
        "import_layer", str(path), "--profile", "dltb", "--district", "120104", "--survey", "2022", "--format", "json"
    )
    wall = round(time.perf_counter() - began, 2)
    print(f"{path.parent.name}: {wall} s", file=sys.stderr)
    return json.loads(said) | {"wall": wall}


def asked(query: str, *values) -> list[tuple]:
    with psycopg.connect(os.environ["GEOINV_BENCH_OWNER_URL"]) as connection:
        return connection.execute(query, values).fetchall()


def versions() -> dict[str, str]:
    """A digest of which version of which row every table holds."""
    tables = [name for (name,) in asked("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
    found = {}
    for name in tables:
        ((digest,),) = asked(f"SELECT md5(string_agg(xmin::text || ctid::text, ' ' ORDER BY ctid)) FROM \"{name}\"")
        found[name] = digest
    asked("SELECT set_config('application_name', 'bench', false)")
    found["rows"] = dict(asked("SELECT id, xmin::text FROM units_landusepatch"))
    return found


def written(before: dict) -> list[str]:
    """The tables in which a row was written since."""
    after = versions()
    return [name for name in after if name != "rows" and after[name] != before[name]]


def changed_rows(before: dict) -> int:
    after = dict(asked("SELECT id, xmin::text FROM units_landusepatch"))
    return sum(before["rows"].get(row) != version for row, version in after.items())


def geometries() -> str:
    """A digest of every shape, byte for byte, with the row it belongs to."""
    digest = hashlib.sha256()
    for row, shape in asked("SELECT id, md5(ST_AsEWKB(geom)) FROM units_landusepatch ORDER BY id"):
        digest.update(f"{row} {shape}".encode())
    return digest.hexdigest()


def previewed(path: Path) -> dict:
    """A preview of all rows as new, of another year, and tiles of it."""
    import uuid

    from importers import previewing
    from importers.loading import load
    from importers.models import PreviewRow

    number = uuid.uuid4()
    began = time.perf_counter()
    load(path, "dltb", "120104", 2023, dry_run=True, preview=number)
    found = {"seconds": round(time.perf_counter() - began, 2)}
    found["rows"] = PreviewRow.objects.filter(preview=number).count()
    ((west, south, east, north),) = asked(
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
        " FROM (SELECT ST_Extent(geom) AS e FROM units_landusepatch) one"
    )
    middle = (west + east) / 2, (south + north) / 2
    for zoom in (8, 11, 13, 15):
        x = int((middle[0] + 180) / 360 * 2**zoom)
        turned = np.log(np.tan(np.pi / 4 + np.radians(middle[1]) / 2))
        y = int((1 - turned / np.pi) / 2 * 2**zoom)
        began = time.perf_counter()
        made = previewing.tile(number, zoom, x, y)
        found[f"tile_{zoom}"] = {"ms": round(1000 * (time.perf_counter() - began)), "kb": round(len(made) / 1024)}
    began = time.perf_counter()
    previewing.forget(number)
    return found | {"forget_seconds": round(time.perf_counter() - began, 2)}


if __name__ == "__main__":
    main()
