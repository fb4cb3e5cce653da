"""Take one delivery in, and print what became of its rows."""

from contextlib import nullcontext

from django.utils.translation import gettext as _

from importers.frames import asked
from importers.loading import load
from importers.mapping import read_mapping
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
        parser.add_argument("--crs", help="Overrides the verdict: EPSG:4527 …, or a file with a PROJ pipeline.")
        parser.add_argument(
            "--mapping", help="A TOML or JSON file: which columns and values of the layer are which of the profile."
        )
        parser.add_argument(
            "--replace", action="store_true", help="Take it though many rows that are held are not in the file."
        )
        parser.add_argument(
            "--supplement",
            type=int,
            metavar="ID",
            help="It completes the delivery of this number: its rows come in, and nothing leaves.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Do everything but keep nothing.")

    def run(self, *, path, profile, district, survey, layer, encoding, crs, mapping, replace, **options):
        bar = self.progress()
        with bar if not bar.disable else nullcontext():
            task = bar.add_task(_("Rows"), total=None)

            def read(done, total):
                # Bringing the rows together with those that are held may take longer than reading them.
                writes = total and done >= total
                bar.update(task, completed=done, total=total, description=_("Writing") if writes else _("Rows"))

            result = load(
                path,
                profile,
                district,
                survey,
                layer=layer,
                encoding=encoding,
                crs=asked(crs, anywhere=True),
                mapping=read_mapping(mapping) if mapping else None,
                replace=replace,
                supplement=options["supplement"],
                dry_run=options["dry_run"],
                progress=read,
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
        if result.get("supplement"):
            lines.append(_("It completes the delivery %(supplement)d: nothing leaves by it.") % result)
        if any(result.get("repairs", {}).values()):
            lines.append(
                _(
                    "Repaired shapes: %(automatic)d taken unasked, %(accepted)d as agreed to; %(proposed)d wait"
                    " for a person (manage.py repairs %(delivery)s)"
                )
                % {**result["repairs"], "delivery": result["delivery"] or _("ID")}
            )
        lines += self._delta(result)
        crs, encoding = result["crs"], result["encoding"]
        system = crs["name"] or "—"
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

    def _delta(self, result) -> list[str]:
        """What became of the rows that were held, where there were any."""
        delta = result["delta"]
        if result["already"] or not any(count for kind, count in delta.items() if kind != "new"):
            return []
        lines = [
            _(
                "Against what is held: %(new)d new, %(attributes)d with other attributes, %(moved)d with another shape,"
                " %(renumbered)d renumbered; %(split)d split, %(merged)d merged, %(regrouped)d regrouped; %(gone)d gone"
                " without anything in their place, %(unchanged)d unchanged."
            )
            % delta
        ]
        titles = {
            "split": _("split: %(held)s → %(rows)s"),
            "merged": _("merged: %(held)s → %(rows)s"),
            "regrouped": _("regrouped: %(held)s → %(rows)s"),
        }
        for one in result["groups"]:
            parts = {"held": ", ".join(one["held"]), "rows": ", ".join(one["rows"])}
            lines.append("  · " + titles[one["kind"]] % parts)
        return lines
