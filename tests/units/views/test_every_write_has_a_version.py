"""Every address that changes what people wrote asks which version they had before them; the list is made from the urls.

WRITES says of each address that takes a POST, PUT, PATCH or DELETE what kind of write it is. An address that is added
without a line fails here; one that is VERSIONED needs a trial, too.
"""

import json
import re
from dataclasses import dataclass, field

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from tests import records
from tests.records import NANKAI, person
from tests.town import square
from units import forms
from units.campaigning import open_campaign, version_of
from units.criteria import shelf
from units.models import (
    Campaign,
    Consultation,
    CriteriaText,
    Department,
    Determination,
    FactSheet,
    Finding,
    KeptDraft,
    LegacyLand,
    RedevelopmentUnit,
)
from units.rights import Role

VERSIONED = "changes what exists: without its version it is refused, with an older one it is a conflict"
ASKS = "asks a question; nothing is stored"
MAKES = "makes something new; nothing that exists is changed"
SIGNS = "an account's own sign-in, password, session or language; nothing that people work on"
LEASE = "a sign of life of one's own, told to others and stopping nobody"
UPLOAD = "one's own upload, step by step: each step is of the state that the one before left"
UNDO = "judged by what came after: an undo that would take later edits along is refused with them"
ADDS = "adds a paper, a photo or a row of its own, and takes back just that"
STEP = "each unit is named with its version; an undo is judged by the digest of what the step left"
WORKBOOK = "each row of the workbook brings the version of its form"
ROUND = "makes the records that are wanting; those that are there stay as they are"
DESK = "admin/"  # accounts and places, kept by one administrator
WRITES = {
    "map/views.json": MAKES,
    "map/views/<int:number>.json": VERSIONED,
    "map/measure.json": ASKS,
    "map/compose.json": ASKS,
    "map/pick.json": ASKS,
    "map/snap.json": ASKS,
    "map/trace.json": ASKS,
    "map/reshape.json": ASKS,
    "map/taken.json": ASKS,
    "map/corners.json": ASKS,
    "map/whatif/draft.json": MAKES,
    "field/<path:code>/": ADDS,
    "findings/<str:identity>/waiver/": VERSIONED,
    "determinations/suspects/": ROUND,
    "determinations/moves/": VERSIONED,
    "determinations/by-hand/": MAKES,
    "determinations/<str:code>/move/": VERSIONED,
    "determinations/<str:code>/start/": VERSIONED,
    "work/moves/": VERSIONED,
    "legacy/<str:code>/facts/": VERSIONED,
    "legacy/<str:code>/move/": VERSIONED,
    "legacy/<str:code>/notes/": MAKES,
    "criteria/check.json": ASKS,
    "criteria/drafts/": MAKES,
    "criteria/<str:name>/edit/": VERSIONED,
    "criteria/<str:name>/act/": VERSIONED,
    "campaigns/": MAKES,
    "campaigns/<int:number>/": VERSIONED,
    "campaigns/<int:number>/workbook/": WORKBOOK,
    "forms/<int:number>/": VERSIONED,
    "forms/<int:number>/step/": VERSIONED,
    "forms/<int:number>/papers/": ADDS,
    "units/": MAKES,
    "units/reshape.json": STEP,
    "units/<str:code>/move/": VERSIONED,
    "units/<str:code>/record/": VERSIONED,
    "units/<str:code>/amend/": VERSIONED,
    "units/<str:code>/restore/": VERSIONED,
    "units/<str:code>/consultations/": MAKES,
    "consultations/<int:number>/reply/": VERSIONED,
    "units/<str:code>.json": VERSIONED,
    "working/leases.json": LEASE,
    "working/drafts/<str:key>.json": VERSIONED,
    "api/v1/criteria": MAKES,
    "api/v1/criteria/check": ASKS,
    "api/v1/criteria/<str:name>": VERSIONED,
    "api/v1/criteria/<str:name>/text": VERSIONED,
    "api/v1/criteria/<str:name>/<str:action>": VERSIONED,
    "api/v1/facts": ASKS,
    "api/v1/whatif": ASKS,
    "api/v1/compare": ASKS,
    "api/v1/determinations": MAKES,
    "api/v1/determinations/suspects": ROUND,
    "api/v1/determinations/moves": VERSIONED,
    "api/v1/moves": VERSIONED,
    "api/v1/determinations/<str:code>/move": VERSIONED,
    "api/v1/campaigns": MAKES,
    "api/v1/forms/<int:number>": VERSIONED,
    "api/v1/forms/<int:number>/<str:action>": VERSIONED,
    "import/": UPLOAD,
    "import/mappings.json": MAKES,
    "import/mappings/<int:number>.json": ADDS,
    "import/deliveries/<int:number>/undo.json": UNDO,
    "import/deliveries/<int:number>/repairs.json": UNDO,
    "import/<uuid:number>/": UPLOAD,
    "import/<uuid:number>/preview.json": UPLOAD,
    "import/<uuid:number>/confirm.json": UPLOAD,
    "import/<uuid:number>/stop.json": UPLOAD,
    "import/<uuid:number>/again.json": UPLOAD,
    "accounts/login/": SIGNS,
    "accounts/login/code/": SIGNS,
    "accounts/login/second-factor/": SIGNS,
    "accounts/logout/": SIGNS,
    "accounts/password/": SIGNS,
    "accounts/second-factor/": SIGNS,
    "accounts/tokens/": SIGNS,
    "accounts/tokens/<int:number>/revoke/": SIGNS,
    "accounts/session.json": SIGNS,
    "accounts/language/": SIGNS,
}
ANY = {"healthz"}  # answers every method alike, and changes nothing
METHODS = {"POST", "PUT", "PATCH", "DELETE"}
EXAMPLES = {"int": "1", "str": "x", "slug": "x", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}


@dataclass
class Trial:
    """One write of what `things` made: by whom, where, what, and the version that stands; `form` is a page's form."""

    pattern: str
    by: Role
    method: str
    path: str
    version: str
    body: dict = field(default_factory=dict)
    form: bool = False
    header_only: bool = False


@pytest.fixture(scope="module")
def things(django_db_setup, django_db_blocker, databases):
    """One of everything that can be changed, in a database of its own; every trial is rolled back."""
    name = databases.clone()
    with django_db_blocker.unblock():
        databases.use(name)
        cache.clear()
        parcel, other = records.build(2)
        office = person(Role.OFFICE)
        records.record_of(parcel, "filling")
        made = open_campaign(NANKAI, office, title="摸底调查")
        suspect = records.record_of(other, "suspect")
        sheet = FactSheet.objects.order_by("pk").first()
        lead = next(one for one in forms.cells(sheet) if one.field.owner == "lead" and one.field.type in forms.MOST)
        getattr(sheet, lead.field.group)[lead.key] = {"value": "甲", "v": 5, "by_name": "x", "department": "commerce"}
        sheet.version = 5
        sheet.save()
        unit = RedevelopmentUnit.objects.create(
            district_id=NANKAI, street_id=records.HERE, code="120104DY0001", name="单元", state="draft", version=3,
            geom=square(0), base_survey_year=2022, created_by=office,
        )  # fmt: skip
        approved = RedevelopmentUnit.objects.create(
            district_id=NANKAI, street_id=records.HERE, code="120104DY0002", name="已批", state="approved", version=3,
            geom=square(9), base_survey_year=2022, created_by=office,
        )  # fmt: skip
        event = RedevelopmentUnit.pgh_event_model.objects.get(code=unit.code)
        asked = Consultation.objects.create(
            unit=unit, department=Department.objects.get(code="tax"), asked_by=office, due_on="2099-01-01", version=3,
            about="0" * 64, question="?",
        )  # fmt: skip
        LegacyLand.objects.create(
            district_id=NANKAI, street_id=records.HERE, code="L1", user_name="x", version=3,
            geom=square(11),
        )  # fmt: skip
        shelf.draft("town-try", by=office, district=NANKAI, reason="试算", parent="nankai-2024")
        finding = Finding.objects.create(
            district_id=NANKAI,
            street_id=records.HERE,
            identity="finding-1",
            code="4101",
            severity="error",
            subjects=[parcel.code],
            sentence="Two parcels overlap.",
            fix="Redraw one.",
            geom=parcel.geom.centroid,
        )
        KeptDraft.objects.create(user=office, kind="unit", key="k1", content={}, version=4)
        yield {
            "cell": lead.key, "sheet": sheet.pk, "form": 5, "unit": unit.code, "unit_version": 3,
            "approved": approved.code, "asked": asked.pk, "event": event.pgh_id,
            "criteria": CriteriaText.objects.get().version, "finding": finding.identity, "waived": 0,
            "campaign": made.pk, "campaign_version": version_of(Campaign.objects.get(pk=made.pk)),
            "legacy": 3, "suspect": suspect.code, "suspect_version": suspect.version,
            "record": sheet.determination.code,
            "record_version": Determination.objects.get(pk=sheet.determination_id).version, "draft": 4,
        }  # fmt: skip
        cache.clear()
        databases.use(databases.process_database)
    databases.drop(name)


UNIT = "units/<str:code>.json"
TRIALS = [
    Trial(UNIT, Role.OFFICE, "PUT", "/units/{unit}.json", "unit_version", {"name": "另名"}),
    Trial(UNIT, Role.OFFICE, "DELETE", "/units/{unit}.json", "unit_version", {"reason": "画错"}),
    Trial(UNIT, Role.OFFICE, "POST", "/units/{unit}.json", "unit_version", {"restore": True}),
    Trial("units/<str:code>/move/", Role.OFFICE, "POST", "/units/{unit}/move/", "unit_version", {"to": "checked"},
          form=True),
    Trial("determinations/<str:code>/start/", Role.OFFICE, "POST", "/determinations/{record}/start/", "record_version",
          {"on": "TODAY", "title": "开工", "number": "1"}, form=True),
    Trial("legacy/<str:code>/facts/", Role.ANALYST, "POST", "/legacy/L1/facts/", "legacy", {"used_since": "1995-01-01"},
          form=True),
    Trial("legacy/<str:code>/move/", Role.OFFICE, "POST", "/legacy/L1/move/", "legacy", {"to": "confirmed"}, form=True),
    Trial("units/<str:code>/record/", Role.OFFICE, "POST", "/units/{unit}/record/", "unit_version", {"programmes": []}),
    Trial("units/<str:code>/amend/", Role.OFFICE, "POST", "/units/{approved}/amend/", "unit_version", form=True),
    Trial("units/<str:code>/restore/", Role.OFFICE, "POST", "/units/{unit}/restore/", "unit_version",
          {"number": "EVENT"}, form=True),
    Trial("consultations/<int:number>/reply/", Role.CO, "POST", "/consultations/{asked}/reply/", "unit_version",
          {"opinion": "agrees", "reply": "同意"}, form=True),
    Trial("findings/<str:identity>/waiver/", Role.OFFICE, "POST", "/findings/{finding}/waiver/", "waived",
          {"reason": "有争议", "until": "TODAY"}, form=True),
    Trial("determinations/<str:code>/move/", Role.OFFICE, "POST", "/determinations/{record}/move/", "record_version",
          {"to": "dropped", "reason": "已拆除"}, form=True),
    Trial("criteria/<str:name>/edit/", Role.OFFICE, "POST", "/criteria/town-try/edit/", "criteria", {"text": "x"}),
    Trial("criteria/<str:name>/act/", Role.OFFICE, "POST", "/criteria/town-try/act/", "criteria", {"act": "discard"},
          form=True),
    Trial("criteria/<str:name>/act/", Role.DISTRICT, "POST", "/criteria/town-try/act/", "criteria",
          {"act": "approve", "title": "纪要", "reason": "通过"}, form=True),
    Trial("criteria/<str:name>/act/", Role.DISTRICT, "POST", "/criteria/town-try/act/", "criteria",
          {"act": "retire", "reason": "过期"}, form=True),
    Trial("campaigns/<int:number>/", Role.OFFICE, "POST", "/campaigns/{campaign}/", "campaign_version", {"close": "1"},
          form=True),
    Trial("campaigns/<int:number>/", Role.OFFICE, "POST", "/campaigns/{campaign}/", "campaign_version", {}, form=True),
    Trial("forms/<int:number>/", Role.LEAD, "POST", "/forms/{sheet}/", "form",
          {"values": {"CELL": {"unknown_reason": "无"}}}),
    Trial("forms/<int:number>/step/", Role.LEAD, "POST", "/forms/{sheet}/step/", "form", {"step": "submit"}, form=True),
    Trial("forms/<int:number>/step/", Role.OFFICE, "POST", "/forms/{sheet}/step/", "form",
          {"step": "assign", "department": "planning", "groups": "land", "reason": "校办工厂"}, form=True),
    Trial("working/drafts/<str:key>.json", Role.OFFICE, "PUT", "/working/drafts/k1.json", "draft",
          {"kind": "unit", "content": {"name": "x"}}),
    Trial("working/drafts/<str:key>.json", Role.OFFICE, "DELETE", "/working/drafts/k1.json", "draft", {"kind": "unit"}),
    Trial("api/v1/criteria/<str:name>", Role.OFFICE, "DELETE", "/api/v1/criteria/town-try", "criteria",
          header_only=True),
    Trial("api/v1/criteria/<str:name>/text", Role.OFFICE, "PUT", "/api/v1/criteria/town-try/text", "criteria",
          {"text": "x"}),
    Trial("api/v1/criteria/<str:name>/<str:action>", Role.DISTRICT, "POST", "/api/v1/criteria/town-try/approve",
          "criteria", {"reason": "通过", "document": {"title": "纪要"}}),
    Trial("api/v1/criteria/<str:name>/<str:action>", Role.DISTRICT, "POST", "/api/v1/criteria/town-try/retire",
          "criteria", {"reason": "过期"}),
    Trial("api/v1/determinations/<str:code>/move", Role.OFFICE, "POST", "/api/v1/determinations/{record}/move",
          "record_version", {"to": "dropped", "reason": "已拆除"}),
    Trial("api/v1/forms/<int:number>", Role.LEAD, "PATCH", "/api/v1/forms/{sheet}", "form",
          {"cells": {"CELL": {"unknown_reason": "无"}}}),
    Trial("api/v1/forms/<int:number>/<str:action>", Role.LEAD, "POST", "/api/v1/forms/{sheet}/submit", "form"),
]  # fmt: skip
# Addresses of many rows, each with its own version: see the test of many.
MANY = {"determinations/moves/", "work/moves/", "api/v1/determinations/moves", "api/v1/moves"}
# Tried by tests of their own.
ELSEWHERE = {
    "map/views/<int:number>.json": "tests/units/views/test_saved_views.py",
}


def patterns(resolver=None, prefix=""):
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one, prefix + str(one.pattern))
        else:
            yield prefix + str(one.pattern)


def test_every_address_that_takes_a_write_is_listed_with_what_kind_it_is(things):
    client = Client(headers={"Accept": "application/json"})
    client.force_login(person(Role.OFFICE))
    takes, strange = set(), []
    for pattern in patterns():
        if pattern.startswith(DESK):
            continue
        path = "/" + re.sub(r"<(\w+):\w+>", lambda part: EXAMPLES[part[1]], pattern)
        answer = client.generic("PROPFIND", path, HTTP_ACCEPT="application/json")  # that no address takes
        allowed = {one.strip() for one in answer.headers.get("Allow", "").split(",")}
        if answer.status_code != 405 and pattern not in ANY | set(WRITES):
            strange.append(pattern)
        elif allowed & METHODS:
            takes.add(pattern)
    assert not strange, f"These take any method: say which, with require_http_methods: {strange}"
    unlisted = sorted(takes - set(WRITES))
    assert not unlisted, f"Say in WRITES what these write, and try them with and without a version: {unlisted}"
    assert set(WRITES) <= set(patterns()), "An address of WRITES is gone."


def test_every_versioned_write_is_tried():
    versioned = {pattern for pattern, kind in WRITES.items() if kind == VERSIONED}
    assert versioned == {one.pattern for one in TRIALS} | MANY | set(ELSEWHERE)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda one: f"{one.method} {one.path} {one.body.get('act', '')}")
def test_a_write_without_its_version_is_refused_and_one_with_an_older_is_a_conflict(things, trial):
    client = Client(headers={"Accept": "application/json"})
    client.force_login(person(trial.by))
    now = things[trial.version]
    path = trial.path.format(**things)
    body = json.loads(json.dumps(trial.body).replace("CELL", things["cell"]).replace("EVENT", str(things["event"])))
    body = {name: timezone.localdate().isoformat() if value == "TODAY" else value for name, value in body.items()}

    def write(version=None, header=None):
        given = body | ({} if version is None else {"version": str(version) if trial.form else version})
        headers = {} if header is None else {"If-Match": header}
        with transaction.atomic():
            if trial.form:
                answer = client.post(path, given, headers=headers)
            else:
                answer = client.generic(
                    trial.method, path, json.dumps(given), content_type="application/json", headers=headers
                )
            transaction.set_rollback(True)
        return answer

    without = write()
    assert without.status_code in (400, 422), without.content[:300]  # 422: the page again, with the sentence
    assert "If-Match" in without.content.decode()
    etag = '"1.{}"' if trial.pattern.startswith("units/") else '"{}"'
    old = now - 1 if now else 7
    assert trial.header_only or write(old).status_code == 409, write(old).content[:300]
    assert write(header=etag.format(old)).status_code == 412
    assert write(header="no-etag").status_code in (400, 422)
    right = [write(header=etag.format(now))] + ([] if trial.header_only else [write(now)])
    for answer in right:
        assert answer.status_code not in (400, 412), answer.content[:300]
        if answer.status_code == 409:  # something else stands against it, not the version
            assert "stale" not in answer.content.decode()


@pytest.mark.parametrize("pattern", sorted(MANY))
def test_many_rows_are_moved_by_who_names_the_version_of_each(things, pattern):
    client = Client(headers={"Accept": "application/json"})
    client.force_login(person(Role.OFFICE))
    code, now = things["suspect"], things["suspect_version"]
    step = {"to": "dropped", "reason": "已拆除"}

    answers = []

    def moved(version: int | None) -> bool:
        with transaction.atomic():
            if pattern.startswith("api/"):
                more = {"register": "record", "district": NANKAI} if pattern == "api/v1/moves" else {}
                given = (
                    step
                    | more
                    | {"codes": [code], "document": {"title": "现场核查记录"}}
                    | ({} if version is None else {"versions": {code: version}})
                )
                answers.append(client.post(f"/{pattern}", json.dumps(given), content_type="application/json"))
            else:
                given = step | {
                    "code": code,
                    "confirmed": "1",
                    "register": "record",
                    "district": NANKAI,
                    "title": "记录",
                }
                answers.append(
                    client.post(f"/{pattern}", given | ({} if version is None else {f"version-{code}": version}))
                )
            state = Determination.objects.get(code=code).state
            transaction.set_rollback(True)
        return state == "dropped"

    assert [moved(None), moved(now - 1 if now else 7), moved(now)] == [False, False, True], answers[
        -1
    ].content.decode()[-3000:]
