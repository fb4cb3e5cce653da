"""Load the synthetic district through the real importers, flag and check it, and say what was found."""

import time
from pathlib import Path

from django.utils.translation import gettext

from geoinv.demo import complete, load_demo, other_survey
from units.models import Flag, RedevelopmentUnit
from units.terminal import GeoinvCommand

State = RedevelopmentUnit.State


class Command(GeoinvCommand):
    help = "Load the synthetic demo district and its accounts. A second call tells so and changes nothing."
    example = "GEOINV_DEMO_PASSWORD=… python manage.py load_demo"

    def add_arguments(self, parser):
        parser.add_argument(
            "--from", dest="folder", type=Path, help="a folder that make_demo wrote (default: the committed district)"
        )
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where a survey of another district or year is loaded"
        )

    def run(self, *args, **options):
        if options["if_empty"] and other_survey() and not complete():
            return {"loaded": False, "reason": gettext("This database holds a survey of its own; no demo was added.")}
        started = time.monotonic()
        result = load_demo(options["folder"], lambda text: self.stderr.write(text))
        return result | {"seconds": round(time.monotonic() - started, 1)}

    def text(self, result):
        if "reason" in result:
            return result["reason"]
        lines = [
            gettext("Synthetic district %(district)s, survey %(survey)s: loaded in %(seconds)s s.") % result
            if result["loaded"]
            else gettext("Synthetic district %(district)s, survey %(survey)s: was loaded already.") % result
        ]
        row = gettext("  %(file)s · %(layer)s: %(rows)s rows, %(taken)s taken, %(refused)s refused")
        lines += [row % delivery for delivery in result["deliveries"]]
        found = ", ".join(f"{Flag.Outcome(name).label} {count}" for name, count in result["outcomes"].items())
        lines.append(gettext("Judged by %(criteria)s (demo parameters, not official): ") % result + found)
        drawn = gettext("Unit %(code)s · %(name)s: %(parcels)d parcels, %(state)s")
        lines += [drawn % (unit | {"state": State(unit["state"]).label}) for unit in result["units"]]
        lines.append(gettext("Checked: %(count)d findings stand open.") % {"count": sum(result["findings"].values())})
        lines += [f"  {code}: {count}" for code, count in result["findings"].items()]
        names = ", ".join(f"{account['name']} ({account['role']})" for account in result["accounts"])
        lines.append(gettext("Accounts: %(names)s") % {"names": names})
        lines.append(gettext("Password of all: %(password)s") % result)
        return "\n".join(lines)
