"""What people edited after an import is named one by one when the import is to be taken back."""

import pytest
from django.db import connection, transaction
from django.utils import translation

from importers.undoing import undo
from tests.importers.shapefiles import parcel, shapefile
from tests.importers.test_undoing import into, parcels
from units.errors import Refused
from units.history import authored
from units.models import District, Parcel, Street, User


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def edited(code: str, by=None, **what):
    """A person changes a parcel in a transaction of its own."""
    with connection.cursor() as cursor:
        authored(cursor, by)
    Parcel.objects.filter(code=code).update(**what)


@pytest.mark.rows("NK052")
@pytest.mark.usefixtures("own_database")
def test_rows_that_people_edited_since_are_named_one_by_one(tmp_path):
    District.objects.create(code="120104", name="南开区", srid=4527)
    by = User.objects.create(username="planner")
    number = into(parcels(tmp_path, parcel(1), parcel(2), parcel(3), parcel(4)), "zd")
    for at in (1, 2):
        with transaction.atomic():
            edited(f"120104001001GB0000{at}", by, address="改过")
    with transaction.atomic():
        with connection.cursor() as cursor:
            authored(cursor)
        Parcel.objects.filter(code="120104001001GB00003").delete()
    with pytest.raises(Refused) as refusal:
        undo(number)
    lines = [line for line in str(refusal.value).splitlines() if line.startswith("·")]
    assert len(lines) == 3
    assert "120104001001GB00001 was edited on" in lines[0]
    assert "by planner" in lines[0]
    assert "120104001001GB00003 was deleted on" in lines[2]
    assert Parcel.objects.count() == 3


@pytest.mark.usefixtures("own_database")
def test_a_correction_that_was_taken_back_is_no_edit_of_what_came_before(tmp_path):
    District.objects.create(code="120104", name="南开区", srid=4527)
    first = into(parcels(tmp_path / "a", parcel(1), parcel(2)), "zd")
    second = into(parcels(tmp_path / "b", parcel(1, ZL="新址"), parcel(2)), "zd")
    assert undo(second)["restored"] == 1
    assert Parcel.objects.get(row_number=1).address == "南开区示例路1号"
    assert undo(first)["deleted"] == 2


@pytest.mark.usefixtures("own_database")
def test_a_boundary_that_was_edited_since_stands_in_the_way(tmp_path):
    place = District.objects.create(code="120104", name="南开区", srid=4527)
    Street.objects.create(code="120104001", district=place, name="长虹街道")
    fields = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 100, 0)]
    rows = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}]
    number = into(shapefile(tmp_path, "XZQ", rows=rows, fields=fields), "district")
    District.objects.update(geom=None)
    Street.objects.update(name="新名")
    with pytest.raises(Refused, match="120104 was edited") as error:
        undo(number)
    assert "120104001 was edited" in str(error.value)
    assert Street.objects.get().geom is not None
