"""How far a volume of a state can be trusted: resolution of its halves, agreement with images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.latents import LatentTable
from icelens.core.errors import IcelensError, MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.volumes import open_volume
from icelens.core.metrics.fsc import (
    ShellCorrelation,
    fourier_shell_correlation,
    resolution_at,
)
from icelens.core.volumes.to_box import to_box
from icelens.tasks.hetero.hetero_run import HeteroRun
from icelens.tasks.hetero.learning_images import MAP_NAMES
from icelens.tasks.hetero.prepared_images import PreparedImages
from icelens.tasks.hetero.volume_finish import VolumeFinish
from icelens.tasks.hetero.volume_options import VolumeOptions

THRESHOLD = 0.143
Halves = tuple[Float[Tensor, "n n n"], Float[Tensor, "n n n"]]


@dataclass(frozen=True)
class VolumeCheck:
    """What was found out about one volume.

    Attributes:
        halves: Two independent volumes of the state, on its grid; None where there are none.
        resolution: In Å, where the correlation of these first falls below 0.143; of half maps of
            images without what they share from before. nan without halves, and where these agree
            on nothing within the box.
        agreement: Of the volume with the map of the images that lie nearest, from -1 to 1: mean
            over the shells of their correlation, each weighing what the map's own half maps say of
            it. nan without images.
    """

    halves: Halves | None
    resolution: float = float("nan")
    agreement: float = float("nan")


class NearestImages(Protocol):
    """Makes half maps of the images that lie nearest to a latent."""

    def __call__(self, latent: npt.NDArray[np.float64]) -> HalfMaps:
        """Half maps of the images about one latent `(latent_dim,)`."""
        ...


def nearest_images(
    run: HeteroRun, table: LatentTable, options: VolumeOptions, on_event: OnEvent
) -> NearestImages | None:
    """What makes maps of the images about a latent; None where that is not wanted or possible."""
    if not options.is_checked or run.latent_dim == 0:
        return None
    from icelens.tasks.hetero.kernel_maps import LEAST_PARTICLES, kernel_half_maps

    if len(table) < LEAST_PARTICLES:
        on_event(
            Message(
                f"{run.folder}: volumes are not compared with images, as {len(table)} particles "
                f"are fewer than the {LEAST_PARTICLES} that make a map",
                "warning",
            )
        )
        return None
    images = _images(run, options, on_event)
    if images is None:
        return None

    def maps(latent: npt.NDArray[np.float64]) -> HalfMaps:
        try:
            made: HalfMaps = kernel_half_maps(
                images,
                table,
                latent,
                num_particles=min(options.num_particles, len(table)),
                tilts=run.facts.tilts,
            )
        except MetadataError as error:
            raise MetadataError(f"{run.folder}: {error}") from error
        return made

    return maps


def resolution_of_all(folder: Path) -> float:
    """Where the half maps of all images of a run first fall below 0.143, in Å; 0 without them.

    Two decoders may agree beyond: where neither shows anything, the edge of the sphere in which
    both lie is all that there is.
    """
    paths = [folder / name for name in MAP_NAMES[:2]]
    if not all(path.is_file() for path in paths):
        return 0.0
    halves = [open_volume(path) for path in paths]
    first, second = (torch.from_numpy(np.array(each.array)).float() for each in halves)
    curve = fourier_shell_correlation(first, second, pixel_size=halves[0].pixel_size)
    return resolution_at(curve, THRESHOLD)


def check_volume(
    volume: Float[Tensor, "n n n"],
    decoded_halves: Halves | None,
    maps: HalfMaps | None,
    *,
    maps_pixel_size: float,
    finish: VolumeFinish,
) -> VolumeCheck:
    """Compare a volume with independent ones.

    Args:
        volume: Of a state, as the model made it.
        decoded_halves: Volumes of two independent decoders, if the model has them.
        maps: Of the images nearest to the state, if they were read.
        maps_pixel_size: Of those, in Å/px.
        finish: Knows grid and region of the volumes.
    """
    halves, agreement, resolution = decoded_halves, float("nan"), float("nan")
    if maps is not None:
        half_1, half_2, full = (
            _on_grid(each, maps_pixel_size, finish)
            for each in (maps.half_1, maps.half_2, maps.full)
        )
        agreement = weighted_agreement(volume, full, maps.fsc, finish)
        if halves is None:
            # not from the halves themselves: they may share what was known before
            halves, resolution = (half_1, half_2), maps.resolution
    if decoded_halves is not None:
        curve = fourier_shell_correlation(
            *decoded_halves, pixel_size=finish.pixel_size, mask=finish.region
        )
        resolution = resolution_at(curve, THRESHOLD)
    if resolution > finish.box_size * finish.pixel_size:
        # coarser than the coarsest shell: nothing agrees, and a number would look like a finding
        resolution = float("nan")
    return VolumeCheck(halves, resolution, agreement)


def weighted_agreement(
    volume: Float[Tensor, "n n n"],
    full: Float[Tensor, "n n n"],
    halves_fsc: ShellCorrelation,
    finish: VolumeFinish,
) -> float:
    """Correlation of a volume with a map, shell by shell, weighed by what the map is worth.

    A shell weighs `2 FSC / (1 + FSC)` of the map's halves, the share of signal in the power of the
    whole map, and nothing from where the FSC first falls below 0.143 on.

    References:
        Rosenthal & Henderson, J. Mol. Biol. 333 (2003), eq. 16, for the weight.
    """
    found = fourier_shell_correlation(
        volume, full, pixel_size=finish.pixel_size, mask=finish.region
    ).correlation[1:]
    # shells of a box of the same width are the same ones, however many there are
    known = torch.nan_to_num(halves_fsc.correlation[1 : len(found) + 1], nan=0.0)
    found = found[: len(known)]
    weight = (2.0 * known / (1.0 + known).clamp(min=1e-6)).clamp(min=0.0)
    below = (known < THRESHOLD).nonzero()
    if len(below):
        weight[int(below[0]) :] = 0.0
    total = float(weight.sum())
    return float((weight * found).sum()) / total if total > 0 else float("nan")


def _images(run: HeteroRun, options: VolumeOptions, on_event: OnEvent) -> PreparedImages | None:
    """The images of a run; without them volumes can be made all the same, and that is said."""
    try:
        return run.images(device=options.device, on_event=on_event)
    except IcelensError as error:
        on_event(
            Message(
                f"{run.folder}: volumes are not compared with images, as these cannot be read "
                f"({error}); --no-check-images leaves it out",
                "warning",
            )
        )
        return None


def _on_grid(values: Tensor, pixel_size: float, finish: VolumeFinish) -> Tensor:
    """A map of images on the grid of the volumes; density keeps its grey."""
    return to_box(
        values.float().cpu(),
        pixel_size=pixel_size,
        box_size=finish.box_size,
        new_pixel_size=finish.pixel_size,
    )
