"""The fold of the verdicts, as a truth table over all that E, F and X can be."""

from itertools import product

import pytest
from django.db import connection

from units.criteria.judging import FOLD

TRUE, FALSE, UNKNOWN = True, False, None


def expected(excluded, flagged, exempted):
    """DESIGN part 6, sentence by sentence."""
    if excluded is TRUE:
        return "excluded"
    if flagged is FALSE:
        return "not_low"
    if flagged is UNKNOWN or excluded is UNKNOWN:
        return "undecided"
    if exempted is TRUE:
        return "exempted"
    return "candidate"


def folded(excluded, flagged, exempted, categorised=TRUE):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {FOLD} FROM (SELECT %s::boolean AS excluded, %s::boolean AS flagged, %s::boolean AS exempted, "
            "%s::boolean AS categorised) AS verdicts",
            [excluded, flagged, exempted, categorised],
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("excluded", "flagged", "exempted"), list(product((TRUE, FALSE, UNKNOWN), repeat=3)))
def test_all_twenty_seven_folds(db, excluded, flagged, exempted):
    assert folded(excluded, flagged, exempted) == expected(excluded, flagged, exempted)


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ((FALSE, TRUE, FALSE), "candidate"),
        ((FALSE, TRUE, UNKNOWN), "candidate"),
        ((FALSE, TRUE, TRUE), "exempted"),
        ((FALSE, FALSE, UNKNOWN), "not_low"),
        ((UNKNOWN, FALSE, TRUE), "not_low"),
        ((UNKNOWN, TRUE, TRUE), "undecided"),
        ((FALSE, UNKNOWN, TRUE), "undecided"),
        ((TRUE, UNKNOWN, UNKNOWN), "excluded"),
    ],
)
def test_the_folds_that_are_argued_about(db, verdicts, outcome):
    assert folded(*verdicts) == outcome


def test_a_subject_of_unknown_category_is_undecided_unless_it_is_excluded_anyway(db):
    for flagged, exempted in product((TRUE, FALSE, UNKNOWN), repeat=2):
        for excluded in (FALSE, UNKNOWN):
            assert folded(excluded, flagged, exempted, categorised=UNKNOWN) == "undecided"
        assert folded(TRUE, flagged, exempted, categorised=UNKNOWN) == "excluded"
