"""Tell for one parcel or building what every rule finds and why it is flagged, or is not."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units.criteria.measures import MEASURES, SOURCE_TITLES
from units.explaining import UOM_TITLES, explain
from units.models import Category, Flag
from units.rights import Grant, Role
from units.terminal import GeoinvCommand

OPERATOR = (Grant(Role.ANALYST), Grant(Role.OFFICE))  # who may run commands may read everything
VERDICTS = {True: gettext_lazy("met"), False: gettext_lazy("not met"), None: gettext_lazy("data missing")}
EFFECTS = {
    "flag": gettext_lazy("flags"),
    "exclude": gettext_lazy("excludes"),
    "exempt": gettext_lazy("exempts"),
    "classify": gettext_lazy("classifies"),
    "warn": gettext_lazy("warns"),
    "require": gettext_lazy("requires"),
}
ORDER = {True: 0, None: 1, False: 2}
WHY = {
    "candidate": gettext_lazy("At least one rule that flags is met, and none that excludes or exempts."),
    "excluded": gettext_lazy("A rule that excludes is met."),
    "exempted": gettext_lazy("A rule that flags is met, and so is one that exempts."),
    "undecided": gettext_lazy("Data are missing, so nobody can say yet; it does not count as “not low”."),
    "not_low": gettext_lazy("No rule that flags is met, and none lacks data."),
}


class Command(GeoinvCommand):
    help = "Every rule for one parcel or building: clause, value, threshold, verdict, and what is missing from whom."
    example = "python manage.py explain 120104001001GB00001 --criteria nankai-2024"

    def add_arguments(self, parser):
        parser.add_argument("code", help="Code of the parcel (ZDDM) or of the building (JZWBH).")
        parser.add_argument("--criteria", help="Name of the criteria set (default: the one used last).")

    def run(self, *args, **options):
        return explain(options["code"], options["criteria"], grants=OPERATOR)

    def text(self, result):
        category = Category(result["category"]).label if result["category"] else "—"
        lines = [
            f"{result['subject']}  {result['address']}",
            f"{Flag.Outcome(result['outcome']).label} · {category} · {WHY[result['outcome']]}",
            f"{result['title']}  {result['criteria']}  {result['digest'][:12]}",
            _("Base: survey of %(year)d") % {"year": result["survey"]},
        ]
        if result["idle"]:
            lines.append(_("Idle land has a procedure of its own; it is no low-efficiency land."))
        if result["exemption_pending"]:
            lines.append(_("Exemption to be checked."))
        if result["missing"]:
            lines += ["", _("To be asked for:")]
            lines += [f"    {fact['title']} → {fact['owner_name']}" for fact in result["missing"]]
        # What is met first, then what nobody can say, then what is not met: the order in which one reads.
        for rule in sorted(result["rules"], key=lambda rule: ORDER[rule["verdict"]]):
            if rule["effect"] != "classify" or rule["verdict"] is not False:  # not the categories it is not of
                lines += ["", *paragraph(rule)]
        if result["not_applicable"]:
            lines += ["", _("Rules of other categories: ") + ", ".join(rule["id"] for rule in result["not_applicable"])]
        return "\n".join(lines + compared(result["stored"]))


def paragraph(rule: dict) -> list[str]:
    """One rule: verdict, clause, condition, what it read and against what, its words, and what is missing."""
    # Out of the f-strings below: xgettext does not look into them.
    clause, condition, value_word, threshold = _("Clause"), _("Condition"), _("Value"), _("Threshold")
    missing = _("Missing")
    lines = [f"[{VERDICTS[rule['verdict']]}] {rule['id']} {rule['title']}（{EFFECTS[rule['effect']]}）"]
    lines.append(f"    {clause}: {rule['basis']}  [{rule['confidence']}]")
    lines.append(f"    {condition}: {rule['when']}")
    for name, one in rule["inputs"].items():
        value = written(one["value"], one["uom"], MEASURES[name].decimals)
        source = f"{SOURCE_TITLES[one['source']]}, {one['as_of']}"
        lines.append(f"    {value_word}: {MEASURES[name].title} {name} = {value}  ({source})")
    for name, one in rule["params"].items():
        lines.append(f"    {threshold}: {name} = {written(one['value'], one['uom'])}")
    if rule["message"]:
        lines.append(f"    → {rule['message']}")
    lines += [f"    {missing}: {fact['title']} → {fact['owner_name']}" for fact in rule["missing"]]
    return lines


def compared(stored: dict | None) -> list[str]:
    """What to know of the stored flag: that there is none, or that it is old."""
    if stored is None:
        return ["", _("No flag is stored: run flag for the district.")]
    if stored["current"]:
        return []
    return [
        "",
        _("The stored flag (run %(run)d: %(outcome)s) is older than the facts or rules: run flag again.")
        % {"run": stored["run"], "outcome": Flag.Outcome(stored["outcome"]).label},
    ]


def written(value, uom: str, decimals: int | None = None) -> str:
    """A measure as it was judged, with its decimals and unit; a parameter as it is written."""
    if value is None:
        return _("unknown")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, str):
        return value
    number = f"{value}" if decimals is None else f"{value:.{decimals}f}"
    return f"{number} {UOM_TITLES[uom]}" if uom in UOM_TITLES else number
