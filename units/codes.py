"""The code tables of the standards: land-use classes by scheme, and the domains of coded fields."""

import csv
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

DATA = Path(__file__).parent / "data"

SANDIAO = "sandiao"  # third survey working classes, TD/T 1055
YDYH = "ydyh2023"  # land and sea use classes, 2023
GBT21010 = "gbt21010"  # GB/T 21010, 2007 with two or three digits, 2017 with four
UNKNOWN = "unknown"


class LandUse(NamedTuple):
    """One class of a scheme; `construction` is None where the scheme does not say."""

    code: str
    name: str
    level: int
    parent: str
    three_class: str
    construction: bool | None


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one data file."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def land_use(scheme: str) -> MappingProxyType[str, LandUse]:
    """The classes of a scheme by code. A scheme without a table here is empty."""
    return MappingProxyType(
        {
            row["code"]: LandUse(
                row["code"],
                row["name"],
                int(row["level"]),
                row["parent"],
                row["three_class"],
                {"1": True, "0": False}.get(row["construction"]),
            )
            for row in rows("land_use")
            if row["scheme"] == scheme
        }
    )


@cache
def domain(name: str) -> MappingProxyType[str, str]:
    """Code → name of one coded field (QSXZ, QLXZ, ZDTZM-1 …); a domain that is not there is a mistake of ours."""
    found = {row["code"]: row["name"] for row in rows("domains") if row["domain"] == name}
    if not found:
        raise KeyError(f"units/data/domains.csv has no domain {name}")
    return MappingProxyType(found)


@cache
def usable(scheme: str) -> MappingProxyType[str, str]:
    """Code → name of the classes a patch may carry: no heading that has classes below it."""
    classes = land_use(scheme)
    headings = {use.parent for use in classes.values() if use.level == 2}
    return MappingProxyType({code: use.name for code, use in classes.items() if code not in headings})


def construction_codes(scheme: str = SANDIAO) -> frozenset[str]:
    """The codes of construction land (建设用地) of a scheme."""
    return frozenset(code for code, use in land_use(scheme).items() if use.construction)


def scheme_of(code: str, default: str = SANDIAO) -> str:
    """The scheme that the digits of a registered use speak of, or `default` where two schemes know them.

    Letters and suffixes (05H1, 0810A) are of the third survey, six digits of 用地用海, two or three digits of
    GB/T 21010-2007. 0601 is 工业用地 in one and 农村道路 in the other: the profile's default decides, and says so.
    """
    known = [scheme for scheme in (SANDIAO, YDYH) if code in land_use(scheme)]
    if len(known) == 1 and len(code) >= 4:
        return known[0]
    if known:
        return default
    if code.isdigit() and 2 <= len(code) <= 4:
        return GBT21010
    return UNKNOWN
