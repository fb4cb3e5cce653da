"""The command that scores the firms of a district and year by a scheme."""

from django.utils.translation import gettext as _

from units.scoring import score
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Score the firms of a district by a scheme and rank them into grades; the official grades stay as they are."
    example = "manage.py score --district 120104 --scheme jingde-nanjing-example --year 2022"

    def add_arguments(self, parser):
        parser.add_argument("--district", required=True, help="The district, by its six digits.")
        parser.add_argument("--scheme", required=True, help="The scheme: a file of units/criteria/scores.")
        parser.add_argument("--year", type=int, help="The year; without it, that of the survey in force.")
        parser.add_argument(
            "--keep", action="store_true", help="Keep the result beside the official grades; without it, only show it."
        )

    def run(self, *args, **options) -> dict:
        return score(options["district"], options["scheme"], options["year"], options["keep"])

    def text(self, result: dict) -> str:
        lines = [
            result["title"],
            _("%(firms)d firms in %(year)s, digest %(digest)s")
            % {"firms": result["firms"], "year": result["year"], "digest": result["digest"][:12]},
            ", ".join(f"{grade} {count}" for grade, count in result["grades"].items()),
            *(f"{reason}: {count}" for reason, count in result["reasons"].items()),
        ]
        if result["example"]:
            lines.append(_("An example, not a standard of this district."))
        lines.append(_("Kept.") if result["kept"] else _("Only shown; --keep keeps it."))
        return "\n".join(lines)
