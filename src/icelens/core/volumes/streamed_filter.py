"""Multiply the transform of a volume of any size by a radial curve, in bounded memory.

The curve is split by frequency. What is low reaches far in real space, but few samples of the
transform hold it: these are computed exactly, plane by plane. What is left is high, does not reach
far and is filtered chunk by chunk with an overlap that is found from the curve (overlap-save). The
volume counts as periodic, as it does for one transform of the whole.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.fourier.filters import apply_filter
from icelens.core.io.slabs import release_pages
from icelens.core.optics.correction import radial

AnyArray = npt.NDArray[np.generic]

# The low part fades out by an error function around the first frequency, in cycles/px, over the
# second; it is below 1e-8 from the third on. A wider fade reaches less far, but costs more samples.
SPLIT, SPLIT_WIDTH = 0.10, 0.03
LOW_END = SPLIT + 4 * SPLIT_WIDTH
TAIL = 3e-4
"""Root mean square of what an overlap may miss of the kernel, relative to the whole filter's."""
AUTO_CHUNK = 192
"""Side of a chunk if nobody says: its transforms take some 150 MB."""
_KERNEL_SAMPLES = 8192


@dataclass(frozen=True)
class Chunking:
    """How one axis is cut: boxes of `box` voxels that keep `core` voxels after `margin` others."""

    size: int
    box: int
    core: int
    margin: int

    def cores(self) -> Iterator[slice]:
        """The voxels that each box is kept for."""
        for start in range(0, self.size, self.core):
            yield slice(start, min(start + self.core, self.size))

    def indices(self, core: slice) -> npt.NDArray[np.intp]:
        """The voxels of the box around a core; beyond the end the volume begins again."""
        return np.arange(core.start - self.margin, core.start - self.margin + self.box) % self.size


def filter_streamed(
    volume: AnyArray,
    curve: Float[Tensor, " sample"],
    result: AnyArray,
    *,
    chunk_size: int | None = None,
    stage: str = "filter",
    on_event: OnEvent = ignore,
) -> None:
    """Write the filtered volume into `result`, which may lie on disk as `volume` may.

    The mean is taken off: the result's is zero, whatever the curve says at frequency zero.

    Args:
        volume: Densities `(z, y, x)` of any type.
        curve: Factor at equal steps of frequency from zero to Nyquist, both included; linear in
            between, the last value beyond (in the corners).
        result: Written to; same shape, float32.
        chunk_size: Voxels along each side of a chunk; sides that fit are not cut.
        stage: Name of the progress.
        on_event: Told of progress.

    Raises:
        GeometryError: If the chunk is too small for the curve's reach.
    """
    size_z, size_y, size_x = volume.shape
    low, high = split_curve(curve)
    margin = reach(low, high)
    axes = tuple(chunk_axis(n, chunk_size or AUTO_CHUNK, margin) for n in (size_z, size_y, size_x))
    chunks = list(product(*(axis.cores() for axis in axes)))
    total, done = 2 * size_z + len(chunks), 0
    for _ in _filter_low(volume, low, result):
        done += 1
        on_event(Progress(stage, done, total))
    shape = (axes[0].box, axes[1].box, axes[2].box)
    weight = radial(high, shape)
    for chunk in chunks:
        index = [axis.indices(core) for axis, core in zip(axes, chunk, strict=True)]
        box = torch.from_numpy(cut_periodic(volume, index))
        # The filter takes frequency zero out anyway; without an offset it costs no digits.
        filtered = apply_filter(box - box.mean(), weight).numpy()
        kept = tuple(
            slice(axis.margin, axis.margin + core.stop - core.start)
            for axis, core in zip(axes, chunk, strict=True)
        )
        result[chunk] = np.asarray(result[chunk], np.float32) + filtered[kept]
        release_pages(volume)
        release_pages(result)
        done += 1
        on_event(Progress(stage, done, total))


def split_curve(
    curve: Float[Tensor, " sample"],
) -> tuple[Float[Tensor, " sample"], Float[Tensor, " sample"]]:
    """The curve's low and high part, which add up to it; zero is taken out of both."""
    frequency = torch.linspace(0, 0.5, len(curve), dtype=torch.float64)
    share = 0.5 * torch.erfc((frequency - SPLIT) / SPLIT_WIDTH)
    share = torch.where(frequency < LOW_END, share, 0.0)
    low = (curve.double() * share).to(torch.float32)
    return low, curve.to(torch.float32) - low


def reach(low: Float[Tensor, " sample"], high: Float[Tensor, " sample"]) -> int:
    """Voxels beyond which the high filter's kernel holds less than `TAIL` of both.

    The kernels are taken along one axis; their root mean square is what white noise becomes.
    """
    frequency = np.fft.rfftfreq(_KERNEL_SAMPLES)
    samples = np.linspace(0, 0.5, len(high))
    kernel, other = (
        np.fft.irfft(np.interp(frequency, samples, part.double().numpy()), _KERNEL_SAMPLES)
        for part in (high, low)
    )
    power = float(np.square(kernel + other).sum())
    beyond = 2.0 * np.cumsum(np.square(kernel[_KERNEL_SAMPLES // 2 :: -1]))[::-1]
    far = np.flatnonzero(beyond > TAIL**2 * power)
    return int(far[-1]) + 1 if far.size else 0


def chunk_axis(size: int, chunk_size: int, margin: int) -> Chunking:
    """Cut an axis evenly into as few chunks as the size of a chunk allows.

    Raises:
        GeometryError: If nothing of a chunk would be kept.
    """
    if size <= chunk_size:
        return Chunking(size, size, size, 0)
    room = chunk_size - 2 * margin
    if room < 1:
        raise GeometryError(
            f"chunks of {chunk_size} voxels are too small: this filter reaches {margin} voxels to "
            f"either side; set --chunk-size to {4 * margin} or more"
        )
    core = math.ceil(size / math.ceil(size / room))
    return Chunking(size, core + 2 * margin, core, margin)


def cut_periodic(volume: AnyArray, index: list[npt.NDArray[np.intp]]) -> npt.NDArray[np.float32]:
    """The voxels at these indices along z, y and x as float32; runs are read as slices."""
    box = np.empty([len(each) for each in index], np.float32)
    runs = [_runs(each) for each in index]
    for (z, from_z), (y, from_y), (x, from_x) in product(*runs):
        box[z, y, x] = volume[from_z, from_y, from_x]
    return box


def _runs(index: npt.NDArray[np.intp]) -> list[tuple[slice, slice]]:
    """Where a run of ascending indices goes, and where it comes from."""
    breaks = np.flatnonzero(np.diff(index) != 1) + 1
    edges = [0, *breaks.tolist(), len(index)]
    return [
        (slice(begin, end), slice(int(index[begin]), int(index[end - 1]) + 1))
        for begin, end in pairwise(edges)
    ]


def _filter_low(
    volume: AnyArray, curve: Float[Tensor, " sample"], result: AnyArray
) -> Iterator[None]:
    """Overwrite `result` by the low part; yields after each plane read and each plane written."""
    num_z, num_y, num_x = volume.shape
    rows, row_frequency = _low_samples(num_y)
    num_columns = min(num_x // 2 + 1, math.ceil(LOW_END * num_x) + 1)
    spectrum = torch.empty((num_z, len(rows), num_columns), dtype=torch.complex64)
    means = torch.empty(num_z, dtype=torch.float64)
    for z in range(num_z):
        plane = torch.from_numpy(np.array(volume[z], np.float32))
        means[z] = plane.mean(dtype=torch.float64)
        # A plane without its mean differs at frequency zero alone, and an offset costs no digits.
        spectrum[z] = torch.fft.rfft2(plane - means[z].float())[rows, :num_columns]
        release_pages(volume)
        yield
    spectrum[:, 0, 0] = (means - means.mean()) * (num_y * num_x)
    _weigh(spectrum, curve, row_frequency, torch.fft.rfftfreq(num_x)[:num_columns])
    for z in range(num_z):
        full = torch.zeros((num_y, num_x // 2 + 1), dtype=torch.complex64)
        full[rows, :num_columns] = spectrum[z]
        result[z] = torch.fft.irfft2(full, s=(num_y, num_x)).numpy()
        release_pages(result)
        yield


def _weigh(
    spectrum: Tensor, curve: Float[Tensor, " sample"], row_frequency: Tensor, columns: Tensor
) -> None:
    """Transform along z, multiply and transform back, a row at a time and in place."""
    planes = torch.fft.fftfreq(len(spectrum))
    samples = np.linspace(0, 0.5, len(curve))
    for row, frequency in enumerate(row_frequency):
        radius = (planes[:, None] ** 2 + frequency**2 + columns**2).sqrt()
        weight = np.interp(radius.numpy(), samples, curve.numpy()).astype(np.float32)
        transform = torch.fft.fft(spectrum[:, row], dim=0) * torch.from_numpy(weight)
        spectrum[:, row] = torch.fft.ifft(transform, dim=0)
    # The zero frequency of the whole volume: the mean of the zero frequencies of its planes.
    spectrum[:, 0, 0] -= spectrum[:, 0, 0].mean()


def _low_samples(size: int) -> tuple[Tensor, Tensor]:
    """Which samples of a full axis are low, zero first, and their frequencies in cycles/px."""
    frequency = torch.fft.fftfreq(size)
    chosen = (frequency.abs() <= LOW_END + 1.0 / size).nonzero()[:, 0]
    return chosen, frequency[chosen]
