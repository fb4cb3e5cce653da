"""Saved views of the map for the page that shows it: listed, saved, changed, deleted."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from units import remembering
from units.models import SavedView
from units.views.asking import only
from units.views.body import told
from units.views.conditions import required_version


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_store=True)
def saved_views(request):
    """GET {mine, shared}; POST {name, address, district} saves one: 201."""
    only(request)
    if request.method in ("GET", "HEAD"):
        found = [(one, told_of(one, request.user)) for one in remembering.seen(request.user)]
        return JsonResponse(
            {
                "mine": [row for one, row in found if one.owner_id == request.user.pk],
                "shared": [row for one, row in found if one.owner_id != request.user.pk],
            }
        )
    body = told(request, name=str, address=str, district=str)
    made = remembering.save(request.user, body.get("name", ""), body.get("address", ""), body.get("district", ""))
    return _answer(made, request.user, 201)


@require_http_methods(["PUT", "DELETE"])
@cache_control(private=True, no_store=True)
def saved_view(request, number: int):
    """PUT {version, name, address, district} changes what is named of a view of one's own; DELETE {version}."""
    only(request)
    body = told(request, version=int, name=str, address=str, district=str)
    version = required_version(request, body.pop("version", None))
    if request.method == "DELETE":
        remembering.delete(request.user, number, version)
        return HttpResponse(status=204)
    return _answer(remembering.change(request.user, number, version, **body), request.user, 200)


def told_of(view: SavedView, reader) -> dict:
    """One view as the page lists it."""
    mine = view.owner_id == reader.pk
    return {
        "number": view.pk,
        "name": view.name,
        "address": view.address,
        "district": view.district_id or "",
        "by": "" if mine else view.owner.get_full_name() or view.owner.get_username(),
        "version": view.version,
        "changed_at": view.changed_at.isoformat(),
    }


def _answer(view: SavedView, reader, status: int) -> JsonResponse:
    answer = JsonResponse(told_of(view, reader), status=status)
    answer["ETag"] = f'"{view.version}"'
    return answer
