"""Watch what a command and the server of its database cost: time, processor time, private memory of all processes."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")
EVERY = 0.05  # seconds


def watched(command: list[str], database: str) -> tuple[dict, str]:
    """What the command cost, and what it printed. Raises CalledProcessError where it fails.

    `peak_mb` is the private memory of the process and all that descend from it, pages that they share counted once;
    pages of mapped files are the system's. `server_seconds` are of the sessions on the database, where the server is
    on this machine.
    """
    cost = {"peak_mb": 0}
    sessions: dict[int, float] = {}
    over = threading.Event()
    began = time.perf_counter()
    with psycopg.connect(database, autocommit=True) as looking:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        watch = threading.Thread(target=_watch, args=(process.pid, looking, cost, sessions, over))
        watch.start()
        said = process.stdout.read()
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watch.join()
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, command)
    cost["seconds"] = round(seconds, 2)
    cost["client_seconds"] = round(used.ru_utime + used.ru_stime, 2)
    cost["server_seconds"] = round(sum(sessions.values()), 2)
    return cost, said


def descended(process: int) -> list[int]:
    """A process and all that descend from it."""
    found = [process]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:  # it ended meanwhile
                continue
    return found


def _watch(process: int, looking: psycopg.Connection, cost: dict, sessions: dict, over: threading.Event):
    own, turn = looking.info.backend_pid, 0
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
    while not over.wait(EVERY):
        if turn % 4 == 0:
            there = [pid for (pid,) in looking.execute(query, [own])]
        turn += 1
        sessions.update((one, max(sessions.get(one, 0.0), _spent(one))) for one in there)
        cost["peak_mb"] = max(cost["peak_mb"], sum(map(_private, descended(process))) // 1024)


def _spent(process: int) -> float:
    try:
        parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(parts[11]) + int(parts[12])) / TICKS


def _private(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")), 0)


def say(line: str):
    print(line, file=sys.stderr, flush=True)
