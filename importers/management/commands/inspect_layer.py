"""Print what a delivery holds and what is thought of it."""

from django.utils.translation import gettext as _

from importers.inspecting import inspect
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "List the layers of a delivery (.zip or .shp) with verdicts on encoding, reference system and profile."
    example = "python manage.py inspect_layer delivery.zip"

    def add_arguments(self, parser):
        parser.add_argument("path", help="A .zip, .shp, .gdb, .gpkg, .xlsx or boundary-point .txt.")
        parser.add_argument(
            "--district", help="Six-digit code; its place helps where the reference system is not told."
        )

    def run(self, *, path, district=None, **options):
        return inspect(path, district=district)

    def text(self, result):
        lines = [f"{result['file']}  sha256 {result['sha256'][:16]}…"]
        for layer in result["layers"]:
            lines += ["", *_layer(layer)]
        return "\n".join(lines + [f"· {note}" for note in result["notes"]])


def _layer(layer: dict) -> list[str]:
    lines = [layer["place"]]
    if "unreadable" in layer:
        return [*lines, f"  {layer['unreadable']}"]
    kind = layer["geometry"] or _("no shapes")
    lines.append(
        "  "
        + _("%(rows)d rows, %(deleted)d of them marked deleted; %(kind)s; .shp %(shp)d, .dbf %(dbf)d")
        % {**layer["counts"], "rows": layer["rows"], "deleted": layer["deleted"], "kind": kind}
    )
    profile = layer["profile"]
    if profile is None:
        lines.append(
            _("  profile    none fits: %(columns)s") % {"columns": ", ".join(c["name"] for c in layer["columns"])}
        )
    else:
        lines.append(
            _("  profile    %(name)s (%(title)s) [%(verdict)s]") % {**profile, "verdict": _verdict(profile["verdict"])}
        )
        lines.append(
            "             "
            + _("fields: %(fields)s")
            % {
                "fields": " ".join(
                    name if name == column else f"{name}←{column}" for name, column in profile["matched"].items()
                )
            }
        )
        if profile["missing"]:
            lines.append("             " + _("missing: %(fields)s") % {"fields": " ".join(profile["missing"])})
        if profile["extra"]:
            lines.append("             " + _("further: %(fields)s") % {"fields": " ".join(profile["extra"])})
        if profile["reason"]:
            lines.append("             " + profile["reason"])
    encoding, crs = layer["encoding"], layer["crs"]
    lines.append(_("  encoding   %(name)s [%(verdict)s]") % {**encoding, "verdict": _verdict(encoding["verdict"])})
    lines += [f"             · {line}" for line in encoding["evidence"]]
    if encoding["samples"]:
        lines.append("             " + _("samples: %(samples)s") % {"samples": " · ".join(encoding["samples"])})
    epsg = crs["name"] or ("?" if layer["geometry"] else "—")
    lines.append(_("  CRS        %(epsg)s [%(verdict)s]") % {"epsg": epsg, "verdict": _verdict(crs["verdict"])})
    lines += [f"             · {line}" for line in crs["evidence"]]
    lines += [f"  ! {problem['message']} {problem['fix']}" for problem in layer["problems"]]
    return lines


def _verdict(verdict: str) -> str:
    return {
        "sure": _("sure"),
        "likely": _("likely"),
        "ask": _("ask"),
        "refused": _("refused"),
        "given": _("given"),
    }[verdict]
