"""What the particle page asks of a file: what there is, columns, sheets of images, views.

All it asks stands in this module, so that one process holds the file.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icelens.apps.web.work.column_kinds import packed_columns
from icelens.apps.web.work.montage import montage
from icelens.apps.web.work.opened_particles import open_particles
from icelens.apps.web.work.view_map import view_density
from icelens.apps.web.worker import Answer
from icelens.core.data.row_filter import filter_rows
from icelens.core.errors import MetadataError

__all__ = ["columns", "describe", "montage", "views"]


def describe(*, file: str) -> Answer:
    """What there is: images, particles, columns with their kinds, optics.

    Raises:
        IcelensError: If the file cannot be read.
    """
    opened = open_particles(Path(file))
    particles = opened.file.particles
    missing = sum(not stack.is_file() for stack in particles.stacks)
    notes = list(opened.notes)
    if missing:
        notes.append(f"{missing} of {len(particles.stacks)} stacks of images are missing")
    return Answer(
        {
            "count": len(particles),
            "num_particles": len(np.unique(particles.particle)),
            "box_sizes": sorted({group.box_size for group in particles.optics}),
            "pixel_sizes": sorted({group.pixel_size for group in particles.optics}),
            "has_poses": particles.has_poses,
            "columns": [kind.as_json() for kind in opened.kinds.values()],
            "notes": notes,
        }
    )


def columns(*, file: str, names: Sequence[str]) -> Answer:
    """Columns one after the other, float32 little endian; NaN is not known.

    Raises:
        InputFileError: If there is no such column.
        MetadataError: If there are too many or none.
    """
    opened = open_particles(Path(file))
    blob = packed_columns(file, opened, names)
    return Answer({"names": list(names), "count": len(opened.file)}, blob)


def views(*, file: str, where: str = "") -> Answer:
    """Images per direction relative to even coverage, on a map of the sphere; see `view_density`.

    Raises:
        MetadataError: If the file has no poses, or the condition is wrong.
    """
    opened = open_particles(Path(file))
    particles = opened.file.particles
    if not particles.has_poses:
        raise MetadataError(f"{file}: has no angles, so that views are not known; refine it first")
    rotation = particles.rotation
    if where:
        rotation = rotation[filter_rows(where, opened.columns)]
    if not len(rotation):
        raise MetadataError(f"{file}: no image fits the condition; relax it")
    density, order = view_density(rotation)
    facts = {
        "shape": list(density.shape),
        "order": order,
        "count": len(rotation),
        "most": float(np.nanmax(density)),
        "empty": float((density[np.isfinite(density)] == 0).mean()),
    }
    return Answer(facts, np.asarray(density, "<f4").tobytes())
