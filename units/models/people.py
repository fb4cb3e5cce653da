"""Who works here: users, the scope of their roles, and sign-ins that failed."""

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from units.models.history import versions_kept
from units.models.place import Department, District, Street, begins_with
from units.rights import Grant


class User(AbstractUser):
    """A person or a program with an account. What it may see follows from its scopes alone."""

    class Meta(AbstractUser.Meta):
        verbose_name = _("User")
        verbose_name_plural = _("Users")

    def grants(self) -> tuple[Grant, ...]:
        """The roles this user holds and where; empty for an inactive user. Read once a request."""
        if not self.is_active:
            return ()
        if not hasattr(self, "_grants"):
            rows = self.scopes.values_list("group__name", "district_id", "street_id", "department__code")
            self._grants = tuple(Grant(*row) for row in rows)
        return self._grants


@versions_kept
class Scope(models.Model):
    """One role of one user, in one district or all, in one street or all (workflow 4.1)."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("User"), related_name="scopes")
    group = models.ForeignKey(Group, models.PROTECT, verbose_name=_("Role"), related_name="scopes")
    district = models.ForeignKey(
        District, models.PROTECT, null=True, blank=True, verbose_name=_("District"), help_text=_("Empty: all districts")
    )
    street = models.ForeignKey(
        Street, models.PROTECT, null=True, blank=True, verbose_name=_("Street"), help_text=_("Empty: all streets")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("Department"), help_text=_("For R3 and R4")
    )

    class Meta:
        verbose_name = _("Scope")
        verbose_name_plural = _("Scopes")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "group", "district", "street", "department"],
                nulls_distinct=False,
                name="scope_once_a_user",
            ),
            models.CheckConstraint(
                condition=begins_with("street", "district"),
                name="scope_street_in_district",
            ),
        ]

    def __str__(self):
        return f"{self.user} {self.group} {self.street or self.district or '*'}"


class SignInFailure(models.Model):
    """One failed sign-in. Names and addresses are kept as digests: they throttle, they do not profile."""

    name_digest = models.CharField(max_length=64)
    address_digest = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Failed sign-in")
        verbose_name_plural = _("Failed sign-ins")
        indexes = [models.Index(fields=["name_digest", "at"]), models.Index(fields=["address_digest", "at"])]

    def __str__(self):
        return f"{self.name_digest[:8]} {self.at:%Y-%m-%d %H:%M}"
