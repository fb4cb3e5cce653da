"""Read the JSON body of a request as what it should be, or say what is wrong with it."""

import json
import re
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from units.errors import UsageError

HALF = re.compile(r"\\u[dD][89a-fA-F]")  # an escape that may be half of a character
LARGEST = 2_000_000  # bytes; 20,000 corners written with every digit are 900,000


def told(request: HttpRequest, **types: type | tuple[type, ...]) -> dict[str, Any]:
    """The members of the body's object; those named in `types` must be of that type where they are given.

    Raises UsageError for anything else: too large, no JSON, NaN, an unknown member, a wrong type.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST or len(request.body) > LARGEST:
        raise UsageError(_("The request is larger than %(most)d kB.") % {"most": LARGEST // 1000}, code="too-large")
    try:
        text = request.body.decode()
        body = json.loads(text, parse_constant=_no_number)
        if HALF.search(text):
            json.dumps(body, ensure_ascii=False).encode()  # half of a character is none, and no database stores it
    except (ValueError, RecursionError):
        raise UsageError(
            _("The body of the request is no JSON."), _("NaN and Infinity are no numbers in JSON either.")
        ) from None
    if not isinstance(body, dict):
        raise UsageError(_("The body of the request must be a JSON object."))
    if unknown := set(body) - set(types):
        raise UsageError(
            _("The request has members that mean nothing here: %(names)s.")
            % {"names": ", ".join(sorted(name[:40] for name in unknown))},
            _("Known are: %(names)s.") % {"names": ", ".join(sorted(types))},
        )
    for name, value in body.items():
        wanted = types[name] if isinstance(types[name], tuple) else (types[name],)
        if value is None:
            continue
        # A boolean is an integer to Python, and to nobody else.
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise UsageError(_("“%(name)s” is not what it should be.") % {"name": name})
    return {name: value for name, value in body.items() if value is not None}


def texts(body: dict, name: str, most: int) -> list[str] | None:
    """A member that is a list of texts; None where it is not given."""
    values = body.get(name)
    if values is None:
        return None
    if not all(isinstance(value, str) for value in values):
        raise UsageError(_("“%(name)s” must be a list of texts.") % {"name": name})
    if len(values) > most:
        raise UsageError(_("“%(name)s” has more than %(most)d entries.") % {"name": name, "most": most})
    return values


def _no_number(name: str):
    raise ValueError(name)
