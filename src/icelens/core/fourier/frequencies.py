"""Frequencies of the samples of a half transform, and which resolution each shell stands for.

Boxes may have three different sides. A shell is as thick as one sample along the longest side, so
that its number means the same spatial frequency along every axis.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError

Shape = tuple[int, int, int]
Device = torch.device | str


def frequency_axes(
    shape: Shape, *, device: Device = "cpu"
) -> tuple[Float[Tensor, "z 1 1"], Float[Tensor, "y 1"], Float[Tensor, " x_half"]]:
    """Frequencies in cycles/px along z, y and x, ready to broadcast; zero first, not shifted."""
    num_z, num_y, num_x = shape
    return (
        torch.fft.fftfreq(num_z, device=device)[:, None, None],
        torch.fft.fftfreq(num_y, device=device)[:, None],
        torch.fft.rfftfreq(num_x, device=device),
    )


def frequency_radius(
    shape: Shape, *, pixel_size: float = 1.0, device: Device = "cpu"
) -> Float[Tensor, "z y x_half"]:
    """Length of the frequency vector of each sample: cycles/px, or 1/Å if `pixel_size` is given."""
    z, y, x = frequency_axes(shape, device=device)
    radius: Tensor = (z**2 + y**2 + x**2).sqrt() / pixel_size
    return radius


def nyquist(pixel_size: float) -> float:
    """Highest spatial frequency in 1/Å that an axis sampled every `pixel_size` Å can hold."""
    return 0.5 / pixel_size


def num_shells(shape: Shape) -> int:
    """Shells from zero to the Nyquist frequency; the corners of the box lie beyond the last."""
    return max(shape) // 2 + 1


def shell_frequencies(shape: Shape, *, pixel_size: float) -> Float[Tensor, " shell"]:
    """Spatial frequency in 1/Å of the middle of each shell."""
    return torch.arange(num_shells(shape), dtype=torch.float64) / (max(shape) * pixel_size)


def shell_of_resolution(resolution: float, shape: Shape, *, pixel_size: float) -> int:
    """Number of the shell that holds a resolution in Å.

    Raises:
        GeometryError: If the resolution is not positive or finer than the sampling allows.
    """
    finest = 2.0 * pixel_size
    # header and STAR agree on a pixel size to 1 %: the same slack here
    if not resolution >= finest * 0.99:
        raise GeometryError(
            f"resolution {resolution:g} Å cannot be held at {pixel_size:g} Å/px, "
            f"expected {finest:g} Å (Nyquist) or coarser"
        )
    return min(int(max(shape) * pixel_size / resolution + 0.5), num_shells(shape) - 1)


def resolution_of_shell(shell: int, shape: Shape, *, pixel_size: float) -> float:
    """Resolution in Å of the middle of a shell; infinite for shell 0."""
    return max(shape) * pixel_size / shell if shell else float("inf")
