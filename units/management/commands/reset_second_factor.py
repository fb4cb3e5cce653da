"""Take the second factor off an account whose authenticator app and recovery codes are lost."""

from django.utils.translation import gettext as _

from units.errors import NotFound, Refused
from units.models import User
from units.second_factor import turn_off
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Take the second factor off an account. Make sure that it is its person who asks; the audit keeps it."
    example = "python manage.py reset_second_factor wang"

    def add_arguments(self, parser):
        parser.add_argument("name", help="The sign-in name.")

    def run(self, *args, name, **options):
        user = User.objects.filter(username=name).first()
        if user is None:
            raise NotFound(_("There is no account “%s”.") % name)
        if not turn_off(user):
            raise Refused(_("The account “%s” has no second factor.") % name)
        return {"reset": name}

    def text(self, result):
        return (
            _("“%s” signs in with the password alone now, and should turn the second factor on again.")
            % (result["reset"])
        )
