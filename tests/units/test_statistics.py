"""Statistics are held against a second computation with shapely and plain Python that shares no code with them."""

import io
import math
import os
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

import openpyxl
import psycopg
import pyproj
import pytest
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone, translation
from psycopg.rows import dict_row

from units.charting import breaks, shade
from units.errors import NotAllowed, Refused, UnknownName, UsageError
from units.models import (
    ControlArea,
    Determination,
    District,
    DistrictFigure,
    Flag,
    Parcel,
    User,
)
from units.rights import Grant
from units.statistics import Chosen, construction_land, moment, statistics, withheld

pytestmark = pytest.mark.rows("NK013")

NANKAI = "120104"
OFFICE = (Grant("R5", NANKAI),)
GEOD = pyproj.Geod(a=6378137, rf=298.257222101)
MU = 10_000 / 15
CATEGORIES = ("industrial", "office", "residential", "facility")


def area(shape) -> float:
    """Square metres on the ellipsoid; lines and points that an overlay leaves have none."""
    return sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in polygons(shape))


def polygons(shape):
    if shape.geom_type == "Polygon":
        return [shape]
    return [one for part in getattr(shape, "geoms", ()) for one in polygons(part)]


def hectares(square_metres: float) -> Decimal:
    return (Decimal(str(square_metres)) / 10_000).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def near(told, expected, tolerance="0.0002") -> bool:
    return abs(Decimal(told) - Decimal(expected)) <= Decimal(tolerance)


class Again:
    """The records of the copy, read as they are stored, and what statistics should say of them."""

    def __init__(self, url: str):
        with psycopg.connect(url, row_factory=dict_row) as db:
            self.records = db.execute(
                """SELECT f.category, f.fired, f.parcel_id, f.building_id,
                          COALESCE(p.street_id, b.street_id, f.street_id) AS street,
                          COALESCE(p.code, b.code) AS code, ST_AsBinary(COALESCE(p.geom, b.geom)) AS wkb, p.right_until,
                          m.built_year_min, m.far, m.net_developable_m2, m.plan_conflict, m.supply_state,
                          m.completion_overdue, m.approved_unsupplied_share, m.tax_per_mu, m.sector_tax_mean
                   FROM units_flag f LEFT JOIN units_parcel p ON p.id = f.parcel_id
                   LEFT JOIN units_building b ON b.id = f.building_id
                   LEFT JOIN units_measured m ON m.subject = COALESCE(f.parcel_id, -f.building_id)
                   WHERE f.outcome = 'candidate' AND f.criteria = 'nankai-2024' ORDER BY code"""
            ).fetchall()
            self.buildings = db.execute(
                """SELECT id, ST_AsBinary(geom) AS wkb, floor_area_m2, floors FROM units_building
                   WHERE NOT temporary AND floors IS DISTINCT FROM 0"""
            ).fetchall()
            self.streets = {
                row["code"]: shapely.from_wkb(row["wkb"])
                for row in db.execute("SELECT code, ST_AsBinary(geom) AS wkb FROM units_street").fetchall()
            }
            self.plots = db.execute(
                "SELECT ST_AsBinary(geom) AS wkb, extra ->> 'RJLSX' AS far FROM units_controlarea"
                " WHERE kind = 'plot_plan'"
            ).fetchall()
        for row in (*self.records, *self.buildings, *self.plots):
            row["geom"] = shapely.from_wkb(row["wkb"])
        self.plots = [row for row in self.plots if row["far"] is not None]
        self.plot_tree = shapely.STRtree([row["geom"] for row in self.plots])
        self.building_tree = shapely.STRtree([row["geom"] for row in self.buildings])
        for row in self.records:
            row["area"] = area(row["geom"])
        self.whole = self.union(self.records)
        before, tree = [], shapely.STRtree([row["geom"] for row in self.records])
        for number, row in enumerate(self.records):  # in the order of their codes
            earlier = [before[one] for one in tree.query(row["geom"]) if one < number]
            row["own"] = area(row["geom"].difference(shapely.union_all(earlier))) if earlier else row["area"]
            before.append(row["geom"])

    def union(self, rows):
        return shapely.union_all([row["geom"] for row in rows])

    def floor(self, rows) -> float:
        """Floor area of all buildings by the share of their footprint in the union."""
        land, found = self.union(rows), 0.0
        shapely.prepare(land)
        for number in self.building_tree.query(land, predicate="intersects"):
            one = self.buildings[number]
            size = area(one["geom"])
            floors = float(one["floor_area_m2"] or 0) or size * float(one["floors"])
            found += floors * (1 if land.covers(one["geom"]) else area(one["geom"].intersection(land)) / size)
        return found

    def by(self, key) -> dict[str, list[dict]]:
        groups = defaultdict(list)
        for row in self.records:
            for name in key(row):
                groups[name].append(row)
        return groups

    def potential(self, rows, today: date) -> dict:
        """The figures of the parcels among the rows: (sum of what is known or None, how many are not)."""
        found = {name: [] for name in ("intensity", "structure", "idle", "approved", "management", "yield")}
        for row in rows:
            if row["parcel_id"] is None:
                continue
            own, share = row["own"], row["own"] / row["area"]
            allowed = stated = 0.0
            for number in self.plot_tree.query(row["geom"]):
                piece = area(row["geom"].intersection(self.plots[number]["geom"]))
                stated += piece
                allowed += piece * float(self.plots[number]["far"])
            unknown = stated < 0.5 * row["area"] or row["far"] is None or row["net_developable_m2"] is None
            found["intensity"].append(
                None
                if unknown
                else max(0.0, allowed / stated - float(row["far"])) * float(row["net_developable_m2"]) * share
            )
            for name, value in (("structure", row["plan_conflict"]), ("approved", row["approved_unsupplied_share"])):
                found[name].append(None if value is None else float(value) * own)
            state = row["supply_state"]
            found["idle"].append(None if state is None else own if state == "idle" else 0.0)
            late = [
                None if state is None else state == "overdue",
                None if row["completion_overdue"] is None else row["completion_overdue"] > 0,
                None if row["right_until"] is None else row["right_until"] < today.replace(year=today.year + 2),
            ]
            found["management"].append(own if True in late else None if None in late else 0.0)
            tax, mean = row["tax_per_mu"], row["sector_tax_mean"]
            found["yield"].append(None if None in (tax, mean) else max(0.0, float(mean - tax)) * own / MU)
        return {
            name: (
                sum(one for one in values if one is not None) if any(one is not None for one in values) else None,
                values.count(None),
            )
            for name, values in found.items()
        }


def planted() -> None:
    """Candidates that lie over others, one across the border of two streets, and one of nothing but a corner touch."""
    run = Flag.objects.filter(outcome="candidate").order_by("pk").first().run
    first = Parcel.objects.filter(flags__outcome="candidate", flags__category="industrial").order_by("code").first()
    second = Parcel.objects.filter(flags__outcome="candidate", flags__category="residential").order_by("code").last()
    west, _south, east, _north = first.geom.extent
    shifted = shapely.affinity.translate(shapely.from_wkb(bytes(first.geom.wkb)), (east - west) / 3, 0)
    again = shapely.affinity.translate(shapely.from_wkb(bytes(second.geom.wkb)), 0, 0.0002)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT ST_X(c), ST_Y(c) FROM (
                   SELECT ST_LineInterpolatePoint(ST_GeometryN(
                       ST_CollectionExtract(ST_Intersection(a.geom, b.geom), 2), 1), 0.5) AS c
                   FROM units_street a, units_street b WHERE a.code = '120104012' AND b.code = '120104009') AS one"""
        )
        x, y = cursor.fetchone()
    across = shapely.box(x - 0.0006, y - 0.0005, x + 0.0006, y + 0.0005)
    for number, (shape, category, fired) in enumerate(
        (
            (shifted, "industrial", ["IND-FAR", "IND-COVERAGE"]),
            (again, "office", ["OFF-VACANT"]),
            (across, "residential", ["RES-OLD"]),
        )
    ):
        geom = GEOSGeometry(shapely.to_wkt(shape, rounding_precision=-1), srid=4490)
        parcel = Parcel.objects.create(
            survey=first.survey,
            district_id=NANKAI,
            street_id="120104012",
            code=f"120104012999GB9999{number}",
            geom=geom if geom.geom_type == "MultiPolygon" else MultiPolygon(geom, srid=4490),
        )
        Flag.objects.create(
            run=run,
            district_id=NANKAI,
            street_id="120104012",
            criteria="nankai-2024",
            parcel=parcel,
            category=category,
            outcome="candidate",
            fired=fired,
            evidence={},
        )


@pytest.fixture(scope="module")
def copy(django_db_setup, django_db_blocker, databases, demo_database):
    """A copy of the demo district with planted overlaps, and the second computation of it."""
    name = databases.clone(demo_database)
    with django_db_blocker.unblock(), translation.override("en"):
        databases.use(name)
        planted()
        yield Again(os.environ["DATABASE_URL"])
        databases.use(databases.process_database)
    databases.drop(name)


@pytest.fixture(scope="module")
def told(copy):
    with translation.override("en"):
        return statistics(Chosen(NANKAI), OFFICE)


@pytest.fixture
def undone(copy):
    """What a test changes is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def table(told: dict, name: str) -> dict:
    return next(one for one in told["tables"] if one["id"] == name)


def rows(told: dict, name: str) -> dict[str, dict]:
    return {row["key"]: row for row in table(told, name)["rows"]}


def test_land_that_lies_in_several_records_counts_once_in_all_and_in_each_category(copy, told):
    summed = sum(row["area"] for row in copy.records)
    total = table(told, "scale")["total"]
    assert near(total["area_ha"], hectares(area(copy.whole)))
    assert summed - area(copy.whole) > 10_000  # the planted overlaps and the offices on candidate parcels are felt
    for category, members in copy.by(lambda row: [row["category"]]).items():
        row = rows(told, "scale")[category]
        assert near(row["area_ha"], hectares(area(copy.union(members)))), category
        assert row["parcels"] == sum(one["parcel_id"] is not None for one in members)
        assert row["buildings"] == sum(one["building_id"] is not None for one in members)
        assert near(row["floor_m2"], copy.floor(members), 1), category
    assert near(total["floor_m2"], copy.floor(copy.records), 1)
    assert near(total["area_share"], 1)


def test_structure_equals_the_second_computation_in_every_dimension(copy, told):
    def band(row):
        size = Decimal(str(row["area"])).quantize(Decimal("0.01"), ROUND_HALF_UP) / 10_000
        return ["0" if size < 1 else "1" if size < 5 else "5" if size < 10 else "10"]

    def decade(row):
        year = row["built_year_min"]
        return ["none" if year is None else str(int(year) // 10 * 10)]

    for name, key in (("reason", lambda row: row["fired"]), ("size", band), ("decade", decade)):
        groups, found = copy.by(key), rows(told, f"structure-{name}")
        assert set(found) == set(groups), name
        for value, members in groups.items():
            assert near(found[value]["area_ha"], hectares(area(copy.union(members)))), (name, value)
            assert found[value]["parcels"] + found[value]["buildings"] == len(members)
            assert near(found[value]["floor_m2"], copy.floor(members), 1), (name, value)
            for category in CATEGORIES:
                some = [row for row in members if row["category"] == category]
                assert near(found[value][f"{category}_ha"], hectares(area(copy.union(some)))), (name, value, category)


def test_land_is_split_by_the_outlines_of_streets(copy, told):
    found = rows(told, "distribution-street")
    assert set(found) == set(copy.streets)
    for code, outline in copy.streets.items():
        inside = area(copy.whole.intersection(outline))
        assert near(found[code]["area_ha"], hectares(inside)), code
        assert near(found[code]["density"], inside / area(outline), "0.0001")
    assert near(sum(row["area_ha"] for row in found.values()), table(told, "scale")["total"]["area_ha"], "0.001")
    # the planted parcel across the border is cut in both, and counts in the one that has most of it
    cut = defaultdict(int)
    for row in copy.records:
        pieces = [code for code, outline in copy.streets.items() if area(row["geom"].intersection(outline)) > 0.01]
        for code in pieces if len(pieces) > 1 else ():
            cut[code] += 1
    assert {code: row["cut"] for code, row in found.items() if row["cut"]} == cut
    assert {"120104009", "120104012"} <= set(cut)
    assert sum(row["parcels"] + row["buildings"] for row in found.values()) == len(copy.records)


def test_a_street_without_an_outline_keeps_the_records_that_name_it(copy, undone):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE units_street SET geom = NULL WHERE code = '120104001'")
    told = statistics(Chosen(NANKAI), OFFICE, ("distribution",))
    row = rows(told, "distribution-street")["120104001"]
    members = [one for one in copy.records if one["street"] == "120104001"]
    assert near(row["area_ha"], hectares(area(copy.union(members))))
    assert row["density"] is None


def test_hexagons_are_500_metres_wide_and_hold_all_the_land(copy, told):
    found = rows(told, "distribution-hex")
    from_zone = pyproj.Transformer.from_crs(District.objects.get(pk=NANKAI).srid, 4490, always_xy=True)
    edge = 500 / math.sqrt(3)
    for code, row in list(found.items())[::7]:
        i, j = map(int, code.split("/"))
        x, y = 1.5 * edge * i, 500 * (j + 0.5 * (i % 2))
        corners = [(x + edge * math.cos(math.pi / 3 * k), y + edge * math.sin(math.pi / 3 * k)) for k in range(6)]
        hexagon = shapely.Polygon([from_zone.transform(*corner) for corner in corners])
        assert near(row["area_ha"], hectares(area(copy.whole.intersection(hexagon)))), code
    assert near(sum(row["area_ha"] for row in found.values()), table(told, "scale")["total"]["area_ha"], "0.003")


def test_potential_equals_the_second_computation_and_unknown_is_not_nought(copy, told):
    today = timezone.localdate()
    groups = copy.by(lambda row: [row["category"]])
    unknown = 0
    for key, row in [*rows(told, "potential-category").items(), ("", table(told, "potential-category")["total"])]:
        expected = copy.potential(groups[key] if key else copy.records, today)
        for name, (value, missing) in expected.items():
            column = {"intensity": "intensity_m2", "yield": "yield_10k_cny"}.get(name, f"{name}_ha")
            assert row[f"{name}_unknown"] == missing, (key, name)
            if value is None:
                assert row[column] is None, (key, name)
                unknown += 1
            elif name in ("intensity", "yield"):
                assert near(row[column], value, 1), (key, name)
            else:
                assert near(row[column], hectares(value)), (key, name)
    assert unknown  # of facilities nobody knows a contract


def test_without_a_detailed_plan_what_it_would_allow_is_unknown_and_said_so(copy, undone):
    ControlArea.objects.filter(kind="plot_plan").update(in_force=False)
    found = table(statistics(Chosen(NANKAI), OFFICE, ("potential",)), "potential-category")
    assert found["total"]["intensity_m2"] is None
    assert found["total"]["intensity_unknown"] == found["total"]["parcels"]
    assert "Detailed plan, plot level" in found["definition"]


@pytest.mark.rows("NK008")
def test_construction_land_per_gdp_is_unknown_until_the_gdp_is_entered(copy, undone):
    (row,) = table(statistics(Chosen(NANKAI), OFFICE, ("intensity",)), "intensity-gdp")["rows"]
    assert row["gdp_100m"] is None
    assert row["ha_per_100m"] is None
    DistrictFigure.objects.create(district_id=NANKAI, figure="gdp", year=2021, value=1, source="another year")
    DistrictFigure.objects.create(district_id=NANKAI, figure="gdp", year=2022, value=50_000_000_000, source="统计年鉴")
    found = table(statistics(Chosen(NANKAI), OFFICE, ("intensity",)), "intensity-gdp")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.dlbm, ST_AsBinary(p.geom) FROM units_landusepatch p JOIN units_survey s ON s.id = p.survey_id"
            " WHERE s.state = 'in_force' AND left(p.dlbm, 2) IN ('05', '06', '07', '08', '09', '10', '12')"
        )
        farm_roads = {"1006", "1202", "1203", "1204", "1205", "1206", "1207", "0810B"}
        land = area(shapely.union_all([shapely.from_wkb(bytes(wkb)) for code, wkb in cursor if code not in farm_roads]))
    assert near(found["rows"][0]["construction_ha"], hectares(land), "0.001")
    assert near(found["rows"][0]["ha_per_100m"], land / 10_000 / 500, "0.0001")
    assert "统计年鉴" in found["definition"]


def test_patches_that_lie_over_one_another_are_construction_land_once(copy, undone):
    class Survey:
        survey, deliveries = None, {"patches": [1]}

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM units_survey WHERE state = 'in_force'")
        (Survey.survey,) = cursor.fetchone()
        before = construction_land(cursor, Survey)
        cursor.execute(
            """INSERT INTO units_landusepatch (delivery_id, survey_id, district_id, bsm, tbbh, dlbm, dlmc, scheme, qsxz,
                   qsdwdm, qsdwmc, zldwdm, zldwmc, kcdlbm, czcsxm, mssm, bz, extra, geom, area_m2)
               SELECT delivery_id, survey_id, district_id, '120104999999999999', '', dlbm, '', scheme, '', '', '', '',
                   '', '', '', '', '', '{}', geom, area_m2
               FROM units_landusepatch WHERE dlbm = '0601' ORDER BY bsm LIMIT 1"""
        )
        assert construction_land(cursor, Survey) == pytest.approx(before, abs=0.01)


def test_filters_choose_and_together_they_choose_what_fits_all(copy):
    def total(**filters):
        return table(statistics(Chosen(NANKAI, **filters), OFFICE, ("scale",)), "scale")["total"]

    for filters, fits in (
        ({"street": "120104007"}, lambda row: row["street"] == "120104007"),
        ({"category": "office"}, lambda row: row["category"] == "office"),
        ({"size": "1"}, lambda row: 10_000 <= row["area"] < 50_000),
        ({"decade": "1980"}, lambda row: row["built_year_min"] is not None and row["built_year_min"] // 10 == 198),
        ({"decade": "none"}, lambda row: row["built_year_min"] is None),
        ({"reason": "IND-FAR"}, lambda row: "IND-FAR" in row["fired"]),
        ({"category": "industrial", "size": "0"}, lambda row: row["category"] == "industrial" and row["area"] < 10_000),
    ):
        members = [row for row in copy.records if fits(row)]
        found = total(**filters)
        assert found["parcels"] + found["buildings"] == len(members) > 0, filters
        assert near(found["area_ha"], hectares(area(copy.union(members)))), filters


def test_a_past_day_tells_what_was_determined_then_in_the_shape_of_then(copy, undone):
    parcel = Parcel.objects.get(code="120104012999GB99990")  # planted, so that the demo has no record of it
    # The history of before, which nobody but the owner of the database writes: half of the parcel was in the inventory
    # on 1 March 2024, and was not yet on 29 February.
    with psycopg.connect(os.environ["GEOINV_OWNER_DATABASE_URL"]) as owner:
        owner.execute("CREATE TEMP TABLE old AS SELECT * FROM units_parcelevent WHERE pgh_obj_id = %s", [parcel.pk])
        owner.execute(
            """UPDATE old SET pgh_created_at = '2024-03-01 12:00+08', geom = ST_Multi(ST_MakeEnvelope(ST_XMin(geom),
                   ST_YMin(geom), (ST_XMin(geom) + ST_XMax(geom)) / 2, ST_YMax(geom), 4490)),
                   pgh_id = (SELECT max(pgh_id) + 1000 FROM units_parcelevent)"""
        )
        owner.execute("INSERT INTO units_parcelevent SELECT * FROM old")
        owner.execute(
            """INSERT INTO units_determinationevent (pgh_created_at, pgh_label, pgh_obj_id, id, code, category, subtype,
                   state, result, reason_codes, reason, evidence, base_survey_year, version, district_id, street_id,
                   parcel_id, criteria, procedure, raised_reason, listed_since, after, change, plan_item)
               SELECT '2024-03-01 12:00+08', 'insert', 999999, 999999, 'X', 'industrial', '', 'in_force',
                   'low', '{TEST}', 'R', '{}', 2022, 1, district_id, street_id, id, '', '', '', '2024-03-01', '{}',
                   '', ''
               FROM units_parcel WHERE id = %s""",
            [parcel.pk],
        )
    record = Determination.objects.create(
        pk=999999,
        district_id=NANKAI,
        street_id=parcel.street_id,
        code="120104DX999999",
        parcel=parcel,
        category="industrial",
        state="determined",
        result="low",
        reason="R",
        reason_codes=["TEST"],
        base_survey_year=2022,
        decided_by=User.objects.get(username="office"),
        decided_at=timezone.now(),
        listed_since=date(2024, 3, 1),
    )

    def total(base, day):
        return table(statistics(Chosen(NANKAI, base, day, reason="TEST"), OFFICE, ("scale",)), "scale")["total"]

    assert total("determined", date(2024, 2, 29))["parcels"] == 0
    west, south, east, north = parcel.geom.extent
    half = shapely.box(west, south, (west + east) / 2, north)
    for base in ("determined", "in_force"):
        assert near(total(base, date(2024, 3, 1))["area_ha"], hectares(area(half)))
    assert near(total("determined", None)["area_ha"], hectares(area(shapely.from_wkb(bytes(parcel.geom.wkb)))))
    assert total("in_force", None)["parcels"] == 0  # today it is determined and not in the inventory
    # one that was decided the other way, or was deleted, is not counted
    record.result = "not_low"
    record.save()
    assert total("determined", None)["parcels"] == 0
    record.result = "low"
    record.save()
    record.delete()
    assert total("determined", None)["parcels"] == 0


def test_candidates_of_a_day_before_the_kept_run_are_refused_with_what_to_do(copy):
    with pytest.raises(Refused, match="flags are kept of the last run alone") as error:
        statistics(Chosen(NANKAI, as_of=timezone.localdate() - timedelta(days=1)), OFFICE, ("scale",))
    assert "determinations" in str(error.value.hint)
    assert moment(date(2024, 3, 1)).isoformat() == "2024-03-02T00:00:00+08:00"


def test_a_street_office_counts_its_street_alone_and_reads_no_figure_of_tax(copy):
    told = statistics(Chosen(NANKAI), (Grant("R2", NANKAI, "120104001"),))
    members = [row for row in copy.records if row["street"] == "120104001"]
    total = table(told, "scale")["total"]
    assert total["parcels"] + total["buildings"] == len(members)
    assert set(rows(told, "distribution-street")) == {"120104001"}
    for grants in ((Grant("R2", NANKAI, "120104001"),), (Grant("R1", NANKAI),), (Grant("R8"),)):
        told = statistics(Chosen(NANKAI), grants)
        assert not told["figures"]
        assert "yield" not in str(told["tables"][-4:]).replace("Yield: what tax falls short", "")
        assert "structure-grade" not in {one["id"] for one in told["tables"]}
    with pytest.raises(NotAllowed):
        statistics(Chosen(NANKAI), (Grant("R9", NANKAI),))
    with pytest.raises(NotAllowed):
        statistics(Chosen(NANKAI), ())


def test_groups_of_few_firms_are_kept_back_and_no_difference_tells_them(told):
    assert withheld([5, 9]) == set()
    assert withheld([1, 5, 9]) == {0, 1}  # alone, the total less the others would be it
    assert withheld([1, 1, 5, 9]) == {0, 1, 2}  # two firms together are still fewer than three
    assert withheld([2, 2, 9]) == {0, 1}
    assert withheld([0, 2, 0, 7, 4]) == {1, 4}
    assert withheld([2]) == {0}
    assert withheld([]) == set()
    row = rows(told, "potential-unit")["120104DY0001"]
    assert row["withheld"] == ["yield_10k_cny", "yield_unknown"]
    assert row["yield_10k_cny"] is None
    assert row["intensity_m2"] is not None


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"base": "all"}, UnknownName),
        ({"category": "mine"}, UnknownName),
        ({"size": "3"}, UnknownName),
        ({"owner": "me"}, UnknownName),
        ({"right": "999"}, UnknownName),
        ({"street": "120103001"}, UnknownName),
        ({"decade": "198"}, UsageError),
        ({"decade": "19٨0"}, UsageError),
        ({"as_of": "2024-02-30"}, UsageError),
        ({"as_of": "2999-01-01"}, UsageError),
        ({"as_of": "0001-01-01"}, UsageError),
    ],
)
def test_a_filter_that_means_nothing_is_an_error_and_never_an_empty_table(copy, given, error):
    with pytest.raises(error):
        Chosen.of(given, NANKAI)


def test_an_unknown_set_is_an_error(copy):
    with pytest.raises(UnknownName):
        statistics(Chosen(NANKAI, criteria="nankai-1999"), OFFICE, ("scale",))


def visitor(name: str, language: str = "en") -> Client:
    client = Client()
    client.cookies["django_language"] = language
    client.force_login(User.objects.get(username=name))
    return client


def test_the_page_shows_every_table_its_charts_and_two_maps_in_both_languages(copy):
    client = visitor("office")
    for language, words in (("en", ("By street", "withheld")), ("zh-hans", ("120104DY0001",))):
        client.cookies["django_language"] = language
        page = client.get("/statistics/").content.decode()
        assert all(word in page for word in words)
        assert page.count('class="sheet stat-map"') == 2
        assert 'fill="url(#shade-5)"' in page
        assert page.count('class="stat-bar"') > 20
    chosen = client.get("/statistics/?category=office&size=0").content.decode()
    assert '<option value="office" selected>' in chosen
    assert "category=office&amp;size=0" in chosen
    for query, status in (("?x=1", 400), ("?as_of=never", 400), ("?district=999999", 400), ("?as_of=2001-01-01", 409)):
        assert client.get(f"/statistics/{query}").status_code == status


def test_the_workbook_has_a_sheet_a_table_with_numbers_as_numbers(copy, told):
    answer = visitor("office").get("/statistics/statistics.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert len(book.sheetnames) == len(told["tables"]) + 1
    sheet = book[book.sheetnames[1]]
    cells = [[cell.value for cell in line] for line in sheet.iter_rows()]
    said = {line[0]: line[1] for line in cells}
    assert said["As of"] == told["as_of"]
    assert said["Digest of the criteria"] == told["criteria"]["digest"]
    assert "counts once" in said["Definition"]
    total = next(line for line in cells if line[0] == "Total")
    expected = table(told, "scale")["total"]
    assert total[1] == expected["parcels"]
    assert total[3] == pytest.approx(float(expected["area_ha"]))


def test_the_twin_for_programs_has_the_same_figures_as_numbers(copy, told):
    answer = visitor("office").get("/statistics/figures.json").json()
    assert [one["id"] for one in answer["tables"]] == [one["id"] for one in told["tables"]]
    assert answer["tables"][0]["total"]["area_ha"] == float(told["tables"][0]["total"]["area_ha"])
    assert "hexes" not in answer
    assert "yield_10k_cny" not in visitor("analyst").get("/statistics/figures.json").content.decode()


def test_shades_follow_equal_steps_and_a_limit_is_in_the_class_above():
    limits = breaks([Decimal("0.1"), Decimal("0.5")])
    assert limits == [Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), Decimal("0.4")]
    assert all(low < high for low, high in pairwise(limits))
    assert [shade(one, limits) for one in (None, Decimal(0), Decimal("0.09"), Decimal("0.1"), Decimal("0.5"))] == [
        0,
        0,
        1,
        2,
        5,
    ]
    assert breaks([]) == []
    assert shade(Decimal("0.3"), []) == 0


def test_a_district_of_nothing_is_told_without_an_error(copy, undone):
    Flag.objects.filter(outcome="candidate").delete()
    told = statistics(Chosen(NANKAI), OFFICE)
    assert table(told, "scale")["total"]["parcels"] == 0
    assert visitor("office").get("/statistics/").status_code == 200
    assert District.objects.get(pk=NANKAI).name == told["district_name"]
