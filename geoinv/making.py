"""Make whatever the private cluster of this checkout lacks: `python -m geoinv.making`, called by script/setup."""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg import sql

from geoinv.cluster import (
    APP,
    CHECKOUT,
    DATABASE,
    OWNER,
    PORT,
    SUPERUSER,
    Cluster,
    answers,
    as_user,
    known,
    own,
    program,
    start,
    stop,
)
from units.errors import NoDatabase

TEMPLATE = "geoinv_template"
TEMPLATE_VERSION = "geoinv template 1"  # raise it when make_template() changes: old templates are then made anew
SOCKET_PATH_LIMIT = 107  # bytes, of the socket file's whole path (Linux: sun_path)
# The server finishes a CREATE DATABASE even when the client was killed; whoever comes next waits for that.
ONE_AT_A_TIME = "SELECT pg_advisory_lock(hashtext('geoinv set-up'))"

CONFIGURATION = """\
# Written by script/setup; your own changes belong in postgresql.conf, below the include line.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket}'
unix_socket_permissions = 0777  # the folder is private, and it alone decides who may connect
max_connections = 60
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 256MB
effective_cache_size = 2GB
max_wal_size = 2GB
random_page_cost = 1.1
jit = off  # compiling costs more than the short queries of a map
timezone = 'Asia/Shanghai'
log_timezone = 'Asia/Shanghai'
logging_collector = off
"""
HBA = """\
# Only the unix socket, which lies in a folder that only its user (and root) may enter.
local all all trust
"""


def make(checkout: Path, local_dir: Path) -> Cluster:
    """Make whatever is missing of the cluster, its roles, template and database, then write `.local/env`.

    It can be called again at any time, also after a run that was killed: each part is made aside and moved
    into place, or looked for before it is made.
    """
    cluster = known_or_planned(checkout, local_dir)
    remember(local_dir, cluster)
    if not Path(cluster.data, "PG_VERSION").exists():
        initialise(cluster)
    if configure(cluster) and answers(cluster):
        stop(cluster)
    start(local_dir, cluster)
    with psycopg.connect(cluster.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(ONE_AT_A_TIME)
        make_roles(connection)
        make_template(connection, cluster)
    make_database(cluster.url(OWNER, "postgres"), DATABASE)
    write_env(local_dir, cluster)
    return cluster


def known_or_planned(checkout: Path, local_dir: Path) -> Cluster:
    """The cluster as it is, or as it shall be; a moved checkout keeps its data, a copied `.local` is refused."""
    try:
        old = known(local_dir)
    except NoDatabase:
        old = None  # half a file: everything in it can be worked out again
    if old and old.checkout != str(checkout) and Path(old.checkout).exists():
        raise NoDatabase(
            f"The folder {local_dir} was copied from {old.checkout}, whose database it would share.",
            f"Remove {local_dir}, then run script/setup again.",
        )
    run_as = "postgres" if os.geteuid() == 0 else ""
    data = local_dir / "postgresql" / "data"
    if old and Path(old.data, "PG_VERSION").exists():
        data = Path(old.data)
    elif run_as and not enterable(run_as, local_dir):
        data = Path("/var/lib") / f"geoinv-{short_hash(checkout)}" / "data"
    made_by = data / "PG_VERSION"
    binaries = binaries_of(made_by.read_text().strip()) if made_by.exists() else newest_binaries()
    cluster = Cluster(str(checkout), str(data), str(socket_folder(checkout)), binaries, run_as)
    if old and old.socket != cluster.socket and answers(old):
        program(cluster, "pg_ctl", "-D", cluster.data, "-m", "fast", "-w", "stop")  # it runs on from before the move
    return cluster


def initialise(cluster: Cluster) -> None:
    """Run initdb beside the final place, then move it there, so that a killed run leaves no half cluster."""
    folder = Path(cluster.data).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own(folder, cluster.run_as)
    for half in folder.glob("data.new-*"):
        shutil.rmtree(half, ignore_errors=True)
    fresh = folder / f"data.new-{os.getpid()}"  # of a name that no orphan of a killed run still writes to
    done = program(
        cluster, "initdb", "-D", str(fresh), "-U", SUPERUSER, "-A", "trust",
        "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
    )  # fmt: skip
    if done.returncode:
        raise NoDatabase(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}", f"Folder: {fresh}")
    fresh.rename(cluster.data)


def configure(cluster: Cluster) -> bool:
    """Write our settings; True when they differ from those that a running server has read."""
    quoted = cluster.socket.replace("'", "''")
    changed = False
    main = Path(cluster.data, "postgresql.conf")
    include = "include 'geoinv.conf'\n"
    for path, text in (
        (Path(cluster.data, "geoinv.conf"), CONFIGURATION.format(port=PORT, socket=quoted)),
        (Path(cluster.data, "pg_hba.conf"), HBA),
    ):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            replace(path, text, cluster.run_as)
            changed = True
    if include not in main.read_text(encoding="utf-8"):
        replace(main, main.read_text(encoding="utf-8") + "\n" + include, cluster.run_as)
        changed = True
    return changed


def make_roles(connection: psycopg.Connection) -> None:
    """Make the owner, who may create databases, and the app role, who owns nothing."""
    for role, may in ((OWNER, "CREATEDB"), (APP, "NOCREATEDB")):
        name = sql.Identifier(role)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS " + may).format(name)
        )


def make_template(connection: psycopg.Connection, cluster: Cluster) -> None:
    """Make the database that all others are copied from: PostGIS needs a superuser, its copies do not.

    It is built under another name and marked and renamed last, so that the final name means complete.
    """
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [TEMPLATE]
    ).fetchone()
    if found and found[0] == TEMPLATE_VERSION:
        return
    building = f"{TEMPLATE}_new"
    drop_template(connection, building)
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(building)))
    with psycopg.connect(cluster.url(SUPERUSER, building), autocommit=True) as inside:
        inside.execute("CREATE EXTENSION postgis")
        inside.execute("CREATE EXTENSION btree_gist")
        # What the owner will create is usable by the app; TRUNCATE, REFERENCES and TRIGGER it never gets.
        for grant in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES"):
            inside.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT {grant} TO {APP}")
    drop_template(connection, TEMPLATE)
    name = sql.Identifier(TEMPLATE)
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), name))
    connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false").format(name))
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(TEMPLATE_VERSION)))


def drop_template(connection: psycopg.Connection, name: str) -> None:
    """Drop a template database, or what a killed run left of one."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(name)))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def make_database(owner_url: str, name: str, template: str = TEMPLATE) -> bool:
    """Make a database of the owner from the template unless it exists; True when it was made.

    CREATE DATABASE is atomic on the server, so a killed run leaves a whole database or none.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(ONE_AT_A_TIME)
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return False
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return True


def write_env(local_dir: Path, cluster: Cluster) -> None:
    """Write what a shell needs to reach the databases; an existing secret key is kept."""
    path = local_dir / "env"
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    key = next((line for line in old.splitlines() if line.startswith("export GEOINV_SECRET_KEY=")), None)
    lines = [
        "# Written by script/setup for this checkout; read by manage.py and the site where the environment is silent.",
        f"export DATABASE_URL='{cluster.url(APP)}'",
        f"export GEOINV_OWNER_DATABASE_URL='{cluster.url(OWNER)}'",
        key or f"export GEOINV_SECRET_KEY='{secrets.token_urlsafe(50)}'",
        "export GEOINV_DEBUG=1",
    ]
    text = "\n".join(lines) + "\n"
    if text != old:
        replace(path, text, mode=0o600)


def remember(local_dir: Path, cluster: Cluster) -> None:
    replace(local_dir / "cluster.json", json.dumps(asdict(cluster), ensure_ascii=False, indent=1) + "\n")


def newest_binaries() -> str:
    """The newest installed PostgreSQL that has PostGIS."""
    having = [
        Path(f"/usr/lib/postgresql/{path.parts[4]}/bin")
        for path in Path("/usr/share/postgresql").glob("*/extension/postgis.control")
    ]
    having = sorted((path for path in having if (path / "initdb").exists()), key=lambda path: int(path.parts[4]))
    if not having:
        raise NoDatabase("No PostgreSQL with PostGIS is installed.", "script/setup installs it with apt.")
    return str(having[-1])


def binaries_of(version: str) -> str:
    """The programs that fit a cluster which was made by this major version."""
    path = Path(f"/usr/lib/postgresql/{version}/bin")
    if not (path / "postgres").exists():
        raise NoDatabase(
            f"The database was made by PostgreSQL {version}, which is no longer installed.",
            f"Install postgresql-{version}-postgis-3, or move the data with pg_upgrade.",
        )
    return str(path)


def socket_folder(checkout: Path) -> Path:
    """A short private folder for the socket, the same one for this checkout after every restart of the machine."""
    if os.geteuid() == 0:
        folder = Path("/run") / f"geoinv-{short_hash(checkout)}"
    else:
        folder = Path("/tmp") / f"geoinv-{os.geteuid()}-{short_hash(checkout)}"
    if len(f"{folder}/.s.PGSQL.{PORT}".encode()) > SOCKET_PATH_LIMIT:
        raise NoDatabase(f"The path {folder} is too long for a socket.")
    return folder


def enterable(user: str, folder: Path) -> bool:
    """Whether this user can reach the folder through all its parents."""
    return subprocess.run(as_user(user, ["test", "-x", str(folder)]), cwd="/", check=False).returncode == 0


def replace(path: Path, text: str, run_as: str = "", mode: int = 0o644) -> None:
    """Write a file so that it is old or new at any moment, never half."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    own(fresh, run_as)
    fresh.chmod(mode)
    fresh.replace(path)


def short_hash(checkout: Path) -> str:
    return hashlib.sha256(os.fsencode(checkout)).hexdigest()[:10]


def main() -> None:
    settings.configure(USE_I18N=False)  # it speaks before there are settings or catalogues
    try:
        make(CHECKOUT, CHECKOUT / ".local")
    except (NoDatabase, psycopg.OperationalError) as error:
        print(error, file=sys.stderr)
        sys.exit(NoDatabase.exit_code)


if __name__ == "__main__":
    main()
