"""Filter, resample, crop, pad, mask or invert maps, or correct their pixel size."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Progress, Saved
from icelens.core.fourier.filters import apply_filter, b_factor_envelope, high_pass, low_pass
from icelens.core.fourier.frequencies import frequency_radius, nyquist
from icelens.core.fourier.resample import centred_resampling
from icelens.core.fourier.rescale import rescale_axis
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.volumes import write_volume
from icelens.core.volumes.cut_box import cut_box
from icelens.jobs.run import Run
from icelens.tasks.tools.map_outputs import map_outputs
from icelens.tasks.tools.maps import as_tensor, open_map, open_mask
from icelens.tasks.tools.volume_jobs import EditMapConfig


def edit_maps(config: EditMapConfig, run: Run) -> Path:
    """Write the changed maps; return the output.

    Raises:
        InputFileError: If a file is missing, damaged or would be written over.
        MetadataError: If nothing is to be done, a pixel size is unknown, or a filter makes no
            sense at it.
        GeometryError: If the mask is on another grid.
    """
    _check(config)
    outputs = map_outputs(config.maps, config.output)
    if config.mask is not None:
        refuse_overwriting(outputs, [config.mask])
    volumes = [open_map(path, config.pixel_size, config.pixel_size_from) for path in config.maps]
    for path, volume in zip(config.maps, volumes, strict=True):
        _check_filters(config, path, volume)
    for number, (volume, path) in enumerate(zip(volumes, outputs, strict=True), start=1):
        made = edited(volume, config)
        if not np.isfinite(made.array).all():
            raise MetadataError(
                f"{config.maps[number - 1]}: would become infinite or NaN (--b-factor "
                f"{config.b_factor:g} Å²); give a --b-factor nearer to 0"
            )
        write_volume(path, made)
        run.on_event(Saved(path, "volume"))
        run.on_event(Progress("edit", number, len(outputs), "map"))
    return config.output


def edited(volume: Volume, config: EditMapConfig) -> Volume:
    """A map after all that the settings ask for, with the pixel size and origin that it has then.

    Raises:
        GeometryError: If the mask is on another grid.
    """
    values = filtered(as_tensor(volume), volume.pixel_size, config)
    size = volume.pixel_size
    if config.new_pixel_size is not None:
        values, size = resampled(values, size, config.new_pixel_size), config.new_pixel_size
    if config.box_size is not None:
        values = cut_box(values, config.box_size)
    if config.mask is not None:
        num_z, num_y, num_x = values.shape
        values = values * open_mask(config.mask, (num_z, num_y, num_x))
    if config.invert:
        values = -values
    # the centre voxel stays where it is in space, and the first moves
    sides = zip(volume.origin_xyz, volume.shape[::-1], values.shape[::-1], strict=True)
    x, y, z = (
        origin + (before // 2) * volume.pixel_size - (after // 2) * size
        for origin, before, after in sides
    )
    return Volume(np.asarray(values, np.float32), size, (x, y, z))


def filtered(
    values: Float[Tensor, "z y x"], pixel_size: float, config: EditMapConfig
) -> Float[Tensor, "z y x"]:
    """The map with its transform weighted as the settings ask."""
    if config.low_pass is None and config.high_pass is None and not config.b_factor:
        return values
    z, y, x = values.shape
    radius = frequency_radius((z, y, x), pixel_size=pixel_size)
    weight = torch.ones_like(radius)
    if config.low_pass is not None:
        weight = weight * low_pass(radius, config.low_pass)
    if config.high_pass is not None:
        weight = weight * high_pass(radius, config.high_pass)
    if config.b_factor:
        weight = weight * b_factor_envelope(radius, config.b_factor)
    return apply_filter(values, weight)


def resampled(
    values: Float[Tensor, "z y x"], pixel_size: float, new_pixel_size: float
) -> Float[Tensor, "z_new y_new x_new"]:
    """The map at another sampling; centre voxels stay centres, and even sides even."""
    for axis, side in enumerate(values.shape):
        wanted = side * pixel_size / new_pixel_size
        new_side = max(2, 2 * round(0.5 * wanted)) if side % 2 == 0 else 2 * int(0.5 * wanted) + 1
        matrix = centred_resampling(
            side, new_side, pixel_size=pixel_size, new_pixel_size=new_pixel_size
        )
        values = rescale_axis(values, axis, matrix)
    return values.contiguous()


def _check(config: EditMapConfig) -> None:
    asked = (
        config.low_pass,
        config.high_pass,
        config.b_factor or None,
        config.new_pixel_size,
        config.box_size,
        config.mask,
        config.invert or None,
        config.pixel_size,
    )
    if all(value is None for value in asked):
        raise MetadataError(
            f"{config.maps[0]}: nothing to do; give --low-pass, --high-pass, --b-factor, "
            "--new-pixel-size, --box-size, --mask, --invert or --pixel-size"
        )
    if config.low_pass and config.high_pass and config.high_pass <= config.low_pass:
        raise MetadataError(
            f"--high-pass is {config.high_pass:g} Å, expected more than --low-pass, "
            f"{config.low_pass:g} Å, or nothing is left"
        )


def _check_filters(config: EditMapConfig, path: Path, volume: Volume) -> None:
    finest = 1.0 / nyquist(volume.pixel_size)
    if config.high_pass is not None and config.high_pass <= finest:
        raise MetadataError(
            f"{path}: --high-pass is {config.high_pass:g} Å, expected more than {finest:g} Å "
            "(Nyquist), or nothing is left"
        )
