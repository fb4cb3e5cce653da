"""What is cut in memory for a whole district equals what the questions of SQL tell of one parcel."""

import pytest
from django.db import connection, transaction

from tests.units.criteria.drawn import ALL, Land
from units.criteria import cutting, measures
from units.measuring import Base, forget, measure

pytestmark = pytest.mark.django_db


def asked_of_one(base: Base, relation: str, columns: str, parcel: int) -> list[tuple]:
    """The rows of one relation by its question alone, with the relations that it stands on."""
    wanted = measures.RELATIONS[: measures.RELATIONS.index(relation) + 1]
    parts = ", ".join(f"{name} AS MATERIALIZED ({measures.question(name)})" for name in wanted)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {parts} SELECT {columns} FROM {relation}", base.values(parcel=parcel))
        return cursor.fetchall()


def of_all(base: Base, relation: str, columns: str) -> list[tuple]:
    with transaction.atomic(), connection.cursor() as cursor:
        measure(cursor, base)
        cursor.execute(f"SELECT {columns} FROM {relation}")
        rows = cursor.fetchall()
        forget(cursor)
    return rows


@pytest.fixture
def town(db) -> Land:
    """Parcels inside a patch, across two, beside one by an edge, round a hole, and with a wall over the border."""
    land = Land(layers=ALL)
    land.parcels = [land.parcel((x, 0, x + 90, 100)) for x in (0, 100, 200, 300)]
    land.patch("0601", (-10, -10, 95, 110))
    land.patch("0701", (95, -10, 150, 110))
    land.patch("0601", (150, -10, 200, 110))
    land.patch("05H1", (290, -10, 400, 50))
    land.building((10, 10, 30, 30))
    land.building((80, 40, 110, 60))
    land.building((189.99, 0, 200, 20))
    land.control("park", (50, 0, 120, 40))
    land.control("park", (300, 0, 390, 100))
    land.control("heritage", (0, 0, 90, 0.000001))
    return land


@pytest.mark.parametrize(("relation", "names"), [("piece", "dlbm"), ("wall", "id"), ("zone", "kind, use, use_scheme")])
def test_what_is_cut_in_memory_equals_the_question_of_one_parcel(town, relation, names):
    base = Base.of(town.district.code)
    columns = (
        f"subject, {names}, whole, round(area::numeric, 6), ST_AsText(ST_Normalize(ST_ReducePrecision(geom, 1e-4)))"
    )
    together = sorted(of_all(base, relation, columns), key=str)
    apart = sorted(
        (row for parcel in town.parcels for row in asked_of_one(base, relation, columns, parcel.pk)), key=str
    )
    assert len(together) >= 3
    assert together == apart


def test_a_parcel_that_lies_in_a_patch_is_not_cut_and_one_that_shares_an_edge_is_not_told(town):
    base, (first, second, third, fourth) = Base.of(town.district.code), [parcel.pk for parcel in town.parcels]
    told = {(row[0], row[1]): row[2:] for row in of_all(base, "piece", "subject, dlbm, whole, geom IS NULL")}
    assert told == {
        (first, "0601"): (True, True),
        (second, "0701"): (False, False),
        (second, "0601"): (False, False),
        (fourth, "05H1"): (False, False),
    }
    assert third not in {subject for subject, _dlbm in told}


def test_a_district_larger_than_one_batch_is_cut_to_the_same_pieces(town, monkeypatch):
    base, columns = Base.of(town.district.code), "subject, dlbm, whole, area, ST_AsBinary(geom)"
    in_one = of_all(base, "piece", columns)
    monkeypatch.setattr(cutting, "BATCH", 1)
    assert of_all(base, "piece", columns) == in_one


def test_a_text_with_signs_of_copy_reaches_its_column_as_it_is(town):
    base = Base.of(town.district.code)
    use = "a\\b\tc\nd"
    town.control("plot_plan", (0, 0, 90, 100), use=use)
    assert {row[0] for row in of_all(base, "zone", "use") if row[0]} == {use}


def test_where_nothing_lies_on_the_parcels_nothing_is_told(db):
    land = Land(layers=ALL)
    land.parcel((0, 0, 10, 10))
    base = Base.of(land.district.code)
    assert of_all(base, "piece", "subject") == []
