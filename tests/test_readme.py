"""The README names every command, page, profile, criteria set, rule, measure and check, and what it names exists."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, get_resolver

from units.checks.registry import CHECKS, POLYGONS
from units.criteria import sets
from units.criteria.measures import MEASURES
from units.models import ControlArea
from units.models import __all__ as models

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SPANS = set(re.findall(r"`([^`\n]+)`", README))
OURS = {"units", "importers", "tiles", "geoinv"}
NOT_PAGES = {"admin"}  # Django's own addresses, many and not ours to describe one by one


def commands() -> set[str]:
    return {name for name, app in get_commands().items() if app in OURS}


def addresses(resolver=None, before="/") -> set[str]:
    """Every address of the site in the README's spelling: `<str:code>` is written `<code>`."""
    found = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        address = before + re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            found.add(address)
        elif getattr(pattern, "app_name", "") not in NOT_PAGES:
            found |= addresses(pattern, address)
    return found


def test_every_command_is_in_the_readme():
    named = {span.split()[0] for span in SPANS}
    assert commands() <= named, f"tell the README of {sorted(commands() - named)}"


def test_every_command_of_the_readme_exists():
    told = set(re.findall(r"manage\.py (\w+)", README)) - {"migrate", "shell"}
    assert told
    assert told <= set(get_commands()), f"no such command: {sorted(told - set(get_commands()))}"


def test_every_address_is_in_the_readme():
    untold = addresses() - SPANS
    assert not untold, f"tell the README of {sorted(untold)}"


def test_every_address_of_the_readme_exists():
    told = {span for span in SPANS if re.fullmatch(r"/(?!\*)[\w/<>{}.-]*", span)}
    assert told
    known = addresses() | {"/admin/", "/"}
    assert told <= known, f"no such address: {sorted(told - known)}"


def test_every_profile_and_no_other_is_in_the_readme():
    profiles = {path.stem for path in (ROOT / "importers" / "layouts").glob("*.toml")}
    assert profiles
    table = re.search(r"### Profiles\n(.*?)\n#", README, re.S)[1]
    assert set(re.findall(r"^\| `(\w+)`", table, re.M)) == profiles


def test_every_criteria_set_and_no_other_is_in_the_readme():
    sets = {path.stem for path in (ROOT / "units" / "criteria").glob("*.toml")}
    assert sets
    table = re.search(r"### Criteria sets\n(.*?)\n#", README, re.S)[1]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.M)) == sets


def test_every_rule_of_the_shipped_sets_is_in_the_readme():
    rules = {rule.id for path in (ROOT / "units" / "criteria").glob("*.toml") for rule in sets.load(path.stem).rules}
    assert rules
    assert rules <= SPANS, f"tell the README of {sorted(rules - SPANS)}"


def test_every_measure_is_in_the_readme():
    shares = {f"{kind}_share" for kind in ControlArea.Kind.values}  # told as `<kind>_share`
    untold = set(MEASURES) - shares - SPANS
    assert not untold, f"tell the README of {sorted(untold)}"


def test_every_check_is_in_the_readme_with_its_layers_and_clause():
    lines = {line.split("`")[1]: line for line in README.splitlines() if re.match(r"\| `\d-", line)}
    assert set(lines) == set(CHECKS)
    for code, check in CHECKS.items():
        assert check.clause in lines[code], code
        if set(check.layers) != set(POLYGONS):
            assert all(layer in lines[code] for layer in check.layers), code


@pytest.mark.parametrize("word", sorted(set(models) - {"Category", "Scheme", "User"}))
def test_each_table_is_in_the_glossary(word):
    glossary = re.search(r"## Glossary\n(.*?)\n## ", README, re.S)[1]
    assert f"`{word}`" in glossary


def test_the_files_that_the_readme_names_exist():
    told = {
        span
        for span in SPANS
        if re.fullmatch(r"(?:script|docker|units|importers|tiles|fixtures|tests|geoinv|\.ci)/[\w./-]+", span)
    }
    assert told
    missing = [span for span in sorted(told) if not (ROOT / span).exists()]
    assert not missing, f"the README names what is not there: {missing}"


def test_every_setting_of_the_environment_is_in_the_readme():
    sources = [*ROOT.glob("geoinv/*.py"), *ROOT.glob("geoinv/management/**/*.py"), *ROOT.glob("units/**/*.py")]
    sources += [*ROOT.glob("fixtures/**/*.py"), ROOT / "script/run", ROOT / "script/setup", ROOT / "script/_common.sh"]
    used = set().union(
        *(re.findall(r"\bGEOINV_[A-Z_]+\b", path.read_text(encoding="utf-8")) for path in sources if path.exists())
    )
    untold = {name for name in used if f"`{name}`" not in README}
    assert not untold, f"tell the README of {sorted(untold)}"


def test_no_figure_was_left_to_be_filled_in():
    assert not re.search(r"@[A-Z_]+@", README)
