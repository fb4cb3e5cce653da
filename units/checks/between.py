"""Checks between layers: what reaches out of the district, legacy land over parcels, and the members of units."""

from collections.abc import Iterator

import numpy as np
import shapely
from django.utils.translation import gettext_noop as _

from units.checks.looking import Fault, Layer, Sight, counting, in_threads, measured
from units.checks.topology import number

SHARE = 0.001  # of a parcel: members whose shares differ less are the same (t_share of domain/queries.md)
NOT_A_MEMBER = _("none of it")


def outside(sight: Sight, name: str) -> Iterator[Fault]:
    """What reaches out of the district by more than noise; the piece outside is the fault."""
    layer = sight.layer(name)
    if sight.boundary is None or not len(layer):
        return
    shapely.prepare(sight.boundary)
    # One thread: a prepared shape builds its index at the first question, and two at once end the process.
    rows = np.flatnonzero(~shapely.covers(sight.boundary, layer.sound))
    if not len(rows):
        return
    pieces = shapely.difference(sight.plane.metres(layer.sound[rows]), sight.boundary_metres)
    for row, piece in zip(rows, pieces, strict=True):
        counts = counting(piece)
        if counts is None:
            continue
        shape = sight.plane.degrees(counts)[0]
        area = measured(shape)
        yield Fault(
            (layer.codes[row],),
            {"one": layer.codes[row], "area": number(area)},
            shape,
            layer.street(row),
            round(area, 2),
            "m2",
        )


def legacy_on_parcels(sight: Sight, name: str) -> Iterator[Fault]:
    """Legacy land over registered parcels: land with papers is no legacy land (G-21)."""
    legacy, parcels = sight.layer(name), sight.layer("parcels")
    for one, other, piece, _share in shared(sight, legacy, parcels):
        shape = sight.plane.degrees(piece)[0]
        area = measured(shape)
        yield Fault(
            (legacy.codes[one], parcels.codes[other]),
            {"one": legacy.codes[one], "other": parcels.codes[other], "area": number(area)},
            shape,
            legacy.street(one) or parcels.street(other),
            round(area, 2),
            "m2",
        )


def members(sight: Sight, name: str) -> Iterator[Fault]:
    """Members of a unit that are not what its shape says: a parcel with another share, left out or no longer there."""
    units, parcels = sight.layer(name), sight.layer("parcels")
    says = {(units.codes[one], parcels.codes[other]): rest for one, other, *rest in shared(sight, units, parcels)}
    rows = {code: row for row, code in enumerate(units.codes)}
    held = {(unit, parcel): share for unit, parcel, share in sight.rows("members")}
    for unit, parcel in sorted(says.keys() | held.keys()):
        piece, now = says.get((unit, parcel), (None, 0.0))
        then = held.get((unit, parcel), 0.0)
        if abs(now - then) <= SHARE:
            continue
        row = rows.get(unit)
        if row is None:  # read in a transaction of the caller's, in which another may save a unit meanwhile
            continue
        shares = {"share": then, "now": now}
        yield Fault(
            (unit, parcel),
            {"one": unit, "other": parcel}
            | {name: f"{100 * share:.2f} %" if share else NOT_A_MEMBER for name, share in shares.items()},
            sight.plane.degrees(piece)[0] if piece is not None else shapely.point_on_surface(units.sound[row]),
            units.street(row),
            words=tuple(name for name, share in shares.items() if not share),
            seen=f"{then:.6f} {now:.6f}",
        )


def shared(sight: Sight, layer: Layer, under: Layer) -> Iterator[tuple[int, int, object, float]]:
    """The pairs of two layers that overlap by more than noise: rows, the piece in metres, its share of the second."""
    if not len(layer) or not len(under):
        return
    one, other = under.tree.query(layer.sound, predicate="intersects")
    if not len(one):
        return
    upper, upper_at = np.unique(one, return_inverse=True)
    lower, lower_at = np.unique(other, return_inverse=True)
    above, below = sight.plane.metres(layer.sound[upper]), sight.plane.metres(under.sound[lower])
    shapely.bounds(above), shapely.bounds(below)  # kept by GEOS when first asked: not by two threads at once
    pieces = in_threads(shapely.intersection, above[upper_at], below[lower_at])
    for at in np.lexsort((other, one)):
        piece = counting(pieces[at])
        if piece is not None:
            share = shapely.area(pieces[at]) / shapely.area(below[lower_at[at]])
            yield int(one[at]), int(other[at]), piece, float(share)
