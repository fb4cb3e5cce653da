"""List the repairs proposed for the rows of a delivery, decide on them, and import the file again with what holds."""

from django.utils.translation import gettext as _

from importers import consenting
from importers.models import Repair
from units.errors import UsageError
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "List the repairs proposed for rows whose shape cannot be stored; accept or decline them, import again."
    example = "python manage.py repairs 12 --accept 3 4 --again"

    def add_arguments(self, parser):
        parser.add_argument("delivery", type=int, help="The number of the delivery, as import_layer printed it.")
        parser.add_argument("--accept", type=int, nargs="+", metavar="ID", default=[], help="Agree to these proposals.")
        parser.add_argument("--accept-all", action="store_true", help="Agree to every open proposal of the delivery.")
        parser.add_argument("--decline", type=int, nargs="+", metavar="ID", default=[], help="Turn these down.")
        parser.add_argument(
            "--again", action="store_true", help="Import the kept file again, so that what was agreed to is taken."
        )

    def run(self, *, delivery, accept, accept_all, decline, again, **options):
        ours = {one["id"] for one in consenting.proposals(delivery)}
        if foreign := sorted({*accept, *decline} - ours):
            raise UsageError(
                _("%(ids)s are no proposals of the delivery %(delivery)d.")
                % {"ids": ", ".join(map(str, foreign)), "delivery": delivery},
                _("List them: manage.py repairs %(delivery)d.") % {"delivery": delivery},
            )
        if both := sorted({*accept} & {*decline}):
            raise UsageError(
                _("%(ids)s cannot be accepted and declined at once.") % {"ids": ", ".join(map(str, both))},
                _("Name each in one of the two lists."),
            )
        declined = consenting.decline(decline)["declined"] if decline else 0
        accepted = consenting.accept(accept)["accepted"] if accept else 0
        accepted += consenting.accept_all(delivery)["accepted"] if accept_all else 0
        imported = consenting.again(delivery) if again else None
        found = consenting.proposals(delivery)
        waiting = sum(one["state"] == Repair.State.PROPOSED for one in found)
        if waiting or (imported and imported["refused"]):
            self.exit_code = 1
        return {
            "delivery": delivery,
            "repairs": found,
            "accepted": accepted,
            "declined": declined,
            "waiting": waiting,
            "again": imported,
        }

    def text(self, result):
        lines = []
        for one in result["repairs"]:
            state = Repair.State(one["state"]).label
            lines.append(
                f"{one['id']:>6} " + _("row %(row_number)d %(key)s: %(title)s [%(state)s]") % {**one, "state": state}
            )
            lines.append(f"       {one['sentence']}")
        lines.append(
            _(
                "%(count)d proposals, %(waiting)d wait for a decision;"
                " accepted now: %(accepted)d, declined now: %(declined)d."
            )
            % {**result, "count": len(result["repairs"])}
        )
        if again := result["again"]:
            lines.append(
                _("Nothing was imported: nothing was agreed to since delivery %(delivery)d.") % again
                if again["already"]
                else _(
                    "Imported again as delivery %(delivery)d: %(taken)d taken, %(changed)d changed, %(refused)d not."
                )
                % again
            )
        return "\n".join(lines)
