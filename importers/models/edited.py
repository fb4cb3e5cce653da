"""What people did by hand to delivered rows of tables that keep no versions."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Edited(models.Model):
    """One change or deletion of one delivered row, by whatever way; triggers write it, deliveries themselves do not.

    Registers keep every version of their rows; of the other tables this is how taking a delivery back sees what people
    did to its rows since. `table` and `key` are the row's, `delivery` is the one it came from as it was changed.
    """

    class What(models.TextChoices):
        EDITED = "edited", _("Edited")
        DELETED = "deleted", _("Deleted")

    table = models.CharField(_("Table"), max_length=63)
    key = models.BigIntegerField(_("Primary key"))
    delivery = models.BigIntegerField(_("Delivery"))
    what = models.CharField(_("What was done"), max_length=7, choices=What)
    name = models.CharField(_("Identifier"), max_length=80, blank=True)
    user = models.BigIntegerField(_("By"), null=True)
    at = models.DateTimeField(_("At"))

    class Meta:
        verbose_name = _("Edit by hand")
        verbose_name_plural = _("Edits by hand")
        indexes = [models.Index(fields=["table", "key"], name="edited_row")]

    def __str__(self):
        return f"{self.table} {self.name}: {self.what}"
