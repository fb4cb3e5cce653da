"""Campaigns and forms by /api/v1: fields by whose they are, versions, and the steps of a form."""

import json

import pytest
from django.test import Client

from tests import records
from tests.records import person
from units.campaigning import open_campaign
from units.models import Determination, FactSheet, FormTask
from units.rights import Role
from units.suspecting import suspects

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"


@pytest.fixture
def sheet():
    records.build()
    suspects("120104", "town", person(Role.OFFICE))
    open_campaign("120104", person(Role.OFFICE), title="摸底调查")
    return FactSheet.objects.get()


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(person(role))
    return client


def sent(client: Client, method: str, path: str, body: dict, **headers):
    """The request; of a form, unless told otherwise, upon the version that stands."""
    if not headers and path.startswith("/forms/"):
        headers = {"If-Match": client.get(f"{ROOT}/forms/{path.split('/')[2]}")["ETag"]}
    elif not headers and path.endswith("/move"):
        headers = {"If-Match": client.get(ROOT + path.removesuffix("/move"))["ETag"]}
    return getattr(client, method)(ROOT + path, json.dumps(body), content_type="application/json", headers=headers)


def cell_of(told: dict, owner: str) -> str:
    """A cell of free text or number that an owner writes."""
    cells = [cell for group in told["groups"] for cell in group["cells"]]
    return next(one["cell"] for one in cells if one["owner"] == owner and one["required"])


def test_a_campaign_is_opened_and_told_with_its_progress(sheet):
    office = client_of(Role.OFFICE)
    (listed,) = office.get(f"{ROOT}/campaigns").json()["items"]
    assert listed["title"] == "摸底调查"
    told = office.get(f"{ROOT}/campaigns/{listed['id']}").json()
    assert told["progress"]["total"] == 1
    again = sent(office, "post", "/campaigns", {"district": "120104"})
    assert again.status_code == 409  # one is open
    assert sent(client_of(Role.LEAD), "post", "/campaigns", {"district": "120104"}).status_code == 403
    assert office.get(f"{ROOT}/campaigns/999").json()["error"] == "not-found"


@pytest.mark.rows("NK020")
def test_each_department_fills_its_own_cells_and_is_refused_anothers(sheet):
    lead, tax = client_of(Role.LEAD), client_of(Role.CO)
    told = lead.get(f"{ROOT}/forms/{sheet.pk}")
    own = cell_of(told.json(), "lead")
    answer = {own: {"unknown_reason": "企业已注销"}}
    done = sent(lead, "patch", f"/forms/{sheet.pk}", {"cells": answer}, **{"If-Match": told["ETag"]})
    assert (done.status_code, done.json()["changed"]) == (200, [own])
    assert done["ETag"] != told["ETag"]
    assert Determination.objects.get().state == "filling"  # its first answer begins it
    refused = sent(tax, "patch", f"/forms/{sheet.pk}", {"cells": answer})
    assert (refused.status_code, refused.json()["error"]) == (403, "not-allowed")
    other = sent(
        lead, "patch", f"/forms/{sheet.pk}", {"cells": {own: {"unknown_reason": "另有原因"}}}, **{"If-Match": '"1"'}
    )
    assert other.status_code == 412  # the same cell was written since
    assert own in other.json()["theirs"]["cells"]


def test_values_that_do_not_fit_are_all_told_and_nothing_is_kept(sheet):
    lead = client_of(Role.LEAD)
    own = cell_of(lead.get(f"{ROOT}/forms/{sheet.pk}").json(), "lead")
    answer = sent(lead, "patch", f"/forms/{sheet.pk}", {"cells": {own: {"unknown_reason": " "}}})
    assert answer.status_code == 422
    assert [one["cell"] for one in answer.json()["problems"]] == [own]
    assert sent(lead, "patch", f"/forms/{sheet.pk}", {"cells": {"no_such": None}}).status_code == 400
    assert sent(lead, "patch", f"/forms/{sheet.pk}", {"sells": {}}).status_code == 400
    assert Determination.objects.get().state == "assigned"


def test_a_form_is_submitted_confirmed_and_sent_back(sheet):
    lead, tax = client_of(Role.LEAD), client_of(Role.CO)
    assert sent(lead, "post", f"/determinations/{sheet.determination.code}/move", {"to": "filling"}).status_code == 200
    early = sent(lead, "post", f"/forms/{sheet.pk}/submit", {})
    assert (early.status_code, early.json()["error"]) == (409, "complete")
    complete(sheet)
    assert sent(lead, "post", f"/forms/{sheet.pk}/submit", {"comment": "已核"}).json()["state"] == "co_check"
    assert sent(tax, "post", f"/forms/{sheet.pk}/return", {"group": "economy"}).json()["error"] == "comment"
    back = sent(tax, "post", f"/forms/{sheet.pk}/return", {"group": "economy", "comment": "税收不符"})
    assert back.json()["state"] == "filling"
    sent(lead, "post", f"/forms/{sheet.pk}/submit", {})
    assert sent(tax, "post", f"/forms/{sheet.pk}/confirm", {"group": "economy"}).status_code == 200
    task = FormTask.objects.get(department__code="tax")
    assert task.verdict["economy"]["verdict"] == "confirmed"
    assert sent(tax, "post", f"/forms/{sheet.pk}/burn", {}).status_code == 400


def complete(sheet: FactSheet) -> None:
    """Every fact that is still asked for, answered with the reason why it cannot be had."""
    office = client_of(Role.OFFICE)
    while missing := office.get(f"{ROOT}/forms/{sheet.pk}").json()["missing"]:
        row = FactSheet.objects.get(pk=sheet.pk)
        for one in missing:
            getattr(row, one["group"])[one["cell"]] = {"unknown_reason": "企业已注销"}
        row.save()
