"""Units over HTTP: composed, saved, edited, deleted, brought back and looked at; and what hostile bodies get."""

import json
import re

import pytest
import quarter
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from quarter import DISTRICT, STREET, geojson, rectangle

from units.models import CriteriaEdition, Document, Flag, FlagRun, Move, Parcel, RedevelopmentUnit, Survey, User
from units.rights import Role

pytestmark = pytest.mark.rows("NK021", "NK024")

BOX = quarter.rectangle(-50, -50, 350, 350).bounds


@pytest.fixture
def land(db, monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second
    quarter.build()


class Desk:
    """A person's browser: its scripts ask in JSON and get JSON."""

    def __init__(self, user=None, **options):
        self.client = Client(headers={"Accept": "application/json"}, **options)
        if user is not None:
            self.client.force_login(user)

    def ask(self, method, path, body=None, **headers):
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.generic(method, path, content, content_type="application/json", headers=headers)

    def post(self, path, **body):
        return self.ask("POST", path, body)

    def get(self, path, **headers):
        return self.client.get(path, headers=headers)

    def saved(self, *numbers, **more):
        answer = self.post("/units/", **{"district": DISTRICT, "name": "one", "parcels": codes(*numbers)} | more)
        assert answer.status_code == 201, answer.content
        return answer.json()


@pytest.fixture
def desk(land):
    def of(role=Role.OFFICE, district=DISTRICT, street=None, **options):
        return Desk(town.scoped_user(role, district, street) if role else None, **options)

    return of


@pytest.fixture
def office(desk):
    return desk()


def codes(*numbers):
    return [quarter.code(number) for number in numbers]


# --- composing ---------------------------------------------------------------------------------------------------


def test_one_question_tells_everything_of_parcels_that_are_united(office):
    told = office.post("/map/compose.json", district=DISTRICT, parcels=codes(0, 1)).json()
    assert set(told) == {
        "how",
        "geometry",
        "area_m2",
        "area_mu",
        "area_ha",
        "net_m2",
        "perimeter_m",
        "vertices",
        "parts",
        "holes",
        "street",
        "base_survey",
        "members",
        "hidden",
        "overlaps",
        "unchecked",
        "land_use",
        "planned",
        "reservations",
        "budget",
        "unknown",
        "problems",
        "snapped",
    }
    assert told["area_m2"] == pytest.approx(20_000, rel=1e-5)
    assert told["area_mu"] == pytest.approx(30, rel=1e-5)
    assert told["perimeter_m"] == pytest.approx(600, rel=1e-5)
    assert [member["code"] for member in told["members"]] == codes(0, 1)
    assert not RedevelopmentUnit.objects.exists()


def test_a_drawn_shape_comes_back_with_the_numbers_it_was_sent_with(office):
    drawn = geojson(3.3, 4.4, 155.5, 96.6)
    told = office.post("/map/compose.json", district=DISTRICT, geometry=drawn).json()
    assert told["geometry"]["coordinates"][0] == drawn["coordinates"]
    assert [(member["state"], member["cut"]) for member in told["members"]] == [("in", True)] * 2


def test_problems_are_told_and_some_lifted_by_confirming(office):
    told = office.post("/map/compose.json", district=DISTRICT, parcels=codes(0, 2)).json()
    (problem,) = told["problems"]
    assert set(problem) == {"code", "sentence", "fix", "blocks", "confirm", "parcels", "at"}
    assert (problem["code"], problem["blocks"], problem["confirm"]) == ("parts", True, True)
    told = office.post("/map/compose.json", district=DISTRICT, parcels=codes(0, 2), confirm=["parts"]).json()
    assert not told["problems"][0]["blocks"]


HOSTILE = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "nothing": b"",
    "NaN": b'{"district": "120104", "geometry": {"type": "Polygon", "coordinates": [[[NaN, 1]]]}}',
    "infinity": b'{"district": "120104", "geometry": {"type": "Polygon", "coordinates": [[[1e999, 1]]]}}',
    "a very long number": b'{"district": "120104", "geometry": {"type": "Polygon", "coordinates": [[['
    + b"9" * 5000
    + b", 1]]]}}",
    "very deep": b'{"district": "120104", "geometry": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "unknown member": b'{"district": "120104", "parcels": [], "where": "1=1"}',
    "parcels as text": b'{"district": "120104", "parcels": "120104001001GB00001"}',
    "parcels of numbers": b'{"district": "120104", "parcels": [1]}',
    "parcels of lists": b'{"district": "120104", "parcels": [[]]}',
    "a NUL": b'{"district": "120104", "parcels": ["12\\u0000"]}',
    "half a letter": b'{"district": "120104", "parcels": ["\\ud800"]}',
    "both": b'{"district": "120104", "parcels": [], "geometry": {}}',
    "neither": b'{"district": "120104"}',
    "snap as text": b'{"district": "120104", "parcels": [], "snap": "yes"}',
    "confirming everything": b'{"district": "120104", "parcels": [], "confirm": ["*"]}',
    "a point": b'{"district": "120104", "geometry": {"type": "Point", "coordinates": [117, 39]}}',
    "a third dimension": b'{"district": "120104", "geometry": {"type": "Polygon", "coordinates": [[[117, 39, 5]]]}}',
    "an empty geometry": b'{"district": "120104", "geometry": {}}',
    "half of a character as a member": b'{"district": "120104", "parcels": [], "\\ud800": 1}',
    "half of a character to confirm": b'{"district": "120104", "parcels": [], "confirm": ["\\ud800"]}',
    "half of a character as a unit": b'{"district": "120104", "parcels": [], "name": "\\uDFFF"}',
    "half of a character in bytes": b'{"district": "120104", "parcels": [], "confirm": ["\xed\xa0\x80"]}',
    "a district that is a list": b'{"district": [], "parcels": []}',
    "too large": b'{"district": "' + b" " * 2_000_001 + b'"}',
    "larger than Django takes": b'{"district": "' + b" " * 3_000_000 + b'"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("path", ["/map/compose.json", "/units/"])
def test_a_body_that_is_no_request_of_ours_is_refused_with_a_sentence(office, path, body):
    answer = office.ask("POST", path, body)
    assert answer.status_code == 400, answer.content
    told = answer.json()
    assert told["detail"]
    assert answer["Content-Type"] == "application/problem+json"
    assert not RedevelopmentUnit.objects.exists()


def test_more_corners_than_can_be_drawn_are_refused(office):
    ring = [[117.1 + number * 1e-9, 39.1] for number in range(20_001)]
    answer = office.post("/map/compose.json", district=DISTRICT, geometry={"type": "Polygon", "coordinates": [ring]})
    assert answer.status_code == 400


@pytest.mark.parametrize("unit", ["\0", "x" * 1000, "'; DROP TABLE"])
def test_whatever_is_named_as_the_unit_that_is_edited_does_no_harm(office, unit):
    answer = office.post("/map/compose.json", district=DISTRICT, parcels=codes(0), unit=unit)
    assert answer.status_code == 200


def test_a_page_of_another_site_cannot_save_in_somebodys_name(desk):
    forged = desk(enforce_csrf_checks=True)
    answer = forged.post("/units/", district=DISTRICT, name="x", parcels=codes(0))
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf"
    assert not RedevelopmentUnit.objects.exists()


@pytest.mark.parametrize("path", ["/map/compose.json", "/map/pick.json", "/units/"])
def test_who_may_not_draw_is_told_so(desk, path):
    bodies = {"/map/pick.json": {"codes": "1"}, "/units/": {"name": "x", "parcels": codes(0)}}
    body = bodies.get(path, {"parcels": codes(0)}) | {"district": DISTRICT}
    assert desk(None).post(path, **body).status_code == 401
    for role in Role:
        answer = desk(role).post(path, **body)
        assert answer.status_code == (201 if path == "/units/" else 200) if role in ("R1", "R2", "R5") else 403
    town.District.objects.create(code="120103", srid=4548)
    assert desk(Role.OFFICE, "120103").post(path, **body).status_code == 403


# --- snapping and picking ----------------------------------------------------------------------------------------


def test_outlines_have_the_very_numbers_that_are_stored(office):
    quarter.parcel(
        30,
        quarter.shapely.Polygon(
            quarter.ring(*quarter.corners(310, 0, 340, 30)), [quarter.ring(*quarter.corners(315, 5, 320, 10))]
        ),
    )
    island = quarter.shapely.MultiPolygon([rectangle(310, 50, 320, 60), rectangle(330, 50, 340, 60)])
    quarter.parcel(31, island)
    answer = office.get("/map/outlines.json?bbox=" + ",".join(map(str, BOX)))
    told = {one["code"]: one["rings"] for one in answer.json()["features"]}
    assert set(told) == set(codes(*range(9), 30, 31))
    for parcel in Parcel.objects.all():
        rings = [[list(point) for point in ring] for part in parcel.geom.coords for ring in part]
        assert told[parcel.code] == rings
    assert len(told[quarter.code(30)]) == len(told[quarter.code(31)]) == 2


def test_a_street_office_gets_the_outlines_of_its_street(desk):
    told = desk(Role.STREET, DISTRICT, STREET).get("/map/outlines.json?bbox=" + ",".join(map(str, BOX))).json()
    assert {one["code"] for one in told["features"]} == set(codes(*range(8)))


@pytest.mark.parametrize(
    "bbox",
    [
        "",
        "1,2,3",
        "a,b,c,d",
        "117,39,117.03,39.01",
        "117,39,117.01,39.03",
        "117.1,39,117,39.01",
        "nan,39,117,40",
        "117,39,inf,40",
        "1,1,1,1",
        "1e999,1,2,2",
        "117,39,117.01,39.01,5",
    ],
)
def test_a_box_that_is_none_or_too_wide_is_refused(office, bbox):
    answer = office.get(f"/map/outlines.json?bbox={bbox}")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_parcels_are_picked_by_codes_pasted_as_they_come(office):
    survey = Survey.objects.get()
    edition = CriteriaEdition.objects.create(digest="0" * 64, name="town", title="Town", official=False, text="")
    run = FlagRun.objects.create(district_id=DISTRICT, survey=survey, edition=edition)
    Flag.objects.create(
        run=run,
        district_id=DISTRICT,
        street_id=STREET,
        criteria="town",
        category="industrial",
        outcome="candidate",
        parcel=Parcel.objects.get(code=quarter.code(1)),
        evidence={},
    )
    text = f"宗地：{quarter.code(1).lower()}，\t{quarter.code(0)};{quarter.code(0)}\n"
    text += "１２０１０４００１００１ＧＢ００００２ nowhere"  # full-width, as an input method writes it
    told = office.post("/map/pick.json", district=DISTRICT, codes=text).json()
    assert [one["code"] for one in told["parcels"]] == codes(0, 1, 2)
    assert told["unknown"] == ["NOWHERE"]
    assert not told["more"]
    assert told["parcels"][1] | {"area_m2": 0} == {
        "code": quarter.code(1),
        "address": "1 Road",
        "area_m2": 0,
        "outcome": "candidate",
        "category": "industrial",
    }
    assert told["parcels"][0]["outcome"] is None


def test_a_box_picks_those_whose_middle_lies_in_it_or_all_that_meet_it(office):
    box = list(rectangle(-10, -10, 160, 60).bounds)
    told = office.post("/map/pick.json", district=DISTRICT, box=box).json()
    assert [one["code"] for one in told["parcels"]] == codes(0, 1)
    box = list(rectangle(-10, -10, 140, 40).bounds)
    assert office.post("/map/pick.json", district=DISTRICT, box=box).json()["parcels"] == []
    told = office.post("/map/pick.json", district=DISTRICT, box=box, touching=True).json()
    assert [one["code"] for one in told["parcels"]] == codes(0, 1)
    told = office.post("/map/pick.json", district=DISTRICT, box=list(BOX), limit=4).json()
    assert (len(told["parcels"]), told["more"]) == (4, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"box": [1, 2, 3, 4], "codes": "x"},
        {"box": [1, 2, 3]},
        {"box": [True, 1, 2, 3]},
        {"box": ["a"] * 4},
        {"box": [[], [], [], []]},
        {"codes": "A " * 100_001},
        {"codes": " ".join(map(str, range(5001)))},
    ],
)
def test_a_pick_that_is_none_is_refused(office, body):
    assert office.post("/map/pick.json", district=DISTRICT, **body).status_code == 400


# --- units -------------------------------------------------------------------------------------------------------


def test_a_draft_is_saved_read_changed_deleted_and_brought_back(office):
    answer = office.post("/units/", district=DISTRICT, name="一号单元", parcels=codes(0, 1))
    assert answer.status_code == 201
    code = answer.json()["code"]
    assert answer["Location"] == answer.json()["url"] == f"/units/{code}/"
    address = f"/units/{code}.json"

    got = office.get(address)
    assert got["ETag"] == '"1.1"'
    told = got.json()
    assert (told["name"], told["how"], told["parcels"]) == ("一号单元", "parcels", codes(0, 1))
    assert told["may"] == {"edit": True, "delete": True, "restore": False}
    stored = RedevelopmentUnit.objects.get().geom
    assert told["geometry"]["coordinates"] == [
        [[list(point) for point in ring] for ring in part] for part in stored.coords
    ]

    put = office.ask("PUT", address, {"version": 1, "name": "二号", "geometry": geojson(0, 0, 150, 100)})
    assert (put.status_code, put.json()["version"], put["ETag"]) == (200, 2, '"1.2"')
    told = office.get(address).json()
    assert (told["name"], told["how"], told["parcels"]) == ("二号", "drawn", [])
    assert told["versions"][0]["action"] == "edited"

    gone = office.ask("DELETE", address, {"version": 2, "reason": "wrong"})
    assert (gone.status_code, gone.json()["state"]) == (200, "deleted")
    assert office.get(address).json()["may"] == {"edit": False, "delete": False, "restore": True}
    back = office.post(address, version=3, restore=True)
    assert (back.status_code, back.json()["state"], back.json()["version"]) == (200, "draft", 4)
    assert RedevelopmentUnit.objects.count() == 1


def test_two_who_edit_one_unit_the_second_is_told_how_it_stands(office, desk):
    code = office.saved(0)["code"]
    desk(Role.ANALYST).ask("PUT", f"/units/{code}.json", {"version": 1, "name": "theirs"})
    answer = office.ask("PUT", f"/units/{code}.json", {"version": 1, "name": "mine"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "stale"
    assert answer.json()["theirs"] | {"changed_at": ""} == {
        "code": code,
        "edition": 1,
        "version": 2,
        "name": "theirs",
        "state": "draft",
        "changed_by": "R1.120104",
        "changed_at": "",
    }


@pytest.mark.parametrize(("header", "status"), [('"1.1"', 200), ('"1.2"', 412), ('"2.1"', 412), ("1", 400), ("*", 400)])
def test_if_match_is_the_etag_of_what_one_has_before_one(office, header, status):
    code = office.saved(0)["code"]
    answer = office.ask("PUT", f"/units/{code}.json", {"name": "x"}, **{"If-Match": header})
    assert answer.status_code == status


def test_a_put_that_changes_nothing_answers_with_the_version_that_stands(office):
    code = office.saved(0, 1)["code"]
    answer = office.ask("PUT", f"/units/{code}.json", {"version": 1, "name": "one", "parcels": codes(0, 1)})
    assert (answer.status_code, answer.json()["version"], answer["ETag"]) == (200, 1, '"1.1"')
    shape = office.get(f"/units/{code}.json").json()["geometry"]
    assert office.ask("PUT", f"/units/{code}.json", {"version": 1, "geometry": shape}).json()["version"] == 1


def test_deleting_without_a_reason_is_refused_with_a_sentence(office):
    code = office.saved(0)["code"]
    answer = office.ask("DELETE", f"/units/{code}.json", {"version": 1})
    assert (answer.status_code, answer.json()["code"]) == (422, "reason")
    assert answer.json()["detail"]
    assert office.get(f"/units/{code}.json").json()["state"] == "draft"


def test_a_reserved_code_is_refused_and_the_next_draft_is_numbered(office):
    body = {"district": DISTRICT, "name": "x", "parcels": codes(0)}
    assert office.post("/units/", **body, code="120104DY999999999").status_code == 400
    assert office.saved(0)["code"] == "120104DY0001"


def test_a_change_without_a_version_is_refused(office):
    code = office.saved(0)["code"]
    for method, body in (("PUT", {"name": "x"}), ("DELETE", {}), ("POST", {"restore": True}), ("POST", {"version": 1})):
        assert office.ask(method, f"/units/{code}.json", body).status_code == 400
    assert office.ask("PUT", f"/units/{code}.json", {"name": "x", "version": "1"}).status_code == 400
    assert office.ask("PUT", f"/units/{code}.json", {"name": "x", "version": True}).status_code == 400
    assert office.ask("PATCH", f"/units/{code}.json", {}).status_code == 405


def test_a_draft_that_a_problem_blocks_is_not_saved_and_the_problem_is_told(office):
    answer = office.post("/units/", district=DISTRICT, name="x", parcels=codes(0, 2))
    assert answer.status_code == 422
    told = answer.json()
    assert told["code"] == "problems"
    assert [problem["code"] for problem in told["problems"]] == ["parts"]
    assert told["detail"] == told["problems"][0]["sentence"]
    assert (
        office.post("/units/", district=DISTRICT, name="x", parcels=codes(0, 2), confirm=["parts"]).status_code == 201
    )


def test_what_is_not_there_is_not_found(office):
    for path in ("/units/nowhere.json", "/units/nowhere/", "/units/%00.json", "/units/%00/"):
        assert office.get(path).status_code == 404
    assert office.ask("PUT", "/units/nowhere.json", {"version": 1, "name": "x"}).status_code == 404


def test_the_public_sees_an_approved_unit_in_the_public_columns_and_no_draft(office, desk):
    code = office.saved(0)["code"]
    nobody = desk(None)
    assert nobody.get(f"/units/{code}.json").status_code == 404
    assert nobody.get(f"/units/{code}/", Accept="text/html").status_code == 404
    RedevelopmentUnit.objects.update(state="approved")
    told = nobody.get(f"/units/{code}.json").json()
    assert set(told) == {
        "code",
        "name",
        "edition",
        "state",
        "state_title",
        "mode",
        "district",
        "district_name",
        "area_m2",
        "area_mu",
        "geometry",
        "url",
    }
    page = nobody.get(f"/units/{code}/", Accept="text/html").content.decode()
    assert code in page
    for secret in (quarter.code(0), "R5.120104", "1 Road", "versions"):
        assert secret not in page
    assert nobody.ask("PUT", f"/units/{code}.json", {"version": 1, "name": "x"}).status_code == 401


def test_the_page_of_a_unit_says_what_it_holds_overlaps_and_who_did_what(office):
    quarter.legacy(rectangle(50, 50, 150, 150))
    quarter.control("heritage", rectangle(0, 0, 20, 20), "老城")
    code = office.saved(0, 1)["code"]
    office.ask("PUT", f"/units/{code}.json", {"version": 1, "geometry": geojson(0, 0, 150, 100)})
    office.ask("DELETE", f"/units/{code}.json", {"version": 2, "reason": "画错了"})
    page = office.get(f"/units/{code}/", Accept="text/html").content.decode()
    for word in (code, quarter.code(0), quarter.code(1), "L1", "老城", "R5.120104", "画错了", f"/#&amp;unit={code}"):
        assert word.replace("&amp;", "&") in page.replace("&amp;", "&"), word
    assert f"/parcels/{quarter.code(0)}/" in page


def test_the_sketch_has_every_part_and_hole_and_north_is_up(office):
    code = office.saved(0, 1, 2, 3, 5, 6, 7, 8, confirm=["holes"])["code"]
    page = office.get(f"/units/{code}/", Accept="text/html").content.decode()
    (path,) = set(re.findall(r'class="outline" d="([^"]*)"', page))
    rings = [
        [tuple(map(float, point.split())) for point in ring.split("L")] for ring in re.findall(r"M([^MZ]*)Z", path)
    ]
    assert len(rings) == 2
    assert min(y for _x, y in rings[0]) == pytest.approx(0, abs=0.05)
    assert {(round(x, -1), round(y, -1)) for x, y in rings[1]} == {(100, 100), (200, 100), (100, 200), (200, 200)}
    assert page.count('class="parcel"') == 8


def test_who_reads_without_drawing_is_told_nothing_of_registers_that_are_closed_to_him(office, desk):
    quarter.legacy(rectangle(50, 50, 150, 150), name="secret")
    code = office.saved(0)["code"]
    reader = desk(Role.LEAD)
    page = reader.get(f"/units/{code}/", Accept="text/html").content.decode()
    assert quarter.code(0) in page
    assert "secret" not in page
    assert reader.get(f"/units/{code}.json").json()["may"] == dict.fromkeys(("edit", "delete", "restore"), False)
    assert reader.ask("PUT", f"/units/{code}.json", {"version": 1, "name": "x"}).status_code == 403


def test_a_draft_shows_on_the_ogc_face_at_once(office):
    code = office.saved(0)["code"]
    page = office.get(f"/ogc/collections/units/items?code={code}").json()
    assert [one["properties"]["state"] for one in page["features"]] == ["draft"]


def test_the_same_code_in_two_districts_is_told_apart_by_naming_one(desk):
    town.District.objects.create(code="120103", name="和平区", srid=4548)
    author = town.scoped_user(Role.BUREAU)
    for district in (DISTRICT, "120103"):
        RedevelopmentUnit.objects.create(
            district_id=district,
            code="U1",
            name=district,
            created_by=author,
            geom=quarter.stored(rectangle(0, 0, 100, 100)),
        )
    bureau = desk(Role.BUREAU, None)
    assert bureau.get("/units/U1.json").status_code == 400
    assert bureau.get("/units/U1.json?district=120103").json()["name"] == "120103"
    assert desk().get("/units/U1.json").json()["name"] == DISTRICT


@pytest.mark.rows("NK027")
def test_an_edition_is_cited_with_its_address_and_the_paper_that_approved_it(office):
    code = office.saved(0, 1)["code"]
    by = User.objects.get()
    paper = Document.objects.create(district_id=DISTRICT, title="Reply", number="No. 7", added_by=by)
    told = {"register": "unit", "subject": code, "district_id": DISTRICT, "by": by, "role": "R6", "document": paper}
    Move.objects.create(**told, from_state="consulted", to_state="approved", details={"edition": 2})
    cited = f"/units/{code}/editions/1/"
    page = office.client.get(cited, headers={"Accept": "text/html"}).content.decode()
    assert f">http://testserver{cited}<" in page
    assert "No. 7" not in page.split('id="budget"')[0].split('class="facts"')[1], "it approved another edition"
    Move.objects.create(**told, from_state="consulted", to_state="approved", details={"edition": 1})
    page = office.client.get(cited, headers={"Accept": "text/html"}).content.decode()
    assert "No. 7" in page.split('id="budget"')[0].split('class="facts"')[1]
