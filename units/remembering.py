"""Keep views of the map: save, list, change and delete them."""

import re

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from units.errors import NotAllowed, NotFound, Refused, Stale, UsageError
from units.models import SavedView, User
from units.rights import INSIDE, may

MOST = 200  # views of one person
ADDRESS = re.compile(r"[!-~]{1,2000}")  # what a browser writes after #: letters of ASCII without a blank


def seen(by: User) -> QuerySet[SavedView]:
    """One's own views, and those that are shared in a district where one works."""
    _inside(by)
    grants = by.grants()
    districts = {grant.district or (grant.street or "")[:6] for grant in grants if grant.role in INSIDE}
    shared = Q(district__isnull=False) if "" in districts else Q(district__in=districts)
    return SavedView.objects.select_related("owner").filter(Q(owner=by) | shared)


def save(by: User, name: str, address: str, district: str = "") -> SavedView:
    """Save a view under a name of one's own; `district` shares it there. Refused for a name that is taken."""
    _inside(by)
    if SavedView.objects.filter(owner=by).count() >= MOST:
        raise Refused(_("You keep %(most)d views already.") % {"most": MOST}, _("Delete one that you need no more."))
    made = SavedView(owner=by, name=_name(name), address=_address(address), district_id=_district(by, district))
    return _stored(made)


def change(by: User, number: int, version: int, **values: str) -> SavedView:
    """Give a view of one's own another name, address or district ("" shares it no more); Stale for another version."""
    with transaction.atomic():
        view = _own(by, number, version)
        if "name" in values:
            view.name = _name(values["name"])
        if "address" in values:
            view.address = _address(values["address"])
        if "district" in values:
            view.district_id = _district(by, values["district"])
        view.version += 1
        return _stored(view)


def delete(by: User, number: int, version: int) -> None:
    """Delete a view of one's own; Stale for another version than the one that stands."""
    with transaction.atomic():
        _own(by, number, version).delete()


def _inside(by: User) -> None:
    if not by.is_authenticated or not any(grant.role in INSIDE for grant in by.grants()):
        raise NotAllowed(
            _("Views of the map are kept for who works on the land."), _("Sign in with an account of a department.")
        )


def _own(by: User, number: int, version: int) -> SavedView:
    _inside(by)
    view = SavedView.objects.select_for_update().filter(owner=by, pk=number).first()
    if view is None:
        raise NotFound(_("You keep no such view."), _("A view is changed by who saved it."))
    if view.version != version:
        raise Stale(
            _("The view “%(name)s” was changed meanwhile.") % {"name": view.name},
            _("Look at what stands now."),
            theirs={"name": view.name, "address": view.address, "version": view.version},
        )
    return view


def _stored(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise Refused(
            _("You keep a view “%(name)s” already.") % {"name": view.name},
            _("Give it another name, or change that one."),
            code="name-taken",
        ) from None
    return view


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > 60 or not name.isprintable():
        raise UsageError(_("A view needs a name of up to 60 letters."))
    return name


def _address(text: str) -> str:
    address = text.removeprefix("#")
    if not ADDRESS.fullmatch(address):
        raise UsageError(
            _("This is no address of a view of the map."), _("It is what stands after # while the map is open.")
        )
    return address


def _district(by: User, district: str) -> str | None:
    if not district:
        return None
    if not may(by.grants(), INSIDE, district) and not any(
        grant.street and grant.street[:6] == district for grant in by.grants()
    ):
        raise NotAllowed(
            _("You do not work in the district %(district)s.") % {"district": district[:12]},
            _("Share a view where you work."),
        )
    return district
