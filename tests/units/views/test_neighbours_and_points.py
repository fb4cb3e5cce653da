"""The map asks about what is drawn: boundary points that were pasted, and the drafts beside a unit."""

import json

import pytest
import town
from django.contrib.gis.geos import GEOSGeometry

from units.models import District, RedevelopmentUnit
from units.rights import Role
from units.spatial import STORAGE_SRID

NANKAI = "120104"
EDGE = 117.152


def square(west: float, east: float) -> GEOSGeometry:
    text = f"MULTIPOLYGON((({west} 39.1, {east} 39.1, {east} 39.101, {west} 39.101, {west} 39.1)))"
    return GEOSGeometry(text, srid=STORAGE_SRID)


@pytest.fixture
def asked(client, db):
    """Ask as the office of the district; three drafts: two share an edge, one lies away."""
    place = District.objects.create(code=NANKAI, name="南开区", srid=4527, geom=square(117.1, 117.2))
    by = town.scoped_user(Role.OFFICE, place.code)
    client.force_login(by)
    for number, (west, east) in enumerate(((117.151, EDGE), (EDGE, 117.153), (117.156, 117.157)), start=1):
        RedevelopmentUnit.objects.create(
            district=place,
            code=f"{NANKAI}DY000{number}",
            name=str(number),
            geom=square(west, east),
            base_survey_year=2022,
            created_by=by,
        )
    return client


def test_the_drafts_beside_a_unit_are_told_with_their_very_numbers_and_versions(asked):
    answer = asked.get(f"/map/neighbours.json?district={NANKAI}&unit={NANKAI}DY0001")
    assert answer.status_code == 200, answer.content
    (other,) = answer.json()["units"]
    assert (other["code"], other["version"]) == (f"{NANKAI}DY0002", 1)
    assert [EDGE, 39.1] in other["geometry"]["coordinates"][0][0]


def test_pasted_points_are_a_shape_and_one_is_a_point(asked):
    def pasted(text):
        body = json.dumps({"district": NANKAI, "text": text})
        return asked.post("/map/corners.json", body, content_type="application/json")

    answer = pasted("1 117.15 39.1\n2 117.151 39.1\n3 117.151 39.101").json()
    assert answer["points"] == 3
    assert answer["geometry"]["coordinates"][0][0][0] == [117.15, 39.1]
    assert pasted("117.15 39.1").json()["point"] == [117.15, 39.1]
    refused = pasted("1 2 3")
    assert refused.status_code == 400
    assert "1: 1 2 3" in refused.json()["detail"]
