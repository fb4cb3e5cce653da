"""Run the batches of an import in processes of their own: both cores are used, and a crash in one is a verdict.

The first import of a process starts one further process, which loads what a batch needs; it forks the workers of this
and of every later import, and ends with the process that started it. A worker is told nothing of the database.
"""

import atexit
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue

from django.utils.translation import gettext as _

from importers.batching import Done, Plan
from importers.confining import SECRETS
from importers.passing import FORK, HEAD, KILL, NUMBER, ORDER, exactly
from units.errors import NoDatabase

ROOT = Path(__file__).resolve().parents[1]
MOST = 2  # workers; two check rows as fast as the database takes them
SECONDS, BYTES_A_SECOND = 4, 1_000_000  # processor time of a batch: so much, and for its bytes fifty times the usual
WAITING = 10  # times the processor time of a batch that is waited for it: others may be at work on the machine
NARROWING = 3  # seconds in which the rows are looked for that workers die of


class Died(Exception):
    """No worker comes through rows `start` to `stop`; `why` is `passing.MEMORY`, or a traceback, or nothing."""

    def __init__(self, start: int, stop: int, why: str = ""):
        super().__init__(start, stop, why)
        self.start, self.stop, self.why = start, stop, why


class _Nursery:
    """The process that forks workers; one for each process that imports, for as long as that lives."""

    def __init__(self):
        self.lock = threading.RLock()
        self.process: subprocess.Popen | None = None
        self.control: socket.socket | None = None

    def start(self):
        """Have it started, without waiting for it."""
        with self.lock:
            if self.process is not None and self.process.poll() is None:
                return
            self.stop()
            self.control, theirs = socket.socketpair()
            environment = {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}
            paths = [str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
            environment |= {
                "PYTHONPATH": os.pathsep.join(paths),
                "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "geoinv.settings"),
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
            }
            with theirs:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "importers.batching_child", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )

    def fork(self) -> tuple[int, socket.socket]:
        """A new worker: its number, and the socket on which it is asked."""
        ours, theirs = socket.socketpair()
        with theirs:
            for again in (False, True):
                with self.lock, suppress(OSError):
                    self.start()
                    socket.send_fds(self.control, [ORDER.pack(FORK, 0)], [theirs.fileno()])
                    if said := exactly(self.control, NUMBER.size):
                        return NUMBER.unpack(said)[0], ours
                if again:
                    break
                self.stop()
        ours.close()
        raise NoDatabase(
            _("The processes that check the rows of an import cannot be started."),
            _("Look whether the machine has memory left, and whether script/setup says that all is there."),
        )

    def kill(self, number: int):
        with self.lock, suppress(OSError):
            if self.control is not None:
                self.control.sendall(ORDER.pack(KILL, number))
                exactly(self.control, NUMBER.size)

    def stop(self):
        with self.lock:
            if self.control is not None:
                self.control.close()
            if self.process is not None:
                try:
                    self.process.wait(2)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
            self.process = self.control = None

    def forget(self):
        """Leave it to the process from which this one was forked."""
        if self.control is not None:
            self.control.close()
        if self.process is not None:
            self.process.returncode = 0
        self.__init__()


_nursery = _Nursery()
atexit.register(_nursery.stop)
os.register_at_fork(after_in_child=_nursery.forget)


def ready():
    """Have the processes loaded by the time that they are needed; where they cannot be, `crew` says so then."""
    with suppress(OSError):
        _nursery.start()


@contextmanager
def crew(plan: Plan, count: int) -> Iterator["Crew"]:
    """So many workers on one plan; they are gone at the end, whatever they are at."""
    made = Crew(plan, count)
    try:
        yield made
    finally:
        made.end()


class Crew:
    """Workers of one plan; `work` may be called from as many threads at once as there are workers."""

    def __init__(self, plan: Plan, count: int):
        self.plan = pickle.dumps(plan, 5)
        self.lock = threading.Lock()
        self.all: dict[int, socket.socket] = {}
        self.over = False
        self.free: Queue[int | None] = Queue()
        for _number in range(count):
            self.free.put(None)  # forked when it is needed

    def work(self, start: int, stop: int, weight: int) -> Done:
        """The batch of rows `start` to `stop`, of so many bytes in the files. Raises Died."""
        worker = self.free.get()
        try:
            worker, told = self._asked(worker, start, stop, weight)
            if isinstance(told, Done):
                return told
            until = time.monotonic() + NARROWING
            while stop - start > 1 and time.monotonic() < until and not self.over:
                middle, weight = (start + stop) // 2, weight // 2
                for half in ((start, middle), (middle, stop)):
                    worker, found = self._asked(worker, *half, weight)
                    if not isinstance(found, Done):
                        (start, stop), told = half, found
                        break
                else:  # only together they are too much
                    break
            raise Died(start, stop, told)
        finally:
            self.free.put(worker)

    def _asked(self, worker: int | None, start: int, stop: int, weight: int) -> tuple[int | None, Done | str]:
        """What a worker makes of the rows, or of what it died; and who may be asked next."""
        seconds = SECONDS + weight // BYTES_A_SECOND
        try:
            if worker is None:
                worker = self._forked()
                self._told(worker, self.plan, seconds)
            told = self._told(worker, pickle.dumps((start, stop), 5), seconds)
        except NoDatabase:  # there is no worker at all
            raise
        except OSError:  # it ended, or does not end
            told = ""
        if isinstance(told, Done):
            return worker, told
        self._dismiss(worker)
        return None, told

    def _forked(self) -> int:
        number, asked = _nursery.fork()
        with self.lock:
            self.all[number] = asked
            if not self.over:
                return number
        self._dismiss(number)
        raise ConnectionAbortedError

    def _told(self, worker: int, said: bytes, seconds: int) -> Done | str | None:
        asked = self.all.get(worker)
        if asked is None:
            raise ConnectionAbortedError
        asked.settimeout(WAITING * seconds)
        asked.sendall(HEAD.pack(len(said), seconds))
        asked.sendall(said)
        head = exactly(asked, HEAD.size)
        if not head:
            raise ConnectionResetError
        size, payload = HEAD.unpack(head)
        told = pickle.loads(exactly(asked, size) or _cut())
        if payload:
            told.payload = memoryview(exactly(asked, payload) or _cut())
        return told

    def _dismiss(self, worker: int | None):
        with self.lock:
            asked = self.all.pop(worker, None)
        if asked is not None:
            with suppress(OSError):
                asked.shutdown(socket.SHUT_RDWR)  # a thread may be waiting for it
            asked.close()
            _nursery.kill(worker)

    def end(self):
        with self.lock:
            self.over = True
        for worker in list(self.all):
            self._dismiss(worker)


def _cut():
    raise ConnectionResetError
