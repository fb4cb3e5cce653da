"""Who works here: users, the scope of their roles, what proves who they are, and what was done."""

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from units.models.history import versions_kept
from units.models.place import Department, District, Street, begins_with
from units.rights import Grant


class User(AbstractUser):
    """A person or a program with an account. What it may see follows from its scopes alone."""

    replaced_password = ""  # the hash that stood before the one set now

    class Meta(AbstractUser.Meta):
        verbose_name = _("User")
        verbose_name_plural = _("Users")

    def set_password(self, raw_password):
        self.replaced_password = self.password
        super().set_password(raw_password)

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


class FormerPassword(models.Model):
    """The hash of a password that a user has, or had of late: none of them may be chosen again."""

    user = models.ForeignKey(User, models.CASCADE, related_name="former_passwords")
    password = models.CharField(max_length=128)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Former password")
        verbose_name_plural = _("Former passwords")
        ordering = ["-id"]

    def __str__(self):
        return f"{self.user} {self.at:%Y-%m-%d}"


class SecondFactor(models.Model):
    """An authenticator app of one user (TOTP, RFC 6238). Its secret is not here: it follows from `nonce` and the key
    of the site, so that who reads the table alone can make no code.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    nonce = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True)  # until then it was only shown, and is asked for nowhere
    last_step = models.BigIntegerField(default=0)  # the half minute of the last code: no code counts twice
    failures = models.PositiveSmallIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("Second factor")
        verbose_name_plural = _("Second factors")

    def __str__(self):
        return str(self.user)


class RecoveryCode(models.Model):
    """One of the codes for a day without the authenticator app, as its digest. It counts once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("Recovery code")
        verbose_name_plural = _("Recovery codes")
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self):
        return f"{self.user} {self.digest[:8]}"


class Token(models.Model):
    """What a program shows in place of a name and password; only its digest is kept."""

    class Allows(models.TextChoices):
        READ = "read", _("Reading")
        WRITE = "write", _("Reading and writing")

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("Name"), max_length=60)
    allows = models.CharField(_("Allows"), max_length=8, choices=Allows, default=Allows.READ)
    digest = models.CharField(max_length=64, unique=True)
    beginning = models.CharField(_("Begins with"), max_length=12)
    made_at = models.DateTimeField(_("Made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("Expires"))
    used_at = models.DateTimeField(_("Last used"), null=True)
    revoked_at = models.DateTimeField(_("Revoked"), null=True)

    class Meta:
        verbose_name = _("Token")
        verbose_name_plural = _("Tokens")
        ordering = ["-id"]

    def __str__(self):
        return f"{self.user} {self.name}"


class AuditEntry(models.Model):
    """Something that was done and that no other table keeps. The database refuses to change or delete it.

    The person stands here by number and by name, so that the entry outlives the account.
    """

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", _("Sign-in")
        SIGN_IN_FAILED = "sign_in_failed", _("Failed sign-in")
        SIGN_OUT = "sign_out", _("Sign-out")
        PROGRAM = "program", _("Sign-in of a program, the first of the day")
        PASSWORD = "password", _("Password changed")
        FACTOR_ON = "factor_on", _("Second factor turned on")
        FACTOR_OFF = "factor_off", _("Second factor turned off")
        FACTOR_RESET = "factor_reset", _("Second factor reset by an administrator")
        FACTOR_FAILED = "factor_failed", _("Wrong code of the second factor")
        RECOVERY = "recovery", _("Recovery code used")
        TOKEN = "token", _("Token made")
        TOKEN_REVOKED = "token_revoked", _("Token revoked")
        ACCOUNT = "account", _("Account made or changed")
        DOWNLOAD = "download", _("Download")

    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=16, choices=Kind)
    by = models.ForeignKey(User, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    name = models.CharField(max_length=150, blank=True)
    district = models.ForeignKey(District, models.PROTECT, null=True, related_name="+")
    subject = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("Audit entry")
        verbose_name_plural = _("Audit entries")
        ordering = ["-id"]
        indexes = [models.Index(fields=["-at"], name="audit_at")]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind} {self.name}"
