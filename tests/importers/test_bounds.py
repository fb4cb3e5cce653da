"""A small file that asks for much is refused before the memory is taken, and nothing but plain tables is read."""

import os
import re
import resource
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from django.utils import translation

from importers import confining, reading_databases, reading_laid, reading_workbook, workers
from importers.confining import CannotRead
from importers.inspecting import inspect
from importers.reading_laid import Laid, Laying
from importers.reading_workbook import lay_sheet
from tests.importers.containers import area, database, workbook
from units.errors import InputUnreadable


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def read_sheet(path, sheet, place) -> Laid:
    """A sheet as the reading process lays it out."""
    made = lay_sheet(path, sheet, place, path.parent, "a")
    return Laid(made["path"], made["columns"], made["rows"], before=made["before"], deleted=made["deleted"])


def unreadable(path) -> list[str]:
    return [layer["unreadable"] for layer in inspect(path)["layers"] if "unreadable" in layer]


def test_one_long_text_named_by_many_rows_asks_for_no_memory(tmp_path):
    """Two megabytes of a workbook that would lie out as 6 GB: the text is written once, the rows only name it."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:  # which writes shared texts
        book.add_worksheet("企业").write_row(0, 0, ["统一社会信用代码", "备注"])
    row = '<row r="{0}"><c r="A{0}" t="s"><v>0</v></c><c r="B{0}" t="s"><v>1</v></c></row>'
    _rewritten(
        path,
        {
            "xl/worksheets/sheet1.xml": "".join(row.format(number) for number in range(1, 100_001)),
            "xl/sharedStrings.xml": f"<si><t>统一社会信用代码</t></si><si><t>{'长' * 20_000}</t></si>",
        },
    )
    assert path.stat().st_size < 4 * 1024**2
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CannotRead, match="too long to lay out"):
        read_sheet(path, "企业", "企业")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # kilobytes


def _rewritten(path, members: dict[str, str]):
    """Put other content between the outermost tags of parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    for member, content in members.items():
        tag = "sheetData" if "sheetData" in held[member].decode() else "sst"
        held[member] = re.sub(
            rf"<{tag}([^>]*?)(/>|>.*</{tag}>)",
            lambda found, tag=tag, content=content: f"<{tag}{found[1]}>{content}</{tag}>",
            held[member].decode(),
            flags=re.DOTALL,
        ).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)


def test_a_workbook_that_contradicts_itself_is_a_sentence(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"企业": [["A"], ["x"]]})
    _rewritten(path, {"xl/worksheets/sheet1.xml": '<row r="1"><c r="A1" t="s"><v>99</v></c></row>'})
    with pytest.raises(CannotRead, match="cannot be read"):
        read_sheet(path, "企业", "企业")


def test_the_bound_of_a_table_counts_all_its_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_laid, "MOST_BYTES", 1_000)
    laying = Laying(tmp_path, "a", "t")
    laying.take({b"A": [b"x" * 40] * 10, b"B": ["短".encode()] * 10}, 10)
    made = laying.laid()
    laid = Laid(made["path"], made["columns"], made["rows"])
    assert laid.raw(laid.column("B")).tobytes() == "短".encode() * 10
    with Laying(tmp_path, "b", "t") as laying, pytest.raises(CannotRead, match="B"):
        laying.take({b"A": [b"x" * 40] * 10, b"B": [b"x" * 60] * 10}, 10)


def test_a_row_far_below_the_last_one_excel_has_is_refused_at_once(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"企业": [["A"], ["x"]]})
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2000000000"><c r="A2000000000"><v>1</v></c></row>'
    _rewritten(path, {"xl/worksheets/sheet1.xml": rows})
    with pytest.raises(CannotRead, match="1048576"):
        read_sheet(path, "企业", "企业")


def test_rows_beyond_the_extent_that_a_sheet_claims_are_read(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"企业": [["A", "B"], *[[f"x{number}", "y"] for number in range(9)]]})
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    sheet = held["xl/worksheets/sheet1.xml"]
    assert b'<dimension ref="A1:B10"' in sheet
    held["xl/worksheets/sheet1.xml"] = sheet.replace(b'<dimension ref="A1:B10"', b'<dimension ref="A1:A2"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    laid = read_sheet(path, "企业", "企业")
    assert (laid.rows, [column.name for column in laid.columns]) == (9, ["A", "B"])


def test_a_sheet_of_too_many_cells_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_workbook, "MOST_CELLS", 20)
    empty = [[None, None]] * 50
    path = workbook(tmp_path / "a.xlsx", {"企业": [["A", "B"], *empty, *[["x", "y"]] * 10]})
    assert read_sheet(path, "企业", "企业").rows == 60  # rows without a value are no cells
    path = workbook(tmp_path / "b.xlsx", {"企业": [["A", "B"], *[["x", None]] * 11]})
    with pytest.raises(CannotRead, match="20"):
        read_sheet(path, "企业", "企业")


def test_memory_that_does_not_suffice_is_a_sentence(tmp_path):
    """A reader that asks for more than its process may have; the next delivery is read as before."""
    with pytest.raises(InputUnreadable, match=r"a\.xlsx cannot be read: the memory does not hold it"):
        confining.confined(bytes, confining.MEMORY + 1, name="a.xlsx")
    assert unreadable(workbook(tmp_path / "a.xlsx", {"企业": [["A"], ["x"]]})) == []


def test_a_reader_that_crashes_is_a_sentence_and_the_next_file_is_read(tmp_path):
    with pytest.raises(InputUnreadable, match=r"a\.xlsx cannot be read: the reader crashed"):
        confining.confined(os._exit, 1, name="a.xlsx")
    assert unreadable(workbook(tmp_path / "a.xlsx", {"企业": [["A"], ["x"]]})) == []


def test_a_view_in_a_geopackage_is_not_asked(tmp_path):
    path = database(tmp_path / "a.gpkg", {"JQKG": [area(1)]})
    with sqlite3.connect(path) as made:
        made.execute(
            "CREATE VIEW GYYQ AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
            "SELECT x AS fid, geom, BH, MC, BB, YT FROM n, JQKG"
        )
        made.execute(
            "INSERT INTO gpkg_contents SELECT 'GYYQ', data_type, 'GYYQ', '', last_change, min_x, min_y, max_x, max_y,"
            " srs_id FROM gpkg_contents"
        )
        made.execute(
            "INSERT INTO gpkg_geometry_columns SELECT 'GYYQ', column_name, geometry_type_name, srs_id, z, m"
            " FROM gpkg_geometry_columns"
        )
    assert ["it is a view" in one for one in unreadable(path)] == [True]


@pytest.mark.parametrize(
    ("name", "most", "said"), [("MOST_ROWS", 2, "more than 2 rows"), ("MOST_BYTES", 100, "100 bytes")]
)
@pytest.mark.parametrize("suffix", [".gpkg", ".gdb"])
def test_a_layer_that_hands_over_too_much_is_refused_by_its_reader(tmp_path, monkeypatch, name, most, said, suffix):
    path = database(tmp_path / f"a{suffix}", {"JQKG": [area(number) for number in range(3)]})
    assert unreadable(path) == []
    monkeypatch.setattr(reading_databases, name, most)
    assert [said in one for one in unreadable(path)] == [True]


def test_no_process_that_reads_a_delivery_is_told_of_the_database():
    assert os.environ["DATABASE_URL"]
    assert confining.confined(os.getenv, "DATABASE_URL", name="a") is None
    workers.ready()
    told = Path(f"/proc/{workers._nursery.process.pid}/environ").read_text().split("\0")
    assert [one for one in told if one.startswith(confining.SECRETS)] == []
    assert any(one.startswith("PATH=") for one in told)


def test_the_process_in_which_gdal_reads_ends_with_the_one_that_asked_it(tmp_path):
    never = tmp_path / "never.gpkg"
    os.mkfifo(never)  # whoever reads it waits
    order = [sys.executable, "-I", str(reading_databases.CHILD), "GPKG", str(never), "", "", "1", "1"]
    skipped = ",".join(name for name in reading_databases._drivers() if name != "GPKG")
    program = f"import subprocess; one = subprocess.Popen({order!r}); print(one.pid, flush=True); one.wait()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "OGR_SKIP": skipped, "GDAL_SKIP": skipped},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as asking:
        reader = Path(f"/proc/{int(asking.stdout.readline())}")
        held = until(lambda: _opened_by_a_reader(never))
        assert reader.exists()
        asking.kill()
    until(lambda: not reader.exists() or reader.joinpath("stat").read_text().split()[2] == "Z")
    os.close(held)


def _opened_by_a_reader(pipe: Path) -> int | None:
    """The end of a pipe that is written to, once somebody reads the other."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def until(ask):
    """What is asked for, once it is there."""
    end = time.monotonic() + 30
    while not (found := ask()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found
