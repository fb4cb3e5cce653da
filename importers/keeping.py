"""Keep the delivered files as they came, under the digest of their bytes."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from importers import opening
from units.errors import GeoinvError, InputUnreadable


@contextmanager
def kept(container: opening.Container, digest: str, until: ExitStack) -> Iterator[None]:
    """Keep the delivered files under their digest, copied beside the import; nothing stays where that fails.

    An unfinished copy is locked `until` the import has ended, so that whoever sweeps the folder knows what a killed one
    left behind.
    """
    folder = Path(settings.DELIVERIES_DIR)
    sweep(folder)
    target = folder / digest
    if target.exists():
        yield
        return
    partial = folder / f".{digest[:16]}-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            partial.mkdir()
            until.enter_context(_locked(partial))
        with ThreadPoolExecutor(1) as copying_files:
            copied = copying_files.submit(opening.kept_copy, container, partial)
            yield
            copied.result()
        partial.chmod(0o550)
        try:
            os.rename(partial, target)
        except OSError:
            if not target.exists():  # else another import of the same file was quicker
                raise
    except OSError as error:
        if isinstance(error, GeoinvError):
            raise
        raise InputUnreadable(
            _("The delivered file cannot be kept in %(folder)s: %(why)s.") % {"folder": folder, "why": error.strerror},
            _("Check the space and the rights of that folder."),
        ) from error
    finally:
        if partial.exists():
            _remove(partial)


def sweep(folder: Path):
    """Remove the copies that imports began which were killed.

    A finished copy is never removed, also where no delivery of this database names it: another database may keep its
    originals in the same folder, and what an import of the same file finds there it uses.
    """
    if not folder.is_dir():
        return
    with _locked(folder):
        for partial in sorted(folder.glob(".*")):
            with suppress(BlockingIOError), _locked(partial, fcntl.LOCK_NB):
                _remove(partial)


@contextmanager
def _locked(folder: Path, how: int = 0) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(held)


def _remove(folder: Path):
    folder.chmod(0o750)
    shutil.rmtree(folder, ignore_errors=True)
