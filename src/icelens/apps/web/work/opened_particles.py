"""A particle file opened for the montage: its columns, poses and images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.apps.web.work.column_kinds import ColumnKind, kind_of
from icelens.apps.web.work.kept import Kept
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError
from icelens.core.events import Event, Message
from icelens.core.geometry.relion_angles import relion_angles_from_matrices
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.particle_files import read_particles
from icelens.core.io.table_columns import table_columns

Column = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class OpenedParticles:
    """Everything that is known of the images of a particle file, a line for each.

    Attributes:
        file: The particles.
        columns: By name, `(image,)` each; also texts.
        kinds: How those are shown that can be.
        notes: What was assumed, a sentence each.
    """

    file: ParticleFile
    columns: dict[str, Column]
    kinds: dict[str, ColumnKind]
    notes: tuple[str, ...]


_KEPT: Kept[OpenedParticles] = Kept(2)
_IMAGES: Kept[ImageReader] = Kept(2)


def open_particles(path: Path) -> OpenedParticles:
    """The particles of a file; read once, and again when it changes.

    Raises:
        IcelensError: If it cannot be read.
    """
    return _KEPT.get(path, [path], lambda: _opened(path))


def open_images(path: Path, roots: Sequence[str]) -> tuple[OpenedParticles, ImageReader]:
    """The same with what reads their images.

    Args:
        path: Particle file.
        roots: Folders below which stacks must lie.

    Raises:
        OutsideRootsError: If a stack lies elsewhere.
        InputFileError: If stacks are missing or other than the file says.
    """
    opened = open_particles(path)
    particles = opened.file.particles
    allowed = Roots(tuple(map(Path, roots)))
    for stack in particles.stacks:
        if not allowed.contains(stack.resolve()):
            raise OutsideRootsError(
                f"{stack}: the images of {path.name} lie outside the folders this workbench may "
                "show; start it with --root FOLDER to add one"
            )
    key = (path, tuple(roots))
    return opened, _IMAGES.get(
        key, [path, *particles.stacks[:1000]], lambda: ImageReader(particles)
    )


def _opened(path: Path) -> OpenedParticles:
    notes: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, Message):
            notes.append(event.text)

    file = read_particles(path, on_event=hear)
    if not len(file):
        raise InputFileError(f"{path}: holds no particles; choose another file")
    columns = _own_columns(file.particles)
    for name, values in table_columns(file).items():
        columns.setdefault(name, values[file.table_row])
    found = {name: kind_of(name, values) for name, values in columns.items()}
    kinds = {name: kind for name, kind in found.items() if kind is not None}
    return OpenedParticles(file, columns, kinds, tuple(notes))


def _own_columns(particles: Particles) -> dict[str, Column]:
    """What every file has under names of its own, by one name and in one unit."""
    columns: dict[str, Column] = {
        "row": np.arange(len(particles)),
        "particle": particles.particle,
        "defocus": 0.5 * (particles.defocus_u + particles.defocus_v),
        "astigmatism": np.abs(particles.defocus_u - particles.defocus_v),
        "optics_group": particles.optics_index + 1,
        "half_set": particles.half_set,
    }
    if particles.has_poses:
        angles = relion_angles_from_matrices(particles.rotation)
        columns |= {"rot": angles[:, 0], "tilt": angles[:, 1], "psi": angles[:, 2]}
        columns |= {"shift_x": particles.shift_yx[:, 1], "shift_y": particles.shift_yx[:, 0]}
    return columns
