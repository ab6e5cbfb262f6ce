"""What the latents of a run show, worked out once: the report and all tables draw on it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from icelens.core.data.latents import LatentTable
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.latents.clusters import Clusters, k_means
from icelens.core.latents.density import is_lonely, neighbour_density
from icelens.core.latents.embedding import (
    HOW_TO_INSTALL,
    MOST_EMBEDDED,
    has_umap,
    umap_embedding,
)
from icelens.core.latents.mixtures import Mixture, gaussian_mixture
from icelens.core.latents.outliers import outlier_sigma
from icelens.core.latents.principal_components import PrincipalComponents, principal_components
from icelens.core.latents.scaling import latent_scaling
from icelens.core.latents.support import SupportMeasure, support_measure
from icelens.tasks.hetero.analyze_settings import AnalyzeConfig

Floats = npt.NDArray[np.float64]
_STEPS = 7
_LEAST_TOLD = 0.1
"""Variance of the latents along a component over that of their posteriors, below which images say
next to nothing about it."""
_LEAST_NAMED = 0.005
"""Share of the variance that is 1 % when it is rounded."""


@dataclass(frozen=True, eq=False)
class Findings:
    """Of the latents of a run; arrays have a row for each particle of `table`.

    Attributes:
        table: The latents.
        components: All principal components.
        is_told: `(component,)` whether images tell particles apart along it; along the others
            latents differ by next to nothing, and what they differ by is no finding.
        coordinates: `(particle, component)`.
        clusters: Of k-means.
        mixture: Of Gaussians.
        density: Relative to the median.
        is_lonely: Which have their neighbours much farther than usual; clusters are placed
            without them.
        sigma: How far out each lies.
        is_outlier: Farther than the settings allow.
        embedding: `(particle, 2)` of UMAP; None without it.
        support: Measures what stands behind a latent.
    """

    table: LatentTable
    components: PrincipalComponents
    is_told: npt.NDArray[np.bool_]
    coordinates: Floats
    clusters: Clusters
    mixture: Mixture
    density: Floats
    is_lonely: npt.NDArray[np.bool_]
    sigma: Floats
    is_outlier: npt.NDArray[np.bool_]
    embedding: Floats | None
    support: SupportMeasure

    def axis_names(self) -> list[str]:
        """Names of the principal components with the share each explains."""
        shares = self.components.explained
        return [
            f"PC {number} ({share:.0%})" if share >= _LEAST_NAMED else f"PC {number} (<1%)"
            for number, share in enumerate(shares, start=1)
        ]

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """Columns for the table of all particles."""
        found: dict[str, npt.NDArray[np.generic]] = {
            f"pc_{number}": values for number, values in enumerate(self.coordinates.T, start=1)
        }
        found |= {
            "kmeans": self.clusters.label,
            "gmm": self.mixture.label,
            "gmm_probability": self.mixture.probability,
        }
        if self.embedding is not None:
            found |= {"umap_1": self.embedding[:, 0], "umap_2": self.embedding[:, 1]}
        return found | {
            "density": self.density,
            "sigma": self.sigma,
            "outlier": self.is_outlier.astype(np.int64),
        }


def find(table: LatentTable, config: AnalyzeConfig, on_event: OnEvent) -> Findings:
    """Work everything out; memory grows with the particles alone."""

    def step(number: int) -> None:
        on_event(Progress("latents", number, _STEPS))

    latent = table.latent
    if not np.ptp(latent, axis=0).any():
        on_event(Message(_all_alike(table), level="warning"))
    components = principal_components(latent)
    told = is_told(table, components)
    if not told.any():
        on_event(Message(_NOTHING_TOLD, level="warning"))
    # what the model does not use would count as much as what it does, by its shape alone
    informed = _along(components, latent, told) if told.any() else latent
    scaled = latent_scaling(latent, table.deviation, seed=config.seed)(latent)
    density = neighbour_density(scaled, seed=config.seed)
    lonely = is_lonely(density, latent.shape[1])
    step(1)
    clusters = k_means(latent, config.clusters, learnt_from=~lonely, seed=config.seed)
    if len(clusters) < config.clusters:
        on_event(
            Message(
                f"{len(clusters)} clusters instead of {config.clusters}: there are not more "
                "different latents",
                level="warning",
            )
        )
    step(2)
    mixture = gaussian_mixture(informed, most=config.mixtures, seed=config.seed)
    step(3)
    support = support_measure(table, seed=config.seed)
    step(4)
    sigma = outlier_sigma(informed)
    step(5)
    embedding = _embedding(latent, config, on_event)
    step(6)
    found = Findings(
        table=table,
        components=components,
        is_told=told,
        coordinates=components.coordinates(latent),
        clusters=clusters,
        mixture=mixture,
        density=density,
        sigma=sigma,
        is_lonely=lonely,
        is_outlier=sigma > config.outlier_sigma,
        embedding=embedding,
        support=support,
    )
    step(_STEPS)
    return found


def is_told(table: LatentTable, components: PrincipalComponents) -> npt.NDArray[np.bool_]:
    """Along which components `(component,)` the images tell particles apart; all if not known.

    Latents that a model does not use keep posteriors as wide as the prior, and means that hardly
    differ.
    """
    known = table.deviation[np.isfinite(table.deviation).all(axis=1)]
    if not len(known):
        return np.ones(len(components), np.bool_)
    posterior = (known**2).mean(axis=0) @ (components.axes**2).T
    return np.asarray(components.variance >= _LEAST_TOLD * posterior)


def _along(
    components: PrincipalComponents, latent: Floats, chosen: npt.NDArray[np.bool_]
) -> Floats:
    """Latents without what they differ by along the other components."""
    return components.latents(components.coordinates(latent) * chosen)


_NOTHING_TOLD = (
    "the images say next to nothing about any latent: no particles are told apart, and what "
    "pictures and volumes show of differences is noise"
)


def _all_alike(table: LatentTable) -> str:
    return (
        f"the latents of all {len(table)} particles are equal: the model tells no particles apart; "
        "train longer, or with a smaller weight of the prior (--latent-weight.weight)"
    )


def _embedding(latent: Floats, config: AnalyzeConfig, on_event: OnEvent) -> Floats | None:
    """UMAP, if it is wanted, can be and shows more than the latents themselves would."""
    if not config.umap or latent.shape[1] < 3:
        return None
    if not has_umap():
        on_event(
            Message(f"UMAP is left out, principal components are shown; for UMAP {HOW_TO_INSTALL}")
        )
        return None
    if len(latent) > MOST_EMBEDDED:
        on_event(Message(f"UMAP shows {MOST_EMBEDDED} of {len(latent)} particles, drawn at random"))
    return umap_embedding(latent, seed=config.seed, neighbours=config.umap_neighbours)
