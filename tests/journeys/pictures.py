"""Take pictures of the pages in both languages and two window sizes, to be looked at by people.

python tests/journeys/pictures.py http://127.0.0.1:8000 FOLDER --password … [--only zh-1440] [--stop card]
python tests/journeys/pictures.py http://127.0.0.1:8000 fixtures/pictures --password … --readme

A picture is one function below, marked with @stop: it brings the page to where it is worth a look. Add yours in the
order of a working day. Those of the import page need a worker beside the site (script/run starts one).
"""

import argparse
import math
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

SIZES = ((1440, 900), (820, 1180))
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
LANGUAGE_COOKIE = {"zh": "zh-hans", "en": "en"}
STREET, PARCEL = "#15/39.10400/117.15000", "#17/39.10400/117.15000"  # two places of the demo district

# The pictures of the README, taken in Chinese at the larger size: stop → file.
README = {
    "map-street": "map",
    "card-candidate": "card",
    "compose-conflict": "compose",
    "whatif": "whatif",
    "form": "form",
    "criteria-set": "criteria",
    "statistics": "statistics",
    "import-result": "import",
    "findings": "findings",
}
ON_THE_WAY = ("import", "import-verdicts")  # no pictures of the README, but the next stop begins where they end
QUALITY = 72  # of a JPEG, per cent

STOPS: list[tuple[str, str, Callable[[Page, str], None]]] = []


def stop(name: str, user: str = "office", whole: bool = False):
    """Mark a function as a stop: `user` is who has signed in ("" for nobody), `whole` pictures the page to its end."""

    def marked(walk):
        STOPS.append((name, user, walk))
        walk.whole = whole
        return walk

    return marked


@stop("anonymous", user="")
def anonymous(page: Page, site: str) -> None:
    page.goto(site + "/")
    settle(page)


@stop("sign-in", user="")
def signing_in(page: Page, site: str) -> None:
    page.goto(site + "/accounts/login/")


@stop("map-district")
def district(page: Page, site: str) -> None:
    look(page, site, "")


@stop("map-street")
def street(page: Page, site: str) -> None:
    look(page, site, STREET)


@stop("map-parcel")
def parcel(page: Page, site: str) -> None:
    look(page, site, PARCEL)


@stop("map-theme")
def theme(page: Page, site: str) -> None:
    look(page, site, "#16/39.10150/117.14450&theme=far:natural:5&show=legacy")
    page.wait_for_selector(".theme-class")
    settle(page)


@stop("map-views")
def saved_views(page: Page, site: str) -> None:
    look(page, site, f"{STREET}&theme=main_class")
    page.click("#tool-views")


@stop("map-print", user="district")
def print_sheet(page: Page, site: str) -> None:
    look(page, site, "#16/39.10150/117.14450&theme=far:natural:5&show=control-areas")
    page.click("#tool-print")
    page.wait_for_selector("html[data-sheet=ready]")


@stop("map-areas-listed")
def areas_listed(page: Page, site: str) -> None:
    look(page, site, f"{STREET}&show=control-areas&list=control-areas")


@stop("map-control-areas")
def control_areas(page: Page, site: str) -> None:
    look(page, site, f"{STREET}&show=control-areas,legacy&hide=buildings")


@stop("legend")
def legend(page: Page, site: str) -> None:
    look(page, site, f"{STREET}&show=control-areas,legacy,findings")
    if page.locator(".legend-open").is_visible():
        page.click(".legend-open")


def card_of(outcome: str):
    def walk(page: Page, site: str) -> None:
        look(page, site, f"#&tab={outcome}")
        page.locator(f".list-row.outcome-{outcome}").nth(1).click()
        page.wait_for_selector("#card .card")
        settle(page)

    return walk


for _outcome in ("candidate", "undecided", "exempted", "excluded", "not_low"):
    stop(f"card-{_outcome}")(card_of(_outcome))


@stop("card-page", whole=True)
def card_page(page: Page, site: str) -> None:
    look(page, site, "")
    page.locator(".list-row").first.click()
    page.wait_for_selector("#card .card")
    page.goto(site + page.get_attribute("#card-page", "href"))


@stop("list-filtered")
def filtered(page: Page, site: str) -> None:
    look(page, site, f"{STREET}&category=industrial&view=1&sort=code")


@stop("findings-layer", user="analyst")
def findings_layer(page: Page, site: str) -> None:
    look(page, site, f"{STREET}&show=findings&list=findings")
    page.locator(".list-row").first.click()
    page.wait_for_selector("#patch-note .note")
    settle(page)


@stop("search-coordinates")
def coordinates(page: Page, site: str) -> None:
    look(page, site, STREET)
    page.fill("#search", "4330060.4 512974.9")
    page.wait_for_selector("#search-found [role=option]")


@stop("measure")
def measuring(page: Page, site: str) -> None:
    look(page, site, PARCEL)
    page.click("#tool-area")
    box = page.locator("#map").bounding_box()
    for dx, dy in ((0.35, 0.55), (0.7, 0.5), (0.75, 0.7), (0.4, 0.75)):
        page.mouse.click(box["x"] + dx * box["width"], box["y"] + dy * box["height"])
    page.wait_for_selector("#measure[data-exact=yes]")


def compose_at(page: Page, site: str, place: tuple[float, float], zoom: int) -> None:
    """The map near a place, in the mode of composing, whatever an earlier stop has left behind."""
    look(page, site, f"#{zoom}/{place[1]}/{place[0]}")
    page.evaluate("localStorage.clear()")
    page.click("#compose-open")


@stop("compose-united")
def united(page: Page, site: str) -> None:
    candidates = page.request.get(f"{site}/map/candidates.json?outcome=candidate").json()["items"]
    west, south, east, north = next(one["box"] for one in candidates if one["kind"] == "parcel")
    compose_at(page, site, ((west + east) / 2, (south + north) / 2), 16)
    page.locator("#compose-inview summary").click()
    page.locator("#compose-inview input").nth(4).wait_for()
    for number in range(5):
        page.locator("#compose-inview input").nth(number).check()
    page.locator("#compose-inview summary").click()
    told(page)


@stop("compose-conflict")
def drawn_over_legacy_land(page: Page, site: str) -> None:
    legacy = page.request.get(f"{site}/ogc/collections/legacy/items?f=json&limit=100").json()["features"]
    corners = [first_corner(one["geometry"]["coordinates"]) for one in legacy]
    middle = [sum(corner[axis] for corner in corners) / len(corners) for axis in (0, 1)]
    compose_at(page, site, min(corners, key=lambda corner: math.dist(corner, middle)), 17)
    page.click("[data-tool=draw]")
    page.wait_for_selector("#map[data-outlines=ready]")
    box = page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for dx, dy in ((-140, -110), (120, -140), (170, 60), (30, 150), (-130, 90)):
        page.mouse.move(x + dx, y + dy)
        page.mouse.click(x + dx, y + dy)
        page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    told(page)


def first_corner(coordinates: list) -> list[float]:
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return coordinates


def told(page: Page) -> None:
    """The server has answered and the map is painted."""
    page.wait_for_timeout(500)
    page.wait_for_selector("#compose-verdict[aria-busy=false]", state="attached")
    page.wait_for_selector("#compose-area .verdict-area")
    page.wait_for_selector("#map[aria-busy=false]")
    page.wait_for_timeout(200)


@stop("unit-page", whole=True)
def unit_page(page: Page, site: str) -> None:
    page.goto(f"{site}/units/120104DY0002/")


@stop("findings")
def findings_page(page: Page, site: str) -> None:
    page.goto(f"{site}/findings/")


@stop("whatif")
def other_values(page: Page, site: str) -> None:
    look(page, site, STREET)
    page.click("#tool-whatif")
    page.fill("#value-far_min", "1.4")
    page.keyboard.press("Tab")
    page.wait_for_timeout(1000)
    page.wait_for_selector("#whatif-sum[aria-busy=false]")
    page.click("#whatif-tab-values")
    page.wait_for_selector("#map[aria-busy=false]")
    page.wait_for_timeout(300)


@stop("compare")
def compared(page: Page, site: str) -> None:
    page.goto(f"{site}/compare/?district=120104&a=nankai-2024&b=nanjing-2019")
    page.wait_for_timeout(2500)


@stop("criteria", whole=True)
def criteria_list(page: Page, site: str) -> None:
    page.goto(f"{site}/criteria/")


@stop("criteria-set")
def criteria_set(page: Page, site: str) -> None:
    page.goto(f"{site}/criteria/nankai-2024/?district=120104")
    page.wait_for_timeout(800)


@stop("campaigns")
def campaign(page: Page, site: str) -> None:
    page.goto(f"{site}/campaigns/")
    page.locator("main a[href^='/campaigns/']").first.click()
    page.wait_for_timeout(500)


@stop("form", user="lead")
def survey_form(page: Page, site: str) -> None:
    """The form of a record that is being filled."""
    page.goto(f"{site}/determinations/?state=filling")
    page.locator("main table a").first.click()
    page.locator("a[href^='/forms/']").first.click()
    page.wait_for_timeout(500)


@stop("determinations")
def records(page: Page, site: str) -> None:
    page.goto(f"{site}/determinations/")


@stop("determination", whole=True)
def record(page: Page, site: str) -> None:
    page.goto(f"{site}/determinations/?state=determined")
    page.locator("main table a").first.click()


@stop("statistics")
def statistics(page: Page, site: str) -> None:
    page.goto(f"{site}/statistics/")


@stop("scores")
def scores(page: Page, site: str) -> None:
    page.goto(f"{site}/statistics/scores/")


@stop("api-docs")
def api_docs(page: Page, site: str) -> None:
    page.goto(f"{site}/api/docs/")
    page.wait_for_timeout(2500)


@stop("findings-waiver")
def waiver_form(page: Page, site: str) -> None:
    page.goto(f"{site}/findings/?layer=parcels")
    page.locator(".finding summary").first.click()


@stop("import", user="analyst")
def import_page(page: Page, site: str) -> None:
    page.goto(f"{site}/import/")
    page.wait_for_selector("html[data-ready]")


@stop("import-verdicts", user="analyst")
def verdicts(page: Page, site: str) -> None:
    """The demo's parcels for a round that is not open yet; the stops below go on with the same upload."""
    page.fill("#survey", "2031")
    page.set_input_files("#files", "fixtures/demo_1500/deliveries/宗地.zip")
    page.wait_for_selector("#step-verdicts:not([hidden])")
    page.wait_for_timeout(800)


@stop("import-mapping", user="analyst")
def mapping(page: Page, site: str) -> None:
    page.locator("#step-mapping h2").evaluate("title => title.scrollIntoView()")
    page.wait_for_timeout(200)


@stop("import-result", user="analyst")
def dry_run(page: Page, site: str) -> None:
    page.click("#preview-start")
    page.wait_for_selector("#step-result:not([hidden])", timeout=120_000)
    page.wait_for_selector("#rows[aria-busy=false] .row")
    page.locator("#step-result").evaluate("step => step.scrollIntoView()")
    painted(page)


@stop("import-row", user="analyst")
def refused_row(page: Page, site: str) -> None:
    page.locator("#kinds [data-kind=refused]").click()
    page.wait_for_selector("#rows[aria-busy=false] .row")
    page.locator("#rows .row-open").nth(1).click()
    page.wait_for_selector(".row-problems[aria-busy=false]")
    page.locator("#rows-part").evaluate("part => part.scrollIntoView()")
    painted(page)


@stop("import-confirm", user="analyst")
def to_confirm(page: Page, site: str) -> None:
    page.locator("#confirm").evaluate("button => button.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(200)


@stop("import-report", user="analyst", whole=True)
def delivery_report(page: Page, site: str) -> None:
    page.click("#discard")  # nothing of the upload above is kept
    page.click("#discard-yes")
    page.wait_for_selector("#drop")
    page.goto(f"{site}/import/deliveries/?profile=zd")
    page.locator(".deliveries td a").last.click()
    page.wait_for_selector("html[data-ready]")
    for picture in page.locator(".repair img").all():
        picture.scroll_into_view_if_needed()
    page.wait_for_timeout(500)


@stop("import-deliveries", user="analyst")
def deliveries(page: Page, site: str) -> None:
    page.goto(f"{site}/import/deliveries/")


def painted(page: Page) -> None:
    """The map beside the import is painted."""
    page.wait_for_timeout(400)
    page.wait_for_selector("#map[aria-busy=false]")
    page.wait_for_timeout(300)


@stop("report", whole=True)
def report(page: Page, site: str) -> None:
    """The report of the demo's last run, written by `validate --district 120104 --report .local/report`."""
    page.goto((Path(".local/report/report.html").resolve()).as_uri())


@stop("error")
def error(page: Page, site: str) -> None:
    page.goto(site + "/parcels/nothing/")


def installed() -> str | None:
    """The system's Chromium, as the tests take it; none: the one that Playwright brought."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--password", required=True, help="of the demo accounts")
    parser.add_argument("--chromium", default=installed(), help="the browser's program")
    parser.add_argument("--only", default="", help="zh or en, and 1440 or 820, as in zh-1440")
    parser.add_argument("--stop", default="", help="only the stops whose name begins so")
    parser.add_argument("--readme", action="store_true", help="only the pictures of the README")
    options = parser.parse_args()
    if options.readme:
        options.only = "zh-1440"
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        for language, locale in LANGUAGES.items():
            for width, height in SIZES:
                name = f"{language}-{width}"
                if name.startswith(options.only):
                    walk(browser, options, name, {"width": width, "height": height}, locale)
        browser.close()


def walk(browser, options, name: str, size: dict, locale: str) -> None:
    """Every stop in one language and window size; each account signs in once."""
    pages: dict[str, Page] = {}
    for number, (called, user, stopped) in enumerate(STOPS, 1):
        if not called.startswith(options.stop) or (options.readme and called not in (*README, *ON_THE_WAY)):
            continue
        if user not in pages:
            context = browser.new_context(viewport=size, locale=locale)
            cookie = {"name": "django_language", "value": LANGUAGE_COOKIE[name[:2]], "url": options.site}
            context.add_cookies([cookie])
            pages[user] = context.new_page()
            pages[user].on("console", lambda message: print(message.type, message.text))
            pages[user].on("dialog", lambda dialog: dialog.accept())
            pages[user].on("pageerror", lambda error: print("uncaught", error))
            if user:
                sign_in(pages[user], options, user)
        page = pages[user]
        try:
            stopped(page, options.site)
        except Error as trouble:  # one stop that cannot be reached must not cost the others their pictures
            print(f"{name} {called}: {trouble}")
        if options.readme and called in ON_THE_WAY:
            continue
        if options.readme:
            page.screenshot(path=options.folder / f"{README[called]}.jpg", type="jpeg", quality=QUALITY)
        else:
            page.screenshot(path=options.folder / f"{name}-{number:02}-{called}.png", full_page=stopped.whole)
    for page in pages.values():
        page.context.close()


def sign_in(page: Page, options, user: str) -> None:
    page.goto(options.site + "/accounts/login/")
    page.fill("#id_username", user)
    page.fill("#id_password", options.password)
    page.click("main form button")
    settle(page)


def look(page: Page, site: str, hash_: str) -> None:
    """The map at an address, afresh."""
    page.goto("about:blank")
    page.goto(f"{site}/{hash_}")
    settle(page)


def settle(page: Page) -> None:
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(300)
    page.wait_for_selector("#map[aria-busy=false]")
    if page.locator("#list").count():
        page.wait_for_selector("#list[aria-busy=false]", state="attached")
    page.wait_for_timeout(200)


if __name__ == "__main__":
    main()
