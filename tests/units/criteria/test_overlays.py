"""Shares of control layers: noise of a boundary, layers never delivered, areas over each other, and planned uses."""

from decimal import Decimal

import pytest

from tests.units.criteria.drawn import ALL, BASE, Land, measured
from units.criteria.measures import CONTROL_LAYERS, MEASURES, PLACE_LAYERS
from units.models import ControlArea, Delivery

pytestmark = pytest.mark.rows("NK012")


@pytest.fixture
def land(db):
    return Land(layers=ALL)


@pytest.fixture
def parcel(land):
    land.patch("0601", (-10, -10, 110, 110))
    return land.parcel((0, 0, 100, 100))


def test_each_layer_is_a_kind_of_control_area():
    layers = {one.layer for one in MEASURES.values() if one.layer}
    assert layers == set(CONTROL_LAYERS) | set(PLACE_LAYERS)
    assert layers <= set(ControlArea.Kind.values)


@pytest.mark.parametrize("kind", CONTROL_LAYERS)
def test_the_share_of_a_layer(land, parcel, kind):
    ControlArea.objects.all().delete()
    land.control(kind, (75, -50, 200, 200))
    assert measured(land, parcel)[f"{kind}_share"] == Decimal("0.2500")


@pytest.mark.parametrize("kind", CONTROL_LAYERS)
def test_a_layer_of_which_no_delivery_is_in_force_is_unknown_and_named(db, kind):
    land = Land(layers=[layer for layer in ALL if layer != kind])
    parcel = land.parcel((0, 0, 100, 100))
    found = measured(land, parcel)
    assert (found[f"{kind}_share"], found["gaps"][f"{kind}_share"]) == (None, f"control.{kind}")
    others = [name for name in CONTROL_LAYERS if name != kind]
    assert all(found[f"{name}_share"] is not None for name in others)


def test_a_delivery_that_was_taken_back_is_none(land, parcel):
    Delivery.objects.filter(settings__kind="basic_farmland").update(state=Delivery.State.UNDONE)
    assert measured(land, parcel)["gaps"]["basic_farmland_m2"] == "control.basic_farmland"


def test_an_edition_that_is_not_in_force_covers_nothing(land, parcel):
    land.control("ecological_red_line", (0, 0, 100, 100), in_force=False)
    assert measured(land, parcel)["ecological_red_line_m2"] == 0


@pytest.mark.parametrize(
    ("box", "counted"),
    [
        ((99.99, 0, 150, 100), 0),  # 1 m², and a centimetre wide: a line drawn beside the other
        ((99.95, 0, 150, 100), 0),  # five centimetres
        ((99.94, 0, 150, 100), 6),
        ((99, 0, 150, 1), 0),  # 1 m² exactly
        ((99, 0, 150, 1.02), 1.02),
        ((100, 0, 150, 100), 0),  # a shared edge
        ((100, 100, 150, 150), 0),  # a corner
    ],
)
def test_the_noise_of_a_boundary_is_no_overlap(land, parcel, box, counted):
    land.control("ecological_red_line", box)
    found = measured(land, parcel)["ecological_red_line_m2"]
    assert found == pytest.approx(Decimal(str(counted)), abs=Decimal("0.02"))
    assert (found > 0) == (counted > 0)


def test_slivers_do_not_add_up_to_an_overlap(land, parcel):
    for y in range(0, 100, 10):
        land.control("basic_farmland", (0, y, 100, y + 0.02))
    assert measured(land, parcel)["basic_farmland_m2"] == 0


def test_areas_over_each_other_are_counted_once(land, parcel):
    land.control("park", (0, 0, 60, 100))
    land.control("park", (40, 0, 80, 100))
    assert measured(land, parcel)["park_share"] == Decimal("0.8000")
    land.control("park", (-10, -10, 110, 110))
    assert measured(land, parcel)["park_share"] == 1


def test_a_large_area_with_many_corners_and_a_hole_is_measured_exactly(land, parcel):
    steps = [(x, -200 + (x % 2)) for x in range(-1000, 1001)]
    hole = [(20, 20), (20, 70), (70, 70), (70, 20)]
    land.control("renewal_plan", [*steps, (1000, 1000), (-1000, 1000)])
    assert measured(land, parcel)["renewal_plan_share"] == 1
    ControlArea.objects.filter(kind="renewal_plan").delete()
    west, east = [(-1000, -1000), (20, -1000), (20, 1000), (-1000, 1000)], [(70, -1000), (1000, -1000), (1000, 1000)]
    land.control("renewal_plan", west, [*east, (70, 1000)], [hole[0], (20, -1000), (70, -1000), hole[3]])
    assert measured(land, parcel)["renewal_plan_share"] == Decimal("0.6000"), "all but 50 × 80 m above the hole's floor"


def test_the_planned_use_is_that_of_most_of_the_parcel(land, parcel):
    land.control("plot_plan", (0, 0, 60, 100), use="0901", use_scheme="ydyh2023")
    land.control("plot_plan", (60, 0, 100, 100), use="1001", use_scheme="ydyh2023")
    found = measured(land, parcel)
    assert (found["planned_use"], found["planned_use_category"]) == ("0901", "office")
    assert found["plan_conflict"] == Decimal("0.6000"), "works stand where trade is planned"


def test_a_parcel_that_is_not_planned_has_no_planned_use(land, parcel):
    land.control("plot_plan", (0, 0, 49, 100), use="0901", use_scheme="ydyh2023")
    found = measured(land, parcel)
    assert (found["planned_use"], found["gaps"]["plan_conflict"]) == (None, "control.plot_plan.cover")


def test_a_planned_use_that_no_table_knows_is_no_conflict_and_no_peace(land, parcel):
    land.control("plot_plan", (0, 0, 100, 100), use="ZZ", use_scheme="unknown")
    found = measured(land, parcel)
    assert (found["plan_conflict"], found["gaps"]["plan_conflict"]) == (None, "plan.use_mapping")


def test_what_was_never_delivered_at_all_is_told_layer_by_layer(db):
    land = Land(layers=BASE)
    gaps = measured(land, land.parcel((0, 0, 100, 100)))["gaps"]
    assert gaps["planned_use"] == "control.plot_plan"
    assert {gaps[f"{kind}_share"] for kind in CONTROL_LAYERS} == {f"control.{kind}" for kind in CONTROL_LAYERS}
