"""A town, and programs that read it."""

import pytest
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

from units.ogc import rendering
from units.rights import Role


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    """A test that is rolled back takes its revisions back too; what was kept under them must go with it."""
    rendering.kept.answers.clear()
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)  # a real hash costs a third of a second


@pytest.fixture
def built(db):
    town.build()


@pytest.fixture
def reader(built):
    """`reader(Role.OFFICE, district)` is a client of somebody with that role there; `reader()` is nobody's."""

    def of(role: Role | None = None, district=None, street=None) -> Client:
        client = Client(headers={"Accept": "application/json"})
        if role is not None:
            client.force_login(town.scoped_user(role, district, street))
        return client

    return of


@pytest.fixture
def office(reader):
    return reader(Role.OFFICE, town.NANKAI)
