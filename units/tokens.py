"""Tokens: what a program shows in place of a name and password, for a time, for reading or writing."""

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from units.auditing import note, note_today
from units.errors import NotFound, UsageError
from units.models import Token, User

BEGINNING = "geoinv_"  # so that scanners of source code know one when they see it
SHOWN = 12  # letters by which its owner knows it again
LONGEST_DAYS = 366
USUAL_DAYS = 90
MOST = 20  # that stand at once


def make(user: User, name: str, allows: str, days: int) -> tuple[Token, str]:
    """A new token and its text, which is shown this once."""
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise UsageError(_("A token needs a name of at most 60 letters."), _("Name the program that will use it."))
    if allows not in Token.Allows.values:
        raise UsageError(_("A token is for reading, or for reading and writing."))
    if not 1 <= days <= LONGEST_DAYS:
        raise UsageError(_("A token stands for 1 to %(most)d days.") % {"most": LONGEST_DAYS})
    if standing(user).count() >= MOST:
        raise UsageError(_("You have %(most)d tokens already.") % {"most": MOST}, _("Revoke one that is not used."))
    text = BEGINNING + secrets.token_urlsafe(32)
    made = Token.objects.create(
        user=user,
        name=name,
        allows=allows,
        digest=digest(text),
        beginning=text[:SHOWN],
        expires_at=timezone.now() + timedelta(days=days),
    )
    note("token", by=user, subject=name, allows=allows, days=days)
    return made, text


def standing(user: User):
    """The user's tokens that open anything."""
    return Token.objects.filter(user=user, revoked_at=None, expires_at__gt=timezone.now())


def holder(text: str) -> Token | None:
    """The token of this text with its user, if it stands and the account does."""
    if not text.startswith(BEGINNING) or len(text) > 100:
        return None
    now = timezone.now()
    found = (
        Token.objects.select_related("user")
        .filter(digest=digest(text), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if found is not None and (found.used_at is None or now - found.used_at > timedelta(hours=1)):
        Token.objects.filter(pk=found.pk).update(used_at=now)  # to the hour: no write for each of a program's reads
        note_today("program", found.user, token=found.name)
    return found


def revoke(user: User, number: int) -> Token:
    """Close one of the user's own tokens at once; a second time changes nothing."""
    found = Token.objects.filter(user=user, pk=number).first()
    if found is None:
        raise NotFound(_("There is no such token of yours."))
    if Token.objects.filter(pk=number, revoked_at=None).update(revoked_at=timezone.now()):
        note("token_revoked", by=user, subject=found.name)
    return found


def digest(text: str) -> str:
    """32 random bytes need no salt and no slow hash: nobody guesses them."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
