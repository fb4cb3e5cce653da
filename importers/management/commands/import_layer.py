"""Take one delivery in, and print what became of its rows."""

from contextlib import nullcontext

from django.utils.translation import gettext as _

from importers.loading import load
from importers.profiles import profiles
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = (
        "Import one layer of a delivery into a survey, in one transaction; rows that are not taken are told one by one."
    )
    example = "python manage.py import_layer delivery.zip --profile dltb --district 120104 --survey 2022"

    def add_arguments(self, parser):
        parser.add_argument("path", help="A .zip, .shp, .gdb, .gpkg, .xlsx or boundary-point .txt.")
        parser.add_argument("--profile", required=True, help=f"What the layer is: {', '.join(profiles())}.")
        parser.add_argument("--district", required=True, help="Six-digit code of the district.")
        parser.add_argument("--survey", required=True, type=int, help="Year of the survey; it is opened when absent.")
        parser.add_argument("--layer", help="Which layer, where the delivery holds several.")
        parser.add_argument("--encoding", help="Overrides the verdict: gb18030, utf-8, big5 …")
        parser.add_argument("--crs", help="Overrides the verdict: EPSG:4527 …")
        parser.add_argument(
            "--replace", action="store_true", help="Take it though many rows that are held are not in the file."
        )
        parser.add_argument("--dry-run", action="store_true", help="Do everything but keep nothing.")

    def run(self, *, path, profile, district, survey, layer, encoding, crs, replace, dry_run, **options):
        bar = self.progress()
        with bar if not bar.disable else nullcontext():
            task = bar.add_task(_("Rows"), total=None)
            result = load(
                path,
                profile,
                district,
                survey,
                layer=layer,
                encoding=encoding,
                crs=crs,
                replace=replace,
                dry_run=dry_run,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        if result["refused"] or result.get("not_read"):  # of a file that was taken before they still stand
            self.exit_code = 1
        return result

    def text(self, result):
        lines, unread = [], result.get("not_read", [])
        if result["already"]:
            lines.append(_("This file was imported before, as delivery %(delivery)d. Nothing was written.") % result)
        elif result["dry_run"]:
            lines.append(_("Dry run: nothing was kept."))
        lines.append(_("%(layer)s → %(profile)s, district %(district)s, survey %(survey)d") % result)
        lines.append(
            _(
                "%(rows)d rows: %(taken)d taken, %(changed)d changed, %(unchanged)d unchanged, %(refused)d not taken,"
                " %(deleted)d marked deleted; %(gone)d gone; %(seconds).1f s"
            )
            % result
        )
        crs, encoding = result["crs"], result["encoding"]
        system = f"EPSG:{crs['epsg']}" if crs["epsg"] else "—"
        for name, evidence in ((system, crs["evidence"]), (encoding["name"], encoding["evidence"])):
            lines += [name, *(f"  · {line}" for line in evidence)]
        lines += [
            _("✗ %(count)d rows not taken: %(message)s (rows %(rows)s)")
            % {**refusal, "rows": ", ".join(map(str, refusal["rows"])) + ("…" if refusal["count"] > 10 else "")}
            for refusal in result["refusals"]
        ]
        lines += [_("· the sheet %(sheet)s was not read: it is none of a firm's.") % {"sheet": one} for one in unread]
        for warning in result["warnings"]:
            count = _("%(count)d rows: ") % warning if warning["count"] else ""
            lines.append(f"! {count}{warning['message']} {warning['fix']}")
        return "\n".join(lines)
