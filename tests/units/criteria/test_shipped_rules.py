"""The rules of tianjin-2024 and nankai-2024 on drawn land: what each category is flagged, excluded or exempted for."""

import pytest

from tests.units.criteria.drawn import ALL, Land
from units.flagging import evidence_of, flag
from units.models import Flag

pytestmark = pytest.mark.rows("NK010", "NK019", "NK050")


@pytest.fixture
def land(db):
    return Land(layers=ALL)


def works(land, number, floors=2, firm=True, **building):
    """An industrial parcel of which everything is known and nothing is low: FAR 1, half of it built on."""
    x = number * 300
    parcel = land.parcel((x, 0, x + 100, 100))
    land.patch("0601", (x - 5, -5, x + 105, 105))
    facts = {"safety_grade": "A", "vacant_m2": 0, "built_year": 2005} | building
    if floors:
        land.building((x, 0, x + 50, 100), floors=floors, **facts)
    if firm:
        land.firm(parcel, tax=1_000_000)
    return parcel


def peers(land, *sectors, tax=1_000_000):
    """Another works of each sector, which the mean of the sector is of."""
    for number, sector in enumerate(sectors or ("3311",)):
        land.firm(land.parcel((-300 * (number + 1), 0, -300 * (number + 1) + 100, 100)), tax=tax, sector=sector)


def judged(subject):
    """(outcome, rules met) of a subject after a run."""
    flag("120104", "nankai-2024")
    one = Flag.objects.get(**{type(subject).__name__.lower(): subject})
    return one.outcome, one.fired


def test_a_works_of_which_all_is_known_and_nothing_is_low(land):
    peers(land)
    assert judged(works(land, 0)) == ("not_low", [])


def test_a_works_alone_in_its_sector_is_undecided_for_want_of_a_mean(land):
    parcel = works(land, 0)
    assert judged(parcel) == ("undecided", [])
    assert Flag.objects.get(parcel=parcel).missing == ["sector.mean"]


@pytest.mark.parametrize(
    ("kind", "box", "rule"),
    [
        ("ecological_red_line", (90, 0, 200, 100), "D-RED-LINE"),
        ("basic_farmland", (98, 0, 200, 100), "D-FARMLAND"),
    ],
)
def test_land_in_a_control_layer_is_excluded_and_the_place_is_kept(land, kind, box, rule):
    parcel = works(land, 0, floors=1)
    land.control(kind, box)
    assert judged(parcel) == ("excluded", [rule, "IND-FAR"])
    evidence = evidence_of(Flag.objects.get(parcel=parcel))
    assert evidence["overlay"][kind]["type"] in ("Polygon", "MultiPolygon")
    assert evidence["inputs"][f"{kind}_m2"]["uom"] == "m2"
    assert evidence["inputs"][f"{kind}_m2"]["as_of"].startswith("2022")


def test_land_beyond_the_development_boundary_is_excluded(land):
    inside, outside = works(land, 0), works(land, 20)
    assert judged(outside) == ("excluded", ["D-BOUNDARY"])
    assert judged(inside) == ("not_low", [])


def test_a_control_layer_that_was_never_delivered_leaves_a_candidate_undecided(db):
    land = Land(layers=[layer for layer in ALL if layer != "ecological_red_line"])
    peers(land)
    parcel = works(land, 0, floors=1)
    assert judged(parcel) == ("undecided", ["IND-FAR"])
    assert Flag.objects.get(parcel=parcel).missing == ["control.ecological_red_line"]


CONTRACT = {
    "start_agreed": "2018-03-31",
    "start_actual": "2018-04-15",
    "completion_agreed": "2030-01-01",
    "area_m2": 10_000,
    "investment_agreed_cny": 1000,
}


@pytest.mark.parametrize(
    ("contract", "outcome", "fired"),
    [
        ({"start_actual": "2023-01-01", "start_agreed": "2021-12-30"}, "excluded", ["IDLE-NOT-STARTED"]),
        ({"start_actual": "2023-01-01", "start_agreed": "2021-12-31"}, "not_low", []),
        ({"stopped_on": "2021-12-31", "investment_actual_cny": 249, "developed": 5000}, "excluded", ["IDLE-STOPPED"]),
        ({"stopped_on": "2021-12-31", "investment_actual_cny": 900, "developed": 3332}, "excluded", ["IDLE-STOPPED"]),
        (
            {"stopped_on": "2021-12-31", "investment_actual_cny": 250, "developed": 3334},
            "candidate",
            ["IND-UNFINISHED"],
        ),
        ({"stopped_on": "2022-01-01", "investment_actual_cny": 900, "developed": 5000}, "not_low", []),
        ({"completion_agreed": "2020-12-31"}, "candidate", ["IND-OVERDUE"]),
        ({"completion_agreed": "2021-01-01"}, "not_low", []),
        ({"completion_actual": "2020-12-31", "investment_actual_cny": 499}, "candidate", ["IND-INVESTMENT"]),
        ({"completion_actual": "2020-12-31", "investment_actual_cny": 500}, "not_low", []),
        ({"stopped_on": "2021-06-30"}, "undecided", []),
    ],
)
def test_idle_land_is_another_procedure_and_unfinished_land_is_not(land, contract, outcome, fired):
    peers(land)
    parcel = works(land, 0)
    land.contract(parcel, **CONTRACT | contract)
    assert judged(parcel) == (outcome, fired)


BLANK = {"start_agreed": "2021-12-30", "completion_agreed": "2030-01-01", "area_m2": 10_000}


def test_land_on_which_nothing_was_begun_is_idle_land(land):
    bare = works(land, 0, floors=None)
    land.contract(bare, developed=0, investment_actual_cny=0, **BLANK)
    outcome, fired = judged(bare)
    assert (outcome, fired[:1]) == ("excluded", ["IDLE-NOT-STARTED"])


def test_a_works_that_stands_is_not_excluded_as_idle_because_its_start_was_not_reported(land):
    peers(land)
    built = works(land, 0, floors=1)
    land.contract(built, developed=9000, **BLANK)
    assert judged(built) == ("undecided", ["IND-FAR"])
    assert Flag.objects.get(parcel=built).missing == ["contract.start_actual"]


def test_without_a_contract_the_card_says_so_and_no_rule_on_contracts_is_met(land):
    peers(land)
    parcel = works(land, 0)
    assert judged(parcel) == ("not_low", [])
    evidence = evidence_of(Flag.objects.get(parcel=parcel))
    assert evidence["inputs"]["contracts"]["value"] == 0
    for name in ("start_overdue", "stopped_for", "completion_overdue", "completed_for"):
        assert (evidence["inputs"][name]["value"], evidence["inputs"][name]["missing"]) == (None, "contract")
    said = {one["id"]: one["verdict"] for one in evidence["rules"]}
    rules = ("IDLE-NOT-STARTED", "IDLE-STOPPED", "IND-OVERDUE", "IND-INVESTMENT", "IND-UNFINISHED")
    assert {said[rule] for rule in rules} == {False}


def test_low_tax_is_told_beside_the_mean_of_the_sector(land):
    low, high = works(land, 0, firm=False), works(land, 1, firm=False)
    land.firm(low, tax=100_000)
    land.firm(high, tax=900_000)
    assert judged(low) == ("candidate", ["IND-TAX"])
    message = evidence_of(Flag.objects.get(parcel=low))["rules"]
    assert "11.1%" in next(one["message"] for one in message if one["id"] == "IND-TAX")
    assert judged(high) == ("not_low", [])


@pytest.mark.parametrize(
    ("firm", "rule"),
    [
        ({"above_scale": True}, "EXM-SCALE"),
        ({"strategic": True}, "EXM-STRATEGIC"),
        ({"started_on": "2020-01-01"}, "EXM-NEW"),
        ({"sector": "2311", "tax": 1_300_000}, "EXM-TAX"),
    ],
)
def test_what_exempts_a_works(land, firm, rule):
    parcel = works(land, 0, floors=1, firm=False)
    land.firm(parcel, **{"tax": 1_000_000} | firm)
    assert judged(parcel) == ("exempted", ["IND-FAR", rule])


@pytest.mark.parametrize(("firm", "missing"), [({"above_scale": None}, "enterprise.above_scale")])
def test_an_exemption_that_nobody_can_say_stands_on_the_card(land, firm, missing):
    parcel = works(land, 0, floors=1, firm=False)
    land.firm(parcel, tax=1_000_000, **firm)
    assert judged(parcel) == ("candidate", ["IND-FAR"])
    stored = Flag.objects.get(parcel=parcel)
    assert (stored.missing, stored.evidence["exemption_pending"]) == ([missing], True)


@pytest.mark.parametrize(
    ("building", "firm", "fired"),
    [
        ({"safety_grade": "C"}, {}, ["IND-UNSAFE"]),
        ({"vacant_m2": 10_000, "floor_area": 10_000, "extra": {"KZQSSJ": "20221201"}}, {}, ["VACANT-WHOLE"]),
        ({}, {"sector": "1713"}, ["IND-SECTOR"]),
        ({}, {"extra": {"处罚文号": "罚字1号", "是否整改": "否"}}, ["IND-VIOLATION"]),
    ],
)
def test_what_else_a_works_is_flagged_for(land, building, firm, fired):
    peers(land, "3311", "1713")
    parcel = works(land, 0, firm=False, **building)
    land.firm(parcel, tax=1_000_000, **firm)
    assert judged(parcel) == ("candidate", fired)


def office(land, vacant, since, tax=1_000_000):
    parcel = land.parcel((0, 0, 100, 100), use="05H1")
    land.patch("05H1", (-5, -5, 105, 105))
    tower = land.building(
        (0, 0, 50, 100), floor_area=10_000, use="30", vacant_m2=vacant, extra={"KZQSSJ": since}, safety_grade="A"
    )
    land.firm(parcel, tax=tax, sector="7211")
    return parcel, tower


@pytest.mark.parametrize(
    ("vacant", "since", "outcome"),
    [
        (5000, "20211231", "candidate"),
        (4999, "20211231", "not_low"),
        (5000, "20220101", "not_low"),
        (None, "", "undecided"),
    ],
)
def test_an_office_building_is_judged_like_its_parcel_and_by_itself(land, vacant, since, outcome):
    parcel, tower = office(land, vacant, since)
    fired = ["D-VACANCY"] if outcome == "candidate" else []
    assert judged(parcel) == (outcome, fired)
    assert judged(tower) == (outcome, fired)
    stored = Flag.objects.get(building=tower)
    assert (stored.parcel_id, stored.category, stored.district_id) == (None, "office", "120104")
    ran = {one["id"] for one in evidence_of(stored)["rules"]}
    assert ran == {
        "CLS-OFFICE-BUILDING",
        "D-RED-LINE",
        "D-FARMLAND",
        "D-BOUNDARY",
        "VACANT-WHOLE",
        "D-VACANCY",
        "D-BUILDING-TAX",
    }


def test_a_building_keeps_the_id_of_its_flag_and_one_that_is_gone_loses_it(land):
    _parcel, tower = office(land, 0, "")
    judged(tower)
    before = Flag.objects.get(building=tower).pk
    judged(tower)
    assert Flag.objects.get(building=tower).pk == before
    tower.temporary = True
    tower.save()
    flag("120104", "nankai-2024")
    assert not Flag.objects.filter(building=tower).exists()


@pytest.mark.parametrize(
    ("vacant", "since", "outcome"),
    [
        (1000, "20201231", "candidate"),  # 24 months
        (1000, "20210101", "candidate"),  # wholly idle for less, and so not used at all
        (1000, "20220630", "candidate"),
        (1000, "", "candidate"),  # nobody knows since when
        (1000, "20230101", "not_low"),  # in use on the last day of the year
        (701, "20221201", "candidate"),  # in use at less than 30 per cent
        (700, "20101231", "not_low"),
    ],
)
def test_a_facility_is_low_when_it_is_used_too_little_and_more_so_when_not_at_all(land, vacant, since, outcome):
    parcel = land.parcel((0, 0, 100, 100), use="08H2")
    land.patch("08H2", (-5, -5, 105, 105))
    land.building((0, 0, 50, 100), floor_area=1000, vacant_m2=vacant, extra={"KZQSSJ": since})
    assert judged(parcel) == (outcome, ["D-FACILITY"] if outcome == "candidate" else [])


@pytest.mark.parametrize(
    ("built", "floors", "grade", "outcome"),
    [
        (2000, 1, "A", "candidate"),
        (2001, 1, "A", "not_low"),
        (2000, 2, "A", "not_low"),
        (2000, 2, "D", "candidate"),
        (None, 1, "A", "undecided"),
        (None, 2, "A", "not_low"),
    ],
)
def test_an_old_estate_is_low_or_unsafe(land, built, floors, grade, outcome):
    parcel = land.parcel((0, 0, 100, 100), use="0701")
    land.patch("0701", (-5, -5, 105, 105))
    land.building((0, 0, 50, 100), floors=floors, built_year=built, safety_grade=grade, use="10")
    assert judged(parcel) == (outcome, ["RES-OLD"] if outcome == "candidate" else [])
