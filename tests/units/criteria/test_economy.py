"""Tax and firms of parcels and office buildings, apportioned by hand."""

from datetime import date
from decimal import Decimal

import pytest

from tests.units.criteria.drawn import ALL, SHEETS, Land, measured
from units.models import EnterpriseYear, Occupancy, Parcel

MU = 10_000 / 15


@pytest.fixture
def land(db):
    return Land(layers=ALL)


def square(land, number, side=100, use="0601"):
    return land.parcel((number * 300, 0, number * 300 + side, side), use=use)


def mu(*parcels):
    return sum(Parcel.objects.get(pk=parcel.pk).area_m2 for parcel in parcels) / MU


def near(value, of):
    return value == pytest.approx(Decimal(str(round(of, 4))), abs=Decimal("0.006"))


@pytest.mark.rows("NJ001")
def test_tax_per_mu_is_in_ten_thousand_yuan(land):
    parcel = square(land, 0)
    land.firm(parcel, tax=1_500_000, output=45_000_000)
    found = measured(land, parcel)
    assert near(found["tax_per_mu"], 150 / mu(parcel))
    assert near(found["output_per_mu"], 4500 / mu(parcel))
    assert (found["firms"], found["sector"], found["sector_division"]) == (1, "3311", "33")


def test_a_firm_on_several_parcels_is_split_by_floor_area_else_by_land(land):
    first, second = square(land, 0), square(land, 1)
    land.firm(first, second, tax=1_000_000, floor_area=(3000, 1000), land_area=(1, 1))
    rows = measured(land)
    assert near(rows[first.pk]["tax_per_mu"], 75 / mu(first))
    assert near(rows[second.pk]["tax_per_mu"], 25 / mu(second))
    third, fourth = square(land, 2), square(land, 3)
    land.firm(third, fourth, tax=1_000_000, floor_area=(3000, None), land_area=(2000, 8000))
    rows = measured(land)
    assert near(rows[third.pk]["tax_per_mu"], 20 / mu(third))
    assert near(rows[fourth.pk]["tax_per_mu"], 80 / mu(fourth))


def test_a_firm_on_several_parcels_of_which_no_areas_are_known_tells_of_none(land):
    first, second = square(land, 0), square(land, 1)
    land.firm(first, second, tax=1_000_000, floor_area=(3000, None))
    for parcel in (first, second):
        found = measured(land, parcel)
        assert (found["tax_per_mu"], found["gaps"]["tax_per_mu"]) == (None, "occupancy.area")


def test_many_firms_on_one_parcel_are_summed_and_one_without_a_figure_makes_it_unknown(land):
    parcel = square(land, 0)
    land.firm(parcel, tax=500_000, floor_area=100)
    land.firm(parcel, tax=250_000, floor_area=300)
    assert near(measured(land, parcel)["tax_per_mu"], 75 / mu(parcel))
    land.firm(parcel, tax=None, floor_area=300)
    found = measured(land, parcel)
    assert (found["tax_per_mu"], found["tax_ratio"]) == (None, None)
    assert found["gaps"]["tax_per_mu"] == "enterprise.tax"


def test_a_firm_without_a_row_of_the_year_is_unknown_and_never_nought(land):
    parcel = square(land, 0)
    firm = land.firm(parcel, year=False)
    EnterpriseYear.objects.create(enterprise=firm, year=2021, tax_cny=100)
    assert measured(land, parcel)["gaps"]["tax_ratio"] == "enterprise.tax"


def test_where_no_firm_is_known_nothing_is_known_of_the_economy(land):
    found = measured(land, square(land, 0))
    assert (found["firms"], found["tax_per_mu"], found["above_scale"], found["violation_open"]) == (0, None, None, None)
    assert found["gaps"]["tax_per_mu"] == found["gaps"]["production_years"] == "occupancy"


def test_without_the_registers_not_even_the_number_of_firms_is_known(db):
    land = Land(layers=[layer for layer in ALL if layer not in SHEETS])
    found = measured(land, square(land, 0))
    assert (found["firms"], found["gaps"]["firms"], found["gaps"]["tax_ratio"]) == (None, "enterprises", "enterprises")
    assert (found["contracts"], found["gaps"]["start_overdue"]) == (None, "contracts")


@pytest.mark.parametrize(("since", "until", "there"), [("2023-01-01", None, 0), (None, "2022-12-30", 0)])
def test_who_is_not_there_on_the_last_day_of_the_year_does_not_count(land, since, until, there):
    parcel = square(land, 0)
    land.firm(parcel, tax=1)
    Occupancy.objects.update(since=since, until=until)
    assert measured(land, parcel)["firms"] == there
    Occupancy.objects.update(since="2022-12-31", until="2022-12-31")
    assert measured(land, parcel)["firms"] == 1


def test_a_parcel_is_compared_with_all_the_tax_over_all_the_land_of_the_others_of_its_sector(land):
    low, high, unknown, other = (
        square(land, number, side) for number, side in ((0, 100), (1, 200), (2, 100), (3, 100))
    )
    land.firm(low, tax=100_000)
    land.firm(high, tax=4_900_000)
    land.firm(unknown, tax=None)
    land.firm(other, tax=9_000_000, sector="4011")
    rows = measured(land)
    assert near(rows[low.pk]["sector_tax_mean"], 490 / mu(high))
    assert near(rows[high.pk]["sector_tax_mean"], 10 / mu(low))
    assert near(rows[unknown.pk]["sector_tax_mean"], 500 / mu(low, high))
    assert [rows[one.pk]["sector_peers"] for one in (low, high, unknown)] == [1, 1, 2]
    assert near(rows[low.pk]["tax_ratio"], (10 / mu(low)) / (490 / mu(high)))


def test_the_only_parcel_of_a_sector_is_compared_with_nothing(land):
    parcel = square(land, 0)
    land.firm(parcel, tax=9_000_000)
    found = measured(land, parcel)
    assert (found["sector_peers"], found["sector_tax_mean"], found["tax_ratio"]) == (0, None, None)
    assert found["gaps"]["tax_ratio"] == found["gaps"]["sector_tax_mean"] == "sector.mean"
    unpaid = square(land, 1)
    land.firm(unpaid, tax=0)
    found = measured(land, parcel)
    assert (found["sector_peers"], found["sector_tax_mean"], found["tax_ratio"]) == (1, 0, None)
    assert measured(land, unpaid)["tax_ratio"] == 0


def test_the_sector_of_a_parcel_is_that_of_the_firms_that_use_most_of_it(land):
    parcel = square(land, 0)
    land.firm(parcel, tax=1, floor_area=400, sector="4011")
    land.firm(parcel, tax=1, floor_area=300, sector="1811")
    land.firm(parcel, tax=1, floor_area=301, sector="1811")
    assert measured(land, parcel)["sector"] == "1811"
    tie = square(land, 1)
    land.firm(tie, tax=1, floor_area=300, sector="4011")
    land.firm(tie, tax=1, floor_area=300, sector="2311")
    assert measured(land, tie)["sector"] == "2311"


@pytest.mark.parametrize(
    ("firms", "above"),
    [
        ([(True, 51), (False, 49)], True),
        ([(True, 50), (False, 50)], False),
        ([(True, 51), (None, 49)], True),
        ([(True, 40), (None, 20), (False, 40)], None),
        ([(True, 40), (None, 10), (False, 50)], False),
        ([(True, None), (True, None)], True),
        ([(True, None), (False, None)], None),
        ([(None, 1)], None),
    ],
)
def test_a_parcel_is_above_scale_where_firms_above_scale_use_more_than_half(land, firms, above):
    parcel = square(land, 0)
    for is_above, floor_area in firms:
        land.firm(parcel, tax=1, floor_area=floor_area, above_scale=is_above, strategic=is_above)
    found = measured(land, parcel)
    assert (found["above_scale"], found["strategic"]) == (above, above)


@pytest.mark.parametrize(
    ("started", "years"),
    [("2019-12-31", "3"), ("2020-01-01", "2.9973"), ("2019-12-30", "3.0027"), ("2024-01-01", "0"), (None, None)],
)
def test_years_in_production_are_whole_on_the_anniversary(land, started, years):
    parcel = square(land, 0)
    land.firm(parcel, tax=1, started_on=started)
    found = measured(land, parcel)["production_years"]
    assert found == (None if years is None else Decimal(years))


def test_the_firm_that_produces_longest_counts(land):
    parcel = square(land, 0)
    land.firm(parcel, tax=1, started_on=date(2022, 1, 1))
    land.firm(parcel, tax=1, started_on=date(2012, 12, 31))
    assert measured(land, parcel)["production_years"] == 10


@pytest.mark.rows("NJ005")
@pytest.mark.parametrize(
    ("extra", "is_open"),
    [
        ({}, False),
        ({"处罚文号": "罚字1号", "是否整改": "是"}, False),
        ({"处罚文号": "罚字1号", "是否整改": "否"}, True),
        ({"处罚文号": "罚字1号"}, None),
    ],
)
def test_a_violation_is_open_until_it_is_put_right(land, extra, is_open):
    parcel = square(land, 0)
    land.firm(parcel, tax=1)
    land.firm(parcel, tax=1, extra=extra)
    found = measured(land, parcel)
    assert found["violation_open"] is is_open
    assert ("violation_open" in found["gaps"]) is (is_open is None)


@pytest.mark.parametrize(
    ("dated", "is_open"), [("2022-12-31", True), ("2023-01-01", False), ("20230615", False), ("", True)]
)
def test_a_penalty_of_a_later_year_was_not_imposed_yet(land, dated, is_open):
    parcel = square(land, 0)
    land.firm(parcel, tax=1, extra={"处罚文号": "罚字1号", "处罚日期": dated, "是否整改": "否"})
    assert measured(land, parcel)["violation_open"] is is_open


@pytest.mark.rows("NJ005")
def test_a_register_without_columns_for_penalties_does_not_say_that_there_is_none(land):
    delivery = land.deliveries["enterprise"]
    delivery.settings = {"further": ["备注"]}
    delivery.save()
    parcel, fined = square(land, 0), square(land, 1)
    land.firm(parcel, tax=1, extra={"备注": "无"})
    found = measured(land, parcel)
    assert (found["violation_open"], found["gaps"]["violation_open"]) == (None, "enterprise.penalty")
    land.firm(fined, tax=1, extra={"处罚文号": "罚字1号", "是否整改": "否"})
    # a row that has one shows that the columns were there, as of a delivery taken before they were written down
    assert measured(land, parcel)["violation_open"] is False
    assert measured(land, fined)["violation_open"] is True


def test_the_worst_grade_counts_and_who_is_not_rated_does_not(land):
    parcel = square(land, 0)
    for grade in ("A", "C", "T"):
        land.firm(parcel, tax=1, grade=grade)
    assert measured(land, parcel)["grade"] == "C"
    land.firm(parcel, tax=1)
    assert measured(land, parcel)["gaps"]["grade"] == "enterprise.grade"


def office(land, number, floors, tax, **firm):
    parcel = square(land, number, use="05H1")
    tower = land.building((number * 300, 0, number * 300 + 50, 100), floor_area=floors, use="30")
    if tax:
        land.firm(parcel, tax=tax, sector="7211", **firm)
    return parcel, tower


def test_tax_per_floor_area_is_compared_with_the_mean_of_the_office_parcels(land):
    low, tower = office(land, 0, 10_000, 1_000_000)
    high, _tower = office(land, 1, 30_000, 11_000_000)
    bare, empty = office(land, 2, 5000, None)
    rows = measured(land)
    for key in (low.pk, -tower.pk):
        assert rows[key]["tax_per_floor_m2"] == 100
        assert (rows[key]["floor_tax_mean"], rows[key]["floor_tax_peers"]) == (300, 2)
        assert rows[key]["floor_tax_ratio"] == Decimal("0.3333")
    for key in (bare.pk, -empty.pk):
        assert (rows[key]["floor_tax_ratio"], rows[key]["gaps"]["floor_tax_ratio"]) == (None, "occupancy")


def test_a_firm_in_a_named_building_counts_there_and_others_over_all_buildings(land):
    parcel, first = office(land, 0, 1000, None)
    second = land.building((60, 0, 90, 100), floor_area=3000, use="30")
    land.firm(parcel, tax=40_000, building=first)
    land.firm(parcel, tax=80_000)
    rows = measured(land)
    assert rows[-first.pk]["tax_per_floor_m2"] == 60  # 40,000 and a quarter of 80,000, on 1,000 m²
    assert rows[-second.pk]["tax_per_floor_m2"] == 20
    assert rows[parcel.pk]["tax_per_floor_m2"] == 30
    assert (rows[-first.pk]["firms"], rows[-second.pk]["firms"], rows[parcel.pk]["firms"]) == (2, 1, 2)
