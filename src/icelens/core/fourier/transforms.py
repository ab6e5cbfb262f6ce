"""Fourier transforms whose phase origin is the centre voxel `n // 2`, in the order of `rfftn`.

A density centred on voxel `n // 2` has real, positive phases at low frequency; a shift is a linear
phase ramp; frequencies stay where `torch.fft.rfftfreq` puts them (zero first, not shifted).
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def image_rfft(image: Float[Tensor, "*batch y x"]) -> Complex[Tensor, "*batch y x_half"]:
    """Half transform of images about their centre pixel."""
    spectrum: Tensor = torch.fft.rfftn(torch.fft.ifftshift(image, dim=(-2, -1)), dim=(-2, -1))
    return spectrum


def image_from_rfft(
    spectrum: Complex[Tensor, "*batch y x_half"], num_x: int
) -> Float[Tensor, "*batch y {num_x}"]:
    """Invert `image_rfft`; `num_x` tells an even from an odd number of columns."""
    shape = (spectrum.shape[-2], num_x)
    image = torch.fft.irfftn(spectrum, s=shape, dim=(-2, -1))
    centred: Tensor = torch.fft.fftshift(image, dim=(-2, -1))
    return centred


def volume_rfft(volume: Float[Tensor, "*batch z y x"]) -> Complex[Tensor, "*batch z y x_half"]:
    """Half transform of volumes about their centre voxel."""
    axes = (-3, -2, -1)
    spectrum: Tensor = torch.fft.rfftn(torch.fft.ifftshift(volume, dim=axes), dim=axes)
    return spectrum


def volume_from_rfft(
    spectrum: Complex[Tensor, "*batch z y x_half"], num_x: int
) -> Float[Tensor, "*batch z y {num_x}"]:
    """Invert `volume_rfft`; `num_x` tells an even from an odd number of columns."""
    shape = (*spectrum.shape[-3:-1], num_x)
    volume = torch.fft.irfftn(spectrum, s=shape, dim=(-3, -2, -1))
    centred: Tensor = torch.fft.fftshift(volume, dim=(-3, -2, -1))
    return centred
