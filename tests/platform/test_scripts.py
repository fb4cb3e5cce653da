"""The scripts do their work again in seconds and refuse what they do not know."""

import os
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name, *arguments):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GEOINV_", "DATABASE_URL", "DJANGO_", "PG"))
    }
    return subprocess.run([ROOT / "script" / name, *arguments], env=kept, capture_output=True, text=True, check=False)


def test_a_second_set_up_has_nothing_to_do_and_says_nothing():
    if not (ROOT / ".local/cluster.json").exists():
        pytest.skip("DATABASE_URL is one of your own; without it this would make a private cluster")
    began = time.monotonic()
    done = script("setup")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["setup", "run", "bench"])
def test_a_script_refuses_an_argument_it_does_not_know(name):
    assert script(name, "--no-such-thing").returncode == 2


def test_the_vendored_javascript_is_what_was_pinned():
    done = script("vendor", "--check")
    assert done.returncode == 0, done.stderr


def test_a_browser_test_would_fail_on_another_host_a_console_error_and_an_exception(watch, allowed_errors):
    page = watch.open_page()
    page.goto("data:text/html,<title>x</title>")
    page.evaluate("fetch('https://tiles.example/1.mvt').catch(() => 0)")
    page.evaluate("console.error('planted')")
    page.evaluate("setTimeout(() => { throw new Error('thrown') })")
    page.wait_for_timeout(200)
    allowed_errors.append(".")  # they are looked at here instead
    told = "\n".join(watch.faults)
    assert "another host: https://tiles.example/1.mvt" in told
    assert "console error: planted" in told
    assert "thrown" in told
