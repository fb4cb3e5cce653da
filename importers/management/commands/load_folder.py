"""Load a folder of deliveries in the right order, and print what became of each."""

from contextlib import nullcontext

from django.utils.translation import gettext as _

from importers.folder import load_folder
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Load every delivery of a folder into a survey, each after those it needs; one report of all."
    example = "python manage.py load_folder deliveries/ --district 120104 --survey 2022"

    def add_arguments(self, parser):
        parser.add_argument(
            "folder", help="The folder; its .zip, .gdb, .gpkg, .xlsx, .txt and .shp are read, in sub-folders too."
        )
        parser.add_argument("--district", required=True, help="Six-digit code of the district.")
        parser.add_argument("--survey", required=True, type=int, help="Year of the survey; it is opened when absent.")

        parser.add_argument(
            "--replace", action="store_true", help="Take each though many rows that are held are not in its file."
        )

    def run(self, *, folder, district, survey, replace, **options):
        bar = self.progress()
        with bar if not bar.disable else nullcontext():
            whole, rows = bar.add_task(_("Deliveries"), total=None), bar.add_task(_("Rows"), total=None)

            def moved(step, steps, name, done, total):
                bar.update(whole, completed=step, total=steps)
                said = _("%(layer)s: writing") % {"layer": name} if total and done >= total else name
                bar.update(rows, description=said, completed=done, total=total)

            result = load_folder(folder, district, survey, replace=replace, progress=moved)
        # Rows refused of a file that was taken before still stand.
        if result["stopped"] or result["not_read"] or any(one["refused"] for one in result["deliveries"]):
            self.exit_code = 1
        return result

    def text(self, result):
        lines = []
        for one in result["deliveries"]:
            what = _("imported before") if one["already"] else ""
            lines.append(
                _(
                    "%(file)s · %(layer)s → %(profile)s: %(rows)d rows, %(taken)d taken, %(changed)d changed,"
                    " %(unchanged)d unchanged, %(refused)d not taken, %(deleted)d marked deleted; %(gone)d gone;"
                    " delivery %(delivery)d %(what)s"
                )
                % {**one, "what": what}
            )
            lines += [
                "  "
                + _("✗ %(count)d rows not taken: %(message)s (rows %(rows)s)")
                % {**refusal, "rows": ", ".join(map(str, refusal["rows"])) + ("…" if refusal["count"] > 10 else "")}
                for refusal in one["refusals"]
            ]
            for warning in one["warnings"]:
                count = _("%(count)d rows: ") % warning if warning["count"] else ""
                lines.append(f"  ! {count}{warning['message']}")
        lines += [f"· {one['file']} {one['layer'] or ''}: {one['why']}" for one in result["not_read"]]
        if stopped := result["stopped"]:
            lines.append(
                _("✗ Stopped at %(file)s %(layer)s; %(left)d more were not tried: %(message)s")
                % {**stopped, "layer": stopped["layer"] or ""}
            )
        lines.append(
            _("%(count)d deliveries, %(rows)d rows, %(refused)d not taken; %(seconds).1f s")
            % {**result, "count": len(result["deliveries"])}
        )
        return "\n".join(lines)
