"""Arrays of cryoDRGN in and out: CTF, poses, latents and indices, which it keeps as pickles.

All count images by their place in the stack; nothing in them says of which stack.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.errors import MetadataError
from icelens.core.io.plain_pickle import read_pickles
from icelens.core.io.plain_pickle_writer import write_pickles

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CTF_COLUMNS = (
    "box size (px)",
    "pixel size (Å)",
    "defocus U (Å)",
    "defocus V (Å)",
    "astigmatism angle (degrees)",
    "voltage (kV)",
    "spherical aberration (mm)",
    "amplitude contrast",
    "phase shift (degrees)",
)
"""What the columns of `ctf.pkl` hold; box and pixel size are those of the images as extracted."""
_POSITIVE = (0, 1, 5)
# single precision, and rotations that a network's six numbers were made into
_ORTHOGONAL = 1e-3


@dataclass(frozen=True, eq=False)
class CryodrgnPoses:
    """Poses as cryoDRGN keeps them.

    Attributes:
        rotation: `(row, 3, 3)`, takes the reference to the image; ours and RELION's, too.
        shift_xy: `(row, 2)`, centres the particle; fractions of the box, or px where `abinit` wrote
            them. None if the file has rotations alone.
    """

    rotation: Floats
    shift_xy: Floats | None


def read_cryodrgn_ctf(path: Path) -> Floats:
    """`ctf.pkl`: `(row, 9)`, see `CTF_COLUMNS`.

    Raises:
        InputFileError: If the file cannot be read or asks for more than data.
        MetadataError: If it holds something else, or values that cannot be.
    """
    table = _numbers(path, _only(path, "an array of N x 9"), (None, 9), "an array of N x 9")
    for column in _POSITIVE:
        wrong = np.flatnonzero(table[:, column] <= 0)
        if len(wrong):
            raise MetadataError(
                f"{path}: {CTF_COLUMNS[column]} is {table[wrong[0], column]:g} in row {wrong[0]}, "
                "expected a number above 0; parse the CTF again"
            )
    if ((table[:, 7] < 0) | (table[:, 7] > 1)).any():
        raise MetadataError(
            f"{path}: amplitude contrast goes from {table[:, 7].min():g} to "
            f"{table[:, 7].max():g}, expected fractions from 0 to 1; parse the CTF again"
        )
    return table


def read_cryodrgn_poses(path: Path) -> CryodrgnPoses:
    """`pose.pkl`: rotations and shifts, or an array of rotations alone.

    Raises:
        InputFileError: If the file cannot be read or asks for more than data.
        MetadataError: If it holds something else, or matrices that are no rotations.
    """
    expected = "rotations of N x 3 x 3 and shifts of N x 2"
    content = _only(path, expected)
    parts = list(content) if isinstance(content, tuple | list) else [content]
    if len(parts) not in (1, 2):
        raise MetadataError(f"{path}: holds {len(parts)} parts, expected {expected}")
    rotation = _numbers(path, parts[0], (None, 3, 3), expected)
    shift_xy = _numbers(path, parts[1], (None, 2), expected) if len(parts) == 2 else None
    if shift_xy is not None and len(shift_xy) != len(rotation):
        raise MetadataError(
            f"{path}: {len(rotation)} rotations but {len(shift_xy)} shifts, expected one for each "
            "image; parse the poses again"
        )
    product = rotation @ np.swapaxes(rotation, -1, -2)
    wrong = np.abs(product - np.eye(3)).max(axis=(1, 2)) > _ORTHOGONAL
    wrong |= np.linalg.det(rotation) < 0
    if wrong.any():
        raise MetadataError(
            f"{path}: the matrix of row {np.flatnonzero(wrong)[0]} is no rotation ({wrong.sum()} "
            f"of {len(rotation)}), expected orthogonal ones with determinant 1; parse the poses "
            "again"
        )
    return CryodrgnPoses(rotation, shift_xy)


def read_cryodrgn_latents(path: Path) -> tuple[Floats, Floats | None]:
    """`z.pkl`: latents `(particle, latent_dim)` and their standard deviations, if it has them.

    A variational model's file has a second pickle behind the first, with logarithms of variances.

    Raises:
        InputFileError: If the file cannot be read or asks for more than data.
        MetadataError: If it holds something else.
    """
    expected = "an array of N x dimensions, and behind it one of log-variances"
    parts = read_pickles(path)
    if len(parts) > 2:
        raise MetadataError(f"{path}: holds {len(parts)} pickles, expected {expected}")
    latent = _numbers(path, parts[0], (None, None), expected)
    if len(parts) == 1:
        return latent, None
    log_variance = _numbers(path, parts[1], (None, None), expected)
    if log_variance.shape != latent.shape:
        raise MetadataError(
            f"{path}: latents of shape {latent.shape} but log-variances of {log_variance.shape}, "
            "expected the same; copy the file again"
        )
    # beyond e^700 nothing is finite; a posterior so wide knows nothing
    return latent, np.exp(np.clip(0.5 * log_variance, -300.0, 300.0))


def read_cryodrgn_index(path: Path, count: int | None = None) -> Integers:
    """An index file: places of chosen images or particles, from 0, in its order.

    Args:
        path: The file.
        count: How many there are to choose from.

    Raises:
        InputFileError: If the file cannot be read or asks for more than data.
        MetadataError: If it holds something else, names one twice, or one beyond the last.
    """
    content = _only(path, "whole numbers from 0")
    try:
        values = np.asarray(content)
    except ValueError as error:
        raise MetadataError(f"{path}: holds lists of lists, expected whole numbers") from error
    if values.ndim != 1 or not len(values) or values.dtype.kind not in "iu":
        raise MetadataError(
            f"{path}: holds {_described(content)}, expected a list of whole numbers from 0; give "
            "an index file of cryoDRGN"
        )
    index = values.astype(np.int64)
    if index.min() < 0 or (count is not None and index.max() >= count):
        last = "" if count is None else f" to {count - 1}"
        raise MetadataError(
            f"{path}: goes from {index.min()} to {index.max()}, expected places from 0{last}; give "
            "the index file of these particles"
        )
    if len(np.unique(index)) != len(index):
        raise MetadataError(f"{path}: names places twice, expected each at most once; correct it")
    return index


def write_cryodrgn_ctf(path: Path, table: Floats) -> None:
    """Write `ctf.pkl`, `(row, 9)`, see `CTF_COLUMNS`."""
    write_pickles(path, [np.asarray(table, np.float32)])


def write_cryodrgn_poses(path: Path, poses: CryodrgnPoses) -> None:
    """Write `pose.pkl`; shifts in fractions of the box."""
    parts = [poses.rotation] if poses.shift_xy is None else [poses.rotation, poses.shift_xy]
    write_pickles(path, [tuple(np.asarray(part, np.float32) for part in parts)])


def write_cryodrgn_latents(path: Path, latent: Floats, deviation: Floats | None) -> None:
    """Write `z.pkl`; with deviations as a variational model does."""
    parts = [np.asarray(latent, np.float32)]
    if deviation is not None:
        parts.append((2.0 * np.log(deviation)).astype(np.float32))
    write_pickles(path, parts)


def write_cryodrgn_index(path: Path, index: Integers) -> None:
    """Write an index file."""
    write_pickles(path, [np.asarray(index, np.int64)])


def _only(path: Path, expected: str) -> Any:  # noqa: ANN401 - any plain data
    parts = read_pickles(path)
    if len(parts) != 1:
        raise MetadataError(
            f"{path}: holds {len(parts)} pickles, expected {expected}; is it another file?"
        )
    return parts[0]


def _numbers(path: Path, value: object, shape: Sequence[int | None], expected: str) -> Floats:
    """An array of finite numbers with these sides; None allows any but 0."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        raise MetadataError(f"{path}: holds {_described(value)}, expected {expected}")
    fits = value.ndim == len(shape) and all(
        found > 0 if wanted is None else found == wanted
        for found, wanted in zip(value.shape, shape, strict=True)
    )
    if not fits:
        raise MetadataError(
            f"{path}: holds an array of shape {value.shape}, expected {expected}; is it another "
            "file?"
        )
    numbers = value.astype(np.float64)
    finite = np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1)
    if not finite.all():
        raise MetadataError(
            f"{path}: row {np.flatnonzero(~finite)[0]} holds values that are not finite "
            f"({(~finite).sum()} of {len(numbers)} rows), expected numbers; make it again"
        )
    return numbers


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"
