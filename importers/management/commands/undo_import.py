"""Take one delivery back, or say what stands in the way."""

from django.utils.translation import gettext as _

from importers.undoing import undo
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Take one delivery back, in one transaction; refused with every later edit that stands in the way."
    example = "python manage.py undo_import 12 --keep-edited"

    def add_arguments(self, parser):
        parser.add_argument("id", type=int, help="The number of the delivery, as import_layer printed it.")
        parser.add_argument(
            "--keep-edited",
            action="store_true",
            help="Take back what nobody touched since; rows that people edited, deleted or use stay and are listed.",
        )

    def run(self, *, id, keep_edited, **options):  # noqa: A002
        return undo(id, keep_edited=keep_edited)

    def text(self, result):
        told = (
            _(
                "Delivery %(delivery)d (%(file)s, %(profile)s) is taken back: %(deleted)d rows left,"
                " %(restored)d are as they were, %(returned)d came back; %(flags_dropped)d flags dropped,"
                " %(findings_closed)d findings closed, %(findings_returned)d open again."
            )
            % result
        )
        return "\n".join([told, *(_("  kept: %(sentence)s") % one for one in result["kept"])])
