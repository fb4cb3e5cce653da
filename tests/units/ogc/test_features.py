"""OGC API – Features as clients read it: documents, pages of features, reference systems, caching, rights."""

import json
import math
from urllib.parse import quote, urlsplit

import pytest
import town
from django.db import connection
from shapely.geometry import shape

from units.collections import COLLECTIONS
from units.models import Determination, Finding, Parcel, RedevelopmentUnit
from units.ogc import rendering
from units.ogc.words import WORDS
from units.rights import Role

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def links(document: dict, rel: str) -> list[dict]:
    return [link for link in document["links"] if link["rel"] == rel]


def items(client, name: str, query: str = "") -> dict:
    response = client.get(f"/ogc/collections/{name}/items?{query}")
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/geo+json"

    def no_such_number(text):
        raise AssertionError(f"{text} is no JSON")

    return json.loads(response.content, parse_constant=no_such_number)


def test_the_landing_page_has_the_links_that_qgis_cannot_do_without(client, db):
    document = client.get("/ogc", headers={"Accept": "application/json"}).json()
    (described,) = links(document, "service-desc")
    assert described["type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert client.get(urlsplit(described["href"]).path)["Content-Type"] == described["type"]
    (data,) = links(document, "data")
    assert (data["type"], urlsplit(data["href"]).path) == ("application/json", "/ogc/collections")
    (conformance,) = links(document, "conformance")
    assert (
        "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs"
        in client.get(urlsplit(conformance["href"]).path).json()["conformsTo"]
    )


def test_no_address_ends_in_a_slash_and_none_is_redirected(client, db):
    assert client.get("/ogc").status_code == 200
    assert client.get("/ogc/").status_code == 404
    assert client.get("/ogc/collections/").status_code == 404


def test_the_description_gives_qgis_its_page_size_and_its_filters(office):
    document = office.get("/ogc/api").json()
    limit = document["components"]["parameters"]["limit"]["schema"]
    assert (limit["maximum"], limit["default"]) == (10_000, 1000)
    parameters = document["paths"]["/collections/parcels/items"]["get"]["parameters"]
    (code,) = [parameter for parameter in parameters if parameter.get("name") == "code"]
    assert (code["style"], code["explode"]) == ("form", False)
    known = document["components"]["parameters"]
    for parameter in parameters:
        assert "$ref" not in parameter or parameter["$ref"].rpartition("/")[2] in known


def test_the_description_tells_nobody_what_others_may_see(client, built):
    paths = client.get("/ogc/api").json()["paths"]
    assert {path.split("/")[2] for path in paths if path.startswith("/collections/")} == {"units"}
    described = json.dumps(paths)
    assert "right_holder" not in described


def test_operation_ids_are_unique(office):
    ids = [path["get"]["operationId"] for path in office.get("/ogc/api").json()["paths"].values()]
    assert len(set(ids)) == len(ids)


def test_a_collection_tells_its_reference_systems_and_where_what_is_seen_lies(office):
    document = office.get("/ogc/collections/parcels").json()
    assert document["storageCrs"] == f"{EPSG}4490"
    assert {document["storageCrs"], f"{EPSG}4548", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"} <= set(
        document["crs"]
    )
    # The fourth parcel lies in the other district, further east.
    assert document["extent"]["spatial"]["bbox"] == [pytest.approx([117.1, 39.1, 117.103, 39.101])]
    assert [link["type"] for link in links(document, "items")] == ["application/geo+json", "text/html"]


def test_the_extent_is_of_what_the_reader_sees_and_follows_every_change(reader):
    street, city = reader(Role.STREET, town.NANKAI, "120104001"), reader(Role.BUREAU)

    def box(client):
        return client.get("/ogc/collections/parcels").json()["extent"]["spatial"]["bbox"][0]

    assert box(street) == pytest.approx([117.1, 39.1, 117.101, 39.101])
    assert box(city) == pytest.approx([117.1, 39.1, 117.104, 39.101])
    Parcel.objects.filter(street_id="120104001", survey__state="in_force").update(geom=town.square(9))
    assert box(street) == pytest.approx([117.109, 39.1, 117.11, 39.101])


def test_an_empty_collection_has_no_extent(reader):
    RedevelopmentUnit.objects.filter(state="approved").update(state="amended")  # deleted it cannot be
    RedevelopmentUnit.objects.filter(state="draft").delete()
    document = reader().get("/ogc/collections/units").json()
    assert "extent" not in document


@pytest.mark.rows("NK064")
def test_a_page_of_features_says_what_it_is(office):
    document = items(office, "parcels")
    assert document["type"] == "FeatureCollection"
    assert (document["numberReturned"], document["numberMatched"]) == (3, 3)
    assert document["timeStamp"].endswith("Z")
    assert "crs" not in document
    for feature in document["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        assert set(feature["geometry"]) == {"type", "coordinates"}
        assert list(feature["properties"]) == list(COLLECTIONS["parcels"].names)
        assert feature["properties"]["code"]
        assert feature["properties"]["base_survey"] == 2022
    assert "“quoted”" in document["features"][0]["properties"]["address"]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_collection_is_valid_geojson(reader, name):
    document = items(reader(Role.BUREAU), name)
    assert document["numberReturned"] == len(town.PLACES)
    for feature in document["features"]:
        assert feature["geometry"] is None or shape(feature["geometry"]).is_valid


def test_a_feature_without_a_shape_has_a_null_geometry(reader):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE units_finding SET geom = NULL")
    document = items(reader(Role.BUREAU), "findings")
    assert {feature["geometry"] for feature in document["features"]} == {None}


def test_rings_are_right_handed_and_holes_stay_holes(office):
    hole = (
        "MULTIPOLYGON(((117.2 39.1, 117.2 39.2, 117.3 39.2, 117.3 39.1, 117.2 39.1),"
        "(117.22 39.12, 117.24 39.12, 117.24 39.14, 117.22 39.14, 117.22 39.12)))"
    )
    parcel = Parcel.objects.filter(district_id=town.NANKAI, survey__state="in_force").first()
    Parcel.objects.filter(pk=parcel.pk).update(geom=f"SRID=4490;{hole}")
    for crs in ("", f"?crs={EPSG}3857"):
        feature = office.get(f"/ogc/collections/parcels/items/{parcel.pk}{crs}").json()
        (polygon,) = shape(feature["geometry"]).geoms
        assert polygon.exterior.is_ccw
        (inner,) = polygon.interiors
        assert not inner.is_ccw


def test_coordinates_keep_nine_decimals(office):
    parcel = Parcel.objects.filter(district_id=town.NANKAI, survey__state="in_force").first()
    corner = "117.123456789 39.123456789"
    ring = f"MULTIPOLYGON((({corner}, 117.2 39.1, 117.2 39.2, {corner})))"
    Parcel.objects.filter(pk=parcel.pk).update(geom=f"SRID=4490;{ring}")
    assert b"117.123456789,39.123456789" in office.get(f"/ogc/collections/parcels/items/{parcel.pk}").content


def test_pages_follow_each_other_to_the_end_without_gap_or_repeat(office):
    seen, address, pages = [], "/ogc/collections/parcels/items?limit=1&bbox=117,39,118,40", 0
    while address:
        document = office.get(address).json()
        assert document["numberMatched"] == 3
        assert document["numberReturned"] == 1
        seen += [feature["id"] for feature in document["features"]]
        following = links(document, "next")
        assert all(link["type"] == "application/geo+json" for link in following)
        address = following[0]["href"] if following else None
        pages += 1
    assert pages == 3
    assert len(set(seen)) == 3


def test_rows_that_come_between_two_pages_shift_nothing(office):
    first = items(office, "parcels", "limit=2")
    gone(Parcel.objects.get(pk=first["features"][0]["id"]))
    (following,) = links(first, "next")
    rest = office.get(following["href"]).json()["features"]
    assert {feature["id"] for feature in rest}.isdisjoint(feature["id"] for feature in first["features"])
    assert len(rest) == 1


def test_a_count_above_the_limit_is_made_only_when_asked(office, monkeypatch):
    monkeypatch.setattr(rendering, "COUNTED", 1)
    assert "numberMatched" not in items(office, "parcels", "limit=2")
    assert items(office, "parcels", "limit=2&count=exact")["numberMatched"] == 3


def test_a_count_is_made_once_until_something_changes(office):
    items(office, "parcels", "limit=2")
    with connection.execute_wrapper(_no_count):
        assert items(office, "parcels", "limit=1")["numberMatched"] == 3
    gone(Parcel.objects.filter(district_id=town.NANKAI, survey__state="in_force").last())
    assert items(office, "parcels", "limit=1")["numberMatched"] == 2


def gone(parcel: Parcel) -> None:
    """Land of which people keep a record is not deleted, so the record goes first."""
    Determination.objects.filter(parcel=parcel).delete()
    parcel.delete()


def _no_count(execute, sql, params, many, context):
    assert "SELECT count(*)" not in sql
    return execute(sql, params, many, context)


def test_a_box_takes_what_it_touches_in_every_system(office):
    def codes(query):
        return [feature["properties"]["code"][-1] for feature in items(office, "parcels", query)["features"]]

    assert codes("bbox=117.1002,39.1002,117.1004,39.1004") == ["0"]
    assert codes("bbox=117.1002,39.1002,-5,117.1004,39.1004,50") == ["0"]
    assert codes(f"bbox=39.1002,117.1012,39.1004,117.1014&bbox-crs={EPSG}4490") == ["1"]
    assert codes("bbox=10,10,11,11") == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_X(p), ST_Y(p)"
            " FROM (SELECT ST_Transform('SRID=4490;POINT(117.1025 39.1005)'::geometry, 4548)) q(p)"
        )
        east, north = cursor.fetchone()
    plane = f"{north - 1},{east - 1},{north + 1},{east + 1}"
    assert codes(f"bbox={plane}&bbox-crs={EPSG}4548") == ["2"]


def test_a_box_outside_its_projection_is_refused_not_an_error_of_the_server(office):
    response = office.get(f"/ogc/collections/parcels/items?bbox=-1e30,-1e30,1e30,1e30&bbox-crs={EPSG}4548")
    assert response.status_code in {200, 400}
    assert response["Content-Type"] in {"application/geo+json", "application/problem+json"}


def test_another_reference_system_comes_in_its_own_axis_order(office):
    def corner(query):
        response = office.get(f"/ogc/collections/parcels/items?limit=1&{query}")
        return response["Content-Crs"], response.json()["features"][0]["geometry"]["coordinates"][0][0][0]

    uri, (east, north) = corner("")
    assert uri == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert (east, north) == (117.1, 39.1)
    uri, (first, second) = corner(f"crs={EPSG}4490")
    assert (uri, first, second) == (f"<{EPSG}4490>", 39.1, 117.1)
    uri, (first, second) = corner(f"crs={EPSG}4548")
    assert 4_300_000 < first < 4_400_000  # northing
    assert 400_000 < second < 600_000  # easting, without zone number
    uri, (first, second) = corner(f"crs={EPSG}4527")
    assert 39_400_000 < second < 39_600_000
    uri, (first, second) = corner(f"crs={EPSG}3857")
    assert first == pytest.approx(math.radians(117.1) * 6378137, abs=0.01)


def test_properties_filter_and_combine(office):
    first = items(office, "parcels")["features"][0]["properties"]
    assert items(office, "parcels", f"code={first['code']}")["numberMatched"] == 1
    assert items(office, "parcels", f"code={first['code']}&base_survey=2021")["numberMatched"] == 0
    assert items(office, "parcels", "base_survey=2022&registered_use=0601")["numberMatched"] == 3
    assert items(office, "candidates", "fired=IND-FAR")["numberMatched"] == 3
    assert items(office, "candidates", "fired=OTHER")["numberMatched"] == 0


def test_a_filter_is_a_value_never_sql(office):
    assert items(office, "parcels", "code=x' OR 'a'='a")["numberMatched"] == 0
    assert items(office, "parcels", "code=%25(limit)s")["numberMatched"] == 0


@pytest.mark.parametrize(
    "query", ["limit=0", "bbox=nan,1,2,3", "colour=red", "crs=EPSG:4490", "datetime=soon", "f=xml", "count=all"]
)
def test_a_wrong_question_is_a_problem_with_its_sentence(office, query):
    response = office.get(f"/ogc/collections/parcels/items?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 400
    assert problem["detail"]
    assert problem["instance"].startswith("/ogc/collections/parcels/items?")


@pytest.mark.parametrize("fid", ["0", "-1", "x", "1.0", "9" * 30, "１"])
def test_a_feature_that_is_none_is_404(office, fid):
    assert office.get(f"/ogc/collections/parcels/items/{fid}").status_code == 404


def test_a_feature_leads_to_itself_and_to_its_collection(office):
    fid = items(office, "parcels")["features"][0]["id"]
    document = office.get(f"/ogc/collections/parcels/items/{fid}").json()
    assert (document["type"], document["id"]) == ("Feature", fid)
    (own,) = links(document, "self")
    assert office.get(own["href"]).json()["id"] == fid
    (back,) = links(document, "collection")
    assert urlsplit(back["href"]).path == "/ogc/collections/parcels"


@pytest.mark.rows("NK017", "NK068")
def test_a_feature_outside_the_readers_scope_is_404_as_if_it_were_not_there(reader):
    city, street = reader(Role.BUREAU), reader(Role.STREET, town.NANKAI, "120104001")
    for feature in items(city, "parcels")["features"]:
        expected = 200 if feature["properties"]["street_id"] == "120104001" else 404
        assert street.get(f"/ogc/collections/parcels/items/{feature['id']}").status_code == expected
    drafts = RedevelopmentUnit.objects.filter(state="draft")
    assert {reader().get(f"/ogc/collections/units/items/{draft.pk}").status_code for draft in drafts} == {404}


@pytest.mark.rows("NK068")
def test_nobody_is_asked_to_sign_in_and_somebody_without_the_right_finds_nothing(reader):
    for name in set(COLLECTIONS) - {"units"}:
        for tail in ("", "/items", "/items/1"):
            refused = reader().get(f"/ogc/collections/{name}{tail}")
            assert refused.status_code == 401
            assert refused["WWW-Authenticate"].startswith("Basic ")
            assert reader(Role.DEVELOPER).get(f"/ogc/collections/{name}{tail}").status_code == 404
    assert reader().get("/ogc/collections/no-such").status_code == 404


@pytest.mark.rows("NK068")
def test_the_public_reads_approved_units_in_the_public_columns(reader):
    document = items(reader(), "units")
    assert [feature["properties"]["code"] for feature in document["features"]] == ["U0", "U3"]
    assert set(document["features"][0]["properties"]) == {
        "code", "name", "edition", "state", "mode", "area_m2", "district_id", "district_name",
    }  # fmt: skip
    listed = reader().get("/ogc/collections").json()["collections"]
    assert [collection["id"] for collection in listed] == ["units"]


def test_a_column_open_in_one_street_is_null_in_the_others_and_no_filter_finds_it_there(reader):
    both = town.scoped_user(Role.CO, town.NANKAI)
    group = town.scoped_user(Role.STREET, town.NANKAI, "120104001").scopes.get()
    both.scopes.create(group=group.group, district_id=town.NANKAI, street_id="120104001")
    client = reader(Role.CO, town.NANKAI)
    holders = {
        feature["properties"]["street_id"]: feature["properties"]["right_holder"]
        for feature in items(client, "parcels")["features"]
    }
    assert holders == {"120104001": town.HOLDER, "120104002": None, None: None}
    assert items(client, "parcels", f"right_holder={town.HOLDER}")["numberMatched"] == 1


def test_an_unchanged_page_is_not_sent_twice_and_a_changed_one_is(office):
    address = "/ogc/collections/parcels/items?limit=2"
    tag = office.get(address)["ETag"]
    again = office.get(address, headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert not again.content
    assert again["ETag"] == tag
    Parcel.objects.filter(survey__state="in_force").update(address="elsewhere")
    changed = office.get(address, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_two_readers_never_share_a_tag(reader):
    readers = [reader(Role.BUREAU), reader(Role.OFFICE, town.NANKAI), reader(Role.CO, town.NANKAI)]
    answers = [client.get("/ogc/collections/parcels/items") for client in readers]
    assert len({answer["ETag"] for answer in answers}) == 3
    for answer in answers:
        assert answer["Cache-Control"] == "private, no-cache"
        assert {"Authorization", "Cookie", "Accept"} <= set(answer["Vary"].split(", "))


def test_head_and_options_answer_and_nothing_writes(office):
    address = "/ogc/collections/parcels/items"
    head = office.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == "application/geo+json"
    options = office.options(address)
    assert (options.status_code, options["Allow"]) == (204, "GET, HEAD, OPTIONS")
    for method in (office.post, office.put, office.patch, office.delete):
        refused = method(address)
        assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert refused["Content-Type"] == "application/problem+json"


def test_numbers_that_json_has_no_word_for_become_null(reader):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE units_finding SET measure = 'NaN'")
    document = items(reader(Role.BUREAU), "findings")
    assert {feature["properties"]["measure"] for feature in document["features"]} == {None}


@pytest.mark.parametrize(
    "path",
    ["", "/conformance", "/api", "/collections", "/collections/parcels", "/collections/parcels/items", "first"],
)
def test_a_browser_gets_pages_and_a_program_does_not(office, path):
    if path == "first":
        path = f"/collections/parcels/items/{items(office, 'parcels')['features'][0]['id']}"
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    assert office.get(f"/ogc{path}", headers=browser)["Content-Type"] == "text/html; charset=utf-8"
    assert office.get(f"/ogc{path}?f=html").status_code == 200
    for accept in ("*/*", "application/json", "application/geo+json, application/json;q=0.9", "text/csv"):
        assert "json" in office.get(f"/ogc{path}", headers={"Accept": accept})["Content-Type"]
    assert "json" in office.get(f"/ogc{path}?f=json", headers=browser)["Content-Type"]


def test_what_a_row_holds_is_text_on_a_page(office):
    Parcel.objects.filter(survey__state="in_force").update(address="<img src=x onerror=alert(1)>")
    text = office.get("/ogc/collections/parcels/items?f=html").content.decode()
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_a_browser_that_is_not_signed_in_is_led_to_the_sign_in(reader):
    response = reader().get("/ogc/collections/parcels?f=html")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/ogc/collections/parcels%3Ff%3Dhtml"


# --- filters, times and words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("parcels", "code LIKE '120104%' AND area_m2 BETWEEN 1 AND 1000000 AND right_holder IS NOT NULL"),
        ("patches", "dlbm IN ('0601', '0701') OR area_m2 / 2 > 10"),
        ("findings", "severity = 'error' AND NOT waived = TRUE"),
        ("findings", "first_seen LIKE '20%' AND waived_until IS NULL"),
        ("candidates", "outcome = 'candidate' AND kind = 'parcel'"),
        ("legacy", "used_since IS NULL OR used_since LIKE '19%'"),
    ],
)
def test_a_filter_in_cql2_takes_what_meets_it(office, name, condition):
    every = items(office, name)["features"]
    found = items(office, name, f"filter={quote(condition)}")
    assert found["numberMatched"] == len(found["features"]) <= len(every)
    rest = items(office, name, f"filter={quote(f'NOT ({condition})')}")
    unknown = items(office, name, f"filter={quote(f'({condition}) OR NOT ({condition})')}")
    assert len(found["features"]) + len(rest["features"]) == len(unknown["features"])


def test_a_filter_takes_the_same_as_the_property_it_names(office):
    one = items(office, "parcels", "code=120104001001GB00000")
    other = items(
        office, "parcels", f"filter={quote(chr(34) + 'code' + chr(34) + ' = ' + repr('120104001001GB00000'))}"
    )
    assert one["features"] == other["features"]
    assert len(one["features"]) == 1


def test_a_filter_tells_nothing_of_a_column_that_its_asker_may_not_see(reader):
    co = reader(Role.CO, town.NANKAI)
    condition = quote("right_holder LIKE '%'")
    answer = co.get(f"/ogc/collections/parcels/items?filter={condition}")
    assert answer.status_code == 400
    assert "right_holder" in answer.json()["detail"]


@pytest.mark.parametrize("name", sorted(COLLECTIONS))
def test_every_property_of_every_collection_can_be_asked_for(reader, name):
    bureau = reader(Role.BUREAU)
    sample = {
        "integer": "1",
        "number": "1.5",
        "boolean": "true",
        "date": "2024-01-31",
        "date-time": "2024-01-31T00:00:00Z",
    }
    for column in COLLECTIONS[name].columns:
        found = items(bureau, name, f"{column.name}={quote(sample.get(column.type, 'nothing'))}")
        assert found["numberReturned"] >= 0, column.name


def test_findings_are_asked_for_by_severity_waiver_and_time(office):
    every = items(office, "findings")["features"]
    assert every
    kinds = {feature["properties"]["severity"] for feature in every}
    for kind in kinds:
        found = items(office, "findings", f"severity={kind}&waived=false")["features"]
        assert found == [one for one in every if one["properties"]["severity"] == kind]
    assert items(office, "findings", "datetime=1990-01-01")["features"] == []
    assert items(office, "findings", "datetime=1990-01-01/..")["features"] == every


def test_a_page_has_its_box_and_one_in_metres_has_none(office):
    found = items(office, "parcels")
    west, south, east, north = shape(
        {"type": "GeometryCollection", "geometries": [f["geometry"] for f in found["features"]]}
    ).bounds
    assert found["bbox"] == pytest.approx([west, south, east, north], abs=1e-8)
    assert "bbox" not in items(office, "parcels", f"crs={EPSG}3857")
    assert "bbox" not in items(office, "parcels", "code=nothing")


def test_pages_say_what_a_code_means_and_programs_get_the_code(office):
    page = office.get("/ogc/collections/candidates/items?f=html").content.decode()
    assert "<code>candidate</code>" in page
    assert "疑似" in page or "候选" in page or "Candidate" in page
    found = items(office, "candidates")["features"][0]
    assert found["properties"]["outcome"] in {"candidate", "excluded", "exempted", "undecided", "not_low"}
    one = office.get(f"/ogc/collections/candidates/items/{found['id']}?f=html").content.decode()
    assert f"<code>{found['properties']['outcome']}</code>" in one


def test_every_word_is_of_a_column_that_is_served():
    assert all(column in COLLECTIONS[collection].names for collection, column in WORDS)


@pytest.mark.parametrize(
    "written",
    [
        "code%3D%27a%00%27",
        "code LIKE 'a\\'",
        "code LIKE '\\\\\\'",
        "area_m2 * 9000000000000000" + " * 9000000000000000" * 25 + " > 1",
    ],
)
@pytest.mark.parametrize("page", ["", "&f=html"])
def test_a_filter_that_the_database_cannot_compute_is_a_wrong_question(office, written, page):
    address = f"/ogc/collections/parcels/items?filter={written if '%' in written else quote(written)}{page}"
    response = office.get(address)
    assert response.status_code == 400, response.content
    assert page or response.json()["detail"]


def test_a_product_of_whole_numbers_is_computed_and_a_backslash_may_be_written_twice(office):
    every = items(office, "parcels")["numberMatched"]
    product = quote("base_survey * base_survey * base_survey > 1")
    assert items(office, "parcels", f"filter={product}")["numberMatched"] == every
    assert items(office, "parcels", "filter=" + quote("code LIKE 'a\\\\'"))["numberMatched"] == 0


@pytest.mark.parametrize("box", ["bbox=10,10,11,11", f"bbox=10,10,11,11&bbox-crs={EPSG}4548"])
def test_a_box_matches_what_has_no_shape_too(office, box):
    """Part 1, /req/core/fc-bbox-response."""
    finding = Finding.objects.filter(district=town.NANKAI).first()
    assert items(office, "findings", box)["features"] == []
    finding.geom = None
    finding.save()
    found = items(office, "findings", box)
    assert [one["properties"]["identity"] for one in found["features"]] == [finding.identity]
    assert found["features"][0]["geometry"] is None
    assert "bbox" not in found


@pytest.mark.parametrize("tail", ["", "/{fid}"])
def test_another_language_has_another_tag(office, tail):
    fid = items(office, "parcels")["features"][0]["id"]
    address = f"/ogc/collections/parcels/items{tail.format(fid=fid)}"
    chinese = office.get(address)
    office.cookies["django_language"] = "en"
    english = office.get(address, headers={"If-None-Match": chinese["ETag"]})
    assert english.status_code == 200
    assert english["ETag"] != chinese["ETag"]
    assert {link["hreflang"] for link in english.json()["links"]} == {"en"}
    assert "Cookie" in english["Vary"]
    # What a program says it would like to read changes nothing: the site speaks what was chosen.
    del office.cookies["django_language"]
    assert office.get(address, headers={"Accept-Language": "en"})["ETag"] == chinese["ETag"]


def test_every_collection_takes_a_datetime_and_says_so(office):
    parameters = office.get("/ogc/api").json()["paths"]["/collections/parcels/items"]["get"]["parameters"]
    assert {"$ref": "#/components/parameters/datetime"} in parameters
    every = items(office, "parcels")["features"]
    # Of what is kept in versions nothing stood then; what was judged has no time of its own.
    assert items(office, "parcels", "datetime=1990-01-01")["features"] == []
    assert items(office, "parcels", "datetime=1990-01-01/..")["features"] == every
    judged = items(office, "candidates")["features"]
    assert items(office, "candidates", "datetime=1990-01-01")["features"] == judged != []
