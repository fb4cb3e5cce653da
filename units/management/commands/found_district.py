"""Make a district's row, its streets and its departments from the data files of the house."""

from django.utils.translation import gettext

from units.founding import found
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Make the base rows of a district: itself, its streets, its departments and their other names."
    example = "python manage.py found_district --district 120104"

    def add_arguments(self, parser):
        parser.add_argument("--district", required=True, help="six-digit administrative code, such as 120104")

    def run(self, *args, **options):
        return found(options["district"])

    def text(self, result):
        if not (result["new"] or result["streets"] or result["departments"] or result["aliases"]):
            return gettext("District %(district)s was complete; nothing was written.") % result
        return (
            gettext(
                "District %(district)s: made %(streets)d streets, %(departments)d departments "
                "and %(aliases)d further names."
            )
            % result
        )
