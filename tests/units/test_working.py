"""Leases tell who has what open and stop nobody; drafts are kept for one person, and two windows overwrite nothing."""

from datetime import timedelta

import pytest
from django.contrib.gis.geos import Point
from django.test import Client
from django.utils import timezone

from tests import records
from tests.records import NANKAI, person
from tests.town import square
from units import conflicting, drafting, keeping, leasing
from units.errors import NotAllowed, NotFound, Refused, Stale, UnknownName, UsageError
from units.models import KeptDraft, Lease, Parcel, RedevelopmentUnit
from units.rights import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit():
    records.build()
    return RedevelopmentUnit.objects.create(
        district_id=NANKAI,
        street_id=records.HERE,
        code="120104DY0001",
        name="单元",
        state="draft",
        geom=square(0),
        base_survey_year=2022,
        created_by=person(Role.OFFICE),
    )


# --- leases ------------------------------------------------------------------------------------------------------


def test_who_edits_is_told_to_the_others_until_the_lease_ends(unit):
    office, analyst = person(Role.OFFICE), person(Role.ANALYST)
    assert leasing.hold(office, "unit", unit.code, NANKAI) == []
    (one,) = leasing.hold(analyst, "unit", unit.code)  # the district follows from the code
    assert one["name"] == "R5.120104"
    (listed,) = leasing.listed(analyst, "unit")
    assert (listed["code"], listed["district"]) == (unit.code, NANKAI)
    assert unit.geom.contains(Point(*listed["at"], srid=4490))

    # A further sign keeps it, silence ends it, and who leaves has left.
    Lease.objects.filter(user=office).update(until=timezone.now() - timedelta(seconds=1))
    assert leasing.listed(analyst, "unit") == []
    leasing.hold(office, "unit", unit.code, NANKAI)
    assert Lease.objects.count() == 2
    leasing.leave(office, "unit", unit.code)
    assert leasing.listed(analyst, "unit") == []


def test_a_lease_stops_nobody(unit):
    leasing.hold(person(Role.OFFICE), "unit", unit.code, NANKAI)
    named = drafting.edit(person(Role.ANALYST), unit.code, 1, "另名", drafting.Drawing())
    assert named.version == 2


def test_nobody_hears_of_what_he_may_not_see(unit):
    office, elsewhere = person(Role.OFFICE), person(Role.OFFICE, district="120103")
    leasing.hold(office, "unit", unit.code, NANKAI)
    assert leasing.listed(elsewhere, "unit") == []
    with pytest.raises(NotFound):
        leasing.hold(elsewhere, "unit", unit.code)
    RedevelopmentUnit.objects.update(state="approved", version=2)
    with pytest.raises(NotAllowed):  # who sees the public columns of an approved unit is no colleague
        leasing.hold(person(Role.PUBLIC, district=None), "unit", unit.code)
    assert leasing.listed(person(Role.PUBLIC, district=None), "unit") == []
    with pytest.raises(UnknownName):
        leasing.hold(office, "parcel", "x")


def test_a_form_and_a_record_are_held_by_those_who_see_them(unit):
    record = records.record_of(Parcel.objects.get(), "filling")
    sheet = record.forms.get()
    leasing.hold(person(Role.LEAD), "form", str(sheet.pk))
    assert [one["name"] for one in leasing.hold(person(Role.OFFICE), "form", str(sheet.pk))] == ["R3.120104"]
    assert leasing.hold(person(Role.OFFICE), "record", record.code) == []
    with pytest.raises(NotFound):
        leasing.hold(person(Role.OFFICE, district="120103"), "record", record.code)
    with pytest.raises(NotFound):
        leasing.hold(person(Role.OFFICE), "form", "x")


# --- drafts ------------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_for_one_person_and_two_windows_do_not_overwrite_each_other(unit):
    office = person(Role.OFFICE)
    first = keeping.keep(office, "unit", "k", {"name": "一"}, 0)
    second = keeping.keep(office, "unit", "k", {"name": "二"}, first.version)
    assert second.version == 2
    with pytest.raises(Stale) as stale:
        keeping.keep(office, "unit", "k", {"name": "旧窗口"}, first.version)
    assert stale.value.details["theirs"]["version"] == 2
    assert [one.content["name"] for one in keeping.kept(office, "unit")] == ["二"]
    assert keeping.kept(person(Role.ANALYST), "unit") == keeping.kept(office, "form") == []
    with pytest.raises(Stale):
        keeping.forget(office, "unit", "k", 1)
    keeping.forget(office, "unit", "k", 2)
    with pytest.raises(NotFound):
        keeping.forget(office, "unit", "k", 2)


def test_old_drafts_are_offered_no_more_and_too_many_or_too_large_ones_are_refused_with_a_sentence(unit, monkeypatch):
    office = person(Role.OFFICE)
    keeping.keep(office, "unit", "old", {}, 0)
    KeptDraft.objects.update(kept_at=timezone.now() - keeping.LASTS - timedelta(hours=1))
    assert keeping.kept(office, "unit") == []
    keeping.keep(office, "unit", "new", {}, 0)
    assert [one.key for one in KeptDraft.objects.all()] == ["new"]
    monkeypatch.setattr(keeping, "MOST", 1)
    with pytest.raises(Refused) as refused:
        keeping.keep(office, "unit", "one more", {}, 0)
    assert refused.value.code == "too-many"
    monkeypatch.setattr(keeping, "LARGEST", 100)
    with pytest.raises(UsageError):
        keeping.keep(office, "unit", "new", {"name": "长" * 100}, 1)
    for key in ("", "x" * 61, "a\nb"):
        with pytest.raises(UsageError):
            keeping.keep(office, "unit", key, {}, 0)


def test_nobody_who_is_not_signed_in_holds_or_keeps_anything(db):
    client = Client(headers={"Accept": "application/json"})
    for path in ("/working/leases.json?register=unit", "/working/drafts.json?kind=unit"):
        assert client.get(path).status_code == 401
    answer = client.put("/working/drafts/k.json", {"kind": "unit"}, content_type="application/json")
    assert answer.status_code == 401


# --- what it was, and what it is ---------------------------------------------------------------------------------


def test_what_a_unit_was_is_told_beside_what_it_is_out_of_its_history(unit):
    office, analyst = person(Role.OFFICE), person(Role.ANALYST)
    drafting.edit(analyst, unit.code, 1, "另名", drafting.Drawing())
    found = conflicting.since(office.grants(), unit.code, 1, 1)
    assert (found["base"]["fields"]["name"], found["theirs"]["fields"]["name"]) == ("单元", "另名")
    assert (found["base"]["version"], found["theirs"]["version"], found["theirs"]["by"]) == (1, 2, "R1.120104")
    assert found["base"]["geometry"] == found["theirs"]["geometry"]
    assert abs(found["base"]["area_m2"] - found["theirs"]["area_m2"]) < 0.01
    with pytest.raises(NotFound):
        conflicting.since(office.grants(), unit.code, 1, 9)
    with pytest.raises(NotFound):
        conflicting.since(person(Role.OFFICE, district="120103").grants(), unit.code, 1, 1)
    client = Client(headers={"Accept": "application/json"})
    client.force_login(office)
    assert client.get(f"/units/{unit.code}/since.json?version=1.1").json()["theirs"]["version"] == 2
    assert client.get(f"/units/{unit.code}/since.json?version=1").status_code == 400
