from pathlib import Path

import numpy as np
import pytest
import torch

from icelens.core.fourier.slices import project_volume
from icelens.core.geometry.rotations import (
    random_rotations,
    relion_angles_to_matrix,
    rotation_about_y,
)

# Written by relion_project beside the images, see HOW.md.
RELION_ANGLES = torch.tensor(
    [
        [355.858841, 72.200518, 240.688133],
        [63.759542, 92.697219, 303.796113],
        [178.751045, 42.736465, 137.511331],
        [248.292861, 83.402259, 197.749400],
        [99.680307, 72.793409, 270.791295],
    ]
)

EYE = torch.eye(3)


def _values(path: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """Float32 values behind the 1024 bytes of a header too old for strict readers."""
    values = np.fromfile(path, dtype="<f4", offset=1024)
    return torch.from_numpy(values.reshape(shape).copy())


def correlation(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    a, b = a.flatten(-2), b.flatten(-2)
    a, b = a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True)
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))


@pytest.fixture
def relion(shared_data: Path) -> tuple[torch.Tensor, torch.Tensor]:
    folder = shared_data / "particles_sim"
    volume = _values(folder / "clean70SRibosome_vol_65p.mrc", (65, 65, 65))
    images = _values(folder / "rln_proj_65.mrcs", (5, 65, 65))
    # RELION's centre of an odd box is one pixel further, see HOW.md
    return volume, images.roll((-1, -1), (1, 2))


def test_relions_angles_give_relions_images(relion: tuple[torch.Tensor, torch.Tensor]) -> None:
    volume, images = relion
    ours = project_volume(volume, relion_angles_to_matrix(RELION_ANGLES))
    assert float(correlation(ours, images).min()) > 0.9999
    # the grey scale is a plain sum along the beam in both
    assert float((ours.norm() / images.norm() - 1.0).abs()) < 0.01


def test_transposed_or_mirrored_volumes_are_told_apart(
    relion: tuple[torch.Tensor, torch.Tensor],
) -> None:
    volume, images = relion
    rotation = relion_angles_to_matrix(RELION_ANGLES)
    assert float(correlation(project_volume(volume, rotation.mT), images).max()) < 0.8
    for axis in range(3):
        mirrored = project_volume(volume.flip(axis), rotation)
        assert float(correlation(mirrored, images).max()) < 0.8


def chiral_phantom(box_size: int, *, is_right_handed: bool = True) -> torch.Tensor:
    """Beads on a helix that climbs along z; the mirror image climbs the other way round."""
    turn = torch.linspace(0.0, 4.0 * torch.pi, 60)
    hand = 1.0 if is_right_handed else -1.0
    x, y = 0.22 * box_size * torch.cos(turn), hand * 0.22 * box_size * torch.sin(turn)
    z = box_size * (turn / turn.max() - 0.5) * 0.6
    axis = torch.arange(box_size) - box_size // 2
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).float()
    beads = torch.stack([z, y, x], dim=-1)
    return torch.exp(-((grid[..., None, :] - beads) ** 2).sum(-1) / (2 * 1.3**2)).sum(-1)


def test_poses_of_the_wrong_hand_score_clearly_lower() -> None:
    # One image never tells the hand: mirroring along the beam leaves it as it is. Two tilts do.
    generator = torch.Generator().manual_seed(1)
    tilt = rotation_about_y(40.0)
    trials = random_rotations(1200, generator)
    true_indices = [0, 1, 2]
    best = []
    for is_right_handed in (True, False):
        phantom = chiral_phantom(24, is_right_handed=is_right_handed)
        templates = torch.stack([project_volume(phantom, view @ trials) for view in (EYE, tilt)])
        if is_right_handed:
            images = templates[:, true_indices]
        scores = torch.stack(
            [
                correlation(templates, images[:, index : index + 1].expand_as(templates)).mean(0)
                for index in true_indices
            ]
        )
        best.append(scores.max(dim=1))
    assert best[0].indices.tolist() == true_indices
    assert float(best[0].values.min()) > 0.9999
    assert float(best[1].values.max()) < 0.9
