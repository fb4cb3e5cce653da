"""Mappings that people keep, to be offered again for the next layer of the same make."""

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from importers.mapping import of_json
from importers.models import MappingTemplate
from importers.views import seeing
from units.errors import NotAllowed, NotFound, UsageError
from units.rights import imports
from units.views import body
from units.views.asking import only

LONGEST = 100  # letters of a name
MOST_COLUMNS = 2_000


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_store=True)
def mappings_json(request):
    """The mappings that are kept for one's districts and for all; POST {mapping, columns, district} keeps one."""
    held = seeing.importer(request)
    only(request, *(() if request.method == "POST" else ("profile", "district")))
    if request.method != "POST":
        listed = _seen(held)
        for name in ("profile", "district"):
            if request.GET.get(name):
                listed = [
                    one
                    for one in listed
                    if getattr(one, name if name == "profile" else "district_id") == request.GET[name]
                ]
        return JsonResponse({"mappings": [_told(one) for one in listed]})
    given = body.told(request, name=str, mapping=dict, columns=list, district=str)
    if not given.get("mapping") or not given.get("district"):
        raise UsageError(_("A mapping is kept for a district."), _("Send “mapping”, “name”, “columns” and “district”."))
    name = (given.get("name") or str(given["mapping"].get("name") or "")).strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise UsageError(_("A mapping is kept under a name of at most %(most)d letters.") % {"most": LONGEST})
    made = of_json({**given["mapping"], "name": name})
    seeing.allowed(held, given["district"], made.profile)
    columns = body.texts(given, "columns", MOST_COLUMNS) or []
    kept = MappingTemplate.objects.keep(made, columns, by=request.user, district=given["district"])
    return JsonResponse(_told(kept), status=201)


@require_http_methods(["DELETE"])
def mapping_json(request, number):
    """Take a kept mapping away: whoever may import its profile for its district."""
    only(request)
    held = seeing.importer(request)
    found = next((one for one in _seen(held) if one.pk == number), None)
    if found is None:
        raise NotFound(_("There is no such mapping, or none that you may see."), _("It may have been deleted."))
    if found.district_id is None and found.by_id != request.user.pk:
        raise NotAllowed(_("A mapping of all districts is deleted by who keeps it."), _("Ask them."))
    found.delete()
    return HttpResponse(status=204)


def _seen(held) -> list[MappingTemplate]:
    places = {one.pk: imports(held, one.pk) for one in seeing.places(held)}
    anywhere = frozenset().union(*places.values())
    return [
        one
        for one in MappingTemplate.objects.select_related("by").order_by("profile", "name")
        if one.profile in (anywhere if one.district_id is None else places.get(one.district_id, ()))
    ]


def _told(one: MappingTemplate) -> dict:
    return {
        "id": one.pk,
        "name": one.name,
        "profile": one.profile,
        "district": one.district_id,
        "mapping": one.mapping,
        "columns": one.columns,
        "by": one.by.get_username() if one.by else "",
        "used_at": one.used_at.isoformat(),
    }
