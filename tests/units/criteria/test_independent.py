"""Each measure, verdict and outcome of the demo district is the same when computed again without the product's code."""

import json
from collections import Counter
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction

from tests.units.criteria import by_hand, recomputed, recomputed_facts
from units import flagging, measuring
from units.criteria import sets
from units.criteria.measures import MEASURES
from units.models import Flag

pytestmark = pytest.mark.rows("NK012", "NK019", "NK020")

DISTRICT, CRITERIA = "120104", "nankai-2024"
DECIMALS = recomputed.DECIMALS | recomputed_facts.DECIMALS
# Two programs that add the same areas in another order differ in the last bits. Where a value lies that near the middle
# between two rounded ones, one may go up and the other down; anywhere else rounded values must be equal.
NEAR = 1e-7


@pytest.fixture(scope="module")
def both(django_db_setup, django_db_blocker, databases, demo_database):
    """(what the product measured, what was recomputed, the flags) of the demo district, in a copy of its database."""
    name = databases.clone(demo_database)
    with django_db_blocker.unblock():
        databases.use(name)
        flagging.flag(DISTRICT, CRITERIA, changed=True)  # what forms of the demo's campaign wrote into the registers
        url = urlsplit(databases.app_url)._replace(path=f"/{name}").geturl()
        again = recomputed.Recomputed(recomputed.read(url, DISTRICT))
        recomputed_facts.Further(again, url, DISTRICT)
        with transaction.atomic(), connection.cursor() as cursor:
            measuring.measure(cursor, measuring.Base.of(DISTRICT))
            cursor.execute("SELECT * FROM measured")
            columns = [column.name for column in cursor.description]
            measured = {row[columns.index("subject")]: dict(zip(columns, row, strict=True)) for row in cursor}
        flags = {
            flag.parcel_id or -flag.building_id: flag
            for flag in Flag.objects.filter(district_id=DISTRICT, criteria=CRITERIA)
        }
        yield measured, again, flags
        databases.use(databases.process_database)
    databases.drop(name)


@pytest.fixture
def subjects(both):
    """Subject of the product (a building below nought) → (kind, what was recomputed of it)."""
    _measured, again, _flags = both
    parcels = {number: ("parcel", told) for number, told in again.parcels.items()}
    return parcels | {-number: ("building", told) for number, told in again.buildings.items()}


def test_the_same_parcels_and_office_buildings_are_subjects(both, subjects):
    measured, again, flags = both
    assert set(measured) == set(flags) == set(subjects)
    assert len(again.parcels) == len(again.rows.parcels) == 1500
    assert len(again.buildings) > 300


def test_no_measure_is_left_out(both):
    _measured, again, _flags = both
    told = {name for one in (*again.parcels.values(), *again.buildings.values()) for name in one}
    assert set(MEASURES) <= told, "a measure of the product is not recomputed"
    numbers = {name: one.decimals for name, one in MEASURES.items() if one.type == "number"}
    assert numbers == {name: places for name, places in DECIMALS.items() if name in numbers}
    assert set(DECIMALS) == set(numbers)


# What is known of every subject of the demo: its layers are all delivered, and nought is an answer.
ALWAYS = {name for name, one in MEASURES.items() if one.source in ("control", "units") and one.family != "plan"}
ALWAYS |= {"main_class", "main_class_share", "covered_share", "use_category", "class_category", "coverage", "buildings"}
ALWAYS |= {"area_m2", "documented_m2", "area_difference", "registered_use", "use_scheme", "building_category", "firms"}
ALWAYS |= {"floor_tax_mean", "floor_tax_peers", "contracts", "land_owner", "right_nature", "index_coverage"}
ALWAYS |= {"index_output_per_mu", "index_investment_per_mu", "coverage_index_ratio"}


def test_every_measure_is_known_of_some_subjects_and_unknown_of_others(both):
    measured, _again, _flags = both
    known = {name for name in MEASURES if any(row[name] is not None for row in measured.values())}
    assert known == set(MEASURES)
    lacking = {
        name
        for name, one in MEASURES.items()
        if any(row[name] is None for row in measured.values() if row["kind"] in one.subjects)
    }
    assert set(MEASURES) - lacking <= ALWAYS, "of the demo nobody sees how it looks where this is missing"


def test_values_lie_at_the_limits_that_rules_set(both):
    """Facts of the drawing that stand exactly at a limit: of days, of an index, of half."""
    measured, _again, _flags = both

    def values(name):
        return {row[name] for row in measured.values()}

    assert 24 in values("reported_idle_months")  # two years to the day
    assert 1 in values("tax_index_ratio")  # as much as the index asks
    assert {0, 2, 3} <= values("no_tax_years")
    assert {"idle", "overdue", "unfinished", "completed", "building"} <= values("supply_state")
    assert {"eliminated", "restricted", "none"} <= values("sector_class")
    assert {"2011", "2017"} <= values("sector_edition")
    assert {0, 2000} <= values("metro_distance")
    assert any(row["half_empty_months"] and row["vacancy"] == Decimal("0.5") for row in measured.values())


@pytest.mark.parametrize("name", MEASURES)
def test_every_subject_has_the_same_value_of(name, both, subjects):
    measured, _again, _flags = both
    wrong = []
    for subject, (kind, told) in subjects.items():
        ours, theirs = told.get(name), measured[subject][name]
        if name in DECIMALS and ours is not None and theirs is not None:
            fine = theirs == recomputed.half_up(ours, MEASURES[name].decimals) or tie(ours, theirs, name)
        else:
            fine = ours == theirs
        if not fine:
            wrong.append((kind, subject, f"recomputed {ours}", f"product {theirs}"))
    assert not wrong, f"{len(wrong)} of {len(subjects)}, the first: {wrong[:5]}"


def tie(ours, theirs: Decimal, name: str) -> bool:
    """Whether the unrounded value lies at the middle between two rounded ones, so that either is right."""
    step = Decimal(1).scaleb(-MEASURES[name].decimals)
    return abs(abs(Decimal(f"{ours:.15g}") - theirs) - step / 2) <= Decimal(NEAR) * max(step, abs(theirs))


def test_every_subject_has_the_same_category_outcome_and_rules(both, subjects):
    _measured, _again, flags = both
    wrong, outcomes = [], Counter()
    for subject, (kind, told) in subjects.items():
        flag, mine = flags[subject], by_hand.judge(kind, told)
        outcomes[kind, mine["outcome"]] += 1
        theirs = (flag.category, flag.outcome, set(flag.fired), flag.evidence["exemption_pending"])
        if theirs != (mine["category"], mine["outcome"], mine["fired"], mine["pending"]):
            wrong.append((kind, subject, "by hand", mine["outcome"], mine["fired"], "product", *theirs))
    assert not wrong, f"{len(wrong)} of {len(subjects)}, the first: {wrong[:5]}"
    # A comparison of nothing but not_low would prove little.
    assert {outcome for kind, outcome in outcomes if kind == "parcel"} == set(Flag.Outcome.values)
    assert {"candidate", "undecided", "excluded", "not_low"} <= {two for one, two in outcomes if one == "building"}


def test_every_rule_that_decides_has_the_same_verdict_on_every_subject(both, subjects):
    _measured, _again, flags = both
    wrong, seen = [], Counter()
    for subject, (kind, told) in subjects.items():
        theirs = {
            one["id"]: one["verdict"]
            for one in flagging.evidence_of(flags[subject])["rules"]
            if one["effect"] in ("flag", "exclude", "exempt")
        }
        mine = by_hand.judge(kind, told)["verdicts"]
        seen.update((rule, verdict) for rule, verdict in mine.items())
        wrong += [
            (kind, subject, rule, f"by hand {mine.get(rule, 'not asked')}", f"product {theirs.get(rule, 'not asked')}")
            for rule in mine | theirs
            if mine.get(rule, "") is not theirs.get(rule, "")
        ]
    assert not wrong, f"{len(wrong)}, the first: {wrong[:5]}"
    unmet = {rule for rule in by_hand.RULES if not seen[rule, True]} | {
        rule for rule in by_hand.RULES if not seen[rule, False]
    }
    assert not unmet, f"the demo district has no subject that meets, or none that fails: {sorted(unmet)}"


def test_no_rule_that_decides_is_left_out():
    deciding = {
        rule.id: rule.effect for rule in sets.load(CRITERIA).rules if rule.effect in ("flag", "exclude", "exempt")
    }
    assert deciding == {name: rule[0] for name, rule in by_hand.RULES.items()}


def test_the_value_that_is_kept_as_evidence_is_the_one_that_was_measured(both, subjects):
    measured, _again, flags = both
    for subject in subjects:
        for name, kept in flags[subject].evidence["inputs"].items():
            value = measured[subject][name]
            assert (kept is None) == (value is None), (subject, name)
            assert value is None or (
                kept == value if not isinstance(value, Decimal) else Decimal(json.dumps(kept)) == value
            )
