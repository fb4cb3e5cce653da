"""Let people decide on proposed repairs: list, accept and decline them, and import the kept file again with what holds.

A consent is to one very row, by the digest of its bytes, with one very result; a row that changes waits again.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from importers import opening
from importers.delivered import crs_given, kept_file, mapping_given
from importers.loading import load
from importers.models import Consent, Repair
from importers.repairing import CLOSE, DROP_RINGS, DROP_SPIKES, LINEARISE, MAKE_VALID
from importers.straightening import CHORD
from importers.supplementing import later_of
from units.errors import NotFound, Refused
from units.models import Delivery
from units.spatial import AREA_CHANGE

TITLES = {
    LINEARISE: gettext_lazy("straighten its curves"),
    CLOSE: gettext_lazy("close a ring"),
    DROP_RINGS: gettext_lazy("drop a ring"),
    DROP_SPIKES: gettext_lazy("drop spikes"),
    MAKE_VALID: gettext_lazy("make it valid"),
}


def proposals(delivery: Delivery | int, state: str | None = None) -> list[dict]:
    """What was proposed for the rows of a delivery, in their order, with what became of each; of one state only."""
    found = Repair.objects.filter(delivery=delivery_of(delivery)).select_related("by").order_by("row_number")
    return [told(one) for one in (found.filter(state=state) if state else found)]


def told(one: Repair) -> dict:
    """One proposal in the reader's language."""
    return {
        "id": one.pk,
        "delivery": one.delivery_id,
        "row_number": one.row_number,
        "key": one.key,
        "method": one.method,
        "title": titled(one.method),
        "state": one.state,
        "taken": one.taken,
        "area_before": one.area_before,
        "area_after": round(one.area_after, 4),
        "change_m2": one.change_m2,
        "vertices_before": one.vertices_before,
        "vertices_after": one.vertices_after,
        "rings_before": one.rings_before,
        "parts_after": one.parts_after,
        "displacement": one.displacement,
        "gap": one.gap,
        "dropped": one.dropped,
        "sentence": sentence(one),
        "by": one.by.username if one.by else None,
        "at": one.at,
    }


def titled(method: str) -> str:
    """What a method does, step by step, in the reader's language."""
    return _(", ").join(str(TITLES[step]) for step in method.split("+"))


def sentence(one: Repair) -> str:
    """What a repair would change, or has changed, in the reader's language."""
    numbers = {
        "after": f"{one.area_after:.2f}",
        "before": "" if one.area_before is None else f"{one.area_before:.2f}",
        "change": "" if one.change_m2 is None else f"{one.change_m2:.5f}",
        "moved": f"{one.displacement:.3f}",
        "gap": f"{one.gap:.3f}",
        "chord": f"{CHORD:.3f}",
        "limit": f"{AREA_CHANGE:.2f}",
    }
    parts = []
    if LINEARISE in one.method:
        parts.append(_("Chords lie at most %(chord)s m from their arcs.") % numbers)
    if one.gap:
        parts.append(_("A ring is open by %(gap)s m.") % numbers)
    if one.area_before is not None:
        parts.append(_("%(before)s m² become %(after)s m²; they differ by %(change)s m² at most.") % numbers)
    elif one.change_m2 is not None:
        parts.append(
            _("What the rings bound is not certain: %(after)s m² afterwards, of which %(change)s m² are in doubt.")
            % numbers
        )
    else:
        parts.append(_("It is too large to be measured against what was delivered: %(after)s m² afterwards.") % numbers)
    if one.displacement:
        parts.append(_("The line moves by %(moved)s m at most.") % numbers)
    return " ".join(parts)


def accept(ids: Iterable[int], by=None) -> dict:
    """Agree to proposals by their numbers, all or none; how many, and the deliveries they are of.

    They are taken when the file is imported again (`again`). `by` is who decides; nobody signed in on the command line.
    Raises NotFound where there is no such proposal, Refused where one is not open any more.
    """
    with transaction.atomic():
        chosen = _open(ids)
        now = timezone.now()
        for one in chosen:
            of_row = Consent.objects.of(one.delivery).filter(row_digest=one.row_digest)
            of_row.update(withdrawn_at=now, withdrawn_by=by)
            Consent.objects.create(
                district=one.delivery.district,
                profile=one.profile,
                row_digest=one.row_digest,
                method=one.method,
                result=one.result,
                by=by,
            )
            one.state, one.by, one.at = Repair.State.ACCEPTED, by, timezone.now()
            one.save(update_fields=["state", "by", "at"])
    return {"accepted": len(chosen), "deliveries": sorted({one.delivery_id for one in chosen})}


def accept_all(delivery: Delivery | int, by=None) -> dict:
    """Agree to every open proposal of a delivery."""
    found = Repair.objects.filter(delivery=delivery_of(delivery), state=Repair.State.PROPOSED)
    return accept(found.values_list("pk", flat=True), by)


def decline(ids: Iterable[int], by=None) -> dict:
    """Turn proposals down by their numbers, also such as were accepted and are not taken yet; how many."""
    with transaction.atomic():
        chosen = _open(ids, declining=True)
        now = timezone.now()
        for one in chosen:
            Consent.objects.of(one.delivery).filter(row_digest=one.row_digest).update(withdrawn_at=now, withdrawn_by=by)
            one.state, one.by, one.at = Repair.State.DECLINED, by, now
            one.save(update_fields=["state", "by", "at"])
    return {"declined": len(chosen), "deliveries": sorted({one.delivery_id for one in chosen})}


def again(delivery: Delivery | int, by=None, progress=None) -> dict:
    """Import the kept file of a delivery once more, so that the rows are taken to which people agreed; as `load` tells.

    It is a delivery of its own, which changes those rows only and can be taken back; nothing leaves the survey by it.
    Raises Refused where a later delivery of the layer stands, whose rows this one would set back.
    """
    delivery = delivery_of(delivery)
    if delivery.state == Delivery.State.UNDONE:
        raise Refused(
            _("The delivery %(id)d was taken back.") % {"id": delivery.pk},
            _("Import its file again as a delivery; what was agreed to holds for it."),
            code="already-undone",
        )
    if later := later_of(delivery):
        raise Refused(
            _("The later delivery %(later)d of the same layer stands: importing %(id)d again would set its rows back.")
            % {"later": later[-1].pk, "id": delivery.pk},
            _("Look at the proposals of that one, or take it back first."),
            code="edited-since",
        )
    said = delivery.settings
    with opening.opened(kept_file(delivery)) as container:
        container.path = Path(delivery.file_name)
        return load(
            container.path,
            delivery.profile,
            delivery.district_id,
            delivery.survey.year,
            layer=delivery.layer if len(container.layers) > 1 else None,
            encoding=said.get("encoding_given"),
            crs=crs_given(delivery),
            mapping=mapping_given(delivery),
            by=by,
            progress=progress,
            container=container,
            supplement=said.get("supplement_to") or delivery.pk,
        )


def _open(ids: Iterable[int], *, declining: bool = False) -> Sequence[Repair]:
    """The proposals of these numbers, locked, each open to a decision."""
    wanted = sorted(set(ids))
    found = list(
        Repair.objects.select_for_update(of=("self",)).select_related("delivery").filter(pk__in=wanted).order_by("pk")
    )
    if missing := sorted(set(wanted) - {one.pk for one in found}):
        raise NotFound(
            _("There is no proposal %(ids)s.") % {"ids": ", ".join(map(str, missing))},
            _("List them: manage.py repairs DELIVERY."),
        )
    may = {Repair.State.PROPOSED, *([Repair.State.ACCEPTED] if declining else [])}
    if settled := [one for one in found if one.taken or one.state not in may]:
        raise Refused(
            _("The proposal %(id)d (row %(row)d) is not open: it is %(state)s.")
            % {"id": settled[0].pk, "row": settled[0].row_number, "state": settled[0].get_state_display()},
            _("What is taken is taken back with its delivery: manage.py undo_import ID."),
            code="repair-settled",
        )
    return found


def delivery_of(delivery: Delivery | int) -> Delivery:
    """A delivery, or the one of that number; raises NotFound."""
    if isinstance(delivery, Delivery):
        return delivery
    found = Delivery.objects.filter(pk=delivery).first()
    if found is None:
        raise NotFound(_("There is no delivery %(id)s.") % {"id": delivery}, _("import_layer prints the number."))
    return found
