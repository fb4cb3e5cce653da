"""A projection that does to its process what a hostile shape might do to a library, at one place of the layer."""

import os
import signal

import numpy as np

from importers.shaping import Projection

WRITTEN = "/tmp/geoinv-written-by-a-worker"
FATAL = (39_515_555.0, 4_325_555.0)  # the vertex, in metres of EPSG:4527


class Poisoned(Projection):
    """Goes wrong in a process that meets FATAL; what happens is `deed`."""

    deed = "crash"

    def stored(self, points):
        if (points == FATAL).all(axis=1).any():
            getattr(self, self.deed)()
        return super().stored(points)

    def crash(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def hang(self):
        while True:
            pass

    def eat(self):
        np.ones(2**29)  # four gigabytes

    def raise_(self):
        raise ZeroDivisionError("a fault of our own")

    def write(self):
        os.write(os.open(WRITTEN, os.O_CREAT | os.O_WRONLY), b"x")

    def __reduce__(self):
        return _made, (self.way, self.metric, self.polynomial, self.deed)


def _made(way, metric, polynomial, deed):
    made = Poisoned(way, metric)
    made.polynomial, made.deed = polynomial, deed
    return made
