"""The worksheet of legacy land (G-20): the class by its date to the day, and what the gates come to."""

from datetime import date
from types import SimpleNamespace

import pytest

from importers.registers import may_be_delivered
from tests import records
from tests.records import PAPER, person
from units import evidencing
from units.eligibility import route_by_date, worksheet
from units.errors import NotAllowed, Refused, Stale
from units.models import ControlArea, LegacyLand, Parcel
from units.moving import move
from units.rights import Role


@pytest.mark.rows("NJ056", "NJ059", "NK039")
@pytest.mark.parametrize(
    ("used_since", "route"),
    [
        (date(1986, 12, 31), "L1"),
        (date(1987, 1, 1), "L2"),
        (date(2009, 12, 31), "L2"),
        (date(2010, 1, 1), "none"),
        (None, ""),
    ],
)
def test_the_class_follows_from_the_day_of_land_use(used_since, route):
    assert route_by_date(used_since) == route


@pytest.fixture
def land(db):
    """A polygon of 1990 with every layer over it and every judgement in its favour."""
    records.build()
    for kind in ("special_plan", "master_plan", "second_survey_construction"):
        control(kind, records.square(30))
    return records.legacy_in(
        ownership="20", small_property_housing=False, worth_keeping=True, extra={"GXBZ": "1"}, number=30
    )


def control(kind: str, geom, **more) -> ControlArea:
    return ControlArea.objects.create(
        district_id="120104", kind=kind, edition="1", in_force=True, code=kind, geom=geom, **more
    )


@pytest.mark.rows("NJ053", "NJ054")
def test_land_that_passes_every_gate_is_open(land):
    sheet = worksheet(land)
    assert (sheet["verdict"], sheet["route"], sheet["refused"], sheet["unknown"]) == ("open", "L2", [], [])
    assert sheet["eligible_m2"] == pytest.approx(sheet["area_m2"], abs=0.02)


@pytest.mark.rows("NJ053", "NJ054", "NJ055", "NJ060", "NJ061", "NJ062")
@pytest.mark.parametrize(
    ("facts", "verdict", "gate"),
    [
        ({"small_property_housing": True}, "refused", "houses"),
        ({"ownership": "30"}, "refused", "state_owned"),
        ({"worth_keeping": False}, "refused", "worth_keeping"),
        ({"worth_keeping": None}, "undecided", "worth_keeping"),  # nobody has judged: unknown, not no
        ({"penalty_closed_on": None}, "refused", "penalty"),
        ({"penalty_closed_on": None, "penalty_number": ""}, "undecided", "penalty"),
        ({"extra": {"GXBZ": "0"}}, "refused", "efficient"),
        ({"extra": {}}, "undecided", "efficient"),
        ({"used_since": date(2010, 1, 1)}, "refused", None),
        ({"used_since": None}, "undecided", None),
    ],
)
def test_a_gate_that_says_no_refuses_and_one_that_nobody_knows_leaves_it_open(land, facts, verdict, gate):
    LegacyLand.objects.filter(pk=land.pk).update(**facts)
    sheet = worksheet(LegacyLand.objects.get(pk=land.pk))
    assert sheet["verdict"] == verdict
    assert gate is None or gate in sheet["refused"] + sheet["unknown"]


@pytest.mark.rows("NJ054")
def test_a_polygon_of_which_a_part_passes_is_split_not_refused_or_taken_whole(land):
    ControlArea.objects.filter(kind="second_survey_construction").update(geom=records.square(30, side=0.0005))
    sheet = worksheet(land)
    assert (sheet["verdict"], sheet["split"]) == ("split", True)
    assert sheet["eligible_m2"] == pytest.approx(sheet["area_m2"] / 4, rel=0.001)
    assert sheet["eligible"]["type"] in ("Polygon", "MultiPolygon")
    records.put_legacy(land, "evidence")
    move("L1", "tested", person(Role.ANALYST), register="legacy")
    with pytest.raises(Refused) as refused:
        move("L1", "confirmed", person(Role.OFFICE), register="legacy", reason="x")
    assert refused.value.code == "split"


def test_land_with_registered_papers_is_no_legacy_land_and_a_layer_nobody_delivered_is_unknown(land):
    ControlArea.objects.filter(kind="special_plan").delete()
    assert worksheet(land)["verdict"] == "undecided"
    Parcel.objects.update(geom=records.square(30))
    assert "papers" in worksheet(land)["refused"]


def test_the_test_keeps_the_worksheet_and_the_class_with_the_polygon(land):
    records.put_legacy(land, "evidence")
    made = move("L1", "tested", person(Role.ANALYST), register="legacy")
    kept = LegacyLand.objects.get()
    assert (kept.route, kept.worksheet["verdict"], kept.in_scope) == ("L2", "open", True)
    assert made.details["verdict"] == "open"


def test_evidence_is_written_by_the_street_and_the_analyst_until_it_is_tested(land):
    street = person(Role.STREET, records.HERE)
    version = land.version
    with pytest.raises(NotAllowed):
        evidencing.write(person(Role.OFFICE), land, version, {"address": "x"})
    row = evidencing.write(street, land, version, {"used_since": "1986-12-31", "worth_keeping": None})
    assert (row.used_since, row.worth_keeping, row.version) == (date(1986, 12, 31), None, version + 1)
    with pytest.raises(Stale):
        evidencing.write(street, land, version, {"address": "x"})
    records.put_legacy(land, "tested")
    with pytest.raises(Refused):
        evidencing.write(street, land, version + 1, {"address": "x"})


@pytest.mark.rows("NK055")
def test_a_mistake_found_after_the_freeze_is_noted_beside_it_with_author_and_paper(land):
    office = person(Role.OFFICE)
    with pytest.raises(Refused):
        evidencing.note(office, land, "界线有误", PAPER)
    records.put_legacy(land, "submitted")
    move("L1", "accepted", person(Role.BUREAU, district=None), register="legacy", document=PAPER)
    frozen = LegacyLand.objects.get()
    with pytest.raises(Refused):
        evidencing.note(office, frozen, "界线有误")
    made = evidencing.note(office, frozen, "界线有误", PAPER)
    assert (made.by, made.document.title) == (office, PAPER["title"])


def test_a_register_that_is_on_its_way_takes_no_delivery_that_would_make_drafts_of_it_again(land):
    wanted = SimpleNamespace(table="legacy")
    may_be_delivered(land.district, wanted)
    records.put_legacy(land, "confirmed")
    with pytest.raises(Refused) as refused:
        may_be_delivered(land.district, wanted)
    assert refused.value.code == "register-under-way"
    may_be_delivered(land.district, SimpleNamespace(table="parcel"))
