"""Accept a finding for a time, with a reason; or take that back."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units.errors import NotAllowed, Refused, UsageError
from units.models import Finding, Waiver
from units.rights import Grant, Role, may

WAIVERS = frozenset({Role.OFFICE})  # who determines in the district may also accept a finding for a time
LONGEST = timedelta(days=366)  # after a year somebody looks again


def may_waive(grants: tuple[Grant, ...], finding: Finding) -> bool:
    """Whether someone with these grants may waive the finding: the task-force office (R5) of its district."""
    return may(grants, WAIVERS, finding.district_id, finding.street_id)


@transaction.atomic
def waive(finding: Finding, by, grants: tuple[Grant, ...], reason: str, until: date) -> Waiver:
    """Accept the finding until a day (which counts), for a reason; a waiver that held is replaced by this one.

    Raises NotAllowed, UsageError (no reason, a day that is past or more than a year away) and Refused where the
    finding is resolved.
    """
    finding = Finding.objects.select_for_update().get(pk=finding.pk)
    if not may_waive(grants, finding):
        raise NotAllowed(
            _("Only the task-force office of the district waives a finding."), _("Ask it, and say why it may stand.")
        )
    reason = reason.strip()
    today = timezone.localdate()
    if not reason:
        raise UsageError(_("A waiver needs a reason."), _("Say why the finding may stand."))
    if not today <= until <= today + LONGEST:
        raise UsageError(
            _("A waiver ends between today and %(latest)s.") % {"latest": (today + LONGEST).isoformat()},
            _("Choose a day in that time; it may be given again."),
        )
    if finding.state == Finding.State.RESOLVED:
        raise Refused(_("The finding is resolved."), _("There is nothing to waive."))
    finding.waivers.holding(today).update(lifted_at=timezone.now(), lifted_by=by)
    return Waiver.objects.create(finding=finding, fingerprint=finding.fingerprint, reason=reason, by=by, until=until)


@transaction.atomic
def lift(finding: Finding, by, grants: tuple[Grant, ...]) -> int:
    """End the waivers of the finding that hold; how many there were. Raises NotAllowed."""
    finding = Finding.objects.select_for_update().get(pk=finding.pk)
    if not may_waive(grants, finding):
        raise NotAllowed(_("Only the task-force office of the district lifts a waiver."))
    return finding.waivers.holding(timezone.localdate()).update(lifted_at=timezone.now(), lifted_by=by)
