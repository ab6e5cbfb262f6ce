"""Other samplings of the same field: transforms of images and volumes cut, or filled up with zeros.

Half transforms here have their phase origin in the centre (`transforms.py`).
"""

import torch
from jaxtyping import Complex, Float, Num
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.fourier.transforms import (
    image_from_rfft,
    image_rfft,
    volume_from_rfft,
    volume_rfft,
)


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
    if images.shape[-1] == box_size:
        return images
    return image_from_rfft(crop_rfft(image_rfft(images), images.shape[-1], box_size), box_size)


def crop_volumes(
    volumes: Float[Tensor, "*batch n n n"], box_size: int
) -> Float[Tensor, "*batch {box_size} {box_size} {box_size}"]:
    """Cubic volumes on a grid of `box_size` voxels along a side; as `crop_images`.

    Raises:
        GeometryError: If the volumes are smaller.
    """
    side = volumes.shape[-1]
    if side == box_size:
        return volumes
    spectrum = crop_rfft(volume_rfft(volumes), side, box_size, num_axes=3)
    return volume_from_rfft(spectrum, box_size)


def crop_rfft(
    spectrum: Num[Tensor, "..."], side: int, box_size: int, *, num_axes: int = 2, power: int = 1
) -> Num[Tensor, "..."]:
    """Low frequencies of half transforms, or of real factors on them.

    Of an even box the two Nyquist frequencies of an axis fall on one sample, which gets their mean.

    Args:
        spectrum: Half transforms of images or volumes of `side` px; leading axes are a batch.
        side: Of these, in px; the columns of a half transform do not tell even from odd.
        box_size: Wanted side in px, at most that.
        num_axes: 2 of images, 3 of volumes.
        power: 1 for transforms, which are sums over pixels, of which there are fewer then: grey
            values are kept; 0 for factors, which stay.

    Raises:
        GeometryError: If they are smaller.
    """
    if not 1 <= box_size <= side:
        raise GeometryError(
            f"a box of {side} px cannot be brought to {box_size} px by leaving out frequencies, "
            f"expected 1 to {side}; choose a smaller box"
        )
    if box_size == side:
        return spectrum
    axes = tuple(range(-num_axes, -1))
    spectrum = spectrum[..., : box_size // 2 + 1]
    for axis in axes:
        spectrum = _middle(spectrum, box_size, axis)
    if box_size % 2 == 0:
        spectrum = _with_real_nyquist(spectrum, axes)
    return spectrum * (box_size / side) ** (num_axes * power)


def resize_rfft(
    spectrum: Complex[Tensor, "*batch n n n_half"], box_size: int
) -> Complex[Tensor, "*batch {box_size} {box_size} m_half"]:
    """Half transforms of even cubes, cut or filled up with zeros; their values stay as they are.

    Nyquist planes, whose phase is not known, are left out: cut after filled up is as before.

    Args:
        spectrum: Half transforms of volumes.
        box_size: Even side in px, smaller or larger.
    """
    old = spectrum.shape[-2]
    if old == box_size:
        return spectrum
    half = min(old, box_size) // 2
    shape = (*spectrum.shape[:-3], box_size, box_size, box_size // 2 + 1)
    result = spectrum.new_zeros(shape)
    index = torch.arange(-half + 1, half, device=spectrum.device)
    z, y = index[:, None] % box_size, index % box_size
    z_old, y_old = index[:, None] % old, index % old
    result[..., z, y, :half] = spectrum[..., z_old, y_old, :half]
    return result


def _middle(spectrum: Num[Tensor, "..."], box_size: int, axis: int) -> Num[Tensor, "..."]:
    """Frequencies `-box_size // 2` to `(box_size - 1) // 2` of an axis, zero first."""
    side, below = spectrum.shape[axis], box_size // 2
    low = spectrum.narrow(axis, 0, box_size - below)
    high = spectrum.narrow(axis, side - below, below)
    if box_size % 2 == 0:
        other = spectrum.narrow(axis, below, 1)
        first = 0.5 * (high.narrow(axis, 0, 1) + other)
        high = torch.cat([first, high.narrow(axis, 1, below - 1)], dim=axis)
    return torch.cat([low, high], dim=axis)


def _with_real_nyquist(spectrum: Num[Tensor, "..."], axes: tuple[int, ...]) -> Num[Tensor, "..."]:
    """The last column as that of a real box: mean of both Nyquist frequencies of x."""
    column = spectrum[..., -1:]
    # the sample of minus the frequency; zero stays where it is
    mate = torch.roll(column.flip(axes), [1] * len(axes), axes).conj()
    return torch.cat([spectrum[..., :-1], 0.5 * (column + mate)], dim=-1)
