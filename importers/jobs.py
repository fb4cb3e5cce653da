"""Carry work out in another process: every call of procrastinate, the queue on PostgreSQL, is in here."""

import asyncio
import os
import signal
import threading
from contextlib import suppress

import psycopg
from django.db import connection
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params

from importers import attempts
from units.errors import NoDatabase

QUEUE = "importers"
WORKERS = (attempts.LOCK, 0)  # the lock that every worker shares while it lives; no job has the number 0
STARTING = 15  # seconds that a job may take from being fetched to holding its lock
LOOK = 2.0  # seconds between two questions whether the database is still there
# Seconds that a worker takes to end: a job that waits for a reader hears of nothing, and is cut off like one that is
# killed. Service managers kill after thirty.
AT_LONGEST = 15.0
# A job of the queue: waiting, fetched lately, and whether it holds its lock.
JOBS_SQL = """
SELECT j.id, j.status = 'todo' AS waiting,
       COALESCE((SELECT max(e.at) > now() - make_interval(secs => %(starting)s)
                 FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started'), false) AS starting
FROM procrastinate_jobs j WHERE j.id = ANY (%(jobs)s)
"""
LOCKS_SQL = """
SELECT objid::bigint, count(*) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY objid
"""


@app.task(name="importers.inspect", queue=QUEUE, pass_context=True)
def inspect_intake(context, row: str, language: str):
    _attempted(attempts.inspect_intake, context, row, language)


@app.task(name="importers.preview", queue=QUEUE, pass_context=True)
def preview_layer(context, row: str, language: str):
    _attempted(attempts.preview_layer, context, row, language)


@app.task(name="importers.take", queue=QUEUE, pass_context=True)
def take_layer(context, row: str, language: str):
    _attempted(attempts.take_layer, context, row, language)


@app.task(name="importers.retake", queue=QUEUE, pass_context=True)
def retake_delivery(context, row: str, language: str):
    _attempted(attempts.retake_delivery, context, row, language)


def _attempted(attempt, context, row: str, language: str):
    try:
        with suppress(attempts.Superseded):
            attempt(row, context.job.id, language)
    finally:
        # The next job of this thread may come hours later, and to a connection that a firewall has dropped by then.
        connection.close()


def defer(task, row) -> int:
    """Queue a task for a row, within the transaction at hand; the number of the job."""
    return task.defer(row=str(row.pk), language=get_language())


def forget(job: int | None):
    """Take a job out of the queue that nobody has begun, or whose worker is dead."""
    if job is not None and not app.job_manager.cancel_job_by_id(job, delete_job=True):
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM procrastinate_jobs WHERE id = %s AND NOT EXISTS (SELECT FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND objsubid = 2)",
                [job, *attempts.lock_of(job)],
            )


def how(jobs: list[int]) -> dict[int, str]:
    """Of each job: "waiting" in the queue, "running", "starting" between the two, or "dead" with its worker."""
    with connection.cursor() as cursor:
        cursor.execute(JOBS_SQL, {"jobs": jobs, "starting": STARTING})
        found = {job: (waiting, starting) for job, waiting, starting in cursor.fetchall()}
        cursor.execute(LOCKS_SQL, [attempts.LOCK])
        locked = {number for number, _count in cursor.fetchall()}
    told = {}
    for job in jobs:
        waiting, starting = found.get(job, (False, False))
        if attempts.lock_of(job)[1] in locked:
            told[job] = "running"
        else:
            told[job] = "waiting" if waiting else "starting" if starting else "dead"
    return told


def workers() -> int:
    """How many workers are alive."""
    with connection.cursor() as cursor:
        cursor.execute(LOCKS_SQL, [attempts.LOCK])
        return dict(cursor.fetchall()).get(WORKERS[1], 0)


def work(jobs: int, *, once: bool = False):
    """Carry out what is queued, `jobs` at a time, until SIGTERM or SIGINT, or with `once` until none is left.

    Jobs at work when the end comes are rolled back and can be started again. Raises NoDatabase when the database
    goes away.
    """
    attempts.ending.clear()
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as own:
        own.execute("SELECT pg_advisory_lock_shared(%s, %s)", WORKERS)
        lost = asyncio.run(_work(own, jobs, once))
    if lost:
        raise NoDatabase(
            _("The database does not answer any more; the worker ends."), _("Start it again: manage.py work.")
        )


async def _work(own: psycopg.Connection, jobs: int, once: bool) -> bool:
    """Run the worker; whether it ended because the database was lost."""
    loop = asyncio.get_running_loop()
    # One connection listens, the others are for what the worker itself asks; the jobs have Django's.
    pool = PsycopgConnector(kwargs=connector_params("default"), min_size=1, max_size=4, timeout=5)
    with app.replace_connector(pool) as working:
        async with working.open_async():
            running = asyncio.create_task(
                working.run_worker_async(
                    queues=[QUEUE],
                    concurrency=jobs,
                    wait=not once,
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
            )
            lost = False

            def end():
                attempts.ending.set()
                running.cancel()
                late = threading.Timer(AT_LONGEST, os._exit, [1])
                late.daemon = True
                late.start()

            for one in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(one, end)
            while not running.done():
                await asyncio.wait([running], timeout=LOOK)
                try:
                    await loop.run_in_executor(None, own.execute, "SELECT 1")
                except psycopg.OperationalError:
                    lost = True
                    end()
                    break
            with suppress(asyncio.CancelledError):
                await running
    return lost
