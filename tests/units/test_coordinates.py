"""A place that somebody types is read in every usual form, and how it was read is told."""

import pytest
from django.utils import translation
from pyproj import Transformer

from units import coordinates

HERE = (117.15, 39.12)
NANKAI_SRID = 4527  # 3° zone 39 with the zone's number
X, Y = 4331836.694, 512971.987  # of HERE in 3° zone 39, without its number


def place(text: str, srid: int | None = NANKAI_SRID):
    found = coordinates.read(text, srid)
    assert found is not None, text
    return found.lng, found.lat


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def test_the_numbers_of_this_test_are_those_of_proj():
    easting, northing = Transformer.from_crs(4490, 4548, always_xy=True).transform(*HERE)
    assert (northing, easting) == pytest.approx((X, Y), abs=0.001)


@pytest.mark.parametrize(
    "text",
    [
        "39.12,117.15",
        "117.15 39.12",
        "117.15，39.12",
        "117.15°E 39.12°N",
        "北纬39.12 东经117.15",
        "东经117.15度，北纬39.12度",
        "E117.15 N39.12",
        "117°09′E 39°07′12″N",
        "117°9'0\" 39°7'12\"",
        "东经117度9分 北纬39度7分12秒",
        "１１７．１５　３９．１２",
    ],
)
def test_degrees_are_read_in_either_order_and_any_writing(text):
    assert place(text) == pytest.approx(HERE, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        f"{X} {Y}",
        f"{Y},{X}",
        f"X={X}, Y={Y}",
        f"X:{X} Y:39{Y}",
        f"{X} 39{Y}",
        f"39{Y} {X}",
    ],
)
def test_metres_are_read_with_and_without_the_zone(text):
    assert place(text) == pytest.approx(HERE, abs=1e-8)  # a millimetre


def test_a_six_degree_zone_is_told_from_a_three_degree_zone_by_its_number():
    easting, northing = Transformer.from_crs(4490, 4498, always_xy=True).transform(*HERE)
    assert str(easting).startswith("20")
    assert place(f"{northing:.3f} {easting:.3f}") == pytest.approx(HERE, abs=1e-7)
    assert "6° zone 20" in coordinates.read(f"{northing:.3f} {easting:.3f}").told


def test_how_the_metres_were_read_is_told():
    assert "3° zone 39, whose number is written before Y" in coordinates.read(f"{X} 39{Y}", NANKAI_SRID).told
    assert "3° zone 39, the district's own" in coordinates.read(f"{X} {Y}", NANKAI_SRID).told


def test_metres_without_a_zone_are_no_place_where_no_district_says_which():
    assert coordinates.read(f"{X} {Y}", None) is None
    assert coordinates.read(f"{X} 39{Y}", None) is not None


@pytest.mark.parametrize(("srid", "zone"), [(4513, 25), (4527, 39), (4533, 45), (4534, 25), (4548, 39), (4554, 45)])
def test_the_zone_of_a_district_is_known_from_its_reference_system(srid, zone):
    assert coordinates.zone_of(srid) == zone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "长虹街道",
        "120104001001GB00001",
        "120104 001001",
        "39.12",
        "39.12 40.5",
        "117.15 39.12 7",
        "2.35 48.85",
        "117°61′ 39°07′",
        "No. 12, 34 Road",
        f"{X} 99{Y}",
        "南开区石榴道 88 号 12",
        "1e400 39",
    ],
)
def test_what_is_no_place_in_china_is_none(text):
    assert coordinates.read(text, NANKAI_SRID) is None
