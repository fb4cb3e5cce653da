"""A run of the criteria: outcomes, evidence, what-if, replacement at once, and nothing by accident."""

import json
import os
from decimal import Decimal

import psycopg
import pytest
import shapely
from django.db import connection, transaction
from django.utils import translation

from tests.units.criteria.drawn import ALL, Land, shape
from units import measuring
from units.criteria import judging, sets
from units.criteria.measures import MEASURES, NUMBER, SQL_TYPES
from units.errors import Busy, CriteriaError, Refused, UnknownName, UsageError
from units.flagging import evidence_of, flag, refuse_untried
from units.management.commands.flag import Command
from units.models import CriteriaEdition, Flag, FlagRun, Street, Survey

SHIPPED = sets.FOLDER
SET = """
[criteria]
id = "try"
title = "试用（演示参数，非官方标准）"
valid_from = 2024-02-05
status = "approved"
official = false

[params]
far_min = { value = 1.0, uom = "1", note = "演示参数" }
old = { value = 40, uom = "a", note = "演示参数" }
"""
RULE = """
[[rule]]
id = "{id}"
{category}
effect = "{effect}"
title = "{id}"
basis = "演示"
confidence = "D"
when = "{when}"
message = "{message}"
[[rule.case]]
name = "met"
given = {{ {yes} }}
expect = "yes"
[[rule.case]]
name = "not met"
given = {{ {no} }}
expect = "no"
[[rule.case]]
name = "unknown"
given = {{}}
expect = "unknown"
"""


def rule(name, effect, when, yes, no, category="", message="容积率 {far:.2f}"):
    written = f"category = {json.dumps([category])}" if category else ""
    return RULE.format(id=name, effect=effect, when=when, yes=yes, no=no, category=written, message=message)


CLASSIFY = rule(
    "CLS",
    "classify",
    "use_category = 'industrial'",
    "use_category = 'industrial'",
    "use_category = 'office'",
    "industrial",
)
FAR = rule("FAR", "flag", "far < far_min", "far = 0.5", "far = 1.0", "industrial")
EXCLUDE = rule(
    "EXC",
    "exclude",
    "construction_share < 0.5",
    "construction_share = 0.1",
    "construction_share = 0.5",
    message="{construction_share:.0%}",
)
EXEMPT = rule("NEW", "exempt", "age < old", "age = 1", "age = 40", "industrial", "楼龄 {age}")


@pytest.fixture
def criteria(tmp_path, monkeypatch):
    """Put a set of the test's own in the place of the shipped ones."""
    monkeypatch.setattr(sets, "FOLDER", tmp_path)
    monkeypatch.setattr(sets.load, "__defaults__", (tmp_path,))
    monkeypatch.setattr(sets.available, "__defaults__", (tmp_path,))

    def write(*rules, head=SET, name="try"):
        (tmp_path / f"{name}.toml").write_text(head + "".join(rules), encoding="utf-8")

    write(CLASSIFY, FAR, EXCLUDE, EXEMPT)
    return write


@pytest.fixture
def land(db):
    return Land(layers=ALL)


def block(land, number, floors=None, use="0601", dlbm="0601", **building):
    """One parcel of 100 × 100 m with half of it built on, on a patch of its own."""
    x = number * 200
    parcel = land.parcel((x, 0, x + 100, 100), use=use)
    land.patch(dlbm, (x - 5, -5, x + 105, 105))
    if floors is not None or building:
        land.building((x, 0, x + 50, 100), floors=floors, **building)
    return parcel


def outcomes():
    return dict(Flag.objects.filter(parcel__isnull=False).values_list("parcel_id", "outcome"))


def test_every_outcome_occurs_where_it_should(land, criteria):
    candidate = block(land, 0, floors=1, built_year=1970)
    pending = block(land, 1, floors=1)  # the exemption lacks the year built
    exempted = block(land, 2, floors=1, built_year=2020)
    excluded = block(land, 3, floors=1, dlbm="0101")
    not_low = block(land, 4, floors=2)
    unknown_far = block(land, 5, height_m=10)
    unknown_use = block(land, 6, floors=1, use="")
    other_category = block(land, 7, floors=1, use="0701", dlbm="0701")
    result = flag("120104", "try")
    assert outcomes() == {
        candidate.pk: "candidate",
        pending.pk: "candidate",
        exempted.pk: "exempted",
        excluded.pk: "excluded",
        not_low.pk: "not_low",
        unknown_far.pk: "undecided",
        unknown_use.pk: "undecided",
        other_category.pk: "not_low",
    }
    assert {name: result[name] for name in ("subjects", *judging.OUTCOMES)} == {
        "subjects": 8,
        "candidate": 2,
        "excluded": 1,
        "exempted": 1,
        "undecided": 2,
        "not_low": 2,
    }
    flags = {one.parcel_id: one for one in Flag.objects.all()}
    assert flags[candidate.pk].fired == ["FAR"]
    assert not flags[candidate.pk].evidence["exemption_pending"]
    assert flags[pending.pk].evidence["exemption_pending"]
    assert flags[pending.pk].missing == ["building.built_year"]
    assert flags[exempted.pk].fired == ["FAR", "NEW"]
    assert flags[unknown_far.pk].missing == ["building.floor_area"]
    assert flags[unknown_use.pk].missing == ["parcel.registered_use"]
    assert flags[not_low.pk].missing == []
    assert (flags[candidate.pk].category, flags[other_category.pk].category) == ("industrial", "")


def test_exactly_at_the_limit_is_not_below_it(land, criteria):
    at = block(land, 0, floors=2)
    below = block(land, 1, floor_area=9940, floors=2)
    flag("120104", "try")
    assert outcomes() == {at.pk: "not_low", below.pk: "candidate"}


@pytest.mark.rows("NK020")
def test_rules_of_other_categories_do_not_run(land, criteria):
    parcel = block(land, 0, floors=1, use="0701", dlbm="0701")
    flag("120104", "try")
    assert [one["id"] for one in evidence_of(Flag.objects.get(parcel=parcel))["rules"]] == ["CLS", "EXC"]


@pytest.mark.rows("NK020")
def test_an_office_parcel_is_not_judged_by_the_rules_for_industry(land):
    office = block(land, 0, floors=1, use="05H1", dlbm="05H1", vacant_m2=0)
    land.firm(office, tax=100_000)
    industrial = block(land, 1, floors=1)
    flag("120104", "nankai-2024")
    flags = {one.parcel_id: one for one in Flag.objects.filter(parcel__isnull=False)}
    assert (flags[office.pk].category, flags[office.pk].outcome) == ("office", "not_low")
    assert (flags[industrial.pk].category, flags[industrial.pk].outcome) == ("industrial", "candidate")
    ran = {one["id"] for one in evidence_of(flags[office.pk])["rules"]}
    assert "USE-MISMATCH" in ran
    assert "IND-FAR" not in ran


def test_a_parcel_of_unknown_category_is_excluded_by_a_rule_for_every_category(land, criteria):
    parcel = block(land, 0, floors=1, use="", dlbm="0101")
    flag("120104", "try")
    assert outcomes() == {parcel.pk: "excluded"}


def test_patches_that_lie_on_each_other_exclude_nobody_and_clear_nobody(land):
    """Farmland and works on the same ground: their shares add up to 2, and neither is to be believed."""
    parcel = block(land, 0, floors=1)
    land.patch("0101", (-5, -5, 105, 105))
    flag("120104", "nankai-2024")
    assert outcomes() == {parcel.pk: "undecided"}
    assert "patches.overlap" in Flag.objects.get().missing


@pytest.mark.rows("NK001")
def test_a_parcel_on_farmland_of_the_base_survey_is_no_candidate(land):
    parcel = block(land, 0, floors=1, dlbm="0101")
    flag("120104", "nankai-2024")
    assert outcomes() == {parcel.pk: "excluded"}


def test_without_a_delivery_of_buildings_nobody_can_say(db):
    land = Land(layers=[layer for layer in ALL if layer != "building"])
    parcel = block(land, 0)
    land.firm(parcel, tax=100_000)
    result = flag("120104", "nankai-2024")
    assert outcomes() == {parcel.pk: "undecided"}
    assert Flag.objects.get().missing == ["buildings", "sector.mean"]
    assert result["undecided"] == 1


def test_land_that_no_delivery_of_buildings_reached_is_undecided(land):
    land.reach("building", (0, -50, 150, 150))
    near, far_away = block(land, 0), block(land, 5)
    land.firm(far_away, tax=100_000)
    result = flag("120104", "nankai-2024")
    assert outcomes() == {near.pk: "candidate", far_away.pk: "undecided"}
    flags = {one.parcel_id: one for one in Flag.objects.all()}
    assert flags[far_away.pk].missing == ["buildings.cover", "sector.mean"]
    assert (
        evidence_of(flags[near.pk])["sources"]["buildings"][0]["extent"]
        == land.deliveries["building"].settings["extent"]
    )
    assert (result["candidate"], result["without_building"]) == (1, 1)


def test_a_run_tells_on_how_many_candidates_no_building_stands(land):
    block(land, 0)
    block(land, 1, floors=1)
    land.firm(block(land, 2, floors=3, safety_grade="A", vacant_m2=0), tax=100_000)
    result = flag("120104", "nankai-2024", dry_run=True)
    assert (result["candidate"], result["without_building"]) == (2, 1)
    with translation.override("en"):
        lines = Command().text(result).splitlines()
    assert ["1", "candidates without a building"] in [line.split(maxsplit=1) for line in lines]


@pytest.mark.rows("NK011")
def test_the_evidence_says_every_input_with_unit_source_and_date(land, criteria):
    parcel = block(land, 0, floors=1, built_year=1970)
    result = flag("120104", "try")
    stored = Flag.objects.get(parcel=parcel)
    evidence = evidence_of(stored)
    assert evidence["survey"] == 2022
    assert evidence["digest"] == result["digest"] == stored.run.edition.digest
    day = evidence["sources"]["buildings"][0]["imported_on"]
    assert evidence["inputs"]["far"] == {
        "value": 0.5,
        "uom": "1",
        "source": "buildings",
        "as_of": f"2022 ({day})",
        "missing": None,
    }
    assert evidence["params"]["far_min"] == {"value": 1, "uom": "1"}
    found = next(one for one in evidence["rules"] if one["id"] == "FAR")
    assert (found["verdict"], found["effect"], found["inputs"], found["params"], found["missing"]) == (
        True,
        "flag",
        ["far"],
        ["far_min"],
        [],
    )
    assert found["message"] == "容积率 0.50"
    assert evidence["classes"] == {"0601": 1.0}


def test_a_card_is_computed_again_from_what_is_stored(land, criteria):
    block(land, 0, floors=1, built_year=1970)
    block(land, 1, floors=1)
    block(land, 2, floors=2, use="")
    block(land, 3, height_m=10)
    flag("120104", "try")
    for stored in Flag.objects.select_related("run__edition"):
        criteria = sets.restore(stored.run.edition.text)
        assert criteria.digest == stored.evidence["digest"]
        inputs = stored.evidence["inputs"]
        columns, values = [], {}
        for name, one in MEASURES.items():
            known = inputs.get(name)
            values[name] = Decimal(str(known)) if one.type == NUMBER and known is not None else known
            columns.append(f"%({name})s::{SQL_TYPES[one.type]} AS {name}")
        asked = judging.judgement(criteria)
        values |= asked.values
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH measured AS (SELECT 1 AS subject, 'parcel' AS kind, 1 AS parcel_id, NULL AS building_id, "
                f"'' AS district_id, '' AS street_id, '{{}}'::jsonb AS gaps, "
                f"'{{}}'::jsonb AS class_mix, NULL::jsonb AS overlay, {', '.join(columns)}) "
                f"SELECT outcome, category, fired, evidence::text FROM ({asked.sql}) AS one",
                values,
            )
            outcome, category, fired, evidence = cursor.fetchone()
        assert (outcome, category, fired) == (stored.outcome, stored.category, stored.fired)
        again = json.loads(evidence)
        assert {name: again[name] for name in ("inputs", "verdicts", "messages")} == {
            name: stored.evidence[name] for name in ("inputs", "verdicts", "messages")
        }


def test_the_evidence_keeps_the_place_of_a_mismatch(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0601", (0, 0, 40, 100))
    land.patch("0701", (40, 0, 100, 100))
    agreeing = block(land, 2, floors=4)
    flag("120104", "nankai-2024")
    overlay = Flag.objects.get(parcel=parcel).evidence["overlay"]["mismatch"]
    drawn = shapely.from_wkt(shape((40, 0, 100, 100)))
    found = shapely.from_geojson(json.dumps(overlay))
    assert found.symmetric_difference(drawn).area < 0.001 * drawn.area
    assert Flag.objects.get(parcel=agreeing).evidence["overlay"] == {}


def test_a_run_keeps_its_counts_parameters_and_the_exact_text(land, criteria):
    criteria(CLASSIFY, FAR.replace("far = 0.5", "far = 0.1"), EXCLUDE, EXEMPT, head=SET.replace("1.0,", "0.4,"))
    block(land, 0, floors=1, built_year=1970)
    result = flag("120104", "try")
    run = FlagRun.objects.get(pk=result["run"])
    assert run.params["values"] == {"far_min": 0.4, "old": 40}
    assert (run.subjects, run.counts["not_low"], run.survey.year) == (1, 1, 2022)
    assert sets.restore(run.edition.text).digest == run.edition.digest
    assert run.seconds > 0


def test_a_dry_run_writes_nothing(land, criteria):
    block(land, 0, floors=1)
    flag("120104", "try")
    before = list(Flag.objects.values())
    result = flag("120104", "try", {"far_min": "0.1"}, dry_run=True)
    assert (result["run"], result["candidate"], result["not_low"]) == (None, 0, 1)
    assert list(Flag.objects.values()) == before
    assert (FlagRun.objects.count(), CriteriaEdition.objects.count()) == (1, 1)


def test_a_what_if_never_takes_the_place_of_the_flags(land, criteria):
    block(land, 0, floors=1)
    flag("120104", "try")
    before = list(Flag.objects.values())
    with pytest.raises(UsageError, match="--dry-run"):
        flag("120104", "try", {"far_min": "0.1"})
    assert list(Flag.objects.values()) == before
    assert FlagRun.objects.count() == 1


def test_a_what_if_equals_a_run_of_a_set_with_that_value(land, criteria):
    for number, floors in enumerate((1, 1.2, 1.6, 2)):
        block(land, number, floors=floors)
    tried = flag("120104", "try", {"far_min": "0.7"}, dry_run=True)
    criteria(CLASSIFY, FAR.replace("far = 0.5", "far = 0.1"), EXCLUDE, EXEMPT, head=SET.replace("1.0,", "0.7,"))
    run = flag("120104", "try")
    assert {name: tried[name] for name in judging.OUTCOMES} == {name: run[name] for name in judging.OUTCOMES}
    assert run["candidate"] == 2


def test_a_run_replaces_the_flags_of_its_district_and_set_and_no_others(land, criteria):
    parcel = block(land, 0, floors=1, built_year=1970)
    other = Land("120103")
    neighbour = block(other, 0, floors=1, built_year=1970)
    criteria(CLASSIFY, FAR, head=SET.replace('"try"', '"two"'), name="two")
    flag("120104", "try")
    flag("120104", "two")
    flag("120103", "try")
    land.building((60, 0, 100, 100), floors=9)
    flag("120104", "try")
    assert set(Flag.objects.values_list("parcel_id", "criteria", "outcome")) == {
        (parcel.pk, "try", "not_low"),
        (parcel.pk, "two", "candidate"),
        (neighbour.pk, "try", "candidate"),
    }


def test_two_sets_are_each_judged_by_what_changed_since_their_own_run(land, criteria):
    parcels = [block(land, number, floors=1, built_year=1970) for number in range(2)]
    criteria(CLASSIFY, FAR, head=SET.replace('"try"', '"two"'), name="two")
    flag("120104", "try")
    flag("120104", "two")
    land.building((60, 0, 100, 100), floors=9)
    assert flag("120104", "try", changed=True)["judged"] == 1
    late = flag("120104", "two", changed=True)
    assert (late["kind"], late["measured"]["looked_at"], late["judged"]) == ("changed", 0, 1)
    assert set(Flag.objects.values_list("parcel_id", "criteria", "outcome")) == {
        (parcels[0].pk, "try", "not_low"),
        (parcels[0].pk, "two", "not_low"),
        (parcels[1].pk, "try", "candidate"),
        (parcels[1].pk, "two", "candidate"),
    }


def test_other_rules_judge_every_subject_though_only_changes_were_asked_for(land, criteria):
    for number in range(2):
        block(land, number, floors=1, built_year=1970)
    flag("120104", "try")
    criteria(CLASSIFY, FAR.replace("far = 0.5", "far = 0.1"), EXCLUDE, EXEMPT, head=SET.replace("1.0,", "0.4,"))
    run = flag("120104", "try", changed=True)
    assert (run["kind"], run["measured"]["looked_at"], run["judged"], run["not_low"]) == ("full", 0, 2, 2)


AREA = """
[[area]]
id = "riverside"
title = "滨河"
streets = ["120104001"]
[area.params.far_min]
value = 0.4
note = "演示参数"
reason = "滨河限高"
"""


def test_each_subject_is_judged_by_the_rules_of_its_sub_area_and_the_evidence_names_it(land, criteria):
    Street.objects.create(code="120104001", district=land.district, name="滨河街道")
    here, there = block(land, 0, floors=1, built_year=1970), block(land, 1, floors=1, built_year=1970)
    here.street_id = "120104001"
    here.save()
    criteria(CLASSIFY, FAR, AREA)
    flag("120104", "try")
    assert outcomes() == {here.pk: "not_low", there.pk: "candidate"}
    told = {one.parcel_id: evidence_of(one) for one in Flag.objects.select_related("run")}
    assert (told[here.pk]["area"], told[here.pk]["params"]["far_min"]["value"]) == ("riverside", 0.4)
    assert ("area" in told[there.pk], told[there.pk]["params"]["far_min"]["value"]) == (False, 1)


def test_a_subject_keeps_the_id_of_its_flag_and_one_that_is_gone_loses_it(land, criteria):
    stays, goes = block(land, 0, floors=1), block(land, 1, floors=1)
    flag("120104", "try")
    before = Flag.objects.get(parcel=stays).pk
    goes.code = goes.code[:-1] + "9"
    goes.survey = Survey.objects.create(district_id="120104", year=2020)
    goes.save()
    flag("120104", "try")
    assert list(Flag.objects.values_list("pk", "parcel_id")) == [(before, stays.pk)]


def test_a_run_that_fails_leaves_the_old_flags(land, criteria, monkeypatch):
    block(land, 0, floors=1, built_year=1970)
    flag("120104", "try")
    before = list(Flag.objects.values())

    def fail(*args, **kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(FlagRun, "save", fail)
    with pytest.raises(RuntimeError):
        flag("120104", "try")
    assert list(Flag.objects.values()) == before


def test_a_set_that_is_not_approved_or_not_yet_valid_may_only_be_tried(land, criteria):
    block(land, 0, floors=1)
    for old, new in (('"approved"', '"draft"'), ('"approved"', '"retired"'), ("2024-02-05", "2999-01-01")):
        criteria(CLASSIFY, FAR, head=SET.replace(old, new))
        with pytest.raises(Refused):
            flag("120104", "try")
        assert flag("120104", "try", dry_run=True)["subjects"] == 1


def test_a_set_without_a_rule_that_flags_stores_nothing_and_clears_nobody(land, criteria):
    block(land, 0, floors=1)
    block(land, 1, floors=1, dlbm="0101")
    criteria(CLASSIFY, EXCLUDE)
    with pytest.raises(Refused, match="try"):
        flag("120104", "try")
    assert not Flag.objects.exists()
    tried = flag("120104", "try", dry_run=True)
    assert (tried["undecided"], tried["excluded"], tried["not_low"]) == (1, 1, 0)
    with pytest.raises(Refused, match="tianjin-2024"):
        refuse_untried(sets.load("tianjin-2024", SHIPPED))


def test_a_category_without_a_rule_that_flags_is_undecided_and_says_that_people_judge_it(land, criteria):
    offices = CLASSIFY.replace("CLS", "CLS-OFFICE").replace("industrial", "x").replace("office", "industrial")
    criteria(CLASSIFY, offices.replace("'x'", "'office'").replace('["x"]', '["office"]'), FAR, EXCLUDE)
    works, office = block(land, 0, floors=3), block(land, 1, floors=3, use="05H1", dlbm="05H1")
    flag("120104", "try")
    assert outcomes() == {works.pk: "not_low", office.pk: "undecided"}
    assert Flag.objects.get(parcel=office).missing == ["people"]
    # a category of which the set says that people judge it beside the rules
    criteria(CLASSIFY, FAR, EXCLUDE, head=SET.replace("official = false", 'official = false\npeople = ["industrial"]'))
    low = block(land, 2, floors=1)
    flag("120104", "try")
    assert outcomes() == {works.pk: "undecided", office.pk: "not_low", low.pk: "candidate"}


def test_a_set_whose_cases_fail_judges_nothing(land, criteria):
    block(land, 0, floors=1)
    criteria(CLASSIFY, FAR.replace("far < far_min", "far <= far_min"))
    with pytest.raises(CriteriaError, match="FAR"):
        flag("120104", "try")
    assert not Flag.objects.exists()


def test_what_is_not_there_is_named(land, criteria):
    with pytest.raises(UnknownName):
        flag("999999", "try")
    with pytest.raises(UnknownName):
        flag("120104", "trie")
    with pytest.raises(UnknownName):
        flag("120104", "try", {"far_max": "1"}, dry_run=True)
    with pytest.raises(UsageError):
        flag("120104", "try", {"far_min": "low"}, dry_run=True)
    land.survey.state = "retired"
    land.survey.save()
    with pytest.raises(Refused):
        flag("120104", "try")


def test_one_run_of_a_district_at_a_time(own_database, criteria):
    block(Land(layers=ALL), 0, floors=1)
    block(Land("120103"), 0, floors=1)
    with psycopg.connect(os.environ["DATABASE_URL"]) as second:
        second.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", [measuring.LOCK, "120104"])
        with pytest.raises(Busy):
            flag("120104", "try")
        assert flag("120103", "try")["subjects"] == 1
        second.rollback()
    assert flag("120104", "try")["subjects"] == 1


def test_a_second_run_in_the_same_transaction_finds_no_left_overs(land, criteria):
    block(land, 0, floors=1)
    with transaction.atomic():
        apart = {"run": 0, "seconds": 0, "measured": None, "judged": None}
        assert flag("120104", "try") | apart == flag("120104", "try") | apart


def test_the_command_prints_one_object_and_ends_0(own_database, manage):
    block(Land(layers=ALL), 0, floors=1)
    done = manage("flag", "--district", "120104", "--criteria", "nankai-2024", "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"run", "criteria", "digest", "subjects", "seconds", *judging.OUTCOMES} <= set(result)
    assert (result["subjects"], result["candidate"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--district", "120104", "--criteria", "nobody"], 2),
        (["--district", "999999", "--criteria", "nankai-2024"], 2),
        (["--district", "120104", "--criteria", "nankai-2024", "--set", "far_min"], 2),
        (["--district", "120104", "--criteria", "nankai-2024", "--set", "far_min=x", "--dry-run"], 2),
        (["--district", "120104", "--criteria", "nankai-2024", "--set", "far_min=0.8"], 2),
    ],
)
def test_the_command_ends_2_for_a_wrong_argument(own_database, manage, arguments, code):
    Land()
    done = manage("flag", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
