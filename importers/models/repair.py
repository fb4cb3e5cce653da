"""Proposals to store a shape that cannot be stored as delivered, and what people agreed to of them."""

from collections import Counter
from collections.abc import Collection

from django.contrib.gis.db import models
from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from importers.repairing import Repaired
from units.models import Delivery, District, User
from units.models.fields import OneOf
from units.models.shapes import shape

# The columns of a repair that an import writes.
COPIED = (
    *("delivery_id", "row_number", "key", "profile", "row_digest", "method", "state", "taken", "area_before"),
    *("area_after", "change_m2", "vertices_before", "vertices_after", "rings_before", "parts_after", "displacement"),
    *("gap", "dropped", "place", "before", "srid", "after", "result", "by_id", "at"),
)


class RepairQuerySet(models.QuerySet):
    def keep(self, delivery: Delivery, repairs: Collection[Repaired], before: int) -> dict[str, int]:
        """Record what was proposed for the rows of a delivery and what was taken of it; how many of each.

        `before` are the lines of the file above its first row.
        """
        given = {bytes(one.row_digest): one for one in Consent.objects.of(delivery)} if repairs else {}
        counted = Counter()
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY importers_repair ({', '.join(COPIED)}) FROM STDIN") as copy,
        ):
            for one in repairs:
                row = _recorded(delivery, one, before, given.get(one.digest))
                counted[row["state"]] += one.taken or row["state"] == Repair.State.PROPOSED
                copy.write_row([row[name] for name in COPIED])
        return {name: counted[name] for name in (Repair.State.AUTOMATIC, Repair.State.ACCEPTED, Repair.State.PROPOSED)}

    def accepted_since(self, delivery: Delivery):
        """What people agreed to after a delivery came in, and which is not taken with it."""
        return self.filter(
            delivery=delivery, state=Repair.State.ACCEPTED, taken=False, at__gt=delivery.imported_at
        ).exclude(delivery__state=Delivery.State.UNDONE)


def _recorded(delivery: Delivery, one: Repaired, before: int, consent: "Consent | None") -> dict:
    """A proposal as the columns of its row."""
    made = one.proposal
    if one.consented:
        state = Repair.State.ACCEPTED
    else:
        state = Repair.State.AUTOMATIC if one.taken else Repair.State.PROPOSED
    return {
        "delivery_id": delivery.pk,
        "row_number": one.row + 1 + before,
        "key": one.key[:80],
        "profile": delivery.profile,
        "row_digest": one.digest,
        "method": made.method,
        "state": state.value,
        "taken": one.taken,
        "area_before": made.area_before,
        "area_after": made.area_after,
        "change_m2": made.change,
        "vertices_before": made.vertices_before,
        "vertices_after": made.vertices_after,
        "rings_before": made.parts_before,
        "parts_after": made.parts_after,
        "displacement": made.displacement,
        "gap": made.gap,
        "dropped": made.dropped,
        "place": Jsonb(made.place) if made.place else None,
        "before": made.before,
        "srid": delivery.crs["epsg"],
        "after": made.after.hex(),
        "result": made.result,
        "by_id": consent.by_id if consent and one.consented else None,
        "at": consent.at if consent and one.consented else None,
    }


class Repair(models.Model):
    """How the shape of one row of a delivery could be stored, or is (修复建议): before, after, and what it changes.

    `before` is the shape as delivered, WKB in `srid`, byte for byte. Areas are square metres on the ellipsoid;
    `area_before` is null where what the rings bound is not certain, `change_m2` is never less than the area on which
    the two differ and null where it could not be measured. `taken` says that the row is stored with the shape `after`;
    an accepted one is taken when the file is imported again.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        AUTOMATIC = "automatic", _("Taken automatically")
        ACCEPTED = "accepted", _("Agreed to")
        DECLINED = "declined", _("Declined")

    delivery = models.ForeignKey(Delivery, models.CASCADE, verbose_name=_("Delivery"), related_name="+")
    row_number = models.PositiveIntegerField(_("Row of the file"))
    key = models.CharField(_("Identifier"), max_length=80, blank=True)
    profile = models.CharField(_("Profile"), max_length=40)
    row_digest = models.BinaryField(_("Digest of the row"), max_length=32)
    method = models.CharField(_("Method"), max_length=80, help_text=_("Steps, joined by +"))
    state = OneOf(_("State"), max_length=9, choices=State)
    taken = models.BooleanField(_("Taken"), default=False)
    area_before = models.FloatField(_("Area before (m²)"), null=True)
    area_after = models.FloatField(_("Area after (m²)"))
    change_m2 = models.FloatField(_("Change of area (m²)"), null=True)
    vertices_before = models.PositiveIntegerField(_("Vertices before"))
    vertices_after = models.PositiveIntegerField(_("Vertices after"))
    rings_before = models.PositiveIntegerField(_("Rings before"))
    parts_after = models.PositiveIntegerField(_("Parts after"))
    displacement = models.FloatField(_("Largest displacement (m)"))
    gap = models.FloatField(_("Widest gap of a ring (m)"), default=0)
    dropped = models.PositiveIntegerField(_("Rings dropped"), default=0)
    place = models.JSONField(_("Place of the fault"), null=True, help_text=_("x, y in the system as delivered"))
    before = models.BinaryField(_("Shape as delivered"))
    srid = models.IntegerField(_("Reference system as delivered"), null=True)
    after = shape()
    result = models.CharField(_("Digest of the result"), max_length=64)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name=_("Decided by"), related_name="+")
    at = models.DateTimeField(_("Decided at"), null=True, blank=True)

    objects = RepairQuerySet.as_manager()

    class Meta:
        verbose_name = _("Repair")
        verbose_name_plural = _("Repairs")
        ordering = ["delivery", "row_number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "row_number"], name="repair_once_a_row")]

    def __str__(self):
        return f"{self.row_number}: {self.method}"


class ConsentQuerySet(models.QuerySet):
    def of(self, delivery: Delivery):
        """What people agreed to, and have not withdrawn, for rows of the kind and district of a delivery."""
        return self.filter(district=delivery.district_id, profile=delivery.profile, withdrawn_at__isnull=True)

    def known(self, delivery: Delivery) -> frozenset[tuple[bytes, str, str]]:
        """(digest of the row, method, digest of the result) of each."""
        found = self.of(delivery).values_list("row_digest", "method", "result")
        return frozenset((bytes(digest), method, result) for digest, method, result in found)


class Consent(models.Model):
    """What one person agreed to (修复确认): that this very row is stored with this very result.

    A row whose bytes change, or a repair that would give something else, is none that anybody agreed to. What is
    withdrawn stays on record.
    """

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="+")
    profile = models.CharField(_("Profile"), max_length=40)
    row_digest = models.BinaryField(_("Digest of the row"), max_length=32)
    method = models.CharField(_("Method"), max_length=80)
    result = models.CharField(_("Digest of the result"), max_length=64)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, verbose_name=_("By"), related_name="+")
    at = models.DateTimeField(_("At"), auto_now_add=True)
    withdrawn_at = models.DateTimeField(_("Withdrawn at"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("Withdrawn by"), related_name="+"
    )

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("Consent")
        verbose_name_plural = _("Consents")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["district", "profile", "row_digest"],
                condition=Q(withdrawn_at__isnull=True),
                name="consent_once_a_row",
            )
        ]

    def __str__(self):
        return f"{self.profile} {self.method}"
