"""Remove uploads that nobody decided upon."""

from django.utils.translation import gettext as _

from importers.intake import KEPT_FOR, tidy
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = (
        f"Remove the files and previews of uploads that nobody decided upon within {KEPT_FOR.days} days, and folders of"
        " uploads that broke off. What was imported stays."
    )
    example = "python manage.py tidy_intakes"

    def run(self, **options):
        return tidy()

    def text(self, result):
        return _("%(discarded)d uploads and %(folders)d folders removed.") % result
