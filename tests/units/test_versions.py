"""Every version of a row is told with its author and reason, two are compared, and an earlier one is brought back."""

import pghistory
import pytest
import quarter
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from django.utils import translation
from quarter import DISTRICT, OTHER_STREET, STREET, code, rectangle

from units import amending, drafting, recording
from units.activating import activate
from units.drafting import Drawing, save
from units.errors import NotAllowed, NotFound, Refused, Stale
from units.models import Delivery, LandUsePatch, Lineage, Parcel, RedevelopmentUnit, Survey
from units.restoring import restore
from units.rights import Grant, Role
from units.versions import difference, of, versions

pytestmark = pytest.mark.rows("NK054", "NK027")

OFFICE = (Grant(Role.OFFICE, DISTRICT),)


@pytest.fixture(autouse=True)
def in_english(monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second
    with translation.override("en"):
        yield


@pytest.fixture
def land(db):
    quarter.build()


@pytest.fixture
def office(land):
    return town.scoped_user(Role.OFFICE, DISTRICT)


def client(user=None) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    made.cookies["django_language"] = "en"
    return made


def drawn(*numbers) -> Drawing:
    return Drawing(parcels=[code(number) for number in numbers])


def told(unit, grants=OFFICE):
    return versions("units", unit.code, grants)


# --- what is told ------------------------------------------------------------------------------------------------


def test_each_version_of_a_parcel_is_told_with_who_wrote_it_when_why_and_what_was_another(office):
    with pghistory.context(user=office.pk, reason="the address was misread"):
        Parcel.objects.filter(code=code(0)).update(address="1 New Road", right_holder="Holder Ltd")
    with pghistory.context(user=None):
        Parcel.objects.filter(code=code(0)).update(geom=quarter.stored(rectangle(0, 0, 120, 100)))
    last, edit, first = versions("parcels", code(0), OFFICE)
    assert (first.label, edit.label, last.label) == ("insert", "update", "update")
    assert (edit.by, edit.why, set(edit.changed)) == (
        office.username,
        "the address was misread",
        {"address", "right_holder"},
    )
    assert (last.by, last.changed, last.survey) == ("geoinv_app", ("geom",), 2022)
    assert last.area_m2 == pytest.approx(12_000, rel=1e-3)


def test_two_versions_are_compared_by_entries_and_by_land(office):
    Parcel.objects.filter(code=code(0)).update(address="1 New Road")
    Parcel.objects.filter(code=code(0)).update(geom=quarter.stored(rectangle(10, 0, 130, 100)))
    last, _middle, first = versions("parcels", code(0), OFFICE)
    found = difference(first, last)
    assert found["words"] == [{"name": "address", "before": "0 Road", "after": "1 New Road"}]
    assert found["shape"]["gained_m2"] == pytest.approx(3_000, rel=1e-3)
    assert found["shape"]["lost_m2"] == pytest.approx(1_000, rel=1e-3)
    assert difference(first, of(_middle.number, versions("parcels", code(0), OFFICE)))["shape"] is None


def test_a_parcel_that_was_deleted_is_still_told_of(land):
    Parcel.objects.filter(code=code(2)).delete()
    last, first = versions("parcels", code(2), OFFICE)
    assert (last.label, first.label) == ("delete", "insert")
    page = client(town.scoped_user(Role.OFFICE, DISTRICT)).get(f"/parcels/{code(2)}/history/")
    assert page.status_code == 200
    assert "Deleted" in page.content.decode()


def test_a_street_office_is_told_of_the_versions_that_lay_in_its_street(land):
    here = (Grant(Role.STREET, DISTRICT, OTHER_STREET),)
    with pytest.raises(NotFound):
        versions("parcels", code(0), here)
    Parcel.objects.filter(code=code(0)).update(street_id=OTHER_STREET)
    assert [one.label for one in versions("parcels", code(0), here)] == ["update"]


def test_who_may_not_see_the_holder_is_not_told_that_it_changed(land):
    Parcel.objects.filter(code=code(0)).update(right_holder="Holder Ltd")
    last, _first = versions("parcels", code(0), (Grant(Role.CO, DISTRICT),))
    assert "right_holder" not in last.words
    assert last.changed == ()


def test_nobody_signed_in_is_told_of_approved_editions_only_and_of_no_person(office):
    unit = save(office, DISTRICT, "One", drawn(0, 1))
    address = f"/units/{unit.code}/history/"
    assert client().get(address).status_code == 404
    RedevelopmentUnit.objects.filter(pk=unit.pk).update(name="Two", state="approved")
    (only,) = versions("units", unit.code, ())
    assert (only.state, only.by, only.why) == ("approved", "", "")
    assert "requirements" not in only.words
    page = client().get(address).content.decode()
    assert office.username not in page
    assert page.count("<tr>") == 2  # the heading and the one version


@pytest.mark.parametrize("query", ["one=x&other=y", "one=1&other=99999999"])
def test_versions_that_are_not_there_are_refused(office, query):
    unit = save(office, DISTRICT, "One", drawn(0))
    assert client(office).get(f"/units/{unit.code}/history/?{query}").status_code in (400, 404)


# --- bringing back -----------------------------------------------------------------------------------------------


def test_an_earlier_version_of_a_draft_is_brought_back_with_its_shape_its_name_and_its_record(office):
    unit = save(office, DISTRICT, "One", drawn(0, 1))
    unit = recording.record(office, unit.code, unit.version, {"requirements": {"functions": "housing"}})
    was = RedevelopmentUnit.objects.get(pk=unit.pk)
    wanted = told(unit)[0].number
    drafting.edit(office, unit.code, was.version, "Two", drawn(3, 4, 5))
    now = RedevelopmentUnit.objects.get(pk=unit.pk)
    now = recording.record(office, unit.code, now.version, {"requirements": {"functions": "shops"}})
    count = len(told(unit))
    back = restore(office, unit.code, wanted, now.version)
    back.refresh_from_db()
    assert bytes(back.geom.wkb) == bytes(was.geom.wkb)
    assert (back.name, back.state, back.edition) == ("One", "draft", 1)
    assert back.requirements == was.requirements
    assert {one.parcel.code for one in back.members.select_related("parcel")} == {code(0), code(1)}
    assert len(told(unit)) > count  # what it replaced is kept
    assert "was brought back" in told(unit)[0].what
    assert told(unit)[0].by == office.username


def test_of_an_approved_unit_a_new_draft_edition_is_made_and_the_approved_one_stays(office):
    unit = save(office, DISTRICT, "One", drawn(0, 1))
    wanted = told(unit)[0].number
    drafting.edit(office, unit.code, unit.version, "Two", drawn(0, 1, 2))
    RedevelopmentUnit.objects.filter(pk=unit.pk).update(state="approved")
    now = RedevelopmentUnit.objects.get(pk=unit.pk)
    back = restore(office, unit.code, wanted, now.version)
    assert (back.edition, back.state, back.name) == (2, "draft", "One")
    approved = RedevelopmentUnit.objects.get(code=unit.code, edition=1)
    assert (approved.state, approved.name) == ("approved", "Two")


def test_a_deleted_draft_is_brought_back_as_it_was_at_an_earlier_version(office):
    unit = save(office, DISTRICT, "One", drawn(0))
    wanted = told(unit)[0].number
    drafting.edit(office, unit.code, 1, "Two", drawn(0, 1))
    drafting.delete(office, unit.code, 2, "drawn by mistake")
    back = restore(office, unit.code, wanted, 3)
    assert (back.state, back.name) == ("draft", "One")


def test_nothing_is_brought_back_over_what_somebody_wrote_meanwhile_or_by_who_may_not_draw(office):
    unit = save(office, DISTRICT, "One", drawn(0))
    wanted = told(unit)[0].number
    drafting.edit(office, unit.code, 1, "Two", drawn(0, 1))
    with pytest.raises(Stale):
        restore(office, unit.code, wanted, 1)
    with pytest.raises(NotAllowed):
        restore(town.scoped_user(Role.LEAD, DISTRICT), unit.code, wanted, 2)
    with pytest.raises(NotFound):
        restore(office, unit.code, 10**8, 2)
    RedevelopmentUnit.objects.filter(pk=unit.pk).update(state="checked")
    with pytest.raises(Refused, match="on its way"):
        restore(office, unit.code, wanted, 2)
    assert RedevelopmentUnit.objects.get(pk=unit.pk).name == "Two"


def test_it_is_brought_back_from_the_page_of_its_history(office):
    unit = save(office, DISTRICT, "One", drawn(0))
    wanted = told(unit)[0].number
    drafting.edit(office, unit.code, 1, "Two", drawn(0, 1))
    browser = client(office)
    page = browser.get(f"/units/{unit.code}/history/").content.decode()
    assert "Bring back as a draft" in page
    given = {"number": wanted, "version": 2, "district": DISTRICT}
    answer = browser.post(f"/units/{unit.code}/restore/", given, follow=True)
    assert answer.status_code == 200
    assert RedevelopmentUnit.objects.get(pk=unit.pk).name == "One"
    assert browser.post(f"/units/{unit.code}/restore/", given).status_code == 409  # that version stands no longer
    reader = client(town.scoped_user(Role.LEAD, DISTRICT)).get(f"/units/{unit.code}/history/").content.decode()
    assert "Bring back as a draft" not in reader


def test_an_amendment_of_an_approved_unit_shows_both_editions(office):
    unit = save(office, DISTRICT, "One", drawn(0, 1))
    RedevelopmentUnit.objects.filter(pk=unit.pk).update(state="approved")
    amending.amend(office, unit.code, 1)
    assert [one.edition for one in told(unit)] == [2, 1, 1]


# --- what became of a code ---------------------------------------------------------------------------------------


@pytest.fixture
def next_round(office):
    """The next round: parcels 0 and 1 are one, 3 is two, 4 has another number, 6 gave a corner away; 2 and 5 stay."""
    survey = Survey.objects.create(district_id=DISTRICT, year=2024)
    drawn_anew = {
        90: (0, 0, 200, 100),
        2: (200, 0, 300, 100),
        91: (0, 100, 40, 200),
        92: (40, 100, 100, 200),
        93: (100, 100, 200, 200),
        5: (200, 100, 300, 200),
        6: (0, 200, 70, 300),
        94: (70, 200, 100, 300),
        7: (100, 200, 200, 300),
        8: (200, 200, 300, 300),
    }
    for number, box in drawn_anew.items():
        Parcel.objects.create(
            survey=survey,
            district_id=DISTRICT,
            street_id=OTHER_STREET if number == 8 else STREET,
            code=code(number),
            geom=quarter.stored(rectangle(*box)),
        )
    patch = LandUsePatch.objects.first()
    delivery = Delivery.objects.get(pk=patch.delivery_id)
    delivery.pk, delivery.survey = None, survey
    delivery.save()
    patch.pk, patch.survey, patch.delivery = None, survey, delivery
    patch.save()
    activate(DISTRICT, 2024, by=office)
    return survey


@pytest.mark.rows("NK011", "NK024")
def test_what_was_split_merged_and_renumbered_between_two_rounds_is_kept_with_shares(next_round, office):
    told = {
        (one.from_code[-2:], one.to_code[-2:]): (one.kind, float(one.share), one.by)
        for one in Lineage.objects.filter(register="parcel", survey=next_round)
    }
    assert told == {
        ("00", "90"): ("merge", pytest.approx(1, abs=1e-4), office),
        ("01", "90"): ("merge", pytest.approx(1, abs=1e-4), office),
        ("03", "91"): ("split", pytest.approx(0.4, abs=1e-4), office),
        ("03", "92"): ("split", pytest.approx(0.6, abs=1e-4), office),
        ("04", "93"): ("renumbered", pytest.approx(1, abs=1e-4), office),
        ("06", "06"): ("split", pytest.approx(0.7, abs=1e-4), office),
        ("06", "94"): ("split", pytest.approx(0.3, abs=1e-4), office),
    }


def test_the_old_code_of_a_parcel_leads_to_the_new_one_or_tells_which_have_its_ground(next_round, office):
    browser = client(office)
    renumbered = browser.get(f"/parcels/{code(4)}/")
    assert (renumbered.status_code, renumbered["Location"]) == (302, f"/parcels/{code(93)}/")
    assert browser.get(f"/parcels/{code(0)}/")["Location"] == f"/parcels/{code(90)}/"
    several = browser.get(f"/parcels/{code(3)}/")
    assert several.status_code == 200
    assert all(code(number) in several.content.decode() for number in (91, 92))
    note = browser.get(f"/parcels/{code(3)}/?fragment=1")
    assert note.status_code == 404
    assert browser.get(f"/parcels/{code(77)}/").status_code == 404
    history = browser.get(f"/parcels/{code(90)}/history/").content.decode()
    assert all(code(number) in history for number in (0, 1))


def test_who_may_not_see_the_new_parcel_is_not_led_to_it(next_round):
    other = client(town.scoped_user(Role.STREET, DISTRICT, OTHER_STREET))
    assert other.get(f"/parcels/{code(4)}/").status_code == 404
    assert client().get(f"/parcels/{code(4)}/")["Location"].startswith("/accounts/login/")
