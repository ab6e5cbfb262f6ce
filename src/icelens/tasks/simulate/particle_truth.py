"""The particle that is simulated: read, built or generated, and brought to the images' grids."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.io.slabs import check_values
from icelens.core.io.volumes import open_volume
from icelens.core.simulate.chains import generated_species
from icelens.core.simulate.molecules import species_from_model
from icelens.core.simulate.turning import prepared, rotated
from icelens.core.volumes.to_box import to_box
from icelens.tasks.simulate.image_settings import DEFAULT_BOX, DEFAULT_PIXEL_SIZE, ImageSettings
from icelens.tasks.simulate.particle_jobs import ParticlesConfig

Grid = tuple[int, float]
"""Side in px and pixel size in Å/px."""
# Proteasome at 10 Å agrees with its turned copies to 0.94; a map turned wrongly to at most 0.87.
_SAME_SHAPE = 0.9
# Radius in Å of a generated particle of 1 kDa; it grows with the cube root (measured: 11 to 15).
_RADIUS_OF_KDA = 13.0


@dataclass(frozen=True)
class ParticleDensity:
    """A density `(z, y, x)`, protein bright, at the sampling it has by itself, in Å/px."""

    density: Float[Tensor, "z y x"]
    pixel_size: float

    def on_grid(self, box_size: int, pixel_size: float) -> Float[Tensor, "n n n"]:
        """The density in a cubic box at another pixel size, its centre voxel kept."""
        return to_box(
            self.density, pixel_size=self.pixel_size, box_size=box_size, new_pixel_size=pixel_size
        )


def particle_density(config: ParticlesConfig, pixel_size: float) -> ParticleDensity:
    """The map as it is, or a model or generated particle at `pixel_size` Å/px.

    Raises:
        InputFileError: If a file is no such map or model.
        MetadataError: If both are given, or the map's pixel size is not known.
    """
    if config.map is not None and config.model is not None:
        raise MetadataError("--map and --model name two particles; give one of them")
    if config.map is not None:
        return density_of_map(config.map, config.map_pixel_size)
    if config.model is not None:
        return ParticleDensity(species_from_model(config.model, pixel_size).density, pixel_size)
    generator = torch.Generator().manual_seed(config.seed)
    mass = config.mass or fitting_mass((config.box_size or DEFAULT_BOX) * pixel_size)
    generated = generated_species([config.symmetry], pixel_size, generator, mass_range=(mass, mass))
    return ParticleDensity(generated[0].density, pixel_size)


def density_of_map(path: Path, pixel_size: float | None) -> ParticleDensity:
    """A map as it is.

    Args:
        path: Of the map, protein bright.
        pixel_size: In Å, if the header does not know it.

    Raises:
        InputFileError: If it is no map, or holds values that are not finite.
        MetadataError: If its pixel size is not known.
    """
    volume = open_volume(path, pixel_size=pixel_size)
    check_values(path, volume.array)
    return ParticleDensity(torch.from_numpy(np.array(volume.array, np.float32)), volume.pixel_size)


def fitting_mass(extent: float, *, share: float = 0.35) -> float:
    """Mass in kDa of a generated particle whose radius is this share of a box of `extent` Å."""
    return max(20.0, (share * extent / _RADIUS_OF_KDA) ** 3)


def drawn_grid(settings: ImageSettings, path: Path | None) -> Grid:
    """Side in px and pixel size in Å of the images, as asked for or as a map has them.

    Raises:
        InputFileError: If the map cannot be read.
        MetadataError: If its pixel size is not known.
    """
    if path is None:
        return settings.box_size or DEFAULT_BOX, settings.pixel_size or DEFAULT_PIXEL_SIZE
    volume = open_volume(path, pixel_size=settings.map_pixel_size)
    pixel_size = settings.pixel_size or volume.pixel_size
    side = round(max(volume.shape) * volume.pixel_size / pixel_size)
    return settings.box_size or max(8, side), pixel_size


def symmetrised(density: Float[Tensor, "n n n"], symmetry: str) -> Float[Tensor, "n n n"]:
    """The mean over a point group, so that equivalent poses are equivalent indeed.

    Raises:
        MetadataError: If the group is unknown, or the map does not have it about RELION's axes.
    """
    operators = symmetry_operators(symmetry)
    if len(operators) == 1:
        return density
    fine = prepared(density)
    turned = [_fitted(rotated(fine, each, torch.zeros(3)), len(density)) for each in operators]
    copies = torch.stack(turned)
    agreement = float(torch.corrcoef(copies.flatten(1))[0].min())
    if agreement < _SAME_SHAPE:
        raise MetadataError(
            f"the map turned by an operator of {symmetry} correlates only {agreement:.2f} with "
            f"itself, expected {_SAME_SHAPE:g} or more; align its axes to RELION's, or give the "
            "--symmetry it has"
        )
    return copies.mean(dim=0)


def _fitted(density: Float[Tensor, "m m m"], side: int) -> Float[Tensor, "n n n"]:
    """Pad or cut about voxel `n // 2`."""
    return to_box(density, pixel_size=1.0, box_size=side, new_pixel_size=1.0)
