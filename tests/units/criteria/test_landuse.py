"""Registered uses, land classes and categories: many-to-many, by scheme, and honest where nobody can say."""

import pytest

from units import codes
from units.criteria import landuse
from units.criteria.sets import CATEGORIES


@pytest.mark.parametrize(
    ("scheme", "use", "expected"),
    [
        ("sandiao", "0601", {"0601"}),
        ("ydyh2023", "0601", {"1006"}),  # the same digits: 工业用地 there, 农村道路 here
        ("ydyh2023", "1001", {"0601"}),
        ("ydyh2023", "100102", {"0601"}),
        ("ydyh2023", "0703", {"0702"}),
        ("ydyh2023", "08", {"08H1", "08H2"}),
        ("sandiao", "0810A", {"0810"}),
        ("gbt21010", "0604", {"0508"}),
        ("sandiao", "0601,0701", {"0601", "0701"}),
        ("sandiao", "0601，9999", set()),
        ("sandiao", "0699", set()),
        ("unknown", "0601", set()),
        ("sandiao", "", set()),
    ],
)
def test_a_registered_use_allows_these_classes(scheme, use, expected):
    assert landuse.classes_of(scheme, use) == expected


@pytest.mark.parametrize(
    ("scheme", "use", "expected"),
    [
        ("sandiao", "0601", "industrial"),
        ("sandiao", "0508", "industrial"),
        ("sandiao", "05H1", "office"),
        ("sandiao", "0701", "residential"),
        ("sandiao", "08H2", "facility"),
        ("sandiao", "1003", "none"),
        ("sandiao", "05", ""),  # shops or warehouses: the heading does not tell
        ("sandiao", "1201", ""),  # vacant land
        ("sandiao", "0601,0701", ""),
        ("ydyh2023", "0601", "none"),
        ("unknown", "0601", ""),
    ],
)
def test_a_registered_use_stands_for_one_category_or_none_or_nobody_can_say(scheme, use, expected):
    assert landuse.category_of(scheme, use) == expected


def test_every_class_of_the_survey_has_a_category_and_every_category_is_known():
    assert set(landuse.categories()) == set(codes.usable("sandiao"))
    assert set(landuse.categories().values()) <= {*CATEGORIES, landuse.NONE, ""}


def test_every_use_and_class_of_the_table_exists_in_its_scheme():
    for row in codes.rows("use_classes"):
        assert row["class"] in codes.land_use("sandiao")
        if row["scheme"] != "gbt21010":
            assert codes.land_use(row["scheme"])[row["use"]].name == row["name"]
