"""The page of a training: curves, latents, volumes along them, and what the start knew already."""

import numpy as np
import torch

from icelens.core.data.latents import LatentTable
from icelens.core.latents.principal_components import principal_components
from icelens.core.plots.curves import loss_curve
from icelens.core.plots.latent import latent_density
from icelens.core.plots.slices import orthogonal_slices
from icelens.jobs.journal import read_metrics
from icelens.jobs.run import Run
from icelens.tasks.hetero.learning_images import LearningImages
from icelens.tasks.hetero.network_model import NetworkModel
from icelens.tasks.hetero.starting_point import StartingPoint

_CURVES = {
    "error": (
        "error",
        "Mean square error of a sample of an image in units of its noise, faint at each step, and "
        "its running median: 1 leaves noise alone.",
    ),
    "divergence": (
        "divergence in nats",
        "What the images of a particle say about its latent: 0 is nothing.",
    ),
}
_PERCENTILES = (5.0, 50.0, 95.0)


def report_training(
    model: NetworkModel,
    table: LatentTable,
    learning: LearningImages,
    start: StartingPoint,
    run: Run,
) -> None:
    """Show how a training went and what it found.

    Args:
        model: The trained network.
        table: Latents of its particles.
        learning: What it learnt from.
        start: What it started from.
        run: Of the job.
    """
    _training(run)
    if table.latent_dim:
        _latents(table, start, run)
    _volumes(model, table, learning, run)


def _training(run: Run) -> None:
    rows = read_metrics(run.folder)
    run.report.section("Training")
    for name, (label, caption) in _CURVES.items():
        points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        if len(points) > 1 and max(abs(value) for _, value in points) > 0:
            steps, values = zip(*points, strict=True)
            figure = loss_curve({name: (steps, values)}, ylabel=label)
            run.report.figure(figure, name=name, caption=caption)


def _latents(table: LatentTable, start: StartingPoint, run: Run) -> None:
    run.report.section("Latents")
    known = min(start.known.shape[1], table.latent_dim)
    if known:
        others = table.latent_dim - known
        run.report.text(
            f"{known} of {table.latent_dim} latents started from components of the linear model"
            + (
                f"; what the other {others} show was found by the network alone and deserves more "
                "doubt."
                if others
                else "."
            )
        )
    deviation = np.sqrt(np.mean(table.deviation**2, axis=0))
    run.report.table(
        ("latent", "standard deviation", "uncertainty of a particle"),
        [
            (
                k + 1,
                f"{table.latent[:, k].std():.3g}",
                "not known" if np.isnan(deviation[k]) else f"{deviation[k]:.3g}",
            )
            for k in range(table.latent_dim)
        ],
    )
    run.report.text(
        "A latent whose uncertainty is as large as its prior was not used by the images: it says "
        "nothing. `icelens hetero analyze` looks closer."
    )
    if table.latent_dim >= 2:
        found = principal_components(table.latent)
        scores = found.coordinates(table.latent)[:, :2]
        run.report.figure(
            latent_density(scores, names=("PC 1", "PC 2")),
            name="latents",
            caption="Particles along the two widest directions of the latents.",
        )


def _volumes(model: NetworkModel, table: LatentTable, learning: LearningImages, run: Run) -> None:
    """Maps where particles are: at particles along the widest direction, never between them."""
    run.report.section("Maps")
    shown = {"all images": learning.halves.full.float().cpu().numpy()}
    latent = torch.zeros(1, 0)
    names = ["model"]
    if table.latent_dim:
        found = principal_components(table.latent)
        score = found.coordinates(table.latent)[:, 0]
        places = [
            int(np.abs(score - np.percentile(score, percent)).argmin()) for percent in _PERCENTILES
        ]
        latent = torch.from_numpy(table.latent[places]).float()
        names = [
            f"row {table.row[place]} ({percent:.0f} %)"
            for place, percent in zip(places, _PERCENTILES, strict=True)
        ]
    for name, volume in zip(names, model.volumes(latent), strict=True):
        shown[name] = volume.numpy()
    run.report.figure(
        orthogonal_slices(shown, model.pixel_size),
        name="maps",
        caption="The map of all images, and those of particles at percentiles of the first "
        "principal component of the latents.",
    )
