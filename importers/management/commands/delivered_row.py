"""Give back one row of a delivery exactly as it came, from the kept file."""

import base64
from pathlib import Path

from django.utils.translation import gettext as _

from importers.consenting import delivery_of
from importers.delivered import record, stored_digest, written
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Read one row of a delivery back from the kept file, byte for byte, checked against the digest of the row."
    example = "python manage.py delivered_row 12 345 --out row/"

    def add_arguments(self, parser):
        parser.add_argument("delivery", type=int, help="The number of the delivery, as import_layer printed it.")
        parser.add_argument("row", type=int, help="The number of the row in the file, as findings and cards tell it.")
        parser.add_argument("--out", type=Path, metavar="DIR", help="Write its records and its shape (WKB) there.")

    def run(self, *, delivery, row, out, **options):
        one = delivery_of(delivery)
        expected = stored_digest(one, row)
        found = record(one, row, expected)
        return {
            "delivery": delivery,
            "file": one.file_name,
            "layer": one.layer,
            "row": row,
            "digest": found.digest.hex(),
            "stored": expected is not None,
            "dbf": base64.b64encode(found.dbf).decode(),
            "shp": base64.b64encode(found.shp).decode(),
            "wkb": base64.b64encode(found.wkb or b"").decode(),
            "files": [str(path) for path in written(found, out)] if out else [],
        }

    def text(self, result):
        lines = [
            _("%(file)s, row %(row)d: digest %(digest)s") % result,
            _("It is the row that is stored, byte for byte.")
            if result["stored"]
            else _("No stored row is of this row of this delivery."),
        ]
        return "\n".join([*lines, *(result["files"] or [result["dbf"], result["shp"]])])
