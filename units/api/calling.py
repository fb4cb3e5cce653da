"""Who calls the API and how errors leave it: what Django REST framework is told in the settings."""

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.response import Response

from units.errors import NotAllowed, NotFound, UsageError


class Caller(BaseAuthentication):
    """Whoever the site has found to be calling: by session, as a page does, or by Basic, as under /ogc.

    A session alone does not prove that its own page sent the request, so writing by it needs the CSRF token.
    """

    def authenticate(self, request):
        user = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        if not request.headers.get("Authorization"):  # an empty one proves nothing, and the session is taken
            try:
                SessionAuthentication().enforce_csrf(request)
            except exceptions.PermissionDenied as error:
                raise NotAllowed(
                    _("A session may write only with its CSRF token."),
                    _("Send the token of the cookie as X-CSRFToken, or sign in by Basic."),
                    code="csrf",
                ) from error
        return user, None

    def authenticate_header(self, request):
        return 'Basic realm="geoinv", charset="UTF-8"'


class CallerScheme(OpenApiAuthenticationExtension):
    """The same for the description of the API."""

    target_class = "units.api.calling.Caller"
    name = ["basicAuth", "sessionAuth"]

    def get_security_definition(self, auto_schema):
        return [
            {"type": "http", "scheme": "basic", "description": "Over HTTPS, or on the loopback of the server."},
            {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Writing needs X-CSRFToken too."},
        ]


class JsonAlone(BaseContentNegotiation):
    """JSON is what there is, whatever Accept asks for."""

    def select_parser(self, request, parsers):
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


def told(error: Exception, context: dict) -> Response | None:
    """DRF's EXCEPTION_HANDLER: its own exceptions become the house's, and the site answers all of them alike."""
    match error:
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            raise NotAllowed(_("Sign in first."), _("By Basic, or by the session of a page.")) from error
        case exceptions.PermissionDenied():
            raise NotAllowed(_("You may not do or see this.")) from error
        case exceptions.MethodNotAllowed():
            return Response(status=405)  # with DRF's Allow; the site puts it into words
        case exceptions.NotFound():
            raise NotFound(_("There is nothing at this address.")) from error
        case exceptions.APIException():
            raise UsageError(_("The request cannot be understood."), str(error.detail)) from error
    return None  # the house's own: the site knows them
