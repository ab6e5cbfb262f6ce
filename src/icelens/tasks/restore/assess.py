"""How far can the filled wedge be trusted? Answers without the truth.

Three questions, each to data the network did not see: does it predict tilts that were measured
but hidden from it; do the two halves lead it to the same filling; where do they disagree.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from scipy import ndimage
from torch import Tensor

from icelens.core.data.tomograms import TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import OnEvent
from icelens.core.io.volumes import new_volume
from icelens.core.metrics.fsc import (
    ShellCorrelation,
    fourier_shell_correlation,
    mean_correlation,
    region_correlation,
)
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.tasks.restore.crops import Standardised
from icelens.tasks.restore.inputs import tilt_scheme
from icelens.tasks.restore.restorer import Restorer

Array = npt.NDArray[np.float32]
BAND = (200.0, 30.0)  # Å: from whole particles to their domains
DISAGREEMENT_SIGMA = 2.0  # voxels over which squared disagreement is averaged


@dataclass(frozen=True)
class HiddenWedge:
    """Correlation over tilts that were hidden, with data of them that the network did not see.

    `predicted`: of the network's answer. `zero_fill`: of what was put in, where nothing is left
    there. `data`: of the input half before hiding, how well measured data agree with each other;
    None for single maps. Each as a curve and as one number over the region up to `resolution`.
    """

    tilts: tuple[float, float]
    predicted: ShellCorrelation
    data: ShellCorrelation | None
    predicted_total: float
    zero_fill_total: float
    data_total: float | None


@dataclass(frozen=True)
class Assessment:
    """All answers for one tomogram."""

    hidden: HiddenWedge
    halves_measured: ShellCorrelation | None
    halves_missing: ShellCorrelation | None
    truth_measured: ShellCorrelation | None
    truth_missing: ShellCorrelation | None
    disagreement: Path


def central_block(shape: tuple[int, int, int], max_voxels: int) -> tuple[slice, slice, slice]:
    """The middle of a volume, cut along y and x until it holds no more than `max_voxels`."""
    side = max(1, int((max_voxels / shape[0]) ** 0.5))
    sizes = (shape[0], min(shape[1], side), min(shape[2], side))
    z, y, x = (
        slice((size - kept) // 2, (size - kept) // 2 + kept)
        for size, kept in zip(shape, sizes, strict=True)
    )
    return z, y, x


def restored(
    restorer: Restorer,
    row: TomogramRow,
    box: Array,
    pixel_size: float,
    on_event: OnEvent,
    stage: str,
) -> Array:
    """The network's answer to a standardised box, in the same units."""
    source = Standardised(Volume(box, pixel_size), mean=0.0, std=1.0, sign=1.0)
    answer = np.empty_like(box)

    def write(start: int, slab: Array) -> None:
        answer[start : start + len(slab)] = slab

    restorer.restore(row, (source,), write, on_event=on_event, stage=stage)
    return answer


def hide(box: Array, region: Float[Tensor, "z y x_half"]) -> Array:
    """Take a region of Fourier space out of a box."""
    spectrum = torch.fft.rfftn(torch.from_numpy(box)) * (1.0 - region)
    hidden: Array = torch.fft.irfftn(spectrum, s=box.shape).numpy()
    return hidden


def hidden_tilts(scheme: TiltScheme, width: float) -> tuple[float, float]:
    """The `width` degrees at the high end of the tilt range.

    Raises:
        MetadataError: If less than as much would be left.
    """
    if scheme.tilt_max - scheme.tilt_min < 2 * width:
        raise MetadataError(
            f"cannot hide {width:g} of the {scheme.tilt_max - scheme.tilt_min:g} degrees that were "
            "measured; choose a smaller --hidden-wedge"
        )
    return scheme.tilt_max - width, scheme.tilt_max


def assess_hidden_wedge(
    restorer: Restorer,
    row: TomogramRow,
    boxes: list[Array],
    tilts: tuple[float, float],
    on_event: OnEvent,
) -> HiddenWedge:
    """Hide measured tilts, predict them from what is left, compare with the other half's."""
    scheme = tilt_scheme(row, use_tilt_files=False)
    shape = boxes[0].shape
    kept = TiltScheme(scheme.tilt_min, tilts[0])
    region = measured_mask(shape, TiltScheme(scheme.tilt_min, scheme.tilt_max))
    region = (region - measured_mask(shape, kept)).clamp(min=0)
    remaining = hide(boxes[0], region)
    answer = restored(
        restorer,
        replace(row, tilt_max=tilts[0], tilt_file=None),
        remaining,
        row.pixel_size,
        on_event,
        "hidden wedge",
    )
    witness = torch.from_numpy(boxes[-1])
    prediction = torch.from_numpy(answer)
    first = torch.from_numpy(boxes[0])
    is_pair = len(boxes) == 2
    p = row.pixel_size
    return HiddenWedge(
        tilts,
        fourier_shell_correlation(prediction, witness, pixel_size=p, region=region),
        fourier_shell_correlation(first, witness, pixel_size=p, region=region) if is_pair else None,
        overall(prediction, witness, region, p),
        overall(torch.from_numpy(remaining), witness, region, p),
        overall(first, witness, region, p) if is_pair else None,
    )


def overall(
    one: Tensor, other: Tensor, region: Float[Tensor, "z y x_half"], pixel_size: float
) -> float:
    """Mean correlation over the shells of `BAND`, each counting alike.

    One correlation over the whole region would be ruled by its many high frequencies, which in raw
    data are noise. Volumes too small or too fine for the band get that one number all the same.
    """
    curve = fourier_shell_correlation(one, other, pixel_size=pixel_size, region=region)
    if reaches_band(curve):
        return mean_correlation(curve, *BAND)
    return region_correlation(one, other, region)


def reaches_band(curve: ShellCorrelation) -> bool:
    """Whether a curve has shells with samples in `BAND`."""
    coarsest, finest = BAND
    frequency = curve.spatial_frequency
    inside = (frequency * coarsest >= 1) & (frequency * finest <= 1) & (curve.count > 0)
    return bool(inside.any())


def write_disagreement(path: Path, first: Volume, second: Volume, *, relative_to: float) -> Path:
    """Local root mean square difference of two restorations over sqrt(2), in standard deviations.

    even = s + a, odd = s + b with a, b independent: the difference over sqrt(2) has the spread of
    either's error, as far as the halves do not err alike.
    """
    halo = int(4 * DISAGREEMENT_SIGMA)
    depth = first.shape[0]
    with new_volume(
        path, shape=first.shape, pixel_size=first.pixel_size, origin_xyz=first.origin_xyz
    ) as out:
        for start in range(0, depth, 16):
            low, high = max(0, start - halo), min(depth, start + 16 + halo)
            difference = np.asarray(first.array[low:high], np.float32) - np.asarray(
                second.array[low:high], np.float32
            )
            squares = ndimage.gaussian_filter(difference**2 / 2.0, DISAGREEMENT_SIGMA)
            end = min(depth, start + 16)
            values = np.sqrt(np.maximum(squares[start - low : end - low], 0.0))
            out[start:end] = values / relative_to
    return path


def check_block(shape: tuple[int, int, int], row: TomogramRow) -> None:
    """Refuse volumes too thin for any direction to be told from another.

    Raises:
        GeometryError: If the tomogram is thinner than 16 slices.
    """
    if min(shape) < 16:
        raise GeometryError(
            f"{row.where}: (z, y, x) = {shape} is too thin to assess directions in Fourier space, "
            "expected at least 16 voxels along each axis"
        )


def verdict(assessment: Assessment) -> str:
    """The answer in two sentences."""
    hidden = assessment.hidden
    low, high = hidden.tilts
    text = (
        f"Tilts {low:g} to {high:g} degrees were hidden: the network's answer correlates "
        f"{hidden.predicted_total:.2f} with the data measured there, an unfilled wedge "
        f"{hidden.zero_fill_total:.2f} (mean over the shells from 200 to 30 Å)"
    )
    if hidden.data_total is not None:
        text += f"; two measurements correlate {hidden.data_total:.2f} with each other"
    text += "."
    measured, missing = assessment.halves_measured, assessment.halves_missing
    if measured is not None and missing is not None and reaches_band(missing):
        text += (
            f" Restorations of the two halves agree to {mean_correlation(measured, *BAND):.2f} in "
            f"the measured and {mean_correlation(missing, *BAND):.2f} in the missing region; "
            "agreement there shows that the filling is reproducible, not that it is right."
        )
    return text
