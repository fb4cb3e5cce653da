"""What was uploaded: one intake with its layers, each on its way from the verdicts to a delivery."""

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from importers.profiles import profile
from units.models import Delivery, District, Survey
from units.models.fields import OneOf


class Worked(models.Model):
    """A row that a job works on. It is the truth about the job: pages poll it, and a new job begins from it."""

    # The number of the job that works on it, or did last. A job that finds another number here has been replaced.
    job = models.BigIntegerField(_("Job"), null=True, blank=True)
    begun_at = models.DateTimeField(_("Begun at"), null=True, blank=True)
    stop = models.BooleanField(_("Asked to stop"), default=False)
    progress = models.JSONField(_("Progress"), default=dict, blank=True, help_text=_("Step, rows done, rows in all"))
    error = models.JSONField(_("Error"), null=True, blank=True, help_text=_("Code, message and hint"))

    class Meta:
        abstract = True

    def begin(self):
        """Forget the last job; the caller sets the state and the number of the new one."""
        self.job, self.begun_at, self.stop, self.error = None, None, False, None
        self.progress = {"step": "queued", "done": 0, "total": None}


class Intake(Worked):
    """One upload into a survey: its files in a private folder, and what was thought of them."""

    class State(models.TextChoices):
        INSPECTING = "inspecting", _("Being looked at")
        OPEN = "open", _("Open")
        FAILED = "failed", _("Failed")
        CLOSED = "closed", _("Closed")

    uuid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    district = models.ForeignKey(District, models.CASCADE, verbose_name=_("District"), related_name="+")
    year = models.PositiveSmallIntegerField(_("Survey"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("Uploaded by"),
        related_name="+",
    )
    received_at = models.DateTimeField(_("Received at"), auto_now_add=True)
    # `name` as it was uploaded, `kept` as it is called in the folder.
    files = models.JSONField(_("Files"), default=list, help_text=_("Name, size and the name it is kept under"))
    sha256 = models.CharField(_("Digest of the files"), max_length=64, blank=True)
    state = OneOf(_("State"), max_length=10, choices=State, default=State.INSPECTING)
    notes = models.JSONField(_("Notes"), default=list, blank=True)

    class Meta:
        verbose_name = _("Intake")
        verbose_name_plural = _("Intakes")
        ordering = ["-received_at"]
        indexes = [models.Index(fields=["district", "-received_at"])]

    def __str__(self):
        return ", ".join(one["name"] for one in self.files)

    @property
    def running(self) -> bool:
        return self.state == self.State.INSPECTING

    @property
    def folder(self) -> Path:
        """Where its files lie until it is closed."""
        return Path(settings.INTAKES_DIR) / str(self.pk)

    def failed(self, error: dict) -> dict:
        """The values of a row whose job did not come to its end."""
        return {"state": self.State.FAILED, "error": error}


class IntakeLayer(Worked):
    """One layer of an intake. It is previewed with what was asked of it, and taken as it was previewed."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        PREVIEWING = "previewing", _("Being previewed")
        PREVIEWED = "previewed", _("Previewed")
        IMPORTING = "importing", _("Being taken")
        IMPORTED = "imported", _("Taken")
        FAILED = "failed", _("Failed")
        INTERRUPTED = "interrupted", _("Interrupted")
        UNDONE = "undone", _("Taken back")

    RUNNING = (State.PREVIEWING, State.IMPORTING)

    intake = models.ForeignKey(Intake, models.CASCADE, verbose_name=_("Intake"), related_name="layers")
    number = models.PositiveSmallIntegerField(_("Number"))
    file = models.CharField(_("File"), max_length=255)
    place = models.CharField(_("Place"), max_length=1000)
    name = models.CharField(_("Layer"), max_length=255)
    told = models.JSONField(_("Verdicts"), default=dict)
    asked = models.JSONField(_("Asked"), null=True, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("Asked by"), related_name="+"
    )
    state = OneOf(_("State"), max_length=12, choices=State, default=State.WAITING)
    result = models.JSONField(_("Result"), null=True, blank=True)
    preview = models.UUIDField(_("Preview"), null=True, blank=True)
    # The survey and its deliveries as they stood when the preview was made; None where there is no good preview.
    basis = models.JSONField(_("Previewed against"), null=True, blank=True)
    delivery = models.ForeignKey(
        Delivery, models.SET_NULL, null=True, blank=True, verbose_name=_("Delivery"), related_name="+"
    )

    class Meta:
        verbose_name = _("Layer of an intake")
        verbose_name_plural = _("Layers of intakes")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["intake", "number"], name="layer_once_an_intake")]

    def __str__(self):
        return self.place

    @property
    def running(self) -> bool:
        return self.state in self.RUNNING

    @property
    def recognised(self) -> str | None:
        """The profile that was asked for, else the one that fits."""
        if self.asked:
            return self.asked["profile"]
        return (self.told.get("profile") or {}).get("name")

    @property
    def told_state(self) -> str:
        """The state as people are told it: what was taken and then taken back is undone."""
        if self.state == self.State.IMPORTED and self.delivery and self.delivery.state == Delivery.State.UNDONE:
            return self.State.UNDONE
        return self.state

    def failed(self, error: dict) -> dict:
        """The values of a row whose job did not come to its end.

        What was stopped or interrupted can be started again from where it was: with its preview, if it had one.
        """
        match error["code"]:
            case "stopped":
                return {"state": self.State.PREVIEWED if self.basis else self.State.WAITING, "error": error}
            case "interrupted":
                return {"state": self.State.INTERRUPTED, "error": error}
        return {"state": self.State.FAILED, "error": error, "basis": None}

    def standing(self) -> dict:
        """The survey and what was delivered of this profile into it, as they stand now, but for this same intake.

        Registers of a district are shared by its surveys, so the deliveries of all of them count.
        """
        wanted = profile(self.asked["profile"])
        survey = Survey.objects.filter(district=self.intake.district_id, year=self.intake.year).first()
        found = Delivery.objects.filter(district=self.intake.district_id, profile=wanted.name).exclude(
            pk__in=self.intake.layers.filter(delivery__isnull=False).values("delivery")
        )
        if wanted.kinds:  # the layers of a control profile are registers of their own
            found = found.filter(settings__layer=self.name)
        return {
            "survey": survey.state if survey else Survey.State.LOADED,
            "deliveries": {str(pk): state for pk, state in found.values_list("pk", "state").order_by("pk")},
        }

    def arrived_since(self, standing: dict) -> set[str]:
        """The digests of the deliveries in `standing` that were not there, or not so, when this was previewed."""
        before = (self.basis or {}).get("deliveries", {})
        new = [pk for pk, state in standing["deliveries"].items() if before.get(pk) != state]
        return set(Delivery.objects.filter(pk__in=new).values_list("sha256", flat=True))


class Retake(Worked):
    """The kept file of a delivery, imported once more for the rows that people agreed to have repaired."""

    class State(models.TextChoices):
        WORKING = "working", _("Being taken")
        DONE = "done", _("Taken")
        FAILED = "failed", _("Failed")

    delivery = models.OneToOneField(Delivery, models.CASCADE, verbose_name=_("Delivery"), related_name="+")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("Asked by"), related_name="+"
    )
    state = OneOf(_("State"), max_length=10, choices=State, default=State.WORKING)
    made = models.ForeignKey(
        Delivery, models.SET_NULL, null=True, blank=True, verbose_name=_("Delivery that it made"), related_name="+"
    )

    class Meta:
        verbose_name = _("File taken once more")
        verbose_name_plural = _("Files taken once more")

    def __str__(self):
        return f"{self.delivery_id}: {self.state}"

    @property
    def running(self) -> bool:
        return self.state == self.State.WORKING

    def failed(self, error: dict) -> dict:
        """The values of a row whose job did not come to its end."""
        return {"state": self.State.FAILED, "error": error}
