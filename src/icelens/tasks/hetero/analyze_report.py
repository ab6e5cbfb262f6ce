"""The report of an analysis: pictures of latents, and warnings of what they may mirror."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.latents.free_energy import free_energy
from icelens.core.plots.bars import bars
from icelens.core.plots.free_energy import free_energy_curve, free_energy_map
from icelens.core.plots.histograms import stacked_histograms
from icelens.core.plots.latent import latent_density, latent_values
from icelens.core.plots.latent_pairs import pair_grid
from icelens.jobs.run import Run
from icelens.tasks.hetero.analyze_causes import show_causes, show_halves
from icelens.tasks.hetero.analyze_findings import Findings
from icelens.tasks.hetero.hetero_run import HeteroRun

Column = npt.NDArray[Any]
_MOST_PAIRS = 5


def show_findings(
    run: Run, source: HeteroRun, found: Findings, poses: Mapping[str, Column]
) -> None:
    """Add all sections on latents to the report."""
    run.report.section("Latents")
    run.report.text(
        f"{len(found.table)} particles of a {source.kind} run with {source.latent_dim} latent "
        f"dimensions. {int(found.is_outlier.sum())} lie far outside the others (column outlier); "
        f"{int(found.is_lonely.sum())} have so few others near them that clusters are placed "
        "without them, and pictures may leave them out."
    )
    _show_components(run, found)
    _show_clusters(run, found)
    _show_uncertainty(run, found)
    _show_energy(run, found)
    show_causes(run, found, poses)
    show_halves(run, found)


def _show_components(run: Run, found: Findings) -> None:
    names = found.axis_names()
    shares = found.components.explained
    centres = {
        str(number): found.coordinates[place, :2]
        for number, place in enumerate(found.clusters.particle, start=1)
    }
    run.report.figure(
        latent_density(found.coordinates[:, :2], names, marks=centres),
        name="latent_components",
        caption="Particles along the first principal components; numbers are the clusters of "
        "k-means, at the particle nearest to the middle of each.",
    )
    if len(shares) > 1:
        _show_shares(run, found)
    count = min(_MOST_PAIRS, int(found.is_told.sum()))
    if count > 2:
        run.report.figure(
            pair_grid(found.coordinates[:, :count], names[:count]),
            name="latent_pairs",
            caption=f"The first {count} principal components against each other.",
        )
    if found.embedding is not None:
        kept = np.isfinite(found.embedding[:, 0])
        marks = {
            str(number): found.embedding[place]
            for number, place in enumerate(found.clusters.particle, start=1)
            if kept[place]
        }
        run.report.figure(
            latent_density(found.embedding[kept], ("UMAP 1", "UMAP 2"), marks=marks),
            name="umap",
            caption="UMAP of the latents with the clusters of k-means. Neighbours are kept; sizes "
            "of groups and distances between them mean little.",
        )


def _show_shares(run: Run, found: Findings) -> None:
    shares = found.components.explained
    run.report.figure(
        bars(
            {"each": shares},
            [str(number) for number in range(1, len(shares) + 1)],
            xlabel="principal component",
            ylabel="share of variance",
            cumulative=True,
        ),
        name="explained_variance",
        caption="Share of the latents' variance along each principal component, and their sum.",
    )
    run.report.text(
        f"Of {len(shares)} components the images tell particles apart along "
        f"{int(found.is_told.sum())}; groups and outliers are looked for there. Where one of the "
        "others is an axis of a picture, what it shows along it is magnified noise."
    )


def _show_clusters(run: Run, found: Findings) -> None:
    run.report.section("Groups")
    mixture = found.mixture
    run.report.text(
        f"The Bayesian information criterion asks for {len(mixture)} Gaussians of 1 to "
        f"{max(mixture.bic)} tried. Clusters of k-means cut also what is continuous; they are "
        "places to look at, not states."
    )
    run.report.table(
        ["Gaussian", "share", "particles", "mean probability"],
        [
            [
                number,
                float(mixture.weight[number - 1]),
                int((mixture.label == number).sum()),
                float(mixture.probability[mixture.label == number].mean())
                if (mixture.label == number).any()
                else 0.0,
            ]
            for number in range(1, len(mixture) + 1)
        ],
    )
    if found.coordinates.shape[1] < 2:
        return
    labels = {"k-means": found.clusters.label, "Gaussian": mixture.label}
    for name, label in labels.items():
        run.report.figure(
            latent_values(
                found.coordinates[:, :2],
                label.astype(np.float64),
                found.axis_names(),
                label=f"{name} (drawn)",
                is_class=True,
            ),
            name=f"latent_{name.lower().replace('-', '')}",
            caption=f"Particles in the colour of their {name} group.",
        )


def _show_uncertainty(run: Run, found: Findings) -> None:
    deviation = found.table.deviation
    known = np.isfinite(deviation).all(axis=1)
    if not known.any():
        run.report.text("The model does not say how surely it knows a particle's latent.")
        return
    spread = np.maximum(found.table.latent.std(axis=0), 1e-12)
    relative = deviation[known] / spread
    shown = min(8, deviation.shape[1])
    run.report.section("Uncertainty")
    run.report.figure(
        stacked_histograms(
            {f"latent {number + 1}": relative[:, number] for number in range(shown)},
            label="posterior deviation / spread of the particles",
            limits=(0.0, 3.0),
            marks={f"latent {number + 1}": (1.0,) for number in range(shown)},
        ),
        name="uncertainty",
        caption="How surely each latent is known. Where the deviation is as large as the spread "
        "(line), single images hardly tell particles apart in that dimension.",
    )
    unused = [str(n + 1) for n in range(deviation.shape[1]) if np.median(relative[:, n]) > 1]
    if unused:
        run.report.text(
            f"Hardly used or hardly known: latent {', '.join(unused)}. Their deviations are larger "
            "than the differences between particles."
        )


def _show_energy(run: Run, found: Findings) -> None:
    """Free energies over the first components; a few particles show nothing but chance."""
    if len(found.table) < 100 or found.components.variance[0] <= 0:
        return
    axes = found.components.axes
    deviation = np.sqrt(found.table.deviation**2 @ (axes**2).T)
    names = found.axis_names()
    run.report.section("Free energy")
    run.report.text(
        "Populations read as energies, -ln p in kT. This takes latents for a coordinate of the "
        "molecule, which they are only up to how the model stretches them, and the particles in "
        "the set for an unbiased sample. Error bars are of counting alone (bootstrap). Posterior "
        "means lie closer together than the truth and estimates without a prior farther apart; "
        "where the curve of spread particles differs, the surface is not resolved."
    )
    line = free_energy(found.coordinates[:, :1], deviation=deviation[:, :1])
    run.report.figure(
        free_energy_curve(line, names[0]),
        name="free_energy_1",
        caption="Free energy along the first principal component with one standard deviation.",
    )
    if len(names) > 1 and found.is_told[1] and found.components.variance[1] > 0:
        plane = free_energy(found.coordinates[:, :2], bins=30, deviation=deviation[:, :2])
        run.report.figure(
            free_energy_map(plane, names),
            name="free_energy_2",
            caption="Free energy along the first two principal components, and its error.",
        )
