"""Since when land is in the inventory without being redeveloped (NJ101), and how much of it is mapped and entered."""

from dataclasses import dataclass
from datetime import date

import pghistory
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from units.errors import NotAllowed, Refused, Stale, UsageError
from units.gates.asked import kept
from units.models import Determination, LegacyLand, Street, User
from units.records import determination_of
from units.rights import Role, may
from units.workflow import ACCEPTED as LEGACY_ACCEPTED
from units.workflow import (
    CONFIRMED,
    DISTRICT_OK,
    EXEMPT,
    IN_FORCE,
    IN_PROJECT,
    MAPPED,
    NOT_LOW,
    REDEVELOPED,
    SUBMITTED,
    UPDATING,
)

SANCTION_YEARS = 3  # NJ101: 列入城镇低效用地数据库3年以上未进行再开发
DUE = date(2024, 3, 31)  # NK052: 2024年3月底前，完成低效用地底数和历史遗留用地上图入库
# The states from which on a record is mapped and entered; a legacy polygon is once the office has confirmed it.
ENTERED = (MAPPED, DISTRICT_OK, SUBMITTED, IN_FORCE, UPDATING, IN_PROJECT, REDEVELOPED)
LEGACY_ENTERED = (CONFIRMED, DISTRICT_OK, SUBMITTED, LEGACY_ACCEPTED)


@dataclass(frozen=True)
class Clock:
    """How long a record has been listed on a day: whole years by the calendar, and whether the clock still runs."""

    since: date
    until: date | None  # the day it stopped: redevelopment started, or the record left the inventory
    years: int
    runs: bool

    @property
    def sanctioned(self) -> bool:
        """Whether who holds the land is to be given no new land (NJ101)."""
        return self.runs and self.years >= SANCTION_YEARS


def clock(record: Determination, on: date) -> Clock | None:
    """The listing clock of a record on a day; None where it was not listed by then.

    It starts at the first acceptance, an update does not start it again, and it stops with the start of redevelopment,
    with its end, or when the record leaves the inventory.
    """
    return running(record.listed_since, stopped(record), on)


def stopped(record: Determination) -> date | None:
    """The first of the days on which the clock of a record stops."""
    return min(filter(None, (record.started_on, record.listed_until)), default=None)


def running(since: date | None, stop: date | None, on: date) -> Clock | None:
    """The clock between two days, as it stands on a third."""
    if since is None or on < since:
        return None
    ended = stop is not None and stop <= on
    if ended and stop < since:  # what was under way before it was listed was never listed without redevelopment
        return Clock(since, stop, 0, False)
    return Clock(since, stop if ended else None, years_between(since, stop if ended else on), not ended)


def years_between(since: date, on: date) -> int:
    """Whole years by the calendar: reached on the same day of the month, or on its last where it has none.

    Civil Code art. 202: 29 February 2020 is one year ago on 28 February 2021.
    """
    years = on.year - since.year
    return years - (on < _anniversary(since, on.year))


def _anniversary(since: date, year: int) -> date:
    try:
        return since.replace(year=year)
    except ValueError:  # 29 February of a year that has none
        return since.replace(year=year, day=28)


def start(by: User, code: str, version: int, on: date, document) -> Determination:
    """Record that redevelopment has started, on a paper: the clock of the listing stops on that day.

    By the task-force office, of land that is listed or in a plan. Raises NotAllowed, Refused, Stale, UsageError.
    """
    grants = by.grants()
    found = determination_of(code, grants)
    if not may(grants, {Role.OFFICE}, found.district_id, found.street_id):
        raise NotAllowed(_("The start of redevelopment is recorded by the task-force office."), _("Ask it."))
    with transaction.atomic(), pghistory.context(user=by.pk, determination=found.code, action="redevelopment started"):
        record = Determination.objects.select_for_update(of=("self",)).get(pk=found.pk)
        if version != record.version:
            raise Stale(
                _("The record %(code)s was moved by somebody else meanwhile: it is “%(state)s” now.")
                % {"code": record.code, "state": record.get_state_display()},
                _("Look at it again, and repeat the step if it is still right."),
                theirs={"version": record.version, "state": record.state},
            )
        if record.listed_since is None or record.listed_until is not None:
            raise Refused(
                _("The record %(code)s is not listed.") % {"code": record.code},
                _("The clock runs for what is in the inventory alone."),
                code="not-listed",
            )
        if record.started_on is not None:
            raise Refused(
                _("Redevelopment of %(code)s started on %(day)s, as recorded before.")
                % {"code": record.code, "day": record.started_on.isoformat()},
                _("Nothing needs to be done."),
                code="already",
            )
        if not isinstance(on, date):
            raise UsageError(_("This step needs the day on which it was done."), _("Write it as 2027-01-31."))
        if on > timezone.localdate():
            raise Refused(
                _("%(day)s lies in the future.") % {"day": on.isoformat()}, _("Record the start when it is made.")
            )
        paper = kept(document, record.district_id, by)
        if paper is None:
            raise Refused(
                _("This step needs a document."), _("Name the paper it rests on: title, number, date."), code="document"
            )
        record.started_on, record.started_document, record.version = on, paper, record.version + 1
        record.save()
    return record


def progress(district: str, street: str | None = None) -> dict:
    """How much of what was surveyed is mapped and entered (NK052), of both databases and by street.

    Surveyed are the records of the district but those that were dropped or determined as not low-efficiency, and all
    legacy polygons: {record: {surveyed, entered, share}, legacy: …, streets: [{code, name, surveyed, …}], due_on}.
    """
    records = Determination.objects.filter(district=district).exclude(state="dropped")
    records = records.exclude(result__in=(NOT_LOW, EXEMPT))
    lands = LegacyLand.objects.filter(district=district)
    if street:
        records, lands = records.filter(street=street), lands.filter(street=street)
    listed = Q(state__in=ENTERED) | Q(listed_since__isnull=False)
    counts = {"surveyed": Count("pk"), "entered": Count("pk", filter=listed)}
    names = dict(Street.objects.filter(district=district).values_list("code", "name"))
    streets = records.values("street_id").annotate(**counts).order_by("street_id")
    return {
        "record": _share(records.aggregate(**counts)),
        "legacy": _share(
            lands.aggregate(surveyed=Count("pk"), entered=Count("pk", filter=Q(state__in=LEGACY_ENTERED)))
        ),
        "streets": [
            _share({"surveyed": one["surveyed"], "entered": one["entered"]})
            | {"code": one["street_id"], "name": names.get(one["street_id"], "")}
            for one in streets
        ],
        "due_on": DUE,
    }


def _share(counted: dict) -> dict:
    surveyed = counted["surveyed"]
    return counted | {"share": round(counted["entered"] / surveyed, 4) if surveyed else None}
