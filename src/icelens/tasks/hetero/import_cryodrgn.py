"""Take over a run of cryoDRGN: read everything first, then write a run of hetero."""

from pathlib import Path

import numpy as np

from icelens.core.data.latents import LatentTable
from icelens.core.events import Message, Saved
from icelens.core.io.latent_table import write_latents
from icelens.core.io.overwriting import refuse_overwriting
from icelens.core.io.particle_files import write_particles
from icelens.jobs.run import Run
from icelens.tasks.hetero.cryodrgn_network import imported_network
from icelens.tasks.hetero.cryodrgn_run import ReadRun, latents_of, read_particles_alone, read_run
from icelens.tasks.hetero.cryodrgn_weights import DecoderWeights
from icelens.tasks.hetero.cryodrgn_workdir import epochs_of, files_of_epoch
from icelens.tasks.hetero.hetero_run import LATENTS_NAME, RunFacts, write_run_facts
from icelens.tasks.hetero.import_cryodrgn_jobs import ImportCryodrgnConfig
from icelens.tasks.hetero.network_model import describe
from icelens.training.checkpoint import BEST_NAME, save_checkpoint

PARTICLES_NAME = "particles.star"


def import_files(config: ImportCryodrgnConfig, run: Run) -> Path:
    """Convert a folder of cryoDRGN, or particles alone; return the run's folder.

    Raises:
        IcelensError: As `import_workdir` and `import_particles`.
    """
    if config.workdir is None:
        return import_particles(config, run)
    return import_workdir(config, config.workdir, run)


def import_particles(config: ImportCryodrgnConfig, run: Run) -> Path:
    """Make a STAR file of images, poses and CTF.

    Raises:
        IcelensError: If a file is missing, damaged, unsafe or does not go with the others; nothing
            is written then.
    """
    file = read_particles_alone(config, run)
    refuse_overwriting(run.folder / PARTICLES_NAME, [*run.inputs, *file.particles.stacks])
    write_particles(run.folder / PARTICLES_NAME, file)
    run.on_event(Saved(run.folder / PARTICLES_NAME, "particle list"))
    run.on_event(Message(f"{len(file)} images with poses are taken over"))
    return run.folder


def import_workdir(config: ImportCryodrgnConfig, workdir: Path, run: Run) -> Path:
    """Convert a folder of cryoDRGN; return the run's folder.

    Raises:
        IcelensError: If a file is missing, damaged, unsafe or does not go with the others; nothing
            of the run is written then.
    """
    found = read_run(config, workdir, run)
    folder = run.folder
    outputs = [folder / name for name in (PARTICLES_NAME, LATENTS_NAME, BEST_NAME)]
    refuse_overwriting(outputs, [*run.inputs, *found.particles.particles.stacks])
    earlier = _earlier_latents(workdir, found) if config.every_epoch else {}
    write_particles(folder / PARTICLES_NAME, found.particles)
    run.on_event(Saved(folder / PARTICLES_NAME, "particle list"))
    for epoch, table in earlier.items():
        write_latents(folder / "latents" / f"epoch_{epoch:04d}.csv", table)
    if found.latents is not None:
        write_latents(folder / LATENTS_NAME, found.latents)
        run.on_event(Saved(folder / LATENTS_NAME, "latents"))
    if found.weights is not None:
        _write_network(folder, found, found.weights)
        run.on_event(Saved(folder / BEST_NAME, "checkpoint"))
    _say(found, run)
    return folder


def _earlier_latents(workdir: Path, found: ReadRun) -> dict[int, LatentTable]:
    """Latents of all epochs that were kept."""
    tables = {}
    for number in epochs_of(workdir, found.known):
        path = files_of_epoch(workdir, found.known, number).latents
        if path is not None:
            tables[number] = latents_of(path, found.known, found.particles.particles)
    return tables


def _write_network(folder: Path, found: ReadRun, weights: DecoderWeights) -> None:
    """Write the network and what the folder is, which makes it a run of hetero."""
    known = found.known
    network = imported_network(known, weights, found.latents, len(found.particles))
    description = describe(network.settings, found.pixel_size, tilts=0)
    description["imported_from"] = f"cryoDRGN {known.version}, {found.epoch.weights.name}"
    save_checkpoint(folder / BEST_NAME, network.state_dict(), description)
    write_run_facts(
        folder,
        RunFacts(
            kind="cryodrgn",
            latent_dim=known.latent_dim,
            box_size=known.box_size,
            pixel_size=found.pixel_size,
            particles=(PARTICLES_NAME,),
            is_posed=True,
        ),
    )


def _say(found: ReadRun, run: Run) -> None:
    known, particles = found.known, found.particles.particles
    epoch = "the last" if found.epoch.epoch is None else str(found.epoch.epoch)
    num_particles = len(np.unique(particles.particle))
    run.report.section("What was taken over")
    rows: list[tuple[str, object]] = [
        ("cryoDRGN", known.version),
        ("model", known.kind),
        ("epoch", epoch),
        ("images", len(particles)),
        ("particles", num_particles),
        ("latent dimensions", known.latent_dim),
        ("box size (px)", known.box_size),
        ("pixel size (Å)", found.pixel_size),
        ("encoding, domain", f"{known.encoding}, {known.domain}"),
        ("hidden layers", "-" if found.weights is None else found.weights.num_layers),
        ("width", "-" if found.weights is None else found.weights.width),
    ]
    run.report.table(["", ""], rows)
    run.on_event(
        Message(
            f"{num_particles} particles in {len(particles)} images with latents of "
            f"{known.latent_dim} dimensions are taken over from epoch {epoch}"
        )
    )
