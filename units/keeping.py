"""Keep work that is not saved yet for the person who is at it, until it is saved, thrown away or old."""

import json
import re
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from units.errors import NotFound, Refused, Stale, UnknownName, UsageError
from units.models import KeptDraft, User
from units.models.working import Register

LASTS = timedelta(days=14)  # afterwards nobody comes back to it; the browser keeps it as long
MOST = 50  # pieces of work of one person and kind
LARGEST = 1_500_000  # bytes of one as JSON: 20,000 corners are 900,000
LONGEST_KEY = 60
NOTHING = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it; no database stores it


def keep(by: User, kind: str, key: str, content: dict, version: int) -> KeptDraft:
    """The content in place of what was kept under the key; `version` is how it was left, 0 where it is new.

    Raises Stale with what stands there where another window has kept something under the key meanwhile.
    """
    _known(kind, key)
    written = json.dumps(content)
    if NOTHING.search(written):
        raise UsageError(_("A draft's text holds the sign U+0000, which is none."))
    if len(written) > LARGEST:
        raise UsageError(
            _("The draft is larger than %(most)d kB and is not kept here.") % {"most": LARGEST // 1000},
            _("This browser keeps it; save it soon."),
        )
    with transaction.atomic():
        draft = KeptDraft.objects.select_for_update().filter(user=by, kind=kind, key=key).first()
        if draft is None:
            return _made(by, kind, key, content)
        if version != draft.version:
            raise _stale(draft)
        draft.content, draft.version = content, draft.version + 1
        draft.save()
    return draft


def forget(by: User, kind: str, key: str, version: int) -> None:
    """Throw away what is kept under the key; NotFound where there is none, Stale where it is another by now."""
    _known(kind, key)
    with transaction.atomic():
        draft = KeptDraft.objects.select_for_update().filter(user=by, kind=kind, key=key).first()
        if draft is None:
            raise NotFound(_("There is no such draft."), _("It was saved or thrown away."))
        if version != draft.version:
            raise _stale(draft)
        draft.delete()


def kept(by: User, kind: str) -> list[KeptDraft]:
    """What is kept of this kind for this person, the latest first."""
    _known(kind)
    return list(KeptDraft.objects.filter(user=by, kind=kind, kept_at__gte=timezone.now() - LASTS).order_by("-kept_at"))


def _made(by: User, kind: str, key: str, content: dict) -> KeptDraft:
    KeptDraft.objects.filter(user=by, kept_at__lt=timezone.now() - LASTS).delete()
    if KeptDraft.objects.filter(user=by, kind=kind).count() >= MOST:
        raise Refused(
            _("%(most)d drafts of yours are kept already.") % {"most": MOST},
            _("Save or throw away some; this browser keeps this one."),
            code="too-many",
        )
    try:
        with transaction.atomic():
            return KeptDraft.objects.create(user=by, kind=kind, key=key, content=content)
    except IntegrityError:  # another window began at the same moment
        raise _stale(KeptDraft.objects.get(user=by, kind=kind, key=key)) from None


def _stale(draft: KeptDraft) -> Stale:
    return Stale(
        _("Another window of yours has kept this draft meanwhile."),
        _("Both are kept: this one gets a place of its own."),
        theirs={"version": draft.version, "kept_at": draft.kept_at.isoformat()},
    )


def _known(kind: str, key: str | None = None) -> None:
    if kind not in Register:
        raise UnknownName(kind[:40], Register.values, _("kind of draft"))
    if key is not None and (not 0 < len(key) <= LONGEST_KEY or not key.isprintable()):
        raise UsageError(_("A draft's key has at most %(most)d letters.") % {"most": LONGEST_KEY})
