"""Bring an earlier version of a redevelopment unit back as a draft of today."""

import pghistory
import shapely
from django.db import transaction
from django.utils.translation import gettext as _

from units.amending import amend
from units.composing import CONFIRMABLE, geojson
from units.drafting import Drawing, edit, found
from units.drafting import restore as bring_back
from units.errors import Refused
from units.models import RedevelopmentUnit, User
from units.recording import record
from units.versions import of, versions

# What a version brings back besides its name and shape. Incentives stay as they are: what is transferred to another
# unit is agreed with that one, and stands in its record too.
RECORD = ("mode", "methods", "programmes", "requirements")
State = RedevelopmentUnit.State


def restore(by: User, code: str, number: int, version: int | None, district: str = "") -> RedevelopmentUnit:
    """The unit with the name, shape and record of the version `number` of its history; nothing of the history is lost.

    A draft is edited, a deleted one is brought back first, and of an approved unit a new draft edition is made.
    `version` is the one that stands. The shape is judged by the rules of today. Raises NotFound where no such version
    is to be seen, Stale, Unfit, NotAllowed, and Refused where the unit is on its way to approval.
    """
    grants = by.grants()
    told = of(number, versions("units", code, grants, district))
    was = RedevelopmentUnit.pgh_event_model.objects.get(pgh_id=told.number)
    shape = shapely.from_wkb(bytes(was.geom.wkb))
    with transaction.atomic(), pghistory.context(user=by.pk, restored=number):
        unit = found(grants, code, was.district_id)
        place = unit.district_id
        match unit.state:
            case State.APPROVED:
                unit = amend(by, code, version, place)
                version = unit.version
            case State.DELETED:
                unit = bring_back(by, code, version, place)
                version = unit.version
            case State.CHECKED | State.CONSULTED:
                raise Refused(
                    _("The unit %(code)s is on its way to approval: %(state)s.")
                    % {"code": code, "state": unit.get_state_display()},
                    _("Send it back to be drawn first; then an earlier version can be brought back."),
                    code="not-a-draft",
                )
        drawing = Drawing(drawn=geojson(shape), confirmed=sorted(CONFIRMABLE))
        unit = edit(by, code, version, was.name, drawing, place)
        return record(by, code, unit.version, {name: getattr(was, name) for name in RECORD}, place)
