"""Put a loaded survey in force."""

from django.utils.translation import gettext as _

from units.activating import activate
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Put a loaded survey in force for its district; the one in force before is retired, and stays readable."
    example = "python manage.py activate_survey --district 120104 --survey 2022"

    def add_arguments(self, parser):
        parser.add_argument("--district", required=True, help="Six-digit code of the district.")
        parser.add_argument("--survey", required=True, type=int, help="Year of the survey.")

    def run(self, *, district, survey, **options):
        return activate(district, survey)

    def text(self, result):
        said = (
            _(
                "Survey %(survey)d of district %(district)s is in force: %(patches)d patches, %(parcels)d parcels,"
                " %(buildings)d buildings."
            )
            % result
        )
        if result["retired"]:
            said += " " + _("Survey %(retired)d is retired.") % result
        return said
