from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_world import BOX, PIXEL, make_world, written

from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.refiner_settings import RefinerSettings
from icelens.tasks.pose.refine_reference import Reference
from icelens.tasks.pose.refiners import refiners_for


def test_groups_share_the_reference_only_on_one_grid(tmp_path: Path) -> None:
    world = make_world(12, 1.0)
    group = world.particles.optics[0]
    particles = replace(
        written(world, tmp_path),
        optics=(group, group, replace(group, pixel_size=1.1 * PIXEL)),
        optics_index=np.arange(12) % 3,
    )
    source = ImageSource(particles, ImageReader(particles), torch.device("cpu"))
    settings = RefinerSettings(angular_range=4.0, angular_step=4.0, max_resolution=30.0)
    refiners = refiners_for(
        Reference(world.volume, PIXEL), source, np.arange(12), settings, match_amplitudes=False
    )
    assert sorted(refiners) == [0, 1, 2]
    assert refiners[0].fine is refiners[1].fine
    assert refiners[2].fine is not refiners[0].fine
    assert refiners[2].pixel_size == 1.1 * PIXEL
    assert refiners[2].samples.box_size == BOX
