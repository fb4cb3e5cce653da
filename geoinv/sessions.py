"""End a session that nobody uses, and every one after some hours; say in the page how long it still stands."""

import time

from django.conf import settings

SINCE, SEEN = "since", "seen"  # when the person signed in, and when the session was last renewed
RENEWED_AFTER = 32  # parts of the idle time: a quarter of an hour of eight hours, so that not every page writes


def begin(session) -> None:
    """A session of somebody who has just signed in."""
    now = int(time.time())
    session[SINCE] = session[SEEN] = now
    session.set_expiry(min(settings.SESSION_COOKIE_AGE, settings.SESSION_LONGEST_AGE))


def left(session) -> int | None:
    """Seconds until it ends; None for a session that was not begun by a sign-in here."""
    if SINCE not in session:
        return None
    ends = min(session[SEEN] + settings.SESSION_COOKIE_AGE, session[SINCE] + settings.SESSION_LONGEST_AGE)
    return max(0, ends - int(time.time()))


def can_be_renewed(session) -> bool:
    """Whether going on would lengthen it: not near the end of the longest time."""
    return SINCE in session and session[SINCE] + settings.SESSION_LONGEST_AGE - int(time.time()) > left(session)


def renew(session) -> None:
    """The idle time begins anew; the longest time goes on."""
    now = int(time.time())
    over = session[SINCE] + settings.SESSION_LONGEST_AGE - now
    if over > 0:
        session[SEEN] = now
        session.set_expiry(min(settings.SESSION_COOKIE_AGE, over))


def told(request) -> dict:
    """Context processor: how long the session of the page still stands, where a script has to warn of its end."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not hasattr(request, "session"):
        return {}  # an error before the session was read has a page, too
    return {"session_left": left(request.session)}


class Renewing:
    """Whoever opens a page uses his session. What scripts ask by themselves, every half minute, is no use of it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        session = request.session
        if session.accessed and not session.is_empty() and "text/html" in request.headers.get("Accept", ""):
            seen = session.get(SEEN)
            if seen is not None and time.time() - seen > settings.SESSION_COOKIE_AGE / RENEWED_AFTER:
                renew(session)
        # Whatever else is written into it must not move its end: Django counts the expiry from each writing anew.
        if session.modified and SINCE in session:
            session.set_expiry(max(1, left(session)))
        return response
