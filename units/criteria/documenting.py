"""Write a criteria set down for planners: every rule with its clause, its condition in words and its cases."""

from pathlib import Path

from django.utils.translation import gettext as _

from units.criteria import sets
from units.criteria.measures import MEASURES, SOURCE_TITLES
from units.models import Category
from units.wording import outline

FOLDER = Path(__file__).parent / "docs"
MEASURES_FILE = "measures"


def documents() -> dict[str, str]:
    """File name → text, of every set that the product ships and of the measures that rules may name."""
    texts = {f"{name}.md": document(name) for name in sets.shipped()}
    return texts | {f"{MEASURES_FILE}.md": measures_document()}


def document(name: str) -> str:
    """One set as Markdown, in the language now spoken."""
    told = outline(sets.load(name))
    lines = [f"# {told['title']}", ""]
    if not told["official"]:
        lines += [f"**{_('Demonstration parameters, not an official standard.')}**", ""]
    head = [
        (_("Set"), f"`{told['id']}`"),
        (_("Parent"), f"[`{told['parent']}`]({told['parent']}.md)" if told["parent"] else ""),
        (_("Valid from"), told["valid_from"].isoformat()),
        (_("Judged by people too"), "、".join(told["people"])),
    ]
    lines += [f"- {title}: {value}" for title, value in head if value]
    lines += ["", f"## {_('Parameters')}", ""]
    lines += [f"| {_('Name')} | {_('Value')} | {_('Note')} | {_('From')} |", "|---|---|---|---|"]
    for one in told["params"]:
        origin = f"`{one['origin']}`"
        if one["before"] is not None:
            origin += " " + _("(before: %(value)s; %(reason)s)") % {"value": one["before"], "reason": one["reason"]}
        lines.append(f"| `{one['name']}` | {_cell(one['value'])} | {_cell(one['note'])} | {_cell(origin)} |")
    for effect in sets.EFFECTS:
        rules = [rule for rule in told["rules"] if rule["effect"] == effect]
        if rules:
            lines += ["", f"## {rules[0]['effect_title']}"]
        for rule in rules:
            lines += ["", *_rule(rule)]
    if told["disabled"]:
        lines += ["", f"## {_('Rules of the parent that do not apply')}", ""]
        lines += [f"- `{one['rule']}`: {one['reason']}" for one in told["disabled"]]
    return "\n".join(lines) + "\n"


def _rule(rule: dict) -> list[str]:
    of = "、".join([*rule["categories"], *rule["kinds"]])
    lines = [f"### {rule['id']} {rule['title']}", "", f"> {rule['basis']} ({rule['confidence_title']})", ""]
    said = {_("Of"): of, _("Met where"): rule["sentence"], _("Written"): f"`{rule['when']}`"}
    if rule["replaces"]:
        said[_("In the place of")] = f"{rule['before']} ({rule['replaces']})"
    lines += [f"- {title}: {text}" for title, text in said.items()]
    lines += ["", _row(_("Case"), _("Given"), _("Then")), "|---|---|---|"]
    for case in rule["cases"]:
        given = "；".join(f"{title} {value}" for title, value in case["given"]) or _("no fact known")
        lines.append(f"| {_cell(case['name'])} | {_cell(given)} | {case['expect_title']} |")
    return lines


def measures_document() -> str:
    """Every measure that a rule may name: title, unit, source and definition."""
    lines = ["# " + _("Measures"), "", _row(_("Name"), _("Title"), _("Unit"), _("Source"), _("Definition"))]
    lines.append("|---|---|---|---|---|")
    for one in MEASURES.values():
        source = SOURCE_TITLES.get(one.source, one.source)
        lines.append(f"| `{one.name}` | {one.title} | {one.uom} | {source} | {_cell(one.definition)} |")
    lines += ["", _("Categories") + ": " + "、".join(str(one.label) for one in Category)]
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
