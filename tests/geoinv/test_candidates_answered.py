"""What is planted in a drawn district is found with its rules and nothing else is suspected: three seeds, both ways."""

import json

import pytest

from fixtures.demo import make_demo
from fixtures.names import DISTRICT, YEAR
from importers.folder import load_folder
from units.activating import activate
from units.explaining import explain
from units.flagging import flag
from units.founding import found
from units.models import Building, Flag, Parcel
from units.rights import Grant, Role

pytestmark = pytest.mark.rows("NK012", "NK019", "NK020", "NJ021")

CRITERIA = "nankai-2024"
PARCELS = 320
SEEDS = (11, 2024, 77)
ANALYST = (Grant(Role.ANALYST), Grant(Role.OFFICE))


@pytest.fixture(scope="module", params=SEEDS)
def answered(request, django_db_setup, django_db_blocker, databases, tmp_path_factory):
    """(answers.json, the flags by (subject, code)) of one drawn district, loaded by the real importers and judged."""
    folder = tmp_path_factory.mktemp(f"seed-{request.param}")
    make_demo(PARCELS, folder / "drawn", seed=request.param)
    name = databases.clone()
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.DELIVERIES_DIR", folder / "kept")
        databases.use(name)
        found(DISTRICT)
        load_folder(folder / "drawn" / "deliveries", DISTRICT, YEAR)
        activate(DISTRICT, YEAR)
        flag(DISTRICT, CRITERIA)
        flags = Flag.objects.filter(criteria=CRITERIA).select_related("parcel", "building")
        told = {
            ("parcel", flag.parcel.code) if flag.parcel else ("building", flag.building.code): flag for flag in flags
        }
        yield json.loads((folder / "drawn" / "answers.json").read_text(encoding="utf-8")), told
        databases.use(databases.process_database)
    databases.drop(name)


def planted(answers: dict) -> dict:
    return {(line["subject"], line["code"]): line for line in answers["planted"]}


def test_every_planted_subject_is_found_with_its_outcome_rules_and_missing_facts(answered):
    answers, flags = answered
    lines = planted(answers)
    assert len(lines) == len(answers["planted"]) > 60
    wrong = [
        (line["kind"], key, line["outcome"], line["fired"], line["missing"], *found)
        for key, line in lines.items()
        if (line["outcome"], line["fired"], line["missing"] if line["outcome"] == "undecided" else [])
        != (found := said(flags.get(key)))
    ]
    assert not wrong, f"{len(wrong)} of {len(lines)}, the first: {wrong[:5]}"
    assert {line["outcome"] for line in lines.values()} == set(Flag.Outcome.values)


def said(flag: Flag | None) -> tuple:
    """Outcome, rules met, and where nobody can say, what is missing."""
    if flag is None:
        return ("no subject", [], [])
    return (flag.outcome, sorted(flag.fired), sorted(flag.missing) if flag.outcome == "undecided" else [])


def test_nothing_that_was_not_planted_is_suspected(answered):
    answers, flags = answered
    others = {key: flag for key, flag in flags.items() if key not in planted(answers)}
    assert len(others) > 150
    suspected = {key: flag.outcome for key, flag in others.items() if flag.outcome != "not_low"}
    assert not suspected
    # Nobody is asked for anything about land that is not low, and no rule that flags or excludes is met there.
    assert not {key for key, flag in others.items() if flag.missing}
    met = {rule for flag in others.values() for rule in flag.fired}
    assert all(rule.startswith("EXM-") for rule in met), met


def test_every_parcel_was_judged_and_no_building_but_offices(answered):
    _answers, flags = answered
    parcels = {code for kind, code in flags if kind == "parcel"}
    assert parcels == set(Parcel.objects.values_list("code", flat=True))
    assert len(parcels) == PARCELS
    uses = dict(Building.objects.values_list("code", "use"))
    assert {uses[code][:1] for kind, code in flags if kind == "building"} == {"3"}


def test_each_outcome_of_either_kind_is_explained_as_it_is_stored(answered):
    answers, flags = answered
    wanted = {}
    for key, line in planted(answers).items():
        wanted.setdefault((key[0], line["outcome"]), key)
    assert len(wanted) >= 8
    for (kind, outcome), (_kind, code) in wanted.items():
        told = explain(code, CRITERIA, grants=ANALYST)
        assert (told["kind"], told["subject"], told["outcome"]) == (kind, code, outcome)
        assert told["stored"]["current"], (code, told["stored"])
        assert sorted(told["fired"]) == sorted(flags[kind, code].fired)
        met = {rule["id"] for rule in told["rules"] if rule["verdict"]}
        assert set(told["fired"]) <= met
        assert all(rule["basis"] for rule in told["rules"])
        if outcome == "undecided":
            assert all(fact["owner_name"] and fact["owner_name"] != fact["owner"] for fact in told["missing"])
            assert told["missing"]


def test_idle_land_is_excluded_with_the_other_procedure_named(answered):
    answers, flags = answered
    idle = [key for key, line in planted(answers).items() if any(rule.startswith("IDLE-") for rule in line["fired"])]
    assert idle
    for key in idle:
        assert flags[key].outcome == "excluded"
        told = explain(key[1], CRITERIA, grants=ANALYST)
        assert told["idle"]
        (rule, *_rest) = (one for one in told["rules"] if one["id"].startswith("IDLE-") and one["verdict"])
        assert "闲置土地处置办法" in rule["basis"]
