"""Keep a long list out of memory: it is added to at its end and read from front to back as often as is wanted."""

import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from django.utils.translation import gettext as _

from units.errors import InputUnreadable

Item = TypeVar("Item")
AT_ONCE = 2_000  # items that are held in memory


class Spool(Generic[Item]):
    """What is added, in its order; all but the latest of it lies in an unnamed file, which ends with the list."""

    def __init__(self):
        self.latest: list[Item] = []
        self.file = None
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def append(self, item: Item):
        self.latest.append(item)
        self.count += 1
        if len(self.latest) >= AT_ONCE:
            self._put_away()

    def extend(self, items: Iterable[Item]):
        for item in items:
            self.append(item)

    def __iter__(self) -> Iterator[Item]:
        """From the first to the last; nothing may be added meanwhile."""
        at, end = 0, 0 if self.file is None else self.file.seek(0, 2)
        while at < end:
            self.file.seek(at)
            some = pickle.load(self.file)
            at = self.file.tell()
            yield from some
        yield from self.latest

    def _put_away(self):
        try:
            if self.file is None:
                self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the list
                weakref.finalize(self, self.file.close)
            self.file.seek(0, 2)
            pickle.dump(self.latest, self.file, 5)
        except OSError as error:
            raise InputUnreadable(
                _("What is told of the rows cannot be laid down in %(folder)s: %(why)s.")
                % {"folder": tempfile.gettempdir(), "why": error.strerror},
                _("Make room in the folder for temporary files, or deliver less at once."),
            ) from error
        self.latest = []
