"""Every error of the house has one status, and is told as a problem to programs and as a page to people."""

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpResponse, HttpResponseNotFound
from django.test import Client, RequestFactory, override_settings

from geoinv.errors import ErrorsToStatus, bad_request, broken, forbidden, not_found, status_of
from units import errors
from units.errors import GeoinvError

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class SignedIn(AnonymousUser):
    is_authenticated = True

    def grants(self):
        return ()


def told(error: Exception, path="/ogc/collections", accept="application/json", user=None, **headers):
    request = RequestFactory().get(path, headers={"Accept": accept, **headers})
    request.user = user or SignedIn()
    request.LANGUAGE_CODE = "en"
    return ErrorsToStatus(lambda request: HttpResponse()).process_exception(request, error)


def made(kind: type[GeoinvError]) -> GeoinvError:
    return kind("x", ["a"], "layer") if issubclass(kind, errors.UnknownName) else kind("What is wrong.", "What to do.")


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GeoinvError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_of_the_house_has_a_status(kind):
    response = told(made(kind))
    assert 400 <= response.status_code < 600
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert {"type", "title", "status", "code", "detail", "instance"} <= set(problem)
    assert problem["status"] == response.status_code
    assert problem["code"] == kind.code
    assert problem["instance"] == "/ogc/collections"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.NotAllowed, 403),
        (errors.NotFound, 404),
        (errors.UnknownName, 400),
        (errors.UsageError, 400),
        (errors.CriteriaError, 400),
        (errors.Refused, 409),
        (errors.InputUnreadable, 422),
        (errors.Busy, 503),
        (errors.NoDatabase, 503),
    ],
)
def test_each_error_takes_its_own_status(kind, status):
    assert status_of(made(kind)) == status


@pytest.mark.parametrize(
    ("error", "status"),
    [(Http404(), 404), (PermissionDenied(), 403), (SuspiciousOperation(), 400), (OperationalError("gone"), 503)],
)
def test_djangos_own_errors_are_told_in_the_same_form(error, status):
    response = told(error)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


def test_an_error_nobody_foresaw_is_left_to_the_log():
    assert told(ZeroDivisionError()) is None


def test_who_is_told_to_wait_is_told_how_long():
    assert int(told(made(errors.Busy))["Retry-After"]) > 0
    assert int(told(made(errors.Busy), "/", BROWSER)["Retry-After"]) > 0


def test_nobody_signed_in_is_asked_to_and_a_browser_gets_no_window_of_its_own():
    program = told(made(errors.NotAllowed), user=AnonymousUser())
    assert (program.status_code, program["WWW-Authenticate"][:5]) == (401, "Basic")
    script = told(made(errors.NotAllowed), user=AnonymousUser(), **{"Sec-Fetch-Mode": "cors"})
    assert script.status_code == 401
    assert not script["WWW-Authenticate"].startswith("Basic")
    person = told(made(errors.NotAllowed), "/parcels/1/?x=1", BROWSER, AnonymousUser())
    assert (person.status_code, person["Location"]) == (302, "/accounts/login/?next=/parcels/1/%3Fx%3D1")


@pytest.mark.parametrize("path", ["/", "/parcels/1/", "/ogc/collections", "/ogc?f=html"])
def test_a_person_gets_a_page_with_the_sentence(path):
    response = told(made(errors.Refused), path, BROWSER)
    assert (response.status_code, response["Content-Type"]) == (409, "text/html; charset=utf-8")
    assert "What is wrong." in response.content.decode()
    assert "What to do." in response.content.decode()


@override_settings(TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": []}])
def test_the_page_is_told_without_its_template_too_and_what_it_says_is_escaped():
    response = told(errors.Refused("<script>"), "/", BROWSER)
    assert response.status_code == 409
    assert "<script>" not in response.content.decode()


class Unreachable:
    @property
    def is_authenticated(self):
        raise OperationalError("the server closed the connection")


def test_a_page_that_needs_the_database_to_say_that_it_is_away_is_told_plainly():
    response = told(OperationalError("the server closed the connection"), "/", BROWSER, Unreachable())
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "<h1>" in response.content.decode()


@pytest.mark.parametrize("path", ["/tiles/x.json", "/api/v1/x", "/ogc/none"])
def test_what_django_answers_to_programs_in_html_is_a_problem_instead(path):
    request = RequestFactory().get(path, headers={"Accept": "*/*"})
    response = ErrorsToStatus(lambda request: HttpResponseNotFound("<h1>Not Found</h1>"))(request)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_answers_that_are_no_errors_or_no_programs_business_pass_untouched():
    for path, status in (("/ogc", 200), ("/ogcs", 404), ("/", 500)):
        answer = HttpResponse("as it is", status=status)
        assert ErrorsToStatus(lambda request, answer=answer: answer)(RequestFactory().get(path)) is answer


def test_the_handlers_of_the_site_answer_in_both_forms():
    for handler, status in ((bad_request, 400), (forbidden, 403), (not_found, 404)):
        for accept, kind in ((BROWSER, "text/html"), ("application/json", "application/problem+json")):
            request = RequestFactory().get("/nowhere", headers={"Accept": accept})
            request.user = SignedIn()
            response = handler(request, Exception())
            assert (response.status_code, response["Content-Type"].partition(";")[0]) == (status, kind)
    request = RequestFactory().get("/nowhere", headers={"Accept": "application/json"})
    assert broken(request).status_code == 500


def test_an_unknown_address_of_a_program_is_a_problem(client, db):
    response = client.get("/ogc/nowhere")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_a_form_of_an_expired_page_is_told_so(db):
    client = Client(enforce_csrf_checks=True)
    person = client.post("/accounts/login/", {"username": "x"}, headers={"Accept": BROWSER})
    assert person.status_code == 403
    assert "页面已过期，请重新载入" in person.content.decode()
    script = client.post("/accounts/login/", headers={"Accept": "application/json"})
    assert (script.status_code, script.json()["code"]) == (403, "csrf")


def test_an_address_asked_in_the_wrong_way_is_a_page_for_people(db, client):
    answer = client.get("/accounts/logout/", headers={"Accept": BROWSER})
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")
    assert "<h1>" in answer.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_who_would_write_to_the_features_is_told_the_methods(db, method):
    answer = getattr(Client(enforce_csrf_checks=True), method)("/ogc/collections/units/items")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer["Content-Type"] == "application/problem+json"
