"""A consumer's journey: GDAL and geopandas read the served site, signed in and as nobody."""

import base64
import json
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas
import pyogrio
import pytest
import town

NAME = "R5.120104"
CREDENTIALS = f"{NAME}:{town.PASSWORD}"
FILL = """
import town
from units.rights import Role
town.build()
town.scoped_user(Role.OFFICE, town.NANKAI)
town.scoped_user(Role.CO, town.NANKAI)
"""
pytestmark = pytest.mark.rows("NK064", "NK068")


@pytest.fixture(scope="module")
def site(served):
    done = served.manage("shell", "-c", FILL, PYTHONPATH=str(Path(__file__).parent.parent))
    assert done.returncode == 0, done.stderr
    return served


def ogrinfo(site, *arguments: str, signed_in: bool = True) -> subprocess.CompletedProcess:
    command = ["ogrinfo", "-ro", *arguments, f"OAPIF:{site.base_url}/ogc"]
    command += ["-oo", f"USERPWD={CREDENTIALS}"] if signed_in else []
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def fetch(site, path: str, credentials: str = "", **headers: str):
    if credentials:
        headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
    request = urllib.request.Request(site.base_url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def test_a_program_that_asks_many_things_at_once_is_not_taken_for_a_guesser(site):
    with ThreadPoolExecutor(14) as pool:
        address = "/ogc/collections/parcels/items?limit=1"
        answers = list(pool.map(lambda _: fetch(site, address, CREDENTIALS)[0], range(28)))
    assert answers == [200] * 28


def test_many_guesses_at_once_are_counted_like_many_in_a_row(site):
    with ThreadPoolExecutor(14) as pool:
        answers = list(pool.map(lambda n: fetch(site, "/ogc/collections/parcels", f"x:guess {n}")[0], range(14)))
    assert sorted(answers) == [401] * 5 + [429] * 9


def test_ogrinfo_reads_every_layer_with_a_password(site):
    done = ogrinfo(site, "-al", "-so")
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    told = done.stdout
    for layer in ("parcels", "candidates", "patches", "buildings", "units", "problems", "control-areas"):
        assert f"Layer name: {layer}\n" in told
    parcels = told.partition("Layer name: parcels\n")[2].partition("Layer name:")[0]
    assert "Feature Count: 3" in parcels
    assert "Extent: (117.100000, 39.100000) - (117.103000, 39.101000)" in parcels
    assert "right_holder: String" in parcels
    assert "area_m2: Real" in parcels
    assert "base_survey: Integer" in parcels


def test_ogrinfo_reads_candidates_with_their_reasons(site):
    done = ogrinfo(site, "-al", "-geom=SUMMARY")
    candidates = done.stdout.partition("Layer name: candidates\n")[2].partition("Layer name:")[0]
    assert candidates.count("OGRFeature(candidates)") == 3
    assert "IND-FAR" in candidates
    assert "MULTIPOLYGON" in candidates


def test_ogrinfo_without_a_password_sees_what_the_public_may(site):
    done = ogrinfo(site, "-al", signed_in=False)
    assert done.returncode == 0, done.stderr
    layers = [line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("Layer name: ")]
    assert layers == ["units"]
    assert "Feature Count: 2" in done.stdout
    assert town.HOLDER not in done.stdout
    assert "Unit 1" not in done.stdout


def test_geopandas_reads_parcels_and_candidates(site):
    for layer in ("parcels", "candidates"):
        frame = geopandas.read_file(f"OAPIF:{site.base_url}/ogc", layer=layer, USERPWD=CREDENTIALS)
        assert len(frame) == 3
        assert frame.geometry.is_valid.all()
        west, south, east, north = frame.to_crs(4326).total_bounds
        assert (west, south, east, north) == pytest.approx((117.1, 39.1, 117.103, 39.101), abs=1e-8)


def test_geopandas_reads_a_box(site):
    box = (117.1002, 39.1002, 117.1004, 39.1004)
    frame = geopandas.read_file(f"OAPIF:{site.base_url}/ogc", layer="parcels", bbox=box, USERPWD=CREDENTIALS)
    assert list(frame["code"].str[-1]) == ["0"]


def test_gdal_asks_for_another_reference_system_and_gets_it_the_right_way_round(site):
    info = pyogrio.read_info(f"OAPIF:{site.base_url}/ogc", layer="parcels", USERPWD=CREDENTIALS)
    assert info["features"] == 3
    frame = geopandas.read_file(
        f"OAPIF:{site.base_url}/ogc",
        layer="parcels",
        USERPWD=CREDENTIALS,
        CRS="http://www.opengis.net/def/crs/EPSG/0/4548",
    )
    assert frame.crs.to_epsg() == 4548
    west, south, _east, _north = frame.total_bounds
    assert 400_000 < west < 600_000
    assert 4_300_000 < south < 4_400_000


def test_geopandas_as_nobody_reads_approved_units_and_not_one_parcel(site):
    frame = geopandas.read_file(f"OAPIF:{site.base_url}/ogc", layer="units")
    assert sorted(frame["code"]) == ["U0", "U3"]
    with pytest.raises(pyogrio.errors.DataSourceError, match="401"):
        geopandas.read_file(f"OAPIF_COLLECTION:{site.base_url}/ogc/collections/parcels")


def test_a_wrong_password_is_told_so(site):
    status, headers, body = fetch(site, "/ogc/collections", f"{NAME}:wrong")
    assert status == 401
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["code"] == "sign-in"


def test_a_co_department_reads_no_right_holder_anywhere(site):
    credentials = f"R4.120104:{town.PASSWORD}"
    for name in ("parcels", "candidates"):
        status, _headers, body = fetch(site, f"/ogc/collections/{name}/items", credentials)
        assert status == 200
        assert town.HOLDER.encode() not in body


def test_head_over_the_wire_has_headers_and_no_body(site):
    request = urllib.request.Request(f"{site.base_url}/ogc/collections/units/items", method="HEAD")
    with urllib.request.urlopen(request, timeout=60) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/geo+json"
        assert response.headers["Content-Crs"]
        assert response.read() == b""
