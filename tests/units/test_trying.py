"""A trial on what was measured says what a full dry run says, to the subject and the square metre, and no figure."""

import csv
import io
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from tests.units.criteria.drawn import ALL, Land
from units import trying
from units.criteria import sets
from units.errors import NotAllowed, Refused, UnknownName, UsageError
from units.explaining import explain
from units.flagging import flag
from units.models import CriteriaText, Flag, Parcel, Scope, Street, User
from units.rights import Grant, Role
from units.trying import Ground, Shared, betraying, compare_sets, try_values

CRITERIA = "nankai-2024"
OFFICE = (Grant(Role.OFFICE, "120104"),)  # may know figures
ANALYST = (Grant(Role.ANALYST, "120104"),)  # may not


@pytest.fixture
def land(db):
    """Twelve works of one to four floors, two of them on the same land, some with firms and one without a parcel's use.

    The last is an office building of which nothing is known but its parcel.
    """
    cache.clear()
    land = Land(layers=ALL)
    streets = [
        Street.objects.create(code=f"12010400{number}", name=f"{number} 街道", district=land.district)
        for number in (1, 2)
    ]
    for place in range(11):
        x, floors = place * 200, place % 4 + 1
        parcel = land.parcel((x, 0, x + 100, 100), street=streets[place % 2])
        land.patch("0601", (x, 0, x + 100, 100))
        land.building((x, 0, x + 50, 100), floors=floors, safety_grade="A", vacant_m2=0, built_year=2015)
        if place != 5:
            land.firm(parcel, tax=15_000 * (place + 1), grade="B", above_scale=place == 6)
    above = land.parcel((50, 0, 150, 100), street=streets[0])
    land.patch("0601", (100, 0, 150, 100))
    land.building((100, 0, 150, 100), floors=2, safety_grade="A", vacant_m2=0, built_year=2015)
    land.firm(above, tax=150_000)
    flag("120104", CRITERIA)
    return land


@pytest.mark.rows("NK050")
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"far_min": "1.6"},
        {"far_min": "0.4", "coverage_min": "0.6"},
        {"tax_ratio_min": "0.9"},
        {"exempt_tax": "0.5", "exempt_divisions": "33,34"},
        {"construction_min": "1.1", "mismatch_max": "0.01", "eliminated_sectors": ""},
    ],
)
def test_a_trial_equals_a_full_dry_run(land, values):
    found = try_values("120104", CRITERIA, values, grants=OFFICE)
    full = flag("120104", CRITERIA, values, dry_run=True)
    assert found["counts"]["after"] == {outcome: full[outcome] for outcome in trying.OUTCOMES}
    mine = {(one.code, one.before, one.after) for one in found["trial"].changes}
    changes = full["changes"]
    theirs = {
        (code, row["from"], row["to"])
        for row in (*changes["outcomes"], *changes["other_rules"])
        for code in row["codes"]
    }
    assert mine == theirs
    told = {(row["from"], row["to"]): (row["subjects"], row["hectares"]) for row in found["changes"]}
    assert told == {(row["from"], row["to"]): (row["subjects"], row["hectares"]) for row in changes["outcomes"]}
    assert found["other_rules"] == sum(row["subjects"] for row in changes["other_rules"])


def test_a_trial_writes_nothing_and_says_what_it_is_held_against(land):
    before = list(Flag.objects.order_by("pk").values())
    found = try_values("120104", CRITERIA, {"far_min": "1.6"}, grants=OFFICE)
    assert list(Flag.objects.order_by("pk").values()) == before
    assert (found["against"]["same_text"], found["against"]["same_facts"], found["stale"]) == (True, True, None)
    assert found["params"] == [{"name": "far_min", "uom": "1", "from": 1, "to": 1.6, "given": True}]


def test_what_is_in_and_out_adds_up_by_outcome_category_and_street(land):
    found = try_values("120104", CRITERIA, {"far_min": "1.6"}, grants=OFFICE)
    counts = found["counts"]
    assert sum(counts["before"].values()) == sum(counts["after"].values()) == 12
    for outcome in trying.OUTCOMES:
        moved = counts["in"][outcome] - counts["out"][outcome]
        assert counts["after"][outcome] == counts["before"][outcome] + moved
    assert counts["in"]["candidate"] > 0
    for rows in (found["by_category"], found["by_street"]):
        for side in ("before", "after", "in", "out"):
            assert sum(row["subjects"][side] for row in rows) == counts[side]["candidate"]
    assert {row["street"] for row in found["by_street"]} == {"120104001", "120104002"}


def test_land_under_two_subjects_is_counted_once(land):
    first, above = Parcel.objects.order_by("pk").first(), Parcel.objects.order_by("pk").last()
    found = try_values("120104", CRITERIA, {"far_min": "9"}, grants=OFFICE)
    each = sum(Parcel.objects.values_list("area_m2", flat=True))
    everything = sum(found["hectares"]["after"].values())
    outcomes = {one.code: one.after for one in found["trial"].changes}
    assert outcomes[above.code] == "candidate"
    stays = Flag.objects.get(parcel=first).outcome
    assert outcomes.get(first.code, stays) == "candidate"
    assert everything == pytest.approx(each / 10_000 - 0.5, abs=0.001)


def test_land_under_three_is_united_and_not_guessed_from_pairs(land):
    three = [land.parcel((3000, 0, 3100, 100)), land.parcel((3050, 0, 3150, 100)), land.parcel((3025, 0, 3125, 100))]
    flag("120104", CRITERIA)
    ground = Ground.of("120104", OFFICE)
    with trying.connection.cursor() as cursor:
        shared = trying._shared(cursor, ground)
    assert frozenset(one.pk for one in three) in shared.tangles
    alone = Shared((), shared.tangles)
    twice = alone.counted_twice(lambda subject: "all")["all"]
    areas = sum(Parcel.objects.filter(pk__in=[one.pk for one in three]).values_list("area_m2", flat=True))
    assert areas - twice == pytest.approx(15_000, rel=0.001)
    assert alone.counted_twice(lambda subject: None if subject == three[2].pk else "two")["two"] == pytest.approx(
        5_000, rel=0.001
    )


def test_facts_that_changed_since_they_were_measured_are_told(land):
    parcel = Parcel.objects.order_by("pk").first()
    parcel.registered_far = 2
    parcel.save()
    found = try_values("120104", CRITERIA, {"far_min": "1.6"}, grants=OFFICE)
    assert found["stale"]["changes"] > 0
    assert not found["stale"]["whole"]


def test_a_street_office_counts_its_street_alone(land):
    mine = (Grant(Role.STREET, "120104", "120104001"),)
    found = try_values("120104", CRITERIA, {"far_min": "1.6"}, grants=mine)
    assert {row["street"] for row in found["by_street"]} == {"120104001"}
    assert sum(found["counts"]["before"].values()) == Flag.objects.filter(street="120104001").count()
    assert {one.street for one in found["trial"].changes} == {"120104001"}


def test_who_may_not_read_figures_cannot_find_one_out_by_moving_a_threshold(land):
    shut = betraying(sets.load(CRITERIA))
    assert {"tax_ratio_min", "exempt_tax", "exempt_divisions", "floor_tax_min"} <= shut
    assert "far_min" not in shut
    for name in shut:
        value = "33" if name == "exempt_divisions" else "0.123"
        with pytest.raises(NotAllowed, match=name):
            try_values("120104", CRITERIA, {"far_min": "2", name: value}, grants=ANALYST)
    assert try_values("120104", CRITERIA, {"far_min": "2"}, grants=ANALYST)["changes"]
    own = {name: trying.as_text(sets.load(CRITERIA).params[name].value) for name in shut}
    assert try_values("120104", CRITERIA, own, grants=ANALYST)["changes"] == []  # nothing is moved
    sliders = trying.adjustable(sets.load(CRITERIA), Ground.of("120104", ANALYST))
    assert {one["name"] for one in sliders if one["closed"]} == shut & {one["name"] for one in sliders}
    assert not any(one["closed"] for one in trying.adjustable(sets.load(CRITERIA), Ground.of("120104", OFFICE)))


def test_a_draft_on_figures_is_closed_too(land, monkeypatch):
    draft = replace(sets.load(CRITERIA), status="draft")
    monkeypatch.setattr(trying.sets, "load", lambda name: draft)
    with pytest.raises(NotAllowed):
        try_values("120104", CRITERIA, {}, grants=ANALYST)
    with pytest.raises(NotAllowed):
        compare_sets("120104", CRITERIA, CRITERIA, grants=ANALYST)
    assert try_values("120104", CRITERIA, {}, grants=OFFICE)["changes"] == []


def test_the_card_tells_no_more_of_a_set_than_a_trial_does(land, monkeypatch):
    code = Parcel.objects.order_by("code").first().code
    draft = replace(sets.load(CRITERIA), status="draft")
    elsewhere = replace(draft, district="120101")
    monkeypatch.setattr(trying.sets, "load", lambda name: elsewhere if name == "theirs" else draft)
    with pytest.raises(NotAllowed):
        explain(code, CRITERIA, grants=ANALYST)
    assert explain(code, CRITERIA, grants=OFFICE)["rules"]
    for asked in (
        lambda: explain(code, "theirs", grants=OFFICE),
        lambda: try_values("120104", "theirs", {}, grants=OFFICE),
    ):
        with pytest.raises(Refused, match="120101"):
            asked()


def test_what_cannot_be_tried_is_said(land):
    with pytest.raises(UnknownName):
        try_values("120104", CRITERIA, {"far_mim": "1"}, grants=OFFICE)
    with pytest.raises(UsageError):
        try_values("120104", CRITERIA, {"far_min": "low"}, grants=OFFICE)
    with pytest.raises(NotAllowed):
        try_values("120104", CRITERIA, {}, grants=(Grant(Role.OFFICE, "320106"),))
    with pytest.raises(NotAllowed):
        try_values("120104", CRITERIA, {}, grants=())
    Land("120101")
    with pytest.raises(Refused):
        try_values("120101", CRITERIA, {}, grants=(Grant(Role.OFFICE),))


def test_two_sets_and_two_runs_are_compared_on_the_same_facts(land):
    first = Flag.objects.first().run_id
    found = compare_sets("120104", str(first), "nanjing-2019", grants=OFFICE)
    full = flag("120104", "nanjing-2019", dry_run=True)
    assert found["counts"]["after"] == {outcome: full[outcome] for outcome in trying.OUTCOMES}
    assert found["a"]["run"]["counts"] == found["counts"]["before"]
    assert found["b"]["criteria"] == "nanjing-2019"
    back = compare_sets("120104", "nanjing-2019", str(first), grants=OFFICE)
    assert back["counts"]["after"] == found["counts"]["before"]
    assert {(one.code, one.after, one.before) for one in back["trial"].changes} == {
        (one.code, one.before, one.after) for one in found["trial"].changes
    }
    assert compare_sets("120104", str(first), CRITERIA, grants=OFFICE)["changes"] == []


def signed_in(role: Role) -> Client:
    user = User.objects.create_user(f"user-{role}", password="x")
    group, _made = Group.objects.get_or_create(name=role.value)
    Scope.objects.create(user=user, group=group, district_id="120104")
    client = Client(headers={"accept": "application/json"})
    client.force_login(user)
    return client


def test_the_pages_answer_with_counts_a_list_a_table_and_a_draft(land):
    office, analyst = signed_in(Role.OFFICE), signed_in(Role.ANALYST)
    words = f"district=120104&criteria={CRITERIA}&set=far_min=1.6"
    told = office.get(f"/map/whatif.json?{words}").json()
    changed = [one for one in told["codes"] if one["from"] != one["to"]]
    assert sum(map(len, told["changed"].values())) == len(changed) > 0
    ids = dict(Flag.objects.values_list("pk", "parcel__code"))
    assert {ids[one] for one in told["changed"]["candidate"]} == {
        one["code"] for one in changed if one["to"] == "candidate"
    }
    assert told["ways"]["in"] == told["counts"]["in"]["candidate"]
    listed = office.get(f"/map/whatif/list.json?{words}&way=in&sort=code").json()
    entered = [one["code"] for one in told["codes"] if one["way"] == "in"]
    assert [one["code"] for one in listed["codes"]] == sorted(entered)
    assert (listed["page"], listed["pages"], listed["total"]) == (1, 1, told["ways"]["in"])
    table = b"".join(office.get(f"/map/whatif/list.csv?{words}").streaming_content).decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(table)))) == 1 + len(told["codes"])
    for wrong in ("page=0", "sort=colour", "way=up", "nothing=1", "set=far_min=2", "criteria=x"):
        assert office.get(f"/map/whatif/list.json?{words}&{wrong}").status_code == 400, wrong

    params = office.get(f"/map/whatif/parameters.json?district=120104&criteria={CRITERIA}").json()
    far = next(one for one in params["params"] if one["name"] == "far_min")
    assert (far["text"], far["low"], far["high"], far["step"], far["closed"]) == ("1", "0", "2", "0.01", False)
    assert "peers_min" not in {one["name"] for one in params["params"]}, "only remarks read it"

    body = {"district": "120104", "criteria": CRITERIA, "name": params["draft"]["name"], "values": {"far_min": "1.6"}}
    send = {"content_type": "application/json"}
    assert analyst.post("/map/whatif/draft.json", body | {"reason": "x"}, **send).status_code == 403
    assert office.post("/map/whatif/draft.json", body | {"reason": "x", "values": {}}, **send).status_code == 400
    made = office.post("/map/whatif/draft.json", body | {"reason": "容积率再高一些"}, **send)
    assert made.status_code == 201, made.content
    draft = sets.load(made.json()["name"])
    assert (draft.status, float(draft.params["far_min"].value)) == ("draft", 1.6)
    assert CriteriaText.objects.get(name=draft.id).made_by.username == f"user-{Role.OFFICE}"
    assert compare_sets("120104", CRITERIA, draft.id, grants=OFFICE)["changes"] == told["changes"]
