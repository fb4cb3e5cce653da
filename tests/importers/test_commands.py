"""The commands as an analyst types them: exit codes, one JSON object, words of Chinese by default."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import translation
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from importers import taking
from tests.importers.shapefiles import patch, shapefile, square
from units.founding import found
from units.terminal import GeoinvCommand

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"


@pytest.fixture
def run(manage, tmp_path):
    """manage.py on a database of its own, with district 120104 founded; (exit code, JSON or text, stderr)."""
    found("120104")

    def run(*arguments, as_json=True, **environ):
        form = ("--format", "json") if as_json else ()
        done = manage(*map(str, arguments), *form, GEOINV_DELIVERIES_DIR=str(tmp_path / "kept"), **environ)
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout) if as_json and done.stdout else done.stdout, done.stderr

    return run


DLTB = ("--profile", "dltb", "--district", "120104", "--survey")


def test_a_walk_through_the_commands(run, tmp_path, owner):
    path = shapefile(tmp_path / "a", rows=[patch(1), patch(2), patch(3, DLBM="0599")])
    code, told, _talk = run("inspect_layer", path)
    assert code == 0
    (layer,) = told["layers"]
    assert {"name", "rows", "profile", "encoding", "crs"} <= layer.keys()
    assert layer["profile"]["name"] == "dltb"
    assert layer["encoding"].keys() >= {"name", "verdict", "evidence"}
    assert layer["crs"].keys() >= {"epsg", "verdict", "evidence"}

    code, told, _talk = run("import_layer", path, *DLTB, 2022, "--dry-run")
    assert (code, told["refused"], told["dry_run"]) == (1, 1, True)
    assert owner.execute("SELECT count(*) FROM units_delivery").fetchone() == (0,)

    code, told, _talk = run("import_layer", path, *DLTB, 2022)
    assert (code, told["rows"], told["taken"], told["refused"]) == (1, 3, 2, 1)
    code, told, _talk = run("import_layer", path, *DLTB, 2022)
    assert (code, told["already"], told["unchanged"], told["refused"]) == (1, True, 2, 1)
    code, told, _talk = run("activate_survey", "--district", "120104", "--survey", 2022)
    assert (code, told["state"], told["patches"]) == (0, "in_force", 2)

    other = shapefile(tmp_path / "b", rows=[patch(4)])
    code, told, talk = run("import_layer", other, *DLTB, 2022)
    assert (code, told["error"]) == (1, "survey-in-force")
    assert "activate_survey" in talk
    assert run("activate_survey", "--district", "120104", "--survey", 2022)[0] == 1
    assert run("activate_survey", "--district", "120104", "--survey", 2030)[0] == 2

    assert run("import_layer", other, *DLTB, 2023)[0] == 0
    code, told, _talk = run("activate_survey", "--district", "120104", "--survey", 2023)
    assert (code, told["retired"]) == (0, 2022)
    assert owner.execute("SELECT state FROM units_survey ORDER BY year").fetchall() == [("retired",), ("in_force",)]


def test_exit_codes_of_what_cannot_be_read_or_is_not_known(run, tmp_path):
    path = tmp_path / "DLTB.shp"
    path.write_text("<OGRVRTDataSource/>")
    assert run("inspect_layer", path)[0] == 3
    assert run("import_layer", path, *DLTB, 2022)[0] == 3
    assert run("import_layer", tmp_path / "none.zip", *DLTB, 2022)[0] == 3
    good = shapefile(tmp_path / "a")
    assert run("import_layer", good, "--profile", "dtlb", "--district", "120104", "--survey", 2022)[0] == 2
    assert run("import_layer", good, "--profile", "dltb", "--district", "999999", "--survey", 2022)[0] == 2
    assert run("import_layer", good, *DLTB, 2022, "--encoding", "klingon")[0] == 2
    assert run("import_layer", good, *DLTB, 2022, "--layer", "ZD")[0] == 2


def test_much_is_taken_away_only_where_that_is_said(run, tmp_path):
    assert run("import_layer", shapefile(tmp_path / "a"), *DLTB, 2022)[0] == 0
    short = shapefile(tmp_path / "b", rows=[patch(1)])
    code, told, talk = run("import_layer", short, *DLTB, 2022)
    assert (code, told["error"]) == (1, "1-too-many-gone")
    assert "--replace" in talk
    code, told, _talk = run("import_layer", short, *DLTB, 2022, "--replace")
    assert (code, told["gone"], [one["code"] for one in told["warnings"]]) == (0, 1, ["1-rows-gone"])


def test_text_is_for_people(run, tmp_path):
    path = shapefile(tmp_path / "a", rows=[patch(1), patch(2, DLBM="0599")])
    code, told, _talk = run("inspect_layer", path, as_json=False, GEOINV_LANGUAGE="en")
    assert code == 0
    assert "EPSG:4527 [sure]" in told
    assert "工业用地" in told
    code, told, _talk = run("import_layer", path, *DLTB, 2022, as_json=False, GEOINV_LANGUAGE="en")
    assert "2 rows: 1 taken" in told
    assert "rows 2" in told


@pytest.mark.skipif(not REAL.is_dir(), reason="the real sample files are not beside this checkout")
@pytest.mark.rows("NK011")
def test_the_real_files_are_taken_whole(run, owner):
    code, told, _talk = run("import_layer", REAL / "real_dltb.zip", *DLTB, 2021, GEOINV_LANGUAGE="en")
    assert (code, told["rows"], told["taken"], told["refused"]) == (0, 11_490, 11_490, 0)
    assert (told["encoding"]["name"], told["encoding"]["verdict"]) == ("GB18030", "sure")
    assert (told["crs"]["epsg"], told["crs"]["verdict"]) == (4527, "sure")
    assert any("EPSG:4527" in line for line in told["crs"]["evidence"])
    assert "2-not-the-district" in {warning["code"] for warning in told["warnings"]}
    counted = owner.execute("SELECT dlmc, count(*) FROM units_landusepatch GROUP BY 1").fetchall()
    assert dict(counted)["工业用地"] == 1_317
    worst = "SELECT max(abs(area_m2 - ST_Area(geom::geography))) FROM units_landusepatch"
    assert owner.execute(worst).fetchone()[0] < 0.001
    before = owner.execute("SELECT max(xmin::text::bigint), count(*) FROM units_landusepatch").fetchone()
    code, told, _talk = run("import_layer", REAL / "real_dltb.zip", *DLTB, 2021)
    assert (code, told["already"], told["taken"], told["unchanged"]) == (0, True, 0, 11_490)
    assert owner.execute("SELECT max(xmin::text::bigint), count(*) FROM units_landusepatch").fetchone() == before
    assert owner.execute("SELECT count(*) FROM units_delivery").fetchone() == (1,)

    rest = ("--district", "120104", "--survey", 2021)
    code, told, _talk = run("import_layer", REAL / "real_parcels.zip", "--profile", "zd", *rest)
    assert (code, told["taken"]) == (0, 9_983)
    code, told, _talk = run("import_layer", REAL / "real_buildings.zip", "--profile", "building", *rest)
    assert (code, told["taken"], told["encoding"]["name"]) == (0, 5_442, "UTF-8")
    assert owner.execute("SELECT name FROM units_building WHERE code = 'J000000'").fetchone() == ("东方银座",)


def test_two_people_who_import_one_file_at_once_give_one_import(run, tmp_path, owner):
    path = shapefile(tmp_path / "a", rows=[patch(number) for number in range(50)])
    with ThreadPoolExecutor(2) as people:
        done = [people.submit(run, "import_layer", path, *DLTB, 2022) for _person in range(2)]
        results = [one.result() for one in done]
    assert [code for code, _told, _talk in results] == [0, 0]
    assert sorted(told["already"] for _code, told, _talk in results) == [False, True]
    assert owner.execute("SELECT count(*) FROM units_landusepatch").fetchone() == (50,)
    assert owner.execute("SELECT count(*) FROM units_delivery").fetchone() == (1,)


@pytest.mark.usefixtures("nankai", "kept")
def test_on_a_terminal_a_bar_counts_the_rows_and_then_says_that_they_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(taking, "BATCH", 1)

    class Bar(Progress):
        def update(self, task, **how):
            super().update(task, **how)
            self.refresh()

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=100)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn())
    monkeypatch.setattr(GeoinvCommand, "progress", lambda command: Bar(*columns, console=console, auto_refresh=False))
    path = shapefile(tmp_path, rows=[patch(1), patch(2), patch(3)], shapes=[[square(column=at)] for at in range(3)])
    with translation.override("en"):
        call_command("import_layer", path, *DLTB, 2022, stdout=io.StringIO())
    told = screen.getvalue()
    assert "Rows 1/3" in told
    assert "Rows 2/3" in told
    assert "Rows 3/3" not in told
    assert "Writing 3/3" in told
