"""Of a drawn district every planted fault that only a check can see is told with its code, and nothing else is."""

import json

import pytest

from fixtures.demo import make_demo
from fixtures.names import DISTRICT, YEAR
from importers.folder import load_folder
from units.activating import activate
from units.checks.validating import validate
from units.checks.values import TAKEN_OVER
from units.founding import found
from units.models import Finding


@pytest.fixture
def kept(own_database, tmp_path, settings):
    settings.DELIVERIES_DIR = tmp_path / "kept"
    found(DISTRICT)
    return tmp_path / "drawn"


def told():
    return {(one.code, one.layer, tuple(sorted(one.subjects))) for one in Finding.objects.filter(run__isnull=False)}


@pytest.mark.rows("G-21", "G-22", "G-35")
@pytest.mark.parametrize(("seed", "parcels"), [(5, 320), (17, 360), (2024, 400)])
def test_every_planted_fault_of_a_check_is_told_with_its_subjects_and_nothing_else_is(kept, seed, parcels):
    make_demo(parcels, kept, seed=seed, faults=True)
    answers = json.loads((kept / "answers.json").read_text(encoding="utf-8"))
    assert load_folder(kept / "deliveries", DISTRICT, YEAR)["stopped"] is None
    activate(DISTRICT, YEAR)
    before = Finding.objects.count()
    result = validate(DISTRICT)
    planted = {(one["code"], one["layer"], tuple(sorted(one["subjects"]))) for one in answers["checks"]}
    seen = told()
    assert {one for one in seen if one[0] not in TAKEN_OVER} == planted
    # What an import told of a row that is stored is the same finding, not a second one.
    stored = {one for one in seen if one[0] in TAKEN_OVER}
    assert stored == {
        (line["code"], layer_of(line), (line["identifier"],))
        for line in answers["faults"]
        if line["effect"] == "warned" and line["field"] in fields_of(line["code"], layer_of(line))
    }
    assert Finding.objects.filter(code__in=list(TAKEN_OVER), delivery__isnull=True).count() == 0
    assert Finding.objects.count() == before + len(planted)
    assert result["new"] == len(planted)
    assert result["open"] == len(stored)
    # Drawn beside them and no faults: a corner touch, a mis-snap, a speck, a T-junction, shapes across a road.
    assert {one["kind"] for one in answers["quiet"]} >= {"corner_touch", "t_junction"}


def test_a_district_without_planted_faults_is_checked_without_a_word(kept):
    make_demo(320, kept, seed=5)
    load_folder(kept / "deliveries", DISTRICT, YEAR)
    activate(DISTRICT, YEAR)
    result = validate(DISTRICT)
    assert told() == set()
    assert (result["errors"], result["skipped"]) == (0, {})


def layer_of(line: dict) -> str:
    return {"DLTB": "patches", "ZD": "parcels", "LSYLYD": "legacy"}.get(line["layer"], "control-areas")


def fields_of(code: str, layer: str) -> tuple:
    """The fields that are checked over the stored rows too: what an import told of them is taken over."""
    return TAKEN_OVER.get(code, {}).get(layer, ("", ()))[1]
