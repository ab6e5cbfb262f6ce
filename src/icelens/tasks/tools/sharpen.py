"""Sharpen a map: measure its radial amplitude, flatten it, and show both."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.fourier.filters import apply_filter
from icelens.core.fourier.frequencies import shell_frequencies
from icelens.core.fourier.sharpening import power_law_weight, radial_amplitude
from icelens.core.io.csv_table import write_csv
from icelens.core.io.volumes import write_volume
from icelens.core.optics.correction import radial
from icelens.core.plots.slices import orthogonal_slices
from icelens.jobs.run import Run
from icelens.tasks.tools.jobs import SharpenConfig
from icelens.tasks.tools.maps import as_tensor, open_map, open_mask


def sharpen_map(config: SharpenConfig, run: Run) -> Path:
    """Write the sharpened map, its weights and a report; return the map."""
    if config.high_resolution is not None and config.high_resolution >= config.low_resolution:
        raise MetadataError(
            f"--high-resolution is {config.high_resolution:g} Å, expected less than "
            f"--low-resolution, {config.low_resolution:g} Å"
        )
    volume = open_map(config.map, config.pixel_size, config.pixel_size_from)
    mask = None if config.mask is None else open_mask(config.mask, volume.shape)
    values = as_tensor(volume)
    amplitude = radial_amplitude(values, mask)
    weight = power_law_weight(
        amplitude,
        volume.shape,
        pixel_size=volume.pixel_size,
        low_resolution=config.low_resolution,
        high_resolution=config.high_resolution,
        exponent=config.exponent,
    )
    last = (len(weight) - 1) / max(volume.shape)
    sharpened = apply_filter(values, radial(weight.float(), volume.shape, last_frequency=last))
    path = run.folder / "sharpened.mrc"
    write_volume(path, volume.with_array(sharpened.numpy()))
    run.on_event(Saved(path, "volume"))
    frequency = shell_frequencies(volume.shape, pixel_size=volume.pixel_size)
    write_weights(run.folder / "weights.csv", frequency, amplitude, weight)
    run.on_event(Saved(run.folder / "weights.csv", "table"))
    run.report.section("Sharpening")
    run.report.figure(
        orthogonal_slices(
            {"before": values.numpy(), "sharpened": np.asarray(sharpened)}, volume.pixel_size
        ),
        name="slices",
        caption="Central slices of the map before and after sharpening.",
    )
    most = float(weight.max())
    run.on_event(
        Message(f"Amplitudes beyond {config.low_resolution:g} Å are raised by up to {most:.3g}")
    )
    return path


def write_weights(
    path: Path,
    frequency: Float[Tensor, " shell"],
    amplitude: Float[Tensor, " shell"],
    weight: Float[Tensor, " shell"],
) -> None:
    """A CSV with one row for each shell: its amplitude and what it was multiplied by."""
    table = torch.stack([frequency, amplitude, weight], dim=1).tolist()
    rows = [[shell, *values] for shell, values in enumerate(table)]
    write_csv(path, ["shell", "spatial_frequency", "amplitude", "weight"], rows)
