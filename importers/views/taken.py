"""Take a file that somebody drops onto the form of a unit as its shape; nothing of it is kept."""

from django.http import JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST

from importers.intake import clean
from importers.outlining import outline
from importers.workfolders import work_folder
from units.composing import drawing_districts, geojson, required_district
from units.errors import UsageError
from units.views.asking import grants, only

LARGEST = 20_000_000  # bytes of all that is sent
MOST_FILES = 10


@require_POST
@cache_control(private=True, no_store=True)
def taken(request):
    """{geometry, name, layer, layers, rows, parts, holes, crs, remarks} of a file with polygons, in EPSG:4490.

    A form: `district`, `file` (more than one of a shapefile), and where it is needed `layer` and `crs`.
    """
    held = grants(request)
    if not drawing_districts(held):
        required_district(held, "")  # who draws nowhere is told so, whatever he sends
    only(request)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        raise UsageError(
            _("The file is larger than %(most)d MB.") % {"most": LARGEST // 1_000_000},
            _("Export just the polygons that are meant."),
            code="too-large",
        )
    try:
        files, told = request.FILES.getlist("file"), request.POST
    except (MultiPartParserError, UnreadablePostError):
        raise UsageError(_("The upload cannot be read, or broke off."), _("Send it again.")) from None
    place = required_district(held, told.get("district", "")[:12])
    if not 0 < len(files) <= MOST_FILES:
        raise UsageError(
            _("Send one file with polygons, or the parts of one shapefile."),
            _("A .zip of them will do too."),
        )
    with work_folder() as folder:
        paths = []
        for one in files:
            path = folder / clean(one.name)
            if path in paths:
                raise UsageError(_("Two files were sent that are called %(name)s.") % {"name": path.name})
            with path.open("xb") as kept:
                for chunk in one.chunks():
                    kept.write(chunk)
            paths.append(path)
        found = outline(paths, place, layer=told.get("layer", "")[:200], crs=told.get("crs", "")[:200])
    return JsonResponse(
        {
            "geometry": geojson(found.shape),
            "name": files[0].name,
            "layer": found.layer,
            "layers": found.layers,
            "rows": found.rows,
            "parts": len(found.shape.geoms),
            "holes": sum(len(part.interiors) for part in found.shape.geoms),
            "crs": {name: found.crs[name] for name in ("epsg", "name", "verdict", "swapped")}
            | {"sentences": found.crs["evidence"]},
            "remarks": found.remarks,
        }
    )
