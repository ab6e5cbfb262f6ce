"""The map of views is bright where particles are seen from, and even where they are even."""

import numpy as np
import pytest
import torch

from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.geometry.rotations import random_rotations
from icelens.core.plots.views import view_distribution


def drawn(rotation: np.ndarray) -> np.ndarray:
    """Density on the map, rows of latitude from south to north."""
    figure = view_distribution(rotation, title="views")
    figure.canvas.draw()
    (mesh,) = figure.axes[0].collections
    return np.asarray(mesh.get_array()).reshape(180, 360)


def test_even_views_make_an_even_map() -> None:
    generator = torch.Generator().manual_seed(0)
    rotation = random_rotations(30_000, generator, dtype=torch.float64).numpy()
    density = drawn(rotation)
    weight = np.cos(np.deg2rad(np.arange(-89.5, 90)))[:, None] * np.ones(360)
    assert np.average(density, weights=weight) == pytest.approx(1.0, abs=0.02)
    assert density.std() < 0.6


@pytest.mark.parametrize(("rot", "tilt"), [(60.0, 30.0), (-120.0, 90.0), (10.0, 150.0)])
def test_a_preferred_view_is_drawn_at_its_longitude_and_latitude(rot: float, tilt: float) -> None:
    psi = np.arange(0.0, 360.0, 0.1)
    angles = np.stack([np.full_like(psi, rot), np.full_like(psi, tilt), psi], axis=1)
    row, column = np.unravel_index(drawn(matrices_from_relion_angles(angles)).argmax(), (180, 360))
    # cells of the map are up to 8 degrees wide
    assert row - 90 == pytest.approx(90.0 - tilt, abs=9.0)
    assert (column - 180 - rot + 180) % 360 - 180 == pytest.approx(0.0, abs=12.0)


def test_a_few_or_no_views_are_drawn_too() -> None:
    assert not drawn(np.empty((0, 3, 3))).any()
    assert drawn(np.eye(3)[None]).max() > 1.0
