"""The house stands as DESIGN part 3 draws it: rooms, the way imports point, no knots, no names that hide."""

import ast
import subprocess
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP = {
    "pyproject.toml",
    "manage.py",
    "geoinv",
    "units",
    "importers",
    "tiles",
    "fixtures",
    "tests",
    "docker",
    "script",
    "README.md",
    "LICENSE",
}
PACKAGES = ("geoinv", "units", "importers", "tiles", "fixtures")
# Who may import whom. The wiring knows all rooms; importers and tiles do not know each other; units knows nobody.
MAY_IMPORT = {
    "geoinv": {"geoinv", "units", "importers", "tiles", "fixtures"},
    "importers": {"importers", "units"},
    "tiles": {"tiles", "units"},
    "units": {"units"},
    "fixtures": {"fixtures"},
}
# Inside units, from the bottom up. A module of units that is not named here is a verb.
STOREYS = ("plain facts", "tables", "questions", "verbs", "faces")
STOREY = {
    **dict.fromkeys(("errors", "codes", "policy", "spatial", "geometry", "workflow", "rights"), "plain facts"),
    "criteria.measures": "plain facts",  # the table of measures is made of it
    **dict.fromkeys(("models", "migrations", "history"), "tables"),
    **dict.fromkeys(("sql", "collections"), "questions"),
    **dict.fromkeys(
        ("ogc", "api", "views", "urls", "admin", "apps", "management", "terminal", "templatetags"), "faces"
    ),
}
HIDING = {"utils", "util", "helpers", "helper", "services", "service", "managers", "manager", "common", "misc"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> dict[str, ast.Module]:
    """Every module of the packages, parsed."""
    return {
        module_name(path): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


MODULES = modules()


def imports(name: str, tree: ast.AST):
    """(line, module) for each import of one of our own modules; `from a import b` is a.b when that is a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively; write the full name"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [one if one in MODULES else node.module for one in found]
        else:
            continue
        for one in found:
            if one.split(".")[0] in PACKAGES:
                yield node.lineno, one


def storey(module: str) -> str:
    parts = module.split(".")
    if ".".join(parts[1:3]) in STOREY:
        return STOREY[".".join(parts[1:3])]
    return STOREY.get(parts[1], "verbs") if len(parts) > 1 else "plain facts"


def test_the_top_level_is_as_agreed():
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    names = {line.strip('"').split("/")[0] for line in tracked} or {path.name for path in ROOT.iterdir()}
    shown = {name for name in names if not name.startswith(".")}
    assert shown <= TOP, f"not in the layout: {sorted(shown - TOP)}; new folders live inside the agreed ones"


def test_imports_point_one_way_between_the_rooms():
    wrong = [
        f"{name}:{line} imports {one}, but {name.split('.')[0]} may know only "
        f"{', '.join(sorted(MAY_IMPORT[name.split('.')[0]]))}"
        for name, tree in MODULES.items()
        for line, one in imports(name, tree)
        if one.split(".")[0] not in MAY_IMPORT[name.split(".")[0]]
    ]
    assert not wrong, "\n".join(wrong)


def test_imports_point_down_inside_units():
    wrong = [
        f"{name}:{line} is of the {storey(name)} and imports {one} of the {storey(one)}: imports only point down, "
        f"{' → '.join(reversed(STOREYS))}"
        for name, tree in MODULES.items()
        if name.startswith("units.")
        for line, one in imports(name, tree)
        if one.startswith("units.") and STOREYS.index(storey(one)) > STOREYS.index(storey(name))
    ]
    assert not wrong, "\n".join(wrong)


def test_plain_facts_know_no_tables_and_no_web():
    wrong = [
        f"{name} imports {module}; plain facts are tested without a database or a request"
        for name, tree in MODULES.items()
        if name.startswith("units.") and storey(name) == "plain facts"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for module in [node.module or ""]
        if module.startswith(("django.http", "django.shortcuts", "django.contrib", "units.models"))
    ]
    assert not wrong, "\n".join(wrong)


def test_there_are_no_knots():
    graph = {
        name: {one for _, one in imports(name, tree) if one in MODULES and one != name}
        for name, tree in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as knot:
        pytest.fail("these modules import each other: " + " → ".join(knot.args[1]))


def test_nothing_is_imported_inside_a_function_to_dodge_a_circle():
    allowed = {"manage"}
    wrong = [
        f"{name}:{inner.lineno} imports inside {node.name}()"
        for name, tree in MODULES.items()
        if name not in allowed
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_has_a_name_that_hides_what_it_is():
    wrong = [name for name in MODULES if HIDING & set(name.split("."))]
    assert not wrong, f"name these after what they hold: {wrong}"


def test_there_are_no_signals():
    wrong = [
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(("django.dispatch", "django.db.models.signals"))
    ]
    assert not wrong, f"say it in the verb, not in a signal: {wrong}"


def test_each_module_opens_with_a_sentence():
    wrong = [name for name, tree in MODULES.items() if tree.body and not (ast.get_docstring(tree) or "").strip()]
    assert not wrong, f"what is in these, in one true sentence? {wrong}"


def test_a_large_question_begins_with_the_question():
    wrong = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.sql"))
        if "?" not in path.read_text(encoding="utf-8").splitlines()[0]
    ]
    assert not wrong, f"the first line of each .sql is the question it answers: {wrong}"
