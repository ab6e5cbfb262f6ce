from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.data.optics_group import OpticsGroup
from icelens.core.data.particles import Particles
from icelens.core.errors import GeometryError
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.particle_sums import insert_images
from icelens.core.fourier.rescale import rescale
from icelens.core.fourier.wiener import reconstruct_map
from icelens.core.geometry.rotations import random_rotations
from icelens.core.simulate.particles import simulate_images

BOX, SIZE = 24, 4.0
GROUP = OpticsGroup("one", pixel_size=SIZE, box_size=BOX)


def blobs(box_size: int = BOX) -> torch.Tensor:
    """Points with a smooth edge, the same density in Å whatever the box."""
    generator = torch.Generator().manual_seed(3)
    axis = (torch.arange(box_size) - box_size // 2) * (BOX / box_size)
    grid_zyx = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
    volume = torch.zeros(box_size, box_size, box_size)
    for _ in range(10):
        centre = (torch.rand(3, generator=generator) - 0.5) * BOX / 2.5
        volume += torch.exp(-((grid_zyx - centre) ** 2).sum(-1) / (2 * 1.3**2))
    return volume


def particles_of(*groups: OpticsGroup, rows: int = 400) -> Particles:
    rng = np.random.default_rng(4)
    rotation = random_rotations(rows, torch.Generator().manual_seed(6), dtype=torch.float64)
    return Particles(
        stacks=(Path("images.mrcs"),),
        stack=np.zeros(rows, np.int64),
        slice_index=np.arange(rows),
        optics=groups,
        optics_index=np.arange(rows) % len(groups),
        rotation=rotation.numpy(),
        shift_yx=rng.uniform(-10, 10, (rows, 2)),
        defocus_u=rng.uniform(5e3, 2e4, rows),
        defocus_v=rng.uniform(5e3, 2e4, rows),
        astigmatism_angle=rng.uniform(0, 180, rows),
    )


def simulated(volume: torch.Tensor, particles: Particles) -> torch.Tensor:
    return simulate_images(volume, particles, snr=None, generator=torch.Generator())


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


def map_of(particles: Particles, images: torch.Tensor, **options: object) -> torch.Tensor:
    sums = SliceSums(BOX)
    rows = np.arange(len(particles))
    insert_images(sums, images, particles, rows, pixel_size=SIZE, **options)  # type: ignore[arg-type]
    return reconstruct_map(sums)


@pytest.mark.parametrize(
    "group",
    [
        GROUP,
        replace(GROUP, beam_tilt_xy=(90.0, -60.0), odd_zernike=(0.0, 0.0, 300.0)),
        replace(GROUP, magnification=(1.1, 0.02, -0.01, 0.9)),
        replace(GROUP, is_premultiplied=True),
    ],
    ids=["plain", "tilted", "magnified", "premultiplied"],
)
def test_simulated_images_give_their_map(group: OpticsGroup) -> None:
    volume, particles = blobs(), particles_of(group)
    images = simulated(volume, particles)
    assert correlation(map_of(particles, images), volume) > 0.99


@pytest.mark.parametrize(
    "wrong",
    [
        {"beam_tilt_xy": (90.0, -60.0)},
        {"magnification": (1.1, 0.0, 0.0, 0.9)},
        {"voltage": 100.0},
    ],
)
def test_wrong_optics_are_noticed(wrong: dict[str, object]) -> None:
    # else the test above would prove nothing
    volume, particles = blobs(), particles_of(GROUP)
    images = simulated(volume, particles)
    other = replace(particles, optics=(replace(GROUP, **wrong),))  # type: ignore[arg-type]
    right = correlation(map_of(particles, images), volume)
    assert correlation(map_of(other, images), volume) < right - 0.003


def test_pixel_size_is_honoured() -> None:
    # a map in other pixels, its images, and a reconstruction in the first map's pixels
    volume = blobs()
    fine = OpticsGroup("fine", pixel_size=SIZE * 24 / 30, box_size=30)
    finer = rescale(volume, pixel_size=SIZE, new_pixel_size=fine.pixel_size)
    particles = particles_of(fine)
    images = simulated(finer, particles) * (fine.pixel_size / SIZE)
    result = map_of(particles, images)
    assert correlation(result, volume) > 0.99
    assert 0.95 < float((result * volume).sum() / volume.square().sum()) < 1.05


def test_groups_of_several_boxes_make_one_map() -> None:
    volume = blobs()
    wide = replace(GROUP, box_size=36)
    rows = np.arange(200)
    sums = SliceSums(BOX)
    for group, density in (
        (GROUP, volume),
        (wide, torch.nn.functional.pad(volume, (6, 6) * 3)),
    ):
        particles = particles_of(group, rows=200)
        images = simulated(density, particles)
        insert_images(sums, images, particles, rows, pixel_size=SIZE)
    result = reconstruct_map(sums)
    assert correlation(result, volume) > 0.99
    assert 0.95 < float((result * volume).sum() / volume.square().sum()) < 1.05


def test_premultiplied_and_raw_images_may_be_mixed() -> None:
    particles = particles_of(GROUP, replace(GROUP, is_premultiplied=True))
    images = simulated(blobs(), particles)
    assert correlation(map_of(particles, images), blobs()) > 0.99


def test_images_of_no_weight_do_not_count() -> None:
    volume, particles = blobs(), particles_of(GROUP)
    images = simulated(volume, particles)
    images[::2] = torch.randn(200, BOX, BOX) * 100
    weight = (torch.arange(400) % 2).float()
    assert correlation(map_of(particles, images, weight=weight), volume) > 0.98
    listed = replace(particles, weight=weight.double().numpy())
    assert torch.allclose(
        map_of(listed, images), map_of(particles, images, weight=weight), atol=1e-4
    )


def test_without_ctf_images_are_taken_as_they_are() -> None:
    volume, particles = blobs(), particles_of(GROUP)
    flat = replace(particles, defocus_u=np.zeros(400), defocus_v=np.zeros(400))
    flat = replace(flat, optics=(replace(GROUP, spherical_aberration=0.0, amplitude_contrast=1.0),))
    images = simulated(volume, flat)
    assert correlation(map_of(particles, images, is_ctf_used=False), volume) > 0.99


def test_rows_and_images_must_belong_together() -> None:
    with pytest.raises(GeometryError, match="own images"):
        map_of(particles_of(GROUP), torch.zeros(399, BOX, BOX))
