"""Fewer, larger pixels: keep the middle of an image's or volume's transform; grey values stay."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from icelens.core.errors import GeometryError


def crop_images(
    images: Float[Tensor, "*batch n n"], box_size: int
) -> Float[Tensor, "*batch {box_size} {box_size}"]:
    """Square images on a grid of `box_size` pixels that spans the same field.

    Pixel `n // 2` becomes pixel `box_size // 2`. Frequencies beyond the new Nyquist frequency are
    left out, all others keep their amplitudes, so that mean and contrast do.

    Args:
        images: Of any even or odd side.
        box_size: Wanted side in px, at most that of the images.

    Raises:
        GeometryError: If the images are smaller.
    """
    return _cropped(images, box_size, 2)


def crop_volumes(
    volumes: Float[Tensor, "*batch n n n"], box_size: int
) -> Float[Tensor, "*batch {box_size} {box_size} {box_size}"]:
    """Cubic volumes on a grid of `box_size` voxels along a side; as `crop_images`.

    Raises:
        GeometryError: If the volumes are smaller.
    """
    return _cropped(volumes, box_size, 3)


def _cropped(values: Tensor, box_size: int, num_axes: int) -> Tensor:
    side = values.shape[-1]
    if not 1 <= box_size <= side:
        raise GeometryError(
            f"a box of {side} px cannot be brought to {box_size} px by leaving out frequencies, "
            f"expected 1 to {side}"
        )
    if box_size == side:
        return values
    axes = tuple(range(-num_axes, 0))
    spectrum = torch.fft.rfftn(torch.fft.ifftshift(values, dim=axes), dim=axes)
    spectrum = spectrum[..., : box_size // 2 + 1]
    for axis in axes[:-1]:
        spectrum = _middle(spectrum, box_size, axis)
    if box_size % 2 == 0:
        spectrum = _with_real_nyquist(spectrum, axes[:-1])
    spectrum = spectrum * (box_size / side) ** num_axes
    cropped = torch.fft.irfftn(spectrum, s=(box_size,) * num_axes, dim=axes)
    centred: Tensor = torch.fft.fftshift(cropped, dim=axes)
    return centred


def _middle(spectrum: Complex[Tensor, "..."], box_size: int, axis: int) -> Complex[Tensor, "..."]:
    """Frequencies `-box_size // 2` to `(box_size - 1) // 2` of an axis, zero first.

    Of an even box the two Nyquist frequencies fall on one sample, which gets their mean.
    """
    side, below = spectrum.shape[axis], box_size // 2
    low = spectrum.narrow(axis, 0, box_size - below)
    high = spectrum.narrow(axis, side - below, below)
    if box_size % 2 == 0:
        other = spectrum.narrow(axis, below, 1)
        first = 0.5 * (high.narrow(axis, 0, 1) + other)
        high = torch.cat([first, high.narrow(axis, 1, below - 1)], dim=axis)
    return torch.cat([low, high], dim=axis)


def _with_real_nyquist(
    spectrum: Complex[Tensor, "..."], axes: tuple[int, ...]
) -> Complex[Tensor, "..."]:
    """The last column as that of a real box: mean of both Nyquist frequencies of x."""
    column = spectrum[..., -1:]
    # the sample of minus the frequency; zero stays where it is
    mate = torch.roll(column.flip(axes), [1] * len(axes), axes).conj()
    return torch.cat([spectrum[..., :-1], 0.5 * (column + mate)], dim=-1)
