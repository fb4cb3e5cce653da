"""Write the faults of a delivery into a folder: the workbook of problems, and the refused rows to be mended."""

from pathlib import Path

from django.utils.translation import gettext as _

from importers.consenting import delivery_of
from importers.faults import problems, refused, workbook
from importers.models import Repair
from importers.picturing import picture
from units.errors import UsageError
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = (
        "Write what is wrong with the rows of a delivery as .xlsx, and the rows not taken as they came, to be mended."
    )
    example = "python manage.py faults 12 --out faults/"

    def add_arguments(self, parser):
        parser.add_argument("delivery", type=int, help="The number of the delivery, as import_layer printed it.")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="The folder; made where it is not.")
        parser.add_argument("--pictures", action="store_true", help="A picture (SVG) of each proposed repair too.")

    def run(self, *, delivery, out, pictures, **options):
        one = delivery_of(delivery)
        # Who runs commands reads the kept file itself: nothing is closed to him.
        told = problems(one, figures=True)
        files = {f"problems_{one.pk}.xlsx": workbook(one, figures=True)}
        notes = []
        if one.refused:
            returned = refused(one, figures=True)
            files[returned.name] = returned.body
            notes = returned.notes
        if pictures:
            for repair in Repair.objects.filter(delivery=one).select_related("delivery__district"):
                files[f"repair_{one.pk}_row_{repair.row_number}.svg"] = picture(repair).encode()
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (out / name).write_bytes(content)
        except OSError as error:
            raise UsageError(
                _("%(path)s cannot be written: %(why)s.") % {"path": out, "why": error.strerror or error},
                _("Name a folder in which you may write."),
            ) from error
        if one.refused:
            self.exit_code = 1
        return {
            "delivery": one.pk,
            "problems": len(told),
            "refused": one.refused,
            "files": [str(out / name) for name in files],
            "notes": notes,
        }

    def text(self, result):
        lines = [_("Delivery %(delivery)d: %(problems)d problems, %(refused)d rows not taken.") % result]
        lines += [f"  {path}" for path in result["files"]]
        lines += [f"! {note}" for note in result["notes"]]
        if result["refused"]:
            lines.append(_("Mend the rows, then: manage.py import_layer FILE … --supplement %(delivery)d") % result)
        return "\n".join(lines)
