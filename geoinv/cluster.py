"""Start and stop the private PostgreSQL cluster of this checkout."""

import argparse
import fcntl
import getpass
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from units.errors import NoDatabase

SUPERUSER = "geoinv_super"  # makes the template; no program of ours signs in as it, the tests of the freeze apart
OWNER = "geoinv_owner"
APP = "geoinv_app"
DATABASE = "geoinv"
PORT = "5432"  # only the name of the socket file; nothing listens on TCP
START_SECONDS = 60
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cluster:
    """Where a private cluster lies; kept as `.local/cluster.json`."""

    checkout: str  # the folder that it was made for
    data: str
    socket: str  # a folder
    binaries: str
    run_as: str  # the operating-system user of the server, "" for whoever calls

    def url(self, user: str, database: str = DATABASE) -> str:
        """The libpq URL of one of its databases."""
        return f"postgresql://{user}@/{database}?host={quote(self.socket, safe='')}"


def known(local_dir: Path) -> Cluster | None:
    """The cluster that script/setup made for this checkout, or None."""
    try:
        return Cluster(**json.loads((local_dir / "cluster.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, OSError) as error:
        raise NoDatabase(
            _("%(path)s cannot be read: %(error)s.") % {"path": local_dir / "cluster.json", "error": error},
            _("Run script/setup; it writes the file anew."),
        ) from error


def answers(cluster: Cluster) -> bool:
    """Whether a server accepts connections on the socket; it costs well under a millisecond."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(f"{cluster.socket}/.s.PGSQL.{PORT}")
        except OSError:
            return False
    return True


def start(local_dir: Path, cluster: Cluster) -> bool:
    """Start the cluster unless it runs already; True when it had to be started. Raises NoDatabase."""
    if answers(cluster):
        return False
    with locked(local_dir):
        if answers(cluster):  # another process was quicker
            return False
        if not Path(cluster.binaries, "pg_ctl").exists():
            raise NoDatabase(
                _("The database server in %(path)s is gone.") % {"path": cluster.binaries}, _("Run script/setup.")
            )
        private_folder(Path(cluster.socket), cluster.run_as)
        log = Path(cluster.data).parent / "server.log"
        command = ["pg_ctl", "-D", cluster.data, "-l", str(log), "-w", "-t", str(START_SECONDS), "start"]
        for pause in (0.2, 0.5, 1, 2, 3):
            done = program(cluster, *command)
            if done.returncode == 0:
                return True
            reason = last_words(done, log, cluster)
            if "shared memory" not in reason and "postmaster.pid" not in reason:
                break
            time.sleep(pause)  # a server that was killed, and its children, are not gone at once
        raise NoDatabase(
            _("The private database could not be started: %(reason)s") % {"reason": reason},
            _("Look into %(log)s, then run script/setup.") % {"log": log},
        )


def stop(cluster: Cluster) -> bool:
    """Stop the cluster and wait for it; False when it did not run."""
    if not answers(cluster):
        return False
    return program(cluster, "pg_ctl", "-D", cluster.data, "-m", "fast", "-w", "stop").returncode == 0


def private_folder(folder: Path, run_as: str) -> None:
    """Make the folder if it is missing (/run and /tmp are emptied at boot) and be sure that nobody else owns it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        own(folder, run_as)
    found = folder.lstat()
    wanted = pwd.getpwnam(run_as).pw_uid if run_as and os.geteuid() == 0 else os.geteuid()
    if folder.is_symlink() or found.st_uid != wanted:
        raise NoDatabase(
            _("The folder %(path)s belongs to somebody else.") % {"path": folder}, _("Remove it, then try again.")
        )
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def own(path: Path, run_as: str) -> None:
    if run_as and os.geteuid() == 0 and not path.is_symlink():
        shutil.chown(path, run_as, run_as)


def as_user(user: str, command: list[str]) -> list[str]:
    return ["runuser", "-u", user, "--", *command] if user and os.geteuid() == 0 else command


def program(cluster: Cluster, name: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run one of PostgreSQL's programs as the user of the server, deaf to the caller's PG… variables."""
    if cluster.run_as and os.geteuid() != 0 and getpass.getuser() != cluster.run_as:
        raise NoDatabase(
            _("The private database was set up by root and has stopped."), _("Start it as root: script/setup.")
        )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.run(
        as_user(cluster.run_as, [f"{cluster.binaries}/{name}", *arguments]),
        cwd="/",  # a folder that the other user can enter
        env=environment | {"LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def last_words(done: subprocess.CompletedProcess, log: Path, cluster: Cluster) -> str:
    """The line that says why: the last fatal one of the server's log, else its last, else what pg_ctl said."""
    tail = subprocess.run(
        as_user(cluster.run_as, ["tail", "-n", "20", str(log)]), cwd="/", capture_output=True, text=True, check=False
    )
    lines = [line.strip() for line in (done.stdout + done.stderr + tail.stdout).splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
    return (fatal or lines or ["?"])[-1]


@contextmanager
def locked(local_dir: Path):
    """One process at a time starts the server; the lock goes with the process."""
    with open(local_dir / "cluster.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """By hand: `python -m geoinv.cluster start|stop`."""
    parser = argparse.ArgumentParser(prog="python -m geoinv.cluster", description=__doc__)
    parser.add_argument("action", choices=["start", "stop"])
    action = parser.parse_args().action
    settings.configure(USE_I18N=False)  # it speaks before there are settings or catalogues
    local_dir = CHECKOUT / ".local"
    try:
        cluster = known(local_dir)
        if cluster is None:
            raise NoDatabase(f"There is no cluster in {local_dir}.", "Run script/setup.")
        if action == "start":
            start(local_dir, cluster)
        else:
            stop(cluster)
    except NoDatabase as error:
        print(error, file=sys.stderr)
        sys.exit(NoDatabase.exit_code)


if __name__ == "__main__":
    main()
