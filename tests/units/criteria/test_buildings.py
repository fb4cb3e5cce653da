"""What is measured of buildings beyond their floor area: vacancy, safety, age, and office buildings by themselves."""

from decimal import Decimal

import pytest

from tests.units.criteria.drawn import ALL, Land, measured


@pytest.fixture
def land(db):
    return Land()


@pytest.mark.rows("NK035")
def test_three_thousand_of_ten_thousand_square_metres_empty_are_30_per_cent(land):
    parcel = land.parcel((0, 0, 100, 100), use="05H1")
    tower = land.building((0, 0, 50, 100), floor_area=10_000, vacant_m2=3000, extra={"KZQSSJ": "20211231"}, use="30")
    for subject in (parcel, tower):
        found = measured(land, subject)
        assert found["vacancy"] == Decimal("0.3000")
        assert found["vacant_months"] == Decimal("12.00")
        assert found["idle_months"] == 0
        assert found["floor_area_m2"] == Decimal("10000.00")


def test_a_parcel_weighs_its_buildings_by_floor_area_and_by_what_stands_on_it(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floor_area=6000, vacant_m2=0)
    land.building((90, 0, 110, 50), floor_area=8000, vacant_m2=8000, extra={"KZQSSJ": "2022-01-01"})
    assert measured(land, parcel)["vacancy"] == Decimal("0.4000"), "half of the second stands here: 4,000 of 10,000"


def test_vacancy_lasts_since_the_last_part_became_empty(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floor_area=1000, vacant_m2=1000, extra={"KZQSSJ": "20200101"})
    land.building((0, 50, 50, 100), floor_area=1000, vacant_m2=1000, extra={"KZQSSJ": "20220630"})
    found = measured(land, parcel)
    assert (found["vacancy"], found["vacant_months"], found["idle_months"]) == (1, Decimal("6.03"), Decimal("6.03"))


@pytest.mark.parametrize(
    ("since", "months"),
    [("20211231", "12.00"), ("20220101", "11.97"), ("20211230", "12.03"), ("20230101", "0.00"), ("20201231", "24.00")],
)
def test_months_are_counted_by_the_calendar_to_the_last_day_of_the_year(land, since, months):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floor_area=1000, vacant_m2=500, extra={"KZQSSJ": since})
    assert measured(land, parcel)["vacant_months"] == Decimal(months)


@pytest.mark.parametrize(("since", "vacancy"), [("20221231", "0.75"), ("20230101", "0.25")])
def test_what_became_empty_after_the_year_of_the_survey_was_not_empty_in_it(land, since, vacancy):
    parcel = land.parcel((0, 0, 100, 100), use="05H1")
    first = land.building((0, 0, 50, 50), floor_area=500, use="30", vacant_m2=500, extra={"KZQSSJ": since})
    land.building((50, 50, 90, 90), floor_area=500, use="30", vacant_m2=250, extra={"KZQSSJ": "20201231"})
    found = measured(land, parcel)
    assert found["vacancy"] == Decimal(vacancy)
    assert found["vacant_months"] == (0 if since == "20221231" else 24)
    assert measured(land, first)["vacancy"] == (1 if since == "20221231" else 0)


@pytest.mark.parametrize("since", [None, "", "去年", "20210230", "2021"])
def test_a_day_that_is_none_leaves_the_months_unknown_and_not_the_vacancy(land, since):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floor_area=1000, vacant_m2=500, extra={} if since is None else {"KZQSSJ": since})
    found = measured(land, parcel)
    assert (found["vacancy"], found["vacant_months"], found["idle_months"]) == (Decimal("0.5"), None, 0)
    assert found["gaps"]["vacant_months"] == "building.vacant_since"


def test_one_building_without_a_figure_leaves_the_vacancy_unknown_and_names_whom_to_ask(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floor_area=1000, vacant_m2=1000)
    land.building((50, 0, 90, 50), floor_area=1000)
    found = measured(land, parcel)
    assert (found["vacancy"], found["gaps"]["vacancy"]) == (None, "building.vacant_m2")


def test_where_nothing_stands_nothing_is_empty_and_nothing_unsafe(land):
    found = measured(land, land.parcel((0, 0, 100, 100)))
    assert (found["vacancy"], found["vacant_months"], found["unsafe_share"]) == (0, 0, 0)
    assert (found["built_year_max"], found["gaps"]["built_year_max"]) == (None, "building.built_year")


def test_unsafe_buildings_are_counted_by_number(land):
    parcel = land.parcel((0, 0, 100, 100))
    for x, grade in ((0, "A"), (20, "B"), (40, "C"), (60, "D")):
        land.building((x, 0, x + 10, 10), floors=1, safety_grade=grade)
    land.building((99.99, 50, 120, 60), floors=1, safety_grade="D")  # a wall drawn a centimetre over the border
    assert measured(land, parcel)["unsafe_share"] == Decimal("0.5000")
    land.building((80, 0, 90, 10), floors=1)
    found = measured(land, parcel)
    assert (found["unsafe_share"], found["gaps"]["unsafe_share"]) == (None, "building.safety_grade")


def test_the_newest_building_tells_whether_an_estate_is_old(land):
    parcel = land.parcel((0, 0, 100, 100), use="0701")
    land.building((0, 0, 10, 10), floors=1, built_year=1987)
    land.building((20, 0, 30, 10), floors=1, built_year=2001)
    assert measured(land, parcel)["built_year_max"] == 2001


def test_office_buildings_are_subjects_of_their_own(land):
    office, works = land.parcel((0, 0, 100, 100), use="05H1"), land.parcel((200, 0, 300, 100))
    shop = land.building((200, 0, 220, 20), floors=1, use="30")  # trade, wherever it stands
    told_by_its_land = land.building((0, 0, 20, 20), floors=1)
    desks = land.building((30, 0, 50, 20), floors=1, use="60")
    homes = land.building((60, 0, 80, 20), floors=1, use="10")
    shed = land.building((0, 60, 20, 80), floors=1, use="30", temporary=True)
    rulers = land.building((250, 0, 270, 20), floors=1, use="60")
    rows = measured(land)
    assert set(rows) == {office.pk, works.pk, -shop.pk, -told_by_its_land.pk, -desks.pk}
    assert {homes.pk, shed.pk, rulers.pk}.isdisjoint(-key for key in rows)
    assert rows[-shop.pk]["building_category"] == "office"
    assert rows[-shop.pk]["far"] is None
    assert rows[-shop.pk]["floor_area_m2"] == pytest.approx(400, abs=0.02)


def test_a_building_has_the_control_layers_of_the_parcel_it_stands_on(db):
    land = Land(layers=ALL)
    land.parcel((0, 0, 100, 100), use="05H1")
    land.control("ecological_red_line", (60, 0, 100, 100))
    inside = land.building((0, 0, 20, 20), floors=1, use="30")
    outside = land.building((500, 500, 520, 520), floors=1, use="30")
    assert measured(land, inside)["ecological_red_line_share"] == Decimal("0.4000")
    found = measured(land, outside)
    assert found["ecological_red_line_share"] is None
    assert found["gaps"]["ecological_red_line_share"] == "building.parcel"
