"""Run a reader in a process of its own with limits, so that a crash, a bomb or a loop in it is a verdict.

It is no wall against a file that takes a reader over: reader and importing process are one user of the system, and
what the one answers the other unpickles.
"""

import atexit
import contextlib
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext as translated

from units.errors import InputUnreadable


def untranslated(text: str) -> str:
    """An English msgid of a reader, as it is: it is translated by the process that tells it."""
    return text


_ = untranslated

MEMORY = 4 * 1024**3  # bytes of address space: what one delivery may ask for
SECONDS = 600  # of processor time and of waiting
FILE_SIZE = 8 * 1024**3  # bytes of one file that a reader lays out
AGAIN = _("Export the layer again.")
# Of the environment, what names or opens the database and signs sessions: no reader needs it.
SECRETS = ("DATABASE_URL", "GEOINV_", "PG")


class Words(NamedTuple):
    """A sentence that is not translated yet: its English msgid and what stands in it."""

    text: str
    parts: dict = {}

    def __str__(self) -> str:
        return translated(self.text) % self.parts


class CannotRead(Exception):
    """A reader gives up: the sentence and the hint as msgids, since no language is chosen in its process."""

    def __init__(self, sentence: str, hint: str = AGAIN, **parts):
        super().__init__(sentence, hint, parts)
        self.sentence, self.hint, self.parts = sentence, hint, parts

    def __reduce__(self):
        return _made_again, (self.sentence, self.hint, self.parts)

    def __str__(self) -> str:
        return self.sentence % self.parts

    def told(self) -> InputUnreadable:
        """The same as the importing process says it."""
        return InputUnreadable(str(Words(self.sentence, self.parts)), str(Words(self.hint, self.parts)))


def _made_again(sentence: str, hint: str, parts: dict) -> CannotRead:
    return CannotRead(sentence, hint, **parts)


class _Kept:
    """The one reading process of this process: started when it is needed, and anew after a crash."""

    def __init__(self):
        self.lock = threading.Lock()
        self.pool: ProcessPoolExecutor | None = None
        self.owner = 0

    def run(self, function, arguments):
        with self.lock:
            if self.pool is None or self.owner != os.getpid():
                self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("forkserver"), initializer=_limited)
                self.owner = os.getpid()
            try:
                return self.pool.submit(_within, function, arguments).result()
            except (BrokenProcessPool, MemoryError):
                self.stop()
                raise

    def stop(self):
        if self.pool is not None and self.owner == os.getpid():
            self.pool.shutdown(wait=False, cancel_futures=True)
        self.pool = None


_kept = _Kept()
atexit.register(_kept.stop)


def confined(function, *arguments, name: str):
    """function(*arguments) in the reading process; both must be picklable. `name` is the file, as it is told.

    Raises InputUnreadable for a CannotRead of the reader, and where it crashes or the memory or the time runs out.
    """
    try:
        return _kept.run(function, arguments)
    except CannotRead as error:
        raise error.told() from error
    except BrokenProcessPool as error:
        raise InputUnreadable(
            gettext("%(name)s cannot be read: the reader crashed on it, or it took more than %(seconds)d s.")
            % {"name": name, "seconds": SECONDS},
            translated(AGAIN),
        ) from error
    except OSError as error:  # of the folder in which it is laid out
        raise InputUnreadable(
            gettext("%(name)s cannot be copied or unpacked: %(why)s.") % {"name": name, "why": error.strerror or error},
            gettext("Make room in the folder for temporary files, or deliver less at once."),
        ) from error
    except MemoryError as error:
        raise InputUnreadable(
            gettext("%(name)s cannot be read: the memory does not hold it.") % {"name": name},
            gettext("Deliver it in several files of one folder."),
        ) from error


def _limited():
    """Set the limits of the reading process, and let it end with the process that started it."""
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers Ctrl-C
    for name in [name for name in os.environ if name.startswith(SECRETS)]:
        del os.environ[name]
    sentinel = multiprocessing.parent_process().sentinel
    threading.Thread(target=_end_with, args=(sentinel,), daemon=True).start()


def _end_with(sentinel):
    with contextlib.suppress(OSError):
        wait([sentinel])
    os._exit(0)


def _within(function, arguments):
    """The function, ended by the system where it takes too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (spent + SECONDS, hard))
    signal.alarm(SECONDS)
    try:
        return function(*arguments)
    finally:
        signal.alarm(0)
