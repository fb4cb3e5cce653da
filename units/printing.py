"""Print a page of HTML as a PDF file, without asking any other host."""

import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from django.utils.translation import gettext as _

from units.errors import Broken, NoDatabase

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 60  # until a page that will not end is given up
LIBRARY = "weasyprint"

log = logging.getLogger(__name__)


def printed(page: str) -> bytes:
    """The PDF of a page; the same page gives the same bytes.

    It is set by a process of its own, so that fonts and memory go with it. Raises NoDatabase (503) where the library
    is not there, and Broken when it cannot set the page.
    """
    if find_spec(LIBRARY) is None:
        raise missing()
    command = [sys.executable, "-m", "units.typesetting"]
    try:
        done = subprocess.run(command, cwd=ROOT, input=page.encode(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Broken(_("The page could not be printed in a minute."), _("Print it from the browser.")) from None
    if done.returncode:
        log.error("A page could not be printed: %s", done.stderr.decode(errors="replace")[-2000:])
        if b"cannot load library" in done.stderr:
            raise missing()
        raise Broken(_("The page could not be printed."), _("Print it from the browser; what broke is in the log."))
    return done.stdout


def missing() -> NoDatabase:
    return NoDatabase(
        _("This site cannot print PDF files: a library is not there."),
        _("Run script/setup, or print the page from the browser."),
        code="no-library",
    )
