"""Finish volumes for their files: filter, scale, mask, invert, mirror and crop them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.fourier.filters import apply_filter, low_pass
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.io.volumes import open_volume
from icelens.core.volumes.masks import sphere_mask
from icelens.core.volumes.mirror import mirrored
from icelens.core.volumes.to_box import to_box
from icelens.tasks.hetero.volume_options import VolumeOptions

_SPHERE = 0.9
"""Of the half box: the sphere in which volumes are measured without a mask."""
_SMALLEST_BOX = 8
_BEYOND = 0.1
"""By how much interpolation makes masks leave the range from 0 to 1."""


@dataclass(frozen=True)
class VolumeFinish:
    """What is done to the volumes of a run.

    Attributes:
        options: As the user wants it.
        box_size: Side of the volumes that come, in px.
        pixel_size: Of these, in Å/px.
        region: `(z, y, x)` where volumes are compared and measured, from 0 to 1.
    """

    options: VolumeOptions
    box_size: int
    pixel_size: float
    region: Float[Tensor, "z y x"]

    def maps(
        self, full: Float[Tensor, "n n n"], halves: tuple[Tensor, Tensor] | None
    ) -> dict[str, Volume]:
        """Volumes to write, by what they are: `full`, `half_1`, `half_2`, `uncertainty`.

        Args:
            full: The volume of a state.
            halves: Two independent ones of it, on the same grid.
        """
        options = self.options
        given = {"full": full}
        if halves is not None:
            given |= {"half_1": halves[0], "half_2": halves[1]}
        made = self._scaled({name: self._filtered(values) for name, values in given.items()})
        if halves is not None and options.with_uncertainty:
            made["uncertainty"] = 0.5 * (made["half_1"] - made["half_2"]).abs()
        if not options.with_halves:
            made = {name: each for name, each in made.items() if not name.startswith("half")}
        return {name: self._placed(name, values) for name, values in made.items()}

    def _filtered(self, values: Tensor) -> Tensor:
        if self.options.low_pass is None:
            return values
        radius = frequency_radius(
            (self.box_size,) * 3, pixel_size=self.pixel_size, device=values.device
        )
        return apply_filter(values, low_pass(radius, self.options.low_pass))

    def _scaled(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """All by the mean and deviation of the first, so that halves stay comparable with it."""
        if not self.options.is_normalised:
            return maps
        inside = maps["full"][self.region > 0.5]
        mean, deviation = inside.mean(), inside.std(correction=0).clamp(min=1e-12)
        return {name: (values - mean) / deviation for name, values in maps.items()}

    def _placed(self, name: str, values: Tensor) -> Volume:
        options = self.options
        if options.mask is not None:
            values = values * self.region
        if options.is_inverted and name != "uncertainty":
            values = -values
        array = values.numpy()
        if options.is_hand_flipped:
            array = mirrored(array)
        origin = 0.0
        if options.crop_box is not None:
            start = self.box_size // 2 - options.crop_box // 2
            middle = slice(start, start + options.crop_box)
            array, origin = array[middle, middle, middle], start * self.pixel_size
        return Volume(np.ascontiguousarray(array), self.pixel_size, (origin, origin, origin))


def volume_finish(options: VolumeOptions, *, box_size: int, pixel_size: float) -> VolumeFinish:
    """Check options against a model and read the mask.

    Args:
        options: As the user wants it.
        box_size: Side of the model's volumes, in px.
        pixel_size: Of these, in Å/px.

    Raises:
        MetadataError: If an option asks for more than the volumes hold.
        InputFileError: If the mask cannot be read.
    """
    used = box_size if options.box_size is None else options.box_size
    if used > box_size or used < _SMALLEST_BOX or used % 2:
        raise MetadataError(
            f"--box-size {used} for volumes of {box_size} px; expected an even number from "
            f"{_SMALLEST_BOX} to {box_size}"
        )
    if options.crop_box is not None and not 2 <= options.crop_box <= used:
        raise MetadataError(
            f"--crop {options.crop_box} for volumes of {used} px; expected 2 to {used}"
        )
    step = pixel_size * box_size / used
    return VolumeFinish(options, used, step, _region(options, used, step))


def _region(options: VolumeOptions, box_size: int, pixel_size: float) -> Tensor:
    """The mask on the grid of the volumes, or a soft sphere."""
    if options.mask is None:
        radius = _SPHERE * 0.5 * box_size * pixel_size
        width = 0.1 * 0.5 * box_size * pixel_size
        return sphere_mask((box_size,) * 3, pixel_size=pixel_size, radius=radius, edge=width)
    return mask_on_grid(options.mask, box_size=box_size, pixel_size=pixel_size)


def mask_on_grid(path: Path, *, box_size: int, pixel_size: float) -> Float[Tensor, "z y x"]:
    """A mask file on the grid of volumes, from 0 to 1.

    Raises:
        InputFileError: If it cannot be read, is not finite or keeps nothing there.
    """
    volume = open_volume(path)
    values = torch.from_numpy(volume.array.astype("float32"))
    if not bool(torch.isfinite(values).all()):
        raise InputFileError(f"{path}: holds values that are not finite; give a mask from 0 to 1")
    least, most = float(values.min()), float(values.max())
    if least < -_BEYOND or most > 1.0 + _BEYOND:
        raise InputFileError(
            f"{path}: holds values from {least:.3g} to {most:.3g}, expected a mask from 0 to 1; "
            "`tools mask` makes one of a map"
        )
    try:
        mask = to_box(
            values,
            pixel_size=volume.pixel_size,
            box_size=box_size,
            new_pixel_size=pixel_size,
        ).clamp(0.0, 1.0)
    except (GeometryError, MetadataError) as error:
        raise InputFileError(f"{path}: {error}") from error
    if not bool((mask > 0.5).any()):
        raise InputFileError(
            f"{path}: keeps no voxel of a box of {box_size} px of {pixel_size:g} Å; give a mask of "
            "the particle, from 0 to 1"
        )
    return mask
