"""What axe finds on a page that is open in the browser, as WCAG 2.2 AA asks."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = {"serious", "critical"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NAMED = 6  # places that a fault's line spells out


def axe_faults(page: Page) -> list[str]:
    """The serious and critical faults, a line each: the rule, what it asks, and the first places."""
    found = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: "
        + "; ".join(" ".join(map(str, node["target"])) + " " + node["html"][:120] for node in one["nodes"][:NAMED])
        for one in found.response["violations"]
        if one["impact"] in GRAVE
    ]
