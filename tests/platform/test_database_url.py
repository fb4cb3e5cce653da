"""The database is named by one libpq URL, or by what script/setup wrote."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from geoinv import database
from units.errors import NoDatabase


def test_the_engine_is_postgis_and_the_folder_of_the_socket_is_decoded(tmp_path):
    url = "postgresql://geoinv_app@/geoinv?host=%2Frun%2Fgeoinv-1"
    entry = database.settings({"DATABASE_URL": url}, tmp_path)
    assert entry["ENGINE"] == "django.contrib.gis.db.backends.postgis"
    assert (entry["NAME"], entry["USER"], entry["HOST"]) == ("geoinv", "geoinv_app", "/run/geoinv-1")
    assert entry["OPTIONS"] == {}
    assert conninfo_to_dict(url)["host"] == entry["HOST"]  # libpq reads it alike


def test_whatever_else_the_url_says_is_handed_to_libpq(tmp_path):
    url = "postgresql://me:p%40ss@db.example:6432/land?sslmode=require&application_name=geoinv"
    entry = database.settings({"DATABASE_URL": url}, tmp_path)
    assert (entry["PASSWORD"], entry["HOST"], entry["PORT"]) == ("p@ss", "db.example", "6432")
    assert entry["OPTIONS"] == {"sslmode": "require", "application_name": "geoinv"}


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgis://me@/land", "postgresql://"),
        ("postgresql://me@/land?host=/a folder", "%20"),
        ("mysql://me@/land", "postgresql://"),
        ("postgresql://me@host", "no database"),
        ("postgresql://me@/land?colour=red", "colour"),
    ],
)
def test_a_url_that_libpq_would_not_read_is_refused_with_advice(tmp_path, url, advice):
    with pytest.raises(ImproperlyConfigured, match=advice):
        database.settings({"DATABASE_URL": url}, tmp_path)


def test_a_password_never_stands_in_the_complaint(tmp_path):
    with pytest.raises(ImproperlyConfigured) as refused:
        database.settings({"DATABASE_URL": "mysql://me:hunter2@host/land"}, tmp_path)
    assert "hunter2" not in str(refused.value)


@pytest.fixture
def written(tmp_path):
    """A `.local` as script/setup leaves it."""
    (tmp_path / "env").write_text(
        "# a comment\n"
        "export DATABASE_URL='postgresql://geoinv_app@/geoinv?host=%2Frun%2Fx'\n"
        "export GEOINV_OWNER_DATABASE_URL='postgresql://geoinv_owner@/geoinv?host=%2Frun%2Fx'\n"
        "export GEOINV_SECRET_KEY='written'\n"
        "export GEOINV_DEBUG=1\n",
        encoding="utf-8",
    )
    return tmp_path


def test_where_the_environment_is_silent_the_written_file_speaks(written):
    environ = {}
    database.read_env(environ, written)
    assert environ["DATABASE_URL"].startswith("postgresql://geoinv_app@")
    assert environ["GEOINV_OWNER_DATABASE_URL"].startswith("postgresql://geoinv_owner@")
    assert (environ["GEOINV_SECRET_KEY"], environ["GEOINV_DEBUG"]) == ("written", "1")


def test_a_database_of_ones_own_is_not_mixed_with_the_owner_of_the_private_one(written):
    environ = {"DATABASE_URL": "postgresql://me@/mine"}
    database.read_env(environ, written)
    assert environ["DATABASE_URL"] == "postgresql://me@/mine"
    assert "GEOINV_OWNER_DATABASE_URL" not in environ


def test_a_secret_key_of_ones_own_never_gets_debug_mode_from_the_file(written):
    environ = {"GEOINV_SECRET_KEY": "mine"}
    database.read_env(environ, written)
    assert environ["GEOINV_SECRET_KEY"] == "mine"
    assert "GEOINV_DEBUG" not in environ


def test_debug_that_was_switched_off_stays_off(written):
    environ = {"GEOINV_DEBUG": ""}
    database.read_env(environ, written)
    assert environ["GEOINV_DEBUG"] == ""


def test_without_a_database_the_advice_is_to_run_setup(tmp_path):
    with pytest.raises(NoDatabase, match="script/setup"):
        database.named({}, tmp_path)
