"""The tools of the drawing desk over HTTP: snap, trace, cut, merge and move, tried on shapes or saved on units."""

import json

import pytest
import quarter
import shapely
import town
from django.test import Client
from quarter import DISTRICT, OTHER_STREET, STREET, code, corners, degrees, geojson, rectangle, ring

from units.cutting import ground
from units.geometry import GEOD
from units.models import District, RedevelopmentUnit, Reshaping
from units.rights import Role
from units.snapping import snapped

pytestmark = pytest.mark.rows("NK021", "NK024")


@pytest.fixture
def land(db):
    quarter.build()


class Desk:
    """A person's browser."""

    def __init__(self, user=None):
        self.client = Client(headers={"Accept": "application/json"})
        if user is not None:
            self.client.force_login(user)

    def post(self, path, **body):
        return self.client.post(path, json.dumps(body), content_type="application/json")

    def get(self, path, **query):
        return self.client.get(path, query)

    def saved(self, name, *numbers) -> dict:
        answer = self.post("/units/", district=DISTRICT, name=name, parcels=[code(number) for number in numbers])
        assert answer.status_code == 201, answer.content
        return answer.json()


@pytest.fixture
def user(land):
    return town.scoped_user(Role.OFFICE, DISTRICT)


@pytest.fixture
def office(user):
    return Desk(user)


def metres(*points) -> list[list[float]]:
    return degrees(points).tolist()


def line(*points) -> dict:
    return {"type": "LineString", "coordinates": metres(*points)}


def shape(told: dict) -> shapely.Geometry:
    return shapely.geometry.shape(told)


# --- snap --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "kind", "number", "far"),
    [
        ((99.8, 0.1), "corner", 0, 0.2236),  # the corner is the second parcel's too: the first by code is named
        ((50, 0.4), "edge", 0, 0.4),
        ((100.3, 50), "edge", 0, 0.3),
        ((50, 50), None, None, 0),
        ((-0.6, 50), None, None, 0),
        ((100, 100), "corner", 0, 0),
    ],
)
def test_a_vertex_goes_onto_the_corner_then_the_edge_in_reach_or_stays(office, point, kind, number, far):
    (start,) = metres(point)
    told = office.get("/map/snap.json", district=DISTRICT, lng=repr(start[0]), lat=repr(start[1])).json()
    assert (told["kind"], told["code"]) == (kind, None if number is None else code(number))
    assert told["metres"] == pytest.approx(far, abs=0.001)
    if kind == "corner":
        (corner,) = metres((round(point[0] / 100) * 100, round(point[1] / 100) * 100))
        assert told["at"] == corner
    if kind is None:
        assert told["at"] == start
    if kind:
        assert GEOD.inv(*start, *told["at"])[2] == pytest.approx(far, abs=0.001)


def test_many_points_are_snapped_as_each_alone_and_as_they_are_on_saving(office, user):
    points = metres((0.2, -0.1), (99.9, 0.2), (150.0, 0.3), (199.7, 100.2), (100.2, 100.3), (50, 99.8), (-0.3, 60))
    told = office.post("/map/snap.json", district=DISTRICT, points=points).json()["points"]
    place = District.objects.get(code=DISTRICT)
    alone = [snapped(user.grants(), place, [tuple(point)])[0] for point in points]
    assert [tuple(one["at"]) for one in told] == [one.at for one in alone]
    drawn = {"type": "Polygon", "coordinates": [[*points, points[0]]]}
    made = office.post("/units/", district=DISTRICT, name="drawn", geometry=drawn, snap=True).json()
    stored = RedevelopmentUnit.objects.get(code=made["code"]).geom.coords[0][0]
    assert set(stored) == {tuple(one["at"]) for one in told}


def test_a_point_that_was_snapped_stays_where_it_is(office):
    points = metres((50.123, 0.4), (100.2, 37.77), (0.1, 0.1))
    once = [one["at"] for one in office.post("/map/snap.json", district=DISTRICT, points=points).json()["points"]]
    again = office.post("/map/snap.json", district=DISTRICT, points=once).json()["points"]
    assert [one["at"] for one in again] == once
    assert {one["metres"] for one in again} == {0}
    assert {one["kind"] for one in again} == {"corner", "edge"}


@pytest.mark.parametrize(
    "body",
    [
        {"points": [[117, "39"]]},
        {"points": [[117, 39, 5]]},
        {"points": [117, 39]},
        {"points": {}},
        {},
        {"points": [[1e400, 39]]},
        {"points": [], "zoom": 3},
    ],
)
def test_hostile_points_are_told_and_no_fault_of_ours(office, body):
    answer = office.post("/map/snap.json", district=DISTRICT, **body)
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize("query", [{"lng": "x", "lat": "39"}, {"lng": "nan", "lat": "39"}, {"lng": "117"}, {"z": "1"}])
def test_a_point_that_is_none_is_told(office, query):
    assert office.get("/map/snap.json", district=DISTRICT, **query).status_code == 400


def test_points_far_away_are_where_they_are(office):
    for point in ([0, 0], [-180, 90], [117.9, 39.9]):
        told = office.get("/map/snap.json", district=DISTRICT, lng=point[0], lat=point[1]).json()
        assert (told["at"], told["kind"]) == (point, None)


# --- trace -------------------------------------------------------------------------------------------------------


def trace(desk, start, end, **more):
    start, end = metres(start, end)
    return desk.post("/map/trace.json", district=DISTRICT, **{"from": start, "to": end}, **more)


def test_the_way_goes_along_parcels_edges_and_back_the_other_way_round(office):
    told = trace(office, (0.2, 0), (300, 50)).json()
    first, other = told["ways"]
    assert told["sentence"] == ""
    assert first["metres"] == pytest.approx(350, abs=0.1)
    stored = {tuple(point) for point in metres((0, 0), (100, 0), (200, 0), (300, 0), (100, 100), (200, 100))}
    assert {tuple(point) for point in first["line"]["coordinates"][:-1]} <= stored
    assert first["line"]["coordinates"][0] == metres((0, 0))[0]
    edges = [
        {tuple(sorted(map(tuple, pair))) for pair in zip(way[:-1], way[1:], strict=True)}
        for way in (first["line"]["coordinates"], other["line"]["coordinates"])
    ]
    assert not edges[0] & edges[1]
    assert other["metres"] >= first["metres"]


def test_a_vertex_of_one_parcel_on_the_straight_edge_of_another_is_passed(office):
    quarter.parcel(20, rectangle(300, 0, 400, 30))
    told = trace(office, (300, 0), (300, 100), ways=1).json()
    assert told["ways"][0]["line"]["coordinates"] == metres((300, 0), (300, 30), (300, 100))


def test_both_ends_on_one_edge_are_joined_along_it(office):
    told = trace(office, (20, 0), (70, 0), ways=1).json()
    assert told["ways"][0]["metres"] == pytest.approx(50, abs=0.01)
    assert len(told["ways"][0]["line"]["coordinates"]) == 2


def test_where_no_edges_lead_that_is_said(office):
    quarter.parcel(20, rectangle(350, 0, 400, 30))
    told = trace(office, (0, 0), (350, 0)).json()
    assert told["ways"] == []
    assert told["sentence"]


@pytest.mark.parametrize("ends", [((50, 50), (0, 0)), ((0, 0), (0, 5000))])
def test_ends_that_are_on_no_edge_are_told(office, ends):
    assert trace(office, *ends).status_code == 400


# --- tried -------------------------------------------------------------------------------------------------------


def test_a_cut_is_tried_on_a_shape_that_is_not_saved_and_nothing_is_stored(office):
    told = office.post(
        "/map/reshape.json",
        district=DISTRICT,
        op="split",
        geometry=geojson(0, 0, 300, 100),
        line=line((130.3, -1), (130.3, 101)),
    ).json()
    assert [piece["area_m2"] for piece in told["pieces"]] == pytest.approx([16_970, 13_030], abs=1)
    assert sum(piece["area_m2"] for piece in told["pieces"]) == pytest.approx(told["area_m2_before"], abs=0.002)
    assert shapely.coverage_is_valid([shape(piece["geometry"]) for piece in told["pieces"]])
    assert not RedevelopmentUnit.objects.exists()
    told = office.post(
        "/map/reshape.json",
        district=DISTRICT,
        op="split",
        geometry=geojson(0, 0, 300, 100),
        line=line((100.3, 0.2), (99.8, 100.2)),
        snap=True,
    ).json()
    assert {tuple(p) for p in shapely.get_coordinates(shape(told["pieces"][1]["geometry"]))} == {
        tuple(p) for p in metres(*corners(0, 0, 100, 100))
    }


def test_cutting_out_uniting_and_moving_an_edge_are_tried_likewise(office):
    square, beside = geojson(0, 0, 100, 100), geojson(100, 0, 200, 100)
    told = office.post(
        "/map/reshape.json", district=DISTRICT, op="cut_out", geometry=square, ring=geojson(40, 40, 60, 60)
    ).json()
    assert [len(piece["geometry"]["coordinates"][0]) for piece in told["pieces"]] == [2, 1]
    told = office.post("/map/reshape.json", district=DISTRICT, op="union", geometries=[square, beside]).json()
    assert {tuple(p) for p in shapely.get_coordinates(shape(told["pieces"][0]["geometry"]))} == {
        tuple(p) for p in metres((0, 0), (100, 0), (200, 0), (200, 100), (100, 100), (0, 100))
    }
    told = office.post(
        "/map/reshape.json",
        district=DISTRICT,
        op="move_edge",
        geometries=[square, beside],
        edge=metres((100, 0), (100, 100)),
        to=metres((90, 0), (90, 100)),
    ).json()
    assert [round(piece["area_m2"], -1) for piece in told["pieces"]] == [9_000, 11_000]
    apart = office.post(
        "/map/reshape.json", district=DISTRICT, op="union", geometries=[square, geojson(500, 0, 600, 100)]
    ).json()
    assert [(problem["code"], problem["blocks"]) for problem in apart["problems"]] == [("parts", True)]


def test_what_cannot_be_done_is_a_sentence_with_a_place(office):
    answer = office.post(
        "/map/reshape.json",
        district=DISTRICT,
        op="move_edge",
        geometries=[geojson(0, 0, 100, 100), geojson(100, 0, 200, 100)],
        edge=metres((0, 0)),
        to=metres((5, 5)),
    )
    assert answer.status_code == 409
    told = answer.json()
    assert told["code"] == "reshape"
    assert told["at"] == metres((0, 0))[0]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"op": "explode"},
        {"op": "split"},
        {"op": "split", "geometry": geojson(0, 0, 9, 9)},
        {"op": "split", "geometry": geojson(0, 0, 9, 9), "line": {"type": "Point", "coordinates": [1, 2]}},
        {"op": "split", "geometry": geojson(0, 0, 9, 9), "line": {"type": "LineString", "coordinates": "x"}},
        {"op": "split", "geometry": {"type": "Point"}, "line": line((0, 0), (1, 1))},
        {"op": "split", "geometry": {"type": "Polygon", "coordinates": [ring((0, 0), (9, 9), (9, 0), (0, 9))]}},
        {"op": "cut_out", "geometry": geojson(0, 0, 9, 9), "ring": {"type": "Polygon", "coordinates": [[], []]}},
        {"op": "union", "geometries": []},
        {"op": "union", "geometries": [1, 2]},
        {"op": "move_edge", "geometries": [geojson(0, 0, 9, 9)], "edge": [[1, 2]], "to": []},
    ],
)
def test_hostile_shapes_are_told_and_no_fault_of_ours(office, body):
    answer = office.post("/map/reshape.json", district=DISTRICT, **body)
    assert answer.status_code == 400, answer.content


# --- saved -------------------------------------------------------------------------------------------------------


def test_a_unit_is_split_merged_again_and_both_are_taken_back(office):
    unit = office.saved("one", 0, 1)
    named = [{"code": unit["code"], "version": 1, "edition": 1}]
    answer = office.post(
        "/units/reshape.json", district=DISTRICT, op="split", units=named, line=line((100, 0), (100, 100)), names=["b"]
    )
    assert answer.status_code == 200, answer.content
    split = answer.json()
    assert (split["kind"], [one["name"] for one in split["units"]]) == ("split", ["one", "b"])
    assert sum(ground(shape(one["geometry"])) for one in split["units"]) == pytest.approx(unit["area_m2"], abs=0.001)
    named = [{"code": one["code"], "version": one["version"]} for one in split["units"]]
    merged = office.post("/units/reshape.json", district=DISTRICT, op="merge", units=named, name="all").json()
    assert merged["gone"] == [split["units"][1]["code"]]
    listed = office.get("/units/reshapings.json", district=DISTRICT).json()["operations"]
    assert [(one["kind"], one["undoable"]) for one in listed] == [("merged", True), ("split", False), ("drawn", False)]
    for step in (merged, split):
        answer = office.post("/units/reshape.json", district=DISTRICT, op="undo", operation=step["operation"])
        assert answer.status_code == 200, answer.content
    assert office.get(f"/units/{unit['code']}.json").json()["parcels"] == [code(0), code(1)]


def test_an_older_version_is_a_conflict_that_says_how_it_stands(office):
    unit = office.saved("one", 0, 1)
    for wrong in ({"version": 7}, {"version": 1, "edition": 3}):
        answer = office.post(
            "/units/reshape.json",
            district=DISTRICT,
            op="split",
            units=[{"code": unit["code"]} | wrong],
            line=line((100, 0), (100, 100)),
        )
        assert (answer.status_code, answer.json()["theirs"]["version"]) == (409, 1)
    assert Reshaping.objects.count() == 1


def test_a_piece_that_cannot_be_a_unit_is_told_with_its_problems(office):
    unit = office.saved("one", 0, 1)
    answer = office.post(
        "/units/reshape.json",
        district=DISTRICT,
        op="split",
        units=[{"code": unit["code"], "version": 1}],
        line=line((0.01, -5), (0.01, 105)),
    )
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["code"] == "too-small"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"op": "split"},
        {"op": "split", "units": [5]},
        {"op": "split", "units": [{"code": "x", "version": "1"}]},
        {"op": "split", "units": [{"code": "x", "version": 1, "more": 2}]},
        {"op": "merge", "units": [{"code": "x", "version": 1}]},
        {"op": "undo"},
    ],
)
def test_hostile_steps_are_told_and_no_fault_of_ours(office, body):
    assert office.post("/units/reshape.json", district=DISTRICT, **body).status_code == 400


def test_only_who_draws_here_gets_past_the_door(land):
    street = Desk(town.scoped_user(Role.STREET, DISTRICT, STREET))
    unit = street.saved("one", 0, 1)
    step = {
        "district": DISTRICT,
        "op": "split",
        "units": [{"code": unit["code"], "version": 1}],
        "line": line((100, 0), (100, 100)),
    }
    others = {
        None: 401,
        town.scoped_user(Role.LEAD, DISTRICT): 403,
        town.scoped_user(Role.STREET, DISTRICT, OTHER_STREET): 404,
    }
    for user, status in others.items():
        assert Desk(user).post("/units/reshape.json", **step).status_code == status
    assert street.post("/units/reshape.json", **step).status_code == 200
