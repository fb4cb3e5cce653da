"""The listing clock of NJ101 on its edges, and the progress of NK052 against a count of the rows."""

from datetime import date

import pytest

from tests import records
from tests.records import PAPER, person
from units import listing
from units.errors import NotAllowed, Refused, Stale
from units.models import Determination
from units.moving import move
from units.rights import Role

SINCE = date(2019, 6, 1)


@pytest.mark.rows("NJ101")
@pytest.mark.parametrize(
    ("since", "stopped", "on", "years", "sanctioned"),
    [
        (SINCE, None, date(2022, 5, 31), 2, False),
        (SINCE, None, date(2022, 6, 1), 3, True),  # the day itself
        (SINCE, None, date(2022, 6, 2), 3, True),
        (SINCE, date(2022, 5, 30), date(2022, 6, 1), 2, False),  # a start recorded two days before
        (SINCE, date(2022, 6, 1), date(2022, 6, 1), 3, False),  # started that very day: it does not stand unused
        (SINCE, date(2022, 6, 2), date(2022, 6, 1), 3, True),  # not started yet on that day
        (SINCE, date(2022, 6, 2), date(2023, 6, 1), 3, False),
        (date(2020, 2, 29), None, date(2023, 2, 27), 2, False),
        (date(2020, 2, 29), None, date(2023, 2, 28), 3, True),  # Civil Code art. 202: the last day of the month
        (date(2020, 2, 29), None, date(2024, 2, 28), 3, True),
        (date(2020, 2, 29), None, date(2024, 2, 29), 4, True),
        (SINCE, None, SINCE, 0, False),
        (SINCE, date(2017, 3, 1), date(2022, 6, 1), 0, False),  # under way before it was listed
    ],
)
def test_after_three_years_without_redevelopment_the_sanction_stands(since, stopped, on, years, sanctioned):
    clock = listing.running(since, stopped, on)
    assert (clock.years, clock.sanctioned) == (years, sanctioned)


def test_land_that_is_not_listed_yet_has_no_clock():
    assert listing.running(None, None, SINCE) is None
    assert listing.running(SINCE, None, date(2019, 5, 31)) is None


@pytest.fixture
def record(db):
    made = records.record_of(records.build()[0])
    records.put(made, "in_force")
    Determination.objects.update(listed_since=SINCE)
    return Determination.objects.get()


@pytest.mark.rows("NJ101")
def test_an_update_does_not_start_the_clock_again_and_the_end_of_redevelopment_stops_it(record):
    office = person(Role.OFFICE)
    move(record.code, "updating", office, change="change", reason="面积更正")
    assert Determination.objects.get().listed_since == SINCE
    records.put(record, "in_force")
    Determination.objects.update(listed_since=SINCE)
    move(record.code, "in_project", office, plan="2025-3", document=PAPER)
    assert listing.clock(Determination.objects.get(), date(2022, 6, 1)).sanctioned, "a plan is no start"
    move(record.code, "redeveloped", office, **records.SAID)
    done = Determination.objects.get()
    assert (done.plan_item, done.after["floor_m2"], done.listed_since) == ("2025-3", "1200", SINCE)
    assert done.listed_until is not None
    assert not listing.clock(done, done.listed_until).runs


@pytest.mark.rows("NJ101")
def test_the_start_of_redevelopment_is_recorded_on_a_paper_by_the_office_and_stops_the_clock(record):
    office, version = person(Role.OFFICE), record.version
    with pytest.raises(NotAllowed):
        listing.start(person(Role.ANALYST), record.code, version, date(2022, 5, 30), PAPER)
    for wrong in ((version, date(2022, 5, 30), None), (version, date(2999, 1, 1), PAPER)):
        with pytest.raises(Refused):
            listing.start(office, record.code, *wrong)
    with pytest.raises(Stale):
        listing.start(office, record.code, version + 1, date(2022, 5, 30), PAPER)
    started = listing.start(office, record.code, version, date(2022, 5, 30), PAPER)
    assert listing.clock(started, date(2022, 5, 29)).runs
    assert not listing.clock(started, date(2022, 6, 1)).sanctioned
    with pytest.raises(Refused):
        listing.start(office, record.code, started.version, date(2022, 6, 30), PAPER)


@pytest.mark.rows("NK052")
def test_the_progress_equals_a_count_of_the_rows(db):
    parcels = records.build(6)
    states = ["suspect", "filling", "determined", "mapped", "in_force", "dropped"]
    for parcel, state in zip(parcels, states, strict=True):
        records.put(records.record_of(parcel), state)
    Determination.objects.filter(state="determined").update(result="not_low")
    for number, state in enumerate(("draft", "tested", "confirmed", "accepted")):
        records.legacy_in(state, f"L{number}", 30 + number)
    told = listing.progress("120104")
    assert told["record"] == {"surveyed": 4, "entered": 2, "share": 0.5}  # neither dropped nor not low-efficiency
    assert told["legacy"] == {"surveyed": 4, "entered": 2, "share": 0.5}
    assert [(one["code"], one["surveyed"], one["entered"]) for one in told["streets"]] == [(records.HERE, 4, 2)]
    assert listing.progress("120104", records.ELSEWHERE)["record"]["share"] is None
