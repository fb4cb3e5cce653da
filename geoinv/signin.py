"""Sign people and programs in, and slow down those who guess."""

import base64
import binascii
import hmac
import ipaddress
import threading
import time
import unicodedata
from collections import OrderedDict
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from geoinv.errors import answer, is_private, on_program_path, problem, translated
from units.auditing import note, note_today
from units.models import SignInFailure
from units.rights import Grant, grants_of
from units.second_factor import factor_of, is_demanded
from units.tokens import holder

WINDOW = timedelta(minutes=15)  # failures older than this are forgotten
FAILURES_A_NAME_AND_ADDRESS = 5
FAILURES_AN_ADDRESS = 20
# NIST SP 800-63B 5.2.2 allows 100. A small number would let anybody lock anybody else out from afar.
FAILURES_A_NAME = 100
REMEMBERED_SECONDS = 60.0  # how long a program's verified password needs no hashing again
REMEMBERED_ENTRIES = 500
READING = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_NAME = 150
LONGEST_PASSWORD = 4096


class TooManyFailures(ValidationError):
    """Too many failed sign-ins from one place. Login forms show it as it stands."""

    def __init__(self):
        super().__init__(
            _("Too many failed sign-ins. Try again in %(minutes)d minutes."),
            code="too_many_failures",
            params={"minutes": int(WINDOW.total_seconds() // 60)},
        )


def grants(request: HttpRequest) -> tuple[Grant, ...]:
    """The grants of whoever makes this request, signed in by session or by Basic; () for nobody."""
    return grants_of(request.user)


def digest(kind: str, text: str) -> str:
    """A keyed digest: the table of failures tells nobody who tried, or from where."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return salted_hmac(f"geoinv.signin.{kind}", folded, algorithm="sha256").hexdigest()


def address_of(request: HttpRequest | None) -> str:
    """Where a request comes from; an IPv6 caller is its /64, for it owns all of that.

    X-Forwarded-For is anybody's claim. Only with the setting TRUST_FORWARDED_FOR is its last entry believed, the one
    that the nearest proxy wrote.
    """
    if request is None:
        return ""
    address = request.META.get("REMOTE_ADDR", "")
    if getattr(settings, "TRUST_FORWARDED_FOR", False) and request.headers.get("X-Forwarded-For"):
        address = request.headers["X-Forwarded-For"].rpartition(",")[2].strip()
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address


class ThrottledBackend(ModelBackend):
    """Django's own users and passwords; five failures for a name from an address, and it waits."""

    def authenticate(self, request, username=None, password=None, **others):
        username = username if username is not None else others.get(get_user_model().USERNAME_FIELD)
        if username is None or password is None:
            return None
        if "\0" in username or len(username) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
            return None  # no such name can exist
        names = digest("name", username)
        addresses = digest("address", address_of(request))
        with transaction.atomic():
            # One attempt at a time for a name from an address: a hundred guesses at once count like a hundred in a
            # row, and a program that asks ten things at once with the right password is not taken for a guesser.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [names + addresses])
            refused = blocked(names, addresses)
            user = None if refused else super().authenticate(request, username=username, password=password)
            if user is not None:
                SignInFailure.objects.filter(name_digest=names, address_digest=addresses).delete()
            elif not refused:
                SignInFailure.objects.filter(at__lt=timezone.now() - WINDOW).delete()
                SignInFailure.objects.create(name_digest=names, address_digest=addresses)
                # A name that is nobody's may be a password in the wrong field: it is counted and not kept.
                known = get_user_model().objects.filter(username=username).first()
                note("sign_in_failed", name=known.get_username() if known else "", known=known is not None)
        if refused:
            raise TooManyFailures
        return user


def blocked(names: str, addresses: str) -> bool:
    """Whether this name from this address, this address or this name (digests) has failed too often of late."""
    name, address = Q(name_digest=names), Q(address_digest=addresses)
    failures = SignInFailure.objects.filter(name | address, at__gte=timezone.now() - WINDOW).aggregate(
        here=Count("pk", filter=name & address),
        of_address=Count("pk", filter=address),
        of_name=Count("pk", filter=name),
    )
    nowhere = addresses == digest("address", "")  # a server behind a socket is not told who calls
    return (
        failures["here"] >= FAILURES_A_NAME_AND_ADDRESS
        or (failures["of_address"] >= FAILURES_AN_ADDRESS and not nowhere)
        or failures["of_name"] >= FAILURES_A_NAME
    )


class Remembered:
    """Credentials that were right within the last minute, by keyed digest.

    A page of ten thousand features would otherwise cost less than the check of its caller's password. The digest holds
    the stored hash of the password, so that a changed password is forgotten at once.
    """

    def __init__(self):
        self.entries: OrderedDict[bytes, float] = OrderedDict()
        self.lock = threading.Lock()
        self.turns = [threading.Lock() for _ in range(64)]

    def turn(self, key: bytes) -> threading.Lock:
        """The lock that requests with the same credentials share."""
        return self.turns[key[0] % len(self.turns)] if key else threading.Lock()

    def key(self, user, password: str) -> bytes:
        text = f"{user.pk}\0{user.password}\0{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(settings.SECRET_KEY.encode(), b"geoinv.signin.remembered\0" + text, "sha256")

    def knows(self, key: bytes) -> bool:
        with self.lock:
            return self.entries.get(key, 0.0) > time.monotonic()

    def add(self, key: bytes) -> None:
        with self.lock:
            self.entries[key] = time.monotonic() + REMEMBERED_SECONDS
            self.entries.move_to_end(key)
            while len(self.entries) > REMEMBERED_ENTRIES:
                self.entries.popitem(last=False)


remembered = Remembered()


class ProgramSignIn:
    """HTTP Basic and tokens for programs, on their own paths only. They open no session."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        header = request.headers.get("Authorization", "")
        if header and on_program_path(request):
            try:
                refusal = self.sign_in(request, header)
            except (InterfaceError, OperationalError) as error:
                return answer(request, translated(error))
            if refusal is not None:
                return refusal
        return self.get_response(request)

    def sign_in(self, request, header: str):
        """Set `request.user`, or return the answer that says why not."""
        scheme, _space, rest = header.partition(" ")
        if scheme.lower() not in {"basic", "bearer"}:
            return problem(request, 401, _("Only Basic and Bearer are understood in the Authorization header."))
        if not is_private(request):
            return problem(
                request, 403, _("A password may only be sent over HTTPS, or on the loopback of the server itself.")
            )
        if scheme.lower() == "bearer":
            return self.by_token(request, rest.strip())
        try:
            text = base64.b64decode(rest.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return problem(request, 401, _("The Authorization header cannot be read."))
        name, colon, password = text.partition(":")
        if not colon:
            return problem(request, 401, _("The Authorization header cannot be read."))
        try:
            user = verified(request, unicodedata.normalize("NFKC", name), password)
        except TooManyFailures:
            return too_many(request)
        if user is None:
            return problem(request, 401, _("Name or password is wrong."))
        if factor_of(user) is not None or is_demanded(user):
            return problem(
                request,
                401,
                _("This account has a second factor: a password alone opens nothing."),
                code="token",
                hint=_("Make a token under “Account”, and send it as “Authorization: Bearer …”."),
            )
        request.user = user
        return None

    def by_token(self, request, text: str):
        """The same for a token, which is as good as its person for what it allows."""
        names, addresses = digest("token", text[:100]), digest("address", address_of(request))
        if blocked(names, addresses):
            return too_many(request)
        token = holder(text)
        if token is None:
            SignInFailure.objects.create(name_digest=names, address_digest=addresses)
            return problem(
                request,
                401,
                _("The token is unknown, expired or revoked."),
                code="token",
                hint=_("Make a new one under “Account”."),
            )
        if token.allows == token.Allows.READ and request.method not in READING:
            return problem(
                request,
                403,
                _("This token is for reading alone."),
                code="token",
                hint=_("Make one for reading and writing under “Account”."),
            )
        request.user, request.token = token.user, token
        return None


def too_many(request):
    """The answer to whoever has failed too often."""
    response = problem(request, 429, " ".join(TooManyFailures().messages))
    response["Retry-After"] = str(int(WINDOW.total_seconds()))
    return response


def verified(request, name: str, password: str):
    """The active user with this name and password, or None. Raises TooManyFailures."""
    if "\0" in name:
        return None
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    key = remembered.key(user, password) if user else b""
    if user and remembered.knows(key):
        # Guesses that hit a remembered password are throttled like any other guess.
        if blocked(digest("name", name), digest("address", address_of(request))):
            raise TooManyFailures
        return user
    # Of many requests that come at once with one password, one is checked and the others wait for its answer.
    with remembered.turn(key):
        if user and remembered.knows(key):
            return user
        found = authenticate(request, username=name, password=password)
        if found is not None:
            remembered.add(remembered.key(found, password))
            note_today("program", found)
    return found
