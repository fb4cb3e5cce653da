"""The demo district goes in by the real importers, is judged as its answers say, and a second call changes nothing."""

import json
from io import StringIO

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import call_command

from fixtures.demo import make_demo
from geoinv import demo
from units.errors import Refused
from units.models import (
    Delivery,
    District,
    Finding,
    Flag,
    FlagRun,
    LandUsePatch,
    Parcel,
    Refusal,
    Scope,
    Street,
    Survey,
    User,
)

OF_ROWS = ("3-area-differs", "3-code-unknown", "3-name-differs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small district as it is delivered; nothing here writes to it."""
    made = tmp_path_factory.mktemp("demo") / "drawn"
    make_demo(400, made, seed=5)
    return made


@pytest.fixture
def alone(tmp_path, settings, monkeypatch):
    settings.DELIVERIES_DIR = tmp_path / "kept"
    settings.LOCAL_DIR = tmp_path / "local"
    monkeypatch.setenv("GEOINV_DEMO_PASSWORD", "for-the-test-alone")


@pytest.fixture
def drawn(folder, own_database, alone):
    """The district's folder, and a database of the test's own without any."""
    return folder


@pytest.fixture(scope="module")
def loaded_once(folder, django_db_setup, django_db_blocker, databases, tmp_path_factory):
    """A database with the district loaded, and what was told of it."""
    name, local = databases.clone(), tmp_path_factory.mktemp("local")
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.DELIVERIES_DIR", local / "kept")
        patch.setattr("django.conf.settings.LOCAL_DIR", local)
        patch.setenv("GEOINV_DEMO_PASSWORD", "for-the-test-alone")
        databases.use(name)
        told = demo.load_demo(folder)
        databases.use(databases.process_database)
    yield name, told
    databases.drop(name)


@pytest.fixture
def loaded(loaded_once, django_db_blocker, databases, alone):
    """What was told of the loaded district, and a copy of its database for this test."""
    source, told = loaded_once
    name = databases.clone(source)
    with django_db_blocker.unblock():
        databases.use(name)
        yield told
        databases.use(databases.process_database)
    databases.drop(name)


@pytest.mark.rows("NK011", "NK012", "NK016")
def test_every_parcel_is_judged_as_the_answers_say_and_no_other_is_suspect(folder, loaded):
    result = loaded
    assert result["loaded"]
    assert {delivery["refused"] for delivery in result["deliveries"]} == {0}
    profiles = [delivery["profile"] for delivery in result["deliveries"]]
    assert profiles[:4] == ["district", "dltb", "zd", "building"]
    assert {"control", "legacy", "enterprise", "enterprise_year", "occupancy", "contract"} <= set(profiles)
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    expected = {line["code"]: line["outcome"] for line in answers["planted"]}
    found = judged()
    assert Flag.objects.filter(parcel__isnull=False).count() == Parcel.objects.count() == 400
    assert found == {code: expected.get(code, "not_low") for code in found}
    assert set(expected) <= set(found)
    assert set(expected.values()) == {"candidate", "excluded", "exempted", "undecided", "not_low"}
    assert result["findings"] == {}


@pytest.mark.rows("NK016")
def test_the_committed_district_is_judged_as_its_answers_say_whatever_faults_are_planted_in_it(drawn):
    result = demo.load_demo(demo.DRAWN)
    answers = json.loads((demo.DRAWN / "answers.json").read_text(encoding="utf-8"))
    assert answers["faults"]
    assert sum(delivery["refused"] for delivery in result["deliveries"]) == Refusal.objects.count() > 50
    expected = {line["code"]: line["outcome"] for line in answers["planted"]}
    found = judged()
    assert found == {code: expected.get(code, "not_low") for code in found}
    assert set(expected) <= set(found)
    assert Flag.objects.filter(parcel__isnull=False).count() == answers["parcels"] == 1500
    seen = Finding.objects.filter(run__isnull=False).exclude(code__in=OF_ROWS)
    planted = [(line["code"], line["layer"], *line["subjects"]) for line in answers["checks"]]
    assert sorted((one.code, one.layer, *sorted(one.subjects)) for one in seen) == sorted(planted)
    # What a row says of itself is looked at again: of the faults planted in rows, those that were taken as they are.
    rows = {(line["code"], line["identifier"]) for line in answers["faults"] if line["effect"] == "warned"}
    of_rows = Finding.objects.filter(run__isnull=False, code__in=OF_ROWS)
    assert {(one.code, *one.subjects) for one in of_rows} <= rows
    assert {one.code for one in of_rows} == set(OF_ROWS)
    assert sum(result["findings"].values()) == seen.count() + of_rows.count()
    assert [unit["state"] for unit in result["units"]].count("draft") == 2
    assert [unit["state"] for unit in result["units"]].count("approved") == 1
    assert [unit["state"] for unit in result["units"]].count("checked") == 1
    assert all(unit["parcels"] > 1 for unit in result["units"])


def judged() -> dict[str, str]:
    """Code → outcome of each subject."""
    flags = Flag.objects.values_list("parcel__code", "building__code", "outcome")
    return {parcel or building: outcome for parcel, building, outcome in flags}


@pytest.mark.usefixtures("loaded")
def test_what_was_drawn_is_stored_with_its_chinese_and_its_areas(folder):
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    assert LandUsePatch.objects.count() == answers["patches"]
    assert Refusal.objects.count() == 0
    assert LandUsePatch.objects.filter(dlbm="0701").first().dlmc == "城镇住宅用地"
    assert Survey.objects.get().state == Survey.State.IN_FORCE
    assert District.objects.get().geom is not None  # all streets were delivered, however small the town
    assert answers["streets"] == Street.objects.count() == 12
    assert Street.objects.filter(geom__isnull=False).count() == answers["streets"]
    assert not Parcel.objects.filter(street__isnull=True).exists()
    for patch in LandUsePatch.objects.all()[:50]:
        assert float(patch.tbmj) == pytest.approx(patch.area_m2, abs=0.006)


@pytest.mark.usefixtures("loaded")
def test_a_second_call_tells_so_and_changes_nothing(folder):
    before = (Delivery.objects.count(), Parcel.objects.count(), FlagRun.objects.count(), Scope.objects.count())
    users = set(User.objects.values_list("username", "password"))
    again = demo.load_demo(folder)
    assert not again["loaded"]
    assert again["findings"] == {}
    assert again["deliveries"] == []
    assert again["outcomes"]["candidate"] > 0
    assert (
        Delivery.objects.count(),
        Parcel.objects.count(),
        FlagRun.objects.count(),
        Scope.objects.count(),
    ) == before
    assert set(User.objects.values_list("username", "password")) == users


def test_every_role_has_an_account_that_can_sign_in_and_takes_a_new_password(folder, loaded, monkeypatch):
    assert [account["role"] for account in loaded["accounts"]] == [f"R{number}" for number in range(1, 11)]
    for account in loaded["accounts"]:
        user = User.objects.get(username=account["name"])
        assert [grant.role for grant in user.grants()] == [account["role"]]
        assert not user.is_superuser
    assert the_one_digest_opens_with("for-the-test-alone")
    monkeypatch.setenv("GEOINV_DEMO_PASSWORD", "another-one-for-the-test")
    assert demo.load_demo(folder)["password"] == "another-one-for-the-test"
    assert the_one_digest_opens_with("another-one-for-the-test")


def the_one_digest_opens_with(password: str) -> bool:
    """Whether all accounts share one digest, and it is that password's: to check ten would take seconds.

    Those who stand in the history only cannot sign in.
    """
    (digest,) = set(User.objects.exclude(password__startswith="!").values_list("password", flat=True))
    return check_password(password, digest)


def test_an_account_taken_away_stays_away_and_a_person_of_that_name_keeps_the_password(drawn):
    person = User.objects.create_user("analyst", password="a-persons-own-password")
    with pytest.raises(Refused, match="analyst"):
        demo.load_demo(drawn)
    person.refresh_from_db()
    assert person.check_password("a-persons-own-password")
    person.delete()
    demo.load_demo(drawn)
    User.objects.get(username="developer").delete()
    assert "developer" not in [account["name"] for account in demo.load_demo(drawn)["accounts"]]


def test_without_a_given_password_one_is_made_and_kept_for_its_owner_alone(tmp_path, settings, monkeypatch):
    settings.LOCAL_DIR = tmp_path
    monkeypatch.delenv("GEOINV_DEMO_PASSWORD", raising=False)
    first = demo.demo_password()
    assert len(first) >= 12
    assert demo.demo_password() == first
    assert (tmp_path / "demo-password").stat().st_mode & 0o077 == 0


def test_a_database_with_a_survey_of_its_own_gets_no_demo_and_no_demo_accounts(drawn):
    district = District.objects.create(code="320111", name="浦口区", srid=4528)
    Survey.objects.create(district=district, year=2022)
    said = StringIO()
    call_command("load_demo", if_empty=True, stdout=said)
    assert said.getvalue().strip()
    assert not User.objects.exists()
    assert not Parcel.objects.exists()
