import pytest
import torch

from icelens.core.fourier import channel_slices
from icelens.core.fourier.channel_slices import add_channels, corners_of, read_channels
from icelens.core.fourier.slices import central_slices, slice_source
from icelens.core.geometry.rotations import random_rotations
from icelens.core.refinement.samples import disc_samples

BOX, PADDING = 10, 2
SIZE = PADDING * BOX
POINTS = SIZE * SIZE * (SIZE // 2 + 1)


def _corners(count: int = 5):
    samples = disc_samples(BOX, BOX // 2 - 1)
    rotation = random_rotations(count, torch.Generator().manual_seed(1))
    return rotation, samples, corners_of(rotation[:, :2], PADDING * samples.frequency_xy, SIZE)


def test_channels_are_read_as_central_slices_of_each() -> None:
    generator = torch.Generator().manual_seed(0)
    volumes = torch.randn(3, BOX, BOX, BOX, generator=generator)
    sources = [slice_source(volume, padding=PADDING) for volume in volumes]
    table = torch.cat([torch.view_as_real(each).reshape(POINTS, 2) for each in sources], dim=1)
    rotation, samples, corners = _corners()
    found = read_channels(table, corners).view(len(rotation), -1, 3, 2)
    sign = corners.sign.view(len(rotation), -1, 1)
    for channel, source in enumerate(sources):
        expected = samples.of(central_slices(source, rotation))
        mates = torch.complex(found[..., channel, 0], sign[..., 0] * found[..., channel, 1])
        torch.testing.assert_close(mates, expected, rtol=1e-4, atol=1e-3)


def test_weights_of_corners_sum_to_one() -> None:
    _, _, corners = _corners()
    torch.testing.assert_close(corners.weight.sum(1), torch.ones(len(corners.weight)))
    assert int(corners.index.min()) >= 0
    assert int(corners.index.max()) < POINTS


@pytest.mark.parametrize("has_scipy", [True, False])
def test_adding_is_the_adjoint_of_reading(
    monkeypatch: pytest.MonkeyPatch, *, has_scipy: bool
) -> None:
    if not has_scipy:
        monkeypatch.setattr(channel_slices, "csc_matvecs", None)
    generator = torch.Generator().manual_seed(0)
    _, _, corners = _corners()
    table = torch.randn(POINTS, 4, generator=generator)
    numbers = torch.randn(len(corners.sign), 4, generator=generator)
    added = torch.zeros(POINTS, 4)
    add_channels(added, corners, numbers)
    forward = (read_channels(table, corners) * numbers).double().sum(0)
    backward = (table * added).double().sum(0)
    torch.testing.assert_close(forward, backward, rtol=1e-4, atol=1e-3)


def test_gradients_reach_poses() -> None:
    samples = disc_samples(BOX, BOX // 2 - 1)
    axes = random_rotations(2, torch.Generator().manual_seed(3))[:, :2].requires_grad_()
    corners = corners_of(axes, PADDING * samples.frequency_xy, SIZE)
    table = torch.randn(POINTS, 2, generator=torch.Generator().manual_seed(4))
    read_channels(table, corners).square().sum().backward()
    assert axes.grad is not None
    assert float(axes.grad.abs().sum()) > 0
