"""No state is known better than the map of all images."""

import numpy as np
import torch

from icelens.core.data.volume import Volume
from icelens.core.io.volumes import write_volume
from icelens.core.metrics.fsc import fourier_shell_correlation, resolution_at
from icelens.tasks.hetero.volume_checks import THRESHOLD, check_volume, resolution_of_all
from icelens.tasks.hetero.volume_finish import volume_finish
from icelens.tasks.hetero.volume_options import VolumeOptions


def test_resolution_of_all_images_is_that_of_their_half_maps(tmp_path):
    drawn = np.random.default_rng(0)
    axis = np.arange(24) - 12.0
    square = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    ball = 5.0 * np.exp(-square / 18.0)
    halves = [(ball + drawn.normal(size=ball.shape)).astype(np.float32) for _ in range(2)]
    for number, half in enumerate(halves, start=1):
        write_volume(tmp_path / f"half_{number}.mrc", Volume(half, 3.0))
    first, second = (torch.from_numpy(half) for half in halves)
    curve = fourier_shell_correlation(first, second, pixel_size=3.0)
    found = resolution_of_all(tmp_path)
    assert found == resolution_at(curve, THRESHOLD)
    assert found > 6.0


def test_run_without_half_maps_bounds_nothing(tmp_path):
    assert resolution_of_all(tmp_path) == 0.0


def test_halves_that_agree_on_nothing_have_no_resolution():
    finish = volume_finish(VolumeOptions(), box_size=16, pixel_size=3.0)
    one = torch.randn(16, 16, 16, generator=torch.Generator().manual_seed(0))
    opposed = check_volume(one, (one, -one), None, maps_pixel_size=3.0, finish=finish)
    assert np.isnan(opposed.resolution)
    same = check_volume(one, (one, one), None, maps_pixel_size=3.0, finish=finish)
    assert 6.0 <= same.resolution < 7.0
