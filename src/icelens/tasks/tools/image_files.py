"""Particle images of a tool: read from a table or a bare stack, and written anew in pieces."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError
from icelens.core.events import OnEvent, Progress, Saved
from icelens.core.io.atomic import make_folder
from icelens.core.io.bare_stacks import is_bare_stack, read_bare_stacks
from icelens.core.io.moved_images import with_moved_images
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.core.io.volumes import new_volume, release_pages

_AT_ONCE_BYTES = 1 << 24  # the work of a piece stays near the cache

Integers = npt.NDArray[np.int64]
Images = npt.NDArray[np.float32]
Make = Callable[[Integers], Images]
"""New images `(row, y, x)` of rows that share one grid."""


@dataclass(frozen=True, eq=False)
class ImageFile:
    """Images that a tool changes.

    Attributes:
        path: Table of particles, or stack of images.
        particles: One row per image.
        table: None for a stack.
    """

    path: Path
    particles: Particles
    table: ParticleFile | None


def read_images(
    path: Path, *, stack_root: Path | None, pixel_size: float | None, on_event: OnEvent
) -> ImageFile:
    """Images of a `.star` or `.cs` file, or all of a stack.

    Raises:
        InputFileError: If a file is missing or cannot be read.
        MetadataError: If something is missing in it or cannot be.
        GeometryError: If images are not square.
    """
    if is_bare_stack(path):
        particles = read_bare_stacks(path, pixel_size=pixel_size, pixel_size_from="metadata")
        return ImageFile(path, particles, None)
    table = read_particles(path, stack_root=stack_root, pixel_size=pixel_size, on_event=on_event)
    return ImageFile(path, table.particles, table)


def check_output(source: ImageFile, output: Path) -> None:
    """Refuse an output of another kind than what was read, or in its place.

    Raises:
        InputFileError: If so.
    """
    allowed = [".star"]
    if source.table is None:
        allowed = [".mrcs", ".mrc"]
    elif source.table.records is not None:
        allowed = [".star", ".cs"]
    if output.suffix.lower() not in allowed:
        raise InputFileError(
            f"{output}: cannot hold what {source.path} becomes, expected a name that ends in "
            f"{' or '.join(allowed)}"
        )
    refuse_overwriting(output, [source.path, *source.particles.stacks])


def write_images(
    source: ImageFile,
    output: Path,
    make: Make,
    optics: tuple[OpticsGroup, ...],
    *,
    stage: str,
    stack_size: int | None = None,
    shift_yx: npt.NDArray[np.float64] | None = None,
    on_event: OnEvent,
) -> Path:
    """Write all images as float32 stacks, and their table if they came with one.

    Stacks of a table lie beside it and have its name: one for each grid, or more of at most
    `stack_size`; rows that are stacks of tilts keep a stack each, in a folder of its own. All files
    appear at the end or none.

    Args:
        source: What was read.
        output: Table or stack to write, checked by `check_output`.
        make: Makes the new images of some rows.
        optics: Groups of the new images, in the order of the old.
        stage: Word for the progress.
        stack_size: Most images of a stack.
        shift_yx: `(row, 2)` in Å, if shifts become others.
        on_event: Hears of progress and files.

    Returns:
        The output.
    """
    moved = replace(source.particles, optics=optics)
    planned = list(_plan(source, moved, output, stack_size))
    stacks = [path for path, _ in planned]
    refuse_overwriting(stacks, [source.path, *source.particles.stacks])
    make_folder(output.absolute().parent)
    done = 0
    stack, place = (np.zeros(len(moved), np.int64) for _ in range(2))
    with _appearing_together(output) as scratch:
        for number, (path, rows) in enumerate(planned):
            for count in _write_stack(scratch / f"{number}{path.suffix}", make, moved, rows):
                done += count
                on_event(Progress(stage, done, len(moved), "image"))
            stack[rows], place[rows] = number, np.arange(len(rows))
        for number, path in enumerate(stacks):
            make_folder(path.parent)
            (scratch / f"{number}{path.suffix}").replace(path)
    for path in stacks[:1] if source.table is not None else []:
        on_event(Saved(path, "image stack"))
    if source.table is not None:
        moved = replace(moved, stacks=tuple(stacks), stack=stack, slice_index=place)
        write_particles(output, with_moved_images(source.table, moved), shift_yx=shift_yx)
    on_event(Saved(output, "image stack" if source.table is None else "particle list"))
    return output


def _plan(
    source: ImageFile, moved: Particles, output: Path, stack_size: int | None
) -> Iterator[tuple[Path, Integers]]:
    """Each new stack with the rows in it."""
    if source.table is None:
        yield output, np.arange(len(moved))
        return
    if source.table.tomograms is not None:
        folder = output.with_name(f"{output.stem}_stacks")
        for number, row in enumerate(np.unique(source.table.table_row), start=1):
            yield folder / f"{number:06d}.mrcs", np.flatnonzero(source.table.table_row == row)
        return
    parts = [
        rows[start : start + (stack_size or len(rows))]
        for rows in _grids(source.particles, moved)
        for start in range(0, len(rows), stack_size or len(rows))
    ]
    for number, rows in enumerate(parts, start=1):
        name = f"{output.stem}_{number:03d}" if len(parts) > 1 else output.stem
        yield output.with_name(f"{name}.mrcs"), rows


def _grids(old: Particles, new: Particles) -> list[Integers]:
    """Rows of each grid, before and after, in the order in which they first come."""
    grids = np.stack([old.box_size(), old.pixel_size(), new.box_size(), new.pixel_size()], axis=1)
    _, first, kind = np.unique(grids, axis=0, return_index=True, return_inverse=True)
    return [np.flatnonzero(kind.ravel() == grid) for grid in np.argsort(first)]


def _write_stack(path: Path, make: Make, moved: Particles, rows: Integers) -> Iterator[int]:
    """Write a stack piece by piece; yields how many images each had."""
    side = int(moved.box_size()[rows[0]])
    size = float(moved.pixel_size()[rows[0]])
    step = max(1, _AT_ONCE_BYTES // (4 * int(side) ** 2))
    with new_volume(path, shape=(len(rows), side, side), pixel_size=size) as images:
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            images[start : start + len(part)] = make(part)
            release_pages(images)
            yield len(part)


@contextmanager
def _appearing_together(output: Path) -> Iterator[Path]:
    """A folder beside the output for files that are not whole yet; it is gone afterwards."""
    try:
        scratch = Path(tempfile.mkdtemp(dir=output.absolute().parent, prefix=f".{output.stem}-"))
    except OSError as error:
        raise InputFileError(
            f"{output}: cannot write here ({error.strerror}); make the folder writable or choose "
            "another"
        ) from error
    try:
        yield scratch
    except OSError as error:
        raise InputFileError(
            f"{output}: could not be written ({error.strerror}); free some space or choose another "
            "folder"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
