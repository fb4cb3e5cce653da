"""Turn the CQL2 text of `filter=` into SQL over the columns that the caller sees."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from units.collections import Column
from units.criteria.compiler import compile_text
from units.criteria.measures import BOOLEAN, NUMBER, TEXT
from units.errors import CriteriaError, UsageError

# Dates are compared as the text that they are written in; lists and objects are no values of CQL2.
TYPES = {
    "string": TEXT,
    "integer": NUMBER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "date": TEXT,
    "date-time": TEXT,
}
AS_ASKED = {
    "date": "{0}::text",
    "date-time": """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
    "integer": "{0}::numeric",  # whose products are never too large for their type
}


@dataclass(frozen=True)
class Named:
    """What the compiler asks of a name: its type and its unit of measure."""

    type: str
    uom: str = ""


@dataclass(frozen=True)
class Filter:
    """A condition over the alias m, the values that it binds, and the columns that it names."""

    sql: str
    literals: tuple[tuple[str, object], ...]
    columns: tuple[Column, ...]


def filtered(text: str, columns: tuple[Column, ...]) -> Filter:
    """The condition that a filter puts. Raises UsageError with the place of what is wrong.

    It is the language of the criteria, over columns in the place of measures: comparisons, AND, OR, NOT, BETWEEN, IN,
    LIKE, IS NULL and the four operations. Shapes and functions are none of it; bbox selects by place.
    """
    known = {one.name: Named(TYPES[one.type], one.uom) for one in columns if one.type in TYPES}
    try:
        made = compile_text(text, {}, "q", "filter", known)
    except CriteriaError as error:
        hint = _("Properties are: %(names)s.") % {"names": ", ".join(known)}
        raise UsageError(str(error).strip(), hint, parameter="filter") from error
    used = tuple(one for one in columns if one.name in made.measures)
    return Filter(made.sql, tuple(made.literals.items()), used)


def joined(asked: Filter | None, alias: str) -> str:
    """SQL that joins to a row of `alias` what its filter names, as m: dates are text there, integers numeric."""
    if asked is None:
        return ""
    written = ", ".join(
        f"{AS_ASKED.get(one.type, '{0}').format(f'{alias}.{one.name}')} AS {one.name}" for one in asked.columns
    )
    return f" CROSS JOIN LATERAL (SELECT {written}) m"
