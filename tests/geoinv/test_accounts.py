"""Accounts: passwords, sessions that end, the second factor with its step before approvals, tokens and the audit."""

import io
import re
import time
from datetime import date, timedelta
from types import SimpleNamespace

import openpyxl
import pyotp
import pytest
import town
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone, translation

from geoinv import entrance, sessions, signin
from geoinv.demo import account_rows
from units import second_factor, tokens
from units.auditing import entries, note
from units.criteria import shelf
from units.errors import NotAllowed, Refused
from units.models import (
    AuditEntry,
    CriteriaText,
    FormerPassword,
    Move,
    RecoveryCode,
    Scope,
    SecondFactor,
    SignInFailure,
    Token,
    User,
)
from units.rights import Role

pytestmark = [pytest.mark.rows("NK017"), pytest.mark.django_db]
NEW = "纸船 on a slow river"
API = "/ogc/collections/units"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    signin.remembered.entries.clear()
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second


@pytest.fixture
def places(db):
    town.District.objects.create(code=town.NANKAI, name="南开区", srid=4548)
    town.District.objects.create(code=town.HEPING, name="和平区", srid=4548)


@pytest.fixture
def office(places):
    return town.scoped_user(Role.OFFICE, town.NANKAI)


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets forward: `clock.now += 3600`."""
    kept = SimpleNamespace(now=time.time())
    monkeypatch.setattr(second_factor.time, "time", lambda: kept.now)
    return kept


def enter(name: str, password: str = town.PASSWORD, client: Client | None = None, **more):
    client = client or Client()
    return client, client.post("/accounts/login/", {"username": name, "password": password, **more})


def signed_in(name: str) -> Client:
    client, answer = enter(name)
    assert answer.status_code == 302, answer.content
    return client


def secret_of(page: str) -> str:
    return re.search(r'enrol-key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")


def turned_on(client: Client, clock) -> tuple[str, list[str]]:
    """Turn the factor on as a person does; the key of the app and the recovery codes."""
    page = client.post("/accounts/second-factor/", {"step": "begin", "password": town.PASSWORD}).content.decode()
    key = secret_of(page)
    answer = client.post("/accounts/second-factor/", {"step": "confirm", "otp": pyotp.TOTP(key).at(int(clock.now))})
    assert answer.status_code == 200, answer.content.decode()
    codes = re.findall(r"<li><code>([a-z2-7-]+)</code>", answer.content.decode())
    clock.now += 30
    return key, codes


def bearer(text: str, method: str = "get", path: str = API, **headers):
    return getattr(Client(REMOTE_ADDR="127.0.0.1", HTTP_HOST="127.0.0.1"), method)(
        path, headers={"Authorization": f"Bearer {text}", **headers}
    )


# --- passwords ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("kurz 3x", "12"),
        ("password1234", "常见"),
        ("839201746555", "数字"),
        ("R5.120104xyz", "相似"),
        (town.PASSWORD, "5"),
    ],
)
def test_a_password_that_is_easily_guessed_or_was_used_is_refused_in_chinese(office, password, said):
    with translation.override("zh-hans"), pytest.raises(ValidationError) as told:
        validate_password(password, office)
    assert said in " ".join(told.value.messages)


def test_a_changed_password_ends_the_other_sessions_and_none_of_the_last_five_comes_back(office):
    other, client = signed_in("R5.120104"), signed_in("R5.120104")

    def change(old, new):
        return client.post(
            "/accounts/password/", {"old_password": old, "new_password1": new, "new_password2": new}
        ).status_code

    assert change("wrong", NEW) == 422
    assert change(town.PASSWORD, town.PASSWORD) == 422
    assert change(town.PASSWORD, NEW) == 302
    assert client.get("/accounts/").status_code == 200
    assert other.get("/accounts/", headers={"Accept": "application/json"}).status_code == 401
    assert change(NEW, town.PASSWORD) == 422
    had = [NEW, *(f"{NEW} no. {number}" for number in range(5))]
    for old, new in zip(had, had[1:], strict=False):
        assert change(old, new) == 302
    assert change(had[-1], had[1]) == 422  # the fifth before
    assert change(had[-1], NEW) == 302  # the sixth
    assert FormerPassword.objects.filter(user=office).count() == 5
    assert AuditEntry.objects.filter(kind="password", by=office).count() == 7


# --- sessions ----------------------------------------------------------------------------------------------------


def test_a_session_ends_when_nobody_uses_it_and_in_the_end_in_any_case(office, monkeypatch):
    clock = SimpleNamespace(now=time.time())
    monkeypatch.setattr(sessions.time, "time", lambda: clock.now)
    client = signed_in("R5.120104")
    idle, longest = settings.SESSION_COOKIE_AGE, settings.SESSION_LONGEST_AGE
    assert (idle, longest) == (8 * 3600, 12 * 3600)

    def told(method="get"):
        return getattr(client, method)("/accounts/session.json").json()

    def ends() -> int:
        return round((Session.objects.get().expire_date - timezone.now()).total_seconds() / 60)

    assert told() == {"left": idle, "goes_on": True, "user": "R5.120104"}
    clock.now += 3600
    assert told()["left"] == idle - 3600  # to ask is no use of it
    client.get("/map/overview.json", headers={"Accept": "*/*"})
    assert told()["left"] == idle - 3600  # nor is what a script asks for by itself
    client.get("/accounts/", headers={"Accept": "text/html"})
    assert told()["left"] == idle
    clock.now += 5 * 3600
    assert told("post") == {"left": longest - 6 * 3600, "goes_on": False, "user": "R5.120104"}
    assert ends() == 6 * 60  # the database lets nobody in later, whatever a cookie says
    clock.now += 3600
    assert told("post")["left"] == longest - 7 * 3600
    assert ends() == 5 * 60
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/accounts/session.json", headers={"Accept": "application/json"}).status_code == 401


def test_the_page_knows_how_long_the_session_stands_and_who_is_signed_in(office):
    page = signed_in("R5.120104").get("/accounts/").content.decode()
    assert 0 < int(re.search(r'data-left="(\d+)"', page)[1]) <= settings.SESSION_COOKIE_AGE
    assert 'data-user="R5.120104"' in page
    assert "session-notice" not in Client().get("/accounts/login/").content.decode()


# --- the second factor -------------------------------------------------------------------------------------------


def test_a_sign_in_with_a_second_factor_asks_for_it_and_each_code_counts_once(office, clock):
    key, codes = turned_on(signed_in("R5.120104"), clock)
    assert len(set(codes)) == 10
    client, answer = enter("R5.120104", next="/audit/")
    assert answer["Location"] == "/accounts/login/code/"
    assert client.get("/accounts/", headers={"Accept": "application/json"}).status_code == 401
    code = pyotp.TOTP(key).at(int(clock.now))
    assert client.post("/accounts/login/code/", {"otp": f"{int(code) + 1:06d}"[-6:]}).status_code == 422
    entered = client.post("/accounts/login/code/", {"otp": f" {code[:3]} {code[3:]} "})
    assert (entered.status_code, entered["Location"]) == (302, "/audit/")
    assert client.get("/accounts/").status_code == 200
    again, _answer = enter("R5.120104")
    assert again.post("/accounts/login/code/", {"otp": code}).status_code == 422
    assert again.post("/accounts/login/code/", {"otp": codes[3]}).status_code == 302
    third, _answer = enter("R5.120104")
    assert third.post("/accounts/login/code/", {"otp": codes[3]}).status_code == 422
    clock.now += 60
    assert third.post("/accounts/login/code/", {"otp": pyotp.TOTP(key).at(int(clock.now) - 30)}).status_code == 302


def test_the_way_to_the_code_is_open_for_ten_minutes_after_the_right_password_alone(office, clock):
    turned_on(signed_in("R5.120104"), clock)
    assert Client().get("/accounts/login/code/")["Location"] == "/accounts/login/"
    wrong, answer = enter("R5.120104", "wrong")
    assert answer.status_code == 200
    assert wrong.get("/accounts/login/code/").status_code == 302
    client, _answer = enter("R5.120104")
    assert client.get("/accounts/login/code/").status_code == 200
    clock.now += entrance.PENDING_SECONDS
    assert client.get("/accounts/login/code/").status_code == 302
    client, _answer = enter("R5.120104")
    office.set_password(NEW)
    office.save()
    assert client.get("/accounts/login/code/").status_code == 302


def test_five_wrong_codes_and_the_account_waits_a_quarter_of_an_hour(office, clock, monkeypatch):
    key, codes = turned_on(signed_in("R5.120104"), clock)
    client, _answer = enter("R5.120104")
    for _guess in range(second_factor.FAILURES):
        client.post("/accounts/login/code/", {"otp": "000000"})
    for right in (pyotp.TOTP(key).at(int(clock.now)), codes[0]):
        answer = client.post("/accounts/login/code/", {"otp": right}, headers={"Accept-Language": "en"})
        assert answer.status_code == 422
        assert "15" in answer.content.decode()
    SecondFactor.objects.update(failed_at=timezone.now() - second_factor.WINDOW - timedelta(seconds=1))
    assert client.post("/accounts/login/code/", {"otp": codes[0]}).status_code == 302


def test_neither_the_secret_nor_a_recovery_code_or_token_stands_in_the_database(office, clock):
    client = signed_in("R5.120104")
    key, codes = turned_on(client, clock)
    page = client.post(
        "/accounts/tokens/", {"name": "QGIS", "allows": "read", "days": "30", "password": town.PASSWORD}
    ).content.decode()
    text = re.search(r"geoinv_[\w-]{40,}", page)[0]
    told = ""
    for model in (SecondFactor, RecoveryCode, Token, AuditEntry, Session):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT one::text FROM {model._meta.db_table} one")
            told += "".join(row[0] for row in cursor.fetchall())
    for secret in (key, pyotp.TOTP(key).byte_secret().hex(), codes[0], codes[0].replace("-", ""), text):
        assert secret not in told
    assert text not in client.get("/accounts/tokens/").content.decode()


def test_an_approval_asks_for_the_factor_that_was_not_shown_of_late(office, clock):
    client = signed_in("R5.120104")

    def request(**headers):
        made = RequestFactory(headers=headers).get("/")
        made.user, made.session = User.objects.get(pk=office.pk), client.session
        return made

    second_factor.confirm(request())  # without a factor nothing is asked
    assert not second_factor.asks(request())
    key, codes = turned_on(client, clock)
    second_factor.confirm(request())  # it was shown just now
    assert not second_factor.asks(request())
    clock.now += second_factor.FRESH.seconds
    assert second_factor.asks(request())
    with pytest.raises(Refused) as told:
        second_factor.confirm(request())
    assert told.value.code == "second-factor"
    with pytest.raises(Refused):
        second_factor.confirm(request(), "123")
    later = request()
    second_factor.confirm(later, pyotp.TOTP(key).at(int(clock.now)))
    second_factor.confirm(later)
    # A session that was somebody else's, and a program: neither has shown anything.
    stranger = request()
    stranger.session[second_factor.SHOWN_BY] = office.pk + 1
    stranger.session[second_factor.SHOWN_AT] = int(clock.now)
    program = request(Authorization="Bearer x")
    second_factor.was_shown(program, office)
    for one in (stranger, program):
        with pytest.raises(Refused):
            second_factor.confirm(one)
    second_factor.confirm(request(Authorization="Bearer x", **{second_factor.HEADER: codes[5]}))


def test_who_finds_a_page_open_is_not_shown_the_key_of_a_factor_and_turns_none_on(office, clock):
    client = signed_in("R5.120104")
    answer = client.post("/accounts/second-factor/", {"step": "confirm", "otp": "000000"})
    assert answer.status_code == 422
    assert 'enrol-key"' not in answer.content.decode()
    factor = second_factor.begun(office)
    code = second_factor._totp(factor).at(int(clock.now))
    assert client.post("/accounts/second-factor/", {"step": "confirm", "otp": code}).status_code == 422
    assert second_factor.factor_of(office) is None
    client.post("/accounts/second-factor/", {"step": "begin", "password": town.PASSWORD})
    clock.now += second_factor.BEGUN_SECONDS
    late = second_factor._totp(second_factor.begun(office)).at(int(clock.now))
    assert client.post("/accounts/second-factor/", {"step": "confirm", "otp": late}).status_code == 422
    assert second_factor.factor_of(office) is None


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/accounts/tokens/", {"name": "x", "allows": "write", "days": "1", "password": "a guess"}),
        ("/accounts/second-factor/", {"step": "begin", "password": "a guess"}),
        ("/accounts/password/", {"old_password": "a guess", "new_password1": NEW, "new_password2": NEW}),
    ],
)
def test_guesses_of_the_password_inside_a_session_are_counted_like_those_at_the_sign_in(office, address, form):
    client = signed_in("R5.120104")
    for _guess in range(signin.FAILURES_A_NAME_AND_ADDRESS):
        assert client.post(address, form).status_code == 422
    assert AuditEntry.objects.filter(kind="sign_in_failed").count() == signin.FAILURES_A_NAME_AND_ADDRESS
    right = {name: town.PASSWORD if value == "a guess" else value for name, value in form.items()}
    assert client.post(address, right).status_code == 422  # it waits, even when it is right
    assert enter("R5.120104")[1].status_code == 200


def test_the_second_step_of_a_sign_in_has_a_session_of_its_own_and_a_key_that_nobody_saw_before(office, clock):
    seen = second_factor.shown(second_factor.begun(office))["secret"].replace(" ", "")
    with override_settings(REQUIRE_TOTP=True):
        client, before = Client(), None
        client.get("/accounts/login/")
        session = client.session  # of an anonymous visitor, whose key somebody else may have set
        session["x"] = 1
        session.save()
        client.cookies["sessionid"] = before = session.session_key
        enter("R5.120104", client=client)
        assert client.cookies["sessionid"].value != before
        assert not Session.objects.filter(session_key=before).exists()
        assert secret_of(client.get("/accounts/login/second-factor/").content.decode()) != seen


def test_what_is_written_into_a_session_does_not_move_its_end(office, monkeypatch):
    client = signed_in("R5.120104")
    kept = client.session
    kept[sessions.SINCE] = kept[sessions.SEEN] = int(time.time()) - settings.SESSION_COOKIE_AGE + 600
    kept.save()
    # A program's answer, which is no use of the session by a person; it writes into the session all the same.
    answer = client.post("/accounts/second-factor/", {"step": "begin", "password": town.PASSWORD})
    assert answer.status_code == 200
    ends = Session.objects.get(session_key=client.session.session_key).expire_date
    assert ends - timezone.now() < timedelta(seconds=601)


@pytest.mark.parametrize("face", ["page", "program"])
def test_the_approval_of_criteria_asks_for_the_factor_on_every_face(office, clock, face):
    name = "town-draft"
    shelf.draft(name, district=town.NANKAI, by=office, reason="x", parent="nankai-2024")
    district = town.scoped_user(Role.DISTRICT, town.NANKAI)
    client = signed_in("R6.120104")
    key, _codes = turned_on(client, clock)
    clock.now += second_factor.FRESH.seconds

    def approve(code: str):
        if face == "page":
            assert 'name="otp"' in client.get(f"/criteria/{name}/").content.decode()
            form = {"act": "approve", "version": "1", "title": "批复", "reason": "x", "otp": code}
            return client.post(f"/criteria/{name}/act/", form)
        body = {"version": 1, "reason": "x", "document": {"title": "批复"}}
        headers = {second_factor.HEADER: code} if code else {}
        return client.post(f"/api/v1/criteria/{name}/approve", body, content_type="application/json", headers=headers)

    for wrong in ("", "000000"):
        approve(wrong)
        assert CriteriaText.objects.get(name=name).status == "draft"
    approve(pyotp.TOTP(key).at(int(clock.now)))
    assert CriteriaText.objects.get(name=name).status == "approved"
    assert Move.objects.get(register="criteria", to_state="approved").by == district


def test_where_the_site_demands_it_an_approver_gets_in_with_a_second_factor_only(office, clock):
    with override_settings(REQUIRE_TOTP=True):
        client, answer = enter("R5.120104", next="/accounts/")
        assert answer["Location"] == "/accounts/login/second-factor/"
        assert client.get("/accounts/", headers={"Accept": "application/json"}).status_code == 401
        key = secret_of(client.get("/accounts/login/second-factor/").content.decode())
        assert client.post("/accounts/login/second-factor/", {"otp": "000000"}).status_code == 422
        code = pyotp.TOTP(key).at(int(clock.now))
        assert client.post("/accounts/login/second-factor/", {"otp": code}).status_code == 200
        assert client.get("/accounts/").status_code == 200
        off = client.post("/accounts/second-factor/", {"step": "off", "otp": pyotp.TOTP(key).at(int(clock.now) + 30)})
        assert off.status_code == 422
        street = town.scoped_user(Role.LEAD, town.NANKAI)
        assert not second_factor.is_demanded(street)
        assert enter("R3.120104")[1].status_code == 302
        assert enter("R3.120104")[1]["Location"] == "/"


def test_the_desk_has_no_sign_in_of_its_own_that_would_go_around_the_factor(office):
    assert Client().post("/admin/login/", {"username": "x", "password": "y"}).status_code == 405
    assert Client().get("/admin/")["Location"].startswith("/admin/login/")
    assert Client().get("/admin/login/?next=/admin/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert Client().get("/admin/login/?next=https://elsewhere.example/")["Location"].endswith("next=%2Fadmin%2F")
    assert signed_in("R5.120104").get("/admin/login/?next=/admin/").status_code == 403


# --- tokens ------------------------------------------------------------------------------------------------------


def test_a_token_reads_or_writes_as_its_person_until_it_is_revoked_or_expires(office):
    town.scoped_user(Role.ANALYST, town.NANKAI)
    reading, read = tokens.make(office, "QGIS", "read", 30)
    _writing, write = tokens.make(office, "import", "write", 1)
    assert bearer(read).status_code == 200
    assert bearer(read, path="/api/v1/determinations").status_code == 200
    assert bearer(read, "post", "/api/v1/determinations/moves").status_code == 403
    assert bearer(write, "post", "/api/v1/determinations/moves").status_code in (400, 404, 409)
    assert bearer(read, path="/accounts/").status_code == 302  # pages are for sessions
    assert Client(REMOTE_ADDR="10.1.2.3").get(API, headers={"Authorization": f"Bearer {read}"}).status_code == 403
    assert AuditEntry.objects.filter(kind="program").count() == 2  # once a day and token
    client = signed_in("R5.120104")
    assert signed_in("R1.120104").post(f"/accounts/tokens/{reading.pk}/revoke/").status_code == 404
    assert client.post(f"/accounts/tokens/{reading.pk}/revoke/").status_code == 302
    assert bearer(read).status_code == 401
    Token.objects.update(expires_at=timezone.now())
    assert bearer(write).status_code == 401
    _third, text = tokens.make(office, "third", "read", 1)
    User.objects.update(is_active=False)
    assert bearer(text).status_code == 401


def test_guesses_of_tokens_are_slowed_down_and_tell_nothing(office):
    answers = {bearer(f"geoinv_{'x' * 43}").json()["detail"], bearer("y").json()["detail"]}
    assert len(answers) == 1
    for number in range(signin.FAILURES_AN_ADDRESS):
        bearer(f"geoinv_{number}")
    assert bearer("geoinv_a").status_code == 429
    assert SignInFailure.objects.count() <= signin.FAILURES_AN_ADDRESS


def test_a_password_alone_opens_nothing_to_programs_where_the_account_has_a_second_factor(office, clock):
    token = tokens.make(office, "QGIS", "read", 30)[1]
    basic = {"Authorization": "Basic UjUuMTIwMTA0OmEgbG9uZyBlbm91Z2ggcGFzc3dvcmQ="}  # R5.120104:town.PASSWORD
    program = Client(REMOTE_ADDR="127.0.0.1", HTTP_HOST="127.0.0.1")
    assert program.get("/ogc/collections/units", headers=basic).status_code == 200
    turned_on(signed_in("R5.120104"), clock)
    refused = program.get("/ogc/collections/units", headers=basic)
    assert (refused.status_code, refused.json()["code"]) == (401, "token")
    assert bearer(token).status_code == 200


@pytest.mark.parametrize(
    "given",
    [{"password": "wrong"}, {"days": "0"}, {"days": "9999"}, {"days": "²"}, {"name": " "}, {"allows": "everything"}],
)
def test_a_token_is_made_by_who_knows_the_password_for_a_time_and_by_name(office, given):
    client = signed_in("R5.120104")
    usual = {"name": "QGIS", "allows": "read", "days": "30", "password": town.PASSWORD}
    answer = client.post("/accounts/tokens/", usual | given)
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not Token.objects.exists()


# --- the audit ---------------------------------------------------------------------------------------------------


def test_no_entry_of_the_audit_is_changed_or_deleted(office):
    note("sign_in", by=office)
    entry = AuditEntry.objects.get()
    for attempt in (
        lambda: AuditEntry.objects.update(name="somebody else"),
        entry.delete,
        lambda: connection.cursor().execute("TRUNCATE units_auditentry"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert AuditEntry.objects.get().name == "R5.120104"


def test_sign_ins_failures_and_downloads_are_kept_and_a_wrongly_typed_name_is_not(office):
    enter("R5.120104", "wrong")
    enter("my secret password", "wrong")
    client = signed_in("R5.120104")
    assert client.get("/audit/list.xlsx").status_code == 200
    assert client.get("/determinations/").status_code == 200  # a page is no download
    client.post("/accounts/logout/")
    kept = list(AuditEntry.objects.order_by("pk").values_list("kind", "name", "subject"))
    assert kept == [
        ("sign_in_failed", "R5.120104", ""),
        ("sign_in_failed", "", ""),
        ("sign_in", "R5.120104", ""),
        ("download", "R5.120104", "/audit/list.xlsx"),
        ("sign_out", "R5.120104", ""),
    ]
    assert AuditEntry.objects.get(kind="download").district_id == town.NANKAI


def test_the_office_reads_the_audit_of_its_district_and_an_administrator_all_of_it(places):
    for role, where in ((Role.OFFICE, town.NANKAI), (Role.OFFICE, town.HEPING), (Role.BUREAU, None)):
        note("sign_in", by=town.scoped_user(role, where))
    get_user_model().objects.create_superuser("chief", password=town.PASSWORD)

    def seen(name: str, query: str = ""):
        answer = signed_in(name).get(f"/audit/{query}")
        return {row["name"] for row in answer.context["rows"] if row["kind"] == "sign_in"}

    assert seen("R5.120104") == {"R5.120104"}
    assert seen("R5.120103") == {"R5.120103"}
    assert seen("chief") == {"R5.120104", "R5.120103", "R7", "chief"}
    assert seen("chief", "?person=R7") == {"R7"}
    assert seen("chief", "?kind=scope") == set()
    assert signed_in("R7").get("/audit/").status_code == 403
    assert signed_in("chief").get("/audit/?kind=nonsense").status_code == 400
    assert signed_in("chief").get("/audit/?since=31.12.2026").status_code == 400


def test_the_audit_tells_moves_imports_and_roles_that_other_tables_keep(db):
    town.build()
    client = signed_in(town.scoped_user(Role.OFFICE, town.NANKAI).username)
    rows, total = entries(frozenset({town.NANKAI}))
    assert {"scope", "import", "sign_in"} <= {row["kind"] for row in rows}
    assert {row["district"] for row in rows} <= {town.NANKAI, None}
    assert total == len(rows)
    today = timezone.localdate()
    assert entries(frozenset({"*"}), since=today + timedelta(days=1)) == ([], 0)
    assert entries(frozenset({"*"}), until=today, since=today)[1] >= total
    assert entries(frozenset({"*"}), until=date(2020, 1, 1)) == ([], 0)
    book = openpyxl.load_workbook(io.BytesIO(client.get("/audit/list.xlsx?kind=scope").content))
    lines = [[cell.value for cell in row] for row in book.active.iter_rows(min_row=2)]
    assert [line[4] for line in lines] == ["R5.120104"]
    assert "R5" in lines[0][5]
    with pytest.raises(NotAllowed):
        entries(frozenset())


def test_the_table_of_rights_shows_each_role_and_register(office):
    page = signed_in("R5.120104").get("/audit/rights/")
    tables = {row["name"]: row["cells"] for table in page.context["tables"] for row in table["rows"]}
    roles = [role["code"] for role in page.context["roles"]]
    assert roles == [role.value for role in Role]
    tax = next(cells for name, cells in tables.items() if "tax" in name or "税" in name)
    assert {role for role, yes in zip(roles, tax, strict=True) if yes} == {"R3", "R4", "R5", "R7"}
    assert {role for role, yes in zip(roles, tables["parcels.right_holder"], strict=True) if not yes} >= {"R4", "R9"}


def test_no_account_of_the_demo_and_no_role_is_an_administrator(office):
    assert {row["role"] for row in account_rows()} == {role.value for role in Role}
    client = signed_in("R5.120104")
    for given in ({"is_staff": "on", "is_superuser": "on"}, {"is_superuser": "1"}):
        client.post("/accounts/password/", given)
        client.post("/accounts/", given)
    assert not User.objects.filter(is_staff=True).exists()
    assert not User.objects.filter(is_superuser=True).exists()
    assert not Group.objects.filter(name="R11").exists()  # the night is nobody's
    assert not Scope.objects.filter(group__name="R11").exists()
