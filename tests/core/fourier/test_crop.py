"""Cropped transforms: the same field on fewer pixels, with the same grey values."""

import numpy as np
import pytest
import torch

from icelens.core.errors import GeometryError
from icelens.core.fourier.crop import crop_images, crop_rfft, crop_volumes, resize_rfft
from icelens.core.fourier.transforms import image_rfft, volume_from_rfft, volume_rfft


def central_block(images: np.ndarray, box_size: int) -> np.ndarray:
    """The same by a full transform in double precision."""
    axes = tuple(range(-(images.ndim - 1), 0))
    spectrum = np.fft.fftshift(np.fft.fftn(np.fft.ifftshift(images, axes), axes=axes), axes)
    last = box_size % 2 == 0 and box_size < images.shape[-1]
    start = images.shape[-1] // 2 - box_size // 2
    for axis in axes:
        block = np.take(spectrum, range(start, start + box_size + last), axis)
        if last:  # both Nyquist frequencies become one sample
            ends = np.take(block, [0, box_size], axis).mean(axis, keepdims=True)
            block = np.concatenate([ends, np.take(block, range(1, box_size), axis)], axis)
        spectrum = block
    small = np.fft.ifftn(np.fft.ifftshift(spectrum, axes), axes=axes)
    scale = (box_size / images.shape[-1]) ** len(axes)
    return np.fft.fftshift(small, axes).real * scale


@pytest.mark.parametrize(("side", "box_size"), [(16, 8), (16, 7), (15, 8), (15, 7), (9, 8), (8, 8)])
def test_images_are_the_central_block_of_their_transform(side, box_size):
    images = np.random.default_rng(0).normal(3.0, 1.0, (3, side, side))
    cropped = crop_images(torch.from_numpy(images).float(), box_size).numpy()
    assert np.allclose(cropped, central_block(images, box_size), atol=2e-6)


@pytest.mark.parametrize(("side", "box_size"), [(12, 6), (12, 5), (11, 6), (11, 5)])
def test_volumes_are_the_central_block_of_their_transform(side, box_size):
    volumes = np.random.default_rng(0).normal(3.0, 1.0, (2, side, side, side))
    cropped = crop_volumes(torch.from_numpy(volumes).float(), box_size).numpy()
    assert np.allclose(cropped, central_block(volumes, box_size), atol=2e-6)


@pytest.mark.parametrize(("side", "box_size"), [(64, 32), (64, 25), (65, 32)])
def test_smooth_blob_keeps_place_and_height(side, box_size):
    def blob(count: int) -> torch.Tensor:
        axis = (torch.arange(count) - count // 2) * (side / count)
        return (
            5.0 * torch.exp(-((axis[:, None] - 4.0) ** 2 + (axis + 3.0) ** 2) / (2 * 4.0**2)) + 7.0
        )

    small = crop_images(blob(side), box_size)
    assert torch.allclose(small, blob(box_size), atol=2e-3)
    assert float(small.mean()) == pytest.approx(float(blob(side).mean()), abs=1e-5)


def test_larger_box_is_refused():
    with pytest.raises(GeometryError, match="expected 1 to 8"):
        crop_images(torch.zeros(8, 8), 9)


def test_factors_on_a_transform_keep_their_values():
    radius = torch.hypot(torch.fft.fftfreq(16)[:, None], torch.fft.rfftfreq(16))
    small = torch.hypot(torch.fft.fftfreq(8)[:, None], torch.fft.rfftfreq(8)) / 2
    assert torch.allclose(crop_rfft(radius, 16, 8, power=0), small)


def test_cropped_transforms_are_those_of_cropped_images():
    images = torch.randn(2, 12, 12, generator=torch.Generator().manual_seed(0))
    found = crop_rfft(image_rfft(images), 12, 8)
    assert torch.allclose(found, image_rfft(crop_images(images, 8)), atol=1e-5)


def test_filled_up_transforms_are_as_before_when_cut_but_for_nyquist():
    volume = torch.randn(2, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    spectrum = volume_rfft(volume)
    again = resize_rfft(resize_rfft(spectrum, 12), 8)
    inner = [0, 1, 2, 3, 5, 6, 7]
    kept = spectrum[:, inner][:, :, inner][..., :4]
    assert torch.allclose(again[:, inner][:, :, inner][..., :4], kept)
    assert not again[:, 4].any()
    assert not again[:, :, 4].any()
    assert not again[..., 4].any()
    # the same density, sampled more finely
    fine = volume_from_rfft(resize_rfft(again, 16), 16) * 2**3
    assert torch.allclose(fine[:, ::2, ::2, ::2], volume_from_rfft(again, 8), atol=1e-5)
