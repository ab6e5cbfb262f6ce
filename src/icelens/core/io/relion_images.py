"""Tables of particle images: RELION's from 3.0 to 5, and M's tilts in the form of 3.0."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.data.particles import Particles
from icelens.core.errors import MetadataError, MissingStackError
from icelens.core.events import Message, OnEvent, ignore
from icelens.core.io.image_columns import (
    DEFOCUS,
    GROUP_NAME,
    blocks_of_images,
    defocus,
    half_sets,
    has,
    numbers,
    rotations,
    shifts_yx,
    split_image_names,
    weights,
)
from icelens.core.io.mrc import read_mrc_stack_header
from icelens.core.io.relion_optics import read_optics
from icelens.core.io.stack_paths import find_stacks

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def read_relion_images(
    path: Path,
    blocks: "Mapping[str, pandas.DataFrame]",
    *,
    stack_root: Path | None = None,
    need_poses: bool = False,
    pixel_size: float | None = None,
    skip_missing: bool = False,
    on_event: OnEvent = ignore,
) -> ParticleFile:
    """Particles of a STAR file whose rows are images.

    A file without defoci has images without a transfer function, which is then 1 everywhere. M's
    exports have one row per tilt; see `_particle_of_row`. There `rlnCtfBfactor` is negative for
    decay, opposite to RELION, whose sign `b_factor` has.

    Args:
        path: The STAR file.
        blocks: What `read_star` gave.
        stack_root: Folder of the stacks, if they are not where the file says.
        need_poses: Refuse a file without angles.
        pixel_size: Of the images in Å/px, whatever the file says.
        skip_missing: Take the box of a missing stack from the others; its images are left out
            later.
        on_event: Hears of assumptions.

    Raises:
        MetadataError: If columns are missing or hold what cannot be.
        MissingStackError: If the box size is asked of a stack that is missing.
    """
    _, table = blocks_of_images(path, blocks)
    _refuse_volumes(path, blocks)
    names, stack, slice_index = split_image_names(path, table)
    stacks = find_stacks(path, names, stack_root)
    present = next((each for each in stacks if each.is_file()), None) if skip_missing else None
    optics, optics_index = read_optics(
        path, blocks, table, lambda row: _box(path, stacks[stack[row]], present), stack, pixel_size
    )
    sizes = np.asarray([group.pixel_size for group in optics])[optics_index]
    rotation = rotations(path, table, need_poses=need_poses)
    shift_yx, in_pixels = shifts_yx(path, table, sizes)
    if not has(table, DEFOCUS[0]):
        on_event(Message(f"{path}: no {DEFOCUS[0]}; images are taken to have no CTF"))
    particle = _particle_of_row(table)
    particles = Particles(
        stacks,
        stack,
        slice_index,
        optics,
        optics_index,
        rotation=np.empty(0) if rotation is None else rotation,
        shift_yx=shift_yx,
        half_set=half_sets(path, table),
        weight=weights(path, table),
        particle=np.empty(0, np.int64) if particle is None else particle,
        stage=_stage(rotation, particle),
        has_poses=rotation is not None,
        **_ctf_columns(path, table, are_tilts=particle is not None),
    )
    return ParticleFile(
        particles, path, np.arange(len(table)), dict(blocks), has_pixel_origins=in_pixels
    )


def _ctf_columns(path: Path, table: "pandas.DataFrame", *, are_tilts: bool) -> dict[str, Any]:
    u, v, angle = defocus(path, table)
    b_factor = numbers(path, table, "rlnCtfBfactor", 0.0)
    return {
        "defocus_u": u,
        "defocus_v": v,
        "astigmatism_angle": angle,
        "phase_shift": numbers(path, table, "rlnPhaseShift", 0.0),
        "b_factor": -b_factor if are_tilts and b_factor.max() <= 0 else b_factor,
        "ctf_scale": numbers(path, table, "rlnCtfScalefactor", 1.0),
    }


def _refuse_volumes(path: Path, blocks: "Mapping[str, pandas.DataFrame]") -> None:
    optics = blocks.get("optics")
    if optics is None or (numbers(path, optics, "rlnImageDimensionality", 2.0) != 3).all():
        return
    raise MetadataError(
        f"{path}: particles are volumes (rlnImageDimensionality 3), expected images; extract them "
        "as 2D stacks"
    )


def _box(path: Path, stack: Path, otherwise: Path | None) -> int:
    if not stack.is_file() and otherwise is not None:
        stack = otherwise
    if not stack.is_file():
        raise MissingStackError(
            f"{path}: the stack {stack} does not exist, and nothing else says its box size; give "
            "the folder of the stacks (--stack-root)"
        )
    return read_mrc_stack_header(stack).shape[-1]


def _particle_of_row(table: "pandas.DataFrame") -> Integers | None:
    """Number of the particle of each row where rows are tilts, else None.

    M names the particle in `rlnGroupName`. RELION names a micrograph there, whose particles share
    their envelope, while tilts of one particle differ in it: in dose, or in the cosine of the tilt.
    """
    import pandas as pd

    told = [name for name in ("rlnCtfBfactor", "rlnCtfScalefactor") if has(table, name)]
    if has(table, "rlnOpticsGroup") or not has(table, GROUP_NAME) or not told:
        return None
    groups = table.groupby(GROUP_NAME, sort=False)
    if groups.size().max() == 1 or groups[told].nunique().to_numpy().max() == 1:
        return None
    return pd.factorize(table[GROUP_NAME])[0].astype(np.int64)


def _stage(rotation: Floats | None, particle: Integers | None) -> Floats:
    """Frame of the first tilt of a particle to that of each, `(row, 3, 3)`; empty if unknown.

    Only rotations of whole tilts are known here, so that the first image's frame is the particle's.
    """
    if rotation is None or particle is None:
        return np.empty(0)
    _, first, inverse = np.unique(particle, return_index=True, return_inverse=True)
    return rotation @ np.swapaxes(rotation[first[inverse]], -1, -2)
