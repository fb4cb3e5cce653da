"""Views of the map that people keep: where it looks, what it shows and what it is narrowed to."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.models.place import District


class SavedView(models.Model):
    """A view of the map under a name (收藏视图). `address` is the part of the map's address after #.

    It holds no data: whoever opens it sees what his own role sees there. One that is shared is listed for everybody
    who works in its district.
    """

    owner = models.ForeignKey("units.User", models.CASCADE, verbose_name=_("Owner"), related_name="saved_views")
    name = models.CharField(_("Name"), max_length=60)
    address = models.CharField(_("Address"), max_length=2000)
    district = models.ForeignKey(
        District, models.CASCADE, null=True, blank=True, verbose_name=_("Shared in the district"), related_name="+"
    )
    version = models.PositiveIntegerField(_("Version"), default=1)
    made_at = models.DateTimeField(_("Made at"), auto_now_add=True)
    changed_at = models.DateTimeField(_("Changed at"), auto_now=True)

    class Meta:
        verbose_name = _("Saved view")
        verbose_name_plural = _("Saved views")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_view_name_once"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(address=""), name="saved_view_has_name_and_address"),
        ]
        indexes = [models.Index(fields=["district"], name="saved_view_district")]

    def __str__(self):
        return self.name
