"""Deliveries sent by mistake: cut short, read wrongly at first, at odds with their index, or two of them at once."""

import json
import threading
import time

import pyproj
import pytest
from django.db import connection
from django.utils import translation

from importers import loading
from importers.loading import load
from tests.importers.shapefiles import PARCEL_FIELDS, SOUTH, WEST, parcel, parts, patch, shapefile, square, zipped
from units.activating import activate
from units.errors import Refused
from units.models import Delivery, District, Finding, LandUsePatch, Parcel, Refusal, Street, Survey

XZQ_FIELDS = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 60, 0)]
PATIENCE = 20  # seconds


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def into(path, profile="dltb", **options):
    return load(path, profile, "120104", 2022, **options)


def warned(result) -> dict:
    return {one["code"]: one for one in result["warnings"]}


# --- read again, otherwise -------------------------------------------------------------------------------------


def no_zone(folder, **options):
    """Three patches whose eastings carry no zone number: only the reference system says where they lie."""
    shapes = [[square(number, west=WEST - 39e6)] for number in range(3)]
    return shapefile(folder, rows=[patch(number) for number in range(3)], shapes=shapes, **options)


def longitudes():
    return {round(one.geom.centroid.x) for one in LandUsePatch.objects.all()}


@pytest.mark.usefixtures("nankai")
def test_the_first_file_after_a_second_one_is_taken_back_in(tmp_path):
    first = no_zone(tmp_path / "a", crs=4547)
    second = no_zone(tmp_path / "b", crs=4548)
    into(first, crs="EPSG:4547")  # 258 km beside the district, which nobody would believe the .prj alone
    into(second)
    back = into(first, crs="EPSG:4547")
    assert (back["already"], back["changed"]) == (False, 3)
    assert longitudes() == {114}
    assert into(first, crs="EPSG:4547")["already"]


@pytest.mark.usefixtures("nankai")
def test_a_corrected_prj_beside_the_same_rows_moves_them(tmp_path):
    into(no_zone(tmp_path / "a", crs=4547), crs="EPSG:4547")
    assert longitudes() == {114}
    result = into(no_zone(tmp_path / "b", crs=4548))
    assert (result["changed"], result["unchanged"]) == (3, 0)
    assert longitudes() == {117}
    again = into(zipped(tmp_path / "x.zip", parts(tmp_path / "b" / "DLTB.shp")))
    assert (again["already"], again["changed"], again["unchanged"]) == (False, 0, 3)


@pytest.mark.usefixtures("nankai")
def test_the_same_file_with_another_crs_given_is_read_again(tmp_path):
    path = no_zone(tmp_path, crs=None)
    into(path, crs="EPSG:4547")
    result = into(path, crs="EPSG:4548")
    assert (result["already"], result["changed"]) == (False, 3)
    assert longitudes() == {117}
    assert into(path, crs="EPSG:4548")["already"]
    assert Delivery.objects.count() == 2


@pytest.mark.usefixtures("nankai")
def test_the_same_file_with_another_encoding_given_is_read_again(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1, ZLDWMC="长虹街道")])
    into(path, encoding="big5")
    assert LandUsePatch.objects.get().zldwmc != "长虹街道"
    result = into(path, encoding="gb18030")
    assert (result["already"], result["changed"]) == (False, 1)
    assert LandUsePatch.objects.get().zldwmc == "长虹街道"


# --- cut short -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"rows": []}, {"deleted": {0, 1}}, {"rows": [], "shapes": [[square()]]}])
@pytest.mark.usefixtures("nankai")
def test_a_delivery_without_a_row_is_refused_and_what_is_held_stays(tmp_path, options):
    into(shapefile(tmp_path / "a"))
    for replace in (False, True):
        with pytest.raises(Refused) as error:
            into(shapefile(tmp_path / "b", **options), replace=replace)
        assert error.value.code == "1-empty"
    assert LandUsePatch.objects.count() == 2
    assert Delivery.objects.count() == 1


@pytest.mark.usefixtures("nankai")
def test_a_shortened_delivery_takes_much_away_only_where_that_is_said(tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(number) for number in range(10)]))
    short = shapefile(tmp_path / "b", rows=[patch(number) for number in range(7)])
    with pytest.raises(Refused, match="3 of the 10 rows") as error:
        into(short)
    assert error.value.code == "1-too-many-gone"
    assert "--replace" in str(error.value.hint)
    assert LandUsePatch.objects.count() == 10
    result = into(short, replace=True)
    assert (result["gone"], warned(result)["1-rows-gone"]["count"]) == (3, 3)
    assert LandUsePatch.objects.count() == 7
    assert list(Delivery.objects.order_by("pk").values_list("settings__replace", flat=True)) == [False, True]


@pytest.mark.usefixtures("nankai")
def test_other_land_under_the_same_numbers_is_no_correction_of_what_is_held(tmp_path):
    rows = [patch(number) for number in range(10)]

    def land(folder, moved):
        shapes = [[square(number, row=20 if number < moved else 0)] for number in range(10)]
        return shapefile(tmp_path / folder, rows=rows, shapes=shapes)

    into(land("a", 0))
    before = longitudes(), LandUsePatch.objects.count()
    with pytest.raises(Refused, match="0 of the 10 rows.*numbers of 10 are there") as error:
        into(land("b", 10))
    assert error.value.code == "1-too-many-gone"
    assert (longitudes(), LandUsePatch.objects.count()) == before
    assert into(land("c", 2))["delta"]["moved"] == 2  # a fifth may be corrected so
    assert into(land("b", 10), replace=True)["changed"] == 8


@pytest.mark.usefixtures("nankai")
def test_a_delivery_may_take_a_fifth_away_and_says_so_whatever_it_adds(tmp_path):
    def land(folder, numbers):
        shapes = [[square(number % 30, number // 30)] for number in numbers]
        return shapefile(tmp_path / folder, rows=[patch(number) for number in numbers], shapes=shapes)

    into(land("a", range(10)))
    result = into(land("b", range(2, 30)))
    assert (result["gone"], result["taken"], warned(result)["1-rows-gone"]["count"]) == (2, 20, 2)
    with pytest.raises(Refused, match="28 of the 28 rows"):
        into(land("c", range(30, 300)))


# --- at once ---------------------------------------------------------------------------------------------------


def aside(work):
    """Run something in a thread with a connection of its own; the thread, and what came of it."""
    outcome = []

    def run():
        try:
            with translation.override("en"):
                outcome.append(work())
        except Exception as error:  # noqa: BLE001 - told by the test
            outcome.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def waits_for_a_lock(owner) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if owner.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone()[0]:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def founded(owner):
    District.objects.create(code="120104", name="南开区", srid=4527)
    return owner


def test_a_survey_is_not_put_in_force_under_a_running_import(founded, tmp_path, monkeypatch):
    into(shapefile(tmp_path / "a", rows=[patch(number) for number in range(10)]))
    real, running = loading.layerwide, []

    def meanwhile(*args):
        running.append(aside(lambda: activate("120104", 2022)))
        running[0][0].join(1)
        return real(*args)

    monkeypatch.setattr(loading, "layerwide", meanwhile)
    into(shapefile(tmp_path / "b", rows=[patch(number) for number in range(11)]))
    ((thread, outcome),) = running
    thread.join(PATIENCE)
    assert outcome[0]["patches"] == 11
    assert Survey.objects.get().state == "in_force"


def test_an_import_that_waited_for_an_activation_is_refused(founded, tmp_path):
    into(shapefile(tmp_path / "a", rows=[patch(1)]))
    with founded.transaction():
        founded.execute("UPDATE units_survey SET state = 'in_force', activated_at = now()")
        thread, outcome = aside(lambda: into(shapefile(tmp_path / "b", rows=[patch(1), patch(2)])))
        assert waits_for_a_lock(founded)
    thread.join(PATIENCE)
    assert outcome[0].code == "survey-in-force"


def test_two_layers_at_once_open_one_new_survey(founded, tmp_path):
    with founded.transaction():
        founded.execute(
            "INSERT INTO units_survey (district_id, year, state, created_at) VALUES ('120104', 2022, 'loaded', now())"
        )
        thread, outcome = aside(lambda: into(shapefile(tmp_path)))
        assert waits_for_a_lock(founded)
    thread.join(PATIENCE)
    assert outcome[0]["taken"] == 2
    assert Survey.objects.count() == 1


# --- what a delivery covers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("deleted", [(), {2}])
@pytest.mark.usefixtures("nankai")
def test_a_delivery_remembers_the_extent_of_its_good_rows_in_degrees(tmp_path, deleted):
    rows = [patch(1), patch(2), patch(3, DLBM="xx" if not deleted else "0601")]
    into(shapefile(tmp_path, rows=rows, shapes=[[square()], [square(1)], [square(90, 90)]], deleted=deleted))
    extent = Delivery.objects.get().settings["extent"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT ST_Extent(geom) FROM units_landusepatch")
        said = cursor.fetchone()[0]
    held = [float(number) for number in said[4:-1].replace(",", " ").split()]
    assert extent == pytest.approx(held, abs=1e-6)


@pytest.mark.usefixtures("nankai")
def test_a_delivery_of_which_no_row_is_good_covers_nothing(tmp_path):
    into(shapefile(tmp_path, rows=[patch(1, DLBM="xx")]))
    assert Delivery.objects.get().settings["extent"] is None


def test_one_street_is_not_the_district(nankai, tmp_path):
    Street.objects.create(code="120104002", district=nankai, name="鼓楼街道")
    both = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}, {"XZQDM": "120104002", "XZQMC": "鼓楼街道"}]
    one = shapefile(tmp_path / "a", "XZQ", rows=both[:1], fields=XZQ_FIELDS)
    result = into(one, profile="district")
    assert District.objects.get().geom is None
    assert "鼓楼街道" in warned(result)["1-boundary-kept"]["message"]
    assert "1-boundary-kept" not in warned(
        into(shapefile(tmp_path / "b", "XZQ", rows=both, fields=XZQ_FIELDS), "district")
    )
    whole = District.objects.get().geom
    moved = shapefile(tmp_path / "c", "XZQ", rows=both[:1], shapes=[[square(9)]], fields=XZQ_FIELDS)
    assert "1-boundary-kept" in warned(into(moved, profile="district"))
    assert District.objects.get().geom.equals_exact(whole)


def test_a_boundary_with_a_refused_street_leaves_the_district_as_it_is(nankai, tmp_path):
    rows = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}] * 2
    result = into(shapefile(tmp_path, "XZQ", rows=rows, shapes=[[square()], None], fields=XZQ_FIELDS), "district")
    assert (result["taken"], result["refused"]) == (1, 1)
    assert District.objects.get().geom is None
    assert "1 rows" in warned(result)["1-boundary-kept"]["message"]
    assert Delivery.objects.get().settings["extent"][0] == pytest.approx(117.1, abs=0.1)


# --- single rows -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nankai")
def test_one_share_above_one_does_not_divide_the_others_by_a_hundred(tmp_path):
    rows = [parcel(number, JZMD="0.30") for number in range(1, 4)] + [parcel(4, JZMD="1.05"), parcel(5, JZMD="0")]
    result = into(shapefile(tmp_path, "ZD", rows=rows, fields=PARCEL_FIELDS), "zd")
    shares = [None if one is None else float(one) for one in values(Parcel, "registered_coverage")]
    assert shares == [0.3, 0.3, 0.3, None, 0.0]
    assert "3-percent" not in warned(result)
    assert "1.05" in warned(result)["3-out-of-range"]["message"]


def values(model, name):
    return model.objects.order_by("row_number").values_list(name, flat=True)


@pytest.mark.usefixtures("nankai")
def test_shapes_that_a_faulty_index_pairs_with_other_rows_are_refused(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2), patch(3)])
    index = bytearray(path.with_suffix(".shx").read_bytes())
    index[100:108], index[108:116] = index[108:116], index[100:108]
    path.with_suffix(".shx").write_bytes(index)
    result = into(path)
    assert (result["taken"], result["refused"]) == (1, 2)
    assert set(Refusal.objects.values_list("row_number", "code")) == {(1, "1-shape-damaged"), (2, "1-shape-damaged")}


@pytest.mark.usefixtures("nankai")
def test_one_shape_is_not_given_to_two_rows(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2), patch(3)])
    index = bytearray(path.with_suffix(".shx").read_bytes())
    index[108:116] = index[100:108]
    path.with_suffix(".shx").write_bytes(index)
    assert into(path)["taken"] == 2
    assert list(Refusal.objects.values_list("row_number", "code")) == [(2, "1-shape-damaged")]


@pytest.mark.usefixtures("nankai")
def test_records_in_another_order_than_their_rows_are_read_by_their_index(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2)])
    raw, index = path.read_bytes(), bytearray(path.with_suffix(".shx").read_bytes())
    first, second = raw[100:236], raw[236:]
    assert len(first) == len(second)
    path.write_bytes(raw[:100] + second + first)
    index[100:104], index[108:112] = index[108:112], index[100:104]
    path.with_suffix(".shx").write_bytes(index)
    assert into(path)["taken"] == 2
    west, east = (one.geom.centroid.x for one in LandUsePatch.objects.order_by("row_number"))
    assert west < east


@pytest.mark.usefixtures("nankai")
def test_parcels_that_lie_in_no_known_street_are_counted(tmp_path):
    rows = [parcel(1), parcel(2, ZDDM="wrong")]
    Street.objects.update(geom=json.dumps(box(117.0, 39.0, 117.3, 39.3)))
    inside = into(shapefile(tmp_path / "a", "ZD", rows=rows, fields=PARCEL_FIELDS), "zd")
    assert "3-no-street" not in warned(inside)
    Street.objects.update(geom=None)
    outside = into(shapefile(tmp_path / "b", "ZD", rows=[*rows, parcel(3)], fields=PARCEL_FIELDS), "zd")
    assert warned(outside)["3-no-street"]["count"] == 2


def box(west, south, east, north) -> dict:
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {
        "type": "MultiPolygon",
        "coordinates": [[ring]],
        "crs": {"type": "name", "properties": {"name": "EPSG:4490"}},
    }


@pytest.mark.parametrize(("away", "told"), [(4_700, 0), (5_400, 1), (900_000, 1)])
def test_a_row_far_outside_its_district_is_taken_and_told_with_its_distance(nankai, tmp_path, away, told):
    """M03, for single rows: they move the layer's extent, but not the layer."""
    _lon, south = pyproj.Transformer.from_crs(4527, 4490, always_xy=True).transform(WEST, SOUTH)
    Street.objects.update(geom=json.dumps(box(117.10, south, 117.15, south + 0.04)))
    shapes = [[square(column)] for column in range(19)] + [[[(x, y - away - 50) for x, y in square()]]]
    rows = [patch(number) for number in range(1, 21)]
    result = load(shapefile(tmp_path, rows=rows, shapes=shapes), "dltb", "120104", 2022)
    assert result["taken"] == 20
    found = Finding.objects.filter(code="2-far-away").values_list("row_number", "details__value")
    assert [row for row, _value in found] == [20] * told
    assert all(abs(float(value) * 1000 - away) < 60 + 0.005 * away for _row, value in found)
