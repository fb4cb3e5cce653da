"""Hold the columns of a layer against its profile: all there, of the right type, wide enough, with all digits."""

from django.utils.translation import gettext as _

from importers.checking import Problem, column_text
from importers.inspecting import Inspected
from importers.problems import KINDS, WARN
from importers.profiles import Field, Match
from importers.reading_dbf import Column, Table
from units.errors import Refused

LONG = 16  # digits from which a number in double precision no longer holds them all
ENOUGH = 8  # codes of which all look rounded: of as many true ones that happens once in 16⁸
SAMPLE = 2_000
NUMBERS = "NF"


def check_structure(seen: Inspected, found: Match) -> list[Problem]:
    """What is wrong with the columns of the layer as a whole (L02).

    Raises Refused where the codes of a column lost digits on their way: no row of it can be told from another.
    """
    problems = []
    absent = [one for one in found.profile.fields if one.required and not found.has(one.name)]
    if absent:
        said = ", ".join(one.name if one.said == one.name else f"{one.name} {one.said}" for one in absent)
        problems.append(Problem(-1, "3-field-missing", WARN, "", said))
    for one in found.profile.fields:
        if one.name not in found.columns:
            continue
        column = seen.table.column(found.columns[one.name])
        _may_hold_digits(seen, one, column)
        if isinstance(seen.table, Table):  # other containers were laid out here, and their widths are ours
            problems += _differs(found, one, column)
    return problems


def _differs(found: Match, one: Field, column: Column) -> list[Problem]:
    text = one.kind not in ("number", "integer", "date", "flag", "truth", "floors")
    if text and column.kind in NUMBERS and not one.numeric:
        return [Problem(-1, "3-type-differs", WARN, column.name, _("a number"), _("text"))]
    if one.kind in ("number", "integer") and column.kind not in NUMBERS:
        return [Problem(-1, "3-type-differs", WARN, column.name, _("text"), _("a number"))]
    exact = one.area or any(one.name in (each.result, each.of) for each in found.profile.sums)
    if exact and column.decimals == 0 and column.kind == "N":
        return [Problem(-1, "3-type-differs", WARN, column.name, _("a whole number"), _("a number with decimals"))]
    fixed = one.pattern or (one.scheme and not one.headings)
    if text and fixed and column.kind == "C" and column.width < one.width:
        return [Problem(-1, "3-width-differs", WARN, column.name, str(column.width), str(one.width))]
    return []


def _may_hold_digits(seen: Inspected, one: Field, column: Column):
    """Refuse a column of long codes that were a number in between: the last digits are another code's, or zeros."""
    if column.kind not in NUMBERS or one.kind != "text" or one.width < LONG or not one.pattern:
        return
    values, _bad = column_text(seen.table, column.name, seen.encoding.python, slice(0, SAMPLE))
    said = [value for value in values.to_pylist() if value]
    powers = [value for value in said if "e" in value.lower()]
    whole = [value for value in said if value.isdigit() and len(value) > LONG]
    # Codes that were rounded are rounded to one another: a few that are there again and again say it too.
    enough = len(whole) >= ENOUGH and (len(set(whole)) >= ENOUGH or 2 * len(set(whole)) <= len(whole))
    if enough and (all(_rounded(value) for value in whole) or all(value.endswith("000") for value in whole)):
        powers += whole
    if powers:
        kind = KINDS["3-digits-lost"]
        parts = {"field": column.name, "value": powers[0], "more": ""}
        raise Refused(str(kind.sentence) % parts, kind.fix, code="3-digits-lost")


def _rounded(digits: str) -> bool:
    return int(float(digits)) == int(digits)
