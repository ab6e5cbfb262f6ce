import pytest
import torch
from pose_world import blobs

from icelens.core.errors import GeometryError
from icelens.core.refinement.coarse_resolution import coarse_radius
from icelens.core.refinement.refiner_settings import RefinerSettings


def test_finer_steps_and_smaller_particles_are_searched_at_finer_resolution() -> None:
    volume = blobs()
    radii = [
        coarse_radius(volume, 192.0, 16, RefinerSettings(angular_step=step)) for step in (8, 4, 1)
    ]
    assert radii == sorted(radii)
    assert radii[0] < radii[-1] <= 16


def test_scale_of_the_reference_does_not_matter() -> None:
    settings = RefinerSettings(angular_step=4.0)
    volume = blobs()
    assert coarse_radius(volume, 192.0, 16, settings) == coarse_radius(
        50.0 * volume, 192.0, 16, settings
    )


def test_empty_reference_is_refused() -> None:
    with pytest.raises(GeometryError, match="empty within its mask"):
        coarse_radius(torch.zeros(8, 8, 8), 48.0, 4, RefinerSettings())
