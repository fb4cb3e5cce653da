"""Kill an import in the middle, and look whether anything of it is left."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from psycopg import sql

from tests.bench.watching import descended

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
PATIENCE = 30  # seconds in which what belonged to a killed process must be gone


class Importing:
    """Imports of one layer as a user starts them, in a process each; `folder` is where they keep and unpack files."""

    def __init__(self, database: str, folder: Path):
        self.database, self.kept, self.work = database, folder / "kept", folder / "work"
        self.work.mkdir(parents=True)

    def start(self, path: Path, year: int) -> subprocess.Popen:
        command = [sys.executable, str(MANAGE), "import_layer", str(path), "--format", "json", "--profile", "dltb"]
        command += ["--district", "120104", "--survey", str(year)]
        environment = os.environ | {"GEOINV_DELIVERIES_DIR": str(self.kept), "TMPDIR": str(self.work)}
        environment |= {"DJANGO_SETTINGS_MODULE": "geoinv.settings"}
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )

    def through(self, path: Path, year: int) -> float:
        """One import to its end; its seconds. Raises CalledProcessError where it does not end well."""
        began = time.perf_counter()
        process = self.start(path, year)
        said, told = process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args, said, told)
        return time.perf_counter() - began

    def killed(self, path: Path, year: int, after: float) -> bool:
        """Kill one import after so many seconds (SIGKILL), and wait until all that belonged to it is gone.

        False where it had ended before. Raises TimeoutError where a process or a session of it stays.
        """
        process = self.start(path, year)
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            family = descended(process.pid)
            process.kill()
        else:
            family = []
        process.communicate()
        self._gone(family)
        return bool(family)

    def _gone(self, family: list[int]):
        until = time.monotonic() + PATIENCE
        with psycopg.connect(self.database, autocommit=True) as looking:
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
            others += " AND backend_type = 'client backend'"
            while True:
                sessions = looking.execute(others, [looking.info.backend_pid]).fetchone()[0]
                left = [one for one in family if runs(one)]
                if not sessions and not left:
                    return
                if time.monotonic() > until:
                    raise TimeoutError(f"{sessions} sessions and processes {left} of a killed import are still here")
                time.sleep(0.05)

    def left_behind(self) -> tuple[list[str], list[str]]:
        """What lies among the kept files but for finished copies, and the work folders."""
        kept = [one.name for one in self.kept.iterdir() if len(one.name) != 64] if self.kept.exists() else []
        return kept, [one.name for one in self.work.iterdir()]

    def grow_old(self):
        """Let what lies in the work folders be older than a process takes to lock its own."""
        for each in self.work.iterdir():
            os.utime(each, (0, 0))


def state(database: str) -> dict[str, tuple]:
    """Of every table that is there, temporary ones too: how many rows it has, and a digest of all of them."""
    found = {}
    with psycopg.connect(database, autocommit=True) as looking:
        tables = looking.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND (n.nspname = 'public' OR c.relpersistence = 't')"
        ).fetchall()
        for schema, table in tables:
            digest = sql.SQL("SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {} t")
            found[table] = looking.execute(digest.format(sql.Identifier(schema, table))).fetchone()
    return found


def runs(process: int) -> bool:
    """Whether the process is there, and no mere entry that nobody has asked for yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
