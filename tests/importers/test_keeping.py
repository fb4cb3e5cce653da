"""What is kept of a delivery are the bytes that were read; what a killed import put down there goes with the next."""

import hashlib
import os
import shutil
from contextlib import ExitStack

import pytest
from django.utils import translation

from importers import keeping, loading, opening
from importers.loading import load
from tests.importers.shapefiles import parts as parts_of
from tests.importers.shapefiles import patch, shapefile, zipped
from units.models import Delivery, LandUsePatch

DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def put(kept, name, age=0):
    folder = kept / name
    folder.mkdir(parents=True)
    (folder / "DLTB.shp").write_bytes(b"x")
    os.utime(folder, (folder.stat().st_atime, folder.stat().st_mtime - age))
    return folder


@pytest.mark.usefixtures("nankai")
def test_unfinished_copies_go_with_the_next_import_but_no_finished_one_and_none_of_a_living_one(tmp_path, kept):
    dead, of_another_database, other = put(kept, ".dead-1"), put(kept, DIGEST, 3600), put(kept, "notes")
    path = shapefile(tmp_path / "a", rows=[patch(1)])
    with (
        ExitStack() as until,
        opening.opened(shapefile(tmp_path / "b", rows=[patch(2)])) as container,
        keeping.kept(container, "ef" * 32, until),
    ):
        (living,) = kept.glob(f".{'ef' * 8}*")
        load(path, "dltb", "120104", 2022)
        assert living.exists()
    assert [one.exists() for one in (dead, of_another_database, other)] == [False, True, True]
    (delivery,) = Delivery.objects.all()
    keeping.sweep(kept)
    assert (kept / delivery.sha256 / "DLTB.shp").exists()
    assert (kept / ("ef" * 32)).exists()
    assert not list(kept.glob(".*"))


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("how", ["replaced", "cut"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_is_changed_while_it_is_imported_is_taken_and_kept_as_it_was_read(
    tmp_path, kept, monkeypatch, how, packed
):
    path = shapefile(tmp_path / "a", rows=[patch(1, DLBM="0701"), patch(2)])
    other = shapefile(tmp_path / "b", rows=[patch(1, DLBM="0601"), patch(2), patch(3)])
    if packed:
        path, other = zipped(tmp_path / "a.zip", parts_of(path)), zipped(tmp_path / "b.zip", parts_of(other))
    parts = [path] if packed else sorted(path.parent.glob("DLTB.*"))
    before = {part.name: part.read_bytes() for part in parts}
    real = loading.layerwide

    def meddling(*arguments):
        for part in parts:
            if how == "cut":
                os.truncate(part, 10)
            else:
                shutil.copyfile(other.parent / (other.name if packed else part.name), part)
        return real(*arguments)

    monkeypatch.setattr(loading, "layerwide", meddling)
    result = load(path, "dltb", "120104", 2022)
    assert result["taken"] == 2
    assert LandUsePatch.objects.get(bsm=patch(1)["BSM"]).dlbm == "0701"
    found = {one.name: one.read_bytes() for one in (kept / result["sha256"]).iterdir()}
    assert found.items() <= before.items()
    digests = {name: hashlib.sha256(raw).hexdigest() for name, raw in found.items()}
    listed = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()
    assert result["sha256"] in (*digests.values(), hashlib.sha256(listed).hexdigest())
