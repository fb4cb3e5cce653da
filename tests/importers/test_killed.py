"""An import that is killed in the middle leaves the tables as they were, and the next one clears up after it."""

import filecmp
import os
import random

import pytest

from tests.bench.drawn import draw_patches
from tests.importers.killing import Importing, state
from units.founding import found

ROWS = 5_000


@pytest.fixture
def importing(own_database, tmp_path):
    found("120104")
    return Importing(os.environ["GEOINV_OWNER_DATABASE_URL"], tmp_path)


def killed(importing, path, year, within):
    """Kill an import of `path` at a random moment in the middle, and hold the tables against what they were before.

    One that was quicker than that had all its rows in; then another survey is tried, and an earlier moment. The survey.
    """
    share = random.uniform(0.3, 0.8)
    while True:
        before = state(importing.database)
        ended = not importing.killed(path, year, share * within)
        now = state(importing.database)
        if now == before and not ended:
            return year
        assert now["units_delivery"][0] == before["units_delivery"][0] + 1
        assert now["units_landusepatch"][0] in (before["units_landusepatch"][0], before["units_landusepatch"][0] + ROWS)
        assert share > 0.1
        year, share = year + 1, share * 0.7


def test_an_import_killed_at_two_moments_leaves_nothing_and_can_be_started_again(importing, tmp_path):
    first, second, third = (draw_patches(tmp_path / str(seed), ROWS, seed) for seed in (1, 2, 3))
    seconds = importing.through(first, 2020)

    # Rows into an empty survey.
    year = killed(importing, second, 2021, seconds)
    kept, _work = importing.left_behind()
    assert all(name.startswith(".") for name in kept)
    importing.grow_old()
    importing.through(second, year)
    assert importing.left_behind() == ([], [])

    # Other rows of the same keys into a survey that has some, by way of a staging table.
    year = killed(importing, third, year, seconds)
    importing.grow_old()
    importing.through(third, year)
    assert importing.left_behind() == ([], [])
    assert state(importing.database)["units_landusepatch"][0] % ROWS == 0
    copies = [one / "DLTB.shp" for one in importing.kept.iterdir()]
    for path in (first, second, third):
        assert any(filecmp.cmp(path, one, shallow=False) for one in copies)
