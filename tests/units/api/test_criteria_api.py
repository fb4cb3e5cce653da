"""Criteria sets by /api/v1: read, checked, drafted by the office and approved by another, never changed after."""

import json

import pytest
from django.test import Client

from tests import records
from tests.records import person
from units.models import CriteriaText, Document
from units.rights import Role

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/criteria"
NEW = {
    "name": "nankai-try",
    "district": "120104",
    "reason": "试算容积率",
    "parent": "nankai-2024",
    "values": {"far_min": "0.8"},
}


@pytest.fixture(autouse=True)
def place(db):
    records.build()


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(person(role))
    return client


def sent(client: Client, method: str, path: str, body: dict | None = None, **headers):
    """The request; unless told otherwise upon the version that stands."""
    name = path.split("/")[1] if "/" in path else ""
    if not headers and name:
        headers = {"If-Match": client.get(f"{ROOT}/{name}").get("ETag", '"0"')}
    return getattr(client, method)(
        ROOT + path, json.dumps(body or {}), content_type="application/json", headers=headers
    )


@pytest.mark.rows("NK050", "NK010")
def test_a_set_is_told_as_a_document_with_its_parents_values():
    office = client_of(Role.OFFICE)
    listed = {one["name"]: one for one in office.get(ROOT).json()}
    assert listed["nankai-2024"]["official"] is False
    told = office.get(f"{ROOT}/nankai-2024").json()
    assert told["digest"] == listed["nankai-2024"]["digest"]
    assert {"value", "uom", "note", "parent_value"} <= set(told["params"]["far_min"])
    (rule,) = [one for one in told["rules"] if one["id"] == "IND-FAR"]
    assert rule["basis"]
    assert {case["expect"] for case in rule["cases"]} == {True, False, None}
    assert "far_min" in office.get(f"{ROOT}/nankai-2024/text").json()["text"]
    assert office.get(f"{ROOT}/unheard-of").json()["error"] == "not-found"
    assert client_of(Role.PUBLIC).get(ROOT).status_code == 403


def test_a_text_is_checked_with_line_and_column_and_nothing_is_kept():
    head = ("[criteria]", 'id = "x"', 'title = "X"', "valid_from = 2024-01-01", 'status = "draft"', "official = false")
    text = "\n".join((*head, 'parrent = "y"', ""))
    told = sent(client_of(Role.OFFICE), "post", "/check", {"text": text, "district": "120104"}).json()
    (fault, *_more) = told["faults"]
    assert (fault["line"], fault["meant"]) == (7, "parent")
    for role, district in (
        (Role.STREET, "120104"),
        (Role.ANALYST, "120104"),
        (Role.OFFICE, "120103"),
        (Role.OFFICE, ""),
    ):
        assert sent(client_of(role), "post", "/check", {"text": text, "district": district}).status_code == 403
    assert not CriteriaText.objects.exists()


@pytest.mark.rows("NJ023")
def test_the_office_drafts_and_another_approves_and_then_nothing_changes():
    office, district = client_of(Role.OFFICE), client_of(Role.DISTRICT)
    assert sent(client_of(Role.LEAD), "post", "", NEW).status_code == 403
    made = sent(office, "post", "", NEW)
    assert (made.status_code, made["ETag"], made.json()["params"]["far_min"]["value"]) == (201, '"1"', 0.8)
    text = office.get(f"{ROOT}/nankai-try/text").json()["text"]
    saved = sent(office, "put", "/nankai-try/text", {"text": text + "\n# seen\n"}, **{"If-Match": '"1"'})
    assert (saved.status_code, saved["ETag"]) == (200, '"2"')
    assert sent(office, "put", "/nankai-try/text", {"text": text}, **{"If-Match": '"1"'}).status_code == 412
    decision = {"reason": "专班会议通过", "document": {"title": "会议纪要", "dated": "2024-03-20"}}
    assert sent(office, "post", "/nankai-try/approve", decision).status_code == 403
    assert sent(district, "post", "/nankai-try/approve", {"reason": "x"}).status_code == 400  # no document
    approved = sent(district, "post", "/nankai-try/approve", decision)
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert Document.objects.get().dated.isoformat() == "2024-03-20"
    assert sent(office, "put", "/nankai-try/text", {"text": text}).status_code == 409
    told = office.get(f"{ROOT}/nankai-try/diff?with=nankai-2024").json()
    assert [one["name"] for one in told["params"]] == ["far_min"]
    assert sent(district, "post", "/nankai-try/retire", {"reason": "已过期"}).json()["status"] == "retired"


def test_a_draft_is_discarded_and_one_with_faults_tells_them():
    office = client_of(Role.OFFICE)
    sent(office, "post", "", NEW)
    sent(office, "put", "/nankai-try/text", {"text": '[criteria]\nid = "nankai-try"\n'})
    told = office.get(f"{ROOT}/nankai-try").json()
    assert told["faults"]
    assert office.get(f"{ROOT}/nankai-try/diff?with=nankai-2024").json()["error"] == "faults"
    assert sent(office, "delete", "/nankai-try").status_code == 204
    assert not CriteriaText.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "?x=1", None),
        ("get", "/nankai-2024/diff", None),
        ("post", "", NEW | {"parent": ""}),
        ("post", "", NEW | {"values": {"far_min": 1}}),
        ("post", "", NEW | {"values": {"far_mim": "1"}}),
        ("post", "", NEW | {"wish": "x"}),
        ("post", "/nankai-2024/burn", {}),
        ("put", "/nankai-2024/text", {}),
    ],
)
def test_what_is_not_understood_is_refused(method, path, body):
    office = client_of(Role.OFFICE)
    answer = office.get(ROOT + path) if method == "get" else sent(office, method, path, body)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("usage", "unknown-name")
    assert not CriteriaText.objects.exists()
