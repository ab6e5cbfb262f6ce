"""The page of a linear model: how many components there are, what they move, what that is worth."""

import numpy as np
import torch

from icelens.core.data.latents import LatentTable
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.core.plots.curves import fsc_curves
from icelens.core.plots.scatter import scatter
from icelens.core.plots.slices import orthogonal_slices
from icelens.core.plots.spectrum import component_spectrum
from icelens.jobs.run import Run
from icelens.tasks.hetero.learning_images import LearningImages
from icelens.tasks.hetero.linear.held_out import LEAST_SCORE
from icelens.tasks.hetero.linear.linear_model import LinearModel

_DEVIATIONS = (-1.5, 0.0, 1.5)
_SHOWN = 3
"""Components that are drawn at several deviations."""


def report_linear(
    model: LinearModel, table: LatentTable, learning: LearningImages, run: Run
) -> None:
    """Show what a user should know before believing a component."""
    _components(model, run)
    _latents(model, table, run)
    _maps(model, learning, run)


def _components(model: LinearModel, run: Run) -> None:
    run.report.section("Components")
    tried = model.tried
    run.report.text(
        f"{model.num_significant} of {len(tried)} components are more than noise. Components are "
        "fitted to two half sets apart; one is signal if it makes the images of the half set that "
        f"it was not made of likelier, by {LEAST_SCORE:g} standard errors or more. Noise makes "
        "them less likely. Contrast and small errors of poses are allowed for."
    )
    if not model.num_significant:
        run.report.text(
            "These images tell of one structure only: there is one, or they are too few or too "
            "noisy to show more. Do not believe the component below, nor the latents; the mean is "
            "what there is to see."
        )
    run.report.figure(
        component_spectrum(
            [each.eigenvalue for each in tried],
            [each.score for each in tried],
            threshold=LEAST_SCORE,
            is_kept=np.arange(len(tried)) < model.num_significant,
        ),
        name="spectrum",
        caption="All components that were tried, in coarse detail: by how many standard errors "
        "each makes held-out images likelier (dashed: what is needed), and its eigenvalue (squared "
        "norm); grey ones are noise, dashed is their median.",
    )
    values = model.eigenvalues
    run.report.table(
        ("component", "eigenvalue", "share of the variance", "correlation of the halves"),
        [
            (k + 1, f"{value:.4g}", f"{value / values.sum():.1%}", f"{correlation:.2f}")
            for k, (value, correlation) in enumerate(zip(values, model.agreement, strict=True))
        ],
    )
    if model.contrast_std > 0:
        run.report.text(
            f"Particles differ in contrast by {model.contrast_std:.1%} (standard deviation); this "
            "is no component."
        )


def _latents(model: LinearModel, table: LatentTable, run: Run) -> None:
    run.report.section("Latents")
    deviation = np.sqrt(np.nanmean(table.deviation**2, axis=0))
    run.report.table(
        ("component", "standard deviation of the latents", "of their posteriors"),
        [
            (k + 1, f"{table.latent[:, k].std():.2f}", f"{deviation[k]:.2f}")
            for k in range(table.latent_dim)
        ],
    )
    if model.latent_dim > 1:
        figure = scatter(
            table.latent[:, 0], table.latent[:, 1], xlabel="latent 1", ylabel="latent 2"
        )
        caption = "The first two latents; distances in all of them are those of the maps."
    else:
        order = np.sort(table.latent[:, 0])
        share = (np.arange(len(order)) + 1) / len(order)
        figure = scatter(order, share, xlabel="latent 1", ylabel="share of particles below")
        caption = "The latent of all particles, sorted: steps are groups of particles."
    run.report.figure(figure, name="latents", caption=caption)


def _maps(model: LinearModel, learning: LearningImages, run: Run) -> None:
    run.report.section("Maps")
    mean, plain = model.mean.cpu(), learning.halves.full.float().cpu()
    halves = fourier_shell_correlation(
        model.channels(1)[0].cpu(), model.channels(2)[0].cpu(), pixel_size=model.pixel_size
    )
    resolution = resolution_at(halves, 0.143)
    run.report.text(
        f"The means of the half sets agree to {resolution:.3g} Å, plain back-projections to "
        f"{learning.halves.resolution:.3g} Å (FSC 0.143; the former lie in a sphere)."
    )
    run.report.figure(
        orthogonal_slices(
            {"mean": mean.numpy(), "back-projection": plain.numpy()}, model.pixel_size
        ),
        name="mean",
        caption="The mean of the linear model and plain back-projection of all images.",
    )
    curves = {
        "halves of the mean": halves.correlation.numpy(),
        "halves of back-projection": learning.halves.fsc.correlation.numpy(),
    }
    run.report.figure(
        fsc_curves(curves, halves.spatial_frequency.numpy(), thresholds={"0.143": 0.143}),
        name="fsc",
        caption="Fourier shell correlation of the half sets.",
    )
    for number in range(min(_SHOWN, model.latent_dim)):
        latent = torch.zeros(len(_DEVIATIONS), model.latent_dim)
        latent[:, number] = torch.tensor(_DEVIATIONS) * model.spread[number].cpu()
        shown = {
            f"{deviation:+.1f}": volume.cpu().numpy()
            for deviation, volume in zip(_DEVIATIONS, model.volumes(latent), strict=True)
        }
        shown["component"] = model.components[number].cpu().numpy()
        run.report.figure(
            orthogonal_slices(shown, model.pixel_size),
            name=f"component_{number + 1:02d}",
            caption=f"Maps along component {number + 1}, in standard deviations, and itself.",
        )
