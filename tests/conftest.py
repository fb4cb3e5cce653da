"""Give every test run real databases of its own, a served site and a watched browser."""

import hashlib
import itertools
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from playwright.sync_api import sync_playwright
from psycopg import sql

from geoinv import cluster, database, making

ROOT = Path(__file__).resolve().parent.parent
LOCAL_DIR = ROOT / ".local"
# The processes that tests start by the hundred need the code compiled, wherever Python is told not to keep it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
DROPPED_TOGETHER = 8  # databases
STALE_SECONDS = 3600  # a prepared database of an older state of the code is dropped after this time
DEMO_PASSWORD = "demo-password-1"  # of all accounts of the demo district
OF_THE_DEMO = {".py", ".sql", ".toml", ".csv", ".json", ".zip", ".txt", ".xlsx", ".gpkg"}
SERVER_SECONDS = 60  # until the site must answer
OWN_HOSTS = {"127.0.0.1", "localhost"}
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No other host is reached, whatever a page asks for. (To stop each request instead would turn the cache off.)
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


# --- which file when ---------------------------------------------------------------------------------------------

# The files that take longest, by their seconds on a quiet machine: they come first, so that two processes end together.
SLOW_FILES = {
    "journeys/test_planner.py": 200,
    "journeys/test_composing.py": 110,
    "journeys/test_accessible.py": 90,
    "journeys/test_drawing_lines.py": 80,
    "journeys/test_importing.py": 60,
    "units/checks/test_nightly.py": 60,
    "journeys/test_rights_walk.py": 50,
    "units/test_statistics.py": 20,
    "geoinv/test_demo.py": 40,
    "journeys/test_criteria.py": 35,
    "journeys/test_map_product.py": 45,
    "journeys/test_two_at_once.py": 40,
    "units/test_reshaping_at_random.py": 40,
    "journeys/test_unit_record.py": 26,
    "journeys/test_keyboard.py": 25,
    "journeys/test_every_face.py": 20,
    "journeys/test_past_days.py": 15,
    "geoinv/test_accounts.py": 15,
    "journeys/test_field.py": 10,
    "journeys/test_forms.py": 30,
    "journeys/test_whatif.py": 30,
    "importers/test_folder.py": 30,
    "importers/test_workers.py": 29,
    "importers/test_undoing.py": 28,
    "geoinv/test_signin.py": 25,
    "geoinv/test_every_fault_is_told.py": 25,
    "geoinv/test_checks_answered.py": 25,
    "geoinv/test_candidates_answered.py": 20,
    "importers/test_killed.py": 20,
    "journeys/test_determining.py": 20,
    "units/api/test_api.py": 15,
    "importers/test_registers.py": 20,
    "importers/test_repairing.py": 20,
    "importers/test_hostile.py": 20,
    "importers/test_loading.py": 17,
    "platform/test_cluster.py": 17,
    "units/test_flagging.py": 16,
    "importers/test_fuzz.py": 15,
    "importers/test_matching.py": 15,
    "importers/test_texts.py": 14,
    "units/criteria/test_shipped_rules.py": 14,
    "units/checks/test_moments.py": 13,
    "units/test_freeze.py": 12,
    "units/views/test_card.py": 12,
    "importers/test_containers.py": 12,
    "units/ogc/test_features.py": 11,
    "importers/test_mistaken_deliveries.py": 10,
}


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # pytest-xdist would begin with the files of the most tests


# --- the rows of the requirements --------------------------------------------------------------------------------


def pytest_addoption(parser):
    parser.addoption(
        "--rows", action="store_true", help="run nothing; print which tests prove which row of the requirements"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    yield  # pytest-django puts what needs no database last, which is what takes longest here
    items.sort(key=lambda item: -SLOW_FILES.get(item.nodeid.split("::")[0].removeprefix("tests/"), 0))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if not session.config.option.rows:
        return None
    proofs = defaultdict(list)
    for item in session.items:
        for marker in item.iter_markers("rows"):
            for row in marker.args:
                if item.nodeid.split("[")[0] not in proofs[row]:
                    proofs[row].append(item.nodeid.split("[")[0])
    print("\n| row | tests |\n|---|---|")
    for row in sorted(proofs):
        print(f"| {row} | {'<br>'.join(f'`{name}`' for name in proofs[row])} |")
    return True


# --- databases ---------------------------------------------------------------------------------------------------


def at(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


class Databases:
    """Makes and drops the databases of this pytest process, as the owner role.

    `prepared` is empty and migrated; it is made once for a state of the migrations and shared by all runs, which
    only ever copy it.
    """

    def __init__(self):
        database.ready(os.environ, LOCAL_DIR)
        self.app_url = os.environ["DATABASE_URL"]
        self.private = cluster.known(LOCAL_DIR)
        if self.private and database.parsed(self.app_url).get("host") != self.private.socket:
            self.private = None  # a DATABASE_URL of one's own
        self.owner_url = os.environ.get("GEOINV_OWNER_DATABASE_URL") or (
            self.private.url(cluster.OWNER) if self.private else self.app_url
        )
        self.prefix = "geoinv_test_"
        self.prepared = self.prefix + state_of_the_tables()
        self.counter = itertools.count()
        self.done_with = []  # databases of this process that are to be dropped

    def prepare(self) -> None:
        with self.maintenance() as connection:
            # Two runs that start together: the second waits until the first has migrated.
            connection.execute("SELECT pg_advisory_lock(hashtext('geoinv tests prepare'))")
            self.sweep(connection)
            if str(self.comment(connection, self.prepared)).startswith("prepared"):
                return
            self.drop(self.prepared, connection)
            self.copy(making.TEMPLATE, self.prepared, connection)
            done = self.manage(at(self.owner_url, self.prepared), "migrate", "--no-input", "--skip-checks", "-v", "0")
            if done.returncode:
                self.drop(self.prepared, connection)
                raise RuntimeError(f"The test database could not be migrated:\n{done.stdout}{done.stderr}")
            self.keep(self.prepared, connection)

    def demo(self) -> str:
        """The database of the demo district: loaded, flagged, checked, with its accounts.

        It is made where a test first asks for it, once for a state of the code, and is young enough to be there for as
        long as a run takes.
        """
        name = f"{self.prefix}demo_{state_of_the_code(self.prepared)}"
        aside = f"{name}_p{os.getpid()}_0"
        with self.maintenance() as connection:
            # Two processes that ask together: the second waits until the first has loaded.
            connection.execute("SELECT pg_advisory_lock(hashtext('geoinv tests demo'))")
            made = re.fullmatch(r"prepared (\d+)", self.comment(connection, name) or "")
            if made and time.time() - int(made[1]) < STALE_SECONDS / 2:
                return name
            self.copy(self.prepared, aside, connection)
            done = self.manage(at(self.app_url, aside), "load_demo", GEOINV_DEMO_PASSWORD=DEMO_PASSWORD)
            if done.returncode:
                self.drop(aside, connection)
                raise RuntimeError(f"The demo district could not be loaded:\n{done.stdout}{done.stderr}")
            self.keep(aside, connection)
            self.drop(name, connection)
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(aside), sql.Identifier(name))
            )
        return name

    def keep(self, name: str, connection) -> None:
        """Close a database to all but those who copy it, and say when it was made."""
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                sql.Identifier(name), sql.Literal(f"prepared {int(time.time())}")
            )
        )

    def sweep(self, connection) -> None:
        """Drop what runs that were killed left behind, and prepared databases of older states."""
        rows = connection.execute(
            "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname LIKE %s",
            [self.prefix + "%"],
        ).fetchall()
        for name, comment in rows:
            process = re.fullmatch(rf"{self.prefix}\w+?_p(\d+)_\d+", name)
            if process:
                stale = not Path(f"/proc/{process[1]}").exists()
            else:
                made = re.fullmatch(r"prepared (\d+)", comment or "")
                stale = name != self.prepared and made and time.time() - int(made[1]) > STALE_SECONDS
            if stale:
                self.drop(name, connection)

    def clone(self, source: str | None = None) -> str:
        """A copy of the prepared database, or of another, for this process; a tenth of a second or two."""
        name = f"{self.prepared}_p{os.getpid()}_{next(self.counter)}"
        with self.maintenance() as connection:
            self.copy(source or self.prepared, name, connection)
            # A crash may lose the tests' last commits; nobody will miss them.
            connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))
        return name

    def copy(self, source: str, name: str, connection) -> None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
        )

    def drop(self, name: str, connection=None) -> None:
        """Drop a database, ending the sessions in it; without a connection later, with others of this process.

        The first of several waits for a checkpoint of the whole cluster, the rest are quick.

        Not WITH (FORCE): the server refuses that to the owner while an autovacuum worker, a superuser's, is in the
        database. A plain DROP ends such a worker by itself, and waits five seconds for it.
        """
        if connection is None:
            self.done_with.append(name)
            if len(self.done_with) >= DROPPED_TOGETHER:
                self.drop_all()
            return
        statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        for patience in range(6, -1, -1):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND backend_type = 'client backend' AND pg_has_role(usename, 'MEMBER')",
                [name],
            )
            try:
                connection.execute(statement)
                return
            except psycopg.errors.ObjectInUse:
                if not patience:
                    raise

    def drop_all(self) -> None:
        """Drop what this process is done with; what cannot be dropped now, the sweep of a later run drops."""
        while self.done_with:
            name = self.done_with.pop()
            try:
                with self.maintenance() as connection:
                    self.drop(name, connection)
            except psycopg.Error as error:
                print(f"{name} is left for the next run of the tests to drop: {error}", file=sys.stderr)

    def comment(self, connection, name: str) -> str | None:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        return row and row[0]

    def maintenance(self) -> psycopg.Connection:
        return psycopg.connect(at(self.owner_url, "postgres"), autocommit=True)

    def manage(self, url: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess:
        """Run `manage.py` on a database, in a process of its own."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "geoinv.settings"} | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def use(self, name: str) -> None:
        """Point Django's connection, and every command that a test starts, at a database, as the app role."""
        url = at(self.app_url, name)
        os.environ["DATABASE_URL"] = url
        os.environ["GEOINV_OWNER_DATABASE_URL"] = at(self.owner_url, name)
        connection = connections["default"]
        connection.close()
        words = database.settings({"DATABASE_URL": url}, LOCAL_DIR)
        connection.settings_dict.update(words | {"CONN_MAX_AGE": 0})


def state_of_the_code(tables: str) -> str:
    """A digest of everything that the demo district is loaded, flagged and checked by, on these tables, today."""
    digest = hashlib.sha256(f"{tables} {date.today()}".encode())
    rooms = [ROOT / name for name in ("geoinv", "units", "importers", "fixtures")]
    for path in sorted(path for room in rooms for path in room.rglob("*") if path.suffix in OF_THE_DEMO):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:10]


def state_of_the_tables() -> str:
    """A digest of everything that a migrated database is made from."""
    digest = hashlib.sha256(making.TEMPLATE_VERSION.encode())
    # The rooms by name: below .local the cluster's own files come and go while one looks.
    rooms = [ROOT / name for name in ("geoinv", "units", "importers", "tiles")]
    sources = [path for room in rooms for path in (*room.glob("migrations/**/*.py"), *room.rglob("*.sql"))]
    for path in sorted([*sources, ROOT / "script/requirements.lock"]):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:10]


@pytest.fixture(scope="session", autouse=True)
def quick_hashes():
    """A real hash of a password costs a third of a second. What other processes hash costs what it costs a user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
        yield


@pytest.fixture(scope="session")
def databases():
    made = Databases()
    made.prepare()
    yield made
    made.drop_all()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, databases):
    """What `db` stands on: a copy of the prepared database for this process; each test is rolled back."""
    before = {name: os.environ.get(name) for name in ("DATABASE_URL", "GEOINV_OWNER_DATABASE_URL")}
    name = databases.clone()
    databases.process_database = name
    with django_db_blocker.unblock():
        databases.use(name)
    yield
    with django_db_blocker.unblock():
        connections["default"].close()
    os.environ.update({name: value for name, value in before.items() if value is not None})
    databases.drop(name)


@pytest.fixture
def own_database(django_db_setup, django_db_blocker, databases):
    """A database for one test that commits: threads, COPY on other connections, commands, TRUNCATE, freezes.

    Use it instead of `db` (and instead of `transactional_db`, which would have to TRUNCATE). Yields its name.
    """
    name = databases.clone()
    with django_db_blocker.unblock():
        databases.use(name)
        yield name
        databases.use(databases.process_database)
    databases.drop(name)


@pytest.fixture
def owner(own_database, databases):
    """A psycopg connection of the owner role to the test's own database; it commits each statement."""
    with psycopg.connect(at(databases.owner_url, own_database), autocommit=True) as connection:
        yield connection


@pytest.fixture
def superuser(own_database, databases):
    """A psycopg connection of the cluster's superuser to the test's own database; it commits each statement."""
    if databases.private is None:
        pytest.skip("DATABASE_URL is not the private cluster, so nobody here may be its superuser")
    url = databases.private.url(cluster.SUPERUSER, own_database)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def manage(own_database, databases):
    """Run `manage.py …` as a process on the test's own database: `manage("flag", "--district", "120104")`."""

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess:
        return databases.manage(at(databases.app_url, own_database), *arguments, **environ)

    return run


# --- the site as it is served ------------------------------------------------------------------------------------


class Site:
    """The real site in a process of its own, on a database of its own, without debug mode."""

    def __init__(self, databases: Databases, name: str, folder: Path):
        self.databases = databases
        self.name = name
        self.database_url = at(databases.app_url, name)
        self.owner_url = at(databases.owner_url, name)
        self.log = folder / f"site-{name}.log"
        listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "gunicorn", "geoinv.wsgi", "--bind", f"fd://{listener.fileno()}"]
        command += ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ
                | {
                    "DATABASE_URL": self.database_url,
                    "GEOINV_OWNER_DATABASE_URL": self.owner_url,
                    "GEOINV_DEBUG": "",
                    "GEOINV_SECRET_KEY": secrets.token_urlsafe(50),
                },
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        listener.close()
        self.wait()

    def wait(self) -> None:
        """Until the site answers anything at all; its socket queues the request meanwhile."""
        until = time.monotonic() + SERVER_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.base_url}/healthz", timeout=SERVER_SECONDS):
                    return
            except urllib.error.HTTPError as error:
                error.close()
                return
            except OSError:
                time.sleep(0.1)
        self.process.kill()
        self.process.wait()
        raise RuntimeError(f"The site did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def manage(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess:
        """Run `manage.py …` on this site's database."""
        return self.databases.manage(self.database_url, *arguments, **environ)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def check_log(self) -> None:
        """A traceback on the server is a failure, whatever the page looked like."""
        text = self.log.read_text(errors="replace")
        assert "Traceback (most recent call last)" not in text, f"The site logged an error:\n{text[-4000:]}"


@pytest.fixture(scope="module")
def served(databases, tmp_path_factory):
    """The site on an empty, migrated database; fill it through `served.manage(…)` or `served.database_url`."""
    yield from serve(databases, None, tmp_path_factory)


@pytest.fixture(scope="session")
def demo_database(databases):
    """The demo district loaded, flagged, checked and given accounts, to be copied: `databases.clone(demo_database)`."""
    return databases.demo()


@pytest.fixture(scope="module")
def demo_site(databases, demo_database, tmp_path_factory):
    """The site on a copy of the demo district; its accounts have the password `demo-password-1`."""
    yield from serve(databases, demo_database, tmp_path_factory)


def serve(databases, source, tmp_path_factory):
    name = databases.clone(source)
    try:
        site = Site(databases, name, tmp_path_factory.mktemp("site"))
        try:
            yield site
        finally:
            site.stop()
    finally:
        databases.drop(name)
    site.check_log()


# --- the browser -------------------------------------------------------------------------------------------------


def chromium() -> str | None:
    """The system's Chromium, else None: then Playwright takes the one that `playwright install` brought.

    Its headless shell first, the same engine without the windows that nobody sees: they cost half of the time.
    """
    found = map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))
    return next(filter(None, found), None)


@pytest.fixture(scope="session")
def browser():
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_ARGUMENTS)
        yield started
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def allowed_errors():
    """Patterns of console errors that a test provokes on purpose: `allowed_errors.append(r"403")`."""
    return []


class Watch:
    """Opens pages and writes down what none of them may do; `faults` is a list of sentences."""

    def __init__(self, browser):
        self.browser = browser
        self.contexts = []
        self.faults = []

    def open_page(self, width: int = 1440, height: int = 900, locale: str = "zh-CN", **options):
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale=locale, **options)
        self.contexts.append(context)
        context.on("request", self.request)
        context.on("console", self.console)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        return context.new_page()

    def request(self, request):
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in OWN_HOSTS:
            self.faults.append(f"a request to another host: {request.url}")

    def console(self, message):
        if message.type in {"error", "warning"}:
            self.faults.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")


@pytest.fixture
def watch(browser, allowed_errors):
    """What `new_page` stands on."""
    watching = Watch(browser)
    yield watching
    for context in watching.contexts:
        context.close()
    unexpected = [fault for fault in watching.faults if not any(re.search(one, fault) for one in allowed_errors)]
    assert not unexpected, "\n".join(unexpected)


@pytest.fixture
def new_page(watch):
    """Open pages of fresh contexts: `new_page(width=1024, height=768, locale="en")`.

    The test fails on any request to another host, any console error or warning and any uncaught exception.
    """
    return watch.open_page


@pytest.fixture
def page(new_page):
    """One page of 1440×900 in Chinese, watched as `new_page` says."""
    return new_page()
