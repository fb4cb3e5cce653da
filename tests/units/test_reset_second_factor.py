"""The command that takes a lost second factor off an account."""

import json

from django.utils import timezone

from units import second_factor
from units.models import AuditEntry, RecoveryCode, SecondFactor, User


def test_an_administrator_resets_a_lost_factor_and_the_audit_keeps_it(manage):
    user = User.objects.create_user("wang")
    second_factor.begin(user)
    second_factor.new_codes(user)
    SecondFactor.objects.update(confirmed_at=timezone.now())
    assert json.loads(manage("reset_second_factor", "wang", "--format", "json").stdout) == {"reset": "wang"}
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert AuditEntry.objects.get(kind="factor_reset").subject == "wang"
    assert manage("reset_second_factor", "wang").returncode == 1
    assert manage("reset_second_factor", "nobody").returncode == 2
