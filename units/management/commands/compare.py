"""Compare two criteria sets, or two runs, on the facts of a district as they were measured last."""

from django.utils.translation import gettext as _

from units.models import Flag
from units.rights import Grant, Role
from units.terminal import GeoinvCommand
from units.trying import OUTCOMES, compare_sets

OPERATOR = (Grant(Role.ANALYST), Grant(Role.OFFICE))  # who may run commands may read everything
FEW = 8  # codes that stand on a terminal


class Command(GeoinvCommand):
    help = "Two criteria sets, or two runs by their numbers, side by side: counts, hectares, and who differs."
    example = "python manage.py compare --district 120104 nankai-2024 nanjing-2019"

    def add_arguments(self, parser):
        parser.add_argument("a", help="Name of a criteria set, or number of a run.")
        parser.add_argument("b", help="The other one.")
        parser.add_argument("--district", required=True, help="Code of the district (GB/T 2260), such as 120104.")

    def run(self, *args, **options):
        found = compare_sets(options["district"], options["a"], options["b"], grants=OPERATOR)
        trial = found.pop("trial")
        found["codes"] = [
            {
                "code": one.code,
                "kind": one.kind,
                "from": one.before,
                "to": one.after,
                "fired_before": list(one.fired_before),
                "fired_after": list(one.fired),
                "street": one.street,
                "category": one.category,
                "area_m2": round(one.area_m2, 2),
            }
            for one in sorted(trial.changes, key=lambda one: one.code)
        ]
        return found

    def text(self, result):
        lines = []
        for letter in ("a", "b"):
            side = result[letter]
            run = _(" (run %(run)d)") % {"run": side["run"]["run"]} if side["run"] else ""
            lines.append(f"{letter.upper()}  {side['title']}  {side['criteria']}  {side['digest'][:12]}{run}")
        lines.append("")
        for outcome in OUTCOMES:
            before, after = (result["counts"][side][outcome] for side in ("before", "after"))
            land = [result["hectares"][side][outcome] for side in ("before", "after")]
            lines.append(
                f"{before:>8} → {after:>8}  {land[0]:>12.4f} → {land[1]:>12.4f} ha  {Flag.Outcome(outcome).label}"
            )
        lines.append("")
        for row in result["changes"]:
            ways = f"{Flag.Outcome(row['from']).label} → {Flag.Outcome(row['to']).label}"
            lines.append(f"{row['subjects']:>8}  {ways}  {row['hectares']:.4f} ha")
            codes = [one["code"] for one in result["codes"] if (one["from"], one["to"]) == (row["from"], row["to"])]
            more = _(" and %(more)d more (all of them with --format json)") % {"more": len(codes) - FEW}
            lines.append("          " + ", ".join(codes[:FEW]) + (more if len(codes) > FEW else ""))
        if not result["changes"]:
            lines.append(_("No subject has another outcome."))
        if result["other_rules"]:
            lines.append(f"{result['other_rules']:>8}  " + _("the same outcome by other rules"))
        if result["stale"]:
            lines.append(_("Facts have changed since they were measured: run flag --changed first."))
        return "\n".join(lines)
