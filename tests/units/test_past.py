"""A year of generated history is replayed, and what stood on twelve days is compared with a log that the test keeps."""

import os
import random
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
import town
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import connection, transaction
from django.test import Client
from pyproj import Geod

from tests.clock import Clock
from units.asof import end_of
from units.collections import COLLECTIONS, KEPT
from units.differing import between_days, between_rounds
from units.models import (
    Building,
    ControlArea,
    Delivery,
    Determination,
    District,
    LandUsePatch,
    LegacyLand,
    Parcel,
    RedevelopmentUnit,
    Street,
    Survey,
    User,
)
from units.rights import Grant, Role

pytestmark = pytest.mark.rows("NK054")

NANKAI = "120104"
STREETS = ("120104001", "120104002")
CGCS2000 = Geod(a=6378137.0, rf=298.257222101)
FIRST = date(2025, 1, 1)
NEXT_ROUND = date(2025, 7, 10)
TWELVE = [date(2025, month, 28) for month in range(1, 13)]
STEPS = 420
BUREAU = (Grant(Role.BUREAU),)


def corner(column: int, row: int) -> tuple[float, float]:
    return round(117.1 + column * 0.002, 4), round(39.05 + row * 0.002, 4)


def rectangle(west: float, south: float, wide: float, high: float) -> MultiPolygon:
    box = Polygon.from_bbox((west, south, round(west + wide, 6), round(south + high, 6)))
    return MultiPolygon(box, srid=4490)


def measured(shape: MultiPolygon) -> float:
    """Square metres on the ellipsoid, without the database."""
    return abs(CGCS2000.polygon_area_perimeter(*zip(*shape[0][0].coords, strict=True))[0])


class Year:
    """Writes at random through the site's own role, and keeps a log of plain dictionaries beside it.

    `log[register][number of the row]` is {area, street, state, key …}; `days[date]` is a copy of it at the end of
    the day. Nothing of the log is read from the database but the numbers of the rows.
    """

    def __init__(self, clock: Clock, seed: int):
        self.clock, self.chance = clock, random.Random(seed)
        self.log: dict[str, dict[int, dict]] = {name: {} for name in KEPT}
        self.days: dict[date, dict] = {}
        self.made = 0
        self.author = User.objects.create_user("author")
        self.surveys, self.in_force = {}, None

    def run(self):
        self.open_round(2024)
        for _one in range(60):
            self.parcel(), self.patch()
        for _one in range(15):
            self.building(), self.legacy(), self.unit(), self.control(), self.record()
        self.put_in_force(2024)
        self.clock.note(self.noon(FIRST))
        at, steps = FIRST, sorted(self.chance.randrange(1, 364) for _one in range(STEPS))
        while at < date(2025, 12, 31):
            at += timedelta(days=1)
            number = (at - FIRST).days
            for _one in range(steps.count(number)):
                self.step()
            if at == NEXT_ROUND - timedelta(days=40):
                self.load_next()
            if at == NEXT_ROUND:
                self.put_in_force(2025)
            self.clock.note(self.noon(at))
            if at in TWELVE:
                self.days[at] = self.standing()
        self.clock.set()

    def noon(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)  # noon in China

    # --- what there is -----------------------------------------------------------------------------------------

    def shape(self) -> tuple[MultiPolygon, float]:
        self.made += 1
        west, south = corner(self.made % 70, self.made // 70)
        made = rectangle(west, south, self.chance.choice((0.001, 0.0015)), self.chance.choice((0.0008, 0.001)))
        return made, measured(made)

    def open_round(self, year: int):
        place, _new = District.objects.get_or_create(code=NANKAI, defaults={"name": "南开区", "srid": 4548})
        for code in STREETS:
            Street.objects.get_or_create(code=code, defaults={"name": code, "district": place})
        survey = self.surveys[year] = Survey.objects.create(district=place, year=year)
        self.delivery = Delivery.objects.create(
            survey=survey,
            district=place,
            profile="dltb",
            file_name="a.zip",
            layer="DLTB",
            sha256=f"{year:064d}",
            size=1,
            encoding={},
            crs={},
        )
        self.filled = year

    def load_next(self):
        """The next round: most parcels again under their codes, some with another shape, some new, some gone."""
        before = {one["key"]: one for one in self.log["parcels"].values() if one["round"] == 2024}
        self.open_round(2025)
        for key, one in before.items():
            luck = self.chance.random()
            if luck < 0.1:
                continue
            again = one["shape"] if luck < 0.8 else self.grown(one["shape"])
            self.parcel(code=key, shape=again)
        for _one in range(7):
            self.parcel()
        for _one in range(40):
            self.patch()

    def put_in_force(self, year: int):
        with transaction.atomic():
            Survey.objects.filter(district=NANKAI, state="in_force").update(state="retired")
            Survey.objects.filter(pk=self.surveys[year].pk).update(state="in_force", activated_at=datetime.now(UTC))
        self.in_force = year

    def parcel(self, code="", shape=None):
        made, area = self.shape() if shape is None else (shape, measured(shape))
        street = self.chance.choice((*STREETS, None))
        code = code or f"{NANKAI}001001GB{self.made:05d}"
        row = Parcel.objects.create(
            survey=self.surveys[self.filled],
            district_id=NANKAI,
            street_id=street,
            code=code,
            address="甲",
            right_holder="甲公司",
            geom=made,
        )
        self.log["parcels"][row.pk] = {
            "key": code, "area": area, "street": street, "shape": made, "round": self.filled, "words": "甲"
        }  # fmt: skip

    def patch(self):
        made, area = self.shape()
        bsm = f"{self.made:018d}"
        row = LandUsePatch.objects.create(
            survey=self.surveys[self.filled],
            delivery=self.delivery,
            district_id=NANKAI,
            bsm=bsm,
            dlbm="0601",
            row_number=1,
            row_digest=bytes(32),
            geom=made,
            area_m2=area,
        )
        self.log["patches"][row.pk] = {"key": bsm, "area": area, "street": None, "round": self.filled}

    def building(self):
        made, area = self.shape()
        code, street = f"B{self.made}", self.chance.choice(STREETS)
        row = Building.objects.create(
            survey=self.surveys[self.filled], district_id=NANKAI, street_id=street, code=code, geom=made
        )
        self.log["buildings"][row.pk] = {
            "key": code, "area": area, "street": street, "shape": made, "round": self.filled
        }  # fmt: skip

    def legacy(self):
        made, area = self.shape()
        code, street = f"L{self.made}", self.chance.choice(STREETS)
        row = LegacyLand.objects.create(district_id=NANKAI, street_id=street, code=code, geom=made)
        self.log["legacy"][row.pk] = {"key": code, "area": area, "street": street, "state": "draft", "shape": made}

    def unit(self):
        made, area = self.shape()
        code, street = f"{NANKAI}U{self.made}", self.chance.choice(STREETS)
        row = RedevelopmentUnit.objects.create(
            district_id=NANKAI, street_id=street, code=code, name=code, created_by=self.author, geom=made
        )
        self.log["units"][row.pk] = {
            "key": f"{code}/1", "area": area, "street": street, "state": "draft", "shape": made
        }  # fmt: skip

    def control(self):
        made, area = self.shape()
        row = ControlArea.objects.create(district_id=NANKAI, kind="park", edition="1", in_force=True, geom=made)
        self.log["control-areas"][row.pk] = {"key": str(row.pk), "area": area, "street": None, "shown": True}

    def record(self):
        parcel = self.chance.choice([pk for pk, one in self.log["parcels"].items() if not one.get("judged")])
        of = self.log["parcels"][parcel]
        of["judged"] = True
        code = f"{NANKAI}DX{self.made:06d}{parcel}"
        row = Determination.objects.create(
            district_id=NANKAI,
            street_id=of["street"],
            parcel_id=parcel,
            code=code,
            category="industrial",
            base_survey_year=2024,
        )
        self.log["determinations"][row.pk] = {"key": code, "street": of["street"], "state": "suspect", "parcel": parcel}

    # --- what is done with it ------------------------------------------------------------------------------------

    def step(self):
        doing = self.chance.choice(
            (
                self.parcel, self.building, self.legacy, self.unit, self.control,
                self.reshape, self.reshape, self.reshape, self.reword, self.reword, self.move_street, self.drop,
                self.drop, self.state_of_unit, self.state_of_unit, self.state_of_legacy, self.state_of_record,
                self.state_of_record, self.edition, self.many, self.twice,
            )
        )  # fmt: skip
        doing()

    def any_of(self, register: str, **wanted):
        found = [
            pk
            for pk, one in self.log[register].items()
            if all(one.get(name) == value for name, value in wanted.items())
        ]
        pk = self.chance.choice(found)
        return pk, self.log[register][pk]

    def grown(self, shape: MultiPolygon) -> MultiPolygon:
        west, south, east, north = shape.extent
        wide = self.chance.choice([one / 10_000 for one in range(5, 19) if abs(one / 10_000 - (east - west)) > 1e-9])
        return rectangle(west, south, wide, round(north - south, 6))

    def reshape(self):
        register, model = self.chance.choice(
            (("parcels", Parcel), ("buildings", Building), ("legacy", LegacyLand), ("units", RedevelopmentUnit))
        )
        pk, one = self.any_of(register)
        if one.get("state") in ("approved", "amended"):
            return  # it stays as it was approved; another edition takes its place
        if self.chance.random() < 0.3:
            one["shape"], one["area"] = self.shape()  # it moves away altogether
        else:
            one["shape"] = self.grown(one["shape"])
            one["area"] = measured(one["shape"])
        model.objects.filter(pk=pk).update(geom=one["shape"])

    def reword(self):
        pk, one = self.any_of("parcels")
        one["words"] = f"乙{self.chance.randrange(10_000)}"
        with connection.cursor() as cursor:
            cursor.execute("UPDATE units_parcel SET address = %s WHERE id = %s", [one["words"], pk])

    def twice(self):
        """Two writes in one transaction: the second is what stands."""
        pk, one = self.any_of("parcels")
        with transaction.atomic():
            Parcel.objects.filter(pk=pk).update(geom=self.grown(one["shape"]))
            Parcel.objects.filter(pk=pk).update(geom=one["shape"], address="丙")
        one["words"] = "丙"

    def many(self):
        """One statement changes many rows."""
        Parcel.objects.filter(survey=self.surveys[2024]).update(registered_far=self.chance.randrange(1, 500) / 100)

    def move_street(self):
        pk, one = self.any_of("parcels")
        one["street"] = self.chance.choice(STREETS)
        Parcel.objects.filter(pk=pk).update(street_id=one["street"])

    def drop(self):
        register, model = self.chance.choice((("parcels", Parcel), ("buildings", Building), ("legacy", LegacyLand)))
        kept = {one["parcel"] for one in self.log["determinations"].values()}
        pk = self.chance.choice([pk for pk in self.log[register] if register != "parcels" or pk not in kept])
        model.objects.filter(pk=pk).delete()
        del self.log[register][pk]

    def state_of_unit(self):
        pk, one = self.any_of("units")
        if one["state"] == "amended":
            return
        if one["state"] == "approved":
            # A next edition is begun beside it, or takes its place.
            code, edition = one["key"].split("/")
            further = f"{code}/{int(edition) + 1}"
            if any(other["key"] == further for other in self.log["units"].values()):
                return
            made, area = self.shape()
            next_one = RedevelopmentUnit.objects.create(
                district_id=NANKAI,
                street_id=one["street"],
                code=code,
                edition=int(edition) + 1,
                name=code,
                created_by=self.author,
                geom=made,
            )
            self.log["units"][next_one.pk] = {
                "key": further, "area": area, "street": one["street"], "state": "draft", "shape": made
            }  # fmt: skip
            one["state"] = "amended"
        else:
            one["state"] = self.chance.choice(("checked", "approved", "deleted", "draft"))
        RedevelopmentUnit.objects.filter(pk=pk).update(state=one["state"])

    def state_of_legacy(self):
        pk, one = self.any_of("legacy")
        one["state"] = self.chance.choice(("evidence", "tested", "confirmed"))
        LegacyLand.objects.filter(pk=pk).update(state=one["state"])

    def state_of_record(self):
        if self.chance.random() < 0.3:
            self.record()
            return
        pk, one = self.any_of("determinations")
        one["state"] = self.chance.choice(("assigned", "filling", "co_check"))
        Determination.objects.filter(pk=pk).update(state=one["state"])

    def edition(self):
        pk, one = self.any_of("control-areas")
        one["shown"] = not one["shown"]
        ControlArea.objects.filter(pk=pk).update(in_force=one["shown"])

    # --- what stands ---------------------------------------------------------------------------------------------

    def standing(self) -> dict[str, dict[str, dict]]:
        """Register → key → {area, street, state …} of what is served at this moment."""
        found = {}
        for register, rows in self.log.items():
            found[register] = {}
            for one in rows.values():
                served = (
                    one.get("shown", True)
                    and one.get("round", self.in_force) == self.in_force
                    and not (register == "units" and one["state"] in ("amended", "deleted"))
                )
                if served:
                    told = {name: value for name, value in one.items() if name != "shape"}
                    if register == "determinations":
                        told["area"] = self.log["parcels"][one["parcel"]]["area"]
                    found[register][one["key"]] = deepcopy(told) | {"place": str(one.get("shape", ""))}
        found["land"] = {pk: str(one["shape"]) for pk, one in self.log["parcels"].items()}
        return found


def connected() -> psycopg.Connection:
    """A connection of the owner to the test's own database; it commits each statement."""
    return psycopg.connect(os.environ["GEOINV_OWNER_DATABASE_URL"], autocommit=True)


@pytest.fixture(scope="module")
def year(django_db_setup, django_db_blocker, databases):
    name = databases.clone()
    with django_db_blocker.unblock():
        databases.use(name)
        with connected() as owner:
            made = Year(Clock(owner), seed=2025)
            made.run()
            for table in ("parcelevent", "buildingevent", "redevelopmentunitevent", "legacylandevent"):
                owner.execute(f"ANALYZE units_{table}")
        yield made
        databases.use(databases.process_database)
    databases.drop(name)


def asked(statement: str, values: dict) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def client(user) -> Client:
    made = Client()
    if user is not None:
        made.force_login(user)
    return made


def test_the_year_had_inserts_edits_moves_and_deletes_of_every_register(year):
    assert sum(len(year.days[TWELVE[0]][name]) for name in KEPT) > 150
    with connection.cursor() as cursor:
        for table, labels in (("parcel", 3), ("building", 3), ("legacyland", 3), ("redevelopmentunit", 2)):
            cursor.execute(f"SELECT count(DISTINCT pgh_label), count(*) FROM units_{table}event")
            kinds, versions = cursor.fetchone()
            assert kinds == labels, table
            assert versions > 25, table
    assert year.days[TWELVE[5]]["parcels"].keys() != year.days[TWELVE[6]]["parcels"].keys()


@pytest.mark.parametrize("register", KEPT)
def test_on_twelve_days_of_the_year_count_and_area_are_those_of_the_log(year, register):
    for day in TWELVE:
        one = KEPT[register].at(end_of(day))
        rows = asked(f"SELECT s.{_key(register)}, s.area_m2, s.street_id FROM ({one.source()}) s", one.values)
        logged = year.days[day][register]
        found = {key: (area, street) for key, area, street in rows}
        assert len(rows) == len(found) == len(logged), day
        assert found.keys() == logged.keys(), day
        total = sum(area for area, _street in found.values())
        assert total == pytest.approx(sum(told["area"] for told in logged.values()), abs=0.01), day
        for key, (area, street) in found.items():
            assert area == pytest.approx(logged[key]["area"], abs=0.001), (day, key)
            assert street == logged[key]["street"], (day, key)


def _key(register: str) -> str:
    return {"units": "code || '/' || s.edition", "patches": "bsm", "control-areas": "fid::text"}.get(register, "code")


# --- through every face ------------------------------------------------------------------------------------------


@pytest.fixture
def bureau(year):
    return client(town.scoped_user(Role.BUREAU))


def features(who: Client, register: str, day: date) -> list[dict]:
    answer = who.get(f"/ogc/collections/{register}/items", {"datetime": day.isoformat(), "limit": "10000", "f": "json"})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["numberMatched"] == len(told["features"])
    return [one["properties"] for one in told["features"]]


def test_programs_ask_for_a_day_and_get_what_stood_on_it(year, bureau):
    for day in TWELVE:
        for register in ("parcels", "patches", "units", "legacy"):
            logged = year.days[day][register].values()
            found = features(bureau, register, day)
            assert len(found) == len(logged)
            assert sum(one["area_m2"] for one in found) == pytest.approx(sum(one["area"] for one in logged), abs=0.01)
    stood = features(bureau, "parcels", TWELVE[8])
    words = {one["code"]: one["address"] for one in stood}
    assert words == {key: one["words"] for key, one in year.days[TWELVE[8]]["parcels"].items()}
    assert {one["base_survey"] for one in stood} == {2025}
    assert {one["base_survey"] for one in features(bureau, "parcels", TWELVE[0])} == {2024}


def test_one_feature_is_asked_for_as_of_a_day_under_the_number_it_has_today(year, bureau):
    day = next(day for day in TWELVE if any(one["state"] == "draft" for one in year.days[day]["units"].values()))
    every = bureau.get(f"/ogc/collections/units/items?datetime={day}&limit=1").json()["features"][0]
    one = bureau.get(f"/ogc/collections/units/items/{every['id']}?datetime={day}").json()
    assert (one["properties"], one["geometry"]) == (every["properties"], every["geometry"])
    assert bureau.get(f"/ogc/collections/units/items/{every['id']}?datetime=2020-01-01").status_code == 404


def test_a_tile_of_a_day_holds_what_stood_on_it_and_its_address_says_the_day(year, bureau):
    for day in TWELVE[::4]:
        told = bureau.get("/tiles/units.json", {"as_of": day.isoformat()}).json()["tiles"][0]
        assert f"as_of={day}&v=" in told
        tile = bureau.get(told.format(z=8, x=211, y=97))
        shown = year.days[day]["units"]
        assert tile.status_code == (200 if shown else 204)
        names = [key.split("/")[0].encode() for key in shown]
        assert all(name in tile.content for name in names)
        gone = {one["key"].split("/")[0] for one in year.log["units"].values()} - {key.split("/")[0] for key in shown}
        assert not any(name.encode() in tile.content for name in gone)


def test_a_layer_whose_past_is_not_kept_says_so(year, bureau):
    for address in ("/tiles/candidates.json", "/map/candidates.json", "/tiles/findings.json"):
        answer = bureau.get(address, {"as_of": "2025-03-01"}, headers={"Accept": "application/json"})
        assert answer.status_code == 409, address
        assert "past-not-kept" in answer.content.decode()
    counts = bureau.get("/map/overview.json", {"as_of": "2025-03-28"}).json()["counts"]
    assert counts["parcels"] == len(year.days[TWELVE[2]]["parcels"])
    assert counts["candidates"] == 0


@pytest.mark.parametrize("day", ["2025-02-30", "yesterday", "2999-01-01", "0001-01-01"])
def test_a_day_that_is_none_or_still_to_come_is_refused(year, bureau, day):
    for address in ("/tiles/units.json", "/map/registers.json", "/map/overview.json"):
        answer = bureau.get(address, {"as_of": day})
        assert answer.status_code == 400, address


def test_the_lists_beside_the_map_tell_of_the_day(year, bureau):
    for day in TWELVE[2::3]:
        told = bureau.get("/map/registers.json", {"of": "units", "as_of": day.isoformat()}).json()
        states = [one["state"] for one in year.days[day]["units"].values()]
        assert told["counts"] == {state: states.count(state) for state in set(states)}


# --- who sees what of the past -----------------------------------------------------------------------------------


@pytest.mark.rows("NK068")
def test_nobody_signed_in_sees_units_that_were_approved_then_and_never_a_draft(year):
    seen = 0
    for day in TWELVE:
        found = features(client(None), "units", day)
        approved = [key.split("/")[0] for key, one in year.days[day]["units"].items() if one["state"] == "approved"]
        assert sorted(one["code"] for one in found) == sorted(approved)
        assert {one["state"] for one in found} <= {"approved"}
        seen += len(found)
    assert seen
    assert client(None).get("/ogc/collections/parcels/items?datetime=2025-03-01").status_code == 401
    assert client(None).get("/history/").status_code == 302


def test_a_street_office_sees_what_lay_in_its_street_then(year):
    office = client(town.scoped_user(Role.STREET, NANKAI, STREETS[0]))
    for day in TWELVE[1::3]:
        expected = [key for key, one in year.days[day]["parcels"].items() if one["street"] == STREETS[0]]
        assert sorted(one["code"] for one in features(office, "parcels", day)) == sorted(expected)


def test_a_column_that_is_restricted_is_restricted_in_the_past(year, bureau):
    co = client(town.scoped_user(Role.CO, NANKAI))
    for day in TWELVE[::5]:
        assert all("right_holder" not in one for one in features(co, "parcels", day))
        assert {one["right_holder"] for one in features(bureau, "parcels", day)} == {"甲公司"}
    code = next(iter(year.days[TWELVE[-1]]["parcels"]))
    assert "甲公司" not in co.get(f"/parcels/{code}/history/").content.decode()
    Parcel.objects.filter(code=code, survey__year=2025).update(right_holder="另一公司")
    page = co.get(f"/parcels/{code}/history/").content.decode()
    assert "甲公司" not in page
    assert "另一公司" not in page
    assert "另一公司" in bureau.get(f"/parcels/{code}/history/").content.decode()
    told = co.get("/history/changes.json", {"district": NANKAI, "from": "2025-12-31", "register": "parcels"}).json()
    assert told["totals"]["reworded"]["rows"] == 0  # whose land it is has changed, which is no business of theirs


# --- what differs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("register", KEPT)
def test_what_changed_between_two_days_is_what_the_log_says(year, register):
    words = {"parcels": ("words", "street"), "units": ("state",), "legacy": ("state",), "determinations": ("state",)}
    for first, last in [*zip(TWELVE, TWELVE[1:], strict=False), (TWELVE[0], TWELVE[-1])]:
        before, after = year.days[first][register], year.days[last][register]
        both = before.keys() & after.keys()
        shaped = {key for key in both if before[key]["area"] != after[key]["area"] or _place(before, after, key)}
        if register == "determinations":
            parcels = (year.days[first], year.days[last])
            shaped = {key for key in both if before[key]["area"] != after[key]["area"]} | {
                key for key in both if _moved_parcel(parcels, before[key]["parcel"])
            }
        found = between_days(register, NANKAI, first, last, BUREAU)
        totals = found.totals()
        assert totals["added"]["rows"] == len(after.keys() - before.keys())
        assert totals["removed"]["rows"] == len(before.keys() - after.keys())
        gone = sum(before[key]["area"] for key in before.keys() - after.keys())
        come = sum(after[key]["area"] for key in after.keys() - before.keys())
        assert totals["removed"]["before_m2"] == pytest.approx(gone, abs=0.01)
        assert totals["added"]["after_m2"] == pytest.approx(come, abs=0.01)
        assert totals["moved"]["rows"] == len(shaped), (first, last)
        reworded = {
            key
            for key in both - shaped
            if any(before[key].get(name) != after[key].get(name) for name in words.get(register, ()))
        }
        if register in ("units", "legacy", "determinations"):
            assert totals["reworded"]["rows"] == len(reworded), (first, last)
        elif register == "parcels":
            rows, _next = found.rows(("reworded",), size=1000)
            assert {row["key"] for row in rows} >= reworded
        assert sum(one["rows"] for one in totals.values()) == len(before.keys() | after.keys())


def _place(before, after, key) -> bool:
    return before[key]["place"] != after[key]["place"]


def _moved_parcel(days, parcel) -> bool:
    return days[0]["land"][parcel] != days[1]["land"][parcel]


def test_land_gained_and_lost_is_measured_of_shapes_that_changed(year):
    found = between_days("parcels", NANKAI, TWELVE[0], TWELVE[3], BUREAU)
    rows, _next = found.rows(("moved",), size=1000)
    totals = found.totals()["moved"]
    assert rows
    assert totals["gained_m2"] == pytest.approx(sum(row["gained_m2"] for row in rows), abs=1e-3)
    for row in rows:
        more = row["gained_m2"] - row["lost_m2"]
        assert more == pytest.approx(row["area_after"] - row["area_before"], abs=0.01)


@pytest.mark.rows("NK011")
def test_two_rounds_are_compared_row_by_row(year):
    rounds = {one: {} for one in (2024, 2025)}
    for one in year.log["parcels"].values():
        rounds[one["round"]][one["key"]] = one
    before, after = rounds[2024], rounds[2025]
    totals = between_rounds("parcels", NANKAI, 2024, 2025, BUREAU).totals()
    assert totals["added"]["rows"] == len(after.keys() - before.keys())
    assert totals["removed"]["rows"] == len(before.keys() - after.keys())
    removed = sum(one["area"] for key, one in before.items() if key not in after)
    assert totals["removed"]["before_m2"] == pytest.approx(removed, abs=0.01)
    both = before.keys() & after.keys()
    assert totals["moved"]["rows"] == sum(str(before[key]["shape"]) != str(after[key]["shape"]) for key in both)


def test_the_page_of_the_history_and_its_table_tell_the_same(year, bureau):
    query = {"district": NANKAI, "from": str(TWELVE[0]), "to": str(TWELVE[2]), "register": "parcels", "kind": "removed"}
    page = bureau.get("/history/", query)
    assert page.status_code == 200
    gone = year.days[TWELVE[0]]["parcels"].keys() - year.days[TWELVE[2]]["parcels"].keys()
    assert gone
    assert all(code in page.content.decode() for code in gone)
    table = bureau.get("/history/changes.csv", query)
    lines = b"".join(table.streaming_content).decode().splitlines()[1:]
    assert sorted(one.split(",")[0] for one in lines) == sorted(gone)
    rounds = bureau.get("/history/", {"district": NANKAI, "by": "rounds"})
    assert rounds.status_code == 200
    assert "2025" in rounds.content.decode()


def test_the_days_on_which_something_happened_are_told_to_who_works_there(year, bureau):
    told = bureau.get("/map/dates.json", {"district": NANKAI}).json()
    days = {one["day"]: one["told"] for one in told["days"]}
    assert str(NEXT_ROUND) in days
    assert "2025" in days[str(NEXT_ROUND)]
    assert client(None).get("/map/dates.json").status_code == 302


def test_what_a_transaction_writes_late_comes_after_what_was_written_meanwhile(year):
    """A transaction that began earlier and wrote later wrote the last version, whatever its clock says."""
    pk, one = next((pk, one) for pk, one in year.log["units"].items() if one["state"] not in ("approved", "amended"))
    RedevelopmentUnit.objects.filter(pk=pk).update(name="written first")
    RedevelopmentUnit.objects.filter(pk=pk).update(name="written last")
    with connected() as owner:
        clock = Clock(owner)
        numbers = RedevelopmentUnit.pgh_event_model.objects.filter(pgh_obj_id=pk).order_by("-pgh_id")[:2]
        last, first = (one.pgh_id for one in numbers)
        clock.noted["units_redevelopmentunitevent"] = [
            (first - 1, first, datetime(2026, 2, 2, 5, tzinfo=UTC)),
            (last - 1, last, datetime(2026, 2, 2, 4, tzinfo=UTC)),
        ]
        clock.set()
    source = COLLECTIONS["units"].at(datetime(2026, 2, 3, tzinfo=UTC))
    rows = asked(f"SELECT s.name FROM ({source.source()}) s WHERE s.fid = {pk}", source.values)
    assert rows in ([("written last",)], [])
    assert rows or one["state"] == "deleted"
