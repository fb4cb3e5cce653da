"""Tell which land classes a registered use allows and which category of low-efficiency land a class belongs to."""

import re
from functools import cache

from units.codes import rows

NONE = "none"  # known to be outside the four categories; an empty category is one that the class does not tell

SEPARATORS = re.compile(r"[,，、;；/\s]+")  # YT may hold several codes
DETAILED = (5, 6)  # lengths of codes one level below the tables: 0810A, 100101


@cache
def categories() -> dict[str, str]:
    """Land class of the third survey (DLBM) → the category it stands for, `none`, or empty where it does not tell."""
    return {row["class"]: row["category"] for row in rows("categories")}


@cache
def _uses() -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows("use_classes"):
        found.setdefault((row["scheme"], row["use"]), set()).add(row["class"])
    return {key: frozenset(value) for key, value in found.items()}


def classes_of(scheme: str, use: str) -> frozenset[str]:
    """The classes (or headings, to be read as prefixes) that a registered use allows; empty when nobody can say.

    Several codes in one field allow the classes of each; one unknown code among them makes the whole unknown.
    """
    allowed: set[str] = set()
    for code in filter(None, SEPARATORS.split(use)):
        found = _uses().get((scheme, code))
        if found is None and len(code) in DETAILED:
            found = _uses().get((scheme, code[:4]))
        if found is None:
            return frozenset()
        allowed |= found
    return frozenset(allowed)


def category_of(scheme: str, use: str) -> str:
    """The one category that a registered use stands for, `none` when outside all, empty when it cannot be said."""
    allowed = classes_of(scheme, use)
    found = {category for code, category in categories().items() if code.startswith(tuple(allowed))}
    return found.pop() if allowed and len(found) == 1 else ""
