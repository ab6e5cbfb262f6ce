from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from pose_world import BOX, PIXEL, make_world, written

from icelens.core.fourier.filters import apply_filter
from icelens.core.io.image_stacks import ImageReader
from icelens.core.optics.correction import radial
from icelens.core.optics.image_source import ImageSource
from icelens.core.refinement.calibration import ImageGrid, refiner_on, sample_of
from icelens.core.refinement.refiner_settings import RefinerSettings

SETTINGS = RefinerSettings(angular_range=4.0, angular_step=4.0, max_shift=12.0)
GRID = ImageGrid(BOX, PIXEL, (1.0, 0.0, 0.0, 1.0))


def test_sample_is_spread_over_the_rows() -> None:
    rows = np.arange(100, 1100)
    sample = sample_of(rows, 11)
    assert sample[0] == 100
    assert sample[-1] == 1099
    assert len(sample) == 11
    assert np.array_equal(sample_of(rows[:5], 11), rows[:5])


def test_noise_is_that_of_the_images_whatever_the_amplitudes(tmp_path: Path) -> None:
    """A map sharpened tenfold ends with the weights of the true one."""
    world = make_world(120, 1.0)
    particles = written(world, tmp_path)
    start = particles.with_poses(world.start(3.0).double().numpy(), particles.shift_yx)
    source = ImageSource(start, ImageReader(start), torch.device("cpu"))
    curve = torch.linspace(1.0, 10.0, BOX // 2 + 1)
    sharp = 50.0 * apply_filter(world.volume, radial(curve, (BOX, BOX, BOX)))
    refiners = refiner_on(sharp, GRID, source, {0: np.arange(120)}, SETTINGS, match_amplitudes=True)
    noise = refiners[0].noise_power
    assert torch.allclose(noise[2:13], world.noise_power[2:13], rtol=0.15)
    shell = refiners[0].samples.shell
    truth = refiner_on(
        world.volume, GRID, source, {0: np.arange(120)}, SETTINGS, match_amplitudes=False
    )
    slices, plain = (
        refiner.fine.interpolated(torch.eye(3)[None], refiner.samples.frequency_xy)[0]
        for refiner in (refiners[0], truth[0])
    )
    ratio = slices.abs() / plain.abs()
    low, high = (float(ratio[0, shell == at].median()) for at in (2, 10))
    # before, the ratio of these shells was almost 4
    assert 0.7 < high / low < 1.3


def test_small_optics_groups_share_their_noise(tmp_path: Path) -> None:
    world = make_world(120, 1.0)
    particles = replace(
        written(world, tmp_path),
        optics=world.particles.optics * 2,
        optics_index=(np.arange(120) >= 110).astype(np.int64),
    )
    source = ImageSource(particles, ImageReader(particles), torch.device("cpu"))
    groups = {0: np.arange(110), 1: np.arange(110, 120)}
    refiners = refiner_on(world.volume, GRID, source, groups, SETTINGS, match_amplitudes=False)
    assert torch.allclose(refiners[1].noise_power[2:13], world.noise_power[2:13], rtol=0.2)
    assert refiners[0].fine is refiners[1].fine
