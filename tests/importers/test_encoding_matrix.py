"""Bytes × language byte × .cpg × cut values: no wrong text and no lost row, in one table of cells, each imported."""

from dataclasses import dataclass

import pytest
from django.utils import translation

from importers.loading import load
from tests.importers.shapefiles import patch, shapefile
from units.errors import Refused
from units.models import Delivery, LandUsePatch, Refusal

GBK, GB4, UTF8, BIG5 = "gbk", "gb18030", "utf-8", "big5hkscs"
BOM = "\ufeffUTF-8"
HTML = "<html><body>404 Not Found</body></html>"
SIMPLE = ("工业用地", "城镇住宅用地", "公园与绿地", "商业服务业设施用地", "学府街道嘉陵道")
FOUR = ("工业用地", "𫭟村", "㙍街道示例里", "䶮里河滨东道", "㐀𠮷新村")
TRADITIONAL = ("工業用地與廠房", "住宅區鄰里單元", "綠地廣場遊樂場", "機關學校醫療衛生", "臺北縣板橋鎮")
ENGLISH = ("NANKAI", "ROAD 7")
NAMES, PLAIN = ("权属备注", "MEMO"), ("NAME", "MEMO")  # of two columns that no profile has


@dataclass
class Cell:
    """Text in an encoding under a declaration; what must be thought of it. `cut` cuts each value at the field's end.

    `other` is the encoding of the second column where it is another, `given` what the user says, `told` are warnings.
    """

    text: tuple[str, ...]
    encoding: str
    ldid: int = 0
    cpg: str | None = None
    verdict: str = "sure"
    name: str = ""
    cut: int = 0
    other: str = ""
    names: tuple[str, ...] = NAMES
    given: str | None = None
    told: tuple[str, ...] = ()

    def __str__(self):
        said = [
            self.encoding,
            f"{self.ldid:#04x}",
            self.cpg,
            f"cut {self.cut}" if self.cut else "",
            self.other,
            self.given,
        ]
        return " ".join(filter(None, said)).encode("ascii", "replace").decode()

    @property
    def written(self) -> tuple[str, ...]:
        return ("備註欄位", "MEMO") if self.encoding == BIG5 else self.names

    @property
    def expected(self) -> str:
        return self.name or {GBK: "GB18030", GB4: "GB18030", UTF8: "UTF-8", BIG5: "Big5"}[self.encoding]


MATRIX = [
    # GBK, whatever is said of it
    Cell(SIMPLE, GBK),
    Cell(SIMPLE, GBK, 0x57),
    Cell(SIMPLE, GBK, 0x4D),
    Cell(SIMPLE, GBK, 0x7A),
    Cell(SIMPLE, GBK, 0x4F),
    Cell(SIMPLE, GBK, 0x00, "GBK"),
    Cell(SIMPLE, GBK, 0x00, "GB2312"),
    Cell(SIMPLE, GBK, 0x00, "936"),
    Cell(SIMPLE, GBK, 0x00, "ANSI 936"),
    Cell(SIMPLE, GBK, 0x57, "OEM"),
    Cell(SIMPLE, GBK, 0x00, "UTF-8"),
    Cell(SIMPLE, GBK, 0x4D, "UTF-8"),
    Cell(SIMPLE, GBK, 0x00, "65001"),
    Cell(SIMPLE, GBK, 0x00, "Big5"),
    Cell(SIMPLE, GBK, 0x00, "\x01\xff#garbage"),
    Cell(SIMPLE, GBK, 0x00, HTML),
    # GB18030 with characters of four bytes
    Cell(FOUR, GB4),
    Cell(FOUR, GB4, 0x4D),
    Cell(FOUR, GB4, 0x00, "GB2312"),
    Cell(FOUR, GB4, 0x57, "GBK"),
    Cell(FOUR, GB4, 0x00, "UTF-8"),
    Cell(FOUR, GB4, 0x4F),
    # UTF-8
    Cell(SIMPLE, UTF8),
    Cell(SIMPLE, UTF8, 0x4D),
    Cell(SIMPLE, UTF8, 0x57, "UTF-8"),
    Cell(SIMPLE, UTF8, 0x00, "UTF8"),
    Cell(SIMPLE, UTF8, 0x00, "65001"),
    Cell(SIMPLE, UTF8, 0x00, BOM),
    Cell(SIMPLE, UTF8, 0x00, "GBK"),
    Cell(SIMPLE, UTF8, 0x7A, "936"),
    Cell(SIMPLE, UTF8, 0x4F, "Big5"),
    Cell(SIMPLE, UTF8, 0x00, HTML),
    Cell(FOUR, UTF8, 0x4D),
    Cell(TRADITIONAL, UTF8, 0x00, "GB2312"),
    # Big5: never taken for certain, and not at all where nothing says so
    Cell(TRADITIONAL, BIG5, verdict="ask"),
    Cell(TRADITIONAL, BIG5, 0x57, verdict="ask"),
    Cell(TRADITIONAL, BIG5, 0x4D, verdict="ask"),
    Cell(TRADITIONAL, BIG5, 0x00, "GBK", verdict="ask"),
    Cell(TRADITIONAL, BIG5, 0x00, "UTF-8", verdict="ask"),
    Cell(TRADITIONAL, BIG5, 0x4F, verdict="likely"),
    Cell(TRADITIONAL, BIG5, 0x00, "Big5", verdict="likely"),
    Cell(TRADITIONAL, BIG5, 0x57, "950", verdict="likely"),
    Cell(TRADITIONAL, BIG5, given="big5", verdict="given"),
    # values cut inside a character by the width of their field
    Cell(SIMPLE, GBK, cut=15, verdict="likely"),
    Cell(SIMPLE, GBK, 0x4D, "UTF-8", cut=15, verdict="likely"),
    Cell(("工业用地", "学府街道𫭟", "城镇住宅用地"), GB4, cut=10, verdict="likely"),
    Cell(("工业用地", "学府街道𫭟", "城镇住宅用地"), GB4, 0x4D, "UTF-8", cut=11, verdict="likely"),
    Cell(SIMPLE, UTF8, cut=16, verdict="likely"),
    Cell(SIMPLE, UTF8, 0x00, "GBK", cut=17, verdict="likely"),
    Cell(TRADITIONAL, BIG5, 0x4F, cut=13, verdict="ask"),
    # so few values that bytes may fit by chance
    Cell(("学府",), UTF8, verdict="likely"),  # six bytes: valid GBK as well (瀛﹀簻)
    Cell(("联通",), GBK, 0x4D, verdict="likely"),
    Cell(("痰",), GBK, 0x4D, verdict="likely"),  # two bytes: valid UTF-8 as well
    Cell(("100m²",), UTF8, verdict="ask", names=PLAIN),  # two bytes: 虏 in GBK
    Cell(("100m²",), UTF8, 0x00, "UTF-8", verdict="likely", names=PLAIN),
    Cell(("100m²",), UTF8, verdict="likely"),  # as the names of the fields are
    Cell(("佛",), GBK, verdict="ask", names=PLAIN),  # 痰 in Big5
    Cell(("佛",), GBK, verdict="likely"),
    # two encodings in one table
    Cell(SIMPLE, GBK, other=UTF8, verdict="ask"),
    Cell(SIMPLE, UTF8, 0x4D, "GBK", other=GBK, verdict="ask"),
    # garbled before it was stored
    Cell((*SIMPLE, "ÄÏ¿ª"), UTF8, 0x00, "UTF-8", told=("1-mojibake",)),
    Cell((*SIMPLE, "瀛﹀簻琛楅亾"), UTF8, told=("1-mojibake",)),
    Cell((*SIMPLE, "瀛﹀簻"), GBK, verdict="ask"),  # which is a value of UTF-8 among those of GBK, byte for byte
    Cell((*SIMPLE, "锟斤拷锟斤拷"), GBK, told=("1-mojibake",)),
    # no text beyond ASCII; names of fields in Chinese, cut to their ten bytes
    Cell(ENGLISH, GBK, name="GB18030"),
    Cell(ENGLISH, UTF8, names=("图斑备注", "MEMO")),
    Cell(ENGLISH, GBK, names=PLAIN, name="UTF-8"),
    Cell(SIMPLE, GBK, names=("备用说明文字栏目", "A图斑备注说明")),
    Cell(SIMPLE, UTF8, names=("图斑备注", "权属单位")),
    # said by the user against the bytes
    Cell(SIMPLE, GBK, given="utf-8", verdict="refused", name="UTF-8"),
    Cell(SIMPLE, UTF8, given="gb18030", verdict="refused", name="GB18030"),
    Cell(SIMPLE, UTF8, 0x4D, "GBK", given="utf-8", verdict="given"),
]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def cut(text: str, encoding: str, size: int) -> bytes:
    raw = text.encode(encoding)
    return raw[:size] if size else raw


def delivered(folder, cell: Cell):
    """The layer of a cell: each text in the class's name, in the unit's name and in a column of its own."""
    width = cell.cut or 60
    raw_names = [name.encode(cell.encoding)[:10] for name in cell.written]
    fields = [
        ("BSM", "C", 18, 0), ("YSDM", "C", 10, 0), ("TBBH", "C", 8, 0), ("DLBM", "C", 5, 0), ("DLMC", "C", width, 0),
        ("QSXZ", "C", 2, 0), ("QSDWDM", "C", 19, 0), ("ZLDWDM", "C", 19, 0), ("ZLDWMC", "C", width, 0),
        ("TBMJ", "N", 15, 2), ("SJNF", "N", 4, 0), *((name, "C", 60, 0) for name in raw_names),
    ]  # fmt: skip
    rows = []
    for number, text in enumerate(cell.text):
        written = cut(text, cell.encoding, cell.cut)
        second = cut(text, cell.other or cell.encoding, cell.cut)
        more = {raw_names[0]: text.encode(cell.encoding), raw_names[1]: b"x"}
        rows.append(patch(number, DLMC=written, ZLDWMC=second, QSDWMC="") | more)
    return shapefile(folder, rows=rows, fields=fields, ldid=cell.ldid, cpg=cell.cpg)


def right(stored: str, text: str, cell: Cell) -> bool:
    """Whether what is stored is what the file holds of the text; a character that was cut is marked."""
    if not cell.cut:
        return stored == text
    whole = cut(text, cell.encoding, cell.cut).decode(cell.encoding, "ignore")
    return (
        stored == whole
        if len(whole.encode(cell.encoding)) in (cell.cut, len(text.encode(cell.encoding)))
        else (stored.rstrip("\ufffd") == whole and stored != whole)
    )


@pytest.mark.rows("NK011")
@pytest.mark.parametrize("cell", MATRIX, ids=str)
@pytest.mark.usefixtures("nankai")
def test_no_wrong_text_and_no_lost_row(tmp_path, cell):
    path = delivered(tmp_path, cell)
    if cell.verdict in ("ask", "refused"):
        with pytest.raises(Refused) as error:
            load(path, "dltb", "120104", 2022, encoding=cell.given)
        assert error.value.code == "1-encoding"
        mixed = "two encodings" in str(error.value)
        assert mixed or not cell.other
        assert ("--encoding" in str(error.value)) == (not cell.given and not mixed)
        assert cell.text[0][:4] in str(error.value)  # among the samples
        assert not LandUsePatch.objects.exists()
        assert not Delivery.objects.exists()
        return
    result = load(path, "dltb", "120104", 2022, encoding=cell.given)
    said = result["encoding"]
    assert (said["name"], said["verdict"]) == (cell.expected, cell.verdict)
    assert result["rows"] == len(cell.text) == result["taken"] + result["refused"]
    held = {one.row_number: one for one in LandUsePatch.objects.all()}
    refused = {one.row_number: one.reasons[0]["message"] for one in Refusal.objects.all()}
    assert sorted([*held, *refused]) == list(range(1, len(cell.text) + 1))
    assert all(refused.values())
    # A name is cut to ten bytes, and a character that was cut with it is left away.
    name = cell.written[0].encode(cell.encoding)[:10].decode(cell.encoding, "ignore")
    for number, one in held.items():
        text = cell.text[number - 1]
        assert right(one.dlmc, text, cell)
        assert right(one.zldwmc, text, cell)
        assert one.extra[name] == text
    warned = {one["code"] for one in result["warnings"]}
    assert warned >= set(cell.told)
    assert ("1-mojibake" in warned) == ("1-mojibake" in cell.told)
    assert (said["bad_fields"] > 0) == ("3-undecodable" in warned) == (cell.verdict == "likely" and cell.cut > 0)


def test_the_matrix_is_as_large_as_promised():
    assert len(MATRIX) >= 60
    assert {cell.ldid for cell in MATRIX} == {0x00, 0x57, 0x4D, 0x7A, 0x4F}
    assert {cell.encoding for cell in MATRIX} == {GBK, GB4, UTF8, BIG5}


def test_text_of_two_encodings_is_told_by_column(tmp_path, nankai):
    path = delivered(tmp_path, Cell(SIMPLE, GBK, other=UTF8))
    with pytest.raises(Refused, match=r"DLMC: GB18030 .*工业用地.* ZLDWMC: UTF-8 .*工业用地"):
        load(path, "dltb", "120104", 2022)


def test_garbled_text_is_told_with_what_it_was(tmp_path, nankai):
    result = load(delivered(tmp_path, Cell((*SIMPLE, "瀛﹀簻"), UTF8)), "dltb", "120104", 2022)
    (warning,) = [one for one in result["warnings"] if one["code"] == "1-mojibake"]
    assert "瀛﹀簻 ← 学府" in warning["message"]
    assert LandUsePatch.objects.get(row_number=6).dlmc == "瀛﹀簻"  # kept as it is


def test_what_the_user_says_is_recorded(tmp_path, nankai):
    load(delivered(tmp_path, Cell(SIMPLE, GBK)), "dltb", "120104", 2022, encoding="GBK")
    assert Delivery.objects.get().settings["encoding_given"] == "GBK"
