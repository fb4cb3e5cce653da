"""The digests by which it can be told, years later, whether two imports were read by the same code and rules."""

import hashlib
from functools import cache
from pathlib import Path

from importers.profiles import Profile
from units.codes import DATA

HERE = Path(__file__).parent
RULES = ("domains.csv", "land_use.csv")  # the code tables that row checks ask


def digests(one: Profile) -> dict[str, str]:
    """The SHA-256 of the importers' code, and of what the rows of a profile are held against."""
    return {"code_sha256": _code(), "rules_sha256": _rules(one.text)}


@cache
def _code() -> str:
    files = [path for ending in ("*.py", "*.sql") for path in HERE.rglob(ending) if "migrations" not in path.parts]
    return _of({path.relative_to(HERE).as_posix(): path.read_bytes() for path in files})


@cache
def _rules(layout: str) -> str:
    tables = {name: (DATA / name).read_bytes() for name in RULES}
    return _of({**tables, "checks.toml": (HERE / "checks.toml").read_bytes(), "layout": layout.encode()})


def _of(contents: dict[str, bytes]) -> str:
    found = hashlib.sha256()
    for name, content in sorted(contents.items()):
        found.update(hashlib.sha256(content).digest() + name.encode() + b"\n")
    return found.hexdigest()
