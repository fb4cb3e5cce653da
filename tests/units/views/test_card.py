"""What the card of a parcel says, and to whom."""

import pytest
import town

from units.models import Building, CriteriaEdition, Delivery, LandUsePatch, Parcel, Survey
from units.rights import Role
from units.views.card import _written, card

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


@pytest.mark.rows("NK020")
def test_every_rule_stands_on_the_card_with_clause_value_limit_and_verdict(judged, reader):
    page = reader(Role.OFFICE, town.NANKAI).get(f"/parcels/{CODE}/").content.decode()
    rule = page.split('data-rule="IND-FAR"')[1].split("</article>")[0]
    assert "verdict-true" in rule
    assert "南开政办发〔2024〕1号" in rule
    assert "容积率 0.25，低于" in rule
    assert "badge-candidate" in page


def test_what_is_missing_is_named_with_whom_to_ask(judged, reader):
    Building.objects.filter(code="B0").update(floors=None, floor_area_m2=None)
    page = reader(Role.OFFICE, town.NANKAI).get(f"/parcels/{CODE}/").content.decode()
    rule = page.split('data-rule="IND-FAR"')[1].split("</article>")[0]
    assert "verdict-null" in rule
    assert 'class="missing"' in rule


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
