"""A patch belongs to a delivery of its own survey and district; the database holds it once a statement."""

import psycopg
import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import IntegrityError, connection

from units.models import Delivery, District, LandUsePatch, Survey

COUNTS = {"encoding": {}, "crs": {}, "size": 1, "layer": "DLTB", "profile": "dltb"}


def patch(delivery: Delivery, number: int, **changed) -> LandUsePatch:
    geom = MultiPolygon(Polygon.from_bbox((117.1, 39.1, 117.101, 39.101)), srid=4490)
    facts = {"survey_id": delivery.survey_id, "district_id": delivery.district_id, **changed}
    return LandUsePatch(delivery=delivery, bsm=f"120104210100{number:06}", dlbm="0601", geom=geom, area_m2=1, **facts)


@pytest.fixture
def deliveries(own_database):
    made = []
    for code in ("120103", "120104"):
        district = District.objects.create(code=code, name=code, srid=4548)
        for year in (2021, 2022):
            survey = Survey.objects.create(district=district, year=year)
            for _ in range(2):
                digest = str(len(made)) * 64
                made.append(Delivery.objects.create(survey=survey, district=district, sha256=digest, **COUNTS))
    return made


def test_patches_of_many_deliveries_are_taken(deliveries):
    rows = [patch(one, 10 * place + n) for place, one in enumerate(deliveries) for n in range(3)]
    LandUsePatch.objects.bulk_create(rows)
    assert LandUsePatch.objects.count() == 24


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("wrong", ["survey", "district", "delivery"])
def test_one_wrong_row_among_right_ones_is_refused(deliveries, place, wrong):
    LandUsePatch.objects.bulk_create([patch(one, n) for n, one in enumerate(deliveries) if n != place])
    one = deliveries[place]
    changed = {
        "survey": {"survey_id": next(d.survey_id for d in deliveries if d.survey_id != one.survey_id)},
        "district": {"district_id": next(d.district_id for d in deliveries if d.district_id != one.district_id)},
        "delivery": {},
    }[wrong]
    row = patch(one, 99, **changed)
    if wrong == "delivery":
        row.delivery_id = one.pk + 1000
    with pytest.raises(IntegrityError, match="no delivery"):
        row.save()
    assert LandUsePatch.objects.count() == 7


def test_a_copy_and_an_update_are_held_to_it_too(deliveries):
    LandUsePatch.objects.bulk_create([patch(one, n) for n, one in enumerate(deliveries)])
    with pytest.raises(IntegrityError, match="no delivery"):
        LandUsePatch.objects.filter(delivery=deliveries[0]).update(delivery_id=deliveries[-1].pk)


def test_a_delivery_with_patches_stays(deliveries):
    patch(deliveries[0], 1).save()
    for statement in (
        f"DELETE FROM units_delivery WHERE id = {deliveries[0].pk}",
        f"UPDATE units_delivery SET district_id = '120104' WHERE id = {deliveries[0].pk}",
        f"UPDATE units_delivery SET id = id + 1000 WHERE id = {deliveries[0].pk}",
    ):
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="patches belong to it"):
            connection.connection.execute(statement)
    deliveries[0].warnings = ["a word may still be added"]
    deliveries[0].save()
    connection.connection.execute(f"DELETE FROM units_delivery WHERE id = {deliveries[1].pk}")
    assert Delivery.objects.count() == 7


def test_a_delivery_cannot_be_deleted_while_its_patches_are_being_written(deliveries):
    words = connection.settings_dict
    with (
        psycopg.connect(dbname=words["NAME"], user=words["USER"], host=words["HOST"]) as writer,
        psycopg.connect(dbname=words["NAME"], user=words["USER"], host=words["HOST"], autocommit=True) as deleter,
    ):
        columns = (
            "delivery_id, survey_id, district_id, bsm, dlbm, geom, area_m2, extra, tbbh, dlmc, scheme, qsxz, qsdwdm,"
        )
        columns += " qsdwmc, zldwdm, zldwmc, kcdlbm, czcsxm, mssm, bz"
        row = patch(deliveries[0], 1)
        writer.execute(
            f"INSERT INTO units_landusepatch ({columns}) VALUES (%s, %s, %s, %s, '0601', %s, 1, '{{}}', '', '',"
            " 'sandiao', '', '', '', '', '', '', '', '', '')",
            [row.delivery_id, row.survey_id, row.district_id, row.bsm, row.geom.ewkt],
        )
        deleter.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            deleter.execute("DELETE FROM units_delivery WHERE id = %s", [row.delivery_id])
        writer.commit()
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            deleter.execute("DELETE FROM units_delivery WHERE id = %s", [row.delivery_id])


@pytest.mark.parametrize(
    "bsm",
    ["", "12010421010000001", "1201042101000000011", "12010421010000000x", "１２０１０４２１０１００００００００"],
)
def test_a_bsm_is_eighteen_digits(deliveries, bsm):
    row = patch(deliveries[0], 1)
    row.bsm = bsm[:18]
    if bsm == "1201042101000000011":
        row.bsm = bsm
    with pytest.raises(Exception, match="patch_bsm_18_digits|value too long"):
        row.save()
