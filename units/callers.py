"""Who sends a request, with which grants, and what the data's revisions are: one question of the database."""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from units.rights import Grant, grants_of

CALLER = (Path(__file__).parent / "sql" / "caller.sql").read_text(encoding="utf-8")
DATABASE_SESSIONS = "django.contrib.sessions.backends.db"
SESSION_KEY = re.compile(r"[a-z0-9]{8,40}")
REMEMBERED = 2_000  # sessions, some hundred bytes each


class Sessions:
    """Sessions that were found good, as their row and the password of their user were then.

    Nobody is let in by this alone: the row, the user, the password's hash and the grants are asked each time. What is
    saved is asking them one after the other, for whose they are stands inside the session.
    """

    def __init__(self, size: int):
        self.size = size
        self.found: OrderedDict[str, tuple[str, int, str]] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: str) -> tuple[str, int, str] | None:
        return self.found.get(key)

    def keep(self, key: str, data: str, user: int, password: str):
        with self.lock:
            self.found[key] = (data, user, password)
            self.found.move_to_end(key)
            while len(self.found) > self.size:
                self.found.popitem(last=False)


sessions = Sessions(REMEMBERED)


def caller(request, names: Iterable[str]) -> tuple[tuple[Grant, ...], tuple[tuple[str, int], ...]]:
    """The grants of whoever sends the request, and the revisions of the tables of these names, both as of now.

    The grants are those of `grants_of(request.user)`, always. Of a session that was seen before they come with the
    revisions in one round trip, not in four.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    usual = settings.SESSION_ENGINE == DATABASE_SESSIONS and "Authorization" not in request.headers
    if not usual or not SESSION_KEY.fullmatch(key):
        key = ""
    known = sessions.get(key) if key else None
    data, password, grants, revisions = _asked(key, known and known[1], names)
    if known and (data, password) == (known[0], known[2]):
        return tuple(Grant(*row) for row in grants), revisions
    if usual and data is None:  # no session, or none that is still open
        return (), revisions
    user = request.user
    if data is not None and user.is_authenticated and user.is_active:
        sessions.keep(key, data, user.pk, user.password)
    return grants_of(user), revisions


def _asked(session: str, user: int | None, names: Iterable[str]):
    params = {"session": session, "user": user, "names": list(names), "now": timezone.now()}
    if connection.connection is None or connection.in_atomic_block:
        return _row(params)
    connection.health_check_done = True  # this question is one: a connection that was lost is opened again
    try:
        return _row(params)
    except (OperationalError, InterfaceError):
        if connection.is_usable():
            raise
        connection.close()
        return _row(params)


def _row(params: dict):
    with connection.cursor() as cursor:
        cursor.execute(CALLER, params)
        data, password, grants, revisions = cursor.fetchone()
    return data, password, grants or [], tuple((name, number) for name, number in revisions or [])
