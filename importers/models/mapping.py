"""Mappings kept by name, offered again for layers whose columns fit."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from importers.mapping import Mapping, of_json
from units.models import District


class Templates(models.QuerySet):
    """The kept mappings of everybody."""

    def offered(self, profile: str, columns: list[str], district: str | None = None) -> list["MappingTemplate"]:
        """Those that fit a layer of these columns, best first.

        One fits where the layer has every column that it names. Best is that which was made for the most like columns,
        then one of the same district, then the one used last.
        """
        had = {column.upper() for column in columns}
        found = [one for one in self.filter(profile=profile) if one.named() <= had]
        return sorted(
            found,
            key=lambda one: (-one.likeness(had), one.district_id != district, -one.used_at.timestamp(), one.name),
        )

    def keep(self, mapping: Mapping, columns: list[str], *, by=None, district: str | None = None) -> "MappingTemplate":
        """Keep a mapping under its name; one of that name for the profile and the district is written over."""
        found, _made = self.update_or_create(
            name=mapping.name,
            profile=mapping.profile,
            district_id=district,
            defaults={
                "columns": sorted({column.upper() for column in columns}),
                "mapping": mapping.told(),
                "by": by,
                "used_at": timezone.now(),
            },
        )
        return found


class MappingTemplate(models.Model):
    """A mapping that somebody keeps for the next delivery of the same make; of one district, or of all."""

    name = models.CharField(_("Name"), max_length=100)
    profile = models.CharField(_("Profile"), max_length=40)
    columns = models.JSONField(_("Columns"), default=list)
    mapping = models.JSONField(_("Mapping"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, verbose_name=_("By"), null=True, blank=True, related_name="+"
    )
    district = models.ForeignKey(
        District, models.CASCADE, verbose_name=_("District"), null=True, blank=True, related_name="+"
    )
    used_at = models.DateTimeField(_("Used last"), default=timezone.now)

    objects = Templates.as_manager()

    class Meta:
        verbose_name = _("Mapping template")
        verbose_name_plural = _("Mapping templates")
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "district", "name"], name="mapping_name_once", nulls_distinct=False
            )
        ]

    def __str__(self):
        return f"{self.name} ({self.profile})"

    def made(self) -> Mapping:
        """The mapping as it is applied; raises UsageError where the profile has changed since and lacks its fields."""
        return of_json({**self.mapping, "name": self.name})

    def named(self) -> set[str]:
        """The columns that the mapping names."""
        return {column.upper() for column in self.mapping["fields"].values() if column}

    def likeness(self, had: set[str]) -> float:
        """How like the columns for which it was made are to those of a layer: 1 where they are the same."""
        mine = set(self.columns)
        return len(mine & had) / (len(mine | had) or 1)
