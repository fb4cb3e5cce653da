"""A run of the checks sees one moment, whatever others write meanwhile on connections of their own."""

import json
import threading

import psycopg
import pytest
from django.db import transaction

from tests.units.checks.drawn import Ground, box, open_findings, placed
from units.checks import between, validating
from units.checks.identity import row_identity
from units.checks.looking import Sight
from units.checks.validating import Run, validate
from units.errors import Busy
from units.models import CheckRun, Finding, Parcel, Survey, UnitParcel

DISTRICT = "120104"
COPY_OF_A_UNIT = (
    "INSERT INTO units_redevelopmentunit (code, edition, name, state, mode, methods, requirements, incentives,"
    " programmes, digest, plan_editions, created_at, version, geom, created_by_id, district_id, street_id)"
    " SELECT 'U9999', 1, 'x', 'draft', mode, methods, requirements, incentives, '[]', '', plan_editions, now(), 1,"
    " ST_Translate(geom, 0.01, 0), created_by_id, district_id, street_id FROM units_redevelopmentunit LIMIT 1"
)
A_MEMBER = (
    "INSERT INTO units_unitparcel (unit_id, parcel_id, share)"
    " SELECT (SELECT id FROM units_redevelopmentunit WHERE code = 'U9999'), id, 1 FROM units_parcel LIMIT 1"
)


@pytest.fixture
def composed(own_database):
    """A unit of one parcel, whose share is as it should be."""
    ground = Ground()
    ground.parcel(box(0, 0, 100, 100))
    unit = ground.unit(box(0, 0, 100, 100))
    UnitParcel.objects.create(unit=unit, parcel=Parcel.objects.get(), share=1)
    return ground


def before_look(monkeypatch, code, write):
    """Write something on another connection just before a check looks."""
    look = Run.look

    def looked(self, check, layer):
        if check.code == code:
            write()
        return look(self, check, layer)

    monkeypatch.setattr(Run, "look", looked)


def test_a_unit_that_is_saved_while_the_checks_run_is_seen_by_the_next_run(composed, owner, monkeypatch):
    def save():
        owner.execute(COPY_OF_A_UNIT)
        owner.execute(A_MEMBER)

    with monkeypatch.context() as patch:
        before_look(patch, "8-unit-members", save)
        validate(DISTRICT)
    assert open_findings() == set()
    assert validate(DISTRICT, changed=True)["carried"]
    assert {one[:2] for one in open_findings()} == {("8-unit-members", "units")}


def test_a_member_of_a_unit_that_was_not_read_is_left_to_the_next_run(composed, owner):
    """In a transaction of the caller's there is no one moment: units and members may be read at two."""
    with transaction.atomic():
        sight = Sight(composed.district, composed.survey)
        sight.layer("units")
        owner.execute(COPY_OF_A_UNIT)
        owner.execute(A_MEMBER)
        assert list(between.members(sight, "units")) == []


def test_what_an_import_tells_while_the_checks_run_is_not_resolved_by_them(composed, owner, monkeypatch):
    Survey.objects.update(state="loaded", activated_at=None)  # only then patches still change
    code = composed.patch(box(0, 0, 100, 100))
    identity = row_identity(composed.survey.pk, "dltb", "3-name-differs", "DLMC", code, None)

    def deliver():
        owner.execute("UPDATE units_landusepatch SET dlmc = '盐田'")
        owner.execute(
            "INSERT INTO units_finding (district_id, survey_id, delivery_id, identity, code, layer, severity, state,"
            " subjects, sentence, fix, uom, details, fingerprint, first_seen, last_seen)"
            " VALUES (%s, %s, %s, %s, '3-name-differs', 'patches', 'warning', 'new', %s, '…', '…', '',"
            " '{\"name\": \"DLMC\"}', '', now(), now())",
            [DISTRICT, composed.survey.pk, composed.delivery.pk, identity, [code]],
        )

    with monkeypatch.context() as patch:
        before_look(patch, "4-equal", deliver)  # the values were looked at before
        validate(DISTRICT, ["3-name-differs", "4-equal"], ["patches"])
    assert Finding.objects.get().state == "new"
    assert validate(DISTRICT)["open"] == 1


def settled_with(monkeypatch, write, times):
    """Write something on another connection just before a run settles, in so many runs; how often runs settled."""
    settle, tries = Run.settle, []

    def settled(self, began):
        tries.append(began)
        if len(tries) <= times:
            write()
        return settle(self, began)

    monkeypatch.setattr(Run, "settle", settled)
    return tries


def overlapping(ground):
    ground.parcel(box(98, 0, 200, 100))
    validate(DISTRICT)
    assert Finding.objects.filter(code="4-overlap").count() == 1


def test_a_run_whose_findings_others_write_meanwhile_begins_anew_once(composed, owner, monkeypatch):
    overlapping(composed)
    tries = settled_with(monkeypatch, lambda: owner.execute("UPDATE units_finding SET last_seen = now()"), times=1)
    assert validate(DISTRICT)["open"] >= 1
    assert len(tries) == 2
    assert CheckRun.objects.count() == 2


def test_a_run_that_is_disturbed_each_time_says_that_it_is_busy_and_leaves_nothing(composed, owner, monkeypatch):
    overlapping(composed)
    tries = settled_with(monkeypatch, lambda: owner.execute("UPDATE units_finding SET last_seen = now()"), times=9)
    with pytest.raises(Busy):
        validate(DISTRICT)
    assert len(tries) == validating.TIMES
    assert CheckRun.objects.count() == 1
    monkeypatch.undo()
    assert validate(DISTRICT)["open"] >= 1  # nothing is held any more


def test_beside_a_writer_no_run_tells_a_fault_that_stood_at_no_moment(composed, owner, manage):
    """Parcel and unit are moved together, again and again: at every moment the unit holds the whole of its parcel."""
    places = [bytes(placed(box(east, 0, east + 100, 100)).ewkb) for east in (0, 300)]
    stop, moves = threading.Event(), []

    def write():
        with psycopg.connect(owner.info.dsn) as other:
            while not stop.is_set():
                place = places[len(moves) % 2]
                for table in ("parcel", "redevelopmentunit"):
                    other.execute(
                        f"UPDATE units_{table} SET geom = ST_GeomFromEWKB(%s), version = version + 1", [place]
                    )
                other.commit()
                moves.append(place)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _run in range(8):
            assert validate(DISTRICT)["errors"] == 0
        done = manage("validate", "--district", DISTRICT, "--format", "json")
    finally:
        stop.set()
        writer.join()
    assert len(moves) > 8
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["checked"] == 2
    assert open_findings() == set()
