"""Accept a finding for a time, with a reason; or take that back."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from units.errors import NotAllowed, Refused, Stale, UsageError
from units.models import Finding, Waiver
from units.rights import Grant, Role, may

WAIVERS = frozenset({Role.OFFICE})  # who determines in the district may also accept a finding for a time
LONGEST = timedelta(days=366)  # after a year somebody looks again


def may_waive(grants: tuple[Grant, ...], finding: Finding) -> bool:
    """Whether someone with these grants may waive the finding: the task-force office (R5) of its district."""
    return may(grants, WAIVERS, finding.district_id, finding.street_id)


def version_of(finding: Finding) -> int:
    """How often somebody has said something of it: every waiver counts once, and once more when it is lifted."""
    return versions_of([finding])[finding.pk]


def versions_of(findings: Iterable[Finding]) -> dict[int, int]:
    """The same of many findings, asked at once: {finding: version}."""
    found = {one.pk: 0 for one in findings}
    rows = Waiver.objects.filter(finding__in=found).values_list("finding").annotate(Count("pk"), Count("lifted_at"))
    return found | {finding: waived + lifted for finding, waived, lifted in rows}


def _check_version(finding: Finding, version: int | None) -> None:
    now = version_of(finding)
    if version in (None, now):
        return
    last = finding.waivers.order_by("-pk").first()
    raise Stale(
        _("Somebody else has waived the finding, or lifted its waiver, meanwhile."),
        _("Look at what stands there now, and do it again if it is still right."),
        theirs={
            "version": now,
            "waived": finding.waivers.holding(timezone.localdate()).exists(),
            "reason": last.reason if last else "",
            "changed_by": (last.lifted_by or last.by).get_username() if last else "",
        },
    )


@transaction.atomic
def waive(
    finding: Finding, by, grants: tuple[Grant, ...], reason: str, until: date, version: int | None = None
) -> Waiver:
    """Accept the finding until a day (which counts), for a reason; a waiver that held is replaced by this one.

    Raises NotAllowed, UsageError (no reason, a day that is past or more than a year away) and Refused where the
    finding is resolved.
    """
    finding = Finding.objects.select_for_update().get(pk=finding.pk)
    if not may_waive(grants, finding):
        raise NotAllowed(
            _("Only the task-force office of the district waives a finding."), _("Ask it, and say why it may stand.")
        )
    _check_version(finding, version)
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
def lift(finding: Finding, by, grants: tuple[Grant, ...], version: int | None = None) -> int:
    """End the waivers of the finding that hold; how many there were. Raises NotAllowed."""
    finding = Finding.objects.select_for_update().get(pk=finding.pk)
    if not may_waive(grants, finding):
        raise NotAllowed(_("Only the task-force office of the district lifts a waiver."))
    _check_version(finding, version)
    return finding.waivers.holding(timezone.localdate()).update(lifted_at=timezone.now(), lifted_by=by)
