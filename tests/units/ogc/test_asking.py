"""The query of an items request: what is understood, and what is refused by name."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from units.collections import COLLECTIONS
from units.errors import UnknownName, UsageError
from units.ogc.asking import LARGEST_FID, LIMIT, LIMIT_AT_MOST, Asked, asked, page_after
from units.ogc.crs import CRS84, STORAGE, SYSTEMS
from units.rights import Grant, Role

PARCELS = COLLECTIONS["parcels"]
ALL = PARCELS.seen_by((Grant(Role.BUREAU),))
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def ask(query: str, view=ALL, collection=PARCELS) -> Asked:
    return asked(QueryDict(query), collection, view)


def test_nothing_asked_is_the_first_thousand():
    assert ask("") == Asked(limit=LIMIT)


def test_more_than_the_largest_page_is_the_largest_page():
    assert ask("limit=99999999").limit == LIMIT_AT_MOST


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "", "many", "１０", "1e3", "9" * 30])
def test_a_limit_that_is_no_whole_number_above_nought_is_refused(limit):
    with pytest.raises(UsageError, match="limit"):
        ask(f"limit={limit}")


def test_a_box_of_six_numbers_leaves_the_heights_out():
    assert ask("bbox=117,39,0,118,40,100").box == ask("bbox=117,39,118,40").box == (117, 39, 118, 40)


def test_a_box_in_a_system_that_puts_north_first_is_turned():
    assert ask(f"bbox=39,117,40,118&bbox-crs={EPSG}4490").box == (117, 39, 118, 40)
    assert ask(f"bbox=39,117,40,118&bbox-crs={EPSG}4490").box_crs == STORAGE


@pytest.mark.parametrize(
    "box",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,4,5,6,7",
        "a,b,c,d",
        "nan,39,118,40",
        "117,39,inf,40",
        "117,39,-Infinity,40",
        "1e999,39,118,40",
        "118,39,117,40",
        "117,40,118,39",
        "117,39,5,118,40,1",
        "117,,118,40",
        "1_1,2,30,40",
    ],
)
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(UsageError, match="bbox"):
        ask(f"bbox={box}")


TODAY = [
    "2024-02-05/..",
    "2024-02-05/",
    "../..",
    "0000-01-01T00:00:00Z/9999-12-31T00:00:00Z",
    "2024-01-01T00:00:00.5+08:00/..",
]
ANOTHER_TIME = [
    "2024-02-05",
    "2024-02-05T00:00:00Z",
    "../2024-02-05",
    "/2024-02-05",
    "2024-01-01/2024-02-01",
    "2999-01-01/..",
]


@pytest.mark.parametrize("when", TODAY + ANOTHER_TIME)
def test_every_time_matches_all_of_a_collection_of_which_nothing_is_in_time(when):
    """Part 1, /req/core/fc-time-response; the intervals of QGIS too."""
    candidates = COLLECTIONS["candidates"]
    view = candidates.seen_by((Grant(Role.BUREAU),))
    assert ask(f"datetime={when.replace('+', '%2B')}", view, candidates) == Asked()


@pytest.mark.parametrize(
    ("when", "at"),
    [
        ("2024-02-05", datetime(2024, 2, 5, 16, tzinfo=UTC)),  # the end of that day in China
        ("2024-01-01/2024-02-05", datetime(2024, 2, 5, 16, tzinfo=UTC)),
        ("../2024-02-05T12:00:00Z", datetime(2024, 2, 5, 12, 0, 0, 1, tzinfo=UTC)),
        ("2024-02-05T12:00:00%2B08:00", datetime(2024, 2, 5, 4, 0, 0, 1, tzinfo=UTC)),
        ("2024-02-05/..", None),
        ("2024-02-05/", None),
    ],
)
@pytest.mark.rows("NK054")
def test_a_collection_whose_past_is_kept_is_read_as_of_the_end_of_the_time(when, at):
    assert (ask(f"datetime={when}").at, ask(f"datetime={when}").until) == (at, None)


@pytest.mark.parametrize(
    ("when", "until"),
    [
        ("2024-02-05", datetime(2024, 2, 6, tzinfo=UTC)),
        ("2024-01-01/2024-02-05", datetime(2024, 2, 6, tzinfo=UTC)),
        ("../2024-02-05T12:00:00Z", datetime(2024, 2, 5, 12, 0, 0, 1, tzinfo=UTC)),
        ("2024-02-05/..", None),
    ],
)
def test_where_a_column_says_since_when_a_time_takes_what_was_there(when, until):
    findings = COLLECTIONS["findings"]
    assert ask(f"datetime={when}", findings.seen_by((Grant(Role.BUREAU),)), findings).until == until


@pytest.mark.parametrize(
    "when", ["", "yesterday", "2024", "2024-02-05/2024-01-01", "2024-02-05/2024-02-06/2024-02-07", "2024-02-31"]
)
def test_a_malformed_date_is_refused(when):
    with pytest.raises(UsageError, match="datetime"):
        ask(f"datetime={when}")


@pytest.mark.parametrize("query", ["colour=red", "filters=far<1", "Limit=5", "offset=10", "geom=x", "fid=1"])
def test_an_unknown_parameter_is_refused_with_those_there_are(query):
    with pytest.raises(UnknownName, match="limit"):
        ask(query)


def test_a_parameter_given_twice_is_refused():
    with pytest.raises(UsageError, match="limit"):
        ask("limit=1&limit=2")


def test_a_filter_takes_the_type_of_its_column():
    filters = {column.name: value for column, value in ask("code=001&base_survey=2022&area_m2=1.5").filters}
    assert filters == {"code": "001", "base_survey": 2022, "area_m2": 1.5}


@pytest.mark.parametrize(
    "query", ["base_survey=now", "area_m2=nan", "area_m2=inf", "base_survey=" + "9" * 40, "code=a%00b"]
)
def test_a_filter_of_another_type_is_refused(query):
    with pytest.raises(UsageError, match=query.partition("=")[0]):
        ask(query)


def test_a_column_the_reader_never_sees_is_no_parameter():
    co_department = PARCELS.seen_by((Grant(Role.CO, "120104"),))
    with pytest.raises(UnknownName):
        ask("right_holder=Holder", co_department)
    assert ask("right_holder=Holder").filters


@given(st.integers(-LARGEST_FID, LARGEST_FID))
def test_the_next_page_begins_where_the_last_one_ended(fid):
    assert ask(f"page={page_after(fid)}").after == fid


@given(st.text(max_size=40))
def test_a_page_that_nobody_gave_is_refused_and_nothing_breaks(text):
    query = QueryDict(mutable=True)
    query["page"] = text
    with pytest.raises(UsageError, match="page"):
        asked(query, PARCELS, ALL)


def test_the_reference_systems_are_those_of_the_country():
    assert list(SYSTEMS)[0] == CRS84.uri
    for srid, north_first in ((4490, True), (4326, True), (4527, True), (4548, True), (3857, False)):
        assert SYSTEMS[f"{EPSG}{srid}"].north_first is north_first
    assert ask(f"crs=<{EPSG}4490>".replace("<", "%3C").replace(">", "%3E")).crs == STORAGE


@pytest.mark.parametrize("name", ["crs", "bbox-crs"])
def test_another_reference_system_is_refused(name):
    with pytest.raises(UsageError, match="EPSG/0/2000"):
        ask(f"{name}={EPSG}2000")


@pytest.mark.parametrize(
    "text",
    [
        "far < 1",  # no property
        "code = 5",  # a code is text
        "area_m2 >",
        "pg_sleep(5) = 1",
        "S_INTERSECTS(geom, POINT(117 39))",
        "(" * 60 + "code = 'x'" + ")" * 60,
        "code = 'x' " * 300,
        "",
    ],
)
def test_a_filter_that_cannot_be_asked_is_refused_by_name(text):
    with pytest.raises(UsageError, match="filter"):
        ask(f"filter={quote(text)}")


def test_a_filter_names_only_what_its_asker_sees():
    co = PARCELS.seen_by((Grant(Role.CO),))
    assert ask("filter=right_holder LIKE 'A%25'").filter.literals == (("ql0", "A%"),)
    with pytest.raises(UsageError, match="right_holder"):
        ask("filter=right_holder LIKE 'A%25'", co)


def test_another_language_of_filters_is_refused():
    assert ask("filter-lang=cql2-text&filter=area_m2 > 1").filter is not None
    with pytest.raises(UnknownName, match="cql2-json"):
        ask("filter-lang=cql2-json&filter={}")
