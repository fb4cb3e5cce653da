"""Read back what was delivered: the kept file of a delivery, read as it was, and any of its rows byte for byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from importers import opening
from importers.batching import row_digests
from importers.inspecting import Inspected, district_box, inspected
from importers.mapping import Mapping, of_json
from importers.merging import TARGETS
from importers.profiles import Match, match, profile
from importers.reading_laid import Laid
from importers.shaping import as_delivered
from units.errors import GeoinvError, NotFound, UsageError
from units.models import Delivery


class NotKept(GeoinvError, LookupError):
    """The file of a delivery is not where it was kept, or no longer what it was."""

    code = "not-kept"
    exit_code = 3
    __str__ = GeoinvError.__str__


@dataclass(frozen=True)
class Record:
    """One row as it was delivered. Of a shapefile `dbf` and `shp` are the bytes of its two records; of another
    container `dbf` is what is written in the row. `wkb` are its rings (or its curve), `digest` that of the row."""

    row_number: int
    dbf: bytes
    shp: bytes
    wkb: bytes | None
    digest: bytes
    raw: bool


def kept_file(delivery: Delivery) -> Path:
    """Where the file lies that was delivered: a file, the .shp of a loose shapefile, or the folder of a geodatabase."""
    folder = Path(settings.DELIVERIES_DIR) / delivery.sha256
    files = sorted(one for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []
    if not files:
        raise NotKept(
            _("The file of the delivery %(id)d, %(file)s, is not kept any more.")
            % {"id": delivery.pk, "file": delivery.file_name},
            _("It lay under its digest %(sha256)s; put it back from a backup.") % {"sha256": delivery.sha256},
        )
    if any(one.name == opening.GEODATABASE for one in files):
        return folder
    shapes = [one for one in files if one.suffix.casefold() == ".shp"]
    return shapes[0] if shapes else files[0]


@contextmanager
def reopened(delivery: Delivery) -> Iterator[tuple[opening.Container, Inspected, Match]]:
    """The kept file of a delivery, opened and read in the encoding, system and mapping in which it was imported.

    Raises NotKept where the file is gone or its bytes are not those that were delivered.
    """
    with opening.opened(kept_file(delivery)) as container:
        if opening.digest(container) != delivery.sha256:
            raise NotKept(
                _("What is kept as %(file)s is not what was delivered: its digest is another.")
                % {"file": delivery.file_name},
                _("Put the file back from a backup."),
            )
        layer = container.layer(delivery.layer if len(container.layers) > 1 else None)
        said = delivery.settings
        box = district_box(delivery.district)
        seen = inspected(layer, box, encoding=said.get("encoding_given"), crs=crs_given(delivery))
        names = [column.name for column in seen.table.columns]
        yield container, seen, match(profile(delivery.profile), layer.name, names, mapping_given(delivery))


def crs_given(delivery: Delivery) -> str | None:
    """The reference system that was named when the delivery was imported: a code, or the name of a city frame."""
    given = delivery.settings.get("crs_given")
    return given["name"] if isinstance(given, dict) else given


def mapping_given(delivery: Delivery) -> Mapping | None:
    """The mapping with which the delivery was imported."""
    told = delivery.settings.get("mapping")
    return of_json({part: said for part, said in told.items() if part != "sha256"}) if told else None


def row_of(seen: Inspected, row_number: int) -> Record:
    """One row of a layer as delivered, by its number in the file."""
    row = row_number - 1 - seen.table.before
    if not 0 <= row < seen.rows:
        raise NotFound(
            _("The file has no row %(row)d.") % {"row": row_number},
            _("Its rows are %(first)d to %(last)d.")
            % {"first": 1 + seen.table.before, "last": seen.rows + seen.table.before},
        )
    raw = not isinstance(seen.table, Laid)
    dbf, shp, wkb = b"", b"", None
    if row < seen.table.rows:
        if raw:
            start = seen.table.header_size + row * seen.table.record_size
            dbf = bytes(seen.table.raw_bytes[start : start + seen.table.record_size])
        else:
            dbf = seen.table.written(slice(row, row + 1))[0]
    if seen.shapes is not None and row < seen.shapes.rows:
        shp = seen.shapes.record(row)
        wkb = getattr(seen.table, "curves", {}).get(row) or as_delivered(seen.shapes.rings(row, row + 1), 0)
    both = row < seen.table.rows and (seen.shapes is None or row < seen.shapes.rows)
    digest = row_digests(seen.table, seen.shapes, row, row + 1)[0] if both else b""
    return Record(row_number, dbf, shp if raw else b"", wkb, digest, raw)


def record(delivery: Delivery, row_number: int, expected: bytes | None = None) -> Record:
    """One row of a delivery byte for byte, read from the kept file.

    With `expected`, the row_digest that a stored row carries, raises NotKept where the bytes are others.
    """
    with reopened(delivery) as (_container, seen, _found):
        found = row_of(seen, row_number)
    if expected is not None and bytes(expected) != found.digest:
        raise NotKept(
            _("Row %(row)d of the kept file is not the row that was taken: its digest is another.")
            % {"row": row_number},
            _("Put the file back from a backup."),
        )
    return found


def stored_digest(delivery: Delivery, row_number: int) -> bytes | None:
    """The digest that the row carries which is stored from this row of this delivery; None where there is none."""
    table = profile(delivery.profile).table
    if table not in TARGETS:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT row_digest FROM {TARGETS[table].table} WHERE delivery_id = %s AND row_number = %s",
            [delivery.pk, row_number],
        )
        found = cursor.fetchone()
    return bytes(found[0]) if found and found[0] is not None else None


def written(found: Record, folder: Path) -> list[Path]:
    """Write the parts of a record into a folder, one file each; their paths. Raises UsageError where one is there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for ending, content in (("dbf-record", found.dbf), ("shp-record", found.shp), ("wkb", found.wkb)):
        if not content:
            continue
        path = folder / f"row-{found.row_number}.{ending}"
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError as error:
            raise UsageError(
                _("%(path)s is there already.") % {"path": path}, _("Name another folder, or remove it first.")
            ) from error
        paths.append(path)
    return paths
