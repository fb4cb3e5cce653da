"""Two people at one unit, and a server that dies: all see who else is at it, and nothing that was done is lost."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT, Site
from tests.journeys.looking import axe_faults
from tests.journeys.test_composing import (
    PATIENCE,
    a_block,
    answered,
    candidates,
    click_at,
    confirm_all,
    draw_and_save,
    look_at,
    on_screen,
    rows,
    save,
    settled,
    sign_in,
    stored,
)

OFFICE, ANALYST = "专班办公室", "数据分析员"  # what the two are called
EDITING = re.compile(f"{OFFICE} ?(正在编辑|is editing)")
KEPT = "SELECT key, version, content ->> 'name' FROM units_keptdraft ORDER BY id"
LONGEST = 20  # seconds until a silent server is asked again, and a little


def drag(page: Page, corner: tuple[float, float], by: tuple[float, float]) -> None:
    """Take a corner of the drawing some pixels away, free of what lies there."""
    across, down = on_screen(page, *corner)
    page.mouse.move(across, down)
    page.mouse.down()
    page.mouse.move(across + by[0], down + by[1], steps=5)
    page.mouse.up()
    answered(page)


def within(seconds: float, question, wanted) -> None:
    """Ask again until the answer is as wanted."""
    end = time.monotonic() + seconds
    while (answer := question()) != wanted:
        assert time.monotonic() < end, f"{answer} is not {wanted}"
        time.sleep(0.2)


# --- two people --------------------------------------------------------------------------------------------------


def test_the_second_of_two_who_edit_one_unit_sees_what_it_was_his_and_theirs_and_nothing_is_lost(
    demo_site, new_page, allowed_errors
):
    allowed_errors.append(r"409|Conflict")
    _code, corners = a_block(demo_site, "p.code > '120104005'")
    mine, theirs = new_page(), new_page()
    sign_in(mine, demo_site)
    draw_and_save(mine, corners, "两人同改")
    code = stored(demo_site, "两人同改")["code"]
    mine.click("[data-does=unitEdit]")
    answered(mine)

    # Who edits is told to others: on the map, in the unit's panel, and to whoever edits it too. Nobody is stopped.
    sign_in(theirs, demo_site, "analyst")
    theirs.goto("about:blank")
    theirs.goto(f"{demo_site.base_url}/#&unit={code}")
    expect(theirs.locator(".lease-label").filter(has_text=OFFICE)).to_be_visible(timeout=PATIENCE)
    expect(theirs.locator("#unit-lease")).to_contain_text(EDITING)
    theirs.click("[data-does=unitEdit]")
    answered(theirs)
    expect(theirs.locator("#compose-lease")).to_contain_text(EDITING, timeout=PATIENCE)

    # They move one corner and call it otherwise; I move another, and call it otherwise too.
    drag(theirs, corners[0], (-35, 25))
    theirs.fill("#compose-name", "他人先存")
    theirs.click("#compose-save")
    expect(theirs.locator("#unit-body h2")).to_have_text("他人先存", timeout=PATIENCE)
    first = stored(demo_site, "他人先存")
    drag(mine, corners[2], (40, -30))
    mine.fill("#compose-name", "我也改名")
    mine.click("#compose-save")

    # All three are there: outlines told apart by line and hatch, and a table with a choice for each field.
    notice = mine.locator("[data-notice=conflict]")
    expect(notice.locator("h3")).to_be_focused(timeout=PATIENCE)
    expect(notice.locator("h3")).to_contain_text(ANALYST)
    looks = {
        side: (
            mine.locator(f"path.three-{side}").first.get_attribute("stroke-dasharray"),
            mine.locator(f"path.three-{side}").first.get_attribute("fill"),
        )
        for side in ("base", "mine", "theirs")
    }
    assert len(set(looks.values())) == 3
    assert (looks["mine"][1], looks["theirs"][1]) == ("url(#hatch-mine)", "url(#hatch-theirs)")
    cells = notice.locator("tbody tr").all_inner_texts()
    assert len(cells) == 2
    assert [part.strip() for part in cells[0].split("\t")][1:] == ["两人同改", "我也改名", "他人先存"]
    areas = {re.sub(r"[^\d]", "", part) for part in cells[1].split("\t")[1:]}
    assert len(areas) == 3
    assert axe_faults(mine) == []

    # Both have changed both fields, so nothing is chosen beforehand, and nothing is saved before it is.
    assert notice.locator("input:checked").count() == 0
    notice.locator("[data-does=threeSave]").click()
    expect(notice.locator("input[name=three-name]").first).to_be_focused()
    assert stored(demo_site, "他人先存")["version"] == first["version"]
    notice.locator("input[name=three-name][value=theirs]").check()
    notice.locator("input[name=three-shape][value=mine]").check()
    notice.locator("[data-does=threeSave]").click()
    expect(mine.locator("#unit-body h2")).to_have_text("他人先存", timeout=PATIENCE)
    assert mine.locator("path.three").count() == 0
    unit = stored(demo_site, "他人先存")
    assert (unit["code"], unit["version"]) == (code, first["version"] + 1)
    assert sum(corner in corners for corner in unit["corners"]) == 3
    assert corners[0] in unit["corners"]  # mine, where they had moved it
    kept = rows(
        demo_site,
        """SELECT version, name, ST_Equals(geom, (SELECT geom FROM units_redevelopmentunit WHERE code = %(code)s))
           FROM units_redevelopmentunitevent WHERE code = %(code)s ORDER BY version""",
        code=code,
    )
    assert [(version, name, same) for version, name, same in kept][-3:] == [
        (first["version"] - 1, "两人同改", False),
        (first["version"], "他人先存", False),
        (first["version"] + 1, "他人先存", True),
    ]

    # The other way round, to go on with: theirs is a step, and undo brings mine back on top of it.
    for page in (mine, theirs):
        page.goto("about:blank")
        page.goto(f"{demo_site.base_url}/#&unit={code}")
        settled(page)
        page.click("[data-does=unitEdit]")
        answered(page)
    theirs.fill("#compose-name", "又改了名")
    theirs.click("#compose-save")
    expect(theirs.locator("#unit-body h2")).to_have_text("又改了名", timeout=PATIENCE)
    drag(mine, corners[1], (30, 30))
    mine.click("#compose-save")
    expect(notice).to_be_visible(timeout=PATIENCE)
    # They changed the name alone, and I the shape alone: each is chosen as it was changed.
    assert [one.get_attribute("value") for one in notice.locator("input:checked").all()] == ["theirs", "mine"]
    notice.locator("[data-does=threeGoOn]").click()
    expect(mine.locator("#compose-name")).to_have_value("又改了名")
    save(mine, "又改了名")
    assert sum(corner in corners for corner in stored(demo_site, "又改了名")["corners"]) == 2
    expect(mine.locator("#unit-lease")).to_be_hidden()  # nobody is at it any more


# --- a server that dies ------------------------------------------------------------------------------------------


def killed(site: Site) -> dict:
    """Kill the server and its workers as a power cut would; what it takes to start the same again."""
    process = Path(f"/proc/{site.process.pid}")
    environ = dict(one.split("=", 1) for one in (process / "environ").read_text().split("\0") if one)
    workers = (process / "task" / str(site.process.pid) / "children").read_text().split()
    for number in (site.process.pid, *map(int, workers)):
        os.kill(number, signal.SIGKILL)
    site.process.wait()
    return environ


def started_again(site: Site, environ: dict) -> None:
    """The same server on the same port, with the same secret: who was signed in still is."""
    command = [part if not part.startswith("fd://") else urlsplit(site.base_url).netloc for part in site.process.args]
    with site.log.open("ab") as log:
        site.process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    site.wait()


@pytest.mark.rows("NK024")
def test_the_server_is_killed_while_somebody_draws_and_the_draft_is_offered_again_here_and_elsewhere(
    demo_site, new_page, allowed_errors
):
    allowed_errors.append(r"ERR_CONNECTION|ERR_EMPTY|ERR_SOCKET|Failed to load resource")
    page = new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    five = candidates(demo_site)
    sign_in(page, demo_site)
    look_at(page, five[0][1], five[0][2], 17)
    page.click("#compose-open")
    click_at(page, five[0][1], five[0][2])
    expect(page.locator("#compose-chosen li")).to_have_count(1)
    page.fill("#compose-name", "断电之前")
    answered(page)
    within(LONGEST, lambda: [name for _key, _version, name in rows(demo_site, KEPT)], ["断电之前"])

    # Dead while somebody draws: it goes on in the browser, and says so; the work reaches the server when it is back.
    environ = killed(demo_site)
    page.fill("#compose-name", "断电之中")
    expect(page.locator("[data-notice=kept]")).to_contain_text(re.compile("服务器|server"), timeout=PATIENCE)
    started_again(demo_site, environ)
    within(LONGEST, lambda: [name for _key, _version, name in rows(demo_site, KEPT)], ["断电之中"])
    expect(page.locator("[data-notice=kept]")).to_have_count(0)

    # Dead again, and the window goes with it: the browser offers what the server never heard of.
    environ = killed(demo_site)
    page.fill("#compose-name", "断电之后")
    page.wait_for_timeout(100)
    page.goto("about:blank")
    started_again(demo_site, environ)
    page.goto(demo_site.base_url)
    settled(page)
    expect(page.locator("#compose-resume")).to_contain_text("断电之后")
    expect(page.locator("#compose-resume")).to_contain_text(
        re.compile("本浏览器中的较新|browser's copy is newer"), timeout=PATIENCE
    )
    page.click("[data-resume]")
    expect(page.locator("#compose-name")).to_have_value("断电之后")
    expect(page.locator("#compose-chosen li")).to_have_attribute("data-code", five[0][0])
    within(LONGEST, lambda: [name for _key, _version, name in rows(demo_site, KEPT)], ["断电之后"])

    # On another computer the server's copy is offered, and saved there it is offered nowhere any more.
    page.goto("about:blank")
    elsewhere = new_page()
    sign_in(elsewhere, demo_site)
    expect(elsewhere.locator("#compose-resume")).to_contain_text(re.compile("服务器|on the server"), timeout=PATIENCE)
    elsewhere.click("[data-resume]")
    expect(elsewhere.locator("#compose-name")).to_have_value("断电之后")
    answered(elsewhere)
    confirm_all(elsewhere)
    save(elsewhere, "断电之后")
    assert stored(demo_site, "断电之后")["members"] == [five[0][0]]
    within(LONGEST, lambda: rows(demo_site, KEPT), [])
