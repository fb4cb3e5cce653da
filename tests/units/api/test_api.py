"""/api/v1: the same rights as the pages, errors in one form, pages without a cut, and a description that is true."""

import base64
import io
import json
import zipfile

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from tests import records
from tests.records import HERE, person, put, said
from tests.workflow_table import RECORD as EXPECTED
from units.campaigning import open_campaign
from units.models import Determination, Document, FlagRun, Move
from units.rights import Role

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"
SAID = {
    "reason": "长期空置",
    "comment": "请补充面积",
    "document": {"title": "认定意见", "number": "7", "dated": "2024-03-20"},
}


@pytest.fixture
def record():
    return records.record_of(records.build()[0])


def client_of(role: Role | None, **options) -> Client:
    client = Client(**options)
    if role is not None:
        client.force_login(person(role, HERE if role == Role.STREET else None))
    return client


def sent(client: Client, path: str, body: dict, method: str = "post", **headers):
    return getattr(client, method)(ROOT + path, json.dumps(body), content_type="application/json", headers=headers)


def step_body(to: str, version: int = 1, start: str = "checked") -> dict:
    told = said(to, start)
    told |= {"document": SAID["document"], "on": "2024-03-20", "to": to, "version": version}
    return told


@pytest.mark.rows("NK070")
def test_by_the_api_exactly_the_roles_of_a_step_go_it(record):
    """Every role of every step, and of those that may not go it one that sees the record."""
    clients = {role.value: client_of(role) for role in Role}
    for (start, to), roles in EXPECTED.items():
        put(record, start, to)
        version = Determination.objects.get().version
        for role in (*sorted(roles), "R8"):
            with transaction.atomic():
                body = step_body(to, version, start)
                answer = sent(clients[role], f"/determinations/{record.code}/move", body)
                moved = Determination.objects.get().state == to
                transaction.set_rollback(True)
            assert (moved, answer.status_code) == ((True, 200) if role in roles else (False, 403)), (start, to, role)
            if not moved:
                assert {"error", "message", "hint", "status"} <= set(answer.json())


def test_the_move_tells_the_record_as_it_is_then(record):
    answer = sent(client_of(Role.OFFICE), f"/determinations/{record.code}/move", step_body("dropped"))
    told = answer.json()
    assert (told["state"], told["version"], answer["ETag"]) == ("dropped", 2, '"2"')
    assert told["moves"][-1]["document"]["number"] == "7"
    assert told["steps"] == []
    document = Document.objects.get()
    assert document.dated.isoformat() == "2024-03-20"


def test_a_write_on_condition_is_refused_when_the_record_was_moved_since(record):
    office = client_of(Role.OFFICE)
    path = f"/determinations/{record.code}"
    etag = office.get(ROOT + path)["ETag"]
    assert sent(office, f"{path}/move", step_body("assigned"), **{"If-Match": etag}).status_code == 200
    late = sent(office, f"{path}/move", step_body("dropped"), **{"If-Match": etag})
    assert late.status_code == 412
    assert late.json()["theirs"] == {"version": 2, "state": "assigned"}
    assert sent(office, f"{path}/move", step_body("dropped") | {"version": 1}).status_code == 409
    assert sent(office, f"{path}/move", step_body("dropped"), **{"If-Match": "two"}).status_code == 400
    assert Move.objects.count() == 1


def many(*codes: str, **more) -> dict:
    told = {name: value for name, value in step_body("dropped").items() if name != "version"}
    return told | {"codes": list(codes), "versions": dict.fromkeys(codes, 1)} | more


def test_many_are_moved_together_and_where_one_is_refused_none_is(record):
    office = client_of(Role.OFFICE)
    told = sent(office, "/determinations/moves", many(record.code, "x"))
    assert told.json()["moved"] == []
    assert [(one["code"], one["error"]) for one in told.json()["refused"]] == [("x", "not-found")]
    told = sent(office, "/moves", many(record.code, register="record", comments={record.code: "另见附件"}))
    assert told.json()["moved"] == [record.code]
    assert "另见附件" in Move.objects.get().comment
    assert sent(office, "/moves", many(record.code, register="nothing")).status_code == 400


@pytest.mark.rows("NK051", "NK052", "NK053")
def test_a_set_is_sealed_handed_up_and_told_of_by_the_api(record):
    put(record, "mapped")
    district, office = client_of(Role.DISTRICT), client_of(Role.OFFICE)
    (turn,) = district.get(f"{ROOT}/work").json()["turns"]
    assert (turn["to"], turn["rows"][0]["code"]) == ("district_ok", record.code)
    told = sent(district, "/moves", many(record.code, register="record", to="district_ok"))
    assert told.json()["moved"] == [record.code]
    (made,) = office.get(f"{ROOT}/snapshots").json()["items"]
    assert (made["number"], made["rows"]) == (1, 1)
    first, again = office.get(made["package"]), office.get(made["package"])
    assert first.content == again.content
    assert made["sha256"] in zipfile.ZipFile(io.BytesIO(first.content)).read("SHA256SUMS").decode()
    assert client_of(Role.CITY).get(made["package"]).status_code == 403
    assert client_of(Role.LEAD).get(f"{ROOT}/snapshots").status_code == 403
    assert office.get(f"{ROOT}/progress?district=120104").json()["record"] == {
        "surveyed": 1,
        "entered": 1,
        "share": 1.0,
    }


def test_land_is_raised_by_hand_and_by_the_rules(db):
    parcels = records.build(3)
    told = {"subject": parcels[0].code, "category": "industrial", "reason": "厂房闲置"}
    made = sent(client_of(Role.STREET), "/determinations", told)
    assert made.status_code == 201
    assert made.json()["reason_codes"] == ["NJ009"]
    assert sent(client_of(Role.STREET), "/determinations", told).json()["error"] == "already"
    rest = sent(client_of(Role.ANALYST), "/determinations/suspects", {"district": "120104"})
    assert (rest.json()["made"], rest.json()["known"]) == (2, 1)
    assert sent(client_of(Role.CO), "/determinations/suspects", {"district": "120104"}).status_code == 403


def test_a_list_is_paged_to_its_end_whatever_the_page_holds(db):
    wanted = {records.record_of(one).code for one in records.build(5)}
    office = client_of(Role.OFFICE)
    for limit in (1, 2, 5):
        found, address = [], f"{ROOT}/determinations?limit={limit}&state=suspect"
        while address:
            page = office.get(address).json()
            assert page["count"] == 5
            found += [one["code"] for one in page["items"]]
            address = page["next"]
        assert len(found) == 5
        assert set(found) == wanted


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/determinations?x=1", None),
        ("/determinations?limit=0", None),
        ("/determinations?limit=1001", None),
        ("/determinations?after=zzz", None),
        ("/determinations?state=nowhere", None),
        ("/determinations?state=suspect&state=dropped", None),
        ("/measures?limit=3", None),
        ("/whatif?district=120104", None),
        ("/whatif", None),
        ("/compare?a=1", None),
        ("/determinations/120104DX000001/move", {"to": "dropped", "wish": 1}),
        ("/determinations/120104DX000001/move", {"to": 7}),
        ("/determinations/120104DX000001/move", {"to": "nowhere"}),
        ("/determinations/120104DX000001/move?x=1", {"to": "dropped"}),
        ("/determinations/120104DX000001/move", {"to": "dropped", "document": {"titel": "x"}}),
        ("/determinations/120104DX000001/move", {"to": "dropped", "document": {"title": "x", "dated": "soon"}}),
        ("/determinations/120104DX000001/move", {"to": "assigned", "form": {"lead": "tax"}}),
        ("/determinations/120104DX000001/move", {"to": "dropped", "document": 999}),
        ("/determinations/120104DX000001/move", {"to": "assigned", "form": {"lead": "\0", "due_on": "2024-02-29"}}),
        ("/determinations/120104DX000001/move", {"to": "dropped", "document": 10**30}),
        ("/determinations/120104DX000001/move", {"to": "dropped", "document": {"title": "x" * 201}}),
        ("/determinations/120104DX000001/move", {"to": "dropped", "document": True}),
        ("/determinations?street=%00&state=%00", None),
        ("/determinations/moves", {"to": "dropped", "codes": []}),
        ("/determinations/moves", {"to": "dropped", "codes": [1]}),
        ("/determinations/suspects", {"district": "999999"}),
        ("/determinations", {"subject": "120104001001GB00000", "category": "farm", "reason": "x"}),
    ],
)
def test_what_is_not_understood_is_refused_in_one_form(record, path, body):
    client = client_of(Role.STREET if path == "/determinations" else Role.OFFICE)
    if body is None:
        answer = client.get(ROOT + path)
    else:
        told = SAID | body if "move" in path and "titel" not in str(body) else body
        answer = sent(client, path, told | ({"version": 1} if path.endswith("/move") else {}))
    assert answer.status_code == 400, answer.content
    told = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert told["message"] == told["detail"]
    assert told["error"] == told["code"]
    assert told["error"] in ("usage", "unknown-name")
    assert not Move.objects.exists()


def test_bodies_that_are_no_json_and_methods_that_are_none_are_refused_in_the_same_form(record):
    office = client_of(Role.OFFICE)
    for body in ("", "{", "[]", '{"to": NaN}', "\ud800".encode("utf-8", "surrogatepass")):
        answer = office.post(f"{ROOT}/determinations/suspects", body, content_type="application/json")
        assert (answer.status_code, answer.json()["error"]) == (400, "usage"), body
    for method, path in (("delete", "/determinations"), ("put", "/measures"), ("get", "/determinations/moves")):
        answer = getattr(office, method)(ROOT + path)
        assert (answer.status_code, answer.json()["error"]) == (405, "method")
        assert answer["Allow"]
    assert office.get(f"{ROOT}/nothing").json()["error"] == "not-found"
    html = office.get(f"{ROOT}/determinations?x=1", headers={"Accept": "text/html"})
    assert (html.status_code, html["Content-Type"]) == (400, "application/problem+json")


def test_nobody_signed_in_is_asked_to_and_a_program_signs_in_by_basic(record):
    nobody = Client()
    answer = nobody.get(f"{ROOT}/determinations")
    assert (answer.status_code, answer.json()["error"]) == (401, "not-allowed")
    assert answer["WWW-Authenticate"].startswith("Basic")
    user = person(Role.OFFICE)
    user.set_password("a long enough password")
    user.save()
    word = base64.b64encode(f"{user.username}:a long enough password".encode()).decode()
    told = {"Authorization": f"Basic {word}", "Host": "localhost"}
    assert nobody.get(f"{ROOT}/determinations", headers=told).json()["count"] == 1
    strict = Client(enforce_csrf_checks=True)  # a password needs no token of a page
    body = json.dumps(step_body("dropped"))
    answer = strict.post(
        f"{ROOT}/determinations/{record.code}/move", body, content_type="application/json", headers=told
    )
    assert answer.status_code == 200


def test_what_a_foreign_page_could_make_a_browser_send_with_its_password_writes_nothing(record):
    office = client_of(Role.OFFICE)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = office.post(
            f"{ROOT}/determinations/{record.code}/move", json.dumps(step_body("dropped")), content_type=kind
        )
        assert (answer.status_code, "application/json" in answer.json()["hint"]) == (400, True)
    record.refresh_from_db()
    assert record.state == "suspect"


def test_a_session_writes_only_with_the_token_of_a_page_of_the_site(record):
    office = client_of(Role.OFFICE, enforce_csrf_checks=True)
    answer = sent(office, f"/determinations/{record.code}/move", step_body("dropped"))
    assert (answer.status_code, answer.json()["error"]) == (403, "csrf")
    token = office.get("/api/docs/").cookies["csrftoken"].value
    told = {"X-CSRFToken": token, "Origin": "http://testserver"}
    assert sent(office, f"/determinations/{record.code}/move", step_body("dropped"), **told).status_code == 200


@pytest.mark.rows("NJ024")
def test_a_record_tells_the_decision_beside_the_computed_result(record):
    records.flagged(FlagRun.objects.get(), record.parcel, outcome="not_low", fired=[])
    put(record, "checked")
    office = client_of(Role.OFFICE)
    sent(office, f"/determinations/{record.code}/move", step_body("determined"))
    told = office.get(f"{ROOT}/determinations/{record.parcel.code}").json()
    assert (told["result"], told["computed_then"]["outcome"], told["computed_now"]["outcome"]) == (
        "low",
        "not_low",
        "not_low",
    )
    assert told["computed_then"]["digest"] == "0" * 64


def test_measures_and_facts_are_told_whole(record):
    office = client_of(Role.OFFICE)
    measures = {one["name"]: one for one in office.get(f"{ROOT}/measures").json()}
    assert measures["far"]["uom"] == "1"
    assert measures["far"]["definition"]
    assert measures["tax_per_mu"]["restricted"] is True
    assert all(one["owner"] for one in office.get(f"{ROOT}/facts").json())
    runs = office.get(f"{ROOT}/runs").json()
    assert [(one["criteria"], one["digest"]) for one in runs["items"]] == [("town", "0" * 64)]
    elsewhere = client_of(Role.CITY).get(f"{ROOT}/runs?district=120103")
    assert elsewhere.json()["count"] == 0
    assert elsewhere["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(elsewhere["Vary"].split(", "))


# --- the description ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_description_is_valid_and_made_without_a_warning(schema, capsys):
    validate_schema(schema)
    SchemaGenerator().get_schema(request=None, public=True)
    assert capsys.readouterr().err == ""  # drf-spectacular warns there


def test_every_address_of_the_api_is_described_with_words_and_its_errors(schema):
    (api,) = [one for one in get_resolver().url_patterns if str(one.pattern) == "api"]
    known = {str(one.pattern) for one in api.url_patterns if str(one.pattern).startswith("/v1")}
    assert len(schema["paths"]) == len(known)
    for path, operations in schema["paths"].items():
        for method, told in operations.items():
            assert told.get("summary"), (method, path)
            assert {"400", "401"} <= set(told["responses"]), (method, path)


def strict(shape, components: dict):
    """A shape of OpenAPI 3.0 as JSON Schema that takes no member which is not described."""
    if isinstance(shape, list):
        return [strict(one, components) for one in shape]
    if not isinstance(shape, dict):
        return shape
    if "$ref" in shape:
        return strict(components[shape["$ref"].rpartition("/")[2]], components)
    made = {name: strict(one, components) for name, one in shape.items() if name not in ("nullable", "format")}
    if "properties" in made:
        made.setdefault("additionalProperties", False)
    return {"anyOf": [made, {"type": "null"}]} if shape.get("nullable") else made


def test_answers_are_what_the_description_says(schema, record):
    components = schema["components"]["schemas"]
    office, run = client_of(Role.OFFICE), FlagRun.objects.get()
    assert sent(office, f"/determinations/{record.code}/move", step_body("dropped")).status_code == 200
    open_campaign("120104", person(Role.OFFICE))
    sent(office, "/criteria", {"name": "draft", "district": "120104", "reason": "x", "parent": "nankai-2024"})
    asked = {
        "": "",
        "/measures": "/measures",
        "/facts": "/facts",
        "/workflow": "/workflow",
        "/criteria": "/criteria",
        "/criteria/{name}/text": "/criteria/nankai-2024/text",
        f"/runs?district={run.district_id}": "/runs",
        "/determinations": "/determinations",
        "/determinations/{code}": f"/determinations/{record.code}",
        "/campaigns": "/campaigns",
        "/forms": "/forms",
    }
    for path, address in asked.items():
        answers = schema["paths"][f"/api/v1{path.partition('?')[0] or '/'}"]["get"]["responses"]
        shape = answers["200"]["content"]["application/json"]["schema"]
        answer = office.get(f"{ROOT}{address or '/'}")
        assert answer.status_code == 200, address
        told = answer.json()
        assert told, address
        faults = Draft202012Validator(strict(shape, components)).iter_errors(told)
        assert [f"{address} {one.json_path}: {one.message[:200]}" for one in faults] == []


def test_the_page_of_the_description_asks_no_other_host(client):
    page = client.get("/api/docs/")
    told = page.content.decode()
    assert page.status_code == 200
    assert "http://" not in told.replace("http://www.w3.org", "")
    assert "https://" not in told
    assert "'unsafe-inline'" not in page["Content-Security-Policy"]
    assert "<script>" not in told
