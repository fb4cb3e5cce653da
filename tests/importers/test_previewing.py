"""A dry run is kept to be looked at, row by row and on a map, and nothing else of it stays."""

import uuid

import pytest
from django.db import connection
from django.utils import translation

from importers import previewing
from importers.loading import load
from importers.models import PreviewProblem, PreviewRow
from tests.importers.containers import area, database, workbook
from tests.importers.shapefiles import PARCEL_FIELDS, parcel, patch, shapefile, square
from tests.importers.test_registers import firms
from units.errors import Refused
from units.models import District, LandUsePatch, Street


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def looked_at(path, profile="dltb", **options):
    """A dry run and its preview."""
    number = uuid.uuid4()
    return number, load(path, profile, "120104", 2022, dry_run=True, preview=number, **options)


def kinds(preview) -> list[tuple]:
    return list(
        PreviewRow.objects.filter(preview=preview).order_by("row_number", "key").values_list("row_number", "kind")
    )


def everything() -> dict[str, list]:
    """Every row of every table but those of previews, as text."""
    with connection.cursor() as cursor:
        names = sorted(set(connection.introspection.table_names(cursor)))
        found = {}
        for name in names:
            if not name.startswith("importers_preview"):
                cursor.execute(f'SELECT t::text FROM "{name}" t ORDER BY 1')
                found[name] = [row for (row,) in cursor.fetchall()]
    return found


@pytest.mark.usefixtures("nankai")
def test_of_a_first_delivery_every_row_is_new_or_refused_with_its_shape(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2, YSDM="9"), patch(3, DLBM="")])
    preview, told = looked_at(path)
    assert kinds(preview) == [(1, "new"), (2, "new"), (3, "refused")]
    assert told["delta"]["new"] == 2
    assert not LandUsePatch.objects.exists()
    second, third = PreviewRow.objects.filter(preview=preview, row_number__gt=1).order_by("row_number")
    assert (second.codes, second.severity) == (["3-constant"], "warning")
    assert third.severity == "error"
    assert third.geom.valid
    assert abs(third.geom.centroid.x - second.geom.centroid.x) < 0.002
    problems = previewing.problems(preview)
    assert problems["total"] == 2
    assert {one["severity"] for one in problems["groups"]} == {"warning", "error"}
    assert all(one["point"] for one in problems["problems"])  # where the row is, when the problem has no place


@pytest.mark.rows("NK011")
@pytest.mark.usefixtures("own_database")
def test_nothing_of_a_dry_run_stays_but_what_is_looked_at(tmp_path):
    from_nothing(tmp_path)
    before = everything()
    rows = [patch(1, DLBM="0301", DLMC="乔木林地"), patch(2), patch(7), patch(4, DLBM="")]
    shapes = [[square(column=0)], [square(column=1, size=101)], [square(column=2)], [square(column=9)]]
    preview, told = looked_at(shapefile(tmp_path / "b", rows=rows, shapes=shapes), replace=True)
    assert everything() == before
    assert (told["changed"], told["refused"]) == (3, 1)
    assert PreviewRow.objects.filter(preview=preview).count() == 4
    previewing.forget(preview)
    assert not PreviewRow.objects.exists()
    assert not PreviewProblem.objects.exists()


def from_nothing(tmp_path):
    district = District.objects.create(code="120104", name="南开区", srid=4527)
    Street.objects.create(code="120104001", district=district, name="长虹街道")
    load(shapefile(tmp_path / "a", rows=[patch(1), patch(2), patch(3)]), "dltb", "120104", 2022)


@pytest.mark.usefixtures("nankai")
def test_what_changes_is_told_field_by_field_with_what_was_before(tmp_path):
    load(shapefile(tmp_path / "a", rows=[patch(number) for number in range(1, 8)]), "dltb", "120104", 2022)
    rows = [patch(1), patch(2, DLBM="0301", DLMC="乔木林地"), patch(3), patch(44), patch(5), patch(8)]
    shapes = [[square(column=at)] for at in range(5)]
    shapes[2] = [square(column=2, size=90, west=39_510_020.0)]
    shapes.append([square(column=30)])
    preview, told = looked_at(shapefile(tmp_path / "b", rows=rows, shapes=shapes), replace=True)
    found = {(one.row_number, one.kind): one for one in PreviewRow.objects.filter(preview=preview)}
    assert sorted(found, key=str) == sorted(
        [(1, "unchanged"), (2, "attributes"), (3, "moved"), (4, "renumbered"), (5, "unchanged"), (6, "new")]
        + [(None, "gone")],
        key=str,
    )
    assert told["delta"] | {"gone": 2} == told["delta"]
    assert found[2, "attributes"].changes == {"DLBM": ["0601", "0301"], "DLMC": ["工业用地", "乔木林地"]}
    assert found[4, "renumbered"].changes == {"BSM": ["120104210100000004", "120104210100000044"], "TBBH": ["4", "44"]}
    assert found[3, "moved"].before is not None
    assert found[2, "attributes"].before is None
    page = previewing.rows(preview, kind="moved")
    assert (page["total"], page["rows"][0]["key"]) == (1, "120104210100000003")
    west, south, east, north = page["rows"][0]["box"]
    assert 117 < west < east < 118
    assert 39 < south < north < 40
    assert previewing.rows(preview, page_of=6, size=2)["page"] == 3


@pytest.mark.usefixtures("nankai")
def test_a_preview_of_a_file_that_was_taken_before_says_that_nothing_changes(tmp_path):
    path = shapefile(tmp_path, rows=[patch(1), patch(2), patch(3, DLBM="")])
    load(path, "dltb", "120104", 2022)
    preview, told = looked_at(path)
    assert told["already"]
    assert kinds(preview) == [(1, "unchanged"), (2, "unchanged"), (3, "refused")]
    assert previewing.problems(preview)["total"] == 1


@pytest.mark.usefixtures("nankai")
def test_tables_without_shapes_and_layers_of_a_database_are_previewed_too(tmp_path):
    load(shapefile(tmp_path, "ZD", rows=[parcel(1)], fields=PARCEL_FIELDS), "zd", "120104", 2022)
    preview, told = looked_at(workbook(tmp_path / "企业.xlsx", firms()), "enterprise")
    assert PreviewRow.objects.filter(preview=preview, kind="new").count() == told["taken"] > 2
    preview, told = looked_at(database(tmp_path / "a.gpkg", {"JQKG": [area(1)]}), "control")
    assert kinds(preview) == [(1, "new")]
    fields = [("XZQDM", "C", 12, 0), ("XZQMC", "C", 100, 0)]
    rows = [{"XZQDM": "120104001", "XZQMC": "长虹街道"}]
    path = shapefile(tmp_path, "XZQ", rows=rows, fields=fields, encoding="utf-8", cpg="UTF-8")
    preview, _told = looked_at(path, "district")
    assert set(PreviewRow.objects.filter(preview=preview).values_list("key", "kind")) == {
        ("120104", "new"),
        ("120104001", "new"),
    }


@pytest.mark.usefixtures("nankai")
def test_a_dry_run_that_fails_leaves_no_preview(tmp_path):
    load(shapefile(tmp_path / "a", rows=[patch(1), patch(2)]), "dltb", "120104", 2022)
    with pytest.raises(Refused, match="not in the file"):
        looked_at(shapefile(tmp_path / "b", rows=[patch(9)], shapes=[[square(column=40)]]))
    assert not PreviewRow.objects.exists()


@pytest.mark.usefixtures("nankai")
def test_a_tile_shows_every_row_from_afar_and_its_shape_from_near(tmp_path):
    load(shapefile(tmp_path / "a", rows=[patch(1), patch(2)]), "dltb", "120104", 2022)
    rows = [patch(1, YSDM="9"), patch(3)]
    shapes = [[square(column=0)], [square(column=30)]]
    preview, _told = looked_at(shapefile(tmp_path / "b", rows=rows, shapes=shapes), replace=True)
    centre = PreviewRow.objects.get(preview=preview, row_number=1).geom.centroid
    for zoom in (3, 8, 12, 16):
        count = 2**zoom
        x = int((centre.x + 180) / 360 * count)
        y = next(y for y in range(count) if tile_holds(zoom, x, y, centre))
        made = previewing.tile(preview, zoom, x, y)
        assert b"preview" in made
        assert b"attributes" in made
        assert b"problems" in made
        assert b"3-constant" in made
        if zoom < 16:
            assert b"gone" in made
    assert previewing.tile(preview, 3, 0, 0) == b""
    assert previewing.tile(preview, 3, 9, 0) == b""
    assert previewing.tile(uuid.uuid4(), 0, 0, 0) == b""


def tile_holds(z, x, y, point) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_Transform(ST_TileEnvelope(%s, %s, %s), 4490) && ST_SetSRID(ST_Point(%s, %s), 4490)",
            [z, x, y, point.x, point.y],
        )
        return cursor.fetchone()[0]
