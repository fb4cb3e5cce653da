"""Transfers of floor area between two units (NK026): which unit may not be taken away because of one."""

from django.utils.translation import gettext as _

from units.errors import Refused
from units.models import RedevelopmentUnit


def others(unit: RedevelopmentUnit) -> list[str]:
    """The codes of the units with which it exchanges floor area."""
    return sorted({one["other_unit"] for one in _transfers(unit).values()})


def check_alone(unit: RedevelopmentUnit) -> None:
    """Refuse to take a unit away while floor area is transferred between it and another.

    A draft beside an approved edition goes where both say the same of their transfers: then the approved one speaks
    for the unit again. Where they differ, the other unit has a draft that rests on this one.
    """
    approved = RedevelopmentUnit.State.APPROVED
    editions = RedevelopmentUnit.objects.filter(district=unit.district_id, code=unit.code, state=approved)
    former = editions.exclude(pk=unit.pk).defer("geom").first()
    if _transfers(unit) == (_transfers(former) if former else {}):
        return
    if codes := others(unit):
        raise Refused(
            _("Floor area is transferred between the unit %(code)s and %(others)s.")
            % {"code": unit.code, "others": ", ".join(codes)},
            _("Take the transfer out of its record first; it then leaves both units."),
            code="transfer",
        )
    raise Refused(
        _("The approved version of the unit %(code)s transfers floor area to or from %(others)s; this draft ends that.")
        % {"code": unit.code, "others": ", ".join(others(former))},
        _("The other unit has a draft without the transfer too: have both approved."),
        code="transfer",
    )


def _transfers(unit: RedevelopmentUnit) -> dict[str, dict]:
    """Its side of each transfer, by the number that both sides have."""
    return {one["transfer"]: one for one in unit.incentives or [] if one["type"] == "transfer"}
