import numpy as np
import pytest
import torch
from linear_world import BOX, component_volumes, mean_volume, prepared

from icelens.core.data.latents import LatentTable
from icelens.core.errors import MetadataError
from icelens.tasks.hetero.kernel_maps import kernel_half_maps, latent_distance
from icelens.tasks.hetero.prepared_images import PreparedImages

COUNT = 160
STATES = torch.stack([mean_volume() + sign * component_volumes()[0] for sign in (-1.0, 1.0)])


@pytest.fixture(scope="module")
def two_states() -> tuple[PreparedImages, LatentTable]:
    """Particles of two states in turn, latents 0 and 1 with errors."""
    state = np.arange(COUNT) % 2
    images = prepared(STATES, np.eye(2)[state], noise=2.0)
    latent = state[:, None] + 0.1 * np.random.default_rng(0).normal(size=(COUNT, 1))
    half_set = 1 + np.arange(COUNT) // 2 % 2
    table = LatentTable(latent=latent, deviation=np.full((COUNT, 1), 0.1), half_set=half_set)
    return images, table


def _likeness(volume: torch.Tensor, truth: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([volume.flatten(), truth.flatten()]))[0, 1])


@pytest.mark.parametrize("num_particles", [None, 60])
def test_a_map_is_liker_its_state_than_the_mean_of_all(
    num_particles: int | None, two_states: tuple[PreparedImages, LatentTable]
) -> None:
    images, table = two_states
    for number, state in enumerate(STATES):
        maps = kernel_half_maps(images, table, [float(number)], num_particles=num_particles)
        assert maps.full.shape == (BOX, BOX, BOX)
        own = _likeness(maps.full, state)
        assert own > _likeness(STATES.mean(0), state) + 0.02
        assert own > _likeness(maps.full, STATES[1 - number]) + 0.1
        assert float(maps.fsc.correlation[1:4].min()) > 0.3


def test_where_images_say_nothing_the_prior_is_left(
    two_states: tuple[PreparedImages, LatentTable],
) -> None:
    images, table = two_states
    silent = prepared(STATES, np.eye(2)[np.arange(COUNT) % 2], noise=2.0)
    silent._stored[:] = 0
    prior = mean_volume()
    maps = kernel_half_maps(silent, table, [0.0], num_particles=40, prior=prior)
    assert _likeness(maps.full, prior) > 0.99
    told = kernel_half_maps(images, table, [1.0], num_particles=40, prior=prior)
    assert _likeness(told.full, STATES[1]) > _likeness(prior, STATES[1])


def test_distances_count_in_deviations_of_each_particle() -> None:
    latent = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    deviation = np.array([[1.0, 1.0], [1.0, 1.0], [4.0, 1.0]])
    table = LatentTable(latent=latent, deviation=deviation)
    np.testing.assert_allclose(latent_distance(table, [0.0, 0.0]), [0.0, 2**0.5, 0.5 / 2**0.5])
    unknown = LatentTable(latent=latent)
    distance = latent_distance(unknown, [0.0, 0.0])
    assert distance[0] == 0.0
    assert distance[1] == distance[2] > 0.0


def test_latents_of_others_are_refused(two_states: tuple[PreparedImages, LatentTable]) -> None:
    images, table = two_states
    with pytest.raises(MetadataError, match="a latent of 2 coordinates for latents of 1"):
        kernel_half_maps(images, table, [0.0, 1.0])
    with pytest.raises(MetadataError, match=r"latents of 30 particles for images of 160"):
        kernel_half_maps(images, table.take(np.arange(30)), [0.0])
