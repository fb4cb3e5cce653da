"""Write what is known of a legacy polygon while its evidence is collected, and note mistakes once it is frozen."""

from datetime import date

import pghistory
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from units.errors import NotAllowed, Refused, Stale, UnknownName, UsageError
from units.gates.asked import kept, text
from units.models import LegacyLand, LegacyNote, User
from units.rights import Role, may
from units.workflow import ACCEPTED, DRAFT, EVIDENCE

WRITERS = frozenset({Role.ANALYST, Role.STREET})  # workflow 4.3: draft and evidence are R1's and R2's
NOTERS = frozenset({Role.OFFICE})  # who keeps the ledger (4.1)
TEXTS = {
    "address": (gettext_lazy("Location"), 200),
    "user_name": (gettext_lazy("Used by"), 200),
    "penalty_number": (gettext_lazy("Penalty number"), 80),
    "ownership": (gettext_lazy("Ownership (QSXZ)"), 2),
}
DAYS = {
    "used_since": gettext_lazy("Land used since"),
    "penalty_closed_on": gettext_lazy("Penalty carried out on"),
}
TRUTHS = {
    "small_property_housing": gettext_lazy("Collective small-property housing"),
    "worth_keeping": gettext_lazy("Buildings judged worth keeping"),
}


def may_write(grants, land: LegacyLand) -> bool:
    """Whether someone with these grants may write the facts of the polygon now."""
    return land.state in (DRAFT, EVIDENCE) and may(grants, WRITERS, land.district_id, land.street_id)


def may_note(grants, land: LegacyLand) -> bool:
    """Whether someone with these grants may note a mistake beside the polygon."""
    return land.state == ACCEPTED and may(grants, NOTERS, land.district_id, land.street_id)


def write(by: User, land: LegacyLand, version: int, values: dict) -> LegacyLand:
    """The polygon with these facts; those that are not named stay. Raises NotAllowed, Refused, Stale, UsageError."""
    grants = by.grants()
    with transaction.atomic(), pghistory.context(user=by.pk, legacy=land.code, action="evidence"):
        row = LegacyLand.objects.select_for_update(of=("self",)).get(pk=land.pk)
        if not may(grants, WRITERS, row.district_id, row.street_id):
            raise NotAllowed(
                _("Facts of legacy land are written by its street office or the analyst."), _("Ask one of them.")
            )
        if row.state not in (DRAFT, EVIDENCE):
            raise Refused(
                _("%(code)s is “%(state)s”: its facts are not written any more.")
                % {"code": row.code, "state": row.get_state_display()},
                _("It can be sent back; after the freeze, note the mistake beside it."),
                code="state",
            )
        if version != row.version:
            raise Stale(
                _("%(code)s was changed by somebody else meanwhile.") % {"code": row.code},
                _("Look at it again, and save again what is still right."),
                theirs={"version": row.version, "state": row.state},
            )
        for name, value in values.items():
            setattr(row, name, _read(name, value))
        if row.used_since and row.used_since > timezone.localdate():
            raise UsageError(_("%(day)s lies in the future.") % {"day": row.used_since.isoformat()})
        row.version += 1
        row.save()
    return row


def note(by: User, land: LegacyLand, words: str, document=None) -> LegacyNote:
    """A mistake found after the freeze, told beside the record with its author and paper (workflow 4.3)."""
    if not may(by.grants(), NOTERS, land.district_id, land.street_id):
        raise NotAllowed(_("Notes on frozen legacy land are made by the task-force office."), _("Ask it."))
    if land.state != ACCEPTED:
        raise Refused(
            _("%(code)s is not frozen: put it right instead.") % {"code": land.code},
            _("Its facts can be written until it is tested; later it can be sent back."),
            code="not-frozen",
        )
    words = text(words, _("note"))
    if not words:
        raise Refused(_("A note needs words."), _("Say what is wrong, and how it should be read."), code="text")
    with transaction.atomic():
        paper = kept(document, land.district_id, by)
        if paper is None:
            raise Refused(
                _("This step needs a document."), _("Name the paper it rests on: title, number, date."), code="document"
            )
        return LegacyNote.objects.create(legacy=land, text=words, document=paper, by=by)


def _read(name: str, value):
    if name in TEXTS:
        title, most = TEXTS[name]
        return text(value or "", str(title), most)
    if name in TRUTHS:
        if value not in (True, False, None):
            raise UsageError(_("“%(name)s” is not what it should be.") % {"name": TRUTHS[name]})
        return value
    if name not in DAYS:
        raise UnknownName(str(name)[:40], {**TEXTS, **DAYS, **TRUTHS}, _("fact"))
    if value in (None, ""):
        return None
    try:
        return value if isinstance(value, date) else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(_("“%(text)s” is no day.") % {"text": str(value)[:20]}, _("Write it as 2027-01-31.")) from None
