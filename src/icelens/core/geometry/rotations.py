"""Rotations in the one convention of the house: they take the reference to the image.

`x_image = rotation @ x_reference` on `(x, y, z)` columns. RELION's `Euler_angles2matrix(rot, tilt,
psi)` is this matrix; SciPy's `from_euler("ZYZ", ...)` with capital letters is its transpose.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def random_rotations(count: int, generator: torch.Generator) -> Float[Tensor, "{count} 3 3"]:
    """Draw rotations uniformly (Haar measure): normalised four-dimensional Gaussians."""
    quaternions = torch.randn(count, 4, generator=generator)
    return quaternion_to_matrix(quaternions)


def quaternion_to_matrix(
    quaternion_wxyz: Float[Tensor, "*batch 4"],
) -> Float[Tensor, "*batch 3 3"]:
    """Rotation of a quaternion, scalar first, of any length but zero."""
    w, x, y, z = torch.nn.functional.normalize(quaternion_wxyz, dim=-1).unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
