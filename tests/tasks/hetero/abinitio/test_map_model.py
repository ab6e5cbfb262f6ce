"""The model of a run that found one structure."""

from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.data.volume import Volume
from icelens.core.errors import CheckpointError, GeometryError
from icelens.core.io.volumes import write_volume
from icelens.tasks.hetero.abinitio.map_model import MAP_NAMES, MapModel, read_abinitio_model
from icelens.tasks.hetero.abinitio.search_images import SearchImages
from icelens.tasks.hetero.hetero_run import RunFacts

FACTS = RunFacts("abinitio", 0, 8, 4.0, ("particles.star",))


def maps() -> torch.Tensor:
    return torch.randn(3, 8, 8, 8, generator=torch.Generator().manual_seed(1))


def test_maps_are_read_and_given_for_every_line(tmp_path: Path) -> None:
    for name, density in zip(MAP_NAMES, maps(), strict=True):
        write_volume(tmp_path / f"{name}.mrc", Volume(density.numpy(), 4.0))
    model = read_abinitio_model(tmp_path, FACTS)
    assert (model.latent_dim, model.box_size, model.pixel_size) == (0, 8, 4.0)
    found = list(model.volumes(torch.zeros(2, 0), half=2))
    assert len(found) == 2
    assert torch.equal(found[0], maps()[2])
    (coarse,) = model.volumes(torch.zeros(1, 0), box_size=6)
    assert coarse.shape == (6, 6, 6)
    assert float(coarse.mean()) == pytest.approx(float(maps()[0].mean()), abs=1e-5)


def test_missing_and_wrong_maps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="run `icelens hetero abinitio` again"):
        read_abinitio_model(tmp_path, FACTS)
    for name in MAP_NAMES:
        write_volume(tmp_path / f"{name}.mrc", Volume(np.ones((6, 6, 6), np.float32), 4.0))
    with pytest.raises(CheckpointError, match="expected cubes of 8"):
        read_abinitio_model(tmp_path, FACTS)


def test_latents_with_coordinates_and_finer_boxes_are_refused() -> None:
    model = MapModel(maps(), 4.0)
    with pytest.raises(GeometryError, match="without coordinates"):
        next(model.volumes(torch.zeros(1, 2)))
    with pytest.raises(GeometryError, match="choose a smaller box"):
        next(model.volumes(torch.zeros(1, 0), box_size=12))


def test_each_particle_has_a_line_without_coordinates(search_images: SearchImages) -> None:
    table = MapModel(maps(), 4.0).encode(search_images.prepared)
    assert len(table) == 60
    assert table.latent_dim == 0
