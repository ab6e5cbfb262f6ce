"""Write weights of tilt schemes and noise shaped by them."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Progress, Saved
from icelens.core.fourier.filters import apply_filter
from icelens.core.fourier.half_transform import full_weight, point_spread
from icelens.core.fourier.shells import column_weights
from icelens.core.io.tilt_series import read_tilt_series
from icelens.core.io.volumes import write_volume
from icelens.core.optics.missing_wedge import TiltScheme, measured_mask
from icelens.core.optics.noise import noise_amplitude
from icelens.core.optics.tilt_schemes import scheme_of_series
from icelens.core.plots.slices import orthogonal_slices
from icelens.jobs.run import Run
from icelens.tasks.tools.wedge_jobs import NoiseVolumeConfig, TiltConfig, WedgeConfig


def write_wedge(config: WedgeConfig, run: Run) -> Path:
    """Write what was asked for; return the last file."""
    n = config.box_size
    mask = mask_of(config)
    made = {"weight": full_weight(mask, n), "point_spread": point_spread(mask, n)}
    wanted = made if config.write == "both" else [config.write.replace("-", "_")]
    path = run.folder
    for name in wanted:
        path = _write(run, name, made[name], config.pixel_size)
    _show(run, {name: made[name] for name in wanted}, config.pixel_size)
    columns = column_weights(n)
    share = float((mask * columns).sum() / columns.sum() / n**2)
    run.on_event(Message(f"The tilts measure {share:.1%} of Fourier space"))
    return path


def write_noise(config: NoiseVolumeConfig, run: Run) -> Path:
    """Write noise volumes and their amplitude; return the folder."""
    n = config.box_size
    amplitude = noise_amplitude(mask_of(config), filter_name=config.filter)
    _write(run, "amplitude", full_weight(amplitude, n), config.pixel_size)
    for number in range(config.count):
        generator = torch.Generator().manual_seed(config.seed + number)
        noise = apply_filter(torch.randn(n, n, n, generator=generator), amplitude)
        name = "noise" if config.count == 1 else f"noise_{number + 1}"
        _write(run, name, noise, config.pixel_size)
        run.on_event(Progress("noise", number + 1, config.count, "volume"))
        if number == 0:
            _show(run, {"noise": noise}, config.pixel_size)
    return run.folder


def mask_of(config: TiltConfig) -> Float[Tensor, "n n h"]:
    """Weight of each frequency by the tilt file, or else by the range."""
    n = config.box_size
    return measured_mask((n, n, n), scheme_of(config), pixel_size=config.pixel_size)


def scheme_of(config: TiltConfig) -> TiltScheme:
    """Single tilts where a file lists them, else the range.

    Raises:
        MetadataError: If the range is reversed or impossible.
    """
    if config.tilt_file is not None:
        return scheme_of_series(
            read_tilt_series(config.tilt_file),
            voltage=config.voltage,
            spherical_aberration=config.spherical_aberration,
            amplitude_contrast=config.amplitude_contrast,
        )
    low, high = config.tilt_range
    if not -90 <= low < high <= 90:
        raise MetadataError(
            f"--tilt-range is {low:g},{high:g}; expected two ascending angles from -90 to 90 "
            "degrees, such as -60,60"
        )
    return TiltScheme(low, high)


def _write(run: Run, name: str, values: Float[Tensor, "z y x"], pixel_size: float) -> Path:
    path = run.folder / f"{name}.mrc"
    write_volume(path, Volume(values.numpy(), pixel_size))
    run.on_event(Saved(path, "volume"))
    return path


def _show(run: Run, volumes: dict[str, Float[Tensor, "z y x"]], pixel_size: float) -> None:
    run.report.section("Central slices")
    run.report.figure(
        orthogonal_slices({name: values.numpy() for name, values in volumes.items()}, pixel_size),
        name="slices",
        caption="Central slices; the tilt axis is y, the beam z. A weight is in Fourier space.",
    )
