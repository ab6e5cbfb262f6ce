"""CPU-seconds to find particles in class maps of a whole tomogram: by peaks, and by regions."""

import math

import numpy as np
import torch

from bench.figure import Figure, cpu_seconds
from bench.pick_volumes import FULL_SHAPE, OBJECTS, PIXEL_SIZE, QUICK_SHAPE
from icelens.core.io.copick.keys import Features
from icelens.core.volumes.labels import ParticleSize, locate_regions
from icelens.tasks.pick.localize_input import labels_from
from icelens.tasks.pick.peaks_of_maps import peaks_of
from icelens.tasks.pick.settings import DEFAULT_THRESHOLD

STRIDE, PICKS_EACH = 2, 100
REFERENCE, REACH = "105 CPU-s", "<= 3"


def measure(*, quick: bool) -> list[Figure]:
    """Six objects, a hundred particles of each and as many weak ones, at half resolution."""
    torch.set_num_threads(1)
    shape = QUICK_SHAPE if quick else FULL_SHAPE
    size = "x".join(str(side) for side in shape)
    maps = _maps(shape)
    what = f"localisation, {len(OBJECTS)} objects, {size} at half resolution"
    num_peaks = sum(len(peaks_of(maps, each, DEFAULT_THRESHOLD)[1]) for each in OBJECTS)
    repeats = 1 if quick else 3
    return [
        Figure(
            f"{what}, peaks ({num_peaks} found)",
            cpu_seconds(
                lambda: [peaks_of(maps, each, DEFAULT_THRESHOLD) for each in OBJECTS],
                repeats=repeats,
            ),
            "CPU-s",
            REFERENCE,
            REACH,
        ),
        Figure(
            f"{what}, watershed",
            cpu_seconds(lambda: _watershed(maps), repeats=repeats),
            "CPU-s",
            REFERENCE,
        ),
    ]


def _maps(shape: tuple[int, int, int]) -> Features:
    """Blobs of half a radius on noise of a few percent, as a trained network answers."""
    z, y, x = (math.ceil(side / STRIDE) for side in shape)
    grid = PIXEL_SIZE * STRIDE
    rng = np.random.default_rng(0)
    array = np.empty((len(OBJECTS), z, y, x), np.float16)
    for channel, each in zip(array, OBJECTS, strict=True):
        values = 0.03 * rng.random((z, y, x), np.float32)
        width = 0.5 * each.known_radius() / grid
        for height in (0.9, 0.25):
            for centre in rng.uniform(0, 1, (PICKS_EACH, 3)) * (z, y, x):
                _add_blob(values, centre, width, height)
        channel[:] = np.minimum(values, 1)
    attributes = {"objects": [each.name for each in OBJECTS]}
    return Features(array, grid, (grid / 4,) * 3, attributes)


def _add_blob(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    centre: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    width: float,
    height: float,
) -> None:
    reach = 3 * width
    low = np.maximum(np.ceil(centre - reach), 0).astype(int)
    high = np.minimum(np.floor(centre + reach) + 1, values.shape).astype(int)
    z, y, x = (
        np.exp(-0.5 * ((np.arange(start, stop) - middle) / width) ** 2)
        for start, stop, middle in zip(low, high, centre, strict=True)
    )
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    values[box] += height * z[:, None, None] * y[:, None] * x


def _watershed(maps: Features) -> None:
    """As `icelens pick localize --method watershed` does it, from the likeliest class."""
    labels = labels_from(maps.array)
    sizes = {}
    for number, each in enumerate(OBJECTS, start=1):
        radius = each.known_radius() / maps.pixel_size
        sizes[number] = ParticleSize(radius, 0.5 * radius, radius)
    locate_regions(labels, sizes, method="watershed")
