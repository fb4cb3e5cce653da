"""Truth tables: every rule of every pack at every threshold, just below, at, just above, and with each fact unknown."""

import itertools
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

import pytest
from django.db import connection

from tests.units.criteria import evaluated
from tests.units.criteria.drawn import ALL, Land, measured
from units.criteria import sets
from units.criteria.compiler import bindings
from units.criteria.measures import BOOLEAN, MEASURES, NUMBER, SQL_TYPES

pytestmark = pytest.mark.rows("NJ007", "NK010", "NK019")
MOST = 20_000  # rows of one rule
PACKS = {name: sets.load(name) for name in sets.shipped()}
RULES = [(name, rule.id) for name, criteria in PACKS.items() for rule in criteria.rules]


def step(name: str) -> Decimal:
    return Decimal(1).scaleb(-MEASURES[name].decimals)


def read_by(tree) -> list[str]:
    return [name for name in dict.fromkeys(evaluated.names(tree)) if name in MEASURES]


def limits(tree, known) -> list[tuple[str, Decimal]]:
    """(measure, number) of every comparison of a number."""
    found = []
    for one in evaluated.comparisons(tree):
        of = [name for name in read_by(one) if MEASURES[name].type == NUMBER]
        if not of or one[0] == "in":
            continue
        assert len(of) == 1, f"two measures are compared, which has no one threshold: {one}"
        found.append((of[0], evaluated.limit(one, of[0], known)))
    return found


def candidates(tree, known) -> dict[str, list]:
    """For each measure of a condition the values at which its verdict may turn, and unknown."""
    found: dict[str, list] = {name: [None] for name in read_by(tree)}
    for name, number in limits(tree, known):
        below = number.quantize(step(name), ROUND_FLOOR)
        found[name] += [below - step(name), below, below + step(name)]
    for one in evaluated.comparisons(tree):
        for name in read_by(one):
            if MEASURES[name].type == BOOLEAN:
                found[name] += [True, False]
            elif MEASURES[name].type != NUMBER:
                for other in one[1:]:
                    if other != ("name", name):
                        value = evaluated.answer(other, known)
                        found[name] += list(value[:1] + value[-1:]) if isinstance(value, tuple) else [value]
                found[name].append("another")
    for name, values in found.items():
        if len(values) == 1:  # asked only whether it is known
            values.append({NUMBER: Decimal(1), BOOLEAN: True}.get(MEASURES[name].type, "another"))
        found[name] = list(dict.fromkeys(values))
    return found


def table(rule, params) -> tuple[tuple, list[dict]]:
    """The condition, and every row of facts that it is tried on."""
    known = {name: param.value for name, param in params.items()}
    tree = evaluated.read(rule.when)
    values = candidates(tree, known)
    rows = [dict(zip(values, row, strict=True)) for row in itertools.product(*values.values())]
    assert 0 < len(rows) <= MOST, f"{rule.id}: {len(rows)} rows"
    return tree, rows


TABLES = {
    (name, rule.id): table(rule, PACKS[name].params) for name, criteria in PACKS.items() for rule in criteria.rules
}


def known_of(name: str) -> dict:
    return {key: param.value for key, param in PACKS[name].params.items()}


@pytest.fixture(scope="module")
def answers(django_db_setup, django_db_blocker):
    """What PostgreSQL says of every row: one question a pack."""
    found = {}
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for name, criteria in PACKS.items():
            asked, values = [], dict(bindings(criteria.params))
            for place, rule in enumerate(criteria.rules):
                _tree, rows = TABLES[name, rule.id]
                values |= rule.condition.literals | {f"n{place}": list(range(len(rows)))}
                arrays, columns = [f"%(n{place})s::int[]"], ["number"]
                for measure in rule.condition.measures:
                    values[f"d{place}_{measure}"] = [row[measure] for row in rows]
                    arrays.append(f"%(d{place}_{measure})s::{SQL_TYPES[MEASURES[measure].type]}[]")
                    columns.append(measure)
                asked.append(
                    f"SELECT {place}, array_agg({rule.condition.sql} ORDER BY m.number) "
                    f"FROM unnest({', '.join(arrays)}) AS m ({', '.join(columns)})"
                )
            cursor.execute(" UNION ALL ".join(asked), values)
            found |= {(name, criteria.rules[place].id): told for place, told in cursor.fetchall()}
    connection.close()
    return found


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_the_compiled_rule_answers_at_every_threshold_as_the_condition_reads(answers, name, rule):
    tree, rows = TABLES[name, rule]
    known = known_of(name)
    expected = [evaluated.answer(tree, known | row) for row in rows]
    told = answers[name, rule]
    wrong = [one for one in zip(rows, expected, told, strict=True) if one[1] is not one[2]]
    assert not wrong, f"{tree}: {len(wrong)} of {len(rows)} rows, the first: {wrong[0]}"
    assert set(expected) == {True, False, None}


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_the_table_of_a_rule_would_notice_every_limit_that_is_drawn_one_step_aside(name, rule):
    tree, rows = TABLES[name, rule]
    known = known_of(name)
    before = [evaluated.answer(tree, known | row) for row in rows]
    # a comparison of which the limit lies between two steps of its measure is the same with and without equality
    on_the_grid = {
        measure for measure, number in limits(tree, known) if number == number.quantize(step(measure), ROUND_FLOOR)
    }
    for changed in evaluated.neighbours(tree):
        (turned,) = [one for one in evaluated.comparisons(changed) if one not in list(evaluated.comparisons(tree))] or [
            None
        ]
        if turned is None or not set(read_by(turned)) & on_the_grid:
            continue
        after = [evaluated.answer(changed, known | row) for row in rows]
        assert after != before, f"nobody would notice {changed}"


def test_the_evaluator_reads_what_it_is_asked_to():
    known = {"a": Decimal(2), "b": None, "c": ("x", "y"), "d": "x", "e": True}
    for text, expected in (
        ("a < 2 OR b > 1", None),
        ("a <= 2 OR b > 1", True),
        ("a > 2 AND b > 1", False),
        ("NOT d IN (c)", False),
        ("d NOT IN (c, 'z')", False),
        ("d IN ('z')", False),
        ("b IS NULL AND d IS NOT NULL", True),
        ("a BETWEEN 1 AND 2", True),
        ("1 - a < 0 - 0.5 * 2", False),
        ("(a + 1) / 3 = 1", True),
        ("a / 0 = 1", None),
        ("e = TRUE", True),
    ):
        assert evaluated.answer(evaluated.read(text), known) is expected, text


# --- one day before, on, and one day after ------------------------------------------------------------------------

ENDS = date(2022, 12, 31)  # what is counted in time is counted to the last day of the survey's year
BLANK = {
    "start_agreed": "2000-01-01",
    "start_actual": "2000-01-01",
    "completion_agreed": "2030-01-01",
    "area_m2": 10_000,
    "investment_agreed_cny": 1000,
    "investment_actual_cny": 900,
}


def by_contract(developed=5000, **fields):
    def draw(land, parcel, day):
        given = BLANK | {name: day if value == "day" else value for name, value in fields.items()}
        land.contract(parcel, developed=developed, **given)

    return draw


def by_firm(land, parcel, day):
    land.firm(parcel, tax=1, started_on=day)


def by_building(land, parcel, day):
    x = (parcel.serial_drawn) * 300
    land.building((x, 0, x + 50, 50), floor_area=100, vacant_m2=100, extra={"KZQSSJ": day.replace("-", "")})


DRAWN = {  # measure → what is drawn with the day in it
    "start_overdue": by_contract(0, start_agreed="day", start_actual=None, investment_actual_cny=0),
    "completion_overdue": by_contract(completion_agreed="day"),
    "completed_for": by_contract(completion_actual="day"),
    "stopped_for": by_contract(stopped_on="day"),
    "production_years": by_firm,
    "vacant_months": by_building,
    "idle_months": by_building,
}
# Of a building and of a year's figures only the year is known.
UNDATED = {"built_year_max", "age", "no_tax_years", "no_output_years", "d_grade_years"}
IN_TIME = {name for name, one in MEASURES.items() if one.uom in ("a", "month")} - UNDATED


def anniversary(number: Decimal, uom: str) -> date:
    months = int(number) * (12 if uom == "a" else 1)
    year, month = divmod(ENDS.year * 12 + ENDS.month - 1 - months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return following - timedelta(days=1)


def test_one_day_before_on_and_after_every_limit_in_time(db):
    wanted = set()
    for name, criteria in PACKS.items():
        for rule in criteria.rules:
            found = limits(TABLES[name, rule.id][0], known_of(name))
            wanted |= {(measure, number) for measure, number in found if measure in IN_TIME and number > 0}
    assert {measure for measure, _number in wanted} <= set(DRAWN), "draw the new measure here"
    assert len(wanted) >= 9
    land, drawn = Land(layers=ALL), {}
    for serial, (measure, number) in enumerate(sorted(wanted)):
        assert number == int(number), (measure, number)
        on = anniversary(number, MEASURES[measure].uom)
        for offset in (-1, 0, 1):
            x = (serial * 3 + offset + 1) * 300
            parcel = land.parcel((x, 0, x + 100, 100))
            parcel.serial_drawn = serial * 3 + offset + 1
            if DRAWN[measure] is not by_building and measure != "start_overdue":
                land.building((x, 0, x + 50, 50), floors=1)
            DRAWN[measure](land, parcel, (on + timedelta(days=offset)).isoformat())
            drawn[measure, number, offset] = parcel.pk
    rows = measured(land)
    for measure, number in wanted:
        before, at, after = (rows[drawn[measure, number, offset]][measure] for offset in (-1, 0, 1))
        assert before > at == number > after, (measure, number, before, at, after)
