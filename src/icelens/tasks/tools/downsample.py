"""Bring particle images, or a volume, to fewer and larger pixels of the same field."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError
from icelens.core.events import Message, Saved
from icelens.core.fourier.crop import crop_images, crop_volumes
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.volumes import write_volume
from icelens.jobs.run import Run
from icelens.tasks.tools.image_files import (
    ImageFile,
    Images,
    Integers,
    check_output,
    read_images,
    write_images,
)
from icelens.tasks.tools.image_jobs import DownsampleConfig
from icelens.tasks.tools.maps import as_tensor, open_map


def downsample_images(config: DownsampleConfig, run: Run) -> Path:
    """Write the smaller images and their table, or the smaller volume; return the file.

    Raises:
        GeometryError: If there would be more pixels than before.
        InputFileError: If a file is missing, damaged or would be written over.
        MetadataError: If a pixel size is unknown.
    """
    if config.volume:
        return _downsample_volume(config, run)
    source = read_images(
        config.particles,
        stack_root=config.stack_root,
        pixel_size=config.pixel_size,
        on_event=run.on_event,
    )
    check_output(source, config.output)
    _refuse_enlarging(config, source)
    reader = ImageReader(source.particles, on_event=run.on_event)

    def make(rows: Integers) -> Images:
        images = torch.from_numpy(reader.read(rows))
        return crop_images(images, config.box_size).numpy()

    optics = tuple(
        replace(
            group,
            box_size=config.box_size,
            pixel_size=group.pixel_size * group.box_size / config.box_size,
        )
        for group in source.particles.optics
    )
    path = write_images(
        source,
        config.output,
        make,
        optics,
        stage="downsample",
        stack_size=config.output_stack_size,
        on_event=run.on_event,
    )
    sizes = np.unique([optics[group].pixel_size for group in set(source.particles.optics_index)])
    words = " and ".join(f"{size:.5g}" for size in sizes[:3]) + (" ..." if len(sizes) > 3 else "")
    run.on_event(
        Message(f"{len(source.particles)} images have {config.box_size} px of {words} Å now")
    )
    return path


def _refuse_enlarging(config: DownsampleConfig, source: ImageFile) -> None:
    smallest = int(source.particles.box_size().min())
    if config.box_size > smallest:
        raise GeometryError(
            f"{config.particles}: images of {smallest} px, expected {config.box_size} px "
            "(--box-size) or more; a transform can be cropped, not filled"
        )


def _downsample_volume(config: DownsampleConfig, run: Run) -> Path:
    refuse_overwriting(config.output, [config.particles])
    volume = open_map(config.particles, config.pixel_size, "metadata")
    side = volume.shape[0]
    if len(set(volume.shape)) > 1 or config.box_size > side:
        raise GeometryError(
            f"{config.particles}: (z, y, x) = {volume.shape}, expected a cube of "
            f"{config.box_size} voxels (--box-size) or more; give a smaller box, or cut a cube "
            "with `tools edit-map`"
        )
    size = volume.pixel_size * side / config.box_size
    values = crop_volumes(as_tensor(volume), config.box_size).numpy()
    # the centre voxel stays where it is, not the first
    moved = (side // 2) * volume.pixel_size - (config.box_size // 2) * size
    x, y, z = (value + moved for value in volume.origin_xyz)
    write_volume(config.output, Volume(values, size, (x, y, z)))
    run.on_event(Saved(config.output, "volume"))
    run.on_event(Message(f"The volume has {config.box_size} voxels of {size:.5g} Å now"))
    return config.output
