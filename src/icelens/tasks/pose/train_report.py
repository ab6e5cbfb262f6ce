"""The page of a training: errors on held-out particles, how honest the probabilities are."""

from pathlib import Path

import numpy as np

from icelens.core.plots.curves import Points, loss_curve
from icelens.core.plots.histograms import stacked_histograms
from icelens.core.plots.scatter import scatter
from icelens.core.plots.views import view_distribution
from icelens.jobs.journal import read_metrics
from icelens.jobs.run import Run
from icelens.tasks.pose.held_out import HeldOut, in_words

_CURVES = {
    "loss": (
        {"loss": "loss"},
        "loss",
        "Loss at each step, faint, and its running median. Below zero is as good as it looks.",
    ),
    "errors_over_steps": (
        {"val_geo_degs": "mean", "val_median_geo_degs": "median"},
        "error in degrees",
        "Error on held-out particles as training went on; faint as measured, strong its running "
        "median.",
    ),
}


def report_half(held_out: HeldOut, folder: Path, name: str, run: Run) -> None:
    """Show how the network of one half set does on particles it never saw.

    Args:
        held_out: Its answers for them.
        folder: Where it was trained, with its metrics.
        name: Of the half set.
        run: Of the whole job.
    """
    run.report.section(name.capitalize())
    run.report.text(f"Held out: {in_words(held_out.summary())}.")
    rows = read_metrics(folder)
    for figure_name, (columns, ylabel, caption) in _CURVES.items():
        curves: dict[str, Points] = {}
        for column, label in columns.items():
            points = [(row["step"], row[column]) for row in rows if row.get(column) is not None]
            if len(points) > 1:
                steps, values = zip(*points, strict=True)
                curves[label] = (steps, values)
        if curves:
            figure = loss_curve(curves, ylabel=ylabel)
            run.report.figure(figure, name=f"{folder.name}_{figure_name}", caption=caption)
    run.report.figure(
        stacked_histograms(
            {"held-out particles": held_out.error}, label="error in degrees", limits=(0.0, 60.0)
        ),
        name=f"{folder.name}_errors",
        caption="Angle between the best pose and the true one; larger ones are in the last bin.",
    )
    run.report.figure(
        scatter(
            held_out.probability,
            np.maximum(held_out.error, 0.1),
            xlabel="probability of the best pose",
            ylabel="error in degrees",
            is_log=True,
        ),
        name=f"{folder.name}_confidence",
        caption="Sure answers should be right ones: few points in the upper right.",
    )
    run.report.figure(
        view_distribution(held_out.truth, title="true views"),
        name=f"{folder.name}_true_views",
        caption="Directions that held-out particles are seen from: rlnAngleRot runs to the right, "
        "rlnAngleTilt from 0 at the top to 180 degrees at the bottom.",
    )
    run.report.figure(
        view_distribution(held_out.rotation, title="views found"),
        name=f"{folder.name}_found_views",
        caption="Directions that the network finds; it should be the same picture.",
    )
