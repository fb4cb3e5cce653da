"""The rows that a delivery replaced, kept so that it can be taken back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from units.models import Delivery


class Replaced(models.Model):
    """A row as it was before a delivery changed it or took it out, as PostgreSQL writes a record.

    Where its shape was left alone it is null here.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, verbose_name=_("Delivery"), related_name="+")
    table = models.CharField(_("Table"), max_length=63)
    key = models.CharField(_("Primary key"), max_length=40)
    row = models.TextField(_("Row before"))

    class Meta:
        verbose_name = _("Replaced row")
        verbose_name_plural = _("Replaced rows")
        constraints = [models.UniqueConstraint(fields=["delivery", "table", "key"], name="replaced_once_a_delivery")]

    def __str__(self):
        return f"{self.table} {self.key}"
