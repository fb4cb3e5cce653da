"""Make a write conditional: whoever changes what exists says which version he has before him."""

import re

from django.utils.translation import gettext as _

from units.errors import GeoinvError, Stale, UsageError

ETAG = re.compile(r'(?:W/)?"(?:(\d{1,9})\.)?(\d{1,9})"')  # "7", or "2.7" of a record with editions
NUMBER = re.compile(r"\d{1,9}")


def required_version(request, given: int | str | None = None, *, edition: int | None = None) -> int:
    """The version that If-Match names, else the one that the body or form says; UsageError where neither does.

    The ETag of a record with editions names both; of another edition no version is right, so it is 0.
    """
    header = request.headers.get("If-Match")
    if header is not None:
        match = ETAG.fullmatch(header.strip())
        if match is None:
            raise UsageError(_("If-Match is the ETag of the record, in quotes."), code="version")
        if edition is not None and int(match[1] or 0) != edition:
            return 0
        return int(match[2])
    if isinstance(given, str):
        given = int(given) if NUMBER.fullmatch(given.strip()) else None
    if given is None:
        raise UsageError(
            _("Say which version you have before you: “version”, or the header If-Match."),
            _("Read the record; the answer has both."),
            code="version",
        )
    return given


def refused_status(request, error: GeoinvError) -> int:
    """Of a page that tells what was refused: 409 where somebody else was first (412 with If-Match), else 422."""
    if not isinstance(error, Stale):
        return 422
    return 412 if "If-Match" in request.headers else 409
