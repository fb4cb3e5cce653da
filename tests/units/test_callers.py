"""Who sends a request is asked each time: what was revoked, closed or changed holds for the very next request."""

from datetime import timedelta

import pytest
import town
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from units import callers
from units.models import Parcel, Scope, User
from units.rights import Grant, Role

TILE = "/tiles/parcels.json"


@pytest.fixture
def planner(db):
    town.build()
    callers.sessions.found.clear()
    return town.scoped_user(Role.OFFICE, town.NANKAI)


@pytest.fixture
def client(planner):
    client = Client()
    client.force_login(planner)
    assert client.get(TILE).status_code == 200  # and the session is remembered
    assert callers.sessions.get(client.cookies[settings.SESSION_COOKIE_NAME].value)
    return client


def asked(client) -> tuple:
    request = RequestFactory().get(TILE)
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    request.user = None  # only a session that is not remembered may ask for it
    return callers.caller(request, ("parcel", "survey"))


def test_a_remembered_session_is_one_question(client):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        grants, revisions = asked(client)
    assert len(queries) == 1
    assert grants == (Grant("R5", town.NANKAI),)
    assert [name for name, _number in revisions] == ["parcel", "survey"]


def test_a_revoked_scope_is_gone_with_the_next_request(client, planner):
    Scope.objects.filter(user=planner).delete()
    assert client.get(TILE).status_code == 403
    Scope.objects.create(user=planner, group=town.scoped_user(Role.CO, town.HEPING).scopes.get().group)
    assert client.get(TILE).status_code == 200
    assert asked(client)[0] == (Grant("R4"),)


def test_another_scope_gives_another_version_of_the_tiles(client, planner):
    before = client.get(TILE).json()["tiles"]
    Scope.objects.filter(user=planner).update(district_id=town.HEPING)
    assert client.get(TILE).json()["tiles"] != before


@pytest.mark.parametrize("how", ["signed out", "expired", "password", "inactive", "hash", "session changed"])
def test_a_session_that_holds_no_more_lets_nobody_in(client, planner, how):
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    match how:
        case "signed out":
            Session.objects.filter(pk=key).delete()
        case "expired":
            Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        case "password":
            planner.set_password("another one, 12")
            planner.save()
        case "inactive":
            User.objects.filter(pk=planner.pk).update(is_active=False)
        case "hash":
            User.objects.filter(pk=planner.pk).update(password="")
        case "session changed":
            Session.objects.filter(pk=key).update(session_data=Client().session.encode({}))
    assert client.get(TILE).status_code == 401


def test_the_revisions_are_those_of_now(client):
    before = dict(asked(client)[1])
    Parcel.objects.filter(code=f"{town.NANKAI}001001GB00000").update(address="moved")
    assert dict(asked(client)[1])["parcel"] > before["parcel"]


@pytest.mark.parametrize("key", ["", "x", "a" * 32, "Ä" * 32, "'; DROP TABLE units_user"])
def test_a_cookie_that_is_no_session_is_nobody(planner, key):
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert client.get(TILE).status_code == 401


def test_only_so_many_sessions_are_remembered():
    kept = callers.Sessions(2)
    for key in ("a", "b", "c"):
        kept.keep(key, "data", 1, "password")
    assert list(kept.found) == ["b", "c"]


def test_a_connection_that_was_lost_is_opened_again(own_database):
    town.build()
    client = Client()
    client.force_login(town.scoped_user(Role.OFFICE, town.NANKAI))
    assert client.get(TILE).status_code == 200
    lost = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
    other.close()
    assert client.get(TILE).status_code == 200
    assert connection.connection.info.backend_pid != lost
