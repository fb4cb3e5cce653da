"""Signing in: by the form and by Basic, with guesses slowed down and passwords kept off open wires."""

import base64
import threading
from datetime import timedelta

import pytest
import town
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import OperationalError, connection
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from geoinv import signin
from geoinv.signin import (
    FAILURES_A_NAME_AND_ADDRESS,
    FAILURES_AN_ADDRESS,
    WINDOW,
    TooManyFailures,
    address_of,
    digest,
    grants,
)
from units.models import SignInFailure, User
from units.rights import Role

ADDRESS = "/ogc/collections/parcels"
pytestmark = pytest.mark.rows("NK017")


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    signin.remembered.entries.clear()
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second


@pytest.fixture
def office(db):
    town.build()
    return town.scoped_user(Role.OFFICE, town.NANKAI)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def attempt(name="R5.120104", password=town.PASSWORD, address="127.0.0.1", path=ADDRESS, **more):
    return Client(REMOTE_ADDR=address, HTTP_HOST="127.0.0.1:8000").get(path, headers=basic(name, password), **more)


def enter(client, name, password, **more):
    return client.post("/accounts/login/", {"username": name, "password": password}, **more)


def from_address(address: str):
    return RequestFactory(REMOTE_ADDR=address).get("/")


def test_a_program_signs_in_by_basic_and_leaves_no_session(office):
    response = attempt()
    assert response.status_code == 200
    assert not response.cookies
    assert SignInFailure.objects.count() == 0


def test_basic_brings_the_grants_of_its_user(office, rf):
    seen = []
    middleware = signin.ProgramSignIn(lambda request: seen.append(grants(request)))
    middleware(rf.get(ADDRESS, headers=basic("R5.120104", town.PASSWORD), HTTP_HOST="127.0.0.1"))
    assert seen == [office.grants()]
    assert [(grant.role, grant.district) for grant in seen[0]] == [("R5", town.NANKAI)]


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"a\0b:x").decode(),
        "Bearer abc",
        "Digest username=x",
    ],
)
def test_a_header_that_cannot_be_read_is_401_and_no_error_of_the_server(office, header):
    response = Client().get(ADDRESS, headers={"Authorization": header, "Host": "127.0.0.1"})
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(("name", "password"), [("R5.120104", "wrong"), ("nobody", "wrong"), ("", "")])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(office, name, password):
    response = attempt(name, password)
    assert response.status_code == 401
    assert response.json()["detail"] == attempt("somebody", "else").json()["detail"]


def test_somebody_who_left_cannot_sign_in(office):
    assert attempt().status_code == 200
    User.objects.filter(pk=office.pk).update(is_active=False)
    assert attempt().status_code == 401


@pytest.mark.parametrize(
    ("address", "more", "status"),
    [
        ("10.1.2.3", {}, 403),
        ("10.1.2.3", {"secure": True}, 200),
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("", {}, 403),
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "10.1.2.3"}, 403),
    ],
)
def test_a_password_travels_only_by_https_or_on_the_loopback(office, address, more, status):
    response = attempt(address=address, **more)
    assert response.status_code == status
    if status == 403:
        assert response["Content-Type"] == "application/problem+json"
        assert "HTTPS" in response.json()["detail"]


@override_settings(ALLOWED_HOSTS=["land.example"])
def test_behind_a_proxy_that_says_nothing_of_itself_the_loopback_is_not_believed(office):
    response = Client(REMOTE_ADDR="127.0.0.1").get(
        ADDRESS, headers=basic("R5.120104", town.PASSWORD) | {"Host": "land.example"}
    )
    assert response.status_code == 403


def test_basic_is_for_the_paths_of_programs_alone(office):
    response = attempt(path="/admin/")
    assert response.status_code == 302


def test_a_verified_password_is_not_hashed_again_for_a_minute(office, monkeypatch):
    hashed = []
    original = PBKDF2PasswordHasher.encode
    monkeypatch.setattr(
        PBKDF2PasswordHasher, "encode", lambda *args, **kwargs: hashed.append(1) or original(*args, **kwargs)
    )
    assert attempt().status_code == 200
    first = len(hashed)
    assert attempt().status_code == 200
    assert len(hashed) == first
    later = signin.time.monotonic() + 61
    monkeypatch.setattr(signin.time, "monotonic", lambda: later)
    assert attempt().status_code == 200
    assert len(hashed) > first


def test_a_changed_password_is_forgotten_at_once(office):
    assert attempt().status_code == 200
    office.set_password("another long password")
    office.save()
    assert attempt().status_code == 401
    assert attempt(password="another long password").status_code == 200


def test_the_memory_of_passwords_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(signin, "REMEMBERED_ENTRIES", 3)
    for number in range(10):
        signin.remembered.add(bytes([number]))
    assert len(signin.remembered.entries) == 3


def test_the_sixth_guess_is_refused_even_when_it_is_right(office):
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS):
        assert attempt(password="guess").status_code == 401
    response = attempt()
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


def test_a_guess_that_hits_a_remembered_password_is_throttled_too(office):
    assert attempt().status_code == 200
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS):
        attempt(password="guess")
    assert attempt().status_code == 429


def test_the_form_says_that_there_were_too_many(office):
    client = Client(headers={"Accept-Language": "en"})
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS):
        assert enter(client, "R5.120104", "guess").status_code == 200
    response = enter(client, "R5.120104", town.PASSWORD)
    assert response.status_code == 200
    (sentence,) = response.context["form"].non_field_errors()
    assert "15" in sentence
    assert "_auth_user_id" not in client.session


def test_names_are_counted_without_regard_to_case_or_width(office):
    for name in ("R5.120104", "r5.120104", "Ｒ５.120104", "R5.120104", "r5.120104"):
        attempt(name, "guess")
    assert attempt().status_code == 429


def test_success_clears_the_failures_of_that_name_and_address(office):
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS - 1):
        attempt(password="guess")
    assert attempt().status_code == 200
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS - 1):
        assert attempt(password="guess").status_code == 401
    assert attempt().status_code == 200


def test_an_address_that_tries_many_names_is_refused(office):
    for number in range(FAILURES_AN_ADDRESS):
        assert attempt(f"name{number}", "guess").status_code == 401
    assert attempt().status_code == 429


def test_callers_of_whom_no_address_is_known_do_not_lock_each_other_out(office):
    for number in range(FAILURES_AN_ADDRESS + 3):
        attempt(f"name{number}", "guess", address="", secure=True)
    assert attempt(address="", secure=True).status_code == 200


def test_a_name_guessed_from_everywhere_waits_in_the_end(office, monkeypatch):
    monkeypatch.setattr(signin, "FAILURES_A_NAME", 7)
    for number in range(7):
        attempt(password="guess", address=f"10.0.0.{number}", secure=True)
    assert attempt().status_code == 429


def test_a_sign_in_while_the_database_is_away_is_told_so(office, monkeypatch):
    def away(*_arguments):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(signin, "verified", away)
    response = attempt()
    assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")


def test_somebody_elses_guesses_elsewhere_lock_nobody_out(office):
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS + 3):
        attempt(password="guess", address="10.9.9.9", secure=True)
    assert attempt(address="10.9.9.9", secure=True).status_code == 429
    assert attempt().status_code == 200


def test_failures_are_forgotten_after_a_quarter_of_an_hour_and_old_ones_are_swept(office):
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS):
        attempt(password="guess")
    SignInFailure.objects.update(at=timezone.now() - WINDOW - timedelta(seconds=1))
    attempt("another", "guess")
    assert SignInFailure.objects.count() == 1
    assert attempt().status_code == 200


def test_a_refused_attempt_does_not_lengthen_the_wait(office):
    for _guess in range(FAILURES_A_NAME_AND_ADDRESS + 5):
        attempt(password="guess")
    assert SignInFailure.objects.count() == FAILURES_A_NAME_AND_ADDRESS


def test_a_hundred_guesses_at_once_are_counted_like_a_hundred_in_a_row(own_database, monkeypatch):
    User.objects.create_user("target", password=town.PASSWORD)
    looked_at, gate = [], threading.Barrier(12)
    monkeypatch.setattr(
        "django.contrib.auth.models.AbstractBaseUser.check_password", lambda *args: looked_at.append(1) and False
    )

    def guess():
        try:
            gate.wait(20)
            authenticate(from_address("10.0.0.1"), username="target", password="guess")
        except TooManyFailures:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) <= FAILURES_A_NAME_AND_ADDRESS


def test_an_unknown_name_costs_as_much_as_a_known_one(office, monkeypatch):
    hashed = []
    original = PBKDF2PasswordHasher.encode
    monkeypatch.setattr(
        PBKDF2PasswordHasher, "encode", lambda *args, **kwargs: hashed.append(1) or original(*args, **kwargs)
    )
    attempt(password="guess")
    known = len(hashed)
    attempt("nobody", "guess")
    assert len(hashed) == 2 * known


def test_the_table_of_failures_tells_no_name_and_no_address(office):
    attempt(password="guess", address="10.9.9.9", secure=True)
    row = SignInFailure.objects.get()
    assert len(row.name_digest) == len(row.address_digest) == 64
    assert row.name_digest == digest("name", "R5.120104")
    assert row.name_digest != digest("address", "R5.120104")
    with override_settings(SECRET_KEY="another"):
        assert row.name_digest != digest("name", "R5.120104")


def test_what_a_caller_says_of_its_own_address_is_not_believed(rf):
    request = rf.get("/", headers={"X-Forwarded-For": "1.2.3.4, 5.6.7.8"}, REMOTE_ADDR="10.0.0.1")
    assert address_of(request) == "10.0.0.1"
    with override_settings(TRUST_FORWARDED_FOR=True):
        assert address_of(request) == "5.6.7.8"


def test_a_caller_with_a_whole_ipv6_network_is_one_address():
    assert address_of(from_address("2001:db8::1")) == address_of(from_address("2001:db8::ffff"))
    assert address_of(from_address("2001:db8::1")) != address_of(from_address("2001:db8:0:1::1"))
    assert address_of(from_address("::ffff:10.0.0.1")) == "10.0.0.1"


def test_a_name_or_password_beyond_all_measure_is_refused_unhashed(office):
    assert authenticate(from_address("10.0.0.1"), username="x" * 10_000, password="x") is None
    assert authenticate(from_address("10.0.0.1"), username="R5.120104", password="x" * 10_000_000) is None
    assert SignInFailure.objects.count() == 0


def test_every_answer_keeps_other_hosts_out(office):
    for path in ("/accounts/login/", "/ogc", "/nowhere"):
        response = Client().get(path, headers={"Accept": "text/html"})
        policy = dict(part.strip().partition(" ")[::2] for part in response["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "http" not in response["Content-Security-Policy"]
        assert response["Referrer-Policy"] == "same-origin"
        assert response["X-Content-Type-Options"] == "nosniff"


@override_settings(TIANDITU_KEY="a key")
def test_the_national_map_may_be_loaded_only_where_a_key_is_set(office):
    assert "tianditu.gov.cn" in Client().get("/accounts/login/")["Content-Security-Policy"]
