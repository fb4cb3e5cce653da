"""An edit of an index, a list, a violation, a use, a unit or a far place is measured as measuring all finds."""

import pytest

from tests.units.test_remeasuring import CRITERIA, Town, differing, measured_afresh, save, table, wkt
from units.flagging import flag
from units.models import (
    Benchmark,
    Department,
    Enterprise,
    EnterpriseYear,
    Occupancy,
    RedevelopmentUnit,
    SectorClass,
    User,
    UseState,
    Violation,
)
from units.remeasuring import remeasure


def violation(town):
    town.fault = Violation.objects.create(
        enterprise=town.firms[0], field="safety", authority="某局", document="罚1号", happened_on="2021-05-01",
        rectified=False,
    )  # fmt: skip


def benchmark(town):
    town.index = Benchmark.objects.create(
        district=town.district, figure="tax_per_mu", year=2020, value=5, uom="10k CNY/mu", source="演示"
    )


def listed(town):
    town.entry = SectorClass.objects.create(
        district=town.district, edition="2019年本", year=2019, sector="3311", sector_edition="2017", grade="banned",
        source="演示",
    )  # fmt: skip


def unit(town):
    town.unit = RedevelopmentUnit.objects.create(
        district=town.district, code="U1", name="单元", created_by=User.objects.create(username="planner"),
        geom=wkt((0, 0, 300, 60)),
    )  # fmt: skip


def used(town, **subject):
    education, _made = Department.objects.get_or_create(
        district=town.district, code="education", defaults={"name": "区教育局"}
    )
    return UseState.objects.create(
        survey=town.survey, state="idle", idle_since="2020-01-01", owner_department=education, **subject
    )


# What is edited → the edit, and a measure that it moves of some subject.
EDITS = {
    "a violation": (violation, "violation_open"),
    "a violation put right": (lambda t: save(t.fault, rectified=True), "violation_open"),
    "an index": (benchmark, "tax_index_ratio"),
    "an index raised": (lambda t: save(t.index, value=9), "index_tax_per_mu"),
    "a sector on a list": (listed, "sector_class"),
    "a list that is gone": (lambda t: t.entry.delete(), "sector_class"),
    "the use of a parcel": (lambda t: setattr(t, "idle", used(t, parcel=t.works[1])), "reported_idle_months"),
    "the use of a building": (lambda t: used(t, parcel=t.offices[0], building=t.towers[0]), "owner_department"),
    "the measures taken": (lambda t: save(t.idle, measures=["upgrading"]), "measures_taken"),
    "a unit": (unit, "unit_place"),
    "a unit reshaped": (lambda t: save(t.unit, geom=wkt((0, 0, 100, 60))), "unit_share"),
    "a unit deleted": (lambda t: save(t.unit, state="deleted"), "unit_share"),
    "a school far off": (lambda t: setattr(t, "school", t.control("school", (1700, 0, 1710, 10))), "school_distance"),
    "a school moved": (lambda t: save(t.school, geom=wkt((900, 0, 910, 10))), "school_distance"),
    "tax of two years ago": (
        lambda t: [EnterpriseYear.objects.create(enterprise=t.firms[2], year=y, tax_cny=0) for y in (2020, 2021)],
        None,
    ),
    "no tax since": (lambda t: t.firms[2].years.filter(year=2022).update(tax_cny=0), "no_tax_years"),
    "the edition of a sector": (
        lambda t: Enterprise.objects.filter(pk=t.firms[2].pk).update(sector_edition="2011"),
        "sector_peers",
    ),
    "where a tenant is registered": (
        lambda t: Enterprise.objects.filter(pk=t.tenants[0].pk).update(registered_in="110101"),
        None,
    ),
    "who rents": (lambda t: Occupancy.objects.filter(enterprise=t.tenants[0]).update(is_tenant=True), "tenant_share"),
    "an owner's wish": (
        lambda t: save(t.works[0], owner_wish={"willing": "yes", "date": "2022-02-01", "paper": "函"}),
        "owner_wish_years",
    ),
    "the tax agreed": (lambda t: save(t.papers[0], tax_agreed_cny_mu=80_000), "tax_agreed_per_mu"),
}


@pytest.mark.rows("NK019")
def test_after_each_edit_of_a_fact_what_is_stored_is_what_measuring_all_finds(own_database):
    town = Town()
    flag(town.district.code, CRITERIA)
    for name, (edit, moved) in EDITS.items():
        before = table("units_measured")
        edit(town)
        remeasure(town.district.code)
        after = table("units_measured")
        assert differing(after, measured_afresh(town)) == {}, name
        changed = {column for columns in differing(before, after).values() for column in columns}
        assert moved is None or moved in changed, (name, sorted(changed))
