"""Flipped phases: right image by image, undone by a second flip, and known to the CTF."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.fourier.transforms import image_from_rfft, image_rfft
from icelens.core.optics.particle_ctf import particle_ctf
from icelens.core.optics.phase_flip import flip_phases

BOX = 32


def particles_of(count: int, **columns: object) -> Particles:
    rng = np.random.default_rng(0)
    return Particles(
        (Path("none.mrcs"),),
        np.zeros(count, np.int64),
        np.arange(count),
        (OpticsGroup("one", 3.0, BOX),),
        defocus_u=rng.uniform(8e3, 25e3, count),
        defocus_v=rng.uniform(8e3, 25e3, count),
        astigmatism_angle=rng.uniform(0, 180, count),
        **columns,
    )


@pytest.mark.parametrize("box_size", [32, 31])
def test_flipping_twice_changes_no_image(box_size):
    particles = particles_of(5)
    images = torch.randn(5, box_size, box_size)
    once = image_from_rfft(flip_phases(image_rfft(images), particles, range(5)), box_size)
    twice = image_from_rfft(flip_phases(image_rfft(once), particles, range(5)), box_size)
    assert torch.allclose(twice, images, atol=1e-5)
    assert not torch.allclose(once, images, atol=0.1)
    # signs keep the power of each image
    assert torch.allclose(once.square().sum((1, 2)), images.square().sum((1, 2)), rtol=1e-4)


def test_each_image_is_flipped_by_its_own_transfer():
    particles = particles_of(3)
    images = torch.randn(3, BOX, BOX)
    together = flip_phases(image_rfft(images), particles, range(3))
    for row in range(3):
        alone = flip_phases(image_rfft(images[[row]]), particles, [row])
        assert torch.allclose(alone[0], together[row], atol=1e-5)


def test_flipped_images_have_a_positive_transfer():
    particles = particles_of(4)
    flipped = replace(particles, optics=(replace(particles.optics[0], is_phase_flipped=True),))
    plain = particle_ctf(particles, range(4), box_size=BOX, pixel_size=3.0)
    found = particle_ctf(flipped, range(4), box_size=BOX, pixel_size=3.0)
    assert torch.equal(found, plain.abs())
    spectrum = flip_phases(plain + 0j, particles, range(4))
    # the Nyquist column holds two frequencies of different transfer
    assert torch.allclose(spectrum.real[..., :-1], found[..., :-1])


def test_contrast_is_no_phase():
    particles = particles_of(2)
    dark = replace(particles, ctf_scale=-np.ones(2))
    images = image_rfft(torch.randn(2, BOX, BOX))
    assert torch.equal(flip_phases(images, particles, [0, 1]), flip_phases(images, dark, [0, 1]))
