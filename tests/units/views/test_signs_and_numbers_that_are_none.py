"""Signs that no database stores, numbers and days beyond all measure: each is told with a sentence."""

import json

import pytest
from django.test import Client

from tests import records
from tests.records import person, unit_in
from units.models import KeptDraft
from units.rights import Role

pytestmark = pytest.mark.django_db
NUL, HUGE, FAR = "\0", 10**30, "9" * 20
UNIT, LAND = "120104DY0001", "120104001001GB00000"
AROUND = {"type": "LineString", "coordinates": [[117.0, 39.1], [117.3, 39.1]]}
# (method, address, body): a dictionary is sent as JSON, a list of pairs as a form.
ASKED = (
    ("GET", "/history/?district=%00", None),
    ("GET", "/history/?district=120104&after=%00", None),
    ("GET", f"/units/{UNIT}/history/?district=%00", None),
    ("GET", "/map/dates.json?district=%00", None),
    ("GET", "/map/dates.json", None),
    ("GET", "/map/values.json?measure=%00", None),
    ("GET", "/snapshots/%00/%00/1/", None),
    ("GET", f"/snapshots/120104/record/{FAR}/", None),
    ("GET", f"/field/photos/{FAR}/", None),
    ("GET", f"/units/{UNIT}/editions/{FAR}/?district=%00", None),
    ("GET", f"/units/{UNIT}/since.json?version=1.999999999&district=%00", None),
    ("GET", "/audit/?person=%00", None),
    ("GET", "/audit/?since=0001-01-01&until=9999-12-31", None),
    ("PUT", "/working/drafts/k.json", {"kind": "unit", "version": 0, "content": {"a": NUL}}),
    ("PUT", "/working/drafts/k.json", {"kind": "unit", "version": 0, "content": {"a": "\ud800"}}),
    ("POST", "/working/leases.json", {"register": "record", "code": NUL, "district": NUL}),
    ("POST", "/work/moves/", [("register", "record"), ("to", "district_ok"), ("code", "x"), ("district", NUL)]),
    ("POST", "/work/moves/", [("register", "legacy"), ("to", "tested"), ("district", NUL), ("whole", "1")]),
    ("POST", f"/units/{UNIT}/move/", [("district", NUL), ("version", "1"), ("to", "consulted")]),
    ("POST", f"/units/{UNIT}/move/", [("district", "120104"), ("version", "1"), ("to", "draft"), ("comment", NUL)]),
    ("POST", f"/units/{UNIT}/move/", [("district", "120104"), ("version", "1"), ("to", "approved"), ("title", NUL)]),
    ("POST", "/legacy/L1/move/", [("district", NUL), ("version", "1"), ("to", "tested")]),
    ("POST", "/legacy/L1/move/", [("district", "120104"), ("version", "999999999"), ("to", NUL)]),
    ("POST", "/legacy/L1/facts/", [("district", "120104"), ("version", "1"), ("address", NUL), ("used_since", "0000")]),
    ("POST", "/legacy/L1/notes/", [("district", "120104"), ("text", NUL), ("title", "x")]),
    ("POST", f"/units/{UNIT}/consultations/", [("department", NUL), ("due_on", "2099-01-01"), ("question", NUL)]),
    ("POST", f"/consultations/{FAR}/reply/", [("version", "1")]),
    ("POST", "/map/views.json", {"name": "a", "address": "#", "district": NUL}),
    ("PUT", f"/map/views/{FAR}.json", {"version": 1}),
    ("POST", f"/units/{UNIT}/restore/", [("number", "999999999"), ("version", "1"), ("district", NUL)]),
    ("POST", f"/field/{LAND}/", [("token", "x"), ("note", NUL)]),
    ("POST", f"/accounts/tokens/{FAR}/revoke/", []),
    ("POST", "/accounts/tokens/", [("name", NUL), ("allows", NUL), ("days", "1"), ("password", NUL)]),
    ("POST", "/accounts/second-factor/", [("step", "begin"), ("password", NUL)]),
    ("POST", f"/units/{UNIT}/record/", {"version": HUGE, "mode": NUL}),
    ("POST", "/units/reshape.json", {"district": "120104", "op": "undo", "operation": HUGE}),
    (
        "POST",
        "/units/reshape.json",
        {"district": "120104", "op": "split", "units": [{"code": UNIT, "version": HUGE}], "line": AROUND},
    ),
    (
        "POST",
        "/api/v1/moves",
        {"register": "unit", "to": "approved", "codes": [UNIT], "versions": {UNIT: HUGE}, "document": HUGE},
    ),
    ("POST", "/api/v1/moves", {"register": "unit", "to": "approved", "codes": [NUL], "versions": {NUL: 1}}),
)


@pytest.mark.parametrize("role", [Role.OFFICE, Role.ANALYST])
def test_what_is_no_word_and_no_number_is_told_with_a_sentence(role):
    records.record_of(records.build(1)[0])
    records.legacy_in("evidence")
    unit_in("checked")
    client = Client(raise_request_exception=False)
    client.force_login(person(role))
    broken = []
    for method, path, body in ASKED:
        if isinstance(body, dict):
            answer = client.generic(method, path, json.dumps(body), content_type="application/json")
        else:
            answer = client.post(path, dict(body)) if method == "POST" else client.get(path)
        if answer.status_code >= 500:
            broken.append((method, path, answer.status_code))
    assert broken == []
    assert not KeptDraft.objects.exists()
