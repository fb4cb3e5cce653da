"""Two people who move one record at the same moment make one move."""

import threading
from datetime import date
from itertools import count

from django.db import connections

from tests import records
from tests.records import PAPER, person
from units import attaching, campaigning
from units.errors import Refused, Stale
from units.models import Determination, Disposal, FactSheet, FormPaper, Freeze, Move, Snapshot
from units.moving import move
from units.rights import Role

SAID = {"reason": "长期空置", "document": PAPER}


def both(step) -> list[str]:
    """What two say who go the same step together."""
    together, heard = threading.Barrier(2), []

    def go():
        try:
            together.wait(timeout=10)
            step()
            heard.append("moved")
        except Refused as error:
            heard.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(heard)


def test_two_who_move_the_same_record_at_once_make_one_move(own_database):
    first, second = [records.record_of(one) for one in records.build(2)]
    by = person(Role.OFFICE)
    assert both(lambda: move(first.code, "dropped", by, **SAID)) == ["already", "moved"]
    assert both(lambda: move(second.code, "dropped", by, version=1, **SAID)) == ["moved", Stale.code]
    assert sorted(Move.objects.values_list("subject", flat=True)) == [first.code, second.code]
    assert set(Determination.objects.values_list("version", flat=True)) == {2}


def test_two_who_approve_at_once_make_one_approval(own_database):
    """The consent that seals, the acceptance that freezes, and the opening of a disposal: each happens once."""
    record = records.record_of(records.build()[0])
    records.put(record, "mapped")
    district, bureau = person(Role.DISTRICT), person(Role.BUREAU, district=None)
    office = person(Role.OFFICE)
    assert both(lambda: move(record.code, "district_ok", district, document=PAPER)) == ["already", "moved"]
    assert Snapshot.objects.count() == 1
    land = records.legacy_in("submitted")
    assert both(lambda: move(land.code, "accepted", bureau, register="legacy", document=PAPER)) == ["already", "moved"]
    assert Freeze.objects.count() == 1
    said = {"register": "disposal", "on": date(2024, 5, 1)}
    assert both(lambda: move(land.code, "opened", office, **said)) == ["already", "moved"]
    assert Disposal.objects.count() == 1


def test_two_who_write_the_same_fact_at_once_are_told_of_each_other(own_database, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    records.record_of(records.build()[0], state="filling")
    sheet, lead, said = FactSheet.objects.get(), person(Role.LEAD), count()

    def write():
        campaigning.fill(sheet, {"actual_use": {"value": f"use {next(said)}"}}, lead, version=1)

    assert both(write) == ["moved", Stale.code]
    sheet.refresh_from_db()
    assert (sheet.version, sheet.land["actual_use"]["value"] in ("use 0", "use 1")) == (2, True)
    assert both(lambda: attaching.attach(sheet, "a.pdf", b"%PDF-1.4", lead)) == ["moved", "moved"]
    assert FormPaper.objects.count() == 1, "the same paper twice is one"
