"""Particles as stacks of tilts (RELION 5, WarpTools): one row of the table is several images."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.image_columns import (
    DEFOCUS,
    IMAGE_NAME,
    blocks_of_images,
    half_sets,
    has,
    number_list,
    weights,
)
from icelens.core.io.mrc import read_mrc_stack_header
from icelens.core.io.relion_optics import read_optics
from icelens.core.io.relion_tilts import MICROSCOPE, Tilts, read_tilts
from icelens.core.io.stack_paths import find_stacks
from icelens.core.io.star import read_star
from icelens.core.io.tilt_geometry import TiltGeometry

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_FLAG = "rlnTomoSubTomosAre2DStacks"
_VISIBLE = "rlnTomoVisibleFrames"
_PARTICLES_FILE = "rlnTomoParticlesFile"
_TOMOGRAMS_FILE = "rlnTomoTomogramsFile"


def are_tilt_stacks(blocks: "Mapping[str, pandas.DataFrame]") -> bool:
    """Whether rows of a STAR file are stacks of tilts."""
    return any(
        has(table, _FLAG) and str(table[_FLAG].iloc[0]) == "1"
        for table in blocks.values()
        if len(table)
    )


def optimisation_set(
    path: Path, blocks: "Mapping[str, pandas.DataFrame]"
) -> tuple[Path, Path] | None:
    """Particles and tomograms that an optimisation set names; None if `blocks` are no such set.

    Raises:
        InputFileError: If one of them does not exist.
    """
    for table in blocks.values():
        if has(table, _PARTICLES_FILE, _TOMOGRAMS_FILE) and len(table):
            named = [str(table[name].iloc[0]) for name in (_PARTICLES_FILE, _TOMOGRAMS_FILE)]
            particles, tomograms = find_stacks(path, named)
            for file in (particles, tomograms):
                if not file.is_file():
                    raise InputFileError(
                        f"{path}: {file} does not exist, expected the file that the optimisation "
                        "set names; put it there or correct the name"
                    )
            return particles, tomograms
    return None


def read_tilt_stacks(
    path: Path,
    blocks: "Mapping[str, pandas.DataFrame]",
    *,
    tomograms: Path | None = None,
    stack_root: Path | None = None,
    skip_missing: bool = False,
    need_poses: bool = False,
    pixel_size: float | None = None,
    on_event: OnEvent = ignore,
) -> ParticleFile:
    """Each visible tilt of each particle as an image.

    `stage` is the rotation of the tilt's projection, and `rotation` is `stage @ A_subtomogram @
    A_particle`, since the latter takes the reference to the tomogram. The origin in the
    subtomogram's frame is projected to the shift of each image. Defocus is that of the tilt at the
    tomogram's centre and what the particle's depth along the beam adds, times `rlnTomoHand`.
    Radiation damage is an envelope of B = 4 Å^2 for each e/Å^2 of dose before the tilt, so that
    amplitudes fall as `exp(-dose k^2)`: WarpTools' and M's rule, which meets the curve of Grant &
    Grigorieff (eLife 4, 2015) near 3 Å.

    Args:
        path: STAR file of the particles.
        blocks: What `read_star` gave.
        tomograms: STAR file of the tomograms; else the optimisation set beside the file names it.
        stack_root: Folder of the stacks, if they are not where the file says.
        skip_missing: Leave particles without a stack out, and say so, instead of refusing them.
        need_poses: Refuse a file without angles.
        pixel_size: Of the images in Å/px, whatever the file says.
        on_event: Hears of particles that are left out.

    Raises:
        InputFileError: If a file is missing, or a stack has a number of images that is neither
            that of all tilts nor of the visible ones.
        MetadataError: If columns are missing, hold what cannot be, or a tomogram is not known.

    References:
        RELION, `Tomogram::getCtf`, `Tomogram::getDepthOffset`, `ParticleSet::getMatrix3x3`.
    """
    _, table = blocks_of_images(path, blocks)
    tomograms = tomograms or _tomograms_beside(path)
    tilts = read_tilts(tomograms)
    names = _tomogram_names(path, table, tomograms, tilts)
    stacks = _stacks(path, table, stack_root)
    kept = _with_stacks(path, names, stacks, skip_missing=skip_missing, on_event=on_event)
    geometry = TiltGeometry.read(path, table, tilts, names, need_poses=need_poses)
    row, frame, slice_index = _images(path, table, tilts, names, stacks, kept)
    optics, group = _optics(path, blocks, table, tilts, names, stacks[kept[0]], pixel_size)
    columns = geometry.columns(path, row, frame, np.asarray([g.pixel_size for g in optics])[group])
    particles = Particles(
        stacks,
        row,
        slice_index,
        optics,
        group[row],
        half_set=half_sets(path, table)[row],
        weight=weights(path, table)[row],
        particle=row,
        **columns,
    )
    return ParticleFile(particles, path, row, dict(blocks), tomograms=tomograms)


def _tomogram_names(
    path: Path, table: "pandas.DataFrame", tomograms: Path, tilts: Mapping[str, Tilts]
) -> list[str]:
    if not has(table, "rlnTomoName"):
        raise MetadataError(f"{path}: column rlnTomoName is missing; add it")
    names = [str(name) for name in table["rlnTomoName"]]
    unknown = [name for name in names if name not in tilts]
    if unknown:
        raise MetadataError(
            f"{path}: tomogram {unknown[0]} of {len(unknown)} particles is not in {tomograms}; "
            "give the STAR file of their tomograms"
        )
    return names


def _optics(
    path: Path,
    blocks: "Mapping[str, pandas.DataFrame]",
    table: "pandas.DataFrame",
    tilts: Mapping[str, Tilts],
    names: list[str],
    stack: Path,
    pixel_size: float | None,
) -> tuple[tuple[OpticsGroup, ...], Integers]:
    """Groups of the particles; the microscope is that of the tomograms where they have no table."""
    told = [
        name for name in MICROSCOPE if all(name in tilts[each].microscope for each in set(names))
    ]
    if "optics" not in blocks:
        table = table.assign(
            **{name: [tilts[each].microscope[name] for each in names] for name in told}
        )
    return read_optics(
        path,
        blocks,
        # the CTF is the tilts', but there is one
        table.assign(**{DEFOCUS[0]: 0.0}),
        lambda _: read_mrc_stack_header(stack).shape[-1],
        np.zeros(len(table), np.int64),
        pixel_size,
    )


def _tomograms_beside(path: Path) -> Path:
    """The tomograms of the optimisation set that lies beside the particles and names them."""
    for candidate in sorted(path.parent.glob("*optimisation_set.star")):
        found = optimisation_set(candidate, read_star(candidate))
        if found is not None and found[0].resolve() == path.resolve():
            return found[1]
    raise InputFileError(
        f"{path}: particles are stacks of tilts, but no optimisation set beside the file names it; "
        "give the STAR file of the tomograms"
    )


def _stacks(path: Path, table: "pandas.DataFrame", stack_root: Path | None) -> tuple[Path, ...]:
    if not has(table, IMAGE_NAME):
        raise MetadataError(f"{path}: column {IMAGE_NAME} is missing; add it")
    return find_stacks(path, [str(name) for name in table[IMAGE_NAME]], stack_root)


def _with_stacks(
    path: Path,
    names: list[str],
    stacks: tuple[Path, ...],
    *,
    skip_missing: bool,
    on_event: OnEvent,
) -> Integers:
    """Rows whose stack exists."""
    there = np.asarray([stack.is_file() for stack in stacks], bool)
    kept = np.flatnonzero(there)
    if there.all():
        return kept
    row = int(np.flatnonzero(~there)[0])
    lost = sorted({name for name, has_stack in zip(names, there, strict=True) if not has_stack})
    found = (
        f"{path}: {len(there) - len(kept)} of {len(there)} particles have no stack, the first is "
        f"{stacks[row]} (tomograms {', '.join(lost[:5])}{' ...' if len(lost) > 5 else ''})"
    )
    if not skip_missing or not len(kept):
        raise InputFileError(
            f"{found}; give the folder of the stacks (--stack-root), or leave out what is missing "
            "(--skip-missing)"
        )
    on_event(Message(f"{found}; they are left out", level="warning"))
    return kept


def _images(
    path: Path,
    table: "pandas.DataFrame",
    tilts: Mapping[str, Tilts],
    names: list[str],
    stacks: tuple[Path, ...],
    kept: Integers,
) -> tuple[Integers, Integers, Integers]:
    """Table row, tilt, and place in the stack of each visible image of the rows `kept`.

    RELION keeps visible tilts alone in a stack, WarpTools all of them.
    """
    patterns: dict[tuple[str, str], tuple[Integers, Integers]] = {}
    rows, frames, slices = [], [], []
    told = table[_VISIBLE] if has(table, _VISIBLE) else None
    for row in kept.tolist():
        name, pattern = names[row], "" if told is None else str(told.iloc[row])
        if (name, pattern) not in patterns:
            visible = _visible(path, pattern, len(tilts[name]))
            count = read_mrc_stack_header(stacks[row]).shape[0]
            places = visible if count == len(tilts[name]) else np.arange(len(visible))
            if count not in (len(tilts[name]), len(visible)):
                raise InputFileError(
                    f"{stacks[row]}: {count} images, expected {len(visible)} visible or "
                    f"{len(tilts[name])} tilts of {name}; give the stacks of these particles"
                )
            patterns[name, pattern] = visible, places
        visible, places = patterns[name, pattern]
        rows.append(np.full(len(visible), row))
        frames.append(visible)
        slices.append(places)
    return np.concatenate(rows), np.concatenate(frames), np.concatenate(slices)


def _visible(path: Path, pattern: str, count: int) -> Integers:
    """Numbers of the tilts that `[1,0,...]` marks; all if it is empty."""
    if not pattern:
        return np.arange(count)
    marks = np.asarray(number_list(path, _VISIBLE, pattern))
    if len(marks) != count:
        raise MetadataError(
            f"{path}: {_VISIBLE} has {len(marks)} values, expected {count} as there are tilts; "
            "give the tomograms that belong to the particles"
        )
    return np.flatnonzero(marks)
