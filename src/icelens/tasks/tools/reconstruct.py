"""Make a map of particle images: read them, sum them, invert the sums, write maps and curve."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, Saved
from icelens.core.fourier.wiener import HalfMaps, reconstruct_halves, reconstruct_map
from icelens.core.io.atomic import atomic_path, make_folder
from icelens.core.io.mrc import SUFFIXES
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.volumes import write_volume
from icelens.core.plots.curves import fsc_curves
from icelens.core.volumes.masks import sphere_mask
from icelens.jobs.run import Run
from icelens.tasks.tools.fsc import THRESHOLDS, write_curves
from icelens.tasks.tools.reconstruct_jobs import ReconstructConfig
from icelens.tasks.tools.reconstruct_plan import Plan, make_plan
from icelens.tasks.tools.reconstruct_sums import sums_of
from icelens.training.device import choose_compute


def reconstruct_particles(config: ReconstructConfig, run: Run) -> Path:
    """Write the map, and with `--halves` both half maps and their curve; return the map.

    Raises:
        IcelensError: If particles or images cannot be used, or the maps cannot be written.
    """
    if config.output.suffix.lower() not in SUFFIXES:
        raise MetadataError(
            f"{config.output}: a map cannot be written with this ending, expected .mrc"
        )
    device = str(choose_compute(config.device).device)
    plan = make_plan(config, device, run.on_event)
    refuse_overwriting(outputs_of(config), [*config.particles, *plan.particles.stacks])
    mask = _mask(config, plan)
    make_folder(config.output.parent)
    sums = sums_of(plan, config.workers, config.output.parent, run.on_event)
    if not any(bool((each.values[..., :2] != 0).any()) for each in sums):
        raise MetadataError(
            f"{config.particles[0]}: its images add up to nothing, expected density; are they "
            "empty, or weighted with 0?"
        )
    if config.halves:
        maps = reconstruct_halves(
            sums[0], sums[1], symmetry=config.symmetry, pixel_size=plan.pixel_size, mask=mask
        )
        write_halves(config.output, maps, plan, run.on_event)
        density = maps.full
    else:
        density = reconstruct_map(sums[0], symmetry=config.symmetry)
    _write(config.output, _masked(density, mask), plan.pixel_size, run.on_event)
    num_used = int((plan.particles.weight > 0).sum())
    run.on_event(
        Message(
            f"{num_used} of {len(plan.particles)} images make a map of {plan.box_size} px of "
            f"{plan.pixel_size:g} Å with symmetry {config.symmetry}"
        )
    )
    return config.output


def outputs_of(config: ReconstructConfig) -> list[Path]:
    """Maps that will be written."""
    names = ("half_1", "half_2") if config.halves else ()
    return [config.output, *(half_path(config.output, name) for name in names)]


def half_path(output: Path, name: str) -> Path:
    """Where a half map is written, beside the map of all."""
    return output.with_name(f"{output.stem}_{name}{output.suffix}")


def write_halves(output: Path, maps: HalfMaps, plan: Plan, on_event: OnEvent) -> None:
    """Write both half maps, table and picture of their correlation, and say the resolution."""
    for name, density in (("half_1", maps.half_1), ("half_2", maps.half_2)):
        path = half_path(output, name)
        _write(path, density, plan.pixel_size, on_event)
    table = output.with_name(f"{output.stem}_fsc.csv")
    write_curves(table, {"half_maps": maps.fsc})
    on_event(Saved(table, "table"))
    picture = output.with_name(f"{output.stem}_fsc.png")
    figure = fsc_curves(
        {"half maps": maps.fsc.correlation.numpy()},
        maps.fsc.spatial_frequency.numpy(),
        thresholds={f"{height:g}": height for height in THRESHOLDS},
    )
    with atomic_path(picture) as temporary:
        figure.savefig(temporary, format="png")
    on_event(Saved(picture, "picture"))
    numbers = " and ".join(str(len(rows)) for rows in plan.sets)
    on_event(Message(f"Half maps of {numbers} images agree to {maps.resolution:.2f} Å (FSC 0.143)"))


def _mask(config: ReconstructConfig, plan: Plan) -> Float[Tensor, "z y x"] | None:
    if config.mask_diameter is None:
        return None
    side = plan.box_size * plan.pixel_size
    if config.mask_diameter > side:
        raise MetadataError(
            f"--mask-diameter is {config.mask_diameter:g} Å, expected at most the map's side, "
            f"{side:g} Å"
        )
    return sphere_mask(
        (plan.box_size,) * 3,
        pixel_size=plan.pixel_size,
        radius=config.mask_diameter / 2,
        device=plan.device,
    )


def _masked(
    density: Float[Tensor, "z y x"], mask: Float[Tensor, "z y x"] | None
) -> Float[Tensor, "z y x"]:
    """The density within the mask, on the level of what lies around it."""
    if mask is None:
        return density
    mask = mask.to(density)
    around = (mask > 0) & (mask < 1)
    level = density[around].mean() if bool(around.any()) else density.new_zeros(())
    return (density - level) * mask


def _write(
    path: Path, density: Float[Tensor, "z y x"], pixel_size: float, on_event: OnEvent
) -> None:
    write_volume(path, Volume(density.to(torch.float32).cpu().numpy(), pixel_size))
    on_event(Saved(path, "volume"))
