"""Delays and shares of supply contracts, on the day, a day before and a day after."""

from decimal import Decimal

import pytest

from tests.units.criteria.drawn import ALL, Land, measured


@pytest.fixture
def land(db):
    return Land(layers=ALL)


@pytest.fixture
def parcel(land):
    return land.parcel((0, 0, 100, 100))


NAMES = ("start_overdue", "completion_overdue", "completed_for", "stopped_for", "investment_share", "developed_share")


def test_without_a_contract_on_file_nothing_is_told_from_one(land, parcel):
    found = measured(land, parcel)
    assert found["contracts"] == 0
    assert {name: found[name] for name in NAMES} == dict.fromkeys(NAMES)
    assert {name: found["gaps"][name] for name in NAMES} == dict.fromkeys(NAMES, "contract")


def test_a_contract_signed_after_the_year_of_the_survey_is_not_on_file_yet(land, parcel):
    land.contract(parcel, signed_on="2023-01-01", start_agreed="2020-01-01", completion_agreed="2030-01-01")
    assert measured(land, parcel)["contracts"] == 0
    land.contract(parcel, signed_on="2022-12-31", start_agreed="2023-06-30", completion_agreed="2030-01-01")
    assert (measured(land, parcel)["contracts"], measured(land, parcel)["start_overdue"]) == (1, 0)


@pytest.mark.parametrize(
    "contradiction",
    [{"developed": 1}, {"investment_actual_cny": 1}, {"investment_actual_cny": 100, "developed": 10_000}],
)
def test_a_blank_start_is_a_missing_report_where_something_was_done(land, parcel, contradiction):
    common = {"start_agreed": "2020-01-01", "completion_agreed": "2030-01-01", "area_m2": 10_000}
    land.contract(parcel, **common | contradiction)
    found = measured(land, parcel)
    assert (found["start_overdue"], found["gaps"]["start_overdue"]) == (None, "contract.start_actual")


def test_a_blank_start_is_a_missing_report_where_a_permanent_building_stands(land, parcel):
    land.contract(
        parcel, developed=0, start_agreed="2020-12-31", completion_agreed="2030-01-01", investment_actual_cny=0
    )
    shed = land.building((10, 10, 20, 20), floors=1, temporary=True)
    assert measured(land, parcel)["start_overdue"] == 2
    land.building((30, 30, 40, 40), floors=1)
    found = measured(land, parcel)
    assert shed.temporary
    assert (found["start_overdue"], found["gaps"]["start_overdue"]) == (None, "contract.start_actual")


def test_a_blank_start_says_nothing_where_nobody_knows_what_stands(db):
    land = Land(layers=("dltb", "contract"))
    parcel = land.parcel((0, 0, 100, 100))
    land.contract(parcel, start_agreed="2020-12-31", completion_agreed="2030-01-01")
    found = measured(land, parcel)
    assert (found["start_overdue"], found["gaps"]["start_overdue"]) == (None, "buildings")


@pytest.mark.parametrize("day", ["start_actual", "stopped_on", "completion_actual"])
def test_who_started_stopped_or_finished_has_begun(land, parcel, day):
    land.building((30, 30, 40, 40), floors=1)
    land.contract(
        parcel, developed=500, start_agreed="2020-12-31", completion_agreed="2030-01-01", **{day: "2021-06-30"}
    )
    assert measured(land, parcel)["start_overdue"] == 0


def test_a_start_that_is_dated_later_was_not_made_whatever_stands(land, parcel):
    land.building((30, 30, 40, 40), floors=1)
    land.contract(parcel, start_agreed="2020-12-31", start_actual="2023-01-01", completion_agreed="2030-01-01")
    assert measured(land, parcel)["start_overdue"] == 2


@pytest.mark.parametrize(
    ("dates", "overdue", "completed", "gap"),
    [
        ({}, None, None, "contract.completion_actual"),
        ({"stopped_on": "2021-12-31"}, 2, 0, None),
        ({"completion_actual": "2023-06-30"}, 2, 0, None),
        ({"completion_actual": "2021-12-31"}, 0, 1, None),
        ({"completion_agreed": "2023-12-31"}, 0, None, None),
    ],
)
def test_a_blank_completion_is_a_missing_report_where_all_is_developed(land, parcel, dates, overdue, completed, gap):
    common = {"start_agreed": "2018-01-01", "start_actual": "2018-01-01", "completion_agreed": "2020-12-31"}
    land.contract(parcel, developed=10_000, area_m2=10_000, **common | dates)
    found = measured(land, parcel)
    assert (found["completion_overdue"], found["completed_for"]) == (overdue, completed)
    assert found["gaps"].get("completion_overdue") == gap


def test_a_part_developed_does_not_contradict_a_blank_completion(land, parcel):
    land.contract(parcel, developed=9999, area_m2=10_000, start_actual="2018-01-01", completion_agreed="2020-12-31")
    assert measured(land, parcel)["completion_overdue"] == 2


@pytest.mark.parametrize(
    ("agreed", "started", "years"),
    [
        ("2021-12-31", None, "1"),
        ("2021-12-30", None, "1.0027"),
        ("2022-01-01", None, "0.9973"),
        ("2023-06-30", None, "0"),
        ("2020-01-01", "2022-12-31", "0"),
        ("2020-12-31", "2023-01-01", "2"),
    ],
)
def test_a_start_is_overdue_until_it_is_made_and_no_later_day_is_known(land, parcel, agreed, started, years):
    land.contract(parcel, start_agreed=agreed, start_actual=started, completion_agreed="2030-01-01")
    assert measured(land, parcel)["start_overdue"] == Decimal(years)


@pytest.mark.parametrize(
    ("agreed", "completed", "overdue", "since"),
    [
        ("2020-12-31", None, "2", "0"),
        ("2021-01-01", None, "1.9973", "0"),
        ("2020-12-30", None, "2.0027", "0"),
        ("2016-02-29", "2020-12-31", "0", "2"),
        ("2023-01-01", "2024-01-01", "0", "0"),
    ],
)
def test_a_completion_is_overdue_until_it_is_made(land, parcel, agreed, completed, overdue, since):
    land.contract(
        parcel,
        start_agreed="2010-01-01",
        start_actual="2010-01-01",
        completion_agreed=agreed,
        completion_actual=completed,
    )
    found = measured(land, parcel)
    assert (found["completion_overdue"], found["completed_for"]) == (Decimal(overdue), Decimal(since))


@pytest.mark.parametrize(("stopped", "years"), [("2021-12-31", "1"), ("2022-01-01", "0.9973"), (None, "0")])
def test_work_stands_still_since_it_was_stopped(land, parcel, stopped, years):
    land.contract(parcel, start_agreed="2015-01-01", completion_agreed="2030-01-01", stopped_on=stopped)
    assert measured(land, parcel)["stopped_for"] == Decimal(years)


def test_a_missing_day_is_asked_for_only_where_it_matters(land, parcel):
    land.contract(parcel)
    found = measured(land, parcel)
    assert (found["start_overdue"], found["gaps"]["start_overdue"]) == (None, "contract.start_agreed")
    assert found["gaps"]["completion_overdue"] == "contract.completion_agreed"
    done = land.parcel((200, 0, 300, 100))
    land.contract(done, completion_actual="2020-01-01")
    found = measured(land, done)
    assert (found["start_overdue"], found["completion_overdue"]) == (0, 0)


def test_shares_are_of_the_sums_and_delays_are_the_longest(land, parcel):
    common = {"start_actual": "2018-01-01", "completion_agreed": "2022-06-30"}
    land.contract(parcel, 500, area_m2=1000, investment_agreed_cny=1_000_000, investment_actual_cny=250_000, **common)
    land.contract(
        parcel,
        0,
        area_m2=3000,
        investment_agreed_cny=3_000_000,
        investment_actual_cny=750_000,
        **common | {"completion_agreed": "2019-12-31"},
    )
    found = measured(land, parcel)
    assert found["contracts"] == 2
    assert (found["investment_share"], found["developed_share"]) == (Decimal("0.25"), Decimal("0.125"))
    assert found["completion_overdue"] == 3


def test_a_contract_that_lacks_a_figure_names_it(land, parcel):
    land.contract(parcel, area_m2=1000, start_actual="2018-01-01", completion_agreed="2030-01-01")
    gaps = measured(land, parcel)["gaps"]
    assert (gaps["investment_share"], gaps["developed_share"]) == (
        "contract.investment_agreed",
        "contract.developed_area",
    )
