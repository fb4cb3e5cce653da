"""Give a district and its streets the shapes of a delivered boundary layer."""

import numpy as np
import shapely
from django.db import connection
from django.utils.translation import gettext as _

from importers.batching import Done, absolute, check_shapes
from importers.checking import Batch
from importers.merging import forget
from importers.merging import keep as keep_before
from importers.shapechecks import check_geometry
from importers.shaping import as_delivered, shaped
from importers.telling import Telling
from units.models import District, Street, Survey
from units.spatial import STORAGE_SRID

NAMED = 5  # how many of many boundaries are named


def take_boundaries(telling: Telling, place: District, layerwide, progress=None):
    """Dissolve the rows of one code, and give District and Street the shape where it differs."""
    seen, found, counts = telling.seen, telling.match, telling.counts
    rows = min(seen.table.rows, seen.shapes.rows)
    batch = Batch(seen.table, found, seen.encoding.python, slice(0, rows), layerwide)
    rings = seen.shapes.rings(0, rows)
    shape = shaped(rings, telling.projection, twice=True)
    check_shapes(batch, rings, shape)
    check_geometry(batch, rings, shape, telling.projection.degrees)
    code, name = (batch.check(found.profile.field(one)).to_pylist() for one in ("XZQDM", "XZQMC"))
    batch.refused |= ~shape.good & batch.live
    keep = batch.live & ~batch.refused
    keys = batch.text(found.profile.key)
    telling.note(
        Done(
            batch.n,
            memoryview(b""),
            int(keep.sum()),
            int((~batch.live).sum()),
            [absolute(problem, keys, 0) for problem in batch.problems],
            [(int(row), as_delivered(rings, int(row))) for row in np.flatnonzero(batch.refused & batch.live)],
            extent=rings.extent(keep),
        )
    )
    telling.lone_rows(rows)
    shapes: dict[str, list] = {}
    names: dict[str, str] = {}
    for row in np.flatnonzero(keep):
        wkb = shape.head[int(row)].as_py()[4:] + shape.body[int(row)].as_py()
        short = _short(code[row])
        shapes.setdefault(short, []).append(shapely.from_wkb(wkb))
        names[short] = name[row]
    whole = {short: _multi(shapely.union_all(parts)) for short, parts in shapes.items()}
    if place.code not in whole and whole:
        if lacking := _lacking(place, code, batch, whole):
            telling.warn_layer("1-boundary-kept", value=lacking)
        else:
            whole[place.code] = _multi(shapely.union_all(list(whole.values())))
    outcome, made_streets = {}, telling.delivery.settings.setdefault("streets_made", [])
    known = set(Street.objects.filter(code__in=whole).values_list("code", flat=True))
    made_streets += sorted(short for short in whole if len(short) == 9 and short not in known)
    with connection.cursor() as cursor:
        about = {"delivery": telling.delivery.pk, "codes": list(whole)}
        for table in ("units_district", "units_street"):
            keep_before(cursor, about, f"SELECT * FROM {table} WHERE code = ANY(%(codes)s)", table, "code")
        for short, made in whole.items():
            outcome[short] = _store(cursor, place, short, names.get(short, ""), made)
        same = [short for short, became in outcome.items() if became == "unchanged"]
        forget(cursor, telling.delivery.pk, same)
    _warn_of_force(telling, place, [short for short, became in outcome.items() if became == "changed"])
    for row in np.flatnonzero(keep):
        became = outcome[_short(code[row])]
        setattr(counts, became, getattr(counts, became) + 1)
    if progress:
        progress(rows, rows)


def _warn_of_force(telling: Telling, place: District, moved: list[str]):
    """Say that boundaries by which a survey in force is judged were changed by the delivery of another round."""
    in_force = Survey.objects.filter(district=place, state=Survey.State.IN_FORCE).first()
    if in_force is None or not moved:
        return
    names = {place.code: place.name, **dict(Street.objects.filter(code__in=moved).values_list("code", "name"))}
    listed = ", ".join(names[code] for code in sorted(moved)[:NAMED]) + ("…" if len(moved) > NAMED else "")
    telling.warn_layer("1-boundary-in-force", value=listed, more=in_force.year)


def _lacking(place: District, codes: list, batch: Batch, whole: dict) -> str:
    """Why the streets that were taken do not make up the district, as a sentence's part, or nothing where they do.

    `codes` are those of the rows. A refused row counts where it is a part of a known street; one of another district,
    of no code or of a street that the register does not know is no part of this one.
    """
    known = dict(Street.objects.filter(district=place).order_by("code").values_list("code", "name"))
    refused = [row for row in np.flatnonzero(batch.refused & batch.live) if _short(codes[row] or "") in known]
    if refused:
        return _("%(count)d rows were not taken") % {"count": len(refused)}
    if names := [name for code, name in known.items() if code not in whole]:
        return _("the layer does not hold %(streets)s") % {"streets": ", ".join(names)}
    return ""


def _short(code: str) -> str:
    """Nine digits of a street, six of a district, however the layer pads them."""
    code = code[:9] if len(code) > 6 else code
    return code[:6] if code[6:] == "000" else code


def _store(cursor, place: District, code: str, name: str, made) -> str:
    """Store one boundary; which of the counts it belongs to."""
    geom = shapely.to_wkb(shapely.set_srid(made, STORAGE_SRID), include_srid=True)
    if len(code) == 9:
        street, _created = Street.objects.get_or_create(code=code, defaults={"district": place, "name": name[:60]})
        before = street.geom
        cursor.execute("UPDATE units_street SET geom = %s WHERE code = %s", [geom, code])
    else:
        before = place.geom
        cursor.execute("UPDATE units_district SET geom = %s WHERE code = %s", [geom, code])
    if before is None:
        return "taken"
    same = shapely.equals_exact(shapely.from_wkb(bytes(before.wkb)), made, 0, normalize=True)
    return "unchanged" if same else "changed"


def _multi(shape):
    return shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon(shapely.get_parts(shape).tolist())
