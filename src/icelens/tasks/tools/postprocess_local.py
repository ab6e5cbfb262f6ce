"""Local resolution of two half maps: a map of it, a map filtered by it, and how it is spread."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.events import Message, Saved
from icelens.core.fourier.filters import b_factor_envelope
from icelens.core.fourier.frequencies import shell_frequencies
from icelens.core.fourier.sharpening import weigh_shells
from icelens.core.io.volumes import write_volume
from icelens.core.metrics.local_resolution import (
    LocalWindows,
    filter_locally,
    local_resolution,
)
from icelens.core.plots.histograms import stacked_histograms
from icelens.core.plots.slices import orthogonal_slices
from icelens.jobs.run import Run
from icelens.tasks.tools.postprocess_jobs import PostprocessConfig
from icelens.tasks.tools.postprocess_report import Figures

Density = Float[Tensor, "z y x"]


def map_local_resolution(
    config: PostprocessConfig,
    run: Run,
    sampling: Volume,
    halves: tuple[Density, Density],
    mask: Density,
    windows: LocalWindows,
    figures: Figures,
) -> None:
    """Write local_resolution.mrc and locally_filtered.mrc, and show them."""
    pixel_size = figures.pixel_size
    run.citations.append("cardone2013onenumber")
    resolution = local_resolution(
        *halves,
        windows,
        pixel_size=pixel_size,
        mask=mask,
        threshold=config.local_threshold,
        on_event=run.on_event,
    )
    frequency = shell_frequencies(sampling.shape, pixel_size=pixel_size)
    sharp = weigh_shells(
        0.5 * (halves[0] + halves[1]), b_factor_envelope(frequency, figures.b_factor)
    )
    filtered = filter_locally(sharp, resolution, pixel_size=pixel_size)
    _write(run, run.folder / "local_resolution.mrc", sampling, resolution)
    _write(run, run.folder / "locally_filtered.mrc", sampling, filtered)
    inside = resolution[mask > 0.5].double()
    inside = inside if len(inside) else resolution.flatten().double()
    shares = torch.tensor([0.05, 0.5, 0.95], dtype=torch.float64)
    best, middle, worst = torch.quantile(_some(inside), shares).tolist()
    text = (
        f"Local resolution at {config.local_threshold:g}: {best:.2f} to {worst:.2f} Å (5 to 95 % "
        f"of the mask), median {middle:.2f} Å, in windows of {windows.size * pixel_size:.0f} Å"
    )
    run.on_event(Message(text))
    run.report.section("Local resolution")
    run.report.text(text + ".")
    limits = float(inside.min()), max(float(inside.max()), float(inside.min()) + pixel_size)
    run.report.figure(
        stacked_histograms({"voxels of the mask": inside.numpy()}, label="Å", limits=limits),
        name="local_resolution_histogram",
        caption="Resolution of the voxels within the mask.",
    )
    run.report.figure(
        orthogonal_slices(
            {"local resolution": resolution.numpy(), "filtered by it": filtered.numpy()},
            pixel_size,
        ),
        name="local_resolution",
        caption="Central slices: resolution, dark is fine; the map filtered at its own resolution.",
    )


def _some(values: Tensor) -> Tensor:
    """Every so many-th value: quantiles of large tensors need no more than a million."""
    return values[:: max(1, len(values) // 1_000_000)]


def _write(run: Run, path: Path, sampling: Volume, values: Density) -> None:
    write_volume(path, sampling.with_array(values.numpy()))
    run.on_event(Saved(path, "volume"))
