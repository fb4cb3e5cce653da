"""Find what a request names, as far as whoever sends it may import it; what may not be seen is not there."""

import uuid

from django.db.models import Q
from django.utils.translation import gettext as _

from importers.models import Intake, IntakeLayer
from units.errors import NotAllowed, NotFound
from units.models import Delivery, District
from units.rights import Grant, imports, may_import
from units.views.asking import grants
from units.views.places import districts_of


def importer(request) -> tuple[Grant, ...]:
    """The grants of whoever asks. Raises NotAllowed where they let nobody import anything anywhere."""
    held = grants(request)
    if not may_import(held):
        raise NotAllowed(
            _("Deliveries are imported by analysts, and those of firms by the lead departments and the office."),
            _("Sign in with such an account."),
        )
    return held


def places(held: tuple[Grant, ...]) -> list[District]:
    """The districts in which something may be imported."""
    return [one for one in districts_of(held) if imports(held, one.pk)]


def allowed(held: tuple[Grant, ...], district: str, profile: str):
    """Raise NotAllowed unless this profile may be imported for the district."""
    if profile not in imports(held, district):
        raise NotAllowed(
            _("You may not import %(profile)s for this district.") % {"profile": profile},
            _("Hand the file to those who may: who delivers what is in the README."),
        )


def deliveries(held: tuple[Grant, ...]):
    """The deliveries of what may be imported, where it may be."""
    seen = Q(pk__in=[])
    for one in districts_of(held):
        seen |= Q(district=one, profile__in=imports(held, one.pk))
    return Delivery.objects.filter(seen).select_related("district", "survey", "imported_by")


def delivery(request, number: int) -> Delivery:
    found = deliveries(importer(request)).filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise NotFound(
            _("There is no delivery %(id)s, or none that you may see.") % {"id": number},
            _("Look at the list of deliveries."),
        )
    return found


def intakes(held: tuple[Grant, ...], user):
    """The open uploads of the districts where something may be imported: one's own, and those with a layer of it."""
    seen = Q(pk__in=[])
    for one in districts_of(held):
        if names := imports(held, one.pk):
            seen |= Q(district=one) & (
                Q(by=user) | Q(layers__told__profile__name__in=names) | Q(layers__asked__profile__in=names)
            )
    return Intake.objects.filter(seen).exclude(state=Intake.State.CLOSED).distinct().select_related("district", "by")


def intake(request, number: uuid.UUID) -> Intake:
    found = intakes(importer(request), request.user).filter(pk=number).first()
    if found is None:
        raise NotFound(
            _("There is no such upload, or none that you may see."),
            _("It may have been discarded. What was imported is in the list of deliveries."),
        )
    return found


def shown(layer: IntakeLayer, held: tuple[Grant, ...], user) -> bool:
    """Whether a layer of an upload is told to someone: to who uploaded it, and to those who may import it."""
    return layer.intake.by_id == user.pk or layer.recognised in imports(held, layer.intake.district_id)


def layer(request, number: uuid.UUID, which: int) -> IntakeLayer:
    """One layer of an upload; also its profile must be one that may be imported, once one was asked for."""
    held, found = importer(request), intake(request, number)
    one = found.layers.select_related("delivery").filter(number=which).first() if which < 2**15 else None
    if one is not None:
        one.intake = found
    if one is None or not shown(one, held, request.user):
        raise NotFound(_("There is no layer %(number)d in this upload.") % {"number": which}, _("Look at the upload."))
    return one
