"""Columns of a STAR file beside the arrays that cryoDRGN made of it: kept, and compared."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.image_columns import (
    DEFOCUS,
    HALF_SET,
    IMAGE_NAME,
    OPTICS_GROUP,
    OPTICS_GROUP_NAME,
    ORIGIN_XY,
    PIXEL_ORIGIN_XY,
    has,
)
from icelens.core.io.particle_columns import ANGLES, number_columns
from icelens.core.io.relion_optics import DETECTOR, PIXEL_SIZE

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]

_MICROSCOPE = ("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast")
_SCALE, _B_FACTOR = "rlnCtfScalefactor", "rlnCtfBfactor"
# what the arrays say instead, or an optics table
_REPLACED = frozenset(
    (
        *(IMAGE_NAME, OPTICS_GROUP, OPTICS_GROUP_NAME, PIXEL_SIZE, "rlnImageSize", "rlnPhaseShift"),
        *(*DEFOCUS, *ANGLES, *ORIGIN_XY, *PIXEL_ORIGIN_XY, *DETECTOR, *_MICROSCOPE),
        *("rlnBeamTiltX", "rlnBeamTiltY", _SCALE, _B_FACTOR),
    )
)
_DEFOCUS_SLACK = 1.0
"""Å; beyond the rounding of either file."""
_ANGLE_SLACK = 0.01
"""Largest difference of elements of a rotation, half a degree."""
_MOST_COMPARED = 100_000


def kept_columns(table: "pandas.DataFrame | None") -> dict[str, Any]:
    """Columns that are neither optics nor poses; half sets as whole numbers, if they are any."""
    if table is None:
        return {}
    columns = {
        str(name): table[name].to_numpy() for name in table.columns if str(name) not in _REPLACED
    }
    half_set = columns.get(HALF_SET)
    if half_set is not None and not np.isin(half_set, (0, 1, 2)).all():
        columns.pop(HALF_SET)
    return columns


def with_tilts(file: ParticleFile, table: "pandas.DataFrame") -> ParticleFile:
    """The same images as tilts of particles, in the form of M's exports.

    There is no optics table, by which readers know that rows of one `rlnGroupName` are tilts of
    one particle; scale and envelope of the CTF are those of the STAR file.
    """
    particles, written = file.particles, file.blocks["particles"]
    groups = [particles.optics[place] for place in particles.optics_index]
    values: dict[str, Any] = {
        PIXEL_SIZE: particles.pixel_size(),
        "rlnVoltage": [group.voltage for group in groups],
        "rlnSphericalAberration": [group.spherical_aberration for group in groups],
        "rlnAmplitudeContrast": [group.amplitude_contrast for group in groups],
    }
    scale, b_factor = particles.ctf_scale, particles.b_factor
    if _SCALE in table.columns:
        scale = scale * number_columns(file.path, table, (_SCALE,))[:, 0]
        values[_SCALE] = scale
    if _B_FACTOR in table.columns:
        found = number_columns(file.path, table, (_B_FACTOR,))[:, 0]
        values[_B_FACTOR] = found
        b_factor = -found if found.max(initial=0.0) <= 0 else found
    blocks = {"particles": written.drop(columns=OPTICS_GROUP).assign(**values)}
    changed = replace(particles, ctf_scale=scale, b_factor=b_factor)
    return replace(file, particles=changed, blocks=blocks)


def refuse_other_order(
    path: Path,
    table: "pandas.DataFrame",
    ctf: Floats | None,
    rotation: Floats,
    ctf_path: Path,
    on_event: OnEvent,
) -> None:
    """Compare a STAR file's own defoci and angles with those of the arrays beside it.

    Nothing in the arrays says which image a row is of. The same values in another order mean that
    they were made of another file; other values were perhaps refined.

    Raises:
        MetadataError: If the values are the same in another order.
    """
    if ctf is not None and has(table, DEFOCUS[0]):
        own = number_columns(path, table, (DEFOCUS[0],))[:, 0]
        if np.abs(own - ctf[:, 2]).max() <= _DEFOCUS_SLACK:
            return
        if np.abs(np.sort(own) - np.sort(ctf[:, 2])).max() <= _DEFOCUS_SLACK:
            row = int(np.flatnonzero(np.abs(own - ctf[:, 2]) > _DEFOCUS_SLACK)[0])
            raise MetadataError(
                f"{ctf_path}: holds the defoci of {path.name} in another order (row {row}: "
                f"{ctf[row, 2]:.0f} and {own[row]:.0f} Å); give the STAR file it was made from"
            )
        on_event(
            Message(f"{ctf_path}: defoci are not those of {path}; the former are taken", "warning")
        )
    elif has(table, *ANGLES) and len(table) <= _MOST_COMPARED:
        own_rotation = matrices_from_relion_angles(number_columns(path, table, ANGLES))
        if np.abs(own_rotation - rotation).max() > _ANGLE_SLACK:
            on_event(Message(f"{path}: its angles are not the poses, which are taken", "warning"))
