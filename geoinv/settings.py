"""Wire the parts together; every setting that a deployer may change comes from the environment."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from geoinv import database

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"
database.read_env(os.environ, LOCAL_DIR)

DEBUG = os.environ.get("GEOINV_DEBUG", "") == "1"
SECRET_KEY = os.environ.get("GEOINV_SECRET_KEY") or ("for development only, never in production" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "GEOINV_SECRET_KEY is not set. Set it to a long random text, or set GEOINV_DEBUG=1 on a machine of your own."
    )
ALLOWED_HOSTS = [name for name in os.environ.get("GEOINV_ALLOWED_HOSTS", "").split(",") if name] or [
    "127.0.0.1",
    "localhost",
    "[::1]",
]
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in ALLOWED_HOSTS if not name.startswith(("127.", "localhost", "["))]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.postgres",
    "leaflet",
    "rest_framework",
    "rest_framework_gis",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "units",
    "importers",
    "tiles",
    "geoinv",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "geoinv.headers.ContentSecurity",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "geoinv.language.ChosenLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "geoinv.signin.ProgramSignIn",
    "geoinv.sessions.Renewing",
    "geoinv.downloads.DownloadsKept",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "geoinv.errors.ErrorsToStatus",
]

ROOT_URLCONF = "geoinv.urls"
WSGI_APPLICATION = "geoinv.wsgi.application"
APPEND_SLASH = False  # QGIS builds OGC addresses without a trailing slash; a redirect would lose its headers

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "geoinv.sessions.told",
            ],
        },
    },
]

DATABASES = {"default": database.settings(os.environ, LOCAL_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "units.User"
AUTHENTICATION_BACKENDS = ["geoinv.signin.ThrottledBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "units.passwords.NotUsedOfLate"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "map"
LOGOUT_REDIRECT_URL = "map"
# Hours without use after which a session ends, and hours after which it ends however much it is used: whoever signs in
# in the morning signs in once a day (NIST SP 800-63B 4.2.3: at most twelve hours).
SESSION_COOKIE_AGE = int(float(os.environ.get("GEOINV_SESSION_HOURS", 8)) * 3600)
SESSION_LONGEST_AGE = max(SESSION_COOKIE_AGE, int(float(os.environ.get("GEOINV_SESSION_LONGEST_HOURS", 12)) * 3600))
# Whether those who approve (R5 to R8, and administrators) are let in with a second factor only.
REQUIRE_TOTP = os.environ.get("GEOINV_REQUIRE_TOTP", "") == "1"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("GEOINV_HTTPS", "") == "1"
CSRF_FAILURE_VIEW = "geoinv.errors.csrf_failed"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None
# Behind a proxy that writes X-Forwarded-For itself; else everybody would share the proxy's failed sign-ins.
TRUST_FORWARDED_FOR = os.environ.get("GEOINV_TRUST_FORWARDED_FOR", "") == "1"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a batch of 2,000 rows has code, version and comment of each
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = os.environ.get("GEOINV_LANGUAGE", "zh-hans")  # what commands speak, and pages before a choice
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "geoinv" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = LOCAL_DIR / "static"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Delivered files are kept here, content-addressed and read-only; papers and photos beside them.
DELIVERIES_DIR = Path(os.environ.get("GEOINV_DELIVERIES_DIR", LOCAL_DIR / "deliveries"))
MEDIA_ROOT = Path(os.environ.get("GEOINV_MEDIA_DIR", LOCAL_DIR / "media"))
# What was uploaded and is not yet decided upon, a private folder each; and how many bytes may be uploaded at once.
INTAKES_DIR = Path(os.environ.get("GEOINV_INTAKES_DIR", LOCAL_DIR / "intakes"))
UPLOAD_MAX = int(os.environ.get("GEOINV_UPLOAD_MAX", 4 * 1024**3))
# Where local (city) reference systems lie as files; they are secret, so it is no folder of the repository.
CRS_DIR = Path(os.environ["GEOINV_CRS_DIR"]) if os.environ.get("GEOINV_CRS_DIR") else None
# What each night leaves: one folder a run.
RUNS_DIR = Path(os.environ.get("GEOINV_RUNS_DIR", LOCAL_DIR / "runs"))
# The criteria that the night flags by: a set's name for all districts, or 120104=nankai-2024,320106=nanjing-2019.
NIGHTLY_CRITERIA = os.environ.get("GEOINV_CRITERIA", "")

LEAFLET_CONFIG = {"TILES": [], "ATTRIBUTION_PREFIX": "", "SCALE": "metric", "MINIMAP": False, "RESET_VIEW": False}
TIANDITU_KEY = os.environ.get("GEOINV_TIANDITU_KEY", "")
MAP_APPROVAL = os.environ.get("GEOINV_MAP_APPROVAL", "")  # 审图号, printed on maps where the deployer has one

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["units.api.calling.Caller"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "units.api.calling.JsonAlone",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "units.api.calling.told",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "geoinv",
    "DESCRIPTION": "The inventory of low-efficiency land: records and their states, survey forms, criteria, what-if. "
    "Geometry is served under /ogc.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "StateEnum": "units.workflow.STATES",
        "ResultEnum": "units.workflow.RESULTS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "units.api.describing.with_errors",
    ],
}

PROCRASTINATE_IMPORT_PATHS = ["importers.jobs"]
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""

PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")  # who only reads is not looked up for the history
PGHISTORY_APPEND_ONLY = False  # the app role holds no UPDATE or DELETE on history; triggers would only repeat that
SILENCED_SYSTEM_CHECKS = [
    "gis.W001",  # GDAL before 3.9 may follow a hostile CRS text: none is handed to GeoDjango, files are read by pyogrio
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
