"""Messages show measures and parameters in a given form and can do nothing else."""

from decimal import Decimal

import pytest
from django.db import connection

from units.criteria.compiler import Param, bindings
from units.criteria.messages import CHINESE, ENGLISH, compile_message
from units.errors import CriteriaError

PARAMS = {
    "far_min": Param("far_min", Decimal("1.0"), "1", ""),
    "uses": Param("uses", ("0601", "0602"), "use_scheme", ""),
}


def shown(template, far=None, use=None, words=CHINESE):
    message = compile_message(template, PARAMS, "r0_", "test.toml, rule X", words)
    values = message.literals | bindings(PARAMS) | {"far": far, "use": use}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {message.sql} FROM (SELECT %(far)s::numeric AS far, %(use)s::text AS registered_use) m", values
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("容积率 {far:.2f}，低于 {far_min}", "容积率 0.50，低于 1"),
        ("{far:.1%} 100%", "50.0% 100%"),
        ("用途 {registered_use} 不在 {uses}", "用途 0601 不在 0601、0602"),
        ("{{far}} %(far)s %s", "{far} %(far)s %s"),
    ],
)
def test_a_message_shows_what_it_names(db, template, expected):
    assert shown(template, far=Decimal("0.500"), use="0601") == expected


def test_what_is_unknown_is_said_to_be_unknown(db):
    assert shown("容积率 {far:.2f}") == "容积率 未知"
    assert shown("FAR {far:.2f} of {uses}", words=ENGLISH) == "FAR unknown of 0601, 0602"


@pytest.mark.parametrize(
    "template",
    [
        "{fra}",
        "{far.__class__}",
        "{far[0]}",
        "{0}",
        "{}",
        "{far!r}",
        "{far:>100000000}",
        "{far:{far_min}}",
        "{far",
        "{registered_use:.2f}",
    ],
)
def test_a_message_that_would_do_more_is_refused(template):
    with pytest.raises(CriteriaError, match=r"test\.toml, rule X, message"):
        compile_message(template, PARAMS, "r0_", "test.toml, rule X")
