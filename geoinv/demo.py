"""Load the synthetic district the way an analyst would: through the commands, in their order."""

import csv
import io
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext

from fixtures.demo import make_demo
from fixtures.names import DISTRICT, YEAR
from geoinv.demo_campaign import open_demo_campaign
from geoinv.demo_states import move_on
from geoinv.demo_units import draw_units
from importers.folder import load_folder
from units.checks.validating import validate
from units.errors import Refused
from units.founding import found
from units.models import CheckRun, Delivery, Department, Finding, Flag, FlagRun, Scope, Survey, User

FIXTURES = Path(settings.BASE_DIR) / "fixtures"
DRAWN = FIXTURES / "demo_1500"
CRITERIA = "nankai-2024"
PARCELS = 1500
ADDRESS = "@demo.invalid"
# The profiles without which the demo is not loaded; a database that has them from an earlier version is left alone.
NEEDED = {"district", "dltb", "zd", "building"}
COUNTED = ("file", "layer", "profile", "delivery", "rows", "taken", "changed", "unchanged", "refused")


def load_demo(folder: Path | None = None, told: Callable[[str], None] = lambda text: None) -> dict:
    """Load, activate and flag the demo district, make its accounts and units, check it; what is done is left alone.

    folder: where `make_demo` wrote; by default the committed one. `told` hears what is being done.
    Where the flags are, nothing that comes before them is missing, and accounts taken away stay away.
    """
    deliveries = []
    fresh = not complete()
    if fresh:
        folder = folder or drawn(told)
        found(DISTRICT)
        deliveries = loaded(folder / "deliveries", told)
        if not in_force().exists():
            told("activate_survey")
            answered("activate_survey", district=DISTRICT, survey=YEAR)
        make_accounts()
        told(f"flag --criteria {CRITERIA}")
        answered("flag", district=DISTRICT, criteria=CRITERIA)
    units = draw_units(told)
    if not CheckRun.objects.filter(district=DISTRICT).exists():
        told("validate")
        validate(DISTRICT)
    campaign = open_demo_campaign(told)
    if fresh:
        told("flag --changed")  # by the facts that checked forms brought
        answered("flag", district=DISTRICT, criteria=CRITERIA, changed=True)
    states = move_on(told)
    return {
        "loaded": fresh,
        "district": DISTRICT,
        "survey": YEAR,
        "deliveries": deliveries,
        "criteria": CRITERIA,
        "outcomes": outcomes(),
        "units": units,
        "campaign": campaign,
        "states": states,
        "findings": findings(),
        "accounts": known_accounts(),
        "password": agreed_password(),
    }


def drawn(told) -> Path:
    """The committed district, or one drawn now where the checkout has none."""
    if (DRAWN / "answers.json").exists():
        return DRAWN
    folder = settings.LOCAL_DIR / DRAWN.name
    if not (folder / "answers.json").exists():
        told(f"make_demo --parcels {PARCELS}")
        make_demo(PARCELS, folder, faults=True)
    return folder


def in_force():
    """The demo survey, if it is in force."""
    return Survey.objects.filter(district=DISTRICT, year=YEAR, state=Survey.State.IN_FORCE)


def complete() -> bool:
    """Whether the demo is in, its survey in force and flagged."""
    loaded = Delivery.objects.filter(survey__in=in_force(), state=Delivery.State.LOADED)
    profiles = set(loaded.values_list("profile", flat=True))
    flagged = FlagRun.objects.filter(survey__in=in_force()).exists()
    return flagged and profiles >= NEEDED


def other_survey() -> bool:
    """Whether this database holds land that is not the demo's: there, nothing of the demo may be added unasked."""
    return Survey.objects.exclude(district=DISTRICT, year=YEAR).exists()


def loaded(folder: Path, told) -> list[dict]:
    """The whole folder in, in its order; the account of each delivery. Its planted faults are refused row by row."""
    heard = []

    def moved(step, steps, name, done, total):
        if name not in heard:
            heard.append(name)
            told(f"load_folder {step + 1}/{steps} {name}")

    result = load_folder(folder, DISTRICT, YEAR, progress=moved)
    if stopped := result["stopped"]:
        raise Refused(f"load_folder {stopped['file']} {stopped['layer'] or ''}: {stopped['message']}")
    return [{name: one[name] for name in COUNTED} for one in result["deliveries"]]


def answered(command: str, **options) -> dict:
    """Run a command of the house and return what it prints as JSON; Refused with its words where it fails."""
    printed, said = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(command, format="json", stdout=printed, stderr=said, **options)
    except SystemExit as end:
        code = end.code or 0
    if code:
        raise Refused(f"{command}: {said.getvalue().strip() or printed.getvalue().strip()}")
    return json.loads(printed.getvalue() or "{}")


def outcomes() -> dict[str, int]:
    """How many subjects have which outcome."""
    rows = Flag.objects.filter(district=DISTRICT).values("outcome").annotate(count=Count("pk")).order_by("outcome")
    return {row["outcome"]: row["count"] for row in rows}


def findings() -> dict[str, int]:
    """How many findings of the checks stand open, by code."""
    told = Finding.objects.unresolved().unwaived(timezone.localdate()).filter(district=DISTRICT, run__isnull=False)
    rows = told.values("code").annotate(count=Count("pk")).order_by("code")
    return {row["code"]: row["count"] for row in rows}


def account_rows() -> list[dict]:
    """The accounts of the demo, one a role."""
    with (FIXTURES / "accounts.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def demo_users():
    """The accounts that this module made: their address is under .invalid, so no person has one."""
    return User.objects.filter(email__endswith=ADDRESS)


def known_accounts() -> list[dict]:
    """Name, role and title of the demo accounts that are there."""
    there = set(demo_users().values_list("username", flat=True))
    return [
        {"name": row["name"], "role": row["role"], "title": row["title"]}
        for row in account_rows()
        if row["name"] in there
    ]


@transaction.atomic
def make_accounts():
    """One demo account a role (R1–R10), with one password for all."""
    taken = User.objects.filter(username__in=[row["name"] for row in account_rows()]).exclude(email__endswith=ADDRESS)
    if taken.exists():
        raise Refused(
            gettext("An account “%s” is there already, and it is not the demo's.") % taken.first().username,
            gettext("Load the demo into a database of its own."),
        )
    digest = make_password(demo_password())  # one for all: hashing is slow on purpose, and they share the password
    for row in account_rows():
        user, _ = User.objects.get_or_create(
            username=row["name"],
            defaults={"first_name": row["title"], "email": row["name"] + ADDRESS, "password": digest},
        )
        Scope.objects.get_or_create(
            user=user,
            group=Group.objects.get(name=row["role"]),
            district_id=row["district"] or None,
            street_id=row["street"] or None,
            department=Department.objects.filter(district=DISTRICT, code=row["department"]).first(),
        )


def agreed_password() -> str:
    """The password the demo accounts have: where another one is given or kept than theirs, they get that one."""
    password = demo_password()
    first = demo_users().first()
    if first is not None and not first.check_password(password):
        demo_users().update(password=make_password(password))
    return password


def demo_password() -> str:
    """GEOINV_DEMO_PASSWORD, else the one kept in `.local/` for its owner alone, else one made and kept now."""
    kept = settings.LOCAL_DIR / "demo-password"
    given = os.environ.get("GEOINV_DEMO_PASSWORD")
    if given or not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(given or secrets.token_urlsafe(9), encoding="utf-8")
    return kept.read_text(encoding="utf-8")
