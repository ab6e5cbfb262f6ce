"""A run of the linear model: images, fit, latents, files, report."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.core.events import Message, Saved
from icelens.core.io.latent_table import write_latents
from icelens.jobs.run import Run
from icelens.tasks.hetero.hetero_run import LATENTS_NAME, open_hetero_run, write_run_facts
from icelens.tasks.hetero.learning_images import LearningImages, learning_images, write_map
from icelens.tasks.hetero.linear.fit import Fit, LinearFit
from icelens.tasks.hetero.linear.fitted_model import model_of_fit
from icelens.tasks.hetero.linear.held_out import LEAST_SCORE
from icelens.tasks.hetero.linear.linear_model import MODEL_NAME, LinearModel
from icelens.tasks.hetero.linear.linear_report import report_linear
from icelens.tasks.hetero.linear.particle_batches import ParticleBatches
from icelens.tasks.hetero.linear_settings import LinearConfig
from icelens.training.device import choose_compute, use_threads

_PARTICLES_OF_COMPONENT = 8
"""Fewer in a half set determine nothing."""


def fit_linear(config: LinearConfig, run: Run) -> Path:
    """Fit, write mean, components, latents and the model, and return the run's folder.

    Raises:
        IcelensError: If files cannot be read or hold too few particles.
    """
    compute = choose_compute(config.device, "float32", config.threads)
    use_threads(compute)
    learning = learning_images(config, run, kind="linear", latent_dim=1, device=compute.device)
    fit = fit_of(
        learning,
        config.components,
        contrast_std=config.contrast_spread,
        seed=config.seed,
        run=run,
    )
    model = model_of_fit(fit, learning.images, tilts=config.tilts)
    if not torch.isfinite(model.mean).all() or not torch.isfinite(model.components).all():
        raise MetadataError(
            f"{learning.file.path}: the fit came to numbers that are not finite; check the images "
            "(`icelens tools inspect`)"
        )
    table = _latents(fit, model, learning)
    _tell(model, run)
    _write(model, table, learning, run)
    report_linear(model, table, learning, run)
    return run.folder


def fit_of(
    learning: LearningImages, components: int, *, contrast_std: float, seed: int, run: Run
) -> Fit:
    """Fit as many of the components as the half sets can determine.

    Args:
        learning: The images.
        components: To try.
        contrast_std: How much contrast varies at first; 0 takes all to be alike.
        seed: Of the first components.
        run: Hears progress and warnings.
    """
    possible = _possible(components, learning, run)
    batches = ParticleBatches(learning.images, learning.rows)
    fit = LinearFit(batches, contrast_std=contrast_std, seed=seed, on_event=run.on_event)
    return fit.run(possible)


def _possible(asked: int, learning: LearningImages, run: Run) -> int:
    """As many components as the smaller half set can determine."""
    smaller = min(int((learning.rows.half_set == half).sum()) for half in (1, 2))
    if not smaller:
        raise MetadataError(
            f"{learning.file.path}: one half set is empty (rlnRandomSubset), expected particles in "
            "both; deal the particles anew"
        )
    possible = max(1, min(asked, smaller // _PARTICLES_OF_COMPONENT))
    if possible < asked:
        run.on_event(
            Message(
                f"{smaller} particles in a half set cannot determine {asked} components: "
                f"{possible} are tried",
                "warning",
            )
        )
    return possible


def _latents(fit: Fit, model: LinearModel, learning: LearningImages) -> LatentTable:
    rows = learning.rows
    latent, covariance = model.scaled(fit.coefficients, np.arange(len(rows)))
    return LatentTable(
        latent=latent.cpu().numpy(),
        particle=rows.particle,
        row=rows.first,
        deviation=covariance.diagonal(dim1=1, dim2=2).sqrt().cpu().numpy(),
        half_set=rows.half_set,
    )


def _tell(model: LinearModel, run: Run) -> None:
    """Say how many components are more than noise."""
    tried = len(model.tried)
    scores = [each.score for each in model.tried]
    if not model.num_significant:
        run.on_event(
            Message(
                f"these images tell of one structure only: none of {tried} components makes images "
                f"that it was not made of likelier (best: {scores[0]:.1f} standard errors, "
                f"{LEAST_SCORE:g} are needed). There is one, or these are too few images to show "
                "more; the first component is written, but do not believe it",
                "warning",
            )
        )
        return
    run.on_event(
        Message(
            f"{model.num_significant} of {tried} components are more than noise: they make images "
            "that they were not made of likelier, by "
            + ", ".join(f"{each:.1f}" for each in scores[: model.num_significant])
            + " standard errors"
        )
    )
    if model.num_significant == tried:
        run.on_event(
            Message("all components that were tried are kept: there may be more; see --components")
        )


def _write(model: LinearModel, table: LatentTable, learning: LearningImages, run: Run) -> None:
    """Write maps, model and latents; what the run is, last."""
    folder, size = run.folder, model.pixel_size
    # what `learning_images` wrote as the mean is that of plain back-projection
    write_map(folder / "back_projection.mrc", learning.halves.full, size, run)
    write_map(folder / "mean.mrc", model.mean, size, run)
    for half in (1, 2):
        write_map(folder / f"mean_half_{half}.mrc", model.channels(half)[0], size, run)
    for stale in folder.glob("component_*.mrc"):
        stale.unlink()  # of an earlier run that kept more
    for number, component in enumerate(model.components, start=1):
        write_map(folder / f"component_{number:02d}.mrc", component, size, run)
    model.save(folder)
    run.on_event(Saved(folder / MODEL_NAME, "model"))
    write_latents(folder / LATENTS_NAME, table)
    run.on_event(Saved(folder / LATENTS_NAME, "latents"))
    write_run_facts(folder, replace(open_hetero_run(folder).facts, latent_dim=model.latent_dim))
