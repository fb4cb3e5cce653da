"""The fast way from metres to degrees is PROJ's way."""

import numpy as np
import pyproj
import pytest

from importers.conformal import fitted
from importers.shaping import Projection


@pytest.mark.parametrize("epsg", [4527, 4548, 4509, 4534])
@pytest.mark.parametrize("south", [2_000_000.0, 4_320_000.0, 5_900_000.0])
@pytest.mark.parametrize("aside", [-130_000.0, 0.0, 90_000.0])
def test_it_is_within_a_micrometre_of_proj(epsg, south, aside):
    transformer = pyproj.Transformer.from_crs(epsg, 4490, always_xy=True)
    projection = Projection(epsg, 4527)
    west = projection.easting + aside
    found = fitted(transformer, (west, south, west + 60_000, south + 45_000))
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(west, west + 60_000, 5_000), rng.uniform(south, south + 45_000, 5_000)])
    exact = np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
    assert np.abs(found.degrees(points) - exact).max() < 2e-12


def test_too_wide_an_extent_and_points_outside_are_left_to_proj():
    transformer = pyproj.Transformer.from_crs(4527, 4490, always_xy=True)
    assert fitted(transformer, (39_400_000.0, 4_000_000.0, 39_600_000.0, 4_100_000.0)) is None
    assert fitted(transformer, (39_400_000.0, 4_000_000.0, 39_400_000.0, 4_100_000.0)) is None
    found = fitted(transformer, (39_500_000.0, 4_320_000.0, 39_520_000.0, 4_340_000.0))
    assert found.covers(np.array([[39_510_000.0, 4_330_000.0]]))
    assert not found.covers(np.array([[39_510_000.0, 4_330_000.0], [39_530_000.0, 4_330_000.0]]))
    assert not found.covers(np.array([[np.nan, 4_330_000.0]]))
