"""Tell for one parcel what every rule finds and why it is flagged, or is not."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units.criteria.measures import MEASURES, SOURCE_TITLES
from units.explaining import explain
from units.models import Category, Flag
from units.rights import Grant, Role
from units.terminal import GeoinvCommand

OPERATOR = (Grant(Role.ANALYST),)  # who may run commands may read everything
VERDICTS = {True: gettext_lazy("met"), False: gettext_lazy("not met"), None: gettext_lazy("data missing")}
EFFECTS = {
    "flag": gettext_lazy("flags"),
    "exclude": gettext_lazy("excludes"),
    "exempt": gettext_lazy("exempts"),
    "classify": gettext_lazy("classifies"),
    "warn": gettext_lazy("warns"),
    "require": gettext_lazy("requires"),
}
WHY = {
    "candidate": gettext_lazy("At least one rule that flags is met, and none that excludes or exempts."),
    "excluded": gettext_lazy("A rule that excludes is met."),
    "exempted": gettext_lazy("A rule that flags is met, and so is one that exempts."),
    "undecided": gettext_lazy("Data are missing, so nobody can say yet; it does not count as “not low”."),
    "not_low": gettext_lazy("No rule that flags is met, and none lacks data."),
}


class Command(GeoinvCommand):
    help = "Every rule for one parcel: clause, value, threshold, verdict, and what is missing from whom."
    example = "python manage.py explain 120104001001GB00001 --criteria nankai-2024"

    def add_arguments(self, parser):
        parser.add_argument("code", help="Code of the parcel (ZDDM).")
        parser.add_argument("--criteria", help="Name of the criteria set (default: the one used last).")

    def run(self, *args, **options):
        return explain(options["code"], options["criteria"], grants=OPERATOR)

    def text(self, result):
        # Out of the f-strings below: xgettext does not look into them.
        clause, condition, value_word, threshold = _("Clause"), _("Condition"), _("Value"), _("Threshold")
        missing = _("Missing")
        category = Category(result["category"]).label if result["category"] else "—"
        lines = [
            f"{result['subject']}  {result['address']}",
            f"{Flag.Outcome(result['outcome']).label} · {category} · {WHY[result['outcome']]}",
            f"{result['title']}  {result['criteria']}  {result['digest'][:12]}",
            _("Base: survey of %(year)d") % {"year": result["survey"]},
        ]
        if result["exemption_pending"]:
            lines.append(_("Exemption to be checked."))
        for rule in result["rules"]:
            if rule["effect"] == "classify" and rule["verdict"] is False:
                continue  # the categories that it is not of
            lines += ["", f"[{VERDICTS[rule['verdict']]}] {rule['id']} {rule['title']}（{EFFECTS[rule['effect']]}）"]
            lines.append(f"    {clause}: {rule['basis']}  [{rule['confidence']}]")
            lines.append(f"    {condition}: {rule['when']}")
            for name, one in rule["inputs"].items():
                value = _("unknown") if one["value"] is None else written(one["value"], MEASURES[name].decimals)
                source = f"{SOURCE_TITLES[one['source']]}, {one['as_of']}"
                lines.append(f"    {value_word}: {MEASURES[name].title} {name} = {value}{unit(one['uom'])}  ({source})")
            for name, one in rule["params"].items():
                lines.append(f"    {threshold}: {name} = {one['value']}{unit(one['uom'])}")
            if rule["message"]:
                lines.append(f"    → {rule['message']}")
            for fact in rule["missing"]:
                lines.append(f"    {missing}: {fact['title']} → {fact['owner_name']}")
        if result["not_applicable"]:
            lines += ["", _("Rules of other categories: ") + ", ".join(rule["id"] for rule in result["not_applicable"])]
        if result["missing"]:
            lines += ["", _("To be asked for:")]
            lines += [f"    {fact['title']} → {fact['owner_name']}" for fact in result["missing"]]
        stored = result["stored"]
        if stored is None:
            lines += ["", _("No flag is stored: run flag for the district.")]
        elif not stored["current"]:
            outcome = Flag.Outcome(stored["outcome"]).label
            lines += [
                "",
                _("The stored flag (run %(run)d: %(outcome)s) is older than the facts or rules: run flag again.")
                % {"run": stored["run"], "outcome": outcome},
            ]
        return "\n".join(lines)


def written(value, decimals: int) -> str:
    """A measure as it was judged: with its decimals."""
    return value if isinstance(value, str) else f"{value:.{decimals}f}"


def unit(uom: str) -> str:
    """The unit behind a number; nothing for shares and codes of code systems."""
    return {"1": "", "m2": " m²", "a": " a"}.get(uom, "")
