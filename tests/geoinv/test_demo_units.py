"""The demo's units: drafts of parcels that adjoin, one of them out for opinions, and one shown as approved."""

import pytest
import quarter
from django.contrib.auth.models import Group

from geoinv.demo_units import APPROVED, ASKED, REASON, REPLIES, TRANSFER_M2, draw_units
from units import consulting, recording
from units.drafting import versions
from units.models import (
    CriteriaEdition,
    Department,
    Flag,
    FlagRun,
    Parcel,
    RedevelopmentUnit,
    Scope,
    Street,
    Survey,
    User,
)


@pytest.fixture
def demo(db):
    """Four streets, each with two candidates that adjoin and a third parcel beyond a road."""
    quarter.build()
    Parcel.objects.all().delete()
    survey = Survey.objects.get()
    edition = CriteriaEdition.objects.create(digest="0" * 64, name="town", title="Town", official=False, text="")
    run = FlagRun.objects.create(district_id=quarter.DISTRICT, survey=survey, edition=edition)
    for number in range(1, 5):
        street = f"{quarter.DISTRICT}{number:03d}"
        Street.objects.get_or_create(code=street, district_id=quarter.DISTRICT, name=street)
        for place, west in enumerate((0, 100, 230)):
            box = (west, number * 150, west + 100, number * 150 + 100)
            parcel = Parcel.objects.create(
                survey=survey,
                district_id=quarter.DISTRICT,
                street_id=street,
                code=f"{street}001GB{place:05d}",
                geom=quarter.stored(quarter.rectangle(*box)),
            )
            Flag.objects.create(
                run=run,
                district_id=quarter.DISTRICT,
                street_id=street,
                criteria="town",
                parcel=parcel,
                outcome="candidate",
                evidence={},
            )
    for name in ASKED:
        Department.objects.create(code=name, district_id=quarter.DISTRICT, name=name)
    office = User.objects.create(username="office")
    Scope.objects.create(user=office, group=Group.objects.get(name="R5"), district_id=quarter.DISTRICT)


def test_three_drafts_and_one_that_is_shown_as_approved_are_drawn_once(demo):
    drawn = draw_units()
    assert [one["state"] for one in drawn] == ["checked", "draft", "draft", "approved"]
    assert [one["parcels"] for one in drawn] == [2] * 4
    assert draw_units() == drawn
    assert RedevelopmentUnit.objects.count() == 4


def test_the_approved_one_says_that_nobody_approved_it(demo):
    draw_units()
    unit = RedevelopmentUnit.objects.get(state="approved")
    assert unit.name == APPROVED
    assert "未经审批流程" in unit.name
    assert [one["reason"] for one in versions(unit)] == [REASON, "", ""]


@pytest.mark.rows("NK025", "NK026", "NK076")
def test_one_has_a_full_record_with_a_transfer_and_is_out_for_opinions(demo):
    draw_units()
    first, second = RedevelopmentUnit.objects.order_by("code")[:2]
    assert recording.missing(first) == []
    assert {one["type"] for one in first.incentives} == {"transfer", "far_bonus", "mixed_use"}
    (given,) = second.incentives
    assert (given["quantity"], given["other_unit"]) == (-TRANSFER_M2, first.code)
    assert len(consulting.of(first)) == len(ASKED)
    assert len(consulting.open_for(first)) == len(ASKED) - len(REPLIES)


def test_without_the_demo_accounts_nothing_is_drawn(demo):
    User.objects.filter(username="office").update(username="somebody")
    assert draw_units() == []


def test_a_district_with_units_of_its_own_is_left_alone(demo):
    draw_units()
    RedevelopmentUnit.objects.filter(state="draft", incentives=[]).update(state="deleted")
    assert len(draw_units()) == 4
