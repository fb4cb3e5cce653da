"""Every address of the site, and which room answers it."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from geoinv.health import healthz

urlpatterns = [
    path("", include("units.urls")),
    path("ogc", include("units.ogc.urls")),
    path("api", include("units.api.urls")),
    path("tiles/", include("tiles.urls")),
    path("import/", include("importers.urls")),
    path("accounts/login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
]

handler400 = "geoinv.errors.bad_request"
handler403 = "geoinv.errors.forbidden"
handler404 = "geoinv.errors.not_found"
handler500 = "geoinv.errors.broken"
