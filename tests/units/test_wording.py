"""What a rule asks for, said as people read it: with titles, with units, in the reader's language."""

import pytest
from django.utils import translation

from units.criteria import sets
from units.wording import outline, uom_title


@pytest.fixture
def told(db):
    with translation.override("en"):
        yield outline(sets.load("nankai-2024"))


def test_the_condition_of_a_rule_is_a_sentence_with_the_units_of_its_limits(told):
    sentences = {rule["id"]: rule["sentence"].replace("\N{NO-BREAK SPACE}", " ") for rule in told["rules"]}
    assert sentences["IND-FAR"] == "FAR below 1.0"
    assert sentences["IND-OVERDUE"] == "Contracts above 0 and Completion overdue at least 2 years"
    assert sentences["D-FACILITY"] == "Months idle at least 24 months or 1 − Vacancy below 0.3"
    assert sentences["RES-OLD"] == (
        "Newest building built in at most 2000 and (FAR below 1.0 or Share of unsafe buildings at least 0.5)"
    )


def test_a_parameter_says_its_unit_as_people_do_and_none_where_it_has_none(told):
    said = {one["name"]: (one["value"], one["uom_title"]) for one in told["params"]}
    assert said["vacancy_months"] == ("12", "months")
    assert said["exempt_tax"] == ("8", "× 10,000 CNY/mu")
    assert said["far_min"] == ("1.0", "")
    assert said["old_estate_year"] == ("2000", "")
    with translation.override("zh-hans"):
        assert (uom_title("a"), uom_title("month"), uom_title("10k CNY/mu")) == ("年", "个月", "万元/亩")
