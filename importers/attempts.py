"""Carry one job of an intake out: under a lock that dies with it, its progress told as it goes, its end in the row."""

import hashlib
import logging
import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache

import psycopg
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from psycopg import sql
from psycopg.types.json import Jsonb

from importers import opening, previewing
from importers.beside import Beside
from importers.consenting import again
from importers.folder import ORDER, containers_in
from importers.inspecting import inspect
from importers.loading import load
from importers.mapping import of_json
from importers.models import Intake, IntakeLayer, MappingTemplate, Retake
from importers.models.intake import Worked
from units.errors import GeoinvError, InputUnreadable, Refused
from units.models import Survey

LOCK = 0x67656F69  # the first number of our advisory locks; the second is that of the job
STOP, ENDING = "stopped", "ending"  # why a job is to stop: somebody asked for it, or the worker ends
BEAT = 1.0  # seconds between two looks at the row of a job
# A query that runs for nobody any more, its process having been killed, is ended after this time.
ORPHANS = "SET client_connection_check_interval = '2s'"

log = logging.getLogger(__name__)
ending = threading.Event()  # the worker was told to end: so are its jobs, to be started again


class Superseded(Exception):
    """Another job has taken the place of this one, or the row is gone: what was done here counts for nothing."""


class Stopped(Exception):
    """Somebody asked the job to stop, or the worker to end."""


def lock_of(job: int) -> tuple[int, int]:
    """The two numbers of the advisory lock that a job holds while it lives."""
    return LOCK, job % 2**31


def inspect_intake(uuid: str, job: int, language: str):
    """Look at every file of an intake, and leave its layers with the verdicts on them."""
    intake = Intake.objects.filter(pk=uuid).first()
    with attempt(intake, job, language) as watch:
        seen, notes, digests, unreadable = [], [], [], []
        paths = list(containers_in(intake.folder))
        for number, path in enumerate(paths):
            watch.moved(number, len(paths))
            try:
                told = storable(inspect(path, district=intake.district_id))
            except InputUnreadable as error:
                unreadable.append(error)
                notes.append(f"{path.name} – {error}")
                continue
            digests.append(told["sha256"])
            notes += told["notes"] if len(paths) == 1 else [f"{path.name}: {note}" for note in told["notes"]]
            seen += [(path.name, one | {"sha256": told["sha256"]}) for one in told["layers"]]
        if not seen:
            raise (
                unreadable[0]
                if unreadable
                else InputUnreadable(
                    _("Nothing that was uploaded holds a layer."),
                    " ".join(notes) or _("A shapefile needs its .shp, .shx and .dbf."),
                )
            )
        seen.sort(key=_order)
        watch.quiet()
        with transaction.atomic():
            _end(
                intake,
                job,
                state=Intake.State.OPEN,
                sha256=digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest(),
                notes=storable(notes),
            )
            intake.layers.all().delete()
            IntakeLayer.objects.bulk_create(
                IntakeLayer(
                    intake=intake, number=number, file=file, place=one["place"][:1000], name=one["name"][:255], told=one
                )
                for number, (file, one) in enumerate(seen, 1)
            )


def preview_layer(pk: str, job: int, language: str):
    """Do everything that taking the layer in would do, and keep nothing but what is to be told of it."""
    layer = IntakeLayer.objects.select_related("intake").filter(pk=pk).first()
    with attempt(layer, job, language) as watch:
        standing = layer.standing()
        result = _loaded(layer, watch, dry_run=True, preview=layer.preview)
        watch.quiet()
        try:
            _end(layer, job, state=IntakeLayer.State.PREVIEWED, result=storable(result), basis=standing)
        except Superseded:
            previewing.forget(layer.preview)  # the upload was discarded meanwhile
            raise


def take_layer(pk: str, job: int, language: str):
    """Take the layer in as it was previewed. That it was taken and that it says so are one transaction."""
    layer = IntakeLayer.objects.select_related("intake").filter(pk=pk).first()
    with attempt(layer, job, language) as watch, transaction.atomic():
        held = Survey.objects.filter(district=layer.intake.district_id, year=layer.intake.year)
        held.select_for_update(no_key=True).first()  # from here on it stands as it is
        standing = layer.standing()
        same = layer.arrived_since(standing) == {layer.told["sha256"]}
        if standing != layer.basis and not same:
            raise stale()
        result = _loaded(layer, watch)
        if standing != layer.basis and not result["already"]:
            raise stale()
        watch.quiet()
        _end(layer, job, state=IntakeLayer.State.IMPORTED, result=storable(result), delivery_id=result["delivery"])
        # Within the transaction: what failed after it would say of a layer that was taken that it was not.
        if template := layer.asked.get("template"):
            used = MappingTemplate.objects.filter(pk=template, profile=layer.asked["profile"])
            used.update(used_at=timezone.now())


def retake_delivery(pk: str, job: int, language: str):
    """Import the kept file of a delivery once more, for the repairs that were agreed to."""
    row = Retake.objects.select_related("delivery", "by").filter(pk=pk).first()
    with attempt(row, job, language) as watch, transaction.atomic():
        result = again(row.delivery, by=row.by, progress=watch.moved)
        watch.quiet()
        _end(row, job, state=Retake.State.DONE, made_id=result["delivery"])


def stale() -> Refused:
    """The refusal to take what was previewed against another state of the survey."""
    return Refused(
        _("The survey was changed since this was previewed: what was shown is no longer what would happen."),
        _("Preview it again, look at it, then confirm."),
        code="stale",
    )


def _loaded(layer: IntakeLayer, watch: "Watch", **how) -> dict:
    """The result of `load` for the layer, with the further layers of the intake that are of the same profile."""
    asked, intake = layer.asked, layer.intake
    with ExitStack() as stack:
        opened = cache(lambda file: stack.enter_context(opening.opened(intake.folder / file)))
        mine = opened(layer.file)
        beside = [
            Beside(
                other.recognised,
                opened(other.file).layer(other.place),
                "" if other.file == layer.file else other.told["sha256"],
            )
            for other in intake.layers.exclude(pk=layer.pk)
            if other.recognised == asked["profile"] and "unreadable" not in other.told
        ]
        return load(
            mine.path,
            asked["profile"],
            intake.district_id,
            intake.year,
            layer=layer.place,
            encoding=asked["encoding"] or None,
            crs=asked["crs"] or None,
            mapping=of_json(asked["mapping"]) if asked["mapping"] else None,
            replace=asked["replace"],
            by=layer.asked_by,
            progress=watch.moved,
            container=mine,
            beside=beside,
            supplement=asked.get("supplement"),
            **how,
        )


def storable(told):
    """What is told, as the database stores JSON: without zero bytes, halves of characters and what is no number.

    A hostile file may have any of them in the names of its fields.
    """
    match told:
        case str():
            return told.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case float():
            return told if math.isfinite(told) else None
        case dict():
            return {storable(str(name)): storable(value) for name, value in told.items()}
        case list() | tuple():
            return [storable(value) for value in told]
    return told


def _order(one: tuple[str, dict]) -> int:
    name = (one[1]["profile"] or {}).get("name")
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _end(row: Worked, job: int, **values):
    """Write how the job ended, unless another has replaced it. Raises Superseded."""
    values |= {"progress": {}, "stop": False}
    if not type(row).objects.filter(pk=row.pk, job=job).update(**values):
        raise Superseded


@contextmanager
def attempt(row: Worked | None, job: int, language: str) -> Iterator["Watch"]:
    """One attempt of a job at its row: whatever becomes of it the row says, or that it was interrupted.

    Raises Superseded where the row is another job's by now, or nobody's.
    """
    if row is None or row.job != job:
        raise Superseded
    with translation.override(language), Watch(row, job) as watch:
        try:
            yield watch
        except Superseded:
            raise
        except Exception as error:  # the end of the line: nobody waits for this but the row
            watch.quiet()
            if watch.why != ENDING:  # else it is left as it is, for whoever looks to find it interrupted
                _end(row, job, **row.failed(storable(_told(error, watch))))


def _told(error: Exception, watch: "Watch") -> dict:
    """What went wrong as the page tells it."""
    if watch.why == STOP:
        return {"code": STOP, "message": _("It was stopped. Nothing was written."), "hint": ""}
    if isinstance(error, GeoinvError):
        return {"code": error.code, "message": str(error.message), "hint": str(error.hint)}
    log.error("Job %s ended with an error", watch.job, exc_info=error)
    if isinstance(error, MemoryError):
        message, hint = _("There was not enough memory for it."), _("Deliver it in parts, or on a larger machine.")
    elif isinstance(error, OSError):
        message = _("The files could not be worked on: %(why)s.") % {"why": error.strerror or type(error).__name__}
        hint = _("Look at the space and the rights of the server's folders.")
    else:
        message, hint = _("Something broke here. It is in the log."), _("Nothing was written. Tell the administrator.")
    return {"code": "broken", "message": message, "hint": hint}


class Watch:
    """A second connection to the database, for what must be seen outside the transaction that the work is in.

    It holds the lock by which a living job is told from a dead one, writes the progress, and looks whether the job is
    to stop: then the query at work is cancelled, and the next progress that is told raises Stopped.
    """

    def __init__(self, row: Worked, job: int):
        self.row, self.job = row, job
        self.why = ""
        self.progress = {"step": "reading", "done": 0, "total": None}
        self.over = threading.Event()
        self.turn = threading.Lock()
        names = {"table": sql.Identifier(row._meta.db_table), "key": sql.Identifier(row._meta.pk.column)}
        self.begun = sql.SQL(
            "UPDATE {table} SET begun_at = now(), progress = %s WHERE {key} = %s AND job = %s AND begun_at IS NULL"
        ).format(**names)
        self.beat = sql.SQL("UPDATE {table} SET progress = %s WHERE {key} = %s AND job = %s RETURNING stop").format(
            **names
        )

    def __enter__(self) -> "Watch":
        connection.ensure_connection()
        self.main = connection.connection
        self.own = psycopg.connect(**connection.get_connection_params(), autocommit=True)
        try:
            locked = self.own.execute("SELECT pg_try_advisory_lock(%s, %s)", lock_of(self.job)).fetchone()[0]
            if not locked or not self.own.execute(self.begun, self._values()).rowcount:
                raise Superseded
            with connection.cursor() as cursor:
                cursor.execute(ORPHANS)
        except BaseException:
            self.own.close()
            raise
        self.looking = threading.Thread(target=self._look, name=f"watch of job {self.job}", daemon=True)
        self.looking.start()
        return self

    def __exit__(self, *_error):
        self.quiet()
        self.looking.join()
        self.own.close()

    def moved(self, done: int, total: int | None):
        """Remember how far the work is. Raises Stopped where it is to stop."""
        if self.why:
            raise Stopped
        step = "writing" if total and done >= total else "reading"
        self.progress = {"step": step, "done": done, "total": total}

    def quiet(self):
        """Look no more: what comes now may not be cancelled."""
        with self.turn:
            self.over.set()

    def _values(self):
        return [Jsonb(self.progress), self.row.pk, self.job]

    def _look(self):
        while not self.over.wait(BEAT):
            with self.turn, suppress(psycopg.Error):  # a lost connection ends the work itself, with its own sentence
                if self.over.is_set():
                    return
                found = self.own.execute(self.beat, self._values()).fetchone()
                if found is None or found[0]:
                    self.why = STOP
                elif ending.is_set():
                    self.why = ENDING
                if self.why:
                    self.main.cancel_safe(timeout=5)
