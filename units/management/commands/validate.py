"""Run the checks over a district and keep what they see."""

from pathlib import Path

from django.utils.translation import gettext as _

from units.checks.folders import made
from units.checks.registry import CHECKS, LAYERS
from units.checks.reporting import report
from units.checks.validating import validate
from units.models import CheckRun
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = (
        "Check a district's survey and registers, keep the findings (new, still open, resolved, waived) and end with 1 "
        "while an error is open that nobody waived. Checks: " + ", ".join(CHECKS) + "."
    )
    example = "python manage.py validate --district 120104 --check 4-overlap --check 4-gap --report /tmp/report"

    def add_arguments(self, parser):
        parser.add_argument("--district", required=True, help="Code of the district (GB/T 2260), such as 120104.")
        parser.add_argument("--survey", type=int, help="Year of the survey (default: the one in force).")
        parser.add_argument(
            "--check", action="append", default=[], metavar="CODE", dest="checks", help="Only this check; repeatable."
        )
        parser.add_argument(
            "--layer",
            action="append",
            default=[],
            dest="layers",
            help=f"Only this layer; repeatable. Layers: {', '.join(LAYERS)}.",
        )
        parser.add_argument(
            "--changed",
            action="store_true",
            help="Ask again only the checks whose tables changed since they last looked; the findings are the same.",
        )
        parser.add_argument("--report", type=Path, metavar="DIR", help="Write report.html and report.xlsx there.")

    def run(self, *args, **options):
        if options["report"]:
            made(options["report"])
        with self.progress() as bar:
            task = bar.add_task(_("Checking"), total=None)
            result = validate(
                options["district"],
                options["checks"],
                options["layers"],
                options["survey"],
                options["changed"],
                progress=lambda done, of, what: bar.update(task, completed=done, total=of, description=what),
            )
        if options["report"]:
            run = CheckRun.objects.get(pk=result["run"])
            result["report"] = [str(path) for path in report(run, options["report"])]
        self.exit_code = 1 if result["errors"] else 0
        return result

    def text(self, result):
        return told(result)


def told(result: dict) -> str:
    """What a run of the checks found, as a person reads it."""
    lines = [
        _("District %(district)s, survey %(survey)s: %(checked)d records looked at, run %(run)d, %(seconds).1f s.")
        % (result | {"survey": result["survey"] or _("none")})
    ]
    for code, counts in result["by_code"].items():
        if any(counts.values()):
            lines.append(
                _("%(new)6d new %(open)6d still open %(resolved)6d resolved %(waived)6d waived  %(code)s %(title)s")
                % (counts | {"code": code, "title": CHECKS[code].title})
            )
    lines.append(_("%(new)6d new %(open)6d still open %(resolved)6d resolved %(waived)6d waived  altogether") % result)
    if result["carried"]:
        lines.append(
            _("Not asked again, because nothing they depend on changed: %(checks)s.")
            % {"checks": ", ".join(result["carried"])}
        )
    lines += [
        _("%(check)s could not look: %(why)s.") % {"check": one, "why": why} for one, why in result["skipped"].items()
    ]
    if result["deliveries"]["open"]:
        lines.append(
            _("%(open)d further findings were told by imports alone, %(errors)d of them errors: see /findings/.")
            % result["deliveries"]
        )
    lines.append(
        _("%(errors)d errors are open that nobody waived.") % result
        if result["errors"]
        else _("No error is open that nobody waived.")
    )
    lines += result.get("report", [])
    return "\n".join(lines)
