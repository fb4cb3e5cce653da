"""Jobs in a worker of their own: they outlive the page, and what is killed, stopped or outrun leaves nothing behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import Client
from town import scoped_user

from importers import intake as verbs
from importers import jobs
from importers.models import Intake, IntakeLayer
from tests.importers.shapefiles import parts, patch, shapefile, zipped
from units.errors import Refused
from units.models import Delivery, District, LandUsePatch, Survey
from units.rights import Role

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60  # seconds until a job of two rows must be done
ASKED = {"profile": "dltb", "encoding": "", "crs": "", "mapping": None, "replace": False, "template": None}
# A worker whose job waits for a reader that never ends, as a hostile file may have it.
DEAF = """
import os, time
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "geoinv.settings")
import django
django.setup()
from importers import attempts, jobs
attempts.inspect = lambda *_arguments, **_named: time.sleep(300)
jobs.AT_LONGEST = 1.0
jobs.work(1)
"""
HOLD = "SELECT FROM units_survey WHERE year = 2022 FOR UPDATE"  # as an import does: the job waits for it


@pytest.fixture
def nankai(own_database, settings, tmp_path, monkeypatch):
    """The district, with a survey that somebody may hold back, in a database that the worker sees."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second
    for name in ("INTAKES_DIR", "DELIVERIES_DIR"):
        setattr(settings, name, tmp_path / name)
        monkeypatch.setenv(f"GEOINV_{name}", str(tmp_path / name))
    district = District.objects.create(code="120104", name="南开区", srid=4527)
    Survey.objects.create(district=district, year=2022)
    return district


@pytest.fixture
def work(nankai):
    """Start workers; whatever is still running is killed in the end."""
    started = []

    def start(*arguments):
        # Killed with this process, or its sessions would keep the database from being dropped.
        program = ["-c", *arguments] if arguments == (DEAF,) else [str(ROOT / "manage.py"), "work", *arguments]
        command = ["setpriv", "--pdeathsig", "KILL", sys.executable, *program]
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
def held(nankai):
    """Hold the survey back for as long as the block lasts."""

    @contextlib.contextmanager
    def hold():
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            other.execute(HOLD)
            yield

    return hold


def upload(folder: Path, district, *, rows=None, name="dltb.zip") -> Intake:
    """An intake of one zip, as the page receives it."""
    number, private = verbs.new_folder()
    path = zipped(private / name, parts(shapefile(folder / str(number), rows=rows)))
    files = [{"name": name, "kept": name, "size": path.stat().st_size}]
    return verbs.receive(number, district, 2022, files, scoped_user(Role.ANALYST, district.pk))


def until(row, *states, settle=True):
    """Wait until the row is in one of the states, as a page does that polls; the row as it is then."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        intake = row if isinstance(row, Intake) else row.intake
        if settle:
            verbs.settle(Intake.objects.get(pk=intake.pk))
        found = type(row).objects.get(pk=row.pk)
        if found.state in states:
            return found
        time.sleep(0.05)
    pytest.fail(f"{row} is {found.state} and not {states}: {found.error} {found.progress}")


def begun(layer):
    """Wait until a worker has taken the layer up."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = IntakeLayer.objects.get(pk=layer.pk)
        if found.begun_at:
            return found
        time.sleep(0.05)
    pytest.fail("no worker took it up")


def opened(folder, district, **how) -> IntakeLayer:
    return until(upload(folder, district, **how), "open").layers.get()


def previewed(layer) -> IntakeLayer:
    return until(verbs.preview(layer, ASKED, layer.intake.by), "previewed", "failed")


def taken(layer) -> IntakeLayer:
    """Confirm what was previewed; the layer when that is done."""
    layer = until(verbs.confirm(layer, layer.intake.by), "imported", "failed")
    assert layer.error is None
    return layer


def test_an_upload_goes_from_the_files_to_the_delivery_though_nobody_waits_for_it(work, nankai, tmp_path):
    work()
    layer = opened(tmp_path, nankai)
    assert layer.told["profile"]["name"] == "dltb"
    layer = previewed(layer)
    assert layer.error is None
    assert layer.result["dry_run"]
    assert layer.result["taken"] == 2
    assert not Delivery.objects.exists()
    layer = taken(layer)
    assert layer.delivery.taken == LandUsePatch.objects.count() == 2
    assert layer.delivery.imported_by == layer.intake.by
    assert layer.progress == {}


def test_a_job_that_is_stopped_ended_or_killed_leaves_nothing_and_starts_again_with_its_preview(
    work, nankai, held, tmp_path
):
    first = work()
    layer = previewed(opened(tmp_path, nankai))
    with held():
        layer = begun(verbs.confirm(layer, layer.intake.by))
        assert jobs.how([layer.job]) == {layer.job: "running"}
        verbs.stop(layer)
        layer = until(layer, "previewed")
        assert layer.error["code"] == "stopped"

        layer = begun(verbs.confirm(layer, layer.intake.by))
        began = time.monotonic()
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE) == 0
        assert time.monotonic() - began < 15
        assert "Traceback" not in first.stderr.read()
        layer = until(layer, "interrupted")
        assert layer.error["code"] == "interrupted"
        assert jobs.workers() == 0

        second = work()
        layer = begun(verbs.confirm(layer, layer.intake.by))
        second.kill()
        second.wait()
        layer = until(layer, "interrupted")
        assert jobs.workers() == 0
    assert not Delivery.objects.exists()
    assert not LandUsePatch.objects.exists()
    work()
    assert taken(layer).delivery.taken == 2
    assert Delivery.objects.count() == 1


def test_what_waits_in_the_queue_is_taken_out_of_it(work, nankai, tmp_path):
    intake = upload(tmp_path, nankai)
    done = work("--once")
    assert done.wait(PATIENCE) == 0
    layer = until(intake, "open").layers.get()
    layer = verbs.preview(layer, ASKED, intake.by)
    assert jobs.how([layer.job]) == {layer.job: "waiting"}
    assert verbs.settle(intake)[0].state == "previewing"  # nobody works, and it is not lost
    assert verbs.stop(layer).state == "waiting"
    assert jobs.how([layer.job]) == {layer.job: "dead"}
    with pytest.raises(Refused, match="没有|Nothing"):
        verbs.stop(layer)


def test_a_worker_whose_database_is_gone_says_so_and_ends(work, nankai, tmp_path):
    worker = work()
    until(upload(tmp_path, nankai), "open")
    with connection.cursor() as cursor:
        end = time.monotonic() + 10
        while left := _idle(cursor):  # a job leaves no connection to grow old
            assert time.monotonic() < end, left
            time.sleep(0.05)
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user"
        )
    assert worker.wait(PATIENCE) == 4
    said = worker.stderr.read()
    assert "manage.py work" in said
    assert "Traceback" not in said


def _idle(cursor) -> list:
    """What the connections did last on which jobs have worked."""
    cursor.execute(
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND query ~ 'importers_intake'"
    )
    return cursor.fetchall()


def test_a_worker_ends_though_its_job_hears_of_nothing(work, nankai, tmp_path):
    worker = work(DEAF)
    intake = upload(tmp_path, nankai)
    end = time.monotonic() + PATIENCE
    while jobs.how([intake.job])[intake.job] != "running":
        assert time.monotonic() < end, worker.poll()
        time.sleep(0.05)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 1
    assert until(intake, "failed").error["code"] == "interrupted"


def test_two_who_confirm_the_same_file_at_once_get_one_import(work, nankai, held, tmp_path):
    work("--jobs", "2")
    path = tmp_path / "same"
    layers = []
    for _number in range(2):
        number, private = verbs.new_folder()
        zipped(private / "same.zip", parts(shapefile(path)))
        file = {"name": "same.zip", "kept": "same.zip", "size": (private / "same.zip").stat().st_size}
        intake = verbs.receive(number, nankai, 2022, [file], scoped_user(Role.ANALYST, nankai.pk))
        layers.append(until(intake, "open").layers.get())
    layers = [previewed(one) for one in layers]
    with held():
        for one in layers:
            verbs.confirm(one, one.intake.by)
            begun(one)
        with pytest.raises(Refused):
            verbs.confirm(layers[0], layers[0].intake.by)
    ended = [until(one, "imported", "failed") for one in layers]
    assert [one.error for one in ended] == [None, None]
    assert ended[0].delivery == ended[1].delivery
    assert sorted(one.result["already"] for one in ended) == [False, True]
    assert Delivery.objects.count() == 1


def test_what_was_previewed_before_the_survey_changed_is_not_taken(work, nankai, held, tmp_path):
    work("--jobs", "2")
    layers = [
        previewed(opened(tmp_path / str(number), nankai, rows=[patch(1), patch(2, TBMJ=9000.0 + number)]))
        for number in range(3)
    ]
    with held():  # two go past the page's own question
        for one in layers[:2]:
            verbs.confirm(one, one.intake.by)
            begun(one)
    ended = [until(one, "imported", "failed") for one in layers[:2]]
    assert sorted(one.state for one in ended) == ["failed", "imported"]
    (refused,) = [one.error for one in ended if one.error]
    assert refused["code"] == "stale"
    with pytest.raises(Refused) as told:
        verbs.confirm(layers[2], layers[2].intake.by)
    assert told.value.code == "stale"
    assert Delivery.objects.count() == 1
    client = Client(headers={"Accept": "application/json"})
    client.force_login(layers[2].intake.by)
    answer = client.post(f"/import/{layers[2].intake_id}/confirm.json", {"layer": 1}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
