"""The next place is found in memory as PostGIS finds it, however many there are."""

import numpy as np
import pytest
import shapely
from shapely.geometry import box

from units.criteria import nearness


@pytest.mark.parametrize("many", [0, 500])
def test_the_distance_is_that_of_comparing_every_shape_with_every_place(monkeypatch, many):
    monkeypatch.setattr(nearness, "MANY", many)
    monkeypatch.setattr(nearness, "CHUNK", 7)
    rng = np.random.default_rng(6)
    corners = rng.uniform(0, 6000, (60, 2))
    shapes = np.array([box(x, y, x + 90, y + 40) for x, y in corners[:40]], dtype=object)
    # long slanting places, whose boxes are near where they are not
    places = np.array(
        [shapely.buffer(shapely.LineString([(x, y), (x + 900, y + 900)]), 5) for x, y in corners[40:]], dtype=object
    )
    places[0] = shapely.buffer(shapes[3].centroid, 1)
    found = nearness.distances(shapes, places)
    every = shapely.distance(shapes[:, None], places[None, :]).min(axis=1)
    assert np.allclose(found, np.minimum(every, nearness.FAR), atol=1e-9)
    assert found[3] == 0
    assert nearness.distances(shapes, places[:1]).max() == nearness.FAR  # nobody asks how far beyond it is
    emptied = np.append(places, shapely.MultiPolygon())
    assert np.allclose(nearness.distances(shapes, emptied), found, atol=1e-9)
    assert nearness.distances(shapes, emptied[-1:]).min() == nearness.FAR
