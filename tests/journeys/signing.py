"""Sign in through the form once for each person of a site, and come back with that session afterwards."""

from playwright.sync_api import Page

kept: dict[tuple[str, str], list[dict]] = {}  # cookies by (address of the site, user name)


def sign_in(page: Page, site, name: str, password: str, *, path: str = "/", anew: bool = False) -> None:
    """Be at `path` of the site, signed in as `name`; the caller waits for what that page shows.

    With `anew` through the form in any case, into a session of one's own: whoever signs out ends his session for all
    who share it.
    """
    key = site.base_url, name
    if not anew and key in kept:
        page.context.add_cookies(kept[key])
        page.goto(f"{site.base_url}{path}")
        return
    page.goto(f"{site.base_url}/accounts/login/?next={path}")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("main form button")
    page.wait_for_url(lambda url: "/accounts/login/" not in url, wait_until="commit")
    if not anew:
        kept[key] = [one for one in page.context.cookies(site.base_url) if one["name"] in ("sessionid", "csrftoken")]
