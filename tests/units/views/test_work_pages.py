"""The work list, legacy land and sealed sets on their pages: what is told, what is moved, and what is refused."""

import pytest
from django.test import Client

from tests import records
from tests.records import HERE, PAPER, person
from units.models import Determination, Disposal, LegacyLand, LegacyNote, Move, Snapshot
from units.moving import move, move_all
from units.rights import Role
from units.views import work

pytestmark = pytest.mark.django_db
FORM = {"title": PAPER["title"], "number": PAPER["number"], "dated": "2024-03-20", "confirmed": "1"}


@pytest.fixture
def codes():
    """Three records that are mapped, and a legacy polygon that is confirmed."""
    made = [records.record_of(parcel) for parcel in records.build(3)]
    for one in made:
        records.put(one, "mapped")
    records.legacy_in("confirmed")
    return [one.code for one in made]


def client_of(role: Role, **more) -> Client:
    client = Client()
    client.force_login(person(role, HERE if role == Role.STREET else None, **more))
    return client


def asked(codes, **more) -> dict:
    return {"register": "record", "code": codes, "district": "120104", **more}


def versions(codes) -> dict:
    return {f"version-{code}": str(Determination.objects.get(code=code).version) for code in codes}


@pytest.mark.rows("NK051", "NK052")
def test_what_waits_is_consented_to_from_the_work_list_with_one_confirmation(codes):
    district = client_of(Role.DISTRICT)
    page = district.get("/work/").content.decode()
    assert all(code in page for code in [*codes, "L1"])
    assert 'max="3" value="3"' in page  # the bar is the count: three of three are mapped and entered
    question = district.post("/work/moves/", asked(codes, to="district_ok")).content.decode()
    assert question.count('name="code"') == 3
    assert not Move.objects.exists()
    done = district.post("/work/moves/", asked(codes, to="district_ok") | versions(codes) | FORM)
    assert (done.status_code, Move.objects.count(), Snapshot.objects.get().rows) == (200, 3, 3)
    assert all(code not in district.get("/work/").content.decode() for code in codes)


def test_all_that_wait_are_moved_together_also_those_that_the_page_does_not_show(codes, monkeypatch):
    monkeypatch.setattr(work.waiting.for_user, "__defaults__", (1,))
    district = client_of(Role.DISTRICT)
    page = district.get("/work/").content.decode()
    assert 'name="whole"' in page
    assert codes[2] not in page
    whole = {"register": "record", "district": "120104", "to": "district_ok", "whole": "1"}
    question = district.post("/work/moves/", whole).content.decode()
    assert question.count('name="code"') == 3
    assert district.post("/work/moves/", whole | {"district": "120103"}).content.decode().count('name="code"') == 0
    assert 'name="code"' not in client_of(Role.OFFICE).post("/work/moves/", whole).content.decode()


def test_where_one_is_refused_none_is_moved_and_the_others_are_offered_again(codes):
    records.put(Determination.objects.get(code=codes[0]), "district_ok")
    told = move_all(codes[1:], "district_ok", person(Role.DISTRICT), document=PAPER)
    assert told["refused"] == []
    office = client_of(Role.OFFICE)
    answer = office.post("/work/moves/", asked(codes[1:2], to="submitted") | versions(codes[1:2]) | {"confirmed": "1"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert codes[2] in page  # it is named: the set goes up whole
    assert not Move.objects.filter(to_state="submitted").exists()


def test_the_bureau_is_asked_for_a_comment_on_each_record_it_returns(codes):
    move_all(codes, "district_ok", person(Role.DISTRICT), document=PAPER)
    move_all(codes, "submitted", person(Role.OFFICE))
    bureau = client_of(Role.BUREAU, district=None)
    page = bureau.post("/work/moves/", asked(codes, to="determined")).content.decode()
    assert all(f'name="comment-{code}"' in page for code in codes)
    told = {f"comment-{code}": f"意见 {code}" for code in codes} | versions(codes) | {"confirmed": "1"}
    assert bureau.post("/work/moves/", asked(codes, to="determined") | told).status_code == 200
    kept = dict(Move.objects.filter(to_state="determined").values_list("subject", "comment"))
    assert kept == {code: f"意见 {code}" for code in codes}
    page = client_of(Role.OFFICE).get("/snapshots/120104/record/1/").content.decode()
    assert f"意见 {codes[0]}" in page


@pytest.mark.rows("NK053")
def test_a_sealed_set_tells_its_checksum_and_gives_the_same_package_twice(codes):
    move_all(codes, "district_ok", person(Role.DISTRICT), document=PAPER)
    made = Snapshot.objects.get()
    office = client_of(Role.OFFICE)
    assert made.sha256[:12] in office.get("/snapshots/").content.decode()
    page = office.get("/snapshots/120104/record/1/").content.decode()
    assert (made.sha256 in page, "notice-amber" in page) == (True, False)  # created anew it is the same
    address = "/snapshots/120104/record/1/package.zip"
    first, second = office.get(address), office.get(address)
    assert first.content == second.content
    assert "attachment" in first["Content-Disposition"]
    assert client_of(Role.CITY).get(address).status_code == 403
    assert client_of(Role.LEAD).get("/snapshots/").status_code == 403
    assert office.get("/snapshots/120104/record/9/").status_code == 404


def test_a_legacy_polygon_goes_its_way_on_its_page_and_a_refusal_is_told_there(codes):
    land = records.legacy_in("draft", "L2", 31, penalty_number="")
    street, address = client_of(Role.STREET), "/legacy/L2/move/"
    said = {"register": "legacy", "to": "evidence", "version": "1", "title": "取证材料"}
    answer = street.post(address, said)
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (422, True)  # neither penalty nor reason
    facts = {"version": "1", "penalty_number": "罚〔2018〕9号", "worth_keeping": "yes"}
    assert street.post("/legacy/L2/facts/", facts).status_code == 302
    assert street.post(address, said).status_code == 409  # it is another version now
    assert street.post(address, said | {"version": "2"}).status_code == 302
    land.refresh_from_db()
    assert (land.state, land.worth_keeping, land.version) == ("evidence", True, 3)
    page = client_of(Role.ANALYST).get("/legacy/?state=evidence").content.decode()
    assert ("/legacy/L2/" in page, "/legacy/L1/" in page) == (True, False)
    assert client_of(Role.ANALYST).get("/legacy/?state=nowhere").status_code == 400
    assert client_of(Role.CO).get("/legacy/").status_code == 403


@pytest.mark.rows("NK055")
def test_after_the_freeze_the_page_takes_disposals_and_notes_alone(codes):
    records.put_legacy(LegacyLand.objects.get(), "submitted")
    move("L1", "accepted", person(Role.BUREAU, district=None), register="legacy", document=PAPER)
    office = client_of(Role.OFFICE)
    said = {"register": "disposal", "to": "opened", "version": "0", "on": "2024-05-01"}
    assert office.post("/legacy/L1/move/", said).status_code == 302
    assert office.post("/legacy/L1/notes/", {"text": "界线有误", "title": "复核记录"}).status_code == 302
    page = office.get("/legacy/L1/").content.decode()
    assert (Disposal.objects.get().stage, LegacyNote.objects.get().text) == ("opened", "界线有误")
    assert "界线有误" in page
    assert client_of(Role.STREET).post("/legacy/L1/facts/", {"version": "1", "address": "x"}).status_code == 422


def test_a_unit_is_moved_on_its_page_and_the_gate_is_told_there(codes):
    unit = records.unit_in()
    office = client_of(Role.OFFICE)
    answer = office.post(f"/units/{unit.code}/move/", {"to": "checked", "version": "1", "district": "120104"})
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (422, True)
    assert client_of(Role.CITY).post(f"/units/{unit.code}/move/", {"to": "checked", "version": "1"}).status_code == 403


def test_the_start_of_redevelopment_is_recorded_on_the_page_of_the_record(codes):
    record = Determination.objects.get(code=codes[0])
    records.put(record, "in_force")
    office, address = client_of(Role.OFFICE), f"/determinations/{codes[0]}/start/"
    said = {"version": "1", "on": "2024-05-01", "title": "开工报告"}
    assert f'action="{address}"' in office.get(f"/determinations/{codes[0]}/").content.decode()
    assert office.post(address, said | {"title": ""}).status_code == 422
    assert office.post(address, said).status_code == 302
    assert f"{Determination.objects.get(code=codes[0]).started_on}" == "2024-05-01"
