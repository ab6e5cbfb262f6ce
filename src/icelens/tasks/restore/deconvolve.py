"""Correct a tomogram for the CTF at its middle by a Wiener filter, whatever its size."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.tomograms import TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import OnEvent, ignore
from icelens.core.fourier.filters import wiener_curve
from icelens.core.io.slabs import release_pages, slabs, statistics
from icelens.core.io.volumes import check_values, new_volume
from icelens.core.optics.ctf import ctf
from icelens.core.volumes.streamed_filter import filter_streamed

CURVE_SAMPLES = 2048
"""Of the filter between zero and Nyquist, as in IsoNet2."""


@dataclass(frozen=True)
class DeconvolutionSettings:
    """Shape of the signal-to-noise ratio that the filter assumes; see `wiener_curve`."""

    snr_falloff: float = 1.0
    strength: float = 1.0
    highpass_nyquist: float = 0.02
    phase_flipped: bool = False


def deconvolution_curve(
    row: TomogramRow, settings: DeconvolutionSettings
) -> Float[Tensor, " sample"]:
    """The Wiener filter of a tomogram from zero to Nyquist.

    Raises:
        MetadataError: If the defocus is 0, so that there is nothing to correct.
    """
    if row.defocus == 0:
        raise MetadataError(
            f"{row.where}: rlnDefocus is 0, expected Å at zero tilt; give it with "
            "`icelens restore prepare --defocus` or write it into the list"
        )
    fraction = torch.linspace(0, 1, CURVE_SAMPLES, dtype=torch.float64)
    transfer = ctf(
        fraction * (0.5 / row.pixel_size),
        row.defocus,
        voltage=row.voltage,
        spherical_aberration=row.spherical_aberration,
        amplitude_contrast=row.amplitude_contrast,
    )
    return wiener_curve(
        transfer.abs() if settings.phase_flipped else transfer,
        fraction,
        row.pixel_size,
        snr_falloff=settings.snr_falloff,
        strength=settings.strength,
        highpass_nyquist=settings.highpass_nyquist,
    )


def write_deconvolved(
    path: Path,
    source: Path,
    volume: Volume,
    curve: Float[Tensor, " sample"],
    *,
    chunk_size: int | None = None,
    on_event: OnEvent = ignore,
) -> None:
    """Filter a tomogram and write it with the mean, spread and contrast that it had.

    Args:
        path: Of the result, float32.
        source: File of the tomogram, to be named in errors and progress.
        volume: The tomogram, memory-mapped.
        curve: Of `deconvolution_curve`.
        chunk_size: Voxels along each side of a chunk, None to choose.
        on_event: Told of progress.

    Raises:
        InputFileError: If the tomogram is constant or not finite, or the result cannot be written.
        GeometryError: If the chunk is too small for the filter's reach.
    """
    check_values(source, volume.array)
    before = statistics(volume.array)
    release_pages(volume.array)
    with new_volume(
        path, shape=volume.shape, pixel_size=volume.pixel_size, origin_xyz=volume.origin_xyz
    ) as result:
        filter_streamed(
            volume.array,
            curve,
            result,
            chunk_size=chunk_size,
            stage=f"deconvolve {source.stem}",
            on_event=on_event,
        )
        after = statistics(result)
        # A Wiener filter has no scale of its own: the input's is the one that users know.
        scale = np.float32(before.std / after.std)
        for part in slabs(volume.shape):
            centred = np.asarray(result[part], np.float32) - np.float32(after.mean)
            result[part] = centred * scale + np.float32(before.mean)
            release_pages(result)
