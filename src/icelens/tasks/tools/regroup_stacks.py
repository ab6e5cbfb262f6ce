"""Copy particle images from many stacks into few."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Progress, Saved
from icelens.core.io.image_columns import IMAGE_NAME
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import new_particle_file, read_particles, write_particles
from icelens.core.io.volumes import new_volume
from icelens.jobs.run import Run
from icelens.tasks.tools.particle_table import num_table_rows
from icelens.tasks.tools.star_jobs import RegroupStacksConfig

_AT_ONCE_BYTES = 1 << 26

Integers = npt.NDArray[np.int64]


def write_stacks(config: RegroupStacksConfig, run: Run) -> Path:
    """Write the stacks and their list; return the list.

    Raises:
        InputFileError: If images are missing, or more than 1 % of them not finite.
        MetadataError: If the file holds tilt stacks.
    """
    file = read_particles(config.particles, stack_root=config.stack_root, on_event=run.on_event)
    if num_table_rows(file) != len(file):
        raise MetadataError(
            f"{config.particles}: its rows are stacks of tilts, expected single images; WarpTools "
            "and RELION want those in files of their own"
        )
    particles = file.particles
    names = [f"stack_{number:03d}.mrcs" for number in range(1, len(particles) + 1)]
    refuse_overwriting(
        [run.folder / name for name in ("particles.star", *names)],
        [config.particles, *particles.stacks],
    )
    reader = ImageReader(particles, on_event=run.on_event)
    stack = np.zeros(len(particles), np.int64)
    place = np.zeros(len(particles), np.int64)
    paths: list[Path] = []
    done = 0
    for rows in new_stacks(particles, config.stack_size):
        path = run.folder / f"stack_{len(paths) + 1:03d}.mrcs"
        _copy(path, reader, particles, rows, done, config=config, run=run)
        stack[rows], place[rows] = len(paths), np.arange(len(rows))
        paths.append(path)
        done += len(rows)
    moved = replace(particles, stacks=tuple(paths), stack=stack, slice_index=place)
    star = run.folder / "particles.star"
    _write_list(star, file, moved)
    run.on_event(Saved(star, "particle list"))
    run.on_event(Message(f"{len(particles.stacks)} stacks became {len(paths)}"))
    return star


def new_stacks(particles: Particles, stack_size: int) -> Iterator[Integers]:
    """Rows of each new stack: of one box and pixel size, in the order of the file."""
    grids = np.stack([particles.box_size(), particles.pixel_size()], axis=1)
    _, first, kind = np.unique(grids, axis=0, return_index=True, return_inverse=True)
    for grid in np.argsort(first):
        rows = np.flatnonzero(kind.ravel() == grid)
        for start in range(0, len(rows), stack_size):
            yield rows[start : start + stack_size]


def _copy(
    path: Path,
    reader: ImageReader,
    particles: Particles,
    rows: Integers,
    done: int,
    *,
    config: RegroupStacksConfig,
    run: Run,
) -> None:
    """Write one stack, some images at a time."""
    box_size = int(particles.box_size()[rows[0]])
    pixel_size = float(particles.pixel_size()[rows[0]])
    step = max(1, _AT_ONCE_BYTES // (4 * box_size**2))
    shape = (len(rows), box_size, box_size)
    dtype = np.float16 if config.float16 else np.float32
    with new_volume(path, shape=shape, pixel_size=pixel_size, dtype=dtype) as images:
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            images[start : start + len(part)] = _fitting(reader.read(part), path, dtype)
            run.on_event(Progress("copy", done + start + len(part), len(particles), "image"))
    run.on_event(Saved(path, "image stack"))


def _fitting(images: npt.NDArray[np.float32], path: Path, dtype: type) -> npt.NDArray[np.floating]:
    """Images in the type they are stored in.

    Raises:
        MetadataError: If half precision cannot hold them.
    """
    if dtype == np.float16 and np.abs(images).max(initial=0.0) > np.finfo(np.float16).max:
        raise MetadataError(
            f"{path}: values beyond 65504, which half precision cannot hold; leave --float16 out"
        )
    return images.astype(dtype)


def _write_list(star: Path, file: ParticleFile, moved: Particles) -> None:
    if file.records is not None:
        write_particles(star, new_particle_file(moved))
        return
    names = [
        f"{number + 1:06d}@{moved.stacks[stack].name}"
        for stack, number in zip(moved.stack.tolist(), moved.slice_index.tolist(), strict=True)
    ]
    write_particles(star, file, columns={IMAGE_NAME: np.asarray(names, object)})
