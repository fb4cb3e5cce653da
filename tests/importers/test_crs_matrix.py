"""Where a layer lies: right within a metre, or asked about, or refused; every trap of systems in one table."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

import numpy as np
import pyproj
import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management import call_command
from django.utils import translation

from importers.delivered import reopened
from importers.inspecting import inspect
from importers.loading import load
from importers.placing import bd09, gcj02
from importers.shaping import GEOD
from tests.importers.shapefiles import patch, prj, shapefile
from units.errors import Refused, UnknownName, UsageError
from units.models import Delivery, District, LandUsePatch, Refusal
from units.spatial import METRES_OF_A_DEGREE

NANKAI, NANJING, EDGE, ELSEWHERE = (117.15, 39.1), (118.78, 32.05), (118.5, 33.0), (113.3, 23.1)
AWAY = (117.9, 39.6)  # from Nankai, in the same zone
CITY = "+proj=tmerc +lat_0=39 +lon_0=117.0833 +k=1 +x_0=50000 +y_0=20000 +ellps=GRS80"
CITY_PIPELINE = f"""+proj=pipeline  # the city's own frame
+step +inv {CITY}
+step +proj=unitconvert +xy_in=rad +xy_out=deg
"""
HTML = "<html><body>404 Not Found</body></html>"
COUNT = 6


def projected(system) -> Callable:
    """From degrees of CGCS2000 to the numbers of a system, by projection alone: no datum is changed."""
    crs = pyproj.CRS.from_user_input(system)
    if crs.is_geographic:
        return lambda lon, lat: (lon, lat)
    return pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform


def swapped(system) -> Callable:
    made = projected(system)
    return lambda lon, lat: made(lon, lat)[::-1]


def named(epsg: int, text: str, instead: str) -> str:
    """A .prj with something else in place of a part of it."""
    made = prj(epsg)
    assert text in made
    return made.replace(text, instead)


@dataclass
class Cell:
    """A layer around `at`, written by `way` under a .prj; what must be thought of it.

    `why` stands in the message or in the evidence. `areas` says whether the rows give their areas. `stray` rows lie
    far away, `others` are written by another way, one row in so many. `district` is where the district is, or
    None for nowhere.
    """

    name: str
    text: str | None
    way: Callable
    verdict: str
    epsg: int | None = None
    why: str = ""
    at: tuple[float, float] = NANKAI
    district: tuple[float, float] | None = NANKAI
    given: str | None = None
    areas: bool = True
    stray: tuple[float, float] | None = None
    others: tuple[Callable, int] | None = None
    told: str = ""
    swapped: bool = False

    def __str__(self):
        return self.name


WGS_ZONE = prj(4548).replace("298.257222101", "298.257223563")
PARIS = prj(4527).replace('PRIMEM["Greenwich",0.0]', 'PRIMEM["Paris",2.33722917]')
WITH_HEIGHT = pyproj.crs.CompoundCRS("both", [pyproj.CRS(4527), pyproj.CRS(5737)]).to_wkt()
BOUND = pyproj.CRS("+proj=tmerc +lon_0=117 +k=1 +x_0=39500000 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0").to_wkt("WKT1_GDAL")
LOCAL = pyproj.CRS(CITY + " +type=crs").to_wkt("WKT1_ESRI")

CHINESE = named(4527, "CGCS2000_3_Degree_GK_Zone_39", "国家大地坐标系")
NAMED_120 = named(4548, "CM_117E", "CM_120E")
OFF_EQUATOR = named(4548, 'Of_Origin",0.0', 'Of_Origin",30.0')
SCALED = named(4548, '"Scale_Factor",1.0', '"Scale_Factor",0.9996')
FEET = named(4548, 'UNIT["Meter",1.0]', 'UNIT["Foot_US",0.3048006096012192]')
AT_ODDS = named(4527, "39500000.0", "40500000.0")
NO_ZONE = projected(4548)
OVERRIDDEN = "2-crs-overridden"

MATRIX = [
    # a .prj that is right, in whatever dialect
    Cell("3 degrees with zone", prj(4527), projected(4527), "sure", 4527),
    Cell("3 degrees without zone", prj(4548), projected(4548), "sure", 4548),
    Cell("degrees", prj(4490), projected(4490), "sure", 4490),
    Cell("WKT1 of GDAL", pyproj.CRS(4527).to_wkt("WKT1_GDAL"), projected(4527), "sure", 4527),
    Cell("WKT2", pyproj.CRS(4527).to_wkt("WKT2_2019"), projected(4527), "sure", 4527),
    Cell("6 degrees with zone", prj(4498), projected(4498), "sure", 4498),
    Cell("6 degrees without zone", prj(4509), projected(4509), "sure", 4548),
    Cell("names in Chinese", CHINESE, projected(4527), "sure", 4527),
    Cell("with heights", WITH_HEIGHT, projected(4527), "sure", 4527),
    Cell("with a datum shift of zero", BOUND, projected(4527), "sure", 4527),
    Cell("WGS 84 degrees", prj(4326), projected(4326), "sure", 4326),
    Cell("WGS 84 in a zone", WGS_ZONE, projected(4548), "likely", 4548, "WGS 84 and CGCS2000 differ"),
    # no .prj, or none that can be read
    Cell("no prj, zone", None, projected(4527), "likely", 4527, told="1-no-prj"),
    Cell("no prj, zone of 6 degrees", None, projected(4498), "likely", 4498, told="1-no-prj"),
    Cell("no prj, degrees", None, projected(4490), "likely", 4490, told="1-no-prj"),
    Cell("no prj, no zone, areas agree", None, projected(4548), "likely", 4548, "areas that the rows give are those"),
    Cell("no prj, no zone, no areas", None, projected(4548), "ask", why="or UTM", areas=False),
    Cell("no prj, UTM", None, projected(32650), "ask", why="UTM 50N"),
    Cell("no prj, UTM, no areas", None, projected(32650), "ask", why="or UTM", areas=False),
    Cell("no prj, Web Mercator", None, projected(3857), "ask", why="does not lie at the district"),
    Cell("no prj, axes swapped", None, swapped(4527), "likely", 4527, told="2-axes-swapped", swapped=True),
    Cell("no prj, degrees swapped", None, swapped(4490), "likely", 4490, told="2-axes-swapped", swapped=True),
    Cell("no prj, a local origin", None, projected(CITY), "ask", why="fit no system"),
    Cell("no prj, district unknown", None, projected(4527), "ask", why="nothing here confirms", district=None),
    Cell("empty prj", "", projected(4527), "likely", 4527, "The .prj is empty"),
    Cell("HTML as prj", HTML, projected(4527), "ask", why="no coordinate system"),
    Cell("garbage as prj", "\x00\x07�GAUSS", projected(4527), "ask", why="no coordinate system"),
    # a .prj that the numbers contradict
    Cell("zone in the numbers only", prj(4548), projected(4527), "ask", why="none is declared"),
    Cell("zone in the prj only", prj(4527), projected(4548), "ask", why="do not carry the zone number"),
    Cell("another zone's prj", prj(4528), projected(4527), "ask", why="Read as EPSG:4527"),
    Cell("another meridian's prj", prj(4549), projected(4548), "ask", why="Read as EPSG:4548"),
    Cell("degrees under metres", prj(4527), projected(4490), "ask", why="degrees, though metres"),
    Cell("metres under degrees", prj(4490), projected(4527), "ask", why="no degrees in China"),
    Cell("swapped, with zone", prj(4527), swapped(4527), "likely", 4527, told="2-axes-swapped", swapped=True),
    Cell("swapped, without zone", prj(4548), swapped(4548), "likely", 4548, told="2-axes-swapped", swapped=True),
    Cell("swapped degrees", prj(4490), swapped(4490), "likely", 4490, told="2-axes-swapped", swapped=True),
    Cell("swapped, district unknown", prj(4527), swapped(4527), "ask", why="axes are swapped", district=None),
    Cell("UTM under a zone's prj", prj(4548), projected(32650), "ask", why="right in UTM 50N"),
    Cell("a local frame under a zone's prj", prj(4548), projected(CITY), "ask", why="no northing in China"),
    Cell("name of 117, parameters of 120", named(4549, "CM_120E", "CM_117E"), projected(4548), "ask", why="CM_117"),
    Cell("name of 120, parameters of 117", NAMED_120, projected(4548), "likely", 4548, "CM_120"),
    Cell("name of Xian 1980", named(4527, "CGCS2000_3", "Xian_1980_3"), projected(4527), "ask", why="Xian_1980"),
    Cell("two systems, half and half", prj(4527), projected(4527), "ask", why="two systems", others=(NO_ZONE, 2)),
    Cell("two systems, one row of three", prj(4527), projected(4527), "ask", why="two systems", others=(NO_ZONE, 3)),
    # a .prj of what is no national system
    Cell("UTM", prj(32650), projected(32650), "refused", why="local system"),
    Cell("Web Mercator", prj(3857), projected(3857), "refused", why="not Gauss"),
    Cell("Xian 1980", prj(2363), projected(4527), "refused", why="Xian 1980"),
    Cell("Xian 1980 degrees", prj(4610), projected(4490), "refused", why="Xian 1980"),
    Cell("Beijing 1954", prj(2415), projected(4527), "refused", why="Beijing 1954"),
    Cell("a city's frame", LOCAL, projected(CITY), "refused", why="--crs FILE"),
    Cell("origin off the equator", OFF_EQUATOR, projected(4548), "refused", why="local system"),
    Cell("scale 0.9996", SCALED, projected(4548), "refused", why="local system"),
    Cell("feet", FEET, projected(4548), "refused", why="not the metre"),
    Cell("longitudes of Paris", PARIS, projected(4527), "refused", why="Paris"),
    Cell("zone and meridian at odds", AT_ODDS, projected(4527), "refused", why="No national zone"),
    # where it lies
    Cell("rows gone astray", prj(4527), projected(4527), "sure", 4527, "far from the others", stray=ELSEWHERE),
    Cell("another district's layer", prj(4527), projected(4527), "ask", why="km away from the district", at=AWAY),
    Cell("at a zone's edge, zone 39", prj(4548), projected(4548), "sure", 4548, at=EDGE, district=EDGE),
    Cell("at a zone's edge, zone 40", prj(4549), projected(4549), "sure", 4549, at=EDGE, district=EDGE),
    Cell("at a zone's edge, no prj", None, projected(4549), "likely", 4549, at=EDGE, district=EDGE),
    Cell("Nanjing, zone 40", prj(4528), projected(4528), "sure", 4528, at=NANJING, district=NANJING),
    # said by the user
    Cell("said, no prj", None, projected(4548), "given", 4548, given="EPSG:4548", areas=False),
    Cell("said against the prj", prj(4549), projected(4548), "given", 4548, given="EPSG:4548", told=OVERRIDDEN),
    Cell("said of Xian 1980", prj(2363), projected(4527), "given", 4527, given="4527", told=OVERRIDDEN),
    Cell("said, axes swapped", None, swapped(4527), "given", 4527, given="4527", told="2-axes-swapped", swapped=True),
    Cell("said, away", prj(4527), projected(4527), "given", 4527, "km away", AWAY, given="4527", told=OVERRIDDEN),
    Cell("said another zone", prj(4527), projected(4527), "refused", why="certainly wrong", given="EPSG:4549"),
    Cell("said another numbered zone", None, projected(4527), "refused", why="certainly wrong", given="EPSG:4528"),
    Cell("said degrees of metres", None, projected(4527), "refused", why="certainly wrong", given="EPSG:4490"),
    Cell("said metres of degrees", None, projected(4490), "refused", why="certainly wrong", given="EPSG:4548"),
    Cell("a local frame by its pipeline", None, projected(CITY), "given", given="city.txt"),
    Cell("a local frame by its WKT", LOCAL, projected(CITY), "given", given="city.wkt"),
    Cell("a pipeline for other numbers", prj(4527), projected(4527), "refused", why="outside China", given="city.txt"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def frames(settings, tmp_path):
    """A folder of local systems, outside the repository."""
    settings.CRS_DIR = tmp_path / "frames"
    settings.CRS_DIR.mkdir()
    (settings.CRS_DIR / "city.txt").write_text(CITY_PIPELINE)
    (settings.CRS_DIR / "city.wkt").write_text(LOCAL)
    return settings.CRS_DIR


def box(at: tuple[float, float], size=0.05) -> MultiPolygon:
    return MultiPolygon(Polygon.from_bbox((at[0] - size, at[1] - size, at[0] + size, at[1] + size)))


def district(at: tuple[float, float] | None) -> District:
    shape = None if at is None else box(at)
    return District.objects.create(code="120199", name="某区", srid=4527, geom=shape)


def squares(at: tuple[float, float], count: int) -> list[list[tuple[float, float]]]:
    """Rings in degrees, each about a hundred metres wide, clockwise."""
    found = []
    for number in range(count):
        west, south = at[0] + number * 0.002, at[1]
        east, north = west + 0.0011, south + 0.0009
        found.append([(west, south), (west, north), (east, north), (east, south), (west, south)])
    return found


def layer(folder, cell: Cell, true: list):
    rings = [
        [(cell.others[0] if cell.others and number % cell.others[1] == 1 else cell.way)(*point) for point in ring]
        for number, ring in enumerate(true)
    ]
    area = lambda ring: abs(GEOD.polygon_area_perimeter(*np.array(ring).T)[0])  # noqa: E731
    rows = [patch(number, TBMJ=f"{area(ring):.2f}" if cell.areas else "") for number, ring in enumerate(true)]
    return shapefile(folder, rows=rows, shapes=[[ring] for ring in rings], crs=cell.text)


def metres_apart(geom, ring) -> float:
    """How far the farthest vertex that is stored lies from where it truly is, in metres."""
    stored, true = np.array(geom[0][0]), np.array(ring)
    step = (stored - true) * 111_320 * np.array([math.cos(math.radians(true[0, 1])), 1])
    return float(np.hypot(*step.T).max())


@pytest.mark.rows("NK011", "NK012")
@pytest.mark.parametrize("cell", MATRIX, ids=str)
@pytest.mark.django_db
def test_a_layer_lies_right_or_nobody_guesses(tmp_path, cell):
    district(cell.district)
    true = squares(cell.at, 24 if cell.stray else COUNT)
    if cell.stray:
        true[5:6] = squares(cell.stray, 1)
    path = layer(tmp_path, cell, true)
    if cell.verdict in ("ask", "refused"):
        with pytest.raises(Refused) as error:
            load(path, "dltb", "120199", 2022, crs=cell.given)
        assert error.value.code == "2-crs"
        assert cell.why in str(error.value.message)
        assert not LandUsePatch.objects.exists()
        return
    result = load(path, "dltb", "120199", 2022, crs=cell.given)
    said = result["crs"]
    assert (said["verdict"], said["epsg"], said["swapped"]) == (cell.verdict, cell.epsg, cell.swapped)
    assert cell.why in " ".join(said["evidence"])
    assert (result["taken"], result["refused"]) == (len(true), 0)
    for one in LandUsePatch.objects.all():
        assert metres_apart(one.geom, true[one.row_number - 1]) < 1
    warned = {one["code"] for one in result["warnings"]}
    assert not cell.told or cell.told in warned
    assert ("2-axes-swapped" in warned) == cell.swapped
    assert "2-areas-contradict" not in warned
    assert "2-shifted" not in warned


def test_the_matrix_is_as_large_as_promised():
    assert len(MATRIX) >= 60
    assert {cell.verdict for cell in MATRIX} == {"sure", "likely", "ask", "refused", "given"}


# --- a local frame ---------------------------------------------------------------------------------------------

FRAME = Cell("city", None, projected(CITY), "given", given="city.txt")


@pytest.mark.django_db
def test_of_a_local_frame_only_name_and_digest_are_told(tmp_path):
    district(NANKAI)
    result = load(layer(tmp_path, FRAME, squares(NANKAI, COUNT)), "dltb", "120199", 2022, crs="city.txt")
    delivery = Delivery.objects.get()
    assert result["crs"]["file"] == delivery.settings["crs_given"] == delivery.crs["file"]
    assert (result["crs"]["file"]["name"], len(result["crs"]["file"]["sha256"])) == ("city.txt", 64)
    secret = ("tmerc", "117.0833", "50000", "20000")
    kept = f"{delivery.crs} {delivery.settings} {delivery.warnings} {result}"
    assert not [word for word in secret if word in kept]
    assert LandUsePatch.objects.first().area_m2 == pytest.approx(9_500, rel=0.1)
    again = load(layer(tmp_path, FRAME, squares(NANKAI, COUNT)), "dltb", "120199", 2022, crs="city.txt")
    assert again["already"]


@pytest.mark.django_db
def test_a_refused_row_of_a_local_frame_keeps_its_numbers_and_claims_no_system(tmp_path):
    district(NANKAI)
    true = squares(NANKAI, COUNT)
    true[2] = true[2][:-1] + [true[1][0]]  # not closed
    result = load(layer(tmp_path, FRAME, true), "dltb", "120199", 2022, crs="city.txt")
    assert result["refused"] == 1
    assert Refusal.objects.get().srid is None
    assert Refusal.objects.get().wkb is not None
    with reopened(Delivery.objects.get()) as (_container, seen, _match):
        assert seen.crs.frame.name == "city.txt"  # its file is read by the frame of that name again


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty"),
        (HTML, "no parameter of a pipeline"),
        ("nothing at all", "no reference system"),
        ("+init=epsg:4527", "no parameter"),
        (CITY_PIPELINE + "+step +proj=hgridshift +grids=/etc/passwd", "does not lie in its folder"),
        (CITY_PIPELINE + "+step +proj=hgridshift +grids=@https://cdn.example/a.gsb", "does not lie in its folder"),
        (CITY_PIPELINE + "+step +proj=hgridshift +grids=../a.gsb", "does not lie in its folder"),
        (CITY_PIPELINE.replace("tmerc", "nonsense"), "does not understand"),
        (prj(2363), "only a pipeline says the way"),
        (prj(4490), "no projected system"),
        (LOCAL.replace("]]", '],EXTENSION["PROJ4","+nadgrids=@x"]]', 1), "names further files"),
    ],
)
@pytest.mark.django_db
def test_a_file_that_is_no_local_frame_is_refused_and_nothing_of_it_is_told(tmp_path, frames, content, why):
    district(NANKAI)
    (frames / "bad.txt").write_text(content)
    with pytest.raises(Refused, match=why) as error:
        load(layer(tmp_path, FRAME, squares(NANKAI, 1)), "dltb", "120199", 2022, crs="bad.txt")
    assert "117.0833" not in str(error.value)
    assert "passwd" not in str(error.value)


@pytest.mark.django_db
def test_a_frame_is_taken_from_its_folder_only(tmp_path, settings):
    district(NANKAI)
    path = layer(tmp_path, FRAME, squares(NANKAI, 1))
    (tmp_path / "other.txt").write_text(CITY_PIPELINE)
    for name in ("other.txt", "../other.txt", str(tmp_path / "other.txt")):
        with pytest.raises(UnknownName, match=r"city.txt, city.wkt"):
            load(path, "dltb", "120199", 2022, crs=name)
    with pytest.raises(UsageError, match="EPSG:mine cannot be read"):
        load(path, "dltb", "120199", 2022, crs="EPSG:mine")
    settings.CRS_DIR = None
    with pytest.raises(UsageError, match="no file"):
        load(path, "dltb", "120199", 2022, crs="city.txt")


@pytest.mark.django_db
def test_the_command_takes_a_frame_from_any_path(tmp_path):
    district(NANKAI)
    (tmp_path / "mine").write_text(CITY_PIPELINE)
    path, printed = layer(tmp_path / "a", FRAME, squares(NANKAI, COUNT)), StringIO()
    asked = {"profile": "dltb", "district": "120199", "survey": 2022, "format": "json", "stdout": printed}
    call_command("import_layer", path, crs=str(tmp_path / "mine"), **asked)
    told = json.loads(printed.getvalue())
    assert (told["crs"]["name"], told["taken"]) == ("mine", COUNT)


# --- beside what is held ---------------------------------------------------------------------------------------


def moved(by) -> Callable:
    """Places as another datum has them, in degrees."""
    return lambda lon, lat: by(lon, lat)


def east(metres: float) -> Callable:
    return lambda lon, lat: (lon + metres / 111_320 / math.cos(math.radians(lat)), lat)


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (moved(gcj02), r"56\d m at azimuth 7\d°.*GCJ-02 does here"),
        (moved(bd09), r"13\d\d m at azimuth 5\d°.*BD-09 does here"),
        (east(480.0), r"480 m at azimuth 90°.*about what GCJ-02 does"),
        (east(95.0), r"95 m at azimuth 90°.*another datum"),
    ],
)
@pytest.mark.rows("NK011")
@pytest.mark.django_db
def test_a_layer_that_lies_beside_the_rows_that_are_held_is_told_with_metres_and_azimuth(tmp_path, way, says):
    district(NANKAI)
    true = squares(NANKAI, COUNT)
    load(layer(tmp_path / "a", Cell("", prj(4490), projected(4490), ""), true), "dltb", "120199", 2022)
    result = load(layer(tmp_path / "b", Cell("", prj(4490), way, ""), true), "dltb", "120199", 2023)
    (warning,) = [one for one in result["warnings"] if one["code"] == "2-shifted"]
    assert re.search(says, warning["message"])


@pytest.mark.django_db
def test_a_layer_that_covers_its_district_is_held_against_the_boundary(tmp_path):
    district(NANKAI)
    (whole,) = box(NANKAI).coords
    ring = list(whole[0])[::-1]
    right = Cell("", prj(4490), projected(4490), "", areas=False)
    assert "2-shifted" not in {
        one["code"] for one in load(layer(tmp_path / "a", right, [ring]), "dltb", "120199", 2022)["warnings"]
    }
    wrong = Cell("", prj(4490), moved(gcj02), "", areas=False)
    result = load(layer(tmp_path / "b", wrong, [ring]), "dltb", "120199", 2023)
    (warning,) = [one for one in result["warnings"] if one["code"] == "2-shifted"]
    assert "from the district's boundary" in warning["message"]
    assert "GCJ-02 does here" in warning["message"]


@pytest.mark.django_db
def test_a_layer_of_a_few_places_in_a_district_is_not_taken_for_the_district_moved(tmp_path):
    district(NANKAI)
    west, south, east, north = box(NANKAI).extent
    a_metre = 1 / METRES_OF_A_DEGREE
    # Its extent is that of the district but for 80 m in the west and in the south, as if it were moved by half of that.
    corners = [(west + 80 * a_metre / math.cos(math.radians(south)), south + 80 * a_metre), (east, north)]
    rings = []
    for (x, y), away in zip(corners, (1, -1), strict=True):
        side = 50 * a_metre * away
        rings.append([(x, y), (x, y + side), (x + side, y + side), (x + side, y), (x, y)])
    scattered = Cell("", prj(4490), projected(4490), "", areas=False)
    result = load(layer(tmp_path, scattered, rings), "dltb", "120199", 2022)
    assert result["taken"] == 2
    assert "2-shifted" not in {one["code"] for one in result["warnings"]}
    assert not [one for one in result["crs"]["evidence"] if "azimuth" in one]


@pytest.mark.parametrize(("at", "metres", "azimuth"), [(NANKAI, 567, 77), ((118.78, 32.05), 541, 115)])
def test_the_shift_of_web_maps_is_that_of_the_checks(at, metres, azimuth):
    lon, lat = gcj02(*at)
    x, y = (lon - at[0]) * 111_320 * math.cos(math.radians(at[1])), (lat - at[1]) * 111_320
    assert math.hypot(x, y) == pytest.approx(metres, abs=5)
    assert math.degrees(math.atan2(x, y)) == pytest.approx(azimuth, abs=1)


@pytest.mark.django_db
def test_areas_that_are_all_off_by_one_factor_are_told(tmp_path):
    district(NANKAI)
    cell, true = Cell("", prj(4527), projected(4527), ""), squares(NANKAI, COUNT)
    areas = [abs(GEOD.polygon_area_perimeter(*np.array(ring).T)[0]) for ring in true]
    rows = [patch(number, TBMJ=f"{area * 1.003:.2f}") for number, area in enumerate(areas)]
    shapes = [[[cell.way(*point) for point in ring]] for ring in true]
    result = load(shapefile(tmp_path, rows=rows, shapes=shapes, crs=cell.text), "dltb", "120199", 2022)
    assert (result["crs"]["epsg"], result["crs"]["verdict"]) == (4527, "likely")
    (warning,) = [one for one in result["warnings"] if one["code"] == "2-areas-contradict"]
    assert "1.003 times" in warning["message"]


# --- what inspecting tells -------------------------------------------------------------------------------------


def test_inspecting_tells_the_extent_in_degrees_once_the_system_is_decided(tmp_path, db):
    district(NANKAI)
    true = squares(NANKAI, COUNT)
    (told,) = inspect(layer(tmp_path / "a", Cell("", prj(4527), projected(4527), ""), true), district="120199")[
        "layers"
    ]
    assert told["extent"] == pytest.approx([117.15, 39.1, 117.1611, 39.1009], abs=1e-4)
    assert told["bounds"][0] == pytest.approx(projected(4527)(*NANKAI)[0], abs=1)
    assert told["counts"] == {"shp": COUNT, "shx": COUNT, "dbf": COUNT, "dbf_declared": COUNT}
    assert next(one for one in told["columns"] if one["name"] == "DLMC")["samples"] == ["工业用地"]
    path = layer(tmp_path / "b", Cell("", HTML, projected(4527), ""), true)
    (told,) = inspect(path, district="120199")["layers"]
    assert (told["crs"]["verdict"], told["extent"]) == ("ask", None)


def test_an_empty_layer_with_a_prj_is_inspected_in_a_district_whose_boundary_is_held(tmp_path, db):
    district(NANKAI)
    (told,) = inspect(shapefile(tmp_path, rows=[], shapes=[], crs=prj(4527)), district="120199")["layers"]
    assert (told["rows"], told["extent"]) == (0, None)
