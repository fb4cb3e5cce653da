"""The process that forks the workers of an import: it has loaded what a batch needs, and has one thread only.

Run as a program by `workers`, with the number of a socket: a message "fork" brings the socket of a new worker and is
answered by its number, "kill" and a number ends one. It ends with the process that started it, and its workers end
with it, whatever they are doing.
"""

import ctypes
import math
import os
import pickle
import resource
import select
import signal
import socket
import sys
import traceback


class _Absent:
    """Arrow loads pandas to see whether a text that it is given is one of its own; half a second, in every worker."""

    def find_spec(self, name, path, target=None):
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


sys.meta_path.insert(0, _Absent())

from importers.batching import work  # noqa: E402
from importers.passing import FORK, HEAD, MEMORY, NUMBER, ORDER, exactly  # noqa: E402

MOST_MEMORY = 2 * 1024**3  # bytes of its own that a worker may take; the files that it maps are the system's
PR_SET_PDEATHSIG = 1


def main():
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is answered by the importing process
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    children: set[int] = set()
    while True:
        said, handed = b"", []
        if select.select([control], [], [], 1.0)[0]:
            said, handed, _flags, _from = socket.recv_fds(control, ORDER.size, 1)
            if not said:
                break
        children -= {child for child in children if os.waitpid(child, os.WNOHANG)[0]}
        if not said:
            continue
        what, number = ORDER.unpack(said)
        if what == FORK:
            here = os.getpid()
            number = os.fork()
            if not number:
                control.close()
                _work(socket.socket(fileno=handed[0]), here)
            os.close(handed[0])
            children.add(number)
        elif number in children:  # a number that is still here is nobody else's
            _end(number)
            children.discard(number)
        control.sendall(NUMBER.pack(number))
    for child in children:
        _end(child)


def _end(child: int):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _work(asked: socket.socket, parent: int):
    """Be a worker: answer each batch that is asked for, until nobody asks any more."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        for what, limit in ((resource.RLIMIT_DATA, MOST_MEMORY), (resource.RLIMIT_FSIZE, 0)):
            resource.setrlimit(what, (limit, limit))
        plan, failed = None, None
        while head := exactly(asked, HEAD.size):
            size, seconds = HEAD.unpack(head)
            _limit_time(seconds)
            payload = b""
            try:
                task = pickle.loads(exactly(asked, size))
                if plan is None:
                    plan, told = task, None
                else:
                    told = work(plan, *task)
                    payload, told.payload = told.payload, b""
            except MemoryError:
                told = failed = MEMORY
            except Exception:
                told = failed = traceback.format_exc()
            said = pickle.dumps(failed or told, 5)
            asked.sendall(HEAD.pack(len(said), len(payload)))
            asked.sendall(said)
            asked.sendall(payload)
        code = 0
    finally:
        os._exit(code)


def _limit_time(seconds: int):
    """Let so much processor time be spent from now on; the system ends a process that spends more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
