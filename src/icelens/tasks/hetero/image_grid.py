"""The grid on which images and volumes are compared, and transforms of images brought to it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.fourier.crop import crop_rfft
from icelens.core.fourier.shift import shift_images
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.optics.image_source import ImageSource
from icelens.core.optics.particle_ctf import slice_axes
from icelens.core.volumes.masks import sphere_mask

Rows = npt.NDArray[np.int64]

_EDGE_PX = 4.0
_LEAST_BOX = 16
_LEAST_OUTSIDE = 0.05
"""Of an image: with less beyond the window, its mean is the offset."""
_LEAST_DIAMETER_PX = 4.0
MOST_POWER = 400.0
"""Of the others' power: an image with more is an accident of the detector or of a conversion."""
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Grid:
    """Box and sampling on which images and volumes are compared."""

    box_size: int
    pixel_size: float
    radius: int


def choose_grid(
    particles: Particles,
    box_size: int | None,
    max_resolution: float | None,
    *,
    path: Path | None = None,
) -> Grid:
    """The grid of the first optics group, or a coarser one of the same width.

    Args:
        particles: All images.
        box_size: Side of the grid in px; None takes that of the smallest images.
        max_resolution: Finest detail in Å; None takes what the grid holds.
        path: Their file, for messages.

    Raises:
        MetadataError: If it would be finer than the images, or too small.
    """
    group = particles.optics[int(particles.optics_index[0])]
    smallest = int(particles.box_size().min())
    chosen = smallest - smallest % 2 if box_size is None else box_size
    whose = "" if path is None else f"{path}: "
    if smallest < _LEAST_BOX:
        raise MetadataError(
            f"{whose}images of {smallest} px, expected {_LEAST_BOX} or more; extract them with a "
            "larger box or finer pixels"
        )
    if chosen > smallest or chosen < _LEAST_BOX or chosen % 2:
        raise MetadataError(
            f"{whose}--box-size {chosen} for images of {smallest} px; expected an even number from "
            f"{_LEAST_BOX} to {smallest}"
        )
    pixel_size = group.box_size * group.pixel_size / chosen
    radius = chosen // 2 - 1
    if max_resolution is not None:
        radius = min(radius, int(chosen * pixel_size / max_resolution))
    if radius < 4:
        raise MetadataError(
            f"{whose}--max-resolution {max_resolution} leaves {radius} shells of a box of "
            f"{chosen * pixel_size:.0f} Å, expected 4 or more; choose a finer resolution"
        )
    return Grid(chosen, pixel_size, radius)


def centred_spectra(
    source: ImageSource, rows: Rows, grid: Grid
) -> tuple[Complex[Tensor, "row n n_half"], Float[Tensor, "row n n_half"]]:
    """Centred transforms and CTFs of rows of one optics group, cut to the grid.

    Grey values are taken to be those of one density: a transform is a sum over pixels, which are
    larger where a group's box is wider than the grid.
    """
    spectrum, transfer = source.read(rows)
    particles = source.particles
    own = float(particles.pixel_size()[rows[0]])
    shift = torch.from_numpy(particles.shift_yx[rows] / own).float().to(source.device)
    spectrum = shift_images(spectrum, shift)
    width = own * spectrum.shape[-2] / (grid.box_size * grid.pixel_size)
    grey = width**2 if abs(width - 1.0) > 1e-6 else 1.0
    side = spectrum.shape[-2]
    cut = crop_rfft(spectrum, side, grid.box_size)
    return cut * grey, crop_rfft(transfer, side, grid.box_size, power=0)


def grid_axes(
    particles: Particles, rows: Rows, grid: Grid, device: torch.device
) -> Float[Tensor, "row 3 3"]:
    """Where samples of images lie in the transform of a map on the grid; see `slice_axes`."""
    axes = slice_axes(particles, rows, box_size=grid.box_size, pixel_size=grid.pixel_size)
    return torch.from_numpy(axes).to(device, torch.float32)


def disc_window(grid: Grid, diameter: float) -> Float[Tensor, "y x"]:
    """1 within a disc about the centre pixel, falling to 0 beyond it over some pixels.

    Raises:
        GeometryError: If the diameter in Å is only some pixels.
    """
    if diameter < _LEAST_DIAMETER_PX * grid.pixel_size:
        raise GeometryError(
            f"--mask-diameter {diameter:g} Å is less than {_LEAST_DIAMETER_PX:g} px of "
            f"{grid.pixel_size:.3g} Å; give the diameter of the particle in Å, or leave it out"
        )
    shape = (grid.box_size, grid.box_size)
    radius = 0.5 * diameter / grid.pixel_size
    return sphere_mask(shape, pixel_size=1.0, radius=radius, edge=_EDGE_PX)


def windowed(
    spectrum: Complex[Tensor, "row n n_half"],
    window: Float[Tensor, "n n"],
    *,
    is_inverted: bool = False,
) -> Complex[Tensor, "row n n_half"]:
    """Transforms of images without their offset, which is that beyond a window, and windowed.

    An offset that stays would come out of the window as the transform of a disc.
    """
    images = image_from_rfft(spectrum, window.shape[-1])
    outside = 1.0 - window
    if float(outside.mean()) < _LEAST_OUTSIDE:
        outside = torch.ones_like(outside)
    offset = (images * outside).sum((-2, -1), keepdim=True) / outside.sum()
    rest = images - offset
    # of constant images transforms to and fro leave rounding
    is_constant = rest.abs().amax((-2, -1)) <= _ROUNDING * offset[:, 0, 0].abs()
    rest = torch.where(is_constant[:, None, None], 0.0, rest)
    sign = -1.0 if is_inverted else 1.0
    return image_rfft(rest * (sign * window))


def like_the_others(spectrum: Complex[Tensor, "row n n_half"]) -> Bool[Tensor, " row"]:
    """Which images hold something, are finite and not far stronger than most of these."""
    power = spectrum.abs().square().mean((-2, -1))
    is_known = power.isfinite() & (power > 0)
    if not bool(is_known.any()):
        return is_known
    return is_known & (power <= MOST_POWER * power[is_known].median())
