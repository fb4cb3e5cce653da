"""A mapping makes a foreign layer one of ours: its columns, its values, and what holds for every row."""

import json

import pytest
from django.core.management import call_command
from django.utils import translation

from importers.loading import load
from importers.mapping import Mapping, of_json, read_mapping
from importers.models import MappingTemplate
from importers.profiles import match, profile
from tests.importers.shapefiles import patch, shapefile, square
from units.errors import UsageError
from units.models import ControlArea, Delivery, LandUsePatch

FOREIGN = [("TBBSM", "C", 18, 0), ("YONGTU", "C", 20, 0), ("BIANHAO", "C", 8, 0), ("MIANJI", "N", 15, 2)]
SAID = {
    "profile": "dltb",
    "fields": {"BSM": "TBBSM", "DLBM": "YONGTU", "DLMC": "yongtu", "TBBH": "BIANHAO", "TBMJ": "MIANJI"},
    "values": {"DLBM": {"工厂": "0601", "住宅": "0701"}, "DLMC": {"工厂": "工业用地", "住宅": "城镇住宅用地"}},
    "constants": {
        "QSXZ": "20",
        "QSDWDM": "1201040010010000000",
        "ZLDWDM": "1201040010010000000",
        "SJNF": 2022,
        "QSDWMC": "长虹街道",
        "ZLDWMC": "长虹街道",
        "KCMJ": 0,
        "MSSM": "00",
    },
}


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def foreign(folder, uses=("工厂", "住宅"), **options):
    rows = [
        {"TBBSM": f"1201042101{number:08d}", "YONGTU": use, "BIANHAO": number, "MIANJI": "9999.99"}
        for number, use in enumerate(uses, 1)
    ]
    return shapefile(folder, "图斑", rows=rows, fields=FOREIGN, **options)


def into(path, said=SAID, **options):
    return load(path, "dltb", "120104", 2022, mapping=of_json(said) if said else None, **options)


@pytest.mark.rows("NK012")
@pytest.mark.usefixtures("nankai")
def test_foreign_columns_and_values_become_ours_before_they_are_checked(tmp_path):
    result = into(foreign(tmp_path))
    assert (result["taken"], result["refused"]) == (2, 0)
    assert [one["code"] for one in result["warnings"]] == ["3-field-missing"]
    first, second = LandUsePatch.objects.order_by("bsm")
    assert (first.dlbm, first.dlmc, first.qsxz, first.sjnf, first.street_id) == (
        "0601",
        "工业用地",
        "20",
        2022,
        "120104001",
    )
    assert (second.dlbm, second.dlmc) == ("0701", "城镇住宅用地")
    assert first.extra == {"YONGTU（原值）": "工厂"}


@pytest.mark.usefixtures("nankai")
def test_a_value_that_nobody_mapped_stays_as_it_is_and_is_checked(tmp_path):
    result = into(foreign(tmp_path, ("工厂", "码头")))
    assert (result["taken"], result["refused"], result["refusals"][0]["code"]) == (1, 1, "3-code-unknown")


@pytest.mark.usefixtures("nankai")
def test_without_its_mapping_the_layer_is_refused_and_the_hint_speaks_of_mappings(tmp_path):
    with pytest.raises(Exception, match="has no BSM, DLBM, which the profile dltb needs") as error:
        into(foreign(tmp_path), None)
    assert "mapping" in str(error.value)


@pytest.mark.usefixtures("nankai")
def test_a_changed_mapping_is_another_delivery_and_the_same_one_is_not(tmp_path):
    path = foreign(tmp_path)
    first = into(path)
    assert into(path)["already"]
    assert into(path, {**SAID, "name": "街道图斑"})["already"]
    other = {**SAID, "values": {**SAID["values"], "DLBM": {"工厂": "0602", "住宅": "0701"}}}
    result = into(path, other)
    assert (result["already"], result["taken"], result["gone"]) == (False, 0, 0)
    assert LandUsePatch.objects.get(tbbh="1").dlbm == "0602"
    assert result["mapping"]["sha256"] != first["mapping"]["sha256"]


@pytest.mark.usefixtures("nankai")
def test_a_delivery_keeps_the_mapping_and_the_digests_of_code_and_rules(tmp_path):
    into(foreign(tmp_path))
    settings = Delivery.objects.get().settings
    assert settings["mapping"] == {**of_json(SAID).told(), "sha256": of_json(SAID).digest}
    assert all(len(settings[name]) == 64 for name in ("profile_sha256", "code_sha256", "rules_sha256"))
    assert len({settings[name] for name in ("profile_sha256", "code_sha256", "rules_sha256")}) == 3


@pytest.mark.usefixtures("nankai")
def test_columns_that_no_mapping_names_are_kept(tmp_path):
    said = {**SAID, "fields": {**SAID["fields"], "TBBH": ""}, "constants": {**SAID["constants"], "YSDM": "2001010100"}}
    result = into(foreign(tmp_path), said)
    assert {one["code"] for one in result["warnings"]} == {"3-field-missing"}
    assert LandUsePatch.objects.get(bsm="120104210100000001").extra == {"BIANHAO": "1", "YONGTU（原值）": "工厂"}


@pytest.mark.usefixtures("nankai")
def test_a_control_layer_of_any_name_is_what_the_mapping_says(tmp_path):
    path = shapefile(tmp_path, "基本农田成果", rows=[{"BH": "1"}], fields=[("BH", "C", 10, 0)], shapes=[[square()]])
    said = of_json({"profile": "control", "kind": "basic_farmland"})
    result = load(path, "control", "120104", 2022, mapping=said)
    assert result["taken"] == 1
    assert ControlArea.objects.get().kind == "basic_farmland"


@pytest.mark.usefixtures("nankai")
def test_the_command_reads_a_mapping_from_toml_or_json(tmp_path, capsys):
    path = foreign(tmp_path)
    (tmp_path / "m.json").write_text(json.dumps(SAID, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "m.toml").write_text(
        'profile = "dltb"\n[fields]\nBSM = "TBBSM"\nDLBM = "YONGTU"\n[values.DLBM]\n"工厂" = "0601"\n', encoding="utf-8"
    )
    assert read_mapping(tmp_path / "m.toml") == Mapping(
        "dltb", {"BSM": "TBBSM", "DLBM": "YONGTU"}, {"DLBM": {"工厂": "0601"}}
    )
    call_command(
        "import_layer",
        str(path),
        profile="dltb",
        district="120104",
        survey=2022,
        mapping=str(tmp_path / "m.json"),
        format="json",
    )
    assert json.loads(capsys.readouterr().out)["taken"] == 2


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "names its profile"),
        ([], "names its profile"),
        ({"profile": "dtlb"}, "There is no profile “dtlb”"),
        ({"profile": "dltb", "feilds": {}}, "There is no part of a mapping “feilds”"),
        ({"profile": "dltb", "fields": []}, "part fields of the mapping is no table"),
        ({"profile": "dltb", "fields": {"DLMB": "X"}}, "There is no field of the profile dltb “DLMB”"),
        ({"profile": "dltb", "values": {"DLMB": {"a": "b"}}}, "There is no field of the profile dltb “DLMB”"),
        ({"profile": "dltb", "values": {"DLBM": "0601"}}, "part values.DLBM of the mapping is no table"),
        ({"profile": "dltb", "values": {"DLBM": {"a": ["b"]}}}, "DLBM is no text"),
        ({"profile": "dltb", "values": {"DLBM": {str(n): "1" for n in range(2_001)}}}, "more than 2000 values"),
        ({"profile": "dltb", "constants": {"QSXZ": "x" * 255}}, "more than 254"),
        ({"profile": "dltb", "constants": {"QSXZ": ""}}, "no value for every row"),
        ({"profile": "dltb", "constants": {"QSXZ": "20"}, "fields": {"QSXZ": "Q"}}, "both a column or values and"),
        ({"profile": "dltb", "fields": {"BSM": "ID", "TBBH": "id"}}, "gives the column ID to BSM, TBBH alike"),
        ({"profile": "dltb", "kind": "park"}, "There is no kind of layer “park”"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_told(said, sentence):
    with pytest.raises(UsageError, match=sentence):
        of_json(said)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"profile": "zd"}, "is of the profile zd, not dltb"),
        ({"profile": "dltb", "fields": {"BSM": "TBBH2"}}, "names the column TBBH2, which the layer DLTB"),
        (
            {"profile": "dltb", "constants": {"DLBM": "0601"}},
            "gives DLBM a value for every row, and the layer DLTB has",
        ),
        ({"profile": "dltb", "values": {"HDMC": {"大陆": "00"}}}, "has no such field"),
    ],
)
def test_a_mapping_that_does_not_fit_the_layer_is_told(said, sentence):
    mapping = Mapping("zd", {"ZDDM": "BSM"}) if said["profile"] == "zd" else of_json(said)
    with pytest.raises(UsageError, match=sentence):
        match(profile("dltb"), "DLTB", list(patch()), mapping)


def test_a_mapping_file_that_cannot_be_read_is_told(tmp_path):
    for content, sentence in (
        (b"\xff\xfe\x00", "cannot be read"),
        (b"profile = ", "neither TOML nor JSON"),
        (b"{" * 3_000, "neither TOML nor JSON"),
        (b"#" * 1_000_001, "larger than 1000 kB"),
    ):
        (tmp_path / "m").write_bytes(content)
        with pytest.raises(UsageError, match=sentence):
            read_mapping(tmp_path / "m")
    with pytest.raises(UsageError, match="cannot be read"):
        read_mapping(tmp_path / "none")


def test_one_column_may_serve_two_fields_where_its_values_are_given_for_one():
    mapping = of_json({"profile": "dltb", "fields": {"DLBM": "X", "DLMC": "X"}, "values": {"DLBM": {"工业": "0601"}}})
    found = match(profile("dltb"), "DLTB", ["BSM", "X"], mapping)
    assert (found.columns["DLBM"], found.columns["DLMC"], found.extra, found.missing) == ("X", "X", [], [])


@pytest.mark.usefixtures("nankai")
def test_templates_are_offered_for_layers_whose_columns_fit_and_the_likest_first():
    columns = [name for name, *_rest in FOREIGN]
    keep, offered = MappingTemplate.objects.keep, MappingTemplate.objects.offered
    near = of_json({"profile": "dltb", "name": "near", "fields": {"BSM": "TBBSM"}})
    keep(near, [*columns, "OTHER", "MORE"])
    keep(of_json({**SAID, "name": "exact"}), columns, district="120104")
    keep(of_json({**SAID, "name": "exact elsewhere"}), columns)
    keep(of_json({"profile": "dltb", "name": "unfit", "fields": {"BSM": "NOWHERE"}}), columns)
    keep(of_json({"profile": "zd", "name": "of parcels", "fields": {"ZDDM": "TBBSM"}}), columns)
    assert [one.name for one in offered("dltb", columns, "120104")] == ["exact", "exact elsewhere", "near"]
    assert [one.name for one in offered("dltb", ["tbbsm", "x"], "120104")] == ["near"]
    assert offered("dltb", columns, "120104")[0].made() == of_json({**SAID, "name": "exact"})
    keep(of_json({**SAID, "name": "exact", "constants": {}}), columns, district="120104")
    assert MappingTemplate.objects.filter(name="exact").count() == 1
    assert offered("dltb", columns, "120104")[0].made().constants == {}
