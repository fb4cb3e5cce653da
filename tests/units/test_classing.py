"""Parting numbers into classes: equal counts, equal steps, natural breaks, and how the answer is packed."""

import itertools

import numpy as np
import pytest

from tests import records
from tests.records import HEPING, NANKAI
from units.classing import (
    BRIDGED,
    METHODS,
    Theme,
    _classes,
    classes,
    members,
    natural,
    offered,
    packed,
    quantiles,
    steps,
)
from units.errors import NotAllowed, UnknownName, UsageError
from units.models import Flag, Measured
from units.rights import Grant

LUMPS = [1, 1.1, 1.2, 5, 5.1, 5.3, 9.8, 10, 10.1, 10.2]


def counted(values):
    return np.unique(np.array(values, dtype=float), return_counts=True)


def spread(values, highs) -> float:
    """The sum of squares about the means of the classes that end at `highs`."""
    which = np.searchsorted(highs, values)
    return sum(((values[which == one] - values[which == one].mean()) ** 2).sum() for one in set(which))


def test_equal_counts_never_part_equal_values_and_end_at_the_highest():
    distinct, counts = counted([0] * 90 + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    highs = quantiles(distinct, counts, 5)
    assert highs[0] == 0
    assert highs[-1] == 10
    assert list(highs) == sorted(set(highs))
    assert list(quantiles(*counted(range(1, 101)), 4)) == [25, 50, 75, 100]


def test_equal_steps_are_as_wide_and_one_value_is_one_class():
    assert list(steps(*counted([0, 3, 10]), 5)) == [2, 4, 6, 8, 10]
    assert list(steps(*counted([7, 7]), 5)) == [7]


@pytest.mark.parametrize("number", [2, 3, 4])
def test_natural_breaks_are_the_best_of_all_ways_to_part_the_values(number):
    values = np.array(LUMPS * 2 + [5.1] * 7)
    distinct, counts = np.unique(values, return_counts=True)
    found = natural(distinct, counts, number)
    every_way = itertools.combinations(range(len(distinct) - 1), number - 1)
    best = min(spread(values, distinct[[*way, len(distinct) - 1]]) for way in every_way)
    assert spread(values, found) == pytest.approx(best)
    assert found[-1] == distinct[-1]


def test_natural_breaks_of_many_values_are_nearly_the_best_and_quick():
    generator = np.random.default_rng(7)
    values = np.round(np.concatenate([generator.normal(middle, 1, 20_000) for middle in (0, 12, 40)]), 3)
    found = natural(*np.unique(values, return_counts=True), 3)
    assert 2.5 < found[0] < 8
    assert 14.5 < found[1] < 38
    assert found[2] == values.max()


@pytest.mark.parametrize("method", METHODS)
def test_every_subject_is_in_one_class_or_unknown_or_closed(method):
    theme = Theme.read("far", method, "4")
    values = [*LUMPS, None, None, 3.3]
    opened = [True] * 12 + [False]
    found = _classes(theme, range(100, 113), values, opened, [10.0] * 13)
    assert sum(one.count for one in found.classes) == 10
    assert found.unknown.count == 2
    assert found.closed == 1
    ((first, signs),) = found.packed
    assert first == 100
    assert signs.endswith("??-")
    for value, sign in zip(values[:10], signs, strict=False):
        assert found.classes[int(sign)].low < value <= found.classes[int(sign)].high
        assert found.of(value) == str(int(sign) + 1)
    assert sum(one.area_m2 for one in found.classes) == 100


def test_rare_texts_are_one_class_together_and_a_truth_value_has_two():
    values = [letter for letter in "aaabbccddeeffgghhijk" for _time in range(2)] + [None]
    found = _classes(Theme.read("sector"), range(41), values, [True] * 41, [1.0] * 41)
    assert [one.name for one in found.classes[:8]] == list("abcdefgh")
    assert found.classes[8].name is None
    assert found.classes[8].count == 6
    assert found.of("k") == "9"
    yes_or_no = _classes(Theme.read("above_scale"), range(3), [True, False, False], [True] * 3, [1.0] * 3)
    assert [(one.name, one.count) for one in yes_or_no.classes] == [(True, 1), (False, 2)]


def test_numbers_far_apart_begin_another_run_and_gaps_stand_for_nobody():
    runs = packed(np.array([5, 6, 9, 10 + BRIDGED]), np.array(["0", "1", "?", "2"]))
    assert runs == [[5, "01  ?"], [10 + BRIDGED, "2"]]
    assert packed(np.array([], dtype=int), np.array([])) == []


def test_what_is_no_measure_no_method_or_no_number_of_classes_is_refused():
    with pytest.raises(UnknownName):
        Theme.read("password")
    with pytest.raises(UnknownName):
        Theme.read("far", "magic")
    for number in ("1", "10", "x", "-3"):
        with pytest.raises(UsageError):
            Theme.read("far", "equal", number)


def test_the_members_of_classes_are_those_that_the_signs_say():
    values = [0.5, None, 2.5, 0.6, 9.9]
    found = _classes(Theme.read("far", "equal", "2"), [7, 8, 9, 300, 301], values, [True] * 4 + [False], [1.0] * 5)
    assert found.signs == ["0", "1", "?"]
    assert members(found, "0") == [7, 300]
    assert members(found, "1,?") == [8, 9]
    assert members(found, "0,1,?") == [7, 8, 9, 300]  # what is closed to the reader is in none
    for wrong in ("2", "-", "", "0,,1", "x"):
        with pytest.raises(UnknownName):
            members(found, wrong)


@pytest.fixture
def two_districts(db):
    """A measured parcel of Nankai and one of Heping, both judged by the set “town”."""
    parcels = records.build(2)
    for number, (parcel, district) in enumerate(zip(parcels, (NANKAI, HEPING), strict=True)):
        Flag.objects.filter(parcel=parcel).update(district_id=district, criteria="town", street=None)
        Measured.objects.create(
            subject=parcel.pk,
            survey_id=parcel.survey_id,
            district_id=district,
            kind="parcel",
            parcel_id=parcel.pk,
            revision=1,
            far=number + 1,
            tax_per_mu=10 * (number + 1),
            area_m2=100,
        )
    return [Flag.objects.get(parcel=parcel).pk for parcel in parcels]


def test_a_figure_is_told_where_it_may_be_read_and_closed_in_the_next_district(two_districts):
    here, there = two_districts
    tax, far = Theme.read("tax_per_mu"), Theme.read("far")
    lead, city = Grant("R3", NANKAI), Grant("R8")
    both = classes(tax, "town", (lead, city))
    assert [(one.most, one.count) for one in both.classes] == [(10, 1)]
    assert (both.unknown.count, both.closed) == (0, 1)
    assert members(both, ",".join(both.signs)) == [here]
    assert [one.count for one in classes(far, "town", (lead, city)).classes] == [1, 1]
    assert members(classes(far, "town", (lead,)), "0,?") == [here]
    with pytest.raises(NotAllowed):
        classes(tax, "town", (city,))
    with pytest.raises(NotAllowed):
        classes(far, "town", (Grant("R9", NANKAI),))
    assert "tax_per_mu" in {one.name for one in offered((lead,))}
    assert not [one.name for one in offered((city,)) if one.restricted]
    assert there not in members(classes(far, "town", (lead,)), "0,?")


def test_what_is_measured_anew_is_parted_anew(two_districts):
    city = (Grant("R8"),)
    before = classes(Theme.read("far"), "town", city)
    assert classes(Theme.read("far"), "town", city) == before
    Measured.objects.update(far=7)
    Flag.objects.update(outcome="excluded")  # a run writes flags, which the revision of the table tells
    assert [one.most for one in classes(Theme.read("far"), "town", city).classes] == [7]
