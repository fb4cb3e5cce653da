"""No page has a serious fault of accessibility: axe looks at each as WCAG 2.2 AA asks, in both sizes of a desk.

The list of pages is held against the addresses of the site: one that is added without being listed here fails.
"""

import psycopg
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.journeys.looking import axe_faults
from tests.journeys.signing import sign_in

PASSWORD = "demo-password-1"
DESK, TABLET = {"width": 1440, "height": 900}, {"width": 820, "height": 1180}
# Pages by the pattern of their address: who looks, and the address with the rows of the demo district filled in.
PAGES = {
    "": ("office", "/"),
    "parcels/<str:code>/": ("office", "/parcels/{candidate}/"),
    "buildings/<path:code>/": ("office", "/buildings/{building}/"),
    "compare/": ("office", "/compare/?district=120104&a=nankai-2024&b=tianjin-2024"),
    "field/": ("office", "/field/"),
    "field/<path:code>/": ("office", "/field/{candidate}/"),
    "findings/": ("analyst", "/findings/"),
    "campaigns/": ("office", "/campaigns/"),
    "campaigns/<int:number>/": ("office", "/campaigns/{campaign}/"),
    "forms/<int:number>/": ("office", "/forms/{form}/"),
    "criteria/": ("office", "/criteria/"),
    "criteria/<str:name>/": ("office", "/criteria/nankai-2024/"),
    "criteria/<str:name>/diff/": ("office", "/criteria/nankai-2024/diff/"),
    "determinations/": ("office", "/determinations/"),
    "determinations/<str:code>/": ("office", "/determinations/{record}/"),
    "work/": ("office", "/work/"),
    "legacy/": ("analyst", "/legacy/"),
    "legacy/<str:code>/": ("analyst", "/legacy/{land}/"),
    "snapshots/": ("office", "/snapshots/"),
    "snapshots/<str:district>/<str:register>/<int:number>/": ("office", "/snapshots/120104/record/1/"),
    "statistics/": ("office", "/statistics/"),
    "statistics/scores/": ("office", "/statistics/scores/"),
    "units/<str:code>/": ("office", "/units/{unit}/"),
    "units/programmes/": ("office", "/units/programmes/"),
    "units/<str:code>/record/": ("office", "/units/{unit}/record/"),
    "units/<str:code>/editions/<int:number>/": ("office", "/units/{consulted}/editions/1/"),
    "history/": ("office", "/history/"),
    "parcels/<str:code>/history/": ("office", "/parcels/{candidate}/history/"),
    "buildings/<path:code>/history/": ("office", "/buildings/{building}/history/"),
    "units/<str:code>/history/": ("office", "/units/{unit}/history/"),
    "determinations/<str:code>/history/": ("office", "/determinations/{record}/history/"),
    "api/docs/": ("office", "/api/docs/"),
    "ogc": ("office", "/ogc?f=html"),
    "ogc/conformance": ("office", "/ogc/conformance?f=html"),
    "ogc/collections": ("office", "/ogc/collections?f=html"),
    "ogc/collections/<name>": ("office", "/ogc/collections/parcels?f=html"),
    "ogc/collections/<name>/items": ("office", "/ogc/collections/parcels/items?f=html"),
    "ogc/collections/<name>/items/<fid>": ("office", "/ogc/collections/parcels/items/{fid}?f=html"),
    "import/": ("analyst", "/import/"),
    "import/deliveries/": ("analyst", "/import/deliveries/"),
    "import/deliveries/<int:number>/": ("analyst", "/import/deliveries/{delivery}/"),
    "accounts/login/": (None, "/accounts/login/"),
    "accounts/": ("office", "/accounts/"),
    "accounts/password/": ("office", "/accounts/password/"),
    "accounts/second-factor/": ("district", "/accounts/second-factor/"),
    "accounts/tokens/": ("office", "/accounts/tokens/"),
    "audit/": ("office", "/audit/"),
    "audit/rights/": ("office", "/audit/rights/"),
}
# Addresses that answer with a page only after a POST, or with the page of another address, and why each is left out.
ELSEWHERE = {
    "api/schema": "JSON",
    "ogc/api": "JSON",
    "determinations/suspects/": "POST alone",
    "determinations/moves/": "POST alone: its page is walked in test_determining.py",
    "determinations/by-hand/": "POST alone",
    "determinations/<str:code>/move/": "POST alone",
    "determinations/<str:code>/start/": "POST alone",
    "work/moves/": "POST alone: its page is that of determinations/moves/",
    "legacy/<str:code>/move/": "POST alone",
    "legacy/<str:code>/facts/": "POST alone",
    "legacy/<str:code>/notes/": "POST alone",
    "units/<str:code>/move/": "POST alone",
    "legacy/<str:code>/history/": "the same page as those of parcels and buildings",
    "units/<str:code>/restore/": "POST alone",
    "findings/<str:identity>/waiver/": "POST alone",
    "criteria/drafts/": "POST alone",
    "criteria/<str:name>/edit/": "of drafts alone, of which the demo has none: looked at in test_criteria.py",
    "criteria/<str:name>/act/": "POST alone",
    "campaigns/<int:number>/workbook/": "POST alone",
    "forms/<int:number>/step/": "POST alone",
    "forms/<int:number>/papers/": "POST alone",
    "forms/<int:number>/papers/<int:paper>/": "a file",
    "units/": "POST alone",
    "units/<str:code>/amend/": "POST alone",
    "units/<str:code>/consultations/": "POST alone",
    "consultations/<int:number>/reply/": "POST alone",
    "import/<uuid:number>/": "the report of an upload: walked in test_importing.py",
    "accounts/login/code/": "between a password and a code: the sheet of accounts/login/ with one field",
    "accounts/login/second-factor/": "between a password and a code: the page of accounts/second-factor/",
    "accounts/tokens/<int:number>/revoke/": "POST alone",
    "accounts/logout/": "POST alone",
    "accounts/language/": "POST alone",
    "field/photos/<int:number>/": "a file",
    "healthz": "a word for machines",
}
MACHINES = (
    ".json",
    ".jpg",
    ".csv",
    ".xlsx",
    ".pdf",
    ".svg",
    ".mvt",
    ".zip",
    ".bin",
    ".txt",
)  # no pages, by their names
DESKS = ("admin/", "api/v1/")  # Django's own pages, and no pages at all
ROWS = {
    "candidate": "SELECT p.code FROM units_flag f JOIN units_parcel p ON p.id = f.parcel_id"
    " WHERE f.criteria = 'nankai-2024' AND f.outcome = 'candidate' ORDER BY p.code LIMIT 1",
    "building": "SELECT b.code FROM units_flag f JOIN units_building b ON b.id = f.building_id ORDER BY b.code LIMIT 1",
    "campaign": "SELECT min(id) FROM units_campaign",
    "form": "SELECT min(id) FROM units_factsheet",
    "record": "SELECT min(code) FROM units_determination",
    "land": "SELECT min(code) FROM units_legacyland WHERE state = 'tested'",
    "unit": "SELECT min(code) FROM units_redevelopmentunit WHERE state = 'draft'",
    "consulted": "SELECT min(code) FROM units_redevelopmentunit WHERE state = 'checked'",
    "fid": "SELECT min(p.id) FROM units_parcel p JOIN units_survey s ON s.id = p.survey_id WHERE s.state = 'in_force'",
    "delivery": "SELECT max(id) FROM units_delivery WHERE profile = 'zd'",
}


def addresses(resolver=None, prefix="") -> set[str]:
    """Every address that may be a page: no file for machines, none of the administrator's desk or the JSON API."""
    found = set()
    for one in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            found |= addresses(one, pattern)
        elif isinstance(one, URLPattern):
            found.add(pattern)
    return {one for one in found if not (one.endswith(MACHINES) or one.startswith(DESKS)) or one in PAGES}


def test_every_page_of_the_site_is_looked_at_by_axe():
    listed = set(PAGES) | set(ELSEWHERE)
    assert addresses() <= listed, "Say in PAGES how the page is opened, or in ELSEWHERE why not."
    assert set(PAGES) <= addresses(), "A page is listed that is gone."


@pytest.fixture(scope="module")
def rows(demo_site):
    with psycopg.connect(demo_site.database_url) as connection:
        found = {name: connection.execute(question).fetchone()[0] for name, question in ROWS.items()}
    assert None not in found.values(), found
    return found


@pytest.mark.parametrize("pattern", PAGES)
def test_axe_finds_nothing_serious_on_the_page_and_nothing_sticks_out_of_a_tablet(demo_site, page, rows, pattern):
    name, path = PAGES[pattern]
    path = path.format(**rows)
    page.set_viewport_size(TABLET if len(pattern) % 2 else DESK)
    if name:
        sign_in(page, demo_site, name, PASSWORD, path=path)
    else:
        page.goto(f"{demo_site.base_url}{path}")
    page.wait_for_load_state("networkidle")
    faults = axe_faults(page)
    assert not faults, "\n".join(faults)
    page.set_viewport_size(TABLET)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_axe_finds_nothing_serious_on_the_map_whatever_is_open_on_it(demo_site, page):
    """What opens over the map and beside it; two days beside each other are looked at in test_past_days.py."""
    page.set_viewport_size(TABLET)
    sign_in(page, demo_site, "office", PASSWORD)
    page.goto("about:blank")
    page.goto(f"{demo_site.base_url}/#16/39.10150/117.14450&theme=far:natural:5&show=legacy,control-areas")
    page.wait_for_selector("html[data-ready]")
    found = []

    def look(what: str) -> None:
        page.wait_for_selector("#map[aria-busy=false]")
        found.extend(f"{what}: {fault}" for fault in axe_faults(page))

    page.click(".legend-open")
    page.wait_for_selector(".theme-class")
    look("legend with a theme")
    page.click(".legend-close")
    page.click("#tool-views")
    page.wait_for_selector("#views-list[aria-busy=false] li")
    look("saved views")
    page.click("#views-close")
    page.click("#tool-whatif")
    page.wait_for_selector("#whatif-slides li")
    look("other values")
    page.click("#whatif-close")
    page.click("#tool-area")
    look("measure")
    page.click("#compose-open")
    page.click("#compose-inview summary")
    page.locator("#compose-inview input").first.check()
    page.wait_for_selector("#compose-area .verdict-area")
    look("a unit that is composed")
    page.click("[data-tool=draw]")
    page.click("#compose-keys")
    look("the keys of drawing")
    page.keyboard.press("Escape")
    page.click("#compose-leave")
    page.click("#compose-discard")
    page.click("#tool-print")
    page.wait_for_selector("html[data-sheet=ready]")
    look("the sheet")
    assert not found, "\n".join(found)
