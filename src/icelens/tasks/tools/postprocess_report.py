"""What a post-processing found: tables, pictures, the page of the report and one sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.events import Saved
from icelens.core.fourier.sharpening import fsc_weight
from icelens.core.io.csv_table import write_csv
from icelens.core.io.fsc_table import write_fsc
from icelens.core.metrics.guinier import GuinierFit
from icelens.core.metrics.phase_randomisation import MaskedCorrelation
from icelens.core.plots.curves import fsc_curves
from icelens.core.plots.guinier import guinier_plot
from icelens.core.plots.slices import orthogonal_slices
from icelens.jobs.run import Run
from icelens.tasks.tools.half_map_checks import THRESHOLD

CURVES = ("unmasked", "masked", "randomised", "corrected")


@dataclass(frozen=True)
class Figures:
    """The result in numbers.

    Attributes:
        resolution: In Å, where the corrected correlation first falls below 0.143.
        resolution_unmasked: In Å, the same without a mask.
        b_factor: In Å^2, what the map was sharpened by; negative sharpens.
        is_b_factor_given: Whether it was given and not measured.
        pixel_size: In Å/px.
        share_masked: Mean of the mask.
    """

    resolution: float
    resolution_unmasked: float
    b_factor: float
    is_b_factor_given: bool
    pixel_size: float
    share_masked: float


def sentence(figures: Figures) -> str:
    """The result in words."""
    how = "given" if figures.is_b_factor_given else "from the Guinier plot"
    sharpened = f"B-factor {figures.b_factor:.0f} Å² ({how})"
    if figures.b_factor == 0.0:
        sharpened = "not sharpened"
    return (
        f"Resolution {figures.resolution:.2f} Å at {THRESHOLD} (corrected; unmasked "
        f"{figures.resolution_unmasked:.2f} Å), {sharpened}"
    )


def add_fsc(run: Run, curves: MaskedCorrelation) -> None:
    """Write `fsc.csv`, a row for each shell, and add the picture."""
    frequency = curves.corrected.spatial_frequency.tolist()
    path = run.folder / "fsc.csv"
    columns = {name: getattr(curves, name).correlation.double() for name in CURVES}
    write_fsc(path, frequency, {name: values.tolist() for name, values in columns.items()})
    run.on_event(Saved(path, "table"))
    picture = fsc_curves(
        {name: values.numpy() for name, values in columns.items()},
        frequency,
        thresholds={f"{THRESHOLD}": THRESHOLD},
    )
    caption = (
        "Correlation of the half maps without a mask, with it, with it after phases were made "
        "random, and corrected for what the mask makes."
    )
    run.report.section("Fourier shell correlation")
    run.report.figure(picture, name="fsc", caption=caption)


def add_guinier(
    run: Run,
    curves: MaskedCorrelation,
    amplitude: Float[Tensor, " shell"],
    weight: Float[Tensor, " shell"],
    fit: GuinierFit | None,
) -> None:
    """Write `guinier.csv`, a row for each shell, and add the picture."""
    frequency = curves.corrected.spatial_frequency
    square = frequency.square()
    weighted = amplitude * fsc_weight(curves.corrected.correlation)
    logarithms = {
        "mean of halves": amplitude.double().log(),
        "weighted by the FSC": weighted.double().log(),
        "sharpened": (amplitude * weight).double().log(),
    }
    line = torch.full_like(square, math.nan) if fit is None else fit.line()
    is_fitted = torch.zeros(len(square), dtype=torch.bool) if fit is None else fit.is_fitted
    path = run.folder / "guinier.csv"
    write_csv(
        path,
        [
            "shell", "spatial_frequency", "inverse_square_resolution", "ln_amplitude",
            "ln_weighted", "ln_sharpened", "ln_line", "is_fitted",
        ],
        zip(
            range(len(square)),
            frequency.tolist(),
            square.tolist(),
            *[values.tolist() for values in logarithms.values()],
            line.tolist(),
            is_fitted.int().tolist(),
            strict=True,
        ),
    )  # fmt: skip
    run.on_event(Saved(path, "table"))
    picture = guinier_plot(
        square.numpy(),
        {name: values.numpy() for name, values in logarithms.items()},
        line=line.numpy(),
        is_fitted=is_fitted.numpy(),
    )
    run.report.section("Guinier plot")
    caption = "Amplitude within the mask by resolution; the slope of the line is the B-factor."
    run.report.figure(picture, name="guinier", caption=caption)


def report(run: Run, figures: Figures, maps: Mapping[str, Float[Tensor, "z y x"]]) -> None:
    """Add the figures and slices of the maps."""
    run.report.section("Result")
    run.report.text(sentence(figures) + ".")
    run.report.table(
        ["Å at 0.143", "unmasked, Å", "B-factor, Å²", "Å/px", "share of the box in the mask"],
        [
            [
                figures.resolution, figures.resolution_unmasked, figures.b_factor,
                figures.pixel_size, figures.share_masked,
            ]
        ],
    )  # fmt: skip
    run.report.figure(
        orthogonal_slices(
            {name: values.numpy() for name, values in maps.items()}, figures.pixel_size
        ),
        name="slices",
        caption="Central slices of the maps and of the mask.",
    )
