"""Add particle images of any optics to the sums that a map is made of."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.shift import shift_images
from icelens.core.optics.image_source import ImageSource
from icelens.core.optics.particle_ctf import slice_axes

Integers = npt.NDArray[np.int64]

_IMAGES_AT_ONCE = 256


def insert_particles(
    sums: SliceSums,
    source: ImageSource,
    rows: Integers,
    *,
    pixel_size: float,
    on_done: Callable[[int], None],
) -> None:
    """Add rows at their poses and with their weights; images that are not finite count nothing.

    Images of another box or pixel size find their place by their frequencies in 1/Å.

    Args:
        sums: Of a map with `pixel_size`.
        source: The images.
        rows: Which.
        pixel_size: Of the map, in Å/px.
        on_done: Hears how many rows are done.
    """
    particles, device = source.particles, source.device
    done = 0
    for part in of_one_optics_group(particles, rows, _IMAGES_AT_ONCE):
        optics = particles.optics[particles.optics_index[part[0]]]
        spectrum, transfer = source.read(part)
        # pixels hold values, not integrals: sums over more of them are larger
        grey = (optics.pixel_size / pixel_size) ** 2
        shift = torch.from_numpy(particles.shift_yx[part] / optics.pixel_size)
        axes = slice_axes(particles, part, box_size=sums.box_size, pixel_size=pixel_size)
        weight = particles.weight[part] * ~np.isin(part, list(source.reader.bad_rows))
        sums.insert(
            grey * shift_images(spectrum, shift.float().to(device)),
            transfer,
            torch.from_numpy(axes).float().to(device),
            torch.from_numpy(weight).float().to(device),
        )
        done += len(part)
        on_done(done)


def of_one_optics_group(particles: Particles, rows: Integers, count: int) -> Iterator[Integers]:
    """The rows in pieces of at most `count`, each of one optics group."""
    index = particles.optics_index[rows]
    for group in np.unique(index):
        of_group = rows[index == group]
        for start in range(0, len(of_group), count):
            yield of_group[start : start + count]
