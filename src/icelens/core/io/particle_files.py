"""Particle images in and out: STAR files of RELION, M and WarpTools, and cryoSPARC's .cs files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError, InputFileError
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.cryosparc import read_cryosparc
from icelens.core.io.cryosparc_records import write_cryosparc
from icelens.core.io.image_columns import blocks_of_images
from icelens.core.io.joined_particles import join_particle_files
from icelens.core.io.particle_tables import new_blocks, new_tilt_blocks, write_particle_star
from icelens.core.io.relion_images import read_relion_images
from icelens.core.io.relion_optics import with_pixel_size
from icelens.core.io.relion_tilt_stacks import (
    are_tilt_stacks,
    optimisation_set,
    read_tilt_stacks,
)
from icelens.core.io.star import read_star
from icelens.core.io.tilt_stack_tables import write_tilt_stack_star

__all__ = [
    "ParticleFile",
    "new_particle_file",
    "new_tilt_file",
    "read_particles",
    "write_particles",
]

Floats = npt.NDArray[np.float64]


def read_particles(
    path: Path | Sequence[Path],
    *,
    stack_root: Path | None = None,
    tomograms: Path | None = None,
    skip_missing: bool = False,
    need_poses: bool = False,
    pixel_size: float | None = None,
    on_event: OnEvent = ignore,
) -> ParticleFile:
    """Read particle images; several files are joined, row after row.

    Args:
        path: STAR of RELION 3.0 to 5, M or WarpTools (2D tilt stacks), an optimisation set, or
            cryoSPARC's `.cs`. Of several files, those with `passthrough` in their names give
            further fields to the `.cs` files.
        stack_root: Folder of the stacks, if they are not where the files say.
        tomograms: STAR file of the tomograms of 2D tilt stacks; else an optimisation set names it.
        skip_missing: Leave images without a stack out, and say so.
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
    passed = [each for each in paths if _is_passed_through(each)] if len(paths) > 1 else []
    files = []
    for each in paths:
        if each in passed:
            continue
        if each.suffix.lower() == ".cs":
            file = read_cryosparc(
                each,
                passed,
                stack_root=stack_root,
                need_poses=need_poses,
                pixel_size=pixel_size,
                on_event=on_event,
            )
        elif each.suffix.lower() == ".star":
            file = _read_star_file(
                each,
                stack_root=stack_root,
                tomograms=tomograms,
                skip_missing=skip_missing,
                need_poses=need_poses,
                pixel_size=pixel_size,
                on_event=on_event,
            )
        else:
            raise InputFileError(
                f"{each}: particles cannot be read from this ending, expected .star or .cs"
            )
        files.append(_with_stacks(file, on_event) if skip_missing else file)
    return files[0] if len(files) == 1 else join_particle_files(files)


def _is_passed_through(path: Path) -> bool:
    return path.suffix.lower() == ".cs" and "passthrough" in path.name


def _read_star_file(
    path: Path,
    *,
    stack_root: Path | None,
    tomograms: Path | None,
    skip_missing: bool,
    need_poses: bool,
    pixel_size: float | None,
    on_event: OnEvent,
) -> ParticleFile:
    blocks = read_star(path)
    named = optimisation_set(path, blocks)
    if named is not None:
        path, tomograms = named[0], tomograms or named[1]
        blocks = read_star(path)
    if are_tilt_stacks(blocks):
        file = read_tilt_stacks(
            path,
            blocks,
            tomograms=tomograms,
            stack_root=stack_root,
            skip_missing=skip_missing,
            need_poses=need_poses,
            pixel_size=pixel_size,
            on_event=on_event,
        )
    else:
        file = read_relion_images(
            path,
            blocks,
            stack_root=stack_root,
            need_poses=need_poses,
            pixel_size=pixel_size,
            skip_missing=skip_missing,
            on_event=on_event,
        )
    if pixel_size is None:
        return file
    name, _ = blocks_of_images(path, blocks)
    return replace(file, blocks=with_pixel_size(blocks, name, pixel_size))


def _with_stacks(file: ParticleFile, on_event: OnEvent) -> ParticleFile:
    """The rows whose stack exists."""
    particles = file.particles
    there = np.asarray([stack.is_file() for stack in particles.stacks], bool)
    kept = np.flatnonzero(there[particles.stack])
    lost = len(particles) - len(kept)
    if not lost:
        return file
    first = particles.stacks[int(np.flatnonzero(~there)[0])]
    found = f"{file.path}: {lost} of {len(particles)} images have no stack, the first is {first}"
    if not len(kept):
        raise InputFileError(f"{found}; give the folder of the stacks (--stack-root)")
    on_event(Message(f"{found}; they are left out", level="warning"))
    return replace(file, particles=particles.take(kept), table_row=file.table_row[kept])


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


def new_tilt_file(
    particles: Particles, columns: Mapping[str, npt.ArrayLike] | None = None
) -> ParticleFile:
    """A table in M's form for tilts of particles that come from no file.

    Args:
        particles: Tilts of each particle in turn, of one optics group; their stacks may still have
            to be written.
        columns: Further columns, one value per image.
    """
    extra = {name: np.asarray(values) for name, values in (columns or {}).items()}
    blocks = {name: table.assign(**extra) for name, table in new_tilt_blocks(particles).items()}
    rows = np.arange(len(particles))
    return ParticleFile(particles, Path("particles.star"), rows, blocks, has_pixel_origins=True)


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
        path: A `.star` file; or a `.cs` file, if the particles come from one.
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
    if path.suffix.lower() not in (".star", ".cs"):
        raise InputFileError(f"{path}: particles cannot be written so, expected .star or .cs")
    write: _Writer = write_particle_star
    if path.suffix.lower() == ".cs":
        write = write_cryosparc
    elif file.records is not None:
        file = new_particle_file(file.particles)
    elif file.tomograms is not None:
        write = write_tilt_stack_star
    write(path, file, rotation=rotation, shift_yx=shift_yx, columns=columns or {}, rows=chosen)


class _Writer(Protocol):
    def __call__(
        self,
        path: Path,
        file: ParticleFile,
        *,
        rotation: Floats | None,
        shift_yx: Floats | None,
        columns: Mapping[str, npt.ArrayLike],
        rows: npt.NDArray[np.int64],
    ) -> None: ...
