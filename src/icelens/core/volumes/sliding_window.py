"""Run a network over a volume in overlapping windows and blend what it says, in bounded memory.

Windows are weighted by a Gaussian, as their middle has seen most around it; along each axis the
weights are normalised to sum to one, so that a network that says the same everywhere is repeated
exactly. The network may answer on a coarser grid: its voxel i covers the voxels from i * stride.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from icelens.core.errors import GeometryError
from icelens.core.events import OnEvent, Progress, ignore
from icelens.core.volumes.tiling import AxisTiling, cut_mirrored

Shape = tuple[int, int, int]

SIGMA = 0.125
"""Standard deviation of a window's weight, in window sides; MONAI's."""
_LEAST_WEIGHT = 1e-3  # of the largest, along each axis: corners seen once must not vanish


@dataclass(frozen=True)
class WindowPlan:
    """Where windows of `window` voxels lie in a volume, and how their answers are weighted.

    `axes` holds, for z, y and x, the starts in voxels of the volume and the weights in voxels of
    the answer, of which there are `output_shape`.
    """

    window: Shape
    output_shape: Shape
    stride: int
    axes: tuple[AxisTiling, AxisTiling, AxisTiling]

    def __len__(self) -> int:
        """Number of windows."""
        return math.prod(len(axis.starts) for axis in self.axes)

    def layers(self) -> Iterator[list[Shape]]:
        """Indices (z, y, x) of the windows, one layer of equal z after the other."""
        num_z, num_y, num_x = (len(axis.starts) for axis in self.axes)
        for z in range(num_z):
            yield [(z, y, x) for y, x in product(range(num_y), range(num_x))]

    def cut(self, volume: npt.NDArray[np.generic], index: Shape) -> npt.NDArray[np.float32]:
        """A window of the volume; what sticks out of it is mirrored in."""
        starts = [axis.starts[i] for axis, i in zip(self.axes, index, strict=True)]
        return cut_mirrored(volume, starts, self.window)


def plan_windows(
    shape: Shape, *, window: Shape, overlap: float, stride: int = 1, multiple_of: int = 1
) -> WindowPlan:
    """Spread windows evenly over a volume.

    Args:
        shape: Of the volume.
        window: Sides in voxels; rounded up to what the network takes, and no larger than the
            volume so rounded.
        overlap: Least part of a window's side that it shares with the next, from 0 to below 1.
        stride: Voxels of the volume for each voxel of the answer, along each axis.
        multiple_of: The network takes only sides that are multiples of it.

    Raises:
        GeometryError: If a number is impossible.
    """
    if not 0 <= overlap < 1:
        raise GeometryError(f"windows cannot overlap by {overlap:g}; give 0 to below 1, as 0.5")
    if min(*shape, *window, stride, multiple_of) < 1:
        raise GeometryError(
            f"a volume of {shape} voxels cannot be seen in windows of {window} with stride "
            f"{stride} and multiples of {multiple_of}; all must be at least 1"
        )
    unit = math.lcm(stride, multiple_of)
    sides = [
        unit * math.ceil(min(side, size) / unit) for side, size in zip(window, shape, strict=True)
    ]
    z, y, x = (_axis(size, side, overlap, stride) for size, side in zip(shape, sides, strict=True))
    return WindowPlan(
        (sides[0], sides[1], sides[2]), coarse_shape(shape, stride), stride, (z, y, x)
    )


def coarse_shape(shape: Shape, stride: int) -> Shape:
    """Voxels of the answer: enough to cover every voxel of the volume."""
    z, y, x = (math.ceil(size / stride) for size in shape)
    return z, y, x


def sliding_window(
    volume: npt.NDArray[np.generic],
    predict: Callable[[Tensor], Tensor],
    *,
    window: Shape,
    overlap: float,
    stride: int,
    num_channels: int,
    multiple_of: int = 1,
    batch_size: int = 1,
    on_event: OnEvent = ignore,
) -> npt.NDArray[np.float16]:
    """Predict every voxel of a volume from windows and blend the answers.

    Sums are kept in float32 on the answers' device, for one layer of windows at a time.

    Args:
        volume: `(z, y, x)` of any type; may be a memory map. Windows are cut from it as float32.
        predict: Takes `(window, 1, z, y, x)` on the CPU and returns
            `(window, channel, z / stride, y / stride, x / stride)` on any device.
        window: Sides in voxels.
        overlap: Least part of a window's side that it shares with the next.
        stride: Voxels of the volume for each voxel of the answer.
        num_channels: Of the answer.
        multiple_of: The network takes only sides that are multiples of it.
        batch_size: Windows predicted together.
        on_event: Hears the progress.

    Returns:
        `(channel, ceil(z / stride), ceil(y / stride), ceil(x / stride))`.

    Raises:
        GeometryError: If the windows are impossible, or an answer has another shape.
    """
    if volume.ndim != 3:
        raise GeometryError(f"expected a volume (z, y, x), got an array of shape {volume.shape}")
    shape = (volume.shape[0], volume.shape[1], volume.shape[2])
    plan = plan_windows(
        shape, window=window, overlap=overlap, stride=stride, multiple_of=multiple_of
    )
    result = np.empty((num_channels, *plan.output_shape), np.float16)
    sums, done = _Sums(plan, num_channels), 0
    for number, layer in enumerate(plan.layers()):
        for begin in range(0, len(layer), batch_size):
            chosen = layer[begin : begin + batch_size]
            windows = np.stack([plan.cut(volume, index) for index in chosen])[:, None]
            answers = predict(torch.from_numpy(windows)).detach()
            for index, answer in zip(chosen, answers, strict=True):
                sums.add(index, answer)
            done += len(chosen)
            on_event(Progress("windows", done, len(plan), "window"))
        first, slab = sums.finish_layer(number)
        result[:, first : first + slab.shape[1]] = slab.to("cpu", torch.float16).numpy()
    return result


class _Sums:
    """Weighted answers of the layers of windows that are not finished."""

    def __init__(self, plan: WindowPlan, num_channels: int) -> None:
        self.plan = plan
        self.num_channels = num_channels
        self._finished = 0  # sections along z that were handed out
        self._slab: Tensor | None = None  # (channel, z, y, x), begins there

    def add(self, index: Shape, answer: Tensor) -> None:
        """Add the answer (channel, z, y, x) of one window."""
        stride = self.plan.stride
        expected = (self.num_channels, *(side // stride for side in self.plan.window))
        if answer.shape != expected:
            raise GeometryError(
                f"the network answers a window of {self.plan.window} voxels with "
                f"{tuple(answer.shape)}, expected {expected} (channel, z, y, x); "
                "check its stride and its classes"
            )
        places, weight = [], torch.ones(())
        for axis, number, size in zip(self.plan.axes, index, self.plan.output_shape, strict=True):
            start = axis.starts[number] // stride
            used = min(axis.windows.shape[1], size - start)
            places.append((start, used))
            weight = weight[..., None] * torch.from_numpy(axis.windows[number, :used])
        (z, num_z), (y, num_y), (x, num_x) = places
        slab = self._reserved(answer.device)
        region = slab[:, z - self._finished :, y : y + num_y, x : x + num_x]
        values = answer[:, :num_z, :num_y, :num_x].float()
        region[:, :num_z].addcmul_(values, weight.float().to(answer.device))

    def finish_layer(self, layer: int) -> tuple[int, Tensor]:
        """First section and values (channel, z, y, x) of what no later layer will touch."""
        assert self._slab is not None
        starts = self.plan.axes[0].starts
        is_last = layer + 1 == len(starts)
        end = self.plan.output_shape[0] if is_last else starts[layer + 1] // self.plan.stride
        first, count = self._finished, end - self._finished
        done, self._slab = self._slab[:, :count], self._slab[:, count:]
        self._finished = end
        return first, done

    def _reserved(self, device: torch.device) -> Tensor:
        """The slab, as thick as a window or what is left of the volume."""
        num_z, num_y, num_x = self.plan.output_shape
        depth = min(self.plan.window[0] // self.plan.stride, num_z - self._finished)
        held = 0 if self._slab is None else self._slab.shape[1]
        if self._slab is None or held < depth:
            slab = torch.zeros((self.num_channels, depth, num_y, num_x), device=device)
            if self._slab is not None:
                slab[:, :held] = self._slab
            self._slab = slab
        return self._slab


def _axis(size: int, side: int, overlap: float, stride: int) -> AxisTiling:
    """Windows along one axis; they start at multiples of the stride, so that answers align."""
    step = max(1, math.floor(side * (1 - overlap) / stride))
    last = max(0, math.ceil((size - side) / stride))
    count = 1 + math.ceil(last / step)
    starts = [round(number * last / max(count - 1, 1)) for number in range(count)]
    length, width = math.ceil(size / stride), side // stride
    offset = np.arange(width) - (width - 1) / 2
    profile = np.maximum(np.exp(-0.5 * (offset / (SIGMA * width)) ** 2), _LEAST_WEIGHT)
    total = np.zeros(length)
    for start in starts:
        total[start : start + width] += profile[: length - start]
    weights = np.zeros((count, width))
    for number, start in enumerate(starts):
        used = min(width, length - start)
        weights[number, :used] = profile[:used] / total[start : start + used]
    return AxisTiling(tuple(start * stride for start in starts), weights)
