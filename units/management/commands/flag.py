"""Flag the parcels and buildings of a district by a criteria set, or tell what another limit would change."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units.errors import UsageError
from units.flagging import flag
from units.models import Flag
from units.terminal import GeoinvCommand

KINDS = {"parcel": gettext_lazy("parcels"), "building": gettext_lazy("buildings")}
WHY = {  # all was measured
    "asked": gettext_lazy("a full run"),
    "first": gettext_lazy("for the first time"),
    "code": gettext_lazy("the measures are other ones now"),
    "ground": gettext_lazy("a layer was delivered or taken back"),
    "whole": gettext_lazy("a whole layer was changed"),
    "patches": gettext_lazy("the patches of the survey were changed"),
    "many": gettext_lazy("too many were changed"),
}
FEW = 8  # codes that stand on a terminal


class Command(GeoinvCommand):
    help = "Measure and judge every parcel of a district's survey in force, and replace its flags at once."
    example = "python manage.py flag --district 120104 --criteria nankai-2024 --set far_min=0.8 --dry-run"

    def add_arguments(self, parser):
        parser.add_argument("--district", required=True, help="Code of the district (GB/T 2260), such as 120104.")
        parser.add_argument("--criteria", required=True, help="Name of the criteria set, such as nankai-2024.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            dest="overrides",
            help="The what-if, with --dry-run: another value of a parameter. May be given more than once; lists with "
            "commas.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Write nothing: count, and tell which subjects would change their outcome and how much land that is.",
        )

        parser.add_argument(
            "--changed",
            action="store_true",
            help="Measure and judge only what edits have touched since the last run; the flags are those of a full "
            "run. Where that cannot be known, such as after a delivery of another layer, all is done.",
        )

    def run(self, *args, **options):
        values = parsed(options["overrides"])
        return flag(options["district"], options["criteria"], values, options["dry_run"], changed=options["changed"])

    def text(self, result):
        lines = [f"{result['title']}  {result['criteria']}  {result['digest'][:12]}"]
        if result["overrides"]:
            lines.append(
                _("With other parameters: ")
                + ", ".join(f"{name} = {value}" for name, value in result["overrides"].items())
            )
        lines += [f"{result[outcome.value]:>8}  {outcome.label}" for outcome in Flag.Outcome]
        lines.append(
            f"{result['subjects']:>8}  "
            + _("parcels and office buildings of the survey of %(year)d") % {"year": result["survey"]}
        )
        lines.append(f"{result['without_building']:>8}  " + _("candidates without a building"))
        if result["dry_run"]:
            lines += compared(result["changes"])
            lines.append(_("Tried only: nothing was written."))
        else:
            lines.append(measured_again(result))
            lines.append(_("Run %(run)d, %(seconds).1f s.") % {"run": result["run"], "seconds": result["seconds"]})
        return "\n".join(lines)


def measured_again(result: dict) -> str:
    """How much was measured and judged, and why all of it was."""
    measured = result["measured"]
    if measured["all"]:
        why = WHY[measured["why"]]
        return _("All %(count)d measured (%(why)s), %(changed)d with another result; %(judged)d judged.") % {
            "count": measured["looked_at"],
            "why": why,
            "changed": measured["changed"],
            "judged": result["judged"],
        }
    return _("%(count)d measured again, %(changed)d with another result; %(judged)d judged again.") % {
        "count": measured["looked_at"],
        "changed": measured["changed"],
        "judged": result["judged"],
    }


def compared(changes: dict) -> list[str]:
    """What would change against the stored flags, a group a line, with the first codes of each."""
    if changes["against"] is None:
        return ["", _("No flag of this set is stored: there is nothing to compare with.")]
    lines = ["", _("Against the stored flags (run %(run)d):") % {"run": changes["against"]["run"]}]
    for row in changes["outcomes"]:
        before, after = (Flag.Outcome(row[side]).label if row[side] else _("not judged") for side in ("from", "to"))
        lines.append(f"{row['subjects']:>8}  {KINDS[row['kind']]}  {before} → {after}  {row['hectares']:.4f} ha")
        lines.append("          " + listed(row["codes"]))
    if not changes["outcomes"]:
        lines.append(_("No subject would change its outcome."))
    for row in changes["other_rules"]:
        same = _("the same outcome by other rules")
        lines.append(f"{row['subjects']:>8}  {KINDS[row['kind']]}  {Flag.Outcome(row['to']).label}: {same}")
    return [*lines, ""]


def listed(codes: list[str]) -> str:
    """The first codes, and how many more there are; all of them are in the JSON."""
    more = len(codes) - FEW
    shown = ", ".join(codes[:FEW])
    return (
        shown if more <= 0 else shown + " " + _("and %(more)d more (all of them with --format json)") % {"more": more}
    )


def parsed(pairs: list[str]) -> dict[str, str]:
    """`name=value` arguments as a dictionary; UsageError for one without `=` and for a name given twice."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        name = name.strip()
        if not sign or not name or name in found:
            raise UsageError(
                _("--set takes NAME=VALUE, each name once; “%(pair)s” is not so.") % {"pair": pair},
            )
        found[name] = value
    return found
