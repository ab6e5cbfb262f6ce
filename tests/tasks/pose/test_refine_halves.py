from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pose_world import BOX, PIXEL, make_world, written

from icelens.core.fourier.slices import project_volume
from icelens.core.io.image_stacks import ImageReader
from icelens.core.metrics.fsc import fourier_shell_correlation
from icelens.core.optics.image_source import ImageSource
from icelens.tasks.pose.refine_halves import half_sets, reconstructed_halves, references_from
from icelens.tasks.pose.refine_settings import RefineConfig

CONFIG = RefineConfig(particles=(Path("a.star"),), map=Path("a.mrc"), halves=True)


def test_images_of_one_particle_are_dealt_to_one_half() -> None:
    particles = make_world(30, None).particles
    tied = replace(particles, half_set=np.zeros(30, np.int64), particle=np.arange(30) // 3)
    sets = half_sets(CONFIG, tied, lambda event: None)
    assert len(sets[1]) == len(sets[2]) == 15
    assert not set(tied.particle[sets[1]]) & set(tied.particle[sets[2]])
    again = half_sets(CONFIG, tied, lambda event: None)
    assert np.array_equal(sets[1], again[1])


def test_known_half_sets_are_kept() -> None:
    particles = make_world(10, None).particles
    sets = half_sets(CONFIG, particles, lambda event: None)
    assert sets[1].tolist() == [0, 2, 4, 6, 8]
    whole = half_sets(CONFIG.model_copy(update={"halves": False}), particles, lambda event: None)
    assert whole[0].tolist() == list(range(10))


def test_half_maps_of_true_poses_are_the_truth(tmp_path: Path) -> None:
    world = make_world(120, None)
    images = project_volume(world.volume, world.rotation)
    still = world.particles.with_poses(world.particles.rotation, np.zeros((120, 2)))
    # no CTF: an underfocus of nothing, all contrast from the amplitude
    optics = (replace(still.optics[0], amplitude_contrast=1.0, spherical_aberration=0.0),)
    plain = replace(still, optics=optics, defocus_u=np.zeros(120), defocus_v=np.zeros(120))
    world = replace(world, particles=plain, images=images)
    particles = written(world, tmp_path)
    source = ImageSource(particles, ImageReader(particles), torch.device("cpu"))
    sets = half_sets(CONFIG, particles, lambda event: None)
    maps, pixel_size = reconstructed_halves(CONFIG, source, sets, lambda event: None)
    assert pixel_size == PIXEL
    fsc = fourier_shell_correlation(maps.half_1, world.volume, pixel_size=PIXEL)
    assert float(fsc.correlation[1:9].min()) > 0.95
    references = references_from(maps, pixel_size)
    assert references[1].is_made_here
    assert references[1].resolution == pytest.approx(maps.resolution)
    assert references[2].density.shape == (BOX, BOX, BOX)
