"""The description of the API (OpenAPI), the page that shows it, and where everything begins."""

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from units.api.answering import Face, known

ROOT = "/v1"
# A status that every operation may answer with; a test holds the description to what really comes.
ERRORS = {
    "400": "The request cannot be understood: an unknown parameter or member, a wrong value.",
    "401": "Sign in first.",
    "403": "The caller's role may not do this.",
    "404": "No such thing, or none that the caller may see.",
    "409": "A rule of the house stands against it; `error` names which.",
    "412": "It has changed since it was read (If-Match).",
    "422": "What was sent may not be stored as it is; `problems` says why.",
    "503": "The database does not answer, or another run holds the lock.",
}
WRITES = ("post", "put", "patch", "delete")


class RootShape(serializers.Serializer):
    title = serializers.CharField()
    links = serializers.DictField(child=serializers.URLField())


class Root(Face):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="root", summary="Where everything begins", responses=RootShape)
    def get(self, request):
        known(request)
        names = (
            "measures",
            "facts",
            "criteria",
            "runs",
            "whatif",
            "workflow",
            "determinations",
            "campaigns",
            "forms",
            "statistics",
        )
        links = {name: request.build_absolute_uri(f"{reverse('api')}{name}") for name in names}
        links |= {
            "docs": request.build_absolute_uri(reverse("api-docs")),
            "schema": request.build_absolute_uri(reverse("api-schema")),
            "ogc": request.build_absolute_uri(reverse("ogc")),
        }
        return Response({"title": _("Inventory of low-efficiency land"), "links": links})


class Schema(SpectacularJSONAPIView):
    """The description itself; the program is public, so everybody may read it."""

    permission_classes = (AllowAny,)
    authentication_classes = ()


@require_safe
@ensure_csrf_cookie
@cache_control(private=True, no_cache=True)
def docs(request):
    """The description as a page, by the vendored Swagger UI: nothing of it comes from another host."""
    return render(request, "api/docs.html")


def with_errors(result, generator, request, public):
    """Add to each operation the answers that any of them may give; drf-spectacular calls it at the end."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = {
        "type": "object",
        "description": "RFC 9457, with the names that the commands use besides.",
        "required": ["error", "message", "status", "title"],
        "properties": {
            "error": {"type": "string", "description": "A stable name of what is wrong."},
            "message": {"type": "string"},
            "hint": {"type": "string", "description": "What to do."},
            "status": {"type": "integer"},
            "title": {"type": "string"},
            "theirs": {"type": "object", "description": "How it stands now (412, 409 stale)."},
            "problems": {"type": "array", "items": {"type": "object"}},
        },
    }
    answer = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status, description in ERRORS.items():
                if status in ("409", "412", "422") and method not in WRITES:
                    continue
                operation["responses"].setdefault(status, {"description": description, "content": answer})
    return result
