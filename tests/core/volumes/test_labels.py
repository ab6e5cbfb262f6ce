"""Particles in label volumes: found once, where they are, and only if they are of their size."""

import numpy as np
import pytest

from icelens.core.errors import GeometryError
from icelens.core.volumes.labels import ParticleSize, locate_regions

SIZE = ParticleSize(radius_px=6.0, smallest_radius_px=3.0, largest_radius_px=6.0)


def balls(shape, centres, radius=4.2, value=1) -> np.ndarray:
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    labels = np.zeros(shape, np.uint8)
    for centre in centres:
        labels[np.linalg.norm(grid - np.array(centre), axis=-1) <= radius] = value
    return labels


def located(labels, size=SIZE, **settings) -> np.ndarray:
    positions = locate_regions(labels, {1: size}, **settings)[1].positions
    return positions[np.lexsort(positions.T[::-1])]


@pytest.mark.parametrize("method", ["watershed", "com"])
def test_axes_are_right_and_centres_sub_voxel(method):
    truth = [[7.3, 9.6, 8.1], [8.2, 10.4, 40.7], [9.0, 30.5, 12.0]]
    found = located(balls((18, 40, 50), truth), method=method)
    np.testing.assert_allclose(found, truth, atol=0.15)  # of a digital ball's middle


def test_watershed_parts_what_touches_and_com_does_not():
    truth = [[9.0, 9.0, 9.0], [9.0, 9.0, 16.8], [9.0, 16.8, 16.8]]
    labels = balls((19, 28, 28), truth)
    np.testing.assert_allclose(located(labels), truth, atol=0.4)
    assert len(located(labels, method="com")) == 0  # together they are larger than a particle


def test_random_holes_hide_no_particle():
    labels = balls((17, 17, 17), [[8.0, 8.0, 8.0]], radius=5.5)
    labels[np.random.default_rng(0).random(labels.shape) < 0.03] = 0
    np.testing.assert_allclose(located(labels), [[8, 8, 8]], atol=0.2)


def test_specks_and_clumps_are_no_particles():
    labels = balls((30, 30, 30), [[5.0, 5.0, 5.0]], radius=1.5)
    labels |= balls((30, 30, 30), [[18.0, 18.0, 18.0]], radius=8.5)
    assert len(located(labels, method="com")) == 0
    assert len(located(labels)) == 0


@pytest.mark.parametrize("centre", [(0.0, 10.0, 10.0), (10.0, 0.0, 19.0), (19.0, 19.0, 19.0)])
@pytest.mark.parametrize("method", ["watershed", "com"])
def test_particles_cut_by_the_border_are_found(centre, method):
    found = located(balls((20, 20, 20), [centre]), method=method)
    assert len(found) == 1
    assert np.linalg.norm(found[0] - np.array(centre)) < 3.0  # the middle of what can be seen


def test_pieces_of_one_particle_are_one():
    labels = np.zeros((13, 13, 9), np.uint8)
    labels[1:12, 1:12, 1:3] = labels[1:12, 1:12, 4:6] = 1  # their middles are 3 apart
    labels[1, 1, 1] = 0
    np.testing.assert_allclose(located(labels, ParticleSize(6.0, 3.5, 6.0)), [[6, 6, 4.5]])
    assert len(located(labels, ParticleSize(6.0, 0.0, 6.0))) == 2


def test_labels_are_told_apart_and_absent_ones_are_empty():
    labels = balls((20, 20, 40), [[9.0, 9.0, 9.0]]) + balls((20, 20, 40), [[9, 9, 30]], value=3)
    found = locate_regions(labels, {1: SIZE, 2: SIZE, 3: SIZE})
    assert [len(found[number].positions) for number in (1, 2, 3)] == [1, 0, 1]
    assert found[2].positions.shape == (0, 3)


def test_speck_of_another_class_inside_does_not_matter():
    labels = balls((18, 18, 18), [[8.0, 8.0, 8.0]])
    labels[8, 8, 8] = 2
    np.testing.assert_allclose(located(labels), [[8, 8, 8]], atol=1e-9)


def test_scores_are_mean_confidence_best_first():
    labels = balls((18, 18, 40), [[8.0, 8.0, 8.0], [8.0, 8.0, 30.0]])

    def confidence(label: int, zyx: np.ndarray) -> np.ndarray:
        assert label == 1
        return zyx[2] / 40.0

    found = locate_regions(labels, {1: SIZE}, confidence=confidence)[1]
    np.testing.assert_allclose(found.scores, [0.75, 0.2], atol=1e-9)
    assert found.positions[0, 2] == pytest.approx(30)
    assert locate_regions(labels, {1: SIZE})[1].scores.tolist() == [1.0, 1.0]


def test_impossible_sizes_and_shapes_are_refused():
    with pytest.raises(GeometryError, match="cannot have regions"):
        ParticleSize(6.0, 3.0, 2.0)
    with pytest.raises(GeometryError, match=r"shape \(4, 4\)"):
        locate_regions(np.zeros((4, 4), np.uint8), {1: SIZE})
