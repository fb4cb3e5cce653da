"""The first administrator is made by a command."""

import json

import pytest

from units.models import District, User


def test_the_first_administrator_can_sign_in_and_holds_the_role_given(manage):
    District.objects.create(code="120104", name="南开区", srid=4548)
    done = manage(
        "create_administrator", "wang", "--role", "R5", "--district", "120104", "--format", "json",
        GEOINV_ADMIN_PASSWORD="a long enough sentence",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"administrator": "wang", "role": "R5", "district": "120104"}
    user = User.objects.get(username="wang")
    assert user.is_staff
    assert user.check_password("a long enough sentence")
    assert [(grant.role, grant.district) for grant in user.grants()] == [("R5", "120104")]


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (["wang"], "123", "密码"),
        (["wang"], "", "GEOINV_ADMIN_PASSWORD"),
        (["wang", "--district", "120104"], "a long enough sentence", "--role"),
        (["wang", "--role", "R5", "--district", "999999"], "a long enough sentence", "999999"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_made(manage, arguments, password, said):
    done = manage("create_administrator", *arguments, GEOINV_ADMIN_PASSWORD=password)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert User.objects.count() == 0


def test_a_second_account_of_the_same_name_is_refused(manage):
    User.objects.create_user("Wang")
    done = manage("create_administrator", "wang", GEOINV_ADMIN_PASSWORD="a long enough sentence")
    assert done.returncode == 1
    assert User.objects.count() == 1
