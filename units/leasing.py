"""Say who has a record open to edit it: a soft lease (正在编辑), which tells others and never stops anybody."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.gis.db.models.functions import PointOnSurface
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from units import campaigning, records
from units.collections import COLLECTIONS
from units.criteria import shelf
from units.drafting import called, found, is_inside
from units.errors import GeoinvError, NotAllowed, NotFound, UnknownName
from units.models import Lease, LegacyLand, RedevelopmentUnit, User
from units.models.working import Register
from units.rights import Grant, view

LASTS = timedelta(seconds=90)  # without a further sign; a page gives one every thirty seconds
MOST = 500  # leases of one register in one answer


def hold(by: User, register: str, code: str, district: str = "") -> list[dict]:
    """Begin or renew one's lease; who else has the record open: [{name, since}], the longest first.

    Raises UnknownName, NotFound where the reader sees no such record, NotAllowed where he sees its public columns.
    """
    code, district = _seen(by.grants(), register, code, district)
    now = timezone.now()
    Lease.objects.filter(until__lt=now).delete()
    lease, made = Lease.objects.get_or_create(
        register=register, code=code, district=district, user=by, defaults={"since": now, "until": now + LASTS}
    )
    if not made:  # not `save`: another page of the same person may have ended it meanwhile
        Lease.objects.filter(pk=lease.pk).update(until=now + LASTS)
    return others(by, register, code, district)


def leave(by: User, register: str, code: str, district: str = "") -> None:
    """End one's lease of a record, if there is one."""
    if register not in Register:
        raise UnknownName(register[:40], Register.values, _("register"))
    mine = Lease.objects.filter(register=register, code=code, user=by)
    (mine.filter(district=district) if district else mine).delete()


def others(by: User, register: str, code: str, district: str = "") -> list[dict]:
    """Who else has the record open; for who may see it, which the caller has asked."""
    leases = _held(register).filter(code=code, district=district).exclude(user=by)
    return [_told(one) for one in leases]


def listed(by: User, register: str) -> list[dict]:
    """What of a register others have open, of what the reader sees: [{code, district, name, since}]."""
    if register not in Register:
        raise UnknownName(register[:40], Register.values, _("register"))
    grants, told = by.grants(), []
    leases = _held(register).exclude(user=by)[:MOST]
    if register == Register.UNIT:  # every map asks twice a minute: one question for all of them
        inside = _units_inside(grants, {one.code for one in leases})
        held = [one for one in leases if (one.district, one.code) in inside]
        return _placed([{"code": one.code, "district": one.district, **_told(one)} for one in held])
    for one in leases:
        try:
            _seen(grants, register, one.code, one.district)
        except GeoinvError:  # none that he may see: not told at all
            continue
        told.append({"code": one.code, "district": one.district, **_told(one)})
    return told


def _units_inside(grants: tuple[Grant, ...], codes: set[str]) -> set[tuple[str, str]]:
    """(district, code) of those units of which these grants see more than the public does."""
    rows = RedevelopmentUnit.objects.filter(COLLECTIONS["units"].seen_by(grants).rows.q(), code__in=codes)
    units = rows.exclude(state=RedevelopmentUnit.State.AMENDED).only("district_id", "street_id", "code")
    return {(unit.district_id, unit.code) for unit in units if is_inside(grants, unit)}


def _placed(told: list[dict]) -> list[dict]:
    """The same with a point inside each unit, [lng, lat], where a label can stand."""
    units = RedevelopmentUnit.objects.filter(code__in=[one["code"] for one in told]).order_by("edition")
    points = units.annotate(at=PointOnSurface("geom")).values_list("district_id", "code", "at")
    places = {(district, code): [at.x, at.y] for district, code, at in points if at is not None}
    return [one | {"at": places.get((one["district"], one["code"]))} for one in told]


def _held(register: str):
    leases = Lease.objects.filter(Q(register=register), until__gte=timezone.now(), user__is_active=True)
    return leases.select_related("user").order_by("since", "pk")


def _told(lease: Lease) -> dict:
    return {"name": called(lease.user), "since": lease.since.isoformat()}


def _seen(grants: tuple[Grant, ...], register: str, code: str, district: str) -> tuple[str, str]:
    """The code and district of a record as the lease has them, if these grants see more of it than the public does."""
    if register not in Register:
        raise UnknownName(register[:40], Register.values, _("register"))
    if register == Register.UNIT:
        unit = found(grants, code, district)
        if not is_inside(grants, unit):
            raise NotAllowed(_("You may look at the unit %(code)s, not change it.") % {"code": unit.code})
        return unit.code, unit.district_id
    if register == Register.FORM:
        return str(campaigning.sheet_of(int(code) if code.isdecimal() and len(code) < 10 else 0, grants).pk), ""
    if register == Register.RECORD:
        return records.determination_of(code, grants).code, ""
    if register == Register.CRITERIA:
        if shelf.seen(code, grants) is None:
            raise NotFound(_("There is no draft “%(name)s”.") % {"name": code[:60]})
        return code, ""
    return _legacy(grants, code)


def _legacy(grants: Iterable[Grant], code: str) -> tuple[str, str]:
    rows = LegacyLand.objects.filter(view(grants, "legacy", ()).rows.q(), code=code)
    if not rows.exists():
        raise NotFound(_("There is no legacy land %(code)s, or none that you may see.") % {"code": code[:60]})
    return code, ""
