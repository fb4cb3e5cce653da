"""Refuse a password that its user has, or had of late; a validator of Django's AUTH_PASSWORD_VALIDATORS."""

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from units.models import FormerPassword

REMEMBERED = 5  # passwords of one user, the present one included


class NotUsedOfLate:
    """None of the last five may come back. Only hashes are kept."""

    def __init__(self, remembered: int = REMEMBERED):
        self.remembered = remembered

    def validate(self, password, user=None):
        if user is None or user.pk is None:
            return
        kept = FormerPassword.objects.filter(user_id=user.pk).values_list("password", flat=True)[: self.remembered]
        # A password that was given without passing here, in bulk or by SQL, is the user's all the same.
        if any(check_password(password, one) for one in {*kept, user.password} if one):
            raise ValidationError(
                _("This is one of your last %(count)d passwords.") % {"count": self.remembered}, code="password_used"
            )

    def password_changed(self, password, user=None):
        """Django calls this after the new hash is stored."""
        if user is None or user.pk is None or not user.has_usable_password():
            return
        known = set(FormerPassword.objects.filter(user_id=user.pk).values_list("password", flat=True))
        for one in dict.fromkeys((user.replaced_password, user.password)):  # one given in bulk was not told here
            if one and one not in known:
                FormerPassword.objects.create(user_id=user.pk, password=one)
        kept = FormerPassword.objects.filter(user_id=user.pk).values_list("pk", flat=True)[: self.remembered]
        FormerPassword.objects.filter(user_id=user.pk).exclude(pk__in=list(kept)).delete()

    def get_help_text(self):
        return _("It is none of your last %(count)d passwords.") % {"count": self.remembered}
