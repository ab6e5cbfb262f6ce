"""Particle images in and out: STAR files of RELION, M and WarpTools, and cryoSPARC's .cs files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.events import OnEvent, ignore
from icelens.core.io.joined_particles import join_particle_files
from icelens.core.io.particle_tables import new_blocks, write_particle_star
from icelens.core.io.relion_images import read_relion_images
from icelens.core.io.star import read_star

__all__ = ["ParticleFile", "new_particle_file", "read_particles", "write_particles"]

Floats = npt.NDArray[np.float64]


def read_particles(
    path: Path | Sequence[Path],
    *,
    stack_root: Path | None = None,
    need_poses: bool = False,
    pixel_size: float | None = None,
    on_event: OnEvent = ignore,
) -> ParticleFile:
    """Read particle images; several files are joined, row after row.

    Args:
        path: STAR of RELION 3.0 to 5, M or WarpTools (2D tilt stacks).
        stack_root: Folder of the stacks, if they are not where the files say.
        need_poses: Refuse files without angles.
        pixel_size: Of the images in Å/px, whatever the files say.
        on_event: Hears of assumptions and contradictions.

    Raises:
        InputFileError: If a file cannot be read or is of a kind that is not known.
        MetadataError: If something is missing in it or cannot be.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    if not paths:
        raise InputFileError("particles: no file is given, expected one or more; name one")
    files = []
    for each in paths:
        if each.suffix.lower() != ".star":
            raise InputFileError(
                f"{each}: particles cannot be read from this ending, expected .star or .cs"
            )
        blocks = read_star(each)
        files.append(
            read_relion_images(
                each,
                blocks,
                stack_root=stack_root,
                need_poses=need_poses,
                pixel_size=pixel_size,
                on_event=on_event,
            )
        )
    return files[0] if len(files) == 1 else join_particle_files(files)


def new_particle_file(
    particles: Particles, columns: Mapping[str, npt.ArrayLike] | None = None
) -> ParticleFile:
    """Tables of RELION 3.1 to 5 for particles that come from no file.

    Args:
        particles: Their stacks may still have to be written.
        columns: Further columns, one value per image.
    """
    blocks = new_blocks(particles)
    extra = {name: np.asarray(values) for name, values in (columns or {}).items()}
    blocks["particles"] = blocks["particles"].assign(**extra)
    return ParticleFile(particles, Path("particles.star"), np.arange(len(particles)), blocks)


def write_particles(
    path: Path,
    file: ParticleFile,
    *,
    rotation: Floats | None = None,
    shift_yx: Floats | None = None,
    columns: Mapping[str, npt.ArrayLike] | None = None,
    rows: npt.ArrayLike | None = None,
) -> None:
    """Write particles as they were read, with other poses and further columns.

    Rows keep their order, and all that is not replaced stays as it was. Stacks are named so that
    they are found from the new file's folder.

    Args:
        path: A `.star` file.
        file: From `read_particles` or `new_particle_file`.
        rotation: `(row, 3, 3)` of the rows to be written; kept if None.
        shift_yx: `(row, 2)` in Å; kept if None.
        columns: Values of further or of replaced columns, one per row to be written.
        rows: Which images, by number or as a mask; all if None.

    Raises:
        GeometryError: If an array has another number of rows.
        InputFileError: If the file cannot be written.
    """
    chosen = np.arange(len(file))[slice(None) if rows is None else np.asarray(rows)]
    for what, values in (("rotation", rotation), ("shift_yx", shift_yx)):
        if values is not None and len(values) != len(chosen):
            raise GeometryError(
                f"{path}: {what} has {len(values)} rows, expected {len(chosen)} as are written"
            )
    write_particle_star(
        path, file, rotation=rotation, shift_yx=shift_yx, columns=columns or {}, rows=chosen
    )
