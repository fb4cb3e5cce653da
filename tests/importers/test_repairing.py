"""What is proposed for a broken shape, what is taken unasked, and what a person's consent brings in."""

import shutil
import struct
import time
import xml.etree.ElementTree as ET

import numpy as np
import pyogrio
import pytest
import shapely
from django.utils import translation

from importers import consenting, repairing
from importers.delivered import NotKept, record
from importers.loading import load
from importers.models import Consent, Repair
from importers.picturing import picture
from importers.shaping import Projection
from importers.undoing import undo
from tests.importers.shapefiles import SOUTH, WEST, patch, shapefile
from tests.importers.test_undoing import held
from tests.town import scoped_user
from units.errors import NotFound, Refused
from units.models import ControlArea, Delivery, Finding, LandUsePatch, Refusal
from units.rights import Role

ZONE = Projection(4527, 4527)


def ring(*points):
    return np.array([(WEST + x, SOUTH + y) for x, y in points], float)


BOX = ((0, 0), (0, 10), (10, 10), (10, 0), (0, 0))
BOW_TIE = ((0, 0), (10, 10), (10, 0), (0, 10), (0, 0))
# Two corners changed places: it crosses itself within a hand's breadth of one corner.
CROSSED_CORNER = ((0, 0), (0, 100), (100, 100), (100, 0), (0.05, 0), (-0.05, 0.05), (0, 0))


def proposed(*rings):
    return repairing.proposed([ring(*one) for one in rings], ZONE, b"as delivered")


def at(shape, column):
    """The points of a drawn shape, `column` squares of 200 m to the east, as a shapefile has them."""
    return [(WEST + 200 * column + x, SOUTH + y) for x, y in shape]


def into(path, **options):
    return load(path, "dltb", "120104", 2022, **options)


@pytest.fixture
def english():
    with translation.override("en"):
        yield


# --- one shape ---------------------------------------------------------------------------------------------------


def test_a_ring_open_by_less_than_a_millimetre_is_closed_unasked_onto_its_first_vertex():
    found = proposed(((0, 0), (0, 10), (10, 10), (10, 0), (0.0005, 0)))
    assert (found.method, found.automatic, found.gap) == ("close", True, 0.0005)
    assert (found.vertices_before, found.vertices_after, found.before) == (5, 5, b"as delivered")
    assert found.area_before == pytest.approx(found.area_after, abs=0.01)


@pytest.mark.parametrize("last", [(0.005, 0), (3, 0), (10, 0)])
def test_a_ring_open_by_more_waits_however_little_area_it_is(last):
    found = proposed(((0, 0), (0, 10), (10, 10), last))
    assert (found.method, found.automatic, found.area_before) == ("close", False, None)
    assert found.gap == pytest.approx(last[0])


def test_a_bow_tie_waits_though_both_lobes_are_kept():
    found = proposed(BOW_TIE)
    assert (found.method, found.parts_after, found.automatic, found.area_before) == ("make-valid", 2, False, None)
    assert found.area_after == pytest.approx(50, abs=0.01)
    assert found.change == pytest.approx(50, abs=0.01)  # by its direction it may bound nothing at all
    assert found.place == (WEST + 5, SOUTH + 5)


def test_a_corner_crossed_within_a_hundredth_of_a_square_metre_is_taken_and_says_so():
    found = proposed(CROSSED_CORNER)
    assert (found.method, found.automatic) == ("make-valid", True)
    assert 0 < found.change <= 0.01


def test_a_spike_without_area_goes_and_its_length_is_told():
    found = proposed(((0, 0), (0, 10), (5, 10), (5, 30), (5, 10), (10, 10), (10, 0), (0, 0)))
    assert (found.method, found.automatic, found.displacement) == ("drop-spikes", True, 20.0)


def test_a_spike_of_several_vertices_goes_wherever_the_ring_begins():
    corners = [(0, 0), (0, 10), (5, 10), (5, 30), (7, 33), (5, 30), (5, 10), (10, 10), (10, 0)]
    for start in range(len(corners)):
        turned = corners[start:] + corners[:start]
        found = proposed((*turned, turned[0]))
        assert found.automatic
        assert shapely.from_wkb(found.after).is_valid
        assert found.area_after == pytest.approx(100, abs=0.01)


def test_a_ring_that_is_there_twice_waits_as_it_may_mean_land_or_a_hole():
    found = proposed(BOX, BOX)
    assert (found.method, found.dropped, found.automatic) == ("drop-rings", 1, False)


def test_a_ring_without_area_is_left_out_and_counted():
    found = proposed(BOX, ((2, 2), (3, 3), (2, 2)))
    assert (found.method, found.dropped, found.automatic) == ("drop-rings", 1, True)


def test_holes_that_share_an_edge_become_one_and_change_nothing():
    found = proposed(BOX, ((2, 2), (4, 2), (4, 4), (2, 4), (2, 2)), ((4, 2), (6, 2), (6, 4), (4, 4), (4, 2)))
    assert (found.automatic, found.change) == (True, 0.0)
    assert shapely.get_num_interior_rings(shapely.get_geometry(shapely.from_wkb(found.after), 0)) == 1


def test_an_island_in_a_hole_stays_an_island():
    around = ((0, 0), (0, 100), (100, 100), (100, 0), (0, 0))
    hole = ((20, 20), (80, 20), (80, 80), (20, 80), (20, 20))
    island = ((40, 40), (40, 60), (50, 60), (50, 70), (50, 60), (60, 60), (60, 40), (40, 40))
    found = proposed(around, hole, island)
    assert (found.parts_after, found.automatic) == (2, True)
    assert found.area_after == pytest.approx(10_000 - 3_600 + 400, rel=1e-5)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 5e7])
def test_nothing_is_proposed_where_a_coordinate_is_none_or_far_from_china(wrong):
    assert proposed(((0, 0), (0, 10), (wrong, 10), (10, 0))) is None


def test_nothing_is_proposed_for_what_has_no_area():
    assert proposed(((0, 0), (10, 10), (20, 20), (0, 0))) is None


def test_a_curve_becomes_chords_a_millimetre_from_it_at_most():
    whole = struct.pack("<BII", 1, 8, 3) + np.array([(WEST, SOUTH), (WEST + 20, SOUTH), (WEST, SOUTH)], "<f8").tobytes()
    found = repairing.straightened(struct.pack("<BII", 1, 10, 1) + whole, ZONE)
    circle = shapely.Point(WEST + 10, SOUTH).buffer(10, quad_segs=5_000)
    turned = shapely.transform(
        shapely.from_wkb(found.after), lambda p: np.column_stack(ZONE.to_metric.transform(p[:, 0], p[:, 1]))
    )
    assert shapely.hausdorff_distance(turned.boundary, circle.boundary, densify=0.1) < 0.0011
    assert (found.method, found.vertices_before) == ("linearise", 3)
    assert found.change == pytest.approx(np.pi * 100 - found.area_after, abs=0.002)
    assert not found.automatic  # 0.04 m² of a circle 20 m across


def test_nothing_is_proposed_for_a_tangle_and_that_is_found_out_at_once():
    random = np.random.default_rng(7)
    tangle = random.uniform(0, 100, (20_000, 2))
    began = time.process_time()
    assert proposed((*tangle, tangle[0])) is None
    assert time.process_time() - began < 2


def test_a_shape_of_very_many_vertices_is_proposed_and_waits_unmeasured():
    angles = np.linspace(0, 2 * np.pi, 20_000)[:-1]
    noisy = np.column_stack((np.cos(angles), np.sin(angles))) * 50
    noisy += np.random.default_rng(7).normal(0, 0.013, noisy.shape)
    found = proposed((*noisy, noisy[0]))
    assert (found.change, found.automatic) == (None, False)


# --- a delivery --------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path):
    """Five rows: whole, a crossed corner, a bow-tie, a ring open by 3 m, and a bow-tie without its land class."""
    shapes = [
        [at(BOX, 0)],
        [at(CROSSED_CORNER, 1)],
        [at(BOW_TIE, 2)],
        [at(((0, 0), (0, 10), (10, 10), (10, 0), (3, 0)), 3)],
        [at(BOW_TIE, 4)],
    ]
    rows = [patch(1), patch(2), patch(3), patch(4), patch(5, DLBM="")]
    return shapefile(tmp_path, rows=rows, shapes=shapes)


@pytest.mark.usefixtures("nankai")
def test_little_is_taken_and_recorded_and_the_rest_waits_for_a_person(broken, english):
    result = into(broken)
    assert (result["rows"], result["taken"], result["refused"]) == (5, 2, 3)
    assert result["repairs"] == {"automatic": 1, "accepted": 0, "proposed": 3}
    found = {one.row_number: one for one in Repair.objects.all()}
    assert {row: (one.state, one.taken, one.method) for row, one in found.items()} == {
        2: ("automatic", True, "make-valid"),
        3: ("proposed", False, "make-valid"),
        4: ("proposed", False, "close"),
        5: ("proposed", False, "make-valid"),
    }
    stored = LandUsePatch.objects.get(bsm=patch(2)["BSM"])
    assert stored.geom.wkb == found[2].after.wkb
    assert stored.area_m2 == pytest.approx(found[2].area_after)
    told = Finding.objects.get(code="4-repaired")
    assert (told.severity, told.subjects) == ("warning", [patch(2)["BSM"]])
    assert f"{found[2].change_m2:.5f} m²" in told.sentence
    assert {one.row_number for one in Refusal.objects.all()} == {3, 4, 5}


@pytest.mark.usefixtures("nankai")
def test_a_layer_that_is_broken_throughout_is_told_to_be_and_loses_no_row(tmp_path, english):
    rows = [patch(number) for number in range(1, 2_001)]
    shapes = [[at(BOW_TIE, number % 50)] for number in range(2_000)]
    result = into(shapefile(tmp_path, rows=rows, shapes=shapes))
    assert (result["rows"], result["taken"], result["refused"]) == (2_000, 0, 2_000)
    left = next(one for one in result["warnings"] if one["code"] == "4-repairs-left")
    assert left["count"] + result["repairs"]["proposed"] == 2_000
    assert result["repairs"]["proposed"] == Repair.objects.count() > 1_000


@pytest.mark.usefixtures("nankai")
def test_curves_of_a_geopackage_are_straightened_where_that_is_little_and_wait_where_it_is_not(tmp_path, english):
    def arc(*points):
        return struct.pack("<BII", 1, 8, len(points)) + np.array(points, "<f8").tobytes()

    def curve(*pieces):
        return struct.pack("<BIIBII", 1, 10, 1, 1, 9, len(pieces)) + b"".join(pieces)

    def line(*points):
        return struct.pack("<BII", 1, 2, len(points)) + np.array(points, "<f8").tobytes()

    corner = curve(
        line((WEST + 5, SOUTH), (WEST, SOUTH), (WEST, SOUTH + 5)),
        arc((WEST, SOUTH + 5), (WEST + 3, SOUTH + 4), (WEST + 5, SOUTH)),
    )
    round_about = struct.pack("<BII", 1, 10, 1) + arc(*[(WEST + x, SOUTH + y) for x, y in ((50, 0), (100, 0), (50, 0))])
    path = tmp_path / "curves.gpkg"
    pyogrio.raw.write(
        path,
        geometry=np.array([corner, round_about], object),
        field_data=[np.array(["K1", "K2"], object)],
        fields=["BH"],
        geometry_type="Unknown",
        crs="EPSG:4527",
        layer="GYYQ",
        driver="GPKG",
    )
    result = load(path, "control", "120104", 2022)
    assert (result["taken"], [one["code"] for one in result["refusals"]]) == (1, ["4-curve"])
    small, large = Repair.objects.order_by("row_number")
    assert (small.method, small.state, large.state) == ("linearise", "automatic", "proposed")
    assert bytes(small.before) == corner
    delivery = Delivery.objects.get()
    stored = ControlArea.objects.get()
    assert record(delivery, 1, stored.row_digest).wkb == corner
    assert ET.fromstring(picture(large)).tag.endswith("svg")
    consenting.accept([large.pk])
    result = consenting.again(delivery)
    assert (result["taken"], result["unchanged"], result["refused"]) == (1, 1, 0)
    assert ControlArea.objects.get(code="K2").geom.wkb == large.after.wkb


@pytest.mark.usefixtures("nankai")
def test_what_is_kept_is_not_believed_when_its_bytes_changed(broken, settings, english):
    delivery = Delivery.objects.get(pk=into(broken)["delivery"])
    folder = settings.DELIVERIES_DIR / delivery.sha256
    table = folder / "DLTB.dbf"
    folder.chmod(0o750)
    table.chmod(0o640)
    table.write_bytes(table.read_bytes().replace(b"0601", b"0602", 1))
    with pytest.raises(NotKept, match="not what was delivered"):
        record(delivery, 1)
    shutil.rmtree(folder)
    with pytest.raises(NotKept, match="not kept any more"):
        consenting.again(delivery)


@pytest.mark.usefixtures("nankai")
def test_a_faultless_file_is_proposed_nothing(tmp_path):
    result = into(shapefile(tmp_path, rows=[patch(1), patch(2)]))
    assert result["repairs"] == {"automatic": 0, "accepted": 0, "proposed": 0}
    assert not Repair.objects.exists()


@pytest.mark.usefixtures("nankai")
def test_the_source_of_a_repaired_row_is_read_back_byte_for_byte(broken):
    delivery = Delivery.objects.get(pk=into(broken)["delivery"])
    stored = LandUsePatch.objects.get(bsm=patch(2)["BSM"])
    found = record(delivery, stored.row_number, stored.row_digest)
    points = np.array(at(CROSSED_CORNER, 1), "<f8").tobytes()
    assert found.shp.endswith(points)
    assert found.wkb == struct.pack("<BIII", 1, 3, 1, 7) + points == bytes(Repair.objects.get(row_number=2).before)
    assert patch(2)["BSM"].encode() in found.dbf


@pytest.mark.usefixtures("nankai")
def test_what_a_person_accepts_is_taken_from_the_kept_file_and_nothing_else_changes(broken, english):
    first = into(broken)["delivery"]
    broken.unlink()
    before = held("units_landusepatch")
    chosen = Repair.objects.get(row_number=3)
    person = scoped_user(Role.ANALYST, "120104")
    assert consenting.accept([chosen.pk], person)["deliveries"] == [first]
    result = consenting.again(first, person)
    counted = {name: result[name] for name in ("rows", "taken", "changed", "unchanged", "refused", "deleted", "gone")}
    assert counted == {"rows": 5, "taken": 1, "changed": 0, "unchanged": 2, "refused": 2, "deleted": 0, "gone": 0}
    assert result["repairs"] == {"automatic": 1, "accepted": 1, "proposed": 2}
    after = held("units_landusepatch")
    assert set(before) < set(after)
    assert len(after) == 3
    applied = Repair.objects.get(delivery=result["delivery"], row_number=3)
    assert (applied.state, applied.taken, applied.by) == ("accepted", True, person)
    assert LandUsePatch.objects.get(bsm=patch(3)["BSM"]).geom.wkb == applied.after.wkb
    assert consenting.again(result["delivery"])["already"]
    undo(result["delivery"])
    assert held("units_landusepatch") == before


@pytest.mark.usefixtures("nankai")
def test_a_consent_does_not_cover_a_row_whose_bytes_changed(broken, tmp_path):
    into(broken)
    consenting.accept([Repair.objects.get(row_number=3).pk])
    shapes = [[at(BOX, 0)], [at(BOW_TIE, 2)]]
    result = into(shapefile(tmp_path / "b", rows=[patch(1), patch(3, DLMC="别的")], shapes=shapes), replace=True)
    assert (result["refused"], result["repairs"]["accepted"], result["repairs"]["proposed"]) == (1, 0, 1)


@pytest.mark.usefixtures("nankai")
def test_the_same_row_in_another_file_is_covered(broken, tmp_path):
    into(broken)
    consenting.accept([Repair.objects.get(row_number=3).pk])
    result = into(shapefile(tmp_path / "b", rows=[patch(3)], shapes=[[at(BOW_TIE, 2)]]), replace=True)
    assert (result["taken"], result["repairs"]["accepted"]) == (1, 1)


@pytest.mark.usefixtures("nankai")
def test_what_is_refused_for_another_reason_too_stays_refused_and_is_not_imported_for_ever(broken):
    first = into(broken)["delivery"]
    consenting.accept([Repair.objects.get(row_number=5).pk])
    result = consenting.again(first)
    assert (result["refused"], result["repairs"]["accepted"]) == (3, 0)
    assert consenting.again(result["delivery"])["already"]


@pytest.mark.usefixtures("nankai")
def test_a_declined_proposal_is_not_taken_and_its_consent_stays_on_record_as_withdrawn(broken, english):
    first = into(broken)["delivery"]
    number = Repair.objects.get(row_number=3).pk
    consenting.accept([number])
    consenting.decline([number])
    assert Consent.objects.get().withdrawn_at is not None
    assert consenting.again(first)["already"]
    with pytest.raises(Refused, match="not open"):
        consenting.accept([number])
    with pytest.raises(NotFound, match="no proposal 0"):
        consenting.accept([0])


@pytest.mark.usefixtures("nankai")
def test_a_file_that_was_taken_since_is_not_set_back(broken, tmp_path, english):
    first = into(broken)["delivery"]
    later = into(shapefile(tmp_path / "b", rows=[patch(1)], shapes=[[at(BOX, 0)]]), replace=True)["delivery"]
    consenting.accept([Repair.objects.get(row_number=3).pk])
    with pytest.raises(Refused, match=f"later delivery {later}"):
        consenting.again(first)
