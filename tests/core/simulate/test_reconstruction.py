import math

import torch

from icelens.core.simulate.projection import project
from icelens.core.simulate.reconstruction import ramp_filtered, weighted_back_projection

ANGLES = [float(angle) for angle in range(-60, 61, 3)]
SHAPE = (40, 4, 64)


def ball() -> torch.Tensor:
    z, _, x = torch.meshgrid(*(torch.arange(n) - n // 2 for n in SHAPE), indexing="ij")
    return torch.exp(-((z - 5) ** 2 + (x + 8) ** 2) / (2 * 2.5**2))


def reconstructed() -> torch.Tensor:
    edges = torch.zeros(0)
    images = [project(ball(), angle, width=SHAPE[2], slab_edges=edges)[0] for angle in ANGLES]
    return weighted_back_projection(torch.stack(images), ANGLES, num_z=SHAPE[0])


def test_a_ball_comes_back_where_it_was() -> None:
    tomogram = reconstructed()
    z, x = divmod(int(tomogram[:, 2].argmax()), SHAPE[2])
    assert (z - SHAPE[0] // 2, x - SHAPE[2] // 2) == (5, -8)


def test_energy_stays_inside_the_measured_wedge() -> None:
    tomogram = reconstructed()[:, 2]
    # padded so that the leak of the volume's borders does not count
    window = torch.hann_window(SHAPE[0])[:, None] * torch.hann_window(SHAPE[2])
    power = torch.fft.fft2(tomogram * window, s=(128, 128)).abs() ** 2
    frequency = torch.fft.fftfreq(128)
    kz, kx = frequency[:, None].abs(), frequency[None, :].abs()
    is_measured = kz <= math.tan(math.radians(60)) * kx + 1 / SHAPE[0]
    assert float(power[is_measured].sum() / power.sum()) > 0.97


def test_ramp_leaves_nothing_of_a_constant_but_a_trace() -> None:
    flat = ramp_filtered(torch.ones(3, 64))
    assert float(flat.abs().max()) < 0.005


def test_ramp_weighs_a_wave_by_its_frequency() -> None:
    x = torch.arange(256)
    wave = torch.cos(2 * math.pi * (x + 0.5) * 32 / 256)[None]
    # mirrored at half a pixel the wave continues smoothly, hence it is a single frequency of 1/8
    assert torch.allclose(ramp_filtered(wave), wave / 8, atol=1e-4)
