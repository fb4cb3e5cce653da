"""What a tile holds, for whom, and how long it may be kept."""

import math
from datetime import timedelta

import pytest
import town
from django.test import Client
from django.utils import timezone

from tiles import layers, rendering
from tiles.layers import Layer
from units.models import Parcel, Scope
from units.rights import Role

INSIDE = ("patches", "parcels", "buildings", "candidates", "legacy", "control-areas", "findings")


def place(lng: float, lat: float, zoom: int) -> tuple[int, int]:
    """The tile that holds a place."""
    x = (lng + 180) / 360 * 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**zoom
    return int(x), int(y)


def address(layer: str, zoom: int, lng: float = 117.1015, lat: float = 39.1025) -> str:
    x, y = place(lng, lat, zoom)
    return f"/tiles/{layer}/{zoom}/{x}/{y}.mvt"


@pytest.mark.rows("NK011")
def test_a_planner_gets_the_parcels_of_his_district_and_no_other(looker, tile_of):
    answer = looker(Role.OFFICE, town.NANKAI).get(address("parcels", 13))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    found = tile_of(answer.content)["parcels"]
    assert {one.attributes["code"][:6] for one in found} == {town.NANKAI}
    assert len(found) == 3


def test_a_shape_lies_where_the_parcel_lies(looker, tile_of):
    zoom = 16
    parcel = Parcel.objects.get(code=f"{town.NANKAI}001001GB00000")
    west, south, east, north = parcel.geom.extent
    x, y = place((west + east) / 2, (south + north) / 2, zoom)
    answer = looker(Role.OFFICE, town.NANKAI).get(f"/tiles/parcels/{zoom}/{x}/{y}.mvt")
    found = next(one for one in tile_of(answer.content)["parcels"] if one.fid == parcel.pk)
    column = [px for px, _py in found.shape[0]]
    expected = ((west + 180) / 360 * 2**zoom - x) * rendering.EXTENT
    margin = rendering.BUFFER * rendering.EXTENT
    assert min(column) == pytest.approx(max(expected, -margin), abs=1)


def test_a_street_office_gets_its_own_street_only(looker, tile_of):
    answer = looker(Role.STREET, town.NANKAI, "120104002").get(address("candidates", 13))
    assert [one.attributes["code"] for one in tile_of(answer.content)["candidates"]] == ["120104001001GB00001"]


@pytest.mark.rows("NK068")
def test_nobody_signed_in_gets_no_tile_of_what_is_restricted(looker):
    for layer in INSIDE:
        for path in (address(layer, 16), f"/tiles/{layer}.json"):
            answer = looker().get(path)
            assert answer.status_code == 401, path
            assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.rows("NK068")
def test_the_public_gets_approved_units_and_no_draft(looker, tile_of):
    answer = looker().get(address("units", 14, lat=39.1045))
    found = tile_of(answer.content)["units"]
    assert {one.attributes["state"] for one in found} == {"approved"}
    assert {one.attributes["code"] for one in found} == {"U0", "U3"}


def test_a_column_is_left_out_for_those_who_may_not_see_it(looker, tile_of, monkeypatch):
    with_holder = Layer("parcels", ("code", "right_holder"), minzoom=13)
    monkeypatch.setitem(layers.LAYERS, "parcels", with_holder)
    office = tile_of(looker(Role.OFFICE, town.NANKAI).get(address("parcels", 13)).content)["parcels"]
    co = tile_of(looker(Role.CO, town.NANKAI).get(address("parcels", 13)).content)["parcels"]
    assert {one.attributes.get("right_holder") for one in office} == {town.HOLDER}
    assert {one.attributes.get("right_holder") for one in co} == {None}


def test_a_column_is_left_out_row_by_row_for_one_with_two_roles(looker, tile_of, monkeypatch):
    monkeypatch.setitem(layers.LAYERS, "parcels", Layer("parcels", ("code", "right_holder"), minzoom=13))
    user = town.scoped_user(Role.CO, town.NANKAI)
    office = town.scoped_user(Role.OFFICE, town.HEPING).scopes.get().group
    Scope.objects.create(user=user, group=office, district_id=town.HEPING)
    client = Client()
    client.force_login(user)
    found = tile_of(client.get(address("parcels", 13)).content)["parcels"]
    holders = {one.attributes["code"][:6]: one.attributes.get("right_holder") for one in found}
    assert holders == {town.NANKAI: None, town.HEPING: town.HOLDER}


def test_far_out_candidates_are_points_and_patches_carry_their_class_alone(looker, tile_of):
    client = looker(Role.OFFICE, town.NANKAI)
    far, near = (tile_of(client.get(address("candidates", zoom)).content)["candidates"] for zoom in (12, 13))
    assert ({one.kind for one in far}, {one.kind for one in near}) == ({1}, {3})
    far, near = (tile_of(client.get(address("patches", zoom)).content)["patches"] for zoom in (13, 14))
    assert {frozenset(one.attributes) for one in far} == {frozenset({"dlbm"})}
    assert all({"bsm", "dlbm", "area_m2"} <= set(one.attributes) for one in near)


def test_a_patch_smaller_than_a_pixel_is_not_sent_far_out(looker):
    client = looker(Role.OFFICE, town.NANKAI)
    assert client.get(address("patches", 12)).status_code == 200  # 9,600 m²; a pixel is 38 m wide
    assert client.get(address("patches", 11)).status_code == 200  # 76 m
    layer = Layer("patches", ("dlbm",), minzoom=8, full_from=14, few=("dlbm",))
    view = layer.collection.seen_by(town.scoped_user(Role.OFFICE, town.NANKAI).grants())
    assert rendering.render(layer, view, 10, *place(117.1015, 39.1025, 10)) == b""  # 153 m


def test_below_its_first_zoom_and_where_nothing_lies_a_tile_is_empty(looker):
    client = looker(Role.OFFICE, town.NANKAI)
    for path in (address("parcels", 12), address("buildings", 14), address("parcels", 16, lng=100.0)):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (204, b"")


def test_a_tile_is_not_sent_twice_until_the_data_change(looker):
    client = looker(Role.OFFICE, town.NANKAI)
    first = client.get(address("parcels", 14))
    again = client.get(address("parcels", 14), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Parcel.objects.filter(code=f"{town.NANKAI}001001GB00000").update(address="moved")
    after = client.get(address("parcels", 14), headers={"If-None-Match": first["ETag"]})
    assert after.status_code == 200
    assert after["ETag"] != first["ETag"]


def test_tilejson_gives_an_address_that_carries_the_version_and_may_be_kept(looker):
    client = looker(Role.OFFICE, town.NANKAI)
    told = client.get("/tiles/parcels.json").json()
    assert told["tilejson"] == "3.0.0"
    assert (told["minzoom"], told["vector_layers"][0]["id"]) == (13, "parcels")
    x, y = place(117.1015, 39.1025, 14)
    tile = told["tiles"][0].replace("{z}", "14").replace("{x}", str(x)).replace("{y}", str(y))
    assert tile.startswith("http://testserver/tiles/parcels/14/")
    assert "immutable" in client.get(tile)["Cache-Control"]
    assert client.get(tile)["Cache-Control"].startswith("private")
    Parcel.objects.filter(code=f"{town.NANKAI}001001GB00000").update(address="moved")
    assert client.get(tile)["Cache-Control"] == "private, no-cache"  # that version is gone
    assert client.get("/tiles/parcels.json").json()["tiles"] != told["tiles"]


def test_findings_are_another_version_from_midnight_on_for_a_waiver_ends_then(looker, monkeypatch):
    client = looker(Role.OFFICE, town.NANKAI)
    before = {name: client.get(f"/tiles/{name}.json").json()["tiles"] for name in ("findings", "parcels")}
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr("units.collections.timezone.now", lambda: tomorrow)
    client = looker(Role.OFFICE, town.NANKAI)  # the session of yesterday has ended
    after = {name: client.get(f"/tiles/{name}.json").json()["tiles"] for name in ("findings", "parcels")}
    assert after["findings"] != before["findings"]
    assert after["parcels"] == before["parcels"]


def test_a_tilejson_in_another_language_is_not_taken_for_the_one_at_hand(looker):
    client = looker(Role.OFFICE, town.NANKAI)
    first = client.get("/tiles/parcels.json")
    assert client.get("/tiles/parcels.json", headers={"If-None-Match": first["ETag"]}).status_code == 304
    client.cookies["django_language"] = "en"
    other = client.get("/tiles/parcels.json", headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200
    assert other.json()["name"] != first.json()["name"]


def test_two_readers_with_different_rights_never_share_an_address(looker):
    office = looker(Role.OFFICE, town.NANKAI).get("/tiles/parcels.json")
    street = looker(Role.STREET, town.NANKAI, "120104001").get("/tiles/parcels.json")
    assert office.json()["tiles"] != street.json()["tiles"]
    assert "Cookie" in office["Vary"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/parcels/21/0/0.mvt", 404),
        ("/tiles/parcels/14/16384/0.mvt", 404),
        ("/tiles/parcels/14/0/16384.mvt", 404),
        ("/tiles/parcels/999999999999/0/0.mvt", 404),
        ("/tiles/parcels/14/-1/0.mvt", 404),
        ("/tiles/parcels/a/b/c.mvt", 404),
        ("/tiles/nothing/14/0/0.mvt", 400),
        ("/tiles/nothing.json", 400),
    ],
)
def test_an_address_that_leads_to_no_tile_is_a_problem_and_never_a_tile(looker, path, status):
    answer = looker(Role.OFFICE, town.NANKAI).get(path)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_a_tile_that_takes_too_long_is_given_up(looker, monkeypatch):
    monkeypatch.setattr(rendering, "STATEMENT_MILLISECONDS", 30)
    monkeypatch.setattr(rendering, "question", lambda *_all: ("SELECT pg_sleep(20)", {}))
    answer = looker(Role.OFFICE, town.NANKAI).get(address("parcels", 14))
    assert answer.status_code == 503
    assert answer.json()["code"] == "busy"


def test_every_layer_is_a_collection_with_the_attributes_it_names(db):
    for layer in layers.LAYERS.values():
        assert set(layer.attributes) <= set(layer.collection.names)
        assert set(layer.few) <= set(layer.attributes)
        assert rendering.render(layer, layer.collection.seen_by(()), 16, 0, 0) == b""
