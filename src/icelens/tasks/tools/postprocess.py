"""Two half maps in, the final map out: mask, correlation, B-factor, sharpening, local detail."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.events import Message, Progress, Saved
from icelens.core.fourier.sharpening import (
    fsc_weight,
    radial_amplitude,
    sharpening_weight,
    weigh_shells,
)
from icelens.core.io.atomic import atomic_path
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.volumes import write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.core.metrics.guinier import GuinierFit, fit_guinier
from icelens.core.metrics.local_resolution import LocalWindows, plan_windows
from icelens.core.metrics.phase_randomisation import MaskedCorrelation, masked_correlation
from icelens.core.volumes.masks import EDGE_PX, density_mask, sphere_mask
from icelens.jobs.run import Run
from icelens.tasks.tools.half_map_checks import THRESHOLD, refuse_no_halves, warn_of_doubts
from icelens.tasks.tools.maps import as_tensor, check_same_grid, open_map, open_mask
from icelens.tasks.tools.postprocess_jobs import PostprocessConfig
from icelens.tasks.tools.postprocess_local import map_local_resolution
from icelens.tasks.tools.postprocess_report import (
    Figures,
    add_fsc,
    add_guinier,
    report,
    sentence,
)

SHARPENED, MASK, FIGURES = "sharpened.mrc", "mask.mrc", "postprocess.json"
_MOST_KEPT = 0.6
_MOST_RAISED = 1e6
Density = Float[Tensor, "z y x"]


def postprocess_halves(config: PostprocessConfig, run: Run) -> Path:
    """Write the sharpened map, curves, pictures and report; return the map."""
    names = (SHARPENED, MASK, "local_resolution.mrc", "locally_filtered.mrc")
    outputs = [run.folder / name for name in names]
    refuse_overwriting(outputs, (config.half_1, config.half_2))
    if config.mask is not None:  # then none is written
        refuse_overwriting([path for path in outputs if path.name != MASK], (config.mask,))
    sampling, half_1, half_2 = open_halves(config)
    pixel_size = sampling.pixel_size
    plain = fourier_shell_correlation(half_1, half_2, pixel_size=pixel_size)
    refuse_no_halves((config.half_1, config.half_2), plain)
    mean = 0.5 * (half_1 + half_2)
    mask = mask_of(config, mean, pixel_size, run)
    run.on_event(Progress("curves", 0, 1))
    generator = torch.Generator().manual_seed(config.seed)
    curves = masked_correlation(half_1, half_2, mask, pixel_size=pixel_size, generator=generator)
    run.on_event(Progress("curves", 1, 1))
    warn_of_doubts(curves, run.on_event)
    resolution = resolution_at(curves.corrected, THRESHOLD)
    amplitude = radial_amplitude(mean, mask)
    fit = guinier_of(config, curves, amplitude, resolution, run)
    figures = Figures(
        resolution,
        resolution_at(curves.unmasked, THRESHOLD),
        chosen_b_factor(config, fit, run),
        config.b_factor is not None,
        pixel_size,
        float(mask.mean()),
    )
    windows = windows_of(config, sampling, figures)
    weight = weight_of(config, curves, figures)
    sharpened = weigh_shells(mean, weight)
    write_results(run, sampling, sharpened, mask if config.mask is None else None, figures)
    add_fsc(run, curves)
    add_guinier(run, curves, amplitude, weight, fit)
    report(run, figures, {"mean of halves": mean, "sharpened": sharpened, "mask": mask})
    run.on_event(Message(sentence(figures)))
    if windows is not None:
        map_local_resolution(config, run, sampling, (half_1, half_2), mask, windows, figures)
    return run.folder / SHARPENED


def open_halves(config: PostprocessConfig) -> tuple[Volume, Density, Density]:
    """The sampling of the first half map, and the values of both.

    Raises:
        GeometryError: If they are not on one grid.
        InputFileError: If one is not a map.
    """
    first = open_map(config.half_1, config.pixel_size, config.pixel_size_from)
    second = open_map(config.half_2, config.pixel_size, config.pixel_size_from)
    check_same_grid(config.half_1, first, config.half_2, second)
    return first, as_tensor(first), as_tensor(second)


def mask_of(config: PostprocessConfig, mean: Density, pixel_size: float, run: Run) -> Density:
    """The mask that was given or asked for."""
    z, y, x = mean.shape
    if config.mask is not None:
        return open_mask(config.mask, (z, y, x))
    edge = EDGE_PX * pixel_size if config.mask_edge is None else config.mask_edge
    if config.auto_mask == "sphere":
        radius = max(0.0, min(z, y, x) // 2 * pixel_size - edge)
        return sphere_mask((z, y, x), pixel_size=pixel_size, radius=radius, edge=edge)
    run.citations.append("otsu1979threshold")
    mask = density_mask(
        mean,
        pixel_size=pixel_size,
        threshold=config.mask_threshold,
        dilation=config.mask_dilation,
        edge=edge,
        smoothing=config.mask_low_pass,
    )
    if float(mask.mean()) > _MOST_KEPT:
        run.on_event(
            Message(
                f"the automatic mask keeps {float(mask.mean()):.0%} of the box; look at {MASK}: is "
                "the density dark instead of bright, or --mask-threshold too low?",
                "warning",
            )
        )
    return mask


def guinier_of(
    config: PostprocessConfig,
    curves: MaskedCorrelation,
    amplitude: Float[Tensor, " shell"],
    resolution: float,
    run: Run,
) -> GuinierFit | None:
    """The line through the Guinier plot; None, said aloud, where there is no room for one."""
    try:
        return fit_guinier(
            amplitude * fsc_weight(curves.corrected.correlation),
            curves.corrected.spatial_frequency,
            low_resolution=config.guinier_low,
            high_resolution=max(resolution, config.low_pass or 0.0),
        )
    except GeometryError as error:
        if config.b_factor is None:
            text = f"not sharpened: {error} (--guinier-low, --b-factor)"
            run.on_event(Message(text, "warning"))
        return None


def chosen_b_factor(config: PostprocessConfig, fit: GuinierFit | None, run: Run) -> float:
    """The B-factor in Å^2 that was given or measured; 0 if neither."""
    if config.b_factor is not None:
        return config.b_factor
    b_factor = 0.0 if fit is None else fit.b_factor
    if b_factor > 0:
        text = f"amplitudes rise with frequency (B-factor {b_factor:.0f} Å²): the map is blurred, "
        text += "not sharpened; were the half maps sharpened already? --b-factor 0 leaves them"
        run.on_event(Message(text, "warning"))
    return b_factor


def windows_of(
    config: PostprocessConfig, sampling: Volume, figures: Figures
) -> LocalWindows | None:
    """The windows of local resolution if it was asked for, known before anything is written.

    Raises:
        GeometryError: If the map has no room for them.
    """
    if not config.local_resolution:
        return None
    return plan_windows(
        sampling.shape,
        pixel_size=figures.pixel_size,
        resolution=figures.resolution,
        window=config.local_window,
    )


def weight_of(
    config: PostprocessConfig, curves: MaskedCorrelation, figures: Figures
) -> Float[Tensor, " shell"]:
    """Weight of each shell of the sharpened map.

    Raises:
        MetadataError: If the B-factor raises a shell beyond all sense.
    """
    weight = sharpening_weight(
        curves.corrected.correlation,
        curves.corrected.spatial_frequency,
        b_factor=figures.b_factor,
        resolution=config.low_pass,
    )
    if not float(weight.max()) < _MOST_RAISED:
        raise MetadataError(
            f"a B-factor of {figures.b_factor:g} Å² raises amplitudes at {figures.resolution:.3g} "
            f"Å by {float(weight.max()):.1g}, expected less than {_MOST_RAISED:g}; give a "
            "--b-factor nearer 0 or a --low-pass"
        )
    return weight


def write_results(
    run: Run, sampling: Volume, sharpened: Density, mask: Density | None, figures: Figures
) -> None:
    """The map, the mask if it was made here, and the figures as JSON."""
    for name, values in ((SHARPENED, sharpened), (MASK, mask)):
        if values is not None:
            write_volume(run.folder / name, sampling.with_array(values.numpy()))
            run.on_event(Saved(run.folder / name, "volume"))
    path = run.folder / FIGURES
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")
    run.on_event(Saved(path, "table"))
