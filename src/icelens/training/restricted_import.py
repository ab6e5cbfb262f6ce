"""Read the `.pt` files of other programs as data: what they could execute is refused, not run."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from icelens.core.errors import CheckpointError

_CORES = ("core", "_core")
# What torch's own restricted unpickler lacks to rebuild numpy scalars and small arrays, as found
# in logs beside the weights. None of these runs anything that a file names.
_NUMPY_PARTS: list[Any] = [
    np.dtype,
    np.ndarray,
    np.dtypes.Float64DType,
    np.dtypes.Float32DType,
    np.dtypes.Int64DType,
    # These two live in a private module that numpy 2 renamed; files name it either way.
    *((np.float64(0).__reduce__()[0], f"numpy.{core}.multiarray.scalar") for core in _CORES),
    *((np.empty(0).__reduce__()[0], f"numpy.{core}.multiarray._reconstruct") for core in _CORES),
]


def read_foreign_checkpoint(path: Path) -> Mapping[str, Any]:
    """Read tensors, numbers, words and their containers from a file of `torch.save`.

    Raises:
        CheckpointError: If the file is missing, empty, damaged, not of `torch.save`, or asks for
            anything beyond plain data and numpy arrays; nothing of it has run then.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; check the path")
    if path.stat().st_size == 0:
        raise CheckpointError(f"{path}: the file is empty, expected a checkpoint; copy it again")
    try:
        with torch.serialization.safe_globals(_NUMPY_PARTS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: not a plain checkpoint: {_first_reason(error)}; only tensors, numbers and "
            "words are read, and nothing was executed; export the weights alone"
        ) from error
    except Exception as error:  # damaged bytes may trip the parser in any way
        raise CheckpointError(
            f"{path}: damaged, cut short or not a file of torch.save ({_first_reason(error)}); "
            "copy it again"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f"{path}: holds a {type(content).__name__}, expected a dictionary with the weights"
        )
    return content


def _first_reason(error: Exception) -> str:
    """Give the line of torch's long explanation that names the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if "GLOBAL" in line or "Unsupported" in line]
    reason = (named or lines or [type(error).__name__])[0]
    return reason.split(". ", maxsplit=1)[-1][:160] if named else reason[:160]
