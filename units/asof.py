"""Read the day as of which something is asked, as the moment it ends in China."""

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from units.collections import CHINA_TIME
from units.errors import UsageError

FIRST_YEAR, LAST_YEAR = 1990, 2199  # between which a day may be one that the registers know


def today() -> date:
    """The day it is in China."""
    return timezone.now().astimezone(CHINA_TIME).date()


def read_day(text: str, now: date | None = None) -> date | None:
    """The day that a text says, None where it says nothing; UsageError for no day and for one still to come."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(_("“%(text)s” is no day.") % {"text": text[:20]}, _("Write it as 2027-01-31.")) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(_("“%(text)s” is no day that the registers know.") % {"text": text[:20]})
    if day > (now or today()):
        raise UsageError(_("“%(text)s” is still to come.") % {"text": text[:20]}, _("Choose today or an earlier day."))
    return day


def end_of(day: date) -> datetime:
    """The end of that day in China: what was written before it is what stood on the day."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), CHINA_TIME)


def read_moment(text: str) -> datetime | None:
    """The end of the day that a text says; None where it says nothing or today, which is how things stand."""
    day = read_day(text)
    return None if day is None or day == today() else end_of(day)
