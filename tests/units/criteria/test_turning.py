"""What would have to change: each claim is applied and judged again, to the last decimal of the measure."""

from decimal import Decimal

import pytest
from django.db import connection

from tests.units.criteria.drawn import ALL, Land
from units.criteria import judging, sets
from units.criteria.measures import MEASURES, NUMBER, SQL_TYPES
from units.criteria.thresholds import Joined, thresholds, tree
from units.criteria.turning import OTHER, turns
from units.explaining import explain
from units.models import Building, Parcel
from units.rights import Grant, Role

OFFICE = (Grant(Role.OFFICE, "120104"),)
ANALYST = (Grant(Role.ANALYST),)
# A sound industrial parcel: nothing is known against it, nothing is missing.
SOUND = {
    "use_category": "industrial",
    "registered_use": "0601",
    "class_category": "industrial",
    "construction_share": Decimal("1.0000"),
    "ecological_red_line_m2": Decimal("0.00"),
    "basic_farmland_m2": Decimal("0.00"),
    "development_boundary_share": Decimal("1.0000"),
    "contracts": Decimal(0),
    "far": Decimal("1.50"),
    "coverage": Decimal("0.5000"),
    "mismatch": Decimal("0.0000"),
    "tax_ratio": Decimal("1.0000"),
    "unsafe_share": Decimal("0.0000"),
    "sector": "3311",
    "sector_division": "33",
    "tax_per_mu": Decimal("2.00"),
    "violation_open": False,
    "vacancy": Decimal("0.0000"),
    "above_scale": False,
    "strategic": False,
    "production_years": Decimal("10.0000"),
}


@pytest.fixture(scope="module")
def nankai():
    return sets.load("nankai-2024")


def turned(criteria, **facts):
    with connection.cursor() as cursor:
        now, found, _subject = turns(cursor, criteria, "parcel", SOUND | facts)
    return now, found


def judged_at(criteria, facts: dict) -> str:
    """The outcome by the whole judgement of a run, over one row written by hand: no code of the finding is used."""
    question = judging.judgement(criteria)
    columns = ", ".join(f"%(f_{one.name})s::{SQL_TYPES[one.type]} AS {one.name}" for one in MEASURES.values())
    row = (
        "SELECT 1::bigint AS subject, 'parcel'::text AS kind, 1::bigint AS parcel_id, NULL::bigint AS building_id, "
        "'120104'::text AS district_id, NULL::text AS street_id, '{}'::jsonb AS class_mix, '{}'::jsonb AS overlay, "
        f"'{{}}'::jsonb AS gaps, {columns}"
    )
    values = question.values | {f"f_{name}": facts.get(name) for name in MEASURES}
    with connection.cursor() as cursor:
        cursor.execute(f"WITH measured AS ({row}) SELECT outcome FROM ({question.sql}) AS one", values)
        return cursor.fetchone()[0]


def changed(turn) -> dict:
    return {one.name: "no such text" if one.nearest == OTHER else one.nearest for one in turn.changes}


def one_of(found, outcome, *names):
    return next(turn for turn in found if turn.outcome == outcome and tuple(one.name for one in turn.changes) == names)


SUBJECTS = {
    "sound": {},
    "low FAR": {"far": Decimal("0.63")},
    "low FAR and low tax": {"far": Decimal("0.63"), "tax_ratio": Decimal("0.1000")},
    "exempt": {"far": Decimal("0.63"), "above_scale": True},
    "twice exempt": {"far": Decimal("0.63"), "above_scale": True, "strategic": True},
    "on the red line": {"ecological_red_line_m2": Decimal("12.50")},
    "on the red line and no construction": {
        "ecological_red_line_m2": Decimal("12.50"),
        "construction_share": Decimal("0.1000"),
    },
    "FAR unknown": {"far": None},
    "FAR and tax unknown": {"far": None, "tax_ratio": None},
    "idle": {"contracts": Decimal(1), "start_overdue": Decimal("1.5000")},
    "stopped": {
        "contracts": Decimal(1),
        "start_overdue": Decimal(0),
        "stopped_for": Decimal("1.2000"),
        "developed_share": Decimal("0.5000"),
        "investment_share": Decimal("0.4000"),
    },
    "residential": {
        "use_category": "residential",
        "built_year_max": Decimal(1998),
        "far": Decimal("0.80"),
        "unsafe_share": Decimal("0.6000"),
    },
    "facility": {"use_category": "facility", "vacancy": Decimal("0.8000"), "idle_months": Decimal("0.00")},
    "category unknown": {"use_category": None, "registered_use": None, "class_category": None},
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_change_that_is_told_turns_the_outcome_when_it_is_made(db, nankai, name):
    facts = SOUND | SUBJECTS[name]
    now, found = turned(nankai, **SUBJECTS[name])
    assert now.outcome == judged_at(nankai, facts)
    assert found
    for turn in found:
        limits = {one.name: str(one.nearest) for one in turn.changes if one.kind == "parameter"}
        values = {key: value for key, value in changed(turn).items() if key not in limits}
        assert judged_at(nankai.with_values(limits), facts | values) == turn.outcome != now.outcome, turn


@pytest.mark.parametrize("name", SUBJECTS)
def test_one_step_before_the_nearest_value_nothing_has_turned(db, nankai, name):
    """The claim is exact at the measure's decimals: the value before it still gives another outcome."""
    facts = SOUND | SUBJECTS[name]
    now, found = turned(nankai, **SUBJECTS[name])
    looked = 0
    for turn in found:
        (change, *others) = turn.changes
        if others or change.kind != "measure" or not isinstance(change.now, Decimal):
            continue
        step = Decimal(1).scaleb(-MEASURES[change.name].decimals)
        before = change.nearest - step if change.nearest > change.now else change.nearest + step
        assert judged_at(nankai, facts | {change.name: before}) != turn.outcome, turn
        looked += 1
    assert looked or None in facts.values() or len(found[0].changes) > 1


def test_the_values_on_both_sides_of_a_limit_are_told_to_the_last_decimal(db, nankai):
    _now, found = turned(nankai)
    far = one_of(found, "candidate", "far").changes[0]
    assert (far.now, far.nearest, far.least, far.most) == (Decimal("1.50"), Decimal("0.99"), None, Decimal("0.99"))
    limit = next(t.changes[0] for t in found if t.changes[0].name == "far_min")
    assert (limit.kind, limit.nearest, limit.least, limit.most) == ("parameter", Decimal("1.51"), Decimal("1.51"), None)


def test_two_rules_that_are_met_are_told_together_and_neither_alone(db, nankai):
    _now, found = turned(nankai, **SUBJECTS["low FAR and low tax"])
    assert not [t for t in found if t.outcome == "not_low" and t.category == "industrial" and len(t.changes) == 1]
    both = one_of(found, "not_low", "far", "tax_ratio")
    assert [one.nearest for one in both.changes] == [Decimal("1.00"), Decimal("0.4000")]
    assert set(both.rules) == {"IND-FAR", "IND-TAX"}


def test_an_exemption_is_left_by_what_exempts_and_the_flag_by_what_flags(db, nankai):
    _now, found = turned(nankai, **SUBJECTS["exempt"])
    assert one_of(found, "candidate", "above_scale").changes[0].nearest is False
    assert one_of(found, "not_low", "far").changes[0].nearest == Decimal("1.00")
    _now, twice = turned(nankai, **SUBJECTS["twice exempt"])
    assert not [t for t in twice if t.outcome == "candidate" and t.category == "industrial" and len(t.changes) == 1]
    assert one_of(twice, "candidate", "above_scale", "strategic")


def test_what_is_unknown_says_which_values_would_decide_and_how(db, nankai):
    now, found = turned(nankai, far=None)
    assert now.outcome == "undecided"
    low, sound = one_of(found, "candidate", "far").changes[0], one_of(found, "not_low", "far").changes[0]
    assert (low.least, low.most) == (None, Decimal("0.99"))
    assert (sound.least, sound.most) == (Decimal("1.00"), None)


def test_two_unknowns_are_not_decided_as_sound_by_one_of_them(db, nankai):
    _now, found = turned(nankai, far=None, tax_ratio=None)
    assert not [t for t in found if t.outcome == "not_low" and t.category == "industrial" and len(t.changes) == 1]
    assert one_of(found, "not_low", "far", "tax_ratio")
    assert one_of(found, "candidate", "far")


def test_a_share_is_never_told_to_be_more_than_the_whole(db, nankai):
    for facts in SUBJECTS.values():
        for turn in turned(nankai, **facts)[1]:
            for one in turn.changes:
                if one.name in ("vacancy", "mismatch", "construction_share", "boundary_min"):
                    assert 0 <= one.nearest <= 1


def test_a_condition_comes_apart_with_its_negations_taken_in(nankai):
    rule = nankai.rule("IDLE-STOPPED")
    found = tree(rule, nankai.params, "x_")
    assert isinstance(found, Joined)
    assert [(one.measure, one.op, one.param) for one in thresholds(found)][1:] == [
        ("stopped_for", ">=", "idle_stop_years"),
        ("developed_share", "<", "idle_developed_min"),
        ("investment_share", "<", "idle_investment_min"),
    ]


WELL = {"safety_grade": "A", "vacant_m2": 0, "built_year": 2015}


@pytest.fixture
def works(db):
    """A parcel of 100 × 100 m with FAR 0.5, judged on its own tax."""
    land = Land(layers=ALL)
    land.patch("0601", (0, 0, 100, 100))
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100), floors=1, **WELL)
    land.firm(parcel, tax=150_000, grade="B")
    land.patch("0601", (0, 400, 100, 500))
    other = land.parcel((0, 400, 100, 500))
    land.building((0, 400, 50, 500), floors=3, **WELL)
    land.firm(other, tax=150_000, grade="B")
    return parcel


@pytest.mark.rows("NK011", "NK012")
def test_the_card_tells_the_change_and_the_land_that_is_changed_so_is_judged_so(works):
    told = explain(works.code, "nankai-2024", grants=OFFICE)
    assert told["outcome"] == "candidate"
    (way,) = (
        one
        for one in told["would_change"]
        if one["outcome"] == "not_low" and one["same_category"] and one["changes"][0]["kind"] == "measure"
    )
    (change,) = way["changes"]
    assert (change["name"], change["now"], change["least"], change["most"]) == ("far", 0.5, 1, None)
    Building.objects.filter(floors=1).update(floors=2)  # FAR 1.00, what was told
    assert explain(works.code, "nankai-2024", grants=OFFICE)["outcome"] == "not_low"
    far = next(one for one in told["rules"] if one["id"] == "IND-FAR")["thresholds"][0]
    assert (far["measure"], far["op"], far["limit"], far["param"], far["verdict"]) == ("far", "<", 1, "far_min", True)
    assert (far["source"], far["value"]) == ("buildings", 0.5)


def test_no_change_and_no_comparison_tells_a_figure_to_who_may_not_know_it(works):
    sound = Parcel.objects.exclude(pk=works.pk).get()  # low tax alone would have it suspected
    told = explain(sound.code, "nankai-2024", grants=ANALYST)
    closed = {name for name, one in MEASURES.items() if one.restricted}
    assert told["withheld"]
    rules = sets.load("nankai-2024")
    for way in told["would_change"]:
        read = {name for rule in way["rules"] for name in rules.rule(rule).condition.measures}
        assert not closed & (read | {one["name"] for one in way["changes"]})
    lines = [line for rule in told["rules"] for line in rule["thresholds"] if line["measure"] in closed]
    assert lines
    assert all(line["hidden"] and line["value"] is None and line["verdict"] is None for line in lines)
    known = explain(sound.code, "nankai-2024", grants=OFFICE)
    assert not known["withheld"]
    assert "tax_ratio" in {change["name"] for way in known["would_change"] for change in way["changes"]}


def test_numbers_of_measures_are_compared_at_their_decimals():
    assert all(one.decimals <= 6 for one in MEASURES.values() if one.type == NUMBER)
