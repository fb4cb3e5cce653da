"""Draw a synthetic district of any size and write it as an analyst would get it."""

import time
from pathlib import Path

from django.utils.translation import gettext

from fixtures.demo import SEED, make_demo
from units.errors import InputUnreadable, UsageError
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = (
        "Draw a synthetic district: OUT/deliveries/* and OUT/answers.json. "
        "The same numbers and seed give the same bytes."
    )
    example = "python manage.py make_demo --parcels 1500 --out /tmp/demo --seed 2024"

    def add_arguments(self, parser):
        parser.add_argument("--parcels", type=int, required=True, help="how many parcels; the district grows with it")
        parser.add_argument("--out", type=Path, required=True, help="folder to write to")
        parser.add_argument(
            "--patches",
            type=int,
            default=0,
            help="at least so many patches, in a district larger than its parcels need",
        )
        parser.add_argument(
            "--faults",
            choices=["none", "some"],
            default="some",
            help="whether faults of rows and between shapes are planted (default: some, each named in answers.json)",
        )
        parser.add_argument("--seed", type=int, default=SEED, help=f"any whole number from 0 (default: {SEED})")

    def run(self, *args, **options):
        if options["parcels"] < 1 or options["seed"] < 0 or options["patches"] < 0:
            raise UsageError(
                gettext("A district has at least one parcel, and a seed is not negative."),
                gettext("Give --parcels 1 or more and --seed 0 or more."),
            )
        started = time.monotonic()
        with self.progress() as progress:
            task = progress.add_task(gettext("Drawing"), total=None)
            try:
                result = make_demo(
                    options["parcels"],
                    options["out"],
                    options["seed"],
                    lambda done, rows: progress.update(task, completed=done, total=rows),
                    patches=options["patches"],
                    faults=options["faults"] == "some",
                )
            except OSError as error:
                raise InputUnreadable(
                    gettext("Cannot write to %(folder)s: %(reason)s.")
                    % {"folder": options["out"], "reason": error.strerror or error},
                    gettext("Choose a folder that may be written to."),
                ) from error
        return result | {"out": str(options["out"]), "seconds": round(time.monotonic() - started, 1)}

    def text(self, result):
        planted = result["planted_kinds"] | result["legacy_kinds"] | result["checks_kinds"] | result["faults_kinds"]
        kinds = "\n".join(f"  {kind}: {count}" for kind, count in planted.items())
        return (
            gettext(
                "Synthetic district %(district)s (seed %(seed)d): %(parcels)d parcels, %(buildings)d buildings, "
                "%(patches)d patches, %(streets)d streets in %(seconds).1f s → %(out)s"
            )
            % result
            + "\n"
            + gettext("Planted:")
            + f"\n{kinds}"
        )
