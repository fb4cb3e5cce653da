"""Tell two people's changes of a unit apart: what it was when both began, and what it is now."""

import shapely
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from units.composing import geojson
from units.drafting import called, found, is_inside, versions, whole
from units.errors import NotAllowed, NotFound
from units.models import RedevelopmentUnit
from units.rights import Grant

# What of a unit is told field by field; its shape is told beside them.
FIELDS = ("name", "mode", "methods", "programmes", "requirements", "incentives")


def since(grants: tuple[Grant, ...], code: str, edition: int, version: int, district: str = "") -> dict:
    """{base, theirs}: the unit as it was in `version`, out of its history, and as it stands; both with their shape.

    Of each: edition, version, state, fields, geometry (GeoJSON), and who made it so when; of what stands also
    `parcels`, the codes it is made of where it is whole parcels. Raises NotFound where there was no such version.
    """
    unit = found(grants, code, district)
    if not is_inside(grants, unit):
        raise NotAllowed(_("You may look at the unit %(code)s, not change it.") % {"code": unit.code})
    kept = RedevelopmentUnit.pgh_event_model.objects.filter(district_id=unit.district_id, code=unit.code)
    was = kept.filter(edition=edition, version=version).order_by("-pgh_id")
    base = was.annotate(area_m2=RawSQL("ST_Area(units_redevelopmentunitevent.geom::geography)", [])).first()
    if base is None:
        raise NotFound(
            _("The unit %(code)s never had the version %(version)s.")
            % {"code": unit.code, "version": f"{edition}.{version}"},
            _("Look at its history."),
        )
    said = {(one["edition"], one["version"]): one for one in reversed(versions(unit))}
    theirs = _told(unit, said)
    parcels = whole(unit)
    return {
        "base": _told(base, said),
        "theirs": theirs | {"parcels": parcels, "how": "parcels" if parcels else "drawn"},
    }


def _told(row, said: dict) -> dict:
    """A row of the register or of its history; `said` is who did what by edition and version."""
    one = said.get((row.edition, row.version))
    return {
        "edition": row.edition,
        "version": row.version,
        "state": row.state,
        "state_title": str(RedevelopmentUnit.State(row.state).label),
        "fields": {name: getattr(row, name) for name in FIELDS if hasattr(row, name)},
        "area_m2": float(row.area_m2),
        "geometry": geojson(shapely.from_wkb(bytes(row.geom.wkb))),
        "by": one["by"] if one else called(None),
        "at": one["at"].isoformat() if one else None,
        "action": one["action"] if one else "",
    }
