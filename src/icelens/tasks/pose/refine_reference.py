"""The map that images are compared with: read, checked, and brought to their box and sampling."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.particles import Particles
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.io.slabs import check_values
from icelens.core.io.volumes import open_volume, read_header
from icelens.core.volumes.to_box import to_box
from icelens.tasks.pose.refine_settings import RefineConfig

SHARED_RESOLUTION = 20.0
"""Å. Two half sets that begin from one map may share what is coarser than this."""
_SAME = 1e-3
_LEAST_SIDE = 8
_LARGEST = 1e12
"""Sums over squares of all voxels have to stay finite in single precision."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A map `(z, y, x)` with its Å/px.

    Attributes:
        density: Protein bright.
        pixel_size: In Å/px.
        resolution: Finest detail to be trusted, in Å; None for all.
        is_made_here: Whether it was reconstructed from the images that it is compared with.
    """

    density: Float[Tensor, "z y x"]
    pixel_size: float
    resolution: float | None = None
    is_made_here: bool = False

    def on_grid(self, box_size: int, pixel_size: float) -> Float[Tensor, "n n n"]:
        """The map as images of this box and pixel size see it, the centre voxel kept."""
        return to_box(
            self.density, pixel_size=self.pixel_size, box_size=box_size, new_pixel_size=pixel_size
        )

    def trusted_to(self, resolution: float | None) -> "Reference":
        """The same map with another resolution."""
        return replace(self, resolution=resolution)


def first_references(
    config: RefineConfig, particles: Particles, on_event: OnEvent
) -> dict[int, Reference]:
    """The reference of each half set, or of all images under the number 0.

    Raises:
        InputFileError: If a map cannot be read or is no map.
        MetadataError: If its pixel size is not known.
        GeometryError: If it is not a cube.
    """
    first = read_reference(config.map, config.map_pixel_size, particles, on_event)
    first = first.trusted_to(config.initial_resolution)
    if not config.halves:
        return {0: first}
    if config.map_half_2 is not None:
        second = read_reference(config.map_half_2, config.map_pixel_size, particles, on_event)
        return {1: first, 2: second.trusted_to(config.initial_resolution)}
    if config.initial_resolution is None:
        on_event(
            Message(
                f"{config.map}: both half sets begin from it, low-passed to "
                f"{SHARED_RESOLUTION:g} Å so that they share nothing finer (--initial-resolution)"
            )
        )
        first = first.trusted_to(SHARED_RESOLUTION)
    return {1: first, 2: first}


def read_reference(
    path: Path, pixel_size: float | None, particles: Particles, on_event: OnEvent
) -> Reference:
    """Read a map; says if it has to be resampled for these particles."""
    volume = open_reference(path, pixel_size)
    for group in particles.optics:
        is_same = abs(group.pixel_size - volume.pixel_size) <= _SAME * volume.pixel_size
        if group.box_size != volume.shape[0] or not is_same:
            on_event(
                Message(
                    f"{path}: {volume.shape[0]} voxels of {volume.pixel_size:g} Å are resampled to "
                    f"the images' {group.box_size} px of {group.pixel_size:g} Å"
                )
            )
            break
    return Reference(torch.from_numpy(np.array(volume.array, np.float32)), volume.pixel_size)


def open_reference(path: Path, pixel_size: float | None) -> Volume:
    """Open a map and make sure that images can be compared with it.

    Raises:
        InputFileError: If it cannot be read or is no map.
        MetadataError: If its pixel size is not known.
        GeometryError: If it is not a cube.
    """
    if pixel_size is None and read_header(path).pixel_size is None:
        raise MetadataError(
            f"{path}: the header does not know the pixel size (0, 1 or absent), expected Å/px; "
            "write it there, or give --map-pixel-size where there is such a flag"
        )
    # what the user says counts, even where the header knows better
    volume = open_volume(path, pixel_size=pixel_size, pixel_size_from="metadata")
    check_values(path, volume.array)
    if len(set(volume.shape)) > 1:
        raise GeometryError(
            f"{path}: (z, y, x) = {volume.shape}, expected a cube; pad or crop the map"
        )
    if volume.shape[0] < _LEAST_SIDE:
        raise GeometryError(
            f"{path}: {volume.shape[0]} voxels on a side, expected {_LEAST_SIDE} or more; give the "
            "map of the particle"
        )
    largest = float(np.abs(volume.array).max())
    if largest > _LARGEST:
        raise MetadataError(
            f"{path}: values reach {largest:g}, expected a density below {_LARGEST:g}; scale the "
            "map down"
        )
    return volume
