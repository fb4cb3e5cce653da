"""A district is founded once: its streets, and its departments under every name the texts use."""

from io import StringIO

import pytest
from django.core.management import call_command

from units.errors import UnknownName
from units.founding import found
from units.models import Department, DepartmentAlias, District, Street

pytestmark = pytest.mark.django_db


@pytest.mark.rows("NK018")
def test_the_district_has_its_departments_streets_and_the_sub_bureau():
    made = found("120104")
    assert made == {"district": "120104", "new": True, "streets": 12, "departments": 28, "aliases": 16}
    bureaus = Department.objects.filter(district="120104", street__isnull=True)
    assert bureaus.filter(name__startswith="区").count() == 15
    assert bureaus.exclude(name__startswith="区").get().name == "市规划资源局南开分局"
    assert Street.objects.get(code="120104001").office.name == "长虹街道办事处"
    assert District.objects.get().srid == 4527


@pytest.mark.rows("NK018")
def test_both_names_of_urban_management_are_one_department():
    found("120104")
    other = DepartmentAlias.objects.get(district="120104", name="区城市管理委")
    assert other.department == Department.objects.get(district="120104", name="区城管委")


def test_founding_again_makes_nothing_and_keeps_what_was_changed():
    found("120104")
    Department.objects.filter(code="tax").update(name="区税务局（改名）")
    made = found("120104")
    assert made == {"district": "120104", "new": False, "streets": 0, "departments": 0, "aliases": 0}
    assert Department.objects.get(code="tax").name == "区税务局（改名）"


def test_another_district_has_departments_of_its_own():
    found("120104")
    found("320111")
    assert Department.objects.filter(code="tax").count() == 2
    assert District.objects.get(code="320111").srid == 4528


def test_an_unknown_district_is_refused_with_the_known_ones():
    with pytest.raises(UnknownName, match="120104"):
        found("999999")


def test_the_command_says_what_it_made_and_then_that_there_was_nothing_to_do():
    first, second = StringIO(), StringIO()
    call_command("found_district", district="120104", stdout=first)
    call_command("found_district", district="120104", stdout=second)
    assert "12" in first.getvalue()
    assert first.getvalue() != second.getvalue()
