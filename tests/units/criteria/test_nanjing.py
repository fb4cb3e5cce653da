"""The Nanjing set says what its text says: a number that the text does not give is called a demonstration."""

import re

import pytest

from tests.units.criteria.drawn import ALL, Land
from units.criteria import sets
from units.errors import Refused
from units.explaining import explain
from units.flagging import flag
from units.models import Flag
from units.rights import Grant, Role

NANJING = "nanjing-2019"
DEMONSTRATION = "演示参数，非官方标准"
OFFICE = (Grant(Role.OFFICE),)


@pytest.fixture
def land(db):
    return Land(layers=ALL)


def works(land, place=0, floors=3, plan=True, **options):
    """A parcel of 100 × 100 m with FAR 0.5 a floor, inside the master plan, of which nothing is missing."""
    x = place * 200
    parcel = land.parcel((x, 0, x + 100, 100))
    land.patch("0601", (x, 0, x + 100, 100))
    land.building((x, 0, x + 50, 100), floors=floors, safety_grade="A", vacant_m2=0, built_year=2015)
    land.firm(parcel, tax=options.pop("tax", 150_000), grade=options.pop("grade", "B"), **options)
    if plan:
        land.control("master_plan", (x - 10, -10, x + 110, 110))
        land.control("plot_plan", (x - 10, -10, x + 110, 110), use="1001", use_scheme="ydyh2023")
    return parcel


def peer(land, sector="3311", tax=150_000):
    """Another works of the sector, which its mean is of."""
    land.firm(land.parcel((-400, 0, -300, 100)), tax=tax, sector=sector)


def judged(parcel) -> dict:
    return explain(parcel.code, NANJING, grants=OFFICE)


def test_it_is_unofficial_and_its_title_says_why():
    criteria = sets.load(NANJING)
    assert not criteria.official
    assert "演示参数" in criteria.title


def test_a_rule_that_claims_the_text_uses_no_number_of_ours():
    criteria = sets.load(NANJING)
    for rule in criteria.rules:
        demonstrated = [name for name in rule.condition.params if DEMONSTRATION in criteria.params[name].note]
        if rule.confidence == "P":
            assert not demonstrated, f"{rule.id} is marked P and reads {demonstrated}"
        elif demonstrated:
            assert "演示" in rule.basis, f"{rule.id} does not say that its number is a demonstration"


def test_every_rule_quotes_its_clause():
    for rule in sets.load(NANJING).rules:
        if rule.id.startswith("NJ-"):
            assert re.search(r"宁政办发〔2019〕30号.*“.{4,}”", rule.basis), rule.id
        else:
            assert "闲置土地处置办法" in rule.basis


def test_the_text_is_no_longer_in_force_so_it_may_be_tried_and_stores_nothing(land):
    works(land)
    result = flag("120104", NANJING, dry_run=True)
    assert (result["subjects"], result["run"]) == (1, None)
    with pytest.raises(Refused):
        flag("120104", NANJING)
    assert not Flag.objects.exists()


@pytest.mark.rows("NJ002")
def test_land_outside_the_master_plan_is_excluded_and_the_share_is_told(land):
    peer(land)
    inside = works(land)
    outside = works(land, 1, plan=False)
    land.control("master_plan", (200, 0, 240, 100))
    assert judged(inside)["outcome"] == "not_low"
    told = judged(outside)
    assert told["outcome"] == "excluded"
    (rule,) = (one for one in told["rules"] if one["id"] == "NJ-SCOPE")
    assert rule["inputs"]["master_plan_share"]["value"] == 0.4
    assert "40.0%" in rule["message"]


@pytest.mark.rows("NJ004", "NJ005", "NJ006", "NJ007")
@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"sector": "1713"}, "NJ-SECTOR"),
        ({"extra": {"处罚文号": "罚〔2021〕1号", "是否整改": "否"}}, "NJ-VIOLATION"),
        ({"floors": 1}, "NJ-INTENSITY"),
    ],
)
def test_each_kind_of_industrial_land_of_the_text_is_found(land, options, rule):
    told = judged(works(land, **options))
    assert (told["outcome"], told["fired"]) == ("candidate", [rule])


@pytest.mark.rows("NJ001", "NJ007")
def test_low_yield_is_found_against_the_mean_of_the_sector_and_told_a_mu(land):
    poor = works(land, tax=30_000)
    works(land, 1, tax=600_000)
    told = judged(poor)
    assert told["fired"] == ["NJ-YIELD"]
    (rule,) = (one for one in told["rules"] if one["id"] == "NJ-YIELD")
    assert "0.20 万元/亩" in rule["message"]


@pytest.mark.rows("NJ006")
def test_industrial_land_planned_for_services_is_industry_out_services_in(land):
    parcel = works(land, plan=False)
    land.control("master_plan", (0, 0, 100, 100))
    assert judged(parcel)["outcome"] == "undecided"  # no plot plan covers it: nobody can say
    land.control("plot_plan", (0, 0, 100, 100), use="0901", use_scheme="ydyh2023")
    assert judged(parcel)["fired"] == ["NJ-EXIT"]


@pytest.mark.rows("NJ010")
def test_the_three_plans_have_three_verdicts_that_judge_nothing(land):
    peer(land)
    parcel = works(land)
    land.control("industrial_line", (0, 0, 40, 100))
    told = judged(parcel)
    verdicts = {one["id"]: one["verdict"] for one in told["rules"] if one["effect"] == "require"}
    assert verdicts == {"NJ-PLAN-LAND": True, "NJ-PLAN-URBAN": True, "NJ-PLAN-INDUSTRY": False}
    assert told["outcome"] == "not_low"


@pytest.mark.rows("NJ005")
def test_a_violation_of_which_nobody_knows_whether_it_was_put_right_is_undecided(land):
    peer(land)
    told = judged(works(land, extra={"处罚文号": "罚〔2021〕1号"}))
    assert told["outcome"] == "undecided"
    assert [one["field"] for one in told["missing"]] == ["enterprise.rectified"]


def test_a_firm_of_grade_c_gets_no_new_land_and_is_not_suspected_for_it(land):
    peer(land)
    told = judged(works(land, grade="C"))
    assert told["outcome"] == "not_low"
    (rule,) = (one for one in told["rules"] if one["id"] == "NJ-GRADE")
    assert (rule["effect"], rule["verdict"]) == ("warn", True)


@pytest.mark.rows("NJ008")
def test_mining_land_is_remarked_on_and_people_say_whether_it_is_abandoned(land):
    parcel = land.parcel((0, 0, 100, 100), use="0602")
    land.patch("0602", (0, 0, 100, 100))
    (rule,) = (one for one in judged(parcel)["rules"] if one["id"] == "NJ-MINE")
    assert (rule["effect"], rule["verdict"]) == ("warn", True)


@pytest.mark.parametrize(("use", "category"), [("05H1", "office"), ("0701", "residential"), ("08H2", "facility")])
def test_land_of_other_kinds_is_left_to_people_unless_a_rule_is_met(land, use, category):
    parcel = land.parcel((0, 0, 100, 100), use=use)
    land.patch(use, (0, 0, 100, 100))
    land.control("master_plan", (-10, -10, 110, 110))
    if use == "05H1":
        land.firm(parcel, tax=1, sector="7211")
    told = judged(parcel)
    assert (told["category"], told["outcome"]) == (category, "undecided")
    assert "people" in [one["field"] for one in told["missing"]]
    parcel.registered_use = "0702"
    parcel.save()
    told = judged(parcel)
    assert (told["outcome"], told["fired"]) == ("candidate", ["NJ-UNFIT-USE"])


def test_an_open_violation_counts_on_office_land_too(land):
    parcel = land.parcel((0, 0, 100, 100), use="05H1")
    land.patch("05H1", (0, 0, 100, 100))
    land.control("master_plan", (-10, -10, 110, 110))
    land.firm(parcel, tax=1, sector="7211", extra={"处罚文号": "罚〔2021〕1号", "是否整改": "否"})
    assert judged(parcel)["fired"] == ["NJ-VIOLATION"]
