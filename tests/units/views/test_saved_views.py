"""Views of the map that people keep: their own, those shared in a district, and two windows at one."""

import json

import pytest
from django.test import Client

from tests import records
from tests.records import HEPING, NANKAI, person
from units.models import SavedView
from units.rights import Role

pytestmark = pytest.mark.django_db
ADDRESS = "#16/39.10400/117.15000&theme=far:natural:5&class=0,1&street=120104002"


@pytest.fixture
def people():
    records.build(0)
    return {
        "office": person(Role.OFFICE),
        "street": person(Role.STREET, "120104001"),
        "next": person(Role.OFFICE, district=HEPING),
        "city": person(Role.CITY, district=None),
        "developer": person(Role.DEVELOPER),
    }


def asked(user, method: str, path: str, body: dict | None = None, **headers):
    client = Client()
    if user is not None:
        client.force_login(user)
    data = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
    return getattr(client, method)(path, **data, headers={"Accept": "application/json"} | headers)


def saved(user, **words):
    return asked(user, "post", "/map/views.json", {"name": "低容积率", "address": ADDRESS} | words)


def test_a_view_is_saved_listed_changed_and_deleted_by_who_made_it(people):
    made = saved(people["office"])
    assert made.status_code == 201, made.content
    number, version = made.json()["number"], made.json()["version"]
    assert made.json()["address"] == ADDRESS.removeprefix("#")
    assert [one["name"] for one in asked(people["office"], "get", "/map/views.json").json()["mine"]] == ["低容积率"]
    changed = asked(people["office"], "put", f"/map/views/{number}.json", {"version": version, "name": " 新 名 "})
    assert (changed.json()["name"], changed.json()["version"]) == ("新 名", version + 1)
    assert changed.json()["address"] == ADDRESS.removeprefix("#")
    gone = asked(people["office"], "delete", f"/map/views/{number}.json", {}, **{"If-Match": f'"{version + 1}"'})
    assert gone.status_code == 204
    assert not SavedView.objects.exists()


def test_an_older_version_is_a_conflict_and_none_at_all_is_refused(people):
    number = saved(people["office"]).json()["number"]
    address = f"/map/views/{number}.json"
    assert asked(people["office"], "put", address, {"version": 1, "name": "b"}).status_code == 200
    stale = asked(people["office"], "put", address, {"version": 1, "name": "c"})
    assert stale.status_code == 409
    assert stale.json()["theirs"]["name"] == "b"
    assert asked(people["office"], "put", address, {"name": "c"}).status_code == 400
    assert asked(people["office"], "delete", address, {"version": 1}).status_code == 409
    assert SavedView.objects.get().name == "b"


def test_a_shared_view_is_listed_in_its_district_alone_and_changed_by_nobody_else(people):
    made = saved(people["office"], district=NANKAI).json()
    saved(people["office"], name="mine alone")

    def shared(name):
        return [one["name"] for one in asked(people[name], "get", "/map/views.json").json()["shared"]]

    assert shared("street") == ["低容积率"]
    assert shared("city") == ["低容积率"]
    assert shared("next") == []
    address = f"/map/views/{made['number']}.json"
    for name in ("street", "city", "next"):
        assert asked(people[name], "put", address, {"version": 1, "name": "x"}).status_code == 404
        assert asked(people[name], "delete", address, {"version": 1}).status_code == 404
    assert (
        asked(people["next"], "post", "/map/views.json", {"name": "x", "address": "#1", "district": NANKAI}).status_code
        == 403
    )
    no_more = asked(people["office"], "put", address, {"version": 1, "district": ""})
    assert no_more.json()["district"] == ""
    assert shared("street") == []


def test_who_does_not_work_on_the_land_keeps_no_views(people):
    for user, status in ((None, 401), (people["developer"], 403)):
        assert asked(user, "get", "/map/views.json").status_code == status
        assert saved(user).status_code == status


@pytest.mark.parametrize(
    "words",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a\u202eb"},
        {"address": ""},
        {"address": "#"},
        {"address": "#" + "1" * 2001},
        {"address": "#1 2"},
        {"address": "#中"},
        {"colour": "red"},
        {"name": 5},
    ],
)
def test_what_is_no_name_or_no_address_is_refused_with_a_sentence(people, words):
    answer = saved(people["office"], **words)
    assert answer.status_code == 400
    assert answer.json()["detail"] if "detail" in answer.json() else answer.json()["message"]
    assert not SavedView.objects.exists()


def test_a_name_is_given_once_by_each_person(people):
    saved(people["office"])
    again = saved(people["office"])
    assert again.status_code == 409
    assert again.json()["code"] == "name-taken"
    assert saved(people["street"]).status_code == 201
