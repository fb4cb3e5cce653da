"""Give each delivery one private folder to be unpacked and laid out in, which is gone afterwards."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "geoinv-work-"
YOUNG = 60  # seconds in which a folder may not be held yet by the process that has just made it


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder that nobody else may enter (0700), removed at the end, also after an error.

    It is locked as long as this process lives; what a killed one left behind is not, and goes with the next call.
    """
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
    finally:
        _remove(folder)
        os.close(held)


def _sweep(place: Path):
    """Remove the folders of this user whose processes are dead."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another process may remove it at the same time, or it is another user's
            said = folder.lstat()
            if said.st_uid != os.getuid() or time.time() - said.st_mtime < YOUNG:
                continue
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)
            finally:
                os.close(held)


def _remove(folder: Path):
    shutil.rmtree(folder, ignore_errors=True)
