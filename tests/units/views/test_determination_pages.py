"""Records on their pages: exactly the right people move them, and whoever may not is told why in a sentence."""

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import records
from tests.records import HERE, PAPER, person, put
from tests.workflow_table import RECORD as EXPECTED
from units.models import Building, Determination, FactSheet, FlagRun, Move, Parcel
from units.moving import move
from units.rights import Role
from units.views.determinations import determination_block

pytestmark = pytest.mark.django_db
FORM = {
    "reason": "长期空置",
    "comment": "请补充面积",
    "title": PAPER["title"],
    "number": PAPER["number"],
    "dated": "2024-03-20",
    "change": "change",
    "plan": "2025-3",
    "after_use": "0601",
    "after_floor_m2": "1200",
    "after_completed_on": "2024-03-01",
}


@pytest.fixture
def record():
    return records.record_of(records.build()[0])


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(person(role, HERE if role == Role.STREET else None))
    return client


def filled(to: str, start: str = "checked", version: int = 1) -> dict:
    told = FORM | {"to": to, "version": str(version)}
    return told | ({"result": "low"} if (start, to) == ("checked", "determined") else {})


@pytest.mark.rows("NK070")
def test_on_the_page_exactly_the_roles_of_a_step_go_it(record):
    """Every role of every step, and of those that may not go it one that sees the record."""
    clients = {role.value: client_of(role) for role in Role}
    for (start, to), roles in EXPECTED.items():
        put(record, start, to)
        version = Determination.objects.get().version
        for role in (*sorted(roles), "R8"):
            with transaction.atomic():
                told = filled(to, start, version)
                answer = clients[role].post(f"/determinations/{record.code}/move/", told)
                moved = Determination.objects.get().state == to
                transaction.set_rollback(True)
            assert (moved, answer.status_code) == ((True, 302) if role in roles else (False, 403)), (start, to, role)


def test_what_is_refused_is_told_beside_the_form_with_what_was_written(record):
    put(record, "checked")
    answer = client_of(Role.OFFICE).post(
        f"/determinations/{record.code}/move/", {"to": "determined", "result": "low", "reason": "写了很久的理由"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'role="alert"' in page
    assert "写了很久的理由" in page
    assert not Move.objects.exists()


def test_the_idle_land_warning_is_asked_for_and_then_kept(record):
    records.flagged(FlagRun.objects.get(), record.parcel, outcome="excluded", fired=["IDLE-NOT-STARTED"])
    put(record, "checked")
    office = client_of(Role.OFFICE)
    assert 'name="warned"' not in office.get(f"/determinations/{record.code}/").content.decode()
    answer = office.post(f"/determinations/{record.code}/move/", filled("determined"))
    assert answer.status_code == 422
    assert 'name="warned"' in answer.content.decode()
    assert (
        office.post(f"/determinations/{record.code}/move/", filled("determined") | {"warned": "idle"}).status_code
        == 302
    )
    assert Move.objects.get().details["warned"] == ["idle"]


def test_a_page_that_is_older_than_the_record_does_not_move_it(record):
    office = client_of(Role.OFFICE)
    move(record, "assigned", person(Role.OFFICE))
    answer = client_of(Role.LEAD).post(f"/determinations/{record.code}/move/", {"to": "filling", "version": "1"})
    assert answer.status_code == 409
    assert Determination.objects.get().state == "assigned"
    assert office.post(f"/determinations/{record.code}/move/", {"to": "x", "version": "one"}).status_code == 422


def test_the_page_shows_both_results_and_every_move_with_its_comment(record):
    records.flagged(FlagRun.objects.get(), record.parcel, outcome="not_low", fired=[])
    put(record, "checked")
    move(record, "filling", person(Role.ANALYST), comment="面积对不上")
    put(record, "checked")
    move(record, "determined", person(Role.OFFICE), result="low", reason="现场核查空置", document=PAPER)
    page = client_of(Role.DISTRICT).get(f"/determinations/{record.code}/").content.decode()
    for words in ("badge-not_low", "badge-result-low", "面积对不上", "现场核查空置", PAPER["number"], "0" * 12):
        assert words in page
    assert 'name="to"' not in page  # the district has no step to go here


def test_the_code_of_the_land_leads_to_its_record(record):
    answer = client_of(Role.OFFICE).get(f"/determinations/{record.parcel.code}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/determinations/{record.code}/")
    assert client_of(Role.OFFICE).get("/determinations/nothing/").status_code == 404


def test_many_are_moved_after_one_question(record):
    other = records.record_of(
        Parcel.objects.create(
            survey=record.parcel.survey,
            district_id="120104",
            street_id=HERE,
            code="120104001001GB00009",
            geom=records.square(9),
        ),
        "filling",
    )
    office = client_of(Role.OFFICE)
    marked = {"to": "dropped", "code": [record.code, other.code]}
    asked = office.post("/determinations/moves/", marked)
    page = asked.content.decode()
    assert asked.status_code == 200
    assert page.count('name="code"') == 1  # the other cannot go there
    assert not Move.objects.exists()
    marked |= {f"version-{one.code}": "1" for one in (record, other)}
    wanting = office.post("/determinations/moves/", marked | {"confirmed": "1"})
    assert (wanting.status_code, wanting.content.decode().count("notice-amber")) == (422, 1)
    assert not Move.objects.exists()
    done = office.post("/determinations/moves/", marked | FORM | {"confirmed": "1"}).content.decode()
    assert record.code in done
    assert Move.objects.get().subject == record.code
    assert client_of(Role.LEAD).post("/determinations/moves/", {"to": "nowhere", "code": []}).status_code == 400


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?state=suspect", 2),
        ("?state=suspect&result=none", 2),
        ("?result=low", 1),
        ("?category=office", 0),
        ("?street=120104001&code=GB00001", 1),
    ],
)
def test_the_list_is_filtered(query, count):
    found = [records.record_of(one) for one in records.build(3)]
    Determination.objects.filter(pk=found[0].pk).update(
        state="determined", result="low", reason="x", decided_by=person(Role.OFFICE), decided_at="2024-03-20T00:00Z"
    )
    page = client_of(Role.BUREAU if not query else Role.OFFICE).get(f"/determinations/{query}").content.decode()
    assert sum(one.code in page for one in found) == count


@pytest.mark.parametrize(
    "query",
    ["?state=x", "?page=0", "?page=1&page=2", "?nothing=1", "?street=9", "?result=maybe", "?code=%00", "?street=%00"],
)
def test_a_filter_that_means_nothing_is_refused(record, query):
    answer = client_of(Role.OFFICE).get(f"/determinations/{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["hint" if query not in ("?page=1&page=2", "?code=%00", "?street=%00", "?page=0") else "detail"]


def test_the_office_raises_the_candidates_and_is_told_how_many(db):
    records.build(2)
    answer = client_of(Role.OFFICE).post("/determinations/suspects/", {"district": "120104"})
    assert answer.status_code == 302
    assert Determination.objects.count() == 2
    assert ["2" in str(one) for one in get_messages(answer.wsgi_request)] == [True]
    assert client_of(Role.STREET).post("/determinations/suspects/", {"district": "120104"}).status_code == 403


@pytest.mark.rows("NJ009")
def test_a_street_office_raises_land_from_its_card(db):
    parcel = records.build()[0]
    street = person(Role.STREET, HERE)
    block = determination_block(parcel, street.grants())
    assert block["determination"] is None
    assert block["raise_by_hand"]["subject"] == parcel.code
    assert determination_block(parcel, person(Role.OFFICE).grants())["raise_by_hand"] is None
    told = {"subject": parcel.code, "category": "industrial", "reason": "厂房闲置"}
    answer = client_of(Role.STREET).post("/determinations/by-hand/", told)
    record = Determination.objects.get()
    assert answer["Location"] == f"/determinations/{record.code}/"
    assert "厂房闲置" in client_of(Role.OFFICE).get(answer["Location"]).content.decode()
    block = determination_block(parcel, person(Role.OFFICE).grants())
    assert [one["to"] for one in block["determination"]["steps"]] == ["assigned", "dropped"]
    assert client_of(Role.LEAD).post("/determinations/by-hand/", told).status_code == 403


def test_a_building_has_its_own_record(record):
    """NJ015: a building is listed without its whole parcel."""
    building = Building.objects.create(
        survey=record.parcel.survey,
        district_id="120104",
        street_id=HERE,
        code="B 1/2",
        name="Hall",
        geom=records.square(30),
    )
    own = Determination.objects.create(
        district_id="120104",
        street_id=HERE,
        building=building,
        code="120104DX000777",
        category="office",
        base_survey_year=2022,
        criteria="town",
    )
    assert determination_block(building, person(Role.OFFICE).grants())["determination"]["record"] == own
    page = client_of(Role.OFFICE).get(f"/determinations/{own.code}/").content.decode()
    assert "/buildings/B%201/2/" in page


def test_the_page_leads_to_its_form_whoever_may_see_that(record):
    sheet = FactSheet.objects.get()
    link = f'href="/forms/{sheet.pk}/"'
    assert link in client_of(Role.OFFICE).get(f"/determinations/{record.code}/").content.decode()
    assert link not in client_of(Role.CITY).get(f"/determinations/{record.code}/").content.decode()


def test_a_page_of_the_list_asks_the_database_as_often_for_many_as_for_few(django_assert_max_num_queries):
    parcels = records.build(12)
    records.record_of(parcels[0])
    lead = client_of(Role.LEAD)
    lead.get("/determinations/")
    with CaptureQueriesContext(connection) as few:
        lead.get("/determinations/")
    for parcel in parcels[1:]:
        records.record_of(parcel)
    with django_assert_max_num_queries(len(few) + 1):
        lead.get("/determinations/")
