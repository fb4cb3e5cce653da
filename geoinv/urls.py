"""Every address of the site, and which room answers it."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from geoinv import entrance
from geoinv.health import healthz
from importers.views.taken import taken
from units.views.account import account, password, second_factor, token_revoked, tokens
from units.views.audit import audit, audit_workbook, rights_table

urlpatterns = [
    path("", include("units.urls")),
    path("ogc", include("units.ogc.urls")),
    path("api", include("units.api.urls")),
    path("tiles/", include("tiles.urls")),
    path("import/", include("importers.urls")),
    path("map/taken.json", taken, name="map-taken"),
    path("accounts/login/", entrance.SignIn.as_view(), name="login"),
    path("accounts/login/code/", entrance.code, name="login-code"),
    path("accounts/login/second-factor/", entrance.enrol, name="login-second-factor"),
    path("accounts/logout/", entrance.SignOut.as_view(), name="logout"),
    path("accounts/", account, name="account"),
    path("accounts/password/", password, name="password"),
    path("accounts/second-factor/", second_factor, name="second-factor"),
    path("accounts/tokens/", tokens, name="tokens"),
    path("accounts/tokens/<int:number>/revoke/", token_revoked, name="token-revoke"),
    path("accounts/session.json", entrance.session, name="account-session"),
    path("audit/", audit, name="audit"),
    path("audit/list.xlsx", audit_workbook, name="audit-workbook"),
    path("audit/rights/", rights_table, name="rights-table"),
    path("accounts/language/", set_language, name="set_language"),
    path("admin/login/", entrance.desk),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
]

handler400 = "geoinv.errors.bad_request"
handler403 = "geoinv.errors.forbidden"
handler404 = "geoinv.errors.not_found"
handler500 = "geoinv.errors.broken"
