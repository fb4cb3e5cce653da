"""The command that raises a record for every candidate that has none yet."""

from django.utils.translation import gettext as _

from units.errors import UnknownName
from units.models import User
from units.suspecting import suspects
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Raise a record in the state “suspected” for every candidate of a criteria set that has none yet."
    example = "manage.py suspect --district 120104 --criteria nankai-2024"

    def add_arguments(self, parser):
        parser.add_argument("--district", required=True, help="The district, by its six digits.")
        parser.add_argument("--criteria", help="The criteria set; without it, the one that judged the district last.")
        parser.add_argument("--by", help="Who raises them: the name of an account. Without it, the nightly job does.")

    def run(self, *args, **options) -> dict:
        by = None
        if options["by"]:
            by = User.objects.filter(username=options["by"], is_active=True).first()
            if by is None:
                raise UnknownName(options["by"], [], _("account"))
        return suspects(options["district"], options["criteria"], by)

    def text(self, result: dict) -> str:
        return _("%(made)d records were raised; %(known)d candidates had one already.") % {
            "made": result["made"],
            "known": result["known"],
        }
