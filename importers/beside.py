"""The further layers of a delivery that comes in several files."""

from collections.abc import Iterator
from dataclasses import dataclass

from importers import opening
from importers.arrays import flags
from importers.checking import field_text
from importers.inspecting import inspected
from importers.profiles import match, profile


@dataclass(frozen=True)
class Beside:
    """A layer that came in another file of the same delivery: its rows are not gone, its findings not resolved."""

    profile: str
    layer: opening.Layer
    sha256: str

    def identifiers(self) -> Iterator[tuple[str, ...]]:
        """What identifies each of its rows, as it is shown."""
        seen = inspected(self.layer)
        found = match(profile(self.profile), self.layer.name, [column.name for column in seen.table.columns])
        if found.missing or found.refused:
            return
        live = flags(~seen.table.deleted)
        parts = [
            field_text(seen.table, found, name, seen.encoding.python, slice(None))[0].filter(live).to_pylist()
            for name in found.profile.key_shown
        ]
        yield from zip(*parts, strict=True)
