"""The further layers of the surveys and the provinces go where a rule can read them, with all their fields."""

import pytest
from django.utils import translation

from importers.inspecting import inspect
from importers.loading import load
from importers.profiles import best, match, profile, profiles, told
from tests.importers.shapefiles import shapefile, square
from units.errors import Refused
from units.models import ControlArea
from units.models.control import ControlArea as Control

SECOND = [
    ("BSM", "N", 10, 0),
    ("YSDM", "C", 10, 0),
    ("TBBH", "C", 8, 0),
    ("DLBM", "C", 4, 0),
    ("DLMC", "C", 60, 0),
    ("QSXZ", "C", 3, 0),
    ("QSDWDM", "C", 19, 0),
    ("QSDWMC", "C", 60, 0),
    ("ZLDWDM", "C", 19, 0),
    ("ZLDWMC", "C", 60, 0),
    ("TBMJ", "N", 15, 2),
    ("XZDWMJ", "N", 15, 2),
    ("TBDLMJ", "N", 15, 2),
]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def second(number, code, name):
    return {
        "BSM": number,
        "YSDM": "2001010100",
        "TBBH": number,
        "DLBM": code,
        "DLMC": name,
        "QSXZ": "G",
        "QSDWDM": "1201040010010000000",
        "QSDWMC": "长虹街道",
        "ZLDWDM": "1201040010010000000",
        "ZLDWMC": "长虹街道",
        "TBMJ": "9999.99",
        "XZDWMJ": "0.00",
        "TBDLMJ": "9999.99",
    }


def survey_area(number, code, name, size):
    return {
        "BSM": f"1201041220{number:08d}",
        "ZLDWDM": code,
        "ZLDWMC": name,
        "DCMJ": size,
        "JSMJ": "9999.99",
        "MSSM": "00",
    }


AREAS = [
    ("BSM", "C", 18, 0),
    ("ZLDWDM", "C", 19, 0),
    ("ZLDWMC", "C", 60, 0),
    ("DCMJ", "N", 15, 2),
    ("JSMJ", "N", 15, 2),
    ("MSSM", "C", 2, 0),
]


@pytest.mark.usefixtures("nankai")
def test_of_the_second_survey_the_construction_land_is_kept_for_what_was_so_then(tmp_path):
    rows = [second(1, "201", "城市"), second(2, "203", "村庄"), second(3, "011", "水田")]
    path = shapefile(tmp_path, rows=rows, fields=SECOND, ldid=0x4D)
    with pytest.raises(Refused, match="second survey") as error:
        load(path, "dltb", "120104", 2022)
    assert error.value.code == "1-second-survey"
    assert "--profile dltb2" in str(error.value.hint)
    result = load(path, "dltb2", "120104", 2022)
    assert (result["taken"], result["refused"], result["refusals"][0]["code"]) == (2, 1, "3-not-construction")
    kept = ControlArea.objects.order_by("code")
    assert {(one.kind, one.use, one.use_scheme) for one in kept} == {
        (Control.Kind.SECOND_SURVEY, "201", "erdiao"),
        (Control.Kind.SECOND_SURVEY, "203", "erdiao"),
    }
    assert kept[0].extra["TBMJ"] == 9999.99
    assert kept[0].in_force


@pytest.mark.parametrize("name", ["DLTBGX", "DLTBGXGC", "CZCDYDGX", "CZCDYDGXGC", "CJDCQGX", "XZQGX"])
def test_a_layer_of_changes_is_refused_as_a_full_one_with_the_reason(name):
    of = {"D": "dltb", "X": "district"}.get(name[0]) or name[:6].lower().removesuffix("g")
    found = match(profile({"cjdcqg": "cjdcq"}.get(of, of)), name, ["BSM"])
    assert (found.refused, found.verdict) == ("1-update-layer", "refused")


@pytest.mark.usefixtures("nankai")
def test_an_exclave_of_a_village_is_a_further_row_of_the_same_code(tmp_path):
    rows = [
        survey_area(1, "1201040010010000000", "甲社区", "20000.00"),
        survey_area(2, "1201040010010000000", "甲社区", "20000.00"),
        survey_area(3, "1201040010020000000", "乙社区", "9999.99"),
    ]
    path = shapefile(tmp_path, "CJDCQ", rows=rows, fields=AREAS, ldid=0x4D)
    assert inspect(path)["layers"][0]["profile"]["name"] == "cjdcq"
    result = load(path, "cjdcq", "120104", 2022)
    assert (result["taken"], result["warnings"]) == (3, [])
    areas = ControlArea.objects.filter(kind=Control.Kind.VILLAGE_SURVEY)
    assert sorted(areas.values_list("name", "extra__ZLDWDM", "extra__DCMJ")) == [
        ("乙社区", "1201040010020000000", 9999.99),
        ("甲社区", "1201040010010000000", 20000),
        ("甲社区", "1201040010010000000", 20000),
    ]


@pytest.mark.usefixtures("nankai")
def test_the_units_of_low_efficiency_land_keep_the_fields_of_their_province(tmp_path):
    zhejiang = shapefile(
        tmp_path / "a",
        "DCDYTB",
        fields=[
            ("DCDYBH", "C", 30, 0),
            ("XZMC", "C", 40, 0),
            ("DCQBH", "C", 30, 0),
            ("MJ", "N", 15, 2),
            ("SFDX", "C", 10, 0),
            ("QZLSYLYDMJ", "N", 15, 2),
            ("CQR", "C", 40, 0),
        ],
        rows=[{"DCDYBH": "D1", "XZMC": "甲街道", "DCQBH": "Q1", "MJ": "9999.99", "SFDX": "是", "QZLSYLYDMJ": "5.5"}],
        ldid=0x4D,
    )
    result = load(zhejiang, "dcdytb", "120104", 2022)
    assert (result["taken"], result["warnings"]) == (1, [])
    hebei = shapefile(
        tmp_path / "b",
        "DXYDDK",
        fields=[("dkbh", "C", 30, 0), ("dkmj", "N", 15, 4), ("xmmc", "C", 40, 0), ("landStatus", "C", 1, 0)],
        rows=[{"dkbh": "H1", "dkmj": "15.0000", "xmmc": "项目", "landStatus": "7"}],
        shapes=[[square(3)]],
        ldid=0x4D,
    )
    result = load(hebei, "hebei_lowuse", "120104", 2022)
    assert [one["code"] for one in result["warnings"]] == ["3-malformed"]
    units = ControlArea.objects.filter(kind=Control.Kind.LOW_USE_UNIT).order_by("code")
    assert [(one.code, one.name) for one in units] == [("D1", "甲街道"), ("H1", "项目")]
    assert units[0].extra == {"DCQBH": "Q1", "MJ": 9999.99, "SFDX": "是", "QZLSYLYDMJ": 5.5}
    assert units[1].extra["LANDSTATUS"] == "7"


def test_each_profile_tells_its_fields_for_a_page():
    by_name = {one["name"]: one for one in told()}
    assert set(by_name) == set(profiles())
    fields = {one["name"]: one for one in by_name["dltb"]["fields"]}
    assert (fields["DLBM"]["title"], fields["DLBM"]["required"], fields["DLBM"]["width"]) == ("地类编码", "refuse", 5)
    assert fields["DLBM"]["values"]["0601"] == "工业用地"
    assert "06" not in fields["DLBM"]["values"]  # a heading is no class of a patch
    assert fields["QSXZ"]["values"]["20"] == "国有土地使用权"
    assert fields["YSDM"]["aliases"] == ["要素代码"]
    assert {one["kind"]: one["title"] for one in by_name["control"]["kinds"]}["basic_farmland"] == "永久基本农田"
    assert all(one["title"] and one["title"] != one["name"] for one in by_name["zd"]["fields"])


def test_the_best_profile_of_a_named_layer_is_that_of_its_name():
    for name, one in profiles().items():
        if one.table == "control" and not one.kinds:
            for layer in one.layers:
                assert best(layer, [each.name for each in one.fields]).profile.name == name
