"""A thousand broken polygons: each is taken as it is, or changed within 0.01 m² and recorded, or waits for a person."""

import math
from collections import Counter, defaultdict

import numpy as np
import pyproj
import pytest
import shapely

from importers.loading import load
from importers.models import Repair
from tests.importers.shapefiles import SOUTH, WEST, patch, shapefile
from units.models import LandUsePatch, Refusal

SEED, COUNT = 20221123, 1_000
GEOD = pyproj.Geod(ellps="GRS80")
TO_DEGREES = pyproj.Transformer.from_crs(4527, 4490, always_xy=True)
LIMIT = 0.01  # square metres


def size(random, low=-5.0, high=1.3):
    """Metres from a hundredth of a millimetre to 20 m, each power of ten as often."""
    return 10 ** random.uniform(low, high)


def star(random, corners=None):
    """An open ring round the origin, 20 to 40 m wide, that does not cross itself; clockwise."""
    corners = corners or int(random.integers(4, 14))
    angles = np.sort(random.uniform(0, 2 * np.pi, corners) / corners + np.arange(corners) * 2 * np.pi / corners)[::-1]
    return np.column_stack((np.cos(angles), np.sin(angles))) * random.uniform(20, 40, (corners, 1))


def closed(ring):
    return np.vstack((ring, ring[:1]))


def box(x, y, width, height):
    return np.array([(x, y), (x, y + height), (x + width, y + height), (x + width, y), (x, y)], float)


# Each makes the rings of one broken polygon around the origin, and says whether it may be taken unasked.


def bow_tie(random):
    ring = star(random)
    ring[[0, 1]] = ring[[1, 0]]
    return [closed(ring)], False


def crossed_corner(random):
    """Two vertices so near each other that the lobe between them may be nothing."""
    ring, step = star(random), size(random, -4, 0)
    first, second = ring[0], ring[1]
    along = (second - first) / np.hypot(*(second - first))
    across = np.array([-along[1], along[0]])
    crossed = np.vstack((ring[:1] + along * step + across * step, ring[:1] - along * step, ring[:1] + across * 3))
    return [closed(np.vstack((crossed[:2], ring[1:])))], None


def spike(random):
    ring = star(random)
    tip = ring[0] * random.uniform(1.1, 3)
    back = ring[0] + (0 if random.random() < 0.5 else random.normal(0, size(random, -7, -1), 2))
    return [closed(np.vstack((ring[:1], tip, back, ring[1:])))], None


def open_ring(random):
    ring, gap = star(random), size(random)
    turn = random.uniform(0, 2 * np.pi)
    end = ring[0] + gap * np.array([math.cos(turn), math.sin(turn)])
    return [np.vstack((ring, end))], None if gap <= 0.001 else False


def never_closed(random):
    return [star(random)], False


def ring_twice(random):
    ring = star(random)
    turned = np.roll(ring, int(random.integers(len(ring))), axis=0)
    return [closed(ring), closed(turned if random.random() < 0.5 else turned[::-1])], False


def hole_across(random):
    """A hole that reaches beyond its shell."""
    beyond = size(random, -4, 1)
    return [box(0, 0, 40, 40), box(30, 10, 10 + beyond, 15)], None


def overlapping_parts(random):
    over = size(random, -4, 1)
    return [box(0, 0, 30, 30), box(30 - over, 5, 20, 20)], None


def touching_holes(random):
    shared = random.uniform(0, 1) < 0.5
    return [box(0, 0, 40, 40), box(5, 5, 10, 10), box(15, 5 if shared else 15, 10, 10)], None


def touching_shell(random):
    """A hole whose side lies on the shell's."""
    return [box(0, 0, 40, 40), box(0, random.uniform(5, 10), 10, 10)], None


def touches_itself(random):
    """The shell runs round its hole without an inner ring."""
    at = random.uniform(10, 30)
    ring = [(0, 0), (0, 40), (40, 40), (40, 0), (at, 0), (at + 5, 10), (at - 5, 10), (at, 0)]
    return [closed(np.array(ring, float))], None


def sliver(random):
    width = size(random, -9, -2)
    if random.random() < 0.5:
        return [closed(np.array([(0, 0), (0, width), (40, random.uniform(-1, 1) * width), (39, -width)]))], None
    return [closed(np.array([(0, 0), (40, 0), (40, width), (0, -width)]))], None


def shaken(random):
    """Many vertices near each other, of which some have changed places."""
    ring = star(random, 60)
    return [closed(ring + random.normal(0, size(random, -4, 1), ring.shape))], None


def repeated(random):
    ring = star(random)
    doubled = np.repeat(ring, random.integers(1, 4, len(ring)), axis=0)
    if random.random() < 0.5:
        doubled = np.vstack((doubled[:2], doubled[1:]))  # there and back again
    return [closed(doubled)], None


def ring_of_nothing(random):
    line = np.array([(2.0, 2.0), (5.0, 5.0), (2.0, 2.0)])
    return [box(0, 0, 40, 40), line if random.random() < 0.5 else np.vstack((line, line[-1:]))], None


KINDS = (
    bow_tie, crossed_corner, spike, open_ring, never_closed, ring_twice, hole_across, overlapping_parts,
    touching_holes, touching_shell, touches_itself, sliver, shaken, repeated, ring_of_nothing,
)  # fmt: skip


# --- what the rings bound, told in another way than the importer does --------------------------------------------


def turns(points, ring):
    """How often a ring goes round each point, by the angles under which its edges are seen."""
    seen = ring[None, :, :] - points[:, None, :]
    angle = np.arctan2(seen[..., 1], seen[..., 0])
    step = np.diff(angle, axis=1)
    return np.rint(((step + np.pi) % (2 * np.pi) - np.pi).sum(axis=1) / (2 * np.pi)).astype(int)


def readings(rings):
    """(even-odd, by direction): what closed rings bound, as two shapes made of the faces between their lines."""
    whole = [ring if (ring[0] == ring[-1]).all() else closed(ring) for ring in rings]
    lines = shapely.node(shapely.MultiLineString(whole))
    faces = shapely.get_parts(shapely.polygonize([lines]))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    around = np.array([turns(inside, ring) for ring in whole])
    odd = np.logical_xor.reduce(around % 2 != 0)
    at_all = np.logical_xor.reduce(around != 0)
    return shapely.union_all(faces[odd]), shapely.union_all(faces[at_all])


def in_degrees(shape):
    return shapely.transform(shape, lambda p: np.column_stack(TO_DEGREES.transform(p[:, 0], p[:, 1])))


def area(shape):
    return abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))[0]) if not shape.is_empty else 0.0


@pytest.mark.usefixtures("nankai")
def test_each_of_a_thousand_broken_polygons_is_unchanged_or_within_a_hundredth_or_waits(tmp_path):
    random = np.random.default_rng(SEED)
    made, may = [], []
    for number in range(COUNT):
        rings, allowed = KINDS[number % len(KINDS)](random)
        corner = np.array([WEST + 100 * (number % 40), SOUTH + 100 * (number // 40)])
        made.append([ring + corner for ring in rings])
        may.append(allowed)
    path = shapefile(
        tmp_path,
        rows=[patch(number + 1, TBMJ="") for number in range(COUNT)],
        shapes=[[list(map(tuple, ring)) for ring in rings] for rings in made],
    )
    result = load(path, "dltb", "120104", 2022)
    assert result["rows"] == COUNT == result["taken"] + result["refused"]

    stored = {
        int(bsm[-8:]) - 1: shapely.from_wkb(bytes(geom.wkb))
        for bsm, geom in LandUsePatch.objects.values_list("bsm", "geom")
    }
    repairs = {one.row_number - 1: one for one in Repair.objects.all()}
    refused = set(Refusal.objects.values_list("row_number", flat=True))
    became = defaultdict(Counter)
    for number, rings in enumerate(made):
        kind, repair = KINDS[number % len(KINDS)].__name__, repairs.get(number)
        if number not in stored:
            assert number + 1 in refused
            assert repair is None or (repair.state, repair.taken) == ("proposed", False)
            became[kind]["waits"] += 1
            continue
        assert number + 1 not in refused
        if repair is None:  # a patch is judged in the system in which it is delivered
            delivered, held = np.concatenate(rings), shapely.get_coordinates(stored[number])
            there = np.column_stack(TO_DEGREES.transform(delivered[:, 0], delivered[:, 1]))
            apart = np.abs(there[:, None, :] - held[None, :, :]).max(axis=2)
            assert len(held) == len(there)
            assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 1e-11  # degrees: a micrometre
            became[kind]["unchanged"] += 1
            continue
        assert (repair.state, repair.taken, shapely.is_valid(stored[number])) == ("automatic", True, True)
        assert may[number] is not False, (number, kind)
        for reading in readings(rings):
            differs = shapely.symmetric_difference(in_degrees(reading).buffer(0), stored[number])
            assert area(differs) <= LIMIT + 1e-6, (number, kind, repair.change_m2)
            assert abs(area(in_degrees(reading)) - area(stored[number])) <= LIMIT + 1e-6
        assert area(differs) <= repair.change_m2 + 1e-6
        became[kind]["recorded"] += 1
    total = sum(became.values(), Counter())
    assert min(total["unchanged"], total["recorded"], total["waits"]) > COUNT / 10, dict(became)
    assert {kind for kind, counted in became.items() if counted["recorded"]} >= {"crossed_corner", "spike", "open_ring"}
