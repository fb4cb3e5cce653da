"""The encoding of a DBF is decided by its bytes: no wrong text whatever is declared."""

import pytest
from django.utils import translation

from importers.inspecting import inspected
from importers.opening import opened
from tests.importers import shapefiles
from tests.importers.shapefiles import patch
from units.errors import UsageError


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def verdict(path, given=None):
    with opened(path) as container:
        return inspected(container.layer(None), encoding=given).encoding


FIELDS = [("BSM", "C", 18, 0), ("DLMC", "C", 60, 0), ("ZLDWMC", "C", 60, 0), ("TBMJ", "N", 15, 2)]


def shapefile(folder, **options):
    return shapefiles.shapefile(folder, fields=FIELDS, **options)


NAMES = ["工业用地", "城镇住宅用地", "公园与绿地", "商业服务业设施用地"]


def rows(encoding, names=NAMES):
    return [
        patch(number, DLMC=name.encode(encoding), ZLDWMC="南开区".encode(encoding)) for number, name in enumerate(names)
    ]


@pytest.mark.parametrize("ldid", [0x00, 0x4D, 0x57, 0x7A])
@pytest.mark.parametrize("cpg", [None, "GBK", "gb18030", "CP936", "936", "GB2312", "ANSI 936", "OEM", "UTF-8", "65001"])
@pytest.mark.parametrize(("encoding", "name"), [("gbk", "GB18030"), ("utf-8", "UTF-8")])
def test_bytes_decide_whatever_is_declared(tmp_path, encoding, name, cpg, ldid):
    found = verdict(shapefile(tmp_path, rows=rows(encoding), cpg=cpg, ldid=ldid))
    assert (found.name, found.verdict, found.bad_fields) == (name, "sure", 0)
    assert "工业用地" in found.samples
    assert any(f"0x{ldid:02X}" in line for line in found.evidence)


def test_a_declaration_that_the_bytes_contradict_is_told(tmp_path):
    found = verdict(shapefile(tmp_path, rows=rows("gbk"), cpg="UTF-8"))
    assert any("Declared is UTF-8, and the bytes are not that" in line for line in found.evidence)


def test_characters_of_four_bytes_are_read(tmp_path):
    found = verdict(shapefile(tmp_path, rows=[*rows("gb18030"), patch(9, ZLDWMC="㐀𠮷村".encode("gb18030"))]))
    assert found.name == "GB18030"
    assert found.bad_fields == 0


def test_a_value_cut_inside_a_character_is_counted(tmp_path):
    cut = ("街" * 20).encode("utf-8")[:59] + b"\xe8"
    found = verdict(shapefile(tmp_path, rows=[*rows("utf-8"), patch(9, DLMC=cut, ZLDWMC="南开区".encode())]))
    assert (found.name, found.verdict, found.bad_fields) == ("UTF-8", "likely", 1)


@pytest.mark.parametrize(
    ("declared", "expected"), [({}, "ask"), ({"cpg": "Big5"}, "likely"), ({"ldid": 0x78}, "likely")]
)
def test_big5_is_asked_about_unless_it_is_declared(tmp_path, declared, expected):
    names = ["工業用地與廠房", "住宅區鄰里單元", "綠地廣場遊樂場", "機關學校醫療衛生", "臺北縣板橋鎮"]
    big5 = [patch(n, DLMC=name.encode("big5"), ZLDWMC="臺北市".encode("big5")) for n, name in enumerate(names)]
    found = verdict(shapefile(tmp_path, rows=big5, **declared))
    assert (found.name, found.verdict) == ("Big5", expected)
    assert any("Big5" in line for line in found.evidence)
    given = verdict(shapefile(tmp_path, rows=big5, **declared), "big5")
    assert (given.verdict, given.bad_fields) == ("given", 0)
    assert names[0] in given.samples


def test_bytes_of_no_encoding_are_asked_about(tmp_path):
    broken = [patch(n, DLMC=b"\xff\xfe\x81\xff" * (n + 1), ZLDWMC="") for n in range(6)]
    found = verdict(shapefile(tmp_path, rows=broken))
    assert found.verdict == "ask"
    assert found.bad_fields == 6


def test_plain_ascii_needs_no_verdict(tmp_path):
    found = verdict(shapefile(tmp_path, rows=[patch(1, DLMC="", ZLDWMC="Nankai")]))
    assert (found.name, found.verdict) == ("UTF-8", "sure")


def test_deleted_rows_do_not_vote(tmp_path):
    found = verdict(shapefile(tmp_path, rows=[*rows("utf-8"), patch(9, DLMC=b"\xb9\xa4\xff")], deleted={4}))
    assert (found.name, found.verdict) == ("UTF-8", "sure")


def test_a_given_encoding_that_most_text_contradicts_is_refused(tmp_path):
    found = verdict(shapefile(tmp_path, rows=rows("gbk")), "utf-8")
    assert (found.name, found.verdict, found.bad_fields) == ("UTF-8", "refused", 8)
    assert "The bytes say GB18030" in " ".join(found.evidence)
    found = verdict(shapefile(tmp_path, rows=rows("utf-8")), "gbk")
    assert (found.name, found.verdict) == ("GB18030", "refused")


def test_a_given_encoding_that_may_be_right_is_taken_with_a_warning(tmp_path):
    found = verdict(shapefile(tmp_path, rows=rows("gbk")), "big5")
    assert (found.name, found.verdict) == ("Big5", "given")
    assert found.warnings == [("1-encoding-overridden", "Big5", "GB18030")]


def test_text_is_shown_as_each_encoding_reads_it(tmp_path):
    told = verdict(shapefile(tmp_path, rows=rows("gbk"))).told()["samples_by"]
    assert told["GB18030"][0] == "工业用地"
    assert told["UTF-8"][0].startswith("�")
    assert told["Big5"][0] == "馱珛蚚華"


@pytest.mark.parametrize("name", ["klingon", "utf-16", "hex", "latin-1"])
def test_an_encoding_that_no_delivery_has_is_not_taken(tmp_path, name):
    with pytest.raises(UsageError, match=name):
        verdict(shapefile(tmp_path, rows=rows("gbk")), name)
