"""A town, and people who open its pages."""

import pytest
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.test import Client

from units.rights import Role


@pytest.fixture
def the_town(db, monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second
    cache.clear()  # a test that is rolled back takes its revisions back too; what was counted must go with them
    town.build()


@pytest.fixture
def reader(the_town):
    """`reader(Role.OFFICE, town.NANKAI)` is the browser of somebody with that role; `reader()` is nobody's."""

    def of(role: Role | None = None, district=None, street=None, accept="text/html") -> Client:
        client = Client(headers={"Accept": accept})
        if role is not None:
            client.force_login(town.scoped_user(role, district, street))
        return client

    return of


@pytest.fixture
def script(reader):
    """The same for the scripts of the map, which ask for JSON."""

    def of(role: Role | None = None, district=None, street=None) -> Client:
        return reader(role, district, street, accept="application/json")

    return of
