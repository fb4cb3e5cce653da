"""A hundred spoiled deliveries: each is a verdict in a sentence, or an import whose numbers add up."""

import random

import pytest

from tests.importers import fuzzing

CASES = 100


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return fuzzing.seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.usefixtures("nankai")
@pytest.mark.parametrize("part", range(4))
def test_spoiled_deliveries_leave_no_traceback_no_half_table_and_no_file(tmp_path, seeds, part):
    outcomes = {"verdict": 0, "taken": 0}
    for case in range(part, CASES, 4):
        chance = random.Random(case)
        # Each database costs processes of GDAL: of them there are few here, and many in script/bench.
        seed = seeds[-1] if case % 20 == 7 else seeds[case % (len(seeds) - 1)]
        outcome = fuzzing.held(seed, fuzzing.spoiled(seed, chance), tmp_path / str(case))
        assert not outcome.faults, f"case {case}, {seed.kind}: {outcome.faults}"
        outcomes[outcome.what] += 1
    assert min(outcomes.values()) > 1  # the faults are neither all fatal nor all harmless


@pytest.mark.usefixtures("nankai")
def test_the_deliveries_that_are_spoiled_are_faultless_before(tmp_path, seeds):
    for seed in seeds:
        outcome = fuzzing.held(seed, seed.files, tmp_path / seed.kind)
        assert (outcome.what, outcome.faults) == ("taken", []), seed.kind
