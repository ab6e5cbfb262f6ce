"""A few images of a simulated particle, prepared as a search for poses sees them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pose_world import World, make_world, written

from icelens.core.events import ignore
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.hetero.abinitio.search_images import SearchImages, without_poses
from icelens.tasks.hetero.abinitio.unposed_images import coarse_grid, prepare_unposed
from icelens.tasks.hetero.particle_rows import particle_rows


@pytest.fixture(scope="session")
def search_world() -> World:
    return make_world(60, 1.0)


@pytest.fixture(scope="session")
def search_source(search_world: World, tmp_path_factory: pytest.TempPathFactory) -> ImageSource:
    particles = written(search_world, tmp_path_factory.mktemp("stack"))
    rows = particle_rows(particles, tilts=0, seed=0)
    plain = without_poses(particles, rows)
    return ImageSource(plain, ImageReader(plain), torch.device("cpu"))


@pytest.fixture(scope="session")
def search_images(
    search_source: ImageSource, tmp_path_factory: pytest.TempPathFactory
) -> SearchImages:
    folder: Path = tmp_path_factory.mktemp("search")
    prepared = prepare_unposed(
        search_source,
        coarse_grid(search_source.particles, 16.0),
        mask_diameter=None,
        contrast="auto",
        folder=folder,
        on_event=ignore,
    )
    assert np.isfinite(prepared.noise_power.numpy()).all()
    return SearchImages(prepared, particle_rows(search_source.particles, tilts=0, seed=0))
