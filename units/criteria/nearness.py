"""Find the next place of each kind to each parcel of a district, in memory: what `near.sql` tells of one parcel."""

from collections import defaultdict

import numpy as np
import psycopg
import shapely

from units.criteria.cutting import Parcels

FAR = 2000.0  # metres beyond which nobody asks: distance.sql tells no more
CHUNK = 5_000  # parcels whose boxes are compared with those of all places at once
MANY = 500  # places above which a tree is asked instead: it takes ten times as long for each, and grows with none


def nearest(raw: psycopg.Connection, parcels: Parcels, asked: str, relation: str) -> None:
    """Fill the temporary `relation`: subject, kind, and metres to the next shape of each kind that `asked` yields."""
    places = defaultdict(list)
    for kind, shape in psycopg.Cursor(raw).execute(asked, binary=True).fetchall():
        places[kind].append(shape)
    if not places:
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY pg_temp.{relation} (subject, kind, distance) FROM STDIN") as copy:
        for kind in sorted(places):
            metres = distances(parcels.shapes, np.array(shapely.from_wkb(places[kind]), dtype=object))
            lines = zip(parcels.subjects.tolist(), metres.tolist(), strict=True)
            copy.write("".join(f"{subject}\t{kind}\t{one!r}\n" for subject, one in lines))


def distances(shapes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Metres from each shape to the next of the places; FAR where none is nearer.

    Boxes tell how near a place is at best: only those that may be nearer than the best so far are measured.
    """
    # of a shape that was not valid nothing may be left, and nothing is near to that
    places = places[~shapely.is_empty(places)]
    if not len(places):
        return np.full(len(shapes), FAR)
    if len(places) > MANY:
        found = np.full(len(shapes), FAR)
        at, metres = shapely.STRtree(places).query_nearest(shapes, FAR, return_distance=True, all_matches=False)
        found[at[0]] = metres
        return found
    return np.concatenate(
        [_distances(shapes[start : start + CHUNK], places) for start in range(0, len(shapes), CHUNK)] or [np.empty(0)]
    )


def _distances(shapes: np.ndarray, places: np.ndarray) -> np.ndarray:
    west, south, east, north = (side[:, None] for side in shapely.bounds(shapes).T)
    left, low, right, top = shapely.bounds(places).T
    beside = np.maximum(np.maximum(left - east, west - right), 0)
    above = np.maximum(np.maximum(low - north, south - top), 0)
    least = np.hypot(beside, above)
    found, row = np.full(len(shapes), FAR), np.arange(len(shapes))
    while len(row):
        place = least[row].argmin(axis=1)
        row_left = least[row, place] < found[row]
        row, place = row[row_left], place[row_left]
        found[row] = np.minimum(found[row], shapely.distance(shapes[row], places[place]))
        least[row, place] = np.inf
    return found
