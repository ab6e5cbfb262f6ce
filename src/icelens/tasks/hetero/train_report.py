"""The page of a training: curves, latents, and volumes along them."""

from icelens.core.data.latents import LatentTable
from icelens.core.plots.curves import loss_curve
from icelens.core.plots.scatter import scatter
from icelens.jobs.journal import read_metrics
from icelens.jobs.run import Run
from icelens.tasks.hetero.learning_images import LearningImages
from icelens.tasks.hetero.network_model import NetworkModel

_CURVES = {
    "error": ("error", "Mean square error of a sample in units of noise: 1 leaves noise alone."),
    "divergence": ("divergence in nats", "What the images say about a latent, on average."),
}


def report_training(
    model: NetworkModel, table: LatentTable, learning: LearningImages, run: Run
) -> None:
    """Show how a training went and what it found."""
    del model, learning
    rows = read_metrics(run.folder)
    run.report.section("Training")
    for name, (label, caption) in _CURVES.items():
        points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        if len(points) > 1:
            steps, values = zip(*points, strict=True)
            figure = loss_curve({name: (steps, values)}, ylabel=label)
            run.report.figure(figure, name=name, caption=caption)
    if table.latent_dim >= 2:
        figure = scatter(
            table.latent[:, 0], table.latent[:, 1], xlabel="latent 1", ylabel="latent 2"
        )
        run.report.figure(figure, name="latents", caption="The first two latents.")
