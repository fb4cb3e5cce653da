"""Say which database this process works on, and see that the private one runs."""

import shlex
from collections.abc import MutableMapping
from pathlib import Path

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from geoinv import cluster
from units.errors import NoDatabase

ENGINE = "django.contrib.gis.db.backends.postgis"
NO_SETUP = "这里还没有数据库，请先运行 script/setup。 No database here yet: run script/setup first."
CONNECTION_SECONDS = 60  # how long a thread of the site keeps its connection
DJANGO_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def read_env(environ: MutableMapping[str, str], local_dir: Path) -> None:
    """Fill what the environment does not say from `.local/env`, which script/setup writes.

    Debug mode goes with the key: whoever sets a key of their own does not get debug from the file.
    """
    try:
        lines = (local_dir / "env").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, PermissionError):
        return
    written = dict(
        word.partition("=")[::2]
        for line in lines
        for word in shlex.split(line, comments=True)[1:2]  # export NAME='value'
    )
    if environ.get("GEOINV_SECRET_KEY"):
        written.pop("GEOINV_DEBUG", None)
    if environ.get("DATABASE_URL"):
        written.pop("GEOINV_OWNER_DATABASE_URL", None)  # it would be the owner of another database
    for name, value in written.items():
        if not environ.get(name) and not (name == "GEOINV_DEBUG" and name in environ):
            environ[name] = value


def settings(environ: MutableMapping[str, str], local_dir: Path) -> dict:
    """The entry for Django's DATABASES; nothing is connected to, nothing started.

    Where there is no database yet the entry leads nowhere, so that `--help` and the like still work.
    """
    url = environ.get("DATABASE_URL", "")
    if not url:
        return {"ENGINE": ENGINE, "NAME": cluster.DATABASE, "HOST": str(local_dir / "no-database")}
    words = parsed(url)
    entry = {
        "ENGINE": ENGINE,
        "CONN_MAX_AGE": CONNECTION_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {name: value for name, value in words.items() if name not in DJANGO_NAMES},
    }
    entry |= {DJANGO_NAMES[name]: str(value) for name, value in words.items() if name in DJANGO_NAMES}
    return entry


def parsed(url: str) -> dict:
    """The words of a libpq URL; raises ImproperlyConfigured with what to write instead."""
    if url.startswith(("postgis://", "postgis+")):
        raise ImproperlyConfigured(
            "DATABASE_URL is a libpq URL, read alike by psql and geoinv: write postgresql:// instead of postgis://. "
            "The engine is PostGIS in any case."
        )
    if not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(
            f"DATABASE_URL should look like postgresql://user@host/name, not {url.partition(':')[0][:20]}:…"
        )
    if any(letter.isspace() for letter in url):
        raise ImproperlyConfigured("DATABASE_URL holds a space; write it as %20.")
    try:
        words = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {str(error).strip()}") from error
    if not words.get("dbname"):
        raise ImproperlyConfigured("DATABASE_URL names no database: postgresql://user@host/NAME.")
    return words


def named(environ: MutableMapping[str, str], local_dir: Path) -> str:
    """The URL of the database, from the environment or else `.local/env`. Raises NoDatabase before any set-up."""
    read_env(environ, local_dir)
    url = environ.get("DATABASE_URL", "")
    if not url:
        raise NoDatabase(NO_SETUP)
    return url


def ready(environ: MutableMapping[str, str], local_dir: Path) -> None:
    """Start the private cluster if the database lies in it and it has stopped. Raises NoDatabase."""
    url = named(environ, local_dir)
    private = cluster.known(local_dir)
    if private and parsed(url).get("host") == private.socket:
        cluster.start(local_dir, private)


def unreachable(error: Exception) -> NoDatabase:
    """What a failed connection means, said by what to do about it."""
    return NoDatabase(
        _("The database does not answer: %(reason)s") % {"reason": str(error).strip().splitlines()[0]},
        _("Run script/setup, or look at DATABASE_URL."),
    )
