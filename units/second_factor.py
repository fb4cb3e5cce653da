"""Ask for more than a password: for a code of an authenticator app (TOTP), at the sign-in and before approvals."""

import base64
import hmac
import secrets
import time
from datetime import timedelta

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from units.auditing import note
from units.errors import Refused
from units.models import RecoveryCode, SecondFactor, User
from units.rights import Role

ISSUER = "geoinv"
STEP = 30  # seconds that a code stands, by RFC 6238
DRIFT = (0, -1, 1)  # steps by which a telephone's clock may differ
FRESH = timedelta(minutes=15)  # for so long nothing is asked again before an approval
FAILURES = 5  # wrong codes for an account, then it waits
WINDOW = timedelta(minutes=15)
CODES = 10  # recovery codes
APPROVERS = frozenset({Role.OFFICE, Role.DISTRICT, Role.BUREAU, Role.CITY})
BEGUN_AT, BEGUN_BY = "second_factor_begun_at", "second_factor_begun_by"  # of a session that gave the password for it
BEGUN_SECONDS = 600
SHOWN_AT, SHOWN_BY = "second_factor_at", "second_factor_of"  # of a session
HEADER = "X-One-Time-Code"


def factor_of(user) -> SecondFactor | None:
    """The second factor that the user has turned on."""
    return SecondFactor.objects.filter(user_id=user.pk, confirmed_at__isnull=False).first()


def is_approver(user) -> bool:
    return any(grant.role in APPROVERS for grant in user.grants())


def is_demanded(user) -> bool:
    """Whether this site lets the user in with a second factor only (GEOINV_REQUIRE_TOTP)."""
    return settings.REQUIRE_TOTP and (is_approver(user) or user.is_superuser)


# --- turning it on and off ---------------------------------------------------------------------------------------


def begun(user: User) -> SecondFactor:
    """The second factor of the user; where there is none, one is made that can be shown and is not yet on."""
    made, _new = SecondFactor.objects.get_or_create(user=user, defaults={"nonce": secrets.token_bytes(20)})
    return made


def begin(user: User) -> SecondFactor:
    """Another secret than the one that may have been shown before; what is on already stays."""
    SecondFactor.objects.filter(user=user, confirmed_at=None).delete()
    return begun(user)


def may_begin(request) -> None:
    """From now on, for ten minutes, this session may turn a factor on: its person has given the password."""
    request.session[BEGUN_AT], request.session[BEGUN_BY] = int(time.time()), request.user.pk


def is_begun(request) -> bool:
    session = request.session
    begun_at = session.get(BEGUN_AT, 0)
    return session.get(BEGUN_BY) == request.user.pk and 0 <= time.time() - begun_at < BEGUN_SECONDS


def shown(factor: SecondFactor) -> dict:
    """What the authenticator app is given: {secret} to type, {picture} to photograph, as a data URI."""
    totp = _totp(factor)
    address = totp.provisioning_uri(name=factor.user.get_username(), issuer_name=ISSUER)
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=4, dark="#1b2733", light="#ffffff")
    return {"secret": " ".join(totp.secret[at : at + 4] for at in range(0, len(totp.secret), 4)), "picture": picture}


def turn_on(user: User, code: str) -> list[str]:
    """Confirm the factor that was begun with a code of the app; the recovery codes, which are shown this once."""
    factor = begun(user)
    if factor.confirmed_at:
        raise Refused(_("The second factor is on already."), _("Turn it off first."), code="second-factor")
    _judge(user, code)
    SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=timezone.now())
    note("factor_on", by=user)
    return new_codes(user)


def turn_off(user: User, by: User | None = None) -> bool:
    """Forget the factor and its codes; whether there was one. `by` is somebody else who resets it."""
    with transaction.atomic():
        was, _kinds = SecondFactor.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        if was:
            note("factor_off", by=user) if by is not None and by.pk == user.pk else note(
                "factor_reset", by=by, name=user.get_username(), subject=user.get_username()
            )
    return bool(was)


def new_codes(user: User) -> list[str]:
    """Ten new recovery codes; the ones of before count no more."""
    codes = [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _number in range(CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user, code)) for code in codes)
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


# --- asking for it -----------------------------------------------------------------------------------------------


def check(user: User, code: str) -> None:
    """Refused, unless this is a code of the app that was not used yet, or a recovery code."""
    _judge(user, code, recovery=True)


def fresh(request) -> bool:
    """Whether the second factor was shown in this session within the last quarter of an hour."""
    if getattr(request, "token", None) is not None or "Authorization" in request.headers:
        return False
    session = request.session
    return session.get(SHOWN_BY) == request.user.pk and 0 <= time.time() - session.get(SHOWN_AT, 0) < FRESH.seconds


def was_shown(request, user: User) -> None:
    """From now on the session counts as one that has shown the second factor."""
    request.session[SHOWN_AT], request.session[SHOWN_BY] = int(time.time()), user.pk


def asks(request) -> bool:
    """Whether an approval by this request would be asked for a code, so that the form has a field for it."""
    return factor_of(request.user) is not None and not fresh(request)


def confirm(request, code: str = "") -> None:
    """Let an approval go on: Refused where the account has a second factor that was not shown of late, nor is now.

    A program sends the code as X-One-Time-Code. An account that must have a second factor and has none approves
    nothing.
    """
    user = request.user
    if factor_of(user) is None:
        if is_demanded(user):
            raise Refused(
                _("Who approves here needs a second factor, and your account has none."),
                _("Turn it on under “Account”, then approve."),
                code="second-factor",
            )
        return
    if fresh(request):
        return
    code = code.strip() or request.headers.get(HEADER, "")
    if not code:
        raise Refused(
            _("An approval asks for your second factor."),
            _("Give the six digits of your authenticator app, or a recovery code."),
            code="second-factor",
        )
    check(user, code)
    if "Authorization" not in request.headers:
        was_shown(request, user)


# --- codes -------------------------------------------------------------------------------------------------------


def _totp(factor: SecondFactor) -> pyotp.TOTP:
    """The generator of this factor; its secret follows from the nonce and the site's key (HMAC-SHA-256, RFC 2104)."""
    key = salted_hmac("geoinv.second_factor", bytes(factor.nonce).hex(), algorithm="sha256").digest()
    return pyotp.TOTP(base64.b32encode(key[:20]).decode(), interval=STEP)


def _digest(user: User, code: str) -> str:
    return salted_hmac("geoinv.recovery", f"{user.pk}:{code}", algorithm="sha256").hexdigest()


def _judge(user: User, code: str, *, recovery: bool = False) -> None:
    """Count a right code, or a wrong one; after five wrong ones the account waits, whoever tried and from wherever."""
    code = "".join(letter for letter in code.lower() if letter.isalnum())[:40]
    with transaction.atomic():  # one attempt at a time, so that nobody tries a hundred at once
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is None:
            raise Refused(_("This account has no second factor."), code="second-factor")
        now = timezone.now()
        if factor.failed_at is None or now - factor.failed_at > WINDOW:
            factor.failures = 0
        waits = factor.failures >= FAILURES
        right = not waits and (_step_of(factor, code) or (recovery and _recovers(user, code)))
        if not waits:
            factor.failures = 0 if right else factor.failures + 1
            factor.failed_at = None if right else now
            factor.save()
    if waits:
        raise Refused(
            _("Too many wrong codes. Try again in %(minutes)d minutes.") % {"minutes": WINDOW.seconds // 60},
            code="too-many",
        )
    if not right:
        note("factor_failed", by=user)
        raise Refused(
            _("The code is wrong, or was used before."),
            _("Wait for the next six digits, and look whether the clock of the telephone is right."),
            code="second-factor",
        )


def _step_of(factor: SecondFactor, code: str) -> bool:
    """Whether `code` stands now and is later than the last that counted; then it counts."""
    if len(code) != 6 or not code.isascii():
        return False
    totp, step = _totp(factor), int(time.time()) // STEP
    for drift in DRIFT:
        if step + drift > factor.last_step and hmac.compare_digest(totp.generate_otp(step + drift), code):
            factor.last_step = step + drift
            return True
    return False


def _recovers(user: User, code: str) -> bool:
    used = RecoveryCode.objects.filter(user=user, digest=_digest(user, code), used_at=None).update(
        used_at=timezone.now()
    )
    if used:
        left = RecoveryCode.objects.filter(user=user, used_at=None).count()
        note("recovery", by=user, left=left)
    return bool(used)
