"""Time the map in a headless Chromium over a drawn district: panning, zooming, memory, first parcels, snapping.

Nothing is compared here: the aims are those of a map that feels like paper. The browser draws without a graphics
card, on the processor that the site and the database use too.
"""

import argparse
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import django
from playwright.sync_api import sync_playwright

from tests.conftest import BROWSER_ARGUMENTS, ROOT, chromium

AIMS = {"pan_fps": 55, "zoom_fps": 50, "heap_mb": 200, "snap_p95_ms": 16}
DISTRICT, YEAR, CRITERIA = "120104", 2022, "nankai-2024"
WIDE, HIGH = 1440, 900
SERVER_SECONDS = 60
PATIENCE = 120_000  # milliseconds
MOVES = 150  # of the mouse in one sweep
PACE = 1 / 60  # seconds between two of them: a hand's mouse reports faster, a screen shows no more
# Every callback of an animation frame is timed, as what a mouse move costs is paid there in part.
WATCH = """(() => {
    const ask = window.requestAnimationFrame.bind(window);
    window.spent = 0;
    window.requestAnimationFrame = (job) => ask((when) => {
        const before = performance.now();
        try { job(when); } finally { window.spent += performance.now() - before; }
    });
    window.watchFrames = () => {
        const seen = [];
        let on = true;
        const look = (when) => { seen.push(when); if (on) ask(look); };
        ask(look);
        window.framesSeen = () => { on = false; return seen; };
    };
})();"""
# Whether parcels are painted in the window: enough pixels of more colours than paper has.
PAINTED = """() => {
    const copy = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
    const brush = copy.getContext('2d', {willReadFrequently: true});
    const seen = new Set();
    for (const tile of document.querySelectorAll('#map canvas')) {
        if (!tile.width) continue;
        brush.clearRect(0, 0, 64, 64);
        brush.drawImage(tile, 0, 0, 64, 64);
        const data = brush.getImageData(0, 0, 64, 64).data;
        for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] > 200) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
        }
    }
    return seen.size > 8 && performance.now();
}"""
# One move of the mouse over the map: milliseconds of the page's own work, the next frame's included.
MOVE = """async ([x, y]) => {
    const map = document.querySelector('#map');
    window.spent = 0;
    const event = new MouseEvent('mousemove', {bubbles: true, cancelable: true, clientX: x, clientY: y, view: window});
    const before = performance.now();
    (document.elementFromPoint(x, y) ?? map).dispatchEvent(event);
    const now = performance.now() - before;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return now + window.spent;
}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parcels", type=int, default=120_000, help="of the drawn district, three patches for each")
    parser.add_argument("--deliveries", type=Path, help="a drawn district's deliveries, so that none is drawn")
    parser.add_argument("--unflagged", action="store_true", help="judge nothing: the map has no candidates")
    parser.add_argument("--sweeps", type=int, default=4, help="of the mouse at each zoom")
    options = parser.parse_args()
    os.environ["GEOINV_DEBUG"] = ""  # as it is served
    os.environ["GEOINV_SECRET_KEY"] = secrets.token_urlsafe(50)
    os.environ["DATABASE_URL"] = os.environ["GEOINV_BENCH_URL"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "geoinv.settings"
    with tempfile.TemporaryDirectory(prefix="geoinv-bench-") as scratch:
        os.environ["GEOINV_DELIVERIES_DIR"] = str(Path(scratch) / "kept")
        django.setup()
        result = loaded(options, Path(scratch))
        cookie, middle, corner = prepared()
        with served(Path(scratch) / "site.log") as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER_ARGUMENTS)
            try:
                result |= {"aims": AIMS, **measured(browser, address, cookie, middle, corner, options.sweeps)}
            finally:
                browser.close()
    print(json.dumps(result, indent=1))


def loaded(options, scratch: Path) -> dict:
    """Take the cover and the parcels of a drawn district in, and judge them."""
    from fixtures.demo import make_demo
    from importers.loading import load
    from units.activating import activate
    from units.flagging import flag
    from units.founding import found
    from units.models import LandUsePatch, Parcel

    folder = options.deliveries
    if folder is None:
        make_demo(options.parcels, scratch / "demo")
        folder = scratch / "demo" / "deliveries"
    found(DISTRICT)
    for name, pattern in (("dltb", f"{DISTRICT}*.zip"), ("zd", "宗地.zip")):
        told = load(next(folder.glob(pattern)), name, DISTRICT, YEAR, layer={"dltb": "DLTB", "zd": "ZD"}[name])
        print(f"took {told['taken']} rows of {name} in {told['seconds']} s", file=sys.stderr)
    activate(DISTRICT, YEAR)
    if not options.unflagged:
        told = flag(DISTRICT, CRITERIA)
        print(f"judged {told['subjects']} subjects in {told['seconds']} s", file=sys.stderr)
    return {"parcels": Parcel.objects.count(), "patches": LandUsePatch.objects.count()}


def prepared() -> tuple[str, tuple[float, float], tuple[float, float]]:
    """The session of a planner, the middle of the district, and a corner of a parcel near it, each (lng, lat)."""
    from django.contrib.auth.models import Group
    from django.db import connection
    from django.test import Client

    from units.models import Scope, User
    from units.rights import Role

    user = User.objects.create(username="bench-office")
    group, _new = Group.objects.get_or_create(name=Role.OFFICE.value)
    Scope.objects.create(user=user, group=group, district_id=DISTRICT)
    client = Client()
    client.force_login(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_Centroid(ST_Extent(geom)) AS c FROM units_parcel) AS m")
        middle = cursor.fetchone()
        cursor.execute(
            "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointN(ST_ExteriorRing(ST_GeometryN(geom, 1)), 1) AS p"
            " FROM units_parcel ORDER BY geom <-> ST_SetSRID(ST_MakePoint(%s, %s), 4490) LIMIT 1) AS n",
            middle,
        )
        corner = cursor.fetchone()
    connection.close()
    return client.cookies["sessionid"].value, middle, corner


class served:
    """The site as it runs: gunicorn on a free port of the loopback."""

    def __init__(self, log: Path):
        self.log = log

    def __enter__(self) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "gunicorn", "geoinv.wsgi", "--bind", f"fd://{listener.fileno()}"]
        command += ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        listener.close()
        until = time.monotonic() + SERVER_SECONDS
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=SERVER_SECONDS):
                    return address
            except urllib.error.HTTPError:
                return address
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"The site did not start:\n{self.log.read_text(errors='replace')[-2000:]}")

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait(10)


def measured(browser, address: str, cookie: str, middle, corner, sweeps: int) -> dict:
    found = {}
    for zoom in (12, 14):
        page, first = opened(browser, address, cookie, middle, zoom)
        found[f"first_painted_z{zoom}_ms"] = round(first)
        settled(page)
        found[f"heap_z{zoom}_mb"] = heap(page)
        found[f"pan_z{zoom}"] = [panned(page, turn) for turn in range(sweeps)]
        settled(page)
        if zoom == 14:
            found["zoom_z14"] = [zoomed(page, key) for key in ("+", "-", "-", "+")]
            settled(page)
        found[f"heap_after_z{zoom}_mb"] = heap(page)
        page.context.close()
    page, _first = opened(browser, address, cookie, corner, 17)
    settled(page)
    found["snap"] = snapped(page)
    page.context.close()
    pans = {zoom: [one["fps"] for one in found[f"pan_z{zoom}"]] for zoom in (12, 14)}
    found["summary"] = {
        **{f"pan_z{zoom}_fps": round(statistics.median(rates), 1) for zoom, rates in pans.items()},
        "zoom_z14_fps": round(statistics.median(one["fps"] for one in found["zoom_z14"]), 1),
        "heap_mb": max(found["heap_after_z12_mb"], found["heap_after_z14_mb"]),
        "snap_p95_ms": found["snap"]["p95_ms"],
    }
    return found


def opened(browser, address: str, cookie: str, place, zoom: int):
    """A page of its own, with nothing kept, and the milliseconds until parcels are painted."""
    context = browser.new_context(viewport={"width": WIDE, "height": HIGH}, locale="zh-CN")
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(WATCH)
    lng, lat = place
    page.goto(f"{address}/#{zoom}/{lat:.6f}/{lng:.6f}")
    return page, page.wait_for_function(PAINTED, polling=50).json_value()


def settled(page) -> None:
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(300)
    page.wait_for_selector("#map[aria-busy=false]")
    page.wait_for_timeout(300)


def heap(page) -> float:
    """What scripts hold after a collection, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return round(metrics["JSHeapUsedSize"] / 1e6, 1)


def panned(page, turn: int) -> dict:
    """Drag the map over a third of its window and back, at the pace of a hand."""
    box = page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    across, down = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn % 4]
    reach = 0.33 * (box["width"] if across else box["height"])
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("watchFrames()")
    began = time.perf_counter()
    for step in range(1, MOVES + 1):
        part = reach * (1 - abs(1 - 2 * step / MOVES))
        page.mouse.move(x + across * part, y + down * part)
        time.sleep(max(0.0, began + step * PACE - time.perf_counter()))
    page.mouse.up()
    return frames(page)


def zoomed(page, key: str) -> dict:
    """One step of the zoom with its animation, and what is painted after it."""
    page.locator("#map").focus()
    page.evaluate("watchFrames()")
    page.keyboard.press(key)
    page.wait_for_timeout(900)
    told = frames(page)
    settled(page)
    return told


def frames(page) -> dict:
    seen = page.evaluate("framesSeen()")
    gaps = sorted(after - before for before, after in zip(seen, seen[1:], strict=False))
    return {
        "fps": round(1000 * len(gaps) / (seen[-1] - seen[0]), 1),
        "p95_ms": round(gaps[int(0.95 * (len(gaps) - 1))], 1),
        "worst_ms": round(gaps[-1], 1),
    }


def snapped(page) -> dict:
    """What a move of the mouse costs while one draws and corners and edges of parcels draw the pointer."""
    page.click("#compose-open")
    page.click("#compose-view [data-tool=draw]")
    page.wait_for_selector("#map[data-outlines=ready]")
    box = page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.mouse.click(x + 60, y + 20)  # a ring that grows, so that its rubber band is drawn too
    times = []
    for step in range(400):
        at = [x + 300 * ((step * 37) % 100 / 100 - 0.5), y + 300 * ((step * 53) % 100 / 100 - 0.5)]
        times.append(page.evaluate(MOVE, at))
    times.sort()
    return {
        "moves": len(times),
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(times[int(0.95 * (len(times) - 1))], 2),
        "worst_ms": round(times[-1], 2),
    }


if __name__ == "__main__":
    main()
