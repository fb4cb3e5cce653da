"""What a rule may say, what is refused and where, and what PostgreSQL then answers."""

import subprocess
import sys
from decimal import Decimal

import pytest
from django.db import connection

from units.criteria.compiler import MAX_CHARACTERS, MAX_NESTING, Param, bindings, compile_text
from units.criteria.measures import MEASURES, NUMBER, SQL_TYPES
from units.errors import CriteriaError

PARAMS = {
    "far_min": Param("far_min", Decimal("1.0"), "1", ""),
    "uses": Param("uses", ("0601", "0602"), "use_scheme", ""),
    "years": Param("years", (Decimal(1980), Decimal(1990)), "year", ""),
    "nothing": Param("nothing", (), "use_scheme", ""),
    "strict": Param("strict", True, "1", ""),
    "area_min": Param("area_min", Decimal(2000), "m2", ""),
    "code": Param("code", "120104210100000001", "use_scheme", ""),
    "none": Param("none", Decimal(0), "1", ""),
    "levy": Param("levy", Decimal(8), "10k CNY/mu", ""),
    "mus": Param("mus", Decimal(3), "mu", ""),
    "yuan": Param("yuan", Decimal(3), "10k CNY", ""),
}


def compiled(text):
    return compile_text(text, PARAMS, "r0_", "test.toml, rule X")


def answer(text, **given):
    """What PostgreSQL says of the condition for one subject with these measures, all others unknown."""
    rule = compiled(text)
    values = rule.literals | bindings(PARAMS) | {f"m_{name}": given.get(name) for name in MEASURES}
    columns = ", ".join(
        f"%(m_{name})s::{SQL_TYPES[one.type]} AS {name}" if one.type != NUMBER else f"%(m_{name})s::numeric AS {name}"
        for name, one in MEASURES.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {rule.sql} FROM (SELECT {columns}) AS m", values)
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("far < far_min", {"far": "0.99"}, True),
        ("far < far_min", {"far": "1.00"}, False),
        ("far < far_min", {}, None),
        ("far < far_min AND coverage < 0.3", {"far": "2"}, False),
        ("far < far_min AND coverage < 0.3", {"far": "0.5"}, None),
        ("far < far_min OR coverage < 0.3", {"far": "0.5"}, True),
        ("far < far_min OR coverage < 0.3", {"far": "2"}, None),
        ("NOT far < far_min", {}, None),
        ("NOT (far < far_min OR coverage < 0.3)", {"far": "2", "coverage": "0.4"}, True),
        ("far BETWEEN 0.5 AND far_min", {"far": "1"}, True),
        ("far NOT BETWEEN 0.5 AND 1", {"far": "1"}, False),
        ("registered_use IN (uses)", {"registered_use": "0602"}, True),
        ("registered_use IN (uses)", {"registered_use": "0701"}, False),
        ("registered_use IN (uses)", {}, None),
        ("NOT registered_use IN (uses, '0701')", {"registered_use": "0701"}, False),
        ("registered_use IN (nothing)", {"registered_use": "0601"}, False),
        ("registered_use IN (nothing)", {}, False),
        ("built_year_min IN (years)", {"built_year_min": 1990}, True),
        ("far IS NULL", {}, True),
        ("far IS NOT NULL", {}, False),
        ("registered_use LIKE '06%'", {"registered_use": "0601"}, True),
        ("registered_use LIKE '06%'", {"registered_use": "0701"}, False),
        ("registered_use = '50%'", {"registered_use": "50%"}, True),
        ("registered_use = '%s %(r0_l0)s'", {"registered_use": "%s %(r0_l0)s"}, True),
        ("registered_use = 'it''s'", {"registered_use": "it's"}, True),
        ("registered_use = '120104210100000001'", {"registered_use": "120104210100000001"}, True),
        ("registered_use = '120104210100000001'", {"registered_use": "120104210100000002"}, False),
        ("registered_use = code", {"registered_use": "120104210100000001"}, True),
        ("buildings / 2 = 0.5", {"buildings": 1}, True),
        ("far / coverage < 1", {"far": "0.9", "coverage": "0"}, None),
        ("coverage / 3 >= 0.3", {"coverage": "0.9"}, True),
        ("far + coverage * 2 - 1 = 0", {"far": "0.4", "coverage": "0.3"}, True),
        ("- far < -0.5", {"far": "0.6"}, True),
        ("area_m2 >= area_min", {"area_m2": "2000.00"}, True),
        ("TRUE", {}, True),
    ],
)
def test_three_valued_logic_of_the_database_answers(db, text, given, expected):
    assert answer(text, **given) is expected


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("pg_sleep(10) = 1", 1, "pg_sleep"),
        ("far < 1 AND pg_sleep(10) = 1", 13, "pg_sleep"),
        ("registered_use = pg_read_file('/etc/passwd')", 18, "pg_read_file"),
        ("units_user.password = 'x'", 1, "units_user"),
        ("registered_use = password", 18, "password"),
        ("far < far_mim", 7, "far_min"),
        ("fra < far_min", 1, "far"),
        ("far < 1; DROP TABLE units_flag", 8, ""),
        ("S_INTERSECTS(geom, POINT(1 1))", 1, ""),
        ("POINT(1 1) = far", 1, ""),
        ("far < DATE('2020-01-01')", 7, ""),
        ("T_AFTER(far, far)", 1, ""),
        ("CASEI(registered_use) = 'x'", 1, "casei"),
        ("far ^ 2 > 1", 5, "^"),
        ("far % 2 = 1", 5, "%"),
        ("far div 2 = 1", 5, "div"),
        ("far = NULL", 7, "IS NULL"),
        ("far = '1'", 5, ""),
        ("registered_use = 601", 16, ""),
        ("registered_use < '0601'", 16, ""),
        ("far = coverage = 1", 5, ""),
        ("far", 1, ""),
        ("far AND coverage", 5, ""),
        ("far + 1", 1, ""),
        ("far = uses", 5, ""),
        ("uses", 1, ""),
        ("far < area_min", 7, "m2"),
        ("far BETWEEN 'a' AND 'b'", 5, ""),
        ("registered_use + 1 = 2", 16, ""),
        ("registered_use LIKE code", 16, ""),
        ("far_min IS NULL", 12, ""),
        ("registered_use = 120104210100000001", 18, ""),
        ("far = 1e999", 1, ""),
        ("far < 1 AND", 12, ""),
        ("far IN ()", 9, ""),
        ("", 1, ""),
        ("POLYGON Z((0 0,1 1))", 1, ""),
        ("far::text = 'x'", 1, ""),
        ("far < (SELECT 1)", 15, ""),
        ("units_flag.evidence = 'x'", 1, ""),
        ("far = ALL(uses)", 7, "all"),
        ("EXISTS(far)", 1, "exists"),
        ("A_CONTAINS(uses, uses)", 1, "a_contains"),
        ("BBOX(1,2,3,4) = far", 1, ""),
        ("ENVELOPE(1,2,3,4) = far", 1, "envelope"),
        ("LINESTRING(1 1,2 2) = far", 1, ""),
        ("GEOMETRYCOLLECTION(POINT(1 1)) = far", 1, ""),
        ("far < 1 -- AND far > 2", 16, ""),
        ("far < 1 /* x */", 10, ""),
        ("f\u0430r < 1", 1, "far"),
        ("\uff46\uff41\uff52 < 1", 1, "U+FF46"),
        ("far \uff1c 1", 5, "U+FF1C"),
        ("far\u00a0< 1", 4, "U+00A0"),
        ("far \u200b< 1", 5, "U+200B"),
        ("far < 1 \u202e", 9, "U+202E"),
        ("far / 0 < 1", 5, ""),
        ("far / 0.0 < 1", 5, ""),
        ("far / (1 - 1) < 1", 5, ""),
        ("far / none < 1", 7, "none"),
        ("far / (far_min - far_min) < 1", 5, ""),
        ("far < 0.12345678901234567", 7, ""),
        ("far < 1e-300", 1, ""),
        ("far * " * 8 + "far * far < 1", 5, "8"),
        ("far + area_m2 < 1", 7, "m2"),
        ("far * area_m2 < far_min", 17, "m2"),
        ("tax_per_mu < area_min", 14, "10k CNY/mu"),
        ("tax_per_mu - output_per_mu / area_m2 < 1", 1, "10k CNY/m2·mu"),
        ("far BETWEEN far_min AND area_min", 25, "m2"),
        ("far IN (area_min)", 9, "m2"),
        ("main_class = code", 14, "TD/T 1055"),
        ("owner_wish = 'nope'", 15, "no"),
        ("far < 1 OR sector_class IN ('banned', 'elimnated')", 40, "eliminated"),
        ("use_state = code", 13, "idle"),
    ],
)
def test_what_may_not_stand_in_a_rule_is_refused_with_its_place(text, column, word):
    with pytest.raises(CriteriaError) as raised:
        compiled(text)
    assert raised.value.details["column"] == column, str(raised.value)
    assert str(raised.value).startswith("test.toml, rule X")
    assert word.lower() in str(raised.value).lower()


def test_nothing_of_a_text_is_written_into_the_sql():
    rule = compiled("registered_use = 'x'' OR 1=1 --' AND far < 0.5")
    assert rule.sql == "((m.registered_use = %(r0_l0)s::text) AND (m.far < %(r0_l1)s::numeric))"
    assert rule.literals == {"r0_l0": "x' OR 1=1 --", "r0_l1": Decimal("0.5")}


def test_numbers_are_bound_as_they_are_written():
    assert compiled("far < 0.1").literals == {"r0_l0": Decimal("0.1")}


def test_the_names_that_a_rule_reads_are_told():
    rule = compiled("far < far_min AND registered_use IN (uses)")
    assert rule.measures == ("far", "registered_use")
    assert rule.params == ("far_min", "uses")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4096,
        "(" * (MAX_NESTING + 1) + "far < 1" + ")" * (MAX_NESTING + 1),
        "far < 1 AND (" * 100,
        "NOT " * (MAX_NESTING + 1) + "far < 1",
        " + ".join(["far"] * 100) + " > 1",
        "far < " + "1" * MAX_CHARACTERS,
        "f(" * 60 + "1" + ")" * 60,
    ],
)
def test_what_is_too_long_or_too_deep_is_refused_before_it_can_hurt(text):
    with pytest.raises(CriteriaError):
        compiled(text)


def test_brackets_as_deep_as_allowed_are_read():
    assert compiled("(" * MAX_NESTING + "far < 1" + ")" * MAX_NESTING).measures == ("far",)


def test_brackets_within_quotes_are_text():
    assert compiled(f"registered_use = '{'(' * 100}'").literals == {"r0_l0": "(" * 100}


def test_four_kilobytes_of_brackets_do_not_kill_the_process():
    code = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
django.setup()
from units.criteria.compiler import compile_text
from units.errors import CriteriaError
try:
    compile_text("(" * 4096, {}, "r0_", "x")
except CriteriaError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "refused"), done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "tax_per_mu / output_per_mu < far_min",
        "tax_per_mu * mus > yuan",
        "yuan / mus < tax_per_mu",
        "tax_per_mu > levy AND 2 * levy < 100",
        "area_m2 / area_min < far",
        "1 - vacancy < far_min",
        "far / far_min < 1",
        "grade IN ('C', 'D')",
        "sector LIKE '25%'",
    ],
)
def test_units_that_agree_are_read(text):
    assert compiled(text).sql


def test_a_stored_rule_is_read_whatever_its_units_and_divisors_are():
    for text in ("far < area_min", "far / none < 1", "far < 1e-300"):
        with pytest.raises(CriteriaError):
            compiled(text)
        assert compile_text(text, PARAMS, "r0_", "x", strict=False).sql
    for text in ("pg_sleep(10) = 1", "units_user.password = 'x'", "(" * 4096):
        with pytest.raises(CriteriaError):
            compile_text(text, PARAMS, "r0_", "x", strict=False)


def test_the_largest_products_that_are_allowed_do_not_overflow_in_the_database(db):
    big = " * ".join(["area_m2"] * 9)
    assert answer(f"{big} > 0", area_m2="999999999999999") is True
    quotient = " / ".join(["far"] * 9)
    assert answer(f"{quotient} > 0", far="0.01") is True
    tiny = " / ".join(["far", *["0.000000000000001"] * 8])
    assert answer(f"{tiny} > 0", far="1") is True
