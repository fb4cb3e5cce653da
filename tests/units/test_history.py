"""Every version of a register's row is kept with its author, however it was written."""

import json

import pghistory
import psycopg
import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection, transaction
from django.utils import timezone

from units.history import authored
from units.models import District, Move, Parcel, Revision, Scope, ServedChange, Survey, User

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


def test_the_session_cannot_switch_the_history_triggers_off(survey):
    make(survey)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pgtrigger.ignore', (SELECT '{' || string_agg(tgname, ',') || '}' FROM pg_trigger"
            " WHERE tgname LIKE 'pgtrigger%%'), false)"
        )
        cursor.execute("UPDATE units_parcel SET address = 'nobody sees this'")
        cursor.execute("RESET pgtrigger.ignore")
    assert versions()[-1][:2] == ("update", "nobody sees this")


def test_a_table_of_the_same_name_does_not_catch_the_versions(survey):
    make(survey)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE units_parcelevent (LIKE public.units_parcelevent INCLUDING ALL)")
        cursor.execute("UPDATE units_parcel SET address = 'nobody sees this'")
        cursor.execute("DROP TABLE pg_temp.units_parcelevent")
    assert versions()[-1][:2] == ("update", "nobody sees this")


def test_the_author_of_an_older_version_cannot_be_changed(survey, planner):
    with pghistory.context(user=planner.pk):
        make(survey)
    context = Parcel.pgh_event_model.objects.get().pgh_context
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)",
            [str(context.pk), json.dumps({"user": 4711})],
        )
        cursor.execute("UPDATE units_parcel SET address = 'x'")
    assert [row[2] for row in versions()] == [planner.pk, 4711]


def test_facts_told_later_in_one_transaction_join_its_context(survey, planner):
    with transaction.atomic(), pghistory.context(user=planner.pk):
        parcel = make(survey)
        with pghistory.context(reason="corrected"):
            parcel.address = "乙"
            parcel.save()
    contexts = {e.pgh_context for e in Parcel.pgh_event_model.objects.select_related("pgh_context")}
    assert [context.metadata["reason"] for context in contexts] == ["corrected"]


def test_replication_mode_keeps_versions_too(survey, superuser):
    make(survey)
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("UPDATE units_parcel SET address = '壬'")
    assert versions()[-1] == ("update", "壬", None, "geoinv_super")


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE units_parcel CASCADE",
        "TRUNCATE units_parcelevent",
        "DELETE FROM units_parcelevent",
        "UPDATE units_parcelevent SET address = 'x'",
        "TRUNCATE pghistory_context CASCADE",
        "DELETE FROM pghistory_context",
    ],
)
def test_not_even_the_owner_empties_or_rewrites_history(survey, owner, statement):
    make(survey)
    with pytest.raises(psycopg.errors.RestrictViolation, match="kept for ever"):
        owner.execute(statement)


def test_every_history_trigger_is_hardened(survey, owner):
    """A migration that adds one must call geoinv_harden_history() at its end."""
    rows = owner.execute(
        "SELECT t.tgname, t.tgenabled, p.prosecdef, p.proconfig FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE t.tgname LIKE 'pgtrigger%'"
    ).fetchall()
    assert len(rows) >= 3 * 12
    for name, enabled, definer, config in rows:
        assert (enabled, definer, config) == ("A", True, ["search_path=public, pg_temp"]), name
    assert owner.execute("SELECT _pgtrigger_should_ignore('any')").fetchone() == (False,)


def test_a_boundary_that_is_replaced_stays_readable(survey):
    district = survey.district
    district.geom = square()
    district.save()
    district.geom = square(117.3)
    district.save()
    shapes = District.pgh_event_model.objects.filter(code="120104").order_by("pgh_id").values_list("geom", flat=True)
    assert [shape and shape.extent[0] for shape in shapes] == [None, 117.15, 117.3]


def test_patches_of_a_survey_in_force_are_neither_changed_nor_deleted(survey, owner):
    delivery = survey.deliveries.create(
        district=survey.district, profile="dltb", layer="DLTB", sha256="0" * 64, size=1, encoding={}, crs={}
    )
    survey.patches.create(
        delivery=delivery, district=survey.district, bsm="1" * 18, dlbm="0601", geom=square(), area_m2=1
    )
    survey.patches.update(dlmc="工业用地")
    survey.state, survey.activated_at = "in_force", timezone.now()
    survey.save()
    for statement in ("DELETE FROM units_landusepatch", "UPDATE units_landusepatch SET dlbm = '0701'"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="put in force"):
            owner.execute(statement)
    assert survey.patches.get().dlbm == "0601"


def test_writers_of_one_table_do_not_wait_for_each_other(survey, databases):
    one, two = make(survey), make(survey, CODE[:-1] + "2")
    words = connection.settings_dict
    with (
        psycopg.connect(dbname=words["NAME"], user=words["USER"], host=words["HOST"]) as first,
        psycopg.connect(dbname=words["NAME"], user=words["USER"], host=words["HOST"]) as second,
    ):
        second.execute("SET statement_timeout = '2s'")
        first.execute("UPDATE units_parcel SET address = 'a' WHERE id = %s", [one.pk])
        second.execute("UPDATE units_parcel SET address = 'b' WHERE id = %s", [two.pk])
        second.commit()
        first.commit()
    assert set(Parcel.objects.values_list("address", flat=True)) == {"a", "b"}


def test_folding_the_changes_keeps_the_revision_growing(survey):
    parcel = make(survey)
    seen = []
    for number in range(505):
        Parcel.objects.filter(pk=parcel.pk).update(version=number + 2)
        if number > 480:
            seen.append(Revision.objects.get(name="parcel").number)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert ServedChange.objects.count() < 500


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
