"""Write tables whose rows are stacks of tilts: one pose of a particle out of all its images'."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import GeometryError
from icelens.core.geometry.relion_angles import (
    matrices_from_relion_angles,
    relion_angles_from_matrices,
)
from icelens.core.io.image_columns import IMAGE_NAME, blocks_of_images, has
from icelens.core.io.particle_columns import ANGLES, ORIGIN, SUBTOMOGRAM, number_columns
from icelens.core.io.particle_tables import written_names
from icelens.core.io.stack_paths import stack_name
from icelens.core.io.star import write_star

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def write_tilt_stack_star(
    path: Path,
    file: ParticleFile,
    *,
    rotation: Floats | None,
    shift_yx: Floats | None,
    columns: Mapping[str, npt.ArrayLike],
    rows: Integers,
) -> None:
    """Write each particle that has an image among `rows`, and an optimisation set beside the file.

    A particle's rotation is the mean of `stage^T rotation` over its images, its origin the one
    whose projections come closest to the images' shifts. Further columns are means over images;
    those of text take the first.

    Raises:
        GeometryError: If a column has another number of rows.
    """
    import pandas as pd

    name, table = blocks_of_images(file.path, file.blocks)
    chosen, first, particle = np.unique(
        file.table_row[rows], return_index=True, return_inverse=True
    )
    written = table.iloc[chosen].reset_index(drop=True)
    stage = file.particles.stage[rows]
    of_box = np.broadcast_to(np.eye(3), (len(chosen), 3, 3))
    if has(written, *SUBTOMOGRAM):
        of_box = matrices_from_relion_angles(number_columns(file.path, written, SUBTOMOGRAM))
    new: dict[str, Any] = {IMAGE_NAME: written_names(path, file, written[IMAGE_NAME], rows[first])}
    if rotation is not None:
        own = np.swapaxes(of_box, -1, -2) @ mean_rotations(stage, rotation, particle)
        new |= dict(zip(ANGLES, relion_angles_from_matrices(own).T, strict=True))
    if shift_yx is not None:
        origin = np.einsum("nji,nj->ni", of_box, origins(stage, shift_yx, particle))
        new |= dict(zip(ORIGIN, origin.T, strict=True))
    for column, values in columns.items():
        array = np.asarray(values)
        if array.shape != (len(rows),):
            raise GeometryError(
                f"{path}: column {column} has shape {array.shape}, expected ({len(rows)},)"
            )
        is_number = array.dtype.kind in "f"
        new[column] = _means(array, particle) if is_number else array[first]
    write_star(path, {**file.blocks, name: written.assign(**new)})
    if file.tomograms is not None:
        beside = path.with_name(f"{path.stem}_optimisation_set.star")
        named = {
            "rlnTomoParticlesFile": [path.name],
            "rlnTomoTomogramsFile": [stack_name(path, file.tomograms)],
        }
        write_star(beside, {"": pd.DataFrame(named)})


def mean_rotations(stage: Floats, rotation: Floats, particle: Integers) -> Floats:
    """Rotation `(particle, 3, 3)` of each particle from those of its images, `(image, 3, 3)` each.

    The rotation nearest to the mean matrix (Moakher, SIAM J. Matrix Anal. Appl. 24 (2002), 1-16).
    """
    # as `core/geometry/rotation_mean.py`, in numpy: files are written without torch
    turned = np.swapaxes(stage, -1, -2) @ rotation
    total = np.zeros((int(particle.max(initial=-1)) + 1, 3, 3))
    np.add.at(total, particle, turned)
    left, _, right = np.linalg.svd(total)
    left[..., -1] *= np.sign(np.linalg.det(left @ right))[..., None]
    return np.asarray(left @ right, np.float64)


def origins(stage: Floats, shift_yx: Floats, particle: Integers) -> Floats:
    """Shift `(particle, 3)`, xyz in Å, whose projections fit those of the images best.

    A direction that no image shows, such as the beam's if there is one image alone, stays 0.
    """
    axes = stage[:, :2]
    count = int(particle.max(initial=-1)) + 1
    normal, wanted = np.zeros((count, 3, 3)), np.zeros((count, 3))
    np.add.at(normal, particle, np.swapaxes(axes, -1, -2) @ axes)
    np.add.at(wanted, particle, np.einsum("nji,nj->ni", axes, shift_yx[:, ::-1]))
    inverse = np.linalg.pinv(normal, rcond=1e-6, hermitian=True)
    found: Floats = np.einsum("nij,nj->ni", inverse, wanted)
    return found


def _means(values: npt.NDArray[np.generic], particle: Integers) -> Floats:
    counts = np.bincount(particle)
    means: Floats = np.bincount(particle, weights=values.astype(np.float64)) / counts
    return means
