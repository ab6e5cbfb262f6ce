"""A run that found one structure, as a model without latents; others have a linear model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.latents import LatentTable
from icelens.core.errors import CheckpointError, GeometryError, IcelensError
from icelens.core.events import OnEvent, ignore
from icelens.core.fourier.crop import crop_volumes
from icelens.core.io.volumes import open_volume
from icelens.tasks.hetero.hetero_run import RunFacts, VolumeModel
from icelens.tasks.hetero.linear.linear_model import read_linear_model
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages

MAP_NAMES = ("map", "half_1", "half_2")


@dataclass(frozen=True, eq=False)
class MapModel:
    """The map of all images and both half maps; there is nothing to choose between.

    Attributes:
        maps: `(map, n, n, n)`, the one of all images first.
        pixel_size: In Å/px.
    """

    maps: Float[Tensor, "map n n n"]
    pixel_size: float
    latent_dim: int = 0
    has_halves: bool = True

    @property
    def box_size(self) -> int:
        """Side of the maps, in px."""
        return int(self.maps.shape[-1])

    def volumes(
        self,
        latent: Float[Tensor, "state latent_dim"],
        *,
        half: int = 0,
        box_size: int | None = None,
    ) -> Iterator[Float[Tensor, "n n n"]]:
        """The same map for each line.

        Args:
            latent: Lines of no coordinates.
            half: 0 for the map of all images, 1 or 2 for a half map.
            box_size: Side in px of a coarser grid of the same width.

        Raises:
            GeometryError: If the lines have coordinates, or the grid would be finer.
        """
        if latent.ndim != 2 or latent.shape[1] != 0:
            raise GeometryError(
                f"latents of shape {tuple(latent.shape)} for a run of one structure; expected "
                "lines without coordinates"
            )
        density = self.maps[half]
        if box_size is not None:
            density = crop_volumes(density, box_size)
        for _ in range(len(latent)):
            yield density

    def encode(self, images: PreparedImages, on_event: OnEvent = ignore) -> LatentTable:
        """One line without coordinates for each particle."""
        del on_event
        rows = particle_rows(images.particles, tilts=0, seed=0)
        nothing = np.zeros((len(rows), 0))
        return LatentTable(
            latent=nothing,
            particle=rows.particle,
            row=rows.first,
            deviation=nothing,
            half_set=rows.half_set,
        )


def read_abinitio_model(
    folder: Path, facts: RunFacts, device: torch.device | str = "cpu"
) -> VolumeModel:
    """The model of an ab initio run: its maps, or its linear model.

    Raises:
        CheckpointError: If a file is missing or damaged.
    """
    if facts.latent_dim:
        return read_linear_model(folder, facts, device)
    maps = []
    for name in MAP_NAMES:
        try:
            volume = open_volume(folder / f"{name}.mrc", pixel_size=facts.pixel_size)
        except IcelensError as error:
            raise CheckpointError(f"{error}; run `icelens hetero abinitio` again") from error
        maps.append(torch.from_numpy(np.array(volume.array, np.float32)))
    sides = {tuple(each.shape) for each in maps}
    if sides != {(facts.box_size,) * 3}:
        raise CheckpointError(
            f"{folder}: maps of {sorted(sides)}, expected cubes of {facts.box_size} px; run "
            "`icelens hetero abinitio` again"
        )
    return MapModel(torch.stack(maps).to(device), facts.pixel_size)
