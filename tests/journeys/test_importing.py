"""An analyst drops a delivery on the import page: what is wrong with it, a dry run, the import, the way back."""

import contextlib
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import openpyxl
import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.importers.shapefiles import PARCEL_FIELDS, parts, shapefile, square, zipped
from tests.journeys import signing
from tests.journeys.looking import axe_faults

ROOT = Path(__file__).resolve().parents[2]
ANALYST, PASSWORD = "analyst", "demo-password-1"
PATIENCE = 30_000  # milliseconds, for a machine that does other things too
HOSTILE = "<img src=x onerror=alert(1)>"
WEST, SOUTH = 39_512_000.0, 4_332_000.0  # EPSG:4527, in Nankai
# What another bureau calls the fields of a parcel; one name is hostile.
FIELDS = [
    ("CODE", "C", 19, 0),
    ("HOLDER", "C", 60, 0),
    ("PLACE", "C", 80, 0),
    ("AREA_M", "N", 15, 4),
    ("TDYT", "C", 20, 0),
    ("<b>x</b>", "C", 20, 0),
]
MAPPED = {"ZDDM": "CODE", "ZL": "PLACE", "ZDMJ": "AREA_M"}


# --- the site, its worker and its files --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """The served site with the founded district and the demo's accounts; what is uploaded lies in its own folders."""
    folder = tmp_path_factory.mktemp("import")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEOINV_INTAKES_DIR", str(folder / "intakes"))
        patch.setenv("GEOINV_DELIVERIES_DIR", str(folder / "kept"))
        served = request.getfixturevalue("served")
        made = [
            served.manage("found_district", "--district", "120104"),
            served.manage(
                "shell", "-c", "from geoinv.demo import make_accounts; make_accounts()", GEOINV_DEMO_PASSWORD=PASSWORD
            ),
        ]
        for done in made:
            assert done.returncode == 0, done.stderr
        yield served


class Workers:
    """The worker processes of a test module; `kill` ends the one at work as a power cut does."""

    def __init__(self, site, log: Path):
        self.site, self.log, self.process = site, log, None

    def start(self):
        if self.process is not None and self.process.poll() is None:
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "work", "--jobs", "1"],
                cwd=ROOT,
                env=os.environ | {"DATABASE_URL": self.site.database_url, "DJANGO_SETTINGS_MODULE": "geoinv.settings"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def working(site, tmp_path_factory):
    workers = Workers(site, tmp_path_factory.mktemp("worker") / "worker.log")
    workers.start()
    yield workers
    workers.kill()
    assert "Traceback" not in workers.log.read_text(errors="replace")


@pytest.fixture
def work(working):
    """A worker that is there when the test begins."""
    working.start()
    return working


def delivered(folder: Path, *, name="宗地2023.zip", first=501, rows=16, layer="宗地", faults=True) -> Path:
    """A GBK zip without a .prj: parcels under foreign names; with `faults` a bow-tie, a code twice, a wrong area."""
    made = [
        {
            "CODE": f"120104001001GB{first + number:05d}",
            "HOLDER": HOSTILE if number == 5 else "天津市第一机床总厂",
            "PLACE": f"南开区长江道{number + 1}号",
            "AREA_M": "12345.6" if faults and number == 7 else "9999.99",
            "TDYT": "0601",
            "<b>x</b>": "甲",
        }
        for number in range(rows)
    ]
    shapes = [[square(number % 4, number // 4, west=WEST, south=SOUTH)] for number in range(rows)]
    if faults:
        x, y = WEST + 800, SOUTH
        shapes[2] = [[(x, y), (x + 100, y + 100), (x + 100, y), (x, y + 100), (x, y)]]
        made[4]["CODE"] = made[3]["CODE"]
    path = shapefile(folder / "work", layer, rows=made, shapes=shapes, fields=FIELDS, crs=None)
    return zipped(folder / name, parts(path, "交付/".encode("gbk")))


def asked(site, question: str):
    with psycopg.connect(site.database_url) as connection:
        return connection.execute(question).fetchone()[0]


# --- steps of the walk -------------------------------------------------------------------------------------------


def sign_in(page: Page, site):
    signing.sign_in(page, site, ANALYST, PASSWORD, path="/import/")
    page.wait_for_selector("html[data-ready]")


def upload(page: Page, site, *files: Path, year=2023):
    page.goto(f"{site.base_url}/import/")
    page.wait_for_selector("html[data-ready]")
    page.fill("#survey", str(year))
    page.set_input_files("#files", [str(one) for one in files])
    arrived(page)


def arrived(page: Page):
    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"), timeout=PATIENCE)
    page.wait_for_selector("#step-file:not([hidden])", timeout=PATIENCE)


def map_fields(page: Page):
    for field, column in MAPPED.items():
        page.select_option(f"#map-{field}", column)


def dry_run(page: Page):
    page.click("#preview-start")
    previewed(page)
    page.wait_for_selector("#rows[aria-busy=false] tr", timeout=PATIENCE)


def previewed(page: Page):
    page.wait_for_selector("#step-confirm:not([hidden]), .failure, #notices .notice", timeout=PATIENCE)
    assert page.locator("#step-confirm").is_visible(), page.inner_text("#step-preview") + heard(page)


def confirm(page: Page):
    page.wait_for_timeout(900)  # a button that has just appeared takes no press
    page.click("#confirm")


def imported(page: Page) -> int:
    page.wait_for_selector("#imported:not([hidden])", timeout=PATIENCE)
    return int(re.search(r"(\d+)", page.locator("#imported p").first.inner_text())[1])


def report(page: Page):
    page.click("#imported a.button-main")
    page.wait_for_selector("html[data-ready]", timeout=PATIENCE)


def fits(page: Page):
    """Nothing makes the window or the column wider than they are."""
    beyond = "element => element.scrollWidth - element.clientWidth"
    assert page.locator("html").evaluate(beyond) <= 0
    if page.locator("#column").count():
        assert page.locator("#column").evaluate(beyond) <= 0


def received(download) -> io.BytesIO:
    return io.BytesIO(Path(download.value.path()).read_bytes())


def heard(page: Page) -> str:
    return page.inner_text("#notices")


# --- the whole way -----------------------------------------------------------------------------------------------


@pytest.mark.rows("NK011", "NK012")
def test_an_analyst_goes_from_the_drop_to_the_undo(page, site, work, tmp_path):
    sign_in(page, site)
    drop(page, site, delivered(tmp_path))
    arrived(page)
    # 1 and 2: what it holds, and how it is read
    expect(page.locator(".layer")).to_contain_text("宗地")
    expect(page.locator(".layer")).to_contain_text("16")
    expect(page.locator("#verdict-encoding [data-badge] .mark")).to_have_class(re.compile("mark-(sure|likely)"))
    expect(page.locator("#verdict-encoding [data-samples]")).to_contain_text("天津市第一机床总厂")
    expect(page.locator("#verdict-crs [data-badge] .mark")).to_have_class(re.compile("mark-(likely|ask)"))
    expect(page.locator("#verdict-crs [data-evidence]")).to_contain_text("prj")
    # Without the identifier nothing can be tried, and the page says so.
    expect(page.locator("#preview-start")).to_be_disabled()
    expect(page.locator("#preview-reasons")).to_contain_text("宗地代码")
    # 3: the fields are mapped, and the mapping kept for next time
    page.select_option("#ask-profile", "zd")
    page.select_option("#ask-crs", "EPSG:4527")
    map_fields(page)
    expect(page.locator("tr:has(#map-ZL)")).to_contain_text("南开区长江道1号")
    expect(page.locator("#mapping-extra")).to_contain_text("<b>x</b>")
    page.fill("#template-name", "机床厂")
    page.click("#mapping-save button:not([type])")
    expect(page.locator("#mapping-kept")).to_contain_text("机床厂")
    expect(page.locator("#preview-start")).to_be_enabled()
    # 4 and 5: the dry run, and what it says
    dry_run(page)
    assert asked(site, "SELECT count(*) FROM units_parcel") == 0
    assert asked(site, "SELECT count(*) FROM units_delivery") == 0
    sum_ = page.inner_text("#sum")
    assert re.findall(r"\d+", sum_) == ["16", "14", "2"]
    groups = page.locator(".group[data-code]")
    assert {one.get_attribute("data-code") for one in groups.all()} >= {
        "4-invalid-shape",
        "3-key-duplicate",
        "3-area-differs",
    }
    page.wait_for_selector("#map[aria-busy=false]")
    # A kind of problem leaves its rows; a row shows what is wrong with it, on the map and in words.
    page.click(".group[data-code='4-invalid-shape'] .group-pick")
    expect(page.locator("#rows .row")).to_have_count(1)
    page.click("#rows .row-open")
    expect(page.locator(".row-problems li")).not_to_have_count(0)
    assert axe_faults(page) == []
    page.click("#rows-clear")
    expect(page.locator("#rows .row")).to_have_count(16)
    page.click("#rows .row:nth-child(1) .row-open")
    # The row is in the middle of the map now; a click there leads back to it.
    page.wait_for_timeout(300)
    page.wait_for_selector("#map[aria-busy=false]")
    page.locator("#map").click()
    expect(page.locator("#rows .row")).to_have_count(1)
    expect(page.locator("#rows .row .row-open")).to_have_text("1")
    page.click("#rows-clear")
    page.locator("#legend-kinds input").first.uncheck()
    page.locator("#legend-kinds input").first.check()
    with page.expect_download() as download:
        page.click("#problems-workbook")
    sheet = openpyxl.load_workbook(received(download)).active
    assert sheet.max_row > 3
    fits(page)
    # A changed setting makes the dry run stale; put back, it holds again.
    page.check("#replace")
    expect(page.locator("#confirm")).to_be_disabled()
    page.uncheck("#replace")
    expect(page.locator("#confirm")).to_be_enabled()
    # 6: the import, and its report
    confirm(page)
    number = imported(page)
    assert asked(site, "SELECT count(*) FROM units_parcel") == 14
    report(page)
    assert page.url.endswith(f"/import/deliveries/{number}/")
    assert re.findall(r"\d+", page.inner_text("#sum")) == ["16", "14", "2"]
    expect(page.locator("#report-facts")).to_contain_text("CODE → ZDDM")
    with page.expect_download() as download:
        page.click("#faults")
    book = openpyxl.load_workbook(received(download))
    told = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert any("120104001001GB00504" in str(cell) for cell in told)
    with page.expect_download() as download:
        page.click("#refused")
    with zipfile.ZipFile(received(download)) as archive:
        assert {Path(one).suffix for one in archive.namelist()} >= {".shp", ".shx", ".dbf"}
    # the bow-tie waits for consent, with a picture of before and after
    repair = page.locator(".repair").first
    expect(repair.locator("img")).to_have_js_property("complete", True)
    repair.locator("img").scroll_into_view_if_needed()
    expect.soft(repair.locator("img")).not_to_have_js_property("naturalWidth", 0)
    repair.locator("input").check()
    page.click("#accept-chosen")
    expect(page.locator("[data-notice=retaken]")).to_be_visible(timeout=PATIENCE)
    assert asked(site, "SELECT count(*) FROM units_parcel") == 15
    # The second delivery rests on the first: it goes back first, then the first one.
    page.click("[data-notice=retaken] a")
    for left in (14, 0):
        page.wait_for_selector("html[data-ready]")
        page.click("#undo")
        expect(page.locator("#undo-no")).to_be_focused()
        page.click("#undo-yes")
        expect(page.locator("[data-notice=undone]")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#undo-part")).to_be_hidden()
        assert asked(site, "SELECT count(*) FROM units_parcel") == left
        page.goto(f"{site.base_url}/import/deliveries/{number}/")
    fits(page)


def drop(page: Page, site, path: Path):
    """Let a file fall on the page, as a hand does."""
    page.goto(f"{site.base_url}/import/")
    page.wait_for_selector("html[data-ready]")
    page.fill("#survey", "2023")
    data = page.evaluate_handle(
        """([name, bytes]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], name));
            return carried;
        }""",
        [path.name, list(path.read_bytes())],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#drop-zone", event, {"dataTransfer": data})


def test_a_mapping_that_was_kept_is_offered_and_all_of_it_goes_by_the_keyboard(new_page, site, work, tmp_path):
    page = new_page(width=820, height=1180, locale="en")
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": site.base_url}])
    sign_in(page, site)
    keep_mapping(page, site)
    page.focus("#survey")
    page.keyboard.press("Control+A")
    page.keyboard.type("2024")
    page.keyboard.press("Tab")
    expect(page.locator("#files")).to_be_focused()
    page.wait_for_timeout(300)  # a browser under load has not always seen the focus when it hears the key
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(str(delivered(tmp_path, first=601, rows=4, faults=False)))
    arrived(page)
    page.focus("#ask-profile")
    choose_by_keys(page, "zd")
    page.focus("#ask-crs")
    choose_by_keys(page, "EPSG:4527")
    page.focus("#template-use")
    page.keyboard.press("Enter")
    assert {field: page.input_value(f"#map-{field}") for field in MAPPED} == MAPPED
    page.focus("#preview-start")
    page.keyboard.press("Enter")
    previewed(page)
    expect(page.locator("#step-result-title")).to_be_focused()  # who waited is led to the result
    page.wait_for_selector("#rows[aria-busy=false] tr")
    page.focus("#rows .row-open")
    page.keyboard.press("Enter")
    expect(page.locator("#rows .row-open").first).to_have_attribute("aria-expanded", "true")
    fits(page)
    page.focus("#confirm")
    page.wait_for_timeout(900)
    page.keyboard.press("Enter")
    imported(page)
    expect(page.locator("#imported p").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#undo", timeout=PATIENCE)
    page.wait_for_selector("html[data-ready]")
    page.focus("#undo")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")  # the question begins at “No”
    page.keyboard.press("Enter")
    expect(page.locator("[data-notice=undone]")).to_be_visible(timeout=PATIENCE)
    fits(page)


def keep_mapping(page: Page, site):
    """A mapping as the page keeps it, for who has not walked the first test."""
    body = {
        "name": "kept",
        "district": "120104",
        "columns": [name for name, *_rest in FIELDS],
        "mapping": {"profile": "zd", "kind": "", "fields": MAPPED, "values": {}, "constants": {}},
    }
    token = next(one["value"] for one in page.context.cookies() if one["name"] == "csrftoken")
    answer = page.request.post(
        f"{site.base_url}/import/mappings.json",
        data=body,
        headers={"X-CSRFToken": token, "Referer": f"{site.base_url}/import/"},
    )
    assert answer.status == 201, answer.text()


def choose_by_keys(page: Page, value: str):
    """Go down a focused list until the value is chosen."""
    for _press in range(60):
        if page.evaluate("document.activeElement.value") == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{value} cannot be reached by the arrow keys")


# --- what is refused before it is sent --------------------------------------------------------


def test_what_cannot_be_sent_is_told_first_and_what_broke_off_is_sent_again(page, site, tmp_path, allowed_errors):
    allowed_errors.append("ERR_FAILED|ERR_CONNECTION")
    sign_in(page, site)
    for name, content in (("empty.zip", b""), ("old.mdb", b"Standard Jet DB"), ("lone.shp", b"x")):
        page.set_input_files("#files", [{"name": name, "mimeType": "application/octet-stream", "buffer": content}])
        expect(page.locator("#drop-notices")).to_contain_text(name)
    assert page.url.endswith("/import/")
    assert asked(site, "SELECT count(*) FROM importers_intake WHERE files::text LIKE '%lone%'") == 0
    # a year that is in force
    with psycopg.connect(site.database_url) as connection:
        connection.execute(
            """INSERT INTO units_survey (district_id, year, state, created_at, activated_at)
               VALUES ('120104', 2019, 'in_force', now(), now()) ON CONFLICT DO NOTHING"""
        )
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.fill("#survey", "2019")
    expect(page.locator("#survey-told")).to_have_class(re.compile("bad"))
    page.set_input_files("#files", [str(delivered(tmp_path))])
    expect(page.locator("#drop-notices")).to_contain_text("2019")
    assert page.url.endswith("/import/")
    # an upload that breaks off is sent again without choosing it anew
    page.fill("#survey", "2028")
    page.route("**/import/", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    page.set_input_files("#files", [str(delivered(tmp_path))])
    expect(page.locator("#drop-notices [data-notice=unreached]")).to_be_visible()
    expect(page.locator("#drop-zone")).to_be_visible()
    page.unroute("**/import/")
    page.click("#drop-notices button")
    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"), timeout=PATIENCE)


@pytest.mark.rows("NK011")
def test_an_empty_layer_and_a_register_of_others_say_so_before_the_dry_run(page, site, work, tmp_path):
    sign_in(page, site)
    empty = shapefile(tmp_path / "empty", "宗地", rows=[], shapes=[], fields=PARCEL_FIELDS, crs=4527)
    upload(page, site, zipped(tmp_path / "空.zip", parts(empty)), year=2029)
    expect(page.locator("#preview-start")).to_be_disabled()
    expect(page.locator("#preview-reasons")).to_contain_text("图层为空")
    firms = tmp_path / "企业.csv"
    firms.write_text("统一社会信用代码,企业名称\n91120104MA00000001,示例厂\n", encoding="utf-8")
    upload(page, site, firms, year=2029)
    expect(page.locator("#preview-start")).to_be_disabled()
    expect(page.locator("#preview-reasons")).to_contain_text("“企业”")
    assert asked(site, "SELECT count(*) FROM importers_intake WHERE state = 'failed'") == 0


# --- jobs that outlive the page ----------------------------------------------------------------------------------


@contextlib.contextmanager
def held(site, year: int):
    """Hold the survey of a year back, so that an import of it waits in the middle."""
    with psycopg.connect(site.database_url) as connection:
        connection.execute("SELECT FROM units_survey WHERE year = %s FOR UPDATE", [year])
        yield


def begun(site):
    until = time.monotonic() + PATIENCE / 1000
    question = "SELECT count(*) FROM importers_intakelayer WHERE state = 'importing' AND begun_at IS NOT NULL"
    while not asked(site, question):
        assert time.monotonic() < until, "no worker took it up"
        time.sleep(0.05)


def test_a_job_survives_the_page_and_one_that_dies_is_told_and_begun_again(page, site, work, tmp_path, allowed_errors):
    with psycopg.connect(site.database_url) as connection:
        connection.execute(
            """INSERT INTO units_survey (district_id, year, state, created_at)
               VALUES ('120104', 2026, 'loaded', now()) ON CONFLICT DO NOTHING"""
        )
    allowed_errors.append("409")  # what a second window asks of a layer that is imported
    sign_in(page, site)
    upload(page, site, delivered(tmp_path, first=801, rows=6, faults=False), year=2026)
    page.select_option("#ask-profile", "zd")
    page.select_option("#ask-crs", "EPSG:4527")
    map_fields(page)
    dry_run(page)
    with held(site, 2026):
        confirm(page)
        begun(site)
        page.reload()  # in the middle of it: the page finds the job again
        expect(page.locator("#step-confirm [data-job]")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#step-verdicts select").first).to_be_disabled()
        work.kill()
        expect(page.locator(".failure")).to_be_visible(timeout=PATIENCE)
    assert (
        asked(site, "SELECT count(*) FROM units_delivery d JOIN units_survey s ON s.id = survey_id WHERE year = 2026")
        == 0
    )
    work.start()
    other = page.context.new_page()  # the same upload in another window, which does not look any more
    other.goto(page.url)
    expect(other.locator("#confirm")).to_be_enabled(timeout=PATIENCE)
    confirm(page)
    imported(page)
    other.click("#confirm")
    expect(other.locator("#imported")).to_be_visible(timeout=PATIENCE)
    expect(other.locator("#notices .notice")).to_have_count(0)
    other.close()
    assert (
        asked(site, "SELECT count(*) FROM units_parcel p JOIN units_survey s ON s.id = survey_id WHERE year = 2026")
        == 6
    )
    # The same file again: it says that it came before, and writes nothing.
    upload(page, site, delivered(tmp_path, first=801, rows=6, faults=False), year=2026)
    expect(page.locator("#earlier a")).to_contain_text("2026")
    page.select_option("#ask-profile", "zd")
    page.select_option("#ask-crs", "EPSG:4527")
    expect(page.locator("#verdict-crs [data-badge] .mark")).to_have_class(re.compile("mark-given"))
    map_fields(page)
    page.click("#preview-start")
    previewed(page)
    expect(page.locator("#confirm")).to_be_disabled()


def test_who_is_signed_out_meanwhile_keeps_the_page_and_names_that_are_code_are_text(
    page, site, work, tmp_path, allowed_errors
):
    allowed_errors.append(r"401|403")
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    sign_in(page, site)
    hostile = "a<img src=x onerror=alert(1)>.zip"
    path = delivered(tmp_path, name=hostile, first=701, layer="宗地<script>alert(2)<", faults=False, rows=6)
    upload(page, site, path, year=2025)
    expect(page.locator("#title")).to_contain_text("onerror")
    expect(page.locator(".layer")).to_contain_text("<script>alert(2)")
    page.select_option("#ask-profile", "zd")
    page.select_option("#ask-crs", "EPSG:4527")
    map_fields(page)
    page.select_option("#map-QLR", "HOLDER")
    expect(page.locator("tr:has(#map-QLR)")).to_contain_text(HOSTILE)
    page.context.clear_cookies(name="sessionid")
    page.click("#preview-start")
    expect(page.locator("#notices a")).to_have_attribute("target", "_blank")
    assert {field: page.input_value(f"#map-{field}") for field in MAPPED} == MAPPED
    with page.context.expect_page() as opened:
        page.click("#notices a")
    other = opened.value
    other.fill("#id_username", ANALYST)
    other.fill("#id_password", PASSWORD)
    other.click("main form button")
    other.wait_for_selector("#step-file", state="attached")
    other.close()
    page.click("#notices button")
    expect(page.locator("#notices .notice")).to_have_count(0)
    assert {field: page.input_value(f"#map-{field}") for field in MAPPED} == MAPPED
    dry_run(page)
    page.goto(f"{site.base_url}/import/")
    expect(page.locator(".intake").first).to_contain_text("onerror")
    assert page.locator("main img, main script:not([type])").count() == 0
    assert dialogs == []
