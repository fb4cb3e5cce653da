"""Keep what people and programs did and no other table keeps, and read it together with what other tables keep."""

import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from units.errors import NotAllowed
from units.models import AuditEntry, User
from units.rights import Grant, Role

QUESTION = (Path(__file__).parent / "sql" / "audit.sql").read_text(encoding="utf-8")
LONGEST = 200  # letters of a subject
MOST = 50_000  # rows of one table of what was done
EVERYWHERE = "*"
# What is kept elsewhere, in the order of the list's filter: beside AuditEntry.Kind these are the kinds there are.
ELSEWHERE = ("move", "criteria", "scope", "import")


def note(kind: str, *, by=None, name: str = "", district: str | None = None, subject: str = "", **details) -> None:
    """Keep one entry; `by` is the user who did it, `name` the account it is about where that is somebody else's."""
    known = by is not None and by.is_authenticated
    AuditEntry.objects.create(
        kind=AuditEntry.Kind(kind),
        by=by if known else None,
        name=name or (by.get_username() if known else ""),
        district_id=district,
        subject=subject[:LONGEST],
        details=details,
    )


def note_today(kind: str, by: User, **details) -> None:
    """The same, once a day for a person and these details: what programs do every minute."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    if not AuditEntry.objects.filter(kind=kind, by=by, details=details, at__gte=today).exists():
        note(kind, by=by, **details)


def audited(user) -> frozenset[str]:
    """The districts of whose people and records `user` may read the audit; `*` is all of them.

    Administrators read all, the task-force office of a district reads that of its own.
    """
    if not (user.is_authenticated and user.is_active):
        return frozenset()
    if user.is_superuser:
        return frozenset({EVERYWHERE})
    return offices(user.grants())


def offices(grants: Iterable[Grant]) -> frozenset[str]:
    return frozenset(
        grant.district or EVERYWHERE for grant in grants if grant.role == Role.OFFICE and grant.street is None
    )


def entries(
    districts: frozenset[str],
    *,
    person: str = "",
    kind: str = "",
    since: date | None = None,
    until: date | None = None,
    start: int = 0,
    count: int = MOST,
) -> tuple[list[dict], int]:
    """What was done, the latest first, and how many entries there are: {at, kind, name, district, subject, details}.

    `since` and `until` are days of the district's own clock, both included.
    """
    if not districts:
        raise NotAllowed(
            _("The audit is open to administrators and to the task-force office of a district."),
            _("Sign in with such an account."),
        )
    params = {
        "all": EVERYWHERE in districts,
        "districts": sorted(districts - {EVERYWHERE}),
        "person": person,
        "kind": kind,
        "since": _midnight(since) if since else None,
        "until": _midnight(until + timedelta(days=1)) if until else None,
        "start": start,
        "count": count,
    }
    with connection.cursor() as cursor:
        cursor.execute(QUESTION, params)
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    total = rows[0]["total"] if rows else 0
    # A page beyond the last has no entry, and says how many there are all the same.
    return [row | {"details": json.loads(row["details"])} for row in rows if row["at"]], total


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
