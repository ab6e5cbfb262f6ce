"""The page of a landscape: what moves, how often, which states there are, and how sure that is."""

import numpy as np

from icelens.core.events import Message
from icelens.core.latents.principal_components import principal_components
from icelens.core.plots.landscape import (
    class_counts,
    classes,
    energy_curve,
    landscape,
    scores,
    scree,
)
from icelens.core.plots.slices import orthogonal_slices
from icelens.core.volumes.group_maps import weighted_mean_and_deviation
from icelens.jobs.run import Run
from icelens.tasks.hetero.landscape import Landscape, relative_variation
from icelens.tasks.hetero.landscape_files import ENDS, state_counts

_MOST_SHOWN = 8


def report_landscape(found: Landscape, run: Run) -> None:
    """Add all sections."""
    _components(found, run)
    _energy(found, run)
    _states(found, run)
    _communities(found, run)
    share = 100 * float(found.pca.explained[0])
    run.on_event(
        Message(
            f"{len(found.sketch)} volumes of {len(found.table)} particles: component 1 explains "
            f"{share:.0f}% of their variance; {int(found.point_state.max())} states, "
            f"{int(found.community.max())} communities"
        )
    )


def _components(found: Landscape, run: Run) -> None:
    pca, report = found.pca, run.report
    report.section("What moves")
    report.text(
        f"{len(found.sketch)} volumes of {found.volumes.shape[1]} px of {found.pixel_size:.3g} Å "
        f"stand for {len(found.table)} particles. Principal components within the mask "
        f"({int((pca.mask > 0).sum())} voxels), each volume weighing its particles. "
        f"Volumes vary by {100 * relative_variation(pca):.2g}% of their density there."
    )
    report.figure(
        scree(pca.explained),
        name="explained",
        caption="Share of the variance of the volumes along each component.",
    )
    ends = np.percentile(found.coordinates[:, 0], ENDS)
    shown = {
        "mean": pca.volume([]),
        "PC 1, 5th percentile": pca.volume([ends[0]]),
        "PC 1, 95th percentile": pca.volume([ends[1]]),
        "component 1": pca.component(0),
        "mask": pca.mask,
    }
    report.figure(
        orthogonal_slices(shown, found.pixel_size),
        name="component_1",
        caption="Central slices: masked mean, both ends of component 1, component and mask. Each "
        "with its own contrast.",
    )
    if np.isfinite(found.score).all():
        report.figure(
            scores(found.score),
            name="mapping",
            caption=f"How well components are known from latents alone: share of the variance in "
            f"volumes that the function did not see ({int(found.is_decoded.sum())} were decoded).",
        )


def _energy(found: Landscape, run: Run) -> None:
    run.report.section("How often")
    run.report.text(
        "Free energy is minus the logarithm of the density of particles, in kT, with the error "
        "that drawing the particles anew gives. It is one of the molecule only if freezing, "
        "picking and selection took all states alike; the uncertainty of latents widens it."
    )
    if len(found.energy) > 1:
        both = found.energy[1]
        run.report.figure(
            landscape(
                both.edges,
                both.count,
                both.energy_kT,
                both.error_kT,
                labels=("volume component 1", "volume component 2"),
            ),
            name="landscape",
            caption="Particles over the first two volume components: counts, free energy, error.",
        )
    one = found.energy[0]
    run.report.figure(
        energy_curve(
            one.edges[0], one.energy_kT, one.error_kT, one.count, label="volume component 1"
        ),
        name="free_energy",
        caption="Free energy along the first volume component with standard errors, and counts.",
    )


def _states(found: Landscape, run: Run) -> None:
    report = run.report
    report.section("States")
    report.text(
        "Volumes joined by their distance within the mask; 1 holds most particles. A number of "
        "states was asked for: a continuum is cut into as many as that, wherever."
    )
    header, lines = state_counts(found)
    report.table(header, lines)
    counts = np.asarray([line[2] for line in lines], np.float64)
    report.figure(class_counts(counts), name="state_counts", caption="Particles in each state.")
    latents = principal_components(found.table.latent, 2)
    report.figure(
        classes(
            [
                ("in volume components", found.coordinates[:, :2]),
                ("in latent components", latents.coordinates(found.table.latent)),
            ],
            found.state,
        ),
        name="states",
        caption="Particles coloured by state, in volume components and in latent components.",
    )
    weight = found.sketch.count.astype(np.float64)
    shown = {}
    for number in range(1, min(_MOST_SHOWN, len(lines)) + 1):
        members = np.flatnonzero(found.point_state == number)
        shown[f"state {number}"] = weighted_mean_and_deviation(found.volumes, members, weight)[0]
    report.figure(
        orthogonal_slices(shown, found.pixel_size),
        name="state_maps",
        caption=f"Central slices of the mean map of {len(shown)} of {len(lines)} states.",
    )


def _communities(found: Landscape, run: Run) -> None:
    run.report.section("Communities")
    run.report.text(
        f"Groups of volumes with more links to their own nearest neighbours than chance makes: "
        f"modularity {found.modularity:.2f}. A modularity near 1 comes of a continuum too, which "
        "is cut into stretches; communities with empty space between them are states."
    )
    counts = np.bincount(found.community)[1:].astype(np.float64)
    run.report.figure(
        class_counts(counts, noun="community"),
        name="community_counts",
        caption="Particles in each community.",
    )
    run.report.figure(
        classes(
            [("in volume components", found.coordinates[:, :2])],
            found.community,
            noun="community",
        ),
        name="communities",
        caption="Particles coloured by community.",
    )
