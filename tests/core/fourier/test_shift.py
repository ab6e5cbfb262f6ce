import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.transforms import image_from_rfft, image_rfft


@pytest.mark.parametrize("box_size", [16, 17])
def test_whole_pixels_move_as_on_a_ring(box_size: int) -> None:
    images = torch.randn(3, box_size, box_size)
    shift_yx = torch.tensor([[2.0, 0.0], [0.0, -3.0], [5.0, 1.0]])
    moved = image_from_rfft(shift_images(image_rfft(images), shift_yx), box_size)
    for image, result, (y, x) in zip(images, moved, shift_yx.int().tolist(), strict=True):
        assert torch.allclose(result, image.roll((y, x), (0, 1)), atol=1e-5)


def test_fractions_of_a_pixel_add_up() -> None:
    spectrum = image_rfft(torch.randn(2, 15, 15, dtype=torch.float64))
    part = torch.tensor([[0.3, -0.4], [1.7, 0.25]], dtype=torch.float64)
    twice = shift_images(shift_images(spectrum, part), part)
    assert torch.allclose(twice, shift_images(spectrum, 2 * part))
    assert torch.allclose(shift_images(twice, -2 * part), spectrum)


def test_a_blob_moves_by_the_shift() -> None:
    axis = torch.arange(32) - 16.0
    image = torch.exp(-(axis[:, None] ** 2 + axis**2) / 8)
    shift = torch.tensor([2.3, -4.6])
    moved = image_from_rfft(shift_images(image_rfft(image), shift), 32)
    expected = torch.exp(-((axis[:, None] - 2.3) ** 2 + (axis + 4.6) ** 2) / 8)
    assert torch.allclose(moved, expected, atol=1e-5)


def test_images_must_be_square() -> None:
    with pytest.raises((GeometryError, TypeError), match=r"square|Type-check"):
        shift_images(image_rfft(torch.zeros(8, 12)), torch.zeros(2))
