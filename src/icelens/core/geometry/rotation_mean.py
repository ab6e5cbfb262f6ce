"""The mean of rotations: the one that is nearest to all of them, by squared chord."""

import torch
from jaxtyping import Float
from torch import Tensor


def mean_rotation(
    rotation: Float[Tensor, "*batch item 3 3"],
    weight: Float[Tensor, "*#batch item"] | None = None,
) -> Float[Tensor, "*batch 3 3"]:
    """Rotation that minimises the weighted sum of squared chords to the items.

    It is the sum of the matrices, projected onto rotations. For items within some tens of degrees
    it agrees with the geodesic mean to a few per cent of their spread.

    References:
        Moakher, SIAM J. Matrix Anal. Appl. 24 (2002), section 3.1.
    """
    weighted = rotation if weight is None else rotation * weight[..., None, None]
    return nearest_rotation(weighted.sum(dim=-3))


def nearest_rotation(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The rotation with the least squared difference to a matrix (orthogonal Procrustes).

    References:
        Kabsch, Acta Cryst. A32 (1976) 922: a mirror is avoided by the sign of the determinant.
    """
    left, _, right = torch.linalg.svd(matrix)
    sign = torch.ones(matrix.shape[:-1], dtype=matrix.dtype, device=matrix.device)
    sign[..., 2] = torch.sign(torch.linalg.det(left @ right))
    nearest: Tensor = (left * sign[..., None, :]) @ right
    return nearest
