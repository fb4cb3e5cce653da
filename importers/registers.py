"""The two registers with a rule of their own: control layers have editions in force, legacy land can be frozen."""

import re

from django.utils.translation import gettext as _

from importers.arrays import flags
from importers.checking import field_text
from importers.inspecting import Inspected
from importers.profiles import Match, Profile
from units.errors import Refused
from units.models import ControlArea, Delivery, District, Freeze, LegacyLand

# 2024, 2024版, 2024年5月, 2024-05-31, 20240531: a year, and a month and day where they are given
DATED = re.compile(
    r"((?:19|20)\d\d)(?:年?度?|[-./年]?(0[1-9]|1[0-2]|[1-9](?!\d))(?:月?|[-./月]?(0[1-9]|[12]\d|3[01]|[1-9])日?))?(?:版本?)?"
)


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


def newer(edition: str, other: str) -> bool | None:
    """Whether an edition is of a later day than the other, or None where their texts do not say.

    2024版 and 2021版, 2024-05 and 2023, V2 and V1 compare: but for their numbers they are written alike, or are dates.
    """
    this, that = _dated(edition), _dated(other)
    if this and that:
        shared = min(len(this), len(that))
        return None if this[:shared] == that[:shared] else this > that
    skeletons = {re.sub(r"\d+", "0", text.strip()) for text in (edition, other)}
    numbers = [tuple(map(int, re.findall(r"\d+", text))) for text in (edition, other)]
    return None if len(skeletons) > 1 or numbers[0] == numbers[1] else numbers[0] > numbers[1]


def _dated(edition: str) -> tuple[int, ...]:
    """The year, month and day that an edition consists of, as far as it has them; empty where it says other things."""
    found = DATED.fullmatch(edition.strip())
    return tuple(int(part) for part in found.groups() if part) if found else ()


def put_in_force(delivery: Delivery):
    """Make the delivered edition of a control layer the one in force, and keep which was before.

    A kind may come in several layers (roads, rivers): an edition retires only those of its own layer.
    Raises Refused where an edition in force is newer, or where nobody can say, unless the delivery is to replace it.
    """
    own, edition = _of_layer(delivery), delivery.settings["edition"]
    others = own.filter(in_force=True).exclude(edition=edition)
    before = sorted(set(others.order_by().values_list("edition", flat=True)))
    if not delivery.settings["replace"]:
        for other in before:
            _may_retire(delivery.settings["layer"], edition, other)
    delivery.settings["in_force_before"] = before
    others.update(in_force=False)
    own.filter(edition=edition, in_force=False).update(in_force=True)


def _may_retire(layer: str, edition: str, other: str):
    """Refuse to put an edition in force in the place of one that is newer, or may be."""
    later = newer(edition, other)
    if later:
        return
    said = {"layer": layer, "edition": edition, "other": other}
    raise Refused(
        (
            _("Of %(layer)s the edition %(other)s is in force, which is newer than %(edition)s.") % said
            if later is False
            else _("Of %(layer)s the edition %(other)s is in force; whether %(edition)s is newer cannot be told.")
            % said
        ),
        _("If %(edition)s is to take its place, say --replace.") % said,
        code="3-older-edition" if later is False else "3-edition-unclear",
    )


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
    """Refuse a delivery of legacy land, before it is read, where the register is frozen or on its way there."""
    freeze = Freeze.objects.filter(district=place).first() if wanted.table == "legacy" else None
    if freeze is not None:
        raise Refused(
            _("The legacy register of %(district)s is frozen since %(date)s: nothing is delivered into it any more.")
            % {"district": place.name, "date": f"{freeze.frozen_at:%Y-%m-%d}"},
            _("What happens to the land now is a disposal or a note beside its record."),
            code="register-frozen",
        )
    lands = LegacyLand.objects.filter(district=place).exclude(state=LegacyLand.State.DRAFT)
    under_way = lands.count() if wanted.table == "legacy" else 0
    if under_way:
        raise Refused(
            _("Of the legacy land of %(district)s, %(count)d polygons are no drafts any more: it is not taken again.")
            % {"district": place.name, "count": under_way},
            _("What is wrong with one is put right on its page; send it back first where it was tested."),
            code="register-under-way",
        )
