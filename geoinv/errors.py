"""Answer every error with its HTTP status: problem+json for programs, a page for people."""

import ipaddress
import json
import logging
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from geoinv.database import unreachable
from units.errors import (
    Busy,
    GeoinvError,
    InputUnreadable,
    NoDatabase,
    NotAllowed,
    NotFound,
    Outdated,
    Refused,
    Stale,
    Unfit,
    UsageError,
)

# An error takes the status of its nearest class in this table.
STATUS: dict[type[GeoinvError], int] = {
    NotAllowed: 403,  # 401 with a challenge for a program that has not signed in
    NotFound: 404,
    UsageError: 400,
    Refused: 409,
    Outdated: 412,
    Unfit: 422,
    InputUnreadable: 422,
    Busy: 503,
    NoDatabase: 503,
    GeoinvError: 500,
}
RETRY_SECONDS = 30  # what a caller is told to wait when the house is busy
PROBLEM_TYPE = "application/problem+json"
PROGRAM_PATHS = ("/ogc", "/api", "/tiles")
API_PATH = "/api/v1"
NO_NUL = "NUL (0x00)"  # the words of psycopg and PostgreSQL for a character that no text there can hold
CODES = {400: "usage", 401: "sign-in", 403: "not-allowed", 404: "not-found", 405: "method", 429: "too-many"}
LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")

log = logging.getLogger(__name__)


def on_program_path(request: HttpRequest) -> bool:
    """Whether the address belongs to a face that programs use."""
    return any(request.path == path or request.path.startswith(path + "/") for path in PROGRAM_PATHS)


def on_api(request: HttpRequest) -> bool:
    """Whether the address is one of the API's, which answers in JSON alone."""
    return request.path.startswith(API_PATH)


def wants_page(request: HttpRequest) -> bool:
    """Whether a person's browser asks, who is best served with a page."""
    if on_api(request):
        return False
    if "f" in request.GET and on_program_path(request):
        return request.GET["f"] == "html"
    if request.content_type == "application/json":
        return False  # what a script sends it reads the answer of
    accepted = request.get_preferred_type(["application/json", "text/html"])
    if on_program_path(request):
        return accepted == "text/html" and request.headers.get("Accept", "*/*") != "*/*"
    return accepted == "text/html" or "*/*" in request.headers.get("Accept", "*/*")


def is_private(request: HttpRequest) -> bool:
    """Whether a password may travel on this connection: over HTTPS, or on this machine's loopback.

    Behind a proxy every caller seems to come from the loopback, so what a proxy has touched does not count.
    """
    if request.is_secure():
        return True
    try:
        loopback = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    host = request.get_host()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return loopback and name in LOOPBACK_NAMES and not any(header in request.headers for header in FORWARDED)


def status_of(error: GeoinvError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(request: HttpRequest, status: int, detail="", *, code: str = "", hint="", **more) -> HttpResponse:
    """An RFC 9457 answer. `about:blank` says that the title is that of the status; `code` tells cases apart."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code or CODES.get(status, "error"),
        "detail": str(detail),
        "instance": request.get_full_path(),
    }
    if hint:
        body["hint"] = str(hint)
    if on_api(request):  # by the names that the commands use, too
        body |= {"error": body["code"], "message": body["detail"]}
    body |= more
    text = json.dumps(body, ensure_ascii=False, default=str)
    response = HttpResponse(text, status=status, content_type=PROBLEM_TYPE)
    response["Cache-Control"] = "no-store"
    if status == 503:
        response["Retry-After"] = str(RETRY_SECONDS)
    if status == 401:
        # A browser would answer a Basic challenge with a window of its own, over a page that has a sign-in already.
        basic = on_program_path(request) and "Sec-Fetch-Mode" not in request.headers
        response["WWW-Authenticate"] = 'Basic realm="geoinv", charset="UTF-8"' if basic else 'Session realm="geoinv"'
    return response


def page(request: HttpRequest, status: int, message, hint="") -> HttpResponse:
    """An error told to a person. When even the page cannot be made, three plain lines are."""
    context = {"status": status, "title": HTTPStatus(status).phrase, "message": message, "hint": hint}
    try:
        text = render_to_string("error.html", context, request)
    except (TemplateDoesNotExist, OperationalError, InterfaceError):
        text = format_html(
            '<!doctype html><html lang="{}"><meta charset="utf-8"><title>{}</title><h1>{}</h1><p>{}</p></html>',
            getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE),
            status,
            message,
            hint,
        )
    response = HttpResponse(text, status=status)
    response["Cache-Control"] = "no-store"
    if status == 503:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def answer(request: HttpRequest, error: GeoinvError) -> HttpResponse:
    """The response that tells `error` in the caller's form."""
    status = status_of(error)
    if isinstance(error, Stale) and "If-Match" in request.headers:
        status = STATUS[Outdated]  # he made the version a condition of his request
    anonymous = status == 403 and not _signed_in(request)
    if wants_page(request):
        if anonymous and request.method in {"GET", "HEAD"}:
            return redirect_to_login(request.get_full_path())
        return page(request, status, error.message, error.hint)
    if anonymous:
        return problem(request, 401, error.message, code=error.code, hint=error.hint or _("Sign in first."))
    more = {name: error.details[name] for name in error.told if name in error.details}
    return problem(request, status, error.message, code=error.code, hint=error.hint, **more)


class ErrorsToStatus:
    """Turn what views raise, and what Django answers for programs in HTML, into the house's answers."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 405 and not on_program_path(request) and wants_page(request):
            told = page(request, 405, SENTENCES[405])
            told["Allow"] = response["Allow"]
            return told
        if response.status_code < 400 or not on_program_path(request):
            return response
        if response.get("Content-Type", "").startswith(PROBLEM_TYPE) or wants_page(request):
            return response
        told = problem(request, response.status_code, SENTENCES.get(response.status_code, ""))
        for name in ("Allow", "Retry-After", "Vary"):
            if name in response:
                told[name] = response[name]
        told.cookies = response.cookies
        return told

    def process_exception(self, request, exception):
        error = translated(exception)
        if error is None:
            return None
        if isinstance(exception, InterfaceError | OperationalError):
            log.error("The database failed on %s: %s", request.path, exception)
        return answer(request, error)


def translated(exception: Exception) -> GeoinvError | None:
    """The house's error for one of Django's; None for what nobody foresaw."""
    match exception:
        case GeoinvError():
            return exception
        case Http404():
            return NotFound(SENTENCES[404])
        case PermissionDenied():
            return NotAllowed(SENTENCES[403])
        case BadRequest() | RequestDataTooBig() | SuspiciousOperation():
            return UsageError(SENTENCES[400])
        case InterfaceError() | OperationalError():
            return unreachable(exception)
        case ValueError() | DataError() if NO_NUL in str(exception):  # of what was asked: no text of ours holds one
            return UsageError(SENTENCES[400])
    return None


def bad_request(request, exception=None):
    """Django's handler400."""
    return answer(request, UsageError(SENTENCES[400]))


def forbidden(request, exception=None):
    """Django's handler403."""
    return answer(request, NotAllowed(SENTENCES[403]))


def csrf_failed(request, reason=""):
    """Django's CSRF_FAILURE_VIEW: mostly a page left open past a sign-in or sign-out, so it says what to do."""
    message, hint = _("This page has expired. Load it again."), _("Go back, load the page again and repeat the step.")
    if wants_page(request):
        return page(request, 403, message, hint)
    return problem(request, 403, message, code="csrf", hint=hint)


def not_found(request, exception=None):
    """Django's handler404, for addresses that lead to no view."""
    return answer(request, NotFound(SENTENCES[404]))


def broken(request):
    """Django's handler500: nothing of the fault is shown, it is in the log."""
    if wants_page(request):
        return page(request, 500, SENTENCES[500])
    return problem(request, 500, SENTENCES[500])


def _signed_in(request) -> bool:
    try:
        return bool(getattr(request, "user", None) and request.user.is_authenticated)
    except (InterfaceError, OperationalError):
        return False


SENTENCES = {
    400: _("The request cannot be understood."),
    401: _("Sign in first."),
    403: _("You may not do or see this."),
    404: _("There is nothing at this address."),
    405: _("This address does not take this method."),
    429: _("Too many attempts. Wait a while."),
    500: _("Something broke here. It is in the log."),
    503: _("The database does not answer. Try again soon."),
}
