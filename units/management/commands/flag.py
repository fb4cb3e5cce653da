"""Flag the parcels of a district by a criteria set."""

from django.utils.translation import gettext as _

from units.errors import UsageError
from units.flagging import flag
from units.models import Flag
from units.terminal import GeoinvCommand


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
        parser.add_argument("--dry-run", action="store_true", help="Count only; write nothing.")

    def run(self, *args, **options):
        return flag(options["district"], options["criteria"], parsed(options["overrides"]), options["dry_run"])

    def text(self, result):
        lines = [f"{result['title']}  {result['criteria']}  {result['digest'][:12]}"]
        if result["overrides"]:
            lines.append(
                _("With other parameters: ")
                + ", ".join(f"{name} = {value}" for name, value in result["overrides"].items())
            )
        lines += [f"{result[outcome.value]:>8}  {outcome.label}" for outcome in Flag.Outcome]
        lines.append(f"{result['subjects']:>8}  " + _("parcels of the survey of %(year)d") % {"year": result["survey"]})
        lines.append(f"{result['without_building']:>8}  " + _("candidates without a building"))
        if result["dry_run"]:
            lines.append(_("Tried only: nothing was written."))
        else:
            lines.append(_("Run %(run)d, %(seconds).1f s.") % {"run": result["run"], "seconds": result["seconds"]})
        return "\n".join(lines)


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
