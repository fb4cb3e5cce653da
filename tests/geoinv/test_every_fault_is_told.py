"""A whole folder of deliveries goes in, and of its planted faults each is told with its row, and nothing else is."""

import json
from collections import Counter
from pathlib import PurePath

import pytest

from fixtures.demo import make_demo
from fixtures.names import DISTRICT, YEAR
from importers.folder import load_folder
from units.founding import found
from units.models import Finding, Refusal


@pytest.fixture
def kept(own_database, tmp_path, settings):
    settings.DELIVERIES_DIR = tmp_path / "kept"
    found(DISTRICT)
    return tmp_path / "drawn"


def refused(deliveries):
    """(file, layer, code, row, identifier) of each reason for which a row was not taken."""
    return {
        (file, layer, reason["code"], refusal.row_number, refusal.identifier)
        for file, layer, pk in deliveries
        for refusal in Refusal.objects.filter(delivery=pk)
        for reason in refusal.reasons
    }


def warned(deliveries):
    """(file, layer, code, row, identifier, field) of each problem with which a row was taken."""
    return {
        (file, layer, one.code, one.row_number, one.subjects[0] if one.subjects else "", one.details.get("field", ""))
        for file, layer, pk in deliveries
        for one in Finding.objects.filter(delivery=pk, severity="warning")
    }


def told_twice(deliveries):
    """(delivery, row, identifier, code, field) of each reason of a refused row, and of each finding of those rows."""
    reasons, findings = Counter(), Counter()
    for _file, _layer, pk in deliveries:
        refusals = list(Refusal.objects.filter(delivery=pk))
        rows = {one.row_number for one in refusals}
        reasons.update(
            (pk, one.row_number, one.identifier or f"#{one.row_number}", reason["code"], reason["field"])
            for one in refusals
            for reason in one.reasons
        )
        findings.update(
            (pk, one.row_number, one.subjects[0], one.code, one.details["field"])
            for one in Finding.objects.filter(delivery=pk, row_number__in=rows)
        )
    return reasons, findings


@pytest.mark.rows("NK011", "NK016")
@pytest.mark.parametrize(("parcels", "seed"), [(300, 5), (700, 17), (500, 2024)])
def test_every_planted_fault_is_told_with_its_code_and_row_and_nothing_else_is(kept, parcels, seed):
    make_demo(parcels, kept, seed=seed, faults=True)
    answers = json.loads((kept / "answers.json").read_text(encoding="utf-8"))
    result = load_folder(kept / "deliveries", DISTRICT, YEAR)
    assert result["stopped"] is None
    assert result["not_read"] == []
    deliveries = [(one["file"], PurePath(one["layer"]).stem, one["delivery"]) for one in result["deliveries"]]
    planted = {effect: [] for effect in ("refused", "warned", "delivery")}
    for line in answers["faults"]:
        planted[line["effect"]].append(line)
    columns = ("file", "layer", "code", "row", "identifier")
    assert refused(deliveries) == {tuple(line[name] for name in columns) for line in planted["refused"]}
    reasons, findings = told_twice(deliveries)
    assert reasons
    assert findings == reasons  # each problem of a row that was not taken is a finding, and no other is told of it
    of_refused = {(pk, row) for pk, row, *_rest in reasons}
    errors = Finding.objects.filter(delivery__isnull=False, severity="error").values_list("delivery", "row_number")
    assert set(errors) <= of_refused  # what is an error is not taken
    assert warned(deliveries) == {tuple(line[name] for name in (*columns, "field")) for line in planted["warned"]}
    layerwide = {
        (one["file"], PurePath(one["layer"]).stem, warning["code"])
        for one in result["deliveries"]
        for warning in one["warnings"]
        if warning["count"] is None
    }
    assert layerwide == {tuple(line[name] for name in ("file", "layer", "code")) for line in planted["delivery"]}


def test_a_clean_folder_is_taken_without_a_word(kept):
    make_demo(300, kept, seed=5)
    result = load_folder(kept / "deliveries", DISTRICT, YEAR)
    assert (result["stopped"], result["refused"], result["not_read"]) == (None, 0, [])
    told = {warning["code"] for one in result["deliveries"] for warning in one["warnings"]}
    assert told == {"3-use-ambiguous"}  # 0601 is a code of two schemes, and the register does not say which it has
