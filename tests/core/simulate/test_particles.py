"""Images of particles are what the optics say they are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError
from icelens.core.fourier.slices import project_volume
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.optics.ctf import ctf
from icelens.core.simulate.particles import (
    particle_radius_px,
    signal_variance,
    simulate_images,
    simulator_for,
)
from icelens.core.simulate.poses import random_poses

BOX, PIXEL = 32, 4.0
OPTICS = OpticsGroup("one", PIXEL, BOX)


def blobs() -> torch.Tensor:
    axis = torch.arange(BOX) - BOX // 2
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    places = [(0, 0, 0, 1.0), (5, 1, -2, 0.7), (-3, 4, 2, 0.5), (1, -5, 4, 0.6)]
    return sum(
        h * torch.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / 5.0) for a, b, c, h in places
    )


def some(count: int, optics: OpticsGroup = OPTICS, **columns: object) -> Particles:
    rng = np.random.default_rng(0)
    return Particles(
        stacks=(Path("a.mrcs"),),
        stack=np.zeros(count, int),
        slice_index=np.arange(count),
        optics=(optics,),
        optics_index=np.zeros(count, int),
        **({"rotation": random_poses(count, rng)} | columns),
    )


def clean(particles: Particles) -> torch.Tensor:
    return simulate_images(blobs(), particles, snr=None, generator=torch.Generator())


def test_without_phase_contrast_an_image_is_a_projection():
    # amplitude contrast alone, no defocus, no Cs: the CTF is 1
    particles = some(3, replace(OPTICS, amplitude_contrast=1.0, spherical_aberration=0.0))
    expected = project_volume(blobs(), torch.from_numpy(particles.rotation).float())
    assert torch.allclose(clean(particles), expected, atol=1e-4)


def test_ctf_is_applied_in_the_sign_of_the_house():
    particles = some(1, defocus_u=np.array([15000.0]))
    projection = project_volume(blobs(), torch.from_numpy(particles.rotation).float())
    y, x = torch.fft.fftfreq(BOX, PIXEL)[:, None], torch.fft.rfftfreq(BOX, PIXEL)
    transfer = ctf((y**2 + x**2).sqrt(), 15000.0)
    expected = image_from_rfft(image_rfft(projection) * transfer, BOX)
    assert torch.allclose(clean(particles), expected, atol=1e-4)


def test_shift_of_the_pose_centres_the_image():
    shift_yx = np.array([[8.0, -12.0]])
    still, moved = clean(some(1))[0], clean(some(1, shift_yx=shift_yx))[0]
    centred = torch.roll(moved, (2, -3), dims=(0, 1))
    assert torch.allclose(centred, still, atol=1e-4)


@pytest.mark.parametrize("noise", ["white", "coloured"])
def test_signal_to_noise_is_as_asked_within_the_disc(noise):
    particles = some(300, defocus_u=np.linspace(5e3, 25e3, 300), shift_yx=np.full((300, 2), 5.0))
    simulator = simulator_for(blobs(), particles, snr=0.5, noise=noise)
    images = simulator.images(particles, torch.Generator().manual_seed(1))
    noise_variance = float((images - clean(particles)).var())
    radius = particle_radius_px(blobs())
    assert 7 <= radius <= 11
    signal = signal_variance(simulator, particles, radius_px=radius)
    assert signal / noise_variance == pytest.approx(0.5, rel=0.02)


def test_batches_do_not_change_images_and_seeds_repeat_them():
    particles = some(300)
    simulator = simulator_for(blobs(), particles, snr=1.0)
    first = simulator.images(particles, torch.Generator().manual_seed(1))
    assert torch.equal(first, simulator.images(particles, torch.Generator().manual_seed(1)))
    assert not torch.equal(first, simulator.images(particles, torch.Generator().manual_seed(2)))
    assert torch.allclose(clean(particles)[250:], clean(particles.take(np.arange(250, 300))))


def test_beam_tilt_gives_phases_and_keeps_amplitudes():
    plain = clean(some(2))
    tilted = clean(some(2, replace(OPTICS, beam_tilt_xy=(3.0, -2.0))))
    assert not torch.allclose(plain, tilted, atol=1e-3)
    inner = (slice(None), slice(0, BOX // 2), slice(0, BOX // 2))
    difference = image_rfft(plain)[inner].abs() - image_rfft(tilted)[inner].abs()
    assert float(difference.abs().max()) < 1e-3


def test_anisotropic_magnification_stretches_the_particle():
    particles = some(
        1,
        replace(
            OPTICS,
            amplitude_contrast=1.0,
            spherical_aberration=0.0,
            magnification=(1.25, 0.0, 0.0, 1.0),
        ),
        rotation=np.eye(3)[None],
    )
    image = clean(particles)[0]
    plain = project_volume(blobs(), torch.eye(3)[None])[0]
    place = torch.arange(BOX) - BOX // 2

    def spread(values, dim):
        line = values.clamp(min=0).sum(dim=1 - dim)
        mean = (line * place).sum() / line.sum()
        return float((((place - mean) ** 2 * line).sum() / line.sum()) ** 0.5)

    # frequencies 1.25 times as large on the image stand for an image 1.25 times as wide
    assert spread(image, 1) / spread(plain, 1) == pytest.approx(1.25, rel=0.02)
    assert spread(image, 0) / spread(plain, 0) == pytest.approx(1.0, rel=0.02)


def test_premultiplied_images_are_multiplied_with_their_noise():
    optics = replace(OPTICS, is_premultiplied=True)
    defocus = {"defocus_u": np.array([12000.0, 18000.0])}
    plain = simulate_images(
        blobs(), some(2, **defocus), snr=1.0, generator=torch.Generator().manual_seed(3)
    )
    twice = simulate_images(
        blobs(), some(2, optics, **defocus), snr=1.0, generator=torch.Generator().manual_seed(3)
    )
    y, x = torch.fft.fftfreq(BOX, PIXEL)[:, None], torch.fft.rfftfreq(BOX, PIXEL)
    transfer = torch.stack([ctf((y**2 + x**2).sqrt(), value) for value in (12000.0, 18000.0)])
    assert torch.allclose(twice, image_from_rfft(image_rfft(plain) * transfer, BOX), atol=1e-3)


def test_particles_on_another_grid_are_refused():
    with pytest.raises(GeometryError, match="2 rows have box size 40, the map 32"):
        clean(some(2, replace(OPTICS, box_size=40)))
