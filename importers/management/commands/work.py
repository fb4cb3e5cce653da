"""Carry out what the import page asked for, until told to end."""

from django.utils.translation import gettext as _

from importers.jobs import work
from units.errors import UsageError
from units.terminal import GeoinvCommand

MOST = 8  # jobs at once; each may want some hundred megabytes and two processors


class Command(GeoinvCommand):
    help = (
        "Carry out the jobs of the import page: looking at files, previews, imports. Run one beside the site, as"
        " script/run does. It ends at SIGTERM or Ctrl-C; a job at work is rolled back then and can be started again."
    )
    example = "python manage.py work --jobs 2"

    def add_arguments(self, parser):
        parser.add_argument("--jobs", type=int, default=2, help="How many jobs at once (default: 2).")
        parser.add_argument("--once", action="store_true", help="Carry out what is queued, then end.")

    def run(self, *, jobs, once, **options):
        if not 1 <= jobs <= MOST:
            raise UsageError(_("--jobs is a number from 1 to %(most)d.") % {"most": MOST})
        work(jobs, once=once)
