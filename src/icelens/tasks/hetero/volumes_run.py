"""`icelens hetero volumes`: which latents, their volumes, and the page that shows them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas

from icelens.core.errors import MetadataError
from icelens.core.events import Message
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.latents.principal_components import principal_components
from icelens.core.plots.landscape import states_among_particles
from icelens.jobs.run import Run
from icelens.tasks.hetero.hetero_run import HeteroRun, open_hetero_run
from icelens.tasks.hetero.latent_files import latents_of_rows, read_states, rows_in
from icelens.tasks.hetero.volume_options import VolumeOptions
from icelens.tasks.hetero.volume_pictures import show_volumes
from icelens.tasks.hetero.volumes import numbered, write_volumes
from icelens.tasks.hetero.volumes_jobs import VolumesConfig
from icelens.training.device import choose_compute, use_threads

Latents = npt.NDArray[np.float64]


def make_volumes(config: VolumesConfig, run: Run) -> Path:
    """Write volumes, table and report; return the table."""
    hetero = open_hetero_run(config.run)
    latent, names = wanted_states(config, hetero)
    if config.latent is not None:
        refuse_overwriting(config.output / "volumes.csv", [config.latent])
    compute = choose_compute(config.device, "float32", config.threads)
    use_threads(compute)
    options = VolumeOptions(
        box_size=config.box_size,
        low_pass=config.low_pass,
        is_normalised=config.normalise,
        mask=config.mask,
        is_inverted=config.invert,
        is_hand_flipped=config.flip_hand,
        crop_box=config.crop,
        with_halves=config.half_maps,
        with_uncertainty=config.uncertainty,
        is_checked=config.check_images,
        num_particles=config.num_particles,
        device=str(compute.device),
    )
    path = write_volumes(
        hetero, latent, config.output, names, options=options, on_event=run.on_event
    )
    show_volumes(run, path, title="Volumes")
    if hetero.latent_dim:
        _show_places(run, hetero, path)
    run.on_event(Message(f"{len(names)} volumes are in {config.output}"))
    return path


def wanted_states(config: VolumesConfig, run: HeteroRun) -> tuple[Latents, list[str]]:
    """Latents of the settings, and what their volumes are called.

    Raises:
        MetadataError: If neither or both of --latent and --rows are given, or do not fit the run.
        InputFileError: If the file does not fit the run.
    """
    if run.latent_dim == 0:
        if config.latent is not None or config.rows is not None:
            raise MetadataError(
                f"{config.run}: has one structure and no latents; leave out --latent and --rows"
            )
        return np.zeros((1, 0)), ["volume"]
    if (config.latent is None) == (config.rows is None):
        found = "neither" if config.latent is None else "both"
        raise MetadataError(f"{config.run}: {found} of --latent and --rows given, expected one")
    if config.latent is not None:
        latent = read_states(config.latent, run.latent_dim)
        return latent, numbered("volume", len(latent))
    rows = rows_in(config.rows or "")
    latent = latents_of_rows(run.latents(config.epoch), rows, config.run)
    return latent, [f"row_{row:06d}" for row in rows]


def _show_places(run: Run, hetero: HeteroRun, path: Path) -> None:
    """Where the volumes of a `volumes.csv` lie among the particles."""
    frame = pandas.read_csv(path, keep_default_na=False)
    table = hetero.latents()
    axes = principal_components(table.latent, 2)
    names = [f"latent_{number}" for number in range(1, hetero.latent_dim + 1)]
    states = frame[names].to_numpy(np.float64)
    run.report.figure(
        states_among_particles(
            axes.coordinates(table.latent),
            axes.coordinates(states),
            [str(name) for name in frame["name"]],
            [str(flag) for flag in frame["support"]],
        ),
        name="volumes_support",
        caption="Where the volumes lie among the particles, along the latents' principal "
        "components; colours say how many particles stand behind each.",
    )
