import pytest
import torch
from pose_world import blobs

from icelens.core.errors import GeometryError
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.geometry.rotations import random_rotations
from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.refinement.reference import masked_reference, slice_table
from icelens.core.refinement.samples import disc_samples


@pytest.mark.parametrize(("box_size", "radius"), [(24, 12), (25, 12), (24, 6)])
def test_table_gives_the_slices_of_the_volume(box_size: int, radius: int) -> None:
    volume = blobs(box_size)
    rotation = random_rotations(6, torch.Generator().manual_seed(1))
    samples = disc_samples(box_size, radius)
    expected = samples.of(central_slices(slice_source(volume), rotation))
    table = slice_table(volume, radius=samples.radius, padding=2, is_linear=True)
    value, _ = table.interpolated(rotation, samples.frequency_xy)
    # slices end at a radius of n // 2, an odd box holds a little more
    value = torch.where(expected == 0, 0.0, value)
    # the coarse table crops the transform before it is padded: hardly another interpolation
    assert float((value - expected).norm() / expected.norm()) < (1e-5 if radius == 12 else 1e-3)


def test_gradient_is_that_of_the_interpolated_slice() -> None:
    volume = blobs(24)
    rotation = random_rotations(3, torch.Generator().manual_seed(2))
    samples = disc_samples(24, 9)
    table = slice_table(volume, radius=samples.radius, padding=2, is_linear=True)
    # in the middle of cells, so that small steps stay within them
    frequency = samples.frequency_xy
    value, gradient = table.interpolated(rotation, frequency)
    step = 1e-3
    turned = rotation_from_vector(torch.tensor([0.0, 0.0, step])) @ rotation
    moved, _ = table.interpolated(turned, frequency)
    in_image = rotation.to(gradient.dtype) @ gradient
    predicted = in_image[:, 0] * frequency[1] - in_image[:, 1] * frequency[0]
    error = ((moved - value) / step - predicted).norm() / predicted.norm()
    assert float(error) < 0.05


def test_nearest_samples_are_good_enough_to_choose_by() -> None:
    volume = blobs(24)
    rotation = random_rotations(6, torch.Generator().manual_seed(1))
    samples = disc_samples(24, 8)
    expected = samples.of(central_slices(slice_source(volume), rotation))
    table = slice_table(volume, radius=samples.radius, padding=4, is_linear=False)
    found = table.nearest(rotation, samples.frequency_xy)
    assert float((found - expected).norm() / expected.norm()) < 0.1


def test_mask_diameter_is_a_diameter() -> None:
    masked = masked_reference(torch.ones(32, 32, 32), 20.0)
    axis = torch.arange(32) - 16
    distance = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).float().sqrt()
    assert float(masked[distance >= 10.0].abs().max()) == 0.0
    assert float(masked[distance <= 5.0].min()) == 1.0


def test_reference_that_is_no_cube_is_refused() -> None:
    with pytest.raises(GeometryError, match="expected a cube"):
        slice_table(torch.zeros(4, 6, 6), radius=2, padding=2, is_linear=True)
