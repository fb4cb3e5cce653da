"""Each measure on drawn shapes, with numbers computed by hand; and a second computation with shapely."""

import random
from decimal import Decimal

import pytest
import shapely
from django.db import connection

from tests.units.criteria.drawn import Land, measured
from units.criteria.measures import FACTS, MEASURES, SOURCES
from units.models import Building, LandUsePatch, Parcel


@pytest.fixture
def land(db):
    return Land()


@pytest.mark.rows("NK012")
def test_the_area_of_a_parcel_is_divided_over_land_classes(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0601", (-10, -10, 60, 110))
    land.patch("0701", (60, -10, 85, 110))
    land.patch("0101", (85, -10, 110, 110))
    found = measured(land, parcel)
    assert found["class_mix"] == {"0601": 0.6, "0701": 0.25, "0101": 0.15}
    assert sum(found["class_mix"].values()) == pytest.approx(1, abs=0.001)
    assert (found["main_class"], found["main_class_share"]) == ("0601", Decimal("0.6000"))
    assert found["construction_share"] == Decimal("0.8500")
    assert found["covered_share"] == Decimal("1.0000")
    assert found["mismatch"] == Decimal("0.4000")
    assert (found["use_category"], found["class_category"]) == ("industrial", "industrial")


def test_pieces_of_one_class_count_together_and_a_tie_goes_to_the_lower_code(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0701", (0, 0, 30, 100))
    land.patch("0601", (30, 0, 80, 100))
    land.patch("0701", (80, 0, 100, 100))
    found = measured(land, parcel)
    assert found["class_mix"] == {"0601": 0.5, "0701": 0.5}
    assert found["main_class"] == "0601"


def test_a_use_that_allows_several_classes_agrees_with_each(land):
    land.patch("08H1", (0, 0, 50, 100))
    land.patch("08H2A", (50, 0, 90, 100))
    land.patch("0701", (90, 0, 100, 100))
    parcel = land.parcel((0, 0, 100, 100), use="08", scheme="ydyh2023")
    assert measured(land, parcel)["mismatch"] == Decimal("0.1000")


@pytest.mark.parametrize(
    ("use", "scheme", "gap"),
    [
        ("", "unknown", "parcel.registered_use"),
        ("0601", "unknown", "parcel.use_mapping"),
        ("9999", "sandiao", "parcel.use_mapping"),
    ],
)
def test_mismatch_is_unknown_where_the_registered_use_is_missing_or_means_nothing(land, use, scheme, gap):
    land.patch("0601", (0, 0, 100, 100))
    parcel = land.parcel((0, 0, 100, 100), use=use, scheme=scheme)
    found = measured(land, parcel)
    assert found["mismatch"] is None
    assert found["use_category"] is None
    assert found["gaps"]["mismatch"] == gap
    assert found["main_class"] == "0601"


def test_a_parcel_that_is_not_covered_to_99_per_cent_has_no_known_shares(land):
    nearly = land.parcel((0, 0, 100, 100))
    half = land.parcel((0, 200, 100, 300))
    land.patch("0601", (0, 0, 99.5, 100))
    land.patch("0601", (0, 200, 80, 300))
    rows = measured(land)
    assert rows[nearly.pk]["mismatch"] == Decimal("0.0050")
    assert rows[half.pk]["mismatch"] is None
    assert rows[half.pk]["construction_share"] is None
    assert rows[half.pk]["covered_share"] == Decimal("0.8000")
    assert rows[half.pk]["gaps"]["mismatch"] == "patches.cover"
    assert rows[half.pk]["main_class"] == "0601", "what is not covered could not change it"


def test_the_main_class_is_unknown_while_the_uncovered_part_could_change_it(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0601", (0, 0, 40, 100))
    land.patch("0701", (40, 0, 70, 100))
    found = measured(land, parcel)
    assert (found["main_class"], found["class_category"]) == (None, None)
    assert found["gaps"]["main_class"] == found["gaps"]["class_category"] == "patches.cover"


@pytest.mark.parametrize(
    ("second", "third"),
    [
        ((60, 0, 100, 100), (40, 0, 100, 100)),  # more than the whole parcel
        ((30, 0, 60, 100), (30, 0, 70, 100)),  # a hole, and as much counted twice: the sum is one
        ((30, 0, 60, 100), (30, 0, 60, 100)),
    ],
)
def test_patches_that_overlap_leave_the_shares_unknown(land, second, third):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0601", (0, 0, 30 if second[0] == 30 else 60, 100))
    land.patch("0701", second)
    land.patch("0101", third)
    found = measured(land, parcel)
    for name in ("main_class_share", "construction_share", "mismatch"):
        assert found[name] is None, name
        assert found["gaps"][name] in ("patches.overlap", "patches.cover"), name
    assert found["gaps"]["construction_share"] == found["gaps"]["mismatch"] == "patches.overlap"


def test_what_several_patches_cover_is_counted_once(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0601", (0, 0, 60, 100))
    land.patch("0601", (20, 0, 60, 100))
    found = measured(land, parcel)
    assert found["covered_share"] == Decimal("0.6000")
    assert (found["main_class"], found["main_class_share"]) == ("0601", None), "nothing else could have more"


def test_a_sliver_between_patches_that_overlap_by_a_drawn_line_changes_nothing(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0601", (0, 0, 60.05, 100))
    land.patch("0701", (60, 0, 100, 100))
    found = measured(land, parcel)
    assert found["construction_share"] == Decimal("1.0000")
    assert found["mismatch"] == Decimal("0.3995")
    assert found["main_class"] == "0601"


def test_a_parcel_without_any_patch_is_not_covered(land):
    found = measured(land, land.parcel((0, 0, 100, 100)))
    assert (found["covered_share"], found["main_class"], found["class_mix"]) == (Decimal("0.0000"), None, {})
    assert found["gaps"]["construction_share"] == "patches.cover"


def test_where_no_patches_were_delivered_nothing_of_land_is_known(db):
    land = Land(layers=("building",))
    found = measured(land, land.parcel((0, 0, 100, 100)))
    for name in ("main_class", "construction_share", "covered_share", "mismatch", "class_category"):
        assert found[name] is None
        assert found["gaps"][name] == "patches"


def test_a_delivery_that_was_taken_back_is_no_delivery(land):
    land.deliveries["building"].state = "undone"
    land.deliveries["building"].save()
    assert measured(land, land.parcel((0, 0, 100, 100)))["gaps"]["far"] == "buildings"


def test_classes_of_another_survey_are_not_taken_for_those_of_the_third(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.patch("0601", (0, 0, 100, 100), scheme="erdiao")
    assert measured(land, parcel)["gaps"]["main_class"] == "patches.cover"


def test_an_invalid_patch_stops_nothing_and_covers_nothing(land):
    parcel = land.parcel((0, 0, 100, 100))
    other = land.parcel((200, 0, 300, 100))
    land.patch("0601", [(0, 0), (100, 100), (100, 0), (0, 100)])
    land.patch("0601", (200, 0, 300, 100))
    rows = measured(land)
    assert rows[parcel.pk]["covered_share"] == Decimal("0.0000")
    assert rows[other.pk]["covered_share"] == Decimal("1.0000")


def test_far_counts_floor_area_by_the_share_of_the_footprint_on_the_parcel(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((10, 10, 60, 60), floors=3)  # 2500 m² × 3, estimated
    land.building((90, 0, 110, 50), floors=9, floor_area=4000)  # half on the parcel: 2000 m², recorded
    found = measured(land, parcel)
    assert found["far"] == Decimal("0.95")  # (7500 + 2000) / 10000
    assert found["far_estimated_share"] == Decimal("0.7895")  # 7500 / 9500
    assert found["coverage"] == Decimal("0.3000")  # (2500 + 500) / 10000
    assert found["buildings"] == 2


def test_overlapping_footprints_are_united_before_coverage_is_measured(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floors=1)
    land.building((25, 0, 75, 50), floors=1)
    found = measured(land, parcel)
    assert found["coverage"] == Decimal("0.3750")
    assert found["far"] == Decimal("0.50")


def test_sheds_and_what_is_below_ground_do_not_count(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floors=2, underground_m2=5000)
    land.building((50, 50, 100, 100), floors=1, temporary=True)
    land.building((50, 0, 100, 50), floors=0, underground_m2=2500)
    found = measured(land, parcel)
    assert (found["far"], found["coverage"], found["buildings"]) == (Decimal("0.50"), Decimal("0.2500"), 1)


def test_a_recorded_floor_area_of_nought_is_no_record(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floors=2, floor_area=0)
    assert measured(land, parcel)["far"] == Decimal("0.50")


def test_far_is_unknown_while_one_building_has_neither_floor_area_nor_floors(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floors=2)
    land.building((50, 50, 60, 60))
    found = measured(land, parcel)
    assert found["far"] is None
    assert found["gaps"]["far"] == "building.floor_area"
    assert found["coverage"] == Decimal("0.2600")


@pytest.mark.parametrize("strip", [(99.96, 0, 150, 100), (99.5, 0, 150, 1.9)])
def test_a_wall_drawn_over_the_border_is_not_a_building_of_the_parcel(land, strip):
    """Under 5 cm wide, or under 1 m²: its missing floors make nothing unknown."""
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floors=2)
    land.building(strip)
    found = measured(land, parcel)
    assert (found["far"], found["buildings"]) == (Decimal("0.50"), 1)


def test_no_building_is_nought_only_where_buildings_were_delivered(db):
    with_layer, without = Land("120104"), Land("120103", layers=("dltb",))
    found = measured(with_layer, with_layer.parcel((0, 0, 100, 100)))
    assert (found["far"], found["coverage"], found["buildings"]) == (Decimal("0.00"), Decimal("0.0000"), 0)
    found = measured(without, without.parcel((0, 0, 100, 100)))
    assert (found["far"], found["coverage"], found["buildings"]) == (None, None, None)
    assert {found["gaps"][name] for name in ("far", "coverage", "buildings", "age")} == {"buildings"}


def test_no_building_is_nought_only_where_the_delivery_reached(land):
    land.reach("building", (0, 0, 300, 100))
    inside, at_the_edge, outside = (land.parcel((x, 0, x + 100, 100)) for x in (100, 250, 400))
    rows = measured(land)
    for parcel in (inside, at_the_edge):
        assert (rows[parcel.pk]["far"], rows[parcel.pk]["buildings"]) == (Decimal("0.00"), 0)
    for name in ("far", "far_estimated_share", "coverage", "buildings", "built_year_min", "age"):
        assert rows[outside.pk][name] is None
        assert rows[outside.pk]["gaps"][name] == "buildings.cover"


def test_a_building_is_measured_wherever_it_stands(land):
    land.reach("building", (0, 0, 300, 100))
    parcel = land.parcel((400, 0, 500, 100))
    land.building((400, 0, 450, 100), floors=1)
    assert measured(land, parcel)["far"] == Decimal("0.50")


def test_several_deliveries_of_buildings_reach_further_than_one(land):
    land.reach("building", (0, 0, 300, 100))
    parcel, beyond = land.parcel((400, 0, 500, 100)), land.parcel((900, 0, 950, 100))
    land.deliver("building")
    land.reach("building", (400, 0, 600, 100))
    rows = measured(land)
    assert (rows[parcel.pk]["far"], rows[beyond.pk]["far"]) == (Decimal("0.00"), None)


def test_a_delivery_that_does_not_say_how_far_it_reached_counts_for_the_whole_district(land):
    land.reach("building", (0, 0, 300, 100))
    parcel = land.parcel((900, 0, 950, 100))
    land.deliver("building")
    assert measured(land, parcel)["far"] == Decimal("0.00")


def test_numbers_are_rounded_half_up_before_anyone_compares_them(land):
    parcel = land.parcel((0, 0, 100, 100))
    area = Parcel.objects.get(pk=parcel.pk).area_m2
    land.building((0, 0, 50, 50), floor_area=round(area * 0.995001, 2))
    other = land.parcel((200, 0, 300, 100))
    land.building((200, 0, 250, 50), floor_area=round(area * 0.9949, 2))
    rows = measured(land)
    assert rows[parcel.pk]["far"] == Decimal("1.00")
    assert rows[other.pk]["far"] == Decimal("0.99")


def test_age_is_counted_to_the_year_of_the_survey_from_the_oldest_building(land):
    parcel = land.parcel((0, 0, 100, 100))
    land.building((0, 0, 50, 50), floors=1, built_year=1988)
    land.building((50, 0, 90, 50), floors=1, built_year=2001)
    found = measured(land, parcel)
    assert (found["built_year_min"], found["age"]) == (1988, 34)
    land.building((50, 50, 90, 90), floors=1)
    found = measured(land, parcel)
    assert (found["built_year_min"], found["gaps"]["age"]) == (None, "building.built_year")


def test_papers_are_shown_beside_what_is_measured(land):
    parcel = land.parcel(
        (0, 0, 100, 100),
        documented_m2=Decimal("8000"),
        registered_far=Decimal("1.2"),
        registered_coverage=Decimal("0.35"),
    )
    found = measured(land, parcel)
    assert found["area_m2"] == pytest.approx(Decimal(10000), abs=Decimal("0.5"))
    assert found["area_difference"] == pytest.approx(Decimal("0.25"), abs=Decimal("0.0001"))
    assert (found["registered_far"], found["registered_coverage"]) == (Decimal("1.20"), Decimal("0.3500"))
    bare = measured(land, land.parcel((200, 0, 300, 100)))
    assert (bare["documented_m2"], bare["area_difference"]) == (None, None)
    assert bare["gaps"]["area_difference"] == "parcel.documented_m2"


def test_each_missing_measure_names_a_fact_that_is_known_and_has_an_owner(db):
    land = Land(layers=())
    found = measured(land, land.parcel((0, 0, 100, 100), use=""))
    for name, one in MEASURES.items():
        if "parcel" in one.subjects and found[name] is None:
            assert found["gaps"][name] in FACTS, name
            assert FACTS[found["gaps"][name]].owner


def test_only_the_survey_in_force_is_measured(land):
    parcel = land.parcel((0, 0, 100, 100))
    old = Land("120103", year=2021)
    old.parcel((0, 0, 100, 100))
    assert set(measured(land)) == {parcel.pk}


def test_every_measure_says_what_it_is():
    for name, one in MEASURES.items():
        assert name == one.name
        assert str(one.title)
        assert str(one.definition).endswith((".", "。"))
        assert one.uom
        assert one.source in SOURCES
        assert one.owner


def test_shapely_computes_the_same_on_two_hundred_crooked_parcels(land):
    """A second computation, in Python, of shapes that cross each other as they like."""
    rng = random.Random(7)

    def crooked(x, y, size):
        return [
            (x + dx * size + rng.uniform(-8, 8), y + dy * size + rng.uniform(-8, 8))
            for dx, dy in ((0, 0), (0.5, -0.1), (1, 0), (1, 1), (0.4, 1.1), (0, 1))
        ]

    for row in range(0, 1500, 150):
        for column in range(0, 3000, 150):
            land.parcel(crooked(column, row, 100), use=rng.choice(["0601", "0701", "05H1", "08"]))
            land.building(crooked(column - 20, row + 30, 60), floors=rng.choice([1, 2, 5]))
            land.building(crooked(column + 20, row + 40, 60), floors=3, floor_area=rng.choice([None, 7000, 9000]))
    for row in range(-50, 1700, 130):
        for column in range(-50, 3200, 130):
            land.patch(
                rng.choice(["0601", "0701", "05H1", "0508", "08H1", "0101"]), (column, row, column + 130, row + 130)
            )
    rows = {subject: row for subject, row in measured(land).items() if subject > 0}  # no buildings by themselves
    assert len(rows) == 200

    def planar(model):
        with connection.cursor() as cursor:
            table = model._meta.db_table
            cursor.execute(f"SELECT id, ST_AsBinary(ST_Transform(geom, 4527)) FROM {table} ORDER BY id")
            found = cursor.fetchall()
        return {key: shapely.from_wkb(bytes(wkb)) for key, wkb in found}

    parcels, patches, buildings = planar(Parcel), planar(LandUsePatch), planar(Building)
    classes = dict(LandUsePatch.objects.values_list("pk", "dlbm"))
    facts = {one.pk: one for one in Building.objects.all()}
    records = {one.pk: one for one in Parcel.objects.all()}
    for key, shape in parcels.items():
        shares = {}
        for patch, other in patches.items():
            if shape.intersects(other):
                share = shape.intersection(other).area / shape.area
                shares[classes[patch]] = shares.get(classes[patch], 0) + share
        agreeing = sum(share for code, share in shares.items() if code.startswith(records[key].registered_use))
        floors, pieces = 0, []
        for building, other in buildings.items():
            if shape.intersects(other):
                piece = shape.intersection(other)
                one = facts[building]
                total = float(one.floor_area_m2 or one.area_m2 * float(one.floors))
                floors += total * piece.area / other.area
                pieces.append(piece)
        row = rows[key]
        assert float(row["mismatch"]) == pytest.approx(1 - agreeing, abs=0.00006)
        assert float(row["construction_share"]) == pytest.approx(1 - shares.get("0101", 0), abs=0.00006)
        assert row["class_mix"] == pytest.approx(shares, abs=0.00006)
        assert float(row["far"]) == pytest.approx(floors / records[key].area_m2, abs=0.006)
        assert float(row["coverage"]) == pytest.approx(shapely.union_all(pieces).area / shape.area, abs=0.00006)
