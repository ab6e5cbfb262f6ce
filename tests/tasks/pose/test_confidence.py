"""Confidence compares like with like, and invents no threshold."""

import json

import numpy as np
import pytest
import torch

from icelens.core.geometry.rotations import random_rotations, relion_angles_to_matrix
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.tasks.pose.confidence import DirectionalScores, cones, drift, junk_threshold


def rotations(count: int) -> torch.Tensor:
    return random_rotations(count, torch.Generator().manual_seed(0), dtype=torch.float64)


def test_a_cone_does_not_change_under_in_plane_turns() -> None:
    turns = torch.tensor([[0.0, 0.0, psi] for psi in range(0, 360, 10)], dtype=torch.float64)
    for rotation in rotations(5):
        assert len(set(cones((relion_angles_to_matrix(turns) @ rotation).numpy(), "C1"))) == 1


@pytest.mark.parametrize("symmetry", ["C3", "D2", "T", "O", "I"])
def test_a_cone_is_that_of_every_equivalent_pose(symmetry: str) -> None:
    operators = symmetry_operators(symmetry).double()
    for rotation in rotations(20):
        found = cones((rotation @ operators).numpy(), symmetry)
        assert (found == found[0]).mean() > 0.95  # a direction on the border of two cells may flip


def test_hard_views_are_compared_with_hard_views() -> None:
    rng = np.random.default_rng(0)
    rotation = rotations(20_000).numpy()
    is_hard = rotation[:, 2, 2] > 0
    score = np.where(is_hard, 0.3, 0.8) + rng.normal(0.0, 0.05, len(rotation))
    known = DirectionalScores.of(rotation, score, "C1")
    zscore = known.zscores(rotation, score)
    assert abs(np.median(zscore[is_hard])) < 0.2
    assert abs(np.median(zscore[~is_hard])) < 0.2
    assert zscore[is_hard].std() == pytest.approx(1.0, abs=0.3)


def test_scores_survive_json() -> None:
    rng = np.random.default_rng(1)
    rotation, score = rotations(500).numpy(), rng.random(500)
    known = DirectionalScores.of(rotation, score, "C2")
    again = DirectionalScores.from_json(json.loads(json.dumps(known.to_json())))
    assert np.allclose(again.zscores(rotation, score), known.zscores(rotation, score), atol=1e-2)


def test_the_false_discovery_rate_of_a_known_mixture_is_estimated() -> None:
    rng = np.random.default_rng(2)
    is_junk = rng.random(20_000) < 0.3
    score = np.where(is_junk, rng.normal(-3.0, 1.0, 20_000), rng.normal(0.5, 0.8, 20_000))
    found = junk_threshold(score)
    assert found is not None
    true_rate = is_junk[score >= found.threshold].mean()
    assert found.false_discovery_rate == pytest.approx(true_rate, abs=0.01)
    assert found.junk_share == pytest.approx(0.3, abs=0.03)


def test_no_threshold_is_made_up_for_one_population() -> None:
    rng = np.random.default_rng(3)
    assert junk_threshold(rng.normal(size=5000)) is None
    assert junk_threshold(rng.random(5)) is None
    assert junk_threshold(np.zeros(500)) is None
    assert junk_threshold(np.repeat([0.0, 1.0], 300)) is None


def test_drift_is_seen_only_where_it_is() -> None:
    rng = np.random.default_rng(4)
    known = DirectionalScores.of(rotations(2000).numpy(), rng.beta(5, 2, 2000), "C1")
    assert not drift(rng.beta(5, 2, 1000), known).is_large
    found = drift(rng.beta(2, 5, 1000), known)
    assert found.is_large
    assert found.median_shift < -1.0
