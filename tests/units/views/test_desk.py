"""What the map asks for while a planner works at it: lists, notes, measurements, outlines, and the base map."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
import town
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection
from django.utils import timezone

from units.models import (
    CriteriaEdition,
    Department,
    Determination,
    District,
    Finding,
    Flag,
    FlagRun,
    LegacyLand,
    Parcel,
    RedevelopmentUnit,
    Street,
    Survey,
)
from units.rights import Role
from units.views import candidates as listing
from units.views import registers as register_list

FIRST = f"{town.NANKAI}001001GB00000"
POINTS = [[117.1, 39.1], [117.101, 39.1], [117.101, 39.101], [117.1, 39.101]]


def codes(page: dict) -> list[str]:
    return [item["code"][-1] for item in page["items"]]


# --- the list of what is judged


def test_the_list_narrows_by_street_rule_owner_and_view_and_counts_every_outcome(script):
    Flag.objects.filter(parcel__code__endswith="1").update(
        outcome="undecided", fired=[], missing=["building.floor_area"], street="120104002"
    )
    client = script(Role.OFFICE, town.NANKAI)
    for query, expected, counts in (
        ({}, ["2", "1", "0"], {"candidate": 2, "undecided": 1}),
        ({"street": "120104001"}, ["0"], {"candidate": 1}),
        ({"rule": "IND-FAR"}, ["2", "0"], {"candidate": 2}),
        ({"rule": "OTHER"}, [], {}),
        ({"owner": "housing"}, ["1"], {"undecided": 1}),
        ({"owner": "planning"}, [], {}),
        ({"criteria": "town"}, ["2", "1", "0"], {"candidate": 2, "undecided": 1}),
        ({"criteria": "nankai-2024"}, [], {}),
        ({"bbox": "117.1002,39.1002,117.1008,39.1008"}, ["0"], {"candidate": 1}),
        ({"outcome": "undecided"}, ["1"], {"candidate": 2, "undecided": 1}),
    ):
        page = client.get("/map/candidates.json", query).json()
        assert sorted(codes(page)) == sorted(expected), query
        assert page["counts"] == counts, query


def test_the_list_narrows_by_the_state_of_the_record_that_people_keep(script):
    Determination.objects.filter(parcel__code=FIRST).update(state="assigned")
    client = script(Role.OFFICE, town.NANKAI)
    assert codes(client.get("/map/candidates.json", {"state": "assigned"}).json()) == ["0"]
    assert codes(client.get("/map/candidates.json", {"state": "filling"}).json()) == []
    assert "assigned" in [one["id"] for one in client.get("/map/overview.json").json()["states"]]
    assert client.get("/map/candidates.json", {"state": "nowhere"}).status_code == 400


@pytest.fixture
def another_set(the_town):
    """A second set has judged the first parcel of Nankai, before the town's own run."""
    edition = CriteriaEdition.objects.create(digest="1" * 64, name="other", title="Other", official=False, text="")
    survey = Survey.objects.get(district_id=town.NANKAI, state="in_force")
    run = FlagRun.objects.create(district_id=town.NANKAI, survey=survey, edition=edition)
    FlagRun.objects.filter(pk=run.pk).update(ran_at=datetime(2020, 1, 1, tzinfo=UTC))
    parcel = Parcel.objects.get(code=FIRST, survey=survey)
    where = {"district_id": town.NANKAI, "street_id": "120104001", "criteria": "other", "parcel": parcel}
    return Flag.objects.create(run=run, **where, outcome="undecided", category="", evidence={})


def test_a_list_and_its_table_are_of_one_set_the_latest_where_none_is_named(script, another_set):
    client = script(Role.OFFICE, town.NANKAI)
    page = client.get("/map/candidates.json").json()
    assert (sorted(codes(page)), page["criteria"]) == (["0", "1", "2"], "town")
    assert client.get("/map/overview.json").json()["runs"][0]["criteria"] == "town"
    assert len(table(client.get("/map/candidates.csv"))) == 1 + 3
    page = client.get("/map/candidates.json", {"criteria": "other"}).json()
    assert (codes(page), page["counts"]) == (["0"], {"undecided": 1})
    assert len(table(client.get("/map/candidates.csv", {"criteria": "other"}))) == 1 + 1
    for path in ("json", "csv"):
        assert client.get(f"/map/candidates.{path}", {"criteria": "another"}).status_code == 400
    FlagRun.objects.filter(edition__name="other").update(ran_at=timezone.now())
    assert client.get("/map/candidates.json").json()["criteria"] == "other"


def test_a_department_is_called_as_its_own_district_calls_it(script):
    Flag.objects.update(missing=["building.floor_area"])
    for district, name in ((town.NANKAI, "Housing of Nankai"), (town.HEPING, "Housing of Heping")):
        Department.objects.update_or_create(district_id=district, code="housing", defaults={"name": name})
    bureau, office = script(Role.BUREAU), script(Role.OFFICE, town.NANKAI)
    rows = {row[0]: row[8] for row in table(bureau.get("/map/candidates.csv"))[1:]}
    assert len(rows) == 4
    for code, owed in rows.items():
        assert owed.endswith("Nankai" if code.startswith(town.NANKAI) else "Heping"), code
    (owner,) = office.get("/map/overview.json").json()["narrow"]["town"]["owners"]
    assert (owner["title"], owner["count"]) == ("Housing of Nankai", 3)
    (owner,) = bureau.get("/map/overview.json").json()["narrow"]["town"]["owners"]
    assert (owner["title"], owner["count"]) == ("Housing of Heping、Housing of Nankai", 4)


@pytest.mark.parametrize(
    "path",
    [
        "overview.json?register=x",
        "candidates.json?register=x",
        "candidates.csv?after=1",
        "registers.json?register=x",
        "registers.json?of=units&of=legacy",
        "here.json?unit=1",
        "places.json?q=x",
        "search.json?q=a&query=b",
    ],
)
def test_a_parameter_that_is_none_is_refused_and_never_ignored(script, path):
    answer = script(Role.OFFICE, town.NANKAI).get(f"/map/{path}")
    assert answer.status_code == 400
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/findings/?colour=red", "/findings/list.xlsx?colour=red"])
def test_a_filter_of_findings_that_is_none_is_refused(script, path):
    assert script(Role.OFFICE, town.NANKAI).get(path).status_code == 400


@pytest.mark.parametrize(
    "query", [{"sort": "colour"}, {"bbox": "1,2,3"}, {"bbox": "118,39,117,40"}, {"bbox": "a,b,c,d"}]
)
def test_a_filter_that_is_none_is_refused(script, query):
    assert script(Role.OFFICE, town.NANKAI).get("/map/candidates.json", query).status_code == 400


def test_the_list_by_code_gives_each_once_over_its_pages(script, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 1)
    client = script(Role.OFFICE, town.NANKAI)
    seen, after = [], ""
    while after is not None and len(seen) < 5:
        page = client.get("/map/candidates.json", {"sort": "code", "after": after}).json()
        seen += codes(page)
        after = page["next"]
    assert seen == ["0", "1", "2"]


def table(answer) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_table_has_the_whole_list_and_no_cell_that_a_spreadsheet_would_run(script, monkeypatch):
    monkeypatch.setattr(listing, "TABLE_PAGE", 2)
    for number, address in enumerate(('=HYPERLINK("x")', "+1", "@SUM(A1)")):
        Parcel.objects.filter(code__endswith=f"GB0000{number}").update(address=address)
    client = script(Role.OFFICE, town.NANKAI)
    answer = client.get("/map/candidates.csv", {"outcome": "candidate"})
    assert answer["Content-Type"].startswith("text/csv")
    head, *rows = table(answer)
    assert [row[0][-1] for row in rows] == ["0", "1", "2"]
    assert [row[1] for row in rows] == ['\'=HYPERLINK("x")', "'+1", "'@SUM(A1)"]
    assert all(len(row) == len(head) for row in rows)
    assert table(client.get("/map/candidates.csv", {"outcome": "not_low"})) == [head]
    street = script(Role.STREET, town.NANKAI, "120104002")
    assert [row[0][-1] for row in table(street.get("/map/candidates.csv"))[1:]] == ["1"]


@pytest.mark.rows("NK068")
def test_nobody_takes_a_table_of_what_he_may_not_see(script):
    assert script().get("/map/candidates.csv").status_code == 401
    assert script(Role.DEVELOPER, town.NANKAI).get("/map/candidates.csv").status_code == 403


# --- the lists of the registers


def test_the_registers_are_listed_with_the_number_of_each_part(script):
    client = script(Role.OFFICE, town.NANKAI)
    units = client.get("/map/registers.json", {"of": "units"}).json()
    assert codes(units) == ["0", "1", "2", "3"]
    assert units["counts"] == {"approved": 2, "draft": 2}
    drafts = client.get("/map/registers.json", {"of": "units", "part": "draft"}).json()
    assert (codes(drafts), drafts["counts"]) == (["1", "2"], units["counts"])
    legacy = client.get("/map/registers.json", {"of": "legacy", "street": "120104001"}).json()
    assert (codes(legacy), legacy["counts"]) == (["0"], {"draft": 1})
    findings = client.get("/map/registers.json", {"of": "findings", "bbox": "117.1,39.1,117.101,39.101"}).json()
    assert [one["identity"] for one in findings["items"]] == ["finding-0"]
    for query in ({"of": "secrets"}, {"of": "units", "part": "lost"}, {"of": "units", "street": "120104001"}):
        assert client.get("/map/registers.json", query).status_code == 400, query


def test_a_register_gives_each_once_over_its_pages_and_what_has_no_place_last(script, monkeypatch):
    monkeypatch.setattr(register_list, "PAGE", 1)
    Finding.objects.filter(identity="finding-0").update(geom=None)
    client = script(Role.OFFICE, town.NANKAI)
    seen, after = [], ""
    while after is not None and len(seen) < 5:
        page = client.get("/map/registers.json", {"of": "findings", "after": after}).json()
        seen += [item["identity"] for item in page["items"]]
        after = page["next"]
    assert seen == ["finding-1", "finding-2", "finding-0"]


@pytest.mark.rows("NK068")
def test_a_register_is_open_to_its_readers_alone(script):
    assert codes(script().get("/map/registers.json").json()) == ["0", "3"]  # approved units, the public's
    co = script(Role.CO, town.NANKAI)
    assert co.get("/map/registers.json", {"of": "findings"}).status_code == 403
    assert co.get("/map/registers.json", {"of": "legacy"}).status_code == 403
    assert script().get("/map/registers.json", {"of": "findings"}).status_code == 401


# --- what lies here


def test_a_note_says_what_a_finding_saw_and_what_to_do(script):
    finding = Finding.objects.get(identity="finding-0")
    for query in ({"findings": str(finding.pk)}, {"findings.code": "finding-0"}):
        (note,) = script(Role.OFFICE, town.NANKAI).get("/map/here.json", query).json()["items"]
        assert (note["sentence"], note["fix"]) == ("Two parcels overlap.", "Redraw one.")
        assert [value for _title, value in note["pairs"]] == [FIRST]
        assert note["swatch"] == "finding-error"


def test_a_note_of_each_layer_is_told_in_words(script):
    unit, legacy = RedevelopmentUnit.objects.get(code="U0"), LegacyLand.objects.get(code="L0")
    client = script(Role.OFFICE, town.NANKAI)
    items = client.get(
        "/map/here.json", {"units": unit.pk, "legacy": legacy.pk, "control-areas.code": "C0", "buildings.code": "B0"}
    ).json()["items"]
    assert [one["layer"] for one in items] == ["units", "legacy", "control-areas", "buildings"]
    assert [one["title"] for one in items] == ["Unit 0", "L0", "产业园区", "Hall 0"]
    assert [one["code"] for one in items] == ["U0", "L0", "C0", "B0"]
    assert town.PENALTY in dict(items[1]["pairs"]).values()
    patch = client.get("/map/here.json", {"patches.code": f"{town.NANKAI}000000000000"}).json()["items"][0]
    assert (patch["title"], patch["swatch"]) == ("0601", "land-industrial")


@pytest.mark.rows("NK017", "NK068")
def test_a_note_tells_nobody_what_he_may_not_see(script):
    query = {"findings.code": "finding-0", "legacy.code": "L0", "units.code": "U1", "buildings.code": "B0"}
    assert script().get("/map/here.json", query).json() == {"items": []}
    assert [one["layer"] for one in script().get("/map/here.json", {"units.code": "U0"}).json()["items"]] == ["units"]
    lead = script(Role.LEAD, town.NANKAI).get("/map/here.json", query).json()["items"]
    assert [one["layer"] for one in lead] == ["units", "buildings"]
    city = script(Role.CITY).get("/map/here.json", {"legacy.code": "L0"}).content.decode()
    assert town.SQUATTER in city
    assert town.PENALTY not in city
    other = script(Role.OFFICE, town.NANKAI).get("/map/here.json", {"legacy.code": "L3", "findings.code": "finding-3"})
    assert other.json() == {"items": []}


def test_a_note_of_no_number_is_refused_and_one_of_no_shape_is_empty(script):
    client = script(Role.OFFICE, town.NANKAI)
    assert client.get("/map/here.json", {"units": "1 OR 1=1"}).status_code == 400
    assert client.get("/map/here.json", {"units": "999999999"}).json() == {"items": []}
    assert client.get("/map/here.json").json() == {"items": []}


# --- measuring


def measured(client, points, closed=True, **more):
    body = json.dumps({"points": points, "closed": closed} | more)
    return client.post("/map/measure.json", body, content_type="application/json")


@pytest.mark.rows("G-05")
def test_a_parcel_that_is_measured_by_hand_has_the_area_that_is_stored(script):
    found = measured(script(Role.OFFICE, town.NANKAI), POINTS).json()
    stored = Parcel.objects.get(code=FIRST, survey__state="in_force").area_m2
    assert found["area_m2"] == pytest.approx(stored, rel=1e-9)
    assert found["area_mu"] == pytest.approx(stored * 15 / 10_000, abs=1e-4)
    assert found["area_ha"] == pytest.approx(stored / 10_000, abs=1e-4)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_Perimeter(geom::geography) FROM units_parcel WHERE code = %s AND area_m2 = %s", [FIRST, stored]
        )
        assert found["length_m"] == pytest.approx(cursor.fetchone()[0], rel=1e-9)


def test_a_line_is_as_long_as_the_geodesic(script):
    found = measured(script(), POINTS[:2], closed=False).json()
    # Karney's GeodSolve on the ellipsoid of CGCS2000 for 0.001° along the parallel of 39.1°.
    assert found["length_m"] == pytest.approx(86.5, abs=0.1)
    assert found["area_m2"] is None


def test_a_ring_that_crosses_itself_has_no_area(script):
    bowtie = [POINTS[0], POINTS[2], POINTS[1], POINTS[3]]
    found = measured(script(), bowtie).json()
    assert (found["simple"], found["area_m2"], found["area_mu"]) == (False, None, None)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"points": 7}',
        '{"points": [[117.1, 39.1]]}',
        '{"points": [[117.1, 39.1], [117.2, 39.1]], "closed": true}',
        '{"points": [[1, 2], [3, 4]]}',
        '{"points": [[117.1, 39.1], [NaN, 39.1]]}',
        '{"points": [["a", "b"], [1, 2]]}',
        '{"points": [[117.1, 39.1, 3], [117.2, 39.1]]}',
        "[" * 100_000,
        json.dumps({"points": [[117.1, 39.1]] * 2001}),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(script, body):
    answer = script().post("/map/measure.json", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"]


# --- outlines and search


def test_outlines_are_of_the_readers_districts(script):
    box = MultiPolygon(Polygon.from_bbox((117.1, 39.1, 117.2, 39.2)), srid=4490)
    District.objects.update(geom=box)
    Street.objects.filter(code="120104001").update(geom=box, name="长虹街道")
    told = script(Role.OFFICE, town.NANKAI).get("/map/places.json").json()
    assert [one["code"] for one in told["districts"]] == [town.NANKAI]
    (street,) = told["streets"]
    assert (street["name"], street["box"]) == ("长虹街道", [117.1, 39.1, 117.2, 39.2])
    assert street["outline"]["type"] in ("LineString", "MultiLineString")
    assert len(script(Role.BUREAU).get("/map/places.json").json()["districts"]) == 2
    assert script().get("/map/places.json").json() == {"districts": [], "streets": []}


@pytest.mark.parametrize(
    ("words", "kind", "code"),
    [
        ("Hall 2", "building", "B2"),
        ("b2", "building", "B2"),
        ("unit 1", "unit", "U1"),
        ("U1", "unit", "U1"),
        ("L2", "legacy", "L2"),
        ("长虹", "street", "120104001"),
        ("120104001", "street", "120104001"),
    ],
)
def test_streets_units_legacy_land_and_buildings_are_found_by_code_or_name(script, words, kind, code):
    Street.objects.filter(code="120104001").update(name="长虹街道", geom=town.square(0))
    items = script(Role.OFFICE, town.NANKAI).get("/map/search.json", {"q": words}).json()["items"]
    assert (kind, code) in [(one["kind"], one["code"]) for one in items]
    assert all(one["box"] for one in items)


def test_a_place_is_found_by_its_coordinates_and_how_they_were_read_is_told(script):
    client = script(Role.OFFICE, town.NANKAI)
    for words in ("39.12,117.15", "117°09′E 39°07′12″N", "4331836.694 39512971.987", "4331836.694 512971.987"):
        (place,) = client.get("/map/search.json", {"q": words}).json()["items"]
        assert place["kind"] == "place"
        assert (place["lng"], place["lat"]) == pytest.approx((117.15, 39.12), abs=1e-7), words
        assert place["address"]


@pytest.mark.rows("NK017")
def test_the_search_stays_within_what_the_reader_sees(script):
    co = script(Role.CO, town.NANKAI)
    assert {one["kind"] for one in co.get("/map/search.json", {"q": "L0"}).json()["items"]} <= {"building"}
    street = script(Role.STREET, town.NANKAI, "120104002")
    assert [one["code"] for one in street.get("/map/search.json", {"q": "Hall"}).json()["items"]] == ["B1"]


# --- the base map


def told_of(client) -> str:
    return client.get("/").content.decode()


def test_no_base_map_is_told_of_without_the_setting(reader):
    page = told_of(reader(Role.OFFICE, town.NANKAI))
    assert "tianditu.gov.cn" not in page
    assert 'name="ground"' not in page


def test_with_the_setting_who_works_here_may_choose_tianditu_and_the_public_is_told_no_key(reader, settings):
    settings.TIANDITU_KEY = "a-key-of-ours"
    page = told_of(reader(Role.OFFICE, town.NANKAI))
    assert "https://t{s}.tianditu.gov.cn/vec_w/wmts" in page
    assert "a-key-of-ours" in page
    assert page.count('name="ground"') == 3
    assert "a-key-of-ours" not in told_of(reader())


def test_who_draws_units_is_told_where_and_nobody_else(reader):
    assert '"draw": null' in told_of(reader(Role.CO, town.NANKAI))
    assert '"draw": null' in told_of(reader())
    page = told_of(reader(Role.OFFICE, town.NANKAI))
    assert '"draw": {' in page
    assert "compose.css" in page
