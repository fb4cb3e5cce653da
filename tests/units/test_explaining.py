"""The card that says why: every rule for one parcel or building, by what the reader may see."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests.units.criteria.drawn import ALL, Land
from units.criteria import judging, sets
from units.errors import NotFound, UnknownName, UsageError
from units.explaining import explain
from units.flagging import evidence_of, flag
from units.founding import found
from units.models import CriteriaEdition, Department, Flag, FlagRun
from units.rights import Grant, Role

ANALYST = (Grant(Role.ANALYST),)
OFFICE = (Grant(Role.OFFICE, "120104"),)
WELL = {"safety_grade": "A", "vacant_m2": 0, "built_year": 2015}  # nothing of a building is missing
# Yuan a year: a parcel of 100 × 100 m that pays 10,000 yuan a mu.
TAX = 150_000


@pytest.fixture
def land(db):
    """Everything is delivered, so that what is unknown is unknown because of a row."""
    drawn = Land(layers=ALL)
    drawn.patch("0601", (0, 0, 100, 100))
    return drawn


def works(land, place=0, use="0601", dlbm=None, tax=TAX, floors=1, **options):
    """A parcel of 100 × 100 m, half built on, on one patch, with a firm of its own: FAR 0.5 a floor."""
    x = place * 200
    parcel = land.parcel((x, 0, x + 100, 100), use=use)
    if place or dlbm:
        land.patch(dlbm or "0601", (x, 0, x + 100, 100))
    land.building((x, 0, x + 50, 100), floors=floors, **WELL)
    land.firm(parcel, tax=tax, grade="B", **options)
    return parcel


def test_a_candidate_is_told_with_clause_value_threshold_and_verdict(land):
    parcel = works(land)
    told = explain(parcel.code, "nankai-2024", grants=ANALYST)
    assert (told["kind"], told["subject"], told["outcome"], told["category"]) == (
        "parcel",
        parcel.code,
        "candidate",
        "industrial",
    )
    assert told["official"] is False
    rules = {one["id"]: one for one in told["rules"]}
    far = rules["IND-FAR"]
    assert (far["effect"], far["verdict"], far["missing"]) == ("flag", True, [])
    assert far["inputs"]["far"]["value"] == 0.5
    assert far["params"]["far_min"]["value"] == 1
    assert "南开政办发〔2024〕1号" in far["basis"]
    assert far["message"] == "容积率 0.50，低于 1.00"
    assert rules["IND-COVERAGE"]["verdict"] is False
    assert told["classes"] == {"0601": 1.0}
    assert told["measures"]["far"]["title"]


@pytest.mark.rows("NK050")
def test_a_parameter_shows_which_set_gave_it_and_what_its_parent_had(land):
    parcel = land.parcel((0, 0, 100, 100))
    params = explain(parcel.code, "nankai-2024", grants=ANALYST)["params"]
    assert (params["far_min"]["set"], params["far_min"]["parent_value"]) == ("nankai-2024", None)
    assert params["construction_min"]["set"] == "tianjin-2024"


@pytest.mark.rows("NK018")
def test_what_is_missing_is_asked_of_the_department_that_owns_it(land):
    found("120104")
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100), **WELL)
    land.firm(parcel, tax=TAX)
    told = explain(parcel.code, "nankai-2024", grants=ANALYST)
    assert told["outcome"] == "undecided"
    assert [(one["field"], one["owner"], one["owner_name"]) for one in told["missing"]] == [
        ("building.floor_area", "housing", Department.objects.get(district="120104", code="housing").name),
        ("sector.mean", "tax", Department.objects.get(district="120104", code="tax").name),
    ]
    assert next(one for one in told["rules"] if one["id"] == "IND-FAR")["verdict"] is None


def test_explaining_finds_what_flagging_found(land):
    parcels = [works(land), works(land, 1, floors=2), works(land, 2, use=""), works(land, 3, dlbm="0101")]
    parcels += [works(land, 4, floors=None), works(land, 5, above_scale=True), works(land, 6, above_scale=None)]
    flag("120104", "nankai-2024")
    outcomes = []
    for parcel in parcels:
        told = explain(parcel.code, grants=OFFICE)
        assert told["criteria"] == "nankai-2024"
        assert told["stored"]["current"], told["stored"]
        assert told["stored"]["outcome"] == told["outcome"] == parcel.flags.get().outcome
        outcomes.append(told["outcome"])
    assert outcomes == ["candidate", "not_low", "candidate", "excluded", "undecided", "exempted", "candidate"]


def test_an_exemption_that_nobody_can_say_stands_as_pending_with_whom_to_ask(land):
    found("120104")
    parcel = works(land, above_scale=None)
    told = explain(parcel.code, "nankai-2024", grants=OFFICE)
    assert (told["outcome"], told["exemption_pending"]) == ("candidate", True)
    assert [one["field"] for one in told["missing"]] == ["enterprise.above_scale"]
    assert told["missing"][0]["owner_name"] == "区发改委"


def test_idle_land_is_told_as_another_procedure(land):
    parcel = land.parcel((0, 0, 100, 100))
    assert not explain(parcel.code, "nankai-2024", grants=ANALYST)["idle"]
    land.contract(parcel, start_agreed="2020-06-30", completion_agreed="2023-06-30", area_m2=10_000)
    told = explain(parcel.code, "nankai-2024", grants=ANALYST)
    assert (told["outcome"], told["idle"]) == ("excluded", True)
    (idle,) = (one for one in told["rules"] if one["id"] == "IDLE-NOT-STARTED")
    assert (idle["effect"], idle["verdict"]) == ("exclude", True)
    assert "闲置土地处置办法" in idle["basis"]


def test_the_set_that_judged_last_is_the_one_that_explains(land):
    parcel = works(land)
    flag("120104", "nankai-2024")
    # a run of the frame, as an earlier version stored it: it has no rule that flags and judged nothing
    judged = FlagRun.objects.get()
    frame = CriteriaEdition.objects.create(name="tianjin-2024", digest="0" * 64, title="框架", official=False, text="")
    later = FlagRun.objects.create(
        district_id="120104", survey=judged.survey, edition=frame, params={}, counts={}, subjects=0
    )
    assert later.ran_at > judged.ran_at
    told = explain(parcel.code, grants=ANALYST)
    assert (told["criteria"], told["outcome"]) == ("nankai-2024", "candidate")


def test_a_frame_without_rules_that_flag_leaves_its_categories_to_people(land):
    found("120104")
    told = explain(works(land).code, "tianjin-2024", grants=ANALYST)
    assert (told["category"], told["outcome"]) == ("industrial", "undecided")
    assert [(one["field"], one["owner"]) for one in told["missing"]] == [("people", "planning")]


@pytest.mark.rows("NK035")
def test_an_office_building_is_a_subject_of_its_own(land):
    land.patch("05H1", (0, 200, 100, 300))
    parcel = land.parcel((0, 200, 100, 300), use="05H1")
    empty, full = (
        land.building((x, 200, x + 40, 300), floors=5, use="30", **WELL | {"vacant_m2": vacant}, extra=extra)
        for x, vacant, extra in ((0, 15_000, {"KZQSSJ": "20210101"}), (50, 0, {}))
    )
    shed = land.building((95, 200, 99, 210), floors=1, use="20", **WELL)
    land.firm(parcel, tax=20_000_000, floor_area=40_000)
    flag("120104", "nankai-2024")
    told = explain(empty.code, grants=ANALYST)
    assert (told["kind"], told["outcome"], told["fired"]) == ("building", "candidate", ["D-VACANCY"])
    assert told["stored"]["current"]
    assert {one["id"] for one in told["not_applicable"]} >= {"IND-FAR", "EXC-NONCONSTRUCTION"}
    assert explain(full.code, grants=ANALYST)["outcome"] == "not_low"
    assert explain(parcel.code, grants=ANALYST)["kind"] == "parcel"
    with pytest.raises(UsageError, match=shed.code):
        explain(shed.code, grants=ANALYST)


READERS_OF_FIGURES = [Grant(Role.LEAD, "120104"), Grant(Role.CO, "120104"), OFFICE[0], Grant(Role.BUREAU)]
OTHERS = [Grant(Role.ANALYST), Grant(Role.STREET, "120104"), Grant(Role.DISTRICT, "120104"), Grant(Role.CITY)]


@pytest.mark.rows("NK082", "NJ092")
def test_what_a_firm_pays_is_told_to_those_alone_who_may_know_it(land):
    poor = works(land, tax=100_000, floors=2)
    works(land, 1, tax=900_000, floors=2)
    for grant in READERS_OF_FIGURES:
        told = explain(poor.code, "nankai-2024", grants=(grant,))
        rule = next(one for one in told["rules"] if one["id"] == "IND-TAX")
        assert (told["figures"], rule["hidden"]) == (True, False)
        assert rule["inputs"]["tax_ratio"]["value"] == 0.1111
        assert "0.67" in rule["message"]
        assert told["measures"]["tax_per_mu"]["value"] == 0.67
    for grant in OTHERS:
        told = explain(poor.code, "nankai-2024", grants=(grant,))
        rule = next(one for one in told["rules"] if one["id"] == "IND-TAX")
        # Why it is suspected is told, the figures are not; nor does any other part of the answer hold them.
        assert (told["outcome"], told["fired"], rule["verdict"]) == ("candidate", ["IND-TAX"], True)
        assert (told["figures"], rule["hidden"], rule["message"]) == (False, True, None)
        assert rule["inputs"]["tax_ratio"]["value"] is None
        assert rule["inputs"]["tax_ratio"]["hidden"] is True
        written = json.dumps(told, ensure_ascii=False, default=str)
        assert not [figure for figure in ("0.67", "3.33", "20.0%", ": 0.2,") if figure in written]


def test_a_grade_is_not_told_by_the_verdict_of_a_remark_either(land):
    parcel = works(land)
    known = explain(parcel.code, "nanjing-2019", grants=OFFICE)
    closed = explain(parcel.code, "nanjing-2019", grants=ANALYST)
    assert {one["id"] for one in known["rules"]} - {one["id"] for one in closed["rules"]} == {"NJ-GRADE"}
    assert "NJ-GRADE" not in {one["id"] for one in closed["not_applicable"]}


def test_a_flag_that_is_older_than_the_facts_is_told(land):
    parcel = works(land)
    flag("120104", "nankai-2024")
    land.building((50, 0, 100, 100), floors=1)
    stored = explain(parcel.code, grants=ANALYST)["stored"]
    assert (stored["outcome"], stored["current"]) == ("candidate", False)
    assert "inputs" in stored["changed"]


def test_a_flag_that_is_older_than_the_set_is_told(land, tmp_path, monkeypatch):
    parcel = works(land)
    works(land, 1)
    for name in sets.available():
        text = (sets.FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        (tmp_path / f"{name}.toml").write_text(text.replace("value = 1.0", "value = 0.4"), encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(sets.load, "__defaults__", (tmp_path,))
        patched.setattr(judging, "prove", lambda cursor, criteria: None)  # its cases are for the value that was there
        flag("120104", "nankai-2024")
    told = explain(parcel.code, grants=ANALYST)
    assert (told["outcome"], told["stored"]["outcome"]) == ("candidate", "not_low")
    assert {"digest", "params"} <= set(told["stored"]["changed"])


def test_in_english_it_is_told_in_english_and_the_stored_flag_stays_current(land):
    parcel = works(land)
    flag("120104", "nankai-2024")
    chinese = explain(parcel.code, grants=ANALYST)
    with translation.override("en"):
        english = explain(parcel.code, grants=ANALYST)
    assert chinese["stored"]["current"]
    assert english["stored"]["current"]
    chinese_rules, rules = ({rule["id"]: rule for rule in told["rules"]} for told in (chinese, english))
    assert chinese_rules["IND-FAR"]["message"] == "容积率 0.50，低于 1.00"
    assert rules["IND-FAR"]["message"] == "FAR 0.50 is below 1.00"
    assert (chinese_rules["IND-FAR"]["title"], rules["IND-FAR"]["title"]) == ("容积率偏低", "FAR is low")
    assert rules["IND-FAR"]["basis"] == chinese_rules["IND-FAR"]["basis"], "the clause is quoted as it was written"
    assert rules["IND-COVERAGE"]["message"] is None, "it is not met"
    assert "演示参数" in chinese["params"]["far_min"]["note"]
    assert english["params"]["far_min"]["note"].startswith("Demonstration parameter")
    assert "Nankai" in english["title"]
    evidence = evidence_of(Flag.objects.get())
    assert next(one for one in evidence["rules"] if one["id"] == "IND-FAR")["message"] == "容积率 0.50，低于 1.00"


def test_a_set_without_english_is_told_in_chinese_whoever_reads(land, tmp_path, monkeypatch):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100), floors=1)
    for name in sets.available():
        lines = (sets.FOLDER / f"{name}.toml").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if "_en = " not in line]
        (tmp_path / f"{name}.toml").write_text("\n".join(kept), encoding="utf-8")
    monkeypatch.setattr(sets.load, "__defaults__", (tmp_path,))
    with translation.override("en"):
        told = explain(parcel.code, "nankai-2024", grants=ANALYST)
    far = next(one for one in told["rules"] if one["id"] == "IND-FAR")
    assert (far["title"], far["message"]) == ("容积率偏低", "容积率 0.50，低于 1.00")
    assert "演示参数" in told["params"]["far_min"]["note"]


def test_who_does_not_see_a_parcel_does_not_learn_that_it_is_there(land):
    parcel = land.parcel((0, 0, 100, 100))
    seen = [Grant(Role.STREET, "120104"), Grant(Role.CITY), Grant(Role.LEAD, "120104")]
    unseen = [
        (),
        (Grant(Role.PUBLIC),),
        (Grant(Role.DEVELOPER, "120104"),),
        (Grant(Role.ANALYST, "120103"),),
        (Grant(Role.STREET, "120104", "120104001"),),
    ]
    for grant in seen:
        assert explain(parcel.code, "nankai-2024", grants=(grant,))["subject"] == parcel.code
    messages = set()
    for grants in unseen:
        with pytest.raises(NotFound) as raised:
            explain(parcel.code, "nankai-2024", grants=grants)
        messages.add(str(raised.value).replace(parcel.code, "…"))
    with pytest.raises(NotFound) as raised:
        explain("120104001001GB99999", "nankai-2024", grants=ANALYST)
    assert messages == {str(raised.value).replace("120104001001GB99999", "…")}


def test_a_parcel_of_a_survey_that_is_not_in_force_is_not_there(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.survey.state = "retired"
    land.survey.save()
    with pytest.raises(NotFound):
        explain(parcel.code, "nankai-2024", grants=ANALYST)


def test_a_set_that_is_not_there_is_named(land):
    parcel = land.parcel((0, 0, 100, 100))
    with pytest.raises(UnknownName):
        explain(parcel.code, "nankai-2042", grants=ANALYST)


def test_explaining_writes_nothing_and_needs_no_flag(land):
    parcel = land.parcel((0, 0, 100, 100))
    with CaptureQueriesContext(connection) as asked:
        told = explain(parcel.code, grants=ANALYST)
    assert (told["criteria"], told["stored"]) == ("nankai-2024", None)
    assert all(one["sql"].startswith(("SELECT", "WITH", "SAVEPOINT", "RELEASE")) for one in asked)


def test_the_command_tells_it_in_words_and_as_json(own_database, manage):
    land = Land()
    land.patch("0601", (0, 0, 100, 100))
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100))
    done = manage("explain", parcel.code, "--criteria", "nankai-2024")
    assert done.returncode == 0, done.stderr
    for word in ("IND-FAR", "南开政办发〔2024〕1号", "far_min = 1", "construction_share = 1.0000"):
        assert word in done.stdout
    done = manage("explain", parcel.code, "--format", "json")
    told = json.loads(done.stdout)
    assert {"subject", "outcome", "rules"} <= set(told)
    assert {"id", "effect", "verdict", "inputs", "basis", "missing"} <= set(told["rules"][0])
    assert manage("explain", "nothing").returncode == 2
