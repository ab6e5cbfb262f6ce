"""One pass over particle images: batches are read, refined and written into the table of poses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.particles import Particles
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.pose_table import PoseTable
from icelens.core.refinement.refiner import Refiner

Integers = npt.NDArray[np.int64]

_PIXELS_AT_ONCE = 1 << 19
"""Of images that are read and transformed together: 128 of 64 px; several times as much memory."""
_MOST_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows that are refined together: `(particle, image)`, -1 where a particle has fewer images."""

    group: int
    rows: Integers


def batches_of(particles: Particles, rows: Integers) -> Iterator[Batch]:
    """Particles of one optics group each, those with many images not beside those with few.

    A particle whose images lie in several optics groups is refined in each of them apart.
    """
    for group in np.unique(particles.optics_index[rows]):
        of_group = rows[particles.optics_index[rows] == group]
        order = np.argsort(particles.particle[of_group], kind="stable")
        _, first = np.unique(particles.particle[of_group][order], return_index=True)
        series = np.split(of_group[order], first[1:])
        series.sort(key=len)
        start = 0
        while start < len(series):
            box_size = particles.optics[int(group)].box_size
            # the series are sorted by length: the last of a batch is the longest
            num = _num_at_once(box_size, [len(each) for each in series[start:]])
            chosen = series[start : start + num]
            padded = np.full((len(chosen), len(chosen[-1])), -1, np.int64)
            for place, each in enumerate(chosen):
                padded[place, : len(each)] = each
            yield Batch(int(group), padded)
            start += num


def _num_at_once(box_size: int, lengths: list[int]) -> int:
    num = 1
    while num < min(len(lengths), _MOST_AT_ONCE):
        if (num + 1) * lengths[num] * box_size**2 > _PIXELS_AT_ONCE:
            break
        num += 1
    return num


def refine_rows(
    refiners: Mapping[int, Refiner],
    source: ImageSource,
    rows: Integers,
    poses: PoseTable,
    *,
    top_k: int,
    on_done: Callable[[int], None],
) -> None:
    """Refine the poses that the particles of some rows have, and write them into the table.

    Args:
        refiners: By number of optics group.
        source: The images.
        rows: Which images.
        poses: Is filled in these rows, but not in those of images that are not finite.
        top_k: Poses for each particle.
        on_done: Hears how many images of the rows are done.
    """
    done = 0
    for batch in batches_of(source.particles, rows):
        refine_batch(refiners[batch.group], source, batch, poses, top_k=top_k)
        done += int((batch.rows >= 0).sum())
        on_done(done)


def refine_batch(
    refiner: Refiner, source: ImageSource, batch: Batch, poses: PoseTable, *, top_k: int
) -> None:
    """Refine the particles of one batch; `refine_rows` goes over all of them."""
    particles = source.particles
    place, image = np.nonzero(batch.rows >= 0)
    rows = batch.rows[place, image]
    spectrum, transfer = source.read(rows)
    is_bad = np.isin(rows, list(source.reader.bad_rows))
    transfer[torch.from_numpy(is_bad).to(transfer.device)] = 0.0
    pixel_size = refiner.pixel_size
    device = transfer.device
    shift = torch.from_numpy(particles.shift_yx[rows] / pixel_size).float().to(device)
    if batch.rows.shape[1] == 1:
        rotation = torch.from_numpy(particles.rotation[rows]).float().to(device)
        found = refiner.refine(spectrum, transfer, rotation[:, None], shift[:, None], top_k)
        poses.fill(rows[~is_bad], found.take(torch.from_numpy(~is_bad)), pixel_size)
        return
    stage = particles.stage[rows]
    first = np.searchsorted(place, np.arange(len(batch.rows)))
    own = np.swapaxes(stage[first], -1, -2) @ particles.rotation[rows[first]]
    shape = batch.rows.shape
    at = (torch.from_numpy(place).to(device), torch.from_numpy(image).to(device))
    images = spectrum.new_zeros(*shape, *spectrum.shape[1:])
    transfers = transfer.new_zeros(*shape, *transfer.shape[1:])
    stages = torch.eye(3, device=device).repeat(*shape, 1, 1)
    shifts = torch.zeros(*shape, 2, device=device)
    images[at], transfers[at], shifts[at] = spectrum, transfer, shift
    stages[at] = torch.from_numpy(stage).float().to(device)
    rotation = torch.from_numpy(own).float().to(device)[:, None]
    found = refiner.refine_series(images, transfers, stages, shifts, rotation, top_k)
    poses.fill_series(rows, place, image, stage, found, pixel_size)
