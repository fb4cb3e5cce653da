"""Share the measuring of a large district among processes of this machine, which all read one snapshot of its rows."""

import multiprocessing
import os
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from django.db import connection, connections, transaction

from units.measuring import Base, at_ease, measure

WORTH = 5_000  # parcels a process; fewer are measured sooner than a process begins
MOST = 8  # processes; each asks what the firms of the whole district do
BLOCK = 1 << 20  # bytes that are sent at once


@dataclass(frozen=True)
class Part:
    """The subjects that one process measures: those whose box begins between two lines."""

    parcels: list[int]
    buildings: list[int]


def shares(cursor, base: Base) -> list[Part]:
    """A part for each process that is worth it; none where this process measures all by itself.

    Others cannot see what a transaction around this one has not committed yet, and a process of several threads is not
    safely divided.
    """
    if connection.savepoint_ids or threading.active_count() > 1:
        return []
    cursor.execute("SELECT count(*) FROM units_parcel WHERE survey_id = %s", [base.survey])
    count = min(len(os.sched_getaffinity(0)), MOST, cursor.fetchone()[0] // WORTH)
    if count < 2:
        return []
    cursor.execute(
        "SELECT percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY ST_XMin(geom)) "
        "FROM units_parcel WHERE survey_id = %s",
        [[place / count for place in range(1, count)], base.survey],
    )
    lines = cursor.fetchone()[0]
    told = []
    for table in ("units_parcel", "units_building"):
        cursor.execute(
            f"SELECT width_bucket(ST_XMin(geom), %s::float8[]), array_agg(id ORDER BY id) FROM {table} "
            "WHERE survey_id = %s GROUP BY 1",
            [lines, base.survey],
        )
        told.append(dict(cursor.fetchall()))
    return [Part(told[0].get(place, []), told[1].get(place, [])) for place in range(count)]


@contextmanager
def processes(cursor, base: Base, parts: Sequence[Part], columns: Sequence[str]) -> Iterator[list["Process"]]:
    """A process at work on each part; whatever happens, none is left behind."""
    cursor.execute("SELECT pg_export_snapshot()")
    snapshot = cursor.fetchone()[0]
    started = [Process(base, part, snapshot, columns) for part in parts]
    try:
        yield started
    finally:
        for one in started:
            one.end()


class Process:
    """One process, and what it tells: the rows that differ from those stored, all subjects, and the means."""

    def __init__(self, base: Base, part: Part, snapshot: str, columns: Sequence[str]):
        fork = multiprocessing.get_context("fork")
        self.reading, writing = fork.Pipe(duplex=False)
        self.process = fork.Process(target=_measured, args=(base, part, snapshot, columns, writing), daemon=True)
        self.process.start()
        writing.close()

    def rows(self) -> Iterator[bytes]:
        """The rows that differ, as COPY writes them in binary; RuntimeError for a process that failed."""
        while block := self._next():
            yield block

    def told(self) -> tuple[list[int], list]:
        """All subjects of the part, and the means; after the rows."""
        return np.frombuffer(self._next(), dtype=np.int64).tolist(), self.reading.recv()

    def _next(self) -> bytes:
        try:
            kind = self.reading.recv_bytes(BLOCK * 2)
            if kind == b"failed":
                raise RuntimeError(self.reading.recv())
            return self.reading.recv_bytes()
        except EOFError as gone:
            self.process.join()
            raise RuntimeError(f"a measuring process ended with {self.process.exitcode}") from gone

    def end(self) -> None:
        self.reading.close()
        if self.process.is_alive():
            self.process.terminate()
        self.process.join()


def _measured(base: Base, part: Part, snapshot: str, columns: Sequence[str], writing) -> None:
    """In a process of its own: measure the part, and send what is not stored so."""
    inherited = connections["default"]  # that of the parent, never to be used nor closed here
    del connections["default"]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
            at_ease(cursor)
            measure(cursor, base, base.around(part.parcels, part.buildings, listed=False))
            asked = f"COPY ({differing(columns)}) TO STDOUT (FORMAT binary)"
            with connection.connection.cursor() as raw, raw.copy(asked, [base.survey]) as copy:
                waiting = bytearray()
                for data in copy:
                    waiting += data
                    if len(waiting) >= BLOCK:
                        _send(writing, bytes(waiting))
                        waiting.clear()
                _send(writing, bytes(waiting))
            _send(writing, b"")
            cursor.execute("SELECT subject FROM pg_temp.measured")
            _send(writing, np.array([row[0] for row in cursor.fetchall()], dtype=np.int64).tobytes())
            cursor.execute("SELECT tax, peers FROM pg_temp.floor_mean")
            writing.send([list(row) for row in cursor.fetchall()])
        connection.close()
    except Exception:  # whatever it is, the parent says it
        writing.send_bytes(b"failed")
        writing.send(traceback.format_exc())
    finally:
        writing.close()
        assert inherited is not None
        os._exit(0)


def _send(writing, block: bytes) -> None:
    writing.send_bytes(b"block")
    writing.send_bytes(block)


def differing(columns: Sequence[str]) -> str:
    """The rows of `measured` that are not stored so; it binds the survey."""
    return f"""
        SELECT {", ".join(f"m.{name}" for name in columns)}
        FROM pg_temp.measured m
        LEFT JOIN units_measured s ON s.subject = m.subject
        WHERE s.subject IS NULL OR s.survey_id <> %s
           OR ({", ".join(f"m.{name}" for name in columns)})
              IS DISTINCT FROM ({", ".join(f"s.{name}" for name in columns)})
        ORDER BY m.subject"""
