"""The night tells in the morning what was planted in the database by day, and two nights never run at once."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from tests.units.checks.drawn import Ground, box
from units import nightly
from units.errors import Refused, UsageError
from units.models import CheckRun, Finding, FlagRun, Parcel
from units.nightly import criteria_chosen, summary

DISTRICT = "120104"
ROOT = Path(__file__).resolve().parents[3]
NIGHT = ("nightly", "--format", "json")


@pytest.fixture
def runs(tmp_path, settings, monkeypatch):
    settings.RUNS_DIR = tmp_path / "runs"
    monkeypatch.setenv("GEOINV_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("GEOINV_CRITERIA", "nankai-2024")
    settings.NIGHTLY_CRITERIA = "nankai-2024"
    return tmp_path / "runs"


@pytest.fixture
def town(own_database, runs):
    """A covered district of two parcels without a fault."""
    ground = Ground(boundary=box(0, 0, 300, 300))
    ground.cover(3, 3)
    ground.parcel(box(0, 0, 100, 100))
    ground.parcel(box(100, 0, 200, 100))
    return ground


def states():
    return {(one.code, one.state) for one in Finding.objects.all()}


@pytest.mark.rows("R11")
def test_a_fault_planted_in_the_database_is_new_then_open_then_resolved(town, owner, manage, runs):
    quiet = manage(*NIGHT)
    assert quiet.returncode == 0, quiet.stderr
    assert json.loads(quiet.stdout)["todo"] == []
    # Past the constraints, as a script of the owner might: a bow-tie. What else the night does of it is not asked here.
    owner.execute("ALTER TABLE units_parcel DROP CONSTRAINT parcel_valid")
    owner.execute(
        "UPDATE units_parcel SET geom = ST_Multi(ST_MakePolygon(ST_MakeLine(ARRAY[p[1], p[2], p[4], p[3], p[1]])))"
        " FROM (SELECT array_agg(d.geom ORDER BY d.path) AS p FROM units_parcel q, ST_DumpPoints(q.geom) d"
        "       WHERE q.code LIKE '%00001') dumped WHERE code LIKE '%00001'"
    )
    planted = manage(*NIGHT)
    assert planted.returncode == 1
    told = json.loads(planted.stdout)
    assert told["districts"][0]["checks"]["by_code"]["4-invalid"] == {"new": 1, "open": 0, "resolved": 0, "waived": 0}
    assert told["todo"]
    assert states() == {("4-invalid", "new")}
    again = manage(*NIGHT)
    assert again.returncode == 1
    assert states() == {("4-invalid", "open")}
    owner.execute("UPDATE units_parcel SET geom = ST_Multi(ST_ConvexHull(geom)) WHERE code LIKE '%00001'")
    mended = manage(*NIGHT)
    assert mended.returncode == 0, mended.stdout
    assert states() == {("4-invalid", "resolved")}
    assert len(list(runs.iterdir())) == 4


def test_a_night_leaves_its_results_a_report_and_one_summary(town, owner, manage, runs):
    # The owner redraws one parcel over the other.
    owner.execute(
        "UPDATE units_parcel SET geom = ST_Translate(geom, -0.0001, 0), version = version + 1 WHERE code LIKE '%00002'"
    )
    done = manage("nightly")
    assert done.returncode == 1
    (folder,) = runs.iterdir()
    assert {path.name for path in (folder / DISTRICT).iterdir()} == {
        "flag.json",
        "suspect.json",
        "validate.json",
        "report.html",
        "report.xlsx",
    }
    written = (folder / "summary.txt").read_text(encoding="utf-8")
    assert "南开区" in written
    assert written.strip() == done.stdout.strip()
    result = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert result["districts"][0]["flags"]["criteria"] == "nankai-2024"
    assert result["errors"] == result["districts"][0]["checks"]["errors"] == 1


@pytest.mark.rows("R11")
def test_of_two_nights_at_once_the_second_ends_with_75(town, owner, manage):
    # The first night waits for a table that somebody holds, for as long as the second one tries.
    with psycopg.connect(owner.info.dsn) as holding:
        holding.execute("LOCK TABLE units_parcel IN ACCESS EXCLUSIVE MODE")
        first = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), *NIGHT],
            env=os.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 0 AND granted"
        while not owner.execute(waiting).fetchone()[0]:
            assert first.poll() is None, first.communicate()
        second = manage(*NIGHT)
        assert second.returncode == 75
        assert json.loads(second.stdout)["error"] == "busy"
        holding.rollback()
    said, _talk = first.communicate(timeout=120)
    assert first.returncode == 0
    assert json.loads(said)["failed"] == []
    assert manage(*NIGHT).returncode == 0


def test_one_district_that_fails_stops_no_other_and_the_exit_code_tells(town, runs, monkeypatch):
    true_flag = nightly.flag

    def broken(code, criteria, **told):
        if code == DISTRICT:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        return true_flag(code, criteria, **told)

    town.neighbour("120103", "和平区")
    monkeypatch.setattr(nightly, "flag", broken)
    result = nightly.nightly()
    assert result["failed"] == [DISTRICT]
    one, two = sorted(result["districts"], key=lambda found: found["district"] == DISTRICT)
    assert (one["failed"], two["failed"]) == ([], ["flag"])
    assert two["checks"]["errors"] == 0  # it was checked all the same
    assert one["flags"]["subjects"] == 0
    assert "ZeroDivision" not in summary(result)
    kept = (Path(result["folder"]) / DISTRICT / "flag.error.txt").read_text(encoding="utf-8")
    assert "division by zero" in kept
    # What failed, and of the other district that neither its boundary nor a patch was ever delivered.
    assert len(result["todo"]) == 3


def test_by_which_criteria_a_district_is_flagged_is_set_or_as_it_was_last(town, settings, runs):
    settings.NIGHTLY_CRITERIA = ""
    told = nightly.nightly()
    assert told["districts"][0]["criteria"] is None
    assert len(told["todo"]) == 1
    assert told["failed"] == []
    settings.NIGHTLY_CRITERIA = f"{DISTRICT}=nankai-2024"
    nightly.nightly()
    settings.NIGHTLY_CRITERIA = ""
    assert nightly.nightly()["districts"][0]["criteria"] == "nankai-2024"
    assert FlagRun.objects.count() == 2


def test_a_setting_of_criteria_that_cannot_be_read_is_an_error_before_anything_runs(town, settings, runs):
    for wrong in ("=nankai-2024", f"{DISTRICT}=", "nankai-2024,nankai-2024", "no-such-set"):
        settings.NIGHTLY_CRITERIA = wrong
        with pytest.raises((UsageError, Refused)):
            nightly.nightly()
    assert not runs.exists()
    assert criteria_chosen("120104=nankai-2024,tianjin-2024") == {"120104": "nankai-2024", "": "tianjin-2024"}


def test_validate_says_by_its_exit_code_whether_an_error_is_open(town, manage, tmp_path):
    clean = manage("validate", "--district", DISTRICT, "--format", "json", "--report", str(tmp_path / "told"))
    assert clean.returncode == 0, clean.stderr
    answer = json.loads(clean.stdout)
    assert {"run", "checked", "new", "open", "resolved", "waived", "by_code", "seconds"} <= set(answer)
    assert answer["checked"] == 11
    assert {Path(one).name for one in answer["report"]} == {"report.html", "report.xlsx"}
    parcel = Parcel.objects.filter(code__endswith="2")
    parcel.update(documented_m2=F("area_m2") * 1.01)
    warned = manage("validate", "--district", DISTRICT)
    one = Finding.objects.get()
    assert (warned.returncode, one.code, one.severity) == (0, "3-area-differs", "warning")
    parcel.update(documented_m2=F("area_m2") * 1.05)
    found = manage("validate", "--district", DISTRICT)
    one.refresh_from_db()
    assert (found.returncode, one.code, one.severity) == (1, "3-area-differs", "error")
    for wrong in (("--check", "4-nothing"), ("--layer", "roads"), ("--survey", "1999")):
        assert manage("validate", "--district", DISTRICT, *wrong).returncode == 2
    assert "4-overlap" in manage("validate", "--help").stdout


def test_while_another_run_checks_the_district_validate_ends_with_75(town, owner, manage):
    owner.execute("SELECT pg_advisory_lock(hashtext('geoinv validate'), hashtext(%s))", [DISTRICT])
    busy = manage("validate", "--district", DISTRICT, "--format", "json")
    assert (busy.returncode, json.loads(busy.stdout)["error"]) == (75, "busy")
    owner.execute("SELECT pg_advisory_unlock_all()")
    assert manage("validate", "--district", DISTRICT).returncode == 0


def test_a_misspelt_district_in_the_setting_of_criteria_ends_the_night_before_it_begins(town, manage, runs):
    done = manage(*NIGHT, GEOINV_CRITERIA="120199=nankai-2024")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "120199" in json.loads(done.stdout)["message"]
    assert not runs.exists()


def test_a_folder_that_cannot_be_written_to_is_an_error_before_the_work_begins(town, manage, tmp_path):
    occupied = tmp_path / "occupied"
    occupied.write_text("a file", encoding="utf-8")
    for place in (occupied, occupied / "below"):
        night = manage(*NIGHT, GEOINV_RUNS_DIR=str(place))
        checked = manage("validate", "--district", DISTRICT, "--report", str(place), "--format", "json")
        for done in (night, checked):
            assert done.returncode == 2, done.stdout + done.stderr
            assert str(place) in json.loads(done.stdout)["message"]
            assert "Traceback" not in done.stderr
    assert not CheckRun.objects.exists()
    assert not FlagRun.objects.exists()


def test_the_summary_says_when_the_night_began_and_not_when_it_ended(town, runs, monkeypatch):
    before = timezone.now()
    looked = []
    true_flag = nightly.flag
    monkeypatch.setattr(
        nightly, "flag", lambda *told, **how: (looked.append(timezone.now()), true_flag(*told, **how))[1]
    )
    result = nightly.nightly()
    assert before <= datetime.fromisoformat(result["started"]) <= looked[0]


def test_open_errors_of_refused_rows_are_named_among_what_is_to_be_done(town, runs):
    told = {"district": town.district, "survey": town.survey, "delivery": town.delivery, "layer": "patches"}
    for number in range(3):
        Finding.objects.create(
            **told,
            identity=str(number),
            code="3-key-missing",
            severity="error",
            subjects=[f"row {number}"],
            sentence="…",
            fix="…",
        )
    result = nightly.nightly()
    (sentence,) = result["todo"]
    assert "3" in sentence
    assert "/findings/" in sentence
    assert summary(result).splitlines()[1] == f"- {sentence}"
    assert result["errors"] == 0


DOCKER = ROOT / "docker"


def test_the_timer_names_its_zone_and_the_unit_says_how_compose_is_started():
    assert "OnCalendar=*-*-* 01:30:00 Asia/Shanghai" in (DOCKER / "geoinv-nightly.timer").read_text(encoding="utf-8")
    unit = (DOCKER / "geoinv-nightly.service").read_text(encoding="utf-8")
    assert re.search(r"^ExecStart=\S+ manage\.py nightly$", unit, re.MULTILINE)
    assert re.search(r"^#ExecStart=\S+ compose -f docker/compose.yaml run --rm -T nightly$", unit, re.MULTILINE)
    nightly_service = (DOCKER / "compose.yaml").read_text(encoding="utf-8").split("\n  nightly:\n")[1]
    assert "depends_on: { migrate: { condition: service_completed_successfully } }" in nightly_service
