"""What was done and on what paper: moves, documents, and the version each served layer carries."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.fields import OneOf
from units.models.place import District, Street


class Document(models.Model):
    """A paper or photo by its digest: what was seen is what is kept."""

    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="documents")
    title = models.CharField(_("Title"), max_length=200)
    number = models.CharField(_("Number"), max_length=80, blank=True)
    issuer = models.CharField(_("Issuer"), max_length=120, blank=True)
    dated = models.DateField(_("Dated"), null=True, blank=True)
    file = models.FileField(_("File"), upload_to="documents/%Y/", blank=True)
    media_type = models.CharField(_("Media type"), max_length=80, blank=True)
    size = models.PositiveBigIntegerField(_("Bytes"), null=True, blank=True)
    sha256 = models.CharField(_("Digest"), max_length=64, blank=True)
    added_by = models.ForeignKey("units.User", models.PROTECT, verbose_name=_("Added by"), related_name="+")
    added_at = models.DateTimeField(_("Added at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Document")
        verbose_name_plural = _("Documents")

    def __str__(self):
        return self.title


class Move(models.Model):
    """One step of 上图入库 by one person, kept for ever: the database refuses to change or delete it.

    Only the nightly job (R11), which raises suspects and decides nothing, moves without a person.
    """

    class Register(models.TextChoices):
        RECORD = "record", _("Low-efficiency record")
        LEGACY = "legacy", _("Legacy polygon")
        LEGACY_REGISTER = "legacy_register", _("Legacy register of a district")
        DISPOSAL = "disposal", _("Disposal of legacy land")
        UNIT = "unit", _("Redevelopment unit")
        PLAN = "plan", _("Annual plan")
        PROJECT = "project", _("Project")
        CRITERIA = "criteria", _("Criteria")
        SURVEY = "survey", _("Survey")

    register = OneOf(_("Register"), max_length=16, choices=Register)
    subject = models.CharField(_("Subject"), max_length=80, help_text=_("Code of the record that moved"))
    district = models.ForeignKey(District, models.PROTECT, verbose_name=_("District"), related_name="moves")
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), related_name="+"
    )
    from_state = models.CharField(_("From"), max_length=20, blank=True)
    to_state = models.CharField(_("To"), max_length=20)
    by = models.ForeignKey("units.User", models.PROTECT, null=True, verbose_name=_("By"), related_name="moves")
    role = models.CharField(_("In the role"), max_length=4)
    at = models.DateTimeField(_("At"), auto_now_add=True)
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, verbose_name=_("Document"), related_name="+"
    )
    comment = models.TextField(_("Comment"), blank=True)
    details = models.JSONField(_("Details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("Move")
        verbose_name_plural = _("Moves")
        ordering = ["id"]
        indexes = [models.Index(fields=["register", "subject"], name="move_subject")]
        constraints = [
            models.CheckConstraint(condition=~Q(to_state=models.F("from_state")), name="move_goes_somewhere"),
            models.CheckConstraint(
                condition=Q(by__isnull=False) | Q(role="R11", to_state="suspect"), name="move_is_by_a_person"
            ),
        ]

    def __str__(self):
        return f"{self.register} {self.subject}: {self.from_state} → {self.to_state}"


class ServedChange(models.Model):
    """One change of a served table, written by the database; many are folded into one row of as many `times`.

    Rows are only ever added, so that writers never wait for each other.
    """

    name = models.CharField(max_length=40)
    times = models.PositiveBigIntegerField(default=1)

    class Meta:
        verbose_name = _("Change of a served table")
        verbose_name_plural = _("Changes of served tables")

    def __str__(self):
        return f"{self.name} +{self.times}"


class Revision(models.Model):
    """A number that grows with every committed change of a served table; tiles carry it in their address.

    A view: the sum of the `ServedChange` rows of a name.
    """

    name = models.CharField(max_length=40, primary_key=True)
    number = models.PositiveBigIntegerField()

    class Meta:
        managed = False
        db_table = "units_revision"
        verbose_name = _("Revision")
        verbose_name_plural = _("Revisions")

    def __str__(self):
        return f"{self.name} {self.number}"
