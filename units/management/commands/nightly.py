"""Do the night's work: flag and check every district with a survey in force."""

from units.nightly import nightly, summary
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = (
        "Flag and check every district with a survey in force, and leave results, reports and one summary in "
        ".local/runs/. Ends with 1 while an error is open that nobody waived or a district failed, and with 75 while "
        "another night runs. GEOINV_CRITERIA says by which criteria a district is flagged; else by those of its last "
        "run."
    )
    example = "GEOINV_CRITERIA=120104=nankai-2024 python manage.py nightly --format json"

    def run(self, *args, **options):
        result = nightly(self.stderr.write)
        self.exit_code = 1 if result["errors"] or result["failed"] else 0
        return result

    def text(self, result):
        return summary(result)
