"""The collections: each is one question in SQL that yields what it promises, of the rounds in force alone."""

import pytest
import town
from django.db import connection

from units.collections import COLLECTIONS, SQL, collection
from units.errors import UnknownName
from units.models import ControlArea, Finding, Flag, Parcel, Problem, RedevelopmentUnit, Revision, Survey

TYPES = {
    "string": {"text", "character varying"},
    "integer": {"integer", "smallint", "bigint"},
    "number": {"double precision", "numeric"},
    "array": {"character varying[]", "text[]"},
    "date": {"date"},
    "date-time": {"timestamp with time zone"},
    "boolean": {"boolean"},
}


def rows(name: str, column: str = "fid") -> list:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT s.{column} FROM ({COLLECTIONS[name].source()}) s ORDER BY s.fid")
        return [value for (value,) in cursor.fetchall()]


def test_each_question_file_belongs_to_a_collection_and_begins_with_its_question():
    files = {path.stem: path for path in SQL.glob("*.sql")}
    assert set(files) == set(COLLECTIONS)
    for path in files.values():
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("-- "), path
        assert first.endswith("?"), path


@pytest.mark.parametrize("name", COLLECTIONS)
def test_the_question_yields_what_the_collection_declares_in_the_declared_types(db, name):
    promised = COLLECTIONS[name]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({promised.source()}) s LIMIT 0")
        oids = {column.name: column.type_code for column in cursor.description}
        cursor.execute(
            "SELECT oid::int, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(%s)", [list(oids.values())]
        )
        names = dict(cursor.fetchall())
    assert set(oids) >= {"fid", "geom", "district_id", "street_id", promised.code, *promised.names}
    assert names[oids["geom"]] == "geometry"
    for column in promised.columns:
        assert names[oids[column.name]] in TYPES[column.type], column.name


@pytest.mark.parametrize("name", COLLECTIONS)
def test_the_question_takes_no_parameters(name):
    """It is put into other statements, whose values would be mixed with its own."""
    assert "%" not in COLLECTIONS[name].source()


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_collection_serves_its_row_of_every_place(db, name):
    town.build()
    assert len(rows(name)) == len(town.PLACES)


@pytest.mark.parametrize("name", ["parcels", "patches", "buildings", "candidates"])
@pytest.mark.rows("NK011")
def test_only_the_round_in_force_is_served_and_each_row_names_it(db, name):
    town.build()
    assert set(rows(name, "base_survey")) == {2022}
    Survey.objects.filter(district_id=town.NANKAI, year=2022).update(state="retired")
    assert set(rows(name, "district_id")) == {town.HEPING}


def test_what_has_passed_is_not_served(db):
    town.build()
    ControlArea.objects.update(in_force=False)
    Finding.objects.update(state="resolved")
    RedevelopmentUnit.objects.filter(state="draft").update(state="deleted")
    RedevelopmentUnit.objects.filter(state="approved").update(state="amended")
    assert rows("control-areas") == rows("findings") == rows("units") == []


def test_a_problem_lies_where_its_land_lies(db):
    town.build()
    problem, parcel = Problem.objects.first(), Parcel.objects.filter(survey__state="in_force").last()
    problem.parcels.add(parcel)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ST_NumGeometries(s.geom), ST_Covers(s.geom, %s::geometry) "
            f"FROM ({COLLECTIONS['problems'].source()}) s WHERE s.fid = %s",
            [parcel.geom.ewkt, problem.pk],
        )
        assert cursor.fetchone() == (2, True)


@pytest.mark.parametrize("name", COLLECTIONS)
def test_the_fid_is_one_row_and_stays(db, name):
    town.build()
    before = rows(name)
    assert len(set(before)) == len(before)
    Parcel.objects.update(address="elsewhere")
    assert rows(name) == before


def test_every_revision_a_collection_names_grows_when_its_table_is_written(db):
    named = {name for one in COLLECTIONS.values() for name in one.revisions}
    before = dict(Revision.objects.values_list("name", "number"))
    town.build()
    after = dict(Revision.objects.values_list("name", "number"))
    assert {name for name in named if after.get(name, 0) > before.get(name, 0)} == named


def test_each_write_bumps_the_revision_of_what_shows_it(db):
    town.build()
    for model, name in ((Flag, "candidates"), (Parcel, "candidates"), (Parcel, "parcels"), (Survey, "parcels")):
        before = dict(Revision.objects.values_list("name", "number"))
        model.objects.filter(district_id=town.NANKAI).update(district_id=town.NANKAI)
        after = dict(Revision.objects.values_list("name", "number"))
        assert any(after[one] > before[one] for one in COLLECTIONS[name].revisions), (model, name)


def test_an_unknown_collection_is_told_with_those_there_are():
    with pytest.raises(UnknownName) as caught:
        collection("parcel")
    assert "parcels" in str(caught.value)
