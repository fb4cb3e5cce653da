"""Which parcels lie in units of which programmes, each once: the overlap report of the programmes (NK067)."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from units import recording
from units.errors import NotAllowed
from units.rights import READERS
from units.views.asking import grants, only
from units.views.places import with_surveys


@require_safe
@cache_control(private=True, no_cache=True)
def programmes(request):
    """The parcels of a district that lie in units of a programme; those in more than one first, and counted."""
    only(request, "district")
    held = grants(request)
    if not any(grant.role in READERS["units"] for grant in held):
        raise NotAllowed(
            _("The programmes of units are open to those who work with the inventory."),
            _("Sign in with such an account."),
        )
    districts = with_surveys(held)
    wanted = request.GET.get("district", "")
    district = next((one for one in districts if one["code"] == wanted), districts[0] if districts else None)
    rows = recording.programmes_by_parcel(district["code"], held) if district else []
    rows.sort(key=lambda row: (-len(row["programmes"]), row["code"]))
    titles = recording.choices("programme")
    context = {
        "districts": districts,
        "district": district,
        "rows": [row | {"titles": [titles[one].title for one in row["programmes"]]} for row in rows],
        "counts": [
            {"title": one.title, "parcels": sum(code in row["programmes"] for row in rows)}
            for code, one in titles.items()
        ],
        "several": sum(len(row["programmes"]) > 1 for row in rows),
    }
    return render(request, "units/programmes.html", context)
