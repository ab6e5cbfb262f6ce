"""STAR tables of particle images: made from particles, or with poses replaced, and written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError
from icelens.core.geometry.relion_angles import relion_angles_from_matrices
from icelens.core.io.image_columns import (
    DEFOCUS,
    GROUP_NAME,
    HALF_SET,
    IMAGE_NAME,
    OPTICS_GROUP,
    ORIGIN_XY,
    PIXEL_ORIGIN_XY,
    WEIGHT,
    blocks_of_images,
)
from icelens.core.io.particle_columns import ANGLES
from icelens.core.io.relion_optics import DETECTOR, optics_table
from icelens.core.io.stack_paths import stack_name
from icelens.core.io.star import write_star

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]


def new_blocks(particles: Particles) -> "dict[str, pandas.DataFrame]":
    """Blocks `optics` and `particles` in the form of RELION 3.1 to 5; columns of defaults left out.

    The CTF's scale, envelope and phase shift are written where they are not 1, 0 and 0; half sets
    and weights where they are known; poses if `has_poses`.
    """
    import pandas as pd

    columns: dict[str, object] = {
        IMAGE_NAME: _image_names(particles, [str(path.absolute()) for path in particles.stacks]),
        OPTICS_GROUP: particles.optics_index + 1,
        DEFOCUS[0]: particles.defocus_u,
        DEFOCUS[1]: particles.defocus_v,
        DEFOCUS[2]: particles.astigmatism_angle,
    }
    optional = (
        ("rlnPhaseShift", particles.phase_shift, 0.0),
        ("rlnCtfBfactor", particles.b_factor, 0.0),
        ("rlnCtfScalefactor", particles.ctf_scale, 1.0),
        (HALF_SET, particles.half_set, 0),
        (WEIGHT, particles.weight, 1.0),
    )
    columns |= {name: values for name, values, usual in optional if (values != usual).any()}
    if particles.has_poses:
        columns |= _pose_columns(particles.rotation, particles.shift_yx, ORIGIN_XY)
    return {"optics": optics_table(particles.optics), "particles": pd.DataFrame(columns)}


def new_tilt_blocks(particles: Particles) -> "dict[str, pandas.DataFrame]":
    """One block in the form in which M exports tilts, with the particle in `rlnGroupName`.

    Its rows are read as tilts of a particle because it has no optics table, and because envelope or
    scale differ between them; `rlnCtfBfactor` is negative for decay.

    Args:
        particles: Of one optics group that only pixel size, box and microscope are known of.
    """
    import pandas as pd

    (group,) = particles.optics
    count = len(particles)
    columns: dict[str, object] = {
        IMAGE_NAME: _image_names(particles, [str(path.absolute()) for path in particles.stacks]),
        DETECTOR[1]: np.full(count, 1e4),
        DETECTOR[0]: np.full(count, group.pixel_size),
        "rlnVoltage": np.full(count, group.voltage),
        "rlnSphericalAberration": np.full(count, group.spherical_aberration),
        "rlnAmplitudeContrast": np.full(count, group.amplitude_contrast),
        "rlnPhaseShift": particles.phase_shift,
        DEFOCUS[0]: particles.defocus_u,
        DEFOCUS[1]: particles.defocus_v,
        DEFOCUS[2]: particles.astigmatism_angle,
        "rlnCtfBfactor": -particles.b_factor,
        "rlnCtfScalefactor": particles.ctf_scale,
        HALF_SET: particles.half_set,
        GROUP_NAME: [f"particle_{number:07d}" for number in particles.particle.tolist()],
    }
    if (particles.weight != 1.0).any():
        columns[WEIGHT] = particles.weight
    shift_yx_px = particles.shift_yx / group.pixel_size
    columns |= _pose_columns(particles.rotation, shift_yx_px, PIXEL_ORIGIN_XY)
    return {"": pd.DataFrame(columns)}


def write_particle_star(
    path: Path,
    file: ParticleFile,
    *,
    rotation: Floats | None,
    shift_yx: Floats | None,
    columns: Mapping[str, npt.ArrayLike],
    rows: npt.NDArray[np.int64],
) -> None:
    """Write a table whose rows are images; `rotation`, `shift_yx` and `columns` count `rows`.

    Raises:
        GeometryError: If a column has another number of rows.
    """
    import pandas as pd

    name, table = blocks_of_images(file.path, file.blocks)
    written = table.iloc[file.table_row[rows]].reset_index(drop=True)
    written.attrs = {}
    chosen = file.particles.take(rows)
    new: dict[str, npt.ArrayLike] = {
        IMAGE_NAME: written_names(path, file, written[IMAGE_NAME], rows)
    }
    if file.has_pixel_origins and shift_yx is not None:
        shift_yx = shift_yx / chosen.pixel_size()[:, None]
    new |= _pose_columns(
        rotation, shift_yx, PIXEL_ORIGIN_XY if file.has_pixel_origins else ORIGIN_XY
    )
    arrays = {column: np.asarray(values) for column, values in (new | dict(columns)).items()}
    for column, array in arrays.items():
        if array.shape != (len(rows),):
            raise GeometryError(
                f"{path}: column {column} has shape {array.shape}, expected ({len(rows)},)"
            )
    kept = {str(column): written[column] for column in written.columns}
    # one table at once: hundreds of columns of further poses, one by one, are slow
    write_star(path, {**file.blocks, name: pd.DataFrame(kept | arrays)})


def numbered_blocks(file: ParticleFile) -> "dict[str, pandas.DataFrame]":
    """The same tables with optics groups: those of RELION 3.0 get a table of them."""
    if "optics" in file.blocks:
        return dict(file.blocks)
    _, table = blocks_of_images(file.path, file.blocks)
    table = table.assign(**{OPTICS_GROUP: file.particles.optics_index + 1})
    if file.has_pixel_origins:
        shift_yx = file.particles.shift_yx
        table = table.drop(columns=list(PIXEL_ORIGIN_XY))
        table = table.assign(**dict(zip(ORIGIN_XY, shift_yx[:, ::-1].T, strict=True)))
    return {"optics": optics_table(file.particles.optics), "particles": table}


def written_names(
    path: Path, file: ParticleFile, names: "pandas.Series[str]", rows: npt.NDArray[np.int64]
) -> "pandas.Series[str]":
    """Image names of table rows as a file at `path` has to write them.

    Args:
        path: Of the file to be written.
        file: Where the names come from.
        names: `number@stack` or only the stack, of each row to be written.
        rows: An image of each of these rows.
    """
    stack = file.particles.stack[rows]
    _, first, inverse = np.unique(stack, return_index=True, return_inverse=True)
    new = []
    for place in first:
        name, found = str(names.iloc[place]).rpartition("@")[2], file.particles.stacks[stack[place]]
        is_lost = not found.is_file() and not Path(name).is_absolute()
        new.append(name if is_lost else stack_name(path, found, name))
    kept = names.astype(str).str.rpartition("@")
    replaced = np.asarray(new, object)[inverse]
    written: pandas.Series[str] = kept[0] + kept[1] + replaced
    return written


def _pose_columns(
    rotation: Floats | None, shift_yx: Floats | None, origin_xy: tuple[str, str]
) -> dict[str, npt.ArrayLike]:
    columns: dict[str, npt.ArrayLike] = {}
    if rotation is not None:
        angles = relion_angles_from_matrices(rotation)
        columns |= dict(zip(ANGLES, angles.T, strict=True))
    if shift_yx is not None:
        columns |= dict(zip(origin_xy, np.asarray(shift_yx)[:, ::-1].T, strict=True))
    return columns


def _image_names(particles: Particles, names: Sequence[str]) -> npt.NDArray[np.object_]:
    return np.asarray(
        [
            f"{slice_index + 1:06d}@{names[stack]}"
            for stack, slice_index in zip(
                particles.stack.tolist(), particles.slice_index.tolist(), strict=True
            )
        ],
        object,
    )
