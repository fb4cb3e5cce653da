"""What the card of a parcel or building says, and to whom."""

import re

import pytest
import town
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tests.units.criteria.drawn import ALL, Land
from units.flagging import flag
from units.founding import found
from units.models import Building, CriteriaEdition, Delivery, Flag, FlagRun, LandUsePatch, Parcel, Survey
from units.rights import Role
from units.views.card import card
from units.wording import written as _written

CODE = f"{town.NANKAI}001001GB00000"


@pytest.fixture
def judged(the_town):
    """The town, judged by the set that the product ships."""
    CriteriaEdition.objects.update(name="nankai-2024")
    # A survey that was put in force keeps its patches as they are: the town's goes back to be drawn differently.
    surveys = Survey.objects.filter(district_id=town.NANKAI, state="in_force")
    drawn_again = list(surveys.values_list("pk", flat=True))
    surveys.update(state="loaded")
    LandUsePatch.objects.filter(bsm=f"{town.NANKAI}{0:012d}").update(geom=town.square(0), tbmj=9500)
    Survey.objects.filter(pk__in=drawn_again).update(state="in_force")
    Building.objects.filter(code="B0").update(floors=1)
    Parcel.objects.update(use_scheme="sandiao")
    for patches in Delivery.objects.filter(district_id=town.NANKAI, profile="dltb"):
        for profile in ("zd", "building"):
            Delivery.objects.create(
                survey=patches.survey,
                district_id=town.NANKAI,
                profile=profile,
                file_name=f"{profile}.zip",
                layer=profile,
                sha256=f"{profile:0>64}",
                size=1,
                encoding={},
                crs={},
            )


@pytest.fixture
def grants(the_town):
    return town.scoped_user(Role.OFFICE, town.NANKAI).grants()


@pytest.mark.rows("NK012")
def test_the_card_names_three_areas_and_never_mixes_them(judged, grants):
    Parcel.objects.filter(code=CODE).update(documented_m2=9000)
    found = card(CODE, grants)
    measured = Parcel.objects.get(code=CODE).area_m2
    assert found["parcel"]["area_m2"] == measured
    assert found["parcel"]["documented_m2"] == 9000
    assert float(found["surveyed_m2"]) == pytest.approx(9500, abs=0.01)
    assert len({round(measured), 9000, 9500}) == 3


def test_the_land_below_is_shared_out_between_the_classes(judged, grants):
    patch = LandUsePatch.objects.get(bsm=f"{town.NANKAI}{0:012d}")
    LandUsePatch.objects.create(
        **{name: getattr(patch, name) for name in ("delivery", "survey", "district", "street", "row_digest")},
        row_number=90,
        bsm=f"{town.NANKAI}{90:012d}",
        dlbm="0701",
        dlmc="城镇住宅用地",
        geom=town.square(0, side=0.0005),
        area_m2=2400,
    )
    ground = card(CODE, grants)["ground"]
    assert [(row["dlbm"], row["group"]) for row in ground] == [("0601", "industrial"), ("0701", "residential")]
    assert ground[1]["share"] == pytest.approx(0.25, abs=0.001)
    assert ground[1]["start"] == "100.00"  # where the first, drawn whole, ends


@pytest.fixture
def land(db):
    """A drawn district in which everything is delivered."""
    cache.clear()
    found(town.NANKAI)
    drawn = Land(layers=ALL)
    drawn.patch("0601", (0, 0, 100, 100))
    return drawn


def works(land, **options):
    """A parcel of 100 × 100 m with FAR 0.5 and one firm, of which nothing is missing."""
    parcel = land.parcel((0, 0, 100, 100))
    building = {"safety_grade": "A", "vacant_m2": 0, "built_year": 2015, "floors": 1}
    land.building((0, 0, 50, 100), **building | options.pop("building", {}))
    land.firm(parcel, tax=options.pop("tax", 150_000), grade="B", **options)
    return parcel


def another_works(land):
    """A parcel with a firm of the same sector, whose tax the first is held against."""
    land.patch("0601", (0, 400, 100, 500))
    parcel = land.parcel((0, 400, 100, 500))
    land.building((0, 400, 50, 500), floors=3)
    land.firm(parcel, tax=150_000, grade="B")


@pytest.fixture
def opened(land, monkeypatch):
    """The card of a parcel or building as somebody of a role reads it."""
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)

    def of(subject, role=Role.OFFICE, district=town.NANKAI) -> str:
        client = Client(headers={"Accept": "text/html"})
        client.force_login(town.scoped_user(role, district))
        kind = "buildings" if isinstance(subject, Building) else "parcels"
        answer = client.get(f"/{kind}/{subject.code}/")
        assert answer.status_code == 200
        return answer.content.decode()

    return of


def part(page: str, start: str, end: str) -> str:
    return page.split(start)[1].split(end)[0]


@pytest.mark.rows("NK020")
def test_every_rule_stands_on_the_card_with_clause_value_limit_and_verdict(land, opened):
    page = opened(works(land))
    rule = part(page, 'data-rule="IND-FAR"', "</article>")
    assert "verdict-true" in rule
    assert "南开政办发〔2024〕1号" in rule
    assert "badge-candidate" in page
    because = part(page, 'class="because because-candidate"', "</div>")
    assert "容积率偏低" in because
    assert "容积率 0.50，低于 1.00" in because
    assert "notice-amber" in page  # these are no official numbers


def test_what_is_missing_is_named_under_the_department_that_owns_it(land, opened):
    page = opened(works(land, building={"floors": None}))
    assert "badge-undecided" in page
    rule = part(page, 'data-rule="IND-FAR"', "</article>")
    assert "verdict-null" in rule
    assert 'class="missing"' in rule
    owners = part(page, '<dl class="owners">', "</dl>")
    assert "<dt>区住建委</dt>" in owners


def test_a_pending_exemption_stands_on_the_card_with_whom_to_ask(land, opened):
    page = opened(works(land, above_scale=None))
    assert "豁免待核" in part(page, 'class="badges"', "</p>")
    assert "<dt>区发改委</dt>" in part(page, '<dl class="owners">', "</dl>")


def test_idle_land_is_sent_to_its_own_procedure(land, opened):
    parcel = works(land)
    another_works(land)
    # Begun after the survey; a blank day would be a missing report, as a building stands there.
    days = {"start_agreed": "2020-06-30", "start_actual": "2023-01-01", "completion_agreed": "2024-06-30"}
    land.contract(parcel, **days, area_m2=10_000)
    page = opened(parcel)
    assert "badge-excluded" in page
    assert "other-procedure" in part(page, 'class="because because-excluded"', "</div>")


def test_an_exempted_parcel_says_what_flags_it_and_what_exempts_it(land, opened):
    because = part(opened(works(land, above_scale=True)), 'class="because because-exempted"', "</div>")
    assert because.index("容积率偏低") < because.index("规模以上企业")


def test_a_parcel_that_is_not_low_says_so_and_opens_its_rules(land, opened):
    another_works(land)
    page = opened(works(land, building={"floors": 3}))
    assert "because-not_low" in page
    assert 'data-rule="IND-FAR"' in part(page, '<details class="more-rules" open>', "</details>")


@pytest.mark.rows("NK035")
def test_a_building_has_a_card_of_its_own_which_the_parcels_card_leads_to(land, opened):
    land.patch("05H1", (0, 200, 100, 300))
    parcel = land.parcel((0, 200, 100, 300), use="05H1")
    tower = land.building(
        (0, 200, 40, 300),
        floors=5,
        use="30",
        name="某大厦",
        safety_grade="A",
        built_year=2010,
        vacant_m2=15_000,
        vacant_by_floor={"4-5": 15_000},
        extra={"KZQSSJ": "20210101"},
    )
    land.firm(parcel, tax=20_000_000, floor_area=20_000)
    flag(town.NANKAI, "nankai-2024")
    page = opened(tower)
    assert 'data-kind="building"' in page
    assert "商办空置" in part(page, 'class="because because-candidate"', "</div>")
    assert f'href="/parcels/{parcel.code}/"' in page
    for fact in ("某大厦", "75.0%", "2021-01-01", "4-5", "厂"):
        assert fact in page
    row = part(opened(parcel), f'href="/buildings/{tower.code}/"', "</tr>")
    assert "badge-candidate" in row
    shed = land.building((60, 200, 70, 210), use="20", floors=1)
    assert shed.code in opened(shed)  # it is no subject, and says so


@pytest.mark.rows("NK035", "NK050")
def test_a_card_is_of_the_set_that_its_address_names_and_all_of_it_is_of_one_set(land, opened):
    land.patch("05H1", (0, 200, 100, 300))
    parcel = land.parcel((0, 200, 100, 300), use="05H1")
    tower = land.building((0, 200, 40, 300), floors=5, use="30", vacant_m2=0)
    flag(town.NANKAI, "nankai-2024")
    Flag.objects.filter(building=tower).delete()
    edition = CriteriaEdition.objects.create(digest="2" * 64, name="nanjing-2019", title="T", official=False, text="")
    FlagRun.objects.create(district_id=town.NANKAI, survey=land.survey, edition=edition)
    for name, outcome in (("nanjing-2019", "excluded"), ("nankai-2024", "exempted")):
        run = FlagRun.objects.get(edition__name=name)
        where = {"run": run, "district_id": town.NANKAI, "criteria": name, "building": tower}
        Flag.objects.create(**where, outcome=outcome, category="office", evidence={})
    for _ in range(2):  # whichever of the two ran last
        client = Client(headers={"Accept": "text/html"})
        client.force_login(town.scoped_user(Role.OFFICE, town.NANKAI))

        def shown(query, client=client, code=parcel.code):
            answer = client.get(f"/parcels/{code}/{query}")
            assert answer.status_code == 200
            return answer.content.decode()

        latest = FlagRun.objects.order_by("-ran_at").first().edition.name
        for name, badge in (("nanjing-2019", "badge-excluded"), ("nankai-2024", "badge-exempted")):
            page = shown(f"?criteria={name}")
            assert f">{name}</a></small>" in page
            assert badge in part(page, f'href="/buildings/{tower.code}/?criteria={name}"', "</tr>")
            assert f"&amp;set={name}" in page  # back to the map as it was
            building = client.get(f"/buildings/{tower.code}/?criteria={name}&fragment=1").content.decode()
            assert f'href="/parcels/{parcel.code}/?criteria={name}"' in building
            if name == latest:
                assert badge in part(shown(""), f'href="/buildings/{tower.code}/"', "</tr>")
        FlagRun.objects.filter(edition__name="nanjing-2019").update(ran_at=timezone.now())


@pytest.mark.parametrize("query", ["criteria=nowhere", "criteria=nankai-2024&criteria=nankai-2024", "set=nankai-2024"])
def test_a_card_knows_no_other_set_and_no_other_parameter(judged, script, query):
    office = script(Role.OFFICE, town.NANKAI)
    for kind, code in (("parcels", CODE), ("buildings", "B0")):
        assert office.get(f"/{kind}/{code}/?{query}").status_code == 400


def test_a_building_whose_code_has_a_slash_has_a_card_too(land, opened):
    land.patch("05H1", (0, 200, 100, 300))
    parcel = land.parcel((0, 200, 100, 300), use="05H1")
    tower = land.building((0, 200, 40, 300), floors=5, use="30")
    Building.objects.update(code="7/8 #1?")
    flag(town.NANKAI, "nankai-2024")
    tower.refresh_from_db()
    (address,) = re.findall(r'href="(/buildings/[^"]+)"', opened(parcel))
    client = Client(headers={"Accept": "text/html"})
    client.force_login(town.scoped_user(Role.OFFICE, town.NANKAI))
    for path in (address, "/buildings/7%2F8%20%231%3F/"):
        assert tower.code in client.get(path).content.decode()


@pytest.mark.rows("NK082", "NJ092")
@pytest.mark.parametrize("role", [Role.LEAD, Role.CO, Role.OFFICE, Role.BUREAU])
def test_tax_energy_and_grade_are_on_the_card_of_those_who_may_know(land, opened, role):
    page = opened(works(land, tax=1_234_567), role, None if role == Role.BUREAU else town.NANKAI)
    assert "123.46" in page  # of the year, in 10,000 yuan
    assert "8.23" in page  # a mu, as the rule read it


@pytest.mark.rows("NK082")
@pytest.mark.parametrize("role", [Role.ANALYST, Role.STREET, Role.DISTRICT, Role.CITY])
def test_tax_energy_and_grade_are_on_no_other_card(land, opened, role):
    page = opened(works(land, tax=1_234_567), role)
    assert "厂" in page  # who produces there is no secret
    assert not [figure for figure in ("123.46", "8.23", "1234567", "1,234,567") if figure in page]
    assert "不对您开放" in page or "closed to you" in page


def test_the_contract_stands_on_the_card_with_what_was_agreed_and_done(land, opened):
    parcel = works(land)
    land.contract(
        parcel,
        start_agreed="2016-05-20",
        start_actual="2016-06-01",
        completion_agreed="2018-05-20",
        completion_actual="2018-04-30",
        investment_agreed_cny=10_000_000,
        investment_actual_cny=4_200_000,
        area_m2=10_000,
        developed=10_000,
    )
    contract = part(opened(parcel), 'class="contract"', "</div>")
    for fact in ("2016-05-20", "2018-04-30", "1,000.00", "420.00", "42.0%"):
        assert fact in contract


def test_demonstration_parameters_are_called_so_on_every_card(judged, reader):
    page = reader(Role.OFFICE, town.NANKAI).get(f"/parcels/{CODE}/?fragment=1").content.decode()
    assert "notice-amber" in page
    assert "<html" not in page


def test_a_district_without_usable_criteria_has_a_card_that_says_so(the_town, reader):
    answer = reader(Role.OFFICE, town.NANKAI).get(f"/parcels/{CODE}/")
    assert answer.status_code == 200
    assert "nankai-2024" in answer.content.decode()  # the known sets are named


def test_the_right_holder_is_on_the_card_of_those_who_may_know(the_town, reader):
    assert town.HOLDER in reader(Role.OFFICE, town.NANKAI).get(f"/parcels/{CODE}/").content.decode()
    assert town.HOLDER not in reader(Role.CO, town.NANKAI).get(f"/parcels/{CODE}/").content.decode()


def test_another_districts_parcel_and_none_at_all_are_answered_alike(the_town, reader):
    client = reader(Role.OFFICE, town.NANKAI)
    other, none = (client.get(f"/parcels/{code}/") for code in ("120103001001GB00003", "120103001001GB77777"))
    assert (other.status_code, none.status_code) == (404, 404)
    texts = [answer.content.decode() for answer in (other, none)]
    assert texts[0].replace("GB00003", "").split("<main")[1] == texts[1].replace("GB77777", "").split("<main")[1]


@pytest.mark.rows("NK068")
def test_nobody_signed_in_is_sent_to_the_sign_in_and_back_to_the_card(reader):
    answer = reader().get(f"/parcels/{CODE}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next=/parcels/{CODE}/")
    assert reader(Role.DEVELOPER, town.NANKAI).get(f"/parcels/{CODE}/").status_code == 403


def test_a_code_that_cannot_be_is_refused_and_breaks_nothing(reader):
    assert reader(Role.OFFICE, town.NANKAI).get("/parcels/%00/").status_code == 400


def test_a_category_outside_the_four_is_told_in_words():
    assert _written("none", "") == "不属于四类低效用地"
    assert _written("industrial", "") != "industrial"
    assert _written("0601", "") == "0601"


def test_a_parcel_of_a_retired_round_has_no_card(the_town, reader):
    assert reader(Role.OFFICE, town.NANKAI).get("/parcels/120104001001GB99999/").status_code == 404


def test_what_was_delivered_is_text_and_never_markup(the_town, reader):
    Parcel.objects.filter(code=CODE).update(address='<img src=x onerror="alert(1)">')
    page = reader(Role.OFFICE, town.NANKAI).get(f"/parcels/{CODE}/?fragment=1").content.decode()
    assert "<img" not in page
    assert "&lt;img src=x" in page
