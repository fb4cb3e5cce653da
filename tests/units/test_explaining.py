"""The card that says why: every rule for one parcel, by what the reader may see."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests.units.criteria.drawn import Land
from units.criteria import judging, sets
from units.errors import NotFound, UnknownName
from units.explaining import explain
from units.flagging import flag
from units.founding import found
from units.models import Department, Flag
from units.rights import Grant, Role

ANALYST = (Grant(Role.ANALYST),)


@pytest.fixture
def land(db):
    drawn = Land()
    drawn.patch("0601", (0, 0, 100, 100))
    return drawn


def test_a_candidate_is_told_with_clause_value_threshold_and_verdict(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100), floors=1)
    told = explain(parcel.code, "nankai-2024", grants=ANALYST)
    assert (told["subject"], told["outcome"], told["category"]) == (parcel.code, "candidate", "industrial")
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
    land.building((0, 0, 50, 100))
    told = explain(parcel.code, "nankai-2024", grants=ANALYST)
    assert told["outcome"] == "undecided"
    assert [(one["field"], one["owner"], one["owner_name"]) for one in told["missing"]] == [
        ("building.floor_area", "housing", Department.objects.get(district="120104", code="housing").name)
    ]
    assert next(one for one in told["rules"] if one["id"] == "IND-FAR")["verdict"] is None


def test_explaining_finds_what_flagging_found(land):
    parcels = [land.parcel((0, 0, 100, 100))]
    land.building((0, 0, 50, 100), floors=1)
    for number, (use, dlbm, floors) in enumerate(
        [("0601", "0601", 2), ("", "0601", 1), ("0701", "0601", 5), ("0601", "0101", 1), ("0601", "0601", None)], 1
    ):
        x = number * 200
        parcels.append(land.parcel((x, 0, x + 100, 100), use=use))
        land.patch(dlbm, (x, 0, x + 100, 100))
        land.building((x, 0, x + 60, 100), floors=floors)
    flag("120104", "nankai-2024")
    outcomes = set()
    for parcel in parcels:
        told = explain(parcel.code, grants=ANALYST)
        assert told["criteria"] == "nankai-2024"
        assert told["stored"]["current"], told["stored"]
        assert told["stored"]["outcome"] == told["outcome"] == parcel.flags.get().outcome
        outcomes.add(told["outcome"])
    assert outcomes == {"candidate", "not_low", "undecided", "excluded"}


def test_a_flag_that_is_older_than_the_facts_is_told(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100), floors=1)
    flag("120104", "nankai-2024")
    land.building((50, 0, 100, 100), floors=1)
    stored = explain(parcel.code, grants=ANALYST)["stored"]
    assert (stored["outcome"], stored["current"]) == ("candidate", False)
    assert "inputs" in stored["changed"]


def test_a_flag_that_is_older_than_the_set_is_told(land, tmp_path, monkeypatch):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100), floors=1)
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
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 100), floors=1)
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
    evidence = Flag.objects.get().evidence
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
