"""The reference system is told by parameters and numbers: right, or asked for, and never silently wrong."""

import pyproj
import pytest
from django.utils import translation

from importers.sniffing_crs import BY_EPSG, ZONES, crs_of, degrees_box
from tests.importers.shapefiles import prj

NANKAI = (117.10, 39.05, 117.20, 39.16)
IN_4527 = (39_508_700.0, 4_325_000.0, 39_515_000.0, 4_333_000.0)
IN_4548 = (508_700.0, 4_325_000.0, 515_000.0, 4_333_000.0)
DEGREES = (117.11, 39.06, 117.19, 39.15)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def flipped(box):
    return box[1], box[0], box[3], box[2]


def test_the_zones_are_those_of_the_registry():
    for zone in ZONES:
        values = {one.name: one.value for one in pyproj.CRS.from_epsg(zone.epsg).coordinate_operation.params}
        assert values["Longitude of natural origin"] == zone.meridian
        assert values["False easting"] == zone.false_easting
    assert len(BY_EPSG) == 64


@pytest.mark.parametrize(
    ("epsg", "extent"),
    [(4527, IN_4527), (4548, IN_4548), (4490, DEGREES)],
)
@pytest.mark.parametrize("form", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_a_good_prj_is_sure(epsg, extent, form):
    found = crs_of(pyproj.CRS.from_epsg(epsg).to_wkt(form), extent, NANKAI)
    assert (found.epsg, found.verdict) == (epsg, "sure")
    assert any("The coordinates a" in line for line in found.evidence)


@pytest.mark.parametrize(("epsg", "extent"), [(4527, IN_4527), (4490, DEGREES)])
def test_longitudes_that_are_not_counted_from_greenwich_are_refused(epsg, extent):
    text = prj(epsg)
    assert 'PRIMEM["Greenwich",0.0]' in text
    found = crs_of(text.replace('PRIMEM["Greenwich",0.0]', 'PRIMEM["Paris",2.33722917]'), extent, NANKAI)
    assert (found.epsg, found.verdict) == (None, "refused")
    assert "Paris (2.33722917), not from Greenwich" in found.evidence[-1]


def test_a_prj_made_by_hand_is_read_by_its_parameters():
    made = (
        'PROJCS["mine",GEOGCS["CGCS_2000",DATUM["D_2000",SPHEROID["S_2000",6378137.0,298.2572221010041]],'
        'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
        'PARAMETER["False_Easting",39500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",117.0],'
        'PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
    )
    found = crs_of(made, IN_4527, NANKAI)
    assert (found.epsg, found.verdict) == (4527, "sure")
    assert "mine" in found.evidence[0]


def test_a_wgs84_zone_is_likely_and_read_as_cgcs2000():
    made = prj(4548).replace("298.257222101", "298.257223563")
    assert crs_of(made, IN_4548, NANKAI).told()["epsg"] == 4548
    assert crs_of(made, IN_4548, NANKAI).verdict == "likely"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (prj(2363), "Xian 1980"),
        (prj(2384), "Xian 1980"),
        (prj(4610), "Xian 1980"),
        (prj(2415), "Beijing 1954"),
        (prj(4214), "Beijing 1954"),
        (prj(4548).replace("117.0", "118.8333333333333"), "local"),
        (prj(4548).replace('"Scale_Factor",1.0', '"Scale_Factor",0.9996'), "local system"),
        (prj(4527).replace("39500000.0", "40500000.0"), "No national zone"),
        (prj(3857), "not Gauss"),
        (prj(32650), "local system"),
        (prj(4326).replace("298.257223563", "299.0"), "CGCS2000 is wanted"),
    ],
)
def test_a_system_that_has_no_way_to_cgcs2000_is_refused_with_the_reason(made, why):
    found = crs_of(made, None, NANKAI)
    assert (found.epsg, found.verdict) == (None, "refused")
    assert why in " ".join(found.evidence)


@pytest.mark.parametrize(
    ("epsg", "extent", "why"),
    [
        (4527, IN_4548, "do not carry the zone number"),
        (4548, IN_4527, "carry a zone number, and none is declared"),
        (4528, IN_4527, "do not carry the zone number"),
        (4527, DEGREES, "degrees, though metres"),
        (4548, DEGREES, "degrees, though metres"),
        (4490, IN_4527, "no degrees in China"),
        (4548, (0.0, 0.0, 10.0, 10.0), "no northing"),
    ],
)
def test_a_prj_that_the_numbers_contradict_is_asked_about(epsg, extent, why):
    found = crs_of(prj(epsg), extent, NANKAI)
    assert (found.epsg, found.verdict) == (None, "ask")
    assert why in " ".join(found.evidence)


@pytest.mark.parametrize(("epsg", "extent"), [(4490, DEGREES), (4527, IN_4527), (4548, IN_4548)])
def test_swapped_axes_are_read_the_other_way_round_only_where_the_district_bears_it_out(epsg, extent):
    found = crs_of(prj(epsg), flipped(extent), NANKAI)
    assert (found.epsg, found.verdict, found.swapped) == (epsg, "likely", True)
    assert "the axes are swapped" in " ".join(found.evidence)
    assert found.warnings == [("2-axes-swapped", f"EPSG:{epsg}", "")]
    assert degrees_box(flipped(extent), found.way) == pytest.approx(degrees_box(extent, epsg), abs=1e-6)
    unknown = crs_of(prj(epsg), flipped(extent), None)
    assert (unknown.epsg, unknown.verdict) == (None, "ask")
    elsewhere = crs_of(prj(epsg), flipped(extent), (118.6, 31.9, 118.9, 32.2))
    assert (elsewhere.epsg, elsewhere.verdict) == (None, "ask")


@pytest.mark.parametrize(
    ("extent", "district", "epsg", "verdict"),
    [
        (IN_4527, NANKAI, 4527, "likely"),
        (IN_4548, NANKAI, None, "ask"),  # UTM has nearly the same numbers
        (DEGREES, NANKAI, 4490, "likely"),
        (IN_4527, None, None, "ask"),
        (IN_4548, None, None, "ask"),
        (DEGREES, None, None, "ask"),
        (flipped(IN_4527), NANKAI, 4527, "likely"),
        ((13_036_000.0, 4_720_000.0, 13_046_000.0, 4_735_000.0), NANKAI, None, "ask"),
        ((40_508_700.0, 4_325_000.0, 40_515_000.0, 4_333_000.0), NANKAI, None, "ask"),
        ((0.0, 0.0, 1.0, 1.0), NANKAI, None, "ask"),
    ],
)
def test_without_a_prj_numbers_and_district_decide_or_nobody_does(extent, district, epsg, verdict):
    found = crs_of(None, extent, district)
    assert (found.epsg, found.verdict) == (epsg, verdict)
    assert found.evidence[0] == "There is no .prj."


def test_a_layer_far_from_its_district_is_asked_about_and_what_would_fit_is_named():
    found = crs_of(prj(4549), IN_4548, NANKAI)
    assert (found.epsg, found.verdict) == (None, "ask")
    said = " ".join(found.evidence)
    assert "km away from the district" in said
    assert "Read as EPSG:4548 it would lie at the district" in said


def test_html_saved_as_prj_is_asked_about():
    found = crs_of("<html><body>404</body></html>", IN_4527, NANKAI)
    assert (found.epsg, found.verdict) == (None, "ask")


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("298.257222101]]", "298.257222101],TOWGS84[0,0,0,0,0,0,0]]", "sure"),
        ("298.257222101]]", "298.257222101],TOWGS84[0,0,0]]", "sure"),
        ("298.257222101]]", "298.257222101],TOWGS84[100,-80,60,0,0,0,0]]", "ask"),
        ("298.257222101]]", "298.257222101],TOWGS84[0,0,0,0,0,0,1.5]]", "ask"),
        ("D_China_2000", "1980西安坐标系", "ask"),
        ("CGCS2000_3_Degree_GK_Zone_39", "1954年北京坐标系_3度带_39", "ask"),
        ('UNIT["Degree",0.0174532925199433]', 'UNIT["Grad",0.01570796326794897]', "refused"),
    ],
)
def test_a_prj_with_the_numbers_of_cgcs2000_that_says_another_datum_or_other_angles_is_not_sure(before, after, verdict):
    text = prj(4527)
    assert before in text
    found = crs_of(text.replace(before, after), IN_4527, NANKAI)
    assert (found.verdict, found.epsg) == (verdict, 4527 if verdict == "sure" else None)


def test_a_way_to_another_datum_by_a_grid_is_asked_about_and_no_file_is_opened():
    own, other = prj(4527), prj(4326)
    way = 'METHOD["NTv2"],PARAMETERFILE["Latitude and longitude difference file","/etc/passwd"]'
    text = f'BOUNDCRS[SOURCECRS[{own}],TARGETCRS[{other}],ABRIDGEDTRANSFORMATION["x",{way}]]'
    found = crs_of(text, IN_4527, NANKAI)
    assert (found.verdict, found.epsg) == ("ask", None)
