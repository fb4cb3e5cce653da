"""Batches are checked in processes of their own: what goes wrong there is a verdict, and nothing of them stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.utils import translation

from importers import batching, loading, taking, workers
from importers.loading import load
from tests.importers.poison import FATAL, WRITTEN, Poisoned
from tests.importers.shapefiles import patch, shapefile, square
from units.errors import Broken, InputUnreadable
from units.models import Delivery, LandUsePatch, Survey

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def cover(folder, rows=8, fatal=None):
    """Patches side by side; the row `fatal`, counted from 1, has the vertex at which a poisoned process goes wrong."""
    shapes = [[square(column=at)] for at in range(rows)]
    if fatal:
        x, y = FATAL
        shapes[fatal - 1] = [[(x, y), (x, y + 40), (x + 40, y + 40), (x + 40, y), (x, y)]]
    return shapefile(folder, rows=[patch(number) for number in range(1, rows + 1)], shapes=shapes)


def poisoned(monkeypatch, deed):
    monkeypatch.setattr(Poisoned, "deed", deed)
    monkeypatch.setattr(loading, "Projection", Poisoned)


def children() -> set[int]:
    """The processes that descend from this one, zombies too."""
    found, left = set(), [os.getpid()]
    while left:
        for task in Path(f"/proc/{left.pop()}/task").glob("*"):
            made = {int(one) for one in (task / "children").read_text().split()}
            left += made - found
            found |= made
    return found


def zombies(processes) -> list[int]:
    states = {one: Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[0] for one in processes}
    return [one for one, state in states.items() if state == "Z"]


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("deed", ["crash", "hang", "eat"])
def test_a_row_at_which_the_process_goes_wrong_is_named_and_nothing_is_written(tmp_path, monkeypatch, kept, deed):
    monkeypatch.setattr(workers, "SECONDS", 1)
    monkeypatch.setattr(workers, "NARROWING", 1 if deed == "hang" else 3)
    path = cover(tmp_path, fatal=5)
    before = children()
    poisoned(monkeypatch, deed)
    began = time.monotonic()
    with pytest.raises(InputUnreadable) as caught:
        load(path, "dltb", "120104", 2022)
    assert time.monotonic() - began < 30  # a second of processor time for each look, on a busy machine
    told = str(caught.value)
    assert "DLTB" in told
    assert "Nothing was written" in told
    assert "Traceback" not in told
    if deed == "hang":  # each look takes its second: it may be that the row is not found in the time there is
        first, last = (int(one) for one in told.split("The rows ")[1].split(" of ")[0].split(" to "))
        assert first <= 5 <= last
    else:
        assert "The rows 5 to 5 of" in told
    assert ("the memory does not hold them" in told) == (deed == "eat")
    for model in (Survey, Delivery, LandUsePatch):
        assert not model.objects.exists()
    assert not kept.exists() or not list(kept.iterdir())
    assert len(children() - before) <= 1  # the process that forks workers may be new
    assert not zombies(children())
    monkeypatch.setattr(loading, "Projection", Poisoned.__base__)
    assert load(path, "dltb", "120104", 2022)["taken"] == 8


@pytest.mark.usefixtures("nankai")
def test_a_fault_of_our_own_is_told_as_that_and_its_traceback_is_logged(tmp_path, monkeypatch, kept, caplog):
    path = cover(tmp_path, fatal=5)
    poisoned(monkeypatch, "raise_")
    with pytest.raises(Broken) as caught:
        load(path, "dltb", "120104", 2022)
    told = str(caught.value)
    assert "The rows" not in told
    assert "at the rows 5 to 5 of DLTB" in told
    assert "Nothing was written" in told
    assert "Traceback" not in told
    assert (caught.value.exit_code, caught.value.code) == (1, "broken")
    (logged,) = [one for one in caplog.records if one.name == "importers.taking"]
    assert logged.levelname == "ERROR"
    assert "Traceback" in logged.getMessage()
    assert "ZeroDivisionError: a fault of our own" in logged.getMessage()
    for model in (Survey, Delivery, LandUsePatch):
        assert not model.objects.exists()
    assert not kept.exists() or not list(kept.iterdir())


@pytest.mark.usefixtures("nankai")
def test_a_worker_writes_no_file(tmp_path, monkeypatch):
    written = Path(WRITTEN)
    poisoned(monkeypatch, "write")
    with pytest.raises(Broken):
        load(cover(tmp_path, fatal=2), "dltb", "120104", 2022)
    size = written.stat().st_size
    written.unlink()
    assert size == 0


@pytest.mark.usefixtures("nankai")
def test_workers_find_what_this_process_finds_in_the_order_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(taking, "BATCH", 3)
    rows = [patch(1), patch(2, DLMC="不是这个名"), patch(3, DLBM=""), patch(3), patch(5, BZ="𠀀字"), patch(6), patch(7)]
    crossed = [[(39_516_000, 4_325_000), (39_516_100, 4_325_100), (39_516_100, 4_325_000), (39_516_000, 4_325_100)]]
    shapes = [[square(column=at)] for at in range(6)] + [[crossed[0] + crossed[0][:1]]]
    path = shapefile(tmp_path, rows=rows, shapes=shapes, encoding="gb18030")
    found, real = [], workers.Crew.work

    def both(crew, start, stop, weight):
        done = real(crew, start, stop, weight)
        here = batching.work(plans[0], start, stop)
        found.append((start, done, here))
        return done

    plans, made = [], taking.Plan
    monkeypatch.setattr(taking, "Plan", lambda *parts, **named: plans.append(made(*parts, **named)) or plans[0])
    monkeypatch.setattr(workers.Crew, "work", both)
    result = load(path, "dltb", "120104", 2022, encoding="GB18030")
    assert sorted(start for start, _done, _here in found) == [0, 3, 6]
    for _start, done, here in found:
        assert bytes(done.payload) == bytes(here.payload)
        done.payload = here.payload = b""
        assert done == here
    assert sum(len(done.problems) for _start, done, _here in found) > 3
    assert (result["taken"], result["refused"]) == (LandUsePatch.objects.count(), 3)
    numbers = LandUsePatch.objects.order_by("id").values_list("row_number", flat=True)
    assert list(numbers) == sorted(numbers)


def test_workers_end_with_the_process_that_started_them_even_when_it_is_killed(tmp_path):
    program = (
        "import pickle, sys, time, django\n"
        "django.setup()\n"
        "from importers import workers\n"
        "number, asked = workers._nursery.fork()\n"
        "print(workers._nursery.process.pid, number, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "geoinv.settings", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        started = [int(one) for one in process.stdout.readline().split()]
        assert all(Path(f"/proc/{one}").exists() for one in started)
        process.kill()
    until = time.monotonic() + 5
    while any(_runs(one) for one in started) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [one for one in started if _runs(one)]


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.usefixtures("nankai")
def test_a_worker_has_no_way_to_the_database_and_leaves_no_image_of_its_memory(tmp_path, monkeypatch):
    looked, real = [], workers.Crew._told

    def look(crew, worker, said, seconds):
        told = real(crew, worker, said, seconds)
        limits = Path(f"/proc/{worker}/limits").read_text()
        files = [os.readlink(one) for one in Path(f"/proc/{worker}/fd").iterdir()]
        looked.append((limits, files))
        return told

    monkeypatch.setattr(workers.Crew, "_told", look)
    assert load(cover(tmp_path), "dltb", "120104", 2022)["taken"] == 8
    limits, files = looked[-1]
    assert sum(name.startswith("socket:") for name in files) == 1  # the one on which it is asked
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    data = next(line for line in limits.splitlines() if line.startswith("Max data size"))
    assert data.split()[3] == str(2 * 1024**3)
