"""Make the folder that results are written to before the work begins, so that none is done in vain."""

from pathlib import Path
from tempfile import TemporaryFile

from django.utils.translation import gettext as _

from units.errors import UsageError


def made(folder: Path) -> Path:
    """The folder, made where it is missing. Raises UsageError where nothing can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise UsageError(
            _("Results cannot be written to %(folder)s: %(why)s.") % {"folder": folder, "why": error.strerror or error},
            _("Name a folder that is there or can be made, and that this account may write to."),
        ) from error
