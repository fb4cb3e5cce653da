"""Who sees what: the SQL form and the queryset form of a condition never differ, and neither shows too much."""

import itertools

import pytest
import town
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from units.collections import COLLECTIONS
from units.models import (
    Building,
    ControlArea,
    Finding,
    Flag,
    LandUsePatch,
    LegacyLand,
    Parcel,
    Problem,
    RedevelopmentUnit,
)
from units.rights import DISTRICT_WIDE, Condition, Grant, Role, may, view

MODELS = {
    "parcels": Parcel,
    "patches": LandUsePatch,
    "buildings": Building,
    "candidates": Flag,
    "legacy": LegacyLand,
    "units": RedevelopmentUnit,
    "control-areas": ControlArea,
    "findings": Finding,
    "problems": Problem,
}
SCOPES = ((None, None), (town.NANKAI, None), (town.NANKAI, "120104001"), (None, "120104002"), (town.HEPING, None))
GRANTS = [Grant(role, *scope) for role, scope in itertools.product(Role, SCOPES)]


def fids(collection, condition) -> set[int]:
    where, params = condition.sql("s")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT s.fid FROM ({collection.source()}) s WHERE {where}", params)
        return {fid for (fid,) in cursor.fetchall()}


def test_every_collection_has_a_model_here():
    assert set(MODELS) == set(COLLECTIONS)


@pytest.mark.parametrize("name", COLLECTIONS)
@pytest.mark.rows("NK017")
def test_sql_and_queryset_agree_on_every_row_for_every_role_and_scope(db, name):
    town.build()
    collection = COLLECTIONS[name]
    served = fids(collection, Condition(((),)))
    assert served
    for grant in GRANTS:
        seen = collection.seen_by((grant,)).rows
        by_queryset = set(MODELS[name].objects.filter(seen.q()).values_list("pk", flat=True))
        assert fids(collection, seen) == by_queryset & served, grant


@given(st.lists(st.sampled_from(GRANTS), max_size=4), st.sampled_from(sorted(COLLECTIONS)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_several_grants_show_exactly_the_union_of_what_each_shows(built, grants, name):
    collection = COLLECTIONS[name]
    model = MODELS[name]
    together = collection.seen_by(tuple(grants))
    shown = fids(collection, together.rows)
    assert shown == set().union(fids(collection, collection.seen_by(()).rows)).union(
        *(fids(collection, collection.seen_by((grant,)).rows) for grant in grants)
    )
    for column, condition in together.columns.items():
        of_column = fids(collection, condition)
        assert of_column <= shown, column
        assert of_column == set(model.objects.filter(condition.q()).values_list("pk", flat=True)) & of_column
        assert of_column == fids(collection, collection.seen_by(()).columns[column]).union(
            *(fids(collection, collection.seen_by((grant,)).columns[column]) for grant in grants)
        )


@pytest.fixture
def built(db):
    town.build()


def test_nobody_signed_in_sees_approved_units_and_nothing_else():
    for collection in COLLECTIONS.values():
        seen = collection.seen_by(())
        if collection.id == "units":
            assert seen.rows.alternatives == ((("state", "approved"),),)
        else:
            assert seen.rows.never
            assert not any(seen.sees(column) for column in collection.names)


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.PUBLIC])
def test_developers_and_the_public_see_no_more_than_nobody(role):
    for collection in COLLECTIONS.values():
        assert collection.seen_by((Grant(role),)) == collection.seen_by(())


def test_a_collection_that_nobody_listed_is_seen_by_nobody():
    assert view([Grant(role) for role in Role], "secrets", ["code"]).rows.never


@pytest.mark.rows("NK017")
def test_a_street_office_sees_its_street_and_the_lead_agency_the_district(built):
    parcels = COLLECTIONS["parcels"]
    street = fids(parcels, parcels.seen_by((Grant(Role.STREET, town.NANKAI, "120104001"),)).rows)
    district = fids(parcels, parcels.seen_by((Grant(Role.OFFICE, town.NANKAI),)).rows)
    city = fids(parcels, parcels.seen_by((Grant(Role.BUREAU),)).rows)
    assert [len(street), len(district), len(city)] == [1, 3, 4]
    assert street < district < city


def test_a_street_scope_without_its_district_still_holds_in_that_street_alone(built):
    parcels = COLLECTIONS["parcels"]
    assert len(fids(parcels, parcels.seen_by((Grant(Role.STREET, None, "120104002"),)).rows)) == 1


def test_layers_of_the_whole_district_are_open_to_its_street_offices_and_to_no_other(built):
    for name in DISTRICT_WIDE:
        seen = view((Grant(Role.STREET, town.NANKAI, "120104001"),), name, ["code"]).rows
        assert seen.alternatives == ((("district_id", town.NANKAI),),)


def test_co_departments_do_not_see_who_holds_the_land():
    seen = COLLECTIONS["parcels"].seen_by((Grant(Role.CO, town.NANKAI),))
    assert not seen.rows.never
    assert not seen.sees("right_holder")
    assert seen.sees("address")


def test_a_column_open_in_one_street_stays_closed_in_the_rest():
    seen = COLLECTIONS["parcels"].seen_by((Grant(Role.CO, town.NANKAI), Grant(Role.STREET, town.NANKAI, "120104001")))
    assert seen.rows.alternatives == (
        (("district_id", town.NANKAI),),
        (("district_id", town.NANKAI), ("street_id", "120104001")),
    )
    assert seen.columns["right_holder"].alternatives == ((("district_id", town.NANKAI), ("street_id", "120104001")),)


def test_two_conditions_in_one_statement_keep_their_values_apart():
    condition = Condition(((("district_id", "1"),),))
    first, second = condition.sql("s", "row"), condition.sql("s", "see")
    assert set(first[1]).isdisjoint(second[1])


def test_a_right_that_never_holds_and_one_that_always_does_need_no_values():
    assert Condition().sql() == ("FALSE", {})
    assert Condition(((),)).sql() == ("TRUE", {})


def test_may_asks_for_role_and_place():
    office = (Grant(Role.OFFICE, town.NANKAI),)
    assert may(office, [Role.OFFICE], town.NANKAI)
    assert may(office, [Role.OFFICE], town.NANKAI, "120104001")
    assert not may(office, [Role.OFFICE], town.HEPING)
    assert not may(office, [Role.OFFICE])
    assert not may(office, [Role.ANALYST], town.NANKAI)
    street = (Grant(Role.STREET, town.NANKAI, "120104001"),)
    assert not may(street, [Role.STREET], town.NANKAI)
    assert not may((), list(Role), town.NANKAI)
