"""Columns of particle-image tables in STAR files: which there are, and numbers out of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError
from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.particle_columns import ANGLES, number_columns

if TYPE_CHECKING:
    import pandas

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

IMAGE_NAME = "rlnImageName"
OPTICS_GROUP = "rlnOpticsGroup"
OPTICS_GROUP_NAME = "rlnOpticsGroupName"
ORIGIN_XY = ("rlnOriginXAngst", "rlnOriginYAngst")
PIXEL_ORIGIN_XY = ("rlnOriginX", "rlnOriginY")
HALF_SET = "rlnRandomSubset"
GROUP_NAME = "rlnGroupName"
WEIGHT = "rlnMaxValueProbDistribution"
DEFOCUS = ("rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle")

# A micrograph is focused on within 100 Å only by chance; in µm all values are below 100.
SMALLEST_DEFOCUS = 100.0
# A tenth of a millimetre: no particle can be seen so far from focus.
_LARGEST_DEFOCUS = 1e6
# Å or px: ten times wider than the widest image of particles.
_LARGEST_SHIFT = 1e5
# A few images may be in focus; more were counted in another unit than the rest.
_FEW = 0.05
# Of an MRC stack, whose header counts with 32 bits.
_LAST_IMAGE = 2**31 - 1


def has(table: "pandas.DataFrame", *names: str) -> bool:
    """Whether all these columns are there."""
    return set(names) <= set(table.columns)


def numbers(path: Path, table: "pandas.DataFrame", name: str, absent: float) -> Floats:
    """A column of finite numbers `(row,)`; one value for all where it is not there.

    Raises:
        MetadataError: If it holds text or values that are not finite.
    """
    if name not in table.columns:
        return np.full(len(table), absent)
    values = number_columns(path, table, (name,))[:, 0]
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise MetadataError(
            f"{path}: {name} is {values[bad[0]]:g} in row {bad[0] + 1} ({len(bad)} rows), expected "
            "finite numbers; correct or remove them"
        )
    return values


def split_image_names(
    path: Path, table: "pandas.DataFrame"
) -> tuple[list[str], Integers, Integers]:
    """Names of stacks, and for each row its place in them and its image from 0.

    Raises:
        MetadataError: If the column is missing or an image number is not 1 or more.
    """
    import pandas as pd

    if IMAGE_NAME not in table.columns:
        raise MetadataError(
            f"{path}: column {IMAGE_NAME} is missing, expected particle images; give the file of "
            "the extracted particles"
        )
    names = table[IMAGE_NAME].astype(str)
    parts = names.str.partition("@")
    # A name without @ is a file of one image.
    is_plain = (parts[1] == "").to_numpy()
    number = pd.to_numeric(parts[0].where(~is_plain, "1"), errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~(number >= 1) | (number > _LAST_IMAGE) | (number != np.floor(number)))
    if len(bad):
        raise MetadataError(
            f"{path}: {IMAGE_NAME} {names.iloc[bad[0]]!r} in row {bad[0] + 1}, expected a number "
            "from 1, @ and a stack; correct it"
        )
    stack, stacks = pd.factorize(parts[2].where(~is_plain, parts[0]))
    return [str(name) for name in stacks], stack.astype(np.int64), number.astype(np.int64) - 1


def defocus(path: Path, table: "pandas.DataFrame") -> tuple[Floats, Floats, Floats]:
    """U and V in Å and the angle in degrees, `(row,)` each; V may be left out.

    Raises:
        MetadataError: If they seem to be in µm.
    """
    u = numbers(path, table, DEFOCUS[0], 0.0)
    v = numbers(path, table, DEFOCUS[1], 0.0) if has(table, DEFOCUS[1]) else u
    check_defocus(path, u)
    check_defocus(path, v, DEFOCUS[1])
    return u, v, numbers(path, table, DEFOCUS[2], 0.0)


def check_defocus(path: Path, values: Floats, name: str = DEFOCUS[0]) -> None:
    """Refuse defoci that are so small or so large that another unit is meant.

    Raises:
        MetadataError: If so.
    """
    size = np.abs(values)
    largest = size.max(initial=0.0)
    if largest > _LARGEST_DEFOCUS:
        raise MetadataError(
            f"{path}: {name} reaches {largest:g}, expected Å below {_LARGEST_DEFOCUS:g}; correct it"
        )
    is_small = (size > 0.0) & (size < SMALLEST_DEFOCUS)
    if is_small.any() and largest < SMALLEST_DEFOCUS:
        raise MetadataError(
            f"{path}: the largest defocus is {largest:g} ({name}), which is µm or nm, expected Å; "
            f"multiply {DEFOCUS[0]} and {DEFOCUS[1]} by 10000 if it is µm"
        )
    if is_small.sum() > _FEW * len(size):
        raise MetadataError(
            f"{path}: {name} is below {SMALLEST_DEFOCUS:g} in {int(is_small.sum())} of "
            f"{len(size)} rows, {size[is_small][0]:g} the first, and not in others; expected Å in "
            "all, multiply those in µm by 10000"
        )


def rotations(path: Path, table: "pandas.DataFrame", *, need_poses: bool) -> Floats | None:
    """`(row, 3, 3)` from the three angles; None where they are not there.

    Raises:
        MetadataError: If they are needed and one is missing.
    """
    missing = [name for name in ANGLES if name not in table.columns]
    if missing and need_poses:
        raise MetadataError(
            f"{path}: column {missing[0]} is missing, expected particles with poses; refine them "
            "first"
        )
    if missing:
        return None
    angles = np.stack([numbers(path, table, name, 0.0) for name in ANGLES], axis=-1)
    return matrices_from_relion_angles(angles)


def shifts_yx(path: Path, table: "pandas.DataFrame", pixel_size: Floats) -> tuple[Floats, bool]:
    """Shifts `(row, 2)` in Å that centre the particles, and whether the table has them in pixels.

    Args:
        path: Named in errors.
        table: Of the particles.
        pixel_size: Of each image, `(row,)`.

    Raises:
        MetadataError: If one leads out of any image.
    """
    in_pixels = not has(table, *ORIGIN_XY) and has(table, *PIXEL_ORIGIN_XY)
    names = PIXEL_ORIGIN_XY if in_pixels else ORIGIN_XY
    origin_xy = np.stack([numbers(path, table, name, 0.0) for name in names], axis=-1)
    largest = np.abs(origin_xy).max(initial=0.0)
    if largest > _LARGEST_SHIFT:
        raise MetadataError(
            f"{path}: {names[0]} or {names[1]} reaches {largest:g}, expected shifts within the "
            "images; correct it"
        )
    return (origin_xy * pixel_size[:, None] if in_pixels else origin_xy)[:, ::-1], in_pixels


def half_sets(path: Path, table: "pandas.DataFrame") -> Integers:
    """1 or 2 of each row, 0 where it is not known.

    Raises:
        MetadataError: If there is another number.
    """
    values = numbers(path, table, HALF_SET, 0.0)
    wrong = values[~np.isin(values, (0, 1, 2))]
    if len(wrong):
        raise MetadataError(
            f"{path}: {HALF_SET} is {wrong[0]:g} in some rows, expected 1 or 2; correct it or "
            "remove the column"
        )
    return values.astype(np.int64)


def weights(path: Path, table: "pandas.DataFrame") -> Floats:
    """`rlnMaxValueProbDistribution`, or 1 where it is not there.

    Raises:
        MetadataError: If one is negative.
    """
    values = numbers(path, table, WEIGHT, 1.0)
    if values.min(initial=0.0) < 0:
        raise MetadataError(
            f"{path}: {WEIGHT} is {values.min():g} in some rows, expected 0 or more; correct it"
        )
    return values


def number_list(path: Path, name: str, value: object) -> tuple[float, ...]:
    """The numbers of a value such as `[0.1,2]`; a single number is a list of one.

    Raises:
        MetadataError: If it is something else.
    """
    wrong = f"{path}: {name} is {value!r}, expected numbers as [0.1,2]; correct it"
    try:
        found = tuple(float(word) for word in str(value).strip("[] ").split(",") if word.strip())
    except ValueError as error:
        raise MetadataError(wrong) from error
    if not np.isfinite(found).all():
        raise MetadataError(wrong)
    return found


def blocks_of_images(
    path: Path, blocks: "Mapping[str, pandas.DataFrame]"
) -> "tuple[str, pandas.DataFrame]":
    """The name and the table of the block with the images.

    Raises:
        MetadataError: If there is none, several could be meant, or it has no rows.
    """
    named = [name for name in ("particles", "images") if name in blocks]
    having = [name for name, table in blocks.items() if IMAGE_NAME in table.columns]
    candidates = named or having or [name for name in blocks if name != "optics"]
    if len(candidates) != 1:
        raise MetadataError(f"{path}: no block data_particles among {list(blocks)}; check the file")
    if not len(blocks[candidates[0]]):
        raise MetadataError(
            f"{path}: data_{candidates[0]} has no rows, expected particles; give another file"
        )
    return candidates[0], blocks[candidates[0]]
