"""Volumes of a run at given latents: decoded, checked, finished and written, with what backs them.

Nobody is to publish what the model made up: `volumes.csv` says of each volume how many particles
lie near it, how well independent halves agree, and whether images of that state look like it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, Progress, Saved, ignore
from icelens.core.io.csv_table import number_or_empty, write_csv
from icelens.core.io.volumes import write_volume
from icelens.core.latents.support import EXTRAPOLATED, Support, support_of
from icelens.tasks.hetero.hetero_run import HeteroRun, VolumeModel
from icelens.tasks.hetero.volume_checks import (
    Halves,
    NearestImages,
    VolumeCheck,
    check_volume,
    nearest_images,
    resolution_of_all,
)
from icelens.tasks.hetero.volume_finish import VolumeFinish, volume_finish
from icelens.tasks.hetero.volume_options import VolumeOptions

TABLE_NAME = "volumes.csv"
_DEFAULTS = VolumeOptions()
Latents = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Line:
    """One line of the table: files by what they are, and what was found out."""

    files: dict[str, str]
    check: VolumeCheck


def write_volumes(
    run: HeteroRun,
    latent: Latents,
    folder: Path,
    names: Sequence[str],
    *,
    options: VolumeOptions = _DEFAULTS,
    on_event: OnEvent = ignore,
) -> Path:
    """Write the volumes at some latents, and a table of what backs each.

    Args:
        run: Whose model makes them.
        latent: `(state, latent_dim)`.
        folder: For the files.
        names: Of the files, without `.mrc`, one for each state.
        options: How volumes are finished and checked.
        on_event: Hears progress, files, and which volumes are extrapolated.

    Returns:
        `volumes.csv` with name, file, latent_1 ..., num_near, density_percentile, support,
        resolution_halves (Å), agreement, and files of halves and uncertainty if wanted. What is
        not known is left empty.

    Raises:
        MetadataError: If latents or names do not fit the run, or an option asks for what it cannot
            give.
        InputFileError: If the mask cannot be read or a file not be written.
        CheckpointError: If the model is damaged.
    """
    states = checked_states(run, latent, names)
    model = run.volume_model(options.device)
    finish = volume_finish(options, box_size=model.box_size, pixel_size=model.pixel_size)
    table = run.latents() if run.latent_dim else None
    support = None if table is None else support_of(states, table)
    images = None if table is None else nearest_images(run, table, options, on_event)
    if options.needs_halves and not model.has_halves and images is None:
        remedy = "drop --no-check-images" if run.latent_dim else "train with --halves"
        raise MetadataError(
            f"{run.folder}: half maps and uncertainty need a model with a decoder for each half "
            f"set, or maps of the images nearest to a latent; {remedy} or leave them out"
        )
    finest = resolution_of_all(run.folder)
    lines = []
    for place, (full, halves) in enumerate(_decoded(model, states, finish, options)):
        check = _checked(full, halves, images, states[place], run, finish)
        # no state is known better than the map that all images make together
        check = replace(check, resolution=max(check.resolution, finest))
        lines.append(_written(folder, names[place], full, check, finish))
        on_event(Progress("volumes", place + 1, len(states), "volume"))
    path = folder / TABLE_NAME
    _write_table(path, names, states, support, lines)
    on_event(Saved(path, "table"))
    if support is not None:
        _warn(names, support, on_event)
    return path


def numbered(word: str, count: int, *, digits: int = 3) -> list[str]:
    """`word_001`, `word_002` ..., with so many digits, or more if the last one needs them."""
    digits = max(digits, len(str(count)))
    return [f"{word}_{number:0{digits}d}" for number in range(1, count + 1)]


def checked_states(run: HeteroRun, latent: Latents, names: Sequence[str]) -> Latents:
    """The latents, if they and the names fit the run.

    Raises:
        MetadataError: If not.
    """
    states = np.asarray(latent, np.float64)
    if states.ndim != 2 or states.shape[1] != run.latent_dim:
        raise MetadataError(
            f"{run.folder}: latents have shape {states.shape}, expected (state, {run.latent_dim}); "
            "give latents of this run"
        )
    if not len(states) or not np.isfinite(states).all():
        found = "no latents" if not len(states) else "latents that are not finite"
        raise MetadataError(f"{run.folder}: got {found}, expected numbers for one volume or more")
    if len(names) != len(states) or len(set(names)) != len(names):
        raise MetadataError(
            f"{run.folder}: {len(set(names))} different names for {len(states)} volumes; name each"
        )
    return states


def _decoded(
    model: VolumeModel, states: Latents, finish: VolumeFinish, options: VolumeOptions
) -> Iterator[tuple[Float[Tensor, "n n n"], Halves | None]]:
    """Volume after volume, with those of both half decoders where there are some."""
    latent = torch.from_numpy(states).float().to(options.device)
    with torch.inference_mode():
        made = [
            model.volumes(latent, half=half, box_size=finish.box_size)
            for half in ((0, 1, 2) if model.has_halves else (0,))
        ]
        for parts in zip(*made, strict=True):
            volumes = [part.float().cpu() for part in parts]
            yield volumes[0], (volumes[1], volumes[2]) if len(volumes) > 1 else None


def _checked(
    full: Float[Tensor, "n n n"],
    halves: Halves | None,
    images: NearestImages | None,
    state: npt.NDArray[np.float64],
    run: HeteroRun,
    finish: VolumeFinish,
) -> VolumeCheck:
    if not bool(torch.isfinite(full).all()):
        raise MetadataError(
            f"{run.folder}: the model makes a volume that is not finite; train again with a lower "
            "learning rate"
        )
    maps = None if images is None else images(state)
    width = run.box_size * run.pixel_size
    step = 1.0 if maps is None else width / maps.full.shape[-1]
    return check_volume(full, halves, maps, maps_pixel_size=step, finish=finish)


def _written(
    folder: Path,
    name: str,
    full: Float[Tensor, "n n n"],
    check: VolumeCheck,
    finish: VolumeFinish,
) -> _Line:
    files = {}
    for kind, volume in finish.maps(full, check.halves).items():
        files[kind] = f"{name}.mrc" if kind == "full" else f"{name}_{kind}.mrc"
        write_volume(folder / files[kind], volume)
    return _Line(files, check)


def _write_table(
    path: Path,
    names: Sequence[str],
    states: Latents,
    support: Support | None,
    lines: Sequence[_Line],
) -> None:
    kinds = [kind for kind in lines[0].files if kind != "full"]
    header = [
        "name",
        "file",
        *(f"latent_{number}" for number in range(1, states.shape[1] + 1)),
        *("num_near", "density_percentile", "support", "resolution_halves", "agreement"),
        *kinds,
    ]
    rows = []
    for place, (name, line) in enumerate(zip(names, lines, strict=True)):
        backing: list[object] = ["", "", ""]
        if support is not None:
            backing = [
                int(support.num_near[place]),
                float(support.density_percentile[place]),
                support.flag[place],
            ]
        found = [number_or_empty(line.check.resolution), number_or_empty(line.check.agreement)]
        files = [line.files[kind] for kind in kinds]
        latent = [f"{value:.7g}" for value in states[place]]
        rows.append([name, line.files["full"], *latent, *backing, *found, *files])
    write_csv(path, header, rows)


def _warn(names: Sequence[str], support: Support, on_event: OnEvent) -> None:
    """Say which volumes no particle stands behind."""
    far = [name for name, flag in zip(names, support.flag, strict=True) if flag == EXTRAPOLATED]
    if not far:
        return
    listed = ", ".join(far[:8]) + (f" and {len(far) - 8} more" if len(far) > 8 else "")
    on_event(
        Message(
            f"{len(far)} of {len(names)} volumes are extrapolated, no particle lies near them: "
            f"{listed}; the model made them up",
            "warning",
        )
    )
