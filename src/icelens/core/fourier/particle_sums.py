"""Add particle images of any optics to the sums that a map is made of."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.shift import shift_images
from icelens.core.optics.image_source import ImageSource
from icelens.core.optics.particle_ctf import aberration_phases, particle_ctf, slice_axes

Rows = npt.NDArray[np.int64]

_PIXELS_AT_ONCE = 1 << 22
"""Of the images that are inserted together: many meet in a piece of the grid."""


def insert_particles(
    sums: SliceSums,
    source: ImageSource,
    rows: Rows,
    *,
    pixel_size: float,
    on_done: Callable[[int], None],
    is_ctf_used: bool = True,
) -> None:
    """Add rows at their poses and with their weights; images that are not finite count nothing.

    Images of another box or pixel size find their place by their frequencies in 1/Å.

    Args:
        sums: Of a map with `pixel_size`.
        source: The images.
        rows: Which.
        pixel_size: Of the map, in Å/px.
        on_done: Hears how many rows are done.
        is_ctf_used: False takes the CTF to be one everywhere.
    """
    particles = source.particles
    done = 0
    largest = int(particles.box_size()[rows].max()) if len(rows) else 1
    for part in of_one_optics_group(particles, rows, max(1, _PIXELS_AT_ONCE // largest**2)):
        images = torch.from_numpy(source.reader.read(part))
        is_good = ~np.isin(part, list(source.reader.bad_rows))
        insert_images(
            sums,
            images,
            particles,
            part,
            pixel_size=pixel_size,
            weight=torch.from_numpy(is_good).float(),
            is_ctf_used=is_ctf_used,
        )
        done += len(part)
        on_done(done)


def of_one_optics_group(particles: Particles, rows: Rows, count: int) -> Iterator[Rows]:
    """The rows in pieces of at most `count`, each of one optics group."""
    index = particles.optics_index[rows]
    for group in np.unique(index):
        of_group = rows[index == group]
        for start in range(0, len(of_group), count):
            yield of_group[start : start + count]


def insert_images(
    sums: SliceSums,
    images: Float[Tensor, "row n n"],
    particles: Particles,
    rows: Rows,
    *,
    pixel_size: float,
    weight: Float[Tensor, " row"] | None = None,
    is_ctf_used: bool = True,
) -> None:
    """Add images to sums, wherever their optics and poses say.

    Images of another pixel size or box go where their frequency in 1/Å lies. Grey values are taken
    to be those of one density, and noise to be as strong in a pixel of each, so that samples of
    fewer and larger pixels, or of smaller boxes, count accordingly.

    Args:
        sums: Of a map; on the device to compute on.
        images: As in the stacks, protein bright, not shifted; one box size.
        particles: All images.
        rows: Number of each image.
        pixel_size: Of the map, in Å/px.
        weight: How much each image counts, beyond `particles.weight`.
        is_ctf_used: False takes the CTF to be one everywhere.

    Raises:
        GeometryError: If the images are not those of the rows.
    """
    box_size = images.shape[-1]
    if len(images) != len(rows) or (particles.box_size()[rows] != box_size).any():
        raise GeometryError(
            f"{len(images)} images of {box_size} px for {len(rows)} rows of "
            f"{np.unique(particles.box_size()[rows])} px; give the rows' own images"
        )
    is_premultiplied = particles.is_premultiplied()[rows] & is_ctf_used
    sizes = particles.pixel_size()[rows]
    for multiplied in (False, True):
        for size in np.unique(sizes[is_premultiplied == multiplied]):
            places = np.flatnonzero((is_premultiplied == multiplied) & (sizes == size))
            chosen = torch.from_numpy(places).to(images.device)
            is_all = len(places) == len(rows)
            _insert_alike(
                sums,
                images if is_all else images[chosen],
                particles,
                rows[places],
                pixel_size,
                None if weight is None else weight.to(images.device)[chosen],
                is_ctf_used=is_ctf_used,
                is_premultiplied=multiplied,
            )


def _insert_alike(
    sums: SliceSums,
    images: Float[Tensor, "row n n"],
    particles: Particles,
    rows: Rows,
    pixel_size: float,
    weight: Float[Tensor, " row"] | None,
    *,
    is_ctf_used: bool,
    is_premultiplied: bool,
) -> None:
    """Add images of one box and pixel size."""
    device, box_size = sums.values.device, images.shape[-1]
    own_size = float(particles.pixel_size()[rows[0]])
    spectrum = torch.fft.rfftn(images.to(device), dim=(-2, -1))
    phases = aberration_phases(
        particles, rows, box_size=box_size, pixel_size=own_size, device=device
    )
    if phases is not None:
        spectrum = spectrum * phases.conj()
    # the phase origin goes to the centre in the same ramp that centres the particle
    shift_yx_px = particles.shift_yx[rows] / own_size - box_size // 2
    spectrum = shift_images(spectrum, torch.from_numpy(shift_yx_px).to(device, torch.float32))
    transfer = None
    if is_ctf_used:
        transfer = particle_ctf(
            particles, rows, box_size=box_size, pixel_size=own_size, device=device
        )
    counted = torch.from_numpy(particles.weight[rows]).to(device, torch.float32)
    if weight is not None:
        counted = counted * weight.to(counted)
    # a transform is a sum over pixels: fewer and larger ones sum to less
    grey = (own_size / pixel_size) ** 2
    if grey != 1.0:
        spectrum = spectrum * grey
    # and its noise grows with the root of their number
    counted = counted * (sums.box_size / (box_size * grey)) ** 2
    axes = slice_axes(particles, rows, box_size=sums.box_size, pixel_size=pixel_size)
    sums.insert(
        spectrum,
        transfer,
        torch.from_numpy(axes).to(device, torch.float32),
        counted,
        is_premultiplied=is_premultiplied,
    )
