"""Particles of several shapes: latents of a linear model, and poses against the state of each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.cluster import KMeans

from icelens.core.data.latents import LatentTable
from icelens.core.data.particles import Particles
from icelens.core.events import Message, OnEvent, Progress, Saved
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.latent_table import write_latents
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.abinitio.finished_run import FinishedRun
from icelens.tasks.hetero.abinitio.half_refinement import Reference, refine_round
from icelens.tasks.hetero.abinitio.search_images import places_of_rows
from icelens.tasks.hetero.abinitio.state_files import StateFiles
from icelens.tasks.hetero.abinitio_settings import AbinitioConfig
from icelens.tasks.hetero.hetero_run import LATENTS_NAME
from icelens.tasks.hetero.linear.fit import LinearFit
from icelens.tasks.hetero.linear.fitted_model import model_of_fit
from icelens.tasks.hetero.linear.linear_model import MODEL_NAME, LinearModel
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.particle_rows import particle_rows
from icelens.tasks.hetero.prepared_images import PreparedImages

Integers = npt.NDArray[np.int64]

_MOST_STATES, _LEAST_PARTICLES = 8, 150
"""Maps that poses are refined against, each of as many particles at least."""
_CONTRAST = 0.2
"""Deviation of the particles' contrast that the linear model begins with."""
_ROUND = 2
"""Poses are near the end already: they are looked for as closely as in the last rounds."""


@dataclass(frozen=True, eq=False)
class States:
    """What was found.

    Attributes:
        particles: With their final poses.
        halves: Maps of all images at these.
        model: Of the latents.
        latents: Of the particles.
        centres: `(state, latent_dim)` where the representative states lie.
    """

    particles: Particles
    halves: HalfMaps
    model: LinearModel
    latents: LatentTable
    centres: npt.NDArray[np.float64]


def find_states(
    run: FinishedRun,
    images: PreparedImages,
    halves: HalfMaps,
    files: StateFiles,
    on_event: OnEvent,
) -> States:
    """Fit latents and refine poses in turns, then write model and latents.

    Args:
        run: With the poses of one structure.
        images: As they were written with these.
        halves: Their maps.
        files: For the state between rounds.
        on_event: Hears progress.
    """
    config, device = run.config, images.device
    first = 0
    known = files.load("states")
    if known is not None:
        first = int(known[1]["rounds"])
        poses = known[0]["rotation"].numpy(), known[0]["shift"].numpy()
        run = run.with_particles(run.file.particles.with_poses(*poses))
        images, halves = run.write(device, on_event, latent_dim=None)
    for number in range(first, config.state_rounds):
        model, table = fit_latents(images, config, on_event)
        centres = representative_latents(table, config.seed)
        particles = refined_by_state(run, images, halves, (model, table, centres), on_event)
        run = run.with_particles(particles)
        found = {
            "rotation": torch.from_numpy(particles.rotation),
            "shift": torch.from_numpy(particles.shift_yx),
        }
        files.save("states", found, {"rounds": number + 1})
        images, halves = run.write(device, on_event, latent_dim=None)
    model, table = fit_latents(images, config, on_event)
    model.save(run.folder)
    on_event(Saved(run.folder / MODEL_NAME, "checkpoint"))
    write_latents(run.folder / LATENTS_NAME, table)
    on_event(Saved(run.folder / LATENTS_NAME, "table"))
    if model.num_significant < config.latent_dim:
        left = "they tell of one structure" if not model.num_significant else "the others are noise"
        on_event(
            Message(
                f"{model.num_significant} of {config.latent_dim} coordinates make images likelier "
                f"that they were not made of: {left}",
                "warning",
            )
        )
    run.write_facts(model.latent_dim)
    centres = representative_latents(table, config.seed)
    return States(run.file.particles, halves, model, table, centres)


def fit_latents(
    images: PreparedImages, config: AbinitioConfig, on_event: OnEvent
) -> tuple[LinearModel, LatentTable]:
    """A linear model of images at fixed poses, and where each particle lies in it."""
    rows = particle_rows(images.particles, tilts=config.tilts, seed=config.seed)
    fit = LinearFit(
        ParticleBatches(images, rows),
        contrast_std=_CONTRAST,
        seed=config.seed,
        on_event=on_event,
    ).run(config.latent_dim)
    model = model_of_fit(fit, images, tilts=config.tilts)
    return model, model.encode(images, on_event)


def representative_latents(table: LatentTable, seed: int) -> npt.NDArray[np.float64]:
    """Centres `(state, latent_dim)` of groups of particles that are alike, by k-means."""
    count = min(_MOST_STATES, max(1, len(table) // _LEAST_PARTICLES))
    found = KMeans(count, n_init=4, random_state=seed).fit(table.latent)
    centres: npt.NDArray[np.float64] = found.cluster_centers_
    return centres


def nearest_state(table: LatentTable, centres: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """`(particle,)` number of the nearest centre; latents have a variance of 1 along each axis."""
    square = ((table.latent[:, None] - centres[None]) ** 2).sum(-1)
    return np.asarray(square.argmin(axis=1), np.int64)


def refined_by_state(
    run: FinishedRun,
    images: PreparedImages,
    halves: HalfMaps,
    states: tuple[LinearModel, LatentTable, npt.NDArray[np.float64]],
    on_event: OnEvent,
) -> Particles:
    """Refine every particle against the state it is nearest to, of its own half set."""
    model, table, centres = states
    particles = run.file.particles
    groups = particle_rows(particles, tilts=run.config.tilts, seed=run.config.seed)
    state = nearest_state(table, centres)[places_of_rows(particles, groups)]
    sign = -1.0 if run.is_inverted else 1.0
    used = particles.weight > 0
    references, sets = {}, {}
    for half in (1, 2):
        maps = model.volumes(torch.from_numpy(centres).float(), half=half)
        for number, density in enumerate(maps):
            rows = np.flatnonzero((particles.half_set == half) & (state == number) & used)
            if len(rows):
                key = (half, number)
                references[key] = Reference(sign * density, model.pixel_size, halves.resolution)
                sets[key] = rows
    total = sum(map(len, sets.values()))
    source = ImageSource(particles, ImageReader(particles, on_event=on_event), images.device)
    return refine_round(
        references,
        source,
        sets,
        number=_ROUND,
        mask_diameter=images.facts.mask_diameter,
        max_resolution=run.config.max_resolution,
        on_done=lambda done: on_event(Progress("refine by state", done, total, "image")),
    )
