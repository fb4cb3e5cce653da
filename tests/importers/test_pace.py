"""What loading costs does not grow out of proportion: neither with the rows, nor with the layers of a database."""

import datetime
import subprocess
import sys

import psycopg
import pytest
from django.db import connection
from django.utils import translation

from importers import reading_databases
from importers.folder import load_folder
from importers.loading import load
from tests.importers.containers import area, database, workbook
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, shapefile, square
from tests.importers.test_registers import FIRM, PARCEL, PLACE_HEAD, firms
from units.models import Occupancy, Parcel

ROWS = 300


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def statements(monkeypatch):
    """The statements that were sent, in order."""
    sent, execute = [], psycopg.Cursor.execute

    def noted(cursor, query, *arguments, **options):
        sent.append(str(query))
        return execute(cursor, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    return sent


def land(folder, rows, **other):
    """Parcels side by side, the first of them with `other`."""
    told = [parcel(1, **other), *(parcel(number) for number in range(2, rows + 1))]
    shapes = [[square(column=at)] for at in range(rows)]
    return shapefile(folder, "ZD", rows=told, shapes=shapes, fields=PARCEL_FIELDS)


def book(path, rows):
    """A workbook with one firm that came to its parcel so many times."""
    days = (datetime.date(2000, 1, 1) + datetime.timedelta(at) for at in range(rows))
    return workbook(path, firms(占用=[PLACE_HEAD, *([FIRM, PARCEL, None, 1, "否", day, None] for day in days)]))


def read_of_keys() -> int:
    """How many rows of the table of the file's keys the running transaction read one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(seq_tup_read) FROM pg_stat_xact_all_tables WHERE relname = 'in_file'")
        return cursor.fetchone()[0]


@pytest.mark.usefixtures("nankai")
def test_a_second_delivery_does_not_read_every_key_of_the_file_for_every_row_held(tmp_path):
    load(land(tmp_path / "before", ROWS), "zd", "120104", 2022)
    result = load(land(tmp_path / "after", ROWS, ZL="南开区示例路甲1号"), "zd", "120104", 2022)
    assert (result["changed"], result["unchanged"]) == (1, ROWS - 1)
    assert Parcel.objects.count() == ROWS
    assert read_of_keys() < 20 * ROWS


@pytest.mark.usefixtures("nankai")
def test_a_sheet_does_not_read_every_key_of_the_file_for_every_row_it_brings(tmp_path):
    load(land(tmp_path / "zd", 1), "zd", "120104", 2022)
    load(book(tmp_path / "企业.xlsx", ROWS), "enterprise", "120104", 2022)
    assert Occupancy.objects.count() == ROWS
    assert read_of_keys() < 20 * ROWS


@pytest.mark.usefixtures("nankai")
def test_more_rows_of_a_sheet_take_no_more_statements(tmp_path, statements):
    load(land(tmp_path / "zd", 1), "zd", "120104", 2022)
    load(book(tmp_path / "first.xlsx", 5), "enterprise", "120104", 2022)
    counted = []
    for rows in (10, 200):
        before = len(statements)
        load(book(tmp_path / f"{rows}.xlsx", rows), "enterprise", "120104", 2022)
        counted.append(len(statements) - before)
    assert Occupancy.objects.count() == 200
    assert counted[0] == counted[1]


@pytest.mark.usefixtures("nankai")
def test_a_database_is_read_by_one_process_a_layer_and_one_that_lists_them(tmp_path, monkeypatch):
    database(tmp_path / "deliveries" / "规划.gpkg", {name: [area(1)] for name in ("JQKG", "GYYQ", "DLHX")})
    reading_databases._drivers()  # asked once, by the first database that is opened
    started, run = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *command, **options: started.append(1) or run(*command, **options))
    assert load_folder(tmp_path / "deliveries", "120104", 2022)["taken"] == 3
    assert len(started) == 1 + 3


def test_the_reading_process_does_not_load_what_it_has_no_use_for():
    command = [sys.executable, "-I", "-X", "importtime", str(reading_databases.CHILD), "drivers"]
    told = subprocess.run(command, capture_output=True, check=True, text=True)
    # A package that is looked for and not there is told too; one that is loaded has parts.
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.stderr.splitlines() if "." in line}
    assert {"pyarrow", "pyogrio"} <= loaded
    assert "GPKG" in told.stdout
    assert not loaded & {"geopandas", "pandas", "pyproj", "shapely"}
