"""Keep who took which file away: every answer that a browser saves, whichever address gave it."""

from units.auditing import note
from units.models import District

KEPT_PARAMETERS = 300  # letters of what was asked beside the address


class DownloadsKept:
    """An answer with `Content-Disposition: attachment` becomes an entry of the audit, before it is sent.

    A new export need not think of it. Who is not signed in takes nothing that is not public.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if (
            response.status_code == 200
            and request.method in {"GET", "POST"}
            and response.get("Content-Disposition", "").startswith("attachment")
            and request.user.is_authenticated
        ):
            note(
                "download",
                by=request.user,
                district=_district(request),
                subject=request.path,
                asked=request.META.get("QUERY_STRING", "")[:KEPT_PARAMETERS],
                bytes=None if response.streaming else len(response.content),
            )
        return response


def _district(request) -> str | None:
    """The district that was asked for, else the only one in which the person works."""
    asked = request.GET.get("district", "")
    if asked and District.objects.filter(pk=asked).exists():
        return asked
    held = {grant.district for grant in request.user.grants()}
    return held.pop() if len(held) == 1 else None
