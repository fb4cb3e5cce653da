"""Ground to draw on."""

import pytest

from tests.units.checks.drawn import Ground, box


@pytest.fixture
def ground(db):
    return Ground(boundary=box(0, 0, 1000, 1000))


@pytest.fixture
def bare_ground(db):
    """A district whose boundary nobody delivered."""
    return Ground()
