import math

import pytest
import torch

from icelens.core.geometry.so3_ball import rotation_from_vector
from icelens.core.geometry.symmetry import symmetry_operators
from icelens.core.refinement.climb import Candidates
from icelens.core.refinement.modes import (
    best_distinct,
    distinct,
    entropy,
    ranked,
    widths_and_masses,
)


def _candidates(owner: list[int], score: list[float], degrees: list[float]) -> Candidates:
    num = len(owner)
    vector = torch.zeros(num, 3)
    vector[:, 2] = torch.deg2rad(torch.tensor(degrees))
    return Candidates(
        torch.tensor(owner),
        torch.zeros(num, dtype=torch.long),
        rotation_from_vector(vector),
        torch.zeros(num, 3),
        torch.zeros(num, 3),
        torch.tensor(score),
        torch.zeros(num, 7, 7),
    )


def test_poses_are_ranked_within_their_particle() -> None:
    poses = _candidates([1, 0, 1, 1], [3.0, 1.0, 5.0, 4.0], [0.0] * 4)
    number, is_filled = ranked(poses, 2)
    assert is_filled.tolist() == [[True, False, False], [True, True, True]]
    assert number[0, 0] == 1
    assert number[1].tolist() == [2, 3, 0]


def test_worse_pose_next_to_a_better_one_is_no_mode_of_its_own() -> None:
    poses = _candidates([0, 0, 0], [5.0, 4.0, 3.0], [0.0, 1.0, 10.0])
    kept = best_distinct(
        poses, 1, keep=3, separation_rad=math.radians(2.0), operators=torch.eye(3)[None]
    )
    assert sorted(kept.score.tolist()) == [3.0, 5.0]


def test_chain_of_neighbours_is_not_swallowed_by_its_end() -> None:
    rotation = _candidates([0] * 3, [3.0, 2.0, 1.0], [0.0, 1.5, 3.0]).rotation[None]
    alive = distinct(
        rotation,
        torch.ones(1, 3, dtype=torch.bool),
        separation_rad=math.radians(2.0),
        operators=torch.eye(3)[None],
    )
    assert alive.tolist() == [[True, False, True]]


def test_symmetric_equivalents_are_one_mode() -> None:
    poses = _candidates([0, 0], [2.0, 1.0], [0.0, 90.0])
    for symmetry, expected in (("C4", 1), ("C1", 2), ("C3", 2)):
        kept = best_distinct(
            poses, 1, keep=2, separation_rad=0.03, operators=symmetry_operators(symmetry)
        )
        assert len(kept.owner) == expected


def test_entropy_tells_certainty_from_ignorance() -> None:
    sure, lost = entropy(torch.tensor([[100.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])).tolist()
    assert sure == pytest.approx(0.0, abs=1e-6)
    assert lost == pytest.approx(math.log(4.0), rel=1e-5)


def test_width_is_that_of_a_gaussian_posterior() -> None:
    # model of norm 1 and scale 1, derivatives independent of it
    deviation_rad = torch.tensor([0.01, 0.02, 0.02])
    gram = torch.zeros(1, 7, 7)
    gram[0, :3, :3] = torch.diag(deviation_rad**-2)
    gram[0, 3, 3] = gram[0, 4, 4] = 1.0
    gram[0, 5, 5] = gram[0, 5, 6] = gram[0, 6, 5] = gram[0, 6, 6] = 1.0
    width, _ = widths_and_masses(gram)
    assert float(width[0]) == pytest.approx(math.degrees(0.03), rel=1e-3)


def test_image_that_says_nothing_has_no_width() -> None:
    width, volume = widths_and_masses(torch.zeros(2, 3, 7, 7))
    assert bool((width == 180.0).all())
    assert torch.isfinite(volume).all()
