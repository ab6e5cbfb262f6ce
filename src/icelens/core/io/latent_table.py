"""Latents of particles as `latents.csv`: one line for each particle."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.errors import GeometryError, InputFileError, MetadataError
from icelens.core.io.csv_table import write_csv


def write_latents(path: Path, table: LatentTable) -> None:
    """Write a table: particle, row, half_set, latent_1 ..., deviation_1 ...

    Raises:
        InputFileError: If the disk is full or the folder cannot be written.
    """
    numbers = range(1, table.latent_dim + 1)
    header = [
        "particle",
        "row",
        "half_set",
        *(f"latent_{number}" for number in numbers),
        *(f"deviation_{number}" for number in numbers),
    ]
    whole = np.stack([table.particle, table.row, table.half_set], axis=1).tolist()
    # seven digits: what single precision holds
    parts = np.concatenate([table.latent, table.deviation], axis=1).tolist()
    lines = (
        [*ids, *(f"{v:.7g}" for v in values)] for ids, values in zip(whole, parts, strict=True)
    )
    write_csv(path, header, lines)


def read_latents(path: Path) -> LatentTable:
    """Read `latents.csv`, or any CSV with columns latent_1 ...; its lines then have no particle.

    Raises:
        InputFileError: If the file cannot be read or is no such table.
    """
    import pandas

    try:
        frame = pandas.read_csv(path)
    except OSError as error:
        reason = error.strerror or "no such file"
        raise InputFileError(f"{path}: cannot be read ({reason}); check the path") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise InputFileError(
            f"{path}: no table ({type(error).__name__}), expected CSV with columns latent_1, "
            "latent_2 ...; give the latents.csv of a run"
        ) from error
    names = [f"latent_{number}" for number in range(1, len(frame.columns) + 1)]
    names = [name for name in names if name in frame.columns]
    if not names or names[-1] != f"latent_{len(names)}" or not len(frame):
        found = ", ".join(map(str, frame.columns[:6])) if len(frame) else "no lines"
        raise InputFileError(
            f"{path}: holds {found}, expected lines with columns latent_1, latent_2 ...; give the "
            "latents.csv of a run"
        )
    try:
        ours = [str(name) for name in frame if _is_ours(str(name))]
        numbers = {name: np.asarray(frame[name], np.float64) for name in ours}
        latent = np.stack([numbers[name] for name in names], axis=1)
        deviations = [numbers.get(name.replace("latent", "deviation")) for name in names]
        known = [each for each in deviations if each is not None]
        nobody = np.full(len(frame), -1.0)
        _check_ranges(numbers)
        return LatentTable(
            latent=latent,
            particle=_whole(numbers.get("particle", nobody)),
            row=_whole(numbers.get("row", nobody)),
            deviation=np.stack(known, axis=1) if len(known) == len(names) else np.empty((0, 0)),
            half_set=_whole(numbers.get("half_set", nobody * 0)),
        )
    except (ValueError, TypeError) as error:
        raise InputFileError(f"{path}: holds words where numbers belong ({error})") from error
    except (GeometryError, MetadataError) as error:
        raise InputFileError(f"{path}: {error}") from error


def _is_ours(name: str) -> bool:
    return name in {"particle", "row", "half_set"} or name.startswith(("latent_", "deviation_"))


def _check_ranges(numbers: dict[str, npt.NDArray[np.float64]]) -> None:
    for name, values in numbers.items():
        least, most = 0.0, 2.0 if name == "half_set" else np.inf
        is_bounded = name == "half_set" or name.startswith("deviation_")
        is_out = (values < least) | (values > most)
        if is_bounded and is_out.any():
            line = int(np.argmax(is_out))
            raise MetadataError(
                f"{name} is {values[line]:g} in line {line + 1}, expected {least:g} "
                f"{'to 2' if name == 'half_set' else 'or more'}; restore the file or train again"
            )


def _whole(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    if not (np.isfinite(values) & (values == np.round(values))).all():
        raise ValueError("particle, row and half_set are whole numbers")
    return values.astype(np.int64)
