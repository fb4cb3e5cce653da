"""What every address of /api/v1 has in common: grants, parameters, versions and how lists are paged."""

import re
from collections.abc import Callable
from typing import Any

from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response
from rest_framework.views import APIView

from units.errors import Outdated, Stale, UsageError
from units.rights import Grant, grants_of
from units.views.asking import only
from units.views.conditions import required_version

LIMIT, LIMIT_AT_MOST = 100, 1000  # entries of a page
JSON = "application/json"
AFTER = re.compile(r"\d{1,18}")


class Face(APIView):
    """One address of the API: what it answers is of its caller and of this moment, and nobody keeps it for another."""

    def initial(self, request, *args, **kwargs):
        """A page of another site can make a browser send its Basic credentials along, but never JSON that says so."""
        super().initial(request, *args, **kwargs)
        writes = request.method in ("POST", "PUT", "PATCH") and hasattr(self, request.method.lower())
        if writes and request._request.content_type != JSON:
            raise UsageError(
                _("What is written to the API must be JSON that is sent as such."),
                _("Send the header “Content-Type: application/json”."),
            )

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ("Authorization", "Cookie"))
        return response


def held(request) -> tuple[Grant, ...]:
    """The grants of the caller."""
    return grants_of(request.user)


def known(request, *names: str) -> dict[str, str]:
    """The parameters of the address, each at most once and none but these."""
    only(request, *names)
    return {name: request.GET[name] for name in request.GET}


def on_condition(request, write: Callable[[int], Any], given: int | None = None):
    """`write(version)`, of the version that If-Match or the body names, as one of them must; outdated is 412 or 409."""
    try:
        return write(required_version(request, given))
    except Stale as error:
        if "If-Match" not in request.headers or isinstance(error, Outdated):
            raise
        raise Outdated(error.message, error.hint, **error.details) from error


def tagged(body, version: int, status: int = 200) -> Response:
    """An answer with the version it stands for as its ETag."""
    return Response(body, status=status, headers={"ETag": f'"{version}"'})


def paged(request, rows, shown: Callable, key: str = "pk") -> dict:
    """{count, items, next} of a queryset: a page begins after a row, so none is left out however many there are."""
    limit = request.GET.get("limit", str(LIMIT))
    if not re.fullmatch(r"[1-9]\d{0,3}", limit) or int(limit) > LIMIT_AT_MOST:
        raise UsageError(_("“limit” is a number from 1 to %(most)d.") % {"most": LIMIT_AT_MOST})
    after = request.GET.get("after", "")
    if after and not AFTER.fullmatch(after):
        raise UsageError(_("“%(after)s” is not the next page of any list.") % {"after": after[:40]})
    count = rows.count()
    page = rows.order_by(key)
    if after:
        page = page.filter(**{f"{key}__gt": int(after)})
    found = list(page[: int(limit) + 1])
    more = len(found) > int(limit)
    found = found[: int(limit)]
    query = request.GET.copy()
    if more:
        query["after"] = str(getattr(found[-1], key))
    return {
        "count": count,
        "items": shown(found),
        "next": request.build_absolute_uri(f"{request.path}?{query.urlencode()}") if more else None,
    }


def parameter(name: str, description: str, required: bool = False, **more) -> OpenApiParameter:
    """A parameter of the address, for the description."""
    return OpenApiParameter(name, str, description=description, required=required, **more)


PAGING = (
    parameter("limit", "How many entries a page has: 1 to 1000, 100 unless told."),
    parameter("after", "Begin after this entry; take the address that `next` gives."),
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description='The ETag that was read, as "3": 412 when it has changed.'
)
