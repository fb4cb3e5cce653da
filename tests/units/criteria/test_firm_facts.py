"""What firms sell and use, streaks of years, editions of sectors, indices, lists, violations and tenants, by hand."""

from decimal import Decimal

import pytest

from tests.units.criteria.drawn import ALL, Land, measured
from units.models import Benchmark, Enterprise, EnterpriseYear, Occupancy, SectorClass, Violation

MU = 10_000 / 15


@pytest.fixture
def land(db) -> Land:
    return Land(layers=ALL)


def row_of(land, count):
    """So many parcels of 100 × 100 m beside each other."""
    return [land.parcel((150 * n, 0, 150 * n + 100, 100)) for n in range(count)]


def firm(land, parcel, years=None, started="2010-01-01", **options):
    """A firm on a parcel with the figures of several years: {2022: {"tax_cny": 0}}."""
    made = land.firm(parcel, year=False, started_on=started, **options)
    for year, figures in (years or {}).items():
        EnterpriseYear.objects.create(enterprise=made, year=year, **figures)
    return made


def told(land, parcels, *names):
    """The values of these measures, or the gap where one is missing, for each parcel."""
    rows = measured(land)
    found = [tuple(value_of(rows[one.pk], name) for name in names) for one in parcels]
    return [one[0] if len(names) == 1 else one for one in found]


def value_of(row, name):
    if row[name] is None:
        assert row["gaps"].get(name), f"{name} is null and nobody says why"
        return row["gaps"][name]
    assert name not in row["gaps"]
    return row[name]


# --- figures shared out --------------------------------------------------------------------------------------------


@pytest.mark.rows("NJ001", "NJ021")
def test_one_firm_on_many_parcels_and_many_firms_on_one_share_every_figure_out(land):
    several, shared, by_land, nobody_says, alone = row_of(land, 5)
    mu = several.area_m2 / MU
    # 一企多地: 3 : 1 by floor area
    one = land.firm(several, shared, year=False, floor_area=(300, 100), land_area=(1, 1))
    figures = {"sales_cny": 400_000, "energy_tce": 40, "power_kwh": 4000, "water_m3": 80, "output_cny": 800_000}
    EnterpriseYear.objects.create(enterprise=one, year=2022, **figures)
    # 一地多企: the second firm of `shared`, by land where a floor area is missing
    other = land.firm(shared, by_land, year=False, floor_area=(300, None), land_area=(600, 200))
    EnterpriseYear.objects.create(enterprise=other, year=2022, **figures)
    # neither area is known of all its places: nothing can be shared out
    lost = land.firm(nobody_says, by_land, year=False, floor_area=(300, None), land_area=(None, 200))
    EnterpriseYear.objects.create(enterprise=lost, year=2022, **figures)
    firm(land, alone, {2022: {**figures, "sales_cny": None, "energy_tce": 0}})
    found = told(land, [several, shared, by_land, nobody_says, alone], "sales_per_mu", "power_per_mu", "output_per_tce")

    def rounded(value, places):
        return Decimal(f"{value:.12g}").quantize(Decimal(1).scaleb(-places), "ROUND_HALF_UP")

    assert found[0] == (rounded(30 / mu, 2), rounded(3000 / mu, 0), 2)
    assert found[1] == (rounded((10 + 30) / mu, 2), rounded(4000 / mu, 0), 2)
    assert found[2][:2] == found[3][:2] == ("occupancy.area", "occupancy.area")
    assert (found[4][0], found[4][2]) == ("enterprise.sales", "enterprise.energy")  # nought is no divisor


# --- streaks -------------------------------------------------------------------------------------------------------


@pytest.mark.rows("NJ021")
def test_a_streak_is_broken_by_a_figure_and_made_unknown_by_a_missing_year(land):
    nought, some = {"tax_cny": 0, "output_cny": 0}, {"tax_cny": 1, "output_cny": 1}
    parcels = row_of(land, 9)
    firm(land, parcels[0], {2022: nought, 2021: nought, 2020: nought})
    firm(land, parcels[1], {2022: nought, 2021: some})
    firm(land, parcels[2], {2022: nought, 2020: nought})  # nobody knows of 2021
    firm(land, parcels[3], {2021: nought, 2020: nought})  # nor here of 2022
    firm(land, parcels[4], {2022: some})  # whatever was before
    firm(land, parcels[5], {2022: nought, 2021: nought}, started="2021-12-31")  # it began in 2021
    firm(land, parcels[6], {2022: nought, 2021: {}}, started="2021-01-01")  # a row without a figure tells nothing
    firm(land, parcels[7], {2022: some})
    firm(land, parcels[7], {})  # of the neighbour on the parcel nothing is known, and the other paid
    firm(land, parcels[8], {2022: nought, 2021: nought, 2020: nought})
    firm(land, parcels[8], {2022: nought, 2021: some})  # somebody paid on the parcel in 2021
    gap = "enterprise.tax_years"
    assert told(land, parcels, "no_tax_years") == [3, 1, gap, gap, 0, 2, gap, 0, 1]
    gap = "enterprise.output_years"
    assert told(land, parcels, "no_output_years") == [3, 1, gap, gap, 0, 2, gap, 0, 1]


@pytest.mark.rows("NJ099")
def test_the_longest_streak_of_grade_d_counts_and_a_year_without_a_grade_leaves_it_unknown(land):
    worst, fair, blank = {"grade": "D"}, {"grade": "C"}, {"grade": ""}
    parcels = row_of(land, 6)
    firm(land, parcels[0], {2022: worst, 2021: worst, 2020: fair})
    firm(land, parcels[1], {2022: worst, 2021: blank, 2020: worst})
    firm(land, parcels[2], {2022: fair, 2021: worst})
    firm(land, parcels[3], {2022: worst, 2021: worst, 2020: worst})
    firm(land, parcels[3], {})  # no streak is longer than three
    firm(land, parcels[4], {2022: worst}, started="2022-01-01")
    firm(land, parcels[5], {2022: worst, 2021: fair})
    firm(land, parcels[5], {2021: fair})  # whose streak may be of one year too, and no longer
    gap = "enterprise.grade_years"
    assert told(land, parcels, "d_grade_years") == [2, gap, 0, 3, 1, 1]


# --- editions of sectors ---------------------------------------------------------------------------------------------


@pytest.mark.rows("NJ007")
def test_a_mean_is_of_parcels_of_the_same_code_in_the_same_edition_whether_there_are_none_one_or_two(land):
    alone, one, two, three, four, five = row_of(land, 6)
    for parcel, edition, sector, tax in (
        (alone, "GB/T 4754-2011", "3311", 1000_000),  # the same digits in another edition: no peer of the others
        (one, "GB/T 4754-2017", "3562", 300_000),
        (two, "2017", "3562", 600_000),
        (three, "2017", "3311", 200_000),
        (four, "2017", "3311", 400_000),
        (five, "2017", "3311", 900_000),
    ):
        made = land.firm(parcel, tax=tax, sector=sector)
        Enterprise.objects.filter(pk=made.pk).update(sector_edition=edition)
    found = told(land, [alone, one, two, three], "sector_edition", "sector_peers", "tax_ratio")
    assert found == [
        ("2011", 0, "sector.mean"),
        ("2017", 1, Decimal("0.5000")),
        ("2017", 1, Decimal("2.0000")),
        ("2017", 2, Decimal("0.3077")),  # 20 to the mean of 40 and 90
    ]


@pytest.mark.rows("NJ007")
def test_the_old_table_is_read_by_the_division_under_which_a_later_code_stood(land):
    cases = {
        ("2017", "1713"): Decimal("0.80"),
        ("2017", "2922"): Decimal("1.00"),  # plastics: 30 in 2002
        ("2011", "2911"): Decimal("0.80"),  # rubber: 29 in 2002
        ("2017", "29"): "enterprise.sector_edition",  # either of the two
        ("2017", "3011"): Decimal("0.70"),  # cement: 31 in 2002
        ("2002", "3011"): Decimal("1.00"),
        ("2017", "C3011"): Decimal("0.70"),  # with the letter of the section
        ("2017", "1951"): Decimal("1.00"),  # shoes: 18 in 2002
        ("2017", "4310"): "enterprise.sector_edition",  # repair: in 2002 under what was repaired
        ("2017", "3511"): "benchmark.far",  # machinery, 36 in 2002, of which our source has no figure
        ("2002", "2520"): Decimal("0.50"),
    }
    parcels = row_of(land, len(cases) + 1)
    for parcel, (edition, sector) in zip(parcels, cases, strict=False):
        made = land.firm(parcel, tax=1, sector=sector)
        Enterprise.objects.filter(pk=made.pk).update(sector_edition=f"GB/T 4754-{edition}")
    found = told(land, parcels, "index_far", "index_coverage")
    assert [far for far, _coverage in found[:-1]] == list(cases.values())
    assert {coverage for _far, coverage in found} == {Decimal("0.30")}  # whatever the sector
    assert found[-1][0] == "occupancy"
    Land.deliver(land, "enterprise")
    land.survey.year = 2023  # the indices of 2008 end with 2022, and nobody has read those of 2023
    land.survey.save()
    assert set(told(land, parcels[:1], "index_far", "index_coverage")[0]) == {"benchmark.far", "benchmark.coverage"}


def test_the_district_s_own_index_comes_first_then_the_narrower_sector_then_the_later_year(land):
    parcels = row_of(land, 3)
    for parcel, sector in zip(parcels, ("2922", "2911", "3011"), strict=True):
        land.firm(parcel, tax=parcel.area_m2 / MU * 60_000, sector=sector)
        land.building((10 + 150 * parcels.index(parcel), 10, 60 + 150 * parcels.index(parcel), 60), floor_area=8000)

    def index(figure, value, sector="", year=2020, confidence="D"):
        Benchmark.objects.create(
            district=land.district, figure=figure, sector=sector, sector_edition="2017" if sector else "", year=year,
            value=value, uom="x", source="演示", confidence=confidence,
        )  # fmt: skip

    index("far", "1.2", sector="29")
    index("far", "1.6", sector="2922")
    index("far", "9", sector="2922", year=2021, confidence="M")  # was never checked
    index("far", "9", sector="2922", year=2023)  # not yet
    index("tax_per_mu", "5")
    index("tax_per_mu", "6", year=2022)
    found = told(land, parcels, "index_far", "far_index_ratio", "index_tax_per_mu", "tax_index_ratio")
    assert found[0] == (Decimal("1.60"), Decimal("0.5000"), Decimal("6.00"), Decimal("1.0000"))
    assert [far for far, *_rest in found] == [Decimal("1.60"), Decimal("1.20"), Decimal("0.70")]
    assert set(told(land, parcels, "output_index_ratio", "investment_index_ratio")) == {
        ("benchmark.output", "benchmark.investment")
    }


@pytest.mark.rows("NJ004")
def test_the_class_of_a_sector_is_the_worst_of_the_newest_lists_and_unknown_where_editions_leave_it_open(land):
    parcels = row_of(land, 8)
    first = [
        land.firm(parcel, tax=1, sector=sector)
        for parcel, sector in zip(parcels, ("1713", "1714", "2911", "2614", "", "1713", "1720", "1713"), strict=True)
    ]
    assert set(told(land, parcels, "sector_class")) == {"sector_list"}  # no list was delivered

    def entry(grade, sector, edition="2017", source="目录", year=2019):
        SectorClass.objects.create(
            district=land.district, edition=f"{year}年本", year=year, sector=sector, sector_edition=edition,
            grade=grade, source=source,
        )  # fmt: skip

    entry("banned", "1713", year=2011)  # an older edition of the same list
    entry("banned", "1714", year=2023)  # and one to come
    entry("eliminated", "1713")
    entry("restricted", "17", source="另一目录")
    entry("banned", "2614", edition="2011")  # as precise as nobody can compare with a code of 2017
    Enterprise.objects.filter(pk=first[7].pk).update(sector_edition="2002")
    land.firm(parcels[5], tax=1, sector="")  # a neighbour of whom nothing is known may be worse
    found = told(land, parcels, "sector_class")
    assert found == [
        "eliminated", "restricted", "none", "enterprise.sector_edition", "enterprise.sector", "enterprise.sector",
        "restricted", "enterprise.sector_edition",
    ]  # fmt: skip


# --- violations and tenants ------------------------------------------------------------------------------------------


@pytest.mark.rows("NJ005")
def test_a_violation_is_open_from_its_day_until_the_day_it_was_put_right(land):
    cases = {
        ("2022-12-31", False, None): 1,  # decided on the day itself
        ("2023-01-01", False, None): 0,  # a day later
        ("2020-02-29", True, "2022-12-31"): 0,
        ("2020-02-29", True, "2023-01-01"): 1,  # not yet on the day
        ("2020-02-29", True, None): 0,
        ("2020-02-29", None, None): "enterprise.rectified",
    }
    parcels = row_of(land, len(cases) + 1)
    for number, (parcel, (day, rectified, done)) in enumerate(zip(parcels, cases, strict=False)):
        Violation.objects.create(
            enterprise=land.firm(parcel, tax=1), field="safety", authority="某局", document=f"罚{number}号",
            happened_on=day, rectified=rectified, rectified_on=done,
        )  # fmt: skip
    land.firm(parcels[-1], tax=1)
    assert set(told(land, parcels, "violations")) == {"violations"}  # the register was not delivered: nobody can count
    assert told(land, parcels[:2], "violation_open") == [True, False]  # but one that is open is open
    land.deliver("violation")
    assert told(land, parcels, "violations") == [*cases.values(), 0]


def test_what_is_let_is_weighed_by_floor_area_and_a_tenant_s_seat_decides_whether_he_is_from_elsewhere(land):
    parcels = row_of(land, 6)

    def on(parcel, is_tenant, seat="", floor_area=100):
        made = land.firm(parcel, tax=1, floor_area=floor_area, registered_in=seat)
        Occupancy.objects.filter(enterprise=made).update(is_tenant=is_tenant)

    on(parcels[0], True, "120104", 300)
    on(parcels[0], False, "110101", 100)
    on(parcels[1], True, "110101", 100)
    on(parcels[1], True, "", 100)  # where is that one?
    on(parcels[2], None, "110101")
    on(parcels[3], False)
    on(parcels[4], True, "110101", None)  # areas do not matter where all is let
    on(parcels[4], True, "110102", 50)
    on(parcels[5], True, "110101", None)
    on(parcels[5], False, "", 50)
    found = told(land, parcels, "tenant_share", "outside_tenant_share")
    assert found == [
        (Decimal("0.7500"), 0),
        (1, "enterprise.registered_in"),
        ("occupancy.is_tenant", "occupancy.is_tenant"),
        (0, 0),
        (1, 1),
        ("occupancy.area", "occupancy.area"),
    ]
