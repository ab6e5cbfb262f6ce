"""The table of an analysis: a line for each particle, with all that is known of it in numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.geometry.relion_angles import relion_angles_from_matrices
from icelens.core.io.atomic import atomic_path
from icelens.core.io.table_columns import table_columns
from icelens.tasks.hetero.prepared_images import FACTS_NAME, fingerprint, read_facts

Column = npt.NDArray[Any]

TABLE_NAME = "table.csv"
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5


def check_particles(table: LatentTable, file: ParticleFile, source: Path) -> None:
    """Refuse latents of other particles.

    Raises:
        MetadataError: If their number or their names differ.
    """
    known = file.particles.particle
    count = len(np.unique(known))
    if len(table) != count:
        raise MetadataError(
            f"{source}: latents of {len(table)} particles, but {file.path} has {count}; restore "
            "the particle file the run was made from, or train again"
        )
    fits = (table.row >= 0) & (table.row < len(known))
    fits[fits] = known[table.row[fits]] == table.particle[fits]
    if not fits.all():
        line = int(np.argmin(fits))
        raise MetadataError(
            f"{source}: line {line + 1} is of particle {table.particle[line]} in row "
            f"{table.row[line]}, which {file.path} does not have there; restore the particle file "
            "the run was made from, or train again"
        )
    _check_images(file, source)


def _check_images(file: ParticleFile, source: Path) -> None:
    """Refuse the same numbers of other images, where the run knows its own."""
    if not (source / FACTS_NAME).is_file():
        return
    known = read_facts(source).fingerprint
    if known and known != fingerprint(file.particles):
        raise MetadataError(
            f"{source}: was made from other images than {file.path} names now (stacks, numbers, "
            "order, boxes or pixel sizes differ); restore the particle file, or train again"
        )


def latent_columns(table: LatentTable) -> dict[str, Column]:
    """Columns of the latents themselves, as in `latents.csv`, and their length `norm`."""
    columns: dict[str, Column] = {
        "particle": table.particle,
        "row": table.row,
        "half_set": table.half_set,
    }
    columns |= {f"latent_{n}": values for n, values in enumerate(table.latent.T, start=1)}
    if np.isfinite(table.deviation).any():
        columns |= {f"deviation_{n}": v for n, v in enumerate(table.deviation.T, start=1)}
    columns["norm"] = np.linalg.norm(table.latent, axis=1)
    return columns


def pose_columns(table: LatentTable, file: ParticleFile) -> dict[str, Column]:
    """Defocus, angles, shifts and optics of each particle's first image."""
    particles = file.particles.take(table.row)
    # of a tilt series the particle's own rotation, not that of its first tilt
    rotation = np.swapaxes(particles.stage, -1, -2) @ particles.rotation
    angles = relion_angles_from_matrices(rotation)
    images = np.bincount(file.particles.particle - file.particles.particle.min())
    return {
        "defocus": 0.5 * (particles.defocus_u + particles.defocus_v),
        "rot": angles[:, 0],
        "tilt": angles[:, 1],
        "psi": angles[:, 2],
        "shift_x": particles.shift_yx[:, 1],
        "shift_y": particles.shift_yx[:, 0],
        "optics_group": particles.optics_index + 1,
        "images": images[particles.particle - file.particles.particle.min()],
    }


def file_columns(table: LatentTable, file: ParticleFile) -> dict[str, Column]:
    """Columns of the particle file, numbers and texts, at each particle's first image."""
    rows = file.table_row[table.row]
    return {name: values[rows] for name, values in table_columns(file).items()}


def write_table(path: Path, columns: Mapping[str, Column]) -> None:
    """Write columns of numbers as CSV with seven digits; texts are left out.

    Raises:
        InputFileError: If the disk is full or the folder cannot be written.
    """
    import pandas

    numbers = {name: values for name, values in columns.items() if values.dtype.kind in "iufb"}
    with atomic_path(path) as temporary:
        pandas.DataFrame(numbers).to_csv(temporary, index=False, float_format="%.7g")


def read_table(path: Path, table: LatentTable) -> dict[str, Column]:
    """Columns of an analysis, if it is one of these particles.

    Raises:
        InputFileError: If the file is damaged, or of other particles.
    """
    import pandas

    try:
        frame = pandas.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"{path}: cannot be read ({type(error).__name__}); run `icelens hetero analyze` again"
        ) from error
    columns = {str(name): frame[name].to_numpy() for name in frame.columns}
    ids = [columns.get(name, np.empty(0)) for name in ("particle", "row")]
    if not all(np.array_equal(a, b) for a, b in zip(ids, (table.particle, table.row), strict=True)):
        raise InputFileError(
            f"{path}: has other particles ({len(frame)} lines) than the run ({len(table)}); run "
            "`icelens hetero analyze` again"
        )
    own = [columns.get(f"latent_{number}") for number in range(1, table.latent_dim + 1)]
    if not all(
        mine is not None
        and mine.dtype.kind in "if"
        and np.allclose(mine, latent, _RELATIVE, _ABSOLUTE)
        for mine, latent in zip(own, table.latent.T, strict=True)
    ):
        raise InputFileError(
            f"{path}: has other latents than the run, which was trained again or is at another "
            "epoch; run `icelens hetero analyze` again"
        )
    return columns
