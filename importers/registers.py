"""The two registers with a rule of their own: control layers have editions in force, legacy land can be frozen."""

from django.utils.translation import gettext as _

from importers.arrays import flags
from importers.checking import field_text
from importers.inspecting import Inspected
from importers.profiles import Match, Profile
from units.errors import Refused
from units.models import ControlArea, Delivery, District, Freeze


def edition_of(seen: Inspected, found: Match, year: int) -> str:
    """The one edition of a control layer: as its rows say it, else the year of the survey."""
    live = flags(~seen.table.deleted)
    values = field_text(seen.table, found, "BB", seen.encoding.python, slice(None))[0].filter(live)
    editions = sorted(filter(None, set(values.to_pylist())))
    if len(editions) > 1:
        raise Refused(
            _("The layer %(layer)s holds several editions: %(editions)s.")
            % {"layer": seen.layer.name, "editions": ", ".join(editions[:5])},
            _("Deliver each edition by itself."),
            code="3-several-editions",
        )
    return editions[0][:60] if editions else str(year)


def put_in_force(delivery: Delivery):
    """Make the delivered edition of a control layer the one in force, and keep which was before.

    A kind may come in several layers (roads, rivers): an edition retires only those of its own layer.
    """
    own, edition = _of_layer(delivery), delivery.settings["edition"]
    others = own.filter(in_force=True).exclude(edition=edition)
    delivery.settings["in_force_before"] = sorted(set(others.order_by().values_list("edition", flat=True)))
    others.update(in_force=False)
    own.filter(edition=edition, in_force=False).update(in_force=True)


def put_back(delivery: Delivery):
    """Put the editions in force again that the delivery retired."""
    before = delivery.settings.get("in_force_before", [])
    if before:
        own = _of_layer(delivery)
        own.filter(in_force=True).exclude(edition__in=before).update(in_force=False)
        own.filter(edition__in=before).update(in_force=True)


def _of_layer(delivery: Delivery):
    return ControlArea.objects.filter(
        district=delivery.district_id,
        kind=delivery.settings["kind"],
        delivery__settings__layer=delivery.settings["layer"],
    )


def may_be_delivered(place: District, wanted: Profile):
    """Refuse a delivery of legacy land, before its rows are read, where the register of the district is frozen."""
    freeze = Freeze.objects.filter(district=place).first() if wanted.table == "legacy" else None
    if freeze is not None:
        raise Refused(
            _("The legacy register of %(district)s is frozen since %(date)s: nothing is delivered into it any more.")
            % {"district": place.name, "date": f"{freeze.frozen_at:%Y-%m-%d}"},
            _("What happens to the land now is a disposal or a note beside its record."),
            code="register-frozen",
        )
