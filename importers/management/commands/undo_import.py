"""Take one delivery back, or say what stands in the way."""

from django.utils.translation import gettext as _

from importers.undoing import undo
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Take one delivery back, in one transaction; refused with every later edit that stands in the way."
    example = "python manage.py undo_import 12"

    def add_arguments(self, parser):
        parser.add_argument("id", type=int, help="The number of the delivery, as import_layer printed it.")

    def run(self, *, id, **options):  # noqa: A002
        return undo(id)

    def text(self, result):
        return (
            _(
                "Delivery %(delivery)d (%(file)s, %(profile)s) is taken back: %(deleted)d rows left,"
                " %(restored)d are as they were, %(returned)d came back; %(flags_dropped)d flags dropped,"
                " %(findings_closed)d findings closed, %(findings_returned)d open again."
            )
            % result
        )
