"""Encodings are phases along fixed vectors, whose lengths follow the published formulas."""

import math

import pytest
import torch
from hetero_networks import ENCODINGS

from icelens.core.geometry.rotations import random_rotations
from icelens.tasks.hetero.network.encodings import (
    encoded_plane,
    encoded_points,
    encoding_vectors,
)

N, E = 32, 16


@pytest.mark.parametrize(
    ("kind", "longest", "shortest"),
    [
        ("geom_ft", N * math.pi, 2.0 * math.pi),
        ("geom_full", N * math.pi, 1.0),
        ("geom_lowf", N / 2, 1.0),
        ("geom_nohighf", N / 2, 2.0 * math.pi),
        ("linear_lowf", N / 2, 1.0),
    ],
)
def test_lengths_go_from_end_to_end(kind: str, longest: float, shortest: float) -> None:
    vectors = encoding_vectors(kind, N, E, width=0.5, seed=0)  # type: ignore[arg-type]
    assert vectors.shape == (3 * E, 3)
    lengths = vectors.norm(dim=1).reshape(3, E)
    for axis in range(3):
        assert float(lengths[axis].max()) == pytest.approx(longest, rel=1e-5)
        assert float(lengths[axis].min()) == pytest.approx(shortest, rel=1e-5)
    steps = lengths[0].sort().values
    ratio = steps[1:] / steps[:-1] if kind != "linear_lowf" else steps.diff()
    assert torch.allclose(ratio, ratio[:1].expand_as(ratio), rtol=1e-4)


def test_gaussian_vectors_have_their_deviation_and_follow_the_seed() -> None:
    vectors = encoding_vectors("gaussian", N, 300, width=0.5, seed=3)
    assert float(vectors.std()) == pytest.approx(0.5 * N / 2, rel=0.05)
    assert torch.equal(vectors, encoding_vectors("gaussian", N, 300, width=0.5, seed=3))
    assert not torch.equal(vectors, encoding_vectors("gaussian", N, 300, width=0.5, seed=4))


@pytest.mark.parametrize("kind", ENCODINGS)
@pytest.mark.parametrize("count", [1, 2, 16])
def test_any_number_of_frequencies_is_finite(kind: str, count: int) -> None:
    vectors = encoding_vectors(kind, N, count, width=0.5, seed=0)  # type: ignore[arg-type]
    assert torch.isfinite(vectors).all()
    assert len(vectors) == (0 if kind == "none" else 3 * count)


def test_turned_vectors_are_turned_points() -> None:
    vectors = encoding_vectors("gaussian", N, E, width=0.5, seed=0)
    axes = random_rotations(4, torch.Generator().manual_seed(1))
    frequency_xy = torch.rand(2, 30) - 0.5
    points = torch.einsum("rkx,ks->rsx", axes[:, :2], frequency_xy)
    expected = encoded_points(vectors, points.reshape(-1, 3)).reshape(4, 30, -1)
    assert torch.allclose(encoded_plane(vectors, axes, frequency_xy), expected, atol=2e-4)
