"""Take an upload from its files to its deliveries: receive, look at it, preview, confirm, stop, discard."""

import re
import shutil
import unicodedata
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from importers import attempts, jobs, previewing
from importers.mapping import of_json
from importers.models import Intake, IntakeLayer, Retake
from importers.profiles import profile
from units.errors import Refused, UsageError
from units.models import Delivery, District

KEPT_FOR = timedelta(days=14)  # an upload that nobody decides upon is removed after this time
# Letters and bytes of the two parts of a name; a file system allows 255 bytes, and a letter has up to four.
STEM, SUFFIX = (80, 240), (10, 14)
UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]')


def new_folder() -> tuple[uuid.UUID, Path]:
    """The number of an intake to be, and its empty folder, which nobody else may enter."""
    number = uuid.uuid4()
    root = Path(settings.INTAKES_DIR)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = root / str(number)
    folder.mkdir(mode=0o700)
    return number, folder


def clean(name: str) -> str:
    """A name that can be a file's, whatever was sent: no path, nothing that does not print, not too long.

    The parts of a shapefile keep one stem.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2]).strip()
    name = UNFIT.sub("_", name).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    return f"{_cut(stem.strip(), *STEM) or 'file'}{dot}{_cut(suffix, *SUFFIX)}"


def _cut(text: str, letters: int, most: int) -> str:
    """So many letters and bytes of a text, and no part of a letter."""
    return text[:letters].encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def receive(number: uuid.UUID, district: District, year: int, files: list[dict], by) -> Intake:
    """Open an intake of the files that lie in its folder, and have them looked at."""
    if not 1996 <= year <= 2100:
        raise UsageError(_("%(year)s is no year of a survey.") % {"year": year}, _("Give four digits, such as 2022."))
    if not files:
        raise UsageError(_("No file was sent."), _("Choose the files of a delivery, or drop them on the page."))
    if empty := [one["name"] for one in files if not one["size"]]:
        raise UsageError(
            _("These files are empty: %(names)s.") % {"names": ", ".join(empty[:5])},
            _("Nothing was kept of the upload. Send the files again; perhaps they were still being written."),
            code="empty-file",
        )
    with transaction.atomic():
        intake = Intake(pk=number, district=district, year=year, files=files, by=by)
        intake.begin()
        intake.job = jobs.defer(jobs.inspect_intake, intake)
        intake.save(force_insert=True)
    return intake


def look_again(intake: Intake):
    """Have the files looked at once more, where that was interrupted or failed."""
    with transaction.atomic():
        intake = Intake.objects.select_for_update().get(pk=intake.pk)
        if intake.state not in (Intake.State.FAILED, Intake.State.INSPECTING):
            return
        jobs.forget(intake.job)
        intake.begin()
        intake.state = Intake.State.INSPECTING
        intake.job = jobs.defer(jobs.inspect_intake, intake)
        intake.save()


def preview(layer: IntakeLayer, asked: dict, by) -> IntakeLayer:
    """Have everything done that taking the layer in would do, as it is `asked`, and keep nothing of it."""
    with transaction.atomic():
        layer = _mine(layer)
        wanted = profile(asked["profile"])
        if asked["mapping"]:
            of_json(asked["mapping"])  # wrong is said now
        if "unreadable" in layer.told:
            raise Refused(layer.told["unreadable"], code="unreadable")
        if layer.state == IntakeLayer.State.IMPORTED and layer.told_state != IntakeLayer.State.UNDONE:
            raise Refused(
                _("This layer was taken already, as delivery %(number)d.") % {"number": layer.delivery_id},
                _("Take the delivery back first."),
                code="imported",
            )
        if layer.preview:
            previewing.forget(layer.preview)
        layer.begin()
        layer.asked = asked | {"profile": wanted.name}
        layer.asked_by, layer.basis, layer.result, layer.delivery = by, None, None, None
        layer.preview = uuid.uuid4()
        layer.state = IntakeLayer.State.PREVIEWING
        layer.job = jobs.defer(jobs.preview_layer, layer)
        layer.save()
    return layer


def confirm(layer: IntakeLayer, by, seen: str | None = None) -> IntakeLayer:
    """Have the layer taken in as it was previewed. Raises Refused where it was not, or the survey changed since.

    `seen` is the number of the preview that was looked at: somebody else may have made another meanwhile.
    """
    with transaction.atomic():
        layer = _mine(layer)
        if layer.basis is None or layer.state == IntakeLayer.State.IMPORTED:
            raise Refused(
                _("This layer was not previewed."), _("Preview it, look at it, then confirm."), code="not-previewed"
            )
        if seen is not None and seen != str(layer.preview):
            raise Refused(
                _("The layer was previewed once more since, perhaps by somebody else and in another way."),
                _("Look at what that preview shows, then confirm."),
                code="stale",
            )
        standing = layer.standing()
        if standing != layer.basis and layer.arrived_since(standing) != {layer.told["sha256"]}:
            raise attempts.stale()
        layer.begin()
        layer.asked_by, layer.state = by, IntakeLayer.State.IMPORTING
        layer.job = jobs.defer(jobs.take_layer, layer)
        layer.save()
    return layer


def stop(layer: IntakeLayer) -> IntakeLayer:
    """Ask the job that works on the layer to stop; one that was not begun never is."""
    with transaction.atomic():
        layer = IntakeLayer.objects.select_for_update(of=("self",)).select_related("intake").get(pk=layer.pk)
        if not layer.running:
            raise Refused(_("Nothing is at work on this layer."), _("Look at it again."), code="not-running")
        if layer.begun_at is None and jobs.how([layer.job])[layer.job] == "waiting":
            jobs.forget(layer.job)
            told = {"code": attempts.STOP, "message": _("It was stopped. Nothing was written."), "hint": ""}
            _set(layer, layer.failed(told) | {"job": None, "progress": {}})
        else:
            layer.stop = True
            layer.save(update_fields=["stop"])
    return layer


def discard(intake: Intake):
    """Remove the files of an intake and what was previewed of it; what was taken in stays."""
    with transaction.atomic():
        intake = Intake.objects.select_for_update().get(pk=intake.pk)
        layers, folder = list(intake.layers.select_for_update(of=("self",))), intake.folder
        if any(one.state == IntakeLayer.State.IMPORTING and not _dead(one) for one in layers):
            raise Refused(
                _("A layer of it is being taken in just now."), _("Stop it, or wait until it is done."), code="running"
            )
        for one in (intake, *layers):
            if one.running:
                jobs.forget(one.job)
        for one in layers:
            if one.preview:
                previewing.forget(one.preview)
        if any(one.delivery_id for one in layers):
            intake.state, intake.job = Intake.State.CLOSED, None
            intake.save()
        else:
            intake.delete()
    shutil.rmtree(folder, ignore_errors=True)


def retake(delivery: Delivery, by) -> Retake:
    """Have the kept file of a delivery imported once more, for the repairs that were agreed to."""
    with transaction.atomic():
        Delivery.objects.select_for_update(of=("self",), no_key=True).get(pk=delivery.pk)
        row = settle_retake(delivery) or Retake(delivery=delivery)
        if row.pk and row.running:
            raise Refused(
                _("The file is being taken once more just now."), _("Wait until that is done."), code="running"
            )
        row.begin()
        row.by, row.state, row.made = by, Retake.State.WORKING, None
        row.save()
        row.job = jobs.defer(jobs.retake_delivery, row)
        row.save(update_fields=["job"])
    return row


def settle_retake(delivery: Delivery) -> Retake | None:
    """How it stands with taking a delivery's file once more, or None where nobody asked for that."""
    row = Retake.objects.filter(delivery=delivery).first()
    if row is not None and row.running:
        _settled(row)
        row.refresh_from_db()
    return row


def settle(intake: Intake) -> list[IntakeLayer]:
    """The layers of an intake; what a job that died was working on is said to be interrupted, there and of itself."""
    layers = list(intake.layers.select_related("delivery"))
    running = [one for one in (intake, *layers) if one.running]
    if not running:
        return layers
    lost = [one for one in running if _settled(one)]
    if lost:
        intake.refresh_from_db()
        return list(intake.layers.select_related("delivery"))
    return layers


def _settled(row) -> bool:
    """Whether the job that worked on a row was found to be dead; then the row says that it was interrupted."""
    if not _dead(row):
        return False
    with transaction.atomic():
        held = type(row).objects.select_for_update(of=("self",)).filter(pk=row.pk, job=row.job).first()
        if held is not None and held.running and _dead(held):  # else it came to its end between the two questions
            jobs.forget(held.job)
            told = {
                "code": "interrupted",
                "message": _("The work was interrupted. Nothing half-done was kept."),
                "hint": _("Start it again."),
            }
            _set(held, held.failed(told) | {"progress": {}, "stop": False})
    return True


def tidy() -> dict:
    """Discard what was uploaded and not decided upon in time, and folders that belong to no intake."""
    before = timezone.now() - KEPT_FOR
    gone = 0
    for intake in Intake.objects.filter(received_at__lt=before).exclude(state=Intake.State.CLOSED):
        settle(intake)
        try:
            discard(intake)
        except Refused:
            continue  # it is being taken in just now
        gone += 1
    root = Path(settings.INTAKES_DIR)
    folders = 0
    known = {str(pk) for pk in Intake.objects.exclude(state=Intake.State.CLOSED).values_list("pk", flat=True)}
    for folder in root.iterdir() if root.is_dir() else ():
        # An upload that is still coming in has a folder and no row yet; one that breaks off just now has neither.
        with suppress(FileNotFoundError):
            if folder.name not in known and folder.stat().st_mtime < (timezone.now() - timedelta(days=1)).timestamp():
                shutil.rmtree(folder, ignore_errors=True)
                folders += 1
    return {"discarded": gone, "folders": folders}


def earlier(layers: list[IntakeLayer], district: str) -> dict[str, list[Delivery]]:
    """The deliveries into a district that came with the same files, by digest, the latest first."""
    digests = {one.told.get("sha256") for one in layers}
    found: dict[str, list[Delivery]] = {}
    for one in Delivery.objects.filter(district=district, sha256__in=digests).select_related("survey").order_by("-pk"):
        found.setdefault(one.sha256, []).append(one)
    return found


def _mine(layer: IntakeLayer) -> IntakeLayer:
    """The layer, locked, with nothing at work on it. Raises Refused."""
    intake = Intake.objects.select_for_update().get(pk=layer.intake_id)
    layer = IntakeLayer.objects.select_for_update(of=("self",)).select_related("intake", "delivery").get(pk=layer.pk)
    if intake.state != Intake.State.OPEN:
        raise Refused(_("This upload is closed."), _("Upload the files again."), code="closed")
    if layer.running and not _dead(layer):
        raise Refused(
            _("This layer is being worked on already."), _("Wait until it is done, or stop it."), code="running"
        )
    if layer.running:
        jobs.forget(layer.job)
    return layer


def _dead(row) -> bool:
    """Whether the job that works on a row is no longer alive."""
    if row.job is None:
        return True
    how = jobs.how([row.job])[row.job]
    return how == "dead" or (how == "starting" and row.begun_at is not None)


def _set(row, values: dict):
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
