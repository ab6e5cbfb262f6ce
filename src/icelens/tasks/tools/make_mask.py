"""Make a soft mask of a map: of what is dense in it, or a sphere on its grid."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, Saved
from icelens.core.fourier.filters import apply_filter, low_pass
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.volumes import open_volume, write_volume
from icelens.core.volumes.masks import level_mask, sphere_mask, usual_level
from icelens.jobs.run import Run
from icelens.tasks.tools.maps import as_tensor, open_map
from icelens.tasks.tools.volume_jobs import MaskConfig

_TOO_MUCH = 0.9


def make_mask(config: MaskConfig, run: Run) -> Path:
    """Write the mask and return its file.

    Raises:
        InputFileError: If the map is missing, damaged or would be written over.
        MetadataError: If its pixel size is unknown, or its protein is dark.
        GeometryError: If nothing is inside.
    """
    refuse_overwriting(config.output, [config.map])
    if config.sphere is not None:
        volume = open_volume(config.map, pixel_size=config.pixel_size)
        values = sphere_mask(
            volume.shape,
            pixel_size=volume.pixel_size,
            radius=0.5 * config.sphere,
            edge=config.edge,
        )
    else:
        volume = open_map(config.map, config.pixel_size, "error")
        values = _mask_of_density(config, volume, run)
    kept = float(values.double().mean())
    write_volume(config.output, volume.with_array(np.asarray(values, np.float32)))
    run.on_event(Saved(config.output, "mask"))
    if kept > _TOO_MUCH:
        run.on_event(
            Message(
                f"{config.output}: the mask keeps {kept:.0%} of the box; raise the level or narrow "
                "it",
                level="warning",
            )
        )
    run.on_event(Message(f"The mask keeps {kept:.1%} of the box"))
    return config.output


def _mask_of_density(config: MaskConfig, volume: Volume, run: Run) -> Float[Tensor, "z y x"]:
    values = as_tensor(volume)
    if config.low_pass is not None:
        radius = frequency_radius(volume.shape, pixel_size=volume.pixel_size)
        values = apply_filter(values, low_pass(radius, config.low_pass))
    level = usual_level(values) if config.level is None else config.level
    if config.level is None and level <= 0:
        raise MetadataError(
            f"{config.map}: almost nothing is above 0, expected protein to be bright; invert the "
            "map (`tools edit-map` with --invert) or give --level"
        )
    try:
        found = level_mask(
            values,
            pixel_size=volume.pixel_size,
            level=level,
            dilation=config.dilation,
            edge=config.edge,
            only_largest=config.largest,
        )
    except GeometryError as error:
        raise GeometryError(f"{config.map}: {error}") from error
    run.on_event(Message(f"What is denser than {level:.5g} is inside"))
    return found
