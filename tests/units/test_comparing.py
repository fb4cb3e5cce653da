"""A what-if tells which subjects would change their outcome against the stored flags, and how much land that is."""

import json

import pytest
from django.utils import translation

from tests.units.criteria.drawn import ALL, Land
from units.flagging import flag
from units.management.commands.flag import Command
from units.models import Flag

CRITERIA = "nankai-2024"


@pytest.fixture
def land(db):
    return Land(layers=ALL)


def works(land, place, floors, **options):
    """A parcel of 100 × 100 m, half built on: FAR 0.5 a floor; nothing of it is missing."""
    x = place * 200
    parcel = land.parcel((x, 0, x + 100, 100))
    land.patch("0601", (x, 0, x + 100, 100))
    land.building((x, 0, x + 50, 100), floors=floors, safety_grade="A", vacant_m2=0, built_year=2015)
    land.firm(parcel, tax=150_000, grade="B", **options)
    return parcel


def tried(**overrides):
    return flag("120104", CRITERIA, {name: str(value) for name, value in overrides.items()}, dry_run=True)["changes"]


def test_without_stored_flags_there_is_nothing_to_compare_with(land):
    works(land, 0, 1)
    assert tried(far_min=0.4) == {"against": None, "outcomes": [], "other_rules": []}


def test_nothing_changes_where_nothing_is_changed(land):
    works(land, 0, 1)
    works(land, 1, 4)
    run = flag("120104", CRITERIA)["run"]
    changes = tried()
    assert changes["against"]["run"] == run
    assert (changes["outcomes"], changes["other_rules"]) == ([], [])


@pytest.mark.rows("NK050")
def test_each_change_of_outcome_is_told_with_its_parcels_and_hectares(land):
    low, between, second, exempt = (
        works(land, place, floors, **options)
        for place, (floors, options) in enumerate([(1, {}), (3, {}), (3, {}), (3, {"above_scale": True})])
    )
    flag("120104", CRITERIA)
    stored = dict(Flag.objects.values_list("parcel__code", "outcome"))
    assert stored == {low.code: "candidate", between.code: "not_low", second.code: "not_low", exempt.code: "not_low"}
    changes = tried(far_min=1.6)
    found = {(row["from"], row["to"]): row for row in changes["outcomes"]}
    assert set(found) == {("not_low", "candidate"), ("not_low", "exempted")}
    row = found["not_low", "candidate"]
    assert (row["kind"], row["subjects"], row["codes"]) == ("parcel", 2, sorted([between.code, second.code]))
    assert row["hectares"] == round((between.area_m2 + second.area_m2) / 10_000, 4)
    assert dict(Flag.objects.values_list("parcel__code", "outcome")) == stored, "a what-if writes nothing"


def test_the_other_way_round_is_told_too(land):
    parcel = works(land, 0, 1)
    works(land, 9, 4)  # a peer of the sector, whose tax the parcel's is compared with
    flag("120104", CRITERIA)
    (row,) = tried(far_min=0.4)["outcomes"]
    assert (row["from"], row["to"], row["codes"]) == ("candidate", "not_low", [parcel.code])


def test_land_under_two_subjects_is_counted_once(land):
    works(land, 0, 3)
    above = land.parcel((50, 0, 150, 100))
    land.patch("0601", (100, 0, 150, 100))
    land.building((100, 0, 150, 100), floors=3, safety_grade="A", vacant_m2=0, built_year=2015)
    land.firm(above, tax=150_000)
    flag("120104", CRITERIA)
    (row,) = tried(far_min=1.6)["outcomes"]
    assert row["subjects"] == 2
    assert row["hectares"] == pytest.approx(1.5, abs=0.001)


def test_a_subject_that_came_or_went_since_is_told_as_not_judged_before_or_now(land):
    works(land, 0, 3)
    stays = works(land, 1, 3)
    flag("120104", CRITERIA)
    Flag.objects.filter(parcel=stays).delete()
    new = works(land, 2, 1)
    changes = {(row["from"], row["to"]): row["codes"] for row in tried()["outcomes"]}
    assert changes == {(None, "candidate"): [new.code], (None, "not_low"): [stays.code]}


def test_the_same_outcome_by_other_rules_is_counted_apart(land):
    parcel = works(land, 0, 1)
    flag("120104", CRITERIA)
    changes = tried(coverage_min=0.6)
    assert changes["outcomes"] == []
    (row,) = changes["other_rules"]
    assert (row["to"], row["codes"]) == ("candidate", [parcel.code])


def test_the_command_tells_the_changes_in_words(land):
    parcel = works(land, 0, 3)
    works(land, 9, 5)  # a peer of the sector
    flag("120104", CRITERIA)
    result = flag("120104", CRITERIA, {"far_min": "1.6"}, dry_run=True)
    assert json.loads(json.dumps(result))["changes"]["outcomes"]
    with translation.override("en"):
        text = Command().text(result)
    assert "1  parcels  Not low → Candidate  1.0" in text
    assert parcel.code in text
