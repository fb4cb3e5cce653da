"""What the map page is told, and by whom it may be asked."""

import json
import re

import pytest
import town
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from units.collections import COLLECTIONS
from units.models import Parcel, Survey, User
from units.rights import Role
from units.views import candidates as listing
from units.views import overview as counting
from units.views import search as finding
from units.views.asking import visible


def told(page: str) -> dict:
    return json.loads(re.search(r'<script id="told" type="application/json">(.*?)</script>', page, re.DOTALL)[1])


@pytest.mark.rows("NK068")
def test_nobody_signed_in_sees_a_map_of_units_and_a_way_to_sign_in(reader):
    page = reader().get("/").content.decode()
    assert [layer["id"] for layer in told(page)["layers"]] == ["units"]
    assert told(page)["inside"] is False
    assert 'id="list"' not in page
    assert 'href="/accounts/login/"' in page


def test_a_planner_sees_every_layer_of_the_main_job_and_his_district(reader):
    page = reader(Role.OFFICE, town.NANKAI).get("/").content.decode()
    layers = [layer["id"] for layer in told(page)["layers"]]
    assert layers == ["patches", "buildings", "parcels", "control-areas", "legacy", "candidates", "units", "findings"]
    shown = {name for name, one in told(page)["legend"].items() if one["shown"]}
    assert shown == {"patches", "buildings", "parcels", "candidates", "units"}  # the others would drown them
    assert all(f'data-layer-toggle="{name}"' in page for name in layers)
    assert re.search(r"<b>120104</b>\s*<span>[^<]*2022", page)
    assert "<b>120103</b>" not in page


def test_a_page_brings_no_script_and_no_style_of_its_own(reader):
    client = reader(Role.OFFICE, town.NANKAI)
    pages = ["/", "/accounts/login/", "/parcels/120104001001GB00000/", "/parcels/nothing/"]
    for path in pages:
        answer = (reader() if "login" in path else client).get(path)
        text = answer.content.decode()
        assert "script-src 'self'" in answer["Content-Security-Policy"], path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path
        assert all("src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", text)), (
            path
        )
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text), path


def test_the_language_is_told_to_the_browser_and_can_be_switched(reader):
    client = reader(Role.OFFICE, town.NANKAI)
    assert '<html lang="zh-Hans">' in client.get("/").content.decode()
    answer = client.post("/accounts/language/", {"language": "en", "next": "/"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    page = client.get("/").content.decode()
    assert '<html lang="en">' in page
    assert "Sign out" in page


def test_the_overview_counts_what_the_reader_may_see(script):
    one = script(Role.OFFICE, town.NANKAI).get("/map/overview.json").json()
    threes = ("patches", "parcels", "buildings", "candidates", "control-areas", "legacy", "findings")
    assert one["counts"] == dict.fromkeys(threes, 3) | {"units": 4}  # the approved unit of the other district too
    assert one["groups"] == {
        "patches": {"land": {"industrial": 3}},
        "parcels": {},
        "buildings": {},
        "control-areas": {"kind": {"park": 3}},
        "legacy": {"legacy": {"draft": 3}},
        "units": {"unit": {"approved": 2, "draft": 2}},
        "findings": {"severity": {"error": 3}},
    }
    assert one["outcomes"] == {"town": {"candidate": {"industrial": 3}}}
    narrow = one["narrow"]["town"]
    assert narrow["rules"] == [{"id": "IND-FAR", "title": "IND-FAR", "count": 3}]
    assert [(street["id"], street["count"]) for street in narrow["streets"]] == [("120104001", 1), ("120104002", 1)]
    assert one["box"] == pytest.approx([117.1, 39.1, 117.104, 39.105])
    street = script(Role.STREET, town.NANKAI, "120104002").get("/map/overview.json").json()
    assert street["counts"]["parcels"] == 1


@pytest.mark.rows("NK068")
def test_the_overview_tells_the_public_of_approved_units_alone(script):
    one = script().get("/map/overview.json").json()
    assert one["counts"] == {"units": 2}
    assert one["groups"] == {"units": {"unit": {"approved": 2}}}
    assert (one["outcomes"], one["narrow"], one["states"], one["runs"]) == ({}, {}, [], [])


def test_the_overview_is_counted_again_only_when_its_tables_changed(script, monkeypatch):
    client = script(Role.OFFICE, town.NANKAI)
    client.get("/map/overview.json")
    asked = []
    real = counting.asked
    monkeypatch.setattr(counting, "asked", lambda *all_: asked.append(all_) or real(*all_))
    client.get("/map/overview.json")
    assert asked == []
    Parcel.objects.filter(code=f"{town.NANKAI}001001GB00000").update(address="moved")
    client.get("/map/overview.json")
    # Parcels, and the candidates that are drawn with their shapes: these twice, for the legend and for the list.
    assert len(asked) == 3


def test_a_run_says_whether_its_criteria_are_official(script):
    (run,) = script(Role.OFFICE, town.NANKAI).get("/map/overview.json").json()["runs"]
    assert (run["criteria"], run["official"], run["survey"]) == ("town", False, 2022)


def test_the_list_gives_every_candidate_once_over_its_pages_the_largest_first(script, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 1)
    Parcel.objects.filter(code=f"{town.NANKAI}001001GB00001", survey__state="in_force").update(
        geom=town.square(20, side=0.002)
    )
    client = script(Role.OFFICE, town.NANKAI)
    codes, after = [], ""
    for _page in range(4):
        page = client.get("/map/candidates.json", {"outcome": "candidate", "after": after}).json()
        codes += [item["code"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert codes[0] == f"{town.NANKAI}001001GB00001"
    assert sorted(codes) == [f"{town.NANKAI}001001GB0000{number}" for number in range(3)]


def test_the_list_is_of_one_outcome_and_one_category(script):
    client = script(Role.OFFICE, town.NANKAI)
    for query, expected in (
        ({"outcome": "candidate", "category": "industrial"}, 3),
        ({"outcome": "candidate", "category": "office"}, 0),
        ({"outcome": "candidate", "category": "unknown"}, 0),
        ({"outcome": "not_low"}, 0),
    ):
        assert len(client.get("/map/candidates.json", query).json()["items"]) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        {"outcome": "bad"},
        {"category": "bad"},
        {"after": "x"},
        {"after": "1_2_3"},
        {"after": "nan_1"},
        {"after": "1_-1"},
    ],
)
def test_a_list_that_cannot_be_is_refused_with_a_sentence(script, query):
    answer = script(Role.OFFICE, town.NANKAI).get("/map/candidates.json", query)
    assert answer.status_code == 400
    assert answer.json()["detail"]


@pytest.mark.rows("NK068")
def test_nobody_signed_in_gets_no_list_and_finds_no_parcel(script):
    assert script().get("/map/candidates.json").status_code == 401
    answer = script().get("/map/search.json", {"q": town.NANKAI})
    assert answer.status_code == 401
    assert town.NANKAI not in answer.json()["detail"]
    assert script(Role.DEVELOPER, town.NANKAI).get("/map/search.json", {"q": "GB"}).status_code == 403


@pytest.mark.parametrize(
    "words",
    [
        "120104001001GB00001",
        "gb00001",
        "No. 1",
        "120104001001gb00001",
        "120104 001001 GB00001",
        "１２０１０４００１００１ＧＢ００００１",
        "road GB00001",
        "GB00001　quoted",
    ],
)
def test_a_parcel_is_found_by_its_code_a_part_of_it_or_its_location(script, words):
    found = script(Role.OFFICE, town.NANKAI).get("/map/search.json", {"q": words}).json()["items"]
    assert [one["code"] for one in found] == ["120104001001GB00001"]
    assert found[0]["box"] == pytest.approx([117.101, 39.1, 117.102, 39.101])


def test_more_than_eight_parcels_are_cut_and_the_cut_is_told(script, monkeypatch):
    client = script(Role.OFFICE, town.NANKAI)
    whole = client.get("/map/search.json", {"q": town.NANKAI}).json()
    assert (len(whole["items"]), whole["more"]) == (3, False)
    monkeypatch.setattr(finding, "FEW", 2)
    for words in (town.NANKAI, "Road", "GB0000"):
        cut = client.get("/map/search.json", {"q": words}).json()
        assert ([one["code"] for one in cut["items"]], cut["more"]) == (
            [one["code"] for one in whole["items"][:2]],
            True,
        ), words


def test_a_parcel_whose_code_begins_so_comes_once_and_first(script):
    Parcel.objects.filter(code=f"{town.NANKAI}001001GB00000").update(address=f"near {town.NANKAI}001001GB00002")
    found = script(Role.OFFICE, town.NANKAI).get("/map/search.json", {"q": f"{town.NANKAI}001001GB00002"}).json()
    assert [one["code"][-1] for one in found["items"]] == ["2", "0"]


def test_a_search_with_a_letter_no_database_knows_is_refused(script):
    client = script(Role.OFFICE, town.NANKAI)
    assert client.get("/map/search.json", {"q": "a\0b"}).status_code == 400


def test_the_rows_are_looked_through_only_when_too_few_codes_begin_so(script, monkeypatch):
    client = script(Role.OFFICE, town.NANKAI)
    looked = []
    real = finding.containing
    monkeypatch.setattr(finding, "containing", lambda *all_: looked.append(all_) or real(*all_))
    client.get("/map/search.json", {"q": town.NANKAI})
    assert len(looked) == 1
    monkeypatch.setattr(finding, "FEW", 2)
    client.get("/map/search.json", {"q": town.NANKAI})
    assert len(looked) == 1


def test_the_beginning_of_a_code_is_asked_for_as_a_range_that_an_index_can_serve(the_town):
    view = COLLECTIONS["parcels"].seen_by(town.scoped_user(Role.BUREAU).grants())
    source, params = visible(COLLECTIONS["parcels"], view)
    with CaptureQueriesContext(connection) as asked:
        assert finding.beginning(source, params, ["120104001"])
    assert re.search(r"code >= '120104001' AND code < '120104001~'", asked[-1]["sql"]), asked[-1]["sql"]


def test_who_has_no_role_is_told_whom_to_ask_and_staff_find_their_desk(the_town):
    client = Client(headers={"Accept": "text/html"})
    user = User.objects.create_user("newcomer")
    client.force_login(user)
    page = client.get("/").content.decode()
    assert "账号尚未授权，请联系专班办公室" in page
    assert 'href="/admin/"' not in page
    User.objects.filter(pk=user.pk).update(is_staff=True)
    assert 'href="/admin/"' in client.get("/").content.decode()


def test_a_scope_is_given_by_the_title_of_its_role(the_town):
    client = Client(headers={"Accept": "text/html"})
    client.force_login(User.objects.create_superuser("root"))
    page = client.get(f"/admin/units/user/{User.objects.get(username='root').pk}/change/").content.decode()
    assert re.search(r"<option[^>]*>R5 专班办公室</option>", page)


@pytest.mark.parametrize("words", ["%", "_", "\\", "120103001001GB00003", "120103001", "' OR 1=1 --"])
def test_a_search_takes_signs_as_they_are_and_stays_in_the_district(script, words):
    assert script(Role.OFFICE, town.NANKAI).get("/map/search.json", {"q": words}).json() == {
        "items": [],
        "more": False,
    }


def test_the_map_opens_before_anything_is_loaded(db, client):
    Survey.objects.all().delete()
    assert client.get("/", headers={"Accept": "text/html"}).status_code == 200
    assert client.get("/map/overview.json").json()["box"] is None
