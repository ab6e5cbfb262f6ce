from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_world import BOX, PIXEL, World, make_world

from icelens.core.data.volume import Volume
from icelens.core.io.image_stacks import ImageReader
from icelens.core.io.volumes import write_volume
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.given_poses import Agreement, agreement_with


def _source(world: World, folder: Path, factor: float) -> ImageSource:
    stack = folder / "images.mrcs"
    write_volume(stack, Volume((factor * world.images).numpy(), PIXEL))
    particles = replace(world.particles, stacks=(stack,))
    return ImageSource(particles, ImageReader(particles), torch.device("cpu"))


def _agreement(folder: Path, factor: float, rows: int = 30) -> Agreement | None:
    world = make_world(30, 0.5)
    return agreement_with(world.volume, _source(world, folder, factor), np.arange(rows))


def test_images_that_show_the_map_raise_no_complaint(tmp_path: Path) -> None:
    agreement = _agreement(tmp_path, 1.0)
    assert agreement is not None
    assert agreement.mean > 0.1
    assert agreement.complaint() is None


def test_inverted_contrast_is_named(tmp_path: Path) -> None:
    agreement = _agreement(tmp_path, -1.0)
    assert agreement is not None
    assert "inverted" in (agreement.complaint() or "")


def test_poses_of_another_particle_are_named(tmp_path: Path) -> None:
    world = make_world(30, 0.5)
    source = _source(world, tmp_path, 1.0)
    noise = torch.randn(BOX, BOX, BOX, generator=torch.Generator().manual_seed(3))
    agreement = agreement_with(noise, source, np.arange(30))
    assert agreement is not None
    assert "of one refinement" in (agreement.complaint() or "")


def test_of_a_few_images_nothing_is_said(tmp_path: Path) -> None:
    assert _agreement(tmp_path, 1.0, rows=5) is None
