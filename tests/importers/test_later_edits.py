"""What people edited after an import is named when it is to be taken back or is corrected, and kept where asked."""

import shutil
import uuid

import pytest
from django.db import connection, transaction
from django.utils import translation

from importers.loading import load
from importers.models import Edited, PreviewRow, Replaced
from importers.undoing import blockers, undo
from tests.importers.shapefiles import WEST, parcel, patch, shapefile, square
from tests.importers.test_undoing import into, parcels
from units.errors import Refused
from units.history import authored
from units.models import Delivery, District, FactSheet, LandUsePatch, Parcel, Street, User

pytestmark = pytest.mark.usefixtures("own_database")


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def place(own_database):
    place = District.objects.create(code="120104", name="南开区", srid=4527)
    Street.objects.create(code="120104001", district=place, name="长虹街道")
    return place


@pytest.fixture
def planner(own_database):
    return User.objects.create(username="planner")


def edited(code: str, by=None, **what):
    """A person changes a parcel in a transaction of its own."""
    with connection.cursor() as cursor:
        authored(cursor, by)
    Parcel.objects.filter(code=code).update(**what)


def rows(table: str, but: str = "") -> dict[int, str]:
    """Every row as PostgreSQL writes it, by its primary key; without one column, whose value may have grown."""
    shown = f"to_jsonb(t) - '{but}'" if but else "t"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, ({shown})::text FROM {table} t")
        return dict(cursor.fetchall())


def three_edits(model, name: str, keys: list[str], by, **what):
    """One row is changed through the ORM, one by SQL, one is deleted, each in a transaction of its own."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            authored(cursor, by)
        one = model.objects.get(**{name: keys[0]})
        for field, value in what.items():
            setattr(one, field, value)
        one.save()
    ((field, value),) = what.items()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET {field} = %s WHERE {name} = %s", [value, keys[1]])
    with transaction.atomic():
        with connection.cursor() as cursor:
            authored(cursor, by)
        model.objects.get(**{name: keys[2]}).delete()


def patches(folder, numbers, *, shift=0, **other):
    drawn = [[square(column=number)] for number in numbers]
    return shapefile(folder, rows=[patch(number + shift, **other) for number in numbers], shapes=drawn)


@pytest.mark.rows("NK052")
@pytest.mark.parametrize("kind", ["patches", "parcels"])
def test_after_three_edits_an_undo_names_exactly_three_and_can_keep_them(tmp_path, place, planner, kind):
    numbers = range(1, 11)
    if kind == "patches":
        model, name, what = LandUsePatch, "bsm", {"bz": "改过"}
        keys = [patch(number)["BSM"] for number in numbers]
        first, second = patches(tmp_path / "a", numbers), patches(tmp_path / "b", numbers, TBBH="77")
        imported = into
    else:
        model, name, what = Parcel, "code", {"address": "改过"}
        keys = [parcel(number)["ZDDM"] for number in numbers]
        first = parcels(tmp_path / "a", *map(parcel, numbers))
        second = parcels(tmp_path / "b", *(parcel(number, ZL="新址") for number in numbers))

        def imported(path):
            return into(path, "zd")

    imported(first)
    table, but = model._meta.db_table, "version" if model is Parcel else ""  # a version number only grows
    before = rows(table, but)
    delivery = imported(second)
    after = rows(table)
    three_edits(model, name, keys, planner, **what)
    touched = rows(table)

    with pytest.raises(Refused) as refusal:
        undo(delivery)
    lines = [line for line in str(refusal.value).splitlines() if line.startswith("·")]
    assert len(lines) == 3
    said = {(one["key"], one["what"], one["who"]) for one in refusal.value.in_the_way}
    assert said == {(keys[0], "edited", "planner"), (keys[1], "edited", ""), (keys[2], "deleted", "planner")}
    assert all(one["when"] and one["sentence"] for one in refusal.value.in_the_way)
    assert [one["key"] for one in blockers(delivery)] == [one["key"] for one in refusal.value.in_the_way]
    assert rows(table) == touched

    told = undo(delivery, keep_edited=True)
    assert {(one["key"], one["what"]) for one in told["kept"]} == {
        (keys[0], "edited"),
        (keys[1], "edited"),
        (keys[2], "deleted"),
    }
    assert (told["restored"], told["returned"], told["deleted"]) == (7, 0, 0)
    now, by_key = rows(table, but), dict(model.objects.values_list(name, "pk"))
    assert keys[2] not in by_key
    edits = {by_key[keys[0]], by_key[keys[1]]}
    assert {pk: now[pk] for pk in now.keys() - edits} == {pk: before[pk] for pk in now.keys() - edits}
    assert {pk: rows(table)[pk] for pk in edits} == {pk: touched[pk] for pk in edits}
    assert all(touched[pk] != after[pk] for pk in edits)
    assert Delivery.objects.get(pk=delivery).state == "undone"
    assert Replaced.objects.filter(delivery=delivery).count() == 3  # what they were before is not forgotten


@pytest.mark.parametrize("keep", [False, True])
def test_rows_that_a_first_delivery_brought_and_people_edited_stay_alone(tmp_path, place, planner, keep):
    number = into(patches(tmp_path, range(1, 6)))
    three_edits(LandUsePatch, "bsm", [patch(at)["BSM"] for at in (1, 2, 3)], planner, bz="改过")
    if not keep:
        with pytest.raises(Refused, match="was deleted on"):
            undo(number)
        return
    assert undo(number, keep_edited=True)["deleted"] == 2
    assert set(LandUsePatch.objects.values_list("bsm", flat=True)) == {patch(1)["BSM"], patch(2)["BSM"]}


def test_a_correction_that_was_taken_back_is_no_edit_of_what_came_before(tmp_path, place):
    first = into(parcels(tmp_path / "a", parcel(1), parcel(2)), "zd")
    second = into(parcels(tmp_path / "b", parcel(1, ZL="新址"), parcel(2)), "zd")
    assert undo(second)["restored"] == 1
    assert Parcel.objects.get(row_number=1).address == "南开区示例路1号"
    assert undo(first)["deleted"] == 2


def test_deliveries_and_their_taking_back_are_noted_as_nobodys_edits(tmp_path, place):
    first = into(patches(tmp_path / "a", range(1, 6)))
    second = into(patches(tmp_path / "b", range(1, 6), shift=100))
    assert LandUsePatch.objects.filter(bsm=patch(101)["BSM"]).exists()
    undo(second)
    assert undo(first)["deleted"] == 5
    assert not Edited.objects.exists()


def test_edits_after_a_renumbering_are_found_and_what_stays_stays_through_all_undoings(tmp_path, place, planner):
    first = into(patches(tmp_path / "a", range(1, 6)))
    start = rows("units_landusepatch")
    second = into(patches(tmp_path / "b", range(1, 6), shift=1))  # each has the number of the next
    with transaction.atomic():
        with connection.cursor() as cursor:
            authored(cursor, planner)
        LandUsePatch.objects.filter(bsm=patch(3)["BSM"]).update(bz="改过")  # which was number 2 before
    with pytest.raises(Refused, match="later delivery"):
        undo(first, keep_edited=True)
    told = undo(second, keep_edited=True)
    # Number 3 stays as it was edited, so the row that was number 3 keeps number 4, and so on to the last.
    assert {(one["key"], one["what"]) for one in told["kept"]} == {
        (patch(3)["BSM"], "edited"),
        (patch(3)["BSM"], "taken"),
        (patch(4)["BSM"], "taken"),
        (patch(5)["BSM"], "taken"),
    }
    now = rows("units_landusepatch")
    one = LandUsePatch.objects.get(bsm=patch(1)["BSM"]).pk
    assert now[one] == start[one]
    with pytest.raises(Refused) as refusal:
        undo(first)
    assert len(refusal.value.in_the_way) == 4
    assert undo(first, keep_edited=True)["deleted"] == 1
    assert LandUsePatch.objects.count() == 4


def test_the_halves_of_a_split_go_together_or_stay_together(tmp_path, place, planner):
    whole = [square(size=100.0)]
    other = [square(column=5)]
    x, y = WEST, 4_330_000.0
    halves = [
        [[(x, y), (x, y + 100), (x + 50, y + 100), (x + 50, y), (x, y)]],
        [[(x + 50, y), (x + 50, y + 100), (x + 100, y + 100), (x + 100, y), (x + 50, y)]],
    ]
    into(shapefile(tmp_path / "a", rows=[patch(1), patch(2)], shapes=[whole, other]))
    rows_after = [patch(11), patch(12), patch(2, TBBH="9")]
    second = into(shapefile(tmp_path / "b", rows=rows_after, shapes=[*halves, other]))
    LandUsePatch.objects.filter(bsm=patch(11)["BSM"]).update(bz="改过")
    told = undo(second, keep_edited=True)
    assert {(one["key"], one["what"]) for one in told["kept"]} == {
        (patch(11)["BSM"], "edited"),
        (patch(12)["BSM"], "together"),
        (patch(1)["BSM"], "together"),
    }
    assert set(LandUsePatch.objects.values_list("bsm", "tbbh")) == {
        (patch(11)["BSM"], "11"),
        (patch(12)["BSM"], "12"),
        (patch(2)["BSM"], "2"),
    }


def test_what_people_build_on_stays_with_its_parcel_where_edits_are_kept(tmp_path, place):
    number = into(parcels(tmp_path, parcel(1), parcel(2)), "zd")
    FactSheet.objects.create(parcel=Parcel.objects.get(row_number=1), category="industrial")
    with pytest.raises(Refused, match="1 × "):
        undo(number)
    told = undo(number, keep_edited=True)
    assert [one["what"] for one in told["kept"]] == ["used"]
    assert Parcel.objects.get().row_number == 1


def test_a_row_that_came_back_by_hand_is_not_there_twice(tmp_path, place):
    into(patches(tmp_path / "a", range(1, 6)))
    second = into(patches(tmp_path / "b", range(2, 6)))  # the first is gone
    assert LandUsePatch.objects.count() == 4
    like = LandUsePatch.objects.get(bsm=patch(2)["BSM"])
    like.pk, like.bsm, like.delivery_id = None, patch(1)["BSM"], Delivery.objects.earliest("pk").pk
    like.save()
    with pytest.raises(Refused, match="another row has the key"):
        undo(second)
    told = undo(second, keep_edited=True)
    assert [(one["key"], one["what"]) for one in told["kept"]] == [(patch(1)["BSM"], "taken")]
    assert LandUsePatch.objects.count() == 5


def test_a_boundary_that_was_edited_since_stands_in_the_way(tmp_path, place):
    fields = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 100, 0)]
    made = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}]
    number = into(shapefile(tmp_path, "XZQ", rows=made, fields=fields, encoding="utf-8", cpg="UTF-8"), "district")
    District.objects.update(geom=None)
    Street.objects.update(name="新名")
    with pytest.raises(Refused, match="120104 was edited") as error:
        undo(number, keep_edited=True)  # boundaries go back whole or not at all
    assert "120104001 was edited" in str(error.value)
    assert Street.objects.get().geom is not None


def test_who_writes_past_the_site_cannot_wipe_what_was_noted(tmp_path, place):
    into(patches(tmp_path, range(1, 3)))
    LandUsePatch.objects.filter(bsm=patch(1)["BSM"]).update(bz="改过")
    assert Edited.objects.get().what == "edited"
    for statement in ("DELETE FROM importers_edited", "UPDATE importers_edited SET what = ''"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


def test_the_command_lists_what_it_keeps(tmp_path, place, manage):
    number = into(patches(tmp_path / "a", range(1, 4)))
    LandUsePatch.objects.filter(bsm=patch(1)["BSM"]).update(bz="改过")
    refused = manage("undo_import", str(number), GEOINV_LANGUAGE="en")
    assert refused.returncode == 1
    assert "--keep-edited" in refused.stderr
    done = manage("undo_import", str(number), "--keep-edited", GEOINV_LANGUAGE="en")
    assert done.returncode == 0
    assert f"kept: {patch(1)['BSM']} was edited on" in done.stdout
    shutil.rmtree(tmp_path / "a")


def told_of_edits(result) -> tuple[list, list]:
    """Which rows a result says were edited, and the counts of its warning of them."""
    warnings = [one for one in result["warnings"] if one["code"] == "1-edits-overwritten"]
    assert all(one["key"] in warnings[0]["message"] for one in result["edited"][:5])
    return [(one["key"], one["what"], one["who"]) for one in result["edited"]], [one["count"] for one in warnings]


@pytest.mark.rows("NK011")
def test_edits_of_parcels_that_a_correction_overwrites_are_told_before_and_after(tmp_path, place, planner):
    keys = [parcel(number)["ZDDM"] for number in range(1, 9)]
    into(parcels(tmp_path / "a", *map(parcel, range(1, 9))), "zd")
    with transaction.atomic():
        edited(keys[0], planner, address="改过")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE units_parcel SET address = '改过' WHERE code = ANY (%s)", [[keys[1], keys[7]]])
    with transaction.atomic():
        edited(keys[2], planner, address="新址")  # as the file will say
        edited(keys[3], planner, address="改过")  # which the file leaves as it was delivered
    rows_after = [parcel(number, **({"ZL": "新址"} if number in (1, 2, 3, 5) else {})) for number in range(1, 8)]
    corrected = parcels(tmp_path / "b", *rows_after)
    lost = [(keys[0], "changed", "planner"), (keys[1], "changed", ""), (keys[7], "gone", "")]

    preview = uuid.uuid4()
    tried = load(corrected, "zd", "120104", 2022, dry_run=True, preview=preview)
    assert told_of_edits(tried) == (lost, [3])
    assert all(one["when"] for one in tried["edited"])
    marked = PreviewRow.objects.filter(preview=preview, codes__contains=["1-edits-overwritten"])
    assert set(marked.values_list("key", "kind", "severity")) == {
        (keys[0], "attributes", "warning"),
        (keys[1], "attributes", "warning"),
        (keys[7], "gone", "warning"),
    }
    assert Parcel.objects.get(code=keys[0]).address == "改过"

    done = load(corrected, "zd", "120104", 2022)
    assert told_of_edits(done) == (lost, [3])
    assert Delivery.objects.get(pk=done["delivery"]).settings["edited"] == done["edited"] == tried["edited"]
    assert list(Parcel.objects.filter(code__in=keys[:4]).order_by("code").values_list("address", flat=True)) == [
        "新址",
        "新址",
        "新址",
        "改过",
    ]
    # What the correction brought nobody has edited since; the row that it left alone is still as it was edited.
    again = [parcel(number, ZL="再改") for number in range(1, 8)]
    result = load(parcels(tmp_path / "c", *again), "zd", "120104", 2022)
    assert (result["changed"], told_of_edits(result)) == (7, ([(keys[3], "changed", "planner")], [1]))


def test_edits_of_patches_by_sql_are_told_and_more_than_five_are_not_all_in_the_sentence(tmp_path, place):
    into(patches(tmp_path / "a", range(1, 41)))
    keys = [patch(number)["BSM"] for number in range(1, 41)]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE units_landusepatch SET bz = '改过' WHERE bsm = ANY (%s)", [keys[:7] + keys[39:]])
    result = load(patches(tmp_path / "b", range(1, 40), TBBH="77"), "dltb", "120104", 2022)
    lost = [(key, "changed", "") for key in keys[:7]] + [(keys[39], "gone", "")]
    assert told_of_edits(result) == (lost, [8])
    (sentence,) = [one["message"] for one in result["warnings"] if one["code"] == "1-edits-overwritten"]
    assert sentence.endswith("…")
    assert keys[5] not in sentence


def test_a_parcel_that_was_made_by_hand_and_is_not_in_the_file_does_not_leave_unnoticed(tmp_path, place, planner):
    into(parcels(tmp_path / "a", *map(parcel, range(1, 9))), "zd")
    with transaction.atomic():
        with connection.cursor() as cursor:
            authored(cursor, planner)
        made = Parcel.objects.get(code=parcel(8)["ZDDM"])
        made.pk, made.code, made.delivery_id, made.row_digest = None, "120104001001GB00999", None, None
        made.save(force_insert=True)
    result = load(parcels(tmp_path / "b", *(parcel(number, ZL="新址") for number in range(1, 9))), "zd", "120104", 2022)
    assert told_of_edits(result) == ([("120104001001GB00999", "gone", "planner")], [1])


@pytest.mark.parametrize("kind", ["patches", "parcels"])
def test_edits_are_told_again_after_an_undoing_gave_them_back_and_an_undoing_is_none(tmp_path, place, planner, kind):
    """Of two rows one is edited; deliveries, a supplement and their taking back change both."""
    model, name = (LandUsePatch, "bsm") if kind == "patches" else (Parcel, "code")
    profile = "dltb" if kind == "patches" else "zd"
    key, row = ("BSM", patch) if kind == "patches" else ("ZDDM", parcel)

    def file(folder, value, numbers=(1, 2)):
        if kind == "patches":
            return patches(tmp_path / folder, numbers, TBBH=value)
        return parcels(tmp_path / folder, *(parcel(number, ZL=value) for number in numbers))

    first = into(file("a", "1"), profile)
    supplement = load(file("s", "2"), profile, "120104", 2022, supplement=first)
    assert (supplement["changed"], told_of_edits(supplement)) == (2, ([], []))
    model.objects.filter(**{name: row(1)[key]}).update(**{"bz" if kind == "patches" else "address": "改过"})
    for value in ("3", "4"):
        result = load(file(value, value), profile, "120104", 2022)
        assert (result["changed"], told_of_edits(result)) == (2, ([(row(1)[key], "changed", "")], [1]))
        undo(result["delivery"])
