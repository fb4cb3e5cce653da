"""Make the first account: an administrator, who gives everybody else theirs."""

import getpass
import os
import sys

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from units.errors import Refused, UnknownName, UsageError
from units.models import District, Scope, User
from units.rights import Role
from units.terminal import GeoinvCommand


class Command(GeoinvCommand):
    help = "Make an administrator: someone who may sign in at /admin/ and give accounts and roles to others."
    example = "GEOINV_ADMIN_PASSWORD=… python manage.py create_administrator wang --role R5 --district 120104"

    def add_arguments(self, parser):
        parser.add_argument("name", help="The sign-in name.")
        parser.add_argument(
            "--role",
            choices=[role.value for role in Role if role is not Role.PUBLIC],
            help="A role to hold as well; an administrator without one sees no land.",
        )
        parser.add_argument("--district", help="Where the role holds: a six-digit code. Without it: everywhere.")

    def run(self, *args, name, role, district, **options):
        if district and not role:
            raise UsageError(_("--district says where a role holds, and there is no --role."))
        if User.objects.filter(username__iexact=name).exists():
            raise Refused(_("There is an account “%s” already.") % name, _("Choose another name."))
        if district and not District.objects.filter(pk=district).exists():
            raise UnknownName(district, District.objects.values_list("pk", flat=True), _("district"))
        password = os.environ.get("GEOINV_ADMIN_PASSWORD") or self.asked()
        user = User(username=name, is_staff=True, is_superuser=True)
        try:
            user.full_clean(exclude=["password"])
            validate_password(password, user)
        except ValidationError as error:
            raise UsageError(" ".join(error.messages)) from None
        user.set_password(password)
        with transaction.atomic():
            user.save()
            if role:
                Scope.objects.create(user=user, group=Group.objects.get(name=role), district_id=district)
        return {"administrator": name, "role": role, "district": district}

    def asked(self) -> str:
        if not sys.stdin.isatty():
            raise UsageError(_("No password was given."), _("Set GEOINV_ADMIN_PASSWORD, or run this on a terminal."))
        return getpass.getpass()

    def text(self, result):
        return _("“%s” may now sign in at /admin/.") % result["administrator"]
