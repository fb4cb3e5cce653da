"""A file dropped onto the form of a unit becomes its shape, whatever it comes in, with the verdict on its system."""

import numpy as np
import pyproj
import pytest
import shapely
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from tests import town
from tests.importers.containers import boundary_points, database, feature, geojson, polygon
from tests.importers.shapefiles import parts, shapefile, square, zipped
from units.models import RedevelopmentUnit
from units.rights import Role

pytestmark = [pytest.mark.rows("NK021", "NK024"), pytest.mark.usefixtures("nankai")]
DISTRICT = "120104"
TO_DEGREES = pyproj.Transformer.from_crs(4527, 4490, always_xy=True)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def office(nankai):
    client = Client(headers={"Accept": "application/json"})
    client.force_login(town.scoped_user(Role.OFFICE, DISTRICT))
    return client


def dropped(client, *paths, **more):
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in paths]
    return client.post("/map/taken.json", {"district": DISTRICT, "file": files, **more})


def degrees(*rings) -> set[tuple[float, float]]:
    points = np.array([point for ring in rings for point in ring])
    return {(round(x, 9), round(y, 9)) for x, y in zip(*TO_DEGREES.transform(points[:, 0], points[:, 1]), strict=True)}


def corners(told: dict) -> set[tuple[float, float]]:
    points = shapely.get_coordinates(shapely.geometry.shape(told["geometry"]))
    return {(round(float(x), 9), round(float(y), 9)) for x, y in points}


def test_a_shapefile_in_its_parts_or_zipped_gives_the_united_outline_of_its_rows(office, tmp_path):
    path = shapefile(tmp_path / "one")
    loose = dropped(office, *sorted(path.parent.iterdir()))
    assert loose.status_code == 200, loose.content
    told = loose.json()
    assert corners(told) == degrees(square(0), square(1))
    assert (told["rows"], told["parts"], told["holes"], told["layer"]) == (2, 1, 0, "DLTB")
    assert (told["crs"]["epsg"], told["crs"]["verdict"]) == (4527, "sure")
    assert told["crs"]["sentences"]
    packed = dropped(office, zipped(tmp_path / "one.zip", parts(path))).json()
    assert packed["geometry"] == told["geometry"]
    assert not RedevelopmentUnit.objects.exists()


def test_one_row_keeps_its_hole_and_its_parts(office, tmp_path):
    hole = square(0, 0, 20, *(start + 40 for start in square(0)[0]))
    path = geojson(tmp_path / "a.geojson", [feature({}, {"type": "MultiPolygon", "coordinates": [
        polygon(square(0)[::-1], hole)["coordinates"], polygon(square(4)[::-1])["coordinates"]]})])  # fmt: skip
    told = dropped(office, path).json()
    assert (told["parts"], told["holes"], told["rows"]) == (2, 1, 1)
    assert corners(told) == degrees(square(0), hole, square(4))


def test_degrees_are_taken_digit_by_digit(office, tmp_path):
    ring = [[117.1234567890123, 39.1], [117.125, 39.1000000000001], [117.125, 39.101], [117.1234567890123, 39.1]]
    path = geojson(tmp_path / "a.geojson", [feature({}, polygon(ring))], crs="urn:ogc:def:crs:EPSG::4490")
    told = dropped(office, path).json()
    assert sorted(told["geometry"]["coordinates"][0][0]) == sorted(ring)


def test_a_text_of_boundary_points_and_a_database_are_read_too(office, tmp_path):
    told = dropped(office, boundary_points(tmp_path / "界址点.txt", [("1", [square(0)])])).json()
    assert (told["crs"]["epsg"], told["rows"]) == (4527, 1)
    assert corners(told) == degrees(square(0))
    both = database(tmp_path / "规划.gpkg", {"STBHHX": [{"YT": ""}], "GYYQ": [{"YT": ""}]}, shapes=None)
    asked = dropped(office, both)
    assert asked.status_code == 400
    assert (asked.json()["code"], sorted(asked.json()["layers"])) == ("layers", ["GYYQ", "STBHHX"])
    assert dropped(office, both, layer="GYYQ").json()["layers"] == ["STBHHX", "GYYQ"]


def test_a_system_that_cannot_be_told_is_asked_for_and_taken_as_named(office, tmp_path):
    path = shapefile(tmp_path / "a", crs=None, shapes=[[square(0, west=510_000.0)]], rows=[{}])
    answer = dropped(office, *sorted(path.parent.iterdir()))
    assert (answer.status_code, answer.json()["code"]) == (409, "crs")
    told = dropped(office, *sorted(path.parent.iterdir()), crs="EPSG:4548").json()
    assert told["crs"]["epsg"] == 4548
    assert dropped(office, *sorted(path.parent.iterdir()), crs="EPSG:3857").status_code == 400


def test_what_is_no_shape_is_said_and_what_is_broken_is_left_out(office, tmp_path):
    bowtie = [square(3)[at] for at in (0, 2, 1, 3, 0)]
    path = geojson(tmp_path / "a.geojson", [feature({}, polygon(square(0)[::-1])), feature({}, polygon(bowtie))])
    told = dropped(office, path).json()
    assert (told["rows"], len(told["remarks"])) == (1, 1)
    assert "2" in told["remarks"][0]
    text = tmp_path / "note.pdf"
    text.write_bytes(b"%PDF-1.4 nothing")
    for files in ([text], [text, path], []):
        answer = dropped(office, *files)
        assert answer.status_code in (400, 422), answer.content
        assert answer.json()["detail"]


def test_only_who_draws_may_drop_a_file_and_not_too_large_a_one(office, tmp_path, monkeypatch):
    path = geojson(tmp_path / "a.geojson", [feature({}, polygon(square(0)[::-1]))])
    for role, status in ((None, 401), (Role.LEAD, 403)):
        client = Client(headers={"Accept": "application/json"})
        if role:
            client.force_login(town.scoped_user(role, DISTRICT))
        assert dropped(client, path).status_code == status
    monkeypatch.setattr("importers.views.taken.LARGEST", 100)
    answer = dropped(office, path)
    assert (answer.status_code, answer.json()["code"]) == (400, "too-large")
