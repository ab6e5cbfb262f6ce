"""The landscape of a run: what volumes say of its states, instead of what latents look like.

Latents are sketched, the sketch is decoded, and the volumes give mask, components, states and
communities; a function learnt from them takes the latents of all particles to the components.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent, Progress
from icelens.core.latents.communities import leiden_communities, modularity, neighbour_links
from icelens.core.latents.free_energy import FreeEnergy, free_energy
from icelens.core.latents.hierarchy import agglomerative_labels, numbered_by_size
from icelens.core.latents.regression import fit_latent_regression
from icelens.core.latents.sketch import Sketch, sketch_latents
from icelens.core.volumes.union_mask import union_mask
from icelens.core.volumes.volume_pca import VolumePCA, fit_volume_pca, volume_products
from icelens.jobs.run import Run
from icelens.tasks.hetero.decoded_volumes import decoded_volumes, results_of_volumes
from icelens.tasks.hetero.hetero_run import VolumeModel, open_hetero_run
from icelens.tasks.hetero.landscape_jobs import LandscapeConfig
from icelens.tasks.hetero.volume_finish import mask_on_grid
from icelens.training.device import choose_compute, use_threads

DECODED = "decoded"
_HARDLY = 0.01
"""Relative variation of volumes below which there is hardly any."""
Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """Where volumes are decoded: side in px, sampling in Å/px, and the device."""

    box_size: int
    pixel_size: float
    device: torch.device


@dataclass(frozen=True, eq=False)
class Landscape:
    """What was found.

    Attributes:
        table: Latents of all particles.
        sketch: Particles that stand for all.
        volumes: `(point, z, y, x)` of the sketch, mapped from a file.
        pixel_size: Of the volumes, in Å/px.
        pca: Their components.
        point_state: `(point,)` state of each volume, from 1, the most populated first.
        coordinates: `(particle, component)` of all particles.
        is_decoded: `(particle,)` whether these are of the particle's own volume.
        score: `(component,)` held-out share of variance that latents explain; nan if every
            particle's volume was decoded.
        community: `(particle,)` from 1, the most populated first.
        modularity: Of the communities.
        energy: Free energy over component 1, and over 1 and 2 if there are two.
    """

    table: LatentTable
    sketch: Sketch
    volumes: Values
    pixel_size: float
    pca: VolumePCA
    point_state: Integers
    coordinates: Floats
    is_decoded: npt.NDArray[np.bool_]
    score: Floats
    community: Integers
    modularity: float
    energy: tuple[FreeEnergy, ...]

    @property
    def state(self) -> Integers:
        """`(particle,)` state of each particle, from 1: that of the volume it is nearest to."""
        return self.point_state[self.sketch.nearest]


def make_landscape(config: LandscapeConfig, run: Run) -> Path:
    """Find the landscape of a run, write it and its report; return the folder."""
    from icelens.tasks.hetero.landscape_files import write_landscape
    from icelens.tasks.hetero.landscape_report import report_landscape

    found = find_landscape(config, run.folder, run.on_event)
    write_landscape(found, config, run.folder, run.on_event)
    report_landscape(found, run)
    return run.folder


def find_landscape(config: LandscapeConfig, folder: Path, on_event: OnEvent) -> Landscape:
    """Decode and analyse.

    Raises:
        MetadataError: If the run has no latents, or all are alike.
        GeometryError: If volumes are all alike, or the mask keeps nothing.
        InputFileError: If the mask cannot be read.
    """
    hetero = open_hetero_run(config.run)
    if hetero.latent_dim == 0:
        raise MetadataError(f"{config.run}: has one structure and no latents, hence no landscape")
    table = hetero.latents(config.epoch)
    compute = choose_compute(config.device, "float32", config.threads)
    use_threads(compute)
    model = hetero.volume_model(compute.device)
    grid = grid_of(config, model, compute.device)
    sketch = sketch_latents(table.latent, config.volumes, seed=config.seed)
    if len(sketch) < 2:
        raise MetadataError(
            f"{config.run}: all {len(table)} latents are the same; train longer or with less "
            "weight on the prior"
        )
    volumes = decoded_volumes(
        model,
        table.latent[sketch.place],
        folder / DECODED,
        box_size=grid.box_size,
        device=grid.device,
        on_event=on_event,
    )
    mask = _mask(config, volumes, grid)
    products = volume_products(volumes, mask)
    pca = fit_volume_pca(volumes, products, num_components=config.components, weight=sketch.count)
    _warn_of_sameness(pca, on_event)
    joined = agglomerative_labels(products.distances(), config.clusters, method=config.linkage)
    state = numbered_by_size(joined, sketch.count)
    coordinates, is_decoded, score = map_particles(
        config, model, table, sketch, volumes, pca, grid, folder, on_event
    )
    community, quality = find_communities(config, coordinates, is_decoded)
    energy = tuple(
        free_energy(coordinates[:, :count], bins=config.bins, seed=config.seed)
        for count in (1, 2)[: coordinates.shape[1]]
    )
    return Landscape(
        table, sketch, volumes, grid.pixel_size, pca, state, coordinates, is_decoded, score,
        community, quality, energy,
    )  # fmt: skip


def grid_of(config: LandscapeConfig, model: VolumeModel, device: torch.device) -> Grid:
    """The grid of the settings, no finer than the model's.

    Raises:
        MetadataError: If its side is odd.
    """
    box_size = min(config.box_size, model.box_size)
    if box_size % 2:
        raise MetadataError(f"--box-size {box_size}: expected an even number of pixels")
    return Grid(box_size, model.pixel_size * model.box_size / box_size, device)


def map_particles(
    config: LandscapeConfig,
    model: VolumeModel,
    table: LatentTable,
    sketch: Sketch,
    volumes: Values,
    pca: VolumePCA,
    grid: Grid,
    folder: Path,
    on_event: OnEvent,
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Components of all particles, which of them are of own volumes, and the held-out score."""
    known = np.full((len(table), len(pca.variance)), np.nan)
    for place, volume in zip(sketch.place, volumes, strict=True):
        known[place] = pca.coordinates(volume[None])[0]
    others = np.setdiff1d(np.arange(len(table)), sketch.place)
    drawn = np.random.default_rng(config.seed).permutation(others)[: config.mapped]
    if len(drawn):

        def coordinates(volume: Float[Tensor, "n n n"]) -> Values:
            return np.asarray(pca.coordinates(volume.cpu().numpy()[None])[0], np.float32)

        known[drawn] = results_of_volumes(
            model,
            table.latent[drawn],
            coordinates,
            folder / DECODED / "mapped",
            length=known.shape[1],
            box_size=grid.box_size,
            device=grid.device,
            on_event=on_event,
        )
    is_decoded = np.isfinite(known).all(axis=1)
    if is_decoded.all():
        return known, is_decoded, np.full(known.shape[1], np.nan)
    on_event(Progress("regression", 0, 1))
    learnt = fit_latent_regression(table.latent[is_decoded], known[is_decoded], seed=config.seed)
    known[~is_decoded] = learnt(table.latent[~is_decoded])
    on_event(Progress("regression", 1, 1))
    _warn_of_score(learnt.score, pca, on_event)
    return known, is_decoded, learnt.score


def find_communities(
    config: LandscapeConfig, coordinates: Floats, is_decoded: npt.NDArray[np.bool_]
) -> tuple[Integers, float]:
    """Communities of all particles and their modularity.

    They are found among the particles whose own volumes were decoded; the others belong with the
    nearest of these.
    """
    points = coordinates[is_decoded]
    links = neighbour_links(points, config.neighbours)
    label = leiden_communities(links, resolution=config.resolution, seed=config.seed)
    quality = modularity(links, label, resolution=config.resolution)
    _, nearest = cKDTree(points).query(coordinates)
    of_all = label[np.asarray(nearest, np.int64)]
    of_all[is_decoded] = label
    return numbered_by_size(of_all, np.ones(len(of_all))), quality


def _mask(config: LandscapeConfig, volumes: Values, grid: Grid) -> Values:
    if config.mask is not None:
        return mask_on_grid(config.mask, box_size=grid.box_size, pixel_size=grid.pixel_size).numpy()
    return union_mask(
        volumes,
        pixel_size=grid.pixel_size,
        level=config.mask_level,
        dilation=config.mask_dilation,
        edge=config.mask_edge,
    )


def relative_variation(pca: VolumePCA) -> float:
    """How much volumes differ: root of their variance over that of the mean's power."""
    power = float(pca.mean.astype(np.float64) @ pca.mean)
    return float(np.sqrt(pca.total_variance / power)) if power > 0 else float("inf")


def _warn_of_sameness(pca: VolumePCA, on_event: OnEvent) -> None:
    """Say if the states that follow are differences that nobody would see."""
    if relative_variation(pca) < _HARDLY:
        on_event(
            Message(
                f"volumes differ by {100 * relative_variation(pca):.2g}% of their density within "
                "the mask: the model found hardly any variety, and what follows may be of noise",
                "warning",
            )
        )


def _warn_of_score(score: Floats, pca: VolumePCA, on_event: OnEvent) -> None:
    """Say if the leading components do not follow from latents smoothly."""
    told = pca.explained > 0.05
    poor = [str(n + 1) for n in np.flatnonzero(told & (score < 0.8))]
    if poor:
        on_event(
            Message(
                f"volume components {', '.join(poor)} follow from latents only in part (held-out "
                "R2 below 0.8): coordinates.csv is rough there; map more particles (--mapped)",
                "warning",
            )
        )
