"""The volume of weights of a run's subtomograms: CTF times measured region, as RELION reads it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from icelens.core.data.tomograms import TomogramRow
from icelens.core.errors import MetadataError
from icelens.core.fourier.frequencies import frequency_radius
from icelens.core.fourier.half_transform import full_weight
from icelens.core.io.tilt_series import read_tilt_series
from icelens.core.io.tomogram_star import read_tomograms
from icelens.core.optics.ctf import ctf
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.core.optics.tilt_schemes import scheme_of_series
from icelens.tasks.pick.exchange_jobs import ExtractConfig

Weights = npt.NDArray[np.float32]


def scheme_and_defocus(
    config: ExtractConfig, runs: Sequence[str]
) -> dict[str, tuple[TiltScheme | None, float]]:
    """Tilts and defocus in Å of each run: what the settings say, else the list of tomograms.

    The scheme is None where nobody knows the tilts, defocus 0 where nobody knows it.

    Raises:
        MetadataError: If a run is in the list more than once or not at all.
    """
    rows = rows_of_runs(config.tomograms_star, runs) if config.tomograms_star else {}
    return {run: _of_run(config, rows.get(run)) for run in runs}


def rows_of_runs(star: Path, runs: Sequence[str]) -> dict[str, TomogramRow]:
    """The row of each run: a volume of it is called as the run, or begins so and goes on with `_`.

    Raises:
        MetadataError: If no row, or more than one, fits a run.
    """
    rows = list(read_tomograms(star))
    found = {}
    for run in runs:
        exact = [row for row in rows if run in _stems(row)]
        fitting = exact or [
            row for row in rows if any(stem.startswith(f"{run}_") for stem in _stems(row))
        ]
        if len(fitting) != 1:
            indices = [row.index for row in fitting]
            problem = f"rows {indices} fit" if fitting else "no row fits"
            raise MetadataError(
                f"{star}: {problem} run {run}, expected one whose volume is called {run}; "
                "correct the list, or give --tilt-range and --defocus instead"
            )
        found[run] = fitting[0]
    return found


def weight_volume(
    box_size: int,
    pixel_size: float,
    scheme: TiltScheme | None,
    defocus: float,
    config: ExtractConfig,
    *,
    rotation: npt.NDArray[np.float64] | None = None,
) -> Weights:
    """Weight of each frequency `(z, y, x)`, zero frequency at voxel `box_size // 2`.

    Args:
        box_size: Side of the box in voxels.
        pixel_size: In Å/px.
        scheme: Tilts; None measured everything.
        defocus: At zero tilt in Å; 0 leaves the CTF out.
        config: Voltage, aberration, amplitude contrast and whether phases were flipped.
        rotation: That the box was turned by; None if it lies as the tomogram does.

    References:
        RELION 3.1: `rlnCtfImage` of subtomograms is CTF times missing wedge, centred.
    """
    shape = (box_size,) * 3
    weight = torch.ones(box_size, box_size, box_size // 2 + 1)
    if scheme is not None:
        turned = None if rotation is None else torch.from_numpy(np.array(rotation, np.float32))
        weight = measured_mask(shape, scheme, pixel_size=pixel_size, rotation=turned)
    if defocus:
        transfer = ctf(
            frequency_radius(shape, pixel_size=pixel_size),
            defocus,
            voltage=config.voltage,
            spherical_aberration=config.spherical_aberration,
            amplitude_contrast=config.amplitude_contrast,
        )
        weight = weight * (transfer.abs() if config.is_phase_flipped else transfer)
    volume: Weights = full_weight(weight, box_size).numpy()
    return volume


def _of_run(config: ExtractConfig, row: TomogramRow | None) -> tuple[TiltScheme | None, float]:
    scheme, defocus = None, 0.0
    if row is not None:
        scheme, defocus = TiltScheme(row.tilt_min, row.tilt_max), row.defocus
        if row.tilt_file is not None:
            series = read_tilt_series(row.require("tilt_file"))
            known = scheme_of_series(series, voltage=config.voltage)
            # The CTF is a factor of its own, so the tilts here are weighted by dose alone.
            scheme = TiltScheme(
                known.tilt_min,
                known.tilt_max,
                angles=known.angles,
                doses=known.doses,
                voltage=known.voltage,
            )
    if config.tilt_range is not None:
        scheme = TiltScheme(*config.tilt_range)
    return scheme, defocus if config.defocus is None else config.defocus


def _stems(row: TomogramRow) -> set[str]:
    """Names of a row's volumes without their endings."""
    files = (row.full, row.even, row.odd, row.deconvolved, row.corrected, row.denoised)
    return {file.name.removesuffix(file.suffix) for file in files if file is not None}
