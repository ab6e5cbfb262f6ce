"""Run a trained network over whole tomograms, tile by tile, in bounded memory."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor, nn

from icelens.core.data.volume import Volume
from icelens.core.events import OnEvent, Progress
from icelens.core.io.slabs import release_pages
from icelens.core.volumes.tiling import Blender, Tiling
from icelens.training.device import Compute, autocast

Array = npt.NDArray[np.float32]
TileFilter = Callable[[tuple[int, int, int]], Float[Tensor, "z y x_half"]]
# Voxels dropped at the ends of a tile, and over which neighbours fade. Of the output of a
# unet-small of 150 steps an error of 2.6 % (rms) is left 8 voxels from a cut, 1.8 % after 12.
MARGIN, RAMP = 8, 8
NETWORK_STEP = 16  # four halvings: every side of a tile is a multiple of this


@dataclass(frozen=True)
class TilePlan:
    """How tomograms are cut for prediction: tile side, dropped margin, blending ramp (voxels)."""

    tile_size: int
    margin: int
    ramp: int

    def tiling(self, shape: tuple[int, int, int]) -> Tiling:
        """Tiles for a volume; an axis that fits into one tile with its margins gets just that."""
        least = 2 * self.margin + self.ramp + 1  # a tile of a slab thinner than a ramp
        z, y, x = (
            min(
                self.tile_size,
                math.ceil(max(size + 2 * self.margin, least) / NETWORK_STEP) * NETWORK_STEP,
            )
            for size in shape
        )
        return Tiling(shape, (z, y, x), self.margin, self.ramp)


# turning by 180 degrees about y, x or z flips the other two axes of (tile, channel, z, y, x)
TURNS: tuple[tuple[int, ...], ...] = ((), (2, 4), (2, 3), (3, 4))


class TurnedCopies(nn.Module):
    """Average a network over copies turned by 180° about the axes.

    `turns` are entries of `TURNS`; what the copies get wrong differs, what they get right does not.
    All of them keep a wedge in place whose tilt range is symmetric; the turn about y keeps any.
    """

    def __init__(self, network: nn.Module, turns: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.network, self.flips = network, tuple(turns)

    def forward(self, tiles: Float[Tensor, "tile 1 z y x"]) -> Float[Tensor, "tile 1 z y x"]:
        """Mean of the answers, each turned back."""
        answers = [self.network(tiles.flip(axes)).flip(axes) for axes in self.flips]
        return torch.stack(answers).mean(0)


class Density(Protocol):
    """What can be cut into standardised boxes, and turn them back into grey values."""

    @property
    def volume(self) -> Volume:
        """Sampling and shape."""
        ...

    def cut(self, starts: Sequence[int], box: tuple[int, int, int]) -> Array:
        """A standardised box."""
        ...

    def restored(self, values: Array) -> Array:
        """Grey values of standardised ones."""
        ...


def restore_volume(
    network: nn.Module,
    sources: Sequence[Density],
    *,
    plan: TilePlan,
    tile_filter: TileFilter | None,
    compute: Compute,
    write: Callable[[int, Array], None],
    on_event: OnEvent,
    stage: str,
) -> None:
    """Predict each source and write the average, slab by slab, in the first source's grey scale.

    Args:
        network: In evaluation mode, on `compute.device`.
        sources: One map, or the even and the odd one; a GPU takes both as one batch.
        plan: Tile geometry.
        tile_filter: Half transform to multiply a tile of given shape with before the network
            (measured mask, phase flip); None leaves tiles as they are.
        compute: Device and precision.
        write: Receives `(first z, slab)` for consecutive slabs.
        on_event: Receives progress by tiles.
        stage: Name shown with the progress.
    """
    tiling = plan.tiling(sources[0].volume.shape)
    blender = Blender(tiling)
    prepared = None if tile_filter is None else tile_filter(tiling.box).to(compute.device)
    done = 0
    for layer, tiles in enumerate(tiling.layers()):
        for tile in tiles:
            starts = [axis.starts[i] for axis, i in zip(tiling.axes, tile, strict=True)]
            boxes = np.stack([source.cut(starts, tiling.box) for source in sources])
            answers = predict_tiles(network, torch.from_numpy(boxes), prepared, compute)
            blender.add(tile, answers.mean(0).numpy())
            done += 1
            on_event(Progress(stage, done, len(tiling), "tile"))
        start, slab = blender.finish_layer(layer)
        write(start, _average_grey(sources, slab))
        for source in sources:
            release_pages(source.volume.array)


@torch.inference_mode()
def predict_tiles(
    network: nn.Module,
    boxes: Float[Tensor, "tile z y x"],
    prepared: Float[Tensor, "z y x_half"] | None,
    compute: Compute,
) -> Float[Tensor, "tile z y x"]:
    """Filter the tiles and run them through the network; the answer is float32 on the host.

    A CPU gains nothing by a batch and takes one tile after the other, in a fraction of the memory.
    """
    tiles = boxes.to(compute.device)
    if prepared is not None:
        spectra = torch.fft.rfftn(tiles, dim=(-3, -2, -1))
        tiles = torch.fft.irfftn(spectra * prepared, s=tiles.shape[-3:], dim=(-3, -2, -1))
    together = 1 if compute.device.type == "cpu" else len(tiles)
    answers = []
    with autocast(compute):
        for first in range(0, len(tiles), together):
            part = tiles[first : first + together, None]
            answer = network(part.contiguous(memory_format=torch.channels_last_3d))
            answers.append(answer[:, 0].float().cpu())
    return torch.cat(answers)


def _average_grey(sources: Sequence[Density], slab: Array) -> Array:
    """Back to the files' grey scale: the mean of what each source's scale makes of the slab."""
    total = np.zeros_like(slab)
    for source in sources:
        total += source.restored(slab)
    return total / np.float32(len(sources))
