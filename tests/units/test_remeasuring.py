"""What is measured again after an edit is what measuring all would find, whatever was edited, and no more than that."""

import os
import random
from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from tests.units.criteria.drawn import ALL, Land, shape
from units import flagging, measuring, remeasuring, sharing
from units.errors import Busy, UsageError
from units.flagging import evidence_of, flag
from units.models import (
    Building,
    Department,
    Flag,
    FlagRun,
    Measured,
    Measurement,
    Occupancy,
    Parcel,
    Stale,
    SupplyContract,
    Survey,
    UseState,
)
from units.nightly import flagged
from units.remeasuring import COLUMNS, remeasure

CRITERIA = "nankai-2024"


def wkt(*boxes):
    return f"SRID=4490;{shape(*boxes)}"


class Town(Land):
    """Works with firms of one sector, two office parcels with buildings, and layers around them."""

    def __init__(self, code="120104"):
        super().__init__(code, layers=ALL)
        self.works = [self.parcel((x, 0, x + 100, 100)) for x in (0, 200, 400)]
        self.offices = [self.parcel((x, 300, x + 100, 400), use="05H1") for x in (0, 200)]
        for x in (0, 200, 400):
            self.patch("0601", (x - 5, -5, x + 105, 105))
        self.ground = self.patch("05H1", (-5, 295, 305, 405))
        self.halls = [self.building((x, 0, x + 50, 100), floors=1, built_year=1990) for x in (0, 200, 400)]
        self.towers = [
            self.building((x + 10, 310, x + 60, 360), floors=5, use="31", vacant_m2=500, built_year=2000)
            for x in (0, 200)
        ]
        self.firms = [self.firm(one, tax=100_000 * n, grade="C") for n, one in enumerate(self.works, 1)]
        self.tenants = [
            self.firm(office, tax=tax, building=tower)
            for office, tower, tax in zip(self.offices, self.towers, (900_000, 400_000), strict=True)
        ]
        self.spread = self.firm(self.works[0], self.works[1], tax=50_000, land_area=(4000, 6000))
        self.papers = [self.contract(one, start_agreed=date(2015, 1, 1), area_m2=9000) for one in self.works[:2]]
        self.line = self.control("ecological_red_line", (50, 50, 260, 70))


def table(name: str) -> dict[int, tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM {name}")
        return {row[0]: row for row in cursor.fetchall()}


def measured_afresh(land) -> dict[int, tuple]:
    with transaction.atomic(), connection.cursor() as cursor:
        measuring.measure(cursor, measuring.Base.of(land.district.code))
        rows = table("pg_temp.measured")
        measuring.forget(cursor)
    return rows


def differing(one: dict[int, tuple], other: dict[int, tuple]) -> dict:
    """Subject → column → (one, other), of what is not the same."""
    assert set(one) == set(other)
    return {
        subject: {
            name: pair for name, *pair in zip(COLUMNS, one[subject], other[subject], strict=True) if pair[0] != pair[1]
        }
        for subject in one
        if one[subject] != other[subject]
    }


def save(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


# What is edited → the edit, and a measure that it moves of some subject.
EDITS = {
    "the shape of a parcel": (lambda t: save(t.works[0], geom=wkt((10, 0, 100, 100))), "area_m2"),
    "the shape it had before": (lambda t: save(t.works[0], geom=wkt((0, 0, 100, 100))), "area_m2"),
    "the use of a parcel": (lambda t: save(t.works[2], registered_use="0701"), "use_category"),
    "the use of an office parcel": (lambda t: save(t.offices[1], registered_use="0601"), "floor_tax_mean"),
    "the use that it had": (lambda t: save(t.offices[1], registered_use="05H1"), "floor_tax_mean"),
    "a new parcel": (lambda t: setattr(t, "new", t.parcel((600, 0, 700, 100))), "area_m2"),
    "a firm on it": (lambda t: setattr(t, "newcomer", t.firm(t.new, tax=700_000)), "sector_tax_mean"),
    "a building moved from one parcel to another": (
        lambda t: save(t.halls[2], geom=wkt((610, 10, 650, 90))),
        "buildings",
    ),
    "the floors of a building": (lambda t: save(t.halls[0], floors=Decimal(3)), "far"),
    "the use of a building": (lambda t: save(t.towers[0], use="11"), None),
    "the use that the building had": (lambda t: save(t.towers[0], use="31"), None),
    "a tower moved off its parcel": (lambda t: save(t.towers[1], geom=wkt((810, 310, 860, 360))), "far"),
    "a building that is gone": (lambda t: t.halls[1].delete(), "buildings"),
    "a new building": (lambda t: t.building((205, 5, 245, 95), floors=2), "buildings"),
    "a new patch": (lambda t: t.patch("0701", (595, -5, 705, 105)), "main_class"),
    "an occupancy that ends": (
        lambda t: Occupancy.objects.filter(enterprise=t.spread, parcel=t.works[0]).update(until=date(2020, 1, 1)),
        "firms",
    ),
    "an occupancy that is gone": (
        lambda t: Occupancy.objects.filter(enterprise=t.spread, parcel=t.works[0]).delete(),
        None,
    ),
    "the sector of a firm": (lambda t: save(t.firms[1], sector="3011"), "sector_peers"),
    "the tax of a firm": (lambda t: t.firms[0].years.update(tax_cny=Decimal(990_000)), "sector_tax_mean"),
    "the tax of a tenant": (lambda t: t.tenants[0].years.update(tax_cny=Decimal(10_000)), "floor_tax_mean"),
    "a year that is gone": (lambda t: t.firms[0].years.all().delete(), "tax_per_mu"),
    "a contract": (lambda t: save(t.papers[0], start_actual=date(2016, 5, 1)), "start_overdue"),
    "a contract that is gone": (lambda t: t.papers[1].delete(), "contracts"),
    "a control area moved": (lambda t: save(t.line, geom=wkt((600, 0, 650, 100))), "ecological_red_line_share"),
    "a control area that is gone": (lambda t: t.line.delete(), "ecological_red_line_share"),
    "a parcel that is gone": (lambda t: (t.newcomer.delete(), t.new.delete()), None),
}


@pytest.mark.rows("NK019")
def test_after_each_edit_what_is_stored_is_what_measuring_all_finds(own_database):
    town = Town()
    flag("120104", CRITERIA)
    assert differing(table("units_measured"), measured_afresh(town)) == {}
    for name, (edit, moves) in EDITS.items():
        before = table("units_measured")
        edit(town)
        assert Stale.objects.exists(), name
        found = remeasure("120104")
        assert not found.full, (name, found)
        now = table("units_measured")
        assert differing(now, measured_afresh(town)) == {}, name
        if moves:
            place = COLUMNS.index(moves)
            values = [{subject: row[place] for subject, row in rows.items()} for rows in (before, now)]
            assert values[0] != values[1], name
        assert not Stale.objects.exists()


def test_after_random_edits_the_flags_are_those_of_a_full_run(own_database):
    town = Town()
    flag("120104", CRITERIA)
    for seed in range(3):
        chance = random.Random(seed)
        for _edit in range(4):
            random_edit(town, chance)
        result = flag("120104", CRITERIA, changed=True)
        changed = flags()
        full = flag("120104", CRITERIA)
        assert (result["measured"]["all"], full["measured"]["changed"]) == (False, 0), seed
        assert changed == flags()
        assert {name: result[name] for name in ("subjects", *Flag.Outcome.values, "without_building")} == {
            name: full[name] for name in ("subjects", *Flag.Outcome.values, "without_building")
        }


def random_edit(town, chance):
    parcel, building = chance.choice(town.works + town.offices), chance.choice(town.halls + town.towers)
    x = chance.randrange(0, 600, 7)
    chance.choice(
        [
            lambda: save(building, geom=wkt((x, 20, x + chance.randrange(20, 150), 70))),
            lambda: save(building, floors=Decimal(chance.randrange(1, 9)), vacant_m2=chance.choice([None, 0, 90])),
            lambda: save(parcel, registered_use=chance.choice(["0601", "05H1", "0701", ""])),
            lambda: save(parcel, documented_m2=Decimal(chance.randrange(5000, 15000))),
            lambda: town.firm(parcel, tax=chance.choice([None, 1000, 2_000_000]), sector=chance.choice(["3311", ""])),
            lambda: town.control("basic_farmland", (x, 0, x + 30, chance.randrange(10, 400))),
            lambda: town.patch(chance.choice(["0101", "0701"]), (x, 500, x + 100, 520)),
            lambda: Occupancy.objects.filter(parcel=parcel).update(floor_area_m2=Decimal(chance.randrange(1, 900))),
        ]
    )()


def flags() -> dict:
    """Subject → everything that is stored of its flag, as a card has it, but the run."""
    return {
        one.parcel_id or -one.building_id: (
            one.pk,
            one.outcome,
            one.category,
            one.fired,
            one.missing,
            one.street_id,
            evidence_of(one),
        )
        for one in Flag.objects.select_related("run")
    }


def test_an_edit_of_one_parcel_measures_and_judges_it_alone(db):
    town = Town()
    flag("120104", CRITERIA)
    runs = dict(Flag.objects.values_list("parcel_id", "run_id"))
    save(town.works[2], documented_m2=Decimal(20000))
    result = flag("120104", CRITERIA, changed=True)
    assert (result["kind"], result["judged"], result["measured"]["changed"]) == ("changed", 1, 1)
    assert result["subjects"] == Flag.objects.count() == Measured.objects.count() == 7
    after = dict(Flag.objects.values_list("parcel_id", "run_id"))
    assert {parcel for parcel in after if after[parcel] != runs[parcel]} == {town.works[2].pk}
    run = FlagRun.objects.get(pk=result["run"])
    assert (run.kind, run.subjects, sum(run.counts.values())) == ("changed", 7, 7)
    again = flag("120104", CRITERIA, changed=True)
    assert (again["measured"]["looked_at"], again["judged"]) == (0, 0)
    assert again["subjects"] == 7


def test_who_is_only_compared_otherwise_is_judged_again_where_a_rule_reads_that(db):
    town = Town()
    home = town.parcel((600, 0, 700, 100), use="0701")
    town.patch("0701", (595, -5, 705, 105))
    town.firm(home, tax=300_000)  # of the same sector; no rule for homes reads what others pay
    flag("120104", CRITERIA)
    runs = dict(Flag.objects.values_list("parcel_id", "run_id"))
    mean = Measured.objects.get(subject=home.pk).sector_tax_mean
    town.firms[2].years.update(tax_cny=Decimal(990_000))
    flag("120104", CRITERIA, changed=True)
    assert Measured.objects.get(subject=home.pk).sector_tax_mean != mean
    after = dict(Flag.objects.values_list("parcel_id", "run_id"))
    assert {parcel for parcel in after if after[parcel] != runs[parcel]} == {one.pk for one in town.works}
    kept = {one.parcel_id: evidence_of(one) for one in Flag.objects.filter(parcel_id__isnull=False)}
    Flag.objects.all().delete()
    flag("120104", CRITERIA)
    assert {one.parcel_id: evidence_of(one) for one in Flag.objects.filter(parcel_id__isnull=False)} == kept


def test_a_subject_that_is_gone_loses_its_flag_and_a_new_one_gets_one(db):
    town = Town()
    flag("120104", CRITERIA)
    tower = town.towers[1].pk
    town.towers[1].delete()
    new = town.parcel((600, 0, 700, 100))
    assert flag("120104", CRITERIA, changed=True)["kind"] == "changed"
    assert not Flag.objects.filter(building_id=tower).exists()
    assert not Measured.objects.filter(building_id=tower).exists()
    assert Flag.objects.filter(parcel=new).exists()


def test_a_run_does_all_where_nobody_can_say_what_changed(db, monkeypatch):
    town = Town()
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == "first"
    assert FlagRun.objects.latest("pk").kind == "full"
    town.deliver("contract")
    reason = flag("120104", CRITERIA, changed=True)
    # the same layers are there as before, so nothing is measured; but every card names the new delivery
    assert (reason["measured"]["all"], reason["kind"]) == (False, "full")
    town.reach("building", (0, -50, 150, 150))
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == "ground"
    Measurement.objects.update(edition="0" * 64)
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == "code"
    monkeypatch.setattr(remeasuring, "FEW", 3)
    Parcel.objects.update(documented_m2=Decimal(7000))
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == "many"
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO units_stale (district_id, source, whole) VALUES ('120104', 'control', TRUE)")
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == "whole"
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == ""
    assert flag("120104", CRITERIA)["measured"]["why"] == "asked"


def test_a_what_if_cannot_be_asked_of_changes_alone(db):
    Town()
    with pytest.raises(UsageError):
        flag("120104", CRITERIA, dry_run=True, changed=True)
    flag("120104", CRITERIA, dry_run=True)
    assert not Measured.objects.exists()


def test_another_survey_in_force_leaves_nothing_of_the_one_before(db):
    town = Town()
    flag("120104", CRITERIA)
    Survey.objects.filter(pk=town.survey.pk).update(state="retired")
    later = Land(year=2023, layers=ALL)
    parcel = later.parcel((0, 0, 100, 100), address="later")
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == "first"
    assert list(Measured.objects.values_list("subject", "survey_id")) == [(parcel.pk, later.survey.pk)]
    assert list(Measurement.objects.values_list("survey_id", flat=True)) == [later.survey.pk]


def test_a_statement_that_changes_very_many_rows_is_told_as_one(db):
    town = Town()
    Stale.objects.all().delete()
    rows = [SupplyContract(parcel=town.works[0], number=f"N{n}") for n in range(2001)]
    SupplyContract.objects.bulk_create(rows[:2000], batch_size=5000)
    assert (Stale.objects.count(), Stale.objects.filter(whole=True).count()) == (2000, 0)
    Stale.objects.all().delete()
    SupplyContract.objects.update(area_m2=1)
    told = Stale.objects.get()
    assert (told.whole, told.district_id, told.source) == (True, "120104", "contract")


def test_an_edit_of_another_district_touches_nobody_here(db):
    Town()
    other = Land("120103", layers=ALL)
    flag("120104", CRITERIA)
    parcel = other.parcel((0, 0, 100, 100))
    other.firm(parcel, tax=1)
    assert set(Stale.objects.exclude(source="patch").values_list("district_id", flat=True)) == {"120103"}
    assert remeasure("120104").looked == 0
    assert Stale.objects.filter(district_id="120103").exists()


def test_an_edit_that_commits_while_it_is_measured_is_not_lost(own_database, monkeypatch):
    town = Town()
    flag("120104", CRITERIA)
    save(town.works[0], documented_m2=Decimal(1000))
    measure = remeasuring.measure

    def edited_meanwhile(*args, **kwargs):
        with psycopg.connect(os.environ["DATABASE_URL"]) as second:
            second.execute("UPDATE units_parcel SET documented_m2 = 2000 WHERE id = %s", [town.works[1].pk])
        with pytest.raises(Busy), psycopg.connect(os.environ["DATABASE_URL"]) as second:
            measuring.lock(second.cursor(), "120104")
        return measure(*args, **kwargs)

    monkeypatch.setattr(remeasuring, "measure", edited_meanwhile)
    remeasure("120104")
    monkeypatch.undo()
    assert Stale.objects.filter(parcel_id=town.works[1].pk).exists()
    flag("120104", CRITERIA, changed=True)
    assert differing(table("units_measured"), measured_afresh(town)) == {}
    assert Measured.objects.get(subject=town.works[1].pk).documented_m2 == 2000


def test_a_delivery_that_comes_while_it_is_measured_is_not_taken_for_one_that_was_measured(db, monkeypatch):
    town = Town()
    measure = remeasuring.measure

    def delivered_meanwhile(*args, **kwargs):
        if "violation" not in town.deliveries:
            measure(*args, **kwargs)
            town.deliver("violation")
        else:
            measure(*args, **kwargs)

    monkeypatch.setattr(remeasuring, "measure", delivered_meanwhile)
    flag("120104", CRITERIA)
    assert Measured.objects.get(subject=town.works[0].pk).gaps["violations"] == "violations"
    assert flag("120104", CRITERIA, changed=True)["measured"]["why"] == "ground"
    assert Measured.objects.get(subject=town.works[0].pk).violations == 0
    assert differing(table("units_measured"), measured_afresh(town)) == {}


def test_a_department_that_is_called_otherwise_is_told(db):
    town = Town()
    office = Department.objects.create(district=town.district, code="estates", name="房管局")
    UseState.objects.create(survey=town.survey, parcel=town.works[0], state="idle", owner_department=office)
    flag("120104", CRITERIA)
    Department.objects.filter(pk=office.pk).update(code="housing")
    assert not remeasure("120104").full
    assert Measured.objects.get(subject=town.works[0].pk).owner_department == "housing"
    assert differing(table("units_measured"), measured_afresh(town)) == {}


def test_what_is_measured_anew_is_later_than_all_that_was_judged(db):
    town = Town()
    flag("120104", CRITERIA)
    save(town.works[0], registered_use="0701")
    flag("120104", CRITERIA, changed=True)
    Measured.objects.all().delete()
    Measurement.objects.all().delete()
    save(town.works[0], registered_use="0601")
    told = flag("120104", CRITERIA, changed=True)
    assert (told["measured"]["why"], told["judged"]) == ("first", Measured.objects.count())
    assert Flag.objects.get(parcel=town.works[0]).category == "industrial"


def test_nobody_but_the_owner_makes_a_trigger_that_runs_what_it_is_told(db):
    """The functions that tell of changes run as the owner what a trigger says: SQL, whoever wrote the trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("geoinv_app",)
        cursor.execute("CREATE TEMP TABLE mine (a integer)")
        for name in ("geoinv_stale", "geoinv_stale_somewhere"):
            with pytest.raises(ProgrammingError, match="permission denied for function"), transaction.atomic():
                cursor.execute(
                    f"CREATE TRIGGER own AFTER INSERT ON mine REFERENCING NEW TABLE AS after FOR EACH STATEMENT "
                    f"EXECUTE FUNCTION {name}('x', 'current_user::text')"
                )


def test_a_run_that_fails_takes_no_change_away(db, monkeypatch):
    town = Town()
    flag("120104", CRITERIA)
    save(town.works[0], documented_m2=Decimal(1000))

    def fail(*args):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(flagging, "replace_flags", fail)
    with pytest.raises(RuntimeError):
        flag("120104", CRITERIA, changed=True)
    monkeypatch.undo()
    assert Stale.objects.filter(parcel_id=town.works[0].pk).exists()
    assert flag("120104", CRITERIA, changed=True)["measured"]["changed"] == 1


def test_the_columns_are_the_measures(db):
    town = Town()
    flag("120104", CRITERIA)
    assert set(measuring.measures.MEASURES) <= set(COLUMNS)
    assert Measured.objects.filter(kind="building").count() == Building.objects.filter(use="31").count()
    assert Measured.objects.get(parcel_id=town.works[0].pk).far == Decimal("0.50")


def test_the_night_flags_what_changed_and_every_week_wholly_and_tells_what_was_missed(db):
    town, told = Town(), {"name": "南开区", "todo": []}
    assert flagged("120104", CRITERIA, told)["measured"]["why"] == "first"
    save(town.works[0], documented_m2=Decimal(1000))
    assert flagged("120104", CRITERIA, told)["kind"] == "changed"
    Measurement.objects.update(full_at=timezone.now() - timedelta(days=7))
    assert flagged("120104", CRITERIA, told)["measured"]["why"] == "asked"
    assert told["todo"] == []
    Measurement.objects.update(full_at=timezone.now() - timedelta(days=7))
    Measured.objects.filter(subject=town.works[0].pk).update(far=9)  # as if a change had not been seen
    assert flagged("120104", CRITERIA, told)["measured"]["changed"] == 1
    assert len(told["todo"]) == 1
    assert Measured.objects.get(subject=town.works[0].pk).far == Decimal("0.50")
    assert flagged("120104", CRITERIA, told)["kind"] == "changed"


@pytest.fixture
def shared(own_database, monkeypatch):
    """As on a machine of three cores, and with as many parcels as would be worth it."""
    monkeypatch.setattr(sharing, "WORTH", 2)
    monkeypatch.setattr(sharing.threading, "active_count", lambda: 1)
    monkeypatch.setattr(sharing.os, "sched_getaffinity", lambda process: {0, 1, 2})


def test_several_processes_measure_what_one_does(shared, monkeypatch):
    town = Town()
    town.parcels = [town.parcel((x, 600, x + 50, 650)) for x in range(0, 500, 50)]
    town.building((40, 610, 110, 640), use="31", floors=2)  # across a line between two processes' parcels
    parts = []
    share = sharing.shares
    monkeypatch.setattr(sharing, "shares", lambda *asked: parts.append(share(*asked)) or parts[-1])
    first = flag("120104", CRITERIA)
    assert sorted(len(part.parcels) for part in parts[0]) == [4, 5, 6]
    assert first["measured"] == {"all": True, "why": "asked", "looked_at": 18, "changed": 18}
    assert differing(table("units_measured"), measured_afresh(town)) == {}
    save(town.works[0], documented_m2=Decimal(1000))
    town.halls[1].delete()
    second = flag("120104", CRITERIA)
    assert (second["measured"]["looked_at"], second["measured"]["changed"]) == (18, 2)
    assert differing(table("units_measured"), measured_afresh(town)) == {}


def test_a_process_that_fails_ends_the_run_and_says_why(shared, monkeypatch):
    Town()
    flag("120104", CRITERIA)
    before = flags()

    def fail(*args):
        raise ValueError("the disk is full")

    monkeypatch.setattr(sharing, "measure", fail)
    with pytest.raises(RuntimeError, match="the disk is full"):
        flag("120104", CRITERIA)
    assert flags() == before


def test_inside_a_transaction_of_others_one_process_measures_all(db, monkeypatch):
    monkeypatch.setattr(sharing, "WORTH", 1)
    Town()
    with transaction.atomic(), connection.cursor() as cursor:
        assert sharing.shares(cursor, measuring.Base.of("120104")) == []
