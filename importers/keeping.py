"""Keep the delivered files as they came, under the digest of their bytes."""

import os
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from importers import opening
from units.errors import GeoinvError, InputUnreadable


@contextmanager
def kept(container: opening.Container, digest: str) -> Iterator[None]:
    """Keep the delivered files under their digest, copied beside the import; nothing stays where that fails."""
    folder = Path(settings.DELIVERIES_DIR)
    target = folder / digest
    if target.exists():
        yield
        return
    partial = folder / f".{digest[:16]}-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
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
            partial.chmod(0o750)
            shutil.rmtree(partial, ignore_errors=True)
