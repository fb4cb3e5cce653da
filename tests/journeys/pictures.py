"""Take pictures of the pages in both languages and two window sizes, to be looked at by people.

python tests/journeys/pictures.py http://127.0.0.1:8000 FOLDER --user planner --password …
"""

import argparse
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SIZES = ((1440, 900), (1024, 768))
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
LANGUAGE_COOKIE = {"zh": "zh-hans", "en": "en"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--user", default="planner")
    parser.add_argument("--password", required=True)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--only", default="", help="zh or en, and 1440 or 1024, as in zh-1440")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        for language, locale in LANGUAGES.items():
            for width, height in SIZES:
                name = f"{language}-{width}"
                if not name.startswith(options.only):
                    continue
                context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
                cookie = {"name": "django_language", "value": LANGUAGE_COOKIE[language], "url": options.site}
                context.add_cookies([cookie])
                page = context.new_page()
                page.on("console", lambda message: print(message.type, message.text))
                page.on("pageerror", lambda error: print("uncaught", error))
                walk(page, options, name)
                context.close()
        browser.close()


def walk(page: Page, options, name: str) -> None:
    """From nobody to a parcel's own page, with a picture of each stop."""

    def shot(stop: str) -> None:
        page.screenshot(path=options.folder / f"{name}-{stop}.png")

    page.goto(options.site + "/")
    settle(page)
    shot("1-anonymous")
    page.goto(options.site + "/accounts/login/")
    shot("2-login")
    page.fill("#id_username", options.user)
    page.fill("#id_password", options.password)
    page.click("main form button")
    settle(page)
    page.wait_for_selector(".list-row")
    settle(page)
    shot("3-map")
    page.click(".list-row >> nth=4")
    page.wait_for_selector("#card .card")
    settle(page)
    shot("4-card")
    page.evaluate("document.querySelector('#card').scrollTo(0, 700)")
    shot("5-card-below")
    page.goto(options.site + page.get_attribute("#card-page", "href"))
    page.screenshot(path=options.folder / f"{name}-6-page.png", full_page=True)
    page.goto(options.site + "/parcels/nothing/")
    shot("7-error")


def settle(page: Page) -> None:
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(300)
    page.wait_for_selector("#map[aria-busy=false]")
    page.wait_for_timeout(200)


if __name__ == "__main__":
    main()
