"""Every version of a register's row is kept with its author, however it was written."""

import json

import pghistory
import psycopg
import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection, transaction

from units.history import authored
from units.models import District, Move, Parcel, Revision, Scope, Survey, User

pytestmark = pytest.mark.rows("NK054")

CODE = "120104001001GB00001"


def square(west: float = 117.15, south: float = 39.1, side: float = 0.001) -> MultiPolygon:
    return MultiPolygon(Polygon.from_bbox((west, south, west + side, south + side)), srid=4490)


def versions(code: str = CODE) -> list[tuple]:
    """(label, address, user, database role) of each version of the parcel, oldest first."""
    events = Parcel.pgh_event_model.objects.filter(code=code).order_by("pgh_id").select_related("pgh_context")
    return [
        (e.pgh_label, e.address, e.pgh_context.metadata.get("user"), e.pgh_context.metadata["db_user"]) for e in events
    ]


@pytest.fixture
def survey(own_database):
    district = District.objects.create(code="120104", name="南开区", srid=4548)
    return Survey.objects.create(district=district, year=2022)


@pytest.fixture
def planner(own_database):
    return User.objects.create_user("planner")


def make(survey, code=CODE):
    return Parcel.objects.create(survey=survey, district=survey.district, code=code, address="甲", geom=square())


def test_an_edit_by_the_orm_is_kept_with_its_user(survey, planner):
    with pghistory.context(user=planner.pk):
        parcel = make(survey)
        parcel.address = "乙"
        parcel.save()
    assert versions() == [
        ("insert", "甲", planner.pk, "geoinv_app"),
        ("update", "乙", planner.pk, "geoinv_app"),
    ]


def test_a_queryset_update_and_a_bulk_create_are_kept(survey, planner):
    with pghistory.context(user=planner.pk):
        Parcel.objects.bulk_create(
            [Parcel(survey=survey, district=survey.district, code=f"{CODE[:-1]}{n}", geom=square()) for n in (1, 2)]
        )
        Parcel.objects.update(address="丙")
    assert [(label, address) for label, address, *_ in versions()] == [("insert", ""), ("update", "丙")]


def test_an_edit_typed_as_sql_is_kept_with_the_database_role_as_author(survey, owner):
    make(survey)
    owner.execute("UPDATE units_parcel SET address = '丁'")
    assert versions()[-1] == ("update", "丁", None, "geoinv_owner")


def test_one_transaction_of_sql_has_one_context(survey, owner):
    make(survey)
    make(survey, CODE[:-1] + "2")
    with owner.transaction():
        owner.execute("UPDATE units_parcel SET address = '戊' WHERE code LIKE '%1'")
        owner.execute("UPDATE units_parcel SET address = '己' WHERE code LIKE '%2'")
    contexts = set(Parcel.pgh_event_model.objects.filter(pgh_label="update").values_list("pgh_context", flat=True))
    assert len(contexts) == 1


def test_a_copy_is_kept_with_the_author_set_in_its_transaction(survey, planner):
    with transaction.atomic(), connection.cursor() as cursor:
        authored(cursor, planner, delivery=7)
        columns = "survey_id, district_id, code, unit_code, address, registered_use, use_scheme, right_type, "
        columns += "right_nature, right_holder, owner_wish, version, extra, geom"
        with cursor.cursor.copy(f"COPY units_parcel ({columns}) FROM STDIN") as copy:
            for number in range(3):
                values = [survey.pk, "120104", f"{CODE[:-1]}{number}", "", "庚", "", "unknown", "", "", "", "{}", 1]
                copy.write_row([*values, "{}", square().ewkt])
    assert versions() == [("insert", "庚", planner.pk, "geoinv_app")]
    assert Parcel.pgh_event_model.objects.count() == 3
    assert Parcel.pgh_event_model.objects.first().pgh_context.metadata["delivery"] == 7


def test_the_author_of_a_copy_does_not_leak_into_the_next_transaction(survey, planner):
    with transaction.atomic(), connection.cursor() as cursor:
        authored(cursor, planner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('pghistory.context_id', true)")
        assert cursor.fetchone()[0] in (None, "")
    make(survey)
    assert versions()[0][2] is None


def test_a_delete_keeps_the_last_version_with_its_shape_and_author(survey, planner):
    with pghistory.context(user=planner.pk):
        make(survey).delete()
    assert versions()[-1] == ("delete", "甲", planner.pk, "geoinv_app")
    assert Parcel.pgh_event_model.objects.last().geom.equals(square())


def test_an_update_that_changes_nothing_makes_no_version(survey):
    make(survey)
    Parcel.objects.update(address="甲")
    assert len(versions()) == 1


def test_who_was_given_a_role_is_kept(survey, planner):
    from django.contrib.auth.models import Group

    Scope.objects.create(user=planner, group=Group.objects.get(name="R5"), district=survey.district)
    assert Scope.pgh_event_model.objects.get().group.name == "R5"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE units_parcelevent SET address = 'x'",
        "DELETE FROM units_parcelevent",
        "TRUNCATE units_parcelevent",
        "UPDATE pghistory_context SET metadata = '{}'",
        "DELETE FROM pghistory_context",
    ],
)
def test_the_role_of_the_site_cannot_rewrite_history(survey, statement):
    make(survey)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.connection.execute(statement)


def test_the_role_of_the_site_owns_nothing_and_sees_history_and_moves(survey):
    make(survey)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM units_parcelevent")
        assert cursor.fetchone()[0] == 1
    assert Move.objects.count() == 0


def test_the_role_of_the_site_can_have_a_table_analyzed_but_only_one_of_ours(survey):
    make(survey)
    with connection.cursor() as cursor:
        cursor.execute("SELECT geoinv_analyze('units_parcel')")
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'units_parcel'")
        assert cursor.fetchone()[0] == 1
    with pytest.raises(psycopg.errors.RaiseException, match="no table of the inventory"):
        connection.connection.execute("SELECT geoinv_analyze('pg_class; DROP TABLE units_move')")


def test_a_revision_grows_with_each_statement_that_changes_a_served_table(survey):
    before = Revision.objects.filter(name="parcel").values_list("number", flat=True).first() or 0
    parcel = make(survey)
    parcel.delete()
    assert Revision.objects.get(name="parcel").number == before + 2


def test_the_stored_area_is_the_ellipsoids(survey):
    parcel = make(survey)
    parcel.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("SELECT ST_Area(geom::geography) FROM units_parcel")
        assert parcel.area_m2 == pytest.approx(cursor.fetchone()[0], abs=1e-6)
    from pyproj import Geod

    ring = square()[0][0].coords
    area, _ = Geod(a=6378137.0, rf=298.257222101).polygon_area_perimeter(*zip(*ring, strict=True))
    assert parcel.area_m2 == pytest.approx(abs(area), abs=0.001)
    assert json.loads(parcel.geom.geojson)["type"] == "MultiPolygon"
