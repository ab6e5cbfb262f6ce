"""Rotate boxes in real space: right angles move voxels exactly, other angles interpolate.

A rotated density is `v'(r) = v(rotation^T r)` on xyz columns about the middle of the box, the
point `(n - 1) / 2`: the mirror-symmetric centre, which right angles map onto voxels. In Fourier
space that is the rotated transform times a phase, so that masks of power rotate with the same
matrix, exactly and without resampling.
"""

import functools
import itertools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


@functools.cache
def right_angle_rotations() -> Float[Tensor, "24 3 3"]:
    """The 24 proper rotations of the cube, the identity first, as matrices on xyz."""
    matrices = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = torch.zeros(3, 3)
            matrix[range(3), order] = torch.tensor(signs)
            if torch.det(matrix) > 0:
                matrices.append(matrix)
    return torch.stack(matrices)


def is_right_angle(rotation: Float[Tensor, "3 3"]) -> bool:
    """Whether the matrix only permutes and flips axes."""
    return bool(((rotation.abs() < 1e-6) | (rotation.abs() > 1 - 1e-6)).all())


def rotate(
    boxes: Float[Tensor, "item *channel n n n"], rotations: Float[Tensor, "item 3 3"]
) -> Float[Tensor, "item *channel n n n"]:
    """Rotate each cubic box by its own matrix; what enters at the border is mirrored in."""
    return torch.stack(
        [
            _permuted(box, rotation) if is_right_angle(rotation) else _resampled(box, rotation)
            for box, rotation in zip(boxes, rotations.cpu(), strict=True)
        ]
    )


def _permuted(box: Tensor, rotation: Tensor) -> Tensor:
    """Move voxels: output axis i reads input axis j where `rotation[i, j]` is not zero."""
    matrix = rotation.round().flip(0, 1)  # xyz -> zyx
    sources = matrix.abs().argmax(1).tolist()
    lead = box.ndim - 3
    moved = box.permute(*range(lead), *(lead + source for source in sources))
    flipped = [lead + axis for axis in range(3) if matrix[axis, sources[axis]] < 0]
    return moved.flip(flipped) if flipped else moved


def _resampled(box: Tensor, rotation: Tensor) -> Tensor:
    """Trilinear interpolation at `rotation^T r`."""
    volumes = box.reshape(1, -1, *box.shape[-3:])
    theta = torch.cat([rotation.T, torch.zeros(3, 1)], 1)[None].to(box)
    grid = functional.affine_grid(theta, list(volumes.shape), align_corners=True)
    sampled = functional.grid_sample(
        volumes, grid, mode="bilinear", padding_mode="reflection", align_corners=True
    )
    return sampled.reshape(box.shape)
