"""Optics groups of RELION's particle images: a table since 3.1, columns of each particle before."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.errors import MetadataError
from icelens.core.io.image_columns import (
    DEFOCUS,
    OPTICS_GROUP,
    OPTICS_GROUP_NAME,
    has,
    number_list,
    numbers,
)

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PIXEL_SIZE = "rlnImagePixelSize"
PHASE_FLIPPED = "rlnCtfDataArePhaseFlipped"  # of groups, or of particles where there are none
DETECTOR = ("rlnDetectorPixelSize", "rlnMagnification")
MAGNIFICATION = ("rlnMagMat00", "rlnMagMat01", "rlnMagMat10", "rlnMagMat11")
_OLD_MAGNIFICATION = ("rlnMat00", "rlnMat01", "rlnMat10", "rlnMat11")
# One value per group in a STAR of 3.1, one per particle in one of 3.0; with what absence means.
_MICROSCOPE = {
    "rlnVoltage": 300.0,
    "rlnSphericalAberration": 2.7,
    "rlnAmplitudeContrast": 0.1,
    "rlnBeamTiltX": 0.0,
    "rlnBeamTiltY": 0.0,
}

BoxOfRow = Callable[[int], int]
"""Box size of the image of a table's row, from the header of its stack."""


def read_optics(
    path: Path,
    blocks: "Mapping[str, pandas.DataFrame]",
    table: "pandas.DataFrame",
    box_of_row: BoxOfRow,
    stack: Integers,
    pixel_size: float | None = None,
) -> tuple[tuple[OpticsGroup, ...], Integers]:
    """The groups, and for each row of `table` its place in them.

    Args:
        path: Named in errors.
        blocks: All of the file.
        table: The particles.
        box_of_row: Asked only where the file does not give the size.
        stack: `(row,)` stack of each image; those of RELION 3.0 may differ in box size.
        pixel_size: In Å/px, whatever the file says.

    Raises:
        MetadataError: If pixel sizes are missing or impossible, or a group is not known.
    """
    if "optics" in blocks and len(blocks["optics"]):
        return _groups_of_table(path, blocks["optics"], table, box_of_row, pixel_size)
    return _groups_of_particles(path, table, box_of_row, stack, pixel_size)


def _groups_of_table(
    path: Path,
    optics: "pandas.DataFrame",
    table: "pandas.DataFrame",
    box_of_row: BoxOfRow,
    pixel_size: float | None,
) -> tuple[tuple[OpticsGroup, ...], Integers]:
    index = _optics_index(path, optics, table)
    groups = []
    for place, cells in enumerate(optics.to_dict("records")):
        record = _with_particle_values(
            path, {str(k): v for k, v in cells.items()}, table, index, place
        )
        used = np.flatnonzero(index == place)
        if pixel_size is not None:
            record[PIXEL_SIZE] = pixel_size
        if PIXEL_SIZE not in record:
            raise MetadataError(
                f"{path}: column {PIXEL_SIZE} is missing in data_optics; add it, or give the pixel "
                "size"
            )
        # A group that no image uses has no stack to ask; its box does not matter.
        box = (
            _whole(path, record, "rlnImageSize")
            if "rlnImageSize" in record
            else (box_of_row(int(used[0])) if len(used) else 2)
        )
        groups.append(_group(path, record, box, has_ctf=has(table, DEFOCUS[0])))
    return tuple(groups), index


def _optics_index(path: Path, optics: "pandas.DataFrame", table: "pandas.DataFrame") -> Integers:
    if OPTICS_GROUP not in table.columns or OPTICS_GROUP not in optics.columns:
        if len(optics) == 1:
            return np.zeros(len(table), np.int64)
        raise MetadataError(
            f"{path}: column {OPTICS_GROUP} is missing, expected the group of each particle, for "
            f"there are {len(optics)}; add it"
        )
    known = [int(value) for value in numbers(path, optics, OPTICS_GROUP, 0.0)]
    twice = [group for group in known if known.count(group) > 1]
    if twice:
        raise MetadataError(
            f"{path}: {OPTICS_GROUP} {twice[0]} comes twice in data_optics; renumber one of them"
        )
    named = numbers(path, table, OPTICS_GROUP, 0.0).astype(np.int64)
    unknown = named[~np.isin(named, known)]
    if len(unknown):
        raise MetadataError(
            f"{path}: {OPTICS_GROUP} {unknown[0]} of {len(unknown)} particles is not in "
            "data_optics; add it there"
        )
    order = np.argsort(known)
    return order[np.searchsorted(np.asarray(known)[order], named)].astype(np.int64)


def _with_particle_values(
    path: Path,
    record: dict[str, Any],
    table: "pandas.DataFrame",
    index: Integers,
    place: int,
) -> dict[str, Any]:
    """The group, with what it leaves to its particles (files of converters); they must agree."""
    for name in _MICROSCOPE:
        if name not in record and name in table.columns and (index == place).any():
            values = np.unique(numbers(path, table, name, 0.0)[index == place])
            if len(values) > 1:
                raise MetadataError(
                    f"{path}: {name} differs within an optics group ({values[0]:g} and "
                    f"{values[1]:g}); split the group"
                )
            record[name] = float(values[0])
    return record


def _groups_of_particles(
    path: Path,
    table: "pandas.DataFrame",
    box_of_row: BoxOfRow,
    stack: Integers,
    pixel_size: float | None,
) -> tuple[tuple[OpticsGroup, ...], Integers]:
    """Groups of equal microscope, pixel size and box, in the order in which they appear."""
    import pandas as pd

    columns = {PIXEL_SIZE: _pixel_sizes(path, table, pixel_size)}
    _, first, stack = np.unique(stack, return_index=True, return_inverse=True)
    boxes = np.asarray([box_of_row(int(row)) for row in first], np.float64)
    columns["rlnImageSize"] = boxes[stack]
    columns |= {name: numbers(path, table, name, absent) for name, absent in _MICROSCOPE.items()}
    if has(table, PHASE_FLIPPED):
        columns[PHASE_FLIPPED] = numbers(path, table, PHASE_FLIPPED, 0.0)
    frame = pd.DataFrame(columns)
    index = np.asarray(frame.groupby(list(columns), sort=False).ngroup(), np.int64)
    kinds = frame.drop_duplicates().to_dict("records")
    groups = []
    for number, cells in enumerate(kinds, start=1):
        record: dict[str, Any] = {str(name): value for name, value in cells.items()}
        record[OPTICS_GROUP_NAME] = f"opticsGroup{number}"
        box = int(record["rlnImageSize"])
        groups.append(_group(path, record, box, has_ctf=has(table, DEFOCUS[0])))
    return tuple(groups), index


def _pixel_sizes(path: Path, table: "pandas.DataFrame", given: float | None) -> Floats:
    """Å/px of each row: the detector's pixels in µm divided by the magnification, as in 3.0."""
    if given is not None:
        return np.full(len(table), given)
    if has(table, PIXEL_SIZE):
        return numbers(path, table, PIXEL_SIZE, 0.0)
    if not has(table, DETECTOR[0]):
        raise MetadataError(
            f"{path}: no data_optics with {PIXEL_SIZE} and no {DETECTOR[0]} with {DETECTOR[1]}, "
            "expected either; give the pixel size"
        )
    # Files without magnification mean Å/px, as if it were 10000.
    magnification = numbers(path, table, DETECTOR[1], 1e4)
    if not (magnification > 0).all():
        raise MetadataError(
            f"{path}: {DETECTOR[1]} is {magnification.min():g}, expected above 0; correct it"
        )
    return numbers(path, table, DETECTOR[0], 0.0) * 1e4 / magnification


def _group(path: Path, record: Mapping[str, Any], box: int, *, has_ctf: bool) -> OpticsGroup:
    values = {name: _number(path, record, name, absent) for name, absent in _MICROSCOPE.items()}
    mag = next((m for m in (MAGNIFICATION, _OLD_MAGNIFICATION) if set(m) & set(record)), None)
    absent = sorted(set(mag or ()) - set(record))
    if absent:
        raise MetadataError(
            f"{path}: {absent[0]} is missing, expected {', '.join(mag or ())} together; add it, or "
            "remove the others"
        )
    xx, xy, yx, yy = (
        (1.0, 0.0, 0.0, 1.0) if mag is None else [_number(path, record, m, 0.0) for m in mag]
    )
    odd, even = (_list(path, record, name) for name in ("rlnOddZernike", "rlnEvenZernike"))
    size = _number(path, record, PIXEL_SIZE, 0.0)
    try:
        return OpticsGroup(
            name=str(record.get(OPTICS_GROUP_NAME, f"opticsGroup{record.get(OPTICS_GROUP, 1)}")),
            pixel_size=size,
            box_size=box,
            voltage=values["rlnVoltage"],
            # Images of which no defocus is known have no transfer function: it is 1 everywhere.
            spherical_aberration=values["rlnSphericalAberration"] if has_ctf else 0.0,
            amplitude_contrast=values["rlnAmplitudeContrast"] if has_ctf else 1.0,
            beam_tilt_xy=(values["rlnBeamTiltX"], values["rlnBeamTiltY"]),
            odd_zernike=odd,
            even_zernike=even,
            magnification=(xx, xy, yx, yy),
            is_premultiplied=bool(_number(path, record, "rlnCtfDataAreCtfPremultiplied", 0.0)),
            is_phase_flipped=bool(_number(path, record, PHASE_FLIPPED, 0.0)),
        )
    except MetadataError as error:
        raise MetadataError(f"{path}: {error}") from error


def _number(path: Path, record: Mapping[str, Any], name: str, absent: float) -> float:
    value = record.get(name, absent)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise MetadataError(f"{path}: {name} is {value!r}, expected a number; correct it")
    return number


def _whole(path: Path, record: Mapping[str, Any], name: str) -> int:
    number = _number(path, record, name, 0.0)
    if number != math.floor(number):
        raise MetadataError(f"{path}: {name} is {number:g}, expected a whole number; correct it")
    return int(number)


def _list(path: Path, record: Mapping[str, Any], name: str) -> tuple[float, ...]:
    values = number_list(path, name, record[name]) if name in record else ()
    # Zeros are what stands beside groups that have an aberration.
    return values if any(values) else ()


def with_pixel_size(
    blocks: "Mapping[str, pandas.DataFrame]", name: str, pixel_size: float
) -> "dict[str, pandas.DataFrame]":
    """Tables that say this pixel size; `name` is the block of particles."""
    if "optics" in blocks:
        return {**blocks, "optics": blocks["optics"].assign(**{PIXEL_SIZE: pixel_size})}
    table = blocks[name]
    if has(table, PIXEL_SIZE):
        return {**blocks, name: table.assign(**{PIXEL_SIZE: pixel_size})}
    said = dict(zip(DETECTOR, (pixel_size, 1e4), strict=True))
    return {**blocks, name: table.assign(**said)}


def optics_table(groups: Sequence[OpticsGroup]) -> "pandas.DataFrame":
    """RELION's table of groups, numbered from 1; aberrations only if any group has them."""
    import pandas as pd

    columns: dict[str, object] = {
        OPTICS_GROUP: np.arange(1, len(groups) + 1),
        OPTICS_GROUP_NAME: [group.name for group in groups],
        "rlnVoltage": [group.voltage for group in groups],
        "rlnSphericalAberration": [group.spherical_aberration for group in groups],
        "rlnAmplitudeContrast": [group.amplitude_contrast for group in groups],
        PIXEL_SIZE: [group.pixel_size for group in groups],
        "rlnImageSize": [group.box_size for group in groups],
        "rlnImageDimensionality": np.full(len(groups), 2),
        "rlnCtfDataAreCtfPremultiplied": [int(group.is_premultiplied) for group in groups],
    }
    if any(group.is_phase_flipped for group in groups):
        columns[PHASE_FLIPPED] = [int(group.is_phase_flipped) for group in groups]
    if any(any(group.beam_tilt_xy) for group in groups):
        columns["rlnBeamTiltX"] = [group.beam_tilt_xy[0] for group in groups]
        columns["rlnBeamTiltY"] = [group.beam_tilt_xy[1] for group in groups]
    if any(group.odd_zernike for group in groups):
        columns["rlnOddZernike"] = [_written(group.odd_zernike, 6) for group in groups]
    if any(group.even_zernike for group in groups):
        columns["rlnEvenZernike"] = [_written(group.even_zernike, 9) for group in groups]
    if any(group.magnification != (1.0, 0.0, 0.0, 1.0) for group in groups):
        for place, name in enumerate(MAGNIFICATION):
            columns[name] = [group.magnification[place] for group in groups]
    return pd.DataFrame(columns)


def _written(values: Sequence[float], count: int) -> str:
    """RELION's list; zeros stand for a group that has none beside others that have."""
    return "[" + ",".join(repr(float(value)) for value in values or [0.0] * count) + "]"
