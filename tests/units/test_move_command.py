"""The commands `suspect` and `move`: what they print, and the codes they end with."""

import io
import json

import pytest
from django.core.management import call_command

from tests import records
from tests.records import person
from units.models import Determination, Move
from units.rights import Role

pytestmark = pytest.mark.django_db


def ran(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_night_raises_suspects_by_the_command_and_a_person_moves_them():
    parcels = records.build(2)
    office = person(Role.OFFICE)
    code, out, _err = ran("suspect", "--district", "120104", "--format", "json")
    assert (code, json.loads(out)["made"]) == (0, 2)
    assert set(Move.objects.values_list("role", "by")) == {("R11", None)}
    assert "2" in ran("suspect", "--district", "120104", "--by", office.username)[1]
    told = ["--to", "dropped", "--by", office.username, "--reason", "不在试点范围", "--document", "会议纪要"]
    code, out, _err = ran("move", parcels[0].code, "120104DX000002", "nothing", *told, "--format", "json")
    assert code == 1  # one of them was refused, so none was moved
    assert json.loads(out)["moved"] == []
    assert [one["error"] for one in json.loads(out)["refused"]] == ["not-found"]
    code, out, _err = ran("move", parcels[0].code, "120104DX000002", *told, "--format", "json")
    assert (code, json.loads(out)["moved"]) == (0, ["120104DX000001", "120104DX000002"])
    assert set(Determination.objects.values_list("state", flat=True)) == {"dropped"}


def test_a_legacy_polygon_is_moved_by_the_same_command():
    records.build()
    records.legacy_in()
    analyst = person(Role.ANALYST)
    told = ["L1", "--register", "legacy", "--to", "evidence", "--by", analyst.username, "--document", "取证材料"]
    code, out, _err = ran("move", *told)
    assert (code, "L1" in out) == (0, True)
    assert Move.objects.get().register == "legacy"
    assert ran("move", "L1", "--register", "legacy", "--to", "mapped", "--by", analyst.username)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("suspect", "--district", "999999"), 2),
        (("suspect", "--district", "120104", "--criteria", "unheard-of"), 1),
        (("suspect", "--district", "120104", "--by", "stranger"), 2),
        (("move", "x", "--to", "dropped", "--by", "stranger"), 2),
        (("move", "x", "--to", "dropped", "--by", "R5.120104", "--document", "t", "--dated", "soon"), 2),
        (("move", "120104DX000001", "--to", "dropped", "--by", "R5.120104"), 1),
    ],
)
def test_what_is_refused_ends_with_its_code_and_a_sentence(arguments, code):
    records.build()
    person(Role.OFFICE)
    ended, out, err = ran(*arguments)
    assert ended == code
    assert (out + err).strip()
    assert "Traceback" not in out + err
