"""Sectors and what is published of them: which division an edition's code stood under, and the control indices."""

from functools import cache

from units.codes import rows

NEVER_JUDGED = "M"  # the confidence of what nobody has checked


@cache
def divisions() -> tuple[dict, ...]:
    """Edition of GB/T 4754, beginning of a code → its division in the edition of 2002, after which old tables go."""
    return tuple(rows("sector_divisions"))


@cache
def indices() -> tuple[dict, ...]:
    """The published control indices, each with its area ("" is everywhere), years, source and confidence."""
    return tuple(rows("benchmarks"))


def bound(district: str) -> dict[str, list]:
    """What the questions of `sql/measures/` bind of both; of the indices those that hold here and may be judged by."""
    here = [one for one in indices() if district.startswith(one["area"]) and one["confidence"] != NEVER_JUDGED]
    return {
        "division_editions": [one["edition"] for one in divisions()],
        "division_sectors": [one["sector"] for one in divisions()],
        "divisions_2002": [one["division_2002"] for one in divisions()],
        "index_figures": [one["figure"] for one in here],
        "index_areas": [one["area"] for one in here],
        "index_sectors": [one["sector"] for one in here],
        "index_editions": [one["sector_edition"] for one in here],
        "index_years": [int(one["year"]) for one in here],
        "index_until": [int(one["until"] or 9999) for one in here],
        "index_values": [one["value"] for one in here],
    }
