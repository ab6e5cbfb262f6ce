import pytest
import torch

from icelens.core.fourier.transforms import (
    image_from_rfft,
    image_rfft,
    volume_from_rfft,
    volume_rfft,
)


@pytest.mark.parametrize("shape", [(8, 8, 8), (7, 6, 5), (4, 9, 10)])
def test_volume_transform_inverts(shape: tuple[int, int, int]) -> None:
    volume = torch.randn(2, *shape)
    again = volume_from_rfft(volume_rfft(volume), shape[2])
    assert torch.allclose(again, volume, atol=1e-5)  # float32 FFT


@pytest.mark.parametrize("shape", [(8, 8), (7, 5), (6, 9)])
def test_image_transform_inverts(shape: tuple[int, int]) -> None:
    image = torch.randn(3, *shape)
    assert torch.allclose(image_from_rfft(image_rfft(image), shape[1]), image, atol=1e-5)


@pytest.mark.parametrize("n", [8, 9])
def test_phase_origin_is_the_centre_voxel(n: int) -> None:
    volume = torch.zeros(n, n, n)
    volume[n // 2, n // 2, n // 2] = 1.0
    assert torch.allclose(volume_rfft(volume), torch.ones(n, n, n // 2 + 1) + 0j, atol=1e-6)
    assert torch.allclose(image_rfft(volume[n // 2]), torch.ones(n, n // 2 + 1) + 0j, atol=1e-6)


def test_frequencies_stay_unshifted() -> None:
    volume = torch.randn(6, 6, 6)
    assert torch.isclose(volume_rfft(volume)[0, 0, 0].real, volume.sum(), atol=1e-4)
