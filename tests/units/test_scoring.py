"""Scores are held against examples computed by hand from the published formulae (C14, C15, C16, cuts of C18)."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from tests.town import scoped_user, square
from units import scoring
from units.errors import CriteriaError, Refused, UnknownName
from units.models import District, Enterprise, EnterpriseYear, Occupancy, Parcel, Score, Street, Survey
from units.rights import Role
from units.scoring import load, rated, schemes, score, years_on

NANKAI = "120104"


def firm(number: int, **given) -> dict:
    """A firm as it is read: figures in CNY, land in mu; every one is above scale, old enough and of 10 mu."""
    told = {
        "id": number,
        "name": f"F{number}",
        "credit_code": f"91120104MA{number:08d}",
        "sector": "3311",
        "sector_edition": "GB/T 4754-2017",
        "above_scale": True,
        "started_on": date(2010, 1, 1),
        "mu": Decimal(10),
        "official": "",
        **dict.fromkeys(("tax", "sales", "output", "energy", "employees"), Decimal(1_000_000)),
        **dict.fromkeys(("tax_before", "sales_before", "output_before", "energy_before", "employees_before"), None),
        "further": {},
        "further_before": {},
    }
    return told | given


def by_id(rows: list[dict]) -> dict[int, dict]:
    return {row["enterprise"]: row for row in rows}


def test_a_ratio_to_twice_last_years_mean_is_scored_as_huaian_publishes_it():
    green = "绿色发展得分"
    firms = [
        # tax 20 and sales 100 (10k CNY per mu); last year 10 and 50
        firm(1, tax=Decimal(2_000_000), sales=Decimal(10_000_000), further={green: "8"},
             tax_before=Decimal(1_000_000), sales_before=Decimal(5_000_000), further_before={green: 4}),
        # tax 4 and sales 300; last year 20 and 250
        firm(2, tax=Decimal(400_000), sales=Decimal(30_000_000), further={green: 6},
             tax_before=Decimal(2_000_000), sales_before=Decimal(25_000_000), further_before={green: "6"}),
    ]  # fmt: skip
    rows = by_id(rated(load("huaian-2024-example"), firms, 2024))
    # Means of last year: (10 + 20) / 2 = 15, (50 + 250) / 2 = 150, (4 + 6) / 2 = 5; twice them: 30, 300, 10.
    # Firm 1: 20/30 × 45 + 100/300 × 35 + 8/10 × 20 = 30 + 11.6667 + 16 = 57.6667
    assert rows[1]["score"] == Decimal("57.6667")
    # Firm 2: 4/30 × 45 + 300/300 × 35 + 6/10 × 20 = 6 + 35 + 12 = 53
    assert rows[2]["score"] == Decimal("53.0000")
    assert [(row["place"], row["rated"]) for row in rows.values()] == [(1, 2), (2, 2)]
    assert [one["benchmark"] for one in rows[1]["items"]] == [30, 300, 10]


def test_a_span_between_least_and_most_is_scored_as_jingde_publishes_it():
    tax, output = (10, 20, 50), (40, 100, 60)  # 10k CNY per mu
    firms = [
        firm(number, tax=Decimal(t * 100_000), output=Decimal(o * 100_000))
        for number, (t, o) in enumerate(zip(tax, output, strict=True))
    ]
    rows = by_id(rated(load("jingde-nanjing-example"), firms, 2024))
    # item = weight × [20 + 80 × (x − min) ÷ (max − min)] ÷ 100, with weights 60 and 40
    assert rows[0]["score"] == Decimal("20")  # 60 × 20 % + 40 × 20 %
    assert rows[1]["score"] == Decimal("64")  # 60 × [20 + 80 × 10/40] % = 24, and 40
    assert rows[2]["score"] == Decimal("78.6667")  # 60, and 40 × [20 + 80 × 20/60] % = 18.6667


def test_small_firms_are_a_group_of_their_own_and_scored_by_tax_alone():
    further = {"单位能耗增加值": 2, "研发经费占比": "3.5"}
    firms = [
        firm(1, further=further),
        firm(2, above_scale=False, tax=Decimal(3_000_000)),
        firm(3, above_scale=False, tax=Decimal(1_000_000)),
        firm(4, above_scale=None),
    ]
    rows = by_id(rated(load("anhui-example"), firms, 2024))
    assert rows[1]["group"] == "above-scale"
    assert rows[1]["score"] == 100
    assert (rows[2]["group"], rows[2]["score"]) == ("small", 150)  # 30 over a mean of 20
    assert (rows[3]["score"], rows[3]["place"], rows[3]["rated"]) == (50, 2, 2)
    assert rows[4]["reason"] == "missing:above_scale"
    assert rows[4]["grade"] == ""


def test_grades_follow_the_ranks_to_the_very_cut():
    firms = [firm(number, tax=Decimal((100 - number) * 100_000), above_scale=False) for number in range(20)]
    rows = rated(load("anhui-example"), firms, 2024)
    # A to 25 % of 20 = 5, B to 70 % = 14, C to 95 % = 19, D the last
    assert "".join(row["grade"] for row in rows) == "A" * 5 + "B" * 9 + "C" * 5 + "D"
    assert [row["place"] for row in rows] == list(range(1, 21))
    nineteen = rated(load("anhui-example"), firms[:19], 2024)
    # 4.75, 13.3 and 18.05 of 19: the fifth is past the first cut, and the nineteenth past the third
    assert "".join(row["grade"] for row in nineteen) == "A" * 4 + "B" * 9 + "C" * 5 + "D"


def test_equal_scores_have_the_same_rank_and_grade_whatever_the_order_of_the_firms():
    firms = [firm(number, tax=Decimal(one * 100_000), above_scale=False) for number, one in enumerate((9, 7, 7, 5))]
    for order in (firms, firms[::-1]):
        rows = by_id(rated(load("anhui-example"), order, 2024))
        assert [rows[number]["place"] for number in range(4)] == [1, 2, 2, 4]
        assert rows[1]["grade"] == rows[2]["grade"] == "B"
        assert [row["enterprise"] for row in rated(load("anhui-example"), order, 2024)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("given", "reason", "grade"),
    [
        ({"tax": None}, "missing:tax_per_mu", ""),
        ({"further": {}}, "missing:绿色发展得分", ""),
        ({"further": {"绿色发展得分": "n/a"}}, "missing:绿色发展得分", ""),
        ({"further": {"绿色发展得分": "NaN"}}, "missing:绿色发展得分", ""),
        ({"mu": None}, "missing:land", ""),
        ({"mu": Decimal("2.9999")}, "outside:land_mu_min", ""),
        ({"mu": Decimal(3)}, "", "B"),
        ({"above_scale": None}, "missing:above_scale", ""),
        ({"above_scale": False}, "outside:above_scale", ""),
        ({"sector": "D4411"}, "unrated:sectors", "T"),
        ({"sector": ""}, "missing:sector", ""),
        ({"started_on": None}, "missing:started_on", ""),
        ({"started_on": date(2023, 1, 1)}, "unrated:production_years_min", "T"),
        ({"started_on": date(2022, 12, 31)}, "", "B"),
    ],
)
def test_a_firm_without_a_figure_is_not_scored_and_says_which(given, reason, grade):
    known = {
        "further": {"绿色发展得分": 5},
        "further_before": {"绿色发展得分": 5},
        "tax_before": Decimal(1_000_000),
        "sales_before": Decimal(1_000_000),
    }
    best = firm(1, **known, tax=Decimal(10**9))
    rows = by_id(rated(load("huaian-2024-example"), [best, firm(2, **(known | given))], 2024))
    assert rows[2]["reason"] == reason
    assert (rows[2]["score"] is None) == bool(reason)
    # with two firms rated the second is at 100 %: past every cut but the last
    assert rows[2]["grade"] == ("D" if grade == "B" else grade)
    assert rows[1]["score"] is not None


def test_without_a_benchmark_or_a_spread_nobody_is_scored():
    further = {"further": {"绿色发展得分": 5}}
    (row,) = rated(load("huaian-2024-example"), [firm(1, **further)], 2024)
    assert row["reason"] == "benchmark:tax_per_mu"  # of last year nothing is known
    before = {"tax_before": Decimal(1), "sales_before": Decimal(1), "further_before": {"绿色发展得分": 5}}
    (row,) = rated(load("huaian-2024-example"), [firm(1, **further, **before)], 2024)
    assert row["reason"] == "benchmark:tax_per_mu"  # one yuan over ten mu is nought, rounded
    (row,) = rated(load("jingde-nanjing-example"), [firm(1)], 2024)
    assert row["reason"] == "spread:tax_per_mu"  # one firm has no least and most


def test_years_in_production_end_on_the_day_itself():
    assert years_on(date(2020, 12, 31), date(2022, 12, 31)) == 2
    assert years_on(date(2021, 1, 1), date(2022, 12, 31)) == 1
    assert years_on(date(2020, 2, 29), date(2022, 2, 28)) == 2


def test_every_number_of_every_scheme_has_a_source_and_none_is_by_hearsay():
    assert schemes() == ("anhui-example", "huaian-2024-example", "jingde-nanjing-example")
    for name in schemes():
        scheme = load(name)
        assert scheme.example
        assert scheme.title_en
        assert len(scheme.digest) == 64
        numbers = [*scheme.eligible.values(), *scheme.unrated.values(), *(cut for _grade, cut in scheme.cuts)]
        for group in scheme.groups:
            numbers += [one for item in group.items for one in (item.weight, item.benchmark, item.cap) if one]
            assert sum(item.weight.value for item in group.items) == 100
        assert all(one.source and one.confidence in "PSD" for one in numbers)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('figure = "tax_per_mu"', 'figure = "tax"', "group 1, item 1: “tax” is no figure"),
        ("weight = { value = 60,", "weigth = { value = 60,", "“weigth” is not known here"),
        ('confidence = "P"', 'confidence = "M"', "what nobody checked is never scored by"),
        ("value = 0.20,", "value = 0.90,", "cut 2: Each cut"),
        ("value = 1, source", "value = 0.99, source", "The last cut ends at 1"),
        ('method = "range"', 'method = "ratio"', "“range_floor” belongs to the method"),
        ('id = "jingde-nanjing-example"', 'id = "other"', "The id is not the name of the file"),
        ("[score]", "[score", "jingde-nanjing-example.toml"),
        (', source = "C18: firms of at least 3 mu"', "", "eligible.land_mu_min: A number has a value and a source"),
    ],
)
def test_a_scheme_with_a_fault_is_refused_with_file_and_place(tmp_path, old, new, told, settings):
    text = (scoring.FOLDER / "jingde-nanjing-example.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "jingde-nanjing-example.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    settings.LANGUAGE_CODE = "en"
    with pytest.raises(CriteriaError, match="jingde-nanjing-example") as error:
        load("jingde-nanjing-example", tmp_path)
    assert told in str(error.value)


@pytest.fixture
def district(db):
    """Three firms on three parcels and one that shares a parcel with another, with figures of 2022."""
    District.objects.create(code=NANKAI, name="南开区", srid=4548)
    Street.objects.create(code="120104001", district_id=NANKAI, name="长虹街道")
    survey = Survey.objects.create(district_id=NANKAI, year=2022, state="in_force", activated_at="2023-01-01T00:00Z")
    parcels = [
        Parcel.objects.create(survey=survey, district_id=NANKAI, code=f"120104001001GB{n:05d}", geom=square(n))
        for n in range(3)
    ]
    for number, parcel in enumerate((*parcels, parcels[2])):
        one = Enterprise.objects.create(
            district_id=NANKAI, name=f"厂{number}", credit_code=f"91120104MA{number:08d}", above_scale=True
        )
        Occupancy.objects.create(enterprise=one, parcel=parcel, floor_area_m2=(100, 100, 300, 100)[number])
        EnterpriseYear.objects.create(
            enterprise=one,
            year=2022,
            tax_cny=(number + 1) * 1_000_000,
            output_cny=None if number == 1 else 5_000_000 * (number + 1),
            grade="D" if number == 0 else "B",
        )
    return parcels


def test_a_firm_of_a_shared_parcel_has_its_part_of_the_land_by_floor_area(district):
    rows = {row["name"]: row for row in score(NANKAI, "jingde-nanjing-example")["rows"]}
    mu = district[2].area_m2 * 15 / 10_000
    (tax, _output) = rows["厂2"]["items"]
    assert tax["value"] == pytest.approx(300 / (mu * 0.75), rel=1e-4)
    (tax, _output) = rows["厂3"]["items"]
    assert tax["value"] == pytest.approx(400 / (mu * 0.25), rel=1e-4)
    assert rows["厂1"]["reason"] == "missing:output_per_mu"
    assert not Score.objects.exists()  # nothing is kept unless it is asked for


def test_what_is_kept_stands_beside_the_official_grade_and_a_later_run_replaces_it(district):
    before = list(EnterpriseYear.objects.order_by("pk").values())
    first = score(NANKAI, "jingde-nanjing-example", keep=True)
    assert Score.objects.count() == first["firms"] == 4
    assert list(EnterpriseYear.objects.order_by("pk").values()) == before
    EnterpriseYear.objects.filter(enterprise__name="厂1").update(output_cny=10)
    score(NANKAI, "jingde-nanjing-example", keep=True)
    assert Score.objects.count() == 4
    kept = Score.objects.get(enterprise__name="厂1")
    assert kept.reason == ""
    assert kept.digest == load("jingde-nanjing-example").digest
    assert kept.details["items"]
    score(NANKAI, "anhui-example", keep=True)
    assert Score.objects.count() == 8  # another scheme is beside it, too


def test_a_year_without_figures_and_an_unknown_scheme_are_told(district):
    with pytest.raises(Refused):
        score(NANKAI, "anhui-example", 1999)
    with pytest.raises(UnknownName):
        score(NANKAI, "../sets")


def test_the_page_shows_scores_beside_grades_to_who_may_read_figures(district):
    score(NANKAI, "jingde-nanjing-example", keep=True)
    client = Client()
    client.cookies["django_language"] = "en"
    client.force_login(scoped_user(Role.OFFICE, NANKAI, None))
    page = client.get("/statistics/scores/").content.decode()
    assert "厂0" in page
    assert "differs" in page
    assert "Not scored, not known: Output per mu" in page
    assert "旌德县 2022" in page
    assert "An example" in page
    grade = Score.objects.exclude(grade="").first().grade
    assert "厂" in client.get(f"/statistics/scores/?grade={grade}&year=2022").content.decode()
    for query in ("?scheme=x", "?year=x", "?page=-1", "?x=1", "?district=120103"):
        assert client.get(f"/statistics/scores/{query}").status_code == 400, query
    for role in (Role.ANALYST, Role.STREET, Role.CITY):
        client.force_login(scoped_user(role, NANKAI, "120104001" if role is Role.STREET else None))
        assert client.get("/statistics/scores/").status_code == 403, role
