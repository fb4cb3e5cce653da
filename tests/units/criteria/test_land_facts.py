"""Contracts, wishes, states of use, vacancy by date and floor, net land, distances and units, by hand."""

from decimal import Decimal

import pytest

from tests.units.criteria.drawn import ALL, Land, measured, shape
from units.models import Department, RedevelopmentUnit, User, UseState

MU = 10_000 / 15


@pytest.fixture
def land(db) -> Land:
    return Land(layers=ALL)


def row_of(land, count, **options):
    """So many parcels of 100 × 100 m beside each other, 50 m apart."""
    return [land.parcel((150 * n, 0, 150 * n + 100, 100), **options) for n in range(count)]


def told(land, subjects, *names, buildings=False):
    """The values of these measures, or the gap where one is missing, for each subject."""
    rows = measured(land)
    found = []
    for one in subjects:
        row = rows[-one.pk if buildings else one.pk]
        values = []
        for name in names:
            assert (row[name] is None) == (name in row["gaps"]), name
            values.append(row["gaps"][name] if row[name] is None else row[name])
        found.append(values[0] if len(names) == 1 else tuple(values))
    return found


# --- contracts -----------------------------------------------------------------------------------------------------


def test_contract_measured_and_documented_area_stand_side_by_side_with_what_was_agreed(land):
    one, two, three, none = row_of(land, 4, documented_m2=Decimal("9500"))
    land.building((10, 10, 60, 60), floor_area=8000)
    land.contract(one, area_m2=8000, far_min="1.6", investment_actual_cny=60_000_000, tax_agreed_cny_mu=100_000)
    land.contract(two, area_m2=4000, far_min="1.0", investment_actual_cny=None, tax_agreed_cny_mu=1)
    land.contract(two, area_m2=6000, far_min="1.2", investment_actual_cny=5, tax_agreed_cny_mu=80_000)
    land.contract(three, area_m2=None, far_min=None)
    land.firm(one, tax=one.area_m2 / MU * 50_000)
    names = ("contract_m2", "area_difference", "contract_difference", "investment_per_mu", "far_agreed")
    found = told(land, [one, two, three, none], *names)
    share = Decimal(f"{(one.area_m2 - 8000) / 8000:.4f}")
    assert found[0] == (8000, Decimal("0.0526"), share, 500, Decimal("1.60"))
    assert found[1][:3] == (10_000, Decimal("0.0526"), Decimal("0.0000"))
    assert found[1][3:] == ("contract.investment_actual", Decimal("1.20"))
    assert found[2][0] == found[2][2] == found[2][3] == "contract.area"
    assert set(found[3]) - {Decimal("0.0526")} == {"contract"}
    names = ("far_agreed_ratio", "tax_agreed_per_mu", "tax_agreed_ratio")
    found = told(land, [one, two, three], *names)
    assert found == [
        (Decimal("0.5000"), 10, Decimal("0.5000")),
        (0, 8, "occupancy"),
        ("contract.far_agreed", "contract.tax_agreed", "contract.tax_agreed"),
    ]


@pytest.mark.rows("NK019")
def test_the_state_of_supply_turns_on_the_day_on_which_the_law_says_so(land):
    agreed = {"investment_agreed_cny": 100, "area_m2": 10_000}
    stood = {"start_actual": "2019-01-01", "investment_actual_cny": 25, **agreed}
    cases = [
        ("not_due", {"start_agreed": "2023-01-01"}),
        ("not_due", {"start_agreed": "2022-12-31"}),
        ("overdue", {"start_agreed": "2022-12-30"}),
        ("overdue", {"start_agreed": "2021-12-31"}),  # a year to the day is not more than a year
        ("idle", {"start_agreed": "2021-12-30"}),
        ("contract.start_agreed", {}),
        ("stopped", {"stopped_on": "2022-01-01", **stood}),
        ("idle", {"stopped_on": "2021-12-31", **stood, "developed": 3332}),
        ("unfinished", {"stopped_on": "2021-12-31", **stood, "developed": 3333}),
        ("idle", {"stopped_on": "2021-12-31", **stood, "investment_actual_cny": 24}),  # whatever was developed
        ("contract.developed_area", {"stopped_on": "2021-12-31", **stood}),
        ("building", {"start_actual": "2022-12-31"}),
        ("overdue", {"start_actual": "2023-01-01", "start_agreed": "2022-02-28"}),  # it had not begun on the day
        ("completed", {"start_actual": "2019-01-01", "completion_actual": "2022-12-31"}),
        ("building", {"start_actual": "2019-01-01", "completion_actual": "2023-01-01"}),
        ("contract.completion_actual", {"start_actual": "2019-01-01", "area_m2": 100, "developed": 100}),
    ]
    parcels = row_of(land, len(cases) + 1)
    for parcel, (_state, facts) in zip(parcels, cases, strict=False):
        land.contract(parcel, **{"completion_agreed": "2030-01-01"} | facts)
    assert told(land, parcels, "supply_state") == [*(state for state, _facts in cases), "contract"]


def test_a_leap_day_is_a_year_older_on_the_28th_of_february_after_it(db):
    land = Land(layers=ALL, year=2020)
    one, two = row_of(land, 2, owner_wish={"willing": "yes", "date": "2020-02-29"})
    land.contract(one, start_agreed="2019-12-31")
    assert told(land, [one, two], "owner_wish_years") == [Decimal("0.8384")] * 2  # 306 of 365 days
    assert told(land, [one], "start_overdue") == [1]  # 2020 is one year, though of 366 days
    land.survey.year = 2021
    land.survey.save()
    assert told(land, [one], "owner_wish_years") == [Decimal("1.8384")]  # since 28 February 2021: 306 of 365


# --- wishes and papers ---------------------------------------------------------------------------------------------


@pytest.mark.rows("NK014")
def test_a_wish_has_a_mode_a_date_and_a_paper_and_each_may_be_missing(land):
    wishes = [
        {"willing": "yes", "mode": "自主改造", "date": "2021-12-31", "paper": "意愿书"},
        {"willing": "conditional", "mode": "", "date": "2022-02-30"},
        {"willing": "no", "date": "20221231", "paper": " "},
        {"willing": "yes", "mode": "联营", "date": "2023-03-01"},  # told after the day
        {},
    ]
    parcels = row_of(land, 5)
    for parcel, wish in zip(parcels, wishes, strict=True):
        parcel.owner_wish = wish
        parcel.save()
    found = told(land, parcels, "owner_wish", "owner_wish_mode", "owner_wish_years", "owner_wish_paper")
    assert found == [
        ("yes", "自主改造", 1, True),
        ("conditional", "parcel.wish_mode", "parcel.wish_date", False),
        ("no", "none", 0, False),
        ("yes", "联营", 0, False),
        ("parcel.owner_wish",) * 4,
    ]
    assert told(land, parcels[:1], "land_owner", "right_nature") == [("state", "parcel.right_nature")]


# --- buildings -----------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK035", "NJ015")
def test_a_parcel_is_half_empty_since_the_building_that_made_it_so(land):
    since = ["20200101", "20210601", "20220701", "20230101"]
    cases = [
        ((40, 20, 0, 0), Decimal("18.97")),  # 40 of 100, then 60 since 1 June 2021
        ((50, 0, 0, 0), Decimal("35.97")),  # half to the metre
        ((49, 0, 0, 0), 0),
        ((20, 20, 9, 60), 0),  # what became empty after the day does not count
        ((20, 20, 10, 0), Decimal("5.97")),
        ((None, 20, 60, 0), "building.vacant_m2"),
    ]
    parcels = row_of(land, len(cases) + 1)
    for at, (vacant, _months) in enumerate(cases):
        for place, empty in enumerate(vacant):
            land.building(
                (150 * at + 20 * place, 0, 150 * at + 20 * place + 10, 10), floor_area=25 if place else 25,
                vacant_m2=empty, extra={"KZQSSJ": since[place]},
            )  # fmt: skip
    land.building((150 * 6, 0, 150 * 6 + 10, 10), floor_area=10, vacant_m2=6, extra={})
    found = told(land, parcels, "half_empty_months")
    assert found == [*(months for _vacant, months in cases), "building.vacant_since"]


@pytest.mark.rows("NK035", "NJ015")
def test_a_building_is_listed_without_its_parcel_with_the_floors_that_stand_empty(land):
    towers = [
        land.building(
            (0, 500 + 50 * n, 20, 520 + 50 * n),
            floors=20,
            floor_area=10_000,
            use="30",
            vacant_m2=empty,
            vacant_by_floor=floors,
            extra={"KZQSSJ": "2020-02-29"},
        )  # fmt: skip
        for n, (empty, floors) in enumerate(
            [(3000, {"15-20": 2800.0, "14": 200.5, "3": 0}), (0, {}), (100, {}), (None, {}), (5000, {"11-20": 5000})]
        )
    ]
    found = told(land, towers, "vacant_floors", "vacancy", buildings=True)
    gap = "building.vacant_by_floor"
    assert found == [
        (7, Decimal("0.3000")),
        (0, 0),
        (gap, Decimal("0.0100")),
        (gap, "building.vacant_m2"),
        (10, Decimal("0.5")),
    ]
    assert told(land, towers, "half_empty_months", buildings=True)[-1] == Decimal("34.06")  # 34 months and 2 of 31 days
    assert measured(land, towers[0])["gaps"]["park_share"] == "building.parcel"


# --- use -------------------------------------------------------------------------------------------------------------


@pytest.mark.rows("NK036", "NK038")
def test_a_state_of_use_tells_months_department_and_measures_or_what_is_missing(land):
    education = Department.objects.create(district=land.district, code="education", name="区教育局")
    cases = [
        ({"state": "idle", "idle_since": "2020-12-31", "owner_department": education, "measures": []},
         ("idle", 24, "education", 0)),
        ({"state": "idle", "idle_since": "2021-01-01", "measures": ["rent_subsidy", "upgrading"]},
         ("idle", Decimal("23.97"), "use_state.department", 2)),
        ({"state": "idle"}, ("idle", "use_state.since", "use_state.department", "use_state.measures")),
        ({"state": "partly", "idle_since": "2020-12-31"},
         ("partly", 0, "use_state.department", "use_state.measures")),
        ({"state": "idle", "idle_since": "2023-01-01"}, ("idle", 0, "use_state.department", "use_state.measures")),
        ({"state": "", "idle_since": "2020-12-31"},
         ("use_state", "use_state", "use_state.department", "use_state.measures")),
    ]  # fmt: skip
    parcels = row_of(land, len(cases) + 1, use="08H2")
    for parcel, (facts, _found) in zip(parcels, cases, strict=False):
        UseState.objects.create(survey=land.survey, parcel=parcel, **facts)
    tower = land.building((910, 10, 930, 30), floors=3, use="30")
    UseState.objects.create(
        survey=land.survey, parcel=parcels[6], building=tower, state="idle", idle_since="2022-11-30"
    )
    names = ("use_state", "reported_idle_months", "owner_department", "measures_taken")
    found = told(land, parcels, *names)
    assert found[:-1] == [one for _facts, one in cases]
    assert found[-1] == ("use_state", "use_state", "use_state.department", "use_state.measures")  # of the building only
    assert told(land, [tower], *names, buildings=True)[0][:2] == ("idle", Decimal("1.03"))  # to 30 December, and a day


# --- ground ----------------------------------------------------------------------------------------------------------


def test_farm_land_unused_land_and_what_lines_leave_to_build_on(land):
    farmed, lined, unsupplied, supplied = parcels = row_of(land, 4)
    land.patch("0102", (0, 0, 30, 100))
    land.patch("1206", (30, 0, 50, 100))  # bare land
    land.patch("0601", (50, 0, 100, 100))
    land.patch("0601", (150, 0, 250, 90))
    land.patch("0601", (300, 0, 400, 100), (450, 0, 550, 100))
    land.control("reservation", (150, 0, 250, 30))
    land.control("heritage", (150, 20, 250, 50))  # over each other between 20 and 30
    land.control("heritage", (300, 0, 400, 100))
    land.control("approved_batch", (300, 0, 550, 40))
    land.contract(supplied)
    names = ("agricultural_share", "unused_share", "net_developable_share", "approved_unsupplied_share")
    found = told(land, parcels, *names)
    assert found[0] == (Decimal("0.3000"), Decimal("0.2000"), 1, 0)
    assert found[1] == ("patches.cover", "patches.cover", Decimal("0.5000"), 0)
    assert found[2] == (0, 0, 0, Decimal("0.4000"))
    assert found[3] == (0, 0, 1, 0)
    assert told(land, [lined], "net_developable_m2") == [Decimal(f"{lined.area_m2 / 2:.2f}")]


@pytest.mark.parametrize(
    ("lacking", "name", "gap"),
    [
        ("reservation", "net_developable_m2", "control.reservation"),
        ("heritage", "net_developable_share", "control.heritage"),
        ("approved_batch", "approved_unsupplied_share", "control.approved_batch"),
        ("contract", "approved_unsupplied_share", "contracts"),
        ("metro_station", "metro_distance", "control.metro_station"),
        ("hazard", "hazard_distance", "control.hazard"),
        ("urban_village", "urban_village_share", "control.urban_village"),
    ],
)
def test_a_layer_that_was_not_delivered_leaves_its_measure_unknown_and_is_named(db, lacking, name, gap):
    land = Land(layers=[one for one in ALL if one != lacking])
    assert told(land, row_of(land, 1), name) == [gap]


def test_a_distance_is_taken_in_the_zone_from_border_to_border_and_ends_at_two_kilometres(land):
    on, beside, near, far = (
        land.parcel(one) for one in [(0, 0, 100, 100), (200, 0, 300, 100), (400.4, 0, 500, 100), (2300.6, 0, 2400, 100)]
    )
    land.control("metro_station", (50, 50, 60, 60))
    land.control("metro_station", (300, 0, 310, 100), (90, 90, 110, 110))  # one of two parts
    land.control("school", (2390, 0, 2395, 10), in_force=False)
    land.control("hazard", (50, 2100, 60, 2110))
    found = told(land, [on, beside, near, far], "metro_distance", "school_distance", "hazard_distance")
    assert [metro for metro, *_rest in found] == [0, 0, 90, 1991]
    assert {school for _metro, school, _hazard in found} == {2000}  # delivered, and none in force is near
    assert [hazard for *_rest, hazard in found] == [2000, 2000, 2000, 2000]
    land.control("hazard", (50, 1000, 60, 1010))
    assert told(land, [on, beside], "hazard_distance") == [900, 911]


@pytest.mark.rows("NK024")
def test_a_parcel_is_in_a_unit_with_half_of_it_and_its_centre_and_is_else_told_as_split(land):
    parcels = row_of(land, 6)
    drawn_by = User.objects.create(username="planner")

    def unit(*boxes, state="draft"):
        land.serial += 1
        RedevelopmentUnit.objects.create(
            district=land.district, code=f"U{land.serial}", name="单元", state=state, created_by=drawn_by,
            geom=f"SRID=4490;{shape(*boxes)}",
        )  # fmt: skip

    unit((0, 0, 100, 100))
    unit((150, 0, 250, 50.01))  # just over half, and the centre
    unit((300, 0, 400, 49.9))
    unit((450, 0, 550, 30), (450, 70, 550, 100))  # more than half, and not the centre
    unit((600, -100, 700, 0.04))  # no wider than a mis-drawn line
    unit((750, 0, 850, 100), state="deleted")
    found = told(land, parcels, "unit_share", "unit_place")
    assert found == [
        (1, "in"),
        (Decimal("0.5001"), "in"),
        (Decimal("0.4990"), "split"),
        (Decimal("0.6000"), "split"),
        (0, "none"),
        (0, "none"),
    ]


def test_the_surveyed_area_is_that_of_the_patches_as_far_as_they_lie_on_the_parcel(land):
    one, unsaid, uncovered = row_of(land, 3)
    # twice as long as the parcel, and the survey says a hundredth less than there is
    for boxes, tbmj in (((0, 0, 100, 200), "19800"), ((150, 0, 250, 200), None), ((300, 0, 400, 90), "9000")):
        land.patch("0601", boxes, tbmj=tbmj, area_m2=20_000)
    found = told(land, [one, unsaid, uncovered], "surveyed_m2", "surveyed_difference")
    assert found[0] == (Decimal(f"{one.area_m2 * 0.99:.2f}"), Decimal("0.0101"))
    assert found[1:] == [("patches.area",) * 2, ("patches.cover",) * 2]
