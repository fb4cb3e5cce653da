"""The permission matrix: every way in which the site takes something, tried as each role and as nobody.

The list of faces is made from the site itself: each address with each method that changes something, each thing with a
place of its own (page, API, export, history), each table of the administrator's desk. WRITES and DESK say in words of
`workflow.md` 4.1 who gets past the door; a face that is added without a line fails, and its sentence is the line to
add. Who may *read* which address says test_rights_walk.py, with the same visitors in the same town; tiles and /ogc are
walked there, collection by collection.
"""

import json
import re
from http.cookies import SimpleCookie

import pytest
import town
from django.contrib import admin
from django.db import transaction
from django.test import Client

from importers.models import Intake, MappingTemplate
from tests.journeys import test_rights_walk as walk
from units import tokens
from units.amending import digest
from units.campaigning import version_of
from units.criteria import shelf
from units.models import (
    AuditEntry,
    Campaign,
    Consultation,
    Delivery,
    Department,
    Determination,
    FactSheet,
    KeptDraft,
    RedevelopmentUnit,
    SavedView,
    SignInFailure,
    Token,
    User,
)
from units.rights import Role

pytestmark = pytest.mark.rows("NK017", "NK068", "NK064")
clients = walk.clients  # the town and its visitors, a client each
NOBODY, ALL, INSIDE = walk.NOBODY, walk.ALL, walk.INSIDE
ACCOUNTS = ALL - {NOBODY}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
CLOSED = {401, 403, 404, 405}
HERE, OTHER_STREET, ELSEWHERE = 0, 1, 3  # places of the town: where all work, where R2 does not, the other district
NOWHERE_ELSE = {"R7", "R8"}  # whose role holds in every district

DRAWERS = {"R1", "R2", "R5"}  # of units, and who corrects facts (4.1: the analyst, the street, the office)
OFFICE = {"R5"}
CRITERIA_KEEPERS = {"R5", "R6", "R7"}  # who drafts them, and who approves
FORM_READERS = {"R1", "R2", "R5", "R6", "R7"}  # nobody here is of a department that is asked
# "METHOD address": who gets past the door in his own place, with what is sent. {place} of the town, {code} of its
# parcel, {district}, {version} of the thing at the address; a text is sent as a form, a dictionary as JSON.
WRITES = {
    # units: who draws them edits and deletes their drafts; the record, opinions and editions are the office's
    "POST units/": (DRAWERS, {"district": "{district}", "name": "x", "parcels": ["{code}"]}),
    "PUT units/<str:code>.json": (DRAWERS, {"version": 1, "name": "x"}),
    "POST units/<str:code>.json": (DRAWERS, {"version": 1, "restore": True}),
    "DELETE units/<str:code>.json": (DRAWERS, {"version": 1, "reason": "x"}),
    "POST units/<str:code>/record/": (DRAWERS, {"version": 1, "mode": ""}),
    "POST units/<str:code>/amend/": (DRAWERS, "version=1"),
    "POST units/<str:code>/consultations/": (OFFICE, "version=1&departments=planning&due_on=2027-01-31"),
    "POST units/<str:code>/restore/": (DRAWERS, "version=1&number=1"),
    "POST consultations/<int:number>/reply/": (OFFICE, "version=1&opinion=agrees&reply=x&paper=1"),
    "POST map/compose.json": (DRAWERS, {"district": "{district}", "parcels": ["{code}"]}),
    "POST map/corners.json": (DRAWERS, {"district": "{district}", "text": "117.1 39.1"}),
    "POST map/pick.json": (DRAWERS, {"district": "{district}", "codes": "{code}"}),
    "POST map/snap.json": (DRAWERS, {"district": "{district}", "points": [[117.1, 39.1]]}),
    "POST map/trace.json": (DRAWERS, {"district": "{district}", "from": [117.1, 39.1], "to": [117.101, 39.1]}),
    "POST map/reshape.json": (DRAWERS, {"district": "{district}", "op": "union", "geometries": []}),
    "POST map/taken.json": (DRAWERS, "district={district}"),
    "POST units/reshape.json": (
        DRAWERS,
        {
            "district": "{district}",
            "op": "split",
            "units": [{"code": "U{place}", "version": 1}],
            "line": {"type": "LineString", "coordinates": [[117.0, 39.1005], [117.3, 39.1005]]},
        },
    ),
    "POST map/measure.json": (ALL, {"points": [[117.1, 39.1], [117.2, 39.1]], "closed": False}),
    "POST map/views.json": (INSIDE, {"name": "x", "address": "#"}),
    "PUT map/views/<int:number>.json": (OFFICE, {"version": 1, "name": "x"}),  # R5 keeps it: nobody else changes it
    "DELETE map/views/<int:number>.json": (OFFICE, {"version": 1}),
    "POST working/leases.json": (INSIDE, {"register": "unit", "code": "U{place}"}),
    "DELETE working/leases.json": (ACCOUNTS, {"register": "unit", "code": "U{place}"}),
    "PUT working/drafts/<str:key>.json": (ACCOUNTS, {"kind": "unit", "content": {}}),
    "DELETE working/drafts/<str:key>.json": (OFFICE, {"kind": "unit", "version": 1}),
    "POST field/<path:code>/": (DRAWERS, "note=x"),
    # findings and records
    "POST findings/<str:identity>/waiver/": (OFFICE, "version=0&reason=x&until=2027-01-31"),
    "POST determinations/suspects/": ({"R1", "R5"}, "district={district}"),
    "POST determinations/by-hand/": ({"R2"}, "subject={code}&category=industrial&reason=x"),
    "POST determinations/moves/": (INSIDE, "to=dropped&code={record}"),
    "POST determinations/<str:code>/move/": (OFFICE, "version={version}&to=dropped&reason=x&title=x"),
    "POST api/v1/determinations": ({"R2"}, {"subject": "{code}", "category": "industrial", "reason": "x"}),
    "POST api/v1/determinations/suspects": ({"R1", "R5"}, {"district": "{district}"}),
    "POST api/v1/determinations/moves": (INSIDE, {"to": "dropped", "codes": ["{record}"], "reason": "x"}),
    "POST api/v1/determinations/<str:code>/move": (OFFICE, {"version": 1, "to": "dropped", "reason": "x"}),
    "POST determinations/<str:code>/start/": (OFFICE, "version={version}&on=2024-03-01&title=x"),
    "POST work/moves/": (INSIDE, "register=record&to=dropped&code={record}"),
    # An approved unit is seen by everybody: who has signed in is told that it takes no such step.
    "POST units/<str:code>/move/": (ACCOUNTS, "district={district}&version=1&to=checked"),
    "POST legacy/<str:code>/move/": ({"R1", "R2"}, "district={district}&version=1&to=evidence"),
    "POST legacy/<str:code>/facts/": ({"R1", "R2"}, "district={district}&version=1"),
    "POST legacy/<str:code>/notes/": (OFFICE, "district={district}&text=x&title=x"),
    "POST api/v1/moves": (ACCOUNTS, {"register": "record", "to": "dropped", "codes": ["{record}"]}),  # row by row
    # criteria: drafted by the office, approved by the district government or the bureau
    "POST criteria/check.json": (CRITERIA_KEEPERS, {"text": "x", "district": "{district}", "name": "town-draft"}),
    "POST criteria/drafts/": (OFFICE, "district={district}&name=x&reason=x&parent=nankai-2024"),
    "POST criteria/<str:name>/edit/": (OFFICE, {"version": 1, "text": "x"}),
    "POST criteria/<str:name>/act/": ({"R6", "R7"}, "version=1&act=approve&title=x&reason=x"),
    "POST map/whatif/draft.json": (OFFICE, {"district": "{district}", "criteria": "nankai-2024", "name": "x"}),
    "POST api/v1/criteria": (OFFICE, {"district": "{district}", "name": "x", "reason": "x", "parent": "nankai-2024"}),
    "POST api/v1/criteria/check": (CRITERIA_KEEPERS, {"text": "x", "district": "{district}"}),
    "PUT api/v1/criteria/<str:name>/text": (OFFICE, {"version": 1, "text": "x"}),
    "DELETE api/v1/criteria/<str:name>": (OFFICE, {"If-Match": '"1"'}),
    "POST api/v1/criteria/<str:name>/<str:action>": (
        {"R6", "R7"},
        {"version": 1, "reason": "x", "document": {"title": "x"}},
    ),
    # campaigns and their forms; which cells and steps are whose, tests/journeys/test_forms.py shows
    "POST campaigns/": (OFFICE, "district={district}&title=x&due_on=2027-01-31"),
    "POST campaigns/<int:number>/": (OFFICE, "version={version}&close=1"),
    "POST campaigns/<int:number>/workbook/": (set(), ""),
    "POST api/v1/campaigns": (OFFICE, {"district": "{district}", "title": "x", "due_on": "2027-01-31"}),
    "POST forms/<int:number>/": (FORM_READERS, {"version": 1, "values": {}}),
    "POST forms/<int:number>/step/": (FORM_READERS, "version={version}&step=submit"),
    "POST forms/<int:number>/papers/": (FORM_READERS, "title=x"),
    "PATCH api/v1/forms/<int:number>": (FORM_READERS, {"version": 1, "cells": {}}),
    "POST api/v1/forms/<int:number>/<str:action>": (FORM_READERS, {"version": 1}),
    # deliveries: the analyst's here (IMPORTING of the walk says whose the others are)
    "POST import/": (walk.IMPORTERS, "district={district}&year=2023"),
    "POST import/mappings.json": (walk.IMPORTERS, {"district": "{district}", "profile": "dltb", "columns": {}}),
    "DELETE import/mappings/<int:number>.json": ({"R1"}, {}),
    "DELETE import/<uuid:number>/": ({"R1"}, {}),
    "POST import/<uuid:number>/preview.json": ({"R1"}, {"layer": 1, "profile": "dltb"}),
    "POST import/<uuid:number>/confirm.json": ({"R1"}, {"layer": 1}),
    "POST import/<uuid:number>/stop.json": ({"R1"}, {"layer": 1}),
    "POST import/<uuid:number>/again.json": ({"R1"}, {}),
    "POST import/deliveries/<int:number>/undo.json": ({"R1"}, {}),
    "POST import/deliveries/<int:number>/repairs.json": ({"R1"}, {"accept": "all"}),
    # one's own account
    "POST accounts/login/": (ALL, ""),
    "POST accounts/login/code/": (set(), ""),  # nobody here has given a password
    "POST accounts/login/second-factor/": (set(), ""),
    "POST accounts/logout/": (ALL, ""),
    "POST accounts/password/": (ACCOUNTS, ""),
    "POST accounts/second-factor/": (ACCOUNTS, "step=begin"),
    "POST accounts/tokens/": (ACCOUNTS, ""),
    "POST accounts/tokens/<int:number>/revoke/": (OFFICE, ""),  # R5 made it
    "POST accounts/session.json": (ACCOUNTS, ""),
}
# A table of the administrator's desk, and whether administrators write to it there; no role opens the desk at all.
DESK = {
    "User": "add change",
    "District": "add change delete",
    "Street": "add change delete",
    "Department": "add change delete",
    "DistrictFigure": "add change delete",
    "Survey": "",
    "Delivery": "",
    "Move": "",
    "ProcrastinateJob": "",
}


def sample(pattern: str, place: int) -> str | None:
    """The address of the thing in a place of the town; None where the town has none in that place."""
    district = town.PLACES[place][0]
    head = pattern.removeprefix("api/v1/").split("/")[0]
    things = {
        **dict.fromkeys(("parcels", "subjects", "field"), f"{district}001001GB0000{place}"),
        "buildings": f"B{place}",
        "units": f"U{place}",
        "determinations": f"{district}DX00000{place}",
        "legacy": f"L{place}",
        "findings": f"finding-{place}",
        "criteria": f"town-{district}",
    }

    def value(match) -> str:
        kind, name = match[1], match[2]
        if name in ("code", "identity", "name") and head in things:
            return things[head]
        if name == "number" and head == "campaigns":
            return str(Campaign.objects.get(district_id=district).pk)
        if name == "number" and head == "forms":
            return str(_sheet(place).pk)
        if name == "number" and pattern.startswith("import/deliveries/"):
            return str(Delivery.objects.get(district_id=district, profile="dltb").pk)
        if kind == "uuid:" and pattern.startswith("import/"):
            return str(Intake.objects.get(layers__name="dltb").pk) if district == town.NANKAI else GONE
        if name == "number" and head in KEPT:
            return str(KEPT[head])
        if name == "action":
            return "approve" if head == "criteria" else "submit"
        return {"key": "k1", "z": "12", "x": "3", "y": "4"}.get(name, "1")

    path = "/" + re.sub(r"<(\w+:)?(\w+)>", value, pattern)
    return None if GONE in path else path


GONE = "nothing-there"
KEPT: dict[str, int] = {}  # the numbers of what `known` adds to the town, by the beginning of its address


def _sheet(place: int) -> FactSheet:
    return FactSheet.objects.get(determination__code=f"{town.PLACES[place][0]}DX00000{place}")


def _version(pattern: str, place: int) -> int:
    head = pattern.removeprefix("api/v1/").split("/")[0]
    match head:
        case "campaigns":
            return version_of(Campaign.objects.get(district_id=town.PLACES[place][0]))
        case "forms":
            return _sheet(place).version
        case "determinations":
            return Determination.objects.get(code=f"{town.PLACES[place][0]}DX00000{place}").version
        case "findings":
            return 0
    return 1


def faces() -> list[tuple[str, str]]:
    """Each (method, address) of the site that may change something, as the site itself tells it."""
    return [(method, pattern) for pattern, methods in METHODS.items() for method in UNSAFE if method in methods]


METHODS: dict[str, set[str]] = {}


@pytest.fixture(scope="module", autouse=True)
def known(clients, django_db_blocker):
    """What each address takes: it is asked with a method that none takes."""
    with django_db_blocker.unblock():
        office = User.objects.get(username="R5.120104")
        planning = Department.objects.create(district_id=town.NANKAI, code="planning", name="规划局")
        unit = RedevelopmentUnit.objects.get(code="U0")
        asked = Consultation.objects.create(
            unit=unit, department=planning, asked_by=office, due_on="2099-12-31", about=digest(unit)
        )
        for district, by in ((town.NANKAI, office), (town.HEPING, town.scoped_user(Role.OFFICE, town.HEPING))):
            shelf.draft(f"town-{district}", district=district, by=by, reason="x", parent="nankai-2024")
        KeptDraft.objects.create(user=office, kind="unit", key="k1", content={})
        KEPT["consultations"] = asked.pk
        KEPT["map"] = SavedView.objects.create(owner=office, name="x", address="#").pk
        KEPT["accounts"] = tokens.make(office, "x", "read", 1)[0].pk
        template = MappingTemplate.objects.create(
            name="x", profile="dltb", mapping={}, district_id=town.NANKAI, by=User.objects.get(username="R1.120104")
        )
        KEPT["import"] = template.pk
        for pattern in dict.fromkeys(walk.patterns()):
            if pattern.startswith(walk.DESK):
                continue
            path = sample(pattern, HERE)
            answers = [clients[who].generic("PROPFIND", path) for who in ("R5", NOBODY)]
            told = {one.strip() for answer in answers for one in answer.get("Allow", "").split(",")}
            METHODS[pattern] = told - {""}
            assert told - {""} or pattern in ANY_METHOD, (
                f"/{pattern} takes any method: say which, with require_http_methods."
            )
    yield
    METHODS.clear()
    KEPT.clear()


ANY_METHOD = {"healthz", "accounts/language/"}  # they change nothing that is anybody's


def sent(client, method: str, pattern: str, place: int, body):
    """The answer to one write, which is taken back."""
    district = town.PLACES[place][0]
    blanks = {"place": place, "code": f"{district}001001GB0000{place}", "district": district}
    blanks["record"], blanks["version"] = f"{district}DX00000{place}", _version(pattern, place)
    pairs = body if isinstance(body, dict) else dict(pair.split("=", 1) for pair in body.split("&") if pair)
    headers = {"If-Match": pairs["If-Match"]} if "If-Match" in pairs else {}
    written = json.dumps(pairs)
    for name, one in blanks.items():
        written = written.replace(f'"{{{name}}}"', json.dumps(one)).replace(f"{{{name}}}", str(one))
    kept, client.cookies = client.cookies, SimpleCookie(client.cookies)  # who signs out does so for this once
    with transaction.atomic():
        if isinstance(body, dict):
            answer = client.generic(
                method, sample(pattern, place), written, content_type="application/json", headers=headers
            )
        else:
            answer = client.post(sample(pattern, place), json.loads(written))
        transaction.set_rollback(True)
    client.cookies = kept
    return answer


def past(answer) -> bool:
    """Whether whoever asked got past the door: told of his data, his version or his words, and not of his rights."""
    if answer.status_code == 302 and "/accounts/login/" in answer["Location"]:
        return False
    return answer.status_code not in CLOSED


def entered(clients, face: str, place: int) -> set[str]:
    method, pattern = face.split(" ", 1)
    body = WRITES[face][1]
    return {who for who, client in clients.items() if past(sent(client, method, pattern, place, body))}


def test_every_face_that_takes_something_has_its_line(clients, django_db_blocker):
    there = {f"{method} {pattern}" for method, pattern in faces()}
    lines = []
    with django_db_blocker.unblock():
        for face in sorted(there - set(WRITES)):
            method, pattern = face.split(" ", 1)
            got = {who for who, client in clients.items() if past(sent(client, method, pattern, HERE, {}))}
            lines.append(f'    "{face}": ({_called(got)}, {{}}),')
    assert not lines, (
        "These take something and are not in WRITES of tests/journeys/test_every_face.py. Add a line for each: "
        "who gets past the door (below: who does today with an empty body; compare with workflow.md 4.1), and a body "
        "that lets the rights be looked at:\n" + "\n".join(lines)
    )
    gone = sorted(set(WRITES) - there)
    assert not gone, f"These are in WRITES and not on the site any more: {gone}"


def _called(those: set[str]) -> str:
    """The set as one would write it in the table."""
    names = {"ALL": ALL, "ACCOUNTS": ACCOUNTS, "INSIDE": INSIDE, "DRAWERS": DRAWERS, "OFFICE": OFFICE, "set()": set()}
    for name, one in names.items():
        if one == those:
            return name
    return "{" + ", ".join(f'"{who}"' for who in sorted(those)) + "}"


@pytest.mark.parametrize("face", WRITES)
def test_exactly_the_listed_get_past_the_door(clients, django_db_blocker, face):
    with django_db_blocker.unblock():
        got = entered(clients, face, HERE)
    listed = WRITES[face][0]
    assert got == listed, f"{face}: {sorted(got - listed)} got in and should not; {sorted(listed - got)} did not"


def test_a_page_of_another_site_gets_nobody_past_any_door(clients, django_db_blocker):
    """A browser sends the session along; what it cannot send is the token against forged requests."""
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = SimpleCookie(clients["R5"].cookies)
    with django_db_blocker.unblock():
        answers = {}
        for face, (_those, body) in WRITES.items():
            method, pattern = face.split(" ", 1)
            answers[face] = sent(forged, method, pattern, HERE, body).status_code
    assert {face: status for face, status in answers.items() if status != 403} == {}


def test_a_token_for_reading_gets_nobody_past_any_door_and_one_that_was_closed_opens_none(clients, django_db_blocker):
    """Tried as the office, which gets past most doors; where everybody does, the token is not looked at."""
    with django_db_blocker.unblock():
        office = User.objects.get(username="R5.120104")
        reading, text = tokens.make(office, "reading", "read", 1)
        closed, old = tokens.make(office, "closed", "write", 1)
        tokens.revoke(office, closed.pk)
        for token in (text, old):
            client = Client(REMOTE_ADDR="127.0.0.1", HTTP_HOST="127.0.0.1", HTTP_AUTHORIZATION=f"Bearer {token}")
            got = set()
            for face, (those, body) in WRITES.items():
                method, pattern = face.split(" ", 1)
                if NOBODY not in those and past(sent(client, method, pattern, HERE, body)):
                    got.add(face)
                SignInFailure.objects.all().delete()
            assert not got
        Token.objects.filter(pk__in=(reading.pk, closed.pk)).delete()


@pytest.mark.parametrize("face", [face for face in WRITES if "<" in face])
def test_nobody_gets_past_the_door_of_another_place(clients, django_db_blocker, face):
    """The same address with a thing of the other district, or of the other street: only those of all districts."""
    method, pattern = face.split(" ", 1)
    those, body = WRITES[face]
    with django_db_blocker.unblock():
        here = sample(pattern, HERE)
        for place, tried in ((ELSEWHERE, those - NOWHERE_ELSE), (OTHER_STREET, those & {"R2"})):
            if sample(pattern, place) in (None, here):
                continue  # it lies in no place, or the town has none there
            public = pattern.startswith("units/") and town.UNIT_STATES[place] == "approved"
            got = set()
            for who in tried:
                answer = sent(clients[who], method, pattern, place, body)
                # What everybody sees is told to nobody's surprise that it takes no such step; it is taken by nobody.
                if past(answer) and not (public and answer.status_code >= 400):
                    got.add(who)
            assert not got, f"{face}: {sorted(got)} got in at {sample(pattern, place)}"


# --- reading, of one thing in its place: pages, API, exports and histories alike ------------------------------------

# Things of a place; those that have no address with a code of their own are walked elsewhere.
THINGS = ("parcels/", "buildings/", "units/", "determinations/", "legacy/", "field/", "map/", "api/v1/")


def things() -> list[str]:
    return [
        pattern
        for pattern in dict.fromkeys(walk.patterns())
        if pattern.startswith(THINGS) and re.search(r"<(str|path):(code|identity)>", pattern)
    ]


def test_whatever_the_walk_leaves_to_its_place_is_tried_here():
    left = {pattern for pattern, statuses in walk.STATUS.items() if statuses == "by place"}
    assert left <= set(things()), f"Say in THINGS or by the name of its blank what these are: {left - set(things())}"


@pytest.mark.parametrize("pattern", things())
def test_a_thing_of_another_place_is_told_to_nobody_there_by_any_of_its_addresses(clients, django_db_blocker, pattern):
    with django_db_blocker.unblock():
        if "GET" not in METHODS[pattern]:
            return  # it takes, and tells nothing: WRITES
        seen_by = set()
        for place in (HERE, OTHER_STREET, ELSEWHERE):
            for who, client in clients.items():
                if pattern.endswith(".pdf") and place in walk.SEEN_PLACES[who]:
                    seen_by.add(who)  # printed in tests/units/views: each takes a second
                    continue
                public = pattern.startswith("units/") and town.UNIT_STATES[place] == "approved"
                answer = client.get(sample(pattern, place))
                body = answer.getvalue()
                told = answer.status_code < 400 and past(answer)
                if place in walk.SEEN_PLACES[who]:
                    seen_by |= {who} if told or answer.status_code in (400, 409) else set()
                elif not public:
                    assert not told, f"{sample(pattern, place)} as {who}: {answer.status_code} {body[:200]}"
                for word, kept_from in walk.SECRETS.items():
                    assert who not in kept_from or word.encode() not in body, f"{sample(pattern, place)} tells {who}"
    assert seen_by, f"/{pattern} opens for nobody at all: is its sample right?"


# --- exports -------------------------------------------------------------------------------------------------------


def test_whatever_is_taken_away_is_kept_in_the_audit(clients, django_db_blocker):
    """Every address that ends like a file, as the office and the analyst: each answer that is saved is one entry."""
    with django_db_blocker.unblock(), transaction.atomic():
        taken = 0
        for pattern in dict.fromkeys(walk.patterns()):
            if not re.search(r"\.(xlsx|csv|zip)$", pattern) or "GET" not in METHODS.get(pattern, ()):
                continue
            for who in ("R5", "R1"):
                before = AuditEntry.objects.filter(kind="download").count()
                answer = clients[who].get(sample(pattern, HERE))
                answer.getvalue()
                assert answer.status_code != 200 or answer.get("Content-Disposition", "").startswith("attachment"), (
                    f"/{pattern} is a file: send it with Content-Disposition: attachment, so that the audit keeps it"
                )
                kept = AuditEntry.objects.filter(kind="download").count() - before
                assert kept == (answer.status_code == 200), pattern
                taken += kept
        transaction.set_rollback(True)
    assert taken >= 3


# --- the administrator's desk --------------------------------------------------------------------------------------


def test_every_table_of_the_desk_has_its_line():
    there = {model.__name__ for model in admin.site._registry}
    assert there == set(DESK), (
        "A table was put on the administrator's desk, or taken off it: say in DESK whether administrators write there. "
        "Land, judgements and moves are never written there: that would be a way around the rights and the checks. "
        f"Not listed: {sorted(there - set(DESK))}; gone: {sorted(set(DESK) - there)}"
    )


def test_the_desk_lets_administrators_do_what_is_listed_and_other_staff_nothing(rf, django_db_blocker, clients):
    chief = User(username="chief", is_staff=True, is_superuser=True, is_active=True)
    clerk = User(username="clerk", is_staff=True, is_active=True)
    with django_db_blocker.unblock(), transaction.atomic():
        clerk.save()
        for model, desk in admin.site._registry.items():
            for user, listed in ((chief, DESK[model.__name__].split()), (clerk, [])):
                request = rf.get("/admin/")
                request.user = user
                got = [what for what in ("add", "change", "delete") if getattr(desk, f"has_{what}_permission")(request)]
                assert got == listed, f"{model.__name__} as {user}"
        transaction.set_rollback(True)
