"""The page of a training: errors on held-out particles, how honest the probabilities are."""

import numpy as np

from icelens.core.plots.histograms import stacked_histograms
from icelens.core.plots.scatter import scatter
from icelens.core.plots.views import view_distribution
from icelens.jobs.run import Run
from icelens.tasks.pose.held_out import HeldOut, in_words


def report_half(held_out: HeldOut, name: str, run: Run) -> None:
    """Show how the network of one half set does on particles it never saw."""
    run.report.section(name.capitalize())
    run.report.text(f"Held out: {in_words(held_out.summary())}.")
    run.report.figure(
        stacked_histograms(
            {"held-out particles": held_out.error}, label="error in degrees", limits=(0.0, 60.0)
        ),
        name="errors",
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
        name="confidence",
        caption="Sure answers should be right ones: few points in the upper right.",
    )
    run.report.figure(
        view_distribution(held_out.truth, title="true views"),
        name="true_views",
        caption="Directions that held-out particles are seen from.",
    )
    run.report.figure(
        view_distribution(held_out.rotation, title="views found"),
        name="found_views",
        caption="Directions that the network finds; it should be the same picture.",
    )
