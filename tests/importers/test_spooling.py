"""What is told of rows lies on disk while a file is read, in the order in which it was told."""

import errno
import os

import pytest
from django.utils import translation

from importers import spooling
from importers.loading import load
from importers.previewing import problems, rows
from importers.spooling import Spool
from importers.undoing import undo
from tests.importers.shapefiles import patch, shapefile, square
from units.errors import InputUnreadable
from units.models import Finding, Refusal


@pytest.mark.parametrize("count", [0, 1, 3, 4, 11])
def test_a_spool_gives_back_what_was_added_in_its_order_as_often_as_is_wanted(monkeypatch, count):
    monkeypatch.setattr(spooling, "AT_ONCE", 4)
    spool, wanted = Spool(), []
    for number in range(count):
        spool.append((number, "号"))
        wanted.append((number, "号"))
        assert len(spool.latest) < 4
    assert (list(spool), list(spool), len(spool)) == (wanted, wanted, count)
    assert list(zip(spool, spool, strict=True)) == list(zip(wanted, wanted, strict=True))
    spool.extend(wanted)
    assert list(spool) == wanted * 2


def test_a_full_disk_is_told_in_a_sentence(monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spooling, "AT_ONCE", 2)
    monkeypatch.setattr(spooling.tempfile, "TemporaryFile", full)
    spool = Spool()
    spool.append(1)
    with translation.override("en"), pytest.raises(InputUnreadable, match=r"No space left on device.*Make room"):
        spool.append(2)


def told() -> tuple[list, list]:
    findings = Finding.objects.order_by("identity")
    refusals = Refusal.objects.order_by("pk")
    return (
        list(findings.values_list("identity", "row_number", "code", "sentence", "details")),
        list(refusals.values_list("row_number", "code", "reasons", "attributes")),
    )


@pytest.mark.usefixtures("nankai")
def test_findings_refusals_and_previews_are_the_same_whether_they_were_spooled_or_not(tmp_path, monkeypatch):
    # The fault of one identifier twice, a row with two problems, two refused with a warning besides.
    given = [patch(1, YSDM="9"), patch(2, YSDM="9", QSXZ="99"), patch(3, DLBM="", YSDM="8")]
    given += [patch(1, YSDM="9"), patch(5)]
    path = shapefile(tmp_path, rows=given, shapes=[[square(column=at)] for at in range(5)])
    found = []
    for at, most in enumerate((1_000, 1)):
        monkeypatch.setattr(spooling, "AT_ONCE", most)
        number = f"00000000-0000-0000-0000-00000000000{at}"
        load(path, "dltb", "120104", 2022, dry_run=True, preview=number)
        previewed = rows(number), problems(number)
        result = load(path, "dltb", "120104", 2022)
        found.append((previewed, told(), result["refusals"], result["warnings"]))
        undo(result["delivery"])
        Refusal.objects.all().delete()
        Finding.objects.all().delete()
    assert found[0] == found[1]
    assert len(found[0][1][0]) == 7
    codes = {one["row_number"]: one["codes"] for one in found[0][0][0]["rows"]}
    assert codes[2] == ["3-code-unknown", "3-constant"]
    assert codes[5] == []
