"""What people do at the same moment ends as if one had waited for the other: nothing twice, nothing half."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import translation

from importers.loading import load
from importers.merging import one_at_a_time
from importers.profiles import profile
from importers.undoing import undo
from tests.importers.containers import area, database
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, patch, shapefile, square
from units.activating import activate
from units.errors import Refused
from units.flagging import flag
from units.models import ControlArea, Delivery, District, Flag, LandUsePatch, Street, Survey

pytestmark = pytest.mark.usefixtures("place")
AT_ONCE = 60  # seconds; longer than any of it takes, so that a deadlock is a failure and no hang


@pytest.fixture
def place(own_database):
    place = District.objects.create(code="120104", name="南开区", srid=4527)
    Street.objects.create(code="120104001", district=place, name="长虹街道")
    return place


def together(*calls) -> list:
    """What each call returned or raised, each on a thread and a connection of its own, begun at one moment."""
    gate = threading.Barrier(len(calls))

    def run(call):
        try:
            with translation.override("en"):
                gate.wait(AT_ONCE)
                return call()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result(AT_ONCE) for one in [pool.submit(run, call) for call in calls]]


def into(path, profile_name="dltb"):
    return load(path, profile_name, "120104", 2022)


def patches(folder, numbers, **other):
    return shapefile(
        folder, rows=[patch(one, **other) for one in numbers], shapes=[[square(column=one)] for one in numbers]
    )


@pytest.mark.rows("NK011")
def test_two_processes_that_import_one_file_tell_the_same_delivery(tmp_path, manage, owner):
    path = patches(tmp_path, range(40))
    asked = ("import_layer", str(path), "--profile", "dltb", "--district", "120104", "--survey", "2022")

    def run():
        done = manage(*asked, "--format", "json", GEOINV_DELIVERIES_DIR=str(tmp_path / "kept"))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    with ThreadPoolExecutor(2) as people:
        one, other = (asked.result() for asked in [people.submit(run), people.submit(run)])
    assert one["delivery"] == other["delivery"]
    assert {one["already"], other["already"]} == {True, False}
    assert owner.execute("SELECT count(*), count(DISTINCT delivery_id) FROM units_landusepatch").fetchone() == (40, 1)
    assert owner.execute("SELECT count(*) FROM units_delivery").fetchone() == (1,)


def test_three_threads_that_import_one_file_tell_the_same_delivery(tmp_path):
    path = patches(tmp_path, range(30))
    told = together(*[lambda: into(path)] * 3)
    assert len({one["delivery"] for one in told}) == 1
    assert sorted(one["already"] for one in told) == [False, True, True]
    assert LandUsePatch.objects.count() == 30


def test_two_files_of_one_layer_at_once_are_one_after_the_other(tmp_path):
    first = into(patches(tmp_path / "a", range(30)))["delivery"]
    files = [patches(tmp_path / name, range(30), TBBH=name) for name in ("b", "c")]
    told = together(*(lambda path=path: into(path) for path in files))
    assert all(one["changed"] == 30 for one in told)
    last = max(one["delivery"] for one in told)
    assert set(LandUsePatch.objects.values_list("delivery_id", flat=True)) == {last}
    for number in (last, *({one["delivery"] for one in told} - {last}), first):
        undo(number)
    assert not LandUsePatch.objects.exists()


def test_an_import_beside_the_taking_back_of_what_it_corrects(tmp_path):
    first = into(patches(tmp_path / "a", range(30)))["delivery"]
    path = patches(tmp_path / "b", range(30), TBBH="77")
    told, back = together(lambda: into(path), lambda: undo(first))
    assert told["rows"] == told["taken"] + told["changed"] == 30
    assert LandUsePatch.objects.count() == 30
    if isinstance(back, Refused):  # the import was first
        assert told["changed"] == 30
        assert "later delivery" in str(back)
    else:
        assert told["taken"] == 30
        assert Delivery.objects.get(pk=first).state == "undone"


def test_an_import_beside_putting_its_survey_in_force(tmp_path):
    into(patches(tmp_path / "a", range(30)))
    path = patches(tmp_path / "b", range(30), TBBH="77")
    told, active = together(lambda: into(path), lambda: activate("120104", 2022))
    assert active["state"] == Survey.objects.get().state == "in_force"
    taken = set(LandUsePatch.objects.values_list("tbbh", flat=True)) == {"77"}
    if isinstance(told, Refused):
        assert told.code == "survey-in-force"
        assert not taken
    else:
        assert taken


def test_taking_back_beside_putting_in_force(tmp_path):
    first = into(patches(tmp_path, range(30)))["delivery"]
    back, active = together(lambda: undo(first), lambda: activate("120104", 2022))
    assert isinstance(back, Refused) != isinstance(active, Refused)
    state = Survey.objects.get().state
    assert (state, LandUsePatch.objects.count()) == (("in_force", 30) if isinstance(back, Refused) else ("loaded", 0))


def test_a_control_layer_comes_in_while_the_district_is_flagged(tmp_path):
    into(patches(tmp_path / "a", range(3)))
    rows, shapes = [parcel(one) for one in range(1, 21)], [[square(column=one)] for one in range(20)]
    into(shapefile(tmp_path / "b", "ZD", rows=rows, shapes=shapes, fields=PARCEL_FIELDS), "zd")
    activate("120104", 2022)
    layer = database(tmp_path / "c.gpkg", {"JQKG": [area(1)]})
    told, flagged = together(lambda: load(layer, "control", "120104", 2023), lambda: flag("120104", "nankai-2024"))
    assert (told["taken"], flagged["subjects"]) == (1, 20)
    assert ControlArea.objects.count() == 1
    assert Flag.objects.count() == 20


def test_who_waits_for_an_import_of_the_layer_waits_and_another_layer_does_not(tmp_path):
    into(patches(tmp_path / "a", range(3)))
    parcels = shapefile(tmp_path / "b", "ZD", rows=[parcel(1)], fields=PARCEL_FIELDS)
    waited = []

    def later():
        began = time.monotonic()
        told = into(patches(tmp_path / "c", range(3), TBBH="77"))
        waited.append(time.monotonic() - began)
        return told

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            one_at_a_time("120104", 2022, profile("dltb"))  # as an import does that takes its time
            asked = pool.submit(together, later)
            assert load(parcels, "zd", "120104", 2023)["taken"] == 1
            time.sleep(0.5)
            assert not asked.done()
        assert asked.result(AT_ONCE)[0]["changed"] == 3
    assert waited[0] >= 0.5
