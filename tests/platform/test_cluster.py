"""The private cluster is made in any folder, heals, restarts and keeps its roles apart."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from geoinv import cluster, making
from units.errors import NoDatabase

ROOT = Path(__file__).resolve().parents[2]
LONG_NAME = "天津市南开区低效用地再开发 调查成果/第三轮 (final 'v2')/一个很长的路径一个很长的路径"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the code in a folder whose path holds spaces, quotes and Chinese and is over 120 bytes long."""
    folder = tmp_path_factory.mktemp("clone") / LONG_NAME
    folder.mkdir(parents=True)
    assert len(os.fsencode(folder)) > 120
    for name in ("geoinv", "units", "importers", "tiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    shutil.copy(ROOT / "manage.py", folder)
    (folder / ".local").mkdir()
    return folder


@pytest.fixture(scope="module")
def private(checkout):
    """A cluster of that folder's own, removed afterwards."""
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        pytest.skip("no PostgreSQL server is installed: this machine uses a DATABASE_URL of its own")
    made = making.make(checkout, checkout / ".local")
    yield made
    cluster.stop(made)
    shutil.rmtree(Path(made.data).parent)
    shutil.rmtree(made.socket)


def as_role(private, role, database="geoinv"):
    return psycopg.connect(private.url(role, database), autocommit=True)


def manage(checkout, *arguments, **environ):
    """Run manage.py there, with nothing of this run's environment that names a database."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GEOINV_", "DATABASE_URL", "DJANGO_", "PG"))
    }
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=checkout, env=kept | environ, capture_output=True, text=True
    )


def test_the_socket_is_short_and_in_a_folder_of_its_own_and_tcp_is_off(private):
    assert len(f"{private.socket}/.s.PGSQL.5432".encode()) <= 107
    assert Path(private.socket).stat().st_mode & 0o777 == 0o700
    with as_role(private, cluster.APP) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_the_server_never_runs_as_root(private):
    process = int(Path(private.data, "postmaster.pid").read_text().split()[0])
    assert Path(f"/proc/{process}").stat().st_uid != 0


def test_the_owner_makes_databases_and_is_no_superuser_and_the_app_may_neither(private):
    with as_role(private, cluster.APP) as connection:
        roles = {
            name: rights
            for name, *rights in connection.execute(
                "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles"
                " WHERE rolname IN ('geoinv_owner', 'geoinv_app')"
            )
        }
        owned = connection.execute(
            "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'geoinv_app'"
        ).fetchone()
    assert roles == {"geoinv_owner": [False, True, False, False], "geoinv_app": [False, False, False, False]}
    assert owned == (0,)


def test_what_the_owner_makes_the_app_may_read_and_write_but_not_truncate(private):
    with as_role(private, cluster.OWNER) as owner:
        owner.execute("CREATE TABLE trial (id bigint GENERATED ALWAYS AS IDENTITY, at geometry(Point, 4490))")
    try:
        with as_role(private, cluster.APP) as app:
            app.execute("INSERT INTO trial (at) VALUES (ST_SetSRID(ST_MakePoint(117.1, 39.1), 4490))")
            app.execute("UPDATE trial SET at = NULL")
            assert app.execute("DELETE FROM trial").rowcount == 1
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("TRUNCATE trial")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("CREATE TABLE mine (id int)")
    finally:
        with as_role(private, cluster.OWNER) as owner:
            owner.execute("DROP TABLE trial")


def test_the_owner_copies_the_template_and_the_copy_has_postgis_and_the_grants(private):
    assert making.make_database(private.url(cluster.OWNER, "postgres"), "trial_copy")
    assert not making.make_database(private.url(cluster.OWNER, "postgres"), "trial_copy")
    try:
        with as_role(private, cluster.APP, "trial_copy") as connection:
            extensions = connection.execute("SELECT extname FROM pg_extension ORDER BY 1").fetchall()
            grants = connection.execute("SELECT count(*) FROM pg_default_acl").fetchone()
        assert {("postgis",), ("btree_gist",)} <= set(extensions)
        assert grants == (2,)
    finally:
        with as_role(private, cluster.OWNER, "postgres") as owner:
            owner.execute("DROP DATABASE trial_copy")


def test_making_it_again_changes_nothing_and_keeps_the_secret_key(private, checkout):
    before = (checkout / ".local/env").read_text()
    assert (checkout / ".local/env").stat().st_mode & 0o777 == 0o600
    assert making.make(checkout, checkout / ".local") == private
    assert (checkout / ".local/env").read_text() == before


def test_a_template_that_was_left_half_made_is_made_anew(private, checkout):
    with as_role(private, cluster.SUPERUSER, "postgres") as connection:
        making.drop_template(connection, making.TEMPLATE)
        connection.execute("CREATE DATABASE geoinv_template IS_TEMPLATE true")  # no extension, no mark
        connection.execute("CREATE DATABASE geoinv_template_new")
    making.make(checkout, checkout / ".local")
    with as_role(private, cluster.SUPERUSER, "postgres") as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'geoinv_template%'").fetchall()
    assert names == [("geoinv_template",)]
    test_the_owner_copies_the_template_and_the_copy_has_postgis_and_the_grants(private)


def test_a_database_that_was_lost_is_made_again(private, checkout):
    with as_role(private, cluster.OWNER, "postgres") as connection:
        connection.execute("DROP DATABASE geoinv")
    making.make(checkout, checkout / ".local")
    with as_role(private, cluster.APP) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM spatial_ref_sys WHERE srid = 4490").fetchone() == (True,)


def test_manage_starts_a_cluster_that_was_stopped_and_whose_socket_folder_is_gone(private, checkout):
    assert cluster.stop(private)
    shutil.rmtree(private.socket)  # as after a restart of the machine
    done = manage(checkout, "check", "--database", "default")
    assert (done.returncode, done.stderr) == (0, "")
    assert cluster.answers(private)


def test_manage_starts_a_cluster_that_was_killed(private, checkout):
    process = int(Path(private.data, "postmaster.pid").read_text().split()[0])
    os.kill(process, signal.SIGKILL)
    while cluster.answers(private):
        time.sleep(0.01)
    done = manage(checkout, "check", "--database", "default")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_cluster_that_cannot_be_started_is_exit_4_with_a_sentence_and_the_log(private, checkout):
    cluster.stop(private)
    control = Path(private.data, "global/pg_control")
    control.rename(control.with_name("pg_control.away"))
    try:
        done = manage(checkout, "check", "--database", "default")
        with pytest.raises(NoDatabase):
            cluster.start(checkout / ".local", private)
    finally:
        control.with_name("pg_control.away").rename(control)
        cluster.start(checkout / ".local", private)
    assert done.returncode == 4
    assert "server.log" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_copied_local_folder_is_refused_because_two_checkouts_would_share_one_database(private, checkout, tmp_path):
    shutil.copytree(checkout / ".local", tmp_path / ".local", ignore=shutil.ignore_patterns("postgresql"))
    with pytest.raises(NoDatabase, match="copied"):
        making.make(tmp_path, tmp_path / ".local")


def test_an_unreadable_note_of_where_the_cluster_is_is_written_anew(private, checkout):
    note = checkout / ".local/cluster.json"
    note.write_text('{"checkout": "/some')
    assert making.make(checkout, checkout / ".local") == private
    assert cluster.known(checkout / ".local") == private


def test_without_set_up_a_command_is_exit_4_and_names_script_setup(checkout, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(checkout, clone, ignore=shutil.ignore_patterns(".local"))
    done = manage(clone, "check")
    assert done.returncode == 4
    assert "script/setup" in done.stderr
    assert "Traceback" not in done.stderr
    assert manage(clone, "--help").returncode == 0


def test_a_server_that_does_not_answer_is_exit_4_without_a_traceback(checkout):
    done = manage(checkout, "migrate", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", GEOINV_SECRET_KEY="x" * 50)
    assert done.returncode == 4
    assert "127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_url_of_the_wrong_kind_is_told_without_a_traceback(checkout):
    done = manage(checkout, "migrate", DATABASE_URL="postgis://nobody@/none", GEOINV_SECRET_KEY="x" * 50)
    assert done.returncode == 4
    assert "postgresql://" in done.stderr
    assert "Traceback" not in done.stderr
