"""The table and the page of an evaluation: scores image by image, and how they are distributed."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from icelens.core.io.csv_table import number_or_empty, write_csv
from icelens.core.latents.principal_components import principal_components
from icelens.core.plots.histograms import stacked_histograms
from icelens.core.plots.landscape import states_among_particles
from icelens.jobs.run import Run
from icelens.tasks.hetero.evaluate import Evaluation

_ENDS = (0.5, 99.5)
"""Percentiles between which histograms are drawn."""
Floats = npt.NDArray[np.float64]


def write_scores(found: Evaluation, path: Path) -> None:
    """One line for each image that was compared."""
    table, scores, support = found.table, found.scores, found.support
    numbers = range(1, table.latent_dim + 1)
    header = [
        *("row", "particle"),
        *(f"latent_{number}" for number in numbers),
        *(f"deviation_{number}" for number in numbers),
        *("loss", "log_likelihood", "explained", "z_score", "num_near", "support"),
    ]
    lines = []
    for row in np.flatnonzero(found.place_of_row >= 0):
        place = int(found.place_of_row[row])
        backing: list[object] = ["", ""]
        if support is not None:
            backing = [int(support.num_near[place]), support.flag[place]]
        figures = (scores.loss, scores.log_likelihood, scores.explained, found.z_score)
        lines.append(
            [
                int(row),
                int(table.particle[place]),
                *(f"{value:.7g}" for value in table.latent[place]),
                *(number_or_empty(value) for value in table.deviation[place]),
                *(number_or_empty(values[row]) for values in figures),
                *backing,
            ]
        )
    write_csv(path, header, lines)


def report_evaluation(found: Evaluation, run: Run) -> None:
    """Figures, histograms and latents."""
    report = run.report
    report.section("How well the model explains these particles")
    report.text(
        "Loss is the mean square of what is left of an image, in units of its noise: 1 is noise "
        "alone. Explained is the share of an image's power that the model takes away."
    )
    groups = {"these images": found.scores}
    if found.training is not None:
        groups["images of training"] = found.training
    report.table(
        ["", "images", "median loss", "median explained"],
        [
            [
                name,
                int(np.isfinite(each.loss).sum()),
                float(np.nanmedian(each.loss)),
                float(np.nanmedian(each.explained)),
            ]
            for name, each in groups.items()
        ],
    )
    if found.shift is not None:
        report.text(
            f"In {100 * found.shift.probability:.1f}% of pairs the loss of these images exceeds "
            "that of an image of training; 50% if both are alike (standard error "
            f"{100 * found.shift.error:.1f}%)."
        )
    _histogram(run, {name: each.loss for name, each in groups.items()}, "loss", "loss per sample")
    explained = {name: 100.0 * each.explained for name, each in groups.items()}
    _histogram(run, explained, "share", "explained share of power (%)")
    if np.isfinite(found.z_score).any():
        label = "loss, in robust standard deviations of training"
        _histogram(run, {"these images": found.z_score}, "z_score", label)
    _latents(found, run)


def _histogram(run: Run, groups: dict[str, Floats], name: str, label: str) -> None:
    finite = {key: values[np.isfinite(values)] for key, values in groups.items()}
    low, high = np.percentile(np.concatenate(list(finite.values())), _ENDS)
    limits = (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)
    run.report.figure(
        stacked_histograms(
            finite,
            label=label,
            limits=limits,
            marks={key: [float(np.median(values))] for key, values in finite.items()},
        ),
        name=name,
        caption=f"Histograms of {label}; broken lines are medians.",
    )


def _latents(found: Evaluation, run: Run) -> None:
    if found.support is None:
        return
    trained = found.run.latents().latent
    axes = principal_components(trained, 2)
    run.report.section("Latents")
    run.report.figure(
        states_among_particles(
            axes.coordinates(trained),
            axes.coordinates(found.table.latent),
            [str(row) for row in found.table.row],
            found.support.flag,
        ),
        name="latents",
        caption="These particles (colours say how many particles of training lie near) over those "
        "of training (grey), along the principal components of the latter.",
    )
